//! Axes: round numbers, calendar time, and durations by powers.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

use super::super::figure::decimals;
use super::{Axis, Tick};
use crate::units::{Calendar, Span, Time};

/// From zero to a round number that is at least `most`, in about five steps.
pub(super) fn rising(most: f64, show: impl Fn(f64, usize) -> String) -> Axis {
    let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
    let rough = most / 5.0;
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|times| times * power);
    let step = step.into_iter().find(|&step| step >= rough * 0.999_999).unwrap_or(10.0 * power);
    let steps = libm::ceil(most / step * 0.999_999).max(1.0) as usize;
    let places = (0..9).find(|&places| {
        let scaled = step * libm::pow(10.0, f64::from(places));
        (scaled - libm::round(scaled)).abs() < 1e-6
    });
    let places = places.unwrap_or(9) as usize;
    let tick = |at: usize| {
        let at = at as f64 * step;
        Tick { at, label: show(at, places), below: String::new() }
    };
    Axis {
        low: 0.0,
        high: steps as f64 * step,
        ticks: (0..=steps).map(tick).collect(),
        caption: String::new(),
    }
}

/// From a round number that is at most `low` to one that is at least `high`,
/// in about five steps.
pub(super) fn between(low: f64, high: f64, show: impl Fn(f64) -> String) -> Axis {
    let (low, high) = if low.is_finite() && high.is_finite() { (low, high) } else { (0.0, 1.0) };
    let span = if high > low { high - low } else { low.abs().max(1.0) };
    let rough = span / 5.0;
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|times| times * power);
    let step = steps.into_iter().find(|&step| step >= rough * 0.999_999).unwrap_or(10.0 * power);
    let first = libm::floor(low / step + 1e-9) as i64;
    let last = (libm::ceil(high / step - 1e-9) as i64).max(first + 1);
    let tick = |at: i64| {
        let at = at as f64 * step;
        Tick { at, label: show(at), below: String::new() }
    };
    Axis {
        low: first as f64 * step,
        high: last as f64 * step,
        ticks: (first..=last).map(tick).collect(),
        caption: String::new(),
    }
}

/// Dollars; a few of them with cents.
pub(super) fn dollars(most: f64) -> Axis {
    rising(most, |value, places| {
        format!("${}", decimals(value, if places == 1 { 2 } else { places }))
    })
}

/// Numbers of things: steps are whole.
pub(super) fn wholes(most: f64) -> Axis {
    counts(most.max(5.0))
}

/// Plain numbers.
pub(super) fn counts(most: f64) -> Axis {
    rising(most, decimals)
}

/// 0 % to 100 %.
pub(super) fn percent() -> Axis {
    let ticks = (0..=5).map(|step| Tick {
        at: f64::from(step) * 0.2,
        label: format!("{} %", step * 20),
        below: String::new(),
    });
    Axis { low: 0.0, high: 1.0, ticks: ticks.collect(), caption: String::new() }
}

/// Durations by powers of ten, from a second to at least `most` seconds; the
/// axis itself is in decimal logarithms of seconds.
pub(super) fn durations(most: f64) -> Axis {
    const MARKS: [(f64, &str); 13] = [
        (1.0, "1 s"),
        (10.0, "10 s"),
        (60.0, "1 min"),
        (600.0, "10 min"),
        (3_600.0, "1 h"),
        (21_600.0, "6 h"),
        (86_400.0, "1 d"),
        (604_800.0, "1 week"),
        (2_592_000.0, "30 d"),
        (31_536_000.0, "1 year"),
        (315_360_000.0, "10 years"),
        (3_153_600_000.0, "100 years"),
        (31_536_000_000.0, "1,000 years"),
    ];
    let high = MARKS.iter().find(|(secs, _)| *secs >= most).map_or(most, |(secs, _)| *secs);
    let high = high.max(60.0);
    let shown = MARKS.iter().filter(|(secs, _)| *secs <= high);
    let tick = |&(secs, label): &(f64, &str)| Tick {
        at: libm::log10(secs),
        label: label.to_owned(),
        below: String::new(),
    };
    Axis {
        low: 0.0,
        high: libm::log10(high),
        ticks: shown.map(tick).collect(),
        caption: String::new(),
    }
}

/// Seconds between ticks of a time axis, up to a week; beyond, months.
const STEPS: [i64; 19] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
    86_400, 172_800,
];

/// Ticks that fit below a chart with their labels.
const MOST_TICKS: i64 = 9;

/// Calendar time in UTC; the axis itself is in seconds of the run's clock.
pub(super) fn calendar(calendar: Calendar, from: Time, until: Time) -> Axis {
    let (low, high) = (from.secs_f64(), until.secs_f64().max(from.secs_f64() + 1.0));
    let zoned = |at: Time| calendar.timestamp(at).to_zoned(TimeZone::UTC);
    let (first, last) = (zoned(from), zoned(until));
    let secs = (high - low) as i64;
    let step = STEPS.into_iter().find(|step| secs / step < MOST_TICKS);
    let mut ticks = match step {
        Some(step) if step < 86_400 => hours(calendar, from, until, step),
        Some(step) => days(calendar, &first, &last, step / 86_400),
        None if secs / (7 * 86_400) < MOST_TICKS => days(calendar, &first, &last, 7),
        None => months(calendar, &first, &last),
    };
    ticks.retain(|tick| (low..=high).contains(&tick.at));
    let day = |at: &Zoned| at.strftime("%-d %b %Y %H:%M").to_string();
    let caption = format!("{} to {} (UTC)", day(&first), day(&last));
    Axis { low, high, ticks, caption }
}

fn hours(calendar: Calendar, from: Time, until: Time, step: i64) -> Vec<Tick> {
    let origin = calendar.unix_micros(from).div_euclid(1_000_000);
    let mut at = origin.div_euclid(step) * step;
    let mut last_date: Option<Date> = None;
    let mut ticks = Vec::new();
    while at <= calendar.unix_micros(until).div_euclid(1_000_000) {
        let time = calendar.time(at.saturating_mul(1_000_000));
        if time >= from {
            let zoned = calendar.timestamp(time).to_zoned(TimeZone::UTC);
            let below = if last_date == Some(zoned.date()) { "" } else { "%-d %b" };
            last_date = Some(zoned.date());
            let form = if step < 60 { "%H:%M:%S" } else { "%H:%M" };
            ticks.push(Tick {
                at: time.secs_f64(),
                label: zoned.strftime(form).to_string(),
                below: zoned.strftime(below).to_string(),
            });
        }
        at += step;
    }
    ticks
}

/// Every `step` days; weeks begin on Monday.
fn days(calendar: Calendar, first: &Zoned, last: &Zoned, step: i64) -> Vec<Tick> {
    let mut day = first.date();
    if step == 7 {
        let since_monday = i64::from(day.weekday().to_monday_zero_offset());
        day = day.checked_sub(since_monday.days()).unwrap_or(day);
    }
    let mut last_year = None;
    let mut ticks = Vec::new();
    while day <= last.date() {
        let below = if last_year == Some(day.year()) { "" } else { "%Y" };
        let tick = dated(calendar, day, "%-d %b", below);
        if tick.at >= calendar.time(first.timestamp().as_microsecond()).secs_f64() {
            last_year = Some(day.year());
            ticks.push(tick);
        }
        let Ok(next) = day.checked_add(step.days()) else { break };
        day = next;
    }
    ticks
}

/// Firsts of months, or of January where there would be too many.
fn months(calendar: Calendar, first: &Zoned, last: &Zoned) -> Vec<Tick> {
    let count =
        i64::from(last.year() - first.year()) * 12 + i64::from(last.month() - first.month());
    let steps = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 6_000];
    let step = steps.into_iter().find(|step| count / step < MOST_TICKS).unwrap_or(12_000);
    let years = i64::from(first.year()).div_euclid((step / 12).max(1)) * (step / 12).max(1);
    let mut day = date(years.clamp(-9_998, 9_998) as i16, 1, 1);
    let mut last_year = None;
    let mut ticks = Vec::new();
    while day <= last.date() {
        // Midnight of the first day lies before the axis.
        if day > first.date()
            || first.time() == jiff::civil::Time::midnight() && day == first.date()
        {
            let (form, below) = match step {
                12.. => ("%Y", ""),
                _ if last_year == Some(day.year()) => ("%b", ""),
                _ => ("%b", "%Y"),
            };
            last_year = Some(day.year());
            ticks.push(dated(calendar, day, form, below));
        }
        let Ok(next) = day.checked_add(step.months()) else { break };
        day = next;
    }
    ticks
}

fn dated(calendar: Calendar, day: Date, form: &str, below: &str) -> Tick {
    let midnight = day.to_zoned(TimeZone::UTC);
    let at = midnight
        .map_or(0.0, |midnight| calendar.time(midnight.timestamp().as_microsecond()).secs_f64());
    let show = |form: &str| day.strftime(form).to_string();
    Tick { at, label: show(form), below: show(below) }
}

/// A point on an axis of [`durations`].
pub(super) fn on_durations(wait: Span) -> f64 {
    libm::log10(wait.secs_f64().max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|tick| format!("{} {}", tick.label, tick.below)).collect()
    }

    #[test]
    fn numbers_rise_in_round_steps() {
        assert_eq!(labels(&counts(7.0)), ["0 ", "2 ", "4 ", "6 ", "8 "]);
        assert_eq!(
            labels(&dollars(1.1)),
            ["$0.00 ", "$0.25 ", "$0.50 ", "$0.75 ", "$1.00 ", "$1.25 "]
        );
        assert_eq!(labels(&wholes(1.7)), ["0 ", "1 ", "2 ", "3 ", "4 ", "5 "]);
        assert_eq!(counts(0.0).high, 1.0);
        assert_eq!(counts(f64::INFINITY).high, 1.0);
    }

    #[test]
    fn axes_go_around_what_they_show() {
        let axis = |low, high| labels(&between(low, high, |value| decimals(value, 1)));
        assert_eq!(axis(-0.3, 0.52), ["-0.4 ", "-0.2 ", "0.0 ", "0.2 ", "0.4 ", "0.6 "]);
        assert_eq!(axis(5.0, 5.0), ["5.0 ", "6.0 "]);
        assert_eq!(between(f64::NAN, 1.0, |_| String::new()).high, 1.0);
    }

    #[test]
    fn time_ticks_follow_the_span() {
        // 2026-03-01T12:00:00Z, a Sunday.
        let start = Calendar::from_unix_micros(1_772_366_400_000_000);
        let axis = |secs| calendar(start, Time::ZERO, Time::from_secs(secs));
        assert_eq!(labels(&axis(60))[..2], ["12:00:00 1 Mar", "12:00:10 "]);
        let day = labels(&axis(86_400));
        assert_eq!(day[0], "12:00 1 Mar");
        assert_eq!(day[4], "00:00 2 Mar");
        assert_eq!(labels(&axis(30 * 86_400))[..2], ["2 Mar 2026", "9 Mar "]);
        assert_eq!(
            labels(&axis(300 * 86_400))[..2],
            ["Mar 2026".replace("Mar", "May"), "Jul ".to_owned()]
        );
        assert_eq!(labels(&axis(4_000 * 86_400))[..2], ["2028 ", "2030 "]);
        for secs in [0, 1, 59, 3_599, 86_401, 700_000, 5_000_000, 40_000_000, 4_000_000_000] {
            assert!((1..=10).contains(&axis(secs).ticks.len()), "{secs}");
        }
    }
}
