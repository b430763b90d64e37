use std::fs;

use super::*;
use windtunnel::metrics::{Series, Summary};

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
    Journal::open(path, header, Arc::new(OutputQuota::new(u64::MAX)))
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
    let line = |bytes: &[u8]| bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
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
    check(&|now| _ = now.scenarios.insert("b".to_owned(), "2".to_owned()), "scenario `b` is new");
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
    let meter = Arc::new(OutputQuota::new(u64::MAX));
    let book = JournalFile { file, end: 0, runs: BTreeMap::new(), failed: None, meter };
    let journal = Journal { path: path.clone(), book: Mutex::new(book) };
    let full = journal.keep("a", &measurement(1)).expect_err("nothing fits on it");
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    // No line after half a line.
    journal.book().file = File::options().write(true).open(&path).expect("it is there");
    journal.keep("a", &measurement(1)).expect_err("it has failed before");
    assert_eq!(fs::read(&path).expect("it is there"), whole);
    assert_eq!(journal.len(), 0);
}
