//! Load of the work against the resources that there are.

use std::collections::{BTreeMap, BTreeSet};

use super::super::survey::Survey;
use crate::model::gpu::answers;
use crate::model::{Market, World};
use crate::problem::{Problem, clip};
use crate::scenario::{Scenario, meant_models};
use crate::units::Shape;

/// Seconds. An overload is told only where what the machines cannot do of what is asked for until
/// the last arrival would keep all of them busy for longer: less is a queue.
const BACKLOG: f64 = 600.0;

/// Resources that the owned machines offer at every moment.
#[derive(Clone, Copy, Debug, Default)]
struct OwnedCapacity {
    cores: f64,
    memory: f64,
    gpus: f64,
}

fn owned(world: &World, counts: impl Fn(&str) -> bool) -> OwnedCapacity {
    let mut sum = OwnedCapacity::default();
    for (id, offer) in world.offers.iter().filter(|(_, offer)| offer.market == Market::Owned) {
        let kind = world.type_of(id);
        let model = kind.gpu_model.map_or("", |model| world.gpu_models[model].name.as_str());
        if counts(model) {
            let count = f64::from(offer.running_at_start);
            sum.cores += f64::from(kind.shape.cpu) / 1e3 * count;
            sum.memory += f64::from(kind.shape.memory) / 1_024.0 * count;
            sum.gpus += f64::from(kind.shape.gpus) * count;
        }
    }
    sum
}

/// Share of the owned resources that the work asks for between the first and the last arrival, if
/// nobody waits: a line for each resource, such as `98.1 % of the own GPUs`.
pub fn offered(scenario: &Scenario, survey: &Survey) -> Vec<(String, f64)> {
    let Some(window) = survey.window(scenario.horizon) else { return Vec::new() };
    let all = owned(&scenario.world, |_| true);
    let mut shares: Vec<(String, f64)> = [
        ("own cores", survey.load.cores, all.cores),
        ("own memory", survey.load.memory, all.memory),
        ("own GPUs", survey.load.gpus, all.gpus),
    ]
    .into_iter()
    .filter(|&(_, load, there)| load > 0.0 && there > 0.0)
    .map(|(what, load, there)| (what.to_owned(), load / window / there))
    .collect();
    for (models, load) in survey.by_models.iter().filter(|(models, _)| !models.is_empty()) {
        let of = owned(&scenario.world, |model| models.iter().any(|asked| answers(model, asked)));
        if of.gpus > 0.0 && of.gpus < all.gpus {
            let names: Vec<String> = models.iter().map(|model| clip(model)).collect();
            let what = format!("own GPUs of model {}", names.join(" or "));
            shares.push((what, load.gpus / window / of.gpus));
        }
    }
    shares
}

pub(super) fn warn(scenario: &Scenario, survey: &Survey, warnings: &mut Vec<Problem>) {
    let rents = scenario.world.offers.rows().iter().any(|offer| offer.market != Market::Owned);
    let window = survey.window(scenario.horizon).unwrap_or_default();
    let late = |share: f64| (share - 1.0) * window > BACKLOG;
    for (what, share) in offered(scenario, survey).into_iter().filter(|(_, share)| late(*share)) {
        let message =
            format!("the work asks for {:.0} % of the {what} while it arrives", share * 100.0);
        let hint = match rents {
            true => "what is not rented for waits longer and longer",
            false => "it waits longer and longer: own more, or take less work",
        };
        warnings.push(scenario.problem("workload", message).hint(hint));
    }
    sizes(scenario, survey, warnings);
    largest(scenario, survey, warnings);
    models(scenario, survey, warnings);
}

/// The largest task by each resource against the largest machine by it.
fn largest(scenario: &Scenario, survey: &Survey, warnings: &mut Vec<Problem>) {
    type Amount = fn(&Shape) -> u64;
    let world = &scenario.world;
    let amounts: [(Amount, f64, &str); 3] = [
        (|shape| shape.cpu.into(), 1e3, "cores"),
        (|shape| shape.memory.into(), 1_024.0, "GiB"),
        (|shape| shape.gpus.into(), 1.0, "GPUs"),
    ];
    for ((amount, scale, unit), task) in amounts.into_iter().zip(&survey.largest) {
        let Some((asked, work)) = task else { continue };
        let mut most: Option<(u64, &str)> = None;
        for (id, offer) in world.offers.iter() {
            let has = amount(&world.type_of(id).shape);
            if most.is_none_or(|(known, _)| has > known) {
                most = Some((has, &offer.name));
            }
        }
        let Some((has, machine)) = most.filter(|(has, _)| has < asked) else { continue };
        let [asked, has] = [*asked, has].map(|amount| amount as f64 / scale);
        let message = format!(
            "a task of `{work}` asks for {asked} {unit}, and the largest machine, {}, has {has}",
            clip(machine)
        );
        let hint = "add a larger machine, or say how the work divides";
        warnings.push(scenario.problem("workload", message).hint(hint));
    }
}

/// Work without any size runs all at once.
fn sizes(scenario: &Scenario, survey: &Survey, warnings: &mut Vec<Problem>) {
    if survey.sizeless > 0 {
        let message = format!(
            "{} of {} pieces of work ask for no core, no memory and no GPU: they run all at once",
            survey.sizeless, survey.pieces
        );
        let hint = "give `vcpus` and `memory` in `[workload]` for work that does not say";
        warnings.push(scenario.problem("workload", message).hint(hint));
    }
}

/// GPUs that the work cannot use: it asks for none, or for other models.
fn models(scenario: &Scenario, survey: &Survey, warnings: &mut Vec<Problem>) {
    let world = &scenario.world;
    let mut idle: BTreeMap<&str, f64> = BTreeMap::new();
    for (id, offer) in world.offers.iter().filter(|(_, offer)| offer.market == Market::Owned) {
        let kind = world.type_of(id);
        let Some(model) = kind.gpu_model else { continue };
        let name = world.gpu_models[model].name.as_str();
        let asked = survey
            .by_models
            .keys()
            .any(|models| models.is_empty() || models.iter().any(|asked| answers(name, asked)));
        if !asked {
            *idle.entry(name).or_default() +=
                f64::from(offer.running_at_start) * f64::from(kind.shape.gpus);
        }
    }
    doubtful(scenario, survey, warnings);
    for (model, count) in idle {
        let message = format!("no work asks for the {count} own GPUs of model {}", clip(model));
        warnings.push(scenario.problem("cluster", message).hint("check `gpus` and `gpu_models`"));
    }
}

/// Models of own GPUs that no shipped catalog has and no work names, where others are called much alike.
fn doubtful(scenario: &Scenario, survey: &Survey, warnings: &mut Vec<Problem>) {
    let world = &scenario.world;
    let own = world.offers.iter().filter(|(_, offer)| offer.market == Market::Owned);
    let own: BTreeSet<_> = own.filter_map(|(id, _)| world.type_of(id).gpu_model).collect();
    for model in own.into_iter().map(|model| &world.gpu_models[model]) {
        let is_named = survey.by_models.keys().flatten().any(|asked| model.is_called(asked));
        let meant = meant_models(&model.name);
        if is_named || meant.is_empty() {
            continue;
        }
        let message = format!("no shipped catalog has the GPU model `{}`", clip(&model.name));
        let meant: Vec<String> = meant.iter().map(|name| format!("`{name}`")).collect();
        let hint = format!("did you mean {}?", meant.join(" or "));
        warnings.push(scenario.problem("cluster", message).hint(hint));
    }
}
