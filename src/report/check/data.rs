//! What a check found as JSON.

use serde_json::{Value, json};

use super::{CheckReport, Finding, Moved, Parting, Verdicts};

impl CheckReport<'_> {
    /// As one JSON object.
    pub fn json(&self) -> Value {
        let finding = |finding: &Finding<'_>| {
            json!({
                "gate": finding.gate.subject.key(),
                "margin": finding.gate.text,
                "outcome": finding.outcome.name(),
                "why": finding.why,
                "baseline": finding.base,
                "now": finding.now,
                "half_width": finding.half_width,
                "p_adjusted": finding.p,
                "holds": !self.fails(finding),
            })
        };
        let moved =
            |one: &Moved| json!({ "metric": one.metric.key, "baseline": one.base, "now": one.now });
        let policy = |(verdicts, parting): &(&Verdicts<'_>, Option<&Parting>)| {
            json!({
                "scenario": verdicts.scenario,
                "policy": verdicts.policy,
                "outcome": verdicts.outcome().name(),
                "redefined": verdicts.redefined,
                "replications": verdicts.replications,
                "gates": verdicts.findings.iter().map(finding).collect::<Vec<_>>(),
                "moved": verdicts.moved.iter().map(moved).collect::<Vec<_>>(),
                "first_divergence": parting.map(parting_json),
            })
        };
        let said = self.said();
        json!({
            "kind": "windtunnel check",
            "version": env!("CARGO_PKG_VERSION"),
            "answer": said.answer,
            "cautions": said.cautions,
            "suite": self.suite.name,
            "confidence": self.suite.confidence,
            "holds": self.finding().is_none(),
            "policies": self.rows.iter().map(policy).collect::<Vec<_>>(),
        })
    }
}

fn parting_json(parting: &Parting) -> Value {
    json!({
        "replication": parting.replication,
        "seed": parting.seed,
        "same_up_to_record": parting.agreed,
        "differs_by_record": parting.parted,
        "baseline": parting.base,
        "now": parting.now,
        "caution": parting.caution,
    })
}
