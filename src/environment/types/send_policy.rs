//! `[send_policies.NAME]`: who may send, from which addresses.

use super::{SendPolicyField, Tags};
use crate::environment::names::{FromPattern, IamName, IamPath, IdentityReference, SetReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A right to send, as one IAM managed policy called `PROJECT-ENVIRONMENT-NAME`: `ses:SendEmail` and
/// `ses:SendRawEmail` with the identities and sets below, from the addresses below, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendPolicy {
    /// The From addresses, `*` standing for any characters: `*@example.com`, `billing@example.com`,
    /// `*@*.example.com` for the subdomains. At least one. Compared with case.
    #[schemars(length(min = 1))]
    pub from: BTreeSet<FromPattern>,

    /// The identities that may be used: names of this file, or ARNs. Left out: the identities of this file that mail
    /// from the addresses in `from` is sent with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub identities: Option<BTreeSet<IdentityReference>>,

    /// The configuration sets that may be used: names of this file, or ARNs; `[]` for none. Left out: the default
    /// sets of the identities. SES refuses a mail whose set, default or not, is not among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_sets: Option<BTreeSet<SetReference>>,

    /// Who gets the right. Left out: nobody; the policy is made and attached to nothing.
    #[serde(default)]
    pub attach: Attach,

    /// The IAM path of the policy. Changing it replaces the policy. Left out: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<IamPath>,

    /// As `protect` of the environment, for this policy alone and all that belongs to it. Left out: as the environment says.
    /// What was protected stays so when it is taken out of the file: it must be named on the command line to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect: Option<bool>,

    /// Tags of this policy, beside those of the environment. Left out: only the environment's.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "tag-key" }))]
    pub tags: Tags,

    /// Settings that others may change, by their names here. A plan never shows them, and an update leaves them as they
    /// are; a value given here is used once, when the policy is made. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<SendPolicyField>,
}

/// What a policy is attached to: roles, users and groups of this account, made elsewhere, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attach {
    /// Names of roles. Left out: none.
    #[serde(default)]
    pub roles: BTreeSet<IamName>,
    /// Names of users. Left out: none.
    #[serde(default)]
    pub users: BTreeSet<IamName>,
    /// Names of groups. Left out: none.
    #[serde(default)]
    pub groups: BTreeSet<IamName>,
}
