//! What the terms of a scenario make of charges at list prices, from `settled.csv`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::row::{CsvRow, each};
use crate::cli::exit::Stop;
use crate::cli::results::Results;
use windtunnel::report::clean;
use windtunnel::scenario::NEW_YEAR_2026;
use windtunnel::units::{Money, Time};

/// The file that has the charges of the bill.
const SETTLED: &str = "settled.csv";

/// Amounts by list and effective, by purpose and commitment.
type PurposeSums = BTreeMap<(String, String), [i128; 2]>;

/// Use of instances in clock hours, and what it costs on the terms.
#[derive(Debug)]
pub(super) struct LinesOnTerms {
    /// By instance, in order of time: from, until, and the parts.
    lines: BTreeMap<String, Vec<(i64, i64, PurposeSums)>>,
    /// The run's start, in microseconds since 1970.
    start: i64,
}

/// What charges cost on the terms.
#[derive(Debug, Serialize)]
pub(super) struct CostOnTerms {
    list_usd: f64,
    effective_usd: f64,
    parts: Vec<PartOnTerms>,
    #[serde(skip)]
    sums: [i128; 2],
}

/// A part of it.
#[derive(Debug, Serialize)]
struct PartOnTerms {
    purpose: String,
    commitment: String,
    list_usd: f64,
    effective_usd: f64,
    #[serde(skip)]
    sums: [i128; 2],
}

impl LinesOnTerms {
    /// The lines of a run; `None` where it kept none.
    ///
    /// # Errors
    /// A cell cannot be read.
    pub(super) fn read(results: &Results) -> Result<Option<Self>, Stop> {
        if !results.has(SETTLED) {
            return Ok(None);
        }
        let mut found =
            Self { lines: BTreeMap::new(), start: super::start(results)?.unwrap_or(NEW_YEAR_2026) };
        let mut last = String::new();
        each(results, SETTLED, |row| {
            if row.cell("instance").is_empty() {
                return Ok(());
            }
            let lines = found.lines.entry(row.cell("instance").to_owned()).or_default();
            if lines.is_empty() || row.cell("line") != last {
                lines.push((micros(row, "from")?, micros(row, "until")?, PurposeSums::new()));
                row.cell("line").clone_into(&mut last);
            }
            let Some((.., parts)) = lines.last_mut() else { return Ok(()) };
            let key = (row.cell("purpose").to_owned(), row.cell("commitment").to_owned());
            let sums = parts.entry(key).or_default();
            sums[0] += row.nanos("list_usd")?;
            sums[1] += row.nanos("effective_usd")?;
            Ok(())
        })?;
        Ok(Some(found))
    }

    /// What machines in these charges cost on the terms: of each line of their machine the part that they are of
    /// it by list, each charge taken to be spread evenly over its time.
    ///
    /// # Errors
    /// A cell cannot be read.
    pub(super) fn of(&self, charges: &[CsvRow]) -> Result<CostOnTerms, Stop> {
        let mut sums = PurposeSums::new();
        for charge in charges.iter().filter(|row| row.cell("kind") != "transfer") {
            let amount = charge.nanos("amount_usd")?;
            let at = |time: Time| self.start + time.micros();
            let (from, until) = (at(charge.time("from_s")?), at(charge.time("until_s")?));
            let lines = self.lines.get(charge.cell("instance"));
            for (begins, ends, parts) in lines.into_iter().flatten() {
                let overlap = until.min(*ends) - from.max(*begins);
                let list: i128 = parts.values().map(|sums| sums[0]).sum();
                if overlap <= 0 || list == 0 {
                    continue;
                }
                let span = i128::from(until - from);
                let part = |of: i128| of * amount / list * i128::from(overlap) / span;
                for (key, both) in parts {
                    let sums = sums.entry(key.clone()).or_default();
                    sums[0] += part(both[0]);
                    sums[1] += part(both[1]);
                }
            }
        }
        Ok(CostOnTerms::new(sums))
    }
}

impl CostOnTerms {
    fn new(parts: PurposeSums) -> Self {
        let usd = |nanos: i128| nanos as f64 / 1e9;
        let all = |of: usize| parts.values().map(|sums| sums[of]).sum();
        let sums: [i128; 2] = [all(0), all(1)];
        let part = |((purpose, commitment), sums): ((String, String), [i128; 2])| PartOnTerms {
            purpose,
            commitment,
            list_usd: usd(sums[0]),
            effective_usd: usd(sums[1]),
            sums,
        };
        Self {
            list_usd: usd(sums[0]),
            effective_usd: usd(sums[1]),
            parts: parts.into_iter().map(part).collect(),
            sums,
        }
    }

    /// The same in words.
    pub(super) fn lines(&self) -> String {
        if self.parts.is_empty() {
            return "\nwhat the terms make of transfers is not told here\n".to_owned();
        }
        let [list, effective] = self.sums.map(Money::from_nanos);
        let mut text =
            format!("\non the terms its machines cost {effective}, by the list {list}\n");
        for part in &self.parts {
            let [list, effective] = part.sums.map(Money::from_nanos);
            text += &match part.purpose.as_str() {
                "covered" => {
                    let held = clean(&part.commitment);
                    format!("  {held} covers {list} of it, for {effective} of what it costs\n")
                }
                _ => format!("  nothing covers {list} of it, for which {effective} is paid\n"),
            };
        }
        text + "  each charge is taken to be spread evenly over its time; discounts of a month are not in it\n"
    }
}

/// A date of a row, in microseconds since 1970.
fn micros(row: &CsvRow, column: &str) -> Result<i64, Stop> {
    let stamp: Result<jiff::Timestamp, _> = row.cell(column).parse();
    Ok(stamp.map_err(|_| row.wrong(column, "a date"))?.as_microsecond())
}
