//! Bills that providers work out in their documentation, and bills worked out by hand.

mod buying;
mod foreign;
mod laws;
mod parts;
mod slow;
pub(crate) mod worlds;

use super::*;
use crate::account::Account;
use crate::charge::{BilledCharge, Origin, Purpose};
use crate::commitment::{Benefit, Commitment, Matching, PlanPrice, PlanRate, start_of};
use crate::reservation::CapacityReservation;
use crate::terms::{Sharing, SustainedUse, TierTable};
use crate::units::{Money, Rate, Span, Time};
use crate::usage::{LinePrices, Sale, Service, UsageUnit};

/// First hour of the usage: 2026-03-01T00:00Z.
const START: i64 = 492_312;

const MARCH_HOURS: i64 = 31 * 24;

fn dollars(text: &str) -> Rate {
    Rate::parse(text).expect("a price")
}

fn money(text: &str) -> Money {
    rate::amount(UsageUnit::Request.whole(), UsageUnit::Request, dollars(text))
}

use crate::rate;

fn machine(provider: &str, family: &str, size: &str, weight: u64) -> Product {
    Product {
        currency: String::new(),
        provider: provider.into(),
        service: Service::Compute,
        region: "here".into(),
        zone: "here-a".into(),
        family: family.into(),
        size: size.into(),
        system: "linux".into(),
        tenancy: "default".into(),
        sale: Sale::OnDemand,
        unit: UsageUnit::Hour,
        weight: weight * 1_000,
    }
}

/// A reservation of `weight` units of a family in a region for a year, that costs nothing.
fn regional(owner: Id<Account>, scope: Id<Account>, family: &str, weight: u64) -> Commitment {
    Commitment {
        currency: None,
        name: format!("regional {family}"),
        provider: "aws".into(),
        owner,
        scope,
        from: start_of(START),
        until: start_of(START + 8_760),
        benefit: Benefit::Reserved {
            matching: Matching {
                region: Some("here".into()),
                families: Some(vec![family.into()]),
                ..Matching::default()
            },
            weight: weight * 1_000,
        },
        bought: start_of(START),
        upfront: Money::ZERO,
        hourly: Money::ZERO,
    }
}

/// A plan to spend so much in each hour.
fn plan(provider: &str, owner: Id<Account>, hourly: &str, rates: Vec<PlanRate>) -> Commitment {
    let hourly = money(hourly);
    Commitment {
        name: "plan".into(),
        provider: provider.into(),
        benefit: Benefit::Spending { hourly, rates },
        hourly,
        ..regional(owner, owner, "", 0)
    }
}

fn share_of_all(millionths: u32) -> Vec<PlanRate> {
    vec![PlanRate { matching: Matching::default(), price: PlanPrice::Share(millionths) }]
}

/// A bill under construction.
struct Book {
    biller: Biller,
    charges: Vec<BilledCharge>,
    lines: u64,
}

impl Book {
    fn new(terms: AccountTerms) -> Self {
        Self { biller: Biller::new(terms), charges: Vec::new(), lines: 0 }
    }

    /// Machines that run from and until so many seconds after the start, each hour a line.
    fn runs(&mut self, account: Id<Account>, product: Id<Product>, price: &str, secs: [i64; 2]) {
        let [from, until] = secs.map(|secs| start_of(START) + Span::from_secs(secs));
        let mut at = from;
        while at < until {
            let end = until.min(start_of(hour_of(at) + 1));
            let quantity = i128::from((end - at).micros());
            self.uses(account, product, price, [at, end], quantity);
            at = end;
        }
    }

    fn uses(
        &mut self,
        account: Id<Account>,
        product: Id<Product>,
        price: &str,
        [from, until]: [Time; 2],
        quantity: i128,
    ) {
        self.lines += 1;
        let (list, number) = (dollars(price), self.lines);
        let line = UsageLine {
            number,
            account,
            product,
            from,
            until,
            quantity,
            list,
            contracted: list,
            prices: LinePrices::OfMonth,
            amount: None,
        };
        self.biller.take(line, &mut |charge| self.charges.push(charge)).expect("in order");
    }

    fn finish(&mut self, hours: i64) {
        self.biller.finish(START + hours, &mut |charge| self.charges.push(charge));
    }

    /// Hours of the account's product that are covered, and that are not.
    fn hours(&self, account: Id<Account>, product: Id<Product>) -> [f64; 2] {
        let mut hours = [0, 0];
        for charge in self.charges.iter().filter(|charge| charge.account == account) {
            match charge.purpose {
                Purpose::Covered { product: of, .. } if of == product => {
                    hours[0] += charge.quantity;
                }
                Purpose::Usage { product: of, .. } if of == product => hours[1] += charge.quantity,
                _ => {}
            }
        }
        hours.map(|micros| micros as f64 / 3.6e9)
    }

    fn billed(&self) -> Money {
        self.charges.iter().map(|charge| charge.billed).sum()
    }

    fn effective(&self) -> Money {
        self.charges.iter().map(|charge| charge.effective).sum()
    }
}

/// Organisation with accounts `a`, `b` and `c`.
fn organisation() -> (AccountTerms, [Id<Account>; 4]) {
    let mut terms = AccountTerms::default();
    let root = terms.accounts.add("organisation", None);
    let [a, b, c] = ["a", "b", "c"].map(|name| terms.accounts.add(name, Some(root)));
    (terms, [root, a, b, c])
}

const HOUR: [i64; 2] = [0, 3_600];

#[test]
fn a_regional_reservation_covers_units_of_its_family() {
    // R1: 4 m4.large (16 units) on 2 m4.xlarge (16): all. 1 c4.large (4) on 1 c4.xlarge (8): half.
    let (mut terms, [root, a, ..]) = organisation();
    terms.commitments.push(regional(a, root, "m4", 16));
    terms.commitments.push(regional(a, root, "c4", 4));
    let mut book = Book::new(terms);
    let m4 = book.biller.product(machine("aws", "m4", "m4.xlarge", 8));
    let c4 = book.biller.product(machine("aws", "c4", "c4.xlarge", 8));
    book.runs(a, m4, "0.2", HOUR);
    book.runs(a, m4, "0.2", HOUR);
    book.runs(a, c4, "0.2", HOUR);
    book.finish(1);
    assert_eq!(book.hours(a, m4), [2.0, 0.0]);
    assert_eq!(book.hours(a, c4), [0.5, 0.5]);
    assert_eq!(book.billed(), money("0.1"));
}

#[test]
fn the_smallest_sizes_come_first() {
    // R2: 1 m3.2xlarge (16 units) on 2 m3.xlarge (8 each) and 2 m3.large (4 each).
    let (mut terms, [root, a, ..]) = organisation();
    terms.commitments.push(regional(a, root, "m3", 16));
    let mut book = Book::new(terms);
    let xlarge = book.biller.product(machine("aws", "m3", "m3.xlarge", 8));
    let large = book.biller.product(machine("aws", "m3", "m3.large", 4));
    for product in [xlarge, xlarge, large, large] {
        book.runs(a, product, "1", HOUR);
    }
    book.finish(1);
    assert_eq!(book.hours(a, large), [2.0, 0.0]);
    assert_eq!(book.hours(a, xlarge), [1.0, 1.0]);
}

#[test]
fn the_owner_comes_before_the_organisation() {
    // R3: a owns 4 m4.xlarge (32 units) and 2 c4.xlarge (16).
    let (mut terms, [root, a, b, _]) = organisation();
    terms.commitments.push(regional(a, root, "m4", 32));
    terms.commitments.push(regional(a, root, "c4", 16));
    let mut book = Book::new(terms);
    let sizes = [
        ("m4", "m4.xlarge", 8),
        ("m4", "m4.2xlarge", 16),
        ("c4", "c4.xlarge", 8),
        ("c4", "c4.2xlarge", 16),
    ];
    let [m4x, m42, c4x, c42] = sizes
        .map(|(family, size, weight)| book.biller.product(machine("aws", family, size, weight)));
    book.runs(b, m4x, "1", HOUR); // first of all, and yet served after the owner
    for product in [m4x, m4x, m42, c4x, c4x, c42] {
        book.runs(a, product, "1", HOUR);
    }
    book.finish(1);
    assert_eq!(book.hours(a, m4x), [2.0, 0.0]);
    assert_eq!(book.hours(a, m42), [1.0, 0.0]);
    assert_eq!(book.hours(b, m4x), [0.0, 1.0]);
    assert_eq!(book.hours(a, c4x), [2.0, 0.0]);
    assert_eq!(book.hours(a, c42), [0.0, 1.0]);
}

#[test]
fn few_products_of_many_are_found() {
    // One reserved machine, under a commitment to one size, or to all, of 100; 1 or 100 of them run.
    for (size, running) in [(None, 1), (None, 100), (Some("7"), 1), (Some("7"), 100)] {
        let (mut terms, [root, a, ..]) = organisation();
        let mut held = regional(a, root, "m5", 1);
        let Benefit::Reserved { matching, .. } = &mut held.benefit else { unreachable!() };
        matching.size = size.map(Into::into);
        terms.commitments.push(held);
        let mut book = Book::new(terms);
        let sizes: Vec<_> = (0..100)
            .map(|size| book.biller.product(machine("aws", "m5", &size.to_string(), 1)))
            .collect();
        for product in sizes.iter().cycle().skip(7).take(running) {
            book.runs(a, *product, "1", HOUR);
        }
        book.finish(1);
        let served = if size.is_some() || running == 1 { sizes[7] } else { sizes[0] };
        assert_eq!(book.hours(a, served), [1.0, 0.0], "{size:?} {running}");
        assert_eq!(book.billed(), money(&(running - 1).to_string()));
    }
}

#[test]
fn a_zonal_reservation_of_another_account_comes_before_ones_own_regional_one() {
    // R4: a runs one in zone a, b one in zone b; a owns a regional one, c a zonal one of zone a.
    let (mut terms, [root, a, b, c]) = organisation();
    let own = terms.commitments.push(regional(a, root, "m4", 8));
    let mut zonal = regional(c, root, "m4", 8);
    let Benefit::Reserved { matching, .. } = &mut zonal.benefit else { unreachable!() };
    matching.zone = Some("here-a".into());
    matching.size = Some("m4.xlarge".into());
    let zonal = terms.commitments.push(zonal);
    let mut book = Book::new(terms);
    let in_a = book.biller.product(machine("aws", "m4", "m4.xlarge", 8));
    let zone = "here-b".to_owned();
    let in_b = book.biller.product(Product { zone, ..machine("aws", "m4", "m4.xlarge", 8) });
    book.runs(a, in_a, "1", HOUR);
    book.runs(b, in_b, "1", HOUR);
    book.finish(1);
    let covered = |account| {
        book.charges.iter().find_map(|charge| match charge.purpose {
            Purpose::Covered { by, .. } if charge.account == account => Some(by),
            _ => None,
        })
    };
    assert_eq!((covered(a), covered(b)), (Some(zonal), Some(own)));
    assert_eq!(book.billed(), Money::ZERO);
}

#[test]
fn a_reservation_covers_an_hour_in_each_clock_hour() {
    // R5: four for one hour: one is covered. Four for 15 min each, inside one clock hour: all.
    let (mut terms, [root, a, ..]) = organisation();
    terms.commitments.push(regional(a, root, "m4", 8));
    let mut book = Book::new(terms);
    let product = book.biller.product(machine("aws", "m4", "m4.xlarge", 8));
    for _ in 0..4 {
        book.runs(a, product, "1", HOUR);
    }
    book.finish(1);
    assert_eq!(book.hours(a, product), [1.0, 3.0]);
    for quarter in 0..4 {
        let from = 3_600 + 900 * quarter;
        book.runs(a, product, "1", [from, from + 900]);
    }
    book.finish(2);
    assert_eq!(book.hours(a, product), [2.0, 3.0]);
}

/// The table of AWS's example: usage of an hour, with list prices and prices of a compute plan.
fn savings_example(hourly: &str) -> Book {
    let (mut terms, [_, a, ..]) = organisation();
    let rows = [
        (Service::Compute, "c5", "c5.9xlarge", "linux", "4", "2", 1),
        (Service::Compute, "c5", "c5.24xlarge", "windows", "10", "8", 1),
        (Service::Serverless, "fargate", "vcpu", "", "1.5", "1", 10),
        (Service::Serverless, "fargate", "gb", "", "2", "1", 5),
    ];
    let products = rows.map(|(service, family, size, system, ..)| Product {
        service,
        system: system.into(),
        ..machine("aws", family, size, 1)
    });
    let rates = rows.iter().map(|(service, _, size, _, _, price, _)| PlanRate {
        matching: Matching {
            services: vec![*service],
            size: Some((*size).into()),
            ..Matching::default()
        },
        price: PlanPrice::Fixed(dollars(price)),
    });
    terms.commitments.push(plan("aws", a, hourly, rates.collect()));
    let mut book = Book::new(terms);
    for (product, (.., list, _, count)) in products.into_iter().zip(rows) {
        let product = book.biller.product(product);
        let hour = [0, 1].map(|hour| start_of(START + hour));
        book.uses(a, product, list, hour, count * 3_600_000_000);
    }
    book.finish(1);
    book
}

#[test]
fn a_plan_covers_what_it_saves_most_on_first() {
    // 25 dollars cover all of it. With 10: the memory (5) and c5.9xlarge (2), which save half,
    // then 3 of 10 vCPU; 7 of them and the large machine are paid at list price.
    let all = savings_example("25");
    assert_eq!((all.billed(), all.effective()), (money("25"), money("25")));
    assert!(!all.charges.iter().any(|charge| matches!(charge.purpose, Purpose::Unused(_))));
    let some = savings_example("10");
    assert_eq!(some.billed(), money("30.5"));
    let row = |row: u32| some.hours(Id::new(1), Id::new(row));
    assert_eq!(row(0), [1.0, 0.0]);
    assert_eq!(row(1), [0.0, 1.0]);
    assert_eq!(row(2), [3.0, 7.0]);
    assert_eq!(row(3), [5.0, 0.0]);
}

#[test]
fn a_plan_of_one_family_comes_before_one_of_all() {
    let (mut terms, [_, a, ..]) = organisation();
    let all = terms.commitments.push(plan("aws", a, "1", share_of_all(500_000)));
    let matching = Matching {
        region: Some("here".into()),
        families: Some(vec!["c5".into()]),
        ..Matching::default()
    };
    let narrow = vec![PlanRate { matching, price: PlanPrice::Share(700_000) }];
    let family = terms.commitments.push(plan("aws", a, "0.7", narrow));
    let mut book = Book::new(terms);
    let c5 = book.biller.product(machine("aws", "c5", "c5.large", 4));
    book.runs(a, c5, "1", HOUR);
    book.runs(a, c5, "1", HOUR);
    book.finish(1);
    let by: Vec<_> = book
        .charges
        .iter()
        .filter_map(|charge| match charge.purpose {
            Purpose::Covered { by, .. } => Some((by, charge.effective)),
            _ => None,
        })
        .collect();
    assert_eq!(by, [(family, money("0.7")), (all, money("0.5"))]);
    // Half of the wide plan is unused: 1.7 dollars are paid, 0.5 of them for nothing.
    assert_eq!((book.billed(), book.effective()), (money("1.7"), money("1.7")));
}

#[test]
fn azure_takes_reservations_then_longer_plans_then_shorter_ones() {
    // A D8s_v3 under a reservation of a D4s_v3 is half covered; the rest, 0.20 dollars, goes to a
    // plan of three years, that pays 0.06, which is 0.12 at list price; to one of a year that pays
    // 0.03 for 0.05; and what is left is paid.
    let (mut terms, [root, a, ..]) = organisation();
    terms.sharing.push(("azure".into(), Sharing::NarrowestFirst));
    let of = |commitment: Commitment, name: &str, years: i64| Commitment {
        name: name.into(),
        provider: "azure".into(),
        until: start_of(START + 8_760 * years),
        ..commitment
    };
    let one = plan("azure", a, "0.03", share_of_all(600_000));
    let one = terms.commitments.push(of(one, "one", 1));
    let three = plan("azure", a, "0.06", share_of_all(500_000));
    let three = terms.commitments.push(of(three, "three", 3));
    let reserved = terms.commitments.push(of(regional(a, root, "dsv3", 4), "reserved", 1));
    let mut book = Book::new(terms);
    let d8 = book.biller.product(machine("azure", "dsv3", "D8s_v3", 8));
    book.runs(a, d8, "0.4", HOUR);
    book.finish(1);
    let covered: Vec<_> = book
        .charges
        .iter()
        .filter_map(|charge| match charge.purpose {
            Purpose::Covered { by, .. } => Some((by, charge.list)),
            _ => None,
        })
        .collect();
    let nearly = |found: Money, wanted: &str| (found - money(wanted)).nanos().abs() <= 1;
    assert_eq!(covered.iter().map(|row| row.0).collect::<Vec<_>>(), [reserved, three, one]);
    assert!(
        nearly(covered[0].1, "0.2") && nearly(covered[1].1, "0.12") && nearly(covered[2].1, "0.05")
    );
    assert!(nearly(book.billed(), "0.12"), "{:?}", book.billed()); // 0.06 + 0.03 + 0.03
}

#[test]
fn narrower_scopes_come_first_where_there_is_no_owner() {
    let (mut terms, [root, a, b, _]) = organisation();
    terms.sharing.push(("azure".into(), Sharing::NarrowestFirst));
    let azure = |commitment: Commitment| Commitment { provider: "azure".into(), ..commitment };
    let wide = terms.commitments.push(azure(regional(a, root, "dsv3", 4)));
    let narrow = terms.commitments.push(azure(regional(a, b, "dsv3", 4)));
    let mut book = Book::new(terms);
    let d4 = book.biller.product(machine("azure", "dsv3", "D4s_v3", 4));
    book.runs(b, d4, "1", HOUR);
    book.runs(a, d4, "1", HOUR);
    book.finish(1);
    let by = book.charges.iter().filter_map(|charge| match charge.purpose {
        Purpose::Covered { by, .. } => Some(by),
        _ => None,
    });
    assert_eq!(by.collect::<Vec<_>>(), [narrow, wide]);
}

#[test]
fn google_pays_flexible_commitments_at_their_discounted_spend() {
    // G1 to G3: 28 % off; 50 dollars an hour of use on demand.
    for (hourly, billed, unused) in
        [("36", "36", "0"), ("28.8", "38.8", "0"), ("43.2", "43.2", "7.2")]
    {
        let (mut terms, [_, a, ..]) = organisation();
        terms.commitments.push(plan("gcp", a, hourly, share_of_all(720_000)));
        let mut book = Book::new(terms);
        let n2 = book.biller.product(machine("gcp", "n2", "n2-standard-4", 4));
        book.runs(a, n2, "50", HOUR);
        book.finish(1);
        let left = book.charges.iter().filter(|row| matches!(row.purpose, Purpose::Unused(_)));
        let left: Money = left.map(|row| row.effective).sum();
        assert_eq!((book.billed(), left), (money(billed), money(unused)), "{hourly}");
    }
}

#[test]
fn upfront_payments_are_spread_over_the_term() {
    // 100 dollars for three hours: 33.33 each; half of each hour is used.
    let (mut terms, [root, a, ..]) = organisation();
    let mut held = regional(a, root, "m4", 16);
    held.until = start_of(START + 3);
    (held.upfront, held.hourly) = (money("100"), money("0.5"));
    terms.commitments.push(held);
    let mut book = Book::new(terms);
    let m4 = book.biller.product(machine("aws", "m4", "m4.xlarge", 8));
    book.runs(a, m4, "1", [0, 3 * 3_600]);
    book.finish(5);
    assert_eq!(book.billed(), money("101.5"));
    assert_eq!(book.effective(), money("101.5"));
    let unused: Money = book
        .charges
        .iter()
        .filter(|charge| matches!(charge.purpose, Purpose::Unused(_)))
        .map(|charge| charge.effective)
        .sum();
    assert!((unused.dollars() - 50.75).abs() < 1e-8);
}

/// Names of paths and their steps: a month of AWS to the internet.
fn internet() -> TierTable {
    let terabyte = 1_024 * 1_000_000_i128;
    let step = |up_to, price| (up_to, dollars(price));
    TierTable {
        currency: None,
        name: "internet".into(),
        provider: "aws".into(),
        matching: Matching { services: vec![Service::Transfer], ..Matching::default() },
        unit: UsageUnit::Gigabyte,
        steps: vec![
            step(100 * 1_000_000, "0"),
            step(10 * terabyte, "0.09"),
            step(50 * terabyte, "0.085"),
            step(150 * terabyte, "0.07"),
            step(i128::MAX, "0.05"),
        ],
    }
}

#[test]
fn tiers_count_the_month_of_the_organisation() {
    // 200 TB: 912.60 + 3,481.60 + 7,168.00 + 2,560.00 dollars, in one transfer or in many of two
    // accounts; and a new month begins at nothing.
    let terabyte = 1_024 * 1_000_000_i128;
    for transfers in [1, 2, 1_000] {
        let (mut terms, [_, a, b, _]) = organisation();
        terms.tiers.push(internet());
        let mut book = Book::new(terms);
        let path = Product {
            service: Service::Transfer,
            unit: UsageUnit::Gigabyte,
            ..machine("aws", "internet", "", 0)
        };
        let path = book.biller.product(path);
        for transfer in 0..transfers {
            let at = start_of(START + transfer * 700 / transfers);
            let account = [a, b][transfer as usize % 2];
            let quantity = 200 * terabyte / i128::from(transfers);
            book.uses(account, path, "0", [at, at], quantity);
        }
        book.finish(700);
        let close = (book.billed() - money("14122.2")).nanos().abs();
        assert!(close <= i128::from(transfers), "{transfers}: {:?}", book.billed());
        let april = start_of(START + MARCH_HOURS);
        book.uses(a, path, "0", [april, april], 100 * 1_000_000);
        let before = book.billed();
        book.finish(MARCH_HOURS + 1);
        assert_eq!(book.billed(), before, "the first 100 GB of April are free");
    }
}

#[test]
fn a_plan_covers_what_each_step_would_cost() {
    // 1,000 GB: 100 are free, which needs no cover, and 900 would cost 81 dollars. At a tenth less a
    // dollar pays for 12.345679 GB of them, rounded down to a millionth; and what is covered counts in
    // the month, so that the next 1,000 GB begin at 1,000.
    let (mut terms, [_, a, ..]) = organisation();
    terms.tiers.push(internet());
    let matching = Matching { services: vec![Service::Transfer], ..Matching::default() };
    let rates = vec![PlanRate { matching, price: PlanPrice::Share(900_000) }];
    terms.commitments.push(plan("aws", a, "1", rates));
    let mut book = Book::new(terms);
    let path = Product {
        service: Service::Transfer,
        unit: UsageUnit::Gigabyte,
        ..machine("aws", "internet", "", 0)
    };
    let path = book.biller.product(path);
    let at = start_of(START);
    book.uses(a, path, "0", [at, at], 1_000 * 1_000_000);
    book.finish(1);
    let of = |charges: &[BilledCharge], covered: bool| -> (i128, Money, Money) {
        let wanted = charges.iter().filter(|charge| match charge.purpose {
            Purpose::Covered { .. } => covered,
            Purpose::Usage { .. } => !covered,
            _ => false,
        });
        wanted.fold((0, Money::ZERO, Money::ZERO), |(quantity, list, billed), charge| {
            (quantity + charge.quantity, list + charge.list, billed + charge.billed)
        })
    };
    assert_eq!(of(&book.charges, true), (12_345_679, money("1.111111110"), Money::ZERO));
    let rest = money("81") - money("1.111111110");
    assert_eq!(of(&book.charges, false), (1_000_000_000 - 12_345_679, rest, rest));
    // What was covered counts: of 10,240 GB more 9,240 are in the second step and 1,000 in the third,
    // which a plan of one discount covers first, as its price is lower: 1 dollar pays for 13.071895 GB.
    book.charges.clear();
    let at = start_of(START + 1);
    book.uses(a, path, "0", [at, at], 10_240 * 1_000_000);
    book.finish(2);
    assert_eq!(of(&book.charges, true), (13_071_895, money("1.111111075"), Money::ZERO));
    let rest = money("831.6") + money("85") - money("1.111111075");
    assert_eq!(of(&book.charges, false), (10_240_000_000 - 13_071_895, rest, rest));
}

#[test]
fn tables_of_one_name_count_together() {
    // 60 GB of the first 100 are used up in one region; of 100 GB that leave another at dearer prices
    // 40 are free, and 60 cost 0.15. A table of another name begins at nothing.
    for (name, billed) in [("internet", "9"), ("other", "0")] {
        let (mut terms, [_, a, ..]) = organisation();
        let mut brazil = TierTable { name: name.into(), ..internet() };
        brazil.matching.region = Some("sa-east-1".into());
        brazil.steps[1].1 = dollars("0.15");
        terms.tiers.push(brazil);
        terms.tiers.push(internet());
        let mut book = Book::new(terms);
        let leaving = |region: &str| Product {
            service: Service::Transfer,
            unit: UsageUnit::Gigabyte,
            region: region.into(),
            ..machine("aws", "internet", "", 0)
        };
        let at = start_of(START);
        for (region, gigabytes) in [("us-east-1", 60), ("sa-east-1", 100)] {
            let product = book.biller.product(leaving(region));
            book.uses(a, product, "0", [at, at], gigabytes * 1_000_000);
        }
        book.finish(1);
        assert_eq!(book.billed(), money(billed), "{name}");
    }
}

/// Bill over list price of machines of Google that run for parts of March, in thousandths of it.
fn sustained(steps: &[(u32, u32)], runs: &[[i64; 2]]) -> f64 {
    let (mut terms, [_, a, ..]) = organisation();
    terms.sustained.push(SustainedUse {
        name: "sustained use".into(),
        provider: "gcp".into(),
        matching: Matching::default(),
        steps: steps.to_vec(),
    });
    let mut book = Book::new(terms);
    let n1 = book.biller.product(machine("gcp", "n1", "n1-standard-1", 1));
    for run in runs {
        book.runs(a, n1, "0.0475", run.map(|share| share * MARCH_HOURS * 3_600 / 1_000));
    }
    book.finish(MARCH_HOURS);
    let list: Money = book.charges.iter().map(|charge| charge.list).sum();
    book.billed().dollars() / list.dollars()
}

const THIRTY: [(u32, u32); 4] =
    [(250_000, 1_000_000), (500_000, 800_000), (750_000, 600_000), (1_000_000, 400_000)];
const TWENTY: [(u32, u32); 4] =
    [(250_000, 1_000_000), (500_000, 867_800), (750_000, 733_000), (1_000_000, 600_000)];

#[test]
fn sustained_use_follows_googles_tables() {
    let cases: [(_, &[[i64; 2]], _); 8] = [
        (THIRTY, &[[0, 1_000]], 0.70),
        (THIRTY, &[[0, 500]], 0.90),
        (THIRTY, &[[0, 750]], 0.80),
        (THIRTY, &[[0, 250]], 1.00),
        // Two machines, each half a month, one after the other: as one.
        (THIRTY, &[[0, 500], [500, 1_000]], 0.70),
        (TWENTY, &[[0, 1_000]], 0.8002),
        (TWENTY, &[[0, 500]], 0.9339),
        (TWENTY, &[[0, 750]], 0.866_933_333),
    ];
    for (steps, runs, share) in cases {
        let found = sustained(&steps, runs);
        assert!((found - share).abs() < 1e-6, "{runs:?}: {found}, not {share}");
    }
}

#[test]
fn what_runs_half_of_every_hour_has_run_half_of_the_month() {
    // The level of the hour would say one half for all of the month, and 30 % off.
    let (mut terms, [_, a, ..]) = organisation();
    terms.sustained.push(SustainedUse {
        name: "sustained use".into(),
        provider: "gcp".into(),
        matching: Matching::default(),
        steps: THIRTY.to_vec(),
    });
    let mut book = Book::new(terms);
    let n1 = book.biller.product(machine("gcp", "n1", "n1-standard-1", 1));
    for hour in 0..MARCH_HOURS {
        book.runs(a, n1, "1", [hour * 3_600, hour * 3_600 + 1_800]);
    }
    book.finish(MARCH_HOURS);
    assert_eq!(book.billed(), money("334.8")); // 372 h at 90 %
}

#[test]
fn reserved_capacity_is_paid_for_whether_it_runs_or_not() {
    // 20 are kept for 24 h 15 min, 15 run: 15 machines, and 5 that are not used.
    let (mut terms, [_, a, ..]) = organisation();
    terms.commitments = IdVec::default();
    let mut book = Book::new(terms);
    let m5 = book.biller.product(machine("aws", "m5", "m5.large", 4));
    let secs = 24 * 3_600 + 900;
    book.biller.reserve(CapacityReservation {
        currency: None,
        name: "kept".into(),
        account: a,
        matching: Matching { size: Some("m5.large".into()), ..Matching::default() },
        product: m5,
        machines: 20,
        from: start_of(START),
        until: start_of(START) + Span::from_secs(secs),
        price: dollars("0.1"),
        contracted: dollars("0.1"),
    });
    for hour in 0..25 {
        for _ in 0..15 {
            book.runs(a, m5, "0.1", [hour * 3_600, (hour * 3_600 + 3_600).min(secs)]);
        }
    }
    book.finish(25);
    let kept = book.charges.iter().filter(|charge| {
        matches!(charge.purpose, Purpose::Usage { origin: Origin::Reservation(_), .. })
    });
    assert_eq!(kept.map(|charge| charge.quantity).sum::<i128>(), 5 * secs as i128 * 1_000_000);
    assert_eq!(book.billed(), money("48.5")); // 20 x 24.25 h x 0.1
}

/// Ten machines of a product that are kept for the first hour, at 0.1 dollars.
fn kept(account: Id<Account>, product: Id<Product>) -> CapacityReservation {
    CapacityReservation {
        currency: None,
        name: "kept".into(),
        account,
        matching: Matching { size: Some("m5.large".into()), ..Matching::default() },
        product,
        machines: 10,
        from: start_of(START),
        until: start_of(START + 1),
        price: dollars("0.1"),
        contracted: dollars("0.1"),
    }
}

#[test]
fn a_machine_runs_in_one_reservation_of_its_provider() {
    // Two times ten are kept, 15 run: 5 are idle. A machine of another provider fills nothing.
    let (terms, [_, a, ..]) = organisation();
    let mut book = Book::new(terms);
    let m5 = book.biller.product(machine("aws", "m5", "m5.large", 4));
    let other = book.biller.product(machine("gcp", "m5", "m5.large", 4));
    book.biller.reserve(kept(a, m5));
    book.biller.reserve(kept(a, m5));
    for _ in 0..15 {
        book.runs(a, m5, "0.1", HOUR);
        book.runs(a, other, "0.1", HOUR);
    }
    book.finish(1);
    assert_eq!(book.billed(), money("3.5")); // 15 + 15 + 5
}

#[test]
fn idle_capacity_is_covered_by_regional_reservations_and_not_by_zonal_ones() {
    for (zone, idle) in [(None, "0.8"), (Some("here-a".to_owned()), "1")] {
        let (mut terms, [root, a, ..]) = organisation();
        let mut held = regional(a, root, "m5", 8);
        let Benefit::Reserved { matching, .. } = &mut held.benefit else { unreachable!() };
        matching.zone = zone;
        terms.commitments.push(held);
        let mut book = Book::new(terms);
        let m5 = book.biller.product(machine("aws", "m5", "m5.large", 4));
        book.biller.reserve(kept(a, m5));
        book.biller.advance(START, &mut |_| {});
        book.finish(1);
        assert_eq!(book.billed(), money(idle));
    }
}

#[test]
fn machines_that_run_are_covered_before_capacity_that_does_not() {
    // 8 units, or a dollar, on ten idle machines of 4 that are named first, and on two that run in
    // another account, of 8 and dearer.
    for benefit in [
        regional(Id::new(0), Id::new(0), "m5", 16).benefit,
        Benefit::Spending { hourly: money("0.3"), rates: share_of_all(750_000) },
    ] {
        let (mut terms, [root, a, b, _]) = organisation();
        terms.commitments.push(Commitment { benefit, ..regional(a, root, "", 0) });
        let mut book = Book::new(terms);
        let idle = book.biller.product(machine("aws", "m5", "m5.large", 4));
        let runs = book.biller.product(machine("aws", "m5", "m5.xlarge", 8));
        book.biller.reserve(kept(a, idle));
        book.runs(b, runs, "0.2", HOUR);
        book.runs(b, runs, "0.2", HOUR);
        book.finish(1);
        assert_eq!(book.hours(b, runs), [2.0, 0.0]);
        assert_eq!(book.hours(a, idle), [0.0, 10.0]);
    }
}

#[test]
fn where_there_is_no_owner_whoever_comes_first_is_served_first() {
    // A large machine that came first is half covered; a small one after it is not.
    let (mut terms, [root, a, ..]) = organisation();
    terms.sharing.push(("azure".into(), Sharing::NarrowestFirst));
    let held = Commitment { provider: "azure".into(), ..regional(a, root, "dsv3", 4) };
    terms.commitments.push(held);
    let mut book = Book::new(terms);
    let small = book.biller.product(machine("azure", "dsv3", "D4s_v3", 4));
    let large = book.biller.product(machine("azure", "dsv3", "D8s_v3", 8));
    book.runs(a, large, "0.4", HOUR);
    book.runs(a, small, "0.2", HOUR);
    book.finish(1);
    assert_eq!(book.hours(a, large), [0.5, 0.5]);
    assert_eq!(book.hours(a, small), [0.0, 1.0]);
}

#[test]
fn equal_shares_are_equal_at_any_price() {
    // Both save 28 % of a price that is rounded to a pico-dollar; the cheaper one is covered.
    let (mut terms, [_, a, ..]) = organisation();
    terms.commitments.push(plan("gcp", a, "0.1", share_of_all(720_000)));
    let mut book = Book::new(terms);
    let n2 = book.biller.product(machine("gcp", "n2", "n2-standard-4", 4));
    let n1 = book.biller.product(machine("gcp", "n1", "n1-standard-4", 4));
    book.runs(a, n2, "1.000000000003", HOUR); // 0.720000000002
    book.runs(a, n1, "0.100000000001", HOUR); // 0.072000000001
    book.finish(1);
    assert_eq!(book.hours(a, n1), [1.0, 0.0]);
}

#[test]
fn reserved_machines_cover_nothing_that_is_counted() {
    // Gigabytes are no machines, wherever a reservation is for everything.
    let (mut terms, [root, a, ..]) = organisation();
    let mut held = regional(a, root, "", 4);
    let matching = Matching { services: vec![Service::Transfer], ..Matching::default() };
    held.benefit = Benefit::Reserved { matching, weight: 4_000 };
    terms.commitments.push(held);
    let mut book = Book::new(terms);
    let (service, unit) = (Service::Transfer, UsageUnit::Gigabyte);
    let path = Product { service, unit, ..machine("aws", "internet", "", 1) };
    let path = book.biller.product(path);
    book.uses(a, path, "1", [start_of(START); 2], 5_000_000);
    book.finish(1);
    assert_eq!(book.billed(), money("5"));
}

#[test]
fn a_plan_to_spend_nothing_costs_what_is_paid_for_it() {
    let (mut terms, [_, a, ..]) = organisation();
    let mut nothing = plan("aws", a, "0", share_of_all(500_000));
    nothing.hourly = money("0.3");
    terms.commitments.push(nothing);
    let mut book = Book::new(terms);
    book.biller.advance(START, &mut |_| {});
    book.finish(1);
    assert_eq!((book.billed(), book.effective()), (money("0.3"), money("0.3")));
}

#[test]
fn the_largest_numbers_of_tables_have_exact_bills() {
    // 10^24 millionths at 9,000,000 dollars, of everything at once; sizes of 10^12 thousandths.
    let (mut terms, [root, a, ..]) = organisation();
    let (most, price) = (10_i128.pow(24), Rate::from_picos(9_000_000_000_000_000_000));
    let dear = Money::from_nanos(9_000_000_000_000_000);
    let mut held = regional(a, root, "m5", 1_000_000_000);
    (held.upfront, held.hourly) = (dear, dear);
    let rates = share_of_all(999_999);
    let benefit = Benefit::Spending { hourly: dear, rates };
    terms.commitments.push(Commitment { benefit, ..held.clone() });
    terms.commitments.push(held);
    terms.tiers.push(TierTable { steps: vec![(most, price), (most + 1, price)], ..internet() });
    terms.sustained.push(SustainedUse {
        name: "sustained use".into(),
        provider: "gcp".into(),
        matching: Matching::default(),
        steps: THIRTY.to_vec(),
    });
    let mut book = Book::new(terms);
    let m5 = book.biller.product(machine("aws", "m5", "m5.large", 1_000_000_000));
    let n1 = book.biller.product(machine("gcp", "n1", "n1-standard-1", 1_000_000_000));
    let (service, unit) = (Service::Transfer, UsageUnit::Gigabyte);
    let path = book.biller.product(Product { service, unit, ..machine("aws", "path", "", 0) });
    book.biller.reserve(CapacityReservation {
        currency: None,
        machines: u64::MAX,
        price,
        contracted: price,
        ..kept(a, m5)
    });
    let [from, until] = [0, 1].map(|hour| start_of(START + hour));
    for product in [m5, n1, path, m5, n1, path] {
        book.uses(a, product, "9000000", [from, until], most);
    }
    book.finish(MARCH_HOURS + 1);
    for (product, unit) in
        [(m5, UsageUnit::Hour), (n1, UsageUnit::Hour), (path, UsageUnit::Gigabyte)]
    {
        let lines = book.charges.iter().filter(|charge| match charge.purpose {
            Purpose::Usage { origin: Origin::Line(_), product: of } => of == product,
            Purpose::Covered { origin: Origin::Line(_), product: of, .. } => of == product,
            _ => false,
        });
        let list: Money = lines.map(|charge| charge.list).sum();
        let off = list.nanos() - 2 * rate::amount(most, unit, price).nanos();
        assert!(off.abs() <= 2, "{product:?}: {off}");
    }
    let discount = book.charges.iter().find(|row| matches!(row.purpose, Purpose::SustainedUse(_)));
    assert!(discount.is_none(), "an hour is no sustained use");
}

#[test]
fn a_block_costs_what_it_did_on_the_day_it_was_bought() {
    // Two machines for 24 hours at 34.61 dollars, bought two days before; one runs for 12 hours.
    let (mut terms, [_, a, ..]) = organisation();
    let sale = Sale::Block;
    let start = START + 48;
    terms.commitments.push(Commitment {
        name: "block".into(),
        from: start_of(start),
        until: start_of(start + 24),
        bought: start_of(START),
        benefit: Benefit::Reserved {
            matching: Matching { size: Some("p5e.48xlarge".into()), sale, ..Matching::default() },
            weight: 2_000,
        },
        upfront: Money::from_nanos(34_610_000_000 * 48),
        ..regional(a, a, "", 0)
    });
    let mut book = Book::new(terms);
    let block = Product { sale, ..machine("aws", "p5e", "p5e.48xlarge", 1) };
    let block = book.biller.product(block);
    let other = book.biller.product(machine("aws", "p5e", "p5e.48xlarge", 1));
    book.runs(a, other, "39.8", [0, 3_600]);
    let from = 48 * 3_600;
    book.runs(a, block, "0", [from, from + 12 * 3_600]);
    book.finish(48 + 24);
    assert_eq!(book.hours(a, block), [12.0, 0.0]);
    assert_eq!(book.hours(a, other), [0.0, 1.0]); // a block covers nothing that runs outside of it
    assert_eq!(book.billed(), money("1661.28") + money("39.8"));
    assert_eq!(book.effective(), book.billed());
    let upfront = book.charges.iter().find(|row| matches!(row.purpose, Purpose::Upfront(_)));
    assert_eq!(
        upfront.map(|row| (row.from, row.billed)),
        Some((start_of(START), money("1661.28")))
    );
    let unused = book.charges.iter().filter(|row| matches!(row.purpose, Purpose::Unused(_)));
    let unused: Money = unused.map(|row| row.effective).sum();
    assert_eq!(unused, Money::from_nanos(34_610_000_000 * 36));
}

#[test]
fn usage_that_is_late_is_refused() {
    let (terms, [_, a, ..]) = organisation();
    let mut book = Book::new(terms);
    let m5 = book.biller.product(machine("aws", "m5", "m5.large", 4));
    book.runs(a, m5, "1", [7_200, 7_300]);
    let late = UsageLine {
        number: 9,
        account: a,
        product: m5,
        from: start_of(START),
        until: start_of(START + 1),
        quantity: 1,
        list: Rate::ZERO,
        contracted: Rate::ZERO,
        prices: LinePrices::OfMonth,
        amount: None,
    };
    assert_eq!(book.biller.take(late, &mut |_| {}), Err(OutOfOrder));
}
