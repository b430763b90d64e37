//! Bills whose amounts providers publish, or anybody can work out by hand.

use std::io::Cursor;

use super::judge::CheckRow;
use crate::billing::charge::BilledCharge;
use crate::billing::settle::Biller;
use crate::billing::table::UsageTable;
use crate::experiment::bill::bill;
use crate::problem::Problem;
use crate::scenario::BillingTerms;

/// Columns of the rows of usage here, all of one region and of one account.
const COLUMNS: &str =
    "from,until,provider,service,family,type,quantity,price,sale,ended_by,system,region";

/// A bill, and what it comes to.
struct KnownBill {
    name: &'static str,
    /// Where the amount is from.
    source: &'static str,
    /// Rows of usage, under [`COLUMNS`]. One that says no region is of a region without prices of its own.
    usage: Vec<String>,
    terms: String,
    dollars: f64,
}

/// All of them.
///
/// # Errors
/// A sentence on a bill that could not be made, which is a bug.
pub fn rows() -> Result<Vec<CheckRow>, String> {
    let all = [
        starts(),
        reservations(),
        plans(),
        months(),
        regions(),
        quantities(),
        credits(),
        capacity(),
    ];
    all.into_iter().flatten().map(|known| known.row()).collect()
}

impl KnownBill {
    fn row(&self) -> Result<CheckRow, String> {
        let told = |why: String| format!("the bill `{}`: {why}", self.name);
        let terms = BillingTerms::parse(&self.terms, "terms.toml");
        let terms = terms.map_err(|problems| told(problems.to_string()))?;
        let commas = COLUMNS.matches(',').count();
        let row = |row: &String| match row.matches(',').count() == commas {
            true => format!("{row}\n"),
            false => format!("{row},here\n"),
        };
        let rows: String = self.usage.iter().map(row).collect();
        let text = format!("{COLUMNS}\n{rows}");
        let table = UsageTable::read(Box::new(Cursor::new(text.into_bytes())), "usage.csv");
        let table = table.map_err(|problem| told(problem.to_string()))?;
        let keep = &mut |_: &BilledCharge, _: &Biller| Ok::<(), Problem>(());
        let made = bill(table, terms, false, keep, &mut |_| Ok(()));
        let (bill, _) = made.map_err(|problem| told(problem.to_string()))?;
        let (want, got) = (cents(self.dollars), cents(bill.total.billed.dollars()));
        Ok(CheckRow::exact(self.name, "billed, USD", self.source, want, got))
    }
}

/// An amount to the cent. Amounts of many lines are rounded down to a nano-dollar in each.
fn cents(dollars: f64) -> f64 {
    libm::round(dollars * 100.0) / 100.0
}

/// Rows of so many machines from midnight on until then, at a price an hour.
fn machines(provider: &str, kind: &str, until: &str, count: usize, price: &str) -> Vec<String> {
    vec![format!("2026-03-01T00:00:00Z,{until},{provider},,,{kind},,{price},,,"); count]
}

/// Rules of single starts, at 3,600 dollars an hour, which is one a second.
fn starts() -> Vec<KnownBill> {
    let ran = |provider: &str, from: &str, until: &str, rest: &str| {
        format!("2026-03-01T{from}Z,2026-03-01T{until}Z,{provider},,,,,3600,{rest},")
    };
    let known = |name, source, usage, dollars| KnownBill {
        name,
        source,
        usage,
        terms: String::new(),
        dollars,
    };
    let (minute, hour) = ("AWS, per-second billing", "AWS, spot instances that are interrupted");
    let google = "Google Cloud, Spot VMs that are preempted";
    let aws = |until: &str, rest: &str| vec![ran("aws", "00:00:00", until, rest)];
    let gcp = |until: &str| vec![ran("gcp", "00:00:00", until, "spot,provider")];
    let twice =
        vec![ran("aws", "00:00:00", "00:00:30", ","), ran("aws", "00:10:00", "00:10:30", ",")];
    vec![
        known("AWS, 59 s", minute, aws("00:00:59", ","), 60.0),
        known("AWS, 61 s", minute, aws("00:01:01", ","), 61.0),
        known("AWS, two starts of 30 s", minute, twice, 120.0),
        known("AWS spot, taken back after 59:59", hour, aws("00:59:59", "spot,provider"), 0.0),
        known("AWS spot, taken back after 60:01", hour, aws("01:00:01", "spot,provider"), 3_601.0),
        known("AWS spot, given back after 59:59", hour, aws("00:59:59", "spot,"), 3_599.0),
        known("Google spot, taken back after 59 s", google, gcp("00:00:59"), 0.0),
        known("Google spot, taken back after 61 s", google, gcp("00:01:01"), 61.0),
    ]
}

/// A commitment of an account to a provider from March on, with the rest of its keys.
fn commitment(provider: &str, rest: &str) -> String {
    format!(
        "[[commitment]]\nprovider = \"{provider}\"\naccount = \"account\"\nfrom = \"2026-03-01\"\n{rest}\n"
    )
}

/// Reservations, of which each machine costs a cent an hour, beside machines at 0.20 dollars; and a
/// reservation and two plans of Azure, the longer one first.
fn reservations() -> Vec<KnownBill> {
    let aws = "AWS, how reserved instances are applied";
    let known = |name, held: (u32, &str), used: (usize, &str, &str), dollars| KnownBill {
        name,
        source: aws,
        usage: machines("aws", used.1, used.2, used.0, "0.2"),
        terms: account()
            + &commitment(
                "aws",
                &format!("machines = {}\ntype = \"{}\"\nhourly = \"0.01 USD/h\"", held.0, held.1),
            ),
        dollars,
    };
    let (hour, quarter) = ("2026-03-01T01:00:00Z", "2026-03-01T00:15:00Z");
    vec![
        known("4 m4.large reserved, 2 m4.xlarge", (4, "m4.large"), (2, "m4.xlarge", hour), 0.04),
        known("c4.large reserved, c4.xlarge", (1, "c4.large"), (1, "c4.xlarge", hour), 0.11),
        known("one reserved, 4 for an hour", (1, "m4.xlarge"), (4, "m4.xlarge", hour), 0.61),
        known("one reserved, 4 for 15 min", (1, "m4.xlarge"), (4, "m4.xlarge", quarter), 0.01),
        KnownBill {
            name: "Azure, half reserved, then 3 years, then one",
            source: "Azure, how reservations and savings plans are applied; by hand",
            usage: machines("azure", "Standard_D8s_v3", hour, 1, "0.4"),
            terms: account()
                + &commitment(
                    "azure",
                    "machines = 1\ntype = \"Standard_D4s_v3\"\nhourly = \"0 USD/h\"",
                )
                + &commitment("azure", "spend = \"0.03 USD/h\"\ndiscount = \"40 %\"\nyears = 1")
                + &commitment("azure", "spend = \"0.06 USD/h\"\ndiscount = \"50 %\"\nyears = 3"),
            dollars: 0.12,
        },
    ]
}

fn account() -> String {
    "[[account]]\nname = \"account\"\n".to_owned()
}

/// Plans to spend so much an hour.
fn plans() -> Vec<KnownBill> {
    let hour = "2026-03-01T01:00:00Z";
    let serverless = |kind: &str, count: u32, price: &str| {
        format!("2026-03-01T00:00:00Z,{hour},aws,serverless,,{kind},{count},{price},,,")
    };
    let usage = || {
        vec![
            format!("2026-03-01T00:00:00Z,{hour},aws,,,c5.9xlarge,,4,,,"),
            format!("2026-03-01T00:00:00Z,{hour},aws,,,c5.24xlarge,,10,,,windows"),
            serverless("vcpu", 10, "1.5"),
            serverless("gb", 5, "2"),
        ]
    };
    let prices = [
        ("compute", "c5.9xlarge", 2),
        ("compute", "c5.24xlarge", 8),
        ("serverless", "vcpu", 1),
        ("serverless", "gb", 1),
    ];
    let prices = prices.map(|(service, kind, usd)| {
        format!("[[commitment.price]]\nservice = \"{service}\"\ntype = \"{kind}\"\nusd = {usd}\n")
    });
    let aws = |spend: &str| {
        let keys = format!("spend = \"{spend} USD/h\"\nservices = [\"compute\", \"serverless\"]");
        account() + &commitment("aws", &keys) + &prices.concat()
    };
    let google = |name, spend: &str, dollars| KnownBill {
        name,
        source: "Google Cloud, flexible commitments",
        usage: machines("gcp", "n2-standard-4", hour, 1, "50"),
        terms: account()
            + &commitment("gcp", &format!("spend = \"{spend} USD/h\"\ndiscount = \"28 %\"")),
        dollars,
    };
    let source = "AWS, how savings plans are applied";
    vec![
        KnownBill {
            name: "AWS savings plan of 25 USD/h",
            source,
            usage: usage(),
            terms: aws("25"),
            dollars: 25.0,
        },
        KnownBill {
            name: "AWS savings plan of 10 USD/h",
            source: "by hand, from the same prices",
            usage: usage(),
            terms: aws("10"),
            dollars: 30.5,
        },
        google("Google commitment of 36 USD/h", "36", 36.0),
        google("Google commitment of 28.80 USD/h", "28.8", 38.8),
        google("Google commitment of 43.20 USD/h", "43.2", 43.2),
    ]
}

/// What a month takes off: machines at 1 dollar an hour for its 744 hours, and 200 TB of egress.
fn months() -> Vec<KnownBill> {
    let whole = "2026-04-01T00:00:00Z";
    let google = |name, kind: &str, until: &str, dollars| KnownBill {
        name,
        source: "Google Cloud, sustained use",
        usage: machines("gcp", kind, until, 1, "1"),
        terms: String::new(),
        dollars,
    };
    let moved = |parts: i32| KnownBill {
        name: if parts == 1 { "AWS egress, 200 TB at once" } else { "AWS egress, 200 TB in 100" },
        source: "AWS, data transfer to the internet; by hand",
        usage: (0..parts)
            .map(|part| {
                let (day, hour) = (1 + part / 24, part % 24);
                let gigabytes = 200 * 1_024 / parts;
                format!("2026-03-{day:02}T{hour:02}:00:00Z,,aws,transfer,internet,,{gigabytes},,,,")
            })
            .collect(),
        terms: String::new(),
        dollars: 14_122.2,
    };
    vec![
        google("Google N2, the whole month", "n2-standard-4", whole, 744.0 * 0.8002),
        google("Google N2, half of it", "n2-standard-4", "2026-03-16T12:00:00Z", 372.0 * 0.9339),
        google("Google N1, the whole month", "n1-standard-1", whole, 744.0 * 0.7),
        google("Google N1, half of it", "n1-standard-1", "2026-03-16T12:00:00Z", 372.0 * 0.9),
        moved(1),
        moved(100),
    ]
}

/// What leaves regions that have prices of their own.
fn regions() -> Vec<KnownBill> {
    let moved = |region: &str, path: &str, gigabytes: u32| {
        format!("2026-03-01T00:00:00Z,,aws,transfer,{path},,{gigabytes},,,,,{region}")
    };
    let known = |name, usage, dollars| KnownBill {
        name,
        source: "AWS, data transfer; by hand",
        usage,
        terms: String::new(),
        dollars,
    };
    let (brazil, virginia) = ("sa-east-1", "us-east-1");
    vec![
        // 10,140 GB at 0.15 and 10,240 at 0.138.
        known(
            "AWS egress, 20 TB from Sao Paulo",
            vec![moved(brazil, "internet", 20_480)],
            2_934.12,
        ),
        // 6,044 GB at 0.09; then 4,096 at 0.15 and 2,048 at 0.138.
        known(
            "AWS egress, 6 TB from Virginia, 6 TB from Sao Paulo",
            vec![moved(virginia, "internet", 6_144), moved(brazil, "internet", 6_144)],
            1_440.98,
        ),
        known(
            "AWS, 1 TB from Sao Paulo to Virginia",
            vec![moved(brazil, "region/us-east-1", 1_024)],
            141.31,
        ),
    ]
}

/// What is priced by the quantity of a month and does not move.
fn quantities() -> Vec<KnownBill> {
    let used = |service: &str, kind: &str, quantity: u32| {
        vec![format!("2026-03-01T00:00:00Z,,aws,{service},{kind},,{quantity},,,,,here")]
    };
    let known = |name, source, usage, terms: &str, dollars| KnownBill {
        name,
        source,
        usage,
        terms: terms.to_owned(),
        dollars,
    };
    let by_hand = "AWS, its prices; by hand";
    let balancer = "[[tier]]\nprovider = \"aws\"\nservice = \"load-balancer\"\nup_to = [750]\nusd = [0, 0.02]\n";
    vec![
        // 51,200 GB at 0.023, 460,800 at 0.022 and 102,400 at 0.021.
        known(
            "AWS, 600 TB of objects for a month",
            by_hand,
            used("object-storage", "standard", 614_400),
            "",
            13_465.6,
        ),
        known("AWS, an address for a month", by_hand, used("address", "", 744), "", 3.72),
        // 744 hours of each of two, of which the first 750 are free.
        known(
            "two load balancers, 750 h free",
            "by hand",
            [used("load-balancer", "a", 744), used("load-balancer", "b", 744)].concat(),
            balancer,
            738.0 * 0.02,
        ),
    ]
}

/// What is given back for a region that was out for 8 of the 744 hours of March: these hours, and 30 % of what the
/// others cost, as it was there for less than 99 % of the month.
fn credits() -> Vec<KnownBill> {
    let outage = "[[outage]]\nprovider = \"aws\"\nregion = \"here\"\nfrom = \"2026-03-10T00:00:00Z\"\n\
        until = \"2026-03-10T08:00:00Z\"\n";
    vec![KnownBill {
        name: "AWS, a month with 8 hours of outage",
        source: "AWS, Compute Service Level Agreement; by hand",
        usage: machines("aws", "m5.large", "2026-04-01T00:00:00Z", 1, "0.1"),
        terms: outage.to_owned(),
        dollars: 74.4 - 0.8 - 22.08,
    }]
}

/// Capacity that is kept: 20 machines for a day and a quarter of an hour of which 15 run; and a block
/// that was bought before its price rose.
fn capacity() -> Vec<KnownBill> {
    let kept = "[[kept]]\nprovider = \"aws\"\naccount = \"account\"\nregion = \"here\"\ntype = \"m5.large\"\nmachines = 20\n\
        price = \"0.1 USD/h\"\nfrom = \"2026-03-01T00:00:00Z\"\nuntil = \"2026-03-02T00:15:00Z\"\n";
    let block = "[[block]]\nprovider = \"aws\"\naccount = \"account\"\ntype = \"p5e.48xlarge\"\nmachines = 2\n\
        bought = \"2026-01-05\"\nfrom = \"2026-01-15T00:00:00Z\"\nuntil = \"2026-01-15T03:00:00Z\"\n\
        [[block.price]]\nusd = 34.61\n[[block.price]]\nfrom = \"2026-01-10\"\nusd = 39.8\n";
    vec![
        KnownBill {
            name: "AWS, 20 kept and 15 that run, 24.25 h",
            source: "AWS, capacity reservations; by hand",
            usage: machines("aws", "m5.large", "2026-03-02T00:15:00Z", 15, "0.1"),
            terms: account() + kept,
            dollars: 48.5,
        },
        KnownBill {
            name: "AWS Capacity Block, bought before a rise",
            source: "AWS, Capacity Blocks; by hand",
            usage: vec![
                "2026-01-05T00:00:00Z,2026-01-05T00:00:00Z,aws,,,p5e.48xlarge,,,block,,".to_owned(),
                "2026-01-15T00:00:00Z,2026-01-15T03:00:00Z,aws,,,p5e.48xlarge,,,block,,".to_owned(),
            ],
            terms: account() + block,
            dollars: 207.66,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::verify::CheckVerdict;

    #[test]
    fn known_bills_come_to_what_is_known() {
        let mut rows = rows().expect("bills can be made");
        rows.retain(|row| row.verdict != CheckVerdict::Pass);
        assert!(rows.is_empty(), "{rows:#?}");
    }

    #[test]
    fn a_wrong_amount_is_found() {
        let known = KnownBill { dollars: 61.0, ..starts().remove(0) };
        assert!(known.row().expect("a bill").verdict != CheckVerdict::Pass);
    }
}
