//! Who has to pay what of a run: the cost of the work of each tenant, and what belongs to no work.
//!
//! Workload, idle time and overhead sum to the cost, as whole nano-dollars (the identity of
//! OpenCost). Idle time and overhead are shared out beside it, kept apart from what work caused.

mod lines;

use std::collections::BTreeMap;

use crate::billing::split::by_largest_remainder;
use crate::metrics::{BrokenLaw, ChargedFor, SpendingTally, WorkNames};
use crate::model::{Tenant, World};
use crate::state::{State, WorkRef};
use crate::units::{Id, Money, Time};

pub(super) use lines::LineSplit;

/// Whose work something is of: rows of the tenant and of the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WorkGroup {
    tenant: u32,
    class: u8,
}

impl WorkGroup {
    pub(super) fn of(state: &State<'_>, work: WorkRef) -> Self {
        let ask = &state.work(work).ask;
        Self { tenant: ask.tenant.row() as u32, class: ask.class }
    }
}

/// What a part of a cost is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CostCause {
    /// Shares of instances that work held.
    Work(WorkGroup),
    /// Data that work moved.
    Transfer(WorkGroup),
    /// Instances that were ready and that no work held.
    Idle,
    /// Instances that were not ready yet.
    Boot,
    /// Commitments that nobody used.
    UnusedCommitment,
    /// Capacity that is kept and does not run.
    Kept,
    /// Data, and disks of instances that are stopped.
    Stored,
}

/// What a run cost, by who caused it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chargeback {
    /// Whether amounts are settled on the terms of the scenario; else they are at list prices.
    pub is_settled: bool,
    /// Cost in all.
    pub total: Money,
    /// Instances that were ready and that no work held.
    pub idle: Money,
    /// Instances that were not ready yet.
    pub boot: Money,
    /// Commitments that nobody used.
    pub unused: Money,
    /// Capacity that is kept and does not run.
    pub kept: Money,
    /// Data that is kept, and disks of instances that are stopped.
    pub stored: Money,
    /// Parts of tenants, classes and providers, in this order. They sum to the total.
    pub rows: Vec<ChargebackRow>,
}

/// Part of one tenant and class in what one provider charges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChargebackRow {
    /// The tenant; `None` of what is nobody's, as no work ran at all.
    pub tenant: Option<String>,
    /// Class of its work; empty where that has none.
    pub class: String,
    /// Provider or cluster.
    pub provider: String,
    /// Its parts.
    pub parts: ChargebackParts,
}

/// Parts of what a tenant has to pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChargebackParts {
    /// Shares of machines that its work held.
    pub machines: Money,
    /// Data that its work moved.
    pub transfer: Money,
    /// Its share of idle time.
    pub idle: Money,
    /// Its share of boot, of commitments that nobody used, and of capacity and data that are kept.
    pub overhead: Money,
}

impl ChargebackParts {
    /// What its work caused.
    pub fn workload(&self) -> Money {
        self.machines + self.transfer
    }

    /// All of it.
    pub fn total(&self) -> Money {
        self.workload() + self.idle + self.overhead
    }

    /// Adds those parts.
    pub fn add(&mut self, other: &Self) {
        self.machines += other.machines;
        self.transfer += other.transfer;
        self.idle += other.idle;
        self.overhead += other.overhead;
    }
}

impl Chargeback {
    /// What belongs to no machine that is ready: boot, unused commitments, capacity and data that are kept.
    pub fn overhead(&self) -> Money {
        self.boot + self.unused + self.kept + self.stored
    }

    /// What work caused.
    pub fn workload(&self) -> Money {
        self.rows.iter().map(|row| row.parts.workload()).sum()
    }

    /// Parts by tenant, the most first.
    pub fn tenants(&self) -> Vec<(Option<&str>, ChargebackParts)> {
        let mut sums: BTreeMap<Option<&str>, ChargebackParts> = BTreeMap::new();
        for row in &self.rows {
            sums.entry(row.tenant.as_deref()).or_default().add(&row.parts);
        }
        let mut all: Vec<_> = sums.into_iter().collect();
        all.sort_by_key(|(_, parts)| -parts.total());
        all
    }

    /// The law that it breaks, if any, where the run cost so much: workload, idle time and overhead
    /// are the cost, and so is what everybody pays.
    pub(super) fn broken(&self, cost: Money) -> Option<BrokenLaw> {
        let caused = self.workload() + self.idle + self.overhead();
        let paid = self.rows.iter().map(|row| row.parts.total()).sum();
        let of = |law, found: Money| {
            let found = format!("{} and {}", found.exact(), cost.exact());
            (Time::ZERO, law, found)
        };
        let broken = match (caused == cost, paid == cost) {
            (true, true) => return None,
            (false, _) => of("workload, idle time and overhead are the cost", caused),
            (true, false) => of("what tenants are charged sums to the cost", paid),
        };
        let (at, law, found) = broken;
        Some(BrokenLaw { at, law, found })
    }
}

/// Adds up parts of costs.
#[derive(Clone, Debug, Default)]
pub(super) struct CauseTally {
    /// Names of providers, in the order in which they came; sums are by row of them.
    providers: Vec<String>,
    sums: BTreeMap<(usize, CostCause), Money>,
    names: WorkNames,
}

impl CauseTally {
    /// Adds an amount that a provider charges.
    pub(super) fn add(&mut self, provider: &str, cause: CostCause, amount: Money) {
        let row = self.providers.iter().position(|known| known == provider).unwrap_or_else(|| {
            self.providers.push(provider.to_owned());
            self.providers.len() - 1
        });
        *self.sums.entry((row, cause)).or_default() += amount;
    }

    /// Keeps the names of tenants and classes.
    pub(super) fn keep_names(&mut self, names: &WorkNames) {
        self.names = names.clone();
    }

    /// Sum over all providers of what is for causes that `is` names.
    pub(super) fn sum(&self, is: impl Fn(CostCause) -> bool) -> Money {
        let all = self.sums.iter().filter(|((_, cause), _)| is(*cause));
        all.map(|(_, amount)| *amount).sum()
    }

    /// The chargeback. Idle time and overhead of a provider are shared by what machines there cost
    /// each tenant and class; where nobody worked there, by that cost at all providers; and where
    /// nobody worked at all they are nobody's.
    pub(super) fn chargeback(&self, is_settled: bool) -> Chargeback {
        let mut rows: BTreeMap<(Option<WorkGroup>, &str), ChargebackParts> = BTreeMap::new();
        let mut worked: BTreeMap<&str, BTreeMap<WorkGroup, Money>> = BTreeMap::new();
        let mut everywhere: BTreeMap<WorkGroup, Money> = BTreeMap::new();
        for ((provider, cause), amount) in &self.sums {
            let provider = self.providers[*provider].as_str();
            match *cause {
                CostCause::Work(group) => {
                    rows.entry((Some(group), provider)).or_default().machines += *amount;
                    *worked.entry(provider).or_default().entry(group).or_default() += *amount;
                    *everywhere.entry(group).or_default() += *amount;
                }
                CostCause::Transfer(group) => {
                    rows.entry((Some(group), provider)).or_default().transfer += *amount;
                }
                CostCause::Idle
                | CostCause::Boot
                | CostCause::UnusedCommitment
                | CostCause::Kept
                | CostCause::Stored => {}
            }
        }
        for (row, provider) in self.providers.iter().map(String::as_str).enumerate() {
            let of = |is: fn(CostCause) -> bool| {
                let all = self.sums.iter().filter(|((of, _), _)| *of == row);
                all.filter(|((_, cause), _)| is(*cause)).map(|(_, amount)| *amount).sum()
            };
            let there = worked.get(provider).filter(|there| weighs(there)).unwrap_or(&everywhere);
            for (group, part) in shared(of(|cause| cause == CostCause::Idle), there) {
                rows.entry((group, provider)).or_default().idle += part;
            }
            for (group, part) in shared(of(is_overhead), there) {
                rows.entry((group, provider)).or_default().overhead += part;
            }
        }
        let rows = rows.into_iter().filter(|(_, parts)| *parts != ChargebackParts::default());
        let of = |one: CostCause| self.sum(|cause| cause == one);
        Chargeback {
            is_settled,
            total: self.sum(|_| true),
            idle: of(CostCause::Idle),
            boot: of(CostCause::Boot),
            unused: of(CostCause::UnusedCommitment),
            kept: of(CostCause::Kept),
            stored: of(CostCause::Stored),
            rows: rows.map(|((group, provider), parts)| self.row(group, provider, parts)).collect(),
        }
    }

    fn row(
        &self,
        group: Option<WorkGroup>,
        provider: &str,
        parts: ChargebackParts,
    ) -> ChargebackRow {
        let name = |names: &[String], row: usize| names.get(row).cloned().unwrap_or_default();
        ChargebackRow {
            tenant: group.map(|group| name(&self.names.tenants, group.tenant as usize)),
            class: group
                .map_or(String::new(), |of| name(&self.names.classes, usize::from(of.class))),
            provider: provider.to_owned(),
            parts,
        }
    }
}

fn is_overhead(cause: CostCause) -> bool {
    match cause {
        CostCause::Boot | CostCause::UnusedCommitment | CostCause::Kept | CostCause::Stored => true,
        CostCause::Work(_) | CostCause::Transfer(_) | CostCause::Idle => false,
    }
}

fn weighs(costs: &BTreeMap<WorkGroup, Money>) -> bool {
    costs.values().any(|cost| *cost > Money::ZERO)
}

/// The amount, shared by these costs; all of it nobody's where there are none.
fn shared(amount: Money, costs: &BTreeMap<WorkGroup, Money>) -> Vec<(Option<WorkGroup>, Money)> {
    if amount == Money::ZERO {
        return Vec::new();
    }
    if !weighs(costs) {
        return vec![(None, amount)];
    }
    let weights: Vec<u64> = costs.values().map(|cost| weight(*cost)).collect();
    let parts = by_largest_remainder(amount, &weights);
    costs.keys().map(|group| Some(*group)).zip(parts).collect()
}

/// An amount as a weight: its nano-dollars, none below zero.
fn weight(amount: Money) -> u64 {
    u64::try_from(amount.nanos().max(0)).unwrap_or(u64::MAX)
}

/// The chargeback of a run at list prices.
pub(super) fn listed(spent: &SpendingTally, names: &WorkNames, world: &World) -> Chargeback {
    let mut tally = CauseTally::default();
    tally.keep_names(names);
    for (region, cause, amount) in spent.causes() {
        let group = |tenant: Id<Tenant>, class| WorkGroup { tenant: tenant.raw(), class };
        let cause = match cause {
            ChargedFor::Work(tenant, class) => CostCause::Work(group(tenant, class)),
            ChargedFor::Transfer(tenant, class) => CostCause::Transfer(group(tenant, class)),
            ChargedFor::Idle => CostCause::Idle,
            ChargedFor::Boot => CostCause::Boot,
        };
        tally.add(&world.providers[world.regions[region].provider].name, cause, amount);
    }
    tally.chargeback(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(nanos: i128) -> Money {
        Money::from_nanos(nanos)
    }

    fn tally(all: &[(&str, CostCause, i128)]) -> CauseTally {
        let mut tally = CauseTally {
            names: WorkNames {
                tenants: ["default", "a", "b"].map(str::to_owned).to_vec(),
                classes: vec![String::new()],
            },
            ..CauseTally::default()
        };
        all.iter()
            .for_each(|(provider, cause, amount)| tally.add(provider, *cause, nanos(*amount)));
        tally
    }

    const A: WorkGroup = WorkGroup { tenant: 1, class: 0 };
    const B: WorkGroup = WorkGroup { tenant: 2, class: 0 };

    /// Tenants a and b cost 3 and 1 of a cluster with 9 idle, and a alone moves 100 out of it:
    /// 6.75 and 2.25 of the 9, where the larger rest takes the last one. A cloud on which nobody
    /// worked costs 10 for a commitment: 7.5 and 2.5, where the first of equal rests takes it.
    #[test]
    fn idle_time_is_shared_where_it_was_and_sums() {
        let tally = tally(&[
            ("dc", CostCause::Work(A), 3),
            ("dc", CostCause::Work(B), 1),
            ("dc", CostCause::Transfer(A), 100),
            ("dc", CostCause::Idle, 9),
            ("aws", CostCause::UnusedCommitment, 10),
        ]);
        let found = tally.chargeback(true);
        assert_eq!(found.total, nanos(123));
        assert_eq!(
            (found.workload(), found.idle, found.overhead()),
            (nanos(104), nanos(9), nanos(10))
        );
        let parts = |machines, transfer, idle, overhead| {
            let [machines, transfer, idle, overhead] =
                [machines, transfer, idle, overhead].map(nanos);
            ChargebackParts { machines, transfer, idle, overhead }
        };
        let (a, b) = (parts(3, 100, 7, 8), parts(1, 0, 2, 2));
        assert_eq!(found.tenants(), [(Some("a"), a), (Some("b"), b)]);
        assert_eq!(found.rows.len(), 4);
        assert_eq!(found.rows[0].provider, "aws");
        assert!(found.broken(nanos(123)).is_none());
        assert!(found.broken(nanos(122)).is_some());
    }

    #[test]
    fn what_nobody_caused_is_nobodys() {
        let found = tally(&[("dc", CostCause::Idle, 7)]).chargeback(false);
        assert_eq!(
            found.tenants(),
            [(None, ChargebackParts { idle: nanos(7), ..Default::default() })]
        );
        assert!(found.broken(nanos(7)).is_none());
    }
}
