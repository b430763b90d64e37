//! Instances in any order: a B+ tree whose nodes know the most that is free
//! below them.

use super::{Most, Needed};

/// Entries per tree node: a node's keys fill two cache lines.
const FANOUT: usize = 16;

/// Smallest order, most free and union of kinds below a child; or an instance.
#[derive(Clone, Copy, Debug)]
struct TreeEntry {
    order: u64,
    most: Most,
    /// Instance slot, or node number.
    below: u32,
    kinds: u64,
}

impl TreeEntry {
    /// A row that is not in use.
    const UNUSED: Self = Self { order: 0, most: Most::NOTHING, below: 0, kinds: 0 };
}

/// Rows by column, so that one query looks at all rows at once.
#[derive(Clone, Debug)]
struct TreeNode {
    /// Columns by row, nothing in unused rows.
    cpu: [u32; FANOUT],
    memory: [u32; FANOUT],
    gpu: [u32; FANOUT],
    both: [u32; FANOUT],
    orders: [u64; FANOUT],
    below: [u32; FANOUT],
    kinds: [u64; FANOUT],
    len: usize,
    leaf: bool,
}

impl TreeNode {
    const fn new(leaf: bool) -> Self {
        Self {
            cpu: [0; FANOUT],
            memory: [0; FANOUT],
            gpu: [0; FANOUT],
            both: [0; FANOUT],
            orders: [0; FANOUT],
            below: [0; FANOUT],
            kinds: [0; FANOUT],
            len: 0,
            leaf,
        }
    }

    fn most(&self, at: usize) -> Most {
        let (cpu, memory) = (self.cpu[at], self.memory[at]);
        Most { cpu, memory, gpu: self.gpu[at], both: self.both[at] }
    }

    fn row(&self, at: usize) -> TreeEntry {
        let (order, below, kinds) = (self.orders[at], self.below[at], self.kinds[at]);
        TreeEntry { order, most: self.most(at), below, kinds }
    }

    fn set_most(&mut self, at: usize, most: Most) {
        (self.cpu[at], self.memory[at]) = (most.cpu, most.memory);
        (self.gpu[at], self.both[at]) = (most.gpu, most.both);
    }

    fn set(&mut self, at: usize, row: TreeEntry) {
        self.set_most(at, row.most);
        (self.orders[at], self.below[at], self.kinds[at]) = (row.order, row.below, row.kinds);
    }

    /// The most of all rows.
    fn all_most(&self) -> Most {
        let largest = |column: &[u32; FANOUT]| column.iter().fold(0, |most, &one| most.max(one));
        let (cpu, memory) = (largest(&self.cpu), largest(&self.memory));
        Most { cpu, memory, gpu: largest(&self.gpu), both: largest(&self.both) }
    }

    fn summary(&self, number: u32) -> TreeEntry {
        let kinds = self.kinds.iter().fold(0, |all, kinds| all | kinds);
        TreeEntry { order: self.orders[0], most: self.all_most(), below: number, kinds }
    }

    fn insert(&mut self, at: usize, row: TreeEntry) {
        for from in (at..self.len).rev() {
            self.set(from + 1, self.row(from));
        }
        self.set(at, row);
        self.len += 1;
    }

    fn remove(&mut self, at: usize) {
        for to in at..self.len - 1 {
            self.set(to, self.row(to + 1));
        }
        self.truncate(self.len - 1);
    }

    fn truncate(&mut self, len: usize) {
        for at in len..self.len {
            self.set(at, TreeEntry::UNUSED);
        }
        self.len = len;
    }

    /// Appends the rows of `from`, a range of another node.
    fn append(&mut self, other: &Self, from: std::ops::Range<usize>) {
        for at in from {
            self.set(self.len, other.row(at));
            self.len += 1;
        }
    }

    /// The row below which `order` belongs.
    fn position(&self, order: u64) -> usize {
        self.orders[..self.len].partition_point(|&first| first <= order).saturating_sub(1)
    }

    /// The rows from `start` on in which the demand may fit, GPUs aside: byte `at` is 1.
    fn fitting(&self, needed: &Needed, start: usize) -> u128 {
        let mut fits = [0_u8; FANOUT];
        for (at, fits) in fits.iter_mut().enumerate() {
            let enough = (self.cpu[at] >= needed.least.cpu)
                & (self.memory[at] >= needed.least.memory)
                & (self.both[at] >= needed.least.both);
            *fits = u8::from(enough);
        }
        let used = u128::MAX >> (8 * (FANOUT - self.len.max(1)));
        u128::from_le_bytes(fits) & used & (u128::MAX << (8 * start))
    }
}

/// The tree.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<TreeNode>,
    unused: Vec<u32>,
    root: u32,
    len: usize,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { nodes: vec![TreeNode::new(true)], unused: Vec::new(), root: 0, len: 0 }
    }

    /// The most that is free of all instances, resource by resource.
    pub(super) fn most(&self) -> Most {
        self.nodes[self.root as usize].all_most()
    }

    /// Adds the instance in `slot` at `order`, which no other instance has.
    pub(super) fn insert(&mut self, order: u64, slot: u32, most: Most, kinds: u64) {
        self.len += 1;
        if let Some(right) =
            self.insert_below(self.root, TreeEntry { order, most, below: slot, kinds })
        {
            let left = self.root;
            let rows = [left, right].map(|number| self.nodes[number as usize].summary(number));
            self.root = self.claim(false);
            let root = &mut self.nodes[self.root as usize];
            root.insert(0, rows[0]);
            root.insert(1, rows[1]);
        }
    }

    /// Removes the instance at `order`.
    pub(super) fn remove(&mut self, order: u64) {
        self.remove_below(self.root, order);
        self.len -= 1;
        while !self.nodes[self.root as usize].leaf && self.nodes[self.root as usize].len == 1 {
            self.unused.push(self.root);
            self.root = self.nodes[self.root as usize].below[0];
        }
    }

    /// Changes what is free of the instance at `order`, which keeps its place.
    pub(super) fn update(&mut self, order: u64, most: Most) {
        self.update_below(self.root, order, most);
    }

    /// See [`super::FreeIndex::first`].
    pub(super) fn first(
        &self,
        needed: &Needed,
        accept: &mut dyn FnMut(u32) -> bool,
    ) -> Option<(u64, u32)> {
        self.first_below(self.root, needed, accept)
    }

    fn claim(&mut self, leaf: bool) -> u32 {
        if let Some(number) = self.unused.pop() {
            self.nodes[number as usize] = TreeNode::new(leaf);
            return number;
        }
        self.nodes.push(TreeNode::new(leaf));
        (self.nodes.len() - 1) as u32
    }

    fn first_below(
        &self,
        number: u32,
        needed: &Needed,
        accept: &mut dyn FnMut(u32) -> bool,
    ) -> Option<(u64, u32)> {
        let node = &self.nodes[number as usize];
        let start = if needed.from == 0 { 0 } else { node.position(needed.from) };
        let mut fitting = node.fitting(needed, start);
        while fitting != 0 {
            let at = fitting.trailing_zeros() as usize / 8;
            fitting &= fitting - 1;
            // Looked at last, and only where it matters: it is one more cache line.
            let by_gpu = needed.least.gpu == 0 || node.gpu[at] >= needed.least.gpu;
            if node.kinds[at] & needed.kinds == 0 || !by_gpu {
                continue;
            }
            if !node.leaf {
                let found = self.first_below(node.below[at], needed, accept);
                if found.is_some() {
                    return found;
                }
            } else if node.orders[at] >= needed.from && accept(node.below[at]) {
                return Some((node.orders[at], node.below[at]));
            }
        }
        None
    }

    /// Inserts and returns the new right sibling if the node had to split.
    fn insert_below(&mut self, number: u32, row: TreeEntry) -> Option<u32> {
        let node = &self.nodes[number as usize];
        if node.leaf {
            let at = node.orders[..node.len].iter().filter(|&&order| order < row.order).count();
            return self.insert_row(number, at, row);
        }
        let at = node.position(row.order);
        let child = node.below[at];
        let Some(right) = self.insert_below(child, row) else {
            let node = &mut self.nodes[number as usize];
            node.orders[at] = node.orders[at].min(row.order);
            node.kinds[at] |= row.kinds;
            node.set_most(at, node.most(at).max(row.most));
            return None;
        };
        let summary = self.nodes[child as usize].summary(child);
        self.nodes[number as usize].set(at, summary);
        let summary = self.nodes[right as usize].summary(right);
        self.insert_row(number, at + 1, summary)
    }

    fn insert_row(&mut self, number: u32, at: usize, row: TreeEntry) -> Option<u32> {
        if self.nodes[number as usize].len < FANOUT {
            self.nodes[number as usize].insert(at, row);
            return None;
        }
        let right = self.claim(self.nodes[number as usize].leaf);
        let half = FANOUT / 2;
        let full = self.nodes[number as usize].clone();
        self.nodes[right as usize].append(&full, half..FANOUT);
        self.nodes[number as usize].truncate(half);
        if at <= half {
            self.nodes[number as usize].insert(at, row);
        } else {
            self.nodes[right as usize].insert(at - half, row);
        }
        Some(right)
    }

    fn remove_below(&mut self, number: u32, order: u64) {
        let node = &mut self.nodes[number as usize];
        let at = node.position(order);
        if node.leaf {
            assert!(node.orders[at] == order, "only indexed instances are removed");
            node.remove(at);
            return;
        }
        let child = node.below[at];
        self.remove_below(child, order);
        if self.nodes[child as usize].len == 0 {
            self.unused.push(child);
            self.nodes[number as usize].remove(at);
            return;
        }
        let summary = self.nodes[child as usize].summary(child);
        self.nodes[number as usize].set(at, summary);
        self.merge(number, at);
    }

    /// Merges the child at `at` into a neighbour where both are nearly empty.
    fn merge(&mut self, number: u32, at: usize) {
        let node = &self.nodes[number as usize];
        if node.len < 2 {
            return;
        }
        let left_at = if at + 1 < node.len { at } else { at - 1 };
        let (left, right) = (node.below[left_at], node.below[left_at + 1]);
        let (left_len, right_len) = (self.nodes[left as usize].len, self.nodes[right as usize].len);
        if left_len + right_len > FANOUT / 2 {
            return;
        }
        let rows = self.nodes[right as usize].clone();
        self.nodes[left as usize].append(&rows, 0..right_len);
        let summary = self.nodes[left as usize].summary(left);
        self.unused.push(right);
        let node = &mut self.nodes[number as usize];
        node.set(left_at, summary);
        node.remove(left_at + 1);
    }

    /// Changes a row; returns what was the most of the node's row, and is now.
    /// A node's most is counted again only where the changed row may have held it.
    fn update_below(&mut self, number: u32, order: u64, most: Most) -> (Most, Most) {
        let node = &mut self.nodes[number as usize];
        let at = node.position(order);
        let old = node.most(at);
        if node.leaf {
            assert!(node.orders[at] == order, "only indexed instances change");
            node.set_most(at, most);
            return (old, most);
        }
        let child = node.below[at];
        let (before, after) = self.update_below(child, order, most);
        if before == after {
            return (old, old);
        }
        let new = if after.max(before) == after {
            old.max(after)
        } else if before.touches(old) {
            self.nodes[child as usize].all_most()
        } else {
            old.max(after)
        };
        self.nodes[number as usize].set_most(at, new);
        (old, new)
    }
}
