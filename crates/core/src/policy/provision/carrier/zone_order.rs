//! Which zone is tried first for spot: the choice after an interruption.

use std::collections::BTreeMap;

use crate::part::{Parameter, PartSettings, Setting, SettingKind};
use crate::policy::spot::SpotView;
use crate::units::Span;

/// Words of the parameter, in the order of [`Rule`].
const WORDS: &[&str] = &["cheapest", "eager", "sticky", "ucb"];

pub(super) const ZONE_ORDER: Parameter = Parameter {
    name: "zone_order",
    kind: SettingKind::Word(WORDS),
    default: Setting::Word(WORDS[0]),
    doc: "Zones are tried for spot by price (`cheapest`); the one where spot was last held comes last (`eager`) or first (`sticky`); or those come first where it may last longest, by what was seen (`ucb`).",
};

/// Order of zones, and what was seen of them by all work of the part.
#[derive(Debug)]
pub(super) struct ZoneOrder {
    rule: Rule,
    /// By number of the zone in the world.
    runs: BTreeMap<usize, SpotRuns>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Cheapest,
    Eager,
    Sticky,
    Ucb,
}

/// Spot instances that were tried in one zone: how many, and how long those lasted that were lost.
#[derive(Clone, Copy, Debug, Default)]
struct SpotRuns {
    tries: u32,
    hours: f64,
}

impl ZoneOrder {
    pub(super) fn new(settings: &PartSettings) -> Self {
        let rule = match settings.word(ZONE_ORDER.name) {
            "eager" => Rule::Eager,
            "sticky" => Rule::Sticky,
            "ucb" => Rule::Ucb,
            _ => Rule::Cheapest,
        };
        Self { rule, runs: BTreeMap::new() }
    }

    /// Hears that spot was tried in the zone with this number, and whether it launched. A refusal is a
    /// run of no length.
    pub(super) fn tried(&mut self, zone: usize, launched: bool) {
        if self.rule == Rule::Ucb && !launched {
            self.runs.entry(zone).or_default().tries += 1;
        }
    }

    /// Hears that spot was lost there after so long.
    pub(super) fn lost(&mut self, zone: usize, after: Span) {
        if self.rule == Rule::Ucb {
            let runs = self.runs.entry(zone).or_default();
            runs.tries += 1;
            runs.hours += after.micros() as f64 / 3.6e9;
        }
    }

    /// Puts zones, by their numbers in `view`, into the order in which they are tried; `last` is where
    /// spot was held last.
    pub(super) fn arrange(
        &self,
        order: &mut [usize],
        view: &SpotView<'_>,
        last: Option<usize>,
        number: impl Fn(usize) -> usize,
    ) {
        order.sort_by_key(|&zone| (view.zones[zone].spot, zone));
        match self.rule {
            Rule::Cheapest => {}
            Rule::Eager => order.sort_by_key(|&zone| Some(zone) == last),
            Rule::Sticky => order.sort_by_key(|&zone| Some(zone) != last),
            Rule::Ucb => {
                let bound = |zone: usize| self.bound(number(zone));
                order.sort_by(|&a, &b| bound(b).total_cmp(&bound(a)));
            }
        }
    }

    /// Upper confidence bound of how many hours an instance lasts there, with the longest mean as the
    /// scale: UCB1 (Auer, Cesa-Bianchi and Fischer, Machine Learning 47, 2002). Infinite where none was
    /// tried.
    fn bound(&self, zone: usize) -> f64 {
        let Some(runs) = self.runs.get(&zone) else { return f64::INFINITY };
        let mean = |runs: &SpotRuns| runs.hours / f64::from(runs.tries);
        let all: u32 = self.runs.values().map(|runs| runs.tries).sum();
        let scale = self.runs.values().map(mean).fold(0.0, f64::max);
        mean(runs) + scale * libm::sqrt(2.0 * libm::log(f64::from(all)) / f64::from(runs.tries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::spot::{HeldMarket, SpotZone};
    use crate::units::{Money, Rate};

    fn order_of(order: &ZoneOrder, last: Option<usize>) -> Vec<usize> {
        let zone = |spot| SpotZone {
            on_demand: Rate::from_picos(9),
            spot: Rate::from_picos(spot),
            region: 0,
            copy: Money::ZERO,
        };
        let zones = [zone(3), zone(1), zone(2)];
        let view = SpotView {
            now: Span::ZERO,
            deadline: Span::HOUR,
            done: 0,
            total: 1,
            restart: Span::ZERO,
            restart_left: Span::ZERO,
            step: Span::HOUR,
            held: HeldMarket::Nothing,
            worked: None,
            zones: &zones,
        };
        let mut zones = vec![0, 1, 2];
        order.arrange(&mut zones, &view, last, |zone| zone + 10);
        zones
    }

    fn rule(word: &'static str) -> ZoneOrder {
        let mut settings = PartSettings::new(&[ZONE_ORDER]);
        settings.set(ZONE_ORDER.name, word.into());
        ZoneOrder::new(&settings)
    }

    #[test]
    fn prices_decide_and_then_the_zone_that_was_held() {
        assert_eq!(order_of(&rule("cheapest"), Some(1)), [1, 2, 0]);
        assert_eq!(order_of(&rule("eager"), Some(1)), [2, 0, 1]);
        assert_eq!(order_of(&rule("sticky"), Some(0)), [0, 1, 2]);
        assert_eq!(order_of(&rule("sticky"), None), [1, 2, 0]);
    }

    /// Zones 10, 11, 12: means of 2, 1 and 0 hours after 1, 4 and 1 tries of 6: bounds of
    /// 2 + 2 sqrt(2 ln 6), 1 + 2 sqrt(2 ln 6 / 4) and 2 sqrt(2 ln 6): 5.79, 2.89 and 3.79.
    #[test]
    fn bounds_weigh_what_lasts_against_what_is_unknown() {
        let mut ucb = rule("ucb");
        assert_eq!(order_of(&ucb, Some(1)), [1, 2, 0], "nothing is known: by price");
        (0..4).for_each(|_| ucb.lost(11, Span::HOUR));
        assert_eq!(order_of(&ucb, None), [2, 0, 1], "who was never tried comes first");
        ucb.lost(10, Span::from_secs(7_200));
        ucb.tried(12, false);
        ucb.tried(12, true);
        assert_eq!(order_of(&ucb, None), [0, 2, 1]);
        let bound = 1.0 + libm::sqrt(2.0 * libm::log(6.0));
        assert!((ucb.bound(11) - bound).abs() < 1e-12, "{}", ucb.bound(11));
    }
}
