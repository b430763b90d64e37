//! Charts of who held which machine when: one by one, or as shares of each offer.

use super::super::figure::{clean, decimals};
use super::{Chart, ChartAxis, ChartMark, GREY, Heat, PALETTE, Plot, Tick, axis};
use crate::metrics::{MOST_HOLDS, MOST_MACHINES, Machine, OccupancyRecorder};
use crate::model::World;
use crate::units::{Span, Time};

/// Offers in the chart of shares.
const MOST_OFFERS: usize = 12;

/// A bar per hold where there are few enough machines and holds, else a strip per offer.
pub(super) fn occupancy(world: &World, seen: &OccupancyRecorder) -> Chart {
    match seen.holds() {
        Some((machines, _)) if !machines.is_empty() => by_machine(world, seen, machines),
        _ => by_offer(world, seen),
    }
}

fn by_machine(world: &World, seen: &OccupancyRecorder, machines: &[Machine]) -> Chart {
    let groups = if seen.classes_named() { "class" } else { "tenant" };
    let mut chart = Chart::new(
        "occupancy",
        "Which work held which machine",
        &format!("one row per machine, coloured by {groups}"),
        "The height of a bar is the part of the machine that the work held, of whichever resource it \
         held most; the pale ground is the time for which the machine was live.",
    );
    let (start, _) = seen.columns();
    let x = axis::calendar(world.calendar, start, seen.end());
    let row = |machine: usize| (machines.len() - 1 - machine) as f64;
    let mut marks = Vec::new();
    let mut rectangle = |from: Time, until: Time, (low, high): (f64, f64), colour, opacity| {
        let (from, until) = (from.secs_f64(), until.min(seen.end()).secs_f64());
        let upper = vec![(from, high), (until, high)];
        let lower = vec![(from, low), (until, low)];
        marks.push(ChartMark::Area { upper, lower, colour, opacity });
    };
    for (at, machine) in machines.iter().enumerate() {
        for &(from, until) in &machine.live {
            rectangle(from, until, (row(at) + 0.1, row(at) + 0.9), GREY, 0.25);
        }
    }
    let (_, holds) = seen.holds().unwrap_or_default();
    let mut used: Vec<usize> = holds.iter().map(|hold| seen.group_of(hold)).collect();
    used.sort_unstable();
    used.dedup();
    let colour = |group: usize| {
        let at = used.iter().position(|&one| one == group).unwrap_or(PALETTE.len());
        PALETTE.get(at).copied().unwrap_or(GREY)
    };
    for hold in holds {
        let at = |part: u32| row(hold.machine) + 0.1 + 0.8 * f64::from(part) / 1_000.0;
        let ends = (at(hold.part.0), at(hold.part.1));
        rectangle(hold.from, hold.until, ends, colour(seen.group_of(hold)), 0.9);
    }
    let name = |group: usize| {
        let name = seen.groups().get(group).map_or("", String::as_str);
        if name.is_empty() { "no class".to_owned() } else { clean(name) }
    };
    chart.legend = used.iter().take(PALETTE.len()).map(|&one| (name(one), colour(one))).collect();
    if used.len() > PALETTE.len() {
        chart.legend.push((format!("{} others", used.len() - PALETTE.len()), GREY));
    }
    let offers: Vec<&str> =
        machines.iter().map(|one| world.offers[one.offer].name.as_str()).collect();
    let names = short(&offers);
    let tick = |(at, machine): (usize, &Machine)| {
        let label = format!("{} {}", names[at], machine.slot);
        Tick { at: row(at) + 0.5, label, below: String::new() }
    };
    let ticks = machines.iter().enumerate().map(tick).collect();
    let y = ChartAxis { low: 0.0, high: machines.len() as f64, ticks, caption: String::new() };
    chart.plot = Plot::Plane { x, y, marks };
    chart
}

/// A name per offer in little room: the type of `aws/us-east-1a/m6i.large/on-demand`,
/// with its zone, and then its market, where another offer shares the shorter name.
fn short(offers: &[&str]) -> Vec<String> {
    let candidates = |offer: &str| -> Vec<String> {
        match offer.split('/').collect::<Vec<_>>()[..] {
            [_, zone, kind, market] => {
                vec![kind.to_owned(), format!("{kind} {zone}"), format!("{kind} {zone} {market}")]
            }
            _ => vec![offer.to_owned()],
        }
    };
    let all: Vec<Vec<String>> = offers.iter().map(|offer| candidates(offer)).collect();
    let mut counts = std::collections::BTreeMap::new();
    let mut known: Vec<&str> = offers.to_vec();
    known.sort_unstable();
    known.dedup();
    for name in known.iter().flat_map(|offer| candidates(offer)) {
        *counts.entry(name).or_insert(0) += 1;
    }
    let name = |mine: &Vec<String>| {
        let own = mine.iter().find(|name| counts.get(*name) == Some(&1)).or(mine.last());
        own.map_or(String::new(), |name| clean(name))
    };
    all.iter().map(name).collect()
}

fn by_offer(world: &World, seen: &OccupancyRecorder) -> Chart {
    let mut chart = Chart::new(
        "occupancy",
        "Held share over time",
        "share of the live cores that work held",
        "",
    );
    chart.caption = format!(
        "Single machines are drawn where there are at most {MOST_MACHINES}, and at most {} pieces of \
         work on them.",
        decimals(MOST_HOLDS as f64, 0)
    );
    let mut offers = seen.shares();
    if offers.is_empty() {
        return chart;
    }
    let live = |row: &(_, Vec<Option<f64>>)| row.1.iter().flatten().count();
    offers.sort_by_key(|row| std::cmp::Reverse(live(row)));
    if offers.len() > MOST_OFFERS {
        chart.unit +=
            &format!("; the {MOST_OFFERS} of {} offers that were live for longest", offers.len());
        offers.truncate(MOST_OFFERS);
    }
    // The first row is the lowest.
    offers.reverse();
    let (start, width) = seen.columns();
    let columns = offers[0].1.len();
    let label = |at: usize| {
        let date = world.calendar.format(start + Span::from_micros(width.micros() * at as i64));
        date.get(5..16).map_or(String::new(), |date| date.replace('T', " "))
    };
    let names: Vec<&str> =
        offers.iter().map(|(offer, _)| world.offers[*offer].name.as_str()).collect();
    chart.plot = Plot::Heat(Heat::of_shares(
        (0..columns).map(label).collect(),
        short(&names),
        offers.iter().map(|(_, shares)| shares.clone()),
    ));
    chart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_told_apart_in_as_few_words_as_it_takes() {
        let offers =
            ["dc", "a/z1/m6i/spot", "a/z2/m6i/spot", "a/z2/m6i/on-demand", "a/z1/c6i/spot", "dc"];
        let names = ["dc", "m6i z1", "m6i z2 spot", "m6i z2 on-demand", "c6i", "dc"];
        assert_eq!(short(&offers), names);
    }
}
