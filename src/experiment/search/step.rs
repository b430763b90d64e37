//! Steps up where none that was judged is shown to keep its promises, to dearer setups with more to
//! spare. Steps down from the answer: the setups beside it on the grid that cost less, until each was
//! judged or the budget is used.
//!
//! The search passes over setups that it takes to be worse, and a setup that it saw too little of
//! may turn out to be the answer: then nothing below that was ever looked at.

use super::evaluations::{Evaluations, SearchStop};
use super::line::{SearchSpace, SetupPoint};
use super::shortlist::{OF_FINALISTS, SetupVerdict, ShortlistEntry, judged_alone, part_of_next};
use super::{SearchFailure, Task};

/// End of the steps down from the answer, or of those up to one if there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEnd {
    /// No answer, and no setup that was looked at is dearer with more to spare.
    NoAnswer,
    /// No answer, and the budget has no room to judge a dearer setup.
    NoAnswerInBudget,
    /// No answer, and a further verdict takes more held-out replications.
    NoAnswerShown {
        /// Held-out replications that it takes, if all keep the promises.
        fewest: u32,
    },
    /// Every cheaper neighbour was judged, or shown to break a promise by the search.
    AllJudged {
        /// Neighbours that are cheaper.
        cheaper: usize,
        /// Neighbours among them that only the search saw.
        by_search: usize,
    },
    /// The budget has no room for these neighbours, which were not looked at, or are cheaper and
    /// were not judged.
    Budget(Vec<SetupPoint>),
}

/// Steps down from finalist `at`: judges its cheaper neighbours, those that miss their promises by
/// least first, goes on from one that is shown to keep them, and adds all to the finalists, whose
/// first were judged `together`. Returns the finalist at which it ends, and why.
pub(super) fn down(
    book: &mut Evaluations<'_>,
    finalists: &mut Vec<ShortlistEntry>,
    (mut at, together): (usize, usize),
    (task, held_out): (&Task, u32),
) -> Result<(usize, StepEnd), SearchFailure> {
    loop {
        let row = finalists[at].candidate;
        let missing = look_around(book, row)?;
        let cheaper = cheaper(book, row);
        let mut open: Vec<usize> =
            cheaper.iter().copied().filter(|&one| is_open(book, finalists, one, task)).collect();
        let by_promise = |&a: &usize, &b: &usize| {
            let (a, b) = (book.candidates[a].score, book.candidates[b].score);
            a.excess.total_cmp(&b.excess).then(a.goal.total_cmp(&b.goal))
        };
        open.sort_by(by_promise);
        let has_room = book.used + held_out <= task.budget;
        let Some(&next) = open.first().filter(|_| has_room) else {
            let point = |&row: &usize| book.candidates[row].point.clone();
            let left: Vec<SetupPoint> = open.iter().map(point).chain(missing).collect();
            let end = match left.is_empty() {
                true => StepEnd::AllJudged {
                    cheaper: cheaper.len(),
                    by_search: cheaper.iter().filter(|&&row| !is_judged(finalists, row)).count(),
                },
                false => StepEnd::Budget(left),
            };
            return Ok((at, end));
        };
        book.hold_out(&[next], held_out)?;
        let steps = &finalists[together..];
        finalists.push(judged_alone(book, (together, steps), next, task));
        let last = finalists.len() - 1;
        let costs =
            |row: usize| book.judge.mean_goal(&book.candidates[row].held_out[..held_out as usize]);
        if finalists[last].verdict == SetupVerdict::Kept && costs(next) < costs(row) {
            at = last;
        }
    }
}

/// Steps up from the finalist that misses its promises by least, as long as none is shown to keep
/// them: looks at the setups 1, 2, 4 and more values away in one variable, and judges of those that
/// cost more, and no more than these, the one with most to spare. The finalist that is shown to keep
/// its promises, or why there is none.
pub(super) fn up(
    book: &mut Evaluations<'_>,
    finalists: &mut Vec<ShortlistEntry>,
    (task, held_out): (&Task, u32),
) -> Result<(Option<usize>, StepEnd), SearchFailure> {
    let together = finalists.len();
    let widest = book.axes().iter().map(|levels| levels.count).max().unwrap_or(1);
    let mut width = 1;
    while width < 2 * widest {
        let steps = &finalists[together..];
        let fewest = task.fewest_for(part_of_next(steps.iter().map(|one| one.verdict)));
        if held_out < fewest && !book.judge.still {
            return Ok((None, StepEnd::NoAnswerShown { fewest }));
        }
        let by_p = |a: &&ShortlistEntry, b: &&ShortlistEntry| a.p_broken.total_cmp(&b.p_broken);
        let by_p =
            |a: &&ShortlistEntry, b: &&ShortlistEntry| b.kept_in.cmp(&a.kept_in).then(by_p(a, b));
        let Some(from) = finalists.iter().min_by(by_p).map(|one| one.candidate) else { break };
        let room = task.budget.saturating_sub(book.used);
        if room < held_out {
            return Ok((None, StepEnd::NoAnswerInBudget));
        }
        let most = std::mem::replace(&mut book.most, task.budget - held_out);
        let wide = wide_steps(book, &book.candidates[from].point, width);
        let fresh = book.not_looked_at(wide.clone());
        look(book, fresh)?;
        book.most = most;
        width *= 2;
        let Some(next) = dearer(book, finalists, from, &wide) else { continue };
        book.hold_out(&[next], held_out)?;
        let steps = &finalists[together..];
        finalists.push(judged_alone(book, (together, steps), next, task));
        let last = finalists.len() - 1;
        if finalists[last].verdict == SetupVerdict::Kept {
            return Ok((Some(last), StepEnd::NoAnswer));
        }
    }
    Ok((None, StepEnd::NoAnswer))
}

/// Setups so many levels away in one variable, or at the end of its range.
fn wide_steps(book: &Evaluations<'_>, from: &SetupPoint, width: usize) -> Vec<SetupPoint> {
    let mut points = Vec::new();
    for axis in (0..from.len()).filter(|&axis| book.axes()[axis].ordered) {
        let (here, last) = (from[axis], book.axes()[axis].count - 1);
        for level in [here.saturating_sub(width), (here + width).min(last)] {
            if level != here {
                points.push(with(from, axis, level));
            }
        }
    }
    points
}

/// The setup with most to spare of those that were looked at, not judged, and cost more than `from`
/// but no more than the dearest of `wide`; `None` if none has more to spare than `from`.
fn dearer(
    book: &Evaluations<'_>,
    finalists: &[ShortlistEntry],
    from: usize,
    wide: &[SetupPoint],
) -> Option<usize> {
    let score = |row: usize| book.candidates[row].score;
    let goals = wide.iter().filter_map(|point| book.looked_at(point)).map(|one| one.score.goal);
    let dearest = goals.fold(f64::NEG_INFINITY, f64::max);
    let is_open = |&row: &usize| {
        let (own, from) = (score(row), score(from));
        let dearer = from.goal < own.goal && own.goal <= dearest;
        dearer && own.excess < from.excess && !is_judged(finalists, row)
    };
    let open = (0..book.candidates.len()).filter(is_open);
    open.min_by(|&a, &b| score(a).excess.total_cmp(&score(b).excess))
}

/// Looks at the neighbours of a setup, as far as the budget has room; those that are left.
fn look_around(book: &mut Evaluations<'_>, row: usize) -> Result<Vec<SetupPoint>, SearchFailure> {
    let point = book.candidates[row].point.clone();
    let single = book.not_looked_at(single_steps(book, &point));
    let mut missing = look(book, single)?;
    let pairs = book.not_looked_at(pairs_of_steps(book, row));
    missing.extend(look(book, pairs)?);
    Ok(missing)
}

fn look(
    book: &mut Evaluations<'_>,
    mut points: Vec<SetupPoint>,
) -> Result<Vec<SetupPoint>, SearchFailure> {
    let room = book.most.saturating_sub(book.used) / book.replications;
    let missing = points.split_off(points.len().min(room as usize));
    match book.evaluate(&points) {
        Ok(_) => Ok(missing),
        Err(SearchStop::Failure(failure)) => Err(failure),
        Err(SearchStop::Budget) => Ok([points, missing].concat()),
    }
}

/// Setups one level away in one variable; all other levels where there is no order.
fn single_steps(book: &Evaluations<'_>, from: &SetupPoint) -> Vec<SetupPoint> {
    let mut points = Vec::new();
    for axis in 0..from.len() {
        let levels = book.axes()[axis];
        let near = |&level: &usize| !levels.ordered || level.abs_diff(from[axis]) == 1;
        for level in (0..levels.count).filter(near) {
            points.push(with(from, axis, level));
        }
    }
    points
}

/// Setups one level away in two variables, up in one and down in the other by cost, that cost less
/// by what the single steps cost.
fn pairs_of_steps(book: &Evaluations<'_>, row: usize) -> Vec<SetupPoint> {
    let from = &book.candidates[row];
    let change =
        |point: &SetupPoint| book.looked_at(point).map(|one| one.score.goal - from.score.goal);
    let mut steps: Vec<(usize, usize, f64)> = Vec::new();
    for axis in (0..from.point.len()).filter(|&axis| book.axes()[axis].ordered) {
        let here = from.point[axis];
        for level in [here.checked_sub(1), Some(here + 1)].into_iter().flatten() {
            if level < book.axes()[axis].count
                && let Some(change) = change(&with(&from.point, axis, level))
            {
                steps.push((axis, level, change));
            }
        }
    }
    let mut points = Vec::new();
    for (at, &(axis, level, change)) in steps.iter().enumerate() {
        for &(other, other_level, other_change) in &steps[at + 1..] {
            let opposed = change * other_change < 0.0;
            if other != axis && opposed && change + other_change < 0.0 {
                points.push(with(&with(&from.point, axis, level), other, other_level));
            }
        }
    }
    points
}

fn with(from: &SetupPoint, axis: usize, level: usize) -> SetupPoint {
    let mut point = from.clone();
    point[axis] = level;
    point
}

/// The neighbours of a setup that were looked at and cost less.
fn cheaper(book: &Evaluations<'_>, row: usize) -> Vec<usize> {
    let from = &book.candidates[row];
    let around = single_steps(book, &from.point).into_iter().chain(pairs_of_steps(book, row));
    let mut rows: Vec<usize> = around.filter_map(|point| book.row(&point)).collect();
    rows.sort_unstable();
    rows.dedup();
    rows.retain(|&one| book.candidates[one].score.goal < from.score.goal);
    rows
}

/// Whether nothing is shown of a setup yet.
fn is_open(book: &Evaluations<'_>, finalists: &[ShortlistEntry], row: usize, task: &Task) -> bool {
    let (candidate, judge) = (&book.candidates[row], &book.judge);
    let error = (1.0 - task.confidence) * OF_FINALISTS / finalists.len() as f64;
    let is_broken =
        !candidate.score.kept() && (judge.still || judge.p_kept(&candidate.searched) <= error);
    !is_broken && !is_judged(finalists, row)
}

fn is_judged(finalists: &[ShortlistEntry], row: usize) -> bool {
    finalists.iter().any(|one| one.candidate == row)
}

#[cfg(test)]
mod tests {
    use super::super::evaluations::edits;
    use super::super::progress::SearchProgress;
    use super::super::scope::VariableScope;
    use super::super::score::Judge;
    use super::super::shares::BudgetShares;
    use super::super::shortlist::judge;
    use super::*;
    use crate::experiment::verify::sizing;
    use crate::experiment::{NoCache, NoProgress, Repetition, Runner, compare};
    use crate::policy::external::NoLauncher;
    use crate::scenario::Scenario;
    use crate::units::Span;

    /// Plan for a queue of 3 erlangs in which only the setup at `start` was looked at and judged: the
    /// setups that were looked at and those that were judged, the answer, and the end of the steps.
    fn stepped(
        text: &str,
        vary: &[(&str, &str)],
        start: &[usize],
        budget: u32,
    ) -> (Vec<SetupPoint>, Vec<SetupPoint>, Option<SetupPoint>, StepEnd) {
        let task = Task { budget, ..sizing::task(vary).expect("a task") };
        let runner =
            Runner { cache: &NoCache, watch: &NoProgress, audit: false, launcher: &NoLauncher };
        let scenario = Scenario::parse(text, "plan", std::path::Path::new(""), &[]);
        let scenario = scenario.expect("a scenario");
        let repetition = Repetition::Seeds { warm_up: Span::ZERO };
        let plan = compare::RepetitionPlan { repetition, replications: u32::MAX };
        let shares =
            BudgetShares::of(&Task { budget: 400, ..task.clone() }, &scenario, plan, Some(false))
                .expect("shares");
        let judging = Judge {
            objectives: scenario.objectives.clone(),
            keeping: task.keeping,
            goal: task.goal,
            room: 0.5,
            still: false,
        };
        let start = start.to_vec();
        let scope = VariableScope::of(&task.variables, None, &scenario, &start);
        let mut book = Evaluations::new(
            (&runner, &scenario),
            (&task.variables, None, &scope),
            (judging, repetition),
            &shares,
        );
        book.most = budget;
        book.used = 0;
        assert!(book.evaluate(std::slice::from_ref(&start)).is_ok());
        book.hold_out(&[0], shares.held_out).expect("it runs");
        let mut finalists = Vec::new();
        let most = (shares.held_out, u32::MAX);
        let found = judge(&mut book, (&[0], &mut finalists), &task, most).expect("it runs");
        let point = |row: usize| book.candidates[row].point.clone();
        let looked = (0..book.candidates.len()).map(point).collect();
        let judged: Vec<SetupPoint> = finalists.iter().map(|one| point(one.candidate)).collect();
        let answer = found.choice.map(|choice| judged[choice].clone());
        let progress = SearchProgress::of(&book, &finalists, &task, shares.held_out);
        let best = progress.expect("a setup was looked at").best;
        assert_eq!(best.shown, answer.is_some());
        if let Some(answer) = &answer {
            assert_eq!(best.edits, edits(&task.variables, answer));
            let goal = finalists[found.choice.expect("it is the answer")].goal;
            let (goal, told) = (goal.expect("it costs something").mean, best.goal.unwrap_or(0.0));
            assert!((goal - told).abs() <= 1e-12 * goal, "{told}, not {goal}");
        }
        (looked, judged, answer, found.steps)
    }

    #[test]
    fn steps_go_down_until_no_cheaper_neighbour_keeps() {
        let (load, target) = (3.0, 0.3);
        let servers = sizing::servers(load, target) as usize;
        let text = sizing::queue(load, 4_000, "wait_mean = \"<= 300 s\"");
        let vary = [("cluster.c.nodes", "1..40")];
        // Levels begin at 1 server.
        let from = [servers + 2];
        let (looked, judged, answer, end) = stepped(&text, &vary, &from, 400);
        assert_eq!(answer, Some(vec![servers - 1]));
        assert_eq!(judged[..3], [vec![servers + 2], vec![servers + 1], vec![servers]]);
        // The setup below is judged, or broken by what was seen of it; nothing below that is run.
        assert!(looked.contains(&vec![servers - 2]) && !looked.contains(&vec![servers - 3]));
        assert!(matches!(end, StepEnd::AllJudged { cheaper: 1, .. }), "{end:?}");
        // 25 runs for the first, 5 for each neighbour: no room to judge the next.
        let (looked, judged, answer, end) = stepped(&text, &vary, &from, 40);
        assert_eq!((judged.len(), answer), (1, Some(vec![servers + 2])));
        assert_eq!(end, StepEnd::Budget(vec![vec![servers + 1]]));
        assert_eq!(looked.len(), 3);
        // No room to look at it either.
        let (looked, .., end) = stepped(&text, &vary, &from, 26);
        assert_eq!(looked.len(), 1);
        assert_eq!(end, StepEnd::Budget(vec![vec![servers + 1], vec![servers + 3]]));
    }

    /// Only a setup that breaks the promise was judged: steps go up until one keeps it, then down.
    #[test]
    fn steps_go_up_where_nothing_is_shown() {
        let (load, target) = (3.0, 0.3);
        let servers = sizing::servers(load, target) as usize;
        let text = sizing::queue(load, 4_000, "wait_mean = \"<= 300 s\"");
        let vary = [("cluster.c.nodes", "1..40")];
        let (_, judged, answer, _) = stepped(&text, &vary, &[servers - 2], 400);
        assert_eq!(answer, Some(vec![servers - 1]), "{judged:?}");
        // 25 runs for the first: room to look at what is dearer, but not to judge it.
        let (.., answer, end) = stepped(&text, &vary, &[servers - 2], 40);
        assert_eq!((answer, end), (None, StepEnd::NoAnswerInBudget));
        // Nothing in the range is dearer.
        let (.., answer, end) = stepped(&text, &[("cluster.c.nodes", "1..2")], &[1], 400);
        assert_eq!((answer, end), (None, StepEnd::NoAnswer));
    }

    /// Machines of d cost three times what those of c do: one less of d and one more of c is cheaper.
    #[test]
    fn two_variables_step_against_each_other() {
        let text = sizing::queue(3.0, 1_000, "wait_mean = \"<= 300 s\"").replace(
            "[policy.p]",
            "[cluster.d]\nnodes = 1\nshape = { vcpus = 1, memory = \"8 GiB\" }\ncost = \"3 USD/h\"\n[policy.p]",
        );
        let vary = [("cluster.c.nodes", "1..20"), ("cluster.d.nodes", "1..20")];
        let (looked, _, answer, end) = stepped(&text, &vary, &[2, 2], 2_000);
        assert!(looked.contains(&vec![3, 1]), "{looked:?}");
        // The steps go from 3 of each to the fewest of d.
        assert_eq!(answer.map(|point| point[1]), Some(0));
        assert!(matches!(end, StepEnd::AllJudged { .. }), "{end:?}");
    }
}
