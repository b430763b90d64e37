//! Columns of a table as sources of the fields of work, and the units that they are read in.

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
    /// Fewest tasks with which a gang can run.
    MinTasks,
    /// Part of its work that its tasks divide among them.
    ParallelFraction,
    /// CPU per task.
    Cpu,
    /// Memory per task.
    Memory,
    /// GPU devices per task.
    Gpus,
    /// Share of each device.
    GpuShare,
    /// Whether the work has its instances alone.
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
    /// A constant: this text for every row.
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

    /// Whether the field can be read in `unit`.
    pub fn fits(self, unit: ColumnUnit) -> bool {
        factor(self, unit).is_some()
    }

    /// Every field with its name in a scenario file.
    pub const ALL: [(&'static str, Self); 22] = [
        ("id", Self::Id),
        ("arrival", Self::Arrival),
        ("runtime", Self::Runtime),
        ("end", Self::End),
        ("start", Self::Start),
        ("estimate", Self::Estimate),
        ("deadline", Self::Deadline),
        ("tasks", Self::Tasks),
        ("min_tasks", Self::MinTasks),
        ("parallel_fraction", Self::ParallelFraction),
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

/// Multiplier and divisor that turn a number of `unit` into that of `field`; `None` where the unit
/// means nothing there.
pub(crate) fn factor(field: Field, unit: ColumnUnit) -> Option<(i64, i64)> {
    let duration = match unit {
        ColumnUnit::Nanos => Some((1, 1_000)),
        ColumnUnit::Micros => Some((1, 1)),
        ColumnUnit::Millis => Some((1_000, 1)),
        ColumnUnit::Seconds => Some((1_000_000, 1)),
        ColumnUnit::Minutes => Some((60_000_000, 1)),
        ColumnUnit::Hours => Some((3_600_000_000, 1)),
        ColumnUnit::Days => Some((86_400_000_000, 1)),
        _ => None,
    };
    let bytes = match unit {
        ColumnUnit::Bytes => Some(1),
        ColumnUnit::Kib => Some(1 << 10),
        ColumnUnit::Mib => Some(1 << 20),
        ColumnUnit::Gib => Some(1 << 30),
        ColumnUnit::Gb => Some(1_000_000_000),
        _ => None,
    };
    match field {
        Field::Arrival | Field::Start | Field::End | Field::Deadline => match unit {
            ColumnUnit::Timestamp | ColumnUnit::UnixMicros => Some((1, 1)),
            ColumnUnit::UnixMillis => Some((1_000, 1)),
            ColumnUnit::UnixSeconds => Some((1_000_000, 1)),
            _ => duration,
        },
        Field::Runtime | Field::Estimate | Field::Wait => duration,
        Field::Cpu => match unit {
            ColumnUnit::Cores | ColumnUnit::Count => Some((1_000, 1)),
            ColumnUnit::Milli => Some((1, 1)),
            ColumnUnit::FractionOf(whole) => Some((whole.into(), 1)),
            _ => None,
        },
        Field::Gpus | Field::GpuShare => match unit {
            ColumnUnit::Cores | ColumnUnit::Count => Some((1_000, 1)),
            ColumnUnit::Milli => Some((1, 1)),
            _ => None,
        },
        Field::Memory => match unit {
            ColumnUnit::FractionOf(whole) => Some((i64::from(whole) << 20, 1 << 20)),
            _ => bytes.map(|bytes| (bytes, 1 << 20)),
        },
        Field::Input | Field::Output => bytes.map(|bytes| (bytes, 1)),
        Field::ParallelFraction => (unit == ColumnUnit::Count).then_some((1_000_000, 1)),
        Field::Tasks | Field::MinTasks | Field::Priority => {
            (unit == ColumnUnit::Count).then_some((1, 1))
        }
        Field::Id | Field::Exclusive | Field::Tenant | Field::Home | Field::GpuModels => {
            (unit == ColumnUnit::Text).then_some((1, 1))
        }
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
