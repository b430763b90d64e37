//! `windtunnel explain`: what happened to one job, and why, or what made one charge, from the files
//! of a run.

mod charge;
mod clock;
mod data;
mod line;
mod offer;
mod others;
mod phase;
mod row;
mod terms;
mod wait;

use std::io::Write;

use serde_json::json;

use self::clock::{RunClock, length};
use self::others::Others;
use self::phase::{WaitPhase, longest, phases};
use self::row::{CsvRow, rows};
use self::wait::JobStep;
use super::args::ExplainArgs;
use super::exit::{CommandResult, Stop};
use super::results::Results;
use windtunnel::problem::did_you_mean;
use windtunnel::report::{clean, guarded};
use windtunnel::scenario::NEW_YEAR_2026;
use windtunnel::units::{Calendar, Money, Span, Time};

/// The file that has a row for each job.
const JOBS: &str = "jobs.csv";
/// The file that says why they wait and start.
const NOTES: &str = "explain.csv";

/// Explains one job, or one charge.
pub(super) fn explain(arguments: &ExplainArgs) -> CommandResult {
    let results = Results::open(&arguments.run)?;
    let named = match (&arguments.job, arguments.charge) {
        (_, Some(charge)) => return line::explain(&results, charge, arguments.json),
        (job, None) => job.as_deref().unwrap_or_default(),
    };
    if !results.has(NOTES) {
        let message = format!("`{}` kept no reasons", arguments.run.display());
        return Err(Stop::usage(message, "run it again with --explain"));
    }
    let job = find(&results, named, arguments.ordinal.as_deref())?;
    let same = |column: &str, row: &CsvRow| row.cell(column) == job.cell(column);
    let of_job = |row: &CsvRow| same("source", row) && same("ordinal", row);
    let notes = rows(&results, NOTES, of_job)?;
    let charges = rows(&results, "charges.csv", of_job)?;
    let clock = clock(&results)?;
    let steps = wait::steps(&job, &notes)?;
    let (offers, ruled_out) = (offer::kinds(&notes)?, offer::ruled_out(&notes));
    let data = data::lines(&job, &charges)?;
    let overhead = charge::Overhead::read(&results, &job, &charges)?;
    let on_terms = line::settled(&results, &charges)?;
    let charges = charge::sums(&job, &charges)?;
    let waits = || steps.iter().filter_map(JobStep::wait);
    let all = waits().map(|wait| wait.until - wait.from).fold(Span::ZERO, |sum, one| sum + one);
    let (told, short, left) = longest(phases(&steps));
    let others = Others::read(&results, &job, &told)?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let waits: Vec<_> = waits().map(wait::WaitSpan::json).collect();
        let phases = told.iter().zip(&others.meanwhile);
        let phases: Vec<_> =
            phases.map(|(phase, meanwhile)| phase.json(all, clock, (meanwhile, &others))).collect();
        let all = json!({
            "job": job, "phases": phases, "waits": waits, "notes": notes, "offers": offers,
            "ruled_out": ruled_out, "charges": charges, "not_charged": overhead,
            "on_terms": on_terms, "waited_s": all.secs_f64(),
        });
        serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    let mut text = summary(&job, (&notes, &steps), clock)?;
    text += &data;
    text += &story(&job, &steps, (&told, all, &others), clock)?;
    if left > 0 {
        let spans =
            if left == 1 { "1 shorter span".to_owned() } else { format!("{left} shorter spans") };
        text += &format!("  {spans}, {} in all, not told here\n", length(short));
    }
    text += &offer::lines(&job, (&offers, &ruled_out), clock);
    text += &charge::lines(&charges, &overhead);
    text += &on_terms.map_or(String::new(), |on_terms| on_terms.lines());
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// The calendar of the run, as its time series has it. A start that nothing names is no date.
fn clock(results: &Results) -> Result<RunClock, Stop> {
    let named = start(results)?.filter(|start| *start != NEW_YEAR_2026);
    Ok(RunClock { calendar: named.map(Calendar::from_unix_micros) })
}

/// The start of the run in microseconds since 1970; `None` where its time series has no rows.
fn start(results: &Results) -> Result<Option<i64>, Stop> {
    let first = std::cell::Cell::new(true);
    let rows = rows(results, "timeseries.csv", |_| first.replace(false))?;
    let Some(row) = rows.first() else { return Ok(None) };
    let stamp: Result<jiff::Timestamp, _> = row.cell("time_utc").parse();
    let stamp = stamp.map_err(|_| row.wrong("time_utc", "a date"))?;
    Ok(Some(stamp.as_microsecond() - row.time("start_s")?.micros()))
}

/// The job called `name`, as it is or as a spreadsheet shows it; where several
/// are, the one with this ordinal.
fn find(results: &Results, name: &str, ordinal: Option<&str>) -> Result<CsvRow, Stop> {
    let guarded = guarded(name);
    let named = |row: &CsvRow| row.cell("job") == name || row.cell("job") == guarded;
    let mut found = rows(results, JOBS, named)?;
    if found.is_empty() {
        return Err(unknown(&rows(results, JOBS, |_| true)?, name));
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

/// Name of a row of `jobs.csv`, as `--ordinal` takes it.
fn identity(row: &CsvRow) -> String {
    match row.cell("source") {
        "0" => row.cell("ordinal").to_owned(),
        source => format!("{source}/{}", row.cell("ordinal")),
    }
}

fn unknown(all: &[CsvRow], name: &str) -> Stop {
    let names = || all.iter().map(|row| row.cell("job"));
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

/// Amounts of a resource given in thousandths, or whole.
fn thousandths(amount: u64) -> String {
    (amount as f64 / 1e3).to_string()
}

/// Expected runtime, and the time that it did run.
fn estimate(job: &CsvRow, (notes, steps): (&[CsvRow], &[JobStep])) -> Result<String, Stop> {
    let Some(estimate) = job.maybe_time("estimate_s")?.map(|time| time - Time::ZERO) else {
        return Ok("none".to_owned());
    };
    let mut text = length(estimate);
    if steps.iter().any(|step| matches!(step, JobStep::Preempted(_))) {
        return Ok(text + &parts(steps, job.time("end_s")?));
    }
    let whole =
        |note: &&CsvRow| note.cell("note") == "starts" && note.cell("tasks") == job.cell("tasks");
    let Some(start) = notes.iter().rfind(whole) else { return Ok(text) };
    let Some(until) = start.maybe_time("until_s")? else { return Ok(text) };
    let (expected, ran) =
        (until - start.time("time_s")?, job.time("end_s")? - start.time("time_s")?);
    if expected != estimate {
        let there = match job.cell("home") {
            "" => "on what it ran on",
            _ => "on what it ran on, moving its data included",
        };
        text += &format!("; {} {there}", length(expected));
    }
    if job.cell("state") == "finished" && expected > Span::ZERO {
        let share = 100.0 * ran.micros() as f64 / expected.micros() as f64;
        text += &format!("; it ran {}, {} % of that", length(ran), share.round());
    }
    Ok(text)
}

/// Time that preempted work ran in all, and the number of its parts; empty where its tasks ran
/// apart.
fn parts(steps: &[JobStep], end: Time) -> String {
    let (mut ran, mut parts, mut lost, mut since) = (Span::ZERO, 0_u64, Span::ZERO, None);
    for step in steps {
        match step {
            JobStep::Wait(_) => {}
            JobStep::Start(start) => {
                let Some(at) = start.whole() else { return String::new() };
                (since, parts) = (Some(at), parts + 1);
            }
            JobStep::Preempted(one) => {
                ran += since.take().map_or(Span::ZERO, |since| one.at - since);
                lost += one.lost.unwrap_or(Span::ZERO);
            }
        }
    }
    ran += since.map_or(Span::ZERO, |since| end - since);
    let lost = match lost {
        Span::ZERO => String::new(),
        lost => format!(" and lost {} of work", length(lost)),
    };
    match parts {
        0 => String::new(),
        1 => format!("; it ran {}{lost}", length(ran)),
        parts => format!("; it ran {} in {parts} parts{lost}", length(ran)),
    }
}

/// Name of the job, its demand and its outcome.
fn summary(job: &CsvRow, of: (&[CsvRow], &[JobStep]), clock: RunClock) -> Result<String, Stop> {
    let (tasks, gpus) = (job.whole("tasks")?, job.whole("gpus")?);
    let (cpu, memory) = (job.whole("cpu_milli")?, job.number("memory_mib")?);
    let mut asked = match cpu {
        1_000 => "1 core".to_owned(),
        _ => format!("{} cores", thousandths(cpu)),
    };
    if memory > 0.0 {
        asked += &format!(", {} GiB", (memory / 10.24).round() / 100.0);
    }
    let share = job.whole("gpu_share_milli")?;
    match (gpus, share) {
        (0, _) => {}
        (1, 1_000) => asked += ", 1 GPU",
        (gpus, 1_000) => asked += &format!(", {gpus} GPUs"),
        (gpus, share) => asked += &format!(", {gpus} x {} GPU", thousandths(share)),
    }
    if tasks > 1 {
        asked = format!("{tasks} tasks of {asked}");
    }
    if job.cell("exclusive") == "yes" {
        asked += ", on machines of its own";
    }
    let end = job.time("end_s")?;
    let started = job.maybe_time("first_start_s")?;
    let at = |time: Time| clock.at(time);
    let zone = if clock.calendar.is_some() { " UTC" } else { "" };
    let mut how = job.cell("state").to_owned();
    if !job.cell("reason").is_empty() {
        how += &format!(": {}", clean(job.cell("reason")));
    }
    // Work whose tenant is not told is of this one.
    let tenant = match clean(job.cell("tenant")) {
        tenant if tenant == "default" => String::new(),
        tenant => format!(" of tenant {tenant}"),
    };
    let ran = started
        .map_or_else(String::new, |start| format!(", {} after its start", length(end - start)));
    Ok(format!(
        "job {}{tenant}\n  asked for  {asked}\n  estimate   {}\n  submitted  {}{zone}\n  \
         started    {}\n  ended      {}{ran}, {how}\n  cost       {}\n",
        clean(job.cell("job")),
        estimate(job, of)?,
        at(job.time("submitted_s")?),
        started.map_or_else(|| "never".to_owned(), at),
        at(end),
        Money::from_nanos(job.nanos("cost_usd")?),
    ))
}

/// Starts and preemptions that are told of each job.
const EVENTS: usize = 12;

/// Causes of its wait, and of its start, in order.
fn story(
    job: &CsvRow,
    steps: &[JobStep],
    (told, all, others): (&[WaitPhase<'_>], Span, &Others),
    clock: RunClock,
) -> Result<String, Stop> {
    let mut lines: Vec<(Time, String)> = Vec::new();
    let events: Vec<(Time, String)> = steps.iter().filter_map(|step| step.event(clock)).collect();
    let (head, tail) = match events.len() <= EVENTS {
        true => (&events[..], &events[..0]),
        false => (&events[..EVENTS - 1], &events[events.len() - 1..]),
    };
    lines.extend(head.iter().cloned());
    if let ([.., (since, _)], [(_, _), ..]) = (head, tail) {
        let more = events.len() - EVENTS;
        lines.push((*since, format!("  {more} more starts and preemptions\n")));
    }
    lines.extend(tail.iter().cloned());
    // Events at the beginning of a phase are told before it.
    for (phase, meanwhile) in told.iter().zip(&others.meanwhile) {
        let mut text = format!("  {}\n", phase.head(all, clock));
        for sentence in phase.sentences(clock, meanwhile, others) {
            text += &format!("    {sentence}\n");
        }
        lines.push((phase.from(), text));
    }
    lines.sort_by_key(|(at, _)| *at);
    let lines: String = lines.into_iter().map(|(_, text)| text).collect();
    if told.is_empty() {
        return Ok(format!("\nIt did not wait.\n{lines}"));
    }
    Ok(format!("\nwaited {}\n{lines}", waited(job, all)?))
}

/// Wait in all, and until its first start where `jobs.csv` has another wait.
fn waited(job: &CsvRow, all: Span) -> Result<String, Stop> {
    let Some(started) = job.maybe_time("first_start_s")? else { return Ok(length(all)) };
    Ok(match started - job.time("submitted_s")? {
        first if first == all => length(all),
        Span::ZERO => format!("{} in all, none of it before its first start", length(all)),
        first => format!("{} until its first start, {} in all", length(first), length(all)),
    })
}
