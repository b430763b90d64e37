//! Findings of a sweep as data: `findings` of `sweep.json`, which the sentences of
//! `words/sweep.txt` are made from.

use serde::Serialize;

use super::super::words::{Statements, render};
use super::SweepReport;
use crate::experiment::sweep::{as_good, at_ends, best_of_all, effects, row_of};
use crate::metrics::{Direction, METRICS};
use crate::scenario::Objective;

#[derive(Clone, Debug, Serialize)]
struct SweepFindings {
    points: usize,
    policies: usize,
    replications: u32,
    objectives: usize,
    metric: &'static str,
    unit: &'static str,
    /// `lowest`, or `highest` where more is better.
    extreme: &'static str,
    best: Option<BestFound>,
    /// Whether its policy does the same at every point.
    ties: bool,
    /// Setting that matters most under that policy; `None` if none is shown to matter.
    effect: Option<Strongest>,
    /// Settings whose effects were looked at.
    settings: usize,
    /// Settings at an end of whose range the best point lies, where more may be better.
    ends: Vec<String>,
    /// Points that are not told apart from the best one, and the nearest of them in words.
    as_good: usize,
    nearest: Option<String>,
    same_work: bool,
    /// Whether effects compare thirds of a sample, not the values of a grid.
    sampled: bool,
    repetition: String,
    /// All windows of the trace, where not all of them are taken.
    windows: Option<u32>,
    assumptions: usize,
}

#[derive(Clone, Debug, Serialize)]
struct BestFound {
    policy: String,
    place: String,
    mean: f64,
    half_width: Option<f64>,
    /// Its cost in a month, where that is not what points are ranked by.
    monthly: Option<f64>,
    /// Replications in which it keeps all objectives.
    keeps: bool,
    kept: usize,
    /// Objectives that the means break.
    broken: Vec<String>,
    /// Objectives that the first replication keeps.
    kept_first: usize,
}

/// The setting that moves the metric most.
#[derive(Clone, Debug, Serialize)]
struct Strongest {
    key: String,
    swing: f64,
    half_width: Option<f64>,
    lowest: String,
    highest: String,
}

impl SweepReport<'_> {
    pub(super) fn statements(&self) -> Statements {
        let mut said = render(include_str!("../words/sweep.txt"), &self.findings());
        said.cautions.extend(self.cautions.iter().cloned());
        said
    }

    /// Findings as data.
    pub(super) fn findings(&self) -> impl Serialize {
        let (sweep, metric) = (self.sweep, self.ranked_by());
        let found = best_of_all(sweep, self.goal);
        let effects = found.as_ref().map(|best| effects(sweep, best.policy, self.goal));
        let effects = effects.unwrap_or_default();
        let as_good = found.as_ref().map_or(Vec::new(), |best| as_good(sweep, best, self.goal));
        let ends = found.as_ref().map_or(Vec::new(), |best| at_ends(sweep, best, self.goal));
        let width = |half: f64| Some(half).filter(|&half| half > 0.0);
        let monthly = row_of("cost_monthly").filter(|&row| row != self.goal);
        SweepFindings {
            points: sweep.points.len(),
            policies: sweep.policies.len(),
            replications: sweep.replications,
            objectives: sweep.objectives.len(),
            metric: metric.label,
            unit: metric.unit,
            extreme: match metric.better {
                Direction::Higher => "highest",
                Direction::Lower | Direction::Neutral => "lowest",
            },
            ties: found
                .as_ref()
                .is_some_and(|best| sweep.points.len() > 1 && sweep.ties(best.policy)),
            best: found.map(|best| {
                let first = &sweep.runs(best.point, best.policy)[0];
                BestFound {
                    policy: sweep.policies[best.policy].clone(),
                    place: sweep.description(best.point, best.policy),
                    mean: best.goal.mean,
                    half_width: best.goal.interval.and_then(|one| width(one.half_width)),
                    monthly: monthly
                        .and_then(|row| sweep.estimate(best.point, best.policy, row))
                        .map(|estimate| estimate.mean)
                        .filter(|_| sweep.same_work() && metric.unit == "USD"),
                    keeps: best.keeps,
                    kept: best.kept,
                    broken: self.broken(best.point, best.policy),
                    kept_first: first.kept.iter().filter(|&&kept| kept).count(),
                }
            }),
            effect: effects.first().filter(|effect| effect.is_shown()).map(|effect| Strongest {
                key: sweep.name(effect.axis).to_owned(),
                swing: effect.swing(),
                half_width: effect.interval.and_then(|one| width(one.half_width)),
                lowest: effect.lowest.text.clone(),
                highest: effect.highest.text.clone(),
            }),
            settings: effects.len(),
            ends: ends.into_iter().map(|axis| sweep.name(axis).to_owned()).collect(),
            as_good: as_good.len(),
            nearest: as_good.first().map(|&(point, policy)| {
                match sweep.description(point, policy).as_str() {
                    "" => sweep.policies[policy].clone(),
                    place => format!("{} with {place}", sweep.policies[policy]),
                }
            }),
            same_work: sweep.same_work(),
            sampled: !sweep.axes.is_empty() && sweep.levels(0).is_none(),
            repetition: sweep.repetition.description(),
            windows: sweep.repetition.left_of(),
            assumptions: self.assumptions.len(),
        }
    }

    /// The objectives that the means of a point break, in words.
    fn broken(&self, point: usize, policy: usize) -> Vec<String> {
        let words = |one: &Objective| {
            let row = row_of(one.metric.key);
            format!("{} {}", row.map_or("", |row| METRICS[row].label), one.text)
        };
        let all = self.sweep.objectives.iter().enumerate();
        let broken = all.filter(|&(at, _)| !self.sweep.keeps_one(point, policy, at));
        broken.map(|(_, one)| words(one)).collect()
    }
}
