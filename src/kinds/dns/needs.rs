//! Which parts of a zone have to be read for the domains that matter.
//!
//! Invariant: whatever is asked of a listing about a domain lies in a part that is named here.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Claim, claim_name};
use super::listing::{Key, Listing, Part, Parts};
use super::record::{RecordType, Spec, normal_name};
use super::standing::heritage_name;

/// What has to be known of one zone.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    is_all: bool,
    domains: BTreeMap<String, BTreeSet<Part>>,
}

impl Needs {
    /// What concerns `domain`, whose records are to be as `spec` says.
    pub(super) fn of(domain: &str, spec: Option<&Spec>) -> Self {
        let mut needs = Self::default();
        needs.add(domain, spec);
        needs
    }

    /// As well what concerns `domain`, whose records are to be as `spec` says.
    pub(super) fn add(&mut self, domain: &str, spec: Option<&Spec>) {
        let parts = self.domains.entry(domain.to_owned()).or_default();
        parts.insert(Part::name(&claim_name(domain)));
        // Names of Easy DKIM that are not known yet will be below this one, as are those that are left over.
        parts.insert(Part::tree(&format!("_domainkey.{domain}")));
        for record in spec.into_iter().flat_map(|spec| spec.records.values()) {
            let Ok(name) = record.name.get() else { continue };
            let name = normal_name(name);
            parts.insert(Part::name(&heritage_name(&name, record.kind)));
            parts.insert(Part::name(&name));
        }
    }

    /// All of the zone.
    pub(super) fn add_all(&mut self) {
        self.is_all = true;
    }

    /// Whether all of the zone is needed.
    pub(super) const fn is_all(&self) -> bool {
        self.is_all
    }

    /// The domains of which something is needed.
    pub(super) fn domains(&self) -> impl Iterator<Item = &str> {
        self.domains.keys().map(String::as_str)
    }

    /// The parts in which all that lies, by what is known already: a claim names further records.
    pub(super) fn parts(&self, known: Option<&Listing>) -> Parts {
        if self.is_all {
            return Parts::all();
        }
        let mut parts = Parts::default();
        for (domain, needed) in &self.domains {
            parts.extend(needed.iter().cloned());
            let name = claim_name(domain);
            let known = known.filter(|known| known.seen().holds(&Key::of(&name)));
            let texts = known.map(|known| known.values(&name, RecordType::Txt));
            let claims = texts.iter().flatten().filter_map(|text| Claim::parse(text));
            let entries = claims.flat_map(|claim| claim.entries.into_keys());
            parts.extend(entries.map(|entry| Part::name(&entry.name(domain))));
        }
        parts
    }
}
