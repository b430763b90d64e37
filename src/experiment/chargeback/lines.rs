//! The split of what lines of usage cost, once they are settled, over the work that used them.

use std::collections::{BTreeMap, VecDeque};

use super::{CauseTally, Chargeback, CostCause, WorkGroup, weight};
use crate::billing::charge::{BilledCharge, Origin, Purpose};
use crate::billing::month::Month;
use crate::billing::settle::Biller;
use crate::billing::split::by_largest_remainder;
use crate::billing::terms::TierTable;
use crate::billing::usage::{Product, Service};
use crate::metering::{MeterReading, ShareUsage};
use crate::metrics::WorkNames;
use crate::state::{Charge, Instance, InstanceRef, State};
use crate::units::{Id, Money};

/// Splits settled charges by what was metered of their lines.
///
/// A line is the use of one instance in one clock hour. What its work, its boot and its idle time
/// cost in that hour at list prices says how all charges for it are divided, by largest remainder.
/// Data whose price follows from the quantity of the month is divided by bytes when that is over.
#[derive(Debug, Default)]
pub(in crate::experiment) struct LineSplit {
    /// What is metered of each live instance since its last line, by its slot.
    metered: Vec<MeteredInstance>,
    /// Lines that are not settled yet, in their order.
    lines: VecDeque<(u64, Vec<(CostCause, u64)>)>,
    /// The instance of the last of them, by its ordinal, if it has one.
    last: Option<u32>,
    /// Shares that work holds now, by ordinal of the instance; kept for their memory.
    shares: Vec<(u32, WorkGroup, ShareUsage)>,
    /// What was paid in this month for what nothing covers, by provider, region and family.
    month: Option<Month>,
    uncovered: BTreeMap<[String; 3], BTreeMap<CostCause, Money>>,
    /// What was moved in this month at prices of its quantity, by provider and path.
    moved: BTreeMap<(String, String, Id<TierTable>), MonthlyTransfer>,
    /// What work costs at list prices, as far as it is metered.
    work: Money,
    settled: CauseTally,
}

/// What an instance was used for since its last line.
#[derive(Clone, Debug, Default)]
struct MeteredInstance {
    /// Its meter at the last line.
    reading: MeterReading,
    /// Cost of work that has left it since then.
    left: Vec<(WorkGroup, Money)>,
}

/// Data that was moved in a month at prices that follow from its quantity.
#[derive(Clone, Debug, Default)]
struct MonthlyTransfer {
    paid: Money,
    /// Millionths of gigabytes.
    quantities: BTreeMap<CostCause, u64>,
}

impl LineSplit {
    fn metered(&mut self, instance: InstanceRef) -> &mut MeteredInstance {
        let slot = instance.slot();
        if self.metered.len() <= slot {
            self.metered.resize(slot + 1, MeteredInstance::default());
        }
        &mut self.metered[slot]
    }

    /// An instance is requested.
    pub(in crate::experiment) fn requested(&mut self, instance: InstanceRef) {
        *self.metered(instance) = MeteredInstance::default();
    }

    /// Work has left an instance, and is charged for all of its time there.
    pub(in crate::experiment) fn left(&mut self, state: &State<'_>, charge: &Charge) {
        let (Some(work), Some(share)) = (charge.work, charge.share) else { return };
        let metered = self.metered(charge.instance);
        let amount = charge.amount - metered.reading.share(share);
        metered.left.push((WorkGroup::of(state, work), amount));
    }

    /// An hour is over: notes who holds which share of the live instances.
    pub(in crate::experiment) fn note_shares(&mut self, state: &State<'_>) {
        self.shares.clear();
        for (work, live) in state.works() {
            let group = WorkGroup::of(state, work);
            let held = live.allocations.iter().map(|&one| state.allocation(one));
            for held in held.filter(|one| one.started().is_some()).flat_map(|one| &one.held) {
                let ordinal = state.instance(held.share.instance).ordinal;
                self.shares.push((ordinal, group, held.usage()));
            }
        }
        self.shares.sort_unstable_by_key(|&(ordinal, group, _)| (ordinal, group));
    }

    /// Work has moved data: that becomes a line, if it is enough for one.
    pub(in crate::experiment) fn moved(
        &mut self,
        line: Option<u64>,
        state: &State<'_>,
        charge: &Charge,
    ) {
        let Some(work) = charge.work else { return };
        let cause = CostCause::Transfer(WorkGroup::of(state, work));
        self.work += charge.amount;
        self.lines.extend(line.map(|line| (line, vec![(cause, 1)])));
        self.last = None;
    }

    /// The use of an instance since its last line, which cost so much, becomes that line. `reading`
    /// is its meter now; shares that it holds are those that were noted.
    pub(in crate::experiment) fn line(
        &mut self,
        line: u64,
        (reference, instance): (InstanceRef, &Instance),
        reading: MeterReading,
        amount: Money,
    ) {
        let from = self.shares.partition_point(|(ordinal, ..)| *ordinal < instance.ordinal);
        let shares = std::mem::take(&mut self.shares);
        let held = shares[from..].iter().take_while(|(ordinal, ..)| *ordinal == instance.ordinal);
        let metered = self.metered(reference);
        let before = std::mem::replace(&mut metered.reading, reading);
        let mut parts: BTreeMap<CostCause, Money> = BTreeMap::new();
        for (group, amount) in metered.left.drain(..) {
            *parts.entry(CostCause::Work(group)).or_default() += amount;
        }
        for (_, group, usage) in held {
            let cost = reading.share(*usage) - before.share(*usage);
            *parts.entry(CostCause::Work(*group)).or_default() += cost;
        }
        let boot = reading.boot() - before.boot();
        let work: Money = parts.values().copied().sum();
        let idle = amount - boot - work;
        self.work += work;
        parts.insert(CostCause::Boot, boot);
        // Shares are rounded down since the request, so a line may have a nano-dollar too few.
        parts.insert(CostCause::Idle, idle.max(Money::ZERO));
        self.shares = shares;
        parts.retain(|_, amount| *amount > Money::ZERO);
        let weights = parts.into_iter().map(|(cause, amount)| (cause, weight(amount)));
        self.lines.push_back((line, weights.collect()));
        self.last = Some(instance.ordinal);
    }

    /// Something that is kept becomes a line, if it is enough for one: with the instance whose line came
    /// last, for what that is for, or for nobody.
    pub(in crate::experiment) fn kept(&mut self, line: u64, with: Option<u32>) {
        let last = self.lines.back().filter(|_| with.is_some() && with == self.last);
        let parts = last.map(|(_, parts)| parts.clone());
        let stored = || vec![(CostCause::Stored, 1)];
        self.lines.push_back((line, parts.unwrap_or_else(stored)));
    }

    /// Nobody holds a share any more of what becomes a line now.
    pub(in crate::experiment) fn forget_shares(&mut self) {
        self.shares.clear();
    }

    /// Splits a charge of that biller. Charges come in the order of their lines.
    pub(in crate::experiment) fn add(&mut self, charge: &BilledCharge, biller: &Biller) {
        let (product, held) = charge.purpose.names();
        let product = product.map(|product| &biller.products()[product]);
        let held = held.map(|held| biller.terms().commitments[held].provider.as_str());
        let provider = product.map(|product| product.provider.as_str()).or(held).unwrap_or("");
        let whole = |cause| vec![(cause, 1)];
        let parts = match charge.purpose {
            Purpose::Usage { origin: Origin::Line(line), .. }
            | Purpose::Covered { origin: Origin::Line(line), .. } => self.of_line(line),
            Purpose::Usage { origin: Origin::Reservation(_), .. }
            | Purpose::Covered { origin: Origin::Reservation(_), .. } => whole(CostCause::Kept),
            Purpose::Unused(_) | Purpose::Upfront(_) | Purpose::Fee(_) => {
                whole(CostCause::UnusedCommitment)
            }
            Purpose::SustainedUse(product) | Purpose::Credit(product) => {
                self.of_month(product, biller)
            }
        };
        let is_uncovered = matches!(charge.purpose, Purpose::Usage { origin: Origin::Line(_), .. });
        if is_uncovered && self.month.is_none_or(|month| !month.holds(charge.from)) {
            self.month = Some(Month::of(charge.from));
            self.uncovered.clear();
            self.divide_moved();
        }
        if let Purpose::Usage { origin: Origin::Line(_), product: moved } = charge.purpose
            && biller.products()[moved].service == Service::Transfer
            && let Some(table) = biller.tiers_of(moved)
        {
            let Product { provider, family, .. } = &biller.products()[moved];
            let key = (provider.clone(), family.clone(), table);
            let month = self.moved.entry(key).or_default();
            month.paid += charge.effective;
            for (cause, _) in parts {
                let quantity = month.quantities.entry(cause).or_default();
                *quantity += u64::try_from(charge.quantity).unwrap_or(0);
            }
            return;
        }
        for (cause, settled) in divided(charge.effective, parts) {
            self.settled.add(provider, cause, settled);
            if let Some(product) = product.filter(|_| is_uncovered) {
                let costs = self.uncovered.entry(pool(product)).or_default();
                *costs.entry(cause).or_default() += settled;
            }
        }
    }

    /// Splits what is given back: of an hour of a line as that line was, of a month by what its use cost.
    pub(in crate::experiment) fn credited(
        &mut self,
        credit: &BilledCharge,
        line: Option<u64>,
        biller: &Biller,
    ) {
        let (Some(product), _) = credit.purpose.names() else { return };
        let parts = match line {
            Some(line) => self.of_line(line),
            None => self.of_month(product, biller),
        };
        for (cause, settled) in divided(credit.effective, parts) {
            self.settled.add(&biller.products()[product].provider, cause, settled);
        }
    }

    /// The month is over: what was paid for what was moved in it is divided by quantity, so that who moves
    /// first has no more of what is free than others.
    fn divide_moved(&mut self) {
        for ((provider, ..), month) in std::mem::take(&mut self.moved) {
            let weights: Vec<u64> = month.quantities.values().copied().collect();
            let settled = by_largest_remainder(month.paid, &weights);
            for (cause, settled) in month.quantities.into_keys().zip(settled) {
                self.settled.add(&provider, cause, settled);
            }
        }
    }

    /// What that line was used for; idle time where nothing of it cost anything.
    fn of_line(&mut self, line: u64) -> Vec<(CostCause, u64)> {
        while self.lines.front().is_some_and(|(number, _)| *number < line) {
            self.lines.pop_front();
        }
        let parts = self.lines.front().filter(|(number, _)| *number == line);
        parts
            .map(|(_, parts)| parts)
            .filter(|parts| !parts.is_empty())
            .cloned()
            .unwrap_or_else(|| vec![(CostCause::Idle, 1)])
    }

    /// What such products were used for in the month, as far as nothing covered it.
    fn of_month(&self, product: Id<Product>, biller: &Biller) -> Vec<(CostCause, u64)> {
        let costs = self.uncovered.get(&pool(&biller.products()[product]));
        let costs = costs.into_iter().flatten().map(|(cause, cost)| (*cause, weight(*cost)));
        let parts: Vec<_> = costs.filter(|(_, weight)| *weight > 0).collect();
        if parts.is_empty() { vec![(CostCause::Idle, 1)] } else { parts }
    }

    /// Keeps the names of tenants and classes, which only the state knows.
    pub(in crate::experiment) fn keep_names(&mut self, state: &State<'_>) {
        self.settled.keep_names(&WorkNames::of(state));
    }

    /// What work costs at list prices, as far as it is metered.
    pub(in crate::experiment) const fn metered_for_work(&self) -> Money {
        self.work
    }

    /// The chargeback of all that was added.
    pub(in crate::experiment) fn chargeback(&mut self) -> Chargeback {
        self.divide_moved();
        self.settled.chargeback(true)
    }
}

/// An amount by the weights of its causes.
fn divided(
    amount: Money,
    parts: Vec<(CostCause, u64)>,
) -> impl Iterator<Item = (CostCause, Money)> {
    let weights: Vec<u64> = parts.iter().map(|(_, weight)| *weight).collect();
    let divided = by_largest_remainder(amount, &weights);
    parts.into_iter().map(|(cause, _)| cause).zip(divided)
}

/// Products whose use in a month counts together.
fn pool(product: &Product) -> [String; 3] {
    [&product.provider, &product.region, &product.family].map(String::clone)
}
