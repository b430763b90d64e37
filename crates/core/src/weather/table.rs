//! Tables of weather, as CSV with a head, and the times in them: what all their readers have in common.

use std::io::Read;

use crate::problem::{Problem, clip};

/// A CSV with a head, read row by row.
#[derive(Debug)]
pub(super) struct WeatherTable<'s, R> {
    reader: csv::Reader<R>,
    /// Name of the file in messages.
    shown: &'s str,
    header: csv::StringRecord,
    row: csv::StringRecord,
    times: Times,
}

/// Whether times of a file are instants, once one has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    are_instants: Option<bool>,
}

impl<'s, R: Read> WeatherTable<'s, R> {
    /// Reads the head of a table.
    pub(super) fn open(text: R, shown: &'s str) -> Result<Self, Problem> {
        let mut reader = csv::Reader::from_reader(text);
        let header = reader.headers().map_err(|error| broken(shown, &error))?.clone();
        Ok(Self { reader, shown, header, row: csv::StringRecord::new(), times: Times::default() })
    }

    /// Titles of the columns.
    pub(super) fn header(&self) -> &csv::StringRecord {
        &self.header
    }

    /// Place of the first of these columns that is there, in any case.
    pub(super) fn column(&self, names: &[&str]) -> Option<usize> {
        let title = |title: &str| title.trim().to_lowercase().replace([' ', '-'], "_");
        names.iter().find_map(|&name| self.header.iter().position(|one| title(one) == name))
    }

    /// Reads the next row; `false` after the last one.
    pub(super) fn next(&mut self) -> Result<bool, Problem> {
        self.reader.read_record(&mut self.row).map_err(|error| broken(self.shown, &error))
    }

    /// A cell of the row.
    pub(super) fn cell(&self, column: usize) -> &str {
        &self.row[column]
    }

    /// All cells of the row.
    pub(super) fn cells(&self) -> &csv::StringRecord {
        &self.row
    }

    /// A problem of the row, in column `column` where that is above zero.
    pub(super) fn wrong(&self, column: u64, message: impl Into<String>) -> Problem {
        let line = self.row.position().map_or(0, csv::Position::line);
        Problem::at(self.shown, line, column, message.into())
    }

    /// Time in a cell in microseconds, since 1970 where it is an instant, which all or none in a file
    /// are, else since the begin. `title` is the column's in messages.
    pub(super) fn time(&mut self, column: usize, title: &str) -> Result<i64, Problem> {
        let text = &self.row[column];
        let (micros, is_instant) = moment(text).ok_or_else(|| {
            let message = format!("{title}: `{}` is neither an instant nor seconds", clip(text));
            self.wrong(0, message).hint("such as 2025-10-04T00:10:00Z, or 600")
        })?;
        if *self.times.are_instants.get_or_insert(is_instant) != is_instant {
            let message = format!("{title}: instants and seconds stand in one file");
            return Err(self.wrong(0, message));
        }
        Ok(micros)
    }

    /// Whether the times that were read are instants.
    pub(super) fn is_dated(&self) -> bool {
        self.times.are_instants == Some(true)
    }
}

fn broken(shown: &str, error: &csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    Problem::at(shown, line, 0, format!("is no table: {error}"))
}

/// A time in microseconds, and whether it is an instant: one without a zone is in UTC.
fn moment(text: &str) -> Option<(i64, bool)> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some((instant.as_microsecond(), true));
    }
    if let Ok(civil) = text.parse::<jiff::civil::DateTime>() {
        let instant = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        return Some((instant.timestamp().as_microsecond(), true));
    }
    let secs: f64 = text.parse().ok()?;
    let micros = libm::round(secs * 1e6);
    (secs >= 0.0 && micros < 9e18).then_some((micros as i64, false))
}
