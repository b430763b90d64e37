//! Settlement: what is known only when a clock hour or a month is over.
//!
//! A [`Biller`] takes lines of usage in order of time. When the clock leaves an hour it applies the
//! commitments to what was used in it, each line keeping what no commitment covers; when it
//! leaves a month, discounts of the month follow. It holds the lines of one hour, the quantities
//! of the month by product and account, and nothing of what is over.

mod capacity;
mod hour;
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
use crate::commitment::{hour_of, start_of};
use crate::month::Month;
use crate::terms::AccountTerms;
use crate::units::{Id, IdVec, Rate, Time};
use crate::usage::{Product, UsageLine};

use capacity::KeptCapacity;
use hour::Hour;
use round::Rounds;
use sustained::SustainedLevels;
use tier::TierCounts;

/// Takes usage and gives charges.
#[derive(Debug)]
pub struct Biller {
    terms: AccountTerms,
    products: IdVec<Product>,
    rounds: Rounds,
    capacity: KeptCapacity,
    /// Hour whose usage comes in, and its lines.
    now: Option<i64>,
    hour: Hour,
    /// The time of the hour in which the last line lay, if the clock has not left it.
    period: Range<Time>,
    month: Option<Month>,
    tiers: TierCounts,
    sustained: SustainedLevels,
}

/// Usage that came too late: its hour is billed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

impl Biller {
    /// A biller on those terms.
    pub fn new(terms: AccountTerms) -> Self {
        let rounds = Rounds::of(&terms);
        Self {
            products: IdVec::default(),
            rounds,
            capacity: KeptCapacity::default(),
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

    /// Adds a product; what covers it is looked up once, here.
    pub fn product(&mut self, product: Product) -> Id<Product> {
        self.rounds.product(&self.terms, self.products.len(), &product);
        self.tiers.product(&self.terms, &product);
        self.sustained.product(&self.terms, &product);
        self.products.push(product)
    }

    /// Adds an account that the terms do not list, which stands by itself.
    pub fn account(&mut self, name: &str) -> Id<Account> {
        self.terms.accounts.add(name, None)
    }

    /// The negotiated price of a product that has that list price.
    pub fn negotiated(&self, product: Id<Product>, list: Rate) -> Rate {
        list.scaled(self.tiers.paid_of(product))
    }

    /// Whether the price of a product follows from the quantity of the month.
    pub fn has_tiers(&self, product: Id<Product>) -> bool {
        self.tiers.table_of(product).is_some()
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
        line: UsageLine,
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
        self.hour.push(line, self.products[line.product].unit);
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

    /// Whether anything is paid in that hour or later without use.
    fn pays_from(&self, hour: i64) -> bool {
        let commitments = self.terms.commitments.iter();
        let reservations = self.terms.reservations.iter();
        commitments.map(|(_, commitment)| commitment.until).any(|until| hour_of(until) > hour)
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
        let Self { terms, products, rounds, capacity, hour, .. } = self;
        rounds.sort();
        capacity.update(terms, products);
        hour.index(0, products, |product| rounds.is_covered(product) || capacity.keeps(product));
        let running = hour.lines.len();
        hour.reserve(now, terms, capacity);
        hour.index(running, products, |product| rounds.is_covered(product));
        hour.cover(now, terms, rounds);
        hour.charge(terms, &mut self.tiers, &mut self.sustained, out);
        self.hour.pay(now, &self.terms, out);
        self.sustained.leave_hour();
        self.hour.clear();
    }
}
