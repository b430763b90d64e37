//! Which instances a place part looks at, and which first: offers that the policy
//! names, machines with GPUs for work with GPUs, and where data is cheap to move.

use super::Place;
use crate::model::{Market, Offer, Region, World};
use crate::policy::spec::{GpuMachines, Narrow};
use crate::policy::turn::Turn;
use crate::state::{Needs, Reach, Share, WorkRef};
use crate::units::{Id, Money};

/// A part that is shown the best group of instances first, and the next only where
/// that has no room.
#[derive(Debug)]
pub(super) struct Narrowed {
    part: Box<dyn Place>,
    narrow: Narrow,
    /// Rented machines are kept to the end of the run, so they cost what owned ones do.
    keeps: bool,
    groups: Option<Groups>,
    /// What a query looks at, and where it costs what to move data: kept for their memory.
    both: Reach,
    costs: Vec<(Money, Id<Region>)>,
    /// Most that moving the data of the work may cost.
    most: Option<Money>,
}

/// Offers that the policy names, by what they are; made at the first question.
#[derive(Debug)]
struct Groups {
    all: Group,
    /// For work without GPUs: machines without first, then those that cost nothing more.
    without_gpus: [Group; 2],
}

/// Some offers, and those of them in each region.
#[derive(Debug)]
struct Group {
    all: Reach,
    by_region: Vec<Reach>,
}

impl Group {
    fn new(world: &World, all: Reach) -> Self {
        let within = |region| Reach::new(world, |at| all.has(at) && world.region_of(at) == region);
        let by_region = world.regions.ids().map(within).collect();
        Self { all, by_region }
    }
}

impl Groups {
    fn new(world: &World, narrow: &Narrow, keeps: bool) -> Self {
        let all = match narrow.scope.is_all() {
            true => Reach::ALL,
            false => Reach::new(world, |offer| narrow.scope.admits(world, offer)),
        };
        let has_gpus = |offer| world.type_of(offer).shape.gpus > 0;
        let kept = |offer| keeps || world.offers[offer].market == Market::Owned;
        let without_gpus = [
            Reach::new(world, |offer| all.has(offer) && !has_gpus(offer)),
            Reach::new(world, |offer| all.has(offer) && has_gpus(offer) && kept(offer)),
        ];
        let without_gpus = without_gpus.map(|reach| Group::new(world, reach));
        Self { all: Group::new(world, all), without_gpus }
    }
}

impl Narrowed {
    pub(super) fn new(part: Box<dyn Place>, narrow: &Narrow, keeps: bool) -> Self {
        Self {
            part,
            narrow: narrow.clone(),
            keeps,
            groups: None,
            both: Reach::ALL,
            costs: Vec::new(),
            most: None,
        }
    }

    fn take_groups(&mut self, world: &World) -> Groups {
        let groups = self.groups.take();
        groups.unwrap_or_else(|| Groups::new(world, &self.narrow, self.keeps))
    }

    /// Whether `work` leaves rented machines with GPUs to others.
    fn spares(&self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        self.narrow.gpu_machines == GpuMachines::GpuWork && turn.work(work).ask.demand.gpus == 0
    }

    /// Picks among `group` within `reach`: where moving the data of `work` costs
    /// least, and nowhere where it costs more than it may.
    fn pick_near(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        (group, reach): (&Group, &Reach),
    ) -> Option<Share> {
        let home = turn.work(work).ask.home.and_then(|home| turn.home_region(home));
        let Some(home) = home.filter(|_| self.narrow.weigh_data) else {
            return self.pick_within(turn, work, [&group.all, reach]);
        };
        let mut costs = std::mem::take(&mut self.costs);
        by_cost(turn, work, home, &mut costs);
        let most = self.most;
        let within = costs.iter().take_while(|&&(cost, _)| most.is_none_or(|most| cost <= most));
        let share = within.into_iter().find_map(|&(_, region)| {
            self.pick_within(turn, work, [&group.by_region[region.row()], reach])
        });
        self.costs = costs;
        share
    }

    /// Picks among the offers of both.
    fn pick_within(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        [own, reach]: [&Reach; 2],
    ) -> Option<Share> {
        if own.is_all() || reach.is_all() {
            return self.part.pick(turn, work, if own.is_all() { reach } else { own });
        }
        let mut both = std::mem::replace(&mut self.both, Reach::ALL);
        both.set_both(own, reach);
        let share = self.part.pick(turn, work, &both);
        self.both = both;
        share
    }
}

/// Regions with live instances by the cost of moving the data of the waiting tasks
/// there and back; ties go to the lower id.
fn by_cost(
    turn: &Turn<'_, '_>,
    work: WorkRef,
    home: Id<Region>,
    into: &mut Vec<(Money, Id<Region>)>,
) {
    let world = turn.world();
    let ask = turn.work(work).ask;
    let tasks = turn.work(work).waiting;
    into.clear();
    into.extend(turn.live_offers().iter().map(|&offer| (Money::ZERO, world.region_of(offer))));
    into.sort_unstable();
    into.dedup();
    for (cost, region) in into.iter_mut().filter(|(_, region)| *region != home) {
        let (there, back) = (world.link(home, *region), world.link(*region, home));
        *cost = Money::for_bytes(ask.part_of(ask.input, tasks), there.nanos_per_gib)
            + Money::for_bytes(ask.part_of(ask.output, tasks), back.nanos_per_gib);
    }
    into.sort_unstable();
}

impl Place for Narrowed {
    fn needs(&self) -> Needs {
        self.part.needs()
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &Reach) -> Option<Share> {
        let groups = self.take_groups(turn.world());
        let share = if self.spares(turn, work) {
            let mut groups = groups.without_gpus.iter();
            groups.find_map(|group| self.pick_near(turn, work, (group, reach)))
        } else {
            self.pick_near(turn, work, (&groups.all, reach))
        };
        self.groups = Some(groups);
        share
    }

    fn admits(&mut self, turn: &Turn<'_, '_>, work: WorkRef, offer: Id<Offer>) -> bool {
        let groups = self.take_groups(turn.world());
        let admits = if self.spares(turn, work) {
            groups.without_gpus.iter().any(|group| group.all.has(offer))
        } else {
            groups.all.all.has(offer)
        };
        self.groups = Some(groups);
        admits
    }

    fn weighs(&self) -> bool {
        self.narrow.weigh_data
    }

    fn limit(&mut self, most: Option<Money>) {
        self.most = most;
    }
}
