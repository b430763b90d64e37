//! Bills: of tables of usage, and of runs on the terms of their scenarios.

use std::collections::BTreeSet;
use std::io::Cursor;

use windtunnel::billing::charge::{BilledCharge, Origin, Purpose};
use windtunnel::billing::settle::Biller;
use windtunnel::billing::table::UsageTable;
use windtunnel::experiment::bill::{AccountBill, BillNote, bill};
use windtunnel::experiment::{self, Settings};
use windtunnel::problem::Problem;
use windtunnel::scenario::{BillingTerms, Scenario};
use windtunnel::units::Money;

/// Terms that two accounts of one organisation have.
const TERMS: &str = r#"
[[account]]
name = "organisation"

[[account]]
name = "web"
parent = "organisation"

[[commitment]]
name = "reserved"
provider = "aws"
account = "web"
from = "2026-03-01"
machines = 4
type = "m4.large"
upfront_usd = 8760
hourly = "0.5 USD/h"

[[commitment]]
name = "plan"
provider = "aws"
account = "organisation"
from = "2026-03-01"
spend = "10 USD/h"
services = ["compute", "serverless"]
prepaid = "50 %"

[[commitment.price]]
type = "c5.9xlarge"
usd = 2

[[commitment.price]]
service = "serverless"
type = "gb"
usd = 1

[[negotiated]]
provider = "aws"
service = "object-storage"
discount = "10 %"
"#;

fn billed(usage: &str, terms: &str) -> Result<(AccountBill, Vec<BilledCharge>), String> {
    let terms =
        BillingTerms::parse(terms, "terms.toml").map_err(|problems| problems.to_string())?;
    let input = Box::new(Cursor::new(usage.to_owned().into_bytes()));
    let table = UsageTable::read(input, "usage.csv").map_err(|problem| problem.to_string())?;
    let mut charges = Vec::new();
    let mut keep = |charge: &BilledCharge, _: &Biller| -> Result<(), Problem> {
        charges.push(*charge);
        Ok(())
    };
    let made = bill(table, terms, false, &mut keep, &mut |_| Ok(()));
    let (bill, _) = made.map_err(|problem| problem.to_string())?;
    Ok((bill, charges))
}

fn cents(cents: i128) -> Money {
    Money::from_nanos(cents * 10_000_000)
}

#[test]
fn a_table_is_billed_on_its_terms() {
    // In the hour: reserved capacity for 4 m4.large (16 units) covers two m4.xlarge (16). The plan
    // covers 5 GB at 1 and the c5.9xlarge at 2, 7 of its 10 dollars. Storage is 10 % off.
    let usage = "from,until,account,provider,service,type,quantity,price\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,organisation,aws,compute,m4.xlarge,2,0.2\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,web,aws,compute,c5.9xlarge,,4\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,web,aws,serverless,gb,5,2\n\
        2026-03-01T00:00:00Z,,web,aws,object-storage,,100,0.023\n";
    let (bill, charges) = billed(usage, TERMS).expect("it can be billed");
    // List: 0.40 + 4 + 10 + 2.30. Billed: 4 x 8,760 upfront and 4 x 0.50, half of a year of the
    // plan and half of its hour, storage 2.07.
    assert_eq!(bill.total.list, cents(1_670));
    assert_eq!(bill.total.billed, cents(3_504_000 + 200 + 4_380_000 + 500 + 207));
    // Effective: an hour of each commitment, and storage: 4 + 2 + 10 + 2.07.
    assert_eq!(bill.total.effective, cents(600 + 1_000 + 207));
    let sums: Vec<_> = bill.commitments.values().copied().collect();
    assert_eq!(
        (sums[0].used, sums[0].unused, sums[0].covered),
        (cents(600), Money::ZERO, cents(40))
    );
    assert_eq!((sums[1].used, sums[1].unused), (cents(700), cents(300)));
    assert_eq!(sums[1].covered, cents(1_400));
    let whole: Money = charges.iter().map(|charge| charge.billed).sum();
    assert_eq!(whole, bill.total.billed);
    for sums in [
        bill.services.values().map(|sums| sums.billed).sum::<Money>(),
        bill.accounts.values().map(|sums| sums.billed).sum(),
        bill.months.values().map(|sums| sums.billed).sum(),
    ] {
        assert_eq!(sums, bill.total.billed);
    }
}

#[test]
fn an_export_is_held_against_what_was_billed() {
    let usage = "BilledCost,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,\
        ListUnitPrice,PricingCategory,ProviderName,ServiceCategory\n\
        0.11,Usage,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,1,0.1,Standard,AWS,Compute\n\
        0.02,Tax,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,,,,AWS,Compute\n";
    let (bill, _) = billed(usage, "").expect("it can be billed");
    let rows: Vec<_> = bill.observed.iter().map(|(key, row)| (key.1.as_str(), *row)).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].0, rows[0].1.theirs, rows[0].1.ours), ("Tax", cents(2), Money::ZERO));
    assert_eq!((rows[1].0, rows[1].1.theirs, rows[1].1.ours), ("compute", cents(11), cents(10)));
}

#[test]
fn prices_come_from_the_catalog_where_usage_says_none() {
    let usage = "from,until,provider,region,type\n\
        2026-03-01T00:00:00Z,2026-03-01T02:00:00Z,aws,us-east-1,m5.large\n";
    let (bill, _) = billed(usage, "").expect("it can be billed");
    assert_eq!(bill.total.billed.dollars(), 0.192);
    assert_eq!(bill.notes.len(), 1);
    let usage = usage.replace("m5.large", "m5.unheard");
    let problem = billed(&usage, "").expect_err("it has no price");
    assert!(problem.starts_with("usage.csv:2: no price is known of `m5.unheard`"), "{problem}");
}

#[test]
fn rows_out_of_order_are_refused() {
    let usage = "from,provider,service,quantity,price\n\
        2026-03-01T05:00:00Z,aws,transfer,1,1\n\
        2026-03-01T04:59:00Z,aws,transfer,1,1\n";
    let problem = billed(usage, "").expect_err("it is out of order");
    assert!(problem.contains("usage.csv:3") && problem.contains("--sort"), "{problem}");
}

#[test]
fn a_block_is_paid_at_the_price_of_its_day() {
    // Bought on 5 January at 34.61, although it costs 39.80 when it begins: 2 machines for 3 hours.
    let terms = "[[account]]\nname = \"a\"\n\n\
        [[block]]\nprovider = \"aws\"\naccount = \"a\"\ntype = \"p5e.48xlarge\"\nmachines = 2\n\
        bought = \"2026-01-05\"\nfrom = \"2026-01-15T00:00:00Z\"\nuntil = \"2026-01-15T03:00:00Z\"\n\
        [[block.price]]\nusd = 34.61\n\
        [[block.price]]\nfrom = \"2026-01-10\"\nusd = 39.8\n";
    let usage = "from,until,account,provider,type,sale\n\
        2026-01-05T00:00:00Z,2026-01-05T00:00:00Z,a,aws,p5e.48xlarge,block\n\
        2026-01-15T00:00:00Z,2026-01-15T03:00:00Z,a,aws,p5e.48xlarge,block\n";
    let (bill, _) = billed(usage, terms).expect("it can be billed");
    let sums = bill.commitments.values().next().expect("there is one");
    assert_eq!((sums.paid, sums.used, sums.unused), (cents(20_766), cents(10_383), cents(10_383)));
    // All machines are of one service: what is paid for them is that, and the use that is not covered.
    let (_, of_service) = bill.services.iter().next().expect("there is one");
    assert_eq!((of_service.covered, of_service.unused), (sums.used, sums.unused));
}

#[test]
fn reservations_follow_the_sizes_of_their_provider() {
    // Four D2s_v5 are a D8s_v5; the size of m5.metal is 48 times that of m5.large; and a type
    // without a size is not covered.
    let account = "[[account]]\nname = \"account\"\n";
    let held = |provider: &str, size: &str, machines: u32| {
        format!(
            "{account}[[commitment]]\nprovider = \"{provider}\"\naccount = \"account\"\n\
             from = \"2026-03-01\"\nmachines = {machines}\ntype = \"{size}\"\nhourly = \"0.01 USD/h\"\n"
        )
    };
    let billed = |provider: &str, size: &str, terms: &str| {
        let usage = format!(
            "from,until,provider,type,price\r\n\
             2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,{provider},{size},4.8\r\n"
        );
        let (bill, charges) = billed(&usage, terms).expect("it can be billed");
        let line = windtunnel::billing::charge::Origin::Line(2);
        assert!(charges.iter().any(|charge| charge.purpose.origin() == Some(line)));
        bill.total.billed
    };
    assert_eq!(billed("azure", "Standard_D8s_v5", &held("azure", "D2s_v5", 4)), cents(4));
    assert_eq!(billed("aws", "m5.metal", &held("aws", "m5.large", 1)), cents(471));
    assert_eq!(billed("aws", "m5.odd", &held("aws", "m5.large", 1)), cents(481));
}

#[test]
fn prices_of_usage_come_before_tiers_and_discounts_hold_for_both() {
    let terms = "[[negotiated]]\nprovider = \"aws\"\ndiscount = \"10 %\"\n";
    let usage = |price: &str| {
        format!(
            "from,provider,service,family,quantity,price\n\
             2026-03-01T00:00:00Z,aws,transfer,internet,110,{price}\n"
        )
    };
    // 110 GB of which 100 are free: 0.90 by the list, 0.81 negotiated; or 0.50 each, 0.45.
    assert_eq!(billed(&usage(""), terms).expect("a bill").0.total.billed, cents(81));
    assert_eq!(billed(&usage("0.5"), terms).expect("a bill").0.total.billed, cents(4_950));
    // A discount of a provider without usage is told.
    let notes = |terms: &str| billed(&usage(""), terms).expect("a bill").0.notes;
    assert!(!notes(terms).contains(&BillNote::NoUsage("aws".to_owned())));
    let of_another = terms.replace("aws", "AWS");
    assert!(notes(&of_another).contains(&BillNote::NoUsage("AWS".to_owned())));
    // So is one for a region without any, and a commitment that covers nothing.
    let idle = |notes: BTreeSet<BillNote>| {
        notes
            .into_iter()
            .any(|note| matches!(note, BillNote::IdleDiscount { .. } | BillNote::CoversNothing(_)))
    };
    assert!(!idle(notes(terms)) && !idle(notes(&format!("{terms}service = \"transfer\"\n"))));
    let of = "transfer mars".to_owned();
    let elsewhere = format!("{terms}service = \"transfer\"\nregion = \"mars\"\n");
    let provider = "aws".to_owned();
    assert!(notes(&elsewhere).contains(&BillNote::IdleDiscount { provider, of }));
    let plan = |service: &str| {
        format!(
            "[[account]]\nname = \"a\"\n[[commitment]]\nname = \"plan\"\nprovider = \"aws\"\naccount = \"a\"\n\
             from = \"2026-03-01\"\nspend = \"1 USD/h\"\ndiscount = \"9 %\"\nservices = [\"{service}\"]\n"
        )
    };
    assert!(notes(&plan("serverless")).contains(&BillNote::CoversNothing("plan".to_owned())));
    assert!(!idle(notes(&plan("transfer"))));
}

#[test]
fn a_price_of_a_plan_is_for_its_system_and_for_services_of_the_plan() {
    let terms = |more: &str| {
        format!(
            "[[account]]\nname = \"a\"\n[[commitment]]\nprovider = \"aws\"\naccount = \"a\"\n\
             from = \"2026-03-01\"\nspend = \"5 USD/h\"\ndiscount = \"20 %\"\n{more}"
        )
    };
    let effective = |terms: &str| {
        let usage = "from,until,account,provider,type,system,price\n\
            2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,a,aws,m5.4xlarge,linux,0.768\n";
        let (_, charges) = billed(usage, terms).expect("it can be billed");
        let line = |charge: &&BilledCharge| charge.purpose.origin() == Some(Origin::Line(2));
        charges.iter().filter(line).map(|charge| charge.effective).sum::<Money>()
    };
    // A price of windows is none of linux, which has the discount.
    let windows = "[[commitment.price]]\nfamily = \"m5\"\nsystem = \"windows\"\nusd = 0.29\n";
    assert_eq!(effective(&terms(windows)), Money::from_nanos(614_400_000));
    assert_eq!(effective(&terms(&windows.replace("windows", "linux"))), cents(29));
    let service = "[[commitment.price]]\nservice = \"transfer\"\nusd = 0.05\n";
    let told = BillingTerms::parse(&terms(service), "t.toml").expect_err("it holds for machines");
    assert!(
        told.to_string().contains("t.toml:10:11: the plan does not hold for `transfer`"),
        "{told}"
    );
    // A price is for no more than its plan: elsewhere the hour costs what it did.
    let bare = "[[commitment.price]]\nusd = 0.29\n";
    for narrow in ["region = \"us-west-2\"", "families = [\"c5\"]", "system = \"windows\""] {
        let terms = terms("").replace("discount = \"20 %\"", narrow);
        assert_eq!(effective(&format!("{terms}{bare}")), Money::from_nanos(768_000_000));
    }
    assert_eq!(effective(&terms(bare)), cents(29));
    let told = |more: &str| {
        BillingTerms::parse(&terms(more), "t.toml").expect_err("it is refused").to_string()
    };
    let outside = told("families = [\"m5\"]\n[[commitment.price]]\nfamily = \"c5\"\nusd = 1\n");
    assert!(outside.contains("t.toml:11:10: the plan does not hold for `c5`"), "{outside}");
    let both = format!("services = [\"compute\", \"transfer\"]\n{service}");
    assert!(BillingTerms::parse(&terms(&both), "t.toml").is_ok());
}

/// Cores that usage names are of the family of their machines for plans and discounts: four at 0.03, at
/// 28 % off or 10 % off, like the machines that are taken apart.
#[test]
fn prices_of_a_family_are_for_its_cores_too() {
    let usage = "from,until,account,provider,region,type,quantity,price\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,a,gcp,us-central1,n2-core,4,0.03\n";
    let plan = "[[account]]\nname = \"a\"\n[[commitment]]\nprovider = \"gcp\"\naccount = \"a\"\n\
        from = \"2026-03-01\"\nspend = \"0.0864 USD/h\"\ndiscount = \"28 %\"\nfamilies = [\"n2\"]\n";
    let by_name = plan.replace("\"n2\"", "\"n2-core\"");
    for terms in [plan, &by_name] {
        let (bill, _) = billed(usage, terms).expect("it can be billed");
        assert_eq!((bill.total.covered, bill.total.billed), (micros(86_400), micros(86_400)));
        assert_eq!(bill.total.list, cents(12));
    }
    let less = "[[negotiated]]\nprovider = \"gcp\"\nfamily = \"n2\"\ndiscount = \"10 %\"\n";
    assert_eq!(billed(usage, less).expect("a bill").0.total.billed, micros(108_000));
}

#[test]
fn capacity_that_is_kept_costs_its_negotiated_price() {
    let terms = "[[account]]\nname = \"account\"\n[[negotiated]]\nprovider = \"aws\"\ndiscount = \"50 %\"\n\
        [[kept]]\nprovider = \"aws\"\naccount = \"account\"\nregion = \"us-east-1\"\ntype = \"m5.large\"\n\
        machines = 2\nfrom = \"2026-03-01\"\nuntil = \"2026-03-02\"\n";
    let usage = "from,until,provider,region,type\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,aws,us-east-1,m5.large\n";
    let bill = billed(usage, terms).expect("a bill").0;
    assert_eq!(bill.total.billed.dollars(), 0.096);
}

#[test]
fn terms_that_make_no_sense_are_told() {
    let account = "[[account]]\nname = \"a\"\n";
    let held = "[[commitment]]\nprovider = \"aws\"\naccount = \"a\"\nfrom = \"2026-03-01\"\n";
    for (terms, told) in [
        (format!("{account}{account}"), "terms.toml:4:8: there are two accounts called `a`"),
        (format!("{account}parent = \"b\"\n"), "there is no account called `b`"),
        (format!("{account}{held}"), "a commitment is to `machines` or to `spend`"),
        (held.to_owned(), "there is no account called `a`\n  hint: list it before this"),
        (format!("{account}{held}machines = 2\n"), "`type` is missing"),
        (
            format!("{account}{held}machines = 2\ntype = \"m5.large\"\ndiscount = \"3 %\"\n"),
            "`discount` is of plans",
        ),
        (format!("{account}{held}spend = \"1 USD/h\"\n"), "a plan needs its prices"),
        (
            format!("{account}{held}spend = \"1 USD/h\"\ndiscount = \"3 %\"\nzone = \"x\"\n"),
            "`zone` is of reserved machines",
        ),
        (
            "[[tier]]\nprovider = \"aws\"\npath = \"x\"\nup_to = [1]\nusd = [1]\n".to_owned(),
            "1 bound needs 2 prices, found 1",
        ),
        ("[[commitmnt]]\n".to_owned(), "did you mean `commitment`"),
    ] {
        let problem = billed("from,provider\n", &terms).expect_err(&terms);
        assert!(problem.contains(told), "{terms}\n{problem}");
    }
}

#[test]
fn a_table_of_tiers_for_a_region_comes_before_one_for_all() {
    let row = |region: &str, path: &str| {
        format!("2026-03-01T00:00:00Z,,aws,{region},transfer,{path},GB,10\n")
    };
    let usage = "from,until,provider,region,service,family,unit,quantity\n".to_owned()
        + &row("us-east-1", "internet")
        + &row("us-west-2", "internet");
    let all = "[[tier]]\nprovider = \"aws\"\npath = \"internet\"\nusd = [0.1]\n";
    let one = format!("{}region = \"us-east-1\"\n", all.replace("0.1", "0.2"));
    for terms in [format!("{all}{one}"), format!("{one}{all}")] {
        let (bill, _) = billed(&usage, &terms).expect("it can be billed");
        assert_eq!(bill.total.billed, cents(300), "{terms}");
        assert_eq!(bill.notes.len(), 0, "{:?}", bill.notes);
    }
    let idle = all.replace("internet", "internett");
    let (bill, _) = billed(&usage, &idle).expect("it can be billed");
    let told = BillNote::IdleTier { name: "internett".into(), place: "aws".into() };
    assert_eq!(bill.notes.iter().collect::<Vec<_>>(), [&told]);
}

#[test]
fn a_plan_covers_usage_that_is_priced_by_tiers() {
    // 1,000 GB cost 81 dollars by the shipped tiers. A plan of a tenth less that could pay for all of it
    // takes the bill to 1,000 dollars, and pays 72.90 for the 900 GB that are not free.
    let usage = "from,until,account,provider,region,service,family,unit,quantity\n\
                 2026-03-01T00:00:00Z,,a,aws,us-east-1,transfer,internet,GB,1000\n";
    let terms = "[[account]]\nname = \"a\"\n[[commitment]]\nname = \"plan\"\nprovider = \"aws\"\n\
                 account = \"a\"\nfrom = \"2026-03-01\"\nspend = \"1000 USD/h\"\n\
                 services = [\"transfer\"]\ndiscount = \"10 %\"\n";
    let (bill, _) = billed(usage, terms).expect("it can be billed");
    assert_eq!((bill.total.list, bill.total.billed), (cents(8_100), cents(100_000)));
    let held = bill.commitments.values().next().expect("the plan");
    assert_eq!((held.used, held.unused), (cents(7_290), cents(92_710)));
    assert_eq!(bill.services.len(), 1, "the plan is of the same service: {:?}", bill.services);
}

/// One job of three hours on a rented machine, from half past ten on.
const SCENARIO: &str = r#"
question = "What does a reservation save?"
start = "2026-03-02T10:30:00Z"

[cloud.aws]
regions = ["us-east-1"]
types = ["m5.large"]
markets = ["on-demand"]

boot = "0 s"


[workload]
trace = "jobs.csv"

[policy.only]
provision = "cheapest"

[[account]]
name = "a"

[[commitment]]
provider = "aws"
account = "a"
from = "2026-03-02"
machines = 1
type = "m5.large"
hourly = "0.06 USD/h"
"#;

#[test]
fn a_run_is_billed_on_the_terms_of_its_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib\n0,10800,2,1024\n";
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let scenario = Scenario::parse(SCENARIO, "s.toml", folder.path(), &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let settings = Settings::seeded(1);
    let policy = &scenario.policies[0];
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let run = experiment::run(&scenario, policy, settings, &mut (), &mut go_on);
    let run = run.unwrap_or_else(|failure| panic!("{failure}"));
    let settled = run.bill.as_ref().expect("it has terms");
    let bill = &settled.bill;
    // The machine runs for three hours; the reservation covers all of them, and is paid for from
    // ten o'clock to two: the half hours before and after are not used.
    let sums = bill.commitments.values().next().expect("there is one");
    assert_eq!((sums.paid, sums.used, sums.unused), (cents(24), cents(18), cents(6)));
    assert_eq!((bill.total.billed, bill.total.effective), (cents(24), cents(24)));
    assert_eq!(bill.total.list.dollars(), 0.288);
    // What it costs is what the four hours of the reservation cost, and not what is covered.
    let cost = &run.summary.cost;
    assert_eq!((cost.total, cost.terms), (cents(24), Some(cents(24) - bill.total.list)));
    let parts: Vec<_> = cost.parts.iter().map(|part| (part.kind, part.paid)).collect();
    assert_eq!(parts.iter().map(|(_, paid)| *paid).sum::<Money>(), cost.total);
    for part in [("commitment", cents(24)), ("covered", -bill.total.list)] {
        assert!(parts.contains(&part), "{parts:?}");
    }
    for sums in [&cost.by_provider, &cost.by_region, &cost.by_market, &cost.by_kind] {
        assert_eq!(sums.iter().map(|(_, sum)| *sum).sum::<Money>(), cost.total, "{sums:?}");
    }
    assert_eq!(run.summary.metric("commitments_used"), Some(0.75));
    assert_eq!(run.summary.metric("commitment_coverage"), Some(1.0));
    assert_eq!(run.summary.metric("cost_total"), Some(0.24));
    let rate = run.summary.metric("savings_rate").expect("machines were rented");
    assert!((rate - (1.0 - 0.24 / 0.288)).abs() < 1e-9, "{rate}");
}

#[test]
fn a_run_costs_its_bill_to_the_nano_dollar() {
    // 601 seconds before an hour, that hour, and 601 seconds after it: at 0.096 dollars an hour each of
    // the two parts is 0.016026667 rounded up, and all of it 0.128053333 rounded down.
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib\n0,4802,2,1024\n";
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let text = SCENARIO.replace("T10:30:00Z", "T10:49:59Z").replace("machines = 1", "machines = 0");
    let text =
        text.replace("\"cheapest\"\n", "\"cheapest\"\nrelease = { idle = { after = \"0 s\" } }\n");
    let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let (policy, settings) = (&scenario.policies[0], Settings::seeded(1));
    let run = experiment::run(&scenario, policy, settings, &mut (), &mut go_on);
    let run = run.unwrap_or_else(|failure| panic!("{failure}"));
    let bill = &run.bill.as_ref().expect("it has terms").bill;
    assert_eq!(bill.total.list, Money::from_nanos(128_053_333));
    assert_eq!(run.summary.cost.total, bill.total.effective);
}

/// A machine of four cores, reserved for 0.12 dollars an hour, from half past ten on: for two hours
/// tenant b holds a quarter of it, and in the first tenant a half. Of three reserved hours one is
/// not used, half of it before and half after.
#[test]
fn tenants_share_what_a_commitment_covers_by_what_they_held() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib,tenant\n0,3600,2,1024,a\n0,7200,1,1024,b\n";
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let text = SCENARIO.replace("m5.large", "m5.xlarge").replace("0.06", "0.12");
    let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let run = |scenario: &Scenario| {
        let (policy, settings) = (&scenario.policies[0], Settings::seeded(1));
        let mut go_on = |_| std::ops::ControlFlow::Continue(());
        let run = experiment::run(scenario, policy, settings, &mut (), &mut go_on);
        run.unwrap_or_else(|failure| panic!("{failure}"))
    };
    let settled = run(&scenario);
    let back = settled.chargeback.as_ref().expect("all of it counts");
    assert!(back.is_settled);
    // 12 cents for each of three hours: 6 in the first and the last for half of it.
    assert_eq!((back.total, back.workload()), (cents(36), cents(12)));
    assert_eq!((back.idle, back.overhead(), back.unused), (cents(12), cents(12), cents(12)));
    let parts: Vec<_> = back.tenants();
    for (tenant, parts) in &parts {
        let found = (parts.machines, parts.idle, parts.overhead, parts.total());
        assert_eq!(found, (cents(6), cents(6), cents(6), cents(18)), "{tenant:?}");
    }
    assert_eq!(parts.len(), 2);
    // The same without terms: 0.192 dollars an hour for two hours, of which half are idle.
    let (text, _) = text.split_once("[[account]]").expect("it has terms");
    let scenario = Scenario::parse(text, "s.toml", folder.path(), &[]);
    let listed = run(&scenario.unwrap_or_else(|problems| panic!("{problems}")));
    let back = listed.chargeback.as_ref().expect("all of it counts");
    assert!(!back.is_settled);
    assert_eq!(
        (back.total.dollars(), back.workload().dollars(), back.idle.dollars()),
        (0.384, 0.192, 0.192)
    );
}

/// Functions: of 3.5 million requests of two accounts one million is free, as the accounts are one organisation's, and
/// the others cost 0.20 dollars a million. A million reads of objects cost 40 cents, 100,000 writes 50. What is
/// said to be stored has nothing to do with how often it is read, though both are of one service.
#[test]
fn requests_have_their_prices_and_what_is_free_of_them() {
    let usage = "from,account,provider,service,family,unit,quantity\n\
        2026-03-01T00:00:00Z,a,aws,serverless,,request,500000\n\
        2026-03-02T00:00:00Z,b,aws,serverless,,request,3000000\n\
        2026-03-02T00:00:00Z,b,aws,object-storage,get,request,1000000\n\
        2026-03-02T00:00:00Z,b,aws,object-storage,put,request,100000\n\
        2026-03-02T00:00:00Z,b,aws,object-storage,standard,GB-month,1000\n\
        2026-04-01T00:00:00Z,a,aws,serverless,,request,1000000\n";
    let accounts = "[[account]]\nname = \"o\"\n[[account]]\nname = \"a\"\nparent = \"o\"\n\
        [[account]]\nname = \"b\"\nparent = \"o\"\n";
    let (bill, _) = billed(usage, accounts).expect("it can be billed");
    assert_eq!(bill.total.billed, cents(50 + 40 + 50 + 2_300));
    // Each by itself has a million that is free.
    let (bill, _) = billed(usage, "").expect("it can be billed");
    assert_eq!(bill.total.billed, cents(40 + 40 + 50 + 2_300));
    // Terms say it of one kind of requests, and of what is stored by that name another.
    let kind = "[[tier]]\nprovider = \"aws\"\nservice = \"object-storage\"\nunit = \"request\"\n\
        path = \"get\"\nup_to = [1000000]\nusd = [0, 0.000001]\n";
    let stored = "[[tier]]\nprovider = \"aws\"\nservice = \"object-storage\"\npath = \"get\"\nusd = [0.01]\n";
    let more = format!("{usage}2026-04-01T00:00:00Z,a,aws,object-storage,get,,50\n");
    let (bill, _) = billed(&more, &format!("{kind}{stored}")).expect("it can be billed");
    assert_eq!(bill.total.billed, cents(40 + 50 + 2_300 + 50));
}

/// Eight GPUs for an hour cost 21.96 dollars where the data is, and 10.32 elsewhere. Each GiB that
/// goes there costs 9 cents and 4.3 s of waiting: 100 GiB are worth it, 130 are not.
#[test]
fn data_keeps_work_where_it_is_once_it_costs_more_than_is_saved() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/egress-gravity.toml");
    let shipped = std::fs::read_to_string(shipped).expect("it is shipped");
    let (_, after) = shipped.split_once("[cloud.aws]").expect("it has clouds");
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = "arrival_s,runtime_s,estimate_s,vcpus,memory_mib,gpus\n0,3600,3600,64,524288,8\n";
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    for (gib, provider) in [(100, "lambda"), (130, "aws")] {
        let text = format!(
            "question = \"?\"\nstart = \"2026-03-02\"\n[workload]\ntrace = \"jobs.csv\"\n\
             [workload.data]\nhome = \"aws/us-east-1\"\ninput = \"{gib} GiB\"\n[cloud.aws]{after}"
        );
        let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[]);
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
        let policy = scenario.policies.iter().find(|policy| policy.name == "weigh");
        let policy = policy.expect("it weighs");
        let mut go_on = |_| std::ops::ControlFlow::Continue(());
        let run = experiment::run(&scenario, policy, Settings::seeded(1), &mut (), &mut go_on);
        let run = run.unwrap_or_else(|failure| panic!("{failure}"));
        let machines = run.spending.iter().find(|bought| bought.service == "GPU machines");
        let machines = machines.expect("it ran");
        assert_eq!(machines.provider, provider, "{gib} GiB");
        let moved = run.spending.iter().find(|bought| bought.service == "transfer");
        let paid = moved.map_or(0, |moved| moved.nanos);
        assert_eq!(paid, if provider == "lambda" { gib * 90_000_000 } else { 0 });
    }
}

/// A month of a Google machine that never stops, from the first of March on: quarter by quarter an
/// N2 costs all, 86.78 %, 73.3 % and 60 % of its price, 80.02 % in the mean. Two tenants share it, three quarters to one; so they
/// share what is taken off.
#[test]
fn what_a_month_takes_off_goes_to_those_who_used_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let month = 31 * 86_400;
    let jobs = format!(
        "arrival_s,runtime_s,vcpus,memory_mib,tenant\n0,{month},6,1024,a\n0,{month},2,1024,b\n"
    );
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let text = "question = \"?\"\nstart = \"2026-03-01\"\n[workload]\ntrace = \"jobs.csv\"\n\
                [cloud.gcp]\nregions = [\"us-central1\"]\nzones = [\"us-central1-a\"]\n\
                types = [\"n2-standard-8\"]\nboot = \"0 s\"\n[policy.p]\nprovision = \"cheapest\"\n\
                [[account]]\nname = \"x\"\n";
    let scenario = Scenario::parse(text, "s.toml", folder.path(), &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let (policy, settings) = (&scenario.policies[0], Settings::seeded(1));
    let run = experiment::run(&scenario, policy, settings, &mut (), &mut go_on);
    let run = run.unwrap_or_else(|failure| panic!("{failure}"));
    let back = run.chargeback.as_ref().expect("all of it counts");
    let list = run.bill.as_ref().expect("it has terms").list;
    assert!((back.total.dollars() - 0.8002 * list.dollars()).abs() < 1e-6, "{}", back.total);
    assert_eq!((back.idle, back.overhead()), (Money::ZERO, Money::ZERO));
    let paid: Vec<_> = back.tenants().iter().map(|(_, parts)| parts.machines.dollars()).collect();
    let shares = [0.75, 0.25].map(|share| share * 0.8002 * list.dollars());
    for (paid, share) in paid.iter().zip(shares) {
        assert!((paid - share).abs() < 1e-6, "{paid} and not {share}");
    }
}

/// Machines of one price count together, however long each is used: 480 that run for 50 minutes and so many
/// seconds more as came before them are 431.93 of the 744 hours of March. The second 186 cost 86.78 %, and what is beyond 372 hours 73.3 %.
#[test]
fn sustained_use_in_a_run_does_not_hang_on_rounding() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = (0..480).map(|row| format!("{},{},8,1024\n", row * 3_600, 3_000 + row));
    let jobs = format!("arrival_s,runtime_s,vcpus,memory_mib\n{}", rows.collect::<String>());
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let text = "question = \"?\"\nstart = \"2026-03-01\"\n[workload]\ntrace = \"jobs.csv\"\n\
                [cloud.gcp]\nregions = [\"us-central1\"]\nzones = [\"us-central1-a\"]\n\
                types = [\"n2-standard-8\"]\nboot = \"0 s\"\n[policy.p]\nprovision = \"cheapest\"\n\
                release = \"idle\"\n[[account]]\nname = \"x\"\n";
    let scenario = Scenario::parse(text, "s.toml", folder.path(), &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let (policy, settings) = (&scenario.policies[0], Settings::seeded(1));
    let run = experiment::run(&scenario, policy, settings, &mut (), &mut go_on);
    let run = run.unwrap_or_else(|failure| panic!("{failure}"));
    let hours = f64::from(480 * 3_000 + 480 * 479 / 2) / 3_600.0;
    let offers = scenario.world.offers.rows();
    let price = offers[0].price.first.dollars_per_hour();
    let list = run.bill.as_ref().expect("it has terms").list.dollars();
    assert!((list - hours * price).abs() < 1e-6, "{list}");
    let off = price * (186.0 * (1.0 - 0.8678) + (hours - 372.0) * (1.0 - 0.733));
    let paid = run.chargeback.as_ref().expect("all of it counts").total.dollars();
    assert!((list - paid - off).abs() < 1e-5, "{} and not {off}", list - paid);
}

#[test]
fn outages_are_given_back_in_lines_of_their_own() {
    // A machine for all 744 hours of March at 0.10 dollars, in a zone that is out for 8 of them. These
    // cost nothing: 0.80 back. It was there for 736 / 744 = 98.9 % of the month, less than 99 %: 30 %
    // of what the other 736 hours cost, 73.60, is 22.08. The storage has no promise that is known, and
    // a machine in another zone is out of nothing. Launches that fail break no promise, and an outage
    // of a part of the machines is passed over.
    let usage = "from,until,account,provider,service,region,zone,type,quantity,unit,price\n\
        2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,a,aws,compute,us-east-1,us-east-1a,m5.large,,,0.1\n\
        2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,a,aws,compute,us-east-1,us-east-1b,m5.large,,,0.1\n\
        2026-03-01T00:00:00Z,,a,aws,object-storage,us-east-1,,,100,GB-month,0.02\n\
        2026-04-01T00:00:00Z,2026-04-01T01:00:00Z,a,aws,compute,us-east-1,us-east-1a,m5.large,,,0.1\n";
    let outage = |rest: &str| {
        let place = "provider = \"aws\"\nregion = \"us-east-1\"\nzone = \"us-east-1a\"\n";
        let dates = "from = \"2026-03-10T00:00:00Z\"\nuntil = \"2026-03-10T08:00:00Z\"\n";
        format!("[[outage]]\n{place}{dates}{rest}")
    };
    let credits = |terms: &str| {
        let (bill, charges) = billed(usage, terms).expect("it can be billed");
        let given = charges.iter().filter(|charge| matches!(charge.purpose, Purpose::Credit(_)));
        let given: Vec<_> = given.map(|charge| charge.billed).collect();
        let whole = given.iter().copied().sum::<Money>();
        // 2 x 744 + 1 hours at 0.10, and storage.
        assert_eq!(bill.total.billed, cents(14_890 + 200) + whole);
        (given.len(), whole, bill.notes.len())
    };
    let whole = outage("");
    assert_eq!(credits(&whole), (9, -cents(80 + 2_208), 0));
    assert_eq!(credits(&outage("plane = \"launches\"\n")), (0, Money::ZERO, 0));
    assert_eq!(credits(&outage("share = \"40 %\"\n")), (0, Money::ZERO, 1));
    assert_eq!(credits("[[outage]]\nprovider = \"aws\"\nevery = \"30 d\"\n"), (0, Money::ZERO, 1));
}

#[test]
fn prices_in_another_currency_follow_its_table() {
    // A euro is worth 1.08 dollars, and 1.10 from two o'clock on. A machine at 0.10 euros for four hours,
    // at 0.108 and 0.110 dollars, twice; the table says what was billed in euros as its first hour
    // begins: 0.40 x 1.08. Of a reserved machine 0.05 euros an hour: 2 x 0.054 and 2 x 0.055, which
    // covers the machine in dollars. A tax of one euro. Capacity of its own price: 0.20 euros for one
    // hour, and 10 GB beyond the hundred that are free at 0.08 euros.
    let usage = "from,until,provider,service,family,type,quantity,price,currency,billed\n\
        2026-03-01T00:00:00Z,2026-03-01T04:00:00Z,aws,compute,,c5.large,,0.1,EUR,0.4\n\
        2026-03-01T00:00:00Z,2026-03-01T04:00:00Z,aws,compute,,m5.large,,0.1,,\n\
        2026-03-01T02:00:00Z,,aws,transfer,internet,,110,,,\n";
    let worth = "[[currency]]\ncode = \"EUR\"\nfrom = \"2026-03-01\"\nusd = 1.08\n\
        [[currency]]\ncode = \"EUR\"\nfrom = \"2026-03-01T02:00:00Z\"\nusd = 1.1\n";
    let terms = "[[account]]\nname = \"account\"\n\
        [[commitment]]\nprovider = \"aws\"\naccount = \"account\"\nfrom = \"2026-03-01\"\n\
        machines = 1\ntype = \"m5.large\"\nhourly = \"0.05 USD/h\"\ncurrency = \"EUR\"\n\
        [[kept]]\nprovider = \"aws\"\naccount = \"account\"\nregion = \"us-east-1\"\n\
        type = \"r5.large\"\nmachines = 1\nprice = \"0.2 USD/h\"\ncurrency = \"EUR\"\n\
        from = \"2026-03-01T02:00:00Z\"\nuntil = \"2026-03-01T03:00:00Z\"\n\
        [[tier]]\nprovider = \"aws\"\npath = \"internet\"\nup_to = [100]\nusd = [0, 0.08]\n\
        currency = \"EUR\"\n";
    let (bill, charges) = billed(usage, &format!("{worth}{terms}")).expect("it can be billed");
    let mills = |mills: i128| Money::from_nanos(mills * 1_000_000);
    assert_eq!(bill.total.billed, mills(436 + 218 + 220 + 880));
    assert_eq!(bill.observed.values().map(|row| row.theirs).sum::<Money>(), mills(432));
    assert_eq!(charges.iter().map(|charge| charge.billed).sum::<Money>(), bill.total.billed);
    // What is not known then is told, with its line; and so are rows that make no sense.
    let told =
        billed(usage, &worth.replace("2026-03-01\"", "2026-03-02\"")).expect_err("it is not known");
    assert!(told.contains("usage.csv:2") && told.contains("what `EUR` is worth"), "{told}");
    let told = billed(usage, "").expect_err("it is not known");
    assert!(told.contains("what `EUR` is worth then"), "{told}");
    for (wrong, said) in [
        (worth.replace("EUR", "euro"), "no code of a currency"),
        (worth.replace("T02:00:00Z", ""), "two rows say what it was worth"),
        (terms.to_owned(), "it is not said what `EUR` is worth then"),
    ] {
        let told = billed(usage, &wrong).expect_err("it makes no sense");
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn transfers_have_the_price_of_their_pair_of_regions() {
    // 100 GB from Virginia to Ohio at 0.01, to Ireland at 0.02, and from Google's Belgium to another
    // provider for nothing.
    let usage = "from,provider,service,region,family,quantity\n\
        2026-03-01T00:00:00Z,aws,transfer,us-east-1,region/us-east-2,100\n\
        2026-03-01T00:00:00Z,aws,transfer,us-east-1,region/eu-west-1,100\n\
        2026-03-01T00:00:00Z,gcp,transfer,europe-west1,eu-multicloud,100\n";
    let (bill, _) = billed(usage, "").expect("it can be billed");
    assert_eq!(bill.total.billed, cents(300));
    let told = billed(&usage.replace("gcp", "aws"), "").expect_err("it is asked for");
    assert!(told.contains("usage.csv:4") && told.contains("no price is known"), "{told}");
    // What terms say of a path counts.
    let tier = "[[tier]]\nprovider = \"aws\"\npath = \"eu-multicloud\"\nusd = [0.05]\n";
    let (bill, _) = billed(&usage.replace("gcp", "aws"), tier).expect("it can be billed");
    assert_eq!(bill.total.billed, cents(800));
}

/// Twelve cores of N2 and 80 GiB, in one region of Google.
const PARTS: &str = "[[account]]\nname = \"account\"\n\
    [[commitment]]\nname = \"cores\"\nprovider = \"gcp\"\naccount = \"account\"\nfrom = \"2026-03-01\"\n\
    region = \"us-central1\"\nmachines = 12\ntype = \"n2-core\"\nhourly = \"0.02 USD/h\"\n\
    [[commitment]]\nname = \"memory\"\nprovider = \"gcp\"\naccount = \"account\"\nfrom = \"2026-03-01\"\n\
    region = \"us-central1\"\nmachines = 80\ntype = \"n2-memory\"\nhourly = \"0.003 USD/h\"\n";

fn micros(micros: i128) -> Money {
    Money::from_nanos(micros * 1_000)
}

#[test]
fn machines_of_google_are_covered_by_their_cores_and_memory() {
    // The catalog has n2-standard-8 at 0.388472 and n2-highmem-8 at 0.524056, so that a GiB costs 0.004237
    // and a core 0.031611 there. Two of the first and an hour of the second at a price of its own, a tenth
    // less: 12 of 24 cores are covered and 80 of 128 GiB, of the first rows first. Left are 4 cores and
    // those of the last row, 8 at 0.0284499, with 48 GiB at 0.0038133.
    let usage = "from,until,provider,region,type,price\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,gcp,us-central1,n2-standard-8,\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,gcp,us-central1,n2-standard-8,\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,gcp,us-central1,n2-highmem-8,0.4716504\n";
    let (bill, charges) = billed(usage, PARTS).expect("it can be billed");
    let rest = micros(126_444) + Money::from_nanos(227_599_200 + 183_038_400);
    assert_eq!(bill.total.billed, micros(480_000) + rest);
    assert_eq!(bill.total.list, micros(2 * 388_472) + Money::from_nanos(471_650_400));
    let lines: Vec<Money> = (2..=4)
        .map(|line| {
            let of_line = charges.iter().filter(|charge| match charge.purpose {
                Purpose::Usage { origin, .. } | Purpose::Covered { origin, .. } => {
                    origin == Origin::Line(line)
                }
                _ => false,
            });
            of_line.map(|charge| charge.list).sum()
        })
        .collect();
    assert_eq!(lines, [micros(388_472), micros(388_472), Money::from_nanos(471_650_400)]);
    assert!(!bill.notes.iter().any(|note| matches!(note, BillNote::KeptWhole { .. })));
    // What a custom machine or one of another system is made of is not known, nor what those cost of which
    // the catalog has one shape alone; and with a commitment of whole machines all stay whole. It is said.
    let whole = |kind: &str, system: &str, terms: &str| {
        let usage = format!(
            "from,until,provider,region,type,system,price\n\
             2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,gcp,us-central1,{kind},{system},0.4\n"
        );
        let (bill, _) = billed(&usage, terms).expect("it can be billed");
        let covered = bill.total.covered > Money::ZERO;
        let is_there = terms.contains("n2-standard-2") && !terms.contains("us-central1-b");
        assert_eq!(covered, is_there, "{kind}");
        let said = bill.notes.into_iter().filter_map(|note| match note {
            BillNote::KeptWhole { size, why, .. } => Some(format!("{size}: {why}")),
            _ => None,
        });
        said.collect::<Vec<_>>().join("; ")
    };
    assert!(whole("n2-custom-8-9216", "linux", PARTS).contains("is not known"));
    let n2d = PARTS.replace("n2-", "n2d-");
    assert!(whole("n2d-standard-8", "linux", &n2d).contains("is not known"));
    assert_eq!(whole("n2-standard-8", "windows", PARTS), "");
    let machines = PARTS.replace("\"n2-memory\"", "\"n2-standard-2\"");
    let told = "whole machines of its family are committed";
    assert!(whole("n2-standard-8", "linux", &machines).contains(told));
    // Also where they are of another zone, so that nothing covers it.
    let elsewhere =
        machines.replace("\"n2-standard-2\"", "\"n2-standard-2\"\nzone = \"us-central1-b\"");
    assert!(elsewhere != machines && whole("n2-standard-8", "linux", &elsewhere).contains(told));
}

#[test]
fn machines_of_a_run_are_covered_by_their_cores_and_memory() {
    // Two n2-standard-8 run for an hour. As above 12 cores and 64 GiB are covered, and 4 cores are left:
    // 0.24 + 0.24 + 0.126444. The laws of runs hold: at list prices the bill is what the run costs.
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib\n0,3600,8,1024\n0,3600,8,1024\n";
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let run = |kind: &str| {
        let text = format!(
            "question = \"?\"\nstart = \"2026-03-01\"\n[workload]\ntrace = \"jobs.csv\"\n\
             [cloud.gcp]\nregions = [\"us-central1\"]\ntypes = [\"{kind}\"]\nboot = \"0 s\"\n\
             markets = [\"on-demand\"]\n\
             [policy.p]\npreset = \"cloud-cheapest\"\nrelease = {{ idle = {{ after = \"0 s\" }} }}\n{PARTS}"
        );
        let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[]);
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
        let mut go_on = |_| std::ops::ControlFlow::Continue(());
        let policy = &scenario.policies[0];
        let run = experiment::run(&scenario, policy, Settings::seeded(1), &mut (), &mut go_on);
        let run = run.unwrap_or_else(|failure| panic!("{failure}"));
        let cautions = experiment::Facts::of(&scenario, policy, &run).kept_whole;
        (run.summary.cost.total, run.chargeback.expect("all counts").total, cautions.join("; "))
    };
    let cost = micros(480_000 + 126_444);
    assert_eq!(run("n2-standard-8"), (cost, cost, String::new()));
    // C3 is no N2: nothing is covered, and nothing need be said.
    assert_eq!(run("c3-standard-8").2, "");
}
