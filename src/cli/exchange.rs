//! The record of an exchange: the questions to a policy in another process, and its answers.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;

use super::exit::Stop;
use super::folder::new_file;
use super::process::Processes;
use windtunnel::policy::external::{BrokenConversation, Conversation, FROM, Launcher, TO};
use windtunnel::policy::spec::External;

type Out = Arc<Mutex<BufWriter<File>>>;

/// Starts processes, and writes down all that is said.
#[derive(Debug)]
pub(super) struct Recorder {
    out: Out,
}

impl Recorder {
    /// Writes to a new file at `path`.
    pub(super) fn create(path: &Path) -> Result<Self, Stop> {
        let file = new_file(path, "the exchange")?;
        Ok(Self { out: Arc::new(Mutex::new(BufWriter::new(file))) })
    }

    /// Ends the record.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.flush().context("cannot write the exchange")
    }
}

/// A conversation that is written down.
#[derive(Debug)]
struct Recording {
    part: String,
    with: Box<dyn Conversation>,
    out: Out,
}

impl Launcher for Recorder {
    fn launch(
        &self,
        who: &External,
        part: &str,
    ) -> Result<Box<dyn Conversation>, BrokenConversation> {
        let with = Processes.launch(who, part)?;
        Ok(Box::new(Recording { part: part.to_owned(), with, out: Arc::clone(&self.out) }))
    }
}

impl Recording {
    fn write(&self, mark: &str, line: &str) -> Result<(), BrokenConversation> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(out, "{}{mark}{line}", self.part).map_err(|error| {
            BrokenConversation::new(
                format!("cannot be recorded: {error}"),
                "is there room on the disk?",
            )
        })
    }
}

impl Conversation for Recording {
    fn exchange(&mut self, line: &str) -> Result<String, BrokenConversation> {
        self.write(TO, line)?;
        let answer = self.with.exchange(line)?;
        self.write(FROM, &answer)?;
        Ok(answer)
    }

    fn last_words(&mut self) -> String {
        self.with.last_words()
    }
}
