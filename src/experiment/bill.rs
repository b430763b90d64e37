//! A table of usage becomes a bill, without any simulation, and is held against what somebody else
//! has billed for the same usage.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::billing::account::Account;
use crate::billing::charge::{BilledCharge, Purpose};
use crate::billing::commitment::{Commitment, Matching, hour_of};
use crate::billing::credit::ServiceCredits;
use crate::billing::currency::{Currency, Exchange};
use crate::billing::feed::{Feed, hour_after};
use crate::billing::month::Month;
use crate::billing::rules::shipped;
use crate::billing::settle::Biller;
use crate::billing::table::{Row, UsageRow, UsageTable};
use crate::billing::terms::TierTable;
use crate::billing::usage::{LinePrices, Product, Sale, Service, UsageLine};
use crate::problem::Problem;
use crate::scenario::BillingTerms;
use crate::units::{Id, IdVec, Money, Rate, Time};

/// Amounts of several charges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChargeSums {
    /// At list price.
    pub list: Money,
    /// At the negotiated price.
    pub contracted: Money,
    /// With what was paid for commitments spread over what they cover.
    pub effective: Money,
    /// To be paid.
    pub billed: Money,
    /// Part of the effective amount that was paid for commitments that cover use.
    pub covered: Money,
    /// Part of it that was paid for commitments of which nobody made use.
    pub unused: Money,
}

impl ChargeSums {
    fn add(&mut self, charge: &BilledCharge) {
        match charge.purpose {
            Purpose::Covered { .. } => self.covered += charge.effective,
            Purpose::Unused(_) => self.unused += charge.effective,
            Purpose::Usage { .. }
            | Purpose::Upfront(_)
            | Purpose::Fee(_)
            | Purpose::SustainedUse(_)
            | Purpose::Credit(_) => {}
        }
        self.list += charge.list;
        self.contracted += charge.contracted;
        self.effective += charge.effective;
        self.billed += charge.billed;
    }
}

/// What became of a commitment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitmentSums {
    /// What was paid for it in the time that is billed.
    pub paid: Money,
    /// Part of its cost that covers use.
    pub used: Money,
    /// Part of its cost that nobody used.
    pub unused: Money,
    /// What the use that it covers would have cost at the negotiated price.
    pub covered: Money,
}

/// What somebody else has billed, beside what was billed here, of one group of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObservedCost {
    /// By the table.
    pub theirs: Money,
    /// By the terms.
    pub ours: Money,
}

/// A bill, in sums. Lines go to whoever takes them as they are made.
#[derive(Clone, Debug, Default)]
pub struct AccountBill {
    /// All of it.
    pub total: ChargeSums,
    /// By provider and service.
    pub services: BTreeMap<(String, Service), ChargeSums>,
    /// By account.
    pub accounts: BTreeMap<Id<Account>, ChargeSums>,
    /// By month.
    pub months: BTreeMap<Month, ChargeSums>,
    /// By commitment.
    pub commitments: BTreeMap<Id<Commitment>, CommitmentSums>,
    /// Rows of usage.
    pub rows: u64,
    /// Charges.
    pub charges: u64,
    /// Beginning of the first row and end of the last.
    pub period: Option<(Time, Time)>,
    /// What somebody else has billed of usage, by provider and service; empty where nobody has.
    pub observed: BTreeMap<(String, String), ObservedCost>,
    /// Facts that a reader must know.
    pub notes: BTreeSet<BillNote>,
}

impl AccountBill {
    /// Adds a charge of that biller.
    pub(super) fn add(&mut self, charge: &BilledCharge, biller: &Biller) {
        let (product, commitment) = charge.purpose.names();
        let (provider, service) = match product {
            Some(product) => {
                let product = &biller.products()[product];
                (product.provider.clone(), product.service)
            }
            None => {
                let held = commitment.map(|held| &biller.terms().commitments[held]);
                held.map_or((String::new(), Service::Compute), |held| {
                    (held.provider.clone(), held.service())
                })
            }
        };
        self.charges += 1;
        self.total.add(charge);
        if !self.observed.is_empty() {
            let key = observed_key(charge.purpose, &provider, service);
            self.observed.entry(key).or_default().ours += charge.billed;
        }
        self.services.entry((provider, service)).or_default().add(charge);
        self.accounts.entry(charge.account).or_default().add(charge);
        self.months.entry(Month::of(charge.from)).or_default().add(charge);
        if let Some(held) = commitment {
            let sums = self.commitments.entry(held).or_default();
            match charge.purpose {
                Purpose::Covered { .. } => {
                    sums.used += charge.effective;
                    sums.covered += charge.contracted;
                }
                Purpose::Unused(_) => sums.unused += charge.effective,
                Purpose::Upfront(_) | Purpose::Fee(_) => sums.paid += charge.billed,
                Purpose::Usage { .. } | Purpose::SustainedUse(_) | Purpose::Credit(_) => {}
            }
        }
    }
}

/// Group of lines in which a charge is compared with those of a table.
fn observed_key(purpose: Purpose, provider: &str, service: Service) -> (String, String) {
    match purpose {
        Purpose::Usage { .. } | Purpose::Covered { .. } => {
            (provider.to_owned(), service.name().to_owned())
        }
        Purpose::Unused(_) => (String::new(), "Unused commitments".to_owned()),
        Purpose::Upfront(_) | Purpose::Fee(_) => (String::new(), "Purchase".to_owned()),
        Purpose::SustainedUse(_) | Purpose::Credit(_) => (String::new(), "Credit".to_owned()),
    }
}

/// Something that was assumed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum BillNote {
    /// Prices of a provider are those of its catalog, as usage does not say them.
    CatalogPrices(String),
    /// An account that the terms do not list stands by itself.
    Unlisted(String),
    /// A type whose size is not known, so that no reservation covers it.
    UnknownSize(String),
    /// No usage is of the provider at which a commitment holds, or a discount.
    NoUsage(String),
    /// A commitment of that name that covers nothing of the usage at its provider.
    CoversNothing(String),
    /// A discount for nothing of the usage at its provider.
    IdleDiscount {
        /// Provider.
        provider: String,
        /// What it is for: service, region, family and type, as far as it says them.
        of: String,
    },
    /// A table of prices of its own by which nothing is priced.
    IdleTier {
        /// Path or kind.
        name: String,
        /// Provider, with the region if it is for one.
        place: String,
    },
    /// A type of machine in a region that is not taken apart, though something is committed of its cores
    /// or memory, and why.
    KeptWhole {
        /// Type.
        size: String,
        /// Region.
        region: String,
        /// Why, in words.
        why: &'static str,
    },
    /// An outage of which a bill cannot tell what it broke.
    OutagePassedOver(String),
}

/// Takes charges as they are made.
pub type ChargeSink<'s, E> = dyn FnMut(&BilledCharge, &Biller) -> Result<(), E> + 's;

/// A bill in the making.
struct BillMaker<'s, E> {
    terms: BillingTerms,
    biller: Biller,
    feed: Feed,
    products: BTreeMap<Product, Id<Product>>,
    accounts: BTreeMap<String, Id<Account>>,
    /// Credits for outages, where the terms have any.
    credits: Option<ServiceCredits<'static>>,
    bill: AccountBill,
    /// Tables by whose prices anything is priced.
    priced: BTreeSet<Id<TierTable>>,
    sink: &'s mut ChargeSink<'s, E>,
}

/// Bills the usage of a table on these terms. `sort` holds all rows and brings them into order
/// first. `poll` is asked now and then whether to go on.
///
/// # Errors
/// A row that cannot be billed, or the first failure of the sink or of `poll`.
pub fn bill<'s, E: From<Problem> + 's>(
    mut table: UsageTable,
    terms: BillingTerms,
    sort: bool,
    sink: &'s mut ChargeSink<'s, E>,
    poll: &mut dyn FnMut(u64) -> Result<(), E>,
) -> Result<(AccountBill, Biller), E> {
    let accounts = terms.terms.accounts.iter().map(|(id, account)| (account.name.clone(), id));
    let accounts = accounts.collect();
    let biller = terms.biller();
    let (feed, products) = (Feed::default(), BTreeMap::new());
    let mut bill = AccountBill::default();
    bill.notes.extend(terms.passed_over.iter().cloned().map(BillNote::OutagePassedOver));
    let credits = credits(&terms);
    let priced = BTreeSet::new();
    let mut billing =
        BillMaker { terms, biller, feed, products, accounts, credits, bill, priced, sink };
    let mut rows = Vec::new();
    let shown = table.shown().to_owned();
    while let Some(row) = table.next(shipped())? {
        billing.bill.rows += 1;
        if billing.bill.rows.is_multiple_of(POLLED) {
            poll(billing.bill.rows)?;
        }
        match sort {
            true => rows.push(row),
            false => billing.take(row, &shown)?,
        }
    }
    rows.sort_by_key(|row| match row {
        Row::Usage(row, _) => hour_of(row.from),
        Row::Other(_) => i64::MIN,
    });
    for (number, row) in rows.into_iter().enumerate() {
        if (number as u64).is_multiple_of(POLLED) {
            poll(number as u64)?;
        }
        billing.take(row, &shown)?;
    }
    billing.finish()
}

/// What the currency of that code is worth in an hour, for a line of a table; none is the dollar.
///
/// # Errors
/// Nobody says what it is worth then.
pub(super) fn worth(
    currencies: &IdVec<Currency>,
    code: &str,
    hour: Option<i64>,
    (shown, line): (&str, u64),
) -> Result<Exchange, Problem> {
    if code.is_empty() {
        return Ok(Exchange::DOLLAR);
    }
    let known = currencies.find(|currency| currency.code == code);
    let known = known.map(|currency| &currencies[currency]);
    let known = known.filter(|currency| hour.is_some_and(|hour| currency.is_known(hour)));
    if let (Some(currency), Some(hour)) = (known, hour) {
        return Ok(currency.in_hour(hour));
    }
    let code = crate::problem::clip(code);
    let message = format!("the terms do not say what `{code}` is worth then");
    let hint = format!("add `[[currency]]` with `code = \"{code}\"`, `from` and `usd` to them");
    Err(Problem::at(shown, line, 0, message).hint(hint))
}

/// Credits for the outages of the terms, if they have any.
fn credits(terms: &BillingTerms) -> Option<ServiceCredits<'static>> {
    let mut credits = ServiceCredits::new(shipped());
    terms.outages.iter().for_each(|outage| credits.outage(outage));
    (!terms.outages.is_empty()).then_some(credits)
}

/// Hours whose charges are held at once.
const AT_ONCE: i64 = 24;

/// Rows from one question to the next whether to go on.
const POLLED: u64 = 4_096;

impl<E: From<Problem>> BillMaker<'_, E> {
    fn take(&mut self, row: Row, shown: &str) -> Result<(), E> {
        let (row, billed) = match row {
            Row::Usage(row, billed) => (row, billed),
            Row::Other(other) => {
                let from = other.from.map(hour_of);
                let worth = self.worth(&other.currency, from, (shown, other.line))?;
                let key = (String::new(), other.category);
                let billed = worth.amount(other.billed.unwrap_or_default());
                self.bill.observed.entry(key).or_default().theirs += billed;
                return Ok(());
            }
        };
        let at = (shown, row.line);
        let worth = self.worth(&row.product.currency, Some(hour_of(row.from)), at)?;
        if let Some(billed) = billed {
            let key = (row.product.provider.clone(), row.product.service.name().to_owned());
            self.bill.observed.entry(key).or_default().theirs += worth.amount(billed);
        }
        let line = self.line(&row, shown)?;
        let period = self.bill.period.get_or_insert((row.from, row.until));
        period.1 = period.1.max(row.until);
        self.advance(hour_of(row.from))?;
        // The hours before it are billed.
        let taken = self.feed.take(line, &mut self.biller, &mut |_| {});
        if taken.is_err() {
            let message = "`from` lies in a clock hour before that of a row above";
            let hint = "bring the rows into the order of their hours, or add `--sort`";
            return Err(Problem::at(shown, row.line, 0, message).hint(hint).into());
        }
        Ok(())
    }

    /// What a currency is worth in an hour, for a line of the table.
    fn worth(&self, code: &str, hour: Option<i64>, at: (&str, u64)) -> Result<Exchange, E> {
        Ok(worth(&self.biller.terms().currencies, code, hour, at)?)
    }

    /// Bills the hours before that one, some at a time: so many charges are held at once.
    fn advance(&mut self, hour: i64) -> Result<(), E> {
        while let Some(now) = self.feed.hour().filter(|now| *now < hour) {
            let mut charges = Vec::new();
            let next = (now + AT_ONCE).min(hour);
            let billed =
                self.feed.advance(next, &mut self.biller, &mut |charge| charges.push(charge));
            debug_assert!(billed.is_ok(), "hours come in order");
            charges.iter().try_for_each(|charge| self.charged(charge))?;
        }
        Ok(())
    }

    /// The row as usage of a known product and account, at its prices.
    fn line(&mut self, row: &UsageRow, shown: &str) -> Result<UsageLine, E> {
        let account = self.account(&row.account);
        let product = match self.products.get(&row.product) {
            Some(product) => *product,
            None => {
                let product = self.biller.product(row.product.clone());
                self.products.insert(row.product.clone(), product);
                product
            }
        };
        let table = self.biller.tiers_of(product).filter(|_| row.list.is_none());
        self.priced.extend(table);
        let tiered = table.is_some();
        let list = match row.list {
            Some(list) => list,
            // What runs in a block is paid for already.
            None if tiered || row.product.sale == Sale::Block => Rate::ZERO,
            None => self.catalog_price(row, shown)?,
        };
        if row.product.weight == 0 && row.product.service == Service::Compute {
            let size = row.product.size.clone();
            self.bill.notes.insert(BillNote::UnknownSize(size));
        }
        let contracted = row.contracted.unwrap_or_else(|| self.biller.negotiated(product, list));
        Ok(UsageLine {
            number: row.line,
            account,
            product,
            from: row.from,
            until: row.until,
            quantity: row.quantity,
            list,
            contracted,
            prices: if tiered { LinePrices::OfMonth } else { LinePrices::Own },
            amount: None,
        })
    }

    fn account(&mut self, name: &str) -> Id<Account> {
        if let Some(account) = self.accounts.get(name) {
            return *account;
        }
        if self.terms.terms.accounts.iter().next().is_some() {
            self.bill.notes.insert(BillNote::Unlisted(name.to_owned()));
        }
        let account = self.biller.account(name);
        self.accounts.insert(name.to_owned(), account);
        account
    }

    fn catalog_price(&mut self, row: &UsageRow, shown: &str) -> Result<Rate, E> {
        let product = &row.product;
        let unit = product.service.usual_unit();
        let is_priced = product.currency.is_empty() && product.unit == unit;
        let found = self.terms.list_price(product, row.from).filter(|_| is_priced);
        let Some(price) = found else {
            let thing = match product.size.is_empty() {
                true => product.service.name(),
                false => &product.size,
            };
            let message = format!(
                "no price is known of `{}` of {} in `{}`",
                crate::problem::clip(thing),
                crate::problem::clip(&product.provider),
                crate::problem::clip(&product.region)
            );
            let path = "add a column `price`, or name a path that has prices as its `family`: \
                        `internet`, `region`, `zone`, or the region it goes to: `region/us-west-2`";
            let machine = "add a column `price`, or name a type and a region of a shipped catalog";
            let other = "add a column `price`, or a `[[tier]]` with this provider and service, and \
                         the `family` as its `path`";
            let hint = match product.service {
                Service::Transfer => path,
                Service::Compute | Service::License => machine,
                Service::Serverless
                | Service::BlockStorage
                | Service::ObjectStorage
                | Service::Address
                | Service::LoadBalancer => other,
            };
            return Err(Problem::at(shown, row.line, 0, message).hint(hint).into());
        };
        self.bill.notes.insert(BillNote::CatalogPrices(product.provider.clone()));
        Ok(price)
    }

    /// Gives the credits that are due before a charge, and then the charge.
    fn charged(&mut self, charge: &BilledCharge) -> Result<(), E> {
        if let Some(credits) = &mut self.credits {
            let mut given = Vec::new();
            credits.take(charge, self.biller.products(), &mut |credit| given.push(credit));
            given.iter().try_for_each(|credit| self.tell(credit))?;
        }
        self.tell(charge)
    }

    /// Adds a charge up, and hands it on.
    fn tell(&mut self, charge: &BilledCharge) -> Result<(), E> {
        self.bill.add(charge, &self.biller);
        (self.sink)(charge, &self.biller)
    }

    /// Bills what still runs. Commitments are paid until the last usage ends.
    fn finish(mut self) -> Result<(AccountBill, Biller), E> {
        let until = self.bill.period.map_or(0, |(_, until)| hour_after(until));
        self.advance(until)?;
        let mut charges = Vec::new();
        let mut feed = std::mem::take(&mut self.feed);
        feed.finish(until, &mut self.biller, &mut |charge| charges.push(charge));
        charges.iter().try_for_each(|charge| self.charged(charge))?;
        if let Some(mut credits) = self.credits.take() {
            let mut given = Vec::new();
            credits.finish(self.biller.products(), &mut |credit| given.push(credit));
            given.iter().try_for_each(|credit| self.tell(credit))?;
        }
        self.bill.notes.extend(self.idle());
        let own = self.biller.terms().tiers.iter().take(self.terms.own_tiers);
        let idle = own.filter(|(id, _)| !self.priced.contains(id)).map(|(_, table)| {
            let region = table.matching.region.iter().map(|region| format!("/{region}"));
            BillNote::IdleTier {
                name: table.name.clone(),
                place: table.provider.clone() + &region.collect::<String>(),
            }
        });
        self.bill.notes.extend(idle.collect::<Vec<_>>());
        let whole = self.biller.kept_whole().into_iter();
        self.bill.notes.extend(whole.map(|(product, why)| BillNote::KeptWhole {
            size: product.size.clone(),
            region: product.region.clone(),
            why: why.why(),
        }));
        Ok((self.bill, self.biller))
    }

    /// Commitments and discounts that are for nothing of the usage, and of what is kept.
    fn idle(&self) -> Vec<BillNote> {
        let (biller, terms) = (&self.biller, self.biller.terms());
        let used: BTreeSet<&str> =
            biller.products().iter().map(|(_, product)| product.provider.as_str()).collect();
        let mut notes = Vec::new();
        for (_, held) in terms.commitments.iter() {
            if !used.contains(held.provider.as_str()) {
                notes.push(BillNote::NoUsage(held.provider.clone()));
            } else if biller.covers_nothing(held) {
                notes.push(BillNote::CoversNothing(held.name.clone()));
            }
        }
        for less in &terms.negotiated {
            let is_less = |(id, product): (_, &Product)| {
                // Machines are priced whole.
                let is_priced = biller.part_of(id).is_none() && product.provider == less.provider;
                is_priced && less.matching.prices(product)
            };
            if !used.contains(less.provider.as_str()) {
                notes.push(BillNote::NoUsage(less.provider.clone()));
            } else if !biller.products().iter().any(is_less) {
                notes.push(BillNote::IdleDiscount {
                    provider: less.provider.clone(),
                    of: words_of(&less.matching),
                });
            }
        }
        notes
    }
}

/// What prices are for, as far as that is said.
fn words_of(matching: &Matching) -> String {
    let services = matching.services.iter().map(|service| service.name().to_owned());
    let families = matching.families.iter().flatten().cloned();
    let rest = matching.region.iter().cloned().chain(families).chain(matching.size.iter().cloned());
    services.chain(rest).collect::<Vec<_>>().join(" ")
}
