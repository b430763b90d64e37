//! The least a queue can be: a four-ary heap of (time, payload) in a `Vec`,
//! without ties, cancellation or events.

/// A minimum heap in which the children of place `i` are `4 i + 1` to `4 i + 4`.
pub(crate) struct Heap(Vec<(u64, u64)>);

impl Heap {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, entry: (u64, u64)) {
        let mut hole = self.0.len();
        self.0.push(entry);
        while hole > 0 {
            let parent = (hole - 1) / 4;
            if self.0[parent] <= entry {
                break;
            }
            self.0[hole] = self.0[parent];
            hole = parent;
        }
        self.0[hole] = entry;
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, u64)> {
        let last = self.0.pop()?;
        let Some(&top) = self.0.first() else { return Some(last) };
        let mut hole = 0;
        loop {
            let first = 4 * hole + 1;
            let Some(least) = (first..self.0.len().min(first + 4)).min_by_key(|&at| self.0[at])
            else {
                break;
            };
            if last <= self.0[least] {
                break;
            }
            self.0[hole] = self.0[least];
            hole = least;
        }
        self.0[hole] = last;
        Some(top)
    }
}
