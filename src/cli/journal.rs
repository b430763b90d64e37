//! The journal of an experiment: a line for each finished run, so that an
//! experiment that was stopped, however hard, can be taken up again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exit::Stop;
use super::meter::Meter;
use crate::experiment::{Measurement, Memory};
use crate::problem::Problem;

/// Version of the format.
const FORMAT: u32 = 2;
/// Longest line; the fates of two million jobs are shorter.
const LONGEST: u64 = 64 << 20;
/// What comes between a line and its checksum.
const SUM: &str = ",\"sum\":\"";
/// Digits of a checksum.
const DIGITS: usize = 16;

/// What an experiment is: the first line of its journal. Only runs of the very
/// same experiment are taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Version of windtunnel.
    pub(super) version: String,
    /// Hash of the program; empty where it could not be read.
    pub(super) build: String,
    /// The generator of random numbers.
    pub(super) generator: String,
    /// Which command it is of.
    pub(super) kind: String,
    /// Hash by scenario, as it runs.
    pub(super) scenarios: BTreeMap<String, String>,
    /// Hashes by input file.
    pub(super) inputs: BTreeMap<String, Vec<String>>,
    /// What else decides which runs there are.
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
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    file: File,
    /// Where the next line goes.
    end: u64,
    /// Where the line of each run is, and how long.
    runs: BTreeMap<String, (u64, usize)>,
    /// Why a line could not be written; nothing more is then.
    failed: Option<ErrorKind>,
    meter: Arc<Meter>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct First {
    journal: u32,
    experiment: Header,
}

/// Every other line.
#[derive(Serialize)]
struct Entry<'a> {
    run: &'a str,
    measurement: &'a Measurement,
}

#[derive(Deserialize)]
struct Name {
    run: String,
}

#[derive(Deserialize)]
struct Kept {
    measurement: Measurement,
}

impl Journal {
    /// The journal of the experiment that `header` describes at `path`: what is
    /// there is gone on with, and made where there is nothing.
    ///
    /// # Errors
    /// It is of another experiment, or damaged before its last line. The last
    /// one may be: that is what a hard stop leaves, and it is cut off.
    pub(super) fn open(path: &Path, header: &Header, meter: Arc<Meter>) -> Result<Self, Stop> {
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(problem(path, 0, "is not a regular file"));
        }
        let mut book = Book { file, end: 0, runs: BTreeMap::new(), failed: None, meter };
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
                let first = First { journal: FORMAT, experiment: header.clone() };
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

    /// How many finished runs it has.
    pub(super) fn len(&self) -> usize {
        self.book().runs.len()
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        // No panic is possible while it is locked.
        self.book.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Memory for Journal {
    fn recall(&self, key: &str) -> Option<Measurement> {
        let mut book = self.book();
        let (at, length) = *book.runs.get(key)?;
        let mut line = vec![0; length];
        book.file.seek(SeekFrom::Start(at)).ok()?;
        book.file.read_exact(&mut line).ok()?;
        drop(book);
        // What cannot be read is run again.
        serde_json::from_slice::<Kept>(content(&line)?).ok().map(|kept| kept.measurement)
    }

    fn keep(&self, key: &str, measurement: &Measurement) -> io::Result<()> {
        let mut book = self.book();
        let at = book.end;
        let length = book.write(&Entry { run: key, measurement })?;
        book.runs.insert(key.to_owned(), (at, length));
        Ok(())
    }
}

impl Book {
    /// Reads all whole lines, up to `end`. Gives the first one, unless there is
    /// none or it was torn.
    fn read(&mut self, path: &Path) -> Result<Option<First>, Stop> {
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
    Stop::Input(vec![problem.hint("add `--force` and leave out `--resume` to start anew")])
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
mod tests {
    use std::fs;

    use super::*;
    use crate::metrics::{Series, Summary};

    fn header() -> Header {
        Header {
            version: "1".to_owned(),
            build: "b".to_owned(),
            generator: "g".to_owned(),
            kind: "compare".to_owned(),
            scenarios: BTreeMap::from([("a".to_owned(), "1f".to_owned())]),
            inputs: BTreeMap::from([("t.csv".to_owned(), vec!["2e".to_owned()])]),
            parameters: BTreeMap::from([("replications".to_owned(), Value::from(3))]),
        }
    }

    fn measurement(cost: i128) -> Measurement {
        let (summary, series) = (Summary::default(), Series::default());
        let plain = Measurement { cost, ..Measurement::of(&summary, &series, vec![true], None) };
        // Some that come back as their neighbours when they are read in a hurry.
        let metrics = [83.499_040_111_265_37, 0.975_208_250_694_168_9, -5.238_032_230_181_49e-16];
        Measurement { metrics: metrics.map(Some).to_vec(), ..plain }
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("journal.jsonl");
        (folder, path)
    }

    fn open(path: &Path, header: &Header) -> Result<Journal, Stop> {
        Journal::open(path, header, Arc::new(Meter::new(u64::MAX)))
    }

    /// A journal with runs `a`, `b` and `c`.
    fn written(path: &Path) -> Vec<u8> {
        let journal = open(path, &header()).expect("it can be made");
        for (cost, key) in ["a", "b", "c"].into_iter().enumerate() {
            journal.keep(key, &measurement(cost as i128)).expect("it can be written");
        }
        fs::read(path).expect("it is there")
    }

    fn refusal(path: &Path, header: &Header) -> String {
        match open(path, header) {
            Err(Stop::Input(problems)) => problems[0].to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_kept_is_recalled_now_and_later() {
        let (_folder, path) = folder();
        let journal = open(&path, &header()).expect("it can be made");
        assert!(!Journal::has_runs(&path));
        journal.keep("a", &measurement(-7)).expect("it can be written");
        assert!(Journal::has_runs(&path));
        assert_eq!(journal.recall("a"), Some(measurement(-7)));
        assert_eq!(journal.recall("b"), None);
        drop(journal);
        let journal = open(&path, &header()).expect("it is whole");
        assert_eq!((journal.len(), journal.recall("a")), (1, Some(measurement(-7))));
        journal.keep("b", &measurement(8)).expect("it can be written");
        assert_eq!(journal.recall("b"), Some(measurement(8)));
    }

    #[test]
    fn a_last_line_torn_anywhere_is_cut_off() {
        let (_folder, path) = folder();
        let whole = written(&path);
        let line =
            |bytes: &[u8]| bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let last = line(&whole[..whole.len() - 1]);
        for end in last..whole.len() {
            fs::write(&path, &whole[..end]).expect("it can be written");
            let journal = open(&path, &header()).expect("what is before is whole");
            assert_eq!(journal.len(), 2, "cut at {end}");
            journal.keep("c", &measurement(2)).expect("it can be written");
            assert_eq!(fs::read(&path).expect("it is there"), whole, "cut at {end}");
        }
    }

    #[test]
    fn a_first_line_torn_anywhere_is_begun_anew() {
        let (_folder, path) = folder();
        let whole = written(&path);
        let first = whole.iter().position(|&byte| byte == b'\n').expect("there are lines");
        for end in 0..=first {
            fs::write(&path, &whole[..end]).expect("it can be written");
            let journal = open(&path, &header()).expect("there is nothing in it");
            assert_eq!(journal.len(), 0);
            assert_eq!(fs::read(&path).expect("it is there"), whole[..=first]);
        }
    }

    #[test]
    fn damage_is_cut_off_at_the_end_and_an_error_before() {
        let (_folder, path) = folder();
        let whole = written(&path);
        for at in (0..whole.len()).filter(|&at| at % 5 == 0 || whole[at] == b'\n') {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).expect("it can be written");
            let line = whole[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            // Without the end of line between them, the last two lines are one.
            let is_last = line == 4 || (line == 3 && whole[at] == b'\n');
            match open(&path, &header()) {
                Ok(journal) => assert_eq!((is_last, journal.len()), (true, line - 2), "{at}"),
                Err(Stop::Input(problems)) => {
                    assert_eq!((is_last, problems[0].line), (false, line as u64), "{at}");
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn another_experiment_is_refused_and_says_why() {
        let (_folder, path) = folder();
        let whole = written(&path);
        let check = |change: &dyn Fn(&mut Header), want: &str| {
            let mut now = header();
            change(&mut now);
            let found = refusal(&path, &now);
            let want = format!(
                "{}:1: is of another experiment: {want}\n  hint: add `--force` and leave out `--resume` to start anew",
                path.display()
            );
            assert_eq!(found, want);
        };
        check(&|now| now.version = "2".to_owned(), "the version of windtunnel was `1` and is `2`");
        check(&|now| now.build.clear(), "the program has changed");
        check(&|now| now.kind = "sweep".to_owned(), "the command was `compare` and is `sweep`");
        check(
            &|now| _ = now.scenarios.insert("a".to_owned(), "2".to_owned()),
            "scenario `a` has changed",
        );
        check(
            &|now| _ = now.scenarios.insert("b".to_owned(), "2".to_owned()),
            "scenario `b` is new",
        );
        check(&|now| now.inputs.clear(), "the input file `t.csv` is not read");
        check(
            &|now| _ = now.parameters.insert("replications".to_owned(), Value::from(4)),
            "`replications` was `3` and is `4`",
        );
        assert_eq!(fs::read(&path).expect("it is there"), whole);
    }

    #[test]
    fn a_line_that_cannot_be_written_ends_the_journal() {
        let (_folder, path) = folder();
        let whole = written(&path);
        let file = File::options().read(true).write(true).open("/dev/full").expect("it is there");
        let meter = Arc::new(Meter::new(u64::MAX));
        let book = Book { file, end: 0, runs: BTreeMap::new(), failed: None, meter };
        let journal = Journal { path: path.clone(), book: Mutex::new(book) };
        let full = journal.keep("a", &measurement(1)).expect_err("nothing fits on it");
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        // No line after half a line.
        journal.book().file = File::options().write(true).open(&path).expect("it is there");
        journal.keep("a", &measurement(1)).expect_err("it has failed before");
        assert_eq!(fs::read(&path).expect("it is there"), whole);
        assert_eq!(journal.len(), 0);
    }
}
