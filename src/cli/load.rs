//! Scenarios by name or path, with the edits of the command line.

use std::path::Path;

use super::args::Which;
use super::exit::Stop;
use windtunnel::problem::{Problem, Problems, clip};
use windtunnel::scenario::{BUILT_IN, Scenario, built_in, text_of};

/// Reads the scenario that the command line names.
pub(super) fn open(which: &Which) -> Result<Scenario, Stop> {
    Ok(read(which, &edits(which)?)?)
}

/// The `--set` flags as keys and values.
pub(super) fn edits(which: &Which) -> Result<Vec<(String, String)>, Stop> {
    let mut edits = Vec::new();
    for edit in &which.set {
        let Some((key, value)) = edit.split_once('=') else {
            let message = format!("`--set {edit}` has no `=`");
            return Err(Stop::usage(message, "write `--set key=value`"));
        };
        edits.push((key.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(edits)
}

/// Reads the scenario with these edits and the other flags.
pub(super) fn read(which: &Which, edits: &[(String, String)]) -> Result<Scenario, Problems> {
    let mut edits = edits.to_vec();
    if let Some(on_bad_row) = &which.on_bad_row {
        edits.push(("workload.on_bad_row".to_owned(), on_bad_row.clone()));
    }
    let mut scenario = match named(&which.scenario)? {
        Some((name, text)) => {
            Scenario::parse(text, &format!("{name}.toml"), Path::new(""), &edits)?
        }
        None => Scenario::load(&which.scenario, &edits)?,
    };
    if let Some(seed) = which.seed {
        scenario.seed = seed;
    }
    Ok(scenario)
}

/// The built-in scenario that a word means which is no file.
fn named(word: &Path) -> Result<Option<(&str, &'static str)>, Problems> {
    let name = word.to_str().filter(|name| !name.contains(['/', '\\', '.']));
    let Some(name) = name.filter(|_| !word.exists()) else { return Ok(None) };
    if let Some(text) = built_in(name) {
        return Ok(Some((name, text)));
    }
    let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    let hint = match windtunnel::problem::did_you_mean(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!(
            "built in are {}; anything else is a file, such as `{name}.toml`",
            known.join(", ")
        ),
    };
    Err(Problem::with(name, "is no file and no built-in scenario").hint(hint).into())
}

/// The scenario and the row of the policy that `named` is the name of, or the
/// last one in the file of policies that it names.
pub(super) fn policy_or_file(scenario: &Scenario, named: &str) -> Result<(Scenario, usize), Stop> {
    let path = Path::new(named);
    let known = scenario.policies.iter().any(|policy| policy.name == named);
    if known || path.extension().is_none_or(|extension| extension != "toml") {
        return Ok((scenario.clone(), policy(scenario, named)?));
    }
    let text = text_of(path, "file of policies")?;
    let (scenario, last) = scenario.with_policies(&text, named)?;
    let row = policy(&scenario, &last)?;
    Ok((scenario, row))
}

/// The row of the policy called `name`.
pub(super) fn policy(scenario: &Scenario, name: &str) -> Result<usize, Stop> {
    let names = || scenario.policies.iter().map(|policy| policy.name.as_str());
    if let Some(row) = names().position(|known| known == name) {
        return Ok(row);
    }
    let hint = match windtunnel::problem::did_you_mean(name, names()) {
        Some(meant) => format!("did you mean `{}`?", clip(meant)),
        None => format!("it has: {}", names().map(clip).collect::<Vec<_>>().join(", ")),
    };
    Err(Stop::usage(format!("the scenario has no policy `{}`", clip(name)), hint))
}
