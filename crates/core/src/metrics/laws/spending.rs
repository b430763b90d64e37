//! Laws of spending: the ledger that budgets are held to is what is charged. Nothing is watched in
//! worlds without budgets.

use super::Laws;
use crate::model::{Market, Provider, Tenant};
use crate::state::{Charge, ChargeKind, Instance, InstanceRef, State};
use crate::units::{Id, Money, Time};

/// What was charged so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Charged {
    /// By provider, of instances that have gone and of transfers.
    providers: Vec<Money>,
    /// By tenant, of the work that was charged.
    tenants: Vec<Money>,
}

fn add(sums: &mut Vec<Money>, row: usize, amount: Money) {
    if sums.len() <= row {
        sums.resize(row + 1, Money::ZERO);
    }
    sums[row] += amount;
}

impl Laws {
    /// Adds a charge to what its tenant and, of a transfer, its provider were charged.
    pub(super) fn count_charge(&mut self, state: &State<'_>, charge: &Charge) {
        let provider = state.world().regions[charge.region].provider;
        if charge.kind == ChargeKind::Transfer {
            add(&mut self.spending.providers, provider.row(), charge.amount);
        }
        if let Some(work) = charge.work {
            let tenant = state.work(work).ask.tenant;
            add(&mut self.spending.tenants, tenant.row(), charge.amount);
        }
    }

    /// Adds the bill of an instance that goes to what its provider charged.
    pub(super) fn count_bill(&mut self, state: &State<'_>, released: &Instance, amount: Money) {
        let provider = state.world().provider_of(released.offer);
        add(&mut self.spending.providers, provider.row(), amount);
    }

    fn charged_at(&self, provider: Id<Provider>) -> Money {
        self.spending.providers.get(provider.row()).copied().unwrap_or_default()
    }

    fn charged_to(&self, tenant: Id<Tenant>) -> Money {
        self.spending.tenants.get(tenant.row()).copied().unwrap_or_default()
    }

    /// Holds the ledger to all charges, with nothing alive any more.
    pub(super) fn judge_spending(&mut self, state: &State<'_>) {
        let providers = state.world().providers.ids();
        let providers = providers.map(|one| (state.spent_at(one), self.charged_at(one)));
        let tenants = state.book().tenants().ids();
        let tenants = tenants.map(|one| (state.spent_by(one), self.charged_to(one)));
        let all: Vec<_> = providers.chain(tenants).collect();
        for (spent, charged) in all {
            self.compare(state, spent, (charged, 0));
        }
    }

    /// Holds the ledger to what has been charged and to the meters of everything alive, which round each
    /// amount to a nano-dollar.
    pub(super) fn recount_spending(&mut self, state: &State<'_>) {
        let mut providers: Vec<(Money, i128)> =
            state.world().providers.ids().map(|one| (self.charged_at(one), 1)).collect();
        for (_, instance) in state.instances() {
            let sum = &mut providers[state.world().provider_of(instance.offer).row()];
            *sum = (sum.0 + instance.meter().so_far(state.now()), sum.1 + 1);
        }
        let mut tenants: Vec<(Money, i128)> =
            state.book().tenants().ids().map(|one| (self.charged_to(one), 2)).collect();
        for (_, live) in state.works() {
            let sum = &mut tenants[live.ask.tenant.row()];
            for &allocation in &live.allocations {
                let target = state.allocation(allocation);
                for held in target.held.iter().filter(|_| target.started().is_some()) {
                    let meter = state.instance(held.share.instance).meter();
                    *sum = (sum.0 + meter.read(state.now()).share(held.usage()), sum.1 + 2);
                }
            }
        }
        for (row, counted) in providers.into_iter().enumerate() {
            self.compare(state, state.spent_at(Id::new(row as u32)), counted);
        }
        for (row, counted) in tenants.into_iter().enumerate() {
            self.compare(state, state.spent_by(Id::new(row as u32)), counted);
        }
    }

    /// Notes which budgets are used up at `to`, before anything happens then.
    pub(super) fn note_used_up(&mut self, state: &State<'_>, to: Time) {
        let calendar = state.world().calendar;
        self.used_up.clear();
        self.used_up.extend(state.budgets().map(|standing| {
            let is_over = standing.until.is_some_and(|until| until <= to);
            let later = if is_over { None } else { Some(standing.moved_to(to)) };
            // A period that begins at this instant, or has begun since, may have been used up in part of the way.
            let next = || {
                let mut one = standing.next(calendar)?;
                while one.until.is_some_and(|until| until <= to) {
                    one = one.next(calendar)?;
                }
                Some(one.moved_to(to))
            };
            later.or_else(next).is_some_and(|one| one.is_used_up())
        }));
    }

    /// Under a cap nothing is launched where a budget for which it counts was used up.
    pub(super) fn is_within_budget(
        &mut self,
        state: &State<'_>,
        instance: InstanceRef,
        requested: &Instance,
    ) {
        if requested.market == Market::Owned {
            return;
        }
        let payer = state.payer_of(instance);
        for standing in state.budgets() {
            let used_up = self.used_up.get(standing.row) == Some(&true);
            let holds = !used_up || !state.counts_for(&standing, requested.offer, payer);
            self.check(
                holds,
                state.now(),
                "under a cap nothing is launched on a used-up budget",
                || format!("instance {} on budget {}", requested.ordinal, standing.budget.name),
            );
        }
    }

    fn compare(
        &mut self,
        state: &State<'_>,
        spent: Option<Money>,
        (charged, slack): (Money, i128),
    ) {
        let Some(spent) = spent else { return };
        let holds = (spent - charged).nanos().abs() <= slack;
        self.check(holds, state.now(), "what is spent is what is charged", || {
            format!("{} spent, {} charged", spent.exact(), charged.exact())
        });
    }
}
