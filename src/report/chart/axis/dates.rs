//! Calendar time: ticks at round times of day, days, weeks, months and years.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

use super::super::{ChartAxis, Tick};
use crate::units::{Calendar, Time};

/// Seconds between ticks of a time axis, up to a week; beyond, months.
const STEPS: [i64; 19] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
    86_400, 172_800,
];

/// Ticks that fit below a chart with their labels.
const MOST_TICKS: i64 = 9;

/// Calendar time in UTC; the axis itself is in seconds of the run's clock.
pub(in super::super) fn calendar(calendar: Calendar, from: Time, until: Time) -> ChartAxis {
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
    ChartAxis { low, high, ticks, caption }
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
