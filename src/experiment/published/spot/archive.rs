//! Files in a compressed archive.

use std::io::Read;
use std::path::Path;

use crate::input;

/// Most bytes of one file.
const MOST: u64 = 64 << 20;

/// Files of the archive at `path` (tar, gzip) whose name is `wanted`, by name, with their bytes; in
/// the order of the archive.
///
/// # Errors
/// A sentence on what cannot be read.
pub(super) fn files(
    path: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| format!("{shown}: {error}");
    let text = input::unfold(path, &shown).map_err(|problem| problem.to_string())?;
    let mut archive = tar::Archive::new(text);
    let mut files = Vec::new();
    for entry in archive.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() || !wanted(&name) {
            continue;
        }
        let mut bytes = Vec::new();
        entry.take(MOST).read_to_end(&mut bytes).map_err(failed)?;
        files.push((name, bytes));
    }
    Ok(files)
}
