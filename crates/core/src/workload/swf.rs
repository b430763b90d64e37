//! Standard Workload Format, version 2.2 (Feitelson's Parallel Workloads
//! Archive; Chapin et al., JSSPP 1999).

mod header;

use std::fmt::Write;

use crate::model::{Ask, Interner, Speedup, Tenant, Work, WorkBody};
use crate::part::{Parameter, Part, PartSettings, Setting, SettingKind};
use crate::problem::{Problem, Problems};
use crate::units::{Calendar, Demand, Id, Span, Time};

use super::format::{
    Beginning, ColumnNames, Format, FormatReader, Machines, OtherFormat, ReadFormat, TextLayout,
};
use super::names::Names;
use super::number::{Rounding, float, scaled, within_reach};
use super::reader::{ReadRow, Rows};
use super::recognise::{FileHead, Recognised};
use super::table::{Bad, TextTable};
use super::{Observation, RowNote, TraceSpec};

use header::SwfHeader;

/// Standard Workload Format of the Parallel Workloads Archive.
pub static SWF: Format = Format {
    part: Part {
        name: "swf",
        doc: "Standard Workload Format: records become jobs of one task per processor.",
        parameters: PARAMETERS,
        make: |settings| FormatReader(Box::new(SwfOptions::new(settings))),
    },
    beside: &[],
    sample: "; UnixStartTime: 0\n1 0 5 100 2 -1 -1 2 200 -1 1 3 1 -1 1 1 -1 -1\n\
             2 50 5 1 2 -1 -1 2 2 -1 1 3 1 -1 1 1 -1 -1\n",
    recognise,
};

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "procs",
        kind: SettingKind::Word(&["requested", "allocated", "larger"]),
        default: Setting::Word("requested"),
        doc: "Which field is the number of processors; the other where it is missing.",
    },
    Parameter {
        name: "vcpus_per_proc",
        kind: SettingKind::Vcpus,
        default: Setting::Vcpus(1_000),
        doc: "Cores per processor.",
    },
    Parameter {
        name: "memory_per_proc",
        kind: SettingKind::Memory,
        default: Setting::Memory(0),
        doc: "Memory per processor where the trace gives none.",
    },
    Parameter {
        name: "requested_memory",
        kind: SettingKind::Flag,
        default: Setting::Flag(false),
        doc: "Whether field 10 (requested memory) is used.",
    },
    Parameter {
        name: "unknown_runtime",
        kind: SettingKind::SpanOr("skip"),
        default: Setting::Unset("skip"),
        doc: "Records without a runtime: `skip`, or the span that they run.",
    },
    Parameter {
        name: "drop_zero",
        kind: SettingKind::Flag,
        default: Setting::Flag(false),
        doc: "Leaves out records of runtime 0.",
    },
    Parameter {
        name: "drop_cancelled",
        kind: SettingKind::Flag,
        default: Setting::Flag(false),
        doc: "Leaves out cancelled records.",
    },
    Parameter {
        name: "tenant",
        kind: SettingKind::Word(&["nobody", "user", "group", "queue", "partition"]),
        default: Setting::Word("user"),
        doc: "Which field names the tenant.",
    },
];

/// A file is a log if most of its lines are records: one bad line among good ones is a bad line of
/// a log. So is one with comments only.
fn recognise(head: &FileHead) -> Result<Recognised, OtherFormat> {
    let records = head.lines.iter().filter(|line| is_record(line)).count();
    let is_log = if head.lines.is_empty() { head.comments } else { records * 2 > head.lines.len() };
    let recognised = || Recognised {
        format: SWF.spec(),
        why: "Lines of 18 numbers: a log in Standard Workload Format.".to_owned(),
        is_told: false,
    };
    is_log.then(recognised).ok_or(None)
}

fn is_record(line: &[u8]) -> bool {
    let mut fields =
        line.split(|byte| byte.is_ascii_whitespace()).filter(|field| !field.is_empty());
    let count = fields.clone().count();
    (17..=19).contains(&count) && fields.all(|field| float(field).is_ok())
}

/// Rules by which SWF records become jobs: one task per processor, all of them a gang.
#[derive(Clone, Debug)]
struct SwfOptions {
    /// Field that gives the number of processors.
    procs: Procs,
    /// Milli-cores per processor.
    cpu_per_proc: u32,
    /// MiB per processor where field 10 (requested memory) is missing or ignored.
    memory_per_proc: u32,
    /// Whether field 10 (requested KB per processor) is used, rounded up to MiB.
    requested_memory: bool,
    /// Runtime of records without one (field 4 below 0); `None` if they are left out.
    unknown_runtime: Option<Span>,
    /// Leaves out records of runtime 0.
    drop_zero: bool,
    /// Leaves out records with status 5 (cancelled).
    drop_cancelled: bool,
    /// Field that names the tenant.
    tenant: SwfTenant,
}

impl SwfOptions {
    fn new(settings: &PartSettings) -> Self {
        Self {
            procs: match settings.word("procs") {
                "allocated" => Procs::Allocated,
                "larger" => Procs::Larger,
                _ => Procs::Requested,
            },
            cpu_per_proc: settings.vcpus("vcpus_per_proc"),
            memory_per_proc: settings.memory("memory_per_proc"),
            requested_memory: settings.flag("requested_memory"),
            unknown_runtime: settings.span("unknown_runtime"),
            drop_zero: settings.flag("drop_zero"),
            drop_cancelled: settings.flag("drop_cancelled"),
            tenant: match settings.word("tenant") {
                "nobody" => SwfTenant::Nobody,
                "group" => SwfTenant::Group,
                "queue" => SwfTenant::Queue,
                "partition" => SwfTenant::Partition,
                _ => SwfTenant::User,
            },
        }
    }
}

/// A first arrival as late as this (in 1985) on the clock of a log without a
/// beginning counts from 1970.
const SINCE_1970: i64 = 500_000_000_000_000;

impl ReadFormat for SwfOptions {
    fn layout(&self) -> TextLayout {
        let names = ColumnNames::Fields(&FILTERED);
        TextLayout { delimiter: b' ', quoting: false, comment: Some(b';'), names }
    }

    fn rows(
        &self,
        trace: &TraceSpec,
        _calendar: Calendar,
        keep_names: bool,
    ) -> Result<Box<dyn Rows>, Problems> {
        Ok(Box::new(SwfRows::new(trace.table()?, self, keep_names)))
    }

    fn assumptions(&self) -> Vec<String> {
        let memory = if self.requested_memory { " with the memory it requested" } else { "" };
        let without = match self.unknown_runtime {
            None => "are left out".to_owned(),
            Some(span) => format!("run for {span}"),
        };
        vec![
            format!(
                "Every processor of an SWF record is one task of {} milli-cores{memory}; all tasks of a record start together.",
                self.cpu_per_proc,
            ),
            format!("SWF records without a runtime {without}."),
        ]
    }

    fn zero_unix(&self, trace: &TraceSpec) -> Option<i64> {
        let header = SwfHeader::read(&mut trace.lines().ok()?).ok()?;
        let given = header.start_unix().map(|secs| secs.saturating_mul(1_000_000));
        given.or_else(|| trace.first_unix().filter(|&first| first >= SINCE_1970).map(|_| 0))
    }

    fn beginning(&self, trace: &TraceSpec) -> Result<Beginning, Problem> {
        let header = SwfHeader::read(&mut trace.lines()?)?;
        let [procs, nodes] = ["MaxProcs", "MaxNodes"].map(|key| header.number(key));
        let given = procs.into_iter().chain(nodes).collect();
        let nodes = nodes.filter(|_| procs.is_some());
        let machines = Machines::Processors { given, nodes };
        Ok(Beginning { machines, ..Beginning::default() })
    }
}

/// Field that gives the number of processors. If it is missing, the other is taken.
#[derive(Clone, Copy, Debug)]
enum Procs {
    /// Field 8.
    Requested,
    /// Field 5.
    Allocated,
    /// The larger of the two.
    Larger,
}

/// Field that names the tenant.
#[derive(Clone, Copy, Debug)]
enum SwfTenant {
    /// No field: work has no tenant.
    Nobody,
    /// Field 12, as `user<N>`.
    User,
    /// Field 13, as `group<N>`.
    Group,
    /// Field 15, as `queue<N>`.
    Queue,
    /// Field 16, as `partition<N>`.
    Partition,
}

/// Records of an SWF file.
struct SwfRows {
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
const FILTERED: [(&str, usize); 6] = [
    ("status", 10),
    ("user", 11),
    ("group", 12),
    ("executable", 13),
    ("queue", 14),
    ("partition", 15),
];

impl SwfRows {
    fn new(table: TextTable, options: &SwfOptions, keep_names: bool) -> Self {
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

    /// Memory in MiB per processor.
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
            (None, Some(span)) => span,
            (None, None) => return Ok(ReadRow::Dropped(RowNote::NoRuntime)),
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
        (work.min_tasks, work.speedup) = (0, Speedup::LINEAR);
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
mod tests;
