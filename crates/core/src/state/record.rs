//! Facts about a run, in the order in which they happen. Observers add them
//! up; nothing else leaves the simulation.

use super::{AllocationRef, Ending, Exit, InstanceRef, WorkRef};
use crate::metering::ShareUsage;
use crate::model::{Offer, Region};
use crate::units::{Id, Money, Span, Time};

/// Reason why a launch was refused: the two call for different answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchRefusal {
    /// A quota is used up; retrying in its scope is useless. The row of `World::quotas`.
    Quota(usize),
    /// The offer has no capacity left; another zone or type may have some.
    Capacity,
    /// The price is above the highest that is paid.
    Price,
    /// Something is out by which nothing of the offer is launched, or others took what there is.
    Outage,
    /// Launches in the region come faster than the provider lets them through.
    Throttle,
    /// A budget has no room for it, and the policy has a cap. The row of `World::budgets`.
    Budget(usize),
}

/// Reason why work ended without being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalReason {
    /// The queue was at its limit when it arrived.
    QueueFull,
    /// The work waited longer than the policy's patience.
    Patience,
    /// No instance or offer that its rules allow could ever hold it.
    NeverFits,
    /// The policy said so.
    Policy,
    /// Its data is lost.
    DataLost,
    /// It lost its place more often than it is tried again.
    Retries,
}

impl RefusalReason {
    /// All reasons, in the order of reports.
    pub const ALL: [Self; 6] = [
        Self::QueueFull,
        Self::Patience,
        Self::NeverFits,
        Self::Policy,
        Self::DataLost,
        Self::Retries,
    ];

    /// The words of reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue full",
            Self::Patience => "patience ran out",
            Self::NeverFits => "fits nowhere",
            Self::Policy => "policy",
            Self::DataLost => "data lost",
            Self::Retries => "retries used up",
        }
    }
}

/// Reason for which work waits on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitReason {
    /// No running instance has room for it, and nothing is rented for it.
    NoRoom,
    /// The policy has no backfilling, and work before it in the queue waits.
    InOrder,
    /// Another piece of work is served first.
    Behind,
    /// Starting it would delay a reservation of work before it.
    Reserved,
    /// The work has not waited long enough for renting to be allowed.
    OverflowLater,
    /// Every offer that fits was refused.
    NothingToRent,
    /// A budget has no room for what would be rented.
    OverBudget,
    /// The provision part lets it wait for spot.
    ForSpot,
    /// The shift part holds it until a better time.
    Shifted,
    /// It lost its place, and the recover part tries it again later.
    BackingOff,
    /// Its instance was stopped, and it waits for that to start again.
    Stopped,
    /// The work has its place and waits for instances to boot.
    Booting,
    /// The policy gave no reason.
    Unsaid,
}

impl WaitReason {
    /// All reasons.
    pub const ALL: [Self; 13] = [
        Self::NoRoom,
        Self::InOrder,
        Self::Behind,
        Self::Reserved,
        Self::OverflowLater,
        Self::NothingToRent,
        Self::OverBudget,
        Self::ForSpot,
        Self::Shifted,
        Self::BackingOff,
        Self::Stopped,
        Self::Booting,
        Self::Unsaid,
    ];

    /// The words of reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRoom => "no instance had room",
            Self::InOrder => "nobody may pass the first of the queue",
            Self::Behind => "other work was served first",
            Self::Reserved => "starting it would have delayed a reservation",
            Self::OverflowLater => "it had not waited long enough to rent",
            Self::NothingToRent => "nothing that fits could be rented",
            Self::OverBudget => "a budget had no room for what would be rented",
            Self::ForSpot => "it had time to wait for spot",
            Self::Shifted => "its policy held it until a better time",
            Self::BackingOff => "it lost its place, and its policy tried it again later",
            Self::Stopped => "its instance was stopped, and it waited for that to start again",
            Self::Booting => "its instances were booting",
            Self::Unsaid => "the policy gave no reason",
        }
    }
}

/// Reason for which work waits on, and what its policy foresees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Reason of the wait.
    pub reason: WaitReason,
    /// Pieces of work before it in the queue.
    pub ahead: u32,
    /// The first of the queue, where that is another one.
    pub first: Option<WorkRef>,
    /// Time at which it is to start by the estimates, where it holds a reservation.
    pub promised: Option<Time>,
    /// The same of the first of the queue.
    pub first_promised: Option<Time>,
    /// Time from which instances may be rented for it, where that is still to come.
    pub rents: Option<Time>,
}

impl Wait {
    /// A wait with nothing but a reason.
    pub const fn of(reason: WaitReason) -> Self {
        Self { reason, ahead: 0, first: None, promised: None, first_promised: None, rents: None }
    }
}

/// Reason for which an offer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferRejection {
    /// The work's rules do not allow it.
    NotAllowed,
    /// No instance of it is large enough.
    TooSmall,
    /// It is of the own machines, which nobody rents.
    Owned,
    /// Its market is not among the policy's.
    Market,
    /// The offer is not among those that the policy rents.
    Scope,
    /// The launch would be refused.
    Launch(LaunchRefusal),
    /// Some launches would be accepted, fewer than the work needs at once; holds the refusal of the
    /// next.
    TooFew(LaunchRefusal),
    /// The policy itself may rent no more than this many instances at once.
    MaxInstances(u32),
    /// It lies outside the site in which instances hold tasks of the work already.
    Apart,
    /// Another offer scores better; the cost is the expected cost of the work there.
    Dearer,
}

/// Expected cost of work on an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedCost {
    /// Cost of the instances to rent, and of moving the data of their tasks.
    pub cost: Money,
    /// Instances that would be rented.
    pub instances: u32,
    /// Instances that are there and hold the other tasks of the work.
    pub there: u32,
}

/// A reason, kept on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionNote {
    /// The work waits on.
    Waits(Wait),
    /// An offer was weighed and not taken.
    OfferRejected {
        /// The offer that was weighed.
        offer: Id<Offer>,
        /// Reason for which it was not taken.
        why: OfferRejection,
        /// Expected cost of the work there, where it was worked out.
        expected: Option<ExpectedCost>,
    },
    /// The work lost its place, and may be placed only in some until then.
    KeptTo {
        /// Offer on which it ran.
        from: Id<Offer>,
        /// Places where it may be placed, in words that follow "only".
        only: &'static str,
        /// Time from which on it may be placed anywhere again.
        until: Time,
    },
    /// An offer was rented for the work.
    OfferChosen {
        /// The offer that was rented.
        offer: Id<Offer>,
        /// Expected cost of the work there.
        expected: ExpectedCost,
    },
}

/// Purpose of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChargeKind {
    /// Instance time held by work.
    Work,
    /// Instance time before it was ready.
    Boot,
    /// Instance time held by no work, and what rounding rules add.
    Idle,
    /// Moving data.
    Transfer,
}

impl ChargeKind {
    /// The word of reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Boot => "boot",
            Self::Idle => "idle",
            Self::Transfer => "transfer",
        }
    }
}

/// A charge: a line of the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Purpose of the charge.
    pub kind: ChargeKind,
    /// Money charged.
    pub amount: Money,
    /// The instance it was charged on.
    pub instance: InstanceRef,
    /// Region whose provider bills it: the instance's, or, for a transfer, the region that the
    /// data leaves.
    pub region: Id<Region>,
    /// Region that the data goes to; the same one for anything but a transfer.
    pub to: Id<Region>,
    /// The work that caused it; `None` for boot and idle time.
    pub work: Option<WorkRef>,
    /// Start of the charged period.
    pub from: Time,
    /// Its end, exclusive.
    pub until: Time,
    /// Bytes moved; 0 unless this is a transfer.
    pub bytes: i64,
    /// Share of the instance that the work used; `None` for anything else.
    pub share: Option<ShareUsage>,
}

/// Record of a fact. Everything it names is still alive in the state that comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Work was submitted.
    Submitted(WorkRef),
    /// Tasks got their instances; they start when all of those are ready.
    Placed(AllocationRef),
    /// Tasks started.
    Started(AllocationRef),
    /// Tasks stopped. Progress is per task, in millionths of a microsecond on
    /// the reference machine.
    Stopped {
        /// The tasks that stopped.
        allocation: AllocationRef,
        /// End of these tasks.
        ending: Ending,
        /// Progress that counts.
        useful: i128,
        /// Progress that has to be made again.
        lost: i128,
        /// Progress that was not made, as the tasks read or wrote checkpoints instead.
        overhead: i128,
    },
    /// All tasks of the work are done.
    Finished(WorkRef),
    /// The work ended without being done.
    Refused {
        /// The work that ended.
        work: WorkRef,
        /// Reason of the refusal.
        reason: RefusalReason,
    },
    /// The run ended before the work did.
    Unfinished(WorkRef),
    /// An instance was requested.
    Requested(InstanceRef),
    /// The instance is ready for work.
    Ready(InstanceRef),
    /// The instance takes no more work and goes at `until`.
    Draining {
        /// The instance that was warned.
        instance: InstanceRef,
        /// Time at which it goes.
        until: Time,
    },
    /// The provider recommends to leave an instance: it is warned at `until` if there is no capacity for
    /// it then.
    AtRisk {
        /// The instance.
        instance: InstanceRef,
        /// Time at which it may be warned.
        until: Time,
    },
    /// The instance failed: it is down until it is repaired, or gone.
    Failed {
        /// The instance that failed.
        instance: InstanceRef,
        /// Row of the fault in the world.
        fault: usize,
    },
    /// The instance works again.
    Repaired(InstanceRef),
    /// A fault that takes more than single machines begins or ends.
    Outage {
        /// Row of the fault in the world.
        fault: usize,
        /// Whether it begins.
        begins: bool,
    },
    /// The memory of tasks is copied to other instances while they compute, or no longer.
    Migrates {
        /// The allocation whose tasks they are.
        allocation: AllocationRef,
        /// Whether that begins.
        begins: bool,
    },
    /// A fault makes tasks on the instance slower from now on, or no longer.
    Slowed {
        /// The instance.
        instance: InstanceRef,
        /// Row of the fault in the world.
        fault: usize,
        /// Whether it begins.
        begins: bool,
    },
    /// GPU devices of the instance break, while it goes on, or work again.
    Devices {
        /// The instance.
        instance: InstanceRef,
        /// Row of the fault in the world.
        fault: usize,
        /// Devices that worked before, or that work now, as a bit set.
        devices: u32,
        /// Whether they break.
        breaks: bool,
    },
    /// An instance that was stopped is requested again, under another ordinal: told before the request.
    Restarted {
        /// The instance now.
        instance: InstanceRef,
        /// Ordinal that it had before.
        was: u32,
    },
    /// Tasks of work that waited on a stopped instance do not go on there. Progress is per task.
    GivenUp {
        /// Work that they belong to.
        work: WorkRef,
        /// Number of tasks.
        tasks: u32,
        /// Progress in memory that counts, as the run is over.
        useful: i128,
        /// Progress in memory that has to be made again.
        lost: i128,
    },
    /// The life of the instance is over.
    Released {
        /// The instance that was released.
        instance: InstanceRef,
        /// Billed time, by the provider's rule.
        billed: Span,
        /// Its bill in all.
        amount: Money,
        /// End of its life.
        exit: Exit,
    },
    /// A line of the bill.
    Charged(Charge),
    /// A launch was refused.
    LaunchRefused {
        /// The offer that was asked for.
        offer: Id<Offer>,
        /// Reason of the refusal.
        why: LaunchRefusal,
    },
    /// A reason of the policy, kept on request.
    Noted(WorkRef, DecisionNote),
}
