//! Problems of an input. Many at once, each with its place and a hint.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;

use crate::text;

/// One thing wrong with an input file or value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, as the user named it; or a flag such as `--set`.
    pub path: String,
    /// Line, from 1; 0 when the problem has no place in a file.
    pub line: u64,
    /// Column, from 1; 0 when unknown.
    pub column: u64,
    /// The problem and what was found, lower case, no full stop.
    pub message: String,
    /// Remedy, where the intent can be guessed.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with a place.
    pub fn at(path: &str, line: u64, column: u64, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, column, message: message.into(), hint: None }
    }

    /// A problem with a file as a whole.
    pub fn with(path: &str, message: impl Into<String>) -> Self {
        Self::at(path, 0, 0, message)
    }

    /// The same problem with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Problem {
    /// The same in one line, the hint in brackets.
    pub fn in_line(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{} ({hint})", Self { hint: None, ..self.clone() }),
            None => self.to_string(),
        }
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    /// `file:line:column: message`, then `  hint: ...` on its own line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::plain(&self.path))?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        write!(f, ": {}", text::plain_lines(&self.message))?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", text::plain_lines(hint))?;
        }
        Ok(())
    }
}

/// One problem or more: the error of whatever looks at a whole input before it gives up.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Problems(Vec<Problem>);

/// Problems that are printed in full.
const MOST_PRINTED: usize = 20;

/// The first problems as each prints itself, each after `before`, and the number of all where there
/// are more.
pub fn listed(problems: &[Problem], before: &str) -> String {
    let printed = problems.iter().take(MOST_PRINTED);
    let mut lines: Vec<String> = printed.map(|problem| format!("{before}{problem}")).collect();
    if let Some(more @ 1..) = problems.len().checked_sub(MOST_PRINTED) {
        lines.push(format!("... and {more} more, {} in all", problems.len()));
    }
    lines.join("\n")
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&listed(self, ""))
    }
}

impl fmt::Debug for Problems {
    /// The same words, for that is what `main` and `unwrap` print of an error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Deref for Problems {
    type Target = [Problem];

    fn deref(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Vec<Problem>> for Problems {
    /// `problems` holds at least one.
    fn from(problems: Vec<Problem>) -> Self {
        debug_assert!(!problems.is_empty(), "nothing is wrong");
        Self(problems)
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl FromIterator<Problem> for Problems {
    fn from_iter<I: IntoIterator<Item = Problem>>(problems: I) -> Self {
        Self::from(Vec::from_iter(problems))
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'p> IntoIterator for &'p Problems {
    type Item = &'p Problem;
    type IntoIter = std::slice::Iter<'p, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The candidate most like `found`, if one is close enough to be meant. Other numbers
/// are other things (`A10` is no `A100`); small letters or capitals are the same.
pub fn did_you_mean<'a>(
    found: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let numbers = |text: &str| -> Vec<String> {
        let runs = text.split(|letter: char| !letter.is_ascii_digit());
        runs.filter(|run| !run.is_empty()).map(str::to_owned).collect()
    };
    let (wanted, lower) = (numbers(found), found.to_lowercase());
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(_, candidate)| numbers(candidate) == wanted)
        .filter(|&(score, _)| score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

/// User text made fit for a message: nothing harmful, at most 60 characters.
pub fn clip(words: &str) -> String {
    let mut clean = text::plain(&words.chars().take(60).collect::<String>());
    if words.chars().nth(60).is_some() {
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_print_place_message_and_hint() {
        let problem =
            Problem::at("a.toml", 3, 7, "unknown key `sede`").hint("did you mean `seed`?");
        assert_eq!(
            problem.to_string(),
            "a.toml:3:7: unknown key `sede`\n  hint: did you mean `seed`?"
        );
        assert_eq!(problem.in_line(), "a.toml:3:7: unknown key `sede` (did you mean `seed`?)");
        assert_eq!(Problem::with("a.toml", "bad").in_line(), "a.toml: bad");
        assert_eq!(did_you_mean("sede", ["seed", "out"]), Some("seed"));
        assert_eq!(did_you_mean("zzz", ["seed", "out"]), None);
        assert_eq!(did_you_mean("EASY", ["easy", "none"]), Some("easy"));
        assert_eq!(did_you_mean("A100", ["A10"]), None);
        assert_eq!(did_you_mean("iso27002", ["iso27001"]), None);
        assert_eq!(did_you_mean("m5.xlage", ["m5.large", "m5.xlarge"]), Some("m5.xlarge"));
        let many: Vec<Problem> = (1..=22).map(|line| Problem::at("a", line, 0, "bad")).collect();
        let told = Problems::from(many).to_string();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!((lines[0], lines[19]), ("a:1: bad", "a:20: bad"));
        assert_eq!(lines[20..], ["... and 2 more, 22 in all"]);
        let error: Box<dyn std::error::Error> = Problems::from(problem.clone()).into();
        assert_eq!(
            (error.to_string(), format!("{error:?}")),
            (problem.to_string(), problem.to_string())
        );
        assert_eq!(clip("a\u{1b}[31m").chars().nth(1), Some('\u{fffd}'));
    }
}
