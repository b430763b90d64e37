//! Which instance fits? A B+ tree over the instances in the order that the
//! place part prefers, whose nodes know the most that is free below them.
//!
//! A query walks from the left and skips every subtree in which nothing can
//! fit, so that it answers in logarithmic time where one resource decides
//! together with the order, and close to it otherwise.

use crate::units::{Demand, Free};

/// Entries per tree node: a node's keys fill two cache lines.
const FANOUT: usize = 16;

/// One row of a node: an instance in a leaf, a child node above.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// Smallest order below.
    order: u64,
    /// Most free below, component by component.
    free: Free,
    /// Instance slot, or node number.
    below: u32,
    /// Union of the kinds below.
    kinds: u64,
}

#[derive(Clone, Debug)]
struct Node {
    rows: [Row; FANOUT],
    len: usize,
    leaf: bool,
}

impl Node {
    fn rows(&self) -> &[Row] {
        &self.rows[..self.len]
    }

    fn summary(&self, number: u32) -> Row {
        let mut all = Row { order: self.rows[0].order, below: number, ..Row::default() };
        for row in self.rows() {
            all.free = all.free.max(row.free);
            all.kinds |= row.kinds;
        }
        all
    }

    fn insert(&mut self, at: usize, row: Row) {
        self.rows.copy_within(at..self.len, at + 1);
        self.rows[at] = row;
        self.len += 1;
    }

    fn remove(&mut self, at: usize) {
        self.rows.copy_within(at + 1..self.len, at);
        self.len -= 1;
    }

    /// The row below which `order` belongs.
    fn position(&self, order: u64) -> usize {
        self.rows().iter().skip(1).take_while(|row| row.order <= order).count()
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
        let root = Node { rows: [Row::default(); FANOUT], len: 0, leaf: true };
        Self { nodes: vec![root], unused: Vec::new(), root: 0, len: 0 }
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
            root.rows[..2].copy_from_slice(&rows);
            root.len = 2;
        }
    }

    /// Removes the instance at `order`.
    pub(crate) fn remove(&mut self, order: u64) {
        self.remove_below(self.root, order);
        self.len -= 1;
        while !self.nodes[self.root as usize].leaf && self.nodes[self.root as usize].len == 1 {
            self.unused.push(self.root);
            self.root = self.nodes[self.root as usize].rows[0].below;
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
        self.nodes.push(Node { rows: [Row::default(); FANOUT], len: 0, leaf });
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
        let start = node.position(from);
        for row in &node.rows()[start..] {
            if row.kinds & kinds == 0 || !row.free.fits(demand) {
                continue;
            }
            if !node.leaf {
                let found = self.first_below(row.below, demand, kinds, from, accept);
                if found.is_some() {
                    return found;
                }
            } else if row.order >= from && accept(row.below) {
                return Some((row.order, row.below));
            }
        }
        None
    }

    /// Inserts and returns the new right sibling if the node had to split.
    fn insert_below(&mut self, number: u32, row: Row) -> Option<u32> {
        let node = &self.nodes[number as usize];
        if node.leaf {
            let at = node.rows().iter().take_while(|old| old.order < row.order).count();
            return self.insert_row(number, at, row);
        }
        let at = node.position(row.order);
        let child = node.rows[at].below;
        let split = self.insert_below(child, row);
        self.nodes[number as usize].rows[at] = self.nodes[child as usize].summary(child);
        let right = split?;
        let row = self.nodes[right as usize].summary(right);
        self.insert_row(number, at + 1, row)
    }

    fn insert_row(&mut self, number: u32, at: usize, row: Row) -> Option<u32> {
        if self.nodes[number as usize].len < FANOUT {
            self.nodes[number as usize].insert(at, row);
            return None;
        }
        let right = self.claim(self.nodes[number as usize].leaf);
        let half = FANOUT / 2;
        let node = &mut self.nodes[number as usize];
        let moved = node.rows;
        node.len = half;
        if at <= half {
            node.insert(at, row);
        }
        let sibling = &mut self.nodes[right as usize];
        sibling.rows[..FANOUT - half].copy_from_slice(&moved[half..]);
        sibling.len = FANOUT - half;
        if at > half {
            sibling.insert(at - half, row);
        }
        Some(right)
    }

    fn remove_below(&mut self, number: u32, order: u64) {
        let node = &mut self.nodes[number as usize];
        if node.leaf {
            let at = node.rows().iter().position(|row| row.order == order);
            node.remove(at.expect("only indexed instances are removed"));
            return;
        }
        let at = node.position(order);
        let child = node.rows[at].below;
        self.remove_below(child, order);
        if self.nodes[child as usize].len == 0 {
            self.unused.push(child);
            self.nodes[number as usize].remove(at);
            return;
        }
        self.nodes[number as usize].rows[at] = self.nodes[child as usize].summary(child);
        self.merge(number, at);
    }

    /// Merges the child at `at` into a neighbour where both are nearly empty.
    fn merge(&mut self, number: u32, at: usize) {
        let node = &self.nodes[number as usize];
        if node.len < 2 {
            return;
        }
        let left_at = if at + 1 < node.len { at } else { at - 1 };
        let (left, right) = (node.rows[left_at].below, node.rows[left_at + 1].below);
        let (left_len, right_len) = (self.nodes[left as usize].len, self.nodes[right as usize].len);
        if left_len + right_len > FANOUT / 2 {
            return;
        }
        let rows = self.nodes[right as usize].rows;
        let target = &mut self.nodes[left as usize];
        target.rows[left_len..left_len + right_len].copy_from_slice(&rows[..right_len]);
        target.len = left_len + right_len;
        let summary = target.summary(left);
        self.unused.push(right);
        let node = &mut self.nodes[number as usize];
        node.rows[left_at] = summary;
        node.remove(left_at + 1);
    }

    fn update_below(&mut self, number: u32, order: u64, free: Free) {
        let node = &mut self.nodes[number as usize];
        if node.leaf {
            let at = node.rows().iter().position(|row| row.order == order);
            node.rows[at.expect("only indexed instances change")].free = free;
            return;
        }
        let at = node.position(order);
        let child = node.rows[at].below;
        self.update_below(child, order, free);
        self.nodes[number as usize].rows[at] = self.nodes[child as usize].summary(child);
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
