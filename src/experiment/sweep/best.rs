//! The best point of a sweep.

use std::collections::BTreeSet;

use super::super::compare::least_difference;
use super::super::statistics::paired;
use super::table::{CONFIDENCE, MeanEstimate, Sweep, row_of};
use crate::metrics::{Direction, METRICS};

/// A point and policy, and how good they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestPoint {
    /// Row of the point.
    pub point: usize,
    /// Row of the policy.
    pub policy: usize,
    /// Value of the goal at the point.
    pub goal: MeanEstimate,
    /// Whether the means keep all objectives.
    pub keeps: bool,
    /// Replications in which all objectives were kept.
    pub kept: usize,
}

/// Row in [`METRICS`] of the goal that points are ranked by: the cost of a month, or where not all
/// points did the same work, the cost per useful hour. Not the cost of a run, which counts owned
/// nodes only until the last piece of work is done.
pub fn goal(sweep: &Sweep) -> usize {
    let shown = |row: &usize| {
        sweep.runs.iter().all(|run| run.metrics[*row].is_some_and(|value| value > 0.0))
    };
    let month = row_of("cost_monthly").expect("cost_monthly is a metric");
    if sweep.same_work() {
        return month;
    }
    let per_hour =
        ["cost_per_core_hour", "cost_per_gpu_hour"].into_iter().filter_map(row_of).find(shown);
    per_hour.unwrap_or(month)
}

/// The best point of a policy: of those that keep all objectives in the mean, the best by `goal`.
/// If there are none, the best of those that keep most, and among these of those that keep them in
/// most replications. The first of equals, to [`least_difference`]; `None` if no run shows the goal.
pub fn best(sweep: &Sweep, policy: usize, goal: usize) -> Option<BestPoint> {
    let found = (0..sweep.points.len()).filter_map(|point| {
        let goal = sweep.estimate(point, policy, goal)?;
        let (keeps, kept) = (sweep.keeps(point, policy), sweep.kept(point, policy));
        Some(BestPoint { point, policy, goal, keeps, kept })
    });
    let promises = |best: &BestPoint| -> usize {
        let runs = sweep.runs(best.point, policy).iter();
        runs.map(|run| run.kept.iter().filter(|&&kept| kept).count()).sum()
    };
    let most = |best: &BestPoint| match best.keeps {
        true => (true, 0, 0, 0),
        false => (false, sweep.promises(best.point, policy), best.kept, promises(best)),
    };
    first_of_best(found.collect(), most, goal)
}

/// The best point of all policies, in the same order. Of equals it is the baseline's.
pub fn best_of_all(sweep: &Sweep, goal: usize) -> Option<BestPoint> {
    let others = (0..sweep.policies.len()).filter(|&policy| Some(policy) != sweep.baseline);
    let all = sweep.baseline.into_iter().chain(others);
    let kept = |best: &BestPoint| match best.keeps {
        true => (true, 0, 0),
        false => (false, sweep.promises(best.point, best.policy), best.kept),
    };
    first_of_best(all.filter_map(|policy| best(sweep, policy, goal)).collect(), kept, goal)
}

/// The first of those that keep most and whose goal is, to [`least_difference`], the best of these.
fn first_of_best<K: Ord>(
    mut all: Vec<BestPoint>,
    kept: impl Fn(&BestPoint) -> K,
    goal: usize,
) -> Option<BestPoint> {
    let metric = &METRICS[goal];
    let sign = if metric.better == Direction::Higher { -1.0 } else { 1.0 };
    let cost = |best: &BestPoint| sign * best.goal.mean;
    let most = all.iter().map(&kept).max()?;
    all.retain(|best| kept(best) == most);
    let least = all.iter().map(cost).min_by(f64::total_cmp)?;
    all.into_iter()
        .find(|best| cost(best) <= least || cost(best) - least < least_difference(metric, least))
}

/// Points and policies that keep as many promises as the best one and whose goal is not shown to
/// differ from its own, the nearest first: by paired intervals, with all that were compared
/// corrected for (Bonferroni). Empty with one replication, or if the best breaks a promise.
pub fn as_good(sweep: &Sweep, best: &BestPoint, goal: usize) -> Vec<(usize, usize)> {
    let own = sweep.values(best.point, best.policy, goal);
    let place = (best.policy, sweep.description(best.point, best.policy));
    let all = (0..sweep.points.len())
        .flat_map(|point| (0..sweep.policies.len()).map(move |policy| (point, policy)));
    // Points that differ in settings of other policies are one.
    let rivals = all.filter(|&(point, policy)| {
        sweep.keeps(point, policy) && (policy, sweep.description(point, policy)) != place
    });
    let rivals: Vec<(usize, usize)> = rivals.filter(|_| best.keeps).collect();
    let confidence = 1.0 - (1.0 - CONFIDENCE) / rivals.len().max(1) as f64;
    let off = |(point, policy): (usize, usize)| {
        let other = sweep.values(point, policy, goal);
        let paired = paired(&own, &other, confidence).filter(|_| own.len() == other.len())?;
        (!paired.interval.excludes(0.0)).then_some(paired.difference.abs())
    };
    let mut found: Vec<((usize, usize), f64)> =
        rivals.into_iter().filter_map(|rival| Some((rival, off(rival)?))).collect();
    found.sort_by(|(one, a), (other, b)| a.total_cmp(b).then(one.cmp(other)));
    let mut told = BTreeSet::new();
    found.retain(|&((point, policy), _)| told.insert((policy, sweep.description(point, policy))));
    found.into_iter().map(|(rival, _)| rival).collect()
}

/// Axes of a grid at whose first or last value the best point lies, where what lies beyond may be
/// better: the next value inward does not do the same, and is worse, or another axis counts too.
/// Below 0 there is nothing.
pub fn at_ends(sweep: &Sweep, best: &BestPoint, goal: usize) -> Vec<usize> {
    let levels = &sweep.points[best.point].levels;
    let own: Vec<usize> =
        (0..levels.len()).filter(|&axis| sweep.concerns[best.policy][axis]).collect();
    let higher = METRICS[goal].better == Direction::Higher;
    let is_end = |&axis: &usize| {
        let Some(all) = sweep.levels(axis).filter(|_| sweep.axes[axis].is_numeric()) else {
            return false;
        };
        let mut order: Vec<f64> = all.iter().map(|level| level.at).collect();
        order.sort_by(f64::total_cmp);
        let inward = match order.as_slice() {
            [first, next, ..] if *first == levels[axis].at && *first != 0.0 => *next,
            [.., next, last] if *last == levels[axis].at => *next,
            _ => return false,
        };
        let beside = sweep.points.iter().position(|point| {
            let same = |at: usize| at == axis || point.levels[at] == levels[at];
            point.levels[axis].at == inward && (0..levels.len()).all(same)
        });
        let beside = beside.and_then(|point| sweep.estimate(point, best.policy, goal));
        beside.is_some_and(|beside| {
            let worse = if higher { -1.0 } else { 1.0 } * (beside.mean - best.goal.mean);
            if worse.abs() < least_difference(&METRICS[goal], best.goal.mean) {
                return false;
            }
            worse > 0.0 || (worse < 0.0 && (own.len() > 1 || !best.keeps))
        })
    };
    own.iter().copied().filter(is_end).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{by_hand, sweep as by_axes};
    use super::super::{Design, SweepPoint};
    use super::*;

    #[test]
    fn promises_come_before_the_goal() {
        let mut sweep = by_hand();
        let goal = goal(&sweep);
        assert_eq!(METRICS[goal].key, "cost_monthly");
        let found = best_of_all(&sweep, goal).expect("there is one");
        assert_eq!((found.point, found.kept), (0, 2));
        // Broken in one replication, the promise is kept in the mean; the cost of a run
        // is what is promised, so the cheapest is made to break it there.
        sweep.runs[0].kept = vec![false];
        let found = best(&sweep, 0, goal).expect("there is one");
        assert_eq!((found.point, found.keeps, found.kept), (0, true, 1));
        let promised = row_of("cost_total").expect("a metric");
        sweep.runs[0].metrics[promised] = Some(100.0);
        let found = best(&sweep, 0, goal).expect("there is one");
        assert_eq!((found.point, found.keeps, found.goal.mean), (1, true, 21.0));
        sweep.runs.iter_mut().for_each(|run| {
            (run.kept, run.metrics[promised]) = (vec![false], Some(100.0));
        });
        let found = best(&sweep, 0, goal).expect("there is one");
        assert_eq!((found.point, found.keeps, found.kept), (0, false, 0));
    }

    /// Costs 11, 21, 32 and 62, a dollar or two more or less: 11 lies lowest of the nodes.
    #[test]
    fn an_end_and_a_tie_are_seen() {
        let mut sweep = by_hand();
        let goal = goal(&sweep);
        let best = best_of_all(&sweep, goal).expect("there is one");
        assert_eq!(at_ends(&sweep, &best, goal), [0]);
        // Ten more in both replications are shown, 20 and 22 are not: two tell little of chance.
        assert_eq!(as_good(&sweep, &best, goal), [(2, 0)]);
        let month = row_of("cost_monthly").expect("a metric");
        (sweep.runs[2].metrics[month], sweep.runs[3].metrics[month]) = (Some(13.0), Some(10.0));
        let best = best_of_all(&sweep, goal).expect("there is one");
        assert_eq!(as_good(&sweep, &best, goal), [(1, 0), (2, 0)]);
        // Number of ends of the axis at which the best point lies: 0 in the middle, and where the
        // end is no nodes at all.
        let dearest = |nodes: &'static str, at: f64| {
            let cost = move |point: &SweepPoint, _: usize| 1.0 + (point.levels[0].at - at).abs();
            let sweep = by_axes(&[("cluster.c.nodes", nodes)], Design::Grid, cost);
            let best = best_of_all(&sweep, goal).expect("there is one");
            at_ends(&sweep, &best, goal).len()
        };
        assert_eq!(
            [
                dearest("1,2,3", 2.0),
                dearest("0,1,2", 0.0),
                dearest("1,2,3", 1.0),
                dearest("1,2,3", 3.0)
            ],
            [0, 0, 1, 1]
        );
    }

    /// Bills are rounded: a tenth of a millionth of a dollar a month makes nothing the best.
    #[test]
    fn half_a_cent_makes_no_difference() {
        let goal = row_of("cost_monthly").expect("a metric");
        let nodes = |second: f64| {
            let cost = move |point: &SweepPoint, _: usize| {
                if point.levels[0].at == 2.0 { second } else { 30.0 }
            };
            by_axes(&[("cluster.c.nodes", "1,2,3")], Design::Grid, cost)
        };
        let found = |sweep: &Sweep| best_of_all(sweep, goal).expect("there is one");
        assert_eq!(found(&nodes(30.0 - 1e-7)).point, 0);
        assert_eq!(at_ends(&nodes(30.0 + 1e-7), &found(&nodes(30.0)), goal), [0; 0]);
        assert_eq!(found(&nodes(29.99)).point, 1);
        // Two policies at one point: the baseline stays, also where it is not the first.
        let mut sweep = nodes(30.0);
        sweep.points.truncate(1);
        sweep.policies.push("q".to_owned());
        sweep.concerns.push(vec![true]);
        sweep.runs.truncate(4);
        let last = |sweep: &mut Sweep, cost: f64| {
            sweep.runs[2..].iter_mut().for_each(|run| run.metrics[goal] = Some(cost));
        };
        for (cost, baseline, want) in
            [(30.0 - 1e-7, 0, 0), (30.0 + 1e-7, 1, 1), (29.99, 0, 1), (30.0 + 1e-7, 0, 0)]
        {
            sweep.baseline = Some(baseline);
            last(&mut sweep, cost);
            assert_eq!(found(&sweep).policy, want, "{cost} {baseline}");
        }
        // A cost per hour is small: half a cent of it is much.
        let per_hour = row_of("cost_per_core_hour").expect("a metric");
        for run in &mut sweep.runs[..2] {
            run.metrics[per_hour] = Some(0.020);
        }
        for run in &mut sweep.runs[2..] {
            run.metrics[per_hour] = Some(0.018);
        }
        assert_eq!(best_of_all(&sweep, per_hour).map(|best| best.policy), Some(1));
    }

    #[test]
    fn costs_of_other_work_are_not_compared() {
        let mut sweep = by_hand();
        sweep.runs[3].same_work = false;
        assert!(!sweep.same_work());
        let per_hour = row_of("cost_per_core_hour").expect("a metric");
        assert_eq!(METRICS[goal(&sweep)].key, "cost_monthly");
        sweep.runs.iter_mut().for_each(|run| run.metrics[per_hour] = Some(1.0));
        assert_eq!(goal(&sweep), per_hour);
    }
}
