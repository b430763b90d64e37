//! Free tasks over time, as a balanced tree of changes.

use super::FOREVER;
use super::runs::{FreeRuns, class_of, classes, need};
use crate::units::{Span, Time};

/// No node.
const NONE: u32 = u32::MAX;

/// Number of tasks that are free at each time, from the first change on; after the last change as
/// many for ever.
///
/// A treap of changes by time (Seidel and Aragon, Algorithmica 1996). Each node knows the
/// sum and the least and greatest level of its subtree, so that a change, a least level
/// and the next time above or below a level take the logarithm of the number of changes.
/// Once indexed it also knows how long enough tasks are free there without a break, so
/// that a search passes over all stays that are too short in about as long.
#[derive(Debug, Default)]
pub(super) struct ScalarProfile {
    nodes: Vec<ProfileNode>,
    root: u32,
    /// State of the generator of priorities: a treap of the same changes is always the same.
    seed: u32,
    /// Runs by node, so many each as there are classes; empty while not indexed.
    runs: Vec<FreeRuns>,
    classes: usize,
}

#[derive(Clone, Copy, Debug)]
struct ProfileNode {
    time: Time,
    /// Free tasks from here on, less those before.
    change: i64,
    priority: u32,
    left: u32,
    right: u32,
    /// Sum of all changes of the subtree, and the least and greatest sum up to a node of it.
    sum: i64,
    least: i64,
    greatest: i64,
    /// First and last change of the subtree.
    first: Time,
    last: Time,
}

/// A stay that is looked for: so many tasks, so long, and from when to when it may begin.
#[derive(Clone, Copy, Debug)]
struct StayQuery {
    tasks: i64,
    length: Span,
    from: Time,
    before: Time,
}

impl ScalarProfile {
    /// Begins anew with `free` tasks from `start` on. Nothing is asked or changed before that.
    pub(super) fn restart(&mut self, start: Time, free: u64) {
        self.nodes.clear();
        self.runs.clear();
        (self.root, self.seed, self.classes) = (NONE, 0x9E37_79B9, 0);
        self.add(start, signed(free));
    }

    /// Time of the last change of the number of free tasks.
    pub(super) fn last(&self) -> Time {
        self.nodes.get(self.root as usize).map_or(Time::ZERO, |root| root.last)
    }

    /// Makes searches fast, and changes slower, from now on.
    pub(super) fn index(&mut self) {
        let greatest = self.nodes.get(self.root as usize).map_or(0, |root| root.greatest);
        self.classes = classes(greatest);
        self.runs.clear();
        self.runs.resize(self.nodes.len() * self.classes, FreeRuns::of(Time::ZERO, false));
        self.index_below(self.root);
    }

    fn index_below(&mut self, at: u32) {
        let Some(&node) = self.nodes.get(at as usize) else { return };
        self.index_below(node.left);
        self.index_below(node.right);
        self.sum_up_runs(at);
    }

    /// Frees `tasks` more tasks from `time` on.
    pub(super) fn free_from(&mut self, time: Time, tasks: u64) {
        self.add(time, signed(tasks));
    }

    /// Takes so many tasks, which are free then.
    pub(super) fn take(&mut self, tasks: u64, from: Time, until: Time) {
        self.change(-signed(tasks), from, until);
    }

    /// Gives taken tasks back.
    pub(super) fn give(&mut self, tasks: u64, from: Time, until: Time) {
        self.change(signed(tasks), from, until);
    }

    /// The fewest tasks free at any time from `from` to `until`; at `from` if that is no
    /// time at all.
    pub(super) fn least(&self, from: Time, until: Time) -> u64 {
        let first = self.level(from);
        let later = if from < until {
            self.least_below(self.root, 0, Some(from), Some(until))
        } else {
            i64::MAX
        };
        u64::try_from(first.min(later)).unwrap_or(0)
    }

    /// The earliest time, from `from` on but earlier than `before`, from which on `tasks`
    /// tasks are free for `length`, or until `before` if that comes first. It is `from`
    /// or the time of a change. The profile is indexed.
    pub(super) fn earliest(
        &self,
        tasks: u64,
        length: Span,
        from: Time,
        before: Time,
    ) -> Option<Time> {
        let mut stay = StayQuery { tasks: signed(tasks), length, from, before };
        let enough = |_: i64, greatest: i64| greatest >= stay.tasks;
        let too_few = |least: i64, _: i64| least < stay.tasks;
        loop {
            let has_room = self.level(stay.from) >= stay.tasks;
            let mut open = has_room.then_some(stay.from);
            let at = self.seek(self.root, 0, stay, &mut open).or(open)?;
            let has_room = self.level(at) >= stay.tasks;
            let start = if has_room { at } else { self.next(self.root, 0, at, &enough)? };
            if start >= before {
                return None;
            }
            let until = start.saturating_add(length).min(before);
            match self.next(self.root, 0, start, &too_few) {
                Some(end) if end < until => stay.from = end,
                Some(_) | None => return Some(start),
            }
        }
    }

    /// A time no later than the first start of those stays that end within a subtree; `None` if
    /// there are none. `open` is the time since which there may have been enough without a break,
    /// first ahead of the subtree and then at its end.
    fn seek(&self, at: u32, ahead: i64, stay: StayQuery, open: &mut Option<Time>) -> Option<Time> {
        let node = self.nodes.get(at as usize)?;
        if node.last <= stay.from || node.first >= stay.before {
            return None;
        }
        if node.first > stay.from && node.last < stay.before {
            let runs = self.runs_of(at, stay.tasks - ahead);
            if !runs.holds(stay.length, *open, node.first) {
                *open = runs.open_after(*open, node.first);
                return None;
            }
        }
        let level = ahead + self.sum(node.left) + node.change;
        let found = self.seek(node.left, ahead, stay, open);
        if found.is_some() {
            return found;
        }
        if node.time > stay.from && node.time < stay.before {
            if level >= stay.tasks {
                *open = open.or(Some(node.time));
            } else if let Some(begun) = open.take()
                && node.time - begun >= stay.length
            {
                return Some(begun);
            }
        }
        self.seek(node.right, level, stay, open)
    }

    fn change(&mut self, tasks: i64, from: Time, until: Time) {
        if until <= from {
            return;
        }
        self.add(from, tasks);
        if until < FOREVER {
            self.add(until, -tasks);
        }
    }

    fn add(&mut self, time: Time, change: i64) {
        self.root = self.insert(self.root, time, change);
    }

    /// The subtree at `at` with a change added; returns its root.
    fn insert(&mut self, at: u32, time: Time, change: i64) -> u32 {
        let Some(&node) = self.nodes.get(at as usize) else {
            return self.leaf(time, change);
        };
        let mut root = at;
        if time == node.time {
            self.nodes[at as usize].change += change;
        } else {
            let right = time > node.time;
            let below = *self.child(at, right);
            let child = self.insert(below, time, change);
            *self.child(at, right) = child;
            if self.nodes[child as usize].priority > node.priority {
                let inner = *self.child(child, !right);
                *self.child(at, right) = inner;
                *self.child(child, !right) = at;
                root = child;
            }
        }
        self.sum_up(at);
        if root != at {
            self.sum_up(root);
        }
        root
    }

    /// The child of the node at `at` on one side.
    fn child(&mut self, at: u32, right: bool) -> &mut u32 {
        let node = &mut self.nodes[at as usize];
        if right { &mut node.right } else { &mut node.left }
    }

    fn leaf(&mut self, time: Time, change: i64) -> u32 {
        // Xorshift (Marsaglia, Journal of Statistical Software 2003).
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        self.nodes.push(ProfileNode {
            time,
            change,
            priority: self.seed,
            left: NONE,
            right: NONE,
            sum: change,
            least: change,
            greatest: change,
            first: time,
            last: time,
        });
        self.runs.resize(self.nodes.len() * self.classes, FreeRuns::of(time, false));
        (self.nodes.len() - 1) as u32
    }

    /// Computes what a node knows of its subtree from its children.
    fn sum_up(&mut self, at: u32) {
        let mut node = self.nodes[at as usize];
        let level = self.sum(node.left) + node.change;
        (node.sum, node.least, node.greatest) = (level, level, level);
        (node.first, node.last) = (node.time, node.time);
        if let Some(left) = self.nodes.get(node.left as usize) {
            node.least = node.least.min(left.least);
            node.greatest = node.greatest.max(left.greatest);
            node.first = left.first;
        }
        if let Some(right) = self.nodes.get(node.right as usize) {
            node.sum += right.sum;
            node.least = node.least.min(level + right.least);
            node.greatest = node.greatest.max(level + right.greatest);
            node.last = right.last;
        }
        self.nodes[at as usize] = node;
        self.sum_up_runs(at);
    }

    /// The same of its runs, where there is an index.
    fn sum_up_runs(&mut self, at: u32) {
        let node = self.nodes[at as usize];
        let level = self.sum(node.left) + node.change;
        for class in 0..self.classes {
            let needed = node.least + need(class);
            let mut runs = FreeRuns::of(node.time, level >= needed);
            if node.left != NONE {
                runs = self.runs_of(node.left, needed).then(runs, node.time);
            }
            if let Some(right) = self.nodes.get(node.right as usize) {
                let later = self.runs_of(node.right, needed - level);
                runs = runs.then(later, right.first);
            }
            self.runs[at as usize * self.classes + class] = runs;
        }
    }

    /// Runs of a subtree in which `needed` tasks, counted from the level ahead of it, may be
    /// free: none is missing or too short.
    #[inline]
    fn runs_of(&self, at: u32, needed: i64) -> FreeRuns {
        let node = &self.nodes[at as usize];
        if needed <= node.least {
            FreeRuns::of(node.first, true)
        } else if needed > node.greatest {
            FreeRuns::of(node.first, false)
        } else {
            self.runs
                [at as usize * self.classes + class_of(needed - node.least).min(self.classes - 1)]
        }
    }

    fn sum(&self, at: u32) -> i64 {
        self.nodes.get(at as usize).map_or(0, |node| node.sum)
    }

    /// Free tasks at `time`.
    fn level(&self, time: Time) -> i64 {
        let (mut at, mut level) = (self.root, 0);
        while let Some(node) = self.nodes.get(at as usize) {
            if node.time <= time {
                level += self.sum(node.left) + node.change;
                at = node.right;
            } else {
                at = node.left;
            }
        }
        level
    }

    /// The least level after the changes of a subtree that are later than `after` and
    /// earlier than `before`. The level ahead of the subtree is `ahead`.
    fn least_below(&self, at: u32, ahead: i64, after: Option<Time>, before: Option<Time>) -> i64 {
        let Some(node) = self.nodes.get(at as usize) else { return i64::MAX };
        if after.is_none() && before.is_none() {
            return ahead + node.least;
        }
        let level = ahead + self.sum(node.left) + node.change;
        if after.is_some_and(|after| node.time <= after) {
            return self.least_below(node.right, level, after, before);
        }
        if before.is_some_and(|before| node.time >= before) {
            return self.least_below(node.left, ahead, after, before);
        }
        let left = self.least_below(node.left, ahead, after, None);
        left.min(level).min(self.least_below(node.right, level, None, before))
    }

    /// The first change of a subtree later than `after` whose level is a hit. `hit` is
    /// asked about the least and greatest of several levels, or twice the same.
    fn next(
        &self,
        at: u32,
        ahead: i64,
        after: Time,
        hit: &impl Fn(i64, i64) -> bool,
    ) -> Option<Time> {
        let node = self.nodes.get(at as usize)?;
        if !hit(ahead + node.least, ahead + node.greatest) {
            return None;
        }
        let level = ahead + self.sum(node.left) + node.change;
        if node.time > after {
            let earlier = self.next(node.left, ahead, after, hit);
            if earlier.is_some() || hit(level, level) {
                return earlier.or(Some(node.time));
            }
        }
        self.next(node.right, level, after, hit)
    }
}

fn signed(tasks: u64) -> i64 {
    i64::try_from(tasks).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
