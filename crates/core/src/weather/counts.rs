//! Counts of instances that started, as a CSV: `start_utc,probe_seconds,ZONE,...`, a row per probe.
//!
//! `start_utc` is an instant such as `2025-10-04T00:10:00Z`; a cell of a zone is the number of
//! instances that really started, so 0 is unavailable. `probe_seconds`, the length of a probe, is
//! not read. A probe speaks for the time until the next one, but for no longer than the shortest
//! time between two: where probes are missing, nobody looked.

use std::path::Path;

use crate::input;
use crate::problem::{Problem, clip};
use crate::units::{Span, Time};

use super::table::WeatherTable;
use super::{Weather, ZoneWeather, changes};

/// Columns before those of the zones.
const LEADING: [&str; 2] = ["start_utc", "probe_seconds"];

/// The counts in the CSV file at `path`, compressed or not, which is called `shown` in messages.
///
/// # Errors
/// The file cannot be read, or a row is no probe.
pub fn read_counts(path: &Path, shown: &str) -> Result<Weather, Problem> {
    parse(input::unfold(path, shown)?, shown)
}

fn parse(text: impl std::io::Read, shown: &str) -> Result<Weather, Problem> {
    let mut rows = WeatherTable::open(text, shown)?;
    let header = rows.header();
    if header.len() <= LEADING.len() || !header.iter().zip(LEADING).all(|(name, want)| name == want)
    {
        let message = "the columns are not `start_utc,probe_seconds` and at least one zone";
        return Err(Problem::at(shown, 1, 1, message));
    }
    let zones = header.iter().skip(LEADING.len());
    let mut zones: Vec<(String, Vec<u32>)> =
        zones.map(|name| (name.to_owned(), Vec::new())).collect();
    let mut starts: Vec<i64> = Vec::new();
    while rows.next()? {
        let start = clip(rows.cell(0));
        let instant: jiff::Timestamp = rows.cell(0).parse().map_err(|_| {
            let message = format!("start_utc: `{start}` is not an instant");
            rows.wrong(1, message).hint("such as 2025-10-04T00:10:00Z")
        })?;
        let instant = instant.as_microsecond();
        if starts.last().is_some_and(|&last| last >= instant) {
            let message = format!("start_utc: `{start}` is not after the row before");
            return Err(rows.wrong(1, message));
        }
        starts.push(instant);
        for ((name, counts), cell) in zones.iter_mut().zip(rows.cells().iter().skip(LEADING.len()))
        {
            let count = cell.parse().map_err(|_| {
                rows.wrong(0, format!("{}: `{}` is not a count", clip(name), clip(cell)))
            })?;
            counts.push(count);
        }
    }
    let (Some(&begins), Some(interval)) = (starts.first(), interval(&starts)) else {
        return Err(Problem::with(shown, "has fewer than two probes"));
    };
    let times: Vec<Time> = starts.iter().map(|start| Time::from_micros(start - begins)).collect();
    let zones = zones.into_iter().map(|(name, counts)| {
        let seen = times.iter().copied().zip(counts);
        ZoneWeather { name, counts: changes(seen), prices: None }
    });
    Ok(Weather { begins: Some(begins), watched: watched(&times, interval), zones: zones.collect() })
}

/// The shortest time between two of `starts`, if there are two.
fn interval(starts: &[i64]) -> Option<Span> {
    starts.windows(2).map(|pair| pair[1] - pair[0]).min().map(Span::from_micros)
}

/// Periods that looks at `times` speak for, each for `interval` at most.
fn watched(times: &[Time], interval: Span) -> Vec<(Time, Time)> {
    let mut watched: Vec<(Time, Time)> = Vec::new();
    for &time in times {
        match watched.last_mut() {
            Some((_, to)) if *to == time => *to = time + interval,
            Some((_, to)) if *to > time => unreachable!("the interval is the shortest"),
            Some(_) | None => watched.push((time, time + interval)),
        }
    }
    watched
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Weather, Problem> {
        parse(text.as_bytes(), "x.csv")
    }

    #[test]
    fn a_missing_probe_leaves_a_gap() {
        let text = "start_utc,probe_seconds,a,b\n\
                    2025-10-04T00:10:00Z,85.5,16,0\n\
                    2025-10-04T00:20:00Z,79,16,3\n\
                    2025-10-04T00:50:00Z,81,7,3\n";
        let weather = read(text).expect("a table");
        let at = |minutes: i64| Time::from_secs(minutes * 60);
        assert_eq!(weather.begins, Some(1_759_536_600_000_000));
        assert_eq!(weather.watched, [(at(0), at(20)), (at(40), at(50))]);
        assert_eq!(weather.zones[0].counts, [(at(0), 16), (at(40), 7)]);
        assert_eq!(weather.zones[1].counts, [(at(0), 0), (at(10), 3)]);
        assert_eq!(weather.share(&weather.zones[0], 8), 2.0 / 3.0);
    }

    #[test]
    fn what_is_no_probe_is_told_with_its_line() {
        let told = |text: &str| read(text).expect_err("it is wrong").to_string();
        let head = "start_utc,probe_seconds,a\n2025-10-04T00:10:00Z,1,1\n";
        assert_eq!(
            told("time,a\n"),
            "x.csv:1:1: the columns are not `start_utc,probe_seconds` and at least one zone"
        );
        assert!(told(head).contains("fewer than two"));
        assert!(told(&format!("{head}2025-10-04,1,1\n")).starts_with("x.csv:3:1: start_utc: "));
        assert!(told(&format!("{head}2025-10-04T00:10:00Z,1,1\n")).contains("not after"));
        let row = "2025-10-04T00:20:00Z,1";
        assert_eq!(told(&format!("{head}{row},-1\n")), "x.csv:3: a: `-1` is not a count");
        assert!(told(&format!("{head}{row}\n")).starts_with("x.csv:3: is no table"));
    }
}
