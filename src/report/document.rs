//! A document: what is said in answer to one question, free of where it is
//! read. Terminal, page and Markdown are three ways to show the same document.

mod markdown;
mod page;
mod table;
mod terminal;

use serde::Serialize;

use super::chart::Chart;
use super::recipe::Recipe;
use super::run::RunReport;

pub(super) use table::{Cell, Table, Tone};
pub use terminal::Terminal;

/// Bullets of an answer at most: more is not read.
pub(super) const MOST_BULLETS: usize = 5;

/// An answer that is read in twenty seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The answer in one sentence.
    pub headline: String,
    /// Money, promises, alternatives, what moves it, how sure it is: at most five.
    pub bullets: Vec<String>,
}

/// A document. Words in backticks are commands, keys and the like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The question as it was asked, or the name of the command.
    pub(super) title: String,
    /// Subject that was looked at, in one line.
    pub(super) about: String,
    pub(super) answer: Answer,
    /// Facts needed to read the answer: what was dropped, is impossible or cannot be compared.
    pub(super) cautions: Vec<String>,
    pub(super) cards: Vec<Card>,
    pub(super) sections: Vec<Section>,
    /// Assumptions and guesses that were made.
    pub(super) assumptions: Vec<String>,
    /// Inputs that made it: names and values.
    pub(super) recipe: Vec<(String, String)>,
    /// Files beside the page: name, and what it holds.
    pub(super) files: Vec<(String, &'static str)>,
}

/// Card with a number that a reader looks for first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Card {
    pub(super) label: String,
    pub(super) value: String,
    pub(super) detail: String,
    pub(super) tone: Tone,
}

impl Card {
    pub(super) fn new(label: &str, value: String, detail: String) -> Self {
        Self { label: label.to_owned(), value, detail, tone: Tone::Plain }
    }

    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// Place where a section is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SectionPlace {
    /// Shown on the page, in Markdown and in the terminal.
    #[default]
    Front,
    /// Shown on the page and in Markdown.
    Page,
    /// Shown on the page and in Markdown, folded up.
    Folded,
}

/// Tables and charts under one title.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) place: SectionPlace,
    /// Sentences above the tables.
    pub(super) notes: Vec<String>,
    pub(super) tables: Vec<Table>,
    pub(super) charts: Vec<Chart>,
}

impl Section {
    pub(super) fn new(title: &str, place: SectionPlace) -> Self {
        Self { title: title.to_owned(), place, ..Self::default() }
    }

    /// A section of one table, under the title of the table.
    pub(super) fn of(table: Table, place: SectionPlace) -> Self {
        let title = table.title.clone();
        Self { tables: vec![table], ..Self::new(&title, place) }
    }

    pub(super) fn tables(self, tables: impl IntoIterator<Item = Table>) -> Self {
        let tables = tables.into_iter().filter(|table| !table.rows.is_empty()).collect();
        Self { tables, ..self }
    }

    pub(super) fn charts(self, charts: impl IntoIterator<Item = Chart>) -> Self {
        Self { charts: charts.into_iter().collect(), ..self }
    }

    pub(super) fn note(mut self, words: impl Into<String>) -> Self {
        self.notes.push(words.into());
        self
    }

    fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.charts.is_empty() && self.tables.is_empty()
    }
}

impl Document {
    /// Adds a section, unless there is nothing in it.
    pub(super) fn add(&mut self, section: Section) {
        if !section.is_empty() {
            self.sections.push(section);
        }
    }

    /// The title: the question, or where none was asked `otherwise`.
    pub(super) fn titled(question: Option<&str>, otherwise: &str) -> Self {
        let title = question.filter(|question| !question.is_empty()).unwrap_or(otherwise);
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// Notes what made the document.
    pub(super) fn made_by(&mut self, recipe: &Recipe) {
        let mut add = |name: &str, value: String| self.recipe.push((name.to_owned(), value));
        add("version", recipe.version.clone());
        add(
            "scenario",
            format!("{} `{}`", unquoted(&recipe.scenario_words()), recipe.scenario_hash),
        );
        add("policy", unquoted(&recipe.policy));
        add("seed", recipe.seed.to_string());
        for input in &recipe.inputs {
            add("input", format!("{} `{}`", unquoted(&input.name), input.hash));
        }
    }

    /// Notes rows of the workload that are not in the results, and rows with assumptions.
    pub(super) fn left_out(&mut self, report: &RunReport) {
        if report.skipped_rows > 0 {
            let skipped = report.skipped_rows;
            self.cautions.push(format!("Malformed rows left out of the workload: {skipped}."));
        }
        for (note, rows) in report.row_notes.rows() {
            self.cautions.push(format!("Rows {}: {rows}.", note.words()));
        }
    }

    /// The sections that are shown everywhere.
    fn front(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(|section| section.place == SectionPlace::Front)
    }
}

/// A name from outside among words of ours: its backticks would end theirs.
pub(super) fn unquoted(name: &str) -> String {
    super::figure::clean(name).replace('`', "'")
}

/// `words` in pieces, every second one in backticks. A backtick without a second one is a letter
/// like others.
fn pieces(words: &str) -> Vec<&str> {
    let mut pieces: Vec<&str> = words.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        let last = pieces.len() - 2;
        let start: usize = pieces[..last].iter().map(|piece| piece.len() + 1).sum();
        pieces.truncate(last);
        pieces.push(&words[start..]);
    }
    pieces
}
