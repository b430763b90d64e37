//! Tables of published experiments, run again on the data that they used.
//!
//! The data is not ours to ship: each experiment is given the folder where it
//! lies.

mod batch;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use crate::model::{
    Billing, Book, GpuModel, InstanceType, Market, Offer, PricePath, Provider, Region, Work, World,
    Zone,
};
use crate::policy;
use crate::policy::spec::{Admit, DemandMix, Place, PolicySpec};
use crate::sim::{self, Observer, Options};
use crate::state::{Record, State};
use crate::units::{Calendar, Demand, Distribution, Rate, Shape, Span, Time};
use crate::workload::{
    BoxedSource, Capacity, Defaults, Format, Input, NodeRow, OnBadRow, OpenContext, OpenbOptions,
    Resource, TraceSpec, Transform, Unsorted, WorkloadSpec, read_nodes,
};

pub use batch::{rlscheduler, whole_log};

/// One number of a published table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Which experiment, and which column of its table.
    pub name: String,
    /// What is measured, with its unit.
    pub quantity: &'static str,
    /// As published.
    pub published: f64,
    /// Mean of ours over the seeds.
    pub ours: f64,
    /// Largest difference that counts as reproduced.
    pub tolerance: f64,
}

impl Cell {
    /// Whether ours is the published number, within the tolerance.
    pub fn reproduced(&self) -> bool {
        (self.ours - self.published).abs() <= self.tolerance
    }
}

/// Percent of the cluster's GPUs allocated when the arrived demand reaches all
/// of them, and at the end (130 %): Weng et al., USENIX ATC 2023, default
/// workload, mean of ten seeds.
const FGD_DEFAULT: [(&str, f64, f64); 6] = [
    ("random", 86.303, 87.470),
    ("dot product", 90.622, 90.849),
    ("GPU clustering", 91.650, 91.878),
    ("GPU packing", 91.779, 92.002),
    ("best fit", 92.862, 93.076),
    ("FGD", 95.227, 95.391),
];

/// The default experiment of fragmentation gradient descent (Weng et al.,
/// USENIX ATC 2023) with this many seeds; `data` holds the openb lists. Work
/// that finds no room when it arrives is dropped, as there.
///
/// # Errors
/// What is wrong with the data.
pub fn fgd(data: &Path, seeds: u64) -> Result<Vec<Cell>, String> {
    let nodes = data.join("openb_node_list_gpu_node.csv.gz");
    let pods = data.join("openb_pod_list_default.csv.gz");
    let nodes = read_nodes(&nodes, "openb nodes").map_err(|problems| format!("{problems:?}"))?;
    let world = cluster(&nodes);
    let capacity = capacity(&nodes);
    let pods = pod_list(&pods);
    let mix = mix(&pods)?;
    let policies = FGD_DEFAULT.map(|(name, ..)| PolicySpec {
        place: place(name, &mix),
        admit: Admit { queue_limit: Some(0), patience: None },
        ..PolicySpec::named(name)
    });
    let runs: Vec<(usize, u64)> =
        (0..policies.len()).flat_map(|row| (0..seeds).map(move |seed| (row, seed))).collect();
    let results: Result<Vec<Shares>, String> = runs
        .par_iter()
        .map(|&(row, seed)| allocated(&world, &pods, capacity, &policies[row], 42 + seed))
        .collect();
    let results = results?;
    let mut cells = Vec::new();
    for (row, &(name, full, end)) in FGD_DEFAULT.iter().enumerate() {
        let own = &results[row * seeds as usize..(row + 1) * seeds as usize];
        let mean = |of: fn(&Shares) -> f64| own.iter().map(of).sum::<f64>() / seeds as f64;
        let cell = |quantity, published, ours| Cell {
            name: format!("FGD default, {name}"),
            quantity,
            published,
            ours,
            tolerance: 0.5,
        };
        cells.push(cell("GPUs allocated at 100 % arrived, %", full, mean(|shares| shares.full)));
        cells.push(cell("GPUs allocated at 130 % arrived, %", end, mean(|shares| shares.end)));
    }
    Ok(cells)
}

fn place(name: &str, mix: &DemandMix) -> Place {
    match name {
        "random" => Place::Random,
        "dot product" => Place::LeastDotProduct,
        "GPU clustering" => Place::GpuClustering,
        "GPU packing" => Place::GpuPacking,
        "best fit" => Place::LeastRemainder,
        _ => Place::Fgd { mix: mix.clone() },
    }
}

/// An owned cluster of the listed machines.
fn cluster(nodes: &[NodeRow]) -> World {
    let mut world = World::empty(Calendar::from_unix_micros(0));
    let name = "openb".to_owned();
    let provider = world.providers.push(Provider {
        name: name.clone(),
        title: name.clone(),
        billing: Billing { granularity: Span::from_secs(1), minimum: Span::ZERO },
        notice: Span::ZERO,
    });
    let region = world.regions.push(Region {
        name: name.clone(),
        provider,
        jurisdiction: "CN".to_owned(),
        certifications: Vec::new(),
        carbon_mg_per_kwh: 0,
    });
    let zone = world.zones.push(Zone { name, region });
    // In the order of the list, which breaks ties: a group per run of equal rows.
    let mut kinds: Vec<((String, Shape), u32)> = Vec::new();
    for node in nodes {
        let shape = Shape { cpu: node.cpu_milli, memory: node.memory_mib, gpus: node.gpus };
        let kind = (node.model.clone(), shape);
        match kinds.last_mut() {
            Some((last, count)) if *last == kind => *count += 1,
            _ => kinds.push((kind, 1)),
        }
    }
    for ((model, shape), count) in kinds {
        let known = world.gpu_models.find(|other| other.name == model);
        let gpu_model = known.unwrap_or_else(|| world.gpu_models.push(GpuModel { name: model }));
        let name = format!("openb-{}", world.types.len());
        let instance_type = world.types.push(InstanceType {
            name: name.clone(),
            family: name.clone(),
            shape,
            whole: shape,
            gpu_model: (shape.gpus > 0).then_some(gpu_model),
            speed: 1_000_000,
            power_milliwatts: 0,
        });
        world.offers.push(Offer {
            name,
            zone,
            instance_type,
            market: Market::Owned,
            price: PricePath::constant(Rate::ZERO),
            capacity: Some(count),
            boot: Distribution::Constant(0.0),
            running_at_start: count,
        });
    }
    world
}

fn capacity(nodes: &[NodeRow]) -> Capacity {
    let gpus: u64 = nodes.iter().map(|node| u64::from(node.gpus)).sum();
    Capacity {
        cpu: nodes.iter().map(|node| u64::from(node.cpu_milli)).sum(),
        memory: nodes.iter().map(|node| u64::from(node.memory_mib)).sum(),
        gpu: gpus * 1_000,
    }
}

/// Pods that arrive one per second and never leave.
fn pod_list(path: &Path) -> WorkloadSpec {
    let options = OpenbOptions { arrivals_only: true, as_jobs: false, qos_priority: false };
    let trace = TraceSpec {
        path: path.to_owned(),
        shown: "openb pods".to_owned(),
        format: Format::Openb(options),
        on_bad_row: OnBadRow::Fail,
        unsorted: Unsorted::Sort,
    };
    let (input, transforms) = (Input::Trace(trace), Vec::new());
    WorkloadSpec { input, defaults: Defaults::default(), transforms }
}

fn open(pods: &WorkloadSpec, capacity: Capacity, seed: u64) -> Result<BoxedSource, String> {
    let calendar = Calendar::from_unix_micros(0);
    let context = OpenContext { seed, calendar, keep_names: false, capacity: Some(capacity) };
    pods.open(&context).map_err(|problems| format!("{problems:?}"))
}

/// The workload's own mix of demands: the foresight that FGD is given.
fn mix(pods: &WorkloadSpec) -> Result<DemandMix, String> {
    let mut source = open(pods, Capacity::default(), 1)?;
    let (mut book, mut work) = (Book::default(), Work::default());
    let mut counts: BTreeMap<(Demand, Vec<String>), u64> = BTreeMap::new();
    while source.next(&mut book, &mut work).map_err(|problem| format!("{problem:?}"))? {
        let models = book.all_rules()[work.ask.rules].gpu_models.allowed.clone();
        *counts.entry((work.ask.demand, models)).or_default() += 1;
    }
    let demands = counts.into_iter().map(|((demand, models), count)| (demand, models, count));
    Ok(DemandMix { source: "the workload itself".to_owned(), demands: demands.collect() })
}

/// Percent of the GPUs that were allocated.
#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    full: f64,
    end: f64,
}

/// Watches demand arrive and what is allocated of it.
#[derive(Debug)]
struct Watch {
    whole: u64,
    arrived: u64,
    shares: Shares,
}

impl Watch {
    fn share(&self, state: &State<'_>) -> f64 {
        100.0 * state.totals().allocated.gpu as f64 / self.whole as f64
    }
}

impl Observer for Watch {
    fn elapse(&mut self, state: &State<'_>, _from: Time, _to: Time) {
        self.shares.end = self.share(state);
        if self.arrived < self.whole {
            self.shares.full = self.shares.end;
        }
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Submitted(work) = *record {
            self.arrived += u64::from(state.work(work).ask.demand.gpu_milli());
        }
    }
}

fn allocated(
    world: &World,
    pods: &WorkloadSpec,
    capacity: Capacity,
    policy: &PolicySpec,
    seed: u64,
) -> Result<Shares, String> {
    let inflate =
        Transform::Inflate { share: 1.3, resource: Resource::Gpu, gap: Span::from_secs(1) };
    let pods = WorkloadSpec { transforms: vec![inflate], ..pods.clone() };
    let mut source = open(&pods, capacity, seed)?;
    let mut policy = policy::build(policy);
    let mut watch = Watch { whole: capacity.gpu, arrived: 0, shares: Shares::default() };
    // Nobody leaves; all have arrived within a day.
    let options = Options { seed, horizon: Some(Time::from_secs(86_400)), ..Options::default() };
    let mut go_on = |_: sim::Progress| ControlFlow::Continue(());
    sim::run(world, &mut *source, &mut *policy, &options, &mut watch, &mut go_on)
        .map_err(|failure| format!("{failure:?}"))?;
    Ok(watch.shares)
}
