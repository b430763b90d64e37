//! Credits of a run: what providers give back for the time in which outages took their machines.

use std::collections::{BTreeMap, BTreeSet};

use super::Settlement;
use crate::billing::charge::{BilledCharge, Origin, Purpose};
use crate::billing::credit::{ServiceCredits, ServiceOutage};
use crate::billing::rules::shipped;
use crate::billing::usage::Service;
use crate::model::{Fault, FaultDomain, Region, World, Zone};
use crate::units::{Id, Time};

/// Asks for the credits of outages as they come and go.
#[derive(Debug)]
pub(super) struct RunCredits {
    credits: ServiceCredits<'static>,
    /// What each fault of the world takes whole.
    struck: Vec<Vec<ServiceOutage>>,
    /// Faults that hold, with the time until which they are handed on.
    since: BTreeMap<usize, Time>,
}

impl Default for RunCredits {
    fn default() -> Self {
        let credits = ServiceCredits::new(shipped());
        Self { credits, struck: Vec::new(), since: BTreeMap::new() }
    }
}

impl RunCredits {
    /// A run in that world begins.
    pub(super) fn begin(&mut self, world: &World) {
        self.struck = world.faults.iter().map(|fault| struck(world, fault)).collect();
        let mut zones: BTreeMap<Id<Region>, Vec<String>> = BTreeMap::new();
        for (zone, &offers) in world.zones.rows().iter().zip(&offers_by_zone(world)) {
            if offers > 0 {
                zones.entry(zone.region).or_default().push(zone.name.clone());
            }
        }
        // A promise for regions is one for machines in several zones.
        for (region, zones) in zones.into_iter().filter(|(_, zones)| zones.len() > 1) {
            let Region { name, provider, .. } = &world.regions[region];
            self.credits.region(&world.providers[*provider].name, name, zones);
        }
    }

    /// A fault begins or ends.
    pub(super) fn outage(
        &mut self,
        fault: usize,
        begins: bool,
        now: Time,
        unix: impl Fn(Time) -> Time,
    ) {
        match begins {
            true => _ = self.since.insert(fault, now),
            false => {
                self.hand_on(fault, now, unix);
                self.since.remove(&fault);
            }
        }
    }

    /// Hands on the outages that hold, until then.
    pub(super) fn until(&mut self, until: Time, unix: impl Fn(Time) -> Time) {
        let all: Vec<usize> = self.since.keys().copied().collect();
        for fault in all {
            self.hand_on(fault, until, &unix);
        }
    }

    fn hand_on(&mut self, fault: usize, until: Time, unix: impl Fn(Time) -> Time) {
        let Some(since) = self.since.get_mut(&fault) else { return };
        let (from, until) = (unix(std::mem::replace(since, until)), unix(until));
        for place in &self.struck[fault] {
            self.credits.outage(&ServiceOutage { from, until, ..place.clone() });
        }
    }
}

/// The zones that a fault takes whole with all that runs there. Their times are not those of an outage
/// yet.
fn struck(world: &World, fault: &Fault) -> Vec<ServiceOutage> {
    if fault.domain != FaultDomain::Share(1_000_000) || !fault.effect.stops_machines() {
        return Vec::new();
    }
    let outage = |zone: &Zone| {
        let Region { name, provider, .. } = &world.regions[zone.region];
        ServiceOutage {
            provider: world.providers[*provider].name.clone(),
            service: Service::Compute,
            region: name.clone(),
            zone: Some(zone.name.clone()),
            launches_only: false,
            from: Time::ZERO,
            until: Time::ZERO,
        }
    };
    let all = offers_by_zone(world);
    let mut out = vec![0; all.len()];
    for offer in fault.offers.iter().copied().collect::<BTreeSet<_>>() {
        out[world.offers[offer].zone.row()] += 1;
    }
    let zones = world.zones.rows().iter().zip(all.into_iter().zip(out));
    zones.filter(|(_, (all, out))| all == out && *all > 0).map(|(zone, _)| outage(zone)).collect()
}

/// Number of offers of each zone.
fn offers_by_zone(world: &World) -> Vec<u32> {
    let mut offers = vec![0; world.zones.len()];
    for offer in world.offers.rows() {
        offers[offer.zone.row()] += 1;
    }
    offers
}

impl Settlement {
    /// Hands outages on until the end of an hour or of the run, before its charges are made.
    pub(super) fn hand_on_outages(&mut self, until: Time) {
        let calendar = self.calendar;
        if let Some(credits) = &mut self.credits {
            credits.until(until, |at| Time::from_micros(calendar.unix_micros(at)));
        }
    }

    /// A fault begins or ends now.
    pub(super) fn hears_of_outage(&mut self, fault: usize, begins: bool) {
        let (calendar, now) = (self.calendar, self.now);
        if let Some(credits) = &mut self.credits {
            credits.outage(fault, begins, now, |at| Time::from_micros(calendar.unix_micros(at)));
        }
    }

    /// The credits that a charge is the reason for: those of months that are over by then, which come
    /// before it, and that for an hour that costs nothing, which comes behind it.
    pub(super) fn credits_of(&mut self, charge: &BilledCharge) -> [Vec<BilledCharge>; 2] {
        let mut given = Vec::new();
        if let Some(credits) = &mut self.credits {
            credits.credits.take(charge, self.biller.products(), &mut |credit| given.push(credit));
        }
        let is_over = |credit: &BilledCharge| credit.until <= charge.from;
        let (of_months, of_hour) = given.into_iter().partition(is_over);
        [of_months, of_hour]
    }

    /// Credits of the last month.
    pub(super) fn last_credits(&mut self) -> Vec<BilledCharge> {
        let mut given = Vec::new();
        if let Some(credits) = &mut self.credits {
            credits.credits.finish(self.biller.products(), &mut |credit| given.push(credit));
        }
        given
    }

    /// Adds a credit: that for an hour goes to whom the charge of its line does.
    pub(super) fn add_credit(&mut self, credit: &BilledCharge, of: Option<&BilledCharge>) {
        self.bill.add(credit, &self.biller);
        self.tally.add(credit);
        let line = of.and_then(|charge| match charge.purpose {
            Purpose::Usage { origin: Origin::Line(line), .. } => Some(line),
            Purpose::Usage { origin: Origin::Reservation(_), .. }
            | Purpose::Covered { .. }
            | Purpose::Unused(_)
            | Purpose::Upfront(_)
            | Purpose::Fee(_)
            | Purpose::SustainedUse(_)
            | Purpose::Credit(_) => None,
        });
        self.split.credited(credit, line, &self.biller);
        self.charges.iter_mut().for_each(|kept| kept.push(*credit));
    }
}
