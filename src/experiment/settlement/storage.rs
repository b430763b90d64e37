//! What a run pays for while it is kept: data sets, and disks and addresses of its machines.

use std::collections::BTreeMap;

use super::{LineUse, Settlement};
use crate::billing::month::Month;
use crate::billing::usage::{LinePrices, Product, Service, UsageUnit};
use crate::model::{Offer, World};
use crate::scenario::{Attached, KeptData, kept_product};
use crate::state::{InstanceRef, State, StoppedRef};
use crate::units::{Id, Rate, Time};

/// What is kept, and what it costs.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    data: Vec<(Id<Product>, KeptData)>,
    attached: Vec<Attached>,
    /// What the machines of each offer have with them, as far as it is known.
    of_offers: BTreeMap<Id<Offer>, OfferExtras>,
    /// Instances that are stopped, with the time until which their disks are handed on.
    stopped: BTreeMap<StoppedRef, Time>,
    /// The time until which data is handed on.
    since: Time,
    /// Millionths of gigabyte-months of data that are handed on.
    handed: i128,
}

/// Disk and addresses of the machines of an offer, with the price of each.
#[derive(Clone, Copy, Debug, Default)]
struct OfferExtras {
    disk: Option<(Id<Product>, i64, Rate)>,
    addresses: Option<(Id<Product>, u64, Rate)>,
}

impl Upkeep {
    /// Millionths of gigabyte-months of data that are handed on, and as many as there were between
    /// these instants since 1970, month by month.
    pub(super) fn data(&self, start: Time, end: Time) -> (i128, i128) {
        let of = |data: &KeptData| {
            let mut from = data.from.map_or(start, |from| from.max(start));
            let until = data.until.map_or(end, |until| until.min(end));
            let mut sum = 0;
            while from < until {
                let next = Month::of(from).until.min(until);
                sum += gigabyte_months(data.bytes, from, next);
                from = next;
            }
            sum
        };
        (self.handed, self.data.iter().map(|(_, data)| of(data)).sum())
    }

    /// A run begins.
    pub(super) const fn begin(&mut self, now: Time) {
        self.since = now;
    }
}

impl Settlement {
    /// The same, keeping these.
    pub(super) fn keeping(mut self, data: &[KeptData], attached: &[Attached]) -> Self {
        for one in data {
            let product = self.biller.product(one.product.clone());
            self.upkeep.data.push((product, one.clone()));
        }
        self.upkeep.attached = attached.to_vec();
        self
    }

    /// Hands on what was kept since the last time, until then, which lies in the same clock hour.
    pub(super) fn keep_until(&mut self, until: Time) {
        let since = std::mem::replace(&mut self.upkeep.since, until);
        let (start, end) = (self.unix(since), self.unix(until));
        for row in 0..self.upkeep.data.len() {
            let (product, ref data) = self.upkeep.data[row];
            let (bytes, price, prices) = (data.bytes, data.price, data.prices);
            let from = data.from.map_or(start, |from| from.clamp(start, end));
            let until = data.until.map_or(end, |until| until.clamp(start, end));
            let quantity = gigabyte_months(bytes, from, until);
            self.upkeep.handed += quantity;
            self.keep((None, None), (product, price, prices), (from, until), quantity);
        }
        let stopped: Vec<_> = self.upkeep.stopped.keys().copied().collect();
        for one in stopped {
            self.keep_stopped(one, until);
        }
    }

    /// An instance is stopped from now on: its disk is kept.
    pub(super) fn stops(&mut self, stopped: StoppedRef) {
        if !self.upkeep.attached.is_empty() {
            self.upkeep.stopped.insert(stopped, self.now);
        }
    }

    /// Time has come to the end of an instant: disks of instances that are not stopped any more are
    /// no longer kept.
    pub(super) fn forget_started(&mut self, state: &State<'_>, now: Time) {
        if self.upkeep.attached.is_empty() {
            return;
        }
        // All that are stopped are known here, so that as many are the same.
        if self.upkeep.stopped.len() == state.stopped_instances() {
            return;
        }
        let (mut gone, mut still) = (Vec::new(), state.next_stopped(None));
        for &one in self.upkeep.stopped.keys() {
            match still == Some(one) {
                true => still = state.next_stopped(still),
                false => gone.push(one),
            }
        }
        for one in gone {
            self.keep_stopped(one, now);
            self.upkeep.stopped.remove(&one);
        }
    }

    fn keep_stopped(&mut self, one: StoppedRef, until: Time) {
        let Some(since) = self.upkeep.stopped.insert(one, until) else { return };
        let Some(extras) = self.upkeep.of_offers.get(&one.0).copied() else { return };
        let Some((product, bytes, price)) = extras.disk else { return };
        let (from, until) = (self.unix(since), self.unix(until));
        let quantity = gigabyte_months(bytes, from, until);
        self.keep((Some(one.1), None), (product, price, LinePrices::Own), (from, until), quantity);
    }

    /// Hands on what an instance had with it in a stretch of one clock hour, after its own line for it. It is
    /// for what that is for.
    pub(super) fn attached(
        &mut self,
        state: &State<'_>,
        reference: InstanceRef,
        (from, until): (Time, Time),
    ) {
        if self.upkeep.attached.is_empty() || from >= until {
            return;
        }
        let (offer, ordinal) = {
            let instance = state.instance(reference);
            (instance.offer, instance.ordinal)
        };
        let extras = self.extras(state.world(), offer);
        let (from, until) = (self.unix(from), self.unix(until));
        let of = Some(ordinal);
        if let Some((product, bytes, price)) = extras.disk {
            let quantity = gigabyte_months(bytes, from, until);
            self.keep((of, of), (product, price, LinePrices::Own), (from, until), quantity);
        }
        if let Some((product, count, price)) = extras.addresses {
            let quantity = i128::from(count) * i128::from((until - from).micros());
            self.keep((of, of), (product, price, LinePrices::Own), (from, until), quantity);
        }
    }

    fn extras(&mut self, world: &World, offer: Id<Offer>) -> OfferExtras {
        if let Some(known) = self.upkeep.of_offers.get(&offer) {
            return *known;
        }
        let region = &world.regions[world.region_of(offer)];
        let provider = &world.providers[region.provider].name;
        let size = &world.type_of(offer).name;
        let found = self.upkeep.attached.iter().find(|one| one.is_of(provider, size)).cloned();
        let place = (provider.as_str(), region.name.as_str());
        let extras = found.map_or_else(OfferExtras::default, |found| OfferExtras {
            disk: found.disk.map(|(bytes, class, price)| {
                let unit = UsageUnit::GigabyteMonth;
                let product = kept_product(place, Service::BlockStorage, &class, unit);
                (self.biller.product(product), bytes, price)
            }),
            addresses: found.addresses.map(|(count, price)| {
                let product = kept_product(place, Service::Address, "", UsageUnit::Hour);
                (self.biller.product(product), count, price)
            }),
        });
        self.upkeep.of_offers.insert(offer, extras);
        extras
    }

    /// Hands on a line of an instance, if of any, which is for what the use of the instance `with` is for.
    fn keep(
        &mut self,
        (instance, with): (Option<u32>, Option<u32>),
        (product, price, prices): (Id<Product>, Rate, LinePrices),
        stretch: (Time, Time),
        quantity: i128,
    ) {
        if quantity <= 0 {
            return;
        }
        self.split.kept(self.lines + 1, with);
        if self.charges.is_some() {
            self.lines_of.push(LineUse { instance, mover: None });
        }
        let paid = self.biller.negotiated(product, price);
        self.take(product, stretch, quantity, (price, paid, None), prices);
    }
}

/// Millionths of gigabyte-months of so many bytes between two instants of one calendar month, since
/// 1970: parts of a month sum to the whole of it.
fn gigabyte_months(bytes: i64, from: Time, until: Time) -> i128 {
    if from >= until {
        return 0;
    }
    let month = Month::of(from);
    let length = i128::from(month.length().micros().max(1));
    let millionths = i128::from(bytes) * 1_000_000 / (1 << 30);
    let so_far = |at: Time| millionths * i128::from((at - month.from).micros()) / length;
    so_far(until) - so_far(from)
}
