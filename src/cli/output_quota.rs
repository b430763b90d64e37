//! Counts the bytes that a command writes into its folder, against a limit.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::HumanBytes;

/// Bytes written so far, and the most that may be.
#[derive(Debug)]
pub(super) struct OutputQuota {
    most: u64,
    written: AtomicU64,
}

/// Error: more was to be written than may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    /// Most bytes that may be written.
    pub(super) most: u64,
}

impl std::error::Error for Full {}

impl fmt::Display for Full {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "more would be written than `--max-output`, which is {}\n  \
             hint: raise it with `--max-output ...`",
            HumanBytes(self.most)
        )
    }
}

impl OutputQuota {
    /// A meter that lets `most` bytes pass.
    pub(super) fn new(most: u64) -> Self {
        Self { most, written: AtomicU64::new(0) }
    }

    /// Counts bytes that are about to be written.
    ///
    /// # Errors
    /// [`Full`], inside of an error of input and output.
    pub(super) fn count(&self, bytes: usize) -> io::Result<()> {
        let before = self.written.fetch_add(bytes as u64, Ordering::Relaxed);
        if before.saturating_add(bytes as u64) > self.most {
            return Err(io::Error::other(Full { most: self.most }));
        }
        Ok(())
    }

    /// The limit, where it was reached.
    pub(super) fn full(&self) -> Option<Full> {
        let full = self.written.load(Ordering::Relaxed) > self.most;
        full.then_some(Full { most: self.most })
    }
}

/// Hashes (BLAKE3, in hexadecimal digits) of the files of a folder that are whole.
pub(super) type Hashes = BTreeMap<String, String>;

/// A file whose bytes are counted and hashed.
#[derive(Debug)]
pub(super) struct Metered {
    name: String,
    file: File,
    meter: Arc<OutputQuota>,
    hasher: Box<blake3::Hasher>,
    hashes: Arc<Mutex<Hashes>>,
}

impl Metered {
    /// Counts what is written to `file` with `meter`, and notes its hash under
    /// `name` when it is whole.
    pub(super) fn new(
        name: &str,
        file: File,
        meter: Arc<OutputQuota>,
        hashes: Arc<Mutex<Hashes>>,
    ) -> Self {
        let hasher = Box::new(blake3::Hasher::new());
        Self { name: name.to_owned(), file, meter, hasher, hashes }
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// The file cannot be written to the disk.
    pub(super) fn sync(self) -> io::Result<()> {
        self.file.sync_all()?;
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.insert(self.name, self.hasher.finalize().to_hex().to_string());
        Ok(())
    }
}

impl Write for Metered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.meter.count(bytes.len())?;
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
