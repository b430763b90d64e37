//! UP(A): Uniform Progress that goes where spot was had most of late.

use std::cmp::Ordering;

use super::progress::{in_best_zone, in_several_zones};
use super::{HeldMarket, SpotDecision, SpotPolicy, SpotView};
use crate::units::Span;

/// Outcomes that are remembered of each zone.
const WINDOW: u32 = 5;

/// Tries zones by the share of their last five samples that had spot, a half where there are none,
/// then by number. It leaves its instance for a zone with a higher share.
///
/// A sample is a try, a loss, a probe, or that an instance is still held. Probes are one at a time, of
/// a zone with the fewest samples.
#[derive(Clone, Debug)]
pub struct UpAvailability {
    zones: Vec<RecentSamples>,
    /// Time between two samples of the same kind of one zone.
    every: Span,
}

/// The last samples of a zone.
#[derive(Clone, Copy, Debug, Default)]
struct RecentSamples {
    /// One bit each, the last in the lowest.
    hits: u8,
    samples: u32,
    /// Time from which an instance that is held there counts as a sample again.
    next_held: Span,
    /// Time from which it may be probed again.
    next_probe: Span,
}

impl RecentSamples {
    fn add(&mut self, hit: bool) {
        self.hits = (self.hits << 1 | u8::from(hit)) & ((1 << WINDOW) - 1);
        self.samples = (self.samples + 1).min(WINDOW);
    }

    /// Share of the samples that had spot, as a fraction.
    fn share(&self) -> (u32, u32) {
        if self.samples == 0 { (1, 2) } else { (self.hits.count_ones(), self.samples) }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let ((hits, of), (others, of_others)) = (self.share(), other.share());
        (hits * of_others).cmp(&(others * of))
    }
}

impl UpAvailability {
    /// One that knows nothing yet of so many zones, and samples each so often.
    pub fn new(zones: usize, every: Span) -> Self {
        Self { zones: vec![RecentSamples::default(); zones], every }
    }
}

impl SpotPolicy for UpAvailability {
    fn observe(&mut self, view: &SpotView<'_>) {
        if let HeldMarket::Spot(zone) = view.held
            && view.now >= self.zones[zone].next_held
        {
            self.zones[zone].add(true);
            self.zones[zone].next_held = view.now + self.every;
        }
    }

    fn decide(&self, view: &SpotView<'_>, order: &mut Vec<usize>) -> SpotDecision {
        let decision = in_several_zones(view, view.worked.unwrap_or(0));
        let zones = &self.zones;
        order.extend(0..zones.len());
        order.sort_by(|&a, &b| zones[b].compare(&zones[a]));
        in_best_zone(view, decision, order, |zone, best| {
            zones[zone].compare(&zones[best]) != Ordering::Less
        })
    }

    fn probes(&self, view: &SpotView<'_>, _decision: SpotDecision, zones: &mut Vec<usize>) {
        let HeldMarket::Spot(held) = view.held else { return };
        let due = |&zone: &usize| zone != held && view.now >= self.zones[zone].next_probe;
        let due = (0..self.zones.len()).filter(due);
        zones.extend(due.min_by_key(|&zone| self.zones[zone].samples));
    }

    fn tried(&mut self, zone: usize, launched: bool, now: Span) {
        self.zones[zone].add(launched);
        if launched {
            self.zones[zone].next_held = now + self.every;
        }
    }

    fn probed(&mut self, zone: usize, launched: bool, now: Span) {
        self.zones[zone].add(launched);
        self.zones[zone].next_probe = now + self.every;
    }

    fn lost(&mut self, zone: usize) {
        self.zones[zone].add(false);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Otherwise;
    use super::super::testing::{decided, probed, view};
    use super::*;
    use HeldMarket::{Nothing, OnDemand, Spot};

    /// A policy with these samples of three zones.
    fn after(samples: [&[bool]; 3]) -> UpAvailability {
        let mut policy = UpAvailability::new(3, Span::from_secs(7_200));
        for (zone, samples) in samples.into_iter().enumerate() {
            for &hit in samples {
                policy.zones[zone].add(hit);
            }
        }
        policy
    }

    #[test]
    fn zones_are_tried_by_their_last_five_samples() {
        let (yes, no) = (&[true; 9][..], &[false; 9][..]);
        let mixed = [true, true, true, true, false, false, false, true, true];
        let table = [
            ([&[][..], &[], &[]], [0, 1, 2]),
            ([no, &[], yes], [2, 1, 0]),
            // Two of five are less than a half, four of all nine are forgotten.
            ([&mixed, &[], no], [1, 0, 2]),
            ([&[true, false], &[], yes], [2, 0, 1]),
        ];
        for (samples, want) in table {
            let got = decided(&after(samples), &view(10, 0, Nothing));
            let tries = SpotDecision::Spot(Otherwise::OnDemand(0));
            assert_eq!(got, (tries, want.to_vec()), "{samples:?}");
        }
    }

    #[test]
    fn it_leaves_for_a_higher_share_alone() {
        let policy = after([&[true, false], &[], &[true]]);
        assert_eq!(decided(&policy, &view(10, 0, Spot(2))), (SpotDecision::Keep, vec![]));
        let leaves = (SpotDecision::Spot(Otherwise::Keep), vec![2, 0, 1]);
        assert_eq!(decided(&policy, &view(10, 0, Spot(1))), leaves);
        assert_eq!(decided(&policy, &view(10, 0, OnDemand(1))), (SpotDecision::Keep, vec![]));
        let equal = after([&[true], &[], &[true]]);
        assert_eq!(decided(&equal, &view(10, 0, Spot(2))).0, SpotDecision::Keep);
    }

    #[test]
    fn it_samples_what_it_holds_and_probes_one_zone_at_a_time() {
        let mut policy = UpAvailability::new(3, Span::from_secs(7_200));
        policy.tried(0, false, Span::ZERO);
        policy.tried(1, true, Span::ZERO);
        let shares = |policy: &UpAvailability| {
            policy.zones.iter().map(RecentSamples::share).collect::<Vec<_>>()
        };
        assert_eq!(shares(&policy), [(0, 1), (1, 1), (1, 2)]);
        let decision = SpotDecision::Keep;
        assert_eq!(probed(&policy, &view(0, 0, Spot(1)), decision), [2], "it has no sample");
        policy.probed(2, true, Span::ZERO);
        assert_eq!(probed(&policy, &view(0, 0, Spot(1)), decision), [0]);
        assert_eq!(probed(&policy, &view(0, 0, OnDemand(1)), decision), [0; 0]);
        policy.probed(0, false, Span::ZERO);
        // For two hours there is nothing to do.
        policy.observe(&view(11, 0, Spot(1)));
        assert_eq!(probed(&policy, &view(11, 0, Spot(1)), decision), [0; 0]);
        assert_eq!(shares(&policy), [(0, 2), (1, 1), (1, 1)]);
        policy.observe(&view(12, 0, Spot(1)));
        policy.observe(&view(13, 0, Spot(1)));
        assert_eq!(shares(&policy), [(0, 2), (2, 2), (1, 1)]);
        assert_eq!(probed(&policy, &view(12, 0, Spot(1)), decision), [2]);
        policy.lost(1);
        assert_eq!(shares(&policy), [(0, 2), (2, 3), (1, 1)]);
    }
}
