//! Figures as a person reads them: one place for every unit, so that terminal,
//! pages and charts say the same.

use crate::units::{Money, Span};

pub use crate::text::plain as clean;

/// Dash that stands where there is nothing to show.
pub(super) const NOTHING: &str = "–";

/// `value` in `unit`, which is one of those of `Metric::unit`.
pub fn figure(unit: &str, value: Option<f64>) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else { return NOTHING.to_owned() };
    match unit {
        "USD" => dollars(value),
        "s" => duration(value),
        "share" => share(value),
        "count" => amount(value),
        "ratio" => decimals(value, 2),
        "h" => format!("{} h", amount(value)),
        "per h" => format!("{} per h", amount(value)),
        unit => format!("{} {unit}", amount(value)),
    }
}

/// A value beside the bound that it keeps or breaks: with more digits where the usual ones are those
/// of the bound though it is another number.
pub(super) fn figure_against(unit: &str, value: Option<f64>, bound: Option<f64>) -> String {
    let usual = figure(unit, value);
    let (Some(value), Some(bound)) = (value, bound) else { return usual };
    if !value.is_finite() || usual != figure(unit, Some(bound)) || value == bound {
        return usual;
    }
    let exact = |of: f64, places: usize| match unit {
        "USD" => format!("${}", decimals(of, places)),
        "s" => to_the_second(of, places),
        "share" => format!("{} %", decimals(of * 100.0, places)),
        "count" | "ratio" => decimals(of, places),
        unit => format!("{} {unit}", decimals(of, places)),
    };
    let apart = (0..=6).find(|&places| exact(value, places) != exact(bound, places));
    apart.map_or(usual, |places| exact(value, places))
}

/// Days, hours, minutes and seconds with this many decimals: `4 h 0 min 49 s`.
fn to_the_second(secs: f64, places: usize) -> String {
    let scale = libm::pow(10.0, places as f64);
    let secs = libm::round(secs * scale) / scale;
    let minutes = libm::floor(secs / 60.0);
    let parts = [
        (libm::floor(minutes / 1_440.0), "d"),
        (libm::floor(minutes / 60.0) % 24.0, "h"),
        (minutes % 60.0, "min"),
    ];
    let told = parts.iter().skip_while(|(count, _)| *count == 0.0);
    let told = told.map(|(count, unit)| format!("{} {unit} ", decimals(*count, 0)));
    told.collect::<String>() + &format!("{} s", decimals(secs - minutes * 60.0, places))
}

/// The difference of two values in `unit`, with its sign; shares differ by
/// percentage points.
pub fn difference(unit: &str, value: f64) -> String {
    let size = match unit {
        "share" => format!("{} pp", decimals(value.abs() * 100.0, 1)),
        "USD" if value.abs() < LEAST_SHOWN / 2.0 => "$0.00".to_owned(),
        unit => figure(unit, Some(value.abs())),
    };
    signed(value, &size)
}

/// The same with the digits of `beside`, the number that it is a difference from.
pub(super) fn difference_beside(unit: &str, value: f64, beside: f64) -> String {
    match cents(unit, value.abs(), beside) {
        Some(cents) if value.abs() < HALF_A_CENT => format!("±{cents}"),
        Some(cents) => signed(value, &cents),
        None => difference(unit, value),
    }
}

/// Half of the width of the interval of a number like `beside`: `± $12.00`. Nothing where it
/// is no wider than the rounding of bills, instance by instance, makes it.
pub(super) fn half_width(unit: &str, value: f64, beside: f64) -> String {
    match (unit, cents(unit, value, beside)) {
        _ if value <= ROUNDING * beside.abs() => String::new(),
        // The width is less than the last digit of any amount.
        ("USD", _) if value < LEAST_SHOWN / 2.0 => String::new(),
        ("share", _) => format!("± {} pp", decimals(value * 100.0, 1)),
        (_, Some(_)) if value < HALF_A_CENT => "± less than $0.01".to_owned(),
        (_, Some(cents)) => format!("± {cents}"),
        (unit, None) => format!("± {}", figure(unit, Some(value))),
    }
}

/// Share of a sum that the rounding of its parts is below.
const ROUNDING: f64 = 1e-8;
/// Half a cent in dollars: amounts to the cent do not show less.
const HALF_A_CENT: f64 = 0.005;

/// Less than a dollar to the cent, where it stands beside dollars.
fn cents(unit: &str, value: f64, beside: f64) -> Option<String> {
    let is_small = unit == "USD" && value < 1.0 && beside.abs() >= 1.0;
    is_small.then(|| format!("${value:.2}"))
}

/// `value` over `base` as a change: `+12.3 %`. Nothing where the base is zero.
pub(super) fn change(value: f64, base: f64) -> String {
    if base == 0.0 {
        return String::new();
    }
    let change = (value - base) / base.abs();
    signed(change, &format!("{} %", decimals(change.abs() * 100.0, 1)))
}

fn signed(value: f64, size: &str) -> String {
    // A sign would say more than is known where all digits shown are zero.
    if !size.contains(|digit: char| digit.is_ascii_digit() && digit != '0') {
        return format!("±{size}");
    }
    format!("{}{size}", if value < 0.0 { '−' } else { '+' })
}

/// An exact amount with its sign, for differences.
pub(super) fn money_difference(amount: Money) -> String {
    let size = if amount < Money::ZERO { -amount } else { amount };
    if amount == Money::ZERO {
        return format!("±{size}");
    }
    format!("{}{size}", if amount < Money::ZERO { '−' } else { '+' })
}

/// Dollars of the last digit of amounts under a dollar.
const LEAST_SHOWN: f64 = 0.0001;

/// Dollars: `$1,234.50`. An amount that is not 0 is not shown as 0.
fn dollars(value: f64) -> String {
    if value != 0.0 && value.abs() < LEAST_SHOWN / 2.0 {
        return "< $0.0001".to_owned();
    }
    Money::from_nanos(libm::round(value * 1e9) as i128).to_string()
}

/// `2 h 3 min`; milliseconds below ten seconds, whole seconds above.
fn duration(secs: f64) -> String {
    let shown = if secs.abs() < 10.0 { libm::round(secs * 1e3) / 1e3 } else { libm::round(secs) };
    Span::from_secs_f64(shown).map_or_else(|| NOTHING.to_owned(), |span| span.to_string())
}

/// A length of time to the whole minute from an hour on, to the hour from a day
/// on: rounded, where [`figure`] leaves out what it does not show.
pub(super) fn rounded(secs: f64) -> String {
    let span = Span::from_secs_f64(secs);
    span.map_or_else(|| NOTHING.to_owned(), |span| span.rounded().to_string())
}

/// Share in percent: `97.5 %`. A share below 1 is not shown as 100 %, one above 0 not as 0 %.
pub(super) fn share(value: f64) -> String {
    let percent = value * 100.0;
    let shown = decimals(percent, 1);
    match shown.as_str() {
        "100.0" if percent < 100.0 => "> 99.9 %".to_owned(),
        "100.0" => "100 %".to_owned(),
        "0.0" if percent > 0.0 => "< 0.1 %".to_owned(),
        "0.0" => "0 %".to_owned(),
        shown => format!("{shown} %"),
    }
}

/// Number with thousands separators, whole if it is a whole number, else with up to two decimals.
pub(super) fn amount(value: f64) -> String {
    let places = if libm::floor(value) == value || value.abs() >= 1e5 { 0 } else { 2 };
    // A small number that is not whole is not shown as one.
    let is_near_whole = (value - libm::round(value)).abs() < 0.005 && value.abs() < 10.0;
    let places = if places == 2 && is_near_whole { 4 } else { places };
    let shown = decimals(value, places);
    if places == 0 {
        return shown;
    }
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Number with thousands separators and this many decimals.
pub(super) fn decimals(value: f64, places: usize) -> String {
    let plain = format!("{value:.places$}");
    let (sign, plain) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut grouped = whole.to_owned();
    let mut at = grouped.len();
    while at > 3 {
        at -= 3;
        grouped.insert(at, ',');
    }
    let nothing = !plain.contains(|digit: char| digit.is_ascii_digit() && digit != '0');
    format!("{}{grouped}{rest}", if nothing { "" } else { sign })
}

/// A whole number with thousands separators.
pub(super) fn count(value: u64) -> String {
    decimals(value as f64, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_told_from_the_bound_beside_it() {
        for (unit, value, bound, told) in [
            ("s", 14_449.0, 14_400.0, "4 h 0 min 49 s"),
            ("s", 14_400.4, 14_400.0, "4 h 0 min 0.4 s"),
            ("s", 16_000.0, 14_400.0, "4 h 26 min"),
            ("s", 14_400.0, 14_400.0, "4 h"),
            ("s", 172_830.0, 172_800.0, "2 d 0 h 0 min 30 s"),
            ("share", 0.949_96, 0.95, "94.996 %"),
            ("USD", 0.100_04, 0.1, "$0.10004"),
            ("ratio", 1.501, 1.5, "1.501"),
        ] {
            assert_eq!(figure_against(unit, Some(value), Some(bound)), told);
        }
        assert_eq!((amount(0.002_1), amount(0.995_6)), ("0.0021".into(), "0.9956".into()));
    }

    #[test]
    fn figures_read_like_a_person_writes_them() {
        let cases = [
            ("USD", 1_234.5, "$1,234.50"),
            ("s", 0.0, "0 s"),
            ("s", 7.25, "7.25 s"),
            ("s", 3_725.4, "1 h 2 min"),
            ("share", 0.975, "97.5 %"),
            ("share", 1.0, "100 %"),
            ("share", 0.999_9, "> 99.9 %"),
            ("share", 0.000_01, "< 0.1 %"),
            ("count", 12_345.0, "12,345"),
            ("count", 1.5, "1.5"),
            ("ratio", 1.0, "1.00"),
            ("h", 1_234.567, "1,234.57 h"),
            ("per h", 0.5, "0.5 per h"),
            ("GiB", 2.0, "2 GiB"),
        ];
        for (unit, value, want) in cases {
            assert_eq!(figure(unit, Some(value)), want, "{unit}");
        }
        assert_eq!(rounded(2.0 * 86_400.0 + 23.0 * 3_600.0 + 58.0 * 60.0), "3 d");
        assert_eq!(rounded(7_199.0), "2 h");
        assert_eq!(rounded(59.4), "59 s");
        assert_eq!(figure("s", None), "–");
        assert_eq!(figure("s", Some(f64::NAN)), "–");
    }

    #[test]
    fn differences_have_signs() {
        assert_eq!(difference("share", -0.012), "−1.2 pp");
        assert_eq!(difference("s", 90.0), "+1 min 30 s");
        assert_eq!(difference("count", 0.0), "±0");
        assert_eq!(change(90.0, 100.0), "−10.0 %");
        assert_eq!(change(1.0, 0.0), "");
        assert_eq!(money_difference(Money::from_nanos(-1_500_000_000)), "−$1.50");
    }

    #[test]
    fn digits_follow_the_number_that_they_stand_beside() {
        let cases = [
            (0.000_03, 0.05, "", "±$0.00"),
            (0.001_3, 0.05, "± $0.0013", "+$0.0013"),
            (0.001_3, 535.77, "± less than $0.01", "±$0.00"),
            (0.134_5, 535.77, "± $0.13", "+$0.13"),
            (12.0, 535.77, "± $12.00", "+$12.00"),
            (1e-8, 535.77, "", "±$0.00"),
        ];
        for (value, beside, half, by) in cases {
            assert_eq!(half_width("USD", value, beside), half, "{value} beside {beside}");
            assert_eq!(difference_beside("USD", value, beside), by, "{value} beside {beside}");
        }
        assert_eq!(half_width("s", 90.0, 600.0), "± 1 min 30 s");
        assert_eq!(half_width("share", 0.012, 0.5), "± 1.2 pp");
        assert_eq!(figure("USD", Some(0.000_04)), "< $0.0001");
    }
}
