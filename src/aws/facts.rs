//! What is true of the account before any plan, read once: everything a blueprint needs, so that it makes no call.

use std::collections::{BTreeMap, BTreeSet};

use super::connect::ConnectError;
use super::{Arns, AwsError, Class, HostedZone, Neighbours, Owner, Quota, Session, Zones, failed};
use crate::environment::Environment;
use crate::environment::names::{IdentityName, RoleArn};
use crate::environment::types::{Dkim, DnsMode, PackAlarm, Settings};

/// What a blueprint needs to know of AWS.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Every ARN.
    pub arns: Arns,
    /// Whose everything will be.
    pub owner: Owner,
    /// The public hosted zones within reach.
    pub zones: Zones,
    /// The public key, in base64, of each identity that signs with a key of its own.
    pub keys: BTreeMap<IdentityName, String>,
    /// What the other environment files of the project say.
    pub neighbours: Neighbours,
    /// The daily sending quota, where an alarm watches it.
    pub daily_quota: Option<Quota>,
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
) -> Result<Facts, ConnectError> {
    let settings = &environment.settings;
    let keys = public_keys(settings, session).await?;
    let zones = zones(settings, session).await?;
    session.remember_zones(zones.clone());
    let daily_quota = match watches_quota(settings) {
        true => super::sending_quotas(session).await?.daily,
        false => None,
    };
    let (arns, owner) = (session.arns.clone(), session.owner.clone());
    let neighbours = session.neighbours().clone();
    Ok(Facts { arns, owner, zones, keys, neighbours, daily_quota })
}

async fn public_keys(
    settings: &Settings,
    session: &Session,
) -> Result<BTreeMap<IdentityName, String>, ConnectError> {
    let mut keys = BTreeMap::new();
    for (name, identity) in &settings.identities {
        let Some(Dkim::External { private_key, public_key, .. }) = &identity.dkim else { continue };
        let key = if let Some(key) = public_key {
            key.to_string()
        } else {
            let key = session.private_key(private_key).await;
            key.map_err(|source| ConnectError::Key { identity: name.clone(), source })?.public_key()
        };
        keys.insert(name.clone(), key);
    }
    Ok(keys)
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
    let is_chosen = |zone: &HostedZone| {
        let named = settings.zones.iter().find(|(name, _)| name.as_str() == zone.name);
        match named {
            Some((_, wanted)) => {
                wanted.role == zone.role
                    && wanted.id.as_ref().is_none_or(|id| id.as_str() == zone.id)
            }
            None => zone.role.is_none(),
        }
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
        }));
    }
    Ok(zones)
}
