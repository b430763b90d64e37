//! What a job was charged, by kind.

use serde::Serialize;

use super::row::CsvRow;
use super::wait::CUT;
use crate::cli::exit::Stop;
use crate::report::clean;
use crate::units::Money;

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

/// The sums as lines.
pub(super) fn tell(sums: &[ChargeSum]) -> String {
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
        false => format!("\ncharges\n{text}"),
    }
}
