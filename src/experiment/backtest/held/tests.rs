use std::ops::Range;

use super::*;
use crate::experiment::backtest::billed::BilledParts;

const COMPUTE: BillGroup = BillGroup::Use("compute");

fn cents(cents: i128) -> Money {
    Money::from_nanos(cents * 10_000_000)
}

/// Lines of a provider and group, from one hour to another, in cents; and the hours that are known.
fn side(lines: &[(&str, BillGroup, Range<i64>, i128)], hours: Range<i64>) -> BilledSide {
    let mut parts = BilledParts::new();
    for (provider, group, period, amount) in lines {
        let period = (start_of(period.start), start_of(period.end));
        let part = BilledPart { provider: (*provider).to_owned(), group: group.clone(), period };
        let sum = parts.entry(part).or_default();
        *sum = (sum.0 + cents(*amount), sum.1 + 1);
    }
    BilledSide { parts, hours }
}

fn held(observed: &BilledSide, simulated: &BilledSide) -> HeldBill {
    HeldBill::of(observed, simulated, &["aws", "dc"]).expect("they have hours in common")
}

type Row<'a> = (&'a str, &'a str, Option<Money>, Option<Money>);

fn rows(held: &HeldBill) -> Vec<Row<'_>> {
    let rows = held.lines.iter();
    rows.map(|line| (&*line.provider, &*line.group, line.observed, line.simulated)).collect()
}

#[test]
fn a_bill_is_itself() {
    let lines = [
        ("aws", COMPUTE, 0..1, 100),
        ("aws", BillGroup::Purchase, 0..1, 50),
        ("aws", BillGroup::Credit, -300..420, -30),
    ];
    let one = side(&lines, 0..2);
    let held = held(&one, &one);
    assert_eq!(held.total(None), [cents(120); 2]);
    assert!(held.lines.iter().all(|line| line.observed == line.simulated), "{held:?}");
    assert_eq!((held.left_out.len(), held.divided, held.stretch), (0, 0, held.bill));
}

/// The bill is known of hours 0 to 4 and the run of 2 to 6. Half of the ten dollars from 1 to 3 count, and nothing
/// of what the run was billed from 5 to 6.
#[test]
fn what_both_have_in_common_is_compared() {
    let bill = side(&[("aws", COMPUTE, 1..3, 1_000), ("aws", COMPUTE, 3..4, 1)], 0..4);
    let run = side(&[("aws", COMPUTE, 2..3, 700), ("aws", COMPUTE, 5..6, 200)], 2..6);
    let held = held(&bill, &run);
    assert_eq!(held.stretch, (start_of(2), start_of(4)));
    assert_eq!(rows(&held), [("aws", "compute", Some(cents(501)), Some(cents(700)))]);
    let [left] = held.left_out.as_slice() else { panic!("{held:?}") };
    assert_eq!((left.why, left.what.as_str()), (UncomparedWhy::Outside, "aws"));
    assert_eq!((left.observed, left.simulated, held.divided), (cents(500), cents(200), 1));
    let later = side(&[("aws", COMPUTE, 4..5, 1)], 4..5);
    assert!(HeldBill::of(&bill, &later, &["aws"]).is_none());
}

/// What is taken off for a month of 720 hours is for the use of which a side knows. Of a bill of 20 hours half of it
/// falls on the first ten; of a run of these ten hours all does.
#[test]
fn a_discount_of_a_month_is_for_the_hours_that_are_known() {
    let discount = [("aws", BillGroup::Credit, 0..720, -300)];
    let held = held(&side(&discount, 0..20), &side(&discount, 0..10));
    assert_eq!(rows(&held), [("aws", "credits", Some(cents(-150)), Some(cents(-300)))]);
    assert_eq!((held.left_out[0].observed, held.divided), (cents(-150), 1));
}

/// The run is known from hour 0 on and the bill from its first line, in hour 2: the discount of the month is for
/// hours 2 to 20 on both. Of a bill that is said to be whole from hour 11 on, half of it counts, as of the run.
#[test]
fn a_discount_lies_over_what_was_used_on_either_side() {
    let lines = [("aws", COMPUTE, 2..20, 1_800), ("aws", BillGroup::Credit, 0..720, -300)];
    let run = side(&lines, 0..20);
    for (known, used, discount) in [(2..20, 1_800, -300), (11..20, 900, -150)] {
        let held = held(&side(&lines, known), &run);
        let both = |amount| Some(cents(amount));
        let want = [
            ("aws", "compute", both(used), both(used)),
            ("aws", "credits", both(discount), both(discount)),
        ];
        assert_eq!(rows(&held), want);
    }
}

#[test]
fn no_amount_is_too_large_to_divide() {
    let amount = 10_i128.pow(27);
    let bill = side(&[("aws", COMPUTE, 0..4, amount)], 0..4);
    let held = held(&bill, &side(&[("aws", COMPUTE, 0..1, 1)], 0..1));
    assert_eq!(held.lines[0].observed, Some(cents(amount / 4)));
}

/// The run is billed by a provider that only its terms have, and the bill has it too.
#[test]
fn a_provider_of_the_terms_counts_on_both_sides() {
    let lines = [("aws", COMPUTE, 0..1, 5), ("azure", BillGroup::Purchase, 0..1, 7)];
    let held = held(&side(&lines, 0..1), &side(&lines, 0..1));
    assert_eq!((held.total(None), held.left_out.len()), ([cents(12); 2], 0));
}

#[test]
fn what_one_side_alone_has_is_told() {
    let tax = BillGroup::Other("Tax".to_owned());
    let bill = side(
        &[
            ("aws", COMPUTE, 0..1, 100),
            ("aws", BillGroup::Purchase, 0..1, 20),
            ("gcp", COMPUTE, 0..1, 7),
            ("aws", tax, 0..1, 19),
        ],
        0..1,
    );
    let run = side(
        &[
            ("aws", COMPUTE, 0..1, 90),
            ("aws", BillGroup::Use("transfer"), 0..1, 5),
            ("dc", COMPUTE, 0..1, 60),
        ],
        0..1,
    );
    let held = held(&bill, &run);
    let want = [
        ("aws", "compute", Some(cents(100)), Some(cents(90))),
        ("aws", "transfer", None, Some(cents(5))),
        ("aws", "purchases", Some(cents(20)), None),
    ];
    assert_eq!(rows(&held), want);
    assert_eq!(
        (held.total(None), held.total(Some("aws"))),
        ([cents(120), cents(95)], held.total(None))
    );
    let left = held.left_out.iter();
    let left: Vec<_> =
        left.map(|left| (left.why, left.what.as_str(), left.observed, left.simulated)).collect();
    let want = [
        (UncomparedWhy::Provider, "dc", Money::ZERO, cents(60)),
        (UncomparedWhy::Provider, "gcp", cents(7), Money::ZERO),
        (UncomparedWhy::NotModelled, "aws Tax", cents(19), Money::ZERO),
    ];
    assert_eq!(left, want);
}

/// A provider of the scenario of which the run rents nothing was billed all the same.
#[test]
fn a_provider_that_the_run_does_not_use_counts() {
    let bill = side(&[("dc", COMPUTE, 0..1, 100)], 0..1);
    let held = held(&bill, &side(&[("aws", COMPUTE, 0..1, 40)], 0..1));
    assert_eq!(rows(&held), [("dc", "compute", Some(cents(100)), None)]);
    assert_eq!(held.left_out[0].what, "aws");
}
