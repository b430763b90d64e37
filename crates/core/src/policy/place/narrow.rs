//! Instances that a place part looks at, and which of them first: offers that the policy names,
//! machines with GPUs for work with GPUs, where data is cheap to move, and where no rented
//! machine is kept longer for the work.

use super::{CostLimit, Place, fit};
use crate::model::{Market, Offer, Region, World};
use crate::part::{Parameter, PartSettings, Setting, SettingKind};
use crate::policy::scope::{FAMILIES, OfferScope, PROVIDERS, REGIONS, TYPES};
use crate::policy::turn::Turn;
use crate::state::{Needs, OfferSet, Share, WorkRef};
use crate::units::{Id, Money};

/// Parameters that every place part takes besides its own.
pub const NARROW: &[Parameter] = &[
    PROVIDERS,
    REGIONS,
    TYPES,
    FAMILIES,
    Parameter {
        name: "gpu_machines",
        kind: SettingKind::Word(&["any", "gpu-work"]),
        default: Setting::Word("any"),
        doc: "Who may use machines with GPUs: `gpu-work` keeps them for work with GPUs; other work uses \
              owned ones where no other machine has room, and joins nobody on rented ones.",
    },
    Parameter {
        name: "weigh_data",
        kind: SettingKind::Flag,
        default: Setting::Flag(false),
        doc: "Goes where moving the data of the work costs least, and nowhere where that costs more than \
              renting anew.",
    },
    Parameter {
        name: "weigh_price",
        kind: SettingKind::Flag,
        default: Setting::Flag(false),
        doc: "Goes where no rented machine is kept longer for the work, else where keeping one costs least, \
              and nowhere where that costs more than renting anew.",
    },
];

/// Instances that a place part looks at, and which of them first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    /// Offers whose instances alone are looked at.
    pub scope: OfferScope,
    /// Work that may use machines with GPUs.
    pub gpu_machines: GpuMachines,
    /// Goes where moving the data costs least, and nowhere where that costs more
    /// than renting anew.
    pub weigh_data: bool,
    /// Goes where a rented machine need not be kept longer for it, or where that costs
    /// least, and nowhere where that costs more than renting anew.
    pub weigh_price: bool,
}

impl Narrow {
    /// Reads settings, whose parameters are those of [`NARROW`].
    pub fn new(settings: &PartSettings) -> Self {
        Self {
            scope: OfferScope::new(settings),
            gpu_machines: match settings.word("gpu_machines") {
                "gpu-work" => GpuMachines::GpuWork,
                _ => GpuMachines::Any,
            },
            weigh_data: settings.flag("weigh_data"),
            weigh_price: settings.flag("weigh_price"),
        }
    }

    /// Whether every instance is looked at, without a preference.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// Work that may use machines with GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GpuMachines {
    /// Any work.
    #[default]
    Any,
    /// Work with GPUs; other work uses owned ones where no other machine has room,
    /// and never joins others on rented ones.
    GpuWork,
}

/// A part that is shown the best group of instances first, and the next only where
/// that has no room.
#[derive(Debug)]
pub(super) struct Narrowed {
    part: Box<dyn Place>,
    narrow: Narrow,
    /// Rented machines are kept to the end of the run, so they cost what owned ones do.
    keeps: bool,
    groups: Option<OfferGroups>,
    /// Offers that a query looks at, and regions by the cost of moving data: kept for their
    /// memory.
    both: OfferSet,
    costs: Vec<(Money, Id<Region>)>,
}

/// Offers that the policy names, by what they are; made at the first question.
#[derive(Debug)]
struct OfferGroups {
    all: OfferGroup,
    /// Groups for work without GPUs: machines without first, then those that cost nothing more;
    /// and the rented ones with some, which it may only use while others keep them.
    without_gpus: [OfferGroup; 3],
}

/// Some offers, and those of them in each region.
#[derive(Debug)]
struct OfferGroup {
    all: OfferSet,
    by_region: Vec<OfferSet>,
}

impl OfferGroup {
    fn new(world: &World, all: OfferSet) -> Self {
        let within =
            |region| OfferSet::new(world, |at| all.has(at) && world.region_of(at) == region);
        let by_region = world.regions.ids().map(within).collect();
        Self { all, by_region }
    }
}

impl OfferGroups {
    fn new(world: &World, narrow: &Narrow, keeps: bool) -> Self {
        let all = match narrow.scope.is_all() {
            true => OfferSet::ALL,
            false => OfferSet::new(world, |offer| narrow.scope.admits(world, offer)),
        };
        let has_gpus = |offer| world.type_of(offer).shape.gpus > 0;
        let kept = |offer| keeps || world.offers[offer].market == Market::Owned;
        let without_gpus = [
            OfferSet::new(world, |offer| all.has(offer) && !has_gpus(offer)),
            OfferSet::new(world, |offer| all.has(offer) && has_gpus(offer) && kept(offer)),
            OfferSet::new(world, |offer| all.has(offer) && has_gpus(offer) && !kept(offer)),
        ];
        let without_gpus = without_gpus.map(|reach| OfferGroup::new(world, reach));
        Self { all: OfferGroup::new(world, all), without_gpus }
    }
}

impl Narrowed {
    pub(super) fn new(part: Box<dyn Place>, narrow: &Narrow, keeps: bool) -> Self {
        Self {
            part,
            narrow: narrow.clone(),
            keeps,
            groups: None,
            both: OfferSet::ALL,
            costs: Vec::new(),
        }
    }

    fn take_groups(&mut self, world: &World) -> OfferGroups {
        let groups = self.groups.take();
        groups.unwrap_or_else(|| OfferGroups::new(world, &self.narrow, self.keeps))
    }

    /// Whether `work` leaves rented machines with GPUs to others.
    fn spares(&self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        self.narrow.gpu_machines == GpuMachines::GpuWork && turn.work(work).ask.demand.gpus == 0
    }

    /// Whether the cost of keeping rented machines longer is weighed.
    fn weighs_price(&self) -> bool {
        self.narrow.weigh_price && !self.keeps
    }

    /// Picks among `group` within `reach`: where moving the data of `work` costs
    /// least, and nowhere where it costs more than `limit`.
    fn pick_near(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        (group, reach): (&OfferGroup, &OfferSet),
        limit: &mut CostLimit<'_>,
    ) -> Option<Share> {
        let home = turn.work(work).ask.home.and_then(|home| turn.home_region(home));
        let Some(home) = home.filter(|_| self.narrow.weigh_data) else {
            return self.pick_within(turn, work, [&group.all, reach]);
        };
        let mut costs = std::mem::take(&mut self.costs);
        by_cost(turn, work, home, &mut costs);
        let (mut left, mut share) = (costs.iter(), None);
        while share.is_none()
            && let Some(&(cost, region)) = left.next()
            && limit.admits(turn, work, (cost, turn.work(work).waiting))
        {
            share = self.pick_within(turn, work, [&group.by_region[region.row()], reach]);
        }
        self.costs = costs;
        share
    }

    /// Picks among `group` within `reach`: the favourite, unless that is to be kept longer
    /// for `work`; then, of a few instances of each offer, where that and moving the data
    /// cost least. `free`: only where nothing is kept longer.
    fn pick_cheap(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        (group, reach, free): (&OfferGroup, &OfferSet, bool),
        limit: &mut CostLimit<'_>,
    ) -> Option<Share> {
        let weighs = self.weighs_price();
        if free && !weighs {
            return None;
        }
        let favourite = self.pick_near(turn, work, (group, reach), limit);
        if !weighs {
            return favourite;
        }
        if let Some(share) = favourite
            && price(turn, work, share) == Money::ZERO
        {
            return favourite;
        }
        let mut best = favourite.map(|share| self.cost(turn, work, share));
        let instances = turn.live_offers().iter().flat_map(|&offer| {
            let open = group.all.has(offer) && reach.has(offer);
            let end = turn.expected_end(work, offer, turn.work(work).together());
            let near = turn.kept_about(offer, end).filter(|&one| turn.accepts(work, one));
            let all = turn.first_fit_of(work, offer).into_iter().chain(near);
            open.then_some(all).into_iter().flatten()
        });
        for instance in instances {
            if let Some(share) = fit::share_on(turn, work, instance, true) {
                let cost = self.cost(turn, work, share);
                if best.is_none_or(|best| cost.order() < best.order()) {
                    best = Some(cost);
                }
            }
        }
        let best = best.filter(|best| !free || best.price == Money::ZERO)?;
        let cost = (best.price + best.data, best.share.tasks);
        limit.admits(turn, work, cost).then_some(best.share)
    }

    /// Cost of `share` to the work.
    fn cost(&self, turn: &Turn<'_, '_>, work: WorkRef, share: Share) -> Cost {
        let data = self.cost_of_data(turn, work, share);
        let launch = turn.instance(share.instance).ordinal;
        Cost { price: price(turn, work, share), data, launch, share }
    }

    /// Cost of moving the data of a share, where that is weighed.
    fn cost_of_data(&self, turn: &Turn<'_, '_>, work: WorkRef, share: Share) -> Money {
        let home = turn.work(work).ask.home.and_then(|home| turn.home_region(home));
        let region = turn.instance(share.instance).region;
        match home.filter(|_| self.narrow.weigh_data) {
            Some(home) => moving(turn, work, share.tasks, home, region),
            None => Money::ZERO,
        }
    }

    /// Picks among the offers of both.
    fn pick_within(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        [own, reach]: [&OfferSet; 2],
    ) -> Option<Share> {
        if own.is_all() || reach.is_all() {
            return self.part.pick(turn, work, if own.is_all() { reach } else { own });
        }
        let mut both = std::mem::replace(&mut self.both, OfferSet::ALL);
        both.set_both(own, reach);
        let share = self.part.pick(turn, work, &both);
        self.both = both;
        share
    }
}

/// Cost of a share: keeping the instance longer, and moving its data.
#[derive(Clone, Copy, Debug)]
struct Cost {
    price: Money,
    data: Money,
    launch: u32,
    share: Share,
}

impl Cost {
    /// The least per task comes first; ties go to the older instance.
    fn order(&self) -> (i128, u32) {
        // Parts of a nano-dollar: fine enough to tell any two apart that matter.
        let each = (self.price + self.data).nanos() * 1_000 / i128::from(self.share.tasks);
        (each, self.launch)
    }
}

/// Extra cost of the instance as it is kept for `share`.
fn price(turn: &Turn<'_, '_>, work: WorkRef, share: Share) -> Money {
    let offer = turn.instance(share.instance).offer;
    turn.price_of_keeping(share.instance, turn.expected_end(work, offer, share.tasks))
}

/// Cost of moving the data of `tasks` tasks there and back.
fn moving(
    turn: &Turn<'_, '_>,
    work: WorkRef,
    tasks: u32,
    home: Id<Region>,
    region: Id<Region>,
) -> Money {
    if region == home {
        return Money::ZERO;
    }
    let (world, ask) = (turn.world(), turn.work(work).ask);
    let (there, back) = (world.link(home, region), world.link(region, home));
    Money::for_bytes(ask.part_of(ask.input, tasks), there.nanos_per_gib)
        + Money::for_bytes(ask.part_of(ask.output, tasks), back.nanos_per_gib)
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
    let tasks = turn.work(work).waiting;
    into.clear();
    into.extend(turn.live_offers().iter().map(|&offer| (Money::ZERO, world.region_of(offer))));
    into.sort_unstable();
    into.dedup();
    for (cost, region) in &mut *into {
        *cost = moving(turn, work, tasks, home, *region);
    }
    into.sort_unstable();
}

impl Place for Narrowed {
    fn needs(&self) -> Needs {
        Needs { latest: self.weighs_price(), ..self.part.needs() }
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share> {
        self.pick_below(turn, work, reach, &mut CostLimit::none())
    }

    fn pick_below(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        reach: &OfferSet,
        limit: &mut CostLimit<'_>,
    ) -> Option<Share> {
        let groups = self.take_groups(turn.world());
        let share = if self.spares(turn, work) {
            let [without, kept, rented] = &groups.without_gpus;
            let mut groups = [(without, false), (kept, false), (rented, true)].into_iter();
            groups
                .find_map(|(group, free)| self.pick_cheap(turn, work, (group, reach, free), limit))
        } else {
            self.pick_cheap(turn, work, (&groups.all, reach, false), limit)
        };
        self.groups = Some(groups);
        share
    }

    fn joins(&self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        self.spares(turn, work) && self.weighs_price()
    }

    fn pick_joined(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        reach: &OfferSet,
        limit: &mut CostLimit<'_>,
    ) -> Option<Share> {
        if !self.joins(turn, work) {
            return None;
        }
        let groups = self.take_groups(turn.world());
        let share = self.pick_cheap(turn, work, (&groups.without_gpus[2], reach, true), limit);
        self.groups = Some(groups);
        share
    }

    fn takes(&mut self, turn: &Turn<'_, '_>, work: WorkRef, share: Share) -> bool {
        let offer = turn.instance(share.instance).offer;
        if self.admits(turn, work, offer) || !self.joins(turn, work) {
            return self.admits(turn, work, offer);
        }
        let groups = self.take_groups(turn.world());
        let joins = groups.without_gpus[2].all.has(offer);
        self.groups = Some(groups);
        joins && price(turn, work, share) == Money::ZERO
    }

    fn extra_cost(&self, turn: &Turn<'_, '_>, work: WorkRef, share: Share) -> Money {
        let price = if self.weighs_price() { price(turn, work, share) } else { Money::ZERO };
        price + self.cost_of_data(turn, work, share)
    }

    fn admits(&mut self, turn: &Turn<'_, '_>, work: WorkRef, offer: Id<Offer>) -> bool {
        let groups = self.take_groups(turn.world());
        let admits = if self.spares(turn, work) {
            groups.without_gpus[..2].iter().any(|group| group.all.has(offer))
        } else {
            groups.all.all.has(offer)
        };
        self.groups = Some(groups);
        admits
    }

    fn weighs(&self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        self.weighs_price() || self.narrow.weigh_data && turn.work(work).ask.home.is_some()
    }
}
