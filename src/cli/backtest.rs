//! `windtunnel backtest`: the policy as it is, held against what was observed.

use std::io::Write;
use std::path::PathBuf;

use super::args::BacktestArgs;
use super::exit::{CommandResult, Stop, print_line};
use super::folder::{self, Claim, Folder};
use super::guard::{self, ResourceGuard};
use super::process::Processes;
use super::progress::Bar;
use super::{calibration, load, run};
use windtunnel::experiment::Settings;
use windtunnel::experiment::backtest;
use windtunnel::input;
use windtunnel::report::{
    BacktestReport, InputHash, ResultFiles, RunReport, TextCells, backtest_charts, write_page,
};
use windtunnel::scenario::Scenario;

/// Replays one policy and shows how far it is from what was observed.
pub(super) fn backtest(arguments: &BacktestArgs) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.bounds);
    let mut scenario = load::open(&arguments.which)?;
    arguments.bounds.limit(&mut scenario);
    let row = match &arguments.policy {
        Some(name) => load::policy(&scenario, name)?,
        None => scenario.baseline,
    };
    let (policy, how) = (&scenario.policies[row], &arguments.how);
    let folder = match how.no_out {
        true => None,
        false => {
            let target = run::target(how, &format!("{}-backtest", scenario.name));
            let claim = Claim { force: how.force, resume: false };
            Some(Folder::create(&target, claim, guard.meter())?)
        }
    };
    let settings = Settings { audit: how.audit, names: true, ..Settings::seeded(scenario.seed) };
    let bar = Bar::over_jobs(&policy.name, how.quiet);
    let done = backtest::backtest(&scenario, (policy, &Processes), settings, &mut |progress| {
        bar.reach(progress.work);
        guard::poll()
    });
    bar.clear();
    let (result, judged) =
        done.map_err(|failure| Stop::of_run(failure, &run::again(&scenario, policy)))?;
    let mut run = RunReport::alone(&scenario, policy, &result)?;
    if let Some(bill) = &scenario.observed.bill {
        let name = bill.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        run.recipe.inputs.push(InputHash { name, hash: input::hash(&bill.path)? });
    }
    let report = BacktestReport { run: &run, backtest: &judged };
    let written = match folder {
        Some(folder) => Some(write(folder, &scenario, &report)?),
        None => None,
    };
    let mut out = std::io::stdout().lock();
    if how.json {
        report.write_json(&mut out)?;
    } else {
        out.write_all(report.document(Vec::new()).text(run::terminal()).as_bytes())?;
    }
    out.flush()?;
    run::tell_folder(how, written, "backtest.html");
    let edited = !arguments.which.set.is_empty() || arguments.which.on_bad_row.is_some();
    if !arguments.no_save {
        let saved = match edited {
            false => calibration::save(&scenario, policy, &judged)?,
            true => None,
        };
        let told = match (saved, edited) {
            (Some(path), _) => {
                format!("calibration: {} (comparisons print it from now on)", path.display())
            }
            (None, true) => {
                "calibration: not kept, for the scenario was edited on the command line".to_owned()
            }
            (None, false) => "calibration: not kept, for the scenario is no file".to_owned(),
        };
        if !how.quiet {
            print_line(&told);
        }
    }
    run::gate(&run, how)
}

fn write(
    folder: Folder,
    scenario: &Scenario,
    report: &BacktestReport<'_>,
) -> Result<PathBuf, Stop> {
    let cells = TextCells::Guarded;
    let out = report.write_csv(folder.file("backtest.csv")?, cells)?;
    folder::finish(out, "backtest.csv")?;
    let out = report.write_jobs(folder.file("jobs.csv")?, cells)?;
    folder::finish(out, "jobs.csv")?;
    let out = report.write_groups(folder.file("groups.csv")?, cells)?;
    folder::finish(out, "groups.csv")?;
    let mut json = Vec::new();
    report.write_json(&mut json)?;
    folder.take_bytes("backtest.json", &json)?;
    folder.take_bytes("scenario.toml", scenario.text.as_bytes())?;
    let charts = backtest_charts(&scenario.world, report.backtest);
    write_page(&folder, "backtest.html", charts, |charts| report.document(charts))?;
    let manifest = report.run.recipe.manifest(Some(&report.run.fingerprint));
    Ok(folder.finish(manifest)?)
}
