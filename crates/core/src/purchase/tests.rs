//! Cases worked out by hand, and policies against brute force: all levels, all that could be bought.

mod optimum;

use super::*;
use crate::units::{Money, Stream};

const HOUR: Span = Span::from_secs(3_600);

fn hours_of(hours: i64) -> Span {
    Span::from_secs(hours * 3_600)
}

/// Costs in whole nano-dollars.
fn costs(committed: i128, used: i128, on_demand: i128, hours: u64) -> UnitCosts {
    let [committed, used, on_demand] = [committed, used, on_demand].map(Money::from_nanos);
    UnitCosts { committed, used, on_demand, hours }
}

/// Units that are bought at the end of each hour.
fn bought(policy: &PurchaseSpec, costs: UnitCosts, draw: f64, demand: &[u64]) -> Vec<u64> {
    let mut purchaser = Purchaser::new(policy, costs, draw);
    demand.iter().map(|demand| purchaser.decide(*demand)).collect()
}

/// Numbers below `below`, of `length` hours.
fn random(stream: &mut Stream, length: u64, below: u64) -> Vec<u64> {
    (0..length).map(|_| stream.below(below)).collect()
}

fn names() -> Vec<&'static str> {
    PARTS.iter().map(|part| part.name).collect()
}

#[test]
fn policies_have_names_of_their_own_and_defaults_within_their_ranges() {
    let wanted = ["none", "percentile", "layers", "online", "online-randomised", "ladder"];
    assert_eq!(names(), wanted);
    for part in PARTS {
        for parameter in part.parameters {
            assert!(parameter.kind.admits(&parameter.default), "{} {}", part.name, parameter.name);
        }
        // Nothing is bought where nothing is used, whatever it costs.
        for costs in [costs(0, 0, 0, 3), costs(1, 0, 1, 3), costs(5, 3, 2, 1)] {
            assert_eq!(bought(&part.spec(), costs, 0.5, &[0; 2_000]), [0; 2_000], "{}", part.name);
        }
    }
    assert_eq!(bought(&NONE.spec(), costs(1, 0, 10, 5), 0.0, &[9; 100]), [0; 100]);
}

#[test]
fn percentile_buys_the_cheapest_level_of_the_window() {
    // Committed 6 of 10 per hour: of ten hours, six may lie above. 10, 9, 8, 7, 6, 5 do; 4 is left.
    let policy = PERCENTILE.spec().set("window", hours_of(10)).set("every", hours_of(10));
    let costs = costs(6 * 100, 0, 10, 100);
    let demand = [3, 7, 1, 9, 10, 2, 8, 6, 5, 4];
    assert_eq!(bought(&policy, costs, 0.0, &demand), [0, 0, 0, 0, 0, 0, 0, 0, 0, 4]);
    // The next ten hours are at 6: two more. Then they are at 1: what is held stays.
    let demand = [demand.to_vec(), vec![6; 10], vec![1; 10]].concat();
    let all = bought(&policy, costs, 0.0, &demand);
    assert_eq!((all[9], all[19], all[29], all.iter().sum::<u64>()), (4, 2, 0, 6));
    // A term of 15 hours ends in between: the four are bought again at the next decision.
    let costs = UnitCosts { committed: Money::from_nanos(6 * 15), hours: 15, ..costs };
    let all = bought(&policy, costs, 0.0, &[[3, 7, 1, 9, 10, 2, 8, 6, 5, 4]; 3].concat());
    assert_eq!((all[9], all[19], all[29], all.iter().sum::<u64>()), (4, 0, 4, 8));
}

#[test]
fn layers_are_bought_when_they_were_used_for_more_than_break_even() {
    // Break-even at half of four hours. Layer 1 is used in 4, layer 2 in 3, layer 3 in 2, 4 in 1.
    let policy = LAYERS.spec().set("window", hours_of(4));
    let costs = costs(50, 0, 1, 100);
    let demand = [1, 2, 3, 4, 3, 3, 0, 0];
    // Then 2, 3, 4, 3: layer 3 is used in three of four.
    assert_eq!(bought(&policy, costs, 0.0, &demand), [0, 0, 0, 2, 1, 0, 0, 0]);
    // It must be used in 25 percent of the hours more: in four, not in three.
    let policy = policy.set("margin", 25);
    assert_eq!(bought(&policy, costs, 0.0, &demand), [0, 0, 0, 1, 1, 1, 0, 0]);
}

#[test]
fn online_waits_until_use_has_cost_what_a_unit_saves() {
    // A unit costs 30, an hour 10: bought at the end of the fourth hour. It holds for 5 hours.
    let costs = costs(30, 0, 10, 5);
    let demand = [1; 14];
    let wanted = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    assert_eq!(bought(&ONLINE.spec(), costs, 0.0, &demand), wanted);
    // Three units more in an hour that three before it have waited for.
    let demand = [4, 4, 4, 4, 4];
    assert_eq!(bought(&ONLINE.spec(), costs, 0.0, &demand), [0, 0, 0, 4, 0]);
    // Hours out of the window of five do not count.
    let demand = [1, 0, 1, 0, 0, 1, 0, 1, 1, 1];
    assert_eq!(bought(&ONLINE.spec(), costs, 0.0, &demand), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    // Use that costs 5 more saves 5: six hours are more than any window of five.
    let costs = UnitCosts { used: Money::from_nanos(5), ..costs };
    assert_eq!(bought(&ONLINE.spec(), costs, 0.0, &[9; 100]), [0; 100]);
}

#[test]
fn the_drawn_threshold_follows_its_distribution() {
    // A unit costs 100 hours, alpha 0: w = ln(1 + u (e - 1)); at u = 0.5, 0.6201 (of 100: 62).
    let costs = costs(1_000, 0, 10, 200);
    for (draw, waited) in [(0.0, 0), (0.5, 62), (0.999_999, 99)] {
        let all = bought(&ONLINE_RANDOMISED.spec(), costs, draw, &[1; 150]);
        assert_eq!(all.iter().position(|units| *units == 1), Some(waited), "{draw}");
    }
    // Alpha 0.5: nothing at all with probability 0.5 / (e - 0.5) = 0.2254, else within 200 hours.
    let costs = UnitCosts { used: Money::from_nanos(5), hours: 300, ..costs };
    for (draw, waited) in [(0.7745, Some(199)), (0.7747, None), (0.9, None)] {
        let all = bought(&ONLINE_RANDOMISED.spec(), costs, draw, &[1; 900]);
        assert_eq!(all.iter().position(|units| *units == 1), waited, "{draw}");
    }
}

#[test]
fn a_ladder_buys_a_part_of_what_is_missing() {
    let costs = costs(1, 0, 1, 1_000);
    let every = |hours| LADDER.spec().set("window", hours_of(4)).set("every", hours_of(hours));
    // At 24 in all hours, 80 % are 19.2, so 20 units: a twelfth of 20, 18, 16, 14, 12, 11, ...
    let all = bought(&every(1).set("utilisation", 100), costs, 0.0, &[24; 30]);
    assert_eq!(all[..12], [2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(all.iter().sum::<u64>(), 20);
    // Each month all that is missing; 10, 0, 10, 10 of which 80 % are 24 of 30: 8 units in 3 hours.
    let all_at_once = every(4).set("steps", 1).set("utilisation", 0);
    assert_eq!(bought(&all_at_once, costs, 0.0, &[10, 0, 10, 10]), [0, 0, 0, 8]);
    // They would be used in three of four hours; with a floor of 75 % that is enough, of 76 % none.
    let floor = |percent: u32| all_at_once.clone().set("utilisation", percent);
    assert_eq!(bought(&floor(75), costs, 0.0, &[10, 0, 10, 10]), [0, 0, 0, 8]);
    assert_eq!(bought(&floor(76), costs, 0.0, &[10, 0, 10, 10]), [0; 4]);
    // 2, 4, 8, 10: of 5 units 16 of 20 hours are used, of 6 18 of 24.
    assert_eq!(bought(&floor(80), costs, 0.0, &[2, 4, 8, 10]), [0, 0, 0, 5]);
}

/// What commitment to a level would have cost over these hours, times the term.
fn cost_of_level(costs: UnitCosts, level: u64, demand: &[u64]) -> i128 {
    let [used, on_demand] = [costs.used, costs.on_demand].map(Money::nanos);
    let uncovered = |demand: &u64| i128::from(demand.saturating_sub(level)) * on_demand;
    let covered = |demand: &u64| i128::from(level.min(*demand)) * used;
    let of_use: i128 = demand.iter().map(|demand| uncovered(demand) + covered(demand)).sum();
    let committed = costs.committed.nanos() * i128::from(level) * demand.len() as i128;
    committed + of_use * i128::from(costs.hours)
}

#[test]
fn percentile_is_the_cheapest_of_all_levels_and_layers_are_each_worth_it() {
    let mut stream = Stream::new(1, "levels");
    for _ in 0..2_000 {
        let [window, hours, most] = [1 + stream.below(12), 1 + stream.below(40), stream.below(9)];
        let on_demand = 1 + stream.below(20);
        let used = stream.below(on_demand + 2);
        let committed = stream.below(on_demand * hours + 9);
        let costs = costs(committed.into(), used.into(), on_demand.into(), hours);
        // At the end of the window nothing was bought before.
        let demand = random(&mut stream, window, most + 1);
        let span = hours_of(window as i64);
        let policy = PERCENTILE.spec().set("window", span).set("every", span);
        let level = *bought(&policy, costs, 0.0, &demand).last().expect("an hour");
        let cheapest = (0..=most).min_by_key(|level| cost_of_level(costs, *level, &demand));
        assert_eq!(Some(level), cheapest, "{costs:?} {demand:?}");
        // Longer, and in each hour: the same as layers, once the window is full.
        let demand = random(&mut stream, 30, most + 1);
        let percentile = PERCENTILE.spec().set("window", span).set("every", HOUR);
        let (mut every, mut layers) = (
            Purchaser::new(&percentile, costs, 0.0),
            Purchaser::new(&LAYERS.spec().set("window", span), costs, 0.0),
        );
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (hour, demand) in demand.iter().enumerate() {
            let full = hour as u64 + 1 >= window;
            first.push(if full { every.decide(*demand) } else { every.watch(*demand) });
            second.push(layers.decide(*demand));
        }
        assert_eq!(first, second, "{costs:?} {demand:?}");
        assert_eq!(second, layer_by_layer(costs, window, &demand), "{costs:?} {demand:?}");
    }
}

impl Purchaser {
    /// Shows the hour to the policy, and buys nothing.
    fn watch(&mut self, demand: u64) -> u64 {
        let (hour, held) = (self.hour, self.held);
        assert_eq!(held, 0);
        self.policy.decide(UnitDemand { hour, demand, held, kept: 0 });
        self.hour += 1;
        0
    }
}

/// Units that are bought where each layer is looked at by itself.
fn layer_by_layer(costs: UnitCosts, window: u64, demand: &[u64]) -> Vec<u64> {
    let saved = (costs.on_demand - costs.used).nanos();
    let window = window as usize;
    let mut bought = vec![0; demand.len()];
    for hour in window - 1..demand.len() {
        let of_window = &demand[hour + 1 - window..=hour];
        let worth = |layer: &u64| {
            let used = of_window.iter().filter(|demand| *demand >= layer).count() as i128;
            let committed = costs.committed.nanos() * window as i128;
            used * saved * i128::from(costs.hours) > committed
        };
        let from = (hour + 1).saturating_sub(costs.hours as usize);
        let held: u64 = bought[from..hour].iter().sum();
        // Held in the next hour: bought in the last `hours` hours, the one that ends among them.
        let worth = (1..=20).take_while(worth).count() as u64;
        bought[hour] = worth.saturating_sub(held);
    }
    bought
}

#[test]
fn windows_find_numbers_of_any_rank() {
    let mut stream = Stream::new(2, "ranks");
    for length in [1, 2, 7, 30] {
        let mut window = window::RankWindow::new(length);
        let mut all: Vec<i128> = Vec::new();
        for _ in 0..2_000 {
            let number = i128::from(stream.below(12)) - 5;
            window.push(number);
            all.push(number);
            let mut sorted = all[all.len().saturating_sub(length as usize)..].to_vec();
            sorted.sort_unstable_by_key(|number| -number);
            let most = stream.below(length + 2);
            assert_eq!(window.beyond(most), sorted.get(most as usize).copied());
        }
    }
}
