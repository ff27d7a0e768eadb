//! Between the texts that SNS has and the types of a spec.

use std::collections::BTreeMap;

use aws_sdk_sns::types::Tag;

use super::{Outputs, Spec};
use crate::aws::AwsError;
use crate::aws::policy::Policy;
use crate::aws::topics::Texts;
use crate::engine::{BoxError, Put};

/// The value that unsets an attribute.
pub(super) const UNSET: &str = "";

/// Whether the counters of a topic say that it has subscriptions: only then is listing them worth a call.
pub(in crate::kinds) fn has_subscribers(attributes: &Texts) -> bool {
    let none = |name: &str| attributes.get(name).is_none_or(|count| count == "0");
    !(none("SubscriptionsConfirmed") && none("SubscriptionsPending"))
}

/// Each setting with its attribute and value; `None` is unset.
pub(super) fn settings(spec: &Spec) -> [(&'static str, &'static str, Option<String>); 3] {
    [
        ("display_name", "DisplayName", spec.display_name.clone()),
        ("encryption_key", "KmsMasterKeyId", spec.encryption_key.clone()),
        ("policy", "Policy", Some(spec.policy.document())),
    ]
}

pub(super) fn attributes(spec: &Spec) -> BTreeMap<String, String> {
    let set = settings(spec).into_iter();
    set.filter_map(|(_, attribute, value)| Some((attribute.to_owned(), value?))).collect()
}

/// An attribute that is set: SNS gives back an empty text for one that is not.
pub(super) fn set_text(attributes: &Texts, name: &str) -> Option<String> {
    attributes.get(name).filter(|value| !value.is_empty()).cloned()
}

pub(super) fn sdk_tags(tags: &Texts) -> Vec<Tag> {
    // Building fails only without a key or a value, and both are given.
    tags.iter()
        .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
        .collect()
}

/// A topic that is recreated at once can meet the tags of the old one (`StaleTag`), and another writer of tags excludes
/// ours for a moment (`ConcurrentAccess`).
pub(super) fn waiting_for_tags(error: AwsError) -> Result<Put<Outputs>, BoxError> {
    match error.code.as_str() {
        "StaleTag" => {
            Ok(Put::Waiting("SNS still holds the tags of a topic just deleted".to_owned()))
        }
        "ConcurrentAccess" => Ok(Put::Waiting("somebody else is tagging the topic".to_owned())),
        _ => Err(error.into()),
    }
}

/// Whether a statement of the policy is about this service principal.
pub(super) fn allows(policy: &Policy, service: &str) -> bool {
    policy.statement.values().any(|statement| {
        statement.principal.get("Service").is_some_and(|names| names.contains(service))
    })
}

pub(super) fn allows_ses(policy: &Policy) -> bool {
    allows(policy, "ses.amazonaws.com")
}

/// What there is to say of a policy that AWS changed by itself.
pub(in crate::kinds) fn notes_of_policy(policy: &Policy) -> Vec<String> {
    let lost = policy.lost_principals().into_iter();
    lost.map(|id| {
        format!("the policy names {id}, a user or role that was deleted: whoever has its name now is not meant")
    })
    .collect()
}

#[cfg(test)]
mod tests;
