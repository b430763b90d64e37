//! Offers for alike work, by zone and market.

use crate::model::{Home, Link, Market, Offer, Rules, Zone};
use crate::policy::provision::Reach;
use crate::policy::provision::ranking::{OfferRanking, RankedOffer};
use crate::policy::spot::SpotZone;
use crate::policy::turn::Turn;
use crate::state::{LiveWork, WorkRef};
use crate::units::{Demand, Id, Money, Rate, Span};

/// Work that has the same menu.
pub(super) type MenuKey = (Id<Rules>, Demand, Option<Id<Home>>, u32);

/// Price that stands for an offer that is not there: a thousand dollars an hour. No decision takes it.
const NO_OFFER: Rate = Rate::from_picos(1_000_000_000_000_000);

/// An offer, for all tasks of one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MenuOffer {
    pub(super) offer: Id<Offer>,
    /// Tasks on one instance.
    pub(super) each: u32,
    /// Instances that hold all tasks.
    pub(super) instances: u32,
    /// Price of all of them.
    rate: Rate,
    /// Price of an hour of the reference machine on them, in pico-dollars: rent over speed.
    unit: i128,
    boot: Span,
}

/// Zones where work can be had, each with the offers of both markets that hold all of it, the cheapest
/// first. The order of the zones is that of the world.
#[derive(Debug)]
pub(super) struct SpotMenu {
    ranking: OfferRanking,
    zones: Vec<MenuZone>,
    tasks: u32,
    /// Speed of the slowest, in millionths of the reference machine: work is counted by it, so that
    /// nothing takes longer than it seems.
    pub(super) speed: u32,
    /// Pieces of work that use it.
    pub(super) users: usize,
}

#[derive(Debug)]
struct MenuZone {
    zone: Id<Zone>,
    region: u32,
    links: Option<(Link, Link)>,
    on_demand: Vec<MenuOffer>,
    spot: Vec<MenuOffer>,
}

impl MenuZone {
    fn offers(&self, market: Market) -> &[MenuOffer] {
        match market {
            Market::OnDemand => &self.on_demand,
            Market::Spot => &self.spot,
            Market::Owned => &[],
        }
    }

    fn all(&self) -> impl Iterator<Item = &MenuOffer> {
        self.on_demand.iter().chain(&self.spot)
    }
}

impl SpotMenu {
    /// The menu of work like `live` with so many tasks: offers in reach of which so many instances can be had at once.
    pub(super) fn new(
        turn: &Turn<'_, '_>,
        (live, tasks): (&LiveWork, u32),
        (reach, boots, rentable): (&Reach, &[Span], &[u64]),
    ) -> Self {
        let mut ranking = OfferRanking::new(turn, live, (reach, boots));
        ranking
            .candidates
            .retain(|one| u64::from(one.instances(tasks)) <= rentable[one.offer.row()]);
        ranking.refresh(turn);
        let mut zones: Vec<Id<Zone>> = ranking.candidates.iter().map(|one| one.zone).collect();
        zones.sort_unstable();
        zones.dedup();
        let zone_of = |zone: Id<Zone>| {
            let first = ranking.candidates.iter().find(|one| one.zone == zone);
            let region = first.map_or(0, |one| turn.world().region_of(one.offer).row() as u32);
            let links = first.and_then(|one| one.links);
            MenuZone { zone, region, links, on_demand: Vec::new(), spot: Vec::new() }
        };
        let zones = zones.into_iter().map(zone_of).collect();
        let mut menu = Self { ranking, zones, tasks, speed: 0, users: 0 };
        menu.choose(turn);
        menu.speed = menu.ranking.candidates.iter().map(|one| one.speed).min().unwrap_or(0);
        menu
    }

    /// Takes in new prices.
    pub(super) fn refresh(&mut self, turn: &Turn<'_, '_>) {
        if self.ranking.refresh(turn) {
            self.choose(turn);
        }
    }

    /// Sorts the offers into their zones.
    fn choose(&mut self, turn: &Turn<'_, '_>) {
        for zone in &mut self.zones {
            zone.on_demand.clear();
            zone.spot.clear();
        }
        for one in &self.ranking.candidates {
            let at = self.zones.binary_search_by_key(&one.zone, |zone| zone.zone);
            let zone = &mut self.zones[at.expect("all zones are there")];
            match turn.world().offers[one.offer].market {
                Market::OnDemand => zone.on_demand.push(MenuOffer::new(one, self.tasks)),
                Market::Spot => zone.spot.push(MenuOffer::new(one, self.tasks)),
                Market::Owned => {}
            }
        }
        for zone in &mut self.zones {
            zone.on_demand.sort_by_key(|one| (one.unit, one.offer));
            zone.spot.sort_by_key(|one| (one.unit, one.offer));
        }
    }

    /// Whether nothing can be had.
    pub(super) fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }

    /// Number of zones.
    pub(super) fn zones(&self) -> usize {
        self.zones.len()
    }

    /// Number of a zone in the world.
    pub(super) fn zone(&self, zone: usize) -> usize {
        self.zones[zone].zone.row()
    }

    /// The offers of a zone.
    pub(super) fn offers(&self, market: Market, zone: usize) -> &[MenuOffer] {
        self.zones[zone].offers(market)
    }

    /// The cheapest offer of a zone of which all instances that the work needs could be launched now.
    pub(super) fn open(
        &self,
        turn: &Turn<'_, '_>,
        market: Market,
        zone: usize,
    ) -> Option<MenuOffer> {
        let has_room = |one: &&MenuOffer| turn.launch_room(one.offer).0 >= u64::from(one.instances);
        self.offers(market, zone).iter().find(has_room).copied()
    }

    /// The longest time from a launch until work goes on, in the mean: boot, input, checkpoint.
    pub(super) fn restart(&self, turn: &Turn<'_, '_>, work: WorkRef) -> Span {
        let (input, restore) = (turn.work(work).ask.input, turn.checkpoint(work));
        let restore = restore.map_or(Span::ZERO, |checkpoint| checkpoint.restore);
        let way = |zone: &MenuZone| {
            let boots = zone.all().map(|offer| offer.boot);
            let moved = zone.links.map_or(Span::ZERO, |(inbound, _)| inbound.time(input));
            boots.max().unwrap_or(Span::ZERO) + moved
        };
        self.zones.iter().map(way).max().unwrap_or(Span::ZERO) + restore
    }

    /// The longest time to write its output.
    pub(super) fn output(&self, turn: &Turn<'_, '_>, work: WorkRef) -> Span {
        let output = turn.work(work).ask.output;
        let way = |zone: &MenuZone| zone.links.map_or(Span::ZERO, |(_, out)| out.time(output));
        self.zones.iter().map(way).max().unwrap_or(Span::ZERO)
    }

    /// What is known of the zones: prices now, and of the way of the data of `work`.
    pub(super) fn terms(&self, turn: &Turn<'_, '_>, work: WorkRef, terms: &mut Vec<SpotZone>) {
        let ask = &turn.work(work).ask;
        let rate = |offers: &[MenuOffer]| offers.first().map_or(NO_OFFER, |offer| offer.rate);
        terms.clear();
        terms.extend(self.zones.iter().map(|zone| SpotZone {
            on_demand: rate(&zone.on_demand),
            spot: rate(&zone.spot),
            region: zone.region,
            copy: zone.links.map_or(Money::ZERO, |(inbound, outbound)| {
                Money::for_bytes(ask.input, inbound.nanos_per_gib)
                    + Money::for_bytes(ask.output, outbound.nanos_per_gib)
            }),
        }));
    }
}

impl MenuOffer {
    fn new(one: &RankedOffer, tasks: u32) -> Self {
        let instances = one.instances(tasks);
        let rent = i128::from(one.rate.picos()) * i128::from(instances) * 1_000_000;
        Self {
            offer: one.offer,
            each: one.each,
            instances,
            rate: Rate::from_picos(one.rate.picos().saturating_mul(i64::from(instances))),
            unit: rent / i128::from(one.speed.max(1)),
            boot: one.boot,
        }
    }
}
