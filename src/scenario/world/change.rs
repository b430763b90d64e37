//! Changes of offers of a cloud that a scenario makes: which offers, from when to when, and the
//! effect.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Market;
use crate::scenario::catalog::{Catalog, CatalogRegion, CatalogType};
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Calendar, Time};

/// Moment before any run.
pub(super) const BEGINNING: Time = Time::from_micros(i64::MIN / 2);

/// An offer, as rows name it: its type, region, zone and market.
pub(super) type OfferNames<'n> = (&'n CatalogType, &'n CatalogRegion, &'n str, Market);

/// One change: the offers that it concerns, its time, and its effect.
#[derive(Debug)]
pub(super) struct Change<E> {
    pub(super) region: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) family: Option<String>,
    pub(super) market: Option<String>,
    pub(super) from: Time,
    pub(super) until: Option<Time>,
    pub(super) effect: E,
}

impl<E> Change<E> {
    fn is_of(&self, (known, region, zone, market): OfferNames<'_>) -> bool {
        let fits = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == name)
        };
        fits(&self.region, &region.name)
            && fits(&self.zone, zone)
            && fits(&self.family, &known.family)
            && fits(&self.market, market.name())
    }
}

/// The changes of one kind of a cloud, found by what they name.
#[derive(Debug)]
pub(super) struct Changes<E> {
    /// Changes in file order.
    pub(super) rows: Vec<Change<E>>,
    /// Rows that name a type.
    pub(super) by_type: BTreeMap<String, Vec<usize>>,
    /// Rows that name a family and no type.
    pub(super) by_family: BTreeMap<String, Vec<usize>>,
    /// Rows that name neither.
    pub(super) others: Vec<usize>,
}

impl<E> Changes<E> {
    /// Reads the rows of `[[cloud.NAME.list]]` that have an effect; without a `calendar` they hold for
    /// ever.
    pub(super) fn read(
        section: &ConfigTable,
        list: &str,
        calendar: Option<Calendar>,
        mut effect: impl FnMut(&ConfigTable) -> Option<E>,
    ) -> Self {
        let (mut rows, mut others) = (Vec::new(), Vec::new());
        let mut by_type: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut by_family: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for row in section.list(list) {
            let Some(effect) = effect(row) else { continue };
            let named = match (row.text("type"), row.text("family")) {
                (Some(name), _) => by_type.entry(name.to_owned()).or_default(),
                (None, Some(family)) => by_family.entry(family.to_owned()).or_default(),
                (None, None) => &mut others,
            };
            named.push(rows.len());
            let text = |key: &str| row.text(key).map(str::to_owned);
            rows.push(Change {
                region: text("region"),
                zone: text("zone"),
                family: text("family"),
                market: text("market"),
                from: calendar.and_then(|day| row.moment("from", day)).unwrap_or(BEGINNING),
                until: calendar.and_then(|day| row.moment("until", day)),
                effect,
            });
        }
        Self { rows, by_type, by_family, others }
    }

    /// Rows that hold for an offer at some time.
    pub(super) fn rows_of(&self, offer: OfferNames<'_>) -> impl Iterator<Item = usize> {
        let by_type = self.by_type.get(&offer.0.name).into_iter().flatten();
        let by_family = self.by_family.get(&offer.0.family).into_iter().flatten();
        let all = by_type.chain(by_family).chain(&self.others).copied();
        all.filter(move |&row| self.rows[row].is_of(offer))
    }

    /// Beginnings (`true`) and ends of the rows that hold for an offer, by time.
    pub(super) fn steps(&self, offer: OfferNames<'_>) -> Vec<(Time, bool, usize)> {
        let mut steps: Vec<(Time, bool, usize)> = Vec::new();
        for row in self.rows_of(offer) {
            let change = &self.rows[row];
            if change.until.is_none_or(|until| change.from < until) {
                steps.push((change.from, true, row));
                steps.extend(change.until.map(|until| (until, false, row)));
            }
        }
        steps.sort_unstable();
        steps
    }
}

/// Reports rows of `list` that end before they begin, and names that the catalog does not have.
pub(super) fn check(
    section: &ConfigTable,
    list: &str,
    catalog: &Catalog,
    calendar: Option<Calendar>,
    report: &mut Diagnostics<'_>,
) {
    if section.list(list).is_empty() {
        return;
    }
    let names = |names: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        let names: BTreeSet<&str> = names.collect();
        names.into_iter().map(str::to_owned).collect()
    };
    let regions = names(&mut catalog.regions.iter().map(|region| region.name.as_str()));
    let zones = catalog.regions.iter().flat_map(|region| &region.zones);
    let zones = names(&mut zones.map(String::as_str));
    let types = names(&mut catalog.types.iter().map(|known| known.name.as_str()));
    let families = names(&mut catalog.types.iter().map(|known| known.family.as_str()));
    let all = [("region", &regions), ("zone", &zones), ("type", &types), ("family", &families)];
    let has = |sorted: &[String], name: &str| {
        sorted.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    };
    for change in section.list(list) {
        let moment = |key: &str| calendar.and_then(|day| change.moment(key, day));
        let (from, until) = (moment("from"), moment("until"));
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            report.at(&change.spot("until"), "`until` must be after `from`");
        }
        for (key, known) in all {
            if let Some(name) = change.text(key).filter(|name| !has(known, name)) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let message = format!("{} has no {key} called `{name}`", catalog.title);
                report.hint(&change.spot(key), message, unknown_name(name, &known));
            }
        }
    }
}
