//! Formats of traces as rows: each is a name, a line of documentation, parameters with their
//! defaults, a way to recognise a file, a sample, and a constructor, beside its reader in a file of
//! its own. Keys of scenarios, the schema, the reference and what `init --from` writes follow.

use std::fmt;

use crate::part::{Parameter, Part, PartSpec, Setting, SettingKind};
use crate::problem::{Problem, Problems};
use crate::units::Calendar;

use super::reader::Rows;
use super::recognise::{FileHead, Recognised};
use super::{FORMATS, TraceSpec};

/// A row: one format of traces.
#[derive(Debug)]
pub struct Format {
    /// Its name in scenarios, documentation, parameters and constructor.
    pub part: Part<FormatReader>,
    /// Parameters that stand in `[workload]` itself, where formats may share them. The others
    /// stand in the table of the format's name.
    pub beside: &'static [&'static str],
    /// A small file, which is recognised as this format and no other.
    pub sample: &'static str,
    /// The settings to read a file by.
    pub(super) recognise: fn(&FileHead) -> Result<Recognised, OtherFormat>,
}

/// Reason that a file is not of a format: what it lacks; `None` if it is another.
pub(super) type OtherFormat = Option<Box<Problem>>;

/// A format with its settings.
pub type FormatSpec = PartSpec<FormatReader>;

/// A reader of files of one format.
#[derive(Debug)]
pub struct FormatReader(pub(super) Box<dyn ReadFormat>);

/// Reading of files of one format, by its settings.
pub(super) trait ReadFormat: fmt::Debug {
    /// Division of the text into rows and fields.
    fn layout(&self) -> TextLayout;

    /// The rows of `trace`, whose timestamps become times of `calendar`.
    fn rows(
        &self,
        trace: &TraceSpec,
        calendar: Calendar,
        keep_names: bool,
    ) -> Result<Box<dyn Rows>, Problems>;

    /// Assumptions that the reading makes.
    fn assumptions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Time zero of `trace` in microseconds since 1970; `None` if that is not known.
    fn zero_unix(&self, trace: &TraceSpec) -> Option<i64> {
        let _ = trace;
        None
    }

    /// Settings that are missing to read any file.
    fn lacks(&self) -> Vec<MissingSetting> {
        Vec::new()
    }

    /// Beginning of a scenario for `trace`.
    fn beginning(&self, trace: &TraceSpec) -> Result<Beginning, Problem> {
        let _ = trace;
        Ok(Beginning::default())
    }
}

/// Division of a text into rows and fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextLayout {
    /// Delimiter of fields; `b' '` takes any run of blanks.
    pub(super) delimiter: u8,
    /// Whether `"` quotes fields.
    pub(super) quoting: bool,
    /// Lines that begin with this are passed over.
    pub(super) comment: Option<u8>,
    /// Names of columns, by which rows are filtered.
    pub(super) names: ColumnNames,
}

/// Origin of the names of columns.
#[derive(Clone, Copy, Debug)]
pub(super) enum ColumnNames {
    /// The first row.
    Header,
    /// They have numbers, from 1.
    Numbers,
    /// The format: names and places, from 0.
    Fields(&'static [(&'static str, usize)]),
}

/// A parameter that must be set and is not, or not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingSetting {
    /// Name of the parameter.
    pub parameter: &'static str,
    /// Message for the user.
    pub message: &'static str,
    /// Hint for the user.
    pub hint: &'static str,
}

/// Beginning of a scenario for a trace, besides the settings of its format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    /// Machines that the format tells of.
    pub machines: Machines,
    /// Reason to take runtimes for known; `None` if there is none.
    pub known_runtimes: Option<&'static str>,
    /// Whether its dates have no time zone, so that the scenario should name it.
    pub lacks_zone: bool,
}

/// Machines that a format tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Machines {
    /// It tells of none.
    #[default]
    Untold,
    /// Processors of one machine: the numbers that the file gives, the first that can be is right; and
    /// the number of its nodes, where the file gives both.
    Processors {
        /// Numbers of processors.
        given: Vec<i64>,
        /// Number of nodes.
        nodes: Option<i64>,
    },
    /// A list of nodes that may lie beside the file.
    NodeList,
}

impl Format {
    /// The format called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().copied().find(|format| format.part.name == name)
    }

    /// The format with its defaults.
    pub fn spec(&'static self) -> FormatSpec {
        self.part.spec()
    }

    /// Its parameters that stand in the table of its name.
    pub fn own(&self) -> impl Iterator<Item = &'static Parameter> {
        self.part.parameters.iter().filter(|one| !self.beside.contains(&one.name))
    }

    /// Its parameters that stand in `[workload]` itself.
    pub fn beside(&self) -> impl Iterator<Item = &'static Parameter> {
        self.part.parameters.iter().filter(|one| self.beside.contains(&one.name))
    }
}

impl FormatSpec {
    /// Settings that are missing to read any file.
    pub fn lacks(&self) -> Vec<MissingSetting> {
        self.build().0.lacks()
    }
}

/// Parameter for the kind of work that rows are, by default `default`.
pub(super) const fn work_kind(default: &'static str) -> Parameter {
    Parameter {
        name: "kind",
        kind: SettingKind::Word(&["job", "vm"]),
        default: Setting::Word(default),
        doc: "Whether rows are jobs or virtual machines.",
    }
}

/// Delimiters of fields; a blank takes any run of blanks.
const DELIMITERS: &[&str] = &[",", ";", "\t", " ", "|"];

/// Parameter for the delimiter of fields, by default `default`.
pub(super) const fn delimiter(default: &'static str) -> Parameter {
    Parameter {
        name: "delimiter",
        kind: SettingKind::Word(DELIMITERS),
        default: Setting::Word(default),
        doc: "Between fields; a blank takes any run of blanks.",
    }
}

/// The delimiter as a setting.
///
/// # Panics
/// If there is no such delimiter.
pub(super) fn delimiter_setting(delimiter: u8) -> Setting {
    let word = DELIMITERS.iter().find(|word| word.as_bytes() == [delimiter]);
    Setting::Word(word.expect("only those of the list are looked for"))
}

/// Parameter for the time zone of dates.
pub(super) const TIME_ZONE: Parameter = Parameter {
    name: "time_zone",
    kind: SettingKind::TimeZone,
    default: Setting::Unset("UTC"),
    doc: "Time zone of dates that have none, such as `Europe/Berlin`.",
};

/// Assumption on dates without a time zone.
pub(super) fn zone_words(zone: Option<&str>) -> String {
    format!("Times of the trace without a time zone are {}.", zone.unwrap_or("UTC"))
}
