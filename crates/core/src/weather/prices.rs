//! Prices over time as a CSV, a row per change: `time,usd_per_hour`, and where it says so `zone` and
//! `type`, in any order. Columns that are not known are an error.
//!
//! `time` is an instant such as `2025-10-04T00:10:00Z` in all rows, or seconds since the begin in all.
//! WeatherTable of one zone and type are in order of time; a price holds until the next one.

use std::collections::BTreeMap;
use std::path::Path;

use super::table::WeatherTable;
use crate::input;
use crate::problem::{Problem, clip};
use crate::units::Rate;

/// Columns of a file of prices.
const COLUMNS: [&str; 4] = ["time", "usd_per_hour", "zone", "type"];

/// Prices over time of some zones and types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceHistory {
    /// Whether times are microseconds since 1970; else they are microseconds since the begin.
    pub is_dated: bool,
    /// Prices by zone and type, each empty where the file does not have that column: time in
    /// microseconds and price, in order.
    pub series: BTreeMap<(String, String), Vec<(i64, Rate)>>,
}

impl PriceHistory {
    /// Prices of a type in a zone; those that name neither are of all.
    pub fn of(&self, zone: &str, instance_type: &str) -> Option<&[(i64, Rate)]> {
        let keys = [(zone, instance_type), (zone, ""), ("", instance_type), ("", "")];
        let find =
            |(zone, kind): (&str, &str)| self.series.get(&(zone.to_owned(), kind.to_owned()));
        keys.into_iter().find_map(find).map(Vec::as_slice)
    }
}

/// The prices in the CSV file at `path`, compressed or not, which is called `shown` in messages.
///
/// # Errors
/// The file cannot be read, or a row is no price.
pub fn read_prices(path: &Path, shown: &str) -> Result<PriceHistory, Problem> {
    parse(input::unfold(path, shown)?, shown)
}

fn parse(text: impl std::io::Read, shown: &str) -> Result<PriceHistory, Problem> {
    let mut rows = WeatherTable::open(text, shown)?;
    if let Some(other) = rows.header().iter().find(|title| !COLUMNS.contains(title)) {
        let message = format!("there is no column `{}` in a file of prices", clip(other));
        return Err(Problem::at(shown, 1, 0, message).hint(COLUMNS.join(", ")));
    }
    let [time, price, zone, kind] = COLUMNS.map(|name| rows.column(&[name]));
    let (Some(time), Some(price)) = (time, price) else {
        let message = "the columns `time` and `usd_per_hour` are not there";
        return Err(Problem::at(shown, 1, 1, message));
    };
    let mut series: BTreeMap<(String, String), Vec<(i64, Rate)>> = BTreeMap::new();
    while rows.next()? {
        let micros = rows.time(time, "time")?;
        let rate = Rate::parse(rows.cell(price)).ok_or_else(|| {
            rows.wrong(0, format!("usd_per_hour: `{}` is no price", clip(rows.cell(price))))
        })?;
        let cell = |column: Option<usize>| column.map_or("", |column| rows.cell(column)).to_owned();
        let prices = series.entry((cell(zone), cell(kind))).or_default();
        if prices.last().is_some_and(|&(last, _)| last >= micros) {
            let found = clip(rows.cell(time));
            let message = format!("time: `{found}` is not after the row before of its kind");
            return Err(rows.wrong(0, message));
        }
        prices.push((micros, rate));
    }
    if series.is_empty() {
        return Err(Problem::with(shown, "has no prices"));
    }
    Ok(PriceHistory { is_dated: rows.is_dated(), series })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PriceHistory, Problem> {
        parse(text.as_bytes(), "x.csv")
    }

    fn rate(text: &str) -> Rate {
        Rate::parse(text).expect("a price")
    }

    #[test]
    fn prices_are_found_by_zone_and_type() {
        let text = "time,zone,usd_per_hour\n\
                    2025-10-04T00:10:00Z,a,1.5\n2025-10-04T00:10:00Z,b,2\n2025-10-05T00:00:00Z,a,1.25\n";
        let history = read(text).expect("prices");
        let begin = 1_759_536_600_000_000;
        assert!(history.is_dated);
        let rest = 85_800_000_000;
        let want = [(begin, rate("1.5")), (begin + rest, rate("1.25"))];
        assert_eq!(history.of("a", "m"), Some(&want[..]));
        assert_eq!((history.of("b", "m").map(<[_]>::len), history.of("c", "m")), (Some(1), None));
        let history = read("time,usd_per_hour\n0,1\n600.5,2\n").expect("prices");
        assert!(!history.is_dated);
        let want = [(0, rate("1")), (600_500_000, rate("2"))];
        assert_eq!(history.of("anywhere", "m"), Some(&want[..]));
    }

    #[test]
    fn what_is_no_price_is_told_with_its_line() {
        let told = |text: &str| read(text).expect_err("it is wrong").to_string();
        assert!(told("when,usd_per_hour\n").contains("no column `when`"));
        assert!(told("time,zone\n").contains("are not there"));
        assert!(told("time,usd_per_hour\n").contains("has no prices"));
        assert!(told("time,usd_per_hour\nnoon,1\n").starts_with("x.csv:2: time: `noon`"));
        assert!(told("time,usd_per_hour\n0,-1\n").contains("usd_per_hour: `-1` is no price"));
        assert!(
            told("time,usd_per_hour\n5,1\n5,2\n").starts_with("x.csv:3: time: `5` is not after")
        );
        assert!(told("time,usd_per_hour\n5,1\n2025-10-04T00:10:00Z,2\n").contains("in one file"));
    }
}
