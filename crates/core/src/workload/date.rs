//! Dates as they stand in files.

use jiff::tz::TimeZone;

use crate::problem::{Problem, Problems, clip};

use super::number::{BadValue, Rounding, scaled};

/// The time zone of dates that name none.
#[derive(Clone, Debug)]
pub(super) struct DefaultTimeZone(TimeZone);

/// Whether the IANA database has a time zone of this name.
pub fn zone_exists(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

impl DefaultTimeZone {
    /// The zone called `name` in the IANA database, UTC where none is named.
    pub(super) fn named(name: Option<&str>, shown: &str) -> Result<Self, Problems> {
        let Some(name) = name else { return Ok(Self(TimeZone::UTC)) };
        TimeZone::get(name).map(Self).map_err(|_| {
            let message = format!("there is no time zone called `{}`", clip(name));
            let problem = Problem::with(shown, message);
            problem.hint("such as `Europe/Berlin` or `America/New_York`").into()
        })
    }

    /// Microseconds since 1970 of a date and time, or of a number of seconds
    /// since then. Of an hour that a change of clocks repeats, the first is taken.
    pub(super) fn instant(&self, cell: &[u8]) -> Result<i64, BadValue> {
        const REFUSED: BadValue = "is not a date and time such as 2026-03-01T12:00:00Z";
        let text = std::str::from_utf8(cell).map_err(|_| REFUSED)?;
        if text.len() > 64 {
            return Err(REFUSED);
        }
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(instant.as_microsecond());
        }
        if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return scaled(cell, 1_000_000, 1.0, Rounding::Nearest);
        }
        let civil: jiff::civil::DateTime = text.parse().map_err(|_| REFUSED)?;
        let instant = self.0.to_timestamp(civil).map_err(|_| REFUSED)?;
        Ok(instant.as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_zones() {
        let berlin = DefaultTimeZone::named(Some("Europe/Berlin"), "x").expect("a zone");
        let utc = DefaultTimeZone::named(None, "x").expect("a zone");
        // One hour ahead in winter, two in summer.
        for (date, hours) in [("2026-01-05T12:00:00", 1), ("2026-07-05T12:00:00", 2)] {
            let both = [&berlin, &utc].map(|zone| zone.instant(date.as_bytes()).expect("a date"));
            assert_eq!(both[1] - both[0], hours * 3_600_000_000, "{date}");
        }
        assert_eq!(berlin.instant(b"2026-01-05T12:00:00Z"), utc.instant(b"2026-01-05 12:00:00"));
        assert_eq!(utc.instant(b"1577836800"), Ok(1_577_836_800_000_000));
        assert!(
            DefaultTimeZone::named(Some("Mars/Base"), "x").is_err() && !zone_exists("Mars/Base")
        );
    }
}
