//! The first divergence of a run from its baseline: looked up in the logs of both sides, one of
//! which may come from another program.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::exit::Stop;
use windtunnel::experiment::check::{self, Baseline, FirstDivergence, GateVerdicts, Trial};
use windtunnel::experiment::{
    EventLogEntry, RecordRange, Repetition, RepetitionPlan, RunRequest, Runner,
};
use windtunnel::halt;
use windtunnel::scenario::Scenario;

/// Most bytes of one line of another program's log.
const MOST_BYTES: u64 = 1 << 20;

/// Inputs that are needed to run a trial again.
#[derive(Clone, Copy)]
pub(super) struct Again<'a> {
    pub(super) runner: &'a Runner<'a>,
    pub(super) trial: &'a Trial<'a>,
    pub(super) baseline: &'a Baseline,
    pub(super) plan: &'a RepetitionPlan,
    /// The program that made the baseline, with arguments.
    pub(super) base_command: Option<&'a str>,
}

/// The first difference from the baseline, as far as it can be seen; `None` where all that happened
/// is the same.
pub(super) fn diverge(
    again: Again<'_>,
    verdicts: &GateVerdicts<'_>,
) -> Result<Option<FirstDivergence>, Stop> {
    let Some(mut parting) = check::bracket(again.trial, again.baseline) else { return Ok(None) };
    let found = look_up(again, !verdicts.redefined.is_empty(), &mut parting);
    if halt::asked() {
        return Err(Stop::Interrupted("the verdicts are lost".to_owned()));
    }
    if let Err(why) = found {
        parting.caution = Some(why);
    }
    Ok(Some(parting))
}

fn look_up(again: Again<'_>, redefined: bool, parting: &mut FirstDivergence) -> Result<(), String> {
    let Again { runner, trial, baseline, plan, base_command } = again;
    let (scenario, replication) = (&trial.tested.scenario, parting.replication);
    let mut now = |stretch: RecordRange, sink: &mut dyn FnMut(EventLogEntry)| {
        check::replay(runner, (scenario, trial.policy), (plan, replication), stretch, sink)
            .map_err(|_| "the run could not be repeated".to_owned())
    };
    let old = if redefined { earlier(again, replication)? } else { None };
    if let Some((scenario, row)) = old {
        let policy = &scenario.policies[row];
        let mut base = |stretch: RecordRange, sink: &mut dyn FnMut(EventLogEntry)| {
            check::replay(runner, (&scenario, policy), (plan, replication), stretch, sink)
                .map_err(|_| "the baseline's policy could not be run again".to_owned())
        };
        let found = check::look_up(parting, &mut base, &mut now)?;
        return match found {
            true => Ok(()),
            false => Err("the records say the same in words; they differ in what is not told \
                          (exact amounts, say)"
                .to_owned()),
        };
    }
    let Some(command) = base_command else {
        parting.now = check::only(&mut now, parting.agreed + 1)?;
        return Err("the program is another one than that of the baseline: name that with \
                    `--base-command` to see both sides"
            .to_owned());
    };
    if !matches!(plan.repetition, Repetition::Seeds { .. }) {
        parting.now = check::only(&mut now, parting.agreed + 1)?;
        return Err("another program can repeat whole traces only, not parts of them".to_owned());
    }
    let file = match redefined {
        true => Some(PolicyFile::new(&baseline.policy)?),
        false => None,
    };
    let policy = match &file {
        Some(file) => file.0.display().to_string(),
        None => trial.policy.name.clone(),
    };
    let seed = divergence_seed(scenario, replication);
    if baseline.events.get(replication as usize)
        != Some(&hash_of(command, (scenario, &policy, seed))?)
    {
        parting.now = check::only(&mut now, parting.agreed + 1)?;
        return Err(format!(
            "the base command `{command}` does not do what the baseline holds (another event hash), so \
             the baseline was made by something else"
        ));
    }
    let mut base = |stretch: RecordRange, sink: &mut dyn FnMut(EventLogEntry)| {
        ask(command, (scenario, &policy, seed), stretch, sink)
    };
    match check::look_up(parting, &mut base, &mut now)? {
        true => Ok(()),
        false => Err(format!(
            "the base command `{command}` does the same there as this program, so the baseline was \
             made by something else"
        )),
    }
}

fn divergence_seed(scenario: &Scenario, replication: u32) -> u64 {
    scenario.seed.wrapping_add(u64::from(replication))
}

/// The scenario with the policy of the baseline, if this program still does
/// with it what the baseline holds.
fn earlier(again: Again<'_>, replication: u32) -> Result<Option<(Scenario, usize)>, String> {
    let Again { runner, trial, baseline, plan, .. } = again;
    let scenario = &trial.tested.scenario;
    let Ok((old, name)) = scenario.with_policies(&baseline.policy, "baseline") else {
        return Ok(None);
    };
    let Some(row) = old.policies.iter().position(|policy| policy.name == name) else {
        return Ok(None);
    };
    let cell = RunRequest {
        scenario: &old,
        policy: &old.policies[row],
        repetition: plan.repetition,
        replication,
    };
    let run = runner.measure(&[cell]);
    let run = run.map_err(|_| "the baseline's policy could not be run again".to_owned())?;
    let same = baseline.trail.get(replication as usize) == Some(&run[0].trail);
    Ok(same.then_some((old, row)))
}

/// The event hash of a whole run of another program, as its manifest has it: only what
/// does all that the baseline holds can say where this program parts from it.
fn hash_of(
    command: &str,
    (scenario, policy, seed): (&Scenario, &str, u64),
) -> Result<String, String> {
    let folder = TemporaryFolder::new()?;
    let (mut asked, cannot) = other(command)?;
    asked.args(["run", &scenario.path, "--policy", policy, "--seed", &seed.to_string()]);
    asked.arg("--out").arg(&folder.0).args(["--force", "--quiet"]);
    asked.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let status = asked.status().map_err(cannot)?;
    if !status.success() {
        return Err(format!("the base command `{command}` ended with {status}"));
    }
    let text = std::fs::read(folder.0.join("manifest.json")).map_err(|error| {
        format!("the base command `{command}` left no results that can be read: {error}")
    })?;
    let manifest: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|error| format!("the manifest of the base command cannot be read: {error}"))?;
    let hash = manifest["event_hash"].as_str();
    hash.map(str::to_owned)
        .ok_or_else(|| format!("the base command `{command}` tells no event hash"))
}

/// Another program, with its arguments, and the message where it cannot be run.
fn other(command: &str) -> Result<(Command, impl Fn(std::io::Error) -> String + Copy), String> {
    let mut words = command.split_whitespace();
    let program = words.next().ok_or("the base command is empty")?;
    let mut asked = Command::new(program);
    asked.args(words);
    Ok((asked, move |error| format!("the base command `{command}` failed: {error}")))
}

/// A folder for another program's results, removed in the end.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> Result<Self, String> {
        let path = |row: u32| {
            let name = format!("windtunnel-base-{}-{row}", std::process::id());
            std::env::temp_dir().join(name)
        };
        // A name that is taken may be somebody else's.
        let new = (0..100).map(path).find(|path| std::fs::create_dir(path).is_ok());
        new.map(Self).ok_or_else(|| "no folder can be made among the temporary files".to_owned())
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // Files that are left behind in the folder for temporary files do no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Asks another program for the records of a run.
fn ask(
    command: &str,
    (scenario, policy, seed): (&Scenario, &str, u64),
    stretch: RecordRange,
    sink: &mut dyn FnMut(EventLogEntry),
) -> Result<(), String> {
    let (mut asked, cannot) = other(command)?;
    asked.args(["run", &scenario.path, "--policy", policy]);
    asked.args(["--seed", &seed.to_string(), "--no-out", "--quiet", "--decisions", "-"]);
    asked.args(["--records", &format!("{}..{}", stretch.from, stretch.until)]);
    if stretch.reasons {
        asked.arg("--explain");
    }
    asked.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = asked.spawn().map_err(cannot)?;
    let out = child.stdout.take().ok_or("the base command has no output")?;
    let read = steps(out, sink);
    if read.is_err() {
        // The process is waited for below, however it ended.
        let _ = child.kill();
    }
    let status = child.wait().map_err(cannot)?;
    read?;
    if status.success() {
        return Ok(());
    }
    Err(format!("the base command `{command}` ended with {status}"))
}

/// Reads a log, one JSON object per line.
fn steps(out: impl Read, sink: &mut dyn FnMut(EventLogEntry)) -> Result<(), String> {
    let mut out = BufReader::new(out);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = out.by_ref().take(MOST_BYTES).read_until(b'\n', &mut line);
        if read.map_err(|error| format!("the log of the base command: {error}"))? == 0 {
            return Ok(());
        }
        let step = serde_json::from_slice(&line);
        sink(step.map_err(|error| format!("the log of the base command cannot be read: {error}"))?);
    }
}

/// A policy in a file of its own for another program, removed in the end.
struct PolicyFile(PathBuf);

impl PolicyFile {
    fn new(text: &str) -> Result<Self, String> {
        let path = |row: u32| {
            let name = format!("windtunnel-base-{}-{row}.toml", std::process::id());
            std::env::temp_dir().join(name)
        };
        // A name that is taken may be somebody else's.
        let new = (0..100).find_map(|row| Some((File::create_new(path(row)).ok()?, path(row))));
        let (mut file, path) =
            new.ok_or("no file can be made in the folder for temporary files")?;
        let file_of = Self(path);
        let written = file.write_all(text.as_bytes());
        written.map_err(|error| format!("cannot write `{}`: {error}", file_of.0.display()))?;
        Ok(file_of)
    }
}

impl Drop for PolicyFile {
    fn drop(&mut self) {
        // A file that is left behind in the folder for such files does no harm.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_line_by_line() {
        let line =
            "{\"record\":3,\"time_us\":7,\"date\":\"d\",\"what\":\"x is ready\",\"later\":1}\n";
        let mut found = Vec::new();
        steps(line.repeat(2).as_bytes(), &mut |step| found.push((step.record, step.what)))
            .expect("it is a log");
        assert_eq!(found, [(3, "x is ready".to_owned()), (3, "x is ready".to_owned())]);
        let broken = steps("{\"record\":3}\n".as_bytes(), &mut |_| {});
        assert!(broken.is_err_and(|why| why.contains("cannot be read")));
        let long = vec![b'x'; (MOST_BYTES + 5) as usize];
        assert!(steps(long.as_slice(), &mut |_| {}).is_err());
    }
}
