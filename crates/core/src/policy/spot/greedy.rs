//! Greedy: spot while there is time, then on demand (Wu et al., NSDI 2024).

use super::{HeldMarket, Otherwise, SpotDecision, SpotPolicy, SpotView};

/// Takes spot where there is any, and waits where there is none, until the deadline can only just
/// be kept: then it stays on spot until that is lost, or else is on demand.
///
/// Who has just launched spot is kept on it, although its restart is not over: where it is lost then,
/// the deadline may be missed by a step. `margin` steps more are reserved against that.
#[derive(Clone, Copy, Debug, Default)]
pub struct SafeGreedy {
    /// Steps added to what the rest takes.
    pub margin: u32,
}

impl SpotPolicy for SafeGreedy {
    fn decide(&self, view: &SpotView<'_>, order: &mut Vec<usize>) -> SpotDecision {
        let pressed = view.steps_needed(1) + i128::from(self.margin) >= view.steps_left();
        greedily(view, pressed, order)
    }
}

/// Spot, and what else there is to do: it is kept until it is lost; else on demand if time is pressing,
/// and a try of all zones if it is not.
pub(super) fn greedily(view: &SpotView<'_>, pressed: bool, order: &mut Vec<usize>) -> SpotDecision {
    match view.held {
        HeldMarket::Spot(_) => SpotDecision::Keep,
        HeldMarket::OnDemand(_) if pressed => SpotDecision::Keep,
        HeldMarket::Nothing if pressed => SpotDecision::OnDemand(view.zone_at_hand()),
        HeldMarket::Nothing | HeldMarket::OnDemand(_) => {
            order.extend(0..view.zones.len());
            SpotDecision::Spot(Otherwise::Stop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decided, view};
    use super::*;

    /// Two of ten hours are done: 50 steps are needed, so from 70 of 120 on it is pressed.
    #[test]
    fn it_waits_until_the_last_call() {
        use HeldMarket::{Nothing, OnDemand, Spot};
        let tries = (SpotDecision::Spot(Otherwise::Stop), vec![0, 1, 2]);
        let keeps = (SpotDecision::Keep, vec![]);
        let table = [
            (0, 69, Nothing, tries.clone()),
            (0, 69, OnDemand(1), tries.clone()),
            (0, 69, Spot(1), keeps.clone()),
            (0, 70, Nothing, (SpotDecision::OnDemand(0), vec![])),
            (0, 70, OnDemand(1), keeps.clone()),
            (0, 70, Spot(1), keeps.clone()),
            (1, 68, Nothing, tries),
            (1, 69, Nothing, (SpotDecision::OnDemand(0), vec![])),
        ];
        for (margin, steps, held, want) in table {
            let got = decided(&SafeGreedy { margin }, &view(steps, 7_200, held));
            assert_eq!(got, want, "{margin} {steps} {held:?}");
        }
    }
}
