//! Whatever a change does to mail is said in words of e-mail: every kind, every field of its examples flipped, made and
//! deleted.

use std::collections::BTreeSet;

use serde_json::Value;
use sesinfra::engine::{DynKind, Impact, Severity, difference};

use super::stage::Stage;

/// Names that are written like this wherever people talk of e-mail on AWS.
const NAMES: [&str; 2] = ["CloudWatch", "EventBridge"];

/// An example and what becomes of it.
type Pair = (Option<Value>, Option<Value>);

/// Every way from one example to another, and from each to what it is with one field of another.
fn pairs(examples: &[Value]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for one in examples {
        pairs.push((None, Some(one.clone())));
        pairs.push((Some(one.clone()), None));
        for other in examples {
            pairs.push((Some(one.clone()), Some(other.clone())));
            let fields = [one, other].into_iter().filter_map(Value::as_object);
            let fields: BTreeSet<&String> = fields.flat_map(|fields| fields.keys()).collect();
            for field in fields {
                let mut flipped = one.clone();
                let members = flipped.as_object_mut().unwrap();
                match other.get(field) {
                    Some(value) => drop(members.insert(field.clone(), value.clone())),
                    None => drop(members.remove(field)),
                }
                pairs.push((Some(one.clone()), Some(flipped)));
            }
        }
    }
    pairs
}

/// What is wrong with how an impact is said.
fn fault(impact: &Impact) -> Option<String> {
    let reason = &impact.reason;
    if reason.is_empty() {
        return (impact.severity > Severity::Safe).then(|| "says no reason".to_owned());
    }
    let words: Vec<&str> = reason.split_whitespace().collect();
    if words.len() < 4 {
        return Some(format!("is too short: {reason}"));
    }
    let is_of_the_interface = |word: &&&str| {
        let plain = word.trim_matches(|character: char| !character.is_ascii_alphanumeric());
        let has_hump = plain
            .as_bytes()
            .windows(2)
            .any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
        // Values of users and names of resources are no words of ours.
        let is_ours = !word.contains(['@', '/', '.']) && !word.contains("arn:");
        let shouts = plain.contains('_');
        is_ours && !NAMES.contains(&plain) && (has_hump || shouts || plain.contains("::"))
    };
    let found = words.iter().find(is_of_the_interface);
    found.map(|word| format!("speaks of the interface, not of mail: `{word}` in: {reason}"))
}

fn faults(kind: &dyn DynKind) -> BTreeSet<String> {
    let mut faults = BTreeSet::new();
    for (from, to) in pairs(&kind.examples().unwrap()) {
        let fields = difference(from.as_ref(), to.as_ref(), kind.write_only());
        // Some examples with one field of another are nothing that could be read or declared.
        let Ok(impact) = kind.impact(from.as_ref(), to.as_ref(), &fields) else { continue };
        if let Some(fault) = fault(&impact) {
            faults.insert(format!("{}: {} {fault}", kind.name(), impact.severity.words()));
        }
    }
    faults
}

#[tokio::test]
async fn what_a_change_does_is_said_in_words_of_mail() {
    let open = Stage::new().await.open("").await;
    let mut found = BTreeSet::new();
    let mut severities: BTreeSet<&str> = BTreeSet::new();
    for kind in open.registry.kinds() {
        found.extend(faults(kind.as_ref()));
        for (from, to) in pairs(&kind.examples().unwrap()) {
            let fields = difference(from.as_ref(), to.as_ref(), kind.write_only());
            let impact = kind.impact(from.as_ref(), to.as_ref(), &fields);
            severities.extend(impact.map(|impact| impact.severity.words()));
        }
    }
    assert!(found.is_empty(), "{}", found.into_iter().collect::<Vec<_>>().join("\n"));
    assert!(severities.len() >= 3, "the examples bring about nothing but {severities:?}");
}

#[test]
fn words_of_the_interface_are_found() {
    let said = |reason: &str| fault(&Impact::new(Severity::Degrades, reason));
    assert_eq!(said("mail of the set is no longer sent"), None);
    assert_eq!(said("rates no longer go to CloudWatch, where alarms look"), None);
    assert_eq!(said("mail from pivot_x@pivot.app is no longer sent"), None);
    assert!(said("").is_some() && said("mail stops").is_some());
    assert!(said("the value REJECT_MESSAGE takes effect now").is_some());
    assert!(said("from now on PutEmailIdentityMailFromAttributes fails").is_some());
    assert_eq!(fault(&Impact::safe()), None);
}
