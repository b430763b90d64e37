//! `windtunnel bill`: a table of usage becomes a bill, without simulation.

use std::io::Write;

use anyhow::Context;

use super::args::BillArgs;
use super::exit::{CommandResult, Stop};
use super::folder::{Claim, Folder};
use super::guard::{self, ResourceGuard};
use super::parquet;
use super::progress::Bar;
use super::run;
use windtunnel::billing::charge::BilledCharge;
use windtunnel::billing::focus::{FocusCsv, FocusVersion};
use windtunnel::billing::settle::Biller;
use windtunnel::billing::table::UsageTable;
use windtunnel::experiment::bill::{AccountBill, bill as bill_of};
use windtunnel::input;
use windtunnel::report::{BillCsv, BillReport, InputHash, Recipe, ResultFiles, write_page};
use windtunnel::scenario::BillingTerms;
use windtunnel::units::Money;

/// Bills a table of usage.
pub(super) fn bill(arguments: &BillArgs) -> CommandResult {
    parquet::check(arguments.parquet)?;
    let guard = ResourceGuard::new(&arguments.bounds);
    let terms = match &arguments.terms {
        Some(path) => BillingTerms::load(path)?,
        None => BillingTerms::none(),
    };
    let shown = arguments.usage.display().to_string();
    let table = UsageTable::open(&arguments.usage, &shown)?;
    let folder = match &arguments.out {
        Some(target) => {
            let claim = Claim { force: arguments.force, resume: false };
            Some(Folder::create(target, claim, guard.meter())?)
        }
        None => None,
    };
    let version = FocusVersion::ALL.into_iter().find(|version| version.name() == arguments.focus);
    let mut files = folder.as_ref().map(|folder| {
        let charges = BillCsv::new(folder.file("charges.csv")?);
        let focus = FocusCsv::new(folder.file("focus.csv")?, version.unwrap_or_default())?;
        Ok::<_, Stop>((charges, focus))
    });
    let mut files = files.take().transpose()?;
    let bar = Bar::over_rows("usage", arguments.quiet);
    let mut write = |charge: &BilledCharge, biller: &Biller| match &mut files {
        Some((charges, focus)) => {
            charges.write(charge, biller);
            Ok(focus.write(charge, biller)?)
        }
        None => Ok(()),
    };
    let mut poll = |rows: u64| {
        bar.reach(rows);
        match guard::poll() {
            std::ops::ControlFlow::Continue(()) => Ok(()),
            std::ops::ControlFlow::Break(_) => {
                Err(Stop::Interrupted("no bill was written".to_owned()))
            }
        }
    };
    let (bill, biller) = bill_of(table, terms, arguments.sort, &mut write, &mut poll)?;
    bar.clear();
    let report = BillReport {
        usage: &shown,
        terms: arguments.terms.as_ref().and_then(|terms| terms.to_str()),
        bill: &bill,
        biller: &biller,
    };
    let written = match (folder, files) {
        (Some(folder), Some((charges, focus))) => {
            let out = charges.finish().context("cannot write `charges.csv`")?;
            super::folder::finish(out, "charges.csv")?;
            let out = focus.finish().context("cannot write `focus.csv`")?;
            super::folder::finish(out, "focus.csv")?;
            if arguments.parquet {
                parquet::write(&folder, &["charges", "focus"])?;
            }
            Some(write_rest(folder, &report, arguments)?)
        }
        _ => None,
    };
    let mut out = std::io::stdout().lock();
    match arguments.json {
        true => report.write_json(&mut out)?,
        false => out.write_all(report.document().text(run::terminal()).as_bytes())?,
    }
    out.flush()?;
    run::tell_written(arguments.quiet, written, "bill.html");
    off(arguments, &bill)
}

/// Writes what is known at the end.
fn write_rest(
    folder: Folder,
    report: &BillReport<'_>,
    arguments: &BillArgs,
) -> Result<std::path::PathBuf, Stop> {
    let mut json = Vec::new();
    report.write_json(&mut json)?;
    folder.take_bytes("bill.json", &json)?;
    write_page(&folder, "bill.html", Vec::new(), |_| report.document())?;
    let files = [Some(&arguments.usage), arguments.terms.as_ref()];
    let inputs = files.into_iter().flatten().filter(|path| path.to_str() != Some("-"));
    let hashed = inputs.map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(InputHash { name, hash: input::hash(path)? })
    });
    let recipe = Recipe {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        inputs: hashed.collect::<Result<_, Stop>>()?,
        ..Recipe::default()
    };
    Ok(folder.finish(recipe.manifest(None))?)
}

/// A finding where the bill is further from that of the table than is allowed.
fn off(arguments: &BillArgs, bill: &AccountBill) -> CommandResult {
    let Some(most) = arguments.within else { return Ok(()) };
    if bill.observed.is_empty() {
        let message = "the table does not say what was billed";
        return Err(Stop::usage(message, "add a column `billed`, or leave `--within` out"));
    }
    let rows = bill.observed.values();
    let theirs: Money = rows.clone().map(|row| row.theirs).sum();
    let off = rows.map(|row| (row.ours - row.theirs).nanos().abs()).sum();
    match off as f64 <= most * theirs.nanos().abs() as f64 {
        true => Ok(()),
        false => Err(Stop::Finding(format!(
            "the lines of the bill are {} USD off those of the table, which say {} USD",
            Money::from_nanos(off).exact(),
            theirs.exact()
        ))),
    }
}
