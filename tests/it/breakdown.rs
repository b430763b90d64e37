//! Parts that a summary splits add up to what it does not split, over the random scenarios of the
//! swarm.

use std::ops::ControlFlow;

use windtunnel::metrics::{Collector, Summary};
use windtunnel::workload::WorkList;
use windtunnel::{policy, sim};

use crate::swarm;

const SEEDS: u64 = 400;

fn summary(seed: u64) -> Summary {
    let scenario = swarm::scenario(seed);
    let mut source = WorkList::new(&scenario.works).named(scenario.names.clone());
    let mut policy = policy::build(&scenario.policy);
    let mut collector = Collector::default();
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    let (world, options) = (&scenario.world, &scenario.options);
    let outcome = sim::run(world, &mut source, &mut *policy, options, &mut collector, &mut go_on);
    let tenants: Vec<String> = (0..64).map(|row| format!("tenant {row}")).collect();
    collector.summary(world, &tenants, &outcome.expect("it runs"))
}

#[track_caller]
fn same(what: &str, seed: u64, parts: f64, whole: f64) {
    assert!(
        (parts - whole).abs() <= 1e-9 * whole.abs().max(1.0),
        "{seed}: {what}: {parts}, {whole}"
    );
}

#[test]
fn parts_add_up_to_the_whole() {
    let mut moved_any = 0;
    for seed in 0..SEEDS {
        let summary = summary(seed);
        let parts = &summary.cost.parts;
        if let Some(monthly) = summary.monthly() {
            let sum = parts.iter().map(|part| part.monthly.expect("the whole is known")).sum();
            same("cost of a month", seed, sum, monthly);
        }
        let standing = parts.iter().map(|part| part.standing.nanos()).sum::<i128>();
        assert_eq!(standing, summary.cost.standing.nanos(), "{seed}");

        let waits = &summary.waits_by_tenant;
        assert_eq!(waits.iter().map(|one| one.count).sum::<u64>(), summary.wait_s.count, "{seed}");
        let sum = waits.iter().map(|one| one.mean * one.count as f64).sum::<f64>();
        let whole = summary.wait_s.mean.unwrap_or(0.0) * summary.wait_s.count as f64;
        same("waits", seed, sum, whole);

        let hours = &summary.hours_by_provider;
        let [cores, gpus] = [
            |one: &windtunnel::metrics::ProviderHours| [one.core_hours_used, one.core_hours_idle],
            |one: &windtunnel::metrics::ProviderHours| [one.gpu_hours_used, one.gpu_hours_idle],
        ]
        .map(|of| {
            hours.iter().map(of).fold([0.0, 0.0], |sum, one| [sum[0] + one[0], sum[1] + one[1]])
        });
        for (of, whole) in [(cores, summary.utilisation_cpu), (gpus, summary.utilisation_gpu)] {
            let share = if of[0] + of[1] > 0.0 { of[0] / (of[0] + of[1]) } else { 0.0 };
            same("utilisation", seed, share, whole.unwrap_or(0.0));
        }

        same("data", seed, summary.moved.iter().map(|one| one.gib).sum(), summary.transferred_gib);
        let paid = parts.iter().filter(|part| part.kind == "transfer");
        let paid: f64 = paid.map(|part| part.paid.dollars()).sum();
        same("transfers", seed, summary.moved.iter().map(|one| one.usd).sum(), paid);
        assert!(summary.moved.iter().all(|one| one.from != one.to), "{seed}");
        moved_any += u32::from(!summary.moved.is_empty());
    }
    assert!(moved_any > 20, "the swarm moves data: {moved_any}");
}
