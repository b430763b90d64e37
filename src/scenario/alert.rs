//! Alerts: rules on what happens in a run.

use super::objective::Objective;
use super::quantity;
use super::section::{ConfigTable, Diagnostics};
use crate::metrics::{AlertRule, Signal, SignalKind};
use crate::problem::clip;
use crate::units::Span;

/// Words of the signals.
pub(super) const SIGNALS: &[&str] = &{
    let mut names = [""; Signal::ALL.len()];
    let mut row = 0;
    while row < names.len() {
        names[row] = Signal::ALL[row].name();
        row += 1;
    }
    names
};

/// Most windows of a rule.
const MOST_WINDOWS: usize = 4;
/// Longest window of a rule.
const LONGEST: Span = Span::from_secs(366 * 86_400);

/// Reads `[[alert]]` of a scenario with these objectives.
pub(super) fn read(
    root: &ConfigTable,
    objectives: &[Objective],
    report: &mut Diagnostics<'_>,
) -> Vec<AlertRule> {
    let sections = root.list("alert").iter().enumerate();
    let horizon = root.span("horizon");
    sections
        .filter_map(|(row, section)| rule(section, row, (objectives, horizon), report))
        .collect()
}

fn rule(
    section: &ConfigTable,
    row: usize,
    promised: (&[Objective], Option<Span>),
    report: &mut Diagnostics<'_>,
) -> Option<AlertRule> {
    section.require("signal", report);
    let signal = Signal::named(section.text("signal")?)?;
    let over = windows(section, report);
    match (signal.kind(), section.has("over")) {
        (SignalKind::Count | SignalKind::Share, false) => {
            let message = format!("`{}` is counted over windows", signal.name());
            report.hint(&section.spot("signal"), message, "say which: `over = [\"1 h\"]`");
        }
        (SignalKind::Age, true) => {
            let message = format!("`{}` is taken at the moment, not over windows", signal.name());
            report.hint(&section.spot("over"), message, "leave out `over`");
        }
        (SignalKind::Count | SignalKind::Share, true) => {}
        (SignalKind::Age, false) | (SignalKind::Level | SignalKind::Budget, _) => {}
    }
    let given = ["above", "below", "burn"].map(|key| section.has(key));
    let threshold = match given {
        [true, false, false] => threshold(section, "above", signal, report),
        [false, true, false] if signal.kind() == SignalKind::Age => {
            let hint = "an alert on who waits longest has `above`";
            report.hint(&section.spot("below"), "`oldest_wait` is 0 where nobody waits", hint);
            None
        }
        [false, true, false] => threshold(section, "below", signal, report),
        [false, false, true] => burnt(section, signal, promised, report),
        _ => {
            let message = "an alert has one of `above`, `below` and `burn`";
            report.hint(&section.range, message, "such as `above = 100`");
            None
        }
    };
    if signal.unit() == "share" && !given[1] && threshold.is_some_and(|share| share >= 1.0) {
        let message = "no share is above 100 %, so the alert never begins";
        let spot = if given[2] { "burn" } else { "above" };
        report.hint(&section.spot(spot), message, "make the threshold lower");
    }
    let name = section.text("name").map_or_else(|| format!("alert {}", row + 1), clip);
    let lasting = section.span("for").unwrap_or(Span::ZERO);
    let above = !given[1];
    Some(AlertRule { name, signal, above, threshold: threshold?, lasting, over })
}

/// The windows in `over`.
fn windows(section: &ConfigTable, report: &mut Diagnostics<'_>) -> Vec<Span> {
    let mut all = Vec::new();
    for (text, range) in section.texts("over") {
        match quantity::span(text).filter(|span| (Span::from_micros(1)..=LONGEST).contains(span)) {
            Some(span) => all.push(span),
            None => {
                let message = format!("`over` has windows up to 366 d, found `{}`", clip(text));
                report.hint(range, message, "write `[\"1 h\", \"5 min\"]`");
            }
        }
    }
    if section.texts("over").len() > MOST_WINDOWS || (section.has("over") && all.is_empty()) {
        let message = format!("`over` has from 1 to {MOST_WINDOWS} windows");
        report.hint(&section.spot("over"), message, "write `[\"1 h\", \"5 min\"]`");
    }
    all
}

/// The threshold in the signal's unit.
fn threshold(
    section: &ConfigTable,
    key: &str,
    signal: Signal,
    report: &mut Diagnostics<'_>,
) -> Option<f64> {
    let text = section.text(key)?;
    let (read, example) = match signal.unit() {
        "s" => (quantity::span(text).map(Span::secs_f64), "\"10 min\""),
        "share" => {
            let share = quantity::percent(text).filter(|share| (0..=1_000_000).contains(share));
            (share.map(|share| share as f64 / 1e6), "\"90 %\"")
        }
        "USD per h" => (quantity::rate(text).map(|rate| rate.picos() as f64 / 1e12), "\"5 USD/h\""),
        _ => (text.parse().ok().filter(|count| (0.0..=1e12).contains(count)), "100"),
    };
    if read.is_none() {
        let message = format!("`{key}` of `{}` cannot be `{}`", signal.name(), clip(text));
        report.hint(&section.spot(key), message, format!("write `{key} = {example}`"));
    }
    read
}

/// The threshold that a burn rate stands for: so many times what the objective allows.
fn burnt(
    section: &ConfigTable,
    signal: Signal,
    (objectives, horizon): (&[Objective], Option<Span>),
    report: &mut Diagnostics<'_>,
) -> Option<f64> {
    let burn = section.number("burn")?;
    let whole = |key: &str| {
        let mut all = objectives.iter().filter(|one| one.metric.key == key);
        all.find(|one| one.window.is_none())
    };
    let hours = |span: Span| span.secs_f64() / 3_600.0;
    let (allowed, needs) = match signal {
        Signal::DeadlinesMissed => {
            (whole("deadlines_met").map(|one| 1.0 - one.bound), "`objectives.deadlines_met`")
        }
        Signal::Spend => {
            let of_run = || Some(whole("cost_total")?.bound / hours(horizon?));
            let of_window = |one: &Objective| Some(one.bound / hours(one.window?.width));
            let allowed = objectives
                .iter()
                .filter(|one| one.metric.key == "cost_total")
                .find_map(of_window)
                .or_else(of_run);
            (allowed, "`objectives.cost_total` with a `window`, or with a `horizon`")
        }
        Signal::Waiting
        | Signal::OldestWait
        | Signal::Running
        | Signal::UtilisationCpu
        | Signal::UtilisationGpu
        | Signal::Down
        | Signal::Failures
        | Signal::Interruptions
        | Signal::RefusedLaunches
        | Signal::BudgetSpent
        | Signal::BudgetForecast => {
            let message = format!("`{}` uses up no objective", signal.name());
            let hint =
                "`burn` is of `deadlines_missed` and `spend`; others have `above` or `below`";
            report.hint(&section.spot("burn"), message, hint);
            return None;
        }
    };
    if allowed.is_none() {
        let message = format!("`burn` of `{}` needs {needs}", signal.name());
        report.hint(&section.spot("burn"), message, "it is the pace that would just keep it");
    }
    allowed.map(|allowed| burn * allowed)
}
