//! Prices over time: the list price, the negotiated discount, and the changes
//! that a scenario makes.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Market, PricePath};
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::scenario::catalog::{Catalog, CatalogRegion, CatalogType};
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Calendar, Rate, Time};

/// Moment before any run.
const BEGINNING: Time = Time::from_micros(i64::MIN / 2);

/// The changes of price of a cloud, found by what they name.
#[derive(Debug)]
pub(super) struct Changes {
    /// Changes in file order.
    rows: Vec<PriceChange>,
    /// Rows that name a type.
    by_type: BTreeMap<String, Vec<usize>>,
    /// Rows that name a family and no type.
    by_family: BTreeMap<String, Vec<usize>>,
    /// Rows that name neither.
    others: Vec<usize>,
}

/// One change of price: the offers that it concerns, its time, and its effect.
#[derive(Debug)]
struct PriceChange {
    region: Option<String>,
    family: Option<String>,
    market: Option<String>,
    from: Time,
    until: Option<Time>,
    effect: PriceEffect,
}

#[derive(Clone, Copy, Debug)]
enum PriceEffect {
    /// A new price, whatever it was.
    Set(Rate),
    /// A factor on the price, in millionths.
    Scale(i64),
}

impl PriceChange {
    fn read(row: &ConfigTable, calendar: Calendar) -> Option<Self> {
        let text = |key: &str| row.text(key).map(str::to_owned);
        let effect = match (row.integer("usd_per_hour"), row.integer("discount")) {
            (Some(nanos), _) => PriceEffect::Set(Rate::from_picos(nanos.saturating_mul(1_000))),
            (None, Some(discount)) => PriceEffect::Scale(1_000_000 - discount),
            (None, None) => return None,
        };
        Some(Self {
            region: text("region"),
            family: text("family"),
            market: text("market"),
            from: row.moment("from", calendar).unwrap_or(BEGINNING),
            until: row.moment("until", calendar),
            effect,
        })
    }

    fn is_of(&self, known: &CatalogType, region: &CatalogRegion, market: Market) -> bool {
        let fits = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == name)
        };
        fits(&self.region, &region.name)
            && fits(&self.family, &known.family)
            && fits(&self.market, market.name())
    }
}

impl Changes {
    /// Reads `[[cloud.NAME.price]]`.
    pub(super) fn read(section: &ConfigTable, calendar: Calendar) -> Self {
        let (mut rows, mut others) = (Vec::new(), Vec::new());
        let mut by_type: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut by_family: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for row in section.list("price") {
            let Some(change) = PriceChange::read(row, calendar) else { continue };
            let named = match (row.text("type"), row.text("family")) {
                (Some(name), _) => by_type.entry(name.to_owned()).or_default(),
                (None, Some(family)) => by_family.entry(family.to_owned()).or_default(),
                (None, None) => &mut others,
            };
            named.push(rows.len());
            rows.push(change);
        }
        Self { rows, by_type, by_family, others }
    }

    /// Rows that hold for an offer, in file order.
    fn of(&self, known: &CatalogType, region: &CatalogRegion, market: Market) -> Vec<usize> {
        let none = Vec::new();
        let by_type = self.by_type.get(&known.name).unwrap_or(&none);
        let by_family = self.by_family.get(&known.family).unwrap_or(&none);
        let all = by_type.iter().chain(by_family).chain(&self.others).copied();
        let mut rows: Vec<usize> =
            all.filter(|&row| self.rows[row].is_of(known, region, market)).collect();
        rows.sort_unstable();
        rows
    }

    /// The price of an offer, from `base` on.
    pub(super) fn path(
        &self,
        base: Rate,
        (known, region, market): (&CatalogType, &CatalogRegion, Market),
    ) -> PricePath {
        let mut steps: Vec<(Time, bool, usize)> = Vec::new();
        for row in self.of(known, region, market) {
            let change = &self.rows[row];
            if change.until.is_none_or(|until| change.from < until) {
                steps.push((change.from, true, row));
                steps.extend(change.until.map(|until| (until, false, row)));
            }
        }
        steps.sort_unstable();
        let mut holding = Holding::default();
        let mut path = PricePath::constant(base);
        for of_one_time in steps.chunk_by(|one, other| one.0 == other.0) {
            for &(_, begins, row) in of_one_time {
                holding.change(begins, row, self.rows[row].effect);
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
    let names = |names: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        let names: BTreeSet<&str> = names.collect();
        names.into_iter().map(str::to_owned).collect()
    };
    let regions = names(&mut catalog.regions.iter().map(|region| region.name.as_str()));
    let types = names(&mut catalog.types.iter().map(|known| known.name.as_str()));
    let families = names(&mut catalog.types.iter().map(|known| known.family.as_str()));
    let has = |sorted: &[String], name: &str| {
        sorted.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    };
    for change in section.list("price") {
        let given = change.has("discount") as u8 + change.has("usd_per_hour") as u8;
        if given != 1 {
            let message = "a change of price has either `discount` or `usd_per_hour`";
            report.at(&change.range, message);
        }
        let (from, until) = (change.moment("from", calendar), change.moment("until", calendar));
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            report.at(&change.spot("until"), "`until` must be after `from`");
        }
        for (key, known) in [("region", &regions), ("type", &types), ("family", &families)] {
            if let Some(name) = change.text(key).filter(|name| !has(known, name)) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let message = format!("{} has no {key} called `{name}`", catalog.title);
                report.hint(&change.spot(key), message, unknown_name(name, &known));
            }
        }
    }
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
    use super::*;
    use crate::scenario::catalog::Provenance;
    use proptest::prelude::*;

    /// The price at `time`, by applying every row that holds then, in file order.
    fn slow(rows: &[PriceChange], base: Rate, time: Time) -> Rate {
        rows.iter()
            .filter(|row| row.from <= time && row.until.is_none_or(|until| time < until))
            .fold(base, |rate, row| match row.effect {
                PriceEffect::Set(rate) => rate,
                PriceEffect::Scale(millionths) => rate.scaled(millionths),
            })
    }

    fn row() -> impl Strategy<Value = PriceChange> {
        let time = |at: i64| (at >= 0).then(|| Time::from_micros(at));
        let effect = prop_oneof![
            (1_i64..9).prop_map(|rate| PriceEffect::Set(Rate::from_picos(rate * 1_000_003))),
            (0_i64..1_000_000).prop_map(PriceEffect::Scale),
        ];
        ((-2_i64..30).prop_map(time), (-2_i64..30).prop_map(time), effect).prop_map(
            |(from, until, effect)| {
                let (region, family, market) = (None, None, None);
                let from = from.unwrap_or(BEGINNING);
                PriceChange { region, family, market, from, until, effect }
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
            let base = Rate::from_picos(7_000_001);
            let path = changes.path(base, (&known, &region, Market::Spot));
            for at in -1..31 {
                let at = Time::from_micros(at);
                prop_assert_eq!(path.at(at), slow(&changes.rows, base, at));
            }
            prop_assert!(path.changes.windows(2).all(|two| two[0].0 < two[1].0));
        }
    }
}
