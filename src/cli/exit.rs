//! Endings of a command: documented, stable exit codes, and messages that say what to do.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use super::ending;
use super::output_quota::Full;
use windtunnel::experiment::RunFailure;
use windtunnel::problem::{Problem, Problems};
use windtunnel::sim::Failure;
use windtunnel::text::plain_lines;

/// Reason that a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Stop {
    /// 1: it was done, and there is something to act on.
    Finding(String),
    /// 2: the input or the way it was called is wrong.
    Input(Problems),
    /// 3: a limit was reached.
    Limit(String),
    /// 4: a policy in another process failed.
    Policy(String),
    /// 5: a file could not be read or written.
    Files(anyhow::Error),
    /// 70: windtunnel is wrong.
    Bug(String),
    /// 129, 130 or 143: the terminal is gone, interrupted, or asked to end.
    Interrupted(String),
    /// A stop like the first of the two, with how far it came.
    SoFar(Box<Stop>, String),
    /// A stop like the first of the two, with what is kept of all that was done.
    Partly(Box<Stop>, String),
    /// 0: nobody reads the output any more.
    ClosedPipe,
}

/// Result of a command.
pub(super) type CommandResult = Result<(), Stop>;

impl Stop {
    /// One problem with the command line itself.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Input(Problem::with("windtunnel", message).hint(hint).into())
    }

    /// A run that could not go on.
    pub(super) fn of_run(failure: RunFailure, again: &str) -> Self {
        let failure = match failure {
            RunFailure::Input(problems) => return Self::Input(problems),
            RunFailure::Law(_) => return Self::Bug(format!("{failure}\n  again: {again}")),
            RunFailure::Sim(failure) => failure,
        };
        match failure {
            Failure::Input(problem) => Self::Input(problem.into()),
            Failure::Limit { name, .. } => {
                Self::Limit(format!("{failure}\n  hint: {}", raise(name)))
            }
            Failure::Interrupted { .. } => Self::Interrupted("no results were written".to_owned()),
            // The policy's own words may be many lines.
            Failure::Policy { why, at } => {
                Self::Policy(format!("{why}\n  at {:.6} s of the simulated time", at.secs_f64()))
            }
            Failure::Illegal { .. } => Self::Bug(format!("{failure}\n  again: {again}")),
            Failure::Loop { .. } | Failure::Futile { .. } => Self::Limit(failure.to_string()),
        }
    }

    /// The same stop, said of one of many runs.
    pub(super) fn of(self, run: &str) -> Self {
        let of = |what: String| format!("{run}: {what}");
        match self {
            Self::Limit(what) => Self::Limit(of(what)),
            Self::Policy(what) => Self::Policy(of(what)),
            Self::Bug(what) => Self::Bug(of(what)),
            other => other,
        }
    }

    pub(super) fn code(&self) -> u8 {
        match self {
            Self::ClosedPipe => 0,
            Self::Finding(_) => 1,
            Self::Input(_) => 2,
            Self::Limit(_) => 3,
            Self::Policy(_) => 4,
            Self::Files(_) => 5,
            Self::Bug(_) => 70,
            Self::SoFar(stop, _) | Self::Partly(stop, _) => stop.code(),
            Self::Interrupted(_) => ending::signal().unwrap_or(130),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedPipe => write!(to, "nobody reads the output any more"),
            Self::Finding(what) => write!(to, "finding: {what}"),
            Self::Input(problems) => problems.fmt(to),
            Self::Limit(what) => write!(to, "limit: {what}"),
            Self::Policy(what) => write!(to, "policy: {what}"),
            Self::Files(error) => {
                write!(to, "error: {error:#}")?;
                match kind(error) {
                    Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                        write!(
                            to,
                            "\n  hint: there is no room left; make some, or name another folder with `--out`"
                        )
                    }
                    Some(io::ErrorKind::FileTooLarge) => {
                        write!(
                            to,
                            "\n  hint: no file may be that large here; `ulimit -f` shows and sets the limit"
                        )
                    }
                    _ => Ok(()),
                }
            }
            Self::Bug(what) => write!(to, "bug: {what}\n  please report this with the command"),
            Self::Interrupted(what) => write!(to, "interrupted: {what}"),
            Self::SoFar(stop, far) => write!(to, "{stop}\nso far: {far}"),
            Self::Partly(stop, kept) => write!(to, "{stop}\nkept: {kept}"),
        }
    }
}

/// Kind of the error of input and output, where it was one.
fn kind(error: &anyhow::Error) -> Option<io::ErrorKind> {
    error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind)
}

/// Hint that names the options to raise a limit of the scenario.
fn raise(limit: &str) -> String {
    let set = format!("`--set limits.{limit}=...`");
    match limit {
        "max_alive" => format!("raise it with {set}"),
        _ => format!("raise it with `--{} ...` or {set}", limit.replace('_', "-")),
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        let full = error
            .chain()
            .find_map(|cause| cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<Full>());
        if let Some(full) = full {
            return Self::Limit(full.to_string());
        }
        let closed = error.chain().any(|cause| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        });
        if closed { Self::ClosedPipe } else { Self::Files(error) }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Input(problem.into())
    }
}

impl From<Problems> for Stop {
    fn from(problems: Problems) -> Self {
        Self::Input(problems)
    }
}

/// Says why, and ends with the code that says so.
pub(super) fn exit(done: CommandResult) -> ExitCode {
    let Err(stop) = done else { return ExitCode::SUCCESS };
    let stop = ending::explain(stop);
    if !matches!(stop, Stop::ClosedPipe) {
        ending::print_cause(&stop);
    }
    ExitCode::from(stop.code())
}

/// Tells whoever is at the terminal; that nobody listens is no failure.
pub(super) fn print_line(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain_lines(line));
}
