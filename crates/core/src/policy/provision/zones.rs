//! Tasks by zone, for jobs that spread over zones.

use crate::model::{Spread, Zone};
use crate::policy::turn::Turn;
use crate::state::{InstanceRef, WorkRef};
use crate::units::Id;

/// Number of a job's tasks in each zone, and where the next may go.
#[derive(Clone, Debug)]
pub(super) struct Zones {
    even: bool,
    /// Counts by zone; `None` if the job may or can not run there.
    counts: Vec<Option<u32>>,
    /// Instances rented for the job, and how many more tasks they hold.
    open: Vec<(InstanceRef, Id<Zone>, u32)>,
}

impl Zones {
    /// Tasks of `work` by zone; `None` if zones do not matter to it.
    pub(super) fn new(turn: &Turn<'_, '_>, work: WorkRef) -> Option<Self> {
        let (world, live) = (turn.world(), turn.work(work));
        let rules = turn.rules(live.ask.rules);
        if !matches!(rules.spread, Spread::Zones | Spread::EvenZones) {
            return None;
        }
        let mut counts = vec![None; world.zones.len()];
        for (_, facts) in world.offers.iter().filter(|&(offer, _)| turn.could_use(work, offer)) {
            counts[facts.zone.row()] = Some(0);
        }
        let mut zones = Self { even: rules.spread == Spread::EvenZones, counts, open: Vec::new() };
        let allocations = live.allocations.iter().map(|&one| turn.allocation(one));
        let standing = allocations.filter(|one| !one.has_ended());
        for held in standing.flat_map(|one| &one.held) {
            let offer = turn.instance(held.share.instance).offer;
            (0..held.share.tasks).for_each(|_| zones.add(world.offers[offer].zone));
        }
        Some(zones)
    }

    pub(super) fn add(&mut self, zone: Id<Zone>) {
        if let Some(count) = &mut self.counts[zone.row()] {
            *count += 1;
        }
    }

    /// A rented instance holds `room` more tasks.
    pub(super) fn open(&mut self, instance: InstanceRef, zone: Id<Zone>, room: u32) {
        if room > 0 {
            self.open.push((instance, zone, room));
        }
    }

    /// The next task goes on an instance that was rented for another, if one has
    /// room in a zone whose turn it is.
    pub(super) fn share(&mut self) -> Option<InstanceRef> {
        let at = self.open.iter().position(|&(_, zone, _)| self.allows(zone))?;
        let (instance, zone, room) = &mut self.open[at];
        let (instance, zone) = (*instance, *zone);
        *room -= 1;
        if *room == 0 {
            self.open.remove(at);
        }
        self.add(zone);
        Some(instance)
    }

    pub(super) fn allows(&self, zone: Id<Zone>) -> bool {
        let most = if self.even { self.counts.iter().flatten().min().copied() } else { Some(0) };
        self.counts[zone.row()].is_some() && self.counts[zone.row()] == most
    }
}
