//! No run of any policy beats a bound: over the random scenarios of the swarm,
//! under each one's own policy and under some that finish more of the work.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use windtunnel::experiment::bound::{self, Bounds, Frame};
use windtunnel::metrics::{Collector, Direction, Metric, Summary};
use windtunnel::model::Market;
use windtunnel::policy::provision::ProvisionPart;
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, backfill, order, preempt, provision};
use windtunnel::sim;
use windtunnel::workload::WorkList;

use crate::swarm::{self, Scenario};

const SEEDS: u64 = 4_500;

fn run(scenario: &Scenario, spec: &PolicySpec) -> Summary {
    let mut source = WorkList::new(&scenario.works).named(scenario.names.clone());
    let mut policy = policy::build(spec);
    let mut collector = Collector::default();
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    let outcome = sim::run(
        &scenario.world,
        &mut source,
        &mut *policy,
        &scenario.options,
        &mut collector,
        &mut go_on,
    );
    collector.summary(&scenario.world, &[], &outcome.expect("it runs"))
}

fn bounds(scenario: &Scenario) -> Bounds {
    let mut source = WorkList::new(&scenario.works).named(scenario.names.clone());
    let horizon = scenario.options.horizon;
    let seed = Some(scenario.options.seed);
    let frame =
        Frame { horizon, counted_from: None, settled: false, deadlines_met: Some(0.8), seed };
    bound::over(&scenario.world, &mut source, frame).expect("the work is readable")
}

/// The scenario's own policy, and those that turn nothing away.
fn policies(own: &PolicySpec) -> Vec<PolicySpec> {
    let open = |order, choice: &'static ProvisionPart| PolicySpec {
        order,
        backfill: backfill::GREEDY.spec(),
        provision: choice.spec().set("markets", vec![Market::OnDemand, Market::Spot]),
        ..PolicySpec::named("open")
    };
    vec![
        own.clone(),
        open(order::FCFS.spec(), &provision::CHEAPEST),
        open(order::EARLIEST_DEADLINE.spec(), &provision::FASTEST),
        PolicySpec {
            preempt: preempt::SRPT.spec(),
            ..open(order::SHORTEST.spec(), &provision::CHEAPEST)
        },
    ]
}

#[test]
fn no_run_beats_a_bound() {
    // By metric: bounds that spoke of a run, and those within 1 % of its value.
    let mut spoke: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for seed in 0..SEEDS {
        let scenario = swarm::scenario(seed);
        let bounds = bounds(&scenario);
        for spec in policies(&scenario.policy) {
            let summary = run(&scenario, &spec);
            let work = &summary.work;
            if work.finished == work.submitted && work.preemptions == 0 {
                // Or the bound would speak of other waits than the run shows.
                assert_eq!(summary.wait_s.count, work.finished, "seed {seed}");
            }
            for row in &bounds.rows {
                let metric = Metric::named(row.metric);
                let metric = metric.expect("a bound is on a metric");
                let Some(value) = (metric.of)(&summary) else { continue };
                if !row.holds.met(summary.work.finished, |key| summary.metric(key)) {
                    continue;
                }
                let beaten = match metric.better {
                    Direction::Higher => value > row.value,
                    Direction::Lower | Direction::Neutral => value < row.value,
                };
                assert!(!beaten, "seed {seed}: {value} under {spec:?} beats {row:?}");
                let known = spoke.entry(row.metric).or_default();
                known.0 += 1;
                known.1 += u64::from((value - row.value).abs() <= 0.01 * value.abs());
            }
        }
    }
    let is_telling = |&(count, close): &(u64, u64)| count >= 2_000 && close >= 100;
    assert!(spoke.len() == 21 && spoke.values().all(is_telling), "{spoke:#?}");
}
