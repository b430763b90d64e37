//! Instances that changed, in the order in which they did, for a policy that keeps a picture of
//! its own of what is free.

use std::collections::VecDeque;

use super::InstanceRef;

/// Most changes that are kept. Who comes later than that looks at everything.
const MOST: usize = 1 << 16;

/// The latest changes. Each has a mark: how many came before it.
#[derive(Clone, Debug, Default)]
pub(super) struct ChangeLog {
    /// Whether changes are kept.
    on: bool,
    latest: VecDeque<(u32, InstanceRef)>,
    dropped: u64,
}

impl ChangeLog {
    /// A log without changes; they are kept if `on`.
    pub(super) fn new(on: bool) -> Self {
        Self { on, ..Self::default() }
    }

    /// The instance with that ordinal is new, gone or not as it was.
    pub(super) fn add(&mut self, ordinal: u32, instance: InstanceRef) {
        if !self.on {
            return;
        }
        if self.latest.len() == MOST {
            self.latest.pop_front();
            self.dropped += 1;
        }
        self.latest.push_back((ordinal, instance));
    }

    /// The mark of the next change.
    pub(super) fn mark(&self) -> u64 {
        self.dropped + self.latest.len() as u64
    }

    /// Ordinals and handles from `mark` on, the earliest first and some of them
    /// again and again; `None` where not all of them are kept any more.
    pub(super) fn since(&self, mark: u64) -> Option<impl Iterator<Item = (u32, InstanceRef)>> {
        let from = usize::try_from(mark.checked_sub(self.dropped)?).ok()?;
        Some(self.latest.range(from.min(self.latest.len())..).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Instance, slab::Slab};

    #[test]
    fn the_latest_changes_are_kept_and_older_ones_are_known_to_be_missing() {
        let mut slab: Slab<Instance> = Slab::new();
        let (one, other) = (slab.claim().0, slab.claim().0);
        let since =
            |touched: &ChangeLog, mark| touched.since(mark).map(Iterator::collect::<Vec<_>>);
        let mut nobody = ChangeLog::new(false);
        nobody.add(0, one);
        assert_eq!(since(&nobody, 0), Some(Vec::new()));
        let mut touched = ChangeLog::new(true);
        touched.add(0, one);
        let mark = touched.mark();
        touched.add(1, other);
        touched.add(0, one);
        assert_eq!(since(&touched, mark), Some(vec![(1, other), (0, one)]));
        assert_eq!(since(&touched, touched.mark()), Some(Vec::new()));
        // Three and then as many as are kept: the first three are gone.
        for _ in 0..MOST {
            touched.add(1, other);
        }
        assert_eq!(since(&touched, mark), None);
        assert_eq!(since(&touched, mark + 2).map(|changes| changes.len()), Some(MOST));
    }
}
