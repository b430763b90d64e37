//! Hours of cores and GPUs by provider: asked for by running work, and idle.

use serde::{Deserialize, Serialize};

use crate::model::{Market, Region, World};
use crate::state::{Allocation, InstanceRef, State};
use crate::units::{Demand, Id, Time};

/// Adds up what machines offered while they were ready, and what running work asked of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Hours {
    /// Each instance that is ready, by its slot.
    ready: Vec<Option<ReadyMachine>>,
    /// Sums of each region, by its row.
    sums: Vec<HourSums>,
}

/// A machine that is ready: since when, with so many GPUs that work, and since when so many do.
#[derive(Clone, Copy, Debug)]
struct ReadyMachine {
    since: Time,
    gpus: u8,
    gpus_since: Time,
}

/// Milli-cores and milli-GPUs times microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct HourSums {
    used: [i128; 2],
    offered: [i128; 2],
}

/// Hours of one provider or cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProviderHours {
    /// Name of the provider or cluster.
    pub provider: String,
    /// Whether its machines are owned.
    pub owned: bool,
    /// Core-hours that running work asked for, also where it has its machines alone.
    pub core_hours_used: f64,
    /// Core-hours of ready machines beyond those.
    pub core_hours_idle: f64,
    /// The same of GPUs.
    pub gpu_hours_used: f64,
    /// The same of GPUs that are not broken.
    pub gpu_hours_idle: f64,
}

impl ReadyMachine {
    /// Milli-GPUs times microseconds since the number of those that work changed.
    fn offered_gpus(&self, now: Time) -> i128 {
        i128::from(self.gpus) * 1_000 * i128::from((now - self.gpus_since).micros())
    }
}

impl Hours {
    /// An instance is ready.
    #[inline]
    pub(super) fn ready(&mut self, state: &State<'_>, instance: InstanceRef) {
        let slot = instance.slot();
        if self.ready.len() <= slot {
            self.ready.resize(slot + 1, None);
        }
        let (now, gpus) = (state.now(), state.instance(instance).working().gpus);
        self.ready[slot] = Some(ReadyMachine { since: now, gpus, gpus_since: now });
    }

    /// So many GPUs of an instance, which work still, break; or none do and others work again. Those that
    /// are broken are not offered.
    pub(super) fn devices(&mut self, state: &State<'_>, reference: InstanceRef, broken: u32) {
        let Some(Some(ready)) = self.ready.get_mut(reference.slot()) else { return };
        let (instance, now) = (state.instance(reference), state.now());
        let offered = ready.offered_gpus(now);
        (ready.gpus, ready.gpus_since) = (instance.working().gpus - broken as u8, now);
        self.of(instance.region).offered[1] += offered;
    }

    /// An instance is given back, or fails.
    pub(super) fn released(&mut self, state: &State<'_>, reference: InstanceRef) {
        let Some(ready) = self.ready.get_mut(reference.slot()) else { return };
        // None: it was still booting.
        let Some(ready) = ready.take() else { return };
        let (instance, now) = (state.instance(reference), state.now());
        let span = i128::from((now - ready.since).micros());
        let offered = &mut self.of(instance.region).offered;
        offered[0] += i128::from(instance.shape.cpu) * span;
        offered[1] += ready.offered_gpus(now);
    }

    /// An allocation of such tasks ends.
    #[inline(always)]
    pub(super) fn stopped(&mut self, state: &State<'_>, stopped: &Allocation, demand: &Demand) {
        let Some(started) = stopped.started() else { return };
        let span = i128::from((state.now() - started).micros());
        for held in &stopped.held {
            let of = |each: u32| i128::from(i64::from(each) * i64::from(held.share.tasks)) * span;
            let sums = &mut self.of(state.instance(held.share.instance).region).used;
            sums[0] += of(demand.cpu);
            if demand.gpus > 0 {
                sums[1] += of(demand.gpu_milli());
            }
        }
    }

    #[inline]
    fn of(&mut self, region: Id<Region>) -> &mut HourSums {
        if self.sums.len() <= region.row() {
            self.sums.resize(region.row() + 1, HourSums::default());
        }
        &mut self.sums[region.row()]
    }

    /// Takes away what `earlier` added up.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        for (mine, theirs) in self.sums.iter_mut().zip(&earlier.sums) {
            for at in 0..2 {
                mine.used[at] -= theirs.used[at];
                mine.offered[at] -= theirs.offered[at];
            }
        }
    }

    /// Hours of providers with a machine that was ever ready, own clusters first.
    pub(super) fn named(&self, world: &World) -> Vec<ProviderHours> {
        let is_owned = |row: usize| {
            world.offers.ids().any(|offer| {
                world.offers[offer].market == Market::Owned && world.provider_of(offer).row() == row
            })
        };
        let mut by_provider = vec![HourSums::default(); world.providers.len()];
        for ((_, region), sums) in world.regions.iter().zip(&self.sums) {
            let all = &mut by_provider[region.provider.row()];
            for at in 0..2 {
                all.used[at] += sums.used[at];
                all.offered[at] += sums.offered[at];
            }
        }
        let hours = |sum: i128| sum as f64 / 3.6e9 / 1e3;
        let of = |(row, sums): (usize, &HourSums)| ProviderHours {
            provider: world.providers.rows()[row].name.clone(),
            owned: is_owned(row),
            core_hours_used: hours(sums.used[0]),
            core_hours_idle: hours(sums.offered[0] - sums.used[0]),
            gpu_hours_used: hours(sums.used[1]),
            gpu_hours_idle: hours(sums.offered[1] - sums.used[1]),
        };
        let any = |(_, sums): &(usize, &HourSums)| sums.offered != [0, 0];
        let mut all: Vec<ProviderHours> =
            by_provider.iter().enumerate().filter(any).map(of).collect();
        all.sort_by_key(|one| !one.owned);
        all
    }
}
