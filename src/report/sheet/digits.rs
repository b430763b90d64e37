//! Numbers in digits, eight at a time.

/// `number`, below a hundred million, as eight decimal digits; the first one
/// is the lowest byte. All are worked out at once, as fours, twos and ones
/// side by side in one word: a division by 100 or 10 is a multiplication that
/// is exact for numbers this small.
const fn eight(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((twos - tens * 10) << 8)
}

/// Word of eight characters `0`.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Appends a whole number, without zeros in front.
#[inline]
pub(super) fn whole(number: u64, to: &mut Vec<u8>) {
    if number < 10 {
        to.push(b'0' + number as u8);
        return;
    }
    const EIGHT: u64 = 100_000_000;
    if number >= EIGHT {
        whole(number / EIGHT, to);
        to.extend_from_slice(&(eight(number % EIGHT) | ZEROS).to_le_bytes());
        return;
    }
    let digits = eight(number);
    let zeros = digits.trailing_zeros() / 8;
    to.extend_from_slice(&((digits | ZEROS) >> (8 * zeros)).to_le_bytes());
    to.truncate(to.len() - zeros as usize);
}

/// Appends the lowest `places` digits of `number`, at most eight, zeros and all.
#[inline(always)]
pub(super) fn last(places: u32, number: u64, to: &mut Vec<u8>) {
    let unused = 8 - places;
    to.extend_from_slice(&((eight(number) | ZEROS) >> (8 * unused)).to_le_bytes());
    to.truncate(to.len() - unused as usize);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_four_digits_and_every_power_of_ten_is_right() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let around = powers.flat_map(|power| [power - 1, power, power + 1, power / 7 * 3]);
        for number in (0..10_000).chain(around).chain([99_999_999, u64::MAX]) {
            let mut text = Vec::new();
            whole(number, &mut text);
            assert_eq!(String::from_utf8(text), Ok(number.to_string()));
            let below = number % 100_000_000;
            let mut text = Vec::new();
            last(8, below, &mut text);
            assert_eq!(String::from_utf8(text), Ok(format!("{below:08}")));
            let mut text = Vec::new();
            last(3, below % 1_000, &mut text);
            assert_eq!(String::from_utf8(text), Ok(format!("{:03}", below % 1_000)));
        }
    }
}
