use super::super::filter::RowFilter;
use super::super::lines::Lines;
use super::super::reader::Reader;
use super::super::{OnBadRow, Source};
use super::*;
use proptest::prelude::*;
use std::io::Cursor;

impl Default for SwfOptions {
    fn default() -> Self {
        Self::new(&PartSettings::new(PARAMETERS))
    }
}

type Found = (Vec<Work>, u64, Interner);

fn read(text: &[u8], options: &SwfOptions) -> Result<Found, Problem> {
    read_where(text, options, &[])
}

fn read_where(text: &[u8], options: &SwfOptions, filters: &[RowFilter]) -> Result<Found, Problem> {
    let lines = Lines::new(Box::new(Cursor::new(text.to_vec())), "x.swf")?;
    let table =
        TextTable::new(lines, b' ', false, Some(b';')).keeping_fields(filters, &FILTERED)?;
    let mut source = Reader::new(SwfRows::new(table, options, true), OnBadRow::Fail, true);
    let (mut book, mut work, mut found) = (Interner::default(), Work::default(), Vec::new());
    while source.next(&mut book, &mut work)? {
        found.push(work.clone());
    }
    Ok((found, source.notes().left_out(), book))
}

const LOG: &str = "\
; Version: 2.2
; UnixStartTime: 1027839845
; MaxProcs: 240

   11   342072     32  43306   32  43307    -1   64  43200  2048  1   4   1  -1 -1  1 -1 -1
;  a comment inside
12 342343.5 5 552.21 40 -1 -1 -1 -1 -1 1 -1 -1 -1 0 -1 -1
13 342400 5 -1 40 -1 -1 -1 -1 -1 5 4 -1 -1 0 -1 -1 -1 7
14 342401 5 0 0 -1 -1 -1 -1 -1 5 4 -1 -1 0 -1 -1 -1
15 342402 5 0 1 -1 -1 -1 -1 -1 5 4 -1 -1 3 -1 -1 -1
";

#[test]
fn records_become_gangs() {
    let options = SwfOptions { requested_memory: true, ..SwfOptions::default() };
    let (found, dropped, book) = read(LOG.as_bytes(), &options).expect("a log");
    // 13 has no runtime and 14 no processors.
    assert_eq!((found.len(), dropped), (3, 2));
    let first = &found[0];
    assert_eq!((first.name.as_str(), first.id.ordinal), ("11", 0));
    assert_eq!(first.arrival, Time::from_secs(342_072));
    assert_eq!(first.body.length(), Some(Span::from_secs(43_306)));
    assert_eq!(first.ask.estimate, Some(Span::from_secs(43_200)));
    assert_eq!((first.ask.tasks, first.ask.gang), (64, true));
    assert_eq!(first.ask.demand, Demand { cpu: 1_000, memory: 2, ..Demand::default() });
    assert_eq!(book.tenants()[first.ask.tenant].name, "user4");
    assert_eq!(found[1].ask.tasks, 40);
    assert_eq!(found[1].body.length(), Some(Span::from_micros(552_210_000)));
    assert_eq!(found[1].ask.estimate, None);
    assert_eq!(found[2].id.ordinal, 4);
}

#[test]
fn options_choose_processors_runtimes_and_tenants() {
    let options = SwfOptions {
        procs: Procs::Allocated,
        unknown_runtime: Some(Span::from_secs(10)),
        drop_zero: true,
        tenant: SwfTenant::Queue,
        ..SwfOptions::default()
    };
    let (found, dropped, book) = read(LOG.as_bytes(), &options).expect("a log");
    assert_eq!((found.len(), dropped), (3, 2));
    assert_eq!(found[0].ask.tasks, 32);
    assert_eq!(found[2].body.length(), Some(Span::from_secs(10)));
    assert_eq!(book.tenants()[found[2].ask.tenant].name, "queue0");
    let cancelled = SwfOptions { drop_cancelled: true, ..SwfOptions::default() };
    assert_eq!(read(LOG.as_bytes(), &cancelled).expect("a log").0.len(), 2);
}

#[test]
fn rows_are_filtered_by_named_fields() {
    let filter = |column: &str, values: &[&str], keep| RowFilter {
        column: column.to_owned(),
        values: values.iter().map(|&value| value.to_owned()).collect(),
        keep,
    };
    for (filters, names, left_out) in [
        (vec![filter("status", &["1"], true)], "11 12", 3),
        (vec![filter("queue", &["0", "3"], true)], "12 15", 3),
        (vec![filter("user", &["4"], false)], "12", 4),
        (vec![filter("group", &["1"], true)], "11", 4),
        (vec![filter("partition", &["1"], false)], "12 15", 3),
        // 13 passes and has no runtime, 14 passes and has no processors.
        (vec![filter("executable", &["-1"], true), filter("status", &["5"], true)], "15", 4),
    ] {
        let read = read_where(LOG.as_bytes(), &SwfOptions::default(), &filters);
        let (found, dropped, _) = read.expect("a log");
        let found: Vec<&str> = found.iter().map(|work| work.name.as_str()).collect();
        assert_eq!((found.join(" ").as_str(), dropped), (names, left_out), "{filters:?}");
    }
    let unknown = [filter("procs", &["1"], true)];
    let problem = read_where(LOG.as_bytes(), &SwfOptions::default(), &unknown);
    let problem = problem.expect_err("no such field");
    assert_eq!(problem.message, "`where`: there is no field `procs`");
}

#[test]
fn the_header_is_read() {
    let mut lines = Lines::new(Box::new(Cursor::new(LOG)), "x").expect("text");
    let header = SwfHeader::read(&mut lines).expect("text");
    assert_eq!(header.start_unix(), Some(1_027_839_845));
    assert_eq!(header.number("maxprocs"), Some(240));
    assert_eq!(header.get("MaxQueues"), None);
}

#[test]
fn malformed_records_name_their_place() {
    let cases = [
        ("1 2 3\n", 1, 1, "3 fields"),
        ("1 x 3 4 5\n", 1, 3, "field 2 (submit time): `x` is not a number"),
        ("1 -1 3 4 5\n", 1, 3, "missing"),
        ("1 5 3 nan 5\n", 1, 7, "not a finite number"),
        ("1 5 3 4 1.5\n", 1, 9, "not a whole number"),
        ("1 5 3 4 5\n1 4 3 4 5\n", 2, 1, "before its predecessor"),
        ("1 1e300 3 4 5\n", 1, 3, "too large"),
    ];
    for (text, line, column, message) in cases {
        let problem = read(text.as_bytes(), &SwfOptions::default()).expect_err(text);
        assert_eq!((problem.line, problem.column), (line, column), "{problem}");
        assert!(problem.message.contains(message), "{problem}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        numbers in "([0-9.e-]{0,22} ){0,20}\n",
    ) {
        let _ = read(&bytes, &SwfOptions::default());
        let options = SwfOptions { requested_memory: true, ..SwfOptions::default() };
        let _ = read(numbers.as_bytes(), &options);
    }
}
