//! `windtunnel compare`: the policies of a scenario over many replications,
//! side by side, and the verdict.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::{CompareArgs, How, Which};
use super::exit::{CommandResult, Stop};
use super::folder::{self, Folder};
use super::guard::ResourceGuard;
use super::session::{Experiment, ExperimentSession, stopped};
use super::{calibration, load, recipe, run};
use windtunnel::experiment::{
    self, Arm, Asked, CautionedRun, FullRun, Judging, NoPlan, Runner, backlog, estimated_prices,
    nothing_to_gate, waiting,
};
use windtunnel::report::{
    ComparisonReport, PolicyResult, RunReport, TextCells, comparison_charts, replication_charts,
};
use windtunnel::scenario::{Scenario, not_modelled};
use windtunnel::text::file_name;
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
    let (many, exhibits, decision) =
        session.work(|runner| measure(runner, &sides, (baseline, one_work), arguments))?;
    let mut reports: Vec<RunReport> = sides
        .iter()
        .zip(&exhibits)
        .map(|(side, exhibit)| recipe::report(side.scenario, side.policy, &exhibit.result))
        .collect::<Result<_, _>>()?;
    reports[0].assumptions.insert(0, unmodelled(&scenarios, &contenders));
    let shown: Vec<CautionedRun<'_>> = sides.iter().zip(&exhibits).map(shown).collect();
    let mut cautions: Vec<String> =
        decision.iter().filter_map(|one| estimated_prices(&shown[one.choice])).collect();
    cautions.extend(nothing_to_gate(how.gate, &scenarios[0]));
    cautions.extend(experiment::cautions(&shown));
    cautions.extend(backlog(many.policies.iter().map(|one| {
        let runs = one.measurements.iter().map(|run| waiting(&run.course, many.repetition));
        (one.name.as_str(), runs.collect())
    })));
    if many.policies.iter().all(|one| one.measurements.iter().all(|run| run.done.submitted == 0)) {
        return Err(Stop::Input(vec![run::no_work(&scenarios[0])]));
    }
    let question = scenarios[0].question.as_str();
    let comparison = ComparisonReport {
        question: Some(question).filter(|question| !question.is_empty()),
        many: &many,
        decision: decision.as_ref(),
        between: between.as_ref(),
        calibration: calibration.as_ref(),
        cautions,
        rows: sides
            .iter()
            .zip(exhibits.iter().zip(&reports))
            .map(|(side, (exhibit, report))| PolicyResult::of(side, exhibit, &report.objectives))
            .collect(),
        reports: &reports,
    };
    let written = match session.folder() {
        Some(folder) => {
            let manifest = write(folder, &sides, &comparison, &exhibits)?;
            session.finish(manifest)?
        }
        None => None,
    };
    show(&comparison, how, written)?;
    gate(&comparison, how)
}

/// Sentence on the effects that neither scenario models.
fn unmodelled(scenarios: &[Scenario], contenders: &[Contender]) -> String {
    let of = |(at, scenario): (usize, &Scenario)| {
        let rows = contenders.iter().filter(|one| one.scenario == at).map(|one| one.policy);
        scenario.unmodelled(&rows.collect::<Vec<_>>())
    };
    not_modelled(scenarios.iter().enumerate().flat_map(of))
}

/// One side and its first run.
fn shown<'a>((side, exhibit): (&Arm<'a>, &'a FullRun)) -> CautionedRun<'a> {
    let facts = &exhibit.measurement.facts;
    CautionedRun { name: side.name, scenario: side.scenario, policy: side.policy, facts }
}

type ComparedRuns = (experiment::Comparison, Vec<FullRun>, Option<experiment::Decision>);

/// Runs everything; decides where all sides have one and the same work.
fn measure(
    runner: &Runner<'_>,
    sides: &[Arm<'_>],
    (baseline, one_work): (usize, bool),
    arguments: &CompareArgs,
) -> Result<ComparedRuns, Stop> {
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
    let plan = experiment::plan(runner, sides, asked).map_err(|no_plan| match no_plan {
        NoPlan::Problem(problem) => Stop::Input(vec![problem]),
        NoPlan::Lab(failure) => stopped(failure),
    })?;
    let (many, exhibits) =
        experiment::compare(runner, sides, baseline, &plan, judging).map_err(stopped)?;
    let decision = match one_work {
        true => Some(experiment::decide(runner, sides, &many).map_err(stopped)?),
        false => None,
    };
    Ok((many, exhibits, decision))
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

/// Writes everything but the manifest, which it gives.
fn write(
    folder: &Folder,
    sides: &[Arm<'_>],
    comparison: &ComparisonReport<'_>,
    exhibits: &[FullRun],
) -> Result<Value, Stop> {
    let cells = TextCells::Guarded;
    let out = comparison.write_csv(folder.file("compare.csv")?, cells)?;
    folder::finish(out, "compare.csv")?;
    let out = comparison.write_replications(folder.file("replications.csv")?, cells)?;
    folder::finish(out, "replications.csv")?;
    let out = comparison.write_breakdown(folder.file("breakdown.csv")?, cells)?;
    folder::finish(out, "breakdown.csv")?;
    let out = comparison.write_waterfall(folder.file("waterfall.csv")?, cells)?;
    folder::finish(out, "waterfall.csv")?;
    let names = &exhibits[comparison.baseline()].names;
    let out = comparison.write_outcome_changes(folder.file("fates.csv")?, names, cells)?;
    folder::finish(out, "fates.csv")?;
    let mut json = Vec::new();
    comparison.write_json(&mut json)?;
    folder.write("compare.json", &json)?;
    folder.write("decision.md", comparison.document(Vec::new()).markdown().as_bytes())?;
    for (side, report) in sides.iter().zip(comparison.reports) {
        let mut summary = Vec::new();
        report.write_json(&mut summary)?;
        folder.write(&format!("policies/{}/summary.json", file_name(side.name)), &summary)?;
    }
    let scenario = sides[0].scenario;
    folder.write("scenario.toml", scenario.text.as_bytes())?;
    if let Some(other) = sides.iter().find(|side| side.scenario.text != scenario.text) {
        folder.write("other.toml", other.scenario.text.as_bytes())?;
    }
    let mut charts = replication_charts(&scenario.world, comparison);
    charts.extend(comparison_charts(&scenario.world, comparison));
    recipe::write_page(folder, "compare.html", charts, |charts| comparison.document(charts))?;
    let names: Vec<&str> = sides.iter().map(|side| side.name).collect();
    Ok(recipe::manifest(&recipe::recipe(scenario, &names.join(", "))?, None))
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

/// With `--gate`: every policy whose means break a promise is a finding.
fn gate(comparison: &ComparisonReport<'_>, how: &How) -> CommandResult {
    let broken = comparison.breakers();
    if how.gate && !broken.is_empty() {
        return Err(Stop::Finding(format!("objectives not met by {}", broken.join(", "))));
    }
    Ok(())
}
