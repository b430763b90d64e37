//! `windtunnel compare`: the policies of a scenario over many replications,
//! side by side, and the verdict.

use std::io::Write;
use std::path::PathBuf;

use super::args::{Compare, How, Which};
use super::exit::{Done, Stop};
use super::folder::{self, Folder};
use super::process::Processes;
use super::progress::Bar;
use super::{calibration, open, recipe, run};
use crate::experiment::{
    self, Asked, Exhibit, Forgetful, Judging, Lab, LabFailure, NoPlan, Side, Watch,
};
use crate::report::{Comparison, ObjectiveResult, PolicyResult, TextCells, comparison_text};
use crate::scenario::Scenario;
use crate::sim::Progress;

/// A policy of one of the scenarios.
struct Contender {
    name: String,
    scenario: usize,
    policy: usize,
}

/// Runs the policies and shows them against the baseline.
pub(super) fn compare(arguments: &Compare) -> Done {
    let mut scenarios = vec![open::open(&arguments.which)?];
    if let Some(other) = &arguments.other {
        scenarios.push(open::open(&Which { scenario: other.clone(), ..arguments.which.clone() })?);
    }
    let contenders = contenders(&scenarios, &arguments.policies)?;
    let how = &arguments.how;
    let folder = match how.no_out {
        true => None,
        false => {
            let target = run::target(how, &format!("{}-compare", scenarios[0].name));
            Some(Folder::create(&target, how.force)?)
        }
    };
    let calibration = calibration::told(&scenarios[0])?;
    for scenario in &mut scenarios {
        experiment::share_inputs(scenario)
            .map_err(|failure| Stop::of_run(failure, &scenario.path))?;
    }
    let sides: Vec<Side<'_>> = contenders
        .iter()
        .map(|one| Side {
            name: &one.name,
            scenario: &scenarios[one.scenario],
            policy: &scenarios[one.scenario].policies[one.policy],
        })
        .collect();
    let is_baseline = |one: &Contender| one.scenario == 0 && one.policy == scenarios[0].baseline;
    let baseline = contenders.iter().position(is_baseline).unwrap_or(0);
    let watch = Watching { bar: Bar::new("comparing", None, how.quiet) };
    let lab = Lab { memory: &Forgetful, watch: &watch, audit: how.audit, launcher: &Processes };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads.map_or(0, usize::from))
        .build()
        .map_err(|error| Stop::Files(error.into()))?;
    let measured = pool.install(|| measure(&lab, &sides, baseline, arguments));
    watch.bar.clear();
    let (many, exhibits, decision) = measured?;
    let objectives: Vec<Vec<ObjectiveResult>> =
        exhibits.iter().map(|exhibit| recipe::objectives(&scenarios[0], &exhibit.result)).collect();
    let question = scenarios[0].question.as_str();
    let comparison = Comparison {
        question: Some(question).filter(|question| !question.is_empty()),
        many: &many,
        decision: Some(&decision),
        calibration: calibration.as_deref(),
        rows: sides
            .iter()
            .zip(exhibits.iter().zip(&objectives))
            .map(|(side, (exhibit, objectives))| PolicyResult::of(side, exhibit, objectives))
            .collect(),
    };
    let written = match folder {
        Some(folder) => Some(write(folder, &sides, &comparison, &exhibits)?),
        None => None,
    };
    show(&comparison, how, written)?;
    gate(&comparison, how)
}

type Measured = (experiment::Comparison, Vec<Exhibit>, experiment::Decision);

fn measure(
    lab: &Lab<'_>,
    sides: &[Side<'_>],
    baseline: usize,
    arguments: &Compare,
) -> Result<Measured, Stop> {
    let asked = Asked {
        replications: arguments.replications,
        window: arguments.window,
        warm_up: arguments.warm_up,
        resample: arguments.resample,
    };
    let judging = Judging {
        confidence: arguments.confidence,
        margin: arguments.margin,
        precision: arguments.until_precision,
    };
    let failed = |failure| stop(failure, sides[0].scenario);
    let mut plan = experiment::plan(lab, sides, asked).map_err(|no_plan| match no_plan {
        NoPlan::Problem(problem) => Stop::Input(vec![problem]),
        NoPlan::Lab(failure) => failed(failure),
    })?;
    if judging.precision.is_some() && arguments.replications.is_none() {
        plan.replications = plan.replications.max(MOST_REPLICATIONS);
    }
    let (many, exhibits) =
        experiment::compare(lab, sides, baseline, &plan, judging).map_err(failed)?;
    let decision = experiment::decide(lab, sides, &many).map_err(failed)?;
    Ok((many, exhibits, decision))
}

/// Replications after which a comparison with `--until-precision` gives up.
const MOST_REPLICATIONS: u32 = 1_000;

/// An experiment that could not go on.
pub(super) fn stop(failure: LabFailure, scenario: &Scenario) -> Stop {
    match failure {
        LabFailure::Run { policy, seed, failure } => {
            let again =
                format!("windtunnel run {} --policy {policy} --seed {seed} --audit", scenario.path);
            Stop::of_run(failure, &again)
        }
        LabFailure::Memory(error) => Stop::Files(error.into()),
    }
}

/// Shows how far the runs have come.
pub(super) struct Watching {
    pub(super) bar: Bar,
}

impl Watch for Watching {
    fn step(&self, progress: Progress) -> std::ops::ControlFlow<()> {
        self.bar.step(progress)
    }
}

/// The named policies of each scenario, or all, and always the baseline of the first.
fn contenders(scenarios: &[Scenario], names: &[String]) -> Result<Vec<Contender>, Stop> {
    let mut all = Vec::new();
    for (at, scenario) in scenarios.iter().enumerate() {
        let mut rows: Vec<usize> = match names.is_empty() {
            true => (0..scenario.policies.len()).collect(),
            false => names
                .iter()
                .map(|name| open::policy(scenario, name))
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
                _ => format!("{}: {}", scenario.name, scenario.policies[policy].name),
            },
            scenario: at,
            policy,
        }));
    }
    Ok(all)
}

fn write(
    folder: Folder,
    sides: &[Side<'_>],
    comparison: &Comparison<'_>,
    exhibits: &[Exhibit],
) -> Result<PathBuf, Stop> {
    let cells = TextCells::Guarded;
    let out = comparison.write_csv(folder.file("compare.csv")?, cells)?;
    folder::finish(out, "compare.csv")?;
    let out = comparison.write_replications(folder.file("replications.csv")?, cells)?;
    folder::finish(out, "replications.csv")?;
    let out = comparison.write_waterfall(folder.file("waterfall.csv")?, cells)?;
    folder::finish(out, "waterfall.csv")?;
    let names = &exhibits[comparison.baseline()].names;
    let out = comparison.write_fates(folder.file("fates.csv")?, names, cells)?;
    folder::finish(out, "fates.csv")?;
    let mut json = Vec::new();
    comparison.write_json(&mut json)?;
    folder.write("compare.json", &json)?;
    folder.write("decision.md", comparison.decision_page().as_bytes())?;
    let mut reports = Vec::new();
    for (side, exhibit) in sides.iter().zip(exhibits) {
        let report = recipe::report(side.scenario, side.policy, &exhibit.result)?;
        let mut summary = Vec::new();
        report.write_json(&mut summary)?;
        let place = side.name.replace(": ", "/");
        folder.write(&format!("{place}/summary.json"), &summary)?;
        reports.push(report);
    }
    let scenario = sides[0].scenario;
    folder.write("scenario.toml", scenario.text.as_bytes())?;
    if let Some(other) = sides.iter().find(|side| side.scenario.text != scenario.text) {
        folder.write("other.toml", other.scenario.text.as_bytes())?;
    }
    recipe::write_compare_pages(&folder, scenario, comparison, &reports)?;
    let names: Vec<&str> = sides.iter().map(|side| side.name).collect();
    let manifest = recipe::manifest(&recipe::recipe(scenario, &names.join(", "))?, None)?;
    Ok(folder.finish(&manifest)?)
}

fn show(comparison: &Comparison<'_>, how: &How, written: Option<PathBuf>) -> Done {
    let mut out = std::io::stdout().lock();
    if how.json {
        comparison.write_json(&mut out)?;
    } else {
        out.write_all(comparison_text(comparison, run::terminal()).as_bytes())?;
    }
    out.flush()?;
    run::tell_folder(how, written, "compare.html");
    Ok(())
}

/// With `--gate`: every policy that breaks a promise in any replication is a finding.
fn gate(comparison: &Comparison<'_>, how: &How) -> Done {
    let all = comparison.many.replications;
    let broken: Vec<&str> = comparison
        .many
        .policies
        .iter()
        .filter(|policy| policy.kept.iter().any(|&kept| kept < all))
        .map(|policy| policy.name.as_str())
        .collect();
    if how.gate && !broken.is_empty() {
        return Err(Stop::Finding(format!("objectives not met by {}", broken.join(", "))));
    }
    Ok(())
}
