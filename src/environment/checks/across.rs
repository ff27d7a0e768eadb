//! What two environments of one project may not both say.
//!
//! Files that cannot be read are left out here: they have findings of their own.

use super::domains::mail_from;
use super::{Assumes, Check, Report, Subject};
use crate::environment::Environment;
use crate::environment::finding::Severity;
use crate::environment::types::{Dkim, Settings};
use crate::environment::words;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "declared-by-two",
        severity: Severity::Error,
        rule: "An identity, set, topic, queue or alarm of one account and Region belongs to one environment.",
        assumes: Assumes::Nothing,
        run: declared_by_two,
    },
    Check {
        id: "mail-from-shared",
        severity: Severity::Error,
        rule: "A MAIL FROM domain has one MX record, which leads to one Region.",
        assumes: Assumes::Nothing,
        run: mail_from_shared,
    },
    Check {
        id: "replica-without-parent",
        severity: Severity::Error,
        rule: "A replica signs with the Easy DKIM key of the same domain in the other Region.",
        assumes: Assumes::Nothing,
        run: replica_without_parent,
    },
];

/// The names that sections declare and that exist once per account and Region.
fn names(settings: &Settings) -> Vec<(&'static str, &'static str, String)> {
    let identities =
        settings.identities.keys().map(|name| ("identities", "identity", name.to_string()));
    let sets = settings
        .configuration_sets
        .keys()
        .map(|name| ("configuration_sets", "configuration set", name.to_string()));
    let topics = settings.topics.keys().map(|name| ("topics", "topic", name.to_string()));
    let queues = settings.queues.keys().map(|name| ("queues", "queue", name.to_string()));
    let alarms = settings.alarms.iter().flat_map(|alarms| alarms.custom.keys());
    let alarms = alarms.map(|name| ("alarms.custom", "alarm", name.to_string()));
    identities.chain(sets).chain(topics).chain(queues).chain(alarms).collect()
}

pub(super) fn same_place<'a>(subject: &'a Subject<'_>) -> impl Iterator<Item = &'a Environment> {
    let aws = &subject.settings().aws;
    let same = move |other: &&Environment| {
        other.settings.aws.account == aws.account && other.settings.aws.region == aws.region
    };
    subject.others.iter().filter(|_| subject.knows_account).filter(same)
}

fn declared_by_two(subject: &Subject<'_>, report: &mut Report<'_>) {
    for other in same_place(subject) {
        let theirs = names(&other.settings);
        for (section, what, name) in names(subject.settings()) {
            if !theirs.iter().any(|(their_section, _, their_name)| {
                *their_section == section && *their_name == name
            }) {
                continue;
            }
            let aws = &subject.settings().aws;
            report.add_beside(
                &[section, &name],
                format!(
                    "the {what} `{}` is declared by `{}` as well",
                    words::shown(&name),
                    other.name
                ),
                format!("one {what} of account {} in {}", aws.account, aws.region),
                "let one of the two environments declare it; the other may refer to it by its ARN",
                Some((other.location(&[section, &name]), format!("declared by `{}`", other.name))),
            );
        }
    }
}

fn mail_from_shared(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(region) = subject.region() else { return };
    for other in subject.others.iter().filter(|other| other.settings.aws.region != *region) {
        for (name, identity) in &subject.settings().identities {
            let Some(domain) = mail_from(name, identity) else { continue };
            let shared = other
                .settings
                .identities
                .iter()
                .find(|(name, identity)| mail_from(name, identity).as_ref() == Some(&domain));
            let Some((their_name, _)) = shared else { continue };
            let place =
                other.location(&["identities", &their_name.to_string(), "mail_from", "subdomain"]);
            report.add_beside(
                &["identities", &name.to_string(), "mail_from", "subdomain"],
                format!("`{domain}` is the MAIL FROM domain of two Regions"),
                format!(
                    "its one MX record cannot lead to `{region}` and `{}`",
                    other.settings.aws.region
                ),
                format!("use one subdomain for each Region, such as `mail-{region}`"),
                Some((place, format!("in `{}`", other.name))),
            );
        }
    }
}

fn replica_without_parent(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(account) = subject.account() else { return };
    for (name, identity) in &subject.settings().identities {
        let Some(Dkim::Replica { replica_of }) = &identity.dkim else { continue };
        let mut there = subject.others.iter().filter(|other| {
            other.settings.aws.account == *account && other.settings.aws.region == *replica_of
        });
        // Where no file is about that Region, the identity may well exist without one.
        let Some(other) = there.find(|other| other.settings.identities.contains_key(name)) else {
            continue;
        };
        let why = match other.settings.identities.get(name).and_then(|parent| parent.dkim.as_ref())
        {
            None | Some(Dkim::Easy { .. }) => continue,
            Some(Dkim::External { .. }) => "has a key of its own, which is not replicated",
            Some(Dkim::Replica { .. }) => "is a replica itself",
        };
        let text = name.to_string();
        report.add_beside(
            &["identities", &text, "dkim", "replica_of"],
            format!("`{name}` in `{replica_of}` has no key to replicate"),
            format!("the identity in `{}` {why}", other.name),
            "replicate an identity that uses Easy DKIM",
            Some((other.location(&["identities", &text, "dkim"]), "the other identity".to_owned())),
        );
    }
}
