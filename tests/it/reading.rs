//! Traces, read as their writers meant them: when runs begin, who was there before, which rows are
//! work. Right values are derived by hand.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs windtunnel in a folder.
fn windtunnel(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

/// Charges are written as Parquet in a build with that feature, and any other says how to build it, before it runs.
#[test]
fn parquet_is_written_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["run", "quickstart", "--parquet", "--quiet", "--out", "out"];
    let output = windtunnel(folder.path(), &arguments);
    let told = text(&output.stderr);
    if cfg!(feature = "parquet") {
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(folder.path().join("out/charges.parquet").exists());
    } else {
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(
            told.contains("writes no Parquet") && told.contains("--features parquet"),
            "{told}"
        );
        assert!(!folder.path().join("out").exists());
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

/// A folder with a trace and a scenario for it, `a.toml`: its `[workload]` and
/// what runs it.
fn folder(trace: (&str, &str), workload: &str, runs_on: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let (name, rows) = trace;
    let scenario = format!(
        "question = \"?\"\n{runs_on}\n[policy.p]\npreset = \"batch-fcfs\"\n\
         [workload]\ntrace = \"{name}\"\n{workload}"
    );
    fs::write(folder.path().join(name), rows).expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    folder
}

/// Summary of the first policy of `a.toml` in a folder.
fn summary(folder: &Path) -> Value {
    let output = windtunnel(folder, &["run", "a.toml", "--force", "--out", "o"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json = fs::read_to_string(folder.join("o/summary.json")).expect("a summary");
    serde_json::from_str(&json).expect("it is JSON")
}

/// Columns of `jobs.csv` by name, a line each, sorted.
fn jobs(folder: &Path, columns: &[&str]) -> Vec<String> {
    let csv = fs::read_to_string(folder.join("o/jobs.csv")).expect("a table");
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let at = |name: &&str| header.iter().position(|known| known == name).expect("a column");
    let at: Vec<usize> = columns.iter().map(at).collect();
    let row = |line: Vec<&str>| at.iter().map(|&at| line[at]).collect::<Vec<_>>().join(" ");
    let mut rows: Vec<String> = lines.map(row).collect();
    rows.sort();
    rows
}

/// Dollars in all.
fn cost(summary: &Value) -> f64 {
    summary["summary"]["cost"]["total_usd"].as_f64().expect("a cost")
}

/// Metric `name`.
fn metric(summary: &Value, name: &str) -> f64 {
    summary["summary"][name].as_f64().unwrap_or_else(|| panic!("{name} in {summary}"))
}

const FOUR: &str = "[cluster.m]\nnodes = 4\nshape = { vcpus = 1, memory = \"4 GiB\" }\n\
    cost = \"0.03 USD/h\"";

/// Submitted at 2020-01-01, as seconds since 1970.
const SINCE_1970: &str = "; UnixStartTime: 0\n\
    1 1577836800 -1 100 2 -1 -1 2 100 -1 1 1 1 -1 1 1 -1 -1\n\
    2 1577836900 -1 100 2 -1 -1 2 100 -1 1 1 1 -1 1 1 -1 -1\n";

#[test]
fn a_run_begins_with_the_first_arrival() {
    // 200 s of four nodes at 0.03 USD per hour.
    let right = 200.0 * 4.0 * 0.03 / 3_600.0;
    let folder = folder(("a.swf", SINCE_1970), "", FOUR);
    let found = summary(folder.path());
    assert!((cost(&found) - right).abs() < 1e-8, "{found}");
    let told = text(&windtunnel(folder.path(), &["run", "a.toml", "--force"]).stdout);
    assert!(told.contains("2020-01-01 00:00 to 2020-01-01 00:03 UTC"), "{told}");
    // A log without dates that was cut from a longer one.
    let late = SINCE_1970.replace("; UnixStartTime: 0\n", "").replace("15778368", "436034");
    let late = late.replace("15778369", "436035");
    fs::write(folder.path().join("a.swf"), late).expect("written");
    let found = summary(folder.path());
    assert!((cost(&found) - right).abs() < 1e-8, "{found}");
    assert_eq!(jobs(folder.path(), &["job", "submitted_s"]), ["1 0.000000", "2 100.000000"]);
}

/// Whatever is left out before it, the first work that is left begins the run.
#[test]
fn work_that_is_left_out_does_not_delay_the_run() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,100,1\nb,900,3600,1\nc,1000,3500,1\n";
    let skip = "[[workload.transform]]\nskip = 1\n";
    let folder = folder(("a.csv", rows), skip, FOUR);
    let found = summary(folder.path());
    assert!((cost(&found) - 0.12).abs() < 1e-8, "{found}");
    // A window that was asked for by its beginning begins there.
    let window = "[[workload.transform]]\nwindow = { from = \"10 min\" }\n";
    let scenario = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    fs::write(folder.path().join("a.toml"), scenario.replace(skip, window)).expect("written");
    summary(folder.path());
    assert_eq!(jobs(folder.path(), &["job", "submitted_s"]), ["b 300.000000", "c 400.000000"]);
}

#[test]
fn the_time_before_the_first_arrival_is_told_where_a_start_wants_it() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,36000,100,1\n";
    let folder = folder(("a.csv", rows), "", &format!("start = \"2026-03-01\"\n{FOUR}"));
    let found = summary(folder.path());
    // 36,100 s of four nodes, 36,000 of which are idle: 1.20 USD.
    assert!((cost(&found) - 36_100.0 / 3_600.0 * 0.12).abs() < 1e-8, "{found}");
    let told = found["assumptions"].to_string();
    let want = "The first work arrives 10 h after `start`; owned machines cost $1.20 until then.";
    assert!(told.contains(want), "{told}");
}

/// `a` and `c` were there before the trace.
const MACHINES: &str =
    "name,creation_time,deletion_time,cpus\na,,,4\nb,100,,2\nc,,500,2\nd,200,300,1\ne,,-5,1\n";

#[test]
fn machines_without_a_creation_are_alive_at_the_start() {
    let mapping = "unsorted = \"sort\"\nkind = \"vm\"\n[workload.columns]\nid = \"name\"\n\
        arrival = \"creation_time\"\nend = \"deletion_time\"\ncpu = \"cpus\"\n";
    let node = "horizon = \"1000 s\"\n[cluster.m]\nnodes = 1\n\
        shape = { vcpus = 32, memory = \"4 GiB\" }";
    let folder = folder(("a.csv", MACHINES), mapping, node);
    let found = summary(folder.path());
    let want = ["a 0.000000 1000.000000", "b 100.000000 1000.000000", "c 0.000000 500.000000"];
    let all = jobs(folder.path(), &["job", "submitted_s", "end_s"]);
    assert_eq!(all[..3], want);
    assert_eq!(all[3], "d 200.000000 300.000000");
    let notes = &found["row_notes"];
    assert_eq!((&notes["alive_at_start"], &notes["ended_before"]), (&2.into(), &1.into()));
}

/// Of the machines alive at 150 s, 50 s later.
#[test]
fn a_window_may_keep_what_was_alive() {
    let rows = "id,arrival_s,lifetime_s,vcpus\na,0,forever,4\nb,10,100,1\nc,20,1000,2\nd,210,5,1\n";
    let node = "horizon = \"2000 s\"\n[cluster.m]\nnodes = 1\n\
        shape = { vcpus = 32, memory = \"4 GiB\" }";
    let window = "[[workload.transform]]\nwindow = { from = \"150 s\", alive = \"vms\" }\n";
    let folder = folder(("a.csv", rows), window, node);
    summary(folder.path());
    let all = jobs(folder.path(), &["job", "submitted_s", "end_s"]);
    let want = ["a 0.000000 2000.000000", "c 0.000000 870.000000", "d 60.000000 65.000000"];
    assert_eq!(all, want);
}

#[test]
fn parts_of_an_swf_job_are_left_out() {
    let log = "1 0 5 100 2 -1 -1 2 200 -1 1 3 1 -1 1 1 -1 -1\n\
        1 -1 5 40 2 -1 -1 2 200 -1 2 3 1 -1 1 1 -1 -1\n\
        1 -1 20 60 2 -1 -1 2 200 -1 3 3 1 -1 1 1 -1 -1\n\
        2 50 5 100 2 -1 -1 2 200 -1 1 3 1 -1 1 1 -1 -1\n";
    let folder = folder(("a.swf", log), "", &FOUR.replace("nodes = 4", "nodes = 2"));
    let found = summary(folder.path());
    assert_eq!(jobs(folder.path(), &["job", "wait_s"]), ["1 0.000000", "2 50.000000"]);
    assert!((metric(&found, "useful_core_hours") * 3_600.0 - 400.0).abs() < 1e-6, "{found}");
    assert_eq!(found["row_notes"], serde_json::json!({ "part": 2 }));
}

/// A scenario that the program writes for a trace: its text, and the messages.
fn started(folder: &Path, trace: &str) -> (String, String) {
    let file = folder.join("new.toml");
    let _ = fs::remove_file(&file);
    let output = windtunnel(folder, &["init", "new.toml", "--from", trace]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    (fs::read_to_string(file).expect("a scenario"), text(&output.stderr))
}

/// The load that a scenario states which was made for a trace is what `validate` finds, of the
/// resource of which most is asked for; what runs on after the last arrival is in neither.
#[test]
fn a_made_scenario_states_the_load_that_is_found() {
    let mut table = "submit_s,duration_s,cpus,memory_gib\n".to_owned();
    let mut log = String::new();
    for row in 0..40 {
        let (at, runs, cores) = (row * 3_600, 18_000 + 90 * row, 1 + row % 7);
        writeln!(table, "{at},{runs},{cores},{}", 3 * cores).expect("a string takes all");
        let rest = "-1 -1 -1 1 1 1 1 -1 -1 -1 -1";
        writeln!(log, "{row} {at} 0 {runs} {cores} -1 -1 {rest}").expect("a string takes all");
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (name, rows) in [("a.csv", &table), ("a.swf", &log)] {
        fs::write(folder.path().join(name), rows).expect("written");
        let (scenario, _) = started(folder.path(), name);
        let line = scenario.lines().find(|line| line.starts_with("# The work asks for "));
        let line = line.unwrap_or_else(|| panic!("{scenario}"));
        let load = line.trim_start_matches("# The work asks for ");
        let load = load.trim_end_matches(" while it arrives.");
        let output = windtunnel(folder.path(), &["validate", "new.toml"]);
        let found = text(&output.stdout);
        assert!(found.contains(&format!("asks for   {load}")), "`{load}` is not in {found}");
    }
}

/// Pieces of work by name with tasks, milli-cores, MiB, GPUs and shares of them.
fn converted(folder: &Path, input: &str) -> Vec<String> {
    let output = windtunnel(folder, &["trace", "convert", input, "-"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

const PAI: &str = "job_name,task_name,inst_num,status,start_time,end_time,plan_cpu,plan_mem,plan_gpu,gpu_type\n\
    j1,worker,2,Terminated,494319.0,494719.0,600.0,29.296875,50.0,MISC\n\
    j2,tensorflow,1,Terminated,494320.0,498719.0,600.0,29.296875,100.0,T4\n\
    j3,worker,4,Failed,494330.0,494619.0,1200.0,58.59375,800.0,V100\n";

#[test]
fn columns_of_the_pai_traces_are_known() {
    let folder = folder(("r.csv", PAI), "", FOUR);
    let rows = converted(folder.path(), "r.csv");
    let header: Vec<&str> = rows[0].split(',').collect();
    let cell = |row: usize, name: &str| {
        let at = header.iter().position(|known| *known == name).expect("a column");
        rows[row].split(',').nth(at).expect("a cell").to_owned()
    };
    // 4 tasks of 12 cores, 58.59 GiB and 8 GPUs; the first have half a GPU each.
    let of = |row| {
        ["tasks", "cpu_milli", "memory_mib", "gpus", "gpu_share_milli", "gpu_models"]
            .map(|name| cell(row, name))
    };
    assert_eq!(of(3), ["4", "12000", "60000", "8", "", "V100"]);
    assert_eq!(of(1), ["2", "6000", "30000", "1", "500", "MISC"]);
    let (scenario, _) = started(folder.path(), "r.csv");
    assert!(scenario.contains("Not used: task_name, status."), "{scenario}");
    assert!(scenario.contains("cpu = { column = \"plan_cpu\", unit = \"cores\", scale = 0.01 }"));
    assert!(!scenario.contains("vcpus = 4 ") && scenario.contains("8 x "), "{scenario}");
    assert!(windtunnel(folder.path(), &["validate", "new.toml"]).status.success());
}

/// Of 8 cores over a day, 4 all day and 4 for 0.4 days: 70 %.
#[test]
fn a_missing_value_may_be_spelt_in_many_ways() {
    let mapping = "kind = \"vm\"\n[workload.columns]\nid = \"vmId\"\ncpu = \"core\"\n\
        arrival = { column = \"starttime\", unit = \"d\" }\n\
        end = { column = \"endtime\", unit = \"d\", none = [\"-1\"] }\n";
    let node = "horizon = \"1 d\"\n[cluster.m]\nnodes = 1\n\
        shape = { vcpus = 8, memory = \"4 GiB\" }";
    for none in ["NULL", "None", "null", "NaN", "N/A", "Unknown", "\\N", "-", "", "-1"] {
        let rows = format!("vmId,starttime,endtime,core\n1,0.0,{none},4\n2,0.1,0.5,4\n");
        let folder = folder(("a.csv", &rows), mapping, node);
        let used = metric(&summary(folder.path()), "utilisation_cpu");
        assert!((used - 0.7).abs() < 1e-9, "{none}: {used}");
    }
}

/// Rows that name their units, and rows that a filter wants.
#[test]
fn cells_name_their_units_and_rows_are_filtered() {
    let rows = "id|at|limit|ran|cpu|mem|status\n\
        a|2026-03-01 12:00:00|1-01:00:00|01:00:00|100m|16000M|Failed\n\
        b|2026-03-01 12:00:00|UNLIMITED|90 min|2|4Gn|Terminated\n\
        c|2026-03-01 12:00:01|90 min|00:10|4|512Mc|Terminated\n\
        d|2026-03-01 12:00:02|90 min|00:10|4|512Mi|Running\n";
    let mapping = "delimiter = \"|\"\ntime_zone = \"Europe/Berlin\"\n\
        where = { status = [\"Terminated\", \"Failed\"] }\nwhere_not = { id = [\"b\"] }\n\
        [workload.columns]\nid = \"id\"\narrival = { column = \"at\", unit = \"timestamp\" }\n\
        estimate = \"limit\"\nruntime = \"ran\"\ncpu = \"cpu\"\nmemory = \"mem\"\n";
    let node = "[cluster.m]\nnodes = 1\nshape = { vcpus = 8, memory = \"64 GiB\" }";
    let folder = folder(("a.txt", rows), mapping, node);
    let found = summary(folder.path());
    assert_eq!(found["summary"]["started"], "2026-03-01T11:00:00Z");
    let columns = ["job", "run_s", "cpu_milli", "memory_mib"];
    let want = ["a 3600.000000 100 16000", "c 10.000000 4000 2048"];
    assert_eq!(jobs(folder.path(), &columns), want);
    assert_eq!(found["row_notes"], serde_json::json!({ "filtered": 2 }));
    let wrong = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    let wrong = wrong.replace("where = { status", "where = { statsu");
    fs::write(folder.path().join("a.toml"), wrong).expect("written");
    let told = text(&windtunnel(folder.path(), &["run", "a.toml"]).stderr);
    assert!(
        told.contains("no column `statsu`") && told.contains("did you mean `status`?"),
        "{told}"
    );
}

/// Whatever `init` writes, `validate` takes.
#[test]
fn a_scenario_that_init_writes_is_valid() {
    let repeated = "job_name,task_name,submit_time,duration,cpus\nj1,ps,0,100,2\n\
        j1,worker,0,100,4\nj2,worker,10,100,4\n";
    let native = "id,arrival_s,runtime_s\na,0,5\na,1,5\n";
    let swf = "1 0 5 100 2 -1 -1 2 200 -1 1 3 1 -1 1 1 -1 -1\n";
    let twice = "submit_time,duration,cpus,cpus\n0,100,2,3\n5,100,2,3\n";
    let unsized_work = "submit_time,duration\n0,100\n5,NULL\n10,5\n";
    let traces = [
        repeated.to_owned(),
        native.to_owned(),
        format!("{swf}{swf}1 x 5\n"),
        twice.to_owned(),
        unsized_work.to_owned(),
        MACHINES.to_owned(),
        PAI.to_owned(),
        repeated.replace("submit_time", "Submit Time [s]").replace(',', ";"),
        repeated.replace(",cpus", ",num_gpus"),
        repeated.replace("j2,worker,10", "j2,worker,x"),
        repeated.replace("duration", "vmdeleted").replace("100", "200"),
    ];
    for trace in &traces {
        let folder = folder(("t.csv", trace), "", FOUR);
        let (scenario, _) = started(folder.path(), "t.csv");
        let output = windtunnel(folder.path(), &["validate", "new.toml"]);
        assert!(output.status.success(), "{}\n{scenario}\n{trace}", text(&output.stderr));
    }
}

#[test]
fn rows_that_init_leaves_out_are_told_at_once() {
    let rows = "submit_time,duration,cpus\n0,100,2\nx,100,2\n1,100,2\n";
    let folder = folder(("t.csv", rows), "", FOUR);
    let (_, told) = started(folder.path(), "t.csv");
    assert!(
        told.contains("note: 1 of 3 rows (33.3 %) are left out: 1 malformed (line 3:"),
        "{told}"
    );
}

#[test]
fn a_header_that_is_there_twice_is_no_name_of_a_column() {
    let rows = "at,ran,cpus,cpus\n0,100,2,3\n";
    let mapping = "[workload.columns]\narrival = \"at\"\nruntime = \"ran\"\ncpu = \"cpus\"\n";
    let folder = folder(("t.csv", rows), mapping, FOUR);
    let output = windtunnel(folder.path(), &["run", "a.toml"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("`cpu`: columns 3 and 4 are both called `cpus`"), "{told}");
}

#[test]
fn work_without_a_size_is_told() {
    let folder = folder(("a.csv", "arrival_s,runtime_s\n0,5\n1,5\n"), "", FOUR);
    let told = text(&windtunnel(folder.path(), &["run", "a.toml", "--force"]).stdout);
    assert!(told.contains("any number of them run at once: 2"), "{told}");
    let sized = folder.path().join("a.toml");
    let scenario = fs::read_to_string(&sized).expect("it is there") + "vcpus = 1\n";
    fs::write(&sized, scenario).expect("written");
    assert_eq!(summary(folder.path())["row_notes"], serde_json::json!({}));
}

/// The example of `docs/workload.md` is read, run and held against what was observed.
#[test]
fn the_accounting_log_of_the_documents_runs() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workload.md");
    let docs = fs::read_to_string(docs).expect("it is there");
    let lines = docs.lines().filter_map(|line| line.strip_prefix("    "));
    let log: Vec<&str> = lines.filter(|line| line.contains('|')).collect();
    let folder = folder(("jobs.txt", &log.join("\n")), "", FOUR);
    let (scenario, told) = started(folder.path(), "jobs.txt");
    assert!(scenario.contains("format = \"sacct\""), "{scenario}");
    assert!(told.contains("5 of 8 rows (62.5 %) are left out: 2 part of a job"), "{told}");
    assert!(windtunnel(folder.path(), &["validate", "new.toml"]).status.success());
    let rows = converted(folder.path(), "new.toml");
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(rows[1].starts_with("501,"), "{rows:?}");
    let output = windtunnel(folder.path(), &["backtest", "new.toml", "--out", "b"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// Files of the shared data that look like work.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn init_and_validate_agree_on_published_files() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let files = [
        "gpu/alibaba2025_disaggregated_DLRM_trace.csv.gz",
        "gpu/sia_philly.csv.gz",
        "gaia/pai_1k.csv",
        "swf/KTH-SP2-1996.swf.gz",
        "gpu/openb_pod_list_gpushare40.csv.gz",
        "lgdcloudsim/google2019_a_user_requests.csv.gz",
    ];
    for name in files {
        let file = data.join(name);
        assert!(file.is_file(), "{} is not there", file.display());
        let folder = tempfile::tempdir().expect("a folder");
        let from = file.display().to_string();
        let output = windtunnel(folder.path(), &["init", "new.toml", "--from", &from]);
        if !output.status.success() {
            continue;
        }
        let output = windtunnel(folder.path(), &["validate", "new.toml"]);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        if name.contains("2025") {
            let scenario = fs::read_to_string(folder.path().join("new.toml")).expect("written");
            assert!(!scenario.contains("on_bad_row"), "{scenario}");
        }
    }
}

/// Rows of which one is malformed, out of order.
const MIXED: &str = "id,arrival_s,runtime_s,vcpus\na,60,10,1\nb,0,20,1\nc,90,,1\n";

#[test]
fn traces_are_looked_at_as_their_scenario_reads_them() {
    let cluster = "[cluster.c]\nnodes = 1\nshape = { vcpus = 1, memory = \"1 GiB\" }";
    let options = "on_bad_row = \"skip\"\nunsorted = \"sort\"\n";
    let folder = folder(("a.csv", MIXED), options, cluster);
    let rows = converted(folder.path(), "a.toml");
    assert_eq!(rows.len(), 3, "a header and two pieces of work: {rows:?}");
    let stats = windtunnel(folder.path(), &["trace", "stats", "a.toml", "--json"]);
    assert!(text(&stats.stdout).contains("\"skipped\": 1"), "{}", text(&stats.stderr));
    let strict = ["trace", "stats", "a.toml", "--on-bad-row", "fail"];
    assert_eq!(windtunnel(folder.path(), &strict).status.code(), Some(2));
}

#[test]
fn a_trace_of_its_own_is_sorted_and_that_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.csv"), MIXED).expect("written");
    let arguments = ["trace", "stats", "a.csv", "--on-bad-row", "skip", "--json"];
    let stats = windtunnel(folder.path(), &arguments);
    let told = text(&stats.stderr);
    assert!(told.contains("not in the order of arrivals, so they are sorted"), "{told}");
    let stats: Value = serde_json::from_slice(&stats.stdout).expect("it is JSON");
    assert_eq!((&stats["count"], &stats["skipped"]), (&2.into(), &1.into()), "{stats}");
    // Malformed rows are nothing that sorting mends.
    let strict = windtunnel(folder.path(), &["trace", "stats", "a.csv"]);
    assert_eq!(strict.status.code(), Some(2));
    assert!(text(&strict.stderr).contains("a.csv:4:"), "{}", text(&strict.stderr));
}
