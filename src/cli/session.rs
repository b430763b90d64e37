//! The session of a command that does many runs: its folder and journal, its threads, its progress
//! and its limits.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::{ThreadPool, ThreadPoolBuilder};
use serde_json::Value;

use super::args::{How, Many};
use super::ending;
use super::exit::Stop;
use super::folder::{Claim, Folder, Partial};
use super::guard::{self, ResourceGuard};
use super::journal::{Header, Journal};
use super::process::Processes;
use super::progress::Bar;
use super::run;
use windtunnel::experiment::{NoCache, ProgressWatch, RunCache, Runner, RunnerFailure};
use windtunnel::input;
use windtunnel::report::InputHash;
use windtunnel::scenario::Scenario;
use windtunnel::sim::RunProgress;

/// Identity of an experiment, by which one that was begun already is found.
#[derive(Debug)]
pub(super) struct Experiment<'a> {
    /// Command that it is of.
    pub(super) kind: &'static str,
    /// Name of its folder, where none is given.
    pub(super) name: String,
    /// Its scenarios, as they were opened.
    pub(super) scenarios: &'a [Scenario],
    /// Other parameters that decide which runs there are and what is made of them.
    pub(super) parameters: Vec<(&'static str, Value)>,
}

/// Session of a command that does many runs.
#[derive(Debug)]
pub(super) struct ExperimentSession {
    folder: Option<Folder>,
    journal: Option<Journal>,
    threads: ThreadPool,
    watch: Watching,
    audit: bool,
}

/// Runs of this process's experiment, as far as it has come to know them. Here, for who ends the
/// process in the middle of the experiment knows no session.
static RUNS_EXPECTED: AtomicUsize = AtomicUsize::new(0);

/// Runs of the experiment of this process, as far as it has come to know them.
pub(super) fn runs_expected() -> usize {
    RUNS_EXPECTED.load(Ordering::Relaxed)
}

/// Shows progress and keeps the limits.
#[derive(Debug)]
struct Watching {
    bar: Bar,
    guard: ResourceGuard,
    finished: AtomicUsize,
}

impl ProgressWatch for Watching {
    fn expect(&self, runs: usize) {
        RUNS_EXPECTED.fetch_add(runs, Ordering::Relaxed);
        self.bar.expect(runs as u64);
    }

    fn step(&self, _progress: RunProgress) -> ControlFlow<()> {
        guard::poll()
    }

    fn done(&self) {
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.bar.done();
    }
}

impl ExperimentSession {
    /// Takes the folder, and with `--resume` what is in its journal.
    ///
    /// # Errors
    /// The folder holds something already; another process is at it; or the
    /// journal is of another experiment, or damaged.
    pub(super) fn open(
        guard: ResourceGuard,
        (how, many): (&How, &Many),
        experiment: &Experiment<'_>,
    ) -> Result<Self, Stop> {
        let mut session = Self::bare(guard, experiment.kind, (how.quiet, how.audit), many.threads)?;
        if !how.no_out {
            let target = run::target(how, &experiment.name);
            let claim = Claim { force: how.force, resume: many.resume };
            let meter = || session.watch.guard.meter();
            let made = Folder::create(&target, claim, meter())?;
            let journal = Journal::open(&made.journal(), &header(experiment)?, meter())?;
            (session.folder, session.journal) = (Some(made), Some(journal));
        }
        session.mark("begun; whoever wrote it was stopped, or is at it")?;
        Ok(session)
    }

    /// A session that writes nothing and remembers nothing.
    ///
    /// # Errors
    /// Threads cannot be started.
    pub(super) fn bare(
        guard: ResourceGuard,
        label: &str,
        (quiet, audit): (bool, bool),
        threads: Option<u16>,
    ) -> Result<Self, Stop> {
        let threads = ThreadPoolBuilder::new()
            .num_threads(threads.map_or(0, usize::from))
            .build()
            .map_err(|error| Stop::Files(error.into()))?;
        let bar = Bar::over_runs(label, quiet);
        let watch = Watching { bar, guard, finished: AtomicUsize::new(0) };
        Ok(Self { folder: None, journal: None, threads, watch, audit })
    }

    /// Does runs on all threads.
    ///
    /// # Errors
    /// The reason why `runs` could not go on. Finished runs are kept for `--resume`; the folder and
    /// the error say so.
    pub(super) fn work<T: Send>(
        &mut self,
        runs: impl FnOnce(&Runner<'_>) -> Result<T, Stop> + Send,
    ) -> Result<T, Stop> {
        let cache: &dyn RunCache = match &self.journal {
            Some(journal) => journal,
            None => &NoCache,
        };
        let runner = Runner { cache, watch: &self.watch, audit: self.audit, launcher: &Processes };
        let result = self.threads.install(|| runs(&runner));
        self.watch.bar.clear();
        let stop = match result {
            Ok(result) => {
                self.mark("all runs are done; stopped while results were written")?;
                return Ok(result);
            }
            Err(error) => ending::explain(error),
        };
        // The reason to stop is worth more than that it could not be noted.
        let _ = self.mark(&stop.to_string());
        let stop = self.with_kept(stop);
        // Before the folder is left: the last resort would find nothing in it to tell.
        if ending::has_begun() {
            ending::print_cause(&stop);
        }
        Err(stop)
    }

    /// Folder that results go to, if they go anywhere.
    pub(super) fn folder(&self) -> Option<&Folder> {
        self.folder.as_ref()
    }

    /// Ends with the manifest; gives the folder.
    ///
    /// # Errors
    /// The manifest cannot be written.
    pub(super) fn finish(self, manifest: Value) -> Result<Option<PathBuf>, Stop> {
        let Some(folder) = self.folder else { return Ok(None) };
        Ok(Some(folder.finish(manifest)?))
    }

    fn kept(&self) -> usize {
        self.journal.as_ref().map_or(0, Journal::len)
    }

    fn partial(&self, state: &str) -> Partial {
        Partial {
            kind: "windtunnel partial results".to_owned(),
            command: resuming(),
            state: state.to_owned(),
            runs_kept: self.kept(),
            runs_expected: runs_expected(),
        }
    }

    fn mark(&mut self, state: &str) -> Result<(), Stop> {
        let partial = self.partial(state);
        match &mut self.folder {
            Some(folder) => Ok(folder.mark(&partial)?),
            None => Ok(()),
        }
    }

    /// The same stop, with the finished runs that are kept and the command that goes on with them, or
    /// the number of those that are lost.
    fn with_kept(&self, stop: Stop) -> Stop {
        let finished = self.watch.finished.load(Ordering::Relaxed);
        let kept = match &self.journal {
            Some(journal) if self.kept() > 0 => {
                let work = journal.path().parent().unwrap_or(Path::new("."));
                let wall = called().any(|word| word.starts_with("--max-wall"));
                let larger = if wall { ", or with a larger `--max-wall`" } else { "" };
                self.partial("").resume_hint(work) + larger
            }
            // Wrong input stops a command for what it is, not for how far it came.
            None if finished > 0 && stop.code() != 2 && stop.code() != 1 => {
                let expected = runs_expected();
                format!(
                    "nothing of {finished} finished runs, of {expected} asked for so far: there is no \
                     folder of results"
                )
            }
            Some(_) | None => return stop,
        };
        Stop::Partly(Box::new(stop), kept)
    }
}

/// The ending of the command for an experiment that could not go on.
pub(super) fn stopped(failure: RunnerFailure) -> Stop {
    match failure {
        RunnerFailure::Run { policy, seed, failure } => {
            let again = format!("{} --audit", command(called()));
            Stop::of_run(*failure, &again).of(&format!("policy `{policy}`, seed {seed}"))
        }
        RunnerFailure::Cache(error) => {
            Stop::from(anyhow::Error::from(error).context("cannot write the journal"))
        }
    }
}

/// Words of the command that this process was called with, after its name.
fn called() -> impl Iterator<Item = String> {
    std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned())
}

/// A command of these words, quoted as a shell takes them.
fn command(words: impl Iterator<Item = String>) -> String {
    let quoted = |word: String| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,:%+@".contains(letter);
        match !word.is_empty() && word.chars().all(plain) {
            true => word,
            false => format!("'{}'", word.replace('\'', "'\\''")),
        }
    };
    let words = words.map(quoted);
    std::iter::once("windtunnel".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// The command that goes on with what this one began, without the `--max-wall` that may have
/// stopped it.
fn resuming() -> String {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--max-wall" => drop(words.next()),
            word if word.starts_with("--max-wall=") || word == "--resume" => (),
            _ => kept.push(word),
        }
    }
    kept.push("--resume".to_owned());
    command(kept.into_iter().skip(1))
}

fn header(experiment: &Experiment<'_>) -> Result<Header, Stop> {
    let mut scenarios = BTreeMap::new();
    let mut inputs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for scenario in experiment.scenarios {
        let text = blake3::hash(scenario.text.as_bytes()).to_hex();
        scenarios.insert(scenario.path.clone(), format!("{text}, seed {}", scenario.seed));
        for input in InputHash::all(scenario)? {
            inputs.entry(input.name).or_default().push(input.hash);
        }
    }
    let named = |(name, value): &(&str, Value)| ((*name).to_owned(), value.clone());
    Ok(Header {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        build: build(),
        generator: windtunnel::units::stream::GENERATOR.to_owned(),
        kind: experiment.kind.to_owned(),
        scenarios,
        inputs,
        parameters: experiment.parameters.iter().map(named).collect(),
    })
}

/// Hash of this program: two builds of one version need not do the same.
fn build() -> String {
    let program = std::env::current_exe().ok();
    program.and_then(|path| input::hash(&path).ok()).unwrap_or_default()
}
