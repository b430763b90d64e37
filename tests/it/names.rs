//! One word, one meaning: no two types have one name, and the glossary names types that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files of tests, which may call what they make as they like.
fn is_test(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let in_tests = path.components().any(|part| part.as_os_str() == "tests");
    in_tests || matches!(name, "tests.rs" | "testing.rs")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        match path.extension() {
            _ if path.is_dir() => sources(&path, found),
            Some(extension) if extension == "rs" => found.push(path),
            _ => {}
        }
    }
}

/// Types that a line defines: at most one, at the left edge.
fn defined(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.trim_start(),
        None => line,
    };
    let rest = ["struct ", "enum ", "trait ", "type ", "union "]
        .iter()
        .find_map(|keyword| line.strip_prefix(keyword))?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// The code of each file outside tests, by its place below the `src` of its crate.
fn code() -> Vec<(String, String)> {
    let mut code = Vec::new();
    for root in ["crates/billing/src", "crates/core/src", "src"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
        let mut files = Vec::new();
        sources(&root, &mut files);
        for file in files.iter().filter(|file| !is_test(file)) {
            let text = fs::read_to_string(file).expect("it is text");
            let outside = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let place = file.strip_prefix(&root).expect("it is below").display().to_string();
            code.push((place, outside.to_owned()));
        }
    }
    code.sort();
    code
}

/// Files that define a name outside tests, by name.
fn types() -> BTreeMap<String, Vec<String>> {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (place, code) in code() {
        for name in code.lines().filter_map(defined) {
            types.entry(name.to_owned()).or_default().push(place.clone());
        }
    }
    types
}

#[test]
fn no_two_types_have_one_name() {
    let types = types();
    assert!(types.len() > 500, "{} types", types.len());
    let twice: Vec<_> = types.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}

#[test]
fn the_glossary_speaks_of_types_that_exist() {
    let page = include_str!("../../docs/architecture.md");
    let glossary = page.split("\n## Glossary\n").nth(1).expect("there is a glossary");
    let glossary = glossary.split("\n## ").next().unwrap_or_default();
    let types = types();
    let (mut named, mut terms) = (0, BTreeSet::new());
    for row in glossary.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| term"))
    {
        let words = row.split('|').nth(1).expect("a first column");
        for term in words.split(',').map(str::trim) {
            assert!(terms.insert(term), "{term} has two meanings");
        }
        let code = row.split('|').nth(2).expect("a second column");
        for name in code.split('`').skip(1).step_by(2) {
            let known = name.split("::").next().unwrap_or_default();
            assert!(types.contains_key(known), "{name} is in the glossary and nowhere else");
            named += 1;
        }
    }
    assert!(named > 30, "{named} types");
}

#[test]
fn the_architecture_page_names_files_that_exist() {
    let page = include_str!("../../docs/architecture.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for file in page.split('`').skip(1).step_by(2).filter(|code| code.ends_with(".rs")) {
        let places = ["", "src", "crates/core/src", "crates/billing/src"]
            .map(|place| root.join(place).join(file));
        assert!(
            places.iter().any(|place| place.is_file()),
            "{file} is on the page and nowhere else"
        );
        named += 1;
    }
    assert!(named > 30, "{named} files");
}

/// Files where the last point of the clock stands for itself, where sums end, and why.
const AT_THE_END_OF_THE_CLOCK: [(&str, &str); 11] = [
    ("cli/args.rs", "the longest window holds all of a trace"),
    ("experiment/bound/cost.rs", "a window that closes with the clock"),
    ("experiment/bound/job.rs", "the least of nothing yet"),
    ("experiment/bound/offers.rs", "a boot beyond the clock"),
    ("experiment/compare/plan.rs", "the longest window holds all of a trace"),
    ("experiment/survey.rs", "a heap of ends: what has none is last"),
    ("policy/backfill.rs", "profiles are over with the clock"),
    ("policy/compat.rs", "a score of work without an estimate"),
    ("policy/due.rs", "a timer beyond the clock is not set"),
    ("policy/order.rs", "a score of work without an estimate"),
    ("sim/effects.rs", "a boot beyond the clock"),
];

#[test]
fn what_is_not_there_is_no_number() {
    let words = ["Time::MAX", "Span::MAX"];
    let uses = |code: &str| {
        let mut code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        code.any(|line| words.iter().any(|word| line.contains(word)))
    };
    let found =
        code().into_iter().filter(|(place, code)| !place.starts_with("units/") && uses(code));
    let found: Vec<String> = found.map(|(place, _)| place).collect();
    let known = AT_THE_END_OF_THE_CLOCK.map(|(place, _)| place);
    assert_eq!(found, known, "a time or an end that is not there is `None`, not a large number");
}

#[test]
fn definitions_are_seen() {
    for (line, name) in [
        ("pub struct Offer {", Some("Offer")),
        ("pub(in crate::policy) struct ExternalPlace {", Some("ExternalPlace")),
        ("type Steps<T> = Vec<T>;", Some("Steps")),
        ("enum Event {", Some("Event")),
        ("    type Output = Self;", None),
        ("fn structure() {", None),
    ] {
        assert_eq!(defined(line), name, "{line}");
    }
}
