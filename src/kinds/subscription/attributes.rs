//! Between the texts that SNS has and the types of a spec.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Filter, Spec};
use crate::aws::Arns;
use crate::aws::topics::Texts;
use crate::engine::{Address, Ownership};

pub(super) fn note_of_pending(protocol: &str, ownership: &Ownership) -> String {
    let who = match protocol {
        "email" | "email-json" => "a person must follow the link in the mail from SNS",
        "sqs" => "the queue is in another account, whose owner must confirm it",
        _ => "the endpoint must answer the request from SNS with the token in it",
    };
    let mut note = format!("pending confirmation: {who}");
    if *ownership == Ownership::Ours {
        note.push_str("; until then it can be neither changed nor deleted, and it expires after about three days");
    }
    note
}

pub(super) fn spec_of(bare: Spec, attributes: &Texts) -> Result<Spec, serde_json::Error> {
    let json = |name: &str| {
        let text = attributes.get(name).filter(|text| !text.is_empty());
        text.map(|text| serde_json::from_str::<Map<String, Value>>(text)).transpose()
    };
    // An empty filter policy is how SNS is told to have none.
    let filter = json("FilterPolicy")?.filter(|policy| !policy.is_empty()).map(|policy| Filter {
        scope: attributes
            .get("FilterPolicyScope")
            .cloned()
            .unwrap_or_else(|| "MessageAttributes".to_owned()),
        policy,
    });
    let redrive = json("RedrivePolicy")?;
    let dead_letter = redrive.as_ref().and_then(|policy| policy.get("deadLetterTargetArn"));
    Ok(Spec {
        raw: attributes.get("RawMessageDelivery").is_some_and(|raw| raw == "true"),
        filter,
        dead_letter: dead_letter.and_then(Value::as_str).map(str::to_owned),
        ..bare
    })
}

pub(super) fn redrive(dead_letter: &str) -> String {
    json!({ "deadLetterTargetArn": dead_letter }).to_string()
}

pub(super) fn text(policy: &Map<String, Value>) -> String {
    Value::Object(policy.clone()).to_string()
}

/// The attributes of a new subscription, those left out that are as SNS has them by default.
pub(super) fn attributes_at_first(spec: &Spec) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut set = |name: &str, value: String| attributes.insert(name.to_owned(), value);
    if spec.raw {
        set("RawMessageDelivery", "true".to_owned());
    }
    if let Some(filter) = &spec.filter {
        set("FilterPolicyScope", filter.scope.clone());
        set("FilterPolicy", text(&filter.policy));
    }
    if let Some(dead_letter) = &spec.dead_letter {
        set("RedrivePolicy", redrive(dead_letter));
    }
    attributes
}

/// Each setting with its path, attribute and value, in an order in which each step is valid: a body may be filtered by
/// nested keys, attributes may not, so the wider scope is set before its policy and left after it.
pub(super) fn settings_in_order(spec: &Spec) -> Vec<(&'static str, &'static str, Option<String>)> {
    let raw = ("raw", "RawMessageDelivery", Some(spec.raw.to_string()));
    // A filter policy is removed by an empty one, a redrive policy by no value at all: SNS refuses an empty text.
    let policy =
        spec.filter.as_ref().map_or_else(|| "{}".to_owned(), |filter| text(&filter.policy));
    let policy = ("filter", "FilterPolicy", Some(policy));
    let scope = spec
        .filter
        .as_ref()
        .map(|filter| ("filter", "FilterPolicyScope", Some(filter.scope.clone())));
    let dead_letter = ("dead_letter", "RedrivePolicy", spec.dead_letter.as_deref().map(redrive));
    let mut settings = vec![raw];
    match scope {
        Some(scope) if scope.2.as_deref() == Some("MessageBody") => {
            settings.extend([scope, policy]);
        }
        Some(scope) => settings.extend([policy, scope]),
        None => settings.push(policy),
    }
    settings.push(dead_letter);
    settings
}

/// The queues of this account and Region that a subscription relies on.
pub(super) fn used_queues(arns: &Arns, spec: &Spec) -> BTreeSet<Address> {
    let endpoint = (spec.protocol == "sqs").then_some(spec.endpoint.as_str());
    let prefix = arns.queue("");
    let named = endpoint.into_iter().chain(spec.dead_letter.as_deref());
    named
        .filter_map(|arn| arn.strip_prefix(&prefix))
        .map(|queue| Address::new("queue", queue))
        .collect()
}

#[cfg(test)]
mod tests;
