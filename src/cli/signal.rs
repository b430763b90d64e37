//! The wish to stop: the first interrupt ends runs at their next event, the
//! second one ends the process.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::halt;

/// The exit code that the last signal asks for, or 0.
static CODE: AtomicU8 = AtomicU8::new(0);

/// Waits for signals from now on, on a thread of its own.
#[cfg(unix)]
pub(super) fn listen() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    // Without a handler a signal ends the process at once, which is as good.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    let wait = move || {
        for signal in signals.forever() {
            let code = if signal == SIGTERM { 143 } else { 130 };
            let before = CODE.swap(code, Ordering::Relaxed);
            halt::ask();
            super::process::end_all();
            if before != 0 {
                std::process::exit(i32::from(code));
            }
        }
    };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(wait);
}

/// Elsewhere an interrupt ends the process at once; what is kept stays.
#[cfg(not(unix))]
pub(super) fn listen() {}

/// The exit code that the last signal asks for, if one came.
pub(super) fn code() -> Option<u8> {
    match CODE.load(Ordering::Relaxed) {
        0 => None,
        code => Some(code),
    }
}
