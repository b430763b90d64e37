//! Prices over time: the list price, the negotiated discount, and the changes
//! that a scenario makes.

use crate::model::{Market, PricePath};
use crate::scenario::catalog::{Catalog, CatalogRegion, CatalogType};
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{Report, Section};
use crate::units::{Calendar, Rate, Time};

/// Before any run.
const BEGINNING: Time = Time::from_micros(i64::MIN / 2);

/// The price of an offer, from its list price on.
pub(super) fn path(
    section: &Section,
    known: &CatalogType,
    region: &CatalogRegion,
    market: Market,
    listed: Rate,
    calendar: Calendar,
) -> PricePath {
    let discount = match market {
        Market::OnDemand => section.integer("discount").unwrap_or(0),
        _ => 0,
    };
    let base = listed.scaled(1_000_000 - discount);
    let holds = |change: &&Section| {
        change.text("region").is_none_or(|wanted| wanted == region.name)
            && change.text("family").is_none_or(|wanted| wanted == known.family)
            && change.text("type").is_none_or(|wanted| wanted == known.name)
            && change.text("market").is_none_or(|wanted| wanted == market.name())
    };
    let changes: Vec<&Section> = section.list("price").iter().filter(holds).collect();
    let mut points: Vec<Time> = changes
        .iter()
        .flat_map(|change| [change.moment("from", calendar), change.moment("until", calendar)])
        .flatten()
        .collect();
    points.sort_unstable();
    points.dedup();
    let mut path = PricePath::constant(at(base, &changes, BEGINNING, calendar));
    for point in points {
        let rate = at(base, &changes, point, calendar);
        if rate != path.at(point) {
            path.changes.push((point, rate));
        }
    }
    path
}

/// The price at one time: each change that holds then, in file order.
fn at(base: Rate, changes: &[&Section], time: Time, calendar: Calendar) -> Rate {
    changes.iter().fold(base, |rate, change| {
        let from = change.moment("from", calendar).unwrap_or(BEGINNING);
        let until = change.moment("until", calendar).unwrap_or(Time::MAX);
        if time < from || until <= time {
            return rate;
        }
        match (change.integer("usd_per_hour"), change.integer("discount")) {
            (Some(nanos), _) => Rate::from_picos(nanos.saturating_mul(1_000)),
            (None, Some(discount)) => rate.scaled(1_000_000 - discount),
            (None, None) => rate,
        }
    })
}

/// Reports changes of price that change nothing.
pub(super) fn check(
    section: &Section,
    catalog: &Catalog,
    calendar: Calendar,
    report: &mut Report<'_>,
) {
    let regions: Vec<&str> = catalog.regions.iter().map(|region| region.name.as_str()).collect();
    let types: Vec<&str> = catalog.types.iter().map(|known| known.name.as_str()).collect();
    let families: Vec<&str> = catalog.types.iter().map(|known| known.family.as_str()).collect();
    for change in section.list("price") {
        let given = change.has("discount") as u8 + change.has("usd_per_hour") as u8;
        if given != 1 {
            let message = "a change of price has either `discount` or `usd_per_hour`";
            report.at(&change.range, message);
        }
        let (from, until) = (change.moment("from", calendar), change.moment("until", calendar));
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            report.at(&change.spot("until"), "`until` must be after `from`");
        }
        for (key, known) in [("region", &regions), ("type", &types), ("family", &families)] {
            if let Some(name) = change.text(key).filter(|name| !known.contains(name)) {
                let message = format!("{} has no {key} called `{name}`", catalog.title);
                report.hint(&change.spot(key), message, unknown_name(name, known));
            }
        }
    }
}
