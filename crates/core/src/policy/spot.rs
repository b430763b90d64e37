//! Decisions on work with a deadline that may run on spot instances: which market to hold, where to
//! try for spot, and when to give it up.
//!
//! One instance is held at a time. A [`SpotPolicy`] sees a [`SpotView`] and answers with a
//! [`SpotDecision`]; whoever asks carries it out, and tells how it went. No decision changes
//! anything: what a policy remembers, it takes from [`SpotPolicy::observe`] and from what it is
//! told. All is integers, so that no tie depends on rounding.
//!
//! The policies are those of Wu et al., "Can't Be Late" (NSDI 2024), and of SkyNomad (NSDI 2027),
//! with the names of the papers.

mod availability;
mod cheapest;
mod greedy;
mod omniscient;
mod on_demand;
mod only;
mod progress;
mod sliced;
mod value;

pub use availability::UpAvailability;
pub use cheapest::UpCheapest;
pub use greedy::SafeGreedy;
pub use omniscient::Omniscient;
pub use on_demand::OnDemandOnly;
pub use only::SpotOnly;
pub use progress::UniformProgress;
pub use sliced::TimeSliced;
pub use value::UpValue;

use std::cmp::Ordering;
use std::fmt;

use crate::units::{Money, Rate, Span};

/// Work done in a microsecond on the reference machine.
const PER_MICRO: i128 = 1_000_000;

/// The instance that the work holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldMarket {
    /// No instance.
    Nothing,
    /// One on demand, in the zone of this number.
    OnDemand(usize),
    /// A spot instance, in the zone of this number.
    Spot(usize),
}

/// What is known of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpotZone {
    /// Price on demand.
    pub on_demand: Rate,
    /// Price of spot at present.
    pub spot: Rate,
    /// Number of the region that it lies in.
    pub region: u32,
    /// Price of bringing the work here from where it last ran.
    pub copy: Money,
}

/// What a decision may follow from.
#[derive(Clone, Copy, Debug)]
pub struct SpotView<'a> {
    /// Time since the work began.
    pub now: Span,
    /// Time from its begin until it must be done, more than 0.
    pub deadline: Span,
    /// Work that was done on the reference machine, in millionths of a microsecond, as
    /// [`crate::state::Progress`] counts it.
    pub done: i128,
    /// All of the work, likewise.
    pub total: i128,
    /// Time that an instance takes until it works on, whenever one is launched.
    pub restart: Span,
    /// The part of it that the instance held still needs.
    pub restart_left: Span,
    /// Time between two decisions: at least a microsecond.
    pub step: Span,
    /// The instance that is held. A spot instance that was lost is not.
    pub held: HeldMarket,
    /// Zone where the work last ran.
    pub worked: Option<usize>,
    /// All zones; at least one.
    pub zones: &'a [SpotZone],
}

impl SpotView<'_> {
    /// Work on the reference machine that `span` is enough for.
    fn work(span: Span) -> i128 {
        i128::from(span.micros()) * PER_MICRO
    }

    /// Work that is left.
    pub fn rest(&self) -> i128 {
        self.total - self.done
    }

    /// Whole steps until the deadline; negative behind it.
    pub fn steps_left(&self) -> i128 {
        let left = Self::work(self.deadline) - Self::work(self.now);
        left.div_euclid(Self::work(self.step))
    }

    /// Whole steps that the rest takes after so many restarts.
    pub fn steps_needed(&self, restarts: u32) -> i128 {
        let needed = self.rest() + Self::work(self.restart) * i128::from(restarts);
        let step = Self::work(self.step);
        needed.div_euclid(step) + i128::from(needed.rem_euclid(step) > 0)
    }

    /// Whether the deadline can only just be kept by whoever launches now: the safety net.
    pub fn is_last_call(&self) -> bool {
        self.steps_needed(1) >= self.steps_left()
    }

    /// Progress against that of work which advances evenly until the deadline, `lead` from now:
    /// less is behind it.
    pub fn standing(&self, lead: Span) -> Ordering {
        let even = i128::from((self.now + lead).micros()) * self.total;
        (self.done * i128::from(self.deadline.micros())).cmp(&even)
    }

    /// Zone of the instance held, or where the work last ran, or the first.
    pub fn zone_at_hand(&self) -> usize {
        match self.held {
            HeldMarket::OnDemand(zone) | HeldMarket::Spot(zone) => zone,
            HeldMarket::Nothing => self.worked.unwrap_or(0),
        }
    }

    /// Zone in which the rest is cheapest on demand, with what it costs to come there; the first of
    /// several. The zone that is held, if one is.
    pub fn refuge(&self) -> usize {
        if self.held != HeldMarket::Nothing {
            return self.zone_at_hand();
        }
        let cost = |zone: &SpotZone| {
            // In pico-dollars an hour times millionths of a microsecond.
            let copy = zone.copy.nanos() * 1_000 * 3_600_000_000 * PER_MICRO;
            i128::from(zone.on_demand.picos()) * self.rest() + copy
        };
        let costs = self.zones.iter().map(cost).enumerate();
        costs.min_by_key(|&(_, cost)| cost).map_or(0, |(zone, _)| zone)
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpotDecision {
    /// Go on with what is held, which may be nothing.
    Keep,
    /// Hold nothing.
    Stop,
    /// Launch on demand in this zone, in place of what is held.
    OnDemand(usize),
    /// Give back what is held, and launch spot in the first zone in order that has it; if none has.
    Spot(Otherwise),
}

/// What is to be done if no zone has spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// Go on with what was held, as if nothing had been tried.
    Keep,
    /// Hold nothing.
    Stop,
    /// Launch on demand in this zone.
    OnDemand(usize),
}

/// Decides for one piece of work.
pub trait SpotPolicy: fmt::Debug {
    /// Takes in what is seen, before each decision.
    fn observe(&mut self, view: &SpotView<'_>) {
        let _ = view;
    }

    /// The decision; for [`SpotDecision::Spot`] it puts the zones to be tried, in order, into
    /// `order`, which is empty before.
    fn decide(&self, view: &SpotView<'_>, order: &mut Vec<usize>) -> SpotDecision;

    /// Zones to be probed, now that `decision` was carried out; `view` shows what is held since.
    /// They go into `zones`, which is empty before. A probe launches spot, and gives it back at once.
    fn probes(&self, view: &SpotView<'_>, decision: SpotDecision, zones: &mut Vec<usize>) {
        let _ = (view, decision, zones);
    }

    /// Hears that spot was tried in `zone` at `now`, and whether it launched.
    fn tried(&mut self, zone: usize, launched: bool, now: Span) {
        let _ = (zone, launched, now);
    }

    /// Hears that `zone` was probed at `now`, and whether it had spot.
    fn probed(&mut self, zone: usize, launched: bool, now: Span) {
        let _ = (zone, launched, now);
    }

    /// Hears that the spot instance held in `zone` was lost.
    fn lost(&mut self, zone: usize) {
        let _ = zone;
    }
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::testing::{HOUR, VIEW, ZONES};
    use super::*;

    #[test]
    fn steps_are_rounded_against_the_work() {
        // 10 h of work, 20 h of time, steps of 600 s, a restart of 0.2 h.
        let view = SpotView { done: 2 * HOUR, now: Span::from_secs(3_599), ..VIEW };
        assert_eq!(view.rest(), 8 * HOUR);
        assert_eq!(view.steps_left(), 114, "19 h and a second");
        assert_eq!([0, 1, 2].map(|restarts| view.steps_needed(restarts)), [48, 50, 51]);
        let late = SpotView { now: Span::from_secs(72_001), ..VIEW };
        assert_eq!(late.steps_left(), -1);
        let exact = SpotView { done: 2 * HOUR + 1, ..view };
        assert_eq!(exact.steps_needed(0), 48);
    }

    #[test]
    fn the_last_call_is_the_last_step_at_which_a_launch_is_in_time() {
        // 50 steps are needed; 51 are left after 69 of 120.
        let at =
            |steps: i64| SpotView { done: 2 * HOUR, now: Span::from_secs(600 * steps), ..VIEW };
        assert_eq!([69, 70, 71].map(|steps| at(steps).is_last_call()), [false, true, true]);
    }

    #[test]
    fn standing_is_exact() {
        let at = |done, lead| SpotView { done, now: Span::HOUR, ..VIEW }.standing(lead);
        assert_eq!(at(HOUR / 2, Span::ZERO), Ordering::Equal);
        assert_eq!(at(HOUR / 2 - 1, Span::ZERO), Ordering::Less);
        assert_eq!(at(HOUR / 2, Span::from_micros(1)), Ordering::Less);
        assert_eq!(at(HOUR, Span::HOUR), Ordering::Equal);
    }

    #[test]
    fn a_refuge_weighs_the_way_against_the_rest() {
        // Zone 1 saves a dollar an hour, and costs 9 dollars to come to.
        assert_eq!(VIEW.refuge(), 1);
        assert_eq!(SpotView { done: HOUR, ..VIEW }.refuge(), 0, "a tie goes to the first");
        let held = SpotView { held: HeldMarket::Spot(2), ..VIEW };
        assert_eq!((held.refuge(), held.zone_at_hand()), (2, 2));
        assert_eq!(SpotView { worked: Some(1), ..VIEW }.zone_at_hand(), 1);
        assert_eq!(ZONES[1].region, ZONES[2].region);
    }
}
