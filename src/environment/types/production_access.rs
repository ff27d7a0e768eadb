//! `[account.production_access]` and `[account.quota]`: what AWS is asked for, and what reviewers are told.

use crate::environment::names::{EmailAddress, HttpsUrl, Percent, RelativePath};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The request to let the account out of the SES sandbox, made by `sesinfra access ENV --request` and by nothing else:
/// mail type, website, contacts, and the use case (exactly one of `statement` and `statement_file`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ProductionAccess {
    /// What is mostly sent.
    pub mail_type: MailType,

    /// The website that the mail belongs to, on the domain that it is sent from.
    pub website: HttpsUrl,

    /// The language in which AWS writes back. Left out: `en`.
    #[serde(default)]
    pub language: ContactLanguage,

    /// Who else is told of the review: 1 to 4 addresses.
    #[schemars(length(min = 1))]
    pub contacts: BTreeSet<EmailAddress>,

    /// The use case.
    #[serde(flatten)]
    pub statement: Statement,

    /// Where readers turn off mail that they need not get. Left out: there is no such place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<HttpsUrl>,

    /// A file with a mail as it is sent, for `{{sample_mail}}` in the statement. Named as `statement_file` is. Left out:
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_mail_file: Option<RelativePath>,
}

/// What is mostly sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailType {
    /// Mail that a reader's own doing brings about: verifications, receipts, notices.
    Transactional,
    /// Mail that is sent to many: newsletters, offers.
    Marketing,
}

/// The language of the support case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContactLanguage {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// Where the use case is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// Here.
    Statement(String),
    /// In a Markdown file in the folder of the environment files. `{{domains}}` and the like are filled in; what follows
    /// a line `<!-- for the support case -->` is not sent with the request.
    StatementFile(RelativePath),
}

/// How much the environment needs to send. AWS may grant more by itself, so these are the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaWanted {
    /// Recipients in 24 hours.
    #[schemars(range(min = 1))]
    pub daily: u32,

    /// Recipients a second.
    #[schemars(range(min = 1))]
    pub per_second: u32,

    /// The share of the daily quota from which on `quota` and `status` warn. Left out: `80%`.
    #[serde(default = "QuotaWanted::default_warn_at")]
    pub warn_at: Percent,
}

impl QuotaWanted {
    /// The share from which on there is a warning, unless the file says another.
    #[must_use]
    pub const fn default_warn_at() -> Percent {
        Percent::from_millionths(800_000)
    }
}
