//! What somebody has billed, line by line. It needs less than usage does: no prices, quantities or units, which
//! exports have of more than is billed here.

use super::column::{ColumnWords, UsageField};
use super::{UsageTable, word};
use crate::charge::Purpose;
use crate::problem::Problem;
use crate::settle::Biller;
use crate::units::{Money, Time};
use crate::usage::Service;

/// Group of lines of a bill, as far as the words of a table tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BillGroup {
    /// Use of a service, or of services that the table does not tell apart.
    Use(&'static str),
    /// Commitments that nobody used.
    Unused,
    /// What is paid for commitments.
    Purchase,
    /// Credits, and discounts in lines of their own.
    Credit,
    /// What nobody bills here, such as a tax: its word in the table.
    Other(String),
}

/// A line of a bill.
#[derive(Clone, Debug, PartialEq)]
pub struct BilledRow {
    /// Line of the file.
    pub line: u64,
    /// Short name of the provider.
    pub provider: String,
    /// Its group.
    pub group: BillGroup,
    /// What was billed.
    pub billed: Money,
    /// Code of the currency of that; empty where it is in dollars.
    pub currency: String,
    /// Beginning of its period, since 1970.
    pub from: Time,
    /// End of its period.
    pub until: Time,
}

impl BillGroup {
    /// The words of reports.
    pub fn name(&self) -> &str {
        match self {
            Self::Use(service) => service,
            Self::Unused => "unused commitments",
            Self::Purchase => "purchases",
            Self::Credit => "credits",
            Self::Other(category) => category,
        }
    }

    /// Use of a service in a table of these words.
    pub const fn of_service(service: Service, words: ColumnWords) -> Self {
        Self::Use(match words {
            ColumnWords::Own => service.name(),
            ColumnWords::Focus => match service {
                Service::Compute | Service::Serverless | Service::License => "compute",
                Service::BlockStorage | Service::ObjectStorage => "storage",
                Service::Transfer | Service::Address | Service::LoadBalancer => "networking",
            },
            ColumnWords::Report => match service {
                Service::Compute | Service::License => Service::Compute.name(),
                Service::BlockStorage | Service::ObjectStorage => "storage",
                Service::Serverless
                | Service::Transfer
                | Service::Address
                | Service::LoadBalancer => service.name(),
            },
        })
    }

    /// The group of a charge of that biller in a table of these words.
    pub fn of_charge(purpose: Purpose, biller: &Biller, words: ColumnWords) -> Self {
        match purpose {
            Purpose::Usage { product, .. } | Purpose::Covered { product, .. } => {
                Self::of_service(biller.products()[product].service, words)
            }
            Purpose::Unused(_) => Self::Unused,
            Purpose::Upfront(_) | Purpose::Fee(_) => Self::Purchase,
            Purpose::SustainedUse(_) | Purpose::Credit(_) => Self::Credit,
        }
    }

    /// The group of what is no usage: the categories of FOCUS, and the types of lines of AWS's report. What
    /// a plan of AWS covers is billed at its price and taken back by a negation, so that belongs to what it covers.
    fn of_category(category: &str) -> Self {
        match category {
            word::UNUSED => Self::Unused,
            "SavingsPlanNegation" => Self::Use(Service::Compute.name()),
            "Purchase" | "Fee" | "RIFee" | "SavingsPlanRecurringFee" | "SavingsPlanUpfrontFee" => {
                Self::Purchase
            }
            "Credit" | "Discount" | "EdpDiscount" | "PrivateRateDiscount" | "BundledDiscount" => {
                Self::Credit
            }
            other => Self::Other(other.to_owned()),
        }
    }
}

impl UsageTable {
    /// The words in which it names its columns.
    pub const fn words(&self) -> ColumnWords {
        self.columns.layout
    }

    /// The next row as a line of a bill; `None` at the end.
    ///
    /// # Errors
    /// A value that cannot be read, with its place; an amount that is not there.
    pub fn next_billed(&mut self) -> Result<Option<BilledRow>, Problem> {
        let Some(line) = self.advance()? else { return Ok(None) };
        let billed = self.billed(line)?.ok_or_else(|| {
            let hint = "a bill has an amount in each line, be it 0";
            self.problem(line, UsageField::Billed, "is empty").hint(hint)
        })?;
        let group = match self.other() {
            Some(category) => BillGroup::of_category(category),
            None => BillGroup::of_service(self.service(line)?, self.words()),
        };
        let (from, until) = self.period(line)?;
        let (provider, currency) = (self.provider(line)?, self.currency());
        Ok(Some(BilledRow { line, provider, group, billed, currency, from, until }))
    }
}
