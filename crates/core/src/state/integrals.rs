//! Integrals over time of the sums over the live world.
//!
//! Sums that work changes are integrated whenever the clock moves, sums that only instances
//! change just when they do change: most runs have far fewer launches than starts.

use smallvec::SmallVec;

use super::{Amounts, State, Totals};
use crate::units::{Span, Time};

/// Integrals since the run's start of what [`Totals`] shows: each in its unit
/// times microseconds, exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeIntegrals {
    /// Integral of waiting jobs.
    pub waiting: i128,
    /// Integral of allocated milli-cores, MiB and milli-GPUs.
    pub allocated: [i128; 3],
    /// Integral of the running capacity of the same.
    pub capacity: [i128; 3],
    /// Integral of running instances.
    pub running: i128,
    /// Integral of booting instances.
    pub booting: i128,
    /// Integral of instances that are down.
    pub down: i128,
    /// Integral of broken devices of instances that run.
    pub broken: i128,
    /// Integral of pico-dollars per hour, by provider.
    pub rates: SmallVec<[i128; 4]>,
}

impl TimeIntegrals {
    /// Integrals from `since`, an earlier moment of the same run, to this one.
    pub fn minus(&self, since: &Self) -> Self {
        let three = |now: [i128; 3], then: [i128; 3]| std::array::from_fn(|at| now[at] - then[at]);
        Self {
            waiting: self.waiting - since.waiting,
            allocated: three(self.allocated, since.allocated),
            capacity: three(self.capacity, since.capacity),
            running: self.running - since.running,
            booting: self.booting - since.booting,
            down: self.down - since.down,
            broken: self.broken - since.broken,
            rates: self
                .rates
                .iter()
                .enumerate()
                .map(|(at, now)| now - since.rates.get(at).unwrap_or(&0))
                .collect(),
        }
    }

    /// Adds `totals`, held for `span`, as far as work changes them.
    #[inline]
    fn add_work(&mut self, totals: &Totals, span: Span) {
        self.waiting += area(totals.waiting as i64, span);
        add(&mut self.allocated, totals.allocated, span);
    }

    /// Adds `totals`, held for `span`, as far as instances change them.
    fn add_fleet(&mut self, totals: &Totals, span: Span) {
        add(&mut self.capacity, totals.capacity, span);
        self.running += area(totals.running as i64, span);
        self.booting += area(totals.booting as i64, span);
        self.down += area(totals.down as i64, span);
        self.broken += area(totals.broken as i64, span);
        self.rates.resize(totals.rates.len(), 0);
        for (sum, &rate) in self.rates.iter_mut().zip(&totals.rates) {
            *sum += area(rate, span);
        }
    }
}

/// A product of two words is exact in 128 bits, and one instruction.
fn area(height: i64, span: Span) -> i128 {
    i128::from(height) * i128::from(span.micros())
}

fn add(sums: &mut [i128; 3], amounts: Amounts, span: Span) {
    for (sum, amount) in sums.iter_mut().zip([amounts.cpu, amounts.memory, amounts.gpu]) {
        *sum += area(amount, span);
    }
}

impl State<'_> {
    /// The integrals up to `at`, which is not before now, if nothing changes until then.
    pub fn areas_at(&self, at: Time) -> TimeIntegrals {
        let mut areas = self.areas.clone();
        areas.add_work(&self.totals, at - self.now);
        areas.add_fleet(&self.totals, at - self.fleet_since);
        areas
    }

    /// The integrals over `span` in which nothing changes.
    pub fn areas_over(&self, span: Span) -> TimeIntegrals {
        let mut areas = TimeIntegrals::default();
        areas.add_work(&self.totals, span);
        areas.add_fleet(&self.totals, span);
        areas
    }

    /// Cost of the instances of a provider until `at`, by its row, before rounding rules: in pico-dollar
    /// microseconds per hour; and the pico-dollars per hour from now on.
    pub(super) fn accrued(&self, provider: usize, at: Time) -> (i128, i64) {
        let rate = self.totals.rates[provider];
        let sum = self.areas.rates.get(provider).copied().unwrap_or_default();
        (sum + area(rate, at - self.fleet_since), rate)
    }

    /// Moves the clock, which never runs back.
    pub(crate) fn set_now(&mut self, now: Time) {
        debug_assert!(self.now <= now, "the clock ran back");
        self.areas.add_work(&self.totals, now - self.now);
        self.now = now;
        if self.next_period().is_some_and(|next| next <= now) {
            self.begin_periods(false);
        }
        if self.holdings.next().is_some_and(|next| next <= now) {
            self.holdings.come(now);
        }
    }

    /// Sets the clock before anything has happened.
    pub(crate) fn set_start(&mut self, start: Time) {
        (self.now, self.fleet_since) = (start, start);
        self.begin_periods(true);
        self.holdings.come(start);
    }

    /// Settles the areas of the fleet; to be called before instances change the totals.
    pub(super) fn settle_fleet(&mut self) {
        if self.fleet_since < self.now {
            self.areas.add_fleet(&self.totals, self.now - self.fleet_since);
            self.fleet_since = self.now;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Ask, Market};
    use crate::state::testing::{Plan, demand, start, submit, world};
    use crate::state::{Ending, Needs, Share};
    use crate::units::{Id, Time};

    #[test]
    fn integrals_are_sums_of_what_stood() {
        let plan = Plan { market: Market::OnDemand, price: "2", ..Plan::default() };
        let world = world(&[plan]);
        let mut state = start(&world, Needs::default());
        let instance = state.rent(Id::new(0)).expect("it can be rented");
        state.set_now(Time::from_secs(3));
        state.ready(instance, &mut Vec::new());
        let work = submit(&mut state, 0, Ask { demand: demand(500, 1, 0, 0), ..Ask::default() });
        state.set_now(Time::from_secs(4));
        let opened = state.open(work);
        state.add(opened, Share { instance, tasks: 1, devices: 0 }).expect("it fits");
        state.commit(opened).expect("it is whole");
        state.start(opened);
        let half = state.areas_at(Time::from_secs(5));
        state.set_now(Time::from_secs(10));
        state.stop(opened, Ending::Done);
        state.close(opened, &mut Vec::new());
        state.forget(work);
        state.release(instance).expect("it is empty");
        let all = state.areas_at(Time::from_secs(99));
        let seconds = |count: i128| count * 1_000_000;
        // Booting for 3 s; then running for 7 s, and allocated for 6 s of these.
        assert_eq!((all.booting, all.running), (seconds(3), seconds(7)));
        assert_eq!(all.capacity, [4_000 * seconds(7), 4_096 * seconds(7), 0]);
        assert_eq!(all.allocated, [500 * seconds(6), seconds(6), 0]);
        assert_eq!(all.waiting, seconds(1));
        assert_eq!(all.rates[..], [seconds(20) * 1_000_000_000_000]);
        let rest = all.minus(&half);
        assert_eq!((rest.running, rest.waiting), (seconds(5), 0));
        assert_eq!(rest.allocated[0], 500 * seconds(5));
    }
}
