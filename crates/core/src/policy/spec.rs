//! Specification of a composed policy: one value per question, as data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use super::PolicyFactory;
use crate::model::{Market, Offer, World};
use crate::units::{Demand, Id, Span};

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
    /// Order part: who is next.
    pub order: OrderSpec,
    /// Place part: on which instance tasks go.
    pub place: PlaceSpec,
    /// Instances that the place part looks at, and which of them first.
    pub narrow: Narrow,
    /// Backfill part: who may overtake.
    pub backfill: BackfillSpec,
    /// Most pieces of work that hold a reservation under conservative backfilling, where
    /// instances differ or may be rented; the others wait without one.
    pub reservations: u32,
    /// Provision part: what is rented, and where.
    pub provision: ProvisionSpec,
    /// The offers that are rented, where work asks for it.
    pub rent_from: OfferScope,
    /// Release part: when a rented instance is given back.
    pub release: ReleaseSpec,
    /// Decide as a published simulator does, where that differs from ours.
    pub compatibility: Option<Compatibility>,
    /// Processes that decide instead, by part.
    pub external: BTreeMap<PolicyPart, External>,
    /// Factory of a Rust type that decides all instead; then the parts say nothing.
    pub factory: Option<PolicyFactory>,
}

/// Offers that a policy may use at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach<'s> {
    /// What it may rent.
    pub provision: &'s ProvisionSpec,
    /// Offers that it may rent from, where work asks for it.
    pub rent_from: &'s OfferScope,
    /// Offers whose instances it may place work on.
    pub place_on: &'s OfferScope,
}

/// Part of a policy that another process can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyPart {
    /// Everything.
    Whole,
    /// Who must yield?
    Preempt,
    /// Who is let in?
    Admit,
    /// Who is next?
    Order,
    /// On which instance?
    Place,
    /// Who may overtake?
    Backfill,
    /// Rent what, and where?
    Provision,
    /// When to give back?
    Release,
}

impl PolicyPart {
    /// The parts of a composed policy, in the order in which they are asked.
    pub const ALL: [Self; 7] = [
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
            Self::Order => "order",
            Self::Place => "place",
            Self::Backfill => "backfill",
            Self::Provision => "provision",
            Self::Release => "release",
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
            preempt: PreemptSpec::None,
            admit: AdmitSpec::default(),
            order: OrderSpec::Fcfs,
            place: PlaceSpec::FirstFit,
            narrow: Narrow::default(),
            backfill: BackfillSpec::None,
            reservations: BackfillSpec::RESERVATIONS,
            provision: ProvisionSpec::OwnedOnly,
            rent_from: OfferScope::default(),
            release: ReleaseSpec::Idle { after: Span::ZERO },
            compatibility: None,
            external: BTreeMap::new(),
            factory: None,
        }
    }

    /// A policy that is a Rust type.
    pub fn made_by(name: &str, factory: PolicyFactory) -> Self {
        Self { factory: Some(factory), ..Self::named(name) }
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

    /// Offers that it may use at all: whoever decides instead of a part may use any.
    pub fn reach(&self) -> Reach<'_> {
        static ANY: OfferScope = OfferScope {
            providers: Vec::new(),
            regions: Vec::new(),
            types: Vec::new(),
            families: Vec::new(),
        };
        static ANYTHING: LazyLock<ProvisionSpec> = LazyLock::new(|| ProvisionSpec::OnDemand {
            choice: Choice::Cheapest,
            markets: vec![Market::OnDemand, Market::Spot],
            after_wait: Span::ZERO,
            max_instances: None,
        });
        let (provision, rent_from) = match self.is_ours(PolicyPart::Provision) {
            true => (&self.provision, &self.rent_from),
            false => (&*ANYTHING, &ANY),
        };
        let all = self.is_ours(PolicyPart::Whole);
        Reach { provision, rent_from, place_on: if all { &self.narrow.scope } else { &ANY } }
    }

    /// Whether it weighs what jobs would cost before it rents for them.
    pub fn rents_by_price(&self) -> bool {
        let by_price = match self.provision {
            ProvisionSpec::OwnedOnly | ProvisionSpec::Static { .. } => false,
            ProvisionSpec::OnDemand { choice, .. } => match choice {
                Choice::Cheapest | Choice::RoundRobin => true,
                Choice::Fastest => false,
            },
        };
        by_price && self.is_ours(PolicyPart::Provision)
    }
}

/// Order part: who is next. Ties go to the earlier arrival, then to the lower id. Estimates
/// count, never true runtimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderSpec {
    /// First come, first served.
    Fcfs,
    /// Shortest estimate first (SJF).
    Shortest,
    /// Fewest processors first: tasks times milli-cores, then GPUs where asked.
    Smallest,
    /// Most processors first.
    Largest,
    /// Earliest deadline first.
    EarliestDeadline,
    /// Highest priority first.
    Priority,
    /// Largest (wait / estimate)^3 x processors first (Tang et al., CLUSTER 2009).
    Wfp3,
    /// Largest wait / (log2(processors) x estimate) first (Tang et al., CLUSTER 2009).
    Unicep,
    /// Smallest log10(estimate) x processors + 870 log10(submit time) first
    /// (Carastan-Santos and de Camargo, SC 2017).
    F1,
}

/// Backfill part: who may overtake the head of the queue when it does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackfillSpec {
    /// Nobody: the head blocks the queue.
    None,
    /// Anybody that fits; the head has no reservation (as Kubernetes does).
    Greedy,
    /// Whoever does not delay the head's reservation (Lifka, JSSPP 1995).
    Easy,
    /// Whoever delays no reservation; every waiting job holds one.
    Conservative,
}

impl BackfillSpec {
    /// Most reservations, where nothing else is said.
    pub const RESERVATIONS: u32 = 1_000;
}

/// Place part: on which instance tasks go. Ties go to the lowest stable id.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaceSpec {
    /// The oldest that fits.
    FirstFit,
    /// The next that fits after the last one used.
    NextFit,
    /// The one with the least left of `by`.
    BestFit {
        /// Resource to compare.
        by: Scalar,
    },
    /// The one with the most left of `by`.
    WorstFit {
        /// Resource to compare.
        by: Scalar,
    },
    /// Any that fits, with equal probability.
    Random,
    /// The largest dot product of demand and free resources, both relative to
    /// the instance (Grandl et al., SIGCOMM 2014).
    DotProduct,
    /// The smallest dot product of CPU and GPU relative to the largest machine:
    /// the baseline `DotProd` of Weng et al. (ATC 2023), which packs.
    LeastDotProduct,
    /// The least left of CPU and GPU together relative to the largest machine:
    /// the baseline `BestFit` of Weng et al. (ATC 2023).
    LeastRemainder,
    /// The smallest allocated share, the mean over its resources.
    LeastLoaded,
    /// Fragmentation gradient descent: the least added fragmentation against a
    /// typical mix of demands (Weng et al., ATC 2023), which also picks the GPU.
    Fgd {
        /// The foresight: demands and how often they come.
        mix: DemandMix,
    },
    /// GPU packing: used GPUs before idle GPUs before idle machines (Weng et al., ATC 2023).
    GpuPacking,
    /// GPU clustering: where work with the same kind of GPU demand already runs (Xiao et al., OSDI 2018).
    GpuClustering,
}

/// Instances that a place part looks at, and which of them first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    /// Offers whose instances alone are looked at.
    pub scope: OfferScope,
    /// Work that may use machines with GPUs.
    pub gpu_machines: GpuMachines,
    /// Goes where moving the data costs least, and nowhere where that costs more
    /// than renting anew.
    pub weigh_data: bool,
    /// Goes where a rented machine need not be kept longer for it, or where that costs
    /// least, and nowhere where that costs more than renting anew.
    pub weigh_price: bool,
}

impl Narrow {
    /// Whether nothing is narrowed.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// Work that may use machines with GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GpuMachines {
    /// Any work.
    #[default]
    Any,
    /// Work with GPUs; other work uses owned ones where no other machine has room,
    /// and never joins others on rented ones.
    GpuWork,
}

/// Offers by the names of their providers, regions, types and families; an empty
/// list admits any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferScope {
    /// Providers and clusters.
    pub providers: Vec<String>,
    /// Regions as `provider/region`.
    pub regions: Vec<String>,
    /// Instance types.
    pub types: Vec<String>,
    /// Families of instance types.
    pub families: Vec<String>,
}

impl OfferScope {
    /// Whether every offer is admitted.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether `offer` is admitted.
    pub fn admits(&self, world: &World, offer: Id<Offer>) -> bool {
        let has = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|known| known == name)
        };
        // The name of a region is made up, which takes long, so only where one is listed.
        let in_region = || {
            self.regions.is_empty()
                || has(&self.regions, &world.region_name(world.region_of(offer)))
        };
        let what = world.type_of(offer);
        has(&self.providers, &world.providers[world.provider_of(offer)].name)
            && in_region()
            && has(&self.types, &what.name)
            && has(&self.families, &what.family)
    }
}

/// A typical mix of demands: foresight that a report names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DemandMix {
    /// Source of the mix, for the report.
    pub source: String,
    /// Demands with their GPU models (empty: any) and counts.
    pub demands: Vec<(Demand, Vec<String>, u64)>,
}

/// Admit part: who is let in. The limits apply together; what is not let in ends as refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmitSpec {
    /// Most jobs waiting; an arrival beyond is refused. A job that can start at
    /// once never counts as waiting.
    pub queue_limit: Option<u32>,
    /// Longest wait; a job still waiting then is refused.
    pub patience: Option<Span>,
}

/// Provision part: what is rented, and where.
#[derive(Clone, Debug, PartialEq)]
pub enum ProvisionSpec {
    /// Rents nothing.
    OwnedOnly,
    /// Rents these when the run starts and keeps them.
    Static {
        /// Offer names and counts.
        fleets: Vec<(String, u32)>,
    },
    /// Rents for each job that fits nowhere.
    OnDemand {
        /// Choice of the offer among those that fit.
        choice: Choice,
        /// Markets to rent from; empty means on-demand.
        markets: Vec<Market>,
        /// Wait after the submission of the job before anything is rented for it (overflow), time
        /// it ran before a preemption included; zero rents at once.
        after_wait: Span,
        /// Most rented instances at once.
        max_instances: Option<u32>,
    },
}

/// Choice of the offer to rent among those that fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Lowest expected cost of the job there: instances for the estimate and
    /// the boot, and moving its data. One hour where there is no estimate.
    Cheapest,
    /// Earliest expected end there: boot, data, estimate over speed.
    Fastest,
    /// The next provider in turn, cheapest within it.
    RoundRobin,
}

/// Release part: when a rented instance is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseSpec {
    /// At the end of the run.
    Never,
    /// When it has been idle this long.
    Idle {
        /// Zero gives it back at once.
        after: Span,
    },
}

/// Preempt part: who must yield when the head of the queue does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreemptSpec {
    /// Nobody.
    None,
    /// Running work of lower priority, lowest and latest first.
    Priority,
    /// Running work with more estimated work left (shortest remaining processing time).
    Srpt,
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
