//! A suite file: the policies of scenarios that are checked, how often each is run, and how much
//! worse than its baseline it may be.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Scenario;
use super::composition::unknown_name;
use super::document::ScenarioText;
use super::quantity;
use super::section::{ConfigTable, Diagnostics};
use crate::metrics::{Direction, METRICS, Metric};
use crate::policy::{Policy, PolicyFactory};
use crate::problem::{Problem, Problems, clip, did_you_mean};
use crate::text::file_name;
use crate::units::Span;

/// Replications if a suite does not say how many.
const REPLICATIONS: u32 = 5;
/// The gate on the share of work that finishes, where nothing is said of it: who leaves
/// work out must not pass by the waits of the rest.
const FINISHED: &str = "-0.1 pp";

/// Suite: everything that its file says.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file's name without its extension.
    pub name: String,
    /// The file, as the user named it.
    pub path: String,
    /// Confidence of intervals, and one minus the chance of any false finding; such as 0.95.
    pub confidence: f64,
    /// Whether a gate fails if its mean is beyond its margin, but not surely.
    pub unclear_fails: bool,
    /// Folder of the baselines.
    pub baselines: PathBuf,
    /// The scenarios that can be run, in file order.
    pub scenarios: Vec<Tested>,
    /// Scenarios that cannot be run; empty in a suite that is read as a whole.
    pub unreadable: Vec<UnreadableScenario>,
}

/// A scenario of a suite that cannot be run.
#[derive(Clone, Debug)]
pub struct UnreadableScenario {
    /// Its name in the suite.
    pub name: String,
    /// Problems of its file, and of what the suite says of it; at least one.
    pub problems: Vec<Problem>,
}

/// A scenario of a suite.
#[derive(Clone, Debug)]
pub struct Tested {
    /// Its name in the suite, which is a folder of baselines too.
    pub name: String,
    /// The scenario.
    pub scenario: Scenario,
    /// Rows of the policies that are checked.
    pub policies: Vec<usize>,
    /// Largest number of replications that it is run for.
    pub replications: u32,
    /// Left out at the start, or played before each window.
    pub warm_up: Option<Span>,
    /// Replications are windows of this length.
    pub window: Option<Span>,
    /// Replications are made of blocks of this length.
    pub resample: Option<Span>,
    /// Gates that must hold; at least one.
    pub gates: Vec<Gate>,
}

/// Subject that must not become worse than its tolerance allows.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Subject that is compared.
    pub subject: Subject,
    /// Largest change for the worse that is allowed.
    pub tolerance: Tolerance,
    /// The tolerance as the suite says it: `+2 %`.
    pub text: String,
}

/// Events or metric that a gate compares.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// Events: the hash over the records.
    Events,
    /// A metric.
    Metric(&'static Metric),
}

/// Largest change for the worse against the baseline that a gate allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// Not different at all, in any replication.
    Exact,
    /// A share of the baseline's mean.
    Relative(f64),
    /// An amount in the unit of the metric.
    Absolute(f64),
}

impl Subject {
    /// Its key in a suite.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Metric(metric) => metric.key,
        }
    }

    fn find(key: &str) -> Option<Self> {
        if key == "events" {
            return Some(Self::Events);
        }
        Metric::named(key).map(Self::Metric)
    }
}

impl Suite {
    /// Reads the suite file at `path` and the scenarios that it names.
    ///
    /// # Errors
    /// Every problem in the file and in the scenarios.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        Self::load_readable(path).and_then(Self::whole)
    }

    /// The same, but what is wrong with one scenario withholds nothing of the others:
    /// [`Suite::unreadable`] has it.
    ///
    /// # Errors
    /// Every problem of the suite itself, or of all scenarios where none can be run.
    pub fn load_readable(path: &Path) -> Result<Self, Problems> {
        let shown = path.display().to_string();
        let text = super::text_of(path, "suite")?;
        Self::read(&text, &shown, path.parent().unwrap_or(Path::new("")))
    }

    /// The suite itself, if every scenario can be run.
    fn whole(self) -> Result<Self, Problems> {
        let problems: Vec<Problem> =
            self.unreadable.iter().flat_map(|one| one.problems.clone()).collect();
        if problems.is_empty() { Ok(self) } else { Err(in_order(problems, &self.path).into()) }
    }

    /// Reads a suite from its text. Problems name it `shown`; paths in it are
    /// relative to `base`.
    ///
    /// # Errors
    /// Those of [`Suite::load`].
    pub fn parse(text: &str, shown: &str, base: &Path) -> Result<Self, Problems> {
        Self::read(text, shown, base).and_then(Self::whole)
    }

    fn read(text: &str, shown: &str, base: &Path) -> Result<Self, Problems> {
        let document = ScenarioText::new(text, shown);
        let mut report = Diagnostics::new(&document, Vec::new());
        let root = super::root(&document, "<suite>", &mut report);
        let gates = gates(&root.section("gates"), false, &mut report);
        let all = root.section("scenario");
        if all.entries.is_empty() {
            let hint = "add `[scenario.NAME]` with `file = \"NAME.toml\"`";
            report.hint(&root.spot("scenario"), "the suite has no scenarios", hint);
        }
        let usual = Usual {
            base,
            replications: root.count32("replications"),
            asks_nothing: root.section("gates").entries.is_empty(),
            gates,
        };
        let (mut scenarios, mut unreadable) = (Vec::new(), Vec::new());
        for (name, section, key) in all.sections() {
            let known = report.problems.len();
            let tested = usual.tested(name, section, key, &mut report);
            let mut problems = report.problems.split_off(known);
            match tested {
                Ok(tested) if problems.is_empty() => scenarios.extend(tested),
                Ok(_) => {}
                Err(more) => problems.extend(more),
            }
            if !problems.is_empty() {
                unreadable.push(UnreadableScenario { name: name.to_owned(), problems });
            }
        }
        let mut problems = report.problems;
        if !problems.is_empty() || scenarios.is_empty() {
            problems.extend(unreadable.into_iter().flat_map(|one| one.problems));
            return Err(in_order(problems, shown).into());
        }
        let name = Path::new(shown).file_stem();
        Ok(Self {
            name: name.map_or_else(|| "suite".to_owned(), |stem| clip(&stem.to_string_lossy())),
            path: shown.to_owned(),
            confidence: root.integer("confidence").unwrap_or(950_000) as f64 / 1e6,
            unclear_fails: root.text("unclear") == Some("fail"),
            baselines: base.join(root.text("baselines").unwrap_or("baselines")),
            scenarios,
            unreadable,
        })
    }
}

impl Suite {
    /// Path of the baseline of a policy.
    pub fn baseline_path(&self, tested: &Tested, policy: &str) -> PathBuf {
        let file = format!("{}.toml", file_name(policy));
        self.baselines.join(file_name(&tested.name)).join(file)
    }

    /// Adds a policy that is a Rust type to all scenarios, as [`Scenario::add_policy`] does, to be
    /// checked in each.
    pub fn add_policy(
        &mut self,
        name: &str,
        version: &str,
        make: impl Fn() -> Box<dyn Policy> + Send + Sync + 'static,
    ) {
        let factory = PolicyFactory::new(version, make);
        for tested in &mut self.scenarios {
            let row = tested.scenario.put(name, factory.clone());
            if !tested.policies.contains(&row) {
                tested.policies.push(row);
            }
        }
    }
}

/// Problems of the suite in the order of its lines, then those of other files; each once.
fn in_order(problems: Vec<Problem>, suite: &str) -> Vec<Problem> {
    let (mut own, others): (Vec<Problem>, Vec<Problem>) =
        problems.into_iter().partition(|problem| problem.path == suite);
    own.sort_by_key(|problem| (problem.line, problem.column));
    own.extend(others);
    own.dedup();
    own
}

/// Settings of every scenario of a suite that says nothing else.
struct Usual<'a> {
    base: &'a Path,
    replications: Option<u32>,
    asks_nothing: bool,
    gates: Vec<(&'static str, Option<Gate>)>,
}

impl Usual<'_> {
    /// A scenario of the suite; `None` if the suite is wrong about it.
    ///
    /// # Errors
    /// Problems of the scenario itself.
    fn tested(
        &self,
        name: &str,
        section: &ConfigTable,
        key: &Range<usize>,
        report: &mut Diagnostics<'_>,
    ) -> Result<Option<Tested>, Problems> {
        let mut kept = self.gates.clone();
        for (subject, gate) in gates(&section.section("gates"), true, report) {
            kept.retain(|(known, _)| *known != subject);
            kept.push((subject, gate));
        }
        let is_said = |(subject, gate): &(&str, Option<Gate>)| {
            *subject == "finished" || *subject == "events" && gate.is_some()
        };
        let unsaid = !kept.is_empty() && !kept.iter().any(is_said);
        let mut gates: Vec<Gate> = kept.into_iter().filter_map(|(_, gate)| gate).collect();
        gates.extend(finished().filter(|_| unsaid));
        let none = self.asks_nothing && section.section("gates").entries.is_empty();
        if gates.is_empty() && none {
            let hint = "add `[gates]` with `events = \"exact\"` or `cost_total = \"+2 %\"`";
            report.hint(key, format!("nothing is asked of `{}`", clip(name)), hint);
        }
        if section.has("window") && section.has("resample") {
            let message = "windows and blocks cannot be had at once";
            report.hint(&section.spot("resample"), message, "choose one of them");
        }
        let file = section.text("file").map_or_else(|| format!("{name}.toml"), str::to_owned);
        let path = self.base.join(&file);
        if !path.exists() {
            let place = if section.has("file") { section.spot("file") } else { key.clone() };
            let message = format!("there is no scenario file `{}`", clip(&file));
            report.hint(&place, message, "`file` is relative to the suite's folder");
            return Ok(None);
        }
        let scenario = Scenario::load(&path, &[])?;
        let policies = policies(section, &scenario, report);
        let usual = self.replications.unwrap_or(REPLICATIONS);
        Ok(Some(Tested {
            name: name.to_owned(),
            policies,
            replications: section.count32("replications").unwrap_or(usual),
            warm_up: section.span("warm_up"),
            window: section.span("window"),
            resample: section.span("resample"),
            gates,
            scenario,
        }))
    }
}

/// Rows of the policies that the suite names, or of all.
fn policies(
    section: &ConfigTable,
    scenario: &Scenario,
    report: &mut Diagnostics<'_>,
) -> Vec<usize> {
    if !section.has("policies") {
        return (0..scenario.policies.len()).collect();
    }
    let known: Vec<&str> = scenario.policies.iter().map(|policy| policy.name.as_str()).collect();
    let mut rows = Vec::new();
    for (name, range) in section.texts("policies") {
        match known.iter().position(|known| known == name) {
            Some(row) => rows.push(row),
            None => {
                let message = format!("the scenario has no policy called `{}`", clip(name));
                report.hint(range, message, unknown_name(name, &known));
            }
        }
    }
    if section.texts("policies").is_empty() {
        report.at(&section.spot("policies"), "no policy is named");
    }
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The gate on `finished` that there is by default.
fn finished() -> Option<Gate> {
    let subject = Subject::find("finished")?;
    let tolerance = tolerance(subject, FINISHED).ok()?;
    Some(Gate { subject, tolerance, text: FINISHED.to_owned() })
}

/// Reads a table of gates; `off` is none, where that is allowed: in a scenario's, and of
/// the gate that there is by default.
fn gates(
    section: &ConfigTable,
    may_be_off: bool,
    report: &mut Diagnostics<'_>,
) -> Vec<(&'static str, Option<Gate>)> {
    let mut gates = Vec::new();
    for entry in &section.entries {
        let Some(subject) = Subject::find(&entry.name) else {
            let known = METRICS.iter().map(|metric| metric.key).chain(["events"]);
            let hint = match did_you_mean(&entry.name, known.clone()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there is: {}", known.collect::<Vec<_>>().join(", ")),
            };
            let message = format!("there is no metric called `{}`", clip(&entry.name));
            report.hint(&entry.key, message, hint);
            continue;
        };
        let Some(text) = section.text(&entry.name) else { continue };
        if text == "off" && (may_be_off || subject.key() == "finished") {
            gates.push((subject.key(), None));
            continue;
        }
        match tolerance(subject, text) {
            Ok(tolerance) => {
                let gate = Gate { subject, tolerance, text: text.to_owned() };
                gates.push((subject.key(), Some(gate)));
            }
            Err(hint) => {
                let message = format!("`{}` is no margin for `{}`", clip(text), entry.name);
                report.hint(&entry.node.range, message, hint);
            }
        }
    }
    gates
}

/// Tolerance that `text` gives the subject, or what to write instead.
fn tolerance(subject: Subject, text: &str) -> Result<Tolerance, String> {
    if text == "exact" {
        return Ok(Tolerance::Exact);
    }
    let Subject::Metric(metric) = subject else {
        return Err("`events` are compared byte by byte: write `\"exact\"`".to_owned());
    };
    let sign = match metric.better {
        Direction::Lower => "+",
        Direction::Higher => "-",
        Direction::Neutral => "±",
    };
    let example = match metric.unit {
        "USD" => "10 USD",
        "s" => "30 s",
        "share" => "1 pp",
        _ => "5",
    };
    let expected = format!("write `\"{sign}2 %\"`, `\"{sign}{example}\"` or `\"exact\"`");
    let Some(size) = text.strip_prefix(sign).map(str::trim) else {
        let other = text.strip_prefix(['+', '-', '±', '−']).filter(|_| !text.starts_with(sign));
        return Err(match other {
            Some(rest) => format!(
                "worse is `{sign}` here: did you mean `\"{sign}{}\"`?",
                clip(rest.trim_start())
            ),
            None => expected,
        });
    };
    if let Some(share) = quantity::percent(size).filter(|&share| share >= 0) {
        if metric.better == Direction::Higher && share > 1_000_000 {
            return Err("nothing falls by more than `100 %` of what it was".to_owned());
        }
        return Ok(Tolerance::Relative(share as f64 / 1e6));
    }
    let plain = |text: &str| -> Option<f64> {
        let number: f64 = quantity::decimal(text)?.to_string().parse().ok()?;
        Some(number).filter(|number| number.is_finite() && *number >= 0.0)
    };
    let size = match metric.unit {
        "USD" => size.strip_suffix("USD").and_then(|number| plain(number.trim())),
        "s" => quantity::span(size).map(Span::secs_f64),
        "share" => size.strip_suffix("pp").and_then(|number| Some(plain(number.trim())? / 100.0)),
        _ => plain(size),
    };
    if metric.unit == "share" && size.is_some_and(|points| points > 1.0) {
        return Err("no share moves by more than `100 pp`".to_owned());
    }
    size.map(Tolerance::Absolute).ok_or(expected)
}

#[cfg(test)]
mod tests;
