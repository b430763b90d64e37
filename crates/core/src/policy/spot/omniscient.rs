//! Omniscient: the cheapest plan for whoever knows in advance when there is spot.
//!
//! The integer program of "Can't Be Late" (Wu et al., NSDI 2024), solved exactly. Of the time until
//! the deadline, what is neither worked nor needed is slack: a step in which nothing is held takes a
//! step of it, a launch takes a restart. As there, the first step launches for nothing, and one
//! restart is set aside whatever happens.

use super::{HeldMarket, Otherwise, SpotDecision, SpotPolicy, SpotView};

/// What is held in a step: nothing, on demand or spot.
const KINDS: usize = 3;

/// Holds what was planned, in the first zone.
#[derive(Clone, Debug)]
pub struct Omniscient {
    /// The kind of each step.
    kinds: Vec<u8>,
}

impl Omniscient {
    /// The cheapest plan for work that begins as in `view`, whose first zone has spot in the steps of
    /// `up`; `None` if none is in time. Takes time and memory by steps and slack.
    pub fn new(view: &SpotView<'_>, up: &[bool]) -> Option<Self> {
        let steps = usize::try_from(view.steps_left()).ok()?;
        let slack = Slack::of(view, steps)?;
        let (on_demand, spot) = (view.zones[0].on_demand.picos(), view.zones[0].spot.picos());
        let mut costs = vec![[None; KINDS]; slack.whole + 1];
        costs[slack.whole][0] = Some(0);
        let mut before = Vec::with_capacity(steps);
        for at in 0..steps {
            let spot = up.get(at).is_some_and(|&is_up| is_up).then_some(spot);
            let (next, kinds) = slack.next(&costs, at, [Some(0), Some(on_demand), spot]);
            costs = next;
            before.push(kinds);
        }
        let ends = costs.iter().enumerate().flat_map(|(left, costs)| {
            let kinds = costs.iter().enumerate();
            kinds.filter_map(move |(kind, cost)| cost.map(|cost| (cost, left, kind)))
        });
        let (_, mut left, mut kind) = ends.min()?;
        let mut kinds = vec![0; steps];
        for at in (0..steps).rev() {
            kinds[at] = kind as u8;
            let from = usize::from(before[at][left][kind]);
            left += slack.taken(at, from, kind);
            kind = from;
        }
        Some(Self { kinds })
    }
}

impl SpotPolicy for Omniscient {
    fn decide(&self, view: &SpotView<'_>, order: &mut Vec<usize>) -> SpotDecision {
        let step = (view.now.micros() / view.step.micros()) as usize;
        match (self.kinds.get(step).copied().unwrap_or(0), view.held) {
            (1, HeldMarket::OnDemand(_)) | (2, HeldMarket::Spot(_)) => SpotDecision::Keep,
            (1, _) => SpotDecision::OnDemand(0),
            (2, _) => {
                order.push(0);
                SpotDecision::Spot(Otherwise::Stop)
            }
            (_, _) => SpotDecision::Stop,
        }
    }
}

/// Least cost of the steps so far, in pico-dollars an hour times steps, by kind of the last one.
type LeastCosts = [Option<i64>; KINDS];

/// Slack, in the largest unit in which a step, a restart and the work are whole.
struct Slack {
    step: usize,
    restart: usize,
    whole: usize,
}

impl Slack {
    /// `None` if there is less than none.
    fn of(view: &SpotView<'_>, steps: usize) -> Option<Self> {
        let (step, restart) = (SpotView::work(view.step), SpotView::work(view.restart));
        let unit = gcd(gcd(step, restart), view.rest());
        let units = |amount: i128| usize::try_from(amount / unit).ok();
        let (step, restart) = (units(step)?, units(restart)?);
        let whole = (steps * step).checked_sub(units(view.rest())? + restart)?;
        Some(Self { step, restart, whole })
    }

    /// Slack that step `at` takes if it holds `to` after `from`.
    fn taken(&self, at: usize, from: usize, to: usize) -> usize {
        match to {
            0 => self.step,
            _ if from == to || at == 0 => 0,
            _ => self.restart,
        }
    }

    /// Costs by slack left after step `at`, whose kinds have these prices, if they are to be had; and
    /// the kind before each.
    fn next(
        &self,
        costs: &[LeastCosts],
        at: usize,
        prices: LeastCosts,
    ) -> (Vec<LeastCosts>, Vec<[u8; KINDS]>) {
        let mut next = vec![[None; KINDS]; self.whole + 1];
        let mut before = vec![[0_u8; KINDS]; self.whole + 1];
        for (left, costs) in costs.iter().enumerate() {
            for (from, cost) in costs.iter().enumerate() {
                let Some(cost) = cost else { continue };
                for (to, price) in prices.into_iter().enumerate() {
                    let left = left.checked_sub(self.taken(at, from, to));
                    let (Some(left), Some(price)) = (left, price) else { continue };
                    if next[left][to].is_none_or(|known| cost + price < known) {
                        next[left][to] = Some(cost + price);
                        before[left][to] = from as u8;
                    }
                }
            }
        }
        (next, before)
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::super::SpotZone;
    use super::super::testing::{HOUR, VIEW, decided};
    use super::*;
    use crate::units::{Rate, Span};

    /// An hour of work in two and a half, steps of ten minutes, restarts of five; 6 dollars on demand,
    /// and `spot` on spot.
    fn plan(deadline_s: i64, up: &str, spot: &str) -> Option<Omniscient> {
        let price = |text| Rate::parse(text).expect("a price");
        let zone = SpotZone { on_demand: price("6"), spot: price(spot), ..VIEW.zones[0] };
        let view = SpotView {
            deadline: Span::from_secs(deadline_s),
            total: HOUR,
            restart: Span::from_secs(300),
            zones: &[zone],
            ..VIEW
        };
        let up: Vec<bool> = up.bytes().map(|byte| byte == b'1').collect();
        Omniscient::new(&view, &up)
    }

    /// Steps on demand and on spot.
    fn counts(up: &str, spot: &str) -> [usize; 2] {
        let kinds = plan(9_000, up, spot).expect("there is time").kinds;
        [1, 2].map(|kind| kinds.iter().filter(|&&held| held == kind).count())
    }

    #[test]
    fn the_cheapest_plan_is_found() {
        // Six steps and a half with the restart that is set aside: 7 of spot.
        assert_eq!(counts("111111111111111", "1"), [0, 7]);
        // Four steps of spot, and after another restart the rest on demand.
        assert_eq!(counts("111100000000000", "1"), [3, 4]);
        assert_eq!(counts("000000000000000", "1"), [7, 0]);
    }

    /// All plans for 20 minutes of work in eight steps are tried, whenever there is spot.
    #[test]
    fn no_other_plan_is_cheaper() {
        for up in 0..256_u32 {
            let up: Vec<bool> = (0..8).map(|step| up >> step & 1 == 1).collect();
            let zone = SpotZone {
                on_demand: Rate::from_picos(3),
                spot: Rate::from_picos(1),
                ..VIEW.zones[0]
            };
            let view = SpotView {
                deadline: Span::from_secs(4_800),
                total: HOUR / 3,
                restart: Span::from_secs(360),
                zones: &[zone],
                ..VIEW
            };
            let found = Omniscient::new(&view, &up).expect("there is time").kinds;
            let cost = |kinds: &[u8]| kinds.iter().map(|&kind| [0, 3, 1][usize::from(kind)]).sum();
            let best: Option<u32> = (0..3_u32.pow(8))
                .filter_map(|mut plan| {
                    let kinds = [0; 8].map(|_: u8| {
                        let kind = (plan % 3) as u8;
                        plan /= 3;
                        kind
                    });
                    let possible = kinds.iter().zip(&up).all(|(&kind, &up)| kind != 2 || up);
                    let held = kinds.iter().filter(|&&kind| kind > 0).count();
                    let starts = kinds.windows(2).filter(|pair| pair[1] > 0 && pair[0] != pair[1]);
                    let enough = held * 600 >= 1_200 + 360 * (starts.count() + 1);
                    (possible && enough).then(|| cost(&kinds))
                })
                .min();
            assert_eq!(Some(cost(&found)), best, "{up:?}");
        }
    }

    #[test]
    fn it_holds_what_was_planned() {
        let policy = Omniscient { kinds: vec![2, 1, 0] };
        let at = |step: i64, held| {
            decided(&policy, &SpotView { now: Span::from_secs(600 * step), held, ..VIEW })
        };
        let nothing = HeldMarket::Nothing;
        assert_eq!(at(0, nothing), (SpotDecision::Spot(Otherwise::Stop), vec![0]));
        assert_eq!(at(1, HeldMarket::Spot(0)), (SpotDecision::OnDemand(0), vec![]));
        assert_eq!(at(1, HeldMarket::OnDemand(0)), (SpotDecision::Keep, vec![]));
        assert_eq!(at(2, HeldMarket::OnDemand(0)), (SpotDecision::Stop, vec![]));
        assert_eq!(at(3, nothing), (SpotDecision::Stop, vec![]));
    }

    #[test]
    fn there_is_no_plan_behind_the_deadline() {
        assert!(plan(3_600, "111111", "1").is_none());
        assert!(plan(4_200, "111111", "1").is_some());
    }
}
