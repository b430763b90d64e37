//! One charge: which price, share, rule, tier and commitment made it.

use std::io::Write;

use serde_json::json;

use super::clock::length;
use super::row::{CsvRow, each, rows};
use super::terms::{CostOnTerms, LinesOnTerms};
use crate::cli::exit::{CommandResult, Stop};
use crate::cli::results::Results;
use windtunnel::billing::rules::shipped;
use windtunnel::report::clean;
use windtunnel::units::Money;

/// The file that has a row for each charge.
const CHARGES: &str = "charges.csv";

/// Explains the charge of that number: of a run, or of a bill of usage.
pub(super) fn explain(results: &Results, number: u64, as_json: bool) -> CommandResult {
    let wanted = number.to_string();
    let found = rows(results, CHARGES, |row| row.cell("charge") == wanted)?;
    let Some(charge) = found.first() else {
        let mut count = 0_u64;
        each(results, CHARGES, |_| {
            count += 1;
            Ok(())
        })?;
        let message = format!("there is no charge {number}");
        let hint = match count.checked_sub(1) {
            Some(last) => format!("`{CHARGES}` has charges 0 to {last}"),
            None => format!("`{CHARGES}` has no charges"),
        };
        return Err(Stop::usage(message, hint));
    };
    let (text, all) = match charge.cell("purpose") {
        "" => of_run(results, charge)?,
        _ => of_bill(results, charge)?,
    };
    let mut out = std::io::stdout().lock();
    match as_json {
        true => {
            serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        false => out.write_all(text.as_bytes())?,
    }
    Ok(())
}

/// A charge of a run, at list prices, and what the terms make of it.
fn of_run(results: &Results, charge: &CsvRow) -> Result<(String, serde_json::Value), Stop> {
    let clock = super::clock(results)?;
    let number = charge.cell("instance");
    let instances = rows(results, "instances.csv", |row| row.cell("instance") == number)?;
    let lines = LinesOnTerms::read(results)?;
    let settled = lines.as_ref().map(|lines| lines.of(std::slice::from_ref(charge))).transpose()?;
    let mut text = format!("charge {}\n", charge.cell("charge"));
    let mut add = |name: &str, words: String| text += &format!("  {name:<10} {words}\n");
    add("for", whose(charge));
    let (from, until) = (charge.time("from_s")?, charge.time("until_s")?);
    add("when", format!("{} to {}, {}", clock.at(from), clock.at(until), length(until - from)));
    match charge.cell("kind") {
        "transfer" => {
            let gib = charge.whole("bytes")? as f64 / f64::from(1 << 30);
            add("quantity", format!("{gib:.3} GiB that leave {}", clean(charge.cell("region"))));
            if gib > 0.0 {
                let price = charge.nanos("amount_usd")? as f64 / 1e9 / gib;
                add("price", format!("{price:.6} USD/GiB"));
            }
        }
        kind => {
            if let Some(instance) = instances.first() {
                machine(instance, &mut add)?;
            }
            if !charge.cell("share").is_empty() {
                let share = charge.number("share")? * 100.0;
                let words = "the largest share of any resource of the machine that it held";
                add("share", format!("{share} %: {words}"));
            }
            add("split", split(kind).to_owned());
        }
    }
    add("amount", format!("{}, by the list", Money::from_nanos(charge.nanos("amount_usd")?)));
    if let Some(settled) = &settled {
        text += &settled.lines();
    }
    let json = json!({ "charge": charge, "instance": instances.first(), "settled": settled });
    Ok((text, json))
}

/// Work, or what else the charge is for.
fn whose(charge: &CsvRow) -> String {
    let on = format!("instance {}, {}", charge.cell("instance"), clean(charge.cell("offer")));
    match (charge.cell("kind"), charge.cell("job")) {
        (kind, "") => format!("{kind} time of {on}"),
        (kind, job) => {
            let tenant = clean(charge.cell("tenant"));
            format!("{kind} of job {} of tenant {tenant}, on {on}", clean(job))
        }
    }
}

/// Price of a machine, and the time that its provider's rule bills.
fn machine(instance: &CsvRow, add: &mut impl FnMut(&str, String)) -> Result<(), Stop> {
    let billed = instance.number("billed_s")?;
    let lived = (instance.time("released_s")? - instance.time("requested_s")?).secs_f64();
    let cost = instance.nanos("cost_usd")?;
    if billed > 0.0 {
        let price = cost as f64 / 1e9 / billed * 3_600.0;
        add("price", format!("{price:.6} USD/h, the mean over the machine's life"));
    }
    let more = match billed - lived {
        more if more > 0.0 => format!(", {more:.6} s of it by the provider's rule"),
        _ => String::new(),
    };
    let (cost, hours) = (Money::from_nanos(cost), billed / 3_600.0);
    add("rule", format!("the machine costs {cost} for {hours:.4} h that are billed{more}"));
    Ok(())
}

/// How a charge of that kind is divided from what its machine costs.
fn split(kind: &str) -> &'static str {
    match kind {
        "work" => "the price of each moment, by the shares that work holds; rounded down",
        "boot" => "the price until the machine is ready, which is nobody's",
        _ => "what no work holds, what the rule adds, and what rounding leaves",
    }
}

/// A charge of a bill of usage.
fn of_bill(results: &Results, charge: &CsvRow) -> Result<(String, serde_json::Value), Stop> {
    let line = charge.cell("line");
    let same = match line {
        "" => Vec::new(),
        _ => rows(results, CHARGES, |row| row.cell("line") == line)?,
    };
    let mut text = format!("charge {}\n", charge.cell("charge"));
    let mut add = |name: &str, words: String| text += &format!("  {name:<10} {words}\n");
    let cell = |column: &str| clean(charge.cell(column));
    let thing = [cell("provider"), cell("service"), cell("type"), cell("region")].join(" ");
    let of = if line.is_empty() { String::new() } else { format!("row {line} of the usage: ") };
    add("for", format!("{}, {of}{}", charge.cell("purpose"), thing.trim()));
    add("account", cell("account"));
    add("when", format!("{} to {}", cell("from"), cell("until")));
    if charge.cell("service") == "compute" && matches!(charge.cell("purpose"), "usage" | "covered")
    {
        add("rule", time_rule(charge.cell("provider")));
    }
    if !charge.cell("list_price").is_empty() && !charge.cell("quantity").is_empty() {
        let tiers = same.iter().any(|row| row.cell("list_price") != charge.cell("list_price"));
        let tier = if tiers { ", a step of the month's quantity" } else { "" };
        let (quantity, unit) = (charge.cell("quantity"), charge.cell("unit"));
        add("list", format!("{quantity} {unit} at {} USD{tier}", charge.cell("list_price")));
    }
    add("why", why(charge));
    for (name, column) in AMOUNTS {
        add(name, Money::from_nanos(charge.nanos(column)?).to_string());
    }
    if same.len() > 1 {
        let mut words = Vec::new();
        for (name, column) in AMOUNTS {
            let all: Result<Vec<i128>, Stop> = same.iter().map(|row| row.nanos(column)).collect();
            words.push(format!("{name} {}", Money::from_nanos(all?.into_iter().sum())));
        }
        add("its row", format!("{} charges: {}", same.len(), words.join(", ")));
    }
    Ok((text, json!({ "charge": charge, "same_row": same })))
}

/// The four amounts of a charge, with their columns.
const AMOUNTS: [(&str, &str); 4] = [
    ("by list", "list_usd"),
    ("negotiated", "contracted_usd"),
    ("effective", "effective_usd"),
    ("billed", "billed_usd"),
];

/// Rule by which a provider bills time, with its source.
fn time_rule(provider: &str) -> String {
    let rule = shipped().time_of(provider, "linux");
    let source = shipped().time.iter().rfind(|row| row.provider == provider);
    let source = source
        .map_or(String::new(), |row| format!(" ({}, {})", row.source.source, row.source.as_of));
    let (step, least) = (length(rule.granularity), length(rule.minimum));
    format!("time in steps of {step}, at least {least} of each start{source}")
}

/// Why a charge costs what it costs.
fn why(charge: &CsvRow) -> String {
    let held = clean(charge.cell("commitment"));
    match charge.cell("purpose") {
        "covered" => format!(
            "{held} covers it: its effective amount is a part of what {held} costs in that hour, which is paid with it"
        ),
        "unused-commitment" => {
            format!("nothing used this part of {held} in that hour: its cost is lost")
        }
        "upfront" => format!("{held} is paid at its beginning, and spread over what it covers"),
        "fee" => format!("{held} is paid by the hour, and counts for what it covers"),
        "sustained-use" => {
            let provider = charge.cell("provider");
            let rule = shipped().sustained.iter().find(|row| row.provider == provider);
            let source = rule.map_or("", |row| row.source.source.as_str());
            format!("what ran for much of the month costs less ({source})")
        }
        "unused-reservation" => "capacity is kept and does not run".to_owned(),
        "service-credit" => "the service was not there for some time".to_owned(),
        _ => "no commitment covers it: it is paid at its price".to_owned(),
    }
}

/// Charges of a job, settled; nothing where the run has no terms or kept no lines.
pub(super) fn settled(results: &Results, charges: &[CsvRow]) -> Result<Option<CostOnTerms>, Stop> {
    LinesOnTerms::read(results)?.map(|lines| lines.of(charges)).transpose()
}
