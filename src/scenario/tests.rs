use super::*;
use crate::model::{Checkpoint, FaultDomain, FaultEffect, FaultTimes};
use crate::policy::checkpoint;
use crate::units::{Rate, Time};
use crate::workload::WorkloadInput;
use expect_test::{Expect, expect};

fn shipped(name: &str) -> Result<Scenario, Problems> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    Scenario::load(&folder.join(name), &[])
}

fn shown(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn every_shipped_scenario_is_read() {
    let names = [
        "quickstart",
        "hybrid-burst",
        "batch-cluster",
        "vm-packing",
        "gpu-cluster",
        "sizing",
        "backtest",
        "spot-deadline",
        "carbon-shift",
        "commitments",
        "outage-replay",
        "gpu-training",
        "zone-lost",
    ];
    for name in names {
        let scenario = shipped(&format!("{name}.toml"));
        let problems = scenario.as_ref().err().map(|problems| shown(problems));
        assert_eq!(problems, None, "{name}");
        let scenario = scenario.unwrap();
        assert_eq!(scenario.name, name);
        assert!(scenario.policies.len() >= 2 && !scenario.assumptions.is_empty());
    }
}

pub(super) const SMALL: &str = "question = \"?\"\n\
    [workload.synthetic]\ncount = 10\narrivals = { per_hour = 6 }\nclass.a.runtime = \"1 h\"\n\
    [cluster.c]\nnodes = 2\nshape = { vcpus = 4, memory = \"8 GiB\" }\n\
    [policy.p]\npreset = \"batch-fcfs\"\n";

#[track_caller]
fn check(text: &str, want: Expect) {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = Scenario::parse(text, "a.toml", base, &[]);
    want.assert_eq(&found.err().map_or_else(String::new, |problems| shown(&problems)));
}

#[track_caller]
fn check_set(edits: &[(&str, &str)], want: Expect) {
    let edits: Vec<_> = edits.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    let found = Scenario::parse(SMALL, "a.toml", Path::new(""), &edits);
    want.assert_eq(&found.err().map_or_else(String::new, |problems| shown(&problems)));
}

#[test]
fn problems_are_found_all_at_once_with_places_and_hints() {
    check(SMALL, expect![[r#""#]]);
    check(
        "",
        expect![[r#"
        a.toml:1:1: `question` is missing
          hint: `question` is a text
        a.toml:1:1: the scenario has no work
          hint: give `[workload]` a `trace`, or make `[workload.synthetic]`
        a.toml:1:1: a scenario needs at least one policy
          hint: add `[policy.today]` with `preset = "batch-backfill"`
    "#]],
    );
    check(
        &SMALL
            .replace("\"1 h\"", "60")
            .replace("\"8 GiB\"", "8")
            .replace("preset", "prset")
            .replace("count = 10", "cuont = 10"),
        expect![[r#"
            a.toml:2:1: it is not said when arrivals end
              hint: give `count = 1000`, or `span = "7 d"`
            a.toml:3:1: unknown key `cuont` in `workload.synthetic`
              hint: did you mean `count`?
            a.toml:5:19: `runtime` must be a span or a distribution of spans such as `"lognormal(median=35 s, p95=90 s)"`, found `60`
              hint: expected a span such as `30 min`, found `60`
            a.toml:8:31: `memory` must be memory such as `"512 GiB"`, found `8`
              hint: give its unit: `"8 GiB"`
            a.toml:10:1: unknown key `prset` in `policy.p`
              hint: did you mean `preset`?
        "#]],
    );
    check(
        "question = \"?\"\nseed = -1\nbaseline = \"q\"\nhorizon = \"2 parsecs\"\nstart = 2026\n\
         [workload]\ntrace = \"none.swf\"\nestimates = \"often\"\n\
         [cluster.c]\nshape = { vcpus = 4, memory = \"8 GiB\", gpus = 8 }\n\
         [cluster.d]\nnodes = 2\nnode_list = \"x\"\nshape = { vcpus = 1 }\n\
         [cloud.awz]\nregions = [\"us-east-1\"]\n\
         [cloud.aws]\nregions = [\"us-esat-1\"]\ntypes = [\"m5.xlarg\"]\ndiscount = 12\nmarkets = [\"spott\"]\n\
         [objectives]\nwait_p95 = \">= 2 h\"\ncost_total = \"<= 7\"\n",
        expect![[r#"
            a.toml:1:1: a scenario needs at least one policy
              hint: add `[policy.today]` with `preset = "batch-backfill"`
            a.toml:2:8: `seed` must be a whole number of at least 0, found `-1`
            a.toml:3:12: there is no policy called `q`
              hint: there is none yet
            a.toml:4:11: `horizon` must be a span such as `"30 min"`, found `"2 parsecs"`
            a.toml:5:9: `start` must be a time such as `"2026-03-01T12:00:00Z"`, found `2026`
            a.toml:7:9: cannot read the trace `none.swf`: No such file or directory (os error 2)
              hint: paths are relative to the scenario's folder
            a.toml:8:13: `estimates` must be `"runtime"`, `"factor(2)"` or `"none"`, found `"often"`
            a.toml:9:10: the cluster `c` has no nodes
              hint: give `nodes` and `shape`, or groups, or a `node_list`
            a.toml:10:47: `gpus` must be GPUs such as `"8 x A100-80GB"`, found `8`
              hint: name the model: `"8 x A100-80GB"`
            a.toml:13:13: a cluster has either `nodes` or `node_list`, not both
              hint: put nodes of several shapes into `[cluster.NAME.group.X]`
            a.toml:15:8: there is no shipped catalog called `awz`
              hint: did you mean `aws`? (or give `catalog`, the folder of your own)
            a.toml:18:12: AWS has no region called `us-esat-1`
              hint: did you mean `us-east-1`?
            a.toml:19:10: the shipped catalog of AWS has no type called `m5.xlarg`
              hint: did you mean `m5.xlarge`? A real type that is missing goes into a catalog of your own (`catalog = "FOLDER"`, see catalogs/README.md)
            a.toml:20:12: `discount` must be a percentage from 0 % to 100 % such as `"12 %"`, found `12`
              hint: give its unit: `"12 %"`
            a.toml:21:12: `markets` must be a list of `"on-demand"` or `"spot"`, found `"spott"`
              hint: did you mean `"spot"`?
            a.toml:23:12: `wait_p95` cannot be promised to be `>= 2 h`
              hint: did you mean `"<= 2 h"`?
            a.toml:24:14: `cost_total` must be a bound such as `"<= 1000 USD"`, or a table, found `"<= 7"`
              hint: write `"<= 7 USD"`
        "#]],
    );
    check(
        &format!(
            "{SMALL}[policy.a]\nextends = \"b\"\n[policy.b]\nextends = \"a\"\n[policy.c]\nextends = \"z\"\n\
             [policy.d]\norder = \"fastest\"\n[policy.e.place]\nbest-fit.by = \"cpu\"\nfgd = {{}}\n\
             [policy.f]\nprovision = \"cheapest\"\n[policy.g.provision.static]\nfleets = {{ \"c\" = 1, \"x\" = 2 }}\n"
        ),
        expect![[r#"
            a.toml:14:11: policies extend each other in a circle: a -> b -> a
            a.toml:16:11: there is no policy called `z`
              hint: there is: p, a, b, c, d, e, f, g
            a.toml:18:9: `order` must be `"fcfs"`, `"shortest"`, `"smallest"`, `"largest"`, `"earliest-deadline"`, `"priority"`, `"wfp3"`, `"unicep"` or `"f1"`, found `"fastest"`
            a.toml:21:1: `place` names two parts, `best-fit` and `fgd`
              hint: a policy has one part per question
            a.toml:23:13: there is nothing to rent in the market on-demand
              hint: add a `[cloud.*]` with that market, or `provision = "owned-only"`
            a.toml:25:12: `c` is owned, it cannot be rented
            a.toml:25:21: there is no offer called `x`
              hint: there is: c
        "#]],
    );
    check(
        "question = \"?\"\nseed = 1\nseed = 2\n[[[\nx = \"\n",
        expect![[r#"
            a.toml:3:1: duplicate key
            a.toml:4:3: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
        "#]],
    );
    check(
        "id,arrival_s,runtime_s\n1,0,5\n",
        expect![[r#"
            a.toml: is no scenario, which is a TOML file
              hint: make one for a trace with `windtunnel init new.toml --from a.toml`
        "#]],
    );
    check(
        &SMALL.replace("[workload.synthetic]", "horizon = \"0 s\"\n[workload.synthetic]"),
        expect![[r#"
            a.toml:2:11: `horizon` must be longer than nothing
        "#]],
    );
}

#[test]
fn wrong_workloads_have_places() {
    check(
        &SMALL.replace("per_hour = 6", "per_hour = 1e11"),
        expect![[r#"
            a.toml:4:25: arrivals per hour must be greater than 0, and at most 3,600,000,000
        "#]],
    );
    check(
        &format!(
            "{SMALL}[[workload.transform]]\nscale_arrivals = 1e300\n[[workload.transform]]\n\
             inflate = {{ share = \"50 %\", resource = \"gpu\" }}\n"
        ),
        expect![[r#"
            a.toml:12:18: `scale_arrivals` must be a number greater than 0, found `1e300`
              hint: it may be at most 1,000,000,000,000
        "#]],
    );
    check(
        &format!(
            "{SMALL}[[workload.transform]]\ninflate = {{ share = \"50 %\", resource = \"gpu\" }}\n"
        ),
        expect![[r#"
            a.toml:12:11: inflate: the world has no GPU to inflate to
        "#]],
    );
    check_set(
        &[("workload.synthetic.arrivals.per_hour", "1e11")],
        expect![[r#"
            --set workload.synthetic.arrivals.per_hour=1e11: arrivals per hour must be greater than 0, and at most 3,600,000,000
        "#]],
    );
    check_set(
        &[("seed", "18446744073709551615")],
        expect![[r#"
            --set seed=18446744073709551615: `seed` must be a whole number of at least 0, found `"18446744073709551615"`
              hint: it may be at most 9223372036854775807
        "#]],
    );
}

/// Assumptions name what costs nothing because nobody said what it costs; not what costs 0 by its
/// key.
#[test]
fn what_is_free_for_want_of_a_price_is_told() {
    let told = |text: &str| {
        let read = Scenario::parse(text, "s.toml", Path::new(""), &[]).expect("it is valid");
        read.assumptions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let free = "Machines of c cost nothing: no `cost` is given.";
    assert!(told(SMALL).contains(free));
    assert!(!told(&SMALL.replace("nodes = 2", "nodes = 2\ncost = \"0 USD/h\"")).contains(free));
    let nodes = "nodes = 2\nshape = { vcpus = 4, memory = \"8 GiB\" }\n";
    let two =
        format!("[cluster.c.group.a]\n{nodes}cost = \"1 USD/h\"\n[cluster.c.group.b]\n{nodes}");
    let groups = SMALL.replace(&format!("[cluster.c]\n{nodes}"), &two);
    assert!(told(&groups).contains("Machines of c/b cost nothing"), "{}", told(&groups));
    let cloud = format!("{SMALL}[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.large\"]\n");
    let egress = "Data that leaves owned clusters is free: ";
    assert!(told(&cloud).contains(egress) && !told(SMALL).contains(egress));
    for priced in [
        "[transfer]\ncluster_usd_per_gib = 0\n",
        "[[transfer.link]]\nfrom = \"c\"\nto = \"*\"\nusd_per_gib = 0.02\n",
    ] {
        assert!(!told(&format!("{cloud}{priced}")).contains(egress), "{priced}");
    }
}

#[test]
fn assumptions_are_those_of_the_policies_that_run() {
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\n[policy.q]\npreset = \"gpu-fgd\"\n";
    let scenario = Scenario::parse(&format!("{SMALL}{cloud}"), "a.toml", Path::new(""), &[]);
    let scenario = scenario.unwrap();
    assert!(scenario.assumed(&[0]).len() < scenario.assumed(&[0, 1]).len());
}

#[test]
fn who_counts_its_instances_knows_none_that_starts_again() {
    let cloud =
        "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m5.large\"]\nreclaimed = \"stop\"\n";
    let hedged = "[policy.q]\nprovision = \"spot\"\n";
    check(
        &format!("{SMALL}{cloud}{hedged}"),
        expect![[r#"
        a.toml:14:13: policy `q` counts the instances that it rents, and would not know one that starts again
          hint: leave `reclaimed` out, or take another `provision` part
    "#]],
    );
    let scenario = Scenario::parse(&format!("{SMALL}{cloud}"), "a.toml", Path::new(""), &[]);
    let spot = scenario.unwrap().world.providers.rows()[1].spot;
    assert_eq!((spot.reclaimed, spot.restart), (Reclaimed::Stopped, Span::from_secs(60)));
}

#[test]
fn a_policy_may_have_any_name() {
    check(&format!("{SMALL}[policy.\"<i>p</i>\"]\norder = \"fcfs\"\n"), expect![[r#""#]]);
}

#[test]
fn constants_of_a_class_keep_their_ranges() {
    let class = "runtime = \"-5 s\"\ntasks = 2.5\nvcpus = -3\ngpus = 500\ngpu_share = 7\n";
    let text = format!("{SMALL}[workload.synthetic.class.wrong]\n{class}");
    check(
        &text,
        expect![[r#"
        a.toml:12:11: `runtime` must be a span or a distribution of spans such as `"lognormal(median=35 s, p95=90 s)"`, found `"-5 s"`
          hint: expected a span such as `30 min`, found `-5 s`
        a.toml:13:9: `tasks` must be a whole number of at least 1
        a.toml:14:9: `vcpus` must be from 0 to 4294967 cores
        a.toml:15:8: `gpus` must be a whole number from 0 to 32
        a.toml:16:13: `gpu_share` must be a share from 0.001 to 1
    "#]],
    );
}

#[test]
fn problems_of_the_command_line_name_it() {
    check_set(
        &[("cluster.c.nodes", "0"), ("seed", "x")],
        expect![[r#"
            --set cluster.c.nodes=0: `nodes` must be a whole number from 1 to 1000000, found `0`
            --set seed=x: `seed` must be a whole number of at least 0, found `"x"`
        "#]],
    );
    check_set(
        &[("cluster.z.nodes", "3")],
        expect![[r#"
        --set cluster.z.nodes=3: cannot set `cluster.z.nodes`: the scenario has no `z`
          hint: only a key of a table that the file has can be set
    "#]],
    );
    check_set(&[("cluster.c.cost", "2 USD/h"), ("workload.synthetic.count", "5")], expect![[""]]);
    check_set(
        &[("policy.p.ordre", "fcfs")],
        expect![[r#"
            --set policy.p.ordre=fcfs: unknown key `ordre` in `policy.p`
              hint: did you mean `order`?
        "#]],
    );
}

#[test]
fn the_kind_of_a_path_is_found() {
    let whole = |path| matches!(kind_of(path), Some(ValueKind::Count(..)));
    assert!(whole("cluster.dc1.nodes") && whole("cluster.dc1.group.cpu.nodes"));
    assert!(
        matches!(kind_of("cloud.aws.quota.0.limit"), Some(ValueKind::Count(..))),
        "{:?}",
        kind_of("cloud.aws.quota.0.limit")
    );
    assert_eq!(
        kind_of("policy.\"a.b\".preset").map(|kind| matches!(kind, ValueKind::Choice(_))),
        Some(true)
    );
    assert_eq!(kind_of("cluster.dc1.nods"), None);
    assert_eq!(kind_of(""), None);
}

#[test]
fn a_set_value_takes_effect() {
    let edits = [("cluster.c.nodes".to_owned(), "7".to_owned())];
    let scenario = Scenario::parse(SMALL, "a.toml", Path::new(""), &edits).unwrap();
    assert_eq!(scenario.world.offers.rows()[0].running_at_start, 7);
    assert!(scenario.text.contains("nodes = 7"));
    // 7 instances of 4 cores.
    assert_eq!(scenario.context(1, false).capacity.unwrap().cpu, 28_000);
}

#[test]
fn the_world_holds_what_the_scenario_names() {
    let text = format!(
        "{SMALL}[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
         types = [\"m5.xlarge\"]\nmarkets = [\"spot\", \"on-demand\"]\ndiscount = \"10 %\"\n\
         quota = [{{ unit = \"vcpus\", limit = 8 }}]\n\
         [[cloud.aws.price]]\nmarket = \"on-demand\"\nfrom = \"1 h\"\nuntil = \"2 h\"\ndiscount = \"50 %\"\n"
    );
    let scenario = Scenario::parse(&text, "a.toml", Path::new(""), &[]).unwrap();
    let offers: Vec<&str> =
        scenario.world.offers.rows().iter().map(|offer| offer.name.as_str()).collect();
    let want = ["c", "aws/us-east-1a/m5.xlarge/on-demand", "aws/us-east-1a/m5.xlarge/spot"];
    assert_eq!(offers, want);
    // 0.192 $/h less 10 % is 0.1728; half of it for an hour.
    let price = &scenario.world.offers.rows()[1].price;
    assert_eq!(price.first.picos(), 172_800_000_000);
    let changes: Vec<(i64, i64)> = price
        .changes
        .iter()
        .map(|(at, rate)| (at.micros() / 3_600_000_000, rate.picos()))
        .collect();
    assert_eq!(changes, [(1, 86_400_000_000), (2, 172_800_000_000)]);
    assert_eq!(scenario.world.quotas[0].limit, 8_000);
    assert_eq!(scenario.world.quotas[0].name, "aws/us-east-1 vcpus");
    assert_eq!(scenario.world.links.len(), 4);
}

/// A scenario with one spot offer in us-east-1a and rows of `availability`, in `folder`.
fn with_availability(folder: &Path, rows: &str) -> Result<Scenario, Vec<String>> {
    let text = format!(
        "{SMALL}[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
         types = [\"m5.xlarge\"]\nmarkets = [\"spot\"]\ncapacity = 9\n{rows}"
    );
    let read = Scenario::parse(&text, "a.toml", folder, &[]);
    read.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// Capacities of that offer, the first and then each change with its second.
fn capacities(folder: &Path, rows: &str) -> (Option<u32>, Vec<(i64, Option<u32>)>) {
    let scenario = with_availability(folder, rows).expect("it is right");
    let path = &scenario.world.offers.rows()[1].capacity;
    let changes = path.changes.iter().map(|&(at, most)| (at.micros() / 1_000_000, most));
    (path.first, changes.collect())
}

#[test]
fn the_last_row_of_availability_that_holds_counts() {
    let path = Path::new("");
    let row = |rest: &str| format!("[[cloud.aws.availability]]\n{rest}\n");
    assert_eq!(capacities(path, ""), (Some(9), vec![]));
    assert_eq!(capacities(path, &row("instances = 4")), (Some(4), vec![]));
    let two = row("instances = 4\nfrom = \"1 min\"\nuntil = \"4 min\"")
        + &row("instances = 0\nzone = \"us-east-1a\"\nfrom = \"2 min\"\nuntil = \"3 min\"");
    let want = vec![(60, Some(4)), (120, Some(0)), (180, Some(4)), (240, Some(9))];
    assert_eq!(capacities(path, &two), (Some(9), want));
    // Elsewhere, or of another market, a row holds for others.
    for other in ["zone = \"us-east-1b\"", "market = \"on-demand\"", "family = \"c5\""] {
        assert_eq!(capacities(path, &row(&format!("instances = 4\n{other}"))), (Some(9), vec![]));
    }
    let unlimited = row("instances = \"unlimited\"\nfrom = \"1 min\"");
    assert_eq!(capacities(path, &unlimited), (Some(9), vec![(60, None)]));
}

#[test]
fn a_trace_says_how_many_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "counts.csv",
        "start_utc,probe_seconds,us-east-1a,x\n2025-10-04T00:00:00Z,60,3,0\n\
         2025-10-04T00:10:00Z,60,5,1\n2025-10-04T00:20:00Z,60,1,2\n",
    );
    write("states.json", "{\"metadata\": {\"gap_seconds\": 60}, \"data\": [1, 0, 0, 1]}");
    let of = |rest: &str| {
        capacities(folder.path(), &format!("[[cloud.aws.availability]]\ntrace = {rest}\n"))
    };
    let some = |first: u32, changes: &[(i64, u32)]| {
        let changes = changes.iter().map(|&(at, most)| (at, Some(most))).collect();
        (Some(first), changes)
    };
    assert_eq!(of("\"counts.csv\""), some(3, &[(600, 5), (1_200, 1)]));
    assert_eq!(of("\"counts.csv\"\ntrace_zone = \"x\""), some(0, &[(600, 1), (1_200, 2)]));
    assert_eq!(of("\"counts.csv\"\nthreshold = 4"), some(0, &[(600, 4), (1_200, 0)]));
    assert_eq!(of("\"counts.csv\"\ninstances = 2"), some(6, &[(600, 10), (1_200, 2)]));
    // From the first minute on; what was before comes back after the fifteenth.
    let moved = "\"counts.csv\"\nfrom = \"1 min\"\nuntil = \"15 min\"";
    assert_eq!(of(moved), some(9, &[(60, 3), (660, 5), (900, 9)]));
    let available = "\"states.json\"\none_is = \"available\"\ninstances = 7";
    assert_eq!(of(available), some(7, &[(60, 0), (180, 7)]));
    let preempted = "\"states.json\"\none_is = \"preempted\"";
    assert_eq!(of(preempted), some(0, &[(60, 1), (180, 0)]));
    for (rest, wanted) in [
        ("trace = \"nowhere.csv\"", "cannot read the trace `nowhere.csv`"),
        ("trace = \"states.json\"", "files of states disagree on what a 1 says"),
        ("trace = \"counts.csv\"\none_is = \"available\"", "has no polarity"),
        ("trace = \"counts.csv\"\ntrace_zone = \"y\"", "has no zone called `y`"),
        ("trace = \"counts.csv\"\ninstances = \"unlimited\"", "is no unlimited number"),
        ("threshold = 3\ninstances = 1", "`threshold` needs a `trace`"),
        ("zone = \"us-east-1a\"", "`availability` says nothing"),
    ] {
        let rows = format!("[[cloud.aws.availability]]\n{rest}\n");
        let problems = with_availability(folder.path(), &rows).expect_err("it is wrong");
        assert!(problems.iter().any(|one| one.contains(wanted)), "{rest}: {problems:?}");
    }
}

/// Rows of `availability` of one state each, for a model of 16 instances.
const MODEL: &str = "[[cloud.aws.availability]]\ninstances = 16\n\
    model.none = { lasts = \"30 min\", next = { partial = 1 } }\n\
    model.partial = { lasts = \"lognormal(median=10 min, sigma=1)\", next = { none = 1, full = 3 }, \
    level = 8, step_every = \"5 min\", step_by = \"uniform(low=-2, high=2)\" }\n\
    model.full = { lasts = \"weibull(shape=0.7, mean=2 h)\", next = { none = 1, partial = 1 } }\n";

#[test]
fn a_model_is_drawn_where_no_later_row_holds() {
    let path = Path::new("");
    let hidden = "[[cloud.aws.availability]]\ninstances = 0\nfrom = \"6 h\"\nuntil = \"8 h\"\n";
    let scenario = with_availability(path, &format!("{MODEL}{hidden}")).expect("it is right");
    let offer = &scenario.world.offers.rows()[1];
    let hours = |hours: i64| Time::from_secs(hours * 3_600);
    assert_eq!(offer.capacity.changes, [(hours(6), Some(0))]);
    assert_eq!(offer.capacity.most(), Some(16));
    let [before, after] = &offer.capacity.drawn[..] else { panic!("two periods") };
    assert_eq!((before.from, before.until), (None, Some(hours(6))));
    assert_eq!((after.from, after.until), (Some(hours(8)), None));
    let key = crate::units::stream::fnv1a(offer.name.as_bytes());
    for period in [before, after] {
        assert_eq!((period.anchor, period.key), (Time::ZERO, [key, 0]));
        assert_eq!(period.law.most(), 16);
    }
    // By the share of visits 5 : 8 : 6 and the means 1800, 600 e^(1/2) and 7200 s.
    let parts = [5.0 * 1_800.0, 8.0 * 600.0 * 0.5_f64.exp(), 6.0 * 7_200.0];
    for (share, part) in before.law.shares().into_iter().zip(parts) {
        assert!((share - part / parts.iter().sum::<f64>()).abs() < 1e-9);
    }
    // Of two models in turn each has its own path; one that begins later is drawn from then on.
    let later = MODEL.replace("instances = 16", "instances = 3\nfrom = \"1 h\"");
    let scenario = with_availability(path, &format!("{MODEL}{later}")).expect("it is right");
    let drawn = &scenario.world.offers.rows()[1].capacity.drawn;
    let key_and_anchor = drawn.iter().map(|period| (period.key[1], period.anchor));
    assert_eq!(key_and_anchor.collect::<Vec<_>>(), [(0, Time::ZERO), (1, hours(1))]);
}

#[test]
fn offers_of_a_group_have_one_path() {
    let keys = |together: &str| {
        let text = format!(
            "{SMALL}[cloud.aws]\nregions = [\"us-east-1\", \"eu-west-1\"]\n\
             types = [\"m5.xlarge\", \"m5.large\"]\nmarkets = [\"spot\"]\n{MODEL}{together}"
        );
        let read = Scenario::parse(&text, "a.toml", Path::new(""), &[]).expect("it is right");
        let drawn =
            read.world.offers.rows().iter().filter_map(|offer| offer.capacity.drawn.first());
        let keys: Vec<u64> = drawn.map(|period| period.key[0]).collect();
        let all: std::collections::BTreeSet<u64> = keys.iter().copied().collect();
        (keys.len(), all.len())
    };
    let (offers, own) = keys("");
    assert_eq!(offers, own);
    assert_eq!(keys("together = \"zone\"\n"), (offers, offers / 2));
    assert_eq!(keys("together = \"region\"\n"), (offers, 2));
    assert_eq!(keys("together = \"provider\"\n"), (offers, 1));
}

#[test]
fn a_model_that_is_none_is_told() {
    let two = "model.none.lasts = \"1 h\"\nmodel.full.lasts";
    for (rest, wanted) in [
        ("together = \"zone\"\ninstances = 1", "`together` needs a `model`"),
        (
            "instances = \"unlimited\"\nmodel.memoryless = { losses_per_hour = 1, absence = \"1 h\" }",
            "are no unlimited number",
        ),
        (
            "trace = \"x\"\nmodel.memoryless = { losses_per_hour = 1, absence = \"1 h\" }",
            "not both",
        ),
        ("model.memoryless = { absence = \"1 h\" }", "`losses_per_hour` is missing"),
        (
            "model.memoryless = { losses_per_hour = 1, absence = \"1 h\" }\nmodel.full.lasts = \"1 h\"",
            "beside `memoryless` a model has no `full`",
        ),
        ("model.advisor = { absence = \"1 h\" }\nmarket = \"spot\"", "an advisor has one figure"),
        (
            "market = \"spot\"\nmodel.advisor = { aws = \"<5%\", gcp = \"5 %\", absence = \"1 h\" }",
            "an advisor has one figure",
        ),
        ("model.advisor = { aws = \"<5%\", absence = \"1 h\" }", "is one of spot instances"),
        ("market = \"spot\"\nmodel.advisor.aws = \"<5%\"", "`absence` is missing"),
        (
            "market = \"spot\"\nmodel.advisor = { aws = \"5%\", absence = \"1 h\" }",
            "`aws` must be `\"<5%\"`, `\"5-10%\"`",
        ),
        (
            "market = \"spot\"\nmodel.advisor = { aws = \"<5%\", life = \"0 h\", absence = \"1 h\" }",
            "longer than 0",
        ),
        (
            "market = \"spot\"\nmodel.advisor = { azure = \"0-5%\", life = \"1 h\", absence = \"1 h\" }",
            "`life` belongs to a figure of `aws`",
        ),
        (
            "market = \"spot\"\nmodel.advisor = { gcp = \"5 %\", absence = \"1 h\" }",
            "a share of stops is no rate of losses",
        ),
        (
            "market = \"spot\"\nmodel.advisor = { gcp = \"0 %\", stops_per_day = 2, absence = \"1 h\" }",
            "nothing is lost",
        ),
        ("model.full.lasts = \"1 h\"", "which state follows?"),
        (&format!("{two} = \"pareto(shape=1, minimum=1 h)\""), "has no mean"),
        (
            &format!("{two} = \"1 h\"\nmodel.partial = {{ lasts = \"1 h\" }}"),
            "which state follows?",
        ),
        (&format!("{two} = \"1 h\"\nmodel.full.next = {{ none = 0 }}"), "nothing follows it"),
        (&format!("{two} = \"1 h\"\nmodel.half.lasts = \"1 h\""), "unknown key `half`"),
    ] {
        let rows = format!("[[cloud.aws.availability]]\n{rest}\n");
        let problems = with_availability(Path::new(""), &rows).expect_err("it is wrong");
        assert!(problems.iter().any(|one| one.contains(wanted)), "{rest}: {problems:?}");
    }
    let steps = MODEL.replace("level = 8, ", "");
    let problems = with_availability(Path::new(""), &steps).expect_err("it is wrong");
    assert!(problems[0].contains("steps need the `level`"), "{problems:?}");
}

/// By hand: -ln(1 - 0.1) / 730 h; twice as often in half the time; -ln(1 - 0.1) an hour; the lower end of
/// the last band; 12 % of a stop every two days.
#[test]
fn figures_of_advisors_are_rates_of_their_own() {
    let seen = |figure: &str| {
        let rows = format!(
            "[[cloud.aws.availability]]\nmarket = \"spot\"\ninstances = 4\n\
             model.advisor = {{ {figure}, absence = \"30 min\" }}\n"
        );
        let scenario = with_availability(Path::new(""), &rows).expect("it is right");
        let law = scenario.world.offers.rows()[1].capacity.drawn[0].law.clone();
        let mean = |state| law.state(state).and_then(|one| one.lasts.mean()).expect("a mean");
        assert_eq!((law.most(), mean(crate::model::CapacityState::None)), (4, 1_800.0));
        let told = scenario.assumptions.iter().map(ToString::to_string);
        let told = told.filter(|told| told.contains("are lost by")).collect::<String>();
        (3_600.0 / mean(crate::model::CapacityState::Full), told)
    };
    let tenth = -(0.9_f64.ln());
    for (figure, rate, words) in [
        (
            "aws = \"5-10%\"",
            tenth / 730.0,
            "the band 5-10% of a month, the upper end, in 30 d 10 h",
        ),
        ("aws = \"5-10%\", life = \"365 h\"", tenth / 365.0, "in 15 d 5 h of use"),
        ("aws = \">20%\"", -(0.8_f64.ln()) / 730.0, "the lower end, as it has no upper one"),
        ("azure = \"5-10%\"", tenth, "5-10% of evictions in an hour, the upper end"),
        ("azure = \"20+%\"", -(0.8_f64.ln()), "a constant rate of one loss in 4 h 28 min"),
        (
            "gcp = \"12 %\", stops_per_day = 0.5",
            0.0025,
            "12 % of 0.5 stops of an instance in a day",
        ),
    ] {
        let (found, told) = seen(figure);
        assert!((found / rate - 1.0).abs() < 1e-12, "{figure}: {found}, not {rate}");
        assert!(
            told.starts_with("Spot instances of aws are lost by ") && told.contains(words),
            "{told}"
        );
        assert!(told.contains("for 30 min in the mean"), "{told}");
    }
}

/// A scenario with one spot offer in each of two zones, and these rows of the cloud.
fn with_zones(folder: &Path, rows: &str) -> Result<Scenario, Vec<String>> {
    let text = format!(
        "{SMALL}[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\", \"us-east-1b\"]\n\
         types = [\"m5.xlarge\"]\nmarkets = [\"spot\"]\n{rows}"
    );
    let read = Scenario::parse(&text, "a.toml", folder, &[]);
    read.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn zones_that_move_together_are_members_of_one_group() {
    let group = |correlation: &str| {
        format!(
            "{MODEL}[cloud.aws.comovement]\nrelaxation = \"2 h\"\n\
             pairs = [{{ zones = [\"us-east-1a\", \"us-east-1b\"], correlation = {correlation} }}]\n"
        )
    };
    let scenario = with_zones(Path::new(""), &group("-0.1")).expect("it is right");
    let members: Vec<_> = scenario.world.offers.rows()[1..]
        .iter()
        .map(|offer| offer.capacity.drawn[0].moves_with.clone().expect("it is a member"))
        .collect();
    assert_eq!((members[0].row, members[1].row), (0, 1));
    assert_eq!(members[0].group, members[1].group);
    let told = |rows: &str| with_zones(Path::new(""), rows).expect_err("it is wrong").join("\n");
    let far = told(&group("-0.5"));
    assert!(far.contains("correlation of `us-east-1a` and `us-east-1b`: -0.5 is out of reach"));
    assert!(
        told(&group("-0.1").replace("\"us-east-1b\"]", "\"us-east-1a\"]")).contains("different")
    );
    let bare = group("-0.1").replace(MODEL, "");
    assert!(told(&bare).contains("no capacity in the zone `us-east-1a` has a `model`"));
}

#[test]
fn a_price_is_drawn_or_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "p.csv",
        "time,zone,usd_per_hour\n0,us-east-1a,0.1\n600,us-east-1a,0.2\n7200,us-east-1a,0.3\n",
    );
    write("dated.csv", "time,usd_per_hour\n2025-12-31T23:00:00Z,0.5\n2026-01-01T01:00:00Z,0.6\n");
    let read = |rows: &str| {
        with_zones(folder.path(), &format!("[[cloud.aws.price]]\n{rows}")).expect("it is right")
    };
    let rate = |text: &str| Rate::parse(text).expect("a price");
    let seen = |scenario: &Scenario, row: usize| {
        let path = scenario.world.offers.rows()[row].price.clone();
        let changes = path.changes.iter().map(|&(at, rate)| (at.micros() / 1_000_000, rate));
        (path.first, changes.collect::<Vec<_>>())
    };
    let scenario = read("trace = \"p.csv\"\nuntil = \"1 h\"\n");
    let (first, changes) = seen(&scenario, 1);
    assert_eq!((first, changes[0]), (rate("0.1"), (600, rate("0.2"))));
    // The price before it comes back after an hour, and in another zone it never goes.
    assert_eq!((changes.len(), changes[1].0), (2, 3_600));
    assert_eq!(seen(&scenario, 2), (changes[1].1, vec![]));
    let scenario = read("trace = \"dated.csv\"\n[[cloud.aws.price]]\ndiscount = \"50 %\"\n");
    assert_eq!(seen(&scenario, 1), (rate("0.25"), vec![(3_600, rate("0.3"))]));
    // Drawn around what it was, with a discount from the second hour on: one path in two periods.
    let rows = "model.reverting = { sigma = 0.2, relaxation = \"1 d\" }\n\
                [[cloud.aws.price]]\ndiscount = \"50 %\"\nfrom = \"1 h\"\n";
    let scenario = read(rows);
    let path = &scenario.world.offers.rows()[1].price;
    let [one, other] = &path.drawn[..] else { panic!("two periods") };
    let base = path.first.picos() / 1_000_000;
    assert_eq!((&one.scales, &other.scales), (&vec![base], &vec![base, 500_000]));
    assert_eq!((one.anchor, one.key, &one.law), (other.anchor, other.key, &other.law));
    assert_eq!(one.law.every(), crate::units::Span::HOUR);
    assert!(path.lowest(Time::ZERO) > Rate::ZERO);
    let told = |rows: &str| {
        let rows = format!("[[cloud.aws.price]]\n{rows}");
        with_zones(folder.path(), &rows).expect_err("it is wrong").join("\n")
    };
    assert!(told("trace = \"nowhere.csv\"\n").contains("cannot read the trace `nowhere.csv`"));
    assert!(told("model.every = \"1 h\"\n").contains("a price has one model"));
    assert!(told("usd_per_hour = 1\ntrace = \"p.csv\"\n").contains("has either"));
    let bounded = "model.reverting = { sigma = 1, relaxation = \"1 d\" }\nmodel.lowest = 1\n";
    assert!(told(bounded).contains("need a `median`"));
    assert!(
        told("model.stepwise = { usd_per_hour = \"normal(mean=1, sd=1)\" }\n").contains("negative")
    );
}

/// Google's prices change at most once a day since 2026, and before that once in thirty days.
#[test]
fn how_often_prices_change_goes_by_provider_and_date() {
    let every = |start: &str| {
        let text = format!(
            "start = {start}\n{SMALL}[cloud.gcp]\nregions = [\"us-central1\"]\n\
             zones = [\"us-central1-a\"]\ntypes = [\"n2-standard-4\"]\nmarkets = [\"spot\"]\n\
             [[cloud.gcp.price]]\nmodel.reverting = {{ sigma = 0.1, relaxation = \"30 d\" }}\n"
        );
        let read = Scenario::parse(&text, "a.toml", Path::new(""), &[]).expect("it is right");
        read.world.offers.rows()[1].price.drawn[0].law.every()
    };
    let days = |days: i64| crate::units::Span::from_secs(86_400 * days);
    assert_eq!(every("\"2026-06-01T00:00:00Z\""), days(1));
    assert_eq!(every("\"2025-06-01T00:00:00Z\""), days(30));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = Scenario::parse(&text, "a.toml", Path::new("/nowhere"), &[]);
    }

    #[test]
    fn no_mutation_panics(
        which in 0usize..3,
        at in 0usize..9_000,
        gone in 0usize..40,
        new in "[a-z0-9.=\"\\[\\]{}\n -]{0,12}",
    ) {
        let text = [
            quickstart(),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/hybrid-burst.toml")),
            SMALL,
        ][which];
        let mut from = at % text.len();
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        let mut to = (from + gone).min(text.len());
        while !text.is_char_boundary(to) {
            to -= 1;
        }
        let text = format!("{}{new}{}", &text[..from], &text[to.max(from)..]);
        let _ = Scenario::parse(&text, "a.toml", Path::new("/nowhere"), &[]);
    }

    #[test]
    fn no_edit_panics(key in "[a-z.\"\\[0-9]{0,30}", value in "\\PC{0,20}") {
        let _ = Scenario::parse(SMALL, "a.toml", Path::new("/nowhere"), &[(key, value)]);
    }
}

#[test]
fn checkpoints_are_read_with_their_defaults() {
    let own = "class.a.checkpoint = { write = \"1 min\", blocking = false, restore = \"5 min\" }";
    let text = SMALL.replace(
        "[cluster.c]",
        &format!("{own}\n[workload.checkpoint]\nwrite = \"2 min\"\n[cluster.c]"),
    ) + "[policy.p.checkpoint.young]\nmtbf = \"10 d\"\n[policy.q]\npreset = \"batch-fcfs\"\n";
    let scenario = Scenario::parse(&text, "a.toml", Path::new(""), &[]).expect("it is right");
    let minutes = |minutes: i64| Span::from_secs(60 * minutes);
    let WorkloadInput::Synthetic(work) = &scenario.workload.input else { panic!("it is drawn") };
    let own = Checkpoint { write: minutes(1), blocking: false, restore: minutes(5) };
    assert_eq!(work.classes[0].checkpoint, Some(own));
    let default = scenario.workload.defaults.checkpoint;
    assert_eq!(default, Some(Checkpoint::blocking(minutes(2))));
    let [young, never] = &scenario.policies[..] else { panic!("two policies") };
    let mtbf = Span::from_secs(864_000);
    assert_eq!(young.checkpoint, checkpoint::YOUNG.spec().set("mtbf", mtbf));
    assert_eq!(never.checkpoint, checkpoint::NEVER.spec());
}

#[test]
fn checkpoints_that_mean_nothing_are_refused() {
    let with = |class: &str, policy: &str| {
        let class = format!("class.a.checkpoint = {class}\n[cluster.c]");
        format!("{}checkpoint = {policy}\n", SMALL.replace("[cluster.c]", &class))
    };
    check(
        &with("{ restore = \"1 min\" }", "{ periodic = { every = \"0 s\" } }"),
        expect![[r#"
            a.toml:6:22: `write` is missing
              hint: `write` is a span such as `"30 min"`
            a.toml:12:37: `every` must be longer than 0
              hint: such as `"30 min"`
        "#]],
    );
    check(
        &with("{ write = \"1 min\" }", "{ external = [\"ours\"] }"),
        expect![[r#"
            a.toml:12:14: `checkpoint` names no part
              hint: such as `[policy.NAME.checkpoint.never]`
            a.toml:12:16: unknown key `external` in `policy.p.checkpoint`
              hint: known keys: never, periodic, young, daly, on-notice
        "#]],
    );
    check(
        &with("{ write = 5 }", "\"dayly\""),
        expect![[r#"
            a.toml:6:32: `write` must be a span such as `"30 min"`, found `5`
              hint: give its unit: `"5 s"`
            a.toml:12:14: `checkpoint` must be `"never"`, `"periodic"`, `"young"`, `"daly"` or `"on-notice"`, found `"dayly"`
              hint: did you mean `"daly"`?
        "#]],
    );
}

/// Powers by load, the data centre and grids of a cluster and of the regions of a cloud.
#[test]
fn electricity_is_read_by_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = "time,g_per_kwh\n0,100\n3600,250.5\n";
    std::fs::write(folder.path().join("grid.csv"), path).expect("written");
    let cluster = "power = [\"100 W\", \"300 W\"]\npue = 1.25\ncarbon_trace = \"grid.csv\"\n";
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\", \"us-west-2\"]\ntypes = [\"m5.xlarge\"]\n\
                 idle_power = \"40 %\"\npue = 1.1\n\
                 [[cloud.aws.carbon]]\ntrace = \"grid.csv\"\n\
                 [[cloud.aws.carbon]]\nregion = \"us-west-2\"\ng_per_kwh = 80\npue = 1.3\n";
    let text = SMALL.replace("[cluster.c]\n", &format!("[cluster.c]\n{cluster}")) + cloud;
    let scenario = Scenario::parse(&text, "a.toml", folder.path(), &[]).expect("it is valid");
    let world = &scenario.world;
    let regions = world.regions.rows();
    let at =
        |row: usize, secs| regions[row].carbon.as_ref().map(|path| path.at(Time::from_secs(secs)));
    assert_eq!([at(0, -1), at(0, 3_599)], [Some(100_000_000); 2]);
    assert_eq!([at(0, 3_600), at(1, 9_999)], [Some(250_500_000); 2]);
    assert_eq!(at(2, 0), Some(80_000_000));
    let pues: Vec<i64> = regions.iter().map(|region| region.pue_millionths).collect();
    assert_eq!(pues, [1_250_000, 1_100_000, 1_300_000]);
    let powers = |name: &str| {
        let found = world.types.rows().iter().find(|known| known.name == name).expect(name);
        let power = found.power.as_ref().expect("it is known");
        [0, 50, 100].map(|load| power.at(load, 100))
    };
    assert_eq!(powers("c"), [100_000_000, 200_000_000, 300_000_000]);
    let [idle, half, full] = powers("m5.xlarge");
    assert!(full > 0 && idle * 10 == full * 4 && half * 10 == full * 7, "{idle} {half} {full}");
    let told = scenario.assumptions.iter().map(ToString::to_string).collect::<String>();
    assert!(told.contains("The carbon intensity of c is that of grid.csv, from"), "{told}");
}

#[test]
fn electricity_that_cannot_be_is_told() {
    let wrong = "power = []\npue = 0.5\ncarbon_g_per_kwh = 5\ncarbon_trace = \"none.csv\"\n";
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\nidle_power = \"40\"\n\
                 [[cloud.aws.carbon]]\nregion = \"us-esat-1\"\ntrace = \"none.csv\"\n\
                 [[cloud.aws.carbon]]\ntrace = \"none.csv\"\n";
    let policy = "shift = { wait-awhile = { forecast = \"tomorrow\", regions = [\"d\"] } }\n";
    let text = SMALL.replace("[cluster.c]\n", &format!("[cluster.c]\n{wrong}")) + policy + cloud;
    check(
        &text,
        expect![[r#"
        a.toml:7:9: `power` must be power such as `"450 W"`, or a list of it from no load to full load, found a list
        a.toml:8:7: `pue` must be a number from 1 to 10, found `0.5`
        a.toml:10:16: there is either `carbon_g_per_kwh` or `carbon_trace`, not both
        a.toml:15:38: `forecast` must be `"perfect"` or `"yesterday"`, found `"tomorrow"`
        a.toml:15:61: nothing in `regions` is called `d`
          hint: there is: c, aws/us-east-1
        a.toml:18:14: `idle_power` must be a percentage from 0 % to 100 % such as `"12 %"`, found `"40"`
          hint: give its unit: `"40 %"`
        a.toml:20:10: no region `us-esat-1` of AWS is used
          hint: did you mean `us-east-1`?
        a.toml:23:9: cannot read the trace `none.csv`: No such file or directory (os error 2)
          hint: paths are relative to the scenario's folder
    "#]],
    );
}

/// `devices` of a row: a GPU each, or all of so many machines; of `like` the cause `gpu` alone.
#[test]
fn single_gpus_fail_by_their_own_rate() {
    let read = |row: &str| {
        let d = "[cluster.d]\nnodes = 3\nshape = { vcpus = 2, memory = \"4 GiB\", gpus = \"8 x H100-80GB\" }\n";
        let text = format!("{SMALL}{d}[[failure]]\n{row}\n");
        Scenario::parse(&text, "a.toml", Path::new(""), &[])
    };
    let faults = |row: &str| -> Vec<_> {
        let scenario = read(row).expect("it is right");
        let told = scenario.world.faults.iter().map(|fault| {
            let FaultTimes::Drawn { life, .. } = &fault.times else { panic!("it is drawn") };
            let days = life.mean().expect("it has one") / 86_400.0;
            (fault.offers.len(), fault.domain, fault.effect, days.round())
        });
        told.collect()
    };
    let (one, all) = (FaultDomain::Device, FaultDomain::Machines(18));
    let (gpus, machines) = (FaultEffect::Devices, FaultEffect::Machines);
    assert_eq!(faults("mtbf_per_gpu = \"80 d\"\ndevices = \"one\""), [(1, one, gpus, 80.0)]);
    assert_eq!(faults("life = \"7 d\"\ndevices = \"one\""), [(1, one, gpus, 7.0)]);
    let rack = "devices = \"all\"\nmachines = 18\n";
    assert_eq!(faults(&format!("{rack}mtbf = \"9 d\"")), [(1, all, gpus, 9.0)]);
    assert_eq!(faults(&format!("{rack}mtbf_per_gpu = \"80 d\"")), [(1, all, gpus, 10.0)]);
    // 6.5 in 1,000 days of eight, of which .6, .15, .1 and .15: one GPU in 8 / .0039 days.
    let node = FaultDomain::Machines(1);
    let like = [
        (1, one, gpus, 2_051.0),
        (1, node, machines, 1_026.0),
        (1, node, machines, 1_538.0),
        (1, node, machines, 1_026.0),
    ];
    assert_eq!(faults("like = \"gpu-typical\"\ndevices = \"one\""), like);
    let of_machine = faults("like = \"gpu-typical\"\ndevices = \"all\"");
    assert_eq!(of_machine[0], (1, node, gpus, 256.0));
    assert_eq!(of_machine[1..], like[1..]);
    let wrong = |row: &str| match read(row) {
        Ok(_) => panic!("it is wrong"),
        Err(problems) => problems.to_string(),
    };
    let one = |row: &str| wrong(&format!("devices = \"one\"\n{row}"));
    assert!(one("mtbf = \"9 d\"").contains("`mtbf` is of whole machines"));
    assert!(one("mtbf_per_gpu = \"9 d\"\nmachines = 2").contains("one GPU is of one machine"));
    assert!(one("trace = \"f.csv\"").contains("a trace names machines"));
    assert!(
        wrong("devices = \"all\"\nmtbf = \"9 d\"\nrepair = \"1 h\"\nspeed = \"50 %\"")
            .contains("whose GPUs break is no slower")
    );
    assert!(one("life = \"9 d\"\nprovider = \"c\"").contains("has a GPU"));
}

/// Machines of a cluster of one node, and of a second cluster: numbers go on from one to the next.
#[test]
fn failures_of_a_trace_strike_the_machines_of_their_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "machine,from,until\n1,60,120\n0,0,\n1,600,660\n7,5,6\n";
    std::fs::write(folder.path().join("f.csv"), text).expect("it is written");
    let read = |row: &str| {
        let d = "[cluster.d]\nnodes = 3\nshape = { vcpus = 2, memory = \"4 GiB\" }\n[[failure]]\n";
        let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m5.large\"]\n";
        let text = format!("{SMALL}{cloud}{d}{row}");
        Scenario::parse(&text, "a.toml", folder.path(), &[])
    };
    let of_clusters = "region = \"d\"\ntrace = \"f.csv\"\nspeed = \"40 %\"\n";
    let scenario = read(of_clusters).expect("it is right");
    let [fault] = &scenario.world.faults[..] else { panic!("of one offer") };
    let period = |from, until| (Time::from_secs(from), Some(Time::from_secs(until)));
    let second = vec![period(60, 120), period(600, 660)];
    assert_eq!(fault.times, FaultTimes::Listed(vec![vec![(Time::ZERO, None)], second]));
    assert_eq!(fault.effect, FaultEffect::Speed(400_000));
    let told: Vec<String> = scenario.assumptions.iter().map(ToString::to_string).collect();
    let beyond = told.iter().find(|one| one.contains("failures `failure 1`")).expect("it is told");
    assert!(beyond.starts_with("1 of 3 machines"), "{beyond}");

    let wrong = |row: &str| match read(row) {
        Ok(_) => panic!("it is wrong"),
        Err(problems) => problems.to_string(),
    };
    assert!(wrong("trace = \"f.csv\"\n").contains("says not whose machines these are"));
    assert!(wrong("trace = \"f.csv\"\nregion = \"d\"\ncrews = 2\n").contains("trace says"));
    assert!(wrong("mtbf = \"9 d\"\nspeed = \"40 %\"\n").contains("needs a `repair`"));
    let outage = |row: &str| wrong(&format!("mtbf = \"9 d\"\n[[outage]]\nfrom = \"1 h\"\n{row}"));
    assert!(outage("plane = \"network\"\n").contains("how slow the network is"));
    assert!(outage("plane = \"launches\"\nspeed = \"9 %\"\n").contains("of machines or of"));
    assert!(outage("data_lost = true\nspeed = \"9 %\"\n").contains("data is lost where"));
}

/// The last row that says something of a stage counts, whatever it is found by.
#[test]
fn launches_go_by_the_rows_that_name_them() {
    let read = |rows: &str| {
        let text = format!(
            "{SMALL}[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m5.large\", \"c5.xlarge\"]\n\
             boot = \"40 s\"\n{rows}"
        );
        Scenario::parse(&text, "a.toml", Path::new(""), &[])
    };
    let scenario = read(
        "throttle = { burst = 7, every = \"500 ms\" }\n\
         [[cloud.aws.launch]]\ntype = \"m5.large\"\nimage = \"30 s\"\nfails = \"5 %\"\n\
         [[cloud.aws.launch]]\nwarm_up = \"5 s\"\nimage = \"10 s\"\n\
         [[cloud.aws.launch]]\nfamily = \"c5\"\nprovision = \"60 s\"\nfails_after = \"9 s\"\n",
    );
    let world = scenario.expect("it is right").world;
    let of = |name: &str| {
        let is_it = |offer: &&crate::model::Offer| offer.name.contains(name);
        let terms = &world.offers.rows().iter().find(is_it).expect("it is there").launch;
        let secs = terms.stages.clone().map(|stage| stage.mean().expect("it has one"));
        (secs, terms.fails, terms.fails_after.mean())
    };
    assert_eq!(of("m5.large"), ([0.0, 40.0, 10.0, 5.0], 50_000, Some(0.0)));
    assert_eq!(of("c5.xlarge"), ([0.0, 60.0, 10.0, 5.0], 0, Some(9.0)));
    let throttle = world.providers.rows().last().expect("a cloud").throttle.expect("it has one");
    assert_eq!((throttle.burst, throttle.every.micros()), (7, 500_000));
    let wrong = |rows: &str| match read(rows) {
        Ok(_) => panic!("it is wrong"),
        Err(problems) => problems.to_string(),
    };
    assert!(wrong("[[cloud.aws.launch]]\ntype = \"m5.large\"\n").contains("says nothing"));
    assert!(wrong("[[cloud.aws.launch]]\ntype = \"m9\"\nfails = \"5 %\"\n").contains("no type"));
    assert!(wrong("throttle = { burst = 7, every = \"0 s\" }\n").contains("is no limit"));
    assert!(wrong("throttle = { burst = 7, every = \"1 us\" }\n").contains("at least 0.001 s"));
    assert!(wrong("throttle = { burst = 7 }\n").contains("every"));
    let outage = |row: &str| wrong(&format!("[[outage]]\nuntil = \"1 h\"\n{row}"));
    assert!(outage("surge_for = \"1 h\"\n").contains("needs a `surge`"));
    assert!(outage("surge = \"9 %\"\nspeed = \"9 %\"\n").contains("nobody seeks others"));
}

/// Launches suffer in the other zones of the region, and where a whole region is out, in the others.
#[test]
fn a_surge_is_where_all_come_to() {
    let surge = |row: &str| {
        let text = format!(
            "{SMALL}[cloud.aws]\nregions = [\"us-east-1\", \"eu-west-1\"]\ntypes = [\"m5.large\"]\n\
             [[outage]]\nuntil = \"1 h\"\nsurge = \"60 %\"\nsurge_for = \"2 h\"\n{row}"
        );
        let world =
            Scenario::parse(&text, "a.toml", Path::new(""), &[]).expect("it is right").world;
        let surge = world.faults[0].surge.clone().expect("it has one");
        assert_eq!((surge.chance, surge.after), (600_000, crate::units::Span::from_secs(7_200)));
        let place = |offer: &crate::units::Id<crate::model::Offer>| {
            world.zones[world.offers[*offer].zone].name.clone()
        };
        surge.offers.iter().map(place).collect::<Vec<_>>()
    };
    let sisters = surge("zone = \"us-east-1a\"\n");
    assert!(sisters.iter().all(|zone| zone.starts_with("us-east-1") && zone != "us-east-1a"));
    assert!(sisters.len() > 1, "{sisters:?}");
    let abroad = surge("region = \"us-east-1\"\n");
    assert!(!abroad.is_empty() && abroad.iter().all(|zone| zone.starts_with("eu-west-1")));
}
