//! `windtunnel check`, as its users call it: what has become worse is found,
//! another world is told from another policy, and outputs are whole.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const WINDTUNNEL: &str = env!("CARGO_BIN_EXE_windtunnel");

/// A cluster that is too small in the afternoon, and a trace besides.
const SCENARIO: &str = r#"
question = "?"
[workload.synthetic]
count = 300
arrivals = { per_hour = 60 }
[workload.synthetic.class.small]
weight = 4
runtime = "lognormal(median=10 min, p95=60 min)"
vcpus = "empirical(values=[1, 2, 4], weights=[3, 2, 1])"
memory = "2 GiB"
estimate = "uniform(low=1, high=4)"
[workload.synthetic.class.large]
weight = 1
runtime = "lognormal(median=40 min, p95=3 h)"
vcpus = 8
memory = "8 GiB"
estimate = "uniform(low=1, high=4)"
[cluster.c]
nodes = 5
shape = { vcpus = 8, memory = "32 GiB" }
cost = "0.50 USD/h"
[cloud.aws]
regions = ["us-east-1"]
zones = ["us-east-1a"]
types = ["m6i.2xlarge"]
[policy.tested]
order = "fcfs"
backfill = "easy"
place = { best-fit = { by = "cpu" } }
provision = { cheapest = { after_wait = "30 min", max_instances = 4 } }
release = { idle = { after = "10 min" } }
"#;

/// Statistical gates, as a team would set them.
const MARGINS: &str = "cost_total = \"+2 %\"\nwait_mean = \"+10 %\"\nturnaround_p95 = \"+10 %\"\n";

struct Place(TempDir);

impl Place {
    /// A folder with a scenario, a suite with these gates, and its baselines.
    fn new(gates: &str) -> Self {
        let place = Self(TempDir::new().expect("a folder"));
        place.write("one.toml", SCENARIO);
        place.write("suite.toml", &format!("replications = 8\n[gates]\n{gates}[scenario.one]\n"));
        let stored = place.check(&["--update"]);
        assert_eq!(code(&stored), 0, "{}", shown(&stored));
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("a file");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("a file")
    }

    /// Replaces text of a file that must be there.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{from} is not in {text}");
        self.write(name, &text.replacen(from, to, 1));
    }

    fn check(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(WINDTUNNEL);
        command.current_dir(self.path()).args(["check", "suite.toml"]).args(arguments);
        command.output().expect("it runs")
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Changes of the policy, and whether the statistical gates must find them too:
/// what is better, or hardly different, must pass those.
const MUTANTS: [(&str, &str, &str, bool); 9] = [
    ("order: largest first", "order = \"fcfs\"", "order = \"largest\"", true),
    ("order: shortest first", "order = \"fcfs\"", "order = \"shortest\"", true),
    ("no backfilling", "backfill = \"easy\"", "backfill = \"none\"", true),
    ("conservative", "backfill = \"easy\"", "backfill = \"conservative\"", false),
    ("worst fit", "best-fit = {", "worst-fit = {", false),
    ("rents later", "after_wait = \"30 min\"", "after_wait = \"3 h\"", true),
    ("rents at once", "after_wait = \"30 min\"", "after_wait = \"0 min\"", false),
    ("rents fewer", "max_instances = 4", "max_instances = 1", true),
    ("keeps idle instances", "after = \"10 min\"", "after = \"3 h\"", true),
];

#[test]
fn mutants_are_caught_and_the_unchanged_policy_is_not() {
    let exact = Place::new("events = \"exact\"\n");
    let margins = Place::new(MARGINS);
    // With eight, chance could have made what shortest first costs.
    margins.edit("suite.toml", "replications = 8", "replications = 24");
    let stored = margins.check(&["--update"]);
    assert_eq!(code(&stored), 0, "{}", shown(&stored));
    for place in [&exact, &margins] {
        let same = place.check(&[]);
        assert_eq!(code(&same), 0, "{}", shown(&same));
    }
    for (name, from, to, worse) in MUTANTS {
        for (place, want) in [(&exact, true), (&margins, worse)] {
            place.edit("one.toml", from, to);
            let found = place.check(&[]);
            assert_eq!(code(&found), i32::from(want), "{name}: {}", shown(&found));
            place.edit("one.toml", to, from);
        }
    }
}

/// A gate on the cost alone: later rent lets jobs wait, and the scenario's promise breaks. That is said
/// and fails nothing; where it does fail, what is gated and the cost lead.
#[test]
fn a_promise_that_breaks_is_said_where_no_gate_holds_it() {
    let place = Place::new("cost_total = \"+50 %\"\n");
    let promised = format!("{SCENARIO}[objectives]\nwait_mean = \"<= 1 h\"\n");
    place.write("one.toml", &promised);
    let same = place.check(&[]);
    assert!(!shown(&same).contains("Promises that were kept"), "{}", shown(&same));
    place.edit("one.toml", "after_wait = \"30 min\"", "after_wait = \"9 h\"");
    let found = place.check(&["--json"]);
    assert_eq!(code(&found), 0, "{}", shown(&found));
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("it is JSON");
    let broken = &found["policies"][0]["objectives_broken"][0];
    assert_eq!((&broken["metric"], &broken["bound"]), (&"wait_mean".into(), &"<= 1 h".into()));
    let said = found["cautions"].to_string();
    let want = "Promises that were kept and now are not: tested in one, wait, mean <= 1 h (was ";
    assert!(said.contains(want), "{said}");
    // The gate on the makespan fails by little; waits moved more.
    place.edit("suite.toml", "cost_total = \"+50 %\"", "makespan = \"exact\"");
    let found = place.check(&[]);
    assert_eq!(code(&found), 1, "{}", shown(&found));
    let said = shown(&found);
    let moved = said.split("What moved").nth(1).expect("a table");
    let first = moved.lines().find(|line| line.contains("makespan") || line.contains("wait"));
    assert!(first.is_some_and(|line| line.contains("makespan")), "{said}");
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let place = Place::new(MARGINS);
    place.edit("one.toml", "backfill = \"easy\"", "backfill = \"none\"");
    let [one, many] = ["1", "4"].map(|threads| place.check(&["--threads", threads, "--json"]));
    assert_eq!(code(&one), 1);
    assert_eq!(one.stdout, many.stdout);
}

#[track_caller]
fn check_stale(from: &str, to: &str, want: &str) {
    let place = Place::new("events = \"exact\"\n");
    place.edit("one.toml", from, to);
    let stale = place.check(&[]);
    let text = shown(&stale);
    assert_eq!(code(&stale), 2, "{text}");
    assert!(text.contains("the baseline is stale: ") && text.contains(want), "{text}");
    assert!(text.contains("--update"), "{text}");
    assert_eq!(code(&place.check(&["--update"])), 0);
    assert_eq!(code(&place.check(&[])), 0);
}

#[test]
fn another_world_is_stale_and_no_regression() {
    check_stale("nodes = 5", "nodes = 4", "cluster.c.nodes is 4, was 5");
    check_stale("count = 300", "count = 301", "workload.synthetic.count is 301, was 300");
    check_stale("question = \"?\"", "question = \"?\"\nseed = 9", "seed is new: 9");
    check_stale(
        "m6i.2xlarge",
        "m6i.4xlarge",
        "cloud.aws.types is [\"m6i.4xlarge\"], was [\"m6i.2xlarge\"]",
    );
}

#[test]
fn other_inputs_and_terms_are_stale() {
    let place = Place::new("events = \"exact\"\n");
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let trace = fs::read_to_string(source.join("traces/batch-small.swf")).expect("a trace");
    place.write("log.swf", &trace);
    for file in ["provider.toml", "regions.csv", "types.csv", "prices.csv"] {
        let text =
            fs::read_to_string(source.join("catalogs/lambda").join(file)).expect("a catalog");
        fs::create_dir_all(place.path().join("mine")).expect("a folder");
        place.write(&format!("mine/{file}"), &text);
    }
    let text = place.read("one.toml");
    let (question, rest) = text.split_once("[workload.synthetic]").expect("work");
    let (_, cluster) = rest.split_once("[cluster.c]").expect("a cluster");
    let work = "[workload]\ntrace = \"log.swf\"\n[cloud.lambda]\ncatalog = \"mine\"\n\
                regions = [\"us-east-1\"]\n[cluster.c]";
    let cluster = cluster.replace("nodes = 5", "nodes = 40");
    place.write("one.toml", &format!("{question}{work}{cluster}"));
    assert_eq!(code(&place.check(&[])), 2);
    let stored = place.check(&["--update"]);
    assert_eq!(code(&stored), 0, "{}", shown(&stored));
    // Comments and promises are no part of the world.
    place.edit("one.toml", "question = \"?\"", "question = \"why?\" # because");
    assert_eq!(code(&place.check(&[])), 0);
    let expect = |want: &str| {
        let stale = place.check(&[]);
        assert_eq!(code(&stale), 2, "{}", shown(&stale));
        assert!(shown(&stale).contains(want), "{}", shown(&stale));
    };
    place.write("log.swf", &format!("{trace}\n"));
    expect("the baseline is stale: file log.swf has changed");
    place.write("log.swf", &trace);
    let prices = place.read("mine/prices.csv");
    place.write("mine/prices.csv", &format!("{prices}\n"));
    expect("the baseline is stale: file mine/prices.csv has changed");
    place.write("mine/prices.csv", &prices);
    place.edit("suite.toml", "replications = 8", "replications = 7");
    expect("the baseline is stale: replications: `7` instead of `8`");
    place.edit("suite.toml", "replications = 7", "replications = 8");
    assert_eq!(code(&place.check(&[])), 0);
}

#[test]
fn a_broken_or_missing_baseline_is_wrong_input_with_its_place() {
    let place = Place::new("events = \"exact\"\n");
    let name = "baselines/one/tested.toml";
    let good = place.read(name);
    place.edit(name, "asked = 8", "asked = eight");
    let broken = place.check(&[]);
    assert_eq!(code(&broken), 2, "{}", shown(&broken));
    assert!(
        shown(&broken).contains("tested.toml:6:9: the baseline cannot be read"),
        "{}",
        shown(&broken)
    );
    place.write(name, &good);
    // Better numbers by hand, under the same hashes.
    let metric = good.lines().find(|line| line.starts_with("wait_mean")).expect("a metric");
    place.edit(name, metric, &metric.replacen('[', "[1", 1));
    let edited = place.check(&[]);
    assert_eq!(code(&edited), 2, "{}", shown(&edited));
    assert!(shown(&edited).contains("damaged or was edited"), "{}", shown(&edited));
    assert!(shown(&edited).contains("--update"), "{}", shown(&edited));
    fs::write(place.path().join(name), b"\xff\xfe").expect("a file");
    assert_eq!(code(&place.check(&[])), 2);
    fs::remove_file(place.path().join(name)).expect("a file");
    let missing = place.check(&[]);
    assert_eq!(code(&missing), 2);
    assert!(shown(&missing).contains("there is no such baseline"), "{}", shown(&missing));
    // A baseline that is stored again is the same, byte by byte.
    assert_eq!(code(&place.check(&["--update"])), 0);
    assert_eq!(place.read(name), good);
}

/// Whether every element of an XML text is closed in order.
fn is_balanced(xml: &str) -> bool {
    let mut open = Vec::new();
    for piece in xml.split('<').skip(1) {
        let Some((tag, _)) = piece.split_once('>') else { return false };
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        match tag {
            tag if tag.starts_with('?') || tag.ends_with('/') => {}
            tag if tag.starts_with('/') => {
                if open.pop() != Some(name) {
                    return false;
                }
            }
            _ => open.push(name),
        }
    }
    open.is_empty()
}

#[test]
fn names_cannot_break_the_outputs() {
    let place = Place::new(MARGINS);
    let wild = "a|<b> & \\\"c\\\" `d` @e";
    place.edit(
        "suite.toml",
        "[scenario.one]",
        &format!("[scenario.\"{wild}\"]\nfile = \"one.toml\""),
    );
    assert_eq!(code(&place.check(&["--update"])), 0);
    place.edit("one.toml", "backfill = \"easy\"", "backfill = \"none\"");
    let found = place.check(&["--junit", "out.xml", "--markdown", "out.md"]);
    assert_eq!(code(&found), 1, "{}", shown(&found));
    let xml = place.read("out.xml");
    assert!(is_balanced(&xml), "{xml}");
    assert!(xml.contains("a|&lt;b&gt; &amp; &quot;c&quot; `d` @e"), "{xml}");
    assert!(
        xml.contains("tests=\"4\" failures=\"3\"") && xml.contains("<failure type=\"regressed\""),
        "{xml}"
    );
    assert!(!xml.contains('\u{fffd}'), "{xml}");
    let page = place.read("out.md");
    assert!(page.contains("a\\|&lt;b&gt; &amp; \"c\" 'd' &#64;e"), "{page}");
    let table: Vec<&str> = page.lines().filter(|line| line.contains("| **regressed** |")).collect();
    assert_eq!(table.len(), 3, "{page}");
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(table.iter().all(|line| columns(line) == 7), "{page}");
    let data = place.check(&["--json"]);
    let data: serde_json::Value = serde_json::from_slice(&data.stdout).expect("JSON");
    assert_eq!(data["holds"], false);
    assert_eq!(
        data["policies"][0]["redefined"][0],
        "policy.tested.backfill is \"none\", was \"easy\""
    );
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", shown(output)))
}

#[test]
fn the_first_divergence_shows_both_sides() {
    let place = Place::new("events = \"exact\"\n");
    place.edit("one.toml", "backfill = \"easy\"", "backfill = \"none\"");
    let found = place.check(&["--json"]);
    assert_eq!(code(&found), 1);
    let here = json(&found)["policies"][0]["first_divergence"].clone();
    let (agreed, parted) = (&here["same_up_to_record"], &here["differs_by_record"]);
    assert_eq!(agreed.as_u64().map(|agreed| agreed + 1), parted.as_u64());
    let (base, now) = (&here["baseline"], &here["now"]);
    assert!(base["what"] != now["what"] || base["time_us"] != now["time_us"], "{here}");
    assert_eq!((&base["record"], &now["record"]), (parted, parted));
    // Whoever overtakes under EASY does so while others wait.
    assert!(base["seen"]["waiting"].as_u64().is_some_and(|waiting| waiting > 1), "{here}");
    assert_eq!(base["seen"], now["seen"], "{here}");
    // The same job must wait without it.
    let why = |side: &serde_json::Value| side["reasons"].to_string();
    assert!(why(now).contains("waits: nobody may pass the first of the queue"), "{here}");
    assert!(!why(base).contains("waits: nobody may pass the first of the queue"), "{here}");
    let text = shown(&place.check(&[]));
    assert!(text.contains("First divergence: tested in one, seed 1"), "{text}");
    assert!(
        text.contains("  baseline: after ") && text.contains("  now: nothing then; next after "),
        "{text}"
    );

    // The same, where the program has changed and not the policy: as if the
    // baseline had been stored under the present definition.
    fs::create_dir_all(place.path().join("base")).expect("a folder");
    place.write("base/one.toml", SCENARIO);
    place.edit("baselines/one/tested.toml", "backfill = \"easy\"", "backfill = \"none\"");
    let alone = json(&place.check(&["--json"]))["policies"][0]["first_divergence"].clone();
    assert!(alone["caution"].as_str().is_some_and(|why| why.contains("--base-command")), "{alone}");
    assert_eq!(alone["baseline"], serde_json::Value::Null);
    let (low, high) = (alone["same_up_to_record"].as_u64(), alone["differs_by_record"].as_u64());
    assert!(low <= agreed.as_u64() && high >= parted.as_u64(), "{alone}");
    assert_eq!(alone["now"]["record"].as_u64(), low.map(|low| low + 1));
    let old = format!("env -C base {WINDTUNNEL}");
    let both = json(&place.check(&["--json", "--base-command", &old]));
    assert_eq!(both["policies"][0]["first_divergence"], here);
    // A base that does as this program does is not what made the baseline.
    let same = place.check(&["--base-command", WINDTUNNEL]);
    let text = shown(&same);
    assert!(text.contains("made by something else"), "{text}");
    assert!(!text.contains("the run is over"), "{text}");
    let low = low.expect("a number");
    let agree = if low == 1 {
        "the first record agrees".to_owned()
    } else {
        format!("the first {low} records agree")
    };
    assert!(text.contains(&format!("  {agree}; they part somewhere in records ")), "{text}");
    for broken in ["false", "/nowhere/windtunnel", "echo"] {
        let found = place.check(&["--json", "--base-command", broken]);
        assert_eq!(code(&found), 1, "{}", shown(&found));
        let caution = json(&found)["policies"][0]["first_divergence"]["caution"].clone();
        assert!(caution.as_str().is_some_and(|why| why.contains("base command")), "{caution}");
    }
}

/// A problem of one scenario withholds nothing of the others, and findings of an earlier check are
/// not left to be taken for those of this one.
#[test]
fn a_stale_scenario_withholds_nothing_of_the_others() {
    let place = Place::new(MARGINS);
    place.write("two.toml", &SCENARIO.replace("count = 300", "count = 200"));
    let suite = place.read("suite.toml");
    place.write("suite.toml", &format!("{suite}[scenario.two]\n"));
    let files = ["--markdown", "found.md", "--page", "found.html", "--junit", "found.xml"];
    let found = place.check(&files);
    assert_eq!(code(&found), 2, "{}", shown(&found));
    assert!(shown(&found).contains("there is no such baseline"), "{}", shown(&found));
    assert!(
        shown(&found).contains(
            "1 of 2 policies of suite was not compared; the rest holds: 4 gates of 1 policy in 1"
        ),
        "{}",
        shown(&found)
    );
    for file in ["found.md", "found.html", "found.xml"] {
        let text = place.read(file);
        assert!(text.contains("there is no such baseline. Hint: store it with"), "{file}: {text}");
        assert!(!text.contains('\u{fffd}'), "{file}: {text}");
    }
    assert!(place.read("found.xml").contains("tests=\"5\" failures=\"0\" errors=\"1\""));
    place.write("suite.toml", "[");
    let found = place.check(&["--markdown", "found.md"]);
    assert_eq!(code(&found), 2, "{}", shown(&found));
    assert!(!place.path().join("found.md").exists());
}

/// A scenario with a mistake, one that is not there and a baseline whose policy is gone are each an
/// error with its name, and withhold nothing of the others.
#[test]
fn what_cannot_be_read_withholds_nothing_of_the_others() {
    let place = Place::new(MARGINS);
    let suite = place.read("suite.toml");
    place.write("two.toml", "question = \n");
    place.write("suite.toml", &format!("{suite}[scenario.two]\n[scenario.three]\n"));
    let gone = place.read("baselines/one/tested.toml");
    place.write("baselines/one/gone.toml", &gone);
    let files = ["--markdown", "found.md", "--junit", "found.xml"];
    let found = place.check(&files);
    assert_eq!(code(&found), 2, "{}", shown(&found));
    let told = shown(&found).replace('\n', " ");
    for words in [
        "2 scenarios of suite could not be read, 1 baseline is of no policy; the rest holds: 4 gates",
        "two.toml:1:",
        "there is no scenario file `three.toml`",
        "gone.toml: the scenario has no policy that this is the baseline of",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let markdown = place.read("found.md");
    assert!(markdown.contains("gone in one") && markdown.contains("not compared"), "{markdown}");
    let xml = place.read("found.xml");
    assert!(is_balanced(&xml), "{xml}");
    for words in [
        "tests=\"7\" failures=\"0\" errors=\"3\"",
        "<testcase classname=\"two\" name=\"scenario\"><error",
        "<testcase classname=\"three\" name=\"scenario\"><error",
        "<testcase classname=\"one.gone\" name=\"baseline\"><error",
    ] {
        assert!(xml.contains(words), "{words}: {xml}");
    }
    // An update stores the baselines of all scenarios, so it refuses a suite with an unreadable
    // one.
    assert_eq!(code(&place.check(&["--update"])), 2);
    // Where nothing can be compared the files say why.
    place.write("suite.toml", &suite);
    fs::remove_file(place.path().join("baselines/one/tested.toml")).expect("a file");
    assert_eq!(code(&place.check(&files)), 2);
    assert!(place.read("found.xml").contains("classname=\"one.tested\" name=\"baseline\"><error"));
}

/// Nine small jobs and one that only the large node holds: who leaves the large node alone
/// never does it, and nobody waits longer.
#[test]
fn leaving_large_jobs_out_passes_no_gate_on_waits() {
    let place = Place::new("wait_mean = \"+1 s\"\nwait_p95 = \"+1 s\"\n");
    let rows: String = (0..9).map(|row| format!("s{row},{},100,2\n", row * 10)).collect();
    place.write("a.csv", &format!("id,arrival_s,runtime_s,vcpus\n{rows}large,100,100,16\n"));
    let scenario = "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n\
        [cluster.small]\nnodes = 8\nshape = { vcpus = 4, memory = \"8 GiB\" }\n\
        [cluster.large]\nnodes = 1\nshape = { vcpus = 16, memory = \"8 GiB\" }\n\
        [policy.p]\npreset = \"batch-fcfs\"\nplace = { first-fit = {} }\n";
    place.write("one.toml", scenario);
    fs::remove_file(place.path().join("baselines/one/tested.toml")).expect("a file");
    assert_eq!(code(&place.check(&["--update"])), 0);
    place.edit("one.toml", "first-fit = {}", "first-fit = { providers = [\"small\"] }");
    let found = place.check(&[]);
    assert_eq!(code(&found), 1, "{}", shown(&found));
    assert!(
        shown(&found).contains("worse than the baseline: finished of p in one"),
        "{}",
        shown(&found)
    );
    // Unless that is wanted.
    place.edit("suite.toml", "[gates]\n", "[gates]\nfinished = \"off\"\n");
    assert_eq!(code(&place.check(&[])), 0);
}

#[test]
fn the_same_written_otherwise_is_not_stale() {
    let place = Place::new("cost_total = \"+1 %\"\n");
    for (from, to) in [
        ("memory = \"32 GiB\"", "memory = \"32768 MiB\""),
        ("cost = \"0.50 USD/h\"", "cost = \"$0.5/h\" # the same"),
        ("p95=60 min", "p95=1 h"),
    ] {
        place.edit("one.toml", from, to);
        let found = place.check(&[]);
        assert_eq!(code(&found), 0, "{}", shown(&found));
    }
}

/// A base command that parts from this program, but elsewhere than the baseline does, is
/// not what made it.
#[test]
fn a_third_version_is_not_taken_for_the_base() {
    let place = Place::new("events = \"exact\"\n");
    place.edit("one.toml", "backfill = \"easy\"", "backfill = \"none\"");
    place.edit("baselines/one/tested.toml", "backfill = \"easy\"", "backfill = \"none\"");
    fs::create_dir_all(place.path().join("third")).expect("a folder");
    place.write(
        "third/one.toml",
        &SCENARIO.replace("backfill = \"easy\"", "backfill = \"conservative\""),
    );
    let third = format!("env -C third {WINDTUNNEL}");
    let found = json(&place.check(&["--json", "--base-command", &third]));
    let parting = &found["policies"][0]["first_divergence"];
    assert_eq!(parting["baseline"], serde_json::Value::Null, "{parting}");
    let caution = parting["caution"].as_str().expect("it says why");
    assert!(caution.contains("does not do what the baseline holds"), "{caution}");
}

#[test]
fn a_log_of_decisions_is_numbered_like_the_trail() {
    let place = Place::new("events = \"exact\"\n");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(WINDTUNNEL);
        command.current_dir(place.path()).args(["run", "one.toml", "--no-out", "--quiet"]);
        command.args(["--decisions", "-"]).args(arguments).output().expect("it runs")
    };
    let lines = |output: &Output| -> Vec<serde_json::Value> {
        let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let all = lines(&run(&[]));
    let baseline: toml::Table = place.read("baselines/one/tested.toml").parse().expect("TOML");
    assert_eq!(baseline["trail"][0]["records"].as_integer(), Some(all.len() as i64));
    assert!(all.iter().zip(1..).all(|(line, record)| line["record"] == record));
    assert_eq!(lines(&run(&["--records", "20..29"])), all[19..29]);
    let told = lines(&run(&["--explain"]));
    assert_eq!(told.len(), all.len());
    assert!(told.iter().zip(&all).all(|(told, plain)| told["what"] == plain["what"]));
    assert!(told.iter().any(|line| line["seen"]["waiting"].as_u64() > Some(0)));
    assert_eq!(code(&run(&["--records", "29..20"])), 2);
}

#[test]
fn policies_are_scored() {
    let place = Place::new(MARGINS);
    let score = |policy: &str| {
        let mut command = Command::new(WINDTUNNEL);
        command.current_dir(place.path()).args(["score", "suite.toml", "--policy", policy]);
        command.output().expect("it runs")
    };
    let own = score("tested");
    assert_eq!(code(&own), 0, "{}", shown(&own));
    assert_eq!(json(&own)["score"], 1.0);
    assert_eq!(json(&own)["scenarios"][0]["baseline"]["score"], 1.0);
    place.write("worse.toml", "[policy.worse]\nextends = \"tested\"\nbackfill = \"none\"\n");
    let worse = score("worse.toml");
    assert_eq!(code(&worse), 0, "{}", shown(&worse));
    assert!(json(&worse)["score"].as_f64().is_some_and(|score| score < 0.9), "{}", shown(&worse));
    assert_eq!(json(&worse)["scenarios"][0]["policy"], "worse");
    assert_eq!(worse.stdout, score("worse.toml").stdout);
    // A policy that replaces the baseline's name is held against the old one.
    place.write("same.toml", "[policy.tested]\npreset = \"batch-fcfs\"\n");
    let same = json(&score("same.toml"));
    assert!(same["score"] != 1.0 && same["scenarios"][0]["baseline"]["score"] == 1.0, "{same}");
    place.write("broken.toml", "[policy.x]\norder = \"lagest\"\n");
    let broken = score("broken.toml");
    assert_eq!(code(&broken), 2);
    assert!(shown(&broken).starts_with("broken.toml:2:9: `order` must be"), "{}", shown(&broken));
    assert_eq!(code(&score("nobody")), 2);
    assert_eq!(code(&score("nowhere.toml")), 2);
}

/// Whoever turns away what cannot start at once waits for nothing and breaks no
/// promise about waits; that must be worth less than doing the work.
#[test]
fn refusing_work_is_scored_below_doing_it() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let place = TempDir::new().expect("a folder");
    for (scenario, baseline) in [
        ("quickstart", "today"),
        ("hybrid-burst", "stay"),
        ("batch-cluster", "fcfs"),
        ("vm-packing", "spread"),
        ("gpu-cluster", "least-loaded"),
    ] {
        let file = shipped.join(format!("{scenario}.toml"));
        let suite = format!(
            "replications = 1\n[gates]\nevents = \"exact\"\n[scenario.one]\nfile = {file:?}\n"
        );
        fs::write(place.path().join("suite.toml"), suite).expect("a file");
        let lazy =
            format!("[policy.lazy]\nextends = \"{baseline}\"\nadmit = {{ queue_limit = 0 }}\n");
        fs::write(place.path().join("lazy.toml"), lazy).expect("a file");
        let mut command = Command::new(WINDTUNNEL);
        command.current_dir(place.path()).args(["score", "suite.toml", "--policy", "lazy.toml"]);
        let output = command.output().expect("it runs");
        assert_eq!(code(&output), 0, "{}", shown(&output));
        let scored = &json(&output)["scenarios"][0];
        assert!(scored["metrics"]["finished"].as_f64() < Some(1.0), "{scored}");
        assert!(scored["score"].as_f64() < scored["baseline"]["score"].as_f64(), "{scored}");
    }
}

/// The project's own suite, as it is stored.
#[test]
fn the_shipped_scenarios_do_what_their_baselines_hold() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/suite.toml");
    let held = Command::new(WINDTUNNEL).arg("check").arg(suite).output().expect("it runs");
    assert_eq!(code(&held), 0, "{}", shown(&held));
}

/// A divergence where one side rents says from when on the other may, or which limit of the policy
/// keeps it from renting more.
#[test]
fn a_divergence_says_why_nothing_is_rented_yet() {
    let place = Place::new("events = \"exact\"\n");
    let cases = [
        (
            "after_wait = \"30 min\"",
            "after_wait = \"3 h\"",
            "now",
            "rent, which it may from 2026-01-01T",
        ),
        (
            "after_wait = \"30 min\"",
            "after_wait = \"0 min\"",
            "baseline",
            "rent, which it may from 2026-01-01T",
        ),
        (
            "max_instances = 4",
            "max_instances = 1",
            "now",
            "the policy rents at most 1 instance at once",
        ),
    ];
    for (from, to, side, words) in cases {
        place.edit("one.toml", from, to);
        let found = place.check(&["--json"]);
        let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("it is JSON");
        let told = found["policies"][0]["first_divergence"][side]["reasons"].to_string();
        assert!(told.contains(words), "no `{words}` of {side} in {found:#}");
        place.edit("one.toml", to, from);
    }
}
