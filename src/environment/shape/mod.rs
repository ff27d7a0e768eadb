//! What an environment file may look like, read from the JSON Schema of its types.
//!
//! serde stops at the first thing it cannot read, so the file is judged against this shape first, which finds
//! everything; what passes, serde reads. The schema is the one source of both this shape and what editors are told.

mod remedies;
mod walk;

pub(super) use walk::{MOST, judge};

use super::names::{FORMATS, Format};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// What a value may be.
pub(super) enum Shape {
    /// A table with known keys.
    Table(Table),
    /// A table whose keys are names.
    Named { key: Option<&'static Format>, entry: Box<Shape> },
    /// An array.
    List { item: Box<Shape>, least: usize, unique: bool },
    /// A text, of a format or free.
    Text(Option<&'static Format>),
    /// One of several words.
    Word(Vec<String>),
    /// A whole number within bounds.
    Integer { least: i128, most: i128 },
    /// A number, whole or not.
    Number,
    /// True or false.
    Switch,
    /// Anything that JSON can hold.
    Free,
}

/// A table with known keys.
#[derive(Default)]
pub(super) struct Table {
    fields: BTreeMap<String, Field>,
    /// Groups of keys of which exactly one must be there.
    choices: Vec<Choice>,
}

/// A key of a table.
struct Field {
    shape: Shape,
    required: bool,
    /// The first sentence of its documentation.
    meaning: String,
}

/// One of several groups of keys.
struct Choice {
    fields: BTreeSet<String>,
    required: BTreeSet<String>,
}

/// The shape of a whole environment.
pub(super) fn environment() -> &'static Shape {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    SHAPE.get_or_init(|| {
        let schema = super::schema::strict();
        Reader { root: &schema }.shape(&schema)
    })
}

struct Reader<'a> {
    root: &'a Value,
}

impl Reader<'_> {
    fn shape(&self, schema: &Value) -> Shape {
        let schema = self.resolve(schema);
        let alternatives = alternatives(schema);
        // `Option<T>` is written as T or null; TOML has no null.
        if let [only] = alternatives[..] {
            return self.shape(only);
        }
        let words: Vec<String> = alternatives.iter().flat_map(|one| words(one)).collect();
        if !words.is_empty() {
            return Shape::Word(words);
        }
        match type_of(schema) {
            "object" => self.object(schema, &alternatives),
            _ if !alternatives.is_empty() => self.object(schema, &alternatives),
            "array" => Shape::List {
                item: Box::new(schema.get("items").map_or(Shape::Free, |item| self.shape(item))),
                least: count(schema, "minItems"),
                unique: schema.get("uniqueItems").and_then(Value::as_bool).unwrap_or(false),
            },
            "string" => match words_of(schema) {
                words if words.is_empty() => Shape::Text(format_of(schema)),
                words => Shape::Word(words),
            },
            "integer" => Shape::Integer {
                least: schema.get("minimum").and_then(Value::as_i64).map_or(i128::MIN, i128::from),
                most: schema.get("maximum").and_then(Value::as_i64).map_or(i128::MAX, i128::from),
            },
            "number" => Shape::Number,
            "boolean" => Shape::Switch,
            _ => Shape::Free,
        }
    }

    fn object(&self, schema: &Value, alternatives: &[&Value]) -> Shape {
        let named = schema.get("properties").and_then(Value::as_object).is_some();
        if !named && alternatives.is_empty() {
            let entry = schema.get("additionalProperties").filter(|entry| entry.is_object());
            return match entry {
                Some(entry) => Shape::Named {
                    key: schema.get("propertyNames").and_then(format_of),
                    entry: Box::new(self.shape(entry)),
                },
                None => Shape::Free,
            };
        }
        let mut table = Table::default();
        self.fields(schema, &mut table, true);
        for alternative in alternatives {
            let alternative = self.resolve(alternative);
            self.fields(alternative, &mut table, false);
            table.choices.push(Choice {
                fields: properties(alternative).keys().cloned().collect(),
                required: required(alternative),
            });
        }
        Shape::Table(table)
    }

    fn fields(&self, schema: &Value, table: &mut Table, own: bool) {
        let required = required(schema);
        for (name, property) in properties(schema) {
            let field = Field {
                shape: self.shape(property),
                required: own && required.contains(name),
                meaning: first_sentence(property, self.resolve(property)),
            };
            table.fields.insert(name.clone(), field);
        }
    }

    fn resolve<'b>(&'b self, mut schema: &'b Value) -> &'b Value {
        while let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
            let target = pointer.strip_prefix('#').and_then(|path| self.root.pointer(path));
            match target {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }
}

/// The alternatives of a schema, without null.
fn alternatives(schema: &Value) -> Vec<&Value> {
    let list = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    let is_null = |one: &&Value| one.get("type").and_then(Value::as_str) == Some("null");
    list.into_iter().flatten().filter(|one| !is_null(one)).collect()
}

/// The words of an alternative that is made of words.
fn words(alternative: &Value) -> Vec<String> {
    match alternative.get("const").and_then(Value::as_str) {
        Some(word) => vec![word.to_owned()],
        None => words_of(alternative),
    }
}

fn words_of(schema: &Value) -> Vec<String> {
    let list = schema.get("enum").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// The type of a schema; where null is allowed beside one, that one.
fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("")
        }
        _ => "",
    }
}

fn count(schema: &Value, keyword: &str) -> usize {
    let count = schema.get(keyword).and_then(Value::as_u64).unwrap_or(0);
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn format_of(schema: &Value) -> Option<&'static Format> {
    let name = schema.get("format")?.as_str()?;
    FORMATS.iter().find(|format| format.name == name)
}

fn properties(schema: &Value) -> &Map<String, Value> {
    static NONE: OnceLock<Map<String, Value>> = OnceLock::new();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.unwrap_or_else(|| NONE.get_or_init(Map::new))
}

fn required(schema: &Value) -> BTreeSet<String> {
    let list = schema.get("required").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// The first sentence of what a property says of itself, or else of what its type says.
fn first_sentence(property: &Value, resolved: &Value) -> String {
    let description = property.get("description").or_else(|| resolved.get("description"));
    let text = description.and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
    let end = text.find(". ").unwrap_or(text.len());
    text[..end].trim_end_matches('.').to_owned()
}

/// Where a key of this name may stand, as the headers of its tables: `configuration_sets.NAME`.
fn places(name: &str) -> Vec<String> {
    fn search(shape: &Shape, way: &mut Vec<String>, name: &str, found: &mut Vec<String>) {
        match shape {
            Shape::Table(table) => {
                if table.fields.contains_key(name) {
                    found.push(way.join("."));
                }
                for (key, field) in &table.fields {
                    way.push(key.clone());
                    search(&field.shape, way, name, found);
                    way.pop();
                }
            }
            Shape::Named { entry, .. } => {
                way.push("NAME".to_owned());
                search(entry, way, name, found);
                way.pop();
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    search(environment(), &mut Vec::new(), name, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_of_the_schema_has_a_parser() {
        fn formats(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(format) = map.get("format").and_then(Value::as_str) {
                        found.push(format.to_owned());
                    }
                    map.values().for_each(|value| formats(value, found));
                }
                Value::Array(list) => list.iter().for_each(|value| formats(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        formats(&super::super::schema::strict(), &mut found);
        found.retain(|name| {
            !name.starts_with("uint")
                && name != "double"
                && !FORMATS.iter().any(|format| format.name == name)
        });
        assert!(found.is_empty(), "{found:?}");
        assert!(FORMATS.iter().all(|format| !format.title.is_empty()));
    }

    #[test]
    fn nothing_of_the_environment_is_taken_as_it_comes_but_a_filter() {
        fn free(shape: &Shape, way: &str, found: &mut Vec<String>) {
            match shape {
                Shape::Free => found.push(way.to_owned()),
                Shape::Table(table) => table
                    .fields
                    .iter()
                    .for_each(|(name, field)| free(&field.shape, &format!("{way}.{name}"), found)),
                Shape::Named { entry, .. } => free(entry, &format!("{way}.*"), found),
                Shape::List { item, .. } => free(item, &format!("{way}[]"), found),
                _ => {}
            }
        }
        let mut found = Vec::new();
        free(environment(), "", &mut found);
        assert_eq!(found, [".topics.*.subscriptions[].filter"]);
    }

    #[test]
    fn a_key_is_found_where_it_belongs() {
        assert_eq!(places("tls"), ["configuration_sets.NAME"]);
        assert_eq!(
            places("protect"),
            [
                "",
                "configuration_sets.NAME",
                "identities.NAME",
                "queues.NAME",
                "send_policies.NAME",
                "topics.NAME"
            ]
        );
        assert!(places("nonsense").is_empty());
    }
}
