//! Between the texts that SQS has and the types of a spec.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use serde_json::{Value, json};

use super::{DeadLetter, SNS_MESSAGE_BYTES_MAX, Spec, Texts};
use crate::aws::policy::{Policy, Statement};
use crate::engine::{Address, BoxError};
use crate::environment::names::{KeyReference, TimeSpan};
use crate::environment::types::Encryption;

/// How the policy of a queue names the topics that may deliver.
const SOURCE_OPERATOR: &str = "ArnEquals";
const SOURCE_KEY: &str = "aws:SourceArn";

pub(super) fn spec_of(attributes: &Texts, tags: Texts) -> Result<Spec, BoxError> {
    let text = |name: &str| attributes.get(name).filter(|value| !value.is_empty());
    let span = |name: &str| -> Result<TimeSpan, BoxError> {
        let text = text(name).ok_or_else(|| format!("SQS tells no {name}"))?;
        Ok(TimeSpan::from_seconds(text.parse()?))
    };
    let span_or_none = |name: &str| match text(name) {
        Some(_) => span(name),
        None => Ok(TimeSpan::none()),
    };
    let encryption = match text("KmsMasterKeyId") {
        Some(key) => Encryption::Key(KeyReference::parse(key)?),
        None if text("SqsManagedSseEnabled").is_some_and(|on| on == "true") => Encryption::Sqs,
        None => Encryption::Off,
    };
    Ok(Spec {
        retention: span("MessageRetentionPeriod")?,
        visibility_timeout: span("VisibilityTimeout")?,
        delay: span_or_none("DelaySeconds")?,
        receive_wait: span_or_none("ReceiveMessageWaitTimeSeconds")?,
        max_message_bytes: text("MaximumMessageSize").map(|text| text.parse()).transpose()?,
        encryption,
        dead_letter: text("RedrivePolicy").map(|policy| dead_letter(policy)).transpose()?.flatten(),
        policy: text("Policy").map(|document| Policy::parse(document)).transpose()?,
        tags,
        holds_messages: false,
    })
}

/// What counts as a size where none is declared: SQS's default was 256 KiB once and is 1 MiB now, and either lets through all
/// that SNS delivers.
pub(super) fn size_beside(declared: Option<&Spec>, live: Option<u32>) -> Option<u32> {
    let is_declared = declared.is_some_and(|spec| spec.max_message_bytes.is_some());
    live.filter(|bytes| is_declared || *bytes < SNS_MESSAGE_BYTES_MAX)
}

/// `maxReceiveCount` comes back as a number or as text, as it was written.
pub(super) fn dead_letter(policy: &str) -> Result<Option<DeadLetter>, BoxError> {
    let policy: Value = serde_json::from_str(policy)?;
    let Some(queue) = policy.get("deadLetterTargetArn").and_then(Value::as_str) else {
        return Ok(None);
    };
    let max_receives = match policy.get("maxReceiveCount") {
        Some(Value::String(text)) => text.parse()?,
        Some(number) => u16::try_from(number.as_u64().unwrap_or_default())?,
        None => return Ok(None),
    };
    Ok(Some(DeadLetter { queue: queue.to_owned(), max_receives }))
}

pub(super) fn has_messages(attributes: &Texts) -> bool {
    let counters = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ];
    counters.iter().any(|name| attributes.get(*name).is_some_and(|count| count != "0"))
}

/// Each setting as path, attribute and value. An empty text removes a policy, a redrive policy or a key.
pub(super) fn settings(from: Option<&Spec>, to: &Spec) -> Vec<(&'static str, Attribute, String)> {
    let redrive = to.dead_letter.as_ref().map(|it| {
        json!({ "deadLetterTargetArn": it.queue, "maxReceiveCount": it.max_receives }).to_string()
    });
    let mut settings = vec![
        ("retention", Attribute::MessageRetentionPeriod, to.retention.seconds().to_string()),
        (
            "visibility_timeout",
            Attribute::VisibilityTimeout,
            to.visibility_timeout.seconds().to_string(),
        ),
        ("delay", Attribute::DelaySeconds, to.delay.seconds().to_string()),
        (
            "receive_wait",
            Attribute::ReceiveMessageWaitTimeSeconds,
            to.receive_wait.seconds().to_string(),
        ),
        ("dead_letter", Attribute::RedrivePolicy, redrive.unwrap_or_default()),
        ("policy", Attribute::Policy, to.policy.as_ref().map(Policy::document).unwrap_or_default()),
    ];
    // Nothing is said of it to a new queue, for which every default is large enough.
    if from.is_some() || to.max_message_bytes.is_some() {
        let bytes = to.max_message_bytes.unwrap_or(SNS_MESSAGE_BYTES_MAX);
        settings.push(("max_message_bytes", Attribute::MaximumMessageSize, bytes.to_string()));
    }
    // The two ways of encryption exclude each other, so one is switched off in the call that switches the other on.
    let had_key = from.is_none_or(|from| matches!(from.encryption, Encryption::Key(_)));
    match &to.encryption {
        Encryption::Key(key) => {
            settings.push(("encryption", Attribute::KmsMasterKeyId, key.to_string()));
        }
        other => {
            if had_key {
                settings.push(("encryption", Attribute::KmsMasterKeyId, String::new()));
            }
            let on = (*other == Encryption::Sqs).to_string();
            settings.push(("encryption", Attribute::SqsManagedSseEnabled, on));
        }
    }
    settings
}

/// The attributes of a new queue: those with nothing in them are left out, and a queue without a word about encryption
/// would get SQS's own.
pub(super) fn attributes_at_first(to: &Spec) -> BTreeMap<Attribute, String> {
    let all = settings(None, to).into_iter();
    let set = all.filter(|(_, _, value)| !value.is_empty());
    set.map(|(_, attribute, value)| (attribute, value)).collect()
}

/// The topics that the policy lets deliver.
pub(super) fn sources(spec: &Spec) -> BTreeSet<&String> {
    let statements = spec.policy.iter().flat_map(|policy| policy.statement.values());
    let conditions = statements.flat_map(|statement| statement.condition.values());
    conditions.filter_map(|keys| keys.get(SOURCE_KEY)).flatten().collect()
}

/// The policy while one topic takes over from another: as wanted, and the topics under the prefix `topics` that could
/// deliver so far still can, until nothing is published to them any more. `None` if none of them loses that.
pub(super) fn policy_meanwhile(topics: &str, from: &Spec, to: &Spec) -> Option<Policy> {
    let wanted = sources(to);
    let mut policy =
        to.policy.clone().unwrap_or_else(|| Policy::new(BTreeMap::<String, Statement>::new()));
    let mut is_wider = false;
    for (sid, statement) in from.policy.iter().flat_map(|policy| &policy.statement) {
        if !lets_topics_deliver(statement) {
            continue;
        }
        let named = statement.condition.get(SOURCE_OPERATOR).and_then(|it| it.get(SOURCE_KEY));
        let leaving: Vec<&String> = named
            .into_iter()
            .flatten()
            .filter(|arn| arn.starts_with(topics) && !wanted.contains(arn))
            .collect();
        if leaving.is_empty() {
            continue;
        }
        is_wider = true;
        let kept = policy
            .statement
            .entry(sid.clone())
            .or_insert_with(|| Statement { condition: BTreeMap::new(), ..statement.clone() });
        let operator = kept.condition.entry(SOURCE_OPERATOR.to_owned()).or_default();
        let arns = operator.entry(SOURCE_KEY.to_owned()).or_default();
        arns.extend(leaving.into_iter().cloned());
    }
    is_wider.then_some(policy)
}

/// Whether it says no more than that topics may put messages in.
fn lets_topics_deliver(statement: &Statement) -> bool {
    let form = Statement::allow().to("Service", "sns.amazonaws.com").may(["sqs:SendMessage"]);
    let named = statement.condition.get(SOURCE_OPERATOR).is_some_and(|it| it.len() == 1);
    let bare = Statement {
        condition: BTreeMap::new(),
        resource: BTreeSet::new(),
        sid: String::new(),
        ..statement.clone()
    };
    bare == form && statement.condition.len() == 1 && named
}

/// The queues of this account and Region that a queue relies on.
pub(super) fn used_queues(prefix: &str, spec: &Spec) -> BTreeSet<Address> {
    let target = spec.dead_letter.as_ref().and_then(|it| it.queue.strip_prefix(prefix));
    target.map(|name| Address::new("queue", name)).into_iter().collect()
}

#[cfg(test)]
mod tests;
