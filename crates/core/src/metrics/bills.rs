//! Payments of a run: to whom, where, on which market, for whom and what for.

use std::collections::BTreeMap;

use super::ratio;
use super::summary::{CostPart, Costs, savings_rate};
use crate::model::{Market, Region, World};
use crate::state::{Charge, ChargeKind, Instance, InstanceRef, LiveWork, State};
use crate::units::{Id, Money, Span, Time};

/// Place of moved data, which is bought on no market.
const NO_MARKET: usize = 3;

/// Kinds of charges, in the order in which they are told.
const KINDS: [ChargeKind; 4] =
    [ChargeKind::Work, ChargeKind::Boot, ChargeKind::Idle, ChargeKind::Transfer];

/// Adds up charges and bills.
#[derive(Clone, Debug, Default)]
pub(super) struct Bills {
    /// Charges by region and kind.
    by_region: Vec<[Money; 4]>,
    /// And, last, what belongs to no market.
    by_market: [Money; 4],
    by_tenant: Vec<Money>,
    /// Instance time of rented instances: as billed, and at the on-demand list
    /// price (pico-dollars per hour times microseconds).
    rented: Money,
    at_list: i128,
    /// Bytes that were moved.
    pub(super) transferred: i128,
    /// Work has arrived, whether it counts or not.
    opened: bool,
    /// End, cost and region of each instance that was requested before any work came; in the end
    /// only of those that were there until the end.
    standing: BTreeMap<InstanceRef, (Time, Money, Id<Region>)>,
}

impl Bills {
    /// Work has arrived: what is requested from now on was not there all along.
    #[inline]
    pub(super) fn opens(&mut self) {
        self.opened = true;
    }

    pub(super) fn requested(&mut self, state: &State<'_>, instance: InstanceRef) {
        if !self.opened {
            let region = state.instance(instance).region;
            self.standing.insert(instance, (state.now(), Money::ZERO, region));
        }
    }

    /// An instance is given back, for `amount`.
    pub(super) fn released(
        &mut self,
        state: &State<'_>,
        reference: InstanceRef,
        billed: Span,
        amount: Money,
    ) {
        let instance = state.instance(reference);
        if let Some(standing) = self.standing.get_mut(&reference) {
            *standing = (state.now(), amount, instance.region);
        }
        if let Some(list) = state.world().offers[instance.offer].price.list {
            self.rented += amount;
            self.at_list += i128::from(list.picos()) * i128::from(billed.micros());
        }
    }

    /// Adds a charge for this work on this instance.
    #[inline(always)]
    pub(super) fn charged(
        &mut self,
        charge: &Charge,
        work: Option<&LiveWork>,
        instance: &Instance,
    ) {
        let region = charge.region.row();
        if self.by_region.len() <= region {
            self.by_region.resize(region + 1, [Money::ZERO; 4]);
        }
        self.by_region[region][charge.kind as usize] += charge.amount;
        let market = match charge.kind {
            ChargeKind::Transfer => NO_MARKET,
            ChargeKind::Work | ChargeKind::Boot | ChargeKind::Idle => instance.market as usize,
        };
        self.by_market[market] += charge.amount;
        // Boot and idle time belong to nobody; the tenants' part is what work caused.
        if let Some(work) = work {
            let tenant = work.ask.tenant.row();
            if self.by_tenant.len() <= tenant {
                self.by_tenant.resize(tenant + 1, Money::ZERO);
            }
            self.by_tenant[tenant] += charge.amount;
        }
        self.transferred += i128::from(charge.bytes);
    }

    pub(super) fn ends(&mut self, state: &State<'_>) {
        self.standing.retain(|_, (until, ..)| *until == state.now());
    }

    /// Takes away what `earlier` added up.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        for (mine, theirs) in self.by_region.iter_mut().zip(&earlier.by_region) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine -= *theirs;
            }
        }
        let pairs = self.by_market.iter_mut().zip(&earlier.by_market);
        for (mine, theirs) in pairs.chain(self.by_tenant.iter_mut().zip(&earlier.by_tenant)) {
            *mine -= *theirs;
        }
        for (instance, (_, paid, _)) in &mut self.standing {
            *paid -= earlier.standing.get(instance).map_or(Money::ZERO, |&(_, before, _)| before);
        }
        self.rented -= earlier.rented;
        self.at_list -= earlier.at_list;
        self.transferred -= earlier.transferred;
    }

    /// Costs in all and by purpose, with `finished` work of so many useful core-hours and
    /// GPU-hours.
    pub(super) fn costs(
        &self,
        world: &World,
        tenants: &[String],
        finished: u64,
        [core_hours, gpu_hours]: [f64; 2],
    ) -> Costs {
        let total: Money = self.by_market.iter().copied().sum();
        let parts = self.by_provider(world);
        let sum = |kinds: &[Money; 4]| kinds.iter().copied().sum::<Money>();
        let by_provider: Vec<Money> = parts.iter().map(sum).collect();
        let by_region: Vec<Money> = self.by_region.iter().map(sum).collect();
        let by_kind = KINDS.map(|kind| parts.iter().map(|part| part[kind as usize]).sum());
        let markets = [Market::OnDemand, Market::Spot, Market::Owned].map(Market::name);
        let markets = markets.into_iter().chain([ChargeKind::Transfer.name()]).map(str::to_owned);
        let providers = world.providers.rows().iter().map(|provider| provider.name.clone());
        let regions = world.regions.ids().map(|region| world.region_name(region));
        let at_list = Money::from_accrued(self.at_list);
        Costs {
            total,
            by_provider: named(providers, &by_provider),
            by_region: named(regions, &by_region),
            by_market: named(markets, &self.by_market),
            by_kind: named(KINDS.map(|kind| kind.name().to_owned()), &by_kind),
            parts: parts_by_name(world, &parts, &self.standing_by_provider(world)),
            standing: self.standing.values().map(|&(_, paid, _)| paid).sum(),
            by_tenant: named(tenants.iter().cloned(), &self.by_tenant),
            terms: None,
            rented: self.rented,
            at_list,
            effective_savings_rate: savings_rate(self.rented, at_list),
            per_job_usd: ratio(total.dollars(), finished as f64),
            per_useful_core_hour_usd: ratio(total.dollars(), core_hours),
            per_useful_gpu_hour_usd: ratio(total.dollars(), gpu_hours),
        }
    }

    /// Charges by row of the provider and kind of charge.
    fn by_provider(&self, world: &World) -> Vec<[Money; 4]> {
        let mut parts = vec![[Money::ZERO; 4]; world.providers.len()];
        for ((_, facts), sums) in world.regions.iter().zip(&self.by_region) {
            for (part, &sum) in parts[facts.provider.row()].iter_mut().zip(sums) {
                *part += sum;
            }
        }
        parts
    }

    /// Cost of the instances that were there from beginning to end, by row of the provider.
    fn standing_by_provider(&self, world: &World) -> Vec<Money> {
        let mut sums = vec![Money::ZERO; world.providers.len()];
        for &(_, paid, region) in self.standing.values() {
            sums[world.regions[region].provider.row()] += paid;
        }
        sums
    }
}

/// Sums by provider and kind of charge, where there are any. Payments for standing machines are
/// spread over the kinds of charge of machines, in proportion.
fn parts_by_name(world: &World, parts: &[[Money; 4]], standing: &[Money]) -> Vec<CostPart> {
    let mut named = Vec::new();
    for ((provider, sums), standing) in world.providers.rows().iter().zip(parts).zip(standing) {
        let machines = KINDS.iter().zip(sums).filter(|(kind, _)| **kind != ChargeKind::Transfer);
        // Rests of both, so that the last kind takes what rounding leaves.
        let (mut whole, mut left) = (machines.map(|(_, sum)| *sum).sum::<Money>(), *standing);
        for (kind, &sum) in KINDS.iter().zip(sums).filter(|(_, sum)| **sum != Money::ZERO) {
            let stood = match kind {
                ChargeKind::Transfer => Money::ZERO,
                ChargeKind::Work | ChargeKind::Boot | ChargeKind::Idle => {
                    let stood = left.nanos() * sum.nanos() / whole.nanos().max(1);
                    whole -= sum;
                    left -= Money::from_nanos(stood);
                    Money::from_nanos(stood)
                }
            };
            named.push(CostPart {
                provider: provider.name.clone(),
                kind: kind.name(),
                paid: sum,
                standing: stood,
                monthly: None,
            });
        }
    }
    named
}

fn named(names: impl IntoIterator<Item = String>, sums: &[Money]) -> Vec<(String, Money)> {
    let all = names.into_iter().zip(sums.iter().copied());
    all.filter(|&(_, sum)| sum != Money::ZERO).collect()
}
