//! Reasons for which a policy can rent nothing for a piece of work, in words.

use super::{RentalLimits, fits};
use crate::model::{Ask, Market, Offer, QuotaUnit, World};
use crate::policy::composed::fits::{CountedCapacity, Feasibility};
use crate::policy::spec::{OfferScope, PolicySpec, Reach};
use crate::problem::clip;
use crate::state::barrier;
use crate::units::Id;

/// The reason, as the end of a sentence: the first of narrowing, size, rules and limits
/// that leaves nothing.
pub(super) fn lack(
    world: &World,
    policy: &PolicySpec,
    limits: RentalLimits<'_>,
    ask: &Ask,
) -> String {
    let reach = policy.reach();
    let all = || world.offers.ids().filter(|&offer| world.offers[offer].market != Market::Owned);
    let scoped: Vec<Id<Offer>> = all().filter(|&offer| reach.scope.admits(world, offer)).collect();
    let open: Vec<Id<Offer>> =
        scoped.iter().copied().filter(|&offer| reach.is_open(world.offers[offer].market)).collect();
    if open.is_empty() {
        return nothing(all().next().is_some(), !scoped.is_empty(), &reach);
    }
    let largest = largest(world, &open);
    let large: Vec<Id<Offer>> = open
        .into_iter()
        .filter(|&offer| world.type_of(offer).shape.holds(ask.demand) > 0)
        .collect();
    if large.is_empty() {
        let named = narrowing(&reach.scope);
        let which = match named.is_empty() {
            true => "is for rent".to_owned(),
            false => format!("it may rent ({named})"),
        };
        return format!("no instance type that {which} holds a task{largest}");
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
    limit(world, (policy, &reach), limits, (ask, &allowed))
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

/// The limit without which there would be room for all that must run at once, on offers
/// that are large enough and allowed.
fn limit(
    world: &World,
    (policy, reach): (&PolicySpec, &Reach),
    limits: RentalLimits<'_>,
    (ask, allowed): (&Ask, &[Id<Offer>]),
) -> String {
    let rented = CountedCapacity { owned: false, ..CountedCapacity::ALL };
    let anywhere = |_: Id<Offer>| None;
    let admits = |mut fits: Feasibility, site: &dyn Fn(Id<Offer>) -> Option<u32>| {
        fits.admit(world, (limits.resolved, site), ask)
    };
    let without = |counted: CountedCapacity| admits(fits(policy).counting(counted), limits.site);
    let at_once = if ask.gang && ask.tasks > 1 { "all tasks of a gang at once" } else { "a task" };
    if without(CountedCapacity { quotas: false, ..rented }) {
        let quotas = world.quotas.iter();
        let mut quotas =
            quotas.filter(|quota| allowed.iter().any(|one| quota.offers.contains(one)));
        return match (quotas.next(), quotas.next()) {
            (Some(quota), None) => {
                let limit = match quota.unit {
                    QuotaUnit::Instances | QuotaUnit::Gpus => quota.limit,
                    QuotaUnit::Cpu => quota.limit / 1_000,
                };
                format!("the quota {} of {limit} has no room for {at_once}", clip(&quota.name))
            }
            _ => format!("quotas have no room for {at_once}"),
        };
    }
    if without(CountedCapacity { capacities: false, ..rented }) {
        return format!("the capacity of what it may rent has no room for {at_once}");
    }
    let unbounded = Reach { max_instances: None, ..reach.clone() };
    let unbounded = Feasibility::new(unbounded, policy.placed());
    if admits(unbounded.counting(rented), limits.site) {
        return format!("`max_instances` of the policy has no room for {at_once}");
    }
    if admits(fits(policy).counting(rented), &anywhere) {
        return format!("no one place (`together`) has room to rent for {at_once}");
    }
    format!("quotas, capacities and `max_instances` together have no room for {at_once}")
}
