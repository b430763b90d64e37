//! Scenarios to begin with.

use std::path::Path;

use crate::problem::Problem;

/// The scenario of the first command in the README.
pub fn quickstart() -> &'static str {
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/quickstart.toml"))
}

/// A commented scenario to start from: the quickstart.
pub fn starter() -> &'static str {
    quickstart()
}

/// A scenario for the trace at `path`.
///
/// # Errors
/// The file cannot be read, or its columns cannot be guessed.
pub fn init_from(_path: &Path) -> Result<String, Vec<Problem>> {
    Err(Vec::new())
}
