//! Changes that are made to a workload on its way in.

use crate::model::{Interner, Work, WorkKind};
use crate::problem::Problem;
use crate::units::{Span, Time};

use super::alive::{Alive, cut};
use super::number::FAR;
use super::{BoxedSource, RowNotes, Source};

/// A transformation of work. Deadlines move with the arrivals they belong to.
#[derive(Clone, Debug, PartialEq)]
pub enum Transform {
    /// Keeps arrivals in `[from, to)`.
    Window {
        /// First arrival kept.
        from: Time,
        /// First arrival not kept.
        to: Option<Time>,
        /// Whether `from` becomes the run's start.
        shift: bool,
        /// Earlier work that is there at `from`, if it has not ended by then. Its time counts from
        /// its arrival; the rest of it is kept.
        alive: Alive,
    },
    /// Leaves out this many pieces of work at the beginning.
    Skip(u64),
    /// Ends after this many pieces of work.
    Take(u64),
    /// Keeps work that lies within bounds.
    Keep(Keep),
    /// Multiplies arrival times (and so the gaps between them); greater than 0.
    ScaleArrivals(f64),
    /// Multiplies runtimes, lifetimes and estimates; greater than 0.
    ScaleRuntimes(f64),
    /// Multiplies sizes, each greater than 0, rounded half up, at least 1
    /// where there was any.
    ScaleSizes {
        /// Factor of milli-cores per task.
        cpu: f64,
        /// Factor of MiB per task.
        memory: f64,
        /// Factor of the number of tasks.
        tasks: f64,
    },
    /// Adds to every arrival.
    Shift(Span),
    /// The run begins so long after time zero of what comes before: that is
    /// taken from every arrival.
    Begin(Span),
    /// Reads the workload so many times in all, each time shifted by `period`
    /// against the time before.
    Repeat {
        /// Number of repetitions, at least 1.
        times: u32,
        /// Time from the start of one repetition to that of the next. `None`: the time from the
        /// first arrival to the last, and one mean gap.
        period: Option<Span>,
    },
    /// Deals the work out anew over the same arrival times, by seed. Materialises.
    Shuffle,
    /// Puts the workload together anew from blocks of this length of itself,
    /// drawn with replacement by seed: a block bootstrap. Materialises.
    Resample {
        /// Length of a block, greater than zero.
        block: Span,
    },
    /// Deals out all work once in random order, and then samples it with
    /// replacement, until what it asks of `resource` reaches `share` of the
    /// capacity (the protocol of the FGD experiments, ATC '23). By seed. Materialises.
    Inflate {
        /// Part of the capacity; 1.3 is 130 %.
        share: f64,
        /// Resource that is counted.
        resource: Resource,
        /// Time between arrivals; their order is the order of sampling.
        gap: Span,
    },
}

/// A resource that demand is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// CPU, in milli-cores.
    Cpu,
    /// Memory, in MiB.
    Memory,
    /// GPUs, in milli-shares.
    Gpu,
}

/// Total capacity of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// CPU in milli-cores.
    pub cpu: u64,
    /// Memory in MiB.
    pub memory: u64,
    /// GPUs in milli-shares.
    pub gpu: u64,
}

/// Bounds, both included, that work must lie in. Sizes are per task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keep {
    /// Least runtime or lifetime.
    pub min_runtime: Option<Span>,
    /// Longest runtime or lifetime.
    pub max_runtime: Option<Span>,
    /// Fewest tasks.
    pub min_tasks: Option<u32>,
    /// Most tasks.
    pub max_tasks: Option<u32>,
    /// Least milli-cores.
    pub min_cpu: Option<u32>,
    /// Most milli-cores.
    pub max_cpu: Option<u32>,
    /// Least MiB.
    pub min_memory: Option<u32>,
    /// Most MiB.
    pub max_memory: Option<u32>,
    /// Fewest GPU devices.
    pub min_gpus: Option<u8>,
    /// Most GPU devices.
    pub max_gpus: Option<u8>,
    /// Kind that alone is kept.
    pub kind: Option<WorkKind>,
    /// Tenants that alone are kept; any if empty.
    pub tenants: Vec<String>,
}

impl Resource {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "memory",
            Self::Gpu => "GPU",
        }
    }
}

impl Capacity {
    /// Amount of `resource`.
    pub const fn of(self, resource: Resource) -> u64 {
        match resource {
            Resource::Cpu => self.cpu,
            Resource::Memory => self.memory,
            Resource::Gpu => self.gpu,
        }
    }
}

impl Transform {
    /// Effect of the step, in a plain sentence.
    pub fn description(&self) -> String {
        match self {
            Self::Window { from, to, shift, alive } => {
                let from = *from - Time::ZERO;
                let when = match to.map(|to| to - Time::ZERO) {
                    None => format!("{from} or more after the trace's start"),
                    Some(to) => format!("between {from} and {to} after the trace's start"),
                };
                let alive = match alive {
                    Alive::Nothing => "",
                    Alive::Machines => ", with the virtual machines alive then",
                    Alive::All => ", with the work alive then",
                };
                let moved = if *shift { ", and moved to the run's start" } else { "" };
                format!("Only work that arrives {when} is kept{alive}{moved}.")
            }
            Self::Skip(count) => format!("The first {count} pieces of work are left out."),
            Self::Take(count) => format!("At most {count} pieces of work are taken."),
            Self::Keep(_) => "Only part of the work is kept, by a filter.".to_owned(),
            Self::ScaleArrivals(factor) => format!("Arrival times are multiplied by {factor}."),
            Self::ScaleRuntimes(factor) => {
                format!("Runtimes and estimates are multiplied by {factor}.")
            }
            Self::ScaleSizes { cpu, memory, tasks } => {
                format!("CPU is multiplied by {cpu}, memory by {memory}, tasks by {tasks}.")
            }
            Self::Shift(span) => format!("Arrivals are moved by {span}."),
            Self::Begin(span) => {
                format!(
                    "The run begins with the first arrival, {span} after the trace's time zero."
                )
            }
            Self::Repeat { times, .. } => format!("The workload is run {times} times over."),
            Self::Shuffle => "Work is dealt out over the arrival times at random.".to_owned(),
            Self::Resample { block } => {
                format!("The workload is put together anew from blocks of {block} of itself.")
            }
            Self::Inflate { share, resource, .. } => format!(
                "Work is dealt out at random, and sampled again, until it asks for {:.0} % of the {} there is.",
                share * 100.0,
                resource.name()
            ),
        }
    }

    /// Problem with its parameters, if there is one.
    pub fn problem(&self) -> Option<Problem> {
        let positive = |factor: f64| factor.is_finite() && factor > 0.0;
        let message = match self {
            Self::Window { from, to: Some(to), .. } if from >= to => {
                "window: `from` must lie before `to`"
            }
            Self::ScaleArrivals(factor) | Self::ScaleRuntimes(factor) if !positive(*factor) => {
                "scale: a factor must be greater than 0"
            }
            Self::ScaleSizes { cpu, memory, tasks }
                if !(positive(*cpu) && positive(*memory) && positive(*tasks)) =>
            {
                "scale: a factor must be greater than 0"
            }
            Self::Repeat { times: 0, .. } => "repeat: `times` must be at least 1",
            Self::Repeat { period: Some(period), .. } if *period < Span::ZERO => {
                "repeat: the period must not be negative"
            }
            Self::Resample { block } if *block <= Span::ZERO => {
                "resample: a block must be longer than nothing"
            }
            Self::Inflate { share, .. } if !positive(*share) => {
                "inflate: the share must be greater than 0"
            }
            Self::Inflate { gap, .. } if *gap < Span::ZERO => {
                "inflate: the gap must not be negative"
            }
            _ => return None,
        };
        Some(Problem::with("workload", message))
    }
}

/// Outcome of a step for one piece of work.
pub(super) enum Disposition {
    /// Work goes on, as it now is.
    Pass,
    /// Work is left out.
    Leave,
    /// Work and everything after it is left out.
    End,
}

/// Looks at one piece of work after the other, and may change it.
pub(super) trait WorkStep: Send {
    fn step(&mut self, book: &mut Interner, work: &mut Work) -> Result<Disposition, Problem>;
}

/// A source seen through a step.
pub(super) struct Through<S> {
    inner: BoxedSource,
    step: S,
}

impl<S: WorkStep> Through<S> {
    pub(super) fn new(inner: BoxedSource, step: S) -> Self {
        Self { inner, step }
    }
}

impl<S: WorkStep> Source for Through<S> {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        while self.inner.next(book, work)? {
            match self.step.step(book, work)? {
                Disposition::Pass => return Ok(true),
                Disposition::Leave => {}
                Disposition::End => return Ok(false),
            }
        }
        Ok(false)
    }

    fn skipped(&self) -> u64 {
        self.inner.skipped()
    }

    fn notes(&self) -> RowNotes {
        self.inner.notes()
    }

    fn skips(&self) -> &[Problem] {
        self.inner.skips()
    }
}

/// A transformation that looks at one piece of work at a time, and the number it has seen.
pub(super) struct Streaming {
    pub(super) transform: Transform,
    pub(super) seen: u64,
}

impl WorkStep for Streaming {
    fn step(&mut self, book: &mut Interner, work: &mut Work) -> Result<Disposition, Problem> {
        self.seen += 1;
        match &self.transform {
            Transform::Window { from, to, shift, alive } => {
                if to.is_some_and(|to| work.arrival >= to) {
                    return Ok(Disposition::End);
                }
                if work.arrival < *from && !(alive.admits(work.body.kind()) && cut(work, *from)) {
                    return Ok(Disposition::Leave);
                }
                if *shift {
                    move_to(work, Time::ZERO + (work.arrival - *from))?;
                }
            }
            Transform::Skip(count) if self.seen <= *count => return Ok(Disposition::Leave),
            Transform::Take(count) if self.seen > *count => return Ok(Disposition::End),
            Transform::Keep(keep) if !keep.admits(book, work) => return Ok(Disposition::Leave),
            Transform::ScaleArrivals(factor) => {
                let micros = libm::round(work.arrival.micros() as f64 * factor);
                if micros.abs() > FAR as f64 {
                    return Err(out_of_reach("scale"));
                }
                move_to(work, Time::from_micros(micros as i64))?;
            }
            Transform::ScaleRuntimes(factor) => {
                for span in [work.body.length_mut(), &mut work.ask.estimate] {
                    *span = span.map(|span| scale_span(span, *factor)).transpose()?;
                }
            }
            Transform::ScaleSizes { cpu, memory, tasks } => {
                let demand = &mut work.ask.demand;
                demand.cpu = scale_size(demand.cpu, *cpu)?;
                demand.memory = scale_size(demand.memory, *memory)?;
                work.ask.tasks = scale_size(work.ask.tasks, *tasks)?;
                if work.min_tasks > 0 {
                    work.min_tasks = scale_size(work.min_tasks, *tasks)?;
                }
            }
            Transform::Shift(span) => move_to(work, work.arrival.saturating_add(*span))?,
            Transform::Begin(span) => move_to(work, work.arrival - *span)?,
            _ => {}
        }
        Ok(Disposition::Pass)
    }
}

impl Keep {
    /// Whether `work` lies within all bounds.
    pub fn admits(&self, book: &Interner, work: &Work) -> bool {
        fn within<T: PartialOrd>(value: T, min: &Option<T>, max: &Option<T>) -> bool {
            min.as_ref().is_none_or(|min| value >= *min)
                && max.as_ref().is_none_or(|max| value <= *max)
        }
        let demand = work.ask.demand;
        let tenant = &book.tenants()[work.ask.tenant].name;
        // Work without an end runs longer than any bound.
        let runs = match work.body.length() {
            Some(runtime) => within(runtime, &self.min_runtime, &self.max_runtime),
            None => self.max_runtime.is_none(),
        };
        runs && within(work.ask.tasks, &self.min_tasks, &self.max_tasks)
            && within(demand.cpu, &self.min_cpu, &self.max_cpu)
            && within(demand.memory, &self.min_memory, &self.max_memory)
            && within(demand.gpus, &self.min_gpus, &self.max_gpus)
            && self.kind.is_none_or(|kind| kind == work.body.kind())
            && (self.tenants.is_empty() || self.tenants.contains(tenant))
    }
}

/// Moves the arrival, and the deadline with it.
pub(super) fn move_to(work: &mut Work, arrival: Time) -> Result<(), Problem> {
    if arrival == work.arrival {
        return Ok(());
    }
    if !(-FAR..=FAR).contains(&arrival.micros()) {
        return Err(out_of_reach("workload"));
    }
    if let Some(deadline) = &mut work.ask.deadline {
        *deadline = arrival.saturating_add(*deadline - work.arrival);
    }
    work.arrival = arrival;
    Ok(())
}

/// The problem of a transformation that leads out of the clock.
pub(super) fn out_of_reach(what: &str) -> Problem {
    Problem::with("workload", format!("{what}: the result lies more than 3,000 years away"))
}

/// `span` times `factor`, to the nearest microsecond.
pub(super) fn scale_span(span: Span, factor: f64) -> Result<Span, Problem> {
    let micros = libm::round(span.micros() as f64 * factor);
    if micros.abs() > FAR as f64 {
        return Err(out_of_reach("scale"));
    }
    Ok(Span::from_micros(micros as i64))
}

/// `size` times `factor`, half up, at least 1 where there was any.
fn scale_size(size: u32, factor: f64) -> Result<u32, Problem> {
    if size == 0 || factor == 1.0 {
        return Ok(size);
    }
    let scaled = libm::floor(f64::from(size) * factor + 0.5).max(1.0);
    if scaled > f64::from(u32::MAX) {
        return Err(Problem::with("workload", "scale: a size becomes too large"));
    }
    Ok(scaled as u32)
}
