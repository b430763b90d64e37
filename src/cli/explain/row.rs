//! A row of a result file, and the problems in it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use serde::Serialize;

use super::wait::CUT;
use crate::cli::exit::Stop;
use crate::cli::results::Results;
use windtunnel::problem::Problem;
use windtunnel::units::{Span, Time};

/// A row of a result file by column name.
#[derive(Clone, Debug)]
pub(super) struct CsvRow {
    head: Rc<csv::StringRecord>,
    cells: csv::StringRecord,
    file: Rc<PathBuf>,
    /// Line in the file; the head is line 1.
    line: u64,
}

impl Serialize for CsvRow {
    /// A map by column name.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.head.iter().zip(&self.cells).collect::<BTreeMap<_, _>>())
    }
}

impl CsvRow {
    /// A cell; empty where there is no such column.
    pub(super) fn cell(&self, column: &str) -> &str {
        let at = self.head.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).unwrap_or("")
    }

    /// A problem with a cell.
    pub(super) fn wrong(&self, column: &str, wanted: &str) -> Stop {
        let found = windtunnel::report::clean(self.cell(column));
        let message = format!("`{column}` is `{found}`, wanted {wanted}");
        let file = self.file.display().to_string();
        Stop::Input(Problem::at(&file, self.line, 0, message).hint(CUT).into())
    }

    fn parse<T>(
        &self,
        column: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Stop> {
        match self.cell(column) {
            "" => Ok(None),
            text => parse(text).map(Some).ok_or_else(|| self.wrong(column, wanted)),
        }
    }

    /// A point in time; `None` where the cell is empty.
    pub(super) fn maybe_time(&self, column: &str) -> Result<Option<Time>, Stop> {
        self.parse(column, "seconds", |text| {
            let secs: f64 = text.parse().ok()?;
            Some(Time::ZERO + Span::from_secs_f64(secs)?)
        })
    }

    /// A point in time.
    pub(super) fn time(&self, column: &str) -> Result<Time, Stop> {
        self.maybe_time(column)?.ok_or_else(|| self.wrong(column, "seconds"))
    }

    /// A whole number; `None` where the cell is empty.
    pub(super) fn maybe_whole(&self, column: &str) -> Result<Option<u64>, Stop> {
        self.parse(column, "a whole number", |text| text.parse().ok())
    }

    /// A whole number.
    pub(super) fn whole(&self, column: &str) -> Result<u64, Stop> {
        self.maybe_whole(column)?.ok_or_else(|| self.wrong(column, "a whole number"))
    }

    /// A number.
    pub(super) fn number(&self, column: &str) -> Result<f64, Stop> {
        let number = self.parse(column, "a number", |text| {
            text.parse().ok().filter(|number: &f64| number.is_finite())
        })?;
        number.ok_or_else(|| self.wrong(column, "a number"))
    }

    /// Nano-dollars; `None` where the cell is empty.
    pub(super) fn maybe_nanos(&self, column: &str) -> Result<Option<i128>, Stop> {
        self.parse(column, "dollars with nine decimals", |text| {
            let (_, decimals) = text.split_once('.')?;
            (decimals.len() == 9).then(|| text.replacen('.', "", 1).parse().ok()).flatten()
        })
    }

    /// Nano-dollars.
    pub(super) fn nanos(&self, column: &str) -> Result<i128, Stop> {
        let wanted = "dollars with nine decimals";
        self.maybe_nanos(column)?.ok_or_else(|| self.wrong(column, wanted))
    }
}

/// The rows of a file that `keep` accepts.
pub(super) fn rows(
    results: &Results,
    name: &str,
    keep: impl Fn(&CsvRow) -> bool,
) -> Result<Vec<CsvRow>, Stop> {
    let mut kept = Vec::new();
    each(results, name, |row| {
        if keep(row) {
            kept.push(row.clone());
        }
        Ok(())
    })?;
    Ok(kept)
}

/// Shows each row of a file to `look`, until that finds something wrong.
pub(super) fn each(
    results: &Results,
    name: &str,
    mut look: impl FnMut(&CsvRow) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let path = results.path(name);
    let failed = |error: csv::Error| match error.kind() {
        csv::ErrorKind::Io(_) => Stop::Files(
            anyhow::Error::new(error).context(format!("cannot read `{}`", path.display())),
        ),
        _ => {
            let line = error.position().map_or(0, csv::Position::line);
            let message = "the row has not the cells of the head";
            let file = path.display().to_string();
            Stop::Input(Problem::at(&file, line, 0, message).hint(CUT).into())
        }
    };
    let mut reader = csv::Reader::from_reader(results.file(name)?);
    let head = Rc::new(reader.headers().map_err(failed)?.clone());
    let (cells, file) = (csv::StringRecord::new(), Rc::new(path.clone()));
    let mut row = CsvRow { head, cells, file, line: 0 };
    while reader.read_record(&mut row.cells).map_err(failed)? {
        row.line = row.cells.position().map_or(0, csv::Position::line);
        look(&row)?;
    }
    Ok(())
}
