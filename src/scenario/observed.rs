//! Figures that were observed in sum, and that a backtest holds runs against. No run and no
//! policy sees them.

use super::composition::unknown_name;
use super::section::{ConfigTable, Diagnostics};
use crate::model::World;
use crate::problem::clip;
use crate::units::Money;

/// Figures of the real system over the time that the workload covers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Figures by key of [`Observed::KEYS`], in seconds, dollars, hours, numbers and shares from 0
    /// to 1.
    pub figures: Vec<(&'static str, f64)>,
    /// Dollars by provider or cluster.
    pub provider_cost: Vec<(String, Money)>,
}

impl Observed {
    /// Every figure that may be given. They are named like the metrics of
    /// reports, dollars with their unit.
    pub const KEYS: [&'static str; 11] = [
        "wait_mean",
        "wait_p50",
        "wait_p95",
        "makespan",
        "queue_length_mean",
        "utilisation_cpu",
        "utilisation_gpu",
        "core_hours",
        "gpu_hours",
        "instance_hours",
        "cost_usd",
    ];

    /// Whether nothing was observed.
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty() && self.provider_cost.is_empty()
    }
}

/// Reads `[observed]`.
pub(super) fn read(section: &ConfigTable, world: &World, report: &mut Diagnostics<'_>) -> Observed {
    let mut observed = Observed::default();
    for key in Observed::KEYS {
        let span = section.span(key).map(|span| span.secs_f64());
        let scaled = section.integer(key).map(|value| match key {
            "cost_usd" => value as f64 / 1e9,
            _ => value as f64 / 1e6,
        });
        observed.figures.extend(span.or(scaled).or(section.number(key)).map(|value| (key, value)));
    }
    let costs = section.section("provider_cost_usd");
    for entry in &costs.entries {
        let known: Vec<&str> =
            world.providers.rows().iter().map(|provider| provider.name.as_str()).collect();
        if !known.contains(&entry.name.as_str()) {
            let message = format!("there is no provider or cluster called `{}`", clip(&entry.name));
            report.hint(&entry.key, message, unknown_name(&entry.name, &known));
        }
        let cost = costs.integer(&entry.name).map(|nanos| Money::from_nanos(nanos.into()));
        observed.provider_cost.extend(cost.map(|cost| (entry.name.clone(), cost)));
    }
    observed
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{Scenario, key};

    const SMALL: &str = "question = \"?\"\n\
        [workload.synthetic]\ncount = 10\narrivals = { per_hour = 6 }\nclass.a.runtime = \"1 h\"\n\
        [cluster.c]\nnodes = 2\nshape = { vcpus = 4, memory = \"8 GiB\" }\n\
        [policy.p]\npreset = \"batch-fcfs\"\n[observed]\n";

    fn read(observed: &str) -> Result<Observed, String> {
        let text = format!("{SMALL}{observed}");
        let scenario = Scenario::parse(&text, "a.toml", Path::new(""), &[]);
        scenario.map(|scenario| scenario.observed).map_err(|problems| problems[0].to_string())
    }

    #[test]
    fn figures_come_in_their_units() {
        let found = read(
            "wait_mean = \"2 min\"\nutilisation_cpu = \"62.5 %\"\ncore_hours = 12\n\
             cost_usd = 10.50\nprovider_cost_usd = { c = 4 }\n",
        )
        .expect("it can be read");
        let want = [
            ("wait_mean", 120.0),
            ("utilisation_cpu", 0.625),
            ("core_hours", 12.0),
            ("cost_usd", 10.5),
        ];
        assert_eq!(found.figures, want);
        assert_eq!(found.provider_cost, [("c".to_owned(), Money::from_nanos(4_000_000_000))]);
        assert!(read("").expect("it can be read").is_empty());
        let unknown = read("provider_cost_usd = { d = 4 }\n").expect_err("there is no d");
        assert!(unknown.contains("no provider or cluster called `d`"), "{unknown}");
    }

    #[test]
    fn figures_and_keys_are_the_same_list() {
        let keys = key::children("observed").filter(|&key| key != "provider_cost_usd");
        assert_eq!(keys.collect::<Vec<_>>(), Observed::KEYS);
    }
}
