//! The identities, how they are signed and answered, and who may send as them.
//!
//! Invariant: what SES must be told only after the DNS records are published comes after the records' node, if there is
//! one; records that somebody else publishes are waited for by SES, not by us.

use super::messaging::all_tags;
use super::{Draft, identity_address};
use crate::aws::Facts;
use crate::aws::policy::{Policy, Statement};
use crate::engine::{Address, Resource};
use crate::environment::Environment;
use crate::environment::names::{IdentityName, IdentityPolicyName, SetReference};
use crate::environment::types::{
    AlignmentMode, Dkim, DmarcPolicy, EasyKey, Identity, OnMxFailure, SendAction,
    SendingAuthorization, Settings,
};
use crate::kinds::identity::{
    DefaultSetSpec, Detection, IdentityPolicy, IdentityPolicySpec, MailFromFailure, MailFromSpec,
    SigningSpec, Spec, UNKNOWN_KEY, key_digest,
};

const AFTER_RECORDS: &str = "SES must find the records when it is told to look for them";

/// Adds them to `into`.
pub(super) fn domains(environment: &Environment, facts: &Facts, into: &mut Draft) {
    let settings = &environment.settings;
    for (name, identity) in &settings.identities {
        let spec = Spec {
            replica_of: match &identity.dkim {
                Some(Dkim::Replica { replica_of }) => Some(replica_of.to_string()),
                _ => None,
            },
            easy_key: easy_key(name, identity),
            signing: (!name.is_address()).then_some(identity.signing),
            feedback_forwarding: identity.feedback_forwarding,
            tags: all_tags(settings, &identity.tags),
            create_with_set: identity.configuration_set.as_ref().map(SetReference::short_name),
            must_be_signed: must_be_signed(settings, name, identity),
        };
        let Some(resource) = into.resource(identity_address(name), &spec) else { continue };
        let resource = into.protected(resource, identity.protect);
        into.add(after_set(
            resource,
            identity,
            "SES creates no identity with a default set that does not exist",
        ));
        add_signing(environment, name, identity, facts, into);
        add_mail_from(environment, name, identity, into);
        add_default_set(name, identity, facts, into);
        for (policy_name, policy) in &identity.policies {
            add_policy(name, policy_name, policy, facts, into);
        }
    }
}

/// Whether receivers refuse or set aside mail of this identity that is not signed: its DMARC policy, or that of the domain
/// above it in this file, says so, and no MAIL FROM lets SPF pass and align instead.
fn must_be_signed(settings: &Settings, name: &IdentityName, identity: &Identity) -> bool {
    // The closest domain above that has one.
    let above = || {
        let around = name.domain().lineage().filter(|it| name.domain().is_under(it));
        let mut policies = around.filter_map(|domain| {
            settings.identities.get(&IdentityName::Domain(domain))?.dmarc.as_ref()
        });
        policies.next().map(|dmarc| (dmarc, dmarc.subdomain_policy.unwrap_or(dmarc.policy)))
    };
    let own = identity.dmarc.as_ref().map(|dmarc| (dmarc, dmarc.policy));
    let Some((dmarc, policy)) = own.or_else(above) else { return false };
    // A MAIL FROM is a subdomain, which strict alignment does not accept.
    let aligns = identity.mail_from.is_some() && dmarc.alignment.spf == AlignmentMode::Relaxed;
    policy > DmarcPolicy::None && !aligns
}

fn easy_key(name: &IdentityName, identity: &Identity) -> Option<String> {
    if name.is_address() {
        return None;
    }
    let key = match &identity.dkim {
        None => EasyKey::Rsa2048,
        Some(Dkim::Easy { key }) => *key,
        Some(Dkim::External { .. } | Dkim::Replica { .. }) => return None,
    };
    Some(match key {
        EasyKey::Rsa1024 => "rsa-1024".to_owned(),
        EasyKey::Rsa2048 => "rsa-2048".to_owned(),
    })
}

/// The same after the identity's default set, if this file declares it.
fn after_set(resource: Resource, identity: &Identity, reason: &'static str) -> Resource {
    match identity.configuration_set.as_ref().and_then(SetReference::named) {
        Some(set) => resource.after(Address::new("configuration_set", set.as_str()), reason),
        None => resource,
    }
}

/// The same after the records of the identity, if we publish them.
fn after_records(resource: Resource, name: &IdentityName, into: &Draft) -> Resource {
    let records = into.records_of(&identity_address(name)).into_iter();
    records.fold(resource, |resource, records| resource.after(records, AFTER_RECORDS))
}

fn add_signing(
    environment: &Environment,
    name: &IdentityName,
    identity: &Identity,
    facts: &Facts,
    into: &mut Draft,
) {
    let Some(Dkim::External { selector, private_key, .. }) = &identity.dkim else { return };
    let spec = SigningSpec {
        selector: selector.to_string(),
        key: match facts.keys.get(name) {
            Some(public_key) => key_digest(selector.as_str(), public_key),
            None => UNKNOWN_KEY.to_owned(),
        },
        source: Some(private_key.clone()),
        must_be_signed: must_be_signed(&environment.settings, name, identity),
    };
    let address = Address::new("signing", name.to_string());
    let Some(resource) = into.resource(address, &spec) else { return };
    let resource = after_records(resource.under(identity_address(name)), name, into);
    into.add(resource);
}

fn add_mail_from(
    environment: &Environment,
    name: &IdentityName,
    identity: &Identity,
    into: &mut Draft,
) {
    let Some(mail_from) = &identity.mail_from else { return };
    let domain = match mail_from.domain(name) {
        Ok(domain) => domain,
        Err(error) => {
            into.find(environment.finding(
                "mail-from-name",
                &["identities", &name.to_string(), "mail_from", "subdomain"],
                format!("the MAIL FROM name of `{name}` {}", error.reason),
                "no domain name",
                error.remedy,
            ));
            return;
        }
    };
    let spec = MailFromSpec {
        domain: domain.to_string(),
        on_mx_failure: match mail_from.on_mx_failure {
            OnMxFailure::UseDefault => MailFromFailure::UseDefault,
            OnMxFailure::Reject => MailFromFailure::Reject,
        },
        detection: Detection::Running,
    };
    let address = Address::new("mail_from", name.to_string());
    let Some(resource) = into.resource(address, &spec) else { return };
    let resource = after_records(resource.under(identity_address(name)), name, into);
    into.add(resource);
}

fn add_default_set(name: &IdentityName, identity: &Identity, facts: &Facts, into: &mut Draft) {
    let Some(set) = &identity.configuration_set else { return };
    let spec = DefaultSetSpec { configuration_set: set.short_name() };
    let address = Address::new("default_set", name.to_string());
    let Some(resource) = into.resource(address, &spec) else { return };
    let reason = "a set that does not exist is nobody's default";
    let resource = after_set(resource.under(identity_address(name)), identity, reason);
    let resource = after_rights_and_events(resource, set, facts, into);
    into.add(resource);
}

/// The same after all that mail under `set` needs: the right to send by it, and somebody who hears of its bounces.
fn after_rights_and_events(
    resource: Resource,
    set: &SetReference,
    facts: &Facts,
    into: &Draft,
) -> Resource {
    let arn = match set {
        SetReference::Named(name) => facts.arns.configuration_set(name.as_str()),
        SetReference::Elsewhere(arn) => arn.to_string(),
    };
    let senders = into.of_kind("send_policy").filter(|sender| names_set(sender, &arn));
    let resource = senders.fold(resource, |resource, sender| {
        let reason = "mail under a set that its sender may not use is refused";
        resource.after(sender.address.clone(), reason)
    });
    let Some(set) = set.named() else { return resource };
    let set = Address::new("configuration_set", set.as_str());
    let destinations = into.children_of(&set);
    let destinations = destinations.filter(|address| address.kind() == "event_destination");
    destinations.fold(resource, |resource, destination| {
        resource.after(destination.clone(), "a bounce that no destination hears of is lost")
    })
}

/// Whether a send policy names the set `arn`.
fn names_set(sender: &Resource, arn: &str) -> bool {
    let statements = sender.spec["document"]["statement"].as_object();
    let resources = statements
        .into_iter()
        .flat_map(|statements| statements.values())
        .filter_map(|statement| statement["resource"].as_array());
    resources.flatten().any(|resource| resource.as_str() == Some(arn))
}

fn add_policy(
    name: &IdentityName,
    policy_name: &IdentityPolicyName,
    policy: &SendingAuthorization,
    facts: &Facts,
    into: &mut Draft,
) {
    let identity = name.to_string();
    let mut statement = Statement::allow()
        .may(policy.actions.iter().map(|action| action_name(*action)))
        // SES wants exactly the identity that the policy is on.
        .on([facts.arns.identity(&identity)]);
    for principal in &policy.principals {
        statement = statement.to("AWS", principal.as_str());
    }
    if !policy.from.is_empty() {
        let from = policy.from.iter().map(ToString::to_string);
        statement = statement.when("StringLike", "ses:FromAddress", from);
    }
    let spec = IdentityPolicySpec { policy: Policy::new([("Send", statement)]) };
    let address =
        Address::new("identity_policy", IdentityPolicy::name(&identity, policy_name.as_str()));
    let Some(resource) = into.resource(address, &spec) else { return };
    let token = IdentityPolicy::token(policy_name.as_str());
    // SES takes no policy for an identity that is not verified, which its records make it.
    let resource = after_records(resource.under(identity_address(name)), name, into);
    into.add(resource.known_as(token));
}

const fn action_name(action: SendAction) -> &'static str {
    match action {
        SendAction::SendEmail => "ses:SendEmail",
        SendAction::SendRawEmail => "ses:SendRawEmail",
        SendAction::SendTemplatedEmail => "ses:SendTemplatedEmail",
        SendAction::SendBulkTemplatedEmail => "ses:SendBulkTemplatedEmail",
    }
}

#[cfg(test)]
mod tests;
