//! Settings that others may change: which ones there are for each type of resource.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A setting of an identity that others may change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum IdentityField {
    /// The configuration set for mail that names none.
    ConfigurationSet,
    /// Whether SES mails bounces and complaints to the sender.
    FeedbackForwarding,
    /// Whether DKIM signing is on.
    Signing,
    /// The tags, those of ownership left out.
    Tags,
}

/// A setting of a configuration set that others may change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SetField {
    /// The archive.
    Archive,
    /// How long SES tries to deliver.
    MaxDelivery,
    /// The pool of IP addresses.
    Pool,
    /// Whether bounce and complaint rates are counted.
    ReputationMetrics,
    /// Whether mail of the set is sent at all.
    Sending,
    /// Suppression, with its scope and validation.
    Suppress,
    /// The tags, those of ownership left out.
    Tags,
    /// Whether TLS is required.
    Tls,
    /// Virtual Deliverability Manager.
    Vdm,
}

/// A setting of an event destination that others may change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum DestinationField {
    /// Whether events are published.
    Enabled,
    /// The types of events.
    Types,
}

/// A setting of a topic that others may change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum TopicField {
    /// The sender's name in mails from the topic.
    DisplayName,
    /// The key that encrypts messages at rest.
    EncryptionKey,
    /// The access policy: who may publish and subscribe.
    Policy,
    /// The tags, those of ownership left out.
    Tags,
}

/// A setting of a subscription that others may change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SubscriptionField {
    /// Where messages go that could not be delivered.
    DeadLetter,
    /// Which messages are delivered, and what the filter looks at.
    Filter,
    /// Whether the event arrives bare.
    Raw,
}

/// A setting of a queue that others may change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum QueueField {
    /// Where messages go that were read too often.
    DeadLetter,
    /// How long a message stays hidden after it arrived.
    Delay,
    /// How messages are encrypted at rest.
    Encryption,
    /// The largest message.
    MaxMessageBytes,
    /// The access policy: who may send to the queue.
    Policy,
    /// How long a reader waits for a message.
    ReceiveWait,
    /// How long an unread message is kept.
    Retention,
    /// The tags, those of ownership left out.
    Tags,
    /// How long a message that was read stays hidden.
    VisibilityTimeout,
}

/// A setting of a send policy that others may change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SendPolicyField {
    /// What the policy allows.
    Document,
    /// The tags, those of ownership left out.
    Tags,
}

/// A setting of an alarm that others may change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum AlarmField {
    /// What it means.
    Description,
    /// Whether it does anything when it goes off: alarms are silenced while something is mended.
    Enabled,
    /// The tags, those of ownership left out.
    Tags,
    /// The threshold.
    Threshold,
}
