//! What the other environment files of the project say of this account and Region, which AWS does not say here.
//!
//! Invariant: taken from the files alone. A file is no proof that something exists, nor its silence that nothing does.

use std::collections::{BTreeMap, BTreeSet};

use super::{Arns, Owner};
use crate::environment::Environment;

/// The other environments of a project, seen from one of them.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// Who they are, each with what it is called here.
    owners: Vec<(Owner, String)>,
    /// The other Regions in which they have something of this account.
    regions: BTreeSet<String>,
    /// The Regions in which they declare a replica of an identity of this Region, by the identity's name.
    replicas: BTreeMap<String, BTreeSet<String>>,
}

impl Neighbours {
    /// No neighbours.
    pub(super) const fn none() -> Self {
        Self { owners: Vec::new(), regions: BTreeSet::new(), replicas: BTreeMap::new() }
    }

    /// The neighbours of `environment`.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let aws = &environment.settings.aws;
        let mut found = Self::none();
        for one in &environment.neighbours {
            let arns = Arns::new(one.account.clone(), one.region.clone());
            let owner = Owner::new(one.project.clone(), one.name.clone(), &arns);
            found.owners.push((owner, one.to_string()));
            if one.account != aws.account || one.region == aws.region {
                continue;
            }
            found.regions.insert(one.region.to_string());
            for (name, _) in one.replicas.iter().filter(|(_, parent)| **parent == aws.region) {
                let regions = found.replicas.entry(name.to_string()).or_default();
                regions.insert(one.region.to_string());
            }
        }
        found
    }

    /// `text` about `domain`, with the names of owners that are known in the place of what they are called in DNS.
    #[must_use]
    pub fn named(&self, text: &str, domain: &str) -> String {
        self.owners
            .iter()
            .fold(text.to_owned(), |text, (owner, name)| text.replace(&owner.dns_id(domain), name))
    }

    /// The other Regions in which there may be something of this account.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.regions.iter().map(String::as_str)
    }

    /// The Regions in which a replica of the identity `name` is declared.
    pub fn replicas_of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.replicas.get(name).into_iter().flatten().map(String::as_str)
    }
}
