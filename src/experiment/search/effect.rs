//! Findings beside the answer: the effect of each variable, the promise that binds, and the kind of
//! chance that there was.

use std::collections::BTreeMap;

use super::super::compare::Chance;
use super::super::replication::Repetition;
use super::super::runner::is_synthetic;
use super::evaluations::{Candidate, Evaluations};
use super::line::{LineEnd, SetupPoint, safer_end};
use super::score::SetupScore;
use crate::scenario::Scenario;

/// Observed effect of a variable, all others as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableEffect {
    /// Neither the goal nor a promise's metric moved with it.
    None,
    /// More never kept promises worse, and never cost less.
    MoreIsSafer,
    /// Less never kept promises worse, and never cost less.
    LessIsSafer,
    /// Neither holds of all that was seen.
    Mixed,
    /// The values of the variable have no order.
    Words,
}

impl VariableEffect {
    /// The words of reports.
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::MoreIsSafer => "more is safer and dearer",
            Self::LessIsSafer => "less is safer and dearer",
            Self::Mixed => "mixed",
            Self::Words => "words",
        }
    }
}

/// Observed effect of one variable, from all pairs of setups that differ in it alone.
pub(super) fn effect(book: &Evaluations<'_>, axis: usize) -> VariableEffect {
    let mut lines = BTreeMap::<SetupPoint, Vec<usize>>::new();
    for (row, candidate) in book.candidates.iter().enumerate() {
        let mut line = candidate.point.clone();
        line[axis] = 0;
        lines.entry(line).or_default().push(row);
    }
    let mut lines: Vec<Vec<usize>> = lines.into_values().filter(|rows| rows.len() > 1).collect();
    for rows in &mut lines {
        rows.sort_by_key(|&row| book.candidates[row].point[axis]);
    }
    let shown = |row: usize| book.judge.shown(&book.candidates[row].searched);
    let still = |rows: &Vec<usize>| rows.iter().all(|&row| shown(row) == shown(rows[0]));
    if lines.iter().all(still) {
        return VariableEffect::None;
    }
    if book.variables[axis].numbers.is_none() {
        return VariableEffect::Words;
    }
    let scores = |rows: &Vec<usize>| -> Vec<SetupScore> {
        rows.iter().map(|&row| book.candidates[row].score).collect()
    };
    let towards = |end: LineEnd| {
        lines.iter().all(|rows| {
            let mut scores = scores(rows);
            if end == LineEnd::Low {
                scores.reverse();
            }
            safer_end(&scores) == Some(LineEnd::High)
        })
    };
    match (towards(LineEnd::High), towards(LineEnd::Low)) {
        (true, _) => VariableEffect::MoreIsSafer,
        (_, true) => VariableEffect::LessIsSafer,
        _ => VariableEffect::Mixed,
    }
}

/// The kind of chance that there was, in whichever setup.
pub(super) fn chance(
    candidates: &[Candidate],
    scenario: &Scenario,
    repetition: Repetition,
) -> Chance {
    let same = |one: &Candidate| {
        let all = one.searched.iter().chain(&one.held_out);
        let mut prints = all.map(|one| &one.fingerprint);
        let first = prints.next();
        prints.all(|print| Some(print) == first)
    };
    match repetition {
        _ if candidates.iter().all(same) => Chance::None,
        Repetition::Seeds { .. } if is_synthetic(scenario) => Chance::Workload,
        Repetition::Seeds { .. } => Chance::OneTrace,
        Repetition::Windows { .. } | Repetition::Blocks { .. } => Chance::Resampled,
    }
}

/// Whether the setups did the same work in every held-out replication.
pub(super) fn comparable(candidates: &[Candidate], rows: &[usize]) -> bool {
    let first = rows.first().map_or(&[][..], |&row| &candidates[row].held_out);
    rows.iter().all(|&row| {
        let mine = &candidates[row].held_out;
        mine.iter().zip(first).all(|(a, b)| a.same_work(b))
    })
}

/// The promise that is broken most often, over all setups; of equals the first.
pub(super) fn binding(book: &Evaluations<'_>) -> Option<usize> {
    let all = || book.candidates.iter().flat_map(|one| &one.searched);
    let broken = |row: &usize| all().filter(|one| one.kept.get(*row) == Some(&false)).count();
    let rows = 0..book.judge.objectives.len();
    rows.max_by(|a, b| broken(a).cmp(&broken(b)).then(b.cmp(a)))
}
