//! Counts the bytes that a command writes into its folder, against a limit.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::HumanBytes;

/// Bytes written so far, and how many may be.
#[derive(Debug)]
pub(super) struct Meter {
    most: u64,
    written: AtomicU64,
}

/// More was to be written than may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    /// How many bytes may be written.
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

impl Meter {
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

/// A file whose bytes are counted.
#[derive(Debug)]
pub(super) struct Metered {
    file: File,
    meter: Arc<Meter>,
}

impl Metered {
    /// Counts what is written to `file` with `meter`.
    pub(super) fn new(file: File, meter: Arc<Meter>) -> Self {
        Self { file, meter }
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

impl Write for Metered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.meter.count(bytes.len())?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
