//! Keys that `windtunnel plan` may decide, and how sure it is to be.

use super::section::{ConfigTable, Diagnostics};
use super::value::Value;
use crate::metrics::{Direction, METRICS};
use crate::problem::{clip, did_you_mean};

/// The table `[plan]`; what is not said is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanSpec {
    /// Keys and the values that they may have, as `--vary` takes them.
    pub vary: Vec<(String, String)>,
    /// Probability that the answer is right, 0 to 1.
    pub confidence: Option<f64>,
    /// Most runs.
    pub budget: Option<u32>,
    /// Key of the metric that is made small.
    pub minimise: Option<String>,
    /// Share of replications that keep all promises, 0 to 1; without it their means are held to
    /// the bounds.
    pub kept_in: Option<f64>,
    /// Differences within this share of what is made small do not matter, 0 to 1.
    pub margin: Option<f64>,
}

/// Reads `[plan]`.
pub(super) fn read(section: &ConfigTable, report: &mut Diagnostics<'_>) -> PlanSpec {
    let mut vary = Vec::new();
    for entry in &section.section("vary").entries {
        if let Value::Text(values) = &entry.node.value {
            vary.push((entry.name.clone(), values.clone()));
        }
    }
    let share = |name: &str| section.integer(name).map(|millionths| millionths as f64 / 1e6);
    let minimise = section.text("minimise").map(str::to_owned);
    if let Some(Err((message, hint))) = minimise.as_deref().map(minimised) {
        report.hint(&section.spot("minimise"), message, hint);
    }
    PlanSpec {
        vary,
        confidence: share("confidence"),
        budget: section.count32("budget"),
        minimise,
        kept_in: share("kept_in"),
        margin: share("margin"),
    }
}

/// The row in the table of metrics of one that can be made small.
///
/// # Errors
/// A message and a hint.
pub fn minimised(key: &str) -> Result<usize, (String, String)> {
    let small = |row: &usize| METRICS[*row].better != Direction::Higher;
    let row = METRICS.iter().position(|metric| metric.key == key);
    match row.filter(small) {
        Some(row) => Ok(row),
        None if row.is_some() => {
            let hint = "make it an objective, and minimise `cost_monthly`";
            Err((format!("`{key}` is better when it is larger"), hint.to_owned()))
        }
        None => {
            let known: Vec<&str> =
                (0..METRICS.len()).filter(small).map(|row| METRICS[row].key).collect();
            let hint = match did_you_mean(key, known.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("metrics: {}", known.join(", ")),
            };
            Err((format!("there is no metric called `{}`", clip(key)), hint))
        }
    }
}
