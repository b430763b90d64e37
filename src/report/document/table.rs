//! Tables of words.

use serde::Serialize;

/// Meaning of a cell: good, good with a reserve, bad, or none of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::report) enum Tone {
    #[default]
    Plain,
    Good,
    /// Kept on average, and not in nearly all replications.
    Fair,
    Bad,
}

impl Tone {
    /// Its class in pages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Bad => "bad",
        }
    }

    /// Tone of a promise that the mean keeps or breaks, and `kept` of `all` replications keep.
    pub(in crate::report) fn of_promise(keeps: bool, kept: u64, all: u64) -> Self {
        match (keeps, kept * 10 < all * 9) {
            (true, false) => Self::Good,
            (true, true) => Self::Fair,
            (false, _) => Self::Bad,
        }
    }

    /// Tone of a cell that is better, worse or neither.
    pub(in crate::report) fn of(better: Option<bool>) -> Self {
        match better {
            None => Self::Plain,
            Some(true) => Self::Good,
            Some(false) => Self::Bad,
        }
    }
}

/// Cell of a table: its words, and words below them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(in crate::report) struct Cell {
    pub(in crate::report) text: String,
    pub(in crate::report) below: String,
    pub(in crate::report) tone: Tone,
}

impl Cell {
    pub(in crate::report) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(in crate::report) fn below(self, below: impl Into<String>) -> Self {
        Self { below: below.into(), ..self }
    }

    pub(in crate::report) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// A table with a title. The first column names the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::report) struct Table {
    pub(in crate::report) title: String,
    pub(in crate::report) head: Vec<String>,
    pub(in crate::report) rows: Vec<Vec<Cell>>,
    /// Columns that hold words, from the left; the others hold numbers.
    pub(in crate::report) words: usize,
    /// Columns among these that hold numbers all the same, such as the values of a setting.
    pub(in crate::report) numbers: Vec<usize>,
}

impl Table {
    pub(in crate::report) fn new(title: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|&name| name.to_owned()).collect();
        Self { title: title.to_owned(), head, rows: Vec::new(), words: 1, numbers: Vec::new() }
    }

    /// Whether a column is set flush left.
    pub(super) fn is_words(&self, column: usize) -> bool {
        column < self.words && !self.numbers.contains(&column)
    }

    pub(in crate::report) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Cell::plain).collect());
    }
}
