//! The words an environment file may contain, each parsed once into its own type.
//!
//! Invariant: a value of one of these types is valid and in normal form (a domain is lower-case and has no
//! trailing dot), so nothing downstream validates or normalises a name again. Every error says what is wrong
//! and what would be right.

mod addresses;
mod amazon;
mod domains;
mod labels;
mod metrics;
mod paths;
mod percent;
mod references;
mod time;

pub use addresses::{EmailAddress, FromPattern, IdentityName};
pub use amazon::{AccountId, Arn, IamPath, KeyReference, Principal, Region, RoleArn};
pub use domains::{DomainName, MailFromName};
pub use labels::{
    DestinationName, DimensionName, DimensionValue, DisplayName, FileName, IamName,
    IdentityPolicyName, PoolName, ProjectName, QueueName, Selector, SendPolicyName, SetName,
    TagKey, TagPattern, TagValue, TopicName,
};
pub use metrics::{AlarmAction, AlarmName, Description, MetricText, QueryId, Statistic};
pub use paths::RelativePath;
pub use percent::Percent;
pub use references::{
    ArchiveArn, EventBus, FunctionName, FunctionReference, HttpsUrl, IdentityReference,
    QueueReference, RoleReference, SetReference, StreamName, StreamReference, TopicReference,
    ZoneId, ZoneReference,
};
pub use time::TimeSpan;

pub(crate) use labels::text_name;

/// Why a text is not what it should be, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NameError {
    /// What is wrong, without the text itself: `has a label that starts with "-"`.
    pub reason: String,
    /// What would be right: `write it as "xn--..."`.
    pub remedy: String,
}

impl NameError {
    fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { reason: reason.into(), remedy: remedy.into() }
    }
}

/// A kind of text in the JSON Schema (its `format`), and the parser behind it.
pub struct Format {
    /// The `format` keyword in the schema.
    pub name: &'static str,
    /// What it is called in a sentence: `a domain name`.
    pub title: &'static str,
    /// The normal form of a text, by which two spellings of one name are found equal.
    pub normal: fn(&str) -> Result<String, NameError>,
}

/// Gives a type with `parse` and `Display` its serde and schema implementations, all through `parse`.
macro_rules! text_format {
    ($name:ident, $format:literal) => {
        impl std::str::FromStr for $name {
            type Err = $crate::environment::names::NameError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}
pub(crate) use text_format;

macro_rules! formats {
    ($($name:literal, $title:literal, $kind:ty;)*) => {
        /// Every text format that the schema mentions.
        pub static FORMATS: &[Format] = &[$(Format {
            name: $name,
            title: $title,
            normal: |text| <$kind>::parse(text).map(|name| name.to_string()),
        }),*];
    };
}

formats! {
    "account-id", "an AWS account id", AccountId;
    "alarm-action", "a topic or an ARN", AlarmAction;
    "alarm-name", "the name of an alarm", AlarmName;
    "archive-arn", "the ARN of a Mail Manager archive", ArchiveArn;
    "arn", "an ARN", Arn;
    "description", "a description", Description;
    "destination-name", "the name of an event destination", DestinationName;
    "dimension-name", "the name of a CloudWatch dimension", DimensionName;
    "dimension-value", "the value of a CloudWatch dimension", DimensionValue;
    "display-name", "a display name", DisplayName;
    "domain", "a domain name", DomainName;
    "email-address", "an e-mail address", EmailAddress;
    "encryption", "a way of encryption", crate::environment::types::Encryption;
    "event-bus", "an event bus", EventBus;
    "file-name", "the name of an environment file", FileName;
    "function-name", "the name of a Lambda function", FunctionName;
    "from-pattern", "a From address or pattern", FromPattern;
    "function", "a Lambda function", FunctionReference;
    "https-url", "an https URL", HttpsUrl;
    "iam-name", "the name of an IAM role, user or group", IamName;
    "iam-path", "an IAM path", IamPath;
    "identity", "an identity", IdentityReference;
    "identity-name", "a domain or an e-mail address", IdentityName;
    "identity-policy-name", "the name of an identity policy", IdentityPolicyName;
    "key", "a KMS key", KeyReference;
    "mail-from", "a MAIL FROM name", MailFromName;
    "metric-text", "a name that CloudWatch takes", MetricText;
    "percent", "a percentage", Percent;
    "pool-name", "the name of an IP pool", PoolName;
    "principal", "an AWS principal", Principal;
    "project-name", "a project name", ProjectName;
    "public-key", "a public key", crate::environment::types::PublicKey;
    "query-id", "the id of a query", QueryId;
    "queue", "a queue", QueueReference;
    "queue-name", "the name of a queue", QueueName;
    "region", "an AWS Region", Region;
    "relative-path", "a file beside the environment files", RelativePath;
    "role", "an IAM role", RoleReference;
    "role-arn", "the ARN of an IAM role", RoleArn;
    "selector", "a DKIM selector", Selector;
    "send-policy-name", "the name of a send policy", SendPolicyName;
    "set", "a configuration set", SetReference;
    "set-name", "the name of a configuration set", SetName;
    "statistic", "a statistic", Statistic;
    "stream", "a Firehose stream", StreamReference;
    "stream-name", "the name of a Firehose stream", StreamName;
    "tag-key", "a tag key", TagKey;
    "tag-pattern", "a tag key, or the start of some", TagPattern;
    "tag-value", "a tag value", TagValue;
    "time-span", "a length of time", TimeSpan;
    "topic", "a topic", TopicReference;
    "topic-name", "the name of a topic", TopicName;
    "zone", "a hosted zone", ZoneReference;
    "zone-id", "the id of a hosted zone", ZoneId;
}
