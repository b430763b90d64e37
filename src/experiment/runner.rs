//! Many runs: cells of an experiment, done in parallel and given back in order.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::caution::Facts;
use super::job_outcome::JobOutcomeWatch;
use super::measurement::Measurement;
use super::replication::Repetition;
use super::single::{self, RunFailure, RunResult, Settings};
use crate::policy::external::{Launcher, NoLauncher};
use crate::policy::spec::PolicySpec;
use crate::scenario::{Objective, Scenario, Suite};
use crate::sim::RunProgress;
use crate::units::{Span, Time};
use crate::workload::{OpenContext, WorkloadInput};

/// Rows of a trace up to which it is read once and kept for all runs.
const MOST_SHARED: usize = 4_000_000;

/// One run of an experiment.
#[derive(Clone, Copy, Debug)]
pub struct RunRequest<'a> {
    /// The scenario, as it is before it is repeated.
    pub scenario: &'a Scenario,
    /// One of its policies.
    pub policy: &'a PolicySpec,
    /// Repetition of the scenario.
    pub repetition: Repetition,
    /// Number of the replication, from 0.
    pub replication: u32,
}

impl RunRequest<'_> {
    /// Name of the run among all runs of one version over the same input files: a hash of the
    /// scenario's text and of where its inputs are, of all that the policy says, with the version of
    /// its factory, and the replication. A row of the user's own is no built-in one of its name.
    pub fn key(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.scenario.text.as_bytes());
        for input in &self.scenario.inputs {
            hasher.update(b"\0").update(input.as_os_str().as_encoded_bytes());
        }
        hasher.update(format!("\0{:?}", self.policy).as_bytes());
        if let Some((part, _)) = self.policy.own_part() {
            hasher.update(b"\0own ").update(part.name().as_bytes());
        }
        let hash = hasher.finalize().to_hex();
        let (policy, seed) = (&self.policy.name, self.seed());
        let told = self.repetition.description();
        format!("{}/{policy}/{told}/{}/{seed}", &hash[..16], self.replication)
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.repetition.seed(self.scenario, self.replication)
    }
}

/// Cache of measurements, so that an experiment can be taken up again.
pub trait RunCache: Sync {
    /// Known measurement of the run called `key`, if any.
    fn recall(&self, key: &str) -> Option<Measurement>;

    /// Keeps a finished run.
    ///
    /// # Errors
    /// Reason for which it could not be kept; the experiment then stops.
    fn keep(&self, key: &str, measurement: &Measurement) -> io::Result<()>;
}

/// Cache that keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoCache;

impl RunCache for NoCache {
    fn recall(&self, _key: &str) -> Option<Measurement> {
        None
    }

    fn keep(&self, _key: &str, _measurement: &Measurement) -> io::Result<()> {
        Ok(())
    }
}

/// Watches an experiment from outside.
pub trait ProgressWatch: Sync {
    /// So many more runs are to be done.
    fn expect(&self, _runs: usize) {}

    /// A run has come so far; says whether to go on.
    fn step(&self, progress: RunProgress) -> ControlFlow<()>;

    /// A run is done.
    fn done(&self) {}
}

/// Watch that lets everything run.
#[derive(Clone, Copy, Debug)]
pub struct NoProgress;

impl ProgressWatch for NoProgress {
    fn step(&self, _progress: RunProgress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Runner of experiments, with its run cache. Runs use the threads of the rayon pool that the
/// caller has installed.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    /// Cache of measurements.
    pub cache: &'a dyn RunCache,
    /// Sees progress, and may stop.
    pub watch: &'a dyn ProgressWatch,
    /// Watch all laws in every run.
    pub audit: bool,
    /// Starts policies that run in other processes.
    pub launcher: &'a dyn Launcher,
}

/// A runner that keeps nothing, lets everything run and starts no processes.
impl Default for Runner<'_> {
    fn default() -> Self {
        Self { cache: &NoCache, watch: &NoProgress, audit: false, launcher: &NoLauncher }
    }
}

impl std::fmt::Debug for Runner<'_> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Runner").field("audit", &self.audit).finish_non_exhaustive()
    }
}

/// A run in full, for charts and pages of its own.
#[derive(Clone, Debug)]
pub struct FullRun {
    /// Result of the run, with everything that is shown of it.
    pub result: RunResult,
    /// The same as a measurement.
    pub measurement: Measurement,
    /// Names of its work in the order of its outcomes.
    pub names: Vec<String>,
}

/// Reason for which an experiment could not go on.
#[derive(Debug)]
pub enum RunnerFailure {
    /// A run failed.
    Run {
        /// Its policy.
        policy: String,
        /// Its seed.
        seed: u64,
        /// The failure.
        failure: Box<RunFailure>,
    },
    /// A measurement could not be kept in the run cache.
    Cache(io::Error),
}

impl Runner<'_> {
    /// Does the runs that are not remembered; what all of them showed, in the
    /// order of `cells`, whatever the number of threads.
    ///
    /// # Errors
    /// The failure of the first cell, in their order, of those that failed. The others are stopped.
    pub fn measure(&self, cells: &[RunRequest<'_>]) -> Result<Vec<Measurement>, RunnerFailure> {
        self.each(cells, |cell| {
            let key = cell.key();
            if let Some(known) = self.cache.recall(&key) {
                return Ok(known);
            }
            let exhibit = self.run(cell, false)?;
            self.cache.keep(&key, &exhibit.measurement).map_err(RunnerFailure::Cache)?;
            Ok(exhibit.measurement)
        })
    }

    /// Does the runs and keeps everything of them.
    ///
    /// # Errors
    /// Those of [`Runner::measure`].
    pub fn exhibit(&self, cells: &[RunRequest<'_>]) -> Result<Vec<FullRun>, RunnerFailure> {
        self.each(cells, |cell| self.run(cell, true))
    }

    /// Does `work` for each cell in parallel; the results are in the order of the cells.
    ///
    /// # Errors
    /// Those of [`Runner::measure`].
    pub(super) fn each<T: Send>(
        &self,
        cells: &[RunRequest<'_>],
        work: impl Fn(&RunRequest<'_>) -> Result<T, RunnerFailure> + Sync,
    ) -> Result<Vec<T>, RunnerFailure> {
        self.watch.expect(cells.len());
        let failed = AtomicBool::new(false);
        let results: Vec<Option<Result<T, RunnerFailure>>> = cells
            .par_iter()
            .map(|cell| {
                if failed.load(Ordering::Relaxed) {
                    return None;
                }
                let result = work(cell);
                match result {
                    Ok(_) => self.watch.done(),
                    Err(_) => failed.store(true, Ordering::Relaxed),
                }
                Some(result)
            })
            .collect();
        results.into_iter().flatten().collect()
    }

    fn run(&self, cell: &RunRequest<'_>, names: bool) -> Result<FullRun, RunnerFailure> {
        let scenario = cell.repetition.scenario(cell.scenario, cell.replication);
        let warm_up = cell.repetition.warm_up();
        let until = cell.repetition.until();
        let settings =
            Settings { audit: self.audit, names, warm_up, until, ..Settings::seeded(cell.seed()) };
        let from = match warm_up {
            Span::ZERO => Time::from_micros(i64::MIN),
            _ => Time::ZERO + warm_up,
        };
        let mut fates = JobOutcomeWatch::new(from, names);
        let watch = self.watch;
        let policy = (cell.policy, self.launcher);
        let result = single::run_with(&scenario, policy, settings, &mut fates, &mut |progress| {
            watch.step(progress)
        })
        .map_err(|failure| RunnerFailure::Run {
            policy: cell.policy.name.clone(),
            seed: cell.seed(),
            failure: Box::new(failure),
        })?;
        let (fates, names) = fates.finish().unzip();
        let summary = &result.summary;
        let kept = |(objective, value): (&Objective, &Option<f64>)| {
            value.is_some_and(|value| objective.kept(value))
        };
        let kept = scenario.objectives.iter().zip(&result.promised).map(kept).collect();
        let measurement = Measurement {
            fingerprint: result.fingerprint.clone(),
            trail: result.hash_trace.clone(),
            skipped_rows: result.skipped_rows,
            facts: Facts::of(&scenario, cell.policy, &result),
            promised: result.promised.clone(),
            spending: result.spending.clone(),
            ..Measurement::of(summary, &result.series, kept, fates)
        };
        Ok(FullRun { result, measurement, names: names.unwrap_or_default() })
    }
}

/// Reads the trace of a scenario into memory, once for all of its runs; longer
/// ones are read anew in every run. Inputs that are no trace stay as they are.
///
/// # Errors
/// Problems with the trace.
pub fn share_inputs(scenario: &mut Scenario) -> Result<(), RunFailure> {
    let context: OpenContext = scenario.context(scenario.seed, true);
    scenario.workload =
        scenario.workload.share(&context, MOST_SHARED).map_err(RunFailure::Input)?;
    Ok(())
}

/// Reads the traces of a suite into memory, as [`share_inputs`] does; before anything runs, for
/// what is shared can be cut into windows.
///
/// # Errors
/// Problems with a trace.
pub fn share_suite(suite: &mut Suite) -> Result<(), RunFailure> {
    suite.scenarios.iter_mut().try_for_each(|tested| share_inputs(&mut tested.scenario))
}

/// Whether the scenario's work is drawn from distributions, so that another
/// seed is another workload.
pub fn is_synthetic(scenario: &Scenario) -> bool {
    matches!(scenario.workload.input, WorkloadInput::Synthetic(_))
}

/// Whether two seeds may draw different work, as the scenario is or with other
/// values of these keys, without a run that shows it.
pub(super) fn is_drawn<'k>(scenario: &Scenario, mut keys: impl Iterator<Item = &'k str>) -> bool {
    match &scenario.workload.input {
        WorkloadInput::Synthetic(spec) => {
            spec.is_random() || keys.any(|key| key.starts_with("workload."))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    /// One node for 1 USD/h, and a job of half an hour every hour from 00:00 on.
    const HOURLY: &str = r#"
question = "?"
horizon = "10 h"
[workload.synthetic]
count = 10
arrivals = { every = "1 h" }
class.a = { runtime = "30 min", vcpus = 4 }
[cluster.c]
nodes = 1
shape = { vcpus = 4, memory = "8 GiB" }
cost = "1 USD/h"
[policy.p]
preset = "batch-fcfs"
"#;

    fn scenario(text: &str) -> Scenario {
        let read = Scenario::parse(text, "a.toml", Path::new(env!("CARGO_MANIFEST_DIR")), &[]);
        read.unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn runner<'a>() -> Runner<'a> {
        Runner { audit: true, ..Runner::default() }
    }

    fn cells(
        scenario: &Scenario,
        repetition: Repetition,
        replications: u32,
    ) -> Vec<RunRequest<'_>> {
        let cell = |replication| RunRequest {
            scenario,
            policy: &scenario.policies[0],
            repetition,
            replication,
        };
        (0..replications).map(cell).collect()
    }

    #[test]
    fn a_warm_up_leaves_nothing_behind() {
        let scenario = scenario(HOURLY);
        let warm_up = Span::from_secs(4 * 3_600);
        let cells = cells(&scenario, Repetition::Seeds { warm_up }, 1);
        let all = runner().measure(&cells).expect("it runs");
        let one = &all[0];
        // Six hours of one node, busy half of the time; jobs at 4, 5 ... 10 h,
        // the last as the run ends.
        assert_eq!(one.cost, 6_000_000_000);
        assert_eq!((one.done.submitted, one.done.finished), (7, 6));
        assert_eq!(one.done.core_hours, 12.0);
        assert_month(one, 730.485);
        assert_eq!(one.metric("utilisation_cpu"), Some(0.5));
        assert_eq!(one.fates.as_ref().map(|fates| fates.iter().count()), Some(7));
    }

    #[track_caller]
    fn assert_month(one: &Measurement, dollars: f64) {
        let found = one.metric("cost_monthly").expect("the times are known");
        assert!((found - dollars).abs() < 1e-3, "{found}");
    }

    /// The same jobs without a horizon: the last comes at 9 h and is done half an
    /// hour later. A node for 1 USD/h and a fleet of two for 0.192 USD/h each stand
    /// all along, with a warm-up and without.
    #[test]
    fn a_fleet_that_is_kept_is_paid_by_the_month() {
        let text = HOURLY.replace("horizon = \"10 h\"", "").replace(
            "[policy.p]",
            "[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\ntypes = [\"m5.xlarge\"]\n\
             [policy.p.provision.static.fleets]\n\"aws/us-east-1a/m5.xlarge/on-demand\" = 2\n[policy.p]",
        );
        let scenario = scenario(&text);
        for hours in [0, 4] {
            let seeds = Repetition::Seeds { warm_up: Span::from_secs(hours * 3_600) };
            let all = runner().measure(&cells(&scenario, seeds, 1)).expect("it runs");
            assert_month(&all[0], (1.0 + 2.0 * 0.192) * 730.485);
        }
    }

    #[test]
    fn a_shared_trace_runs_like_its_file() {
        let text = HOURLY.replace("horizon", "#");
        let (before, after) = text.split_once("[workload").expect("there is work");
        let (_, after) = after.split_once("[cluster").expect("there is a cluster");
        let text =
            format!("{before}[workload]\ntrace = \"traces/batch-small.swf\"\n[cluster{after}");
        let text =
            text.replace("vcpus = 4, memory = \"8 GiB\"", "vcpus = 64, memory = \"256 GiB\"");
        let file = scenario(&text);
        let mut shared = file.clone();
        share_inputs(&mut shared).expect("the trace is readable");
        assert!(matches!(shared.workload.input, WorkloadInput::Shared(_)));
        let seeds = Repetition::Seeds { warm_up: Span::ZERO };
        let run = |scenario| runner().measure(&cells(scenario, seeds, 1)).expect("it runs");
        assert_eq!(run(&file), run(&shared));
    }

    #[test]
    fn windows_are_counted_once_each_and_keep_their_dates() {
        let scenario = scenario(&HOURLY.replace("horizon = \"10 h\"", ""));
        let hours = |hours: i64| Span::from_secs(hours * 3_600);
        let windows = Repetition::Windows {
            first: Time::ZERO,
            width: hours(3),
            warm_up: hours(2),
            of: 2,
            taken: 2,
            stride: 1,
        };
        let all = runner().measure(&cells(&scenario, windows, 2)).expect("it runs");
        // Arrivals at 2, 3, 4 h, then at 5, 6, 7 h.
        assert_eq!(all.iter().map(|one| one.done.submitted).collect::<Vec<_>>(), [3, 3]);
        let second = windows.scenario(&scenario, 1);
        assert_eq!(
            second.calendar.unix_micros(Time::ZERO),
            scenario.calendar.unix_micros(Time::ZERO + hours(3))
        );
    }

    /// Three of the four cores are busy from the third job on, until the window ends;
    /// what is left of its jobs then runs for two hours more, on two cores and on one.
    #[test]
    fn a_window_ends_before_its_work_does() {
        let text = HOURLY.replace("horizon = \"10 h\"", "");
        let text = text.replace("runtime = \"30 min\", vcpus = 4", "runtime = \"3 h\", vcpus = 1");
        let hours = |hours: i64| Span::from_secs(hours * 3_600);
        let (width, warm_up) = (hours(3), hours(2));
        let windows = Repetition::Windows {
            first: Time::ZERO + hours(1),
            width,
            warm_up,
            of: 2,
            taken: 2,
            stride: 1,
        };
        let all = runner().measure(&cells(&scenario(&text), windows, 2)).expect("it runs");
        for one in &all {
            assert_eq!(one.metric("utilisation_cpu"), Some(0.75));
            // The cost and the work are all there: 3 × 3 + 2 + 1 core-hours.
            assert_eq!((one.done.core_hours, one.cost), (12.0, 5_000_000_000));
            assert_eq!((one.rent_s, one.of_arrivals), (width.secs_f64(), false));
        }
    }

    #[test]
    fn blocks_are_whole_pieces_of_the_trace() {
        let scenario = scenario(&HOURLY.replace("horizon = \"10 h\"", ""));
        let length = Span::from_secs(2 * 3_600);
        let all = runner().measure(&cells(&scenario, Repetition::Blocks { length }, 3));
        for one in all.expect("it runs") {
            // Five blocks of two jobs each, whichever they are.
            assert_eq!(one.done.submitted, 10);
            assert_eq!(one.arrivals_s, 10.0 * 3_600.0);
        }
    }

    /// A row of the user's own is no built-in one, whatever its name: no result of the one is taken
    /// for the other's. It has no version, so it runs only where one is given.
    #[test]
    fn a_part_of_ones_own_needs_a_version() {
        use crate::policy::place::{FIRST_FIT, Fit, PlacePart};
        static OWN: PlacePart = PlacePart {
            name: "first-fit",
            doc: "It is not.",
            parameters: &[],
            make: |_| Box::new(Fit::worst(crate::units::Scalar::Cpu)),
        };
        let mut scenario = scenario(HOURLY);
        let own = PolicySpec { place: OWN.spec(), ..PolicySpec::named("p") };
        let built_in = PolicySpec { place: FIRST_FIT.spec(), ..own.clone() };
        assert_ne!(own, built_in);
        assert_eq!((own.clone(), built_in.own_part()), (own.clone(), None));
        let key = |policy| {
            let seeds = Repetition::Seeds { warm_up: Span::ZERO };
            RunRequest { policy, ..cells(&scenario, seeds, 1)[0] }.key()
        };
        let rented =
            PolicySpec { provision: crate::policy::provision::CHEAPEST.spec(), ..built_in.clone() };
        let keys = [&own, &built_in, &rented].map(key);
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[1] == key(&built_in), "{keys:?}");
        scenario.policies.push(PolicySpec::named("new"));
        let told = "policy `new` was made in code: the scenario does not have it";
        assert!(scenario.assumed(&[0, 1]).iter().any(|one| one == told));
        assert!(!scenario.assumed(&[0]).iter().any(|one| one == told));
        scenario.policies[0] = own.clone();
        let seeds = Repetition::Seeds { warm_up: Span::ZERO };
        let refused = runner().measure(&cells(&scenario, seeds, 1)).expect_err("it has no version");
        assert_eq!(
            refused.to_string(),
            "policy `p`, seed 1: a.toml: policy `p`: its place part `first-fit` is a Rust type\n  hint: add the \
             policy with `Scenario::add_policy`, a version and a closure that builds it: `move || \
             policy::build(&spec)`"
        );
        let row = scenario.add_policy("p", "1", move || crate::policy::build(&own));
        assert!(scenario.assumed(&[row]).iter().any(|told| told.contains("Rust type, version 1")));
        assert_eq!(
            runner().measure(&cells(&scenario, seeds, 1)).map(|all| all.len()).ok(),
            Some(1)
        );
    }

    #[test]
    fn measurements_survive_a_journal() {
        let scenario = scenario(HOURLY);
        let seeds = Repetition::Seeds { warm_up: Span::ZERO };
        let all = runner().measure(&cells(&scenario, seeds, 2)).expect("it runs");
        for one in &all {
            let line = serde_json::to_string(one).expect("a measurement is data");
            let again: Measurement = serde_json::from_str(&line).expect("it is what was written");
            assert_eq!(*one, again);
        }
    }
}
