//! Parts of a run's cost, waits, hours, data and energy: the mean of many runs, or one.

use serde::Serialize;

use crate::experiment::Measurement;
use crate::metrics::{AdjustmentKind, EnergyPart, GroupWait, PathTraffic, ProviderHours};
use crate::state::ChargeKind;

/// Cost of one provider or cluster for one kind of thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct CostSlice {
    pub(super) provider: String,
    /// Work, boot, idle or transfer.
    pub(super) kind: String,
    /// Dollars: of a month, or of a useful hour where work differs.
    pub(super) usd: f64,
}

/// Means over the replications of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Breakdown {
    /// Parts of the cost of a month, or of a useful hour.
    pub(super) cost: Vec<CostSlice>,
    #[serde(rename = "wait_s_by_class")]
    pub(super) waits_by_class: Vec<GroupWait>,
    #[serde(rename = "wait_s_by_tenant")]
    pub(super) waits_by_tenant: Vec<GroupWait>,
    pub(super) hours_by_provider: Vec<ProviderHours>,
    pub(super) moved: Vec<PathTraffic>,
    energy_by_provider: Vec<EnergyPart>,
    energy_by_tenant: Vec<EnergyPart>,
}

impl Breakdown {
    /// Breakdown of all replications; costs are parts of the metric called `cost`.
    pub(super) fn of(all: &[Measurement], cost: &str) -> Self {
        let runs = all.len().max(1) as f64;
        Self {
            cost: costs(all, cost),
            waits_by_class: waits(all, |one| &one.waits_by_class),
            waits_by_tenant: waits(all, |one| &one.waits_by_tenant),
            hours_by_provider: hours(all, runs),
            moved: moved(all, runs),
            energy_by_provider: energy(all, runs, |one| &one.energy_by_provider),
            energy_by_tenant: energy(all, runs, |one| &one.energy_by_tenant),
        }
    }

    /// Own machines' hours, then those of rented ones.
    pub(super) fn own_and_rented(&self) -> [ProviderHours; 2] {
        own_and_rented(&self.hours_by_provider)
    }

    /// Cost of a provider's machines.
    pub(super) fn machines(&self, provider: &str) -> f64 {
        let of = |part: &&CostSlice| part.provider == provider && !is_moving(part);
        self.cost.iter().filter(of).map(|part| part.usd).sum()
    }

    /// Cost of moving data, as the terms have it.
    pub(super) fn transfers(&self) -> f64 {
        self.cost.iter().filter(|part| is_moving(part)).map(|part| part.usd).sum()
    }
}

fn is_moving(part: &CostSlice) -> bool {
    [ChargeKind::Transfer.name(), AdjustmentKind::Tiers.name()].contains(&part.kind.as_str())
}

/// Own machines' hours, then those of rented ones.
pub(super) fn own_and_rented(all: &[ProviderHours]) -> [ProviderHours; 2] {
    [true, false].map(|owned| {
        let name = if owned { "own" } else { "rented" };
        let mut sum =
            ProviderHours { provider: name.to_owned(), owned, ..ProviderHours::default() };
        all.iter().filter(|one| one.owned == owned).for_each(|one| add_hours(&mut sum, one, 1.0));
        sum
    })
}

fn add_hours(sum: &mut ProviderHours, one: &ProviderHours, share: f64) {
    sum.core_hours_used += one.core_hours_used * share;
    sum.core_hours_idle += one.core_hours_idle * share;
    sum.gpu_hours_used += one.gpu_hours_used * share;
    sum.gpu_hours_idle += one.gpu_hours_idle * share;
}

/// The one called so among `all`, or a new one at the end.
fn entry<T>(all: &mut Vec<T>, is: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let at = all.iter().position(is).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    });
    &mut all[at]
}

/// Parts of the metric called `metric`, over the replications that show it.
fn costs(all: &[Measurement], metric: &str) -> Vec<CostSlice> {
    let shown: Vec<&Measurement> = all.iter().filter(|one| one.metric(metric).is_some()).collect();
    let mut parts: Vec<CostSlice> = Vec::new();
    for one in &shown {
        for part in &one.parts {
            let (provider, kind) = (&part.provider, &part.kind);
            let dollars = match metric {
                "cost_monthly" => part.monthly.unwrap_or(0.0),
                "cost_per_core_hour" => part.nanos as f64 / 1e9 / one.done.core_hours,
                "cost_per_gpu_hour" => part.nanos as f64 / 1e9 / one.done.gpu_hours,
                _ => part.nanos as f64 / 1e9,
            };
            let new = || CostSlice { provider: provider.clone(), kind: kind.clone(), usd: 0.0 };
            let is = |known: &CostSlice| known.provider == *provider && known.kind == *kind;
            entry(&mut parts, is, new).usd += dollars / shown.len() as f64;
        }
    }
    parts
}

/// Means of each group over the replications in which any of its work started.
fn waits(all: &[Measurement], of: impl Fn(&Measurement) -> &Vec<GroupWait>) -> Vec<GroupWait> {
    let mut sums: Vec<(GroupWait, u32)> = Vec::new();
    for one in all.iter().flat_map(of) {
        let new = || (GroupWait { name: one.name.clone(), ..GroupWait::default() }, 0);
        let (sum, times) = entry(&mut sums, |(known, _)| known.name == one.name, new);
        *times += 1;
        sum.count += one.count;
        sum.mean += one.mean;
        sum.p50 += one.p50;
        sum.p95 += one.p95;
        sum.max += one.max;
    }
    let runs = all.len().max(1) as u64;
    let mean = |(mut sum, times): (GroupWait, u32)| {
        let times = f64::from(times);
        sum.count = (sum.count + runs / 2) / runs;
        sum.mean /= times;
        sum.p50 /= times;
        sum.p95 /= times;
        sum.max /= times;
        sum
    };
    let mut means: Vec<GroupWait> = sums.into_iter().map(mean).collect();
    means.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    means
}

fn hours(all: &[Measurement], runs: f64) -> Vec<ProviderHours> {
    let mut sums: Vec<ProviderHours> = Vec::new();
    for one in all.iter().flat_map(|one| &one.hours) {
        let new = || ProviderHours {
            provider: one.provider.clone(),
            owned: one.owned,
            ..ProviderHours::default()
        };
        let sum = entry(&mut sums, |known| known.provider == one.provider, new);
        add_hours(sum, one, 1.0 / runs);
    }
    sums.sort_by_key(|one| !one.owned);
    sums
}

/// Means over the replications, in which what is not there is none.
fn energy(
    all: &[Measurement],
    runs: f64,
    of: impl Fn(&Measurement) -> &Vec<EnergyPart>,
) -> Vec<EnergyPart> {
    let mut sums: Vec<EnergyPart> = Vec::new();
    for one in all.iter().flat_map(of) {
        let new = || EnergyPart { name: one.name.clone(), ..EnergyPart::default() };
        let sum = entry(&mut sums, |known| known.name == one.name, new);
        sum.kwh += one.kwh / runs;
        sum.carbon_kg += one.carbon_kg / runs;
    }
    sums
}

fn moved(all: &[Measurement], runs: f64) -> Vec<PathTraffic> {
    let mut sums: Vec<PathTraffic> = Vec::new();
    for one in all.iter().flat_map(|one| &one.moved) {
        let is = |known: &PathTraffic| known.from == one.from && known.to == one.to;
        let new = || PathTraffic { from: one.from.clone(), to: one.to.clone(), gib: 0.0, usd: 0.0 };
        let sum = entry(&mut sums, is, new);
        sum.gib += one.gib / runs;
        sum.usd += one.usd / runs;
    }
    sums.sort_by(|a, b| b.usd.total_cmp(&a.usd).then(b.gib.total_cmp(&a.gib)));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_costs_what_terms_make_of_it() {
        let part =
            |(kind, usd): (&str, f64)| CostSlice { provider: "aws".into(), kind: kind.into(), usd };
        let cost = [("work", 5.0), ("transfer", 3.0), ("tiers", -1.0), ("storage", 0.5)];
        let of = Breakdown { cost: cost.map(part).to_vec(), ..Breakdown::default() };
        assert_eq!((of.machines("aws"), of.transfers()), (5.5, 2.0));
    }
}
