//! UP(AP): Uniform Progress that goes where availability costs least.

use super::progress::{in_best_zone, in_several_zones};
use super::{HeldMarket, SpotDecision, SpotPolicy, SpotView};
use crate::units::{Rate, Span};

/// Tries zones by the share of all their samples that had spot, a half where there are none, over the
/// price of spot, then by number. It leaves its instance where that is below nine tenths of the best.
///
/// A sample is a try, a loss, a probe, or that an instance is still held. All zones are probed so
/// often. Where no zone has spot, on demand is taken in the first.
#[derive(Clone, Debug)]
pub struct UpValue {
    zones: Vec<AllSamples>,
    /// Time between two samples of one zone.
    every: Span,
}

/// Samples of a zone.
#[derive(Clone, Copy, Debug, Default)]
struct AllSamples {
    hits: u32,
    samples: u32,
    /// Time from which it may be sampled again.
    next: Span,
}

impl AllSamples {
    fn add(&mut self, hit: bool) {
        self.hits += u32::from(hit);
        self.samples += 1;
    }

    /// Hits per sample and price, as a fraction.
    fn value(&self, price: Rate) -> (i128, i128) {
        let (hits, samples) = if self.samples == 0 { (1, 2) } else { (self.hits, self.samples) };
        (i128::from(hits), i128::from(samples) * i128::from(price.picos()))
    }
}

impl UpValue {
    /// One that knows nothing yet of so many zones, and samples each so often.
    pub fn new(zones: usize, every: Span) -> Self {
        Self { zones: vec![AllSamples::default(); zones], every }
    }

    fn value(&self, view: &SpotView<'_>, zone: usize) -> (i128, i128) {
        self.zones[zone].value(view.zones[zone].spot)
    }
}

impl SpotPolicy for UpValue {
    fn observe(&mut self, view: &SpotView<'_>) {
        if let HeldMarket::Spot(zone) = view.held
            && view.now >= self.zones[zone].next
        {
            self.zones[zone].add(true);
            self.zones[zone].next = view.now + self.every;
        }
    }

    fn decide(&self, view: &SpotView<'_>, order: &mut Vec<usize>) -> SpotDecision {
        let decision = match (in_several_zones(view, 0), view.held) {
            // It falls back on the first zone also without a try.
            (SpotDecision::OnDemand(_), HeldMarket::Nothing) => return SpotDecision::OnDemand(0),
            (decision, _) => decision,
        };
        order.extend(0..self.zones.len());
        order.sort_by(|&a, &b| {
            let ((hits, cost), (others, costs)) = (self.value(view, a), self.value(view, b));
            (others * cost).cmp(&(hits * costs))
        });
        in_best_zone(view, decision, order, |zone, best| {
            let ((hits, cost), (most, costs)) = (self.value(view, zone), self.value(view, best));
            hits * costs * 10 >= most * cost * 9
        })
    }

    fn probes(&self, view: &SpotView<'_>, decision: SpotDecision, zones: &mut Vec<usize>) {
        let held = match (view.held, decision) {
            (HeldMarket::Spot(zone), _) => Some(zone),
            (_, SpotDecision::Spot(_)) => None,
            (_, SpotDecision::Keep | SpotDecision::Stop | SpotDecision::OnDemand(_)) => return,
        };
        let due = |&zone: &usize| Some(zone) != held && view.now >= self.zones[zone].next;
        zones.extend((0..self.zones.len()).filter(due));
    }

    fn tried(&mut self, zone: usize, launched: bool, now: Span) {
        self.zones[zone].add(launched);
        if launched {
            self.zones[zone].next = now + self.every;
        }
    }

    fn probed(&mut self, zone: usize, launched: bool, now: Span) {
        self.zones[zone].add(launched);
        self.zones[zone].next = now + self.every;
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

    /// A policy with so many hits of so many samples of three zones.
    fn after(samples: [(u32, u32); 3]) -> UpValue {
        let zones = samples.map(|(hits, samples)| AllSamples { hits, samples, next: Span::ZERO });
        UpValue { zones: zones.to_vec(), every: Span::HOUR }
    }

    /// Spot costs 3, 1 and 2 dollars.
    #[test]
    fn zones_are_tried_by_hits_per_dollar() {
        let table = [
            ([(0, 0), (0, 0), (0, 0)], [1, 2, 0]),
            ([(9, 10), (3, 10), (6, 10)], [0, 1, 2]),
            ([(9, 10), (2, 10), (8, 10)], [2, 0, 1]),
            ([(0, 3), (0, 5), (0, 1)], [0, 1, 2]),
        ];
        for (samples, want) in table {
            let got = decided(&after(samples), &view(10, 0, Nothing));
            let tries = SpotDecision::Spot(Otherwise::OnDemand(0));
            assert_eq!(got, (tries, want.to_vec()), "{samples:?}");
        }
    }

    /// Zone 1 has a hit for a dollar; nine tenths of that are 1.8 of 2 dollars.
    #[test]
    fn it_leaves_below_nine_tenths_of_the_best() {
        let leaves = (SpotDecision::Spot(Otherwise::Keep), vec![1, 2, 0]);
        let keeps = (SpotDecision::Keep, vec![]);
        let of = |hits| after([(0, 1), (5_000, 10_000), (hits, 10_000)]);
        assert_eq!(decided(&of(9_000), &view(10, 0, Spot(2))), keeps);
        assert_eq!(decided(&of(8_999), &view(10, 0, Spot(2))), leaves);
        assert_eq!(decided(&of(0), &view(10, 0, OnDemand(2))), keeps);
    }

    #[test]
    fn it_probes_every_hour_and_falls_back_on_the_first_zone() {
        let mut policy = UpValue::new(3, Span::HOUR);
        policy.tried(1, true, Span::ZERO);
        let (keep, fails) = (SpotDecision::Keep, SpotDecision::Spot(Otherwise::Stop));
        assert_eq!(probed(&policy, &view(0, 0, Spot(1)), keep), [0, 2]);
        policy.probed(0, false, Span::ZERO);
        assert_eq!(probed(&policy, &view(5, 0, Spot(1)), keep), [2]);
        assert_eq!(probed(&policy, &view(6, 0, Spot(1)), keep), [0, 2]);
        assert_eq!(probed(&policy, &view(6, 0, Nothing), fails), [0, 1, 2]);
        assert_eq!(probed(&policy, &view(6, 0, OnDemand(0)), keep), [0; 0]);
        policy.observe(&view(5, 0, Spot(1)));
        policy.lost(1);
        policy.observe(&view(6, 0, Spot(1)));
        assert_eq!((policy.zones[1].hits, policy.zones[1].samples), (2, 3));
        let pressed = SpotView { worked: Some(2), ..view(70, 7_200, Nothing) };
        assert_eq!(decided(&policy, &pressed), (SpotDecision::OnDemand(0), vec![]));
        let behind = SpotView { worked: Some(2), ..view(10, 0, Nothing) };
        assert_eq!(decided(&policy, &behind).0, SpotDecision::Spot(Otherwise::OnDemand(0)));
    }
}
