//! The hosted zones in which an environment's records go: those that its file names, and for every other domain the
//! zone of the name that was registered.

use std::collections::BTreeSet;

use fakecloud_route53::build_hosted_zone;
use sesinfra::environment::names::{DomainName, ZoneId, ZoneReference};
use sesinfra::environment::types::{DnsMode, Settings};

use super::Place;

pub(super) fn seed(place: &Place<'_>, settings: &Settings) {
    for (name, zone) in &settings.zones {
        let role = zone.role.as_ref().map(ToString::to_string);
        let owner =
            role.as_deref().and_then(|role| role.split(':').nth(4)).unwrap_or(place.account);
        ensure(place, owner, name.as_str(), zone.id.as_ref().map(ZoneId::as_str));
    }
    let mut domains = BTreeSet::new();
    for (name, identity) in &settings.identities {
        if identity.dns != DnsMode::Route53 || name.is_address() {
            continue;
        }
        match &identity.zone {
            Some(ZoneReference::Name(zone)) => ensure(place, place.account, zone.as_str(), None),
            Some(ZoneReference::Id(id)) => {
                ensure(place, place.account, registered(name.domain().as_str()), Some(id.as_str()));
            }
            None => {
                domains.insert(name.domain());
            }
        }
    }
    for set in settings.configuration_sets.values() {
        domains.extend(
            set.tracking
                .iter()
                .filter(|tracking| tracking.dns == DnsMode::Route53)
                .map(|tracking| &tracking.domain),
        );
    }
    let covered = |domain: &DomainName| settings.zones.keys().any(|zone| domain.is_within(zone));
    for domain in domains.into_iter().filter(|domain| !covered(domain)) {
        ensure(place, place.account, registered(domain.as_str()), None);
    }
}

/// Makes a public zone unless its account has it.
fn ensure(place: &Place<'_>, account: &str, name: &str, id: Option<&str>) {
    let mut accounts = place.world.route53.write();
    let full = format!("{name}.");
    let state = accounts.entry(account);
    let exists = match id {
        Some(id) => state.hosted_zones.contains_key(id),
        None => state.hosted_zones.values().any(|zone| zone.name == full && !zone.private_zone),
    };
    if exists {
        return;
    }
    let id = id.map_or_else(|| zone_id(account, name), str::to_owned);
    let zone = build_hosted_zone(&id, name, format!("local-{id}"), None, false, Vec::new(), None);
    state.hosted_zones.insert(id, zone);
}

/// The same zone has the same id on every machine, so that what is printed about it is the same too.
fn zone_id(account: &str, name: &str) -> String {
    // FNV-1a: short, stable, and nobody attacks a local cloud.
    let hash = account
        .bytes()
        .chain(*b"/")
        .chain(name.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("Z{hash:016X}LOCAL")
}

/// The name that was registered, with which a zone usually begins: two labels, or three below a country's second
/// level such as `co.uk`.
fn registered(domain: &str) -> &str {
    let dots: Vec<usize> = domain.match_indices('.').map(|(at, _)| at).collect();
    let labels: Vec<&str> = domain.split('.').collect();
    let country = labels.last().is_some_and(|last| last.len() == 2);
    let second = labels.iter().rev().nth(1).is_some_and(|label| {
        ["ac", "co", "com", "edu", "gob", "gov", "net", "ne", "or", "org"].contains(label)
    });
    let keep = if country && second { 3 } else { 2 };
    match dots.len().checked_sub(keep) {
        Some(at) => &domain[dots[at] + 1..],
        None => domain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_begins_at_the_registered_name() {
        assert_eq!(registered("pivot.app"), "pivot.app");
        assert_eq!(registered("mail.eu.pivot.app"), "pivot.app");
        assert_eq!(registered("mail.pivot.co.uk"), "pivot.co.uk");
        assert_eq!(registered("mail.pivot.io"), "pivot.io");
        assert_eq!(registered("app"), "app");
    }

    #[test]
    fn a_zone_has_one_id_everywhere() {
        assert_eq!(zone_id("1", "a"), zone_id("1", "a"));
        assert_ne!(zone_id("1", "a"), zone_id("2", "a"));
    }
}
