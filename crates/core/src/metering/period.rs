//! Charge periods: the clock hours or days of the calendar, at whose ends charges are cut.

use crate::units::{Calendar, Span, Time};

/// Length of a charge period. Periods begin at whole hours or midnights in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargePeriod {
    /// A clock hour.
    Hour,
    /// A calendar day.
    Day,
}

impl ChargePeriod {
    /// Every length, the shortest first.
    pub const ALL: [Self; 2] = [Self::Hour, Self::Day];

    /// The word of scenarios and of the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The length of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.name() == name)
    }

    /// Length; days have no leap seconds.
    pub const fn span(self) -> Span {
        match self {
            Self::Hour => Span::from_secs(3_600),
            Self::Day => Span::from_secs(86_400),
        }
    }

    /// Number of the period that holds `at`, counted from 1970.
    pub const fn number(self, calendar: Calendar, at: Time) -> i64 {
        calendar.unix_micros(at).div_euclid(self.span().micros())
    }

    /// Start of the period of that number.
    pub const fn start(self, calendar: Calendar, number: i64) -> Time {
        calendar.time(number.saturating_mul(self.span().micros()))
    }

    /// End of the period that holds `at`: the first boundary after it.
    pub const fn end(self, calendar: Calendar, at: Time) -> Time {
        self.start(calendar, self.number(calendar, at) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_end_at_whole_hours_and_midnights() {
        // 1970-01-02T22:30:00Z: midnight is 90 minutes away, and the hour 30.
        let calendar = Calendar::from_unix_micros((86_400 + 81_000) * 1_000_000);
        let minutes = |minutes: i64| Time::from_secs(60 * minutes);
        for (period, at, end) in [
            (ChargePeriod::Hour, 0, 30),
            (ChargePeriod::Hour, 29, 30),
            (ChargePeriod::Hour, 30, 90),
            (ChargePeriod::Hour, -31, -30),
            (ChargePeriod::Day, 0, 90),
            (ChargePeriod::Day, 90, 90 + 1_440),
            (ChargePeriod::Day, -1_351, -1_350),
            (ChargePeriod::Day, -1_350, 90),
        ] {
            assert_eq!(period.end(calendar, minutes(at)), minutes(end), "{period:?} {at}");
        }
        assert_eq!(ChargePeriod::Day.number(calendar, minutes(89)), 1);
        assert_eq!(ChargePeriod::Day.number(calendar, minutes(90)), 2);
    }
}
