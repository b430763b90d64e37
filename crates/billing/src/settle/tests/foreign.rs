//! Prices in another currency, worked out by hand. A euro is worth 1.08 dollars, and 1.10 from the
//! third hour on.

use super::*;
use crate::currency::{Currency, Exchange};

/// The organisation, and its account that pays in euros.
fn terms() -> (AccountTerms, Id<Account>, Option<Id<Currency>>) {
    let (mut terms, [_, a, ..]) = organisation();
    let worth = |picos| Exchange::from_picos(picos).expect("it is more than nothing");
    let euro = terms.currencies.push(Currency {
        code: "EUR".into(),
        worth: vec![
            (start_of(START), worth(1_080_000_000_000)),
            (start_of(START + 2), worth(1_100_000_000_000)),
        ],
    });
    (terms, a, Some(euro))
}

fn euros(product: Product) -> Product {
    Product { currency: "EUR".into(), ..product }
}

const FOUR: [i64; 2] = [0, 4 * 3_600];

#[test]
fn a_price_is_worth_what_its_hour_says() {
    let (terms, a, _) = terms();
    let mut book = Book::new(terms);
    let m4 = book.biller.product(euros(machine("aws", "m4", "m4.large", 4)));
    let other = book.biller.product(machine("aws", "m4", "m4.large", 4));
    book.runs(a, m4, "0.1", FOUR);
    book.finish(4);
    // 0.10 euros: 2 x 0.108 and 2 x 0.110.
    assert_eq!(book.billed(), money("0.436"));
    let prices: Vec<_> = book.charges.iter().map(|charge| charge.list_price).collect();
    assert_eq!(prices, ["0.108", "0.108", "0.11", "0.11"].map(dollars));
    assert_ne!(m4, other);
}

#[test]
fn a_commitment_is_paid_at_what_the_hour_says_and_before_at_what_the_purchase_did() {
    // A year of one machine: 87.60 euros when 1.08 dollars were paid for one, 94.608 dollars or 0.0108
    // an hour, and 0.05 euros an hour.
    let (mut terms, a, currency) = terms();
    let (upfront, hourly) = (money("87.6"), money("0.05"));
    terms.commitments.push(Commitment { currency, upfront, hourly, ..regional(a, a, "m4", 4) });
    let mut book = Book::new(terms);
    let m4 = book.biller.product(machine("aws", "m4", "m4.large", 4));
    book.runs(a, m4, "0.1", [0, 3 * 3_600 + 1_800]);
    book.finish(4);
    assert_eq!(book.billed(), money("94.608") + money("0.108") + money("0.11"));
    assert_eq!(book.effective(), money("0.0432") + money("0.108") + money("0.11"));
    let unused = book.charges.iter().filter(|charge| matches!(charge.purpose, Purpose::Unused(_)));
    // Half of the last hour: 0.0054 and 0.0275.
    assert_eq!(unused.map(|charge| charge.effective).sum::<Money>(), money("0.0329"));
}

#[test]
fn a_plan_covers_what_its_euros_pay_for() {
    // 1 euro an hour at 0.05 euros for a machine-hour: 20 of the 24 machines, whatever a euro is
    // worth. The other 4 cost 0.10 dollars each.
    let (mut terms, a, currency) = terms();
    let price = PlanPrice::Fixed(dollars("0.05"));
    let rates = vec![PlanRate { matching: Matching::default(), price }];
    terms.commitments.push(Commitment { currency, ..plan("aws", a, "1", rates) });
    let mut book = Book::new(terms);
    let m4 = book.biller.product(machine("aws", "m4", "m4.large", 4));
    (0..24).for_each(|_| book.runs(a, m4, "0.1", HOUR));
    (0..24).for_each(|_| book.runs(a, m4, "0.1", [7_200, 10_800]));
    book.finish(3);
    assert_eq!(book.hours(a, m4), [40.0, 8.0]);
    // Fees of three hours, 1.08 + 1.08 + 1.10, and 8 x 0.10.
    assert_eq!(book.billed(), money("3.26") + money("0.8"));
}

#[test]
fn plans_in_two_currencies_are_not_alike() {
    // Both pay 0.05 of their own for a machine-hour: 0.05 dollars save more than 0.054, so that the plan
    // in dollars is used up first, though it was bought later.
    let (mut terms, a, currency) = terms();
    let price = PlanPrice::Fixed(dollars("0.05"));
    let rates = vec![PlanRate { matching: Matching::default(), price }];
    let euro =
        terms.commitments.push(Commitment { currency, ..plan("aws", a, "1", rates.clone()) });
    let dollar = terms.commitments.push(plan("aws", a, "1", rates));
    let mut book = Book::new(terms);
    let m4 = book.biller.product(machine("aws", "m4", "m4.large", 4));
    (0..25).for_each(|_| book.runs(a, m4, "0.1", HOUR));
    book.finish(1);
    let mut covered = [0, 0];
    for charge in &book.charges {
        if let Purpose::Covered { by, .. } = charge.purpose {
            covered[usize::from(by == dollar)] += charge.quantity / 3_600_000_000;
            assert!([euro, dollar].contains(&by));
        }
    }
    assert_eq!(covered, [5, 20]);
}

#[test]
fn tiers_and_kept_capacity_have_currencies_too() {
    let (mut terms, a, currency) = terms();
    terms.tiers.push(TierTable { currency, ..internet() });
    let mut book = Book::new(terms);
    let m4 = book.biller.product(machine("aws", "m4", "m4.large", 4));
    let path = book.biller.product(Product {
        service: Service::Transfer,
        family: "internet".into(),
        unit: UsageUnit::Gigabyte,
        ..machine("aws", "", "", 0)
    });
    assert_eq!((book.biller.currency_of(path), book.biller.currency_of(m4)), (currency, None));
    let (from, until) = (start_of(START + 1), start_of(START + 3));
    let price = dollars("0.1");
    let kept = CapacityReservation {
        currency,
        from,
        until,
        machines: 1,
        price,
        contracted: price,
        ..kept(a, m4)
    };
    book.biller.reserve(kept);
    // 100 GB are free; then 10 GB at 0.09 euros in the first hour, and 10 in the third.
    for (hour, gigabytes) in [(0, 110), (2, 10)] {
        let at = start_of(START + hour);
        book.uses(a, path, "0", [at, at], gigabytes * 1_000_000);
    }
    book.finish(3);
    let transfers = money("0.972") + money("0.99");
    // A machine that does not run, for an hour at 0.108 and one at 0.11.
    assert_eq!(book.billed(), transfers + money("0.108") + money("0.11"));
}

#[test]
fn machines_of_one_price_in_euros_count_together_for_sustained_use() {
    // A machine for all of March at 0.05 euros: 30 % less, at what a euro is worth as March begins.
    let (mut terms, a, _) = terms();
    terms.sustained.push(SustainedUse {
        name: "sustained use".into(),
        provider: "gcp".into(),
        matching: Matching::default(),
        steps: vec![
            (250_000, 1_000_000),
            (500_000, 800_000),
            (750_000, 600_000),
            (1_000_000, 400_000),
        ],
    });
    let mut book = Book::new(terms);
    let n1 = book.biller.product(euros(machine("gcp", "n1", "n1-standard-1", 1)));
    book.runs(a, n1, "0.05", [0, MARCH_HOURS * 3_600]);
    book.finish(MARCH_HOURS);
    // 2 x 0.054 + 742 x 0.055, less 30 % of 744 x 0.05 x 1.08 = 40.176.
    assert_eq!(book.billed(), money("40.918") - money("12.0528"));
}
