use super::*;
use crate::scenario::Scenario;

#[track_caller]
fn check(path: &Path) -> String {
    let named = path.file_name().unwrap().to_str().unwrap();
    let text = init_from(path, named).unwrap().text;
    let read = Scenario::parse(&text, "new.toml", path.parent().unwrap(), &[]);
    assert!(read.is_ok(), "{:?}\n{text}", read.err());
    text
}

#[test]
fn a_scenario_for_each_example_trace_is_read() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    assert!(check(&traces.join("batch-small.swf")).contains("nodes = 256"));
    assert!(check(&traces.join("gpu-pods-small.csv")).contains("gpu-nodes-small.csv"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.csv");
    std::fs::write(&path, "submit_time;duration;cpus\n2026-01-01 00:00:05;66.0;1\n").unwrap();
    let text = check(&path);
    assert!(
        text.contains("arrival = { column = \"submit_time\", unit = \"timestamp\" }"),
        "{text}"
    );
    std::fs::write(&path, "a,b\n1,2\n").unwrap();
    assert!(init_from(&path, "mine.csv").is_err());
}

#[test]
fn nodes_of_a_log_in_processors_are_those_of_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.swf");
    let row = "1 0 -1 100 9 -1 -1 9 100 -1 1 1 1 -1 -1 -1 -1 -1\n";
    for (header, nodes, shape) in [
        (
            "; MaxNodes: 160\n; MaxProcs: 10240\n",
            "nodes = 160 ",
            "vcpus = 64, memory = \"256 GiB\"",
        ),
        ("; MaxProcs: 10240\n", "nodes = 10240 ", "vcpus = 1, memory = \"4 GiB\""),
        ("; MaxNodes: 3\n; MaxProcs: 10\n", "nodes = 10 ", "vcpus = 1, memory = \"4 GiB\""),
    ] {
        std::fs::write(&path, format!("{header}{row}")).unwrap();
        let text = check(&path);
        for want in [nodes, shape, "`exclusive = true`"] {
            assert!(text.contains(want), "{want}: {text}");
        }
    }
}

#[test]
fn own_columns_are_recognised() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let machines = check(&traces.join("vms-small.csv"));
    for want in ["kind = \"vm\"", "column = \"lifetime_h\", unit = \"h\"", "vm-packing"] {
        assert!(machines.contains(want), "{want}: {machines}");
    }
    assert!(!machines.contains("A100"), "{machines}");
    let observed = check(&traces.join("batch-observed.csv"));
    for want in ["wait = { column = \"wait_s\", unit = \"s\" }", "unit = \"milli\"", "backtest"] {
        assert!(observed.contains(want), "{want}: {observed}");
    }
    assert!(!check(&traces.join("batch-small.swf")).contains("estimates"));
}

#[test]
fn wide_rows_and_bad_rows_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.csv");
    std::fs::write(&path, "submit_s,duration_s,num_gpus\n0,60,128\n5,60,1\n4,60,1\n,60,1\n")
        .unwrap();
    let text = check(&path);
    for want in [
        "gpus_per_task = 8",
        "1 of 4 rows (25.0 %) are left out: 1 malformed (line 5: the row has no arrival)",
        "unsorted",
    ] {
        assert!(text.contains(want), "{want}: {text}");
    }
    std::fs::write(&path, "submit_s,duration_s,gpus,gpu_model\n0,60,1,T4\n").unwrap();
    assert!(check(&path).contains("# gpu_models = { column = \"gpu_model\""));
    std::fs::write(&path, "submit_s,duration_s\nx,60\ny,60\n").unwrap();
    let problems = init_from(&path, "mine.csv").unwrap_err();
    assert!(problems[0].message.contains("2 of its 2 rows"), "{problems:?}");
}

/// A row as it is meant: microseconds, milli-cores and MiB.
#[derive(Clone, Copy)]
struct Meant {
    arrival: i64,
    runtime: i64,
    cpu: u32,
    memory: u32,
}

/// The headers that name one field in one unit, and how cells of it are written.
type Way = (&'static [&'static str], fn(Meant) -> String);

/// 2026-01-01T00:00:00Z.
const BEGIN: i64 = 1_767_225_600;

const ARRIVALS: [Way; 6] = [
    (&["submit_time_s", "Submitted [s]", "arrival_secs", "submitTimeS"], |one| {
        (one.arrival / 1_000_000).to_string()
    }),
    (&["submit_ms", "ArrivalTime (ms)"], |one| (one.arrival / 1_000).to_string()),
    (&["submit_min", "created_minutes"], |one| (one.arrival as f64 / 6e7).to_string()),
    (&["submit_time", "timestamp", "created"], |one| {
        let at = jiff::Timestamp::from_microsecond(BEGIN * 1_000_000 + one.arrival);
        at.expect("a date").strftime("%Y-%m-%d %H:%M:%S").to_string()
    }),
    (&["submission_time", "arrived"], |one| {
        let at = jiff::Timestamp::from_microsecond(BEGIN * 1_000_000 + one.arrival);
        at.expect("a date").to_string()
    }),
    (&["Submit Time", "submitted"], |one| (BEGIN + one.arrival / 1_000_000).to_string()),
];
const RUNTIMES: [Way; 5] = [
    (&["runtime_s", "Duration (s)", "elapsed_seconds"], |one| {
        (one.runtime / 1_000_000).to_string()
    }),
    (&["duration_ms", "runTimeMs"], |one| (one.runtime / 1_000).to_string()),
    (&["duration_min", "length_minutes"], |one| (one.runtime as f64 / 6e7).to_string()),
    (&["lifetime_h", "run_hours"], |one| (one.runtime as f64 / 3.6e9).to_string()),
    (&["elapsed", "run_time"], |one| {
        let secs = one.runtime / 1_000_000;
        format!("{:02}:{:02}:{:02}", secs / 3_600, secs / 60 % 60, secs % 60)
    }),
];
const CPUS: [Way; 3] = [
    (&["cpus", "numCores", "vCPUs", "req_cpus"], |one| (one.cpu / 1_000).to_string()),
    (&["cpu_milli"], |one| one.cpu.to_string()),
    (&["cpu_request"], |one| format!("{}m", one.cpu)),
];
const MEMORIES: [Way; 4] = [
    (&["memory_gib", "mem_gb", "RAM (GiB)"], |one| (f64::from(one.memory) / 1_024.0).to_string()),
    (&["memory_mib", "mem_mb"], |one| one.memory.to_string()),
    (&["memory_bytes"], |one| (u64::from(one.memory) << 20).to_string()),
    (&["memory", "req_mem"], |one| format!("{}M", one.memory)),
];

/// A header, and how what is meant is written below it.
type Written = (String, fn(Meant) -> String);

/// Columns may have any names, order, unit and writing: the scenario that `init` writes is read as
/// it is meant, or says what could not be told.
#[test]
fn tables_under_many_headers_are_read_as_they_are_meant() {
    let mut read_through = 0;
    for seed in 0..400 {
        let mut stream = crate::units::Stream::new(seed, "headers");
        let mut pick = |below: usize| stream.below(below as u64) as usize;
        let mut columns: Vec<Written> = Vec::new();
        for ways in [&ARRIVALS[..], &RUNTIMES[..], &CPUS[..], &MEMORIES[..]] {
            let (headers, write) = ways[pick(ways.len())];
            columns.push((headers[pick(headers.len())].to_owned(), write));
        }
        columns.push(("colour".to_owned(), |_| "red".to_owned()));
        for at in (1..columns.len()).rev() {
            columns.swap(at, pick(at + 1));
        }
        let delimiter = [",", ";", "\t", "|"][pick(4)];
        let rows: Vec<Meant> = (0..12)
            .map(|row| Meant {
                arrival: row * 3_600_000_000 + 60_000_000 * pick(60) as i64,
                runtime: 60_000_000 * (1 + pick(600)) as i64,
                cpu: 1_000 * (1 + pick(64)) as u32,
                memory: 1_024 * (1 + pick(256)) as u32,
            })
            .collect();
        let mut text = columns.iter().map(|one| one.0.as_str()).collect::<Vec<_>>().join(delimiter);
        for &row in &rows {
            let cells: Vec<String> = columns.iter().map(|(_, write)| write(row)).collect();
            text += &format!("\n{}", cells.join(delimiter));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.csv");
        std::fs::write(&path, &text).unwrap();
        let told = match init_from(&path, "mine.csv") {
            Ok(starter) => starter.text,
            Err(problems) => {
                assert!(!problems[0].message.is_empty(), "{text}");
                continue;
            }
        };
        let scenario = Scenario::parse(&told, "new.toml", folder.path(), &[]);
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems:?}: {text}\n{told}"));
        let mut source = scenario.workload.open(&scenario.context(1, false)).expect("it opens");
        let (mut book, mut work) = Default::default();
        let mut first = None;
        for meant in &rows {
            assert!(source.next(&mut book, &mut work).expect("a row"), "{text}\n{told}");
            let offset = work.arrival.micros() - meant.arrival;
            // The beginning may be anywhere; everything else is what the row says.
            assert!((offset - *first.get_or_insert(offset)).abs() <= 1, "{text}\n{told}");
            let demand = work.ask.demand;
            let got =
                (work.body.length().expect("it has an end").micros(), demand.cpu, demand.memory);
            assert!((got.0 - meant.runtime).abs() <= 1, "{text}\n{told}");
            assert_eq!((got.1, got.2), (meant.cpu, meant.memory), "{text}\n{told}");
        }
        read_through += 1;
    }
    assert!(read_through >= 390, "{read_through} of 400 were read");
}
