//! Uniform Progress: as far as work that advances evenly (Wu et al., NSDI 2024).

use std::cmp::Ordering;

use super::{HeldMarket, Otherwise, SpotDecision, SpotPolicy, SpotView};
use crate::units::Span;

/// Uniform Progress in one zone, or in the first that has spot.
///
/// Spot where there is any. Where there is none it waits while it is ahead of even progress, and is
/// on demand when it is behind. It leaves on demand only when it is ahead by more than two restarts
/// (hysteresis), and near the deadline no more.
#[derive(Clone, Copy, Debug, Default)]
pub struct UniformProgress;

impl SpotPolicy for UniformProgress {
    fn decide(&self, view: &SpotView<'_>, order: &mut Vec<usize>) -> SpotDecision {
        let on_demand = matches!(view.held, HeldMarket::OnDemand(_));
        match Schedule::Nsdi24.wish(view, view.held, true) {
            Wish::Nothing => SpotDecision::Stop,
            Wish::OnDemand if on_demand => SpotDecision::Keep,
            Wish::OnDemand => SpotDecision::OnDemand(view.zone_at_hand()),
            Wish::Spot if matches!(view.held, HeldMarket::Spot(_)) => SpotDecision::Keep,
            Wish::Spot => {
                order.extend(0..view.zones.len());
                SpotDecision::Spot(match Schedule::Nsdi24.wish(view, view.held, false) {
                    Wish::OnDemand if on_demand => Otherwise::Keep,
                    Wish::OnDemand => Otherwise::OnDemand(view.zone_at_hand()),
                    Wish::Nothing | Wish::Spot => Otherwise::Stop,
                })
            }
        }
    }
}

/// The rule of Uniform Progress as two programs have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    /// That of "Can't Be Late": on demand when two restarts fill the time that is left.
    Nsdi24,
    /// That of SkyNomad: on demand when they are more than that.
    Nsdi27,
}

/// What is to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    OnDemand,
    Spot,
}

impl Schedule {
    /// What is to be held after `held`, if there is spot or there is none.
    pub(super) fn wish(self, view: &SpotView<'_>, held: HeldMarket, has_spot: bool) -> Wish {
        let (on_spot, on_demand) = match held {
            HeldMarket::Nothing => (false, false),
            HeldMarket::OnDemand(_) => (false, true),
            HeldMarket::Spot(_) => (true, false),
        };
        if view.is_last_call() {
            let works = on_spot && view.restart_left == Span::ZERO;
            let costless = view.restart == Span::ZERO && has_spot;
            return if works || costless { Wish::Spot } else { Wish::OnDemand };
        }
        let (needed, left) = (view.steps_needed(2), view.steps_left());
        let pressed = match self {
            Self::Nsdi24 => needed >= left,
            Self::Nsdi27 => needed > left,
        };
        let stays = on_demand && (!has_spot || !is_ahead(view));
        if (pressed && !on_spot) || stays {
            return Wish::OnDemand;
        }
        match view.standing(Span::ZERO) {
            _ if has_spot => Wish::Spot,
            Ordering::Less => Wish::OnDemand,
            Ordering::Equal | Ordering::Greater => Wish::Nothing,
        }
    }
}

/// Whether the work is ahead of even progress by more than two restarts.
fn is_ahead(view: &SpotView<'_>) -> bool {
    view.standing(view.restart + view.restart) == Ordering::Greater
}

/// The rule of SkyNomad for several zones, of which nobody knows before a try whether they have
/// spot: on demand is given back for a try, and where no zone has spot, the question is asked again
/// of who holds nothing. On demand is launched in zone `fallback` then.
pub(super) fn in_several_zones(view: &SpotView<'_>, fallback: usize) -> SpotDecision {
    match Schedule::Nsdi27.wish(view, view.held, true) {
        Wish::Nothing => SpotDecision::Stop,
        Wish::OnDemand if matches!(view.held, HeldMarket::OnDemand(_)) => SpotDecision::Keep,
        Wish::OnDemand => SpotDecision::OnDemand(view.zone_at_hand()),
        Wish::Spot if matches!(view.held, HeldMarket::Spot(_)) => SpotDecision::Keep,
        Wish::Spot => {
            SpotDecision::Spot(match Schedule::Nsdi27.wish(view, HeldMarket::Nothing, false) {
                Wish::OnDemand => Otherwise::OnDemand(fallback),
                Wish::Nothing | Wish::Spot => Otherwise::Stop,
            })
        }
    }
}

/// The same of who ranks zones: `order` holds all of them, the best first, and is emptied where nothing
/// is tried. Spot that is held is left for a better zone unless it `stays` in its own.
pub(super) fn in_best_zone(
    view: &SpotView<'_>,
    decision: SpotDecision,
    order: &mut Vec<usize>,
    stays: impl Fn(usize, usize) -> bool,
) -> SpotDecision {
    match (decision, view.held) {
        (SpotDecision::Spot(_), _) => return decision,
        // Its own zone has spot, and is in the order.
        (SpotDecision::Keep, HeldMarket::Spot(zone)) if !stays(zone, order[0]) => {
            return SpotDecision::Spot(Otherwise::Keep);
        }
        (SpotDecision::Keep | SpotDecision::Stop | SpotDecision::OnDemand(_), _) => {}
    }
    order.clear();
    decision
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decided, view};
    use super::*;
    use HeldMarket::{Nothing, OnDemand, Spot};

    const TRIES: [usize; 3] = [0, 1, 2];

    /// Even progress is 300 s in a step of 600 s; two restarts are 1,440 s, so 720 s of work.
    #[test]
    fn it_waits_ahead_and_works_behind() {
        let table = [
            // On schedule it waits, a second behind it does not.
            (10, 3_000, Nothing, Otherwise::Stop),
            (10, 2_999, Nothing, Otherwise::OnDemand(0)),
            // Ahead by more than two restarts it leaves on demand, if there is spot.
            (10, 3_721, OnDemand(1), Otherwise::Keep),
        ];
        for (steps, done, held, want) in table {
            let got = decided(&UniformProgress, &view(steps, done, held));
            assert_eq!(got, (SpotDecision::Spot(want), TRIES.to_vec()), "{steps} {done} {held:?}");
        }
        for (done, held) in [(3_720, OnDemand(1)), (0, OnDemand(1)), (0, Spot(2)), (9_000, Spot(2))]
        {
            let got = decided(&UniformProgress, &view(10, done, held));
            assert_eq!(got, (SpotDecision::Keep, vec![]), "{done} {held:?}");
        }
    }

    /// Two hours are done: 50 steps with one restart, 51 (8 h 24 min) with two.
    #[test]
    fn near_the_deadline_it_is_on_demand() {
        let table = [
            // With 52 steps left it may try, with 51 no more; it keeps spot.
            (68, Nothing, SpotDecision::Spot(Otherwise::OnDemand(0))),
            (69, Nothing, SpotDecision::OnDemand(0)),
            (69, OnDemand(2), SpotDecision::Keep),
            (69, Spot(2), SpotDecision::Keep),
            // With 50 it keeps spot if it works.
            (70, Spot(2), SpotDecision::Keep),
            (70, Nothing, SpotDecision::OnDemand(0)),
        ];
        for (steps, held, want) in table {
            let got = decided(&UniformProgress, &view(steps, 7_200, held)).0;
            assert_eq!(got, want, "{steps} {held:?}");
        }
        let starting = SpotView { restart_left: Span::from_micros(1), ..view(70, 7_200, Spot(2)) };
        assert_eq!(decided(&UniformProgress, &starting).0, SpotDecision::OnDemand(2));
        let costless = SpotView { restart: Span::ZERO, ..view(72, 7_200, Nothing) };
        assert_eq!(
            decided(&UniformProgress, &costless).0,
            SpotDecision::Spot(Otherwise::OnDemand(0))
        );
    }

    #[test]
    fn the_programs_differ_at_two_restarts_and_in_leaving() {
        let nothing = |steps| in_several_zones(&view(steps, 7_200, Nothing), 1);
        assert_eq!(nothing(69), SpotDecision::Spot(Otherwise::OnDemand(1)), "exactly two fit");
        assert_eq!(nothing(70), SpotDecision::OnDemand(0));
        // On demand is given back for a try, and nothing is held if that fails.
        let held = |done| in_several_zones(&view(10, done, OnDemand(2)), 1);
        assert_eq!(held(3_720), SpotDecision::Keep);
        assert_eq!(held(3_721), SpotDecision::Spot(Otherwise::Stop));
        // Behind, a spot instance that the policy leaves is followed by on demand.
        let table = [(3_000, Otherwise::Stop), (2_999, Otherwise::OnDemand(1))];
        for (done, want) in table {
            let got = in_several_zones(&view(10, done, Nothing), 1);
            assert_eq!(got, SpotDecision::Spot(want), "{done}");
        }
    }
}
