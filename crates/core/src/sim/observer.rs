//! Observers of a run. Facts go out; nothing comes back but what somebody buys by them for the account
//! that pays.

use crate::model::HeldCommitment;
use crate::policy::Trigger;
use crate::policy::queue::Queue;
use crate::state::{Record, StartPromise, State, WorkRef};
use crate::units::{Span, Time};

/// Watches a run, in simulated-time order.
pub trait Observer {
    /// Whether the observer watches anything; if not, it need not be called. Asked once, before a
    /// run begins.
    fn watches(&self) -> bool {
        true
    }

    /// The run begins: nothing has happened yet.
    fn begins(&mut self, state: &State<'_>) {
        let _ = state;
    }

    /// The clock moves from `from` to `to`; the state held still in between.
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        let _ = (state, from, to);
    }

    /// Clock hours have ended, in UTC: commitments that were bought at their ends, as policies see
    /// them from now on. What an observer gives must follow from the run and nothing else.
    fn bought(&mut self) -> Vec<HeldCommitment> {
        Vec::new()
    }

    /// The policy is about to be asked, about these triggers.
    fn asks(&mut self, state: &State<'_>, triggers: &[Trigger]) {
        let _ = (state, triggers);
    }

    /// The policy has answered all that happened at this moment. Its queue, where it keeps one.
    fn decided(&mut self, state: &State<'_>, queue: Option<&Queue>) {
        let _ = (state, queue);
    }

    /// A built-in policy has left `work` waiting that it can place, though nothing more will happen
    /// by itself.
    fn neglected(&mut self, state: &State<'_>, work: WorkRef) {
        let _ = (state, work);
    }

    /// A fact, at `state.now()`. All that it names is still alive in `state`.
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let _ = (state, record);
    }

    /// The policy says when the next waiting tasks of `work`, all of a gang, are to start.
    fn promised(&mut self, state: &State<'_>, work: WorkRef, promise: StartPromise) {
        let _ = (state, work, promise);
    }

    /// The policy has worked all reservations out again; those that it did not promise
    /// anew stand.
    fn planned(&mut self, state: &State<'_>) {
        let _ = state;
    }

    /// Work is about to be recorded as refused or unfinished; each of its tasks had this much
    /// `left` to run on the reference machine. Policies never hear it.
    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Option<Span>) {
        let _ = (state, work, left);
    }

    /// The run has ended; nothing is alive any more.
    fn ends(&mut self, state: &State<'_>) {
        let _ = state;
    }
}

/// Observer that watches nothing.
impl Observer for () {
    fn watches(&self) -> bool {
        false
    }
}

impl<T: Observer + ?Sized> Observer for &mut T {
    fn watches(&self) -> bool {
        (**self).watches()
    }
    #[inline(always)]
    fn begins(&mut self, state: &State<'_>) {
        (**self).begins(state);
    }
    #[inline(always)]
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        (**self).elapse(state, from, to);
    }
    fn bought(&mut self) -> Vec<HeldCommitment> {
        (**self).bought()
    }
    #[inline(always)]
    fn asks(&mut self, state: &State<'_>, triggers: &[Trigger]) {
        (**self).asks(state, triggers);
    }
    #[inline(always)]
    fn decided(&mut self, state: &State<'_>, queue: Option<&Queue>) {
        (**self).decided(state, queue);
    }
    #[inline(always)]
    fn neglected(&mut self, state: &State<'_>, work: WorkRef) {
        (**self).neglected(state, work);
    }
    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        (**self).record(state, record);
    }
    #[inline(always)]
    fn promised(&mut self, state: &State<'_>, work: WorkRef, promise: StartPromise) {
        (**self).promised(state, work, promise);
    }
    #[inline(always)]
    fn planned(&mut self, state: &State<'_>) {
        (**self).planned(state);
    }
    #[inline(always)]
    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Option<Span>) {
        (**self).undone(state, work, left);
    }
    #[inline(always)]
    fn ends(&mut self, state: &State<'_>) {
        (**self).ends(state);
    }
}

impl<T: Observer> Observer for Option<T> {
    fn watches(&self) -> bool {
        self.as_ref().is_some_and(T::watches)
    }
    #[inline(always)]
    fn begins(&mut self, state: &State<'_>) {
        if let Some(observer) = self {
            observer.begins(state);
        }
    }
    #[inline(always)]
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        if let Some(observer) = self {
            observer.elapse(state, from, to);
        }
    }
    fn bought(&mut self) -> Vec<HeldCommitment> {
        self.as_mut().map(T::bought).unwrap_or_default()
    }
    #[inline(always)]
    fn asks(&mut self, state: &State<'_>, triggers: &[Trigger]) {
        if let Some(observer) = self {
            observer.asks(state, triggers);
        }
    }
    #[inline(always)]
    fn decided(&mut self, state: &State<'_>, queue: Option<&Queue>) {
        if let Some(observer) = self {
            observer.decided(state, queue);
        }
    }
    #[inline(always)]
    fn neglected(&mut self, state: &State<'_>, work: WorkRef) {
        if let Some(observer) = self {
            observer.neglected(state, work);
        }
    }
    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Some(observer) = self {
            observer.record(state, record);
        }
    }
    #[inline(always)]
    fn promised(&mut self, state: &State<'_>, work: WorkRef, promise: StartPromise) {
        if let Some(observer) = self {
            observer.promised(state, work, promise);
        }
    }
    #[inline(always)]
    fn planned(&mut self, state: &State<'_>) {
        if let Some(observer) = self {
            observer.planned(state);
        }
    }
    #[inline(always)]
    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Option<Span>) {
        if let Some(observer) = self {
            observer.undone(state, work, left);
        }
    }
    #[inline(always)]
    fn ends(&mut self, state: &State<'_>) {
        if let Some(observer) = self {
            observer.ends(state);
        }
    }
}

/// Observer of two, which both watch, the first one first.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn watches(&self) -> bool {
        self.0.watches() || self.1.watches()
    }
    #[inline(always)]
    fn begins(&mut self, state: &State<'_>) {
        self.0.begins(state);
        self.1.begins(state);
    }
    #[inline(always)]
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        self.0.elapse(state, from, to);
        self.1.elapse(state, from, to);
    }
    fn bought(&mut self) -> Vec<HeldCommitment> {
        [self.0.bought(), self.1.bought()].concat()
    }
    #[inline(always)]
    fn asks(&mut self, state: &State<'_>, triggers: &[Trigger]) {
        self.0.asks(state, triggers);
        self.1.asks(state, triggers);
    }
    #[inline(always)]
    fn decided(&mut self, state: &State<'_>, queue: Option<&Queue>) {
        self.0.decided(state, queue);
        self.1.decided(state, queue);
    }
    #[inline(always)]
    fn neglected(&mut self, state: &State<'_>, work: WorkRef) {
        self.0.neglected(state, work);
        self.1.neglected(state, work);
    }
    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.0.record(state, record);
        self.1.record(state, record);
    }
    #[inline(always)]
    fn promised(&mut self, state: &State<'_>, work: WorkRef, promise: StartPromise) {
        self.0.promised(state, work, promise);
        self.1.promised(state, work, promise);
    }
    #[inline(always)]
    fn planned(&mut self, state: &State<'_>) {
        self.0.planned(state);
        self.1.planned(state);
    }
    #[inline(always)]
    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Option<Span>) {
        self.0.undone(state, work, left);
        self.1.undone(state, work, left);
    }
    #[inline(always)]
    fn ends(&mut self, state: &State<'_>) {
        self.0.ends(state);
        self.1.ends(state);
    }
}
