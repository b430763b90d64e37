//! Bills in the columns of FOCUS, the open specification of cost and usage data, so that what reads
//! the exports of providers reads them too. The columns of each version are data.

use std::io;

use crate::charge::{BilledCharge, Origin, Purpose};
use crate::commitment::{Benefit, Commitment, HOUR, hour_of, start_of};
use crate::currency::Exchange;
use crate::month::Month;
use crate::settle::Biller;
use crate::units::{Money, Rate, Time};
use crate::usage::{Product, Sale, Service, UsageUnit};

/// Version of FOCUS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FocusVersion {
    /// Of 2025-05-29.
    #[default]
    V1_2,
    /// Of 2025-12-04.
    V1_3,
}

impl FocusVersion {
    /// Every version.
    pub const ALL: [Self; 2] = [Self::V1_2, Self::V1_3];

    /// Its number.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
        }
    }

    /// Its columns, in order.
    pub fn columns(self) -> impl Iterator<Item = &'static str> {
        match self {
            Self::V1_2 => include_str!("../data/focus_1.2.txt").lines(),
            Self::V1_3 => include_str!("../data/focus_1.3.txt").lines(),
        }
    }
}

/// Columns of ours, behind those of FOCUS.
const OWN: [(&str, FocusCell); 6] = [
    ("x_UsageLine", usage_line),
    ("x_Purpose", |row| Some(row.purpose().to_owned())),
    ("x_Family", |row| filled(&row.product?.family)),
    ("x_Tenancy", |row| filled(&row.product?.tenancy)),
    ("x_Sale", |row| Some(row.product?.sale.name().to_owned())),
    ("x_Weight", |row| Some(decimal(i128::from(row.product?.weight), 1_000))),
];

/// Value of a column; `None` is null.
type FocusCell = fn(&FocusRow<'_>) -> Option<String>;

/// A charge with all that it names.
#[derive(Debug)]
struct FocusRow<'b> {
    charge: &'b BilledCharge,
    product: Option<&'b Product>,
    commitment: Option<&'b Commitment>,
    account: &'b str,
    root: &'b str,
    provider: &'b str,
    reservation: Option<&'b str>,
    month: Month,
    /// Code of the currency that it was priced in, and what that is worth.
    currency: &'b str,
    worth: Exchange,
}

/// Writes a bill.
#[derive(Debug)]
pub struct FocusCsv<W: io::Write> {
    sheet: csv::Writer<W>,
    cells: Vec<FocusCell>,
}

impl<W: io::Write> FocusCsv<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn new(out: W, version: FocusVersion) -> io::Result<Self> {
        let mut sheet = csv::Writer::from_writer(out);
        let columns: Vec<(&str, FocusCell)> =
            version.columns().map(|name| (name, cell_of(name))).chain(OWN).collect();
        sheet.write_record(columns.iter().map(|(name, _)| name))?;
        Ok(Self { sheet, cells: columns.into_iter().map(|(_, cell)| cell).collect() })
    }

    /// Writes a charge of that biller.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write(&mut self, charge: &BilledCharge, biller: &Biller) -> io::Result<()> {
        let row = FocusRow::of(charge, biller);
        for cell in &self.cells {
            self.sheet.write_field(cell(&row).unwrap_or_default())?;
        }
        self.sheet.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn finish(self) -> io::Result<W> {
        self.sheet.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Every column that any version has.
const CELLS: &[(&str, FocusCell)] = &[
    ("AllocatedMethodDetails", |_| None),
    ("AllocatedMethodId", |_| None),
    ("AllocatedResourceId", |_| None),
    ("AllocatedResourceName", |_| None),
    ("AllocatedTags", |_| None),
    ("AvailabilityZone", |row| filled(&row.product?.zone)),
    ("BilledCost", |row| Some(money(row.charge.billed))),
    ("BillingAccountId", |row| Some(row.root.to_owned())),
    ("BillingAccountName", |row| Some(row.root.to_owned())),
    ("BillingAccountType", |_| Some("Organization".to_owned())),
    ("BillingCurrency", |_| Some("USD".to_owned())),
    ("BillingPeriodEnd", |row| Some(instant(row.month.until))),
    ("BillingPeriodStart", |row| Some(instant(row.month.from))),
    ("CapacityReservationId", |row| row.reservation.map(str::to_owned)),
    ("CapacityReservationStatus", |row| row.reservation.map(|_| "Unused".to_owned())),
    ("ChargeCategory", |row| Some(row.category().to_owned())),
    ("ChargeClass", |_| None),
    ("ChargeDescription", |row| Some(row.description())),
    ("ChargeFrequency", |row| Some(row.frequency().to_owned())),
    ("ChargePeriodEnd", |row| Some(instant(row.period().1))),
    ("ChargePeriodStart", |row| Some(instant(row.period().0))),
    ("CommitmentDiscountCategory", |row| Some(row.discount_words()?.0.to_owned())),
    ("CommitmentDiscountId", |row| Some(row.commitment?.name.clone())),
    ("CommitmentDiscountName", |row| Some(row.commitment?.name.clone())),
    ("CommitmentDiscountQuantity", |row| row.discount_quantity()),
    ("CommitmentDiscountStatus", |row| row.discount_status().map(str::to_owned)),
    ("CommitmentDiscountType", |row| Some(row.discount_words()?.1.to_owned())),
    ("CommitmentDiscountUnit", |row| Some(row.discount_words()?.2.to_owned())),
    ("ConsumedQuantity", |row| row.consumed().map(|unit| quantity(row.charge.quantity, unit))),
    ("ConsumedUnit", |row| row.consumed().map(|unit| unit_word(unit).to_owned())),
    ("ContractApplied", |_| None),
    ("ContractedCost", |row| Some(money(row.costs().1))),
    ("ContractedUnitPrice", |row| row.unit_price(row.charge.contracted_price, Exchange::DOLLAR)),
    ("EffectiveCost", |row| Some(money(row.charge.effective))),
    ("HostProviderName", |row| Some(title(row.provider))),
    ("InvoiceId", |row| Some(row.invoice())),
    ("InvoiceIssuerName", |row| Some(title(row.provider))),
    ("ListCost", |row| Some(money(row.costs().0))),
    ("ListUnitPrice", |row| row.unit_price(row.charge.list_price, Exchange::DOLLAR)),
    ("PricingCategory", |row| row.pricing_category().map(str::to_owned)),
    ("PricingCurrency", |row| Some(row.currency.to_owned())),
    ("PricingCurrencyContractedUnitPrice", |row| row.priced(row.charge.contracted_price)),
    ("PricingCurrencyEffectiveCost", |row| {
        Some(money(row.worth.amount_back(row.charge.effective)))
    }),
    ("PricingCurrencyListUnitPrice", |row| row.priced(row.charge.list_price)),
    ("PricingQuantity", |row| row.pricing_quantity()),
    ("PricingUnit", |row| row.pricing_unit().map(str::to_owned)),
    ("ProviderName", |row| Some(title(row.provider))),
    ("PublisherName", |row| Some(title(row.provider))),
    ("RegionId", |row| filled(&row.product?.region)),
    ("RegionName", |row| filled(&row.product?.region)),
    ("ResourceId", |row| row.resource()),
    ("ResourceName", |row| row.resource()),
    ("ResourceType", |row| row.resource().map(|_| "Commitment".to_owned())),
    ("ServiceCategory", |row| Some(row.service_words().0.to_owned())),
    ("ServiceName", |row| Some(row.service_words().1.to_owned())),
    ("ServiceProviderName", |row| Some(title(row.provider))),
    ("ServiceSubcategory", |row| Some(row.service_words().2.to_owned())),
    ("SkuId", |row| row.sku()),
    ("SkuMeter", |row| row.sku().map(|_| row.service_words().1.to_owned())),
    ("SkuPriceDetails", |row| row.details()),
    ("SkuPriceId", |row| Some(format!("{}/{}", row.sku()?, row.pricing_category()?))),
    ("SubAccountId", |row| Some(row.account.to_owned())),
    ("SubAccountName", |row| Some(row.account.to_owned())),
    ("SubAccountType", |_| Some("Account".to_owned())),
    ("Tags", |_| Some("{}".to_owned())),
];

fn cell_of(name: &str) -> FocusCell {
    let found = CELLS.iter().find(|(known, _)| *known == name);
    found.map_or(|_: &FocusRow<'_>| None, |(_, cell)| *cell)
}

fn usage_line(row: &FocusRow<'_>) -> Option<String> {
    match row.charge.purpose {
        Purpose::Usage { origin: Origin::Line(line), .. }
        | Purpose::Covered { origin: Origin::Line(line), .. } => Some(line.to_string()),
        Purpose::Usage { origin: Origin::Reservation(_), .. }
        | Purpose::Covered { origin: Origin::Reservation(_), .. }
        | Purpose::Unused(_)
        | Purpose::Upfront(_)
        | Purpose::Fee(_)
        | Purpose::SustainedUse(_)
        | Purpose::Credit(_) => None,
    }
}

impl<'b> FocusRow<'b> {
    fn of(charge: &'b BilledCharge, biller: &'b Biller) -> Self {
        let terms = biller.terms();
        let (product, commitment) = charge.purpose.names();
        let currency = match (product, commitment) {
            (Some(product), _) => biller.currency_of(product),
            (None, Some(commitment)) => terms.commitments[commitment].currency,
            (None, None) => None,
        };
        let product = product.map(|product| &biller.products()[product]);
        let commitment = commitment.map(|commitment| &terms.commitments[commitment]);
        let provider = product
            .map(|product| product.provider.as_str())
            .or(commitment.map(|commitment| commitment.provider.as_str()));
        let root = terms.accounts.root(charge.account);
        Self {
            charge,
            product,
            commitment,
            account: &terms.accounts.get(charge.account).name,
            root: &terms.accounts.get(root).name,
            provider: provider.unwrap_or_default(),
            reservation: charge
                .purpose
                .reservation()
                .map(|kept| terms.reservations[kept].name.as_str()),
            month: Month::of(charge.from),
            currency: currency.map_or("USD", |currency| &terms.currencies[currency].code),
            worth: terms.exchange(currency, hour_of(charge.from)),
        }
    }

    /// Word of the purpose.
    fn purpose(&self) -> &'static str {
        self.charge.purpose.name()
    }

    fn category(&self) -> &'static str {
        match self.charge.purpose {
            Purpose::Usage { .. } | Purpose::Covered { .. } | Purpose::Unused(_) => "Usage",
            Purpose::Upfront(_) | Purpose::Fee(_) => "Purchase",
            Purpose::SustainedUse(_) | Purpose::Credit(_) => "Credit",
        }
    }

    fn frequency(&self) -> &'static str {
        match self.charge.purpose {
            Purpose::Usage { .. } | Purpose::Covered { .. } | Purpose::Unused(_) => "Usage-Based",
            Purpose::Upfront(_) | Purpose::SustainedUse(_) | Purpose::Credit(_) => "One-Time",
            Purpose::Fee(_) => "Recurring",
        }
    }

    fn description(&self) -> String {
        let thing = self.product.map(|product| match product.size.is_empty() {
            true => format!("{} {}", product.service.name(), product.family),
            false => product.size.clone(),
        });
        let held = self.commitment.map(|commitment| commitment.name.as_str()).unwrap_or_default();
        let thing = thing.unwrap_or_default();
        match self.charge.purpose {
            Purpose::Usage { origin: Origin::Line(_), .. } => thing,
            Purpose::Usage { origin: Origin::Reservation(_), .. } => {
                format!("{thing}, kept and not used")
            }
            Purpose::Covered { .. } => format!("{thing}, covered by {held}"),
            Purpose::Unused(_) => format!("{held}, not used"),
            Purpose::Upfront(_) => format!("{held}, paid at the beginning"),
            Purpose::Fee(_) => format!("{held}, paid by the hour"),
            Purpose::SustainedUse(_) => "discount for sustained use".to_owned(),
            Purpose::Credit(_) => "credit for time without service".to_owned(),
        }
    }

    /// The period of the charge; of what happens at one moment, its clock hour.
    fn period(&self) -> (Time, Time) {
        let (from, until) = (self.charge.from, self.charge.until);
        match from == until {
            true => (start_of(hour_of(from)), start_of(hour_of(from) + 1)),
            false => (from, until),
        }
    }

    /// Category, type and unit of the commitment.
    fn discount_words(&self) -> Option<(&'static str, &'static str, &'static str)> {
        Some(match self.commitment?.benefit {
            Benefit::Reserved { .. } => ("Usage", "Reservation", "Normalized Hours"),
            Benefit::Spending { .. } => ("Spend", "Plan", "USD"),
        })
    }

    fn discount_status(&self) -> Option<&'static str> {
        match self.charge.purpose {
            Purpose::Covered { .. } => Some("Used"),
            Purpose::Unused(_) => Some("Unused"),
            Purpose::Usage { .. }
            | Purpose::Upfront(_)
            | Purpose::Fee(_)
            | Purpose::SustainedUse(_)
            | Purpose::Credit(_) => None,
        }
    }

    /// How much of the commitment it is: units of size times hours, or dollars.
    fn discount_quantity(&self) -> Option<String> {
        let (commitment, charge) = (self.commitment?, self.charge);
        let reserved = |weight_micros: i128| decimal(weight_micros, 1_000 * i128::from(HOUR));
        Some(match (&commitment.benefit, charge.purpose) {
            (Benefit::Reserved { .. }, Purpose::Covered { .. }) => {
                reserved(charge.quantity * i128::from(self.product?.weight))
            }
            (Benefit::Reserved { .. }, _) => reserved(charge.quantity),
            (Benefit::Spending { .. }, Purpose::Covered { .. }) => money(charge.effective),
            (Benefit::Spending { .. }, _) => money(Money::from_nanos(charge.quantity)),
        })
    }

    /// Unit of what was consumed; `None` where nothing was.
    fn consumed(&self) -> Option<UsageUnit> {
        match self.charge.purpose {
            Purpose::Usage { .. } | Purpose::Covered { .. } => Some(self.product?.unit),
            Purpose::Unused(_)
            | Purpose::Upfront(_)
            | Purpose::Fee(_)
            | Purpose::SustainedUse(_)
            | Purpose::Credit(_) => None,
        }
    }

    /// Costs at list price and at the negotiated one; of a commitment, what is paid for it.
    fn costs(&self) -> (Money, Money) {
        let charge = self.charge;
        match charge.purpose {
            Purpose::Usage { .. }
            | Purpose::Covered { .. }
            | Purpose::SustainedUse(_)
            | Purpose::Credit(_) => (charge.list, charge.contracted),
            Purpose::Unused(_) => (charge.effective, charge.effective),
            Purpose::Upfront(_) | Purpose::Fee(_) => (charge.billed, charge.billed),
        }
    }

    /// A price in the currency in which it was said.
    fn priced(&self, price: Rate) -> Option<String> {
        self.unit_price(price, self.worth)
    }

    fn unit_price(&self, price: Rate, worth: Exchange) -> Option<String> {
        match self.charge.purpose {
            Purpose::Usage { .. } | Purpose::Covered { .. } => {
                Some(self::price(worth.price_back(price)))
            }
            Purpose::Unused(_) | Purpose::Upfront(_) | Purpose::Fee(_) => {
                Some(money(worth.amount_back(self.costs().0)))
            }
            Purpose::SustainedUse(_) | Purpose::Credit(_) => None,
        }
    }

    fn pricing_quantity(&self) -> Option<String> {
        match self.charge.purpose {
            Purpose::Usage { .. } | Purpose::Covered { .. } => {
                Some(quantity(self.charge.quantity, self.product?.unit))
            }
            Purpose::Unused(_) | Purpose::Upfront(_) | Purpose::Fee(_) => Some("1".to_owned()),
            Purpose::SustainedUse(_) | Purpose::Credit(_) => None,
        }
    }

    fn pricing_unit(&self) -> Option<&'static str> {
        match self.charge.purpose {
            Purpose::Usage { .. } | Purpose::Covered { .. } => Some(unit_word(self.product?.unit)),
            Purpose::Unused(_) | Purpose::Upfront(_) | Purpose::Fee(_) => Some("Units"),
            Purpose::SustainedUse(_) | Purpose::Credit(_) => None,
        }
    }

    fn pricing_category(&self) -> Option<&'static str> {
        match self.charge.purpose {
            Purpose::Usage { .. } => Some(match self.product?.sale {
                Sale::OnDemand => "Standard",
                Sale::Spot => "Dynamic",
                Sale::Block => "Other",
            }),
            Purpose::Covered { .. } | Purpose::Unused(_) => Some("Committed"),
            Purpose::Upfront(_) | Purpose::Fee(_) => Some("Standard"),
            Purpose::SustainedUse(_) | Purpose::Credit(_) => None,
        }
    }

    fn invoice(&self) -> String {
        format!("{}-{}-{}", self.root, self.provider, &instant(self.month.from)[..7])
    }

    /// The commitment that is bought, or lies idle.
    fn resource(&self) -> Option<String> {
        match self.charge.purpose {
            Purpose::Unused(_) | Purpose::Upfront(_) | Purpose::Fee(_) => {
                Some(self.commitment?.name.clone())
            }
            Purpose::Usage { .. }
            | Purpose::Covered { .. }
            | Purpose::SustainedUse(_)
            | Purpose::Credit(_) => None,
        }
    }

    /// Category, name and subcategory of the service.
    fn service_words(&self) -> (&'static str, &'static str, &'static str) {
        match self.product.map_or(Service::Compute, |product| product.service) {
            Service::Compute => ("Compute", "Virtual machines", "Virtual Machines"),
            Service::Serverless => ("Compute", "Serverless compute", "Serverless Compute"),
            Service::License => ("Compute", "Software licenses", "Other (Compute)"),
            Service::BlockStorage => ("Storage", "Block storage", "Block Storage"),
            Service::ObjectStorage => ("Storage", "Object storage", "Object Storage"),
            Service::Transfer => ("Networking", "Data transfer", "Network Routing"),
            Service::Address => ("Networking", "Addresses", "Network Connectivity"),
            Service::LoadBalancer => ("Networking", "Load balancing", "Application Networking"),
        }
    }

    fn sku(&self) -> Option<String> {
        if matches!(self.charge.purpose, Purpose::SustainedUse(_) | Purpose::Credit(_)) {
            return None;
        }
        let Some(product) = self.product else {
            return Some(format!("{}/commitment/{}", self.provider, self.commitment?.name));
        };
        let words = [
            &product.provider,
            product.service.name(),
            &product.region,
            &product.family,
            &product.size,
            &product.system,
        ];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        Some(words.join("/"))
    }

    fn details(&self) -> Option<String> {
        self.sku()?;
        let product = self.product?;
        let mut details = serde_json::Map::new();
        for (key, value) in [("InstanceType", &product.size), ("OperatingSystem", &product.system)]
        {
            if !value.is_empty() {
                details.insert(key.to_owned(), value.as_str().into());
            }
        }
        (!details.is_empty()).then(|| serde_json::Value::Object(details).to_string())
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Name of a provider in full.
fn title(provider: &str) -> String {
    match provider {
        "aws" => "AWS".to_owned(),
        "azure" => "Microsoft".to_owned(),
        "gcp" => "Google Cloud".to_owned(),
        "alibaba" => "Alibaba Cloud".to_owned(),
        "oci" => "Oracle".to_owned(),
        other => other.to_owned(),
    }
}

const fn unit_word(unit: UsageUnit) -> &'static str {
    match unit {
        UsageUnit::Hour => "Hours",
        UsageUnit::Gigabyte => "GB",
        UsageUnit::GigabyteMonth => "GB-Months",
        UsageUnit::Request => "Requests",
    }
}

/// A quantity of a unit as a decimal.
pub fn quantity(quantity: i128, unit: UsageUnit) -> String {
    decimal(quantity, unit.whole())
}

/// A price per unit in dollars as a decimal.
pub fn price(price: Rate) -> String {
    decimal(i128::from(price.picos()), 1_000_000_000_000)
}

fn money(money: Money) -> String {
    decimal(money.nanos(), 1_000_000_000)
}

/// `value` over `whole` as a decimal of at most 15 places, without zeros behind.
fn decimal(value: i128, whole: i128) -> String {
    const PLACES: i128 = 1_000_000_000_000_000;
    let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    let (whole, places) = (whole.unsigned_abs(), PLACES.unsigned_abs());
    let (units, rest) = (value / whole, value % whole);
    let part = (rest * places + whole / 2) / whole;
    let (units, part) = (units + part / places, part % places);
    let text = format!("{sign}{units}.{part:015}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An instant as FOCUS writes it: UTC, to the second.
fn instant(at: Time) -> String {
    let seconds = at.micros().div_euclid(1_000_000);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.to_string())
}

#[cfg(test)]
mod tests;
