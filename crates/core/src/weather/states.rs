//! States of zones as JSON, one value per look and all looks equally far apart.
//!
//! One zone per file, as in `skypilot-org/spot-traces` and in the traces of "Can't Be Late":
//! `{"metadata": {"gap_seconds": 600}, "data": [1, 0, ...]}`. Or several, as in the traces of
//! SkyNomad: `{"gap_seconds": 600, "start_utc": "...", "polarity": "1 = preempted", "zones": {"a":
//! {"on_demand_usd_per_hour": 3, "spot_usd_per_hour": 1, "data": "0110"}}}`. All other keys are
//! passed over, among them price series.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::input;
use crate::problem::{Problem, clip};
use crate::units::{Rate, Span, Time};

use super::{Weather, ZonePrices, ZoneWeather, changes};

/// Meaning of a 1 in a file of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// A value is the number of instances that could be had.
    OneIsAvailable,
    /// A 0 is available, a 1 is not; there is no other value.
    OneIsPreempted,
}

/// The states in the JSON file at `path`, compressed or not, which is called `shown` in messages.
///
/// # Errors
/// The file cannot be read, is no file of states, or says the opposite of `polarity`.
pub fn read_states(path: &Path, shown: &str, polarity: Polarity) -> Result<Weather, Problem> {
    states(input::unfold(path, shown)?, shown, polarity)
}

/// The states in a JSON `text`, which is called `shown` in messages. The zone of a file that does
/// not name it is called `shown` too.
///
/// # Errors
/// It cannot be read, is no file of states, or says the opposite of `polarity`.
pub fn states(text: impl Read, shown: &str, polarity: Polarity) -> Result<Weather, Problem> {
    let mut text = std::io::BufReader::new(text);
    let file: StatesFile = serde_json::from_reader(&mut text).map_err(|error| {
        let (line, column) = (error.line() as u64, error.column() as u64);
        Problem::at(shown, line, column, format!("is no file of states: {error}"))
    })?;
    if file.polarity.as_ref().is_some_and(|stated| !agrees(stated, polarity)) {
        let stated = clip(&file.polarity.unwrap_or_default());
        let message = format!("the file says `{stated}`, and is to be read as {polarity:?}");
        return Err(Problem::with(shown, message));
    }
    let gap = file.gap_seconds.or(file.metadata.and_then(|metadata| metadata.gap_seconds));
    let gap = gap.filter(|&gap| gap > 0);
    let gap =
        gap.ok_or_else(|| Problem::with(shown, "has no `gap_seconds`, a whole number > 0"))?;
    let zones = match (file.data, file.zones) {
        (Some(data), None) => vec![(shown.to_owned(), ZoneFile { data, ..ZoneFile::default() })],
        (None, Some(zones)) if !zones.is_empty() => zones.into_iter().collect(),
        (None, _) | (Some(_), Some(_)) => {
            return Err(Problem::with(shown, "has neither one `data` nor `zones`"));
        }
    };
    let length = zones[0].1.data.0.len();
    if length == 0 || zones.iter().any(|(_, zone)| zone.data.0.len() != length) {
        return Err(Problem::with(shown, "has no states, or not as many of each zone"));
    }
    let looks = i64::try_from(length).unwrap_or(i64::MAX);
    let until = looks.checked_mul(i64::from(gap)).filter(|&secs| secs < 1 << 40);
    let until = until.ok_or_else(|| Problem::with(shown, "lasts longer than 30,000 years"))?;
    let begins = file.start_utc.as_deref().map(|start| instant(start, shown)).transpose()?;
    let read = |(name, zone): (String, ZoneFile)| zone.read(name, gap, polarity, shown);
    Ok(Weather {
        begins,
        watched: vec![(Time::ZERO, Time::from_secs(until))],
        zones: zones.into_iter().map(read).collect::<Result<_, _>>()?,
    })
}

/// Whether words such as `1 = preempted / unavailable` say the same as `polarity`.
fn agrees(stated: &str, polarity: Polarity) -> bool {
    let word = stated.trim().strip_prefix("1 =").map(str::trim_start).unwrap_or_default();
    match polarity {
        Polarity::OneIsAvailable => word.starts_with("available"),
        Polarity::OneIsPreempted => word.starts_with("preempted") || word.starts_with("unavail"),
    }
}

fn instant(text: &str, shown: &str) -> Result<i64, Problem> {
    let instant: Result<jiff::Timestamp, _> = text.parse();
    let instant = instant.map_err(|_| {
        Problem::with(shown, format!("start_utc: `{}` is not an instant", clip(text)))
    })?;
    Ok(instant.as_microsecond())
}

/// A file as it stands.
#[derive(Deserialize)]
struct StatesFile {
    gap_seconds: Option<u32>,
    metadata: Option<StatesMetadata>,
    polarity: Option<String>,
    start_utc: Option<String>,
    data: Option<StatesData>,
    zones: Option<BTreeMap<String, ZoneFile>>,
}

#[derive(Deserialize)]
struct StatesMetadata {
    gap_seconds: Option<u32>,
}

#[derive(Default, Deserialize)]
struct ZoneFile {
    on_demand_usd_per_hour: Option<f64>,
    spot_usd_per_hour: Option<f64>,
    data: StatesData,
}

/// One value per look: a list of numbers, or a string of digits.
#[derive(Default, Deserialize)]
#[serde(try_from = "StatesText")]
struct StatesData(Vec<u32>);

#[derive(Deserialize)]
#[serde(untagged)]
enum StatesText {
    Digits(String),
    Numbers(Vec<u32>),
}

impl TryFrom<StatesText> for StatesData {
    type Error = &'static str;

    fn try_from(text: StatesText) -> Result<Self, Self::Error> {
        match text {
            StatesText::Numbers(numbers) => Ok(Self(numbers)),
            StatesText::Digits(digits) => {
                let digits: Option<Vec<u32>> =
                    digits.chars().map(|digit| digit.to_digit(10)).collect();
                digits.map(Self).ok_or("a state is not a digit")
            }
        }
    }
}

impl ZoneFile {
    fn read(
        self,
        name: String,
        gap: u32,
        polarity: Polarity,
        shown: &str,
    ) -> Result<ZoneWeather, Problem> {
        let gap = Span::from_secs(i64::from(gap));
        let mut seen = Vec::with_capacity(self.data.0.len());
        let mut time = Time::ZERO;
        for state in self.data.0 {
            let count = match (polarity, state) {
                (Polarity::OneIsAvailable, count) => count,
                (Polarity::OneIsPreempted, 0 | 1) => 1 - state,
                (Polarity::OneIsPreempted, other) => {
                    let message = format!("{name}: a state is {other}, neither 0 nor 1");
                    return Err(Problem::with(shown, message)
                        .hint("a file of counts is read as OneIsAvailable"));
                }
            };
            seen.push((time, count));
            time = time + gap;
        }
        let price = |dollars: f64| price(dollars, &name, shown);
        let prices = match (self.on_demand_usd_per_hour, self.spot_usd_per_hour) {
            (Some(on_demand), Some(spot)) => {
                Some(ZonePrices { on_demand: price(on_demand)?, spot: price(spot)? })
            }
            (None, _) | (_, None) => None,
        };
        Ok(ZoneWeather { counts: changes(seen), prices, name })
    }
}

/// A price to the nearest pico-dollar per hour.
fn price(dollars: f64, zone: &str, shown: &str) -> Result<Rate, Problem> {
    if !(0.0..=9e6).contains(&dollars) {
        let message = format!("{zone}: a price of {dollars} is not from 0 to 9,000,000 dollars");
        return Err(Problem::with(shown, message));
    }
    Ok(Rate::from_picos(libm::round(dollars * 1e12) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"metadata": {"gap_seconds": 195, "kind": 1}, "data": [1, 1, 0, 4]}"#;
    const SEVERAL: &str = r#"{"gap_seconds": 600, "start_utc": "2025-10-04T00:10:00+00:00",
        "polarity": "1 = preempted / unavailable", "zones": {
        "b": {"data": "0110", "on_demand_usd_per_hour": 99.1213232, "spot_usd_per_hour": 19.5},
        "a": {"data": [1, 0, 0, 0]}}}"#;

    fn read(text: &str, polarity: Polarity) -> Result<Weather, Problem> {
        states(text.as_bytes(), "x.json", polarity)
    }

    #[test]
    fn a_file_of_one_zone_holds_counts() {
        let weather = read(ONE, Polarity::OneIsAvailable).expect("states");
        let zone = weather.zone("x.json").expect("it is called as its file");
        let at = Time::from_secs;
        assert_eq!(zone.counts, [(at(0), 1), (at(390), 0), (at(585), 4)]);
        assert_eq!((zone.prices, weather.begins), (None, None));
        assert_eq!(weather.watched, [(at(0), at(780))]);
        let found = read(ONE, Polarity::OneIsPreempted).expect_err("there is a 4");
        assert_eq!(found.message, "x.json: a state is 4, neither 0 nor 1");
    }

    #[test]
    fn a_file_of_zones_has_prices_and_says_what_a_one_is() {
        let weather = read(SEVERAL, Polarity::OneIsPreempted).expect("states");
        let names: Vec<&str> = weather.zones.iter().map(|zone| &*zone.name).collect();
        assert_eq!(names, ["a", "b"]);
        let at = Time::from_secs;
        assert_eq!(weather.zones[0].counts, [(at(0), 0), (at(600), 1)]);
        assert_eq!(weather.zones[1].counts, [(at(0), 1), (at(600), 0), (at(1_800), 1)]);
        let prices = weather.zones[1].prices.expect("it has prices");
        assert_eq!(prices.on_demand, Rate::parse("99.1213232").expect("a price"));
        assert_eq!(prices.spot, Rate::parse("19.5").expect("a price"));
        assert_eq!(weather.zones[0].prices, None);
        assert_eq!(weather.begins, Some(1_759_536_600_000_000));
        let found = read(SEVERAL, Polarity::OneIsAvailable).expect_err("the opposite");
        assert!(found.message.contains("`1 = preempted / unavailable`"), "{found}");
    }

    #[test]
    fn what_is_no_file_of_states_is_told() {
        let told = |text: &str| read(text, Polarity::OneIsPreempted).expect_err(text).to_string();
        assert!(told("{\n\"data\": 3}").starts_with("x.json:2:"));
        assert!(told(r#"{"data": [1]}"#).contains("no `gap_seconds`"));
        assert!(told(r#"{"data": "01x", "gap_seconds": 1}"#).contains("not a digit"));
        assert!(told(r#"{"gap_seconds": 1}"#).contains("neither one `data` nor `zones`"));
        assert!(told(r#"{"data": [], "gap_seconds": 1}"#).contains("no states"));
        let uneven = r#"{"gap_seconds": 1, "zones": {"a": {"data": "0"}, "b": {"data": "01"}}}"#;
        assert!(told(uneven).contains("not as many"));
        assert!(told(&SEVERAL.replace("19.5", "-19.5")).contains("a price of -19.5"));
        assert!(told(&SEVERAL.replace("2025-10", "2025-13")).contains("not an instant"));
    }
}
