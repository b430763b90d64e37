//! Watches what a command takes of the machine, and stops it where that is more
//! than it may take, or where it was asked to end.

use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use indicatif::HumanBytes;

use super::args::Bounds;
use super::exit::Stop;
use super::meter::Meter;
use super::signal;
use crate::units::Span;

/// Milliseconds between two looks at the memory.
const LOOK_EVERY: u64 = 50;

/// Time, memory and output of a command, held against their limits.
#[derive(Debug)]
pub(super) struct Guard {
    started: Instant,
    wall: Option<Span>,
    memory: Option<u64>,
    /// When to look at the memory next, in milliseconds since the start.
    next_look: AtomicU64,
    meter: Arc<Meter>,
    /// The limit that was reached, and what to do about it.
    reached: OnceLock<String>,
}

impl Guard {
    /// Counts from now on.
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            started: Instant::now(),
            wall: bounds.max_wall,
            memory: bounds.max_memory.or_else(|| machine_memory().map(|bytes| bytes / 10 * 9)),
            next_look: AtomicU64::new(0),
            meter: Arc::new(Meter::new(bounds.max_output)),
            reached: OnceLock::new(),
        }
    }

    /// Counts what is written.
    pub(super) fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// Whether to go on.
    pub(super) fn look(&self) -> ControlFlow<()> {
        if signal::code().is_some() || self.reached.get().is_some() {
            return ControlFlow::Break(());
        }
        match self.over() {
            Some(message) => {
                // Of two threads that notice something, the first one tells.
                let _ = self.reached.set(message);
                ControlFlow::Break(())
            }
            None => ControlFlow::Continue(()),
        }
    }

    /// An interrupt, where it was a limit that stopped the command.
    pub(super) fn explain(&self, stop: Stop) -> Stop {
        match (&stop, self.reached.get()) {
            (Stop::Interrupted(_), Some(message)) => Stop::Limit(message.clone()),
            _ => stop,
        }
    }

    fn over(&self) -> Option<String> {
        if let Some(full) = self.meter.full() {
            return Some(full.to_string());
        }
        let elapsed = self.started.elapsed();
        if let Some(wall) = self.wall
            && elapsed.as_micros() > u128::from(wall.micros().unsigned_abs())
        {
            return Some(format!(
                "it took longer than `--max-wall`, which is {wall} of the wall clock\n  \
                 hint: raise it with `--max-wall ...`; where it stops is not reproducible"
            ));
        }
        let now = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if now < self.next_look.load(Ordering::Relaxed) {
            return None;
        }
        self.next_look.store(now.saturating_add(LOOK_EVERY), Ordering::Relaxed);
        let (most, used) = (self.memory?, resident()?);
        (used > most).then(|| {
            format!(
                "it holds {} of memory, more than `--max-memory`, which is {}\n  \
                 hint: use fewer `--threads`, or raise it with `--max-memory ...`",
                HumanBytes(used),
                HumanBytes(most)
            )
        })
    }
}

/// Bytes of memory that this process holds, where the system tells.
fn resident() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// Bytes of memory that the machine has, or the part of it that this process may have.
fn machine_memory() -> Option<u64> {
    let whole = kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")?;
    let part = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let part = part.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
    Some(whole.min(part))
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Bounds = Bounds {
        max_events: None,
        max_jobs: None,
        max_simulated: None,
        max_wall: None,
        max_output: u64::MAX,
        max_memory: Some(u64::MAX),
    };

    #[track_caller]
    fn check(bounds: &Bounds, want: &str) {
        let mut guard = Guard::new(bounds);
        // As if it had begun a second ago.
        guard.started -= std::time::Duration::from_secs(1);
        assert_eq!(guard.look().is_break(), !want.is_empty());
        match guard.explain(Stop::Interrupted(String::new())) {
            Stop::Interrupted(_) => assert_eq!(want, ""),
            Stop::Limit(message) => assert!(message.contains(want), "{message}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_over_its_limit_stops_and_is_named() {
        check(&FREE, "");
        check(&Bounds { max_wall: Some(Span::from_secs(60)), ..FREE }, "");
        check(&Bounds { max_wall: Some(Span::from_micros(999_999)), ..FREE }, "--max-wall");
        if cfg!(target_os = "linux") {
            check(&Bounds { max_memory: Some(1), ..FREE }, "--max-memory");
        }
    }

    #[test]
    fn output_beyond_its_limit_stops() {
        let guard = Guard::new(&Bounds { max_output: 10, ..FREE });
        guard.meter().count(10).expect("it fits");
        assert!(guard.look().is_continue());
        guard.meter().count(1).expect_err("it does not fit");
        assert!(guard.look().is_break());
    }

    #[test]
    fn sizes_of_the_system_are_read() {
        assert_eq!(kibibytes("VmHWM:\t 9 kB\nVmRSS:\t  12 kB\n", "VmRSS:"), Some(12_288));
        assert_eq!(kibibytes("VmRSS:\t  12\n", "VmRSS:"), None);
        if cfg!(target_os = "linux") {
            let (used, all) = (resident(), machine_memory());
            assert!(used > Some(1 << 20) && used < all, "{used:?} of {all:?}");
        }
    }
}
