use super::super::lines::Lines;
use super::super::reader::Reader;
use super::super::{Column, ColumnOrigin, OnBadRow, Source};
use super::*;
use crate::part::PartSettings;
use proptest::prelude::*;
use std::io::Cursor;

impl Default for Mapping {
    /// Nothing is mapped.
    fn default() -> Self {
        Self::new(&PartSettings::new(MAPPED.part.parameters))
    }
}

fn column(from: &str, unit: &str) -> Column {
    let from = match from.parse() {
        Ok(number) => ColumnOrigin::Number(number),
        Err(_) => ColumnOrigin::Header(from.to_owned()),
    };
    Column::new(from, ColumnUnit::parse(unit).expect("a unit"))
}

fn mapping(columns: &[(&str, &str, &str)]) -> Mapping {
    let entry = |&(field, from, unit): &(&str, &str, &str)| {
        (Field::parse(field).expect("a field"), column(from, unit))
    };
    Mapping { columns: columns.iter().map(entry).collect(), ..Mapping::default() }
}

fn read(text: &[u8], mapping: &Mapping) -> Result<(Vec<Work>, Interner), Problems> {
    // 2017-10-09T00:00:00Z.
    let calendar = Calendar::from_unix_micros(1_507_507_200_000_000);
    let lines = Lines::new(Box::new(Cursor::new(text.to_vec())), "x")?;
    let table = TextTable::new(lines, mapping.delimiter, mapping.quoting, None);
    let rows = MappedRows::new(table, mapping, calendar, true)?;
    let mut source = Reader::new(rows, OnBadRow::Fail, true);
    let (mut book, mut work, mut found) = (Interner::default(), Work::default(), Vec::new());
    while source.next(&mut book, &mut work)? {
        found.push(work.clone());
    }
    Ok((found, book))
}

#[test]
fn timestamps_follow_the_calendar() {
    let philly = mapping(&[
        ("arrival", "timestamp", "timestamp"),
        ("runtime", "duration", "s"),
        ("gpus", "num_gpus", "count"),
        ("tenant", "cluster", "text"),
    ]);
    let text = b"timestamp,duration,num_gpus,gpu_time,cluster\n\
        2017-10-09 07:01:55,66.0,1,66.0,11cb48\n2017-10-09T08:00:00+00:00,1.5,0.5,1,x\n";
    let (jobs, book) = read(text, &philly).expect("jobs");
    assert_eq!(jobs[0].arrival, Time::from_secs(25_315));
    assert_eq!(jobs[0].body.length(), Some(Span::from_secs(66)));
    assert_eq!(jobs[0].ask.demand, Demand { gpus: 1, gpu_share: 1_000, ..Demand::default() });
    assert_eq!(book.tenants()[jobs[0].ask.tenant].name, "11cb48");
    assert_eq!(jobs[1].ask.demand, Demand { gpus: 1, gpu_share: 500, ..Demand::default() });
}

#[test]
fn wide_rows_become_gangs() {
    let philly = Mapping {
        gpus_per_task: Some(8),
        ..mapping(&[
            ("arrival", "t", "s"),
            ("runtime", "d", "s"),
            ("gpus", "g", "count"),
            ("cpu", "c", "cores"),
        ])
    };
    let text = b"t,d,g,c\n0,1,128,256\n0,1,12,7\n0,1,8,4\n0,1,0.5,4\n";
    let (jobs, _) = read(text, &philly).expect("jobs");
    let found: Vec<_> = jobs
        .iter()
        .map(|job| (job.ask.tasks, job.ask.demand.gpus, job.ask.demand.cpu, job.ask.gang))
        .collect();
    // 128 = 16 x 8 GPUs; 12 = 2 x 6, and 7 cores over 2 tasks are 3.5 each.
    assert_eq!(
        found,
        [(16, 8, 16_000, true), (2, 6, 3_500, true), (1, 8, 4_000, true), (1, 1, 4_000, true)]
    );
}

#[test]
fn equal_parts_of_a_gpu_fit_on_it() {
    let mapping = mapping(&[("arrival", "t", "s"), ("runtime", "d", "s"), ("gpus", "g", "count")]);
    let shares = |text: &str| {
        let rows = text.split(' ').fold("t,d,g\n".to_owned(), |all, g| all + "0,1," + g + "\n");
        let (jobs, _) = read(rows.as_bytes(), &mapping).expect("jobs");
        jobs.iter().map(|job| job.ask.demand.gpu_milli()).collect::<Vec<_>>()
    };
    assert_eq!(shares("0.333333 0.3333 0.33 0.166667 0.142857"), [333, 333, 330, 166, 142]);
    assert_eq!(shares("0.666667 0.7004 0.7006 0.0001 2.0000001"), [667, 700, 701, 1, 2_000]);
}

#[test]
fn azure_virtual_machines_have_no_header() {
    let azure = Mapping {
        kind: WorkKind::VirtualMachine,
        has_header: false,
        ..mapping(&[
            ("id", "1", "text"),
            ("tenant", "2", "text"),
            ("arrival", "4", "s"),
            ("end", "5", "s"),
            ("cpu", "10", "cores"),
            ("memory", "11", "gib"),
        ])
    };
    let text = b"vm0,sub0,dep0,0,2591700,99.3,3.4,10.1,Delay-insensitive,>24,>64\n\
        vm1,sub1,dep0,300,,1,1,1,Unknown,4,1.75\n";
    let (machines, _) = read(text, &azure).expect("machines");
    assert_eq!(machines[0].name, "vm0");
    assert_eq!(machines[0].body.length(), Some(Span::from_secs(2_591_700)));
    assert_eq!((machines[0].ask.demand.cpu, machines[0].ask.demand.memory), (24_000, 65_536));
    assert_eq!((machines[1].body.length(), machines[1].ask.demand.memory), (None, 1_792));
}

#[test]
fn fractions_micros_and_constants() {
    let mut google = mapping(&[
        ("arrival", "time", "us"),
        ("cpu", "cpus", "fraction of 64000"),
        ("memory", "ram", "fraction of 262144"),
    ]);
    let hour = ColumnOrigin::Constant("1".to_owned());
    google.columns.insert(Field::Runtime, Column { from: hour, ..column("x", "h") });
    let (jobs, _) =
        read(b"time,cpus,ram\n17887,0.0081024169921875,0.00390625\n", &google).expect("jobs");
    assert_eq!(jobs[0].arrival, Time::from_micros(17_887));
    // 518.5546875 milli-cores and exactly 1,024 MiB.
    assert_eq!((jobs[0].ask.demand.cpu, jobs[0].ask.demand.memory), (519, 1_024));
    assert_eq!(jobs[0].body.length(), Some(Span::HOUR));
}

/// Millionths at the finest, of one at the most.
#[test]
fn parallel_fractions_are_speedups() {
    let gangs = mapping(&[
        ("arrival", "at", "s"),
        ("runtime", "runs", "s"),
        ("min_tasks", "least", "count"),
        ("parallel_fraction", "p", "count"),
    ]);
    let (jobs, _) = read(b"at,runs,least,p\n0,9,2,0.95\n1,9,2,1\n2,9,2,\n", &gangs).expect("jobs");
    let found: Vec<u32> = jobs.iter().map(|work| work.speedup.parallel()).collect();
    assert_eq!(found, [950_000, 1_000_000, 1_000_000]);
    assert!(read(b"at,runs,least,p\n0,9,2,1.5\n", &gangs).is_err());
}

#[test]
fn mappings_are_checked_against_the_file() {
    let text = b"arrival_time;length\n0;1\n";
    let base = mapping(&[("arrival", "arrival_tim", "h"), ("runtime", "length", "cores")]);
    let problems = read(text, &Mapping { delimiter: b';', ..base }).expect_err("two problems");
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `arrival_time`?"));
    let base = mapping(&[("cpu", "9", "cores")]);
    let problems = read(text, &base).expect_err("three problems");
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn malformed_cells_name_their_place() {
    let simple = mapping(&[("arrival", "a", "h"), ("runtime", "r", "h"), ("gpus", "g", "count")]);
    let cases = [
        ("1,x,0", 3, "runtime: `x` is not a number"),
        ("1,-2,0", 3, "must not be negative"),
        ("1e300,1,0", 1, "too large"),
        ("9e8,1,0", 1, "3,000 years"),
        ("inf,1,0", 1, "not a finite number"),
        ("NaN,1,0", 1, "no arrival"),
        ("1,1,2.5", 5, "neither a whole number"),
        ("1,1,33", 5, "32 GPUs"),
        (",1,0", 1, "no arrival"),
        ("1,,0", 1, "no runtime"),
        ("1,1", 1, "2 fields"),
    ];
    for (row, column, message) in cases {
        let text = format!("a,r,g\n{row}\n");
        let problem = read(text.as_bytes(), &simple).expect_err(row)[0].clone();
        assert_eq!((problem.line, problem.column), (2, column), "{problem}");
        assert!(problem.message.contains(message), "{problem}");
    }
}

proptest! {
    #[test]
    fn arbitrary_rows_never_panic(
        rows in prop::collection::vec("[0-9.,eE>\"T:Z-]{0,60}", 0..4),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let units = ["h", "timestamp", "unix_us", "ns"];
        for unit in units {
            let simple = Mapping {
                has_header: false,
                ..mapping(&[
                    ("arrival", "1", unit),
                    ("end", "2", unit),
                    ("memory", "3", "gib"),
                    ("cpu", "4", "fraction of 96000"),
                ])
            };
            let _ = read(format!("1,2,3,4\n{}", rows.join("\n")).as_bytes(), &simple);
            let _ = read(&bytes, &simple);
        }
    }
}
