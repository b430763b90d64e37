//! Carbon intensity of a grid over time as a CSV, a row per change: a column of times and one of grams
//! of CO2-equivalent per kWh, among others that are not read.
//!
//! The columns go by the names that public files use, in any case: see [`TIMES`] and [`GRAMS`]. Times
//! are instants in all rows, in UTC where they name no zone, or seconds since the begin in all. A
//! value holds until the next one.

use std::path::Path;

use super::table::WeatherTable;
use crate::input;
use crate::problem::{Problem, clip};

/// Names of the column of times.
const TIMES: [&str; 3] = ["time", "timestamp", "datetime"];
/// Names of the column of intensities, the first that is there: ours, those of public data sets, and
/// that of Electricity Maps.
const GRAMS: [&str; 3] = ["g_per_kwh", "carbon_intensity", "carbon_intensity_avg"];
/// Largest intensity in grams per kWh: some ten times that of lignite.
const MOST: f64 = 10_000.0;

/// Carbon intensity of one grid over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarbonHistory {
    /// Whether times are microseconds since 1970; else they are microseconds since the begin.
    pub is_dated: bool,
    /// Time in microseconds and micrograms of CO2-equivalent per kWh, in order; at least one.
    pub rows: Vec<(i64, i64)>,
}

/// The intensities in the CSV file at `path`, compressed or not, which is called `shown` in messages.
///
/// # Errors
/// The file cannot be read, or a row is no intensity.
pub fn read_carbon(path: &Path, shown: &str) -> Result<CarbonHistory, Problem> {
    parse(input::unfold(path, shown)?, shown)
}

fn parse(text: impl std::io::Read, shown: &str) -> Result<CarbonHistory, Problem> {
    let mut rows = WeatherTable::open(text, shown)?;
    let (Some(time), Some(grams)) = (rows.column(&TIMES), rows.column(&GRAMS)) else {
        let message = "a column of times and one of grams per kWh are not there";
        let hint = format!("{} and {}", TIMES.join(" or "), GRAMS.join(" or "));
        return Err(Problem::at(shown, 1, 1, message).hint(hint));
    };
    let mut history: Vec<(i64, i64)> = Vec::new();
    while rows.next()? {
        let micros = rows.time(time, "time")?;
        let cell = rows.cell(grams);
        let intensity = cell.trim().parse().ok().filter(|one| (0.0..=MOST).contains(one));
        let intensity: f64 = intensity.ok_or_else(|| {
            rows.wrong(0, format!("`{}` is no intensity of 0 to {MOST} g/kWh", clip(cell)))
        })?;
        if history.last().is_some_and(|&(last, _)| last >= micros) {
            let found = clip(rows.cell(time));
            return Err(rows.wrong(0, format!("time: `{found}` is not after the row before")));
        }
        history.push((micros, libm::round(intensity * 1e6) as i64));
    }
    if history.is_empty() {
        return Err(Problem::with(shown, "has no intensities"));
    }
    Ok(CarbonHistory { is_dated: rows.is_dated(), rows: history })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CarbonHistory, Problem> {
        parse(text.as_bytes(), "x.csv")
    }

    /// The heads of a file of dos-group/lets-wait-awhile, of OpenDC's and of one of Electricity Maps.
    #[test]
    fn public_files_are_read() {
        let begin = 1_576_800_000_000_000;
        for text in [
            "Time,Carbon Intensity\n2019-12-20 00:00:00,120.5\n2019-12-20 00:30:00,135.25\n",
            "timestamp,carbon_intensity\n2019-12-20T00:00:00Z,120.5\n2019-12-20T00:30:00Z,135.25\n",
            "datetime,zone_name,carbon_intensity_avg,carbon_rate_avg\n\
             2019-12-20T00:00:00+00:00,GB,120.5,1\n2019-12-20T01:30:00+01:00,GB,135.25,2\n",
        ] {
            let history = read(text).expect(text);
            let want = [(begin, 120_500_000), (begin + 1_800_000_000, 135_250_000)];
            assert_eq!((history.is_dated, &history.rows[..]), (true, &want[..]), "{text}");
        }
        let history = read("time,g_per_kwh\n0,1\n600.5,0\n").expect("intensities");
        assert_eq!(
            (history.is_dated, history.rows),
            (false, vec![(0, 1_000_000), (600_500_000, 0)])
        );
    }

    #[test]
    fn what_is_no_intensity_is_told_with_its_line() {
        let told = |text: &str| read(text).expect_err("it is wrong").to_string();
        assert!(told("when,g_per_kwh\n").contains("are not there"));
        assert!(told("time,zone\n").contains("are not there"));
        assert!(told("time,g_per_kwh\n").contains("has no intensities"));
        assert!(told("time,g_per_kwh\nnoon,1\n").starts_with("x.csv:2: time: `noon`"));
        for wrong in ["-1", "", "20000", "NaN", "much"] {
            let text = format!("time,g_per_kwh\n0,5\n1,{wrong}\n");
            assert!(told(&text).starts_with("x.csv:3"), "{wrong}: {}", told(&text));
        }
        assert!(told("time,g_per_kwh\n5,1\n5,2\n").contains("`5` is not after"));
        assert!(told("time,g_per_kwh\n5,1\n2025-10-04 00:10:00,2\n").contains("in one file"));
    }
}
