//! Time-sliced: greedy in each slice of the time until the deadline (Wu et al., NSDI 2024).

use super::greedy::greedily;
use super::{SpotDecision, SpotPolicy, SpotView};
use crate::units::Span;

/// Time and work are cut into slices alike. Each is gone through greedily: spot where there is any,
/// and on demand from when the slice's work can only just be done. What earlier slices did more or
/// less than their part is spread over those to come.
#[derive(Clone, Copy, Debug)]
pub struct TimeSliced {
    slice: Span,
    /// Number of the present slice, from 0.
    present: i64,
    /// Work that was done before it.
    before: i128,
}

impl TimeSliced {
    /// Slices of this length, more than 0.
    pub const fn new(slice: Span) -> Self {
        Self { slice, present: 0, before: 0 }
    }

    /// Number of slices; the last may reach beyond the deadline.
    fn count(&self, view: &SpotView<'_>) -> i64 {
        -(-view.deadline.micros()).div_euclid(self.slice.micros())
    }

    /// Whether the slice's work can only just be done on demand. In parts of a slice's even work, so
    /// that all is whole.
    fn is_pressed(&self, view: &SpotView<'_>) -> bool {
        let (count, step) = (i128::from(self.count(view)), SpotView::work(view.step));
        let done = view.done - self.before;
        let needed = view.total + (SpotView::work(view.restart) - done) * count;
        let steps =
            needed.div_euclid(step * count) + i128::from(needed.rem_euclid(step * count) > 0);
        let ends = Span::from_micros(self.slice.micros() * (self.present + 1));
        let left = SpotView::work(ends) - SpotView::work(view.now);
        let gained = self.before * count - view.total * i128::from(self.present);
        let to_come = count - i128::from(self.present);
        (steps * step - left) * count * to_come >= gained
    }
}

impl SpotPolicy for TimeSliced {
    fn observe(&mut self, view: &SpotView<'_>) {
        let present = view.now.micros() / self.slice.micros();
        let present = present.min(self.count(view) - 1);
        if present > self.present {
            (self.present, self.before) = (present, view.done);
        }
    }

    fn decide(&self, view: &SpotView<'_>, order: &mut Vec<usize>) -> SpotDecision {
        let pressed = self.is_pressed(view) || view.is_last_call();
        greedily(view, pressed, order)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decided, view};
    use super::super::{HeldMarket, Otherwise};
    use super::*;
    use HeldMarket::{Nothing, OnDemand, Spot};

    const SLICE: Span = Span::from_secs(4 * 3_600);

    /// Five slices of 24 steps with two hours of work each, which take 14 steps with a restart.
    #[test]
    fn each_slice_is_greedy() {
        let tries = SpotDecision::Spot(Otherwise::Stop);
        let table = [
            (9, Nothing, tries),
            (10, Nothing, SpotDecision::OnDemand(0)),
            (10, Spot(1), SpotDecision::Keep),
            (10, OnDemand(1), SpotDecision::Keep),
            (9, OnDemand(1), tries),
        ];
        for (steps, held, want) in table {
            let got = decided(&TimeSliced::new(SLICE), &view(steps, 0, held)).0;
            assert_eq!(got, want, "{steps} {held:?}");
        }
    }

    /// Four hours in the first slice are two hours more than its part: half an hour, three steps,
    /// for each of four slices to come. One hour is a quarter of an hour too little for each.
    #[test]
    fn gains_and_losses_are_spread_over_the_slices_to_come() {
        let table = [(4, 36, 37), (2, 33, 34), (1, 32, 33)];
        for (hours, waits, launches) in table {
            let done = hours * 3_600;
            let mut policy = TimeSliced::new(SLICE);
            policy.observe(&view(23, done, Nothing));
            policy.observe(&view(24, done, Nothing));
            assert_eq!((policy.present, policy.before), (1, view(0, done, Nothing).done));
            let waits = decided(&policy, &view(waits, done, Nothing)).0;
            assert_eq!(waits, SpotDecision::Spot(Otherwise::Stop), "{hours}");
            let launches = decided(&policy, &view(launches, done, Nothing)).0;
            assert_eq!(launches, SpotDecision::OnDemand(0), "{hours}");
        }
    }
}
