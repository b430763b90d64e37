//! Assumptions of a scenario, and the policies that they concern.

use std::fmt;

use super::{Scenario, definition};
use crate::model::Market;
use crate::problem::clip;

/// Assumption that a reader of an answer must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    words: String,
    scope: AssumptionScope,
}

/// Policies that an assumption concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AssumptionScope {
    /// All policies.
    Everybody,
    /// Policies that may rent anything.
    Renters,
    /// Policies that may rent from this provider, on this market if one is named.
    RentersFrom(String, Option<Market>),
}

impl Assumption {
    pub(super) fn new(scope: AssumptionScope, words: impl Into<String>) -> Self {
        Self { words: words.into(), scope }
    }
}

/// An assumption that concerns all policies.
impl From<String> for Assumption {
    fn from(words: String) -> Self {
        Self::new(AssumptionScope::Everybody, words)
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words)
    }
}

impl Scenario {
    /// Assumptions where the policies in these rows run: those of clouds from which one of them may
    /// rent, and all others.
    pub fn assumed(&self, rows: &[usize]) -> Vec<String> {
        let world = &self.world;
        let mut rented: Vec<(&str, Market)> = Vec::new();
        for offer in self.rentable(rows) {
            let provider = &world.providers[world.provider_of(offer)];
            let own = (provider.name.as_str(), world.offers[offer].market);
            if !rented.contains(&own) {
                rented.push(own);
            }
        }
        let concerns = |one: &&Assumption| match &one.scope {
            AssumptionScope::Everybody => true,
            AssumptionScope::Renters => !rented.is_empty(),
            AssumptionScope::RentersFrom(name, market) => rented
                .iter()
                .any(|(own, on)| own == name && market.is_none_or(|market| market == *on)),
        };
        let of_all = self.assumptions.iter().filter(concerns).map(Assumption::to_string);
        let of_rows = self.policy_assumptions.iter().filter(|(row, _)| rows.contains(row));
        let made = rows.iter().filter_map(|&row| self.policies.get(row)).filter_map(|policy| {
            let is_made = policy.factory.is_none() && definition(self, &policy.name).is_empty();
            let name = clip(&policy.name);
            is_made
                .then(|| format!("policy `{name}` was made in code: the scenario does not have it"))
        });
        of_all.chain(of_rows.map(|(_, told)| told.clone())).chain(made).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// An owned cluster, a cloud with two markets, one beside it, and policies that may rent
    /// nothing, on one market of the first, and anything.
    #[test]
    fn clouds_that_no_policy_can_use_are_not_told_of() {
        let text = "question = \"?\"\n[workload.synthetic]\ncount = 1\narrivals = { per_hour = 3 }\n\
             class.a = { runtime = \"1 h\", vcpus = 1 }\n[cluster.c]\nnodes = 1\n\
             shape = { vcpus = 1, memory = \"8 GiB\" }\n\
             [cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.large\"]\nmarkets = [\"on-demand\", \"spot\"]\n\
             [cloud.gcp]\nregions = [\"us-central1\"]\n\
             [policy.own]\npreset = \"batch-fcfs\"\n\
             [policy.aws]\npreset = \"cloud-burst\"\n\
             [policy.aws.provision.cheapest]\nproviders = [\"aws\"]\nmarkets = [\"on-demand\"]\n\
             [policy.all]\npreset = \"cloud-burst\"\n\
             [policy.all.provision.cheapest]\nmarkets = [\"on-demand\", \"spot\"]\n";
        let base = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scenario = Scenario::parse(text, "a.toml", base, &[]).expect("a scenario");
        let told = |rows: &[usize]| {
            let all = scenario.assumed(rows).join(" ");
            let has = |words: &str| all.contains(words);
            [
                has("Machines of c cost nothing"),
                has("List prices of aws"),
                has("Spot instances of aws"),
                has("List prices of gcp"),
                has("Data that leaves owned clusters is free"),
            ]
        };
        let row = |name: &str| {
            let at = scenario.policies.iter().position(|policy| policy.name == name);
            at.expect("a policy")
        };
        assert_eq!(told(&[row("own")]), [true, false, false, false, false]);
        assert_eq!(told(&[row("aws")]), [true, true, false, false, true]);
        assert_eq!(told(&[row("all")]), [true; 5]);
        assert_eq!(told(&[row("own"), row("aws")]), [true, true, false, false, true]);
        // Another program may rent whatever is offered.
        let other = format!(
            "{text}[policy.ext]\npreset = \"batch-fcfs\"\nprovision = {{ external = [\"true\"] }}\n"
        );
        let other = Scenario::parse(&other, "a.toml", base, &[]).expect("a scenario");
        let row = other.policies.iter().position(|policy| policy.name == "ext").expect("a policy");
        assert!(other.assumed(&[row]).join(" ").contains("List prices of gcp"));
    }
}
