//! A biller that is slow and obvious, written from the rules that providers document. It shares
//! the words (terms, products, lines) with the biller, and no code.
//!
//! It goes slot by slot and looks for the next thing to cover all over again each time. Quantities
//! are kept a million times finer than millionths, and amounts a million times finer than
//! nano-dollars, so that its own rounding is far below what is compared. The biller rounds
//!
//! - a quantity that a commitment covers down to a millionth, since lines are cut at whole ones;
//! - what a plan spends on a line, each charge, and each part of a commitment's cost, to a
//!   nano-dollar, since bills are whole ones;
//! - the machines of a line that runs for a part of its time, or for more than one, down to a
//!   billionth.
//!
//! Each of these moves an amount by at most a nano-dollar times what one thing costs more than
//! another that it takes the place of ([`LEVERAGE`]).

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::worlds::{MARCH, MONTHS, SLOT, World, slot, worlds};
use crate::account::Account;
use crate::charge::{BilledCharge, Origin, Purpose};
use crate::commitment::{Benefit, Commitment, Matching, PlanPrice, hour_of, start_of};
use crate::currency::Currency;
use crate::reservation::CapacityReservation;
use crate::terms::{Sharing, TierTable};
use crate::units::{Id, Rate, Time};
use crate::usage::{LinePrices, Product, Sale, Service, UsageUnit};

/// Parts of a millionth of a unit, and of a nano-dollar.
const FINE: i128 = 1_000_000;

/// The largest unit of size costs at most this many times the smallest one, at worlds' prices.
const LEVERAGE: i128 = 4;

/// Use of one product in one hour.
#[derive(Clone, Debug)]
struct Use {
    origin: Origin,
    account: Id<Account>,
    product: usize,
    from: Time,
    until: Time,
    left: i128,
    list: i128,
    contracted: i128,
    /// The negotiated price in the currency of the product.
    said: i128,
}

/// What a commitment covers of a line in an hour: quantity and cost.
type Covered = BTreeMap<(Origin, i64, u32), [i128; 2]>;

#[derive(Debug, Default)]
struct SlowBill {
    covered: Covered,
    billed: i128,
    effective: i128,
    /// Roundings that the biller may have made.
    roundings: i128,
}

/// Amount, in fine nano-dollars, of a fine quantity at a price in pico-dollars.
fn cost(quantity: i128, unit: UsageUnit, price: i128) -> i128 {
    let micros = if unit == UsageUnit::Hour { 3_600_000_000 } else { 1_000_000 };
    quantity * price / (1_000 * micros)
}

/// An amount or a price in a currency, in dollars at what that is worth in the hour.
fn dollars(world: &World, currency: Option<Id<Currency>>, hour: i64, amount: i128) -> i128 {
    let Some(currency) = currency else { return amount };
    let worth = &world.terms.currencies[currency].worth;
    let held = worth.iter().rev().find(|(from, _)| *from <= start_of(hour)).expect("it is known");
    let parts = i128::from(held.1.picos());
    (amount * parts + 500_000_000_000) / 1_000_000_000_000
}

/// The currency of a product.
fn currency_of(product: &Product) -> Option<Id<Currency>> {
    (product.currency == "EUR").then_some(Id::new(0))
}

fn matches(matching: &Matching, product: &Product) -> bool {
    let services = if matching.services.is_empty() {
        vec![Service::Compute]
    } else {
        matching.services.clone()
    };
    let mut wanted = vec![
        (matching.region.clone(), &product.region),
        (matching.zone.clone(), &product.zone),
        (matching.size.clone(), &product.size),
        (matching.system.clone(), &product.system),
        (matching.tenancy.clone(), &product.tenancy),
    ];
    wanted.retain(|(wanted, found)| wanted.as_ref().is_some_and(|wanted| wanted != *found));
    let family = match &matching.families {
        None => true,
        Some(families) => families.contains(&product.family),
    };
    product.sale == Sale::OnDemand
        && services.contains(&product.service)
        && wanted.is_empty()
        && family
}

/// The account, the one above it, and so on.
fn line_of_descent(world: &World, account: Id<Account>) -> Vec<Id<Account>> {
    let mut line = vec![account];
    while let Some(parent) = world.terms.accounts.get(line[line.len() - 1]).parent {
        line.push(parent);
    }
    line
}

/// The biller's world, hour by hour.
fn bill(world: &World) -> SlowBill {
    let mut bill = SlowBill::default();
    let mut used = MonthlyUse::new();
    let mut rest = Vec::new();
    for hour in world.first..world.last {
        let whole = in_steps(world, hour, uses(world, hour), &mut used, &mut bill);
        let mut uses = taken_apart(world, whole);
        bill.roundings += 2 * uses.len() as i128;
        for provider in ["aws", "azure", "gcp"] {
            cover(world, hour, provider, &mut uses, &mut bill);
        }
        for one in &uses {
            charge(world, one, &mut bill);
        }
        pay(world, hour, &mut bill);
        rest.extend(uses);
    }
    for month in 0..MONTHS.len() {
        let discount = sustained_use(world, month, &rest, &mut bill);
        bill.billed -= discount;
        bill.effective -= discount;
    }
    bill
}

/// The world with the parts of machines among its products, behind the machines.
fn with_parts(world: &World) -> World {
    let sold = world.sold();
    let place = |row: Id<Product>| {
        let place = sold.iter().position(|one| one.row == row.row() && one.part.is_none());
        Id::new(place.expect("all are sold") as u32)
    };
    let mut parted = world.clone();
    parted.lines.iter_mut().for_each(|line| line.product = place(line.product));
    parted.reservations.iter_mut().for_each(|kept| kept.product = place(kept.product));
    parted.products = sold.iter().map(|one| one.product.clone()).collect();
    parted.parts = sold.into_iter().map(|one| one.part).collect();
    parted
}

/// Machines of which the parts are known become these: so many cores and so many GiB, at prices in the
/// proportion of their list prices. A core's price is a whole pico-dollar, as that of a GiB is.
fn taken_apart(world: &World, uses: Vec<Use>) -> Vec<Use> {
    let mut taken = Vec::new();
    for one in uses {
        let Some(Some((_, made))) = world.parts.get(one.product + 1) else {
            taken.push(one);
            continue;
        };
        let [cores, gib] = made.units.map(i128::from);
        let [core, memory] = made.prices.map(|price| i128::from(price.picos()));
        let of_core = |price: i128| half_up(price * core, cores * core + gib * memory);
        let of_memory = |price: i128| half_up((price - cores * of_core(price)).max(0), gib);
        taken.push(Use {
            product: one.product + 1,
            left: one.left * cores,
            list: of_core(one.list),
            contracted: of_core(one.contracted),
            said: of_core(one.said),
            ..one.clone()
        });
        taken.push(Use {
            product: one.product + 2,
            left: one.left * gib,
            list: of_memory(one.list),
            contracted: of_memory(one.contracted),
            said: of_memory(one.said),
            ..one
        });
    }
    taken
}

fn half_up(number: i128, whole: i128) -> i128 {
    (2 * number + whole) / (2 * whole)
}

/// The use of an hour, and what is kept and does not run in it.
fn uses(world: &World, hour: i64) -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    for line in world.lines.iter().filter(|line| hour_of(line.from) == hour) {
        let currency = currency_of(&world.products[line.product.row()]);
        let price = |price: Rate| dollars(world, currency, hour, i128::from(price.picos()));
        uses.push(Use {
            origin: Origin::Line(line.number),
            account: line.account,
            product: line.product.row(),
            from: line.from,
            until: line.until,
            left: line.quantity * FINE,
            list: price(line.list),
            contracted: price(line.contracted),
            said: i128::from(line.contracted.picos()),
        });
    }
    for (row, kept) in world.reservations.iter().enumerate() {
        let mut unused = 0;
        for number in 0..12 {
            let at = slot(hour, number);
            if at < kept.from || at >= kept.until {
                continue;
            }
            // What runs in it, in slots of a machine.
            let mut running = 0;
            for line in world.lines.iter().filter(|line| line.from <= at && at < line.until) {
                let product = &world.products[line.product.row()];
                if line.account == kept.account
                    && product.provider == world.products[kept.product.row()].provider
                    && product.unit == UsageUnit::Hour
                    && matches(&kept.matching, product)
                {
                    let slots = i128::from((line.until - line.from).micros() / SLOT);
                    running += line.quantity * FINE / slots;
                }
            }
            // A machine runs in one reservation: those of the same kind fill up one by one.
            for other in &world.reservations[..row] {
                let same = other.account == kept.account && other.matching == kept.matching;
                let of = |kept: &CapacityReservation| &world.products[kept.product.row()].provider;
                if same && of(other) == of(kept) && other.from <= at && at < other.until {
                    running -= i128::from(other.machines) * i128::from(SLOT) * FINE;
                }
            }
            let whole = i128::from(kept.machines) * i128::from(SLOT) * FINE;
            unused += (whole - running.max(0)).max(0);
        }
        if unused > 0 {
            let price = dollars(world, kept.currency, hour, i128::from(kept.price.picos()));
            uses.push(Use {
                origin: Origin::Reservation(Id::new(row as u32)),
                account: kept.account,
                product: kept.product.row(),
                from: kept.from.max(start_of(hour)),
                until: kept.until.min(start_of(hour + 1)),
                left: unused,
                list: price,
                contracted: price,
                said: i128::from(kept.price.picos()),
            });
        }
    }
    uses
}

/// A commitment in the hour, and what is left of it: fine thousandths of units times microseconds,
/// or fine nano-dollars.
struct Held<'w> {
    row: u32,
    deal: &'w Commitment,
    whole: i128,
    left: i128,
    cost: i128,
}

/// Applies the commitments of a provider.
fn cover(world: &World, hour: i64, provider: &str, uses: &mut [Use], bill: &mut SlowBill) {
    let mut held: Vec<Held<'_>> = Vec::new();
    for (id, deal) in world.terms.commitments.iter() {
        if deal.provider == provider && start_of(hour) >= deal.from && start_of(hour) < deal.until {
            let whole = match &deal.benefit {
                Benefit::Reserved { weight, .. } => i128::from(*weight) * 3_600_000_000 * FINE,
                Benefit::Spending { hourly, .. } => {
                    dollars(world, deal.currency, hour, hourly.nanos()) * FINE
                }
            };
            let cost = cost_of_hour(world, deal, hour);
            held.push(Held { row: id.raw(), deal, whole, left: whole, cost });
        }
    }
    // Machines that run first, then what is kept and does not run, which comes behind them.
    let is_idle = |one: &Use| matches!(one.origin, Origin::Reservation(_));
    let running = uses.iter().position(is_idle).unwrap_or(uses.len());
    let (running, idle) = uses.split_at_mut(running);
    for uses in [running, idle] {
        turns(world, hour, provider, uses, &mut held, bill);
    }
}

/// What an hour costs of a commitment, in fine nano-dollars.
fn cost_of_hour(world: &World, deal: &Commitment, hour: i64) -> i128 {
    let hours = i128::from((deal.until - deal.from).micros() / 3_600_000_000);
    let fee = dollars(world, deal.currency, hour, deal.hourly.nanos());
    let upfront = dollars(world, deal.currency, hour_of(deal.bought), deal.upfront.nanos());
    fee * FINE + upfront * FINE / hours
}

/// Applies what is left of the commitments.
fn turns(
    world: &World,
    hour: i64,
    provider: &str,
    uses: &mut [Use],
    held: &mut [Held<'_>],
    bill: &mut SlowBill,
) {
    let azure = world.terms.sharing.contains(&(provider.to_owned(), Sharing::NarrowestFirst));
    if azure {
        // Reservations, narrow scopes before wide ones; then plans, long ones before short ones.
        let depth = |held: &Held<'_>| line_of_descent(world, held.deal.scope).len();
        for wanted in (1..=4).rev() {
            let narrow = |held: &Held<'_>| is_reserved(held) && depth(held) == wanted;
            reserved(world, hour, uses, held, narrow, Who::First, bill);
        }
        for hours in (1..=9).rev() {
            for wanted in (1..=4).rev() {
                let next = |held: &Held<'_>| {
                    let length = (held.deal.until - held.deal.from).micros() / 3_600_000_000;
                    !is_reserved(held) && length == hours && depth(held) == wanted
                };
                plans(world, hour, uses, held, next, Who::First, bill);
            }
        }
    } else {
        for zonal in [true, false] {
            for who in [Who::Owner, Who::Organisation] {
                let kind = |held: &Held<'_>| is_reserved(held) && is_zonal(held) == zonal;
                reserved(world, hour, uses, held, kind, who, bill);
            }
        }
        for narrow in [true, false] {
            for who in [Who::Owner, Who::Organisation] {
                let kind = |held: &Held<'_>| !is_reserved(held) && is_of_family(held) == narrow;
                plans(world, hour, uses, held, kind, who, bill);
            }
        }
    }
}

fn is_reserved(held: &Held<'_>) -> bool {
    matches!(held.deal.benefit, Benefit::Reserved { .. })
}

fn is_zonal(held: &Held<'_>) -> bool {
    matches!(&held.deal.benefit, Benefit::Reserved { matching, .. } if matching.zone.is_some())
}

fn is_of_family(held: &Held<'_>) -> bool {
    let Benefit::Spending { rates, .. } = &held.deal.benefit else { return false };
    !rates.iter().any(|rate| rate.matching.region.is_none() || rate.matching.families.is_none())
}

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    /// The owner's, smallest size first.
    Owner,
    /// Everybody's in the scope, smallest size first.
    Organisation,
    /// Everybody's in the scope: first come, first served.
    First,
}

fn has_turn(world: &World, who: Who, deal: &Commitment, one: &Use) -> bool {
    world.products[one.product].provider == deal.provider
        && match who {
            Who::Owner => one.account == deal.owner,
            Who::Organisation | Who::First => {
                line_of_descent(world, one.account).contains(&deal.scope)
            }
        }
}

fn reserved(
    world: &World,
    hour: i64,
    uses: &mut [Use],
    held: &mut [Held<'_>],
    kind: impl Fn(&Held<'_>) -> bool,
    who: Who,
    bill: &mut SlowBill,
) {
    for held in held.iter_mut().filter(|held| kind(held)) {
        let Benefit::Reserved { matching, .. } = &held.deal.benefit else { continue };
        let mut order: Vec<usize> = (0..uses.len()).collect();
        if who != Who::First {
            order
                .sort_by_key(|row| (world.products[uses[*row].product].weight, uses[*row].product));
        }
        for row in order {
            let one = &mut uses[row];
            let product = &world.products[one.product];
            // Zonal reservations of machines take nothing off capacity that does not run.
            let idle = matching.zone.is_some() && matches!(one.origin, Origin::Reservation(_));
            if !has_turn(world, who, held.deal, one)
                || !matches(matching, product)
                || product.unit != UsageUnit::Hour
                || idle
            {
                continue;
            }
            let weight = i128::from(product.weight);
            let quantity = one.left.min(held.left / weight);
            one.left -= quantity;
            note(bill, one.origin, hour, held, quantity, quantity * weight);
        }
    }
}

/// Notes what is covered, if anything is.
fn note(
    bill: &mut SlowBill,
    origin: Origin,
    hour: i64,
    held: &mut Held<'_>,
    quantity: i128,
    spent: i128,
) {
    bill.roundings += 1;
    if quantity > 0 {
        let cost = |left: i128| (held.whole - left) * (held.cost / FINE) / held.whole * FINE;
        let part = cost(held.left - spent) - cost(held.left);
        let row = bill.covered.entry((origin, hour, held.row)).or_default();
        row[0] += quantity;
        row[1] += part;
        held.left -= spent;
    }
}

/// Share of the list price that is paid under the plan, as a fraction, and the price.
fn terms_of(world: &World, deal: &Commitment, one: &Use) -> Option<([i128; 2], i128)> {
    // Plans see a machine in its parts.
    let part = world.parts[one.product];
    let machine = part.map_or(one.product, |(part, _)| one.product - 1 - part);
    let product = &world.products[machine];
    let Benefit::Spending { rates, .. } = &deal.benefit else { return None };
    let rate = rates.iter().find(|rate| matches(&rate.matching, product))?;
    let (share, price) = match rate.price {
        PlanPrice::Fixed(price) => {
            let price = part.map_or(price, |(part, made)| made.prices_of(price)[part]);
            let (hour, price) = (hour_of(one.from), i128::from(price.picos()));
            let price = dollars(world, deal.currency, hour, price);
            ([price, one.list], price)
        }
        PlanPrice::Share(millionths) => {
            let share = i128::from(millionths);
            ([share, 1_000_000], (one.list * share + 500_000) / 1_000_000)
        }
    };
    // A negotiated price that is lower is paid, and uses the commitment up.
    let (share, price) = if one.contracted < price {
        ([one.contracted, one.list], one.contracted)
    } else {
        (share, price)
    };
    let nothing_saved = share[0] >= share[1];
    Some((if nothing_saved { [1, 1] } else { share }, price))
}

fn plans(
    world: &World,
    hour: i64,
    uses: &mut [Use],
    held: &mut [Held<'_>],
    kind: impl Fn(&Held<'_>) -> bool,
    who: Who,
    bill: &mut SlowBill,
) {
    let mut done = Vec::new();
    let alive: Vec<bool> = held.iter().map(|held| held.left > 0).collect();
    loop {
        // Of all that may be covered: what saves the largest share; then the lowest price;
        // then the product and the plan that were named first, and the line that came first.
        // Plans of the same prices for the same accounts are as one.
        let first_like = |number: usize| {
            let whom = |held: &Held<'_>| match who {
                Who::Owner => held.deal.owner,
                Who::Organisation | Who::First => held.deal.scope,
            };
            let rates = |held: &Held<'_>| match &held.deal.benefit {
                Benefit::Spending { rates, .. } => rates.clone(),
                Benefit::Reserved { .. } => Vec::new(),
            };
            let of = |held: &Held<'_>| (whom(held), rates(held), held.deal.currency);
            let mut all = held.iter().zip(&alive);
            all.position(|(other, alive)| *alive && kind(other) && of(other) == of(&held[number]))
        };
        let mut best: Option<([i128; 2], i128, usize, usize)> = None;
        for (index, one) in uses.iter().enumerate() {
            for (which, held) in held.iter().enumerate() {
                // What is free needs no cover.
                if one.contracted == 0
                    || !kind(held)
                    || !has_turn(world, who, held.deal, one)
                    || done.contains(&(index, which))
                {
                    continue;
                }
                let Some((share, price)) = terms_of(world, held.deal, one) else { continue };
                let better = match best {
                    None => true,
                    Some((of, at, row, number)) => {
                        let before = (uses[row].product, first_like(number), row, number);
                        let this = (one.product, first_like(which), index, which);
                        (share[0] * of[1], price, this) < (of[0] * share[1], at, before)
                    }
                };
                if better {
                    best = Some((share, price, index, which));
                }
            }
        }
        let Some((_, price, row, number)) = best else { return };
        done.push((row, number));
        let (one, held) = (&mut uses[row], &mut held[number]);
        let unit = world.products[one.product].unit;
        let need = cost(one.left, unit, price);
        let (quantity, spent) = if need <= held.left {
            (one.left, need)
        } else {
            let micros = if unit == UsageUnit::Hour { 3_600_000_000 } else { 1_000_000 };
            (held.left * 1_000 * micros / price, held.left)
        };
        one.left -= quantity;
        note(bill, one.origin, hour, held, quantity, spent);
    }
}

/// Quantities of the month that count together, by account at the top.
type MonthlyUse = BTreeMap<(String, UsageUnit, Id<Account>, i64), i128>;

/// The uses of an hour, those of a product that has tiers in parts, each at the price of its step.
fn in_steps(
    world: &World,
    hour: i64,
    uses: Vec<Use>,
    used: &mut MonthlyUse,
    bill: &mut SlowBill,
) -> Vec<Use> {
    let mut parts = Vec::new();
    for one in uses {
        let product = &world.products[one.product];
        let table = world.terms.tiers.rows().iter().find(|table| {
            table.provider == product.provider
                && table.unit == product.unit
                && matches(&table.matching, product)
        });
        let (Some(TierTable { name, unit, steps, currency, .. }), Origin::Line(number)) =
            (table, one.origin)
        else {
            parts.push(one);
            continue;
        };
        let top = *line_of_descent(world, one.account).last().expect("itself");
        let month = i64::from(hour >= MARCH + MONTHS[0]);
        // Tables of one name and unit count together; worlds have those of one provider.
        let before = used.entry((name.clone(), *unit, top, month)).or_default();
        let (mut at, end) = (*before, *before + one.left);
        while at < end {
            // The step that holds at this quantity; beyond the last, the last.
            let step = steps.iter().find(|(up_to, _)| up_to.saturating_mul(FINE) > at);
            let (up_to, price) = match step {
                Some((up_to, price)) => (up_to.saturating_mul(FINE), *price),
                None => (i128::MAX, steps[steps.len() - 1].1),
            };
            let until = end.min(up_to);
            let price = dollars(world, *currency, hour, i128::from(price.picos()));
            let list = match world.lines[number as usize].prices {
                LinePrices::PaidOfMonth => one.list,
                LinePrices::Own | LinePrices::OfMonth => price,
            };
            parts.push(Use { left: until - at, list, contracted: price, ..one.clone() });
            bill.roundings += 1;
            at = until;
        }
        *before = end;
    }
    parts
}

/// Charges what nothing covers.
fn charge(world: &World, one: &Use, bill: &mut SlowBill) {
    let amount = cost(one.left, world.products[one.product].unit, one.contracted);
    bill.billed += amount;
    bill.effective += amount;
}

/// What is paid for commitments in the hour.
fn pay(world: &World, hour: i64, bill: &mut SlowBill) {
    for (_, deal) in world.terms.commitments.iter() {
        if start_of(hour) < deal.from || start_of(hour) >= deal.until {
            continue;
        }
        bill.roundings += 1;
        if start_of(hour) == deal.from {
            bill.billed += dollars(world, deal.currency, hour, deal.upfront.nanos()) * FINE;
        }
        bill.billed += dollars(world, deal.currency, hour, deal.hourly.nanos()) * FINE;
        bill.effective += cost_of_hour(world, deal, hour);
    }
}

/// Discounts of a month: of each group of machines that count together, layer by layer.
fn sustained_use(world: &World, month: usize, rest: &[Use], bill: &mut SlowBill) -> i128 {
    let from = MARCH + MONTHS[..month].iter().sum::<i64>();
    let slots = MONTHS[month] * 12;
    // Levels in fine thousandths of units, by group and slot.
    type Group = (usize, Id<Account>, String, Option<Id<Currency>>, [i128; 2]);
    let mut groups: BTreeMap<Group, BTreeMap<i64, i128>> = BTreeMap::new();
    for one in rest {
        let product = &world.products[one.product];
        let discount = world.terms.sustained.rows().iter().position(|discount| {
            discount.provider == product.provider && matches(&discount.matching, product)
        });
        let (Some(discount), UsageUnit::Hour) = (discount, product.unit) else { continue };
        let [begin, end] = [one.from, one.until].map(|at| (at - start_of(from)).micros() / SLOT);
        if begin < 0 || begin >= slots {
            continue;
        }
        bill.roundings += 2;
        let weight = i128::from(product.weight);
        let of = gcd(one.said, weight);
        let price = [one.said / of, weight / of];
        let (family, currency) = (product.family.clone(), currency_of(product));
        let group = groups.entry((discount, one.account, family, currency, price)).or_default();
        for slot in begin..end {
            let micros = i128::from(SLOT) * i128::from(end - begin);
            *group.entry(slot).or_default() += one.left * weight / micros;
        }
    }
    let mut saved = 0;
    for ((discount, _, _, currency, [picos, thousandths]), levels) in groups {
        let mut heights: Vec<i128> = levels.values().copied().collect();
        heights.sort_unstable();
        heights.dedup();
        let mut below = 0;
        for height in heights {
            // How long this layer runs, and what is not paid of each slot of that time.
            let time = levels.values().filter(|level| **level >= height).count() as i128;
            let mut unpaid = 0;
            let mut begin = 0;
            for (share, paid) in &world.terms.sustained.rows()[discount].steps {
                let end = i128::from(slots) * i128::from(*share); // in millionths of a slot
                let within = ((time * 1_000_000).min(end) - begin).max(0);
                unpaid += within * (1_000_000 - i128::from(*paid)) / 1_000_000;
                begin = end;
            }
            // Millionths of slots, times fine thousandths of units, at the price of an hour.
            let amount = (height - below) * unpaid / 12 * picos / thousandths / 1_000_000 / 1_000;
            // The discount is a charge of the month, at what its beginning says.
            saved += dollars(world, currency, from, amount);
            below = height;
        }
    }
    saved
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

/// The same of the biller's charges.
fn told(charges: &[BilledCharge]) -> SlowBill {
    let mut told = SlowBill::default();
    for charge in charges {
        told.billed += charge.billed.nanos() * FINE;
        told.effective += charge.effective.nanos() * FINE;
        if let Purpose::Covered { origin, by, .. } = charge.purpose {
            let row = told.covered.entry((origin, hour_of(charge.from), by.raw())).or_default();
            row[0] += charge.quantity * FINE;
            row[1] += charge.effective.nanos() * FINE;
        }
    }
    told
}

/// Panics where the two bills differ by more than they may.
fn agree(world: &World) {
    let (slow, fast) = (bill(&with_parts(world)), told(&world.bill()));
    let most = slow.roundings * LEVERAGE * FINE;
    // A machine has at most eight GiB, and costs three times as much as a core and as all its memory.
    let smaller = if world.terms.parts.is_empty() { 1 } else { 32 };
    let keys = slow.covered.keys().chain(fast.covered.keys());
    for key in keys {
        let of = |covered: &Covered| covered.get(key).copied().unwrap_or_default();
        let (slow, fast) = (of(&slow.covered), of(&fast.covered));
        // A nano-dollar at the least price of worlds, 0.004 dollars, is 900 microseconds.
        assert!(
            (slow[0] - fast[0]).abs() <= most * 900 * smaller,
            "{key:?} quantity {slow:?} {fast:?}"
        );
        assert!((slow[1] - fast[1]).abs() <= most, "{key:?} cost {slow:?} {fast:?}");
    }
    assert!((slow.billed - fast.billed).abs() <= most, "billed {} {}", slow.billed, fast.billed);
    let effective = (slow.effective - fast.effective).abs();
    assert!(effective <= most, "effective {} {}", slow.effective, fast.effective);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn the_slow_biller_agrees(world in worlds()) {
        agree(&world);
    }
}
