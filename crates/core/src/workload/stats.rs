//! Statistics of a workload, from one pass over it.

mod summary;

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::model::{Interner, Tenant, Work, WorkKind};
use crate::problem::Problem;
use crate::units::{Demand, Id, Span, Time};

use super::seen::SeenNames;
use super::{RowNotes, Source};

pub use summary::SampleSummary;
use summary::Samples;

/// Statistics of a workload. Resources are counted over all tasks of a piece of work; sums over
/// time leave out work without an end.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Pieces of work.
    pub count: u64,
    /// Pieces of work that are jobs.
    pub jobs: u64,
    /// Pieces of work that are virtual machines.
    pub virtual_machines: u64,
    /// Malformed rows left out.
    pub skipped: u64,
    /// Well-formed rows that became no work.
    pub dropped: u64,
    /// Well-formed rows that became no work by reason, and rows about which something was assumed.
    pub notes: RowNotes,
    /// First arrival in seconds after the run's start.
    pub first_arrival_s: f64,
    /// Last arrival in seconds after the run's start.
    pub last_arrival_s: f64,
    /// Arrivals per hour between the first and the last; 0 where that is no time.
    pub arrivals_per_hour: f64,
    /// Seconds between arrivals.
    pub gap_s: SampleSummary,
    /// Runtimes and lifetimes in seconds, without those that have no end.
    pub runtime_s: SampleSummary,
    /// Estimates as a multiple of the runtime, where both are above zero.
    pub estimate_factor: SampleSummary,
    /// Tasks per piece of work.
    pub tasks: SampleSummary,
    /// Milli-cores per task.
    pub cpu_milli: SampleSummary,
    /// MiB per task.
    pub memory_mib: SampleSummary,
    /// Milli-GPUs per task, of work that asks for any.
    pub gpu_milli: SampleSummary,
    /// Core-hours asked for.
    pub core_hours: f64,
    /// GiB-hours asked for.
    pub gib_hours: f64,
    /// GPU-hours asked for.
    pub gpu_hours: f64,
    /// Pieces of work that ask for GPUs.
    pub with_gpus: u64,
    /// Pieces of work without an estimate.
    pub without_estimate: u64,
    /// Pieces of work whose estimate is below the runtime.
    pub underestimated: u64,
    /// Pieces of work with a deadline.
    pub with_deadline: u64,
    /// Pieces of work called as an earlier one is.
    pub repeated_names: u64,
    /// Pieces of work without an end.
    pub without_end: u64,
    /// Different demands of a task; counted up to 100,000.
    pub distinct_demands: u64,
    /// Different tenants.
    pub tenants: u64,
    /// The ten tenants with most work.
    pub top_tenants: Vec<TenantStats>,
}

/// Demand of one tenant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TenantStats {
    /// Name of the tenant in the workload.
    pub name: String,
    /// Pieces of work.
    pub count: u64,
    /// Core-hours asked for.
    pub core_hours: f64,
}

/// Different demands are counted up to here.
const MAX_DEMANDS: usize = 100_000;
/// Milli-cores times microseconds in a core-hour.
const CORE_HOUR: f64 = 1_000.0 * 3.6e9;

/// Sums over the work that was read so far.
#[derive(Default)]
struct TraceTally {
    count: u64,
    machines: u64,
    first: Time,
    last: Time,
    gaps: Samples,
    runtimes: Samples,
    factors: Samples,
    tasks: Samples,
    cpu: Samples,
    memory: Samples,
    gpu: Samples,
    core_micros: i128,
    mib_micros: i128,
    gpu_micros: i128,
    without_estimate: u64,
    underestimated: u64,
    with_deadline: u64,
    repeated_names: u64,
    names: SeenNames,
    without_end: u64,
    demands: BTreeSet<Demand>,
    tenants: FxHashMap<Id<Tenant>, (u64, i128)>,
}

impl TraceTally {
    fn add(&mut self, work: &Work) {
        let (ask, demand) = (&work.ask, work.ask.demand);
        if self.count == 0 {
            self.first = work.arrival;
        } else {
            self.gaps.add((work.arrival - self.last).micros());
        }
        self.count += 1;
        self.repeated_names += u64::from(self.names.again(&work.name));
        self.last = work.arrival;
        self.machines += u64::from(work.body.kind() == WorkKind::VirtualMachine);
        self.tasks.add(ask.tasks.into());
        self.cpu.add(demand.cpu.into());
        self.memory.add(demand.memory.into());
        if demand.gpus > 0 {
            self.gpu.add(demand.gpu_milli().into());
        }
        self.with_deadline += u64::from(ask.deadline.is_some());
        if self.demands.len() < MAX_DEMANDS {
            self.demands.insert(demand);
        }
        let micros = self.add_times(work);
        let tenant = self.tenants.entry(ask.tenant).or_default();
        tenant.0 += 1;
        tenant.1 += i128::from(demand.cpu) * micros;
        self.core_micros += i128::from(demand.cpu) * micros;
        self.mib_micros += i128::from(demand.memory) * micros;
        self.gpu_micros += i128::from(demand.gpu_milli()) * micros;
    }

    /// Task-microseconds of `work`; 0 where it has no end.
    fn add_times(&mut self, work: &Work) -> i128 {
        let (runtime, estimate) = (work.body.length(), work.ask.estimate);
        self.without_estimate += u64::from(estimate.is_none());
        let Some(runtime) = runtime else {
            self.without_end += 1;
            return 0;
        };
        self.runtimes.add(runtime.micros());
        if let Some(estimate) = estimate {
            self.underestimated += u64::from(estimate < runtime);
            if runtime > Span::ZERO && estimate > Span::ZERO {
                let factor = estimate.secs_f64() / runtime.secs_f64();
                self.factors.add(libm::round((factor * 1e6).min(9e18)) as i64);
            }
        }
        i128::from(runtime.micros()) * i128::from(work.ask.tasks)
    }

    fn finish(self, book: &Interner, skipped: u64, notes: RowNotes) -> Stats {
        let mut top: Vec<_> = self.tenants.iter().map(|(&id, &sums)| (id, sums)).collect();
        top.sort_unstable_by_key(|&(id, (count, _))| (std::cmp::Reverse(count), id));
        top.truncate(10);
        let tenant_stats = |(id, (count, micros)): (Id<Tenant>, (u64, i128))| TenantStats {
            name: book.tenants()[id].name.clone(),
            count,
            core_hours: micros as f64 / CORE_HOUR,
        };
        let hours = (self.last - self.first).secs_f64() / 3_600.0;
        let gaps = self.count.saturating_sub(1) as f64;
        Stats {
            count: self.count,
            jobs: self.count - self.machines,
            virtual_machines: self.machines,
            skipped,
            dropped: notes.left_out(),
            notes,
            first_arrival_s: self.first.secs_f64(),
            last_arrival_s: self.last.secs_f64(),
            arrivals_per_hour: if hours > 0.0 { gaps / hours } else { 0.0 },
            gap_s: self.gaps.summary(1e-6),
            runtime_s: self.runtimes.summary(1e-6),
            estimate_factor: self.factors.summary(1e-6),
            tasks: self.tasks.summary(1.0),
            cpu_milli: self.cpu.summary(1.0),
            memory_mib: self.memory.summary(1.0),
            with_gpus: self.gpu.count(),
            gpu_milli: self.gpu.summary(1.0),
            core_hours: self.core_micros as f64 / CORE_HOUR,
            gib_hours: self.mib_micros as f64 / (1_024.0 * 3.6e9),
            gpu_hours: self.gpu_micros as f64 / CORE_HOUR,
            without_estimate: self.without_estimate,
            underestimated: self.underestimated,
            with_deadline: self.with_deadline,
            repeated_names: self.repeated_names,
            without_end: self.without_end,
            distinct_demands: self.demands.len() as u64,
            tenants: self.tenants.len() as u64,
            top_tenants: top.into_iter().map(tenant_stats).collect(),
        }
    }
}

impl Stats {
    /// Reads `source` to its end.
    ///
    /// # Errors
    /// The problem that the source reports.
    pub fn of(source: &mut dyn Source, book: &mut Interner) -> Result<Self, Problem> {
        let (mut tally, mut work) = (TraceTally::default(), Work::default());
        while source.next(book, &mut work)? {
            tally.add(&work);
        }
        Ok(tally.finish(book, source.skipped(), source.notes()))
    }

    /// Names and values for a table of two columns.
    pub fn rows(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        row("pieces of work", self.count.to_string());
        row("jobs", self.jobs.to_string());
        row("virtual machines", self.virtual_machines.to_string());
        row("malformed rows skipped", self.skipped.to_string());
        for (note, rows) in self.notes.rows() {
            row(&format!("rows {}", note.words()), rows.to_string());
        }
        row("first arrival", format!("{} s", self.first_arrival_s));
        let last = Span::from_secs_f64(self.last_arrival_s - self.first_arrival_s);
        row("first to last arrival", last.unwrap_or(Span::ZERO).to_string());
        row("arrivals per hour", format!("{:.2}", self.arrivals_per_hour));
        row("gap (s)", self.gap_s.to_string());
        row("runtime (s)", self.runtime_s.to_string());
        row("estimate / runtime", self.estimate_factor.to_string());
        row("tasks", self.tasks.to_string());
        row("CPU per task (milli-cores)", self.cpu_milli.to_string());
        row("memory per task (MiB)", self.memory_mib.to_string());
        row("GPU per task (milli-GPUs, where any)", self.gpu_milli.to_string());
        row("core-hours", format!("{:.1}", self.core_hours));
        row("GiB-hours", format!("{:.1}", self.gib_hours));
        row("GPU-hours", format!("{:.1}", self.gpu_hours));
        row("with GPUs", self.with_gpus.to_string());
        row("without an estimate", self.without_estimate.to_string());
        row("estimated below the runtime", self.underestimated.to_string());
        row("with a deadline", self.with_deadline.to_string());
        row("called as an earlier one", self.repeated_names.to_string());
        row("without an end", self.without_end.to_string());
        let full = self.distinct_demands as usize >= MAX_DEMANDS;
        let more = if full { " or more" } else { "" };
        row("distinct demands", format!("{}{more}", self.distinct_demands));
        row("tenants", self.tenants.to_string());
        for tenant in &self.top_tenants {
            let TenantStats { name, count, core_hours } = tenant;
            row(&format!("tenant {name}"), format!("{count} ({core_hours:.1} core-hours)"));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::WorkList;

    /// Jobs of 1, 2 and 3 tasks of 500 milli-cores for an hour each, at 0, 10 and 20 s; the last is
    /// a machine without an end.
    fn three() -> WorkList<impl Iterator<Item = Work>> {
        let mut names = Interner::default();
        let tenants = [names.tenant("a"), names.tenant("b"), names.tenant("b")];
        let demand = Demand { cpu: 500, ..Demand::default() };
        let mut works = [0, 10, 20].map(|at| Work::job(0, Time::from_secs(at), demand, Span::HOUR));
        for (row, work) in works.iter_mut().enumerate() {
            work.id.ordinal = row as u64;
            work.ask.tasks = row as u32 + 1;
            work.ask.tenant = tenants[row];
            work.name = ["b", "a", "b"][row].to_owned();
        }
        works[0].ask.estimate = Some(Span::from_secs(1_800));
        works[2].body = WorkKind::VirtualMachine.body(None);
        WorkList::new(works).named(names)
    }

    #[test]
    fn three_pieces_of_work_add_up() {
        let stats = Stats::of(&mut three(), &mut Interner::default()).expect("work");
        assert_eq!((stats.count, stats.jobs, stats.virtual_machines), (3, 2, 1));
        assert_eq!(stats.arrivals_per_hour, 360.0); // two gaps of 10 s
        assert_eq!(stats.core_hours, 1.5); // (1 + 2) x 0.5 cores x 1 h
        assert_eq!((stats.without_estimate, stats.underestimated), (2, 1));
        assert_eq!(stats.estimate_factor.max, 0.5);
        assert_eq!((stats.runtime_s.count, stats.without_end), (2, 1));
        assert_eq!(stats.repeated_names, 1); // the third is called as the first
        assert_eq!(stats.top_tenants[0].name, "b");
        assert_eq!((stats.tenants, stats.distinct_demands), (2, 1));
        assert!(stats.rows().iter().any(|(_, value)| value == "2 (1.0 core-hours)"));
    }
}
