//! The provider's rule: the time that is billed for a lifetime.

use crate::model::Billing;
use crate::units::Span;

impl Billing {
    /// `lifetime` rounded up to the granularity, at least the minimum.
    pub fn billed(self, lifetime: Span) -> Span {
        let step = self.granularity.micros().max(1);
        let lifetime = lifetime.micros();
        let steps = lifetime.div_euclid(step) + i64::from(lifetime.rem_euclid(step) != 0);
        Span::from_micros(steps * step).max(self.minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn billed_time_follows_the_rule() {
        let rule = Billing { granularity: Span::from_secs(1), minimum: Span::from_secs(60) };
        // AWS: 59 s is billed as 60 s, 61 s as 61 s, 60.000001 s as 61 s.
        let cases = [(59_000_000, 60), (61_000_000, 61), (60_000_001, 61), (0, 60)];
        for (micros, secs) in cases {
            assert_eq!(rule.billed(Span::from_micros(micros)), Span::from_secs(secs));
        }
    }
}
