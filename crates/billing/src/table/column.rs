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
    UsageUnit,
    Quantity,
    Price,
    Contracted,
    Weight,
    EndedBy,
    Billed,
    Category,
    Details,
    Status,
}

/// A column of tables of usage.
#[derive(Debug)]
pub struct ColumnRow {
    field: UsageField,
    /// Our name; empty where only an export has it.
    pub name: &'static str,
    /// Name in FOCUS; empty where it has none.
    pub focus: &'static str,
    /// Meaning, for the documents.
    pub doc: &'static str,
}

const fn row(
    field: UsageField,
    name: &'static str,
    focus: &'static str,
    doc: &'static str,
) -> ColumnRow {
    ColumnRow { field, name, focus, doc }
}

/// Every column.
pub const COLUMNS: &[ColumnRow] = &[
    row(
        UsageField::From,
        "from",
        "ChargePeriodStart",
        "Beginning, an instant. Rows come in the order of their clock hours.",
    ),
    row(UsageField::Until, "until", "ChargePeriodEnd", "End; the beginning where it is left out."),
    row(
        UsageField::Account,
        "account",
        "SubAccountId",
        "Account that used it; `account` where it is left out.",
    ),
    row(
        UsageField::Provider,
        "provider",
        "ProviderName",
        "Short name of the provider: `aws`, `azure`, `gcp`.",
    ),
    row(
        UsageField::Service,
        "service",
        "ServiceCategory",
        "Kind of thing; `compute` where it is left out.",
    ),
    row(UsageField::Region, "region", "RegionId", "Region."),
    row(UsageField::Zone, "zone", "AvailabilityZone", "Zone."),
    row(
        UsageField::Family,
        "family",
        "",
        "Family of the type, path of a transfer, class of storage; of a type, what its name begins with.",
    ),
    row(UsageField::Size, "type", "", "Instance type."),
    row(UsageField::System, "system", "", "Operating system; `linux` where it is left out."),
    row(UsageField::Tenancy, "tenancy", "", "`default`, `dedicated` or `host`."),
    row(UsageField::Sale, "sale", "PricingCategory", "`on-demand`, `spot` or `block`."),
    row(
        UsageField::UsageUnit,
        "unit",
        "ConsumedUnit",
        "`hour`, `GB`, `GB-month` or `request`; what is usual for the service where it is left out.",
    ),
    row(
        UsageField::Quantity,
        "quantity",
        "ConsumedQuantity",
        "Quantity in that unit. Where it is left out, time from beginning to end by the provider's rule.",
    ),
    row(UsageField::Price, "price", "ListUnitPrice", "List price per unit in dollars."),
    row(
        UsageField::Contracted,
        "contracted",
        "ContractedUnitPrice",
        "Negotiated price per unit; the list price where it is left out.",
    ),
    row(
        UsageField::Weight,
        "weight",
        "",
        "Size within the family; by the provider's rule where it is left out.",
    ),
    row(UsageField::EndedBy, "ended_by", "", "`provider` where it took the machine back."),
    row(
        UsageField::Billed,
        "billed",
        "BilledCost",
        "Amount that somebody else has billed, to be compared.",
    ),
    row(UsageField::Category, "", "ChargeCategory", "What is no `Usage` is compared in sum alone."),
    row(UsageField::Details, "", "SkuPriceDetails", "Instance type and operating system."),
    row(
        UsageField::Status,
        "",
        "CommitmentDiscountStatus",
        "What is `Unused` is compared in sum alone.",
    ),
];

/// Words in which a table names its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnWords {
    Own,
    Focus,
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
        let focus = header.iter().any(|name| name == "ChargePeriodStart");
        let layout = if focus { ColumnWords::Focus } else { ColumnWords::Own };
        let place = |row: &ColumnRow| {
            let wanted = name_in(row, layout);
            header.iter().position(|name| !wanted.is_empty() && name == wanted)
        };
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
            if !columns.has(needed) {
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
    }
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
