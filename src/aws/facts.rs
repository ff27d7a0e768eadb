//! What is true of the account before any plan, read once: everything a blueprint needs, so that it makes no call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::connect::ConnectError;
use super::private_key::SecretError;
use super::{Arns, AwsError, Class, HostedZone, Neighbours, Owner, Quota, Session, Zones, failed};
use crate::environment::Environment;
use crate::environment::names::{IdentityName, RoleArn};
use crate::environment::types::{Dkim, DnsMode, PackAlarm, Settings};

/// What a blueprint needs to know of AWS.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Every ARN.
    pub arns: Arns,
    /// Whose everything will be.
    pub owner: Owner,
    /// The public hosted zones within reach.
    pub zones: Zones,
    /// The public key, in base64, of each identity that signs with a key of its own, as far as they are known.
    pub keys: BTreeMap<IdentityName, String>,
    /// Why the others are not known, where they were looked for.
    pub missing_keys: BTreeMap<IdentityName, Arc<MissingKey>>,
    /// What the other environment files of the project say.
    pub neighbours: Neighbours,
    /// The daily sending quota, where an alarm watches it.
    pub daily_quota: Option<Quota>,
}

#[cfg(test)]
impl Facts {
    /// Those of the environment `prod` of the project `pivot`, in an account with nothing in it.
    pub(crate) fn of_an_empty_account() -> Self {
        use crate::environment::names::{AccountId, FileName, ProjectName, Region};
        let account = AccountId::parse("123456789012").unwrap();
        let arns = Arns::new(account, Region::parse("us-east-1").unwrap());
        let project = ProjectName::parse("pivot").unwrap();
        let owner = Owner::new(project, FileName::parse("prod").unwrap(), &arns);
        Self {
            arns,
            owner,
            zones: Zones::default(),
            keys: BTreeMap::new(),
            missing_keys: BTreeMap::new(),
            neighbours: Neighbours::default(),
            daily_quota: None,
        }
    }
}

/// Whether private keys are read, for the sake of their public halves that the file does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateKeys {
    /// As far as they are at hand: their public halves are published.
    Read,
    /// Not at all: nothing is published.
    Untouched,
}

/// The public key of an identity that signs with a key of its own is not known.
#[derive(Debug, thiserror::Error)]
#[error("{identity}: no public key for DKIM")]
pub struct MissingKey {
    /// The identity.
    pub identity: IdentityName,
    /// Why the private key gives none.
    pub source: SecretError,
}

impl MissingKey {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        "write `public_key` beside `private_key` for plans that are made where the private key is not"
    }
}

/// Whether an alarm of the file watches the daily sending quota.
#[must_use]
pub fn watches_quota(settings: &Settings) -> bool {
    settings.alarms.as_ref().is_some_and(|alarms| !alarms.without.contains(&PackAlarm::DailyQuota))
}

/// Reads the facts of `environment`.
pub(super) async fn gather(
    environment: &Environment,
    session: &Session,
    private_keys: PrivateKeys,
) -> Result<Facts, ConnectError> {
    let settings = &environment.settings;
    let (keys, missing_keys) = public_keys(settings, session, private_keys).await;
    let zones = zones(settings, session).await?;
    session.remember_zones(zones.clone());
    let daily_quota = match watches_quota(settings) {
        true => super::sending_quotas(session).await?.daily,
        false => None,
    };
    let (arns, owner) = (session.arns.clone(), session.owner.clone());
    let neighbours = session.neighbours().clone();
    Ok(Facts { arns, owner, zones, keys, missing_keys, neighbours, daily_quota })
}

type Keys = (BTreeMap<IdentityName, String>, BTreeMap<IdentityName, Arc<MissingKey>>);

/// The public keys, and why there are not more of them.
async fn public_keys(settings: &Settings, session: &Session, private_keys: PrivateKeys) -> Keys {
    let (mut keys, mut missing) = Keys::default();
    for (name, identity) in &settings.identities {
        let Some(Dkim::External { private_key, public_key, .. }) = &identity.dkim else { continue };
        if let Some(key) = public_key {
            keys.insert(name.clone(), key.to_string());
        } else if private_keys == PrivateKeys::Read {
            match session.private_key(private_key).await {
                Ok(key) => {
                    keys.insert(name.clone(), key.public_key());
                }
                Err(source) => {
                    let why = MissingKey { identity: name.clone(), source };
                    missing.insert(name.clone(), Arc::new(why));
                }
            }
        }
    }
    (keys, missing)
}

/// The zones of this account, and those of other accounts that the file names a role for.
async fn zones(settings: &Settings, session: &Session) -> Result<Zones, AwsError> {
    let own = list_zones(session, None).await;
    let own = match own {
        // Credentials that may not see zones are no hindrance where nothing is published.
        Err(error) if error.is(Class::Denied) && !publishes(settings) => {
            return Ok(Zones::default());
        }
        other => other?,
    };
    let roles: BTreeSet<&RoleArn> =
        settings.zones.values().filter_map(|zone| zone.role.as_ref()).collect();
    let mut all = own;
    for role in roles {
        all.extend(list_zones(session, Some(role)).await?);
    }
    Ok(Zones::new(chosen(settings, all)))
}

/// Whether sesinfra writes DNS records for this environment.
fn publishes(settings: &Settings) -> bool {
    let tracking = settings.configuration_sets.values().filter_map(|set| set.tracking.as_ref());
    settings.identities.values().any(|identity| identity.dns == DnsMode::Route53)
        || tracking.into_iter().any(|tracking| tracking.dns == DnsMode::Route53)
}

/// Leaves out what the file decides against: a zone of another account is used only where the file names its role,
/// and then instead of one of the same name here; and an id decides between zones of one name.
fn chosen(settings: &Settings, zones: Vec<HostedZone>) -> Vec<HostedZone> {
    let named: BTreeMap<&str, _> =
        settings.zones.iter().map(|(name, wanted)| (name.as_str(), wanted)).collect();
    let is_chosen = |zone: &HostedZone| match named.get(zone.name.as_str()) {
        Some(wanted) => {
            wanted.role == zone.role && wanted.id.as_ref().is_none_or(|id| id.as_str() == zone.id)
        }
        None => zone.role.is_none(),
    };
    zones.into_iter().filter(is_chosen).collect()
}

async fn list_zones(
    session: &Session,
    role: Option<&RoleArn>,
) -> Result<Vec<HostedZone>, AwsError> {
    let route53 = session.route53_for(role).await?;
    let place = role.map_or_else(|| "of this account".to_owned(), |role| format!("as {role}"));
    let mut pages = route53.list_hosted_zones().into_paginator().send();
    let mut zones = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed("route53:ListHostedZones", &place))?;
        let public = page.hosted_zones.into_iter().filter(|zone| {
            // SES and receivers look names up in public DNS.
            zone.config.as_ref().is_none_or(|config| !config.private_zone)
        });
        zones.extend(public.map(|zone| HostedZone {
            id: zone.id.trim_start_matches("/hostedzone/").to_owned(),
            name: zone.name.trim_end_matches('.').to_ascii_lowercase(),
            role: role.cloned(),
            sets: zone.resource_record_set_count.and_then(|count| count.try_into().ok()),
        }));
    }
    Ok(zones)
}
