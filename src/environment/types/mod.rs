//! The environment file as Rust types: what every key means, and what leaving it out means.
//!
//! The field documentation here is what a user reads: it becomes the descriptions of the JSON Schema. Invariant:
//! every field left out has one documented meaning, and a value of these types has passed every check.

mod account;
mod alarms;
mod configuration_set;
mod dmarc;
mod event_destination;
mod identity;
mod ignored;
mod messaging;
mod production_access;
mod send_policy;

pub use account::{Account, AccountVdm};
pub use alarms::{
    Alarm, Alarms, Comparison, LowSamples, Metric, MissingData, PackAlarm, Query, QuerySource,
    Watched,
};
pub use configuration_set::{
    ConfigurationSet, HttpsPolicy, SuppressionReason, SuppressionScope, TlsPolicy, Tracking,
    Validation, ValidationThreshold, Vdm,
};
pub use dmarc::{Alignment, AlignmentMode, Dmarc, DmarcPolicy, FailureOption, PublicSuffix};
pub use event_destination::{
    Dimension, DimensionSource, EventDestination, EventTarget, EventType, Firehose,
};
pub use identity::{
    Dkim, DnsMode, EasyKey, Identity, MailFrom, OnMxFailure, PublicKey, SecretSource, SendAction,
    SendingAuthorization,
};
pub use ignored::{
    AlarmField, DestinationField, IdentityField, QueueField, SendPolicyField, SetField,
    SubscriptionField, TopicField,
};
pub use messaging::{DeadLetter, Encryption, Endpoint, FilterScope, Queue, Subscription, Topic};
pub use production_access::{ContactLanguage, MailType, ProductionAccess, QuotaWanted, Statement};
pub use send_policy::{Attach, SendPolicy};

use super::names::{
    AccountId, DomainName, FileName, IdentityName, ProjectName, QueueName, Region, RoleArn,
    SendPolicyName, SetName, TagKey, TagPattern, TagValue, TopicName, ZoneId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The tags of a resource: keys to values. At most 40, beside those that sesinfra needs for itself.
pub type Tags = BTreeMap<TagKey, TagValue>;

/// One environment: one AWS account, one Region, and the transactional e-mail set up there.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sesinfra environment")]
pub struct Settings {
    /// The environment file underneath this one, by its name without `.toml`. Tables merge, arrays and values
    /// replace, and the text `"unset"` removes what the file underneath says. Left out: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<FileName>,

    /// The project that all environments of one product share. It marks ownership: changing it is a rename of
    /// everything. Lower-case letters, digits and `-`.
    pub project: ProjectName,

    /// Whether changes that stop mail or cannot be undone are refused unless they are named on the command line.
    /// Left out: false.
    #[serde(default)]
    pub protect: bool,

    /// The AWS account and Region of this environment.
    pub aws: Aws,

    /// Tags put on everything that takes tags; a resource's own tags win over these. Left out: none.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "tag-key" }))]
    pub tags: Tags,

    /// Tags that others (tag policies, tools for cost) put on what is made here: keys, or what keys start with and `*`. They
    /// are neither shown nor removed, and are on a resource that is made anew as they were on the old one. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore_tags: BTreeSet<TagPattern>,

    /// Route 53 hosted zones that need an id (two zones of one name) or a role (a zone in another account). A zone
    /// that needs neither is found by itself. Left out: every zone is found in this account.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "domain" }))]
    pub zones: BTreeMap<DomainName, Zone>,

    /// Settings of the whole account in this Region, which belong to no environment. Left out: none is touched.
    #[serde(default)]
    pub account: Account,

    /// The domains and addresses that mail is sent from. Left out: none.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "identity-name" }))]
    pub identities: BTreeMap<IdentityName, Identity>,

    /// The configuration sets: how mail is delivered, and where its events go. Left out: none.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "set-name" }))]
    pub configuration_sets: BTreeMap<SetName, ConfigurationSet>,

    /// The SNS topics that receive events. Left out: none.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "topic-name" }))]
    pub topics: BTreeMap<TopicName, Topic>,

    /// The SQS queues that topics deliver to. Left out: none.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "queue-name" }))]
    pub queues: BTreeMap<QueueName, Queue>,

    /// CloudWatch alarms: a pack that watches over mail, and others. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms: Option<Alarms>,

    /// Who may send, from which addresses: each becomes one IAM managed policy with no right beyond that.
    /// Left out: none.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "send-policy-name" }))]
    pub send_policies: BTreeMap<SendPolicyName, SendPolicy>,
}

/// The AWS account and Region of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    /// The account id, 12 digits in quotes. Credentials of any other account are refused.
    pub account: AccountId,

    /// The Region, such as `us-east-1`. Identities, sets, sandbox status and quotas exist per Region.
    pub region: Region,

    /// The ARN of a role to assume for the run. Left out: the credentials are used as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleArn>,
}

/// A Route 53 hosted zone that is not simply found by its name in this account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// The id of the zone, needed where two public zones have the name. Left out: the zone is found by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ZoneId>,

    /// The ARN of the role to assume for this zone's records, for a zone in another account. Left out: the
    /// environment's own credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleArn>,
}

/// The default of a switch that is on unless the file turns it off.
const fn on() -> bool {
    true
}
