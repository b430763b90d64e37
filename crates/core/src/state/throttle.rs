//! Launches that a provider refuses for reasons of its own: too many at once, or too many who want them.

use super::{InstanceRef, State};
use crate::model::{Offer, Region, Throttle};
use crate::units::stream::fnv1a;
use crate::units::{Id, Rate, Span, Stream, Time};

/// Stretch of time in which launches of an offer that is sought are refused, or none is.
const STRETCH: Span = Span::from_secs(600);

impl State<'_> {
    /// Launches that the throttle of a region lets through now; `None` for no limit.
    pub(super) fn throttle_room(&self, offer: Id<Offer>) -> Option<u64> {
        let throttle = self.world.providers[self.world.provider_of(offer)].throttle?;
        let full = self.throttle_full(self.world.region_of(offer)).max(self.now);
        // Both are no less than zero.
        let [ahead, every] = [full - self.now, throttle.every].map(|span| span.micros() as u64);
        Some(u64::from(throttle.burst).saturating_sub(ahead.div_ceil(every.max(1))))
    }

    /// Time at which the bucket of a region is full again.
    fn throttle_full(&self, region: Id<Region>) -> Time {
        self.throttles.get(region.row()).copied().unwrap_or(Time::ZERO)
    }

    /// A launch goes through the throttle of its region. Returns what that was before, to be put back.
    pub(super) fn pass_throttle(&mut self, offer: Id<Offer>) -> Option<Time> {
        let Throttle { every, .. } = self.world.providers[self.world.provider_of(offer)].throttle?;
        let region = self.world.region_of(offer);
        let before = self.throttle_full(region);
        self.set_throttle(region, before.max(self.now).saturating_add(every));
        Some(before)
    }

    /// The bucket of a region is full again at this time.
    pub(super) fn set_throttle(&mut self, region: Id<Region>, full: Time) {
        if self.throttles.len() <= region.row() {
            self.throttles.resize(self.world.regions.len(), Time::ZERO);
        }
        self.throttles[region.row()] = full;
    }

    /// Whether the bucket of any region is not full.
    pub(super) fn is_throttled(&self) -> bool {
        self.throttles.iter().any(|&full| full > self.now)
    }

    /// Offers of a fault's surge are sought from now on, or no longer for its sake.
    pub(crate) fn seek(&mut self, fault: usize, sought: bool) {
        match sought {
            true => self.surges.push(fault),
            false => {
                let at = self.surges.iter().position(|&other| other == fault);
                at.map(|at| self.surges.swap_remove(at));
            }
        }
    }

    /// Whether any offer is sought.
    pub(super) fn has_surge(&self) -> bool {
        !self.surges.is_empty()
    }

    /// Whether others have taken what there is of an offer, in this stretch of time.
    pub(super) fn is_sought(&self, offer: Id<Offer>) -> bool {
        let surges =
            self.surges.iter().filter_map(|&fault| self.world.faults[fault].surge.as_ref());
        let chances = surges.filter(|surge| surge.offers.binary_search(&offer).is_ok());
        let Some(chance) = chances.map(|surge| surge.chance).max() else { return false };
        let stretch = self.now.micros().div_euclid(STRETCH.micros());
        let name = fnv1a(self.world.offers[offer].name.as_bytes());
        let drawn = Stream::keyed(self.seed, "surge", &[name, stretch as u64]).below(1_000_000);
        drawn < u64::from(chance)
    }

    /// A launch that will come to nothing costs nothing.
    pub(crate) fn waive(&mut self, reference: InstanceRef) {
        self.settle_fleet();
        let instance = &mut self.fleet.instances[reference];
        let rate = instance.meter.rate().picos();
        instance.waived = true;
        instance.meter.reprice(self.now, Rate::ZERO);
        self.totals.rates[self.world.provider_of(instance.offer).row()] -= rate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Fault, FaultDomain, FaultEffect, FaultTimes, Market, Surge, World};
    use crate::state::testing::{Plan, shape, start, world};
    use crate::state::{LaunchRefusal, Needs, Refusal};

    const OFFER: Id<Offer> = Id::new(0);

    /// A world of one offer on demand, with three launches at once and one more each 100 s.
    fn throttled() -> World {
        let plan =
            Plan { shape: shape(4_000, 4_096, 0), market: Market::OnDemand, ..Plan::default() };
        let mut world = world(&[plan]);
        let provider = world.provider_of(OFFER);
        let every = Span::from_secs(100);
        world.providers[provider].throttle = Some(Throttle { burst: 3, every });
        world
    }

    #[test]
    fn launches_go_through_a_bucket() {
        let world = throttled();
        let mut state = start(&world, Needs::default());
        let refused = Err(Refusal::Launch(LaunchRefusal::Throttle));
        assert!((0..3).all(|_| state.rent(OFFER).is_ok()));
        assert_eq!(state.rent(OFFER), refused);
        assert!(state.capacity_may_rise());
        let why = Some(LaunchRefusal::Throttle);
        for (at, room) in [(0, 0), (99, 0), (100, 1), (199, 1), (200, 2), (300, 3), (900, 3)] {
            state.set_now(Time::from_secs(at));
            assert_eq!(state.launch_room(OFFER), (room, why), "{at} s");
            assert_eq!(state.launch_refusal(OFFER), why.filter(|_| room == 0), "{at} s");
        }
        assert!(!state.capacity_may_rise());
        // What is taken back was no launch.
        let attempt = state.begin();
        assert!((0..3).all(|_| state.rent(OFFER).is_ok()) && state.rent(OFFER) == refused);
        state.roll_back(attempt);
        assert_eq!(state.launch_room(OFFER).0, 3);
    }

    /// Half of the stretches of ten minutes, of 10,000 within four standard deviations, the same for all
    /// of a stretch; only of offers that are sought, and only meanwhile.
    #[test]
    fn sought_offers_are_refused_now_and_then() {
        let plan =
            || Plan { shape: shape(4_000, 4_096, 0), market: Market::OnDemand, ..Plan::default() };
        let mut world = world(&[plan(), plan()]);
        world.faults.push(Fault {
            name: "flood".into(),
            offers: vec![Id::new(1)],
            domain: FaultDomain::Share(1_000_000),
            effect: FaultEffect::MachinesAndLaunches,
            times: FaultTimes::Periods(Vec::new()),
            loses_data_of: Vec::new(),
            surge: Some(Surge { offers: vec![OFFER], chance: 500_000, after: Span::ZERO }),
            crews: None,
        });
        let mut state = start(&world, Needs::default());
        let refused = |state: &mut State<'_>, at: i64| {
            state.set_now(Time::from_secs(at));
            let room = state.launch_room(OFFER) == (0, Some(LaunchRefusal::Outage));
            assert_eq!(state.launch_refusal(OFFER).is_some(), room);
            assert_eq!(state.launch_refusal(Id::new(1)), None);
            room
        };
        assert!((0..100).all(|row| !refused(&mut state, 600 * row)));
        state.seek(0, true);
        let mut many = 0;
        for row in 100..10_100 {
            let (first, last) =
                (refused(&mut state, 600 * row), refused(&mut state, 600 * row + 599));
            assert_eq!(first, last, "stretch {row}");
            many += u32::from(first);
        }
        assert!((4_800..=5_200).contains(&many), "{many}");
        state.seek(0, false);
        assert!((10_100..10_200).all(|row| !refused(&mut state, 600 * row)));
    }
}
