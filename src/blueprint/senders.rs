//! Send policies and whom they are attached to: who may send, from which addresses, through which sets.
//!
//! Invariant: a policy grants `ses:SendEmail` and `ses:SendRawEmail` and nothing else, always under a condition on the
//! From address. `SendBulkEmail` is never granted, because SES does not compare its From address with anything.

use std::collections::BTreeSet;

use super::Draft;
use super::messaging::all_tags;
use crate::aws::policies::{Principal, PrincipalKind};
use crate::aws::policy::{Policy, Statement};
use crate::aws::{Arns, Facts, Owner};
use crate::engine::Address;
use crate::environment::Environment;
use crate::environment::names::{
    FromPattern, IamName, IdentityName, IdentityReference, SendPolicyName, SetReference,
};
use crate::environment::types::{Attach, SendPolicy, Settings};
use crate::kinds::send_policy::DOCUMENT_LENGTH_MAX;
use crate::kinds::{attachment, send_policy};

/// Beyond this many identities a list of them is harder to read than the tags that they carry.
const LISTED_IDENTITIES_MAX: usize = 80;
/// A mail given as MIME, which is how most libraries send, needs `SendRawEmail` even through `SendEmail` of API v2.
const ACTIONS: [&str; 2] = ["ses:SendEmail", "ses:SendRawEmail"];

/// Adds them to `into`.
pub(super) fn senders(environment: &Environment, facts: &Facts, into: &mut Draft) {
    let settings = &environment.settings;
    for (name, policy) in &settings.send_policies {
        let iam_name = iam_name(&facts.owner, name);
        let path = policy.path.as_ref().map_or("/", |path| path.as_str());
        let document = match document(settings, facts, policy) {
            Ok(document) => document,
            Err(length) => {
                into.find(too_long(environment, name, length));
                continue;
            }
        };
        let spec = send_policy::Spec {
            path: path.to_owned(),
            document,
            tags: all_tags(settings, &policy.tags),
            others: BTreeSet::new(),
        };
        let address = Address::new("send_policy", iam_name.as_str());
        if let Some(resource) = into.resource(address.clone(), &spec) {
            let resource = into.protected(resource, policy.protect);
            into.add(resource);
        }
        let arn = facts.arns.policy(path, &iam_name);
        for principal in principals(&policy.attach) {
            let spec = attachment::Spec {
                policy: arn.clone(),
                kind: principal.kind.to_string(),
                name: principal.name.clone(),
            };
            let name = attachment::name(&iam_name, &principal);
            if let Some(resource) = into.resource(Address::new("attachment", name), &spec) {
                let token = attachment::token(&principal);
                into.add(resource.under(address.clone()).known_as(token));
            }
        }
    }
}

/// `PROJECT-ENVIRONMENT-NAME`: IAM keeps names unique over the whole account.
pub(super) fn iam_name(owner: &Owner, name: &SendPolicyName) -> String {
    format!("{}-{}-{name}", owner.project(), owner.environment())
}

fn principals(attach: &Attach) -> Vec<Principal> {
    let of = |kind: PrincipalKind, names: &BTreeSet<IamName>| {
        names.iter().map(|name| Principal { kind, name: name.to_string() }).collect::<Vec<_>>()
    };
    [
        of(PrincipalKind::Role, &attach.roles),
        of(PrincipalKind::User, &attach.users),
        of(PrincipalKind::Group, &attach.groups),
    ]
    .concat()
}

fn too_long(
    environment: &Environment,
    name: &SendPolicyName,
    length: usize,
) -> crate::environment::Finding {
    environment.finding(
        "send-policy-length",
        &["send_policies", name.as_str(), "from"],
        format!("the IAM policy `{name}` would have {length} characters, and IAM allows {DOCUMENT_LENGTH_MAX}"),
        "too many addresses",
        "use fewer patterns, such as `*@*.example.com`, or split it into several send policies",
    )
}

/// What a sender needs to name: identities and sets, by ARN.
#[derive(Debug, Default)]
struct Resources {
    /// Identities of this environment, which carry its tags, and those made elsewhere.
    own_identities: BTreeSet<String>,
    other_identities: BTreeSet<String>,
    /// The same for configuration sets.
    own_sets: BTreeSet<String>,
    other_sets: BTreeSet<String>,
}

/// The document, or how long the shortest one is that says the same, if that is too long.
fn document(settings: &Settings, facts: &Facts, policy: &SendPolicy) -> Result<Policy, usize> {
    let resources = resources(settings, &facts.arns, policy);
    let listed = resources.own_identities.len() + resources.other_identities.len();
    let ways = [Tagged::Nothing, Tagged::Identities, Tagged::IdentitiesAndSets];
    let mut length = 0;
    for tagged in ways {
        if tagged == Tagged::Nothing && listed > LISTED_IDENTITIES_MAX {
            continue;
        }
        let document = compiled(facts, policy, &resources, tagged);
        length = document.length();
        if length <= DOCUMENT_LENGTH_MAX {
            return Ok(document);
        }
    }
    Err(length)
}

/// What is named by the tags it carries instead of one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tagged {
    Nothing,
    Identities,
    IdentitiesAndSets,
}

fn compiled(facts: &Facts, policy: &SendPolicy, resources: &Resources, tagged: Tagged) -> Policy {
    let (arns, owner) = (&facts.arns, &facts.owner);
    let mut listed = resources.other_identities.clone();
    listed.extend(resources.other_sets.iter().cloned());
    let mut by_tag = BTreeSet::new();
    match tagged {
        Tagged::Nothing => listed.extend(resources.own_identities.iter().cloned()),
        Tagged::Identities | Tagged::IdentitiesAndSets => {
            by_tag.insert(arns.identity("*"));
        }
    }
    match tagged {
        Tagged::Nothing | Tagged::Identities => listed.extend(resources.own_sets.iter().cloned()),
        Tagged::IdentitiesAndSets => {
            by_tag.insert(arns.configuration_set("*"));
        }
    }
    let from: Vec<String> = policy.from.iter().map(plain_text).collect();
    let send = |resources: BTreeSet<String>| {
        Statement::allow().may(ACTIONS).on(resources).when(
            "StringLike",
            "ses:FromAddress",
            from.clone(),
        )
    };
    let mut statements = Vec::new();
    if !listed.is_empty() {
        statements.push(("Send", send(listed)));
    }
    if !by_tag.is_empty() {
        let project = ("aws:ResourceTag/sesinfra:project", owner.project().as_str());
        let environment = ("aws:ResourceTag/sesinfra:environment", owner.environment().as_str());
        let tagged =
            [project, environment].into_iter().fold(send(by_tag), |statement, (key, value)| {
                statement.when("StringEquals", key, [value])
            });
        statements.push(("SendTagged", tagged));
    }
    Policy::new(statements)
}

/// A pattern as IAM reads it: `${` begins a policy variable, so in an address it is written as the variable for `$`.
fn plain_text(pattern: &FromPattern) -> String {
    pattern.to_string().replace("${", "${$}{")
}

fn resources(settings: &Settings, arns: &Arns, policy: &SendPolicy) -> Resources {
    let mut resources = Resources::default();
    let identities = identities(settings, policy);
    let mut sets: BTreeSet<SetReference> = policy.configuration_sets.clone().unwrap_or_default();
    for identity in &identities {
        match identity {
            IdentityReference::Elsewhere(arn) => {
                resources.other_identities.insert(arn.to_string());
            }
            IdentityReference::Named(name) => {
                resources.own_identities.insert(arns.identity(&name.to_string()));
                // SES wants the right on the set too, even one that the mail does not name.
                let declared = settings.identities.get(name);
                let default_set = declared.and_then(|it| it.configuration_set.clone());
                if policy.configuration_sets.is_none() {
                    sets.extend(default_set);
                }
            }
        }
    }
    for set in sets {
        match set {
            SetReference::Named(name) => {
                resources.own_sets.insert(arns.configuration_set(name.as_str()));
            }
            SetReference::Elsewhere(arn) => {
                resources.other_sets.insert(arn.to_string());
            }
        }
    }
    resources
}

/// The identities that mail from these addresses is sent with. SES takes the most specific one that is verified, so all
/// that cover an address are named: the domain while its subdomain is not verified yet, too.
fn identities(settings: &Settings, policy: &SendPolicy) -> BTreeSet<IdentityReference> {
    if let Some(named) = &policy.identities {
        return named.clone();
    }
    let covering = settings
        .identities
        .keys()
        .filter(|identity| policy.from.iter().any(|pattern| is_used_for(identity, pattern)));
    covering.cloned().map(IdentityReference::Named).collect()
}

/// Whether mail from an address that `pattern` matches can be sent with `identity`.
fn is_used_for(identity: &IdentityName, pattern: &FromPattern) -> bool {
    if pattern.is_covered_by(identity) {
        return true;
    }
    // `*@*.example.com` also means addresses of a subdomain that is an identity of its own.
    matches!(identity, IdentityName::Domain(domain)
        if pattern.subdomains() && domain.is_under(pattern.domain()))
}

#[cfg(test)]
mod tests;
