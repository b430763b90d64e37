//! Certainty of a comparison, as data: what the answer rests on, and how many replications would show
//! more.

use serde::Serialize;

use super::{ComparisonReport, ObjectiveResult};
use crate::experiment::{Chance, HALF_A_CENT, Repetition, Wide};
use crate::metrics::METRICS;

/// Policies that seem to differ from the baseline, and too few replications to tell.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TooFew {
    policies: Vec<String>,
    /// Replications that would show it four times in five, if differences go on as they have.
    enough: u32,
}

/// Facts that the answer rests on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sure {
    chance: &'static str,
    repetition: String,
    /// All windows of the trace, where not all of them were meant to be taken.
    windows: Option<u32>,
    /// Whether the precision asked for was reached; `None` if none was asked for.
    precise: Option<bool>,
    /// Metrics whose intervals stayed wider than was asked for; and whether more replications
    /// could help none of them.
    wide: Vec<String>,
    hopeless: bool,
    precision: Option<f64>,
    calibration: Option<String>,
    assumptions: usize,
    comparable: bool,
    /// Names of two scenarios, the keys that differ, and whether the work is the same.
    between: Option<Scenarios>,
    pairing: Option<[f64; 3]>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Scenarios {
    names: [String; 2],
    keys: usize,
    same_work: bool,
}

impl ComparisonReport<'_> {
    /// The policies that seem to differ from the baseline in what decides, and how many
    /// replications would show it; `None` if there is no such policy, or no number of replications
    /// within reach.
    pub(super) fn too_few(&self) -> Option<TooFew> {
        let enough = |row: usize| self.enough(row).map(|enough| (self.name(row), enough));
        let rows = (0..self.many.policies.len()).filter(|&row| row != self.many.baseline);
        let hidden: Vec<(String, u32)> = rows.filter_map(enough).collect();
        let enough = hidden.iter().map(|&(_, enough)| enough).max()?;
        let policies = hidden.into_iter().map(|(name, _)| name).collect();
        Some(TooFew { policies, enough })
    }

    /// The promises that a policy's mean keeps and the baseline's breaks.
    pub(super) fn newly_kept(&self, row: usize) -> impl Iterator<Item = &ObjectiveResult> {
        let standings = self.decision.map_or(&[][..], |decision| &decision.assessments);
        let kept = move |row: usize| {
            let promises = standings.get(row).map_or(&[][..], |standing| &standing.promises);
            promises.iter().map(|promise| promise.kept)
        };
        let promises = self.rows.first().map_or(&[][..], |row| row.objectives);
        let pairs = kept(self.many.baseline).zip(kept(row)).zip(promises);
        pairs.filter(|((before, after), _)| !before && *after).map(|(_, objective)| objective)
    }

    /// Replications that would show of a policy what its intervals say and its verdicts, for
    /// all their company, do not: that it costs less, or that it keeps promises which the
    /// baseline's mean breaks. That it costs more would not let it be taken.
    pub(super) fn enough(&self, row: usize) -> Option<u32> {
        let gained = self.newly_kept(row).map(|objective| objective.metric.as_str());
        let cost = self.leading(row).key;
        let by = |key: &str| self.many.contrast(row, key).map(|one| one.difference());
        // A policy may be taken for its waits, at the same cost.
        let free = by("cost_monthly").is_some_and(|by| by.abs() < HALF_A_CENT)
            && by("wait_mean").is_some_and(|by| by < 0.0);
        let waits = free.then_some("wait_mean");
        let keys: Vec<&str> = std::iter::once(cost).chain(gained).chain(waits).collect();
        let family = self.family();
        let alpha = 1.0 - self.many.judging.confidence;
        let hidden = keys.into_iter().filter(|key| self.many.shown(row, key).is_none());
        let enough = hidden.filter_map(|key| {
            let contrast = self.many.contrast(row, key).filter(|_| self.is_judged())?;
            let paired = contrast.paired.filter(|_| contrast.adjusted_p.is_some())?;
            let dearer = key == cost && contrast.difference() > 0.0;
            let slight = key == "cost_monthly" && contrast.difference().abs() < HALF_A_CENT;
            let seems = paired.p <= alpha && !slight && !dearer;
            paired.enough(alpha / family.max(1) as f64).filter(|_| seems)
        });
        enough.min().filter(|&enough| enough > self.many.replications)
    }

    pub(super) fn sure(&self) -> Sure {
        let many = self.many;
        let repetition = match many.repetition {
            // Some of the windows that were spread, if a precision was reached.
            Repetition::Windows { of, taken, .. } if many.replications < taken => {
                format!("{} ({} of {of})", many.repetition.description(), many.replications)
            }
            Repetition::Windows { .. } | Repetition::Seeds { .. } | Repetition::Blocks { .. } => {
                many.repetition.description()
            }
        };
        Sure {
            chance: match many.chance {
                Chance::None => "none",
                Chance::Unknown => "unknown",
                Chance::Workload => "workload",
                Chance::OneTrace => "one trace",
                Chance::Resampled => "resampled",
            },
            repetition,
            windows: many.repetition.left_of(),
            precise: many.precise,
            wide: many.wide.iter().map(wide_words).collect(),
            hopeless: many.wide.iter().all(Wide::is_hopeless),
            precision: many.judging.precision,
            calibration: self.calibration.map(|calibrated| calibrated.text.clone()),
            assumptions: self.assumptions().len(),
            comparable: many.comparable(),
            between: self.between.map(|between| Scenarios {
                names: between.names.clone(),
                keys: between.differences.len(),
                same_work: between.same_work,
            }),
            pairing: self.saved_by_pairing(),
        }
    }

    /// Saving by common random numbers: how many times the replications would have been needed
    /// without; median, least and most over the judged metrics.
    pub(super) fn saved_by_pairing(&self) -> Option<[f64; 3]> {
        let one_work = self.between.is_none_or(|between| between.same_work);
        if !self.is_judged() || !one_work {
            return None;
        }
        let mut ratios: Vec<f64> = Vec::new();
        for policy in &self.many.policies {
            let contrasts = policy.contrasts.iter().flatten();
            let judged = contrasts.filter(|contrast| contrast.verdict.is_some());
            ratios.extend(judged.filter_map(|contrast| contrast.paired?.variance_ratio));
        }
        ratios.sort_by(f64::total_cmp);
        Some([ratios.get(ratios.len() / 2).copied()?, *ratios.first()?, *ratios.last()?])
    }
}

/// The metric and the policy: `wait, mean of today`.
fn wide_words(wide: &Wide) -> String {
    format!("{} of {}", METRICS[wide.metric].label, wide.policy)
}
