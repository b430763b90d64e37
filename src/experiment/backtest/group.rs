//! Errors of the waits by size, by runtime and by tenant: where the model is off.

use std::collections::BTreeMap;

use super::error::errors;
use super::{Matched, Pair, WaitErrors, matched};
use crate::units::Span;

/// Some of the work, and how far its waits are off.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitGroup {
    /// Property that the work has in common: `cores`, `runtime` or `tenant`.
    pub by: &'static str,
    /// Value or range of that property.
    pub name: String,
    /// Mean of the observed waits, in seconds.
    pub observed_s: f64,
    /// Mean of the simulated waits, in seconds.
    pub simulated_s: f64,
    /// The errors.
    pub errors: WaitErrors,
}

/// Upper ends of the classes of size, in milli-cores asked.
const SIZES: [(u64, &str); 7] = [
    (1_000, "up to 1"),
    (4_000, "2 to 4"),
    (16_000, "5 to 16"),
    (64_000, "17 to 64"),
    (256_000, "65 to 256"),
    (1_024_000, "257 to 1,024"),
    (u64::MAX, "more than 1,024"),
];

/// Upper ends of the classes of observed runtime, in seconds.
const RUNTIMES: [(i64, &str); 6] = [
    (60, "up to 1 min"),
    (600, "up to 10 min"),
    (3_600, "up to 1 h"),
    (21_600, "up to 6 h"),
    (86_400, "up to 1 d"),
    (i64::MAX, "more than 1 d"),
];

/// Tenants that are shown on their own, the most active first.
const TENANTS: usize = 12;

/// The groups that have any work, by kind and in the order of their classes.
pub(super) fn of(pairs: &[Pair], tenants: &[String]) -> Vec<WaitGroup> {
    let size = |one: &Matched<'_>| {
        SIZES.iter().position(|&(most, _)| one.simulated.cpu <= most).unwrap_or(SIZES.len() - 1)
    };
    let runtime = |one: &Matched<'_>| {
        let within = |&(most, _): &(i64, &str)| {
            most == i64::MAX || one.observed.runtime <= Span::from_secs(most)
        };
        RUNTIMES.iter().position(within).unwrap_or(RUNTIMES.len() - 1)
    };
    let mut groups = split(pairs, "cores", size, |class| SIZES[class].1.to_owned());
    groups.extend(split(pairs, "runtime", runtime, |class| RUNTIMES[class].1.to_owned()));
    let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
    for one in matched(pairs) {
        *counts.entry(one.pair.tenant).or_default() += 1;
    }
    let mut active: Vec<(usize, u64)> = counts.into_iter().collect();
    active.sort_by_key(|&(tenant, count)| (u64::MAX - count, tenant));
    let others = active.len().saturating_sub(TENANTS);
    active.truncate(TENANTS);
    if active.len() > 1 {
        let tenant = |one: &Matched<'_>| {
            active.iter().position(|&(tenant, _)| tenant == one.pair.tenant).unwrap_or(TENANTS)
        };
        groups.extend(split(pairs, "tenant", tenant, |class| match active.get(class) {
            Some(&(tenant, _)) => tenants.get(tenant).cloned().unwrap_or_default(),
            None => format!("{others} others"),
        }));
    }
    groups
}

fn split(
    pairs: &[Pair],
    by: &'static str,
    class: impl Fn(&Matched<'_>) -> usize,
    name: impl Fn(usize) -> String,
) -> Vec<WaitGroup> {
    let mut classes: BTreeMap<usize, Vec<Matched<'_>>> = BTreeMap::new();
    for one in matched(pairs) {
        classes.entry(class(&one)).or_default().push(one);
    }
    let group = |(class, all): (usize, Vec<Matched<'_>>)| {
        let mean = |wait: fn(&Matched<'_>) -> Span| {
            all.iter().map(|one| wait(one).secs_f64()).sum::<f64>() / all.len() as f64
        };
        Some(WaitGroup {
            by,
            name: name(class),
            observed_s: mean(|one| one.observed.wait),
            simulated_s: mean(|one| one.simulated.wait),
            errors: errors(all.iter().copied())?,
        })
    };
    classes.into_iter().filter_map(group).collect()
}
