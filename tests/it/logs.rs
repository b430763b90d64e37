//! Logs of batch systems, of the development data.

use std::path::{Path, PathBuf};

use windtunnel::model::{Ask, Interner, Work, WorkId};
use windtunnel::units::Calendar;
use windtunnel::workload::{
    Defaults, EstimateRule, OPENB, OnBadRow, OpenContext, SWF, Source, TraceSpec, Unsorted,
    WorkloadInput, WorkloadSpec, read_nodes,
};

use crate::trial::CORE;

/// A file of the development data.
fn shared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name)
}

/// A log of the development data.
pub(crate) fn log(name: &str) -> PathBuf {
    shared("swf").join(name)
}

/// Its jobs, with the users' estimates where they gave any.
pub(crate) fn open(path: &Path) -> Box<dyn Source> {
    let trace = TraceSpec {
        path: path.to_owned(),
        shown: "log".to_owned(),
        format: SWF.spec().set("procs", "larger").set("drop_zero", true),
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
    let wrong = works.iter().filter(|work| work.ask.estimate != work.body.length()).count();
    assert!(works.len() > 28_000 && wrong > 20_000, "{wrong} of {}", works.len());
    works
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn published_logs_have_their_published_counts() {
    let swf = || SWF.spec();
    let openb = || OPENB.spec();
    let cases = [
        ("swf/HPC2N-2002-2.2-cln.swf.gz", swf(), 202_871, Some(1_027_839_845)),
        ("swf/KTH-SP2-1996.swf.gz", swf(), 28_481, Some(843_480_031)),
        ("swf/lublin_256.swf.gz", swf(), 10_000, None),
        ("swf/NASA-iPSC-1993-3.1-cln.swf.gz", swf(), 18_239, Some(749_458_803)),
        ("gpu/openb_pod_list_default.csv.gz", openb(), 8_152, None),
    ];
    for (name, format, count, start) in cases {
        let input = WorkloadInput::Trace(TraceSpec::new(shared(name), format));
        let spec = WorkloadSpec { input, defaults: Defaults::default(), transforms: Vec::new() };
        let calendar = Calendar::from_unix_micros(0);
        let context = OpenContext { seed: 1, calendar, keep_names: true, capacity: None };
        let mut source = spec.open(&context).expect(name);
        let (mut book, mut work, mut found) = (Interner::default(), Work::default(), 0);
        while source.next(&mut book, &mut work).expect(name) {
            found += 1;
        }
        assert_eq!(found + source.notes().left_out(), count, "{name}");
        let WorkloadInput::Trace(trace) = &spec.input else { panic!("a trace") };
        assert_eq!(trace.zero_unix(), start.map(|secs: i64| secs * 1_000_000), "{name}");
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn the_published_node_list_has_its_gpus() {
    let path = shared("gpu/openb_node_list_gpu_node.csv.gz");
    let nodes = read_nodes(&path, "nodes").expect("nodes");
    let gpus: u32 = nodes.iter().map(|node| u32::from(node.gpus)).sum();
    assert_eq!((nodes.len(), gpus), (1_213, 6_212));
}
