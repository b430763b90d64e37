//! The scenario file as text: `--set` edits, and where in the user's file an
//! offset of the edited text lies, so that problems point into what was written.

use std::ops::Range;

use toml::de::DeTable;
use toml_edit::{DocumentMut, Item, Table, Value};

use crate::problem::{Problem, clip};

/// Tables that a file need not have for their keys to be set.
const OPTIONAL: [&str; 2] = ["limits", "objectives"];

/// A scenario file with its `--set` edits.
#[derive(Clone, Debug)]
pub(super) struct ScenarioText {
    /// The file, as the user named it.
    pub(super) path: String,
    /// The text as it was written.
    pub(super) original: String,
    /// The edits that were made of it.
    pub(super) edits: Vec<(String, String)>,
    /// The text as it runs, with the edits.
    pub(super) text: String,
    /// Line number in `original` of each line of `text`.
    lines: Vec<u64>,
    /// Byte offset in `text` at which each line begins.
    starts: Vec<usize>,
    /// Ranges of `text` that an edit wrote, with the edit.
    set: Vec<(Range<usize>, String)>,
}

impl ScenarioText {
    /// The file without edits.
    pub(super) fn new(text: &str, path: &str) -> Self {
        let lines = (1..=text.split('\n').count() as u64).collect();
        let (original, text) = (text.to_owned(), text.to_owned());
        let starts = starts(&text);
        Self {
            path: path.to_owned(),
            original,
            text,
            lines,
            starts,
            edits: Vec::new(),
            set: Vec::new(),
        }
    }

    /// Sets scalars, each at a dotted key, one after the other. Every other
    /// line stays as it was. Problems name the edit.
    pub(super) fn set(&mut self, edits: &[(String, String)]) -> Vec<Problem> {
        if edits.is_empty() {
            return Vec::new();
        }
        self.edits.extend_from_slice(edits);
        // A file that is no TOML says so itself when it is read.
        let Ok(mut document) = self.text.parse::<DocumentMut>() else { return Vec::new() };
        let mut problems = Vec::new();
        for (key, value) in edits {
            if let Err(problem) = set_one(&mut document, key, value) {
                problems.push(problem);
            }
        }
        let text = document.to_string();
        self.lines = matched_lines(&self.original, &text);
        self.starts = starts(&text);
        self.text = text;
        self.find_edits(edits);
        problems
    }

    /// Notes where the edits ended up.
    fn find_edits(&mut self, edits: &[(String, String)]) {
        let Ok(root) = DeTable::parse(&self.text) else { return };
        let mut set = Vec::new();
        for (key, value) in edits {
            let mut ranges = Vec::new();
            let parts = split_key(key);
            let mut table = Some(root.get_ref());
            for (depth, part) in parts.iter().enumerate() {
                let entry = table.and_then(|table| {
                    table.iter().find(|(name, _)| name.get_ref().as_ref() == part.as_str())
                });
                let Some((name, value)) = entry else { break };
                if depth + 1 == parts.len() {
                    ranges = vec![name.span(), value.span()];
                }
                table = value.get_ref().as_table();
                if let (Some(list), Some(next)) = (value.get_ref().as_array(), parts.get(depth + 1))
                {
                    let item = next.parse().ok().and_then(|row: usize| list.get(row));
                    table = item.and_then(|item| item.get_ref().as_table());
                    if let Some(leaf) = parts.get(depth + 2) {
                        let entry = table.and_then(|table| {
                            table.iter().find(|(name, _)| name.get_ref().as_ref() == leaf.as_str())
                        });
                        ranges.extend(entry.map(|(_, value)| value.span()));
                    }
                    break;
                }
            }
            set.extend(ranges.into_iter().map(|range| (range, format!("--set {key}={value}"))));
        }
        self.set = set;
    }

    /// A problem with the key that is written with dots, or with the last of the
    /// tables around it that is there.
    pub(super) fn problem_at(&self, key: &str, message: impl Into<String>) -> Problem {
        let Ok(root) = DeTable::parse(&self.text) else {
            return Problem::with(&self.path, message);
        };
        let (mut table, mut found) = (Some(root.get_ref()), None);
        for part in split_key(key) {
            let entry = table
                .and_then(|table| table.iter().find(|(name, _)| name.get_ref().as_ref() == part));
            let Some((name, value)) = entry else { break };
            found = Some(name.span());
            table = value.get_ref().as_table();
        }
        match found {
            Some(range) => self.problem(&range, message),
            None => Problem::with(&self.path, message),
        }
    }

    /// A problem at `range` of the text.
    pub(super) fn problem(&self, range: &Range<usize>, message: impl Into<String>) -> Problem {
        let inside = |(set, _): &&(Range<usize>, String)| {
            set.start <= range.start && range.end <= set.end && range.start < range.end
        };
        if let Some((_, edit)) = self.set.iter().find(inside) {
            return Problem::with(&clip(edit), message);
        }
        let (line, column) = self.place(range.start);
        Problem::at(&self.path, line, column, message)
    }

    /// Line and column, from 1, of an offset.
    fn place(&self, offset: usize) -> (u64, u64) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let row = self.starts.partition_point(|&start| start <= offset).saturating_sub(1);
        let start = self.starts.get(row).copied().unwrap_or(0);
        let column = self.text[start..offset].chars().count() as u64 + 1;
        (self.lines.get(row).copied().unwrap_or(0), column)
    }
}

/// Byte offset at which each line of a text begins.
fn starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// Parts of a dotted key; parts may be quoted (`policy."a.b".order`).
pub(super) fn split_key(key: &str) -> Vec<String> {
    match toml_edit::Key::parse(key) {
        Ok(parts) => parts.iter().map(|part| part.get().to_owned()).collect(),
        Err(_) => key.split('.').map(|part| part.trim().to_owned()).collect(),
    }
}

/// A TOML scalar, or else the text itself as a string.
fn scalar(text: &str) -> Value {
    match text.trim().parse::<Value>() {
        Ok(mut value) if !value.is_inline_table() => {
            value.decor_mut().clear();
            value
        }
        _ => Value::from(text),
    }
}

/// The key with the table before it in which the file has its first part, unless the file has that
/// by itself: `cluster.batch.nodes` of `batch.nodes`.
fn longer(document: &DocumentMut, key: &str, first: &str) -> Option<String> {
    let has = |item: &Item| item.as_table_like().is_some_and(|table| table.contains_key(first));
    let mut tables = document.iter().filter(|(_, item)| has(item));
    tables.next().filter(|_| !document.contains_key(first)).map(|(name, _)| format!("{name}.{key}"))
}

fn set_one(document: &mut DocumentMut, key: &str, value: &str) -> Result<(), Problem> {
    let path = format!("--set {key}={value}");
    let path = clip(&path);
    let refuse = |message: String, hint: String| Err(Problem::with(&path, message).hint(hint));
    let parts = split_key(key);
    let (Some(leaf), false) = (parts.last(), parts.iter().any(String::is_empty)) else {
        return refuse(
            format!("`{}` is not a key", clip(key)),
            "write `--set section.key=value`".into(),
        );
    };
    if let [table, _] = &parts[..]
        && OPTIONAL.contains(&table.as_str())
        && !document.contains_key(table)
    {
        document.insert(table, Item::Table(Table::new()));
    }
    let longer = longer(document, key, &parts[0]);
    let mut item = document.as_item_mut();
    for part in &parts[..parts.len() - 1] {
        let next = match part.parse::<usize>() {
            Ok(row) if item.is_array() || item.is_array_of_tables() => item.get_mut(row),
            _ => item.get_mut(part.as_str()),
        };
        let Some(next) = next.filter(|next| !next.is_none()) else {
            let hint = match parts.as_slice() {
                // Parts that a policy inherits are in no table of the file.
                [policy, name, part, option, ..]
                    if policy == "policy"
                        && document.get("policy").and_then(|all| all.get(name)).is_some() =>
                {
                    format!(
                        "what `{}` inherits cannot be set in part: write `[policy.{}.{}.{}]` into the file, with all its \
                         parameters, or `--set policy.{}.{}={}` for the part with its defaults",
                        clip(name),
                        clip(name),
                        clip(part),
                        clip(option),
                        clip(name),
                        clip(part),
                        clip(option)
                    )
                }
                _ => match &longer {
                    Some(meant) => format!("did you mean `{}`?", clip(meant)),
                    None => "only a key of a table that the file has can be set".to_owned(),
                },
            };
            return refuse(
                format!("cannot set `{}`: the scenario has no `{}`", clip(key), clip(part)),
                hint,
            );
        };
        item = next;
    }
    let new = scalar(value);
    let old = item.get_mut(leaf.as_str()).filter(|old| !old.is_none());
    match old {
        Some(Item::Value(old)) if !old.is_inline_table() => {
            let decor = old.decor().clone();
            *old = new;
            *old.decor_mut() = decor;
            Ok(())
        }
        Some(_) => refuse(
            format!("cannot set `{}`: it is a table, not a single value", clip(key)),
            "set one of its keys".into(),
        ),
        None => match item.as_table_like_mut() {
            Some(table) => {
                table.insert(leaf, Item::Value(new));
                if let Some(table) = item.as_table_mut() {
                    show(table);
                }
                Ok(())
            }
            None => refuse(
                format!("cannot set `{}`: what holds it is not a table", clip(key)),
                "check the key".into(),
            ),
        },
    }
}

/// A table that existed only through its children gets a header of its own.
fn show(table: &mut Table) {
    table.set_implicit(false);
}

/// Line of `original` that each line of `edited` stems from: the same line if nothing was inserted
/// before it.
fn matched_lines(original: &str, edited: &str) -> Vec<u64> {
    let old: Vec<&str> = original.split('\n').collect();
    let new: Vec<&str> = edited.split('\n').collect();
    let mut at = 0;
    let mut lines = Vec::new();
    for (row, line) in new.iter().enumerate() {
        let same = old.get(at) == Some(line);
        let inserted = !same
            && new.len() > old.len()
            && new.get(row + 1).is_some_and(|next| old.get(at) == Some(next));
        if !same && !inserted {
            // Changed in place, unless the file continues with this line further on.
            let later = old.iter().skip(at).position(|candidate| candidate == line);
            at += later.filter(|&skip| skip > 0 && !line.trim().is_empty()).unwrap_or(0);
        }
        lines.push((at.min(old.len().saturating_sub(1)) + 1) as u64);
        at += usize::from(!inserted);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, key: &str, value: &str) -> (ScenarioText, Vec<Problem>) {
        let mut document = ScenarioText::new(text, "a.toml");
        let problems = document.set(&[(key.to_owned(), value.to_owned())]);
        (document, problems)
    }

    #[test]
    fn an_edit_keeps_every_other_line() {
        let (document, problems) = edited("a = 1 # one\n[b]\nc = 2\nd = 3\n", "b.c", "30 min");
        assert_eq!(problems, []);
        assert_eq!(document.text, "a = 1 # one\n[b]\nc = \"30 min\"\nd = 3\n");
        let at = document.text.find("30").unwrap();
        assert_eq!(document.problem(&(at..at + 2), "x").path, "--set b.c=30 min");
    }

    #[test]
    fn places_after_an_inserted_line_are_those_of_the_file() {
        let (document, problems) = edited("[b]\nc = 2\n\n[d]\ne = 3\n", "b.x", "7");
        assert_eq!(problems, []);
        assert_eq!(document.text, "[b]\nc = 2\nx = 7\n\n[d]\ne = 3\n");
        let at = document.text.find("e = 3").unwrap();
        let problem = document.problem(&(at..at + 1), "x");
        assert_eq!((problem.line, problem.column), (5, 1));
        let at = document.text.find("x = 7").unwrap();
        assert_eq!(document.problem(&(at..at + 1), "x").path, "--set b.x=7");
    }

    #[test]
    fn a_limit_can_be_set_in_a_file_without_limits() {
        let (document, problems) = edited("[b]\nc = 2\n", "limits.max_events", "7");
        assert_eq!(problems, []);
        assert_eq!(document.text, "[b]\nc = 2\n\n[limits]\nmax_events = 7\n");
        let at = document.text.find("7").unwrap();
        assert_eq!(document.problem(&(at..at + 1), "x").path, "--set limits.max_events=7");
        let (document, problems) = edited("limits = 3\n", "limits.max_events", "7");
        assert_eq!((problems.len(), document.text.as_str()), (1, "limits = 3\n"));
    }

    #[test]
    fn an_impossible_edit_is_a_problem() {
        let cases = [
            ("z.c", "--set z.c=1: cannot set `z.c`: the scenario has no `z`"),
            ("c.d.e", "--set c.d.e=1: cannot set `c.d.e`: the scenario has no `c`"),
            ("b", "--set b=1: cannot set `b`: it is a table, not a single value"),
            ("a.b", "--set a.b=1: cannot set `a.b`: what holds it is not a table"),
        ];
        for (key, want) in cases {
            let (_, problems) = edited("a = 1\n[b]\nc = 2\n", key, "1");
            assert_eq!(problems[0].to_string().lines().next(), Some(want));
        }
    }
}
