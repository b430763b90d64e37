//! Settlement: what is known only when a clock hour or a month is over.
//!
//! A [`Biller`] takes lines of usage in order of time. When the clock leaves an hour it applies the
//! commitments to what was used in it, each line keeping what no commitment covers; when it
//! leaves a month, discounts of the month follow. It holds the lines of one hour, the quantities
//! of the month by product and account, and nothing of what is over.

mod apart;
mod capacity;
mod coverage;
mod hour;
mod line;
mod offered;
mod purse;
mod reserved;
mod round;
mod spending;
mod sustained;
mod tier;
#[cfg(test)]
pub(crate) mod tests;

use std::ops::Range;

use crate::account::Account;
use crate::charge::BilledCharge;
use crate::commitment::{Commitment, hour_of, start_of};
use crate::currency::Currency;
use crate::month::Month;
use crate::offering::Offering;
use crate::parts::MachinePart;
use crate::purchase::Purchaser;
use crate::terms::{AccountTerms, TierTable};
use crate::units::{Id, IdVec, Rate, Time};
use crate::usage::{LinePrices, Product, UsageLine, UsageUnit};

use apart::ApartMachine;
pub use apart::KeptWhole;
use capacity::KeptCapacity;
use coverage::Coverages;
use hour::Hour;
use line::LineAmounts;
use offered::Offered;
use round::Rounds;
use sustained::SustainedLevels;
use tier::TierCounts;

/// Takes usage and gives charges.
#[derive(Debug)]
pub struct Biller {
    terms: AccountTerms,
    products: IdVec<Product>,
    /// By product, its unit and the currency of its prices.
    sold: Vec<(UsageUnit, Option<Id<Currency>>)>,
    /// By product, into what it is taken apart.
    apart: Vec<Option<ApartMachine>>,
    coverages: Coverages,
    rounds: Rounds,
    capacity: KeptCapacity,
    offered: Offered,
    /// The hour for which something was decided to be bought, and what.
    decided: Option<(i64, BoughtUnits)>,
    /// Hour whose usage comes in, and its lines.
    now: Option<i64>,
    hour: Hour,
    /// The time of the hour in which the last line lay, if the clock has not left it.
    period: Range<Time>,
    month: Option<Month>,
    tiers: TierCounts,
    sustained: SustainedLevels,
}

/// What is bought of each offering.
type BoughtUnits = Vec<(Id<Offering>, Commitment)>;

/// Usage that came too late: its hour is billed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

impl Biller {
    /// A biller on those terms.
    pub fn new(terms: AccountTerms) -> Self {
        let products = IdVec::default();
        let (mut coverages, mut rounds) = (Coverages::default(), Rounds::default());
        for (id, held) in terms.commitments.iter() {
            let coverage = coverages.of(&held.provider, &held.benefit, &products);
            rounds.buy(&terms, id, coverage);
        }
        Self {
            products,
            sold: Vec::new(),
            apart: Vec::new(),
            coverages,
            rounds,
            capacity: KeptCapacity::default(),
            offered: Offered::default(),
            decided: None,
            now: None,
            hour: Hour::default(),
            period: Time::ZERO..Time::ZERO,
            month: None,
            tiers: TierCounts::default(),
            sustained: SustainedLevels::default(),
            terms,
        }
    }

    /// The terms.
    pub fn terms(&self) -> &AccountTerms {
        &self.terms
    }

    /// The products that usage may name.
    pub fn products(&self) -> &IdVec<Product> {
        &self.products
    }

    /// Adds a product; what covers it is looked up once, here. A machine that is taken apart has its
    /// parts behind it.
    pub fn product(&mut self, product: Product) -> Id<Product> {
        let id = self.add_product(product, None);
        self.take_apart(id);
        id
    }

    /// Adds a product, which may be a part of a machine.
    fn add_product(&mut self, product: Product, of: Option<MachinePart>) -> Id<Product> {
        let id = Id::new(self.products.len() as u32);
        self.coverages.product(id, &product, of);
        self.apart.push(None);
        self.tiers.product(&self.terms, &product);
        self.sustained.product(&self.terms, &product);
        self.sold.push((product.unit, self.terms.currency(&product.currency)));
        self.products.push(product)
    }

    /// Takes a commitment that was not among the terms. It covers what is used from its first hour
    /// on, and is billed as if the terms had held it from the beginning.
    ///
    /// # Errors
    /// It was bought, or begins, in an hour that is billed already.
    pub fn buy(&mut self, commitment: Commitment) -> Result<Id<Commitment>, OutOfOrder> {
        let first = hour_of(commitment.from.min(commitment.bought));
        if self.now.is_some_and(|now| first < now) {
            return Err(OutOfOrder);
        }
        let Commitment { provider, benefit, .. } = &commitment;
        let coverage = self.coverages.of(provider, benefit, &self.products);
        let id = self.terms.commitments.push(commitment);
        self.rounds.buy(&self.terms, id, coverage);
        Ok(id)
    }

    /// Whether a commitment covers none of the products that usage may name.
    pub fn covers_nothing(&self, commitment: &Commitment) -> bool {
        self.coverages.is_idle(&commitment.provider, &commitment.benefit)
    }

    /// Offers something to somebody who decides at the end of each clock hour from now on how many
    /// units of it to buy. These hold from the next hour on.
    pub fn offer(&mut self, offering: Offering, purchaser: Purchaser) -> Id<Offering> {
        let Offering { provider, benefit, .. } = &offering;
        let coverage = self.coverages.of(provider, benefit, &self.products);
        self.offered.offer(offering, purchaser, coverage)
    }

    /// What those who buy decide for the hour that comes in now, from the demand of all before it.
    /// It is bought as that hour is settled: never, where nobody comes to that.
    pub fn decide(&mut self) -> &[(Id<Offering>, Commitment)] {
        let Some(now) = self.now else { return &[] };
        if self.decided.as_ref().is_none_or(|(hour, _)| *hour != now) {
            self.decided = Some((now, self.offered.decide(now)));
        }
        self.decided.as_ref().map_or(&[], |(_, bought)| bought)
    }

    /// What is offered.
    pub fn offerings(&self) -> &IdVec<Offering> {
        self.offered.offerings()
    }

    /// The commitments that were bought of an offering, in order of time.
    pub fn bought(&self, offering: Id<Offering>) -> &[Id<Commitment>] {
        self.offered.bought(offering)
    }

    /// Whole units of an offering that the hour that was settled last had use for: what those that
    /// were bought of it covered, and what nothing covered that they could have.
    pub fn demand(&self, offering: Id<Offering>) -> u64 {
        self.offered.demand(offering)
    }

    /// Adds an account that the terms do not list, which stands by itself.
    pub fn account(&mut self, name: &str) -> Id<Account> {
        self.terms.accounts.add(name, None)
    }

    /// The negotiated price of a product that has that list price.
    pub fn negotiated(&self, product: Id<Product>, list: Rate) -> Rate {
        list.scaled(self.tiers.paid_of(product))
    }

    /// The table by which the price of a product follows from the quantity of the month, if one does.
    pub fn tiers_of(&self, product: Id<Product>) -> Option<Id<TierTable>> {
        self.tiers.tables_of(product).map(|[table, _]| table)
    }

    /// Currency in which a product is priced, or the tiers that it has; `None` is the dollar.
    pub fn currency_of(&self, product: Id<Product>) -> Option<Id<Currency>> {
        let of_tiers = || self.terms.tiers[self.tiers_of(product)?].currency;
        self.sold[product.row()].1.or_else(of_tiers)
    }

    /// Adds a reservation, whose product is one of [`Biller::products`].
    pub fn reserve(&mut self, reservation: crate::reservation::CapacityReservation) {
        self.terms.reservations.push(reservation);
    }

    /// Takes a line, and gives the charges of the hours that are over by then.
    ///
    /// # Errors
    /// It lies in an hour before that of a line that was taken before.
    pub fn take(
        &mut self,
        mut line: UsageLine,
        out: &mut impl FnMut(BilledCharge),
    ) -> Result<(), OutOfOrder> {
        if !self.period.contains(&line.from) {
            let hour = hour_of(line.from);
            if self.now.is_some_and(|now| hour < now) {
                return Err(OutOfOrder);
            }
            self.advance(hour, out);
            self.period = start_of(hour)..start_of(hour + 1);
        }
        let (unit, currency) = self.sold[line.product.row()];
        if currency.is_some() {
            let worth = self.terms.exchange(currency, hour_of(line.from));
            (line.list, line.contracted) = (worth.price(line.list), worth.price(line.contracted));
            line.amount = line.amount.map(|amount| worth.amount(amount));
        }
        let Self { terms, tiers, hour, apart, .. } = self;
        match tiers.tables_of(line.product).filter(|_| line.prices != LinePrices::Own) {
            Some(tables) => {
                tiers.split(terms, tables, &line, unit, |part, amounts| {
                    hour.push(part, unit, Some(amounts));
                });
            }
            None => {
                hour.push(&line, unit, LineAmounts::of(&line, unit));
                if let Some(machine) = &apart[line.product.row()] {
                    hour.take_last_apart(machine);
                }
            }
        }
        Ok(())
    }

    /// The clock comes to the beginning of that hour: what is before it is settled.
    pub fn advance(&mut self, hour: i64, out: &mut impl FnMut(BilledCharge)) {
        self.period = Time::ZERO..Time::ZERO;
        while let Some(now) = self.now.filter(|now| *now < hour) {
            self.settle(now, out);
            self.now = Some(now + 1);
            self.leave_month(now + 1, out);
            if !self.pays_from(now + 1) {
                self.now = Some(hour);
                self.leave_month(hour, out);
            }
        }
        if self.now.is_none() {
            self.now = Some(hour);
            self.leave_month(hour, out);
        }
    }

    /// Settles what is left: no more usage comes. Commitments are paid until the end of the hour
    /// before `until`.
    pub fn finish(&mut self, until: i64, out: &mut impl FnMut(BilledCharge)) {
        let used = self.now.map(|now| if self.hour.lines.is_empty() { now } else { now + 1 });
        let last = used.map_or(until, |used| until.max(used));
        self.advance(last, out);
        if let Some(month) = self.month.take() {
            self.sustained.conclude(&self.terms, month, out);
        }
    }

    /// Whether anything is paid, or may be bought, in that hour or later without use.
    fn pays_from(&self, hour: i64) -> bool {
        let commitments = self.terms.commitments.iter();
        let reservations = self.terms.reservations.iter();
        !self.offered.offerings().is_empty()
            || commitments
                .map(|(_, commitment)| commitment.until)
                .any(|until| hour_of(until) > hour)
            || reservations.map(|(_, kept)| kept.until).any(|until| until > start_of(hour))
    }

    fn leave_month(&mut self, hour: i64, out: &mut impl FnMut(BilledCharge)) {
        let at = start_of(hour);
        if self.month.is_some_and(|month| month.holds(at)) {
            return;
        }
        if let Some(month) = self.month.replace(Month::of(at)) {
            self.sustained.conclude(&self.terms, month, out);
            self.tiers.clear();
        }
    }

    fn settle(&mut self, now: i64, out: &mut impl FnMut(BilledCharge)) {
        self.decide();
        for (offering, commitment) in self.decided.take().map_or(Vec::new(), |(_, bought)| bought) {
            let bought = self.buy(commitment).expect("it begins in this hour");
            self.offered.add(offering, bought);
        }
        let Self { terms, products, coverages, rounds, capacity, offered, hour, apart, .. } = self;
        coverages.sort();
        capacity.update(terms, products);
        let (coverages, is_covered) = (&*coverages, |product| coverages.is_covered(product));
        hour.index(0, products, |product| is_covered(product) || capacity.keeps(product));
        hour.open_purses(now, terms);
        hour.cover(now, terms, rounds, coverages);
        // What is kept and does not run is covered by what machines leave.
        let running = hour.lines.len();
        hour.reserve(now, terms, capacity, apart);
        if running < hour.lines.len() {
            hour.index(running, products, is_covered);
            hour.cover(now, terms, rounds, coverages);
        }
        offered.count(hour, terms, coverages, now);
        hour.charge(terms, &mut self.sustained, out);
        self.hour.pay(now, &self.terms, out);
        self.sustained.leave_hour();
        self.hour.clear();
    }
}
