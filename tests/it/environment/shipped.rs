//! The files in `environments/`: right, without a warning, and valid for the schema that is shipped with them.

use super::*;
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

#[test]
fn the_shipped_environments_are_right_and_give_no_warning() {
    for name in ["staging", "prod"] {
        let environment = loaded(repository(), name);
        assert!(environment.warnings.is_empty(), "{}", environment.warnings);
    }
}

#[test]
fn the_defaults_are_no_environment() {
    let names: Vec<String> =
        environment::names(repository()).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["prod", "staging"]);
}

#[test]
fn the_shipped_schema_is_the_one_of_the_types() {
    let schema = serde_json::to_string_pretty(&environment::schema()).unwrap() + "\n";
    assert_golden("environments/schema.json", &schema);
}

#[test]
fn the_shipped_files_are_valid_for_the_schema() {
    let schema = environment::schema();
    for name in ["defaults", "staging", "prod"] {
        let path = repository().join("environments").join(format!("{name}.toml"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("#:schema schema.json\n"), "{name} does not name its schema");
        let errors = errors(&schema, &schema, &plain(&text), name);
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_refuses_what_is_wrong_and_accepts_what_only_continues_another_file() {
    let schema = environment::schema();
    for wrong in [
        "tls = 1",
        "protect = \"yes\"",
        "[identities.\"a.app\"]\ncolour = 1",
        "[configuration_sets.a.events.b]\ntypes = [\"bounced\"]",
        "[topics.a]\nsubscriptions = [{ email = \"a@b.app\", queue = \"q\" }]",
        "[topics.a]\nsubscriptions = [{ raw = true }]",
        "[topics.a]\nsubscriptions = [{ email = \"a@b.app\", colour = 1 }]",
        "[queues.a]\ndead_letter = { max_receives = 0 }",
    ] {
        assert!(!errors(&schema, &schema, &plain(wrong), "").is_empty(), "{wrong}");
    }
    for right in [
        "extends = \"defaults\"",
        "[identities.\"a.app\"]\ndmarc = \"unset\"",
        "[identities.\"a.app\"]\ndmarc = { testing = true }",
        "[configuration_sets.a.events.b]\ntypes = [\"bounce\"]",
        "identities.\"a.app\" = \"unset\"",
        "[configuration_sets.a.events.b]\ntopic = \"unset\"\nevent_bus = \"default\"",
        "[identities.\"a.app\"]\ndkim = { selector = \"s1\" }",
    ] {
        let errors = errors(&schema, &schema, &plain(right), "");
        assert!(errors.is_empty(), "{right}: {errors:#?}");
    }
}

/// A TOML text as JSON.
fn plain(text: &str) -> Value {
    fn value(toml: DeValue<'_>) -> Value {
        match toml {
            DeValue::String(text) => text.into_owned().into(),
            DeValue::Integer(number) => number.as_str().parse::<i64>().unwrap().into(),
            DeValue::Float(number) => number.as_str().parse::<f64>().unwrap().into(),
            DeValue::Boolean(switch) => switch.into(),
            DeValue::Datetime(time) => time.to_string().into(),
            DeValue::Array(items) => {
                items.into_iter().map(|item| value(item.into_inner())).collect()
            }
            DeValue::Table(entries) => {
                let entry = |(name, entry): (
                    toml::Spanned<std::borrow::Cow<'_, str>>,
                    toml::Spanned<DeValue<'_>>,
                )| {
                    (name.into_inner().into_owned(), value(entry.into_inner()))
                };
                Value::Object(entries.into_iter().map(entry).collect::<Map<_, _>>())
            }
        }
    }
    value(DeValue::Table(DeTable::parse(text).unwrap().into_inner()))
}

/// What a JSON Schema says against a value: as much of the standard as the schema uses, and a panic at the rest.
fn errors(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$ref" => {
                let target = root.pointer(&rule.as_str().unwrap()[1..]).unwrap();
                found.extend(errors(root, target, value, path));
            }
            "properties" | "additionalProperties" | "unevaluatedProperties" | "items" => {}
            keyword => {
                if !holds(root, keyword, rule, value) {
                    found.push(format!("{path}: {value} violates {keyword} {rule}"));
                }
            }
        }
    }
    found.extend(errors_of_entries(root, schema, value, path));
    if let Some(item) = schema.get("items") {
        for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
            found.extend(errors(root, item, entry, &format!("{path}[{index}]")));
        }
    }
    found
}

/// Whether a value obeys a keyword that says nothing about its parts.
fn holds(root: &Value, keyword: &str, rule: &Value, value: &Value) -> bool {
    let fitting = || {
        let alternatives = rule.as_array().unwrap().iter();
        alternatives.filter(|one| errors(root, one, value, "").is_empty()).count()
    };
    match keyword {
        "type" => match rule.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            "boolean" => value.is_boolean(),
            other => panic!("type {other}"),
        },
        "const" => rule == value,
        "enum" => rule.as_array().unwrap().contains(value),
        "anyOf" => fitting() > 0,
        "oneOf" => fitting() == 1,
        "minimum" => value.as_i64() >= rule.as_i64(),
        "maximum" => value.as_i64() <= rule.as_i64(),
        "minItems" => {
            value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap())
        }
        "required" => {
            let mut names = rule.as_array().unwrap().iter();
            names.all(|name| value.get(name.as_str().unwrap()).is_some())
        }
        "uniqueItems" | "propertyNames" | "format" | "default" | "description" | "title"
        | "$schema" | "$defs" => true,
        other => panic!("keyword {other}"),
    }
}

fn errors_of_entries(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let in_alternative = |name: &str| {
        let alternatives = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        alternatives.into_iter().any(|one| one["properties"].get(name).is_some())
    };
    let mut found = Vec::new();
    for (name, entry) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let refused = |keyword: &str| schema.get(keyword) == Some(&Value::Bool(false));
        match (schema["properties"].get(name), schema.get("additionalProperties")) {
            (Some(property), _) => found.extend(errors(root, property, entry, &path)),
            (None, Some(any @ Value::Object(_))) => found.extend(errors(root, any, entry, &path)),
            (None, _) if refused("additionalProperties") => {
                found.push(format!("{path} is unknown"));
            }
            (None, _) if refused("unevaluatedProperties") && !in_alternative(name) => {
                found.push(format!("{path} is unknown"));
            }
            (None, _) => {}
        }
    }
    found
}
