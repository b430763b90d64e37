//! Spot, whatever becomes of the deadline.

use super::greedy::greedily;
use super::{SpotDecision, SpotPolicy, SpotView};

/// Runs on spot in the first zone that has it, and waits where none has.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpotOnly;

impl SpotPolicy for SpotOnly {
    fn decide(&self, view: &SpotView<'_>, order: &mut Vec<usize>) -> SpotDecision {
        greedily(view, false, order)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decided, view};
    use super::super::{HeldMarket, Otherwise};
    use super::*;

    #[test]
    fn it_waits_for_spot_also_behind_the_deadline() {
        let tries = (SpotDecision::Spot(Otherwise::Stop), vec![0, 1, 2]);
        for steps in [0, 119, 120, 500] {
            for held in [HeldMarket::Nothing, HeldMarket::OnDemand(1)] {
                assert_eq!(decided(&SpotOnly, &view(steps, 0, held)), tries, "{steps} {held:?}");
            }
            let kept = decided(&SpotOnly, &view(steps, 0, HeldMarket::Spot(1)));
            assert_eq!(kept, (SpotDecision::Keep, vec![]));
        }
    }
}
