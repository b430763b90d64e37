//! Location of the data of a job, and the time and money that moving it took.

use super::clock::length;
use super::row::CsvRow;
use crate::cli::exit::Stop;
use windtunnel::report::clean;
use windtunnel::units::{Money, Span};

/// A line about the data of `job`; empty where it has none.
///
/// # Errors
/// A cell cannot be read.
pub(super) fn lines(job: &CsvRow, charges: &[CsvRow]) -> Result<String, Stop> {
    let home = job.cell("home");
    let bytes = |column| job.maybe_whole(column).map(|bytes| bytes.unwrap_or(0));
    let (input, output) = (bytes("input_bytes")?, bytes("output_bytes")?);
    if home.is_empty() || input + output == 0 {
        return Ok(String::new());
    }
    let (mut moved, mut cost, mut took) = (0, 0, Span::ZERO);
    for charge in charges.iter().filter(|charge| charge.cell("kind") == "transfer") {
        moved += charge.maybe_whole("bytes")?.unwrap_or(0);
        cost += charge.nanos("amount_usd")?;
        took += charge.time("until_s")? - charge.time("from_s")?;
    }
    let how = match (moved, job.cell("first_start_s")) {
        (_, "") => "it never ran".to_owned(),
        (0, _) => "it ran there, nothing was moved".to_owned(),
        (moved, _) => {
            let cost = Money::from_nanos(cost);
            format!("moving {} took {} and cost {cost}", size(moved), length(took))
        }
    };
    let (input, output, home) = (size(input), size(output), clean(home));
    Ok(format!("  data       reads {input} from {home}, writes {output} back; {how}\n"))
}

/// Bytes in GB, or in MB where they are fewer.
fn size(bytes: u64) -> String {
    match bytes {
        0 => "nothing".to_owned(),
        1..1_000_000_000 => format!("{} MB", (bytes as f64 / 1e3).round() / 1e3),
        _ => format!("{} GB", (bytes as f64 / 1e6).round() / 1e3),
    }
}
