//! View and actions of a policy at one moment.

use std::ops::Deref;

use crate::halt;
use crate::model::{Manner, Offer, Rules};
use crate::state::{
    AllocationRef, ClassBy, DecisionNote, IndexBy, InstanceRef, OfferSet, Refusal, RefusalReason,
    Share, SpendingCap, StartPromise, State, Why, WorkRef,
};
use crate::units::{Id, Stream, Time};

/// Event that a policy may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The run begins; owned instances are running.
    Begins,
    /// Work was submitted: its tasks wait.
    Arrived(WorkRef),
    /// Tasks of the work wait again, for this reason. It may have been placed or turned away
    /// since, at this moment.
    Eligible(WorkRef, Why),
    /// Tasks of the work that a stopped instance kept have their place there again: it starts.
    Resumed(WorkRef),
    /// Tasks are done and their resources free. The work may have ended with them.
    Freed(WorkRef),
    /// The work has ended without being done, and the policy did not say so: its data is lost.
    Cancelled(WorkRef),
    /// An instance is ready.
    Ready(InstanceRef),
    /// A rented instance that was ready holds no work any more.
    Idle(InstanceRef),
    /// The provider takes the instance back: it takes no more work, and goes when its phase
    /// [`Draining`](crate::state::Phase::Draining) says.
    Draining(InstanceRef),
    /// The provider recommends to leave an instance, as it may be taken back soon.
    AtRisk(InstanceRef),
    /// An instance of the offer is gone, and the policy did not give it back.
    Lost(Id<Offer>),
    /// Prices of offers changed, those of [`State::repriced`].
    PricesChanged,
    /// A timer that the policy set has come.
    Timer,
    /// The policy's own actions are in effect: preempted work has left room, an instance that
    /// was given back leaves room in a quota, or what was placed may yield.
    Acted,
}

/// The state, to be read, and the actions.
///
/// Everything that [`State`] shows can be read through the turn. Actions are
/// applied at once, so a policy sees its own placements.
///
/// An action that is refused changes nothing, and says why. A refused launch
/// ([`Refusal::Launch`]: no capacity, or a quota) is what a policy must expect, and may be met with
/// another offer. Every other refusal is illegal (see [`Refusal::is_illegal`]): the run ends with
/// [`Failure::Illegal`](crate::sim::Failure::Illegal) after this decision, also where the policy
/// handles the error or rolls it back, unless
/// [`Options::tolerate_illegal`](crate::sim::Options::tolerate_illegal) is set. So ask first:
/// [`State::accepts`] for one more task on an instance, [`State::would_take`] for a share.
#[derive(Debug)]
pub struct Turn<'a, 'w> {
    state: &'a mut State<'w>,
    stream: &'a mut Stream,
}

impl<'w> Deref for Turn<'_, 'w> {
    type Target = State<'w>;
    fn deref(&self) -> &State<'w> {
        self.state
    }
}

impl<'a, 'w> Turn<'a, 'w> {
    /// A turn on `state`, with the policy's own random stream.
    #[inline]
    pub(crate) fn new(state: &'a mut State<'w>, stream: &'a mut Stream) -> Self {
        Self { state, stream }
    }

    /// The policy's own random stream, derived from the run's seed.
    pub fn stream(&mut self) -> &mut Stream {
        self.stream
    }

    /// Places waiting tasks of `work`, as one allocation: all shares or none.
    ///
    /// # Errors
    /// Each refusal: an instance has no room, the rules of the work forbid it, it does not wait. All are illegal.
    #[inline]
    pub fn place(&mut self, work: WorkRef, shares: &[Share]) -> Result<(), Refusal> {
        if !self.state.is_alive(work) {
            return self.judge(Err(Refusal::WorkGone));
        }
        if let &[share] = shares {
            let result = self.state.place(work, share);
            return self.judge(result);
        }
        let opened = self.open(work);
        for &share in shares {
            if let Err(refusal) = self.state.add(opened, share) {
                self.state.abandon(opened);
                return self.judge(Err(refusal));
            }
        }
        self.commit(opened)
    }

    /// Counts an illegal action, and remembers the first. A refused launch is legal.
    #[inline]
    fn judge<T>(&mut self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        if let Err(refusal) = &result
            && refusal.is_illegal()
        {
            self.state.count_illegal(*refusal);
        }
        result
    }

    /// Opens an allocation whose shares are added one by one, each seen by the
    /// next query. It must be committed or abandoned before anything else is done.
    #[inline]
    pub fn open(&mut self, work: WorkRef) -> AllocationRef {
        self.state.open(work)
    }

    /// Adds a share to an open allocation.
    ///
    /// # Errors
    /// Those of [`Turn::place`].
    #[inline]
    pub fn add(&mut self, opened: AllocationRef, share: Share) -> Result<(), Refusal> {
        let result = self.state.add(opened, share);
        self.judge(result)
    }

    /// Makes an open allocation real; on refusal it is abandoned.
    ///
    /// # Errors
    /// Those of [`Turn::place`]: a gang that is not whole, for one.
    #[inline]
    pub fn commit(&mut self, opened: AllocationRef) -> Result<(), Refusal> {
        let result = self.state.commit(opened);
        self.judge(result)
    }

    /// Drops an open allocation.
    #[inline]
    pub fn abandon(&mut self, opened: AllocationRef) {
        self.state.abandon(opened);
    }

    /// Requests an instance. It boots, and work placed on it starts when it is ready.
    ///
    /// # Errors
    /// [`Refusal::Launch`], which is legal; an offer that is owned is illegal.
    pub fn rent(&mut self, offer: Id<Offer>) -> Result<InstanceRef, Refusal> {
        let result = self.state.rent(offer);
        self.judge(result)
    }

    /// Refuses launches for which a budget has no room, by this cap, for the rest of the run. Nothing is
    /// refused in a world without budgets.
    pub fn set_cap(&mut self, cap: SpendingCap) {
        self.state.set_cap(cap);
    }

    /// Says for which work is rented from now on, whose tenant's budgets count; or for none.
    pub fn rent_for(&mut self, work: Option<WorkRef>) {
        self.state.rent_for(work);
    }

    /// Whether `count` launches more would be more instances at once than any policy may have; then
    /// the run ends after this decision, as if it had asked for them.
    pub(super) fn overruns(&mut self, count: u64) -> bool {
        self.state.overruns(count)
    }

    /// Gives back an empty rented instance.
    ///
    /// # Errors
    /// An instance that is owned, holds work or is gone: illegal.
    pub fn release(&mut self, instance: InstanceRef) -> Result<(), Refusal> {
        let result = self.state.release(instance);
        self.judge(result)
    }

    /// Takes the instances of an allocation away; its tasks wait again.
    ///
    /// # Errors
    /// An allocation that is gone, or work that may not be preempted: illegal.
    pub fn preempt(&mut self, allocation: AllocationRef) -> Result<(), Refusal> {
        let result = self.state.preempt(allocation);
        self.judge(result)
    }

    /// Moves the tasks of an allocation to these shares, on instances that are ready, with all that
    /// they have made. In a cold migration they leave at once; in a live one they compute on while their
    /// memory is copied, and both ends hold their instances until then.
    ///
    /// # Errors
    /// Tasks that do not compute or are moved already, an instance that is not ready, and what
    /// [`Turn::place`] refuses: all illegal.
    pub fn migrate(
        &mut self,
        allocation: AllocationRef,
        to: &[Share],
        manner: Manner,
    ) -> Result<(), Refusal> {
        let result = self.state.migrate(allocation, to, manner);
        self.judge(result)
    }

    /// Lets a gang that lost its place start with so many tasks, and come on that much more slowly,
    /// until it waits again.
    ///
    /// # Errors
    /// Work that is gone, of which tasks are placed, or a number of tasks below
    /// [`State::fewest_tasks`] or above what it asked for: illegal.
    pub fn resize(&mut self, work: WorkRef, tasks: u32) -> Result<(), Refusal> {
        let result = self.state.resize(work, tasks);
        self.judge(result)
    }

    /// Lets a gang that waits, and can run with fewer tasks than it asked for, start with so many and come
    /// on that much more slowly, until it waits again.
    ///
    /// # Errors
    /// Work that is gone, of which tasks are placed, or a number of tasks below [`State::min_tasks`] or
    /// above what it asked for: illegal.
    pub fn scale(&mut self, work: WorkRef, tasks: u32) -> Result<(), Refusal> {
        let result = self.state.scale(work, tasks);
        self.judge(result)
    }

    /// Lets an instance take no more work for the rest of an attempt, which is rolled back.
    pub(super) fn shut(&mut self, instance: InstanceRef) {
        self.state.shut(instance);
    }

    /// Ends an allocation in an attempt, or as the provider or a fault would.
    pub(crate) fn end(&mut self, allocation: AllocationRef, ending: crate::state::Ending) {
        self.state.end(allocation, ending);
    }

    /// Turns waiting work away.
    ///
    /// # Errors
    /// Work that is gone or does not wait: illegal.
    #[inline]
    pub fn refuse(&mut self, work: WorkRef, reason: RefusalReason) -> Result<(), Refusal> {
        let result = self.state.refuse(work, reason);
        self.judge(result)
    }

    /// The waiting tasks of `work` may go where these rules allow, from now on: no wider than its own.
    pub(super) fn set_rules(&mut self, work: WorkRef, rules: &Rules) {
        self.state.set_rules(work, rules);
    }

    /// The waiting tasks of `work` may go where they might before.
    pub(super) fn restore_rules(&mut self, work: WorkRef, rules: Id<Rules>) {
        self.state.restore_rules(work, rules);
    }

    /// Says when the next waiting tasks of `work`, all of a gang, are to start. Every run checks
    /// what is promised so (see `metrics::Laws`).
    #[inline]
    pub fn promise(&mut self, work: WorkRef, promise: StartPromise) {
        self.state.promise(work, promise);
    }

    /// Says that all reservations have been worked out again: those that were not
    /// promised anew stand.
    #[inline]
    pub fn planned(&mut self) {
        self.state.planned();
    }

    /// Asks to be asked again at `at`.
    ///
    /// # Errors
    /// A moment that is not later than now: illegal.
    pub fn wake(&mut self, at: Time) -> Result<(), Refusal> {
        let result = self.state.wake(at);
        self.judge(result)
    }

    /// Asks to be asked again at this moment, when what was done is in effect.
    pub fn ask_again(&mut self) {
        self.state.ask_again();
    }

    /// Allocations that were placed in this turn, also those that have ended since.
    pub fn new_allocations(&self) -> impl Iterator<Item = AllocationRef> {
        self.state.new_allocations()
    }

    /// Whether a rented instance became ready or empty since the last call of
    /// `take_emptied`.
    pub fn has_emptied(&self) -> bool {
        self.state.has_emptied()
    }

    /// Rented instances that became ready or empty since the last call, and are idle now.
    pub fn take_emptied(&mut self, into: &mut Vec<InstanceRef>) {
        self.state.take_emptied(into);
    }

    /// All offers, in memory that is kept from search to search: to be put back.
    pub(super) fn take_reach(&mut self) -> OfferSet {
        self.state.take_reach()
    }

    /// Keeps the memory of a search for the next.
    pub(super) fn put_reach(&mut self, reach: OfferSet) {
        self.state.put_reach(reach);
    }

    /// Runs `plan`; unless it returns `Some`, everything it did is rolled back.
    ///
    /// A launch that is rolled back was never asked for. One that a quota or the capacity refused was,
    /// and counts as refused whatever becomes of the attempt; who only wants to know asks
    /// [`State::launch_refusal`] or [`State::launch_room`], as the built-in parts do.
    #[inline]
    pub fn attempt<T>(&mut self, plan: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let attempt = self.state.begin();
        let result = plan(self);
        match result {
            Some(_) => self.state.keep(attempt),
            None => self.state.roll_back(attempt),
        }
        result
    }

    /// Says that the policy cannot go on. The run stops after this decision;
    /// the first reason is shown.
    pub fn give_up(&mut self, why: impl Into<String>) {
        self.state.give_up(why.into());
    }

    /// Whether the index over instances has the order that a place part reads. If it has another,
    /// the policy gives up: it did not say what the part needs.
    #[inline]
    pub(super) fn is_indexed(&mut self, by: IndexBy) -> bool {
        let found = self.needs().index;
        if found != by {
            self.lacks(&format!("an index by {by:?}, and it is by {found:?}"));
        }
        found == by
    }

    /// The same of classes of instances.
    #[inline]
    pub(super) fn is_classed(&mut self, by: ClassBy) -> bool {
        let found = self.needs().classes;
        if found != by {
            self.lacks(&format!("classes by {by:?}, and they are by {found:?}"));
        }
        found == by
    }

    #[cold]
    fn lacks(&mut self, what: &str) {
        self.give_up(format!(
            "a place part needs {what}: `Policy::needs` must return `place.needs()` of the parts that \
             the policy calls"
        ));
    }

    /// Says how many pieces of work wait without a reservation, because there are too many
    /// for each to hold one. The most at once is told beside the run's answer.
    pub fn count_unreserved(&mut self, waiting: u64) {
        self.state.count_unreserved(waiting);
    }

    /// Whether the run is to end soon. Parts that may loop long within one
    /// decision look now and then (it is one plain load) and return at once,
    /// wherever they are: the run has failed, and nothing of it is used.
    #[inline]
    pub fn is_halted(&self) -> bool {
        halt::asked()
    }

    /// Whether reasons are being recorded.
    #[inline]
    pub fn explaining(&self) -> bool {
        self.state.explaining()
    }

    /// Records a reason, when they are being recorded.
    #[inline]
    pub fn note(&mut self, work: WorkRef, note: DecisionNote) {
        self.state.note(work, note);
    }
}
