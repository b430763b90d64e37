//! Warnings about parts that are there for nothing: clouds that nobody rents from, clusters that
//! hold none of the work, prices that end too soon or change too late, time before the first work.

use super::super::survey::Survey;
use super::impossible::policy_key;
use crate::model::{Market, Provider, Region};
use crate::policy::spec::PolicySpec;
use crate::problem::{Problem, clip};
use crate::scenario::{Scenario, past_prices};
use crate::units::{Id, Money, Time};

/// Share of the time until the last arrival, one in so many, above which the time before the
/// first is told of.
const LONG: i64 = 20;

/// Warnings that the scenario alone gives.
pub(super) fn alone(scenario: &Scenario, warnings: &mut Vec<Problem>) {
    warnings.extend(past_prices(scenario));
    let world = &scenario.world;
    for (id, provider) in world.providers.iter() {
        let rented = |offer| {
            let of_it = world.regions[world.region_of(offer)].provider == id;
            of_it && world.offers[offer].market != Market::Owned
        };
        let used = |policy: &PolicySpec| rents_from(scenario, policy, id);
        if world.offers.ids().any(rented) && !scenario.policies.iter().any(used) {
            let message =
                format!("no policy rents from {}: it is there for nothing", clip(&provider.name));
            let hint = "give a policy a `provision`, such as `preset = \"cloud-burst\"`";
            let key = format!("cloud.{}", policy_key(&provider.name).trim_start_matches("policy."));
            warnings.push(scenario.problem(&key, message).hint(hint));
        }
    }
}

/// Whether a policy may ever rent from this provider.
fn rents_from(scenario: &Scenario, policy: &PolicySpec, provider: Id<Provider>) -> bool {
    let world = &scenario.world;
    let name = &world.providers[provider].name;
    let named = |scope: &crate::policy::spec::OfferScope| {
        scope.providers.is_empty() || scope.providers.contains(name)
    };
    let reach = policy.reach();
    let mut offers = world.offers.ids().filter(|&offer| world.provider_of(offer) == provider);
    reach.rents_for_work() && named(&reach.scope) && named(&policy.placed())
        || offers.any(|offer| reach.fleet(world, offer) > 0)
}

/// Warnings that need the work as well.
pub(super) fn with_work(scenario: &Scenario, survey: &Survey, warnings: &mut Vec<Problem>) {
    clusters(scenario, survey, warnings);
    let Some((first, last)) = survey.arrivals else { return };
    let world = &scenario.world;
    let before = first - Time::ZERO;
    if before.micros() > (last - Time::ZERO).micros() / LONG {
        let owned = world.offers.rows().iter().filter(|offer| offer.market == Market::Owned);
        let cost = |offer: &crate::model::Offer| {
            let each = offer.price.first.charge(before).nanos();
            Money::from_nanos(each * i128::from(offer.running_at_start))
        };
        let paid: Money = owned.map(cost).sum();
        if paid > Money::ZERO {
            let message = format!(
                "nothing arrives in the first {before}, for which own machines cost {paid}"
            );
            let hint = "let the run begin with its work: a later `start`, or none for a trace";
            warnings.push(scenario.problem("start", message).hint(hint));
        }
    }
    if let Some(horizon) = scenario.horizon {
        let end = Time::ZERO + horizon;
        let late = |offer: &&crate::model::Offer| {
            offer.price.changes.first().is_some_and(|&(at, _)| at >= end)
        };
        if let Some(offer) = world.offers.rows().iter().find(late) {
            let at = world.calendar.format(offer.price.changes[0].0);
            let message = format!(
                "the price of {} first changes at {at}, after the run has ended",
                clip(&offer.name)
            );
            warnings.push(
                scenario.problem("cloud", message).hint("check `from`, `start` and `horizon`"),
            );
        }
    }
}

/// Warns of clusters none of whose machines could hold any task.
fn clusters(scenario: &Scenario, survey: &Survey, warnings: &mut Vec<Problem>) {
    let world = &scenario.world;
    let owned = |id: Id<Region>| {
        world.offers.iter().filter(move |&(offer, facts)| {
            world.region_of(offer) == id && facts.market == Market::Owned
        })
    };
    for id in world.regions.ids() {
        let idle = owned(id).all(|(offer, _)| survey.unused.contains(&offer));
        if owned(id).next().is_none() || !idle {
            continue;
        }
        let name = &world.providers[world.regions[id].provider].name;
        let message = format!("no work can be placed on {}: it is there for nothing", clip(name));
        let hint = "hold its `shape` against what the work asks for, and against its rules";
        let key = format!("cluster.{}", policy_key(name).trim_start_matches("policy."));
        warnings.push(scenario.problem(&key, message).hint(hint));
    }
}
