//! Signals that ask the command to end: the first one ends it in an orderly way
//! and soon, the second one at once.

use super::ending::{self, EndCause};

/// Waits for signals from now on, on a thread of its own. Those that were to be
/// ignored when the program began (`nohup`) still are.
#[cfg(unix)]
pub(super) fn listen() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;

    let ignored = ignored();
    let wanted = [(SIGHUP, 129), (SIGINT, 130), (SIGTERM, 143)];
    let wanted = wanted.iter().filter(|&&(signal, _)| ignored >> (signal - 1) & 1 == 0);
    let codes: Vec<(i32, u8)> = wanted.copied().collect();
    // A file that may not grow any more is an error where it is written, no end.
    let too_large = std::iter::once(SIGXFSZ);
    let numbers = codes.iter().map(|&(signal, _)| signal).chain(too_large);
    // Without a handler a signal ends the process at once, which is as good.
    let Ok(mut signals) = Signals::new(numbers) else { return };
    let wait = move || {
        for signal in signals.forever() {
            let Some(&(_, code)) = codes.iter().find(|known| known.0 == signal) else { continue };
            if ending::signal().is_some() {
                std::process::exit(i32::from(code));
            }
            ending::begin(EndCause::Signal(code));
        }
    };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(wait);
}

/// Elsewhere an interrupt ends the process at once; what is kept stays.
#[cfg(not(unix))]
pub(super) fn listen() {}

/// A bit for each signal that is ignored, the first for signal 1. If the system does not tell, only
/// the bit of SIGHUP, which then ends the process as ever.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(1)
}
