//! Configuration sets: suppression, delivery and tracking.

use super::domains::mail_from;
use super::{Assumes, Check, Report, Subject};
use crate::environment::finding::Severity;
use crate::environment::names::{DomainName, IdentityName, SetName};
use crate::environment::types::{ConfigurationSet, EventType, HttpsPolicy, Tracking};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "suppression-without-reasons",
        severity: Severity::Error,
        rule: "`suppression_scope` and `validation` are parts of a set's own suppression, which `suppress` opens.",
        assumes: Assumes::Table,
        run: suppression_without_reasons,
    },
    Check {
        id: "suppression-off",
        severity: Severity::Warning,
        rule: "A set without suppression keeps sending to addresses that bounced or complained.",
        assumes: Assumes::Nothing,
        run: suppression_off,
    },
    Check {
        id: "https-without-target",
        severity: Severity::Error,
        rule: "Tracked links over https need a host of one's own that answers with a certificate.",
        assumes: Assumes::Table,
        run: https_without_target,
    },
    Check {
        id: "tracking-outside-identities",
        severity: Severity::Error,
        rule: "A tracking domain is under a verified domain of the account (SES `PutConfigurationSetTrackingOptions`).",
        assumes: Assumes::Names(&["identities"]),
        run: tracking_outside_identities,
    },
    Check {
        id: "tracking-name-taken",
        severity: Severity::Error,
        rule: "A tracking domain is a CNAME, beside which no other record can stand.",
        assumes: Assumes::Nothing,
        run: tracking_name_taken,
    },
    Check {
        id: "tracking-conflict",
        severity: Severity::Error,
        rule: "Sets that share a tracking domain agree on where it leads.",
        assumes: Assumes::Nothing,
        run: tracking_conflict,
    },
    Check {
        id: "tracking-unused",
        severity: Severity::Warning,
        rule: "A tracking domain is used only where opens or clicks are counted.",
        assumes: Assumes::Entry,
        run: tracking_unused,
    },
    Check {
        id: "links-rewritten",
        severity: Severity::Warning,
        rule: "Counting opens or clicks rewrites links and adds a pixel in every mail of the set.",
        assumes: Assumes::Entry,
        run: links_rewritten,
    },
];

fn sets<'a>(subject: &'a Subject<'_>) -> impl Iterator<Item = (&'a SetName, &'a ConfigurationSet)> {
    subject.settings().configuration_sets.iter()
}

fn suppression_without_reasons(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, set) in sets(subject).filter(|(_, set)| set.suppress.is_none()) {
        let keys = [
            ("suppression_scope", set.suppression_scope.is_some()),
            ("validation", set.validation.is_some()),
        ];
        for (key, _) in keys.into_iter().filter(|(_, there)| *there) {
            report.add(
                &["configuration_sets", name.as_str(), key],
                format!("`{key}` needs `suppress`"),
                "this set inherits its suppression from the account",
                "add `suppress = [\"bounce\", \"complaint\"]`, or remove it",
            );
        }
    }
}

fn suppression_off(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, set) in sets(subject) {
        if set.suppress.as_ref().is_some_and(std::collections::BTreeSet::is_empty) {
            report.add(
                &["configuration_sets", name.as_str(), "suppress"],
                format!("`{name}` sends to addresses that bounced or complained"),
                "turns suppression off for this set",
                "leave it out to inherit the account's, or write `[\"bounce\", \"complaint\"]`",
            );
        }
    }
}

fn https_without_target(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, set) in sets(subject) {
        let Some(tracking) = &set.tracking else { continue };
        if tracking.https != HttpsPolicy::Optional && tracking.target.is_none() {
            report.add(
                &["configuration_sets", name.as_str(), "tracking", "https"],
                format!("links through `{}` would be dead", tracking.domain),
                "SES answers for the domain over http only",
                "add a `target`: a CDN with a certificate for the domain, that passes the Host header on",
            );
        }
    }
}

fn tracking_outside_identities(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, set) in sets(subject) {
        let Some(tracking) = &set.tracking else { continue };
        let covers = |identity: &IdentityName| {
            !identity.is_address() && tracking.domain.is_within(identity.domain())
        };
        if !subject.settings().identities.keys().any(covers) {
            report.add(
                &["configuration_sets", name.as_str(), "tracking", "domain"],
                format!("`{}` is under no domain of this file", tracking.domain),
                "SES wants a domain that is verified here",
                match tracking.domain.parent() {
                    Some(parent) => format!("declare `[identities.\"{parent}\"]`, or use a name under a domain that is declared"),
                    None => "use a name under a domain that is declared".to_owned(),
                },
            );
        }
    }
}

fn tracking_name_taken(subject: &Subject<'_>, report: &mut Report<'_>) {
    let identities = &subject.settings().identities;
    for (name, set) in sets(subject) {
        let Some(Tracking { domain, .. }) = &set.tracking else { continue };
        let same = |other: &DomainName| other == domain;
        let taken = identities.iter().find_map(|(identity, settings)| {
            let text = identity.to_string();
            if !identity.is_address() && same(identity.domain()) {
                return Some((report.place(&["identities", &text]), "an identity"));
            }
            mail_from(identity, settings).filter(same).map(|_| {
                (
                    report.place(&["identities", &text, "mail_from", "subdomain"]),
                    "a MAIL FROM domain",
                )
            })
        });
        if let Some((place, what)) = taken {
            report.add_beside(
                &["configuration_sets", name.as_str(), "tracking", "domain"],
                format!("`{domain}` is {what} as well"),
                "needs a name of its own, for its CNAME record",
                format!(
                    "for example `click.{}`",
                    domain.parent().unwrap_or_else(|| domain.clone())
                ),
                Some((place, format!("{what} of this name"))),
            );
        }
    }
}

fn tracking_conflict(subject: &Subject<'_>, report: &mut Report<'_>) {
    let tracked: Vec<(&SetName, &Tracking)> =
        sets(subject).filter_map(|(name, set)| Some((name, set.tracking.as_ref()?))).collect();
    for (index, (name, tracking)) in tracked.iter().enumerate() {
        let other = tracked[..index].iter().find(|(_, other)| {
            other.domain == tracking.domain
                && (other.dns != tracking.dns || other.target != tracking.target)
        });
        if let Some((other, _)) = other {
            let place = report.place(&["configuration_sets", other.as_str(), "tracking"]);
            report.add_beside(
                &["configuration_sets", name.as_str(), "tracking", "domain"],
                format!("`{}` leads to two places", tracking.domain),
                format!("`{other}` uses the domain with another `target` or `dns`"),
                "give both sets the same, or each a domain of its own",
                Some((place, "the other set".to_owned())),
            );
        }
    }
}

/// The event destinations of a set that make SES rewrite mails.
fn rewriting(set: &ConfigurationSet) -> impl Iterator<Item = (&str, EventType)> {
    set.events.iter().flat_map(|(name, event)| {
        let both = [EventType::Open, EventType::Click].into_iter();
        both.filter(|kind| event.types.contains(kind)).map(move |kind| (name.as_str(), kind))
    })
}

fn counts_in_dashboard(set: &ConfigurationSet) -> bool {
    set.vdm.is_some_and(|vdm| vdm.engagement == Some(true))
}

fn tracking_unused(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, set) in sets(subject) {
        if set.tracking.is_some() && rewriting(set).next().is_none() && !counts_in_dashboard(set) {
            report.add(
                &["configuration_sets", name.as_str(), "tracking", "domain"],
                format!("no link of `{name}` leads through its tracking domain"),
                "no event destination of the set has `open` or `click`",
                "add the events, or remove `tracking`",
            );
        }
    }
}

fn links_rewritten(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, set) in sets(subject).filter(|(_, set)| set.tracking.is_none()) {
        for (event, kind) in rewriting(set) {
            let word = if kind == EventType::Open { "open" } else { "click" };
            report.add(
                &["configuration_sets", name.as_str(), "events", event, "types", word],
                format!("`{word}` changes every mail of `{name}`"),
                match kind {
                    EventType::Open => "adds a pixel that is loaded from awstrack.me",
                    _ => "leads every link through awstrack.me",
                },
                "give the set a `tracking` domain of your own, or remove the event",
            );
        }
    }
}
