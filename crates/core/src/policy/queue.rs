//! Waiting work in the order in which it is served.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasherDefault;
use std::ops::ControlFlow;

use priority_queue::PriorityQueue;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::order::{FCFS, Order, QueueKey};
use crate::model::WorkId;
use crate::state::{State, WorkRef};
use crate::units::{Span, Time};

/// Waiting work, with what backfilling looks at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The work that waits.
    pub work: WorkRef,
    /// Its waiting tasks.
    pub tasks: u32,
    /// Number of them that must start at once.
    pub together: u32,
    /// Rest of its estimate, if it has one.
    pub estimate: Option<Span>,
}

/// Waiting work, each once. Orders that stay as they are live in a sorted map;
/// those that change with time in a heap whose scores are set anew at each
/// decision.
#[derive(Debug)]
pub struct Queue {
    order: Box<dyn Order>,
    /// Places change while work waits.
    varies: bool,
    /// Scores that replace the order.
    scores: Option<FxHashMap<WorkRef, f64>>,
    sorted: BTreeMap<QueueKey, Queued>,
    heap: PriorityQueue<WorkRef, Reverse<QueueKey>, BuildHasherDefault<FxHasher>>,
    /// Waiting work that is not served in turn: the provision part places it, or it is held.
    aside: FxHashSet<WorkRef>,
    /// Of that, work that is held until a time, and work that is aside no more.
    held: BTreeSet<(Time, (Time, WorkId), WorkRef)>,
    /// Key by slot of the work, for work in `sorted`.
    keys: Vec<Option<QueueKey>>,
    /// No queued work has fewer tasks that must start at once.
    least_tasks: u32,
    /// No queued work has a shorter estimate; `None` if nobody has one.
    least_estimate: Option<Span>,
}

impl Queue {
    /// An empty queue in this order.
    pub fn new(order: Box<dyn Order>) -> Self {
        Self {
            varies: order.varies(),
            order,
            scores: None,
            sorted: BTreeMap::new(),
            heap: PriorityQueue::with_default_hasher(),
            aside: FxHashSet::default(),
            held: BTreeSet::new(),
            keys: Vec::new(),
            least_tasks: u32::MAX,
            least_estimate: None,
        }
    }

    /// An empty queue whose work is served by the scores that are set for it, the smallest first.
    pub fn by_score() -> Self {
        Self { varies: true, scores: Some(FxHashMap::default()), ..Self::new(FCFS.spec().build()) }
    }

    /// Sets the score of `work`, which is finite, until it is forgotten. It
    /// counts from the next [`Queue::rescore`] on.
    pub fn set_score(&mut self, work: WorkRef, score: f64) {
        if let Some(scores) = &mut self.scores {
            scores.insert(work, score);
        }
    }

    /// Forgets the score of work that has ended.
    pub fn forget(&mut self, work: WorkRef) {
        if let Some(scores) = &mut self.scores {
            scores.remove(&work);
        }
    }

    /// Puts waiting work aside: it is not served in turn, and no other method shows it.
    pub fn set_aside(&mut self, work: WorkRef) {
        self.aside.insert(work);
    }

    /// Puts waiting work aside until a time that is to come.
    pub fn hold(&mut self, state: &State<'_>, work: WorkRef, until: Time) {
        self.aside.insert(work);
        self.held.insert((until, state.work(work).tie(), work));
    }

    /// The work that is held for the shortest time, and until when.
    pub fn next_held(&mut self) -> Option<(Time, WorkRef)> {
        while let Some(&(until, tie, work)) = self.held.first() {
            if self.aside.contains(&work) {
                return Some((until, work));
            }
            self.held.remove(&(until, tie, work));
        }
        None
    }

    /// Work that is held, and until when, in order of that time.
    pub fn held(&self) -> impl Iterator<Item = (Time, WorkRef)> {
        let all = self.held.iter().map(|&(until, _, work)| (until, work));
        all.filter(|(_, work)| self.aside.contains(work))
    }

    /// Whether `work` was put aside.
    pub fn is_aside(&self, work: WorkRef) -> bool {
        self.aside.contains(&work)
    }

    /// Forgets work that was put aside, if it was, as it waits no more.
    pub fn drop_aside(&mut self, work: WorkRef) {
        self.aside.remove(&work);
    }

    /// Number of pieces of work that were put aside.
    pub fn aside(&self) -> usize {
        self.aside.len()
    }

    /// Whether `work` is in, or was put aside.
    pub fn knows(&self, work: WorkRef) -> bool {
        self.contains(work) || self.aside.contains(&work)
    }

    /// Number of waiting pieces of work, without those that were put aside.
    pub fn len(&self) -> usize {
        if self.varies { self.heap.len() } else { self.sorted.len() }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place that `work` would have now.
    pub fn key(&self, state: &State<'_>, work: WorkRef) -> QueueKey {
        match &self.scores {
            Some(scores) => {
                QueueKey::scored(scores.get(&work).copied().unwrap_or(0.0), state.work(work))
            }
            None => QueueKey::new(&*self.order, state.work(work), state.now()),
        }
    }

    /// Puts work into its place. Work that is already queued takes the place
    /// and the sizes that it has now.
    pub fn push(&mut self, state: &State<'_>, work: WorkRef) {
        let (key, queued) = (self.key(state, work), queued(state, work));
        if self.is_empty() {
            (self.least_tasks, self.least_estimate) = (u32::MAX, None);
        }
        self.least_tasks = self.least_tasks.min(queued.together);
        self.least_estimate = shorter(self.least_estimate, queued.estimate);
        if self.varies {
            self.heap.push(work, Reverse(key));
            return;
        }
        self.remove(work);
        if self.keys.len() <= work.slot() {
            self.keys.resize(work.slot() + 1, None);
        }
        self.keys[work.slot()] = Some(key);
        self.sorted.insert(key, queued);
    }

    /// Takes work out, if it is in.
    pub fn remove(&mut self, work: WorkRef) {
        if self.varies {
            self.heap.remove(&work);
            return;
        }
        if let Some(key) = self.keys.get_mut(work.slot()).and_then(Option::take) {
            self.sorted.remove(&key);
        }
    }

    /// Whether `work` is in.
    pub fn contains(&self, work: WorkRef) -> bool {
        if self.varies {
            return self.heap.contains(&work);
        }
        let key = self.keys.get(work.slot()).copied().flatten();
        key.is_some_and(|key| self.sorted.get(&key).is_some_and(|queued| queued.work == work))
    }

    /// First work of the queue; `None` if it is empty.
    pub fn head(&self) -> Option<WorkRef> {
        if self.varies {
            return self.heap.peek().map(|(&work, _)| work);
        }
        self.sorted.first_key_value().map(|(_, queued)| queued.work)
    }

    /// Sets the scores of orders that change with time.
    pub fn rescore(&mut self, state: &State<'_>) {
        if self.varies {
            let mut heap = std::mem::take(&mut self.heap);
            for (&mut work, key) in &mut heap {
                *key = Reverse(self.key(state, work));
            }
            self.heap = heap;
        }
    }

    /// Shows everybody, or those of `only` who are in, in order until `visit`
    /// has seen enough. Returns whether everybody was shown.
    pub fn visit(
        &self,
        state: &State<'_>,
        only: Option<&[WorkRef]>,
        visit: &mut dyn FnMut(Queued) -> ControlFlow<()>,
    ) -> bool {
        let mut some: Vec<(QueueKey, WorkRef)> = match only {
            None if !self.varies => {
                return self.sorted.values().try_for_each(|&queued| visit(queued)).is_continue();
            }
            None => self.heap.iter().map(|(&work, &Reverse(key))| (key, work)).collect(),
            Some(only) => {
                let queued = only.iter().filter(|&&work| self.contains(work));
                queued.map(|&work| (self.key(state, work), work)).collect()
            }
        };
        some.sort_unstable();
        some.iter().try_for_each(|&(_, work)| visit(queued(state, work))).is_continue()
    }

    /// Bounds that no queued work is below: tasks that start at once, and estimate, `None` if
    /// nobody has one. They may be too low, never too high.
    pub fn least(&self) -> (u32, Option<Span>) {
        (self.least_tasks, self.least_estimate)
    }

    /// Sets the bounds, after somebody has looked at everybody.
    pub fn set_least(&mut self, tasks: u32, estimate: Option<Span>) {
        (self.least_tasks, self.least_estimate) = (tasks, estimate);
    }
}

/// The shorter of two estimates; one that is not there is longer than any.
pub fn shorter(one: Option<Span>, other: Option<Span>) -> Option<Span> {
    one.into_iter().chain(other).min()
}

fn queued(state: &State<'_>, work: WorkRef) -> Queued {
    let live = state.work(work);
    Queued {
        work,
        tasks: live.waiting,
        together: live.together(),
        estimate: live.remaining_estimate(),
    }
}
