//! A view for tests: 10 h of work in 20 h, in steps of 600 s, with restarts of 0.2 h.

use super::*;

/// An hour of work.
pub(super) const HOUR: i128 = 3_600_000_000 * PER_MICRO;

const fn zone(on_demand: i64, spot: i64, region: u32, copy: i128) -> SpotZone {
    const DOLLAR: i64 = 1_000_000_000_000;
    SpotZone {
        on_demand: Rate::from_picos(on_demand * DOLLAR),
        spot: Rate::from_picos(spot * DOLLAR),
        region,
        copy: Money::from_nanos(copy * 1_000_000_000),
    }
}

/// Zones 1 and 2 lie in one region; spot costs 3, 1 and 2 dollars an hour.
pub(super) const ZONES: [SpotZone; 3] = [zone(10, 3, 0, 0), zone(9, 1, 1, 9), zone(11, 2, 1, 9)];

/// Nothing was done or is held.
pub(super) const VIEW: SpotView<'static> = SpotView {
    now: Span::ZERO,
    deadline: Span::from_secs(72_000),
    done: 0,
    total: 10 * HOUR,
    restart: Span::from_secs(720),
    restart_left: Span::ZERO,
    step: Span::from_secs(600),
    held: HeldMarket::Nothing,
    worked: None,
    zones: &ZONES,
};

/// The view after so many steps, with so many seconds of work done, and this instance held.
pub(super) fn view(steps: i64, done_s: i128, held: HeldMarket) -> SpotView<'static> {
    SpotView { now: Span::from_secs(600 * steps), done: done_s * HOUR / 3_600, held, ..VIEW }
}

/// Decision and order of zones.
pub(super) fn decided(policy: &impl SpotPolicy, view: &SpotView<'_>) -> (SpotDecision, Vec<usize>) {
    let mut order = Vec::new();
    let decision = policy.decide(view, &mut order);
    (decision, order)
}

/// Zones that are probed after a decision.
pub(super) fn probed(
    policy: &impl SpotPolicy,
    view: &SpotView<'_>,
    decision: SpotDecision,
) -> Vec<usize> {
    let mut zones = Vec::new();
    policy.probes(view, decision, &mut zones);
    zones
}
