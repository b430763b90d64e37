//! Laws of launches: none where capacity, an outage, a throttle or others in want of it refuse it.

use super::Laws;
use crate::model::{Fault, Market, Offer, Throttle};
use crate::state::{Instance, State};
use crate::units::stream::fnv1a;
use crate::units::{Id, Span, Stream, Time};

/// Stretch of time in which launches of an offer that is sought are refused, or none is.
const STRETCH: Span = Span::from_secs(600);

impl Laws {
    /// A launch is below the capacity of its offer: of spot offers its slot, of others all that live.
    #[inline(always)]
    pub(super) fn has_capacity(&mut self, state: &State<'_>, requested: &Instance) {
        let offer = &state.world().offers[requested.offer];
        let Some(most) = self.capacity_at_launch(state, requested.offer) else { return };
        let below = match offer.market {
            Market::Spot if offer.is_taken_back() => requested.slot < most,
            Market::Spot | Market::OnDemand => state.offer(requested.offer).live <= most,
            Market::Owned => true,
        };
        self.check(below, state.now(), "a launch stays within the capacity of its offer", || {
            format!("slot {} of {}, of which there are {most}", requested.slot, offer.name)
        });
    }

    /// The most that a launch of `offer` may have found now: between the events of an instant, what there
    /// was before it, too.
    fn capacity_at_launch(&mut self, state: &State<'_>, offer: Id<Offer>) -> Option<u32> {
        let (now, before) = instants(state);
        if before == now {
            return self.capacity_at(state, offer, now);
        }
        let earlier = self.capacity_at(state, offer, before)?;
        // More launches of this instant ask for what was before it.
        let kept = self.capacities.get(offer.row()).cloned();
        let later = self.capacity_at(state, offer, now);
        if let Some(kept) = kept {
            self.capacities[offer.row()] = kept;
        }
        Some(earlier.max(later?))
    }

    /// Launches in a region come no faster than its provider lets them through.
    #[inline(always)]
    pub(super) fn is_let_through(&mut self, state: &State<'_>, requested: &Instance) {
        let world = state.world();
        let throttle = world.providers[world.provider_of(requested.offer)].throttle;
        if let Some(throttle) = throttle.filter(|_| requested.market != Market::Owned) {
            self.passes(state, requested, throttle);
        }
    }

    fn passes(&mut self, state: &State<'_>, requested: &Instance, throttle: Throttle) {
        let (world, now) = (state.world(), state.now());
        self.throttles.resize(world.regions.len(), Time::ZERO);
        let full = &mut self.throttles[requested.region.row()];
        *full = (*full).max(now).saturating_add(throttle.every);
        let most = i128::from(throttle.every.micros()) * i128::from(throttle.burst);
        let holds = i128::from((*full - now).micros()) <= most;
        self.check(holds, now, "launches come no faster than they are let through", || {
            format!("{} and {throttle:?}", world.offers[requested.offer].name)
        });
    }

    /// Nothing is launched while its offer is known to be out, or to be taken by others.
    #[inline(always)]
    pub(super) fn is_launched(&mut self, state: &State<'_>, requested: &Instance) {
        if !state.world().faults.is_empty() && requested.market != Market::Owned {
            self.has_no_outage(state, requested);
            self.is_not_sought(state, requested);
        }
    }

    fn has_no_outage(&mut self, state: &State<'_>, requested: &Instance) {
        let (now, before) = instants(state);
        let out = state.world().faults.iter().find(|fault| {
            fault.effect.refuses_launches()
                && fault.is_known_at(now)
                && fault.is_known_at(before)
                && fault.concerns(requested.offer)
        });
        self.check(out.is_none(), state.now(), "nothing is launched during an outage", || {
            let (offer, out) = (&state.world().offers[requested.offer], out.map(|out| &out.name));
            format!("slot {} of {} in {out:?}", requested.slot, offer.name)
        });
    }

    /// Of a fault whose times are known the surge is drawn again.
    fn is_not_sought(&mut self, state: &State<'_>, requested: &Instance) {
        let (now, before) = instants(state);
        let chance = |fault: &Fault| {
            let surge = fault.surge.as_ref()?;
            let is_on = fault.is_sought_at(now) && fault.is_sought_at(before);
            (is_on && surge.offers.contains(&requested.offer)).then_some(surge.chance)
        };
        let Some(chance) = state.world().faults.iter().filter_map(chance).max() else { return };
        let name = &state.world().offers[requested.offer].name;
        let stretch = now.micros().div_euclid(STRETCH.micros()) as u64;
        let key = [fnv1a(name.as_bytes()), stretch];
        let drawn = Stream::keyed(state.seed(), "surge", &key).below(1_000_000);
        self.check(
            drawn >= u64::from(chance),
            now,
            "nothing is launched that others have taken",
            || format!("slot {} of {name}", requested.slot),
        );
    }
}

/// Now, and a moment at which whoever launches now may have been asked: between the events of an
/// instant, before an outage of that instant.
fn instants(state: &State<'_>) -> (Time, Time) {
    let now = state.now();
    let before = match state.world().classes.ask_per_event {
        true => now - Span::from_micros(1),
        false => now,
    };
    (now, before)
}
