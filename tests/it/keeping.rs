//! What runs pay for while it is kept: data, and disks and addresses of machines.

use crate::dice::Dice;

use windtunnel::billing::charge::{BilledCharge, Purpose};
use windtunnel::billing::usage::{Service, UsageUnit};
use windtunnel::experiment::{self, RunResult, Settings};
use windtunnel::scenario::Scenario;
use windtunnel::units::Money;

fn read(jobs: &str, text: &str) -> Result<Scenario, String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let text = format!("question = \"?\"\n{text}");
    let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[]);
    // The trace is read again by each run.
    let _ = folder.keep();
    scenario.map_err(|problems| problems.to_string())
}

fn run(jobs: &str, text: &str) -> RunResult {
    let scenario = read(jobs, text).unwrap_or_else(|problems| panic!("{problems}"));
    let (policy, settings) =
        (&scenario.policies[0], Settings { charges: true, ..Settings::seeded(1) });
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let run = experiment::run(&scenario, policy, settings, &mut (), &mut go_on);
    run.unwrap_or_else(|failure| panic!("{failure}"))
}

fn of_kind(run: &RunResult, kind: &str) -> f64 {
    let kinds = run.summary.cost.by_kind.iter().filter(|(name, _)| name == kind);
    kinds.map(|(_, sum)| sum.dollars()).sum()
}

#[track_caller]
fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 5e-6, "{found} and not {wanted}");
}

/// A job of all of March and half of April on a cluster of ones own.
const CLUSTER: &str = "start = \"2026-03-01\"\n[workload]\ntrace = \"jobs.csv\"\n\
    [cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m5.large\"]\n\
    [cloud.gcp]\nregions = [\"us-central1\"]\ntypes = [\"n2-standard-2\"]\n\
    [cluster.dc]\nnodes = 1\nshape = { vcpus = 2, memory = \"8 GiB\" }\n\
    [policy.p]\npreset = \"batch-fcfs\"\n";

fn months() -> String {
    format!(
        "arrival_s,runtime_s,vcpus,memory_mib,tenant\n0,{0},1,1024,a\n0,{0},1,1024,b\n",
        46 * 86_400
    )
}

/// 10,240 GB for a month and a half: 235.52 dollars a month with AWS at 0.023, 204.80 with Google at 0.02.
#[test]
fn data_is_paid_for_by_the_calendar_month() {
    let set = "[[data_set]]\nname = \"corpus\"\nsize = \"10 TiB\"\nhome = \"aws/us-east-1\"\n";
    let run_of = |more: &str| run(&months(), &format!("{CLUSTER}{set}{more}"));
    let run = run_of("");
    close(of_kind(&run, "storage"), 1.5 * 235.52);
    close(run.summary.cost.total.dollars(), 1.5 * 235.52);
    for sums in
        [&run.summary.cost.by_provider, &run.summary.cost.by_region, &run.summary.cost.by_market]
    {
        assert_eq!(sums.iter().map(|(_, sum)| *sum).sum::<Money>(), run.summary.cost.total);
    }
    // It is nobody's, and shared by what machines cost: owned ones cost nothing.
    let back = run.chargeback.as_ref().expect("all of it counts");
    assert_eq!((back.stored, back.overhead()), (run.summary.cost.total, run.summary.cost.total));
    // At list prices nothing is metered of it: machines and data that moves cost nothing here.
    assert_eq!(run.bill.as_ref().expect("it has terms").list, Money::ZERO);
    // Each line is in one clock hour, and the parts of a month sum to what is kept.
    let bill = run.bill.as_ref().expect("it has terms");
    let stored = |charge: &&BilledCharge| match charge.purpose {
        Purpose::Usage { product, .. } => {
            bill.biller.products()[product].service == Service::ObjectStorage
        }
        other => panic!("{other:?}"),
    };
    let lines: Vec<i128> = bill.charges.iter().filter(stored).map(|one| one.quantity).collect();
    let march = lines.iter().take(31 * 24).sum::<i128>();
    assert_eq!((lines.len(), march), (46 * 24, 10_240_000_000));

    let replica = "replicas = [\"gcp/us-central1\"]\n";
    close(of_kind(&run_of(replica), "storage"), 1.5 * (235.52 + 204.8));
    let late = "from = \"2026-03-16T12:00:00Z\"\nuntil = \"2026-04-04\"\n";
    close(of_kind(&run_of(late), "storage"), (0.5 + 0.1) * 235.52);
    let deal =
        "[[negotiated]]\nprovider = \"aws\"\nservice = \"object-storage\"\ndiscount = \"10 %\"\n";
    let dealt = run_of(deal);
    close(dealt.summary.cost.total.dollars(), 0.9 * 1.5 * 235.52);
    close(of_kind(&dealt, "discount"), -0.1 * 1.5 * 235.52);
    let own = "[[storage_price]]\nprovider = \"aws\"\nusd_per_gb_month = 0.01\n";
    close(of_kind(&run_of(own), "storage"), 153.6);
}

/// 100 TiB for a month and a half: of each month 51,200 GB-months at 0.023 and what is beyond at 0.022, in two data
/// sets or in one; by the list all of it at 0.023. A price of one's own has no steps.
#[test]
fn much_data_is_cheaper_by_the_gigabyte() {
    let set = |name: &str, tib: u32| {
        format!("[[data_set]]\nname = \"{name}\"\nsize = \"{tib} TiB\"\nhome = \"aws/us-east-1\"\n")
    };
    let all = 153_600.0 * 0.023;
    for sets in [set("a", 100), set("a", 60) + &set("b", 40)] {
        let run = run(&months(), &format!("{CLUSTER}{sets}"));
        close(of_kind(&run, "storage"), all);
        // Half of April's month is just the first step.
        close(run.summary.cost.total.dollars(), all - 51_200.0 * 0.001);
        close(of_kind(&run, "discount"), -51_200.0 * 0.001);
        let back = run.chargeback.as_ref().expect("all of it counts");
        assert_eq!(back.stored, run.summary.cost.total);
    }
    let own = "[[storage_price]]\nprovider = \"aws\"\nusd_per_gb_month = 0.02\n";
    let run_of = |more: &str| run(&months(), &format!("{CLUSTER}{}{more}", set("a", 100)));
    close(run_of(own).summary.cost.total.dollars(), 153_600.0 * 0.02);
    let tier = "[[tier]]\nprovider = \"aws\"\nservice = \"object-storage\"\npath = \"standard\"\nup_to = [2400]\n\
        usd = [0, 0.01]\n";
    close(run_of(tier).summary.cost.total.dollars(), (153_600.0 - 4_800.0) * 0.01);
}

#[test]
fn data_without_a_price_costs_nothing_and_is_told() {
    let set = "[[data_set]]\nname = \"corpus\"\nsize = \"10 TiB\"\nhome = \"dc\"\n";
    let scenario = read(&months(), &format!("{CLUSTER}{set}")).expect("a scenario");
    let told = scenario.assumed(&[0]);
    let wanted = "Data set corpus costs nothing at dc: no price of class `standard` is known there";
    assert!(told.iter().any(|one| one.starts_with(wanted)), "{told:?}");
    assert_eq!(run(&months(), &format!("{CLUSTER}{set}")).summary.cost.total, Money::ZERO);
    let price = "[[storage_price]]\nprovider = \"dc\"\nusd_per_gb_month = 0.005\n";
    close(of_kind(&run(&months(), &format!("{CLUSTER}{set}{price}")), "storage"), 76.8);
    let elsewhere = set.replace("\"dc\"", "\"aws/us-east-2\"");
    let problem = read(&months(), &format!("{CLUSTER}{elsewhere}")).expect_err("no such region");
    assert!(problem.contains("there is no region or cluster called `aws/us-east-2`"), "{problem}");
    let disk =
        "[[attached]]\nprovider = \"gcp\"\ndisk = \"100 GiB\"\nclass = \"fast\"\naddresses = 1\n";
    let problem = read(&months(), &format!("{CLUSTER}{disk}")).expect_err("nothing is known");
    assert!(problem.contains("no price of disks of class `fast` is known there"), "{problem}");
    assert!(problem.contains("no price of an address is known there"), "{problem}");
}

/// Each name that is not known, or given twice, is told with its line and a hint.
#[test]
fn names_that_are_wrong_are_told() {
    let set = "[[data_set]]\nname = \"corpus\"\nsize = \"1 TiB\"\nhome = \"aws/us-east-1\"\n";
    let tier = "[[tier]]\nprovider = \"aws\"\npath = \"internet\"\nusd = [0.05]\n";
    let price = "[[storage_price]]\nprovider = \"aws\"\nusd_per_gb_month = 0.01\n";
    let disk = "[[attached]]\nprovider = \"aws\"\naddresses = 1\n";
    let link =
        "[[transfer.link]]\nfrom = \"aws\"\nto = \"dc\"\nusd_per_gib = 0.05\npath = \"direct\"\n";
    let replica = "replicas = [\"gcp/us-central1\", \"aws/us-east-1\"]\n";
    let first = CLUSTER.lines().count() + 1;
    for (terms, line, told) in [
        (format!("{set}{set}"), 6, "another `data_set` has the same `name`"),
        (format!("{set}{replica}"), 5, "the data is kept at `aws/us-east-1` already"),
        (
            format!("{tier}{tier}"),
            6,
            "another `tier` has the same `provider` and `path` and `region`",
        ),
        (
            format!("{price}{price}class = \"standard\"\n"),
            5,
            "another `storage_price` has the same",
        ),
        (format!("{disk}{disk}"), 5, "another `attached` has the same"),
        (tier.replace("aws", "awss"), 2, "`awss`\n  hint: did you mean `aws`?"),
        (price.replace("aws", "awss"), 2, "`awss`\n  hint: did you mean `aws`?"),
        (tier.replace("internet", "internte"), 3, "`internte`\n  hint: did you mean `internet`?"),
        (
            tier.replace("internet", "region/us-esat-1"),
            3,
            "nothing moves on the path `region/us-esat-1`",
        ),
        (link.to_owned(), 5, "nobody prices the path `direct`\n  hint: add a `[[tier]]`"),
        (format!("{link}{}", tier.replace("internet", "driect")), 5, "did you mean `driect`?"),
        (tier.replace("0.05", "9300000"), 4, "the price of a unit is too high"),
        (price.replace("0.01", "9300000"), 3, "it may be at most 9223372 USD"),
    ] {
        let problem = read(&months(), &format!("{CLUSTER}{terms}")).expect_err(&terms);
        let place = format!("s.toml:{}:", first + line);
        assert!(problem.contains(told) && problem.contains(&place), "{terms}\n{problem}");
    }
    for right in [
        format!("{tier}region = \"us-east-1\"\n{tier}"),
        tier.replace("aws", "azure"),
        tier.replace("internet", "region/us-central1"),
        format!("{link}{}", tier.replace("internet", "direct")),
    ] {
        read(&months(), &format!("{CLUSTER}{right}")).unwrap_or_else(|told| panic!("{told}"));
    }
}

/// A machine for three hours from half past ten on, at 0.096 dollars an hour. Its disk of 100 GB costs 8 dollars for the
/// 744 hours of March, and its address half a cent an hour. Two tenants hold a half each.
#[test]
fn machines_have_disks_and_addresses() {
    let text = "start = \"2026-03-02T10:30:00Z\"\n[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m5.large\"]\n\
        markets = [\"on-demand\"]\nboot = \"0 s\"\n[workload]\ntrace = \"jobs.csv\"\n\
        [policy.only]\nprovision = \"cheapest\"\n\
        [[attached]]\nprovider = \"aws\"\ndisk = \"100 GiB\"\nclass = \"gp3\"\naddresses = 1\n";
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib,tenant\n0,10800,1,1024,a\n0,10800,1,1024,b\n";
    let found = run(jobs, text);
    close(of_kind(&found, "disk"), 3.0 * 8.0 / 744.0);
    close(of_kind(&found, "address"), 0.015);
    let total = 0.288 + 24.0 / 744.0 + 0.015;
    close(found.summary.cost.total.dollars(), total);
    let back = found.chargeback.as_ref().expect("all of it counts");
    assert_eq!((back.idle, back.overhead()), (Money::ZERO, Money::ZERO));
    for (_, parts) in back.tenants() {
        close(parts.machines.dollars(), total / 2.0);
    }
    // Machines of another type have none.
    let other =
        text.replace("provider = \"aws\"\ndisk", "provider = \"aws\"\ntype = \"m5.xlarge\"\ndisk");
    let found = run(jobs, &other);
    assert_eq!((of_kind(&found, "disk"), of_kind(&found, "address")), (0.0, 0.0));
    // What machines save has nothing to do with their disks.
    assert_eq!(found.summary.metric("savings_rate"), Some(0.0));
    assert_eq!(run(jobs, text).summary.metric("savings_rate"), Some(0.0));
}

/// A spot machine that is stopped for two hours keeps its disk: that is paid for from its first request to the end, and the
/// addresses only while it runs. One that is ended has none meanwhile.
#[test]
fn a_stopped_machine_keeps_its_disk() {
    let text = |reclaimed: &str| {
        format!(
            "start = \"2026-03-02T10:30:00Z\"\n[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
        types = [\"m5.large\"]\nmarkets = [\"spot\"]\nboot = \"0 s\"\nreclaimed = \"{reclaimed}\"\nrestart = \"0 s\"\n\
        [[cloud.aws.availability]]\nmarket = \"spot\"\ninstances = 0\nfrom = \"1 h\"\nuntil = \"3 h\"\n\
        [workload]\ntrace = \"jobs.csv\"\n[policy.only]\nprovision = {{ cheapest = {{ markets = [\"spot\"] }} }}\n\
        [[attached]]\nprovider = \"aws\"\ndisk = \"100 GiB\"\nclass = \"gp3\"\naddresses = 1\n"
        )
    };
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib\n0,7200,2,1024\n";
    for reclaimed in ["stop", "hibernate", "terminate"] {
        let found = run(jobs, &text(reclaimed));
        let bill = found.bill.as_ref().expect("it has terms");
        let (mut disk, mut addresses, mut up) = ((0_i128, 0.0), 0.0, 0.0);
        for charge in &bill.charges {
            let Purpose::Usage { product, .. } = charge.purpose else { panic!("{charge:?}") };
            let lasted = (charge.until - charge.from).secs_f64() / 3_600.0;
            match bill.biller.products()[product].service {
                Service::BlockStorage => disk = (disk.0 + charge.quantity, disk.1 + lasted),
                Service::Address => addresses += lasted,
                Service::Compute => up += lasted,
                other => panic!("{other:?}"),
            }
        }
        let end = found.summary.simulated_s / 3_600.0;
        assert!(end - up > 1.9 && up >= 2.0, "{reclaimed}: {up} h of {end} h");
        let kept = if reclaimed == "terminate" { up } else { end };
        close(disk.1, kept);
        let months = disk.0 as f64 / UsageUnit::GigabyteMonth.whole() as f64;
        close(months, 100.0 * kept / 744.0);
        close(addresses, up);
        let back = found.chargeback.as_ref().expect("all of it counts");
        close(back.stored.dollars(), 8.0 * (kept - up) / 744.0);
    }
}

/// Data sets drawn anew each time, in runs of up to 100 days from the middle of January on: each costs its share of
/// each month that it is kept in, by the hours of that month.
#[test]
fn drawn_data_costs_its_share_of_each_month() {
    let days = [31, 28, 31, 30, 31];
    let firsts: Vec<u64> =
        (0..=days.len()).map(|month| 24 * days[..month].iter().sum::<u64>()).collect();
    let date = |hour: u64| {
        let month = firsts.iter().rposition(|first| *first <= hour).expect("in this year");
        let (day, hour) = ((hour - firsts[month]) / 24 + 1, (hour - firsts[month]) % 24);
        format!("2026-{:02}-{day:02}T{hour:02}:00:00Z", month + 1)
    };
    let begin = 14 * 24 + 7;
    for seed in 0..10 {
        let mut dice = Dice::new(seed);
        let minutes = dice.within(1, 100 * 24 * 60);
        let end = begin as f64 + minutes as f64 / 60.0;
        let mut text = CLUSTER.replace("2026-03-01", &date(begin));
        let mut wanted = 0.0;
        for set in 0..dice.within(1, 4) {
            let (gib, place) =
                (dice.within(1, 5_000), dice.of(&["aws/us-east-1", "gcp/us-central1"]));
            let [from, until] = [dice.within(0, 1_300), dice.within(1_301, 3_600)];
            text += &format!(
                "[[data_set]]\nname = \"d{set}\"\nsize = \"{gib} GiB\"\nhome = \"{place}\"\n"
            );
            let [from, until] =
                [("from", from, 0.0), ("until", until, end)].map(|(key, hour, open)| {
                    if dice.once_in(3) {
                        return open;
                    }
                    text += &format!("{key} = \"{}\"\n", date(hour));
                    hour as f64
                });
            let (from, until) = (from.max(begin as f64), until.min(end));
            let price = if place.starts_with("aws") { 0.023 } else { 0.02 };
            for month in firsts.windows(2).map(|month| [month[0] as f64, month[1] as f64]) {
                let kept = (until.min(month[1]) - from.max(month[0])).max(0.0);
                wanted += gib as f64 * price * kept / (month[1] - month[0]);
            }
        }
        let jobs = format!("arrival_s,runtime_s,vcpus,memory_mib\n0,{},1,1024\n", minutes * 60);
        close(of_kind(&run(&jobs, &text), "storage"), wanted);
    }
}
