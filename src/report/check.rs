//! Findings of a check of a suite: as a document, as test cases and as data.

mod data;
mod divergence;
mod document;
mod junit;

use super::figure::clean;
use crate::experiment::check::{
    BrokenObjective, Finding, FirstDivergence, GateOutcome, GateVerdicts, MovedMetric,
};
use crate::scenario::Suite;

/// Findings of a check of a suite.
#[derive(Clone, Debug)]
pub struct CheckReport<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// By policy, in the order of the suite; and where it parts from its baseline.
    pub rows: Vec<(&'a GateVerdicts<'a>, Option<&'a FirstDivergence>)>,
    /// Further cautions to say beside the answer.
    pub cautions: Vec<String>,
    /// Reasons for which policies were not compared, each on one line.
    pub left_out: Vec<String>,
}

impl CheckReport<'_> {
    fn verdicts(&self) -> impl Iterator<Item = &GateVerdicts<'_>> {
        self.rows.iter().map(|(verdicts, _)| *verdicts)
    }

    /// Whether the gate does not hold.
    fn fails(&self, finding: &Finding<'_>) -> bool {
        match finding.outcome {
            GateOutcome::Regressed => true,
            GateOutcome::Unclear => self.suite.unclear_fails,
            GateOutcome::Same | GateOutcome::Passed => false,
        }
    }

    /// The gates that do not hold, with their policies.
    fn failures(&self) -> impl Iterator<Item = (&GateVerdicts<'_>, &Finding<'_>)> {
        self.verdicts().flat_map(|verdicts| {
            verdicts
                .findings
                .iter()
                .filter(|finding| self.fails(finding))
                .map(move |finding| (verdicts, finding))
        })
    }

    /// Failures to act on, in one line; none where every gate holds.
    pub fn finding(&self) -> Option<String> {
        let failures: Vec<String> = self
            .failures()
            .map(|(verdicts, finding)| {
                let key = finding.gate.subject.key();
                format!("{key} of {} in {}", clean(verdicts.policy), clean(verdicts.scenario))
            })
            .collect();
        (!failures.is_empty()).then(|| format!("worse than the baseline: {}", failures.join(", ")))
    }
}

#[cfg(test)]
pub(super) mod tests;
