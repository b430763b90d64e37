//! Specification of a composed policy: one value per question, as data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{
    PolicyFactory, backfill, cap, checkpoint, order, place, preempt, provision, recover, release,
    shift,
};
use crate::purchase;
use crate::units::Span;

pub use super::admit::AdmitSpec;
pub use super::backfill::BackfillSpec;
pub use super::cap::CapSpec;
pub use super::checkpoint::CheckpointSpec;
pub use super::order::OrderSpec;
pub use super::place::{GpuMachines, Narrow, PlaceSpec};
pub use super::preempt::PreemptSpec;
pub use super::provision::{ProvisionSpec, Reach};
pub use super::recover::RecoverSpec;
pub use super::release::ReleaseSpec;
pub use super::scope::OfferScope;
pub use super::shift::ShiftSpec;
pub use crate::part::{DemandMix, PartSpec};
pub use crate::purchase::PurchaseSpec;
pub use crate::units::Scalar;

/// A composed policy: one part per question.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySpec {
    /// Name in the scenario.
    pub name: String,
    /// Preempt part: who must yield.
    pub preempt: PreemptSpec,
    /// Admit part: who is let in.
    pub admit: AdmitSpec,
    /// Shift part: when work that may wait starts.
    pub shift: ShiftSpec,
    /// Order part: who is next.
    pub order: OrderSpec,
    /// Place part: on which instance tasks go.
    pub place: PlaceSpec,
    /// Instances that the place part looks at, and which of them first.
    pub narrow: Narrow,
    /// Backfill part: who may overtake.
    pub backfill: BackfillSpec,
    /// Provision part: what is rented, and where.
    pub provision: ProvisionSpec,
    /// Cap part: what is not rented, for the sake of budgets.
    pub cap: CapSpec,
    /// Release part: when a rented instance is given back.
    pub release: ReleaseSpec,
    /// Checkpoint part: when progress is saved.
    pub checkpoint: CheckpointSpec,
    /// Recover part: what becomes of work that lost its place.
    pub recover: RecoverSpec,
    /// Commit part: what is bought of the commitments that are for sale, while the run goes on.
    pub commit: PurchaseSpec,
    /// Published simulator whose decisions are followed, where they differ from ours.
    pub compatibility: Option<Compatibility>,
    /// Processes that decide instead, by part.
    pub external: BTreeMap<PolicyPart, External>,
    /// Factory of a Rust type that decides all instead; then the parts say nothing.
    pub factory: Option<PolicyFactory>,
}

/// Question that a policy answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyPart {
    /// All questions.
    Whole,
    /// Allocations that must yield.
    Preempt,
    /// Work that is let in.
    Admit,
    /// Work that is held until a better time.
    Shift,
    /// Order in which work is served.
    Order,
    /// Instances on which tasks are placed.
    Place,
    /// Work that may overtake.
    Backfill,
    /// Offers to rent.
    Provision,
    /// Launches to forgo, for the sake of budgets.
    Cap,
    /// Instances to give back, and when.
    Release,
    /// Checkpoints to write, and when.
    Checkpoint,
    /// Work that lost its place, and where it is tried again.
    Recover,
    /// Commitments to buy.
    Commit,
}

impl PolicyPart {
    /// The parts of a composed policy that another process can decide, in the order in which they are
    /// asked.
    pub const OUTSIDE: [Self; 7] = [
        Self::Preempt,
        Self::Admit,
        Self::Order,
        Self::Place,
        Self::Backfill,
        Self::Provision,
        Self::Release,
    ];

    /// The word of scenarios and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "policy",
            Self::Preempt => "preempt",
            Self::Admit => "admit",
            Self::Shift => "shift",
            Self::Order => "order",
            Self::Place => "place",
            Self::Backfill => "backfill",
            Self::Provision => "provision",
            Self::Cap => "cap",
            Self::Release => "release",
            Self::Checkpoint => "checkpoint",
            Self::Recover => "recover",
            Self::Commit => "commit",
        }
    }
}

/// A process that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// The program and its arguments; at least the program.
    pub command: Vec<String>,
    /// Folder in which it runs, and from which a relative path of the program starts: the
    /// scenario's.
    pub folder: PathBuf,
    /// Longest time for one answer, on the wall's clock.
    pub deadline: Span,
    /// Most bytes of one answer.
    pub max_answer: u64,
}

impl External {
    /// Longest time for one answer, where nothing else is said.
    pub const DEADLINE: Span = Span::from_secs(10);
    /// Most bytes of one answer, where nothing else is said.
    pub const MAX_ANSWER: u64 = 16 << 20;

    /// `command`, run in `folder`, with the default limits.
    pub const fn new(command: Vec<String>, folder: PathBuf) -> Self {
        Self { command, folder, deadline: Self::DEADLINE, max_answer: Self::MAX_ANSWER }
    }

    /// The program and its arguments as paths: of the files among them the program is made.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.command.iter().map(|word| self.folder.join(word))
    }
}

impl PolicySpec {
    /// First come first served, first fit, nothing rented, nothing overtakes.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            preempt: preempt::NONE.spec(),
            admit: AdmitSpec::default(),
            shift: shift::NOW.spec(),
            order: order::FCFS.spec(),
            place: place::FIRST_FIT.spec(),
            narrow: Narrow::default(),
            backfill: backfill::NONE.spec(),
            provision: provision::OWNED_ONLY.spec(),
            cap: cap::NONE.spec(),
            release: release::IDLE.spec(),
            checkpoint: checkpoint::NEVER.spec(),
            commit: purchase::NONE.spec(),
            recover: recover::ANYWHERE.spec(),
            compatibility: None,
            external: BTreeMap::new(),
            factory: None,
        }
    }

    /// A policy that is a Rust type.
    pub fn made_by(name: &str, factory: PolicyFactory) -> Self {
        Self { factory: Some(factory), ..Self::named(name) }
    }

    /// The first part of it that is a row of the user's own, with the name of the row. Nothing says
    /// what such a part does, so a scenario takes it with a version only: see
    /// [`PolicyFactory`].
    pub fn own_part(&self) -> Option<(PolicyPart, &'static str)> {
        let own = [
            (PolicyPart::Preempt, self.preempt.name(), self.preempt.is_none_of(preempt::PARTS)),
            (PolicyPart::Shift, self.shift.name(), self.shift.is_none_of(shift::PARTS)),
            (PolicyPart::Order, self.order.name(), self.order.is_none_of(order::PARTS)),
            (PolicyPart::Place, self.place.name(), self.place.is_none_of(place::PARTS)),
            (PolicyPart::Backfill, self.backfill.name(), self.backfill.is_none_of(backfill::PARTS)),
            (
                PolicyPart::Provision,
                self.provision.name(),
                self.provision.is_none_of(provision::PARTS),
            ),
            (PolicyPart::Cap, self.cap.name(), self.cap.is_none_of(cap::PARTS)),
            (PolicyPart::Release, self.release.name(), self.release.is_none_of(release::PARTS)),
            (
                PolicyPart::Checkpoint,
                self.checkpoint.name(),
                self.checkpoint.is_none_of(checkpoint::PARTS),
            ),
            (PolicyPart::Recover, self.recover.name(), self.recover.is_none_of(recover::PARTS)),
            (PolicyPart::Commit, self.commit.name(), self.commit.is_none_of(purchase::PARTS)),
        ];
        own.into_iter().find(|&(_, _, is_own)| is_own).map(|(part, name, _)| (part, name))
    }

    /// Whether a part of windtunnel decides this question.
    pub fn is_ours(&self, part: PolicyPart) -> bool {
        self.factory.is_none()
            && ![PolicyPart::Whole, part].iter().any(|part| self.external.contains_key(part))
    }

    /// Whether windtunnel decides all of it.
    pub fn is_all_ours(&self) -> bool {
        self.factory.is_none() && self.external.is_empty()
    }

    /// Offers that it may rent: all of them if somebody else decides that.
    pub fn reach(&self) -> Reach {
        match self.is_ours(PolicyPart::Provision) {
            true => self.provision.build().reach(),
            false => Reach::anything(),
        }
    }

    /// Offers on whose instances work may be placed: any if somebody else decides all.
    pub fn placed(&self) -> OfferScope {
        match self.is_ours(PolicyPart::Whole) {
            true => self.narrow.scope.clone(),
            false => OfferScope::default(),
        }
    }

    /// Whether its provision part knows the instances that it rented one by one.
    pub fn follows_instances(&self) -> bool {
        self.is_ours(PolicyPart::Provision) && self.provision.build().follows_instances()
    }

    /// Whether the policy weighs the cost of jobs before it rents for them.
    pub fn rents_by_price(&self) -> bool {
        self.is_ours(PolicyPart::Provision) && self.provision.build().weighs_price()
    }
}

/// A published simulator whose decisions are followed to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compatibility {
    /// RLScheduler (Zhang et al., SC 2020): a committed head, arrivals seen one
    /// at a time, and its own backfilling.
    RlScheduler {
        /// Whether its backfilling is on.
        backfill: bool,
    },
}
