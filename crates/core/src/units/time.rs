//! The simulated clock: integer microseconds since the run began, and the
//! calendar that gives them dates.

use std::fmt;
use std::num::NonZero;
use std::ops::{Add, AddAssign, Sub};

/// Whole microseconds of either sign. All but `i64::MIN` are kept as a number above zero, in the
/// same order, so that an `Option` of a time takes no more room than the time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Micros(NonZero<u64>);

/// The bit that puts the numbers below zero before the others.
const SIGN: u64 = 1 << 63;

impl Micros {
    /// `micros`; `i64::MIN` counts as one more.
    const fn new(micros: i64) -> Self {
        match NonZero::new(micros.cast_unsigned() ^ SIGN) {
            Some(kept) => Self(kept),
            None => Self(NonZero::<u64>::MIN),
        }
    }

    const fn get(self) -> i64 {
        (self.0.get() ^ SIGN).cast_signed()
    }

    /// `self - other`, which needs no way back from how they are kept: the signs cancel out.
    #[inline]
    fn since(self, other: Self) -> Self {
        debug_assert!(self.get().checked_sub(other.get()).is_some(), "times lie too far apart");
        Self::new(self.0.get().wrapping_sub(other.0.get()).cast_signed())
    }
}

/// A point on the simulated clock: whole microseconds since the run's start.
///
/// Points before the start exist (a virtual machine that was alive before the
/// window), so the number is signed. An `Option<Time>` takes no more room than a `Time`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Micros);

/// A length of simulated time: whole microseconds. An `Option<Span>` takes no more room than
/// a `Span`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Micros);

impl Time {
    /// The run's start.
    pub const ZERO: Self = Self::from_micros(0);
    /// The first point on the clock.
    pub const MIN: Self = Self::from_micros(i64::MIN);
    /// The last point on the clock, where sums end that lie past it. It is no word for "never":
    /// that is `None`.
    pub const MAX: Self = Self::from_micros(i64::MAX);

    /// The point `micros` microseconds after the run's start.
    pub const fn from_micros(micros: i64) -> Self {
        Self(Micros::new(micros))
    }

    /// The point `secs` whole seconds after the run's start.
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_micros(secs * 1_000_000)
    }

    /// Microseconds since the run's start.
    pub const fn micros(self) -> i64 {
        self.0.get()
    }

    /// Seconds since the run's start, for reports.
    pub fn secs_f64(self) -> f64 {
        self.micros() as f64 / 1e6
    }

    /// This point plus `span`, or `Time::MAX` where that is past the end of the clock.
    pub const fn saturating_add(self, span: Span) -> Self {
        Self::from_micros(self.micros().saturating_add(span.micros()))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self::from_micros(0);
    /// The longest length, where sums end that are longer. It is no word for "for ever": that
    /// is `None`.
    pub const MAX: Self = Self::from_micros(i64::MAX);
    /// One hour.
    pub const HOUR: Self = Self::from_secs(3_600);

    /// `micros` microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(Micros::new(micros))
    }

    /// `secs` whole seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_micros(secs * 1_000_000)
    }

    /// `secs` seconds, rounded to the nearest microsecond; `None` where that
    /// is not a number or lies outside the clock (about 292,000 years).
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let micros = libm::round(secs * 1e6);
        (micros.abs() < 9.2e18).then(|| Self::from_micros(micros as i64))
    }

    /// Length in microseconds.
    pub const fn micros(self) -> i64 {
        self.0.get()
    }

    /// Length in seconds, for reports.
    pub fn secs_f64(self) -> f64 {
        self.micros() as f64 / 1e6
    }

    /// Both lengths together, or `Span::MAX` where that is more.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self::from_micros(self.micros().saturating_add(other.micros()))
    }
}

impl Default for Time {
    /// The run's start.
    fn default() -> Self {
        Self::ZERO
    }
}

impl Default for Span {
    /// No time at all.
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Time").field(&self.micros()).finish()
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Span").field(&self.micros()).finish()
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time::from_micros(self.micros() + span.micros())
    }
}

impl Sub for Time {
    type Output = Span;
    #[inline]
    fn sub(self, earlier: Time) -> Span {
        Span(self.0.since(earlier.0))
    }
}

impl Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time::from_micros(self.micros() - span.micros())
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span::from_micros(self.micros() + other.micros())
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span::from_micros(self.micros() - other.micros())
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Span {
    /// Rounded to what is shown of it: to the hour from a day on, to the minute from an hour on, else to
    /// the second. Halves go away from zero.
    #[must_use]
    pub fn rounded(self) -> Self {
        let unit = match self.micros().unsigned_abs() / 1_000_000 {
            0..3_600 => 1_000_000,
            3_600..86_400 => 60_000_000,
            _ => 3_600_000_000,
        };
        let (whole, rest) = (self.micros() / unit, self.micros() % unit);
        let up = if rest.abs() * 2 >= unit { rest.signum() } else { 0 };
        // The longest spans have no such multiple above them.
        Self::from_micros((whole + up).saturating_mul(unit))
    }
}

impl fmt::Display for Span {
    /// Writes it as a person does: `1 d 2 h`, `3 h 4 min`, `5 min 6 s`, `7.25 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if *self < Self::ZERO { "-" } else { "" };
        let micros = self.micros().unsigned_abs();
        let secs = micros / 1_000_000;
        let part = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
            if small == 0 {
                format!("{sign}{big} {big_unit}")
            } else {
                format!("{sign}{big} {big_unit} {small} {small_unit}")
            }
        };
        let text = match secs {
            0..60 => {
                let text = format!("{:.3}", micros as f64 / 1e6);
                format!("{sign}{} s", text.trim_end_matches('0').trim_end_matches('.'))
            }
            60..3_600 => part(secs / 60, "min", secs % 60, "s"),
            3_600..86_400 => part(secs / 3_600, "h", secs % 3_600 / 60, "min"),
            _ => part(secs / 86_400, "d", secs % 86_400 / 3_600, "h"),
        };
        f.write_str(&text)
    }
}

/// Microseconds from 1970, a Thursday, back to a Monday.
const MONDAY: i64 = -3 * 86_400_000_000;

/// Dates for points on the clock: when the run starts, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Microseconds since 1970-01-01T00:00:00Z at the run's start.
    start: i64,
}

impl Calendar {
    /// A run that starts `micros` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self { start: micros }
    }

    /// Microseconds since 1970 at `at`.
    pub const fn unix_micros(self, at: Time) -> i64 {
        self.start.saturating_add(at.micros())
    }

    /// The point on the clock of an instant given in microseconds since 1970.
    pub const fn time(self, unix_micros: i64) -> Time {
        Time::from_micros(unix_micros - self.start)
    }

    /// `at` as a UTC timestamp. Points outside years -9999 to 9999 are clipped to them.
    pub fn timestamp(self, at: Time) -> jiff::Timestamp {
        let micros = self.unix_micros(at);
        let (low, high) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
        let micros = micros.clamp(low.as_microsecond(), high.as_microsecond());
        jiff::Timestamp::from_microsecond(micros).unwrap_or(low)
    }

    /// `at` in the form `2026-03-01T12:00:00Z`, with microseconds where there are any.
    pub fn format(self, at: Time) -> String {
        self.timestamp(at).to_string()
    }

    /// Seconds since the last midnight UTC, 0 to 86,399.
    pub const fn second_of_day(self, at: Time) -> i64 {
        self.unix_micros(at).div_euclid(1_000_000).rem_euclid(86_400)
    }

    /// Number of the stretch of the clock of this `length` that holds `at`. Stretches are counted from a
    /// Monday midnight in UTC, that of 1969-12-29, so that weeks begin on Mondays.
    pub const fn stretch_number(self, length: Span, at: Time) -> i64 {
        (self.unix_micros(at) - MONDAY).div_euclid(length.micros())
    }

    /// Beginning of the stretch of that number.
    pub const fn stretch_start(self, length: Span, number: i64) -> Time {
        self.time(number * length.micros() + MONDAY)
    }

    /// Beginning and end of the stretch of the clock of this `length` that holds `at`.
    pub const fn stretch(self, length: Span, at: Time) -> (Time, Time) {
        let number = self.stretch_number(length, at);
        (self.stretch_start(length, number), self.stretch_start(length, number + 1))
    }

    /// Beginning and end of the calendar month in UTC that holds `at`; `None` outside of the years that
    /// the calendar has.
    pub fn month(self, at: Time) -> Option<(Time, Time)> {
        let zoned = self.timestamp(at).to_zoned(jiff::tz::TimeZone::UTC);
        let first = zoned.first_of_month().ok()?.start_of_day().ok()?;
        let next = first.checked_add(jiff::ToSpan::month(1)).ok()?;
        let time = |zoned: &jiff::Zoned| self.time(zoned.timestamp().as_microsecond());
        Some((time(&first), time(&next)))
    }

    /// Day of the week, 0 is Monday. (1970-01-01 was a Thursday.)
    pub const fn weekday(self, at: Time) -> i64 {
        (self.unix_micros(at).div_euclid(86_400_000_000) + 3).rem_euclid(7)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_takes_no_more_room_and_numbers_keep_their_order() {
        assert_eq!((size_of::<Option<Time>>(), size_of::<Option<Span>>()), (8, 8));
        let micros = [-i64::MAX, -7, -1, 0, 1, 7, i64::MAX];
        assert!(
            micros.map(Time::from_micros).is_sorted() && micros.map(Span::from_micros).is_sorted()
        );
        assert_eq!(micros.map(|one| Time::from_micros(one).micros()), micros);
        assert_eq!(micros.map(|one| Span::from_micros(one).micros()), micros);
        assert_eq!(Time::from_micros(i64::MIN), Time::MIN);
        assert_eq!((Time::MIN.micros(), Time::default()), (-i64::MAX, Time::ZERO));
        assert_eq!(format!("{:?}", Time::from_secs(-3)), "Time(-3000000)");
    }

    #[test]
    fn spans_read_like_a_person_writes_them() {
        let cases = [
            (0, "0 s"),
            (7_250_000, "7.25 s"),
            (60_000_000, "1 min"),
            (306_000_000, "5 min 6 s"),
            (11_040_000_000, "3 h 4 min"),
            (93_600_000_000, "1 d 2 h"),
            (-1_500_000, "-1.5 s"),
        ];
        for (micros, want) in cases {
            assert_eq!(Span::from_micros(micros).to_string(), want);
        }
    }

    #[test]
    fn the_calendar_knows_days_and_hours() {
        // 2026-03-01T12:00:00Z is a Sunday.
        let calendar = Calendar::from_unix_micros(1_772_366_400_000_000);
        assert_eq!(calendar.format(Time::ZERO), "2026-03-01T12:00:00Z");
        assert_eq!(calendar.weekday(Time::ZERO), 6);
        assert_eq!(calendar.second_of_day(Time::ZERO), 43_200);
        assert_eq!(calendar.weekday(Time::ZERO + Span::from_secs(43_200)), 0);
    }

    #[test]
    fn seconds_round_to_the_nearest_microsecond() {
        assert_eq!(Span::from_secs_f64(0.000_000_5), Some(Span::from_micros(1)));
        assert_eq!(Span::from_secs_f64(f64::NAN), None);
        assert_eq!(Span::from_secs_f64(1e300), None);
    }
}
