//! The shape of a written distribution: a name, and arguments in brackets.

use std::fmt;

/// A call: `name(argument, ..)`.
#[derive(Debug)]
pub(super) struct CallSyntax<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: Vec<Argument<'a>>,
}

/// An argument: `value`, `label=value` or `label: value`.
#[derive(Debug)]
pub(super) struct Argument<'a> {
    pub(super) label: Option<(&'a str, Separator)>,
    pub(super) value: &'a str,
}

/// Sign between a label and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    Equals,
    Colon,
}

impl<'a> CallSyntax<'a> {
    /// Takes `text` apart; `None` if it has no bracket and so is no call.
    pub(super) fn read(text: &'a str) -> Result<Option<Self>, String> {
        let text = text.trim();
        let Some((name, rest)) = text.split_once('(') else {
            return Ok(None);
        };
        let Some(inside) = rest.strip_suffix(')') else {
            return Err(format!("`{text}` does not end with its closing bracket `)`"));
        };
        let arguments = pieces(inside)?.into_iter().map(Argument::read).collect();
        Ok(Some(Self { name: name.trim(), arguments }))
    }
}

impl<'a> Argument<'a> {
    fn read(text: &'a str) -> Self {
        // A mark inside a nested call or list belongs to that.
        let own = text.find(['(', '[']).unwrap_or(text.len());
        let Some(at) = text[..own].find(['=', ':']) else {
            return Self { label: None, value: text };
        };
        let mark = if text[at..].starts_with('=') { Separator::Equals } else { Separator::Colon };
        Self { label: Some((text[..at].trim(), mark)), value: text[at + 1..].trim() }
    }

    /// Whether the label of the argument is `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.label.is_some_and(|(label, _)| label == name)
    }
}

impl fmt::Display for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.label {
            None => write!(f, "{}", self.value),
            Some((label, Separator::Equals)) => write!(f, "{label}={}", self.value),
            Some((label, Separator::Colon)) => write!(f, "{label}: {}", self.value),
        }
    }
}

/// The items of `[a, b]`; `None` if `text` is not in square brackets.
pub(super) fn list(text: &str) -> Result<Option<Vec<&str>>, String> {
    let Some(rest) = text.strip_prefix('[') else {
        return Ok(None);
    };
    match rest.strip_suffix(']') {
        Some(inside) => pieces(inside).map(Some),
        None => Err(format!("`{text}` does not end with its closing bracket `]`")),
    }
}

/// Splits at the commas that are in no bracket. Empty text has no pieces; an
/// empty piece, or brackets that do not match, are refused.
fn pieces(text: &str) -> Result<Vec<&str>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut open = Vec::new();
    let mut found = Vec::new();
    let mut start = 0;
    for (at, character) in text.char_indices() {
        match character {
            '(' => open.push(')'),
            '[' => open.push(']'),
            ')' | ']' if open.pop() != Some(character) => {
                return Err(format!("`{text}` has a closing bracket `{character}` too many"));
            }
            ',' if open.is_empty() => {
                found.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if let Some(missing) = open.pop() {
        return Err(format!("`{text}` lacks a closing bracket `{missing}`"));
    }
    found.push(text[start..].trim());
    if found.contains(&"") {
        return Err(format!("`{text}` has a comma with nothing beside it"));
    }
    Ok(found)
}
