//! Which fields and which changes of which kinds the random pairs went through.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sesinfra::engine::{Action, Plan};
use sesinfra::environment;

/// How often each must occur in a thousand pairs.
const LEAST: usize = 20;

/// Fields that no pair sets: they choose the account, another file or what the engine never sees, or (`env`) would
/// need a change of this process's environment.
const OUTSIDE: [&str; 9] = [
    "Settings.aws",
    "Settings.extends",
    "Settings.project",
    "Settings.protect",
    "Aws.account",
    "Aws.region",
    "Aws.role",
    "Endpoint.queue",
    "SecretSource.env",
];

/// What occurred, and how often.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    fields: BTreeMap<&'static str, usize>,
    changes: BTreeMap<(String, Action), usize>,
}

impl Coverage {
    pub(super) fn count_fields(&mut self, fields: &[&'static str]) {
        for field in fields {
            *self.fields.entry(field).or_default() += 1;
        }
    }

    pub(super) fn count_changes(&mut self, plan: &Plan) {
        for change in plan.pending() {
            *self.changes.entry((change.address.kind().to_owned(), change.action)).or_default() +=
                1;
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (field, count) in other.fields {
            *self.fields.entry(field).or_default() += count;
        }
        for (change, count) in other.changes {
            *self.changes.entry(change).or_default() += count;
        }
    }

    pub(super) fn print(&self) {
        println!("{} fields:", self.fields.len());
        for (field, count) in &self.fields {
            println!("  {field} {count}");
        }
        println!("{} kinds of change:", self.changes.len());
        for ((kind, action), count) in &self.changes {
            println!("  {kind} {action:?} {count}");
        }
    }

    /// Every field of the schema and every change of every kind occurred often enough.
    pub(super) fn check(&self, kinds: &BTreeSet<String>) {
        let seldom: Vec<String> = declared()
            .into_iter()
            .filter(|field| !OUTSIDE.contains(&field.as_str()))
            .filter(|field| self.fields.get(field.as_str()).copied().unwrap_or_default() < LEAST)
            .collect();
        assert!(seldom.is_empty(), "fields that occur less than {LEAST} times: {seldom:?}");
        for kind in kinds {
            for action in [Action::Create, Action::Update, Action::Delete] {
                // An attachment is there or not: it has nothing that could change.
                if kind == "attachment" && action == Action::Update {
                    continue;
                }
                let count = self.changes.get(&(kind.clone(), action)).copied().unwrap_or_default();
                assert!(count >= LEAST, "{kind} {action:?} occurs {count} times");
            }
        }
    }
}

/// Every field that a file can have, as `Type.field`.
fn declared() -> BTreeSet<String> {
    let schema = environment::schema();
    let mut fields = BTreeSet::new();
    collect("Settings", &schema, &mut fields);
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        collect(name, definition, &mut fields);
    }
    fields
}

fn collect(name: &str, definition: &Value, fields: &mut BTreeSet<String>) {
    for field in definition["properties"].as_object().into_iter().flatten() {
        fields.insert(format!("{name}.{}", field.0));
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for one in definition[choice].as_array().into_iter().flatten() {
            collect(name, one, fields);
        }
    }
}
