//! Which instances a place part looks at, and which first: offers that the policy
//! names, machines with GPUs for work with GPUs, and where data is cheap to move.

use super::Place;
use crate::model::{Market, Region, World};
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
    /// Most that moving the data of the work may cost.
    most: Option<Money>,
}

/// Offers that the policy names, by what they are; made at the first question.
#[derive(Debug)]
struct Groups {
    all: Reach,
    /// For work without GPUs: machines without first, then those that cost nothing more.
    without_gpus: [Reach; 2],
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
        Self { all, without_gpus }
    }
}

impl Narrowed {
    pub(super) fn new(part: Box<dyn Place>, narrow: &Narrow, keeps: bool) -> Self {
        Self { part, narrow: narrow.clone(), keeps, groups: None, most: None }
    }

    /// Picks within `reach`: where moving the data of `work` costs least, and
    /// nowhere where it costs more than it may.
    fn pick_near(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        reach: &Reach,
    ) -> Option<Share> {
        let home = turn.work(work).ask.home.and_then(|home| turn.home_region(home));
        let Some(home) = home.filter(|_| self.narrow.weigh_data) else {
            return self.part.pick(turn, work, reach);
        };
        for (cost, region) in by_cost(turn, work, home) {
            if self.most.is_some_and(|most| most < cost) {
                return None;
            }
            let world = turn.world();
            let near =
                Reach::new(world, |offer| reach.has(offer) && world.region_of(offer) == region);
            let share = self.part.pick(turn, work, &near);
            if share.is_some() {
                return share;
            }
        }
        None
    }
}

/// Regions with live instances by the cost of moving the data of the waiting tasks
/// there and back; ties go to the lower id.
fn by_cost(turn: &Turn<'_, '_>, work: WorkRef, home: Id<Region>) -> Vec<(Money, Id<Region>)> {
    let world = turn.world();
    let ask = turn.work(work).ask;
    let tasks = turn.work(work).waiting;
    let mut regions: Vec<Id<Region>> =
        turn.live_offers().iter().map(|&offer| world.region_of(offer)).collect();
    regions.sort_unstable();
    regions.dedup();
    let cost = |region| {
        let (there, back) = (world.link(home, region), world.link(region, home));
        Money::for_bytes(ask.part_of(ask.input, tasks), there.nanos_per_gib)
            + Money::for_bytes(ask.part_of(ask.output, tasks), back.nanos_per_gib)
    };
    let free = |region| if region == home { Money::ZERO } else { cost(region) };
    let mut costs: Vec<_> = regions.into_iter().map(|region| (free(region), region)).collect();
    costs.sort_unstable();
    costs
}

impl Place for Narrowed {
    fn needs(&self) -> Needs {
        self.part.needs()
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &Reach) -> Option<Share> {
        let (narrow, keeps) = (&self.narrow, self.keeps);
        let groups = self.groups.take();
        let groups = groups.unwrap_or_else(|| Groups::new(turn.world(), narrow, keeps));
        let spares = self.narrow.gpu_machines == GpuMachines::GpuWork
            && turn.work(work).ask.demand.gpus == 0;
        let share = if spares {
            let within = groups.without_gpus.iter().map(|group| group.and(reach));
            within.into_iter().find_map(|group| self.pick_near(turn, work, &group))
        } else {
            self.pick_near(turn, work, &groups.all.and(reach))
        };
        self.groups = Some(groups);
        share
    }

    fn weighs(&self) -> bool {
        self.narrow.weigh_data
    }

    fn limit(&mut self, most: Option<Money>) {
        self.most = most;
    }
}
