//! Numbers as they stand in files, read exactly where they can be.

/// Reason that a value was refused, to stand after "`value` ".
pub(super) type BadValue = &'static str;

const NO_NUMBER: BadValue = "is not a number";
const EXPONENT: BadValue = "has an exponent: write its digits out";

/// Times and spans read from files stay within this many microseconds of the
/// run's start (about 3,000 years), so that sums of a few of them cannot overflow.
pub(super) const FAR: i64 = 100_000_000_000_000_000;

/// A whole number in digits, with an optional minus sign.
pub(super) fn integer(text: &[u8]) -> Result<i64, BadValue> {
    fixed(text, 0)
}

/// A whole number of at least 0 that fits `T`.
pub(super) fn unsigned<T: TryFrom<i64>>(text: &[u8]) -> Result<T, BadValue> {
    let value = integer(text)?;
    if value < 0 {
        return Err("must not be negative");
    }
    T::try_from(value).map_err(|_| "is too large")
}

/// Seconds with at most six decimals, as whole microseconds.
pub(super) fn seconds(text: &[u8]) -> Result<i64, BadValue> {
    within_reach(fixed(text, 6)?)
}

/// `micros` if it lies within [`FAR`] of zero.
pub(super) fn within_reach(micros: i64) -> Result<i64, BadValue> {
    if (-FAR..=FAR).contains(&micros) { Ok(micros) } else { Err("lies more than 3,000 years away") }
}

/// A decimal times 10^`decimals`, exactly.
fn fixed(text: &[u8], decimals: u32) -> Result<i64, BadValue> {
    match whole(text) {
        Some(value) => value.checked_mul(10_i64.pow(decimals)).ok_or("is too large"),
        None => fixed_point(text, decimals),
    }
}

/// Value of 1 to 16 digits, which most numbers have and which always fit.
#[inline]
fn whole(text: &[u8]) -> Option<i64> {
    match text.len() {
        1..=8 => eight_digits(right_aligned(text)),
        9..=16 => {
            let (high, low) = text.split_at(text.len() - 8);
            let high = eight_digits(right_aligned(high))?;
            Some(high * 100_000_000 + eight_digits(right_aligned(low))?)
        }
        _ => None,
    }
}

/// One to eight characters at the end of a word, with zeros in front; the first
/// character is the lowest byte. Read in two or three pieces that may overlap.
#[inline]
fn right_aligned(text: &[u8]) -> u64 {
    const ZEROS: u64 = u64::from_le_bytes(*b"00000000");
    let len = text.len();
    let unused = 8 * (8 - len as u32);
    let word = match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|four| u64::from(u32::from_le_bytes(*four)));
            first | last << (32 - unused)
        }
        _ => {
            let byte = |at: usize| u64::from(text[at]) << (8 * at);
            byte(0) | byte(len / 2) | byte(len - 1)
        }
    };
    // A shift by all 64 bits would be none.
    word << unused | (ZEROS >> 1) >> (63 - unused)
}

/// The number that eight digits are, the first in the lowest byte; `None` where one of them is no
/// digit. Neighbours are put together in three steps: ones to twos, fours and eight (Lemire,
/// "Quickly parsing eight digits", 2018).
#[inline]
const fn eight_digits(word: u64) -> Option<i64> {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const THREES: u64 = 0x3030_3030_3030_3030;
    // A digit keeps its upper half, 3, also where six is added.
    if word & HIGH != THREES || (word + 0x0606_0606_0606_0606) & HIGH != THREES {
        return None;
    }
    let twos = (word & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (twos & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 << 16 | 1) >> 16;
    let eight = (fours & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 << 32 | 1) >> 32;
    Some(eight as i64)
}

fn fixed_point(text: &[u8], decimals: u32) -> Result<i64, BadValue> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    let mut seen = false;
    let mut at = 0;
    while at < digits.len() {
        let digit = digits[at].wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = push_digit(value, digit)?;
        seen = true;
        at += 1;
    }
    let mut missing = decimals;
    if at < digits.len() && digits[at] == b'.' {
        for &byte in &digits[at + 1..] {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(if seen && matches!(byte, b'e' | b'E') { EXPONENT } else { NO_NUMBER });
            }
            if missing > 0 {
                value = push_digit(value, digit)?;
                missing -= 1;
            } else if digit != 0 {
                return Err(if decimals == 0 {
                    "is not a whole number"
                } else {
                    "has more than six decimals"
                });
            }
            seen = true;
        }
        at = digits.len();
    }
    if at != digits.len() || !seen {
        let exponent = seen && matches!(digits[at..].first(), Some(b'e' | b'E'));
        return Err(if exponent { EXPONENT } else { NO_NUMBER });
    }
    let value = value.checked_mul(10_i64.pow(missing)).ok_or("is too large")?;
    Ok(if negative { -value } else { value })
}

fn push_digit(value: i64, digit: u8) -> Result<i64, BadValue> {
    value.checked_mul(10).and_then(|value| value.checked_add(digit.into())).ok_or("is too large")
}

/// Direction in which a number between two whole ones is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    /// Half away from zero.
    Nearest,
    /// Up, so that a small demand does not vanish.
    Up,
}

/// Any decimal (an exponent is allowed) times `per_unit` times `scale`. Exact
/// but for the one rounding when `scale` is 1 and there are at most 27 digits
/// and no exponent; otherwise to the precision of `f64`.
pub(super) fn scaled(
    text: &[u8],
    per_unit: i64,
    scale: f64,
    rounding: Rounding,
) -> Result<i64, BadValue> {
    if scale == 1.0
        && let Some((mantissa, decimals)) = plain_decimal(text)
        && let Some(product) = mantissa.checked_mul(per_unit.into())
    {
        let divisor = 10_i128.pow(decimals);
        let whole = match rounding {
            Rounding::Nearest if product < 0 => -((-product + divisor / 2) / divisor),
            Rounding::Nearest => (product + divisor / 2) / divisor,
            Rounding::Up => {
                product.div_euclid(divisor) + i128::from(product.rem_euclid(divisor) > 0)
            }
        };
        return i64::try_from(whole).map_err(|_| "is too large");
    }
    let value = float(text)? * per_unit as f64 * scale;
    let whole = match rounding {
        Rounding::Nearest => libm::round(value),
        // The product of an exact size and a decimal factor may lie a hair above it.
        Rounding::Up => libm::ceil(value - value.abs() * 1e-12),
    };
    if whole.abs() < 9.2e18 { Ok(whole as i64) } else { Err("is too large") }
}

/// A finite number.
pub(super) fn float(text: &[u8]) -> Result<f64, BadValue> {
    let text = std::str::from_utf8(text).map_err(|_| "is not a number")?;
    let value: f64 = text.parse().map_err(|_| "is not a number")?;
    if value.is_finite() { Ok(value) } else { Err("is not a finite number") }
}

/// Mantissa and number of decimals of a decimal without exponent.
fn plain_decimal(text: &[u8]) -> Option<(i128, u32)> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let point = digits.iter().position(|&byte| byte == b'.');
    let decimals = point.map_or(0, |point| digits.len() - point - 1);
    if digits.len() > 28 || digits.len() == usize::from(point.is_some()) {
        return None;
    }
    let mut mantissa: i128 = 0;
    for (at, &byte) in digits.iter().enumerate() {
        if Some(at) != point {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            mantissa = mantissa * 10 + i128::from(digit);
        }
    }
    Some((if negative { -mantissa } else { mantissa }, decimals as u32))
}

/// Writes microseconds as seconds with as many decimals as are needed.
pub(super) fn show_seconds(micros: i64, text: &mut String) {
    use std::fmt::Write;
    let sign = if micros < 0 { "-" } else { "" };
    let magnitude = micros.unsigned_abs();
    let start = text.len();
    let written = write!(text, "{sign}{}.{:06}", magnitude / 1_000_000, magnitude % 1_000_000);
    written.expect("a string takes any text");
    while text.ends_with('0') {
        text.pop();
    }
    if text.ends_with('.') {
        text.pop();
    }
    debug_assert!(text.len() > start);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length, and every byte in every place.
    #[test]
    fn short_whole_numbers_are_read_as_the_library_reads_them() {
        let digits = "9081726354819203746";
        for (from, len) in
            (0..digits.len()).flat_map(|from| (1..=19 - from).map(move |n| (from, n)))
        {
            let text = &digits[from..from + len];
            let want = if len <= 16 { text.parse().ok() } else { None };
            assert_eq!(whole(text.as_bytes()), want, "{text}");
        }
        for (len, byte) in (1..=16).flat_map(|len| (0..=u8::MAX).map(move |byte| (len, byte))) {
            for at in 0..len {
                let mut text = vec![b'7'; len];
                text[at] = byte;
                assert_eq!(
                    whole(&text).is_some(),
                    byte.is_ascii_digit(),
                    "{byte} at {at} of {len}"
                );
            }
        }
        assert_eq!(whole(b""), None);
    }

    #[test]
    fn seconds_are_exact() {
        let cases = [
            ("0", Ok(0)),
            ("12", Ok(12_000_000)),
            ("12.5", Ok(12_500_000)),
            ("-0.000001", Ok(-1)),
            (".5", Ok(500_000)),
            ("5.", Ok(5_000_000)),
            ("1.0000000", Ok(1_000_000)),
            ("1.0000001", Err("has more than six decimals")),
            ("", Err("is not a number")),
            (".", Err("is not a number")),
            ("-", Err("is not a number")),
            ("1e3", Err("has an exponent: write its digits out")),
            ("1.5E3", Err("has an exponent: write its digits out")),
            ("1 ", Err("is not a number")),
            ("--1", Err("is not a number")),
            ("nan", Err("is not a number")),
            ("99999999999999999999", Err("is too large")),
            ("100000000001", Err("lies more than 3,000 years away")),
        ];
        for (text, want) in cases {
            assert_eq!(seconds(text.as_bytes()), want, "{text}");
        }
        for micros in [0, 1, -1, 1_000_000, 12_345_678, -90_000_000] {
            let mut text = String::new();
            show_seconds(micros, &mut text);
            assert_eq!(seconds(text.as_bytes()), Ok(micros), "{text}");
        }
    }

    #[test]
    fn whole_numbers_keep_to_their_type() {
        assert_eq!(unsigned::<u8>(b"255"), Ok(255));
        assert_eq!(unsigned::<u8>(b"256"), Err("is too large"));
        assert_eq!(unsigned::<u8>(b"-1"), Err("must not be negative"));
        assert_eq!(integer(b"1.5"), Err("is not a whole number"));
        assert_eq!(integer(b"3.0"), Ok(3));
    }

    #[test]
    fn units_and_scales_multiply() {
        use Rounding::{Nearest, Up};
        let cases = [
            // 19.083333333333332 h = 68,699.9999999999952 s.
            ("19.083333333333332", 3_600_000_000, 1.0, Nearest, Ok(68_700_000_000)),
            ("552.21", 1_000_000, 1.0, Nearest, Ok(552_210_000)),
            ("-0.5", 1, 1.0, Nearest, Ok(-1)),
            ("0.0081", 64_000, 1.0, Up, Ok(519)), // 518.4
            ("4", 1_000, 1.0, Up, Ok(4_000)),
            ("4", 1_000, 1.1, Up, Ok(4_400)),
            ("1e3", 1, 1.0, Nearest, Ok(1_000)),
            ("inf", 1, 1.0, Nearest, Err("is not a finite number")),
            ("NaN", 1, 1.0, Nearest, Err("is not a finite number")),
            ("1e308", 1_000, 1.0, Nearest, Err("is too large")),
            ("x", 1, 1.0, Nearest, Err("is not a number")),
            (".", 1, 1.0, Nearest, Err("is not a number")),
        ];
        for (text, per_unit, scale, rounding, want) in cases {
            assert_eq!(scaled(text.as_bytes(), per_unit, scale, rounding), want, "{text}");
        }
    }
}
