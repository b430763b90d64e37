//! Tables of usage: a CSV of our own columns, or an export in the columns of FOCUS.

mod column;

use std::path::Path;

use csv::StringRecord;
use windtunnel_core::input::{self, Input};

use crate::problem::{Problem, clip};
use crate::rate::EndedBy;
use crate::rules::BillingRules;
use crate::units::{Money, Rate, Span, Time};
use crate::usage::{Product, Sale, Service, UsageUnit};

use column::{ColumnWords, Columns, UsageField};

pub use column::{COLUMNS, ColumnRow};

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
    /// Usage, and what somebody else has billed for it.
    Usage(Box<UsageRow>, Option<Money>),
    /// A charge that is no usage, such as a tax or a purchase, that somebody else has billed.
    Other(String, Option<Money>),
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
        let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
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
        let read = self.rows.read_record(&mut self.record);
        let line = self.record.position().map_or(0, csv::Position::line);
        match read {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                return Err(Problem::at(&self.shown, line, 0, problem_of(&error)));
            }
        }
        self.row(line, rules).map(Some)
    }

    fn row(&self, line: u64, rules: &BillingRules) -> Result<Row, Problem> {
        let billed =
            self.value(UsageField::Billed, line, "an amount such as `12.5`", signed_money)?;
        if let Some(category) = self.cell(UsageField::Category).filter(|cell| *cell != "Usage") {
            return Ok(Row::Other(category.to_owned(), billed));
        }
        if self.cell(UsageField::Status) == Some("Unused") {
            return Ok(Row::Other("Unused commitments".to_owned(), billed));
        }
        let row = self.usage(line, rules)?;
        Ok(Row::Usage(Box::new(row), billed))
    }

    fn usage(&self, line: u64, rules: &BillingRules) -> Result<UsageRow, Problem> {
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
        let product = self.product(line, rules)?;
        let given = self.value(UsageField::Quantity, line, "a number such as `0.25`", |text| {
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
        let price = "a price such as `0.0425`, in dollars per unit";
        Ok(UsageRow {
            line,
            account: self.cell(UsageField::Account).unwrap_or("account").to_owned(),
            from,
            until,
            quantity,
            list: self.value(UsageField::Price, line, price, Rate::parse)?,
            contracted: self.value(UsageField::Contracted, line, price, Rate::parse)?,
            product,
        })
    }

    fn product(&self, line: u64, rules: &BillingRules) -> Result<Product, Problem> {
        let focus = self.columns.layout == ColumnWords::Focus;
        let text = |field| self.cell(field).unwrap_or_default().to_owned();
        let provider = match (focus, text(UsageField::Provider)) {
            (true, name) => short_name(&name),
            (false, name) => name,
        };
        let details = focus.then(|| self.cell(UsageField::Details)).flatten().unwrap_or_default();
        let size = match focus {
            true => detail(details, "InstanceType"),
            false => text(UsageField::Size),
        };
        let family = match (focus, self.cell(UsageField::Family)) {
            (false, Some(family)) => family.to_owned(),
            _ => family_of(&size),
        };
        let system = match focus {
            true => detail(details, "OperatingSystem"),
            false => text(UsageField::System),
        };
        let service = "one of `compute`, `serverless`, `license`, `block-storage`, \
                       `object-storage`, `transfer`, `address`, `load-balancer`";
        let service =
            self.value(UsageField::Service, line, service, |text| service_of(text, focus))?;
        let sale = "`on-demand`, `spot` or `block`";
        let sale = self.value(UsageField::Sale, line, sale, |text| sale_of(text, focus))?;
        let unit = self.value(
            UsageField::UsageUnit,
            line,
            "`hour`, `GB`, `GB-month` or `request`",
            unit_of,
        )?;
        let service = service.unwrap_or(Service::Compute);
        let weight = self.value(UsageField::Weight, line, "a number such as `8`", |text| {
            text.parse::<f64>().ok().filter(|weight| (0.0..1e9).contains(weight))
        })?;
        let weight = weight.map_or_else(
            || rules.weight_of(&provider, &size),
            |weight| (weight * 1_000.0).round() as u64,
        );
        Ok(Product {
            service,
            region: text(UsageField::Region),
            zone: text(UsageField::Zone),
            family,
            size,
            system: if system.is_empty() { "linux".into() } else { system.to_lowercase() },
            tenancy: match text(UsageField::Tenancy) {
                tenancy if tenancy.is_empty() => "default".into(),
                tenancy => tenancy,
            },
            sale: sale.unwrap_or(Sale::OnDemand),
            unit: unit.unwrap_or(match service {
                Service::Transfer => UsageUnit::Gigabyte,
                Service::BlockStorage | Service::ObjectStorage => UsageUnit::GigabyteMonth,
                Service::Compute
                | Service::Serverless
                | Service::License
                | Service::Address
                | Service::LoadBalancer => UsageUnit::Hour,
            }),
            weight,
            provider,
        })
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

/// A quantity in millionths of its unit, rounded half up.
fn quantity(text: &str, unit: UsageUnit) -> Option<i128> {
    let value: rust_decimal::Decimal = text.parse().ok()?;
    let whole = i128::from(10_u64.pow(value.scale().min(18)));
    let scaled = value.mantissa().checked_mul(unit.whole())?;
    let excess = i128::from(10_u64.pow(value.scale().saturating_sub(18)));
    let quantity = (scaled / excess + whole / 2).div_euclid(whole);
    (0..=10_i128.pow(24)).contains(&quantity).then_some(quantity)
}

/// An amount in nano-dollars; it may be negative.
fn signed_money(text: &str) -> Option<Money> {
    let value: rust_decimal::Decimal = text.parse().ok()?;
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

fn service_of(text: &str, focus: bool) -> Option<Service> {
    if !focus {
        return Service::ALL.into_iter().find(|service| service.name() == text);
    }
    match text {
        "Compute" | "AI and Machine Learning" => Some(Service::Compute),
        "Storage" => Some(Service::ObjectStorage),
        "Networking" => Some(Service::Transfer),
        _ => Some(Service::Serverless),
    }
}

fn sale_of(text: &str, focus: bool) -> Option<Sale> {
    if !focus {
        return Sale::ALL.into_iter().find(|sale| sale.name() == text);
    }
    match text {
        "Dynamic" => Some(Sale::Spot),
        "Standard" | "Committed" | "Other" => Some(Sale::OnDemand),
        _ => None,
    }
}

fn unit_of(text: &str) -> Option<UsageUnit> {
    let known = UsageUnit::ALL.into_iter().find(|unit| unit.name() == text);
    known.or(match text.to_ascii_lowercase().as_str() {
        "hours" | "hrs" | "hour" => Some(UsageUnit::Hour),
        "gb" | "gib" => Some(UsageUnit::Gigabyte),
        "gb-months" | "gb-mo" | "gb-month" => Some(UsageUnit::GigabyteMonth),
        "requests" => Some(UsageUnit::Request),
        _ => None,
    })
}

/// The short name of a provider that an export names in full.
fn short_name(name: &str) -> String {
    match name {
        "AWS" | "Amazon Web Services" | "Amazon Web Services, Inc." => "aws".into(),
        "Microsoft" | "Microsoft Azure" | "Azure" => "azure".into(),
        "Google" | "Google Cloud" | "Google Cloud Platform" => "gcp".into(),
        "Alibaba Cloud" => "alibaba".into(),
        "Oracle" => "oci".into(),
        other => other.to_lowercase(),
    }
}

/// Family of an instance type by its name: what comes before the size.
pub fn family_of(size: &str) -> String {
    size.split(['.', '-']).next().unwrap_or_default().to_owned()
}

/// Text of a flat JSON object under that key; empty where there is none.
fn detail(object: &str, key: &str) -> String {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(object) else {
        return String::new();
    };
    object.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
