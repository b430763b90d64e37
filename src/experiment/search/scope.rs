//! Scope of each variable, the policies that it concerns: setups that differ only in settings of
//! other policies are one.

use super::line::SetupPoint;
use super::variable::Variable;
use crate::scenario::{Scenario, concerns};

/// The variables that matter at each point.
#[derive(Clone, Debug)]
pub(super) struct VariableScope {
    /// The variable that chooses the policy.
    chooser: Option<usize>,
    /// Whether each variable concerns the policy, by level of `chooser`, or once if nothing is
    /// chosen.
    concerns: Vec<Vec<bool>>,
    /// Levels of variables that do not concern the policy.
    start: SetupPoint,
}

impl VariableScope {
    /// Scope for the policy called `named`, or for those that `baseline` chooses from.
    pub(super) fn of(
        variables: &[Variable],
        named: Option<&str>,
        scenario: &Scenario,
        start: &SetupPoint,
    ) -> Self {
        let varied = variables.iter().position(|one| one.key == "baseline");
        let chooser = varied.filter(|_| named.is_none());
        let names: Vec<&str> = match (named, chooser) {
            (Some(name), _) => vec![name],
            (None, Some(axis)) => variables[axis].levels.iter().map(String::as_str).collect(),
            (None, None) => vec![scenario.policies[scenario.baseline].name.as_str()],
        };
        // Every setting may concern every policy where a variable says which policy extends which.
        let fixed = !variables.iter().any(|one| one.key.ends_with(".extends"));
        let matters = |name: &str, axis: usize, one: &Variable| match varied {
            Some(varied) if varied == axis => chooser.is_some(),
            _ => !fixed || concerns(scenario, name, &one.key),
        };
        let of = |name: &&str| {
            variables.iter().enumerate().map(|(axis, one)| matters(name, axis, one)).collect()
        };
        Self { chooser, concerns: names.iter().map(of).collect(), start: start.clone() }
    }

    /// Whether each variable matters at a point, by variable.
    pub(super) fn at(&self, point: &SetupPoint) -> &[bool] {
        &self.concerns[self.chooser.map_or(0, |axis| point[axis])]
    }

    /// The point that stands for all that differ from `point` only in what does not matter.
    pub(super) fn folded(&self, point: &SetupPoint) -> SetupPoint {
        let levels = point.iter().zip(&self.start).zip(self.at(point));
        levels.map(|((&own, &start), &matters)| if matters { own } else { start }).collect()
    }

    /// Setups that there are, each counted once.
    pub(super) fn setups(&self, variables: &[Variable]) -> f64 {
        let of = |matters: &Vec<bool>| -> f64 {
            let levels = variables.iter().zip(matters).enumerate();
            let own =
                levels.filter(|(axis, (_, matters))| **matters && Some(*axis) != self.chooser);
            own.map(|(_, (one, _))| one.levels.len() as f64).product()
        };
        self.concerns.iter().map(of).sum()
    }
}
