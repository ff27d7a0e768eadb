//! The DNS records of domains: published by us in Route 53, or listed for somebody else.
//!
//! Invariant: every name is published once, in the zone that answers for it, whoever needs it: records of several
//! identities and tracking domains that stand under one name are one resource.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Draft, dmarc, identity_address};
use crate::aws::{Facts, HostedZone, ZoneProblem};
use crate::engine::{Address, Arg};
use crate::environment::Environment;
use crate::environment::names::{DomainName, IdentityName, SetName, ZoneReference};
use crate::environment::types::{Dkim, DnsMode, Identity, Tracking};
use crate::kinds::dns;
use crate::kinds::identity::{DKIM_NAMES, DKIM_TARGETS, KEY_AT_HAND};

pub use crate::kinds::dns::RecordType;

/// A record that somebody else publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualRecord {
    /// The name of the identity it is for, or the tracking domain.
    pub owner: Arc<str>,
    /// The resource that needs it.
    pub needed_by: Address,
    /// Its name.
    pub name: Arg<String>,
    /// Its type.
    pub kind: RecordType,
    /// Its value, a text without quotes.
    pub value: Arg<String>,
    /// What it is for.
    pub purpose: &'static str,
}

/// SPF of a MAIL FROM domain (developer guide, "Using a custom MAIL FROM domain").
const SPF: &str = "v=spf1 include:amazonses.com ~all";

/// A record that an identity or a tracking domain needs.
struct Needed {
    label: String,
    name: Arg<String>,
    kind: RecordType,
    value: Arg<String>,
    purpose: &'static str,
    /// The domain by which its zone is found.
    domain: DomainName,
}

/// The address of the records under `domain`.
fn dns_address(domain: &str) -> Address {
    Address::new(<dns::Dns as crate::engine::Kind>::NAME, domain)
}

/// Adds them to `into`.
pub(super) fn records(environment: &Environment, facts: &Facts, into: &mut Draft) {
    let mut published = Published { environment, facts, nodes: BTreeMap::new() };
    for (name, identity) in identities(environment, DnsMode::Route53) {
        let place = Place { key: ["identities", &name.to_string()], zone: identity.zone.as_ref() };
        let needed = of_identity(facts, name, identity);
        published.add(name.domain(), &identity_address(name), &place, needed, into);
    }
    for (set, tracking) in tracking_domains(environment, DnsMode::Route53) {
        let place = Place { key: ["configuration_sets", set.as_str()], zone: None };
        let needed = vec![of_tracking(facts, tracking)];
        published.add(&tracking.domain, &set_address(set), &place, needed, into);
    }
    published.finish(into);
}

/// The records that somebody else publishes, for all of `environment`.
pub fn manual_records(
    environment: &Environment,
    facts: &Facts,
) -> impl Iterator<Item = ManualRecord> {
    let of_identities = identities(environment, DnsMode::Manual).flat_map(|(name, identity)| {
        listed(name.to_string(), identity_address(name), of_identity(facts, name, identity))
    });
    let of_sets = tracking_domains(environment, DnsMode::Manual).flat_map(|(set, tracking)| {
        let name = tracking.domain.to_string();
        listed(name, set_address(set), vec![of_tracking(facts, tracking)])
    });
    of_identities.chain(of_sets)
}

fn listed(
    owner: String,
    needed_by: Address,
    needed: Vec<Needed>,
) -> impl Iterator<Item = ManualRecord> {
    let owner: Arc<str> = owner.into();
    needed.into_iter().map(move |Needed { name, kind, value, purpose, .. }| ManualRecord {
        owner: Arc::clone(&owner),
        needed_by: needed_by.clone(),
        name,
        kind,
        value,
        purpose,
    })
}

fn set_address(set: &SetName) -> Address {
    Address::new("configuration_set", set.as_str())
}

/// The identities whose records are published in this way.
fn identities(
    environment: &Environment,
    dns: DnsMode,
) -> impl Iterator<Item = (&IdentityName, &Identity)> {
    environment.settings.identities.iter().filter(move |(_, identity)| identity.dns == dns)
}

/// The tracking domains whose records are published in this way, each with its set.
fn tracking_domains(
    environment: &Environment,
    dns: DnsMode,
) -> impl Iterator<Item = (&SetName, &Tracking)> {
    let sets = environment.settings.configuration_sets.iter();
    let sets = sets.filter_map(|(name, set)| Some((name, set.tracking.as_ref()?)));
    sets.filter(move |(_, tracking)| tracking.dns == dns)
}

/// Where in the file it says what needs a zone, and which zone it names.
struct Place<'a> {
    key: [&'a str; 2],
    zone: Option<&'a ZoneReference>,
}

/// Records of one domain on their way into one resource.
struct Node {
    parent: Address,
    /// How the parent's marks name it.
    token: String,
    spec: dns::Spec,
}

/// The resources that publish records.
struct Published<'a> {
    environment: &'a Environment,
    facts: &'a Facts,
    nodes: BTreeMap<String, Node>,
}

impl Published<'_> {
    fn add(
        &mut self,
        domain: &DomainName,
        parent: &Address,
        place: &Place<'_>,
        needed: Vec<Needed>,
        into: &mut Draft,
    ) {
        let mut reported = false;
        for record in needed {
            let zone = match self.facts.zones.find(&record.domain, place.zone) {
                Ok(zone) => zone,
                // One finding for a domain is enough.
                Err(problem) => {
                    if !std::mem::replace(&mut reported, true) {
                        into.find(zone_finding(self.environment, place, &problem));
                    }
                    continue;
                }
            };
            self.add_one(domain, parent, &zone, record, place, into);
        }
    }

    fn add_one(
        &mut self,
        domain: &DomainName,
        parent: &Address,
        zone: &HostedZone,
        record: Needed,
        place: &Place<'_>,
        into: &mut Draft,
    ) {
        // The claim beside the records must lie in their zone: where a name below the domain is a zone of its own,
        // its records are a resource of their own too.
        let is_delegated =
            zone.name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
        let name = if is_delegated { &zone.name } else { domain.as_str() };
        if record.kind == RecordType::Cname && record.name == Arg::Known(zone.name.clone()) {
            let message =
                format!("{} is the hosted zone itself, where no CNAME can stand", zone.name);
            let help = "choose a name below it, or write the record by hand (`dns = \"manual\"`)";
            into.find(self.environment.finding("cname-at-apex", &place.key, message, "", help));
            return;
        }
        let token = match parent.kind() {
            "configuration_set" => dns::tracking_token(&zone.id, name),
            _ => dns::token(&zone.id),
        };
        let node = self.nodes.entry(name.to_owned()).or_insert_with(|| Node {
            parent: parent.clone(),
            token,
            spec: dns::Spec { belongs_to: parent.to_string(), records: BTreeMap::new() },
        });
        into.needs_records(parent, dns_address(name));
        let wanted = dns::Record::declared(&zone.id, record.name, record.kind, record.value);
        let label = label_for(&node.spec, name, &record.label, &wanted);
        node.spec.records.insert(label, wanted);
    }

    fn finish(self, into: &mut Draft) {
        for (domain, node) in self.nodes {
            if let Some(resource) = into.resource(dns_address(&domain), &node.spec) {
                into.add(resource.under(node.parent).known_as(node.token));
            }
        }
    }
}

/// The label of a record among those of its domain: with the name too where another of the kind has the plain label.
fn label_for(spec: &dns::Spec, domain: &str, label: &str, wanted: &dns::Record) -> String {
    match spec.records.get(label) {
        Some(other) if other.name != wanted.name => dns::label_beside(label, &wanted.name, domain),
        _ => label.to_owned(),
    }
}

fn of_identity(facts: &Facts, name: &IdentityName, identity: &Identity) -> Vec<Needed> {
    let domain = name.domain();
    let mut needed = Vec::new();
    if !name.is_address() {
        needed.extend(of_dkim(facts, name, identity));
    }
    // A MAIL FROM that makes no domain name is reported where the identity itself is drawn up.
    let mail_from = identity.mail_from.as_ref().and_then(|it| it.domain(name).ok());
    needed.extend(mail_from.into_iter().flat_map(|domain| of_mail_from(facts, &domain)));
    if let (false, Some(dmarc)) = (name.is_address(), &identity.dmarc) {
        needed.push(Needed {
            label: "dmarc".to_owned(),
            name: Arg::Known(format!("_dmarc.{domain}")),
            kind: RecordType::Txt,
            value: Arg::Known(dmarc::text(dmarc)),
            purpose: "DMARC",
            domain: domain.clone(),
        });
    }
    needed
}

fn of_dkim(facts: &Facts, name: &IdentityName, identity: &Identity) -> Vec<Needed> {
    let domain = name.domain();
    match identity.dkim.clone().unwrap_or_default() {
        // A replica signs with the key of its parent, whose records are enough.
        Dkim::Replica { .. } => Vec::new(),
        Dkim::Easy { .. } => {
            let address = identity_address(name);
            let records =
                DKIM_NAMES.iter().zip(&DKIM_TARGETS).zip(1..).map(|((name, target), number)| {
                    Needed {
                        label: format!("dkim {number} of 3"),
                        name: name.of(&address),
                        kind: RecordType::Cname,
                        value: target.of(&address),
                        purpose: "DKIM",
                        domain: domain.clone(),
                    }
                });
            records.collect()
        }
        Dkim::External { selector, .. } => {
            let value = match facts.keys.get(name) {
                Some(key) => Arg::Known(format!("p={key}")),
                None => KEY_AT_HAND.of(&identity_address(name)),
            };
            vec![Needed {
                label: "dkim key".to_owned(),
                name: Arg::Known(format!("{selector}._domainkey.{domain}")),
                kind: RecordType::Txt,
                value,
                purpose: "DKIM",
                domain: domain.clone(),
            }]
        }
    }
}

fn of_mail_from(facts: &Facts, name: &DomainName) -> [Needed; 2] {
    let record = |label: &str, kind, value: String, purpose| Needed {
        label: label.to_owned(),
        name: Arg::Known(name.to_string()),
        kind,
        value: Arg::Known(value),
        purpose,
        domain: name.clone(),
    };
    let exchanger = format!("10 feedback-smtp.{}.amazonses.com", facts.arns.region());
    [
        record("mail-from mx", RecordType::Mx, exchanger, "MAIL FROM"),
        record("mail-from spf", RecordType::Txt, SPF.to_owned(), "SPF of MAIL FROM"),
    ]
}

fn of_tracking(facts: &Facts, tracking: &Tracking) -> Needed {
    let of_aws = || format!("r.{}.awstrack.me", facts.arns.region());
    let target = tracking.target.as_ref().map_or_else(of_aws, ToString::to_string);
    Needed {
        label: "tracking".to_owned(),
        name: Arg::Known(tracking.domain.to_string()),
        kind: RecordType::Cname,
        value: Arg::Known(target),
        purpose: "tracking",
        domain: tracking.domain.clone(),
    }
}

fn zone_finding(
    environment: &Environment,
    place: &Place<'_>,
    problem: &ZoneProblem,
) -> crate::environment::Finding {
    let (id, label, help) = match problem {
        ZoneProblem::Missing(domain) => (
            "zone-missing",
            "needs DNS records",
            format!(
                "create a public hosted zone in this account, name a role under `[zones.\"{domain}\"]` if it is in \
                 another, or set `dns = \"manual\"`"
            ),
        ),
        ZoneProblem::Unknown(_) => (
            "zone-unknown",
            "this zone is not there",
            "name a public hosted zone of this account, or a role for another account's under `[zones]`".to_owned(),
        ),
        ZoneProblem::Ambiguous { name, ids } => (
            "zone-ambiguous",
            "could go into any of them",
            format!("write under `[zones.\"{name}\"]`: `id = \"{}\"`", ids.join("\"` or `id = \"")),
        ),
        ZoneProblem::Outside { .. } => (
            "zone-outside",
            "is not in that zone",
            "leave `zone` out, and the zone is found by its name".to_owned(),
        ),
    };
    let [table, name] = place.key;
    let key = if place.zone.is_some() { &[table, name, "zone"][..] } else { &[table, name][..] };
    environment.finding(id, key, problem.to_string(), label, help)
}

#[cfg(test)]
mod tests;
