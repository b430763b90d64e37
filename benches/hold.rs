//! The hold model (Jones 1986, "An empirical comparison of priority-queue and
//! event-set implementations"): with a fixed number of events pending, take
//! the next one and schedule another an exponential time later.
//!
//! Compares the event queue with a bare heap that can do nothing else, and
//! exits with 1 where it costs more than `LIMIT` times as much.

#[path = "floor/heap.rs"]
mod heap;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use windtunnel::engine::EventQueue;
use windtunnel::units::Time;

const LIMIT: f64 = 1.3;
const HOLDS: usize = 1 << 21;
const REPETITIONS: usize = 9;
/// Mean time from now to a new event, in microseconds.
const MEAN: f64 = 1e9;

/// Marsaglia's xorshift64.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn exponential(&mut self) -> i64 {
        let uniform = ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        (-MEAN * libm::log(uniform)) as i64
    }
}

fn main() -> ExitCode {
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    let increments: Vec<i64> = (0..HOLDS).map(|_| random.exponential()).collect();
    println!(
        "{:>9}  {:>10}  {:>11}  {:>5}  {:>5}",
        "pending", "ours ns/op", "floor ns/op", "ratio", "limit"
    );
    let mut all_within = true;
    for pending in [10_000, 100_000, 1_000_000] {
        let start: Vec<i64> = (0..pending).map(|_| random.exponential()).collect();
        let mut queue = EventQueue::new();
        let mut floor = heap::Heap::new();
        for (payload, &at) in (0_u64..).zip(&start) {
            queue.schedule(Time::from_micros(at), 0, payload);
            floor.push((at.cast_unsigned(), payload));
        }
        let mut costs = (Vec::new(), Vec::new());
        for repetition in 0..=REPETITIONS {
            let (ours, our_clock) = timed(|| hold(&mut queue, &increments));
            let (bare, bare_clock) = timed(|| hold_floor(&mut floor, &increments));
            assert_eq!(our_clock, bare_clock, "both queues hold the same events");
            if repetition > 0 {
                costs.0.push(ours);
                costs.1.push(bare);
            }
        }
        let (ours, bare) = (median(costs.0), median(costs.1));
        let within = ours <= LIMIT * bare;
        all_within &= within;
        println!(
            "{pending:>9}  {ours:>10.1}  {bare:>11.1}  {:>5.2}  {LIMIT:>5.1}  {}",
            ours / bare,
            if within { "ok" } else { "over" }
        );
    }
    if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the clock at the end.
fn hold(queue: &mut EventQueue<u64>, increments: &[i64]) -> i64 {
    let mut clock = 0;
    for &increment in increments {
        let (now, _, payload) = queue.pop().expect("the number pending is held");
        clock = now.micros();
        black_box(queue.schedule(Time::from_micros(clock + increment), 0, payload));
    }
    clock
}

fn hold_floor(queue: &mut heap::Heap, increments: &[i64]) -> i64 {
    let mut clock = 0;
    for &increment in increments {
        let (now, payload) = queue.pop().expect("the number pending is held");
        clock = now.cast_signed();
        queue.push((now + increment.cast_unsigned(), payload));
    }
    clock
}

/// Nanoseconds per hold, and the result of the run.
fn timed(run: impl FnOnce() -> i64) -> (f64, i64) {
    let start = Instant::now();
    let clock = run();
    (start.elapsed().as_nanos() as f64 / HOLDS as f64, clock)
}

fn median(mut costs: Vec<f64>) -> f64 {
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}
