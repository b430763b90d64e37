//! Work that can never run, and names that nothing has.

use super::super::caution::missing_markets;
use super::super::survey::Survey;
use crate::metrics::asked;
use crate::problem::{Problem, clip};
use crate::scenario::Scenario;

pub(super) fn warn(scenario: &Scenario, survey: &Survey, warnings: &mut Vec<Problem>) {
    for unknown in &survey.unknown_names {
        let message = unknown.counted();
        warnings.push(scenario.problem("workload", message).hint(unknown.hint.clone()));
    }
    let all = scenario.policies.iter().zip(&survey.impossible);
    let mut told: Vec<(&str, u64)> = Vec::new();
    for (policy, found) in all.clone() {
        let Some((work, ask)) = &found.first else { continue };
        // Policies that can do the same are told of once.
        if told.iter().any(|&(first, pieces)| first == work && pieces == found.pieces) {
            continue;
        }
        told.push((work, found.pieces));
        let alike: Vec<String> = all
            .clone()
            .filter(|(_, other)| {
                other.pieces == found.pieces
                    && other.first.as_ref().is_some_and(|(first, _)| first == work)
            })
            .map(|(policy, _)| clip(&policy.name))
            .collect();
        let of = if alike.len() == scenario.policies.len() {
            "any policy".to_owned()
        } else {
            alike.join(", ")
        };
        let fit = if found.pieces == 1 { "fits" } else { "fit" };
        let message = format!(
            "{} of {} pieces of work {fit} nowhere under {of} and will be refused",
            found.pieces, survey.pieces
        );
        let hint = format!("the first is `{work}`, which asks for {}", asked(ask));
        warnings.push(scenario.problem(&policy_key(&policy.name), message).hint(hint));
    }
    for policy in &scenario.policies {
        for market in missing_markets(scenario, policy) {
            let message = format!(
                "policy {} rents on the {} market, and nothing that it may rent is sold on it",
                clip(&policy.name),
                market.name()
            );
            let key = format!("{}.provision", policy_key(&policy.name));
            warnings.push(scenario.problem(&key, message));
        }
    }
    for (policy, rentals) in scenario.policies.iter().zip(&survey.rentals) {
        if let Some(told) = rentals.statement() {
            let key = format!("{}.provision", policy_key(&policy.name));
            let message = format!("policy {} {told}", clip(&policy.name));
            warnings.push(scenario.problem(&key, message));
        }
    }
}

/// The dotted key of a policy.
pub(super) fn policy_key(name: &str) -> String {
    format!("policy.\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
