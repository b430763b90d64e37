//! Charges of a job, by kind.

use std::collections::BTreeMap;

use serde::Serialize;

use super::row::{CsvRow, each};
use super::wait::CUT;
use crate::cli::exit::Stop;
use crate::cli::results::Results;
use windtunnel::report::clean;
use windtunnel::units::Money;

/// Charges of one kind on one offer.
#[derive(Debug, Serialize)]
pub(super) struct ChargeSum {
    kind: String,
    offer: String,
    #[serde(skip)]
    nanos: i128,
    amount_usd: f64,
    instances: usize,
    lines: usize,
    bytes: u64,
}

/// The charges by kind and offer, the dearest first.
///
/// # Errors
/// A cell cannot be read, or they do not sum to the cost of the job.
pub(super) fn sums(job: &CsvRow, charges: &[CsvRow]) -> Result<Vec<ChargeSum>, Stop> {
    let mut sums: Vec<(ChargeSum, Vec<&str>)> = Vec::new();
    for charge in charges {
        let (kind, offer) = (charge.cell("kind"), charge.cell("offer"));
        let known = sums.iter().position(|(sum, _)| sum.kind == kind && sum.offer == offer);
        let at = known.unwrap_or_else(|| {
            let (kind, offer) = (kind.to_owned(), offer.to_owned());
            let sum = ChargeSum {
                kind,
                offer,
                nanos: 0,
                amount_usd: 0.0,
                instances: 0,
                lines: 0,
                bytes: 0,
            };
            sums.push((sum, Vec::new()));
            sums.len() - 1
        });
        let (sum, instances) = &mut sums[at];
        sum.nanos += charge.nanos("amount_usd")?;
        sum.bytes += charge.maybe_whole("bytes")?.unwrap_or(0);
        sum.lines += 1;
        let instance = charge.cell("instance");
        if !instances.contains(&instance) {
            instances.push(instance);
        }
        (sum.instances, sum.amount_usd) = (instances.len(), sum.nanos as f64 / 1e9);
    }
    let all: i128 = sums.iter().map(|(sum, _)| sum.nanos).sum();
    if all != job.nanos("cost_usd")? {
        let message = "the lines of this job in `charges.csv` do not sum to its cost in `jobs.csv`";
        return Err(Stop::usage(message, CUT));
    }
    let mut sums: Vec<ChargeSum> = sums.into_iter().map(|(sum, _)| sum).collect();
    sums.sort_by_key(|one| std::cmp::Reverse(one.nanos));
    Ok(sums)
}

/// Boot and idle time of rented instances on which a job ran. They are charged to nobody.
#[derive(Debug, Default, Serialize)]
pub(super) struct Overhead {
    /// Rented instances on which nothing else ran.
    instances: usize,
    boot_usd: f64,
    idle_usd: f64,
    /// Rented instances on which other work ran too.
    shared: usize,
    #[serde(skip)]
    boot: i128,
    #[serde(skip)]
    idle: i128,
}

impl Overhead {
    /// Overhead of the instances in `charges`, which are those of `job`.
    ///
    /// # Errors
    /// A cell cannot be read.
    pub(super) fn read(results: &Results, job: &CsvRow, charges: &[CsvRow]) -> Result<Self, Stop> {
        let mut instances: BTreeMap<String, OwnInstance> = BTreeMap::new();
        for charge in charges.iter().filter(|row| is_work(row) && row.cell("market") != "owned") {
            instances.entry(charge.cell("instance").to_owned()).or_default();
        }
        let mut found = Self::default();
        if instances.is_empty() {
            return Ok(found);
        }
        let same = |row: &CsvRow, column: &str| row.cell(column) == job.cell(column);
        each(results, "charges.csv", |row| {
            let Some(instance) = instances.get_mut(row.cell("instance")) else { return Ok(()) };
            match row.cell("kind") {
                "boot" => instance.boot += row.nanos("amount_usd")?,
                "idle" => instance.idle += row.nanos("amount_usd")?,
                _ => {
                    let own = same(row, "source") && same(row, "ordinal");
                    instance.is_shared |= is_work(row) && !own;
                }
            }
            Ok(())
        })?;
        for instance in instances.values() {
            if instance.is_shared {
                found.shared += 1;
                continue;
            }
            found.instances += 1;
            found.boot += instance.boot;
            found.idle += instance.idle;
        }
        (found.boot_usd, found.idle_usd) = (found.boot as f64 / 1e9, found.idle as f64 / 1e9);
        Ok(found)
    }

    fn sentence(&self) -> String {
        let rented = |count: usize| match count {
            1 => "1 rented instance".to_owned(),
            many => format!("{many} rented instances"),
        };
        let mut text = String::new();
        if self.instances > 0 {
            let (boot, idle) = (Money::from_nanos(self.boot), Money::from_nanos(self.idle));
            text += &format!(
                "  not in its cost: {boot} for boot and {idle} for idle time of {} on which nothing else ran\n",
                rented(self.instances)
            );
        }
        if self.shared > 0 {
            text += &format!(
                "  not in its cost: boot and idle time of {} on which other work ran too\n",
                rented(self.shared)
            );
        }
        text
    }
}

/// A rented instance on which a job ran.
#[derive(Debug, Default)]
struct OwnInstance {
    is_shared: bool,
    boot: i128,
    idle: i128,
}

fn is_work(row: &CsvRow) -> bool {
    row.cell("kind") == "work"
}

/// The sums as lines, and the overhead that is in nobody's cost.
pub(super) fn lines(sums: &[ChargeSum], overhead: &Overhead) -> String {
    let mut text = String::new();
    for sum in sums.iter().filter(|sum| sum.nanos != 0 || sum.bytes != 0) {
        let on = match sum.instances {
            1 => "1 instance".to_owned(),
            many => format!("{many} instances"),
        };
        let moved = match sum.bytes {
            0 => String::new(),
            bytes => format!(", {} GB moved", (bytes as f64 / 1e6).round() / 1e3),
        };
        let (amount, offer) = (Money::from_nanos(sum.nanos), clean(&sum.offer));
        text += &format!("  {amount} for {} on {on} of {offer}{moved}\n", sum.kind);
    }
    match text.is_empty() {
        true => "\nno charges\n".to_owned(),
        false => format!("\ncharges\n{text}{}", overhead.sentence()),
    }
}
