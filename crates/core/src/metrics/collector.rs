//! Adds up a run as it goes; memory does not grow with the work that is done.

use super::bills::Bills;
use super::cpu_only::CpuOnly;
use super::emissions::Emissions;
use super::energy::EnergyMeter;
use super::exposures::Exposures;
use super::fact::{Fact, FactObserver};
use super::histogram::Histogram;
use super::hours::Hours;
use super::jobs::Jobs;
use super::launches::Launches;
use super::load::Load;
use super::moves::TransferTotals;
use super::ratio;
use super::recovery::Recoveries;
use super::summary::{CpuOnGpus, DistributionSummary, Summary, WorkCounts};
use super::work_hours::WorkHours;
use crate::model::World;
use crate::sim::{Observer, Outcome};
use crate::state::{Allocation, ChargeKind, HeldShare, Record, State, WorkRef};
use crate::units::{Span, Time};

/// Adds up everything that a summary shows.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    /// Time that the work that counts stands for, where it is known.
    period: Option<Span>,
    /// Names of the classes, which only the state knows.
    classes: Vec<String>,
    /// Starts of gangs in several zones.
    apart: u64,
    shrunk: u64,
    jobs: Jobs,
    load: Load,
    launches: Launches,
    progress: WorkHours,
    bills: Bills,
    meter: EnergyMeter,
    emissions: Emissions,
    cpu_only: CpuOnly,
    hours: Hours,
    moves: TransferTotals,
    recoveries: Recoveries,
    /// Only where there are incidents to be met.
    exposures: Option<Exposures>,
    /// Work that arrives earlier does not count.
    from: Time,
}

impl Collector {
    /// Counts work that arrives at `from` or later, and time from then on. Charges, useful
    /// progress, data moved and emissions are counted from the beginning; see
    /// [`Collector::without`].
    pub fn starting(from: Time) -> Self {
        Self { jobs: Jobs::starting(from), load: Load::starting(from), from, ..Self::default() }
    }

    /// Takes utilisation and the mean queue over the time before `until` only: a window
    /// of a trace ends there, and what is left of its work runs on an emptying machine.
    pub fn ending(mut self, until: Time) -> Self {
        self.load.until = Some(until);
        self
    }

    /// Scales what is rented in a month from `period`, not from the arrivals.
    pub fn scaled_to_months_of(self, period: Span) -> Self {
        Self { period: Some(period), ..self }
    }

    /// Takes away what `earlier` added up: the same run, cut off where this one
    /// begins to count. Money, progress, data and carbon of the time before
    /// leave nothing behind, for a run is the same up to any point.
    pub fn without(mut self, earlier: &Self) -> Self {
        self.apart -= earlier.apart;
        self.shrunk -= earlier.shrunk;
        self.launches.subtract(&earlier.launches);
        self.progress.subtract(&earlier.progress);
        self.bills.subtract(&earlier.bills);
        self.emissions.subtract(&earlier.emissions);
        self.cpu_only.subtract(&earlier.cpu_only);
        self.hours.subtract(&earlier.hours);
        self.moves.subtract(&earlier.moves);
        self
    }

    /// The time that the work stands for; where the run ended before all of it was done, no
    /// more than the time that was simulated.
    fn stood_for(&self, outcome: &Outcome) -> Option<Span> {
        let simulated = outcome.ended - self.load.counts_from(outcome.started);
        self.period.map(|period| if outcome.drained { period } else { period.min(simulated) })
    }

    /// Summary of what was added up, for a run that went as `outcome` says. `tenants` are the names of
    /// tenants by their rows, such as [`WorkNames`](super::WorkNames) gathers in the run; numbers
    /// by tenant are left out where there are none.
    pub fn summary(&self, world: &World, tenants: &[String], outcome: &Outcome) -> Summary {
        let (began, makespan) = (self.load.counts_from(outcome.started), self.jobs.makespan());
        let work = self.counts(world);
        let useful = self.progress.useful_hours();
        let lost = self.progress.lost_hours();
        let overhead = self.progress.overhead_hours();
        let [instance_hours, boot_hours] = self.load.instance_hours();
        let mut summary = Summary {
            started: world.calendar.format(began),
            ended: world.calendar.format(outcome.ended),
            simulated_s: (outcome.ended - began).secs_f64(),
            drained: outcome.drained,
            events: outcome.events,
            decisions: outcome.decisions,
            illegal_actions: outcome.illegal,
            unreserved: outcome.unreserved,
            stranded: outcome.stranded,
            lacking: outcome.lacking,
            lacking_machines: outcome.lacking_machines,
            undone: self.jobs.not_done(),
            cost: self.bills.costs(world, tenants, work.finished, [useful[0], useful[2]]),
            wait_s: DistributionSummary::of(self.jobs.waits(), 1e6),
            waits_by_tenant: self.jobs.waits_by_tenant(tenants),
            waits_by_class: self.jobs.waits_by_class(&self.classes),
            turnaround_s: self.jobs.turnarounds(),
            bounded_slowdown: self.jobs.slowdowns(),
            gangs_apart: self.apart,
            recovery_s: self.jobs.recoveries(),
            deadlines: self.jobs.deadlines(),
            arrivals_s: self.jobs.arrivals(began).secs_f64(),
            period_s: self.stood_for(outcome).map(Span::secs_f64),
            makespan_s: makespan.secs_f64(),
            throughput_per_hour: ratio(work.finished as f64, makespan.secs_f64() / 3_600.0),
            work,
            queue_length_mean: self.load.queue(),
            queue_length_max: self.load.queue_max(),
            utilisation_cpu: self.load.utilisation(0),
            utilisation_memory: self.load.utilisation(1),
            utilisation_gpu: self.load.utilisation(2),
            availability: self.load.availability(),
            security: self.exposures.as_ref().and_then(Exposures::security),
            alerts: None,
            settled: None,
            instances_launched: self.launches.launched,
            instances_max: self.launches.live_max,
            instance_hours,
            boot_hours,
            useful_core_hours: useful[0],
            useful_gib_hours: useful[1],
            useful_gpu_hours: useful[2],
            lost_core_hours: lost[0],
            lost_gpu_hours: lost[2],
            overhead_core_hours: overhead[0],
            overhead_gpu_hours: overhead[2],
            broken_gpu_hours: self.load.broken_gpu_hours(world),
            cpu_on_gpus: CpuOnGpus {
                hours: self.cpu_only.has_rented.then(|| self.cpu_only.rented as f64 / 3.6e9),
                cost: self.cpu_only.has_rented.then_some(self.cpu_only.cost),
                owned_hours: self.cpu_only.owned as f64 / 3.6e9,
            },
            hours_by_provider: self.hours.named(world),
            moved: self.moves.named(world),
            transferred_gib: self.bills.transferred as f64 / f64::from(1 << 30),
            carbon: self.emissions.carbon(world, tenants),
            percentiles_exact: self.jobs.waits().is_exact(),
        };
        summary.spread_over_months();
        summary
    }

    /// The waits, for a chart of their distribution.
    pub fn waits(&self) -> &Histogram {
        self.jobs.waits()
    }

    fn counts(&self, world: &World) -> WorkCounts {
        let refused = self.launches.refused_by_reason(world);
        WorkCounts {
            preemptions: self.progress.preemptions,
            migrations: self.progress.migrations,
            shrunk_starts: self.shrunk,
            interruptions: self.progress.interruptions,
            reclaimed_instances: self.launches.reclaimed,
            failures: self.progress.failures,
            failed_instances: self.launches.failed,
            failed_devices: self.launches.failed_devices,
            failed_by_cause: self.launches.failed_by_cause(world),
            failed_launches: self.launches.unready,
            refused_launches: refused.iter().map(|(_, count)| count).sum(),
            refused_launches_by_reason: refused,
            ..self.jobs.counted()
        }
    }
}

impl Observer for Collector {
    fn begins(&mut self, state: &State<'_>) {
        self.load.begins(state);
        self.cpu_only.begins(state);
        self.meter.begins(state.world());
        let exposes = Exposures::are_possible(state);
        self.exposures = exposes.then(|| Exposures::starting(self.from));
    }

    #[inline(always)]
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        self.load.elapse(state, from, to);
    }

    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.see(state, Fact::of(state, record));
    }

    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Option<Span>) {
        self.jobs.undone(state, work, left, self.load.began());
        if let Some(took) = self.recoveries.undone(state.now(), work) {
            self.jobs.recovered(state.work(work), took);
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        self.bills.ends(state);
        self.load.ends(state);
        let classes = state.book().classes().rows();
        self.classes = classes.iter().map(|class| class.name.clone()).collect();
    }
}

impl FactObserver for Collector {
    // Inlined, so that each place that makes a record runs only what concerns it.
    #[inline(always)]
    fn see(&mut self, state: &State<'_>, fact: Fact<'_>) {
        if let Some(metered) = self.meter.see(state, fact) {
            self.emissions.add(state, metered);
        }
        match fact {
            Fact::Submitted(work, live) => {
                self.bills.opens();
                self.jobs.submitted(work, live);
            }
            Fact::Started(allocation, started, live) => {
                self.jobs.started(state.now(), started.work(), live);
                self.cpu_only.started(state, allocation);
                if let Some(took) = self.recoveries.started(state, started.work()) {
                    self.jobs.recovered(live, took);
                }
                if let Some(exposures) = &mut self.exposures {
                    exposures.started(state, started, live);
                }
                self.apart += u64::from(lies_apart(state, started));
                self.shrunk += u64::from(started.tasks < state.gang_tasks(started.work()));
            }
            Fact::Stopped { allocation, stopped, live, tasks, ending, whole, .. } => {
                let demand = &live.ask.demand;
                self.progress.stopped(tasks, demand, ending, whole);
                self.cpu_only.stopped(state, allocation);
                self.recoveries.stopped(state.now(), stopped.work(), ending);
                self.hours.stopped(state, stopped, demand);
            }
            Fact::Finished(work, live) => self.jobs.finished(state, work, live),
            Fact::Refused(live, reason) => self.jobs.refused(live, reason),
            Fact::Unfinished(live) => self.jobs.unfinished(live),
            Fact::Requested(instance, _) => {
                self.launches.requested(state);
                self.bills.requested(state, instance);
            }
            Fact::Ready(instance, _) => self.hours.ready(state, instance),
            Fact::Released { instance, exit, billed, amount, .. } => {
                self.launches.ended(exit);
                self.bills.released(state, instance, billed, amount);
                self.hours.released(state, instance);
            }
            Fact::Charged(charge, work, instance) => {
                self.bills.charged(charge, work, instance);
                if charge.kind == ChargeKind::Transfer {
                    self.moves.charged(state, charge);
                }
            }
            Fact::LaunchRefused(_, why) => self.launches.refused(state, why),
            Fact::Failed(instance, fault) => {
                self.launches.failed += 1;
                self.launches.fails(state, fault, 1);
                self.hours.released(state, instance);
            }
            Fact::Devices { instance, fault, devices, breaks, .. } => {
                let broken = if breaks { devices.count_ones() } else { 0 };
                self.hours.devices(state, instance, broken);
                if breaks {
                    self.launches.failed_devices += u64::from(broken);
                    self.launches.fails(state, fault, u64::from(broken));
                }
            }
            Fact::Repaired(instance, _) => self.hours.ready(state, instance),
            Fact::Outage(fault, begins) => {
                if let Some(exposures) = &mut self.exposures {
                    exposures.fault(state, fault, begins);
                }
            }
            Fact::GivenUp { live, tasks, useful, lost, .. } => {
                self.progress.add(tasks, &live.ask.demand, [useful, lost, 0]);
            }
            Fact::Placed(_)
            | Fact::Draining(..)
            | Fact::Slowed { .. }
            | Fact::Restarted(..)
            | Fact::Migrates(..)
            | Fact::AtRisk(..)
            | Fact::Noted => (),
        }
    }
}

/// Whether the tasks of an allocation lie in several zones.
#[inline(always)]
fn lies_apart(state: &State<'_>, started: &Allocation) -> bool {
    let offer = |held: &HeldShare| state.instance(held.share.instance).offer;
    let zone = |offer| state.world().offers[offer].zone;
    let held = &started.held;
    let Some(first) = held.first().filter(|_| held.len() > 1).map(offer) else { return false };
    held.iter().map(offer).any(|offer| offer != first && zone(offer) != zone(first))
}
