//! Two scenarios side by side: in what they differ besides their policies.

use super::super::document::{Table, unquoted};
use crate::scenario::Difference;

/// Keys that are listed; of more, how many there are is said.
const MOST_KEYS: usize = 40;

/// Differences between the two scenarios that a comparison is of.
#[derive(Clone, Debug)]
pub struct Between {
    /// Names that the comparison gives them.
    pub names: [String; 2],
    /// The keys in which they differ.
    pub differences: Vec<Difference>,
    /// Whether both have the same work: then both met the same random numbers,
    /// and only then a difference is one of policies and world.
    pub same_work: bool,
}

impl Between {
    /// Table of the values by key in the first and the second scenario.
    pub(super) fn table(&self) -> Table {
        let [before, after] = [0, 1].map(|row| unquoted(&self.names[row]));
        let head = ["key", before.as_str(), after.as_str()];
        let mut table = Table::new("What differs between the scenarios", &head);
        table.words = 3;
        let said = |value: &Option<String>| value.as_deref().map_or("–".to_owned(), unquoted);
        for one in self.differences.iter().take(MOST_KEYS) {
            table.row([unquoted(&one.key), said(&one.before), said(&one.after)]);
        }
        if let Some(more) = self.differences.len().checked_sub(MOST_KEYS + 1) {
            table.row([format!("and {} more", more + 1), String::new(), String::new()]);
        }
        table
    }
}
