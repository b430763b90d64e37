//! Comma-separated tables of a catalog, row by row, with every problem's place.

use crate::problem::{Problem, clip};

/// One row, and where its problems go.
#[derive(Debug)]
pub(super) struct CatalogRow<'a> {
    path: &'a str,
    header: &'a [String],
    record: &'a csv::StringRecord,
    line: u64,
    problems: &'a mut Vec<Problem>,
}

/// Reads every row of `text` with `row`. Rows with problems are left out.
pub(super) fn read<T>(
    text: &str,
    path: &str,
    problems: &mut Vec<Problem>,
    mut row: impl FnMut(&mut CatalogRow<'_>) -> T,
) -> Vec<T> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.iter().map(str::to_owned).collect::<Vec<String>>(),
        Err(error) => {
            problems.push(Problem::at(path, 1, 1, format!("is not a table: {error}")));
            return Vec::new();
        }
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                rows.push(row(&mut CatalogRow {
                    path,
                    header: &header,
                    record: &record,
                    line,
                    problems,
                }));
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                problems.push(Problem::at(path, line, 1, "has not as many cells as the header"));
            }
        }
        // The first hundred are enough to see what is wrong.
        if problems.len() > 100 {
            break;
        }
    }
    rows
}

impl<'a> CatalogRow<'a> {
    fn problem(&mut self, at: usize, message: String) {
        // Cells are followed by one comma each; no cell of these tables is quoted before the last.
        let column = self.record.iter().take(at).map(|cell| cell.chars().count() as u64 + 1).sum();
        let column: u64 = column;
        self.problems.push(Problem::at(self.path, self.line, column + 1, message));
    }

    /// Notes what is wrong with the cell under `column`.
    pub(super) fn refuse(&mut self, column: &str, message: String, hint: Option<String>) {
        let at = self.header.iter().position(|name| name == column).unwrap_or(0);
        self.problem(at, message);
        if let (Some(last), Some(hint)) = (self.problems.last_mut(), hint) {
            last.hint = Some(hint);
        }
    }

    /// Whether the table has a column of this name.
    pub(super) fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }

    /// Names of all columns.
    pub(super) fn columns(&self) -> &'a [String] {
        self.header
    }

    /// The line that the row begins on.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The cell under `column` as it is; empty where the column is missing.
    pub(super) fn text(&self, column: &str) -> &'a str {
        let at = self.header.iter().position(|name| name == column);
        at.and_then(|at| self.record.get(at)).unwrap_or_default().trim()
    }

    /// The cell under `column`, which must not be empty.
    pub(super) fn name(&mut self, column: &str) -> String {
        self.read(column, "a name", |text| (!text.is_empty()).then(|| text.to_owned()))
    }

    /// The parts of the cell under `column`, separated by `|`.
    pub(super) fn list(&self, column: &str) -> Vec<String> {
        self.text(column).split('|').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// The cell under `column` as `read` understands it.
    pub(super) fn read<T: Default>(
        &mut self,
        column: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> T {
        let Some(at) = self.header.iter().position(|name| name == column) else {
            if self.line <= 2 {
                let message = format!("the column `{column}` is missing");
                self.problems.push(Problem::at(self.path, 1, 1, message));
            }
            return T::default();
        };
        let text = self.record.get(at).unwrap_or_default().trim();
        if let Some(value) = read(text) {
            return value;
        }
        let message = format!("`{column}` must be {expected}, found `{}`", clip(text));
        self.problem(at, message);
        T::default()
    }
}
