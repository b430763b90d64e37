//! Usage becomes charges, against a plain loop over the same lines that sums quantity times price;
//! and the memory that it takes.
//!
//! Eight accounts use machines of four families in four sizes and send bytes. They hold three
//! commitments of reserved machines and two plans; transfers have tiers. What each account owes
//! in an hour is split over sixteen who caused it.
//!
//! Then an hour of many products under many commitments that all cover all of them.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use windtunnel_billing::account::Account;
use windtunnel_billing::charge::BilledCharge;
use windtunnel_billing::commitment::{
    Benefit, Commitment, Matching, PlanPrice, PlanRate, start_of,
};
use windtunnel_billing::rate::amount;
use windtunnel_billing::rules::shipped;
use windtunnel_billing::settle::Biller;
use windtunnel_billing::split::by_largest_remainder;
use windtunnel_billing::terms::AccountTerms;
use windtunnel_billing::usage::{LinePrices, Product, Sale, Service, UsageLine, UsageUnit};
use windtunnel_core::units::{Id, IdVec, Money, Rate, Span};

/// Lines of an hour. More lines are more hours.
const PER_HOUR: u64 = 1_000;

/// 2026-01-01T00:00Z.
const START: i64 = 490_896;

const ACCOUNTS: u32 = 8;

/// Who causes what an account owes.
const CAUSES: usize = 16;

/// Time that billing should take at most, in times of the plain loop.
const LIMIT: f64 = 5.0;

/// Most microseconds of a line where ten thousand products meet a thousand commitments.
const CROWD_LIMIT: f64 = 20.0;

/// Most memory that ten million lines may take, in times of one million.
const MOST_MEMORY: f64 = 1.1;

fn main() {
    // Called by itself with a number of lines: bills them and prints its peak memory.
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(lines) = arguments.get(1).and_then(|text| text.parse().ok()) {
        black_box(bill(lines));
        println!("{}", peak_kib());
        return;
    }
    println!("| lines | plain loop, ns | billed, ns | times | limit | peak MiB |");
    println!("|---|---|---|---|---|---|");
    let mut few = None;
    for lines in [1_000_000, 10_000_000] {
        let floor = best(|| _ = black_box(plain(lines))) / lines as f64;
        let whole = best(|| _ = black_box(bill(lines))) / lines as f64;
        let peak = peak_of(lines);
        let times = whole / floor;
        println!("| {lines} | {floor:.1} | {whole:.1} | {times:.2} | {LIMIT} | {peak:.1} |");
        let least = *few.get_or_insert(peak);
        assert!(peak <= least * MOST_MEMORY, "bills take more memory where there are more lines");
    }
    println!("\n| commitments | us per line | limit |");
    println!("|---|---|---|");
    for held in [10, 100, 1_000] {
        let each = best(|| crowd(held)) / 1e5 / 1e3;
        println!("| {held} | {each:.2} | {CROWD_LIMIT} |");
        assert!(each <= CROWD_LIMIT, "many commitments take too long");
    }
}

/// Bills ten hours of ten thousand lines, each of a product of its own.
fn crowd(held: u32) {
    const LINES: u64 = 10_000;
    let mut terms = terms(LINES);
    let [machines, plan] = [2, 4].map(|row| terms.commitments[Id::new(row)].clone());
    terms.commitments = IdVec::default();
    for number in 0..held {
        let mut one = if number % 2 == 0 { machines.clone() } else { plan.clone() };
        if let Benefit::Reserved { matching, weight } = &mut one.benefit {
            (*matching, *weight) = (Matching::default(), 4_000);
        }
        one.owner = Id::new(1 + number % ACCOUNTS);
        terms.commitments.push(one);
    }
    let mut biller = Biller::new(terms);
    let machine = products().swap_remove(0);
    for number in 0..LINES {
        biller.product(Product { size: number.to_string(), ..machine.clone() });
    }
    let mut billed = Money::ZERO;
    let mut take = |charge: BilledCharge| billed += charge.billed;
    let products = [machine];
    let mut usage = Usage::of(&products);
    for number in 0..10 * LINES {
        let line = usage.line(number / LINES * PER_HOUR);
        let product = Id::new((number % LINES) as u32);
        biller.take(UsageLine { number, product, ..line }, &mut take).expect("lines are in order");
    }
    biller.finish(START + 10, &mut take);
    black_box(billed);
}

/// Sum of quantity times price, in whole nano-dollars of each line.
fn plain(lines: u64) -> Money {
    let products = products();
    let mut usage = Usage::of(&products);
    let mut sum = Money::ZERO;
    for number in 0..lines {
        let line = usage.line(number);
        sum += amount(line.quantity, usage.products[line.product.row()].1, line.list);
    }
    sum
}

/// What is billed, and what the first of those who caused it pay.
fn bill(lines: u64) -> (Money, Money) {
    let mut biller = Biller::new(terms(lines));
    let products = products();
    for product in &products {
        biller.product(product.clone());
    }
    let shares: Vec<u64> = (1..=CAUSES as u64).map(|cause| cause * cause).collect();
    let (mut billed, mut first) = (Money::ZERO, Money::ZERO);
    let mut owed = [Money::ZERO; ACCOUNTS as usize + 1];
    let mut hour = start_of(START);
    let mut take = |charge: BilledCharge| {
        if charge.from > hour {
            hour = charge.from;
            first += split(&mut owed, &shares);
        }
        billed += charge.billed;
        owed[charge.account.row()] += charge.effective;
    };
    let mut usage = Usage::of(&products);
    for number in 0..lines {
        biller.take(usage.line(number), &mut take).expect("lines are in order");
    }
    biller.finish(START + (lines / PER_HOUR) as i64, &mut take);
    (billed, first)
}

/// What the first of those who caused it pays of what each account owes in an hour.
#[inline(never)]
fn split(owed: &mut [Money], shares: &[u64]) -> Money {
    owed.iter_mut().map(|owed| by_largest_remainder(std::mem::take(owed), shares)[0]).sum()
}

/// Machines of four families and sizes, and two paths.
fn products() -> Vec<Product> {
    let product = |service, family: String, size: String, unit, weight| Product {
        currency: String::new(),
        provider: "aws".into(),
        service,
        region: "here".into(),
        zone: "here-a".into(),
        family,
        size,
        system: "linux".into(),
        tenancy: "default".into(),
        sale: Sale::OnDemand,
        unit,
        weight,
    };
    let mut products = Vec::new();
    for family in ["c5", "m5", "r5", "g5"] {
        for (size, weight) in [("large", 4_000), ("xlarge", 8_000), ("2xlarge", 16_000)] {
            let size = format!("{family}.{size}");
            products.push(product(Service::Compute, family.into(), size, UsageUnit::Hour, weight));
        }
    }
    for path in ["internet", "region"] {
        products.push(product(
            Service::Transfer,
            path.into(),
            String::new(),
            UsageUnit::Gigabyte,
            1,
        ));
    }
    products
}

fn terms(lines: u64) -> AccountTerms {
    let mut terms = AccountTerms::by(shipped());
    let root = terms.accounts.add("organisation", None);
    for account in 0..ACCOUNTS {
        terms.accounts.add(format!("account {account}"), Some(root));
    }
    let machines = |family: &str| Matching {
        region: Some("here".into()),
        families: Some(vec![family.into()]),
        ..Matching::default()
    };
    let zonal =
        Matching { zone: Some("here-a".into()), size: Some("c5.xlarge".into()), ..machines("c5") };
    let reserved =
        |matching, machines: u64| Benefit::Reserved { matching, weight: machines * 8_000 };
    let plan = |dollars: i128, matching, share| Benefit::Spending {
        hourly: Money::from_nanos(dollars * 1_000_000_000),
        rates: vec![PlanRate { matching, price: PlanPrice::Share(share) }],
    };
    let held = [
        reserved(zonal, 10),
        reserved(machines("c5"), 40),
        reserved(machines("m5"), 40),
        plan(5, machines("r5"), 600_000),
        plan(10, Matching::default(), 720_000),
    ];
    for (row, benefit) in held.into_iter().enumerate() {
        terms.commitments.push(Commitment {
            currency: None,
            name: format!("commitment {row}"),
            provider: "aws".into(),
            owner: Id::new(1 + row as u32),
            scope: root,
            from: start_of(START),
            until: start_of(START + (lines / PER_HOUR) as i64),
            benefit,
            bought: start_of(START),
            upfront: Money::from_nanos(1_000_000_000_000),
            hourly: Money::from_nanos(5_000_000_000),
        });
    }
    terms
}

/// Lines of usage, made as they are asked for.
struct Usage {
    /// Price and unit, by product.
    products: Vec<(Rate, UsageUnit)>,
    state: u64,
}

impl Usage {
    fn of(products: &[Product]) -> Self {
        let price = |(row, product): (usize, &Product)| {
            let picos = (1 + row as i64 / 3) * product.weight.max(4_000) as i64 * 10_000_003;
            (Rate::from_picos(picos), product.unit)
        };
        Self { products: products.iter().enumerate().map(price).collect(), state: 1 }
    }

    /// A machine for a part of the hour, or a transfer.
    #[inline]
    fn line(&mut self, number: u64) -> UsageLine {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let drawn = self.state >> 33;
        let product = drawn % self.products.len() as u64;
        let (price, unit) = self.products[product as usize];
        let hour = start_of(START + (number / PER_HOUR) as i64);
        let minutes = 1 + (drawn >> 8) % 60;
        let (length, quantity) = match unit {
            UsageUnit::Hour => (minutes * 60_000_000, i128::from(minutes * 60_000_000)),
            UsageUnit::Gigabyte | UsageUnit::GigabyteMonth | UsageUnit::Request => {
                (0, i128::from(drawn >> 10))
            }
        };
        UsageLine {
            number,
            account: Id::<Account>::new(1 + (drawn >> 16) as u32 % ACCOUNTS),
            product: Id::new(product as u32),
            from: hour,
            until: hour + Span::from_micros(length as i64),
            quantity,
            list: price,
            contracted: price,
            prices: LinePrices::OfMonth,
            amount: None,
        }
    }
}

/// Nanoseconds of the fastest of three.
fn best(part: impl Fn()) -> f64 {
    let timed = |_| {
        let start = Instant::now();
        part();
        start.elapsed().as_nanos() as f64
    };
    (0..3).map(timed).fold(f64::INFINITY, f64::min)
}

/// Peak memory of a process of its own that bills so many lines, in MiB.
fn peak_of(lines: u64) -> f64 {
    let program = std::env::current_exe().expect("it has a path");
    let output = Command::new(program).arg(lines.to_string()).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse::<f64>().expect("it prints its peak memory") / 1_024.0
}

/// Peak memory of this process, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse().ok());
    kib.expect("Linux tells it")
}
