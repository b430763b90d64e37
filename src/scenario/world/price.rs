//! Prices over time: the list price, the negotiated discount, and the changes
//! that a scenario makes.

use std::collections::BTreeMap;

use super::change::{self, BEGINNING, Changes, OfferNames};
use crate::model::{Market, PricePath};
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::scenario::catalog::Catalog;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Calendar, Rate, Time};

/// The changes of price of a cloud.
#[derive(Debug)]
pub(super) struct PriceChanges(Changes<PriceEffect>);

#[derive(Clone, Copy, Debug)]
enum PriceEffect {
    /// A new price, whatever it was.
    Set(Rate),
    /// A factor on the price, in millionths.
    Scale(i64),
}

impl PriceEffect {
    fn read(row: &ConfigTable) -> Option<Self> {
        match (row.integer("usd_per_hour"), row.integer("discount")) {
            (Some(nanos), _) => Some(Self::Set(Rate::from_picos(nanos.saturating_mul(1_000)))),
            (None, Some(discount)) => Some(Self::Scale(1_000_000 - discount)),
            (None, None) => None,
        }
    }
}

impl PriceChanges {
    /// Reads `[[cloud.NAME.price]]`.
    pub(super) fn read(section: &ConfigTable, calendar: Calendar) -> Self {
        Self(Changes::read(section, "price", calendar, PriceEffect::read))
    }

    /// The price of an offer, from `base` on.
    pub(super) fn path(&self, base: Rate, offer: OfferNames<'_>) -> PricePath {
        let mut holding = Holding::default();
        let mut path = PricePath::constant(base);
        let steps = self.0.steps(offer);
        for of_one_time in steps.chunk_by(|one, other| one.0 == other.0) {
            for &(_, begins, row) in of_one_time {
                holding.change(begins, row, self.0.rows[row].effect);
            }
            let (at, rate) = (of_one_time[0].0, holding.price(base));
            if at == BEGINNING {
                path.first = rate;
            } else if rate != path.at(at) {
                path.changes.push((at, rate));
            }
        }
        path
    }
}

/// The changes that hold at one time, by their row in the file.
#[derive(Debug, Default)]
struct Holding {
    set: BTreeMap<usize, Rate>,
    scaled: BTreeMap<usize, i64>,
}

impl Holding {
    fn change(&mut self, begins: bool, row: usize, effect: PriceEffect) {
        match (begins, effect) {
            (true, PriceEffect::Set(rate)) => drop(self.set.insert(row, rate)),
            (true, PriceEffect::Scale(millionths)) => drop(self.scaled.insert(row, millionths)),
            (false, PriceEffect::Set(_)) => drop(self.set.remove(&row)),
            (false, PriceEffect::Scale(_)) => drop(self.scaled.remove(&row)),
        }
    }

    /// Each change after the other, in file order: the last price that is set
    /// makes those before it pointless.
    fn price(&self, base: Rate) -> Rate {
        let (after, rate) =
            self.set.last_key_value().map_or((0, base), |(&row, &rate)| (row, rate));
        self.scaled.range(after..).fold(rate, |rate, (_, &millionths)| rate.scaled(millionths))
    }
}

/// The list price of an offer less the negotiated discount.
pub(super) fn base(section: &ConfigTable, market: Market, listed: Rate) -> Rate {
    match market {
        Market::OnDemand => listed.scaled(1_000_000 - section.integer("discount").unwrap_or(0)),
        Market::Spot | Market::Owned => listed,
    }
}

/// Reports changes of price that change nothing.
pub(super) fn check(
    section: &ConfigTable,
    catalog: &Catalog,
    calendar: Calendar,
    report: &mut Diagnostics<'_>,
) {
    for change in section.list("price") {
        let given = change.has("discount") as u8 + change.has("usd_per_hour") as u8;
        if given != 1 {
            let message = "a change of price has either `discount` or `usd_per_hour`";
            report.at(&change.range, message);
        }
    }
    change::check(section, "price", catalog, calendar, report);
}

/// Changes of price that no longer hold when the run begins, as warnings.
pub fn past_prices(scenario: &Scenario) -> Vec<Problem> {
    let document = &scenario.document;
    let mut report = Diagnostics::new(document, Vec::new());
    let root = crate::scenario::root(document, "", &mut report);
    for (_, cloud, _) in root.section("cloud").sections() {
        for row in cloud.list("price") {
            let until = row.moment("until", scenario.calendar);
            if let Some(until) = until.filter(|&until| until <= Time::ZERO) {
                let message = format!(
                    "this price ended at {}, before the run begins",
                    scenario.calendar.format(until)
                );
                report.hint(&row.spot("until"), message, "check `until` and `start`");
            }
        }
    }
    report.problems
}

#[cfg(test)]
mod tests {
    use super::super::change::Change;
    use super::*;
    use crate::scenario::catalog::{CatalogRegion, CatalogType, Provenance};
    use proptest::prelude::*;

    /// The price at `time`, by applying every row that holds then, in file order.
    fn slow(rows: &[Change<PriceEffect>], base: Rate, time: Time) -> Rate {
        rows.iter()
            .filter(|row| row.from <= time && row.until.is_none_or(|until| time < until))
            .fold(base, |rate, row| match row.effect {
                PriceEffect::Set(rate) => rate,
                PriceEffect::Scale(millionths) => rate.scaled(millionths),
            })
    }

    fn row() -> impl Strategy<Value = Change<PriceEffect>> {
        let time = |at: i64| (at >= 0).then(|| Time::from_micros(at));
        let effect = prop_oneof![
            (1_i64..9).prop_map(|rate| PriceEffect::Set(Rate::from_picos(rate * 1_000_003))),
            (0_i64..1_000_000).prop_map(PriceEffect::Scale),
        ];
        ((-2_i64..30).prop_map(time), (-2_i64..30).prop_map(time), effect).prop_map(
            |(from, until, effect)| {
                let (region, zone, family, market) = (None, None, None, None);
                let from = from.unwrap_or(BEGINNING);
                Change { region, zone, family, market, from, until, effect }
            },
        )
    }

    proptest! {
        #[test]
        fn a_path_is_what_all_rows_say_at_every_time(rows in prop::collection::vec(row(), 0..12)) {
            let known = CatalogType {
                name: "m".into(), family: "f".into(), cpu: 1, memory: 1, gpus: 0,
                gpu_model: String::new(), speed: 1, power_watts: 0, provenance: Provenance::default(),
            };
            let region = CatalogRegion {
                name: "r".into(), title: String::new(), zones: Vec::new(), jurisdiction: String::new(),
                certifications: Vec::new(), carbon_mg_per_kwh: 0, provenance: Provenance::default(),
            };
            let others = (0..rows.len()).collect();
            let (by_type, by_family) = (BTreeMap::new(), BTreeMap::new());
            let changes = PriceChanges(Changes { rows, by_type, by_family, others });
            let base = Rate::from_picos(7_000_001);
            let path = changes.path(base, (&known, &region, "z", Market::Spot));
            for at in -1..31 {
                let at = Time::from_micros(at);
                prop_assert_eq!(path.at(at), slow(&changes.0.rows, base, at));
            }
            prop_assert!(path.changes.windows(2).all(|two| two[0].0 < two[1].0));
        }
    }
}
