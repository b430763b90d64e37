//! Beginning of a run: at the scenario's `start`, or else with the first arrival
//! of its trace.

use std::path::Path;

use super::trace::trace;
use super::transform;
use crate::model::{Market, World};
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Calendar, Money, Span, Time};
use crate::workload::{Defaults, OpenContext, WorkloadInput, WorkloadSpec};

/// 2026-01-01T00:00:00Z in microseconds since 1970: the start where nothing names one.
pub const NEW_YEAR_2026: i64 = 1_767_225_600_000_000;

/// Time before the first arrival that is worth a sentence.
const LONG: Span = Span::HOUR;

/// Beginning of a run, and the calendars of run and trace.
#[derive(Clone, Copy, Debug)]
pub(in crate::scenario) struct Opening {
    /// Calendar of the run.
    pub(in crate::scenario) calendar: Calendar,
    /// Calendar of the trace, before it is moved to the run's start.
    pub(super) clock: Calendar,
    /// Span from the trace's time zero to the run's beginning.
    pub(super) begins: Span,
}

/// Opening of a scenario's run. Problems are found later, when the trace is read again.
pub(in crate::scenario) fn opening(
    root: &ConfigTable,
    base: &Path,
    report: &Diagnostics<'_>,
) -> Opening {
    let at = |unix: i64| {
        let calendar = Calendar::from_unix_micros(unix);
        Opening { calendar, clock: calendar, begins: Span::ZERO }
    };
    if let Some(start) = root.integer("start") {
        return at(start);
    }
    let mut aside = Diagnostics::new(report.document, Vec::new());
    let section = root.section("workload");
    let Some((trace, _)) = trace(&section, base, &mut aside) else { return at(NEW_YEAR_2026) };
    let zero = trace.zero_unix();
    let clock = Calendar::from_unix_micros(zero.unwrap_or(NEW_YEAR_2026));
    let transforms = transform::read(&section, clock, &mut aside);
    let spec = WorkloadSpec {
        input: WorkloadInput::Trace(trace),
        defaults: Defaults::default(),
        transforms,
    };
    let context = OpenContext { seed: 1, calendar: clock, keep_names: false, capacity: None };
    let begins = spec.late_beginning(&context);
    let calendar = match zero {
        Some(_) => Calendar::from_unix_micros(clock.unix_micros(Time::ZERO + begins)),
        None => clock,
    };
    Opening { calendar, clock, begins }
}

/// The cost of the time before the first arrival, where the scenario has the
/// run begin long before that and machines are paid for all along.
pub(in crate::scenario) fn early_start_problem(
    spec: &WorkloadSpec,
    world: &World,
    context: &OpenContext,
) -> Option<String> {
    let standing: i128 = world
        .offers
        .rows()
        .iter()
        .filter(|offer| offer.market == Market::Owned)
        .map(|offer| i128::from(offer.price.first.picos()) * i128::from(offer.running_at_start))
        .sum();
    if standing == 0 || spec.input.trace().is_none() {
        return None;
    }
    let first = spec.first_arrival(context).ok().flatten()?;
    let before = first - Time::ZERO;
    if before < LONG {
        return None;
    }
    let hour = i128::from(Span::HOUR.micros());
    let cost = Money::from_nanos(standing * i128::from(before.micros()) / hour / 1_000);
    Some(format!(
        "The first work arrives {before} after `start`; owned machines cost {cost} until then. \
         Without `start`, the run begins with the first arrival."
    ))
}
