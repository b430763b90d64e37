//! Parts of the numbers of a run, in tables of words.

use super::super::breakdown::own_and_rented;
use super::super::document::{Section, SectionPlace, Table};
use super::super::figure::{NOTHING, clean, count, decimals, figure, share};
use crate::metrics::{GroupWait, PathTraffic, ProviderHours, Summary};

/// Tenants, classes and paths that are shown; files have the others.
pub(in crate::report) const MOST_SHOWN: usize = 12;

/// Waits by class and tenant, where there is more than one of either.
pub(super) fn waits(summary: &Summary) -> Section {
    let groups = [("class", &summary.waits_by_class), ("tenant", &summary.waits_by_tenant)];
    let groups = groups.into_iter().filter(|(_, all)| all.len() > 1);
    let mut section = Section::new("Waits by class and tenant", SectionPlace::Page);
    for (by, all) in groups {
        section.tables.push(group(by, all));
        section = left_out(section, all.len(), by);
    }
    section
}

/// Says how many of `all` are not shown.
pub(in crate::report) fn left_out(section: Section, all: usize, what: &str) -> Section {
    match all.saturating_sub(MOST_SHOWN) {
        0 => section,
        more => section.note(format!(
            "Of {all} of each {what}, the {MOST_SHOWN} with most are shown; {more} are in the files only."
        )),
    }
}

fn group(by: &str, all: &[GroupWait]) -> Table {
    let head = [by, "work", "mean", "p50", "p95", "longest"];
    let mut table = Table::new(&format!("Waits by {by}"), &head);
    for one in all.iter().take(MOST_SHOWN) {
        let waits = [one.mean, one.p50, one.p95, one.max].map(|wait| figure("s", Some(wait)));
        table.row([named(one), count(one.count)].into_iter().chain(waits));
    }
    table
}

/// The name of a group; work without a class has none.
pub(in crate::report) fn named(one: &GroupWait) -> String {
    if one.name.is_empty() { "no class".to_owned() } else { clean(&one.name) }
}

/// Hours of own and rented machines, used and not.
pub(super) fn hours(summary: &Summary) -> Table {
    let all = &summary.hours_by_provider;
    let gpus = all.iter().any(|one| one.gpu_hours_used + one.gpu_hours_idle > 0.0);
    let mut head = vec!["", "core-hours used", "idle", "used share"];
    if gpus {
        head.extend(["GPU-hours used", "idle", "used share"]);
    }
    let mut table = Table::new("Own and rented hours", &head);
    let mut add = |name: String, one: &ProviderHours| {
        let mut cells = vec![name];
        cells.extend(used(one.core_hours_used, one.core_hours_idle));
        if gpus {
            cells.extend(used(one.gpu_hours_used, one.gpu_hours_idle));
        }
        table.row(cells);
    };
    for sum in own_and_rented(all) {
        let mine: Vec<_> = all.iter().filter(|one| one.owned == sum.owned).collect();
        if mine.len() != 1 && !mine.is_empty() {
            add(format!("{}, all", sum.provider), &sum);
        }
        for one in mine {
            add(format!("{}: {}", sum.provider, clean(&one.provider)), one);
        }
    }
    table
}

fn used(used: f64, idle: f64) -> [String; 3] {
    let all = used + idle;
    let part = if all > 0.0 { share(used / all) } else { NOTHING.to_owned() };
    [decimals(used, 1), decimals(idle, 1), part]
}

/// Data moved, path by path.
pub(super) fn moved(all: &[PathTraffic]) -> Table {
    let mut table = Table::new("Data moved", &["from", "to", "data", "cost"]);
    table.words = 2;
    for one in all.iter().take(MOST_SHOWN) {
        let gib = format!("{} GiB", decimals(one.gib, 1));
        table.row([clean(&one.from), clean(&one.to), gib, figure("USD", Some(one.usd))]);
    }
    table
}
