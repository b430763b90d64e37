//! What Google commits by the core and the gibibyte, worked out by hand.

use super::*;
use crate::parts::MachineParts;
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

/// A core of N2 costs 0.031611 and a GiB 0.004237, so n2-standard-8 0.388472 and n2-highmem-8 0.524056.
fn of_n2(mut terms: AccountTerms) -> AccountTerms {
    let prices = ["0.031611", "0.004237"].map(dollars);
    for (name, units) in [("n2-standard-8", [8, 32]), ("n2-highmem-8", [8, 64])] {
        let key = ("gcp".to_owned(), "here".to_owned(), name.to_owned());
        terms.parts.insert(key, MachineParts { units, prices });
    }
    terms
}

const STANDARD: &str = "0.388472";

fn n2(name: &str) -> Product {
    machine("gcp", "n2", name, 8)
}

/// Hours of the parts of a machine behind it, covered and not.
fn of_parts(book: &Book, account: Id<Account>, machine: Id<Product>) -> [[f64; 2]; 2] {
    [1, 2].map(|part| book.hours(account, Id::new(machine.raw() + part)))
}

fn listed(book: &Book) -> Money {
    book.charges.iter().map(|charge| charge.list).sum()
}

#[test]
fn machines_are_taken_apart_where_their_parts_are_committed() {
    // Two n2-standard-8 run for an hour: 16 cores, 0.505776, and 64 GiB, 0.271168. 12 cores are committed at
    // 0.02 and 80 GiB at 0.003. Of the 4 cores left, 0.126444, a flexible commitment of 0.036 dollars at
    // 72 % covers 0.05. 16 GiB are not used.
    let (mut terms, [_, a, ..]) = organisation();
    terms.commitments.push(committed(a, "n2-core", 12, "0.02"));
    terms.commitments.push(committed(a, "n2-memory", 80, "0.003"));
    terms.commitments.push(plan("gcp", a, "0.036", share_of_all(720_000)));
    let mut book = Book::new(of_n2(terms));
    let machine = book.biller.product(n2("n2-standard-8"));
    book.runs(a, machine, STANDARD, HOUR);
    book.runs(a, machine, STANDARD, HOUR);
    book.finish(1);
    assert_eq!(book.billed(), money("0.24") + money("0.24") + money("0.036") + money("0.076444"));
    assert_eq!(listed(&book), money("0.776944"));
    let [cores, memory] = of_parts(&book, a, machine);
    assert!((cores[0] - 12.0 - 0.05 / 0.031611).abs() < 1e-6, "{cores:?}");
    assert!((cores[0] + cores[1] - 16.0).abs() < 1e-9 && memory == [64.0, 0.0], "{memory:?}");
    assert_eq!(book.hours(a, machine), [0.0, 0.0]);
    let unused = book.charges.iter().filter(|charge| matches!(charge.purpose, Purpose::Unused(_)));
    assert_eq!(unused.map(|charge| charge.effective).sum::<Money>(), money("0.048"));
    assert_eq!(book.biller.kept_whole(), []);
}

#[test]
fn a_machine_that_runs_all_month_has_sustained_use_of_what_is_left() {
    // 4 of 8 cores are committed: the others and 32 GiB run for all of March, 94.074336 and 100.874496
    // at .8002 (1, .8678, .733 and .6 of a quarter each).
    let (accounts, [_, a, ..]) = organisation();
    let mut terms = AccountTerms { accounts: accounts.accounts, ..AccountTerms::by(shipped()) };
    terms.commitments.push(committed(a, "n2-core", 4, "0"));
    let mut book = Book::new(of_n2(terms));
    let machine = book.biller.product(n2("n2-standard-8"));
    book.runs(a, machine, STANDARD, [0, MARCH_HOURS * 3_600]);
    book.finish(0);
    let billed = money("75.278283667") + money("80.719771699");
    assert!((book.billed() - billed).nanos().abs() <= 2, "{:?}", book.billed());
    assert_eq!(listed(&book), money("289.023168"));
}

#[test]
fn plans_take_parts_as_they_take_the_machine() {
    // A plan for machines of N2 has half of the price, 0.0735 an hour. A GiB costs less than a core, so the
    // memory comes first, 0.067792, and then of the 4 cores that are left what 0.005708 pay for.
    let (mut terms, [_, a, ..]) = organisation();
    terms.commitments.push(committed(a, "n2-core", 4, "0"));
    let families = Matching { families: Some(vec!["n2".into()]), ..Matching::default() };
    let share = PlanRate { matching: families, price: PlanPrice::Share(500_000) };
    terms.commitments.push(plan("gcp", a, "0.0735", vec![share]));
    let mut book = Book::new(of_n2(terms.clone()));
    let machine = book.biller.product(n2("n2-standard-8"));
    book.runs(a, machine, STANDARD, HOUR);
    book.finish(1);
    let [cores, memory] = of_parts(&book, a, machine);
    assert_eq!(memory, [32.0, 0.0]);
    assert!((cores[0] - 4.0 - 0.005708 * 2.0 / 0.031611).abs() < 1e-6, "{cores:?}");
    // Of one that has a fixed price for the type, 0.194236, half of it, the parts have half of theirs.
    let size = Matching { size: Some("n2-standard-8".into()), ..Matching::default() };
    let fixed = PlanRate { matching: size, price: PlanPrice::Fixed(dollars("0.194236")) };
    terms.commitments.rows_mut()[1] = plan("gcp", a, "0.0735", vec![fixed]);
    let mut other = Book::new(of_n2(terms));
    let machine = other.biller.product(n2("n2-standard-8"));
    other.runs(a, machine, STANDARD, HOUR);
    other.finish(1);
    assert_eq!((other.billed(), of_parts(&other, a, machine)), (book.billed(), [cores, memory]));
}

#[test]
fn what_is_kept_is_taken_apart_too() {
    // Of two n2-standard-8 that are kept one runs. Ten cores are committed: two of the other's, too. 6 cores
    // and 64 GiB are left.
    let (mut terms, [_, a, ..]) = organisation();
    terms.commitments.push(committed(a, "n2-core", 10, "0"));
    let mut book = Book::new(of_n2(terms));
    let machine = book.biller.product(n2("n2-standard-8"));
    let size = Matching { size: Some("n2-standard-8".into()), ..Matching::default() };
    book.biller.reserve(CapacityReservation {
        currency: None,
        name: "kept".into(),
        account: a,
        matching: size,
        product: machine,
        machines: 2,
        from: start_of(START),
        until: start_of(START + 1),
        price: dollars(STANDARD),
        contracted: dollars(STANDARD),
    });
    book.runs(a, machine, STANDARD, HOUR);
    book.finish(1);
    assert_eq!(of_parts(&book, a, machine), [[10.0, 6.0], [0.0, 64.0]]);
    assert_eq!(book.billed(), money("0.189666") + money("0.271168"));
}

#[test]
fn what_is_not_known_stays_whole_and_is_said() {
    let whole = |terms: AccountTerms, name: &str| {
        let mut book = Book::new(terms);
        let a = Id::new(1);
        let machine = book.biller.product(n2(name));
        book.runs(a, machine, STANDARD, HOUR);
        book.finish(1);
        assert_eq!(book.hours(a, machine), [0.0, 1.0], "{name}");
        book.biller.kept_whole().iter().map(|(_, why)| *why).collect::<Vec<_>>()
    };
    let (mut terms, [_, a, ..]) = organisation();
    // Nothing is committed of it, or nothing of what it is.
    assert_eq!(whole(terms.clone(), "n2-standard-8"), []);
    terms.commitments.push(committed(a, "c3-core", 8, "0"));
    assert_eq!(whole(terms.clone(), "n2-standard-8"), []);
    terms.commitments.push(committed(a, "n2-core", 8, "0"));
    assert_eq!(whole(of_n2(terms.clone()), "n2-custom-8-9216"), [KeptWhole::Unknown]);
    // A commitment of whole machines, to none of them here, is for it too.
    let machines = Commitment { provider: "gcp".into(), ..regional(a, a, "n2", 0) };
    terms.commitments.push(machines);
    assert_eq!(whole(terms, "n2-standard-8"), [KeptWhole::Committed]);
}

/// Whatever a machine costs and however long it runs, its parts sum to it.
#[test]
fn parts_sum_to_the_machine() {
    for (picos, micros) in (1..2_000_i64).map(|n| (n * n * 7_919 + n, n * 1_234_567)) {
        let (mut terms, [_, a, ..]) = organisation();
        terms.commitments.push(committed(a, "n2-core", 3, "0.01"));
        terms.commitments.push(plan("gcp", a, "0.000001", share_of_all(900_000)));
        let mut book = Book::new(of_n2(terms));
        let machine = book.biller.product(n2("n2-highmem-8"));
        let (list, from) = (Rate::from_picos(picos), start_of(START));
        let contracted = Rate::from_picos(picos / 10 * 9);
        // Of half of them somebody else has rounded the amount up.
        let own = rate::amount(i128::from(micros), UsageUnit::Hour, list);
        let amount = (picos % 2 == 0).then(|| own + Money::from_nanos(1));
        let line = UsageLine {
            number: 0,
            account: a,
            product: machine,
            from,
            until: start_of(START + 1),
            quantity: i128::from(micros),
            list,
            contracted,
            prices: LinePrices::Own,
            amount,
        };
        book.biller.take(line, &mut |charge| book.charges.push(charge)).expect("in order");
        book.finish(1);
        let of_line =
            book.charges.iter().filter(|one| one.quantity > 0 && one.list_price > Rate::ZERO);
        let sums = of_line.fold([Money::ZERO; 2], |[list, paid], one| {
            assert!(one.list >= Money::ZERO && one.contracted >= Money::ZERO, "{one:?}");
            [list + one.list, paid + one.contracted]
        });
        let paid = rate::amount(i128::from(micros), UsageUnit::Hour, contracted);
        assert_eq!(sums, [amount.unwrap_or(own), paid], "{picos} {micros}");
    }
}
