//! Waits by group: by tenant, and by class of work.

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;

/// Groups that are counted on their own; work of those that are named later is
/// counted as one more, so that memory stays bounded.
const MOST_GROUPS: usize = 256;

/// Waits of started work by group.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupWaits {
    /// Waits by row of the group; empty while all of the work is of the first.
    groups: Vec<Histogram>,
}

/// Waits of the started work of one tenant or class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupWait {
    /// Name of the tenant or class.
    pub name: String,
    /// Pieces of work that started.
    pub count: u64,
    /// Mean wait, in seconds.
    pub mean: f64,
    /// Median wait, in seconds.
    pub p50: f64,
    /// 95th percentile of the waits, nearest rank, in seconds.
    pub p95: f64,
    /// Longest wait, in seconds.
    pub max: f64,
}

impl GroupWaits {
    /// Counts a wait of a group; `all` are those of all groups before it.
    #[inline(always)]
    pub(super) fn add(&mut self, group: usize, wait: u64, all: &Histogram) {
        let group = group.min(MOST_GROUPS);
        if group > 0 && self.groups.len() <= group {
            self.begin(group, all);
        }
        if let Some(waits) = self.groups.get_mut(group) {
            waits.add(wait);
        }
    }

    /// The first wait of a group that is not the first.
    #[cold]
    fn begin(&mut self, group: usize, all: &Histogram) {
        if self.groups.is_empty() {
            self.groups.push(all.clone());
        }
        self.groups.resize(group + 1, Histogram::default());
    }

    /// Groups with work that started, the most work first; `all` are the waits of all.
    pub(super) fn named(&self, names: &[String], all: &Histogram) -> Vec<GroupWait> {
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
        let groups = if self.groups.is_empty() { std::slice::from_ref(all) } else { &self.groups };
        let rows = groups.iter().enumerate().filter(|(_, waits)| waits.count() > 0);
        let mut all: Vec<GroupWait> = rows.map(of).collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits by group, of waits in seconds that come one after the other.
    fn waits_of(waits: impl IntoIterator<Item = (usize, u64)>, names: &[String]) -> Vec<GroupWait> {
        let (mut groups, mut all) = (GroupWaits::default(), Histogram::default());
        for (group, secs) in waits {
            groups.add(group, secs * 1_000_000, &all);
            all.add(secs * 1_000_000);
        }
        groups.named(names, &all)
    }

    #[test]
    fn groups_beyond_the_bound_are_one() {
        let names: Vec<String> = (0..300).map(|row| format!("t{row}")).collect();
        let all = waits_of((0..300).map(|row| (row, row as u64)).chain([(7, 1)]), &names);
        assert_eq!((all.len(), all[0].name.as_str(), all[0].count), (257, "44 others", 44));
        assert_eq!((all[1].name.as_str(), all[1].mean, all[1].p50), ("t7", 4.0, 1.0));
    }

    #[test]
    fn the_first_group_counts_as_any_other() {
        let names = ["a".to_owned(), "b".to_owned()];
        let told = |waits: &[(usize, u64)]| {
            let all = waits_of(waits.iter().copied(), &names);
            all.into_iter().map(|one| (one.name, one.count, one.max)).collect::<Vec<_>>()
        };
        let one = |name: &str, count, max| (name.to_owned(), count, max);
        assert_eq!(told(&[]), []);
        assert_eq!(told(&[(0, 3), (0, 5)]), [one("a", 2, 5.0)]);
        assert_eq!(told(&[(0, 3), (0, 5), (1, 9)]), [one("a", 2, 5.0), one("b", 1, 9.0)]);
        assert_eq!(told(&[(1, 3), (1, 4), (0, 5)]), [one("b", 2, 4.0), one("a", 1, 5.0)]);
        assert_eq!(told(&[(1, 3)]), [one("b", 1, 3.0)]);
    }
}
