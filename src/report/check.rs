//! Findings of a check of a suite: as a document, as test cases and as data.

mod data;
mod divergence;
mod document;
mod junit;

use super::figure::clean;
use crate::experiment::check::{
    BrokenObjective, Finding, FirstDivergence, GateOutcome, GateVerdicts, HeldSuite, MovedMetric,
    NotHeld, Trial,
};
use crate::experiment::{CautionedRun, cautions};
use crate::scenario::Suite;

/// Findings of a check of a suite.
#[derive(Clone, Debug)]
pub struct CheckReport<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// Verdicts by policy, in the order of the suite, each with the first divergence from its
    /// baseline.
    pub rows: Vec<(&'a GateVerdicts<'a>, Option<&'a FirstDivergence>)>,
    /// Further cautions to say beside the answer.
    pub cautions: Vec<String>,
    /// Reasons for which scenarios and policies were not compared.
    pub left_out: Vec<LeftOut>,
}

/// A scenario or a policy that was not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Name of the scenario in the suite.
    pub scenario: String,
    /// Name of the policy; `None` if it is about the scenario.
    pub policy: Option<String>,
    /// The reason, on one line.
    pub why: String,
}

impl LeftOut {
    /// The same from a problem.
    pub fn of(one: &NotHeld<'_>) -> Self {
        Self {
            scenario: one.scenario.to_owned(),
            policy: one.policy.clone(),
            why: one_line(&one.problem.to_string()),
        }
    }
}

impl<'a> CheckReport<'a> {
    /// Report on policies that were held against their baselines.
    pub fn of(suite: &'a Suite, held: &'a HeldSuite<'a>) -> Self {
        let rows = held.verdicts.iter().map(|verdicts| (verdicts, None)).collect();
        let broken = held.failures.iter().map(|failed| {
            let (policy, scenario) = (clean(failed.policy), clean(failed.scenario));
            LeftOut {
                scenario: failed.scenario.to_owned(),
                policy: Some(failed.policy.to_owned()),
                why: format!("{policy} in {scenario} could not be run"),
            }
        });
        let problems = held.problems.iter().map(LeftOut::of);
        Self {
            suite,
            rows,
            cautions: cautions_of(suite, &held.trials),
            left_out: problems.chain(broken).collect(),
        }
    }
}

/// A problem with its hint on one line.
pub fn one_line(text: &str) -> String {
    text.replace("\n  hint: ", ". Hint: ").replace('\n', " ")
}

/// Cautions beside the findings, scenario by scenario.
fn cautions_of(suite: &Suite, trials: &[Trial<'_>]) -> Vec<String> {
    let mut said = Vec::new();
    for tested in &suite.scenarios {
        let of_it = trials
            .iter()
            .filter(|trial| std::ptr::eq(trial.tested, tested) && !trial.runs.is_empty());
        let shown: Vec<CautionedRun<'_>> = of_it
            .map(|trial| CautionedRun {
                name: &trial.policy.name,
                scenario: &tested.scenario,
                policy: trial.policy,
                facts: &trial.runs[0].facts,
            })
            .collect();
        let cautions = cautions(&shown).into_iter();
        said.extend(cautions.map(|caution| format!("{}: {caution}", clean(&tested.name))));
    }
    said
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

    /// Failures to act on, in one line; `None` if every gate holds.
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
