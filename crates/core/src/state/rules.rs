//! Rules of work, resolved against the world once: which offers, how fast.

use crate::model::{Offer, Region, Rules, Spread, Together, WorkKind, World};
use crate::units::{Demand, Id};

/// A rule set in terms of this world.
#[derive(Clone, Debug)]
pub struct ResolvedRules {
    /// Whether the work may run on each offer.
    allowed: Vec<bool>,
    /// Speed of a job on each offer, in millionths.
    speeds: Vec<u32>,
    /// The least and the most speed of a job on an allowed offer, in millionths.
    speed_bounds: [u32; 2],
    /// Regions of allowed offers, each once, in order.
    pub regions: Vec<Id<Region>>,
    /// Union of the kinds (see [`kind_of`]) of the allowed offers.
    pub kinds: u64,
    /// Spread of the tasks.
    pub spread: Spread,
    /// Widest site over which a gang may lie.
    pub together: Together,
    /// Whether every offer is allowed.
    pub anywhere: bool,
    /// Whether nothing is restricted: every offer is allowed, and tasks need not be spread.
    pub plain: bool,
}

/// The index's coarse class of an offer; different offers may share one.
pub const fn kind_of(offer: Id<Offer>) -> u64 {
    1 << (offer.row() % 64)
}

impl ResolvedRules {
    /// Looks up every name in `rules`. Names that the world does not have
    /// admit nothing.
    pub fn new(world: &World, rules: &Rules) -> Self {
        let allowed: Vec<bool> =
            world.offers.ids().map(|offer| admits(world, rules, offer)).collect();
        let speeds: Vec<u32> = world.offers.ids().map(|offer| speed(world, rules, offer)).collect();
        let admitted = speeds.iter().zip(&allowed).filter(|&(_, &allowed)| allowed);
        let admitted = admitted.map(|(&speed, _)| speed);
        let bounds = [admitted.clone().min(), admitted.max()];
        let speed_bounds = bounds.map(|bound| bound.unwrap_or(1_000_000));
        let places = world.offers.ids().filter(|offer| allowed[offer.row()]);
        let mut regions: Vec<Id<Region>> = places.map(|offer| world.region_of(offer)).collect();
        regions.sort_unstable();
        regions.dedup();
        let kinds = world
            .offers
            .ids()
            .filter(|offer| allowed[offer.row()])
            .fold(0, |kinds, offer| kinds | kind_of(offer));
        let anywhere = allowed.iter().all(|&allowed| allowed);
        let plain = anywhere && rules.spread == Spread::None;
        let together = rules.together();
        Self {
            allowed,
            speeds,
            speed_bounds,
            regions,
            kinds,
            spread: rules.spread,
            together,
            anywhere,
            plain,
        }
    }

    /// Whether the work may run on instances of `offer`.
    pub fn allows(&self, offer: Id<Offer>) -> bool {
        self.allowed[offer.row()]
    }

    /// Tasks of `demand` that one instance takes of the `holds` that it has room for: one where no two may
    /// share it.
    pub fn each(&self, demand: Demand, holds: u32) -> u32 {
        match self.spread {
            Spread::EvenZones if demand.exclusive => holds.min(1),
            Spread::None | Spread::EvenZones => holds,
            Spread::Instances | Spread::Zones => holds.min(1),
        }
    }

    /// Relative speed of work of `kind` on `offer`, in millionths. The
    /// lifetime of a virtual machine does not depend on speed.
    pub fn speed(&self, kind: WorkKind, offer: Id<Offer>) -> u32 {
        if kind.scales_with_speed() { self.speeds[offer.row()] } else { 1_000_000 }
    }

    /// The least and the most speed of work of `kind` wherever it may run, in millionths.
    pub const fn speed_bounds(&self, kind: WorkKind) -> [u32; 2] {
        if kind.scales_with_speed() { self.speed_bounds } else { [1_000_000; 2] }
    }
}

fn admits(world: &World, rules: &Rules, offer: Id<Offer>) -> bool {
    barrier(world, rules, offer).is_none()
}

/// First property of `offer` that the rules do not allow; `None` if they allow it.
pub fn barrier(world: &World, rules: &Rules, offer: Id<Offer>) -> Option<&'static str> {
    let region = world.region_of(offer);
    let instance_type = world.type_of(offer);
    let provider = &world.providers[world.provider_of(offer)].name;
    let gpu = instance_type.gpu_model.map(|model| &world.gpu_models[model]);
    let is_gpu = |asked: &str| gpu.is_some_and(|model| model.answers_to(asked));
    let region_facts = &world.regions[region];
    let list = &rules.jurisdictions;
    let certified = |needed: &String| region_facts.certifications.contains(needed);
    let passed = [
        ("provider", rules.providers.admits(provider)),
        ("region", rules.regions.admits(&world.region_name(region))),
        ("instance type", rules.types.admits(&instance_type.name)),
        ("offer", rules.offers.admits(&world.offers[offer].name)),
        ("market", rules.markets.admits(world.offers[offer].market.name())),
        ("GPU model", rules.gpu_models.admits_where(is_gpu)),
        ("jurisdiction", list.is_empty() || list.contains(&region_facts.jurisdiction)),
        ("certifications", rules.certifications.iter().all(certified)),
    ];
    passed.into_iter().find(|(_, passed)| !passed).map(|(what, _)| what)
}

fn speed(world: &World, rules: &Rules, offer: Id<Offer>) -> u32 {
    let instance_type = world.type_of(offer);
    let Some(model) = instance_type.gpu_model else { return instance_type.speed };
    let model = &world.gpu_models[model];
    let of = |is: &dyn Fn(&str) -> bool| rules.throughput.iter().find(|(name, _)| is(name));
    // The very model goes before one that leaves its memory open.
    let listed = of(&|name| model.is_called(name)).or_else(|| of(&|name| model.answers_to(name)));
    listed.map_or(instance_type.speed, |&(_, speed)| speed)
}
