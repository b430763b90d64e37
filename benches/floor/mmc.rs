//! The least an M/M/c simulation can be: two draws, a heap and a queue.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Serves `jobs` first come, first served, by `servers` of mean service time
/// one second, each busy a share `rho` of the time. Returns the time taken
/// and the mean wait in seconds.
pub(crate) fn mmc(jobs: u64, servers: usize, rho: f64, seed: u64) -> (Duration, f64) {
    let start = Instant::now();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut completions: BinaryHeap<Reverse<u64>> = BinaryHeap::with_capacity(servers);
    let mut waiting: VecDeque<(u64, u64)> = VecDeque::new();
    let mean_gap = 1e6 / (rho * servers as f64);
    let (mut arrival, mut waited) = (0, 0);
    for _ in 0..jobs {
        arrival += exponential(&mut random, mean_gap);
        let service = exponential(&mut random, 1e6);
        complete_until(arrival, &mut completions, &mut waiting, &mut waited);
        if completions.len() < servers {
            completions.push(Reverse(arrival + service));
        } else {
            waiting.push_back((arrival, service));
        }
    }
    complete_until(u64::MAX, &mut completions, &mut waiting, &mut waited);
    (start.elapsed(), waited as f64 / 1e6 / jobs as f64)
}

/// Completes what ends by `now`, each server starting on the next job at once.
fn complete_until(
    now: u64,
    completions: &mut BinaryHeap<Reverse<u64>>,
    waiting: &mut VecDeque<(u64, u64)>,
    waited: &mut u64,
) {
    while let Some(&Reverse(end)) = completions.peek().filter(|end| end.0 <= now) {
        completions.pop();
        if let Some((arrival, service)) = waiting.pop_front() {
            *waited += end - arrival;
            completions.push(Reverse(end + service));
        }
    }
}

/// Whole microseconds.
fn exponential(random: &mut Xoshiro256PlusPlus, mean: f64) -> u64 {
    let uniform = ((random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    (-mean * uniform.ln()) as u64
}
