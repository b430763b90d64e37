//! Scenario files: a question, a workload, what it can run on, and the
//! policies to compare. Reading one gives everything that a run needs, or
//! every problem in it at once, each with its place and a hint.

mod catalog;
mod composition;
mod difference;
mod document;
mod external;
mod identity;
mod key;
mod mix;
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
mod starter;
mod suite;
mod value;
mod work;
mod world;

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::model::{Market, World};
use crate::policy::spec::PolicySpec;
use crate::problem::{Problem, clip};
use crate::units::{Calendar, Span};
use crate::workload::{Capacity, OpenContext, WorkloadSpec};

use document::Document;
use section::{Report, Section};

pub use catalog::{
    Catalog, CatalogPrice, CatalogRegion, CatalogType, Listing, Provenance, SHIPPED, Tier,
    list as catalog_list, show as catalog_show,
};
pub use difference::{Difference, differences};
pub use identity::{Identity, concerns, definition};
pub use key::{BoundUnit, Key, Kind, keys};
pub use objective::{Comparison, Objective, ObjectiveMetric, Statistic};
pub use observed::Observed;
pub use part::{OPTIONS, PARTS, Parameter, PartOption, options};
pub use plan::{PlanSpec, minimised};
pub use preset::{PRESETS, Preset};
pub use quantity::{Quantity, percent as parse_percent, size as parse_size, span as parse_span};
pub use reference::{reference, suite_reference};
pub use schema::schema;
pub use section::kind_of;
pub use starter::{init_from, quickstart};
pub use suite::{Gate, Subject, Suite, Tested, Tolerance};

/// Most bytes of a scenario file.
const MOST_BYTES: u64 = 4 << 20;

/// When a run is stopped as out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most events of one run.
    pub max_events: u64,
    /// Most pieces of work alive at once.
    pub max_alive: u32,
    /// Most pieces of work of one run.
    pub max_jobs: u64,
    /// Longest simulated time of one run.
    pub max_simulated: Span,
}

/// Everything that a scenario file says.
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
    /// Seed of the first replication.
    pub seed: u64,
    /// How often an experiment repeats the scenario, where it says so.
    pub replications: Option<u32>,
    /// The long run is asked for, so a warm-up is left out.
    pub steady_state: bool,
    /// When the run ends at the latest.
    pub horizon: Option<Span>,
    /// When the run starts.
    pub calendar: Calendar,
    /// What work can run on, and what it costs.
    pub world: World,
    /// Where work comes from.
    pub workload: WorkloadSpec,
    /// The policies to compare, in file order; at least one.
    pub policies: Vec<PolicySpec>,
    /// What must hold.
    pub objectives: Vec<Objective>,
    /// What may be decided.
    pub plan: PlanSpec,
    /// What was observed in sum, for backtests.
    pub observed: Observed,
    /// What a reader must know: defaults used, assumed prices, what is not applied.
    pub assumptions: Vec<String>,
    /// The same of single policies, by their row.
    pub policy_assumptions: Vec<(usize, String)>,
    /// Files that were or will be read, besides the scenario itself.
    pub inputs: Vec<PathBuf>,
    /// When a run is stopped as out of bounds.
    pub limits: Limits,
}

impl Scenario {
    /// Reads the scenario file at `path`, after `key = value` edits of single values.
    ///
    /// # Errors
    /// Every problem in the file, in the edits and in the files that it names.
    pub fn load(path: &Path, overrides: &[(String, String)]) -> Result<Self, Vec<Problem>> {
        let shown = path.display().to_string();
        let text = text_of(path, "scenario")?;
        let base = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &shown, base, overrides)
    }

    /// Reads a scenario from its text. Problems name it `shown`; paths in it
    /// are relative to `base`.
    ///
    /// # Errors
    /// As [`Scenario::load`].
    pub fn parse(
        text: &str,
        shown: &str,
        base: &Path,
        overrides: &[(String, String)],
    ) -> Result<Self, Vec<Problem>> {
        let mut document = Document::new(text, shown);
        let refused = document.set(overrides);
        let syntax = syntax_problems(&document);
        if !syntax.is_empty() {
            return Err(syntax);
        }
        let mut report = Report { document: &document, problems: refused };
        let root = root(&document, "", &mut report);
        let read = read(&root, &document, base, &mut report);
        let mut problems = report.problems;
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems.dedup();
        match read {
            Some(scenario) if problems.is_empty() => Ok(scenario),
            _ => Err(problems),
        }
    }

    /// What is assumed where the policies in these rows run.
    pub fn assumed(&self, rows: Range<usize>) -> Vec<String> {
        let of_rows = self.policy_assumptions.iter().filter(|(row, _)| rows.contains(row));
        self.assumptions.iter().chain(of_rows.map(|(_, told)| told)).cloned().collect()
    }

    /// Milli-cores of the owned clusters, where nothing else can be had.
    pub fn owned_cores(&self) -> Option<u64> {
        let all_owned = self.world.offers.rows().iter().all(|offer| offer.market == Market::Owned);
        all_owned.then(|| owned_capacity(&self.world).cpu)
    }

    /// What the workload needs to know of a run with this seed.
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
/// Why it cannot be read.
pub(crate) fn text_of(path: &Path, what: &str) -> Result<String, Vec<Problem>> {
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        vec![Problem::with(&shown, format!("cannot read the {what}: {error}"))]
    };
    let facts = std::fs::metadata(path).map_err(unreadable)?;
    if !facts.is_file() {
        return Err(vec![Problem::with(&shown, "is not a regular file")]);
    }
    if facts.len() > MOST_BYTES {
        let message = format!("has {} bytes; a {what} has at most {MOST_BYTES}", facts.len());
        return Err(vec![Problem::with(&shown, message)]);
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|&&byte| byte == b'\n').count();
        vec![Problem::at(&shown, line as u64 + 1, 0, format!("the {what} is not UTF-8 text"))]
    })
}

/// What the owned clusters of a world offer in all.
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

/// What keeps the text from being TOML; nothing else can be told of it then.
fn syntax_problems(document: &Document) -> Vec<Problem> {
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

/// The document as a checked section below `pattern` of the table of keys.
fn root(document: &Document, pattern: &str, report: &mut Report<'_>) -> Section {
    let (table, errors) = DeTable::parse_recoverable(&document.text);
    for error in &errors {
        let range = error.span().unwrap_or(0..0);
        report.at(&range, error.message().lines().collect::<Vec<_>>().join(", "));
    }
    Section::read(table.get_ref(), (pattern, ""), 0..0, report)
}

fn read(
    root: &Section,
    document: &Document,
    base: &Path,
    report: &mut Report<'_>,
) -> Option<Scenario> {
    root.require("question", report);
    if root.span("horizon") == Some(Span::ZERO) {
        report.at(&root.spot("horizon"), "`horizon` must be longer than nothing");
    }
    let start = root.integer("start").or_else(|| work::beginning(root, base, report));
    let calendar = Calendar::from_unix_micros(start.unwrap_or(NEW_YEAR_2026));
    let mut build = world::read(root, calendar, base, report);
    let around = work::Around { base, world: &build.world };
    let work = work::read(root, around, report);
    let mut policies = composition::read(root, &build.world, base, report);
    let objectives = objective::read(&root.section("objectives"), report);
    let plan = plan::read(&root.section("plan"), report);
    let observed = observed::read(&root.section("observed"), &build.world, report);
    let baseline = baseline(root, &policies.specs, report);
    let limits = root.section("limits");
    let work = work?;
    let mut assumptions = std::mem::take(&mut build.assumptions);
    assumptions.extend(work.assumptions);
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
        let notes = mix::fill(&mut policies, &work.spec, &context, base, report);
        policies.assumptions.extend(notes.assumptions);
        inputs.extend(notes.inputs);
    }
    policies.assumptions.extend(unestimated(&policies.specs, &work.spec));
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
        seed,
        replications: root.count32("replications"),
        steady_state: root.flag("steady_state").unwrap_or(false),
        horizon: root.span("horizon"),
        calendar,
        world: build.world,
        workload: work.spec,
        policies: policies.specs,
        objectives,
        plan,
        observed,
        assumptions,
        policy_assumptions: policies.assumptions,
        inputs,
        limits: Limits {
            max_events: limits.count("max_events").unwrap_or(10_000_000_000),
            max_alive: limits.count32("max_alive").unwrap_or(3_000_000),
            max_jobs: limits.count("max_jobs").unwrap_or(1_000_000_000),
            max_simulated: limits.span("max_simulated").unwrap_or(CENTURY),
        },
    })
}

/// Policies that price work, where work may come without an estimate.
fn unestimated(policies: &[PolicySpec], workload: &WorkloadSpec) -> Vec<(usize, String)> {
    if !workload.may_lack_estimates() {
        return Vec::new();
    }
    let prices = |policy: &PolicySpec| {
        use crate::policy::spec::{Choice, Provision};
        let by_price = |choice| matches!(choice, Choice::Cheapest | Choice::RoundRobin);
        matches!(policy.provision, Provision::OnDemand { choice, .. } if by_price(choice))
    };
    let told = |policy: &PolicySpec| {
        let name = clip(&policy.name);
        format!("Policy {name} prices work without an estimate as if it ran for one hour.")
    };
    let rows = policies.iter().enumerate().filter(|(_, policy)| prices(policy));
    rows.map(|(row, policy)| (row, told(policy))).collect()
}

/// A hundred years.
const CENTURY: Span = Span::from_secs(36_500 * 86_400);

/// 2026-01-01T00:00:00Z in microseconds since 1970.
const NEW_YEAR_2026: i64 = 1_767_225_600_000_000;

/// The row of the baseline policy: the first one where none is named.
fn baseline(root: &Section, policies: &[PolicySpec], report: &mut Report<'_>) -> usize {
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
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn shipped(name: &str) -> Result<Scenario, Vec<Problem>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        Scenario::load(&folder.join(name), &[])
    }

    fn shown(problems: &[Problem]) -> String {
        problems.iter().map(|problem| format!("{problem}\n")).collect()
    }

    #[test]
    fn every_shipped_scenario_is_read() {
        let names = [
            "quickstart",
            "hybrid-burst",
            "batch-cluster",
            "vm-packing",
            "gpu-cluster",
            "sizing",
            "backtest",
        ];
        for name in names {
            let scenario = shipped(&format!("{name}.toml"));
            let problems = scenario.as_ref().err().map(|problems| shown(problems));
            assert_eq!(problems, None, "{name}");
            let scenario = scenario.unwrap();
            assert_eq!(scenario.name, name);
            assert!(scenario.policies.len() >= 3 && !scenario.assumptions.is_empty());
        }
    }

    const SMALL: &str = "question = \"?\"\n\
        [workload.synthetic]\ncount = 10\narrivals = { per_hour = 6 }\nclass.a.runtime = \"1 h\"\n\
        [cluster.c]\nnodes = 2\nshape = { vcpus = 4, memory = \"8 GiB\" }\n\
        [policy.p]\npreset = \"batch-fcfs\"\n";

    #[track_caller]
    fn check(text: &str, want: Expect) {
        let base = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = Scenario::parse(text, "a.toml", base, &[]);
        let problems = found.err().unwrap_or_default();
        want.assert_eq(&shown(&problems));
    }

    #[track_caller]
    fn check_set(edits: &[(&str, &str)], want: Expect) {
        let edits: Vec<_> = edits.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let found = Scenario::parse(SMALL, "a.toml", Path::new(""), &edits);
        want.assert_eq(&shown(&found.err().unwrap_or_default()));
    }

    #[test]
    fn problems_are_found_all_at_once_with_places_and_hints() {
        check(SMALL, expect![[r#""#]]);
        check(
            "",
            expect![[r#"
            a.toml:1:1: `question` is missing
              hint: `question` is a text
            a.toml:1:1: the scenario has no work
              hint: give `[workload]` a `trace`, or make `[workload.synthetic]`
            a.toml:1:1: a scenario needs at least one policy
              hint: add `[policy.today]` with `preset = "batch-backfill"`
        "#]],
        );
        check(
            &SMALL
                .replace("\"1 h\"", "60")
                .replace("\"8 GiB\"", "8")
                .replace("preset", "prset")
                .replace("count = 10", "cuont = 10"),
            expect![[r#"
                a.toml:2:1: it is not said when arrivals end
                  hint: give `count = 1000`, or `span = "7 d"`
                a.toml:3:1: unknown key `cuont` in `workload.synthetic`
                  hint: did you mean `count`?
                a.toml:5:19: `runtime` must be a span or a distribution of spans such as `"lognormal(median=35 s, p95=90 s)"`, found `60`
                  hint: expected a span such as `30 min`, found `60`
                a.toml:8:31: `memory` must be memory such as `"512 GiB"`, found `8`
                  hint: give its unit: `"8 GiB"`
                a.toml:10:1: unknown key `prset` in `policy.p`
                  hint: did you mean `preset`?
            "#]],
        );
        check(
            "question = \"?\"\nseed = -1\nbaseline = \"q\"\nhorizon = \"2 parsecs\"\nstart = 2026\n\
             [workload]\ntrace = \"none.swf\"\nestimates = \"often\"\n\
             [cluster.c]\nshape = { vcpus = 4, memory = \"8 GiB\", gpus = 8 }\n\
             [cluster.d]\nnodes = 2\nnode_list = \"x\"\nshape = { vcpus = 1 }\n\
             [cloud.awz]\nregions = [\"us-east-1\"]\n\
             [cloud.aws]\nregions = [\"us-esat-1\"]\ntypes = [\"m5.xlarg\"]\ndiscount = 12\nmarkets = [\"spott\"]\n\
             [objectives]\nwait_p95 = \">= 2 h\"\ncost_total = \"<= 7\"\n",
            expect![[r#"
                a.toml:1:1: a scenario needs at least one policy
                  hint: add `[policy.today]` with `preset = "batch-backfill"`
                a.toml:2:8: `seed` must be a whole number of at least 0, found `-1`
                a.toml:3:12: there is no policy called `q`
                  hint: there is none yet
                a.toml:4:11: `horizon` must be a span such as `"30 min"`, found `"2 parsecs"`
                a.toml:5:9: `start` must be a time such as `"2026-03-01T12:00:00Z"`, found `2026`
                a.toml:7:9: cannot read the trace `none.swf`: No such file or directory (os error 2)
                  hint: paths are relative to the scenario's folder
                a.toml:8:13: `estimates` must be `"runtime"`, `"factor(2)"` or `"none"`, found `"often"`
                a.toml:9:10: the cluster `c` has no nodes
                  hint: give `nodes` and `shape`, or groups, or a `node_list`
                a.toml:10:47: `gpus` must be GPUs such as `"8 x A100-80GB"`, found `8`
                  hint: name the model: `"8 x A100-80GB"`
                a.toml:13:13: a cluster has either `nodes` or `node_list`, not both
                  hint: put nodes of several shapes into `[cluster.NAME.group.X]`
                a.toml:15:8: there is no shipped catalog called `awz`
                  hint: did you mean `aws`? (or give `catalog`, the folder of your own)
                a.toml:18:12: AWS has no region called `us-esat-1`
                  hint: did you mean `us-east-1`?
                a.toml:19:10: AWS has no type called `m5.xlarg`
                  hint: did you mean `m5.xlarge`?
                a.toml:20:12: `discount` must be a percentage from 0 % to 100 % such as `"12 %"`, found `12`
                  hint: give its unit: `"12 %"`
                a.toml:21:12: `markets` must be a list of `"on-demand"` or `"spot"`, found `"spott"`
                  hint: did you mean `"spot"`?
                a.toml:23:12: `wait_p95` cannot be promised to be `>= 2 h`
                  hint: did you mean `"<= 2 h"`?
                a.toml:24:14: `cost_total` must be a bound such as `"<= 1000 USD"`, found `"<= 7"`
            "#]],
        );
        check(
            &format!(
                "{SMALL}[policy.a]\nextends = \"b\"\n[policy.b]\nextends = \"a\"\n[policy.c]\nextends = \"z\"\n\
                 [policy.d]\norder = \"fastest\"\n[policy.e.place]\nbest-fit.by = \"cpu\"\nfgd = {{}}\n\
                 [policy.f]\nprovision = \"cheapest\"\n[policy.g.provision.static]\nfleets = {{ \"c\" = 1, \"x\" = 2 }}\n"
            ),
            expect![[r#"
                a.toml:14:11: policies extend each other in a circle: a -> b -> a
                a.toml:16:11: there is no policy called `z`
                  hint: there is: p, a, b, c, d, e, f, g
                a.toml:18:9: `order` must be `"fcfs"`, `"shortest"`, `"smallest"`, `"largest"`, `"earliest-deadline"`, `"priority"`, `"wfp3"`, `"unicep"` or `"f1"`, found `"fastest"`
                a.toml:21:1: `place` names two parts, `best-fit` and `fgd`
                  hint: a policy has one part per question
                a.toml:23:13: there is nothing to rent in the market on-demand
                  hint: add a `[cloud.*]` with that market, or `provision = "owned-only"`
                a.toml:25:12: `c` is owned, it cannot be rented
                a.toml:25:21: there is no offer called `x`
                  hint: there is: c
            "#]],
        );
        check(
            "question = \"?\"\nseed = 1\nseed = 2\n[[[\nx = \"\n",
            expect![[r#"
                a.toml:3:1: duplicate key
                a.toml:4:3: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
            "#]],
        );
        check(
            "id,arrival_s,runtime_s\n1,0,5\n",
            expect![[r#"
                a.toml: is no scenario, which is a TOML file
                  hint: make one for a trace with `windtunnel init new.toml --from a.toml`
            "#]],
        );
        check(
            &SMALL.replace("[workload.synthetic]", "horizon = \"0 s\"\n[workload.synthetic]"),
            expect![[r#"
                a.toml:2:11: `horizon` must be longer than nothing
            "#]],
        );
    }

    #[test]
    fn wrong_workloads_have_places() {
        check(
            &SMALL.replace("per_hour = 6", "per_hour = 1e11"),
            expect![[r#"
                a.toml:4:25: arrivals per hour must be greater than 0, and at most 3,600,000,000
            "#]],
        );
        check(
            &format!(
                "{SMALL}[[workload.transform]]\nscale_arrivals = 1e300\n[[workload.transform]]\n\
                 inflate = {{ share = \"50 %\", resource = \"gpu\" }}\n"
            ),
            expect![[r#"
                a.toml:12:18: `scale_arrivals` must be a number greater than 0, found `1e300`
                  hint: it may be at most 1,000,000,000,000
            "#]],
        );
        check(
            &format!(
                "{SMALL}[[workload.transform]]\ninflate = {{ share = \"50 %\", resource = \"gpu\" }}\n"
            ),
            expect![[r#"
                a.toml:12:11: inflate: the world has no GPU to inflate to
            "#]],
        );
        check_set(
            &[("workload.synthetic.arrivals.per_hour", "1e11")],
            expect![[r#"
                --set workload.synthetic.arrivals.per_hour=1e11: arrivals per hour must be greater than 0, and at most 3,600,000,000
            "#]],
        );
        check_set(
            &[("seed", "18446744073709551615")],
            expect![[r#"
                --set seed=18446744073709551615: `seed` must be a whole number of at least 0, found `"18446744073709551615"`
                  hint: it may be at most 9223372036854775807
            "#]],
        );
    }

    #[test]
    fn assumptions_are_those_of_the_policies_that_run() {
        let cloud =
            "[cloud.aws]\nregions = [\"us-east-1\"]\n[policy.q]\nprovision = \"cheapest\"\n";
        let scenario = Scenario::parse(&format!("{SMALL}{cloud}"), "a.toml", Path::new(""), &[]);
        let scenario = scenario.unwrap();
        let told = "Policy q prices work without an estimate as if it ran for one hour.".to_owned();
        assert!(!scenario.assumed(0..1).contains(&told) && scenario.assumed(0..2).contains(&told));
    }

    #[test]
    fn a_policy_may_have_any_name() {
        check(&format!("{SMALL}[policy.\"<i>p</i>\"]\norder = \"fcfs\"\n"), expect![[r#""#]]);
    }

    #[test]
    fn constants_of_a_class_keep_their_ranges() {
        let class = "runtime = \"-5 s\"\ntasks = 2.5\nvcpus = -3\ngpus = 500\ngpu_share = 7\n";
        let text = format!("{SMALL}[workload.synthetic.class.wrong]\n{class}");
        check(
            &text,
            expect![[r#"
            a.toml:12:11: `runtime` must be a span or a distribution of spans such as `"lognormal(median=35 s, p95=90 s)"`, found `"-5 s"`
              hint: expected a span such as `30 min`, found `-5 s`
            a.toml:13:9: `tasks` must be a whole number of at least 1
            a.toml:14:9: `vcpus` must be from 0 to 4294967 cores
            a.toml:15:8: `gpus` must be a whole number from 0 to 32
            a.toml:16:13: `gpu_share` must be a share from 0.001 to 1
        "#]],
        );
    }

    #[test]
    fn problems_of_the_command_line_name_it() {
        check_set(
            &[("cluster.c.nodes", "0"), ("seed", "x")],
            expect![[r#"
                --set cluster.c.nodes=0: `nodes` must be a whole number from 1 to 1000000, found `0`
                --set seed=x: `seed` must be a whole number of at least 0, found `"x"`
            "#]],
        );
        check_set(
            &[("cluster.z.nodes", "3")],
            expect![[r#"
            --set cluster.z.nodes=3: cannot set `cluster.z.nodes`: the scenario has no `z`
              hint: only a key of a table that the file has can be set
        "#]],
        );
        check_set(
            &[("cluster.c.cost", "2 USD/h"), ("workload.synthetic.count", "5")],
            expect![[""]],
        );
        check_set(
            &[("policy.p.ordre", "fcfs")],
            expect![[r#"
                --set policy.p.ordre=fcfs: unknown key `ordre` in `policy.p`
                  hint: did you mean `order`?
            "#]],
        );
    }

    #[test]
    fn the_kind_of_a_path_is_found() {
        let whole = |path| matches!(kind_of(path), Some(Kind::Count(..)));
        assert!(whole("cluster.dc1.nodes") && whole("cluster.dc1.group.cpu.nodes"));
        assert!(
            matches!(kind_of("cloud.aws.quota.0.limit"), Some(Kind::Count(..))),
            "{:?}",
            kind_of("cloud.aws.quota.0.limit")
        );
        assert_eq!(
            kind_of("policy.\"a.b\".preset").map(|kind| matches!(kind, Kind::Choice(_))),
            Some(true)
        );
        assert_eq!(kind_of("cluster.dc1.nods"), None);
        assert_eq!(kind_of(""), None);
    }

    #[test]
    fn a_set_value_takes_effect() {
        let edits = [("cluster.c.nodes".to_owned(), "7".to_owned())];
        let scenario = Scenario::parse(SMALL, "a.toml", Path::new(""), &edits).unwrap();
        assert_eq!(scenario.world.offers.rows()[0].running_at_start, 7);
        assert!(scenario.text.contains("nodes = 7"));
        // 7 instances of 4 cores.
        assert_eq!(scenario.context(1, false).capacity.unwrap().cpu, 28_000);
    }

    #[test]
    fn the_world_holds_what_the_scenario_names() {
        let text = format!(
            "{SMALL}[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
             types = [\"m5.xlarge\"]\nmarkets = [\"spot\", \"on-demand\"]\ndiscount = \"10 %\"\n\
             quota = [{{ unit = \"vcpus\", limit = 8 }}]\n\
             [[cloud.aws.price]]\nmarket = \"on-demand\"\nfrom = \"1 h\"\nuntil = \"2 h\"\ndiscount = \"50 %\"\n"
        );
        let scenario = Scenario::parse(&text, "a.toml", Path::new(""), &[]).unwrap();
        let offers: Vec<&str> =
            scenario.world.offers.rows().iter().map(|offer| offer.name.as_str()).collect();
        let want = ["c", "aws/us-east-1a/m5.xlarge/on-demand", "aws/us-east-1a/m5.xlarge/spot"];
        assert_eq!(offers, want);
        // 0.192 $/h less 10 % is 0.1728; half of it for an hour.
        let price = &scenario.world.offers.rows()[1].price;
        assert_eq!(price.first.picos(), 172_800_000_000);
        let changes: Vec<(i64, i64)> = price
            .changes
            .iter()
            .map(|(at, rate)| (at.micros() / 3_600_000_000, rate.picos()))
            .collect();
        assert_eq!(changes, [(1, 86_400_000_000), (2, 172_800_000_000)]);
        assert_eq!(scenario.world.quotas[0].limit, 8_000);
        assert_eq!(scenario.world.quotas[0].name, "aws/us-east-1 vcpus");
        assert_eq!(scenario.world.links.len(), 4);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let text = String::from_utf8_lossy(&bytes);
            let _ = Scenario::parse(&text, "a.toml", Path::new("/nowhere"), &[]);
        }

        #[test]
        fn no_mutation_panics(
            which in 0usize..3,
            at in 0usize..9_000,
            gone in 0usize..40,
            new in "[a-z0-9.=\"\\[\\]{}\n -]{0,12}",
        ) {
            let text = [
                quickstart(),
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/hybrid-burst.toml")),
                SMALL,
            ][which];
            let mut from = at % text.len();
            while !text.is_char_boundary(from) {
                from -= 1;
            }
            let mut to = (from + gone).min(text.len());
            while !text.is_char_boundary(to) {
                to -= 1;
            }
            let text = format!("{}{new}{}", &text[..from], &text[to.max(from)..]);
            let _ = Scenario::parse(&text, "a.toml", Path::new("/nowhere"), &[]);
        }

        #[test]
        fn no_edit_panics(key in "[a-z.\"\\[0-9]{0,30}", value in "\\PC{0,20}") {
            let _ = Scenario::parse(SMALL, "a.toml", Path::new("/nowhere"), &[(key, value)]);
        }
    }
}
