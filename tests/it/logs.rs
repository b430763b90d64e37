//! Logs of batch systems, of the development data.

use std::path::{Path, PathBuf};

use windtunnel::model::{Ask, Interner, Work, WorkId};
use windtunnel::units::Calendar;
use windtunnel::workload::{
    Defaults, EstimateRule, Format, OnBadRow, OpenContext, Procs, Source, SwfOptions, TraceSpec,
    Unsorted, WorkloadInput, WorkloadSpec,
};

use crate::trial::CORE;

/// A log of the development data.
pub(crate) fn log(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/swf").join(name)
}

/// Its jobs, with the users' estimates where they gave any.
pub(crate) fn open(path: &Path) -> Box<dyn Source> {
    let options = SwfOptions { procs: Procs::Larger, drop_zero: true, ..SwfOptions::default() };
    let trace = TraceSpec {
        path: path.to_owned(),
        shown: "log".to_owned(),
        format: Format::Swf(options),
        on_bad_row: OnBadRow::Skip,
        unsorted: Unsorted::Sort,
        filters: Vec::new(),
        nameless: false,
    };
    let defaults = Defaults { estimate: EstimateRule::Runtime, ..Defaults::default() };
    let transforms = Vec::new();
    let spec = WorkloadSpec { input: WorkloadInput::Trace(trace), defaults, transforms };
    let calendar = Calendar::from_unix_micros(0);
    let context = OpenContext { seed: 1, calendar, keep_names: false, capacity: None };
    spec.open(&context).expect("the log can be read")
}

/// All jobs of the log of KTH's 100 nodes as gangs, with the estimates that users gave.
pub(crate) fn kth() -> Vec<Work> {
    let mut source = open(&log("KTH-SP2-1996.swf.gz"));
    let (mut works, mut work, mut book) = (Vec::new(), Work::default(), Interner::default());
    while source.next(&mut book, &mut work).expect("the log can be read") {
        work.id = WorkId { source: 0, ordinal: works.len() as u64 };
        let Ask { tasks, estimate, .. } = work.ask;
        work.ask = Ask { tasks, gang: true, demand: CORE, estimate, ..Ask::default() };
        works.push(work.clone());
    }
    let wrong = works.iter().filter(|work| work.ask.estimate != work.truth.runtime).count();
    assert!(works.len() > 28_000 && wrong > 20_000, "{wrong} of {}", works.len());
    works
}
