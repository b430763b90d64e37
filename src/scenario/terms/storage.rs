//! What is paid for while it is kept: `[[data_set]]`, and disks and addresses of machines,
//! `[[attached]]`, at the prices of `[[storage_price]]` or of the shipped rules.

use super::{UNIX, owned, priced, rate_of};
use crate::billing::rules::shipped;
use crate::billing::usage::{LinePrices, Product, Sale, Service, UsageUnit};
use crate::problem::clip;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Rate, Time};

/// A copy of a data set, at its price.
#[derive(Clone, Debug)]
pub struct KeptData {
    /// What is paid.
    pub product: Product,
    /// Price of a gigabyte-month, by the list.
    pub price: Rate,
    /// Whether tiers hold where there are some: it has no price of its own.
    pub prices: LinePrices,
    /// Its size.
    pub bytes: i64,
    /// From when on it is there, since 1970; `None` from the beginning of a run.
    pub from: Option<Time>,
    /// Until when it is there; `None` until the end of a run.
    pub until: Option<Time>,
}

/// What machines of a provider have with them.
#[derive(Clone, Debug)]
pub struct Attached {
    pub(super) provider: String,
    size: Option<String>,
    /// Bytes of a disk, its class and its price.
    pub disk: Option<(i64, String, Rate)>,
    /// Number of addresses, and the price of one.
    pub addresses: Option<(u64, Rate)>,
}

impl Attached {
    /// Whether machines of that type have it.
    pub fn is_of(&self, provider: &str, size: &str) -> bool {
        self.provider == provider && self.size.as_ref().is_none_or(|own| own == size)
    }
}

/// Something that is kept, or an address, in a region.
pub fn kept_product(
    (provider, region): (&str, &str),
    service: Service,
    class: &str,
    unit: UsageUnit,
) -> Product {
    Product {
        currency: String::new(),
        provider: provider.to_owned(),
        service,
        region: region.to_owned(),
        zone: String::new(),
        family: class.to_owned(),
        size: String::new(),
        system: String::new(),
        tenancy: String::new(),
        sale: Sale::OnDemand,
        unit,
        weight: 0,
    }
}

/// What the document says is kept. `unpriced` takes copies that cost nothing for want of a price.
pub(super) fn data_sets(
    root: &ConfigTable,
    unpriced: &mut Vec<String>,
    report: &mut Diagnostics<'_>,
) -> Vec<KeptData> {
    let mut all = Vec::new();
    for section in root.list("data_set") {
        for key in ["name", "home", "size"] {
            section.require(key, report);
        }
        let (from, until) = (section.moment("from", UNIX), section.moment("until", UNIX));
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            report.at(&section.spot("until"), "the end lies before the beginning");
        }
        let class = section.text("class").unwrap_or("standard");
        let Some(bytes) = section.integer("size") else { continue };
        for place in places(section) {
            let (provider, region) = place.split_once('/').unwrap_or((&place, &place));
            let service = Service::ObjectStorage;
            match price(root, provider, service, class) {
                Some((price, prices)) => all.push(KeptData {
                    product: kept_product(
                        (provider, region),
                        service,
                        class,
                        UsageUnit::GigabyteMonth,
                    ),
                    price,
                    prices,
                    bytes,
                    from,
                    until,
                }),
                None => unpriced.push(format!(
                    "Data set {} costs nothing at {}: no price of class `{}` is known there \
                     (`[[storage_price]]`).",
                    clip(section.text("name").unwrap_or_default()),
                    clip(&place),
                    clip(class)
                )),
            }
        }
    }
    all
}

/// Home and replicas of a data set.
pub(super) fn places(section: &ConfigTable) -> Vec<String> {
    section.text("home").map(str::to_owned).into_iter().chain(section.names("replicas")).collect()
}

/// Price of a gigabyte-month: of the document, else as shipped; then what is paid follows tiers, if any.
fn price(
    root: &ConfigTable,
    provider: &str,
    service: Service,
    class: &str,
) -> Option<(Rate, LinePrices)> {
    let own = root.list("storage_price").iter().find(|row| {
        row.text("provider") == Some(provider) && row.text("class").unwrap_or("standard") == class
    });
    own.and_then(|row| row.integer("usd_per_gb_month"))
        .and_then(rate_of)
        .map(|price| (price, LinePrices::Own))
        .or_else(|| {
            let listed = shipped().storage_price(provider, service, class)?;
            Some((listed, LinePrices::PaidOfMonth))
        })
}

/// What machines have with them.
pub(super) fn attached(root: &ConfigTable, report: &mut Diagnostics<'_>) -> Vec<Attached> {
    for row in root.list("storage_price") {
        for key in ["provider", "usd_per_gb_month"] {
            row.require(key, report);
        }
        priced(row, "usd_per_gb_month", report);
    }
    let mut all = Vec::new();
    for section in root.list("attached") {
        section.require("provider", report);
        let Some(provider) = section.text("provider") else { continue };
        let class = section.text("class").unwrap_or("standard");
        let disk = section.integer("disk").and_then(|bytes| {
            let price = price(root, provider, Service::BlockStorage, class);
            if price.is_none() {
                let message =
                    format!("no price of disks of class `{}` is known there", clip(class));
                let hint =
                    "say it: `[[storage_price]]` with `provider`, `class` and `usd_per_gb_month`";
                report.hint(&section.spot("disk"), message, hint);
            }
            let (price, _) = price?;
            Some((bytes, class.to_owned(), price))
        });
        let addresses = section.count("addresses").and_then(|count| {
            let price = section.rate("address").or_else(|| shipped().address_price(provider));
            if price.is_none() {
                let message = "no price of an address is known there";
                report.hint(
                    &section.spot("addresses"),
                    message,
                    "say it: `address = \"0.005 USD/h\"`",
                );
            }
            Some((count, price?))
        });
        all.push(Attached {
            provider: provider.to_owned(),
            size: owned(section, "type"),
            disk,
            addresses,
        });
    }
    all
}
