//! Why a piece of work could never run on an offer, in words.

use super::refusal;
use crate::model::{Market, Offer};
use crate::state::{State, WorkRef, barrier};
use crate::units::{Demand, Id, Shape};

/// What keeps `work` from ever running on instances of `offer` alone; none
/// where nothing does.
pub(crate) fn obstacle(state: &State<'_>, work: WorkRef, offer: Id<Offer>) -> Option<String> {
    let (world, ask) = (state.world(), state.work(work).ask);
    let rules = &state.book().all_rules()[ask.rules];
    if let Some(what) = barrier(world, rules, offer) {
        return Some(match what {
            "GPU model" => "it has not the GPU model that the job asks for".to_owned(),
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
        _ => state.launch_room(offer),
    };
    let room = live.saturating_add(more).saturating_mul(holds);
    let needed = if ask.gang { u64::from(ask.tasks) } else { 1 };
    (room < needed).then(|| {
        let why = limit.map_or_else(String::new, |why| format!(" ({})", refusal(state, why)));
        format!("{needed} tasks must run at once, it has room for {room}{why}")
    })
}

/// The first resource of which an instance has less than a task asks.
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
