//! Ledger of spending: what providers charge and what the work of tenants is charged, told while it
//! is made. Exact integers.
//!
//! Time of an instance counts as it passes, from its request on, at the price of the moment; what the
//! provider's rule adds when it goes (granularity and minimum) counts then; a transfer counts when
//! it is over. So when all instances have gone, what a provider charges is the sum of its bills.
//!
//! A tenant pays for the shares of instances that its work holds. Their value grows evenly, at the
//! price times the shares, until a price or the shares on an instance change: constant time for each change, and by
//! the number of tenants that are followed on that instance. Where shares add up to more than the whole, the
//! pace is rounded down to a pico-dollar per hour, and made good with the next change.

use smallvec::SmallVec;

use super::split::{WHOLE, value_of};
use super::{Meter, PER_NANO, ShareUsage};
use crate::units::{Money, Rate, Span, Time};

/// A nano-dollar in the unit of [`SpendingCourse`].
const SPENDING_NANO: i128 = WHOLE as i128 * PER_NANO;

/// Spending at a moment, and how it goes on while nothing changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpendingCourse {
    at: Time,
    /// Millionths of a pico-dollar microsecond per hour until then.
    sum: i128,
    /// Growth in each microsecond.
    pace: i128,
}

impl SpendingCourse {
    /// Nothing until `at`, which grows at `pace` of another course.
    pub const fn anew(at: Time, as_of: Self) -> Self {
        Self { at, sum: 0, pace: as_of.pace }
    }

    /// The same at another moment, if nothing changes until then.
    pub fn moved_to(self, at: Time) -> Self {
        Self { at, sum: self.sum + self.pace * i128::from((at - self.at).micros()), ..self }
    }

    /// What came after `earlier`.
    pub const fn since(self, earlier: Self) -> Self {
        Self { sum: self.sum - earlier.sum, ..self }
    }

    /// Moment that it tells of.
    pub const fn at(self) -> Time {
        self.at
    }

    /// Money spent until then, rounded down to a nano-dollar.
    pub const fn spent(self) -> Money {
        Money::from_nanos(self.sum.div_euclid(SPENDING_NANO))
    }

    /// Money that is spent in an hour from then on, rounded down to a pico-dollar.
    pub fn pace(self) -> Rate {
        let picos = self.pace.div_euclid(i128::from(WHOLE));
        Rate::from_picos(i64::try_from(picos).unwrap_or(i64::MAX))
    }

    /// First moment, from now on, at which `amount` is spent, if it ever is.
    pub fn reaches(self, amount: Money) -> Option<Time> {
        let missing = amount.nanos() * SPENDING_NANO - self.sum;
        if missing <= 0 {
            return Some(self.at);
        }
        let wait = (self.pace > 0).then(|| (missing + self.pace - 1) / self.pace)?;
        Some(self.at.saturating_add(Span::from_micros(i64::try_from(wait).unwrap_or(i64::MAX))))
    }

    /// What is left of `limit`, in the unit of courses; less than nothing where more is spent.
    pub const fn left_of(self, limit: Money) -> i128 {
        limit.nanos() * SPENDING_NANO - self.sum
    }

    /// First moment, from now on, at which less than `least` of `limit` is left, in the unit of courses.
    pub fn leaves_less_than(self, limit: Money, least: i128) -> Option<Time> {
        let spare = self.left_of(limit) - least;
        if spare < 0 {
            return Some(self.at);
        }
        let wait = (self.pace > 0).then(|| spare / self.pace + 1)?;
        Some(self.at.saturating_add(Span::from_micros(i64::try_from(wait).unwrap_or(i64::MAX))))
    }

    /// Adds another course, as of the same moment.
    pub const fn plus(self, other: Self) -> Self {
        Self { sum: self.sum + other.sum, pace: self.pace + other.pace, ..self }
    }
}

/// Spending by provider, and by the tenants that are followed.
#[derive(Clone, Debug, Default)]
pub struct SpendingLedger {
    /// By provider: pico-dollar microseconds per hour that bills and transfers add to what accrued.
    beyond: Vec<i128>,
    tenants: Vec<TenantSpending>,
    /// By slot of the instance, where a tenant is followed.
    instances: Vec<FollowedInstance>,
}

/// Spending of one tenant.
#[derive(Clone, Copy, Debug, Default)]
struct TenantSpending {
    /// Charges for what has ended.
    settled: Money,
    /// Value until `since` of shares that are held, in the unit of courses.
    live: i128,
    pace: i128,
    since: Time,
}

impl TenantSpending {
    fn settle(&mut self, now: Time) {
        self.live += self.pace * i128::from((now - self.since).micros());
        self.since = now;
    }
}

/// Shares of one instance that tenants hold who are followed.
#[derive(Clone, Debug, Default)]
struct FollowedInstance {
    /// Time from which the pace has stood, and the value of a full share then.
    since: Time,
    full_share: i128,
    /// Pico-dollars per hour that a full share costs, rounded down.
    pace: i128,
    /// Row of each tenant with the millionths that its work holds, above zero.
    held: SmallVec<[(usize, i128); 2]>,
}

impl SpendingLedger {
    /// Nothing spent yet by so many providers, and so many tenants to follow.
    pub fn new(providers: usize, tenants: usize) -> Self {
        Self {
            beyond: vec![0; providers],
            tenants: vec![TenantSpending::default(); tenants],
            instances: Vec::new(),
        }
    }

    /// Whether any tenant is followed.
    pub fn has_tenants(&self) -> bool {
        !self.tenants.is_empty()
    }

    /// An instance of the provider, of that meter, is billed `amount` as it goes now.
    pub fn billed(&mut self, provider: usize, amount: Money, meter: &Meter, now: Time) {
        self.beyond[provider] += amount.nanos() * PER_NANO - meter.usage.accrued_at(now);
    }

    /// The provider charges `amount` for data that was moved for the work of a tenant.
    pub fn moved(&mut self, provider: usize, tenant: Option<usize>, amount: Money) {
        self.beyond[provider] += amount.nanos() * PER_NANO;
        if let Some(tenant) = tenant {
            self.tenants[tenant].settled += amount;
        }
    }

    /// Work of a tenant has taken a share of the instance in `slot`; `None` is a tenant that is not
    /// followed.
    pub fn took(
        &mut self,
        (slot, meter): (usize, &Meter),
        tenant: Option<usize>,
        share: ShareUsage,
        now: Time,
    ) {
        self.change((slot, meter), tenant, i128::from(share.millionths), now);
    }

    /// Work of a tenant has given the share back, and is charged `amount` for it.
    pub fn gave(
        &mut self,
        (slot, meter): (usize, &Meter),
        tenant: Option<usize>,
        (share, amount): (ShareUsage, Money),
        now: Time,
    ) {
        self.change((slot, meter), tenant, -i128::from(share.millionths), now);
        if let Some(tenant) = tenant {
            let tenant = &mut self.tenants[tenant];
            tenant.live -= value_of(share, meter.shares.full_share());
            tenant.settled += amount;
        }
    }

    /// The price of the instance in `slot` has changed.
    pub fn repriced(&mut self, (slot, meter): (usize, &Meter), now: Time) {
        self.change((slot, meter), None, 0, now);
    }

    /// The meter of an instance, which is settled until now, has changed, and the millionths that a tenant holds by `more`.
    fn change(
        &mut self,
        (slot, meter): (usize, &Meter),
        tenant: Option<usize>,
        more: i128,
        now: Time,
    ) {
        if !self.has_tenants() {
            return;
        }
        if self.instances.len() <= slot {
            self.instances.resize(slot + 1, FollowedInstance::default());
        }
        let instance = &mut self.instances[slot];
        if tenant.is_none() && instance.held.is_empty() {
            return;
        }
        let full_share = meter.shares.full_share();
        let elapsed = i128::from((now - instance.since).micros());
        let amiss = full_share - instance.full_share - instance.pace * elapsed;
        for &(row, held) in &instance.held {
            let tenant = &mut self.tenants[row];
            tenant.settle(now);
            tenant.live += held * amiss;
            tenant.pace -= held * instance.pace;
        }
        if let Some(row) = tenant {
            match instance.held.iter().position(|&(other, _)| other == row) {
                Some(at) => instance.held[at].1 += more,
                None => instance.held.push((row, more)),
            }
            instance.held.retain(|&mut (_, held)| held > 0);
        }
        (instance.since, instance.full_share) = (now, full_share);
        instance.pace = meter.shares.of_full_share_down(i128::from(meter.rate().picos()));
        for &(row, held) in &instance.held {
            let tenant = &mut self.tenants[row];
            tenant.settle(now);
            tenant.pace += held * instance.pace;
        }
    }

    /// Spending at a provider, of whose instances `accrued` is the cost until now in pico-dollar microseconds per hour,
    /// and `rate` the pico-dollars per hour from then on.
    pub fn provider(&self, row: usize, now: Time, (accrued, rate): (i128, i64)) -> SpendingCourse {
        let whole = i128::from(WHOLE);
        let sum = (accrued + self.beyond[row]).saturating_mul(whole);
        SpendingCourse { at: now, sum, pace: i128::from(rate) * whole }
    }

    /// Spending of a tenant.
    pub fn tenant(&self, row: usize, now: Time) -> SpendingCourse {
        let TenantSpending { settled, live, pace, since } = self.tenants[row];
        let sum = settled.nanos() * SPENDING_NANO + live;
        SpendingCourse { at: since, sum, pace }.moved_to(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Billing;

    const DOLLAR: Rate = Rate::from_picos(3_600_000_000_000_000); // one dollar per second
    const BY_MINUTE: Billing =
        Billing { granularity: Span::from_secs(60), minimum: Span::from_secs(60) };

    fn secs(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    #[test]
    fn an_amount_is_reached_in_the_microsecond_in_which_it_is_spent() {
        let ledger = SpendingLedger::new(1, 0);
        // A third of a dollar a second.
        let rate = 1_200_000_000_000_000;
        let course = ledger.provider(0, secs(10), (0, rate));
        let dollars = |dollars: i128| Money::from_nanos(dollars * 1_000_000_000);
        assert_eq!(course.reaches(dollars(7)), Some(secs(31)));
        assert_eq!(course.reaches(Money::ZERO), Some(secs(10)));
        // A nano-dollar takes 3 ns: it is spent in the microsecond after.
        let just = course.reaches(Money::from_nanos(1)).expect("money is spent");
        assert_eq!((just - secs(10)).micros(), 1);
        assert_eq!(course.moved_to(secs(31)).spent(), dollars(7));
        assert_eq!(course.moved_to(secs(31)).pace().picos(), rate);
        let nothing = ledger.provider(0, secs(10), (0, 0));
        assert_eq!(nothing.reaches(Money::from_nanos(1)), None);
    }

    #[test]
    fn a_bill_adds_what_the_rule_rounds_up() {
        let mut ledger = SpendingLedger::new(1, 0);
        let mut meter = Meter::start(secs(0), DOLLAR);
        let bill = meter.bill(secs(45), BY_MINUTE);
        ledger.billed(0, bill.amount, &meter, secs(45));
        ledger.moved(0, None, Money::from_nanos(5));
        // 45 s accrued, and the instance is gone.
        let course = ledger.provider(0, secs(45), (DOLLAR.accrue(Span::from_secs(45)), 0));
        assert_eq!(course.spent(), Money::from_nanos(60_000_000_005));
    }

    /// Two tenants on one instance, of which one is followed. Of a dollar a second, the first holds a half of
    /// the time from 0 to 10 s; then shares of 0.5 and 1 are scaled down to a third and two thirds until 40 s; then the
    /// price is half as high until 60 s; then the other leaves, and the first holds its half alone until 70 s.
    #[test]
    fn a_tenant_pays_for_its_shares_as_they_are_scaled() {
        let mut ledger = SpendingLedger::new(1, 1);
        let mut meter = Meter::start(secs(0), DOLLAR);
        let first = meter.take(secs(0), WHOLE / 2);
        ledger.took((0, &meter), Some(0), first, secs(0));
        assert_eq!(ledger.tenant(0, secs(10)).spent().dollars(), 5.0);
        let other = meter.take(secs(10), WHOLE);
        ledger.took((0, &meter), None, other, secs(10));
        let down = ledger.tenant(0, secs(40)).spent();
        assert!((15_000_000_000 - down.nanos()) <= 1, "{}", down.exact());
        meter.reprice(secs(40), DOLLAR.scaled(500_000));
        ledger.repriced((0, &meter), secs(40));
        assert_eq!(ledger.tenant(0, secs(40)).spent().dollars(), 15.0);
        let amount = meter.give(secs(60), other);
        ledger.gave((0, &meter), None, (other, amount), secs(60));
        // A third of 20 s at half a dollar: 10/3 dollars more.
        assert_eq!(ledger.tenant(0, secs(60)).spent().nanos(), 18_333_333_333);
        let amount = meter.give(secs(70), first);
        ledger.gave((0, &meter), Some(0), (first, amount), secs(70));
        // A half of 10 s at half a dollar.
        assert_eq!((amount.nanos(), ledger.tenant(0, secs(99)).spent()), (20_833_333_333, amount));
        assert_eq!(ledger.tenant(0, secs(99)).pace(), Rate::ZERO);
        ledger.moved(0, Some(0), Money::from_nanos(7));
        assert_eq!(ledger.tenant(0, secs(99)).spent().nanos(), 20_833_333_340);
    }
}
