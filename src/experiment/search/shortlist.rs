//! The few setups that are judged on replications that the search never saw.

use super::super::statistics::multiple::holm;
use super::super::statistics::selection::KimNelson;
use super::super::statistics::{Interval, t_interval};
use super::evaluations::{Candidate, Evaluations};
use super::score::{Judge, Keeping};
use super::step::{self, StepEnd};
use super::{SearchFailure, Task};

/// Replications that are added at once where the choice needs more.
const AT_ONCE: usize = 4;

/// Doubt of the search below which a setup will probably be shown to keep its promises.
const PROBABLE: f64 = 0.25;

/// Parts of the allowed error: of the verdicts `kept` on the finalists that are judged together, of
/// those on setups to which the steps go down, and of the choice of the cheapest. They add up to 1.
pub(super) const OF_FINALISTS: f64 = 0.5;
const OF_STEPS: f64 = 0.2;
const OF_CHOICE: f64 = 0.3;

/// Verdict of the held-out replications on a setup's promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupVerdict {
    /// All promises are shown to be kept.
    Kept,
    /// Neither that all are kept nor that one is broken is shown.
    NotShown,
    /// A promise is shown to be broken.
    Broken,
}

impl SetupVerdict {
    /// The words of reports.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::NotShown => "not shown",
            Self::Broken => "broken",
        }
    }
}

/// A setup that was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct ShortlistEntry {
    /// Row of the setup among the candidates.
    pub candidate: usize,
    /// Verdict on the setup.
    pub verdict: SetupVerdict,
    /// p-value of "a promise is broken", corrected for the setups that were judged with it (by Holm) or
    /// before: it is held to half of the allowed error.
    pub p_broken: f64,
    /// Held-out replications in which all promises were kept, of those that were judged.
    pub kept_in: u64,
    /// Row of the objective that is kept in the fewest of them; see `Judge::binding`.
    pub binding: Option<usize>,
    /// The goal over the held-out replications that were judged, at the confidence of the task.
    pub goal: Option<Interval>,
    /// Whether the setup's mean goal is within the margin of the answer's.
    pub tied: bool,
}

/// Choice among all that was judged.
pub(super) struct SetupChoice {
    pub(super) choice: Option<usize>,
    pub(super) separated: bool,
    pub(super) steps: StepEnd,
}

/// Setups that are judged: the best one; those that are cheaper and miss their promises by least,
/// for the search may be wrong about them; and dearer ones with more to spare, for it may be wrong
/// about the best as well. A dearer one becomes the answer only where all that cost less are not
/// shown to keep their promises, so none is taken where the search is sure of a cheaper one, as long
/// as others are left. If none keeps its promises, they are those that miss them by least.
pub(super) fn choose(all: &[Candidate], judge: &Judge, confidence: f64, most: usize) -> Vec<usize> {
    let better = |a: &usize, b: &usize| {
        let (a, b) = (&all[*a].score, &all[*b].score);
        if a.beats(b) {
            std::cmp::Ordering::Less
        } else if b.beats(a) {
            std::cmp::Ordering::Greater
        } else {
            std::cmp::Ordering::Equal
        }
    };
    let mut ranked: Vec<usize> = (0..all.len()).collect();
    ranked.sort_by(better);
    let Some(&best) = ranked.first() else { return Vec::new() };
    if !all[best].score.kept() {
        ranked.truncate(most.min(3));
        return ranked;
    }
    let cheaper = ranked.iter().copied().filter(|&row| {
        let score = all[row].score;
        !score.kept() && score.goal < all[best].score.goal
    });
    let mut cheaper = cheaper.collect::<Vec<_>>().into_iter();
    // The best and dearer ones, the cheapest first, with more and more evidence for them.
    let kept = || ranked.iter().copied().filter(|&row| all[row].score.kept());
    let sure = |p: f64| kept().find(|&row| judge.doubt(&all[row].searched) <= p);
    let error = (1.0 - confidence) * OF_FINALISTS;
    let next = match judge.keeping {
        Keeping::OnAverage => kept().nth(1).filter(|_| sure(error) != Some(best)),
        // The next one is hardly more likely to be shown: all must keep it, or nearly all.
        Keeping::InShare(_) => sure(PROBABLE),
    };
    let mut chosen = vec![best];
    let wanted = [
        next,
        cheaper.next(),
        cheaper.next(),
        sure(error),
        cheaper.next(),
        sure(error / most as f64),
    ];
    // A setup that did the same as another is that one under another name.
    let metrics = |row: usize| all[row].searched.iter().map(|run| &run.metrics);
    for row in wanted.into_iter().flatten().chain(cheaper).chain(kept()) {
        let is_known = chosen.iter().any(|&known| metrics(known).eq(metrics(row)));
        if chosen.len() < most && !is_known {
            chosen.push(row);
        }
    }
    chosen
}

/// Judges the finalists, steps down from the cheapest of those that keep all promises, and chooses
/// among all of these. `held_out` replications of each are judged, and `most` can be held out. All
/// that is judged is added to `finalists`, also where a failure ends it.
pub(super) fn judge(
    book: &mut Evaluations<'_>,
    (rows, finalists): (&[usize], &mut Vec<ShortlistEntry>),
    task: &Task,
    (held_out, most): (u32, u32),
) -> Result<SetupChoice, SearchFailure> {
    finalists.extend(judged_together(book, rows, task));
    let together = finalists.len();
    let kept = |finalists: &[ShortlistEntry]| -> Vec<usize> {
        let all = 0..finalists.len();
        all.filter(|&at| finalists[at].verdict == SetupVerdict::Kept).collect()
    };
    let cost = |book: &Evaluations<'_>, one: &ShortlistEntry| {
        book.judge.mean_goal(&book.candidates[one.candidate].held_out[..held_out as usize])
    };
    let cheapest_shown = kept(finalists)
        .into_iter()
        .min_by(|&a, &b| cost(book, &finalists[a]).total_cmp(&cost(book, &finalists[b])));
    let (mut choice, mut separated, mut steps) = (cheapest_shown, true, StepEnd::NoAnswer);
    if choice.is_none() {
        (choice, steps) = step::up(book, finalists, (task, held_out))?;
    }
    while let Some(at) = choice {
        let (lowest, end) = step::down(book, finalists, (at, together), (task, held_out))?;
        let rows: Vec<usize> = finalists.iter().map(|one| one.candidate).collect();
        (choice, separated) = cheapest(book, &rows, &kept(finalists), task, most)?;
        steps = end;
        // More replications may show another to be cheaper, with neighbours of its own.
        if choice == Some(lowest) {
            break;
        }
    }
    for finalist in finalists.iter_mut() {
        let judged = &book.candidates[finalist.candidate].held_out[..held_out as usize];
        let goals = book.judge.goals(judged);
        let shown = goals.iter().all(|goal| goal.is_finite());
        finalist.goal = t_interval(&goals, task.confidence).filter(|_| shown);
    }
    if let Some(choice) = choice {
        let best = finalists[choice].goal.map_or(f64::INFINITY, |goal| goal.mean);
        let zone = zone(best, task.margin);
        for (at, finalist) in finalists.iter_mut().enumerate() {
            let near = finalist.goal.is_some_and(|goal| goal.mean - best <= zone);
            finalist.tied = at != choice && finalist.verdict == SetupVerdict::Kept && near;
        }
    }
    Ok(SetupChoice { choice, separated, steps })
}

/// Verdicts on setups with as many held-out replications as each other.
fn judged_together(book: &Evaluations<'_>, rows: &[usize], task: &Task) -> Vec<ShortlistEntry> {
    let held_out = |row: usize| &book.candidates[row].held_out[..];
    let p: Vec<f64> = rows.iter().map(|&row| book.judge.p_broken(held_out(row))).collect();
    let entry = |(&row, p_broken): (&usize, f64)| entry(book, (row, p_broken), rows.len(), task);
    rows.iter().zip(holm(&p)).map(entry).collect()
}

/// Verdict on one more setup, to which a step goes from `together` finalists and further `steps`.
/// Each step takes half of what is left of the error of all steps, and gives it back if the setup is
/// shown to keep its promises (the fallback procedure of Wiens and Dmitrienko, 2005).
pub(super) fn judged_alone(
    book: &Evaluations<'_>,
    (together, steps): (usize, &[ShortlistEntry]),
    row: usize,
    task: &Task,
) -> ShortlistEntry {
    let part = part_of_next(steps.iter().map(|one| one.verdict)) / OF_FINALISTS;
    let p = book.judge.p_broken(&book.candidates[row].held_out) / part;
    entry(book, (row, p.min(1.0)), together + steps.len() + 1, task)
}

/// Part of the allowed error that the next step has, after steps with these verdicts.
pub(super) fn part_of_next(steps: impl Iterator<Item = SetupVerdict>) -> f64 {
    let spent = steps.filter(|&verdict| verdict != SetupVerdict::Kept).count();
    OF_STEPS / 2_f64.powi(spent as i32 + 1)
}

fn entry(
    book: &Evaluations<'_>,
    (candidate, p_broken): (usize, f64),
    count: usize,
    task: &Task,
) -> ShortlistEntry {
    let all = &book.candidates[candidate].held_out[..];
    let error = (1.0 - task.confidence) * OF_FINALISTS;
    let verdict = match book.judge.p_kept(all) {
        _ if p_broken <= error => SetupVerdict::Kept,
        p_kept if p_kept <= error / count as f64 => SetupVerdict::Broken,
        _ => SetupVerdict::NotShown,
    };
    ShortlistEntry {
        candidate,
        verdict,
        p_broken,
        kept_in: book.judge.kept_in(all),
        binding: book.judge.binding(all),
        goal: None,
        tied: false,
    }
}

fn zone(goal: f64, margin: f64) -> f64 {
    (goal.abs() * margin).max(f64::MIN_POSITIVE)
}

/// The cheapest of the finalists in `kept`, with more held-out replications
/// where the choice needs them and the budget has them; and whether it was
/// told apart from the others.
fn cheapest(
    book: &mut Evaluations<'_>,
    rows: &[usize],
    kept: &[usize],
    task: &Task,
    most: u32,
) -> Result<(Option<usize>, bool), SearchFailure> {
    let goals =
        |book: &Evaluations<'_>, at: usize| book.judge.goals(&book.candidates[rows[at]].held_out);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let first = kept.iter().map(|&at| goals(book, at).len()).min().unwrap_or(0);
    let least = kept.iter().map(|&at| mean(&goals(book, at))).fold(f64::INFINITY, f64::min);
    if kept.is_empty() || first < 2 || !least.is_finite() {
        return Ok((kept.first().copied(), kept.len() < 2));
    }
    // The error of each pair is what it would be if all finalists competed:
    // which of them do is known from the same replications.
    let share = (kept.len().max(2) - 1) as f64 / (rows.len().max(2) - 1) as f64;
    let rule = KimNelson {
        alpha: (1.0 - task.confidence) * OF_CHOICE * share,
        zone: zone(least, task.margin),
        first,
    };
    loop {
        let samples: Vec<Vec<f64>> = kept.iter().map(|&at| goals(book, at)).collect();
        let stage = rule.stage(&samples);
        if let Some(best) = stage.best() {
            return Ok((Some(kept[best]), true));
        }
        // A few at once keep all cores busy, and change nothing about the choice.
        let more = stage.more.max(stage.at_most.min(AT_ONCE)) as u32;
        let room = task.budget.saturating_sub(book.used);
        let longest = samples.iter().map(Vec::len).max().unwrap_or(0) as u32;
        if longest + more > most || room < more * stage.survivors.len() as u32 {
            let less = |a: &&usize, b: &&usize| mean(&samples[**a]).total_cmp(&mean(&samples[**b]));
            let best = stage.survivors.iter().min_by(less).map(|&at| kept[at]);
            return Ok((best, false));
        }
        let survivors: Vec<usize> = stage.survivors.iter().map(|&at| rows[kept[at]]).collect();
        book.hold_out(&survivors, more)?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::score::SetupScore;
    use super::*;
    use crate::experiment::Measurement;
    use crate::metrics::Metric;
    use crate::metrics::{DistributionSummary, Series, Summary};
    use crate::scenario::{BoundDirection, Objective};

    /// A setup that costs so much and misses 4 h by such a share, with five waits of this mean and
    /// deviation in the search.
    fn setup((goal, excess): (f64, f64), (mean, deviation): (f64, f64)) -> Candidate {
        let run = |off: f64| {
            let mut summary = Summary::default();
            let wait = Some(mean + off * deviation);
            summary.wait_s = DistributionSummary { mean: wait, ..DistributionSummary::default() };
            Measurement::of(&summary, &Series::default(), vec![true], None)
        };
        Candidate {
            point: vec![0],
            searched: [-1.0, -1.0, 0.0, 1.0, 1.0].map(run).to_vec(),
            held_out: Vec::new(),
            score: SetupScore { excess, goal },
            binding: Some(0),
            after: 5,
        }
    }

    fn judge() -> Judge {
        let metric = Metric::named("wait_mean").expect("a metric");
        let (comparison, bound) = (BoundDirection::AtMost, 14_400.0);
        Judge {
            objectives: vec![Objective {
                metric,
                comparison,
                bound,
                text: String::new(),
                window: None,
            }],
            keeping: Keeping::OnAverage,
            goal: 0,
            room: 0.49,
            still: false,
        }
    }

    /// Steps that are not shown to keep have no more than their part, whatever is shown.
    #[test]
    fn steps_spend_no_more_than_their_part() {
        use SetupVerdict::{Broken, Kept, NotShown};
        let steps = [Kept, NotShown, Kept, Kept, Broken, NotShown, NotShown];
        let parts: Vec<f64> =
            (0..steps.len()).map(|at| part_of_next(steps[..at].iter().copied())).collect();
        assert_eq!(parts, [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.0125]);
        let lost = |&(at, _): &(usize, &f64)| steps[at] != Kept;
        let spent: f64 = parts.iter().enumerate().filter(lost).map(|(_, part)| part).sum();
        assert!(spent < OF_STEPS && OF_FINALISTS + OF_STEPS + OF_CHOICE == 1.0, "{spent}");
    }

    /// Nodes 150, 100, 200, 130, 140, 160 and 170 for a batch trace: 150 is the best, 140 and 130 are
    /// cheaper and miss by least; of the dearer ones the search is sure of 170 at 2.5 %.
    #[test]
    fn cheaper_ones_that_miss_by_least_come_before_further_dearer_ones() {
        let all = [
            setup((3_287.0, -0.19), (7_074.0, 9_364.0)),
            setup((2_191.0, 3.29), (42_223.0, 38_300.0)),
            setup((4_383.0, -0.73), (2_649.0, 2_600.0)),
            setup((2_849.0, 0.86), (16_748.0, 20_437.0)),
            setup((3_068.0, 0.15), (10_414.0, 12_521.0)),
            setup((3_506.0, -0.28), (6_880.0, 7_229.0)),
            setup((3_725.0, -0.37), (6_167.0, 6_059.0)),
        ];
        assert_eq!(choose(&all, &judge(), 0.95, 5), [0, 5, 4, 3, 6]);
        assert_eq!(choose(&all, &judge(), 0.95, 2), [0, 5]);
        // No dearer setup takes the place of a cheaper one if the search is sure of the best.
        let mut sure = all;
        sure[0] = setup((3_287.0, -0.19), (7_074.0, 100.0));
        assert_eq!(choose(&sure, &judge(), 0.95, 4), [0, 4, 3, 1]);
    }
}
