//! Domains that belong together: MAIL FROM under its identity, and DMARC that mail can pass.

use super::{Assumes, Check, Report, Subject};
use crate::environment::finding::Severity;
use crate::environment::names::{DomainName, IdentityName};
use crate::environment::types::{
    AlignmentMode, Dmarc, DmarcPolicy, DnsMode, Identity, MailFrom, OnMxFailure,
};
use crate::environment::words;
use std::collections::BTreeMap;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "mail-from-outside-domain",
        severity: Severity::Error,
        rule: "A MAIL FROM domain is a subdomain of the identity's domain (SES `PutEmailIdentityMailFromAttributes`).",
        assumes: Assumes::Nothing,
        run: outside_domain,
    },
    Check {
        id: "mail-from-sends",
        severity: Severity::Warning,
        rule: "A MAIL FROM domain is for bounces alone: it is no identity and no From domain.",
        assumes: Assumes::Nothing,
        run: sends,
    },
    Check {
        id: "mail-from-reject",
        severity: Severity::Warning,
        rule: "Refusing mail while the MX record is missing is for records that sesinfra keeps.",
        assumes: Assumes::Nothing,
        run: reject_by_others,
    },
    Check {
        id: "dmarc-cannot-pass",
        severity: Severity::Error,
        rule: "A domain whose DMARC policy refuses mail signs it, or has a MAIL FROM that aligns.",
        assumes: Assumes::Table,
        run: cannot_pass,
    },
    Check {
        id: "dmarc-unsigned",
        severity: Severity::Warning,
        rule: "Mail that is not signed fails DMARC as soon as it is forwarded.",
        assumes: Assumes::Table,
        run: unsigned,
    },
    Check {
        id: "dmarc-strict-spf",
        severity: Severity::Warning,
        rule: "With strict SPF alignment a MAIL FROM subdomain never aligns: DKIM alone must pass.",
        assumes: Assumes::Nothing,
        run: strict_spf,
    },
    Check {
        id: "dmarc-strict-dkim",
        severity: Severity::Warning,
        rule: "With strict DKIM alignment a From address below the identity's domain never aligns.",
        assumes: Assumes::Names(&["identities"]),
        run: strict_dkim,
    },
    Check {
        id: "dmarc-reports-elsewhere",
        severity: Severity::Warning,
        rule: "Reports go to another organisation's domain only if a record there allows it (RFC 9990).",
        assumes: Assumes::Nothing,
        run: reports_elsewhere,
    },
    Check {
        id: "dmarc-failure-options",
        severity: Severity::Warning,
        rule: "`failure_options` chooses among reports that only `failure_reports_to` asks for.",
        assumes: Assumes::Table,
        run: failure_options,
    },
];

fn outside_domain(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        let Some(mail_from) = &identity.mail_from else { continue };
        let path = ["identities", &name.to_string(), "mail_from", "subdomain"];
        match mail_from.domain(name) {
            Ok(domain) if domain.is_under(name.domain()) => {}
            Ok(domain) => report.add(
                &path,
                format!("the MAIL FROM domain must be a subdomain of `{}`", name.domain()),
                match domain == *name.domain() {
                    true => "is the domain itself",
                    false => "is outside the domain",
                },
                format!("for example `mail.{}`, or `mail` for short", name.domain()),
            ),
            Err(error) => report.add(
                &path,
                format!("the MAIL FROM domain of `{}` is no domain name", name.domain()),
                error.reason,
                error.remedy,
            ),
        }
    }
}

/// The MAIL FROM domain of an identity, where it is right.
pub(super) fn mail_from(name: &IdentityName, identity: &Identity) -> Option<DomainName> {
    identity.mail_from.as_ref()?.domain(name).ok().filter(|domain| domain.is_under(name.domain()))
}

fn sends(subject: &Subject<'_>, report: &mut Report<'_>) {
    let settings = subject.settings();
    let identities: BTreeMap<&DomainName, &IdentityName> =
        settings.identities.keys().map(|name| (name.domain(), name)).collect();
    let policies = settings.send_policies.iter();
    let all_from = policies
        .flat_map(|(policy, settings)| settings.from.iter().map(move |from| (policy, from)));
    let senders: BTreeMap<&DomainName, _> = all_from
        .filter(|(_, from)| !from.subdomains())
        .map(|sender| (sender.1.domain(), sender))
        .collect();
    for (name, identity) in &settings.identities {
        let Some(domain) = mail_from(name, identity) else { continue };
        let path = ["identities", &name.to_string(), "mail_from", "subdomain"];
        let (second, label) = match (identities.get(&domain), senders.get(&domain)) {
            (Some(other), _) => {
                (report.place(&["identities", &other.to_string()]), "an identity with this domain")
            }
            (None, Some((policy, from))) => {
                let from = from.to_string();
                let place = report.place(&["send_policies", policy.as_str(), "from", &from]);
                (place, "mail is sent from this domain")
            }
            (None, None) => continue,
        };
        report.add_beside(
            &path,
            format!("the MAIL FROM domain `{domain}` is sent from as well"),
            "should be used for bounces alone",
            format!(
                "choose a subdomain that is not used otherwise, such as `bounce.{}`",
                name.domain()
            ),
            Some((second, label.to_owned())),
        );
    }
}

fn reject_by_others(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        let reject = |mail_from: &MailFrom| mail_from.on_mx_failure == OnMxFailure::Reject;
        if identity.dns == DnsMode::Manual && identity.mail_from.as_ref().is_some_and(reject) {
            report.add(
                &["identities", &name.to_string(), "mail_from", "on_mx_failure"],
                format!("mail of `{name}` stops when somebody else drops a record"),
                "refuses mail while the MX record is missing, and `dns` is `manual`",
                "leave it out (`use-default`): mail goes on with a MAIL FROM of Amazon's",
            );
        }
    }
}

/// The DMARC policy of a domain; an address can have none, which is an error of its own.
fn own_dmarc<'a>(name: &IdentityName, identity: &'a Identity) -> Option<&'a Dmarc> {
    identity.dmarc.as_ref().filter(|_| !name.is_address())
}

/// Whether SPF can pass and align: there is a MAIL FROM of one's own, and subdomains count.
fn spf_aligns(identity: &Identity) -> bool {
    let strict =
        identity.dmarc.as_ref().is_some_and(|dmarc| dmarc.alignment.spf == AlignmentMode::Strict);
    identity.mail_from.is_some() && !strict
}

fn cannot_pass(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        let Some(dmarc) = own_dmarc(name, identity) else { continue };
        if !identity.signing && !spf_aligns(identity) && dmarc.policy != DmarcPolicy::None {
            report.add(
                &["identities", &name.to_string(), "signing"],
                format!("all mail of `{name}` would fail its own DMARC policy"),
                "not signed, and no MAIL FROM that aligns",
                "remove `signing = false`, or give it a `mail_from` with relaxed alignment",
            );
        }
    }
}

fn unsigned(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        let Some(dmarc) = own_dmarc(name, identity) else { continue };
        // Where nothing can pass and the policy says so, that is an error of its own.
        if !identity.signing && (spf_aligns(identity) || dmarc.policy == DmarcPolicy::None) {
            report.add(
                &["identities", &name.to_string(), "signing"],
                format!("`{name}` has a DMARC policy and does not sign"),
                "unsigned mail fails DMARC when it is forwarded",
                "remove `signing = false`",
            );
        }
    }
}

fn strict_spf(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        let strict = identity
            .dmarc
            .as_ref()
            .is_some_and(|dmarc| dmarc.alignment.spf == AlignmentMode::Strict);
        if strict && identity.signing {
            report.add(
                &["identities", &name.to_string(), "dmarc", "alignment", "spf"],
                format!("SPF can never align for `{name}`"),
                "a MAIL FROM domain is a subdomain, which strict alignment refuses",
                "leave it out (`relaxed`), unless DKIM alone is to decide",
            );
        }
    }
}

fn strict_dkim(subject: &Subject<'_>, report: &mut Report<'_>) {
    let settings = subject.settings();
    for (policy, senders) in &settings.send_policies {
        for from in &senders.from {
            // The most specific identity signs.
            let mut covering = from.domain().lineage().filter_map(|domain| {
                settings.identities.get_key_value(&IdentityName::Domain(domain))
            });
            let Some((name, identity)) = covering.next() else { continue };
            let strict = own_dmarc(name, identity)
                .is_some_and(|dmarc| dmarc.alignment.dkim == AlignmentMode::Strict);
            let below = from.subdomains() || from.domain() != name.domain();
            if strict && below {
                let text = from.to_string();
                let place = report.place(&["send_policies", policy.as_str(), "from", &text]);
                report.add_beside(
                    &["identities", &name.to_string(), "dmarc", "alignment", "dkim"],
                    format!("DKIM can never align for `{}`", words::shown(&text)),
                    format!("the mail is signed by `{name}`, which strict alignment refuses"),
                    "declare the subdomain as an identity of its own, or leave it out (`relaxed`)",
                    Some((place, "sends from below the domain".to_owned())),
                );
            }
        }
    }
}

fn reports_elsewhere(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        let Some(dmarc) = own_dmarc(name, identity) else { continue };
        let domain = name.domain();
        for (key, addresses) in
            [("reports_to", &dmarc.reports_to), ("failure_reports_to", &dmarc.failure_reports_to)]
        {
            for address in addresses {
                let other = address.domain();
                if other.is_within(domain)
                    || domain.is_within(other)
                    || same_registration(domain, other)
                {
                    continue;
                }
                report.add(
                    &["identities", &name.to_string(), "dmarc", key, &address.to_string()],
                    format!("reports on `{domain}` go to `{}`", words::shown(other.as_str())),
                    "sent only if a record of that domain allows it",
                    format!("publish `{domain}._report._dmarc.{other}` as TXT `v=DMARC1`"),
                );
            }
        }
    }
}

/// Whether two names are below one registered name, as far as that shows without the list of public suffixes.
fn same_registration(one: &DomainName, other: &DomainName) -> bool {
    let parents = |name: &DomainName| {
        std::iter::successors(name.parent(), DomainName::parent).collect::<Vec<_>>()
    };
    // Under `co.uk` and its like everybody registers: a short label under a country.
    let is_registry = |name: &DomainName| {
        name.as_str().split_once('.').is_some_and(|(label, top)| label.len() <= 3 && top.len() == 2)
    };
    let others = parents(other);
    parents(one).iter().any(|parent| others.contains(parent) && !is_registry(parent))
}

fn failure_options(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        let Some(dmarc) = own_dmarc(name, identity) else { continue };
        if !dmarc.failure_options.is_empty() && dmarc.failure_reports_to.is_empty() {
            report.add(
                &["identities", &name.to_string(), "dmarc", "failure_options"],
                format!("nobody gets the failure reports of `{name}`"),
                "has no effect without `failure_reports_to`",
                "remove it, or name an address in `failure_reports_to`",
            );
        }
    }
}
