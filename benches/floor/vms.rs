//! Virtual machines to pack: a trace of given size for a given fleet.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Cores, and the machines in a hundred that have them: 3.35 on average.
const CORES: [(u64, u64); 5] = [(1, 35), (2, 30), (4, 20), (8, 10), (16, 5)];
const MEAN_CORES: f64 = 3.35;
/// GiB of memory per core, and the machines in a hundred that have them.
const GIB_PER_CORE: [(u64, u64); 3] = [(2, 30), (4, 50), (8, 20)];
const MEAN_LIFETIME_S: f64 = 86_400.0;
const MAX_LIFETIME_S: f64 = 30.0 * 86_400.0;
/// Cores of one instance of the fleet.
const INSTANCE_CORES: f64 = 64.0;

/// Writes `count` virtual machines as `id,arrival_s,lifetime_s,cpu_milli,memory_mib`,
/// sorted by arrival: Poisson arrivals at the rate that asks for `load` of the
/// cores of `instances`, lifetimes exponential with a mean of one day.
pub(crate) fn write_vms(
    path: &Path,
    count: u64,
    instances: u64,
    load: f64,
    seed: u64,
) -> io::Result<()> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "id,arrival_s,lifetime_s,cpu_milli,memory_mib")?;
    let gap = MEAN_CORES * MEAN_LIFETIME_S / (load * instances as f64 * INSTANCE_CORES);
    let mut arrival = 0.0;
    for id in 0..count {
        arrival += gap * exponential(&mut random);
        let lifetime = (MEAN_LIFETIME_S * exponential(&mut random)).clamp(1.0, MAX_LIFETIME_S);
        let cores = pick(&CORES, &mut random);
        let memory = cores * pick(&GIB_PER_CORE, &mut random) * 1_024;
        writeln!(out, "{id},{},{},{},{memory}", arrival as u64, lifetime as u64, cores * 1_000)?;
    }
    out.flush()
}

fn exponential(random: &mut Xoshiro256PlusPlus) -> f64 {
    -libm::log(((random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64)
}

fn pick(shares: &[(u64, u64)], random: &mut Xoshiro256PlusPlus) -> u64 {
    let mut drawn = random.next_u64() % 100;
    for &(value, share) in shares {
        if drawn < share {
            return value;
        }
        drawn -= share;
    }
    unreachable!("shares add up to one hundred")
}
