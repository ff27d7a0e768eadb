//! Settings that others may change, as the paths of specs that the engine passes over.
//!
//! Invariant: every path names a whole setting of a spec; what is not declared at all has none.

use std::collections::{BTreeMap, BTreeSet};

use super::senders::iam_name;
use crate::aws::Facts;
use crate::engine::Address;
use crate::environment::Environment;
use crate::environment::types::{
    AlarmField, DestinationField, IdentityField, QueueField, SendPolicyField, SetField,
    SubscriptionField, TopicField,
};
use crate::kinds::event_destination::EventDestination;

/// The default set of an identity is all that there is to the resource that sets it.
const DEFAULT_SET: &str = "configuration_set";

/// The paths to be passed over, by resource.
pub(super) fn ignored(
    environment: &Environment,
    facts: &Facts,
) -> BTreeMap<Address, BTreeSet<String>> {
    let settings = &environment.settings;
    let mut all: BTreeMap<Address, BTreeSet<String>> = BTreeMap::new();
    let mut add = |kind: &str, name: String, path: &str| {
        all.entry(Address::new(kind, name)).or_default().insert(path.to_owned());
    };
    for (name, identity) in &settings.identities {
        for field in &identity.ignore {
            match field {
                IdentityField::ConfigurationSet => {
                    add("default_set", name.to_string(), DEFAULT_SET);
                }
                IdentityField::FeedbackForwarding => {
                    add("identity", name.to_string(), "feedback_forwarding");
                }
                IdentityField::Signing => add("identity", name.to_string(), "signing"),
                IdentityField::Tags => add("identity", name.to_string(), "tags"),
            }
        }
    }
    for (name, set) in &settings.configuration_sets {
        for field in &set.ignore {
            add("configuration_set", name.to_string(), of_set(*field));
        }
        for (destination, events) in &set.events {
            for field in &events.ignore {
                let name = EventDestination::name(name.as_str(), destination.as_str());
                add("event_destination", name, of_destination(*field));
            }
        }
    }
    for (name, topic) in &settings.topics {
        for field in &topic.ignore {
            add("topic", name.to_string(), of_topic(*field));
        }
    }
    for (name, queue) in &settings.queues {
        for field in &queue.ignore {
            add("queue", name.to_string(), of_queue(*field));
        }
    }
    for (name, policy) in &settings.send_policies {
        for field in &policy.ignore {
            add("send_policy", iam_name(&facts.owner, name), of_policy(*field));
        }
    }
    all
}

const fn of_set(field: SetField) -> &'static str {
    match field {
        SetField::Archive => "archive",
        SetField::MaxDelivery => "delivery.max_delivery_seconds",
        SetField::Pool => "delivery.pool",
        SetField::ReputationMetrics => "reputation_metrics",
        SetField::Sending => "sending",
        SetField::Suppress => "suppression",
        SetField::Tags => "tags",
        SetField::Tls => "delivery.tls",
        SetField::Vdm => "vdm",
    }
}

const fn of_destination(field: DestinationField) -> &'static str {
    match field {
        DestinationField::Enabled => "enabled",
        DestinationField::Types => "types",
    }
}

const fn of_topic(field: TopicField) -> &'static str {
    match field {
        TopicField::DisplayName => "display_name",
        TopicField::EncryptionKey => "encryption_key",
        TopicField::Policy => "policy",
        TopicField::Tags => "tags",
    }
}

/// The path of a setting of a subscription.
pub(super) const fn of_subscription(field: SubscriptionField) -> &'static str {
    match field {
        SubscriptionField::DeadLetter => "dead_letter",
        SubscriptionField::Filter => "filter",
        SubscriptionField::Raw => "raw",
    }
}

/// The path of a setting of an alarm.
pub(super) const fn of_alarm(field: AlarmField) -> &'static str {
    match field {
        AlarmField::Description => "description",
        AlarmField::Enabled => "enabled",
        AlarmField::Tags => "tags",
        AlarmField::Threshold => "threshold",
    }
}

const fn of_queue(field: QueueField) -> &'static str {
    match field {
        QueueField::DeadLetter => "dead_letter",
        QueueField::Delay => "delay",
        QueueField::Encryption => "encryption",
        QueueField::MaxMessageBytes => "max_message_bytes",
        QueueField::Policy => "policy",
        QueueField::ReceiveWait => "receive_wait",
        QueueField::Retention => "retention",
        QueueField::Tags => "tags",
        QueueField::VisibilityTimeout => "visibility_timeout",
    }
}

const fn of_policy(field: SendPolicyField) -> &'static str {
    match field {
        SendPolicyField::Document => "document",
        SendPolicyField::Tags => "tags",
    }
}
