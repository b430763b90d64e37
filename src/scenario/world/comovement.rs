//! Zones whose capacities move together.

use crate::model::{Comovement, ComovementMember, Offer, World};
use crate::problem::clip;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::stream::fnv1a;
use crate::units::{Id, Span};
use std::sync::Arc;

/// Time between two steps where nothing is said.
const USUAL_STEP: Span = Span::from_secs(600);

/// Reads `[cloud.NAME.comovement]`: the capacities of the zones that it names, which are drawn, move
/// together from now on. Offers of the cloud are those from `first` on.
pub(super) fn link(
    world: &mut World,
    (cloud, first): (&str, usize),
    section: &ConfigTable,
    report: &mut Diagnostics<'_>,
) {
    if !section.has("comovement") {
        return;
    }
    let group = section.section("comovement");
    group.require("relaxation", report);
    let Some(relaxation) = group.span("relaxation").filter(|&span| span > Span::ZERO) else {
        return;
    };
    let every = group.span("every").unwrap_or(USUAL_STEP);
    if every < Span::from_secs(1) {
        report.at(&group.spot("every"), "a step takes a second at least");
        return;
    }
    let mut zones: Vec<Member> = Vec::new();
    let mut pairs = Vec::new();
    for pair in group.list("pairs") {
        let names = pair.texts("zones");
        let [(one, _), (other, _)] = names else {
            report.at(&pair.spot("zones"), "a pair has two zones");
            return;
        };
        pair.require("correlation", report);
        let Some(phi) = pair.number("correlation") else { return };
        let mut row_of = |name: &str| {
            let known = zones.iter().position(|zone| zone.name == name);
            known.or_else(|| {
                zones.push(Member::find(world, first, name, pair, report)?);
                Some(zones.len() - 1)
            })
        };
        let (Some(one), Some(other)) = (row_of(one), row_of(other)) else { return };
        if one == other {
            report.at(&pair.spot("zones"), "a pair has two different zones");
            return;
        }
        pairs.push(((one, other), phi));
    }
    let absent: Vec<f64> = zones.iter().map(|zone| zone.absent).collect();
    let key = fnv1a(cloud.as_bytes());
    match Comovement::new(&absent, &pairs, (relaxation, every), key) {
        Ok(made) => {
            let made = Arc::new(made);
            for (row, zone) in zones.iter().enumerate() {
                for &offer in &zone.offers {
                    for drawn in &mut world.offers[offer].capacity.drawn {
                        let group = Arc::clone(&made);
                        drawn.moves_with = Some(ComovementMember { group, row });
                    }
                }
            }
        }
        Err(found) => {
            let (one, other) = found.pair;
            let is_it =
                |(pair, _): &((usize, usize), f64)| *pair == found.pair || *pair == (other, one);
            let row = pairs.iter().position(is_it).unwrap_or(0);
            let message = format!(
                "correlation of `{}` and `{}`: {}",
                clip(&zones[one].name),
                clip(&zones[other].name),
                found.why
            );
            report.at(&group.list("pairs")[row].spot("correlation"), message);
        }
    }
}

/// A zone that moves with others.
#[derive(Debug)]
struct Member {
    name: String,
    /// Share of time in which nothing is there.
    absent: f64,
    /// Its offers whose capacity is drawn.
    offers: Vec<Id<Offer>>,
}

impl Member {
    /// The zone called `name`, all of whose laws have the same share of time without anything.
    fn find(
        world: &World,
        first: usize,
        name: &str,
        pair: &ConfigTable,
        report: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        let here = world.offers.iter().skip(first);
        let here = here.filter(|(_, offer)| world.zones[offer.zone].name == name);
        let drawn: Vec<(Id<Offer>, &Offer)> =
            here.filter(|(_, offer)| !offer.capacity.drawn.is_empty()).collect();
        let shares = drawn.iter().flat_map(|(_, offer)| &offer.capacity.drawn);
        let mut shares = shares.map(|drawn| drawn.law.shares()[0]);
        let Some(absent) = shares.next() else {
            let message = format!("no capacity in the zone `{}` has a `model`", clip(name));
            report.at(&pair.spot("zones"), message);
            return None;
        };
        if shares.any(|other| libm::fabs(other - absent) > 1e-9) {
            let message = format!(
                "models in the zone `{}` are without any instance for different shares of time",
                clip(name)
            );
            report.hint(&pair.spot("zones"), message, "give offers of one zone one model");
            return None;
        }
        let offers = drawn.iter().map(|&(offer, _)| offer).collect();
        Some(Self { name: name.to_owned(), absent, offers })
    }
}
