//! Outside workloads become work: readers, synthesizers and transformations.
//!
//! A [`WorkloadSpec`] is plain data that says where work comes from and what is
//! done to it; [`WorkloadSpec::open`] turns it into a [`Source`] that streams.
//! Opening twice with the same context gives the same stream.

mod alive;
mod begin;
mod date;
mod defaults;
mod filter;
mod format;
mod buffered;
mod lines;
mod list;
mod mapped;
mod names;
mod note;
mod native;
mod number;
mod observed;
mod openb;
mod reader;
mod recognise;
mod repeat;
mod sacct;
mod seen;
mod shared;
mod stats;
mod swf;
mod synth;
mod table;
mod trace;
mod transform;
mod written;

use std::sync::Arc;

use crate::model::{Interner, Together, Work};
pub use crate::part::{Column, ColumnOrigin, ColumnUnit, Field};
use crate::problem::{Problem, Problems};
use crate::units::rank::share_of;
use crate::units::{Calendar, Span, Time};

use buffered::{Buffered, HandOverOrder};
use defaults::{ApplyDefaults, spread_gangs};
use repeat::Repeat;
use synth::Synth;
use transform::{Streaming, Through};

pub use alive::Alive;
pub use buffered::MAX_HELD;
pub use date::zone_exists;
pub use defaults::{DeadlineRule, Defaults, EstimateRule};
pub use filter::RowFilter;
pub use format::{Beginning, Format, FormatReader, FormatSpec, Machines, MissingSetting};
pub use lines::MAX_ROW;
pub use list::WorkList;
pub use mapped::MAPPED;
pub use names::MAX_NAME;
pub use native::{NATIVE, NativeColumn, NativeWriter, used_columns};
pub use note::{RowNote, RowNotes};
pub use observed::{Observation, Observations};
pub use openb::{NodeRow, OPENB, read_nodes};
pub use recognise::{Recognised, recognise};
pub use sacct::SACCT;
pub use shared::SharedTrace;
pub use stats::{SampleSummary, Stats, TenantStats};
pub use swf::SWF;
pub use synth::{Arrivals, MmppState, SynthClass, SynthSpec, Until};
pub use trace::{OnBadRow, TraceSpec, Unsorted};
pub use transform::{Capacity, Keep, Resource, Transform};

/// Every format of traces, in the order in which files are held against them.
pub static FORMATS: &[&Format] = &[&NATIVE, &SWF, &OPENB, &SACCT, &MAPPED];

/// A stream of work in order of arrival (non-decreasing `work.arrival`).
pub trait Source {
    /// Fills `work` with the next piece of work; `false` when there is none
    /// left. `book` must be the same one at every call. The value is filled
    /// anew whatever it held, and its `name` keeps its buffer.
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem>;

    /// Rows left out so far because they were malformed.
    fn skipped(&self) -> u64 {
        0
    }

    /// Well-formed rows so far that became no work, or other work than they say.
    fn notes(&self) -> RowNotes {
        RowNotes::default()
    }

    /// The first few of the problems behind [`Source::skipped`].
    fn skips(&self) -> &[Problem] {
        &[]
    }
}

/// A source that may be handed to another thread.
pub type BoxedSource = Box<dyn Source + Send>;

/// Source of work, and the changes made to it on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadSpec {
    /// Source of the work.
    pub input: WorkloadInput,
    /// Values that every piece of work gets where its source says nothing.
    pub defaults: Defaults,
    /// Applied in this order, after the defaults.
    pub transforms: Vec<Transform>,
}

/// Source of the work: a file, or draws from distributions.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkloadInput {
    /// A file.
    Trace(TraceSpec),
    /// Draws from distributions.
    Synthetic(SynthSpec),
    /// A file that was read before (see [`WorkloadSpec::share`]).
    Shared(Arc<SharedTrace>),
}

impl WorkloadSpec {
    /// The time that the work stands for: that of its source, which is `given` or the span of
    /// a synthesis, after all transformations. Work may well come at its beginning only. None
    /// where nothing tells but the arrivals.
    pub fn period(&self, given: Option<Span>) -> Option<Span> {
        let drawn = given.or(match &self.input {
            WorkloadInput::Synthetic(SynthSpec { until: Until::Span(span), .. }) => Some(*span),
            WorkloadInput::Synthetic(_) | WorkloadInput::Trace(_) | WorkloadInput::Shared(_) => {
                None
            }
        });
        self.transforms.iter().fold(drawn, |period, step| match step {
            Transform::Window { from, to, .. } => {
                let ends = period.map(|period| Time::ZERO + period).into_iter().chain(*to).min();
                ends.map(|ends| ends - *from)
            }
            Transform::ScaleArrivals(factor) => {
                period.and_then(|period| Span::from_secs_f64(period.secs_f64() * factor))
            }
            Transform::Repeat { times, period: apart } => apart
                .or(period)
                .map(|one| Span::from_micros(one.micros().saturating_mul(i64::from(*times)))),
            Transform::Skip(_) | Transform::Take(_) | Transform::Inflate { .. } => None,
            Transform::Keep(_)
            | Transform::ScaleRuntimes(_)
            | Transform::ScaleSizes { .. }
            | Transform::Shift(_)
            | Transform::Begin(_)
            | Transform::Shuffle
            | Transform::Resample { .. } => period,
        })
    }
}

impl WorkloadInput {
    /// The trace it is or was read from.
    pub fn trace(&self) -> Option<&TraceSpec> {
        match self {
            Self::Trace(trace) => Some(trace),
            Self::Shared(shared) => Some(&shared.trace),
            Self::Synthetic(_) => None,
        }
    }
}

/// Facts of a run that a workload needs to be opened for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenContext {
    /// Seed of the run: synthesis, shuffle and inflate follow it, a plain trace does not.
    pub seed: u64,
    /// Dates of the run: timestamps in traces and daily profiles follow it.
    pub calendar: Calendar,
    /// Whether `work.name` is filled.
    pub keep_names: bool,
    /// Total capacity of the world, for `inflate`.
    pub capacity: Option<Capacity>,
}

impl WorkloadSpec {
    /// Opens the workload. Opening twice with the same context gives the same stream.
    ///
    /// # Errors
    /// Everything that is wrong with the specification or with the header of the file.
    pub fn open(&self, context: &OpenContext) -> Result<BoxedSource, Problems> {
        let problems = self.problems(context);
        if !problems.is_empty() {
            return Err(problems.into());
        }
        self.open_first(self.transforms.len(), context)
    }

    /// Whether all work is held in memory at once (sort, shuffle, inflate).
    pub fn materialises(&self) -> bool {
        let holds = |step: &Transform| {
            matches!(
                step,
                Transform::Shuffle | Transform::Inflate { .. } | Transform::Resample { .. }
            )
        };
        matches!(&self.input, WorkloadInput::Trace(trace) if trace.unsorted == Unsorted::Sort)
            || self.transforms.iter().any(holds)
    }

    /// Whether work that asks for nothing gets nothing.
    fn is_sizeless(&self) -> bool {
        self.defaults.cpu.is_none() && self.defaults.memory.is_none()
    }

    /// Problems that can be found without reading the file.
    pub fn problems(&self, context: &OpenContext) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.defaults.problem().into_iter().collect();
        if let WorkloadInput::Synthetic(synth) = &self.input {
            problems.extend(synth.problems());
        }
        for step in &self.transforms {
            problems.extend(step.problem());
            if let Transform::Inflate { resource, .. } = step
                && context.capacity.is_none_or(|capacity| capacity.of(*resource) == 0)
            {
                let message =
                    format!("inflate: the world has no {} to inflate to", resource.name());
                problems.push(Problem::with("workload", message));
            }
        }
        problems
    }

    /// The workload behind its first `steps` transformations.
    fn open_first(&self, steps: usize, context: &OpenContext) -> Result<BoxedSource, Problems> {
        let Some(last) = steps.checked_sub(1) else {
            let source = match &self.input {
                WorkloadInput::Trace(trace) => trace.open(
                    self.clock(context.calendar),
                    context.keep_names,
                    self.is_sizeless(),
                )?,
                WorkloadInput::Synthetic(synth) => Box::new(Synth::new(synth, context)),
                WorkloadInput::Shared(shared) => shared.open(),
            };
            return Ok(if self.defaults == Defaults::default() {
                source
            } else {
                Box::new(Through::new(source, ApplyDefaults::new(self.defaults.clone())))
            });
        };
        let seed = context.seed;
        Ok(match &self.transforms[last] {
            Transform::Repeat { times, period } => {
                let (spec, context) = (self.clone(), *context);
                let open = Box::new(move || spec.open_first(last, &context));
                Box::new(Repeat::new(open, *times, *period)?)
            }
            Transform::Shuffle => Box::new(Buffered::new(
                self.open_first(last, context)?,
                HandOverOrder::Shuffled { seed },
            )),
            Transform::Resample { block } => {
                let order = HandOverOrder::Resampled { seed, block: *block };
                Box::new(Buffered::new(self.open_first(last, context)?, order))
            }
            Transform::Inflate { share, resource, gap } => {
                let capacity = context.capacity.map_or(0, |capacity| capacity.of(*resource));
                let target = share_of(*share, capacity);
                let order =
                    HandOverOrder::Inflated { seed, resource: *resource, target, gap: *gap };
                Box::new(Buffered::new(self.open_first(last, context)?, order))
            }
            transform => {
                let step = Streaming { transform: transform.clone(), seen: 0 };
                Box::new(Through::new(self.open_first(last, context)?, step))
            }
        })
    }

    /// Widest spread that the tasks of some gang may have, as far as it is set for all work or for
    /// a synthetic class. Spreads that rows of a trace set are counted in runs.
    fn farthest(&self) -> Option<Together> {
        let for_all = self.defaults.rules.together;
        let gangs = match &self.input {
            WorkloadInput::Synthetic(synth) => &synth.classes[..],
            WorkloadInput::Trace(_) | WorkloadInput::Shared(_) => return for_all,
        };
        let gangs = gangs.iter().filter(|class| class.gang);
        gangs.filter_map(|class| class.rules.together.or(for_all)).max()
    }

    /// Assumptions of the workload, in plain sentences for the report.
    pub fn assumptions(&self) -> Vec<String> {
        let mut told = match &self.input {
            WorkloadInput::Trace(trace) => trace.assumptions(),
            WorkloadInput::Shared(shared) => shared.trace.assumptions(),
            WorkloadInput::Synthetic(_) => {
                vec!["The workload is drawn from distributions, not observed.".to_owned()]
            }
        };
        told.extend(self.defaults.assumptions());
        told.extend(spread_gangs(self.farthest()));
        told.extend(self.transforms.iter().map(Transform::description));
        told
    }
}

#[cfg(test)]
mod tests;
