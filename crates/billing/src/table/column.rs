//! Columns of tables of usage: which field each is, in our own words and in those of FOCUS.

use csv::StringRecord;

use crate::problem::Problem;

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UsageField {
    From,
    Until,
    Account,
    Provider,
    Service,
    Region,
    Zone,
    Family,
    Size,
    System,
    Tenancy,
    Sale,
    Unit,
    Quantity,
    Price,
    Contracted,
    Currency,
    Weight,
    EndedBy,
    Billed,
    Category,
    Details,
    Status,
    OwnSale,
}

/// A column of tables of usage.
#[derive(Debug)]
pub struct ColumnRow {
    field: UsageField,
    /// Our name; empty where only an export has it.
    pub name: &'static str,
    /// Name in FOCUS; empty where it has none.
    pub focus: &'static str,
    /// Name in the cost and usage report of AWS; empty where it has none.
    pub report: &'static str,
    /// Meaning, for the documents.
    pub doc: &'static str,
}

const fn row(
    field: UsageField,
    name: &'static str,
    [focus, report]: [&'static str; 2],
    doc: &'static str,
) -> ColumnRow {
    ColumnRow { field, name, focus, report, doc }
}

/// Every column.
pub const COLUMNS: &[ColumnRow] = &[
    row(
        UsageField::From,
        "from",
        ["ChargePeriodStart", "lineItem/UsageStartDate"],
        "Beginning, an instant. Rows come in the order of their clock hours.",
    ),
    row(
        UsageField::Until,
        "until",
        ["ChargePeriodEnd", "lineItem/UsageEndDate"],
        "End; the beginning where it is left out.",
    ),
    row(
        UsageField::Account,
        "account",
        ["SubAccountId", "lineItem/UsageAccountId"],
        "Account that used it; `account` where it is left out.",
    ),
    row(
        UsageField::Provider,
        "provider",
        ["ProviderName", ""],
        "Short name of the provider: `aws`, `azure`, `gcp`.",
    ),
    row(
        UsageField::Service,
        "service",
        ["ServiceCategory", "product/productFamily"],
        "Kind of thing; `compute` where it is left out.",
    ),
    row(UsageField::Region, "region", ["RegionId", "product/region"], "Region."),
    row(UsageField::Zone, "zone", ["AvailabilityZone", "lineItem/AvailabilityZone"], "Zone."),
    row(
        UsageField::Family,
        "family",
        ["x_Family", ""],
        "Family of the type, path of a transfer, class of storage; of a type, what its name begins with.",
    ),
    row(UsageField::Size, "type", ["", "product/instanceType"], "Instance type."),
    row(
        UsageField::System,
        "system",
        ["", "product/operatingSystem"],
        "Operating system; `linux` where it is left out.",
    ),
    row(
        UsageField::Tenancy,
        "tenancy",
        ["x_Tenancy", "product/tenancy"],
        "`default`, `dedicated` or `host`.",
    ),
    row(
        UsageField::Sale,
        "sale",
        ["PricingCategory", "lineItem/UsageType"],
        "`on-demand`, `spot` or `block`.",
    ),
    row(
        UsageField::Unit,
        "unit",
        ["ConsumedUnit", "pricing/unit"],
        "`hour`, `GB`, `GB-month` or `request`; what is usual for the service where it is left out.",
    ),
    row(
        UsageField::Quantity,
        "quantity",
        ["ConsumedQuantity", "lineItem/UsageAmount"],
        "Quantity in that unit. Where it is left out, time from beginning to end by the provider's rule.",
    ),
    row(
        UsageField::Price,
        "price",
        ["ListUnitPrice", "pricing/publicOnDemandRate"],
        "List price per unit.",
    ),
    row(
        UsageField::Contracted,
        "contracted",
        ["ContractedUnitPrice", ""],
        "Negotiated price per unit; the list price where it is left out.",
    ),
    row(
        UsageField::Currency,
        "currency",
        ["BillingCurrency", "lineItem/CurrencyCode"],
        "Currency of its prices and of `billed`, one of `[[currency]]`; `USD` where it is left out.",
    ),
    row(
        UsageField::Weight,
        "weight",
        ["x_Weight", ""],
        "Size within the family; by the provider's rule where it is left out.",
    ),
    row(UsageField::EndedBy, "ended_by", ["", ""], "`provider` where it took the machine back."),
    row(
        UsageField::Billed,
        "billed",
        ["BilledCost", "lineItem/UnblendedCost"],
        "Amount that somebody else has billed, to be compared.",
    ),
    row(
        UsageField::Category,
        "",
        ["ChargeCategory", "lineItem/LineItemType"],
        "What is no `Usage` is compared in sum alone.",
    ),
    row(UsageField::Details, "", ["SkuPriceDetails", ""], "Instance type and operating system."),
    row(
        UsageField::Status,
        "",
        ["CommitmentDiscountStatus", ""],
        "What is `Unused` is compared in sum alone.",
    ),
    row(UsageField::OwnSale, "", ["x_Sale", ""], "`block` of what FOCUS has no word for."),
];

/// Words in which a table names its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnWords {
    /// Ours.
    Own,
    /// Those of FOCUS.
    Focus,
    /// Those of the cost and usage report of AWS, also with `_` in place of `/` and capitals.
    Report,
}

/// Columns of one table.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) layout: ColumnWords,
    indices: Vec<Option<usize>>,
}

impl Columns {
    /// Finds the columns of a table with that header.
    pub(super) fn find(header: &StringRecord, shown: &str) -> Result<Self, Problem> {
        let has = |wanted: &str| header.iter().any(|name| same(name, wanted));
        let layout = match (has("ChargePeriodStart"), has("lineItem/UsageStartDate")) {
            (true, _) => ColumnWords::Focus,
            (false, true) => ColumnWords::Report,
            (false, false) => ColumnWords::Own,
        };
        let place = |row: &ColumnRow| {
            let wanted = name_in(row, layout);
            header.iter().position(|name| !wanted.is_empty() && same(name, wanted))
        };
        for (at, name) in header.iter().enumerate() {
            let is_again = header.iter().take(at).any(|before| before == name);
            if is_again && COLUMNS.iter().any(|row| same(name_in(row, layout), name)) {
                let message = format!("there are two columns `{}`", crate::problem::clip(name));
                return Err(Problem::at(shown, 1, 0, message));
            }
        }
        let columns = Self { layout, indices: COLUMNS.iter().map(place).collect() };
        let unknown = header.iter().find(|name| !COLUMNS.iter().any(|row| row.name == *name));
        if let Some(unknown) = unknown.filter(|_| layout == ColumnWords::Own) {
            let known: Vec<&str> =
                COLUMNS.iter().map(|row| row.name).filter(|name| !name.is_empty()).collect();
            let message = format!("`{}` is no column of usage", crate::problem::clip(unknown));
            let hint = format!("columns are `{}`", known.join("`, `"));
            return Err(Problem::at(shown, 1, 0, message).hint(hint));
        }
        for needed in [UsageField::From, UsageField::Provider] {
            let is_known = layout == ColumnWords::Report && needed == UsageField::Provider;
            if !columns.has(needed) && !is_known {
                let message = format!("the column `{}` is missing", columns.name(needed));
                return Err(Problem::at(shown, 1, 0, message));
            }
        }
        Ok(columns)
    }

    pub(super) fn index(&self, field: UsageField) -> Option<usize> {
        self.indices[field as usize]
    }

    pub(super) fn has(&self, field: UsageField) -> bool {
        self.index(field).is_some()
    }

    /// Name of the column in the words of the table.
    pub(super) fn name(&self, field: UsageField) -> &'static str {
        let row = COLUMNS.iter().find(|row| row.field == field);
        row.map_or("", |row| name_in(row, self.layout))
    }
}

const fn name_in(row: &ColumnRow, layout: ColumnWords) -> &'static str {
    match layout {
        ColumnWords::Own => row.name,
        ColumnWords::Focus => row.focus,
        ColumnWords::Report => row.report,
    }
}

/// Whether two names are the same but for capitals and what is between words.
fn same(one: &str, other: &str) -> bool {
    let letters = |name: &str| -> Vec<u8> {
        let plain = name.bytes().filter(u8::is_ascii_alphanumeric);
        plain.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    letters(one) == letters(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_fields() {
        for (number, row) in COLUMNS.iter().enumerate() {
            assert_eq!(row.field as usize, number, "{}", row.name);
        }
    }
}
