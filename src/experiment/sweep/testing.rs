//! Sweeps made by hand.

use super::{Axis, Design, Sweep, SweepPoint, SweepRun, row_of};
use crate::experiment::Repetition;
use crate::metrics::{METRICS, Metric};
use crate::units::Span;

/// A sweep of one policy over `axes`, two replications of it, whose cost (of a run,
/// and of a month) is `cost` of the point and the replication; runs above 40 dollars break the promise.
pub(crate) fn sweep(
    axes: &[(&str, &str)],
    design: Design,
    cost: impl Fn(&SweepPoint, usize) -> f64,
) -> Sweep {
    let axis = |&(key, values): &(&str, &str)| {
        Axis::read(key, values).ok().flatten().expect("a test gives axes")
    };
    let axes: Vec<Axis> = axes.iter().map(axis).collect();
    let points = design.points(&axes, 1, 10_000).expect("a test gives few points");
    let [row, month] = ["cost_total", "cost_monthly"].map(|key| row_of(key).expect("a metric"));
    let mut runs = Vec::new();
    for point in &points {
        for replication in 0..2 {
            let cost = cost(point, replication);
            let mut metrics = vec![None; METRICS.len()];
            (metrics[row], metrics[month]) = (Some(cost), Some(cost));
            let fingerprint = "f00d".to_owned();
            let seed = 1 + replication as u64;
            runs.push(SweepRun {
                seed,
                metrics,
                kept: vec![cost <= 40.0],
                promised: vec![Some(cost)],
                same_work: true,
                fingerprint,
                waiting: None,
                facts: crate::experiment::Facts::default(),
            });
        }
    }
    let objective = crate::scenario::Objective {
        metric: Metric::named("cost_total").expect("a metric"),
        comparison: crate::scenario::BoundDirection::AtMost,
        bound: 40.0,
        text: "<= 40 USD".to_owned(),
        window: None,
    };
    Sweep {
        concerns: vec![vec![true; axes.len()]],
        axes,
        design,
        points,
        policies: vec!["p".to_owned()],
        baseline: Some(0),
        objectives: vec![objective],
        repetition: Repetition::Seeds { warm_up: Span::ZERO },
        replications: 2,
        runs,
    }
}

/// A cost per pair of levels: 11 and 21 in the first row, 32 and 62 in the
/// second, a dollar less in the first replication and one more in the second;
/// two each way in the second row.
pub(crate) fn by_hand() -> Sweep {
    let cost = |point: &SweepPoint, replication: usize| {
        let (row, column) = (point.levels[0].at == 2.0, point.levels[1].at == 1.0);
        let (mean, apart) = match (row, column) {
            (false, false) => (11.0, 1.0),
            (false, true) => (21.0, 1.0),
            (true, false) => (32.0, 2.0),
            (true, true) => (62.0, 2.0),
        };
        if replication == 0 { mean - apart } else { mean + apart }
    };
    sweep(&[("cluster.c.nodes", "1,2"), ("policy.p.preset", "x,y")], Design::Grid, cost)
}
