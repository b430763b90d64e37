//! A run billed on the terms of its scenario: what its instances and transfers cost once the
//! commitments of each clock hour and the rules of each month are applied.

mod credit;
mod storage;
mod transfer;

use std::collections::BTreeMap;
use std::ops::Range;

use super::bill::AccountBill;
use super::charge_tally::{ChargeTally, share};
use super::chargeback::{Chargeback, LineSplit};
use super::commitment_course::CommitmentCourse;
use super::purchasing::Purchasing;
use crate::billing::account::Account;
use crate::billing::charge::BilledCharge;
use crate::billing::commitment::{hour_of, start_of};
use crate::billing::feed::hour_after;
use crate::billing::settle::Biller;
use crate::billing::terms::AccountTerms;
use crate::billing::usage::{LinePrices, Product, UsageLine, UsageUnit};
use crate::metrics::Settled;
use crate::model::{HeldCommitment, Offer, Region, TransferPath, WorkId, World};
use crate::scenario::{BillingTerms, product_of};
use crate::sim::Observer;
use crate::state::{ChargeKind, Exit, InstanceRef, Record, State};
use crate::units::{Calendar, Id, Money, Rate, Span, Time};
use credit::RunCredits;
use storage::Upkeep;

/// Hands the usage of a run to a biller, hour by hour.
///
/// An instance is used from its request to its release, with what the provider's rule adds in the
/// hour of the release, at the mean of its prices in the hour. A transfer counts in the hour in
/// which it is charged, when the tasks end that moved the data; where the terms price its path, it
/// goes through their tiers. Meters are read, never changed: the run is the same.
#[derive(Debug)]
pub struct Settlement {
    biller: Biller,
    bill: AccountBill,
    tally: ChargeTally,
    course: CommitmentCourse,
    split: LineSplit,
    /// The charges, where they are asked for, and of each line what used it.
    charges: Option<Vec<BilledCharge>>,
    lines_of: Vec<LineUse>,
    purchasing: Option<Purchasing>,
    /// What was bought and is not told to policies yet.
    bought: Vec<HeldCommitment>,
    account: Id<Account>,
    /// Charges for clock hours before are left out.
    counted_from: Option<Time>,
    calendar: Calendar,
    /// Products by offer, and of transfers by the region that they leave and their path.
    offers: Vec<Option<Id<Product>>>,
    moves: BTreeMap<Way, Id<Product>>,
    /// What is handed on of each live instance, by its slot.
    handed: Vec<Handed>,
    instances: Vec<(u32, InstanceRef)>,
    upkeep: Upkeep,
    /// Who asks for credits, where the account does.
    credits: Option<RunCredits>,
    lines: u64,
    /// The clock, and the end of its hour.
    now: Time,
    until: Time,
    /// Clock hour, since 1970, in which the run begins.
    first: i64,
}

/// A run that is billed: its bill and the biller that made it.
#[derive(Debug)]
pub struct SettledRun {
    /// The bill.
    pub bill: AccountBill,
    /// The biller.
    pub biller: Biller,
    /// What the terms change in the costs at list prices.
    pub settled: Settled,
    /// What the usage of the run costs at list prices.
    pub list: Money,
    /// Clock hours of the run, since 1970.
    pub hours: Range<i64>,
    /// The charges, where they were asked for.
    pub charges: Vec<BilledCharge>,
    /// What used each of their lines, from 1 on.
    pub lines_of: Vec<LineUse>,
    /// What commitments covered, and how much of them was used, over time.
    pub course: CommitmentCourse,
    /// The bill by who caused it, with what was paid for commitments spread over what they cover.
    pub chargeback: Chargeback,
    /// What work costs at list prices, by the shares of machines that it held hour by hour.
    pub metered_for_work: Money,
    /// Millionths of gigabyte-months of data that are billed, and that were kept.
    pub data: (i128, i128),
    /// What is given back for a product, and what its use was billed at, where the former is more.
    pub excess_credit: Option<[Money; 2]>,
}

/// The region that data leaves, and its path.
type Way = (Id<Region>, Option<Id<TransferPath>>);

/// What used a line: an instance, or work that moved data from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineUse {
    /// Number of the launch of the instance; `None` of data that is kept.
    pub instance: Option<u32>,
    /// The work that moved the data; `None` of the use of the instance.
    pub mover: Option<WorkId>,
}

/// Usage of an instance that is handed on.
#[derive(Clone, Copy, Debug, Default)]
struct Handed {
    until: Time,
    amount: Money,
}

impl Settlement {
    /// A settlement on these terms, in the first account that they list.
    pub fn new(terms: &BillingTerms) -> Self {
        let mut biller = terms.biller();
        let listed = biller.terms().accounts.iter().next().map(|(account, _)| account);
        let account = listed.unwrap_or_else(|| biller.account("account"));
        Self {
            biller,
            bill: AccountBill::default(),
            tally: ChargeTally::default(),
            course: CommitmentCourse::default(),
            split: LineSplit::default(),
            charges: None,
            lines_of: Vec::new(),
            purchasing: None,
            bought: Vec::new(),
            account,
            counted_from: None,
            calendar: Calendar::from_unix_micros(0),
            offers: Vec::new(),
            moves: BTreeMap::new(),
            handed: Vec::new(),
            instances: Vec::new(),
            upkeep: Upkeep::default(),
            credits: terms.credits.then(RunCredits::default),
            lines: 0,
            now: Time::ZERO,
            until: Time::ZERO,
            first: 0,
        }
        .keeping(&terms.data, &terms.attached)
    }

    /// The same, with somebody who buys commitments meanwhile.
    pub fn buying(self, purchasing: Option<Purchasing>) -> Self {
        Self { purchasing, ..self }
    }

    /// The account that it bills.
    pub const fn account(&self) -> Id<Account> {
        self.account
    }

    /// The terms that it bills on.
    pub fn terms(&self) -> &AccountTerms {
        self.biller.terms()
    }

    /// The same, but what is charged for clock hours before is left out.
    pub fn counting_from(self, from: Option<Time>) -> Self {
        Self { counted_from: from, ..self }
    }

    /// The same, but all charges are kept.
    pub fn keeping_charges(self) -> Self {
        Self { charges: Some(Vec::new()), ..self }
    }

    /// The bill of a run that is over.
    pub fn finish(mut self) -> SettledRun {
        let end = self.unix(self.now);
        let hours = self.first..hour_after(end);
        let data = self.upkeep.data(self.unix(Time::ZERO), end);
        let mut charges = Vec::new();
        self.hand_on_outages(self.now);
        self.biller.finish(hours.end, &mut |charge| charges.push(charge));
        self.add(&charges);
        for credit in self.last_credits() {
            self.add_credit(&credit, None);
        }
        let held = self.bill.commitments.values();
        let used = held.clone().map(|held| held.used).sum();
        let utilisation = share(used, held.map(|held| held.unused).sum());
        SettledRun {
            hours,
            settled: self.tally.settled(&self.biller, utilisation),
            list: self.tally.list(&self.biller),
            charges: self.charges.unwrap_or_default(),
            lines_of: self.lines_of,
            course: self.course,
            chargeback: self.split.chargeback(),
            metered_for_work: self.split.metered_for_work(),
            data,
            excess_credit: self.tally.excess_credit(),
            bill: self.bill,
            biller: self.biller,
        }
    }

    /// The time since 1970.
    fn unix(&self, at: Time) -> Time {
        Time::from_micros(self.calendar.unix_micros(at))
    }

    fn handed(&mut self, instance: InstanceRef) -> &mut Handed {
        let slot = instance.slot();
        if self.handed.len() <= slot {
            self.handed.resize(slot + 1, Handed::default());
        }
        &mut self.handed[slot]
    }

    /// Hands on what was used in the hour that ends, and bills it.
    fn cut(&mut self, state: &State<'_>) {
        let until = self.until;
        let mut instances = std::mem::take(&mut self.instances);
        instances.extend(state.instances().map(|(one, instance)| (instance.ordinal, one)));
        instances.sort_unstable_by_key(|&(ordinal, _)| ordinal);
        self.split.note_shares(state);
        for (_, reference) in instances.drain(..) {
            let instance = state.instance(reference);
            let amount = instance.meter().so_far(until);
            let from = self.handed(reference).until;
            self.use_of(state, reference, (until, until - from), amount);
            self.attached(state, reference, (from, until));
        }
        self.split.forget_shares();
        self.keep_until(until);
        self.hand_on_outages(until);
        self.instances = instances;
        let mut charges = Vec::new();
        self.biller.advance(hour_of(self.unix(until)), &mut |charge| charges.push(charge));
        self.add(&charges);
        if let Some(purchasing) = &self.purchasing {
            self.bought.extend(purchasing.decided(state.world(), &mut self.biller));
        }
        self.until = until + HOUR;
    }

    fn add(&mut self, charges: &[BilledCharge]) {
        let first = self.counted_from.map(|from| self.unix(from));
        for charge in charges {
            let (from, until) = (charge.from, charge.until);
            if first.is_some_and(|first| from < first && until <= first) {
                continue;
            }
            let [of_months, of_hour] = self.credits_of(charge);
            of_months.iter().for_each(|credit| self.add_credit(credit, None));
            self.bill.add(charge, &self.biller);
            self.tally.add(charge);
            self.course.add(charge, &self.biller);
            self.split.add(charge, &self.biller);
            self.charges.iter_mut().for_each(|kept| kept.push(*charge));
            of_hour.iter().for_each(|credit| self.add_credit(credit, Some(charge)));
        }
    }

    /// Hands on the use of an instance since the last time: so much of its time, until then, that it
    /// has cost `amount` in all.
    fn use_of(
        &mut self,
        state: &State<'_>,
        reference: InstanceRef,
        (until, used): (Time, Span),
        amount: Money,
    ) {
        let before = *self.handed(reference);
        *self.handed(reference) = Handed { until, amount };
        let (cost, micros) = ((amount - before.amount).nanos(), i128::from(used.micros()));
        if micros <= 0 {
            return;
        }
        let instance = state.instance(reference);
        let product = self.offer(state.world(), instance.offer);
        let price = match state.instance(reference).meter().rate() {
            rate if (rate.accrue(used) - cost * NANO_HOUR).abs() <= 2 * NANO_HOUR => rate,
            _ => price(cost, micros, UsageUnit::Hour),
        };
        let (line, reading) = (self.lines + 1, instance.meter().read(until));
        self.split.line(line, (reference, instance), reading, amount - before.amount);
        if self.charges.is_some() {
            self.lines_of.push(LineUse { instance: Some(instance.ordinal), mover: None });
        }
        let contracted = self.biller.negotiated(product, price);
        let stretch = (self.unix(before.until), self.unix(until));
        let amount = Some(amount - before.amount);
        self.take(product, stretch, micros, (price, contracted, amount), LinePrices::Own);
    }

    /// Hands on a line; the stretch is since 1970.
    fn take(
        &mut self,
        product: Id<Product>,
        (from, until): (Time, Time),
        quantity: i128,
        (list, contracted, amount): (Rate, Rate, Option<Money>),
        prices: LinePrices,
    ) {
        self.lines += 1;
        let line = UsageLine {
            number: self.lines,
            account: self.account,
            product,
            from,
            until,
            quantity,
            list,
            contracted,
            prices,
            amount,
        };
        let mut charges = Vec::new();
        let taken = self.biller.take(line, &mut |charge| charges.push(charge));
        debug_assert!(taken.is_ok(), "hours come in order");
        self.add(&charges);
    }

    fn offer(&mut self, world: &World, offer: Id<Offer>) -> Id<Product> {
        if let Some(product) = self.offers[offer.row()] {
            return product;
        }
        let product = self.biller.product(product_of(world, offer));
        self.offers[offer.row()] = Some(product);
        product
    }
}

const HOUR: Span = Span::from_secs(3_600);

/// A nano-dollar in pico-dollar microseconds per hour. Amounts are rounded to such, by which no price is to
/// differ from that of the offer: machines of one price are told by it.
const NANO_HOUR: i128 = 1_000 * 3_600_000_000;

/// Price per unit at which so much costs so many nano-dollars, to the nearest pico-dollar.
fn price(nanos: i128, quantity: i128, unit: UsageUnit) -> Rate {
    let picos = (nanos * 1_000 * unit.whole() + quantity / 2) / quantity;
    Rate::from_picos(i64::try_from(picos).unwrap_or(i64::MAX))
}

impl Observer for Settlement {
    fn begins(&mut self, state: &State<'_>) {
        let world = state.world();
        self.calendar = world.calendar;
        self.offers = vec![None; world.offers.len()];
        self.now = state.now();
        self.upkeep.begin(self.now);
        self.credits.iter_mut().for_each(|credits| credits.begin(world));
        let hour = hour_of(self.unix(self.now));
        self.biller.advance(hour, &mut |_| {});
        if let Some(purchasing) = &mut self.purchasing {
            purchasing.begin(world, &mut self.biller);
        }
        self.first = hour;
        self.until = self.calendar.time(start_of(hour + 1).micros());
    }

    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        self.forget_started(state, from);
        self.now = to;
        while self.until <= to {
            self.cut(state);
        }
    }

    fn bought(&mut self) -> Vec<HeldCommitment> {
        std::mem::take(&mut self.bought)
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match record {
            Record::Requested(instance) => {
                *self.handed(*instance) = Handed { until: state.now(), amount: Money::ZERO };
                self.split.requested(*instance);
            }
            Record::Released { instance, billed, amount, exit } => {
                let since = state.instance(*instance).meter().since();
                let from = self.handed(*instance).until;
                self.use_of(state, *instance, (state.now(), *billed - (from - since)), *amount);
                self.attached(state, *instance, (from, state.now()));
                if *exit == Exit::Stopped {
                    let instance = state.instance(*instance);
                    self.stops((instance.offer, instance.ordinal));
                }
            }
            Record::Outage { fault, begins } => self.hears_of_outage(*fault, *begins),
            Record::Charged(charge) if charge.kind == ChargeKind::Transfer => {
                self.moved(state, charge);
            }
            Record::Charged(charge) if charge.kind == ChargeKind::Work => {
                self.split.left(state, charge);
            }
            Record::Charged(_)
            | Record::Submitted(_)
            | Record::Placed(_)
            | Record::Started(_)
            | Record::Stopped { .. }
            | Record::Finished(_)
            | Record::Refused { .. }
            | Record::Unfinished(_)
            | Record::Ready(_)
            | Record::Draining { .. }
            | Record::Failed { .. }
            | Record::Repaired(_)
            | Record::Slowed { .. }
            | Record::Devices { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => {}
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        self.keep_until(self.now);
        self.split.keep_names(state);
    }
}
