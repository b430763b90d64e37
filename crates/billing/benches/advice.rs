//! How much to commit, and the time that it takes to say: twenty futures of three years, five
//! products, and offerings of reserved machines and plans for one and three years; these, and
//! twenty like them, of other terms and prices.

use std::time::Instant;

use windtunnel_billing::account::Account;
use windtunnel_billing::advice::{AdviceInput, DemandGrowth, FutureDemand, advise};
use windtunnel_billing::commitment::{Benefit, Matching, PlanPrice, PlanRate};
use windtunnel_billing::offering::Offering;
use windtunnel_billing::terms::AccountTerms;
use windtunnel_billing::usage::{Product, Sale, Service, UsageUnit};
use windtunnel_core::units::{Id, IdVec, Money, Rate, Stream, standard_normal};

const REPLICATIONS: usize = 20;
const HORIZON: usize = 26_280;

fn main() {
    let mut terms = AccountTerms::default();
    let account = terms.accounts.add("a", None);
    println!("{:>8} {:>7} {:>9} {:>10}  units", "window", "spread", "offerings", "seconds");
    let cases: [(usize, f64, i64); 5] =
        [(168, 0.0, 1), (168, 0.2, 1), (8_760, 0.0, 1), (8_760, 0.2, 1), (8_760, 0.2, 4)];
    for (window, spread, prices) in cases {
        let demand = demand(window);
        let mut draw = Stream::new(2, "growth");
        let steps = DemandGrowth::steps(HORIZON);
        let mut normals = || (0..steps).map(|_| standard_normal(draw.uniform())).collect();
        let normals = (0..REPLICATIONS).map(|_| normals()).collect();
        let growth = DemandGrowth { growth: if spread > 0.0 { 0.1 } else { 0.0 }, spread, normals };
        let offerings = offerings(account, prices);
        let begin = Instant::now();
        let advice = advise(&AdviceInput {
            demand: &demand,
            growth: &growth,
            horizon: HORIZON,
            terms: &terms,
            account,
            offerings: &offerings,
            confidence: 0.8,
        })
        .expect("advice");
        let seconds = begin.elapsed().as_secs_f64();
        let units: Vec<u64> = advice.cheapest.holdings.iter().map(|held| held.units).collect();
        let count = offerings.len();
        println!("{window:>8} {spread:>7} {count:>9} {seconds:>10.2}  {units:?}");
    }
}

/// Machines of two families that rise and fall with the day, and at random.
fn demand(window: usize) -> FutureDemand {
    let mut products = IdVec::default();
    let sizes = [("m5", 1_000), ("m5", 2_000), ("m5", 4_000), ("c5", 1_000), ("c5", 2_000)];
    for (family, weight) in sizes {
        products.push(Product {
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
        });
    }
    let mut demand = FutureDemand::new(products, REPLICATIONS, window);
    let mut draw = Stream::new(1, "demand");
    for replication in 0..REPLICATIONS {
        for hour in 0..window {
            for (row, (_, weight)) in sizes.iter().enumerate() {
                let day = 1.0 - (2.0 * (hour % 24) as f64 / 24.0 - 1.0).abs();
                let machines = 10.0 + 20.0 * day + 10.0 * draw.uniform();
                let rate = Rate::from_picos(96_000_000 * *weight as i64);
                let quantity = (machines * 3.6e9) as i128;
                demand.add([replication, hour], Id::new(row as u32), quantity, [rate, rate]);
            }
        }
    }
    demand
}

fn offerings(account: Id<Account>, prices: i64) -> Vec<Offering> {
    let of = |family: &str| Matching {
        region: Some("here".into()),
        families: Some(vec![family.into()]),
        ..Matching::default()
    };
    let offer = |name: &str, years: i64, benefit, cents: i128| Offering {
        currency: None,
        name: name.into(),
        provider: "aws".into(),
        owner: account,
        scope: account,
        hours: 8_760 * years,
        benefit,
        upfront: Money::ZERO,
        hourly: Money::from_nanos(cents * 10_000),
    };
    let reserved = |family| Benefit::Reserved { matching: of(family), weight: 1_000 };
    let plan = |matching, share| Benefit::Spending {
        hourly: Money::from_nanos(100_000_000),
        rates: vec![PlanRate { matching, price: PlanPrice::Share(share) }],
    };
    let all = [
        offer("m5 reserved, a year", 1, reserved("m5"), 6_000),
        offer("c5 reserved, three years", 3, reserved("c5"), 3_900),
        offer("m5 plan, three years", 3, plan(of("m5"), 450_000), 10_000),
        offer("plan, a year", 1, plan(Matching::default(), 730_000), 10_000),
        offer("plan, three years", 3, plan(Matching::default(), 540_000), 10_000),
    ];
    // The same for shorter terms, a little dearer.
    let priced = (0..prices).flat_map(|price| {
        all.iter().cloned().map(move |mut offering| {
            offering.hours -= 730 * price;
            offering.hourly =
                Money::from_nanos(offering.hourly.nanos() * i128::from(100 + price) / 100);
            offering
        })
    });
    priced.collect()
}
