//! Credits worked out by hand.

use super::*;
use crate::account::Accounts;
use crate::rules::shipped;
use crate::usage::{Sale, UsageUnit};

/// 2026-03-01T00:00Z; March has 744 hours.
const MARCH: i64 = 492_312;

fn product(provider: &str, region: &str, zone: &str) -> Product {
    Product {
        currency: String::new(),
        provider: provider.into(),
        service: Service::Compute,
        region: region.into(),
        zone: zone.into(),
        family: "m5".into(),
        size: "m5.large".into(),
        system: "linux".into(),
        tenancy: "default".into(),
        sale: Sale::OnDemand,
        unit: UsageUnit::Hour,
        weight: 4_000,
    }
}

fn at(minutes: i64) -> Time {
    start_of(MARCH) + Span::from_secs(60 * minutes)
}

/// An outage of `aws`, or another, in `here`, from and until so many minutes after the beginning.
fn outage(provider: &str, zone: Option<&str>, [from, until]: [i64; 2]) -> ServiceOutage {
    ServiceOutage {
        provider: provider.into(),
        service: Service::Compute,
        region: "here".into(),
        zone: zone.map(str::to_owned),
        launches_only: false,
        from: at(from),
        until: at(until),
    }
}

/// What is given back to one who runs a product for all of March at a dollar an hour, in dollars: by
/// hours that cost nothing, and for the month.
fn given(product: Product, outages: &[ServiceOutage]) -> [f64; 2] {
    let mut accounts = Accounts::default();
    let account = accounts.add("a", None);
    let mut products = IdVec::default();
    let product = products.push(product);
    let mut credits = ServiceCredits::new(shipped());
    outages.iter().for_each(|outage| credits.outage(outage));
    let mut all = Vec::new();
    for hour in MARCH..MARCH + 744 {
        let dollar = Money::from_nanos(1_000_000_000);
        let charge = BilledCharge {
            purpose: Purpose::Usage { origin: Origin::Line(0), product },
            account,
            from: start_of(hour),
            until: start_of(hour + 1),
            quantity: i128::from(HOUR),
            list_price: Rate::ZERO,
            contracted_price: Rate::ZERO,
            list: dollar,
            contracted: dollar,
            effective: dollar,
            billed: dollar,
        };
        credits.take(&charge, &products, &mut |credit| all.push(credit));
    }
    credits.finish(&products, &mut |credit| all.push(credit));
    let mut given = [0.0; 2];
    for credit in all {
        assert_eq!(credit.purpose, Purpose::Credit(product));
        assert_eq!((credit.billed, credit.account), (credit.effective, account));
        let is_month = credit.from == start_of(MARCH) && credit.until == start_of(MARCH + 744);
        given[usize::from(is_month)] -= credit.billed.dollars();
    }
    given
}

#[test]
fn six_minutes_of_an_hour_are_paid_and_seven_are_not() {
    let aws = || product("aws", "here", "here-a");
    let zone = |minutes| outage("aws", Some("here-a"), minutes);
    assert_eq!(given(aws(), &[zone([10, 16])]), [0.0, 0.0]);
    assert_eq!(given(aws(), &[zone([10, 17])]), [1.0, 0.0]);
    // Five minutes of either hour are no six minutes of one; nor are two times five.
    assert_eq!(given(aws(), &[zone([55, 65])]), [0.0, 0.0]);
    assert_eq!(given(aws(), &[zone([0, 5]), zone([6, 11])]), [0.0, 0.0]);
    // Pieces of one outage are one.
    assert_eq!(given(aws(), &[zone([0, 5]), zone([5, 10])]), [1.0, 0.0]);
    let gcp = product("gcp", "here", "here-a");
    assert_eq!(given(gcp, &[outage("gcp", Some("here-a"), [10, 17])]), [0.0, 0.0]);
}

#[test]
fn credits_follow_the_table_of_the_provider() {
    // Of 744 hours 0.1 % are 44.64 min, 1 % are 446.4 min, 5 % are 2,232 min.
    let gcp = |minutes| {
        let zone = outage("gcp", Some("here-a"), [0, minutes]);
        given(product("gcp", "here", "here-a"), &[zone])[1]
    };
    let of = [44, 45, 446, 447, 2_232, 2_233].map(gcp);
    assert_eq!(of, [0.0, 74.4, 74.4, 186.0, 186.0, 744.0]);
    // AWS: 0.5 % are 223.2 min. Three hours and 44 minutes cost nothing already: 740 are left.
    let aws = |minutes| {
        let zone = outage("aws", Some("here-a"), [0, minutes]);
        given(product("aws", "here", "here-a"), &[zone])
    };
    assert_eq!([aws(223), aws(224)], [[4.0, 0.0], [4.0, 74.0]]);
    assert_eq!(aws(447), [8.0, 220.8]);
}

#[test]
fn a_region_has_a_promise_of_its_own() {
    // 0.01 % are 4.46 min: a tenth for the region. A zone, another zone or region: nothing.
    let here = || product("aws", "here", "here-a");
    assert_eq!(given(here(), &[outage("aws", None, [0, 5])]), [0.0, 74.4]);
    assert_eq!(given(here(), &[outage("aws", Some("here-a"), [0, 5])]), [0.0, 0.0]);
    assert_eq!(given(here(), &[outage("aws", Some("here-b"), [0, 9_000])]), [0.0, 0.0]);
    assert_eq!(given(product("aws", "there", "x"), &[outage("aws", None, [0, 9_000])]), [0.0, 0.0]);
    assert_eq!(given(here(), &[outage("azure", None, [0, 9_000])]), [0.0, 0.0]);
    // The whole region counts for its machines too: 400 min of it and 50 of the zone are more than
    // 1 % of the month for a machine. Either alone is not.
    let both = [outage("gcp", None, [0, 400]), outage("gcp", Some("here-a"), [390, 450])];
    assert_eq!(given(product("gcp", "here", "here-a"), &both), [0.0, 186.0]);
    for one in both {
        assert_eq!(given(product("gcp", "here", "here-a"), &[one]), [0.0, 74.4]);
    }
}

#[test]
fn spot_machines_have_no_promise_of_google_and_azure() {
    let spot = |provider: &str| {
        let product = Product { sale: Sale::Spot, ..product(provider, "here", "here-a") };
        given(product, &[outage(provider, None, [0, 2_233])])
    };
    assert_eq!([spot("gcp"), spot("azure")], [[0.0, 0.0]; 2]);
    assert_eq!(spot("aws"), [38.0, 706.0]);
}

#[test]
fn launches_that_fail_earn_nothing() {
    // AWS, 2025-10-20: no launch for eight hours, and nothing that ran was lost.
    let failed = ServiceOutage { launches_only: true, ..outage("aws", None, [565, 1_056]) };
    assert_eq!(given(product("aws", "here", "here-a"), &[failed]), [0.0, 0.0]);
}
