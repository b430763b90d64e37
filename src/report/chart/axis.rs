//! Axes: round numbers, calendar time, and durations by powers.

mod dates;

use super::super::figure::decimals;
use super::{ChartAxis, Tick};
use crate::units::Span;

pub(super) use dates::calendar;

/// The round number that is at least `rough`: 1, 2, 2.5 or 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|times| times * power);
    steps.into_iter().find(|&step| step >= rough * 0.999_999).unwrap_or(10.0 * power)
}

/// Decimals that the multiples of `step` need to differ.
fn places_of(step: f64) -> usize {
    let is_whole = |places: &i32| {
        let scaled = step * libm::pow(10.0, f64::from(*places));
        scaled > 0.5 && (scaled - libm::round(scaled)).abs() < 1e-6
    };
    (0..15).find(is_whole).unwrap_or(15) as usize
}

/// Ticks at the multiples of `step`, from the last that is at most `low` to
/// the first that is at least `high`.
fn stepped(low: f64, high: f64, step: f64, label: impl Fn(f64) -> String) -> ChartAxis {
    let first = libm::floor(low / step + 1e-9) as i64;
    let last = (libm::ceil(high / step - 1e-9) as i64).max(first + 1);
    let tick = |at: i64| {
        let at = at as f64 * step;
        Tick { at, label: label(at), below: String::new() }
    };
    ChartAxis {
        low: first as f64 * step,
        high: last as f64 * step,
        ticks: (first..=last).map(tick).collect(),
        caption: String::new(),
    }
}

/// Axis from zero to a round number that is at least `most`, in about five steps.
pub(super) fn rising(most: f64, show: impl Fn(f64, usize) -> String) -> ChartAxis {
    let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
    let step = round_step(most / 5.0);
    let places = places_of(step);
    stepped(0.0, most * 0.999_999, step, |value| show(value, places))
}

/// Axis from a round number that is at most `low` to one that is at least `high`, in about five
/// steps; `show` is told how many decimals keep ticks apart.
pub(super) fn between(low: f64, high: f64, show: impl Fn(f64, usize) -> String) -> ChartAxis {
    let (low, high) = if low.is_finite() && high.is_finite() { (low, high) } else { (0.0, 1.0) };
    let span = if high > low { high - low } else { low.abs().max(1.0) };
    let step = round_step(span / 5.0);
    let places = places_of(step);
    stepped(low, high, step, |value| show(value, places))
}

/// An axis around values of a metric's unit, with as many decimals as ticks
/// need to differ and times at round times. Shares end at all.
pub(super) fn measure(unit: &str, low: f64, high: f64) -> ChartAxis {
    match unit {
        "s" => spans(low, high),
        "share" => {
            let axis = scaled(
                between(low * 100.0, high * 100.0, |value, places| written("%", value, places)),
                0.01,
            );
            if high <= 1.0 { up_to(axis, 1.0) } else { axis }
        }
        unit => between(low, high, |value, places| written(unit, value, places)),
    }
}

/// The same for differences: ticks have signs. Shares differ by `points`: by
/// `pp`, or by `%` where they are shares of something that they are set against.
pub(super) fn differences(unit: &str, points: &str, low: f64, high: f64) -> ChartAxis {
    let mut axis = match unit {
        "share" => {
            let show = |value, places| written(points, value, places);
            scaled(between(low * 100.0, high * 100.0, show), 0.01)
        }
        unit => measure(unit, low, high),
    };
    for tick in &mut axis.ticks {
        match tick.at {
            0.0 => tick.label = "0".to_owned(),
            at if at > 0.0 => tick.label.insert(0, '+'),
            _ => (),
        }
    }
    axis
}

/// A value of a unit with this many decimals; a few dollars with cents.
pub(super) fn written(unit: &str, value: f64, places: usize) -> String {
    let size = decimals(value.abs(), places);
    let words = match unit {
        "USD" => format!("${}", decimals(value.abs(), if places == 1 { 2 } else { places })),
        "count" | "ratio" => size,
        unit => format!("{size} {unit}"),
    };
    let is_zero = !words.contains(|digit: char| digit.is_ascii_digit() && digit != '0');
    if value < 0.0 && !is_zero { format!("−{words}") } else { words }
}

fn scaled(mut axis: ChartAxis, by: f64) -> ChartAxis {
    axis.low *= by;
    axis.high *= by;
    axis.ticks.iter_mut().for_each(|tick| tick.at *= by);
    axis
}

/// The axis, cut at `high`.
fn up_to(mut axis: ChartAxis, high: f64) -> ChartAxis {
    if axis.high > high {
        axis.high = high;
        axis.ticks.retain(|tick| tick.at <= high * 1.000_001);
    }
    axis
}

/// Spans of time in seconds, at round times, each in the largest unit that the
/// step is whole in.
fn spans(low: f64, high: f64) -> ChartAxis {
    const STEPS: [f64; 19] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0,
    ];
    const UNITS: [(f64, &str); 4] = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];
    let span = if high > low { high - low } else { low.abs().max(1.0) };
    let rough = span / 5.0;
    if !(rough > 0.5 && rough.is_finite()) {
        return between(low, high, |value, places| written("s", value, places));
    }
    let step = STEPS.into_iter().find(|&step| step >= rough * 0.999_999);
    let step = step.unwrap_or_else(|| 86_400.0 * round_step(rough / 86_400.0).max(5.0));
    let unit = UNITS.into_iter().find(|(secs, _)| step % secs == 0.0);
    let (secs, name) = unit.unwrap_or((86_400.0, "d"));
    let places = places_of(step / secs);
    stepped(low, high, step, |value| written(name, value / secs, places))
}

/// Dollars; a few of them with cents.
pub(super) fn dollars(most: f64) -> ChartAxis {
    rising(most, |value, places| written("USD", value, places))
}

/// Numbers of things: steps are whole.
pub(super) fn wholes(most: f64) -> ChartAxis {
    counts(most.max(5.0))
}

/// Axis of plain numbers from zero.
pub(super) fn counts(most: f64) -> ChartAxis {
    rising(most, decimals)
}

/// 0 % to 100 %.
pub(super) fn percent() -> ChartAxis {
    let ticks = (0..=5).map(|step| Tick {
        at: f64::from(step) * 0.2,
        label: format!("{} %", step * 20),
        below: String::new(),
    });
    ChartAxis { low: 0.0, high: 1.0, ticks: ticks.collect(), caption: String::new() }
}

/// Shares up to 100 %, from a round one that is at most `low` where all that is
/// shown lies in the upper half.
pub(super) fn percent_from(low: f64) -> ChartAxis {
    // A span to draw in, however near to all the lowest is.
    if low >= 0.5 { measure("share", low.min(0.98), 1.0) } else { percent() }
}

/// Durations by powers of ten, from a second to at least `most` seconds; the
/// axis itself is in decimal logarithms of seconds.
pub(super) fn durations(most: f64) -> ChartAxis {
    const MARKS: [(f64, &str); 13] = [
        (1.0, "≤ 1 s"),
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
    ChartAxis {
        low: 0.0,
        high: libm::log10(high),
        ticks: shown.map(tick).collect(),
        caption: String::new(),
    }
}

/// A point on an axis of [`durations`].
pub(super) fn on_durations(wait: Span) -> f64 {
    on_seconds(wait.secs_f64())
}

/// The same of seconds.
pub(super) fn on_seconds(secs: f64) -> f64 {
    libm::log10(secs.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Calendar, Time};

    fn labels(axis: &ChartAxis) -> Vec<String> {
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
        let axis = |low, high| labels(&between(low, high, decimals));
        assert_eq!(axis(-0.3, 0.52), ["-0.4 ", "-0.2 ", "0.0 ", "0.2 ", "0.4 ", "0.6 "]);
        assert_eq!(axis(5.0, 5.0), ["5 ", "6 "]);
        assert_eq!(between(f64::NAN, 1.0, |_, _| String::new()).high, 1.0);
    }

    #[test]
    fn neighbouring_ticks_differ() {
        let axis = |unit, low, high| -> Vec<String> {
            measure(unit, low, high).ticks.into_iter().map(|tick| tick.label).collect()
        };
        assert_eq!(
            axis("USD", 0.0301, 0.0349),
            ["$0.030", "$0.031", "$0.032", "$0.033", "$0.034", "$0.035"]
        );
        assert_eq!(axis("USD", 0.0, 2.4), ["$0.00", "$0.50", "$1.00", "$1.50", "$2.00", "$2.50"]);
        assert_eq!(axis("s", 0.0, 31_000.0), ["0 h", "2 h", "4 h", "6 h", "8 h", "10 h"]);
        assert_eq!(axis("s", 21_000.0, 23_000.0)[..3], ["350 min", "360 min", "370 min"]);
        assert_eq!(axis("s", 0.0, 1.0), ["0.0 s", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1.0 s"]);
        assert_eq!(axis("s", 0.0, 100.0 * 86_400.0).last().map(String::as_str), Some("100 d"));
        assert_eq!(
            axis("h", 5.0, 5.1),
            ["5.00 h", "5.02 h", "5.04 h", "5.06 h", "5.08 h", "5.10 h"]
        );
        for (low, high) in [(0.0, 0.0), (1e-9, 2e-9), (-0.014, 0.0), (0.99, 0.9901), (3.0, 7e6)] {
            for unit in ["USD", "s", "share", "count"] {
                let mut labels = axis(unit, low, high);
                let all = labels.len();
                labels.dedup();
                assert_eq!(labels.len(), all, "{unit} {low} {high}: {labels:?}");
            }
        }
    }

    #[test]
    fn shares_end_at_all() {
        let axis = measure("share", 0.72, 1.0);
        assert_eq!(axis.high, 1.0);
        assert_eq!(axis.ticks.last().map(|tick| tick.label.as_str()), Some("100 %"));
        assert_eq!(percent_from(0.3), percent());
        assert_eq!(labels(&percent_from(0.76))[0], "75 % ");
        assert!(percent_from(1.0).low < 1.0);
    }

    #[test]
    fn differences_show_their_signs() {
        let labels = |axis: ChartAxis| -> Vec<String> {
            axis.ticks.into_iter().map(|tick| tick.label).collect()
        };
        assert_eq!(
            labels(differences("USD", "%", -0.014, 0.0)),
            ["−$0.015", "−$0.010", "−$0.005", "0"]
        );
        assert_eq!(labels(differences("share", "pp", 0.0, 0.02))[1], "+0.5 pp");
        assert_eq!(labels(differences("share", "%", -2.0, 2.0))[0], "−200 %");
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
