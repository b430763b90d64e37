//! The format of any delimited text, and the mapping that its settings are.

use std::collections::BTreeMap;

use super::super::format::{
    ColumnNames, Format, FormatReader, MissingSetting, ReadFormat, TIME_ZONE, TextLayout,
    delimiter, work_kind, zone_words,
};
use super::super::reader::Rows;
use super::super::{Column, ColumnUnit, Field, TraceSpec};
use super::{MappedRows, recognise};
use crate::model::WorkKind;
use crate::part::{Parameter, Part, PartSettings, Setting, SettingKind};
use crate::problem::Problems;
use crate::units::Calendar;

/// Any delimited text, column by column.
pub static MAPPED: Format = Format {
    part: Part {
        name: "mapped",
        doc: "Any delimited text, by its columns.",
        parameters: PARAMETERS,
        make: |settings| FormatReader(Box::new(Mapping::new(settings))),
    },
    beside: &["kind", "columns", "delimiter", "time_zone", "header", "quoting", "gpus_per_task"],
    sample: "vm,created_s,lifetime_h,cores,memory_gib\nv,NULL,10.9,8,16Gn\n\
             w,4e2,1-01:00:00,100m,-\n",
    recognise: recognise::recognise,
};

const PARAMETERS: &[Parameter] = &[
    work_kind("job"),
    delimiter(","),
    Parameter {
        name: "header",
        kind: SettingKind::Flag,
        default: Setting::Flag(true),
        doc: "Whether the first row names the columns.",
    },
    Parameter {
        name: "quoting",
        kind: SettingKind::Flag,
        default: Setting::Flag(true),
        doc: "Whether quotes enclose fields.",
    },
    TIME_ZONE,
    Parameter {
        name: "gpus_per_task",
        kind: SettingKind::Count(1, 32),
        default: Setting::Unset(""),
        doc: "A row that asks for more GPUs becomes a gang of equal tasks with at most so many each.",
    },
    Parameter {
        name: "columns",
        kind: SettingKind::Columns,
        default: Setting::Columns(BTreeMap::new()),
        doc: "Columns of the table by the fields of work that they give.",
    },
];

/// Rules by which the columns of some delimited text become work.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    /// Whether rows are jobs (`runtime`) or virtual machines (lifetime).
    pub(super) kind: WorkKind,
    /// Column or constant that each field is read from. `arrival`, and `runtime` or `end`, are
    /// required.
    pub(super) columns: BTreeMap<Field, Column>,
    /// Delimiter of fields: `b','`, `b';'`, `b'\t'`; `b' '` takes any run of blanks.
    pub(super) delimiter: u8,
    /// Whether the first row names the columns.
    pub(super) has_header: bool,
    /// Whether `"` quotes fields.
    pub(super) quoting: bool,
    /// A row that asks for more GPUs becomes a gang of tasks with at most so
    /// many each, as many tasks of one size as make up its GPUs.
    pub(super) gpus_per_task: Option<u8>,
    /// Name of the time zone of dates that have none, such as `Europe/Berlin`; UTC by default.
    pub(super) time_zone: Option<String>,
}

impl Mapping {
    pub(super) fn new(settings: &PartSettings) -> Self {
        Self {
            kind: match settings.word("kind") {
                "vm" => WorkKind::VirtualMachine,
                _ => WorkKind::Job,
            },
            columns: settings.columns("columns").clone(),
            delimiter: settings.word("delimiter").as_bytes()[0],
            has_header: settings.flag("header"),
            quoting: settings.flag("quoting"),
            gpus_per_task: settings.count("gpus_per_task").map(|gpus| gpus as u8),
            time_zone: settings.text("time_zone").map(str::to_owned),
        }
    }

    /// Whether arrivals are dates, not times since the start.
    fn has_dates(&self) -> bool {
        use ColumnUnit::{Timestamp, UnixMicros, UnixMillis, UnixSeconds};
        self.columns.get(&Field::Arrival).is_some_and(|column| {
            matches!(column.unit, Timestamp | UnixSeconds | UnixMillis | UnixMicros)
        })
    }
}

impl ReadFormat for Mapping {
    fn layout(&self) -> TextLayout {
        let names = if self.has_header { ColumnNames::Header } else { ColumnNames::Numbers };
        TextLayout { delimiter: self.delimiter, quoting: self.quoting, comment: None, names }
    }

    fn rows(
        &self,
        trace: &TraceSpec,
        calendar: Calendar,
        keep_names: bool,
    ) -> Result<Box<dyn Rows>, Problems> {
        Ok(Box::new(MappedRows::new(trace.table()?, self, calendar, keep_names)?))
    }

    fn assumptions(&self) -> Vec<String> {
        vec![zone_words(self.time_zone.as_deref())]
    }

    fn zero_unix(&self, trace: &TraceSpec) -> Option<i64> {
        self.has_dates().then(|| trace.first_unix()).flatten()
    }

    fn lacks(&self) -> Vec<MissingSetting> {
        let needed = [
            (&[Field::Arrival][..], "a mapped trace needs the column `arrival`"),
            (&[Field::Runtime, Field::End], "a mapped trace needs the column `runtime` or `end`"),
        ];
        let lacks = |fields: &[Field]| !fields.iter().any(|field| self.columns.contains_key(field));
        let missing = needed.into_iter().filter(|(fields, _)| lacks(fields));
        let hint = "such as `arrival = \"submit_time\"`";
        missing.map(|(_, message)| MissingSetting { parameter: "columns", message, hint }).collect()
    }
}
