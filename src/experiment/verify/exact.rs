//! Small cases that can be checked by hand: no chance, no tolerance.

use super::judge::CheckRow;
use super::listed::{job, outcome};
use super::oracle::renting;
use super::station::{CORE, RentalTerms, Station};
use crate::metrics::Collector;
use crate::model::{Billing, PowerCurve, StepPath, Work};
use crate::policy::spec::{PolicySpec, Scalar};
use crate::policy::{self, backfill, order, place, shift};
use crate::sim::Run;
use crate::units::{Demand, Distribution, Span, Time};
use crate::workload::WorkList;

/// All of them.
///
/// # Errors
/// A sentence on a run that could not be done, which is a bug.
pub fn micro_cases() -> Result<Vec<CheckRow>, String> {
    let mut rows = backfilling()?;
    rows.extend(packing()?);
    rows.extend(boots()?);
    rows.extend(energy()?);
    Ok(rows)
}

/// Four processors; the last job but one may overtake, the last may not, or
/// would delay the second: J1 3 x 10 s, J2 4 x 10 s, J3 1 x 5 s, J4 1 x 20 s.
fn backfilling() -> Result<Vec<CheckRow>, String> {
    let jobs = [(0, 3, 10), (0, 4, 10), (1, 1, 5), (1, 1, 20)];
    let works: Vec<Work> = (0..)
        .zip(jobs)
        .map(|(ordinal, (arrival, tasks, secs))| job(ordinal, arrival, tasks, CORE, secs))
        .collect();
    let wanted = [
        ("four jobs, no backfilling", backfill::NONE.spec(), [0, 10, 20, 20]),
        ("four jobs, EASY", backfill::EASY.spec(), [0, 10, 1, 20]),
    ];
    let mut rows = Vec::new();
    for (name, backfill, want) in wanted {
        let policy = PolicySpec { backfill, ..PolicySpec::named(name) };
        let got = outcome(&Station::owned(1, 4).world(), &works, &policy)?;
        for (ordinal, want) in (0..).zip(want) {
            let at = got.starts.get(&ordinal).map_or(f64::NAN, |at| at.secs_f64());
            let quantity = format!("start of job {}, s", ordinal + 1);
            let source = "by hand (Lifka, JSSPP 1995)";
            rows.push(CheckRow::exact(name, &quantity, source, f64::from(want), at));
        }
    }
    Ok(rows)
}

/// Bins of 420; six items each of 61, 141 and 211.
fn packing() -> Result<Vec<CheckRow>, String> {
    let sizes = [61, 141, 211];
    let works: Vec<Work> = (0..18)
        .map(|ordinal: u64| {
            let cpu = sizes[(ordinal / 6) as usize] * CORE.cpu;
            job(ordinal, 0, 1, Demand { cpu, ..CORE }, 100)
        })
        .collect();
    let best = place::BEST_FIT.spec().set("by", Scalar::Cpu);
    let wanted = [
        ("first fit", order::FCFS.spec(), place::FIRST_FIT.spec(), 10.0),
        ("best fit", order::FCFS.spec(), best.clone(), 10.0),
        ("first fit, largest first", order::LARGEST.spec(), place::FIRST_FIT.spec(), 6.0),
        ("best fit, largest first", order::LARGEST.spec(), best, 6.0),
    ];
    let mut rows = Vec::new();
    for (name, order, place, want) in wanted {
        let policy = PolicySpec { order, place, ..PolicySpec::named(name) };
        let got = outcome(&Station::owned(18, 420).world(), &works, &policy)?;
        let mut used: Vec<u32> = got.instances.into_values().collect();
        used.sort_unstable();
        used.dedup();
        let source = "by hand (Johnson 1973)";
        rows.push(CheckRow::exact(
            name,
            "bins of 420 for 18 items",
            source,
            want,
            used.len() as f64,
        ));
    }
    Ok(rows)
}

/// Rent from the request on: jobs of 100 s, each on an instance of its own that
/// boots for 120 s, at a dollar a second. An instance is given back when it is idle.
fn boots() -> Result<Vec<CheckRow>, String> {
    let works = [job(0, 0, 1, CORE, 100), job(1, 50, 1, CORE, 100)];
    let rules = [
        ("boot billed by the second", 1, 0, 2 * (120 + 100)),
        ("boot billed, at least 10 min", 1, 600, 2 * 600),
        ("boot billed by the hour", 3_600, 0, 2 * 3_600),
    ];
    let mut rows = Vec::new();
    for (name, granularity, minimum, dollars) in rules {
        let billing = Billing {
            granularity: Span::from_secs(granularity),
            minimum: Span::from_secs(minimum),
        };
        let boot = Distribution::Constant(120.0);
        let rented = RentalTerms { boot, billing, by_second: true, ..RentalTerms::default() };
        let policy = renting(PolicySpec::named(name));
        let got = outcome(&Station::rented(rented).world(), &works, &policy)?;
        let source = "by hand: boot + runtime, rounded up";
        rows.push(CheckRow::exact(
            name,
            "bill of two jobs, USD",
            source,
            f64::from(dollars),
            got.bill.dollars(),
        ));
    }
    Ok(rows)
}

/// Four cores, 100 W without load and 400 W at full, half as much again for the data centre; 500, 300,
/// 900, 100, 400, 200 and 700 g/kWh, an hour each. A job of one core and two hours has seven: from 3 on
/// the two hours of its 150 W are the cleanest. The other 1.5 x 75 W beside it, and 1.5 x 100 W before
/// it, are of nobody.
fn energy() -> Result<Vec<CheckRow>, String> {
    let hours = |hours: i64| Time::from_secs(3_600 * hours);
    let grams = [500, 300, 900, 100, 400, 200, 700].map(|grams: i64| grams * 1_000_000);
    let mut world = Station::owned(1, 4).world();
    for machine in world.types.rows_mut() {
        machine.power = Some(PowerCurve::by_load(&[100_000, 400_000]));
    }
    for region in world.regions.rows_mut() {
        region.carbon = Some(StepPath::known(0, (0..).map(hours).zip(grams)));
        region.pue_millionths = 1_500_000;
    }
    let mut work = job(0, 0, 1, CORE, 7_200);
    work.ask.deadline = Some(hours(7));
    let source = "by hand: power x time x intensity";
    let mut rows = Vec::new();
    for (name, shift, kwh, kg, idle_kg) in [
        ("energy, work starts at once", shift::NOW.spec(), 0.525, 0.21, 0.09),
        ("energy, work waits awhile", shift::WAIT_AWHILE.spec(), 0.975, 0.386_25, 0.311_25),
    ] {
        let spec = PolicySpec { shift, ..PolicySpec::named(name) };
        let mut policy = policy::build(&spec);
        let mut list = WorkList::new([&work]);
        let mut collector = Collector::default();
        let run = Run::new(&world, &mut list).policy(&mut *policy).observe(&mut collector);
        let outcome = run.run().map_err(|failure| failure.to_string())?;
        let carbon = collector.summary(&world, &[String::new()], &outcome).carbon;
        let found = [carbon.kwh, carbon.kg, Some(carbon.idle_kg)];
        let wanted = [("kWh in all", kwh), ("kg CO2e in all", kg), ("kg CO2e of nobody", idle_kg)];
        for ((quantity, want), found) in wanted.into_iter().zip(found) {
            // To a billionth, as the sums of binary fractions are not those of decimal ones.
            let found = libm::round(found.unwrap_or(f64::NAN) * 1e9) / 1e9;
            rows.push(CheckRow::exact(name, quantity, source, want, found));
        }
    }
    Ok(rows)
}
