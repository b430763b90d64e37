//! Names in terms: those that are given twice, and those of places, providers and paths that a scenario does
//! not have.

use std::collections::BTreeSet;

use super::currency;
use super::storage::places;
use super::target;
use crate::billing::rules::shipped;
use crate::billing::usage::Service;
use crate::model::World;
use crate::problem::clip;
use crate::scenario::catalog::SHIPPED;
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::Time;

/// What tells the rows of a list apart: keys, with the word that stands for one that is left out.
const OWN: &[(&str, &[(&str, &str)])] = &[
    ("kept", &[("name", "")]),
    ("data_set", &[("name", "")]),
    ("attached", &[("provider", ""), ("type", "")]),
    ("storage_price", &[("provider", ""), ("class", "standard")]),
    (
        "tier",
        &[("provider", ""), ("path", ""), ("region", ""), ("service", "transfer"), ("unit", "")],
    ),
];

/// Reports rows that say again what another row of their list is about: the second would never count, or nobody
/// could tell them apart.
pub(super) fn twice(root: &ConfigTable, report: &mut Diagnostics<'_>) {
    for (list, keys) in OWN {
        let mut seen = BTreeSet::new();
        for row in root.list(list).iter().filter(|row| row.has(keys[0].0)) {
            let own: Vec<&str> =
                keys.iter().map(|(key, usual)| row.text(key).unwrap_or(usual)).collect();
            if !seen.insert(own) {
                let words: Vec<String> = keys.iter().map(|(key, _)| format!("`{key}`")).collect();
                let message = format!("another `{list}` has the same {}", words.join(" and "));
                report.hint(&row.spot(keys[0].0), message, "leave one of them out");
            }
        }
    }
    for section in root.list("data_set") {
        let mut seen = BTreeSet::new();
        if let Some(place) = places(section).into_iter().find(|place| !seen.insert(place.clone())) {
            let message = format!("the data is kept at `{}` already", clip(&place));
            report.hint(&section.spot("replicas"), message, "name each place once");
        }
    }
}

/// Reports names that are not of this world, and what is not known as it begins.
pub(in crate::scenario) fn check(root: &ConfigTable, world: &World, report: &mut Diagnostics<'_>) {
    if report.partial_world {
        return;
    }
    check_places(root, world, report);
    check_providers(root, world, report);
    check_paths(root, world, report);
    let begins = Time::from_micros(world.calendar.unix_micros(Time::ZERO));
    currency::check_offerings(root, begins, report);
}

fn check_places(root: &ConfigTable, world: &World, report: &mut Diagnostics<'_>) {
    let regions: Vec<String> =
        world.regions.ids().map(|region| world.region_name(region)).collect();
    let known: Vec<&str> = regions.iter().map(String::as_str).collect();
    for section in root.list("data_set") {
        for place in places(section).iter().filter(|place| !regions.contains(place)) {
            let key = if section.text("home") == Some(place) { "home" } else { "replicas" };
            let message = format!("there is no region or cluster called `{}`", clip(place));
            report.hint(&section.spot(key), message, unknown_name(place, &known));
        }
    }
}

/// Terms are shared: but for what machines have with them, they may be of a provider that has a shipped catalog
/// or shipped rules and is not in this scenario.
fn check_providers(root: &ConfigTable, world: &World, report: &mut Diagnostics<'_>) {
    let here: Vec<&str> = world.providers.rows().iter().map(|one| one.name.as_str()).collect();
    let ruled = shipped().tier.iter().map(|row| row.provider.as_str());
    let all: Vec<&str> = here.iter().copied().chain(SHIPPED.iter().copied()).chain(ruled).collect();
    for (list, _) in target::LISTS {
        let known = if list == "attached" { &here } else { &all };
        for section in root.list(list) {
            if let Some(name) = section.text("provider").filter(|name| !known.contains(name)) {
                let message = format!("there is no provider or cluster called `{}`", clip(name));
                report.hint(&section.spot("provider"), message, unknown_name(name, &here));
            }
        }
    }
}

/// A path of a link needs somebody who prices it, and a table of prices a link, or rules of a provider, by which
/// data moves on its path.
fn check_paths(root: &ConfigTable, world: &World, report: &mut Diagnostics<'_>) {
    let transfers = shipped().tier.iter().filter(|row| row.service() == Service::Transfer);
    let tiers = transfers.filter_map(|row| row.path.as_deref());
    let usual: BTreeSet<&str> =
        tiers.chain(shipped().path.iter().map(|row| row.path.as_str())).collect();
    let is_pair = |path: &str| {
        let to = path.strip_prefix("region/");
        to.is_some_and(|to| world.regions.rows().iter().any(|region| region.name == to))
    };
    let transfer = root.section("transfer");
    let links: Vec<&ConfigTable> = transfer.list("link").iter().collect();
    let is_moved = |row: &&ConfigTable| {
        row.text("service").is_none_or(|word| word == Service::Transfer.name())
    };
    let tables: Vec<&ConfigTable> = root.list("tier").iter().filter(is_moved).collect();
    let of = |rows: &[&ConfigTable]| -> BTreeSet<String> {
        rows.iter().filter_map(|row| row.text("path")).map(str::to_owned).collect()
    };
    let (moved_on, priced) = (of(&links), of(&tables));
    let said = [
        (
            links,
            &priced,
            "nobody prices the path",
            "add a `[[tier]]` with its `provider` and this `path`",
        ),
        (tables, &moved_on, "nothing moves on the path", "give a `[[transfer.link]]` this `path`"),
    ];
    for (rows, others, what, otherwise) in said {
        for row in rows {
            let Some(path) = row.text("path") else { continue };
            if usual.contains(path) || is_pair(path) || others.contains(path) {
                continue;
            }
            let known: Vec<&str> =
                usual.iter().copied().chain(others.iter().map(String::as_str)).collect();
            let hint = match crate::problem::did_you_mean(path, known.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("{otherwise}, or name a known one: {}", known.join(", ")),
            };
            report.hint(&row.spot("path"), format!("{what} `{}`", clip(path)), hint);
        }
    }
}
