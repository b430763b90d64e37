//! The gates of a suite, judged together.

use super::super::statistics::equivalence::{not_worse, worse};
use super::super::statistics::multiple::holm_of_unclear;
use super::super::statistics::{Margin, Paired, paired};
use super::{Baseline, Trial};
use crate::metrics::{Direction, METRICS, Metric};
use crate::scenario::{Gate, Objective, Subject, Tolerance, redefined};
use crate::units::rounding::snapped;

/// Outcome of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GateOutcome {
    /// Not different at all in any replication.
    Same,
    /// Not worse than the margin allows, as far as can be told.
    Passed,
    /// Worse by more than the margin in the mean, but chance alone could have
    /// done it.
    Unclear,
    /// Worse by more than the margin.
    Regressed,
}

impl GateOutcome {
    /// The word of reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Passed => "passed",
            Self::Unclear => "unclear",
            Self::Regressed => "regressed",
        }
    }
}

/// One gate of one policy.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    /// The gate.
    pub gate: &'a Gate,
    /// Mean of the baseline over the replications in which both show the metric.
    pub base: Option<f64>,
    /// Mean now, over the same.
    pub now: Option<f64>,
    /// Half of the width of the interval of the difference; `None` with one replication.
    pub half_width: Option<f64>,
    /// p-value of "it is not worse than the margin allows", corrected by Holm over
    /// the gates of the suite that differ at all; `None` if nothing is tested.
    pub p: Option<f64>,
    /// Outcome of the gate.
    pub outcome: GateOutcome,
    /// Reason of the outcome, in words.
    pub why: String,
}

impl Finding<'_> {
    /// Words below the outcome, where that alone says more than was shown.
    pub fn below(&self) -> &'static str {
        if self.why == NOT_SURELY { "but not surely" } else { "" }
    }
}

/// Reason of a gate that passes though that it is not worse is not shown.
const NOT_SURELY: &str = "within the margin, but not surely";

/// A metric whose mean is not that of the baseline.
#[derive(Clone, Copy, Debug)]
pub struct MovedMetric {
    /// The metric.
    pub metric: &'static Metric,
    /// Mean of the baseline.
    pub base: Option<f64>,
    /// Mean now.
    pub now: Option<f64>,
}

impl MovedMetric {
    /// Whether the metric moved for the worse; `None` if it has no better direction or no value.
    pub fn is_worse(&self) -> Option<bool> {
        let (base, now) = (self.base?, self.now?);
        match self.metric.better {
            Direction::Lower => Some(now > base),
            Direction::Higher => Some(now < base),
            Direction::Neutral => None,
        }
    }
}

/// An objective that was kept and now is not.
#[derive(Clone, Copy, Debug)]
pub struct BrokenObjective<'a> {
    /// The objective, as the scenario has it now.
    pub objective: &'a Objective,
    /// Its metric.
    pub metric: &'static Metric,
    /// Mean of the baseline.
    pub base: f64,
    /// Mean now; `None` if no run shows the metric any more.
    pub now: Option<f64>,
}

/// All gates of one policy.
#[derive(Clone, Debug)]
pub struct GateVerdicts<'a> {
    /// The scenario's name in the suite.
    pub scenario: &'a str,
    /// The policy.
    pub policy: &'a str,
    /// Findings in the order of the suite's gates.
    pub findings: Vec<Finding<'a>>,
    /// The metrics that are not what they were: those of gates that do not hold, of other gates, and
    /// the rest, each with the largest relative change first.
    pub moved: Vec<MovedMetric>,
    /// Objectives of the scenario that the baseline's mean kept and the mean now breaks, whatever
    /// gates there are.
    pub broken: Vec<BrokenObjective<'a>>,
    /// The policy is defined otherwise than in the baseline.
    pub redefined: Vec<String>,
    /// Number of replications that were compared.
    pub replications: u32,
    /// The first replication in which another thing happened.
    pub differs_in: Option<u32>,
}

impl GateVerdicts<'_> {
    /// The worst of its gates.
    pub fn outcome(&self) -> GateOutcome {
        self.findings.iter().map(|finding| finding.outcome).max().unwrap_or(GateOutcome::Same)
    }
}

/// Judges each trial against its baseline; `definitions` are the policies as
/// they are now. The chance of any false regression among the statistical gates
/// is one minus `confidence`.
///
/// Gates in which nothing differs in any replication are no part of the family
/// that Holm corrects for: they cannot be found worse, so they cannot be found
/// worse by chance. Those that are clearly not worse than the margin allows leave it too,
/// and the others pay for that: what improves hides no regression.
pub fn judge<'a>(
    trials: &[Trial<'a>],
    baselines: &[Baseline],
    definitions: &[String],
    confidence: f64,
) -> Vec<GateVerdicts<'a>> {
    let mut all = Vec::new();
    let mut family = Vec::new();
    for (row, (trial, baseline)) in trials.iter().zip(baselines).enumerate() {
        let mut findings = Vec::new();
        for gate in &trial.tested.gates {
            let (finding, tested) = find(trial, baseline, gate, confidence);
            if let Some(paired) = tested {
                family.push((row, findings.len(), paired));
            }
            findings.push(finding);
        }
        let events = trial.runs.iter().zip(&baseline.events);
        all.push(GateVerdicts {
            scenario: &trial.tested.name,
            policy: &trial.policy.name,
            findings,
            moved: moved(trial, baseline),
            broken: broken(trial, baseline),
            redefined: definitions
                .get(row)
                .map_or_else(Vec::new, |now| redefined(&baseline.policy, now)),
            replications: trial.runs.len() as u32,
            differs_in: events
                .clone()
                .position(|(run, then)| run.fingerprint != *then)
                .map(|at| at as u32),
        });
    }
    let raw: Vec<f64> = family
        .iter()
        .map(|(row, at, paired)| {
            let gate = all[*row].findings[*at].gate;
            margin(gate).map_or(1.0, |(metric, margin)| worse(paired, metric.better, margin))
        })
        .collect();
    for ((row, at, paired), p) in family.iter().zip(holm_of_unclear(&raw, confidence)) {
        let finding = &mut all[*row].findings[*at];
        let Some((metric, margin)) = margin(finding.gate) else { continue };
        finding.p = Some(p);
        let beyond = margin.exceeded(paired, metric.better) > 0.0;
        let shown = not_worse(paired, metric.better, margin) <= 1.0 - confidence;
        let (outcome, why) = match (p <= 1.0 - confidence, beyond, shown) {
            (true, ..) => (GateOutcome::Regressed, "worse by more than the margin"),
            (false, true, _) => (GateOutcome::Unclear, "beyond the margin, maybe by chance"),
            (false, false, true) => (GateOutcome::Passed, "not worse by more than the margin"),
            (false, false, false) => (GateOutcome::Passed, NOT_SURELY),
        };
        finding.outcome = outcome;
        finding.why = why.to_owned();
    }
    all.iter_mut().for_each(gates_first);
    all
}

/// Puts the metrics of gates first among those that moved, the worst outcome first.
fn gates_first(verdicts: &mut GateVerdicts<'_>) {
    let findings = &verdicts.findings;
    let outcome = |moved: &MovedMetric| {
        let of = |finding: &&Finding<'_>| match finding.gate.subject {
            Subject::Metric(metric) => metric.key == moved.metric.key,
            Subject::Events => false,
        };
        findings.iter().find(of).map(|finding| finding.outcome)
    };
    // Stable, so that within each the largest change stays first.
    verdicts.moved.sort_by_key(|moved| std::cmp::Reverse(outcome(moved)));
}

/// The objectives that the baseline's mean keeps and the mean now breaks.
fn broken<'a>(trial: &Trial<'a>, baseline: &Baseline) -> Vec<BrokenObjective<'a>> {
    let of = |objective: &'a Objective| {
        let metric = objective.metric;
        let shown =
            |values: Vec<Option<f64>>| -> Vec<f64> { values.into_iter().flatten().collect() };
        let base = mean(&shown(baseline.metric(metric.key)))?;
        let now = mean(&shown(trial.runs.iter().map(|run| run.metric(metric.key)).collect()));
        let keeps = now.is_some_and(|now| objective.kept(now));
        let broken = objective.kept(base) && !keeps;
        broken.then_some(BrokenObjective { objective, metric, base, now })
    };
    // A baseline has the metrics of whole runs.
    let objectives = trial.tested.scenario.objectives.iter();
    objectives.filter(|objective| objective.window.is_none()).filter_map(of).collect()
}

/// The metric and the margin of a statistical gate.
fn margin(gate: &Gate) -> Option<(&'static Metric, Margin)> {
    let Subject::Metric(metric) = gate.subject else { return None };
    match gate.tolerance {
        Tolerance::Exact => None,
        Tolerance::Relative(share) => Some((metric, Margin::Relative(share))),
        Tolerance::Absolute(size) => Some((metric, Margin::Absolute(size))),
    }
}

/// Amount by which a difference is for the worse.
fn beyond(better: Direction, difference: f64) -> f64 {
    match better {
        Direction::Lower => difference,
        Direction::Higher => -difference,
        Direction::Neutral => difference.abs(),
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A gate, and what is to be tested where chance had a part in it.
fn find<'a>(
    trial: &Trial<'_>,
    baseline: &Baseline,
    gate: &'a Gate,
    confidence: f64,
) -> (Finding<'a>, Option<Paired>) {
    let done = |base, now, outcome, why: String| {
        (Finding { gate, base, now, half_width: None, p: None, outcome, why }, None)
    };
    let all = trial.runs.len();
    let Subject::Metric(metric) = gate.subject else {
        let other = |(run, then): &(&super::Measurement, &String)| run.fingerprint != **then;
        let differ = trial.runs.iter().zip(&baseline.events).filter(other).count();
        return match differ {
            0 => done(None, None, GateOutcome::Same, "the same events".to_owned()),
            _ => {
                let why = format!("other events in {differ} of {all} replications");
                done(None, None, GateOutcome::Regressed, why)
            }
        };
    };
    let then = baseline.metric(metric.key);
    let now: Vec<Option<f64>> = trial.runs.iter().map(|run| run.metric(metric.key)).collect();
    let both = then.iter().zip(&now).filter_map(|(then, now)| Some(((*then)?, (*now)?)));
    let (a, b): (Vec<f64>, Vec<f64>) = both.unzip();
    let (base, mean_now) = (mean(&a), mean(&b));
    if then.iter().chain(&now).all(Option::is_none) {
        let why = "no such metric here: no run shows it, then or now".to_owned();
        return done(None, None, GateOutcome::Regressed, why);
    }
    if then == now {
        return done(base, mean_now, GateOutcome::Same, "the same in every replication".to_owned());
    }
    let lost = then.iter().zip(&now).filter(|(then, now)| then.is_some() && now.is_none()).count();
    if lost > 0 {
        let why = format!("{lost} of {all} runs show it no more");
        return done(base, mean_now, GateOutcome::Regressed, why);
    }
    let Some((_, margin)) = margin(gate) else {
        let differ = then.iter().zip(&now).filter(|(then, now)| then != now).count();
        let why = format!("another value in {differ} of {all} replications");
        return done(base, mean_now, GateOutcome::Regressed, why);
    };
    let (Some(from), Some(to)) = (base, mean_now) else {
        return done(
            base,
            mean_now,
            GateOutcome::Passed,
            "the baseline does not show it".to_owned(),
        );
    };
    let Some(paired) = paired(&a, &b, confidence) else {
        let size = match margin {
            Margin::Relative(share) => share * from.abs(),
            Margin::Absolute(size) => size,
        };
        let over = beyond(metric.better, to - from) - size;
        return match snapped(over, from.abs().max(to.abs())) > 0.0 {
            true => done(
                base,
                mean_now,
                GateOutcome::Regressed,
                "worse by more than the margin, exactly".to_owned(),
            ),
            false => done(base, mean_now, GateOutcome::Passed, "within the margin".to_owned()),
        };
    };
    let paired = if metric.is_counted { paired.of_counts() } else { paired };
    let half_width = Some(paired.interval.half_width);
    let outcome = GateOutcome::Passed;
    let finding =
        Finding { gate, base, now: mean_now, half_width, p: None, outcome, why: String::new() };
    (finding, Some(paired))
}

fn moved(trial: &Trial<'_>, baseline: &Baseline) -> Vec<MovedMetric> {
    let mut all = Vec::new();
    for metric in METRICS {
        let then = baseline.metric(metric.key);
        let now: Vec<Option<f64>> = trial.runs.iter().map(|run| run.metric(metric.key)).collect();
        if then != now && !then.is_empty() {
            let shown =
                |values: Vec<Option<f64>>| -> Vec<f64> { values.into_iter().flatten().collect() };
            all.push(MovedMetric { metric, base: mean(&shown(then)), now: mean(&shown(now)) });
        }
    }
    let size = |moved: &MovedMetric| match (moved.base, moved.now) {
        (Some(base), Some(now)) if base != 0.0 => ((now - base) / base).abs(),
        (Some(base), Some(now)) if base == now => 0.0,
        _ => f64::INFINITY,
    };
    all.sort_by(|one, other| size(other).total_cmp(&size(one)));
    all
}
