//! Progress of a search as a failure ended it: the best setup seen, which is no answer.

use super::Task;
use super::evaluations::{Candidate, Evaluations, edits};
use super::shortlist::{SetupVerdict, ShortlistEntry};
use crate::experiment::Repetition;

/// Progress of a search that came to no end.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchProgress {
    /// Setups that were looked at, at least one.
    pub looked_at: usize,
    /// Setups among them that were judged on held-out replications.
    pub judged: usize,
    /// Runs that went into these.
    pub runs: u32,
    /// Row of [`METRICS`](crate::metrics::METRICS) of the goal, which is made small.
    pub goal: usize,
    /// Repetition of the scenario: seeds, windows or blocks.
    pub repetition: Repetition,
    /// The cheapest setup that was shown to keep its promises, or where there is none the best of
    /// those looked at.
    pub best: BestSoFar,
}

/// The best setup that a search had seen.
#[derive(Clone, Debug, PartialEq)]
pub struct BestSoFar {
    /// Edits of the scenario that lead to it.
    pub edits: Vec<(String, String)>,
    /// Whether held-out replications have shown it to keep its promises.
    pub shown: bool,
    /// Replications that the numbers below are of.
    pub replications: u32,
    /// Replications among them in which it kept all promises.
    pub kept_in: u32,
    /// Mean of the goal; `None` if a replication shows none.
    pub goal: Option<f64>,
}

impl SearchProgress {
    /// Progress of a search with these finalists; `None` if nothing was looked at.
    pub(super) fn of(
        book: &Evaluations<'_>,
        finalists: &[ShortlistEntry],
        task: &Task,
        held_out: u32,
    ) -> Option<Self> {
        let kept = finalists.iter().filter(|one| one.verdict == SetupVerdict::Kept);
        let judged = |one: &Candidate| one.held_out[..held_out as usize].to_vec();
        let shown = kept
            .map(|one| &book.candidates[one.candidate])
            .map(|one| (one, judged(one)))
            .min_by(|a, b| book.judge.mean_goal(&a.1).total_cmp(&book.judge.mean_goal(&b.1)));
        let looked = book.candidates.iter();
        let looked =
            looked.reduce(|best, one| if one.score.beats(&best.score) { one } else { best });
        let is_shown = shown.is_some();
        let (best, runs) = shown.or_else(|| Some((looked?, looked?.searched.clone())))?;
        let goals: Option<Vec<f64>> = runs.iter().map(|one| one.metrics[task.goal]).collect();
        Some(Self {
            looked_at: book.candidates.len(),
            judged: finalists.len(),
            runs: book.used,
            goal: task.goal,
            repetition: book.repetition,
            best: BestSoFar {
                edits: own_edits(book, best),
                shown: is_shown,
                replications: runs.len() as u32,
                kept_in: book.judge.kept_in(&runs) as u32,
                goal: goals.map(|goals| goals.iter().sum::<f64>() / goals.len().max(1) as f64),
            },
        })
    }
}

/// Edits that lead to a setup, without settings of policies that it does not run.
fn own_edits(book: &Evaluations<'_>, one: &Candidate) -> Vec<(String, String)> {
    let own = book.scope.at(&one.point);
    let all = edits(book.variables, &one.point).into_iter().zip(own);
    all.filter(|(_, own)| **own).map(|(edit, _)| edit).collect()
}
