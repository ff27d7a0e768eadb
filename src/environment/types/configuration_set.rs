//! `[configuration_sets.NAME]`: how mail of a set is delivered, counted, suppressed and tracked.

use super::{DnsMode, EventDestination, SetField, Tags, on};
use crate::environment::names::{ArchiveArn, DestinationName, DomainName, PoolName, TimeSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A configuration set: a named group of delivery rules that mail is sent under.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationSet {
    /// Whether receiving servers must speak TLS. `require` drops mail for those that do not. Left out: `optional`.
    #[serde(default)]
    pub tls: TlsPolicy,

    /// The dedicated IP pool to send from, made elsewhere. Left out: the account's own pools or the shared ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolName>,

    /// How long SES tries to deliver a message: `5m` to `14h`. Left out: AWS's default, 14 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delivery: Option<TimeSpan>,

    /// Whether mail of this set is sent at all. Left out: true.
    #[serde(default = "on")]
    pub sending: bool,

    /// Whether bounce and complaint rates of this set go to CloudWatch. Left out: true.
    #[serde(default = "on")]
    pub reputation_metrics: bool,

    /// What puts an address on the suppression list, and keeps mail from going to it. `[]` turns suppression off for
    /// this set. Left out: inherit from the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppress: Option<BTreeSet<SuppressionReason>>,

    /// Whose suppression list is used. Needs `suppress`. Left out: inherit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppression_scope: Option<SuppressionScope>,

    /// Whether SES checks that an address can exist before it sends to it. Needs `suppress`. Left out: inherit from
    /// the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,

    /// The domain of links and open pixels, where `open` or `click` events rewrite them. Left out: awstrack.me.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,

    /// Virtual Deliverability Manager for this set. Left out: inherit from the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vdm: Option<Vdm>,

    /// The ARN of the Mail Manager archive that keeps a copy of everything sent. Left out: no copy is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveArn>,

    /// As `protect` of the environment, for this set alone and all that belongs to it. Left out: as the environment says.
    /// What was protected stays so when it is taken out of the file: it must be named on the command line to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect: Option<bool>,

    /// Tags of this set, beside those of the environment. Left out: only the environment's.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "tag-key" }))]
    pub tags: Tags,

    /// Where events of this set go: up to 10 destinations, by name. Left out: nowhere.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "destination-name" }))]
    pub events: BTreeMap<DestinationName, EventDestination>,

    /// Settings that others may change, by their names here. A plan never shows them, and an update leaves them as they
    /// are; a value given here is used once, when the set is made. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<SetField>,
}

/// Whether receiving servers must speak TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TlsPolicy {
    /// Use TLS where the receiver has it.
    #[default]
    Optional,
    /// Deliver only over TLS.
    Require,
}

/// What puts an address on the suppression list.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum SuppressionReason {
    /// A hard bounce.
    Bounce,
    /// A complaint.
    Complaint,
}

/// Whose suppression list is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuppressionScope {
    /// The account's.
    Account,
    /// The tenant's.
    Tenant,
}

/// Address validation before sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// How sure SES must be that an address can receive mail: `off` checks nothing, `managed` lets SES choose.
    pub threshold: ValidationThreshold,
}

/// How sure SES must be of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ValidationThreshold {
    /// No check.
    Off,
    /// At least medium confidence.
    Medium,
    /// High confidence.
    High,
    /// As SES sees fit.
    Managed,
}

/// A custom domain for links and open pixels.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    /// The domain that links lead through: a name under a verified domain of this account and Region, of its own.
    pub domain: DomainName,

    /// Which links use https. `require` and `require-open-only` need a `target` that answers for the domain with a
    /// certificate. Left out: `optional`.
    #[serde(default)]
    pub https: HttpsPolicy,

    /// Who writes the CNAME record of the domain. Left out: `route53`.
    #[serde(default)]
    pub dns: DnsMode,

    /// What the CNAME points to, for a CDN in front that passes the Host header on. Left out: AWS's
    /// `r.REGION.awstrack.me`, which answers over http only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<DomainName>,
}

/// Which tracked links use https.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HttpsPolicy {
    /// Links keep the protocol that they were written with; open pixels use http.
    #[default]
    Optional,
    /// Open pixels use https, links keep their protocol.
    RequireOpenOnly,
    /// Everything uses https.
    Require,
}

/// Virtual Deliverability Manager settings of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vdm {
    /// Whether opens and clicks are counted in the dashboard. Left out: inherit from the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagement: Option<bool>,

    /// Whether SES chooses the shared IP by the receiver. Left out: inherit from the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimized_delivery: Option<bool>,
}
