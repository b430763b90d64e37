//! Quantities as batch systems and clusters write them: durations such as
//! `1-01:00:00`, memory such as `4Gn`, and the ways to say nothing.

use super::number::{BadValue, Rounding, float, scaled};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Whether a cell says that there is no value.
#[inline]
pub(super) fn is_missing(cell: &[u8]) -> bool {
    const SPELLINGS: [&[u8]; 8] =
        [b"-", b"\\N", b"nan", b"n/a", b"null", b"none", b"unknown", b"(null)"];
    match cell.first() {
        None => true,
        Some(b'0'..=b'9') => false,
        Some(_) => SPELLINGS.iter().any(|known| cell.eq_ignore_ascii_case(known)),
    }
}

/// Microseconds of a duration that is more than a number: `[days-]hours:minutes:seconds`,
/// `minutes:seconds`, `days-hours`, `2 days, 1:00:00`, `90 min`, `1 h 30 min`.
pub(super) fn duration(cell: &[u8]) -> Result<i64, BadValue> {
    const REFUSED: BadValue = "is not a duration such as 1-01:00:00 or `90 min`";
    let text = std::str::from_utf8(cell).map_err(|_| REFUSED)?.trim();
    if text.len() > 64 {
        return Err(REFUSED);
    }
    parts(text).ok_or(REFUSED)
}

/// Amounts with units, one after another, and what is left as on a clock.
fn parts(text: &str) -> Option<i64> {
    let (mut rest, mut sum) = (text, 0_i64);
    while let Some(unit_at) = rest.find(char::is_alphabetic) {
        let (amount, after) = rest.split_at(unit_at);
        let end = after.find(|letter: char| !letter.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let amount = amount.trim().as_bytes();
        let micros = scaled(amount, per_unit(unit)?, 1.0, Rounding::Nearest).ok()?;
        // A sign of one of several amounts does not say what it is of.
        let is_first = rest.len() == text.len();
        sum = sum.checked_add(micros).filter(|_| is_first || micros.min(sum) >= 0)?;
        rest = after.trim_start_matches([' ', ',']);
        if rest.is_empty() {
            return Some(sum);
        }
    }
    clock(rest, sum)
}

/// Microseconds of a unit of time.
fn per_unit(name: &str) -> Option<i64> {
    match name {
        "us" | "µs" => Some(1),
        "ms" => Some(SECOND / 1_000),
        "s" | "sec" | "secs" | "second" | "seconds" => Some(SECOND),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60 * SECOND),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(3_600 * SECOND),
        "d" | "day" | "days" => Some(DAY),
        "w" | "week" | "weeks" => Some(7 * DAY),
        _ => None,
    }
}

/// `[days-]hours:minutes:seconds` and what may be left of it, after so many microseconds.
fn clock(text: &str, already: i64) -> Option<i64> {
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(days.parse::<u32>().ok()?), rest),
        None => (None, text),
    };
    let parts: Vec<&str> = rest.split(':').collect();
    // The last part is seconds without days; the first is hours with days.
    let units: &[i64] = match (days, parts.len()) {
        (_, 3) => &[3_600, 60, 1],
        (Some(_), 1 | 2) => &[3_600, 60],
        (None, 2) => &[60, 1],
        _ => return None,
    };
    let mut sum = already.checked_add(i64::from(days.unwrap_or(0)).checked_mul(DAY)?)?;
    for (part, unit) in parts.iter().zip(units) {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if part.is_empty() || !digits || part.len() > 12 {
            return None;
        }
        let micros = scaled(part.as_bytes(), unit * SECOND, 1.0, Rounding::Nearest).ok()?;
        sum = sum.checked_add(micros)?;
    }
    Some(sum)
}

/// Extent that an amount of memory is counted for: all, one node or one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Per {
    /// All that the row is about.
    All,
    /// Each node.
    Node,
    /// Each core.
    Core,
}

/// Bytes of an amount of memory with a suffix: `16000M`, `512Mi`, `1.5GiB`, `4Gn` (per node),
/// `4000Mc` (per core). One letter is a power of 1,024, as batch systems have it, `MB` and the like
/// a power of 1,000. `None` if there is no suffix.
pub(super) fn memory(cell: &[u8]) -> Result<Option<(i64, Per)>, BadValue> {
    const REFUSED: BadValue = "is not an amount of memory such as 16000M, 4Gn or 512Mi";
    let digits = cell.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let (number, suffix) = cell.split_at(digits);
    let (suffix, per) = match suffix {
        b"" => return Ok(None),
        [rest @ .., b'n'] => (rest, Per::Node),
        [rest @ .., b'c'] => (rest, Per::Core),
        all => (all, Per::All),
    };
    let (letter, rest) =
        suffix.trim_ascii().split_first().map_or((b'M', &b""[..]), |(a, b)| (*a, b));
    let power = match letter.to_ascii_uppercase() {
        b'B' if rest.is_empty() => 0,
        b'K' => 1,
        b'M' => 2,
        b'G' => 3,
        b'T' => 4,
        b'P' => 5,
        _ => return Err(REFUSED),
    };
    let base: i64 = match rest {
        b"" | b"i" | b"iB" | b"ib" => 1_024,
        b"B" | b"b" => 1_000,
        _ => return Err(REFUSED),
    };
    float(number).map_err(|_| REFUSED)?;
    scaled(number, base.pow(power), 1.0, Rounding::Up).map(|bytes| Some((bytes, per)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_slurm_writes_them() {
        let cases = [
            ("1-01:00:00", Some(90_000)),
            ("01:00:00", Some(3_600)),
            ("05:30", Some(330)),
            ("2-12", Some(216_000)),
            ("2-12:30", Some(217_800)),
            ("90 min", Some(5_400)),
            ("1.5h", Some(5_400)),
            ("1 h 30 min", Some(5_400)),
            ("1h30m", Some(5_400)),
            ("1 day, 2 hours, 3 s", Some(93_603)),
            ("-5 s", Some(-5)),
            ("1 h -30 min", None),
            ("-1 h 30 min", None),
            ("-1 day, 23:59:50", Some(-10)),
            ("1 h 30", None),
            ("1 h x", None),
            ("1 day, 2:03:04", Some(93_784)),
            ("0 days 00:01:00", Some(60)),
            ("UNLIMITED", None),
            ("1-", None),
            ("1:2:3:4", None),
            ("::", None),
            ("-5", None),
        ];
        for (text, want) in cases {
            assert_eq!(duration(text.as_bytes()).ok(), want.map(|secs| secs * SECOND), "{text}");
        }
    }

    #[test]
    fn memory_has_suffixes() {
        let cases = [
            ("16000M", Some((16_000 << 20, Per::All))),
            ("4Gn", Some((4 << 30, Per::Node))),
            ("4000Mc", Some((4_000 << 20, Per::Core))),
            ("512Mi", Some((512 << 20, Per::All))),
            ("62.5G", Some((125 << 29, Per::All))),
            ("2GB", Some((2_000_000_000, Per::All))),
            ("0n", Some((0, Per::Node))),
            ("12", None),
        ];
        for (text, want) in cases {
            assert_eq!(memory(text.as_bytes()), Ok(want), "{text}");
        }
        assert!(memory(b"4X").is_err() && memory(b"G").is_err());
    }

    #[test]
    fn nothing_is_spelt_in_many_ways() {
        for cell in ["", "NULL", "None", "null", "NaN", "N/A", "Unknown", "\\N", "-"] {
            assert!(is_missing(cell.as_bytes()), "{cell}");
        }
        assert!(!is_missing(b"0") && !is_missing(b"-1") && !is_missing(b"no"));
    }

    proptest! {
        #[test]
        fn arbitrary_cells_never_panic(cell in "[0-9.:dhmsGMKinc ,é-]{0,24}") {
            let _ = (duration(cell.as_bytes()), memory(cell.as_bytes()), is_missing(cell.as_bytes()));
        }
    }
}
