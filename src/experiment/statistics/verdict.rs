//! A comparison in words.

use serde::Serialize;

use crate::metrics::Direction;

use super::paired::Paired;

/// Verdict on how B compares with A in one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The difference is shown, and it is to the good.
    Better,
    /// The difference is shown, and it is to the bad.
    Worse,
    /// The difference is shown, and it is neither good nor bad.
    Different,
    /// Chance alone could have made it. That is not "the same".
    NoDifferenceShown,
    /// If there is a difference, it is shown to be smaller than the margin.
    EquivalentWithinMargin,
}

impl Verdict {
    /// The words of reports.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Different => "different",
            Self::NoDifferenceShown => "no difference shown",
            Self::EquivalentWithinMargin => "equivalent within the margin",
        }
    }
}

/// The verdict at error probability `alpha`.
///
/// `adjusted_p` is the p-value of the difference, `equivalence_p` that of "it is the
/// margin or more" where there is a margin, both corrected for the number of questions
/// (see [`multiple`](super::multiple)). A margin comes first: a difference that is shown, but
/// shown to lie within the margin, does not matter and is called equivalent.
pub fn verdict(
    paired: &Paired,
    adjusted_p: f64,
    equivalence_p: Option<f64>,
    direction: Direction,
    alpha: f64,
) -> Verdict {
    if equivalence_p.is_some_and(|p| p <= alpha) {
        return Verdict::EquivalentWithinMargin;
    }
    if adjusted_p > alpha || paired.difference == 0.0 {
        return Verdict::NoDifferenceShown;
    }
    match (direction, paired.difference > 0.0) {
        (Direction::Lower, false) | (Direction::Higher, true) => Verdict::Better,
        (Direction::Lower, true) | (Direction::Higher, false) => Verdict::Worse,
        (Direction::Neutral, _) => Verdict::Different,
    }
}

#[cfg(test)]
mod tests {
    use super::super::equivalence::{Margin, equivalent};
    use super::super::paired::paired;
    use super::*;
    use Direction::{Higher, Lower, Neutral};

    /// B - A has mean 1 and standard error 0.0913; p is 0.0016.
    const A: [f64; 4] = [100.0, 110.0, 120.0, 130.0];
    const B: [f64; 4] = [101.2, 111.1, 120.9, 130.8];

    #[track_caller]
    fn check(b: &[f64], factor: f64, way: Direction, margin: Option<Margin>, expected: Verdict) {
        let found = paired(&A, b, 0.95).expect("four pairs");
        let equivalence = margin.map(|margin| equivalent(&found, margin));
        assert_eq!(verdict(&found, (found.p * factor).min(1.0), equivalence, way, 0.05), expected);
    }

    #[test]
    fn verdicts() {
        check(&B, 1.0, Lower, None, Verdict::Worse);
        check(&B, 1.0, Higher, None, Verdict::Better);
        check(&B, 1.0, Neutral, None, Verdict::Different);
        let less = B.map(|value| value - 2.0);
        check(&less, 1.0, Lower, None, Verdict::Better);
        check(&less, 1.0, Higher, None, Verdict::Worse);
        // One question of a thousand.
        check(&B, 1000.0, Lower, None, Verdict::NoDifferenceShown);
        check(&A, 1.0, Lower, None, Verdict::NoDifferenceShown);
        // 2 % of 115 is 2.3, 0.5 % is 0.575.
        check(&B, 1.0, Lower, Some(Margin::Relative(0.02)), Verdict::EquivalentWithinMargin);
        check(&B, 1.0, Lower, Some(Margin::Relative(0.005)), Verdict::Worse);
        check(&A, 1.0, Lower, Some(Margin::Absolute(0.0)), Verdict::EquivalentWithinMargin);
        let noisy = [70.0, 140.0, 90.0, 160.0];
        check(&noisy, 1.0, Lower, Some(Margin::Relative(0.02)), Verdict::NoDifferenceShown);
        assert_eq!(Verdict::NoDifferenceShown.words(), "no difference shown");
    }
}
