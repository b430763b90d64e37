//! Commitments that are bought while usage comes in.

use proptest::prelude::*;

use super::worlds::{World, worlds};
use super::*;
use crate::offering::Offering;
use crate::purchase::{LAYERS, Purchase, PurchasePart, Purchaser, UnitDemand};
use windtunnel_core::part::Part;

/// Buys all that is missing to the demand of the hour.
static GREEDY: PurchasePart = Part {
    name: "greedy",
    doc: "Buys all that is missing.",
    parameters: &[],
    make: |_| Box::new(|_, _| Box::new(Greedy)),
};

#[derive(Debug)]
struct Greedy;

impl Purchase for Greedy {
    fn decide(&mut self, now: UnitDemand) -> u64 {
        now.demand.saturating_sub(now.kept)
    }
}

/// One unit of what was bought, for sale.
fn offering(held: &Commitment) -> Offering {
    Offering {
        currency: None,
        name: "for sale".into(),
        provider: held.provider.clone(),
        owner: held.owner,
        scope: held.scope,
        hours: held.hours(),
        benefit: held.benefit.clone(),
        upfront: held.upfront,
        hourly: held.hourly,
    }
}

fn buyer(part: &'static PurchasePart, offering: &Offering) -> Purchaser {
    let costs = offering.unit_costs(Money::from_nanos(1_000_000_000));
    Purchaser::new(&part.spec(), costs, 0.0)
}

/// Bills the world, with what `at` does at the beginning of each hour. Products are named when
/// they are first used.
fn run(
    world: &World,
    mut biller: Biller,
    mut at: impl FnMut(i64, &mut Biller, &[BilledCharge]),
) -> (Vec<BilledCharge>, Biller) {
    let mut charges = Vec::new();
    let name = |biller: &mut Biller, product: Id<Product>| {
        while biller.products().len() <= product.row() {
            biller.product(world.products[biller.products().len()].clone());
        }
    };
    for kept in &world.reservations {
        name(&mut biller, kept.product);
        biller.reserve(kept.clone());
    }
    let mut lines = world.lines.iter().peekable();
    for hour in world.first..=world.last {
        biller.advance(hour, &mut |charge| charges.push(charge));
        at(hour, &mut biller, &charges);
        while let Some(line) = lines.next_if(|line| hour_of(line.from) == hour) {
            name(&mut biller, line.product);
            biller.take(*line, &mut |charge| charges.push(charge)).expect("in order");
        }
    }
    biller.finish(world.last, &mut |charge| charges.push(charge));
    (charges, biller)
}

/// The world whose terms hold the first `count` commitments alone.
fn holding(world: &World, commitments: &[Commitment]) -> Biller {
    let mut terms = world.terms.clone();
    terms.commitments = IdVec::default();
    commitments.iter().for_each(|held| _ = terms.commitments.push(held.clone()));
    Biller::new(terms)
}

/// Thousandths of units times microseconds that an hour had use for, by its charges.
fn reserved_use(
    biller: &Biller,
    offering: &Offering,
    bought: &[Id<Commitment>],
    charges: &[BilledCharge],
) -> i128 {
    let Benefit::Reserved { matching, .. } = &offering.benefit else { unreachable!() };
    let of = |charge: &BilledCharge| match charge.purpose {
        Purpose::Covered { product, by, .. } if bought.contains(&by) => {
            charge.quantity * i128::from(biller.products()[product].weight)
        }
        Purpose::Usage { origin, product } => {
            let product = &biller.products()[product];
            let idle = matches!(origin, Origin::Reservation(_)) && matching.zone.is_some();
            let fits = product.provider == offering.provider
                && offering.benefit.covers(product)
                && biller.terms().accounts.within(charge.account, offering.scope);
            if fits && !idle { charge.quantity * i128::from(product.weight) } else { 0 }
        }
        _ => 0,
    };
    charges.iter().map(of).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_bought_is_billed_as_if_it_had_been_held(world in worlds()) {
        let mut all: Vec<Commitment> = world.terms.commitments.rows().to_vec();
        all.sort_by_key(|held| held.from);
        let held = all.iter().filter(|held| hour_of(held.from) < world.first).count();
        let (wanted, _) = run(&world, holding(&world, &all), |_, _, _| {});
        let mut later = all[held..].iter().peekable();
        let (charges, biller) = run(&world, holding(&world, &all[..held]), |hour, biller, _| {
            while let Some(held) = later.next_if(|held| hour_of(held.from) == hour) {
                biller.buy(held.clone()).expect("its hour comes");
            }
        });
        prop_assert_eq!(biller.terms().commitments.rows(), &all[..biller.terms().commitments.len()]);
        prop_assert_eq!(charges, wanted);
    }

    #[test]
    fn policies_buy_what_is_billed_as_if_it_had_been_held(world in worlds(), pick in 0..2_usize) {
        let all = world.terms.commitments.rows();
        let sold = all.len() / 2;
        let mut biller = holding(&world, &all[sold..]);
        let part = [&GREEDY, &LAYERS][pick];
        for offering in all[..sold].iter().map(offering) {
            let purchaser = buyer(part, &offering);
            biller.offer(offering, purchaser);
        }
        let mut from = 0;
        let mut decided = world.first;
        let (charges, biller) = run(&world, biller, |hour, biller, charges| {
            // What is charged since the last time is of the hour before.
            for (id, offering) in biller.offerings().iter() {
                if !matches!(offering.benefit, Benefit::Reserved { .. }) || hour == world.first {
                    continue;
                }
                let used = reserved_use(biller, offering, biller.bought(id), &charges[from..]);
                let units = used / offering.benefit.of_an_hour();
                assert_eq!(i128::from(biller.demand(id)), units, "{offering:?} in {hour}");
            }
            (from, decided) = (charges.len(), hour);
        });
        prop_assert_eq!(decided, world.last);
        let bought = biller.terms().commitments.rows();
        let (wanted, _) = run(&world, holding(&world, bought), |_, _, _| {});
        prop_assert_eq!(charges, wanted);
    }
}

#[test]
fn demand_is_what_is_bought_and_used_and_what_it_could_cover() {
    // Units of 8; 3 machines of 8 and one of 4 are 3.5 units. Spot, other accounts and what another
    // commitment covers are none.
    let (mut terms, [root, a, b, _]) = organisation();
    let matching = Matching { size: Some("m5.2xlarge".into()), ..Matching::default() };
    let other = Benefit::Reserved { matching, weight: 16_000 };
    terms.commitments.push(Commitment { benefit: other, ..regional(a, root, "m5", 16) });
    let mut book = Book::new(terms);
    let large = book.biller.product(machine("aws", "m5", "m5.large", 4));
    let for_sale = offering(&Commitment { until: start_of(START + 2), ..regional(a, a, "m5", 8) });
    let purchaser = buyer(&GREEDY, &for_sale);
    let id = book.biller.offer(for_sale, purchaser);
    let xlarge = book.biller.product(machine("aws", "m5", "m5.xlarge", 8));
    let double = book.biller.product(machine("aws", "m5", "m5.2xlarge", 16));
    let spot = Product { sale: Sale::Spot, ..machine("aws", "m5", "m5.large", 4) };
    let spot = book.biller.product(spot);
    let mut demand = Vec::new();
    for hour in 0..5 {
        let [from, until] = [hour, hour + 1].map(|hour| hour * 3_600);
        for (account, product) in [(a, large), (a, double), (a, spot), (b, xlarge)] {
            book.runs(account, product, "1", [from, until]);
        }
        for _ in 0..if hour < 3 { 3 } else { 0 } {
            book.runs(a, xlarge, "1", [from, until]);
        }
        book.biller.advance(START + hour + 1, &mut |charge| book.charges.push(charge));
        demand.push(book.biller.demand(id));
    }
    book.finish(5);
    // Three units are bought for the hours 1 and 2, and in hour 2 for the two after: too many.
    assert_eq!(demand, [3, 3, 3, 0, 0]);
    let terms = book.biller.terms();
    let bought = book.biller.bought(id).iter().map(|id| &terms.commitments[*id]);
    let bought: Vec<_> = bought.map(|held| (hour_of(held.from) - START, held.hours())).collect();
    assert_eq!(bought, [(1, 2), (3, 2)]);
    // In hours 1 and 2 they cover the machine of 4, and 20 of 24; then the machine of 4 alone.
    assert_eq!(book.hours(a, xlarge), [5.0, 4.0]);
    assert_eq!(book.hours(a, large), [4.0, 1.0]);
}

#[test]
fn idle_capacity_is_demand_for_regional_offerings_and_not_for_zonal_ones() {
    // Ten are kept and none runs: 40 units are five times 8.
    for (zone, wanted) in [(None, 5), (Some("here-a".to_owned()), 0)] {
        let (terms, [_, a, ..]) = organisation();
        let mut book = Book::new(terms);
        let m5 = book.biller.product(machine("aws", "m5", "m5.large", 4));
        book.biller.reserve(kept(a, m5));
        let mut for_sale = offering(&regional(a, a, "m5", 8));
        let Benefit::Reserved { matching, .. } = &mut for_sale.benefit else { unreachable!() };
        matching.zone = zone;
        let purchaser = buyer(&GREEDY, &for_sale);
        let id = book.biller.offer(for_sale, purchaser);
        book.biller.advance(START, &mut |_| {});
        book.finish(1);
        assert_eq!(book.biller.demand(id), wanted);
    }
}

#[test]
fn demand_of_spending_is_counted_at_prices_of_the_plan() {
    // 1 dollar at half of its price is 5 units of 0.1 dollars, and 0.07 dollars more are none.
    let (mut terms, [_, a, ..]) = organisation();
    terms.negotiated.clear();
    let mut book = Book::new(terms);
    let m5 = book.biller.product(machine("aws", "m5", "m5.large", 4));
    let for_sale = offering(&plan("aws", a, "0.1", share_of_all(500_000)));
    let purchaser = buyer(&GREEDY, &for_sale);
    let id = book.biller.offer(for_sale, purchaser);
    for hour in 0..2 {
        book.runs(a, m5, "1.14", [hour * 3_600, hour * 3_600 + 3_600]);
        book.biller.advance(START + hour + 1, &mut |charge| book.charges.push(charge));
        assert_eq!(book.biller.demand(id), 5);
    }
    // Five units cover a dollar; 0.14 dollars are left.
    assert_eq!(book.billed(), money("1.14") + money("0.5") + money("0.14"));
    book.biller.advance(START + 3, &mut |_| {});
    assert_eq!(book.biller.demand(id), 0);
}

#[test]
fn nothing_is_bought_for_an_hour_that_is_billed() {
    let (terms, [_, a, ..]) = organisation();
    let mut biller = Biller::new(terms);
    biller.advance(START + 1, &mut |_| {});
    assert_eq!(biller.buy(regional(a, a, "m5", 8)), Err(OutOfOrder));
    let from = start_of(START + 1);
    assert_eq!(biller.buy(Commitment { from, ..regional(a, a, "m5", 8) }), Err(OutOfOrder));
    let held = Commitment { from, bought: from, ..regional(a, a, "m5", 8) };
    assert_eq!(biller.buy(held), Ok(Id::new(0)));
}
