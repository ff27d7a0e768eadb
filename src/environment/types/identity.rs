//! `[identities."NAME"]`: a domain or an address, how it is proven, signed and answered.

use super::{Dmarc, IdentityField, Tags, on};
use crate::environment::names::{
    DomainName, FromPattern, IdentityName, IdentityPolicyName, MailFromName, NameError, Principal,
    Region, Selector, SetReference, ZoneReference, text_name,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A domain, or an address (a name with an `@`), that mail is sent from.
///
/// A domain covers its addresses and subdomains; the most specific identity decides which settings a mail gets.
/// An address is verified by a person who follows the link in a mail, and takes no DKIM, DMARC or DNS of its own.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The configuration set for mail that names none: one of this file, or an ARN. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_set: Option<SetReference>,

    /// How mail from the domain is signed. Left out: Easy DKIM with a 2,048-bit key. Domains only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim: Option<Dkim>,

    /// Whether DKIM signing is on. Left out: true.
    #[serde(default = "on")]
    pub signing: bool,

    /// The domain of the envelope sender, where bounces go and SPF is checked. Left out: a subdomain of
    /// amazonses.com, which passes SPF but does not align with the From domain for DMARC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<MailFrom>,

    /// The DMARC record of the domain. Left out: sesinfra publishes none and touches none. Domains only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Dmarc>,

    /// Whether SES mails bounces and complaints to the sender. SES does so anyway as long as no event destination or
    /// topic receives them. Left out: true.
    #[serde(default = "on")]
    pub feedback_forwarding: bool,

    /// Sending authorization: who else may send as this identity. Up to 20, by name. Left out: nobody else.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "identity-policy-name" }))]
    pub policies: BTreeMap<IdentityPolicyName, SendingAuthorization>,

    /// Tags of this identity, beside those of the environment. Left out: only the environment's.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "tag-key" }))]
    pub tags: Tags,

    /// Who writes the DNS records. Left out: `route53`. Domains only, save for the records of a MAIL FROM.
    #[serde(default)]
    pub dns: DnsMode,

    /// The hosted zone for the records: its name, or its id. Left out: the zone with the longest matching name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneReference>,

    /// As `protect` of the environment, for this identity alone and all that belongs to it. Left out: as the environment says.
    /// What was protected stays so when it is taken out of the file: it must be named on the command line to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect: Option<bool>,

    /// Settings that others may change, by their names here. A plan never shows them, and an update leaves them as they
    /// are; a value given here is used once, when the identity is made. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<IdentityField>,
}

/// How mail from a domain is signed: `{ key = "rsa-2048" }` for Easy DKIM, `{ selector = "s1", private_key = {...} }`
/// for a key of one's own, or `{ replica_of = "eu-west-1" }` for the key of the same domain in another Region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Dkim {
    /// Easy DKIM: SES makes and rotates the keys.
    Easy {
        /// The length of the key. SES allows one change of length in 24 hours.
        key: EasyKey,
    },
    /// A key of one's own (BYODKIM), RSA of 1,024 to 2,048 bits.
    External {
        /// The selector: the record is `SELECTOR._domainkey.DOMAIN`. One label, without dots.
        selector: Selector,
        /// Where the private key is read from when it is needed; never written in this file.
        private_key: SecretSource,
        /// The public key in base64, for a plan made where the private key is not at hand; apply refuses a pair
        /// that does not match. Left out: derived from the private key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public_key: Option<PublicKey>,
    },
    /// The key of the same domain in another Region of this account (Deterministic Easy DKIM); needs no records.
    Replica {
        /// The Region whose identity has the key. That identity must use Easy DKIM and be no replica itself.
        replica_of: Region,
    },
}

impl Default for Dkim {
    fn default() -> Self {
        Self::Easy { key: EasyKey::Rsa2048 }
    }
}

/// The length of an Easy DKIM key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum EasyKey {
    /// RSA with 2,048 bits.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// RSA with 1,024 bits.
    #[serde(rename = "rsa-1024")]
    Rsa1024,
}

/// Where a secret is read from at the moment it is needed: exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// The name of a variable in the process environment.
    Env(String),
    /// The path of a file, relative to the project root.
    File(PathBuf),
    /// The name of an SSM parameter (a `SecureString`).
    Ssm(String),
    /// The name or ARN of a secret in Secrets Manager.
    Secret(String),
}

text_name! {
    /// A public key as base64 on one line, without the PEM frame.
    PublicKey, "public-key", |text| {
        let body: String = text.lines().filter(|line| !line.starts_with("-----")).flat_map(str::split_whitespace).collect();
        let padded = body.trim_end_matches('=');
        let right = padded.chars().all(|character| character.is_ascii_alphanumeric() || "+/".contains(character));
        let right = right && body.len() - padded.len() <= 2 && (100..=1_000).contains(&body.len());
        match right && is_public(&body) {
            true => Ok(body),
            false => Err(NameError {
                reason: "is not a public key in base64".to_owned(),
                remedy: "write the output of `openssl rsa -pubout` without its first and last line".to_owned(),
            }),
        }
    }
}

/// The domain of the envelope sender.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailFrom {
    /// One label (`mail` means `mail.DOMAIN`), or the full name. It must be under the identity's domain, and should
    /// neither receive mail nor be used as a From domain.
    pub subdomain: MailFromName,

    /// What SES does while the MX record is missing: send from a subdomain of amazonses.com, or refuse to send.
    /// Left out: `use-default`.
    #[serde(default)]
    pub on_mx_failure: OnMxFailure,
}

impl MailFrom {
    /// The full MAIL FROM name for this identity. Fails only where the composed name is too long for DNS.
    pub fn domain(&self, identity: &IdentityName) -> Result<DomainName, NameError> {
        self.subdomain.under(identity.domain())
    }
}

/// What SES does while the MX record of the MAIL FROM domain is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnMxFailure {
    /// Send with a subdomain of amazonses.com as MAIL FROM.
    #[default]
    UseDefault,
    /// Refuse the message.
    Reject,
}

/// Who writes the DNS records of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DnsMode {
    /// sesinfra, in a Route 53 hosted zone.
    #[default]
    Route53,
    /// Somebody else: the plan prints the records and shows which are there.
    Manual,
}

/// Permission for other accounts, roles or users to send as this identity.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendingAuthorization {
    /// Who may send: account ids, or ARNs of roles or users. At least one.
    #[schemars(length(min = 1))]
    pub principals: BTreeSet<Principal>,

    /// What they may call. Left out: `send-email` and `send-raw-email`.
    #[serde(default = "send_and_send_raw")]
    #[schemars(length(min = 1))]
    pub actions: BTreeSet<SendAction>,

    /// The From addresses they may use, `*` standing for any characters. Left out: every address of the identity.
    #[serde(default)]
    pub from: BTreeSet<FromPattern>,
}

/// A call that a sending-authorization policy may allow.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SendAction {
    /// `ses:SendEmail`.
    SendEmail,
    /// `ses:SendRawEmail`, which SMTP and the raw content of API v2 need.
    SendRawEmail,
    /// `ses:SendTemplatedEmail`.
    SendTemplatedEmail,
    /// `ses:SendBulkTemplatedEmail`.
    SendBulkTemplatedEmail,
}

fn send_and_send_raw() -> BTreeSet<SendAction> {
    BTreeSet::from([SendAction::SendEmail, SendAction::SendRawEmail])
}

/// Whether what base64 of DER begins with is a public key as DKIM publishes it (a `SubjectPublicKeyInfo`, RFC 5280: a
/// sequence in a sequence) and no private one, which a number begins: published by mistake, anybody could sign with it.
fn is_public(body: &str) -> bool {
    const SEQUENCE: u8 = 0x30;
    let start = body.get(..12).and_then(|start| STANDARD.decode(start).ok()).unwrap_or_default();
    let length = start.get(1).copied().unwrap_or_default();
    let inner = if length < 0x80 { 2 } else { 2 + usize::from(length & 0x7f) };
    start.first() == Some(&SEQUENCE) && start.get(inner) == Some(&SEQUENCE)
}
