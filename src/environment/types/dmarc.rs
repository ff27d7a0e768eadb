//! `dmarc` of an identity: the fields of a DMARC record as RFC 9989 defines them, in words.
//!
//! The tags `pct`, `rf` and `ri` of the older RFC 7489 are gone from the standard and have no field here.

use crate::environment::names::EmailAddress;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The DMARC record at `_dmarc.DOMAIN`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dmarc {
    /// What receivers do with mail that fails: `none`, `quarantine` or `reject` (tag `p`).
    pub policy: DmarcPolicy,

    /// The policy for subdomains that exist (tag `sp`). Left out: as `policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdomain_policy: Option<DmarcPolicy>,

    /// The policy for subdomains that do not exist (tag `np`). Left out: as `subdomain_policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_existent_subdomain_policy: Option<DmarcPolicy>,

    /// Whether receivers should apply the policy one step weaker while it is tried out (tag `t`). Left out: false.
    #[serde(default)]
    pub testing: bool,

    /// The addresses that get the daily aggregate reports (tag `rua`). Left out: nobody does.
    #[serde(default)]
    pub reports_to: BTreeSet<EmailAddress>,

    /// The addresses that get reports on single messages (tag `ruf`). Left out: nobody does.
    #[serde(default)]
    pub failure_reports_to: BTreeSet<EmailAddress>,

    /// When a report on a single message is made (tag `fo`). Left out: when nothing passes and aligns (`all`).
    #[serde(default)]
    pub failure_options: BTreeSet<FailureOption>,

    /// How closely the signing and envelope domains must match the From domain. Left out: relaxed.
    #[serde(default)]
    pub alignment: Alignment,

    /// Whether this is the domain of a public suffix operator (tag `psd`). Left out: receivers find out themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_suffix: Option<PublicSuffix>,
}

/// A DMARC policy, from weak to strong.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DmarcPolicy {
    /// Deliver, and report.
    None,
    /// Treat as suspicious.
    Quarantine,
    /// Refuse.
    Reject,
}

/// How closely a domain must match the From domain, for DKIM and for SPF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alignment {
    /// For the domain that DKIM signed with (tag `adkim`). Left out: `relaxed`.
    #[serde(default)]
    pub dkim: AlignmentMode,
    /// For the MAIL FROM domain that SPF passed for (tag `aspf`). Left out: `relaxed`.
    #[serde(default)]
    pub spf: AlignmentMode,
}

/// A mode of alignment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlignmentMode {
    /// The organisational domains must be equal.
    #[default]
    Relaxed,
    /// The domains must be equal.
    Strict,
}

/// When a report on a single message is made.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum FailureOption {
    /// No mechanism passes and aligns (`0`).
    All,
    /// Any mechanism fails to pass and align (`1`).
    Any,
    /// A DKIM signature fails, aligned or not (`d`).
    Dkim,
    /// SPF fails, aligned or not (`s`).
    Spf,
}

/// Whether a domain is a public suffix (tag `psd`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PublicSuffix {
    /// It is: registrations happen under it (`y`).
    Yes,
    /// It is not, and it is the organisational domain (`n`).
    No,
}
