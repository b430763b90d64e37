use super::*;
use crate::units::{Span, Time};
use std::path::{Path, PathBuf};

/// A trace of ten jobs: job `n` arrives at `10 n` s, runs for `n` s, asks for
/// `n` milli-cores, and is due 5 s after it arrives.
fn ten(dir: &Path) -> WorkloadSpec {
    let mut text = "id,arrival_s,runtime_s,deadline_s,cpu_milli,gpus,tenant\n".to_owned();
    for n in 0..10 {
        let tenant = if n < 5 { "early" } else { "late" };
        text += &format!("j{n},{},{n},{},{n},{},{tenant}\n", 10 * n, 10 * n + 5, n % 2);
    }
    let path = dir.join("ten.csv");
    std::fs::write(&path, text).expect("written");
    trace(path, NATIVE.spec())
}

fn trace(path: PathBuf, format: FormatSpec) -> WorkloadSpec {
    let input = WorkloadInput::Trace(TraceSpec::new(path, format));
    WorkloadSpec { input, defaults: Defaults::default(), transforms: Vec::new() }
}

fn context() -> OpenContext {
    let capacity = Some(Capacity { cpu: 1_000, memory: 0, gpu: 8_000 });
    OpenContext { seed: 1, calendar: Calendar::from_unix_micros(0), keep_names: true, capacity }
}

fn collect(spec: &WorkloadSpec) -> Result<Vec<Work>, Problems> {
    let mut source = spec.open(&context())?;
    let (mut book, mut work, mut found) = (Interner::default(), Work::default(), Vec::new());
    while source.next(&mut book, &mut work)? {
        found.push(work.clone());
    }
    assert!(!source.next(&mut book, &mut work).expect("an end stays an end"));
    Ok(found)
}

fn transformed(transforms: &[Transform]) -> Vec<Work> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let spec = WorkloadSpec { transforms: transforms.to_vec(), ..ten(dir.path()) };
    let found = collect(&spec).expect("work");
    assert!(found.is_sorted_by_key(|work| work.arrival), "{transforms:?}");
    assert_eq!(found, collect(&spec).expect("work"), "opening twice gives the same");
    assert_eq!(spec.assumptions().len(), transforms.len());
    found
}

fn names(work: &[Work]) -> Vec<String> {
    work.iter().map(|work| work.name.clone()).collect()
}

#[test]
fn windows_cut_and_move() {
    let (from, to) = (Time::from_secs(20), Time::from_secs(40));
    let found = transformed(&[Transform::Window {
        from,
        to: Some(to),
        shift: true,
        alive: Alive::Nothing,
    }]);
    assert_eq!(names(&found), ["j2", "j3"]);
    assert_eq!(
        (found[1].arrival, found[1].ask.deadline),
        (Time::from_secs(10), Some(Time::from_secs(15)))
    );
    assert_eq!(found[1].id.ordinal, 3);
    let found = transformed(&[Transform::Skip(8), Transform::Take(1)]);
    assert_eq!(names(&found), ["j8"]);
}

#[test]
fn keep_looks_at_every_bound() {
    let keep = Keep {
        min_runtime: Some(Span::from_secs(2)),
        max_cpu: Some(8),
        max_gpus: Some(0),
        tenants: vec!["late".to_owned()],
        ..Keep::default()
    };
    assert_eq!(names(&transformed(&[Transform::Keep(keep)])), ["j6", "j8"]);
}

#[test]
fn scales_multiply() {
    let sizes = Transform::ScaleSizes { cpu: 0.5, memory: 1.0, tasks: 2.4 };
    let steps = [Transform::ScaleArrivals(0.5), Transform::ScaleRuntimes(3.0), sizes];
    let found = transformed(&steps);
    assert_eq!(
        (found[3].arrival, found[3].ask.deadline),
        (Time::from_secs(15), Some(Time::from_secs(20)))
    );
    assert_eq!(found[3].body.length(), Some(Span::from_secs(9)));
    assert_eq!(found[3].ask.estimate, None);
    // 3 / 2 rounds half up, 1 / 2 is at least 1, and none stays none.
    let cpu: Vec<u32> = found.iter().map(|work| work.ask.demand.cpu).collect();
    assert_eq!(cpu, [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]);
    assert_eq!(found[0].ask.tasks, 2);
}

#[test]
fn repetitions_are_sources_of_their_own() {
    let found = transformed(&[Transform::Repeat { times: 3, period: None }]);
    assert_eq!(found.len(), 30);
    // 90 s from first to last, and a mean gap of 10 s.
    assert_eq!(found[10].arrival, Time::from_secs(100));
    assert_eq!((found[29].id.source, found[29].id.ordinal), (2, 9));
    assert_eq!(found[29].ask.deadline, Some(Time::from_secs(295)));
    let twice = Transform::Repeat { times: 2, period: Some(Span::HOUR) };
    let again = Transform::Repeat { times: 2, period: None };
    let found = transformed(&[twice, Transform::Shift(Span::from_secs(7)), again]);
    let mut ids: Vec<_> = found.iter().map(|work| work.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

#[test]
fn a_shuffle_keeps_work_and_times() {
    let found = transformed(&[Transform::Shuffle]);
    let mut shuffled = names(&found);
    assert_ne!(shuffled, names(&transformed(&[])));
    shuffled.sort();
    assert_eq!(shuffled, names(&transformed(&[])));
    assert_eq!(found[4].arrival, Time::from_secs(40));
    assert_eq!(found[4].ask.deadline, Some(Time::from_secs(45)));
}

#[test]
fn inflation_stops_when_the_share_is_reached() {
    let (resource, gap) = (Resource::Gpu, Span::from_secs(1));
    let found = transformed(&[Transform::Inflate { share: 1.3, resource, gap }]);
    let asked =
        |work: &[Work]| -> u32 { work.iter().map(|work| work.ask.demand.gpu_milli()).sum() };
    // 1.3 x 8 GPUs = 10.4, so the eleventh ends it.
    assert_eq!(asked(&found), 11_000);
    assert_eq!(asked(&found[..found.len() - 1]), 10_000);
    assert_eq!(found[7].arrival, Time::from_secs(7));
    // Pieces of work come once each (5 GPUs) before any of them comes again.
    assert!(found[..10].iter().all(|work| work.id.source == 0));
    assert!(found[10..].iter().all(|work| work.id.source > 0));
    let mut ids: Vec<_> = found.iter().map(|work| work.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found.len());
}

/// The same work over `hours` full hours, a piece of it each hour.
fn hourly(hours: u32, block: Span, seed: u64) -> Vec<Work> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("hourly.csv");
    let row = |hour: u32| format!("{hour},{},1800,1000\n", hour * 3_600);
    let rows: String = (0..=hours).map(row).collect();
    std::fs::write(&path, format!("id,arrival_s,runtime_s,cpu_milli\n{rows}")).expect("written");
    let transforms = vec![Transform::Resample { block }];
    let spec = WorkloadSpec { transforms, ..trace(path, NATIVE.spec()) };
    let mut source = spec.open(&OpenContext { seed, ..context() }).expect("it opens");
    let (mut book, mut work, mut found) = (Interner::default(), Work::default(), Vec::new());
    while source.next(&mut book, &mut work).expect("work") {
        found.push(work.clone());
    }
    found
}

/// A trace in which work comes every hour keeps doing so however blocks are drawn: the last, short
/// block neither leaves a hole nor makes the trace longer.
#[test]
fn a_trace_of_no_whole_number_of_blocks_keeps_its_load() {
    for hours in [1, 23, 24, 47, 48, 50, 71] {
        for seed in 0..8 {
            let found = hourly(hours, Span::from_secs(86_400), seed);
            let arrivals: Vec<Time> = found.iter().map(|work| work.arrival).collect();
            let every: Vec<Time> =
                (0..=hours).map(|hour| Time::from_secs(i64::from(hour) * 3_600)).collect();
            assert_eq!(arrivals, every, "{hours} h, seed {seed}");
            let mut ids: Vec<_> = found.iter().map(|work| work.id).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), found.len(), "no identity comes twice");
        }
    }
}

/// Each piece of work is drawn once in the mean, those of the short block too:
/// 51 of them in 3 places of a day, over 2,000 seeds.
#[test]
fn every_piece_of_work_is_drawn_as_often() {
    let mut counts = [0_u32; 51];
    for seed in 0..2_000 {
        for work in hourly(50, Span::from_secs(86_400), seed) {
            counts[work.id.ordinal as usize] += 1;
        }
    }
    // At most three places, each with chance a half: a standard error of 38.
    assert!(counts.iter().all(|count| (1_850..=2_150).contains(count)), "{counts:?}");
}

#[test]
fn senseless_specifications_are_refused_at_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (resource, gap) = (Resource::Memory, Span::ZERO);
    let spec = WorkloadSpec {
        transforms: vec![
            Transform::ScaleArrivals(0.0),
            Transform::ScaleRuntimes(f64::NAN),
            Transform::Repeat { times: 0, period: None },
            Transform::Inflate { share: 1.0, resource, gap },
            Transform::Window {
                from: Time::ZERO,
                to: Some(Time::ZERO),
                shift: false,
                alive: Alive::Nothing,
            },
        ],
        ..ten(dir.path())
    };
    assert_eq!(collect(&spec).expect_err("five problems").len(), 5);
    let missing = trace(dir.path().join("missing.csv"), NATIVE.spec());
    assert_eq!(collect(&missing).expect_err("no file").len(), 1);
    let late = Transform::Repeat { times: 2, period: Some(Span::from_secs(50)) };
    let spec = WorkloadSpec { transforms: vec![late], ..ten(dir.path()) };
    assert!(collect(&spec).expect_err("overlap")[0].message.contains("shorter"));
}

#[test]
fn an_unsorted_trace_is_refused_or_sorted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("unsorted.csv");
    std::fs::write(&path, "id,arrival_s,runtime_s\na,5,1\nb,3,1\nc,5,2\n").expect("written");
    let mut spec = trace(path, NATIVE.spec());
    let problem = collect(&spec).expect_err("unsorted")[0].clone();
    assert_eq!(problem.line, 3);
    assert!(!spec.materialises());
    if let WorkloadInput::Trace(trace) = &mut spec.input {
        trace.unsorted = Unsorted::Sort;
    }
    assert!(spec.materialises());
    assert_eq!(names(&collect(&spec).expect("sorted")), ["b", "a", "c"]);
}

/// The jobs of a day, changed on their way in.
#[test]
fn the_time_that_work_stands_for_changes_with_its_arrivals() {
    let day = Span::from_secs(86_400);
    let (from, to) = (Time::from_secs(7_200), Time::from_secs(18_000));
    let window = Transform::Window { from, to: Some(to), shift: true, alive: Alive::Nothing };
    let repeat = |period| Transform::Repeat { times: 3, period };
    let cases = [
        (Transform::ScaleArrivals(0.5), Some(43_200)),
        (Transform::ScaleRuntimes(0.5), Some(86_400)),
        (repeat(None), Some(3 * 86_400)),
        (repeat(Some(Span::from_secs(7 * 86_400))), Some(21 * 86_400)),
        (window, Some(10_800)),
        (Transform::Take(3), None),
        (Transform::Skip(3), None),
    ];
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (step, seconds) in cases {
        let spec = WorkloadSpec { transforms: vec![step.clone()], ..ten(dir.path()) };
        assert_eq!(spec.period(Some(day)), seconds.map(Span::from_secs), "{step:?}");
    }
}
