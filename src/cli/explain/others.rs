//! Other jobs while one waited, from `jobs.csv`: which started, ended or were ahead of it.

use std::collections::BTreeMap;

use super::clock::length;
use super::phase::WaitPhase;
use super::row::{CsvRow, each};
use super::wait::wanted;
use super::{JOBS, NOTES, thousandths};
use crate::cli::exit::Stop;
use crate::cli::results::Results;
use windtunnel::report::clean;
use windtunnel::units::{Span, Time};

/// Jobs that are named.
const NAMED: usize = 3;

/// Facts about other jobs while this one waited.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Jobs that started meanwhile, by phase.
    pub(super) meanwhile: Vec<Meanwhile>,
    /// Ends of jobs that held something, by name; `None` if several have one name, or if they left
    /// before their end what they held, for they were preempted.
    ends: BTreeMap<String, Option<Time>>,
    /// Whether any work was preempted, so that room is not all that one starts for.
    pub(super) preempts: bool,
    /// Firsts of the queue: the name, the time since which this one waited behind it, and the rest.
    firsts: Vec<(String, Time, First)>,
}

/// Identity and wanted resources of the first of the queue.
#[derive(Debug, Default)]
struct First {
    /// Source and row of the job.
    identity: Option<(u64, u64)>,
    /// Wanted resources in words; `None` if several jobs have its name.
    wanted: Option<String>,
}

/// Jobs that started during a phase.
#[derive(Debug, Default)]
pub(super) struct Meanwhile {
    /// Number of jobs submitted before this one, and after it.
    pub(super) before: u64,
    pub(super) after: u64,
    /// Jobs that took the most core time, the largest first.
    largest: Vec<Overtaker>,
}

/// A job that started.
#[derive(Debug)]
struct Overtaker {
    name: String,
    /// Source and row of the job.
    identity: (u64, u64),
    /// Milli-cores of each task.
    milli: u64,
    gpus: u64,
    tasks: u64,
    /// Starts of tasks in the phase, at how many moments, and the last of these.
    began: u64,
    moments: u64,
    last: Option<Time>,
    ran: Span,
}

impl Others {
    /// Reads what happened during `phases` of `job`.
    ///
    /// # Errors
    /// A cell cannot be read.
    pub(super) fn read(
        results: &Results,
        job: &CsvRow,
        phases: &[WaitPhase<'_>],
    ) -> Result<Self, Stop> {
        let mut found = Self::default();
        if phases.is_empty() {
            return Ok(found);
        }
        found.meanwhile.resize_with(phases.len(), Meanwhile::default);
        let names = phases.iter().flat_map(WaitPhase::holders);
        found.ends = names.map(|name| (name.to_owned(), None)).collect();
        let mut unsure = Vec::new();
        let (own, began) = (place(job)?, job.maybe_time("first_start_s")?);
        each(results, JOBS, |row| {
            let name = clean(row.cell("job"));
            let preempted = row.whole("preemptions")? > 0;
            found.preempts |= preempted;
            if let Some(end) = found.ends.get_mut(&name)
                && (end.replace(row.time("end_s")?).is_some() || preempted)
            {
                unsure.push(name);
            }
            let started = row.maybe_time("first_start_s")?;
            let Some(start) = started.filter(|_| started != began) else { return Ok(()) };
            // Jobs that started when a phase began made it what it is.
            let during = |phase: &WaitPhase<'_>| phase.from() < start && start <= phase.until();
            if let Some(at) = phases.iter().position(during) {
                found.meanwhile[at].add(row, start, place(row)? < own)?;
            }
            Ok(())
        })?;
        for name in unsure {
            found.ends.insert(name, None);
        }
        found.read_firsts(results, phases)?;
        found.read_tasks(results, phases)?;
        Ok(found)
    }

    /// Counts the tasks of those that are named that started in each phase: those of an array
    /// start one by one.
    fn read_tasks(&mut self, results: &Results, phases: &[WaitPhase<'_>]) -> Result<(), Stop> {
        let arrays = |one: &Overtaker| one.tasks > 1;
        if !self.meanwhile.iter().any(|phase| phase.largest.iter().any(arrays)) {
            return Ok(());
        }
        each(results, NOTES, |row| {
            if row.cell("note") != "starts" {
                return Ok(());
            }
            let identity = (row.whole("source")?, row.whole("ordinal")?);
            let at = row.time("time_s")?;
            for (phase, meanwhile) in phases.iter().zip(&mut self.meanwhile) {
                let mut largest = meanwhile.largest.iter_mut();
                if phase.from() < at
                    && at <= phase.until()
                    && let Some(one) = largest.find(|one| one.identity == identity)
                {
                    one.began += row.whole("tasks")?;
                    one.moments += u64::from(one.last.replace(at) != Some(at));
                }
            }
            Ok(())
        })
    }

    /// Reads what those wanted whom nobody might pass.
    fn read_firsts(&mut self, results: &Results, phases: &[WaitPhase<'_>]) -> Result<(), Stop> {
        let waits = phases.iter().flat_map(WaitPhase::waits);
        let barred = waits.filter_map(|wait| Some((wait.barred_by()?, wait.from)));
        self.firsts =
            barred.map(|(name, from)| (name.to_owned(), from, First::default())).collect();
        if self.firsts.is_empty() {
            return Ok(());
        }
        each(results, NOTES, |row| {
            let name = &clean(row.cell("job"));
            if row.cell("note") != "waits" || self.firsts.iter().all(|(first, ..)| first != name) {
                return Ok(());
            }
            let (at, wanted) = (row.time("time_s")?, wanted(row)?);
            let identity = (row.whole("source")?, row.whole("ordinal")?);
            for (_, from, first) in self.firsts.iter_mut().filter(|(first, ..)| first == name) {
                if at <= *from {
                    let one = *first.identity.get_or_insert(identity) == identity;
                    first.wanted = wanted.clone().filter(|_| one);
                }
            }
            Ok(())
        })
    }

    /// Resources wanted by the first of the queue, behind which this one waited from then on.
    pub(super) fn wanted(&self, first: &str, from: Time) -> Option<&str> {
        let mut firsts = self.firsts.iter();
        let (.., first) = firsts.find(|(name, since, _)| name == first && *since == from)?;
        first.wanted.as_deref()
    }

    /// End of the job of this name.
    pub(super) fn end(&self, name: &str) -> Option<Time> {
        self.ends.get(name).copied().flatten()
    }
}

/// Order by submission; ties by source and row.
fn place(row: &CsvRow) -> Result<(Time, u64, u64), Stop> {
    Ok((row.time("submitted_s")?, row.whole("source")?, row.whole("ordinal")?))
}

impl Meanwhile {
    fn add(&mut self, row: &CsvRow, start: Time, before: bool) -> Result<(), Stop> {
        let count = if before { &mut self.before } else { &mut self.after };
        *count += 1;
        let tasks = row.whole("tasks")?;
        self.largest.push(Overtaker {
            name: clean(row.cell("job")),
            identity: (row.whole("source")?, row.whole("ordinal")?),
            milli: row.whole("cpu_milli")?,
            gpus: row.whole("gpus")?,
            tasks,
            began: 0,
            moments: 0,
            last: None,
            ran: row.time("end_s")? - start,
        });
        let size = |one: &Overtaker| {
            let milli = one.milli.saturating_mul(one.tasks).max(1);
            i128::from(milli) * i128::from(one.ran.micros())
        };
        self.largest.sort_by_key(|one| std::cmp::Reverse(size(one)));
        self.largest.truncate(NAMED);
        Ok(())
    }

    /// Number of jobs that started, and the largest; `None` if no job did. `how` ends the first
    /// part.
    pub(super) fn sentence(&self, when: &str, how: &str) -> Option<String> {
        let all = self.before + self.after;
        let jobs = if all == 1 { "1 other job".to_owned() } else { format!("{all} other jobs") };
        let whose = match (self.before, self.after) {
            (0, 0) => return None,
            (1, 0) => ", submitted before it".to_owned(),
            (0, 1) => ", submitted after it".to_owned(),
            (_, 0) => ", all submitted before it".to_owned(),
            (0, _) => ", all submitted after it".to_owned(),
            (before, after) => format!(", {before} submitted before it and {after} after it"),
        };
        let named: Vec<String> = self.largest.iter().map(Overtaker::sentence).collect();
        let which = if all as usize > named.len() { "; the largest: " } else { ": " };
        Some(format!("{when} {jobs} started{how}{whose}{which}{}.", named.join(", ")))
    }
}

impl Overtaker {
    fn sentence(&self) -> String {
        // Tasks that an array holds at once are known only where all of it starts at one moment.
        let parts = self.moments > 1 || self.began > 0 && self.began < self.tasks;
        let times = if parts { 1 } else { self.tasks };
        let tasks = match (parts, self.moments) {
            (false, _) => String::new(),
            (true, 1) => format!("{} of {} tasks of ", self.began, self.tasks),
            (true, moments) => {
                format!("{} of {} tasks, started at {moments} times, of ", self.began, self.tasks)
            }
        };
        let cores = match self.milli.saturating_mul(times) {
            1_000 => "1 core".to_owned(),
            milli => format!("{} cores", thousandths(milli)),
        };
        let gpus = match self.gpus.saturating_mul(times) {
            0 => String::new(),
            1 => ", 1 GPU".to_owned(),
            gpus => format!(", {gpus} GPUs"),
        };
        format!("{} ({tasks}{cores}{gpus}, ran {})", self.name, length(self.ran))
    }
}
