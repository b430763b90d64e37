use super::super::lines::Lines;
use super::super::reader::Reader;
use super::super::{BoxedSource, OnBadRow};
use super::*;
use crate::model::{Checkpoint, Filter, Speedup, Spread, Together};
use proptest::prelude::*;
use std::io::Cursor;

fn open(text: &[u8], on_bad_row: OnBadRow) -> Result<BoxedSource, Problems> {
    let lines = Lines::new(Box::new(Cursor::new(text.to_vec())), "x.csv")?;
    let rows = NativeRows::new(TextTable::new(lines, b',', true, Some(b'#')), true)?;
    Ok(Box::new(Reader::new(rows, on_bad_row, false)))
}

fn read(text: &[u8]) -> Result<(Vec<Work>, Interner), Problems> {
    let mut source = open(text, OnBadRow::Fail)?;
    let (mut book, mut work, mut found) = (Interner::default(), Work::default(), Vec::new());
    while source.next(&mut book, &mut work)? {
        found.push(work.clone());
    }
    Ok((found, book))
}

#[test]
fn the_smallest_trace_is_read() {
    let text = "# made by hand\r\nid,arrival_s,lifetime_s,cpu_milli,memory_mib\r\n\
        a,0,10,2000,4096\r\n\r\n\"b,c\",1.5,forever,500,\r\n";
    let (found, _) = read(text.as_bytes()).expect("two machines");
    assert_eq!((found[0].name.as_str(), found[1].name.as_str()), ("a", "b,c"));
    assert_eq!(found[0].body.kind(), WorkKind::VirtualMachine);
    assert_eq!(found[0].ask.demand, Demand { cpu: 2_000, memory: 4_096, ..Demand::default() });
    assert_eq!((found[1].arrival, found[1].body.length()), (Time::from_micros(1_500_000), None));
    assert_eq!(found[1].id, WorkId { source: 0, ordinal: 1 });
}

#[test]
fn optional_cells_have_their_meaning() {
    let text = "arrival_s,runtime_s,lifetime_s,tasks,gang,vcpus,gpus,tenant,regions,not_markets,\
        throughput,spread,home,input_bytes,deadline_s,estimate_s,resumes,priority\n\
        0,60,,4,false,0.5,2,ml,aws/us-east-1|gcp/us-central1,spot,V100=1|A100=2.5,zones,dc1,7,90,70,yes,-3\n\
        0,,60,,,,,,,,,,,,,,,\n";
    let (found, book) = read(text.as_bytes()).expect("two rows");
    let ask = found[0].ask;
    assert_eq!(found[0].body.kind(), WorkKind::Job);
    assert_eq!((ask.tasks, ask.gang, ask.priority), (4, false, -3));
    assert_eq!(
        ask.demand,
        Demand { cpu: 500, memory: 0, gpus: 2, gpu_share: 1_000, exclusive: false }
    );
    assert_eq!(
        (ask.estimate, ask.deadline),
        (Some(Span::from_secs(70)), Some(Time::from_secs(90)))
    );
    assert_eq!((ask.input, ask.resumes), (7, true));
    let rules = &book.all_rules()[ask.rules];
    assert_eq!(rules.regions.allowed, ["aws/us-east-1", "gcp/us-central1"]);
    assert_eq!(rules.markets.forbidden, ["spot"]);
    assert_eq!(rules.throughput, [("V100".to_owned(), 1_000_000), ("A100".to_owned(), 2_500_000)]);
    assert_eq!(rules.spread, Spread::Zones);
    assert_eq!(found[1].ask, Ask::default());
    assert_eq!(found[1].body.kind(), WorkKind::VirtualMachine);
}

#[test]
fn malformed_rows_name_their_place() {
    let cases = [
        ("a,x,1,1", 3, "arrival_s: `x` is not a number"),
        ("a,nan,1,1", 3, "not a number"),
        ("a,1e308,1,1", 3, "has an exponent"),
        ("a,99999999999,1,1", 3, "x"),
        ("a,1.0000001,1,1", 3, "six decimals"),
        ("a,1,-1,1", 5, "must not be negative"),
        ("a,1,1,4294967296", 7, "too large"),
        ("a,1,1,-0.5", 7, "not a whole number"),
        ("a,1,1", 1, "3 fields, the header has 4"),
        ("a,1,,1", 1, "neither runtime_s nor lifetime_s"),
        ("a,,1,1", 1, "no arrival_s"),
        ("a\u{0},1,1,1", 1, "NUL"),
        ("\"a\"b,1,1,1", 4, "closing quote"),
    ];
    for (row, column, message) in cases {
        let text = format!("id,arrival_s,runtime_s,cpu_milli\n{row}\n");
        let outcome = read(text.as_bytes());
        if message == "x" {
            // 99,999,999,999 s is just within reach.
            assert!(outcome.is_ok());
            continue;
        }
        let problem = outcome.expect_err(row)[0].clone();
        assert_eq!((problem.line, problem.column), (2, column), "{problem}");
        assert!(problem.message.contains(message), "{problem}");
    }
    let invalid = b"id,arrival_s,runtime_s\n\xff,1,1\n";
    assert!(read(invalid).expect_err("bytes")[0].message.contains("UTF-8"));
}

#[test]
fn a_checkpoint_costs_what_its_cells_say() {
    let head = "arrival_s,runtime_s,checkpoint_write_s,checkpoint_blocking,checkpoint_restore_s";
    let rows = |rows: &str| read(format!("{head}\n{rows}\n").as_bytes());
    let (found, book) = rows("0,1,,,\n0,1,60,,\n0,1,0.5,false,300").expect("rows");
    let told = found.iter().map(|work| work.ask.checkpoint.map(|id| book.checkpoints()[id]));
    let (write, restore) = (Span::from_micros(500_000), Span::from_secs(300));
    let own = Checkpoint { write, blocking: false, restore };
    let want = [None, Some(Checkpoint::blocking(Span::from_secs(60))), Some(own)];
    assert_eq!(told.collect::<Vec<_>>(), want);
    for (row, message) in [
        ("0,1,,true,", "checkpoint_blocking but no checkpoint_write_s"),
        ("0,1,,,5", "checkpoint_restore_s but no checkpoint_write_s"),
        ("0,1,-1,,", "must not be negative"),
    ] {
        let problem = &rows(row).expect_err(row)[0];
        assert!(problem.message.contains(message), "{problem}");
    }
}

#[test]
fn headers_are_checked_as_a_whole() {
    let problems = read(b"id,arival_s,id,sede\n").expect_err("a header");
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told[0].contains("did you mean `arrival_s`?"), "{told:?}");
    assert!(read(b"").is_err());
}

#[test]
fn bad_rows_are_skipped_and_counted() {
    let text = b"id,arrival_s,runtime_s\na,0,1\nb,x,1\nc,2\nd,3,1\n";
    let mut source = open(text, OnBadRow::Skip).expect("a header");
    let (mut book, mut work, mut found) = (Interner::default(), Work::default(), Vec::new());
    while source.next(&mut book, &mut work).expect("bad rows are skipped") {
        found.push((work.name.clone(), work.id.ordinal));
    }
    assert_eq!(found, [("a".to_owned(), 0), ("d".to_owned(), 3)]);
    assert_eq!(source.skipped(), 2);
    assert_eq!(source.skips().iter().map(|problem| problem.line).collect::<Vec<_>>(), [3, 4]);
}

/// Work whose tenant, home, rules and checkpoint are no ids, as no book exists yet.
type Named = (Work, String, Option<String>, Rules, Option<Checkpoint>);

fn name() -> impl Strategy<Value = String> {
    "[a-zA|=\\\\,\"#\n\r é]{1,6}"
}

fn filter() -> impl Strategy<Value = Filter> {
    let names = || prop::collection::vec(name(), 0..3);
    (names(), names()).prop_map(|(allowed, forbidden)| Filter { allowed, forbidden })
}

fn rules() -> impl Strategy<Value = Rules> {
    let filters = (filter(), filter(), filter(), filter(), filter(), filter());
    let names = || prop::collection::vec(name(), 0..3);
    let throughput = prop::collection::vec((name(), any::<u32>()), 0..3);
    let spread = prop::sample::select(vec![
        Spread::None,
        Spread::Instances,
        Spread::Zones,
        Spread::EvenZones,
    ]);
    let together = prop::option::of(prop::sample::select(Together::ALL.to_vec()));
    (filters, names(), names(), throughput, spread, together).prop_map(
        |(filters, jurisdictions, certifications, throughput, spread, together)| {
            let (providers, regions, types, offers, markets, gpu_models) = filters;
            Rules {
                providers,
                regions,
                types,
                offers,
                markets,
                jurisdictions,
                certifications,
                gpu_models,
                throughput,
                spread,
                together,
            }
        },
    )
}

fn work() -> impl Strategy<Value = Named> {
    const FAR: i64 = super::super::number::FAR;
    let span = || prop::option::of((0..=FAR).prop_map(Span::from_micros));
    let time = || (-FAR..=FAR).prop_map(Time::from_micros);
    let deadline = prop::option::of(time());
    let demand = (any::<u32>(), any::<u32>(), 0..=MAX_GPUS, 1..=WHOLE_GPU, any::<bool>()).prop_map(
        |(cpu, memory, gpus, share, exclusive)| {
            let gpu_share = if gpus == 0 { 0 } else { share };
            Demand { cpu, memory, gpus, gpu_share, exclusive }
        },
    );
    let id = (any::<u32>(), 0..=i64::MAX as u64);
    let kind = prop::sample::select(vec![WorkKind::Job, WorkKind::VirtualMachine]);
    let flags = (any::<bool>(), any::<bool>(), any::<i32>(), 1..=u32::MAX);
    let bytes = (0..=i64::MAX, 0..=i64::MAX);
    let length = || (0..=FAR).prop_map(Span::from_micros);
    let checkpoint = (length(), any::<bool>(), length())
        .prop_map(|(write, blocking, restore)| Checkpoint { write, blocking, restore });
    let checkpoint = prop::option::of(checkpoint);
    let names = ("[ab,\"#\n\r ]{0,4}", name(), prop::option::of(name()), rules(), checkpoint);
    (id, kind, time(), deadline, (span(), span()), demand, flags, bytes, names).prop_map(
        |(id, kind, arrival, deadline, spans, demand, flags, bytes, names)| {
            let (name, tenant, home, rules, checkpoint) = names;
            let (gang, resumes, priority, tasks) = flags;
            let work = Work {
                id: WorkId { source: id.0, ordinal: id.1 },
                min_tasks: tasks / 3,
                speedup: Speedup::amdahl(tasks % 1_000_003),
                name,
                arrival,
                ask: Ask {
                    tasks,
                    gang,
                    demand,
                    estimate: spans.0,
                    deadline,
                    priority,
                    input: bytes.0,
                    output: bytes.1,
                    resumes,
                    ..Ask::default()
                },
                body: kind.body(spans.1),
            };
            (work, tenant, home, rules, checkpoint)
        },
    )
}

fn write(rows: &[Named], columns: &[NativeColumn]) -> (String, Vec<Work>) {
    let mut book = Interner::default();
    let mut writer = NativeWriter::new(Vec::new(), columns).expect("written");
    let mut all = Vec::new();
    for (work, tenant, home, rules, checkpoint) in rows {
        let mut work = work.clone();
        work.ask.tenant = book.tenant(tenant);
        work.ask.home = home.as_ref().map(|home| book.home(home));
        work.ask.rules = book.rules(rules);
        work.ask.checkpoint = checkpoint.map(|checkpoint| book.checkpoint(checkpoint));
        writer.write(&book, &work, None).expect("written");
        all.push(work);
    }
    (String::from_utf8(writer.into_inner()).expect("names are UTF-8"), all)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(rows in prop::collection::vec(work(), 0..4)) {
        let (text, want) = write(&rows, &NativeColumn::ALL);
        let (found, book) = read(text.as_bytes()).expect(&text);
        prop_assert_eq!(&found, &want);
        for (work, (_, tenant, home, rules, checkpoint)) in found.iter().zip(&rows) {
            prop_assert_eq!(&book.tenants()[work.ask.tenant].name, tenant);
            prop_assert_eq!(&work.ask.home.map(|home| book.homes()[home].name.clone()), home);
            prop_assert_eq!(&book.all_rules()[work.ask.rules], rules);
            let told = work.ask.checkpoint.map(|checkpoint| book.checkpoints()[checkpoint]);
            prop_assert_eq!(&told, checkpoint);
        }
        // The columns in use are enough.
        let mut source = open(text.as_bytes(), OnBadRow::Fail).expect("a header");
        let columns = used_columns(source.as_mut(), &mut Interner::default()).expect("rows");
        let (short, _) = write(&rows, &columns);
        prop_assert_eq!(read(short.as_bytes()).expect(&short).0, want);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        rows in "[0-9a-f.,\"|=\\\\\n-]{0,200}",
    ) {
        let _ = read(&bytes);
        let _ = read(format!("id,arrival_s,runtime_s,regions,throughput\n{rows}").as_bytes());
    }
}
