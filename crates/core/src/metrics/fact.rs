//! Records with the live things that they name, looked up once for all measures of a run.

use crate::model::Offer;
use crate::state::{
    Allocation, AllocationRef, Charge, Ending, Exit, Instance, InstanceRef, LaunchRefusal,
    LiveWork, Record, RefusalReason, State, WorkRef,
};
use crate::units::{Id, Money, Span, Time};

/// A [`Record`] with the live things that it names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact<'s> {
    Submitted(WorkRef, &'s LiveWork),
    Placed(&'s Allocation),
    Started(AllocationRef, &'s Allocation, &'s LiveWork),
    Stopped {
        allocation: AllocationRef,
        stopped: &'s Allocation,
        live: &'s LiveWork,
        /// Tasks of which each made what follows; one where it is that of all together.
        tasks: u32,
        ending: Ending,
        useful: i128,
        lost: i128,
        overhead: i128,
        /// Useful and lost progress and overhead as those of all tasks that the work asked for, where
        /// they are those of all together.
        whole: [i128; 3],
    },
    Finished(WorkRef, &'s LiveWork),
    Refused(&'s LiveWork, RefusalReason),
    Unfinished(&'s LiveWork),
    Requested(InstanceRef, &'s Instance),
    Ready(InstanceRef, &'s Instance),
    /// An instance was warned that it goes at that time.
    Draining(&'s Instance, Time),
    /// It is recommended to leave an instance, which may be warned at that time.
    AtRisk(&'s Instance, Time),
    /// An instance failed by a fault, by its row.
    Failed(InstanceRef, usize),
    Repaired(InstanceRef, &'s Instance),
    /// A fault, by its row, begins or ends.
    Outage(usize, bool),
    /// Tasks are copied to other instances while they compute, or no longer.
    Migrates(AllocationRef, &'s LiveWork, bool),
    /// A fault, by its row, makes tasks on an instance slower, or no longer.
    Slowed {
        instance: InstanceRef,
        slowed: &'s Instance,
        fault: usize,
        begins: bool,
    },
    /// Devices of an instance break by a fault, by its row, or work again.
    Devices {
        instance: InstanceRef,
        struck: &'s Instance,
        fault: usize,
        devices: u32,
        breaks: bool,
    },
    /// An instance that was stopped was requested again, and the ordinal that it had.
    Restarted(&'s Instance, u32),
    /// Tasks that waited on a stopped instance do not go on there: what of their memory counts, and
    /// what is lost, each.
    GivenUp {
        live: &'s LiveWork,
        tasks: u32,
        useful: i128,
        lost: i128,
    },
    Released {
        instance: InstanceRef,
        released: &'s Instance,
        exit: Exit,
        billed: Span,
        amount: Money,
    },
    /// A charge, with the work that caused it and the instance.
    Charged(&'s Charge, Option<&'s LiveWork>, &'s Instance),
    LaunchRefused(Id<Offer>, LaunchRefusal),
    Noted,
}

/// Observer of facts.
pub(super) trait FactObserver {
    /// Takes in a fact of `state.now()`.
    fn see(&mut self, state: &State<'_>, fact: Fact<'_>);
}

impl<'s> Fact<'s> {
    /// Looks up what `record` names. Inlined, so that each place that makes a record looks up only
    /// what that record names.
    #[inline(always)]
    pub(super) fn of(state: &'s State<'_>, record: &'s Record) -> Self {
        match *record {
            Record::Submitted(work) => Self::Submitted(work, state.work(work)),
            Record::Placed(allocation) => Self::Placed(state.allocation(allocation)),
            Record::Started(allocation) => {
                let started = state.allocation(allocation);
                Self::Started(allocation, started, state.work(started.work()))
            }
            Record::Stopped { allocation, ending, useful, lost, overhead } => {
                let stopped = state.allocation(allocation);
                let live = state.work(stopped.work());
                let joint = state.joint_tasks(stopped.work()) > 1;
                let tasks = if joint { 1 } else { stopped.tasks };
                let parts = [useful, lost, overhead];
                let whole = if joint { state.of_all(stopped.work(), parts) } else { parts };
                Self::Stopped {
                    allocation,
                    stopped,
                    live,
                    tasks,
                    ending,
                    useful,
                    lost,
                    overhead,
                    whole,
                }
            }
            Record::Finished(work) => Self::Finished(work, state.work(work)),
            Record::Refused { work, reason } => Self::Refused(state.work(work), reason),
            Record::Unfinished(work) => Self::Unfinished(state.work(work)),
            Record::Requested(instance) => Self::Requested(instance, state.instance(instance)),
            Record::Ready(instance) => Self::Ready(instance, state.instance(instance)),
            Record::Draining { instance, until } => Self::Draining(state.instance(instance), until),
            Record::AtRisk { instance, until } => Self::AtRisk(state.instance(instance), until),
            Record::Failed { instance, fault } => Self::Failed(instance, fault),
            Record::Repaired(instance) => Self::Repaired(instance, state.instance(instance)),
            Record::Outage { fault, begins } => Self::Outage(fault, begins),
            Record::Migrates { allocation, begins } => {
                let work = state.allocation(allocation).work();
                Self::Migrates(allocation, state.work(work), begins)
            }
            Record::Slowed { instance, fault, begins } => {
                Self::Slowed { instance, slowed: state.instance(instance), fault, begins }
            }
            Record::Devices { instance, fault, devices, breaks } => {
                let struck = state.instance(instance);
                Self::Devices { instance, struck, fault, devices, breaks }
            }
            Record::Restarted { instance, was } => Self::Restarted(state.instance(instance), was),
            Record::GivenUp { work, tasks, useful, lost } => {
                Self::GivenUp { live: state.work(work), tasks, useful, lost }
            }
            Record::Released { instance, billed, amount, exit } => {
                let released = state.instance(instance);
                Self::Released { instance, released, exit, billed, amount }
            }
            Record::Charged(ref charge) => {
                let work = charge.work.map(|work| state.work(work));
                Self::Charged(charge, work, state.instance(charge.instance))
            }
            Record::LaunchRefused { offer, why } => Self::LaunchRefused(offer, why),
            Record::Noted(..) => Self::Noted,
        }
    }
}
