//! Index that finds an instance that fits: the instances in the order that the place part
//! prefers, under places that know the most that is free below them.
//!
//! A query walks from the left and skips every place below which nothing can
//! fit, so that it answers in logarithmic time where one resource decides
//! together with the order, and close to it otherwise.

mod tournament;
mod tree;
mod whole;

use super::IndexBy;
use crate::units::{Demand, Free, WHOLE_GPU};
use tournament::Tournament;
use tree::Tree;
pub(crate) use whole::WholeIndex;

/// The most that is free below a place, or the least that is looked for: four
/// numbers that are compared side by side.
///
/// - milli-cores and MiB;
/// - GPUs: a thousand for each whole device, and where none is whole, the free
///   milli-shares of the best. A demand for a part of one device or for whole
///   devices fits exactly where its own number is no larger;
/// - the smaller one of CPU and memory, each as a share of a typical instance:
///   one instance has both. Without it, a place with CPU on one instance and
///   memory on another would look as if work fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Most {
    cpu: u32,
    memory: u32,
    gpu: u32,
    both: u32,
}

impl Most {
    /// Amounts of which nothing is free.
    const NOTHING: Self = Self { cpu: 0, memory: 0, gpu: 0, both: 0 };

    #[inline]
    fn max(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.max(other.cpu),
            memory: self.memory.max(other.memory),
            gpu: self.gpu.max(other.gpu),
            both: self.both.max(other.both),
        }
    }

    /// Equality with one branch in all, for the number that differs cannot be predicted.
    #[inline]
    fn is(self, other: Self) -> bool {
        let differs = (self.cpu ^ other.cpu)
            | (self.memory ^ other.memory)
            | (self.gpu ^ other.gpu)
            | (self.both ^ other.both);
        differs == 0
    }

    /// Whether these amounts may be the ones that make `most` as large as it is.
    fn touches(self, most: Self) -> bool {
        let touches = |own: u32, most: u32| own == most && most > 0;
        touches(self.both, most.both)
            || touches(self.cpu, most.cpu)
            || touches(self.memory, most.memory)
            || touches(self.gpu, most.gpu)
    }

    /// Whether what is looked for may be below; one branch in all, too.
    #[inline]
    fn may_fit(self, needed: &Needed) -> bool {
        let least = needed.least;
        (self.both >= least.both)
            & (self.cpu >= least.cpu)
            & (self.memory >= least.memory)
            & (self.gpu >= least.gpu)
    }
}

/// Least resources, kinds of GPU demand and first place in the order that a query looks for.
#[derive(Clone, Copy, Debug)]
struct Needed {
    least: Most,
    kinds: u64,
    from: u64,
}

/// Instances in order, searchable by what fits.
#[derive(Clone, Debug)]
pub(crate) struct FreeIndex {
    ordered: Ordered,
    /// Milli-cores and MiB of a typical instance are worth this much each, in
    /// parts of 2^20: the first instance is typical.
    worth: (u64, u64),
}

#[derive(Clone, Debug)]
enum Ordered {
    /// An instance never changes its place.
    ByAge(Tournament),
    ByKey(Tree),
}

impl FreeIndex {
    pub(crate) fn new(by: IndexBy) -> Self {
        let ordered = match by {
            IndexBy::Age => Ordered::ByAge(Tournament::new()),
            IndexBy::Least(_) | IndexBy::Most(_) => Ordered::ByKey(Tree::new()),
        };
        Self { ordered, worth: (0, 0) }
    }

    /// Adds the instance in `slot` at `order`, which no other instance has.
    pub(crate) fn insert(&mut self, order: u64, slot: u32, free: Free, kinds: u64) {
        if self.worth == (0, 0) {
            let worth = |whole: u32| (1 << 52) / u64::from(whole.max(1));
            self.worth = (worth(free.cpu), worth(free.memory));
        }
        let most = self.most(free);
        match &mut self.ordered {
            Ordered::ByAge(tournament) => tournament.insert(order, slot, most, kinds),
            Ordered::ByKey(tree) => tree.insert(order, slot, most, kinds),
        }
    }

    /// Removes the instance in `slot` at `order`.
    pub(crate) fn remove(&mut self, order: u64, slot: u32) {
        match &mut self.ordered {
            Ordered::ByAge(tournament) => tournament.remove(slot),
            Ordered::ByKey(tree) => tree.remove(order),
        }
    }

    /// Changes what is free of the instance in `slot` at `order`, which keeps its place.
    #[inline(always)]
    pub(crate) fn update(&mut self, order: u64, slot: u32, free: Free) {
        let most = self.most(free);
        match &mut self.ordered {
            Ordered::ByAge(tournament) => tournament.update(slot, most),
            Ordered::ByKey(tree) => tree.update(order, most),
        }
    }

    /// The first instance at or after `from` that has one of `kinds`, fits
    /// `demand` and is accepted: its order and slot.
    #[inline(always)]
    pub(crate) fn first(
        &self,
        demand: Demand,
        kinds: u64,
        from: u64,
        mut accept: impl FnMut(u32) -> bool,
    ) -> Option<(u64, u32)> {
        let needed = Needed { least: self.least(demand), kinds, from };
        match &self.ordered {
            Ordered::ByAge(tournament) => tournament.first(&needed, accept),
            Ordered::ByKey(tree) => tree.first(&needed, &mut accept),
        }
    }

    /// Whether some instance may fit `demand`; if not, none does. It looks at one place only.
    #[inline]
    pub(crate) fn may_fit(&self, demand: Demand) -> bool {
        let needed = Needed { least: self.least(demand), kinds: u64::MAX, from: 0 };
        let most = match &self.ordered {
            Ordered::ByAge(tournament) => tournament.most(),
            Ordered::ByKey(tree) => tree.most(),
        };
        most.may_fit(&needed)
    }

    /// The least that must be free where one task of `demand` fits.
    #[inline(always)]
    fn least(&self, demand: Demand) -> Most {
        let gpu = match demand.gpus {
            0 => 0,
            _ if demand.gpu_share < WHOLE_GPU => u32::from(demand.gpu_share),
            gpus => u32::from(gpus) * u32::from(WHOLE_GPU),
        };
        let both = self.both(demand.cpu, demand.memory);
        Most { cpu: demand.cpu, memory: demand.memory, gpu, both }
    }

    #[inline(always)]
    fn most(&self, free: Free) -> Most {
        let gpu = match free.whole_gpus {
            0 => u32::from(free.best_share),
            gpus => u32::from(gpus) * u32::from(WHOLE_GPU),
        };
        let both = self.both(free.cpu, free.memory);
        Most { cpu: free.cpu, memory: free.memory, gpu, both }
    }

    /// The smaller share of a typical instance. Never larger for less CPU or less memory.
    #[inline]
    fn both(&self, cpu: u32, memory: u32) -> u32 {
        let share =
            |amount: u32, worth: u64| (u64::from(amount).saturating_mul(worth) >> 32) as u32;
        share(cpu, self.worth.0).min(share(memory, self.worth.1))
    }

    /// Whether an instance that [`FreeIndex::first`] finds always fits: not so for parts of several
    /// devices.
    #[inline]
    pub(crate) fn decides(demand: Demand) -> bool {
        demand.gpus < 2 || demand.whole_gpus()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Scalar, Stream};

    /// Any free state of an instance with up to three devices.
    fn free(stream: &mut Stream) -> Free {
        let whole_gpus = stream.below(4).saturating_sub(1) as u8;
        let best_share = if whole_gpus > 0 { WHOLE_GPU } else { 250 * stream.below(4) as u16 };
        let (cpu, memory) = (stream.below(64) as u32, stream.below(64) as u32);
        Free { cpu, memory, whole_gpus, best_share, ..Free::default() }
    }

    /// No device, a part of one, or whole ones.
    fn demand(stream: &mut Stream) -> Demand {
        let (gpus, gpu_share) = match stream.below(4) {
            0 => (1, 250 * (1 + stream.below(3) as u16)),
            1 => (1 + stream.below(3) as u8, WHOLE_GPU),
            _ => (0, 0),
        };
        let (cpu, memory) = (stream.below(64) as u32, stream.below(64) as u32);
        Demand { cpu, memory, gpus, gpu_share, exclusive: false }
    }

    /// Thousands of random changes and queries against a plain sorted list.
    #[test]
    fn agrees_with_a_sorted_list() {
        let mut stream = Stream::new(7, "index");
        for (most, by) in [3, 40, 700]
            .into_iter()
            .flat_map(|most| [IndexBy::Age, IndexBy::Least(Scalar::Cpu)].map(|by| (most, by)))
        {
            let mut index = FreeIndex::new(by);
            let mut list: Vec<(u64, u32, Free, u64)> = Vec::new();
            let mut hopeless = 0;
            for step in 0..6_000_u32 {
                let pick = stream.below(list.len().max(1) as u64) as usize;
                match stream.below(4) {
                    0 | 1 if (list.len() as u64) < most => {
                        let key = if by == IndexBy::Age { 0 } else { stream.below(50) };
                        let order = key << 32 | u64::from(step);
                        let free = free(&mut stream);
                        let kinds = 1 << stream.below(3);
                        index.insert(order, step, free, kinds);
                        list.push((order, step, free, kinds));
                        list.sort_unstable();
                    }
                    2 if !list.is_empty() => {
                        let gone = list.remove(pick);
                        index.remove(gone.0, gone.1);
                        // Sometimes it comes back, as when a release is rolled back.
                        if stream.below(4) == 0 {
                            index.insert(gone.0, gone.1, gone.2, gone.3);
                            list.push(gone);
                            list.sort_unstable();
                        }
                    }
                    _ if !list.is_empty() => {
                        let free = free(&mut stream);
                        list[pick].2 = free;
                        index.update(list[pick].0, list[pick].1, free);
                    }
                    _ => (),
                }
                let demand = demand(&mut stream);
                let from = match by {
                    IndexBy::Age => stream.below(2) * stream.below(u64::from(step) + 1),
                    _ => stream.below(50) << 32,
                };
                let kinds = if stream.below(2) == 0 { u64::MAX } else { 1 + stream.below(7) };
                let want = list
                    .iter()
                    .find(|row| row.0 >= from && row.3 & kinds != 0 && row.2.fits(demand))
                    .map(|row| (row.0, row.1));
                assert_eq!(index.first(demand, kinds, from, |_| true), want, "step {step}");
                hopeless += u32::from(!index.may_fit(demand));
                let fits = list.iter().any(|row| row.2.fits(demand));
                assert!(index.may_fit(demand) || !fits, "step {step}: {demand:?}");
            }
            assert!(hopeless > 50, "{hopeless} of 6,000 are known to fit nowhere");
        }
    }
}
