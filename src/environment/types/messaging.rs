//! `[topics.NAME]` and `[queues.NAME]`: where events are published, and who receives them.

use super::{QueueField, SubscriptionField, Tags, TopicField};
use crate::environment::names::{
    DisplayName, EmailAddress, FunctionReference, HttpsUrl, KeyReference, NameError,
    QueueReference, TimeSpan, text_format,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// An SNS topic. Its policy lets SES publish for the configuration sets of this account, and nobody else.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The sender's name in mails from the topic. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<DisplayName>,

    /// The KMS key that encrypts messages at rest: id, ARN or alias of a key of one's own, whose policy lets
    /// ses.amazonaws.com use it (`kms:GenerateDataKey*`, `kms:Decrypt`). Left out: no encryption by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_key: Option<KeyReference>,

    /// Who receives what the topic publishes. Left out: nobody that sesinfra manages.
    #[serde(default)]
    pub subscriptions: Vec<Subscription>,

    /// As `protect` of the environment, for this topic alone and all that belongs to it. Left out: as the environment says.
    /// What was protected stays so when it is taken out of the file: it must be named on the command line to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect: Option<bool>,

    /// Tags of this topic, beside those of the environment. Left out: only the environment's.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "tag-key" }))]
    pub tags: Tags,

    /// Settings that others may change, by their names here. A plan never shows them, and an update leaves them as they
    /// are; a value given here is used once, when the topic is made. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<TopicField>,
}

/// A subscriber of a topic: exactly one of `https`, `email`, `email_json`, `queue`, `lambda`, and how it is served.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Subscription {
    /// Who receives.
    #[serde(flatten)]
    pub endpoint: Endpoint,

    /// Whether the event arrives bare, without SNS's envelope around it. Queues and https only. Left out: false.
    #[serde(default)]
    pub raw: bool,

    /// A filter policy of SNS: which messages are delivered. Left out: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Map<String, Value>>,

    /// What the filter looks at. SES sets no message attributes, so its events are filtered by body. Left out: `body`.
    #[serde(default)]
    pub filter_scope: FilterScope,

    /// The queue for messages that SNS could not deliver: one of this file, or an ARN. Left out: they are lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<QueueReference>,

    /// Settings that others may change, by their names here. A plan never shows them, and an update leaves them as they
    /// are; a value given here is used once, when the subscription is made. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<SubscriptionField>,
}

/// Who receives the messages of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// An https URL, which must confirm the subscription.
    Https(HttpsUrl),
    /// An address that gets readable mails; a person must confirm.
    Email(EmailAddress),
    /// An address that gets JSON mails; somebody must confirm.
    EmailJson(EmailAddress),
    /// An SQS queue of this file, or the ARN of one.
    Queue(QueueReference),
    /// A Lambda function: its name, or its ARN. Its own policy must let SNS invoke it.
    Lambda(FunctionReference),
}

impl Endpoint {
    /// The protocol as SNS names it.
    #[must_use]
    pub const fn protocol(&self) -> &'static str {
        match self {
            Self::Https(_) => "https",
            Self::Email(_) => "email",
            Self::EmailJson(_) => "email-json",
            Self::Queue(_) => "sqs",
            Self::Lambda(_) => "lambda",
        }
    }
}

/// What a filter policy looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FilterScope {
    /// The JSON body of the message (`MessageBody`).
    #[default]
    Body,
    /// The message attributes (`MessageAttributes`).
    Attributes,
}

/// An SQS queue. Its policy lets the topics that name it deliver, and nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// How long an unread message is kept: `1m` to `14d`. Left out: `4d`, AWS's default.
    #[serde(default = "Queue::default_retention")]
    pub retention: TimeSpan,

    /// How long a message that was read stays hidden from other readers: `0s` to `12h`. Left out: `30s`, AWS's default.
    #[serde(default = "Queue::default_visibility_timeout")]
    pub visibility_timeout: TimeSpan,

    /// How long a message stays hidden after it arrived: `0s` to `15m`. Left out: `0s`, AWS's default.
    #[serde(default = "TimeSpan::none", skip_serializing_if = "TimeSpan::is_none")]
    pub delay: TimeSpan,

    /// How long a reader that finds no message waits for one, unless it says so itself: `0s` to `20s`. Left out: `0s`, AWS's
    /// default.
    #[serde(default = "TimeSpan::none", skip_serializing_if = "TimeSpan::is_none")]
    pub receive_wait: TimeSpan,

    /// The largest message that the queue takes, in bytes: 1,024 to 1,048,576 (1 MiB). Left out: at least 262,144 (256 KiB),
    /// which is all that a topic delivers; AWS's default is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1_024, max = 1_048_576))]
    pub max_message_bytes: Option<u32>,

    /// `sqs` for keys that SQS manages, `off`, or a KMS key (id, ARN or alias) whose policy lets sns.amazonaws.com
    /// use it. Left out: `sqs`, AWS's default.
    #[serde(default)]
    pub encryption: Encryption,

    /// Where messages go that were read too often without being deleted. Left out: they stay until `retention`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<DeadLetter>,

    /// As `protect` of the environment, for this queue alone and all that belongs to it. Left out: as the environment says.
    /// What was protected stays so when it is taken out of the file: it must be named on the command line to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect: Option<bool>,

    /// Tags of this queue, beside those of the environment. Left out: only the environment's.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "tag-key" }))]
    pub tags: Tags,

    /// Settings that others may change, by their names here. A plan never shows them, and an update leaves them as they
    /// are; a value given here is used once, when the queue is made. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<QueueField>,
}

impl Queue {
    /// AWS's default retention, 4 days (SQS `MessageRetentionPeriod`).
    #[must_use]
    pub const fn default_retention() -> TimeSpan {
        TimeSpan::from_seconds(345_600)
    }

    /// AWS's default visibility timeout, 30 seconds (SQS `VisibilityTimeout`).
    #[must_use]
    pub const fn default_visibility_timeout() -> TimeSpan {
        TimeSpan::from_seconds(30)
    }
}

/// Where messages go that no reader could handle.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadLetter {
    /// The queue for them: one of this file, or an ARN. Left out: a queue `NAME-dead-letter` is made, which keeps
    /// messages for 14 days and is encrypted as this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueReference>,

    /// How often a message is read before it goes there: 1 to 1,000. Left out: 5.
    #[serde(default = "DeadLetter::default_max_receives")]
    #[schemars(range(min = 1, max = 1_000))]
    pub max_receives: u16,
}

impl DeadLetter {
    /// What the name of a dead-letter queue that is made by itself ends in.
    pub const SUFFIX: &'static str = "-dead-letter";

    const fn default_max_receives() -> u16 {
        5
    }
}

/// How a queue is encrypted at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// With keys that SQS manages (SSE-SQS).
    #[default]
    Sqs,
    /// Not at all.
    Off,
    /// With a KMS key.
    Key(KeyReference),
}

impl Encryption {
    /// Parses `sqs`, `off` or a KMS key.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text {
            "sqs" => Ok(Self::Sqs),
            "off" => Ok(Self::Off),
            key => KeyReference::parse(key).map(Self::Key).map_err(|error| NameError {
                reason: error.reason,
                remedy: "write `sqs`, `off`, or a KMS key: its id, its ARN, or an alias such as `alias/mail`".to_owned(),
            }),
        }
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqs => formatter.write_str("sqs"),
            Self::Off => formatter.write_str("off"),
            Self::Key(key) => key.fmt(formatter),
        }
    }
}

text_format!(Encryption, "encryption");
