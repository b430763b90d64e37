//! Work: what may be seen of it (`Ask`, `WorkKind`) and what is true of it (`WorkBody`).

use std::collections::BTreeMap;

use super::{Checkpoint, Speedup};
use crate::units::{Demand, Id, IdVec, Span, Time};

/// Submitter of work; the key of a cost split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Name in the workload.
    pub name: String,
}

/// Class of work, where the workload has classes: waits are told by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkClass {
    /// Name in the workload.
    pub name: String,
}

/// Place of data: the name of a region (`aws/us-east-1`) or cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// `provider/region`, or a cluster's name.
    pub name: String,
}

/// Kind of a piece of work: the part of its [`WorkBody`] that may be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkKind {
    /// Runs for its runtime on the reference machine, scaled by relative speed.
    #[default]
    Job,
    /// Lives for its lifetime, whatever the machine's speed.
    VirtualMachine,
}

impl WorkKind {
    /// The word of traces and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::VirtualMachine => "virtual machine",
        }
    }

    /// Whether a faster machine is done with it sooner.
    pub const fn scales_with_speed(self) -> bool {
        match self {
            Self::Job => true,
            Self::VirtualMachine => false,
        }
    }

    /// Whether its users are asked for an estimate of its length.
    pub const fn wants_estimate(self) -> bool {
        match self {
            Self::Job => true,
            Self::VirtualMachine => false,
        }
    }

    /// Work of this kind with this length; `None` for work that never ends by itself.
    pub const fn body(self, length: Option<Span>) -> WorkBody {
        match self {
            Self::Job => WorkBody::Job { runtime: length },
            Self::VirtualMachine => WorkBody::VirtualMachine { lifetime: length },
        }
    }
}

/// Body of a piece of work: its kind, with the facts that only the simulator knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkBody {
    /// A job.
    Job {
        /// Runtime of each task on the reference machine, at least zero; `None` if it never ends by
        /// itself.
        runtime: Option<Span>,
    },
    /// A virtual machine.
    VirtualMachine {
        /// Lifetime of each of its machines, at least zero; `None` if it never ends by itself.
        lifetime: Option<Span>,
    },
}

impl Default for WorkBody {
    /// A job that never ends by itself.
    fn default() -> Self {
        Self::Job { runtime: None }
    }
}

impl WorkBody {
    /// The part that may be seen.
    pub const fn kind(self) -> WorkKind {
        match self {
            Self::Job { .. } => WorkKind::Job,
            Self::VirtualMachine { .. } => WorkKind::VirtualMachine,
        }
    }

    /// Runtime on the reference machine, or lifetime; `None` for work that never ends by itself.
    pub const fn length(self) -> Option<Span> {
        match self {
            Self::Job { runtime } => runtime,
            Self::VirtualMachine { lifetime } => lifetime,
        }
    }

    /// The same, to be changed.
    pub const fn length_mut(&mut self) -> &mut Option<Span> {
        match self {
            Self::Job { runtime } => runtime,
            Self::VirtualMachine { lifetime } => lifetime,
        }
    }
}

/// Stable identity of a piece of work: which source, and which row of it
/// (counted from 0 in reading order, before any transformation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId {
    /// Number of the source; repetitions of a trace count as sources.
    pub source: u32,
    /// Row of that source.
    pub ordinal: u64,
}

/// Spread that the tasks of one job must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spread {
    /// Tasks may lie anywhere.
    #[default]
    None,
    /// No two tasks on one instance (anti-affinity).
    Instances,
    /// No two tasks in one zone.
    Zones,
    /// Task counts of any two used zones differ by at most one, over the zones
    /// where the job may run.
    EvenZones,
}

/// Widest site over which the tasks of a gang may lie. An owned cluster is one zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Together {
    /// One zone, on one model of GPU.
    #[default]
    Zone,
    /// One region, on one model of GPU.
    Region,
    /// One provider, on one model of GPU.
    Provider,
    /// Any sites, on any mix of GPUs.
    Anywhere,
}

impl Together {
    /// All sites, the closest first.
    pub const ALL: [Self; 4] = [Self::Zone, Self::Region, Self::Provider, Self::Anywhere];

    /// The word of scenarios and traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::Region => "region",
            Self::Provider => "provider",
            Self::Anywhere => "anywhere",
        }
    }
}

/// Names that are allowed or forbidden. Empty lists restrict nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Filter {
    /// Names that alone are allowed; any where empty.
    pub allowed: Vec<String>,
    /// Names that are never allowed.
    pub forbidden: Vec<String>,
}

impl Filter {
    /// Whether `name` passes.
    pub fn admits(&self, name: &str) -> bool {
        self.admits_where(|listed| listed == name)
    }

    /// Whether a name passes that `is` finds to be a listed one.
    pub fn admits_where(&self, is: impl Fn(&str) -> bool) -> bool {
        (self.allowed.is_empty() || self.allowed.iter().any(|allowed| is(allowed)))
            && !self.forbidden.iter().any(|forbidden| is(forbidden))
    }
}

/// Rules on where work may run, and its speed there. Interned: many jobs share one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rules {
    /// Providers and clusters by name.
    pub providers: Filter,
    /// Regions as `provider/region`.
    pub regions: Filter,
    /// Instance types by name.
    pub types: Filter,
    /// Offers by their full name.
    pub offers: Filter,
    /// Markets by name: `on-demand`, `spot`, `owned`.
    pub markets: Filter,
    /// Data residency: jurisdictions (such as `EU`, `US`) in which the region must lie; any when empty.
    pub jurisdictions: Vec<String>,
    /// Certifications that the region must have, all of them.
    pub certifications: Vec<String>,
    /// GPU models by name (see [`super::GpuModel::answers_to`]); when `allowed` is not
    /// empty, only instances with one of them.
    pub gpu_models: Filter,
    /// Relative speed by GPU model in millionths; replaces the instance type's
    /// speed where the model is listed.
    pub throughput: Vec<(String, u32)>,
    /// Spread of the tasks.
    pub spread: Spread,
    /// Widest site over which a gang may lie; where nothing is said, one zone.
    pub together: Option<Together>,
}

impl Rules {
    /// Widest site over which a gang may lie: one that is spread over zones may lie anywhere
    /// unless something else was said.
    pub fn together(&self) -> Together {
        let spread = matches!(self.spread, Spread::Zones | Spread::EvenZones);
        match self.together {
            Some(Together::Zone) | None if spread => Together::Anywhere,
            together => together.unwrap_or_default(),
        }
    }
}

/// Properties of a piece of work that may be seen when it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Number of tasks, at least 1.
    pub tasks: u32,
    /// A gang starts all tasks together or none; otherwise each on its own.
    pub gang: bool,
    /// Demand of each task.
    pub demand: Demand,
    /// The user's estimate of the runtime on the reference machine, if there is one.
    pub estimate: Option<Span>,
    /// Time by which it should be done, if it has a deadline.
    pub deadline: Option<Time>,
    /// Priority; larger is more important.
    pub priority: i32,
    /// The tenant that submitted it.
    pub tenant: Id<Tenant>,
    /// Class of the work: a row of [`Interner::classes`]. One byte, for there is one per live
    /// piece of work and few classes.
    pub class: u8,
    /// Rules on where it may run.
    pub rules: Id<Rules>,
    /// Home of its data; `None` when it has no data.
    pub home: Option<Id<Home>>,
    /// Bytes that all its tasks together read before they start computing; each
    /// moves its part.
    pub input: i64,
    /// Bytes that all its tasks together write back when they are done.
    pub output: i64,
    /// Whether progress is to survive a preemption; see [`Ask::keeps_progress`].
    pub resumes: bool,
    /// Cost of a checkpoint; `None` where its tasks cannot write any.
    pub checkpoint: Option<Id<Checkpoint>>,
}

impl Ask {
    /// Whether progress survives a preemption. Tasks that start one by one resume each from
    /// where it was, unless they have instances alone, which they share with each other.
    pub const fn keeps_progress(&self) -> bool {
        self.resumes && self.goes_on()
    }

    /// Whether what tasks have saved survives any end of an allocation: what they saved when they were
    /// preempted, and their last checkpoint.
    pub const fn keeps_saved(&self) -> bool {
        (self.resumes || self.checkpoint.is_some()) && self.goes_on()
    }

    /// Whether tasks can go on from where they were.
    const fn goes_on(&self) -> bool {
        self.gang || self.tasks == 1 || !self.demand.exclusive
    }

    /// Part of `bytes` that the first `tasks` of its tasks move, rounded down: parts of tasks
    /// that follow each other add up to all. A gang moves all of it, with however many tasks.
    pub fn part_of(&self, bytes: i64, tasks: u32) -> i64 {
        if tasks == self.tasks || self.gang && tasks > 0 {
            return bytes;
        }
        let part = i128::from(bytes) * i128::from(tasks) / i128::from(self.tasks);
        i64::try_from(part).expect("a part is no more than the whole")
    }
}

impl Default for Ask {
    /// One task that asks nothing.
    fn default() -> Self {
        Self {
            tasks: 1,
            gang: true,
            demand: Demand::default(),
            estimate: None,
            deadline: None,
            priority: 0,
            tenant: Id::new(0),
            class: 0,
            rules: Id::new(0),
            home: None,
            input: 0,
            output: 0,
            resumes: false,
            checkpoint: None,
        }
    }
}

/// One piece of work as a source hands it over. The same value is filled again
/// and again, so that reading allocates nothing per row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Stable identity.
    pub id: WorkId,
    /// Name in the source; empty when it has no name (then the ordinal stands for it).
    pub name: String,
    /// Time at which it is submitted.
    pub arrival: Time,
    /// Properties that may be seen.
    pub ask: Ask,
    /// Fewest tasks with which a gang can run where its policy lets it, each doing the part of those
    /// that are not there; 0 where it needs them all. Seen too, but no part of [`Ask`], of which there
    /// is one per live piece of work.
    pub min_tasks: u32,
    /// How much faster more tasks of such a gang come on. Its runtime is that of all.
    pub speedup: Speedup,
    /// Its kind, with the facts that only the simulator knows.
    pub body: WorkBody,
}

impl Work {
    /// A job of one task that arrives then, asks this and takes `runtime` on the reference machine.
    /// Its user has no estimate; other fields can be set. `ordinal` is its identity.
    pub fn job(ordinal: u64, arrival: Time, demand: Demand, runtime: Span) -> Self {
        Self {
            id: WorkId { source: 0, ordinal },
            name: String::new(),
            arrival,
            ask: Ask { demand, ..Ask::default() },
            min_tasks: 0,
            speedup: Speedup::LINEAR,
            body: WorkBody::Job { runtime: Some(runtime) },
        }
    }

    /// The name, or the ordinal where there is none, with the repetition in front if there is one.
    pub fn label(&self) -> String {
        let name =
            if self.name.is_empty() { self.id.ordinal.to_string() } else { self.name.clone() };
        if self.id.source == 0 { name } else { format!("{}/{name}", self.id.source) }
    }
}

/// The names and checkpoints that asks refer to, interned in reading order. Row 0 of `tenants`
/// is the tenant of work that names none, row 0 of `classes` the class without a
/// name, row 0 of `rules` restricts nothing.
#[derive(Clone, Debug)]
pub struct Interner {
    tenants: IdVec<Tenant>,
    classes: IdVec<WorkClass>,
    homes: IdVec<Home>,
    rules: IdVec<Rules>,
    checkpoints: IdVec<Checkpoint>,
    tenant_ids: BTreeMap<String, Id<Tenant>>,
    home_ids: BTreeMap<String, Id<Home>>,
    rule_ids: BTreeMap<Rules, Id<Rules>>,
    checkpoint_ids: BTreeMap<Checkpoint, Id<Checkpoint>>,
}

impl Default for Interner {
    fn default() -> Self {
        let mut book = Self {
            tenants: IdVec::default(),
            classes: IdVec::default(),
            homes: IdVec::default(),
            rules: IdVec::default(),
            checkpoints: IdVec::default(),
            tenant_ids: BTreeMap::new(),
            home_ids: BTreeMap::new(),
            rule_ids: BTreeMap::new(),
            checkpoint_ids: BTreeMap::new(),
        };
        book.tenant("default");
        book.class("");
        book.rules(&Rules::default());
        book
    }
}

impl Interner {
    /// The id of the tenant called `name`.
    pub fn tenant(&mut self, name: &str) -> Id<Tenant> {
        if let Some(&id) = self.tenant_ids.get(name) {
            return id;
        }
        let id = self.tenants.push(Tenant { name: name.to_owned() });
        self.tenant_ids.insert(name.to_owned(), id);
        id
    }

    /// The row of the class called `name`; work of classes after the first 255 has none.
    pub fn class(&mut self, name: &str) -> u8 {
        let known = self.classes.rows().iter().position(|class| class.name == name);
        let row = known.unwrap_or(self.classes.len());
        let Ok(id) = u8::try_from(row) else { return 0 };
        if known.is_none() {
            self.classes.push(WorkClass { name: name.to_owned() });
        }
        id
    }

    /// The id of the home called `name` (`provider/region` or a cluster).
    pub fn home(&mut self, name: &str) -> Id<Home> {
        if let Some(&id) = self.home_ids.get(name) {
            return id;
        }
        let id = self.homes.push(Home { name: name.to_owned() });
        self.home_ids.insert(name.to_owned(), id);
        id
    }

    /// The id of these rules.
    pub fn rules(&mut self, rules: &Rules) -> Id<Rules> {
        if let Some(&id) = self.rule_ids.get(rules) {
            return id;
        }
        let id = self.rules.push(rules.clone());
        self.rule_ids.insert(rules.clone(), id);
        id
    }

    /// The id of this checkpoint.
    pub fn checkpoint(&mut self, checkpoint: Checkpoint) -> Id<Checkpoint> {
        let checkpoints = &mut self.checkpoints;
        *self.checkpoint_ids.entry(checkpoint).or_insert_with(|| checkpoints.push(checkpoint))
    }

    /// Takes in all names of `other`, in its order. Ids of `other` are then ids
    /// of this book too, where both have been filled from the same source.
    pub fn absorb(&mut self, other: &Self) {
        for tenant in other.tenants.rows() {
            self.tenant(&tenant.name);
        }
        for class in other.classes.rows() {
            self.class(&class.name);
        }
        for home in other.homes.rows() {
            self.home(&home.name);
        }
        for rules in other.rules.rows() {
            self.rules(rules);
        }
        for &checkpoint in other.checkpoints.rows() {
            self.checkpoint(checkpoint);
        }
    }

    /// All tenants so far.
    pub fn tenants(&self) -> &IdVec<Tenant> {
        &self.tenants
    }

    /// All classes so far; the first has no name.
    pub fn classes(&self) -> &IdVec<WorkClass> {
        &self.classes
    }

    /// All homes so far.
    pub fn homes(&self) -> &IdVec<Home> {
        &self.homes
    }

    /// All rules so far.
    pub fn all_rules(&self) -> &IdVec<Rules> {
        &self.rules
    }

    /// All checkpoints so far.
    pub fn checkpoints(&self) -> &IdVec<Checkpoint> {
        &self.checkpoints
    }
}
