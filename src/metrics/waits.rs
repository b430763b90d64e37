//! Waits by group: by tenant, and by class of work.

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;

/// Groups that are counted on their own; work of those that are named later is
/// counted as one more, so that memory stays bounded.
const MOST_GROUPS: usize = 256;

/// Waits of started work by group.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupWaits {
    /// By row of the group.
    groups: Vec<Histogram>,
}

/// How long the started work of one tenant or class waited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupWait {
    /// Tenant or class.
    pub name: String,
    /// Pieces of work that started.
    pub count: u64,
    /// Mean, in seconds.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile, nearest rank.
    pub p95: f64,
    /// Longest.
    pub max: f64,
}

impl GroupWaits {
    #[inline]
    pub(super) fn add(&mut self, group: usize, wait: u64) {
        let group = group.min(MOST_GROUPS);
        if self.groups.len() <= group {
            self.grow(group);
        }
        self.groups[group].add(wait);
    }

    #[cold]
    fn grow(&mut self, group: usize) {
        self.groups.resize(group + 1, Histogram::default());
    }

    /// Those with work that started, the most work first.
    pub(super) fn named(&self, names: &[String]) -> Vec<GroupWait> {
        let name = |row: usize| match row {
            MOST_GROUPS => format!("{} others", names.len().saturating_sub(MOST_GROUPS)),
            row => names.get(row).cloned().unwrap_or_default(),
        };
        let of = |(row, waits): (usize, &Histogram)| {
            let secs = |value: Option<u64>| value.map_or(0.0, |value| value as f64 / 1e6);
            let at = waits.percentiles(&[0.5, 0.95]);
            GroupWait {
                name: name(row),
                count: waits.count(),
                mean: waits.mean().unwrap_or(0.0) / 1e6,
                p50: secs(at[0]),
                p95: secs(at[1]),
                max: secs(waits.max()),
            }
        };
        let rows = self.groups.iter().enumerate().filter(|(_, waits)| waits.count() > 0);
        let mut all: Vec<GroupWait> = rows.map(of).collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_beyond_the_bound_are_one() {
        let names: Vec<String> = (0..300).map(|row| format!("t{row}")).collect();
        let mut waits = GroupWaits::default();
        for row in 0..300 {
            waits.add(row, 1_000_000 * row as u64);
        }
        waits.add(7, 1_000_000);
        let all = waits.named(&names);
        assert_eq!((all.len(), all[0].name.as_str(), all[0].count), (257, "44 others", 44));
        assert_eq!((all[1].name.as_str(), all[1].mean, all[1].p50), ("t7", 4.0, 1.0));
    }
}
