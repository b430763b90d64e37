//! What a drill found.

use super::super::measurement::Measurement;
use super::super::replication::Repetition;
use super::super::sweep::row_of;
use super::{Blow, BlowKind, recovery};
use crate::scenario::Objective;
use crate::units::{Span, Time};

/// A drill, with all its runs.
#[derive(Clone, Debug)]
pub struct Drill {
    /// Names of the policies.
    pub policies: Vec<String>,
    /// Objectives of the scenario.
    pub objectives: Vec<Objective>,
    /// What was knocked out.
    pub blows: Vec<Blow>,
    /// Time for which it was gone; `None` is for ever.
    pub lasts: Option<Span>,
    /// The repetition: seeds, windows or blocks.
    pub repetition: Repetition,
    /// Runs of each policy under each blow.
    pub replications: u32,
    /// Seed of each replication.
    pub seeds: Vec<u64>,
    /// Moment of the blows, by replication.
    pub moments: Vec<Time>,
    /// Calm runs, by policy, then replication.
    pub calm: Vec<Measurement>,
    /// Struck runs, by blow, policy and replication.
    pub struck: Vec<Struck>,
}

/// A struck run beside its calm one.
#[derive(Clone, Debug)]
pub struct Struck {
    /// Row of the blow.
    pub blow: usize,
    /// Row of the policy.
    pub policy: usize,
    /// Number of the replication, from 0.
    pub replication: usize,
    /// Moment of the blow.
    pub moment: Time,
    /// Objectives that the calm run kept and this one did not, by their row.
    pub broken: Vec<usize>,
    /// Pieces of work more that were not done.
    pub undone: f64,
    /// Dollars more than the calm run cost.
    pub extra_cost: Option<f64>,
    /// Core-hours more that were lost.
    pub lost_core_hours: f64,
    /// Seconds until no more work waited than in the calm run; `None` if that never came.
    pub recovery: Option<f64>,
    /// The run.
    pub run: Measurement,
}

impl Struck {
    /// What a blow did to one run.
    pub(super) fn of(
        blow: usize,
        policy: usize,
        replication: usize,
        moment: Time,
        calm: &Measurement,
        run: Measurement,
    ) -> Self {
        let value = |of: &Measurement, key: &str| row_of(key).and_then(|row| of.metrics[row]);
        let more = |key: &str| Some(value(&run, key)? - value(calm, key)?);
        let all = run.kept.iter().zip(&calm.kept).enumerate();
        let broken = all.filter(|(_, (struck, calm))| !**struck && **calm).map(|(row, _)| row);
        let undone = |of: &Measurement| {
            let count = |key| value(of, key).unwrap_or(0.0);
            count("unfinished") + count("refused")
        };
        Self {
            blow,
            policy,
            replication,
            moment,
            broken: broken.collect(),
            undone: undone(&run) - undone(calm),
            extra_cost: more("cost_total"),
            lost_core_hours: more("lost_core_hours").unwrap_or(0.0),
            recovery: recovery(calm, &run, moment),
            run,
        }
    }
}

/// What a blow does to a policy, over all replications.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakage {
    /// Row of the blow.
    pub blow: usize,
    /// Row of the policy.
    pub policy: usize,
    /// Replications in which each objective is broken that the calm run keeps, by objective.
    pub broken: Vec<u32>,
    /// Replications in which any is.
    pub any: u32,
    /// Mean number of pieces of work more that were not done.
    pub undone: f64,
    /// Mean dollars more; `None` where a run shows no cost.
    pub extra_cost: Option<f64>,
    /// Mean core-hours more that were lost.
    pub lost_core_hours: f64,
    /// Mean share by which fewer deadlines were met; `None` where nothing has one.
    pub deadlines: Option<f64>,
    /// Longest time to recover, in seconds; `None` if some run never did.
    pub recovery: Option<f64>,
}

impl Drill {
    /// The struck runs of a policy under a blow, by replication.
    pub fn runs(&self, blow: usize, policy: usize) -> &[Struck] {
        let each = self.replications as usize;
        let from = (blow * self.policies.len() + policy) * each;
        &self.struck[from..from + each]
    }

    /// The calm runs of a policy, by replication.
    pub fn calm_runs(&self, policy: usize) -> &[Measurement] {
        let each = self.replications as usize;
        &self.calm[policy * each..(policy + 1) * each]
    }

    /// What a blow does to a policy.
    pub fn breakage(&self, blow: usize, policy: usize) -> Breakage {
        let runs = self.runs(blow, policy);
        let count = runs.len() as f64;
        let mean = |of: &dyn Fn(&Struck) -> f64| runs.iter().map(of).sum::<f64>() / count;
        let times = |row| runs.iter().filter(|run| run.broken.contains(&row)).count() as u32;
        let row = row_of("deadlines_met");
        let met = |of: &Measurement| row.and_then(|row| of.metrics[row]);
        let fewer = runs.iter().zip(self.calm_runs(policy));
        let fewer: Option<Vec<f64>> =
            fewer.map(|(run, calm)| Some(met(calm)? - met(&run.run)?)).collect();
        let costs: Option<Vec<f64>> = runs.iter().map(|run| run.extra_cost).collect();
        let recoveries: Option<Vec<f64>> = runs.iter().map(|run| run.recovery).collect();
        Breakage {
            blow,
            policy,
            broken: (0..self.objectives.len()).map(times).collect(),
            any: runs.iter().filter(|run| !run.broken.is_empty()).count() as u32,
            undone: mean(&|run| run.undone),
            extra_cost: costs.map(|costs| costs.iter().sum::<f64>() / count),
            lost_core_hours: mean(&|run| run.lost_core_hours),
            deadlines: fewer.map(|fewer| fewer.iter().sum::<f64>() / count),
            recovery: recoveries.map(|all| all.into_iter().fold(0.0, f64::max)),
        }
    }

    /// Whether a blow breaks a policy: an objective that the calm runs keep, in more than half of the
    /// replications, or work is left undone in the mean that is done in calm. Without objectives also
    /// where deadlines are missed in the mean that are met in calm.
    pub fn breaks(&self, blow: usize, policy: usize) -> bool {
        let found = self.breakage(blow, policy);
        let late = self.objectives.is_empty() && found.deadlines.is_some_and(|fewer| fewer > 0.0);
        let broken = found.broken.iter().any(|&times| 2 * times > self.replications);
        broken || late || found.undone > 0.0
    }

    /// Whether a calm run of a policy breaks an objective in more than half of the replications.
    pub fn breaks_calmly(&self, policy: usize, objective: usize) -> bool {
        let runs = self.calm_runs(policy);
        2 * runs.iter().filter(|run| !run.kept[objective]).count() > runs.len()
    }

    /// The single points of failure of a policy: rows of the blows that break it.
    pub fn single_points(&self, policy: usize) -> Vec<usize> {
        (0..self.blows.len()).filter(|&blow| self.breaks(blow, policy)).collect()
    }

    /// The blows of a kind, or all, that break an objective, or any, of some policy in more than half of
    /// the replications: their rows and those of the policies.
    pub fn failures(
        &self,
        kind: Option<BlowKind>,
        objective: Option<usize>,
    ) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (row, blow) in self.blows.iter().enumerate() {
            if kind.is_some_and(|kind| kind != blow.kind) {
                continue;
            }
            for policy in 0..self.policies.len() {
                let breaks = match objective {
                    None => self.breaks(row, policy),
                    Some(one) => 2 * self.breakage(row, policy).broken[one] > self.replications,
                };
                if breaks {
                    found.push((row, policy));
                }
            }
        }
        found
    }
}
