//! `[account]`: settings that AWS keeps once for the whole account and Region.
//!
//! Invariant: a key that is left out is not touched. Such settings have no owner: other projects of the same account rely
//! on them too, so only what is said here is changed, and nothing is put back when it is no longer said.

use super::{ProductionAccess, QuotaWanted, SuppressionReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Settings of the whole account in this Region. They belong to no environment: what is left out is not touched, and what
/// is no longer said stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// What puts an address on the account's suppression list, and keeps mail of every set from going to it that does
    /// not say otherwise. `[]` turns suppression off. Left out: not touched; AWS's default is both reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppress: Option<BTreeSet<SuppressionReason>>,

    /// Whether the account sends at all: `false` pauses all mail of the account in this Region. A pause that AWS itself
    /// imposed is not lifted by `true`. Left out: not touched; AWS's default is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<bool>,

    /// The Virtual Deliverability Manager, which costs extra for every message. Left out: not touched; AWS's default is
    /// off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vdm: Option<AccountVdm>,

    /// Whether new dedicated IP addresses get their share of the mail little by little. Left out: not touched; AWS's
    /// default is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedicated_ip_warmup: Option<bool>,

    /// The request for production access. Left out: the environment makes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production_access: Option<ProductionAccess>,

    /// How much the environment needs to send. Left out: what is granted is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaWanted>,
}

/// The Virtual Deliverability Manager of the account. A set may say otherwise for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountVdm {
    /// Whether it is on.
    pub enabled: bool,

    /// Whether opens and clicks are counted in the dashboard. Only while it is on. Left out: not touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagement: Option<bool>,

    /// Whether SES chooses the shared IP by the receiver. Only while it is on. Left out: not touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimized_delivery: Option<bool>,
}
