//! What SES knows, per account and Region; all of it can be saved and read back.
//!
//! Nothing is shared between Regions. What crosses them (replicas of Easy DKIM keys) is looked up, never copied.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::contacts::ContactList;
use super::identities::Identity;
use super::ledger::Ledger;
use super::pools::Pool;
use super::sets::ConfigurationSet;
use super::suppression::Suppressed;
use super::templates::{Template, VerificationTemplate};
use super::tenants::Tenant;

/// Tags of one resource.
pub(super) type Tags = BTreeMap<String, String>;

/// All accounts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By account, then Region.
    pub(super) accounts: BTreeMap<String, BTreeMap<String, Regional>>,
    /// Counts what was made, so that nothing made again gets what the first one had.
    pub(super) made: u64,
}

/// One account in one Region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Regional {
    pub(super) account: Account,
    pub(super) identities: BTreeMap<String, Identity>,
    pub(super) sets: BTreeMap<String, ConfigurationSet>,
    pub(super) pools: BTreeMap<String, Pool>,
    pub(super) tenants: BTreeMap<String, Tenant>,
    pub(super) suppressed: BTreeMap<String, Suppressed>,
    pub(super) contact_list: Option<ContactList>,
    pub(super) templates: BTreeMap<String, Template>,
    pub(super) verification_templates: BTreeMap<String, VerificationTemplate>,
    pub(super) ledger: Ledger,
    /// How many keys were made for an identity of each name, those that are gone included.
    pub(super) keys_made: BTreeMap<String, u64>,
}

impl State {
    /// One account in one Region, which every account has from the start.
    pub(super) fn regional(&mut self, place: &Place) -> &mut Regional {
        let regions = self.accounts.entry(place.account.clone()).or_default();
        regions.entry(place.region.clone()).or_default()
    }

    /// The same, only to look.
    pub(super) fn look(&self, account: &str, region: &str) -> Option<&Regional> {
        self.accounts.get(account)?.get(region)
    }
}

/// An account and a Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
}

impl Place {
    /// The partition of the Region.
    pub(super) fn partition(&self) -> &'static str {
        match self.region.get(..3) {
            Some("cn-") => "aws-cn",
            Some("us-") if self.region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// The ARN of a thing of SES here, such as `identity/example.com`.
    pub(super) fn arn(&self, resource: &str) -> String {
        self.arn_of("ses", resource)
    }

    /// The ARN of a thing of another service here.
    pub(super) fn arn_of(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }
}

/// The parts of an ARN.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arn<'a> {
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    pub(super) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition) = (parts.next()?, parts.next()?);
        let parsed = Self {
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        (arn == "arn" && partition.starts_with("aws") && !parsed.resource.is_empty())
            .then_some(parsed)
    }
}
