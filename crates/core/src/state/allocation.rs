//! Live work, and the resources that it holds.

use smallvec::SmallVec;

use super::{AllocationRef, Ending, InstanceRef, WorkRef};
use crate::metering::ShareUsage;
use crate::model::{Ask, Offer, WorkId, WorkKind};
use crate::units::{Id, Money, Span, Time};

/// Assumed run of work without an estimate where reservations are made: a thousand years, on any
/// machine. So unknown ends lie beyond all known ones, in the order of their starts.
pub const UNKNOWN_RUN: Span = Span::from_secs(1_000 * 365 * 86_400);

/// Tasks on one instance, as a policy asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The instance.
    pub instance: InstanceRef,
    /// Number of tasks.
    pub tasks: u32,
    /// The GPU devices, as a bit set: `tasks x demand.gpus` of them, each giving
    /// `demand.gpu_share`.
    pub devices: u32,
}

/// Tasks on one instance, and since when they pay for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldShare {
    /// The share that is held.
    pub share: Share,
    /// Part of the instance that it uses, and since when it pays.
    pub(super) usage: ShareUsage,
}

impl HeldShare {
    /// Use of the instance, which counts from the start of the tasks.
    pub const fn usage(&self) -> ShareUsage {
        self.usage
    }
}

/// Resources held by one piece of work, with one completion.
#[derive(Clone, Debug, Default)]
pub struct Allocation {
    pub(super) work: WorkRef,
    /// Number of tasks.
    pub tasks: u32,
    /// Held shares, by instance.
    pub held: SmallVec<[HeldShare; 1]>,
    /// Time at which it was placed.
    pub placed: Time,
    /// Time at which its tasks started.
    pub(super) started: Option<Time>,
    /// Instances that are still booting.
    pub(super) not_ready: u32,
    /// Ending of the allocation, which is closed at the same moment; `None` until then.
    pub(super) ending: Option<Ending>,
    /// Estimated end by the user's estimate; without one, see [`UNKNOWN_RUN`].
    pub estimated_end: Time,
    /// Speed of its slowest instance, in millionths.
    pub speed: u32,
    /// Time to read its input, before computing.
    pub input: Span,
    /// Time to write its output, after computing.
    pub output: Span,
}

impl Allocation {
    /// The work that its tasks belong to.
    pub const fn work(&self) -> WorkRef {
        self.work
    }

    /// Time at which its tasks started; `None` while an instance is still booting.
    pub fn started(&self) -> Option<Time> {
        self.started
    }

    /// Makes it an allocation of `work` that is opened `now` and holds nothing yet. Memory is kept.
    pub(super) fn reset(&mut self, work: WorkRef, now: Time) {
        (self.work, self.tasks, self.placed) = (work, 0, now);
        (self.started, self.not_ready, self.ending) = (None, 0, None);
        (self.estimated_end, self.speed) = (now, u32::MAX);
        (self.input, self.output) = (Span::ZERO, Span::ZERO);
        self.held.clear();
    }

    /// Whether all its instances are ready.
    pub const fn is_ready(&self) -> bool {
        self.not_ready == 0
    }

    /// Ending of the allocation; `None` until then.
    pub const fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Whether the allocation has ended, at this very moment: its instances are free.
    pub const fn has_ended(&self) -> bool {
        self.ending.is_some()
    }
}

/// A live piece of work, as an operator sees it.
#[derive(Clone, Debug, Default)]
pub struct LiveWork {
    /// Stable identity.
    pub id: WorkId,
    /// Time at which it was submitted.
    pub arrival: Time,
    /// Job or virtual machine.
    pub kind: WorkKind,
    /// Properties that may be seen: tasks, demand, estimate, rules and so on.
    pub ask: Ask,
    /// Tasks not placed yet.
    pub waiting: u32,
    /// Tasks placed and not done.
    pub placed: u32,
    /// Tasks done.
    pub done: u32,
    /// Time at which its first task first started.
    pub(crate) first_start: Option<Time>,
    /// Its allocations.
    pub allocations: SmallVec<[AllocationRef; 1]>,
    /// Sum of its charges so far.
    pub cost: Money,
    /// Offer on which it was last placed.
    pub last_offer: Option<Id<Offer>>,
    /// Number of its preemptions.
    pub preemptions: u32,
    /// Least progress that a waiting task has saved, on the reference machine; see
    /// [`Ask::keeps_progress`].
    pub executed: Span,
}

impl LiveWork {
    /// A part that lies in the second of its three cache lines.
    pub(super) fn prefetched(&self) -> &Ask {
        &self.ask
    }

    /// Forgets an allocation that has ended.
    pub(super) fn drop_allocation(&mut self, allocation: AllocationRef) {
        if self.allocations.last() == Some(&allocation) {
            self.allocations.pop();
        } else if let Some(at) = self.allocations.iter().position(|&other| other == allocation) {
            self.allocations.remove(at);
        }
    }

    /// Time at which its first task first started.
    pub fn first_start(&self) -> Option<Time> {
        self.first_start
    }

    /// Number of waiting tasks that must start at once: all of a gang, otherwise one.
    pub const fn together(&self) -> u32 {
        if self.ask.gang { self.waiting } else { 1 }
    }

    /// The key that breaks every tie between pieces of work.
    pub const fn tie(&self) -> (Time, WorkId) {
        (self.arrival, self.id)
    }

    /// Rest of the user's estimate of its waiting tasks, if there is one: on the reference
    /// machine, at least zero, and of tasks that came less far than others the longest.
    pub fn remaining_estimate(&self) -> Option<Span> {
        self.estimate_after(self.executed)
    }

    /// The user's estimate less what is done.
    pub(super) fn estimate_after(&self, done: Span) -> Option<Span> {
        self.ask.estimate.map(|estimate| (estimate - done).max(Span::ZERO))
    }
}
