//! Credits for time in which a service was not there: lines of their own, never netted, for
//! providers give them to those who ask.
//!
//! A zone that is out breaks the promise for each machine in it; a region, all of it, also that for
//! regions. The larger credit counts. Both are shares of what a month's use was billed at: not of
//! what commitments covered, and not of what was paid for these. Launches that fail break no
//! promise, for these speak of machines that run.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::account::Account;
use crate::charge::{BilledCharge, Origin, Purpose};
use crate::commitment::{HOUR, hour_of, start_of};
use crate::month::Month;
use crate::rules::{BillingRules, SlaRow, SlaScope};
use crate::units::{Id, IdVec, Money, Rate, Span, Time};
use crate::usage::{Product, Service};

/// Time in which a service was not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceOutage {
    /// The provider.
    pub provider: String,
    /// The service.
    pub service: Service,
    /// The region.
    pub region: String,
    /// The zone; `None` is all zones of the region.
    pub zone: Option<String>,
    /// Whether what ran went on, and only nothing new could be had.
    pub launches_only: bool,
    /// Its beginning.
    pub from: Time,
    /// Its end, or as far as it is known. What follows may come as another.
    pub until: Time,
}

/// Provider, service, region and, but for a whole region, zone.
type OutagePlace = (String, Service, String, Option<String>);

/// Gives credits for charges.
#[derive(Debug)]
pub struct ServiceCredits<'r> {
    rules: &'r BillingRules,
    outages: BTreeMap<OutagePlace, Vec<Range<Time>>>,
    /// All zones of a region of a provider, where they are known.
    zones: BTreeMap<(String, String), Vec<String>>,
    month: Option<Month>,
    /// What the month's use was billed at.
    billed: BTreeMap<(Id<Account>, Id<Product>), Money>,
    /// The clock hour of the last charge, and by product whether it costs nothing.
    hour: i64,
    free: BTreeMap<Id<Product>, bool>,
}

impl<'r> ServiceCredits<'r> {
    /// Credits by these rules.
    pub fn new(rules: &'r BillingRules) -> Self {
        Self {
            rules,
            outages: BTreeMap::new(),
            zones: BTreeMap::new(),
            month: None,
            billed: BTreeMap::new(),
            hour: i64::MIN,
            free: BTreeMap::new(),
        }
    }

    /// Says all zones of a region, two or more: it is out while all of them are.
    pub fn region(&mut self, provider: &str, region: &str, zones: Vec<String>) {
        self.zones.insert((provider.to_owned(), region.to_owned()), zones);
    }

    /// Takes an outage, before the charges of the hours in which it lies.
    pub fn outage(&mut self, outage: &ServiceOutage) {
        let ServiceOutage { provider, service, region, zone, launches_only, from, until } = outage;
        if !launches_only && from < until {
            let place = (provider.clone(), *service, region.clone(), zone.clone());
            self.outages.entry(place).or_default().push(*from..*until);
            self.free.clear();
        }
    }

    /// Takes a charge, in the order in which they were given, and gives the credits of the months
    /// that are over by then, and what an hour costs that costs nothing.
    pub fn take(
        &mut self,
        charge: &BilledCharge,
        products: &IdVec<Product>,
        out: &mut impl FnMut(BilledCharge),
    ) {
        if self.month.is_none_or(|month| charge.from >= month.until) {
            self.finish(products, out);
            self.month = Some(Month::of(charge.from));
        }
        match charge.purpose {
            Purpose::Usage { origin: Origin::Line(_), product } => {
                if self.is_free(hour_of(charge.from), product, products) {
                    give(charge.account, product, [charge.from, charge.until], charge.billed, out);
                } else {
                    *self.billed.entry((charge.account, product)).or_default() += charge.billed;
                }
            }
            Purpose::SustainedUse(product) => {
                *self.billed.entry((charge.account, product)).or_default() += charge.billed;
            }
            // What is covered is billed with its commitment, and what does not run has no promise.
            Purpose::Usage { origin: Origin::Reservation(_), .. }
            | Purpose::Covered { .. }
            | Purpose::Unused(_)
            | Purpose::Upfront(_)
            | Purpose::Fee(_)
            | Purpose::Credit(_) => {}
        }
    }

    /// Gives the credits of the month whose charges were taken.
    pub fn finish(&mut self, products: &IdVec<Product>, out: &mut impl FnMut(BilledCharge)) {
        let Some(month) = self.month.take() else { return };
        let mut shares = BTreeMap::new();
        for ((account, product), billed) in std::mem::take(&mut self.billed) {
            let share = *shares
                .entry(product)
                .or_insert_with(|| self.share(&products[product], month.from..month.until));
            let nanos = (billed.nanos().max(0) * i128::from(share) + 500_000) / 1_000_000;
            give(account, product, [month.from, month.until], Money::from_nanos(nanos), out);
        }
        for outages in self.outages.values_mut() {
            outages.retain(|outage| outage.end > month.until);
        }
        self.outages.retain(|_, outages| !outages.is_empty());
    }

    /// Share of a month's charges for a product that is given back, in millionths.
    fn share(&self, product: &Product, month: Range<Time>) -> u32 {
        let length = month.end - month.start;
        let rows = self.rules.promises(product);
        let credit = |row: &SlaRow| {
            let pieces = self.pieces(row.scope, product, &month).into_iter();
            row.credit(
                pieces.fold(Span::ZERO, |sum, piece| sum + (piece.end - piece.start)),
                length,
            )
        };
        rows.map(credit).max().unwrap_or(0)
    }

    /// Whether what runs of the product in that hour costs nothing.
    fn is_free(&mut self, hour: i64, product: Id<Product>, products: &IdVec<Product>) -> bool {
        if self.outages.is_empty() {
            return false;
        }
        if self.hour != hour {
            (self.hour, self.free) = (hour, BTreeMap::new());
        }
        if let Some(known) = self.free.get(&product) {
            return *known;
        }
        let of = &products[product];
        let time = start_of(hour)..start_of(hour) + Span::from_micros(HOUR);
        let is_free = self.rules.promises(of).any(|row| {
            row.free_hour_after().is_some_and(|most| {
                let pieces = self.pieces(row.scope, of, &time);
                pieces.iter().any(|piece| piece.end - piece.start > most)
            })
        });
        self.free.insert(product, is_free);
        is_free
    }

    /// When what a promise for the product is about was not there within `time`, in pieces that do
    /// not touch.
    fn pieces(&self, scope: SlaScope, product: &Product, time: &Range<Time>) -> Vec<Range<Time>> {
        let of = |zone: Option<&String>| {
            let Product { provider, service, region, .. } = product;
            let place = (provider.clone(), *service, region.clone(), zone.cloned());
            self.outages.get(&place).into_iter().flatten().cloned()
        };
        let whole = of(None);
        let all: Vec<Range<Time>> = match scope {
            SlaScope::Instance => whole.chain(of(Some(&product.zone))).collect(),
            SlaScope::Region => {
                let zones = self.zones.get(&(product.provider.clone(), product.region.clone()));
                let zones =
                    zones.into_iter().flatten().map(|zone| joined(of(Some(zone)).collect()));
                whole
                    .chain(zones.reduce(|all, zone| common(&all, &zone)).unwrap_or_default())
                    .collect()
            }
        };
        let within =
            all.into_iter().map(|piece| piece.start.max(time.start)..piece.end.min(time.end));
        joined(within.filter(|piece| !piece.is_empty()).collect())
    }
}

/// The same time in pieces that do not touch, in order.
fn joined(mut all: Vec<Range<Time>>) -> Vec<Range<Time>> {
    all.sort_unstable_by_key(|piece| piece.start);
    let mut pieces: Vec<Range<Time>> = Vec::new();
    for piece in all {
        match pieces.last_mut() {
            Some(last) if piece.start <= last.end => last.end = last.end.max(piece.end),
            Some(_) | None => pieces.push(piece),
        }
    }
    pieces
}

/// Time that lies in both, of pieces in order that do not touch.
fn common(one: &[Range<Time>], other: &[Range<Time>]) -> Vec<Range<Time>> {
    let (mut at, mut beside) = (0, 0);
    let mut pieces = Vec::new();
    while let (Some(a), Some(b)) = (one.get(at), other.get(beside)) {
        let piece = a.start.max(b.start)..a.end.min(b.end);
        if !piece.is_empty() {
            pieces.push(piece);
        }
        if a.end <= b.end { at += 1 } else { beside += 1 }
    }
    pieces
}

/// Gives so much back, if that is anything.
fn give(
    account: Id<Account>,
    product: Id<Product>,
    [from, until]: [Time; 2],
    amount: Money,
    out: &mut impl FnMut(BilledCharge),
) {
    if amount > Money::ZERO {
        out(BilledCharge {
            purpose: Purpose::Credit(product),
            account,
            from,
            until,
            quantity: 0,
            list_price: Rate::ZERO,
            contracted_price: Rate::ZERO,
            list: Money::ZERO,
            contracted: Money::ZERO,
            effective: -amount,
            billed: -amount,
        });
    }
}

#[cfg(test)]
mod tests;
