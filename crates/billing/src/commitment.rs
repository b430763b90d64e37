//! Commitments: what is paid for whether it is used or not, and what it takes the price off.

use std::ops::Range;

use crate::account::Account;
use crate::currency::{Currency, Exchange};
use crate::units::{Id, Money, Rate, Time};
use crate::usage::{Product, Sale, Service, UsageUnit};

/// Which products a commitment covers. An attribute that is `None` may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matching {
    /// Kinds of things; empty is machines alone.
    pub services: Vec<Service>,
    /// The region.
    pub region: Option<String>,
    /// The zone.
    pub zone: Option<String>,
    /// Families, any of them.
    pub families: Option<Vec<String>>,
    /// The instance type.
    pub size: Option<String>,
    /// Operating system.
    pub system: Option<String>,
    /// Tenancy.
    pub tenancy: Option<String>,
    /// Way in which they are sold: on demand, but for blocks of capacity.
    pub sale: Sale,
}

impl Matching {
    /// Whether it covers the product.
    pub fn covers(&self, product: &Product) -> bool {
        let any = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        let service = match self.services.as_slice() {
            [] => product.service == Service::Compute,
            services => services.contains(&product.service),
        };
        service
            && product.sale == self.sale
            && any(&self.region, &product.region)
            && any(&self.zone, &product.zone)
            && self.families.as_ref().is_none_or(|all| all.contains(&product.family))
            && any(&self.size, &product.size)
            && any(&self.system, &product.system)
            && any(&self.tenancy, &product.tenancy)
    }

    /// Whether prices for what it covers are for the product: those of a family of machines are for what
    /// is sold apart of it too (`n2-core` of `n2`).
    pub fn prices(&self, product: &Product) -> bool {
        let of_machines = |family: &str| Product { family: family.to_owned(), ..product.clone() };
        self.covers(product)
            || product.machine_family().is_some_and(|family| self.covers(&of_machines(family)))
    }
}

/// Price under a spending plan of what it matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanRate {
    /// The products.
    pub matching: Matching,
    /// Price per unit under the plan.
    pub price: PlanPrice,
}

/// Price under a spending plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanPrice {
    /// A price per unit.
    Fixed(Rate),
    /// A share of the list price, in millionths.
    Share(u32),
}

impl PlanPrice {
    /// The same in dollars, where what a fixed price calls so is worth so much.
    pub fn in_dollars(self, worth: Exchange) -> Self {
        match self {
            Self::Fixed(price) => Self::Fixed(worth.price(price)),
            Self::Share(_) => self,
        }
    }

    /// Price per unit where the list says `list`, rounded half up to a pico-dollar. No share is
    /// more than the whole.
    pub const fn of(self, list: Rate) -> Rate {
        match self {
            Self::Fixed(rate) => rate,
            Self::Share(millionths) if millionths < 1_000_000 => list.scaled(millionths as i64),
            Self::Share(_) => list,
        }
    }
}

/// Benefit of a commitment in each clock hour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Benefit {
    /// So much use costs nothing more: in thousandths of the unit of [`Product::weight`], for an
    /// hour.
    Reserved {
        /// The products.
        matching: Matching,
        /// Thousandths of units.
        weight: u64,
    },
    /// So much spending, at the prices of the plan, costs nothing more.
    Spending {
        /// Dollars per clock hour that are committed.
        hourly: Money,
        /// Prices of the plan; the first that matches a product holds.
        rates: Vec<PlanRate>,
    },
}

impl Benefit {
    /// So much of it in each clock hour: thousandths of units, times microseconds, or nano-dollars.
    pub fn of_an_hour(&self) -> i128 {
        match self {
            Self::Reserved { weight, .. } => i128::from(*weight) * i128::from(HOUR),
            Self::Spending { hourly, .. } => hourly.nanos(),
        }
    }

    /// The same in dollars, where all that it calls so is worth so much.
    pub fn in_dollars(&self, worth: Exchange) -> Self {
        match self {
            Self::Reserved { .. } => self.clone(),
            Self::Spending { hourly, rates } => {
                let rates = rates.iter().map(|rate| PlanRate {
                    matching: rate.matching.clone(),
                    price: rate.price.in_dollars(worth),
                });
                Self::Spending { hourly: worth.amount(*hourly), rates: rates.collect() }
            }
        }
    }

    /// The same of nothing: what all benefits have in common that are for the same products.
    pub(crate) fn of_nothing(&self) -> Self {
        match self {
            Self::Reserved { matching, .. } => {
                Self::Reserved { matching: matching.clone(), weight: 0 }
            }
            Self::Spending { rates, .. } => {
                Self::Spending { hourly: Money::ZERO, rates: rates.clone() }
            }
        }
    }

    /// Its place in the order in which providers apply commitments.
    pub fn stage(&self) -> CommitmentStage {
        match self {
            Self::Reserved { matching, .. } if matching.zone.is_some() => CommitmentStage::Zonal,
            Self::Reserved { .. } => CommitmentStage::Regional,
            Self::Spending { rates, .. } => {
                let narrow = |rate: &PlanRate| {
                    let families = rate.matching.families.as_ref();
                    rate.matching.region.is_some() && families.is_some_and(|all| all.len() == 1)
                };
                match rates.iter().all(narrow) {
                    true => CommitmentStage::FamilyPlan,
                    false => CommitmentStage::Plan,
                }
            }
        }
    }

    /// Whether it is for a product of its provider.
    pub fn covers(&self, product: &Product) -> bool {
        match self {
            Self::Reserved { matching, .. } => {
                matching.covers(product) && product.weight > 0 && product.unit == UsageUnit::Hour
            }
            Self::Spending { rates, .. } => rates.iter().any(|rate| rate.matching.prices(product)),
        }
    }

    /// Price of a product under the plan; `None` where it is no plan, or not for the product.
    pub fn plan_price(&self, product: &Product) -> Option<PlanPrice> {
        match self {
            Self::Reserved { .. } => None,
            Self::Spending { rates, .. } => {
                rates.iter().find(|rate| rate.matching.prices(product)).map(|rate| rate.price)
            }
        }
    }
}

/// A commitment that an account has bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// Name, as charges tell it.
    pub name: String,
    /// Currency of all its prices; `None` is the dollar.
    pub currency: Option<Id<Currency>>,
    /// Provider that it holds at.
    pub provider: String,
    /// Account that bought it.
    pub owner: Id<Account>,
    /// Accounts that have its benefit: this one and all below it.
    pub scope: Id<Account>,
    /// First clock hour of its term.
    pub from: Time,
    /// End of its term.
    pub until: Time,
    /// Benefit.
    pub benefit: Benefit,
    /// When it was bought.
    pub bought: Time,
    /// Paid when it was bought.
    pub upfront: Money,
    /// Paid in each clock hour of the term, used or not.
    pub hourly: Money,
}

/// Place of a commitment in the order in which a provider applies them. What comes first is
/// used first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommitmentStage {
    /// Reserved machines of one zone.
    Zonal,
    /// Reserved machines of a region, or of any.
    Regional,
    /// Spending on one family in one region.
    FamilyPlan,
    /// Spending on anything.
    Plan,
}

impl Commitment {
    /// Its place in the order.
    pub fn stage(&self) -> CommitmentStage {
        self.benefit.stage()
    }

    /// The first service that it is for, whose its own charges are.
    pub fn service(&self) -> Service {
        let matching = match &self.benefit {
            Benefit::Reserved { matching, .. } => Some(matching),
            Benefit::Spending { rates, .. } => rates.first().map(|rate| &rate.matching),
        };
        matching.and_then(|matching| matching.services.first()).copied().unwrap_or(Service::Compute)
    }

    /// Whether it covers the product at all.
    pub fn covers(&self, product: &Product) -> bool {
        product.provider == self.provider && self.benefit.covers(product)
    }

    /// Price of the product under its plan; `None` where it is no plan, or does not cover it.
    pub fn plan_price(&self, product: &Product) -> Option<PlanPrice> {
        self.benefit.plan_price(product)
    }

    /// Clock hours of its term.
    pub fn hours(&self) -> i64 {
        hour_of(self.until) - hour_of(self.from)
    }

    /// Whether the clock hour of that number since 1970 belongs to its term.
    pub fn holds_in(&self, hour: i64) -> bool {
        (hour_of(self.from)..hour_of(self.until)).contains(&hour)
    }

    /// Cost of the clock hour: what is paid for it, and the part of the upfront payment that
    /// falls on it. Over the term these sum to all that is paid.
    pub fn amortised(&self, hour: i64) -> Money {
        self.cost_of(hour..hour + 1)
    }

    /// The same of the clock hours of a stretch that belong to its term.
    pub fn cost_of(&self, stretch: Range<i64>) -> Money {
        let (begin, end) = (hour_of(self.from), hour_of(self.until));
        let (from, until) = (stretch.start.max(begin), stretch.end.min(end));
        if until <= from {
            return Money::ZERO;
        }
        let (upfront, hours) = (self.upfront.nanos(), i128::from(self.hours().max(1)));
        let paid = |hour: i64| upfront * i128::from(hour - begin) / hours;
        let hourly = self.hourly.nanos() * i128::from(until - from);
        Money::from_nanos(hourly + paid(until) - paid(from))
    }
}

/// Number of the clock hour that holds `at`, since 1970.
#[inline]
pub fn hour_of(at: Time) -> i64 {
    at.micros().div_euclid(HOUR)
}

/// Beginning of the clock hour of that number.
#[inline]
pub fn start_of(hour: i64) -> Time {
    Time::from_micros(hour * HOUR)
}

/// Microseconds of an hour.
pub(crate) const HOUR: i64 = 3_600_000_000;
