//! Watches what a command takes of the machine, and ends it where that is more
//! than it may take.

use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::HumanBytes;

use super::args::BoundsArgs;
use super::ending::{self, EndCause};
use super::output_quota::OutputQuota;
use windtunnel::halt;
use windtunnel::units::Span;

/// Time between two looks at the limits.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Keeps a command within its limits, from its beginning to its end.
#[derive(Debug)]
pub(super) struct ResourceGuard {
    limits: Arc<GuardLimits>,
}

/// Limits of time, memory and output, and the counts that are held against them.
#[derive(Debug)]
struct GuardLimits {
    started: Instant,
    wall: Option<Span>,
    memory: Option<u64>,
    meter: Arc<OutputQuota>,
}

impl ResourceGuard {
    /// Counts and looks from now on, on a thread of its own.
    pub(super) fn new(bounds: &BoundsArgs) -> Self {
        let limits = Arc::new(GuardLimits::new(bounds));
        let seen = Arc::downgrade(&limits);
        let watch = move || {
            while let Some(limits) = seen.upgrade() {
                if let Some(message) = limits.over() {
                    ending::begin(EndCause::Limit(message));
                    return;
                }
                drop(limits);
                thread::sleep(LOOK_EVERY);
            }
        };
        // A system that has no thread to give can do no run either.
        let _ = thread::Builder::new().name("guard".to_owned()).spawn(watch);
        Self { limits }
    }

    /// Counts what is written.
    pub(super) fn meter(&self) -> Arc<OutputQuota> {
        Arc::clone(&self.limits.meter)
    }
}

/// Break where the command is to end, and continue otherwise.
pub(super) fn poll() -> ControlFlow<()> {
    if halt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

impl GuardLimits {
    fn new(bounds: &BoundsArgs) -> Self {
        Self {
            started: Instant::now(),
            wall: bounds.max_wall,
            memory: bounds.max_memory.or_else(|| machine_memory().map(|bytes| bytes / 10 * 9)),
            meter: Arc::new(OutputQuota::new(bounds.max_output)),
        }
    }

    /// The limit that is exceeded, and the remedy.
    fn over(&self) -> Option<String> {
        if let Some(full) = self.meter.full() {
            return Some(full.to_string());
        }
        if let Some(wall) = self.wall
            && self.started.elapsed().as_micros() > u128::from(wall.micros().unsigned_abs())
        {
            return Some(format!(
                "it took longer than `--max-wall`, which is {wall} of the wall clock\n  \
                 hint: raise it with `--max-wall ...`; where it stops is not reproducible"
            ));
        }
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

    const FREE: BoundsArgs = BoundsArgs {
        max_events: None,
        max_jobs: None,
        max_simulated: None,
        max_wall: None,
        max_output: u64::MAX,
        max_memory: Some(u64::MAX),
    };

    #[track_caller]
    fn check(bounds: &BoundsArgs, want: Option<&str>) {
        let mut limits = GuardLimits::new(bounds);
        // The command seems to have begun a second ago.
        limits.started -= Duration::from_secs(1);
        let over = limits.over();
        let named = over.as_deref().zip(want).is_none_or(|(over, want)| over.contains(want));
        assert!(named && over.is_some() == want.is_some(), "{over:?}");
    }

    #[test]
    fn what_is_over_its_limit_is_named() {
        check(&FREE, None);
        check(&BoundsArgs { max_wall: Some(Span::from_secs(60)), ..FREE }, None);
        check(
            &BoundsArgs { max_wall: Some(Span::from_micros(999_999)), ..FREE },
            Some("--max-wall"),
        );
        if cfg!(target_os = "linux") {
            check(&BoundsArgs { max_memory: Some(1), ..FREE }, Some("--max-memory"));
        }
    }

    #[test]
    fn output_beyond_its_limit_is_noticed() {
        let limits = GuardLimits::new(&BoundsArgs { max_output: 10, ..FREE });
        limits.meter.count(10).expect("it fits");
        assert_eq!(limits.over(), None);
        limits.meter.count(1).expect_err("it does not fit");
        assert!(limits.over().is_some());
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
