//! Scenario files: a question, a workload, what it can run on, and the
//! policies to compare. Reading one gives everything that a run needs, or
//! every problem in it at once, each with its place and a hint.

mod catalog;
mod composition;
mod document;
mod key;
mod mix;
mod objective;
mod part;
mod preset;
mod quantity;
mod reference;
mod schema;
mod section;
mod starter;
mod text;
mod value;
mod work;
mod world;

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
pub use key::{BoundUnit, Key, Kind, keys};
pub use objective::{Comparison, Objective, ObjectiveMetric, Statistic};
pub use part::{OPTIONS, PARTS, Parameter, PartOption, options};
pub use preset::{PRESETS, Preset};
pub use reference::reference;
pub use schema::schema;
pub use starter::{init_from, quickstart, starter};

/// When a run is stopped as out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most events of one run.
    pub max_events: u64,
    /// Most times that a policy is asked at one instant.
    pub max_turns: u32,
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
    /// What a reader must know: defaults used, assumed prices, what is not applied.
    pub assumptions: Vec<String>,
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
        let bytes = std::fs::read(path).map_err(|error| {
            vec![Problem::with(&shown, format!("cannot read the scenario: {error}"))]
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..good].iter().filter(|&&byte| byte == b'\n').count();
            vec![Problem::at(&shown, line as u64 + 1, 0, "the scenario is not UTF-8 text")]
        })?;
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

/// The document as a checked section below `pattern` of the table of keys.
fn root(document: &Document, pattern: &str, report: &mut Report<'_>) -> Section {
    let (table, errors) = DeTable::parse_recoverable(&document.text);
    for error in &errors {
        let range = error.span().unwrap_or(0..0);
        report.at(&range, error.message().lines().collect::<Vec<_>>().join(", "));
    }
    Section::read(table.get_ref(), pattern, 0..0, report)
}

fn read(
    root: &Section,
    document: &Document,
    base: &Path,
    report: &mut Report<'_>,
) -> Option<Scenario> {
    root.require("question", report);
    let calendar = Calendar::from_unix_micros(root.integer("start").unwrap_or(NEW_YEAR_2026));
    let mut build = world::read(root, calendar, base, report);
    let around = work::Around { base, world: &build.world };
    let work = work::read(root, around, report);
    let mut policies = composition::read(root, &build.world, report);
    let objectives = objective::read(&root.section("objectives"), report);
    let baseline = baseline(root, &policies.specs, report);
    let limits = root.section("limits");
    let work = work?;
    let mut assumptions = std::mem::take(&mut build.assumptions);
    assumptions.extend(work.assumptions);
    let mut inputs = std::mem::take(&mut build.inputs);
    inputs.extend(work.inputs);
    let seed = root.count("seed").unwrap_or(1);
    if report.problems.is_empty() {
        let context = OpenContext {
            seed,
            calendar,
            keep_names: false,
            capacity: Some(owned_capacity(&build.world)),
        };
        let notes = mix::fill(&mut policies, &work.spec, &context, base, report);
        assumptions.extend(notes.assumptions);
        inputs.extend(notes.inputs);
    }
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
        horizon: root.span("horizon"),
        calendar,
        world: build.world,
        workload: work.spec,
        policies: policies.specs,
        objectives,
        assumptions,
        inputs,
        limits: Limits {
            max_events: limits.count("max_events").unwrap_or(1_000_000_000),
            max_turns: limits.count32("max_turns").unwrap_or(10_000),
        },
    })
}

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
        for name in ["quickstart", "hybrid-burst", "batch-cluster", "vm-packing", "gpu-cluster"] {
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
}
