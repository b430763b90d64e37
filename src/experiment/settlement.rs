//! A run billed on the terms of its scenario: what its instances and transfers cost once the
//! commitments of each clock hour and the rules of each month are applied.

use std::collections::BTreeMap;

use super::bill::AccountBill;
use super::purchasing::{Purchasing, product_of};
use crate::billing::account::Account;
use crate::billing::charge::{BilledCharge, Origin, Purpose};
use crate::billing::commitment::hour_of;
use crate::billing::feed::hour_after;
use crate::billing::settle::Biller;
use crate::billing::usage::{Product, Sale, Service, UsageLine, UsageUnit};
use crate::metrics::{Adjustment, AdjustmentKind, Settled};
use crate::model::{Offer, Region, World};
use crate::scenario::BillingTerms;
use crate::sim::Observer;
use crate::state::{Charge, ChargeKind, InstanceRef, Record, State};
use crate::units::{Calendar, Id, Money, Rate, Span, Time};

/// Hands the usage of a run to a biller, hour by hour.
///
/// An instance is used from its request to its release, with what the provider's rule adds in the
/// hour of the release, at the mean of its prices in the hour. A transfer counts in the hour in
/// which it is over. Meters are read, never changed: the run is the same.
#[derive(Debug)]
pub struct Settlement {
    biller: Biller,
    bill: AccountBill,
    adjustments: BTreeMap<AdjustmentKey, Money>,
    coverage: CommitmentCoverage,
    /// Use that no commitment covers, and the hour it is counted from, if it is asked for.
    uncovered: Option<(i64, Vec<UncoveredUse>)>,
    purchasing: Option<Purchasing>,
    account: Id<Account>,
    /// Charges that begin before are left out.
    counted_from: Option<Time>,
    calendar: Calendar,
    /// Products by offer, and of transfers by region.
    offers: Vec<Option<Id<Product>>>,
    regions: Vec<Option<Id<Product>>>,
    /// What is handed on of each live instance, by its slot.
    handed: Vec<Handed>,
    instances: Vec<(u32, InstanceRef)>,
    lines: u64,
    /// The clock, and the end of its hour.
    now: Time,
    until: Time,
    /// What usage costs at list prices.
    list: Money,
    slack: i128,
}

/// Provider, region and cause of an adjustment. A region is told by its product's row.
type AdjustmentKey = (String, Option<String>, AdjustmentKind);

/// Cost of machines before commitments, at providers that commitments hold at.
#[derive(Clone, Copy, Debug, Default)]
struct CommitmentCoverage {
    covered: Money,
    uncovered: Money,
}

/// Use of machines on demand that no commitment covers.
#[derive(Clone, Copy, Debug)]
pub struct UncoveredUse {
    /// Clock hour, from the one in which the run begins.
    pub hour: usize,
    /// The product.
    pub product: Id<Product>,
    /// Quantity, in millionths of its unit.
    pub quantity: i128,
    /// Amount at list prices.
    pub list: Money,
    /// Amount at negotiated prices.
    pub contracted: Money,
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
    /// Use that no commitment covers, where it was asked for.
    pub uncovered: Vec<UncoveredUse>,
    /// Nano-dollars by which that may differ from what the run costs: a line is rounded to one of
    /// them, and its price to half a pico-dollar.
    pub slack: i128,
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
            adjustments: BTreeMap::new(),
            coverage: CommitmentCoverage::default(),
            uncovered: None,
            purchasing: None,
            account,
            counted_from: None,
            calendar: Calendar::from_unix_micros(0),
            offers: Vec::new(),
            regions: Vec::new(),
            handed: Vec::new(),
            instances: Vec::new(),
            lines: 0,
            now: Time::ZERO,
            until: Time::ZERO,
            list: Money::ZERO,
            slack: 0,
        }
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
    pub fn terms(&self) -> &crate::billing::terms::AccountTerms {
        self.biller.terms()
    }

    /// The same, but what is charged for the time before is left out.
    pub fn counting_from(self, from: Option<Time>) -> Self {
        Self { counted_from: from, ..self }
    }

    /// The same, but what no commitment covers is kept line by line.
    pub fn keeping_uncovered(self) -> Self {
        Self { uncovered: Some((0, Vec::new())), ..self }
    }

    /// The bill of a run that is over.
    pub fn finish(mut self) -> SettledRun {
        let last = self.unix(self.now);
        let mut charges = Vec::new();
        self.biller.finish(hour_after(last), &mut |charge| charges.push(charge));
        self.add(&charges);
        let held = self.bill.commitments.values();
        let (used, unused) = held.fold((Money::ZERO, Money::ZERO), |(used, unused), held| {
            (used + held.used, unused + held.unused)
        });
        let CommitmentCoverage { covered, uncovered } = self.coverage;
        let share = |part: Money, rest: Money| {
            (part + rest > Money::ZERO).then(|| part.dollars() / (part + rest).dollars())
        };
        let adjustments = self.adjustments.into_iter();
        let adjustments = adjustments.map(|((provider, region, kind), amount)| Adjustment {
            provider,
            region,
            kind,
            amount,
        });
        let settled = Settled {
            adjustments: adjustments.collect(),
            utilisation: share(used, unused),
            coverage: share(covered, uncovered),
        };
        SettledRun {
            list: self.list,
            slack: self.slack,
            uncovered: self.uncovered.map(|(_, lines)| lines).unwrap_or_default(),
            settled,
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
        for (_, reference) in instances.drain(..) {
            let instance = state.instance(reference);
            let amount = instance.meter().so_far(until);
            let from = self.handed(reference).until;
            self.use_of(state, reference, (until, until - from), amount);
        }
        self.instances = instances;
        let mut charges = Vec::new();
        self.biller.advance(hour_of(self.unix(until)), &mut |charge| charges.push(charge));
        self.add(&charges);
        self.until = until + HOUR;
    }

    fn add(&mut self, charges: &[BilledCharge]) {
        let first = self.counted_from.map(|from| self.unix(from));
        for charge in charges {
            let (from, until) = (charge.from, charge.until);
            if first.is_some_and(|first| from < first && until <= first.max(from)) {
                continue;
            }
            self.bill.add(charge, &self.biller);
            self.adjust(charge);
        }
    }

    /// Adds to what the terms change: what a charge costs with what was paid for commitments spread
    /// over what they cover, less its list price.
    fn adjust(&mut self, charge: &BilledCharge) {
        let (product, commitment) = charge.purpose.names();
        let product = product.map(|product| &self.biller.products()[product]);
        let held = commitment.map(|held| &self.biller.terms().commitments[held].provider);
        let provider = product.map(|product| &product.provider).or(held);
        let provider = provider.cloned().unwrap_or_default();
        let region = product.map(|product| match product.region == product.provider {
            true => product.region.clone(),
            false => format!("{provider}/{}", product.region),
        });
        let held = |one: &crate::billing::commitment::Commitment| one.provider == provider;
        let is_held = || self.biller.terms().commitments.iter().any(|(_, one)| held(one));
        let is_machine = product.is_some_and(|product| {
            product.service == Service::Compute && product.sale == Sale::OnDemand
        });
        let mut changes = [(AdjustmentKind::Commitment, Money::ZERO); 2];
        match charge.purpose {
            Purpose::Usage { origin: Origin::Line(_), .. } => {
                self.list += charge.list;
                changes[0] = (AdjustmentKind::Discount, charge.effective - charge.list);
                if is_machine && is_held() {
                    self.coverage.uncovered += charge.contracted;
                }
                if let (Some((first, lines)), Some(product)) =
                    (&mut self.uncovered, charge.purpose.names().0.filter(|_| is_machine))
                {
                    lines.push(UncoveredUse {
                        hour: usize::try_from(hour_of(charge.from) - *first).unwrap_or(0),
                        product,
                        quantity: charge.quantity,
                        list: charge.list,
                        contracted: charge.contracted,
                    });
                }
            }
            Purpose::Covered { origin: Origin::Line(_), .. } => {
                self.list += charge.list;
                self.coverage.covered += charge.contracted;
                changes = [
                    (AdjustmentKind::Covered, -charge.list),
                    (AdjustmentKind::Commitment, charge.effective),
                ];
            }
            Purpose::Usage { origin: Origin::Reservation(_), .. } => {
                changes[0] = (AdjustmentKind::Kept, charge.effective);
            }
            Purpose::Covered { origin: Origin::Reservation(_), .. }
            | Purpose::Unused(_)
            | Purpose::Upfront(_)
            | Purpose::Fee(_) => changes[0] = (AdjustmentKind::Commitment, charge.effective),
            Purpose::SustainedUse(_) | Purpose::Credit(_) => {
                changes[0] = (AdjustmentKind::Discount, charge.effective);
            }
        }
        for (kind, amount) in changes.into_iter().filter(|(_, amount)| *amount != Money::ZERO) {
            let key = (provider.clone(), region.clone(), kind);
            *self.adjustments.entry(key).or_default() += amount;
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
        let product = self.offer(state.world(), state.instance(reference).offer);
        let price = price(cost, micros, UsageUnit::Hour);
        self.take(product, (before.until, until), micros, price);
    }

    fn take(
        &mut self,
        product: Id<Product>,
        (from, until): (Time, Time),
        quantity: i128,
        price: Rate,
    ) {
        self.lines += 1;
        self.slack += 1 + quantity / (1_000 * self.biller.products()[product].unit.whole());
        let line = UsageLine {
            number: self.lines,
            account: self.account,
            product,
            from: self.unix(from),
            until: self.unix(until),
            quantity,
            list: price,
            contracted: self.biller.negotiated(product, price),
            tiered: false,
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

    fn region(&mut self, world: &World, region: Id<Region>) -> Id<Product> {
        if let Some(product) = self.regions[region.row()] {
            return product;
        }
        let product = self.biller.product(Product {
            provider: world.providers[world.regions[region].provider].name.clone(),
            service: Service::Transfer,
            region: world.regions[region].name.clone(),
            zone: String::new(),
            family: "link".to_owned(),
            size: String::new(),
            system: String::new(),
            tenancy: String::new(),
            sale: Sale::OnDemand,
            unit: UsageUnit::Gigabyte,
            weight: 0,
        });
        self.regions[region.row()] = Some(product);
        product
    }

    /// Hands on a transfer that is over.
    fn moved(&mut self, state: &State<'_>, charge: &Charge) {
        let product = self.region(state.world(), charge.region);
        let whole = UsageUnit::Gigabyte.whole();
        let quantity = (i128::from(charge.bytes) * whole + GIBIBYTE / 2) / GIBIBYTE;
        if quantity == 0 {
            self.slack += charge.amount.nanos();
        } else {
            let price = price(charge.amount.nanos(), quantity, UsageUnit::Gigabyte);
            self.take(product, (state.now(), state.now()), quantity, price);
        }
    }
}

const HOUR: Span = Span::from_secs(3_600);

const GIBIBYTE: i128 = 1 << 30;

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
        self.regions = vec![None; world.regions.len()];
        self.now = state.now();
        let hour = hour_of(self.unix(self.now));
        self.biller.advance(hour, &mut |_| {});
        if let Some(purchasing) = &self.purchasing {
            purchasing.begin(world, &mut self.biller);
        }
        if let Some((first, _)) = &mut self.uncovered {
            *first = hour;
        }
        let start = crate::billing::commitment::start_of(hour + 1);
        self.until = self.calendar.time(start.micros());
    }

    fn elapse(&mut self, state: &State<'_>, _: Time, to: Time) {
        self.now = to;
        while self.until <= to {
            self.cut(state);
        }
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match record {
            Record::Requested(instance) => {
                *self.handed(*instance) = Handed { until: state.now(), amount: Money::ZERO };
            }
            Record::Released { instance, billed, amount, .. } => {
                let since = state.instance(*instance).meter().since();
                let before = self.handed(*instance).until - since;
                self.use_of(state, *instance, (state.now(), *billed - before), *amount);
            }
            Record::Charged(charge) if charge.kind == ChargeKind::Transfer => {
                self.moved(state, charge);
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
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => {}
        }
    }
}
