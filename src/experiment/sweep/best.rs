//! The best point of a sweep.

use super::table::{Estimate, Sweep, row_of};
use crate::metrics::{Direction, METRICS};

/// A point and policy, and how good they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// Row of the point.
    pub point: usize,
    /// Row of the policy.
    pub policy: usize,
    /// The goal there.
    pub goal: Estimate,
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

/// The best point of a policy: of those that keep all objectives in all
/// replications, the best by `goal`. Where there are none, of those that keep
/// most. Of equals the first; none where no run shows the goal.
pub fn best(sweep: &Sweep, policy: usize, goal: usize) -> Option<Best> {
    let higher = METRICS[goal].better == Direction::Higher;
    let found = (0..sweep.points.len()).filter_map(|point| {
        let goal = sweep.estimate(point, policy, goal)?;
        Some(Best { point, policy, goal, kept: sweep.kept(point, policy) })
    });
    let cost = |best: &Best| if higher { -best.goal.mean } else { best.goal.mean };
    let promises = |best: &Best| -> usize {
        let runs = sweep.runs(best.point, policy).iter();
        runs.map(|run| run.kept.iter().filter(|&&kept| kept).count()).sum()
    };
    found.min_by(|a, b| {
        let most = (b.kept, promises(b)).cmp(&(a.kept, promises(a)));
        most.then(cost(a).total_cmp(&cost(b))).then(a.point.cmp(&b.point))
    })
}

/// The best point of all policies, in the same order.
pub fn best_of_all(sweep: &Sweep, goal: usize) -> Option<Best> {
    let higher = METRICS[goal].better == Direction::Higher;
    let all = (0..sweep.policies.len()).filter_map(|policy| best(sweep, policy, goal));
    all.min_by(|a, b| {
        let by_goal = a.goal.mean.total_cmp(&b.goal.mean);
        b.kept.cmp(&a.kept).then(if higher { by_goal.reverse() } else { by_goal })
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
        // The cheapest breaks its promise once, the next never.
        sweep.runs[0].kept = vec![false];
        let found = best(&sweep, 0, goal).expect("there is one");
        assert_eq!((found.point, found.kept, found.goal.mean), (1, 2, 21.0));
        sweep.runs.iter_mut().for_each(|run| run.kept = vec![false]);
        let found = best(&sweep, 0, goal).expect("there is one");
        assert_eq!((found.point, found.kept), (0, 0));
    }

    #[test]
    fn costs_of_other_work_are_not_compared() {
        let mut sweep = by_hand();
        sweep.runs[3].done.finished = 9;
        assert!(!sweep.same_work());
        let per_hour = row_of("cost_per_core_hour").expect("a metric");
        assert_eq!(METRICS[goal(&sweep)].key, "cost_monthly");
        sweep.runs.iter_mut().for_each(|run| run.metrics[per_hour] = Some(1.0));
        assert_eq!(goal(&sweep), per_hour);
    }
}
