//! Every command and every piece of TOML in the README and in `docs` works.
//!
//! Commands run as they are written, but smaller: what makes them smaller, what stands in for a
//! reader's own files, and what is not run and why are the lists below. What is neither
//! run nor listed fails.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Commands that are not run here, and why.
const NOT_RUN: [(&str, &str); 3] = [
    ("cargo test", "this is it"),
    ("cargo install --path .", "builds once more"),
    ("git add scenarios/baselines", "not ours"),
];

/// Languages of blocks that something else holds.
const HELD_ELSEWHERE: [(&str, &str, &str); 2] = [
    ("docs/policy.md", "json", "policy::external::tests"),
    ("README.md", "text", "the output of `explain`, an example"),
];

/// Options that make a command small, each with the value that it gets in place of its own.
const SMALLER: [(&str, &str, &str); 5] = [
    ("compare", "--replications", "2"),
    ("sweep", "--replications", "2"),
    ("sweep", "--sample", "lhs:4"),
    ("plan", "--replications", "5"),
    ("plan", "--budget", "90"),
];

/// A block of a page: fenced, or indented by four spaces and then without a language.
#[derive(Debug)]
struct Block {
    line: usize,
    language: String,
    text: String,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &str) -> String {
    fs::read_to_string(repository().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The README and all of `docs`, by their paths in the repository.
fn pages() -> Vec<String> {
    let docs = fs::read_dir(repository().join("docs")).expect("docs are there");
    let names = docs.map(|entry| entry.expect("an entry").file_name().into_string().expect("text"));
    let mut pages: Vec<String> =
        names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    pages.push("README.md".to_owned());
    pages.sort();
    pages
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fenced = false;
    let text = read(page);
    for (line, words) in (1..).zip(text.lines()) {
        if let Some(language) = words.strip_prefix("```") {
            fenced = !fenced;
            if fenced {
                let language = language.to_owned();
                blocks.push(Block { line, language, text: String::new() });
            }
        } else if fenced {
            let block = blocks.last_mut().expect("a fence began it");
            block.text.push_str(words);
            block.text.push('\n');
        } else if let Some(words) =
            words.strip_prefix("    ").filter(|it| it.starts_with("windtunnel"))
        {
            blocks.push(Block { line, language: String::new(), text: format!("{words}\n") });
        }
    }
    assert!(!fenced, "{page}: a block has no end");
    blocks
}

/// The commands of a block: lines that go on are one.
fn commands(block: &Block) -> Vec<String> {
    let whole = block.text.replace("\\\n", " ");
    let lines = whole.lines().map(str::trim).filter(|line| !line.is_empty());
    match block.language.as_str() {
        "console" => lines.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect(),
        // A job for a build server: only what it asks of windtunnel.
        "yaml" => lines.filter(|line| line.starts_with("windtunnel ")).map(str::to_owned).collect(),
        _ => lines.map(str::to_owned).collect(),
    }
}

/// Words of a command as a shell reads them, up to a comment; and whether it may fail (`|| true`).
/// Words with a variable in them are left out.
fn words(command: &str) -> (Vec<String>, bool) {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for one in command.chars().chain([' ']) {
        match (quote, one) {
            (Some(mark), one) if one == mark => quote = None,
            (None, '\'' | '"') => quote = Some(one),
            (None, ' ') if word.is_empty() => {}
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (None, '#') if word.is_empty() => break,
            _ => word.push(one),
        }
    }
    let may_fail = words.ends_with(&["||".to_owned(), "true".to_owned()]);
    words.truncate(words.len() - if may_fail { 2 } else { 0 });
    words.retain(|word| !word.contains('$'));
    (words, may_fail)
}

/// The same command with less to do.
fn smaller(mut words: Vec<String>) -> Vec<String> {
    // So sure an answer takes the replications that it takes.
    let sure = words.iter().any(|word| word == "--kept-in");
    for (command, option, value) in SMALLER {
        if words[0] != command || sure {
            continue;
        }
        match words.iter().position(|word| word == option) {
            Some(at) => words[at + 1] = value.to_owned(),
            None if option == "--sample" => {}
            None => words.extend([option.to_owned(), value.to_owned()]),
        }
    }
    let sets = ["compare", "plan", "sweep", "drill"].contains(&words[0].as_str());
    if sets && ["quickstart", "mine.toml"].contains(&words[1].as_str()) {
        words.extend(["--set", "workload.synthetic.span=10 h"].map(str::to_owned));
    }
    words
}

fn run(folder: &Path, words: &[String]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(words).output().expect("the program starts")
}

/// A folder with what a reader has: the repository's scenarios and traces, and files of his own.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for part in ["scenarios", "traces"] {
        copy(&repository().join(part), &folder.path().join(part));
    }
    let write = |name: &str, bytes: &[u8]| {
        fs::write(folder.path().join(name), bytes)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    };
    let sizing = read("scenarios/sizing.toml").replace("span = \"7 d\"", "span = \"12 h\"");
    write("scenarios/sizing.toml", sizing.as_bytes());
    write("my.toml", sizing.as_bytes());
    let suite = "replications = 1\n[gates]\nevents = \"exact\"\n[scenario.quickstart]\npolicies = [\"today\"]\n";
    write("scenarios/suite.toml", suite.as_bytes());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for line in read("traces/batch-small.swf").lines() {
        // A log has seen waits; the shipped one has not.
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with(';') {
            fields[2] = "60";
        }
        writeln!(packed, "{}", fields.join(" ")).expect("memory takes everything");
    }
    let packed = packed.finish().expect("memory takes everything");
    write("jobs.swf.gz", &packed);
    write("HPC2N-2002-2.2-cln.swf.gz", &packed);
    write("grid.csv", read("scenarios/carbon-shift.csv").as_bytes());
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to)
        } else {
            fs::write(to, fs::read(path).expect("a file")).expect("a copy")
        }
    }
}

/// Runs the commands of a page in a folder, in their order.
fn commands_work(page: &str) {
    let folder = folder();
    let mut ran = 0;
    for block in blocks(page) {
        if !["", "sh", "console", "yaml"].contains(&block.language.as_str()) {
            continue;
        }
        // A session that is shown begins anew.
        if block.language == "console" {
            drop(fs::remove_dir_all(folder.path().join("output")));
        }
        for command in commands(&block) {
            let (mut words, may_fail) = words(&command);
            if NOT_RUN.iter().any(|(one, _)| words.join(" ") == *one) {
                continue;
            }
            let place = format!("{page}:{}: {command}", block.line);
            if words.starts_with(&["cargo", "run", "--profile", "quick", "--"].map(str::to_owned)) {
                words.splice(..5, ["windtunnel".to_owned()]);
            }
            words
                .iter_mut()
                .filter(|word| *word == "NAME")
                .for_each(|word| *word = "fcfs".to_owned());
            let program = words.remove(0);
            assert!(program == "windtunnel", "{place}: neither run nor listed");
            let found = run(folder.path(), &smaller(words));
            let said = String::from_utf8_lossy(&found.stderr);
            assert_eq!(found.status.code(), Some(if may_fail { 2 } else { 0 }), "{place}\n{said}");
            ran += 1;
        }
    }
    assert!(ran > 0, "{page} has no command: take it out of the tests");
}

#[test]
fn commands_of_the_readme_work() {
    commands_work("README.md");
}

#[test]
fn commands_of_backtest_work() {
    commands_work("docs/backtest.md");
}

#[test]
fn commands_of_check_work() {
    commands_work("docs/check.md");
}

#[test]
fn commands_of_ci_work() {
    commands_work("docs/ci.md");
}

#[test]
fn commands_of_plan_work() {
    commands_work("docs/plan.md");
}

#[test]
fn commands_of_drill_work() {
    commands_work("docs/drill.md");
}

#[test]
fn commands_of_money_work() {
    commands_work("docs/money.md");
}

#[test]
fn commands_of_sweep_work() {
    commands_work("docs/sweep.md");
}

/// The scenario or suite that a piece of TOML is a part of, and the command that reads it.
fn whole(page: &str, piece: &str) -> (&'static str, String, Vec<&'static str>) {
    let quickstart = read("scenarios/quickstart.toml");
    match (page, piece.lines().next().expect("a line")) {
        ("README.md", "[policy.mine.place]") => {
            ("mine.toml", format!("{quickstart}\n{piece}"), vec!["validate", "mine.toml"])
        }
        ("docs/weather.md", "[cloud.aws]") => {
            let stopped = quickstart.replacen("[cloud.aws]\n", piece, 1);
            assert_ne!(stopped, quickstart);
            ("stopped.toml", stopped, vec!["validate", "stopped.toml"])
        }
        (
            "docs/weather.md",
            "[[cloud.aws.availability]]                  # no spot instance in one zone for two hours",
        )
        | (
            "docs/weather.md",
            "[[cloud.aws.availability]]                  # up to eight instances, by how long they come and go",
        )
        | (
            "docs/weather.md",
            "[[cloud.aws.price]]                         # around the list price of the spot market, 0.6 to 1.6 times that",
        )
        | (
            "docs/carbon.md",
            "[cluster.own]                               # 24 machines"
            | "[[cloud.aws.carbon]]                        # over time, in one region"
            | "[policy.clean.shift.wait-awhile]"
            | "[policy.scaled.shift.carbon-scaler]",
        )
        | (
            "docs/weather.md",
            "[workload.checkpoint]                       # of work that says nothing of its own"
            | "[migration]                                 # how machines copy memory; these are the defaults"
            | "[policy.mover]"
            | "[policy.careful.provision.uniform-progress]"
            | "[policy.hedged.provision.spot-hedge]"
            | "[[failure]]                                 # nodes of a cluster of our own, with two who repair them"
            | "[[failure]]                                 # a GPU that throttles: half the speed, for a day in the median"
            | "[[failure]]                                 # one GPU, while the others and the cores go on"
            | "[[cloud.aws.launch]]                        # stages of a boot, and launches that come to nothing"
            | "[policy.wary]"
            | "[[outage]]                                  # the same on a Monday at nine, at another provider",
        )
        | (
            "docs/money.md",
            "[[offering]]"
            | "[policy.careful]"
            | "[policy.thrifty]"
            | "[[data_set]]"
            | "[[transfer.link]]                           # a line of one's own: 0.02 USD/GiB, whatever moves",
        )
        | (
            "docs/budgets.md",
            "[[budget]]                                  # all of it, by the month"
            | "[policy.capped]",
        ) => ("mine.toml", format!("{quickstart}\n{piece}"), vec!["validate", "mine.toml"]),
        (
            "docs/weather.md",
            "[cloud.aws.comovement]                      # one zone tends to have what the other has not",
        ) => {
            let model = "[[cloud.aws.availability]]\ninstances = 4\n\
                         model.memoryless = { losses_per_hour = 1, absence = \"1 h\" }\n";
            let text = format!("{quickstart}\n{model}{piece}");
            ("mine.toml", text, vec!["validate", "mine.toml"])
        }
        (
            "docs/weather.md",
            "outages = [\"aws-2025-10-20\"]                # what happened, on its date",
        ) => ("mine.toml", format!("{piece}\n{quickstart}"), vec!["validate", "mine.toml"]),
        ("docs/backtest.md", "[observed]") => {
            ("mine.toml", format!("{quickstart}\n{piece}"), vec!["validate", "mine.toml"])
        }
        ("docs/objectives.md", "[objectives]" | "[[alert]]") => {
            let (before, _) = quickstart.split_once("[objectives]").expect("it promises something");
            ("mine.toml", format!("{before}{piece}"), vec!["validate", "mine.toml"])
        }
        ("docs/plan.md", "[plan.vary]") => {
            let cloud =
                "[[cloud.aws.quota]]\nregion = \"us-east-1\"\nunit = \"vcpus\"\nlimit = 640\n";
            let sizing = read("scenarios/sizing.toml");
            let (before, _) = sizing.split_once("[plan.vary]").expect("it has a plan");
            let text =
                format!("{before}\n[policy.today]\npreset = \"batch-fcfs\"\n{cloud}\n{piece}");
            ("mine.toml", text, vec!["validate", "mine.toml"])
        }
        (
            "docs/check.md",
            "replications = 10                 # of each scenario; 1 is done where nothing in it is random",
        ) => {
            let fewer = piece.replace("replications = 10", "replications = 1");
            (
                "scenarios/s.toml",
                fewer.replace("replications = 5", "replications = 1"),
                vec!["check", "scenarios/s.toml", "--update"],
            )
        }
        ("docs/money.md", "[[account]]") => {
            let command = vec!["bill", "scenarios/bill/usage.csv", "--terms", "terms.toml"];
            ("terms.toml", piece.to_owned(), command)
        }
        (_, first) => panic!("{page}: say what `{first}` is a part of"),
    }
}

#[test]
fn pieces_of_toml_are_read() {
    for page in pages() {
        for block in blocks(&page).iter().filter(|block| block.language == "toml") {
            let folder = folder();
            let (name, text, command) = whole(&page, &block.text);
            fs::write(folder.path().join(name), text).expect("written");
            fs::create_dir(folder.path().join("cluster")).expect("a folder");
            fs::write(
                folder.path().join("cluster/nightly.toml"),
                read("scenarios/quickstart.toml"),
            )
            .expect("written");
            fs::write(folder.path().join("ours.py"), "").expect("written");
            let command: Vec<String> = command.into_iter().map(str::to_owned).collect();
            let found = run(folder.path(), &command);
            let said = String::from_utf8_lossy(&found.stderr);
            assert!(found.status.success(), "{page}:{}\n{said}", block.line);
        }
    }
}

/// A page with a command has a test above; a block in another language has somebody who holds it.
#[test]
fn no_block_is_left_out() {
    let source = include_str!("documented.rs");
    for page in pages() {
        for block in blocks(&page) {
            let held = match block.language.as_str() {
                "" | "sh" | "console" | "yaml" => {
                    source.contains(&format!("commands_work(\"{page}\")"))
                }
                "toml" => true,
                language => HELD_ELSEWHERE.iter().any(|held| (held.0, held.1) == (&page, language)),
            };
            assert!(held, "{page}:{}: {} is run by no test", block.line, block.language);
        }
    }
}

/// Commands within sentences: their help names their options.
#[test]
fn commands_in_sentences_are_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut seen = std::collections::BTreeSet::new();
    for page in pages() {
        for span in read(&page).split('`').filter(|span| span.starts_with("windtunnel ")) {
            if span.contains('\n') || !seen.insert(span.to_owned()) {
                continue;
            }
            let (words, _) = words(span);
            let depth = if ["catalog", "trace"].contains(&words[1].as_str()) { 3 } else { 2 };
            let (command, rest) = words.split_at(depth.min(words.len()));
            let found = run(folder.path(), &[&command[1..], &["--help".to_owned()]].concat());
            let help = String::from_utf8_lossy(&found.stdout);
            assert!(found.status.success(), "{page}: `{span}`");
            let known: Vec<&str> = help.split([' ', ',', '\n', '[', '<', '`']).collect();
            for option in rest.iter().filter(|word| word.starts_with('-')) {
                assert!(known.contains(&option.as_str()), "{page}: `{span}`");
            }
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
}
