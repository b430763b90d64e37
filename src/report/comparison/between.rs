//! Two scenarios side by side: in what they differ besides their policies.

use super::super::figure::clean;
use crate::scenario::Difference;

/// Keys that are listed; of more, how many there are is said.
const MOST_KEYS: usize = 40;

/// What lies between the two scenarios that a comparison is of.
#[derive(Clone, Debug)]
pub struct Between {
    /// What the comparison calls them.
    pub names: [String; 2],
    /// The keys in which they differ.
    pub differences: Vec<Difference>,
    /// Whether both have the same work: then both met the same random numbers,
    /// and only then a difference is one of policies and world.
    pub same_work: bool,
}

impl Between {
    /// What a reader must know before anything else.
    pub fn told(&self) -> String {
        let [before, after] = [0, 1].map(|row| clean(&self.names[row]));
        match (self.same_work, self.differences.len()) {
            (false, _) => format!(
                "The scenarios {before} and {after} do not have the same work, so what differs is as \
                 much the work as what was done with it. No policy is recommended and no verdict \
                 given; to compare policies, give both the same `[workload]`, `seed`, `start` and \
                 `horizon`."
            ),
            (true, 0) => format!("The scenarios {before} and {after} say the same."),
            (true, 1) => format!(
                "The scenarios {before} and {after} have the same work and differ in one key."
            ),
            (true, count) => {
                format!(
                    "The scenarios {before} and {after} have the same work and differ in {count} keys."
                )
            }
        }
    }

    /// By key: what the first and the second scenario say.
    pub fn rows(&self) -> Vec<[String; 3]> {
        let said = |value: &Option<String>| value.as_deref().map_or("–".to_owned(), clean);
        let row = |one: &Difference| [clean(&one.key), said(&one.before), said(&one.after)];
        let mut rows: Vec<_> = self.differences.iter().take(MOST_KEYS).map(row).collect();
        if let Some(more) = self.differences.len().checked_sub(MOST_KEYS + 1) {
            rows.push([format!("and {} more", more + 1), String::new(), String::new()]);
        }
        rows
    }

    /// The same as a table of `decision.md`.
    pub(super) fn page(&self) -> String {
        let row = |cells: [String; 3]| {
            format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
        };
        let [before, after] = [0, 1].map(|row| clean(&self.names[row]));
        let head = row(["key".to_owned(), before, after]);
        head + "|---|---|---|\n" + &self.rows().into_iter().map(row).collect::<String>()
    }
}
