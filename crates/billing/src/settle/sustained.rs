//! Sustained use: what runs for much of a month costs less, by the share of the month that it runs.
//!
//! Machines that do not run at the same time count as one that runs longer: use at each moment is
//! stacked, and the layer at each height has run for as long as at least so much was in use
//! (Google's inferred instances). Machines of one account, region and family count together where
//! a unit of their size costs the same.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::charge::{BilledCharge, Purpose};
use crate::commitment::hour_of;
use crate::currency::Currency;
use crate::month::Month;
use crate::rate;
use crate::terms::{AccountTerms, SustainedUse};
use crate::units::{Id, Money, Rate, Time};
use crate::usage::{Product, UsageUnit};

use super::line::OpenLine;

/// Products that count together, where they cost the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    discount: Id<SustainedUse>,
    region: String,
    family: String,
    /// Of their prices.
    currency: Option<Id<Currency>>,
}

/// What counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pool {
    group: u32,
    account: Id<Account>,
    price: UnitPrice,
}

/// Price of a unit of size in its currency, as a fraction in lowest terms: pico-dollars over thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UnitPrice {
    picos: u64,
    thousandths: u64,
}

/// Change of the level of a pool, in millionths of a thousandth of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LevelChange {
    pool: Pool,
    at: Time,
    product: Id<Product>,
    level: i128,
}

/// Use of one pool in the month.
#[derive(Debug)]
struct PoolLevels {
    /// A product of the pool, which stands for it on the bill.
    product: Id<Product>,
    /// Microseconds for which each level was in use.
    levels: BTreeMap<i128, i128>,
}

/// A product that has a discount.
#[derive(Clone, Copy, Debug)]
struct Discounted {
    group: u32,
    weight: u64,
    currency: Option<Id<Currency>>,
    /// Price of its line before, and what that is per unit of size.
    last: (Rate, UnitPrice),
}

/// Use of the month that may have a discount.
#[derive(Debug, Default)]
pub(super) struct SustainedLevels {
    groups: Vec<Group>,
    numbers: BTreeMap<Group, u32>,
    /// By product.
    products: Vec<Option<Discounted>>,
    /// Of this hour.
    changes: Vec<LevelChange>,
    pools: BTreeMap<Pool, PoolLevels>,
}

impl SustainedLevels {
    pub(super) fn product(&mut self, terms: &AccountTerms, product: &Product) {
        let matches = |discount: &SustainedUse| {
            discount.provider == product.provider
                && discount.matching.covers(product)
                && product.weight > 0
                && product.unit == UsageUnit::Hour
        };
        let discounted = terms.sustained.find(matches).map(|discount| {
            let (region, family) = (product.region.clone(), product.family.clone());
            let currency = terms.currency(&product.currency);
            let group = Group { discount, region, family, currency };
            let next = self.groups.len() as u32;
            let number = *self.numbers.entry(group.clone()).or_insert(next);
            if number == next {
                self.groups.push(group);
            }
            let (weight, free) = (product.weight, Rate::ZERO);
            let last = (free, reduced(free, weight));
            Discounted { group: number, weight, currency, last }
        });
        self.products.push(discounted);
    }

    /// Adds what is not covered of a line.
    #[inline]
    pub(super) fn add(&mut self, terms: &AccountTerms, line: &OpenLine) {
        if let Some(discounted) = self.products[line.product.row()] {
            self.add_to(terms, discounted, line);
        }
    }

    fn add_to(&mut self, terms: &AccountTerms, mut of: Discounted, line: &OpenLine) {
        let micros = (line.until - line.from).micros();
        if micros <= 0 {
            return;
        }
        // Whatever a currency is worth meanwhile, machines of one price in it count together.
        let worth = terms.exchange(of.currency, hour_of(line.from));
        let contracted = worth.price_back(line.contracted);
        if of.last.0 != contracted {
            of.last = (contracted, reduced(contracted, of.weight));
            self.products[line.product.row()] = Some(of);
        }
        let pool = Pool { group: of.group, account: line.account, price: of.last.1 };
        let used = (line.quantity - line.covered).unsigned_abs();
        let used = used.saturating_mul(u128::from(of.weight));
        let level = rate::share(used, PARTS.unsigned_abs(), u128::from(micros.unsigned_abs())).0;
        let level = level.min(MOST.unsigned_abs()) as i128;
        let product = line.product;
        for (at, level) in [(line.from, level), (line.until, -level)] {
            self.changes.push(LevelChange { pool, at, product, level });
        }
    }

    /// The hour is over: no line reaches beyond it.
    pub(super) fn leave_hour(&mut self) {
        self.changes.sort_unstable();
        for changes in self.changes.chunk_by(|a, b| a.pool == b.pool) {
            let levels = self.pools.entry(changes[0].pool).or_insert_with(|| PoolLevels {
                product: changes[0].product,
                levels: BTreeMap::new(),
            });
            let mut level = 0;
            for (change, next) in changes.iter().zip(&changes[1..]) {
                level += change.level;
                let micros = i128::from((next.at - change.at).micros());
                if level > 0 && micros > 0 {
                    *levels.levels.entry(level.min(MOST)).or_default() += micros;
                }
            }
        }
        self.changes.clear();
    }

    /// The month is over: gives the discounts.
    pub(super) fn conclude(
        &mut self,
        terms: &AccountTerms,
        month: Month,
        out: &mut impl FnMut(BilledCharge),
    ) {
        for (pool, levels) in std::mem::take(&mut self.pools) {
            let Group { discount, currency, .. } = &self.groups[pool.group as usize];
            let discount = &terms.sustained[*discount];
            let saved = saved(&levels.levels, &discount.steps, month);
            let worth = terms.exchange(*currency, hour_of(month.from));
            let amount = -worth.amount(pool.price.amount(saved));
            if amount == Money::ZERO {
                continue;
            }
            out(BilledCharge {
                purpose: Purpose::SustainedUse(levels.product),
                account: pool.account,
                from: month.from,
                until: month.until,
                quantity: 0,
                list_price: Rate::ZERO,
                contracted_price: Rate::ZERO,
                list: Money::ZERO,
                contracted: Money::ZERO,
                effective: amount,
                billed: amount,
            });
        }
    }
}

/// Parts that a thousandth of a unit is counted in.
const PARTS: i128 = 1_000_000;

/// A million: shares of the month and of the price are counted in millionths.
const MILLION: i128 = 1_000_000;

/// A level beyond ten billion units, in parts, counts as so many, so that sums of a month fit.
const MOST: i128 = 10_000_000_000_000 * PARTS;

impl UnitPrice {
    /// Amount for use in parts of thousandths of units, times microseconds, in millionths:
    /// rounded down.
    fn amount(self, used: i128) -> Money {
        let per_nano = MILLION * PARTS * 1_000 * UsageUnit::Hour.whole();
        let picos = u128::from(self.picos);
        let thousandths = rate::share(used.unsigned_abs(), picos, per_nano.unsigned_abs()).0;
        Money::from_nanos((thousandths / u128::from(self.thousandths)) as i128)
    }
}

/// Use that is not paid for: of each layer, by the time that it was in use.
fn saved(levels: &BTreeMap<i128, i128>, steps: &[(u32, u32)], month: Month) -> i128 {
    let length = i128::from(month.length().micros());
    let (mut time, mut saved) = (0, 0);
    let mut descending = levels.iter().rev().peekable();
    while let Some((level, micros)) = descending.next() {
        time += micros;
        let below = descending.peek().map_or(0, |(below, _)| **below);
        saved += (level - below) * unpaid(time, steps, length);
    }
    saved
}

/// Part of `time` that is not paid for, in millionths of a microsecond.
fn unpaid(time: i128, steps: &[(u32, u32)], length: i128) -> i128 {
    let mut from = 0;
    let mut unpaid = 0;
    for (share, paid) in steps {
        let until = length * i128::from(*share) / MILLION;
        let within = (time.min(until) - from).max(0);
        unpaid += within * (MILLION - i128::from(*paid));
        from = until;
    }
    unpaid
}

/// The fraction in lowest terms; no price is below nothing.
fn reduced(price: Rate, weight: u64) -> UnitPrice {
    let picos = price.picos().max(0).unsigned_abs();
    let (mut a, mut b) = (picos, weight);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    let divisor = a.max(1);
    UnitPrice { picos: picos / divisor, thousandths: (weight / divisor).max(1) }
}
