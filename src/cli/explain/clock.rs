//! Points in time as a person reads them: dates where the start is known.

use windtunnel::units::{Calendar, Span, Time};

/// Tells the time of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RunClock {
    /// `None` if the scenario names no start: then times are since the start.
    pub(super) calendar: Option<Calendar>,
}

impl RunClock {
    /// A point in time, to the second.
    pub(super) fn at(self, time: Time) -> String {
        self.with(time, 0)
    }

    /// A point in time within a sentence: `at` a date, or `after` so long.
    pub(super) fn point(self, time: Time) -> String {
        let at = if self.calendar.is_some() { "at " } else { "" };
        at.to_owned() + &self.at(time)
    }

    /// Text for the time from one point to another, in enough digits to tell them apart.
    pub(super) fn between(self, from: Time, until: Time) -> String {
        let enough = |places: &usize| self.with(from, *places) != self.with(until, *places);
        let places = [0, 3].into_iter().find(enough).unwrap_or(6);
        let (from, until) = (self.with(from, places), self.with(until, places));
        match (from.split_once(' '), until.split_once(' ')) {
            (Some((day, _)), Some((same, hour))) if self.calendar.is_some() && day == same => {
                format!("{from} to {hour}")
            }
            _ => format!("{from} to {until}"),
        }
    }

    /// A point in time with so many decimals of a second.
    fn with(self, time: Time, places: usize) -> String {
        let unit = 10_i64.pow(6 - u32::try_from(places).unwrap_or(0).min(6));
        let rounded = (time.micros() + unit / 2).div_euclid(unit) * unit;
        match self.calendar {
            Some(calendar) => {
                let stamp = calendar.timestamp(Time::from_micros(rounded));
                match places {
                    0 => stamp.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                    3 => stamp.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string(),
                    _ => stamp.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string(),
                }
            }
            None => format!("after {}", full(Span::from_micros(rounded))),
        }
    }
}

/// A length in all its units: `3 d 21 h 4 min 5 s`.
pub(super) fn full(span: Span) -> String {
    let sign = if span.micros() < 0 { "-" } else { "" };
    let micros = span.micros().unsigned_abs();
    let secs = micros / 1_000_000;
    let parts = [(secs / 86_400, "d"), (secs / 3_600 % 24, "h"), (secs / 60 % 60, "min")];
    let mut text: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    let rest = micros % 60_000_000;
    if rest > 0 || text.is_empty() {
        let rest = format!("{:.6}", rest as f64 / 1e6);
        text.push(format!("{} s", rest.trim_end_matches('0').trim_end_matches('.')));
    }
    sign.to_owned() + &text.join(" ")
}

/// A length to the second, or in full where it is shorter than a minute.
pub(super) fn length(span: Span) -> String {
    if span.micros().abs() < 60_000_000 {
        return span.to_string();
    }
    full(Span::from_micros((span.micros() + 500_000).div_euclid(1_000_000) * 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_times_are_told_apart() {
        // 2026-03-01T12:00:00Z.
        let dated = RunClock { calendar: Some(Calendar::from_unix_micros(1_772_366_400_000_000)) };
        let relative = RunClock { calendar: None };
        let cases = [
            (0, 90_000_000, "2026-03-01 12:00:00 to 12:01:30", "after 0 s to after 1 min 30 s"),
            (
                0,
                300,
                "2026-03-01 12:00:00.000000 to 12:00:00.000300",
                "after 0 s to after 0.0003 s",
            ),
            (0, 400_000, "2026-03-01 12:00:00.000 to 12:00:00.400", "after 0 s to after 0.4 s"),
            (
                334_800_000_000,
                334_802_000_000,
                "2026-03-05 09:00:00 to 09:00:02",
                "after 3 d 21 h to after 3 d 21 h 2 s",
            ),
            (
                0,
                86_400_000_000,
                "2026-03-01 12:00:00 to 2026-03-02 12:00:00",
                "after 0 s to after 1 d",
            ),
        ];
        for (from, until, date, since) in cases {
            let (from, until) = (Time::from_micros(from), Time::from_micros(until));
            assert_eq!(dated.between(from, until), date);
            assert_eq!(relative.between(from, until), since);
        }
    }
}
