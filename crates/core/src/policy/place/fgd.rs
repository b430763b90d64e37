//! Fragmentation gradient descent (Weng et al., "Beware of Fragmentation:
//! Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent",
//! USENIX ATC 2023).

use super::PlacePart;
use super::scored::{PlacementScore, Rating, Scored, devices_after};
use crate::model::gpu::answers;
use crate::model::{GpuModel, World};
use crate::part::{DemandMix, Parameter, Part, Setting, SettingKind};
use crate::state::InstanceClass;
use crate::units::{Demand, Id};

const MIX: Parameter = Parameter {
    name: "mix",
    kind: SettingKind::Mix,
    default: Setting::Mix(DemandMix::WORKLOAD),
    doc: "The typical mix: `workload` counts the workload itself (foresight), or an openb \
          pod list to count.",
};

/// The least added fragmentation of GPUs.
pub static FGD: PlacePart = Part {
    name: "fgd",
    doc: "The least added fragmentation of GPUs against a typical mix of demands (Weng et al., \
          2023).",
    parameters: &[MIX],
    make: |settings| Box::new(Scored::new(Fgd::new(&settings.mix(MIX.name)))),
};

/// Places where the expected fragmentation grows least.
///
/// To a task that does not fit on an instance, for lack of CPU, memory, GPU
/// devices or the right GPU model, or that asks no GPU, all idle GPU shares of
/// the instance are fragments; to another task, those of devices with less
/// free than it asks. The fragmentation of an instance is the mean over a
/// typical mix of tasks, in milli-shares.
///
/// As published, its growth becomes a whole score from 0 to 100, see
/// `score`: small differences are ties, which the older instance wins, and
/// that packs better than taking them seriously.
#[derive(Debug)]
pub struct Fgd {
    mix: DemandMix,
    /// Tasks in the mix.
    size: f64,
    /// Foresight for each GPU model, the last for instances without one.
    foresights: Vec<Option<Foresight>>,
    after: Vec<u16>,
}

/// The mix as instances of one GPU model see it.
#[derive(Clone, Debug, Default)]
struct Foresight {
    /// Count of tasks for which no GPU of the model is ever of use.
    never: i64,
    /// Other tasks, by what they ask of GPUs.
    groups: Vec<TaskGroup>,
}

/// Tasks that ask the same of GPUs.
#[derive(Clone, Debug)]
struct TaskGroup {
    gpu_share: u16,
    gpus: u8,
    count: i64,
    /// CPU, memory and count of each kind of task.
    asks: Vec<(u32, u32, i64)>,
}

impl Fgd {
    /// A part that expects `mix` to come.
    pub fn new(mix: &DemandMix) -> Self {
        let size = mix.demands.iter().map(|(.., count)| *count).sum::<u64>().max(1) as f64;
        Self { mix: mix.clone(), size, foresights: Vec::new(), after: Vec::new() }
    }

    /// Makes sure that the mix is there as instances of `model` see it.
    fn foresee(&mut self, world: &World, model: Option<Id<GpuModel>>) -> usize {
        let row = model.map_or(world.gpu_models.len(), Id::row);
        if self.foresights.len() <= row {
            self.foresights.resize(row + 1, None);
        }
        if self.foresights[row].is_none() {
            let name = model.map_or("", |model| &world.gpu_models[model].name);
            self.foresights[row] = Some(Foresight::new(&self.mix, name));
        }
        row
    }
}

/// The published score of a placement by which fragmentation grows by `growth`
/// milli-shares: 100 / (1 + e^(growth / 1,000)), rounded down; 50 for none.
fn score(growth: f64) -> i64 {
    (100.0 / (1.0 + libm::exp(growth / 1_000.0))) as i64
}

impl Foresight {
    fn new(mix: &DemandMix, model: &str) -> Self {
        let mut foresight = Self::default();
        for (demand, models, count) in &mix.demands {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            let right = models.is_empty() || models.iter().any(|name| answers(model, name));
            if demand.gpus == 0 || !right {
                foresight.never += count;
                continue;
            }
            let asked = (demand.gpu_share, demand.gpus);
            let groups = &mut foresight.groups;
            let at = groups.binary_search_by_key(&asked, |group| (group.gpu_share, group.gpus));
            let at = at.unwrap_or_else(|at| {
                let (gpu_share, gpus) = asked;
                groups.insert(at, TaskGroup { gpu_share, gpus, count: 0, asks: Vec::new() });
                at
            });
            groups[at].count += count;
            groups[at].asks.push((demand.cpu, demand.memory, count));
        }
        foresight
    }

    /// Fragments of an instance with this left, `devices` ascending, in
    /// milli-shares times the size of the mix.
    fn fragments(&self, cpu: u32, memory: u32, devices: &[u16]) -> i64 {
        let idle: i64 = devices.iter().map(|&free| i64::from(free)).sum();
        if idle == 0 {
            return 0;
        }
        let mut fragments = self.never * idle;
        let (mut short, mut wasted) = (0, 0);
        for group in &self.groups {
            while short < devices.len() && devices[short] < group.gpu_share {
                wasted += i64::from(devices[short]);
                short += 1;
            }
            let fitting: i64 = if devices.len() - short < usize::from(group.gpus) {
                0
            } else {
                let fits = |&&(asked, most, _): &&(u32, u32, i64)| asked <= cpu && most <= memory;
                group.asks.iter().filter(fits).map(|&(_, _, count)| count).sum()
            };
            fragments += fitting * wasted + (group.count - fitting) * idle;
        }
        fragments
    }
}

impl PlacementScore for Fgd {
    /// The score of the growth of fragmentation. A part of a device comes from
    /// where that is best, ties from the tightest.
    fn rate(&mut self, world: &World, class: &InstanceClass, demand: Demand) -> Rating {
        let row = self.foresee(world, world.type_of(class.offer()).gpu_model);
        let (free, after, size) = (class.free(), &mut self.after, self.size);
        let foresight = self.foresights[row].as_ref().expect("just made");
        let before = foresight.fragments(free.cpu, free.memory, class.devices());
        let mut growth = |device: Option<u16>| {
            devices_after(class, demand, device, after);
            let (cpu, memory) = (free.cpu - demand.cpu, free.memory - demand.memory);
            let grown = foresight.fragments(cpu, memory, after) - before;
            Rating { penalty: -score(grown as f64 / size), device }
        };
        if demand.gpus != 1 || demand.whole_gpus() {
            return growth(None);
        }
        let mut best: Option<Rating> = None;
        let fitting = class.devices().iter().filter(|&&free| free >= demand.gpu_share);
        let mut last = 0;
        for &share in fitting {
            if share == last {
                continue;
            }
            last = share;
            let rating = growth(Some(share));
            if best.is_none_or(|best| rating.penalty < best.penalty) {
                best = Some(rating);
            }
        }
        best.expect("a class that fits has such a device")
    }
}

#[cfg(test)]
mod tests {
    use super::super::scored::{Scored, tests::chosen};
    use super::*;
    use crate::state::testing::{Plan, demand, shape, world};

    fn mix(demands: &[(Demand, &[&str], u64)]) -> DemandMix {
        let owned = |models: &[&str]| models.iter().map(|&model| model.to_owned()).collect();
        let demands = demands.iter().map(|&(demand, models, count)| (demand, owned(models), count));
        DemandMix { source: "test".into(), demands: demands.collect() }
    }

    #[test]
    fn fragments_of_an_instance_with_two_devices() {
        let mix = mix(&[
            (demand(2_000, 0, 1, 500), &[], 4),     // A: half a device
            (demand(4_000, 0, 1, 1_000), &[], 3),   // B: a device
            (demand(2_000, 0, 2, 1_000), &[], 2),   // C: two devices
            (demand(1_000, 0, 0, 0), &[], 1),       // D: no device
            (demand(1_000, 0, 1, 100), &["T4"], 5), // E: a little, of a T4
        ]);
        let a100 = Foresight::new(&mix, "A100");
        // D and E never use it: 6 x idle. All of A, B, C fit on the empty one.
        assert_eq!(a100.fragments(8_000, 100, &[1_000, 1_000]), 6 * 2_000);
        // 400 and 1,000 free. A and B lose 400: 7 x 400. C lacks a device: 2 x 1,400.
        assert_eq!(a100.fragments(8_000, 100, &[400, 1_000]), 6 * 1_400 + 7 * 400 + 2 * 1_400);
        // The same with 3 cores: B lacks CPU.
        let want = 6 * 1_400 + 4 * 400 + 3 * 1_400 + 2 * 1_400;
        assert_eq!(a100.fragments(3_000, 100, &[400, 1_000]), want);
        // On a T4, E loses nothing, and only D never uses it.
        let t4 = Foresight::new(&mix, "T4");
        assert_eq!(t4.fragments(8_000, 100, &[400, 1_000]), 1_400 + 7 * 400 + 2 * 1_400);
        // Nothing idle, nothing lost.
        assert_eq!(t4.fragments(0, 0, &[0, 0]), 0);
        assert_eq!(t4.fragments(64_000, 100, &[]), 0);
    }

    #[test]
    fn growth_becomes_a_whole_score() {
        // 100 / (1 + e): 26.89; 100 / (1 + 1/e): 73.11; 100 / (1 + e^0.03): 49.25;
        // 100 / (1 + e^-0.03): 50.75, no better than no growth.
        let cases = [(0.0, 50), (1_000.0, 26), (-1_000.0, 73), (30.0, 49), (-30.0, 50)];
        for (growth, want) in cases {
            assert_eq!(score(growth), want, "{growth}");
        }
        assert_eq!((score(1e9), score(-1e9)), (0, 100));
    }

    #[test]
    fn memory_counts_as_cpu_does() {
        let foresight = Foresight::new(&mix(&[(demand(0, 512, 1, 1_000), &[], 1)]), "");
        assert_eq!(foresight.fragments(0, 512, &[1_000]), 0);
        assert_eq!(foresight.fragments(0, 511, &[1_000]), 1_000);
    }

    #[test]
    fn the_least_growth_picks_instance_and_device() {
        let half = demand(1_000, 0, 1, 500);
        let whole = demand(1_000, 0, 1, 1_000);
        let mut part = Scored::new(Fgd::new(&mix(&[(half, &[], 1), (whole, &[], 1)])));
        let two = shape(8_000, 1_024, 2);
        // Instance 0 is empty, of instance 1 device 0 has 500 left. Growths are
        // of both tasks together, and halved for the mean.
        // 0: before 0; after (500, 1,000): the whole task loses 500. Growth 500.
        // 1, device 0: before 500; after (0, 1,000): 0. Growth -500.
        // 1, device 1: before 500; after (500, 500): the whole task loses
        // everything, 1,000, the half one nothing. Growth 500.
        assert_eq!(chosen(&mut part, &[two; 2], &[(1, half)], half), Some((1, 0b01)));
        // A whole device. 0: after (0, 1,000): 0. Growth 0.
        // 1: before 500; after (0, 500): the whole task loses 500. Growth 0.
        // A tie, which the older instance wins.
        assert_eq!(chosen(&mut part, &[two; 2], &[(1, half)], whole), Some((0, 0b01)));
        // A task without GPU, 8 cores: on 0 it would waste 2,000 for both
        // kinds, growth 4,000; instance 1 has no GPU and grows by nothing.
        let cpu = demand(8_000, 0, 0, 0);
        let shapes = [two, shape(8_000, 1_024, 0)];
        assert_eq!(chosen(&mut part, &shapes, &[], cpu), Some((1, 0)));
    }

    #[test]
    fn the_mix_is_seen_by_gpu_model() {
        let plans = [("T4", 1), ("A100", 1), ("", 0)].map(|(model, gpus)| Plan {
            model,
            shape: shape(4_000, 4_096, gpus),
            ..Plan::default()
        });
        let world = world(&plans);
        let mut fgd = Fgd::new(&mix(&[(demand(0, 0, 1, 1_000), &["A100"], 1)]));
        let never: Vec<i64> = world
            .offers
            .ids()
            .map(|offer| fgd.foresee(&world, world.type_of(offer).gpu_model))
            .map(|row| row as i64)
            .collect();
        assert_eq!(never, [0, 1, 2]);
        let counts = fgd.foresights.iter().flatten().map(|one| one.never);
        assert_eq!(counts.collect::<Vec<_>>(), [1, 0, 1]);
    }
}
