//! The public hosted zones that an environment can write to, and which of them a name belongs in.
//!
//! # Guarantees
//! Private zones are never chosen: SES and receivers cannot see them. Where two zones have one name, an id is asked for.

use std::collections::BTreeMap;

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
    /// How many record sets it had when it was listed, if that is known.
    pub sets: Option<usize>,
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
    by_id: BTreeMap<String, HostedZone>,
    /// The ids of those that have one name.
    by_name: BTreeMap<String, Vec<String>>,
}

impl Zones {
    /// These zones.
    #[must_use]
    pub fn new(zones: impl IntoIterator<Item = HostedZone>) -> Self {
        let by_id: BTreeMap<String, HostedZone> =
            zones.into_iter().map(|zone| (zone.id.clone(), zone)).collect();
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for zone in by_id.values() {
            by_name.entry(zone.name.clone()).or_default().push(zone.id.clone());
        }
        Self { by_id, by_name }
    }

    /// No zones.
    #[must_use]
    pub const fn none() -> Self {
        Self { by_id: BTreeMap::new(), by_name: BTreeMap::new() }
    }

    /// The zone of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&HostedZone> {
        self.by_id.get(id)
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &HostedZone> {
        self.by_id.values()
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
        match self.by_name.get(name).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([one]) => Ok(self.get(one).cloned()),
            Some(several) => {
                Err(ZoneProblem::Ambiguous { name: name.to_owned(), ids: several.to_vec() })
            }
        }
    }
}

fn holds(zone: &str, domain: &DomainName) -> bool {
    domain.as_str() == zone
        || domain.as_str().strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(pairs: &[(&str, &str)]) -> Zones {
        Zones::new(pairs.iter().map(|(id, name)| HostedZone {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            role: None,
            sets: None,
        }))
    }

    fn domain(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    fn reference(text: &str) -> ZoneReference {
        ZoneReference::parse(text).unwrap()
    }

    #[test]
    fn the_longest_matching_name_wins() {
        let zones = zones(&[("Z1", "pivot.app"), ("Z2", "mail.pivot.app"), ("Z3", "ivot.app")]);
        let id = |name| zones.find(&domain(name), None).unwrap().id;
        assert_eq!(id("pivot.app"), "Z1");
        assert_eq!(id("a.b.mail.pivot.app"), "Z2");
        assert_eq!(id("hail.pivot.app"), "Z1");
        assert_eq!(
            zones.find(&domain("example.org"), None),
            Err(ZoneProblem::Missing(domain("example.org")))
        );
    }

    #[test]
    fn two_zones_of_one_name_need_an_id() {
        let zones = zones(&[("ZAAAA1", "pivot.app"), ("ZAAAA2", "pivot.app")]);
        let problem = zones.find(&domain("pivot.app"), None).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "2 public hosted zones are called pivot.app: ZAAAA1, ZAAAA2"
        );
        assert_eq!(
            zones.find(&domain("pivot.app"), Some(&reference("ZAAAA2"))).unwrap().id,
            "ZAAAA2"
        );
    }

    #[test]
    fn a_zone_that_was_asked_for_must_be_there_and_hold_the_domain() {
        let zones = zones(&[("ZAAAA1", "pivot.app"), ("ZAAAA2", "example.org")]);
        let find = |wanted| zones.find(&domain("mail.pivot.app"), Some(&reference(wanted)));
        assert_eq!(find("pivot.app").unwrap().id, "ZAAAA1");
        assert!(matches!(find("example.org"), Err(ZoneProblem::Outside { .. })));
        assert!(matches!(find("ZAAAA9"), Err(ZoneProblem::Unknown(_))));
    }
}
