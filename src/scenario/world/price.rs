//! Prices over time: the list price, the negotiated discount, and the changes
//! that a scenario makes.

mod drawn;

use std::collections::BTreeMap;

use super::Build;
use super::change::{self, BEGINNING, Changes, OfferNames};
use crate::model::{DrawnPrice, Market, PricePath};
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::scenario::catalog::Catalog;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::stream::fnv1a;
use crate::units::{Calendar, Rate, Time};
use crate::weather::{PriceHistory, read_prices};

use drawn::PriceModel;

/// The changes of price of a cloud.
#[derive(Debug)]
pub(super) struct PriceChanges {
    changes: Changes<PriceEffect>,
    calendar: Calendar,
}

#[derive(Clone, Debug)]
enum PriceEffect {
    /// A new price, whatever it was.
    Set(Rate),
    /// A factor on the price, in millionths.
    Scale(i64),
    /// Prices that somebody has seen.
    Trace(PriceHistory),
    /// Prices that are drawn.
    Model(PriceModel),
}

/// What happens to a row at one time, in the order in which that is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PriceEvent {
    Ends,
    Begins(HeldPrice),
    /// The trace of the row, if it holds, says something else.
    Says(Rate),
}

/// What a row that holds says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum HeldPrice {
    Set(Rate),
    Scaled(i64),
    Drawn,
}

impl PriceEffect {
    fn read(
        build: &mut Build<'_>,
        row: &ConfigTable,
        catalog: &Catalog,
        report: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        if let Some(nanos) = row.integer("usd_per_hour") {
            return Some(Self::Set(Rate::from_picos(nanos.saturating_mul(1_000))));
        }
        if let Some(discount) = row.integer("discount") {
            return Some(Self::Scale(1_000_000 - discount));
        }
        if row.has("model") {
            let calendar = build.world.calendar;
            return PriceModel::read(row, catalog, calendar, report).map(Self::Model);
        }
        build.traced(row, "trace", read_prices, report).map(Self::Trace)
    }
}

impl PriceChanges {
    /// Reads `[[cloud.NAME.price]]`, with the traces that it names.
    pub(super) fn read(
        build: &mut Build<'_>,
        section: &ConfigTable,
        catalog: &Catalog,
        report: &mut Diagnostics<'_>,
    ) -> Self {
        let calendar = build.world.calendar;
        let changes = Changes::read(section, "price", Some(calendar), |row| {
            PriceEffect::read(build, row, catalog, report)
        });
        Self { changes, calendar }
    }

    /// The price of an offer called `name`, from `base` on.
    pub(super) fn path(&self, base: Rate, name: &str, offer: OfferNames<'_>) -> PricePath {
        let mut holding: BTreeMap<usize, HeldPrice> = BTreeMap::new();
        let mut path = PricePath::constant(base);
        let mut drawing: Option<(usize, Vec<i64>, Time)> = None;
        let events = self.events(offer);
        for of_one_time in events.chunk_by(|one, other| one.0 == other.0) {
            for &(_, event, row) in of_one_time {
                match event {
                    PriceEvent::Ends => drop(holding.remove(&row)),
                    PriceEvent::Begins(held) => drop(holding.insert(row, held)),
                    PriceEvent::Says(rate) => {
                        holding.entry(row).and_modify(|held| *held = HeldPrice::Set(rate));
                    }
                }
            }
            let at = of_one_time[0].0;
            let (set, scales) = counting(&holding, base);
            let is_same =
                |(row, before, _): &(usize, Vec<i64>, Time)| set == Err(*row) && *before == scales;
            if drawing.as_ref().is_some_and(|drawing| !is_same(drawing)) {
                path.drawn.extend(self.drawn(drawing.take(), Some(at), (base, name), offer));
            }
            match set {
                Err(row) => drawing = drawing.or(Some((row, scales, at))),
                Ok(rate) => {
                    let rate = scales.iter().fold(rate, |rate, &factor| rate.scaled(factor));
                    if at == BEGINNING {
                        path.first = rate;
                    } else if rate != path.at(at) {
                        path.changes.push((at, rate));
                    }
                }
            }
        }
        path.drawn.extend(self.drawn(drawing, None, (base, name), offer));
        path
    }

    /// The period in which a row is drawn: `drawing` holds the row, the factors on it and its begin.
    fn drawn(
        &self,
        drawing: Option<(usize, Vec<i64>, Time)>,
        until: Option<Time>,
        (base, name): (Rate, &str),
        offer: OfferNames<'_>,
    ) -> Option<DrawnPrice> {
        let (row, mut scales, from) = drawing?;
        let change = &self.changes.rows[row];
        let PriceEffect::Model(model) = &change.effect else { return None };
        let is_model =
            |&row: &usize| matches!(self.changes.rows[row].effect, PriceEffect::Model(_));
        let rows = self.changes.rows_of(offer);
        let before = rows.filter(|&other| other < row).filter(is_model).count();
        let start = |at: Time| (at != BEGINNING).then_some(at);
        if model.is_relative() {
            // Pico-dollars in millionths of a dollar.
            scales.insert(0, base.picos() / 1_000_000);
        }
        Some(DrawnPrice {
            from: start(from),
            until,
            anchor: start(change.from).unwrap_or(Time::ZERO),
            key: [fnv1a(name.as_bytes()), before as u64],
            law: model.law(),
            scales,
        })
    }

    /// What happens to the rows that hold for an offer, by time.
    fn events(&self, offer: OfferNames<'_>) -> Vec<(Time, PriceEvent, usize)> {
        let mut events = Vec::new();
        for (at, begins, row) in self.changes.steps(offer) {
            let change = &self.changes.rows[row];
            let held = match &change.effect {
                _ if !begins => {
                    events.push((at, PriceEvent::Ends, row));
                    continue;
                }
                PriceEffect::Set(rate) => HeldPrice::Set(*rate),
                PriceEffect::Scale(millionths) => HeldPrice::Scaled(*millionths),
                PriceEffect::Model(_) => HeldPrice::Drawn,
                PriceEffect::Trace(history) => {
                    let Some(prices) = history.of(offer.2, &offer.0.name) else { continue };
                    let start = if at == BEGINNING { Time::ZERO } else { at };
                    let moment = |micros: i64| match history.is_dated {
                        true => self.calendar.time(micros),
                        false => start.saturating_add(crate::units::Span::from_micros(micros)),
                    };
                    // Before the first price of the file, that one holds.
                    let past = prices.partition_point(|&(micros, _)| moment(micros) <= start);
                    let first = prices[past.saturating_sub(1)].1;
                    let later = prices[past.max(1)..].iter();
                    let later =
                        later.map(|&(micros, rate)| (moment(micros), PriceEvent::Says(rate), row));
                    let ends = change.until;
                    events.extend(later.filter(|&(at, ..)| ends.is_none_or(|ends| at < ends)));
                    HeldPrice::Set(first)
                }
            };
            events.push((at, PriceEvent::Begins(held), row));
        }
        events.sort_unstable();
        events
    }
}

/// The price that is set last, or the row that it is drawn from, and the factors after it, in file
/// order: what is before makes no difference.
fn counting(holding: &BTreeMap<usize, HeldPrice>, base: Rate) -> (Result<Rate, usize>, Vec<i64>) {
    let (mut set, mut scales) = (Ok(base), Vec::new());
    for (&row, &held) in holding {
        match held {
            HeldPrice::Set(rate) => (set, scales) = (Ok(rate), Vec::new()),
            HeldPrice::Drawn => (set, scales) = (Err(row), Vec::new()),
            HeldPrice::Scaled(millionths) => scales.push(millionths),
        }
    }
    (set, scales)
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
        let keys = ["discount", "usd_per_hour", "trace", "model"];
        if keys.iter().filter(|key| change.has(key)).count() != 1 {
            let message =
                "a change of price has either `discount`, `usd_per_hour`, `trace` or `model`";
            report.at(&change.range, message);
        }
    }
    change::check(section, "price", catalog, Some(calendar), report);
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
                PriceEffect::Trace(_) | PriceEffect::Model(_) => rate,
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
            let changes = Changes { rows, by_type, by_family, others };
            let calendar = Calendar::from_unix_micros(0);
            let changes = PriceChanges { changes, calendar };
            let base = Rate::from_picos(7_000_001);
            let path = changes.path(base, "o", (&known, &region, "z", Market::Spot));
            for at in -1..31 {
                let at = Time::from_micros(at);
                prop_assert_eq!(path.at(at), slow(&changes.changes.rows, base, at));
            }
            prop_assert!(path.changes.windows(2).all(|two| two[0].0 < two[1].0));
        }
    }
}
