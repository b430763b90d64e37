//! Summary of a run: numbers with stable names, units in the names.

use serde::{Deserialize, Serialize, Serializer};

use super::adjustment::Settled;
use super::histogram::Histogram;
use super::hours::ProviderHours;
use super::moves::PathTraffic;
use super::waits::GroupWait;
use crate::units::Money;

/// A distribution in five numbers; all absent without samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct DistributionSummary {
    /// Number of samples.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile, nearest rank.
    pub p95: Option<f64>,
    /// 99th percentile, nearest rank.
    pub p99: Option<f64>,
    /// Largest sample.
    pub max: Option<f64>,
}

impl DistributionSummary {
    /// Summary of samples counted in `1 / per_unit` of the unit shown.
    pub fn of(histogram: &Histogram, per_unit: f64) -> Self {
        let at = histogram.percentiles(&[0.5, 0.95, 0.99]);
        let show = |value: Option<u64>| value.map(|value| value as f64 / per_unit);
        Self {
            count: histogram.count(),
            mean: histogram.mean().map(|mean| mean / per_unit),
            p50: show(at[0]),
            p95: show(at[1]),
            p99: show(at[2]),
            max: show(histogram.max()),
        }
    }
}

/// Refused and unfinished work, added up so that it can be said how slow it would
/// have been had it begun at any later time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Undone {
    /// Pieces of work.
    pub count: u64,
    /// Sum of the inverses of what was left to run on the fastest machine there is,
    /// bounded as in a bounded slowdown, per second.
    pub inverse: f64,
    /// Sum of arrivals, in seconds since the summary's start, over the same.
    pub arrivals: f64,
    /// Rest of its run, in core-hours of the reference machine; nothing of what never ends.
    #[serde(default)]
    pub core_hours: f64,
    /// The same in GPU-hours.
    #[serde(default)]
    pub gpu_hours: f64,
}

impl Undone {
    /// Sum of the bounded slowdowns if all of it began `at_s` seconds after the
    /// summary's start, one after having waited so long.
    pub fn slowdowns(&self, at_s: f64) -> f64 {
        self.count as f64 + (at_s * self.inverse - self.arrivals).max(0.0)
    }
}

/// Pieces of work by how they ended. Submitted = finished + refused + unfinished.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WorkCounts {
    /// Pieces of work that arrived within the run.
    pub submitted: u64,
    /// Jobs of these without an estimate of their runtime.
    pub unestimated: u64,
    /// Pieces of work that were done.
    pub finished: u64,
    /// Pieces of work that were turned away.
    pub refused: u64,
    /// The same by reason.
    #[serde(serialize_with = "as_map")]
    pub refused_by_reason: Vec<(String, u64)>,
    /// Alive when the run ended.
    pub unfinished: u64,
    /// Allocations that the policy took away.
    pub preemptions: u64,
    /// Allocations whose tasks were moved to other instances with what they had made.
    pub migrations: u64,
    /// Starts of gangs with fewer tasks than they asked for, after a loss.
    pub shrunk_starts: u64,
    /// Allocations that lost an instance to its provider.
    pub interruptions: u64,
    /// Instances that their provider took back.
    pub reclaimed_instances: u64,
    /// Allocations that were ended because a machine failed.
    pub failures: u64,
    /// Times that a machine failed, whatever was on it.
    pub failed_instances: u64,
    /// Times that a GPU device that worked broke, whatever was on it, also while its machine was down. One
    /// that is broken already fails no second time.
    pub failed_devices: u64,
    /// Both by the name of what failed.
    #[serde(serialize_with = "as_map")]
    pub failed_by_cause: Vec<(String, u64)>,
    /// Launches that came to nothing.
    pub failed_launches: u64,
    /// Launches refused by quota, capacity or outage, also those of an attempt that was rolled back.
    pub refused_launches: u64,
    /// The same by the quota's name, or `capacity` or `outage`.
    #[serde(serialize_with = "as_map")]
    pub refused_launches_by_reason: Vec<(String, u64)>,
    /// Share of the submitted work that finished.
    pub finished_share: Option<f64>,
}

/// Costs of the run. Every part sums to the total exactly; tenants' parts sum to the total less
/// boot and idle time, which belong to nobody.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Costs {
    /// Total cost.
    #[serde(rename = "total_usd", serialize_with = "as_usd")]
    pub total: Money,
    /// Cost by provider and cluster.
    #[serde(rename = "by_provider_usd", serialize_with = "as_usd_map")]
    pub by_provider: Vec<(String, Money)>,
    /// Cost by region.
    #[serde(rename = "by_region_usd", serialize_with = "as_usd_map")]
    pub by_region: Vec<(String, Money)>,
    /// Cost by market.
    #[serde(rename = "by_market_usd", serialize_with = "as_usd_map")]
    pub by_market: Vec<(String, Money)>,
    /// Cost by purpose: work, boot, idle, transfer.
    #[serde(rename = "by_kind_usd", serialize_with = "as_usd_map")]
    pub by_kind: Vec<(String, Money)>,
    /// Cost by tenant.
    #[serde(rename = "by_tenant_usd", serialize_with = "as_usd_map")]
    pub by_tenant: Vec<(String, Money)>,
    /// Cost by provider and purpose.
    pub parts: Vec<CostPart>,
    /// Cost of instances that were there from beginning to end, owned ones and
    /// fleets that are kept: paid because time passes, whatever work there is.
    #[serde(skip)]
    pub standing: Money,
    /// Part of it that is due to the terms of an account: what it costs more than at list prices,
    /// mostly below zero; `None` without terms.
    #[serde(
        rename = "terms_usd",
        serialize_with = "as_usd_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub terms: Option<Money>,
    /// Cost of rented instances at list prices, and of the same time on demand.
    #[serde(skip)]
    pub rented: Money,
    /// The same time at the on-demand list price.
    #[serde(skip)]
    pub at_list: Money,
    /// Saving of rented instances against the same time at the on-demand list price, as a share
    /// of the latter (FinOps Foundation, "effective savings rate").
    pub effective_savings_rate: Option<f64>,
    /// Total over finished work.
    pub per_job_usd: Option<f64>,
    /// Total over useful core-hours.
    pub per_useful_core_hour_usd: Option<f64>,
    /// Total over useful GPU-hours.
    pub per_useful_gpu_hour_usd: Option<f64>,
}

/// Charges of one provider or cluster for one kind of thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CostPart {
    /// Name of the provider or cluster.
    pub provider: String,
    /// Work, boot, idle or transfer.
    pub kind: &'static str,
    /// Money charged.
    #[serde(rename = "usd", serialize_with = "as_usd")]
    pub paid: Money,
    /// Part of it that was charged because time passed, for machines that stood all along.
    #[serde(skip)]
    pub standing: Money,
    /// Dollars a month; `None` if nothing says how long it takes. The parts sum to
    /// [`Summary::monthly`].
    #[serde(rename = "per_month_usd")]
    pub monthly: Option<f64>,
}

/// Promises about time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Deadlines {
    /// Work that had one.
    pub with: u64,
    /// Work that was done in time.
    pub met: u64,
    /// Work that was done late, refused or not done.
    pub missed: u64,
    /// Lateness of finished work, zero where in time.
    pub tardiness_s: DistributionSummary,
}

/// Machines with GPUs on which work ran, but none with GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CpuOnGpus {
    /// Hours of rented ones; `None` if no work ran on any rented machine with GPUs.
    pub hours: Option<f64>,
    /// Cost of the rented ones in that time, before the billing rule rounds.
    #[serde(rename = "usd", serialize_with = "as_usd_if_any")]
    pub cost: Option<Money>,
    /// Hours of owned ones.
    pub owned_hours: f64,
}

/// Summary of one run: everything that is shown of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Date at which the clock started.
    pub started: String,
    /// Date at which it stopped.
    pub ended: String,
    /// Simulated time in seconds.
    pub simulated_s: f64,
    /// All work was done or refused.
    pub drained: bool,
    /// Events and arrivals applied.
    pub events: u64,
    /// Times the policy was asked.
    pub decisions: u64,
    /// Illegal actions of the policy.
    pub illegal_actions: u64,
    /// Most pieces of work that waited at once without a reservation, as too many waited.
    #[serde(skip)]
    pub unreserved: u64,
    /// Pieces of work left waiting at the end although they would have fitted on what was free.
    #[serde(skip)]
    pub stranded: u64,
    /// Pieces of work left waiting at the end for GPUs that are broken for good.
    #[serde(skip)]
    pub lacking: u64,
    /// Pieces of other work left waiting at the end for machines that are down for good.
    #[serde(skip)]
    pub lacking_machines: u64,
    /// Work by how it ended.
    pub work: WorkCounts,
    /// Work that was not done.
    #[serde(skip)]
    pub undone: Undone,
    /// Costs of the run.
    pub cost: Costs,
    /// First start minus submission, of work that started.
    pub wait_s: DistributionSummary,
    /// The same by tenant, the most work first; work of tenants beyond the first
    /// 256 is counted as one.
    #[serde(rename = "wait_s_by_tenant")]
    pub waits_by_tenant: Vec<GroupWait>,
    /// The same by class of work; empty if the workload has no classes.
    #[serde(rename = "wait_s_by_class")]
    pub waits_by_class: Vec<GroupWait>,
    /// End minus submission, of finished work.
    pub turnaround_s: DistributionSummary,
    /// Bounded slowdown of finished work, bound 10 s.
    pub bounded_slowdown: DistributionSummary,
    /// Time from an interruption or a failure of work until tasks of it start and none waits; of work
    /// that never ran again until it was refused or the run ended.
    pub recovery_s: DistributionSummary,
    /// Starts of gangs in several zones.
    #[serde(skip)]
    pub gangs_apart: u64,
    /// Deadlines that were met and missed.
    pub deadlines: Deadlines,
    /// Seconds from the start, or the end of the warm-up, to the last submission.
    pub arrivals_s: f64,
    /// Seconds that the work stands for, where the scenario says so.
    pub period_s: Option<f64>,
    /// Last end minus first submission.
    pub makespan_s: f64,
    /// Finished work per hour of makespan.
    pub throughput_per_hour: Option<f64>,
    /// Time-weighted mean of work with tasks that have no place. Work that is placed and waits for its
    /// instances to boot does not count, though that is part of the wait.
    pub queue_length_mean: Option<f64>,
    /// Most such work at once, for longer than an instant.
    pub queue_length_max: u64,
    /// Milli-cores that tasks on instances ask, over those of running instances, time-weighted.
    /// Boots are no running time.
    pub utilisation_cpu: Option<f64>,
    /// The same for memory.
    pub utilisation_memory: Option<f64>,
    /// The same for GPUs.
    pub utilisation_gpu: Option<f64>,
    /// Time of running instances over that of those that ran or were down.
    pub availability: Option<f64>,
    /// Share of the work that ran that met no security incident; `None` where the scenario has none.
    pub security: Option<f64>,
    /// Alerts by the rules of the scenario; `None` without rules.
    pub alerts: Option<u64>,
    /// What the terms of its account did to its costs; `None` without terms.
    #[serde(skip)]
    pub settled: Option<Settled>,
    /// Launches, owned instances included.
    pub instances_launched: u64,
    /// Most instances at once.
    pub instances_max: u64,
    /// Hours of running instances.
    pub instance_hours: f64,
    /// Hours of booting instances.
    pub boot_hours: f64,
    /// Progress that counted, times milli-cores asked, in core-hours of the reference machine.
    pub useful_core_hours: f64,
    /// The same for memory.
    pub useful_gib_hours: f64,
    /// The same for GPUs.
    pub useful_gpu_hours: f64,
    /// Progress thrown away, in core-hours.
    pub lost_core_hours: f64,
    /// The same for GPUs.
    pub lost_gpu_hours: f64,
    /// Progress not made while tasks read and wrote checkpoints, in core-hours.
    pub overhead_core_hours: f64,
    /// The same for GPUs.
    pub overhead_gpu_hours: f64,
    /// Hours of GPU devices that were broken while their machine ran; `None` where none can break.
    pub broken_gpu_hours: Option<f64>,
    /// GPUs that were paid for and that nobody asked for.
    pub cpu_on_gpus: CpuOnGpus,
    /// Hours of cores and GPUs by provider, own clusters first.
    pub hours_by_provider: Vec<ProviderHours>,
    /// Data moved by path, the dearest first.
    pub moved: Vec<PathTraffic>,
    /// Data moved between regions.
    pub transferred_gib: f64,
    /// Energy and grid carbon of where instances ran.
    #[serde(flatten)]
    pub carbon: Carbon,
    /// Percentiles are exact; otherwise at most 0.1 % too high.
    pub percentiles_exact: bool,
}

/// Energy in kilowatt-hours and grid carbon in kilograms of CO2-equivalent of where instances ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Carbon {
    /// Carbon of all instances; `None` if that of some is not known.
    #[serde(rename = "carbon_kg")]
    pub kg: Option<f64>,
    /// Carbon of the instances whose carbon is known: the least that it can be.
    #[serde(rename = "carbon_kg_known")]
    pub known_kg: f64,
    /// Carbon by region; `None` where that of some instance there is not known.
    #[serde(rename = "carbon_kg_by_region", serialize_with = "as_map")]
    pub by_region: Vec<(String, Option<f64>)>,
    /// Regions and clusters whose carbon is not known, with the keys that are missing.
    #[serde(rename = "carbon_unknown", serialize_with = "as_map")]
    pub unknown: Vec<(String, &'static str)>,
    /// Carbon by provider; `None` as by region.
    #[serde(rename = "carbon_kg_by_provider", serialize_with = "as_map")]
    pub by_provider: Vec<(String, Option<f64>)>,
    /// The part of the known carbon that work caused, by tenant.
    #[serde(rename = "carbon_kg_by_tenant", serialize_with = "as_map")]
    pub by_tenant: Vec<(String, f64)>,
    /// The part that no work caused: of machines that do nothing, or are not full.
    #[serde(rename = "carbon_kg_idle")]
    pub idle_kg: f64,
    /// Energy of all instances and of what their data centres add; `None` if that of some is not known.
    #[serde(rename = "energy_kwh")]
    pub kwh: Option<f64>,
    /// Energy by region; `None` where that of some instance there is not known.
    #[serde(rename = "energy_kwh_by_region", serialize_with = "as_map")]
    pub kwh_by_region: Vec<(String, Option<f64>)>,
    /// Energy by provider; `None` as by region.
    #[serde(rename = "energy_kwh_by_provider", serialize_with = "as_map")]
    pub kwh_by_provider: Vec<(String, Option<f64>)>,
    /// The part of the known energy that work caused, by tenant.
    #[serde(rename = "energy_kwh_by_tenant", serialize_with = "as_map")]
    pub kwh_by_tenant: Vec<(String, f64)>,
    /// The part that no work caused.
    #[serde(rename = "energy_kwh_idle")]
    pub idle_kwh: f64,
}

/// Energy and grid carbon of a part of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnergyPart {
    /// Provider, cluster or tenant; empty for what no work caused.
    pub name: String,
    /// Energy in kilowatt-hours.
    pub kwh: f64,
    /// Carbon in kilograms of CO2-equivalent; 0 where it is not known.
    pub carbon_kg: f64,
}

impl Carbon {
    /// Energy and carbon by provider, of those whose energy is known.
    pub fn of_providers(&self) -> Vec<EnergyPart> {
        let known = self.kwh_by_provider.iter().filter_map(|(name, kwh)| {
            let own = self.by_provider.iter().find(|(other, _)| other == name);
            let carbon_kg = own.and_then(|(_, kg)| *kg).unwrap_or(0.0);
            Some(EnergyPart { name: name.clone(), kwh: (*kwh)?, carbon_kg })
        });
        known.collect()
    }

    /// Energy and carbon that work caused, by tenant, the most energy first; and before them what no work
    /// did.
    pub fn of_tenants(&self) -> Vec<EnergyPart> {
        if self.kwh_by_tenant.is_empty() && self.idle_kwh == 0.0 {
            return Vec::new();
        }
        let pairs = self.kwh_by_tenant.iter().zip(&self.by_tenant);
        let part = |((name, kwh), (_, kg)): (&(String, f64), &(String, f64))| EnergyPart {
            name: name.clone(),
            kwh: *kwh,
            carbon_kg: *kg,
        };
        let mut parts: Vec<EnergyPart> = pairs.map(part).collect();
        parts.sort_by(|one, other| other.kwh.total_cmp(&one.kwh));
        let name = String::new();
        parts.insert(0, EnergyPart { name, kwh: self.idle_kwh, carbon_kg: self.idle_kg });
        parts
    }

    /// Reason why the carbon is not known, in words; `None` if it is known.
    pub fn missing(&self) -> Option<String> {
        let told: Vec<String> =
            self.unknown.iter().map(|(name, keys)| format!("{name} has no {keys}")).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

/// Seconds of a month: a twelfth of a Gregorian year of 365.2425 days.
const MONTH_S: f64 = 365.2425 * 86_400.0 / 12.0;

impl Summary {
    /// Cost of a month of this, in US dollars. Payments because time passed, for instances that
    /// were there from beginning to end, go by the time over which they were made; payments
    /// because there was work go by the time that the work stands for ([`Summary::rent_s`]),
    /// however long it took. `None` if either was paid and its time is zero.
    pub fn monthly(&self) -> Option<f64> {
        self.month_of(self.cost.total, self.cost.standing)
    }

    /// The same of a part of the cost; `standing` of it was paid because time passed.
    fn month_of(&self, paid: Money, standing: Money) -> Option<f64> {
        let month = |paid: Money, seconds: f64| match paid {
            Money::ZERO => Some(0.0),
            _ => (seconds > 0.0).then(|| paid.dollars() * MONTH_S / seconds),
        };
        Some(month(standing, self.simulated_s)? + month(paid - standing, self.rent_s())?)
    }

    /// Seconds that what is rented in a month is scaled from: those that the work stands
    /// for, else those over which it arrived, or all of the run where it came at once.
    pub fn rent_s(&self) -> f64 {
        match self.period_s {
            Some(period) => period,
            None if self.arrivals_s > 0.0 => self.arrivals_s,
            None => self.simulated_s,
        }
    }

    /// Says of each part of the cost what it is in a month.
    pub(super) fn spread_over_months(&mut self) {
        let mut parts = std::mem::take(&mut self.cost.parts);
        for part in &mut parts {
            part.monthly = self.month_of(part.paid, part.standing);
        }
        self.cost.parts = parts;
    }
}

/// Saving of what was paid against the same at list price, as a share of the latter. It is rounded to
/// a billionth: bills are rounded to a nano-dollar each, which is no saving.
pub(super) fn savings_rate(paid: Money, at_list: Money) -> Option<f64> {
    let share = super::ratio(paid.dollars(), at_list.dollars());
    share.map(|paid| libm::round((1.0 - paid) * 1e9) / 1e9)
}

fn as_usd<S: Serializer>(money: &Money, to: S) -> Result<S::Ok, S::Error> {
    exact_number(*money).serialize(to)
}

fn as_usd_if_any<S: Serializer>(money: &Option<Money>, to: S) -> Result<S::Ok, S::Error> {
    money.map(exact_number).serialize(to)
}

fn as_usd_map<S: Serializer>(rows: &[(String, Money)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(rows.iter().map(|(name, money)| (name, exact_number(*money))))
}

fn as_map<S: Serializer, T: Serialize>(rows: &[(String, T)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(rows.iter().map(|(name, value)| (name, value)))
}

/// Dollars as a JSON number with all nine decimals.
fn exact_number(money: Money) -> serde_json::Number {
    serde_json::from_str(&money.exact()).expect("an exact amount is a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node at 1 USD/h stands for 30 h, and 10 USD of work is rented for
    /// what arrives in the first 10 h: 30 × 730.485/30 + 10 × 730.485/10.
    #[test]
    fn a_month_goes_by_what_was_paid_for() {
        let dollars = |dollars: i128| Money::from_nanos(dollars * 1_000_000_000);
        let mut summary = Summary {
            cost: Costs { total: dollars(40), standing: dollars(30), ..Costs::default() },
            arrivals_s: 36_000.0,
            simulated_s: 108_000.0,
            ..Summary::default()
        };
        let monthly = summary.monthly().expect("both times are known");
        assert!((monthly - 2.0 * 730.485).abs() < 1e-9, "{monthly}");
        // The work of those 10 h is that of a day.
        summary.period_s = Some(86_400.0);
        let monthly = summary.monthly().expect("both times are known");
        assert!((monthly - (1.0 + 10.0 / 24.0) * 730.485).abs() < 1e-9, "{monthly}");
        summary.period_s = None;
        // The arrival of the last job does not matter if nothing is rented.
        summary.cost.total = dollars(30);
        summary.arrivals_s = 0.0;
        let owned = summary.monthly().expect("nothing was rented");
        assert!((owned - 730.485).abs() < 1e-9, "{owned}");
        // All of the work came at once: the run is what a month is made of.
        summary.cost.total = dollars(31);
        let monthly = summary.monthly().expect("the run took time");
        assert!((monthly - 31.0 / 30.0 * 730.485).abs() < 1e-9, "{monthly}");
        summary.simulated_s = 0.0;
        assert_eq!(summary.monthly(), None);
    }
}
