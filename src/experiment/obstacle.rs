//! Reasons for which a piece of work could never run on an offer, in words.

use super::event_log::limit as limit_of;
use crate::model::{Market, Offer, World};
use crate::policy::spec::PolicySpec;
use crate::state::{State, WorkRef, barrier};
use crate::units::{Demand, Id, Shape};

/// Obstacle that keeps `work` from ever running on instances of `offer` alone; `None` if nothing
/// does.
pub(crate) fn obstacle(state: &State<'_>, work: WorkRef, offer: Id<Offer>) -> Option<String> {
    let (world, ask) = (state.world(), state.work(work).ask);
    let rules = &state.book().all_rules()[ask.rules];
    if let Some(what) = barrier(world, rules, offer) {
        return Some(match what {
            "offer" => {
                "the job's rules, or for now the `recover` part, do not allow its offer".to_owned()
            }
            "GPU model" => "no GPU of a model that the job asks for".to_owned(),
            _ => format!("the job's rules do not allow its {what}"),
        });
    }
    let shape = world.type_of(offer).shape;
    let holds = u64::from(shape.holds(ask.demand));
    if holds == 0 {
        return Some(too_small(shape, ask.demand));
    }
    let (facts, live) = (&world.offers[offer], u64::from(state.offer(offer).live));
    let (more, limit) = match facts.market {
        Market::Owned => (0, None),
        Market::OnDemand | Market::Spot => state.launch_room(offer),
    };
    let room = live.saturating_add(more).saturating_mul(holds);
    let needed = if ask.gang { u64::from(ask.tasks) } else { 1 };
    (room < needed).then(|| {
        let why =
            limit.map_or_else(String::new, |why| format!(" (limited by {})", limit_of(state, why)));
        format!("{needed} tasks must run at once, it has room for {room}{why}")
    })
}

/// Reason for which `policy` never uses `offer`, whatever is asked; `None` if it may use it.
pub(crate) fn unused(world: &World, policy: &PolicySpec, offer: Id<Offer>) -> Option<String> {
    let facts = &world.offers[offer];
    let narrowed = "not among what the policy places work on";
    let is_placed_on = policy.placed().admits(world, offer);
    let unplaced = || (!is_placed_on).then(|| narrowed.to_owned());
    if facts.market == Market::Owned {
        return unplaced();
    }
    let reach = policy.reach();
    if reach.fleet(world, offer) > 0 {
        return unplaced();
    }
    let why = match (!reach.has_fleet(), reach.rents_for_work()) {
        (true, false) => "the policy rents nothing",
        (false, false) => "it is not in the policy's fleet",
        (_, true) if !reach.scope.admits(world, offer) => "not among what the policy rents",
        (_, true) if !reach.is_open(facts.market) => "the policy does not rent from its market",
        (_, true) => return None,
    };
    Some(why.to_owned())
}

/// Reason for which the policy's own limit of instances keeps `work` from ever running on rented
/// instances of `offer`; `None` if it does not.
pub(crate) fn limited(
    state: &State<'_>,
    policy: &PolicySpec,
    work: WorkRef,
    offer: Id<Offer>,
) -> Option<String> {
    let (world, ask) = (state.world(), state.work(work).ask);
    let most = policy.reach().max_instances?;
    let needed = if ask.gang { u64::from(ask.tasks) } else { 1 };
    let holds = u64::from(world.type_of(offer).shape.holds(ask.demand));
    let room = u64::from(most).saturating_mul(holds);
    let rented = world.offers[offer].market != Market::Owned;
    (rented && room < needed).then(|| {
        format!(
            "{needed} tasks must run at once, and of the {most} instances that the policy rents \
             at most (`max_instances`) each holds {holds}"
        )
    })
}

/// The first resource that an instance has less of than a task asks, in words.
fn too_small(shape: Shape, demand: Demand) -> String {
    let asks = |what: &str, asked: String, has: String| {
        format!("too small: a task asks for {asked} {what}, an instance has {has}")
    };
    let cores = |milli: u32| (f64::from(milli) / 1_000.0).to_string();
    if demand.cpu > shape.cpu {
        return asks("cores", cores(demand.cpu), cores(shape.cpu));
    }
    if demand.memory > shape.memory {
        return asks("MiB of memory", demand.memory.to_string(), shape.memory.to_string());
    }
    asks("GPUs", demand.gpus.to_string(), shape.gpus.to_string())
}
