//! Identity of a scenario apart from its policies: its world and its work key by key, so that a
//! result can be told to be about something else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::document::ScenarioText;
use super::section::{ConfigTable, Diagnostics};
use super::value::{Unit, Value};
use super::{Scenario, catalog};
use crate::policy::spec::External;
use crate::problem::Problem;
use crate::units::{Calendar, Span, Time};

/// Keys of a scenario that change nothing of what happens under a policy.
const NO_MATTER: [&str; 11] = [
    "question",
    "charge_period",
    "baseline",
    "policy",
    "objectives",
    "alert",
    "replications",
    "steady_state",
    "limits",
    "plan",
    "observed",
];

/// Longest value of a key that is kept as it is, in bytes; of longer ones the hash is kept.
const LONGEST: usize = 64;

/// Beginning of the text that is kept of a longer value.
const HASHED: &str = "blake3 ";

/// Everything that a run depends on besides policy and program, by name: a key of the scenario
/// with its value, a file that it reads or a shipped catalog with its hash.
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
            let mut names = Vec::new();
            let path = quoted_key(&entry.name);
            leaves(&path, &entry.node.value, &mut names, &mut parts);
            if names.len() > 1 {
                parts.insert(order_of(&path), hashed(names.join("\n").as_bytes()));
            }
        }
        for (cloud, facts, _) in root.section("cloud").sections() {
            let shipped = catalog::shipped_text(cloud).filter(|_| !facts.has("catalog"));
            if let Some(text) = shipped {
                parts.insert(format!("shipped catalog {cloud}"), hashed(text.as_bytes()));
            }
        }
        let base = Path::new(&scenario.path).parent().unwrap_or(Path::new(""));
        let external = scenario.policies.iter().flat_map(|policy| policy.external.values());
        let programs: Vec<_> = external.flat_map(External::paths).collect();
        // The program of a policy is what is tested, not what it is tested in.
        for path in scenario.inputs.iter().filter(|path| !programs.contains(path)) {
            let written = path.strip_prefix(base).unwrap_or(path);
            let hash = &crate::input::hash(path)?[..16];
            parts.insert(format!("file {}", written.display()), format!("{HASHED}{hash}"));
        }
        Ok(Self(parts))
    }

    /// The names of parts in which this one differs from `other`, each with
    /// what happened to it.
    pub fn changes_since(&self, other: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        let mut tables = Vec::new();
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        for name in names {
            let (now, then) = (self.0.get(name), other.0.get(name));
            if now == then || name.starts_with(ORDER) {
                continue;
            }
            tables.extend(name.split('.').next());
            let told = |value: &String| !value.starts_with(HASHED);
            changes.push(match (now, then) {
                (Some(now), Some(then)) if told(now) && told(then) => {
                    format!("{name} is {now}, was {then}")
                }
                (Some(_), Some(_)) => format!("{name} has changed"),
                (Some(now), None) if told(now) => format!("{name} is new: {now}"),
                (Some(_), None) => format!("{name} is new"),
                (None, Some(then)) if told(then) => format!("{name} is gone, was {then}"),
                (None, _) => format!("{name} is gone"),
            });
        }
        // Keys that came or went explain another order.
        let same = |name: &&String| self.0.get(*name) != other.0.get(*name);
        for name in self.0.keys().filter(|name| name.starts_with(ORDER)).filter(same) {
            if !tables.iter().any(|table| *name == order_of(table)) {
                changes.push(format!("{name} has changed"));
            }
        }
        changes
    }
}

/// Beginning of the name of the part that holds the order of keys in a table. It is that of
/// offers and fleets.
const ORDER: &str = "order in ";

fn order_of(table: &str) -> String {
    format!("{ORDER}[{table}]")
}

/// Adds the keys at and below `path` with their values to `parts`, and their paths, in the order of
/// the file, to `names`.
fn leaves(
    path: &str,
    value: &Value,
    names: &mut Vec<String>,
    parts: &mut BTreeMap<String, String>,
) {
    names.push(path.to_owned());
    match value {
        Value::Table(section) if !section.entries.is_empty() => {
            for entry in &section.entries {
                let path = format!("{path}.{}", quoted_key(&entry.name));
                leaves(&path, &entry.node.value, names, parts);
            }
        }
        value => {
            let text = meaning(value);
            let short = text.len() <= LONGEST;
            parts.insert(path.to_owned(), if short { text } else { hashed(text.as_bytes()) });
        }
    }
}

/// The policy called `name` and those that it extends, as tables of TOML
/// without comments; the furthest ancestor first. Of a Rust type, its version.
pub fn definition(scenario: &Scenario, name: &str) -> String {
    let own = scenario.policies.iter().find(|policy| policy.name == name);
    if let Some(factory) = own.and_then(|policy| policy.factory.as_ref()) {
        let (name, version) = (quoted_key(name), quoted(factory.version()));
        return format!("[policy.{name}]\nversion = {version}\n");
    }
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

/// Keys in which two definitions of a policy differ, each with what happened to it.
pub fn redefined(then: &str, now: &str) -> Vec<String> {
    if then == now {
        return Vec::new();
    }
    let [then, now] = [then, now].map(|text| {
        let mut parts = BTreeMap::new();
        let table = DeTable::parse_recoverable(text).0;
        written("", &DeValue::Table(table.into_inner()), &mut parts);
        Identity(parts)
    });
    let changes = now.changes_since(&then);
    if changes.is_empty() { vec!["the order of its keys has changed".to_owned()] } else { changes }
}

/// Adds the keys at and below `path` with their values, as they are written.
fn written(path: &str, value: &DeValue<'_>, parts: &mut BTreeMap<String, String>) {
    match value {
        DeValue::Table(table) if !table.is_empty() => {
            for (name, value) in table {
                let dot = if path.is_empty() { "" } else { "." };
                let path = format!("{path}{dot}{}", quoted_key(name.get_ref()));
                written(&path, value.get_ref(), parts);
            }
        }
        value => {
            parts.insert(path.to_owned(), canonical(value));
        }
    }
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
        Value::Whole(number, unit) => match unit {
            Unit::One => number.to_string(),
            Unit::NanoDollars => scaled(*number, 1_000_000_000, "USD"),
            Unit::Bytes => scaled(*number, 1, "B"),
            Unit::Millionths => scaled(*number, 10_000, "%"),
            Unit::Instant => Calendar::from_unix_micros(*number).timestamp(Time::ZERO).to_string(),
        },
        Value::Cores(milli) => scaled(i64::from(*milli), 1_000, "vcpus"),
        Value::Memory(mib) => scaled(i64::from(*mib), 1, "MiB"),
        Value::Number(number) => number.to_string(),
        // A moment is a span or an instant, and the same number is not the same moment.
        Value::Span(span) => exact_span(*span),
        Value::Rate(rate) => scaled(rate.picos(), 1_000_000_000_000, "USD/h"),
        Value::Powers(powers) => match powers.as_slice() {
            [power] => scaled(*power, 1_000, "W"),
            all => list(all.iter().map(|power| scaled(*power, 1_000, "W"))),
        },
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

/// `amount / scale` with all its decimals, and a unit: `0.25 vcpus`.
fn scaled(amount: i64, scale: u64, unit: &str) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, rest) = (amount.unsigned_abs() / scale, amount.unsigned_abs() % scale);
    let digits = scale.ilog10() as usize;
    let rest = format!("{rest:0digits$}");
    let number = match rest.trim_end_matches('0') {
        "" => whole.to_string(),
        rest => format!("{whole}.{rest}"),
    };
    format!("{sign}{number} {unit}")
}

/// A span in the largest unit that leaves no rest: `36 h`, `90 s`.
pub(super) fn exact_span(span: Span) -> String {
    let micros = span.micros();
    let units =
        [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s")];
    let fits = units.iter().find(|(size, _)| micros % size == 0);
    match fits {
        Some((size, unit)) if micros != 0 => format!("{} {unit}", micros / size),
        _ => scaled(micros, 1_000_000, "s"),
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

fn hashed(bytes: &[u8]) -> String {
    format!("{HASHED}{}", &blake3::hash(bytes).to_hex()[..16])
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
        check("nodes = 2", "nodes = 3", &["cluster.c.nodes is 3, was 2"]);
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
        check(
            "memory = \"8 GiB\"",
            "memory = \"8 GB\"",
            &["cluster.c.shape.memory is 7629 MiB, was 8192 MiB"],
        );
        check("vcpus = 4,", "vcpus = 4.0,", &[]);
        check("question", "seed = 2\nquestion", &["seed is new: 2"]);
        check("[workload]", "horizon = \"1 d\"\n[workload]", &["horizon is new: 1 d"]);
        check(
            "[cloud.aws]\nregions = [\"us-east-1\"]\n",
            "",
            &["cloud.aws.regions is gone, was [\"us-east-1\"]", "shipped catalog aws is gone"],
        );
        check(
            "traces/batch-small.swf",
            "traces/../traces/batch-small.swf",
            &[
                "file traces/../traces/batch-small.swf is new",
                "file traces/batch-small.swf is gone",
                "workload.trace is \"traces/../traces/batch-small.swf\", was \"traces/batch-small.swf\"",
            ],
        );
    }

    #[test]
    fn a_redefinition_is_told_by_its_keys() {
        let base = definition(&scenario(TEXT), "q r");
        assert_eq!(redefined(&base, &base), [""; 0]);
        let now = base.replace("\"shortest\"", "\"largest\"\nplace = { dot = { a = 1 } }");
        assert_eq!(
            redefined(&base, &now),
            [
                "policy.\"q r\".order is \"largest\", was \"shortest\"",
                "policy.\"q r\".place.dot.a is new: 1",
            ]
        );
        let (first, second) = ("[policy.p]\na = 1\nb = 2\n", "[policy.p]\nb = 2\na = 1\n");
        assert_eq!(redefined(first, second), ["the order of its keys has changed"]);
    }

    #[test]
    fn quantities_keep_all_their_digits() {
        let scales =
            [(1_500, 1_000, "1.5 u"), (-7, 1_000, "-0.007 u"), (0, 1_000, "0 u"), (9, 1, "9 u")];
        for (amount, scale, want) in scales {
            assert_eq!(scaled(amount, scale, "u"), want);
        }
        let spans =
            [(0, "0 s"), (1, "0.000001 s"), (90_000_000, "90 s"), (129_600_000_000, "36 h")];
        for (micros, want) in spans {
            assert_eq!(exact_span(Span::from_micros(micros)), want);
        }
    }

    #[test]
    fn the_order_of_offers_counts() {
        let two = |first: &str, second: &str| {
            let table = |name: &str| {
                format!(
                    "[cluster.{name}]\nnodes = 2\nshape = {{ vcpus = 4, memory = \"8 GiB\" }}\n"
                )
            };
            let (head, tail) = TEXT.split_once("[cloud.aws]").expect("a cloud");
            let text = format!("{head}{}{}[cloud.aws]{tail}", table(first), table(second));
            Identity::of(&scenario(&text)).expect("files are there")
        };
        let (one, other) = (two("a", "b"), two("b", "a"));
        assert_eq!(other.changes_since(&one), ["order in [cluster] has changed"]);
        let long = TEXT.replace(
            "regions = [",
            "regions = [\"eu-central-1\", \"eu-west-1\", \"us-west-2\", \"us-east-2\", ",
        );
        let [before, after] =
            [TEXT, &long].map(|text| Identity::of(&scenario(text)).expect("files are there"));
        assert_eq!(after.changes_since(&before), ["cloud.aws.regions has changed"]);
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
