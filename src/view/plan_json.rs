//! A plan in the shape of Terraform's `show -json`, so that policy checks written for that work here, with what
//! sesinfra knows beside. Invariant: the same plan gives the same bytes.

use serde_json::{Map, Value, json};

use super::document::Document;
use super::line::unknown;
use crate::engine::{Action, PlannedChange};

/// The version of Terraform's plan format whose shape this has.
const FORMAT_VERSION: &str = "1.2";

/// The plan as JSON.
#[must_use]
pub fn plan_json(document: &Document) -> Value {
    let plan = &document.plan;
    let changes: Vec<Value> = plan.changes.iter().map(resource_change).collect();
    let overlooked = document.overlooked();
    let deferred = plan.changes.iter().any(|change| change.deferred.is_some());
    let mut json = json!({
        "format_version": FORMAT_VERSION,
        "sesinfra_version": document.version,
        "environment": document.environment,
        "project": document.project,
        "account": document.account,
        "region": document.region,
        "purpose": document.purpose,
        "fingerprint": document.fingerprint,
        "account_trouble": document.account_trouble,
        "summary": document.summary(),
        "resource_changes": changes,
        "resource_drift": [],
        "output_changes": {},
        "applyable": !plan.is_empty() && document.refusals.is_empty(),
        "complete": document.flags.targets.is_empty() && !deferred && overlooked.is_none(),
        "errored": false,
        "targets": document.flags.targets,
        "refusals": document.refusals,
        "unmanaged": plan.unmanaged,
        "dns_records": document.records,
    });
    if let Some(overlooked) = overlooked {
        json["refresh"] = json!(document.refresh);
        json["overlooked"] = json!(overlooked);
        json["unread"] = json!(plan.unread);
    }
    json
}

fn resource_change(change: &PlannedChange) -> Value {
    let actions: &[&str] = match change.action {
        Action::None => &["no-op"],
        Action::Adopt if change.fields.is_empty() => &["no-op"],
        Action::Create => &["create"],
        Action::Adopt | Action::Update => &["update"],
        Action::Replace => &["delete", "create"],
        Action::Delete => &["delete"],
        Action::Forget => &["forget"],
    };
    let before = change.from.as_deref().cloned().unwrap_or(Value::Null);
    // Where nothing is done, what is wanted may still differ (another owner's resource): then what is, stays.
    let after = match change.action {
        Action::None | Action::Forget => change.from.as_deref(),
        _ => change.to.as_deref(),
    };
    let mut json = json!({
        "address": change.address,
        "mode": "managed",
        "type": change.address.kind(),
        "name": change.address.name(),
        "provider_name": "sesinfra",
        "change": {
            "actions": actions,
            "before": before,
            "after": after.map_or(Value::Null, known_part),
            "after_unknown": after.map_or(json!({}), unknown_part),
            "before_sensitive": {},
            "after_sensitive": {},
        },
        "fields": change.fields,
        "parent": change.parent,
        "impact": change.impact.severity.words(),
        "impact_reason": change.impact.reason,
        "reason": change.reason,
        "deferred": change.deferred,
        "notes": change.notes,
    });
    if change.action == Action::Adopt {
        json["change"]["importing"] = json!({ "id": change.address.name() });
    }
    json
}

/// What is known of a value: unknown members are left out, unknown items are null, as Terraform has it.
fn known_part(value: &Value) -> Value {
    match value {
        _ if unknown(value).is_some() => Value::Null,
        Value::Array(items) => items.iter().map(known_part).collect(),
        Value::Object(members) => {
            let known = members.iter().filter(|(_, value)| unknown(value).is_none());
            Value::Object(known.map(|(key, value)| (key.clone(), known_part(value))).collect())
        }
        plain => plain.clone(),
    }
}

/// Where a value is unknown: `true` in its place; objects name only the members that have some.
fn unknown_part(value: &Value) -> Value {
    match value {
        _ if unknown(value).is_some() => Value::Bool(true),
        Value::Array(items) => items.iter().map(unknown_part).collect(),
        Value::Object(members) => {
            let parts = members.iter().map(|(key, value)| (key.clone(), unknown_part(value)));
            let unknown: Map<String, Value> =
                parts.filter(|(_, part)| !is_all_known(part)).collect();
            Value::Object(unknown)
        }
        _ => Value::Bool(false),
    }
}

fn is_all_known(part: &Value) -> bool {
    match part {
        Value::Bool(is_unknown) => !is_unknown,
        Value::Array(items) => items.iter().all(is_all_known),
        Value::Object(members) => members.is_empty(),
        _ => true,
    }
}
