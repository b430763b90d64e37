//! Folders of results: written under a temporary name, renamed when whole,
//! the manifest last. A folder without a manifest is incomplete.

use std::fs::{self, File, TryLockError};
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use serde::Serialize;

use super::exit::Stop;
use super::journal::Journal;
use super::meter::{Meter, Metered};
use super::spool::Spool;
use crate::problem::Problem;

/// Written last; readers refuse a folder without it.
pub(super) const MANIFEST: &str = "manifest.json";
/// Finished runs of an experiment that is not finished.
const JOURNAL: &str = "journal.jsonl";
/// Marks what is not finished, and is locked by who writes it.
const PARTIAL: &str = "partial.json";

/// A folder in the making.
#[derive(Debug)]
pub(super) struct Folder {
    target: PathBuf,
    work: PathBuf,
    partial: File,
    meter: Arc<Meter>,
    done: bool,
}

/// What may be done with what is there already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Claim {
    /// Finished results are replaced, and those of an experiment that was
    /// stopped are thrown away, unless it is resumed.
    pub(super) force: bool,
    /// The experiment that was stopped is gone on with.
    pub(super) resume: bool,
}

/// What there is of an experiment that is not finished.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Partial {
    /// What it is.
    pub(super) kind: &'static str,
    /// The command that makes it whole.
    pub(super) command: String,
    /// Why it is not finished.
    pub(super) state: String,
    /// Finished runs in the journal.
    pub(super) runs_kept: usize,
    /// Runs of the experiment, as far as it has come to know them.
    pub(super) runs_expected: usize,
}

impl Folder {
    /// Makes the temporary folder beside `target` and locks it. What is written
    /// into it counts for `meter`.
    ///
    /// # Errors
    /// There is something already that `claim` does not cover; or another
    /// process is at it.
    pub(super) fn create(target: &Path, claim: Claim, meter: Arc<Meter>) -> Result<Self, Stop> {
        if target.exists() && !claim.force {
            return Err(Stop::Files(anyhow!(
                "`{}` exists already; name another folder with --out, or add --force",
                target.display()
            )));
        }
        if target.exists() && !target.is_dir() {
            let name = target.display();
            return Err(Stop::usage(
                format!("`{name}` is a file, not a folder of results"),
                "name a folder with `--out`; `--force` replaces results, nothing else",
            ));
        }
        if target.exists() && fs::read_dir(target).is_ok_and(|mut rows| rows.next().is_some()) {
            let known = target.join(MANIFEST).exists();
            if !known {
                let what = anyhow!("`{}` is not a folder of results", target.display());
                return Err(Stop::Files(what));
            }
        }
        let name = target.file_name().context("the output folder needs a name")?;
        let work = target.with_file_name(format!(".{}.incomplete", name.to_string_lossy()));
        fs::create_dir_all(&work).with_context(|| format!("cannot make `{}`", work.display()))?;
        if !fs::symlink_metadata(&work)?.is_dir() {
            return Err(Stop::Files(anyhow!("`{}` is not a folder", work.display())));
        }
        let partial = lock(&work)?;
        if !claim.resume && !claim.force && Journal::has_runs(&work.join(JOURNAL)) {
            let message = "has runs of an experiment that was stopped before its end";
            let hint = "repeat its command with `--resume` to go on with it, or add `--force` to \
                        throw them away";
            let problem = Problem::with(&work.display().to_string(), message);
            return Err(Stop::Input(vec![problem.hint(hint)]));
        }
        let kept: &[&str] = if claim.resume { &[PARTIAL, JOURNAL] } else { &[PARTIAL] };
        clear(&work, kept)?;
        Ok(Self { target: target.to_owned(), work, partial, meter, done: false })
    }

    /// Where the journal of an experiment is.
    pub(super) fn journal(&self) -> PathBuf {
        self.work.join(JOURNAL)
    }

    /// Says in the folder that it is not finished, and what there is of it.
    pub(super) fn mark(&mut self, partial: &Partial) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(partial)?;
        text.push(b'\n');
        let file = &mut self.partial;
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| {
            self.meter.count(text.len())?;
            file.write_all(&text)
        });
        written.with_context(|| format!("cannot write `{PARTIAL}`"))
    }

    /// Opens a new file in it; `name` may have one folder in front.
    pub(super) fn file(&self, name: &str) -> Result<BufWriter<Metered>> {
        Ok(BufWriter::with_capacity(1 << 18, self.create_file(name)?))
    }

    /// Opens a new file in it that is written on a thread of its own.
    pub(super) fn spool(&self, name: &str) -> Result<Spool> {
        let file = self.create_file(name)?;
        Spool::new(file).with_context(|| format!("cannot write `{name}`"))
    }

    fn create_file(&self, name: &str) -> Result<Metered> {
        let path = self.work.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make `{}`", parent.display()))?;
        }
        let file =
            File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Metered::new(file, Arc::clone(&self.meter)))
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
        for name in [JOURNAL, PARTIAL] {
            let path = self.work.join(name);
            if path.exists() {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove `{}`", path.display()))?;
            }
        }
        fs::rename(&self.work, &self.target)
            .with_context(|| format!("cannot name `{}`", self.target.display()))?;
        self.done = true;
        Ok(self.target.clone())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // What cannot be removed stays under its temporary name, without a manifest.
        let _ = match Journal::has_runs(&self.journal()) {
            true => clear(&self.work, &[PARTIAL, JOURNAL]),
            false => fs::remove_dir_all(&self.work).map_err(Into::into),
        };
    }
}

/// Flushes a file to the disk.
pub(super) fn finish(file: BufWriter<Metered>, name: &str) -> Result<()> {
    let file = file.into_inner().map_err(|error| error.into_error());
    file.and_then(|file| file.sync()).with_context(|| format!("cannot write `{name}`"))
}

/// Takes the folder for this process alone.
fn lock(work: &Path) -> Result<File, Stop> {
    let path = work.join(PARTIAL);
    let taken = || {
        let problem = Problem::with(&path.display().to_string(), "another windtunnel writes it");
        Stop::Input(vec![problem.hint("wait for its end, or name another folder with `--out`")])
    };
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.with_context(|| format!("cannot write `{}`", path.display()))?;
    match file.try_lock() {
        // Who held it may have finished and moved it away in between.
        Ok(()) if path.exists() => Ok(file),
        Ok(()) | Err(TryLockError::WouldBlock) => Err(taken()),
        Err(TryLockError::Error(error)) => {
            let what = format!("cannot lock `{}`", path.display());
            Err(Stop::Files(anyhow::Error::from(error).context(what)))
        }
    }
}

/// Removes everything but the `kept` files.
fn clear(work: &Path, kept: &[&str]) -> Result<()> {
    let rows = || -> std::io::Result<()> {
        for row in fs::read_dir(work)? {
            let row = row?;
            if kept.iter().any(|&name| row.file_name() == name) {
                continue;
            }
            match row.file_type()?.is_dir() {
                true => fs::remove_dir_all(row.path())?,
                false => fs::remove_file(row.path())?,
            }
        }
        Ok(())
    };
    rows().with_context(|| format!("cannot clear `{}`", work.display()))
}
