//! What holds for every bill, and how bills change when what is billed changes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::*;
use super::worlds::{SoldProduct, World, worlds};
use crate::charge::{BilledCharge, Origin, Purpose};
use crate::commitment::{Benefit, Commitment, HOUR, PlanPrice};
use crate::currency::Exchange;
use crate::rate;
use crate::units::{Money, Rate, Span, Time};
use crate::usage::{LinePrices, UsageUnit};

fn billed(charges: &[BilledCharge]) -> Money {
    charges.iter().map(|charge| charge.billed).sum()
}

fn effective(charges: &[BilledCharge]) -> Money {
    charges.iter().map(|charge| charge.effective).sum()
}

/// Provider that a charge goes to.
fn provider<'w>(world: &'w World, charge: &BilledCharge) -> &'w str {
    match charge.purpose.names() {
        (Some(product), _) => &world.products[world.sold()[product.row()].row].provider,
        (None, Some(held)) => &world.terms.commitments[held].provider,
        (None, None) => panic!("{charge:?} is of no provider"),
    }
}

/// Sums by any key are the total, and every charge lies in one hour or is of one month.
fn sums_are_the_total(world: &World, charges: &[BilledCharge]) {
    const DAY: i64 = 24 * HOUR;
    let total = billed(charges);
    let mut by: [BTreeMap<String, Money>; 4] = Default::default();
    for charge in charges {
        let month = Month::of(charge.from);
        let whole_month = charge.from == month.from && charge.until == month.until;
        let monthly = matches!(charge.purpose, Purpose::SustainedUse(_));
        assert_eq!(whole_month, monthly, "{charge:?}");
        assert!(monthly || charge.until <= start_of(hour_of(charge.from) + 1), "{charge:?}");
        let keys = [
            provider(world, charge).to_owned(),
            world.terms.accounts.get(charge.account).name.clone(),
            charge.from.micros().div_euclid(DAY).to_string(),
            month.from.micros().to_string(),
        ];
        for (sums, key) in by.iter_mut().zip(keys) {
            *sums.entry(key).or_default() += charge.billed;
        }
    }
    for sums in &by {
        assert_eq!(sums.values().copied().sum::<Money>(), total);
    }
    assert!(by[0].keys().all(|name| ["aws", "azure", "gcp"].contains(&name.as_str())));
}

/// The charges of a line are of its account and product, and sum to it: no part comes twice.
fn lines_are_charged_once(world: &World, charges: &[BilledCharge]) {
    let sold = world.sold();
    for line in &world.lines {
        let product = &world.products[line.product.row()];
        let tiered = world.terms.tiers.rows().iter().any(|table| table.covers(product));
        let of_line = charges.iter().filter(|charge| match charge.purpose {
            Purpose::Usage { origin, product } | Purpose::Covered { origin, product, .. } => {
                let found = origin == Origin::Line(line.number);
                let row = sold[product.row()].row;
                let same = (charge.account, row) == (line.account, line.product.row());
                assert!(!found || same, "{charge:?} is not of {line:?}");
                found
            }
            _ => false,
        });
        // Of a machine that is taken apart its cores and its memory, each so many times.
        let apart = sold.iter().find(|sold| sold.row == line.product.row() && sold.part.is_some());
        let apart = apart.and_then(|sold| sold.part).map(|(_, made)| made);
        let (mut quantities, mut list, mut contracted) = ([0; 2], Money::ZERO, Money::ZERO);
        for charge in of_line {
            assert!(charge.quantity > 0, "{charge:?}");
            assert!(charge.effective >= Money::ZERO && charge.billed >= Money::ZERO, "{charge:?}");
            let (Some(id), _) = charge.purpose.names() else { panic!("{charge:?}") };
            quantities[sold[id.row()].part.map_or(0, |(part, _)| part)] += charge.quantity;
            list += charge.list;
            contracted += charge.contracted;
        }
        let quantity = line.quantity;
        let wanted = apart
            .map_or([quantity, 0], |made| made.units.map(|units| quantity * i128::from(units)));
        assert_eq!(quantities, wanted, "{line:?}");
        if !tiered || line.prices == LinePrices::PaidOfMonth {
            let price = |price| in_dollars(world, line, price);
            let wanted = rate::amount(quantity, product.unit, price(line.list));
            assert_eq!(list, wanted, "{line:?}");
        }
        if !tiered {
            let price = |price| in_dollars(world, line, price);
            let wanted = rate::amount(quantity, product.unit, price(line.contracted));
            assert_eq!(contracted, wanted, "{line:?}");
        }
    }
}

/// A price of a line in dollars.
fn in_dollars(world: &World, line: &UsageLine, price: Rate) -> Rate {
    let currency = world.terms.currency(&world.products[line.product.row()].currency);
    world.terms.exchange(currency, hour_of(line.from)).price(price)
}

/// What a commitment covers in an hour is not more than was bought, and its parts and what nobody
/// used cost what the hour costs.
fn commitments_are_used_once(world: &World, charges: &[BilledCharge]) {
    let sold = world.sold();
    for (id, deal) in world.terms.commitments.iter() {
        for hour in world.first..world.last {
            let worth = world.terms.exchange(deal.currency, hour);
            let held = world.terms.in_dollars(deal, hour);
            let (mut used, mut unused, mut cost) = (0, 0, Money::ZERO);
            let mut pieces = 0;
            for charge in charges.iter().filter(|charge| hour_of(charge.from) == hour) {
                match charge.purpose {
                    Purpose::Covered { by, product, .. } if by == id => {
                        used += spent((deal, worth), &sold[product.row()], charge);
                        cost += charge.effective;
                        pieces += 1;
                        assert_eq!(charge.billed, Money::ZERO);
                    }
                    Purpose::Unused(of) if of == id => {
                        unused += charge.quantity;
                        cost += charge.effective;
                        assert!(charge.quantity >= 0, "{charge:?}");
                    }
                    _ => {}
                }
            }
            let wanted = if held.holds_in(hour) { held.amortised(hour) } else { Money::ZERO };
            assert_eq!(cost, wanted, "{held:?} in {hour}");
            let bought = match &held.benefit {
                _ if !held.holds_in(hour) => 0,
                Benefit::Reserved { weight, .. } => i128::from(*weight) * i128::from(HOUR),
                Benefit::Spending { hourly, .. } => hourly.nanos(),
            };
            // Each piece of a plan is rounded to a nano-dollar.
            let most = match &held.benefit {
                Benefit::Reserved { .. } => bought,
                Benefit::Spending { .. } => bought + pieces,
            };
            assert!(used + unused <= most, "{held:?} in {hour}: {used} + {unused} > {most}");
            assert!(held.holds_in(hour) || pieces == 0);
        }
    }
}

/// So much of a commitment a piece takes: thousandths of units times microseconds, or nano-dollars.
fn spent(
    (held, worth): (&Commitment, Exchange),
    sold: &SoldProduct,
    charge: &BilledCharge,
) -> i128 {
    let (list, contracted) = (charge.list_price, charge.contracted_price);
    let product = &sold.product;
    // Plans are for parts as they are for the machine.
    let family = product.family.split('-').next().unwrap_or_default().to_owned();
    match held.plan_price(&Product { family, ..product.clone() }) {
        None => charge.quantity * i128::from(product.weight),
        Some(price) => {
            let price = match (price, sold.part) {
                (PlanPrice::Fixed(fixed), Some((part, made))) => {
                    worth.price(made.prices_of(fixed)[part])
                }
                (PlanPrice::Fixed(fixed), None) => worth.price(fixed),
                (PlanPrice::Share(_), _) => price.of(list),
            };
            let price = price.min(contracted);
            rate::amount(charge.quantity, product.unit, price).nanos()
        }
    }
}

/// What is effective is what is billed, but for upfront payments: these are billed once, and
/// spread over their terms.
fn only_upfront_payments_are_spread(world: &World, charges: &[BilledCharge]) {
    let mut wanted = billed(charges);
    for (_, held) in world.terms.commitments.iter() {
        let in_dollars = |hour| world.terms.in_dollars(held, hour);
        for hour in (world.first..world.last).filter(|hour| held.holds_in(*hour)) {
            let held = in_dollars(hour);
            if start_of(hour) == held.from {
                wanted -= held.upfront;
            }
            wanted += held.amortised(hour) - held.hourly;
        }
        let whole: Money = (hour_of(held.from)..hour_of(held.until))
            .map(|hour| in_dollars(hour).amortised(hour) - in_dollars(hour).hourly)
            .sum();
        assert_eq!(whole, in_dollars(hour_of(held.from)).upfront);
    }
    assert_eq!(effective(charges), wanted);
}

/// The world at prices of `k` times as much.
fn dearer(world: &World, k: i64) -> World {
    let price = |rate: Rate| Rate::from_picos(rate.picos() * k);
    let amount = |money: Money| Money::from_nanos(money.nanos() * i128::from(k));
    let mut dear = world.clone();
    for line in &mut dear.lines {
        (line.list, line.contracted) = (price(line.list), price(line.contracted));
    }
    for kept in &mut dear.reservations {
        kept.price = price(kept.price);
        kept.contracted = kept.price;
    }
    for table in dear.terms.tiers.rows_mut() {
        table.steps.iter_mut().for_each(|step| step.1 = price(step.1));
    }
    for held in dear.terms.commitments.rows_mut() {
        (held.upfront, held.hourly) = (amount(held.upfront), amount(held.hourly));
        if let Benefit::Spending { hourly, rates } = &mut held.benefit {
            *hourly = amount(*hourly);
            for rate in rates {
                if let PlanPrice::Fixed(fixed) = &mut rate.price {
                    *fixed = price(*fixed);
                }
            }
        }
    }
    dear
}

/// The world, each transfer in `parts` parts of any size at the same moment.
fn parted(world: &World, parts: i128) -> World {
    let mut parted = world.clone();
    parted.lines.clear();
    for line in &world.lines {
        let is_transfer = world.products[line.product.row()].unit == UsageUnit::Gigabyte;
        let parts = if is_transfer { parts } else { 1 };
        let until = |part: i128| line.quantity * part * part / (parts * parts);
        for part in 0..parts {
            let number = parted.lines.len() as u64;
            let quantity = until(part + 1) - until(part);
            parted.lines.push(UsageLine { number, quantity, ..*line });
        }
    }
    parted
}

/// The world so many days later.
fn later(world: &World, days: i64) -> World {
    let move_to = |at: &mut Time| *at = *at + Span::from_micros(days * 24 * HOUR);
    let mut later = world.clone();
    for line in &mut later.lines {
        move_to(&mut line.from);
        move_to(&mut line.until);
    }
    for kept in &mut later.reservations {
        move_to(&mut kept.from);
        move_to(&mut kept.until);
    }
    for held in later.terms.commitments.rows_mut() {
        move_to(&mut held.from);
        move_to(&mut held.bought);
        move_to(&mut held.until);
    }
    for currency in later.terms.currencies.rows_mut() {
        currency.worth.iter_mut().for_each(|(from, _)| move_to(from));
    }
    (later.first, later.last) = (world.first + 24 * days, world.last + 24 * days);
    later
}

/// The world, with other names of accounts.
fn renamed(world: &World) -> World {
    let mut accounts = crate::account::Accounts::default();
    for (id, account) in world.terms.accounts.iter() {
        accounts.add(format!("{} of old", 100 - id.row()), account.parent);
    }
    let mut renamed = world.clone();
    renamed.terms.accounts = accounts;
    renamed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn every_bill_adds_up(world in worlds()) {
        let charges = world.bill();
        sums_are_the_total(&world, &charges);
        lines_are_charged_once(&world, &charges);
        commitments_are_used_once(&world, &charges);
        only_upfront_payments_are_spread(&world, &charges);
    }

    #[test]
    fn amounts_follow_prices(world in worlds(), k in 2..1_000_i64) {
        let (charges, dear) = (world.bill(), dearer(&world, k).bill());
        // A nano-dollar for each charge, and for what it leaves over of a commitment.
        let most = i128::from(k) * 4 * (charges.len() + dear.len()) as i128;
        let sums: [fn(&[BilledCharge]) -> Money; 2] = [billed, effective];
        for sum in sums {
            let off = sum(&dear).nanos() - i128::from(k) * sum(&charges).nanos();
            prop_assert!(off.abs() <= most, "{off} > {most}");
        }
    }

    #[test]
    fn transfers_in_parts_cost_the_same(world in worlds(), parts in 2..20_i128) {
        let (whole, parted) = (world.bill(), parted(&world, parts).bill());
        let off = (billed(&whole) - billed(&parted)).nanos().abs();
        prop_assert!(off <= parted.len() as i128, "{off}");
    }

    #[test]
    fn days_of_a_month_are_alike(world in worlds(), days in 1..20_i64) {
        let month = |hour| Month::of(start_of(hour));
        let moved = later(&world, days);
        if month(world.first) != month(moved.last) {
            return Ok(());
        }
        let mut charges = world.bill();
        for charge in &mut charges {
            if !matches!(charge.purpose, Purpose::SustainedUse(_)) {
                let by = Span::from_micros(days * 24 * HOUR);
                (charge.from, charge.until) = (charge.from + by, charge.until + by);
            }
        }
        prop_assert_eq!(charges, moved.bill());
    }

    #[test]
    fn names_of_accounts_do_not_matter(world in worlds()) {
        prop_assert_eq!(world.bill(), renamed(&world).bill());
    }
}
