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

/// Lines of the bill, by what used them, and what they cost on the terms.
#[derive(Debug)]
pub(super) struct LinesOnTerms {
    /// Use of instances, and by instance, source and ordinal of the work, and region, data that was moved.
    machines: BTreeMap<String, Vec<LineOnTerms>>,
    moved: BTreeMap<[String; 5], Vec<LineOnTerms>>,
    /// The run's start, in microseconds since 1970.
    start: i64,
}

/// A line: its time, in microseconds since 1970, and its parts.
#[derive(Debug)]
struct LineOnTerms {
    from: i64,
    until: i64,
    parts: PurposeSums,
    /// Of data that was moved, what was paid, price by price.
    steps: Vec<PriceStep>,
}

/// Gigabytes that were paid at one price.
#[derive(Clone, Debug, Serialize)]
struct PriceStep {
    gigabytes: f64,
    usd_per_gb: f64,
}

/// What charges cost on the terms.
#[derive(Debug, Serialize)]
pub(super) struct CostOnTerms {
    machines: SumOnTerms,
    transfers: SumOnTerms,
    /// The gigabytes of the transfers by the price that is paid.
    steps: Vec<PriceStep>,
}

/// What machines, or transfers, cost on the terms.
#[derive(Debug, Serialize)]
struct SumOnTerms {
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

/// What data that was moved has in common, in both files.
const MOVED: [&str; 5] = ["instance", "source", "ordinal", "provider", "region"];

impl LinesOnTerms {
    /// The lines of a run; `None` where it kept none.
    ///
    /// # Errors
    /// A cell cannot be read.
    pub(super) fn read(results: &Results) -> Result<Option<Self>, Stop> {
        if !results.has(SETTLED) {
            return Ok(None);
        }
        let start = super::start(results)?.unwrap_or(NEW_YEAR_2026);
        let mut found = Self { machines: BTreeMap::new(), moved: BTreeMap::new(), start };
        let mut last = String::new();
        each(results, SETTLED, |row| {
            let lines = match row.cell("service") {
                _ if row.cell("instance").is_empty() => return Ok(()),
                "compute" => found.machines.entry(row.cell("instance").to_owned()).or_default(),
                "transfer" => found.moved.entry(moved(row)).or_default(),
                _ => return Ok(()),
            };
            if lines.is_empty() || row.cell("line") != last {
                let (from, until) = (micros(row, "from")?, micros(row, "until")?);
                let parts = PurposeSums::new();
                lines.push(LineOnTerms { from, until, parts, steps: Vec::new() });
                row.cell("line").clone_into(&mut last);
            }
            let Some(line) = lines.last_mut() else { return Ok(()) };
            let key = (row.cell("purpose").to_owned(), row.cell("commitment").to_owned());
            let sums = line.parts.entry(key).or_default();
            sums[0] += row.nanos("list_usd")?;
            sums[1] += row.nanos("effective_usd")?;
            if row.cell("service") == "transfer" {
                let [gigabytes, usd_per_gb] =
                    [number(row, "quantity")?, number(row, "contracted_price")?];
                line.steps.push(PriceStep { gigabytes, usd_per_gb });
            }
            Ok(())
        })?;
        Ok(Some(found))
    }

    /// What these charges cost on the terms: of each line that they are of the part that they have of it by
    /// list, each charge of a machine taken to be spread evenly over its time.
    ///
    /// # Errors
    /// A cell cannot be read.
    pub(super) fn of(&self, charges: &[CsvRow]) -> Result<CostOnTerms, Stop> {
        let [mut machines, mut transfers] = [PurposeSums::new(), PurposeSums::new()];
        let mut steps = Vec::new();
        for charge in charges {
            let amount = charge.nanos("amount_usd")?;
            let at = |time: Time| self.start + time.micros();
            let (from, until) = (at(charge.time("from_s")?), at(charge.time("until_s")?));
            match charge.cell("kind") {
                "transfer" => {
                    let lines = self.moved.get(&moved(charge));
                    // It is charged when its tasks end, with all others of them.
                    let first =
                        lines.and_then(|lines| lines.iter().find(|line| line.from >= until));
                    let Some(at) = first.map(|line| line.from) else { continue };
                    let mut all = PurposeSums::new();
                    for line in lines.into_iter().flatten().filter(|line| line.from == at) {
                        add(&mut all, &line.parts, |part| part);
                    }
                    let list: i128 = all.values().map(|sums| sums[0]).sum();
                    if list != 0 {
                        add(&mut transfers, &all, |of| of * amount / list);
                        let share = amount as f64 / list as f64;
                        let here = lines.into_iter().flatten().filter(|line| line.from == at);
                        here.flat_map(|line| &line.steps).for_each(|step| {
                            add_step(&mut steps, step.usd_per_gb, step.gigabytes * share);
                        });
                    }
                }
                _ => {
                    for line in self.machines.get(charge.cell("instance")).into_iter().flatten() {
                        let overlap = until.min(line.until) - from.max(line.from);
                        let list: i128 = line.parts.values().map(|sums| sums[0]).sum();
                        if overlap <= 0 || list == 0 {
                            continue;
                        }
                        let (overlap, span) = (i128::from(overlap), i128::from(until - from));
                        add(&mut machines, &line.parts, |of| of * amount / list * overlap / span);
                    }
                }
            }
        }
        Ok(CostOnTerms {
            machines: SumOnTerms::new(machines),
            transfers: SumOnTerms::new(transfers),
            steps,
        })
    }
}

/// Adds what `part` takes of these sums.
fn add(sums: &mut PurposeSums, of: &PurposeSums, part: impl Fn(i128) -> i128) {
    for (key, both) in of {
        let sums = sums.entry(key.clone()).or_default();
        sums[0] += part(both[0]);
        sums[1] += part(both[1]);
    }
}

/// Adds gigabytes to those of their price.
fn add_step(steps: &mut Vec<PriceStep>, usd_per_gb: f64, gigabytes: f64) {
    match steps.iter_mut().find(|step| step.usd_per_gb == usd_per_gb) {
        Some(step) => step.gigabytes += gigabytes,
        None => steps.push(PriceStep { gigabytes, usd_per_gb }),
    }
}

/// A number of a row.
fn number(row: &CsvRow, column: &str) -> Result<f64, Stop> {
    row.cell(column).parse().map_err(|_| row.wrong(column, "a number"))
}

/// What data that was moved has in common with its line.
fn moved(row: &CsvRow) -> [String; 5] {
    MOVED.map(|column| row.cell(column).to_owned())
}

impl CostOnTerms {
    /// The same in words.
    pub(super) fn lines(&self) -> String {
        let (machines, transfers) = (&self.machines, &self.transfers);
        let mut text = String::new();
        if !machines.parts.is_empty() {
            text += &machines.head("machines");
            text += &machines.parts.iter().map(PartOnTerms::line).collect::<String>();
            text += "  each charge is taken to be spread evenly over its time; discounts of a month are not in it\n";
        }
        if !transfers.parts.is_empty() {
            text += &transfers.head("transfers");
            let step = |step: &PriceStep| {
                format!("{} GB at {} USD", rounded(step.gigabytes), step.usd_per_gb)
            };
            let steps: Vec<String> = self.steps.iter().map(step).collect();
            text += &format!("  {}\n", steps.join(", "));
            text += "  at the price of their path, by the tiers of the month where it has any, in the order in which \
                     data was moved\n";
        }
        text
    }
}

/// Gigabytes to the thousandth.
fn rounded(gigabytes: f64) -> f64 {
    (gigabytes * 1_000.0).round() / 1_000.0
}

impl SumOnTerms {
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

    fn head(&self, what: &str) -> String {
        let [list, effective] = self.sums.map(Money::from_nanos);
        format!("\non the terms its {what} cost {effective}, by the list {list}\n")
    }
}

impl PartOnTerms {
    fn line(&self) -> String {
        let [list, effective] = self.sums.map(Money::from_nanos);
        match self.purpose.as_str() {
            "covered" => {
                let held = clean(&self.commitment);
                format!("  {held} covers {list} of it, for {effective} of what it costs\n")
            }
            _ => format!("  nothing covers {list} of it, for which {effective} is paid\n"),
        }
    }
}

/// A date of a row, in microseconds since 1970.
fn micros(row: &CsvRow, column: &str) -> Result<i64, Stop> {
    let stamp: Result<jiff::Timestamp, _> = row.cell(column).parse();
    Ok(stamp.map_err(|_| row.wrong(column, "a date"))?.as_microsecond())
}
