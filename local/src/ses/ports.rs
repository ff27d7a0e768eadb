//! What SES needs from the rest of the local cloud: the clock, the public DNS, topics and the other destinations.
//!
//! SES calls these; they never call SES, so they may be called while its state is locked (deliveries are made unlocked
//! all the same, since a subscriber may take its time).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Milliseconds since the epoch, as the local cloud's clock shows them.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Everything that [`super::SesCloud`] is built from.
#[derive(Clone)]
pub struct Dependencies {
    /// The clock that verification, quotas and timestamps follow.
    pub clock: Clock,
    /// The DNS as the world sees it.
    pub dns: Arc<dyn PublicDns>,
    /// SNS topics, with their policies evaluated.
    pub topics: Arc<dyn Topics>,
    /// The other places that events go to.
    pub sinks: Arc<dyn Sinks>,
    /// What Service Quotas granted.
    pub quotas: Arc<dyn Quotas>,
    /// What this cloud does where AWS leaves a choice, asked at each request.
    pub settings: Arc<dyn Fn() -> Settings + Send + Sync>,
}

/// The records of public hosted zones.
pub trait PublicDns: Send + Sync {
    /// All records at exactly this name (lower case, no trailing dot), each with its type and values as Route 53 shows them.
    /// Empty when the name does not exist.
    fn records(&self, name: &str) -> Vec<Record>;

    /// The same as it is now, made for many questions.
    fn snapshot(&self) -> Box<dyn PublicDns>;
}

/// The records of one type at a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `CNAME`, `TXT`, `MX`, ...
    pub kind: String,
    /// One per resource record: a TXT value in its quotes, an MX value with its priority.
    pub values: Vec<String>,
}

/// Raised quotas.
pub trait Quotas: Send + Sync {
    /// The value of the quota of SES with this code, if Service Quotas raised it for the account in the Region.
    fn raised(&self, account: &str, region: &str, code: &str) -> Option<f64>;
}

/// The caller of a topic or key: SES on behalf of one of an account's resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnBehalf {
    /// `aws:SourceArn`.
    pub source_arn: String,
    /// `aws:SourceAccount`.
    pub source_account: String,
}

/// SNS as a destination of events.
pub trait Topics: Send + Sync {
    /// Publishes as `ses.amazonaws.com`, if the topic exists, is a standard topic, its policy allows it, and so does the policy
    /// of the key that encrypts it.
    fn publish(
        &self,
        topic_arn: &str,
        caller: &OnBehalf,
        subject: &str,
        message: &str,
    ) -> Result<(), Refused>;
}

/// A destination could not be used; the text says why, for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// The destinations of events beside topics.
pub trait Sinks: Send + Sync {
    /// Puts an event on the account's default bus.
    fn event_bridge(&self, account: &str, region: &str, event: &BusEvent);
    /// Adds to a metric.
    fn metric(&self, account: &str, region: &str, datum: &Datum);
    /// Writes a record to a delivery stream.
    fn firehose(&self, stream_arn: &str, record: &str);
    /// Whether the stream exists and the role may be assumed by SES and may write to it.
    fn firehose_usable(&self, stream_arn: &str, role_arn: &str) -> Result<(), Refused>;
}

/// An event for `EventBridge`, whose source is `aws.ses`.
#[derive(Clone, Debug)]
pub struct BusEvent {
    /// Such as `Email Bounced`.
    pub detail_type: &'static str,
    /// The event as it would be published to a topic.
    pub detail: Value,
    /// The ARNs that the event is about.
    pub resources: Vec<String>,
}

/// A data point of namespace `AWS/SES`.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// `Send`, `Bounce`, ...
    pub metric: &'static str,
    /// How much to add.
    pub value: f64,
    /// Dimension names and values.
    pub dimensions: std::collections::BTreeMap<String, String>,
    /// When, in milliseconds since the epoch.
    pub at: i64,
}

/// How long verification takes, and what is chosen where AWS leaves a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long right records must have been seen before a verification succeeds, in milliseconds.
    pub verification_delay: i64,
    /// How long a verification searches, and how long lost records are forgiven, in milliseconds: 72 hours at AWS.
    pub verification_patience: i64,
    /// What AWS leaves open.
    pub choices: Choices,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            verification_delay: 0,
            verification_patience: 72 * 60 * 60 * 1000,
            choices: Choices::default(),
        }
    }
}

/// Where AWS's documentation and what people have seen differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Choices {
    /// Whether an identity policy is refused until its identity is verified (the model's text says so, practice does not).
    pub policies_need_verification: bool,
    /// Whether a changed key length brings new DKIM tokens, as probes have shown.
    pub key_length_changes_tokens: bool,
    /// Whether an all-null suppression Put returns a set to inheriting; otherwise it reads back as `[]`.
    pub empty_suppression_inherits: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            policies_need_verification: false,
            key_length_changes_tokens: true,
            empty_suppression_inherits: true,
        }
    }
}
