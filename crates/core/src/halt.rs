//! The wish that this process ends soon: a signal came, or a limit was reached.
//!
//! Whatever may loop for longer than a tenth of a second looks at it and gives
//! up. There is no way back, so what was given up is never taken for a result:
//! whoever hands results out looks again.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Asks everything to end soon, for good.
pub fn ask() {
    ASKED.store(true, Ordering::Relaxed);
}

/// Whether everything is to end soon. One plain load.
#[inline]
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
