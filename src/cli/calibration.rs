//! The file beside a scenario that says how far its model was from what was
//! observed.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::exit::Stop;
use super::unfinished::Unfinished;
use windtunnel::experiment::backtest::{Backtest, Calibration, MadeOf};
use windtunnel::input;
use windtunnel::policy::spec::PolicySpec;
use windtunnel::problem::Problem;
use windtunnel::report::Calibrated;
use windtunnel::scenario::Scenario;

/// Most bytes of the file.
const MOST_BYTES: u64 = 1 << 20;

/// Calibration of this scenario, as a comparison tells it; `None` where there is no such file.
///
/// # Errors
/// The file, or the trace, cannot be read.
pub(super) fn load(scenario: &Scenario) -> Result<Option<Calibrated>, Stop> {
    let Some(path) = place(scenario).filter(|path| path.exists()) else { return Ok(None) };
    let shown = path.display().to_string();
    let bad = |message: String| {
        let hint = "remove it, or run `windtunnel backtest` again";
        Problem::with(&shown, message).hint(hint)
    };
    let text = input::text(&path, "calibration", MOST_BYTES)?;
    let calibration: Calibration = serde_json::from_str(&text)
        .map_err(|error| bad(format!("is not a calibration: {error}")))?;
    if calibration.kind != Calibration::KIND {
        return Err(bad("is not a calibration".to_owned()).into());
    }
    let policy = scenario.policies.iter().find(|policy| policy.name == calibration.policy);
    let changed = match policy {
        Some(policy) => calibration.changed(&made_of(scenario, policy)?),
        None => vec!["the policy"],
    };
    Ok(Some(Calibrated::of(&calibration, &changed)))
}

/// Keeps the findings of a backtest of `policy` beside the scenario's file, and gives their path;
/// `None` where the scenario has no file.
///
/// # Errors
/// The file cannot be written.
pub(super) fn save(
    scenario: &Scenario,
    policy: &PolicySpec,
    backtest: &Backtest,
) -> Result<Option<PathBuf>, Stop> {
    let Some(path) = place(scenario) else { return Ok(None) };
    let made_of = made_of(scenario, policy)?;
    let calibration = Calibration::of(backtest, policy, scenario.seed, made_of);
    let mut text = serde_json::to_vec_pretty(&calibration).map_err(std::io::Error::from)?;
    text.push(b'\n');
    let written = Unfinished::file(&path).and_then(|(unfinished, mut file)| {
        file.write_all(&text).and_then(|()| file.sync_all())?;
        unfinished.finish(&path, || Ok(()))
    });
    written.with_context(|| {
        format!("cannot write `{}` (`--no-save` does without it)", path.display())
    })?;
    Ok(Some(path))
}

/// Path of the calibration: `my.calibration.json` beside `my.toml`; `None` for a scenario that is
/// no file.
fn place(scenario: &Scenario) -> Option<PathBuf> {
    let path = Path::new(&scenario.path);
    path.is_file().then(|| path.with_extension("calibration.json"))
}

fn made_of(scenario: &Scenario, policy: &PolicySpec) -> Result<MadeOf, Stop> {
    let trace = scenario.workload.input.trace().map(|trace| input::hash(&trace.path));
    Ok(MadeOf::of(scenario, policy, &trace.transpose()?.unwrap_or_default()))
}
