//! Keys that a scenario file may have, each with its type, unit, default and meaning. The reader,
//! the JSON Schema and `docs/scenario.md` all follow this one table.

mod table;

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use rustc_hash::FxHashMap;

use super::{objective, part};
use crate::metrics::Metric;
use crate::part::{Parameter, SettingKind};
use crate::workload::{FORMATS, Field, Format};
use table::KeyRow;

/// A key of a scenario file.
#[derive(Clone, Debug)]
pub struct Key {
    /// Dotted path; `*` stands for a name of the user's, `[]` for the entries of a list.
    pub path: Cow<'static, str>,
    /// Kind that its value must have.
    pub kind: ValueKind,
    /// Default that holds without it: empty where there is none, `required` where it must be there.
    pub default: Cow<'static, str>,
    /// Description for readers, in one line.
    pub doc: Cow<'static, str>,
}

/// Kind that the value of a key must have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// Path of a file, relative to the scenario's folder.
    File,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of these words.
    Choices(&'static [&'static str]),
    /// A list of numbers of at least 0.
    Numbers,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Count(u64, u64),
    /// A whole number, possibly negative.
    Integer,
    /// A number within bounds, both included.
    Number(f64, f64),
    /// A number greater than 0.
    Positive,
    /// Cores, thousandths at the finest.
    Vcpus,
    /// Memory of an instance or task.
    Memory,
    /// An amount of data.
    Size,
    /// A length of time.
    Span,
    /// A span since the run's start, or a date and time.
    Moment,
    /// A date and time.
    Instant,
    /// Dollars per hour, with its unit.
    Rate,
    /// Dollars, the unit is in the key's name.
    Dollars,
    /// A share, from and to in percent.
    Percent(i64, i64),
    /// Count and model of GPUs.
    Gpus,
    /// Electrical power.
    Power,
    /// A whole number, or `unlimited`.
    Capacity,
    /// A distribution of spans.
    Spans,
    /// A distribution of sizes.
    Sizes,
    /// A distribution of memory.
    Memories,
    /// A distribution of cores or of shares of a GPU, in thousandths.
    Cores,
    /// A distribution of plain numbers.
    Draws,
    /// A bound in this unit, after `>=` or `<=`.
    Bound(BoundUnit),
    /// The same, or a table with one for the run and one for each window.
    WindowBound(BoundUnit),
    /// A number, or a quantity in the unit of an alert's signal.
    Threshold,
    /// Name of a policy part without parameters, or a table of one part with them.
    Part(&'static str),
    /// Header of a column, or a table with more about it.
    Column,
    /// A range of values, or a list of them.
    Values,
    /// A table.
    Table,
    /// A list of tables.
    List,
}

/// Unit of an objective's bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundUnit {
    /// A share: `99 %`.
    Share,
    /// A time: `2 h`.
    Time,
    /// Dollars: `1000 USD`.
    Dollars,
    /// A ratio: `1.5`.
    Ratio,
    /// Hours of cores or GPUs: `100 h`.
    Hours,
}

impl ValueKind {
    /// Description of what is expected, with an example: for messages and the reference.
    pub fn expected(self) -> String {
        match self {
            Self::Text => "a text".into(),
            Self::File => "a file's path".into(),
            Self::Choice(words) => one_of(words),
            Self::Texts => "a list of texts".into(),
            Self::Choices(words) => format!("a list of {}", one_of(words)),
            Self::Numbers => "a list of numbers of at least 0".into(),
            Self::Flag => "`true` or `false`".into(),
            Self::Count(low, high) if high >= i64::MAX as u64 => {
                format!("a whole number of at least {low}")
            }
            Self::Count(low, high) => format!("a whole number from {low} to {high}"),
            Self::Integer => "a whole number".into(),
            Self::Number(low, high) if high == f64::MAX => format!("a number of at least {low}"),
            Self::Number(low, high) => format!("a number from {low} to {high}"),
            Self::Positive => "a number greater than 0".into(),
            Self::Vcpus => "a number of cores such as `4` or `0.5`".into(),
            Self::Memory => "memory such as `\"512 GiB\"`".into(),
            Self::Size => "a size such as `\"200 GiB\"`".into(),
            Self::Span => "a span such as `\"30 min\"`".into(),
            Self::Moment => "a span since the start such as `\"2 d\"`, or a time such as \
                 `\"2026-03-01T12:00:00Z\"`"
                .into(),
            Self::Instant => "a time such as `\"2026-03-01T12:00:00Z\"`".into(),
            Self::Rate => "a price such as `\"18.40 USD/h\"`".into(),
            Self::Dollars => "a number of dollars such as `0.09`".into(),
            Self::Percent(low, high) => {
                format!("a percentage from {low} % to {high} % such as `\"12 %\"`")
            }
            Self::Gpus => "GPUs such as `\"8 x A100-80GB\"`".into(),
            Self::Power => {
                "power such as `\"450 W\"`, or a list of it from no load to full load".into()
            }
            Self::Capacity => "a whole number or `\"unlimited\"`".into(),
            Self::Spans => {
                "a span or a distribution of spans such as `\"lognormal(median=35 s, p95=90 s)\"`"
                    .into()
            }
            Self::Sizes | Self::Memories => {
                "a size or a distribution of sizes such as `\"uniform(low=1 GiB, high=8 GiB)\"`"
                    .into()
            }
            Self::Draws | Self::Cores => {
                "a number or a distribution such as `\"uniform(low=1, high=8)\"`".into()
            }
            Self::Bound(unit) => format!("a bound such as `\"{}\"`", unit.example()),
            Self::WindowBound(unit) => {
                format!("a bound such as `\"{}\"`, or a table", unit.example())
            }
            Self::Threshold => {
                "a number, or a text such as `\"10 min\"`, `\"90 %\"` or `\"5 USD/h\"`".into()
            }
            Self::Part(part) => {
                let names: Vec<&str> = part::options(part).map(|option| option.name).collect();
                one_of(&names)
            }
            Self::Column => "a column's header, or a table".into(),
            Self::Values => "a range such as `\"4..40\"`, or a list of values".into(),
            Self::Table => "a table".into(),
            Self::List => "a list of tables".into(),
        }
    }
}

impl BoundUnit {
    /// Unit of the bounds of `metric`.
    ///
    /// # Panics
    /// If a bound of its unit cannot be written.
    fn of(metric: &Metric) -> Self {
        match metric.unit {
            "share" => Self::Share,
            "s" => Self::Time,
            "USD" => Self::Dollars,
            "ratio" => Self::Ratio,
            "h" => Self::Hours,
            other => panic!("no bound of `{}` can be written in `{other}`", metric.key),
        }
    }

    /// Example of a bound in this unit.
    pub fn example(self) -> &'static str {
        match self {
            Self::Share => ">= 99 %",
            Self::Time => "<= 2 h",
            Self::Dollars => "<= 1000 USD",
            Self::Ratio => "<= 1.5",
            Self::Hours => "<= 100 h",
        }
    }
}

fn one_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
    match words.as_slice() {
        [] => "nothing".into(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Every key, parents before children.
pub fn keys() -> &'static [Key] {
    static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
        let mut keys = Vec::new();
        for row in table::rows() {
            keys.push(row.key());
            if let ValueKind::Part(part) = row.kind {
                keys.extend(part_keys(row.path, part));
            }
            if row.path == "workload.trace" {
                keys.extend(format_keys());
            }
            if row.path == "objectives" {
                keys.extend(objective_keys());
            }
        }
        keys
    });
    &KEYS
}

/// The tables that a policy part may be written as.
fn part_keys(path: &str, part: &'static str) -> Vec<Key> {
    let mut keys = Vec::new();
    for parameter in part::external_keys(part) {
        keys.push(Key {
            path: format!("{path}.{}", parameter.name).into(),
            kind: parameter.kind,
            default: parameter.default.into(),
            doc: parameter.doc.into(),
        });
    }
    for option in part::options(part) {
        let table = format!("{path}.{}", option.name);
        keys.push(Key {
            path: table.clone().into(),
            kind: ValueKind::Table,
            default: "".into(),
            doc: option.doc.into(),
        });
        for parameter in &option.parameters {
            let path = format!("{table}.{}", parameter.name);
            keys.push(Key {
                path: path.clone().into(),
                kind: parameter.kind.into(),
                default: parameter.default.to_string().into(),
                doc: parameter.doc.into(),
            });
            if parameter.kind == SettingKind::Fleets {
                keys.push(Key {
                    path: format!("{path}.*").into(),
                    kind: ValueKind::Count(1, 1_000_000),
                    default: "".into(),
                    doc: "Offer's full name = number of instances.".into(),
                });
            }
        }
    }
    keys
}

/// Keys of the format of a trace: its name, the tables of formats with parameters of their own, and
/// parameters in `[workload]` itself.
fn format_keys() -> Vec<Key> {
    static NAMES: LazyLock<Vec<&str>> =
        LazyLock::new(|| FORMATS.iter().map(|format| format.part.name).collect());
    let docs = FORMATS.iter().map(|format| format!("`{}`: {}", format.part.name, format.part.doc));
    let mut keys = vec![Key {
        path: "workload.format".into(),
        kind: ValueKind::Choice(&NAMES),
        default: "by content".into(),
        doc: format!("How the trace is read. {}", docs.collect::<Vec<_>>().join(" ")).into(),
    }];
    for format in FORMATS.iter().filter(|format| format.own().next().is_some()) {
        let path = format!("workload.{}", format.part.name);
        keys.push(Key {
            path: path.clone().into(),
            kind: ValueKind::Table,
            default: "".into(),
            doc: format.part.doc.into(),
        });
        keys.extend(format.own().map(|parameter| Key {
            path: format!("{path}.{}", parameter.name).into(),
            kind: parameter.kind.into(),
            default: parameter.default.to_string().into(),
            doc: parameter.doc.into(),
        }));
    }
    let mut done = Vec::new();
    for parameter in FORMATS.iter().flat_map(|format| format.beside()) {
        if !done.contains(&parameter.name) {
            done.push(parameter.name);
            keys.extend(beside_keys(parameter));
        }
    }
    keys
}

/// The key of a parameter that formats have in `[workload]` itself, and the keys below it.
fn beside_keys(parameter: &Parameter) -> Vec<Key> {
    let own = |format: &&'static Format| {
        let own = format.beside().find(|one| one.name == parameter.name)?;
        Some((format.part.name, own))
    };
    let all: Vec<(&str, &Parameter)> = FORMATS.iter().filter_map(own).collect();
    let default = match all.iter().all(|(_, one)| one.default == parameter.default) {
        true => parameter.default.to_string(),
        false => {
            let each = all.iter().map(|(name, one)| format!("`{}` for {name}", one.default));
            each.collect::<Vec<_>>().join(", ")
        }
    };
    let names: Vec<String> = all.iter().map(|(name, _)| format!("`{name}`")).collect();
    let names = names.join(" and ");
    let path = format!("workload.{}", parameter.name);
    let is_columns = parameter.kind == SettingKind::Columns;
    let doc = match is_columns {
        false => format!("{} For {names}.", parameter.doc),
        true => {
            let fields: Vec<&str> = Field::ALL.iter().map(|(name, _)| *name).collect();
            format!("{} For {names}. Fields: {}.", parameter.doc, fields.join(", "))
        }
    };
    let kind = parameter.kind.into();
    let mut keys =
        vec![Key { path: path.clone().into(), kind, default: default.into(), doc: doc.into() }];
    if is_columns {
        keys.extend(
            table::COLUMNS
                .iter()
                .map(|row| Key { path: format!("{path}.{}", row.path).into(), ..row.key() }),
        );
    }
    keys
}

/// Keys of the metrics that a bound can be promised for.
fn objective_keys() -> impl Iterator<Item = Key> {
    objective::metrics().flat_map(|(metric, doc)| {
        let (path, unit) = (format!("objectives.{}", metric.key), BoundUnit::of(metric));
        let kind = match metric.window {
            Some(_) => ValueKind::WindowBound(unit),
            None => ValueKind::Bound(unit),
        };
        let below = |row: &'static KeyRow| Key {
            path: format!("{path}.{}", row.path).into(),
            kind: if row.kind == ValueKind::Text { ValueKind::Bound(unit) } else { row.kind },
            ..row.key()
        };
        let below: Vec<Key> =
            table::WINDOWS.iter().filter(|_| metric.window.is_some()).map(below).collect();
        let own = Key { path: path.clone().into(), kind, default: "".into(), doc: doc.into() };
        std::iter::once(own).chain(below)
    })
}

/// The key with exactly this path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    static BY_PATH: OnceLock<FxHashMap<&'static str, &'static Key>> = OnceLock::new();
    let by_path = BY_PATH.get_or_init(|| keys().iter().map(|key| (&*key.path, key)).collect());
    by_path.get(path).copied()
}

/// The names of the keys directly below `path`, without wildcards.
pub(super) fn children(path: &str) -> impl Iterator<Item = &'static str> {
    let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
    keys().iter().filter_map(move |key| {
        let name = key.path.strip_prefix(prefix.as_str())?;
        let name = name.strip_suffix("[]").unwrap_or(name);
        let user_given = name.is_empty() || name == "*" || name.starts_with('<');
        (!user_given && !name.contains('.')).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_parent_and_is_there_once() {
        for (row, key) in keys().iter().enumerate() {
            let again = keys().iter().skip(row + 1).any(|other| other.path == key.path);
            assert!(!again, "{} twice", key.path);
            let Some((parent, _)) = key.path.rsplit_once('.') else { continue };
            assert!(find(parent).is_some(), "{} has no parent", key.path);
            assert!(key.doc.ends_with(['.', '?']), "{}: {}", key.path, key.doc);
        }
    }
}
