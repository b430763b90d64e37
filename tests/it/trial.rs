//! Trials: owned machines and jobs that a test makes or draws, one run of them, and who
//! started when.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::ControlFlow;

use windtunnel::model::{Ask, OfferSpec, Work, World, WorldBuilder};
use windtunnel::policy::Policy;
use windtunnel::sim::{self, Observer, Options, Outcome};
use windtunnel::state::{Record, State};
use windtunnel::units::{Demand, Shape, Span, Time};
use windtunnel::workload::Source;

use crate::dice::Dice;

/// A task of one core.
pub(crate) const CORE: Demand =
    Demand { cpu: 1_000, memory: 0, gpus: 0, gpu_share: 0, exclusive: false };

/// Groups of owned machines, in one zone, free of charge and there from the start.
pub(crate) fn machines(groups: &[(Shape, u32)]) -> World {
    let offers = groups.iter().enumerate().map(|(row, &(shape, count))| {
        let name = format!("group-{row}");
        OfferSpec::owned("dc", &name, shape, count).named(&name)
    });
    let world = offers.fold(World::builder(), WorldBuilder::offer);
    let world = world.region("dc", |region| "EU".clone_into(&mut region.jurisdiction));
    world.build().expect("the machines are right")
}

/// Nodes of cores alone, all alike.
pub(crate) fn processors(nodes: u32, cores: u32) -> World {
    machines(&[(Shape { cpu: cores * 1_000, memory: 0, gpus: 0 }, nodes)])
}

/// The job in row `ordinal`, with times in seconds.
pub(crate) fn job(ordinal: u64, arrival: i64, runtime: i64, ask: Ask) -> Work {
    let (arrival, runtime) = (Time::from_secs(arrival), Span::from_secs(runtime));
    Work { ask, ..Work::job(ordinal, arrival, ask.demand, runtime) }
}

/// Runtimes of drawn jobs, and the quality of their estimates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guessing {
    /// One in so many jobs has no estimate; with 0 every job has one.
    pub(crate) missing: u64,
    /// Estimates may be too short.
    pub(crate) short: bool,
    /// The shortest runtime and the shortest estimate, in seconds.
    pub(crate) least: [i64; 2],
}

/// So many jobs, each at most `gap` seconds after the one before. All of what they ask but
/// the estimate is drawn by `ask`.
pub(crate) fn jobs(
    dice: &mut Dice,
    count: u64,
    gap: u64,
    guessing: Guessing,
    mut ask: impl FnMut(&mut Dice) -> Ask,
) -> Vec<Work> {
    let mut arrival = 0;
    let jobs = (0..count).map(|ordinal| {
        arrival += dice.within(0, gap) as i64;
        let runtime = if dice.once_in(20) { 0 } else { dice.within(1, 40) as i64 };
        let runtime = runtime.max(guessing.least[0]);
        let estimate = match dice.within(0, 3) {
            0 if guessing.short => (runtime / 2).max(1),
            1 => runtime + dice.within(0, 60) as i64,
            _ => runtime,
        };
        let missing = guessing.missing > 0 && dice.once_in(guessing.missing);
        let estimate = (!missing).then(|| Span::from_secs(estimate.max(guessing.least[1])));
        job(ordinal, arrival, runtime, Ask { estimate, ..ask(dice) })
    });
    jobs.collect()
}

/// One run, which must go through; where it does not, `case` is shown.
pub(crate) fn run<O: Observer>(
    world: &World,
    source: &mut dyn Source,
    policy: &mut dyn Policy,
    options: &Options,
    observer: &mut O,
    case: &dyn Debug,
) -> Outcome {
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    sim::run(world, source, policy, options, observer, &mut go_on)
        .unwrap_or_else(|failure| panic!("{failure:?} in {case:#?}"))
}

/// Tasks started, by job and by moment in microseconds.
pub(crate) type Starts = Vec<BTreeMap<i64, u32>>;

/// Keeps the starts of a run.
pub(crate) struct Started(pub(crate) Starts);

impl Observer for Started {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Started(started) = *record {
            let target = state.allocation(started);
            let job = state.work(target.work()).id.ordinal as usize;
            *self.0[job].entry(state.now().micros()).or_default() += target.tasks;
        }
    }
}

/// The first start of each job that started, in order of the jobs.
pub(crate) fn first(starts: &Starts) -> impl Iterator<Item = i64> {
    starts.iter().filter_map(|starts| starts.keys().next().copied())
}

/// Jobs that started before the one that came just before them, by the first starts.
pub(crate) fn overtakers(starts: impl Iterator<Item = i64>) -> usize {
    let starts: Vec<i64> = starts.collect();
    starts.windows(2).filter(|pair| pair[1] < pair[0]).count()
}

/// A job in one line.
pub(crate) fn told(work: &Work) -> String {
    let Work { id, arrival, ask, body, .. } = work;
    let Ask { tasks, gang, demand, estimate, priority, .. } = ask;
    format!(
        "{}: at {arrival:?} {tasks} tasks gang {gang} runs {:?} estimate {estimate:?} \
         priority {priority} {demand:?}",
        id.ordinal,
        body.length()
    )
}

/// Fails where something else happened to a job than should, and shows the first forty.
pub(crate) fn assert_same<T: PartialEq + Debug>(
    which: &str,
    works: &[Work],
    want: &[T],
    got: &[T],
) {
    let differs = want.iter().zip(got).position(|(want, got)| want != got);
    let Some(job) = differs.or((want.len() != got.len()).then_some(want.len().min(got.len())))
    else {
        return;
    };
    let line = |row: usize| {
        format!("{}: {:?}, found {:?}", told(&works[row]), want.get(row), got.get(row))
    };
    let shown: Vec<String> = (0..works.len().min(40))
        .chain([job].into_iter().filter(|&job| job >= 40))
        .map(line)
        .collect();
    panic!("{which}: job {job}\n{}", shown.join("\n"));
}
