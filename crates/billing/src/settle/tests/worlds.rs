//! Small worlds for properties: a few accounts in trees, products, commitments, usage.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::*;
use crate::account::Accounts;
use crate::charge::BilledCharge;
use crate::commitment::{Benefit, Commitment, HOUR, Matching, PlanPrice, PlanRate};
use crate::currency::{Currency, Exchange};
use crate::parts::MachineParts;
use crate::reservation::CapacityReservation;
use crate::terms::{Sharing, SustainedUse, TierTable};
use crate::units::{Money, Rate, Time};
use crate::usage::{LinePrices, Sale, Service, UsageUnit};

/// 2026-03-01T00:00Z, and the lengths of March and April, in hours.
pub(super) const MARCH: i64 = 492_312;
pub(super) const MONTHS: [i64; 2] = [744, 720];

/// Times of worlds are whole slots of five minutes.
pub(super) const SLOT: i64 = HOUR / 12;

/// Sizes of a family, in thousandths.
const SIZES: [u64; 4] = [250, 1_000, 3_000, 8_000];

/// All that is billed, from hour to hour.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(super) terms: AccountTerms,
    pub(super) products: Vec<Product>,
    /// By product, which part it is of what; all whole where it is empty.
    pub(super) parts: Vec<Option<(usize, MachineParts)>>,
    pub(super) reservations: Vec<CapacityReservation>,
    /// In order of hours.
    pub(super) lines: Vec<UsageLine>,
    pub(super) first: i64,
    pub(super) last: i64,
}

impl World {
    /// Its charges.
    pub(super) fn bill(&self) -> Vec<BilledCharge> {
        self.billed().0
    }

    /// All that is billed, in the order of the biller's: its products, machines that are taken apart
    /// with their parts behind them.
    pub(super) fn sold(&self) -> Vec<SoldProduct> {
        let mut sold = Vec::new();
        for (row, product) in self.products.iter().enumerate() {
            let whole = SoldProduct { product: product.clone(), row, part: None };
            sold.push(whole.clone());
            let key = (product.provider.clone(), product.region.clone(), product.size.clone());
            let is_machine = product.service == Service::Compute && product.sale == Sale::OnDemand;
            let Some(made) = self.terms.parts.get(&key).filter(|_| is_machine) else { continue };
            for (part, word) in ["core", "memory"].into_iter().enumerate() {
                let name = format!("{}-{word}", product.family);
                let (family, size) = (name.clone(), name);
                let product = Product { family, size, weight: 1_000, ..product.clone() };
                sold.push(SoldProduct { product, part: Some((part, *made)), ..whole.clone() });
            }
        }
        sold
    }

    /// Its charges, and the biller that made them.
    pub(crate) fn billed(&self) -> (Vec<BilledCharge>, Biller) {
        let mut charges = Vec::new();
        let mut out = |charge| charges.push(charge);
        let mut biller = Biller::new(self.terms.clone());
        let ids: Vec<_> =
            self.products.iter().map(|product| biller.product(product.clone())).collect();
        for kept in &self.reservations {
            let product = ids[kept.product.row()];
            biller.reserve(CapacityReservation { product, ..kept.clone() });
        }
        biller.advance(self.first, &mut out);
        for line in &self.lines {
            let product = ids[line.product.row()];
            biller.take(UsageLine { product, ..*line }, &mut out).expect("lines are in order");
        }
        biller.finish(self.last, &mut out);
        (charges, biller)
    }
}

/// What is billed: a product by its row, or a part of one.
#[derive(Clone, Debug)]
pub(super) struct SoldProduct {
    pub(super) product: Product,
    pub(super) row: usize,
    /// Which part, and of what.
    pub(super) part: Option<(usize, MachineParts)>,
}

/// What a world is drawn from. Each byte picks one of a few.
type Drawn = (Vec<[u8; 1]>, Vec<[u8; 6]>, Vec<[u8; 11]>, Vec<[u8; 8]>, Vec<[u8; 5]>, [u8; 4]);

/// Worlds of all kinds.
pub(crate) fn worlds() -> impl Strategy<Value = World> {
    use prop::array::{uniform1, uniform4, uniform5, uniform6, uniform8, uniform11};
    use prop::collection::vec;
    let any = 0..=255_u8;
    let drawn = (
        vec(uniform1(any.clone()), 1..=4),
        vec(uniform6(any.clone()), 1..=6),
        vec(uniform11(any.clone()), 0..=5),
        vec(uniform8(any.clone()), 0..=24),
        vec(uniform5(any.clone()), 0..=2),
        uniform4(any),
    );
    drawn.prop_map(world)
}

fn world((accounts, mut products, mut deals, lines, kept, options): Drawn) -> World {
    // Most worlds are of one provider, or its rules would seldom meet.
    if options[3] % 8 != 0 {
        products.iter_mut().for_each(|product| product[0] = options[3] / 8 % 3);
        deals.iter_mut().for_each(|deal| deal[1] = deal[1] / 3 % 80 * 3 + options[3] / 8 % 3);
    }
    let first = match options[0] % 3 {
        0 => MARCH + MONTHS[0] - 3,
        days => MARCH + 24 * i64::from(days) + 5,
    };
    let mut terms = AccountTerms { accounts: tree(&accounts), ..AccountTerms::default() };
    terms.sharing.push(("azure".into(), Sharing::NarrowestFirst));
    terms.currencies.push(euro(first));
    // In some worlds Google's machines are known by their parts, and reserved by them alone.
    let by_parts = options[0] / 3 % 2 == 0;
    for deal in &deals {
        let deal = commitment(&terms.accounts, first, deal);
        let is_machines = matches!(deal.benefit, Benefit::Reserved { .. });
        let row = terms.commitments.len();
        terms.commitments.push(match by_parts && is_machines && deal.provider == "gcp" {
            true => of_parts(deal, row),
            false => deal,
        });
    }
    if by_parts {
        terms.parts = parts();
    }
    if options[1] % 4 != 0 {
        tiers(options[1]).into_iter().for_each(|table| _ = terms.tiers.push(table));
    }
    if options[2] % 4 != 0 {
        sustained().into_iter().for_each(|discount| _ = terms.sustained.push(discount));
    }
    let (products, prices): (Vec<_>, Vec<_>) = products.iter().map(product).unzip();
    let mut lines: Vec<_> =
        lines.iter().map(|line| usage(first, accounts.len(), &products, &prices, line)).collect();
    lines.sort_by_key(|line| hour_of(line.from));
    for (number, line) in lines.iter_mut().enumerate() {
        line.number = number as u64;
    }
    let reservations = kept
        .iter()
        .map(|kept| reservation(first, accounts.len(), &products, kept))
        .filter(|kept| products[kept.product.row()].unit == UsageUnit::Hour)
        .collect();
    let parts = Vec::new();
    World { terms, products, parts, reservations, lines, first, last: first + 6 }
}

/// The same for cores or memory of one family, some units of them.
fn of_parts(deal: Commitment, row: usize) -> Commitment {
    let Benefit::Reserved { weight, .. } = deal.benefit else { return deal };
    let name = ["c-core", "m-memory", "m-core", "c-memory"][(weight as usize / 250 + row) % 4];
    let matching =
        Matching { region: Some("here".into()), size: Some(name.into()), ..Matching::default() };
    let weight = (1 + weight / 250 % 7) * 1_000;
    Commitment { benefit: Benefit::Reserved { matching, weight }, ..deal }
}

/// What machines of Google are made of. Of one it is not known.
fn parts() -> BTreeMap<(String, String, String), MachineParts> {
    let mut parts = BTreeMap::new();
    for (family, prices) in [("c", [40_000_000_000, 5_000_000_000]), ("m", [3, 1])] {
        for (size, units) in SIZES.into_iter().zip([[1, 2], [1, 4], [3, 8]]) {
            let key = ("gcp".into(), "here".into(), format!("{family}.{size}"));
            let prices = prices.map(Rate::from_picos);
            parts.insert(key, MachineParts { units, prices });
        }
    }
    parts
}

/// Worth 1.02 dollars, and 1.07 from the third hour on.
fn euro(first: i64) -> Currency {
    let worth = |picos| Exchange::from_picos(picos).expect("it is more than nothing");
    let worth = [(first - 1_000, 1_020_000_000_000), (first + 2, 1_070_000_000_000)]
        .map(|(hour, picos)| (start_of(hour), worth(picos)));
    Currency { code: "EUR".into(), worth: worth.to_vec() }
}

fn tree(drawn: &[[u8; 1]]) -> Accounts {
    let mut accounts = Accounts::default();
    for (row, [pick]) in drawn.iter().enumerate() {
        let parent = (row > 0 && pick % 8 != 7).then(|| Id::new(u32::from(*pick) % row as u32));
        accounts.add(format!("account {row}"), parent);
    }
    accounts
}

fn provider(pick: u8) -> &'static str {
    ["aws", "azure", "gcp"][usize::from(pick) % 3]
}

fn family(pick: u8) -> String {
    ["c", "m"][usize::from(pick) % 2].into()
}

fn product([from, kind, of, size, zone, price]: &[u8; 6]) -> (Product, i64) {
    let (service, sale, unit) = match kind % 8 {
        0 => (Service::Compute, Sale::Spot, UsageUnit::Hour),
        1 => (Service::Serverless, Sale::OnDemand, UsageUnit::Hour),
        2 => (Service::Serverless, Sale::OnDemand, UsageUnit::Request),
        3 | 4 => (Service::Transfer, Sale::OnDemand, UsageUnit::Gigabyte),
        _ => (Service::Compute, Sale::OnDemand, UsageUnit::Hour),
    };
    let size = usize::from(*size) % SIZES.len();
    // Every second price is in proportion to the size.
    let picos = match price % 2 {
        0 => (1 + i64::from(*price % 16)) * 4_000_000_000 * SIZES[size] as i64 / 250,
        _ => (1 + i64::from(*price)) * 7_000_000_003,
    };
    // A millionth of a machine-hour, and of what is counted, cost nano-dollars at most.
    let picos = match unit {
        UsageUnit::Request | UsageUnit::Gigabyte | UsageUnit::GigabyteMonth => picos / 1_000,
        UsageUnit::Hour => picos,
    };
    // Prices in euros are whole hundred-millionths, so that they are known from dollars again.
    let is_foreign = (zone / 2).is_multiple_of(4);
    let picos = if is_foreign { (picos / 10_000).max(1) * 10_000 } else { picos };
    let product = Product {
        currency: if is_foreign { "EUR".into() } else { String::new() },
        provider: provider(*from).into(),
        service,
        region: "here".into(),
        zone: format!("here-{}", zone % 2),
        family: family(*of),
        size: format!("{}.{}", family(*of), SIZES[size]),
        system: "linux".into(),
        tenancy: "default".into(),
        sale,
        unit,
        weight: SIZES[size],
    };
    (product, picos)
}

fn commitment(accounts: &Accounts, first: i64, drawn: &[u8; 11]) -> Commitment {
    let [kind, of, owner, above, from, hours, upfront, fee, amount, size, share] = *drawn;
    let owner = Id::new(u32::from(owner) % accounts.iter().count() as u32);
    let mut scope = owner;
    for _ in 0..above % 4 {
        scope = accounts.get(scope).parent.unwrap_or(scope);
    }
    let from = first - 2 + i64::from(from % 7);
    let provider = provider(of);
    let size = usize::from(size) % SIZES.len();
    let matching = Matching {
        region: Some("here".into()),
        families: Some(vec![family(of / 3)]),
        ..Matching::default()
    };
    let weight = SIZES[size] * u64::from(1 + amount % 3);
    // Azure knows neither zonal reservations nor plans of one family.
    let benefit = match (kind % 6, provider) {
        (0, "aws" | "gcp") => Benefit::Reserved {
            matching: Matching {
                zone: Some(format!("here-{}", share % 2)),
                size: Some(format!("{}.{}", family(of / 3), SIZES[size])),
                ..matching
            },
            weight,
        },
        (0 | 1, _) => Benefit::Reserved { matching, weight },
        (2, _) => Benefit::Reserved {
            matching: Matching {
                services: vec![Service::Compute, Service::Serverless],
                ..Matching::default()
            },
            weight,
        },
        (3, "aws" | "gcp") => plan(amount, vec![rate(matching, share)]),
        _ => {
            let dear = Matching { families: Some(vec![family(share)]), ..Matching::default() };
            let all = Matching {
                services: vec![Service::Compute, Service::Serverless, Service::Transfer],
                ..Matching::default()
            };
            let fixed = Rate::from_picos((1 + i64::from(size as u8)) * 31_000_000_007);
            let fixed = PlanRate { matching: dear, price: PlanPrice::Fixed(fixed) };
            match share % 3 {
                0 => plan(amount, vec![fixed, rate(all, share)]),
                _ => plan(amount, vec![rate(all, share)]),
            }
        }
    };
    Commitment {
        currency: (above / 4).is_multiple_of(3).then_some(Id::new(0)),
        name: "deal".into(),
        provider: provider.into(),
        owner,
        scope,
        bought: start_of(from),
        from: start_of(from),
        until: start_of(from + 1 + i64::from(hours % 9)),
        benefit,
        upfront: Money::from_nanos(i128::from(upfront % 4) * 333_333_331),
        hourly: Money::from_nanos(i128::from(fee % 4) * 71_000_003),
    }
}

fn plan(amount: u8, rates: Vec<PlanRate>) -> Benefit {
    Benefit::Spending { hourly: Money::from_nanos(i128::from(amount) * 20_000_001), rates }
}

fn rate(matching: Matching, share: u8) -> PlanRate {
    PlanRate { matching, price: PlanPrice::Share(300_000 + u32::from(share % 5) * 140_000) }
}

fn usage(
    first: i64,
    accounts: usize,
    products: &[Product],
    prices: &[i64],
    [hour, account, product, from, length, machines, price, negotiated]: &[u8; 8],
) -> UsageLine {
    let row = usize::from(*product) % products.len();
    let from = i64::from(*from % 12);
    let length = 1 + i64::from(*length) % (12 - from);
    let from = start_of(first + i64::from(*hour % 6)) + Span::from_micros(from * SLOT);
    let machines = [1_000, 1_000, 1_000, 2_000, 4_000, 500, 333, 0][usize::from(*machines) % 8];
    let (length, quantity) = match products[row].unit {
        UsageUnit::Hour => (length * SLOT, i128::from(length * SLOT * machines / 1_000)),
        UsageUnit::Gigabyte | UsageUnit::GigabyteMonth => {
            (0, i128::from(length * machines * 10_000_000))
        }
        UsageUnit::Request => (length * SLOT, i128::from(length * machines * 1_000_000)),
    };
    let list = prices[row] * if price % 4 == 0 { 2 } else { 1 };
    let contracted = if negotiated % 4 == 0 { list / 10 * 7 } else { list };
    UsageLine {
        number: 0,
        account: Id::new(u32::from(*account) % accounts as u32),
        product: Id::new(row as u32),
        from,
        until: from + Span::from_micros(length),
        quantity,
        list: Rate::from_picos(list),
        contracted: Rate::from_picos(contracted),
        prices: if price % 2 == 0 { LinePrices::OfMonth } else { LinePrices::PaidOfMonth },
        amount: None,
    }
}

fn reservation(
    first: i64,
    accounts: usize,
    products: &[Product],
    [account, product, machines, from, length]: &[u8; 5],
) -> CapacityReservation {
    let row = usize::from(*product) % products.len();
    let price = Rate::from_picos((1 + i64::from(*machines)) * 3_000_000_000);
    let from = start_of(first) + Span::from_micros(i64::from(*from % 60) * SLOT);
    CapacityReservation {
        currency: (!products[row].currency.is_empty()).then_some(Id::new(0)),
        name: "kept".into(),
        account: Id::new(u32::from(*account) % accounts as u32),
        matching: Matching {
            size: Some(products[row].size.clone()),
            zone: Some(products[row].zone.clone()),
            ..Matching::default()
        },
        product: Id::new(row as u32),
        machines: u64::from(1 + machines % 4),
        from,
        until: from + Span::from_micros(i64::from(*length % 40) * SLOT),
        price,
        contracted: price,
    }
}

fn tiers(pick: u8) -> [TierTable; 2] {
    let terabytes = |up_to: i128, picos| (up_to * 1_000_000_000, Rate::from_picos(picos));
    // In half of the worlds both count together.
    let other = if pick & 128 == 0 { "internet" } else { "other" };
    // In every third world the second table is of requests.
    let of_requests = (pick / 8).is_multiple_of(3);
    let table = |family: Option<Vec<String>>, steps: Vec<(i128, Rate)>| TierTable {
        currency: (pick / 16).is_multiple_of(3).then_some(Id::new(0)),
        name: if family.is_some() { other } else { "internet" }.into(),
        provider: provider(pick / 4).into(),
        matching: Matching {
            services: match of_requests && family.is_none() {
                true => vec![Service::Serverless],
                false => vec![Service::Transfer],
            },
            families: family.clone(),
            ..Matching::default()
        },
        unit: match of_requests && family.is_none() {
            true => UsageUnit::Request,
            false => UsageUnit::Gigabyte,
        },
        steps,
    };
    let [free, dear, cheap, last] = [0, 90_000_100, 85_000_000, 50_000_700];
    [
        table(Some(vec!["c".into()]), vec![terabytes(1, dear), terabytes(2, cheap)]),
        table(
            None,
            vec![terabytes(1, free), terabytes(3, dear), (i128::MAX, Rate::from_picos(last))],
        ),
    ]
}

fn sustained() -> [SustainedUse; 2] {
    // Steps so short that a few hours reach into them.
    let discount = |provider: &str, families, steps: [(u32, u32); 4]| SustainedUse {
        name: "sustained use".into(),
        provider: provider.into(),
        matching: Matching { families, ..Matching::default() },
        steps: steps.to_vec(),
    };
    let short = [(1_000, 1_000_000), (2_500, 800_000), (5_000, 600_000), (1_000_000, 400_000)];
    let long = [(250_000, 1_000_000), (500_000, 867_800), (750_000, 733_000), (1_000_000, 600_000)];
    [discount("gcp", None, short), discount("aws", Some(vec!["c".into()]), long)]
}

/// Span, for those who use worlds.
pub(super) use crate::units::Span;

/// The beginning of a slot, by its number within an hour.
pub(super) fn slot(hour: i64, number: i64) -> Time {
    start_of(hour) + Span::from_micros(number * SLOT)
}
