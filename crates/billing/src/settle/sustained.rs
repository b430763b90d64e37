//! Sustained use: what runs for much of a month costs less, by the share of the month that it runs.
//!
//! Machines that do not run at the same time count as one that runs longer: use at each moment is
//! stacked, and the layer at each height has run for as long as at least so much was in use
//! (Google's inferred instances). Machines of one account, region and family count together where
//! a unit of their size costs the same.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::charge::{Charge, Purpose};
use crate::month::Month;
use crate::terms::{SustainedUse, Terms};
use crate::units::{Id, IdVec, Money, Rate, Time};
use crate::usage::{Product, Unit};

use super::hour::OpenLine;

/// What counts together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pool {
    discount: Id<SustainedUse>,
    account: Id<Account>,
    region: String,
    family: String,
    /// Price of a unit of size, as a fraction in lowest terms: pico-dollars over thousandths.
    price: (i64, u64),
}

/// Use of one pool in the month.
#[derive(Debug)]
struct PoolLevels {
    /// A product of the pool, which stands for it on the bill.
    product: Id<Product>,
    /// Changes within the hour.
    changes: BTreeMap<Time, i128>,
    /// Microseconds for which each level was in use, in millionths of a thousandth of a unit.
    levels: BTreeMap<i128, i128>,
}

/// Use of the month that may have a discount.
#[derive(Debug, Default)]
pub(super) struct SustainedLevels {
    /// By product.
    discounts: Vec<Option<Id<SustainedUse>>>,
    pools: BTreeMap<Pool, PoolLevels>,
}

impl SustainedLevels {
    pub(super) fn product(&mut self, terms: &Terms, product: &Product) {
        let matches = |discount: &SustainedUse| {
            discount.provider == product.provider
                && discount.matching.covers(product)
                && product.weight > 0
                && product.unit == Unit::Hour
        };
        self.discounts.push(terms.sustained.find(matches));
    }

    /// Adds what is not covered of a line.
    pub(super) fn add(&mut self, line: &OpenLine, product: &Product) {
        let Some(discount) = self.discounts[line.product.row()] else { return };
        let micros = i128::from((line.until - line.from).micros());
        if micros == 0 {
            return;
        }
        let pool = Pool {
            discount,
            account: line.account,
            region: product.region.clone(),
            family: product.family.clone(),
            price: reduced(line.contracted, product.weight),
        };
        let used = (line.quantity - line.covered) * i128::from(product.weight);
        let level = used * PARTS / micros;
        let levels = self.pools.entry(pool).or_insert_with(|| PoolLevels {
            product: line.product,
            changes: BTreeMap::new(),
            levels: BTreeMap::new(),
        });
        *levels.changes.entry(line.from).or_default() += level;
        *levels.changes.entry(line.until).or_default() -= level;
    }

    /// The hour is over: no line reaches beyond it.
    pub(super) fn leave_hour(&mut self) {
        for levels in self.pools.values_mut() {
            let (mut level, mut last) = (0_i128, None::<Time>);
            for (at, change) in std::mem::take(&mut levels.changes) {
                if let Some(last) = last.filter(|_| level > 0) {
                    *levels.levels.entry(level).or_default() += i128::from((at - last).micros());
                }
                level += change;
                last = Some(at);
            }
        }
    }

    /// The month is over: gives the discounts.
    pub(super) fn conclude(
        &mut self,
        terms: &Terms,
        _products: &IdVec<Product>,
        month: Month,
        out: &mut impl FnMut(Charge),
    ) {
        for (pool, levels) in std::mem::take(&mut self.pools) {
            let saved = saved(&levels.levels, &terms.sustained[pool.discount].steps, month);
            let amount = -pool.amount(saved);
            if amount == Money::ZERO {
                continue;
            }
            out(Charge {
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

impl Pool {
    /// Amount for use in parts of thousandths of units, times microseconds, in millionths:
    /// rounded down.
    fn amount(&self, used: i128) -> Money {
        let (picos, thousandths) = self.price;
        let whole = used / (MILLION * PARTS) * i128::from(picos) / i128::from(thousandths);
        Money::from_nanos(whole / (1_000 * 3_600_000_000))
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

/// The fraction in lowest terms.
fn reduced(price: Rate, weight: u64) -> (i64, u64) {
    let (mut a, mut b) = (price.picos().unsigned_abs(), weight);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    let divisor = a.max(1);
    (price.picos() / divisor as i64, weight / divisor)
}
