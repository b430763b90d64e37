//! A set of names that tells, in bounded memory, whether a name was there before.

use rustc_hash::FxHashSet;

/// Most names that are remembered; later ones are only held against these.
const MOST: usize = 10_000_000;

/// Names seen so far, as hashes of 64 bits: two different names count as one
/// about once in 370,000 traces of ten million.
#[derive(Debug, Default)]
pub(super) struct SeenNames {
    names: FxHashSet<u64>,
}

impl SeenNames {
    /// Notes `name`, and tells whether it was noted before; no name is never the same.
    pub(super) fn again(&mut self, name: &str) -> bool {
        self.again_bytes(name.as_bytes())
    }

    /// The same as [`Self::again`], for a name as it stands in a file.
    pub(super) fn again_bytes(&mut self, name: &[u8]) -> bool {
        if name.is_empty() {
            return false;
        }
        let hash = Self::hash(name);
        if self.names.len() >= MOST {
            return self.names.contains(&hash);
        }
        !self.names.insert(hash)
    }

    /// The first 64 bits of a hash without a pattern.
    pub(super) fn hash(name: &[u8]) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&blake3::hash(name).as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_was_there_is_seen_again() {
        let mut seen = SeenNames::default();
        assert!(!seen.again("a") && !seen.again("b") && seen.again("a"));
        assert!(!seen.again("") && !seen.again(""));
        assert!((0..100_000).all(|row| !seen.again(&format!("job-{row}"))));
    }
}
