//! Any delimited text as a workload, column by column.

use std::collections::BTreeMap;

use crate::model::WorkKind;

use super::mapped::factor;

/// Rules by which the columns of some delimited text become work.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// Whether rows are jobs (`runtime`) or virtual machines (lifetime).
    pub kind: WorkKind,
    /// Column or constant that each field is read from. `arrival`, and `runtime` or `end`, are
    /// required.
    pub columns: BTreeMap<Field, Column>,
    /// Delimiter of fields: `b','`, `b';'`, `b'\t'`; `b' '` takes any run of blanks.
    pub delimiter: u8,
    /// Whether the first row names the columns.
    pub has_header: bool,
    /// Whether `"` quotes fields.
    pub quoting: bool,
    /// A row that asks for more GPUs becomes a gang of tasks with at most so
    /// many each, as many tasks of one size as make up its GPUs.
    pub gpus_per_task: Option<u8>,
    /// Name of the time zone of dates that have none, such as `Europe/Berlin`; UTC by default.
    pub time_zone: Option<String>,
}

impl Default for Mapping {
    /// Jobs in comma-separated values with a header, nothing mapped.
    fn default() -> Self {
        Self {
            kind: WorkKind::Job,
            columns: BTreeMap::new(),
            delimiter: b',',
            has_header: true,
            quoting: true,
            gpus_per_task: None,
            time_zone: None,
        }
    }
}

impl Mapping {
    /// Whether arrivals are dates, not times since the start.
    pub(super) fn has_dates(&self) -> bool {
        use ColumnUnit::{Timestamp, UnixMicros, UnixMillis, UnixSeconds};
        self.columns.get(&Field::Arrival).is_some_and(|column| {
            matches!(column.unit, Timestamp | UnixSeconds | UnixMillis | UnixMicros)
        })
    }
}

/// Fields of work that a column of a mapped file can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The name of the work.
    Id,
    /// Time of submission.
    Arrival,
    /// Runtime, or lifetime of a virtual machine.
    Runtime,
    /// Time of its end; without a `runtime`, that is `end - start` (or `end - arrival`).
    End,
    /// Observed start, also for `end - start`.
    Start,
    /// The user's estimate of the runtime.
    Estimate,
    /// Deadline.
    Deadline,
    /// Number of tasks.
    Tasks,
    /// CPU per task.
    Cpu,
    /// Memory per task.
    Memory,
    /// GPU devices per task.
    Gpus,
    /// Share of each device.
    GpuShare,
    /// Whether it has its instances alone.
    Exclusive,
    /// Priority; larger is more important.
    Priority,
    /// Tenant that the work belongs to.
    Tenant,
    /// Location of its data.
    Home,
    /// Bytes read before it starts.
    Input,
    /// Bytes written when it is done.
    Output,
    /// GPU models that it may use, separated by `|`.
    GpuModels,
    /// Observed wait; negative where that is not known.
    Wait,
}

/// Source and unit of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Column or constant that the values come from.
    pub from: ColumnOrigin,
    /// Unit of the values.
    pub unit: ColumnUnit,
    /// Numbers are multiplied by this; 1 for none.
    pub scale: f64,
    /// Cells that say nothing, besides those that always do.
    pub none: Vec<String>,
}

impl Column {
    /// A column read in `unit`.
    pub fn new(from: ColumnOrigin, unit: ColumnUnit) -> Self {
        Self { from, unit, scale: 1.0, none: Vec::new() }
    }
}

/// Column of the file, or a constant in place of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnOrigin {
    /// The column with this header.
    Header(String),
    /// The column with this number, from 1.
    Number(usize),
    /// This text for every row.
    Constant(String),
}

/// Unit or form of the values in a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColumnUnit {
    /// Nanoseconds.
    Nanos,
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// A date and time, RFC 3339 or `2017-10-09 07:01:55`; UTC without an offset.
    Timestamp,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMillis,
    /// Microseconds since 1970.
    UnixMicros,
    /// Whole cores or whole GPUs.
    Cores,
    /// Thousandths of a core or of a GPU.
    Milli,
    /// Bytes.
    Bytes,
    /// 1,024 bytes.
    Kib,
    /// 1,024 KiB.
    Mib,
    /// 1,024 MiB.
    Gib,
    /// 1,000,000,000 bytes.
    Gb,
    /// A fraction (0 to 1) of this many milli-cores or MiB.
    FractionOf(u32),
    /// A plain number.
    Count,
    /// A name.
    Text,
}

impl Field {
    /// Names of the units that it can be read in.
    pub fn units(self) -> Vec<&'static str> {
        let fits = |(_, unit): &&(&str, ColumnUnit)| factor(self, *unit).is_some();
        ColumnUnit::ALL.iter().filter(fits).map(|(name, _)| *name).collect()
    }

    /// Whether it can be read in `unit`.
    pub fn fits(self, unit: ColumnUnit) -> bool {
        factor(self, unit).is_some()
    }

    /// Every field with its name in a scenario file.
    pub const ALL: [(&'static str, Self); 20] = [
        ("id", Self::Id),
        ("arrival", Self::Arrival),
        ("runtime", Self::Runtime),
        ("end", Self::End),
        ("start", Self::Start),
        ("estimate", Self::Estimate),
        ("deadline", Self::Deadline),
        ("tasks", Self::Tasks),
        ("cpu", Self::Cpu),
        ("memory", Self::Memory),
        ("gpus", Self::Gpus),
        ("gpu_share", Self::GpuShare),
        ("exclusive", Self::Exclusive),
        ("priority", Self::Priority),
        ("tenant", Self::Tenant),
        ("home", Self::Home),
        ("input", Self::Input),
        ("output", Self::Output),
        ("gpu_models", Self::GpuModels),
        ("wait", Self::Wait),
    ];

    /// The field called `name` in a scenario file.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, field)| field)
    }

    /// Its name in a scenario file.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

impl ColumnUnit {
    /// Every unit without a parameter, with its name in a scenario file.
    pub const ALL: [(&'static str, Self); 20] = [
        ("ns", Self::Nanos),
        ("us", Self::Micros),
        ("ms", Self::Millis),
        ("s", Self::Seconds),
        ("min", Self::Minutes),
        ("h", Self::Hours),
        ("d", Self::Days),
        ("timestamp", Self::Timestamp),
        ("unix_s", Self::UnixSeconds),
        ("unix_ms", Self::UnixMillis),
        ("unix_us", Self::UnixMicros),
        ("cores", Self::Cores),
        ("milli", Self::Milli),
        ("bytes", Self::Bytes),
        ("kib", Self::Kib),
        ("mib", Self::Mib),
        ("gib", Self::Gib),
        ("gb", Self::Gb),
        ("count", Self::Count),
        ("text", Self::Text),
    ];

    /// The unit called `name` in a scenario file; `fraction of 64000` is a
    /// fraction of 64,000 milli-cores or MiB.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(whole) = name.strip_prefix("fraction of ") {
            return whole.trim().parse().ok().map(Self::FractionOf);
        }
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, unit)| unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields_and_units_are_read_back() {
        for (name, field) in Field::ALL {
            assert_eq!((Field::parse(name), field.name()), (Some(field), name));
        }
        for (name, unit) in ColumnUnit::ALL {
            assert_eq!(ColumnUnit::parse(name), Some(unit), "{name}");
        }
        assert_eq!(ColumnUnit::parse("fraction of 64000"), Some(ColumnUnit::FractionOf(64_000)));
        assert_eq!(ColumnUnit::parse("furlongs"), None);
    }
}
