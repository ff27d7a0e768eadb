//! Filter policies of subscriptions, as SNS reads them (SNS developer guide, "Filter policy constraints").

use super::{Assumes, Check, Report, Subject};
use crate::environment::finding::Severity;
use crate::environment::types::{FilterScope, Subscription};
use crate::environment::words;
use serde_json::{Map, Value};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "filter-shape",
        severity: Severity::Error,
        rule: "A filter gives each key an array of the values that match; keys nest only where the body is looked at.",
        assumes: Assumes::Entry,
        run: shape,
    },
    Check {
        id: "filter-limit",
        severity: Severity::Error,
        rule: "A filter has at most 5 keys, 150 combinations and 256 KB; a topic has at most 200 filters.",
        assumes: Assumes::Nothing,
        run: limits,
    },
    Check {
        id: "filter-attributes",
        severity: Severity::Warning,
        rule: "SES sets no message attributes, so a filter that looks at them lets none of its events through.",
        assumes: Assumes::Nothing,
        run: attributes,
    },
    Check {
        id: "filter-event-type",
        severity: Severity::Warning,
        rule: "A filter on `eventType` names types as SES writes them in its events.",
        assumes: Assumes::Nothing,
        run: event_type,
    },
];

const MOST_KEYS: usize = 5;
const MOST_COMBINATIONS: u64 = 150;
const LARGEST_BYTES: usize = 262_144;
const MOST_FILTERS: usize = 200;

/// `eventType` as it stands in the events that SES publishes to a topic.
const EVENT_TYPES: [&str; 10] = [
    "Bounce",
    "Click",
    "Complaint",
    "Delivery",
    "DeliveryDelay",
    "Open",
    "Reject",
    "Rendering Failure",
    "Send",
    "Subscription",
];

/// Every subscription that has a filter, with the path that leads to the filter.
fn filters<'a>(
    subject: &'a Subject<'_>,
) -> impl Iterator<Item = (Vec<String>, &'a Subscription, &'a Map<String, Value>)> {
    subject.settings().topics.iter().flat_map(|(topic, settings)| {
        settings.subscriptions.iter().enumerate().filter_map(move |(index, subscription)| {
            let path = ["topics", topic.as_str(), "subscriptions", &index.to_string(), "filter"];
            let path = path.iter().map(|step| (*step).to_owned()).collect();
            Some((path, subscription, subscription.filter.as_ref()?))
        })
    })
}

fn borrowed(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

fn shape(subject: &Subject<'_>, report: &mut Report<'_>) {
    fn judge(
        path: &mut Vec<String>,
        policy: &Map<String, Value>,
        nested: bool,
        report: &mut Report<'_>,
    ) {
        if policy.is_empty() {
            report.add(
                &borrowed(path),
                "this filter is empty",
                "matches nothing in particular",
                "remove it",
            );
        }
        for (key, value) in policy {
            path.push(key.clone());
            match value {
                Value::Array(values) if values.is_empty() => report.add(
                    &borrowed(path),
                    format!(
                        "the filter lets nothing through: `{}` has no values",
                        words::shown(key)
                    ),
                    "is empty",
                    "list the values that match",
                ),
                // `$or` holds whole policies.
                Value::Array(_) => {}
                Value::Object(inner) if nested => judge(path, inner, nested, report),
                Value::Object(_) => report.add(
                    &borrowed(path),
                    format!("`{}` cannot have keys within it", words::shown(key)),
                    "message attributes do not nest",
                    "use `filter_scope = \"body\"`",
                ),
                other => report.add(
                    &borrowed(path),
                    format!("the values of `{}` must be an array", words::shown(key)),
                    "SNS wants a list of the values that match",
                    format!("write `[{}]`", words::shown(&other.to_string())),
                ),
            }
            path.pop();
        }
    }
    for (mut path, subscription, policy) in filters(subject) {
        judge(&mut path, policy, subscription.filter_scope == FilterScope::Body, report);
    }
}

/// The combinations of a filter: the values of each key multiplied, for a nested key times its depth.
fn combinations(policy: &Map<String, Value>, depth: u64) -> u64 {
    policy.values().fold(1_u64, |product, value| {
        let factor = match value {
            Value::Array(values) => (values.len() as u64).max(1).saturating_mul(depth),
            Value::Object(inner) => combinations(inner, depth + 1),
            _ => 1,
        };
        product.saturating_mul(factor)
    })
}

fn limits(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, _, policy) in filters(subject) {
        let combinations = combinations(policy, 1);
        let size = Value::Object(policy.clone()).to_string().len();
        let (message, label) = if policy.len() > MOST_KEYS {
            (format!("the filter has {} keys", policy.len()), format!("SNS allows {MOST_KEYS}"))
        } else if combinations > MOST_COMBINATIONS {
            (
                format!("the filter has {combinations} combinations of values"),
                format!("SNS allows {MOST_COMBINATIONS}: the numbers of values multiply"),
            )
        } else if size > LARGEST_BYTES {
            (format!("the filter is {size} bytes long"), format!("SNS allows {LARGEST_BYTES}"))
        } else {
            continue;
        };
        report.add(
            &borrowed(&path),
            message,
            label,
            "filter by less, and let the subscriber drop the rest",
        );
    }
    for (topic, settings) in &subject.settings().topics {
        let count = settings
            .subscriptions
            .iter()
            .filter(|subscription| subscription.filter.is_some())
            .count();
        if count > MOST_FILTERS {
            report.add(
                &["topics", topic.as_str(), "subscriptions"],
                format!("`{topic}` has {count} filters"),
                format!("SNS allows {MOST_FILTERS} for a topic"),
                "spread the subscribers over several topics",
            );
        }
    }
}

fn attributes(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (mut path, subscription, _) in filters(subject) {
        if subscription.filter_scope == FilterScope::Attributes {
            path.pop();
            path.push("filter_scope".to_owned());
            report.add(
                &borrowed(&path),
                "no event of SES passes this filter",
                "SES sets no message attributes",
                "remove the line: left out, the filter looks at the body",
            );
        }
    }
}

fn event_type(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (mut path, subscription, policy) in filters(subject) {
        if subscription.filter_scope != FilterScope::Body {
            continue;
        }
        let Some(Value::Array(values)) = policy.get("eventType") else { continue };
        path.push("eventType".to_owned());
        for value in
            values.iter().filter_map(Value::as_str).filter(|value| !EVENT_TYPES.contains(value))
        {
            let help = match words::nearest(value, EVENT_TYPES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("SES writes {}", words::listed(&EVENT_TYPES, "or")),
            };
            path.push(value.to_owned());
            report.add(
                &borrowed(&path),
                format!("no event of SES has the type `{}`", words::shown(value)),
                "compared with case",
                help,
            );
            path.pop();
        }
    }
}
