//! Failures at a constant rate, as a policy that takes everything off its machines.

use crate::policy::queue::Queue;
use crate::policy::{Policy, Trigger, Turn};
use crate::state::{AllocationRef, Needs, Record, State};
use crate::units::{Span, Time};

/// Preempts all that runs at random moments, and else does what another policy does: work that does not
/// resume loses what it would lose if its machine failed and came back at once.
pub(super) struct Breaks {
    inner: Box<dyn Policy>,
    /// Mean time from one to the next.
    mean: Span,
    next: Option<Time>,
}

impl Breaks {
    pub(super) fn new(inner: Box<dyn Policy>, mean: Span) -> Self {
        Self { inner, mean, next: None }
    }
}

impl Policy for Breaks {
    fn needs(&self) -> Needs {
        Needs { ends: true, ..self.inner.needs() }
    }

    fn queue(&self) -> Option<&Queue> {
        self.inner.queue()
    }

    fn checkpoint_every(&mut self, state: &State<'_>, allocation: AllocationRef) -> Option<Span> {
        self.inner.checkpoint_every(state, allocation)
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.inner.record(state, record);
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        self.inner.decide(triggers, turn);
        let now = turn.now();
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        if self.next.is_some() {
            let running: Vec<AllocationRef> =
                turn.ends().map(|(_, allocation)| allocation).collect();
            for allocation in running {
                turn.preempt(allocation).expect("it runs");
            }
        }
        let secs = -libm::log1p(-turn.stream().uniform()) * self.mean.secs_f64();
        let gap = Span::from_secs_f64(secs).unwrap_or(self.mean).max(Span::from_micros(1));
        self.next = Some(now.saturating_add(gap));
        turn.wake(now.saturating_add(gap)).expect("it is later");
    }
}
