//! Progress of long runs on standard error, where that is a terminal; and the
//! wish to stop.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::process;
use crate::sim::Progress;

static STOP: AtomicBool = AtomicBool::new(false);

/// Lets the first interrupt stop runs at their next event; the second ends the process.
pub(super) fn stop_on_interrupt() {
    // Without a handler an interrupt ends the process at once, which is as good.
    let _ = ctrlc::set_handler(|| {
        let again = STOP.swap(true, Ordering::Relaxed);
        process::end_all();
        if again {
            std::process::exit(130);
        }
    });
}

/// Whether somebody has interrupted this process.
pub(super) fn interrupted() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// A bar over `total` pieces of work, when their number is known.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// Hidden when `quiet` or when standard error is no terminal.
    pub(super) fn new(label: &str, total: Option<u64>, quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden() };
        }
        let (bar, style) = match total {
            Some(total) => (
                ProgressBar::new(total),
                "{msg} {wide_bar} {human_pos} of {human_len} jobs, {per_sec}, {eta} left",
            ),
            None => (ProgressBar::no_length(), "{msg} {spinner} {human_pos} jobs, {per_sec}"),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// Shows how far a run has come; says whether to go on.
    pub(super) fn step(&self, progress: Progress) -> ControlFlow<()> {
        self.bar.set_position(progress.work);
        if interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
