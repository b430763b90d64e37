//! The journal of an experiment: a line for each finished run, so that an
//! experiment that was stopped, however hard, can be taken up again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use anyhow::Context;

use super::exit::Stop;
use super::folder::in_place;
use super::output_quota::OutputQuota;
use windtunnel::experiment::{Measurement, RunCache};
use windtunnel::problem::Problem;

/// Version of the format.
const FORMAT: u32 = 2;
/// Longest line in bytes; the outcomes of two million jobs are shorter.
const LONGEST: u64 = 64 << 20;
/// Text between a line and its checksum.
const SUM: &str = ",\"sum\":\"";
/// Digits of a checksum.
const DIGITS: usize = 16;

/// Identity of an experiment: the first line of its journal. Only runs of the very same experiment
/// are taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Version of windtunnel.
    pub(super) version: String,
    /// Hash of the program; empty where it could not be read.
    pub(super) build: String,
    /// The generator of random numbers.
    pub(super) generator: String,
    /// Command that it is of.
    pub(super) kind: String,
    /// Hash by scenario, as it runs.
    pub(super) scenarios: BTreeMap<String, String>,
    /// Hashes by input file.
    pub(super) inputs: BTreeMap<String, Vec<String>>,
    /// Other parameters that decide which runs there are.
    pub(super) parameters: BTreeMap<String, Value>,
}

impl Header {
    /// The first thing in which two experiments differ, in words.
    fn difference(&self, now: &Self) -> Option<String> {
        let told = |what: &str, was: &str, is: &str| {
            (was != is).then(|| format!("{what} was `{was}` and is `{is}`"))
        };
        let changed = |what: &str| Some(format!("{what} has changed"));
        told("the version of windtunnel", &self.version, &now.version)
            .or_else(|| (self.build != now.build).then(|| changed("the program")).flatten())
            .or_else(|| told("the generator", &self.generator, &now.generator))
            .or_else(|| told("the command", &self.kind, &now.kind))
            .or_else(|| match first_difference(&self.scenarios, &now.scenarios)? {
                (name, Some(_), Some(_)) => changed(&format!("scenario `{name}`")),
                (name, Some(_), None) => Some(format!("scenario `{name}` is no longer there")),
                (name, ..) => Some(format!("scenario `{name}` is new")),
            })
            .or_else(|| match first_difference(&self.inputs, &now.inputs)? {
                (name, Some(_), Some(_)) => changed(&format!("the input file `{name}`")),
                (name, Some(_), None) => Some(format!("the input file `{name}` is not read")),
                (name, ..) => Some(format!("the input file `{name}` is new")),
            })
            .or_else(|| {
                let shown = |value: Option<&Value>| value.unwrap_or(&Value::Null).to_string();
                let (name, was, is) = first_difference(&self.parameters, &now.parameters)?;
                told(&format!("`{name}`"), &shown(was), &shown(is))
            })
    }
}

/// The first key whose values differ, with both of them.
fn first_difference<'a, V: PartialEq>(
    was: &'a BTreeMap<String, V>,
    is: &'a BTreeMap<String, V>,
) -> Option<(&'a str, Option<&'a V>, Option<&'a V>)> {
    let rows = was.keys().chain(is.keys()).map(|key| (key.as_str(), was.get(key), is.get(key)));
    rows.into_iter().find(|(_, was, is)| was != is)
}

/// Finished runs, in a file that only grows.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    book: Mutex<JournalFile>,
}

#[derive(Debug)]
struct JournalFile {
    file: File,
    /// Offset of the next line, in bytes.
    end: u64,
    /// Offset and length of the line of each run, in bytes.
    runs: BTreeMap<String, (u64, usize)>,
    /// Reason that a line could not be written; nothing more is written then.
    failed: Option<ErrorKind>,
    meter: Arc<OutputQuota>,
}

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
struct JournalHead {
    journal: u32,
    experiment: Header,
}

/// Every other line of a journal.
#[derive(Serialize)]
struct JournalEntry<'a> {
    run: &'a str,
    measurement: &'a Measurement,
}

#[derive(Deserialize)]
struct Name {
    run: String,
}

#[derive(Deserialize)]
struct KeptRun {
    measurement: Measurement,
}

impl Journal {
    /// The journal of the experiment that `header` describes at `path`: what is
    /// there is gone on with, and made where there is nothing.
    ///
    /// # Errors
    /// It is of another experiment, or damaged before its last line. The last
    /// one may be: that is what a hard stop leaves, and it is cut off.
    pub(super) fn open(
        path: &Path,
        header: &Header,
        meter: Arc<OutputQuota>,
    ) -> Result<Self, Stop> {
        let file = in_place(path).with_context(|| format!("cannot write `{}`", path.display()))?;
        if !file.metadata()?.is_file() {
            return Err(problem(path, 0, "is not a regular file"));
        }
        let mut book = JournalFile { file, end: 0, runs: BTreeMap::new(), failed: None, meter };
        match book.read(path)? {
            Some(first) if first.journal != FORMAT => {
                let message = format!("is of format {}; this is {FORMAT}", first.journal);
                return Err(problem(path, 1, message));
            }
            Some(first) => {
                if let Some(difference) = first.experiment.difference(header) {
                    let message = format!("is of another experiment: {difference}");
                    return Err(problem(path, 1, message));
                }
                book.file.set_len(book.end)?;
            }
            None => {
                book.file.set_len(0)?;
                let first = JournalHead { journal: FORMAT, experiment: header.clone() };
                book.write(&first)?;
            }
        }
        Ok(Self { path: path.to_owned(), book: Mutex::new(book) })
    }

    /// Whether there is a journal at `path` with anything after its first line.
    pub(super) fn has_runs(path: &Path) -> bool {
        let rest = || {
            let mut reader = BufReader::new(File::open(path)?);
            reader.skip_until(b'\n')?;
            Ok::<bool, io::Error>(!reader.fill_buf()?.is_empty())
        };
        path.is_file() && rest().unwrap_or(true)
    }

    /// Number of finished runs in the journal at `path`.
    pub(super) fn count(path: &Path) -> usize {
        let lines = File::open(path).map(|file| BufReader::new(file).split(b'\n').count());
        lines.map_or(0, |lines| lines.saturating_sub(1))
    }

    /// Number of finished runs.
    pub(super) fn len(&self) -> usize {
        self.book().runs.len()
    }

    /// Path of the journal.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn book(&self) -> std::sync::MutexGuard<'_, JournalFile> {
        // No panic is possible while it is locked.
        self.book.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl RunCache for Journal {
    fn recall(&self, key: &str) -> Option<Measurement> {
        let mut book = self.book();
        let (at, length) = *book.runs.get(key)?;
        let mut line = vec![0; length];
        book.file.seek(SeekFrom::Start(at)).ok()?;
        book.file.read_exact(&mut line).ok()?;
        drop(book);
        // A line that cannot be read has its run done again.
        serde_json::from_slice::<KeptRun>(content(&line)?).ok().map(|kept| kept.measurement)
    }

    fn keep(&self, key: &str, measurement: &Measurement) -> io::Result<()> {
        let mut book = self.book();
        let at = book.end;
        let length = book.write(&JournalEntry { run: key, measurement })?;
        book.runs.insert(key.to_owned(), (at, length));
        Ok(())
    }
}

impl JournalFile {
    /// Reads all whole lines, up to `end`. Gives the first one, unless there is
    /// none or it was torn.
    fn read(&mut self, path: &Path) -> Result<Option<JournalHead>, Stop> {
        let size = self.file.metadata()?.len();
        let mut reader = BufReader::new(&self.file);
        let mut first = None;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            (&mut reader).take(LONGEST).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                break;
            }
            let next = self.end + line.len() as u64;
            let Some(content) = content(&line) else {
                if next == size {
                    break;
                }
                return Err(problem(path, number, "is damaged: its checksum does not fit"));
            };
            let strange = |error| problem(path, number, format!("is not understood: {error}"));
            if number == 1 {
                first = Some(serde_json::from_slice(content).map_err(strange)?);
            } else {
                let Name { run } = serde_json::from_slice(content).map_err(strange)?;
                self.runs.insert(run, (self.end, line.len()));
            }
            self.end = next;
        }
        Ok(first)
    }

    /// Appends a line and gives its length. It is in the hands of the operating
    /// system then, so that it outlives this process; only a crash of the whole
    /// machine can lose it, and what it would have kept is run again.
    fn write(&mut self, content: &impl Serialize) -> io::Result<usize> {
        if let Some(kind) = self.failed {
            return Err(kind.into());
        }
        let mut line = serde_json::to_vec(content)?;
        let sum = checksum(&line);
        line.pop();
        line.extend_from_slice(format!("{SUM}{sum}\"}}\n").as_bytes());
        self.meter.count(line.len())?;
        self.file.seek(SeekFrom::Start(self.end))?;
        if let Err(error) = self.file.write_all(&line) {
            self.failed = Some(error.kind());
            return Err(error);
        }
        self.end += line.len() as u64;
        Ok(line.len())
    }
}

fn problem(path: &Path, line: u64, message: impl Into<String>) -> Stop {
    let problem = Problem::at(&path.display().to_string(), line, 0, message);
    Stop::Input(problem.hint("add `--force` and leave out `--resume` to start anew").into())
}

fn checksum(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..DIGITS].to_owned()
}

/// A line that is whole, as JSON: with its checksum, which readers pass over.
fn content(line: &[u8]) -> Option<&[u8]> {
    let text = line.strip_suffix(b"\n")?;
    let at = text.len().checked_sub(SUM.len() + DIGITS + 2)?;
    let (start, end) = text.split_at(at);
    let mut whole = start.to_vec();
    whole.push(b'}');
    let want = format!("{SUM}{}\"}}", checksum(&whole));
    (end == want.as_bytes()).then_some(text)
}

#[cfg(test)]
mod tests;
