//! The least a packing simulation can be: read a machine, let go of those that
//! left, place it. No events, no metrics.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use csv::ByteRecord;

/// Choice among the instances with room.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Policy {
    /// The one with the lowest id.
    FirstFit,
    /// The one with the least free cpu, then the lowest id.
    BestFit,
}

/// Counts of what was packed, and the time that each way of searching took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed {
    pub(crate) placed: u64,
    pub(crate) rejected: u64,
    /// Linear scan over all instances.
    scan: Duration,
    /// Segment tree for first fit, ordered set for best fit.
    tree: Duration,
}

impl Packed {
    /// Microseconds per virtual machine by the faster search.
    pub(crate) fn micros_per_vm(&self) -> f64 {
        self.per_vm(self.scan.min(self.tree))
    }

    fn per_vm(&self, elapsed: Duration) -> f64 {
        elapsed.as_secs_f64() * 1e6 / (self.placed + self.rejected) as f64
    }
}

impl fmt::Display for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { placed, rejected, scan, tree } = *self;
        let (scan, tree) = (self.per_vm(scan), self.per_vm(tree));
        write!(f, "scan {scan:.3}, tree {tree:.3} us/VM, {placed} placed, {rejected} rejected")
    }
}

/// Packs the virtual machines of a CSV file by both searches, which must agree
/// on every placement.
pub(crate) fn pack(
    path: &Path,
    instances: usize,
    cpu_milli: u64,
    memory_mib: u64,
    policy: Policy,
) -> Packed {
    let fleet = vec![(cpu_milli, memory_mib); instances];
    let (scan, tree) = match policy {
        Policy::FirstFit => (run(path, FirstScan(fleet.clone())), run(path, Tree::new(&fleet))),
        Policy::BestFit => (run(path, BestScan(fleet.clone())), run(path, Ordered::new(fleet))),
    };
    assert_eq!((scan.0, scan.1, scan.2), (tree.0, tree.1, tree.2), "both searches agree");
    Packed { placed: scan.0, rejected: scan.1, scan: scan.3, tree: tree.3 }
}

/// Free (cpu, memory) per instance, with a way to search it.
trait Fleet {
    fn find(&self, cpu: u64, memory: u64) -> Option<usize>;
    fn free(&self, at: usize) -> (u64, u64);
    fn set(&mut self, at: usize, free: (u64, u64));
}

/// Returns placed, rejected, a checksum of the placements and the time taken.
fn run(path: &Path, mut fleet: impl Fleet) -> (u64, u64, u64, Duration) {
    let start = Instant::now();
    let mut reader = csv::Reader::from_path(path).expect("the trace was written before");
    let mut record = ByteRecord::new();
    let mut departures: BinaryHeap<Reverse<(u64, usize, u64, u64)>> = BinaryHeap::new();
    let (mut placed, mut rejected, mut checksum) = (0, 0, 0_u64);
    while reader.read_byte_record(&mut record).expect("the trace is well formed") {
        let [arrival, lifetime, cpu, memory] = [1, 2, 3, 4].map(|field| integer(&record[field]));
        while let Some(&Reverse((_, at, cpu, memory))) =
            departures.peek().filter(|next| next.0.0 <= arrival)
        {
            departures.pop();
            let free = fleet.free(at);
            fleet.set(at, (free.0 + cpu, free.1 + memory));
        }
        let Some(at) = fleet.find(cpu, memory) else {
            rejected += 1;
            continue;
        };
        let free = fleet.free(at);
        fleet.set(at, (free.0 - cpu, free.1 - memory));
        departures.push(Reverse((arrival + lifetime, at, cpu, memory)));
        placed += 1;
        checksum = checksum.wrapping_mul(0x0100_0000_01b3) ^ at as u64;
    }
    (placed, rejected, checksum, start.elapsed())
}

fn integer(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
}

struct FirstScan(Vec<(u64, u64)>);

impl Fleet for FirstScan {
    fn find(&self, cpu: u64, memory: u64) -> Option<usize> {
        self.0.iter().position(|free| cpu <= free.0 && memory <= free.1)
    }

    fn free(&self, at: usize) -> (u64, u64) {
        self.0[at]
    }

    fn set(&mut self, at: usize, free: (u64, u64)) {
        self.0[at] = free;
    }
}

struct BestScan(Vec<(u64, u64)>);

impl Fleet for BestScan {
    fn find(&self, cpu: u64, memory: u64) -> Option<usize> {
        let mut best = (u64::MAX, None);
        for (at, free) in self.0.iter().enumerate() {
            if cpu <= free.0 && memory <= free.1 && free.0 < best.0 {
                best = (free.0, Some(at));
            }
        }
        best.1
    }

    fn free(&self, at: usize) -> (u64, u64) {
        self.0[at]
    }

    fn set(&mut self, at: usize, free: (u64, u64)) {
        self.0[at] = free;
    }
}

/// A segment tree: place `i` holds the most cpu and the most memory free below
/// it; its children are `2 i` and `2 i + 1`, and instances are the leaves.
struct Tree {
    most: Vec<(u64, u64)>,
    leaves: usize,
}

impl Tree {
    fn new(fleet: &[(u64, u64)]) -> Self {
        let leaves = fleet.len().next_power_of_two();
        let mut tree = Self { most: vec![(0, 0); 2 * leaves], leaves };
        for (at, &free) in fleet.iter().enumerate() {
            tree.set(at, free);
        }
        tree
    }

    fn has_room(&self, place: usize, cpu: u64, memory: u64) -> bool {
        cpu <= self.most[place].0 && memory <= self.most[place].1
    }
}

impl Fleet for Tree {
    /// Walks left to right, skipping what is too full; the most cpu and the
    /// most memory may be different leaves', so a promising place can fail.
    fn find(&self, cpu: u64, memory: u64) -> Option<usize> {
        let mut place = 1;
        loop {
            if self.has_room(place, cpu, memory) {
                if place >= self.leaves {
                    return Some(place - self.leaves);
                }
                place *= 2;
                continue;
            }
            // Up from every right child, then to the sibling on the right.
            place >>= place.trailing_ones();
            if place == 0 {
                return None;
            }
            place += 1;
        }
    }

    fn free(&self, at: usize) -> (u64, u64) {
        self.most[self.leaves + at]
    }

    fn set(&mut self, at: usize, free: (u64, u64)) {
        let mut place = self.leaves + at;
        self.most[place] = free;
        while place > 1 {
            place /= 2;
            let (left, right) = (self.most[2 * place], self.most[2 * place + 1]);
            let most = (left.0.max(right.0), left.1.max(right.1));
            if self.most[place] == most {
                break;
            }
            self.most[place] = most;
        }
    }
}

/// Instances in the order that best fit prefers them.
struct Ordered {
    free: Vec<(u64, u64)>,
    by_cpu: BTreeSet<(u64, usize)>,
}

impl Ordered {
    fn new(free: Vec<(u64, u64)>) -> Self {
        let by_cpu = free.iter().enumerate().map(|(at, free)| (free.0, at)).collect();
        Self { free, by_cpu }
    }
}

impl Fleet for Ordered {
    fn find(&self, cpu: u64, memory: u64) -> Option<usize> {
        let mut candidates = self.by_cpu.range((cpu, 0)..);
        candidates.find(|&&(_, at)| memory <= self.free[at].1).map(|&(_, at)| at)
    }

    fn free(&self, at: usize) -> (u64, u64) {
        self.free[at]
    }

    fn set(&mut self, at: usize, free: (u64, u64)) {
        self.by_cpu.remove(&(self.free[at].0, at));
        self.by_cpu.insert((free.0, at));
        self.free[at] = free;
    }
}
