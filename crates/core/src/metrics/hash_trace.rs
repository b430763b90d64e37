//! Rolling hash over a run's records, kept at a bounded number of marks, so that the point where
//! two runs part is found without their logs.

use serde::{Deserialize, Serialize};

/// Most marks of a trail; when they are full, every other one is dropped.
const MOST: usize = 32;

/// A rolling hash over the records of a run, and what it was at marks.
///
/// Record `n` counts from 1. There is a mark at every multiple of `stride`, a
/// power of two that grows with the run, so the marks of two runs meet at the
/// multiples of the larger stride.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashTrace {
    /// Records of the run.
    pub records: u64,
    /// Records from one mark to the next.
    pub stride: u64,
    /// The hash after `stride`, 2 x `stride` ... records, 16 hexadecimal digits each.
    pub marks: Vec<RecordHash>,
    /// The hash after all records.
    pub last: RecordHash,
}

/// A hash, as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordHash(pub u64);

impl Default for HashTrace {
    fn default() -> Self {
        Self { records: 0, stride: 1, marks: Vec::new(), last: RecordHash(0x2545_f491_4f6c_dd1d) }
    }
}

impl HashTrace {
    /// Takes one record in.
    #[inline(always)]
    pub fn step(&mut self, word: u64) {
        let product = u128::from(self.last.0 ^ word) * 0x9e37_79b9_7f4a_7c15;
        self.last.0 = (product as u64 ^ (product >> 64) as u64).wrapping_add(word.rotate_left(23));
        self.records += 1;
        if self.records & (self.stride - 1) == 0 {
            self.mark();
        }
    }

    #[cold]
    fn mark(&mut self) {
        self.marks.push(self.last);
        if self.marks.len() == MOST {
            let mut row = 0;
            self.marks.retain(|_| {
                row += 1;
                row % 2 == 0
            });
            self.stride *= 2;
        }
    }

    /// The records between which two runs part: they agree up to the first
    /// number, and not any more at the second, which is the length of the
    /// shorter run where only one of them goes on. `None` where both are the same.
    pub fn divergence(&self, other: &Self) -> Option<(u64, u64)> {
        if self.records == other.records && self.last == other.last {
            return None;
        }
        let stride = self.stride.max(other.stride);
        let mut agreed = 0;
        let mut at = stride;
        while let (Some(one), Some(two)) = (self.at(at), other.at(at)) {
            if one != two {
                return Some((agreed, at));
            }
            agreed = at;
            at += stride;
        }
        Some((agreed, at.min(self.records.max(other.records))))
    }

    fn at(&self, record: u64) -> Option<RecordHash> {
        let row = usize::try_from(record / self.stride).ok()?.checked_sub(1)?;
        self.marks.get(row).copied()
    }
}

impl TryFrom<String> for RecordHash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u64::from_str_radix(&text, 16).ok().filter(|_| hex);
        value.map(Self).ok_or_else(|| "a mark has 16 hexadecimal digits".to_owned())
    }
}

impl From<RecordHash> for String {
    fn from(mark: RecordHash) -> Self {
        format!("{:016x}", mark.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(words: impl IntoIterator<Item = u64>) -> HashTrace {
        let mut trail = HashTrace::default();
        words.into_iter().for_each(|word| trail.step(word));
        trail
    }

    #[test]
    fn marks_stay_bounded_and_lie_at_multiples_of_the_stride() {
        let long = trace(0..100_000);
        assert_eq!((long.records, long.stride), (100_000, 4096));
        assert!(long.marks.len() < MOST);
        assert_eq!(long.marks[4], trace(0..5 * 4096).last);
        assert_eq!(trace([]).marks, []);
    }

    #[test]
    fn the_divergence_is_bracketed() {
        for (length, at) in [(10, 3), (1_000, 0), (1_000, 999), (50_000, 31_234)] {
            let one = trace(0..length);
            let two = trace((0..length).map(|word| if word == at { 7_777_777 } else { word }));
            let (agreed, parted) = one.divergence(&two).expect("they differ");
            assert!(agreed <= at && at < parted, "{length}, {at}: {agreed} to {parted}");
            assert!(parted - agreed <= one.stride);
            assert_eq!(one.divergence(&one), None);
        }
        // One run goes on where the other one ends, at another stride.
        let (short, long) = (trace(0..100), trace(0..5_000));
        let (agreed, parted) = short.divergence(&long).expect("they differ");
        assert!(agreed <= 100 && 100 < parted, "{agreed} to {parted}");
    }

    #[test]
    fn a_trace_survives_being_written() {
        let one = trace(0..77);
        let text = toml::to_string(&one).expect("a trail is data");
        assert_eq!(toml::from_str::<HashTrace>(&text).expect("as written"), one);
        assert!(toml::from_str::<HashTrace>(&text.replace("last = \"", "last = \"x")).is_err());
    }
}
