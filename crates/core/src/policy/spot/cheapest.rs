//! UP(S): Uniform Progress that goes to the cheapest zone elsewhere.

use super::progress::in_several_zones;
use super::{HeldMarket, SpotDecision, SpotPolicy, SpotView};

/// Tries zones by the price of spot; those of the region that it held last come last, as who lost an
/// instance is likely to lose the next one there. It never leaves spot by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpCheapest {
    /// Zone that was held at the last decision at which anything was.
    seen: Option<usize>,
}

impl SpotPolicy for UpCheapest {
    fn observe(&mut self, view: &SpotView<'_>) {
        if view.held != HeldMarket::Nothing {
            self.seen = Some(view.zone_at_hand());
        }
    }

    fn decide(&self, view: &SpotView<'_>, order: &mut Vec<usize>) -> SpotDecision {
        let decision = in_several_zones(view, view.worked.unwrap_or(0));
        if matches!(decision, SpotDecision::Spot(_)) {
            let avoided = self.seen.map(|zone| view.zones[zone].region);
            let key = |&zone: &usize| {
                let terms = &view.zones[zone];
                (Some(terms.region) == avoided, terms.spot)
            };
            order.extend(0..view.zones.len());
            order.sort_by_key(key);
        }
        decision
    }
}

#[cfg(test)]
mod tests {
    use super::super::Otherwise;
    use super::super::testing::{decided, view};
    use super::*;
    use HeldMarket::{Nothing, OnDemand, Spot};

    /// Spot costs 3, 1 and 2 dollars; zones 1 and 2 lie in one region.
    #[test]
    fn it_goes_elsewhere_by_price() {
        let table = [(None, [1, 2, 0]), (Some(0), [1, 2, 0]), (Some(2), [0, 1, 2])];
        for (seen, want) in table {
            let mut policy = UpCheapest::default();
            if let Some(zone) = seen {
                policy.observe(&view(0, 0, Spot(zone)));
            }
            let view = view(10, 3_000, Nothing);
            policy.observe(&view);
            let got = decided(&policy, &view);
            assert_eq!(got, (SpotDecision::Spot(Otherwise::Stop), want.to_vec()), "{seen:?}");
        }
    }

    #[test]
    fn it_keeps_what_it_has_and_falls_back_where_it_worked() {
        let policy = UpCheapest::default();
        assert_eq!(decided(&policy, &view(10, 0, Spot(0))), (SpotDecision::Keep, vec![]));
        assert_eq!(decided(&policy, &view(10, 0, OnDemand(0))), (SpotDecision::Keep, vec![]));
        let behind = SpotView { worked: Some(2), ..view(10, 0, Nothing) };
        assert_eq!(decided(&policy, &behind).0, SpotDecision::Spot(Otherwise::OnDemand(2)));
    }
}
