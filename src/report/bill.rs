//! A bill of usage: in sums for readers and programs, and line by line.

use std::io;

use serde::Serialize;
use serde_json::{Value, json};

use super::document::{Document, Section, SectionPlace, Table, unquoted};
use super::figure::share;
use super::sheet::{Sheet, TextCells};
use super::words::{several, write_json};
use crate::billing::charge::{BilledCharge, Origin};
use crate::billing::commitment::{Benefit, Commitment, hour_of};
use crate::billing::focus;
use crate::billing::settle::Biller;
use crate::billing::terms::AccountTerms;
use crate::experiment::LineUse;
use crate::experiment::bill::{AccountBill, BillNote, ChargeSums};
use crate::model::WorkId;
use crate::units::{Calendar, Money, Time};

/// Rows of a table in documents at most.
const MOST_ROWS: usize = 40;

/// A bill and the biller that made it.
#[derive(Clone, Copy, Debug)]
pub struct BillReport<'b> {
    /// Name of the table of usage.
    pub usage: &'b str,
    /// Name of the file of terms, if there was one.
    pub terms: Option<&'b str>,
    /// The bill.
    pub bill: &'b AccountBill,
    /// The biller.
    pub biller: &'b Biller,
}

impl BillReport<'_> {
    /// The bill as a document.
    pub fn document(&self) -> Document {
        let bill = self.bill;
        let mut document = Document::titled(Some("Bill"), "");
        let period =
            bill.period.map(|(from, until)| format!(", {} to {}", instant(from), instant(until)));
        document.about = format!(
            "{}{}: {}",
            unquoted(self.usage),
            period.unwrap_or_default(),
            several(bill.rows, "row", "rows")
        );
        document.answer.headline = self.headline();
        document.answer.bullets = self.bullets();
        document.assumptions = self.assumptions();
        document.add(Section::of(self.services(), SectionPlace::Front));
        document.add(Section::of(self.commitments(), SectionPlace::Front).note(COMMITMENTS));
        document.add(Section::of(self.accounts(), SectionPlace::Front));
        document.add(Section::of(self.months(), SectionPlace::Front));
        document.add(Section::of(self.observed(), SectionPlace::Front));
        document.sections.retain(|section| section.tables.iter().any(|one| !one.rows.is_empty()));
        document.files = vec![
            ("charges.csv".to_owned(), "every charge"),
            ("focus.csv".to_owned(), "the same in the columns of FOCUS"),
            ("bill.json".to_owned(), "these sums for programs"),
        ];
        document
    }

    fn headline(&self) -> String {
        let total = &self.bill.total;
        let spread = match total.effective == total.billed {
            true => String::new(),
            false => {
                format!("; with commitments spread over their terms it is {}", total.effective)
            }
        };
        let off = total.list - total.effective;
        let against = match off.nanos().signum() {
            0 => "as by the list".to_owned(),
            1 => format!("{off} less than at list prices"),
            _ => format!("{} more than at list prices", -off),
        };
        format!("The bill is {}{spread}: {against}.", total.billed)
    }

    fn bullets(&self) -> Vec<String> {
        let mut bullets = Vec::new();
        let held = self.bill.commitments.values();
        let unused: Money = held.clone().map(|sums| sums.unused).sum();
        if !self.bill.commitments.is_empty() {
            let cost: Money = held.clone().map(|sums| sums.used + sums.unused).sum();
            let covered: Money = held.map(|sums| sums.covered).sum();
            bullets.push(format!(
                "Commitments cost {cost}, {unused} of it for what is not used, and cover what would have cost {covered}."
            ));
        }
        if !self.bill.observed.is_empty() {
            let sums = self.bill.observed.values();
            let theirs: Money = sums.clone().map(|row| row.theirs).sum();
            let ours: Money = sums.map(|row| row.ours).sum();
            bullets.push(format!("The table says {theirs}: {} off.", difference(ours, theirs)));
        }
        bullets
    }

    fn assumptions(&self) -> Vec<String> {
        let mut words = vec![
            "Taxes are not billed.".to_owned(),
            "Commitments and capacity that is kept are paid for in the clock hours from the first \
             usage to the last."
                .to_owned(),
        ];
        if self.terms.is_none() {
            words.push("No terms were given: prices of the list, without commitments.".to_owned());
        }
        for note in &self.bill.notes {
            words.push(match note {
                BillNote::CatalogPrices(provider) => format!(
                    "List prices of {} are those of its catalog, where usage does not say them.",
                    unquoted(provider)
                ),
                BillNote::UnknownSize(size) => format!(
                    "The size of the type `{}` is not known: no reservation covers it.",
                    unquoted(size)
                ),
                BillNote::NoUsage(provider) => format!(
                    "Commitments or discounts are of `{}`, of which there is no usage.",
                    unquoted(provider)
                ),
                BillNote::CoversNothing(name) => format!(
                    "`{}` covers nothing of the usage: look at its region, type, families and system.",
                    unquoted(name)
                ),
                BillNote::IdleDiscount { provider, of } => format!(
                    "Nothing of the usage at `{}` has the discount for `{}`.",
                    unquoted(provider),
                    unquoted(of)
                ),
                BillNote::IdleTier { name, place } => format!(
                    "Nothing is priced by the `[[tier]]` of `{}` at `{}`.",
                    unquoted(name),
                    unquoted(place)
                ),
                BillNote::KeptWhole { size, region, why } => format!(
                    "Commitments of cores and memory cover no `{}` in {}: {why}.",
                    unquoted(size),
                    unquoted(region)
                ),
                BillNote::OutagePassedOver(name) => format!(
                    "No credit is given for `{}`: a bill needs its provider, region, and the dates of \
                     its beginning and end, and that all machines there stopped.",
                    unquoted(name)
                ),
                BillNote::Unlisted(name) => format!(
                    "The account `{}` is not in the terms: it stands by itself.",
                    unquoted(name)
                ),
            });
        }
        let more = words.len().saturating_sub(MOST_ROWS);
        words.truncate(MOST_ROWS);
        if more > 0 {
            words.push(format!(
                "And {}.",
                several(more as u64, "assumption more", "assumptions more")
            ));
        }
        words
    }

    fn services(&self) -> Table {
        let head = ["provider and service", "list", "negotiated", "effective", "billed"];
        let mut table = Table::new("By service", &head);
        for ((provider, service), sums) in &self.bill.services {
            table.row(amounts(format!("{} {}", unquoted(provider), service.name()), sums));
        }
        table.row(amounts("all".to_owned(), &self.bill.total));
        table
    }

    fn accounts(&self) -> Table {
        let head = ["account", "list", "negotiated", "effective", "billed"];
        let mut table = Table::new("By account", &head);
        let accounts = &self.biller.terms().accounts;
        for (account, sums) in self.bill.accounts.iter().take(MOST_ROWS) {
            table.row(amounts(unquoted(&accounts.get(*account).name), sums));
        }
        table
    }

    fn months(&self) -> Table {
        let head = ["month", "list", "negotiated", "effective", "billed"];
        let mut table = Table::new("By month", &head);
        for (month, sums) in self.bill.months.iter().take(MOST_ROWS) {
            table.row(amounts(instant(month.from)[..7].to_owned(), sums));
        }
        table
    }

    fn commitments(&self) -> Table {
        let head =
            ["commitment", "holds", "from", "paid", "cost", "used", "not used", "covers", "saves"];
        let mut table = Table::new("Commitments", &head);
        let held = &self.biller.terms().commitments;
        for (commitment, sums) in self.bill.commitments.iter().take(MOST_ROWS) {
            let cost = sums.used + sums.unused;
            let used = match cost {
                Money::ZERO => "–".to_owned(),
                cost => share(sums.used.dollars() / cost.dollars()),
            };
            table.row([
                unquoted(&held[*commitment].name),
                holds(&held[*commitment], self.biller.terms()),
                instant(held[*commitment].from),
                sums.paid.to_string(),
                cost.to_string(),
                used,
                sums.unused.to_string(),
                sums.covered.to_string(),
                signed(sums.covered - cost),
            ]);
        }
        table
    }

    fn observed(&self) -> Table {
        let mut table = Table::new("Against the table", &["lines", "the table", "here", "off"]);
        for ((provider, what), row) in self.bill.observed.iter().take(MOST_ROWS) {
            let name = format!("{} {}", unquoted(provider), unquoted(what));
            let off = difference(row.ours, row.theirs);
            table.row([name.trim().to_owned(), row.theirs.to_string(), row.ours.to_string(), off]);
        }
        table
    }

    fn months_json(&self) -> Value {
        let months = self.bill.months.iter().map(|(month, sums)| {
            let mut row = sums_json(sums);
            row["name"] = json!(instant(month.from)[..7].to_owned());
            row
        });
        months.collect()
    }

    fn commitments_json(&self) -> Value {
        let terms = self.biller.terms();
        let commitments = self.bill.commitments.iter().map(|(held, sums)| {
            let held = &terms.commitments[*held];
            json!({
                "name": held.name,
                "from": instant(held.from),
                "until": instant(held.until),
                "spend_usd_per_hour": spend(held, terms).map(Money::exact),
                "units": reserved(held),
                "paid_usd": sums.paid.exact(),
                "used_usd": sums.used.exact(),
                "unused_usd": sums.unused.exact(),
                "covered_usd": sums.covered.exact(),
            })
        });
        commitments.collect()
    }

    /// Sums for programs.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let (bill, terms) = (self.bill, self.biller.terms());
        let named = |name: Value, sums: &ChargeSums| {
            let mut row = sums_json(sums);
            row["name"] = name;
            row
        };
        let services = bill.services.iter().map(|((provider, service), sums)| {
            let mut row = sums_json(sums);
            (row["provider"], row["service"]) = (json!(provider), json!(service.name()));
            row
        });
        let accounts = bill
            .accounts
            .iter()
            .map(|(account, sums)| named(json!(terms.accounts.get(*account).name), sums));
        let observed = bill.observed.iter().map(|((provider, what), row)| {
            json!({
                "provider": provider,
                "lines": what,
                "theirs_usd": row.theirs.exact(),
                "ours_usd": row.ours.exact(),
            })
        });
        let value = json!({
            "usage": self.usage,
            "rows": bill.rows,
            "charges": bill.charges,
            "from": bill.period.map(|(from, _)| instant(from)),
            "until": bill.period.map(|(_, until)| instant(until)),
            "total": sums_json(&bill.total),
            "services": services.collect::<Vec<_>>(),
            "accounts": accounts.collect::<Vec<_>>(),
            "months": self.months_json(),
            "commitments": self.commitments_json(),
            "observed": observed.collect::<Vec<_>>(),
            "assumptions": self.assumptions(),
        });
        write_json(&value, out)
    }
}

/// The bill of a run on the terms of its scenario, for its report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettledBill {
    #[serde(flatten)]
    sums: Value,
    #[serde(skip)]
    tables: Vec<Table>,
}

impl SettledBill {
    /// The bill that a biller made.
    pub fn new(bill: &AccountBill, biller: &Biller) -> Self {
        let report = BillReport { usage: "", terms: Some(""), bill, biller };
        let mut sums = sums_json(&bill.total);
        sums["commitments"] = report.commitments_json();
        sums["months"] = report.months_json();
        let tables = vec![report.services(), report.months(), report.commitments()];
        Self { sums, tables }
    }

    /// The section of a report.
    pub(super) fn section(&self) -> Section {
        let section = Section::new("The bill on the scenario's terms", SectionPlace::Front);
        section.tables(self.tables.clone()).note(COMMITMENTS)
    }
}

const COMMITMENTS: &str = "A commitment costs what is paid for it, with what is paid at the beginning spread over its \
     term. It saves what it covers would have cost without it, less that.";

fn sums_json(sums: &ChargeSums) -> Value {
    json!({
        "list_usd": sums.list.exact(),
        "contracted_usd": sums.contracted.exact(),
        "effective_usd": sums.effective.exact(),
        "billed_usd": sums.billed.exact(),
    })
}

fn amounts(name: String, sums: &ChargeSums) -> [String; 5] {
    let [list, contracted, effective, billed] =
        [sums.list, sums.contracted, sums.effective, sums.billed].map(|money| money.to_string());
    [name, list, contracted, effective, billed]
}

/// Spending by the hour, of a plan: in dollars of its first hour.
fn spend(held: &Commitment, terms: &AccountTerms) -> Option<Money> {
    match &terms.in_dollars(held, hour_of(held.from)).benefit {
        Benefit::Spending { hourly, .. } => Some(*hourly),
        Benefit::Reserved { .. } => None,
    }
}

/// Units of the family that are reserved: for a machine its size.
fn reserved(held: &Commitment) -> Option<f64> {
    match &held.benefit {
        Benefit::Reserved { weight, .. } => Some(*weight as f64 / 1_000.0),
        Benefit::Spending { .. } => None,
    }
}

/// What it holds in an hour.
fn holds(held: &Commitment, terms: &AccountTerms) -> String {
    match (spend(held, terms), reserved(held)) {
        (Some(hourly), _) => format!("{hourly}/h"),
        (None, units) => format!("{} units", super::figure::amount(units.unwrap_or(0.0))),
    }
}

fn signed(money: Money) -> String {
    super::figure::money_difference(money)
}

/// The difference of two amounts, and its share of the second.
fn difference(ours: Money, theirs: Money) -> String {
    let off = signed(ours - theirs);
    match theirs {
        Money::ZERO => off,
        theirs => {
            let part = (ours - theirs).dollars().abs() / theirs.dollars().abs();
            format!("{off} ({})", share(part))
        }
    }
}

fn instant(at: Time) -> String {
    Calendar::from_unix_micros(0).format(at)
}

/// Columns of `charges.csv`.
const COLUMNS: [&str; 20] = [
    "charge",
    "line",
    "purpose",
    "account",
    "provider",
    "service",
    "region",
    "zone",
    "type",
    "commitment",
    "from",
    "until",
    "quantity",
    "unit",
    "list_price",
    "contracted_price",
    "list_usd",
    "contracted_usd",
    "effective_usd",
    "billed_usd",
];

/// Writes every charge of a bill.
#[derive(Debug)]
pub struct BillCsv<W: io::Write> {
    sheet: Sheet<W>,
    number: u64,
    /// What used each line, from 1 on, of the bill of a run.
    lines: Option<Vec<LineUse>>,
}

impl<W: io::Write> BillCsv<W> {
    /// Writes the header.
    pub fn new(out: W) -> Self {
        Self { sheet: Sheet::new(out, TextCells::Guarded, COLUMNS), number: 0, lines: None }
    }

    /// Writes the header of a bill of a run, whose lines, from 1 on, were used so.
    pub fn of_run(out: W, lines: Vec<LineUse>) -> Self {
        let columns = COLUMNS.into_iter().chain(["instance", "source", "ordinal"]);
        let sheet = Sheet::new(out, TextCells::Guarded, columns);
        Self { sheet, number: 0, lines: Some(lines) }
    }

    /// Writes a charge.
    pub fn write(&mut self, charge: &BilledCharge, biller: &Biller) {
        let (product, commitment) = charge.purpose.names();
        let product = product.map(|product| &biller.products()[product]);
        let terms = biller.terms();
        let commitment = commitment.map(|held| &terms.commitments[held]);
        let sheet = &mut self.sheet;
        sheet.whole(self.number);
        self.number += 1;
        let line = match charge.purpose.origin() {
            Some(Origin::Line(line)) => Some(line),
            Some(Origin::Reservation(_)) | None => None,
        };
        match line {
            Some(line) => sheet.whole(line),
            None => sheet.empty(),
        }
        sheet.word(charge.purpose.name());
        sheet.text(&terms.accounts.get(charge.account).name);
        let held = commitment.map(|held| held.provider.as_str());
        let provider = product.map(|product| product.provider.as_str()).or(held);
        sheet.text(provider.unwrap_or_default());
        match product {
            Some(product) => {
                let size = if product.size.is_empty() { &product.family } else { &product.size };
                sheet.word(product.service.name());
                for text in [&product.region, &product.zone, size] {
                    sheet.text(text);
                }
            }
            None => (0..4).for_each(|_| sheet.empty()),
        }
        sheet.text(commitment.map(|held| held.name.as_str()).unwrap_or_default());
        sheet.text(&instant(charge.from));
        sheet.text(&instant(charge.until));
        match product {
            Some(product) => {
                sheet.number_text(&focus::quantity(charge.quantity, product.unit));
                sheet.word(product.unit.name());
                sheet.number_text(&focus::price(charge.list_price));
                sheet.number_text(&focus::price(charge.contracted_price));
            }
            None => (0..4).for_each(|_| sheet.empty()),
        }
        for amount in [charge.list, charge.contracted, charge.effective, charge.billed] {
            sheet.money(amount);
        }
        if let Some(lines) = &self.lines {
            let row = line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
            let used = row.and_then(|row| lines.get(row));
            match used.and_then(|used| used.instance) {
                Some(instance) => sheet.whole(instance),
                None => sheet.empty(),
            }
            match used.and_then(|used| used.mover) {
                Some(WorkId { source, ordinal }) => {
                    sheet.whole(source);
                    sheet.whole(ordinal);
                }
                None => (0..2).for_each(|_| sheet.empty()),
            }
        }
        sheet.end_row();
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn finish(self) -> io::Result<W> {
        self.sheet.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_their_share() {
        let money = |cents: i128| Money::from_nanos(cents * 10_000_000);
        assert_eq!(difference(money(110), money(100)), "+$0.1000 (10.0 %)");
        assert_eq!(difference(money(1), Money::ZERO), "+$0.0100");
    }
}
