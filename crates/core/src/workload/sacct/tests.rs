use std::io::Cursor;

use proptest::prelude::*;

use super::super::lines::Lines;
use super::super::reader::Reader;
use super::super::{OnBadRow, RowNotes, Source};
use super::*;

impl Default for SacctOptions {
    fn default() -> Self {
        Self::new(&PartSettings::new(PARAMETERS))
    }
}

type ObservedWork = (Work, Option<Observation>);
type Found = (Vec<ObservedWork>, RowNotes, Interner);

fn read(text: &[u8], options: &SacctOptions) -> Result<Found, Problems> {
    let table = || {
        let lines = Lines::new(Box::new(Cursor::new(text.to_vec())), "x").map_err(Problems::from);
        lines.map(|lines| TextTable::new(lines, options.delimiter, false, None))
    };
    let several = attempts(table()?)?;
    let rows = SacctRows::new(table()?, options, several, Calendar::from_unix_micros(0), true)?;
    let mut source = Reader::new(rows, OnBadRow::Fail, false);
    let (mut book, mut work, mut found) = (Interner::default(), Work::default(), Vec::new());
    while source.next(&mut book, &mut work)? {
        let observed = source.observed(&work)?;
        found.push((work.clone(), observed));
    }
    Ok((found, source.notes(), book))
}

/// Seconds since 2026-03-01T12:00:00Z, which the logs begin at.
fn secs(time: Time) -> i64 {
    time.micros() / 1_000_000 - 1_772_366_400
}

const LOG: &str = "\
JobID|User|Account|Submit|Eligible|Start|End|Elapsed|State|AllocCPUS|NNodes|ReqMem|Timelimit|AllocTRES
501|ada|chem|2026-03-01T12:00:00|2026-03-01T12:00:00|2026-03-01T12:01:00|2026-03-01T13:01:00|01:00:00|COMPLETED|8|1|4Gn|1-01:00:00|billing=8,cpu=8,mem=32G,node=1
501.batch||chem|2026-03-01T12:01:00||2026-03-01T12:01:00|2026-03-01T13:01:00|01:00:00|COMPLETED|8|1|4Gn||cpu=8
501.extern||chem|2026-03-01T12:01:00||2026-03-01T12:01:00|2026-03-01T13:01:00|01:00:00|COMPLETED|8|1|4Gn||cpu=8
501.0||chem|2026-03-01T12:02:00||2026-03-01T12:02:00|2026-03-01T13:00:00|00:58:00|COMPLETED|8|1|4Gn||cpu=8
502_3|bob|phys|2026-03-01T12:00:10|2026-03-01T12:10:00|2026-03-01T12:11:00|2026-03-01T12:12:00|00:01:00|TIMEOUT|64|2|4000Mc|00:01:00|
502_[4-10]|bob|phys|2026-03-01T12:00:10|Unknown|Unknown|Unknown|00:00:00|PENDING|32|1|4000Mc|00:01:00|
503|bob|phys|2026-03-01T12:00:20|2026-03-01T12:00:20|None|2026-03-01T12:00:30|00:00:00|CANCELLED by 1000|0|1|4Gn|UNLIMITED|
504+0|ada|chem|2026-03-01T12:00:30|2026-03-01T12:00:30|2026-03-01T12:00:40|2026-03-01T12:00:50|00:00:10|FAILED|4|1|1G|UNLIMITED|cpu=4,gres/gpu:a100=2,gres/gpu=2,mem=1G,node=1
505|ada|chem|2026-03-01T12:00:40|2026-03-01T12:00:40|2026-03-01T12:00:41|2026-03-01T12:00:51|00:00:10|NODE_FAIL|4|1|1G|Partition_Limit|
506|ada|chem|2026-03-01T12:00:45|2026-03-01T12:00:45|2026-03-01T12:00:46|Unknown|00:10:00|RUNNING|4|1|1G|Partition_Limit|
505|ada|chem|2026-03-01T12:00:51|2026-03-01T12:03:00|2026-03-01T12:04:00|2026-03-01T12:05:00|00:01:00|COMPLETED|4|1|1G|Partition_Limit|
";

#[test]
fn rows_of_an_accounting_log_become_jobs() {
    let (found, notes, book) = read(LOG.as_bytes(), &SacctOptions::default()).expect("a log");
    let names: Vec<&str> = found.iter().map(|(work, _)| work.name.as_str()).collect();
    assert_eq!(names, ["501", "502_3", "504+0", "505"]);
    let counted: Vec<(RowNote, u64)> = notes.rows().collect();
    let want = [
        (RowNote::Part, 3),
        (RowNote::Attempt, 1),
        (RowNote::NeverRan, 2),
        (RowNote::NotEnded, 1),
        (RowNote::Component, 1),
    ];
    assert_eq!(counted, want);
    let (first, observed) = &found[0];
    assert_eq!((secs(first.arrival), first.body.length()), (0, Some(Span::HOUR)));
    assert_eq!(first.ask.demand, Demand { cpu: 8_000, memory: 32_768, ..Demand::default() });
    assert_eq!((first.ask.tasks, first.ask.gang), (1, true));
    assert_eq!(first.ask.estimate, Some(Span::from_secs(90_000)));
    assert_eq!(book.tenants()[first.ask.tenant].name, "ada");
    assert_eq!(observed.map(|one| (one.wait, one.cpu)), Some((Span::from_secs(60), 8_000)));
    // The job waited for its dependencies until 12:10; 64 cores on two nodes, 4,000 MiB each.
    let (array, observed) = &found[1];
    assert_eq!((secs(array.arrival), array.ask.tasks), (600, 2));
    assert_eq!((array.ask.demand.cpu, array.ask.demand.memory), (32_000, 128_000));
    assert_eq!(observed.map(|one| one.wait), Some(Span::from_secs(60)));
    let (component, _) = &found[2];
    assert_eq!((component.ask.demand.gpus, component.ask.estimate), (2, None));
    assert_eq!(component.ask.rules.raw(), 0);
    // Tried again: submitted at its first attempt, as long as its last.
    let (again, observed) = &found[3];
    assert_eq!((secs(again.arrival), again.body.length()), (40, Some(Span::from_secs(60))));
    assert_eq!(*observed, None);
}

#[test]
fn memory_of_a_core_is_that_of_the_cores_of_the_job() {
    // Memory of all cores, over the nodes: 4,000 MiB of one core on 16 nodes are 250 each.
    for (cores, nodes, asked, want) in [
        (1, 16, "4000Mc", 250),
        (7, 2, "4000Mc", 14_000),
        (7, 3, "4000Mc", 9_334),
        (64, 2, "4000Mc", 128_000),
        (1, 3, "1G", 342),
        (3, 3, "3145729K", 1_025),
    ] {
        let log = format!(
            "JobID|Submit|Start|End|State|AllocCPUS|NNodes|ReqMem\n\
             1|2026-03-01T12:00:00|2026-03-01T12:00:00|2026-03-01T12:01:00|COMPLETED|{cores}|{nodes}|{asked}\n"
        );
        let (found, ..) = read(log.as_bytes(), &SacctOptions::default()).expect("a log");
        let memory = found[0].0.ask.demand.memory;
        assert_eq!(memory, want, "{cores} {nodes} {asked}");
    }
}

/// Memory in MiB, with the notes, of 4 cores on a node or as the TRES have it.
#[test]
fn memory_is_read_as_slurm_writes_it() {
    const COLUMNS: &str = "Submit|Start|End|State|NNodes|ReqMem|AllocTRES";
    const TIMES: &str = "2026-03-01T12:00:00|2026-03-01T12:00:00|2026-03-01T12:01:00|COMPLETED";
    for (nodes, asked, tres, cpu, memory, want) in [
        (1, "4000Mc", "", 4_000, 16_000, vec![]),
        (1, "4000Mn", "", 4_000, 4_000, vec![]),
        (1, "4Gc", "", 4_000, 16_384, vec![]),
        (1, "4000Mc", "cpu=0.5,node=1", 500, 2_000, vec![]),
        (1, "4000Mc", "cpu=1.5,node=1", 1_500, 6_000, vec![]),
        (2, "4000Mc", "cpu=1.5,node=2", 750, 3_000, vec![]),
        (1, "?", "", 4_000, 0, vec![RowNote::NoMemory]),
        (1, "?n", "cpu=2,mem=1G", 2_000, 1_024, vec![]),
        (1, "0n", "", 4_000, 0, vec![RowNote::NoMemory]),
        (1, "4Gn", "cpu=4,gres/shard=1", 4_000, 4_096, vec![RowNote::SharedGpus]),
        (1, "4Gn", "cpu=4,license/ansys=1", 4_000, 4_096, vec![RowNote::OtherResources]),
    ] {
        let (found, notes) = noted(COLUMNS, &format!("{TIMES}|{nodes}|{asked}|{tres}"));
        let demand = found[0].0.ask.demand;
        let notes: Vec<RowNote> = notes.into_iter().map(|(note, _)| note).collect();
        assert_eq!((demand.cpu, demand.memory, notes), (cpu, memory, want), "{asked} {tres}");
    }
    // So many cores hold more memory than can be counted, on however many nodes.
    for asked in ["Mn", "Gc", "4Gx", "9000000Pc"] {
        let row = format!("{TIMES}|1|{asked}|");
        let log = format!("JobID|{COLUMNS}|AllocCPUS\n1|{row}|4\n");
        assert!(read(log.as_bytes(), &SacctOptions::default()).is_err(), "{asked}");
    }
    let log = format!("JobID|Submit|Start|End|State|ReqMem\n1|{TIMES}|4000Mc\n");
    let (found, notes, _) = read(log.as_bytes(), &SacctOptions::default()).expect("a log");
    assert_eq!((found[0].0.ask.demand.memory, notes.get(RowNote::NoMemory)), (0, 1));
}

#[test]
fn options_choose_arrivals_tenants_models_and_zones() {
    let options = SacctOptions {
        time_zone: Some("Europe/Berlin".to_owned()),
        tenant: SacctTenant::Account,
        at_submit: true,
        gpu_models: true,
        ..SacctOptions::default()
    };
    let (found, _, book) = read(LOG.as_bytes(), &options).expect("a log");
    // An hour earlier than in UTC; submitted 10 s after noon.
    assert_eq!(secs(found[1].0.arrival), 10 - 3_600);
    assert_eq!(book.tenants()[found[1].0.ask.tenant].name, "phys");
    assert_eq!(book.all_rules()[found[2].0.ask.rules].gpu_models.allowed, ["a100"]);
    let commas = LOG.lines().map(|line| line.rsplit_once('|').map_or(line, |(head, _)| head));
    let text = commas.collect::<Vec<_>>().join("\n").replace('|', ",");
    let options = SacctOptions { delimiter: b',', ..SacctOptions::default() };
    assert_eq!(read(text.as_bytes(), &options).expect("a log").0.len(), 4);
}

#[test]
fn what_is_wrong_has_a_place() {
    let bad = LOG.replace("|01:00:00|COMPLETED|8|1|4Gn|1-01", "|01:00:00|COMPLETED|8|1|4Gn|x-01");
    let problems = read(bad.as_bytes(), &SacctOptions::default()).expect_err("it is malformed");
    assert!(
        problems[0].to_string().contains("Timelimit: `x-01:00:00` is not a duration"),
        "{problems:?}"
    );
    let problems = read(b"JobID|State\n1|x\n", &SacctOptions::default()).expect_err("no times");
    assert_eq!(problems.len(), 3, "{problems:?}");
}

proptest! {
    #[test]
    fn arbitrary_rows_never_panic(
        rows in prop::collection::vec("[0-9A-Z|:.T+=,-]{0,80}", 0..6),
        at in 0_usize..1_500,
        byte in any::<u8>(),
    ) {
        let header = LOG.lines().next().unwrap_or_default();
        let text = format!("{header}\n{}", rows.join("\n"));
        let _ = read(text.as_bytes(), &SacctOptions::default());
        let mut mutated = LOG.as_bytes().to_vec();
        let last = mutated.len() - 1;
        mutated[at.min(last)] = byte;
        let _ = read(&mutated, &SacctOptions { gpu_models: true, ..SacctOptions::default() });
    }
}

/// Two nodes with two GPUs each, written by logs of three ages.
#[test]
fn gpus_of_logs_older_than_tres_are_read() {
    let log = |columns: &str, cells: &str| {
        format!(
            "JobID|Submit|Start|Elapsed|State|AllocCPUS|NNodes|{columns}\n\
             1|2026-03-01T12:00:00|2026-03-01T12:00:00|00:01:00|COMPLETED|8|2|{cells}\n"
        )
    };
    for (columns, cells) in [
        ("AllocTRES", "cpu=8,node=2,gres/gpu=4"),
        ("AllocGRES", "gpu:a100:4"),
        ("ReqGRES", "gpu:2"),
        ("AllocGRES|ReqGRES", "gpu:4|gpu:8"),
        ("AllocTRES|ReqGRES", "cpu=8,node=2,gres/gpu=4|gpu:8"),
    ] {
        let text = log(columns, cells);
        let (found, _, _) = read(text.as_bytes(), &SacctOptions::default()).expect("a log");
        let ask = found[0].0.ask;
        assert_eq!((ask.tasks, ask.demand.gpus, ask.demand.gpu_share), (2, 2, WHOLE_GPU), "{text}");
    }
}

/// The GPUs of a job are those of all its nodes together.
#[test]
fn gpus_that_do_not_divide_by_the_nodes_are_parted_and_counted() {
    for (gpus, nodes, devices, share, uneven) in [
        (1, 16, 1, 62, 1),
        (8, 2, 4, WHOLE_GPU, 0),
        (2, 3, 1, 666, 1),
        (5, 4, 2, 625, 1),
        (16, 16, 1, WHOLE_GPU, 0),
        (0, 4, 0, 0, 0),
    ] {
        let text = format!(
            "JobID|Submit|Start|Elapsed|State|AllocCPUS|NNodes|ReqTRES|AllocTRES\n\
             1|2026-03-01T12:00:00|2026-03-01T12:00:00|00:01:00|COMPLETED|16|{nodes}|\
             cpu=16,node={nodes},gres/gpu={gpus}|cpu=16,node={nodes},gres/gpu={gpus}\n"
        );
        let (found, notes, _) = read(text.as_bytes(), &SacctOptions::default()).expect("a log");
        let (ask, demand) = (found[0].0.ask, found[0].0.ask.demand);
        assert_eq!((demand.gpus, demand.gpu_share), (devices, share), "{gpus} on {nodes}");
        assert_eq!(notes.get(RowNote::UnevenGpus), uneven, "{gpus} on {nodes}");
        // All GPUs of the job, to a thousandth of a GPU per node.
        let (held, had) = (demand.gpu_milli() * ask.tasks, gpus * u32::from(WHOLE_GPU));
        assert!(held <= had && had < held + ask.tasks * u32::from(devices).max(1), "{held} {had}");
    }
}

/// Work and notes of one row of the columns that follow.
fn noted(columns: &str, row: &str) -> (Vec<ObservedWork>, Vec<(RowNote, u64)>) {
    let log = format!("JobID|{columns}|AllocCPUS\n1|{row}|4\n");
    let (found, notes, _) = read(log.as_bytes(), &SacctOptions::default()).expect("a log");
    (found, notes.rows().collect())
}

/// `sacct` without `--duplicates` shows the last run of a job only, and so does a log whose
/// period ends before the next run.
#[test]
fn a_run_that_was_requeued_is_a_job_where_no_later_run_is_there() {
    const COLUMNS: &str = "Submit|Start|End|Elapsed|State";
    let run = "2026-03-01T12:00:00|2026-03-01T12:26:00|2026-03-01T12:56:00|00:30:00|REQUEUED";
    let (found, notes) = noted(COLUMNS, run);
    assert_eq!(found[0].0.body.length(), Some(Span::from_secs(1_800)));
    assert_eq!(found[0].1.map(|one| one.wait), Some(Span::from_secs(1_560)));
    assert_eq!(notes, [(RowNote::Requeued, 1)]);
    for row in [
        "2026-03-01T12:00:00|Unknown|Unknown|00:00:00|REQUEUED",
        "2026-03-01T12:00:00|2026-03-01T12:26:00|2026-03-01T12:26:00|00:00:00|REQUEUE_HOLD",
        "2026-03-01T12:00:00|Unknown|Unknown|00:00:00|PENDING",
    ] {
        assert_eq!(noted(COLUMNS, row).1, [(RowNote::NeverRan, 1)], "{row}");
    }
    // An earlier attempt, as its later run is in the log.
    let later = "2026-03-01T12:56:00|2026-03-01T13:00:00|2026-03-01T13:10:00|00:10:00|COMPLETED";
    let (found, notes) = noted(COLUMNS, &format!("{run}|4\n1|{later}"));
    assert_eq!((found.len(), found[0].0.body.length()), (1, Some(Span::from_secs(600))));
    assert_eq!(notes, [(RowNote::Attempt, 1)]);
}

#[test]
fn what_rows_say_against_themselves_is_counted() {
    const COLUMNS: &str = "Submit|Eligible|Start|End|Elapsed|State|ReqMem";
    let at = |minute: u32| format!("2026-03-01T12:{minute:02}:00");
    let row = |[submit, eligible, start, end]: [u32; 4], elapsed: &str, memory: &str| {
        let [submit, eligible, start, end] = [submit, eligible, start, end].map(at);
        let row = format!("{submit}|{eligible}|{start}|{end}|{elapsed}|COMPLETED|{memory}");
        let (found, notes) = noted(COLUMNS, &row);
        let (work, observed) = &found[0];
        let wait = observed.map(|one| one.wait.micros() / 60_000_000);
        let minutes = work.body.length().expect("it has an end").micros() / 60_000_000;
        let notes: Vec<RowNote> = notes.into_iter().map(|(note, _)| note).collect();
        (minutes, wait, work.ask.demand.memory, notes)
    };
    assert_eq!(row([0, 1, 2, 12], "00:10:00", "4Gn"), (10, Some(1), 4_096, vec![]));
    // Suspended for four minutes.
    let suspended = row([0, 1, 2, 12], "00:06:00", "4Gn");
    assert_eq!(suspended, (6, Some(1), 4_096, vec![RowNote::OtherElapsed]));
    let eligible_late = row([0, 5, 2, 12], "00:10:00", "4Gn");
    assert_eq!(eligible_late, (10, Some(2), 4_096, vec![RowNote::LateEligible]));
    let submitted_late = row([5, 1, 2, 12], "00:10:00", "4Gn");
    assert_eq!(submitted_late, (10, None, 4_096, vec![RowNote::EarlyStart]));
    for nothing in ["0n", "0", "0Gc"] {
        let found = row([0, 1, 2, 12], "00:10:00", nothing);
        assert_eq!(found, (10, Some(1), 0, vec![RowNote::NoMemory]), "{nothing}");
    }
    // An amount without a unit is in MiB; an amount that is not said is not 0.
    assert_eq!(row([0, 1, 2, 12], "00:10:00", "4000"), (10, Some(1), 4_000, vec![]));
    assert_eq!(row([0, 1, 2, 12], "00:10:00", ""), (10, Some(1), 0, vec![]));
    // Several notes on one row are all counted.
    let all = row([5, 1, 2, 12], "00:06:00", "0n").3;
    assert_eq!(all, [RowNote::OtherElapsed, RowNote::EarlyStart, RowNote::NoMemory]);
}
