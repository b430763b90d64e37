//! A JSON Schema (draft 07) of scenario files, for editors.

use serde_json::{Map, Value, json};

use super::key::{Key, ValueKind, keys};
use super::part;

/// A node of the tree that the paths of the keys form.
#[derive(Debug, Default)]
struct SchemaNode {
    key: Option<&'static Key>,
    children: Vec<(&'static str, SchemaNode)>,
}

impl SchemaNode {
    fn child(&mut self, name: &'static str) -> &mut Self {
        let found = self.children.iter().position(|(known, _)| *known == name);
        let row = found.unwrap_or_else(|| {
            self.children.push((name, Self::default()));
            self.children.len() - 1
        });
        &mut self.children[row].1
    }
}

/// The schema of scenario files.
pub fn schema() -> Value {
    let mut root = SchemaNode::default();
    for key in keys().iter().filter(|key| !key.path.starts_with('<')) {
        let mut node = &mut root;
        for part in key.path.split('.') {
            node = node.child(part);
        }
        node.key = Some(key);
    }
    let mut schema = object(&root);
    schema.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".into(), json!("windtunnel scenario"));
    Value::Object(schema)
}

/// The schema of a table.
fn object(node: &SchemaNode) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut others = json!(false);
    for (name, child) in &node.children {
        let value = value(child);
        if *name == "*" {
            others = value;
            continue;
        }
        let name = name.trim_end_matches("[]");
        properties.insert(name.to_owned(), value);
        // A key of a table of user-given names is only required where the table is there.
        if child.key.is_some_and(|key| key.default == "required") {
            required.push(json!(name));
        }
    }
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), Value::Object(properties));
    schema.insert("additionalProperties".into(), others);
    if !required.is_empty() {
        schema.insert("required".into(), Value::Array(required));
    }
    schema
}

/// The schema of a key's value.
fn value(node: &SchemaNode) -> Value {
    let Some(key) = node.key else { return Value::Object(object(node)) };
    let mut schema = match key.kind {
        ValueKind::Table => Value::Object(object(node)),
        ValueKind::List => json!({ "type": "array", "items": object(node) }),
        ValueKind::Part(part) => {
            let names: Vec<&str> = part::options(part).map(|option| option.name).collect();
            let mut table = object(node);
            let external = take_external(part, &mut table);
            table.insert("minProperties".into(), json!(1));
            table.insert("maxProperties".into(), json!(1));
            let mut any = vec![json!({ "type": "string", "enum": names }), Value::Object(table)];
            any.extend(external);
            json!({ "anyOf": any })
        }
        ValueKind::Column => json!({ "anyOf": [{ "type": "string" }, object(node)] }),
        ValueKind::WindowBound(_) => json!({ "anyOf": [scalar(key.kind), object(node)] }),
        kind => scalar(kind),
    };
    let Some(map) = schema.as_object_mut() else { return schema };
    let mut description = key.doc.to_string();
    if !key.default.is_empty() && key.default != "required" {
        description.push_str(&format!(" Default: {}.", key.default));
    }
    description.push_str(&format!(" Expected: {}.", key.kind.expected()));
    map.insert("description".into(), json!(description));
    schema
}

/// Takes what is said of a program out of the table of `part`: the schema of
/// a table with that alone; `None` if no program can decide it.
fn take_external(part: &str, table: &mut Map<String, Value>) -> Option<Value> {
    let keys = part::external_keys(part);
    if keys.is_empty() {
        return None;
    }
    let mut taken = Map::new();
    if let Some(properties) = table.get_mut("properties").and_then(Value::as_object_mut) {
        for parameter in keys {
            let property = properties.shift_remove(parameter.name);
            taken.extend(property.map(|property| (parameter.name.to_owned(), property)));
        }
    }
    Some(json!({
        "type": "object",
        "properties": taken,
        "required": ["external"],
        "additionalProperties": false,
    }))
}

/// The schema of a scalar or a list of scalars.
fn scalar(kind: ValueKind) -> Value {
    match kind {
        ValueKind::Choice(words) => json!({ "type": "string", "enum": words }),
        ValueKind::Choices(words) => {
            json!({ "type": "array", "items": { "type": "string", "enum": words } })
        }
        ValueKind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        ValueKind::Numbers => {
            json!({ "type": "array", "items": { "type": "number", "minimum": 0 } })
        }
        ValueKind::Values => json!({ "anyOf": [
            { "type": "string", "minLength": 1 },
            { "type": "array", "minItems": 1, "items": { "anyOf": [
                { "type": ["string", "number", "boolean"] },
                { "type": "array", "items": { "type": ["string", "number", "boolean"] } },
            ] } },
        ] }),
        ValueKind::Flag => json!({ "type": "boolean" }),
        ValueKind::Count(low, high) if high <= u64::from(u32::MAX) => {
            json!({ "type": "integer", "minimum": low, "maximum": high })
        }
        ValueKind::Count(low, _) => json!({ "type": "integer", "minimum": low }),
        ValueKind::Integer => json!({ "type": "integer" }),
        ValueKind::Number(low, high) if high == f64::MAX => {
            json!({ "type": "number", "minimum": low })
        }
        ValueKind::Number(low, high) => {
            json!({ "type": "number", "minimum": low, "maximum": high })
        }
        ValueKind::Positive => json!({ "type": "number", "exclusiveMinimum": 0 }),
        ValueKind::Vcpus => json!({ "type": "number", "minimum": 0 }),
        ValueKind::Dollars => json!({ "type": ["number", "string"] }),
        ValueKind::Capacity => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "const": "unlimited" }] })
        }
        ValueKind::Draws | ValueKind::Cores => json!({ "type": ["number", "string"] }),
        ValueKind::Threshold => json!({ "type": ["number", "string"] }),
        ValueKind::Bound(_) | ValueKind::WindowBound(_) => {
            json!({ "type": "string", "pattern": "^\\s*(>=|<=)" })
        }
        ValueKind::Percent(..) => json!({ "type": "string", "pattern": "%\\s*$" }),
        ValueKind::Span | ValueKind::Memory | ValueKind::Size | ValueKind::Rate => {
            json!({ "type": "string", "pattern": "[0-9]" })
        }
        ValueKind::Power => json!({
            "anyOf": [
                { "type": "string", "pattern": "[0-9]" },
                { "type": "array", "minItems": 1, "items": { "type": "string", "pattern": "[0-9]" } },
            ]
        }),
        // A date may be written without quotes; validators then see what their reader makes of it.
        ValueKind::Instant | ValueKind::Moment => json!({}),
        _ => json!({ "type": "string" }),
    }
}

#[cfg(test)]
mod tests;
