//! Folders of results: written under a temporary name, renamed when whole,
//! the manifest last. A folder without a manifest is incomplete.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::spool::Spool;

/// Written last; readers refuse a folder without it.
pub(super) const MANIFEST: &str = "manifest.json";

/// A folder in the making.
#[derive(Debug)]
pub(super) struct Folder {
    target: PathBuf,
    work: PathBuf,
    done: bool,
}

impl Folder {
    /// Makes the temporary folder beside `target`. An existing target is
    /// replaced only with `force`, and only when it looks like a result.
    pub(super) fn create(target: &Path, force: bool) -> Result<Self> {
        if target.exists() && !force {
            anyhow::bail!(
                "`{}` exists already; name another folder with --out, or add --force",
                target.display()
            );
        }
        if target.exists() && fs::read_dir(target).is_ok_and(|mut rows| rows.next().is_some()) {
            let known = target.join(MANIFEST).exists();
            anyhow::ensure!(known, "`{}` is not a folder of results", target.display());
        }
        let name = target.file_name().context("the output folder needs a name")?;
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let work = parent.join(format!(".{}.incomplete", name.to_string_lossy()));
        if work.exists() {
            fs::remove_dir_all(&work)
                .with_context(|| format!("cannot remove `{}`", work.display()))?;
        }
        fs::create_dir_all(&work).with_context(|| format!("cannot make `{}`", work.display()))?;
        Ok(Self { target: target.to_owned(), work, done: false })
    }

    /// Opens a new file in it; `name` may have one folder in front.
    pub(super) fn file(&self, name: &str) -> Result<BufWriter<File>> {
        Ok(BufWriter::with_capacity(1 << 18, self.create_file(name)?))
    }

    /// Opens a new file in it that is written on a thread of its own.
    pub(super) fn spool(&self, name: &str) -> Result<Spool> {
        let file = self.create_file(name)?;
        Spool::new(file).with_context(|| format!("cannot write `{name}`"))
    }

    fn create_file(&self, name: &str) -> Result<File> {
        let path = self.work.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make `{}`", parent.display()))?;
        }
        File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Writes a whole file.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut file = self.file(name)?;
        file.write_all(bytes).with_context(|| format!("cannot write `{name}`"))?;
        finish(file, name)
    }

    /// Writes the manifest and gives the folder its name.
    pub(super) fn finish(mut self, manifest: &[u8]) -> Result<PathBuf> {
        self.write(MANIFEST, manifest)?;
        if self.target.exists() {
            fs::remove_dir_all(&self.target)
                .with_context(|| format!("cannot replace `{}`", self.target.display()))?;
        }
        fs::rename(&self.work, &self.target)
            .with_context(|| format!("cannot name `{}`", self.target.display()))?;
        self.done = true;
        Ok(self.target.clone())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be removed stays under its temporary name, without a manifest.
            let _ = fs::remove_dir_all(&self.work);
        }
    }
}

/// Flushes a file to the disk.
pub(super) fn finish(file: BufWriter<File>, name: &str) -> Result<()> {
    let file = file.into_inner().map_err(|error| error.into_error());
    file.and_then(|file| file.sync_all()).with_context(|| format!("cannot write `{name}`"))
}
