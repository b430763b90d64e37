//! What accounts are billed for the transfers of runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::dice::Dice;
use windtunnel::billing::commitment::{hour_of, start_of};
use windtunnel::experiment::{self, RunFailure, RunResult, Settings};
use windtunnel::scenario::Scenario;
use windtunnel::sim::Observer;
use windtunnel::state::{ChargeKind, Record, State};
use windtunnel::units::Money;

/// Work on an owned cluster whose data is with AWS, from the first of March on, `count` jobs of each row.
fn run(jobs: &str, more: &str) -> RunResult {
    run_watched(jobs, more, &mut ())
}

fn run_watched(jobs: &str, more: &str, watch: &mut dyn Observer) -> RunResult {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let text = format!(
        "question = \"?\"\nstart = \"2026-03-01\"\n[workload]\ntrace = \"jobs.csv\"\nunsorted = \"sort\"\n\
         [cloud.aws]\nregions = [\"us-east-1\", \"us-west-2\"]\ntypes = [\"m5.large\"]\n\
         [cluster.dc]\nnodes = 4\nshape = {{ vcpus = 2, memory = \"8 GiB\" }}\n\
         [policy.p]\npreset = \"batch-fcfs\"\n{more}"
    );
    let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let (policy, settings) =
        (&scenario.policies[0], Settings { charges: true, ..Settings::seeded(1) });
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let run: Result<RunResult, RunFailure> =
        experiment::run(&scenario, policy, settings, watch, &mut go_on);
    run.unwrap_or_else(|failure| panic!("{failure}"))
}

fn usd(text: &str) -> Money {
    let nanos: f64 = text.parse::<f64>().expect("a number") * 1e9;
    Money::from_nanos(nanos.round() as i128)
}

/// 200 jobs that read a TiB each over the internet, three of four of tenant a, and one in April that reads 100 GiB.
fn egress(more: &str) -> RunResult {
    let rows =
        (0..200).map(|row| format!("{row},60,{},{}\n", TIB, if row % 4 == 0 { "b" } else { "a" }));
    let april = format!("{},60,{},b\n", 31 * 86_400, 100_u64 << 30);
    let rows: String =
        rows.chain([april]).map(|row| format!("1,1024,aws/us-east-1,{row}")).collect();
    run(&format!("vcpus,memory_mib,home,arrival_s,runtime_s,input_bytes,tenant\n{rows}"), more)
}

const TIB: u64 = 1 << 40;

const ACCOUNT: &str = "[[account]]\nname = \"x\"\n";

/// By the list 204,800 GiB at 9 cents, and 9 dollars in April. Of a month in which 200 TiB leave AWS, 100 GB are
/// free, 10,140 cost 0.09, 40,960 0.085, 102,400 0.07 and 51,200 0.05: 14,122.20 dollars. The 100 GB of
/// April are free. Who moves first has no more of what is free: tenant a has three quarters.
#[test]
fn a_month_of_egress_goes_through_tiers() {
    let run = egress(ACCOUNT);
    let bill = run.bill.as_ref().expect("it has terms");
    assert_eq!((bill.list, bill.bill.total.billed), (usd("18441"), usd("14122.2")));
    let cost = &run.summary.cost;
    assert_eq!((cost.total, cost.terms), (usd("14122.2"), Some(usd("14122.2") - usd("18441"))));
    let kinds = &cost.by_kind;
    let of = |kind: &str| kinds.iter().find(|(name, _)| name == kind).map(|(_, sum)| *sum);
    assert_eq!((of("transfer"), of("tiers")), (Some(usd("18441")), cost.terms));
    for sums in [&cost.by_provider, &cost.by_region, &cost.by_market, &cost.by_kind] {
        assert_eq!(sums.iter().map(|(_, sum)| *sum).sum::<Money>(), cost.total, "{sums:?}");
    }
    let back = run.chargeback.as_ref().expect("all of it counts");
    let parts = back.tenants().into_iter().map(|(name, parts)| (name, parts.transfer));
    let wanted = [(Some("a"), usd("10591.65")), (Some("b"), usd("3530.55"))];
    assert_eq!(parts.collect::<Vec<_>>(), wanted);
    // April is in no month of March: its free gigabytes are its own.
    let april = start_of(hour_of(bill.charges[0].from) + 24 * 30);
    let later: Vec<_> = bill.charges.iter().filter(|charge| charge.from > april).collect();
    assert_eq!(later.iter().map(|charge| charge.billed).sum::<Money>(), Money::ZERO);
    assert_eq!(later.iter().map(|charge| charge.list).sum::<Money>(), usd("9"));
}

/// A link with a price of its own keeps it, unless it says its path: then what the terms say of that holds. Negotiated
/// prices are those of tiers too.
#[test]
fn links_have_their_own_prices_or_those_of_their_path() {
    let billed = |more: &str| {
        let run = egress(more);
        let bill = run.bill.as_ref().expect("it has terms");
        (bill.list, bill.bill.total.billed)
    };
    let link = "[[transfer.link]]\nfrom = \"aws\"\nto = \"dc\"\nusd_per_gib = 0.05\n";
    let list = usd("10245");
    assert_eq!(billed(&format!("{link}{ACCOUNT}")), (list, list));
    let path = format!("{link}path = \"direct\"\n");
    let tier = "[[tier]]\nprovider = \"aws\"\npath = \"direct\"\nusd = [0.02]\n";
    assert_eq!(billed(&format!("{path}{tier}")), (list, usd("4098")));
    let own =
        "[[tier]]\nprovider = \"aws\"\npath = \"internet\"\nup_to = [1000]\nusd = [0, 0.03]\n";
    // 203,800 GB in March; in April it begins anew.
    assert_eq!(billed(own), (usd("18441"), usd("6114")));
    let deal = "[[negotiated]]\nprovider = \"aws\"\nservice = \"transfer\"\ndiscount = \"10 %\"\n";
    assert_eq!(billed(deal), (usd("18441"), usd("12709.98")));
}

/// Without terms nothing moves: data leaves at one flat price.
#[test]
fn without_terms_data_has_one_flat_price() {
    let run = egress("");
    assert_eq!((run.summary.cost.total, run.summary.cost.terms), (usd("18441"), None));
    assert!(run.bill.is_none());
}

/// A TiB that a job in one region of a provider reads from another, by the list at 2 cents a GiB: what is billed is
/// the price of the pair. Where the terms say what all pairs cost, or what one does, or the link has a path
/// of its own, that holds.
#[test]
fn data_between_regions_has_the_price_of_its_pair() {
    let billed = |from: &str, to: &str, more: &str| {
        let rows = format!(
            "vcpus,memory_mib,home,arrival_s,runtime_s,input_bytes,regions\n1,1024,aws/{from},0,60,{TIB},aws/{to}\n"
        );
        let regions = ["us-east-1", "us-west-2", from, to].map(|name| format!("\"{name}\""));
        let mut regions = regions.to_vec();
        regions.sort();
        regions.dedup();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("jobs.csv"), rows).expect("it is written");
        let text = format!(
            "question = \"?\"\nstart = \"2026-03-01\"\n[workload]\ntrace = \"jobs.csv\"\n\
             [cloud.aws]\nregions = [{}]\ntypes = [\"m5.large\"]\n\
             [policy.p]\nprovision = {{ cheapest = {{}} }}\n{more}",
            regions.join(", ")
        );
        let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[]);
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
        let (policy, settings) = (&scenario.policies[0], Settings::seeded(1));
        let mut go_on = |_| std::ops::ControlFlow::Continue(());
        let run = experiment::run(&scenario, policy, settings, &mut (), &mut go_on);
        let run = run.unwrap_or_else(|failure| panic!("{failure}"));
        let cost = run.summary.cost.by_kind.iter();
        let of = cost.filter(|(kind, _)| kind == "transfer" || kind == "tiers");
        of.map(|(_, sum)| *sum).sum::<Money>()
    };
    let usual = |from, to| billed(from, to, ACCOUNT);
    assert_eq!(usual("us-east-1", "us-east-2"), usd("10.24"));
    assert_eq!(usual("us-east-1", "eu-west-1"), usd("20.48"));
    assert_eq!(usual("sa-east-1", "us-east-1"), usd("141.312"));
    assert_eq!(billed("sa-east-1", "us-east-1", ""), usd("20.48"));
    let all = "[[tier]]\nprovider = \"aws\"\npath = \"region\"\nusd = [0.03]\n";
    assert_eq!(billed("sa-east-1", "us-east-1", all), usd("30.72"));
    let elsewhere = format!("{all}region = \"us-east-1\"\n");
    assert_eq!(billed("sa-east-1", "us-east-1", &elsewhere), usd("141.312"));
    let one = all.replace("\"region\"", "\"region/us-east-1\"");
    assert_eq!(billed("sa-east-1", "us-east-1", &format!("{all}{one}")), usd("30.72"));
    assert_eq!(billed("sa-east-1", "us-west-2", &one), usd("141.312"));
    let path = "[[transfer.link]]\nfrom = \"aws\"\nto = \"aws\"\npath = \"region\"\n";
    assert_eq!(billed("sa-east-1", "us-east-1", &format!("{ACCOUNT}{path}")), usd("20.48"));
}

/// A job of 20 hours on a machine at 0.096 dollars an hour, which its zone loses after 10.5 hours and has again 8 hours
/// later: 10.5 hours and 20 are paid. AWS lost the machine for more than six minutes of two of its hours, of which
/// half an hour each was used: 9.6 cents back. For 736 of 744 hours of March the zone was there, less than
/// 99 %: 30 % of the other 29.5 hours are given back, 84.96 cents.
#[test]
fn outages_of_a_run_are_given_back_to_who_asks() {
    let run_in = |zones: &str, outage: &str, more: &str, tenants: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let jobs = format!("arrival_s,runtime_s,vcpus,memory_mib,tenant\n{tenants}");
        std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
        let text = format!(
            "question = \"?\"\nstart = \"2026-03-01\"\n[workload]\ntrace = \"jobs.csv\"\n\
             [cloud.aws]\nregions = [\"us-east-1\"]\nzones = [{zones}]\ntypes = [\"m5.large\"]\n\
             markets = [\"on-demand\"]\nboot = \"0 s\"\n\
             [policy.p]\nprovision = {{ cheapest = {{}} }}\n\
             [[outage]]\nprovider = \"aws\"\nregion = \"us-east-1\"\n{outage}\n[[account]]\nname = \"x\"\n{more}"
        );
        let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[]);
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
        let (policy, settings) = (&scenario.policies[0], Settings::seeded(1));
        let mut go_on = |_| std::ops::ControlFlow::Continue(());
        let run = experiment::run(&scenario, policy, settings, &mut (), &mut go_on);
        run.unwrap_or_else(|failure| panic!("{failure}"))
    };
    let run = |outage: &str, more: &str, jobs: &str| run_in("\"us-east-1a\"", outage, more, jobs);
    let one = "0,72000,2,1024,a\n";
    let outage = "from = \"2026-03-01T10:30:00Z\"\nuntil = \"2026-03-01T18:30:00Z\"";
    let credit = |run: &RunResult| {
        let cost = &run.summary.cost;
        let sums = [&cost.by_provider, &cost.by_region, &cost.by_market, &cost.by_kind];
        for sums in sums {
            assert_eq!(sums.iter().map(|(_, sum)| *sum).sum::<Money>(), cost.total, "{sums:?}");
        }
        let bill = &run.bill.as_ref().expect("it has terms").bill;
        let months: Money = bill.months.values().map(|sums| sums.billed).sum();
        assert_eq!([bill.total.billed, months], [cost.total; 2]);
        let of = cost.by_kind.iter().find(|(kind, _)| kind == "credit");
        (cost.total, of.map_or(Money::ZERO, |(_, sum)| *sum))
    };
    let asks = "credits = true\n";
    let given = usd("0.9456");
    assert_eq!(credit(&run(outage, asks, one)), (usd("2.928") - given, -given));
    assert_eq!(credit(&run(outage, "", one)), (usd("2.928"), Money::ZERO));
    // Five minutes are too little for the promise of a machine. A region of which all zones are out is one that is
    // there for less than 99.99 % of the month: a tenth. Of one zone nobody knows whether it was the region.
    let short = outage.replace("18:30", "10:35");
    assert_eq!(credit(&run(&short, asks, one)), (usd("2.928"), Money::ZERO));
    let two = "\"us-east-1a\", \"us-east-1b\"";
    let region = run_in(two, &short, asks, one);
    assert_eq!(credit(&region), (usd("2.928") - usd("0.2928"), -usd("0.2928")));
    // So it is while both zones are out for reasons of their own: two minutes are less than 4.46 of the month.
    let zones = |other: &str| {
        let second =
            "[[outage]]\nprovider = \"aws\"\nregion = \"us-east-1\"\nzone = \"us-east-1b\"";
        format!("zone = \"us-east-1a\"\n{short}\n{second}\n{other}")
    };
    let later = short.replace("10:35", "10:38").replace("10:30", "10:33");
    assert_eq!(credit(&run_in(two, &zones(&short), asks, one)).1, -usd("0.2928"));
    assert_eq!(credit(&run_in(two, &zones(&later), asks, one)).1, Money::ZERO);
    // Two halves of the machine: each tenant has half of what is given back.
    let halves = run(outage, asks, "0,72000,1,1024,a\n0,72000,1,1024,b\n");
    assert_eq!(credit(&halves), (usd("2.928") - given, -given));
    let back = halves.chargeback.as_ref().expect("all of it counts");
    let half = usd("2.928").nanos() - given.nanos();
    for (name, parts) in back.tenants() {
        let paid = parts.machines.nanos();
        assert!((2 * paid - half).abs() <= 100, "{name:?}: {paid}");
    }
    // An outage that is drawn is known to a run: of 5.5 hours and 9 one is free, and 30 % of 13.5. Launches that
    // fail break no promise.
    let drawn = "every = \"10.5 h\"\nlasts = \"8 h\"";
    assert_eq!(credit(&run(drawn, asks, "18000,32400,2,1024,a\n")).1, -usd("0.4848"));
    let launches = format!("{outage}\nplane = \"launches\"");
    assert_eq!(credit(&run(&launches, asks, one)).1, Money::ZERO);
    let part = format!("{outage}\nshare = \"100 %\"");
    assert_eq!(credit(&run(&part, asks, one)).1, -given);
}

/// The bytes that leave each provider, by month.
#[derive(Default)]
struct Leaving(BTreeMap<(String, i64), u64>);

impl Observer for Leaving {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let Record::Charged(charge) = record else { return };
        if charge.kind != ChargeKind::Transfer {
            return;
        }
        let world = state.world();
        let of = |region| world.providers[world.regions[region].provider].name.clone();
        let path = if of(charge.region) == of(charge.to) { "region" } else { "internet" };
        let month = i64::from(state.now().secs_f64() >= 31.0 * 86_400.0);
        let key = (format!("{} {path}", of(charge.region)), month);
        *self.0.entry(key).or_default() +=
            u64::try_from(charge.bytes).expect("no less than nothing");
    }
}

/// Price of so many gigabytes of a month, step by step.
fn stepped(gigabytes: f64, steps: &[(f64, f64)]) -> f64 {
    let mut before = 0.0;
    let mut sum = 0.0;
    for (up_to, price) in steps {
        sum += (gigabytes.min(*up_to) - before).max(0.0) * price;
        before = *up_to;
    }
    sum
}

/// Work drawn anew each time, whose data is with two clouds and on a cluster and which runs on all of them: what the
/// bytes that leave each cost by the steps of their month is what the transfers of the run are billed.
#[test]
fn transfers_of_drawn_work_cost_what_their_months_do() {
    let most = f64::INFINITY;
    let aws = [(100.0, 0.0), (10_240.0, 0.09), (51_200.0, 0.085), (153_600.0, 0.07), (most, 0.05)];
    let gcp = [(1_024.0, 0.12), (10_240.0, 0.11), (most, 0.08)];
    let mut moved = 0;
    for seed in 0..12 {
        let mut dice = Dice::new(seed);
        let mut rows = String::from(
            "vcpus,memory_mib,home,arrival_s,runtime_s,input_bytes,output_bytes,tenant,providers\n",
        );
        for _ in 0..dice.within(1, 60) {
            let home = dice.of(&["aws/us-east-1", "aws/us-west-2", "gcp/us-central1", "dc"]);
            let arrival = dice.within(29 * 86_400, 33 * 86_400);
            let runtime = dice.within(0, 40_000);
            let [input, output] = [(); 2].map(|()| dice.within(0, 3_000) << dice.within(0, 32));
            let at = dice.of(&["aws", "gcp", "dc", "aws|gcp|dc"]);
            let tenant = dice.of(&["a", "b"]);
            writeln!(rows, "1,512,{home},{arrival},{runtime},{input},{output},{tenant},{at}")
                .expect("text");
        }
        let more = "[cloud.gcp]\nregions = [\"us-central1\"]\ntypes = [\"n2-standard-2\"]\n\
                    [policy.p.provision]\ncheapest = {}\n[[account]]\nname = \"x\"\n";
        let mut leaving = Leaving::default();
        let run = run_watched(&rows, more, &mut leaving);
        let wanted: f64 = leaving
            .0
            .iter()
            .map(|((path, _), bytes)| {
                let gigabytes = *bytes as f64 / f64::from(1 << 30);
                match path.as_str() {
                    "aws internet" => stepped(gigabytes, &aws),
                    "gcp internet" => stepped(gigabytes, &gcp),
                    "aws region" => 0.02 * gigabytes,
                    "dc internet" => 0.0,
                    other => panic!("{other}"),
                }
            })
            .sum();
        moved += leaving.0.len();
        let back = run.chargeback.as_ref().expect("all of it counts");
        let found: Money = back.rows.iter().map(|row| row.parts.transfer).sum();
        assert!((found.dollars() - wanted).abs() < 1e-4, "{seed}: {found} and not {wanted}");
    }
    assert!(moved > 40, "{moved}");
}
