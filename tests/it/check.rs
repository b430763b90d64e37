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
    ("order: shortest first", "order = \"fcfs\"", "order = \"shortest\"", false),
    ("no backfilling", "backfill = \"easy\"", "backfill = \"none\"", true),
    ("conservative", "backfill = \"easy\"", "backfill = \"conservative\"", true),
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
    check_stale("nodes = 5", "nodes = 4", "[cluster] has changed");
    check_stale("count = 300", "count = 301", "[workload] has changed");
    check_stale("question = \"?\"", "question = \"?\"\nseed = 9", "[seed] is new");
    check_stale("m6i.2xlarge", "m6i.4xlarge", "[cloud] has changed");
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
    let work = "[workload]\ntrace = \"log.swf\"\n[cloud.lambda]\ncatalog = \"mine\"\n[cluster.c]";
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
        shown(&broken).contains("tested.toml:5:9: the baseline cannot be read"),
        "{}",
        shown(&broken)
    );
    fs::write(place.path().join(name), b"\xff\xfe").expect("a file");
    assert_eq!(code(&place.check(&[])), 2);
    fs::remove_file(place.path().join(name)).expect("a file");
    let missing = place.check(&[]);
    assert_eq!(code(&missing), 2);
    assert!(shown(&missing).contains("there is no such baseline"), "{}", shown(&missing));
    // What is stored again is the same, byte by byte.
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
        xml.contains("tests=\"3\" failures=\"3\"") && xml.contains("<failure type=\"regressed\""),
        "{xml}"
    );
    let page = place.read("out.md");
    assert!(page.contains("a\\|&lt;b&gt; &amp; \"c\" \\`d\\` &#64;e"), "{page}");
    let table: Vec<&str> = page.lines().filter(|line| line.starts_with("| a")).collect();
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(table.iter().all(|line| columns(line) == 9), "{page}");
    let data = place.check(&["--json"]);
    let data: serde_json::Value = serde_json::from_slice(&data.stdout).expect("JSON");
    assert_eq!(data["holds"], false);
    assert_eq!(data["policies"][0]["redefined"], true);
}

/// The project's own suite, as it is stored.
#[test]
fn the_shipped_scenarios_do_what_their_baselines_hold() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/suite.toml");
    let held = Command::new(WINDTUNNEL).arg("check").arg(suite).output().expect("it runs");
    assert_eq!(code(&held), 0, "{}", shown(&held));
}
