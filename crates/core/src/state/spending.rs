//! Spending against the budgets of the world, told while it is made. Worlds without budgets keep
//! nothing of it.

use super::cap::CapState;
use super::{InstanceRef, State};
use crate::metering::{Meter, ShareUsage, SpendingCourse, SpendingLedger};
use crate::model::{Budget, BudgetScope, Provider, Tenant, World};
use crate::units::{Calendar, Id, Money, Time};

/// What a budget's spending is kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SpendingAccount {
    /// All providers.
    All,
    /// One provider, by its row.
    Provider(usize),
    /// A tenant, by its row in the ledger.
    Tenant(usize),
}

/// Ledger of a run, and the current period of each budget.
#[derive(Clone, Debug)]
pub(super) struct Spending {
    ledger: SpendingLedger,
    /// Names of the tenants that are followed, by row in the ledger.
    names: Vec<String>,
    /// Row in the ledger of each tenant of the book.
    rows: Vec<Option<usize>>,
    /// End of the run at the latest.
    horizon: Option<Time>,
    periods: Vec<RunningPeriod>,
    /// End of the first of the current periods.
    next: Option<Time>,
    /// Cap by which launches are refused, if the policy has one.
    pub(super) cap: Option<CapState>,
}

/// The current period of a budget.
#[derive(Clone, Copy, Debug)]
struct RunningPeriod {
    account: SpendingAccount,
    /// Its beginning, or that of the run.
    from: Time,
    /// Its end, where it has one.
    until: Option<Time>,
    /// Spending before it.
    before: SpendingCourse,
}

/// A budget and its current period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetStanding<'w> {
    /// The budget.
    pub budget: &'w Budget,
    /// Its row in the world.
    pub row: usize,
    /// Beginning of the period, or of the run where that is later.
    pub from: Time,
    /// End of the period; `None` for the run, where that has no horizon.
    pub until: Option<Time>,
    /// Spending since the beginning of the period.
    pub spending: SpendingCourse,
}

/// Part of a period that must have passed before there is a forecast: a tenth. Oracle asks for three days
/// of a month.
const LEAST_ELAPSED: i64 = 10;

impl BudgetStanding<'_> {
    /// Money spent in the period, rounded down to a nano-dollar.
    pub const fn spent(&self) -> Money {
        self.spending.spent()
    }

    /// Money that is left; nothing where more is spent than the limit.
    pub fn left(&self) -> Money {
        (self.budget.limit - self.spent()).max(Money::ZERO)
    }

    /// The same in the unit of courses, less than nothing where more is spent.
    pub(super) const fn exactly_left(&self) -> i128 {
        self.spending.left_of(self.budget.limit)
    }

    /// Whether nothing is left.
    pub fn is_used_up(&self) -> bool {
        self.spent() >= self.budget.limit
    }

    /// Spending in the whole period if it goes on as in the part that has passed: money spent / time passed ×
    /// length, rounded down to a nano-dollar. `None` in the first tenth of the period, and without an end.
    pub fn forecast(&self) -> Option<Money> {
        let length = (self.until? - self.from).micros();
        let elapsed = (self.spending.at() - self.from).micros();
        let is_early =
            elapsed <= 0 || i128::from(elapsed) * i128::from(LEAST_ELAPSED) < i128::from(length);
        let nanos = self.spent().nanos().saturating_mul(i128::from(length));
        (!is_early).then(|| Money::from_nanos(nanos.div_euclid(i128::from(elapsed))))
    }

    /// First moment of the period at which there is a forecast.
    pub fn first_forecast(&self) -> Option<Time> {
        let length = (self.until? - self.from).micros();
        let least =
            length.div_euclid(LEAST_ELAPSED) + i64::from(length.rem_euclid(LEAST_ELAPSED) != 0);
        Some(Time::from_micros(self.from.micros() + least))
    }

    /// The same at a later moment of the period, if nothing changes until then.
    pub fn moved_to(self, at: Time) -> Self {
        Self { spending: self.spending.moved_to(at), ..self }
    }

    /// The next period, at its beginning, if nothing changes until then.
    pub fn next(self, calendar: Calendar) -> Option<Self> {
        let from = self.until?;
        let (_, until) = self.budget.period.holding(calendar, from)?;
        let spending = SpendingCourse::anew(from, self.spending);
        Some(Self { from, until: Some(until), spending, ..self })
    }
}

impl Spending {
    /// Nothing spent yet; `None` in a world without budgets.
    pub(super) fn of(world: &World) -> Option<Box<Self>> {
        if world.budgets.is_empty() {
            return None;
        }
        let mut names: Vec<String> = Vec::new();
        let mut account = |of: &BudgetScope| match of {
            BudgetScope::Total => SpendingAccount::All,
            BudgetScope::Provider(provider) => SpendingAccount::Provider(provider.row()),
            BudgetScope::Tenant(name) => {
                let row = names.iter().position(|known| known == name).unwrap_or(names.len());
                if row == names.len() {
                    names.push(name.clone());
                }
                SpendingAccount::Tenant(row)
            }
        };
        let accounts: Vec<SpendingAccount> =
            world.budgets.iter().map(|one| account(&one.of)).collect();
        let ledger = SpendingLedger::new(world.providers.len(), names.len());
        let before = SpendingCourse::default();
        let period = |account| RunningPeriod { account, from: Time::ZERO, until: None, before };
        let periods = accounts.into_iter().map(period).collect();
        let (rows, horizon, next) = (Vec::new(), None, None);
        Some(Box::new(Self { ledger, names, rows, horizon, periods, next, cap: None }))
    }

    /// Number of tenants that are followed.
    pub(super) const fn followed(&self) -> usize {
        self.names.len()
    }

    /// Row in the ledger of the tenant whose budget is in this row of the world, if it is a tenant's.
    pub(super) fn tenant_row(&self, row: usize) -> Option<usize> {
        match self.periods.get(row)?.account {
            SpendingAccount::Tenant(row) => Some(row),
            SpendingAccount::All | SpendingAccount::Provider(_) => None,
        }
    }

    pub(super) fn tenant(&self, tenant: Id<Tenant>) -> Option<usize> {
        self.rows.get(tenant.row()).copied().flatten()
    }

    /// Work of a tenant has taken a share of an instance.
    pub(super) fn took(
        &mut self,
        (instance, meter): (InstanceRef, &Meter),
        tenant: Id<Tenant>,
        share: ShareUsage,
        now: Time,
    ) {
        let tenant = self.tenant(tenant);
        self.ledger.took((instance.slot(), meter), tenant, share, now);
    }

    /// Work of a tenant has given it back, and is charged `amount`.
    pub(super) fn gave(
        &mut self,
        (instance, meter): (InstanceRef, &Meter),
        tenant: Id<Tenant>,
        charged: (ShareUsage, Money),
        now: Time,
    ) {
        let tenant = self.tenant(tenant);
        self.ledger.gave((instance.slot(), meter), tenant, charged, now);
    }

    /// The work of a tenant is charged for data that left a provider.
    pub(super) fn moved(&mut self, provider: Id<Provider>, tenant: Id<Tenant>, amount: Money) {
        self.ledger.moved(provider.row(), self.tenant(tenant), amount);
    }

    /// An instance of the provider that goes now is billed.
    pub(super) fn billed(
        &mut self,
        provider: Id<Provider>,
        amount: Money,
        meter: &Meter,
        now: Time,
    ) {
        self.ledger.billed(provider.row(), amount, meter, now);
    }

    /// The price of an instance has changed.
    pub(super) fn repriced(&mut self, (instance, meter): (InstanceRef, &Meter), now: Time) {
        self.ledger.repriced((instance.slot(), meter), now);
    }
}

impl<'w> State<'w> {
    /// Whether there are budgets, whose spending is followed.
    #[inline]
    pub fn has_budgets(&self) -> bool {
        self.spending.is_some()
    }

    /// The budgets, each with its current period, in the order of the world.
    pub fn budgets(&self) -> impl Iterator<Item = BudgetStanding<'w>> + '_ {
        let spending = self.spending.as_deref();
        let periods = spending.map_or(&[][..], |spending| &spending.periods);
        (0..periods.len()).filter_map(|row| self.budget(row))
    }

    /// The budget in a row of the world, with its current period.
    pub fn budget(&self, row: usize) -> Option<BudgetStanding<'w>> {
        let spending = self.spending.as_deref()?;
        let period = spending.periods.get(row)?;
        Some(BudgetStanding {
            budget: &self.world.budgets[row],
            row,
            from: period.from,
            until: period.until,
            spending: self.course(spending, period.account, self.now).since(period.before),
        })
    }

    /// Money that a provider has charged so far, its live instances included; `None` in a world without budgets.
    pub fn spent_at(&self, provider: Id<Provider>) -> Option<Money> {
        let spending = self.spending.as_deref()?;
        Some(self.course(spending, SpendingAccount::Provider(provider.row()), self.now).spent())
    }

    /// Money that the work of a tenant has been charged so far, its live shares included; `None` where no budget is the tenant's.
    pub fn spent_by(&self, tenant: Id<Tenant>) -> Option<Money> {
        let spending = self.spending.as_deref()?;
        let account = SpendingAccount::Tenant(spending.tenant(tenant)?);
        Some(self.course(spending, account, self.now).spent())
    }

    fn course(&self, spending: &Spending, account: SpendingAccount, at: Time) -> SpendingCourse {
        let provider = |row: usize| {
            let (accrued, rate) = self.accrued(row, at);
            spending.ledger.provider(row, at, (accrued, rate))
        };
        match account {
            SpendingAccount::Provider(row) => provider(row),
            SpendingAccount::Tenant(row) => spending.ledger.tenant(row, at),
            SpendingAccount::All => {
                let all = (0..self.world.providers.len()).map(provider);
                all.reduce(SpendingCourse::plus).unwrap_or_default()
            }
        }
    }

    /// The run ends at `horizon` at the latest.
    pub(crate) fn set_horizon(&mut self, horizon: Option<Time>) {
        if let Some(spending) = &mut self.spending {
            spending.horizon = horizon;
        }
    }

    /// Begins the period of each budget whose last is over, at the clock's new time.
    #[cold]
    pub(super) fn begin_periods(&mut self, is_start: bool) {
        let Some(mut spending) = self.spending.take() else { return };
        for row in 0..spending.periods.len() {
            let period = spending.periods[row];
            // Nothing begins as the run ends.
            let is_last = spending.horizon.is_some_and(|horizon| horizon <= self.now);
            let is_over = period.until.is_some_and(|until| until <= self.now);
            if !is_start && (!is_over || is_last) {
                continue;
            }
            let budget = &self.world.budgets[row];
            let holding = budget.period.holding(self.world.calendar, self.now);
            let (from, until) = match holding {
                Some((from, until)) => (from, Some(until)),
                None => (self.now, spending.horizon),
            };
            let from = if is_start { self.now } else { from };
            let before = self.course(&spending, period.account, from);
            spending.periods[row] = RunningPeriod { from, until, before, ..period };
        }
        if let Some(cap) = &mut spending.cap {
            cap.begin_periods();
        }
        spending.next = spending.periods.iter().filter_map(|period| period.until).min();
        self.spending = Some(spending);
    }

    /// End of the first of the current periods.
    #[inline]
    pub(super) fn next_period(&self) -> Option<Time> {
        self.spending.as_deref()?.next
    }

    /// Looks new tenants up among those that have budgets.
    pub(super) fn follow_tenants(&mut self) {
        let Some(spending) = &mut self.spending else { return };
        let tenants = self.book.tenants();
        while spending.rows.len() < tenants.len() {
            let name = &tenants[Id::new(spending.rows.len() as u32)].name;
            spending.rows.push(spending.names.iter().position(|known| known == name));
        }
    }
}
