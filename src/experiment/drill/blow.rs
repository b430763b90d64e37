//! Parts of a scenario's world that a drill knocks out.

use std::collections::BTreeMap;

use crate::model::{Fault, FaultDomain, FaultEffect, FaultTimes, Market, Offer, World};
use crate::scenario::{Scenario, known_events};
use crate::units::{Id, Span, Time};

/// Kind of what is knocked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlowKind {
    /// One machine.
    Node,
    /// All machines of a zone, and its launches.
    Zone,
    /// The same of a region.
    Region,
    /// The same of a provider or cluster.
    Provider,
    /// Launches of a region or provider.
    Launches,
    /// A known outage.
    Event,
}

impl BlowKind {
    /// All kinds, from small to large.
    pub const ALL: [Self; 6] =
        [Self::Node, Self::Zone, Self::Region, Self::Provider, Self::Launches, Self::Event];

    /// The words of reports and of `--fail-on`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node loss",
            Self::Zone => "zone loss",
            Self::Region => "region loss",
            Self::Provider => "provider loss",
            Self::Launches => "launch outage",
            Self::Event => "known outage",
        }
    }
}

/// Something that is knocked out.
#[derive(Clone, Debug, PartialEq)]
pub struct Blow {
    /// Kind of it.
    pub kind: BlowKind,
    /// What it is: `aws/us-east-1a`, `launches of aws`.
    pub name: String,
    /// What fails, counted from the moment of the blow; without an end where the drill says how long.
    faults: Vec<Fault>,
}

impl Blow {
    fn new(kind: BlowKind, name: String, offers: Vec<Id<Offer>>, effect: FaultEffect) -> Self {
        let domain = FaultDomain::Share(1_000_000);
        Self::of(kind, name, Fault { domain, ..fault(offers, effect) })
    }

    fn of(kind: BlowKind, name: String, fault: Fault) -> Self {
        let fault = Fault { name: format!("drill: {name}"), ..fault };
        Self { kind, name, faults: vec![fault] }
    }

    /// The scenario with this struck at `moment`. Its text says so, for it is another scenario.
    pub fn strike(&self, scenario: &Scenario, moment: Time, lasts: Option<Span>) -> Scenario {
        let mut struck = scenario.clone();
        for fault in &self.faults {
            let mut fault = fault.clone();
            if let FaultTimes::Periods(periods) = &mut fault.times {
                for (from, until) in periods {
                    let end = if self.kind == BlowKind::Event {
                        until.map(|until| moment.saturating_add(until - Time::ZERO))
                    } else {
                        lasts.map(|lasts| moment.saturating_add(lasts))
                    };
                    (*from, *until) = (moment.saturating_add(*from - Time::ZERO), end);
                }
            }
            struck.world.faults.push(fault);
        }
        let told = format!("\n# struck at {moment:?} for {lasts:?}: {}", self.name);
        struck.text.push_str(&told);
        struck
    }
}

fn fault(offers: Vec<Id<Offer>>, effect: FaultEffect) -> Fault {
    Fault {
        name: String::new(),
        offers,
        domain: FaultDomain::Share(1_000_000),
        effect,
        times: FaultTimes::Periods(vec![(Time::ZERO, None)]),
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    }
}

/// Everything of a scenario that can be knocked out and that one of these policies may use, from
/// small to large. Of parts that are the same machines, as the only zone of a cluster is the
/// cluster, there is the largest.
pub fn blows(scenario: &Scenario, policies: &[usize]) -> Vec<Blow> {
    let world = &scenario.world;
    let used = used(scenario, policies);
    let mut all = nodes(world, &used);
    let parts: [(BlowKind, &OfferName<'_>); 3] = [
        (BlowKind::Zone, &|offer| world.zone_name(world.offers[offer].zone)),
        (BlowKind::Region, &|offer| world.region_name(world.region_of(offer))),
        (BlowKind::Provider, &|offer| world.providers[world.provider_of(offer)].name.clone()),
    ];
    for (kind, name) in parts {
        for (name, offers) in grouped(&used, name) {
            let same = |one: &Blow| one.kind != BlowKind::Node && one.faults[0].offers == offers;
            all.retain(|one| !same(one));
            all.push(Blow::new(kind, name, offers, FaultEffect::MachinesAndLaunches));
        }
    }
    let is_rented = |offer: &Id<Offer>| world.offers[*offer].market != Market::Owned;
    let rented: Vec<Id<Offer>> = used.iter().copied().filter(is_rented).collect();
    let mut launches: Vec<Blow> = Vec::new();
    for (_, name) in &parts[1..] {
        for (name, offers) in grouped(&rented, name) {
            launches.retain(|one| one.faults[0].offers != offers);
            let name = format!("launches of {name}");
            launches.push(Blow::new(BlowKind::Launches, name, offers, FaultEffect::Launches));
        }
    }
    all.extend(launches);
    for (name, mut faults) in known_events(world) {
        faults.iter_mut().for_each(|fault| fault.offers.retain(|offer| used.contains(offer)));
        faults.retain(|fault| !fault.offers.is_empty());
        if !faults.is_empty() {
            all.push(Blow { kind: BlowKind::Event, name, faults });
        }
    }
    all.sort_by_key(|blow| blow.kind);
    all
}

/// Offers that one of the policies may use: owned ones, and those that it may rent.
fn used(scenario: &Scenario, policies: &[usize]) -> Vec<Id<Offer>> {
    let rentable = scenario.rentable(policies);
    let is_used = |offer: &Id<Offer>| {
        scenario.world.offers[*offer].market == Market::Owned || rentable.contains(offer)
    };
    scenario.world.offers.ids().filter(is_used).collect()
}

/// A name of an offer: that of its zone, region or provider.
type OfferName<'a> = dyn Fn(Id<Offer>) -> String + 'a;

/// Offers by a name of theirs, in the order of names.
fn grouped(offers: &[Id<Offer>], name: &OfferName<'_>) -> BTreeMap<String, Vec<Id<Offer>>> {
    let mut groups: BTreeMap<String, Vec<Id<Offer>>> = BTreeMap::new();
    for &offer in offers {
        groups.entry(name(offer)).or_default().push(offer);
    }
    groups
}

/// The first machine of each provider: of a cluster that of its largest group, of a cloud that of
/// every offer.
fn nodes(world: &World, used: &[Id<Offer>]) -> Vec<Blow> {
    let provider = |offer| world.providers[world.provider_of(offer)].name.clone();
    let groups = grouped(used, &provider);
    let node = |(name, offers): (String, Vec<Id<Offer>>)| {
        let owned =
            offers.iter().copied().filter(|&offer| world.offers[offer].market == Market::Owned);
        let largest = owned.max_by_key(|&offer| world.offers[offer].running_at_start);
        let (name, offers) = match largest {
            Some(offer) => (format!("a machine of {name}"), vec![offer]),
            None => (format!("the first machine of each offer of {name}"), offers),
        };
        let domain = FaultDomain::Slots { first: 0, count: 1 };
        let fault = Fault { domain, ..fault(offers, FaultEffect::Machines) };
        Blow::of(BlowKind::Node, name, fault)
    };
    groups.into_iter().map(node).collect()
}
