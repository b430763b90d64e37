//! Adds up a run as it goes; memory does not grow with the work that is done.

use std::collections::BTreeMap;

use super::cpu_only::CpuOnly;
use super::histogram::Histogram;
use super::hours::Hours;
use super::moves::Moves;
use super::summary::{
    Carbon, CostPart, Costs, CpuOnGpus, Deadlines, Distribution, Summary, Undone, WorkCounts,
};
use super::waits::GroupWaits;
use crate::model::{Kind, Market, Region, World};
use crate::sim::{Observer, Outcome};
use crate::state::{
    AllocationRef, Areas, ChargeKind, Ending, Held, InstanceRef, LaunchRefusal, Record,
    RefusalReason, State, WorkRef,
};
use crate::units::{Id, Money, Span, Time};

/// Runtimes below this do not blow up a bounded slowdown.
pub const SLOWDOWN_FLOOR: Span = Span::from_secs(10);

/// Place of moved data, which is bought on no market.
const NO_MARKET: usize = 3;

/// Adds up everything that a summary shows.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    /// Work that arrives before this is not counted, nor is time: the end of a warm-up.
    from: Option<Time>,
    /// The end of a window: what is left of its work afterwards is no longer its load.
    until: Option<Time>,
    /// Time that the work that counts stands for, where it is known.
    period: Option<Span>,
    submitted: u64,
    unestimated: u64,
    /// By slot of the work: whether an allocation of it has started.
    started: Vec<bool>,
    finished: u64,
    unfinished: u64,
    undone: Undone,
    refused: [u64; RefusalReason::ALL.len()],
    /// By row of the quota, and by capacity.
    refused_by_quota: Vec<u64>,
    refused_by_capacity: u64,
    preemptions: u64,
    wait: Histogram,
    waits_by_tenant: GroupWaits,
    waits_by_class: GroupWaits,
    /// Names of the classes, which only the state knows.
    classes: Vec<String>,
    turnaround: Histogram,
    slowdown: Histogram,
    tardiness: Histogram,
    with_deadline: u64,
    deadlines_met: u64,
    first_arrival: Option<Time>,
    last_arrival: Option<Time>,
    last_end: Option<Time>,
    /// By region and kind of charge.
    by_region: Vec<[Money; 4]>,
    /// And, last, what belongs to no market.
    by_market: [Money; 4],
    /// Instance time of rented instances: as billed, and at the on-demand list
    /// price (pico-dollars per hour times microseconds).
    rented: Money,
    at_list: i128,
    /// The first arrival, whether it counts or not.
    opened: Option<Time>,
    /// What each instance cost that was requested before it came, when it ended, and where
    /// it was; in the end only of those that were there until the end.
    standing: BTreeMap<InstanceRef, (Time, Money, Id<Region>)>,
    by_tenant: Vec<Money>,
    transferred: i128,
    /// Useful and lost progress times demand: milli-cores, MiB, milli-GPUs by millionths of a microsecond.
    useful: [i128; 3],
    lost: [i128; 3],
    waiting_max: u64,
    live_max: u64,
    launched: u64,
    /// Starts of gangs in several zones.
    apart: u64,
    began: Time,
    elapsed: Span,
    /// The state's integrals over the time that counts, and before it.
    areas: Areas,
    before: Areas,
    /// The same up to the end of the window, where the run goes on after it.
    window: Option<(Span, Areas)>,
    /// Milligrams of CO2-equivalent, times 3.6e15 (milliwatts, microseconds, per kWh).
    carbon: i128,
    carbon_by_region: Vec<i128>,
    /// By region, how long instances lived whose power, and whose grid's carbon, is not known.
    dark: Vec<[i128; 2]>,
    cpu_only: CpuOnly,
    hours: Hours,
    moves: Moves,
}

impl Collector {
    /// Counts work that arrives at `from` or later, and time from then on. What
    /// is charged, useful, moved or emitted is counted from the beginning; see
    /// [`Collector::without`].
    pub fn starting(from: Time) -> Self {
        Self { from: Some(from), ..Self::default() }
    }

    /// Takes utilisation and the mean queue over the time before `until` only: a window
    /// of a trace ends there, and what is left of its work runs on an emptying machine.
    pub fn ending(self, until: Time) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Scales what is rented in a month from `period`, not from the arrivals.
    pub fn standing_for(self, period: Span) -> Self {
        Self { period: Some(period), ..self }
    }

    /// Takes away what `earlier` added up: the same run, cut off where this one
    /// begins to count. Money, progress, data and carbon of the time before
    /// leave nothing behind, for a run is the same up to any point.
    pub fn without(mut self, earlier: &Self) -> Self {
        for (mine, theirs) in self.by_region.iter_mut().zip(&earlier.by_region) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine -= *theirs;
            }
        }
        let pairs = self.by_market.iter_mut().zip(&earlier.by_market);
        for (mine, theirs) in pairs.chain(self.by_tenant.iter_mut().zip(&earlier.by_tenant)) {
            *mine -= *theirs;
        }
        for at in 0..3 {
            self.useful[at] -= earlier.useful[at];
            self.lost[at] -= earlier.lost[at];
        }
        for (instance, (_, paid, _)) in &mut self.standing {
            *paid -= earlier.standing.get(instance).map_or(Money::ZERO, |&(_, before, _)| before);
        }
        self.rented -= earlier.rented;
        self.at_list -= earlier.at_list;
        self.transferred -= earlier.transferred;
        self.carbon -= earlier.carbon;
        for (mine, theirs) in self.carbon_by_region.iter_mut().zip(&earlier.carbon_by_region) {
            *mine -= theirs;
        }
        for (mine, theirs) in self.dark.iter_mut().zip(&earlier.dark) {
            mine[0] -= theirs[0];
            mine[1] -= theirs[1];
        }
        self.cpu_only.subtract(&earlier.cpu_only);
        self.hours.subtract(&earlier.hours);
        self.moves.subtract(&earlier.moves);
        self.preemptions -= earlier.preemptions;
        self.launched -= earlier.launched;
        self.apart -= earlier.apart;
        for (mine, theirs) in self.refused_by_quota.iter_mut().zip(&earlier.refused_by_quota) {
            *mine -= theirs;
        }
        self.refused_by_capacity -= earlier.refused_by_capacity;
        self
    }

    /// What was added up, for a run that went as `outcome` says.
    pub fn summary(&self, world: &World, tenants: &[String], outcome: &Outcome) -> Summary {
        let makespan = match (self.first_arrival, self.last_end) {
            (Some(first), Some(last)) => last - first,
            _ => Span::ZERO,
        };
        let began = self.from.map_or(outcome.started, |warm| outcome.started.max(warm));
        let arrivals = self.last_arrival.map_or(Span::ZERO, |last| last - began);
        let mut summary = Summary {
            started: world.calendar.format(began),
            ended: world.calendar.format(outcome.ended),
            simulated_s: (outcome.ended - began).secs_f64(),
            drained: outcome.drained,
            events: outcome.events,
            decisions: outcome.decisions,
            illegal_actions: outcome.illegal,
            unreserved: outcome.unreserved,
            work: self.counts(world),
            undone: self.undone,
            cost: self.costs(world, tenants),
            wait_s: Distribution::of(&self.wait, 1e6),
            waits_by_tenant: self.waits_by_tenant.named(tenants),
            waits_by_class: match self.classes.len() {
                // All of it has no class.
                0 | 1 => Vec::new(),
                _ => self.waits_by_class.named(&self.classes),
            },
            turnaround_s: Distribution::of(&self.turnaround, 1e6),
            bounded_slowdown: Distribution::of(&self.slowdown, 1e6),
            gangs_apart: self.apart,
            deadlines: Deadlines {
                with: self.with_deadline,
                met: self.deadlines_met,
                missed: self.with_deadline - self.deadlines_met,
                tardiness_s: Distribution::of(&self.tardiness, 1e6),
            },
            arrivals_s: arrivals.secs_f64(),
            period_s: self.period.map(Span::secs_f64),
            makespan_s: makespan.secs_f64(),
            throughput_per_hour: ratio(self.finished as f64, makespan.secs_f64() / 3_600.0),
            queue_length_mean: self.queue(),
            queue_length_max: self.waiting_max,
            utilisation_cpu: self.utilisation(0),
            utilisation_memory: self.utilisation(1),
            utilisation_gpu: self.utilisation(2),
            instances_launched: self.launched,
            instances_max: self.live_max,
            instance_hours: self.areas.running as f64 / 3.6e9,
            boot_hours: self.areas.booting as f64 / 3.6e9,
            useful_core_hours: hours(self.useful[0], 1e3),
            useful_gib_hours: hours(self.useful[1], 1024.0),
            useful_gpu_hours: hours(self.useful[2], 1e3),
            lost_core_hours: hours(self.lost[0], 1e3),
            lost_gpu_hours: hours(self.lost[2], 1e3),
            cpu_on_gpus: CpuOnGpus {
                hours: self.cpu_only.has_rented.then(|| self.cpu_only.rented as f64 / 3.6e9),
                cost: self.cpu_only.has_rented.then_some(self.cpu_only.cost),
                owned_hours: self.cpu_only.owned as f64 / 3.6e9,
            },
            hours_by_provider: self.hours.named(world),
            moved: self.moves.named(world),
            transferred_gib: self.transferred as f64 / f64::from(1 << 30),
            carbon: self.emitted(world),
            percentiles_exact: self.wait.is_exact(),
        };
        summary.spread_over_months();
        summary
    }

    /// The waits, for a chart of their distribution.
    pub fn waits(&self) -> &Histogram {
        &self.wait
    }

    fn counts_from(&self, arrival: Time) -> bool {
        self.from.is_none_or(|from| arrival >= from)
    }

    /// Over which time utilisation and the queue are told, and the integrals over it.
    fn told(&self) -> (Span, &Areas) {
        match &self.window {
            Some((elapsed, areas)) => (*elapsed, areas),
            None => (self.elapsed, &self.areas),
        }
    }

    fn queue(&self) -> Option<f64> {
        let (elapsed, areas) = self.told();
        ratio(areas.waiting as f64, elapsed.micros() as f64)
    }

    /// Of a resource, by its place: CPU, memory, GPU.
    fn utilisation(&self, at: usize) -> Option<f64> {
        let (_, areas) = self.told();
        ratio(areas.allocated[at] as f64, areas.capacity[at] as f64)
    }

    fn counts(&self, world: &World) -> WorkCounts {
        let refused: u64 = self.refused.iter().sum();
        WorkCounts {
            submitted: self.submitted,
            unestimated: self.unestimated,
            finished: self.finished,
            refused,
            refused_by_reason: RefusalReason::ALL
                .into_iter()
                .zip(self.refused)
                .filter(|&(_, count)| count > 0)
                .map(|(reason, count)| (reason.name().to_owned(), count))
                .collect(),
            unfinished: self.unfinished,
            preemptions: self.preemptions,
            refused_launches: self.refused_by_quota.iter().sum::<u64>() + self.refused_by_capacity,
            refused_launches_by_reason: self.refused_launches(world),
            finished_share: ratio(self.finished as f64, self.submitted as f64),
        }
    }

    fn refused_launches(&self, world: &World) -> Vec<(String, u64)> {
        let quotas = world.quotas.iter().map(|quota| quota.name.clone());
        let by_quota = quotas.zip(self.refused_by_quota.iter().copied());
        let all = by_quota.chain([("capacity".to_owned(), self.refused_by_capacity)]);
        all.filter(|&(_, count)| count > 0).collect()
    }

    fn costs(&self, world: &World, tenants: &[String]) -> Costs {
        let total: Money = self.by_market.iter().copied().sum();
        let kinds = [ChargeKind::Work, ChargeKind::Boot, ChargeKind::Idle, ChargeKind::Transfer];
        let mut parts = vec![[Money::ZERO; 4]; world.providers.len()];
        for (region, facts) in world.regions.iter() {
            let Some(sums) = self.by_region.get(region.row()) else { continue };
            for (part, &sum) in parts[facts.provider.row()].iter_mut().zip(sums) {
                *part += sum;
            }
        }
        let sum = |kinds: &[Money; 4]| kinds.iter().copied().sum::<Money>();
        let by_provider: Vec<Money> = parts.iter().map(sum).collect();
        let by_region: Vec<Money> = self.by_region.iter().map(sum).collect();
        let by_kind = kinds.map(|kind| parts.iter().map(|part| part[kind as usize]).sum());
        let markets = [Market::OnDemand, Market::Spot, Market::Owned].map(Market::name);
        let markets = markets.into_iter().chain([ChargeKind::Transfer.name()]).map(str::to_owned);
        let gpu_hours = hours(self.useful[2], 1e3);
        let at_list = Money::from_accrued(self.at_list);
        Costs {
            total,
            by_provider: named(
                world.providers.rows().iter().map(|provider| provider.name.clone()),
                &by_provider,
            ),
            by_region: named(
                world.regions.ids().map(|region| world.region_name(region)),
                &by_region,
            ),
            by_market: named(markets, &self.by_market),
            by_kind: named(kinds.map(|kind| kind.name().to_owned()), &by_kind),
            parts: parts_by_name(world, kinds, &parts, &self.standing_by_provider(world)),
            standing: self.standing.values().map(|&(_, paid, _)| paid).sum(),
            by_tenant: named(tenants.iter().cloned(), &self.by_tenant),
            // To a billionth: bills are rounded to a nano-dollar each, which is no saving.
            effective_savings_rate: ratio(self.rented.dollars(), at_list.dollars())
                .map(|paid| libm::round((1.0 - paid) * 1e9) / 1e9),
            per_job_usd: ratio(total.dollars(), self.finished as f64),
            per_useful_core_hour_usd: ratio(total.dollars(), hours(self.useful[0], 1e3)),
            per_useful_gpu_hour_usd: ratio(total.dollars(), gpu_hours),
        }
    }

    /// Of the instances that were there from beginning to end, by row of the provider.
    fn standing_by_provider(&self, world: &World) -> Vec<Money> {
        let mut sums = vec![Money::ZERO; world.providers.len()];
        for &(_, paid, region) in self.standing.values() {
            sums[world.regions[region].provider.row()] += paid;
        }
        sums
    }

    fn emitted(&self, world: &World) -> Carbon {
        let kilograms = |sum: i128| sum as f64 / 3.6e15 / 1e6;
        let known_kg = kilograms(self.carbon);
        let (mut by_region, mut unknown) = (Vec::new(), Vec::new());
        for (region, sum) in world.regions.ids().zip(&self.carbon_by_region) {
            let [power, grid] = self.dark[region.row()];
            let missing = match (power > 0, grid > 0) {
                (false, false) => None,
                (true, false) => Some("`power`"),
                (false, true) => Some("`carbon_g_per_kwh`"),
                (true, true) => Some("`power` and `carbon_g_per_kwh`"),
            };
            let name = world.region_name(region);
            unknown.extend(missing.map(|missing| (name.clone(), missing)));
            if *sum > 0 || missing.is_some() {
                by_region.push((name, missing.is_none().then(|| kilograms(*sum))));
            }
        }
        Carbon { kg: unknown.is_empty().then_some(known_kg), known_kg, by_region, unknown }
    }

    /// Counts the wait of work of which an allocation has started, if it is the
    /// first that does.
    #[inline]
    fn work_started(&mut self, state: &State<'_>, work: WorkRef) {
        if std::mem::replace(&mut self.started[work.slot()], true) {
            return;
        }
        let live = state.work(work);
        if self.counts_from(live.arrival) {
            let wait = (state.now() - live.arrival).micros().max(0) as u64;
            self.wait.add(wait);
            self.waits_by_tenant.add(live.ask.tenant.row(), wait);
            self.waits_by_class.add(usize::from(live.ask.class), wait);
        }
    }

    /// Work is new: none of its allocations has started.
    #[inline]
    fn work_submitted(&mut self, work: WorkRef) {
        if self.started.len() <= work.slot() {
            self.started.resize(work.slot() + 1, false);
        }
        self.started[work.slot()] = false;
    }

    fn progressed(
        &mut self,
        state: &State<'_>,
        allocation: AllocationRef,
        useful: i128,
        lost: i128,
    ) {
        let target = state.allocation(allocation);
        let demand = state.work(target.work()).ask.demand;
        let amounts = [demand.cpu, demand.memory, demand.gpu_milli()];
        for (at, amount) in amounts.into_iter().enumerate() {
            if amount == 0 {
                continue;
            }
            let tasks = i128::from(u64::from(amount) * u64::from(target.tasks));
            self.useful[at] += useful * tasks;
            if lost != 0 {
                self.lost[at] += lost * tasks;
            }
        }
    }

    fn work_finished(&mut self, state: &State<'_>, work: WorkRef) {
        let live = state.work(work);
        let now = state.now();
        if !self.counts_from(live.arrival) {
            return;
        }
        self.finished += 1;
        self.last_end = Some(now);
        let turnaround = (now - live.arrival).micros().max(0);
        self.turnaround.add(turnaround as u64);
        let bound = state.ran(work).max(SLOWDOWN_FLOOR).micros();
        let slowdown = millionths(turnaround as u64, bound as u64);
        self.slowdown.add(slowdown.max(1_000_000));
        if live.ask.deadline != Time::MAX {
            self.with_deadline += 1;
            let late = (now - live.ask.deadline).micros().max(0);
            self.deadlines_met += u64::from(late == 0);
            self.tardiness.add(late as u64);
        }
    }

    /// Work that ends without being done misses its deadline, if it had one.
    fn work_failed(&mut self, state: &State<'_>, work: WorkRef) {
        let live = state.work(work);
        if !self.counts_from(live.arrival) {
            return;
        }
        self.with_deadline += u64::from(live.ask.deadline != Time::MAX);
    }

    /// How slow it would have been is told by the fastest machine, on which a
    /// wait weighs most.
    fn work_undone(&mut self, state: &State<'_>, work: WorkRef, left: Span) {
        let live = state.work(work);
        if !self.counts_from(live.arrival) {
            return;
        }
        let speeds = state.world().types.rows().iter().map(|kind| kind.speed);
        let fastest = f64::from(speeds.max().unwrap_or(0).max(1)) / 1e6;
        let runtime = (left.secs_f64() / fastest).max(SLOWDOWN_FLOOR.secs_f64());
        let began = self.from.map_or(self.began, |warm| warm.max(self.began));
        self.undone.count += 1;
        self.undone.inverse += 1.0 / runtime;
        self.undone.arrivals += (live.arrival - began).secs_f64() / runtime;
    }

    fn released(&mut self, state: &State<'_>, instance: InstanceRef, billed: Span, amount: Money) {
        let (target, world) = (state.instance(instance), state.world());
        if let Some(standing) = self.standing.get_mut(&instance) {
            *standing = (state.now(), amount, target.region);
        }
        if let Some(list) = world.offers[target.offer].price.list {
            self.rented += amount;
            self.at_list += i128::from(list.picos()) * i128::from(billed.micros());
        }
        let region = world.region_of(target.offer);
        let lived = i128::from((state.now() - target.meter().since()).micros());
        if self.carbon_by_region.len() <= region.row() {
            self.carbon_by_region.resize(region.row() + 1, 0);
            self.dark.resize(region.row() + 1, [0; 2]);
        }
        let power = world.type_of(target.offer).power_milliwatts;
        let grid = world.regions[region].carbon_mg_per_kwh;
        if let (Some(power), Some(grid)) = (power, grid) {
            let sum = lived * i128::from(power) * i128::from(grid);
            self.carbon += sum;
            self.carbon_by_region[region.row()] += sum;
        } else {
            let [no_power, no_grid] = &mut self.dark[region.row()];
            *no_power += if power.is_none() { lived } else { 0 };
            *no_grid += if grid.is_none() { lived } else { 0 };
        }
    }

    fn charged(&mut self, state: &State<'_>, charge: &crate::state::Charge) {
        let region = charge.region.row();
        if self.by_region.len() <= region {
            self.by_region.resize(region + 1, [Money::ZERO; 4]);
        }
        self.by_region[region][charge.kind as usize] += charge.amount;
        let market = match charge.kind {
            ChargeKind::Transfer => NO_MARKET,
            _ => state.instance(charge.instance).market as usize,
        };
        self.by_market[market] += charge.amount;
        // Boot and idle time belong to nobody; the tenants' part is what work caused.
        if let Some(work) = charge.work {
            add(&mut self.by_tenant, state.work(work).ask.tenant.row(), charge.amount);
        }
        self.transferred += i128::from(charge.bytes);
        if charge.kind == ChargeKind::Transfer {
            self.moves.charged(state, charge);
        }
    }
}

/// `over / under` in millionths, rounded down.
fn millionths(over: u64, under: u64) -> u64 {
    match over.checked_mul(1_000_000) {
        Some(scaled) => scaled / under,
        None => (u128::from(over) * 1_000_000 / u128::from(under)) as u64,
    }
}

fn add(table: &mut Vec<Money>, row: usize, amount: Money) {
    if table.len() <= row {
        table.resize(row + 1, Money::ZERO);
    }
    table[row] += amount;
}

/// Sums by provider and kind of charge, where there are any. What was paid for
/// standing machines is spread over what machines are charged for, in proportion.
fn parts_by_name(
    world: &World,
    kinds: [ChargeKind; 4],
    parts: &[[Money; 4]],
    standing: &[Money],
) -> Vec<CostPart> {
    let mut named = Vec::new();
    for ((provider, sums), standing) in world.providers.rows().iter().zip(parts).zip(standing) {
        let machines = kinds.iter().zip(sums).filter(|(kind, _)| **kind != ChargeKind::Transfer);
        // What is left of both, so that the last kind takes what rounding leaves.
        let (mut whole, mut left) = (machines.map(|(_, sum)| *sum).sum::<Money>(), *standing);
        for (kind, &sum) in kinds.iter().zip(sums).filter(|(_, sum)| **sum != Money::ZERO) {
            let stood = match kind {
                ChargeKind::Transfer => Money::ZERO,
                ChargeKind::Work | ChargeKind::Boot | ChargeKind::Idle => {
                    let stood = left.nanos() * sum.nanos() / whole.nanos().max(1);
                    whole -= sum;
                    left -= Money::from_nanos(stood);
                    Money::from_nanos(stood)
                }
            };
            named.push(CostPart {
                provider: provider.name.clone(),
                kind: kind.name(),
                paid: sum,
                standing: stood,
                monthly: None,
            });
        }
    }
    named
}

fn named(names: impl IntoIterator<Item = String>, sums: &[Money]) -> Vec<(String, Money)> {
    names
        .into_iter()
        .zip(sums)
        .filter(|(_, sum)| **sum != Money::ZERO)
        .map(|(n, s)| (n, *s))
        .collect()
}

/// `None` where there is nothing to divide by.
fn ratio(over: f64, under: f64) -> Option<f64> {
    (under > 0.0).then(|| over / under)
}

/// Millionths of a microsecond times an amount, in hours times the unit.
fn hours(integral: i128, per_unit: f64) -> f64 {
    integral as f64 / 1e6 / 3.6e9 / per_unit
}

impl Observer for Collector {
    fn begins(&mut self, state: &State<'_>) {
        self.began = state.now();
        self.cpu_only.begins(state);
    }

    #[inline(always)]
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        if let Some(warm) = self.from {
            if from < warm && warm <= to {
                self.before = state.areas_at(warm);
            }
            if to <= warm {
                return;
            }
        }
        if let Some(until) = self.until
            && from < until
            && until <= to
        {
            let began = self.from.map_or(self.began, |warm| warm.max(self.began));
            self.window = Some((until - began, state.areas_at(until).minus(&self.before)));
        }
        self.waiting_max = self.waiting_max.max(state.totals().waiting);
    }

    // In line, so that each place that makes a record runs only what concerns it.
    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        match record {
            Record::Submitted(work) => {
                self.work_submitted(*work);
                let arrival = state.work(*work).arrival;
                self.opened.get_or_insert(arrival);
                if self.counts_from(arrival) {
                    self.submitted += 1;
                    let ask = &state.work(*work).ask;
                    let none = ask.kind == Kind::Job && ask.estimate == Span::MAX;
                    self.unestimated += u64::from(none);
                    self.first_arrival.get_or_insert(arrival);
                    self.last_arrival = Some(arrival);
                }
            }
            Record::Started(allocation) => {
                self.work_started(state, state.allocation(*allocation).work());
                self.cpu_only.started(state, *allocation);
                self.apart += u64::from(lies_apart(state, *allocation));
            }
            Record::Stopped { allocation, ending, useful, lost } => {
                self.progressed(state, *allocation, *useful, *lost);
                self.cpu_only.stopped(state, *allocation);
                self.hours.stopped(state, *allocation);
                self.preemptions += u64::from(*ending == Ending::Preempted);
            }
            Record::Finished(work) => self.work_finished(state, *work),
            Record::Refused { work, reason } => {
                let counts = self.counts_from(state.work(*work).arrival);
                self.refused[*reason as usize] += u64::from(counts);
                self.work_failed(state, *work);
            }
            Record::Unfinished(work) => {
                self.unfinished += u64::from(self.counts_from(state.work(*work).arrival));
                self.work_failed(state, *work);
            }
            Record::Requested(instance) => {
                self.launched += 1;
                if self.opened.is_none() {
                    let region = state.instance(*instance).region;
                    self.standing.insert(*instance, (state.now(), Money::ZERO, region));
                }
                self.live_max = self.live_max.max(state.instance_count() as u64);
            }
            Record::Released { instance, billed, amount, .. } => {
                self.released(state, *instance, *billed, *amount);
                self.hours.released(state, *instance);
            }
            Record::Charged(charge) => self.charged(state, charge),
            Record::LaunchRefused { why: LaunchRefusal::Quota(row), .. } => {
                let quotas = state.world().quotas.len();
                self.refused_by_quota.resize(quotas, 0);
                self.refused_by_quota[*row] += 1;
            }
            Record::LaunchRefused { why: LaunchRefusal::Capacity, .. } => {
                self.refused_by_capacity += 1;
            }
            Record::Ready(instance) => self.hours.ready(state, *instance),
            Record::Placed(_) | Record::Noted(..) => (),
        }
    }

    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Span) {
        self.work_undone(state, work, left);
    }

    fn ends(&mut self, state: &State<'_>) {
        self.standing.retain(|_, (until, ..)| *until == state.now());
        let classes = state.book().classes().rows();
        self.classes = classes.iter().map(|class| class.name.clone()).collect();
        let from = self.from.map_or(self.began, |warm| warm.max(self.began));
        if from < state.now() {
            self.elapsed = state.now() - from;
            self.areas = state.areas_at(state.now()).minus(&self.before);
        }
    }
}

/// Whether the tasks of an allocation lie in several zones.
fn lies_apart(state: &State<'_>, allocation: AllocationRef) -> bool {
    let zone = |held: &Held| {
        let offer = state.instance(held.share.instance).offer;
        state.world().offers[offer].zone
    };
    let held = &state.allocation(allocation).held;
    held.iter().skip(1).any(|one| zone(one) != zone(&held[0]))
}
