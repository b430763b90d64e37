//! Who may know whom: a room imports only rooms above it, and the rooms that a
//! run consists of hold nothing that would make two runs differ.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of rooms: one of each crate.
const SOURCES: [&str; 2] = ["crates/core/src", "src"];

/// Every room, from the top; each may import those before it.
const ROOMS: [&str; 21] = [
    "halt",
    "text",
    "units",
    "problem",
    "input",
    "engine",
    "model",
    "part",
    "purchase",
    "workload",
    "weather",
    "metering",
    "state",
    "policy",
    "sim",
    "metrics",
    "billing",
    "scenario",
    "experiment",
    "report",
    "cli",
];

/// The last room in which a result is made.
const LAST_CORE: &str = "billing";

/// The folder of the room that is a crate of its own, and the rooms that it may know: what accounts
/// are billed depends on no run.
const BILLING: &str = "crates/billing/src";
const OF_BILLING: [&str; 5] = ["units", "problem", "input", "part", "purchase"];

/// Names that bring in unordered iteration, the clock of the wall or
/// randomness of the thread. A name inside a longer word does not count.
const NAMES: [&str; 9] = [
    "HashMap",
    "HashSet",
    "RandomState",
    "Instant",
    "SystemTime",
    "thread_rng",
    "ThreadRng",
    "thread_local",
    "getrandom",
];

/// Floating-point functions of `std`, whose last digits differ by platform.
const FLOATS: [&str; 22] = [
    ".ln()",
    ".ln_1p()",
    ".log(",
    ".log2()",
    ".log10()",
    ".exp()",
    ".exp2()",
    ".exp_m1()",
    ".powf(",
    ".powi(",
    ".sqrt()",
    ".cbrt()",
    ".hypot(",
    ".sin()",
    ".cos()",
    ".tan()",
    ".asin()",
    ".acos()",
    ".atan()",
    ".atan2(",
    ".sinh()",
    ".tanh()",
];

/// A line of code that is not allowed, for the message.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    place: String,
    what: String,
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a line: no comment.
fn code(line: &str) -> &str {
    line.find("//").map_or(line, |at| &line[..at])
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether `name` stands in `line` as a word of its own.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = at.checked_sub(1).map(|at| line.as_bytes()[at]);
        let after = line.as_bytes().get(at + name.len()).copied();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// First segments of every path in `text` from the root of a crate of ours, with their lines;
/// groups such as `crate::{units::Time, model}` are opened.
fn imports(text: &str) -> Vec<(usize, String)> {
    ["crate::", "windtunnel::", "windtunnel_core::"]
        .into_iter()
        .flat_map(|root| imports_from(root, text))
        .collect()
}

fn imports_from(root: &str, text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(root) {
        if at > 0 && is_word(text.as_bytes()[at - 1]) {
            continue;
        }
        let line = text[..at].lines().count().max(1);
        let rest = &text[at + root.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut first) = (0, true);
            for (at, letter) in group.char_indices() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => first = true,
                    letter if first && !letter.is_whitespace() => {
                        found.push((line, word(&group[at..])));
                        first = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.push((line, word(rest)));
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// Findings in one file of `room`. Tests at the bottom of a file may use what they like of `std`,
/// but no room below theirs.
fn examine(room: &str, file: &str, text: &str) -> Vec<Finding> {
    let Some(rank) = ROOMS.iter().position(|&name| name == room) else {
        return vec![Finding { place: file.to_owned(), what: format!("`{room}` is not a room") }];
    };
    let text: String = text.lines().flat_map(|line| [code(line), "\n"]).collect();
    let mut findings = Vec::new();
    let mut add = |line: usize, what: String| {
        findings.push(Finding { place: format!("{file}:{line}"), what });
    };
    let imported = match room {
        "billing" => imports_from("windtunnel_core::", &text),
        _ => imports(&text),
    };
    for (line, target) in imported {
        if room == "billing" && !OF_BILLING.contains(&target.as_str()) {
            add(line, format!("`{room}` imports `{target}`, which is of runs"));
        }
        match ROOMS.iter().position(|&name| name == target) {
            Some(other) if other > rank => {
                add(line, format!("`{room}` imports `{target}`, a room below it"));
            }
            Some(_) => {}
            None => add(line, format!("`crate::{target}` is not a room")),
        }
    }
    let core = ROOMS.iter().position(|&name| name == LAST_CORE).is_some_and(|last| rank <= last);
    let test_file = file.ends_with("tests.rs") || file.ends_with("testing.rs");
    if !core || test_file {
        return findings;
    }
    // `#[cfg(test)] mod x;` near the top is not the tests at the bottom.
    let lines: Vec<&str> = text.lines().collect();
    let opens = |pair: &[&str]| pair[0].starts_with("#[cfg(test)]") && pair[1].ends_with('{');
    let tests_at = lines.windows(2).position(opens).unwrap_or(usize::MAX);
    for (at, line) in lines.iter().enumerate().take_while(|&(at, _)| at < tests_at) {
        for name in NAMES {
            if names(line, name) {
                add(at + 1, format!("`{name}` in `{room}`, where results are made"));
            }
        }
        for call in FLOATS {
            if line.contains(call) {
                add(at + 1, format!("`{call}` of std in `{room}`: use libm"));
            }
        }
    }
    findings
}

#[test]
fn rooms_import_only_rooms_above_them() {
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for src in SOURCES
        .into_iter()
        .chain([BILLING])
        .map(|src| Path::new(env!("CARGO_MANIFEST_DIR")).join(src))
    {
        let mut files = Vec::new();
        sources(&src, &mut files);
        for path in files {
            let file = path.strip_prefix(&src).expect("it lies in src").display().to_string();
            let module = file.split(['/', '\\', '.']).next().expect("a name");
            let room = if src.ends_with(BILLING) { "billing" } else { module };
            if ["lib", "main"].contains(&room) {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a text");
            findings.extend(examine(room, &file, &text));
            seen.insert(room.to_owned());
        }
    }
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(seen, ROOMS.map(str::to_owned).into(), "every room is read");
}

/// The checker itself is seen to be red.
#[test]
fn forbidden_arrows_and_names_are_found() {
    let whats = |room: &str, text: &str| -> Vec<String> {
        examine(room, "x.rs", text).into_iter().map(|finding| finding.what).collect()
    };
    let wrong = "use crate::{units::{Time, Span}, sim::Observer};\nlet x = crate::cli::y();\n";
    let found = examine("state", "x.rs", wrong);
    let places: Vec<&str> = found.iter().map(|finding| finding.place.as_str()).collect();
    assert_eq!(places, ["x.rs:1", "x.rs:2"]);
    assert!(found[0].what.contains("`state` imports `sim`"), "{found:?}");
    assert_eq!(whats("sim", "use crate::state::State; // crate::cli is below\n"), [""; 0]);
    assert_eq!(whats("sim", "use crate::nowhere::X;").len(), 1);
    assert_eq!(whats("report", "use windtunnel::cli::X;").len(), 1);
    assert_eq!(whats("cli", "use windtunnel::{report, units::Time};").len(), 0);
    assert_eq!(whats("billing", "use windtunnel_core::sim::Run;\nuse crate::rate;\n").len(), 1);
    assert_eq!(whats("attic", "").len(), 1);
    assert_eq!(whats("state", "use std::collections::HashMap;").len(), 1);
    assert_eq!(whats("state", "let map = FxHashMap::default();").len(), 0);
    assert_eq!(whats("report", "use std::collections::HashMap;").len(), 0);
    assert_eq!(whats("units", "let y = x.ln() + x.powf(2.0);").len(), 2);
    assert_eq!(whats("units", "let y = libm::log(x);").len(), 0);
    let tests = "fn f() {}\n#[cfg(test)]\nmod tests {\n let x = y.sqrt();\n}\n";
    assert_eq!(whats("units", tests).len(), 0);
    let declared = "#[cfg(test)]\nmod testing;\nfn f() { y.sqrt(); }\n";
    assert_eq!(whats("units", declared).len(), 1);
}
