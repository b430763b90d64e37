//! windtunnel: a discrete-event simulator for multi-cloud scheduling.
//!
//! It puts work (jobs and virtual machines) through a [`World`](model::World) of owned clusters
//! and clouds under a [`Policy`](policy::Policy), and says what that would have cost and how long
//! the work waited. The command `windtunnel` reads all of this from files; this is the library
//! below it. `docs/architecture.md` in the repository says more on how it works.
//!
//! All that fails gives an error that `?` passes on: where an input is wrong, [`Problems`](problem::Problems),
//! all of them at once, each with its place and a hint.
//!
//! # A first run
//!
//! A world, some work, a policy that is built in, and the bill:
//!
//! ```
//! use windtunnel::metrics::Collector;
//! use windtunnel::model::{OfferSpec, Work, World};
//! use windtunnel::policy::spec::PolicySpec;
//! use windtunnel::policy::{self, provision, release};
//! use windtunnel::sim::Run;
//! use windtunnel::units::{Demand, Distribution, Shape, Span, Time};
//! use windtunnel::workload::WorkList;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // One machine that is owned, and as many as are wanted for 0.192 dollars an hour. CPU is in
//! // milli-cores, memory in MiB.
//! let shape = Shape { cpu: 4_000, memory: 16_384, gpus: 0 };
//! let m5 = OfferSpec::on_demand("aws/us-east-1/us-east-1a", "m5.xlarge", shape, "0.192");
//! let world = World::builder()
//!     .offer(OfferSpec::owned("dc", "node", shape, 1))
//!     .offer(m5.boot(Distribution::Constant(60.0)))
//!     .build()?;
//!
//! // Four jobs of an hour that fill a machine each, ten seconds apart.
//! let demand = Demand { cpu: 4_000, memory: 8_192, ..Demand::default() };
//! let jobs: Vec<Work> = (0..4)
//!     .map(|n| Work::job(n, Time::from_secs(10 * n as i64), demand, Span::HOUR))
//!     .collect();
//!
//! // First come, first served; what finds no room rents the cheapest machine at once.
//! let spec = PolicySpec {
//!     provision: provision::CHEAPEST.spec(),
//!     release: release::IDLE.spec(),
//!     ..PolicySpec::named("burst")
//! };
//! let (mut policy, mut collector) = (policy::build(&spec), Collector::default());
//! let mut source = WorkList::new(jobs);
//! let outcome = Run::new(&world, &mut source)
//!     .policy(&mut *policy)
//!     .observe(&mut collector)
//!     .run()?;
//!
//! assert!(outcome.drained, "all work is done");
//! let summary = collector.summary(&world, &[], &outcome);
//! // Three machines, an hour and a minute of boot each.
//! let dollars = summary.cost.total.dollars();
//! assert!((dollars - 3.0 * 0.192 * 61.0 / 60.0).abs() < 1e-6, "{dollars}");
//! # Ok(())
//! # }
//! ```
//!
//! # A policy of your own
//!
//! A [`Policy`](policy::Policy) is asked once at each instant at which anything happened, with what
//! happened. It acts through its [`Turn`](policy::Turn), which checks every action:
//!
//! ```
//! use windtunnel::model::{OfferSpec, Work, World};
//! use windtunnel::policy::place::{Fit, place_all};
//! use windtunnel::policy::{Policy, Trigger, Turn};
//! use windtunnel::sim::Run;
//! use windtunnel::state::WorkRef;
//! use windtunnel::units::{Demand, Shape, Span, Time};
//! use windtunnel::workload::WorkList;
//!
//! /// Starts the latest first, whoever fits.
//! #[derive(Default)]
//! struct LastComeFirstServed {
//!     waiting: Vec<WorkRef>,
//! }
//!
//! impl Policy for LastComeFirstServed {
//!     fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
//!         for trigger in triggers {
//!             if let Trigger::Arrived(work) | Trigger::Eligible(work, _) = *trigger {
//!                 self.waiting.insert(0, work);
//!             }
//!         }
//!         self.waiting.retain(|&work| !place_all(&mut Fit::first(), turn, work));
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let shape = Shape { cpu: 1_000, memory: 1_024, gpus: 0 };
//! let world = World::builder().offer(OfferSpec::owned("dc", "node", shape, 1)).build()?;
//! let demand = Demand { cpu: 1_000, ..Demand::default() };
//! let jobs = (0..3).map(|n| Work::job(n, Time::from_secs(n as i64), demand, Span::HOUR));
//! let (mut source, mut policy) = (WorkList::new(jobs), LastComeFirstServed::default());
//! let outcome = Run::new(&world, &mut source).policy(&mut policy).run()?;
//! assert_eq!(outcome.ended, Time::from_secs(3 * 3_600));
//! # Ok(())
//! # }
//! ```
//!
//! # A part of your own
//!
//! A policy that is built in consists of parts: the order of the queue, the place of a task, what is
//! rented and given back. Each is a row, a [`Part`](part::Part): a name, a line of documentation,
//! parameters with their defaults, and a constructor. A row of yours goes into a
//! [`PolicySpec`](policy::spec::PolicySpec) like any other. Here is a place part that keeps the machines
//! with much memory for those who need it:
//!
//! ```
//! use windtunnel::model::{OfferSpec, Work, World};
//! use windtunnel::part::{Parameter, Part, PartSpec, Setting, SettingKind};
//! use windtunnel::policy::place::{self, Place, PlacePart, PlacementScore, Rating, Scored};
//! use windtunnel::policy::{self, spec::PolicySpec};
//! use windtunnel::sim::Run;
//! use windtunnel::state::InstanceClass;
//! use windtunnel::units::{Demand, Shape, Span, Time};
//! use windtunnel::workload::WorkList;
//!
//! static LEAST_MEMORY_LEFT: PlacePart = Part {
//!     name: "least-memory-left",
//!     doc: "The machine with the least memory left, in steps.",
//!     parameters: &[Parameter {
//!         name: "step_mib",
//!         kind: SettingKind::Count(1, 1 << 20),
//!         default: Setting::Count(1_024),
//!         doc: "Differences below this are ties, which go to the oldest.",
//!     }],
//!     make: |settings| {
//!         let step = settings.count("step_mib").expect("it has a default") as i64;
//!         Box::new(Scored::new(LeastMemoryLeft { step }))
//!     },
//! };
//!
//! #[derive(Debug)]
//! struct LeastMemoryLeft {
//!     step: i64,
//! }
//!
//! impl PlacementScore for LeastMemoryLeft {
//!     fn rate(&mut self, _world: &World, class: &InstanceClass, demand: Demand) -> Rating {
//!         let left = class.free().memory - demand.memory;
//!         Rating::tightest(i64::from(left) / self.step)
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let shape = |memory| Shape { cpu: 4_000, memory, gpus: 0 };
//! let world = World::builder()
//!     .offer(OfferSpec::owned("dc", "large", shape(65_536), 1))
//!     .offer(OfferSpec::owned("dc", "small", shape(16_384), 1))
//!     .build()?;
//! let demand = |memory| Demand { cpu: 4_000, memory, ..Demand::default() };
//! let jobs = [
//!     Work::job(0, Time::ZERO, demand(8_192), Span::HOUR),
//!     Work::job(1, Time::ZERO, demand(32_768), Span::HOUR),
//! ];
//! let ended = |place: PartSpec<Box<dyn Place>>| {
//!     let spec = PolicySpec { place, ..PolicySpec::named("mine") };
//!     let (mut policy, mut source) = (policy::build(&spec), WorkList::new(&jobs));
//!     Run::new(&world, &mut source).policy(&mut *policy).run().map(|outcome| outcome.ended)
//! };
//! // The small job leaves the large machine to the other one.
//! assert_eq!(ended(LEAST_MEMORY_LEFT.spec().set("step_mib", 512))?, Time::ZERO + Span::HOUR);
//! assert_eq!(ended(place::FIRST_FIT.spec())?, Time::from_secs(2 * 3_600));
//! # Ok(())
//! # }
//! ```
//!
//! [`Place`](policy::place::Place) is for what is no score. A [`Provision`](policy::provision::Provision) part
//! says what it may rent, and may act before anybody waits. This one rents a machine once, an hour
//! before the work comes:
//!
//! ```
//! use windtunnel::model::{Market, OfferSpec, Work, World};
//! use windtunnel::part::Part;
//! use windtunnel::policy::provision::{Provision, ProvisionPart, Provisioned, Reach};
//! use windtunnel::policy::{self, Trigger, Turn, release, spec::PolicySpec};
//! use windtunnel::sim::Run;
//! use windtunnel::state::{WaitReason, WorkRef};
//! use windtunnel::units::{Demand, Distribution, Shape, Span, Time};
//! use windtunnel::workload::WorkList;
//!
//! const NINE: Time = Time::from_secs(9 * 3_600);
//!
//! static AHEAD: ProvisionPart = Part {
//!     name: "ahead",
//!     doc: "Rents one machine at nine.",
//!     parameters: &[],
//!     make: |_| Box::new(Ahead::default()),
//! };
//!
//! #[derive(Debug, Default)]
//! struct Ahead {
//!     rented: bool,
//! }
//!
//! impl Provision for Ahead {
//!     fn reach(&self) -> Reach {
//!         Reach { fleets: vec![("aws/us-east-1a/m5.xlarge/on-demand".to_owned(), 1)], ..Reach::default() }
//!     }
//!
//!     fn begin(&mut self, turn: &mut Turn<'_, '_>) {
//!         turn.wake(NINE).expect("nine is to come");
//!     }
//!
//!     fn react(&mut self, _triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
//!         if turn.now() >= NINE && !self.rented {
//!             let mut offers = turn.world().offers.iter();
//!             let rented = offers.find(|(_, facts)| facts.market == Market::OnDemand);
//!             self.rented = rented.is_some_and(|(offer, _)| turn.rent(offer).is_ok());
//!         }
//!     }
//!
//!     fn supply(&mut self, _turn: &mut Turn<'_, '_>, _work: WorkRef) -> Provisioned {
//!         Provisioned::None(WaitReason::NoRoom)
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let shape = Shape { cpu: 4_000, memory: 16_384, gpus: 0 };
//! let m5 = OfferSpec::on_demand("aws/us-east-1/us-east-1a", "m5.xlarge", shape, "0.192");
//! let world = World::builder().offer(m5.boot(Distribution::Constant(120.0))).build()?;
//! let (ten, demand) = (Time::from_secs(10 * 3_600), Demand { cpu: 4_000, ..Demand::default() });
//! let mut source = WorkList::new([Work::job(0, ten, demand, Span::HOUR)]);
//! let release = release::NEVER.spec();
//! let spec = PolicySpec { provision: AHEAD.spec(), release, ..PolicySpec::named("mine") };
//! let outcome = Run::new(&world, &mut source).policy(&mut *policy::build(&spec)).run()?;
//! assert_eq!(outcome.ended, ten + Span::HOUR, "it waits for no boot");
//! # Ok(())
//! # }
//! ```
//!
//! `docs/policy.md` says when each question is asked.
//!
//! # Your policy beside others
//!
//! A scenario takes it under a name, with a version and a closure that makes it anew for every run.
//! From then on it is like any other policy: run on all threads, watched by the laws, compared,
//! checked and scored.
//!
//! ```
//! use windtunnel::experiment::{Asked, ComparedArms, ComparedPolicy, Judging, Runner};
//! use windtunnel::policy::spec::PolicySpec;
//! use windtunnel::policy::{self, order};
//! use windtunnel::report::{ComparisonResults, ResultFolder};
//! use windtunnel::scenario::Scenario;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"
//!     question = "Does the order of the queue matter?"
//!     workload.synthetic = { count = 50, arrivals.per_hour = 30, class.a = { runtime = "1 h", vcpus = 4 } }
//!     cluster.dc = { nodes = 5, shape = { vcpus = 16, memory = "64 GiB" } }
//!     policy.today.preset = "batch-fcfs"
//! "#;
//! let mut scenario = Scenario::parse(text, "queue.toml", "".as_ref(), &[])?;
//! // Any `Policy` will do; this one is made of parts of windtunnel.
//! let spec = PolicySpec { order: order::SMALLEST.spec(), ..PolicySpec::named("mine") };
//! scenario.add_policy("mine", "1", move || policy::build(&spec));
//!
//! let asked = Asked { replications: Some(3), ..Asked::default() };
//! let compared = ComparedArms::of(&Runner::default(), &mut scenario, asked, Judging::default())?;
//!
//! // The numbers: of each policy the measurements, one per replication, and of those any metric by
//! // its name (`metrics::METRICS` has all), beside how it differs from the first policy, the baseline.
//! let [today, mine] = &compared.comparison.policies[..] else { panic!("there are two") };
//! let waits = |of: &ComparedPolicy| -> Vec<Option<f64>> {
//!     of.measurements.iter().map(|one| one.metric("wait_mean")).collect()
//! };
//! assert_eq!((waits(today).len(), waits(mine).len()), (3, 3));
//! let wait = compared.comparison.contrast(1, "wait_mean").expect("both have waits");
//! println!("{} s of wait in place of {} s: {:?}", wait.mean, wait.base, wait.paired);
//!
//! let results = ComparisonResults::of(compared)?;
//! println!("{}", results.report().document(Vec::new()).markdown());
//!
//! // The page, `decision.md`, data and charts, with a manifest.
//! # let out = std::env::temp_dir().join(format!("windtunnel-doc-{}", std::process::id()));
//! let folder = ResultFolder::create(&out)?;
//! let manifest = results.write(&folder)?;
//! folder.finish(manifest)?;
//! assert!(out.join("compare.html").exists());
//! # std::fs::remove_dir_all(&out)?;
//! # Ok(())
//! # }
//! ```
//!
//! For a suite, [`Suite::add_policy`](scenario::Suite::add_policy) does the same;
//! [`experiment::check`] holds it against baselines, and [`ScoredPolicy`](experiment::ScoredPolicy) scores it.
//! `examples/own_policy.rs` compares one that rents with the policies of a scenario.
//!
//! # The rooms
//!
//! Each module is a room. **Invariant:** a room imports only rooms above it in this list (tested).
//!
//! - [`halt`], [`text`], [`units`], [`problem`], [`input`]: what all others need. **Invariant:** time,
//!   money and capacity are integers; no float decides anything.
//! - [`engine`]: the event queue. **Invariant:** events of equal time and class come out in the order
//!   they went in.
//! - [`model`]: the world and the work, plain data. **Invariant:** a policy sees what is in
//!   [`Ask`](model::Ask), never what is in [`WorkBody`](model::WorkBody).
//! - [`part`]: what a scenario may name, as rows: parts of policies and formats of traces, with their
//!   parameters. **Invariant:** a value that is not set is the documented default.
//! - [`workload`]: traces, synthesis and lists become a [`Source`](workload::Source). **Invariant:** work
//!   streams by; memory follows what is alive.
//! - [`weather`]: how many instances could be had in a zone over time. **Invariant:** whoever reads states
//!   says what a 1 means in them.
//! - [`metering`]: usage becomes charges. **Invariant:** the charges of an instance sum to its bill, to
//!   the nano-dollar.
//! - [`state`]: what is alive. **Invariant:** no result depends on the place of a thing in memory.
//! - [`policy`]: the contract, and the policies that are built in. **Invariant:** an action is checked and
//!   applied as a whole, or refused with the rule that it broke.
//! - [`sim`]: the loop, and [`Observer`](sim::Observer)s. **Invariant:** a run is a pure function; it reads no
//!   clock, file, environment or thread. Facts go out, nothing comes back.
//! - [`metrics`]: observers that add up, and the laws that every run must keep.
//! - [`scenario`]: scenario files. **Invariant:** all that is wrong is told at once, with file and line.
//! - [`experiment`]: many runs. **Invariant:** policies that are compared meet the same arrivals and the
//!   same draws; results do not depend on the number of threads.
//! - [`report`]: results become files. **Invariant:** the manifest is written last.
//!
//! Down to [`metrics`] they are a crate of their own, `windtunnel-core`. The command (`cli`) is a user of
//! this library.

pub use windtunnel_core::{
    engine, halt, input, metering, metrics, model, part, policy, problem, purchase, sim, state,
    text, units, weather, workload,
};

pub use windtunnel_billing as billing;

pub mod scenario;
pub mod experiment;
pub mod report;
