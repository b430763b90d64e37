//! `--decisions`: what happened in a run, record by record, as JSON lines.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use super::exit::Stop;
use super::folder::new_file;
use windtunnel::experiment::EventLogEntry;

/// A log in the making.
pub(super) struct Decisions {
    out: BufWriter<Box<dyn Write>>,
    failed: Option<io::Error>,
}

impl Decisions {
    /// Opens a new file, or for `-` standard output.
    pub(super) fn create(path: &Path) -> Result<Self, Stop> {
        let out: Box<dyn Write> = match path == Path::new("-") {
            true => Box::new(io::stdout()),
            false => Box::new(new_file(path, "decisions")?),
        };
        Ok(Self { out: BufWriter::new(out), failed: None })
    }

    /// Writes a record. After the first error nothing is written any more.
    pub(super) fn write(&mut self, step: &EventLogEntry) {
        if self.failed.is_some() {
            return;
        }
        let line = serde_json::to_vec(step).map_err(io::Error::from);
        let written = line.and_then(|mut line| {
            line.push(b'\n');
            self.out.write_all(&line)
        });
        self.failed = written.err();
    }

    /// Says whether all was written.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        let written = self.failed.take().map_or_else(|| self.out.flush(), Err);
        written.context("cannot write the decisions")
    }
}
