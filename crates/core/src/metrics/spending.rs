//! What a run spends at list prices: on what, and who caused it.

use super::fact::{Fact, FactObserver};
use crate::model::{Offer, Region, Tenant};
use crate::sim::Observer;
use crate::state::{Charge, ChargeKind, LiveWork, Record, State};
use crate::units::{Id, Money};

/// A quantity and what it costs: billed microseconds or bytes, and nano-dollars.
type BoughtSum = [i128; 2];

/// Adds up what a run buys, by offer and by the region that data leaves, and its charges by who
/// caused them. The rows of all tables are those of the world and of the work.
#[derive(Clone, Debug, Default)]
pub struct SpendingTally {
    machines: Vec<BoughtSum>,
    moved: Vec<BoughtSum>,
    regions: Vec<RegionCosts>,
}

/// Charges of one region by cause.
#[derive(Clone, Debug, Default)]
struct RegionCosts {
    boot: Money,
    idle: Money,
    /// By tenant and class: shares of machines, and transfers.
    work: Vec<Vec<[Money; 2]>>,
}

/// What a sum of charges is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargedFor {
    /// Shares of instances that work of this tenant and class held.
    Work(Id<Tenant>, u8),
    /// Data that such work moved.
    Transfer(Id<Tenant>, u8),
    /// Instances that were ready and that no work held.
    Idle,
    /// Instances that were not ready yet.
    Boot,
}

impl SpendingTally {
    /// Billed microseconds and nano-dollars by offer.
    pub fn machines(&self) -> impl Iterator<Item = (Id<Offer>, [i128; 2])> {
        rows(&self.machines)
    }

    /// Bytes and nano-dollars by the region that data left.
    pub fn moved(&self) -> impl Iterator<Item = (Id<Region>, [i128; 2])> {
        rows(&self.moved)
    }

    /// Sum of all amounts of purchases.
    pub fn total(&self) -> Money {
        let all = self.machines.iter().chain(&self.moved);
        Money::from_nanos(all.map(|[_, nanos]| nanos).sum())
    }

    /// Sums of charges by the region that they are of and what they are for, in order of rows.
    pub fn causes(&self) -> Vec<(Id<Region>, ChargedFor, Money)> {
        let mut causes = Vec::new();
        for (region, costs) in rows(&self.regions) {
            let mut add = |cause, amount: Money| {
                if amount != Money::ZERO {
                    causes.push((region, cause, amount));
                }
            };
            for (tenant, classes) in rows(&costs.work) {
                for (class, [held, moved]) in (0..=u8::MAX).zip(classes) {
                    add(ChargedFor::Work(tenant, class), held);
                    add(ChargedFor::Transfer(tenant, class), moved);
                }
            }
            add(ChargedFor::Idle, costs.idle);
            add(ChargedFor::Boot, costs.boot);
        }
        causes
    }

    /// Purchases without those that `earlier` added up. The causes stay.
    #[must_use]
    pub fn without(mut self, earlier: &Self) -> Self {
        let subtract = |mine: &mut Vec<BoughtSum>, theirs: &[BoughtSum]| {
            for (row, [quantity, nanos]) in theirs.iter().enumerate() {
                let sums = at(mine, row);
                sums[0] -= quantity;
                sums[1] -= nanos;
            }
        };
        subtract(&mut self.machines, &earlier.machines);
        subtract(&mut self.moved, &earlier.moved);
        self
    }

    #[inline(always)]
    fn charged(&mut self, charge: &Charge, live: Option<&LiveWork>) {
        let costs = at(&mut self.regions, charge.region.row());
        let sum = match (charge.kind, live) {
            (ChargeKind::Boot, _) => &mut costs.boot,
            (ChargeKind::Work, Some(live)) => &mut costs.of(live)[0],
            (ChargeKind::Transfer, Some(live)) => &mut costs.of(live)[1],
            (ChargeKind::Idle | ChargeKind::Work | ChargeKind::Transfer, _) => &mut costs.idle,
        };
        *sum += charge.amount;
        if charge.kind == ChargeKind::Transfer {
            let moved = at(&mut self.moved, charge.region.row());
            moved[0] += i128::from(charge.bytes);
            moved[1] += charge.amount.nanos();
        }
    }
}

impl RegionCosts {
    #[inline]
    fn of(&mut self, live: &LiveWork) -> &mut [Money; 2] {
        at(at(&mut self.work, live.ask.tenant.row()), usize::from(live.ask.class))
    }
}

/// A row of a table, which grows to have it.
#[inline]
fn at<T: Clone + Default>(table: &mut Vec<T>, row: usize) -> &mut T {
    if table.len() <= row {
        table.resize(row + 1, T::default());
    }
    &mut table[row]
}

fn rows<T, R: Clone>(table: &[R]) -> impl Iterator<Item = (Id<T>, R)> {
    table.iter().enumerate().map(|(row, sums)| (Id::new(row as u32), sums.clone()))
}

impl FactObserver for SpendingTally {
    #[inline(always)]
    fn see(&mut self, _state: &State<'_>, fact: Fact<'_>) {
        match fact {
            Fact::Charged(charge, live, _) => self.charged(charge, live),
            Fact::Released { released, billed, amount, .. } => {
                let sums = at(&mut self.machines, released.offer.row());
                sums[0] += i128::from(billed.micros());
                sums[1] += amount.nanos();
            }
            Fact::Submitted(..)
            | Fact::Placed(_)
            | Fact::Started(..)
            | Fact::Stopped { .. }
            | Fact::Finished(..)
            | Fact::Refused(..)
            | Fact::Unfinished(_)
            | Fact::Requested(..)
            | Fact::Ready(..)
            | Fact::Draining(..)
            | Fact::AtRisk(..)
            | Fact::Failed(..)
            | Fact::Repaired(..)
            | Fact::Outage(..)
            | Fact::Migrates(..)
            | Fact::Slowed { .. }
            | Fact::Devices { .. }
            | Fact::Restarted(..)
            | Fact::GivenUp { .. }
            | Fact::LaunchRefused(..)
            | Fact::Noted => {}
        }
    }
}

impl Observer for SpendingTally {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.see(state, Fact::of(state, record));
    }
}
