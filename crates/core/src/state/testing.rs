//! Tiny worlds for the table tests of policy parts.

use std::collections::BTreeSet;

use super::{InstanceRef, Needs, Share, State, WorkRef};
use crate::model::{
    Ask, Market, OfferSpec, Rules, Speedup, Work, WorkBody, WorkId, World, WorldBuilder,
};
use crate::units::{Demand, Distribution, Id, Shape};

/// Plan of an offer of a test world; its instance type has the same name.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    /// One region, named like it, with all its zones.
    pub(crate) provider: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) shape: Shape,
    /// GPU model; empty for none.
    pub(crate) model: &'static str,
    /// Speed in millionths of the reference machine.
    pub(crate) speed: u32,
    pub(crate) market: Market,
    /// Price in dollars per hour.
    pub(crate) price: &'static str,
    pub(crate) capacity: Option<u32>,
    pub(crate) boot_secs: u32,
    pub(crate) running: u32,
}

impl Default for Plan {
    /// An owned group without instances: 4 cores, 4,096 MiB, free of charge.
    fn default() -> Self {
        Self {
            name: "group",
            provider: "dc",
            zone: "dc-a",
            shape: shape(4_000, 4_096, 0),
            model: "",
            speed: 1_000_000,
            market: Market::Owned,
            price: "0",
            capacity: None,
            boot_secs: 0,
            running: 0,
        }
    }
}

/// Milli-cores, MiB and GPU devices.
pub(crate) const fn shape(cpu: u32, memory: u32, gpus: u8) -> Shape {
    Shape { cpu, memory, gpus }
}

/// Milli-cores, MiB, GPU devices and the share of each.
pub(crate) const fn demand(cpu: u32, memory: u32, gpus: u8, gpu_share: u16) -> Demand {
    Demand { cpu, memory, gpus, gpu_share, exclusive: false }
}

/// The world of these offers, billed per second without a minimum. A name that comes again gets
/// its row behind it.
pub(crate) fn world(plans: &[Plan]) -> World {
    let mut names = BTreeSet::new();
    let offers = plans.iter().enumerate().map(|(row, plan)| {
        let again = !names.insert(plan.name);
        let name = if again { format!("{}-{row}", plan.name) } else { plan.name.to_owned() };
        let place = format!("{0}/{0}/{1}", plan.provider, plan.zone);
        let offer = match plan.market {
            Market::Owned => OfferSpec::owned(&place, &name, plan.shape, plan.running),
            Market::OnDemand => OfferSpec::on_demand(&place, &name, plan.shape, plan.price),
            Market::Spot => OfferSpec::spot(&place, &name, plan.shape, plan.price),
        };
        let boot = Distribution::Constant(f64::from(plan.boot_secs));
        let offer = offer.named(&name).gpu_model(plan.model).price(plan.price).boot(boot);
        offer.speed(plan.speed).running(plan.running).at_most(plan.capacity)
    });
    let law = |world: WorldBuilder, plan: &Plan| {
        world.region(plan.provider, |region| "EU".clone_into(&mut region.jurisdiction))
    };
    let world = offers.fold(World::builder(), WorldBuilder::offer);
    plans.iter().fold(world, law).build().expect("the plans are right")
}

/// A world of owned instances with these shapes, one group each: instance `n`
/// has ordinal `n`.
pub(crate) fn owned(shapes: &[Shape]) -> World {
    let offers = shapes.iter().enumerate().map(|(row, &shape)| {
        OfferSpec::owned("dc/dc/dc-a", &format!("group{row}"), shape, 1).at_most(None)
    });
    let world = offers.fold(World::builder(), WorldBuilder::offer);
    let world = world.region("dc", |region| "EU".clone_into(&mut region.jurisdiction));
    world.build().expect("the shapes are right")
}

/// The state at the run's start, with the instances that run then.
pub(crate) fn start(world: &World, needs: Needs) -> State<'_> {
    let mut state = State::new(world, needs);
    for (offer, facts) in world.offers.iter() {
        for _ in 0..facts.running_at_start {
            state.add_running(offer);
        }
    }
    state
}

/// Submits work numbered `row` that asks this now.
pub(crate) fn submit(state: &mut State<'_>, row: u64, ask: Ask) -> WorkRef {
    let id = WorkId { source: 0, ordinal: row };
    let arrival = state.now();
    let work = Work {
        id,
        name: String::new(),
        arrival,
        ask,
        min_tasks: 0,
        speedup: Speedup::LINEAR,
        body: WorkBody::default(),
    };
    assert_eq!(state.unknown_home(&work), None);
    state.submit(&work)
}

/// The id of `rules` in the state's book.
pub(crate) fn rules(state: &mut State<'_>, rules: &Rules) -> Id<Rules> {
    state.book_mut().rules(rules)
}

/// The live instance with this ordinal.
pub(crate) fn instance(state: &State<'_>, ordinal: u32) -> InstanceRef {
    let found = state.instances().find(|(_, instance)| instance.ordinal == ordinal);
    found.expect("the instance is alive").0
}

/// Submits and places one task of `demand` on an instance, on the devices that
/// hold it most tightly, so that less of it is free.
pub(crate) fn fill(state: &mut State<'_>, ordinal: u32, demand: Demand) -> WorkRef {
    let ask = Ask { demand, ..Ask::default() };
    let work = submit(state, u64::MAX, ask);
    let instance = instance(state, ordinal);
    let devices = state.instance(instance).tightest_devices(demand, 1).expect("it fits");
    let opened = state.open(work);
    state.add(opened, Share { instance, tasks: 1, devices }).expect("it fits");
    state.commit(opened).expect("it fits");
    work
}
