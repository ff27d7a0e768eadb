//! What every kind promises, checked over the registry, so that a new kind is checked without a word here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sesinfra::engine::{
    Change, DynKind, Marks, Put, Reading, Registry, Severity, Wanted, difference,
};
use sesinfra::kinds::{Documentation, documentation};

use crate::it::stage::Stage;

async fn registry(stage: &Stage) -> Registry {
    stage.open("").await.registry.clone()
}

/// Everything at once: at least one resource of every kind.
const WHOLE: &str = concat!(
    r#"
[account]
sending = true
[identities."pivot.app"]
configuration_set = "main"
mail_from = { subdomain = "mail" }
policies.partner = { principals = ["210987654321"] }
dkim = { selector = "s1", private_key = { file = "dkim.key" } }
[configuration_sets.main]
tracking = { domain = "click.pivot.app" }
events.feedback = { types = ["bounce"], topic = "feedback" }
"#,
    include_str!("one_of_each.toml")
);

/// The values at a path, without those that are not set.
fn at<'a>(spec: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(spec, |value, part| value.get(part))
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

fn change(name: &str, to: &Value) -> Change<Value> {
    Change {
        name: name.to_owned(),
        from: None,
        to: to.clone(),
        fields: Vec::new(),
        marks: Marks::default(),
        adopts: false,
    }
}

#[tokio::test]
async fn examples_go_through_json_and_back_and_hold_no_null() {
    let stage = Stage::new().await;
    for kind in registry(&stage).await.kinds() {
        let examples = kind.examples().unwrap();
        assert!(examples.len() >= 2, "{}: one example flips nothing", kind.name());
        for example in examples {
            // The impact takes a spec apart into its type; a form that does not come back is an error.
            kind.impact(None, Some(&example), &[]).unwrap();
            kind.retires(&change("any", &example)).unwrap();
            assert!(!has_null(&example), "{}: {example}", kind.name());
        }
    }
}

#[tokio::test]
async fn paths_that_a_kind_names_exist_and_every_field_differs_somewhere() {
    let stage = Stage::new().await;
    let mut wrong = Vec::new();
    for kind in registry(&stage).await.kinds() {
        let examples = kind.examples().unwrap();
        for path in kind.immutable().iter().chain(kind.write_only()) {
            if !examples.iter().any(|example| at(example, path).is_some()) {
                wrong.push(format!("{}: `{path}` is in no example", kind.name()));
            }
        }
        let fields: BTreeSet<&String> =
            examples.iter().filter_map(Value::as_object).flat_map(|it| it.keys()).collect();
        for field in fields.into_iter().filter(|field| !kind.write_only().contains(&field.as_str()))
        {
            let values = examples.iter().map(|example| example.get(field));
            let distinct: BTreeSet<String> = values.map(|value| format!("{value:?}")).collect();
            if distinct.len() < 2 {
                wrong.push(format!("{}: `{field}` never differs", kind.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether a word is of an interface, not of a language: `PutEmailIdentity`, `REJECT_MESSAGE`, `on_mx_failure`.
fn is_of_an_interface(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
    let capitals = word.chars().filter(char::is_ascii_uppercase).count();
    let is_plain = word.chars().all(char::is_alphanumeric);
    // `DMARC`, `SES` and `CloudWatch` are words of e-mail and names.
    let is_name = ["CloudWatch", "EventBridge"].contains(&word);
    (word.contains('_') && !word.contains('.'))
        || (is_plain && !is_name && capitals > 1 && capitals < word.len() && !word.ends_with('s'))
}

/// Every change of every kind says what it does to mail in words, or that it does nothing.
#[tokio::test]
async fn no_reason_is_empty_or_a_word_of_the_interface() {
    let stage = Stage::new().await;
    let mut judged: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in registry(&stage).await.kinds() {
        let examples = kind.examples().unwrap();
        let some = examples.iter().map(Some).chain([None]);
        let pairs = some.clone().flat_map(|from| some.clone().map(move |to| (from, to)));
        for (from, to) in pairs.filter(|(from, to)| from.is_some() || to.is_some()) {
            let fields = difference(from, to, kind.write_only());
            let impact = kind.impact(from, to, &fields).unwrap();
            if impact.severity == Severity::Safe {
                continue;
            }
            *judged.entry(kind.name()).or_default() += 1;
            // A policy's own words may stand after the colon, where they are listed.
            let sentence = impact.reason.split(": ").next().unwrap();
            let reason = format!("{}: {}", kind.name(), impact.reason);
            assert!(impact.reason.split_whitespace().count() >= 4, "{reason}");
            assert!(!sentence.split_whitespace().any(is_of_an_interface), "{reason}");
            assert!(!impact.reason.ends_with('.'), "{reason}");
        }
        assert!(
            judged.contains_key(kind.name()),
            "nothing that happens to {} matters",
            kind.name()
        );
    }
}

#[tokio::test]
async fn every_kind_is_documented_and_in_one_place() {
    let stage = Stage::new().await;
    let documented: BTreeMap<&str, Documentation> =
        documentation().into_iter().map(|it| (it.kind, it)).collect();
    let sources = sources();
    let registry = registry(&stage).await;
    assert_eq!(
        registry.kinds().map(|kind| kind.name()).collect::<Vec<_>>(),
        documented.keys().copied().collect::<Vec<_>>()
    );
    for (name, kind) in documented {
        assert!(!kind.permissions.is_empty() && !kind.inputs.is_empty(), "{name}");
        let line = format!("const NAME: &'static str = \"{name}\";");
        let files: Vec<_> = sources.iter().filter(|(_, text)| text.contains(&line)).collect();
        assert_eq!(files.len(), 1, "{name} is in {:?}", files.iter().map(|it| &it.0));
        assert!(files[0].1.starts_with("//!"), "{:?}", files[0].0);
    }
}

/// Every call that a kind reports an error of is a permission of some kind.
#[test]
fn every_action_of_the_kinds_is_among_their_permissions() {
    let permitted: BTreeSet<&str> = documentation()
        .iter()
        .flat_map(|kind| kind.permissions)
        .map(|permission| permission.action)
        .collect();
    let mut missing = BTreeSet::new();
    for (path, text) in sources() {
        for rest in text.split("failed(\"").skip(1) {
            let action = rest.split('"').next().unwrap();
            if !permitted.contains(action) {
                missing.insert(format!("{action} in {}", path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/kinds")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// What is live of a kind that the file declares or that is ours.
async fn live(kind: &dyn DynKind, names: &[(String, Arc<Value>)]) -> Vec<(String, Value)> {
    let wanted: Vec<Wanted<Arc<Value>>> =
        names.iter().map(|(name, spec)| Wanted::declared(name.clone(), spec.clone())).collect();
    let found = kind.read(&wanted, Reading::Everything).await.unwrap();
    found
        .into_iter()
        .map(|live| (live.address.name().to_owned(), Value::clone(&live.spec)))
        .collect()
}

#[tokio::test]
async fn deleting_what_is_gone_is_no_error() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    stage.write("dkim.key", include_str!("ses/keys/rsa1024.private"));
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    iam.create_user().user_name("Ann").send().await.unwrap();
    let plan = stage.converge(WHOLE).await;
    let registry = stage.open(WHOLE).await.registry.clone();
    let mut deleted = Vec::new();
    // In the order in which a plan would delete: what hangs on something goes before it.
    for name in [
        "alarm",
        "attachment",
        "send_policy",
        "tracking",
        "event_destination",
        "default_set",
        "mail_from",
        "identity_policy",
        "dns",
        "signing",
        "identity",
        "configuration_set",
        "subscription",
        "topic",
        "queue",
        "account",
    ] {
        let kind = registry.get(name).unwrap();
        let names: Vec<(String, Arc<Value>)> = plan
            .changes
            .iter()
            .filter(|change| change.address.kind() == name)
            .filter_map(|change| Some((change.address.name().to_owned(), change.to.clone()?)))
            .collect();
        let live = live(kind.as_ref(), &names).await;
        assert!(!live.is_empty(), "there is no {name}");
        for (one, spec) in live {
            for attempt in ["first", "second"] {
                let done = kind.delete(&one, &spec).await;
                let done = done.unwrap_or_else(|error| panic!("{attempt} {name}.{one}: {error}"));
                assert!(matches!(done, Put::Done(_)), "{attempt} {name}.{one}: {done:?}");
            }
            deleted.push((name, one, spec));
        }
    }
    assert_eq!(
        deleted.iter().map(|(name, ..)| *name).collect::<BTreeSet<_>>(),
        registry.kinds().map(|kind| kind.name()).collect()
    );
    // And once more, when not even their parents are there, as a run sees it that remembers nothing.
    let registry = stage.open(WHOLE).await.registry.clone();
    for (name, one, spec) in deleted {
        let done = registry.get(name).unwrap().delete(&one, &spec).await;
        assert!(done.is_ok(), "third {name}.{one}: {done:?}");
    }
}
