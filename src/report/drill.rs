//! A drill in files and words: every run, what each blow breaks, and the single points of failure.

mod data;
mod document;
mod findings;
mod table;

use super::recipe::Recipe;
use crate::experiment::drill::Drill;

#[cfg(test)]
pub(super) use data::RUN_COLUMNS as DRILL_COLUMNS;

/// A drill, and what is said beside it.
#[derive(Clone, Debug)]
pub struct DrillReport<'a> {
    /// Question that the scenario asks, if it says so.
    pub question: Option<&'a str>,
    /// The drill, with all its runs.
    pub drill: &'a Drill,
    /// Inputs that made it.
    pub recipe: Option<&'a Recipe>,
    /// Assumptions that were made.
    pub assumptions: &'a [String],
}
