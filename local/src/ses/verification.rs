//! Looking at the DNS, and at parents in other Regions, whenever an identity is read or used.

use super::call::Call;
use super::dkim::Origin;
use super::dns;
use super::identities::{Identity, IdentityType};
use super::ports::PublicDns;
use super::search::{Problem, Status};
use super::state::{Place, State};

/// A link in a verification mail is good for a day.
const LINK: i64 = 24 * 60 * 60 * 1000;

/// What the world shows of an identity now.
struct Seen {
    dkim: Option<Result<(), Problem>>,
    /// A replica's parent: what it signs with.
    parent: Option<Origin>,
    mail_from: Option<Result<(), Problem>>,
}

/// Brings every identity of the Region up to date.
pub(super) fn refresh_all(call: &mut Call<'_>) {
    let names: Vec<String> = call.here().identities.keys().cloned().collect();
    let dns = call.with.dns.snapshot();
    for name in names {
        refresh_by(call, &name, dns.as_ref());
    }
}

/// Brings one identity up to date, its parent and its domain first; one that is not there is no matter.
pub(super) fn refresh(call: &mut Call<'_>, name: &str) {
    let dns = std::sync::Arc::clone(&call.with.dns);
    refresh_by(call, name, dns.as_ref());
}

fn refresh_by(call: &mut Call<'_>, name: &str, dns: &dyn PublicDns) {
    let place = call.place.clone();
    if let Some((_, domain)) = name.rsplit_once('@') {
        refresh_at(call, &place, &dns::host(domain), dns);
    }
    let parent = match call.here().identities.get(name).map(|identity| &identity.dkim.origin) {
        Some(Origin::Replica { region }) => Some(Place { region: region.clone(), ..place.clone() }),
        _ => None,
    };
    if let Some(parent) = parent {
        refresh_at(call, &parent, name, dns);
    }
    refresh_at(call, &place, name, dns);
}

fn refresh_at(call: &mut Call<'_>, place: &Place, name: &str, dns: &dyn PublicDns) {
    let (now, settings) = (call.now, call.settings.clone());
    let Some(seen) = look(call.state, place, name, dns) else { return };
    let Some(identity) = call.state.regional(place).identities.get_mut(name) else { return };
    if let (Some(found), Some(search)) = (seen.dkim, identity.dkim.search.as_mut()) {
        search.note(found, now, &settings);
        if search.status == Status::Success {
            identity.verified = true;
            if let Origin::Easy { next, current, .. } = &mut identity.dkim.origin {
                *current = *next;
            }
        }
        if search.status == Status::Failed {
            identity.verified = false;
        }
    }
    identity.dkim.parent = seen.parent.map(Box::new);
    if let (Some(found), Some(mail_from)) = (seen.mail_from, identity.mail_from.as_mut()) {
        mail_from.search.note(found, now, &settings);
    }
    if identity.link_sent.is_some_and(|sent| now - sent >= LINK) && !identity.verified {
        identity.link_sent = None;
    }
}

fn look(state: &State, place: &Place, name: &str, dns: &dyn PublicDns) -> Option<Seen> {
    let identity = state.look(&place.account, &place.region)?.identities.get(name)?;
    let (dkim, parent) = match &identity.dkim.origin {
        Origin::Address => (None, None),
        Origin::Easy { tokens, zone, .. } => (Some(all_tokens(dns, name, tokens, zone)), None),
        Origin::External { selector, public_key } => {
            (Some(dns::dkim_key(dns, &format!("{selector}._domainkey.{name}"), public_key)), None)
        }
        Origin::Replica { region } => match parent(state, place, region, name) {
            Ok(parent) => {
                let found = parent.dkim.search.as_ref().map(|search| search.status);
                let found = match found {
                    Some(Status::Success) => Ok(()),
                    _ => Err(parent
                        .dkim
                        .search
                        .as_ref()
                        .and_then(|search| search.problem)
                        .unwrap_or(Problem::HostNotFound)),
                };
                (Some(found), Some(parent.dkim.origin.clone()))
            }
            Err(problem) => (Some(Err(problem)), None),
        },
    };
    let mail_from = identity.mail_from.as_ref().map(|mail_from| {
        let hosts = feedback_hosts(state, place, &mail_from.domain);
        dns::only_mx(dns, &mail_from.domain, &hosts)
    });
    Some(Seen { dkim, parent, mail_from })
}

fn all_tokens(
    dns: &dyn PublicDns,
    domain: &str,
    tokens: &[String],
    zone: &str,
) -> Result<(), Problem> {
    tokens.iter().try_for_each(|token| {
        dns::cname(dns, &format!("{token}._domainkey.{domain}"), &format!("{token}.{zone}"))
    })
}

/// The identity that a replica signs with, which must have keys made by SES.
fn parent<'s>(
    state: &'s State,
    place: &Place,
    region: &str,
    name: &str,
) -> Result<&'s Identity, Problem> {
    if region == place.region {
        return Err(Problem::ParentRegion);
    }
    let identity = state
        .look(&place.account, region)
        .and_then(|regional| regional.identities.get(name))
        .filter(|identity| identity.kind == IdentityType::Domain)
        .ok_or(Problem::ParentNotFound)?;
    match identity.dkim.origin {
        Origin::Easy { .. } => Ok(identity),
        Origin::External { .. } => Err(Problem::ParentBringsItsKey),
        Origin::Replica { .. } => Err(Problem::ParentIsReplica),
        Origin::Address => Err(Problem::ParentNotFound),
    }
}

/// The hosts that may take feedback for a MAIL FROM domain: this Region's, or that of another Region where the account
/// uses the same domain, since one MX serves all of them.
fn feedback_hosts(state: &State, place: &Place, domain: &str) -> Vec<String> {
    let host = |region: &str| format!("feedback-smtp.{region}.amazonses.com");
    let uses = |identity: &Identity| {
        identity.mail_from.as_ref().is_some_and(|mail_from| mail_from.domain == domain)
    };
    let regions = state.accounts.get(&place.account).into_iter().flatten();
    let others = regions.filter(|(region, regional)| {
        **region != place.region && regional.identities.values().any(uses)
    });
    let mut hosts = vec![host(&place.region)];
    hosts.extend(others.map(|(region, _)| host(region)));
    hosts
}
