//! Bills in the columns of FOCUS, held against the specification's own rules.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::*;
use crate::commitment::{Matching, PlanPrice, PlanRate};
use crate::credit::{ServiceCredits, ServiceOutage};
use crate::feed::Feed;
use crate::reservation::CapacityReservation;
use crate::rules::shipped;
use crate::settle::tests::worlds::worlds;
use crate::terms::AccountTerms;
use crate::units::Span;
use crate::usage::{LinePrices, UsageLine};

/// A bill in which every kind of charge occurs: of two months, of two providers.
fn bill(version: FocusVersion) -> (String, Money) {
    let mut terms = AccountTerms::by(shipped());
    let root = terms.accounts.add("organisation", None);
    let account = terms.accounts.add("team", Some(root));
    let march = Time::from_secs(1_773_964_800); // 2026-03-20
    let reserved = Commitment {
        currency: None,
        name: "reserved m5".into(),
        provider: "aws".into(),
        owner: account,
        scope: root,
        from: march,
        until: march + Span::from_secs(8_760 * 3_600),
        benefit: Benefit::Reserved {
            matching: Matching { families: Some(vec!["m5".into()]), ..Matching::default() },
            weight: 6_000,
        },
        bought: march,
        upfront: Money::from_nanos(100_000_000_000),
        hourly: Money::from_nanos(30_000_000),
    };
    let hourly = Money::from_nanos(100_000_000);
    let plan = PlanRate { matching: Matching::default(), price: PlanPrice::Share(700_000) };
    terms.commitments.push(Commitment {
        name: "plan".into(),
        benefit: Benefit::Spending { hourly, rates: vec![plan] },
        upfront: Money::ZERO,
        hourly,
        ..reserved.clone()
    });
    terms.commitments.push(reserved);
    let mut biller = Biller::new(terms);
    let mut product = |provider: &str, service, size: &str, sale, unit| {
        biller.product(Product {
            currency: String::new(),
            provider: provider.into(),
            service,
            region: "here".into(),
            zone: String::new(),
            family: shipped().family_of(provider, size),
            size: if service == Service::Compute { size.into() } else { String::new() },
            system: if service == Service::Compute { "linux".into() } else { String::new() },
            tenancy: "default".into(),
            sale,
            unit,
            weight: shipped().weight_of(provider, size).unwrap_or(1_000),
        })
    };
    let rows = [
        (product("aws", Service::Compute, "m5.large", Sale::OnDemand, UsageUnit::Hour), 0.096, 100),
        (
            product("aws", Service::Compute, "c5.4xlarge", Sale::OnDemand, UsageUnit::Hour),
            0.68,
            7_001,
        ),
        (product("aws", Service::Compute, "c5.large", Sale::Spot, UsageUnit::Hour), 0.0301, 3_601),
        (
            product("gcp", Service::Compute, "n2-standard-4", Sale::OnDemand, UsageUnit::Hour),
            0.19,
            3_000_000,
        ),
        (
            product("aws", Service::Transfer, "internet", Sale::OnDemand, UsageUnit::Gigabyte),
            0.0,
            0,
        ),
        (
            product(
                "aws",
                Service::ObjectStorage,
                "standard",
                Sale::OnDemand,
                UsageUnit::GigabyteMonth,
            ),
            0.023,
            0,
        ),
    ];
    biller.reserve(CapacityReservation {
        currency: None,
        name: "kept".into(),
        account,
        matching: Matching { size: Some("m5.large".into()), ..Matching::default() },
        product: rows[0].0,
        machines: 2,
        from: march,
        until: march + Span::from_secs(5_400),
        price: Rate::from_picos(96_000_000_000),
        contracted: Rate::from_picos(96_000_000_000),
    });
    let (mut feed, mut charges) = (Feed::default(), Vec::new());
    for (number, (product, price, secs)) in rows.into_iter().enumerate() {
        let price = Rate::from_picos((price * 1e12) as i64);
        let quantity = if secs == 0 { 250_000_001 } else { secs * 1_000_000 };
        let usage = UsageLine {
            number: number as u64,
            account,
            product,
            from: march,
            until: march + Span::from_secs(secs as i64),
            quantity,
            list: price,
            contracted: price,
            prices: LinePrices::OfMonth,
            amount: None,
        };
        feed.take(usage, &mut biller, &mut |charge| charges.push(charge)).expect("in order");
    }
    feed.finish(hour_of(march) + 290, &mut biller, &mut |charge| charges.push(charge));
    // A region that was out for an hour gives back a part of it, and of the month.
    let mut credits = ServiceCredits::new(shipped());
    credits.outage(&ServiceOutage {
        provider: "aws".into(),
        service: Service::Compute,
        region: "here".into(),
        zone: None,
        launches_only: false,
        from: march,
        until: march + Span::from_secs(3_600),
    });
    let mut given = Vec::new();
    for charge in &charges {
        credits.take(charge, biller.products(), &mut |credit| given.push(credit));
    }
    credits.finish(biller.products(), &mut |credit| given.push(credit));
    charges.extend(given);
    let kinds: BTreeSet<&str> = charges.iter().map(|charge| charge.purpose.name()).collect();
    let all = [
        "covered",
        "fee",
        "service-credit",
        "sustained-use",
        "unused-commitment",
        "unused-reservation",
        "upfront",
        "usage",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
    let billed = charges.iter().map(|charge| charge.billed).sum();
    (written(&charges, &biller, version), billed)
}

/// Rows of a file, by column.
fn table(text: &str) -> (Vec<String>, Vec<StringRecord>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    (header, reader.records().map(|row| row.expect("a row")).collect())
}

#[test]
fn every_column_of_every_version_has_a_cell() {
    for (version, count) in [(FocusVersion::V1_2, 57), (FocusVersion::V1_3, 65)] {
        for name in version.columns() {
            assert!(CELLS.iter().any(|(known, _)| *known == name), "{name}");
        }
        let (header, rows) = table(&bill(version).0);
        assert_eq!(header.len(), count + OWN.len());
        assert!(!rows.is_empty());
    }
}

#[test]
fn the_sum_of_invoices_is_the_bill() {
    let (text, billed) = bill(FocusVersion::V1_2);
    let (header, rows) = table(&text);
    let at = |name: &str| header.iter().position(|known| known == name).expect(name);
    let (cost, invoice) = (at("BilledCost"), at("InvoiceId"));
    let mut invoices: BTreeMap<String, rust_decimal::Decimal> = BTreeMap::new();
    for row in &rows {
        *invoices.entry(row[invoice].to_owned()).or_default() +=
            row[cost].parse::<rust_decimal::Decimal>().expect("a number");
    }
    let names: Vec<&str> = invoices.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "organisation-aws-2026-03",
            "organisation-aws-2026-04",
            "organisation-gcp-2026-03",
            "organisation-gcp-2026-04"
        ]
    );
    let sum: rust_decimal::Decimal = invoices.values().sum();
    assert_eq!(sum, rust_decimal::Decimal::from_i128_with_scale(billed.nanos(), 9));
}

#[test]
fn decimals_have_no_zeros_behind() {
    assert_eq!(decimal(1, 3), "0.333333333333333");
    assert_eq!(decimal(-5, 10), "-0.5");
    assert_eq!(decimal(2_999_999_999_999_999_999, 1_000_000_000_000_000_000), "3");
    assert_eq!(decimal(0, 7), "0");
}

/// Rules whose check is not what their words say: a condition is turned round (the first, third and
/// fourth), null is not allowed though another rule asks for it (the second), values are allowed that
/// the specification does not have (the last). [`the_words_of_faulty_rules_hold`] checks the words.
const FAULTY: [&str; 5] = [
    "ConsumedQuantity-C-006-C",
    "CommitmentDiscountCategory-C-005-M",
    "CommitmentDiscountStatus-C-003-C",
    "CommitmentDiscountStatus-C-004-C",
    "CommitmentDiscountStatus-C-005-M",
];

#[test]
fn the_words_of_faulty_rules_hold() {
    let (text, _) = bill(FocusVersion::V1_2);
    let (header, rows) = table(&text);
    let at = |name: &str| header.iter().position(|known| known == name).expect(name);
    let names = [
        "ChargeCategory",
        "CommitmentDiscountId",
        "CommitmentDiscountCategory",
        "CommitmentDiscountStatus",
        "ConsumedQuantity",
    ];
    let columns = names.map(at);
    for row in &rows {
        let [charge, id, category, status, consumed] = columns.map(|at| &row[at]);
        assert_eq!(id.is_empty(), category.is_empty(), "{row:?}");
        assert!(["", "Spend", "Usage"].contains(&category), "{category}");
        assert_eq!(!status.is_empty(), !id.is_empty() && charge == "Usage", "{row:?}");
        assert!(["", "Used", "Unused"].contains(&status), "{status}");
        assert_eq!(!consumed.is_empty(), charge == "Usage" && status != "Unused", "{row:?}");
    }
}

/// A rule of the specification.
struct FocusRule {
    requirement: Value,
    condition: Value,
    /// Whether it can be checked and must hold.
    binds: bool,
}

struct Checker<'t> {
    rules: &'t BTreeMap<String, FocusRule>,
    header: &'t [String],
    /// Values of one column, for each value of another.
    values: BTreeMap<[String; 3], BTreeSet<String>>,
}

impl Checker<'_> {
    fn cell<'r>(&self, row: &'r StringRecord, column: &Value) -> &'r str {
        let column = column.as_str().expect("a column");
        let at = self.header.iter().position(|name| name == column).expect(column);
        &row[at]
    }

    /// The rules that the row breaks below that one.
    fn broken(&self, name: &str, row: &StringRecord) -> Vec<String> {
        let rule = &self.rules[name];
        let applies = rule.condition.as_object().is_none_or(serde_json::Map::is_empty)
            || self.requirement(&rule.condition, row).is_empty();
        if !rule.binds || !applies || FAULTY.contains(&name) {
            return Vec::new();
        }
        match self.requirement(&rule.requirement, row) {
            broken if broken.iter().any(String::is_empty) => vec![name.to_owned()],
            broken => broken,
        }
    }

    /// Names of broken rules; an empty name where the check itself fails.
    fn requirement(&self, check: &Value, row: &StringRecord) -> Vec<String> {
        // One rule says `AND` in words of its own: a key, with one check or several.
        match check.get("AND") {
            Some(Value::Array(all)) => {
                return all.iter().flat_map(|item| self.requirement(item, row)).collect();
            }
            Some(one) => return self.requirement(one, row),
            None => {}
        }
        let failed = |holds: bool| if holds { Vec::new() } else { vec![String::new()] };
        // Two conditions call their column by another word.
        let text = || match &check["ColumnName"] {
            Value::Null => self.cell(row, &check["CheckCondition"]),
            column => self.cell(row, column),
        };
        let items = || {
            check["Items"].as_array().expect("items").iter().map(|item| self.requirement(item, row))
        };
        let value = || match &check["Value"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let number = |text: &str| text.parse::<f64>();
        match check["CheckFunction"].as_str().unwrap_or_else(|| panic!("{check}")) {
            "AND" => items().flatten().collect(),
            "OR" => {
                let all: Vec<Vec<String>> = items().collect();
                if all.iter().any(Vec::is_empty) { Vec::new() } else { all.concat() }
            }
            "CheckModelRule" => self.broken(check["ModelRuleId"].as_str().expect("a rule"), row),
            "ColumnPresent" => failed(self.header.iter().any(|name| *name == check["ColumnName"])),
            "CheckValue" => failed(text() == value()),
            "CheckNotValue" => failed(text() != value()),
            "CheckSameValue" => failed(
                self.cell(row, &check["ColumnAName"]) == self.cell(row, &check["ColumnBName"]),
            ),
            "CheckNotSameValue" => failed(
                self.cell(row, &check["ColumnAName"]) != self.cell(row, &check["ColumnBName"]),
            ),
            "TypeString" | "FormatString" | "FormatUnit" => failed(text() == text().trim()),
            "TypeDecimal" | "FormatNumeric" | "CheckDecimalValue" => {
                let plain = |text: &str| text.bytes().all(|byte| b"-.0123456789".contains(&byte));
                failed(text().is_empty() || plain(text()) && number(text()).is_ok())
            }
            "TypeDateTime" | "FormatDateTime" => {
                let is_time = text().len() == 20
                    && text().ends_with('Z')
                    && text().parse::<jiff::Timestamp>().is_ok();
                failed(text().is_empty() || is_time)
            }
            "CheckGreaterOrEqualThanValue" => {
                let least = check["Value"].as_f64().expect("a number");
                failed(text().is_empty() || number(text()).is_ok_and(|found| found >= least))
            }
            "ColumnByColumnEqualsColumnValue" => {
                let cells = ["ColumnAName", "ColumnBName", "ResultColumnName"]
                    .map(|name| self.cell(row, &check[name]));
                let [Ok(price), Ok(quantity), Ok(cost)] = cells.map(number) else {
                    return Vec::new();
                };
                // Costs are whole nano-dollars.
                failed((price * quantity - cost).abs() <= 1e-9 + cost.abs() * 1e-12)
            }
            "CheckDistinctCount" => {
                let names = ["ColumnAName", "ColumnBName"].map(|name| &check[name]);
                let [one, other] = names.map(|name| name.as_str().expect("a column").to_owned());
                let key = self.cell(row, names[0]).to_owned();
                let values = &self.values[&[one, other, key]];
                failed(values.len() as u64 == check["ExpectedCount"].as_u64().expect("a count"))
            }
            "FormatKeyValue" => failed(
                text().is_empty()
                    || serde_json::from_str::<Value>(text()).is_ok_and(|value| value.is_object()),
            ),
            "FormatCurrency" | "CheckNationalCurrency" => {
                failed(["", "USD", "EUR"].contains(&text()))
            }
            other => panic!("the check `{other}` is not known"),
        }
    }
}

/// The rules of the specification, by name.
fn rules() -> BTreeMap<String, FocusRule> {
    let place = "../../../shared/data/money/focus_1.2_rules.csv.gz";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(place);
    let input = windtunnel_core::input::unfold(&path, "rules").expect("it can be read");
    let mut reader = csv::Reader::from_reader(input);
    let mut rules = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("a row");
        let json = |at: usize| serde_json::from_str(&row[at]).expect("JSON");
        let binds = &row[3] == "Static" && !row[4].starts_with("MAY");
        let rule = FocusRule { requirement: json(7), condition: json(8), binds };
        rules.insert(row[0].to_owned(), rule);
    }
    assert!(rules.values().filter(|rule| rule.binds).count() > 350);
    rules
}

/// Rules that rows break, and how many rows.
fn findings(rules: &BTreeMap<String, FocusRule>, text: &str) -> BTreeMap<String, usize> {
    let (header, rows) = table(text);
    let mut values: BTreeMap<[String; 3], BTreeSet<String>> = BTreeMap::new();
    let pairs = [
        ["SkuPriceId", "SkuId"],
        ["ServiceName", "ServiceCategory"],
        ["ServiceName", "ServiceSubcategory"],
    ];
    for row in &rows {
        for [one, other] in pairs {
            let cell = |name: &str| {
                row[header.iter().position(|known| known == name).expect(name)].to_owned()
            };
            let key = [one.to_owned(), other.to_owned(), cell(one)];
            values.entry(key).or_default().insert(cell(other));
        }
    }
    let checker = Checker { rules, header: &header, values };
    let mut found = BTreeMap::new();
    for row in &rows {
        for name in checker.broken("CostAndUsage-D-000-M", row) {
            *found.entry(name).or_insert(0) += 1;
        }
    }
    found
}

/// The charges as a file.
fn written(charges: &[BilledCharge], biller: &Biller, version: FocusVersion) -> String {
    let mut file = FocusCsv::new(Vec::new(), version).expect("memory can be written to");
    for charge in charges {
        file.write(charge, biller).expect("memory can be written to");
    }
    String::from_utf8(file.finish().expect("memory can be written to")).expect("it is text")
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn the_rules_hold_of_random_bills() {
    let (rules, mut runner) = (rules(), TestRunner::deterministic());
    let mut rows = 0;
    for _ in 0..60 {
        let world = worlds().new_tree(&mut runner).expect("a world").current();
        let (mut charges, biller) = world.billed();
        charges.truncate(40);
        rows += charges.len();
        let text = written(&charges, &biller, FocusVersion::V1_2);
        assert_eq!(findings(&rules, &text), BTreeMap::new(), "{text}");
    }
    assert!(rows > 500, "{rows} rows");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn all_static_rules_of_the_specification_hold() {
    let (rules, text) = (rules(), bill(FocusVersion::V1_2).0);
    assert_eq!(findings(&rules, &text), BTreeMap::new());
    // The rules can be broken: a cost that is no number, and a null that may not be.
    let mut broken = text.replacen(",Usage,", ",,", 1);
    broken = broken.replacen(",USD,", ",US,", 1);
    assert!(findings(&rules, &broken).len() >= 2, "{:?}", findings(&rules, &broken));
}
