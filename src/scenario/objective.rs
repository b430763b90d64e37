//! Objectives: promises that a run keeps or breaks.

use super::identity::exact_span;
use super::section::{ConfigEntry, ConfigTable, Diagnostics};
use super::value::Value;
use crate::metrics::{Direction, METRICS, Metric, Summary, WindowSum, WindowValue, Windows};
use crate::units::Span;
use crate::units::rank::nearest_rank;
use crate::units::rounding::at_most;

/// A promise: a metric, and the bound that it must keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// Metric that is measured.
    pub metric: &'static Metric,
    /// Side of the bound on which it must lie.
    pub comparison: BoundDirection,
    /// The bound in its base unit: seconds, dollars, a share from 0 to 1, hours, or a ratio.
    pub bound: f64,
    /// Text of the bound as the scenario says it: `>= 99 %`, `>= 99 % in every window of 1 h`.
    pub text: String,
    /// Windows that must keep the bound, each by itself; `None` if the run as a whole must.
    pub window: Option<ObjectiveWindow>,
}

/// Windows of the clock, of which a share must keep a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectiveWindow {
    /// Length of a window.
    pub width: Span,
    /// Share of the windows that must keep the bound, above 0 and at most 1.
    pub share: f64,
}

/// Side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundDirection {
    /// At least the bound: `>=`.
    AtLeast,
    /// At most the bound: `<=`.
    AtMost,
}

impl ObjectiveWindow {
    /// Words for the windows: `in every window of 1 h`, `in 95 % of all windows of 1 h`.
    fn words(self) -> String {
        let width = exact_span(self.width);
        match self.share < 1.0 {
            true => format!("in {} % of all windows of {width}", percent(self.share)),
            false => format!("in every window of {width}"),
        }
    }

    /// The value that the share of the windows keeps: of all windows the worst; `None` without any.
    fn value(self, comparison: BoundDirection, windows: &[WindowValue]) -> Option<f64> {
        let mut values: Vec<f64> = windows.iter().map(|window| window.value).collect();
        values.sort_unstable_by(f64::total_cmp);
        if comparison == BoundDirection::AtLeast {
            values.reverse();
        }
        let rank = nearest_rank(self.share, values.len() as u64);
        values.get(rank as usize - 1).copied()
    }
}

impl Objective {
    /// Value that is held to the bound: the metric of the run, or of its windows the one that the
    /// promised share of them keeps. `None` if there is nothing to measure.
    pub fn value(&self, summary: &Summary, windows: &[WindowValue]) -> Option<f64> {
        let value = match self.window {
            None => (self.metric.of)(summary),
            Some(window) => window.value(self.comparison, windows),
        };
        value.filter(|value| !value.is_nan())
    }

    /// Words for its windows, after a space; empty if it is of the run.
    pub fn in_windows(&self) -> String {
        self.window.map_or_else(String::new, |window| format!(" {}", window.words()))
    }

    /// Name among the objectives of a scenario: `cost_total`, `cost_total per 1 d`.
    pub fn name(&self) -> String {
        match self.window {
            None => self.metric.key.to_owned(),
            Some(window) => format!("{} per {}", self.metric.key, exact_span(window.width)),
        }
    }

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

/// Reads `[objectives]` of a scenario with this horizon.
pub(super) fn read(
    section: &ConfigTable,
    horizon: Option<Span>,
    report: &mut Diagnostics<'_>,
) -> Vec<Objective> {
    let mut objectives = Vec::new();
    for entry in &section.entries {
        let known = metrics().find(|(metric, _)| metric.key == entry.name);
        let Some((metric, _)) = known else { continue };
        let whole = PromisedMetric { metric, window: None };
        match &entry.node.value {
            Value::Table(table) => {
                objectives.extend(table.entry("bound").and_then(|one| whole.read(one, report)));
                let window = window(metric, (entry, table), horizon, report);
                let each = PromisedMetric { metric, window };
                let bound = table.entry("each").and_then(|one| each.read(one, report));
                objectives.extend(bound.filter(|one| one.window.is_some()));
            }
            _ => objectives.extend(whole.read(entry, report)),
        }
    }
    objectives
}

/// A metric that is promised, over the run or in windows.
struct PromisedMetric {
    metric: &'static Metric,
    window: Option<ObjectiveWindow>,
}

impl PromisedMetric {
    fn read(&self, entry: &ConfigEntry, report: &mut Diagnostics<'_>) -> Option<Objective> {
        let &Self { metric, window } = self;
        let Value::Bound(comparison, bound, text) = &entry.node.value else { return None };
        let (name, high_is_good) = (metric.key, metric.better == Direction::Higher);
        if high_is_good != (*comparison == BoundDirection::AtLeast) {
            let (found, meant) = if high_is_good { ("<=", ">=") } else { (">=", "<=") };
            report.hint(
                &entry.node.range,
                format!("`{name}` cannot be promised to be `{text}`"),
                format!("did you mean `\"{}\"`?", text.replacen(found, meant, 1)),
            );
        }
        let text = match window {
            None => text.clone(),
            Some(window) => format!("{text} {}", window.words()),
        };
        Some(Objective { metric, comparison: *comparison, bound: *bound, text, window })
    }
}

/// A share in percent, with at most four decimals.
fn percent(share: f64) -> f64 {
    libm::round(share * 1e6) / 1e4
}

/// Shortest window.
const SHORTEST: Span = Span::from_secs(60);

/// The windows of the objective in `table`, the value of `entry`.
fn window(
    metric: &'static Metric,
    (entry, table): (&ConfigEntry, &ConfigTable),
    horizon: Option<Span>,
    report: &mut Diagnostics<'_>,
) -> Option<ObjectiveWindow> {
    let (each, window) = (table.has("each"), table.has("window"));
    if !each && !table.has("bound") {
        let hint = "`bound` is of the run, `each` of each `window`";
        report.hint(&entry.node.range, format!("`{}` has no bound", metric.key), hint);
    } else if each != window {
        let (has, lacks) = if each { ("each", "window") } else { ("window", "each") };
        let hint = "such as `{ each = \"<= 50 USD\", window = \"1 d\" }`";
        report.hint(&table.spot(has), format!("`{has}` needs `{lacks}`"), hint);
    } else if !each && table.has("share") {
        report.hint(&table.spot("share"), "`share` needs `each`", "it is a share of windows");
    }
    let width = table.span("window")?;
    let most = horizon.filter(|horizon| horizon.micros() / width.micros().max(1) > Windows::MOST);
    let wrong = if width < SHORTEST {
        Some(("a window is a minute or longer".to_owned(), "write `\"1 h\"`".to_owned()))
    } else if metric.window == Some(WindowSum::Cost) && width.micros() % Span::HOUR.micros() != 0 {
        let hint = "charges are cut at clock hours: write `\"1 h\"` or `\"1 d\"`";
        Some(("windows of a cost are whole hours".to_owned(), hint.to_owned()))
    } else {
        most.map(|_| {
            let most = format!("a run has at most {} windows", Windows::MOST);
            (most, "make the window longer, or the horizon shorter".to_owned())
        })
    };
    if let Some((message, hint)) = wrong {
        report.hint(&table.spot("window"), message, hint);
        return None;
    }
    let share = table.integer("share").map_or(1.0, |millionths| millionths as f64 / 1e6);
    Some(ObjectiveWindow { width, share })
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
            let (ValueKind::Bound(unit) | ValueKind::WindowBound(unit)) = key.kind else {
                panic!("{key:?}")
            };
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
            window: None,
        };
        assert!(objective.kept(10.0));
        assert!(!objective.kept(10.5));
        assert!(!objective.kept(f64::NAN));
    }
}
