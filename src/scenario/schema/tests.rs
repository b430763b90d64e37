//! The schema against scenarios, by a small reader of JSON Schema (draft 07).

use super::*;

/// Faults of a value by a schema, each with its path. Panics at a keyword that it does not know,
/// so that none goes unread.
fn faults(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let rules = match schema {
        Value::Bool(true) => return vec![],
        Value::Bool(false) => return vec![format!("{path}: may not be here")],
        schema => schema.as_object().expect("a schema is an object or a truth value"),
    };
    let mut faults = Vec::new();
    for (keyword, rule) in rules {
        let kept = match keyword.as_str() {
            // Words for readers.
            "$schema" | "title" | "description" => true,
            "properties" | "additionalProperties" => {
                faults.extend(properties(keyword, rules, value, path));
                true
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                faults.extend(
                    items.flat_map(|(at, item)| self::faults(rule, item, &format!("{path}[{at}]"))),
                );
                true
            }
            "anyOf" => {
                let mut each = listed(rule).map(|one| self::faults(one, value, path));
                each.any(|found| found.is_empty())
            }
            "type" => match rule {
                Value::Array(names) => names.iter().any(|name| is_a(name, value)),
                name => is_a(name, value),
            },
            "enum" => listed(rule).any(|one| one == value),
            "const" => rule == value,
            "required" => value.as_object().is_none_or(|table| {
                listed(rule).all(|name| table.contains_key(name.as_str().expect("a name")))
            }),
            "pattern" => value.as_str().is_none_or(|text| matches(rule, text)),
            "minLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as f64 >= number(rule))
            }
            "minItems" => value.as_array().is_none_or(|list| list.len() as f64 >= number(rule)),
            "minProperties" => {
                value.as_object().is_none_or(|table| table.len() as f64 >= number(rule))
            }
            "maxProperties" => {
                value.as_object().is_none_or(|table| table.len() as f64 <= number(rule))
            }
            "minimum" => value.as_f64().is_none_or(|value| value >= number(rule)),
            "maximum" => value.as_f64().is_none_or(|value| value <= number(rule)),
            "exclusiveMinimum" => value.as_f64().is_none_or(|value| value > number(rule)),
            unknown => panic!("{path}: no rule for `{unknown}`"),
        };
        if !kept {
            faults.push(format!("{path}: {keyword}"));
        }
    }
    faults
}

/// Faults of the values of a table by `properties`, or of those that are not
/// named there by `additionalProperties`.
fn properties(keyword: &str, rules: &Map<String, Value>, value: &Value, path: &str) -> Vec<String> {
    let named = rules.get("properties").and_then(Value::as_object);
    let by = |name: &str| match (named.and_then(|named| named.get(name)), keyword) {
        (Some(schema), "properties") => Some(schema),
        (None, "additionalProperties") => Some(&rules[keyword]),
        _ => None,
    };
    let values = value.as_object().into_iter().flatten();
    let judged = values.filter_map(|(name, value)| Some((name, value, by(name)?)));
    judged
        .flat_map(|(name, value, schema)| faults(schema, value, &format!("{path}.{name}")))
        .collect()
}

fn listed(rule: &Value) -> impl Iterator<Item = &Value> {
    rule.as_array().expect("a list").iter()
}

fn number(rule: &Value) -> f64 {
    rule.as_f64().expect("a number")
}

fn is_a(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("the name of a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        unknown => panic!("no type {unknown}"),
    }
}

fn matches(pattern: &Value, text: &str) -> bool {
    match pattern.as_str().expect("a pattern") {
        "[0-9]" => text.contains(|one: char| one.is_ascii_digit()),
        "%\\s*$" => text.trim_end().ends_with('%'),
        "^\\s*(>=|<=)" => [">=", "<="].iter().any(|sign| text.trim_start().starts_with(sign)),
        unknown => panic!("no pattern {unknown}"),
    }
}

#[test]
fn the_schema_accepts_what_the_reader_accepts() {
    let schema = schema();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // A suite lists scenarios and is none.
        if path.extension().is_none_or(|extension| extension != "toml")
            || path.ends_with("suite.toml")
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let value: Value = toml::from_str(&text).unwrap();
        assert_eq!(faults(&schema, &value, ""), Vec::<String>::new(), "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} scenarios");
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let broken = [
        ("sede = 1", ".sede: may not be here"),
        ("seed = \"1\"", ".seed: type"),
        ("[policy.a.place.best-fit]\nby = \"weight\"", ".policy.a.place: anyOf"),
        ("[cluster.a]\nnodes = 0", ".cluster.a.nodes: minimum"),
        ("[objectives]\nwait_p95 = \"2 h\"", ".objectives.wait_p95: pattern"),
    ];
    for (text, fault) in broken {
        let text = format!("question = \"?\"\n{text}");
        let mut value: Value = toml::from_str(&text).unwrap();
        value["workload"] = json!({ "trace": "a.swf" });
        if value.get("policy").is_none() {
            value["policy"] = json!({});
        }
        assert_eq!(faults(&schema(), &value, ""), [fault], "{text}");
    }
}
