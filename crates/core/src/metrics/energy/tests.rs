//! Energy and carbon by hand.

use super::*;
use crate::metrics::{Carbon, Collector, WorkNames};
use crate::model::{Fault, FaultDomain, FaultEffect, FaultTimes, Interner, Region, Work};
use crate::sim::Run;
use crate::state::testing::{Plan, demand, shape, world};
use crate::units::{Demand, Shape, Span};
use crate::workload::WorkList;

const MINUTES: i64 = 60;

fn minutes(minutes: i64) -> Time {
    Time::from_secs(minutes * MINUTES)
}

/// One machine of this shape: 100 W idle, 400 W at full load, half as much again for its data centre;
/// 100 g/kWh in the first hour and 300 after it.
fn machine(shape: Shape) -> World {
    let mut world = world(&[Plan { shape, running: 1, ..Plan::default() }]);
    world.types.rows_mut()[0].power = Some(PowerCurve::by_load(&[100_000, 400_000]));
    for region in world.regions.rows_mut() {
        let carbon = StepPath::known(100_000_000, vec![(minutes(60), 300_000_000)]);
        *region = Region { carbon: Some(carbon), pue_millionths: 1_500_000, ..region.clone() };
    }
    world
}

/// Jobs by tenant, begin, length in minutes and demand, each of which starts when it arrives.
fn carbon(world: &World, jobs: &[(&str, i64, i64, Demand)]) -> Carbon {
    let mut names = Interner::default();
    let works: Vec<Work> = (0..)
        .zip(jobs)
        .map(|(row, &(tenant, begin, length, demand))| {
            let tenant = names.tenant(tenant);
            let mut work =
                Work::job(row, minutes(begin), demand, Span::from_secs(length * MINUTES));
            work.ask.tenant = tenant;
            work
        })
        .collect();
    let mut source = WorkList::new(works).named(names);
    let (mut collector, mut names) = (Collector::default(), WorkNames::default());
    let run = Run::new(world, &mut source).observe(&mut collector).observe(&mut names);
    let outcome = run.run().expect("it runs");
    collector.summary(world, &names.tenants, &outcome).carbon
}

fn close(found: f64, want: f64) {
    assert!((found - want).abs() < 1e-9, "{found}, not {want}");
}

/// Of each tenant, and of nobody: kWh and kg.
fn by_tenant(carbon: &Carbon) -> Vec<(&str, f64, f64)> {
    let both = carbon.kwh_by_tenant.iter().zip(&carbon.by_tenant);
    let mut rows: Vec<(&str, f64, f64)> =
        both.map(|((name, kwh), (_, kg))| (name.as_str(), *kwh, *kg)).collect();
    rows.push(("nobody", carbon.idle_kwh, carbon.idle_kg));
    rows
}

fn all_close(carbon: &Carbon, want: &[(&str, f64, f64)]) {
    let found = by_tenant(carbon);
    assert_eq!(found.len(), want.len(), "{found:?}");
    for (found, want) in found.iter().zip(want) {
        assert_eq!(found.0, want.0);
        close(found.1, want.1);
        close(found.2, want.2);
    }
    close(carbon.kwh.expect("known"), want.iter().map(|row| row.1).sum());
    close(carbon.kg.expect("known"), want.iter().map(|row| row.2).sum());
}

/// In the first hour a holds 1 of 4 cores: 175 W, of which 25 W of the 100 idle ones and the 75 beyond
/// are its. In the second b holds two more: 325 W; a third of the 225 W beyond is a's, two are b's.
/// That times 1.5, and 0.1 and 0.3 kg/kWh.
#[test]
fn tasks_cause_their_part_of_a_machine_and_nobody_the_rest() {
    let world = machine(shape(4_000, 4_096, 0));
    let core = |cores: u32| demand(1_000 * cores, 0, 0, 0);
    let carbon = carbon(&world, &[("a", 0, 120, core(1)), ("b", 60, 60, core(2))]);
    let a = 1.5 * (25.0 + 75.0) / 1e3;
    let b = 1.5 * (50.0 + 150.0) / 1e3;
    let nobody = [1.5 * 75.0 / 1e3, 1.5 * 25.0 / 1e3];
    all_close(
        &carbon,
        &[
            ("a", 2.0 * a, 0.4 * a),
            ("b", b, 0.3 * b),
            ("nobody", nobody[0] + nobody[1], 0.1 * nobody[0] + 0.3 * nobody[1]),
        ],
    );
    close(carbon.kwh.expect("known"), 0.75);
    close(carbon.kg.expect("known"), 0.1725);
    assert_eq!(carbon.kwh_by_region, [("dc".to_owned(), carbon.kwh)]);
    assert_eq!(carbon.by_provider, [("dc".to_owned(), carbon.kg)]);
}

/// A machine that has nothing to do for an hour draws 150 W for nobody, also after its last work has
/// ended; a task that changes nothing of the load is one that starts when another ends.
#[test]
fn idle_machines_draw_for_nobody() {
    let world = machine(shape(4_000, 4_096, 0));
    let whole = demand(4_000, 0, 0, 0);
    let carbon = carbon(&world, &[("a", 30, 30, whole), ("b", 60, 30, whole)]);
    let half = 0.5 * 1.5 * 0.4;
    all_close(
        &carbon,
        &[
            ("a", half, 0.1 * half),
            ("b", half, 0.3 * half),
            ("nobody", 0.5 * 0.15, 0.1 * 0.5 * 0.15),
        ],
    );
}

/// Two of eight GPUs are a quarter of the load, whatever cores they take; work without GPUs is none.
/// Who has the machine alone holds all of it.
#[test]
fn gpus_are_the_load_where_there_are_any() {
    let world = machine(shape(8_000, 4_096, 8));
    let carbon_of = |demand| carbon(&world, &[("a", 0, 60, demand)]);
    all_close(
        &carbon_of(demand(8_000, 0, 2, 1_000)),
        &[("a", 0.15, 0.015), ("nobody", 0.1125, 0.011_25)],
    );
    let none = carbon_of(demand(8_000, 0, 0, 0));
    assert_eq!(by_tenant(&none), [("nobody", 0.15, 0.015)]);
    let alone = Demand { exclusive: true, ..demand(1_000, 0, 0, 0) };
    all_close(&carbon_of(alone), &[("a", 0.6, 0.06), ("nobody", 0.0, 0.0)]);
}

/// Down from minute 10 to 40, and done at 60: the idle 150 W for 30 minutes that are not there.
#[test]
fn a_machine_that_is_down_draws_nothing() {
    let mut world = machine(shape(4_000, 4_096, 0));
    world.faults.push(Fault {
        name: "power".to_owned(),
        offers: world.offers.ids().collect(),
        domain: FaultDomain::Share(1_000_000),
        effect: FaultEffect::Machines,
        times: FaultTimes::Periods(vec![(minutes(10), Some(minutes(40)))]),
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    });
    let carbon = carbon(&world, &[("a", 50, 10, demand(4_000, 0, 0, 0))]);
    let a = 0.6 / 6.0;
    let nobody = 0.15 * 20.0 / 60.0;
    all_close(&carbon, &[("a", a, 0.1 * a), ("nobody", nobody, 0.1 * nobody)]);
}

/// A machine whose power nobody states costs no memory and says so; a grid that is not known leaves
/// the energy known.
#[test]
fn what_is_not_known_is_no_zero() {
    let mut world = machine(shape(4_000, 4_096, 0));
    let job = [("a", 0, 60, demand(4_000, 0, 0, 0))];
    world.regions.rows_mut()[0].carbon = None;
    let known = carbon(&world, &job);
    close(known.kwh.expect("known"), 0.6);
    assert_eq!((known.kg, known.unknown.len()), (None, 1));
    assert_eq!(known.unknown[0], ("dc".to_owned(), "`carbon_g_per_kwh`"));
    world.types.rows_mut()[0].power = None;
    let unknown = carbon(&world, &job);
    assert_eq!((unknown.kwh, unknown.kg), (None, None));
    assert_eq!(unknown.kwh_by_region, [("dc".to_owned(), None)]);
    let mut meter = EnergyMeter::default();
    meter.begins(&world);
    assert!(meter.curves.is_empty());
}

/// Jobs of a third of a machine each: what they cause and what nobody does add up to all, and nobody
/// is left with next to nothing.
#[test]
fn parts_add_up_where_they_leave_remainders() {
    let mut world = machine(shape(3_000, 4_096, 0));
    let points = [70_001, 90_003, 130_007, 131_000];
    world.types.rows_mut()[0].power = Some(PowerCurve::by_load(&points));
    let jobs: Vec<_> =
        (0..30).map(|row| (["a", "b", "c"][row % 3], 0, 7, demand(1_000, 0, 0, 0))).collect();
    let carbon = carbon(&world, &jobs);
    let caused: f64 = carbon.kwh_by_tenant.iter().map(|row| row.1).sum();
    close(carbon.kwh.expect("known"), 1.5 * 0.131 * 70.0 / 60.0);
    close(caused, carbon.kwh.expect("known"));
    assert!(carbon.idle_kwh < 1e-15, "{}", carbon.idle_kwh);
}
