//! Scenario files: a question, a workload, what it can run on, and the
//! policies to compare. Reading one gives everything that a run needs, or
//! every problem in it at once, each with its place and a hint.

mod alert;
mod builtin;
mod catalog;
mod columns;
mod composition;
mod difference;
mod document;
mod external;
mod identity;
mod key;
mod mix;
mod names;
mod objective;
mod observed;
mod part;
mod plan;
mod policies;
mod preset;
mod quantity;
mod reference;
mod schema;
mod section;
mod setting;
mod starter;
mod suite;
mod terms;
mod unmodelled;
mod assumption;
mod value;
mod work;
mod world;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::input;
use crate::metering::ChargePeriod;
use crate::metrics::{AlertRule, budget_rules};
use crate::model::{Market, Offer, Provider, Reclaimed, World};
use crate::policy::spec::PolicySpec;
use crate::policy::{cap, provision};
use crate::problem::{Problem, Problems, clip};
use crate::purchase;
use crate::units::{Calendar, Id, Span};
use crate::workload::{Capacity, OpenContext, WorkloadSpec};

use document::ScenarioText;
use section::{ConfigTable, Diagnostics};

pub use work::NEW_YEAR_2026;

pub use assumption::Assumption;
pub use builtin::{BUILT_IN, built_in};
pub use catalog::{
    Catalog, CatalogPrice, CatalogRegion, CatalogType, Listing, Provenance, SHIPPED, Tier,
    cloud_of_zone, list as catalog_list, show as catalog_show,
};
pub use difference::{Difference, differences};
pub use identity::{Identity, concerns, definition, redefined};
pub use key::{BoundUnit, Key, ValueKind, keys};
pub use names::{NamedSource, Naming, UnknownName, meant_models};
pub use objective::{BoundDirection, Objective, ObjectiveWindow};
pub use observed::{BillFile, Observed};
pub use part::{OPTIONS, PARTS, PartOption, options};
pub use plan::{PlanSpec, minimised};
pub use preset::{PRESETS, Preset};
pub use quantity::{Quantity, percent as parse_percent, size as parse_size, span as parse_span};
pub use reference::{reference, suite_reference};
pub use schema::schema;
pub use section::kind_of;
pub use starter::{Starter, init_from, quickstart};
pub use suite::{Gate, Subject, Suite, Tested, Tolerance, UnreadableScenario};
pub use terms::{Attached, BillingTerms, KeptData, held_of, kept_product, on_demand, product_of};
pub use unmodelled::{COMMITMENTS, not_modelled};
pub use world::{known_events, past_prices};

/// Most bytes of a scenario file.
const MOST_BYTES: u64 = 4 << 20;

/// Limits at which a run is stopped as out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// Most events of one run.
    pub max_events: u64,
    /// Most pieces of work alive at once.
    pub max_alive: u32,
    /// Most pieces of work of one run.
    pub max_jobs: u64,
    /// Longest simulated time of one run.
    pub max_simulated: Span,
}

/// Scenario: everything that its file says.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The question that it answers.
    pub question: String,
    /// Row in `policies` of the policy that the others are compared with.
    pub baseline: usize,
    /// The file's name without its extension.
    pub name: String,
    /// The file's text as it runs, `--set` edits included.
    pub text: String,
    /// The file, as the user named it.
    pub path: String,
    /// The file as it was read, to tell places in it.
    document: ScenarioText,
    /// Folder that paths in it start from.
    base: PathBuf,
    /// The `--set` edits that it was read with: keys and values.
    pub edits: Vec<(String, String)>,
    /// Seed of the first replication.
    pub seed: u64,
    /// Number of replications in an experiment, where the scenario says it.
    pub replications: Option<u32>,
    /// The long run is asked for, so a warm-up is left out.
    pub steady_state: bool,
    /// Length of the periods into which a run cuts its charges; `None` if it does not.
    pub charge_period: Option<ChargePeriod>,
    /// Latest end of the run, as a span since its start.
    pub horizon: Option<Span>,
    /// Time that the work stands for, from the start; `None` if only arrivals tell.
    pub period: Option<Span>,
    /// Calendar, which says when the run starts.
    pub calendar: Calendar,
    /// World: offers on which work can run, and their cost.
    pub world: World,
    /// Workload: the source of work.
    pub workload: WorkloadSpec,
    /// The policies to compare, in file order; at least one.
    pub policies: Vec<PolicySpec>,
    /// Promises that answers are held to.
    pub objectives: Vec<Objective>,
    /// Rules of alerts, and then those of the thresholds of budgets.
    pub alerts: Vec<AlertRule>,
    /// Keys that a plan may decide, and how sure it is to be.
    pub plan: PlanSpec,
    /// Figures that were observed in sum, for backtests.
    pub observed: Observed,
    /// Assumptions that a reader must know: defaults used, assumed prices, keys that are not
    /// applied.
    pub assumptions: Vec<Assumption>,
    /// The same of single policies, by their row.
    pub policy_assumptions: Vec<(usize, String)>,
    /// Clouds some of whose prices have no published source.
    pub estimated_prices: Vec<EstimatedPrices>,
    /// Files that were or will be read, besides the scenario itself.
    pub inputs: Vec<PathBuf>,
    /// Terms on which a run is billed, where the scenario says any.
    pub terms: Option<BillingTerms>,
    /// The same with what can be bought, also where that is all that it says.
    pub sale: Option<BillingTerms>,
    /// Tables of the terms that match nothing that runs could use, by what makes them so.
    pub idle_terms: Vec<Problem>,
    /// Limits at which a run is stopped as out of bounds.
    pub limits: RunLimits,
}

/// Prices of a cloud that are estimates, for the catalog has no published source of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstimatedPrices {
    /// Name of the cloud.
    pub provider: String,
    /// Its offers in the scenario whose prices are estimates, at least one, in their order.
    pub offers: Vec<Id<Offer>>,
}

impl Scenario {
    /// Whether costs of some policy are settled on terms, or may be by what it commits to.
    pub fn is_settled(&self) -> bool {
        let buys = |spec: &PolicySpec| !spec.commit.is(&purchase::NONE);
        self.terms.is_some() || self.sale.is_some() && self.policies.iter().any(buys)
    }

    /// Reads the scenario file at `path`, after `key = value` edits of single values.
    ///
    /// # Errors
    /// Every problem in the file, in the edits and in the files that it names.
    pub fn load(path: &Path, overrides: &[(String, String)]) -> Result<Self, Problems> {
        let shown = path.display().to_string();
        let text = text_of(path, "scenario")?;
        let base = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &shown, base, overrides)
    }

    /// Reads a scenario from its text. Problems name it `shown`; paths in it
    /// are relative to `base`.
    ///
    /// # Errors
    /// Those of [`Scenario::load`].
    pub fn parse(
        text: &str,
        shown: &str,
        base: &Path,
        overrides: &[(String, String)],
    ) -> Result<Self, Problems> {
        let mut document = ScenarioText::new(text, shown);
        let refused = document.set(overrides);
        let syntax = syntax_problems(&document);
        if !syntax.is_empty() {
            return Err(syntax.into());
        }
        let mut report = Diagnostics::new(&document, refused);
        let root = root(&document, "", &mut report);
        let read = read(&root, &document, base, &mut report);
        let mut problems = report.problems;
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems.dedup();
        match read {
            Some(scenario) if problems.is_empty() => {
                Ok(Self { edits: overrides.to_vec(), ..scenario })
            }
            _ => Err(problems.into()),
        }
    }

    /// A problem with the value at a dotted key, or with what holds it where it is not there.
    pub fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        self.document.problem_at(key, message)
    }

    /// Milli-cores of the owned clusters, where nothing else can be had.
    pub fn owned_cores(&self) -> Option<u64> {
        let all_owned = self.world.offers.rows().iter().all(|offer| offer.market == Market::Owned);
        all_owned.then(|| owned_capacity(&self.world).cpu)
    }

    /// Context that the workload needs for a run with this seed.
    pub fn context(&self, seed: u64, keep_names: bool) -> OpenContext {
        OpenContext {
            seed,
            calendar: self.calendar,
            keep_names,
            capacity: Some(owned_capacity(&self.world)),
        }
    }
}

/// The text of a scenario, suite or baseline (`what`), which is small and UTF-8.
///
/// # Errors
/// Problem that keeps it from being read.
pub fn text_of(path: &Path, what: &str) -> Result<String, Problem> {
    input::text(path, what, MOST_BYTES)
}

/// Capacity of the owned clusters of a world in all.
fn owned_capacity(world: &World) -> Capacity {
    let mut capacity = Capacity::default();
    for (id, offer) in world.offers.iter().filter(|(_, offer)| offer.market == Market::Owned) {
        let shape = world.type_of(id).shape;
        let count = u64::from(offer.running_at_start);
        capacity.cpu += u64::from(shape.cpu) * count;
        capacity.memory += u64::from(shape.memory) * count;
        capacity.gpu += u64::from(shape.gpu_milli()) * count;
    }
    capacity
}

/// Problems that keep the text from being TOML; nothing else can be told of it then.
fn syntax_problems(document: &ScenarioText) -> Vec<Problem> {
    let (_, errors) = DeTable::parse_recoverable(&document.text);
    if errors.is_empty() {
        return Vec::new();
    }
    let mut lines = document.text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    if first.is_some_and(|line| !line.contains('=') && !line.starts_with('[')) {
        let path = &document.path;
        let hint = format!("make one for a trace with `windtunnel init new.toml --from {path}`");
        return vec![Problem::with(path, "is no scenario, which is a TOML file").hint(hint)];
    }
    let problem = |error: &toml::de::Error| {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        document.problem(&error.span().unwrap_or(0..0), message)
    };
    let mut problems: Vec<Problem> = errors.iter().map(problem).collect();
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems.dedup();
    problems
}

/// Tables by which the costs of runs are settled.
const TERM_KEYS: [&str; 9] = [
    "account",
    "attached",
    "block",
    "commitment",
    "data_set",
    "kept",
    "negotiated",
    "storage_price",
    "tier",
];

/// Whether a document says on which terms its runs are billed.
fn has_terms(root: &ConfigTable) -> bool {
    TERM_KEYS.iter().any(|key| root.has(key))
}

/// The document as a checked section below `pattern` of the table of keys.
fn root(document: &ScenarioText, pattern: &str, report: &mut Diagnostics<'_>) -> ConfigTable {
    let (table, errors) = DeTable::parse_recoverable(&document.text);
    for error in &errors {
        let range = error.span().unwrap_or(0..0);
        report.at(&range, error.message().lines().collect::<Vec<_>>().join(", "));
    }
    ConfigTable::read(table.get_ref(), (pattern, ""), 0..0, report)
}

fn read(
    root: &ConfigTable,
    document: &ScenarioText,
    base: &Path,
    report: &mut Diagnostics<'_>,
) -> Option<Scenario> {
    root.require("question", report);
    if root.span("horizon") == Some(Span::ZERO) {
        report.at(&root.spot("horizon"), "`horizon` must be longer than nothing");
    }
    let opening = work::opening(root, base, report);
    let calendar = opening.calendar;
    let mut build = world::read(root, calendar, base, report);
    let around = work::Around { base, world: &build.world, opening };
    let work = work::read(root, around, report);
    let mut policies = composition::read(root, &build.world, base, report);
    let horizon = root.span("horizon");
    let objectives = objective::read(&root.section("objectives"), horizon, report);
    let mut alerts = alert::read(root, &objectives, report);
    alerts.extend(budget_rules(&build.world.budgets));
    let plan = plan::read(&root.section("plan"), report);
    let observed = observed::read(root, (&build.world, calendar, base), report);
    let baseline = baseline(root, &policies.specs, report);
    let limits = root.section("limits");
    let terms = has_terms(root);
    let is_said = terms || root.has("offering");
    let mut sale = is_said.then(|| terms::read(root, report));
    sale.iter_mut().for_each(|sale| sale.keep_parts_of(&build.world));
    terms::check_names(root, &build.world, report);
    let terms = sale.clone().filter(|_| terms);
    build.world.commitments = terms.iter().flat_map(|terms| terms.held(&build.world)).collect();
    let has_sale = sale.as_ref().is_some_and(|sale| !sale.offerings.is_empty());
    check_followers(root, &build.world, &policies.specs, report);
    let buyers = policies.specs.iter().enumerate();
    let buyers = buyers.filter(|(_, spec)| !has_sale && !spec.commit.is(&purchase::NONE));
    let nothing = |(row, spec): (usize, &PolicySpec)| {
        let name = clip(&spec.name);
        (row, format!("Policy {name} would commit, but nothing is for sale: add `[[offering]]`."))
    };
    let nothing: Vec<(usize, String)> = buyers.map(nothing).collect();
    policies.assumptions.extend(nothing);
    policies.assumptions.extend(without_budgets(&build.world, &policies.specs));
    policies.assumptions.extend(without_commitments(&build.world, has_sale, &policies.specs));
    let work = work?;
    let mut assumptions = std::mem::take(&mut build.assumptions);
    assumptions.extend(names::vague_models(&build.world).into_iter().map(Assumption::from));
    assumptions.extend(work.assumptions.into_iter().map(Assumption::from));
    assumptions.extend(terms.as_ref().map(|_| Assumption::from(TERMS.to_owned())));
    assumptions.extend(sale.as_ref().and_then(terms::foreign_told).map(Assumption::from));
    let idle_terms = sale.as_ref().map(|sale| terms::unmatched(root, &build.world, sale, report));
    let unpriced = terms.iter().flat_map(|terms| terms.unpriced.iter().cloned());
    assumptions.extend(unpriced.map(Assumption::from));
    let mut inputs = std::mem::take(&mut build.inputs);
    inputs.extend(work.inputs);
    inputs.append(&mut policies.inputs);
    let seed = root.count("seed").unwrap_or(1);
    if report.problems.is_empty() {
        let context = OpenContext {
            seed,
            calendar,
            keep_names: false,
            capacity: Some(owned_capacity(&build.world)),
        };
        work::check(root, &work.spec, &context, report);
        if root.has("start") {
            let told = work::early_start_problem(&work.spec, &build.world, &context);
            assumptions.extend(told.map(Assumption::from));
        }
        let notes = mix::fill(&mut policies, &work.spec, &context, base, report);
        policies.assumptions.extend(notes.assumptions);
        inputs.extend(notes.inputs);
    }
    policies.assumptions.sort();
    inputs.dedup();
    let name = Path::new(&document.path)
        .file_stem()
        .map_or_else(|| "scenario".to_owned(), |stem| clip(&stem.to_string_lossy()));
    Some(Scenario {
        question: root.text("question").unwrap_or_default().to_owned(),
        baseline,
        name,
        text: document.text.clone(),
        path: document.path.clone(),
        document: document.clone(),
        base: base.to_owned(),
        edits: Vec::new(),
        seed,
        replications: root.count32("replications"),
        steady_state: root.flag("steady_state").unwrap_or(false),
        charge_period: root.text("charge_period").and_then(ChargePeriod::named),
        horizon,
        period: period(&root.section("workload"), &work.spec, report),
        calendar,
        world: build.world,
        workload: work.spec,
        policies: policies.specs,
        objectives,
        alerts,
        plan,
        observed,
        assumptions,
        policy_assumptions: policies.assumptions,
        estimated_prices: build.estimated_prices,
        inputs,
        terms,
        sale,
        idle_terms: idle_terms.unwrap_or_default(),
        limits: RunLimits {
            max_events: limits.count("max_events").unwrap_or(10_000_000_000),
            max_alive: limits.count32("max_alive").unwrap_or(3_000_000),
            max_jobs: limits.count("max_jobs").unwrap_or(1_000_000_000),
            max_simulated: limits.span("max_simulated").unwrap_or(CENTURY),
        },
    })
}

/// The time that the work stands for, as the scenario or the workload says.
fn period(
    section: &ConfigTable,
    workload: &WorkloadSpec,
    report: &mut Diagnostics<'_>,
) -> Option<Span> {
    let given = section.span("period");
    if given == Some(Span::ZERO) {
        report.at(&section.spot("period"), "`period` must be longer than nothing");
    }
    workload.period(given)
}

/// What is said of policies that heed budgets where there are none.
fn without_budgets(world: &World, specs: &[PolicySpec]) -> Vec<(usize, String)> {
    let heeds = |spec: &PolicySpec| {
        !spec.cap.is(&cap::NONE) || spec.provision.is(&provision::BUDGET_GREEDY)
    };
    let is_told = |(_, spec): &(usize, &PolicySpec)| world.budgets.is_empty() && heeds(spec);
    let told = |(row, spec): (usize, &PolicySpec)| {
        let name = clip(&spec.name);
        (row, format!("Policy {name} heeds budgets, but there are none: add `[[budget]]`."))
    };
    specs.iter().enumerate().filter(is_told).map(told).collect()
}

/// What is said of policies that heed commitments where none is held that covers an offer.
fn without_commitments(
    world: &World,
    has_sale: bool,
    specs: &[PolicySpec],
) -> Vec<(usize, String)> {
    let is_told = |(_, spec): &(usize, &PolicySpec)| {
        let buys = has_sale && !spec.commit.is(&purchase::NONE);
        world.commitments.is_empty() && !buys && spec.provision.is(&provision::COMMITTED)
    };
    let told = |(row, spec): (usize, &PolicySpec)| {
        let name = clip(&spec.name);
        let why = "but none that is held covers an offer: it rents as `cheapest` does.";
        (row, format!("Policy {name} heeds commitments, {why}"))
    };
    specs.iter().enumerate().filter(is_told).map(told).collect()
}

/// What is said where a scenario has terms.
const TERMS: &str = "Costs are settled on the terms: with commitments, spread over their terms, and negotiated prices. Policies see list prices (the \
     provision part `committed` also sees commitments), and so do costs by tenant, by job and in windows.";

/// A hundred years.
const CENTURY: Span = Span::from_secs(36_500 * 86_400);

/// Policies whose provision part knows the instances that it rented one by one know nothing of one that
/// its provider starts again.
fn check_followers(
    root: &ConfigTable,
    world: &World,
    policies: &[PolicySpec],
    report: &mut Diagnostics<'_>,
) {
    let keeps = |provider: &&Provider| match provider.spot.reclaimed {
        Reclaimed::Terminated => false,
        Reclaimed::Stopped | Reclaimed::Hibernated => true,
    };
    let Some(keeper) = world.providers.rows().iter().find(keeps) else { return };
    let follower = policies.iter().find(|spec| spec.follows_instances());
    if let Some(policy) = follower {
        let section = root.section("cloud").section(&keeper.name);
        let message = format!(
            "policy `{}` counts the instances that it rents, and would not know one that starts again",
            clip(&policy.name)
        );
        let hint = "leave `reclaimed` out, or take another `provision` part";
        report.hint(&section.spot("reclaimed"), message, hint);
    }
}

/// The row of the baseline policy: the first one where none is named.
fn baseline(root: &ConfigTable, policies: &[PolicySpec], report: &mut Diagnostics<'_>) -> usize {
    let Some(name) = root.text("baseline") else { return 0 };
    let found = policies.iter().position(|policy| policy.name == name);
    found.unwrap_or_else(|| {
        let known: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
        let message = format!("there is no policy called `{}`", clip(name));
        report.hint(&root.spot("baseline"), message, composition::unknown_name(name, &known));
        0
    })
}

#[cfg(test)]
mod tests;
