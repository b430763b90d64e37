//! The messages of the protocol, one JSON object per line. Both sides are
//! here, so that a policy written in Rust can use the same types.
//!
//! Times and spans are whole microseconds, times on the run's clock; cores are
//! thousandths, memory is MiB, shares of a GPU are thousandths; speeds are
//! millionths of the reference machine. Numbers of work and allocations count
//! from 0 in the order of submission and placement; instances have the number
//! of their launch. Empty lists may be left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version that both sides must speak. Fields may be added within a
/// version: a policy ignores those that it does not know.
pub const PROTOCOL: u32 = 1;

/// Message that windtunnel sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Introduction, sent once before all calls.
    Hello(Box<Hello>),
    /// A question, with what has happened since the last one.
    Call(Box<CallMessage>),
}

/// Message that the policy sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Answer to the hello.
    Ready(Ready),
    /// Answer to a call.
    Answer(Box<CallAnswer>),
}

/// Facts that are known from the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// See [`PROTOCOL`].
    pub protocol: u32,
    /// Part that the process is to decide: `policy`, or the name of a part.
    pub serves: String,
    /// Seed for a policy that wants randomness; below 2^53, derived from the run's seed.
    pub seed: u64,
    /// Time at which the run's clock starts; zero, or less where work arrives earlier.
    pub now: i64,
    /// The calendar instant of time 0, in UTC.
    pub start: String,
    /// The world: what can be used and rented.
    pub world: WorldMessage,
}

/// The world, by stable names: what can be used and rented.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorldMessage {
    /// Regions and clusters.
    pub regions: Vec<RegionMessage>,
    /// Instance types, each of a region's provider.
    pub types: Vec<InstanceTypeMessage>,
    /// Offers that can be rented, or are owned.
    pub offers: Vec<OfferMessage>,
    /// Limits on what may be rented at once.
    #[serde(default)]
    pub quotas: Vec<QuotaMessage>,
    /// Moving data between regions, where that costs money or time.
    #[serde(default)]
    pub links: Vec<LinkMessage>,
    /// Budgets: what is meant to be spent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetMessage>,
    /// Commitments and kept capacity that are known, in the order in which they cover what runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<CommitmentMessage>,
}

/// A commitment, or capacity that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitmentMessage {
    /// Name in the scenario.
    pub name: String,
    /// First moment at which it covers anything, in microseconds.
    pub from: i64,
    /// End of its term.
    pub until: i64,
    /// Whether it is capacity that is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
    /// Amount that it covers at once: units, or US dollars an hour of a plan.
    pub amount: f64,
    /// What one instance of an offer takes of it.
    pub takes: Vec<TakeMessage>,
}

/// What one instance takes of a commitment: units, or of a plan the lower of a price and a share of the
/// price of the moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TakeMessage {
    /// Row of the offer.
    pub offer: u32,
    /// Units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<f64>,
    /// US dollars an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// Share of the price, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// A budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetMessage {
    /// Name in the scenario.
    pub name: String,
    /// US dollars for one period.
    pub limit: f64,
    /// `hour`, `day`, `week`, `month`, `run` or a span in words.
    pub period: String,
    /// Provider or cluster whose charges count; without it and without a tenant all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Tenant whose work counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// How a budget stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandingMessage {
    /// Name of the budget.
    pub name: String,
    /// US dollars spent in the current period, at list prices.
    pub spent: f64,
    /// US dollars an hour that are spent now.
    pub pace: f64,
    /// Beginning of the period, or of the run.
    pub from: i64,
    /// End of the period, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// US dollars of the whole period if it goes on as so far, after its first tenth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<f64>,
}

/// A region, or an owned cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionMessage {
    /// `provider/region`, or the cluster's name.
    pub name: String,
    /// Provider or cluster that it belongs to.
    pub provider: String,
    /// Law that holds there.
    pub jurisdiction: String,
    /// Certifications, such as `iso27001`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certifications: Vec<String>,
}

/// A size of machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceTypeMessage {
    /// The provider's own name.
    pub name: String,
    /// Milli-cores for work.
    pub cpu: u32,
    /// MiB for work.
    pub memory: u32,
    /// GPU devices.
    pub gpus: u8,
    /// Model of the GPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_model: Option<String>,
    /// Speed in millionths of the reference machine.
    pub speed: u32,
}

/// Offer that can be rented, or is owned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfferMessage {
    /// Its full, unique name.
    pub name: String,
    /// The name of its region.
    pub region: String,
    /// The zone, by the provider's own name.
    pub zone: String,
    /// Row of `types`.
    pub r#type: u32,
    /// `on-demand`, `spot` or `owned`.
    pub market: String,
    /// Price now, in US dollars per hour.
    pub price: f64,
    /// Most instances at once; unlimited without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Mean time from request to ready, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<i64>,
}

/// A limit on what may be rented at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuotaMessage {
    /// Name in the scenario.
    pub name: String,
    /// `instances`, `cpu` (milli-cores of whole machines) or `gpus`.
    pub unit: String,
    /// Most of it at once.
    pub limit: u64,
    /// Rows of `offers` that count.
    pub offers: Vec<u32>,
}

/// Moving data from one region to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkMessage {
    /// Row of `regions`.
    pub from: u32,
    /// Row of `regions`.
    pub to: u32,
    /// US dollars per GiB.
    pub price: f64,
    /// Bytes per second; 0 is unlimited.
    pub speed: i64,
}

/// A question, with what has happened since the last one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallMessage {
    /// Counts from 1. The answer names it.
    pub number: u64,
    /// Time of the question, in microseconds.
    pub now: i64,
    /// Events since the last call, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<EventMessage>,
    /// Forget all instances: those that follow are all there are.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reset: bool,
    /// Instances that are new or changed since the last call, as they are now.
    /// In the middle of a decision this includes what was placed just before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<InstanceMessage>,
    /// Instances that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<u32>,
    /// How the budgets stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<StandingMessage>,
    /// Where any were bought since the last call, or are worth another amount: all commitments and
    /// kept capacity that are known now and not over, in place of those before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<CommitmentMessage>,
    /// The question.
    pub ask: Question,
}

/// An instance as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceMessage {
    /// Number of the instance; the older instance has the lower one.
    pub instance: u32,
    /// The name of its offer.
    pub offer: String,
    /// Booting: what is placed on it starts when it is ready.
    #[serde(default, skip_serializing_if = "is_false")]
    pub booting: bool,
    /// Time at which it goes, where the provider takes it back: nothing more is placed on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Free milli-cores.
    pub cpu: u32,
    /// Free MiB.
    pub memory: u32,
    /// Free thousandths by GPU device: 0 of one that is broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<u16>,
    /// Numbers of the devices that are broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<u8>,
    /// Number of allocations on it.
    pub allocations: u32,
}

/// Event of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventMessage {
    /// Rules of work, before the first work that has them.
    Rules(RulesMessage),
    /// Work was submitted.
    Submitted(Box<Submitted>),
    /// Tasks got their instances: of a gang all that it runs with, which may be fewer than it asked for.
    Placed(Placed),
    /// Tasks started.
    Started(Allocated),
    /// Tasks are done.
    Done(Allocated),
    /// Tasks lost their instances and wait again.
    Preempted(Allocated),
    /// Tasks lost an instance to the provider and wait again.
    Interrupted(Allocated),
    /// Tasks failed, or an instance of theirs, and wait again.
    Failed(Allocated),
    /// Tasks left their instances for others and wait for them.
    Migrated(Allocated),
    /// Tasks are not wanted any more.
    Cancelled(Allocated),
    /// All tasks of the work are done; its number means nothing any more.
    Finished(Ended),
    /// Work was turned away; its number means nothing any more.
    Refused(Ended),
    /// An instance was requested.
    Requested(InstanceChange),
    /// An instance is ready for work.
    Ready(InstanceChange),
    /// The provider takes an instance back: it takes no more work.
    Draining(InstanceChange),
    /// The provider recommends to leave an instance: it may be warned soon.
    AtRisk(InstanceChange),
    /// An instance was given back.
    Released(InstanceChange),
    /// The provider has taken an instance back.
    Reclaimed(InstanceChange),
    /// An instance failed. A rented one is gone; an owned one is there again when it is repaired.
    Broken(InstanceChange),
    /// An owned instance works again.
    Repaired(InstanceChange),
    /// GPU devices of an instance broke: the tasks on them failed, and the instance goes on. Those of a
    /// rented one never work again.
    DevicesBroken(DeviceChange),
    /// GPU devices of an owned instance work again.
    DevicesRepaired(DeviceChange),
    /// A part of the world is out, or is there again.
    Outage(OutageMessage),
    /// A launch was refused.
    LaunchRefused(LaunchRefused),
    /// An offer has a new price.
    PriceChanged(PriceChanged),
}

/// An outage that begins or ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutageMessage {
    /// Simulated time.
    pub at: i64,
    /// Name of the outage.
    pub name: String,
    /// Whether it begins.
    pub begins: bool,
}

/// Rules on where work may run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RulesMessage {
    /// Number of these rules, which submissions refer to.
    pub rules: u32,
    /// The names of the offers that are allowed; every offer without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Vec<String>>,
    /// Spread of tasks: `none`, `instances`, `zones`, `even-zones`.
    pub spread: String,
    /// Widest site of a gang: `region`, `provider` or `anywhere`; `zone` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<String>,
    /// Speed of jobs by offer, where it is not that of the type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub speeds: BTreeMap<String, u32>,
}

/// Properties of work that may be seen, when it is submitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    /// Time of the submission.
    pub at: i64,
    /// Number of the work.
    pub work: u64,
    /// The row of the workload that it is.
    pub ordinal: u64,
    /// The source: 0, or the repetition of the workload.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub source: u32,
    /// Virtual machine: it lives for a time, whatever the machine's speed; otherwise a job.
    #[serde(default, skip_serializing_if = "is_false")]
    pub machine: bool,
    /// Number of tasks.
    pub tasks: u32,
    /// Fewest tasks with which a gang can go on after it lost its place; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_tasks: Option<u32>,
    /// Gang: all tasks start together, or none.
    pub gang: bool,
    /// Milli-cores per task.
    pub cpu: u32,
    /// MiB per task.
    pub memory: u32,
    /// GPU devices per task.
    #[serde(default, skip_serializing_if = "is_zero_gpus")]
    pub gpus: u8,
    /// Thousandths of each of these devices.
    #[serde(default, skip_serializing_if = "is_zero_share")]
    pub gpu_share: u16,
    /// Exclusive use of its instances: its tasks share them, nothing else does.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclusive: bool,
    /// The user's estimate of the runtime on the reference machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<i64>,
    /// Time by which it should be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<i64>,
    /// Priority; larger is more important.
    pub priority: i32,
    /// The tenant that submitted it.
    pub tenant: String,
    /// Number of the rules on where it may run.
    pub rules: u32,
    /// The region of its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Bytes read before it computes.
    #[serde(default, skip_serializing_if = "is_zero_bytes")]
    pub input: i64,
    /// Bytes written when it is done.
    #[serde(default, skip_serializing_if = "is_zero_bytes")]
    pub output: i64,
    /// Progress survives a preemption.
    #[serde(default, skip_serializing_if = "is_false")]
    pub resumes: bool,
    /// Cost of a checkpoint, if it can write any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointMessage>,
}

/// Cost of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointMessage {
    /// Time to write one.
    pub write: i64,
    /// Tasks stand still meanwhile.
    pub blocking: bool,
    /// Time to read one.
    pub restore: i64,
}

/// Tasks got their instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// Time of the placement.
    pub at: i64,
    /// The number of these tasks together.
    pub allocation: u64,
    /// The work that they belong to.
    pub work: u64,
    /// Instances that they are on.
    pub on: Vec<ShareMessage>,
}

/// Tasks of an event, which are placed or were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocated {
    /// Time of the event.
    pub at: i64,
    /// The number of these tasks together.
    pub allocation: u64,
    /// The work that they belong to.
    pub work: u64,
}

/// The end of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Time of the end.
    pub at: i64,
    /// The work that ended.
    pub work: u64,
}

/// Change of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceChange {
    /// Time of the change.
    pub at: i64,
    /// The instance that changed.
    pub instance: u32,
    /// Its offer.
    pub offer: String,
}

/// Change of devices of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceChange {
    /// Time of the change.
    pub at: i64,
    /// The instance that they belong to.
    pub instance: u32,
    /// Its offer.
    pub offer: String,
    /// Their numbers.
    pub devices: Vec<u8>,
}

/// A launch was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaunchRefused {
    /// Time of the refusal.
    pub at: i64,
    /// The offer that was asked for.
    pub offer: String,
    /// The quota that is used up; without it and without an outage, the offer has no capacity left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<String>,
    /// The budget that has no room for it, where the policy has a cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// Whether an outage refuses it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outage: bool,
}

/// An offer has a new price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceChanged {
    /// Time of the change.
    pub at: i64,
    /// The offer whose price changed.
    pub offer: String,
    /// US dollars per hour.
    pub price: f64,
}

/// Question to the policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// All decisions, asked of a whole policy. Answered by `actions`.
    Decide {
        /// Triggers of this moment.
        triggers: Vec<TriggerMessage>,
    },
    /// Allocations that must yield so that the work fits. Answered by `preempt`.
    Preempt {
        /// Work that does not fit.
        work: u64,
    },
    /// Admission of arrivals. Answered by `refuse`.
    Admit {
        /// The arrivals.
        work: Vec<u64>,
        /// Number of those that wait already.
        waiting: u64,
    },
    /// Order of waiting work. Answered by `scores`.
    Order {
        /// Work that needs a score.
        work: Vec<u64>,
    },
    /// Instances on which tasks are placed. Answered by `on`.
    Place {
        /// The work that is to be placed.
        work: u64,
        /// Its waiting tasks.
        tasks: u32,
        /// Instances with room on which the spread of its tasks allows none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_on: Vec<u32>,
    },
    /// Work that may overtake. Answered by `overtake`.
    Backfill {
        /// The first in the queue, which does not fit.
        head: u64,
        /// Work that waits behind it, in order.
        waiting: Vec<u64>,
    },
    /// Offers to rent. Answered by `rent`, or by `wake` for later.
    Provision {
        /// Work that fits nowhere; `None` when the run begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        work: Option<u64>,
        /// Its waiting tasks.
        tasks: u32,
    },
    /// Instances that go back. Answered by `release` and `wake`.
    Release {
        /// Rented instances that are ready and empty.
        idle: Vec<u32>,
    },
    /// No question: a lot has happened since the last call.
    Nothing {},
}

impl Question {
    /// Fields of an answer that answer the question.
    pub const fn answered_by(&self) -> &'static [&'static str] {
        match self {
            Self::Decide { .. } => &["actions"],
            Self::Preempt { .. } => &["preempt"],
            Self::Admit { .. } => &["refuse"],
            Self::Order { .. } => &["scores"],
            Self::Place { .. } => &["on"],
            Self::Backfill { .. } => &["overtake"],
            Self::Provision { .. } => &["rent", "wake"],
            Self::Release { .. } => &["release", "wake"],
            Self::Nothing {} => &[],
        }
    }
}

/// Trigger of this moment, for a whole policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerMessage {
    /// The run begins; owned instances are running.
    Begins,
    /// Work was submitted.
    Arrived(u64),
    /// Tasks of the work wait again.
    Eligible {
        /// Work whose tasks wait.
        work: u64,
        /// Reason: `preempted`, or one that later versions add.
        why: String,
    },
    /// Tasks of the work are done and their resources free.
    Freed(u64),
    /// An instance is ready.
    Ready(u32),
    /// Tasks of the work that a stopped instance kept have their place there again.
    Resumed(u64),
    /// The work has ended without being done: its data is lost.
    Cancelled(u64),
    /// A rented instance holds no work any more.
    Idle(u32),
    /// The provider takes the instance back: it takes no more work.
    Draining(u32),
    /// The provider recommends to leave the instance.
    AtRisk(u32),
    /// An instance of the offer is gone, and the policy did not give it back.
    Lost(String),
    /// Prices of offers changed; the records of this call say which.
    PricesChanged,
    /// The time for which the policy asked has come.
    Timer,
    /// Preemptions by the policy itself are in effect.
    Acted,
    /// A launch of its last answer was refused. The record follows in the next call.
    LaunchRefused(LaunchRefused),
}

/// Answer to the hello.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// See [`PROTOCOL`].
    pub protocol: u32,
}

/// Answer to a call: its number, and what the question asks for. Nothing means:
/// nothing now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallAnswer {
    /// The number of the call.
    pub number: u64,
    /// Actions of a whole policy, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// Allocations that lose their instances, the first to yield in front.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preempt: Vec<u64>,
    /// Arrivals that are turned away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refuse: Vec<u64>,
    /// Scores by work, the smallest is served first. All the work that was
    /// named needs one; other waiting work may get a new one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<u64, f64>,
    /// Instances that the tasks go to; empty if they fit nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<ShareMessage>,
    /// Work that is tried next, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overtake: Vec<u64>,
    /// Names of offers to rent one instance of, each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rent: Vec<String>,
    /// Instances that go back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub release: Vec<u32>,
    /// Time at which the policy is to be asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake: Option<i64>,
}

impl CallAnswer {
    /// A field that says something, though it does not answer `question`.
    pub fn stray(&self, question: &Question) -> Option<&'static str> {
        let given = [
            ("actions", !self.actions.is_empty()),
            ("preempt", !self.preempt.is_empty()),
            ("refuse", !self.refuse.is_empty()),
            ("scores", !self.scores.is_empty()),
            ("on", !self.on.is_empty()),
            ("overtake", !self.overtake.is_empty()),
            ("rent", !self.rent.is_empty()),
            ("release", !self.release.is_empty()),
            ("wake", self.wake.is_some()),
        ];
        let asked = question.answered_by();
        given
            .into_iter()
            .find(|(name, given)| *given && !asked.contains(name))
            .map(|(name, _)| name)
    }
}

/// Action of a whole policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Places waiting tasks as one allocation: all of it or nothing.
    Place {
        /// The work whose tasks are placed.
        work: u64,
        /// Instances that they go to.
        on: Vec<ShareMessage>,
    },
    /// Requests an instance.
    Rent {
        /// The name of the offer.
        offer: String,
        /// A name for it, to place work on it in the same answer.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Gives back an empty rented instance.
    Release {
        /// The instance that is given back.
        instance: u32,
    },
    /// Takes its instances from an allocation; the tasks wait again.
    Preempt {
        /// The allocation that is preempted.
        allocation: u64,
    },
    /// Moves the tasks of an allocation, which compute, to other instances that are ready.
    Migrate {
        /// The allocation whose tasks move.
        allocation: u64,
        /// Instances that they go to, for all of them.
        on: Vec<ShareMessage>,
        /// They compute on while their memory is copied.
        #[serde(default, skip_serializing_if = "is_false")]
        live: bool,
    },
    /// Turns waiting work away.
    Refuse {
        /// The work that is turned away.
        work: u64,
    },
    /// Asks to be asked again.
    Wake {
        /// Time at which it is asked; later than now.
        at: i64,
    },
}

/// Tasks on one instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareMessage {
    /// The number of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<u32>,
    /// Name given to an instance rented in this answer, in place of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rented: Option<String>,
    /// Number of tasks.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub tasks: u32,
    /// The GPU devices by number; without it, the fullest that have room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<u8>>,
}

impl ShareMessage {
    /// A share of this many tasks on that instance.
    pub const fn on(instance: u32, tasks: u32) -> Self {
        Self { instance: Some(instance), rented: None, tasks, devices: None }
    }
}

const fn one() -> u32 {
    1
}

const fn is_one(tasks: &u32) -> bool {
    *tasks == 1
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}

const fn is_zero(number: &u32) -> bool {
    *number == 0
}

const fn is_zero_gpus(number: &u8) -> bool {
    *number == 0
}

const fn is_zero_share(number: &u16) -> bool {
    *number == 0
}

const fn is_zero_bytes(number: &i64) -> bool {
    *number == 0
}
