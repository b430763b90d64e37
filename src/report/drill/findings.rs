//! Findings of a drill as data: `findings` of `drill.json`, which the sentences of
//! `words/drill.txt` are made from.

use serde::Serialize;

use super::super::words::{Statements, render};
use super::DrillReport;
use crate::experiment::drill::Breakage;

#[derive(Clone, Debug, Serialize)]
struct DrillFindings {
    blows: usize,
    policies: usize,
    /// Policies with single points of failure.
    hurt: Vec<PolicyFound>,
    replications: u32,
    objectives: usize,
    /// Seconds for which what is struck is gone; `None` is for ever.
    lasts: Option<f64>,
    repetition: String,
    /// Objectives that calm runs break already, by policy, in words.
    broken_in_calm: Vec<String>,
    /// The blow that leaves most undone, or where none does costs most.
    worst: Option<WorstFound>,
    assumptions: usize,
}

/// A policy, and the parts whose loss breaks it.
#[derive(Clone, Debug, Serialize)]
struct PolicyFound {
    name: String,
    single_points: usize,
    /// The first of them.
    named: Vec<String>,
    /// Number of the others.
    more: usize,
}

/// Single points of failure that a sentence names.
const NAMED: usize = 4;

#[derive(Clone, Debug, Serialize)]
struct WorstFound {
    policy: String,
    struck: String,
    undone: f64,
    deadlines: Option<f64>,
    extra_cost: Option<f64>,
    lost_core_hours: f64,
    recovery: Option<f64>,
}

impl DrillReport<'_> {
    pub(super) fn statements(&self) -> Statements {
        render(include_str!("../words/drill.txt"), &self.findings())
    }

    /// Findings as data.
    pub(super) fn findings(&self) -> impl Serialize {
        let drill = self.drill;
        let hurt = drill.policies.iter().enumerate().map(|(row, name)| {
            let points = drill.single_points(row);
            let named = points.iter().take(NAMED).map(|&blow| drill.blows[blow].name.clone());
            PolicyFound {
                name: name.clone(),
                single_points: points.len(),
                named: named.collect(),
                more: points.len().saturating_sub(NAMED),
            }
        });
        DrillFindings {
            blows: drill.blows.len(),
            policies: drill.policies.len(),
            hurt: hurt.filter(|one| one.single_points > 0).collect(),
            replications: drill.replications,
            objectives: drill.objectives.len(),
            lasts: drill.lasts.map(|lasts| lasts.secs_f64()),
            repetition: drill.repetition.description(),
            broken_in_calm: self.broken_in_calm(),
            worst: self.worst(),
            assumptions: self.assumptions.len(),
        }
    }

    /// Objectives that are broken without any blow in more than half of the replications.
    fn broken_in_calm(&self) -> Vec<String> {
        let drill = self.drill;
        let mut told = Vec::new();
        for (row, name) in drill.policies.iter().enumerate() {
            for (at, objective) in drill.objectives.iter().enumerate() {
                if drill.breaks_calmly(row, at) {
                    told.push(format!(
                        "{} {} under {name}",
                        objective.metric.label, objective.text
                    ));
                }
            }
        }
        told
    }

    fn worst(&self) -> Option<WorstFound> {
        let drill = self.drill;
        let all = (0..drill.blows.len())
            .flat_map(|blow| (0..drill.policies.len()).map(move |policy| (blow, policy)));
        let all: Vec<Breakage> = all.map(|(blow, policy)| drill.breakage(blow, policy)).collect();
        let harm = |one: &Breakage| {
            (one.undone, one.any, one.deadlines.unwrap_or(0.0), one.extra_cost.unwrap_or(0.0))
        };
        let worse = |a: &Breakage, b: &Breakage| {
            let (a, b) = (harm(a), harm(b));
            let by = a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            by.then(a.2.total_cmp(&b.2)).then(a.3.total_cmp(&b.3))
        };
        let worst = all.into_iter().reduce(|worst, one| match worse(&one, &worst) {
            std::cmp::Ordering::Greater => one,
            std::cmp::Ordering::Less | std::cmp::Ordering::Equal => worst,
        })?;
        Some(WorstFound {
            policy: drill.policies[worst.policy].clone(),
            struck: drill.blows[worst.blow].name.clone(),
            undone: worst.undone,
            deadlines: worst.deadlines,
            extra_cost: worst.extra_cost,
            lost_core_hours: worst.lost_core_hours,
            recovery: worst.recovery,
        })
    }
}
