//! Warnings of `validate` on what a valid scenario probably does not mean, and cautions beside
//! answers.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const WINDTUNNEL: &str = env!("CARGO_BIN_EXE_windtunnel");

/// Two own nodes of four GPUs, and a cloud without any.
const WORLD: &str = r#"question = "?"
[workload]
trace = "a.csv"
[cluster.dc]
nodes = 2
shape = { vcpus = 4, memory = "64 GiB", gpus = "4 x A100" }
cost = "3 USD/h"
[cloud.aws]
regions = ["us-east-1"]
families = ["m5"]
[policy.keep]
preset = "batch-fcfs"
"#;

fn folder(rows: &str, more: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    fs::write(folder.path().join("a.toml"), format!("{WORLD}{more}")).expect("written");
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(WINDTUNNEL);
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

/// Standard output and standard error of the command, and its exit code.
fn said(folder: &TempDir, arguments: &[&str]) -> (String, i32) {
    let output = run(folder.path(), arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
    let code = output.status.code().expect("it ends by itself");
    (text(output.stdout) + &text(output.stderr), code)
}

#[track_caller]
fn check(folder: &TempDir, arguments: &[&str], code: i32, wanted: &[&str], unwanted: &[&str]) {
    let (told, found) = said(folder, arguments);
    // Terminals wrap.
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(found, code, "{told}");
    for want in wanted {
        assert!(told.contains(want), "no `{want}` in: {told}");
    }
    for want in unwanted {
        assert!(!told.contains(want), "`{want}` in: {told}");
    }
}

const ROWS: &str = "id,arrival_s,runtime_s,vcpus,gpus,gpu_models\n\
    a,0,100,4,1,A100\nb,10,100,4,1,V100M16\nc,20,100,4,1,A100-80GB\nd,20,100,400,0,\n";

#[test]
fn gpu_models_are_one_notion_in_clusters_catalogs_and_rows() {
    let folder = folder(ROWS, "");
    let vague = "The GPU model A100 does not say how much memory it has: it does for work that asks for \
                 A100-40GB or A100-80GB.";
    // a and c run on the cluster, whose A100 may be either.
    let unknown =
        "1 piece of work asks for the GPU model V100M16, which nothing here has (there is: A100)";
    check(&folder, &["run", "a.toml", "--no-out"], 0, &[vague, unknown, "2 of 4"], &[]);
    let plain = "1 piece of work asks for the GPU model `V100M16`, which nothing here has hint: there is: A100";
    check(&folder, &["validate", "a.toml"], 0, &[vague, plain], &["A10 "]);
}

#[test]
fn what_fits_nowhere_is_counted_by_validate_and_beside_the_answer() {
    let folder = folder(ROWS, "[policy.rent]\npreset = \"cloud-cheapest\"\n");
    let of_all = "2 of 4 pieces of work fit nowhere under keep";
    let of_rent = "1 of 4 pieces of work fits nowhere under rent";
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,100,8\nb,0,100,400\nc,0,100,4\n";
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    let first = "the first is `a`, which asks for 8 cores";
    let of_keep = of_all.replace("of 4", "of 3");
    let of_rent = of_rent.replace("of 4", "of 3");
    check(&folder, &["validate", "a.toml"], 0, &[&of_keep, &of_rent, first], &[]);
    let compared = ["2 of 3 pieces of work (66.7 %) fit nowhere under keep"];
    check(&folder, &["compare", "a.toml", "--out", "o"], 0, &compared, &[]);
    let page = fs::read_to_string(folder.path().join("o/decision.md")).expect("it is there");
    assert!(page.contains(compared[0]), "{page}");
}

#[test]
fn a_rule_that_forbids_what_nothing_has_is_an_error() {
    let rows = "id,arrival_s,runtime_s,vcpus,not_regions\na,0,10,1,\nb,0,10,1,aws/us-eest-1\n";
    let folder = folder(rows, "");
    let told = "work `b` forbids the region or cluster `aws/us-eest-1`, which nothing has: the rule \
                would do nothing hint: did you mean `aws/us-east-1`?";
    for command in ["validate", "run", "compare"] {
        check(&folder, &[command, "a.toml"], 2, &[told], &[]);
    }
    // A real region that this scenario does not rent in may be forbidden.
    let rows = rows.replace("aws/us-eest-1", "gcp/us-central1");
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    check(&folder, &["validate", "a.toml"], 0, &[], &["forbids"]);
}

#[test]
fn laws_and_certificates_that_are_not_to_be_had_are_errors() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,10,1\n";
    for (rule, told) in [
        ("jurisdictions = [\"Germany\"]", "nothing in `jurisdictions` is called `Germany`"),
        ("certifications = [\"iso27002\"]", "nothing in `certifications` is called `iso27002`"),
    ] {
        let folder = folder(rows, "");
        let text = WORLD.replace("trace = \"a.csv\"", &format!("trace = \"a.csv\"\n{rule}"));
        fs::write(folder.path().join("a.toml"), text).expect("written");
        check(&folder, &["validate", "a.toml"], 2, &[told, "a.toml:4:", "there is: "], &[]);
    }
}

#[test]
fn a_run_without_work_is_an_error() {
    let folder = folder("id,arrival_s,runtime_s,vcpus\n", "");
    for command in ["validate", "run", "compare"] {
        check(&folder, &[command, "a.toml"], 2, &["the workload has no work in it"], &[]);
    }
}

#[test]
fn a_market_that_nothing_is_sold_on_and_spot_without_interruptions_are_told() {
    let spot = "[policy.spot]\npreset = \"cloud-cheapest\"\n\
        provision = { cheapest = { markets = [\"on-demand\", \"spot\"] } }\n";
    let folder = folder("id,arrival_s,runtime_s,vcpus\na,0,100,1\nb,0,100,8\n", spot);
    let told = "olicy spot rents on the spot market, and nothing that it may rent is sold on it";
    check(&folder, &["validate", "a.toml"], 0, &[told], &[]);
    check(&folder, &["compare", "a.toml", "--no-out"], 0, &[told], &["never taken back"]);
    let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    let sold = text.replace("families =", "markets = [\"on-demand\", \"spot\"]\nfamilies =");
    fs::write(folder.path().join("a.toml"), sold).expect("written");
    let caution = "Spot instances are never taken back here";
    check(&folder, &["compare", "a.toml", "--out", "o"], 0, &[caution], &[told]);
    let page = fs::read_to_string(folder.path().join("o/decision.md")).expect("it is there");
    assert!(page.contains(caution), "{page}");
}

/// Work for GPUs and without, and gangs of two whole machines with GPUs; an own node that
/// holds it, and clouds that sell on demand, one also on the spot market.
const RENTED: &str = r#"question = "?"
[workload.synthetic]
count = 100
arrivals = { every = "10 min" }
class.single = { weight = 6, runtime = "10 min", vcpus = 4, gpus = 1, gpu_models = ["A100-80GB"] }
class.gang = { weight = 3, runtime = "10 min", tasks = 2, vcpus = 8, gpus = 8, gpu_models = ["A100-80GB"] }
class.plain = { weight = 1, runtime = "10 min", vcpus = 1, estimate = 2 }
[cluster.dc]
nodes = 2
shape = { vcpus = 96, memory = "1152 GiB", gpus = "8 x A100-80GB" }
cost = "12 USD/h"
[cloud.aws]
markets = ["on-demand", "spot"]
regions = ["us-east-1"]
zones = ["us-east-1a", "us-east-1b"]
[cloud.lambda]
regions = ["us-east-1"]
[policy.keep]
preset = "batch-backfill"
[policy.rent]
preset = "cloud-cheapest"
"#;

/// Narrowing, quotas, capacities and limits that leave a policy nothing to rent for work
/// that its own machines hold. Of 100 pieces, so many of each class are drawn under seed 1.
#[test]
fn a_policy_that_can_rent_for_none_or_only_some_of_the_work_is_told() {
    let folder = folder("", "");
    let path = folder.path().join("a.toml");
    let with = |policy: &str, cloud: &str| {
        let text = RENTED.replace("preset = \"cloud-cheapest\"\n", policy);
        fs::write(&path, text.replace("zones = ", &format!("{cloud}\nzones = "))).expect("written");
    };
    let rent = |narrow: &str| {
        format!("preset = \"cloud-cheapest\"\nprovision = {{ cheapest = {{ {narrow} }} }}\n")
    };
    let none = "olicy rent can rent for none of the work: ";
    let cases = [
        (
            "markets = [\"spot\"], providers = [\"lambda\"]",
            "",
            "none",
            "nothing of `providers = [\"lambda\"]` is sold on the spot market",
        ),
        (
            "families = [\"m5\"], providers = [\"lambda\"]",
            "",
            "none",
            "no offer is left of `providers = [\"lambda\"]`, `families = [\"m5\"]`",
        ),
        (
            "types = [\"m5.xlarge\"]",
            "",
            "gpus",
            "no instance type that it may rent (`types = [\"m5.xlarge\"]`) holds a task, the largest is \
             m5.xlarge with 4 vCPUs and 16 GiB",
        ),
        (
            "providers = [\"aws\"], types = [\"p5.48xlarge\", \"m5.xlarge\"]",
            "",
            "gpus",
            "its rules allow no offer that is large enough and that the policy may rent (GPU model)",
        ),
        (
            "providers = [\"aws\"]",
            "quota = [{ unit = \"gpus\", limit = 8 }]",
            "gangs",
            "the quota aws/us-east-1 gpus of 8 has no room for all tasks of a gang at once",
        ),
        (
            "providers = [\"aws\"]",
            "capacity = 1",
            "gangs",
            "the capacity of what it may rent has no room for all tasks of a gang at once",
        ),
        (
            "providers = [\"aws\"], max_instances = 1",
            "",
            "gangs",
            "`max_instances` of the policy has no room for all tasks of a gang at once",
        ),
    ];
    with(&rent("after_wait = \"0 s\""), "");
    check(&folder, &["validate", "a.toml"], 0, &[], &["can rent for"]);
    for (narrow, cloud, lacks, why) in cases {
        with(&rent(narrow), cloud);
        let some = match lacks {
            "none" => none.to_owned(),
            "gpus" => "olicy rent can rent for only 8 of 100 pieces of work: ".to_owned(),
            _ => "olicy rent can rent for only 66 of 100 pieces of work: ".to_owned(),
        };
        check(&folder, &["validate", "a.toml"], 0, &[&some, why], &[]);
        // Beside an answer, backticks mark commands only.
        let (told, _) = said(&folder, &["compare", "a.toml", "--replications", "2", "--no-out"]);
        let told = told.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&some) && told.contains(&why.replace('`', "")), "{told}");
    }
}

/// Two are too large for what may be rented, one must stay on what is owned, one may go anywhere.
#[test]
fn each_reason_why_nothing_can_be_rented_is_counted_by_itself() {
    let rows = "id,arrival_s,runtime_s,vcpus,providers\n\
                a,0,100,4,\nb,0,100,1,dc\nc,0,100,4,\nd,0,100,1,\n";
    let rent = "[policy.rent]\npreset = \"cloud-cheapest\"\n\
                provision = { cheapest = { types = [\"m5.large\"] } }\n";
    let folder = folder(rows, rent);
    let told = "olicy rent can rent for only 1 of 4 pieces of work: for 2 no instance type that it \
                may rent (`types = [\"m5.large\"]`) holds a task, the largest is \
                m5.large with 2 vCPUs and 8 GiB; the first asks for 4 cores; for 1 \
                its rules allow no offer that is large enough and that the policy may rent \
                (provider); the first asks for 1 cores";
    check(&folder, &["validate", "a.toml"], 0, &[told], &[]);
}

#[test]
fn edits_are_part_of_the_recipe() {
    let folder = folder("id,arrival_s,runtime_s,vcpus\na,0,100,1\n", "");
    let edit = ["--set", "cluster.dc.nodes=3", "--out", "o"];
    let run = [&["run", "a.toml"][..], &edit].concat();
    check(&folder, &run, 0, &["a, with --set cluster.dc.nodes=3, policy keep"], &[]);
    for file in ["manifest.json", "report.html"] {
        let text = fs::read_to_string(folder.path().join("o").join(file)).expect("it is there");
        assert!(text.contains("cluster.dc.nodes=3"), "{file}");
    }
}

#[test]
fn what_is_nearly_right_is_told_how_to_write() {
    let cases = [
        ("[objectives]\nfinished = \"95 %\"\n", "write `\">= 95 %\"`"),
        ("[objectives]\ndeadlines_met = \"0.95\"\n", "write `\">= 95 %\"`"),
        ("[objectives]\nfinished = \">= 200 %\"\n", "a share lies from `0 %` to `100 %`"),
        ("[objectives]\nutilisation_cpu = \">= -1 %\"\n", "a share lies from `0 %` to `100 %`"),
        ("[objectives]\ndeadlines_met = \"150\"\n", "a share lies from `0 %` to `100 %`"),
        ("[objectives]\nwait_p95 = \"< 2 h\"\n", "write `\"<= 2 h\"`"),
        ("[objectives]\ncost_total = \"<= 7000\"\n", "write `\"<= 7000 USD\"`"),
        ("[cluster.e]\ncost = \"0.95 EUR/h\"\n", "prices are in US dollars"),
        // 700 / 730.5 hours.
        ("[cluster.e]\ncost = \"$700/month\"\n", "`\"0.958248 USD/h\"` is as much per month"),
        ("[cluster.e]\ncost = \"-1 USD/h\"\n", "a price is not negative"),
        ("[cluster.e]\ncost = \"$11.50\"\n", "say per what time: `\"11.50 USD/h\"` is per hour"),
        ("[cluster.e]\nshape = { vcpus = 1, memory = \"1 tb\" }\n", "`\"1 TB\"`"),
        ("[policy.p]\npreset = \"easy\"\n", "did you mean `\"batch-backfill\"`?"),
        (
            "[policy.p]\nrelease = \"10 min\"\n",
            "write `release = { idle = { after = \"10 min\" } }`",
        ),
        ("[policy.p]\nbackfill = \"EASY\"\n", "did you mean `\"easy\"`?"),
        ("[policy.p]\norder = \"sjf\"\n", "did you mean `\"shortest\"`?"),
        (
            "[cloud.gcp]\nregions = [\"us-central1\"]\ntypes = [\"n9-standard-4\"]\n",
            "catalog of your own",
        ),
    ];
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,10,1\n";
    for (more, told) in cases {
        check(&folder(rows, more), &["validate", "a.toml"], 2, &[told], &[]);
    }
    for (start, told) in [
        ("02.03.2026", "write year-month-day: `\"2026-03-02\"`"),
        ("2026-03-02 08:00", "say the zone: `\"2026-03-02T08:00Z\"` for UTC"),
        ("2026-02-30", "that month has no such day"),
    ] {
        let folder = folder(rows, "");
        let text = format!("start = \"{start}\"\n{WORLD}");
        fs::write(folder.path().join("a.toml"), text).expect("written");
        check(
            &folder,
            &["validate", "a.toml"],
            2,
            &[&told.replace("write year", "written year")],
            &[],
        );
    }
    let wrong = "[cloud.gcp]\nregions = [\"us-centrall1\"]\nzones = [\"us-centrall1-a\"]\n\
        quota = [{ unit = \"vcpus\", limit = 9, region = \"us-centrall1\" }]\n";
    let unwanted = ["zone called", "holds for no offer"];
    let one = ["no region called `us-centrall1`"];
    check(&folder(rows, wrong), &["validate", "a.toml"], 2, &one, &unwanted);
}

#[test]
fn a_valid_scenario_is_warned_about_what_is_probably_not_meant() {
    // 2,000 s and 1,000 s of 4 cores in 2,000 s on 4 own cores; the last comes on top of it.
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,2000,4\nb,1000,2000,4\nc,2000,2000,4\n";
    let more = "[policy.again]\npreset = \"batch-fcfs\"\n[policy.plan]\npreset = \"batch-backfill\"\n\
        [policy.due]\npreset = \"batch-fcfs\"\norder = \"earliest-deadline\"\n\
        [policy.safe]\npreset = \"batch-fcfs\"\ncheckpoint = \"daly\"\n\
        [objectives]\nfinished = \">= 0 %\"\ndeadlines_met = \">= 95 %\"\n";
    let folder = folder(rows, more);
    let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    let owned = text.replace("nodes = 2", "nodes = 1");
    fs::write(folder.path().join("a.toml"), owned).expect("written");
    let told = [
        "asks for 150.0 % of the own cores",
        "warning: a.toml:2:2: the work asks for 150 % of the own cores while it arrives",
        "no work asks for the 4 own GPUs of model A100",
        "no policy rents from aws: it is there for nothing",
        "`finished >= 0 %` always holds: nothing is below it",
        "policy again is the same as keep: it decides alike",
        "policy due goes by deadlines, and no work has one",
        "policy safe is to write checkpoints, and no work can",
        "no work has a deadline, so no share of them can be met",
        "3 of 3 pieces of work have no estimate of their runtime, by which policy plan plans",
    ];
    check(&folder, &["validate", "a.toml"], 0, &told, &[]);
    let (json, _) = said(&folder, &["validate", "a.toml", "--json"]);
    let facts: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(facts["warnings"].as_array().map(Vec::len), Some(9));
    assert_eq!(facts["warnings"][0]["line"], 2);
    // Arrivals at 2,000 s are after a horizon of 1,000 s.
    let edit = ["validate", "a.toml", "--set", "horizon=1000 s"];
    let late = "1 of 3 pieces of work arrive after the horizon and never run";
    check(&folder, &edit, 0, &[late, "asks for 100.0 % of the own cores"], &["while it arrives"]);
}

/// A trace of failures is told of as one: what fails only on the second of two clusters does something.
#[test]
fn a_trace_of_failures_that_does_something_is_not_told_of() {
    let more = "[cluster.late]\nnodes = 1\nshape = { vcpus = 4, memory = \"64 GiB\" }\n\
        [[failure]]\nname = \"seen\"\ntrace = \"f.csv\"\nprovider = ";
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,100,1\n";
    let of = |provider: &str, failures: &str| {
        let all = more.replace("\nprovider = ", provider);
        let folder = folder(rows, &all);
        let failures = format!("machine,from,until\n{failures}\n");
        fs::write(folder.path().join("f.csv"), failures).expect("written");
        let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
        let text =
            text.replace("[cloud.aws]\nregions = [\"us-east-1\"]\nfamilies = [\"m5\"]\n", "");
        fs::write(folder.path().join("a.toml"), text).expect("written");
        folder
    };
    check(&of("\n", "2,10,20"), &["validate", "a.toml"], 0, &[], &["does nothing"]);
    let told = ["The trace of failures seen was over when the run starts", "and does nothing"];
    check(
        &of("\n", "2,2025-01-01T00:00:00Z,2025-01-02T00:00:00Z"),
        &["validate", "a.toml"],
        0,
        &told,
        &["outage"],
    );
}

/// A repair needs a mean.
#[test]
fn a_repair_without_a_mean_is_a_problem() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,100,1\n";
    for (devices, shape, valid) in
        [("devices = \"one\"\n", "1", false), ("", "0.8", false), ("", "1.5", true)]
    {
        let row = format!(
            "[[failure]]\nprovider = \"dc\"\nmtbf_per_gpu = \"100 d\"\n{devices}\
             repair = \"pareto(shape={shape}, minimum=20 min)\"\n"
        );
        let told = ["`repair` has no mean", "hint: give a `pareto` law a `shape` above 1"];
        let (code, wanted): (i32, &[&str]) = if valid { (0, &[]) } else { (2, &told) };
        check(&folder(rows, &row), &["validate", "a.toml"], code, wanted, &[]);
    }
}

/// A policy that scales gangs is told of where no gang can be scaled: it needs fewer tasks, an estimate and
/// progress that stays.
#[test]
fn a_policy_that_scales_gangs_needs_some() {
    let told =
        "policy less is to change how many tasks of gangs run, and no work can run with fewer";
    let policy = "[policy.less]\npreset = \"batch-fcfs\"\nshift = \"carbon-scaler\"\n";
    for (row, scales) in [
        ("2,1,true,100", true),
        ("2,2,true,100", false),
        ("2,,true,100", false),
        ("2,1,false,100", false),
        ("2,1,true,", false),
    ] {
        let head = "id,arrival_s,runtime_s,vcpus,tasks,min_tasks,resumes,estimate_s";
        let folder = folder(&format!("{head}\na,0,100,1,{row}\n"), policy);
        let (wanted, unwanted): (&[&str], &[&str]) =
            if scales { (&[], &[told]) } else { (&[told], &[]) };
        check(&folder, &["validate", "a.toml"], 0, wanted, unwanted);
    }
}

/// Two nodes of four cores. Work that runs beyond the last arrival asks for its cores only
/// until then, and a backlog that is gone in minutes is a queue.
#[test]
fn an_overload_is_more_than_jobs_that_queue() {
    let cases = [
        // Side by side: (5 s + 0 s) of 1 core in 5 s of 8 cores.
        ("a,0,100,1\nb,5,100,1\n", "12.5", false),
        // 10 s and 9 s of 8 cores in 10 s: the last waits, and nobody for longer and longer.
        ("a,0,100,8\nb,1,100,8\nc,10,100,8\n", "190.0", false),
        // The backlog is 1,190 s - 600 s = 590 s; then 1,215 s - 610 s = 605 s.
        ("a,0,9000,8\nb,10,9000,8\nc,600,9000,8\n", "198.3", false),
        ("a,0,9000,8\nb,5,9000,8\nc,610,9000,8\n", "199.2", true),
        // It ended before: 100 s of 4 cores in 1,000 s of 8.
        ("a,0,100,4\nb,1000,100000,8\n", "5.0", false),
    ];
    for (rows, share, overload) in cases {
        let folder = folder(&format!("id,arrival_s,runtime_s,vcpus\n{rows}"), "");
        let asks = format!("asks for {share} % of the own cores");
        let told = "of the own cores while it arrives";
        let (wanted, unwanted): (&[&str], &[&str]) =
            if overload { (&[&asks, told], &[]) } else { (&[&asks], &[told]) };
        check(&folder, &["validate", "a.toml"], 0, wanted, unwanted);
    }
}

/// Work ends sooner on faster machines, also before the last arrival: it is on them that it is
/// asked for, over their cores.
#[test]
fn work_is_asked_for_at_the_speed_of_the_own_machines() {
    let rows = "id,arrival_s,runtime_s,vcpus,tasks\n\
        j0,0,1500,4,1\nj1,112,599,1,1\nj2,393,1500,1,1\nj3,791,1500,4,1\nj4,885,1801,2,1\n\
        j5,1429,1801,1,1\nj6,1435,600,1,1\nj7,1514,10,4,1\n";
    // Core-seconds until 1,514 s at twice the speed: 4 x 750 + 299.5 + 750 + 4 x 723 + 2 x 629
    // + 85 + 79 = 8,363.5 in 1,514 s of 4 cores.
    let world = |cluster: &str, rows: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let scenario =
            format!("question = \"?\"\n[workload]\ntrace = \"a.csv\"\n{cluster}[policy.p]\n");
        fs::write(folder.path().join("a.csv"), rows).expect("written");
        fs::write(folder.path().join("a.toml"), scenario).expect("written");
        folder
    };
    let own = |name: &str, speed: &str| {
        format!(
            "[cluster.{name}]\nnodes = 1\nspeed = {speed}\nshape = {{ vcpus = 4, memory = \"16 GiB\" }}\n"
        )
    };
    let asks = |cluster: &str, rows: &str, share: &str| {
        let wanted = format!("asks for {share} % of the own cores");
        check(&world(cluster, rows), &["validate", "a.toml"], 0, &[&wanted], &[]);
    };
    asks(&own("dc", "2"), rows, "138.1");
    // 100 s of 4 cores at half the speed are 200 s, in 1,000 s of 4 cores.
    let ends = "id,arrival_s,runtime_s,vcpus\na,0,100,4\nb,1000,1,4\n";
    asks(&own("dc", "0.5"), ends, "20.0");
    // On nodes of speed 1 and 3, which are 2 on average: 50 s of 4 cores in 1,000 s of 8.
    asks(&(own("slow", "1") + &own("fast", "3")), ends, "2.5");
    // A virtual machine lives for its lifetime.
    let machine = ends.replace("runtime_s", "lifetime_s");
    asks(&own("dc", "2"), &machine, "10.0");
}

/// A node of 500 W for 1,000 s is 0.1389 kWh: at 400 g a kWh 0.0556 kg.
#[test]
fn carbon_that_is_not_known_is_no_zero() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,1000,4\nb,0,1000,4\nc,0,1000,4\n";
    let folder = folder(rows, "");
    let nothing = "grid carbon not known: dc has no power and carbon_g_per_kwh";
    check(&folder, &["run", "a.toml", "--out", "o"], 0, &[nothing], &["Grid carbon is told"]);
    let compared = "Grid carbon is not compared, for it is not known: dc has no power";
    check(&folder, &["compare", "a.toml", "--no-out"], 0, &[compared], &[]);
    let carbon = |file: &str| -> serde_json::Value {
        let text = fs::read_to_string(folder.path().join(file)).expect("it is there");
        let found: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        found["summary"].clone()
    };
    let told = carbon("o/summary.json");
    assert!(told["carbon_kg"].is_null() && told["carbon_kg_by_region"]["dc"].is_null(), "{told}");
    let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    let other = "[cluster.known]\nnodes = 1\nshape = { vcpus = 4, memory = \"64 GiB\" }\n\
        power = \"500 W\"\ncarbon_g_per_kwh = 400\n[cloud.aws]";
    fs::write(folder.path().join("a.toml"), text.replace("[cloud.aws]", other)).expect("written");
    let partly = "grid carbon at least 0.1 kg CO2e; the rest is not known: dc has no power";
    check(&folder, &["run", "a.toml", "--out", "p"], 0, &[partly], &["Grid carbon is"]);
    let told = carbon("p/summary.json");
    assert!(told["carbon_kg"].is_null(), "{told}");
    let known = told["carbon_kg_by_region"]["known"].as_f64().expect("a number");
    assert!((known - 0.5 / 3.6 * 0.4).abs() < 1e-12, "{known}");
    let compared = ["compare", "a.toml", "--out", "c", "--replications", "1"];
    let told = "Grid carbon is not compared, for it is not known: dc has no power";
    check(&folder, &compared, 0, &[told], &["is told of no"]);
    let told = fs::read_to_string(folder.path().join("c/compare.csv")).expect("it is there");
    let row = told.lines().find(|row| row.contains("carbon_kg")).expect("a row");
    assert!(!row.contains(",0"), "{row}");
    let plan = ["plan", "a.toml", "--vary", "cluster.dc.nodes=1..3", "--minimise", "carbon_kg"];
    check(&folder, &plan, 2, &["grid carbon is not known here: dc has no `power`"], &[]);
    // All is known: nothing is said.
    let known = ["--set", "cluster.dc.power=\"0 W\"", "--set", "cluster.dc.carbon_g_per_kwh=0"];
    let run = [&["run", "a.toml", "--no-out"][..], &known].concat();
    check(&folder, &run, 0, &["grid carbon 0.1 kg CO2e"], &["not known"]);
}

/// Cautions that `run` and `compare` put beside their answers stand beside all other answers too.
#[test]
fn plans_sweeps_and_checks_say_what_comparisons_say() {
    let more = "[policy.spot]\npreset = \"cloud-cheapest\"\n\
        provision = { cheapest = { markets = [\"on-demand\", \"spot\"] } }\n";
    let rows = "id,arrival_s,runtime_s,vcpus,gpus,gpu_models\n\
        a,0,100,4,0,\nb,10,100,4,1,V100M16\nc,20,100,400,0,\n";
    let folder = folder(rows, more);
    let told = [
        "fit nowhere under",
        "asks for the GPU model V100M16, which nothing here has",
        "Policy spot rents on the spot market, and nothing that it may rent is sold on it",
    ];
    let suite =
        "replications = 1\n[gates]\ncost_total = \"+1 %\"\n[scenario.s]\nfile = \"a.toml\"\n";
    fs::write(folder.path().join("suite.toml"), suite).expect("written");
    check(&folder, &["check", "suite.toml", "--update"], 0, &[], &[]);
    let nodes = "cluster.dc.nodes=1..2";
    let commands: [&[&str]; 4] = [
        &["compare", "a.toml", "--no-out"],
        &["sweep", "a.toml", "--set", "cluster.dc.nodes=1,2", "--no-out"],
        &["plan", "a.toml", "--policy", "spot", "--vary", nodes, "--no-out"],
        &["check", "suite.toml"],
    ];
    for command in commands {
        check(&folder, command, 0, &told, &["never taken back"]);
    }
    let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    let sold = text.replace("families =", "markets = [\"on-demand\", \"spot\"]\nfamilies =");
    // All of it must be rented.
    let sold = sold.replace("preset = \"batch-fcfs\"", "preset = \"cloud-cheapest\"");
    fs::write(folder.path().join("a.toml"), sold).expect("written");
    let many = "id,arrival_s,runtime_s,vcpus\na,0,100,4\nb,0,100,4\nc,0,100,4\n";
    fs::write(folder.path().join("a.csv"), many).expect("written");
    check(&folder, &["check", "suite.toml", "--update"], 0, &[], &[]);
    for command in commands {
        let caution = ["Spot instances are never taken back here"];
        check(&folder, command, 0, &caution, &told);
    }
}

/// Two of three jobs have none; EASY plans by estimates, first come first served does not.
#[test]
fn estimates_that_are_missing_are_told_where_a_policy_goes_by_them() {
    let rows = "id,arrival_s,runtime_s,vcpus,estimate_s\na,0,100,4,\nb,0,100,4,90\nc,0,100,4,\n";
    let more = "[policy.easy]\npreset = \"batch-backfill\"\n[policy.short]\npreset = \"batch-fcfs\"\n\
        order = \"shortest\"\n";
    let folder = folder(rows, more);
    let easy = "2 of 3 pieces of work have no estimate of their runtime: backfilling plans as if \
                they ended after all that have one";
    let short = "2 of 3 pieces of work have no estimate of their runtime: the shortest first puts \
                 them behind all that have one";
    let run = |policy| ["run", "a.toml", "--no-out", "--policy", policy];
    check(&folder, &run("easy"), 0, &[easy], &[short]);
    check(&folder, &run("short"), 0, &[short], &[easy]);
    check(&folder, &run("keep"), 0, &[], &[short, easy]);
    check(&folder, &["compare", "a.toml", "--no-out"], 0, &[short, easy], &[]);
    let (vary, list) = ("cluster.dc.nodes=1..2", "cluster.dc.nodes=1,2");
    check(&folder, &["sweep", "a.toml", "--no-out", "--set", list], 0, &[short, easy], &[]);
    let plan = ["plan", "a.toml", "--no-out", "--policy", "easy", "--vary", vary];
    check(&folder, &plan, 0, &[easy], &[]);
    let all = [&run("easy")[..], &["--set", "workload.estimates=runtime"]].concat();
    check(&folder, &all, 0, &[], &[easy]);
}

/// Two nodes at 3 USD/h stand for two hours before the first job: 12 USD.
#[test]
fn time_and_prices_that_are_there_for_nothing_are_warned_about() {
    let folder = folder("id,arrival_s,runtime_s,vcpus\na,7200,100,4\nb,7300,100,4\n", "");
    let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    let late = "[[cloud.aws.price]]\nfrom = \"2026-03-01\"\ndiscount = \"10 %\"\n[policy.keep]";
    let text = text.replace("[policy.keep]", late);
    let begun = format!("start = \"2026-01-01\"\nhorizon = \"1 d\"\n{text}");
    fs::write(folder.path().join("a.toml"), &begun).expect("written");
    let told = [
        "nothing arrives in the first 2 h, for which own machines cost $12.00",
        "first changes at 2026-03-01T00:00:00Z, after the run has ended",
        "no policy rents from aws",
    ];
    check(&folder, &["validate", "a.toml"], 0, &told, &[]);
    let rents =
        begun.replace("batch-fcfs", "cloud-cheapest").replace("2026-03-01", "2026-01-01T12:00Z");
    fs::write(folder.path().join("a.toml"), rents.replace("7200", "0")).expect("written");
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,100,4\nb,7300,100,4\n";
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    check(&folder, &["validate", "a.toml"], 0, &[], &told.map(|told| &told[..20]));
}

#[test]
fn clusters_that_hold_nothing_and_the_largest_work_are_told() {
    // The small cluster holds no task of 4 cores; 400 cores are on no machine at all.
    let small = "[cluster.\"a b\"]\nnodes = 3\nshape = { vcpus = 2, memory = \"64 GiB\" }\n";
    let folder = folder("id,arrival_s,runtime_s,vcpus\na,0,10,4\nbig,0,10,400\n", small);
    let told = [
        "warning: a.toml:13:10: no work can be placed on a b: it is there for nothing",
        "a task of `big` asks for 400 cores, and the largest machine,",
        ", has 16",
    ];
    check(&folder, &["validate", "a.toml"], 0, &told, &["placed on dc", "GiB, and the largest"]);
    // Rules keep work away as sizes do.
    let rows = "id,arrival_s,runtime_s,vcpus,providers\na,0,10,1,a b\nb,5,10,2,a b\n";
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    let away = ["no work can be placed on dc"];
    check(&folder, &["validate", "a.toml"], 0, &away, &["placed on a b", "largest machine"]);
}

#[test]
fn prices_that_ended_before_the_run_are_warned_about() {
    let folder = folder("id,arrival_s,runtime_s,vcpus\na,0,100,4\nb,0,100,4\n", "");
    let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    let price = "[[cloud.aws.price]]\nuntil = \"2025-12-31\"\ndiscount = \"10 %\"\n[policy.keep]";
    let text = format!("start = \"2026-01-01\"\n{}", text.replace("[policy.keep]", price));
    fs::write(folder.path().join("a.toml"), &text).expect("written");
    let told = "warning: a.toml:13:9: this price ended at 2025-12-31T00:00:00Z, before the run";
    check(&folder, &["validate", "a.toml"], 0, &[told], &[]);
    let later = text.replace("2025-12-31", "2026-01-02");
    fs::write(folder.path().join("a.toml"), later).expect("written");
    check(&folder, &["validate", "a.toml"], 0, &[], &["this price ended"]);
}

#[test]
fn a_gate_on_what_is_never_there_fails_and_updates_name_what_they_take_in() {
    let folder = folder("id,arrival_s,runtime_s,vcpus\na,0,100,4\nb,0,100,4\n", "");
    let suite =
        "replications = 1\n[gates]\ncost_total = \"+1 %\"\n[scenario.s]\nfile = \"a.toml\"\n";
    let write =
        |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("suite.toml", suite);
    let update = ["check", "suite.toml", "--update"];
    check(&folder, &update, 0, &["1 stored"], &["takes in"]);
    // Twice the price.
    let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    write("a.toml", &text.replace("3 USD/h", "6 USD/h"));
    let told = ["keep in s takes in: cost_total $0.", "; would not have held: cost_total"];
    check(&folder, &update, 0, &told, &[]);
    check(&folder, &update, 0, &[], &["takes in"]);
    // Metrics with a gate come first, and few are named.
    write("suite.toml", &suite.replace("cost_total", "cost_per_job"));
    write("a.toml", &text.replace("3 USD/h", "9 USD/h"));
    check(&folder, &update, 0, &["keep in s takes in: cost_per_job $"], &[]);
    write("suite.toml", &suite.replace("cost_total", "tardiness_mean").replace("1 %", "1 s"));
    let why = "no such metric here: no run shows it, then or now";
    check(&folder, &["check", "suite.toml"], 1, &[why], &[]);
    let refused = "no run of keep in s shows the metric `tardiness_mean`";
    check(&folder, &update, 2, &[refused, "tardiness_mean = \"off\""], &[]);
}

#[test]
fn results_that_answer_another_question_are_not_replaced_in_silence() {
    let folder = folder("id,arrival_s,runtime_s,vcpus\na,0,100,4\n", "");
    let again = ["run", "a.toml", "--out", "o", "--force"];
    let told = "held other results, which are replaced";
    check(&folder, &again, 0, &[], &[told]);
    check(&folder, &again, 0, &[], &[told]);
    let other = [&again[..], &["--set", "seed=2"]].concat();
    check(&folder, &other, 0, &[told, "seed was 1, is 2"], &["policy was"]);
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,101,4\n";
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    check(&folder, &other, 0, &[told, "files that it reads have changed"], &[]);
}

#[test]
fn a_gpu_model_of_a_cluster_that_is_called_almost_like_a_known_one_is_told() {
    let rows = "id,arrival_s,runtime_s,vcpus,gpus\na,0,10,1,1\n";
    let warned = |model: &str, rows: &str, wanted: &[&str], unwanted: &[&str]| {
        let folder = folder(rows, "");
        let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
        let text = text.replace("4 x A100", &format!("4 x {model}"));
        fs::write(folder.path().join("a.toml"), text).expect("written");
        check(&folder, &["validate", "a.toml"], 0, wanted, unwanted);
    };
    let none = "no shipped catalog has the GPU model";
    let told = format!("{none} `A100-90GB` hint: did you mean `A100-");
    warned("A100-90GB", rows, &[&told, "`A100-80GB`"], &[]);
    warned("A10GG", rows, &[&format!("{none} `A10GG` hint: did you mean `A10G`?")], &[]);
    for known in ["A100", "A100-80GB", "NVIDIA-A100-SXM4-80GB", "V100M16", "Fancy-9000"] {
        warned(known, rows, &[], &[none]);
    }
    // Work that asks for it means it.
    let asked = "id,arrival_s,runtime_s,vcpus,gpus,gpu_models\na,0,10,1,1,A100-64GB\n";
    warned("A100-64GB", asked, &[], &[none]);
}

#[test]
fn a_mistake_in_a_cloud_hides_no_names_behind_others() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,10,1\n";
    let more = "[policy.rent.provision.cheapest]\nproviders = [\"aws\"]\nregions = [\"aws/us-east-1\"]\n\
        [workload.allow]\ngpu_models = [\"H100-80GB\", \"H1OO\"]\n";
    let folder = folder(rows, more);
    let text = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    let wrong = text.replace("[\"us-east-1\"]", "[\"us-esat-1\"]");
    // Without the mistake the model is one that nothing here has.
    let lacks = "nothing in `gpu_models` is called `H100-80GB`";
    check(&folder, &["validate", "a.toml"], 2, &[lacks, "called `H1OO`"], &[]);
    fs::write(folder.path().join("a.toml"), wrong).expect("written");
    let told =
        ["AWS has no region called `us-esat-1` hint: did you mean `us-east-1`?", "called `H1OO`"];
    let unwanted = [lacks, "nothing to rent", "nothing in `regions`"];
    check(&folder, &["validate", "a.toml"], 2, &told, &unwanted);
}

/// A row whose provider is unknown names no machines at all: that is told, and not that they have no GPU.
#[test]
fn a_row_that_names_nothing_is_told_once() {
    let row = "[[failure]]\nprovider = \"nope\"\nlife = \"1 h\"\ndevices = \"one\"\n";
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,100,1\n";
    let wanted = ["nothing here has the provider `nope`"];
    check(&folder(rows, row), &["validate", "a.toml"], 2, &wanted, &["has a GPU"]);
}

/// GPUs that break for no time are told, and those that are repaired are not.
#[test]
fn a_repair_of_no_time_is_told() {
    let rows = "id,arrival_s,runtime_s,vcpus,gpus\na,0,100,1,1\n";
    let told = ["short breaks a GPU of owned machines for no time, as it has no repair:"];
    for (repair, is_told) in [("", true), ("repair = \"1 min\"\n", false)] {
        let row = format!(
            "[[failure]]\nname = \"short\"\nprovider = \"dc\"\nlife = \"1 h\"\ndevices = \"one\"\n{repair}"
        );
        let (wanted, unwanted): (&[&str], &[&str]) =
            if is_told { (&told, &[]) } else { (&[], &told) };
        let run = ["run", "a.toml", "--out", "o"];
        check(&folder(rows, &row), &run, 0, wanted, unwanted);
    }
}

/// A gang has an hour's work, and 4,920 s for it on machines that boot for ten minutes. A policy that leaves a
/// minute for that holds it for the cleaner hour, and is late; one that leaves what a boot takes is not.
#[test]
fn a_margin_below_a_boot_is_told() {
    let cloud = "[cloud.gcp]\nregions = [\"europe-west1\"]\ntypes = [\"n2-standard-2\"]\n\
        boot = \"600 s\"\n[[cloud.gcp.carbon]]\ntrace = \"grid.csv\"\n[policy.a]\n\
        extends = \"keep\"\nprovision = { cheapest = { providers = [\"gcp\"] } }\n";
    let head = "id,arrival_s,runtime_s,vcpus,tasks,min_tasks,parallel_fraction,gang,resumes";
    let rows = format!("{head},estimate_s,deadline_s\na,0,3600,2,2,1,0.5,true,true,3600,4920\n");
    let scaler = "missed 1 deadline, maybe as its margin (1 min) and restart (1 min) of carbon-scaler are \
                  shorter than a boot may take: 999 of 1,000 are over in 10 min.";
    let waits =
        "missed 1 deadline, maybe as its margin (1 min) of wait-awhile is shorter than a boot";
    for (shift, told) in [
        ("carbon-scaler = { margin = \"1 min\", restart = \"1 min\" }", Some(scaler)),
        ("wait-awhile = { interrupt = true, margin = \"1 min\" }", Some(waits)),
        ("carbon-scaler = {}", None),
        ("wait-awhile = { interrupt = true }", None),
    ] {
        let more = cloud.to_owned() + "shift = { " + shift + " }\n";
        let folder = folder(&rows, &more);
        let cluster = "[cluster.dc]\nnodes = 2\nshape = { vcpus = 4, memory = \"64 GiB\", gpus = \"4 x A100\" }\n\
                       cost = \"3 USD/h\"\n";
        let text = format!("{WORLD}{more}").replace(cluster, "");
        fs::write(folder.path().join("a.toml"), text).expect("written");
        let grid = "time,g_per_kwh\n0,390\n3600,260\n7200,290\n10800,400\n14400,110\n";
        fs::write(folder.path().join("grid.csv"), grid).expect("written");
        let run = ["run", "a.toml", "--policy", "a", "--out", "o"];
        let never = "than a boot may take";
        match told {
            Some(told) => check(&folder, &run, 0, &[told], &[]),
            None => check(&folder, &run, 0, &[], &[never]),
        }
    }
}

#[test]
fn terms_that_match_nothing_are_told_by_validate_and_beside_answers() {
    let terms = "[[negotiated]]\nprovider = \"aws\"\nfamily = \"m6\"\ndiscount = \"5 %\"\n";
    let rows = "arrival_s,runtime_s,vcpus,memory_mib\n0,60,1,1024\n";
    let folder = folder(rows, terms);
    let told =
        "a.toml:15:10: `family` `m6` of this `[[negotiated]]` matches nothing that `aws` has here";
    let warned = format!("warning: {told} hint: there is: internet, link, m5");
    check(&folder, &["validate", "a.toml"], 0, &[&warned], &[]);
    // Cautions are set in the style of the terminal: names without marks.
    let beside = format!("! {} (there is: internet, link, m5).", told.replace('`', ""));
    for command in [["run", "a.toml"], ["compare", "a.toml"]] {
        check(&folder, &[command[0], command[1], "--out", command[0]], 0, &[&beside], &[]);
    }
}
