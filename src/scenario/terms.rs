//! The terms on which accounts are billed: `[[account]]`, `[[commitment]]`, `[[kept]]`,
//! `[[negotiated]]` and `[[tier]]`, in a file of their own or in a scenario.

mod currency;
mod held;
mod names;
mod outage;
mod parts;
mod storage;
mod target;

use std::collections::BTreeMap;
use std::path::Path;

use super::catalog::Catalog;
use super::composition::unknown_name;
use super::document::ScenarioText;
use super::section::{ConfigTable, Diagnostics};
use super::{root, syntax_problems, text_of};
use crate::billing::account::{Account, Accounts};
use crate::billing::commitment::{Benefit, Commitment, Matching, PlanPrice, PlanRate, hour_of};
use crate::billing::credit::ServiceOutage;
use crate::billing::currency::Currency;
use crate::billing::offering::Offering;
use crate::billing::reservation::CapacityReservation;
use crate::billing::rules::{PLAN_STEP, shipped};
use crate::billing::settle::Biller;
use crate::billing::terms::{AccountTerms, Negotiated, TierTable};
use crate::billing::usage::{Product, Sale, Service, UsageUnit};
use crate::problem::{Problems, clip};
use crate::units::{Calendar, Id, IdVec, Money, Rate, Span, Time};

pub(super) use currency::{read as currencies, told as foreign_told};
pub use held::{held_of, on_demand, product_of};
pub(super) use names::check as check_names;
pub use storage::{Attached, KeptData, kept_product};
pub(super) use target::unmatched;

/// Hours of a year of a term.
const YEAR: i64 = 8_760;

/// Terms as a file says them.
#[derive(Clone, Debug, Default)]
pub struct BillingTerms {
    /// Accounts, commitments, tiers and rules.
    pub terms: AccountTerms,
    /// Commitments that can be bought.
    pub offerings: Vec<Offering>,
    /// Time in which services were not there.
    pub outages: Vec<ServiceOutage>,
    /// Whether runs ask for the credits of outages.
    pub credits: bool,
    /// Data that is kept.
    pub data: Vec<KeptData>,
    /// Disks and addresses of machines.
    pub attached: Vec<Attached>,
    /// What is said of data that costs nothing for want of a price.
    pub unpriced: Vec<String>,
    /// Names of outages of which a bill cannot tell what they broke.
    pub passed_over: Vec<String>,
    /// So many of the tables of tiers, the first, are not shipped.
    pub own_tiers: usize,
    kept: Vec<Kept>,
    prices: ListPrices,
}

/// Capacity that is kept, before its product is known to a biller.
#[derive(Clone, Debug)]
struct Kept {
    name: String,
    account: Id<Account>,
    product: Product,
    machines: u64,
    from: Time,
    until: Time,
    price: Rate,
}

impl BillingTerms {
    /// Reads the file at `path`; tables of a scenario that say nothing of bills are passed over.
    ///
    /// # Errors
    /// Every problem in it.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let text = text_of(path, "file of terms")?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads terms from their text. Problems name it `shown`.
    ///
    /// # Errors
    /// Every problem in it.
    pub fn parse(text: &str, shown: &str) -> Result<Self, Problems> {
        let document = ScenarioText::new(text, shown);
        let syntax = syntax_problems(&document);
        if !syntax.is_empty() {
            return Err(syntax.into());
        }
        let mut report = Diagnostics::new(&document, Vec::new());
        let root = root(&document, "", &mut report);
        let terms = read(&root, &mut report);
        let mut problems = report.problems;
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems.dedup();
        if problems.is_empty() { Ok(terms) } else { Err(problems.into()) }
    }

    /// Terms of those who say nothing: the rules of providers alone.
    pub fn none() -> Self {
        Self { terms: AccountTerms::by(shipped()), ..Self::default() }
    }

    /// A biller on these terms.
    pub fn biller(&self) -> Biller {
        let mut biller = Biller::new(self.terms.clone());
        for kept in &self.kept {
            let product = biller.product(kept.product.clone());
            biller.reserve(CapacityReservation {
                currency: self.terms.currency(&kept.product.currency),
                name: kept.name.clone(),
                account: kept.account,
                matching: matching_of(&kept.product),
                product,
                machines: kept.machines,
                from: kept.from,
                until: kept.until,
                price: kept.price,
                contracted: biller.negotiated(product, kept.price),
            });
        }
        biller
    }

    /// List price of a product at `at` by the catalog of its provider, or the shipped rules of
    /// transfers, of what is kept and of addresses; `None` where none is known.
    pub fn list_price(&mut self, product: &Product, at: Time) -> Option<Rate> {
        let ruled = shipped().transfer_price(product, at);
        ruled.or_else(|| shipped().kept_price(product)).or_else(|| self.prices.of(product))
    }
}

/// Machines that run in capacity that is kept for those.
fn matching_of(product: &Product) -> Matching {
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    Matching {
        region: some(&product.region),
        zone: some(&product.zone),
        size: some(&product.size),
        ..Matching::default()
    }
}

/// List prices of machines, of the shipped catalogs that were asked for.
#[derive(Clone, Debug, Default)]
struct ListPrices {
    known: BTreeMap<String, BTreeMap<(String, String, String), Rate>>,
}

impl ListPrices {
    fn of(&mut self, product: &Product) -> Option<Rate> {
        let market = match product.sale {
            Sale::OnDemand => "on-demand",
            Sale::Spot => "spot",
            Sale::Block => return None,
        };
        if product.service != Service::Compute {
            return None;
        }
        let prices = self.known.entry(product.provider.clone()).or_insert_with(|| {
            let catalog = Catalog::shipped(&product.provider).and_then(Result::ok);
            let prices = catalog.map(|catalog| catalog.prices).unwrap_or_default();
            let keyed = prices
                .into_iter()
                .map(|price| ((price.region, price.instance_type, price.market), price.rate));
            keyed.collect()
        });
        let key = (product.region.clone(), product.size.clone(), market.to_owned());
        prices.get(&key).copied()
    }
}

/// Reads the terms in a scenario or a file of their own.
pub(super) fn read(root: &ConfigTable, report: &mut Diagnostics<'_>) -> BillingTerms {
    let mut accounts = Accounts::default();
    for section in root.list("account") {
        account(section, &mut accounts, report);
    }
    let mut prices = ListPrices::default();
    let credits = root.list("account").first().and_then(|one| one.flag("credits"));
    let mut read = BillingTerms { credits: credits.unwrap_or(false), ..BillingTerms::default() };
    read.terms.currencies = currency::read(root, report);
    for (number, section) in root.list("commitment").iter().enumerate() {
        if let Some(commitment) =
            commitment(section, number, &accounts, &read.terms.currencies, report)
        {
            let name = &commitment.name;
            if read.terms.commitments.find(|held| held.name == *name).is_some() {
                let message = format!("there are two commitments called `{}`", clip(name));
                report.at(&section.spot("name"), message);
            }
            read.terms.commitments.push(commitment);
        }
    }
    if root.has("offering") && accounts.iter().next().is_none() {
        accounts.add("account", None);
    }
    for (number, section) in root.list("offering").iter().enumerate() {
        let known = (&accounts, &read.terms.currencies);
        let Some(offering) = offering(section, number, known, report) else { continue };
        if offering.name.trim().is_empty() {
            report.at(&section.spot("name"), "an offering needs a name");
        }
        if read.offerings.iter().any(|known: &Offering| known.name == offering.name) {
            let message = format!("there are two offerings called `{}`", clip(&offering.name));
            report.at(&section.spot("name"), message);
        }
        read.offerings.push(offering);
    }
    for (number, section) in root.list("block").iter().enumerate() {
        if let Some(block) = block(section, number, &accounts, &read.terms.currencies, report) {
            if read.terms.commitments.find(|held| held.name == block.name).is_some() {
                let message =
                    format!("another commitment or block is called `{}`", clip(&block.name));
                report.hint(&section.spot("name"), message, "give each a name of its own");
            }
            read.terms.commitments.push(block);
        }
    }
    for (number, section) in root.list("kept").iter().enumerate() {
        let known = (&accounts, &read.terms.currencies);
        read.kept.extend(kept(section, number, known, &mut prices, report));
    }
    read.terms.negotiated =
        root.list("negotiated").iter().filter_map(|row| negotiated(row, report)).collect();
    let tables = root.list("tier").iter();
    let mut tables: Vec<TierTable> =
        tables.filter_map(|row| tier(row, &read.terms.currencies, report)).collect();
    // The first that is for a product holds: one that names more comes before one that is for all.
    tables.sort_by_key(|table| {
        let Matching { region, families, .. } = &table.matching;
        [region.is_none(), families.is_none()].into_iter().filter(|any| *any).count()
    });
    read.own_tiers = tables.len();
    tables.into_iter().for_each(|table| _ = read.terms.tiers.push(table));
    for (number, section) in root.list("outage").iter().enumerate() {
        match outage::read(section) {
            Some(outage) => read.outages.push(outage),
            None => read.passed_over.push(named(section, "outage", number)),
        }
    }
    names::twice(root, report);
    read.data = storage::data_sets(root, &mut read.unpriced, report);
    read.attached = storage::attached(root, report);
    read.terms.accounts = accounts;
    read.terms.add(shipped());
    parts::look_up(&mut read.terms, &read.offerings);
    read.prices = prices;
    read
}

fn account(section: &ConfigTable, accounts: &mut Accounts, report: &mut Diagnostics<'_>) {
    section.require("name", report);
    let Some(name) = section.text("name") else { return };
    if accounts.find(name).is_some() {
        let message = format!("there are two accounts called `{}`", clip(name));
        report.at(&section.spot("name"), message);
        return;
    }
    let parent = section.has("parent").then(|| known(section, "parent", accounts, report));
    accounts.add(name, parent.flatten());
}

/// The account that a key names.
fn known(
    section: &ConfigTable,
    key: &str,
    accounts: &Accounts,
    report: &mut Diagnostics<'_>,
) -> Option<Id<Account>> {
    let name = section.text(key)?;
    let found = accounts.find(name);
    if found.is_none() {
        let names: Vec<&str> = accounts.iter().map(|(_, account)| account.name.as_str()).collect();
        let message = format!("there is no account called `{}`", clip(name));
        let hint = match names.is_empty() {
            true => "list it before this: `[[account]]`, `name = ...`".to_owned(),
            false => unknown_name(name, &names),
        };
        report.hint(&section.spot(key), message, hint);
    }
    found
}

fn commitment(
    section: &ConfigTable,
    number: usize,
    accounts: &Accounts,
    currencies: &IdVec<Currency>,
    report: &mut Diagnostics<'_>,
) -> Option<Commitment> {
    for key in ["provider", "account", "from"] {
        section.require(key, report);
    }
    let owner = known(section, "account", accounts, report);
    let scope = match section.has("scope") {
        true => known(section, "scope", accounts, report),
        false => owner.map(|owner| accounts.root(owner)),
    };
    let from = section.moment("from", UNIX);
    let hours = YEAR * section.count("years").unwrap_or(1) as i64;
    let held = match (section.has("machines"), section.has("spend")) {
        (true, false) => reserved(section, section.count("machines").unwrap_or(0), report),
        (false, true) => {
            let spend = section.rate("spend").map(|rate| rate.charge(HOUR));
            spend.and_then(|spend| plan(section, spend, hours, report))
        }
        _ => {
            let message = "a commitment is to `machines` or to `spend`, and not to both";
            let hint = "such as `machines = 4` with a `type`, or `spend = \"10 USD/h\"`";
            report.hint(&section.range, message, hint);
            None
        }
    };
    let ((owner, scope), (benefit, upfront, hourly)) = (owner.zip(scope)?, held?);
    let from = from?;
    Some(Commitment {
        currency: currency::of(section, currencies, Some(from), report),
        name: named(section, "commitment", number),
        provider: section.text("provider")?.to_owned(),
        owner,
        scope,
        from,
        until: from + Span::from_secs(hours * 3_600),
        bought: from,
        benefit,
        upfront,
        hourly,
    })
}

/// A commitment that can be bought: one machine of a type, or a step of spending.
fn offering(
    section: &ConfigTable,
    number: usize,
    (accounts, currencies): (&Accounts, &IdVec<Currency>),
    report: &mut Diagnostics<'_>,
) -> Option<Offering> {
    section.require("provider", report);
    let owner = match section.has("account") {
        true => known(section, "account", accounts, report),
        false => accounts.iter().next().map(|(account, _)| account),
    };
    let scope = match section.has("scope") {
        true => known(section, "scope", accounts, report),
        false => owner.map(|owner| accounts.root(owner)),
    };
    let hours = YEAR * section.count("years").unwrap_or(1) as i64;
    if section.has("type") && !section.has("hourly") && !section.has("upfront_usd") {
        let hint = "say what is paid: `hourly = \"0.06 USD/h\"`, or `upfront_usd`";
        report.hint(&section.range, "a machine that is reserved has no price", hint);
    }
    if section.integer("discount") == Some(1_000_000) {
        report.at(&section.spot("discount"), "a plan that costs nothing needs no advice");
    }
    let sold = match section.has("type") {
        true => reserved(section, 1, report),
        false => plan(section, PLAN_STEP, hours, report),
    };
    let ((owner, scope), (benefit, upfront, hourly)) = (owner.zip(scope)?, sold?);
    Some(Offering {
        name: named(section, "offering", number),
        currency: currency::of(section, currencies, None, report),
        provider: section.text("provider")?.to_owned(),
        owner,
        scope,
        hours,
        benefit,
        upfront,
        hourly,
    })
}

/// Times of terms are counted from 1970.
const UNIX: Calendar = Calendar::from_unix_micros(0);

fn named(section: &ConfigTable, what: &str, number: usize) -> String {
    section.text("name").map_or_else(|| format!("{what} {}", number + 1), str::to_owned)
}

fn owned(section: &ConfigTable, key: &str) -> Option<String> {
    section.text(key).map(str::to_owned)
}

/// Benefit of reserved machines, and what is paid at the beginning and by the hour.
fn reserved(
    section: &ConfigTable,
    machines: u64,
    report: &mut Diagnostics<'_>,
) -> Option<(Benefit, Money, Money)> {
    section.require("type", report);
    for key in ["discount", "price", "prepaid", "services", "families"] {
        if section.has(key) {
            let message = format!("`{key}` is of plans, and these are reserved machines");
            report.at(&section.spot(key), message);
        }
    }
    let (provider, size) = (section.text("provider")?, section.text("type")?);
    let system = section.text("system").unwrap_or("linux");
    let tenancy = section.text("tenancy").unwrap_or("default");
    let family = flexible_family(section);
    let matching = Matching {
        services: Vec::new(),
        region: owned(section, "region"),
        zone: owned(section, "zone"),
        size: family.is_none().then(|| size.to_owned()),
        families: family.map(|family| vec![family]),
        system: Some(system.to_owned()),
        tenancy: Some(tenancy.to_owned()),
        sale: Sale::OnDemand,
    };
    let of_all = |money: i128| Money::from_nanos(money * i128::from(machines));
    let upfront = of_all(section.integer("upfront_usd").map_or(0, i128::from));
    let hourly = of_all(section.rate("hourly").unwrap_or(Rate::ZERO).charge(HOUR).nanos());
    let weight = weight(section, provider, size, report)? * machines;
    Some((Benefit::Reserved { matching, weight }, upfront, hourly))
}

/// The family of a type that is reserved, where all of its sizes are covered.
fn flexible_family(section: &ConfigTable) -> Option<String> {
    let (provider, size) = (section.text("provider")?, section.text("type")?);
    let system = section.text("system").unwrap_or("linux");
    let tenancy = section.text("tenancy").unwrap_or("default");
    let family = shipped().family_of(provider, size);
    let is_flexible = !section.has("zone")
        && !shipped().is_part(provider, size)
        && shipped().is_flexible(provider, &family, system, tenancy);
    is_flexible.then_some(family)
}

const HOUR: Span = Span::from_secs(3_600);

/// Benefit of a spending plan, and what is paid at the beginning and by the hour.
fn plan(
    section: &ConfigTable,
    hourly: Money,
    hours: i64,
    report: &mut Diagnostics<'_>,
) -> Option<(Benefit, Money, Money)> {
    for key in ["type", "zone", "upfront_usd", "hourly"] {
        if section.has(key) {
            let message = format!("`{key}` is of reserved machines, and this is a plan");
            report.at(&section.spot(key), message);
        }
    }
    let families = section.names("families");
    let matching = Matching {
        services: services(&section.names("services")),
        region: owned(section, "region"),
        zone: None,
        families: (!families.is_empty()).then_some(families),
        size: None,
        system: owned(section, "system"),
        tenancy: owned(section, "tenancy"),
        sale: Sale::OnDemand,
    };
    let mut rates: Vec<PlanRate> = Vec::new();
    for row in section.list("price") {
        row.require("usd", report);
        let matching = narrowed(row, &matching, report);
        let price = priced(row, "usd", report).map(PlanPrice::Fixed);
        rates.extend(price.map(|price| PlanRate { matching, price }));
    }
    if let Some(discount) = section.integer("discount") {
        let share = (1_000_000 - discount) as u32;
        rates.push(PlanRate { matching, price: PlanPrice::Share(share) });
    }
    if rates.is_empty() {
        let hint = "such as `discount = \"28 %\"`, or rows of `price`";
        report.hint(&section.range, "a plan needs its prices", hint);
    }
    let prepaid = i128::from(section.integer("prepaid").unwrap_or(0));
    let before = hourly.nanos() * prepaid / 1_000_000;
    let upfront = Money::from_nanos(before * i128::from(hours));
    let rest = hourly - Money::from_nanos(before);
    Some((Benefit::Spending { hourly, rates }, upfront, rest))
}

/// What a price of a plan is for: what the plan holds for, as far as the row does not say less. What lies
/// outside the plan is a problem.
fn narrowed(row: &ConfigTable, plan: &Matching, report: &mut Diagnostics<'_>) -> Matching {
    let held = match plan.services.as_slice() {
        [] => vec![Service::Compute],
        services => services.to_vec(),
    };
    let of_row = matching_row(row, &held);
    let families = plan.families.iter().flatten();
    let one = |of: &Option<String>| of.iter().cloned().collect::<Vec<_>>();
    let holds: [(&str, Vec<String>); 4] = [
        ("service", held.iter().map(|service| service.name().to_owned()).collect()),
        ("region", one(&plan.region)),
        ("family", families.cloned().collect()),
        ("system", one(&plan.system)),
    ];
    for (key, held) in holds {
        let Some(name) = row.text(key).filter(|_| !held.is_empty()) else { continue };
        if !held.iter().any(|held| held == name) {
            let message = format!("the plan does not hold for `{}`", clip(name));
            let hint = format!("it holds for `{}`: name it there too", held.join("`, `"));
            report.hint(&row.spot(key), message, hint);
        }
    }
    Matching {
        region: of_row.region.or_else(|| plan.region.clone()),
        families: of_row.families.or_else(|| plan.families.clone()),
        system: owned(row, "system").or_else(|| plan.system.clone()),
        tenancy: plan.tenancy.clone(),
        ..of_row
    }
}

/// The price of a unit that costs so many nano-dollars; `None` of one that is too high.
fn rate_of(nanos: i64) -> Option<Rate> {
    nanos.checked_mul(1_000).map(Rate::from_picos)
}

/// The price of a unit that a key says. One that is too high is a problem.
fn priced(row: &ConfigTable, key: &str, report: &mut Diagnostics<'_>) -> Option<Rate> {
    let nanos = row.integer(key)?;
    let price = rate_of(nanos);
    if price.is_none() {
        report.hint(&row.spot(key), "the price of a unit is too high", HIGHEST);
    }
    price
}

const HIGHEST: &str = "it may be at most 9223372 USD";

fn services(names: &[String]) -> Vec<Service> {
    let named = |name: &String| Service::ALL.into_iter().find(|service| service.name() == name);
    names.iter().filter_map(named).collect()
}

/// What a row of prices or discounts matches.
fn matching_row(row: &ConfigTable, any: &[Service]) -> Matching {
    let service = services(row.text("service").map(str::to_owned).as_slice());
    Matching {
        services: if service.is_empty() { any.to_vec() } else { service },
        region: owned(row, "region"),
        zone: None,
        families: owned(row, "family").map(|family| vec![family]),
        size: owned(row, "type"),
        system: None,
        tenancy: None,
        sale: Sale::OnDemand,
    }
}

/// A capacity block: a commitment of one type that is paid for when it is bought.
fn block(
    section: &ConfigTable,
    number: usize,
    accounts: &Accounts,
    currencies: &IdVec<Currency>,
    report: &mut Diagnostics<'_>,
) -> Option<Commitment> {
    for key in ["provider", "account", "type", "machines", "from", "until", "price"] {
        section.require(key, report);
    }
    let owner = known(section, "account", accounts, report);
    let (from, until) = (section.moment("from", UNIX)?, section.moment("until", UNIX)?);
    let bought = section.moment("bought", UNIX).unwrap_or(from);
    if hour_of(until) <= hour_of(from) {
        report.at(&section.spot("until"), "a block lasts for an hour at least");
    }
    if bought > from {
        report.at(&section.spot("bought"), "it is bought before it begins");
    }
    let price = price_at(section, bought, report);
    let (machines, size) = (section.count("machines")?, section.text("type")?.to_owned());
    let hours = i128::from(hour_of(until) - hour_of(from)).max(0);
    let provider = section.text("provider")?.to_owned();
    let weight = weight(section, &provider, &size, report)? * machines;
    let matching = Matching {
        region: owned(section, "region"),
        zone: owned(section, "zone"),
        size: Some(size),
        sale: Sale::Block,
        ..Matching::default()
    };
    Some(Commitment {
        currency: currency::of(section, currencies, Some(bought), report),
        name: named(section, "block", number),
        provider,
        owner: owner?,
        scope: accounts.root(owner?),
        from,
        until,
        bought,
        benefit: Benefit::Reserved { matching, weight },
        upfront: Money::from_nanos(price? * i128::from(machines) * hours),
        hourly: Money::ZERO,
    })
}

/// Price that a block had at `at`, in nano-dollars: of the rows that hold by then the latest.
fn price_at(section: &ConfigTable, at: Time, report: &mut Diagnostics<'_>) -> Option<i128> {
    let mut held = None;
    for row in section.list("price") {
        row.require("usd", report);
        let from = row.moment("from", UNIX);
        let is_later = held.is_none_or(|(known, _)| known <= from);
        if from.is_none_or(|from| from <= at) && is_later {
            held = Some((from, row.integer("usd")?));
        }
    }
    if held.is_none() && section.has("price") {
        report.at(&section.spot("price"), "no price holds yet on the day it is bought");
    }
    held.map(|(_, nanos)| i128::from(nanos))
}

/// Size of a type within its family, in thousandths.
fn weight(
    section: &ConfigTable,
    provider: &str,
    size: &str,
    report: &mut Diagnostics<'_>,
) -> Option<u64> {
    let weight = shipped().weight_of(provider, size);
    if weight.is_none() {
        let message = format!("`{}` has no size that is known", clip(size));
        report.hint(
            &section.spot("type"),
            message,
            "types are such as `m5.large`, `D8s_v5`, `n2-standard-4`",
        );
    }
    weight
}

fn kept(
    section: &ConfigTable,
    number: usize,
    (accounts, currencies): (&Accounts, &IdVec<Currency>),
    prices: &mut ListPrices,
    report: &mut Diagnostics<'_>,
) -> Option<Kept> {
    for key in ["provider", "account", "region", "type", "machines", "from", "until"] {
        section.require(key, report);
    }
    let account = known(section, "account", accounts, report);
    let (provider, size) = (section.text("provider")?, section.text("type")?);
    let currency = currency::of(section, currencies, section.moment("from", UNIX), report);
    let code = currency.map(|currency| currencies[currency].code.clone());
    let product = Product {
        currency: code.unwrap_or_default(),
        provider: provider.to_owned(),
        service: Service::Compute,
        region: section.text("region")?.to_owned(),
        zone: owned(section, "zone").unwrap_or_default(),
        family: shipped().family_of(provider, size),
        size: size.to_owned(),
        system: "linux".to_owned(),
        tenancy: "default".to_owned(),
        sale: Sale::OnDemand,
        unit: UsageUnit::Hour,
        weight: weight(section, provider, size, report)?,
    };
    // Catalogs are in dollars.
    let listed = |prices: &mut ListPrices| prices.of(&product).filter(|_| currency.is_none());
    let price = section.rate("price").or_else(|| listed(prices));
    if price.is_none() {
        let message = format!("no catalog has a price of `{}` there", clip(size));
        report.hint(&section.spot("type"), message, "say it: `price = \"0.096 USD/h\"`");
    }
    let (from, until) = (section.moment("from", UNIX)?, section.moment("until", UNIX)?);
    if until <= from {
        report.at(&section.spot("until"), "the end lies before the beginning");
    }
    let (name, machines) = (named(section, "kept", number), section.count("machines")?);
    Some(Kept { name, account: account?, product, machines, from, until, price: price? })
}

fn negotiated(row: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<Negotiated> {
    row.require("provider", report);
    row.require("discount", report);
    Some(Negotiated {
        provider: row.text("provider")?.to_owned(),
        matching: matching_row(row, &Service::ALL),
        paid: 1_000_000 - row.integer("discount")?,
    })
}

fn tier(
    section: &ConfigTable,
    currencies: &IdVec<Currency>,
    report: &mut Diagnostics<'_>,
) -> Option<TierTable> {
    let service = services(section.text("service").map(str::to_owned).as_slice()).pop();
    let service = service.unwrap_or(Service::Transfer);
    section.require("provider", report);
    section.require("usd", report);
    if service == Service::Transfer {
        section.require("path", report);
    }
    let unit = section.text("unit");
    let unit = UsageUnit::ALL.into_iter().find(|known| Some(known.name()) == unit);
    let unit = unit.unwrap_or(service.usual_unit());
    let (path, prices) = (section.text("path"), section.numbers("usd")?);
    let up_to = section.numbers("up_to").unwrap_or_default();
    if prices.len() != up_to.len() + 1 {
        let one = if up_to.len() == 1 { "1 bound needs" } else { "the bounds need" };
        let message = format!("{one} {} prices, found {}", up_to.len() + 1, prices.len());
        report.hint(&section.spot("usd"), message, "the last price has no bound");
        return None;
    }
    if !up_to.is_sorted_by(|one, other| one < other) {
        report.at(&section.spot("up_to"), "the bounds must rise");
    }
    let whole = unit.whole();
    let bounds = up_to.iter().map(|bound| (bound * whole as f64).round() as i128);
    let bounds = bounds.chain([i128::MAX]);
    if prices.iter().any(|usd| *usd > 9_223_372.0) {
        report.hint(&section.spot("usd"), "the price of a unit is too high", HIGHEST);
    }
    let steps = bounds
        .zip(prices)
        .map(|(bound, usd)| (bound, Rate::from_picos((usd * 1e12).round() as i64)));
    Some(TierTable {
        currency: currency::of(section, currencies, None, report),
        name: path.unwrap_or(service.name()).to_owned(),
        provider: section.text("provider")?.to_owned(),
        matching: Matching {
            services: vec![service],
            region: owned(section, "region"),
            families: path.map(|path| vec![path.to_owned()]),
            ..Matching::default()
        },
        unit,
        steps: steps.collect(),
    })
}
