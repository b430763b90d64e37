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
use crate::input;
use crate::problem::did_you_mean;
use crate::report::{clean, guarded};
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
    let job = find(folder, &arguments.job, arguments.ordinal.as_deref())?;
    let same = |column: &str, row: &Row| row.get(column) == job.get(column);
    let of_job = |row: &Row| same("source", row) && same("ordinal", row);
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

/// The job called `name`, as it is or as a spreadsheet shows it; where several
/// are, the one with this ordinal.
fn find(folder: &Path, name: &str, ordinal: Option<&str>) -> Result<Row, Stop> {
    let path = folder.join("jobs.csv");
    let guarded = guarded(name);
    let named = |row: &Row| row.get("job").is_some_and(|job| job == name || *job == guarded);
    let mut found = rows(&path, named)?;
    if found.is_empty() {
        return Err(unknown(&rows(&path, |_| true)?, name));
    }
    let identities: Vec<String> = found.iter().map(identity).collect();
    let wanted = match (ordinal, &identities[..]) {
        (None, [_]) => Some(0),
        (None, _) => {
            let message = format!("{} jobs are called `{}`", identities.len(), clean(name));
            let hint = format!("pick one with `--ordinal`: {}", some(&identities).join(", "));
            return Err(Stop::usage(message, hint));
        }
        (Some(ordinal), _) => identities.iter().position(|identity| identity == ordinal),
    };
    match wanted {
        Some(row) => Ok(found.swap_remove(row)),
        None => {
            let message = format!("no job called `{}` has this ordinal", clean(name));
            Err(Stop::usage(message, format!("there is: {}", some(&identities).join(", "))))
        }
    }
}

/// The first few of many.
fn some(identities: &[String]) -> &[String] {
    &identities[..identities.len().min(5)]
}

/// How `--ordinal` names a row of `jobs.csv`.
fn identity(row: &Row) -> String {
    match cell(row, "source") {
        "0" => cell(row, "ordinal").to_owned(),
        source => format!("{source}/{}", cell(row, "ordinal")),
    }
}

fn unknown(all: &[Row], name: &str) -> Stop {
    let names = || all.iter().filter_map(|row| row.get("job")).map(String::as_str);
    let hint = match did_you_mean(name, names()) {
        Some(meant) => format!("did you mean `{}`?", clean(meant)),
        None => format!(
            "it has {} jobs, the first is `{}`",
            all.len(),
            names().next().map(clean).unwrap_or_default()
        ),
    };
    Stop::usage(format!("the run has no job `{}`", clean(name)), hint)
}

/// The rows of a file that `keep` accepts.
fn rows(path: &Path, keep: impl Fn(&Row) -> bool) -> Result<Vec<Row>, Stop> {
    let file = input::unfold(path, &path.display().to_string())?;
    let read = || -> anyhow::Result<Vec<Row>> {
        let mut reader = csv::Reader::from_reader(file);
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

/// Each reason holds until the next one, or until the job starts; the last
/// until it ended.
fn waits(job: &Row, notes: &[Row]) -> Vec<Wait> {
    let Some(end) = secs(job, "end_s") else { return Vec::new() };
    let turns: Vec<(f64, Option<&str>)> = notes
        .iter()
        .filter_map(|note| {
            let why = match cell(note, "note") {
                "waits" => Some(cell(note, "why")),
                "starts" => None,
                _ => return None,
            };
            Some((secs(note, "time_s")?, why))
        })
        .collect();
    let until = |at: usize| turns.get(at + 1).map_or(end, |&(next, _)| next);
    turns
        .iter()
        .enumerate()
        .filter_map(|(at, &(from, why))| {
            Some(Wait { from, until: until(at), why: why?.to_owned() })
        })
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
        let all: f64 = waits.iter().map(|wait| wait.until - wait.from).sum();
        text += &format!("\nwaited {}\n", moment(all));
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
    for note in notes.iter().filter(|note| cell(note, "note") == "preempted") {
        text += &format!("preempted after {}\n", moment_of(note, "time_s"));
    }
    text += &offers(job, notes);
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
fn offers(job: &Row, notes: &[Row]) -> String {
    const SHOWN: usize = 12;
    let about_offers =
        |note: &&Row| !["waits", "starts", "preempted"].contains(&cell(note, "note"));
    let weighed: Vec<&Row> = notes.iter().filter(about_offers).collect();
    if weighed.is_empty() {
        let ran = match cell(job, "first_start_s") {
            "" => "it never ran",
            _ => "it ran on what was there",
        };
        return format!("\nno offer was weighed: {ran}\n");
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
