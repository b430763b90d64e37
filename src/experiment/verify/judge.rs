//! The rule that accepts or rejects, the same for every quantity.

use serde::Serialize;

use super::super::statistics::law;
use super::oracle::ExactAnswer;

/// Standard errors between the mean and the exact value beyond which a result
/// is wrong: about 60 assertions fail together by chance once in 10,000 times.
pub const WIDTH: f64 = 4.79;

/// Quantile of the normal law for an interval at 99 %, in which precision is measured.
const PRECISION: f64 = 2.576;

/// Largest half width of an interval at 99 %, relative to the exact value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntervalLimits {
    /// Limit for means.
    pub mean: f64,
    /// Limit for tails: quantiles and small probabilities.
    pub tail: f64,
}

/// Verdict of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckVerdict {
    /// The mean agrees, and precisely enough for that to say something.
    Pass,
    /// The mean differs from the exact value.
    Wrong,
    /// The mean agrees, but would agree with much else too.
    NotPrecise,
}

impl CheckVerdict {
    /// The words of reports.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Wrong => "WRONG",
            Self::NotPrecise => "NOT PRECISE ENOUGH",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckRow {
    /// The system.
    pub name: String,
    /// Measured quantity, with its unit where it has one.
    pub quantity: String,
    /// Source of the exact value.
    pub source: String,
    /// The exact value.
    pub expected: f64,
    /// Mean over the replications.
    pub simulated: f64,
    /// Half of the 99 % confidence interval of that mean (Student's t).
    pub half_width: f64,
    /// 2.576 standard errors over the exact value; smaller is more precise.
    pub precision: f64,
    /// Number of standard errors by which the mean is off; 0 for exact checks.
    pub errors_off: f64,
    /// Verdict of the check.
    pub verdict: CheckVerdict,
}

impl CheckRow {
    /// A line for what replications measured, judged.
    pub fn judged(
        name: &str,
        answer: &ExactAnswer,
        values: &[f64],
        limits: IntervalLimits,
    ) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let error = libm::sqrt(squares / (count - 1.0) / count);
        let expected = answer.expected;
        let precision = error * PRECISION / expected;
        let limit = if answer.is_tail { limits.tail } else { limits.mean };
        let off = (mean - expected) / error;
        // No number at all does not agree.
        let agrees = off.abs() <= WIDTH;
        let verdict = if !agrees {
            CheckVerdict::Wrong
        } else if precision > limit {
            CheckVerdict::NotPrecise
        } else {
            CheckVerdict::Pass
        };
        Self {
            name: name.to_owned(),
            quantity: answer.quantity.to_owned(),
            source: answer.source.to_owned(),
            expected,
            simulated: mean,
            half_width: law::t_critical(0.005, values.len() - 1) * error,
            precision,
            errors_off: off,
            verdict,
        }
    }

    /// A line for a value without chance.
    pub fn exact(name: &str, quantity: &str, source: &str, expected: f64, simulated: f64) -> Self {
        let verdict = if expected == simulated { CheckVerdict::Pass } else { CheckVerdict::Wrong };
        Self {
            name: name.to_owned(),
            quantity: quantity.to_owned(),
            source: source.to_owned(),
            expected,
            simulated,
            half_width: 0.0,
            precision: 0.0,
            errors_off: 0.0,
            verdict,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::Measure;
    use super::*;

    const LIMITS: IntervalLimits = IntervalLimits { mean: 0.02, tail: 0.04 };

    fn judged(values: &[f64], is_tail: bool) -> CheckRow {
        let (quantity, source, measure) = ("mean wait", "by hand", Measure::Wait);
        let answer = ExactAnswer { quantity, source, measure, expected: 100.0, is_tail };
        CheckRow::judged("a case", &answer, values, LIMITS)
    }

    #[test]
    fn a_result_must_be_right_and_precise() {
        // Standard deviation 2, 4 replications: standard error 1, precision 2.576 %.
        let values = [99.0, 99.0, 101.0, 101.0].map(|value| 100.0 + (value - 100.0) * 3_f64.sqrt());
        let row = judged(&values, false);
        assert!((row.precision - 0.025_76).abs() < 1e-12, "{row:?}");
        // Student's t with 3 degrees of freedom, 99.5 %: 5.8409.
        assert!((row.half_width - 5.8409).abs() < 1e-4, "{row:?}");
        assert_eq!(row.verdict, CheckVerdict::NotPrecise);
        assert_eq!(judged(&values, true).verdict, CheckVerdict::Pass);
        let off = values.map(|value| value + 4.8);
        assert_eq!(judged(&off, true).verdict, CheckVerdict::Wrong);
        let near = values.map(|value| value + 4.7);
        assert_eq!(judged(&near, true).verdict, CheckVerdict::Pass);
        assert_eq!(judged(&[f64::NAN, 1.0], true).verdict, CheckVerdict::Wrong);
    }
}
