//! On demand from the first moment on.

use super::{HeldMarket, SpotDecision, SpotPolicy, SpotView};

/// Runs on demand, where it last ran.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnDemandOnly;

impl SpotPolicy for OnDemandOnly {
    fn decide(&self, view: &SpotView<'_>, _order: &mut Vec<usize>) -> SpotDecision {
        match view.held {
            HeldMarket::OnDemand(_) => SpotDecision::Keep,
            HeldMarket::Nothing | HeldMarket::Spot(_) => {
                SpotDecision::OnDemand(view.zone_at_hand())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decided, view};
    use super::*;

    #[test]
    fn it_takes_what_is_sure() {
        let table = [
            (HeldMarket::Nothing, SpotDecision::OnDemand(0)),
            (HeldMarket::Spot(2), SpotDecision::OnDemand(2)),
            (HeldMarket::OnDemand(1), SpotDecision::Keep),
        ];
        for (held, want) in table {
            assert_eq!(decided(&OnDemandOnly, &view(3, 0, held)), (want, vec![]), "{held:?}");
        }
    }
}
