//! The offers that were weighed for a job, zones of one type together.

use std::collections::BTreeMap;

use serde::Serialize;

use super::clock::RunClock;
use super::row::CsvRow;
use crate::cli::exit::Stop;
use windtunnel::report::clean;
use windtunnel::units::{Money, Time};

/// Kinds that are shown; many are cut short.
const SHOWN: usize = 12;

/// An offer in all zones where the same was said of it.
#[derive(Debug, Serialize)]
pub(super) struct OfferLine {
    /// The offer without its zone.
    offer: String,
    rented: bool,
    why: String,
    zones: Vec<String>,
    /// Instances to rent that the costs are for; `None` where none was worked out.
    instances: Option<u64>,
    /// Instances that were there already and hold the job's other tasks.
    there: Option<u64>,
    /// Lowest and highest expected cost.
    #[serde(skip)]
    cost: Option<(i128, i128)>,
    least_usd: Option<f64>,
    most_usd: Option<f64>,
    #[serde(skip)]
    first: Time,
    first_s: f64,
}

/// Offers that the work or the policy rules out, counted by reason, the most first.
pub(super) fn ruled_out(notes: &[CsvRow]) -> Vec<(String, usize)> {
    let mut offers: BTreeMap<&str, &str> = BTreeMap::new();
    for note in notes.iter().filter(|note| note.cell("note") == "offer ruled out") {
        let why = note.cell("why");
        // Sizes differ from offer to offer.
        offers.insert(note.cell("offer"), why.split_once(':').map_or(why, |(why, _)| why));
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for why in offers.values() {
        *counts.entry(why).or_insert(0) += 1;
    }
    let mut all: Vec<(String, usize)> =
        counts.into_iter().map(|(why, count)| (clean(why), count)).collect();
    all.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    all
}

/// Notes on offers that could have been taken, by kind: those rented, then the cheapest first.
///
/// # Errors
/// A cell cannot be read.
pub(super) fn kinds(notes: &[CsvRow]) -> Result<Vec<OfferLine>, Stop> {
    let mut kinds: Vec<OfferLine> = Vec::new();
    let candidate =
        |note: &&CsvRow| matches!(note.cell("note"), "offer rented" | "offer not taken");
    for note in notes.iter().filter(candidate) {
        let rented = note.cell("note") == "offer rented";
        let (offer, zone) = split(note.cell("offer"));
        let (why, first) = (note.cell("why"), note.time("time_s")?);
        let count = |column: &str| match note.cell(column) {
            "" => Ok(None),
            _ => note.whole(column).map(Some),
        };
        let (instances, there) = (count("instances")?, count("there")?);
        let same = |kind: &OfferLine| {
            (&kind.offer, kind.rented, kind.instances, kind.there)
                == (&offer, rented, instances, there)
                && kind.why == why
        };
        let at = kinds.iter().position(same).unwrap_or_else(|| {
            let why = why.to_owned();
            let zones = Vec::new();
            let (cost, least_usd, most_usd, first_s) = (None, None, None, first.secs_f64());
            kinds.push(OfferLine {
                offer,
                rented,
                why,
                zones,
                instances,
                there,
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

/// Kinds that are shown, in their order: those rented, the best of each other provider, and the
/// cheapest of the rest.
fn shown(kinds: &[OfferLine]) -> Vec<&OfferLine> {
    let provider = |kind: &OfferLine| kind.offer.split('/').next().map(str::to_owned);
    let mut providers = Vec::new();
    let (mut best, mut rest) = (Vec::new(), Vec::new());
    for (at, kind) in kinds.iter().enumerate() {
        let is_new = !providers.contains(&provider(kind));
        if is_new {
            providers.push(provider(kind));
        }
        if kind.rented || is_new { best.push(at) } else { rest.push(at) }
    }
    let mut shown: Vec<usize> = best.into_iter().chain(rest).take(SHOWN).collect();
    shown.sort_unstable();
    shown.into_iter().map(|at| &kinds[at]).collect()
}

/// The offers as lines.
pub(super) fn lines(
    job: &CsvRow,
    (kinds, ruled_out): (&[OfferLine], &[(String, usize)]),
    clock: RunClock,
) -> String {
    if kinds.is_empty() && ruled_out.is_empty() {
        let ran = match job.cell("first_start_s") {
            "" => "It never ran",
            _ => "It ran on what was there",
        };
        return format!("\n{ran}; no offer was weighed.\n");
    }
    let mut text = "\noffers weighed\n".to_owned();
    for kind in shown(kinds) {
        text += &format!("  {}\n", line(kind, clock));
    }
    if kinds.len() > SHOWN {
        text += &format!("  and {} more in explain.csv\n", kinds.len() - SHOWN);
    }
    if kinds.is_empty() {
        text += "  none could be rented for it\n";
    }
    if !ruled_out.is_empty() {
        let all: usize = ruled_out.iter().map(|(_, count)| count).sum();
        let told = ruled_out.iter().map(|(why, count)| match ruled_out.len() {
            1 => why.clone(),
            _ => format!("{why} ({count})"),
        });
        let told = told.collect::<Vec<_>>().join(", ");
        let offers = if all == 1 { "1 offer is no candidate" } else { "offers are no candidates" };
        let count = if all == 1 { String::new() } else { format!("{all} other ") };
        text += &format!("  {count}{offers}: {told}\n");
    }
    text
}

fn line(kind: &OfferLine, clock: RunClock) -> String {
    let zones = match &kind.zones[..] {
        [] => String::new(),
        [zone] => format!(" in {}", clean(zone)),
        [zone, ..] => format!(" in {} zones ({}, ...)", kind.zones.len(), clean(zone)),
    };
    let cost = kind.cost.map_or_else(String::new, |(low, high)| {
        let (low, high) = (Money::from_nanos(low).to_string(), Money::from_nanos(high).to_string());
        let to = if low == high { String::new() } else { format!(" to {high}") };
        format!(", expected cost {low}{to}{}", for_instances(kind))
    });
    let what = match kind.rented {
        true => format!(", rented {}", clock.point(kind.first)),
        false => format!(", not taken: {}", clean(&kind.why)),
    };
    format!("{}{zones}{cost}{what}", clean(&kind.offer))
}

/// Instances that a cost is for, beside those that were there.
fn for_instances(kind: &OfferLine) -> String {
    let instances = |count| if count == 1 { "instance" } else { "instances" };
    match (kind.instances, kind.there) {
        (None, _) => String::new(),
        (Some(rented), None | Some(0)) => format!(" for {rented} {}", instances(rented)),
        (Some(rented), Some(there)) => {
            let all = rented + there;
            let were = if there == 1 { "was" } else { "were" };
            format!(" for {rented} of {all} instances ({there} {were} there)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(offer: &str, rented: bool) -> OfferLine {
        OfferLine {
            offer: offer.to_owned(),
            rented,
            why: String::new(),
            zones: Vec::new(),
            instances: None,
            there: None,
            cost: None,
            least_usd: None,
            most_usd: None,
            first: Time::ZERO,
            first_s: 0.0,
        }
    }

    #[test]
    fn no_provider_is_hidden_behind_many_offers_of_another() {
        let mut kinds = vec![kind("aws/rented/spot", true)];
        kinds.extend((0..20).map(|at| kind(&format!("aws/{at}/spot"), false)));
        kinds.extend(["gcp/best/spot", "gcp/next/spot", "own"].map(|offer| kind(offer, false)));
        let shown: Vec<&str> = shown(&kinds).iter().map(|kind| &*kind.offer).collect();
        assert_eq!(shown[..2], ["aws/rented/spot", "aws/0/spot"]);
        assert_eq!(shown[9..], ["aws/8/spot", "gcp/best/spot", "own"]);
        assert_eq!(shown.len(), SHOWN);
    }
}
