//! `windtunnel verify`: textbook results and published tables, line by line.

use std::io::Write;

use super::args::Verify;
use super::exit::{Done, Stop};
use crate::experiment::verify::{Effort, Row, Verdict, verify as check};

/// Checks the simulator; a line that does not pass is a finding.
pub(super) fn verify(arguments: &Verify) -> Done {
    let effort = if arguments.quick { Effort::Quick } else { Effort::Full };
    let mut out = std::io::stdout().lock();
    let mut closed = None;
    let mut tell = |row: &Row| {
        if !arguments.json && closed.is_none() {
            closed = writeln!(out, "{}", line(row)).and_then(|()| out.flush()).err();
        }
    };
    if !arguments.json {
        tell_head(&mut std::io::stdout().lock())?;
    }
    let report = check(effort, &mut tell).map_err(Stop::Bug)?;
    if let Some(error) = closed {
        return Err(error.into());
    }
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        let passed = report.rows.iter().filter(|row| row.verdict == Verdict::Pass).count();
        writeln!(out, "\n{passed} of {} pass", report.rows.len())?;
    }
    if report.passed() {
        Ok(())
    } else {
        Err(Stop::Finding("some results are not reproduced".to_owned()))
    }
}

fn tell_head(out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{:<30} {:<44} {:>14} {:>14} {:>12} {:>9}  verdict",
        "system", "quantity", "expected", "simulated", "99 % +-", "precision"
    )
}

fn line(row: &Row) -> String {
    format!(
        "{:<30} {:<44} {:>14.6} {:>14.6} {:>12.6} {:>8.2} %  {}",
        row.name,
        row.quantity,
        row.expected,
        row.simulated,
        row.half_width,
        row.precision * 100.0,
        row.verdict.words()
    )
}
