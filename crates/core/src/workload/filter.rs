//! Rows that are wanted by what stands in one of their columns.

use crate::problem::{Problem, clip, did_you_mean};

/// Rows of a table that are read, by the values of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFilter {
    /// Header of the column, or its number (from 1) where there is no header.
    pub column: String,
    /// Values of that column that a row is compared with.
    pub values: Vec<String>,
    /// Whether rows with such a value are kept and all others left out, or the other way around.
    pub keep: bool,
}

/// The filters of a table, found in its columns.
#[derive(Debug, Default)]
pub(super) struct Filters {
    filters: Vec<RowFilter>,
    has_header: bool,
    /// Positions of the columns, once they are known.
    at: Option<Vec<usize>>,
    passed_over: u64,
}

impl Filters {
    pub(super) fn new(filters: &[RowFilter], has_header: bool) -> Self {
        Self { filters: filters.to_vec(), has_header, at: None, passed_over: 0 }
    }

    /// Filters of a format without headers, whose fields have these names and places.
    ///
    /// # Errors
    /// There is no such field.
    pub(super) fn of_fields(
        filters: &[RowFilter],
        fields: &[(&str, usize)],
        shown: &str,
    ) -> Result<Self, Problem> {
        let place = |filter: &RowFilter| {
            let found = fields.iter().find(|(name, _)| *name == filter.column);
            found.map(|&(_, at)| at).ok_or_else(|| {
                let names: Vec<&str> = fields.iter().map(|&(name, _)| name).collect();
                let message = format!("`where`: there is no field `{}`", clip(&filter.column));
                Problem::with(shown, message).hint(format!("rows go by {}", names.join(", ")))
            })
        };
        let at = filters.iter().map(place).collect::<Result<_, _>>()?;
        Ok(Self { at: Some(at), ..Self::new(filters, false) })
    }

    /// Whether there are no filters.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Rows passed over so far.
    pub(super) fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// Whether this row is wanted. The header is, and tells where the columns stand.
    ///
    /// # Errors
    /// There is no such column.
    pub(super) fn admit(&mut self, row: &[&[u8]], shown: &str) -> Result<bool, Problem> {
        let Some(at) = &self.at else {
            let places = self.filters.iter().map(|filter| self.place(filter, row, shown));
            self.at = Some(places.collect::<Result<_, _>>()?);
            return if self.has_header { Ok(true) } else { self.admit(row, shown) };
        };
        let wanted = self.filters.iter().zip(at).all(|(filter, &at)| {
            let cell = row.get(at).copied().unwrap_or_default();
            filter.values.iter().any(|value| value.as_bytes() == cell) == filter.keep
        });
        self.passed_over += u64::from(!wanted);
        Ok(wanted)
    }

    fn place(&self, filter: &RowFilter, row: &[&[u8]], shown: &str) -> Result<usize, Problem> {
        let name = &filter.column;
        if !self.has_header {
            let number = name.parse().ok().filter(|number| (1..=row.len()).contains(number));
            return number.map(|number: usize| number - 1).ok_or_else(|| {
                let message =
                    format!("`where`: there is no column {} of {}", clip(name), row.len());
                Problem::with(shown, message).hint("without a header, columns go by number")
            });
        }
        let found = row.iter().position(|cell| *cell == name.as_bytes());
        found.ok_or_else(|| {
            let columns: Vec<String> =
                row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            let problem =
                Problem::with(shown, format!("`where`: there is no column `{}`", clip(name)));
            match did_you_mean(name, columns.iter().map(String::as_str)) {
                Some(meant) => problem.hint(format!("did you mean `{}`?", clip(meant))),
                None => problem.hint(format!("the columns are {}", clip(&columns.join(", ")))),
            }
        })
    }
}
