//! `windtunnel drill`: what breaks if a part of the world is lost.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::args;
use super::exit::{CommandResult, Stop};
use super::folder::{self, Folder};
use super::guard::ResourceGuard;
use super::session::{Experiment, ExperimentSession, stopped};
use super::{load, run};
use windtunnel::experiment::drill::{BlowKind, Drill, DrillPlan, drill as run_all};
use windtunnel::experiment::{ExperimentFailure, share_inputs};
use windtunnel::problem::{Problem, clip, did_you_mean};
use windtunnel::report::{DrillReport, Recipe, ResultFiles, TextCells, drill_charts, write_page};
use windtunnel::scenario::{Objective, Scenario, not_modelled};

/// Strikes every part in turn and says what breaks.
pub(super) fn drill(arguments: &args::DrillArgs) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.many.bounds);
    let mut scenario = load::open(&arguments.which)?;
    arguments.many.bounds.limit(&mut scenario);
    let gates: Vec<FailOn> = arguments
        .fail_on
        .iter()
        .map(|text| FailOn::read(text, &scenario))
        .collect::<Result<_, _>>()?;
    let mut policies: Vec<usize> = arguments
        .policies
        .iter()
        .map(|name| load::policy(&scenario, name))
        .collect::<Result<_, Stop>>()?;
    policies.sort_unstable();
    policies.dedup();
    if policies.is_empty() {
        policies = (0..scenario.policies.len()).collect();
    }
    let unshared = scenario.clone();
    share_inputs(&mut scenario).map_err(|failure| Stop::of_run(failure, &again()))?;
    let how = &arguments.how;
    let lasts = match arguments.lasts {
        args::Lasting::For(span) => Some(span),
        args::Lasting::Ever => None,
    };
    let experiment = Experiment {
        kind: "drill",
        name: format!("{}-drill", scenario.name),
        scenarios: std::slice::from_ref(&unshared),
        parameters: vec![
            ("set", json!(arguments.which.set)),
            ("policies", json!(arguments.policies)),
            ("replications", json!(arguments.replications)),
            ("lasts", json!(lasts.map(|lasts| lasts.micros()))),
        ],
    };
    let plan = DrillPlan { policies, lasts, replications: arguments.replications };
    let mut session = ExperimentSession::open(guard, (how, &arguments.many), &experiment)?;
    let drilled = session.work(|runner| {
        run_all(runner, &scenario, &plan).map_err(|failure| match failure {
            ExperimentFailure::Problem(problem) => Stop::Input(problem.into()),
            ExperimentFailure::Runs(failure) => stopped(failure),
        })
    })?;
    let recipe = Recipe::of(&scenario, &drilled.policies.join(", "))?;
    let mut assumptions: Vec<String> =
        not_modelled(scenario.unmodelled(&plan.policies)).into_iter().collect();
    assumptions.extend(scenario.assumed(&plan.policies));
    let report = DrillReport {
        question: Some(scenario.question.as_str()).filter(|question| !question.is_empty()),
        drill: &drilled,
        recipe: Some(&recipe),
        assumptions: &assumptions,
    };
    let written = match session.folder() {
        Some(folder) => {
            let manifest = write(folder, &scenario, &report, &recipe)?;
            session.finish(manifest)?
        }
        None => None,
    };
    show(&report, arguments, written)?;
    gates.iter().try_for_each(|gate| gate.judge(&drilled))?;
    let is_broken = |policy| {
        (0..drilled.objectives.len()).any(|objective| drilled.breaks_calmly(policy, objective))
    };
    match (0..drilled.policies.len()).find(|&policy| is_broken(policy)) {
        Some(policy) if how.gate => {
            let name = &drilled.policies[policy];
            Err(Stop::Finding(format!("{name} breaks an objective without any loss")))
        }
        _ => Ok(()),
    }
}

/// The command that runs it again, with every law checked.
fn again() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    format!("windtunnel {} --audit", words.join(" "))
}

fn write(
    folder: &Folder,
    scenario: &Scenario,
    report: &DrillReport<'_>,
    recipe: &Recipe,
) -> Result<Value, Stop> {
    let out = report.write_runs(folder.file("drill.csv")?, TextCells::Guarded)?;
    folder::finish(out, "drill.csv")?;
    let mut json = Vec::new();
    report.write_json(&mut json)?;
    folder.take_bytes("drill.json", &json)?;
    folder.take_bytes("scenario.toml", scenario.text.as_bytes())?;
    let charts = drill_charts(report);
    write_page(folder, "drill.html", charts, |charts| report.document(charts))?;
    Ok(recipe.manifest(None))
}

fn show(
    report: &DrillReport<'_>,
    arguments: &args::DrillArgs,
    written: Option<PathBuf>,
) -> CommandResult {
    let mut out = std::io::stdout().lock();
    if arguments.how.json {
        report.write_json(&mut out)?;
    } else {
        out.write_all(report.document(Vec::new()).text(run::terminal()).as_bytes())?;
    }
    out.flush()?;
    run::tell_folder(&arguments.how, written, "drill.html");
    Ok(())
}

/// A gate: losses of a kind, or all, must not break an objective, or any.
struct FailOn {
    text: String,
    kind: Option<BlowKind>,
    objective: Option<usize>,
}

impl FailOn {
    /// Reads `zone loss breaks deadlines_met`, where `anything` stands for all on either side.
    fn read(text: &str, scenario: &Scenario) -> Result<Self, Stop> {
        let parts = text.split_once(" breaks ");
        let Some((loss, broken)) = parts.map(|(loss, broken)| (loss.trim(), broken.trim())) else {
            return Err(Stop::usage(
                format!("`--fail-on \"{}\"` has no ` breaks `", clip(text)),
                "write `--fail-on \"zone loss breaks anything\"`",
            ));
        };
        let kinds = BlowKind::ALL.map(BlowKind::name);
        let kind = BlowKind::ALL.into_iter().find(|kind| kind.name() == loss);
        if kind.is_none() && loss != "anything" {
            let known = format!("anything, {}", kinds.join(", "));
            return Err(unknown("kind of loss", loss, &known, did_you_mean(loss, kinds)));
        }
        let names: Vec<String> = scenario.objectives.iter().map(Objective::name).collect();
        let known = || names.iter().map(String::as_str);
        let objective = known().position(|name| name == broken);
        if objective.is_none() && broken != "anything" {
            if names.is_empty() {
                let message = format!("`--fail-on` names the objective `{}`", clip(broken));
                let message = message + ", and the scenario has no `[objectives]`";
                let hint = "promise it there, or write `breaks anything`: then work that is left \
                            undone and deadlines that are missed";
                return Err(Stop::Input(Problem::with(&scenario.path, message).hint(hint).into()));
            }
            let all = std::iter::once("anything").chain(known()).collect::<Vec<_>>().join(", ");
            return Err(unknown("objective", broken, &all, did_you_mean(broken, known())));
        }
        Ok(Self { text: text.to_owned(), kind, objective })
    }

    fn judge(&self, drill: &Drill) -> CommandResult {
        let found = drill.failures(self.kind, self.objective);
        let Some(&(blow, policy)) = found.first() else { return Ok(()) };
        let (blow, policy) = (&drill.blows[blow].name, &drill.policies[policy]);
        let more = match found.len() {
            1 => String::new(),
            n => format!(", and {} more", n - 1),
        };
        let told = format!("{}: the loss of {blow} does under {policy}{more}", self.text);
        Err(Stop::Finding(told))
    }
}

fn unknown(what: &str, name: &str, known: &str, meant: Option<&str>) -> Stop {
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are: {known}"),
    };
    Stop::usage(format!("there is no {what} `{}`", clip(name)), hint)
}
