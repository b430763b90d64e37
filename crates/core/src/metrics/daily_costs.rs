//! Cost by calendar day, provider and kind of charge.

use std::collections::BTreeMap;

use crate::metering::ChargePeriod;
use crate::model::{Provider, World};
use crate::sim::Observer;
use crate::state::{ChargeKind, Record, State};
use crate::units::{Calendar, Id, Money, Time};

/// Adds up charges by the day in UTC on which their period begins: exact where the charges are
/// cut at days or hours (see [`ChargePeriods`](super::ChargePeriods)). Days without charges are
/// there too, from the first day of the run to the last.
#[derive(Clone, Debug)]
pub struct DailyCosts {
    calendar: Calendar,
    /// Number of the first day, counted from 1970.
    first: i64,
    began: Time,
    ended: Time,
    /// Number of days.
    days: usize,
    /// Sums by day, as far as there are any.
    sums: BTreeMap<(Id<Provider>, ChargeKind), Vec<Money>>,
}

/// Costs of one day of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostDay {
    /// Its midnight, or the start of the run.
    pub from: Time,
    /// The next midnight, or the end of the run.
    pub until: Time,
}

impl Default for DailyCosts {
    fn default() -> Self {
        Self {
            calendar: Calendar::from_unix_micros(0),
            first: 0,
            began: Time::ZERO,
            ended: Time::ZERO,
            days: 0,
            sums: BTreeMap::new(),
        }
    }
}

impl DailyCosts {
    /// Providers and kinds that were charged for, in order.
    pub fn columns(&self) -> impl Iterator<Item = (Id<Provider>, ChargeKind)> {
        self.sums.keys().copied()
    }

    /// Names of the providers that were charged for, in the order of the world.
    pub fn providers<'w>(&self, world: &'w World) -> Vec<(Id<Provider>, &'w str)> {
        let mut all: Vec<_> = self.columns().map(|(provider, _)| provider).collect();
        all.dedup();
        all.into_iter().map(|one| (one, world.providers[one].name.as_str())).collect()
    }

    /// The days of the run, in order.
    pub fn days(&self) -> impl ExactSizeIterator<Item = CostDay> {
        let day = |number| ChargePeriod::Day.start(self.calendar, self.first + number as i64);
        (0..self.days).map(move |number| CostDay {
            from: day(number).max(self.began),
            until: day(number + 1).min(self.ended.max(self.began)),
        })
    }

    /// Sum of one day, by its place among the days.
    pub fn sum(&self, day: usize, provider: Id<Provider>, kind: ChargeKind) -> Money {
        let sums = self.sums.get(&(provider, kind));
        sums.and_then(|sums| sums.get(day)).copied().unwrap_or(Money::ZERO)
    }

    /// Sum of all days.
    pub fn total(&self) -> Money {
        self.sums.values().flatten().copied().sum()
    }

    /// Makes the days reach the one of that number; returns its place.
    fn reach(&mut self, number: i64) -> usize {
        let place = usize::try_from(number - self.first).unwrap_or(0);
        self.days = self.days.max(place + 1);
        place
    }
}

impl Observer for DailyCosts {
    fn begins(&mut self, state: &State<'_>) {
        self.calendar = state.world().calendar;
        self.began = state.now();
        self.first = ChargePeriod::Day.number(self.calendar, self.began);
        self.reach(self.first);
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        let Record::Charged(charge) = record else { return };
        let day = self.reach(ChargePeriod::Day.number(self.calendar, charge.from));
        let provider = state.world().regions[charge.region].provider;
        let sums = self.sums.entry((provider, charge.kind)).or_default();
        if sums.len() <= day {
            sums.resize(day + 1, Money::ZERO);
        }
        sums[day] += charge.amount;
    }

    fn ends(&mut self, state: &State<'_>) {
        self.ended = state.now();
        // A run that ends at midnight has nothing of the day that begins then.
        let last = Time::from_micros(self.ended.micros() - 1).max(self.began);
        self.reach(ChargePeriod::Day.number(self.calendar, last));
    }
}
