//! Identities: what an address may not have, keys of other Regions, hosted zones, sending authorization.

use super::{Assumes, Check, Report, Subject};
use crate::environment::finding::Severity;
use crate::environment::names::{DomainName, IdentityName, ZoneReference};
use crate::environment::types::{Dkim, DnsMode};
use crate::environment::words;
use crate::secrets::is_private_key;
use std::collections::BTreeSet;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "address-identity-setting",
        severity: Severity::Error,
        rule: "An address is signed by its domain's identity: it has no DKIM, signing switch or DMARC of its own.",
        assumes: Assumes::Nothing,
        run: address_settings,
    },
    Check {
        id: "replica-own-region",
        severity: Severity::Error,
        rule: "The key of a replica comes from another Region.",
        assumes: Assumes::Nothing,
        run: replica_own_region,
    },
    Check {
        id: "dns-without-records",
        severity: Severity::Warning,
        rule: "`dns` and `zone` say where records go; an identity that has none needs neither.",
        assumes: Assumes::Table,
        run: dns_without_records,
    },
    Check {
        id: "zone-outside-domain",
        severity: Severity::Error,
        rule: "The hosted zone of an identity is its domain or a parent of it.",
        assumes: Assumes::Nothing,
        run: zone_outside_domain,
    },
    Check {
        id: "zone-of-manual-dns",
        severity: Severity::Warning,
        rule: "A zone is written to only with `dns = \"route53\"`.",
        assumes: Assumes::Nothing,
        run: zone_of_manual_dns,
    },
    Check {
        id: "zone-unused",
        severity: Severity::Warning,
        rule: "A zone is named for the domains in it: one that nothing lies in may be misspelt.",
        assumes: Assumes::Sections(&["identities", "configuration_sets"]),
        run: zone_unused,
    },
    Check {
        id: "authorization-outside-identity",
        severity: Severity::Error,
        rule: "Sending authorization covers addresses of its own identity only.",
        assumes: Assumes::Nothing,
        run: authorization_outside_identity,
    },
    Check {
        id: "secret-source-empty",
        severity: Severity::Error,
        rule: "The place that a private key is read from has a name.",
        assumes: Assumes::Nothing,
        run: secret_source_empty,
    },
    Check {
        id: "secret-in-file",
        severity: Severity::Error,
        rule: "An environment file says where a private key is read from, and holds none.",
        assumes: Assumes::Nothing,
        run: secret_in_file,
    },
];

fn address_settings(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        if !name.is_address() {
            continue;
        }
        let text = name.to_string();
        let set = [
            ("dkim", identity.dkim.is_some()),
            ("dmarc", identity.dmarc.is_some()),
            ("signing", !identity.signing),
        ];
        for (key, _) in set.into_iter().filter(|(_, set)| *set) {
            report.add(
                &["identities", &text, key],
                format!("the address `{}` cannot have `{key}`", words::shown(&text)),
                "belongs to a domain",
                format!("move it to `[identities.\"{}\"]`", name.domain()),
            );
        }
    }
}

fn replica_own_region(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(region) = subject.region() else { return };
    for (name, identity) in &subject.settings().identities {
        if matches!(&identity.dkim, Some(Dkim::Replica { replica_of }) if replica_of == region) {
            report.add(
                &["identities", &name.to_string(), "dkim", "replica_of"],
                format!("`{name}` is a replica of itself"),
                format!("the environment is in `{region}` as well"),
                "name the Region of the identity that has the key",
            );
        }
    }
}

fn dns_without_records(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        let replica = matches!(identity.dkim, Some(Dkim::Replica { .. }));
        let records = identity.mail_from.is_some() || identity.dmarc.is_some();
        if records || !(replica || name.is_address()) {
            continue;
        }
        let text = name.to_string();
        let key = match (identity.zone.is_some(), identity.dns) {
            (true, _) => "zone",
            (false, DnsMode::Manual) => "dns",
            (false, DnsMode::Route53) => continue,
        };
        let what = if replica { "a replica" } else { "an address" };
        report.add(
            &["identities", &text, key],
            format!("`{}` has no DNS records", words::shown(&text)),
            format!("{what} without `mail_from` needs none"),
            "remove the line",
        );
    }
}

fn zone_outside_domain(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        if let Some(ZoneReference::Name(zone)) = &identity.zone
            && !name.domain().is_within(zone)
        {
            report.add(
                &["identities", &name.to_string(), "zone"],
                format!("`{}` has no place in the zone `{zone}`", name.domain()),
                "is neither the domain nor a parent of it",
                "leave `zone` out to use the zone with the longest matching name",
            );
        }
    }
}

fn zone_unused(subject: &Subject<'_>, report: &mut Report<'_>) {
    let settings = subject.settings();
    let sets = settings.configuration_sets.values();
    let tracking = sets.filter_map(|set| set.tracking.as_ref()).map(|tracking| &tracking.domain);
    let domains: BTreeSet<&DomainName> =
        settings.identities.keys().map(IdentityName::domain).chain(tracking).collect();
    let around: BTreeSet<DomainName> = domains.iter().flat_map(|domain| domain.lineage()).collect();
    let own_file = format!("environments/{}.toml", subject.environment.name);
    for zone in settings.zones.keys().filter(|zone| !around.contains(*zone)) {
        let free = around.iter().filter(|it| !settings.zones.contains_key(it));
        let near = words::nearest(zone.as_str(), free.map(DomainName::as_str));
        let path = ["zones", zone.as_str()];
        // A file underneath may name zones for all that extend it, whether or not they need them.
        if near.is_none() && subject.environment.origin(&path) != Some(&own_file) {
            continue;
        }
        report.add_at_key(
            &path,
            format!("nothing lies in the zone `{}`", words::shown(zone.as_str())),
            "no identity and no tracking domain is in it",
            match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it, once a plan no longer finds records of this environment in it"
                    .to_owned(),
            },
        );
    }
}

fn zone_of_manual_dns(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        if identity.zone.is_some() && identity.dns == DnsMode::Manual {
            report.add(
                &["identities", &name.to_string(), "zone"],
                format!("the zone of `{name}` is not written to"),
                "`dns = \"manual\"` leaves the records to somebody else",
                "remove `zone`, or `dns`",
            );
        }
    }
}

fn authorization_outside_identity(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        for (policy, authorization) in &identity.policies {
            for from in authorization.from.iter().filter(|from| !from.is_covered_by(name)) {
                let path = [
                    "identities",
                    &name.to_string(),
                    "policies",
                    policy.as_str(),
                    "from",
                    &from.to_string(),
                ];
                report.add(
                    &path,
                    format!("`{}` is no address of `{name}`", words::shown(&from.to_string())),
                    "the policy of an identity covers only its own addresses",
                    format!("write an address or pattern of `{}`", name.domain()),
                );
            }
        }
    }
}

fn secret_source_empty(subject: &Subject<'_>, report: &mut Report<'_>) {
    use crate::environment::types::SecretSource;
    for (name, identity) in &subject.settings().identities {
        let Some(Dkim::External { private_key, .. }) = &identity.dkim else { continue };
        let (key, empty) = match private_key {
            // A key that was pasted here is a worse fault, and has a finding of its own.
            SecretSource::Env(name) if is_private_key(name) => continue,
            SecretSource::Env(name) => ("env", name.is_empty() || name.contains(['=', '\0'])),
            SecretSource::File(path) => ("file", path.as_os_str().is_empty()),
            SecretSource::Ssm(name) => ("ssm", name.is_empty()),
            SecretSource::Secret(name) => ("secret", name.is_empty()),
        };
        if empty {
            report.add(
                &["identities", &name.to_string(), "dkim", "private_key", key],
                format!("this cannot be the name that the key of `{name}` is read from"),
                "names nothing",
                match key {
                    "env" => "write the name of an environment variable, such as `DKIM_KEY`",
                    "file" => "write a path below the project, such as `keys/dkim.pem`",
                    "ssm" => "write the name of an SSM parameter, such as `/mail/dkim`",
                    _ => "write the name or ARN of a secret",
                },
            );
        }
    }
}

/// A key that was pasted where its place belongs would be shown by whatever then says that there is no such place.
fn secret_in_file(subject: &Subject<'_>, report: &mut Report<'_>) {
    use crate::environment::types::SecretSource;
    for (name, identity) in &subject.settings().identities {
        let Some(Dkim::External { private_key, .. }) = &identity.dkim else { continue };
        let (key, place) = match private_key {
            SecretSource::Env(name) => ("env", name.as_str()),
            SecretSource::File(path) => ("file", path.to_str().unwrap_or_default()),
            SecretSource::Ssm(name) => ("ssm", name.as_str()),
            SecretSource::Secret(name) => ("secret", name.as_str()),
        };
        if is_private_key(place) {
            report.add(
                &["identities", &name.to_string(), "dkim", "private_key", key],
                format!("the private key of `{name}` is in this file"),
                "this is a key, not the place of one",
                "whoever can read this file has the key by now: make another one, keep it elsewhere, and write here where that is",
            );
        }
    }
}
