//! Until when the work on each rented instance keeps it, by the estimates.

use std::collections::{BTreeMap, BTreeSet};

use super::{AllocationRef, InstanceRef, State, WorkRef, run_length};
use crate::model::{Market, Offer};
use crate::units::{Id, Money, Span, Time};

/// Rented instances that hold work and take more, by offer in order of the latest estimated end on
/// them: a change or a search takes the logarithm of the number of allocations.
#[derive(Clone, Debug, Default)]
pub(super) struct LatestEnds {
    /// Whether estimated ends are kept.
    on: bool,
    /// Estimated ends, by slot of the instance.
    ends: Vec<BTreeSet<(Time, AllocationRef)>>,
    /// Instances that take work, by offer, latest end and launch.
    by_offer: BTreeMap<(Id<Offer>, Time, u32), InstanceRef>,
}

impl LatestEnds {
    pub(super) fn new(on: bool) -> Self {
        Self { on, ..Self::default() }
    }

    fn of(&self, instance: InstanceRef) -> Option<Time> {
        self.ends.get(instance.slot())?.last().map(|&(end, _)| end)
    }
}

/// Instances of an offer that are looked at on either side of the end of some work.
const NEAR: usize = 4;

impl State<'_> {
    /// Counts, or counts no longer, the estimated end of an allocation on its instances.
    #[inline]
    pub(super) fn keep_latest(&mut self, allocation: AllocationRef, holds: bool) {
        if self.latest.on {
            self.change_latest(allocation, holds);
        }
    }

    fn change_latest(&mut self, allocation: AllocationRef, holds: bool) {
        let target = &self.allocations[allocation];
        for held in &target.held {
            let reference = held.share.instance;
            let instance = &self.fleet.instances[reference];
            if instance.market == Market::Owned {
                continue;
            }
            let row = |end| (instance.offer, end, instance.ordinal);
            let before = self.latest.of(reference);
            if let Some(before) = before {
                self.latest.by_offer.remove(&row(before));
            }
            if self.latest.ends.len() <= reference.slot() {
                self.latest.ends.resize(reference.slot() + 1, BTreeSet::new());
            }
            let ends = &mut self.latest.ends[reference.slot()];
            let end = (target.estimated_end, allocation);
            let _ = if holds { ends.insert(end) } else { ends.remove(&end) };
            if let Some(after) = self.latest.of(reference)
                && instance.phase.takes_work()
            {
                self.latest.by_offer.insert(row(after), reference);
                self.room_made += u64::from(before.is_none_or(|before| before < after));
            }
        }
    }

    /// Lists an instance that takes work from now on, or no longer one that takes none.
    pub(super) fn list_latest(&mut self, reference: InstanceRef, takes_work: bool) {
        let Some(end) = self.latest.of(reference).filter(|_| self.latest.on) else { return };
        let instance = &self.fleet.instances[reference];
        let row = (instance.offer, end, instance.ordinal);
        if takes_work {
            self.latest.by_offer.insert(row, reference);
        } else {
            self.latest.by_offer.remove(&row);
        }
    }

    /// Instances of `offer` on which the latest estimated end lies nearest to `end`: a few
    /// at or after it, and a few before.
    pub fn kept_about(
        &self,
        offer: Id<Offer>,
        end: Time,
    ) -> impl Iterator<Item = InstanceRef> + '_ {
        let rows = &self.latest.by_offer;
        let (after, before) = (rows.range((offer, end, 0)..), rows.range(..(offer, end, 0)).rev());
        let near = after.take_while(move |(key, _)| key.0 == offer).take(NEAR);
        let near = near.chain(before.take_while(move |(key, _)| key.0 == offer).take(NEAR));
        near.map(|(_, &instance)| instance)
    }

    /// Time for which tasks of `work` are expected to run on the reference machine: the rest of
    /// the estimate, or one hour without one; longer for a gang that is to start with fewer tasks.
    pub fn expected_run(&self, work: WorkRef) -> Span {
        let rest = self.works[work].remaining_estimate().unwrap_or(Span::HOUR);
        self.length_with(work, rest)
    }

    /// Expected end of tasks of `work` that start on `offer` now, with their data moved.
    pub fn expected_end(&self, work: WorkRef, offer: Id<Offer>, tasks: u32) -> Time {
        let (live, left) = (&self.works[work], self.expected_run(work));
        let run = run_length(left, self.rules[live.ask.rules.row()].speed(live.kind, offer));
        let (input, output) = self.transfer_times(work, offer, tasks);
        let end = self.now.saturating_add(input).saturating_add(run);
        end.saturating_add(output)
    }

    /// Extra cost of keeping a rented instance until `end`, and not just until the latest
    /// estimated end of what it holds, or until now: by the provider's billing rule at the price
    /// now. Zero for an owned one.
    pub fn price_of_keeping(&self, reference: InstanceRef, end: Time) -> Money {
        let instance = &self.fleet.instances[reference];
        if instance.market == Market::Owned {
            return Money::ZERO;
        }
        let kept = self.latest.of(reference).map_or(self.now, |latest| latest.max(self.now));
        if end <= kept {
            return Money::ZERO;
        }
        let billing = self.world.providers[self.world.provider_of(instance.offer)].billing;
        let since = instance.meter.since();
        let charge =
            |until: Time| instance.meter.rate().charge(billing.billed(bounded(until - since)));
        charge(end) - charge(kept)
    }
}

/// Far beyond any run, and short enough to round up.
fn bounded(span: Span) -> Span {
    span.min(Span::from_micros(i64::MAX / 4))
}
