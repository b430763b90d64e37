//! Reasons for which a policy can rent nothing for a piece of work, in words.

use super::{RentalLimits, fits};
use crate::model::{Ask, Market, Offer, QuotaUnit, World};
use crate::policy::composed::fits::{CountedCapacity, Feasibility};
use crate::policy::spec::{OfferScope, PolicySpec, Reach};
use crate::problem::clip;
use crate::state::barrier;
use crate::units::Id;

/// Finder of the reasons for which a policy can rent nothing for work. All that does not depend on
/// the work is found once.
#[derive(Debug)]
pub(super) struct LackFinder {
    /// Offers that the policy may rent, whatever the work.
    open: Vec<Id<Offer>>,
    /// Reason for all work where there are none.
    nothing: Option<String>,
    /// Reason for work that is too large for each of them.
    too_large: String,
    /// Feasibility on what is rented without one of the limits each.
    without: LimitsLifted,
}

/// Feasibility on what is rented where one limit is lifted.
#[derive(Debug)]
struct LimitsLifted {
    quotas: Feasibility,
    capacities: Feasibility,
    max_instances: Feasibility,
    /// The gang may lie in several places.
    together: Feasibility,
}

impl LackFinder {
    pub(super) fn new(world: &World, policy: &PolicySpec) -> Self {
        let reach = policy.reach();
        let all =
            || world.offers.ids().filter(|&offer| world.offers[offer].market != Market::Owned);
        let scoped: Vec<Id<Offer>> =
            all().filter(|&offer| reach.scope.admits(world, offer)).collect();
        let is_open = |offer: &Id<Offer>| reach.is_open(world.offers[*offer].market);
        let open: Vec<Id<Offer>> = scoped.iter().copied().filter(is_open).collect();
        let nothing =
            open.is_empty().then(|| nothing(all().next().is_some(), !scoped.is_empty(), &reach));
        let too_large = too_large(world, &reach, &open);
        Self { open, nothing, too_large, without: LimitsLifted::new(policy) }
    }

    /// The reason, as the end of a sentence: the first of narrowing, size, rules and limits that
    /// leaves nothing.
    pub(super) fn reason(&mut self, world: &World, limits: RentalLimits<'_>, ask: &Ask) -> String {
        if let Some(nothing) = &self.nothing {
            return nothing.clone();
        }
        let holds = |offer: &Id<Offer>| world.type_of(*offer).shape.holds(ask.demand) > 0;
        let large: Vec<Id<Offer>> = self.open.iter().copied().filter(holds).collect();
        if large.is_empty() {
            return self.too_large.clone();
        }
        let allowed: Vec<Id<Offer>> =
            large.iter().copied().filter(|&offer| limits.resolved.allows(offer)).collect();
        if allowed.is_empty() {
            let mut barriers: Vec<&str> =
                large.iter().filter_map(|&offer| barrier(world, limits.rules, offer)).collect();
            barriers.sort_unstable();
            barriers.dedup();
            return format!(
                "its rules allow no offer that is large enough and that the policy may rent ({})",
                barriers.join(", ")
            );
        }
        self.without.reason(world, limits, (ask, &allowed))
    }
}

/// Reason for work that is too large for each of the `open` offers.
fn too_large(world: &World, reach: &Reach, open: &[Id<Offer>]) -> String {
    let named = narrowing(&reach.scope);
    let which = match named.is_empty() {
        true => "is for rent".to_owned(),
        false => format!("it may rent ({named})"),
    };
    format!("no instance type that {which} holds a task{}", largest(world, open))
}

/// The largest instance type of some offers in words, by vCPUs, then by memory; of equals the first.
fn largest(world: &World, offers: &[Id<Offer>]) -> String {
    let size = |offer: &&Id<Offer>| {
        let shape = world.type_of(**offer).whole;
        (shape.cpu, shape.memory)
    };
    let first = |best, one| if size(&one) > size(&best) { one } else { best };
    let Some(&largest) = offers.iter().reduce(first) else { return String::new() };
    let kind = world.type_of(largest);
    let shape = kind.whole;
    let (vcpus, memory) = (f64::from(shape.cpu) / 1e3, f64::from(shape.memory) / 1_024.0);
    format!(", the largest is {} with {vcpus} vCPUs and {memory} GiB", clip(&kind.name))
}

/// Reason why the policy's own narrowing leaves no offer, in words.
fn nothing(any: bool, scoped: bool, reach: &Reach) -> String {
    let names: Vec<&str> = reach.markets.iter().map(|market| market.name()).collect();
    let markets = names.join(" or ");
    let named = narrowing(&reach.scope);
    match (any, scoped) {
        (false, _) => "there is no cloud to rent from".to_owned(),
        (true, false) => format!("no offer is left{}", of(&named)),
        (true, true) if named.is_empty() => format!("nothing is sold on the {markets} market"),
        (true, true) => format!("nothing{} is sold on the {markets} market", of(&named)),
    }
}

/// Keys that narrow the offers that may be rented: `providers = ["lambda"]`.
fn narrowing(scope: &OfferScope) -> String {
    let keys = [
        ("providers", &scope.providers),
        ("regions", &scope.regions),
        ("types", &scope.types),
        ("families", &scope.families),
    ];
    let some = keys.into_iter().filter(|(_, names)| !names.is_empty());
    let told = some.map(|(key, names)| {
        let names: Vec<String> = names.iter().map(|name| format!("\"{}\"", clip(name))).collect();
        format!("`{key} = [{}]`", names.join(", "))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn of(named: &str) -> String {
    if named.is_empty() { String::new() } else { format!(" of {named}") }
}

impl LimitsLifted {
    fn new(policy: &PolicySpec) -> Self {
        let rented = CountedCapacity { owned: false, ..CountedCapacity::ALL };
        let unbounded = Reach { max_instances: None, ..policy.reach() };
        Self {
            quotas: fits(policy).counting(CountedCapacity { quotas: false, ..rented }),
            capacities: fits(policy).counting(CountedCapacity { capacities: false, ..rented }),
            max_instances: Feasibility::new(unbounded, policy.placed()).counting(rented),
            together: fits(policy).counting(rented),
        }
    }

    /// The limit without which there would be room for all that must run at once, on offers
    /// that are large enough and allowed.
    fn reason(
        &mut self,
        world: &World,
        limits: RentalLimits<'_>,
        (ask, allowed): (&Ask, &[Id<Offer>]),
    ) -> String {
        let held = (limits.resolved, limits.site);
        let at_once =
            if ask.gang && ask.tasks > 1 { "all tasks of a gang at once" } else { "a task" };
        if self.quotas.admit(world, held, ask) {
            return quotas_full(world, allowed, at_once);
        }
        if self.capacities.admit(world, held, ask) {
            return format!("the capacity of what it may rent has no room for {at_once}");
        }
        if self.max_instances.admit(world, held, ask) {
            return format!("`max_instances` of the policy has no room for {at_once}");
        }
        if self.together.admit(world, (limits.resolved, &|_| None), ask) {
            return format!("no one place (`together`) has room to rent for {at_once}");
        }
        format!("quotas, capacities and `max_instances` together have no room for {at_once}")
    }
}

/// Reason for work that quotas hold back, which names the quota where one alone is of the offers.
fn quotas_full(world: &World, allowed: &[Id<Offer>], at_once: &str) -> String {
    let mut quotas =
        world.quotas.iter().filter(|quota| allowed.iter().any(|one| quota.offers.contains(one)));
    match (quotas.next(), quotas.next()) {
        (Some(quota), None) => {
            let limit = match quota.unit {
                QuotaUnit::Instances | QuotaUnit::Gpus => quota.limit,
                QuotaUnit::Cpu => quota.limit / 1_000,
            };
            format!("the quota {} of {limit} has no room for {at_once}", clip(&quota.name))
        }
        _ => format!("quotas have no room for {at_once}"),
    }
}
