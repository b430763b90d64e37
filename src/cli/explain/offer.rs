//! The offers that were weighed for a job, zones of one type together.

use serde::Serialize;

use super::clock::Clock;
use super::row::Row;
use crate::cli::exit::Stop;
use crate::report::clean;
use crate::units::{Money, Time};

/// Kinds that are shown; many are cut short.
const SHOWN: usize = 12;

/// An offer in all its zones, of which the same was said.
#[derive(Debug, Serialize)]
pub(super) struct Kind {
    /// The offer without its zone.
    offer: String,
    rented: bool,
    why: String,
    zones: Vec<String>,
    /// Lowest and highest expected cost.
    #[serde(skip)]
    cost: Option<(i128, i128)>,
    least_usd: Option<f64>,
    most_usd: Option<f64>,
    #[serde(skip)]
    first: Time,
    first_s: f64,
}

/// What was said of offers, by kind: those rented, then the cheapest first.
///
/// # Errors
/// A cell cannot be read.
pub(super) fn kinds(notes: &[Row]) -> Result<Vec<Kind>, Stop> {
    let mut kinds: Vec<Kind> = Vec::new();
    for note in notes.iter().filter(|note| note.cell("note").starts_with("offer ")) {
        let rented = note.cell("note") == "offer rented";
        let (offer, zone) = split(note.cell("offer"));
        let (why, first) = (note.cell("why"), note.time("time_s")?);
        let same = |kind: &Kind| kind.offer == offer && kind.rented == rented && kind.why == why;
        let at = kinds.iter().position(same).unwrap_or_else(|| {
            let why = why.to_owned();
            let zones = Vec::new();
            let (cost, least_usd, most_usd, first_s) = (None, None, None, first.secs_f64());
            kinds.push(Kind {
                offer,
                rented,
                why,
                zones,
                cost,
                least_usd,
                most_usd,
                first,
                first_s,
            });
            kinds.len() - 1
        });
        let kind = &mut kinds[at];
        if let Some(zone) = zone.filter(|zone| !kind.zones.contains(zone)) {
            kind.zones.push(zone);
        }
        if let Some(cost) = note.maybe_nanos("cost_usd")? {
            let (low, high) = kind.cost.unwrap_or((cost, cost));
            let (low, high) = (low.min(cost), high.max(cost));
            kind.cost = Some((low, high));
            (kind.least_usd, kind.most_usd) = (Some(low as f64 / 1e9), Some(high as f64 / 1e9));
        }
    }
    kinds.sort_by_key(|kind| (!kind.rented, kind.cost.map_or(i128::MAX, |(low, _)| low)));
    Ok(kinds)
}

/// An offer without its zone, and the zone: `provider/zone/type/market` of clouds.
fn split(offer: &str) -> (String, Option<String>) {
    match offer.split('/').collect::<Vec<_>>()[..] {
        [provider, zone, kind, market] => {
            (format!("{provider}/{kind}/{market}"), Some(zone.to_owned()))
        }
        _ => (offer.to_owned(), None),
    }
}

/// The offers as lines.
pub(super) fn tell(job: &Row, kinds: &[Kind], clock: Clock) -> String {
    if kinds.is_empty() {
        let ran = match job.cell("first_start_s") {
            "" => "It never ran",
            _ => "It ran on what was there",
        };
        return format!("\n{ran}; no offer was weighed.\n");
    }
    let mut text = "\noffers weighed\n".to_owned();
    for kind in kinds.iter().take(SHOWN) {
        text += &format!("  {}\n", line(kind, clock));
    }
    if kinds.len() > SHOWN {
        text += &format!("  and {} more in explain.csv\n", kinds.len() - SHOWN);
    }
    text
}

fn line(kind: &Kind, clock: Clock) -> String {
    let zones = match &kind.zones[..] {
        [] => String::new(),
        [zone] => format!(" in {}", clean(zone)),
        [zone, ..] => format!(" in {} zones ({}, ...)", kind.zones.len(), clean(zone)),
    };
    let cost = kind.cost.map_or_else(String::new, |(low, high)| {
        let (low, high) = (Money::from_nanos(low).to_string(), Money::from_nanos(high).to_string());
        match low == high {
            true => format!(", expected cost {low}"),
            false => format!(", expected cost {low} to {high}"),
        }
    });
    let what = match kind.rented {
        true => format!(", rented {}", clock.point(kind.first)),
        false => format!(", not taken: {}", clean(&kind.why)),
    };
    format!("{}{zones}{cost}{what}", clean(&kind.offer))
}
