//! Differences between two scenario files, key by key.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::identity::{canonical, in_order};

/// A key that two scenarios give different values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Dotted key: `cluster.dc1.nodes`.
    pub key: String,
    /// Value in the first, as TOML; `None` if it does not have the key.
    pub before: Option<String>,
    /// Value in the second, as TOML; `None` if it does not have the key.
    pub after: Option<String>,
}

/// The keys in which two scenarios differ, in the order of their names.
/// Comments, spaces and the order of keys do not count.
pub fn differences(before: &str, after: &str) -> Vec<Difference> {
    let (before, mut after) = (leaves(before), leaves(after));
    let mut all = Vec::new();
    for (key, value) in before {
        let other = after.remove(&key);
        if other.as_ref() != Some(&value) {
            all.push(Difference { key, before: Some(value), after: other });
        }
    }
    let new = |(key, value)| Difference { key, before: None, after: Some(value) };
    all.extend(after.into_iter().map(new));
    all.sort_by(|one, other| one.key.cmp(&other.key));
    all
}

/// All values that are not tables, by their dotted keys.
fn leaves(text: &str) -> BTreeMap<String, String> {
    let (root, _) = DeTable::parse_recoverable(text);
    let mut all = BTreeMap::new();
    collect("", root.get_ref(), &mut all);
    all
}

fn collect(above: &str, table: &DeTable<'_>, all: &mut BTreeMap<String, String>) {
    for (name, value) in in_order(table) {
        let key = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
        match value {
            DeValue::Table(inner) if !inner.is_empty() => collect(&key, inner, all),
            value => {
                all.insert(key, canonical(value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_held_against_each_other_one_by_one() {
        let before = "seed = 1 # one\n[cluster.c]\nnodes = 2\ncost = \"1 USD/h\"\n[policy.p]\n";
        let after = "[policy.p]\n[policy.q]\norder = \"sjf\"\n[cluster]\nc = { nodes = 3, cost = \"1 USD/h\" }\n";
        let row = |key: &str, before: Option<&str>, after: Option<&str>| Difference {
            key: key.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let expected = [
            row("cluster.c.nodes", Some("2"), Some("3")),
            row("policy.q.order", None, Some("\"sjf\"")),
            row("seed", Some("1"), None),
        ];
        assert_eq!(differences(before, after), expected);
        assert_eq!(differences(before, before), []);
    }
}
