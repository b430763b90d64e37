//! A scenario file, checked against the table of keys: every value already has
//! its type and unit, and every problem so far is noted. Reading on is then a
//! matter of asking for values.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::document::{ScenarioText, split_key};
use super::key::{self, ValueKind};
use super::value::{self, Value};
use crate::model::PowerCurve;
use crate::problem::{Problem, clip, did_you_mean};
use crate::units::{Calendar, Distribution, Rate, Span, Time};

/// Problems found so far in a document, and the document that they lie in.
#[derive(Debug)]
pub(super) struct Diagnostics<'a> {
    pub(super) document: &'a ScenarioText,
    pub(super) problems: Vec<Problem>,
    /// Clusters or clouds have problems, so that names that the world lacks may be right.
    pub(super) partial_world: bool,
}

impl<'a> Diagnostics<'a> {
    /// Diagnostics of `document`, with the problems that are known already.
    pub(super) const fn new(document: &'a ScenarioText, problems: Vec<Problem>) -> Self {
        Self { document, problems, partial_world: false }
    }
}

impl Diagnostics<'_> {
    /// Notes a problem at `range`.
    pub(super) fn at(&mut self, range: &Range<usize>, message: impl Into<String>) {
        let problem = self.document.problem(range, message);
        self.problems.push(problem);
    }

    /// Notes a problem at `range` with a hint.
    pub(super) fn hint(
        &mut self,
        range: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let problem = self.document.problem(range, message).hint(hint);
        self.problems.push(problem);
    }
}

/// A checked value and where it is.
#[derive(Clone, Debug)]
pub(super) struct ConfigValue {
    pub(super) value: Value,
    pub(super) range: Range<usize>,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct ConfigEntry {
    pub(super) name: String,
    pub(super) key: Range<usize>,
    pub(super) node: ConfigValue,
}

/// A checked table, its entries in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct ConfigTable {
    /// Path of the table in the table of keys.
    pattern: String,
    /// Range of the table's header in the document.
    pub(super) range: Range<usize>,
    pub(super) entries: Vec<ConfigEntry>,
    /// Rows of `entries`, by name.
    by_name: Vec<usize>,
}

impl ConfigTable {
    /// Checks `table`, which is at `path` of the file, against the keys below `pattern`.
    pub(super) fn read(
        table: &DeTable<'_>,
        (pattern, path): (&str, &str),
        range: Range<usize>,
        report: &mut Diagnostics<'_>,
    ) -> Self {
        let mut entries = Vec::new();
        for (name, value) in table {
            // `<provider>` begins the table of keys of another file.
            let internal = pattern.is_empty() && name.get_ref().starts_with('<');
            let Some(key) = known_key(pattern, name.get_ref()).filter(|_| !internal) else {
                unknown((pattern, path), name.get_ref(), &name.span(), report);
                continue;
            };
            let node = ConfigValue {
                value: read_value(
                    value.get_ref(),
                    &value.span(),
                    (key, &child(path, name.get_ref())),
                    report,
                ),
                range: value.span(),
            };
            entries.push(ConfigEntry { name: name.get_ref().to_string(), key: name.span(), node });
        }
        entries.sort_by_key(|entry| entry.key.start);
        let mut by_name: Vec<usize> = (0..entries.len()).collect();
        by_name.sort_by(|&one, &other| entries[one].name.cmp(&entries[other].name));
        Self { pattern: pattern.to_owned(), range, entries, by_name }
    }

    /// The entry called `name`. Asking for a key that no file may have is a bug.
    pub(super) fn entry(&self, name: &str) -> Option<&ConfigEntry> {
        debug_assert!(
            self.entries.is_empty() || known_key(&self.pattern, name).is_some(),
            "`{}` is not in the table of keys",
            child(&self.pattern, name)
        );
        let of = |row: &usize| self.entries[*row].name.as_str();
        let at = self.by_name.binary_search_by(|row| of(row).cmp(name)).ok()?;
        Some(&self.entries[self.by_name[at]])
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.entry(name).map(|entry| &entry.node.value)
    }

    /// Whether the key is there, right or wrong.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Place of the key's value, or of the section's header without it.
    pub(super) fn spot(&self, name: &str) -> Range<usize> {
        self.entry(name).map_or_else(|| self.range.clone(), |entry| entry.node.range.clone())
    }

    /// The section called `name`, empty where it is missing.
    pub(super) fn section(&self, name: &str) -> Self {
        match self.value(name) {
            Some(Value::Table(section)) => section.clone(),
            _ => Self::default(),
        }
    }

    /// The tables of user-given names in this section, in file order.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&str, &Self, &Range<usize>)> {
        self.entries.iter().filter_map(|entry| match &entry.node.value {
            Value::Table(section) => Some((entry.name.as_str(), section, &entry.key)),
            _ => None,
        })
    }

    /// The entries of the list called `name`.
    pub(super) fn list(&self, name: &str) -> &[Self] {
        match self.value(name) {
            Some(Value::List(sections)) => sections,
            _ => &[],
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The texts of a list with their places; empty where it is missing.
    pub(super) fn texts(&self, name: &str) -> &[(String, Range<usize>)] {
        match self.value(name) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// The texts of a list without their places.
    pub(super) fn names(&self, name: &str) -> Vec<String> {
        self.texts(name).iter().map(|(text, _)| text.clone()).collect()
    }

    pub(super) fn numbers(&self, name: &str) -> Option<&[f64]> {
        match self.value(name) {
            Some(Value::Numbers(numbers)) => Some(numbers),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name) {
            Some(&Value::Flag(flag)) => Some(flag),
            _ => None,
        }
    }

    /// A whole number whose bounds the table of keys gives.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        match self.value(name) {
            Some(&Value::Count(count)) => Some(count),
            _ => None,
        }
    }

    /// A whole number that the table of keys bounds to 32 bits.
    pub(super) fn count32(&self, name: &str) -> Option<u32> {
        self.count(name).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Signed whole numbers, byte sizes, nano-dollars, millionths,
    /// microseconds since 1970: whatever the table of keys says.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Some(&Value::Whole(whole, _)) => Some(whole),
            _ => None,
        }
    }

    /// Electrical power by load.
    pub(super) fn power(&self, name: &str) -> Option<PowerCurve> {
        match self.value(name) {
            Some(Value::Powers(milliwatts)) => Some(PowerCurve::by_load(milliwatts)),
            _ => None,
        }
    }

    /// Amount in milli-cores or MiB.
    pub(super) fn amount(&self, name: &str) -> Option<u32> {
        match self.value(name) {
            Some(&(Value::Cores(amount) | Value::Memory(amount))) => Some(amount),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.value(name) {
            Some(&Value::Number(number)) => Some(number),
            _ => None,
        }
    }

    pub(super) fn span(&self, name: &str) -> Option<Span> {
        match self.value(name) {
            Some(&Value::Span(span)) => Some(span),
            _ => None,
        }
    }

    /// A point on the run's clock, given as a span since its start or as a date.
    pub(super) fn moment(&self, name: &str, calendar: Calendar) -> Option<Time> {
        match self.value(name) {
            Some(&Value::Span(span)) => Some(Time::ZERO + span),
            Some(&Value::Whole(micros, _)) => Some(calendar.time(micros)),
            _ => None,
        }
    }

    pub(super) fn rate(&self, name: &str) -> Option<Rate> {
        match self.value(name) {
            Some(&Value::Rate(rate)) => Some(rate),
            _ => None,
        }
    }

    pub(super) fn gpus(&self, name: &str) -> Option<(u8, &str)> {
        match self.value(name) {
            Some(Value::Gpus(count, model)) => Some((*count, model)),
            _ => None,
        }
    }

    pub(super) fn distribution(&self, name: &str) -> Option<&Distribution> {
        match self.value(name) {
            Some(Value::Distribution(distribution)) => Some(distribution),
            _ => None,
        }
    }

    /// A capacity: `None` where it is missing, `Some(None)` where it is unlimited.
    pub(super) fn capacity(&self, name: &str) -> Option<Option<u32>> {
        match self.value(name) {
            Some(&Value::Capacity(capacity)) => Some(capacity),
            _ => None,
        }
    }

    /// Notes a problem where `name` is missing.
    pub(super) fn require(&self, name: &str, report: &mut Diagnostics<'_>) {
        if self.has(name) {
            return;
        }
        let path = child(&self.pattern, name);
        let expected = key::find(&path).map_or_else(String::new, |key| key.kind.expected());
        report.hint(&self.range, format!("`{name}` is missing"), format!("`{name}` is {expected}"));
    }
}

/// The path of `name` below `pattern`.
fn child(pattern: &str, name: &str) -> String {
    if pattern.is_empty() { name.to_owned() } else { format!("{pattern}.{name}") }
}

/// The key called `name` below `pattern`: itself, a list, or any name of the user's.
fn known_key(pattern: &str, name: &str) -> Option<&'static key::Key> {
    let mut path = child(pattern, name);
    if let Some(key) = key::find(&path) {
        return Some(key);
    }
    path.push_str("[]");
    key::find(&path).or_else(|| key::find(&child(pattern, "*")))
}

/// Kind that the value at a dotted path of a scenario must have; `None` if no scenario has the
/// path.
pub fn kind_of(path: &str) -> Option<ValueKind> {
    let mut key: Option<&'static key::Key> = None;
    for part in split_key(path) {
        let pattern = key.map_or("", |key| key.path.as_ref());
        if !(pattern.ends_with("[]") && part.parse::<usize>().is_ok()) {
            key = Some(known_key(pattern, &part)?);
        }
    }
    key.map(|key| key.kind)
}

fn unknown(
    (pattern, path): (&str, &str),
    name: &str,
    range: &Range<usize>,
    report: &mut Diagnostics<'_>,
) {
    let known: Vec<&str> = key::children(pattern).collect();
    let message = match path {
        "" => format!("unknown key `{}`", clip(name)),
        _ => format!("unknown key `{}` in `{}`", clip(name), clip(path)),
    };
    let hint = match did_you_mean(name, known.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("known keys: {}", known.join(", ")),
    };
    report.hint(range, message, hint);
}

fn read_value(
    value: &DeValue<'_>,
    range: &Range<usize>,
    (key, path): (&'static key::Key, &str),
    report: &mut Diagnostics<'_>,
) -> Value {
    match (key.kind, value) {
        (
            ValueKind::Table | ValueKind::Part(_) | ValueKind::Column | ValueKind::WindowBound(_),
            DeValue::Table(table),
        ) => Value::Table(ConfigTable::read(table, (&key.path, path), range.clone(), report)),
        (ValueKind::List, DeValue::Array(items)) => {
            let mut sections = Vec::new();
            for item in items.iter() {
                match item.get_ref() {
                    DeValue::Table(table) => {
                        sections.push(ConfigTable::read(
                            table,
                            (&key.path, path),
                            item.span(),
                            report,
                        ));
                    }
                    other => report.at(
                        &item.span(),
                        format!(
                            "an entry of `{}` must be a table, found {}",
                            value::last_name(&key.path),
                            value::describe(other)
                        ),
                    ),
                }
            }
            Value::List(sections)
        }
        _ => value::read(value, range, key, report),
    }
}
