//! Tables of usage.

use super::*;
use crate::rules::shipped;

fn rows(text: &str) -> Result<Vec<Row>, Problem> {
    let text = text.to_owned().into_bytes();
    let mut table = UsageTable::read(Box::new(std::io::Cursor::new(text)), "usage.csv")?;
    std::iter::from_fn(|| table.next(shipped()).transpose()).collect()
}

fn only(text: &str) -> UsageRow {
    match rows(text).expect("it can be read").pop().expect("there is one") {
        Row::Usage(row, _) => *row,
        Row::Other(_) => panic!("no usage"),
    }
}

#[test]
fn time_follows_the_rule_of_the_provider() {
    for (cells, secs) in [
        ("aws,linux,on-demand,,2026-03-01T00:00:59Z", 60),
        ("aws,linux,on-demand,,2026-03-01T00:01:01Z", 61),
        ("aws,suse,on-demand,,2026-03-01T01:01:00Z", 7_200),
        ("aws,linux,spot,provider,2026-03-01T00:59:59Z", 0),
        ("aws,linux,spot,provider,2026-03-01T01:00:01Z", 3_601),
        ("aws,linux,spot,customer,2026-03-01T00:59:59Z", 3_599),
        ("gcp,linux,spot,provider,2026-03-01T00:00:59Z", 0),
        ("gcp,linux,spot,provider,2026-03-01T00:01:01Z", 61),
    ] {
        let row = only(&format!(
            "provider,system,sale,ended_by,until,from,type\n{cells},2026-03-01T00:00:00Z,m5.large\n"
        ));
        assert_eq!(row.quantity, secs * 1_000_000, "{cells}");
        assert_eq!(row.product.family, "m5");
    }
}

#[test]
fn quantities_are_exact() {
    let row = only(
        "from,provider,service,family,quantity\n\
         2026-03-01T00:00:00Z,aws,transfer,internet,204800.000001\n",
    );
    assert_eq!((row.quantity, row.product.unit), (204_800_000_001, UsageUnit::Gigabyte));
    assert_eq!(quantity("0.25", UsageUnit::Hour), Some(900_000_000));
    assert_eq!(quantity("0.0000000000000000000001", UsageUnit::Hour), Some(0));
    assert_eq!(quantity("-1", UsageUnit::Hour), None);
}

#[test]
fn exports_in_focus_are_understood() {
    let text = "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,\
                ConsumedUnit,ListUnitPrice,PricingCategory,ProviderName,RegionId,ServiceCategory,\
                SkuPriceDetails,SubAccountId\n\
                0.10,USD,Usage,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,1,Hours,0.1,Standard,AWS,\
                us-east-1,Compute,\"{\"\"InstanceType\"\":\"\"m5.large\"\"}\",42\n\
                1.5,EUR,Tax,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,,,,,AWS,,Other,,42\n";
    let rows = rows(text).expect("it can be read");
    let [Row::Usage(row, billed), Row::Other(tax)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.account.as_str(), row.product.size.as_str()), ("42", "m5.large"));
    assert_eq!((row.product.provider.as_str(), row.product.weight), ("aws", 4_000));
    assert_eq!(*billed, signed_money("0.10"));
    assert_eq!((tax.category.as_str(), tax.billed), ("Tax", signed_money("1.5")));
    assert_eq!((tax.currency.as_str(), tax.from), ("EUR", Some(row.from)));
    assert_eq!(row.product.currency, "");
}

#[test]
fn cost_and_usage_reports_are_understood() {
    let names = [
        "lineItem/LineItemType",
        "lineItem/UsageStartDate",
        "lineItem/UsageEndDate",
        "lineItem/UsageAccountId",
        "lineItem/UsageType",
        "lineItem/UsageAmount",
        "lineItem/UnblendedCost",
        "product/instanceType",
        "product/operatingSystem",
        "product/productFamily",
        "product/region",
        "product/tenancy",
        "pricing/unit",
        "pricing/publicOnDemandRate",
        "lineItem/CurrencyCode",
    ];
    let lines = "Usage,2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,42,USE1-SpotUsage:m5.large,0.5,\
        0.02,m5.large,Linux,Compute Instance,us-east-1,Shared,Hrs,0.0960000000,CNY\n\
        SavingsPlanCoveredUsage,2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,42,\
        USE1-BoxUsage:m5.large,1,0.096,m5.large,Linux,Compute Instance,us-east-1,Shared,Hrs,0.096,USD\n\
        SavingsPlanNegation,2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,42,,,-0.096,,,,,,,,\n\
        Usage,2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,42,Requests,3,0.5,,,Queue,,,,,\n";
    let snake = |name: &str| {
        let letters = name.replace('/', "_");
        let words = letters.chars().flat_map(|letter| {
            let new = letter.is_ascii_uppercase().then_some('_');
            new.into_iter().chain([letter.to_ascii_lowercase()])
        });
        words.collect::<String>().replace("__", "_")
    };
    for header in [names.map(str::to_owned), names.map(snake)] {
        let rows = rows(&format!("{}\n{lines}", header.join(","))).expect("it can be read");
        let [Row::Usage(spot, _), Row::Usage(covered, billed), Row::Other(one), Row::Other(other)] =
            rows.as_slice()
        else {
            panic!("{rows:?}")
        };
        assert_eq!(
            (spot.product.currency.as_str(), covered.product.currency.as_str()),
            ("CNY", "")
        );
        assert_eq!((spot.product.sale, spot.quantity), (Sale::Spot, 1_800_000_000));
        let product = &covered.product;
        assert_eq!((product.sale, product.system.as_str()), (Sale::OnDemand, "linux"));
        assert_eq!((product.tenancy.as_str(), product.weight), ("default", 4_000));
        assert_eq!(covered.list, Rate::parse("0.096"));
        assert_eq!(billed.map(Money::nanos), Some(96_000_000));
        assert_eq!(
            (one.category.as_str(), one.billed.map(Money::nanos)),
            ("SavingsPlanNegation", Some(-96_000_000))
        );
        assert_eq!(other.category, "Queue");
    }
}

#[test]
fn problems_name_their_place() {
    for (text, told) in [
        ("provider\naws\n", "usage.csv:1: the column `from` is missing"),
        (
            "from,provider,colour\n",
            "usage.csv:1: `colour` is no column of usage\n  hint: columns are `from`, ",
        ),
        (
            "from,provider\nyesterday,aws\n",
            "usage.csv:2: `from` is `yesterday`, not an instant such as",
        ),
        ("from,provider\n,aws\n", "usage.csv:2: `from` is empty"),
        (
            "from,until,provider\n2026-03-01T00:00:00Z,2025-03-01T00:00:00Z,aws\n",
            "usage.csv:2: `until` lies before the beginning",
        ),
        (
            "from,until,provider\n2026-03-01T00:00:00Z,2126-03-01T00:00:00Z,aws\n",
            "usage.csv:2: `until` is more than three years later",
        ),
        (
            "from,provider,service\n2026-03-01T00:00:00Z,aws,transfer\n",
            "usage.csv:2: `quantity` is empty",
        ),
        (
            "from,provider,price\n2026-03-01T00:00:00Z,aws,-1\n",
            "usage.csv:2: `price` is `-1`, not a price",
        ),
        (
            "from,provider,service\n2026-03-01T00:00:00Z,aws,cars\n",
            "usage.csv:2: `service` is `cars`, not one of",
        ),
        (
            "from,provider\n2026-03-01T00:00:00Z,aws,more\n",
            "usage.csv:2: has 3 cells, and the header 2",
        ),
    ] {
        let problem = rows(text).expect_err(text).to_string();
        assert!(problem.starts_with(told), "{problem}");
    }
}

fn billed(text: &str) -> Result<Vec<BilledRow>, Problem> {
    let text = text.to_owned().into_bytes();
    let mut table = UsageTable::read(Box::new(std::io::Cursor::new(text)), "bill.csv")?;
    std::iter::from_fn(|| table.next_billed().transpose()).collect()
}

/// Provider, group and cents of each line.
fn groups(text: &str) -> Vec<(String, String, i128)> {
    let rows = billed(text).expect("it can be read").into_iter();
    rows.map(|row| (row.provider, row.group.name().to_owned(), row.billed.nanos() / 10_000_000))
        .collect()
}

/// A bill needs no quantity, unit or price: exports have those of more than is billed here, and corrections are less
/// than nothing.
#[test]
fn bills_need_amounts_alone() {
    let focus = "BilledCost,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,CommitmentDiscountStatus,ConsumedQuantity,\
         ConsumedUnit,ProviderName,ServiceCategory\n\
         1,Usage,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,,-3,Bananas,AWS,Compute\n\
         -2,Usage,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,,1,GB,AWS,Storage\n\
         3,Usage,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,,1,GB,Microsoft,Networking\n\
         4,Usage,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,,1,GB,AWS,Databases\n\
         0,Usage,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,Unused,1,GB,AWS,Compute\n\
         5,Purchase,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,,,,AWS,Compute\n\
         -6,Credit,2026-04-01T00:00:00Z,2026-03-01T00:00:00Z,,,,AWS,Compute\n\
         7,Tax,2026-03-01T01:00:00Z,2026-03-01T00:00:00Z,,,,AWS,Other\n";
    let want = [
        ("aws", "compute", 100),
        ("aws", "storage", -200),
        ("azure", "networking", 300),
        ("aws", "Databases", 400),
        ("aws", "unused commitments", 0),
        ("aws", "purchases", 500),
        ("aws", "credits", -600),
        ("aws", "Tax", 700),
    ];
    let want = want.map(|(provider, group, cents)| (provider.to_owned(), group.to_owned(), cents));
    assert_eq!(groups(focus), want);
}

#[test]
fn reports_of_aws_have_their_own_kinds_of_lines() {
    let header = "lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UnblendedCost,product/productFamily\n";
    for (kind, family, group) in [
        ("Usage", "Compute Instance", "compute"),
        ("DiscountedUsage", "Compute Instance", "compute"),
        ("SavingsPlanCoveredUsage", "Serverless", "serverless"),
        ("SavingsPlanNegation", "", "compute"),
        ("Usage", "Storage", "storage"),
        ("Usage", "Data Transfer", "transfer"),
        ("Usage", "IP Address", "address"),
        ("Usage", "Queue", "Queue"),
        ("RIFee", "Compute Instance", "purchases"),
        ("SavingsPlanRecurringFee", "", "purchases"),
        ("EdpDiscount", "", "credits"),
        ("Refund", "", "Refund"),
    ] {
        let text = format!("{header}{kind},2026-03-01T00:00:00Z,0.5,{family}\n");
        assert_eq!(groups(&text), [("aws".to_owned(), group.to_owned(), 50)], "{kind} {family}");
    }
}

/// Each service of ours has the group of the line that a table has for it.
#[test]
fn services_are_told_apart_as_far_as_the_table_does() {
    for service in crate::usage::Service::ALL {
        let text = format!(
            "from,provider,service,billed\n2026-03-01T00:00:00Z,aws,{},1\n",
            service.name()
        );
        let row = billed(&text).expect("it can be read").pop().expect("a row");
        assert_eq!(row.group, BillGroup::of_service(service, ColumnWords::Own));
    }
    for words in [ColumnWords::Focus, ColumnWords::Report] {
        for (one, other) in
            [(Service::Compute, Service::License), (Service::BlockStorage, Service::ObjectStorage)]
        {
            assert_eq!(BillGroup::of_service(one, words), BillGroup::of_service(other, words));
        }
    }
}

#[test]
fn lines_without_an_amount_are_no_bill() {
    for (text, told) in [
        (
            "from,provider,billed\n2026-03-01T00:00:00Z,aws,1\n2026-03-01T00:00:00Z,aws,\n",
            "bill.csv:3: `billed` is empty\n  hint: a bill has an amount in each line",
        ),
        ("from,provider,billed\n,aws,1\n", "bill.csv:2: `from` is empty"),
        (
            "from,provider,billed\n2026-03-01T00:00:00Z,aws,much\n",
            "bill.csv:2: `billed` is `much`, not an amount",
        ),
    ] {
        let problem = billed(text).expect_err(text).to_string();
        assert!(problem.starts_with(told), "{problem}");
    }
}
