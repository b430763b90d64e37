//! Folders of results: written under a temporary name, renamed when whole,
//! the manifest last. A folder without a manifest is incomplete.

use std::fs::{self, File, TryLockError};
use std::io::{BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::background_file::BackgroundFile;
use super::exit::{Stop, print_line};
use super::journal::Journal;
use super::output_quota::{Hashes, Metered, OutputQuota};
use super::session::runs_expected;
use super::unfinished::{self, Unfinished};
use windtunnel::input;
use windtunnel::problem::Problem;
use windtunnel::report::{MANIFEST, ResultFiles};
use windtunnel::text::plain;

/// Finished runs of an experiment that is not finished.
const JOURNAL: &str = "journal.jsonl";
/// Marks what is not finished, and is locked by who writes it.
const PARTIAL: &str = "partial.json";

/// Most bytes of what says that a folder is not finished.
const MOST_NOTED: u64 = 1 << 20;

/// A folder in the making.
#[derive(Debug)]
pub(super) struct Folder {
    target: PathBuf,
    work: PathBuf,
    // Before the lock, so that what it leaves is still locked.
    unfinished: Unfinished,
    partial: File,
    meter: Arc<OutputQuota>,
    hashes: Arc<Mutex<Hashes>>,
}

/// Permissions on results that are there already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Claim {
    /// Finished results are replaced, and those of an experiment that was
    /// stopped are thrown away, unless it is resumed.
    pub(super) force: bool,
    /// The experiment that was stopped is gone on with.
    pub(super) resume: bool,
}

/// Record of an experiment that is not finished.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Partial {
    /// Kind of the experiment: the command that it is of.
    pub(super) kind: String,
    /// The command that makes it whole.
    pub(super) command: String,
    /// Reason that it is not finished.
    pub(super) state: String,
    /// Finished runs in the journal.
    pub(super) runs_kept: usize,
    /// Runs of the experiment, as far as it has come to know them.
    pub(super) runs_expected: usize,
}

impl Partial {
    fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// Finished runs in the folder, and the command that goes on with them.
    pub(super) fn resume_hint(&self, work: &Path) -> String {
        // Those of an earlier start are kept before they are asked for again.
        let asked = match self.runs_expected > self.runs_kept {
            true => format!(", of {} asked for so far,", self.runs_expected),
            false => String::new(),
        };
        let (kept, place) = (self.runs_kept, work.display());
        format!("{kept} finished runs{asked} in `{place}`\n  hint: go on with `{}`", self.command)
    }
}

impl Folder {
    /// Makes the temporary folder beside `target` and locks it. Bytes written into it count for
    /// `meter`.
    ///
    /// # Errors
    /// There is something already that `claim` does not cover; or another
    /// process is at it.
    pub(super) fn create(
        target: &Path,
        claim: Claim,
        meter: Arc<OutputQuota>,
    ) -> Result<Self, Stop> {
        if target.exists() && !claim.force {
            return Err(taken(target, "name another folder with `--out`, or add `--force`"));
        }
        if target.is_symlink() {
            return Err(linked(target));
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
                return Err(Stop::usage(
                    format!("`{}` is not a folder of results", target.display()),
                    "name another folder with `--out`; `--force` replaces results, nothing else",
                ));
            }
            if let Some(other) = foreign(target) {
                return Err(Stop::usage(
                    format!("`{}` holds `{}`, which is no result", target.display(), plain(&other)),
                    "move it away, or name another folder with `--out`",
                ));
            }
        }
        let name = target.file_name().context("the output folder needs a name")?;
        let work = target.with_file_name(format!(".{}.incomplete", name.to_string_lossy()));
        if work.is_symlink() {
            return Err(linked(&work));
        }
        fs::create_dir_all(&work).with_context(|| format!("cannot make `{}`", work.display()))?;
        if !fs::symlink_metadata(&work)?.is_dir() {
            return Err(Stop::Files(anyhow!("`{}` is not a folder", work.display())));
        }
        let partial = lock(&work)?;
        let unfinished = Unfinished::new(&work);
        if !claim.resume && !claim.force && Journal::has_runs(&work.join(JOURNAL)) {
            let message = "has runs of an experiment that was stopped before its end";
            let hint = "repeat its command with `--resume` to go on with it, or add `--force` to \
                        throw them away";
            let problem = Problem::with(&work.display().to_string(), message);
            return Err(Stop::Input(problem.hint(hint).into()));
        }
        if work.join(JOURNAL).is_symlink() {
            return Err(linked(&work.join(JOURNAL)));
        }
        let kept: &[&str] = if claim.resume { &[PARTIAL, JOURNAL] } else { &[PARTIAL] };
        clear(&work, kept)?;
        Ok(Self {
            target: target.to_owned(),
            work,
            unfinished,
            partial,
            meter,
            hashes: Arc::default(),
        })
    }

    /// Path of the journal of an experiment.
    pub(super) fn journal(&self) -> PathBuf {
        self.work.join(JOURNAL)
    }

    /// Says in the folder that it is not finished, and what there is of it.
    pub(super) fn mark(&mut self, partial: &Partial) -> Result<()> {
        let text = partial.text();
        let file = &mut self.partial;
        let written = unfinished::in_one_piece(|| {
            file.set_len(0)?;
            file.rewind()?;
            self.meter.count(text.len())?;
            file.write_all(&text)
        });
        written.with_context(|| format!("cannot write `{PARTIAL}`"))
    }

    /// Opens a new file in it; `name` may have one folder in front.
    pub(super) fn file(&self, name: &str) -> Result<BufWriter<Metered>> {
        Ok(BufWriter::with_capacity(1 << 18, self.create_file(name)?))
    }

    /// Opens a file in it that is written already.
    #[cfg(feature = "parquet")]
    pub(super) fn written(&self, name: &str) -> Result<File> {
        File::open(self.work.join(name)).with_context(|| format!("cannot read `{name}` again"))
    }

    /// Opens a new file in it that is written on a thread of its own.
    pub(super) fn spool(&self, name: &str) -> Result<BackgroundFile> {
        let file = self.create_file(name)?;
        BackgroundFile::new(file).with_context(|| format!("cannot write `{name}`"))
    }

    fn create_file(&self, name: &str) -> Result<Metered> {
        let path = self.work.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make `{}`", parent.display()))?;
        }
        // Never over what is there, nor through a link.
        let file = File::create_new(&path)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Metered::new(name, file, Arc::clone(&self.meter), Arc::clone(&self.hashes)))
    }

    /// Writes the manifest, with a hash of every other file, and gives the folder
    /// its name.
    pub(super) fn finish(self, mut manifest: Value) -> Result<PathBuf> {
        manifest["files"] = json!(*self.hashes.lock().unwrap_or_else(PoisonError::into_inner));
        let mut text = serde_json::to_vec_pretty(&manifest)?;
        text.push(b'\n');
        self.take_bytes(MANIFEST, &text)?;
        if let Some(told) = replaced(&self.target, &manifest) {
            print_line(&told);
        }
        let make_room = || {
            for name in [JOURNAL, PARTIAL] {
                let path = self.work.join(name);
                if path.exists() {
                    fs::remove_file(&path)?;
                }
            }
            match self.target.exists() {
                true => fs::remove_dir_all(&self.target),
                false => Ok(()),
            }
        };
        let named = self.unfinished.finish(&self.target, make_room);
        named.with_context(|| format!("cannot replace `{}`", self.target.display()))?;
        Ok(self.target)
    }
}

impl ResultFiles for Folder {
    type Failure = anyhow::Error;

    fn take(
        &self,
        name: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<()> {
        let mut file = self.file(name)?;
        fill(&mut file).with_context(|| format!("cannot write `{name}`"))?;
        finish(file, name)
    }
}

/// Most bytes of the manifest of what is replaced.
const MOST_MANIFEST: u64 = 16 << 20;

/// A file or folder in a folder of results that its manifest does not name.
fn foreign(target: &Path) -> Option<String> {
    let text = input::text(&target.join(MANIFEST), "manifest", MOST_MANIFEST).ok()?;
    let manifest: Value = serde_json::from_str(&text).ok()?;
    let files = manifest["files"].as_object()?;
    let own = |name: &str| {
        let begins = |file: &String| file.split('/').next() == Some(name);
        name == MANIFEST || files.keys().any(begins)
    };
    let entries = fs::read_dir(target).ok()?.filter_map(Result::ok);
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names.into_iter().find(|name| !own(name))
}

/// Note on the results that are replaced, in one line, if they answer another question than `new`;
/// `None` if nothing is there, or the same was asked.
fn replaced(target: &Path, new: &Value) -> Option<String> {
    let text = input::text(&target.join(MANIFEST), "manifest", MOST_MANIFEST).ok()?;
    let old: Value = serde_json::from_str(&text).ok()?;
    let words = |value: &Value| match value {
        Value::String(text) => plain(text),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        other => plain(&other.to_string()),
    };
    let mut told = Vec::new();
    for (key, name) in
        [("scenario", "scenario"), ("set", "--set"), ("policy", "policy"), ("seed", "seed")]
    {
        let (was, is) = (&old["recipe"][key], &new["recipe"][key]);
        if was != is {
            told.push(format!("{name} was {}, is {}", words(was), words(is)));
        }
    }
    for (key, name) in
        [("scenario_hash", "the text of the scenario has"), ("inputs", "files that it reads have")]
    {
        if told.is_empty() && old["recipe"][key] != new["recipe"][key] {
            told.push(format!("{name} changed"));
        }
    }
    let name = target.display();
    (!told.is_empty())
        .then(|| format!("`{name}` held other results, which are replaced: {}", told.join("; ")))
}

/// Leaves a folder that is not finished, with nothing in it but finished runs, and tells of those
/// in words. A folder without any is removed. `why` is noted.
pub(super) fn leave(work: &Path, why: Option<&str>) -> Option<String> {
    // Somebody may still be writing into it.
    let tries = 0..3;
    if !Journal::has_runs(&work.join(JOURNAL)) {
        let _ = tries.into_iter().any(|_| fs::remove_dir_all(work).is_ok());
        return None;
    }
    let _ = tries.into_iter().any(|_| clear(work, &[PARTIAL, JOURNAL]).is_ok());
    let path = work.join(PARTIAL);
    // Not by `input`, which reads nothing any more once the command is to end.
    let mut text = Vec::new();
    File::open(&path).ok()?.take(MOST_NOTED).read_to_end(&mut text).ok()?;
    let mut partial: Partial = serde_json::from_slice(&text).ok()?;
    if let Some(why) = why {
        partial.state = why.to_owned();
        partial.runs_kept = Journal::count(&work.join(JOURNAL));
        partial.runs_expected = runs_expected();
        let mut file = in_place(&path).ok()?;
        file.set_len(0).and_then(|()| file.write_all(&partial.text())).ok()?;
    }
    Some(partial.resume_hint(work))
}

/// Flushes a file to the disk.
pub(super) fn finish(file: BufWriter<Metered>, name: &str) -> Result<()> {
    let file = file.into_inner().map_err(|error| error.into_error());
    file.and_then(|file| file.sync()).with_context(|| format!("cannot write `{name}`"))
}

/// Opens a file to be written anew, which may be there, but is no link.
pub(super) fn in_place(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use nix::fcntl::OFlag;
        use std::os::unix::fs::OpenOptionsExt;
        // Nor does it wait for whoever reads from a pipe.
        options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
    }
    options.open(path)
}

/// Writes a file that the user names, in place of what it holds.
///
/// # Errors
/// The file is a link that leads away, or cannot be written.
pub(super) fn write_named(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    if leads_away(path) {
        return Err(linked(path));
    }
    fs::write(path, bytes)
        .with_context(|| format!("cannot write `{}`", path.display()))
        .map_err(Stop::from)
}

/// A new file or folder is asked for where there is something already.
pub(super) fn taken(path: &Path, hint: &str) -> Stop {
    Stop::usage(format!("`{}` exists already", path.display()), hint)
}

/// Makes a file that is not there yet, called `what` in words.
///
/// # Errors
/// There is something, or it cannot be made.
pub(super) fn new_file(path: &Path, what: &str) -> Result<File, Stop> {
    File::create_new(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(path, "name another file, or remove that one"),
        _ => {
            let what = format!("cannot write {what} to `{}`", path.display());
            anyhow::Error::from(error).context(what).into()
        }
    })
}

/// Whether the path is a link, which may lead anywhere. Those below `/dev`, such as standard
/// output, are the system's own.
pub(super) fn leads_away(path: &Path) -> bool {
    path.is_symlink() && !path.starts_with("/dev")
}

/// The refusal to write through the link at `path`.
pub(super) fn linked(path: &Path) -> Stop {
    let message = format!("`{}` is a symbolic link", path.display());
    Stop::usage(message, "nothing is written through one: name what it leads to, or remove it")
}

/// Takes the folder for this process alone.
fn lock(work: &Path) -> Result<File, Stop> {
    let path = work.join(PARTIAL);
    if path.is_symlink() {
        return Err(linked(&path));
    }
    let busy = || {
        let problem = Problem::with(&path.display().to_string(), "another windtunnel writes it");
        Stop::Input(problem.hint("wait for its end, or name another folder with `--out`").into())
    };
    let file = in_place(&path);
    let file = file.with_context(|| format!("cannot write `{}`", path.display()))?;
    match file.try_lock() {
        // The process that held it may have finished and moved it away in between.
        Ok(()) if path.exists() => Ok(file),
        Ok(()) | Err(TryLockError::WouldBlock) => Err(busy()),
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
