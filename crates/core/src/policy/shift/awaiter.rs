//! Holds work until the quantity that it waits for is low.

use super::signal::{AwaitedQuantity, Forecast};
use super::slots::{Slots, best_start};
use super::{ShiftPlan, ShiftRule};
use crate::model::{StepPath, WorkKind};
use crate::part::{Parameter, PartSettings, Setting, SettingKind};
use crate::state::{LiveWork, State, WorkRef, run_length};
use crate::units::{Span, Time};

pub(super) const INTERRUPT: Parameter = Parameter {
    name: "interrupt",
    kind: SettingKind::Flag,
    default: Setting::Flag(false),
    doc: "Work that resumes may pause: it runs in the best pieces of its time, not in the best one.",
};

/// Words of [`FORECAST`].
const FORECASTS: &[&str] = &["perfect", "yesterday"];

pub(super) const FORECAST: Parameter = Parameter {
    name: "forecast",
    kind: SettingKind::Word(FORECASTS),
    default: Setting::Word(FORECASTS[0]),
    doc: "What is foreseen: what will be, or what was at the same time of the last day, day after day.",
};

pub(super) const SLACK: Parameter = Parameter {
    name: "slack",
    kind: SettingKind::Span,
    default: Setting::Unset("none"),
    doc: "Longest time that work is held after its arrival, also where it has no deadline. Without it only work with a deadline is held; with both the earlier end counts.",
};

pub(super) const MARGIN: Parameter = Parameter {
    name: "margin",
    kind: SettingKind::Span,
    default: Setting::Unset("estimated"),
    doc: "Time that is left before the deadline beside the estimate. Estimated: the time in which 999 of 1,000 boots are over, where they take longest.",
};

/// Holds work with an estimate until the time that its quantity is least over its run, or pauses it.
#[derive(Debug)]
pub(super) struct Awaiter {
    quantity: AwaitedQuantity,
    interrupts: bool,
    forecast: Forecast,
    slack: Option<Span>,
    margin: Option<Span>,
    /// Time in which 999 of 1,000 boots are over, where they take longest.
    boot: Span,
    /// Slowest speed of what may be used, in millionths; no more than the reference machine's.
    speed: u32,
    /// The quantity over time, if it is known.
    path: Option<StepPath>,
    /// What is foreseen of it until the work last planned is to be done.
    pub(super) foreseen: StepPath,
    slots: Slots,
}

impl Awaiter {
    pub(super) fn new(
        quantity: AwaitedQuantity,
        interrupts: bool,
        settings: &PartSettings,
    ) -> Self {
        let forecast = match settings.word(FORECAST.name) {
            "yesterday" => Forecast::Yesterday,
            _ => Forecast::Perfect,
        };
        Self {
            quantity,
            interrupts,
            forecast,
            slack: settings.span(SLACK.name),
            margin: settings.span(MARGIN.name),
            boot: Span::ZERO,
            speed: 1_000_000,
            path: None,
            foreseen: StepPath::constant(0),
            slots: Slots::default(),
        }
    }

    /// Time in which 999 of 1,000 boots are over, where they take longest.
    pub(super) const fn boot(&self) -> Span {
        self.boot
    }

    /// Time that is left before the deadline beside the estimate.
    pub(super) fn margin(&self) -> Span {
        self.margin.unwrap_or(Span::ZERO)
    }

    /// Slowest speed of what may be used, in millionths; no more than the reference machine's.
    pub(super) const fn speed(&self) -> u32 {
        self.speed
    }

    /// Time for `rest` on the slowest machine that may be used.
    pub(super) fn run_of(&self, rest: Span) -> Span {
        run_length(rest, self.speed)
    }

    /// Foresees the quantity until `work` that takes `run` is to be done, or for so much longer, and returns
    /// the first of these times, if it is later than the work could be done.
    pub(super) fn foresee(
        &mut self,
        state: &State<'_>,
        work: WorkRef,
        run: Span,
        longer: Span,
    ) -> Option<Time> {
        let (now, live, path) = (state.now(), state.work(work), self.path.as_ref()?);
        let end = self.end(live, run).filter(|&end| now.saturating_add(run) < end);
        let end = end.filter(|_| live.kind == WorkKind::Job && run > Span::ZERO)?;
        self.forecast.fill(path, now, end.saturating_add(longer), &mut self.foreseen);
        Some(end)
    }

    /// Latest end of work of which `run` is left, where it may wait at all.
    fn end(&self, live: &LiveWork, run: Span) -> Option<Time> {
        let margin = self.margin();
        let by_deadline = live
            .ask
            .deadline
            .map(|deadline| Time::from_micros(deadline.micros().saturating_sub(margin.micros())));
        // Held in all, pauses included, for no longer than the slack.
        let whole = live.ask.estimate.map_or(run, |estimate| run_length(estimate, self.speed));
        let by_slack =
            self.slack.map(|slack| live.arrival.saturating_add(slack).saturating_add(whole));
        by_deadline.into_iter().chain(by_slack).min()
    }
}

impl ShiftRule for Awaiter {
    fn begin(&mut self, state: &State<'_>) {
        self.path = self.quantity.path(state);
        let world = state.world();
        let used = world.offers.ids().filter(|&offer| state.uses(offer));
        for offer in used {
            self.speed = self.speed.min(world.type_of(offer).speed.max(1));
            self.boot = self.boot.max(world.offers[offer].boot_within(0.999));
        }
        self.margin = self.margin.or(Some(self.boot));
    }

    fn plan(&mut self, state: &State<'_>, work: WorkRef, rest: Option<Span>) -> ShiftPlan {
        let (now, live) = (state.now(), state.work(work));
        let at_once = ShiftPlan { start: now, pause: None, tasks: None };
        let moves = self.path.as_ref().is_some_and(StepPath::moves);
        let Some(run) = rest.filter(|_| moves).map(|rest| self.run_of(rest)) else {
            return at_once;
        };
        let Some(end) = self.foresee(state, work, run, Span::ZERO) else { return at_once };
        let ask = &live.ask;
        if self.interrupts && ask.keeps_progress() && (ask.tasks == 1 || ask.gang) {
            let (start, pause, is_last) = self.slots.first(&self.foreseen, (now, end), run);
            return ShiftPlan { start, pause: (!is_last).then_some(pause), tasks: None };
        }
        let latest = Time::from_micros(end.micros() - run.micros());
        let start = best_start(&self.foreseen, now, latest, run);
        ShiftPlan { start, pause: None, tasks: None }
    }
}
