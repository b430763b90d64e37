//! Percentiles of whole numbers: exact up to 100,000 samples, then from an
//! integer histogram with three significant digits.

use crate::units::rank::nearest_rank;

/// Samples up to which percentiles are exact.
pub const EXACT_SAMPLES: usize = 100_000;

/// Samples of a non-negative whole number.
///
/// Mean and maximum are always exact. Percentiles are nearest-rank; beyond
/// [`EXACT_SAMPLES`] they are at most 0.1 % too high. Merging is exact and does
/// not depend on order.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    samples: Vec<u64>,
    coarse: Option<Coarse>,
    count: u64,
    sum: i128,
    max: u64,
}

/// Values below this are counted one by one, larger ones by their leading bits:
/// the buckets of an HDR histogram of three significant digits.
const FINE: u64 = 1 << 11;
/// Buckets of each further power of two.
const HALF: u64 = FINE / 2;

/// Beyond [`EXACT_SAMPLES`]: how many samples each bucket has.
#[derive(Clone, Debug, Default)]
struct Coarse {
    counts: Vec<u64>,
}

impl Coarse {
    /// The bucket of a value: where the library would count it, found with
    /// fewer steps, because every piece of work is counted several times.
    #[inline]
    fn bucket(value: u64) -> usize {
        let shift = u64::from(FINE.leading_zeros() + 1 - (value | (FINE - 1)).leading_zeros());
        (shift * HALF + (value >> shift)) as usize
    }

    /// The least value of a bucket.
    fn least(bucket: usize) -> u64 {
        let bucket = bucket as u64;
        let shift = (bucket / HALF).saturating_sub(1);
        (bucket - shift * HALF) << shift
    }

    #[inline]
    fn add(&mut self, value: u64) {
        let bucket = Self::bucket(value);
        if bucket >= self.counts.len() {
            self.grow(bucket);
        }
        self.counts[bucket] += 1;
    }

    #[cold]
    fn grow(&mut self, bucket: usize) {
        self.counts.resize(bucket + 1, 0);
    }

    /// Number of samples in each bucket or below it.
    fn cumulated(&self) -> Vec<u64> {
        let mut sum = 0;
        let add = |count: &u64| {
            sum += count;
            sum
        };
        self.counts.iter().map(add).collect()
    }
}

impl Histogram {
    /// Adds a sample.
    #[inline]
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum += i128::from(value);
        self.max = self.max.max(value);
        if let Some(coarse) = &mut self.coarse {
            coarse.add(value);
            return;
        }
        self.samples.push(value);
        if self.samples.len() > EXACT_SAMPLES {
            self.coarsen();
        }
    }

    #[cold]
    fn coarsen(&mut self) {
        let mut coarse = Coarse::default();
        for &value in &self.samples {
            coarse.add(value);
        }
        self.samples = Vec::new();
        self.coarse = Some(coarse);
    }

    /// Number of samples.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Sum of the samples.
    pub fn sum(&self) -> i128 {
        self.sum
    }

    /// Mean; `None` without samples.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// Largest sample; `None` without samples.
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// Whether percentiles are exact.
    pub fn is_exact(&self) -> bool {
        self.coarse.is_none()
    }

    /// The smallest sample that at least `fraction` of the samples do not
    /// exceed (nearest rank), for each of `fractions` in `0.0..=1.0`.
    pub fn percentiles(&self, fractions: &[f64]) -> Vec<Option<u64>> {
        if self.count == 0 {
            return vec![None; fractions.len()];
        }
        let rank = |fraction: f64| nearest_rank(fraction, self.count);
        if let Some(coarse) = &self.coarse {
            let cumulated = coarse.cumulated();
            let at = |&fraction: &f64| {
                let bucket = cumulated.partition_point(|&sum| sum < rank(fraction));
                Some((Coarse::least(bucket + 1) - 1).min(self.max))
            };
            return fractions.iter().map(at).collect();
        }
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        fractions.iter().map(|&fraction| Some(sorted[rank(fraction) as usize - 1])).collect()
    }

    /// Share of the samples that are at most `value`, in `0.0..=1.0`.
    pub fn share_at_most(&self, value: u64) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let below = match &self.coarse {
            Some(coarse) => {
                let buckets = coarse.counts.iter().take(Coarse::bucket(value) + 1);
                buckets.sum()
            }
            None => self.samples.iter().filter(|&&sample| sample <= value).count() as u64,
        };
        below as f64 / self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Stream;

    #[test]
    fn percentiles_are_nearest_rank() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentiles(&[0.5]), [None]);
        for value in [15, 20, 35, 40, 50] {
            histogram.add(value);
        }
        // The textbook example: p30 of five is the 2nd, p40 the 2nd, p50 the 3rd.
        let got = histogram.percentiles(&[0.05, 0.3, 0.4, 0.5, 1.0]);
        assert_eq!(got, [15, 20, 20, 35, 50].map(Some));
        assert_eq!(histogram.mean(), Some(32.0));
        assert_eq!(histogram.share_at_most(35), 0.6);
    }

    /// Every bucket is one of the library's: the same neighbours are told apart.
    #[test]
    fn buckets_are_those_of_an_hdr_histogram() {
        let library = hdrhistogram::Histogram::<u64>::new_with_bounds(1, u64::MAX / 4, 3)
            .expect("the bounds and digits are valid");
        let near = |bit: u32| {
            let power = 1_u64 << bit;
            [power - 1, power, power + 1, power + power / 3, power + power / 2]
        };
        for value in (0..5_000).chain((0..62).flat_map(near)) {
            let bucket = Coarse::bucket(value);
            assert_eq!(Coarse::least(bucket), library.lowest_equivalent(value), "{value}");
            let next = library.next_non_equivalent(value);
            assert_eq!(Coarse::bucket(next), bucket + 1, "after {value}");
        }
    }

    /// 50,009 of 100,017 samples are 1: the nearest rank of the median is 50,009, but as
    /// a share of all that is a little more than 50,009 / 100,017 in floats.
    #[test]
    fn percentiles_of_many_samples_are_of_the_nearest_rank() {
        for count in (EXACT_SAMPLES as u64 + 1..100_200).chain([150_001, 262_143]) {
            for (fraction, rank) in
                [(0.5, count.div_ceil(2)), (0.95, (count * 95).div_ceil(100)), (1.0, count)]
            {
                // The same as that many samples, counted at once.
                let mut coarse = Coarse { counts: vec![0, rank] };
                coarse.grow(1_000);
                coarse.counts[1_000] = count - rank;
                let all =
                    Histogram { coarse: Some(coarse), count, max: 1_000, ..Histogram::default() };
                assert_eq!(all.percentiles(&[fraction]), [Some(1)], "{fraction} of {count}");
            }
        }
    }

    #[test]
    fn many_samples_keep_three_digits() {
        let mut histogram = Histogram::default();
        let mut all = Vec::new();
        let mut stream = Stream::new(3, "histogram");
        for _ in 0..150_000 {
            let value = stream.below(1 << 40);
            histogram.add(value);
            all.push(value);
        }
        all.sort_unstable();
        assert!(!histogram.is_exact());
        for (fraction, at) in [(0.5, 75_000), (0.95, 142_500), (0.99, 148_500)] {
            let got = histogram.percentiles(&[fraction])[0].expect("there are samples") as f64;
            let want = all[at - 1] as f64;
            assert!((got / want - 1.0).abs() <= 0.001, "{got} {want}");
        }
        assert_eq!(histogram.max(), all.last().copied());
        assert!((histogram.share_at_most(all[30_000]) - 0.2).abs() < 0.001);
    }
}
