//! Placements by weighing free resources against the demand.

use super::PlacePart;
use super::scored::{PlacementScore, Rating, Scored};
use crate::model::World;
use crate::part::Part;
use crate::state::InstanceClass;
use crate::units::{Demand, Shape};

/// The largest dot product of demand and free resources (Grandl et al., 2014).
pub static DOT_PRODUCT: PlacePart = Part {
    name: "dot-product",
    doc: "The largest dot product of demand and free resources (Grandl et al., 2014).",
    parameters: &[],
    make: |_| Box::new(Scored::new(DotProduct::most())),
};

/// The smallest dot product of CPU and GPU.
pub static LEAST_DOT_PRODUCT: PlacePart = Part {
    name: "least-dot-product",
    doc: "The smallest dot product of CPU and GPU, relative to the largest machine: `DotProd` of \
          Weng et al. (2023).",
    parameters: &[],
    make: |_| Box::new(Scored::new(DotProduct::least())),
};

/// The least left of CPU and GPU.
pub static LEAST_REMAINDER: PlacePart = Part {
    name: "least-remainder",
    doc: "The least left of CPU and GPU, relative to the largest machine: `BestFit` of Weng et al. \
          (2023).",
    parameters: &[],
    make: |_| Box::new(Scored::new(LeastRemainder::default())),
};

/// One, in the fixed point of the products.
const ONE: i64 = 1_000_000;

/// Places by the dot product of demand and free resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DotProduct {
    least: bool,
    largest: Largest,
}

impl DotProduct {
    /// The largest product, both relative to the instance (Grandl et al.,
    /// "Multi-resource packing for cluster schedulers", SIGCOMM 2014): the
    /// task goes where what is free is like what it asks.
    pub const fn most() -> Self {
        Self { least: false, largest: Largest(None) }
    }

    /// The smallest product of CPU and GPU, relative to the largest machine
    /// for rent or owned: the baseline of Weng et al. (ATC 2023), which packs.
    /// As there, in whole hundredths of the mean of both products: small
    /// differences are ties.
    pub const fn least() -> Self {
        Self { least: true, largest: Largest(None) }
    }
}

impl PlacementScore for DotProduct {
    fn rate(&mut self, world: &World, class: &InstanceClass, demand: Demand) -> Rating {
        if self.least {
            let largest = Shape { memory: 0, ..self.largest.of(world) };
            let sum = product(class, demand, largest);
            return Rating::tightest(hundredths(sum, 2 * ONE * ONE));
        }
        Rating::tightest(-product(class, demand, world.type_of(class.offer()).shape))
    }
}

/// The least left of CPU and GPU together, relative to the largest machine for
/// rent or owned, in whole hundredths of their mean: the best fit of Weng et
/// al. (ATC 2023).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeastRemainder {
    largest: Largest,
}

impl PlacementScore for LeastRemainder {
    fn rate(&mut self, world: &World, class: &InstanceClass, demand: Demand) -> Rating {
        let largest = self.largest.of(world);
        let cpu = fraction(class.free().cpu - demand.cpu, largest.cpu);
        let gpu = fraction(class.free_gpu() - demand.gpu_milli(), largest.gpu_milli());
        Rating::tightest(hundredths(cpu + gpu, 2 * ONE))
    }
}

/// Sum over the resources that `whole` has of demand times free, as fractions
/// of `whole`, in millionths of millionths.
fn product(class: &InstanceClass, demand: Demand, whole: Shape) -> i64 {
    let free = class.free();
    fraction(demand.cpu, whole.cpu) * fraction(free.cpu, whole.cpu)
        + fraction(demand.memory, whole.memory) * fraction(free.memory, whole.memory)
        + fraction(demand.gpu_milli(), whole.gpu_milli())
            * fraction(class.free_gpu(), whole.gpu_milli())
}

/// `part` of `whole` in hundredths, rounded up.
fn hundredths(part: i64, whole: i64) -> i64 {
    (100 * part + whole - 1) / whole
}

/// `part` of `whole` in millionths, rounded down; 0 of nothing.
fn fraction(part: u32, whole: u32) -> i64 {
    (i64::from(part) * ONE).checked_div(i64::from(whole)).unwrap_or(0)
}

/// The most of each resource that any offer has, once it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Largest(Option<Shape>);

impl Largest {
    fn of(&mut self, world: &World) -> Shape {
        *self.0.get_or_insert_with(|| {
            let shapes = world.offers.ids().map(|offer| world.type_of(offer).shape);
            shapes.fold(Shape::default(), |most, shape| Shape {
                cpu: most.cpu.max(shape.cpu),
                memory: most.memory.max(shape.memory),
                gpus: most.gpus.max(shape.gpus),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scored::{Scored, tests::chosen};
    use super::*;
    use crate::state::testing::{demand, shape};

    #[test]
    fn products_by_hand() {
        let shapes = [shape(10_000, 10_000, 0), shape(10_000, 10_000, 0), shape(20_000, 10_000, 0)];
        // Free: 0 has 0.2 CPU and 1.0 memory, 1 has 0.9 and 0.5, 2 has all.
        let used = [(0, demand(8_000, 0, 0, 0)), (1, demand(1_000, 5_000, 0, 0))];
        let ask = |cpu, memory| demand(cpu, memory, 0, 0);
        // Mostly memory, relative to its own size: 0 scores .1x.2 + .4x1 = .42,
        // 1 scores .1x.9 + .4x.5 = .29, 2 scores .05x1 + .4x1 = .45.
        let mut most = Scored::new(DotProduct::most());
        assert_eq!(chosen(&mut most, &shapes, &used, ask(1_000, 4_000)), Some((2, 0)));
        // Without the third: .42 before .29. Mostly CPU: .2x.2 + .1x1 = .14
        // before .2x.9 + .1x.5 = .23.
        assert_eq!(chosen(&mut most, &shapes[..2], &used, ask(1_000, 4_000)), Some((0, 0)));
        assert_eq!(chosen(&mut most, &shapes[..2], &used, ask(2_000, 1_000)), Some((1, 0)));
        // Least, CPU only, of 20 cores: .05 x .1 = .005, half of it in whole
        // hundredths 1; .05 x .45 = .0225, 2; .05 x 1, 3.
        let mut least = Scored::new(DotProduct::least());
        assert_eq!(chosen(&mut least, &shapes, &used, ask(1_000, 4_000)), Some((0, 0)));
        assert_eq!(chosen(&mut least, &shapes, &used, ask(3_000, 4_000)), Some((1, 0)));
    }

    #[test]
    fn the_least_remainder_weighs_cpu_and_gpu() {
        // Largest: 20 cores, 2 GPUs. After 2 cores and a GPU, 0 has 8 cores and
        // 1 GPU left (.4 + .5), 1 has 18 cores and none (.9 + 0): both 45, so 0;
        // with a core less on 1, .85 is 43.
        let shapes = [shape(10_000, 0, 2), shape(20_000, 0, 1)];
        let mut part = Scored::new(LeastRemainder::default());
        let ask = demand(2_000, 0, 1, 1_000);
        assert_eq!(chosen(&mut part, &shapes, &[], ask), Some((0, 1)));
        assert_eq!(chosen(&mut part, &shapes, &[(1, demand(1_000, 0, 0, 0))], ask), Some((1, 1)));
    }
}
