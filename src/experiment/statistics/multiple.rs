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

/// The same for pairs of findings, at most one of which can be false: that there is a difference,
/// and that it lies within a margin. However many are asked, no more than one finding of each pair
/// can be false at once.
///
/// Shaffer, "Modified sequentially rejective multiple test procedures", Journal of the
/// American Statistical Association 81, 1986: each is multiplied by how many of the
/// hypotheses not yet rejected can be true together, here the pairs that are not
/// rejected whole.
pub fn holm_of_pairs(p: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut ranks: Vec<(usize, usize)> =
        (0..p.len()).flat_map(|pair| [(pair, 0), (pair, 1)]).collect();
    ranks.sort_by(|left, right| p[left.0][left.1].total_cmp(&p[right.0][right.1]));
    let mut adjusted = vec![[0.0; 2]; p.len()];
    let mut rejected = vec![0_u32; p.len()];
    let (mut open, mut largest) = (p.len(), 0.0_f64);
    for (pair, side) in ranks {
        largest = largest.max(open as f64 * p[pair][side]).min(1.0);
        adjusted[pair][side] = largest;
        rejected[pair] += 1;
        open -= usize::from(rejected[pair] == 2);
    }
    adjusted
}

/// p-values of one-sided questions, adjusted so that those that speak clearly for the
/// opposite do not stand in the way of the others: what is above `clear` leaves the
/// family, and the rest pays for it by being divided by `clear`. In the order given.
///
/// Ellis, Pecanka and Goeman, "Gaining power in multiple testing of interval hypotheses
/// via conditionalization", Biostatistics 21(2), 2020: a p-value that is at most `clear` is
/// uniform below it where the hypothesis is just true, and larger where it is more so.
pub fn holm_of_unclear(p: &[f64], clear: f64) -> Vec<f64> {
    let unclear: Vec<usize> = (0..p.len()).filter(|&at| p[at] <= clear).collect();
    let conditional: Vec<f64> = unclear.iter().map(|&at| p[at] / clear).collect();
    let mut adjusted = vec![1.0; p.len()];
    for (at, p) in unclear.into_iter().zip(holm(&conditional)) {
        adjusted[at] = p;
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

    #[test]
    fn pairs_by_hand() {
        // Sorted .001 .01 .02 .25 .4 .9, times 3 3 3 2 2 1: after the third both of the
        // first pair are rejected, after the fifth both of the last.
        let p = [[0.001, 0.02], [0.01, 0.9], [0.4, 0.25]];
        let found = holm_of_pairs(&p);
        let expected = [[0.003, 0.06], [0.03, 0.9], [0.8, 0.5]];
        let close = |(a, b): (&[f64; 2], &[f64; 2])| {
            (a[0] - b[0]).abs() < 1e-12 && (a[1] - b[1]).abs() < 1e-12
        };
        assert!(found.iter().zip(&expected).all(close), "{found:?}");
        assert_eq!(holm_of_pairs(&[]), [[0.0; 2]; 0]);
    }

    /// Five metrics that all differ by just the margin: the worst for equivalence. Without
    /// correction 1 - 0.95^5 = 23 % of the families call one of them equivalent.
    #[test]
    fn at_the_margin_one_family_in_twenty_finds_equivalence() {
        use super::super::equivalence::{Margin, equivalent};
        let normal = Distribution::normal(0.0, 1.0).expect("valid parameters");
        let margin = Margin::Absolute(5.0);
        let (mut raw, mut adjusted) = (0, 0);
        for family in 0..400 {
            let p = |metric: u64| {
                let stream = &mut Stream::keyed(2, "margin", &[family, metric]);
                let other: Vec<f64> = (0..20).map(|_| 5.0 + normal.sample(stream)).collect();
                let found = paired(&[0.0; 20], &other, 0.95).expect("twenty pairs");
                [found.p, equivalent(&found, margin)]
            };
            let p: Vec<[f64; 2]> = (0..5).map(p).collect();
            let finds = |p: &[[f64; 2]]| usize::from(p.iter().any(|p| p[1] <= 0.05));
            raw += finds(&p);
            adjusted += finds(&holm_of_pairs(&p));
        }
        assert!((7..=36).contains(&adjusted), "{adjusted} of 400 families");
        assert!((60..=130).contains(&raw), "{raw} of 400 families, unadjusted");
    }

    /// A gate that improves clearly leaves the family: of two gates .032 is .032 / .95
    /// and not twice .032. A gate alone pays a twentieth.
    #[test]
    fn what_is_clearly_better_hides_nothing() {
        let found = holm_of_unclear(&[1.0, 0.032], 0.95);
        assert!((found[1] - 0.032 / 0.95).abs() < 1e-12 && found[0] == 1.0, "{found:?}");
        let found = holm_of_unclear(&[0.5, 0.02], 0.95);
        assert!((found[1] - 0.04 / 0.95).abs() < 1e-12, "{found:?}");
        assert_eq!(holm_of_unclear(&[], 0.95), [0.0; 0]);
    }

    /// 400 families of 10 one-sided questions whose hypotheses are all just true.
    #[test]
    fn leaving_the_clear_out_raises_no_alarms() {
        let found = (0..400).filter(|&family| {
            let stream = &mut Stream::keyed(3, "one-sided", &[family]);
            let p: Vec<f64> = (0..10).map(|_| stream.uniform()).collect();
            holm_of_unclear(&p, 0.95).iter().any(|&p| p <= 0.05)
        });
        let found = found.count();
        assert!((7..=36).contains(&found), "{found} of 400 families found something");
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
