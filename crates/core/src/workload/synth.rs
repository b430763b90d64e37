//! Synthesis: arrivals and classes of work drawn from distributions.

mod clock;
mod draws;

use std::fmt::Write;

use crate::model::{Checkpoint, Interner, Rules, Speedup, Work, WorkId, WorkKind};
use crate::problem::Problem;
use crate::units::stream::Stream;
use crate::units::{Distribution, Span, Time};

use super::names::Names;
use super::number::FAR;
use super::{OpenContext, Source};

use clock::ArrivalClock;
use draws::{Draws, Size};

/// A workload drawn from distributions.
#[derive(Clone, Debug, PartialEq)]
pub struct SynthSpec {
    /// Process by which work arrives.
    pub arrivals: Arrivals,
    /// Pieces of work per arrival, rounded, at least 1; one when `None`.
    pub batch: Option<Distribution>,
    /// End of arrivals.
    pub until: Until,
    /// Classes of work that arrive; at least one.
    pub classes: Vec<SynthClass>,
}

/// Process by which work arrives, in hours and seconds of simulated time.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Poisson process.
    Poisson {
        /// Mean arrivals per hour.
        per_hour: f64,
    },
    /// One arrival per interval, the first after one interval.
    Every(Span),
    /// Independent interarrival times in seconds.
    Renewal(Distribution),
    /// Poisson process whose rate follows the hour.
    Profile {
        /// Mean arrivals per hour over the whole profile.
        per_hour: f64,
        /// Relative rate of each hour: 24 from midnight UTC, or 168 from
        /// Monday midnight UTC.
        weights: Vec<f64>,
    },
    /// Markov-modulated Poisson process: it dwells in each state for an
    /// exponential time and then moves to another one, each equally likely.
    Mmpp(Vec<MmppState>),
}

/// A state of a Markov-modulated Poisson process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MmppState {
    /// Mean arrivals per hour while in this state; may be 0.
    pub per_hour: f64,
    /// Mean time in this state.
    pub dwell: Span,
}

/// End of arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Number of pieces of work.
    Count(u64),
    /// Time after the run's start; work may arrive at this very time.
    Span(Span),
}

/// A class of work. Draws out of range are clamped to it.
#[derive(Clone, Debug, PartialEq)]
pub struct SynthClass {
    /// Name of the class; work is called `<class>-<ordinal>`.
    pub name: String,
    /// Relative frequency, greater than 0.
    pub weight: f64,
    /// Jobs or virtual machines.
    pub kind: WorkKind,
    /// Runtime or lifetime in seconds.
    pub runtime: Distribution,
    /// Tasks, rounded, at least 1.
    pub tasks: Distribution,
    /// Fewest tasks with which a gang can run; 0 where it needs them all.
    pub min_tasks: u32,
    /// How much faster more tasks of it come on.
    pub speedup: Speedup,
    /// Whether all tasks start together.
    pub gang: bool,
    /// Milli-cores per task, rounded.
    pub cpu: Distribution,
    /// MiB per task, rounded.
    pub memory: Distribution,
    /// GPU devices per task, rounded, 0 to 32.
    pub gpus: Distribution,
    /// Milli-shares of each device, rounded, 1 to 1,000.
    pub gpu_share: Distribution,
    /// Estimate as a multiple of the runtime; no estimate when `None`.
    pub estimate: Option<Distribution>,
    /// Deadline as a multiple of the runtime after arrival; no deadline when `None`.
    pub deadline: Option<Distribution>,
    /// Priority; larger is more important.
    pub priority: i32,
    /// Tenants with their relative frequencies; the default tenant when empty.
    pub tenants: Vec<(String, f64)>,
    /// Location of the data.
    pub home: Option<String>,
    /// Bytes read before it starts.
    pub input: Distribution,
    /// Bytes written when it is done.
    pub output: Distribution,
    /// Whether each has its instances alone.
    pub exclusive: bool,
    /// Whether progress survives a preemption.
    pub resumes: bool,
    /// Cost of a checkpoint; `None` where there are none.
    pub checkpoint: Option<Checkpoint>,
    /// Rules on where it may run.
    pub rules: Rules,
}

impl Default for SynthClass {
    /// Jobs of one task, one core and one hour.
    fn default() -> Self {
        Self {
            name: "job".to_owned(),
            weight: 1.0,
            kind: WorkKind::Job,
            runtime: Distribution::Constant(3_600.0),
            tasks: Distribution::Constant(1.0),
            min_tasks: 0,
            speedup: Speedup::LINEAR,
            gang: true,
            cpu: Distribution::Constant(1_000.0),
            memory: Distribution::Constant(0.0),
            gpus: Distribution::Constant(0.0),
            gpu_share: Distribution::Constant(1_000.0),
            estimate: None,
            deadline: None,
            priority: 0,
            tenants: Vec::new(),
            home: None,
            input: Distribution::Constant(0.0),
            output: Distribution::Constant(0.0),
            exclusive: false,
            resumes: false,
            checkpoint: None,
            rules: Rules::default(),
        }
    }
}

impl SynthSpec {
    /// Whether two seeds may draw different work.
    pub fn is_random(&self) -> bool {
        let varies = |law: &Distribution| !matches!(law, Distribution::Constant(_));
        let arrives = match &self.arrivals {
            Arrivals::Every(_) => false,
            Arrivals::Renewal(gaps) => varies(gaps),
            Arrivals::Poisson { .. } | Arrivals::Profile { .. } | Arrivals::Mmpp(_) => true,
        };
        let drawn = |class: &SynthClass| {
            let factors = class.estimate.iter().chain(&class.deadline);
            let mut laws = Size::ALL.map(|size| size.of(class).1).into_iter().chain(factors);
            class.tenants.len() > 1 || varies(&class.runtime) || laws.any(varies)
        };
        arrives
            || self.batch.as_ref().is_some_and(varies)
            || self.classes.len() > 1
            || self.classes.iter().any(drawn)
    }

    /// Problems with the parameters, all of them.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.arrivals.problems();
        let positive = |value: f64| value.is_finite() && value > 0.0;
        if self.classes.is_empty() {
            problems.push("a synthetic workload needs at least one class".to_owned());
        }
        for class in &self.classes {
            if !positive(class.weight) {
                problems.push(format!("class `{}`: the weight must be greater than 0", class.name));
            }
            if class.tenants.iter().any(|&(_, weight)| !positive(weight)) {
                let name = &class.name;
                problems.push(format!("class `{name}`: weights of tenants must be greater than 0"));
            }
        }
        match self.until {
            Until::Span(span) if !(0..=FAR).contains(&span.micros()) => {
                problems.push("the span of arrivals must lie between 0 and 3,000 years".to_owned());
            }
            _ => {}
        }
        problems.into_iter().map(|message| Problem::with("workload", message)).collect()
    }
}

/// Draws work. Every piece of work draws from streams of its own, one per
/// attribute, so a change to one class or attribute moves no other draw.
pub(super) struct Synth {
    spec: SynthSpec,
    seed: u64,
    keep_names: bool,
    clock: ArrivalClock,
    weights: Vec<f64>,
    /// Arrival of the batch being handed out, and the work left of it.
    now: Time,
    in_batch: u64,
    batches: u64,
    ordinal: u64,
    names: Names,
    /// Draws by class.
    draws: Vec<Draws>,
}

impl Synth {
    /// The specification must have no [`SynthSpec::problems`].
    pub(super) fn new(spec: &SynthSpec, context: &OpenContext) -> Self {
        Self {
            clock: ArrivalClock::new(&spec.arrivals, context.seed, context.calendar),
            weights: spec.classes.iter().map(|class| class.weight).collect(),
            draws: spec.classes.iter().map(|class| Draws::new(class, context.seed)).collect(),
            spec: spec.clone(),
            seed: context.seed,
            keep_names: context.keep_names,
            now: Time::ZERO,
            in_batch: 0,
            batches: 0,
            ordinal: 0,
            names: Names::default(),
        }
    }

    /// Moves to the next arrival if the batch is used up; `false` at the end.
    fn arrive(&mut self) -> bool {
        if matches!(self.spec.until, Until::Count(count) if self.ordinal >= count) {
            return false;
        }
        while self.in_batch == 0 {
            let end = match self.spec.until {
                Until::Span(span) => Time::ZERO + span,
                Until::Count(_) => Time::from_micros(FAR),
            };
            match self.clock.next(end) {
                Some(next) => self.now = next,
                None => return false,
            }
            self.in_batch = match &self.spec.batch {
                Some(sizes) => {
                    let mut stream = Stream::of(self.seed, "workload batch", self.batches);
                    libm::round(sizes.sample(&mut stream)).clamp(1.0, 1e9) as u64
                }
                None => 1,
            };
            self.batches += 1;
        }
        self.in_batch -= 1;
        true
    }

    fn fill(&mut self, class: usize, work: &mut Work) {
        let draws = &self.draws[class];
        let ordinal = self.ordinal;
        let span = |secs: f64| Span::from_micros(nearest((secs * 1e6).min(FAR as f64)));
        let runtime = draws.runtime.draw(ordinal);
        work.body = draws.kind.body(Some(span(runtime)));
        (work.ask, work.min_tasks, work.speedup) = (draws.ask, draws.min_tasks, draws.speedup);
        for (size, attribute) in &draws.sizes {
            size.set(&mut work.ask, attribute.draw(ordinal));
        }
        if work.ask.demand.gpus == 0 {
            work.ask.demand.gpu_share = 0;
        }
        if let Some(factor) = &draws.estimate {
            work.ask.estimate = Some(span(runtime * factor.draw(ordinal)));
        }
        if let Some(factor) = &draws.deadline {
            let deadline = span(runtime * factor.draw(ordinal));
            work.ask.deadline = Some(work.arrival.saturating_add(deadline));
        }
    }

    /// Gives rules, checkpoint and home of a class their ids, at its first piece of work.
    #[cold]
    fn name_class(&mut self, class: usize, book: &mut Interner) -> Result<(), Problem> {
        let (spec, draws) = (&self.spec.classes[class], &mut self.draws[class]);
        draws.ask.rules = book.rules(&spec.rules);
        draws.ask.class = book.class(&spec.name);
        draws.ask.checkpoint = spec.checkpoint.map(|checkpoint| book.checkpoint(checkpoint));
        if let Some(home) = &spec.home {
            let home = self.names.home(book, home.as_bytes());
            draws.ask.home = home.map_err(|reason| refused(spec, reason))?;
        }
        draws.named = true;
        Ok(())
    }

    /// Tenant of the current work.
    fn tenant(
        &mut self,
        class: usize,
        book: &mut Interner,
        work: &mut Work,
    ) -> Result<(), Problem> {
        let class = &self.spec.classes[class];
        let mut stream = Stream::of(self.seed, "workload tenant", self.ordinal);
        let tenant = pick(class.tenants.iter().map(|&(_, weight)| weight), stream.uniform());
        let name = class.tenants[tenant].0.as_bytes();
        let tenant = self.names.tenant(book, name);
        work.ask.tenant = tenant.map_err(|reason| refused(class, reason))?;
        Ok(())
    }
}

fn refused(class: &SynthClass, reason: impl std::fmt::Display) -> Problem {
    Problem::with("workload", format!("class `{}`: a name {reason}", class.name))
}

/// The whole number nearest to `value`, which is not negative and far below 2^63: halves go up,
/// as `libm::round` does with several times as many steps.
fn nearest(value: f64) -> i64 {
    let whole = value as i64;
    whole + i64::from(value - whole as f64 >= 0.5)
}

impl Source for Synth {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        if !self.arrive() {
            return Ok(false);
        }
        let class = match self.weights.len() {
            1 => 0,
            _ => {
                let uniform = Stream::of(self.seed, "workload class", self.ordinal).uniform();
                pick(self.weights.iter().copied(), uniform)
            }
        };
        work.id = WorkId { source: 0, ordinal: self.ordinal };
        work.arrival = self.now;
        work.name.clear();
        if self.keep_names {
            let name = &self.spec.classes[class].name;
            write!(work.name, "{name}-{}", self.ordinal).expect("a string takes any text");
        }
        if !self.draws[class].named {
            self.name_class(class, book)?;
        }
        self.fill(class, work);
        if !self.spec.classes[class].tenants.is_empty() {
            self.tenant(class, book, work)?;
        }
        self.ordinal += 1;
        Ok(true)
    }
}

/// The index that `uniform`, in (0, 1), falls on among `weights`.
fn pick(weights: impl ExactSizeIterator<Item = f64> + Clone, uniform: f64) -> usize {
    let last = weights.len() - 1;
    let mut left = uniform * weights.clone().sum::<f64>();
    for (index, weight) in weights.enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    last
}

#[cfg(test)]
mod tests;
