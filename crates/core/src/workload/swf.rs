//! Standard Workload Format, version 2.2 (Feitelson's Parallel Workloads
//! Archive; Chapin et al., JSSPP 1999).

use std::fmt::Write;

use crate::model::{Ask, Interner, Tenant, Work, WorkBody};
use crate::problem::Problem;
use crate::units::{Demand, Id, Span, Time};

use super::lines::Lines;
use super::names::Names;
use super::number::{Rounding, scaled, within_reach};
use super::reader::{ReadRow, Rows};
use super::table::{Bad, TextTable};
use super::{Observation, RowNote};

/// Rules by which SWF records become jobs: one task per processor, all of them a gang.
#[derive(Clone, Debug, PartialEq)]
pub struct SwfOptions {
    /// Field that gives the number of processors.
    pub procs: Procs,
    /// Milli-cores per processor.
    pub cpu_per_proc: u32,
    /// MiB per processor where field 10 (requested memory) is missing or ignored.
    pub memory_per_proc: u32,
    /// Whether field 10 (requested KB per processor) is used, rounded up to MiB.
    pub requested_memory: bool,
    /// Treatment of records without a runtime (field 4 below 0).
    pub unknown_runtime: UnknownRuntime,
    /// Leaves out records of runtime 0.
    pub drop_zero: bool,
    /// Leaves out records with status 5 (cancelled).
    pub drop_cancelled: bool,
    /// Field that names the tenant.
    pub tenant: SwfTenant,
}

impl Default for SwfOptions {
    /// One core per processor, no memory, records without a runtime left out.
    fn default() -> Self {
        Self {
            procs: Procs::Requested,
            cpu_per_proc: 1_000,
            memory_per_proc: 0,
            requested_memory: false,
            unknown_runtime: UnknownRuntime::Skip,
            drop_zero: false,
            drop_cancelled: false,
            tenant: SwfTenant::User,
        }
    }
}

/// Field that gives the number of processors. Where it is missing, the other is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Procs {
    /// Field 8.
    #[default]
    Requested,
    /// Field 5.
    Allocated,
    /// The larger of the two.
    Larger,
}

/// Treatment of a record without a runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownRuntime {
    /// It is left out, and counted.
    #[default]
    Skip,
    /// It runs this long.
    Take(Span),
}

/// Field that names the tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwfTenant {
    /// None does.
    Nobody,
    /// Field 12, as `user<N>`.
    #[default]
    User,
    /// Field 13, as `group<N>`.
    Group,
    /// Field 15, as `queue<N>`.
    Queue,
    /// Field 16, as `partition<N>`.
    Partition,
}

/// Entries in the header comments of an SWF file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwfHeader {
    /// Every `; Key: value` in the order of the file.
    pub entries: Vec<(String, String)>,
}

impl SwfHeader {
    /// The first value of `key`, whatever its case.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.entries.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
        found.map(|(_, value)| value.as_str())
    }

    /// The first whole number in the value of `key`, such as `MaxProcs`.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.get(key)?.split_whitespace().next()?.parse().ok()
    }

    /// Beginning of the log in seconds since 1970 (field `UnixStartTime`), if it says.
    pub fn start_unix(&self) -> Option<i64> {
        self.number("UnixStartTime").filter(|&secs| secs > 0)
    }

    /// The comments before the first record.
    pub(super) fn read(lines: &mut Lines) -> Result<Self, Problem> {
        let mut header = Self::default();
        while lines.advance()? {
            let line = lines.current().trim_ascii();
            if line.is_empty() {
                continue;
            }
            let Some(comment) = line.strip_prefix(b";") else { break };
            let comment = String::from_utf8_lossy(comment);
            if let Some((key, value)) = comment.split_once(':')
                && header.entries.len() < 1_000
            {
                header.entries.push((key.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Ok(header)
    }
}

/// Records of an SWF file.
pub(super) struct SwfRows {
    table: TextTable,
    options: SwfOptions,
    names: Names,
    keep_names: bool,
    label: String,
}

/// Names of the fields, for messages.
const FIELDS: [&str; 18] = [
    "job number",
    "submit time",
    "wait time",
    "run time",
    "allocated processors",
    "average CPU time",
    "used memory",
    "requested processors",
    "requested time",
    "requested memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding job",
    "think time",
];

/// Fields that rows may be filtered by, and their places from 0.
pub(super) const FILTERED: [(&str, usize); 6] = [
    ("status", 10),
    ("user", 11),
    ("group", 12),
    ("executable", 13),
    ("queue", 14),
    ("partition", 15),
];

impl SwfRows {
    pub(super) fn new(table: TextTable, options: &SwfOptions, keep_names: bool) -> Self {
        Self {
            table,
            options: options.clone(),
            names: Names::default(),
            keep_names,
            label: String::new(),
        }
    }

    /// Field `number` (from 1) in millionths; `None` where it is missing.
    fn field(&self, number: usize) -> Result<Option<i64>, Bad> {
        if number > self.table.len() {
            return Ok(None);
        }
        let value = scaled(self.table.get(number - 1), 1_000_000, 1.0, Rounding::Nearest)
            .and_then(within_reach)
            .map_err(|reason| self.refuse(number, reason))?;
        Ok((value >= 0).then_some(value))
    }

    /// Field `number` (from 1) as a whole number.
    fn whole(&self, number: usize) -> Result<Option<u32>, Bad> {
        let Some(value) = self.field(number)? else { return Ok(None) };
        if value % 1_000_000 != 0 {
            return Err(self.refuse(number, "is not a whole number"));
        }
        let whole = u32::try_from(value / 1_000_000);
        whole.map(Some).map_err(|_| self.refuse(number, "is too large"))
    }

    fn refuse(&self, number: usize, reason: &str) -> Bad {
        let name = format!("field {number} ({})", FIELDS[number - 1]);
        Bad::Row(self.table.problem(number - 1, &name, reason))
    }

    /// The number of processors; `None` where the record has none.
    fn procs(&self) -> Result<Option<u32>, Bad> {
        let allocated = self.whole(5)?.filter(|&procs| procs > 0);
        let requested = self.whole(8)?.filter(|&procs| procs > 0);
        Ok(match self.options.procs {
            Procs::Requested => requested.or(allocated),
            Procs::Allocated => allocated.or(requested),
            Procs::Larger => allocated.max(requested),
        })
    }

    /// MiB per processor.
    fn memory(&self) -> Result<u32, Bad> {
        let asked = if self.options.requested_memory { self.field(10)? } else { None };
        let Some(kb) = asked.filter(|&kb| kb > 0) else {
            return Ok(self.options.memory_per_proc);
        };
        // Millionths of KB, up to whole MiB.
        let mib = (kb + 1_024_000_000 - 1) / 1_024_000_000;
        u32::try_from(mib).map_err(|_| self.refuse(10, "is too large"))
    }

    fn tenant(&mut self, book: &mut Interner) -> Result<Id<Tenant>, Bad> {
        let (number, prefix) = match self.options.tenant {
            SwfTenant::Nobody => return Ok(Id::new(0)),
            SwfTenant::User => (12, "user"),
            SwfTenant::Group => (13, "group"),
            SwfTenant::Queue => (15, "queue"),
            SwfTenant::Partition => (16, "partition"),
        };
        let Some(value) = self.whole(number)? else { return Ok(Id::new(0)) };
        self.label.clear();
        write!(self.label, "{prefix}{value}").expect("a string takes any text");
        let named = self.names.tenant(book, self.label.as_bytes());
        named.map_err(|reason| self.refuse(number, reason))
    }
}

impl Rows for SwfRows {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<ReadRow, Bad> {
        if !self.table.advance()? {
            return Ok(ReadRow::End);
        }
        let count = self.table.len();
        if !(5..=19).contains(&count) {
            let message = format!("the record has {count} fields, SWF has 18");
            return Err(Bad::Row(self.table.row_problem(message)));
        }
        if matches!(self.field(11)?, Some(2_000_000..=4_000_000)) {
            return Ok(ReadRow::Dropped(RowNote::Part));
        }
        let Some(arrival) = self.field(2)? else {
            return Err(self.refuse(2, "is missing; every record needs one"));
        };
        let runtime = match (self.field(4)?, self.options.unknown_runtime) {
            (Some(micros), _) => Span::from_micros(micros),
            (None, UnknownRuntime::Take(span)) => span,
            (None, UnknownRuntime::Skip) => return Ok(ReadRow::Dropped(RowNote::NoRuntime)),
        };
        let procs = self.procs()?;
        if self.options.drop_cancelled && self.whole(11)? == Some(5) {
            return Ok(ReadRow::Dropped(RowNote::Cancelled));
        }
        if self.options.drop_zero && runtime == Span::ZERO {
            return Ok(ReadRow::Dropped(RowNote::RanForNoTime));
        }
        let Some(tasks) = procs else { return Ok(ReadRow::Dropped(RowNote::NoProcessors)) };
        work.name.clear();
        if self.keep_names {
            work.name.push_str(&String::from_utf8_lossy(self.table.get(0)));
        }
        work.arrival = Time::from_micros(arrival);
        work.body = WorkBody::Job { runtime: Some(runtime) };
        work.ask = Ask {
            tasks,
            demand: Demand {
                cpu: self.options.cpu_per_proc,
                memory: self.memory()?,
                ..Demand::default()
            },
            estimate: self.field(9)?.map(Span::from_micros),
            tenant: self.tenant(book)?,
            ..Ask::default()
        };
        Ok(ReadRow::Filled)
    }

    fn problem(&self, message: String) -> Problem {
        self.table.row_problem(message)
    }

    fn filtered(&self) -> u64 {
        self.table.filtered()
    }

    fn is_observed(&self) -> bool {
        true
    }

    /// Field 3 is the wait, field 5 what it held. The wait of a job that was
    /// cancelled before it started is none.
    fn observed(&self, work: &Work) -> Result<Option<Observation>, Bad> {
        let never_started = work.body.length() == Some(Span::ZERO) && self.whole(11)? == Some(5);
        let Some(wait) = self.field(3)?.filter(|_| !never_started) else { return Ok(None) };
        let observation = Observation::of(work, Span::from_micros(wait));
        let held = self.whole(5)?.filter(|&procs| procs > 0).unwrap_or(work.ask.tasks);
        let cpu = u64::from(held) * u64::from(self.options.cpu_per_proc);
        Ok(Some(Observation { cpu, ..observation }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::RowFilter;
    use super::super::reader::Reader;
    use super::super::{OnBadRow, Source};
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    type Found = (Vec<Work>, u64, Interner);

    fn read(text: &[u8], options: &SwfOptions) -> Result<Found, Problem> {
        read_where(text, options, &[])
    }

    fn read_where(
        text: &[u8],
        options: &SwfOptions,
        filters: &[RowFilter],
    ) -> Result<Found, Problem> {
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
            unknown_runtime: UnknownRuntime::Take(Span::from_secs(10)),
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
}
