//! Many questions asked of the same runs: what is found by chance grows with
//! their number, and is held down here.

/// p-values adjusted so that, reading those at most alpha as findings, the
/// chance of even one false finding is at most alpha, whatever the dependence
/// between the questions. In the order given.
///
/// Holm, "A simple sequentially rejective multiple test procedure",
/// Scandinavian Journal of Statistics 6(2), 1979: the j-th smallest of m is
/// multiplied by m - j + 1, never falls below the one before, and ends at 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut ranks: Vec<usize> = (0..p.len()).collect();
    ranks.sort_by(|&left, &right| p[left].total_cmp(&p[right]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, &at) in ranks.iter().enumerate() {
        largest = largest.max((p.len() - rank) as f64 * p[at]).min(1.0);
        adjusted[at] = largest;
    }
    adjusted
}

/// The confidence that each of `intervals` intervals needs so that all of
/// them hold at once with probability `confidence` (Bonferroni).
pub fn simultaneous(confidence: f64, intervals: usize) -> f64 {
    1.0 - (1.0 - confidence) / intervals.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::paired::paired;
    use super::*;
    use crate::units::{Distribution, Stream};

    #[track_caller]
    fn check(p: &[f64], expected: &[f64]) {
        let found = holm(p);
        assert_eq!(found.len(), expected.len());
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        assert!(found.iter().zip(expected).all(close), "{found:?}, not {expected:?}");
    }

    #[test]
    fn adjusted_by_hand() {
        // Sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 and .04, lifted to .06.
        check(&[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]);
        check(&[0.5, 0.9], &[1.0, 1.0]);
        check(&[0.2, 0.2, 0.2], &[0.6, 0.6, 0.6]);
        check(&[0.04], &[0.04]);
        check(&[], &[]);
        assert_eq!(simultaneous(0.95, 1), 0.95);
        assert!((simultaneous(0.95, 5) - 0.99).abs() < 1e-12);
    }

    /// 400 families of 10 questions about nothing. Unadjusted, 1 - 0.95^10 =
    /// 40 % of the families find something; adjusted, at most 5 %. The band is
    /// 99.9 % of a binomial of 400 trials of chance 0.05.
    #[test]
    fn families_of_nothing_find_something_once_in_twenty() {
        let normal = Distribution::normal(0.0, 1.0).expect("valid parameters");
        let (mut raw, mut adjusted) = (0, 0);
        for family in 0..400 {
            let p = |question: u64| {
                let stream = &mut Stream::keyed(1, "null", &[family, question]);
                let mut draw = || (0..20).map(|_| normal.sample(stream)).collect::<Vec<f64>>();
                let (a, b) = (draw(), draw());
                paired(&a, &b, 0.95).expect("twenty pairs").p
            };
            let p: Vec<f64> = (0..10).map(p).collect();
            let finds = |p: &[f64]| usize::from(p.iter().any(|&p| p <= 0.05));
            raw += finds(&p);
            adjusted += finds(&holm(&p));
        }
        assert!((7..=36).contains(&adjusted), "{adjusted} of 400 families found something");
        assert!((128..=193).contains(&raw), "{raw} of 400 families, unadjusted");
    }
}
