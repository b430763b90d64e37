//! Placement on shared GPUs: fragmentation gradient descent and its rivals.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use rayon::prelude::*;

use super::{PublishedResult, ResultOrigin};
use crate::model::{Interner, OfferSpec, Work, World, WorldBuilder};
use crate::policy;
use crate::policy::place;
use crate::policy::spec::{AdmitSpec, DemandMix, PlaceSpec, PolicySpec};
use crate::sim::{self, Observer, Options};
use crate::state::{Record, State};
use crate::units::{Calendar, Demand, Shape, Span, Stream, Time};
use crate::workload::{
    BoxedSource, Capacity, Defaults, NodeRow, OPENB, OnBadRow, OpenContext, Resource, TraceSpec,
    Transform, Unsorted, WorkloadInput, WorkloadSpec, read_nodes,
};

/// Policies of Weng et al., USENIX ATC 2023, in the order of [`FGD`].
const FGD_POLICIES: [&str; 6] =
    ["random", "dot product", "GPU clustering", "GPU packing", "best fit", "FGD"];

/// Percent of the cluster's GPUs allocated when 130 % of them have been asked
/// for, by workload and policy: Weng et al., USENIX ATC 2023, means of ten seeds.
const FGD: [(&str, [f64; 6]); 5] = [
    ("default", [87.470, 90.849, 91.878, 92.002, 93.076, 95.391]),
    ("cpu050", [91.24, 93.27, 93.79, 93.72, 93.79, 95.21]),
    ("gpushare40", [86.00, 89.56, 90.02, 90.03, 91.69, 94.15]),
    ("gpuspec33", [86.46, 89.14, 92.12, 93.22, 93.09, 94.55]),
    ("multigpu20", [88.69, 92.06, 93.56, 93.71, 93.93, 95.65]),
];

/// The same of the default workload when as many GPUs have been asked for as
/// there are.
const FGD_FULL: [f64; 6] = [86.303, 90.622, 91.650, 91.779, 92.862, 95.227];

/// Seeds of the published means.
const FGD_SEEDS: u64 = 10;

/// Largest difference of a mean, in percent of the GPUs, that counts as
/// reproduced: from as many seeds as published, and from fewer.
const FGD_TOLERANCES: [f64; 2] = [0.5, 0.75];

/// First seed of the published runs.
const FGD_SEED: u64 = 42;

/// [`fgd`] on every workload; on two seeds if it is to be quick.
///
/// # Errors
/// Problems with the data.
pub(super) fn fgd_workloads(data: &Path, quick: bool) -> Result<Vec<PublishedResult>, String> {
    let seeds = if quick { 2 } else { FGD_SEEDS };
    let cells: Result<Vec<_>, String> =
        FGD.into_iter().map(|(name, _)| fgd(data, name, seeds)).collect();
    Ok(cells?.into_iter().flatten().collect())
}

/// The experiment of fragmentation gradient descent (Weng et al., USENIX ATC
/// 2023) on one workload with this many seeds; `data` holds the openb lists.
/// Work that finds no room when it arrives is dropped. Equal scores go to a
/// random but fixed order of the machines, another one for each seed, as there.
///
/// # Errors
/// Problems with the data, or with the name of the workload.
pub fn fgd(data: &Path, workload: &str, seeds: u64) -> Result<Vec<PublishedResult>, String> {
    let ends = FGD.iter().find(|(name, _)| *name == workload);
    let &(_, ends) = ends.ok_or_else(|| format!("no published workload is called {workload}"))?;
    let nodes = data.join("openb_node_list_gpu_node.csv.gz");
    let nodes = read_nodes(&nodes, "openb nodes").map_err(|problems| format!("{problems:?}"))?;
    let worlds: Vec<World> = (0..seeds).map(|seed| cluster(&nodes, FGD_SEED + seed)).collect();
    let pods = pod_list(&data.join(format!("openb_pod_list_{workload}.csv.gz")));
    let means = allocations(&worlds, &pods, capacity(&nodes))?;
    let mut cells = Vec::new();
    for (row, name) in FGD_POLICIES.into_iter().enumerate() {
        let cell = |quantity, reference, ours| PublishedResult {
            name: format!("FGD {workload}, {name}"),
            quantity,
            origin: ResultOrigin::Published,
            reference,
            ours,
            tolerance: FGD_TOLERANCES[usize::from(seeds < FGD_SEEDS)],
            own: None,
        };
        if workload == "default" {
            let quantity = "GPUs allocated at 100 % arrived, %";
            cells.push(cell(quantity, FGD_FULL[row], means[row].full));
        }
        cells.push(cell("GPUs allocated at 130 % arrived, %", ends[row], means[row].end));
    }
    Ok(cells)
}

/// Mean over the worlds by policy, each with a seed of its own.
fn allocations(
    worlds: &[World],
    pods: &WorkloadSpec,
    capacity: Capacity,
) -> Result<Vec<AllocatedShares>, String> {
    let mix = typical_mix(pods)?;
    let policies = FGD_POLICIES.map(|name| PolicySpec {
        place: place(name, &mix),
        admit: AdmitSpec { queue_limit: Some(0), patience: None },
        ..PolicySpec::named(name)
    });
    let runs: Vec<(usize, usize)> = (0..policies.len())
        .flat_map(|row| (0..worlds.len()).map(move |seed| (row, seed)))
        .collect();
    let results: Result<Vec<AllocatedShares>, String> = runs
        .par_iter()
        .map(|&(row, at)| {
            allocated(&worlds[at], pods, capacity, &policies[row], FGD_SEED + at as u64)
        })
        .collect();
    let count = worlds.len() as f64;
    let mean = |own: &[AllocatedShares]| AllocatedShares {
        full: own.iter().map(|shares| shares.full).sum::<f64>() / count,
        end: own.iter().map(|shares| shares.end).sum::<f64>() / count,
    };
    Ok(results?.chunks(worlds.len()).map(mean).collect())
}

fn place(name: &str, mix: &DemandMix) -> PlaceSpec {
    match name {
        "random" => place::RANDOM.spec(),
        "dot product" => place::LEAST_DOT_PRODUCT.spec(),
        "GPU clustering" => place::GPU_CLUSTERING.spec(),
        "GPU packing" => place::GPU_PACKING.spec(),
        "best fit" => place::LEAST_REMAINDER.spec(),
        _ => place::FGD.spec().set("mix", mix.clone()),
    }
}

/// An owned cluster of the listed machines, in an order that `seed` draws.
fn cluster(nodes: &[NodeRow], seed: u64) -> World {
    let mut nodes: Vec<&NodeRow> = nodes.iter().collect();
    Stream::new(seed, "published.nodes").shuffle(&mut nodes);
    // The order breaks ties: a group per run of equal machines.
    let mut kinds: Vec<((String, Shape), u32)> = Vec::new();
    for node in nodes {
        let shape = Shape { cpu: node.cpu_milli, memory: node.memory_mib, gpus: node.gpus };
        let kind = (node.model.clone(), shape);
        match kinds.last_mut() {
            Some((last, count)) if *last == kind => *count += 1,
            _ => kinds.push((kind, 1)),
        }
    }
    let offers = kinds.into_iter().enumerate().map(|(row, ((model, shape), count))| {
        let name = format!("openb-{row}");
        let model = if shape.gpus > 0 { &*model } else { "" };
        OfferSpec::owned("openb", &name, shape, count).named(&name).gpu_model(model)
    });
    let world = offers.fold(World::builder(), WorldBuilder::offer);
    world.build().expect("a list of nodes is a right world")
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
    let trace = TraceSpec {
        path: path.to_owned(),
        shown: "openb pods".to_owned(),
        format: OPENB.spec().set("arrivals_only", true),
        on_bad_row: OnBadRow::Fail,
        unsorted: Unsorted::Sort,
        filters: Vec::new(),
        nameless: false,
    };
    let (input, transforms) = (WorkloadInput::Trace(trace), Vec::new());
    WorkloadSpec { input, defaults: Defaults::default(), transforms }
}

fn open(pods: &WorkloadSpec, capacity: Capacity, seed: u64) -> Result<BoxedSource, String> {
    let calendar = Calendar::from_unix_micros(0);
    let context = OpenContext { seed, calendar, keep_names: false, capacity: Some(capacity) };
    pods.open(&context).map_err(|problems| format!("{problems:?}"))
}

/// Share of the work that the most frequent demands must make up to be the
/// typical mix, in thousandths.
const TYPICAL: u64 = 950;

/// The foresight that FGD is given: the most frequent demands of the workload,
/// which make up 95 % of it, without their memory. Ties go to the smaller demand.
fn typical_mix(pods: &WorkloadSpec) -> Result<DemandMix, String> {
    let mut source = open(pods, Capacity::default(), 1)?;
    let (mut book, mut work) = (Interner::default(), Work::default());
    let mut counts: BTreeMap<(Demand, Vec<String>), u64> = BTreeMap::new();
    while source.next(&mut book, &mut work).map_err(|problem| format!("{problem:?}"))? {
        let models = book.all_rules()[work.ask.rules].gpu_models.allowed.clone();
        let demand = Demand { memory: 0, ..work.ask.demand };
        *counts.entry((demand, models)).or_default() += 1;
    }
    let all: u64 = counts.values().sum();
    let mut demands: Vec<_> =
        counts.into_iter().map(|((demand, models), count)| (demand, models, count)).collect();
    demands.sort_by_key(|&(.., count)| std::cmp::Reverse(count));
    let mut covered = 0;
    demands.retain(|&(.., count)| {
        let needed = covered * 1_000 < all * TYPICAL;
        covered += count;
        needed
    });
    Ok(DemandMix { source: "the workload itself".into(), demands })
}

/// Percent of the GPUs that were allocated.
#[derive(Clone, Copy, Debug, Default)]
struct AllocatedShares {
    full: f64,
    end: f64,
}

/// Watches demand arrive and what is allocated of it.
#[derive(Debug)]
struct AllocationWatch {
    whole: u64,
    arrived: u64,
    shares: AllocatedShares,
}

impl AllocationWatch {
    fn share(&self, state: &State<'_>) -> f64 {
        100.0 * state.totals().allocated.gpu as f64 / self.whole as f64
    }
}

impl Observer for AllocationWatch {
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
) -> Result<AllocatedShares, String> {
    let inflate =
        Transform::Inflate { share: 1.3, resource: Resource::Gpu, gap: Span::from_secs(1) };
    let pods = WorkloadSpec { transforms: vec![inflate], ..pods.clone() };
    let mut source = open(&pods, capacity, seed)?;
    let mut policy = policy::build(policy);
    let mut watch =
        AllocationWatch { whole: capacity.gpu, arrived: 0, shares: AllocatedShares::default() };
    // Nobody leaves; all have arrived within a day.
    let options = Options { seed, horizon: Some(Time::from_secs(86_400)), ..Options::default() };
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    sim::run(world, &mut *source, &mut *policy, &options, &mut watch, &mut go_on)
        .map_err(|failure| format!("{failure:?}"))?;
    Ok(watch.shares)
}
