//! The JSON Schema of environment files, made from the types that read them.
//!
//! Two of them: the strict one describes a whole environment, and files are judged by it after they were laid over
//! each other; the published one describes a single file, in which everything may be left to the file underneath.

use super::document::UNSET;
use super::types::Settings;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The schema of one environment file, which editors complete and check it with.
///
/// No key is required and no group of keys exclusive where tables merge, because the rest may stand in the file
/// underneath; within arrays, which replace each other, both hold. Everything may be `"unset"`.
#[must_use]
pub fn schema() -> Value {
    let mut schema = strict();
    let merged = merged_definitions(&schema);
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        for (name, definition) in definitions.iter_mut() {
            without_null(definition);
            match merged.contains(name) {
                true => loosen(definition),
                false => seal(definition),
            }
        }
        definitions.insert(
            UNSET.to_owned(),
            json!({ "const": UNSET, "description": "Removes what the file underneath says." }),
        );
    }
    without_null(&mut schema);
    loosen(&mut schema);
    schema
}

/// The schema of a whole environment.
pub(super) fn strict() -> Value {
    schemars::schema_for!(Settings).to_value()
}

/// The definitions that stand for a table which merges: those reached without passing through an array.
fn merged_definitions(schema: &Value) -> BTreeSet<String> {
    fn collect(root: &Value, value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(name) =
                    members.get("$ref").and_then(Value::as_str).and_then(definition_name)
                    && found.insert(name.to_owned())
                {
                    collect(root, &root["$defs"][name], found);
                }
                for (keyword, member) in members {
                    if keyword != "items" && keyword != "$defs" {
                        collect(root, member, found);
                    }
                }
            }
            Value::Array(members) => members.iter().for_each(|member| collect(root, member, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    collect(schema, schema, &mut found);
    found
}

fn definition_name(pointer: &str) -> Option<&str> {
    pointer.strip_prefix("#/$defs/")
}

/// Takes null out of a schema: TOML has none, and a key that is left out says the same.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(without_null);
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            let Some(Value::Array(alternatives)) = members.get_mut("anyOf") else { return };
            alternatives.retain(|one| one.get("type").and_then(Value::as_str) != Some("null"));
            if let [Value::Object(only)] = &alternatives[..] {
                let only = only.clone();
                members.remove("anyOf");
                for (keyword, value) in only {
                    members.entry(keyword).or_insert(value);
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// Makes a table one that may be continued in another file.
fn loosen(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    members.remove("required");
    join_alternatives(members);
    if let Some(properties) = members.get_mut("properties").and_then(Value::as_object_mut) {
        for property in properties.values_mut() {
            loosen(property);
            allow_unset(property);
        }
    }
    if let Some(entry) = members.get_mut("additionalProperties").filter(|entry| entry.is_object()) {
        loosen(entry);
        allow_unset(entry);
    }
}

/// Puts the keys of alternative tables into one: which of them exclude each other shows only in the merged file.
fn join_alternatives(members: &mut Map<String, Value>) {
    for keyword in ["oneOf", "anyOf"] {
        let alternatives =
            members.get(keyword).and_then(Value::as_array).cloned().unwrap_or_default();
        if !alternatives.iter().any(|one| one.get("properties").is_some()) {
            continue;
        }
        members.remove(keyword);
        let mut joined =
            members.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for alternative in &alternatives {
            for (name, property) in alternative["properties"].as_object().into_iter().flatten() {
                let mut property = property.clone();
                inherit_description(&mut property, alternative);
                joined.insert(name.clone(), property);
            }
        }
        members.insert("type".to_owned(), json!("object"));
        members.insert("properties".to_owned(), Value::Object(joined));
        members.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// A variant that is one key is documented on the variant.
fn inherit_description(property: &mut Value, alternative: &Value) {
    if let Some(members) = property.as_object_mut()
        && let Some(description) = alternative.get("description")
    {
        members.entry("description").or_insert_with(|| description.clone());
    }
}

/// Refuses unknown keys in a table that is a member of an array, and has alternatives beside its keys.
fn seal(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    if members.contains_key("oneOf") && members.contains_key("properties") {
        members.insert("unevaluatedProperties".to_owned(), json!(false));
    }
}

/// Lets the text `unset` stand for a value that is not a text anyway.
fn allow_unset(property: &mut Value) {
    let free_text = property.get("type").and_then(Value::as_str) == Some("string")
        && property.get("enum").is_none();
    let Some(members) = property.as_object_mut().filter(|_| !free_text) else { return };
    let description = members.remove("description");
    let default = members.remove("default");
    let value = Value::Object(std::mem::take(members));
    members.extend(description.map(|text| ("description".to_owned(), text)));
    members.extend(default.map(|value| ("default".to_owned(), value)));
    members.insert("anyOf".to_owned(), json!([value, { "$ref": format!("#/$defs/{UNSET}") }]));
}
