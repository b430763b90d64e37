//! Files and folders in the making. They have names of their own until they are
//! whole, and go where they cannot be finished.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::folder;

/// Paths in the making now. Held while something gets its name, so that nothing is taken away in
/// the middle of that.
static ALL: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A file or folder in the making; dropped, it goes.
#[derive(Debug)]
pub(super) struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// The file or folder that is made at `path` from now on.
    pub(super) fn new(path: &Path) -> Self {
        all().insert(path.to_owned());
        Self { path: path.to_owned() }
    }

    /// A new file beside `target`, in place of what another process left there. It
    /// is never written through a link.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(super) fn file(target: &Path) -> io::Result<(Self, File)> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let path = target.with_file_name(format!(".{}.incomplete", name.to_string_lossy()));
        if path.symlink_metadata().is_ok() {
            fs::remove_file(&path)?;
        }
        let unfinished = Self::new(&path);
        let file = File::create_new(&path)?;
        Ok((unfinished, file))
    }

    /// Gives it its name, after `before` has made room for it.
    ///
    /// # Errors
    /// It cannot be named, or no room can be made; then it is removed.
    pub(super) fn finish(
        self,
        target: &Path,
        before: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let mut all = all();
        let named = before().and_then(|()| fs::rename(&self.path, target));
        if named.is_ok() {
            all.remove(&self.path);
        }
        drop(all);
        named
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if all().remove(&self.path) {
            leave(&self.path, None);
        }
    }
}

/// Leaves everything as it can be left, for the reason `why`; what is kept, in words. The process ends
/// then: whoever would go on with any of it waits for that.
pub(super) fn leave_all(why: &str) -> Option<String> {
    let all = all();
    let kept = all.iter().filter_map(|path| leave(path, Some(why))).next_back();
    std::mem::forget(all);
    kept
}

/// Does what must not be cut off in the middle as the process ends.
pub(super) fn in_one_piece<T>(act: impl FnOnce() -> T) -> T {
    let _all = all();
    act()
}

/// Removes a file or folder, but for the finished runs of an experiment, and tells of those in
/// words. Files that cannot be removed stay under their name, which says that they are not whole.
fn leave(path: &Path, why: Option<&str>) -> Option<String> {
    if path.is_dir() {
        return folder::leave(path, why);
    }
    let _ = fs::remove_file(path);
    None
}

fn all() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}
