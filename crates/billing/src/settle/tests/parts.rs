//! What Google commits by the core and the gibibyte, worked out by hand.

use super::*;
use crate::rules::shipped;

/// A part of machines of N2, as usage names it.
fn part(name: &str) -> Product {
    let weight = shipped().weight_of("gcp", name).expect("a part");
    let family = shipped().family_of("gcp", name);
    Product { weight, ..machine("gcp", &family, name, 0) }
}

/// So many units of a part of machines, committed in one region for so much an hour and unit.
fn committed(owner: Id<Account>, name: &str, units: u64, hourly: &str) -> Commitment {
    let hourly = Money::from_nanos(money(hourly).nanos() * i128::from(units));
    Commitment { provider: "gcp".into(), hourly, ..regional(owner, owner, name, units) }
}

#[test]
fn cores_and_memory_are_committed_apart() {
    // Two n2-standard-8 run for an hour: 16 cores at 0.03 and 64 GiB at 0.004, 0.48 and 0.256. 12 cores
    // are committed at 0.02, and 80 GiB at 0.003. Left are 4 cores, 0.12 on demand; a flexible commitment
    // of 0.036 dollars at 72 % covers 0.05 of that, the rest costs 0.07. 16 GiB are not used.
    let (mut terms, [_, a, ..]) = organisation();
    terms.commitments.push(committed(a, "n2-core", 12, "0.02"));
    terms.commitments.push(committed(a, "n2-memory", 80, "0.003"));
    terms.commitments.push(plan("gcp", a, "0.036", share_of_all(720_000)));
    let mut book = Book::new(terms);
    let [cores, memory] = ["n2-core", "n2-memory"].map(|name| book.biller.product(part(name)));
    let [from, until] = [start_of(START), start_of(START + 1)];
    for (product, price, units) in [(cores, "0.03", 16), (memory, "0.004", 64)] {
        book.uses(a, product, price, [from, until], units * 3_600_000_000);
    }
    book.finish(1);
    let fees = money("0.24") + money("0.24") + money("0.036");
    assert_eq!(book.billed(), fees + money("0.07"));
    assert_eq!(book.hours(a, memory), [64.0, 0.0]);
    let [covered, rest] = book.hours(a, cores);
    assert!((covered - 12.0 - 0.05 / 0.03).abs() < 1e-6 && (covered + rest - 16.0).abs() < 1e-9);
    let unused = book.charges.iter().filter(|charge| matches!(charge.purpose, Purpose::Unused(_)));
    assert_eq!(unused.map(|charge| charge.effective).sum::<Money>(), money("0.048"));
}

#[test]
fn machines_are_no_parts_and_parts_no_machines() {
    // A commitment to machines of N2 covers no cores that are sold by themselves, and the other way.
    let (mut terms, [_, a, ..]) = organisation();
    let machines = Commitment { provider: "gcp".into(), ..regional(a, a, "n2", 8) };
    terms.commitments.push(machines);
    terms.commitments.push(committed(a, "n2-core", 8, "0"));
    let mut book = Book::new(terms);
    let whole = book.biller.product(machine("gcp", "n2", "n2-standard-8", 8));
    let cores = book.biller.product(part("n2-core"));
    book.runs(a, whole, "0.4", HOUR);
    book.runs(a, whole, "0.4", HOUR);
    book.uses(a, cores, "0.03", [start_of(START), start_of(START + 1)], 10 * 3_600_000_000);
    book.finish(1);
    assert_eq!((book.hours(a, whole), book.hours(a, cores)), ([1.0, 1.0], [8.0, 2.0]));
}

#[test]
fn sustained_use_is_of_cores_and_of_memory() {
    // A core of N2 for half of March, and a GiB for all of it, each at 0.03 dollars: 372 and 744 hours
    // at .9339 and .8002 of that (1, .8678, .733 and .6 of a quarter each).
    let (accounts, [_, a, ..]) = organisation();
    let terms = AccountTerms { accounts: accounts.accounts, ..AccountTerms::by(shipped()) };
    for (name, secs, billed) in [("n2-core", 1_800, "10.422324"), ("n2-memory", 3_600, "17.860464")]
    {
        let mut book = Book::new(terms.clone());
        let part = book.biller.product(part(name));
        book.runs(a, part, "0.03", [0, MARCH_HOURS * secs]);
        book.finish(0);
        assert_eq!(book.billed(), money(billed), "{name}");
    }
}
