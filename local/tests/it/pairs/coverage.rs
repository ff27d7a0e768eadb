//! Which fields and which changes of which kinds the random pairs went through.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sesinfra::engine::{Action, Plan, PlannedChange};
use sesinfra::environment;

/// How often each must occur in a thousand pairs.
const LEAST: usize = 20;

/// Fields that no pair sets: they choose the account, another file or what the engine never sees, leave to others what
/// pairs compare (`ignore`), or (`env`) would need a change of this process's environment.
const OUTSIDE: [&str; 23] = [
    "Settings.aws",
    "Settings.extends",
    "Settings.ignore_tags",
    "Settings.project",
    "Settings.protect",
    "ConfigurationSet.protect",
    "Queue.protect",
    "SendPolicy.protect",
    "Topic.protect",
    "Aws.account",
    "Aws.region",
    "Aws.role",
    "Alarm.ignore",
    "Alarms.ignore",
    "ConfigurationSet.ignore",
    "Endpoint.queue",
    "EventDestination.ignore",
    "Identity.ignore",
    "Queue.ignore",
    "SendPolicy.ignore",
    "Subscription.ignore",
    "Topic.ignore",
    "SecretSource.env",
];

/// What occurred, and how often.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    fields: BTreeMap<&'static str, usize>,
    changes: BTreeMap<(String, Action), usize>,
    happenings: BTreeMap<String, usize>,
}

/// What must have happened to something that stays.
const HAPPENINGS: [&str; 6] = [
    "DKIM selector changed",
    "MAIL FROM domain changed",
    "hosted zone changed",
    "key of one's own instead of one of SES, or the other way round",
    "value published beside a stranger's",
    "value withdrawn beside a stranger's",
];

/// Kinds of which one goes while another comes.
const RENAMED: [&str; 7] = [
    "identity",
    "configuration_set",
    "event_destination",
    "topic",
    "subscription",
    "queue",
    "send_policy",
];

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
            if let Some(happening) = happening(change) {
                self.happened(happening.to_owned());
            }
            if let Some(happening) = beside_a_stranger(change) {
                self.happened(happening.to_owned());
            }
        }
        for kind in RENAMED {
            let some =
                |action| plan.pending().any(|it| it.address.kind() == kind && it.action == action);
            if some(Action::Create) && some(Action::Delete) {
                self.happened(format!("{kind} renamed"));
            }
        }
    }

    fn happened(&mut self, happening: String) {
        *self.happenings.entry(happening).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: Self) {
        for (field, count) in other.fields {
            *self.fields.entry(field).or_default() += count;
        }
        for (change, count) in other.changes {
            *self.changes.entry(change).or_default() += count;
        }
        for (happening, count) in other.happenings {
            *self.happenings.entry(happening).or_default() += count;
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
        println!("{} happenings:", self.happenings.len());
        for (happening, count) in &self.happenings {
            println!("  {happening} {count}");
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
                let never = match kind.as_str() {
                    // It is there or not: it has nothing that could change.
                    "attachment" => action == Action::Update,
                    // It is always there, and can only change.
                    "account" => action != Action::Update,
                    _ => false,
                };
                if never {
                    continue;
                }
                let count = self.changes.get(&(kind.clone(), action)).copied().unwrap_or_default();
                assert!(count >= LEAST, "{kind} {action:?} occurs {count} times");
            }
        }
        let renamed = RENAMED.iter().map(|kind| format!("{kind} renamed"));
        for happening in HAPPENINGS.iter().map(ToString::to_string).chain(renamed) {
            let count = self.happenings.get(&happening).copied().unwrap_or_default();
            assert!(count >= LEAST, "{happening}: {count} times");
        }
    }
}

/// What a change does beyond setting a field.
fn happening(change: &PlannedChange) -> Option<&'static str> {
    let (from, to) = (change.from.as_ref()?, change.to.as_ref()?);
    let zones = |spec: &Value| -> BTreeSet<String> {
        let records = spec["records"].as_object().into_iter().flatten();
        records.map(|(_, record)| record["zone"].to_string()).collect()
    };
    let differs = |path: &str| from[path] != to[path];
    match change.address.kind() {
        "signing" if differs("selector") => Some(HAPPENINGS[0]),
        "mail_from" if differs("domain") => Some(HAPPENINGS[1]),
        "dns" if zones(from) != zones(to) => Some(HAPPENINGS[2]),
        "identity" if from["easy_key"].is_null() != to["easy_key"].is_null() => Some(HAPPENINGS[3]),
        _ => None,
    }
}

/// At every MAIL FROM domain that files choose there is a text of a stranger's, where SPF goes.
fn beside_a_stranger(change: &PlannedChange) -> Option<&'static str> {
    let has_spf = |spec: Option<&Value>| {
        let records = spec.and_then(|spec| spec["records"].as_object());
        records.into_iter().flatten().any(|(label, _)| label.starts_with("mail-from spf"))
    };
    match (has_spf(change.from.as_deref()), has_spf(change.to.as_deref())) {
        _ if change.address.kind() != "dns" => None,
        (false, true) => Some(HAPPENINGS[4]),
        (true, false) => Some(HAPPENINGS[5]),
        _ => None,
    }
}

/// Every field of the schema is one that random files set, or one that they cannot.
#[test]
fn random_files_set_every_field() {
    let ids: BTreeMap<String, String> =
        super::run::ZONES.iter().map(|zone| ((*zone).to_owned(), format!("Z{zone}"))).collect();
    let mut set = BTreeSet::new();
    for seed in 0..2_000 {
        set.extend(super::generate::generate(seed, &ids).fields);
    }
    let never = declared().into_iter().filter(|field| !OUTSIDE.contains(&field.as_str()));
    let never: Vec<String> = never.filter(|field| !set.contains(field.as_str())).collect();
    assert!(never.is_empty(), "pairs/generate.rs never sets {never:?}");
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
