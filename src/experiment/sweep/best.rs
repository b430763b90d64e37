//! The best point of a sweep.

use super::table::{MeanEstimate, Sweep, row_of};
use crate::metrics::{Direction, METRICS};

/// A point and policy, and how good they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestPoint {
    /// Row of the point.
    pub point: usize,
    /// Row of the policy.
    pub policy: usize,
    /// The goal there.
    pub goal: MeanEstimate,
    /// Whether the means keep all objectives.
    pub keeps: bool,
    /// Replications in which all objectives were kept.
    pub kept: usize,
}

/// What points are ranked by: the cost of a month, or where not all points did the
/// same work, the cost per useful hour. A row of [`METRICS`]. Not the cost of a
/// run, which counts owned nodes only until the last piece of work is done.
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

/// The best point of a policy: of those that keep all objectives in the mean, the best by
/// `goal`. Where there are none, of those that keep most, and of these of those that
/// keep them in most replications. Of equals the first; none where no run shows the goal.
pub fn best(sweep: &Sweep, policy: usize, goal: usize) -> Option<BestPoint> {
    let higher = METRICS[goal].better == Direction::Higher;
    let found = (0..sweep.points.len()).filter_map(|point| {
        let goal = sweep.estimate(point, policy, goal)?;
        let (keeps, kept) = (sweep.keeps(point, policy), sweep.kept(point, policy));
        Some(BestPoint { point, policy, goal, keeps, kept })
    });
    let cost = |best: &BestPoint| if higher { -best.goal.mean } else { best.goal.mean };
    let promises = |best: &BestPoint| -> usize {
        let runs = sweep.runs(best.point, policy).iter();
        runs.map(|run| run.kept.iter().filter(|&&kept| kept).count()).sum()
    };
    let most = |best: &BestPoint| match best.keeps {
        true => (true, 0, 0, 0),
        false => (false, sweep.promises(best.point, policy), best.kept, promises(best)),
    };
    found.min_by(|a, b| {
        most(b).cmp(&most(a)).then(cost(a).total_cmp(&cost(b))).then(a.point.cmp(&b.point))
    })
}

/// The best point of all policies, in the same order.
pub fn best_of_all(sweep: &Sweep, goal: usize) -> Option<BestPoint> {
    let higher = METRICS[goal].better == Direction::Higher;
    let all = (0..sweep.policies.len()).filter_map(|policy| best(sweep, policy, goal));
    all.min_by(|a, b| {
        let by_goal = a.goal.mean.total_cmp(&b.goal.mean);
        let kept = |best: &BestPoint| match best.keeps {
            true => (true, 0, 0),
            false => (false, sweep.promises(best.point, best.policy), best.kept),
        };
        kept(b).cmp(&kept(a)).then(if higher { by_goal.reverse() } else { by_goal })
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::by_hand;
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
