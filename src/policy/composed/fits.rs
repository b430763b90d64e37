//! Which work could never run, whatever else happens?

use rustc_hash::FxHashMap;

use crate::model::{Market, Offer, QuotaUnit, Rules, Spread, World};
use crate::policy::spec;
use crate::policy::turn::Turn;
use crate::state::WorkRef;
use crate::units::{Demand, Id, Shape};

/// Most tasks of a demand that the world can ever hold at once, remembered by
/// demand and rules.
#[derive(Debug)]
pub(super) struct Fits {
    provision: spec::Provision,
    /// Most instances by offer, and whether they are rented on demand.
    most: Vec<(u64, bool)>,
    held: FxHashMap<(Demand, Id<Rules>), u64>,
    last: Option<(Demand, Id<Rules>, u64)>,
}

impl Fits {
    pub(super) fn new(provision: &spec::Provision) -> Self {
        let provision = provision.clone();
        Self { provision, most: Vec::new(), held: FxHashMap::default(), last: None }
    }

    /// Whether the work can run some day: a gang whole, other work task by task.
    pub(super) fn ever(&mut self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        let ask = &turn.work(work).ask;
        let needed = if ask.gang { u64::from(ask.tasks) } else { 1 };
        let held = match self.last {
            Some((demand, rules, held)) if (demand, rules) == (ask.demand, ask.rules) => held,
            _ => self.held(turn, ask.demand, ask.rules),
        };
        self.last = Some((ask.demand, ask.rules, held));
        held >= needed
    }

    fn held(&mut self, turn: &Turn<'_, '_>, demand: Demand, rules: Id<Rules>) -> u64 {
        if let Some(&held) = self.held.get(&(demand, rules)) {
            return held;
        }
        if self.most.is_empty() {
            self.most = most_instances(turn.world(), &self.provision);
        }
        let held = self.count(turn, demand, rules);
        self.held.insert((demand, rules), held);
        held
    }

    /// An upper bound: quotas and capacities are looked at offer by offer.
    fn count(&self, turn: &Turn<'_, '_>, demand: Demand, rules: Id<Rules>) -> u64 {
        let world = turn.world();
        let rules = turn.rules(rules);
        let (mut fixed, mut rented, mut largest) = (0_u64, 0_u64, 0_u64);
        let mut zones = vec![false; world.zones.len()];
        for (offer, facts) in world.offers.iter() {
            let (count, on_demand) = self.most[offer.row()];
            let holds = world.types[facts.instance_type].shape.holds(demand);
            if count == 0 || holds == 0 || !rules.allows(offer) {
                continue;
            }
            zones[facts.zone.row()] = true;
            let each = if rules.spread == Spread::Instances { 1 } else { u64::from(holds) };
            if on_demand {
                rented = rented.saturating_add(count.saturating_mul(each));
                largest = largest.max(each);
            } else {
                fixed = fixed.saturating_add(count.saturating_mul(each));
            }
        }
        if rules.spread == Spread::Zones {
            return zones.iter().filter(|&&used| used).count() as u64;
        }
        if let spec::Provision::OnDemand { max_instances: Some(most), .. } = self.provision {
            rented = rented.min(largest.saturating_mul(u64::from(most)));
        }
        fixed.saturating_add(rented)
    }
}

fn most_instances(world: &World, provision: &spec::Provision) -> Vec<(u64, bool)> {
    let count = |(offer, facts): (Id<Offer>, &Offer)| {
        let running = u64::from(facts.running_at_start);
        match provision {
            spec::Provision::OwnedOnly => (running, false),
            spec::Provision::Static { fleets } => {
                let named = fleets.iter().filter(|(name, _)| *name == facts.name);
                (running + named.map(|&(_, count)| u64::from(count)).sum::<u64>(), false)
            }
            spec::Provision::OnDemand { markets, .. } => {
                let open = facts.market != Market::Owned
                    && (markets.is_empty() && facts.market == Market::OnDemand
                        || markets.contains(&facts.market));
                if open { (rentable(world, offer), true) } else { (running, false) }
            }
        }
    };
    world.offers.iter().map(count).collect()
}

/// Most instances of an offer at once by its capacity and every quota.
fn rentable(world: &World, offer: Id<Offer>) -> u64 {
    let whole = world.type_of(offer).whole;
    let quotas = world.quotas.iter().filter(|quota| quota.offers.contains(&offer));
    let by_quota = quotas.filter_map(|quota| quota.limit.checked_div(counted(quota.unit, whole)));
    let capacity = world.offers[offer].capacity.map_or(u64::MAX, u64::from);
    by_quota.fold(capacity, u64::min)
}

fn counted(unit: QuotaUnit, whole: Shape) -> u64 {
    match unit {
        QuotaUnit::Instances => 1,
        QuotaUnit::Cpu => u64::from(whole.cpu),
        QuotaUnit::Gpus => u64::from(whole.gpus),
    }
}
