//! `windtunnel explain`: what happened to one job, and why, from the files of
//! a run.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde_json::json;

use super::args::Explain;
use super::exit::{Done, Stop};
use super::folder::MANIFEST;
use crate::problem::did_you_mean;
use crate::report::clean;
use crate::units::Span;

/// A row of a result file by column name.
type Row = BTreeMap<String, String>;

/// A waiting interval.
struct Wait {
    from: f64,
    until: f64,
    why: String,
}

/// Explains one job.
pub(super) fn explain(arguments: &Explain) -> Done {
    let folder = &arguments.run;
    if !folder.join(MANIFEST).exists() {
        let message = format!("`{}` is not a complete folder of results", folder.display());
        return Err(Stop::usage(message, "name a folder written by `windtunnel run --explain`"));
    }
    if !folder.join("explain.csv").exists() {
        let message = format!("`{}` kept no reasons", folder.display());
        return Err(Stop::usage(message, "run it again with --explain"));
    }
    let job = find(folder, &arguments.job)?;
    let of_job = |row: &Row| row.get("job") == Some(&arguments.job);
    let notes = rows(&folder.join("explain.csv"), of_job)?;
    let charges = rows(&folder.join("charges.csv"), of_job)?;
    let waits = waits(&job, &notes);
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let waits: Vec<_> = waits
            .iter()
            .map(|wait| json!({ "from_s": wait.from, "until_s": wait.until, "why": wait.why }))
            .collect();
        let all = json!({ "job": job, "waits": waits, "notes": notes, "charges": charges });
        serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    out.write_all(tell(&job, &waits, &notes, &charges).as_bytes())?;
    Ok(())
}

fn find(folder: &Path, name: &str) -> Result<Row, Stop> {
    let path = folder.join("jobs.csv");
    if let Some(row) = rows(&path, |row| row.get("job").is_some_and(|job| job == name))?.pop() {
        return Ok(row);
    }
    let all = rows(&path, |_| true)?;
    let names = || all.iter().filter_map(|row| row.get("job")).map(String::as_str);
    let hint = match did_you_mean(name, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!(
            "it has {} jobs, the first is `{}`",
            all.len(),
            names().next().map(clean).unwrap_or_default()
        ),
    };
    Err(Stop::usage(format!("the run has no job `{name}`"), hint))
}

/// The rows of a file that `keep` accepts.
fn rows(path: &Path, keep: impl Fn(&Row) -> bool) -> Result<Vec<Row>, Stop> {
    let read = || -> anyhow::Result<Vec<Row>> {
        let mut reader = csv::Reader::from_path(path)?;
        let mut kept = Vec::new();
        for row in reader.deserialize() {
            let row: Row = row?;
            if keep(&row) {
                kept.push(row);
            }
        }
        Ok(kept)
    };
    Ok(read().with_context(|| format!("cannot read `{}`", path.display()))?)
}

fn cell<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

fn secs(row: &Row, column: &str) -> Option<f64> {
    cell(row, column).parse().ok()
}

/// Each reason holds until the next one, the last until the job started or ended.
fn waits(job: &Row, notes: &[Row]) -> Vec<Wait> {
    let Some(end) = secs(job, "first_start_s").or_else(|| secs(job, "end_s")) else {
        return Vec::new();
    };
    let reasons: Vec<(f64, &str)> = notes
        .iter()
        .filter(|note| cell(note, "note") == "waits")
        .filter_map(|note| Some((secs(note, "time_s")?, cell(note, "why"))))
        .collect();
    let until = |at: usize| reasons.get(at + 1).map_or(end, |&(next, _)| next);
    reasons
        .iter()
        .enumerate()
        .map(|(at, &(from, why))| Wait { from, until: until(at), why: why.to_owned() })
        .filter(|wait| wait.until > wait.from)
        .collect()
}

/// Seconds since the run's start, as a person says them.
fn moment(secs: f64) -> String {
    Span::from_secs_f64(secs).map_or_else(|| "?".to_owned(), |span| span.to_string())
}

fn moment_of(row: &Row, column: &str) -> String {
    secs(row, column).map_or_else(|| "-".to_owned(), moment)
}

fn tell(job: &Row, waits: &[Wait], notes: &[Row], charges: &[Row]) -> String {
    let mut text =
        format!("job {} of tenant {}\n", clean(cell(job, "job")), clean(cell(job, "tenant")));
    text += &format!(
        "  asked for  {} x ({} milli-cores, {} MiB, {} GPUs)\n",
        cell(job, "tasks"),
        cell(job, "cpu_milli"),
        cell(job, "memory_mib"),
        cell(job, "gpus")
    );
    text += &format!("  submitted  after {}\n", moment_of(job, "submitted_s"));
    text += &format!("  started    after {}\n", moment_of(job, "first_start_s"));
    text += &format!(
        "  ended      after {}, {} {}\n",
        moment_of(job, "end_s"),
        cell(job, "state"),
        cell(job, "reason")
    );
    text += &format!("  cost       {} USD\n", cell(job, "cost_usd"));
    if waits.is_empty() {
        text += "\nit did not wait\n";
    } else {
        text += &format!("\nwaited {}\n", moment_of(job, "wait_s"));
        for wait in waits {
            text += &format!(
                "  {} from {} to {}: {}\n",
                moment(wait.until - wait.from),
                moment(wait.from),
                moment(wait.until),
                wait.why
            );
        }
    }
    text += &offers(notes);
    text += "\ncharges\n";
    for charge in charges {
        text += &format!(
            "  {} USD for {} on instance {} ({}), {} to {}\n",
            cell(charge, "amount_usd"),
            cell(charge, "kind"),
            cell(charge, "instance"),
            clean(cell(charge, "offer")),
            moment_of(charge, "from_s"),
            moment_of(charge, "until_s")
        );
    }
    text
}

/// The offers that were weighed, the cheapest first; many are cut short.
fn offers(notes: &[Row]) -> String {
    const SHOWN: usize = 12;
    let weighed: Vec<&Row> = notes.iter().filter(|note| cell(note, "note") != "waits").collect();
    if weighed.is_empty() {
        return "\nno offer was weighed: it ran on what was there\n".to_owned();
    }
    let mut text = "\noffers weighed\n".to_owned();
    let mut sorted = weighed;
    let key = |note: &Row| secs(note, "cost_usd").unwrap_or(f64::MAX);
    sorted.sort_by(|one, other| {
        let chosen = |note: &Row| cell(note, "note") != "offer rented";
        chosen(one).cmp(&chosen(other)).then(key(one).total_cmp(&key(other)))
    });
    for note in sorted.iter().take(SHOWN) {
        let cost = match cell(note, "cost_usd") {
            "" => String::new(),
            cost => format!(", expected cost {cost} USD"),
        };
        text += &format!(
            "  after {}: {} {}{cost}{}{}\n",
            moment_of(note, "time_s"),
            cell(note, "note"),
            clean(cell(note, "offer")),
            if cell(note, "why").is_empty() { "" } else { ": " },
            cell(note, "why")
        );
    }
    if sorted.len() > SHOWN {
        text += &format!("  and {} more in explain.csv\n", sorted.len() - SHOWN);
    }
    text
}
