//! Quantities with their units, as a person writes them in a scenario:
//! `"30 min"`, `"512 GiB"`, `"18.40 USD/h"`, `"12 %"`, `"8 x A100-80GB"`.
//! Decimals are read exactly; nothing goes through floating point.

use rust_decimal::Decimal;

use crate::units::{MAX_GPUS, Rate, Span};

/// Longest span that a scenario may name: a thousand years.
const LONGEST: i64 = 1_000 * 365 * 86_400 * 1_000_000;

/// Units of time in microseconds.
const TIME_UNITS: &[(&[&str], i64)] = &[
    (&["us", "µs"], 1),
    (&["ms"], 1_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000),
    (&["min", "mins", "minute", "minutes"], 60_000_000),
    (&["h", "hour", "hours"], 3_600_000_000),
    (&["d", "day", "days"], 86_400_000_000),
    (&["w", "week", "weeks"], 604_800_000_000),
];

/// Units of size in bytes.
const SIZE_UNITS: &[(&[&str], i64)] = &[
    (&["B"], 1),
    (&["KiB"], 1 << 10),
    (&["MiB"], 1 << 20),
    (&["GiB"], 1 << 30),
    (&["TiB"], 1 << 40),
    (&["PiB"], 1 << 50),
    (&["KB", "kB"], 1_000),
    (&["MB"], 1_000_000),
    (&["GB"], 1_000_000_000),
    (&["TB"], 1_000_000_000_000),
    (&["PB"], 1_000_000_000_000_000),
];

/// A number and the unit behind it: `37.5 min`, `40`, `4 x A100-80GB`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// Number in front of the unit.
    pub number: Decimal,
    /// Unit, such as `min` or `x A100-80GB`; empty for a plain number.
    pub unit: String,
}

impl Quantity {
    /// Reads a number, with or without a unit behind it.
    pub fn read(text: &str) -> Option<Self> {
        if let Some(number) = decimal(text) {
            return Some(Self { number, unit: String::new() });
        }
        let (number, unit) = number_and_unit(text)?;
        Some(Self { number, unit: unit.to_owned() })
    }

    /// The number of the same quantity in another unit of its kind.
    pub fn in_unit(&self, unit: &str) -> Option<Decimal> {
        if self.unit == unit {
            return Some(self.number);
        }
        [TIME_UNITS, SIZE_UNITS].into_iter().find_map(|units| {
            let (from, to) = (unit_of(units, &self.unit)?, unit_of(units, unit)?);
            self.number.checked_mul(Decimal::from(from))?.checked_div(Decimal::from(to))
        })
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.unit.as_str() {
            "" => write!(to, "{}", self.number),
            unit => write!(to, "{} {unit}", self.number),
        }
    }
}

/// Splits `12.5 GiB` into its number and its unit.
fn number_and_unit(text: &str) -> Option<(Decimal, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_' || c == '-' || c == '+'))
        .unwrap_or(text.len());
    Some((decimal(&text[..end])?, text[end..].trim()))
}

/// A decimal as TOML writes numbers: `1_000.5`, `1e-3`.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let plain: String = text.trim().chars().filter(|&c| c != '_').collect();
    let plain = plain.strip_prefix('+').unwrap_or(&plain);
    if plain.len() > 40 {
        return None;
    }
    plain.parse().ok().or_else(|| Decimal::from_scientific(plain).ok())
}

/// `value` x `scale`, rounded to the nearest whole number; `None` where it does not fit.
pub(super) fn whole(value: Decimal, scale: i64) -> Option<i64> {
    let product = value.checked_mul(Decimal::from(scale))?;
    i64::try_from(product.round().mantissa()).ok()
}

fn unit_of(units: &[(&[&str], i64)], name: &str) -> Option<i64> {
    units.iter().find(|(names, _)| names.contains(&name)).map(|&(_, scale)| scale)
}

/// A span: `90 s`, `1.5 d`, `1 h 30 min`; up to a thousand years.
pub fn span(text: &str) -> Option<Span> {
    let mut rest = text.trim();
    let mut micros = 0_i64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| c.is_alphabetic())?;
        let after = &rest[unit_at..];
        let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let value = decimal(&rest[..unit_at])?;
        if value.is_sign_negative() {
            return None;
        }
        micros = micros.checked_add(whole(value, unit_of(TIME_UNITS, &after[..end])?)?)?;
        rest = after[end..].trim_start();
    }
    (micros <= LONGEST).then_some(Span::from_micros(micros))
}

/// A size in bytes: `64 MiB`, `1.5 TiB`, `10 GB`.
pub fn size(text: &str) -> Option<i64> {
    let (value, unit) = number_and_unit(text)?;
    let bytes = whole(value, unit_of(SIZE_UNITS, unit)?)?;
    (bytes >= 0).then_some(bytes)
}

/// A size with its unit in the letters that [`size`] reads; `None` where that does not mend it.
pub(super) fn in_its_letters(text: &str) -> Option<String> {
    let (value, unit) = number_and_unit(text)?;
    let mut names = SIZE_UNITS.iter().flat_map(|(names, _)| names.iter());
    let known = names.find(|known| known.eq_ignore_ascii_case(unit))?;
    let right = format!("{value} {known}");
    size(&right).map(|_| right)
}

/// Memory in MiB, rounded to the nearest: `512 GiB`.
pub(super) fn memory(text: &str) -> Option<u32> {
    let bytes = size(text)?;
    u32::try_from((bytes + (1 << 19)) >> 20).ok()
}

/// A price per hour: `18.40 USD/h`.
pub(super) fn rate(text: &str) -> Option<Rate> {
    let text = text.trim();
    let (number, unit) = match text.strip_prefix('$') {
        Some(rest) => (rest.split_once('/')?.0, format!("USD/{}", rest.split_once('/')?.1.trim())),
        None => {
            let end = text.find(|c: char| c.is_alphabetic())?;
            (&text[..end], text[end..].replace(' ', ""))
        }
    };
    let hourly = ["USD/h", "USD/hour", "USD/hr"].contains(&unit.as_str());
    let number = decimal(number)?;
    hourly.then(|| Rate::parse(&number.to_string())).flatten()
}

/// A share in millionths: `12 %`, `0.5 %`.
pub fn percent(text: &str) -> Option<i64> {
    let (value, unit) = number_and_unit(text)?;
    if unit != "%" {
        return None;
    }
    whole(value, 10_000)
}

/// Electrical power in milliwatts: `450 W`, `1.2 kW`.
pub(super) fn power(text: &str) -> Option<i64> {
    let (value, unit) = number_and_unit(text)?;
    let scale = match unit {
        "W" => 1_000,
        "kW" => 1_000_000,
        _ => return None,
    };
    whole(value, scale).filter(|&milliwatts| (0..=1_000_000_000_000).contains(&milliwatts))
}

/// GPUs: `8 x A100-80GB`, or a model alone for one.
pub(super) fn gpus(text: &str) -> Option<(u8, String)> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (count, rest) = text.split_at(digits);
    let count = if count.is_empty() { 1 } else { count.parse().ok()? };
    let rest = rest.trim_start();
    let times = rest.strip_prefix(['x', 'X', '×']).map(str::trim_start);
    // Without a count `x` is the beginning of a name.
    let model = times.filter(|_| digits > 0).unwrap_or(rest);
    let name = model.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
    (named && (1..=MAX_GPUS).contains(&count)).then_some((count, name))
}

/// An instant in microseconds since 1970: RFC 3339, or a date for its
/// midnight UTC. Years 1900 to 2300.
pub(super) fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let full = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    let timestamp: jiff::Timestamp = full.parse().ok()?;
    let micros = timestamp.as_microsecond();
    (-2_208_988_800_000_000..10_413_792_000_000_000).contains(&micros).then_some(micros)
}

/// Milli-cores: `4`, `0.5`.
pub(super) fn vcpus(text: &str) -> Option<u32> {
    let milli = whole(decimal(text)?, 1_000)?;
    u32::try_from(milli).ok()
}

/// An amount of dollars per something, in nano-dollars: `0.09`.
pub(super) fn dollars(text: &str) -> Option<i64> {
    whole(decimal(text)?, 1_000_000_000).filter(|&nanos| nanos >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_are_read_exactly() {
        let spans = [
            ("30 min", Some(1_800_000_000)),
            ("30min", Some(1_800_000_000)),
            ("1.5 d", Some(129_600_000_000)),
            ("1 h 30 min", Some(5_400_000_000)),
            ("250 ms", Some(250_000)),
            ("0 s", Some(0)),
            ("30", None),
            ("-1 s", None),
            ("1 y", None),
            ("min", None),
            ("9999999999 d", None),
            ("1 s 2", None),
        ];
        for (text, want) in spans {
            assert_eq!(span(text).map(Span::micros), want, "{text}");
        }
        let sizes = [
            ("512 GiB", Some(512 << 30)),
            ("1.5 TiB", Some(3 << 39)),
            ("1 GB", Some(1_000_000_000)),
            ("-1 GiB", None),
            ("12", None),
            ("99999999 PiB", None),
        ];
        for (text, want) in sizes {
            assert_eq!(size(text), want, "{text}");
        }
        assert_eq!(memory("1 GB"), Some(954)); // 1e9 / 2^20 = 953.67
    }

    #[test]
    fn quantities_keep_their_units() {
        let read = |text| Quantity::read(text).map(|quantity| quantity.to_string());
        assert_eq!(read("90min").as_deref(), Some("90 min"));
        assert_eq!(read("1e-3").as_deref(), Some("0.001"));
        assert_eq!(read("4 x A100-80GB").as_deref(), Some("4 x A100-80GB"));
        assert_eq!(read("fcfs"), None);
        let hours = Quantity::read("1.5 h").expect("a quantity");
        assert_eq!(hours.in_unit("min"), Some(Decimal::from(90)));
        assert_eq!(hours.in_unit("h"), Some(hours.number));
        assert_eq!(hours.in_unit("GiB"), None);
        assert_eq!(hours.in_unit(""), None);
    }

    #[test]
    fn money_shares_and_devices() {
        let picos = |text| rate(text).map(Rate::picos);
        assert_eq!(picos("18.40 USD/h"), Some(18_400_000_000_000));
        assert_eq!(picos("$0.5/h"), Some(500_000_000_000));
        assert_eq!(picos("18.40 EUR/h"), None);
        assert_eq!(percent("12.5 %"), Some(125_000));
        assert_eq!(percent("12"), None);
        assert_eq!(power("1.2 kW"), Some(1_200_000));
        assert_eq!(gpus("8 x A100-80GB"), Some((8, "A100-80GB".to_owned())));
        assert_eq!(gpus("T4"), Some((1, "T4".to_owned())));
        for text in ["8x A100-80GB", "8 A100-80GB", "8 × A100 80GB", "8 x  A100 80GB"] {
            assert_eq!(gpus(text), Some((8, "A100-80GB".to_owned())), "{text}");
        }
        assert_eq!(gpus("xeon phi"), Some((1, "xeon-phi".to_owned())));
        assert_eq!(gpus("8"), None);
        assert_eq!(gpus("8 x"), None);
        assert_eq!(gpus("99 x T4"), None);
        assert_eq!(instant("2026-03-01"), Some(1_772_323_200_000_000));
        assert_eq!(instant("2026-03-01T12:00:00+00:00"), Some(1_772_366_400_000_000));
        assert_eq!(instant("2026-13-01"), None);
        assert_eq!(vcpus("0.5"), Some(500));
        assert_eq!(dollars("0.09"), Some(90_000_000));
    }
}
