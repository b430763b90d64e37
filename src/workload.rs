//! Outside workloads become work: readers, synthesizers and transformations.
//!
//! A [`WorkloadSpec`] is plain data that says where work comes from and what is
//! done to it; [`WorkloadSpec::open`] turns it into a [`Source`] that streams.
//! Opening twice with the same context gives the same stream.

mod defaults;
mod mapping;
mod openb;
mod swf;
mod synth;
mod trace;
mod transform;

use crate::model::{Book, Work};
use crate::problem::Problem;
use crate::units::Calendar;

pub use defaults::{DeadlineRule, Defaults, Estimate};
pub use mapping::{Column, Field, Mapping, Origin, Unit};
pub use openb::OpenbOptions;
pub use swf::{Procs, SwfOptions, SwfTenant, UnknownRuntime};
pub use synth::{Arrivals, Class, MmppState, SynthSpec, Until};
pub use trace::{Format, OnBadRow, TraceSpec, Unsorted};
pub use transform::{Capacity, Keep, Resource, Transform};

/// A stream of work in order of arrival (non-decreasing `work.arrival`).
pub trait Source {
    /// Fills `work` with the next piece of work; `false` when there is none
    /// left. `book` must be the same one at every call. The value is filled
    /// anew whatever it held, and its `name` keeps its buffer.
    fn next(&mut self, book: &mut Book, work: &mut Work) -> Result<bool, Problem>;

    /// Rows left out so far because they were malformed.
    fn skipped(&self) -> u64 {
        0
    }

    /// The first few of the problems behind [`Source::skipped`].
    fn skips(&self) -> &[Problem] {
        &[]
    }
}

/// A source that may be handed to another thread.
pub type BoxedSource = Box<dyn Source + Send>;

/// Where work comes from, and what is done to it on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadSpec {
    /// Where work comes from.
    pub input: Input,
    /// What every piece of work gets where its source says nothing.
    pub defaults: Defaults,
    /// Applied in this order, after the defaults.
    pub transforms: Vec<Transform>,
}

/// Where work comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A file.
    Trace(TraceSpec),
    /// Draws from distributions.
    Synthetic(SynthSpec),
}

/// What a workload needs to know of the run it is opened for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenContext {
    /// Seed of the run: synthesis, shuffle and inflate follow it, a plain trace does not.
    pub seed: u64,
    /// Dates of the run: timestamps in traces and daily profiles follow it.
    pub calendar: Calendar,
    /// Whether `work.name` is filled.
    pub keep_names: bool,
    /// What the world offers, for `inflate`.
    pub capacity: Option<Capacity>,
}

impl WorkloadSpec {
    /// Opens the workload. Opening twice with the same context gives the same
    /// stream, standard input excepted.
    ///
    /// # Errors
    /// Everything that is wrong with the specification, or with the first rows of the file.
    pub fn open(&self, _context: &OpenContext) -> Result<BoxedSource, Vec<Problem>> {
        Err(vec![Problem::with("workload", "this build reads no workloads")])
    }

    /// Whether all work is held in memory at once (sort, shuffle, inflate).
    pub fn materialises(&self) -> bool {
        let sorts = matches!(&self.input, Input::Trace(trace) if trace.unsorted == Unsorted::Sort);
        sorts
            || self
                .transforms
                .iter()
                .any(|step| matches!(step, Transform::Shuffle | Transform::Inflate { .. }))
    }
}
