//! Findings of a check as JSON.

use serde::Serialize;

use super::document::CheckFindings;
use super::{BrokenObjective, CheckReport, Finding, FirstDivergence, GateVerdicts, MovedMetric};
use crate::report::document::Answer;

/// A check; what the sentences are made from is in `findings`.
#[derive(Debug, Serialize)]
pub struct CheckJson<'a> {
    kind: &'static str,
    version: &'static str,
    answer: Answer,
    cautions: Vec<String>,
    left_out: Vec<&'a str>,
    findings: CheckFindings,
    assumptions: Vec<String>,
    suite: &'a str,
    confidence: f64,
    holds: bool,
    policies: Vec<CheckPolicyJson<'a>>,
}

#[derive(Debug, Serialize)]
struct CheckPolicyJson<'a> {
    scenario: &'a str,
    policy: &'a str,
    outcome: &'static str,
    redefined: &'a [String],
    replications: u32,
    gates: Vec<GateJson<'a>>,
    moved: Vec<MovedJson>,
    objectives_broken: Vec<BrokenObjectiveJson<'a>>,
    first_divergence: Option<&'a FirstDivergence>,
}

#[derive(Debug, Serialize)]
struct GateJson<'a> {
    gate: &'static str,
    margin: &'a str,
    outcome: &'static str,
    why: &'a str,
    baseline: Option<f64>,
    now: Option<f64>,
    half_width: Option<f64>,
    p_adjusted: Option<f64>,
    holds: bool,
}

#[derive(Debug, Serialize)]
struct BrokenObjectiveJson<'a> {
    metric: &'static str,
    bound: &'a str,
    baseline: f64,
    now: Option<f64>,
}

#[derive(Debug, Serialize)]
struct MovedJson {
    metric: &'static str,
    baseline: Option<f64>,
    now: Option<f64>,
}

impl CheckReport<'_> {
    /// The check as one JSON object.
    pub fn json(&self) -> CheckJson<'_> {
        let said = self.statements();
        CheckJson {
            kind: "windtunnel check",
            version: env!("CARGO_PKG_VERSION"),
            answer: said.answer,
            cautions: said.cautions,
            left_out: self.left_out.iter().map(|one| one.why.as_str()).collect(),
            findings: self.findings(),
            assumptions: self.assumptions(),
            suite: &self.suite.name,
            confidence: self.suite.confidence,
            holds: self.finding().is_none(),
            policies: self.rows.iter().map(|&(one, parting)| self.policy(one, parting)).collect(),
        }
    }

    fn policy<'a>(
        &self,
        verdicts: &'a GateVerdicts<'a>,
        first_divergence: Option<&'a FirstDivergence>,
    ) -> CheckPolicyJson<'a> {
        CheckPolicyJson {
            scenario: verdicts.scenario,
            policy: verdicts.policy,
            outcome: verdicts.outcome().name(),
            redefined: &verdicts.redefined,
            replications: verdicts.replications,
            gates: verdicts.findings.iter().map(|finding| self.gate(finding)).collect(),
            moved: verdicts.moved.iter().map(MovedJson::of).collect(),
            objectives_broken: verdicts.broken.iter().map(BrokenObjectiveJson::of).collect(),
            first_divergence,
        }
    }

    fn gate<'a>(&self, finding: &'a Finding<'a>) -> GateJson<'a> {
        GateJson {
            gate: finding.gate.subject.key(),
            margin: &finding.gate.text,
            outcome: finding.outcome.name(),
            why: &finding.why,
            baseline: finding.base,
            now: finding.now,
            half_width: finding.half_width,
            p_adjusted: finding.p,
            holds: !self.fails(finding),
        }
    }
}

impl<'a> BrokenObjectiveJson<'a> {
    fn of(one: &'a BrokenObjective<'a>) -> Self {
        let bound = &one.objective.text;
        Self { metric: one.metric.key, bound, baseline: one.base, now: one.now }
    }
}

impl MovedJson {
    fn of(one: &MovedMetric) -> Self {
        Self { metric: one.metric.key, baseline: one.base, now: one.now }
    }
}
