//! Stopping rule: the number of replications that is enough.

use super::sample::{Interval, t_interval};

/// The rule: go on until the interval is narrow enough, but not for ever.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stopping {
    /// Replications before the first look, at least 2; 10 or better 20.
    pub first: usize,
    /// Replications after which it ends in any case.
    pub most: usize,
    /// Confidence of the interval, 0 to 1.
    pub confidence: f64,
    /// Half width asked for as a share of |true mean|; 0 asks for none.
    pub relative: f64,
    /// Half width that is narrow enough whatever the mean, in the unit of the
    /// metric; 0 for none.
    pub absolute: f64,
}

/// Decision of the rule on the replications so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StoppingDecision {
    /// So many more (at least one), then ask again.
    More(usize),
    /// Narrow enough.
    Precise(Interval),
    /// The hard maximum was reached first.
    Exhausted(Interval),
}

impl Stopping {
    /// The decision for `values`, all replications so far in order.
    ///
    /// Law, "Simulation Modeling and Analysis", 5th ed., 9.4.1: stop at the
    /// first n with t s / sqrt(n) <= max(absolute, r / (1 + r) |mean|), where
    /// r is the relative precision; r / (1 + r) because the error is measured
    /// against the estimate and not the truth. The number asked for is the one
    /// that the spread so far would need, and at most doubles the sample.
    pub fn decide(&self, values: &[f64]) -> StoppingDecision {
        let (n, first) = (values.len(), self.first.max(2));
        let most = self.most.max(first);
        let interval = match t_interval(values, self.confidence) {
            Some(interval) if n >= first => interval,
            _ => return StoppingDecision::More(first - n),
        };
        let share = self.relative / (1.0 + self.relative);
        let wanted = self.absolute.max(share * interval.mean.abs());
        if interval.half_width <= wanted {
            return StoppingDecision::Precise(interval);
        }
        if n >= most {
            return StoppingDecision::Exhausted(interval);
        }
        let ratio = interval.half_width / wanted;
        let needed = (n as f64 * ratio * ratio).min((2 * n) as f64) as usize;
        StoppingDecision::More(needed.saturating_sub(n).clamp(1, most - n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Distribution, Stream};

    const RULE: Stopping =
        Stopping { first: 4, most: 20, confidence: 0.95, relative: 0.1, absolute: 0.0 };

    /// Mean `mean`, standard error 1 of 4: t with 3 degrees of freedom 3.182446.
    fn four(mean: f64) -> [f64; 4] {
        [-1.0, -1.0, 1.0, 1.0].map(|sign: f64| mean + sign * 3_f64.sqrt())
    }

    #[track_caller]
    fn half_width(decision: StoppingDecision) -> f64 {
        match decision {
            StoppingDecision::Precise(interval) | StoppingDecision::Exhausted(interval) => {
                interval.half_width
            }
            StoppingDecision::More(_) => unreachable!("{decision:?}"),
        }
    }

    #[test]
    fn the_rule() {
        assert_eq!(RULE.decide(&[]), StoppingDecision::More(4));
        assert_eq!(RULE.decide(&[5.0, 5.0, 5.0]), StoppingDecision::More(1));
        // 3.182446 <= mean / 11 from a mean of 35.0069.
        let precise = RULE.decide(&four(35.01));
        assert!(matches!(precise, StoppingDecision::Precise(_)), "{precise:?}");
        assert!((half_width(precise) - 3.182_446).abs() < 1e-6);
        assert_eq!(RULE.decide(&four(35.0)), StoppingDecision::More(1));
        // A quarter of the mean takes (35.007 / 26)^2 * 4 = 7.25 values: 3 more.
        assert_eq!(RULE.decide(&four(26.0)), StoppingDecision::More(3));
        // At most as many again; a mean of 0 is never relatively precise.
        assert_eq!(RULE.decide(&four(0.0)), StoppingDecision::More(4));
        let absolute = Stopping { absolute: 3.2, ..RULE };
        assert!(matches!(absolute.decide(&four(0.0)), StoppingDecision::Precise(_)));
        let short = Stopping { most: 4, ..RULE };
        assert!(matches!(short.decide(&four(0.0)), StoppingDecision::Exhausted(_)));
        assert_eq!(Stopping { most: 6, ..RULE }.decide(&four(0.0)), StoppingDecision::More(2));
        assert_eq!(
            RULE.decide(&[7.0; 4]),
            StoppingDecision::Precise(Interval::around(7.0, 0.0, 4))
        );
    }

    /// Exponential values, coefficient of variation 1: within 10 % at 95 %
    /// takes about (1.96 * 11)^2 = 465 of them.
    #[test]
    fn it_stops_about_where_theory_says() {
        let rule = Stopping { first: 20, most: 10_000, ..RULE };
        let law = Distribution::exponential(1.0).expect("a valid mean");
        let mut stream = Stream::new(1, "stopping");
        let mut values = Vec::new();
        let interval = loop {
            match rule.decide(&values) {
                StoppingDecision::More(more) => {
                    values.extend((0..more).map(|_| law.sample(&mut stream)));
                }
                StoppingDecision::Precise(interval) => break interval,
                StoppingDecision::Exhausted(interval) => unreachable!("{interval:?}"),
            }
        };
        assert!((350..600).contains(&interval.n), "{interval:?}");
        assert!(interval.half_width <= interval.mean / 11.0, "{interval:?}");
    }
}
