//! Failures of machines as a CSV, a row each: `machine,from,until`, in any order and among other columns.
//!
//! `machine` is its number from 0. Times are instants such as `2025-10-04T00:10:00Z` in all rows, in UTC
//! where they name no zone, or seconds since the begin in all. An empty `until` is never.

use std::collections::BTreeMap;
use std::path::Path;

use super::table::WeatherTable;
use crate::input;
use crate::problem::{Problem, clip};

/// Highest number of a machine.
const MOST: u32 = 1_000_000;

/// Times in microseconds at which a machine failed and worked again.
pub type Failures = Vec<(i64, Option<i64>)>;

/// What failed, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureHistory {
    /// Whether times are microseconds since 1970; else they are microseconds since the begin.
    pub is_dated: bool,
    /// Failures by machine, in order and apart.
    pub machines: BTreeMap<u32, Failures>,
}

/// The failures in the CSV file at `path`, compressed or not, which is called `shown` in messages.
///
/// # Errors
/// The file cannot be read, or a row is no failure.
pub fn read_failures(path: &Path, shown: &str) -> Result<FailureHistory, Problem> {
    parse(input::unfold(path, shown)?, shown)
}

fn parse(text: impl std::io::Read, shown: &str) -> Result<FailureHistory, Problem> {
    let mut rows = WeatherTable::open(text, shown)?;
    let columns = ["machine", "from", "until"].map(|name| rows.column(&[name]));
    let [Some(machine), Some(from), Some(until)] = columns else {
        let message = "the columns `machine`, `from` and `until` are not all there";
        return Err(Problem::at(shown, 1, 1, message));
    };
    let mut machines: BTreeMap<u32, Failures> = BTreeMap::new();
    while rows.next()? {
        let number = rows.cell(machine).trim().parse().ok().filter(|&number| number <= MOST);
        let number: u32 = number.ok_or_else(|| {
            let found = clip(rows.cell(machine));
            rows.wrong(0, format!("machine: `{found}` is no number of 0 to {MOST}"))
        })?;
        let begin = rows.time(from, "from")?;
        let end = match rows.cell(until).trim() {
            "" => None,
            _ => Some(rows.time(until, "until")?),
        };
        if end.is_some_and(|end| end <= begin) {
            return Err(rows.wrong(0, "`until` is not after `from`"));
        }
        machines.entry(number).or_default().push((begin, end));
    }
    if machines.is_empty() {
        return Err(Problem::with(shown, "has no failures"));
    }
    machines.values_mut().for_each(join);
    Ok(FailureHistory { is_dated: rows.is_dated(), machines })
}

/// Puts failures in order, and joins those that touch or overlap.
fn join(failures: &mut Failures) {
    failures.sort_unstable();
    failures.dedup_by(|next, last| {
        let touches = last.1.is_none_or(|end| end >= next.0);
        if touches {
            last.1 = last.1.zip(next.1).map(|(one, other)| one.max(other));
        }
        touches
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<FailureHistory, Problem> {
        parse(text.as_bytes(), "x.csv")
    }

    #[test]
    fn failures_are_put_in_order_by_machine() {
        let text = "cause,machine,from,until\n\
                    gpu,3,600,900\nhost,0,10,\ngpu,3,100.5,200\ngpu,3,150,300\ngpu,3,900,1000\n";
        let history = read(text).expect("failures");
        let ended = |from: i64, until: i64| (from * 100_000, Some(until * 100_000));
        assert!(!history.is_dated);
        assert_eq!(history.machines[&0], [(10_000_000, None)]);
        assert_eq!(history.machines[&3], [ended(1_005, 3_000), ended(6_000, 10_000)]);
        let history =
            read("machine,from,until\n0,2025-10-04 00:10:00,2025-10-04T00:20:00Z\n").expect("one");
        assert!(history.is_dated);
        let begin = 1_759_536_600_000_000;
        assert_eq!(history.machines[&0], [(begin, Some(begin + 600_000_000))]);
    }

    #[test]
    fn what_is_no_failure_is_told_with_its_line() {
        let told = |text: &str| read(text).expect_err("it is wrong").to_string();
        assert!(told("machine,from\n").contains("not all there"));
        assert!(told("machine,from,until\n").contains("has no failures"));
        let row = |row: &str| told(&format!("machine,from,until\n0,1,2\n{row}\n"));
        assert!(row("-1,5,6").starts_with("x.csv:3: machine: `-1` is no number"));
        assert!(row("0,6,6").starts_with("x.csv:3: `until` is not after"));
        assert!(row("0,noon,6").starts_with("x.csv:3: from: `noon` is neither"));
        assert!(row("0,5,2025-10-04T00:10:00Z").contains("stand in one file"));
        assert!(row("0,5").starts_with("x.csv:3: is no table"));
    }
}
