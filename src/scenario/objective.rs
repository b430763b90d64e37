//! Objectives: promises that a run keeps or breaks.

use super::section::{ConfigTable, Diagnostics};
use super::value::Value;
use crate::metrics::{Direction, METRICS, Metric};
use crate::units::rounding::at_most;

/// A promise: a metric, and the bound that it must keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// Metric that is measured.
    pub metric: &'static Metric,
    /// Side of the bound on which it must lie.
    pub comparison: BoundDirection,
    /// The bound in its base unit: seconds, dollars, a share from 0 to 1, or a ratio.
    pub bound: f64,
    /// Text of the bound as the scenario says it: `>= 99 %`.
    pub text: String,
}

/// Side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundDirection {
    /// At least the bound: `>=`.
    AtLeast,
    /// At most the bound: `<=`.
    AtMost,
}

impl Objective {
    /// Whether a measured value keeps the promise; one that differs from the bound by rounding
    /// does. A value that could not be measured (not a number) does not.
    pub fn kept(&self, value: f64) -> bool {
        match self.comparison {
            BoundDirection::AtLeast => at_most(self.bound, value),
            BoundDirection::AtMost => at_most(value, self.bound),
        }
    }
}

/// The metrics that a scenario may promise a bound of, each with a line for a reader.
pub(super) fn metrics() -> impl Iterator<Item = (&'static Metric, &'static str)> {
    METRICS.iter().filter_map(|metric| Some((metric, metric.objective?)))
}

/// Whether more of the metric with this key is better.
pub(super) fn high_is_good(key: &str) -> bool {
    Metric::named(key).is_some_and(|metric| metric.better == Direction::Higher)
}

/// Reads `[objectives]`.
pub(super) fn read(section: &ConfigTable, report: &mut Diagnostics<'_>) -> Vec<Objective> {
    let mut objectives = Vec::new();
    for entry in &section.entries {
        let known = metrics().find(|(metric, _)| metric.key == entry.name);
        let (Some((metric, _)), Value::Bound(comparison, bound, text)) = (known, &entry.node.value)
        else {
            continue;
        };
        let (name, high_is_good) = (metric.key, metric.better == Direction::Higher);
        if high_is_good != (*comparison == BoundDirection::AtLeast) {
            let (found, meant) = if high_is_good { ("<=", ">=") } else { (">=", "<=") };
            report.hint(
                &entry.node.range,
                format!("`{name}` cannot be promised to be `{text}`"),
                format!("did you mean `\"{}\"`?", text.replacen(found, meant, 1)),
            );
        }
        objectives.push(Objective {
            metric,
            comparison: *comparison,
            bound: *bound,
            text: text.clone(),
        });
    }
    objectives
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use crate::scenario::Scenario;
    use crate::scenario::key::{self, ValueKind};
    use crate::scenario::tests::SMALL;

    #[test]
    fn every_objective_is_a_key_with_a_side_and_a_unit() {
        let keys: Vec<&str> = key::children("objectives").collect();
        let all: Vec<&str> = metrics().map(|(metric, _)| metric.key).collect();
        assert_eq!(keys, all);
        for (metric, _) in metrics() {
            assert_ne!(metric.better, Direction::Neutral, "{metric:?}");
            let key = key::find(&format!("objectives.{}", metric.key)).expect("a key");
            let ValueKind::Bound(unit) = key.kind else { panic!("{key:?}") };
            let amount = unit.example().trim_start_matches(['<', '>', '=', ' ']);
            let side = if high_is_good(metric.key) { ">=" } else { "<=" };
            let text = format!("{SMALL}[objectives]\n{} = \"{side} {amount}\"\n", metric.key);
            let scenario =
                Scenario::parse(&text, "a.toml", Path::new(""), &[]).expect("it is right");
            assert_eq!(scenario.objectives[0].metric, metric);
        }
    }

    #[test]
    fn what_could_not_be_measured_is_not_kept() {
        let objective = Objective {
            metric: Metric::named("makespan").expect("a metric"),
            comparison: BoundDirection::AtMost,
            bound: 10.0,
            text: String::new(),
        };
        assert!(objective.kept(10.0));
        assert!(!objective.kept(10.5));
        assert!(!objective.kept(f64::NAN));
    }
}
