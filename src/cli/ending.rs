//! The end of a command before its time: why it ends, and that it does so
//! soon, whatever it is at.

use std::process::exit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::exit::{Stop, print_line};
use super::{process, unfinished};
use windtunnel::halt;

/// Time for everything to give up by itself; what takes longer is left where it is.
const GRACE: Duration = Duration::from_millis(250);

/// Time for a message to get through to whoever listens.
const MESSAGE: Duration = Duration::from_millis(50);

/// Cause for which a command ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EndCause {
    /// A signal came that asks for this exit code.
    Signal(u8),
    /// A limit was reached; its name and the remedy.
    Limit(String),
}

static CAUSE: OnceLock<EndCause> = OnceLock::new();

/// The reason was told already.
static TOLD: AtomicBool = AtomicBool::new(false);

/// Ends the command: what looks gives up at once, policies in other processes
/// are ended, and after a moment so is this process. The first cause counts.
pub(super) fn begin(cause: EndCause) {
    if CAUSE.set(cause).is_err() {
        return;
    }
    halt::ask();
    process::end_all();
    let last_resort = || {
        thread::sleep(GRACE);
        give_up();
    };
    let _ = thread::Builder::new().name("ending".to_owned()).spawn(last_resort);
}

/// The exit code that a signal asked for, if one came.
pub(super) fn signal() -> Option<u8> {
    match CAUSE.get()? {
        EndCause::Signal(code) => Some(*code),
        EndCause::Limit(_) => None,
    }
}

/// Cause of the ending where that has begun, or else `stop`: parts that give up during an ending do
/// so for all kinds of reasons.
pub(super) fn explain(stop: Stop) -> Stop {
    match stop {
        Stop::Finding(_) | Stop::ClosedPipe | Stop::Partly(..) => stop,
        Stop::SoFar(stop, far) => Stop::SoFar(Box::new(explain(*stop)), far),
        Stop::Input(_)
        | Stop::Limit(_)
        | Stop::Policy(_)
        | Stop::Files(_)
        | Stop::Bug(_)
        | Stop::Interrupted(_) => self::stop().unwrap_or(stop),
    }
}

/// Whether the ending of the command has begun.
pub(super) fn has_begun() -> bool {
    CAUSE.get().is_some()
}

/// Ending of the command, once that has begun.
pub(super) fn stop() -> Option<Stop> {
    Some(match CAUSE.get()? {
        EndCause::Signal(_) => Stop::Interrupted("no results were written".to_owned()),
        EndCause::Limit(message) => Stop::Limit(message.clone()),
    })
}

/// Says the cause of the ending, once.
pub(super) fn print_cause(stop: &Stop) {
    if !TOLD.swap(true, Ordering::Relaxed) {
        print_line(&stop.to_string());
    }
}

/// Ends this process in the middle of whatever it does.
fn give_up() {
    let Some(stop) = stop() else { return };
    let kept = unfinished::leave_all(&stop.to_string());
    let stop = match kept {
        Some(kept) => Stop::Partly(Box::new(stop), kept),
        None => stop,
    };
    let code = stop.code();
    // Whoever reads standard error may be asleep.
    let (told, heard) = channel();
    let _ = thread::Builder::new().spawn(move || {
        print_cause(&stop);
        told.send(())
    });
    let _ = heard.recv_timeout(MESSAGE);
    exit(i32::from(code));
}
