//! Courses: what is left to be paid of one hour as the units of an offering grow.

use super::claims::{NEAR, OfferingClaim, apply};
use super::futures::Futures;

/// Of the claims from the first of the offering on, those that its units may change.
pub(super) fn touched(
    claims: Vec<OfferingClaim>,
    offering: usize,
    offerings: usize,
    goods: usize,
) -> Vec<OfferingClaim> {
    let (mut changed, mut open) = (vec![false; offerings], vec![false; goods]);
    changed[offering] = true;
    let mut grows = true;
    while std::mem::take(&mut grows) {
        for claim in &claims {
            if changed[claim.offering] && !open[claim.good] {
                open[claim.good] = true;
                grows = true;
            }
            if open[claim.good] && !changed[claim.offering] {
                changed[claim.offering] = true;
                grows = true;
            }
        }
    }
    claims.into_iter().filter(|claim| changed[claim.offering]).collect()
}

/// A quantity and how it changes with the units of the offering.
#[derive(Clone, Copy, Debug, Default)]
struct Moving {
    value: f64,
    change: f64,
}

/// A change of what is saved: of its slope, or of its value.
pub(super) enum SavedChange {
    Slope(f64),
    Value(f64),
}

/// Follows what is left of one hour as the units of an offering grow from none, from one breakpoint
/// to the next: all quantities are linear until the first comparison of a purse with a need turns.
#[derive(Debug, Default)]
pub(super) struct HourCourse {
    left: Vec<Moving>,
    purse: Vec<Moving>,
    plain: Vec<f64>,
}

impl HourCourse {
    pub(super) fn follow(
        &mut self,
        futures: &Futures,
        claims: &[OfferingClaim],
        offering: usize,
        [left, purse]: [&[f64]; 2],
        mut tell: impl FnMut(f64, SavedChange),
    ) {
        let still = |value: &f64| Moving { value: *value, change: 0.0 };
        let (mut at, mut last) = (0.0, 0.0);
        // What is left to be paid where the piece before ends: at first, without the offering.
        self.plain.clear();
        self.plain.extend_from_slice(left);
        self.plain.extend_from_slice(purse);
        let (rest, units) = self.plain.split_at_mut(left.len());
        apply(claims, rest, units);
        let mut due: f64 = rest.iter().zip(&futures.prices).map(|(left, price)| left * price).sum();
        loop {
            self.left.clear();
            self.left.extend(left.iter().map(still));
            self.purse.clear();
            self.purse.extend(purse.iter().map(still));
            self.purse[offering] = Moving { value: at, change: 1.0 };
            let until = self.apply(claims, at);
            let prices = self.left.iter().zip(&futures.prices);
            let (value, change) = prices.fold((0.0, 0.0), |(value, change), (left, price)| {
                (value + left.value * price, change + left.change * price)
            });
            if (due - value).abs() > NEAR * (1.0 + due) {
                tell(at, SavedChange::Value(due - value));
            }
            if -change != last {
                tell(at, SavedChange::Slope(-change - last));
                last = -change;
            }
            let Some(until) = until else { return };
            due = value + change * (until - at);
            at = until;
        }
    }

    /// Applies claims just behind `at` units; returns where the first comparison turns.
    fn apply(&mut self, claims: &[OfferingClaim], at: f64) -> Option<f64> {
        let mut until: Option<f64> = None;
        for claim in claims {
            let (left, purse) = (&mut self.left[claim.good], &mut self.purse[claim.offering]);
            let is_none = |of: &Moving| of.value <= NEAR && of.change <= 0.0;
            if is_none(left) || is_none(purse) {
                continue;
            }
            let need = Moving { value: left.value * claim.per, change: left.change * claim.per };
            let over =
                Moving { value: purse.value - need.value, change: purse.change - need.change };
            let is_near = over.value.abs() <= NEAR * (1.0 + at);
            if !is_near && over.value * over.change < 0.0 {
                let turn = at - over.value / over.change;
                until = Some(until.map_or(turn, |until| until.min(turn)));
            }
            let is_enough = if is_near { over.change >= 0.0 } else { over.value > 0.0 };
            if is_enough || claim.per == 0.0 {
                (*purse, *left) = (over, Moving::default());
            } else {
                left.value -= purse.value / claim.per;
                left.change -= purse.change / claim.per;
                *purse = Moving::default();
            }
        }
        // However near, the next breakpoint lies ahead.
        until.map(|until| until.max(at + NEAR * (1.0 + at)))
    }
}
