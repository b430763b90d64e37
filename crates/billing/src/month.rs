//! Billing months: calendar months in UTC.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::units::{Span, Time};

/// A calendar month in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// Its beginning, since 1970.
    pub from: Time,
    /// Its end.
    pub until: Time,
}

impl Month {
    /// The month that holds `at`, which lies in the years -9999 to 9999; outside of them the
    /// instant itself, as a month of no length.
    pub fn of(at: Time) -> Self {
        Self::checked(at).unwrap_or(Self { from: at, until: at })
    }

    fn checked(at: Time) -> Option<Self> {
        let zoned = Timestamp::from_microsecond(at.micros()).ok()?.to_zoned(TimeZone::UTC);
        let first = zoned.first_of_month().ok()?.start_of_day().ok()?;
        let next = first.checked_add(1.month()).ok()?;
        let time = |zoned: &jiff::Zoned| Time::from_micros(zoned.timestamp().as_microsecond());
        Some(Self { from: time(&first), until: time(&next) })
    }

    /// Its length.
    pub fn length(self) -> Span {
        self.until - self.from
    }

    /// Whether it holds `at`.
    pub fn holds(self, at: Time) -> bool {
        (self.from..self.until).contains(&at)
    }
}

/// An instant that a rule says, such as `2026-03-01T00:00:00Z`.
pub(crate) fn instant(text: &str) -> Option<Time> {
    let timestamp: Timestamp = text.parse().ok()?;
    Some(Time::from_micros(timestamp.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        // 2024-02-29T23:59:59Z, and a second later.
        let last = Time::from_secs(1_709_251_199);
        let february = Month::of(last);
        assert_eq!(february.length(), Span::from_secs(29 * 86_400));
        assert_eq!(february.until, Time::from_secs(1_709_251_200));
        assert!(february.holds(last) && !february.holds(february.until));
        assert_eq!(Month::of(february.until).from, february.until);
    }
}
