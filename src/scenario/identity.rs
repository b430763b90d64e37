//! Identity of a scenario apart from its policies: hashes of its world and its work, so that a
//! result can be told to be about something else.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::document::ScenarioText;
use super::section::{ConfigTable, Diagnostics};
use super::value::Value;
use super::{Scenario, catalog};
use crate::problem::Problem;

/// Keys of a scenario that change nothing of what happens under a policy.
const NO_MATTER: [&str; 9] = [
    "question",
    "baseline",
    "policy",
    "objectives",
    "replications",
    "steady_state",
    "limits",
    "plan",
    "observed",
];

/// Hashes of everything that a run depends on besides policy and program, by
/// name: a key of the scenario, a file that it reads, or a shipped catalog.
/// The meaning of a scenario counts, not how it is written: no comments, no spaces, and `24 h` is
/// `1 d`. Files count by their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity(pub BTreeMap<String, String>);

impl Identity {
    /// Identity of a scenario; reads its input files.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of(scenario: &Scenario) -> Result<Self, Problem> {
        let mut parts = BTreeMap::new();
        let document = ScenarioText::new(&scenario.text, &scenario.path);
        let mut report = Diagnostics::new(&document, Vec::new());
        let root = super::root(&document, "", &mut report);
        for entry in root.entries.iter().filter(|entry| !NO_MATTER.contains(&entry.name.as_str())) {
            let hash = short(meaning(&entry.node.value).as_bytes());
            parts.insert(format!("[{}]", entry.name), hash);
        }
        for (cloud, facts, _) in root.section("cloud").sections() {
            let shipped = catalog::shipped_text(cloud).filter(|_| !facts.has("catalog"));
            if let Some(text) = shipped {
                parts.insert(format!("shipped catalog {cloud}"), short(text.as_bytes()));
            }
        }
        let base = Path::new(&scenario.path).parent().unwrap_or(Path::new(""));
        let external = scenario.policies.iter().flat_map(|policy| policy.external.values());
        let programs: Vec<_> =
            external.flat_map(|who| who.command.iter().map(|word| who.folder.join(word))).collect();
        // The program of a policy is what is tested, not what it is tested in.
        for path in scenario.inputs.iter().filter(|path| !programs.contains(path)) {
            let written = path.strip_prefix(base).unwrap_or(path);
            parts.insert(format!("file {}", written.display()), hash_file(path)?);
        }
        Ok(Self(parts))
    }

    /// The names of parts in which this one differs from `other`, each with
    /// what happened to it.
    pub fn changes_since(&self, other: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (name, hash) in &self.0 {
            match other.0.get(name) {
                Some(known) if known == hash => {}
                Some(_) => changes.push(format!("{name} has changed")),
                None => changes.push(format!("{name} is new")),
            }
        }
        let gone = other.0.keys().filter(|name| !self.0.contains_key(*name));
        changes.extend(gone.map(|name| format!("{name} is gone")));
        changes
    }
}

/// The policy called `name` and those that it extends, as tables of TOML
/// without comments; the furthest ancestor first.
pub fn definition(scenario: &Scenario, name: &str) -> String {
    let (root, _) = DeTable::parse_recoverable(&scenario.text);
    let Some(policies) = root.get_ref().get("policy").and_then(|all| all.get_ref().as_table())
    else {
        return String::new();
    };
    let mut tables = Vec::new();
    let mut next = Some(name.to_owned());
    // A scenario whose policies extend each other in a circle is not read.
    while let Some(name) = next.take()
        && tables.len() < policies.len()
    {
        let policy = policies.get(name.as_str()).and_then(|policy| policy.get_ref().as_table());
        let Some(policy) = policy else { break };
        let mut text = format!("[policy.{}]\n", quoted_key(&name));
        for (key, value) in in_order(policy) {
            text += &format!("{} = {}\n", quoted_key(key), canonical(value));
        }
        tables.push(text);
        next = policy.get("extends").and_then(|value| value.get_ref().as_str()).map(str::to_owned);
    }
    tables.reverse();
    tables.concat()
}

/// Whether the setting `key` may matter to the policy called `name`. A setting of another policy
/// does so only if this one extends that policy.
pub fn concerns(scenario: &Scenario, name: &str, key: &str) -> bool {
    let (own, edit) = (definition(scenario, name), format!("{key} = 0"));
    let tables = [own.as_str(), edit.as_str()].map(|text| DeTable::parse_recoverable(text).0);
    let [own, edited] = tables.map(|root| -> Option<Vec<String>> {
        let policies = root.get_ref().get("policy")?.get_ref().as_table()?;
        Some(policies.keys().map(|name| name.get_ref().to_string()).collect())
    });
    edited.is_none_or(|edited| {
        edited.iter().any(|policy| own.as_ref().is_some_and(|own| own.contains(policy)))
    })
}

/// Entries in the order of the file, which is that of offers and fleets.
pub(super) fn in_order<'a>(table: &'a DeTable<'_>) -> Vec<(&'a str, &'a DeValue<'a>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries.into_iter().map(|(name, value)| (name.get_ref().as_ref(), value.get_ref())).collect()
}

/// A value as one line of TOML.
pub(super) fn canonical(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| canonical(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => {
            let entry = |(name, value): (&str, &DeValue<'_>)| {
                format!("{} = {}", quoted_key(name), canonical(value))
            };
            let entries: Vec<String> = in_order(table).into_iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A checked value in the one way of writing it that all its spellings share.
fn meaning(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Texts(texts) => list(texts.iter().map(|(text, _)| quoted(text))),
        Value::Numbers(numbers) => list(numbers.iter().map(f64::to_string)),
        Value::Flag(flag) => flag.to_string(),
        Value::Count(count) => count.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Amount(amount) => amount.to_string(),
        Value::Number(number) => number.to_string(),
        // A moment is a span or an instant, and the same number is not the same moment.
        Value::Span(span) => format!("{} us", span.micros()),
        Value::Rate(rate) => rate.picos().to_string(),
        Value::Gpus(count, model) => format!("{count} x {}", quoted(model)),
        Value::Distribution(distribution) => distribution.to_string(),
        Value::Capacity(None) => "unlimited".to_owned(),
        Value::Capacity(Some(capacity)) => capacity.to_string(),
        Value::Bound(comparison, bound, _) => format!("{comparison:?} {bound}"),
        Value::Table(section) => table(section),
        Value::List(sections) => list(sections.iter().map(table)),
        Value::Bad => String::new(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn table(section: &ConfigTable) -> String {
    let entry = |entry: &super::section::ConfigEntry| {
        format!("{} = {}", quoted_key(&entry.name), meaning(&entry.node.value))
    };
    let entries: Vec<String> = section.entries.iter().map(entry).collect();
    format!("{{ {} }}", entries.join(", "))
}

fn quoted(text: &str) -> String {
    // JSON's escapes are TOML's too; only DEL is plain in one and not in the other.
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A key of TOML, in quotes where it needs them.
pub(super) fn quoted_key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { quoted(name) }
}

fn short(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}

fn hash_file(path: &Path) -> Result<String, Problem> {
    Ok(crate::input::hash(path)?[..16].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
question = "?" # why
[workload]
trace = "traces/batch-small.swf"
[cluster.c]
nodes = 2
shape = { vcpus = 4, memory = "8 GiB" }
[cloud.aws]
regions = ["us-east-1"]
[policy.p]
preset = "batch-fcfs"
[policy."q r"] # another
extends = "p"
order = "shortest"
"#;

    fn scenario(text: &str) -> Scenario {
        let base = Path::new(env!("CARGO_MANIFEST_DIR"));
        let shown = base.join("a.toml").display().to_string();
        let read = Scenario::parse(text, &shown, base, &[]);
        read.unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    #[track_caller]
    fn check(from: &str, to: &str, changes: &[&str]) {
        let before = Identity::of(&scenario(TEXT)).expect("files are there");
        let after = Identity::of(&scenario(&TEXT.replace(from, to))).expect("files are there");
        assert_eq!(after.changes_since(&before), changes);
    }

    #[test]
    fn what_matters_is_told_from_what_does_not() {
        check("# why", "# for no reason", &[]);
        check("question = \"?\"", "question = \"!\"\nreplications = 7", &[]);
        check("[workload]", "[limits]\nmax_alive = 5\n[workload]", &[]);
        check("preset = \"batch-fcfs\"", "preset = \"batch-backfill\"", &[]);
        check("nodes = 2", "nodes = 3", &["[cluster] has changed"]);
        check("nodes = 2\n", "nodes =    2 # the same\n", &[]);
        for (one, same, other) in [
            ("horizon = \"1 d\"", "horizon = '24 h'", "horizon = \"25 h\""),
            ("start = \"2026-03-01\"", "start = 2026-03-01T01:00:00+01:00", "start = 2026-03-02"),
        ] {
            let begun = |line: &str| TEXT.replace("[workload]", &format!("{line}\n[workload]"));
            let of = |line: &str| Identity::of(&scenario(&begun(line))).expect("files are there");
            assert_eq!(of(one), of(same), "{same}");
            assert_ne!(of(one), of(other), "{other}");
        }
        check("memory = \"8 GiB\"", "memory = \"8192 MiB\"", &[]);
        check("memory = \"8 GiB\"", "memory = \"8 GB\"", &["[cluster] has changed"]);
        check("vcpus = 4,", "vcpus = 4.0,", &[]);
        check("question", "seed = 2\nquestion", &["[seed] is new"]);
        check("[workload]", "horizon = \"1 d\"\n[workload]", &["[horizon] is new"]);
        check(
            "[cloud.aws]\nregions = [\"us-east-1\"]\n",
            "",
            &["[cloud] is gone", "shipped catalog aws is gone"],
        );
        check(
            "traces/batch-small.swf",
            "traces/../traces/batch-small.swf",
            &[
                "[workload] has changed",
                "file traces/../traces/batch-small.swf is new",
                "file traces/batch-small.swf is gone",
            ],
        );
    }

    #[test]
    fn a_definition_holds_what_it_extends() {
        let text = definition(&scenario(TEXT), "q r");
        assert_eq!(
            text,
            "[policy.p]\npreset = \"batch-fcfs\"\n\
             [policy.\"q r\"]\nextends = \"p\"\norder = \"shortest\"\n"
        );
        assert_eq!(definition(&scenario(TEXT), "none"), "");
        let read: toml::Table = text.parse().expect("it is TOML");
        assert_eq!(read["policy"]["q r"]["order"].as_str(), Some("shortest"));
    }
}
