//! Send policies: addresses that an identity stands behind, sets that mail needs, names that IAM tells apart.

use super::{Assumes, Check, Report, Subject};
use crate::environment::finding::Severity;
use crate::environment::names::{IdentityName, IdentityReference, SetReference};
use crate::environment::types::SendPolicy;
use crate::environment::words;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "policy-name-clash",
        severity: Severity::Error,
        rule: "IAM policy names are unique without regard to case.",
        assumes: Assumes::Nothing,
        run: name_clash,
    },
    Check {
        id: "from-outside-identities",
        severity: Severity::Error,
        rule: "Every From pattern of a send policy belongs to an identity that the policy may use.",
        assumes: Assumes::Names(&["identities"]),
        run: from_outside_identities,
    },
    Check {
        id: "default-set-denied",
        severity: Severity::Warning,
        rule: "A send policy that lists sets lists the default sets of its identities: SES refuses a mail whose set is not allowed.",
        assumes: Assumes::Nothing,
        run: default_set_denied,
    },
    Check {
        id: "attachment-duplicate",
        severity: Severity::Error,
        rule: "A role, user or group is named once: IAM compares their names without regard to case.",
        assumes: Assumes::Nothing,
        run: attachment_duplicate,
    },
];

fn name_clash(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for name in subject.settings().send_policies.keys() {
        if let Some(first) = seen.insert(name.as_str().to_lowercase(), name.as_str()) {
            let place = report.place(&["send_policies", first]);
            report.add_beside(
                &["send_policies", name.as_str()],
                format!("`{first}` and `{name}` are one IAM policy"),
                "differs only by case",
                "give one of them another name",
                Some((place, "the other".to_owned())),
            );
        }
    }
}

/// The identities that a policy may use, as far as their names are known; those of the file where it lists none.
fn identities(subject: &Subject<'_>, policy: &SendPolicy) -> BTreeSet<IdentityName> {
    match &policy.identities {
        None => subject.settings().identities.keys().cloned().collect(),
        Some(listed) => listed
            .iter()
            .filter_map(|reference| match reference {
                IdentityReference::Named(name) => Some(name.clone()),
                IdentityReference::Elsewhere(_) => {
                    IdentityName::parse(&reference.short_name()).ok()
                }
            })
            .collect(),
    }
}

fn from_outside_identities(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, policy) in &subject.settings().send_policies {
        let identities = identities(subject, policy);
        for from in &policy.from {
            let is_listed = |domain| identities.contains(&IdentityName::Domain(domain));
            // Addresses, and subdomains that a pattern stands for, are not above the pattern's own domain.
            let below = || {
                identities
                    .iter()
                    .filter(|name| name.is_address() || from.subdomains())
                    .any(|name| from.is_covered_by(name))
            };
            if from.domain().lineage().any(is_listed) || below() {
                continue;
            }
            let domain = from.domain();
            let names: Vec<String> = identities.iter().map(ToString::to_string).collect();
            let help = match words::nearest(domain.as_str(), names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if policy.identities.is_some() => {
                    "add the identity to `identities`, or remove the address".to_owned()
                }
                None => {
                    format!("declare `[identities.\"{domain}\"]`, or list an identity by its ARN")
                }
            };
            report.add(
                &["send_policies", name.as_str(), "from", &from.to_string()],
                format!("no identity stands behind `{}`", words::shown(&from.to_string())),
                match policy.identities {
                    Some(_) => "not an address of the identities of this policy",
                    None => "not an address of any identity of this file",
                },
                help,
            );
        }
    }
}

fn default_set_denied(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, policy) in &subject.settings().send_policies {
        let Some(allowed) = &policy.configuration_sets else { continue };
        let used = identities(subject, policy);
        let covering = used
            .iter()
            .filter(|identity| policy.from.iter().any(|from| from.is_covered_by(identity)));
        let mut missing: BTreeMap<&SetReference, &IdentityName> = BTreeMap::new();
        for identity in covering {
            let settings = subject.settings().identities.get(identity);
            if let Some(set) = settings.and_then(|settings| settings.configuration_set.as_ref())
                && !allowed.contains(set)
                && !allowed.iter().any(|other| other.short_name() == set.short_name())
                && set
                    .named()
                    .is_none_or(|set| subject.settings().configuration_sets.contains_key(set))
            {
                missing.entry(set).or_insert(identity);
            }
        }
        for (set, identity) in missing {
            report.add(
                &["send_policies", name.as_str(), "configuration_sets"],
                format!("mail from `{identity}` that names no set is refused"),
                format!("lacks `{}`, the default set of `{identity}`", set.short_name()),
                "add it, or leave `configuration_sets` out",
            );
        }
    }
}

fn attachment_duplicate(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, policy) in &subject.settings().send_policies {
        let attach = &policy.attach;
        for (kind, names) in
            [("roles", &attach.roles), ("users", &attach.users), ("groups", &attach.groups)]
        {
            let mut seen = BTreeSet::new();
            for attached in names.iter().filter(|name| !seen.insert(name.as_str().to_lowercase())) {
                report.add(
                    &["send_policies", name.as_str(), "attach", kind, attached.as_str()],
                    format!("`{attached}` is attached twice"),
                    "differs from another name only by case",
                    "remove it",
                );
            }
        }
    }
}
