//! `windtunnel compare`: the policies of a scenario over many replications,
//! side by side, and the verdict.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::{CompareArgs, How, Which};
use super::check::stop_experiment;
use super::exit::{CommandResult, Stop};
use super::guard::ResourceGuard;
use super::session::{Experiment, ExperimentSession};
use super::{calibration, load, run};
use windtunnel::experiment::{self, Arm, Asked, ComparedArms, Judging, Runner, nothing_to_gate};
use windtunnel::report::{ComparisonReport, ComparisonResults};
use windtunnel::scenario::Scenario;
use windtunnel::units::Span;

mod pair;

/// A policy of one of the scenarios.
struct Contender {
    name: String,
    scenario: usize,
    policy: usize,
}

/// Runs the policies and shows them against the baseline.
pub(super) fn compare(arguments: &CompareArgs) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.many.bounds);
    let mut scenarios = vec![load::open(&arguments.which)?];
    if let Some(other) = &arguments.other {
        scenarios.push(load::open(&Which { scenario: other.clone(), ..arguments.which.clone() })?);
    }
    let labels = pair::labels(&scenarios);
    let contenders = contenders(&scenarios, &labels, &arguments.policies)?;
    let between = pair::between(&scenarios, &labels)?;
    pair::share_promises(&mut scenarios);
    let how = &arguments.how;
    let experiment = Experiment {
        kind: "compare",
        name: format!("{}-compare", scenarios[0].name),
        scenarios: &scenarios,
        parameters: parameters(arguments),
    };
    let calibration = calibration::load(&scenarios[0])?;
    let mut session = ExperimentSession::open(guard, (how, &arguments.many), &experiment)?;
    for scenario in &mut scenarios {
        arguments.many.bounds.limit(scenario);
        experiment::share_inputs(scenario)
            .map_err(|failure| Stop::of_run(failure, &scenario.path))?;
    }
    let sides: Vec<Arm<'_>> = contenders
        .iter()
        .map(|one| Arm {
            name: &one.name,
            scenario: &scenarios[one.scenario],
            policy: &scenarios[one.scenario].policies[one.policy],
        })
        .collect();
    let is_baseline = |one: &Contender| one.scenario == 0 && one.policy == scenarios[0].baseline;
    let baseline = contenders.iter().position(is_baseline).unwrap_or(0);
    let one_work = between.as_ref().is_none_or(|between| between.same_work);
    let compared =
        session.work(|runner| measure(runner, sides, (baseline, one_work), arguments))?;
    let all = || compared.comparison.policies.iter().flat_map(|one| &one.measurements);
    if all().all(|run| run.done.submitted == 0) {
        return Err(Stop::Input(run::no_work(&scenarios[0]).into()));
    }
    let mut results = ComparisonResults::of(compared)?;
    let unheld = nothing_to_gate(how.gate, &scenarios[0]);
    results.cautions.splice(0..0, unheld);
    (results.between, results.calibration) = (between, calibration);
    let comparison = results.report();
    let written = match session.folder() {
        Some(folder) => {
            let manifest = results.write(folder)?;
            session.finish(manifest)?
        }
        None => None,
    };
    show(&comparison, how, written)?;
    let named = &scenarios[0].policies[scenarios[0].baseline].name;
    let asked = &arguments.policies;
    let beside = (!asked.is_empty() && !asked.contains(named)).then_some(baseline);
    gate(&comparison, beside, how)
}

/// Runs everything; decides where all sides have one and the same work.
fn measure<'a>(
    runner: &Runner<'_>,
    sides: Vec<Arm<'a>>,
    baseline: (usize, bool),
    arguments: &CompareArgs,
) -> Result<ComparedArms<'a>, Stop> {
    let most = arguments.until_precision.map(|_| MOST_REPLICATIONS);
    let asked = Asked {
        replications: arguments.replications.or(most),
        window: arguments.window,
        warm_up: arguments.warm_up,
        resample: arguments.resample,
    };
    let judging = Judging {
        confidence: arguments.confidence,
        margin: arguments.margin,
        precision: arguments.until_precision,
    };
    ComparedArms::run(runner, sides, baseline, asked, judging).map_err(stop_experiment)
}

/// Replications after which a comparison with `--until-precision` gives up.
const MOST_REPLICATIONS: u32 = 1_000;

/// Parameters that decide, besides the scenarios, which runs there are and what is made of them.
fn parameters(arguments: &CompareArgs) -> Vec<(&'static str, Value)> {
    let micros = |span: Option<Span>| span.map(Span::micros);
    vec![
        ("replications", json!(arguments.replications)),
        ("until-precision", json!(arguments.until_precision)),
        ("confidence", json!(arguments.confidence)),
        ("margin", json!(arguments.margin)),
        ("window", json!(micros(arguments.window))),
        ("warm-up", json!(micros(arguments.warm_up))),
        ("resample", json!(micros(arguments.resample))),
        ("policies", json!(arguments.policies)),
    ]
}

/// The named policies of each scenario, or all, and always the baseline of the first.
fn contenders(
    scenarios: &[Scenario],
    labels: &[String],
    names: &[String],
) -> Result<Vec<Contender>, Stop> {
    let mut all = Vec::new();
    for (at, scenario) in scenarios.iter().enumerate() {
        let mut rows: Vec<usize> = match names.is_empty() {
            true => (0..scenario.policies.len()).collect(),
            false => names
                .iter()
                .map(|name| load::policy(scenario, name))
                .collect::<Result<_, Stop>>()?,
        };
        if at == 0 {
            rows.push(scenario.baseline);
        }
        rows.sort_unstable();
        rows.dedup();
        all.extend(rows.into_iter().map(|policy| Contender {
            name: match scenarios.len() {
                1 => scenario.policies[policy].name.clone(),
                _ => format!("{}: {}", labels[at], scenario.policies[policy].name),
            },
            scenario: at,
            policy,
        }));
    }
    Ok(all)
}

fn show(comparison: &ComparisonReport<'_>, how: &How, written: Option<PathBuf>) -> CommandResult {
    let mut out = std::io::stdout().lock();
    if how.json {
        comparison.write_json(&mut out)?;
    } else {
        let document = comparison.document(Vec::new());
        out.write_all(document.text(run::terminal()).as_bytes())?;
    }
    out.flush()?;
    run::tell_folder(how, written, "compare.html");
    Ok(())
}

/// The gate of `--gate`: every policy whose means break a promise is a finding, but for the
/// baseline `beside` the policies that were asked for.
fn gate(comparison: &ComparisonReport<'_>, beside: Option<usize>, how: &How) -> CommandResult {
    let beside = beside.map(|row| comparison.many.policies[row].name.as_str());
    let mut broken = comparison.breakers();
    broken.retain(|&name| Some(name) != beside);
    if how.gate && !broken.is_empty() {
        return Err(Stop::Finding(format!("objectives not met by {}", broken.join(", "))));
    }
    Ok(())
}
