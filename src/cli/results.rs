//! Finished folders of results, read only as they were written.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::exit::Stop;
use super::output_quota::Hashes;
use windtunnel::input::{self, Input};
use windtunnel::problem::Problem;
use windtunnel::report::{MANIFEST, RESULTS};

/// Most bytes of a manifest.
const MOST_BYTES: u64 = 16 << 20;

/// A finished folder of results.
#[derive(Debug)]
pub(super) struct Results {
    folder: PathBuf,
    files: Hashes,
}

#[derive(Deserialize)]
struct Manifest {
    kind: String,
    files: Hashes,
}

impl Results {
    /// The folder of results at `folder`.
    ///
    /// # Errors
    /// The folder is none of results, or is not finished.
    pub(super) fn open(folder: &Path) -> Result<Self, Stop> {
        let path = folder.join(MANIFEST);
        if !path.exists() {
            let message = format!("`{}` is not a complete folder of results", folder.display());
            let hint = "name a folder written by `windtunnel run --explain`";
            return Err(Stop::usage(message, hint));
        }
        let text = input::text(&path, "manifest", MOST_BYTES)?;
        let wrong = |why: String| {
            let problem = Problem::with(&path.display().to_string(), why);
            problem.hint("run the scenario again with this version of windtunnel")
        };
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("is no manifest of this version: {error}")))?;
        if manifest.kind != RESULTS {
            return Err(wrong("is not a manifest of results".to_owned()).into());
        }
        Ok(Self { folder: folder.to_owned(), files: manifest.files })
    }

    /// Whether a file of this name was written.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Path of the file called `name`.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Opens the file called `name`, which is as it was written.
    ///
    /// # Errors
    /// It cannot be read, or has changed.
    pub(super) fn file(&self, name: &str) -> Result<Input, Stop> {
        let path = self.path(name);
        let shown = path.display().to_string();
        if self.files.get(name) != Some(&input::hash(&path)?) {
            let message =
                "has changed since windtunnel wrote it (its hash is not that in the manifest)";
            let hint = "run the scenario again; what was edited says nothing about the run";
            return Err(Problem::with(&shown, message).hint(hint).into());
        }
        Ok(input::open(&path, &shown)?.0)
    }
}
