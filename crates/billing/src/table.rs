//! Tables of usage: a CSV of our own columns, or an export in the columns of FOCUS.

mod billed;
mod column;
mod word;

use std::path::Path;

use csv::StringRecord;
use windtunnel_core::input::{self, Input};

use crate::problem::{Problem, clip};
use crate::rate::EndedBy;
use crate::rules::BillingRules;
use crate::units::{Money, Rate, Span, Time};
use crate::usage::{Product, Sale, Service, UsageUnit};

use column::{Columns, UsageField};

pub use billed::{BillGroup, BilledRow};
pub use column::{COLUMNS, ColumnRow, ColumnWords};

/// Longest stretch of a row: three years.
const LONGEST: Span = Span::from_secs(3 * 366 * 86_400);

/// A row of usage, as a table says it.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageRow {
    /// Line of the file.
    pub line: u64,
    /// Name of the account.
    pub account: String,
    /// The product.
    pub product: Product,
    /// Beginning, since 1970.
    pub from: Time,
    /// End of the time that is billed.
    pub until: Time,
    /// Quantity, in millionths of its unit.
    pub quantity: i128,
    /// List price, where it is said.
    pub list: Option<Rate>,
    /// Negotiated price, where it is said.
    pub contracted: Option<Rate>,
}

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// Usage, and what somebody else has billed for it in the currency of the product.
    Usage(Box<UsageRow>, Option<Money>),
    /// A charge that is no usage, such as a tax or a purchase, that somebody else has billed.
    Other(OtherRow),
}

/// A charge that is no usage.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherRow {
    /// Line of the file.
    pub line: u64,
    /// What it is.
    pub category: String,
    /// What somebody else has billed.
    pub billed: Option<Money>,
    /// Code of the currency of that; empty where it is in dollars.
    pub currency: String,
    /// Beginning of its time, where it is said.
    pub from: Option<Time>,
}

/// A table of usage, read row by row.
pub struct UsageTable {
    rows: csv::Reader<Input>,
    columns: Columns,
    record: StringRecord,
    shown: String,
}

impl std::fmt::Debug for UsageTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UsageTable").field("shown", &self.shown).finish_non_exhaustive()
    }
}

impl UsageTable {
    /// Opens the table, `-` for standard input, and finds its columns.
    ///
    /// # Errors
    /// It cannot be read, or lacks a column that is needed.
    pub fn open(path: &Path, shown: &str) -> Result<Self, Problem> {
        let input = input::unfold(path, shown)?;
        Self::read(input, shown)
    }

    /// The same of a text that is open.
    ///
    /// # Errors
    /// It cannot be read, or lacks a column that is needed.
    pub fn read(input: Input, shown: &str) -> Result<Self, Problem> {
        let mut rows = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            // An end of line of two letters would be counted late; the first of them is trimmed.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(input);
        let failed = |error: csv::Error| Problem::with(shown, format!("cannot be read: {error}"));
        let columns = Columns::find(rows.headers().map_err(failed)?, shown)?;
        Ok(Self { rows, columns, record: StringRecord::new(), shown: shown.to_owned() })
    }

    /// The file, as the user named it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether it says what somebody else has billed.
    pub fn tells_costs(&self) -> bool {
        self.columns.has(UsageField::Billed)
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// A value that cannot be read, with its place.
    pub fn next(&mut self, rules: &BillingRules) -> Result<Option<Row>, Problem> {
        let line = self.advance()?;
        line.map(|line| self.row(line, rules)).transpose()
    }

    /// Goes to the next row, and gives its line; `None` at the end.
    fn advance(&mut self) -> Result<Option<u64>, Problem> {
        let read = self.rows.read_record(&mut self.record);
        let line = self.record.position().map_or(0, csv::Position::line);
        match read {
            Ok(true) => Ok(Some(line)),
            Ok(false) => Ok(None),
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                Err(Problem::at(&self.shown, line, 0, problem_of(&error)))
            }
        }
    }

    fn row(&self, line: u64, rules: &BillingRules) -> Result<Row, Problem> {
        let billed = self.billed(line)?;
        if let Some(category) = self.other() {
            let (category, currency) = (category.to_owned(), self.currency());
            let from = self.cell(UsageField::From).and_then(time);
            return Ok(Row::Other(OtherRow { line, category, billed, currency, from }));
        }
        let row = self.usage(line, rules)?;
        Ok(Row::Usage(Box::new(row), billed))
    }

    /// Amount that somebody else has billed, where it is said.
    fn billed(&self, line: u64) -> Result<Option<Money>, Problem> {
        self.value(UsageField::Billed, line, "an amount such as `12.5`", signed_money)
    }

    /// What the row is, where it is no usage of what is billed here.
    fn other(&self) -> Option<&str> {
        let category = self.cell(UsageField::Category).unwrap_or("Usage");
        if !word::is_usage(category) {
            return Some(category);
        }
        if self.cell(UsageField::Status) == Some("Unused") {
            return Some(word::UNUSED);
        }
        let words = self.columns.layout;
        let service = self.cell(UsageField::Service);
        service.filter(|cell| words != ColumnWords::Own && word::service(cell, words).is_none())
    }

    /// Beginning and end of the row.
    fn period(&self, line: u64) -> Result<(Time, Time), Problem> {
        let instant = "an instant such as `2026-03-01T08:00:00Z`";
        let from = self.value(UsageField::From, line, instant, time)?;
        let from = from.ok_or_else(|| self.problem(line, UsageField::From, "is empty"))?;
        let until = self.value(UsageField::Until, line, instant, time)?.unwrap_or(from);
        if until < from {
            return Err(self.problem(line, UsageField::Until, "lies before the beginning"));
        }
        if until - from > LONGEST {
            return Err(self.problem(line, UsageField::Until, "is more than three years later"));
        }
        Ok((from, until))
    }

    fn provider(&self, line: u64) -> Result<String, Problem> {
        let provider = match self.columns.layout {
            ColumnWords::Own | ColumnWords::Focus => {
                word::provider(self.cell(UsageField::Provider).unwrap_or_default())
            }
            ColumnWords::Report => "aws".to_owned(),
        };
        match provider.is_empty() {
            true => Err(self.problem(line, UsageField::Provider, "is empty")),
            false => Ok(provider),
        }
    }

    fn service(&self, line: u64) -> Result<Service, Problem> {
        let service = "one of `compute`, `serverless`, `license`, `block-storage`, \
                       `object-storage`, `transfer`, `address`, `load-balancer`";
        let words = self.columns.layout;
        let read = |text: &str| word::service(text, words);
        Ok(self.value(UsageField::Service, line, service, read)?.unwrap_or(Service::Compute))
    }

    fn usage(&self, line: u64, rules: &BillingRules) -> Result<UsageRow, Problem> {
        let (from, until) = self.period(line)?;
        let product = self.product(line, rules)?;
        let given =
            self.value(UsageField::Quantity, line, "a number from 0 on such as `0.25`", |text| {
                quantity(text, product.unit)
            })?;
        let (until, quantity) = match given {
            Some(quantity) => (until, quantity),
            None if product.unit == UsageUnit::Hour => {
                let ended =
                    self.value(UsageField::EndedBy, line, "`customer` or `provider`", ended_by)?;
                let rule = rules.time_of(&product.provider, &product.system);
                let ended = ended.unwrap_or(EndedBy::Customer);
                let billed = rule.billed(until - from, product.sale, ended);
                (from + billed, i128::from(billed.micros()))
            }
            None => return Err(self.problem(line, UsageField::Quantity, "is empty")),
        };
        let price = "a price from 0 to 9,000,000 per unit such as `0.0425`";
        Ok(UsageRow {
            line,
            account: self.cell(UsageField::Account).unwrap_or("account").to_owned(),
            from,
            until,
            quantity,
            list: self.value(UsageField::Price, line, price, rate)?,
            contracted: self.value(UsageField::Contracted, line, price, rate)?,
            product,
        })
    }

    fn product(&self, line: u64, rules: &BillingRules) -> Result<Product, Problem> {
        let words = self.columns.layout;
        let text = |field| self.cell(field).unwrap_or_default().to_owned();
        let provider = self.provider(line)?;
        let details = self.cell(UsageField::Details).unwrap_or_default();
        let (size, system) = match words {
            ColumnWords::Focus => {
                (word::detail(details, "InstanceType"), word::detail(details, "OperatingSystem"))
            }
            ColumnWords::Own | ColumnWords::Report => {
                (text(UsageField::Size), text(UsageField::System))
            }
        };
        let family = self
            .cell(UsageField::Family)
            .map_or_else(|| rules.family_of(&provider, &size), str::to_owned);
        let service = self.service(line)?;
        let sale = "`on-demand`, `spot` or `block`";
        let sale = match self.cell(UsageField::OwnSale) {
            Some(text) => word::sale(text, ColumnWords::Own),
            None => self.value(UsageField::Sale, line, sale, |text| word::sale(text, words))?,
        };
        let unit = self.value(
            UsageField::Unit,
            line,
            "`hour`, `GB`, `GB-month` or `request`",
            word::unit,
        )?;
        let weight = self.value(UsageField::Weight, line, "a number such as `8`", |text| {
            text.parse::<f64>().ok().filter(|weight| (0.0..1e9).contains(weight))
        })?;
        let weight = weight.map_or_else(
            || rules.weight_of(&provider, &size).unwrap_or(0),
            |weight| (weight * 1_000.0).round() as u64,
        );
        Ok(Product {
            currency: self.currency(),
            service,
            region: text(UsageField::Region),
            zone: text(UsageField::Zone),
            family,
            size,
            system: if system.is_empty() { "linux".into() } else { system.to_lowercase() },
            tenancy: match text(UsageField::Tenancy) {
                tenancy if tenancy.is_empty() || tenancy == "Shared" => "default".into(),
                tenancy => tenancy,
            },
            sale: sale.unwrap_or(Sale::OnDemand),
            unit: unit.unwrap_or(service.usual_unit()),
            weight,
            provider,
        })
    }

    /// Code of the currency of a row; empty where it is the dollar.
    fn currency(&self) -> String {
        let code = self.cell(UsageField::Currency).unwrap_or_default().to_ascii_uppercase();
        if code == "USD" { String::new() } else { code }
    }

    /// The cell of a field; `None` where it is empty or the table has no such column.
    fn cell(&self, field: UsageField) -> Option<&str> {
        let cell = self.record.get(self.columns.index(field)?)?;
        (!cell.is_empty()).then_some(cell)
    }

    /// The value of a field, as `read` reads it.
    fn value<T>(
        &self,
        field: UsageField,
        line: u64,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(cell) = self.cell(field) else { return Ok(None) };
        match read(cell) {
            Some(value) => Ok(Some(value)),
            None => {
                let found = format!("is `{}`, not {expected}", clip(cell));
                Err(self.problem(line, field, &found))
            }
        }
    }

    fn problem(&self, line: u64, field: UsageField, message: &str) -> Problem {
        let name = self.columns.name(field);
        Problem::at(&self.shown, line, 0, format!("`{name}` {message}"))
    }
}

fn problem_of(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} cells, and the header {expected_len}")
        }
        _ => format!("cannot be read: {error}"),
    }
}

/// An instant as microseconds since 1970: RFC 3339, with a blank in place of the `T` too.
fn time(text: &str) -> Option<Time> {
    let text = text.replacen(' ', "T", 1);
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    let micros = timestamp.as_microsecond();
    (-2_208_988_800_000_000..10_413_792_000_000_000)
        .contains(&micros)
        .then(|| Time::from_micros(micros))
}

/// A number, also with an exponent.
fn decimal(text: &str) -> Option<rust_decimal::Decimal> {
    text.parse().ok().or_else(|| rust_decimal::Decimal::from_scientific(text).ok())
}

/// A price per unit, to the nearest pico-dollar.
fn rate(text: &str) -> Option<Rate> {
    let picos = decimal(text)?.checked_mul(1_000_000_000_000_u64.into())?.round();
    let picos = i64::try_from(picos.mantissa()).ok().filter(|_| picos.scale() == 0)?;
    (0..=9_000_000_000_000_000_000).contains(&picos).then(|| Rate::from_picos(picos))
}

/// A quantity in millionths of its unit, rounded half up.
fn quantity(text: &str, unit: UsageUnit) -> Option<i128> {
    let value = decimal(text)?;
    let whole = i128::from(10_u64.pow(value.scale().min(18)));
    let scaled = value.mantissa().checked_mul(unit.whole())?;
    let excess = i128::from(10_u64.pow(value.scale().saturating_sub(18)));
    let quantity = (scaled / excess + whole / 2).div_euclid(whole);
    (0..=10_i128.pow(24)).contains(&quantity).then_some(quantity)
}

/// An amount in nano-dollars; it may be negative.
fn signed_money(text: &str) -> Option<Money> {
    let value = decimal(text)?;
    let nanos = value.mantissa().checked_mul(1_000_000_000)?;
    let whole = 10_i128.checked_pow(value.scale())?;
    Some(Money::from_nanos((nanos + whole / 2).div_euclid(whole)))
}

fn ended_by(text: &str) -> Option<EndedBy> {
    match text {
        "customer" => Some(EndedBy::Customer),
        "provider" => Some(EndedBy::Provider),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
