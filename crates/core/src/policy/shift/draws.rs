//! What the tasks of a gang draw, by how many run.

use crate::model::{InstanceType, Market, Offer, World};
use crate::state::{State, WorkRef};
use crate::units::{Demand, Id};

/// Power of a gang's tasks by how many run, from none to all: whole numbers below 2^32, of which only the
/// proportions count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GangDraws(Vec<u32>);

impl GangDraws {
    /// Of each task as much.
    pub(super) fn even(whole: u32) -> Self {
        Self((0..=whole).collect())
    }

    /// Those in such proportions, divided by what all have in common, and rounded down to 2^-31 of the
    /// most where they are still too large. Where all tasks draw nothing each draws as much.
    pub(super) fn of(mut powers: Vec<i128>) -> Self {
        let whole = powers.len().saturating_sub(1) as u32;
        let most = powers.iter().copied().max().unwrap_or(0);
        if powers.last().is_none_or(|&all| all <= 0) {
            return Self::even(whole);
        }
        let common = powers.iter().fold(0, |common, &power| common_divisor(common, power));
        let mut shift = 0;
        while (most / common) >> shift > i128::from(u32::MAX) {
            shift += 1;
        }
        for power in &mut powers {
            *power = (*power / common) >> shift;
        }
        Self(powers.into_iter().map(|power| u32::try_from(power).unwrap_or(u32::MAX)).collect())
    }

    /// Of the tasks of `work` where they are likely to run: on machines of the own, if those can hold all of
    /// them, else on the machines that are cheapest for so many. Where that power is not known each task
    /// draws as much.
    pub(super) fn expected(state: &State<'_>, work: WorkRef) -> Self {
        let whole = state.whole_tasks(work);
        let kinds = MachineKind::all(state, work);
        let holds_all =
            |kind: &&MachineKind<'_>| u64::from(kind.count) * u64::from(kind.each) >= whole.into();
        let owned = kinds.iter().filter(|kind| kind.market == Market::Owned).find(holds_all);
        let rented: Vec<_> = kinds.iter().filter(|kind| kind.market != Market::Owned).collect();
        let owned = owned.or_else(|| kinds.first().filter(|_| rented.is_empty()));
        let demand = state.work(work).ask.demand;
        let power = |tasks: u32| match owned {
            Some(kind) => kind.power(demand, tasks),
            None => rented.iter().min_by_key(|kind| kind.price_of(tasks))?.power(demand, tasks),
        };
        let powers: Option<Vec<i128>> = (0..=whole).map(power).collect();
        powers.map_or_else(|| Self::even(whole), Self::of)
    }

    /// What so many tasks draw.
    pub(super) fn at(&self, tasks: u32) -> u32 {
        self.0.get(tasks as usize).copied().unwrap_or(tasks)
    }
}

/// Machines of one type that could hold tasks of a gang.
#[derive(Clone, Copy, Debug)]
struct MachineKind<'w> {
    offer: Id<Offer>,
    market: Market,
    machine: &'w InstanceType,
    /// Number of them that are owned.
    count: u32,
    /// Tasks that one of them takes.
    each: u32,
    /// Price of one for the time in which the reference machine does an hour's work, in pico-dollars.
    price: i128,
}

impl<'w> MachineKind<'w> {
    /// All that the policy may use: owned offers in order, and of each type for rent the cheapest.
    fn all(state: &State<'w>, work: WorkRef) -> Vec<Self> {
        let world: &World = state.world();
        let mut kinds: Vec<Self> = Vec::new();
        let used = world.offers.ids().filter(|&offer| state.could_use(work, offer));
        for offer in used {
            let kind = Self::new(state, work, offer);
            let is_alike = |other: &&mut Self| {
                kind.market != Market::Owned
                    && other.market != Market::Owned
                    && world.offers[other.offer].instance_type == world.offers[offer].instance_type
            };
            match kinds.iter_mut().find(is_alike) {
                Some(other) if kind.price < other.price => *other = kind,
                Some(_) => {}
                None => kinds.push(kind),
            }
        }
        kinds
    }

    fn new(state: &State<'w>, work: WorkRef, offer: Id<Offer>) -> Self {
        let (world, live) = (state.world(), state.work(work));
        let (facts, machine) = (&world.offers[offer], world.type_of(offer));
        let rules = state.rules(live.ask.rules);
        let speed = i128::from(rules.speed(live.kind, offer).max(1));
        Self {
            offer,
            market: facts.market,
            machine,
            count: facts.running_at_start,
            each: rules.each(live.ask.demand, machine.shape.holds(live.ask.demand)).max(1),
            price: i128::from(state.price(offer).picos()) * 1_000_000 / speed,
        }
    }

    /// Price of the machines of so many tasks, their number and the offer: the least is taken.
    fn price_of(&self, tasks: u32) -> (i128, u32, Id<Offer>) {
        let machines = tasks.div_ceil(self.each);
        (self.price * i128::from(machines), machines, self.offer)
    }

    /// Microwatts of so many tasks that fill one machine after the other; `None` if it is not known. Rented
    /// machines draw for nobody else. Those of the own stand there anyway: of their power without load counts
    /// the part that tasks hold.
    fn power(&self, demand: Demand, tasks: u32) -> Option<i128> {
        let power = self.machine.power.as_ref()?;
        let whole = self.machine.shape.loadable();
        let of_one = |tasks: u32| {
            let load = self.machine.shape.load(demand, tasks).min(whole);
            let (drawn, idle) = (i128::from(power.at(load, whole)), i128::from(power.idle()));
            match self.market {
                Market::Owned if whole > 0 => {
                    drawn - idle + idle * i128::from(load) / i128::from(whole)
                }
                Market::Owned | Market::OnDemand | Market::Spot => drawn,
            }
        };
        let (full, rest) = (i128::from(tasks / self.each), tasks % self.each);
        Some(full * of_one(self.each) + if rest > 0 { of_one(rest) } else { 0 })
    }
}

/// The greatest number that divides both, at least one where one of them is not 0.
fn common_divisor(mut one: i128, mut other: i128) -> i128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}
