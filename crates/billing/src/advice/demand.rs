//! The demand that commitments may cover, in replications of the future, and how it grows.

use std::collections::BTreeMap;

use crate::parts::MachinePart;
use crate::units::{Id, IdVec, Rate};
use crate::usage::Product;

/// A product at its prices. A product whose price changes is several goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Good {
    pub(super) product: Id<Product>,
    pub(super) list: Rate,
    pub(super) contracted: Rate,
}

/// What one account uses on demand, and no commitment covers yet, in each clock hour of a window,
/// in each replication of the future.
#[derive(Clone, Debug)]
pub struct FutureDemand {
    pub(super) products: IdVec<Product>,
    /// Products that are parts of machines.
    parts: BTreeMap<Id<Product>, MachinePart>,
    pub(super) replications: usize,
    pub(super) hours: usize,
    pub(super) goods: Vec<Good>,
    numbers: BTreeMap<Good, usize>,
    /// By good, the quantity of each hour of the window, in units of its price; the hours of the
    /// first replication, then those of the second, and so on.
    pub(super) quantities: Vec<Vec<f64>>,
}

impl FutureDemand {
    /// No demand for those products, in so many replications of a window of so many clock hours.
    pub fn new(products: IdVec<Product>, replications: usize, hours: usize) -> Self {
        Self {
            products,
            parts: BTreeMap::new(),
            replications,
            hours,
            goods: Vec::new(),
            numbers: BTreeMap::new(),
            quantities: Vec::new(),
        }
    }

    /// Says that a product is a part of a machine.
    pub fn part(&mut self, product: Id<Product>, of: MachinePart) {
        self.parts.insert(product, of);
    }

    /// The part of a machine that a product is, if it is one.
    pub(super) fn part_of(&self, product: Id<Product>) -> Option<&MachinePart> {
        self.parts.get(&product)
    }

    /// Adds a quantity that is used in one hour of the window, in millionths of its unit (see
    /// [`UsageUnit::whole`](crate::usage::UsageUnit::whole)), and its prices per unit.
    ///
    /// # Panics
    /// The replication, the hour or the product is none that was announced.
    pub fn add(
        &mut self,
        [replication, hour]: [usize; 2],
        product: Id<Product>,
        quantity: i128,
        [list, contracted]: [Rate; 2],
    ) {
        assert!(replication < self.replications && hour < self.hours, "beyond the window");
        let whole = self.products[product].unit.whole() as f64;
        let good = Good { product, list, contracted };
        let number = *self.numbers.entry(good).or_insert(self.goods.len());
        if number == self.goods.len() {
            self.goods.push(good);
            self.quantities.push(vec![0.0; self.replications * self.hours]);
        }
        self.quantities[number][replication * self.hours + hour] += quantity as f64 / whole;
    }
}

/// How demand grows over the horizon, over which the window is repeated.
///
/// In month *m* from now, of [`MONTH_HOURS`] each, every quantity of the window is multiplied by
///
/// > (1 + `growth`)^(m/12) · exp(`spread` · (z₁ + … + zₘ)/√12 − `spread`² · m/24)
///
/// with the standard normals *z* of the replication: a lognormal random walk in monthly steps. Its
/// mean is 1, so the mean of the factor is the growth alone. Month 0 has the factor 1. Quantities
/// are scaled and not rounded, so there may be parts of machines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DemandGrowth {
    /// Growth in a year, as a share: 0.1 is 10 % more. More than -1.
    pub growth: f64,
    /// Standard deviation of the logarithm of the factor after a year; 0 or more.
    pub spread: f64,
    /// By replication, a standard normal for each month after the first; none where there is no
    /// spread.
    pub normals: Vec<Vec<f64>>,
}

/// Hours of a month of growth: a twelfth of 8,760.
pub const MONTH_HOURS: usize = 730;

impl DemandGrowth {
    /// Number of normals that each replication needs for a horizon of so many hours.
    pub fn steps(hours: usize) -> usize {
        hours.div_ceil(MONTH_HOURS).saturating_sub(1)
    }

    /// The factors of a replication, by month of the horizon.
    pub(super) fn factors(&self, replication: usize, hours: usize) -> Vec<f64> {
        let mut walk = 0.0;
        let factor = |month: usize| {
            let years = month as f64 / 12.0;
            if month > 0 && self.spread > 0.0 {
                walk += self.normals[replication][month - 1];
            }
            let drift = libm::pow(1.0 + self.growth, years);
            let noise =
                self.spread * walk / libm::sqrt(12.0) - self.spread * self.spread * years / 2.0;
            drift * libm::exp(noise)
        };
        (0..hours.div_ceil(MONTH_HOURS)).map(factor).collect()
    }
}
