//! Placements that look at GPUs only: packing and clustering, the baselines of
//! Weng et al., "Beware of Fragmentation", USENIX ATC 2023.

use super::PlacePart;
use super::scored::{PlacementScore, Rating, Scored};
use crate::model::World;
use crate::part::Part;
use crate::state::{ClassBy, InstanceClass, gpu_kind};
use crate::units::{Demand, WHOLE_GPU};

/// Used GPUs before idle GPUs before idle machines (Weng et al., 2023).
pub static GPU_PACKING: PlacePart = Part {
    name: "gpu-packing",
    doc: "Used GPUs before idle GPUs before idle machines (Weng et al., 2023).",
    parameters: &[],
    make: |_| Box::new(Scored::new(GpuPacking)),
};

/// Instances on which work with the same kind of GPU demand already runs (Xiao et al., 2018).
pub static GPU_CLUSTERING: PlacePart = Part {
    name: "gpu-clustering",
    doc: "Where work with the same kind of GPU demand already runs (Xiao et al., 2018).",
    parameters: &[],
    make: |_| Box::new(Scored::new(GpuClustering)),
};

/// Between the tiers of a preference; no instance has as many milli-shares.
const TIER: i64 = 1_000_000;

/// Used GPUs first, those with the least left before others; then idle GPUs
/// of used machines; then idle machines, the smaller before others. Work
/// without GPUs takes any machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuPacking;

impl PlacementScore for GpuPacking {
    fn rate(&mut self, _: &World, class: &InstanceClass, demand: Demand) -> Rating {
        if demand.gpus == 0 {
            return Rating::tightest(0);
        }
        let devices = class.devices();
        if usize::from(class.free().whole_gpus) == devices.len() {
            return Rating::tightest(2 * TIER + devices.len() as i64);
        }
        let from = devices.partition_point(|&free| free < demand.gpu_share);
        let taken = &devices[from..from + usize::from(demand.gpus)];
        let idle = taken.iter().filter(|&&free| free == WHOLE_GPU).count();
        if idle > 0 {
            return Rating::tightest(TIER + idle as i64);
        }
        Rating::tightest(taken.iter().map(|&free| i64::from(free)).sum())
    }
}

/// Machines that run only the same kind of GPU demand first (a part of a
/// device, or the same number of whole ones), then those that run it among
/// others, then those that run none, then the others; within each, the least
/// idle GPUs first. After Gandiva (Xiao et al., OSDI 2018). Work without GPUs
/// takes any machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuClustering;

impl PlacementScore for GpuClustering {
    const BY: ClassBy = ClassBy::FreeAndKinds;

    fn rate(&mut self, _: &World, class: &InstanceClass, demand: Demand) -> Rating {
        if demand.gpus == 0 {
            return Rating::tightest(0);
        }
        let own = 1 << gpu_kind(demand);
        let tier = match class.kinds() {
            kinds if kinds == own => 0,
            kinds if kinds & own != 0 => 1,
            0 => 2,
            _ => 3,
        };
        Rating::tightest(tier * TIER + i64::from(class.free_gpu()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::scored::{Scored, tests::chosen};
    use super::*;
    use crate::state::testing::{demand, shape};
    use crate::units::Shape;

    const fn gpus(gpus: u8, gpu_share: u16) -> Demand {
        demand(0, 0, gpus, gpu_share)
    }

    const fn machine(gpus: u8) -> Shape {
        shape(1_000, 1_024, gpus)
    }

    #[test]
    fn packing_prefers_what_is_used() {
        let mut part = Scored::new(GpuPacking);
        let shapes = [machine(4), machine(2), machine(4), machine(4)];
        // 2 has a device with 600 left, 3 one with 300; 0 and 1 are idle.
        let used = [(2, gpus(1, 400)), (3, gpus(1, 700))];
        let cases = [
            (gpus(1, 300), Some((3, 0b0001))), // the least left of a used device
            (gpus(1, 500), Some((2, 0b0001))), // fits on a used device
            (gpus(1, 700), Some((2, 0b0010))), // an idle device of a used machine
            (gpus(3, 1_000), Some((2, 0b1110))),
            (gpus(4, 1_000), Some((0, 0b1111))), // only an idle machine
            (gpus(0, 0), Some((0, 0))),
            (gpus(5, 1_000), None),
        ];
        for (ask, want) in cases {
            assert_eq!(chosen(&mut part, &shapes, &used, ask), want, "{ask:?}");
        }
        // Among idle machines, the one with fewer devices.
        assert_eq!(chosen(&mut part, &shapes[..2], &[], gpus(1, 500)), Some((1, 0b01)));
    }

    #[test]
    fn clustering_prefers_its_own_kind() {
        let mut part = Scored::new(GpuClustering);
        let shapes = [machine(8); 5];
        // 1 runs one-GPU work, 2 two-GPU work, 3 both, 4 shares and one-GPU work.
        let used = [
            (1, gpus(1, 1_000)),
            (2, gpus(2, 1_000)),
            (3, gpus(1, 1_000)),
            (3, gpus(2, 1_000)),
            (4, gpus(1, 200)),
            (4, gpus(1, 1_000)),
        ];
        let cases = [
            (gpus(1, 1_000), 1), // only its kind
            (gpus(2, 1_000), 2),
            (gpus(1, 300), 4),   // its kind among others
            (gpus(4, 1_000), 0), // nobody's kind: an idle machine
            (gpus(0, 0), 0),
        ];
        for (ask, want) in cases {
            let got = chosen(&mut part, &shapes, &used, ask).map(|(ordinal, _)| ordinal);
            assert_eq!(got, Some(want), "{ask:?}");
        }
        // Without an idle machine: the least idle of the others, which is 3.
        let full = [&used[..], &[(0, gpus(8, 1_000))]].concat();
        let got = chosen(&mut part, &shapes, &full, gpus(4, 1_000));
        assert_eq!(got.map(|(ordinal, _)| ordinal), Some(3));
    }
}
