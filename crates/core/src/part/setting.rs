//! Parameters of parts, and their values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::column::{Column, Field};
use crate::model::Market;
use crate::problem::clip;
use crate::units::{Demand, Scalar, Span};

/// A parameter of a part.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Key of the parameter.
    pub name: &'static str,
    /// Kind that its value must have: type, unit and range.
    pub kind: SettingKind,
    /// Value that holds where none is set.
    pub default: Setting,
    /// Description for readers, in one line.
    pub doc: &'static str,
}

/// Kind that the value of a parameter must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Count(u64, u64),
    /// Cores, thousandths at the finest.
    Vcpus,
    /// Memory.
    Memory,
    /// A length of time, zero or more.
    Span,
    /// A length of time, more than zero.
    SpanAboveZero,
    /// A length of time, zero or more, or this word, which leaves it unset.
    SpanOr(&'static str),
    /// A time zone by its name in the database.
    TimeZone,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Names of providers and clusters.
    Providers,
    /// Regions as `provider/region`.
    Regions,
    /// Names of instance types.
    Types,
    /// Families of instance types.
    Families,
    /// Markets to rent from.
    Markets,
    /// Numbers of instances by offer.
    Fleets,
    /// A typical mix of demands: the workload's, or that of a file.
    Mix,
    /// Columns of a table by the fields of work that they give.
    Columns,
}

/// Value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// No value; documents say this word: `none`, `unlimited`.
    Unset(&'static str),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Count(u64),
    /// Cores, in thousandths.
    Vcpus(u32),
    /// Memory, in MiB.
    Memory(u32),
    /// A length of time.
    Span(Span),
    /// One of the words that the parameter takes.
    Word(&'static str),
    /// Names of providers, regions, types or families.
    Names(Vec<String>),
    /// Markets to rent from.
    Markets(Cow<'static, [Market]>),
    /// Fleets: offers by name and how many of each.
    Fleets(Vec<(String, u32)>),
    /// A typical mix of demands.
    Mix(DemandMix),
    /// Name of a time zone.
    Text(String),
    /// Columns of a table by the fields of work that they give.
    Columns(BTreeMap<Field, Column>),
}

/// A typical mix of demands: foresight that a report names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DemandMix {
    /// Source of the mix, for the report: `workload`, or a file.
    pub source: Cow<'static, str>,
    /// Demands with their GPU models (empty: any) and counts.
    pub demands: Vec<(Demand, Vec<String>, u64)>,
}

impl DemandMix {
    /// The mix of the workload itself, not counted yet.
    pub const WORKLOAD: Self = Self { source: Cow::Borrowed("workload"), demands: Vec::new() };
}

impl SettingKind {
    /// Whether `value` is of this kind and within its range.
    pub fn admits(self, value: &Setting) -> bool {
        match (self, value) {
            (Self::Count(low, high), &Setting::Count(count)) => (low..=high).contains(&count),
            (Self::Span | Self::SpanOr(_), &Setting::Span(span)) => span >= Span::ZERO,
            (Self::SpanAboveZero, &Setting::Span(span)) => span > Span::ZERO,
            (Self::SpanOr(known), Setting::Unset(word)) => known == *word,
            (Self::Word(words), Setting::Word(word)) => words.contains(word),
            (Self::Markets, Setting::Markets(markets)) => !markets.contains(&Market::Owned),
            (Self::Flag, Setting::Flag(_))
            | (Self::Vcpus, Setting::Vcpus(_))
            | (Self::Memory, Setting::Memory(_))
            | (Self::TimeZone, Setting::Text(_))
            | (Self::Columns, Setting::Columns(_))
            | (Self::Providers | Self::Regions | Self::Types | Self::Families, Setting::Names(_))
            | (Self::Fleets, Setting::Fleets(_))
            | (Self::Mix, Setting::Mix(_)) => true,
            _ => false,
        }
    }
}

impl fmt::Display for SettingKind {
    /// Writes what is asked for: `a whole number from 1 to 64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::Flag => "`true` or `false`",
            Self::Count(low, u64::MAX) => return write!(f, "a whole number of at least {low}"),
            Self::Count(low, high) => return write!(f, "a whole number from {low} to {high}"),
            Self::Vcpus => "a number of cores",
            Self::Memory => "an amount of memory",
            Self::Span => "a length of time, zero or more",
            Self::SpanAboveZero => "a length of time, more than zero",
            Self::SpanOr(word) => {
                return write!(f, "a length of time, zero or more, or the word `{word}`");
            }
            Self::TimeZone => "the name of a time zone",
            Self::Word(words) => return write!(f, "one of the words `{}`", words.join("`, `")),
            Self::Providers => "names of providers and clusters",
            Self::Regions => "names of regions",
            Self::Types => "names of instance types",
            Self::Families => "names of families of instance types",
            Self::Markets => "markets to rent from",
            Self::Fleets => "numbers of instances by offer",
            Self::Mix => "a mix of demands",
            Self::Columns => "columns of a table",
        })
    }
}

impl Setting {
    /// The kind of value, and the value as documents write it: `the number 4`.
    fn in_words(&self) -> String {
        let kind = match self {
            Self::Unset(_) => return format!("unset (`{self}`)"),
            Self::Flag(_) => "flag",
            Self::Count(_) => "number",
            Self::Vcpus(_) => "number of cores",
            Self::Memory(_) => "amount of memory",
            Self::Span(_) => "length of time",
            Self::Word(_) => "word",
            Self::Names(_) => "list of names",
            Self::Markets(_) => "list of markets",
            Self::Fleets(_) => "list of fleets",
            Self::Mix(_) => "mix of demands of",
            Self::Text(_) => "text",
            Self::Columns(_) => "list of columns",
        };
        format!("the {kind} `{}`", clip(&self.to_string()))
    }
}

impl fmt::Display for Setting {
    /// Writes it as documents do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset(word) | Self::Word(word) => f.write_str(word),
            Self::Flag(flag) => flag.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Vcpus(milli) => (f64::from(*milli) / 1_000.0).fmt(f),
            Self::Memory(0) => f.write_str("0 B"),
            Self::Memory(mib) if mib.is_multiple_of(1_024) => write!(f, "{} GiB", mib / 1_024),
            Self::Memory(mib) => write!(f, "{mib} MiB"),
            Self::Span(span) => span.fmt(f),
            Self::Names(names) => f.write_str(&names.join(", ")),
            Self::Markets(markets) => {
                let names: Vec<&str> = markets.iter().map(|market| market.name()).collect();
                f.write_str(&names.join(", "))
            }
            Self::Fleets(fleets) => {
                let fleets: Vec<String> =
                    fleets.iter().map(|(offer, count)| format!("{count} x {offer}")).collect();
                f.write_str(&fleets.join(", "))
            }
            Self::Mix(mix) => f.write_str(&mix.source),
            Self::Text(text) => f.write_str(text),
            Self::Columns(columns) => {
                let names: Vec<&str> = columns.keys().map(|field| field.name()).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

macro_rules! made_of {
    ($($from:ty => $value:ident: $setting:expr,)*) => {$(
        impl From<$from> for Setting {
            fn from($value: $from) -> Self {
                $setting
            }
        }
    )*};
}

impl From<Scalar> for Setting {
    fn from(by: Scalar) -> Self {
        Self::Word(match by {
            Scalar::Cpu => "cpu",
            Scalar::Memory => "memory",
            Scalar::Gpu => "gpu",
            Scalar::Mean => "mean",
        })
    }
}

made_of! {
    bool => flag: Self::Flag(flag),
    u32 => count: Self::Count(count.into()),
    String => text: Self::Text(text),
    Span => span: Self::Span(span),
    &'static str => word: Self::Word(word),
    Vec<String> => names: Self::Names(names),
    Vec<Market> => markets: Self::Markets(markets.into()),
    Vec<(String, u32)> => fleets: Self::Fleets(fleets),
    DemandMix => mix: Self::Mix(mix),
    BTreeMap<Field, Column> => columns: Self::Columns(columns),
}

/// Setting that a part does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongSetting {
    name: String,
    why: String,
}

impl fmt::Display for WrongSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name, self.why)
    }
}

impl std::error::Error for WrongSetting {}

/// Values of a part's parameters. Asking for a parameter that the part does not have, or
/// for a value of another kind, is a bug of the part.
#[derive(Clone)]
pub struct PartSettings {
    parameters: &'static [Parameter],
    /// Values by row of `parameters`.
    values: Vec<Setting>,
}

impl PartSettings {
    /// The defaults of `parameters`.
    pub fn new(parameters: &'static [Parameter]) -> Self {
        let values = parameters.iter().map(|parameter| parameter.default.clone()).collect();
        Self { parameters, values }
    }

    /// Sets the parameter called `name`.
    ///
    /// # Panics
    /// If there is no such parameter, or the value is not of its kind or beyond its range.
    pub fn set(&mut self, name: &str, value: Setting) {
        self.try_set(name, value).unwrap_or_else(|wrong| panic!("{wrong}"));
    }

    /// Sets the parameter called `name`, as [`PartSettings::set`].
    ///
    /// # Errors
    /// There is no such parameter, or the value is not of its kind or beyond its range.
    pub fn try_set(&mut self, name: &str, value: Setting) -> Result<(), WrongSetting> {
        let wrong = |why: String| Err(WrongSetting { name: name.to_owned(), why });
        let Some(row) = self.parameters.iter().position(|parameter| parameter.name == name) else {
            let known: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name).collect();
            return wrong(format!("is no parameter: there are [{}]", known.join(", ")));
        };
        let kind = self.parameters[row].kind;
        if !kind.admits(&value) {
            return wrong(format!("is {kind}, not {}", value.in_words()));
        }
        self.values[row] = value;
        Ok(())
    }

    fn row(&self, name: &str) -> usize {
        let row = self.parameters.iter().position(|parameter| parameter.name == name);
        row.unwrap_or_else(|| panic!("no parameter `{name}` among {:?}", self.parameters))
    }

    fn value(&self, name: &str) -> &Setting {
        &self.values[self.row(name)]
    }

    /// Every parameter with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Parameter, &Setting)> {
        self.parameters.iter().zip(&self.values)
    }

    /// Mixes among the values, to be filled.
    pub fn mixes(&mut self) -> impl Iterator<Item = &mut DemandMix> {
        self.values.iter_mut().filter_map(|value| match value {
            Setting::Mix(mix) => Some(mix),
            _ => None,
        })
    }
}

macro_rules! read {
    ($($(#[$doc:meta])* $name:ident: $kind:ident -> $type:ty, |$value:ident| $get:expr, $unset:expr;)*) => {
        impl PartSettings {$(
            $(#[$doc])*
            pub fn $name(&self, name: &str) -> $type {
                match self.value(name) {
                    Setting::$kind($value) => $get,
                    Setting::Unset(_) => $unset,
                    other => panic!("`{name}` is {other:?}"),
                }
            }
        )*}
    };
}

read! {
    /// The value of a flag.
    flag: Flag -> bool, |flag| *flag, false;
    /// The value of a count; `None` if it is not set.
    count: Count -> Option<u64>, |count| Some(*count), None;
    /// The value of a span; `None` if it is not set.
    span: Span -> Option<Span>, |span| Some(*span), None;
    /// The milli-cores; 0 if they are not set.
    vcpus: Vcpus -> u32, |milli| *milli, 0;
    /// The MiB; 0 if they are not set.
    memory: Memory -> u32, |mib| *mib, 0;
    /// The name of a time zone; `None` if it is not set.
    text: Text -> Option<&str>, |text| Some(text), None;
    /// The value of a word; empty where it is not set.
    word: Word -> &'static str, |word| word, "";
    /// The names of providers, regions, types or families; empty if any will do.
    names: Names -> &[String], |names| names, &[];
    /// The markets to rent from; empty if they are not set.
    markets: Markets -> &[Market], |markets| markets, &[];
    /// Numbers of instances by offer; empty if they are not set.
    fleets: Fleets -> &[(String, u32)], |fleets| fleets, &[];
}

impl PartSettings {
    /// The columns by the fields of work that they give.
    pub fn columns(&self, name: &str) -> &BTreeMap<Field, Column> {
        match self.value(name) {
            Setting::Columns(columns) => columns,
            other => panic!("`{name}` is {other:?}"),
        }
    }

    /// The typical mix of demands.
    pub fn mix(&self, name: &str) -> DemandMix {
        match self.value(name) {
            Setting::Mix(mix) => mix.clone(),
            other => panic!("`{name}` is {other:?}"),
        }
    }
}

impl PartialEq for PartSettings {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl fmt::Debug for PartSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.parameters.iter().map(|parameter| parameter.name);
        f.debug_map().entries(names.zip(&self.values)).finish()
    }
}
