//! Standard input as a file: it is copied to the disk once, so that it can be
//! looked at, hashed and read again like any other input.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::sync::OnceLock;

use super::MAX_BYTES;

/// The word that names standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The copy, or why there is none: what can be read once fails once.
static COPY: OnceLock<Result<File, String>> = OnceLock::new();

/// A reader of the copy, from its beginning.
#[derive(Debug)]
pub(super) struct Stdin {
    copy: &'static File,
    at: u64,
}

impl Stdin {
    /// Begins to read; the first time, after all of standard input has come.
    ///
    /// # Errors
    /// It cannot be read or copied, or is larger than [`MAX_BYTES`].
    pub(super) fn open() -> io::Result<Self> {
        let copy = COPY.get_or_init(|| copied().map_err(|error| error.to_string()));
        match copy {
            Ok(copy) => Ok(Self { copy, at: 0 }),
            Err(why) => Err(io::Error::other(why.clone())),
        }
    }
}

impl Read for Stdin {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = read_at(self.copy, into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

fn copied() -> io::Result<File> {
    let mut file = unnamed()?;
    let copied = io::copy(&mut io::stdin().lock().take(MAX_BYTES + 1), &mut file)?;
    if copied > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {} GiB", MAX_BYTES >> 30)));
    }
    Ok(file)
}

/// A new file that is gone when this process is.
fn unnamed() -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    only_ours(&mut options);
    for attempt in 0.. {
        let name = format!("windtunnel-stdin-{}-{attempt}", std::process::id());
        let path = std::env::temp_dir().join(name);
        match options.open(&path) {
            Ok(file) => {
                forget_name(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(unix)]
fn only_ours(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(unix)]
fn forget_name(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    file.read_at(into, at)
}

#[cfg(windows)]
fn only_ours(options: &mut OpenOptions) {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
    options.custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
}

#[cfg(windows)]
fn forget_name(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    use std::os::windows::fs::FileExt;
    file.seek_read(into, at)
}
