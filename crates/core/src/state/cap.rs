//! A cap on spending: launches for which a budget has no room are refused.

use super::spending::BudgetStanding;
use super::{InstanceRef, State, WorkRef};
use crate::metering::{PER_NANO, WHOLE};
use crate::model::{BudgetScope, Offer, Tenant};
use crate::units::{Id, Money, Rate, Span, Time};

/// Units in which courses of spending are exact, in a pico-dollar microsecond per hour: rounded to nano-dollars, a
/// launch that just fits would be one too many a moment later.
const UNITS: i128 = WHOLE as i128;

/// A cap: what is spent of a budget, with what everything that lives costs for a while and what a launch
/// costs, must not pass it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendingCap {
    /// Time for which everything that lives, and the launch, is taken to go on, or to the end of the
    /// period where that is earlier.
    pub ahead: Span,
}

/// The cap of a policy, and for whom it rents.
#[derive(Clone, Debug)]
pub(super) struct CapState {
    cap: SpendingCap,
    /// Tenant for whose work instances are rented now, with its row in the ledger.
    payer: Option<(Id<Tenant>, Option<usize>)>,
    /// Launches for tenants, by slot of the instance.
    launches: Vec<Option<TenantLaunch>>,
    /// Pico-dollars per hour of instances that boot for each tenant, whose work does not pay them yet.
    booting: Vec<i64>,
    /// Times that periods began since the cap was set.
    begun: u64,
}

/// An instance that was rented for the work of a tenant.
#[derive(Clone, Copy, Debug)]
struct TenantLaunch {
    tenant: Id<Tenant>,
    row: Option<usize>,
    /// Pico-dollars per hour at its launch.
    rate: i64,
    boots: bool,
}

impl CapState {
    fn new(cap: SpendingCap, tenants: usize) -> Self {
        Self { cap, payer: None, launches: Vec::new(), booting: vec![0; tenants], begun: 0 }
    }

    /// Periods of budgets begin.
    pub(super) fn begin_periods(&mut self) {
        self.begun += 1;
    }

    /// An instance is requested, for nobody yet.
    pub(super) fn launches(&mut self, instance: InstanceRef) {
        if let Some(launch) = self.launches.get_mut(instance.slot()) {
            *launch = None;
        }
    }

    /// It is for the tenant for whom is rented now.
    fn rented(&mut self, instance: InstanceRef, rate: i64) {
        let Some((tenant, row)) = self.payer else { return };
        if self.launches.len() <= instance.slot() {
            self.launches.resize(instance.slot() + 1, None);
        }
        self.launches[instance.slot()] = Some(TenantLaunch { tenant, row, rate, boots: false });
        self.boots(instance, true);
    }

    /// An instance boots from now on, or no longer.
    pub(super) fn boots(&mut self, instance: InstanceRef, boots: bool) {
        let Some(Some(launch)) = self.launches.get_mut(instance.slot()) else { return };
        if let Some(row) = launch.row.filter(|_| launch.boots != boots) {
            self.booting[row] += if boots { launch.rate } else { -launch.rate };
        }
        launch.boots = boots;
    }
}

impl<'w> State<'w> {
    /// Refuses launches by this cap from now on; nothing is refused in a world without budgets.
    pub(crate) fn set_cap(&mut self, cap: SpendingCap) {
        if let Some(spending) = &mut self.spending {
            let tenants = spending.followed();
            spending.cap = Some(CapState::new(cap, tenants));
        }
    }

    fn cap_state(&self) -> Option<&CapState> {
        self.spending.as_deref()?.cap.as_ref()
    }

    /// The cap by which launches are refused, if there is one.
    pub fn cap(&self) -> Option<SpendingCap> {
        Some(self.cap_state()?.cap)
    }

    /// Whether launches for different tenants may be refused for different budgets.
    pub fn caps_tenants(&self) -> bool {
        self.cap_state().is_some_and(|cap| !cap.booting.is_empty())
    }

    /// Times that periods of budgets began since there is a cap.
    pub fn periods_begun(&self) -> u64 {
        self.cap_state().map_or(0, |cap| cap.begun)
    }

    /// Instances are rented for the work from now on, or for none: its tenant pays.
    pub(crate) fn rent_for(&mut self, work: Option<WorkRef>) {
        let Some(spending) = self.spending.as_deref_mut().filter(|all| all.cap.is_some()) else {
            return;
        };
        let tenant = work.map(|work| self.works[work].ask.tenant);
        let payer = tenant.map(|tenant| (tenant, spending.tenant(tenant)));
        if let Some(cap) = &mut spending.cap {
            cap.payer = payer;
        }
    }

    /// Tenant for whose work the instance was rented, where there is a cap.
    pub fn payer_of(&self, instance: InstanceRef) -> Option<Id<Tenant>> {
        let launch = self.cap_state()?.launches.get(instance.slot())?;
        Some((*launch)?.tenant)
    }

    /// An instance was rented.
    pub(super) fn note_payer(&mut self, instance: InstanceRef) {
        let rate = self.fleet.instances[instance].meter().rate().picos();
        if let Some(cap) = self.spending.as_deref_mut().and_then(|all| all.cap.as_mut()) {
            cap.rented(instance, rate);
        }
    }

    /// Launches of `offer` for which the budgets have room, for whom is rented now, and the row of the one that has the least;
    /// `None` where nothing caps them.
    pub(super) fn cap_room(&self, offer: Id<Offer>) -> Option<(u64, usize)> {
        let payer = self.cap_state()?.payer.map(|(tenant, _)| tenant);
        self.cap_room_for(offer, payer)
    }

    /// The same for a tenant, or for nobody.
    pub fn cap_room_for(
        &self,
        offer: Id<Offer>,
        payer: Option<Id<Tenant>>,
    ) -> Option<(u64, usize)> {
        let cap = self.cap_state()?;
        let counts = |one: &BudgetStanding<'_>| self.counts_for(one, offer, payer);
        let room = |one: BudgetStanding<'_>| (self.room_in(&one, offer, cap), one.row);
        self.budgets().filter(counts).map(room).min()
    }

    /// Whether a launch of `offer` that `payer` pays is spending of the budget.
    pub fn counts_for(
        &self,
        standing: &BudgetStanding<'_>,
        offer: Id<Offer>,
        payer: Option<Id<Tenant>>,
    ) -> bool {
        match &standing.budget.of {
            BudgetScope::Total => true,
            BudgetScope::Provider(provider) => *provider == self.world.provider_of(offer),
            BudgetScope::Tenant(name) => {
                payer.is_some_and(|tenant| self.book.tenants()[tenant].name == *name)
            }
        }
    }

    /// Launches of `offer` for which a budget has room: each costs its price for the time ahead, at least
    /// the provider's minimum.
    fn room_in(&self, standing: &BudgetStanding<'_>, offer: Id<Offer>, cap: &CapState) -> u64 {
        if standing.is_used_up() {
            return 0;
        }
        let ahead = self.time_ahead(standing, cap.cap);
        let left = standing.exactly_left() - self.committed(standing, ahead) * UNITS;
        let minimum = self.world.providers[self.world.provider_of(offer)].billing.minimum;
        let each = self.price(offer).accrue(ahead.max(minimum)) * UNITS;
        if left < 0 {
            return 0;
        }
        left.checked_div(each).map_or(u64::MAX, |room| u64::try_from(room).unwrap_or(u64::MAX))
    }

    /// First moment at which the budgets will have room for so many launches of `offer` that `payer` pays, if nothing
    /// changes until then: late in a period less of what is to come is in it. `None` where they never
    /// will.
    pub fn cap_opens_at(
        &self,
        offer: Id<Offer>,
        payer: Option<Id<Tenant>>,
        launches: u64,
    ) -> Option<Time> {
        let cap = self.cap_state()?;
        let is_short = |one: &BudgetStanding<'_>| {
            self.counts_for(one, offer, payer) && self.room_in(one, offer, cap) < launches
        };
        let opens = |one: BudgetStanding<'_>| self.opens_at(&one, offer, launches);
        let all: Option<Vec<Time>> = self.budgets().filter(is_short).map(opens).collect();
        all?.into_iter().max()
    }

    /// The same of one budget that has no room: in the last stretch of the period in which all of
    /// it is to come, or when the next begins, if that is any better.
    fn opens_at(
        &self,
        standing: &BudgetStanding<'_>,
        offer: Id<Offer>,
        launches: u64,
    ) -> Option<Time> {
        let until = standing.until?;
        let committed = self.committed(standing, until - self.now) * UNITS;
        let left = standing.exactly_left() - committed;
        let minimum = self.world.providers[self.world.provider_of(offer)].billing.minimum;
        let rate = i128::from(self.price(offer).picos()) * i128::from(launches) * UNITS;
        let stretch = left.checked_div(rate).filter(|&micros| micros > 0);
        let stretch = stretch.and_then(|micros| i64::try_from(micros).ok()).map(Span::from_micros);
        if let Some(stretch) = stretch.filter(|&stretch| stretch >= minimum)
            && until - stretch > self.now
        {
            return Some(until - stretch);
        }
        let is_used = standing.spent() > Money::ZERO || standing.spending.pace() > Rate::ZERO;
        (is_used && self.next_has_room(standing, offer, launches)).then_some(until)
    }

    /// Whether the next period of a budget will have room for so many launches, if nothing changes until
    /// then: as it begins, or in its last stretch. If not, none ever will.
    fn next_has_room(
        &self,
        standing: &BudgetStanding<'_>,
        offer: Id<Offer>,
        launches: u64,
    ) -> bool {
        let next = standing.next(self.world.calendar).and_then(|next| Some((next, next.until?)));
        let (Some((next, until)), Some(cap)) = (next, self.cap_state()) else { return false };
        let length = until - next.from;
        let minimum = self.world.providers[self.world.provider_of(offer)].billing.minimum;
        let all = |ahead: Span, run: Span| {
            let each = self.price(offer).accrue(run.max(minimum));
            self.committed(&next, ahead) + each.saturating_mul(i128::from(launches))
        };
        let first = cap.cap.ahead.min(length);
        all(first, first).min(all(length, Span::ZERO)) <= next.budget.limit.nanos() * PER_NANO
    }

    /// Time for which everything is taken to go on: to the end of the period at most.
    fn time_ahead(&self, standing: &BudgetStanding<'_>, cap: SpendingCap) -> Span {
        let rest = standing.until.map(|until| until - self.now);
        rest.map_or(cap.ahead, |rest| rest.min(cap.ahead))
    }

    /// Cost in that time of everything that lives, in pico-dollar microseconds per hour.
    fn committed(&self, standing: &BudgetStanding<'_>, ahead: Span) -> i128 {
        let booting = self.cap_state().map_or(0, |cap| {
            let row = self.spending.as_deref().and_then(|all| all.tenant_row(standing.row));
            row.map_or(0, |row| cap.booting[row])
        });
        standing.spending.pace().accrue(ahead) + i128::from(booting) * i128::from(ahead.micros())
    }

    /// Whether what is spent of a budget, with what everything that lives costs in the time ahead, passes
    /// it; `false` without a cap.
    pub fn is_overcommitted(&self, standing: &BudgetStanding<'_>) -> bool {
        let Some(cap) = self.cap_state() else { return false };
        let ahead = self.time_ahead(standing, cap.cap);
        self.committed(standing, ahead) * UNITS > standing.exactly_left()
    }

    /// First moment after now at which that will be so, if nothing changes until then.
    pub fn overcommits_at(&self, standing: &BudgetStanding<'_>) -> Option<Time> {
        let cap = self.cap_state()?.cap;
        // In the last stretch of a period what is to come gets less as what is spent gets more.
        let last = standing.until.map(|until| until - cap.ahead);
        let committed = self.committed(standing, cap.ahead) * UNITS;
        let at = standing.spending.leaves_less_than(standing.budget.limit, committed)?;
        (at > self.now && last.is_none_or(|last| at <= last)).then_some(at)
    }
}
