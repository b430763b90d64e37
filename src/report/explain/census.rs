//! The resource that a piece of work wants: what is free of it, and who holds the rest.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::model::WorkId;
use crate::state::{Phase, State, WorkRef};
use crate::units::{Demand, Shape, Time};

/// Holders that are named.
pub(super) const NAMED: usize = 3;

/// A resource of instances. Amounts are in thousandths of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InstanceResource {
    Gpus,
    Cores,
    Memory,
}

impl InstanceResource {
    /// Its unit, as files name it.
    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Gpus => "GPUs",
            Self::Cores => "cores",
            Self::Memory => "MiB",
        }
    }

    /// Amount of the resource that an instance has.
    fn of(self, shape: Shape) -> i64 {
        match self {
            Self::Gpus => i64::from(shape.gpu_milli()),
            Self::Cores => i64::from(shape.cpu),
            Self::Memory => i64::from(shape.memory) * 1_000,
        }
    }

    /// Amount of the resource that one task asks for.
    pub(super) fn asked(self, demand: Demand) -> i64 {
        match self {
            Self::Gpus => i64::from(demand.gpu_milli()),
            Self::Cores => i64::from(demand.cpu),
            Self::Memory => i64::from(demand.memory) * 1_000,
        }
    }
}

/// Work that holds some of the resource: how much, and until when by the estimates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// The work, as `jobs.csv` names it.
    pub job: String,
    /// Amount of the resource that it holds: what it asks for, or, of work that has its machines
    /// alone, all of those.
    pub amount: f64,
    /// Whether the work has its machines alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// End by its estimate, in seconds since the run's start.
    pub until_s: Option<f64>,
}

/// The instances that may and could hold one kind of work, counted at one instant.
#[derive(Clone, Debug)]
pub(super) struct Census {
    /// The resource with the least free amount for what a task asks.
    pub(super) resource: InstanceResource,
    /// Number of tasks that fit.
    pub(super) room: u64,
    /// Free amount of the resource.
    pub(super) free: i64,
    /// The most that is free of it on one instance.
    pub(super) best: i64,
    /// Held amount of the resource.
    pub(super) held: i64,
    /// Broken amount of the resource.
    pub(super) broken: i64,
    /// Amount of the resource on machines that are down.
    pub(super) down: i64,
    /// Pieces of work that hold it.
    pub(super) holders: usize,
    /// The largest of them.
    pub(super) largest: Vec<Holder>,
    /// The first of them.
    pub(super) most: Option<WorkRef>,
}

impl Census {
    /// Counts for `work`. Costs the number of live instances and allocations.
    pub(super) fn new(state: &State<'_>, work: WorkRef) -> Self {
        let demand = state.work(work).ask.demand;
        let offers = &state.world().offers;
        let fits: Vec<bool> = offers.ids().map(|offer| state.could_hold(work, offer)).collect();
        let (mut room, mut free, mut best, mut whole) = (0, [0_i64; 3], [0_i64; 3], [0_i64; 3]);
        let mut broken = 0;
        for (_, instance) in
            state.instances().filter(|(_, one)| fits[one.offer.row()] && one.phase.takes_work())
        {
            room += u64::from(instance.room(demand));
            let shape = instance.working();
            broken += i64::from(instance.shape.gpu_milli()) - i64::from(shape.gpu_milli());
            let left = instance.free;
            let amounts = [
                (instance.free_gpu, shape.gpu_milli(), 1),
                (left.cpu, shape.cpu, 1),
                (left.memory, shape.memory, 1_000),
            ];
            for (at, (left, all, scale)) in amounts.into_iter().enumerate() {
                free[at] += i64::from(left) * scale;
                best[at] = best[at].max(i64::from(left) * scale);
                whole[at] += i64::from(all) * scale;
            }
        }
        let resource = scarcest(demand, free);
        let at = resource as usize;
        let holding = holders(state, resource, &fits);
        let (free, best, held) = (free[at], best[at], whole[at] - free[at]);
        let holders = holding.len();
        let most = holding.first().map(|&(work, _)| work);
        let largest = holding.iter().take(NAMED).map(|one| holder(state, one)).collect();
        let broken = if resource == InstanceResource::Gpus { broken } else { 0 };
        let failed = state.instances().map(|(_, instance)| instance);
        let failed = failed.filter(|one| fits[one.offer.row()] && one.phase == Phase::Down);
        let down = failed.map(|instance| resource.of(instance.shape)).sum();
        Self { resource, room, free, best, held, broken, down, holders, largest, most }
    }
}

impl Census {
    /// What is free, held, broken and down.
    pub(super) const fn amounts(&self) -> [i64; 4] {
        [self.free, self.held, self.broken, self.down]
    }
}

/// The resource that could serve the fewest tasks; GPUs before cores before memory where they are
/// equal.
fn scarcest(demand: Demand, free: [i64; 3]) -> InstanceResource {
    let all = [InstanceResource::Gpus, InstanceResource::Cores, InstanceResource::Memory];
    let asked = all.into_iter().filter(|one| one.asked(demand) > 0);
    let fewest = asked.min_by(|&one, &other| {
        let product = |have: InstanceResource, by: InstanceResource| {
            i128::from(free[have as usize]) * i128::from(by.asked(demand))
        };
        product(one, other).cmp(&product(other, one))
    });
    fewest.unwrap_or(InstanceResource::Cores)
}

/// Work, how much of the resource it holds, and until when by its estimate.
type WorkHolding = (WorkRef, (i64, Time));

/// Work that holds the resource, largest holders first.
fn holders(state: &State<'_>, resource: InstanceResource, fits: &[bool]) -> Vec<WorkHolding> {
    let mut holding: FxHashMap<WorkRef, (i64, Time)> = FxHashMap::default();
    for (work, live) in state.works() {
        let demand = live.ask.demand;
        for allocation in live.allocations.iter().map(|&one| state.allocation(one)) {
            let shares = allocation.held.iter().map(|held| held.share);
            let here = shares.map(|share| (share.tasks, state.instance(share.instance)));
            let here = here.filter(|(_, instance)| fits[instance.offer.row()]);
            let held = here.map(|(tasks, instance)| match demand.exclusive {
                true => resource.of(instance.working()),
                false => i64::from(tasks) * resource.asked(demand),
            });
            let held: i64 = held.sum();
            if held > 0 {
                let (amount, until) = holding.entry(work).or_insert((0, Time::ZERO));
                *amount += held;
                *until = allocation.estimated_end.max(*until);
            }
        }
    }
    let mut all: Vec<WorkHolding> = holding.into_iter().collect();
    all.sort_by_key(|&(work, (amount, _))| (std::cmp::Reverse(amount), state.work(work).tie()));
    all
}

/// Holder as it is written.
fn holder(state: &State<'_>, &(work, (amount, until)): &WorkHolding) -> Holder {
    let ask = state.work(work).ask;
    Holder {
        job: name(state, work),
        amount: amount as f64 / 1e3,
        alone: ask.demand.exclusive,
        until_s: ask.estimate.map(|_| until.secs_f64()),
    }
}

/// The work as `jobs.csv` names it.
pub(super) fn name(state: &State<'_>, work: WorkRef) -> String {
    let WorkId { source, ordinal } = state.work(work).id;
    match (source, state.name(work)) {
        (0, "") => ordinal.to_string(),
        (0, name) => name.to_owned(),
        (_, "") => format!("{source}/{ordinal}"),
        (_, name) => format!("{source}/{name}"),
    }
}
