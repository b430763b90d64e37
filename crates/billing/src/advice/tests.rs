//! Advice against closed forms, counting by hand, every number of units, and the biller itself.

mod alone;
mod sample;
mod together;

use super::futures::Futures;
use super::*;
use crate::commitment::{Benefit, Matching, PlanPrice, PlanRate, start_of};
use crate::settle::Biller;
use crate::units::{IdVec, Money, Rate, Stream};
use crate::usage::{LinePrices, Product, Sale, Service, UsageLine, UsageUnit};

/// 2026-03-01T00:00Z.
const START: i64 = 492_312;

/// Millionths of a machine-hour.
const HOUR: i128 = 3_600_000_000;

fn machine(family: &str, weight: u64) -> Product {
    Product {
        currency: String::new(),
        provider: "aws".into(),
        service: Service::Compute,
        region: "here".into(),
        zone: "here-a".into(),
        family: family.into(),
        size: format!("{family}.{weight}"),
        system: "linux".into(),
        tenancy: "default".into(),
        sale: Sale::OnDemand,
        unit: UsageUnit::Hour,
        weight,
    }
}

fn of_family(family: &str) -> Matching {
    Matching {
        region: Some("here".into()),
        families: Some(vec![family.into()]),
        ..Matching::default()
    }
}

/// Dollars in hundredths of a cent.
fn usd(small: i64) -> Rate {
    Rate::from_picos(small * 100_000_000)
}

fn money(small: i64) -> Money {
    Money::from_nanos(i128::from(small) * 100_000)
}

/// All that advice is asked of.
#[derive(Clone)]
struct Case {
    demand: FutureDemand,
    growth: DemandGrowth,
    horizon: usize,
    terms: AccountTerms,
    account: Id<Account>,
    offerings: Vec<Offering>,
    confidence: f64,
}

impl Case {
    /// One account, and no offerings yet.
    fn new(products: Vec<Product>, [replications, hours]: [usize; 2], horizon: usize) -> Self {
        let mut all = IdVec::default();
        products.into_iter().for_each(|product| _ = all.push(product));
        let mut terms = AccountTerms::default();
        let account = terms.accounts.add("a", None);
        Self {
            demand: FutureDemand::new(all, replications, hours),
            growth: DemandGrowth::default(),
            horizon,
            terms,
            account,
            offerings: Vec::new(),
            confidence: 0.8,
        }
    }

    fn input(&self) -> AdviceInput<'_> {
        AdviceInput {
            demand: &self.demand,
            growth: &self.growth,
            horizon: self.horizon,
            terms: &self.terms,
            account: self.account,
            offerings: &self.offerings,
            confidence: self.confidence,
        }
    }

    fn advice(&self) -> CommitmentAdvice {
        advise(&self.input()).expect("advice")
    }

    fn futures(&self) -> Futures {
        Futures::of(&self.input()).expect("futures")
    }

    /// So much of a product in an hour, at a price and the same by contract.
    fn uses(&mut self, at: [usize; 2], product: u32, quantity: i128, price: i64) {
        self.demand.add(at, Id::new(product), quantity, [usd(price), usd(price)]);
    }

    fn offer(&mut self, hours: i64, benefit: Benefit, hourly: i64) {
        self.offerings.push(Offering {
            currency: None,
            name: format!("offering {}", self.offerings.len()),
            provider: "aws".into(),
            owner: self.account,
            scope: self.account,
            hours,
            benefit,
            upfront: Money::ZERO,
            hourly: money(hourly),
        });
    }

    fn reserve(&mut self, hours: i64, family: &str, weight: u64, hourly: i64) {
        self.offer(hours, Benefit::Reserved { matching: of_family(family), weight }, hourly);
    }

    /// Steps of spending.
    fn plan(&mut self, hours: i64, step: i64, rates: &[(Matching, PlanPrice)]) {
        let rates = rates.iter().cloned();
        let rates = rates.map(|(matching, price)| PlanRate { matching, price }).collect();
        self.offer(hours, Benefit::Spending { hourly: money(step), rates }, step);
    }

    /// What the biller says of one replication: dollars of the whole horizon with those units.
    fn billed(&self, replication: usize, units: &[u64]) -> f64 {
        let mut terms = self.terms.clone();
        for (offering, units) in self.offerings.iter().zip(units).filter(|(_, units)| **units > 0) {
            terms.commitments.push(offering.buy(*units, START));
        }
        let mut biller = Biller::new(terms);
        self.demand.products.iter().for_each(|(_, product)| _ = biller.product(product.clone()));
        let mut sum = Money::ZERO;
        let end = START + self.horizon as i64;
        let mut out = |charge: crate::charge::BilledCharge| {
            if charge.from < start_of(end) {
                sum += charge.effective;
            }
        };
        let factors = self.growth.factors(replication, self.horizon);
        let mut goods: Vec<usize> = (0..self.demand.goods.len()).collect();
        goods.sort_by_key(|good| self.demand.goods[*good]);
        biller.advance(START, &mut out);
        for hour in 0..self.horizon {
            for row in &goods {
                let good = self.demand.goods[*row];
                let at = replication * self.demand.hours + hour % self.demand.hours;
                let quantity = self.demand.quantities[*row][at] * factors[hour / MONTH_HOURS];
                let whole = self.demand.products[good.product].unit.whole() as f64;
                let line = UsageLine {
                    number: 0,
                    account: self.account,
                    product: good.product,
                    from: start_of(START + hour as i64),
                    until: start_of(START + hour as i64 + 1),
                    quantity: (quantity * whole).round() as i128,
                    list: good.list,
                    contracted: good.contracted,
                    prices: LinePrices::Own,
                    amount: None,
                };
                biller.take(line, &mut out).expect("in order");
            }
        }
        biller.finish(end, &mut out);
        sum.nanos() as f64 / 1e9
    }
}

/// A small world of one provider: few products at odd prices, and offerings of all kinds.
fn world(seed: u64) -> Case {
    let mut draw = Stream::of(seed, "advice", 0);
    let mut pick = |n: u64| draw.below(n);
    let families = ["c", "m"];
    let sizes = [250, 1_000, 3_000];
    let products: Vec<Product> = (0..1 + pick(4))
        .map(|_| {
            let mut product = machine(families[pick(2) as usize], sizes[pick(3) as usize]);
            product.zone = ["here-a", "here-b"][pick(2) as usize].into();
            product
        })
        .collect();
    let prices: Vec<[i64; 2]> = products
        .iter()
        .map(|product| {
            let list = match pick(2) {
                0 => product.weight as i64 * 2,
                _ => 300 + pick(7_000) as i64,
            };
            [list, if pick(4) == 0 { list * 9 / 10 } else { list }]
        })
        .collect();
    let (replications, hours) = (1 + pick(3) as usize, 3 + pick(20) as usize);
    let mut case = Case::new(products, [replications, hours], 24);
    if pick(3) == 0 {
        case.terms.sharing.push(("aws".into(), crate::terms::Sharing::NarrowestFirst));
    }
    let root = case.account;
    case.account = case.terms.accounts.add("below", Some(root));
    for replication in 0..replications {
        for (row, price) in prices.iter().enumerate() {
            let base = pick(5) as i128;
            for hour in 0..hours {
                if pick(3) > 0 {
                    let quantity =
                        (base + i128::from(pick(3))) * HOUR * i128::from(pick(12) + 1) / 12;
                    let rates = price.map(usd);
                    case.demand.add([replication, hour], Id::new(row as u32), quantity, rates);
                }
            }
        }
    }
    for _ in 0..1 + pick(4) {
        let hours = [24, 24, 30, 10][pick(4) as usize];
        let family = families[pick(2) as usize];
        let share = |pick: u64| PlanPrice::Share(500_000 + 20_000 * pick as u32);
        match pick(5) {
            0 => case.reserve(hours, family, sizes[pick(3) as usize], 200 + pick(3_000) as i64),
            1 => {
                let mut matching = of_family(family);
                (matching.zone, matching.size) =
                    (Some("here-a".into()), Some(format!("{family}.1000")));
                let benefit = Benefit::Reserved { matching, weight: 1_000 };
                case.offer(hours, benefit, 200 + pick(3_000) as i64);
            }
            2 => case.plan(hours, 777, &[(of_family(family), share(pick(20)))]),
            3 => case.plan(hours, 1_234, &[(Matching::default(), share(pick(20)))]),
            _ => {
                // Some cost nothing.
                let price = pick(4) * (50 + pick(1_000));
                let fixed = PlanPrice::Fixed(usd(price as i64));
                let rates = [(of_family(family), fixed), (Matching::default(), share(pick(20)))];
                case.plan(hours, 900, &rates);
            }
        }
        let last = case.offerings.last_mut().expect("one");
        last.scope = root;
        if pick(2) == 0 {
            last.owner = root;
        }
        if pick(3) == 0 {
            last.upfront = Money::from_nanos(last.hourly.nanos() * 5);
            last.hourly = Money::from_nanos(last.hourly.nanos() / 2);
        }
    }
    case
}
