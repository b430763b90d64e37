//! Progress of long runs on standard error, where that is a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Template of the bar over runs once their number is known.
const RUNS: &str = "{msg} {wide_bar} {human_pos} of {human_len} runs, {per_sec}, {eta} left";

/// A bar that shows how far something has come.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// Over the jobs of one run, as many as they may be. Hidden when `quiet` or
    /// when standard error is no terminal.
    pub(super) fn over_jobs(label: &str, quiet: bool) -> Self {
        let style = "{msg} {spinner} {human_pos} jobs, {per_sec}";
        Self::new(ProgressBar::no_length(), label, style, quiet)
    }

    /// Over the offers of a world. Hidden likewise.
    pub(super) fn over_offers(label: &str, quiet: bool) -> Self {
        let style = "{msg} {spinner} {human_pos} offers";
        Self::new(ProgressBar::no_length(), label, style, quiet)
    }

    /// Over the rows of a table, as many as they may be. Hidden likewise.
    pub(super) fn over_rows(label: &str, quiet: bool) -> Self {
        let style = "{msg} {spinner} {human_pos} rows, {per_sec}";
        Self::new(ProgressBar::no_length(), label, style, quiet)
    }

    /// Over the runs of an experiment, which [`Bar::expect`] counts. Hidden likewise.
    pub(super) fn over_runs(label: &str, quiet: bool) -> Self {
        Self::new(ProgressBar::new(0), label, "{msg} {spinner}", quiet)
    }

    fn new(bar: ProgressBar, label: &str, style: &str, quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden() };
        }
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// Adds to the amount that is to be done.
    pub(super) fn expect(&self, more: u64) {
        if self.bar.length() == Some(0)
            && let Ok(style) = ProgressStyle::with_template(RUNS)
        {
            // A bar over nothing would be full.
            self.bar.set_style(style);
        }
        self.bar.inc_length(more);
    }

    /// Counts one more as done.
    pub(super) fn done(&self) {
        self.bar.inc(1);
    }

    /// Sets the amount that is done in all.
    pub(super) fn reach(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
