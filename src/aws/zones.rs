//! The public hosted zones that an environment can write to, and which of them a name belongs in.
//!
//! # Guarantees
//! Private zones are never chosen: SES and receivers cannot see them. Where two zones have one name, an id is asked for.

use crate::environment::names::{DomainName, RoleArn, ZoneReference};

/// A public hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostedZone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name, lower-case and without a trailing dot.
    pub name: String,
    /// The role to assume for it, where it is in another account.
    pub role: Option<RoleArn>,
}

/// Why no zone can be named for a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneProblem {
    /// No zone's name is a suffix of the domain.
    #[error("no public hosted zone holds {0}")]
    Missing(DomainName),
    /// The zone that was asked for is not there.
    #[error("there is no public hosted zone {0}")]
    Unknown(String),
    /// Several zones have the longest matching name.
    #[error("{} public hosted zones are called {name}: {}", .ids.len(), .ids.join(", "))]
    Ambiguous {
        /// Their name.
        name: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// The zone that was asked for cannot hold the domain.
    #[error("the hosted zone {zone} cannot hold {domain}")]
    Outside {
        /// The zone's name.
        zone: String,
        /// The domain.
        domain: DomainName,
    },
}

/// All public hosted zones within reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zones {
    zones: Vec<HostedZone>,
}

impl Zones {
    /// These zones.
    #[must_use]
    pub fn new(zones: impl IntoIterator<Item = HostedZone>) -> Self {
        let mut zones: Vec<HostedZone> = zones.into_iter().collect();
        zones.sort();
        zones.dedup();
        Self { zones }
    }

    /// The zone of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&HostedZone> {
        self.zones.iter().find(|zone| zone.id == id)
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &HostedZone> {
        self.zones.iter()
    }

    /// The zone for the records of `domain`: the one that was asked for, or the one with the longest matching name.
    pub fn find(
        &self,
        domain: &DomainName,
        wanted: Option<&ZoneReference>,
    ) -> Result<HostedZone, ZoneProblem> {
        let zone = match wanted {
            Some(ZoneReference::Id(id)) => self
                .get(id.as_str())
                .cloned()
                .ok_or_else(|| ZoneProblem::Unknown(id.to_string()))?,
            Some(ZoneReference::Name(name)) => {
                self.called(name.as_str())?.ok_or_else(|| ZoneProblem::Unknown(name.to_string()))?
            }
            None => return self.nearest(domain),
        };
        if holds(&zone.name, domain) {
            Ok(zone)
        } else {
            Err(ZoneProblem::Outside { zone: zone.name, domain: domain.clone() })
        }
    }

    fn nearest(&self, domain: &DomainName) -> Result<HostedZone, ZoneProblem> {
        let mut name = domain.as_str();
        loop {
            if let Some(zone) = self.called(name)? {
                return Ok(zone);
            }
            match name.split_once('.') {
                Some((_, parent)) => name = parent,
                None => return Err(ZoneProblem::Missing(domain.clone())),
            }
        }
    }

    fn called(&self, name: &str) -> Result<Option<HostedZone>, ZoneProblem> {
        let matching: Vec<&HostedZone> =
            self.zones.iter().filter(|zone| zone.name == name).collect();
        match matching.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some((*one).clone())),
            several => Err(ZoneProblem::Ambiguous {
                name: name.to_owned(),
                ids: several.iter().map(|zone| zone.id.clone()).collect(),
            }),
        }
    }
}

fn holds(zone: &str, domain: &DomainName) -> bool {
    domain.as_str() == zone
        || domain.as_str().strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}
