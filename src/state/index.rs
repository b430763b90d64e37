//! Which instance fits? A B+ tree over the instances in the order that the
//! place part prefers, whose nodes know the most that is free below them.
//!
//! A query walks from the left and skips every subtree in which nothing can
//! fit, so that it answers in logarithmic time where one resource decides
//! together with the order, and close to it otherwise.

use crate::units::{Demand, Free};

/// Entries per tree node: a node's keys fill two cache lines.
const FANOUT: usize = 16;

/// Smallest order, most free and union of kinds below a child; or an instance.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    order: u64,
    free: Free,
    /// Instance slot, or node number.
    below: u32,
    kinds: u64,
}

/// Rows by column, so that one query looks at all rows at once.
#[derive(Clone, Debug)]
struct Node {
    cpu: [u32; FANOUT],
    memory: [u32; FANOUT],
    orders: [u64; FANOUT],
    below: [u32; FANOUT],
    kinds: [u64; FANOUT],
    gpus: [(u8, u16); FANOUT],
    len: usize,
    leaf: bool,
}

impl Node {
    const fn new(leaf: bool) -> Self {
        Self {
            cpu: [0; FANOUT],
            memory: [0; FANOUT],
            orders: [0; FANOUT],
            below: [0; FANOUT],
            kinds: [0; FANOUT],
            gpus: [(0, 0); FANOUT],
            len: 0,
            leaf,
        }
    }

    fn free(&self, at: usize) -> Free {
        let (whole_gpus, best_share) = self.gpus[at];
        Free { cpu: self.cpu[at], memory: self.memory[at], whole_gpus, best_share }
    }

    fn row(&self, at: usize) -> Row {
        let (order, below, kinds) = (self.orders[at], self.below[at], self.kinds[at]);
        Row { order, free: self.free(at), below, kinds }
    }

    fn set_free(&mut self, at: usize, free: Free) {
        (self.cpu[at], self.memory[at]) = (free.cpu, free.memory);
        self.gpus[at] = (free.whole_gpus, free.best_share);
    }

    fn set(&mut self, at: usize, row: Row) {
        self.set_free(at, row.free);
        (self.orders[at], self.below[at], self.kinds[at]) = (row.order, row.below, row.kinds);
    }

    fn most_free(&self) -> Free {
        (0..self.len).fold(Free::default(), |most, at| most.max(self.free(at)))
    }

    fn summary(&self, number: u32) -> Row {
        let kinds = self.kinds[..self.len].iter().fold(0, |all, kinds| all | kinds);
        Row { order: self.orders[0], free: self.most_free(), below: number, kinds }
    }

    fn insert(&mut self, at: usize, row: Row) {
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
        self.len -= 1;
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
        let below = self.orders[..self.len].iter().filter(|&&first| first <= order).count();
        below.saturating_sub(1)
    }

    /// The rows from `start` on in which `demand` may fit, as a bit set.
    fn fitting(&self, demand: Demand, start: usize) -> u32 {
        let mut fitting = 0;
        for at in 0..FANOUT {
            let fits = self.cpu[at] >= demand.cpu && self.memory[at] >= demand.memory;
            fitting |= u32::from(fits) << at;
        }
        fitting & ((1 << self.len) - 1) & !((1 << start) - 1)
    }
}

/// Instances in order, searchable by what fits.
#[derive(Clone, Debug)]
pub(crate) struct FreeIndex {
    nodes: Vec<Node>,
    unused: Vec<u32>,
    root: u32,
    len: usize,
}

impl FreeIndex {
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node::new(true)], unused: Vec::new(), root: 0, len: 0 }
    }

    /// Number of instances.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds the instance in `slot` at `order`, which no other instance has.
    pub(crate) fn insert(&mut self, order: u64, slot: u32, free: Free, kinds: u64) {
        let row = Row { order, free, below: slot, kinds };
        self.len += 1;
        if let Some(right) = self.insert_below(self.root, row) {
            let left = self.root;
            let rows = [left, right].map(|number| self.nodes[number as usize].summary(number));
            self.root = self.claim(false);
            let root = &mut self.nodes[self.root as usize];
            root.insert(0, rows[0]);
            root.insert(1, rows[1]);
        }
    }

    /// Removes the instance at `order`.
    pub(crate) fn remove(&mut self, order: u64) {
        self.remove_below(self.root, order);
        self.len -= 1;
        while !self.nodes[self.root as usize].leaf && self.nodes[self.root as usize].len == 1 {
            self.unused.push(self.root);
            self.root = self.nodes[self.root as usize].below[0];
        }
    }

    /// Changes what is free of the instance at `order`, which keeps its place.
    pub(crate) fn update(&mut self, order: u64, free: Free) {
        self.update_below(self.root, order, free);
    }

    /// The first instance at or after `from` that has one of `kinds`, fits
    /// `demand` and is accepted: its order and slot.
    pub(crate) fn first(
        &self,
        demand: Demand,
        kinds: u64,
        from: u64,
        accept: &mut dyn FnMut(u32) -> bool,
    ) -> Option<(u64, u32)> {
        self.first_below(self.root, demand, kinds, from, accept)
    }

    fn claim(&mut self, leaf: bool) -> u32 {
        if let Some(number) = self.unused.pop() {
            let node = &mut self.nodes[number as usize];
            (node.len, node.leaf) = (0, leaf);
            return number;
        }
        self.nodes.push(Node::new(leaf));
        (self.nodes.len() - 1) as u32
    }

    fn first_below(
        &self,
        number: u32,
        demand: Demand,
        kinds: u64,
        from: u64,
        accept: &mut dyn FnMut(u32) -> bool,
    ) -> Option<(u64, u32)> {
        let node = &self.nodes[number as usize];
        let start = if from == 0 { 0 } else { node.position(from) };
        let mut fitting = node.fitting(demand, start);
        while fitting != 0 {
            let at = fitting.trailing_zeros() as usize;
            fitting &= fitting - 1;
            if node.kinds[at] & kinds == 0 || demand.gpus > 0 && !node.free(at).fits(demand) {
                continue;
            }
            if !node.leaf {
                let found = self.first_below(node.below[at], demand, kinds, from, accept);
                if found.is_some() {
                    return found;
                }
            } else if node.orders[at] >= from && accept(node.below[at]) {
                return Some((node.orders[at], node.below[at]));
            }
        }
        None
    }

    /// Inserts and returns the new right sibling if the node had to split.
    fn insert_below(&mut self, number: u32, row: Row) -> Option<u32> {
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
            node.set_free(at, node.free(at).max(row.free));
            return None;
        };
        let summary = self.nodes[child as usize].summary(child);
        self.nodes[number as usize].set(at, summary);
        let summary = self.nodes[right as usize].summary(right);
        self.insert_row(number, at + 1, summary)
    }

    fn insert_row(&mut self, number: u32, at: usize, row: Row) -> Option<u32> {
        if self.nodes[number as usize].len < FANOUT {
            self.nodes[number as usize].insert(at, row);
            return None;
        }
        let right = self.claim(self.nodes[number as usize].leaf);
        let half = FANOUT / 2;
        let full = self.nodes[number as usize].clone();
        self.nodes[right as usize].append(&full, half..FANOUT);
        self.nodes[number as usize].len = half;
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

    /// Changes a row; returns what was most free of the node's row, and is now.
    /// A node's most is counted again only where the changed row may have held it.
    fn update_below(&mut self, number: u32, order: u64, free: Free) -> (Free, Free) {
        let node = &mut self.nodes[number as usize];
        let at = node.position(order);
        let old = node.free(at);
        if node.leaf {
            assert!(node.orders[at] == order, "only indexed instances change");
            node.set_free(at, free);
            return (old, free);
        }
        let child = node.below[at];
        let (before, after) = self.update_below(child, order, free);
        let new = if old.max(after) == old && !before.touches(old) {
            return (old, old);
        } else if after.max(before) == after {
            old.max(after)
        } else {
            self.nodes[child as usize].most_free()
        };
        self.nodes[number as usize].set_free(at, new);
        (old, new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Stream;

    fn free(cpu: u32, memory: u32) -> Free {
        Free { cpu, memory, ..Free::default() }
    }

    /// Thousands of random changes and queries against a plain sorted list.
    #[test]
    fn agrees_with_a_sorted_list() {
        let mut stream = Stream::new(7, "index");
        for most in [3, 40, 700] {
            let mut index = FreeIndex::new();
            let mut list: Vec<(u64, u32, Free, u64)> = Vec::new();
            for step in 0..6_000_u32 {
                let pick = stream.below(list.len().max(1) as u64) as usize;
                match stream.below(4) {
                    0 | 1 if (list.len() as u64) < most => {
                        let order = stream.below(50) << 32 | u64::from(step);
                        let free = free(stream.below(64) as u32, stream.below(64) as u32);
                        let kinds = 1 << stream.below(3);
                        index.insert(order, step, free, kinds);
                        list.push((order, step, free, kinds));
                        list.sort_unstable();
                    }
                    2 if !list.is_empty() => {
                        let (order, ..) = list.remove(pick);
                        index.remove(order);
                    }
                    _ if !list.is_empty() => {
                        let free = free(stream.below(64) as u32, stream.below(64) as u32);
                        list[pick].2 = free;
                        index.update(list[pick].0, free);
                    }
                    _ => (),
                }
                let demand = Demand {
                    cpu: stream.below(64) as u32,
                    memory: stream.below(64) as u32,
                    ..Demand::default()
                };
                let (from, kinds) = (stream.below(50) << 32, 1 + stream.below(7));
                let want = list
                    .iter()
                    .find(|row| row.0 >= from && row.3 & kinds != 0 && row.2.fits(demand))
                    .map(|row| (row.0, row.1));
                assert_eq!(index.first(demand, kinds, from, &mut |_| true), want, "step {step}");
                assert_eq!(index.len(), list.len());
            }
        }
    }
}
