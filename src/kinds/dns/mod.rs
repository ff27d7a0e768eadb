//! The DNS records of one domain in Route 53: what proves, signs, authenticates and tracks its mail.
//!
//! Invariant: records own themselves. A claim beside the domain says whose each record is; `put` creates and keeps,
//! and only `retire`, once mail relies on the new, removes the old. Several environments, accounts and Regions can share
//! a zone and a domain.

mod claim;
mod documented;
mod going;
mod holders;
mod impact;
mod listing;
mod names;
mod needs;
mod reading;
mod record;
mod remarks;
mod standing;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::configuration_set::Sets;
use super::identity::{Going, Identities};
use crate::aws::{AwsError, Owner, Session};
use crate::engine::{
    Address, Arg, BoxError, Change, Field, Impact, Kind, Life, Live, OnParentDelete, Put, Reading,
    Wanted,
};

pub use claim::{Claim, Entry, Hold};
pub use going::removed;
pub use record::{Record, RecordType, Spec, TTL_SECONDS, normal_name, normal_value, written_value};

use listing::Listing;
use needs::Needs;
use record::Known;
use standing::{Standing, known};
use zone::Zones;

/// What labels of records start with that are no longer wanted, or not wanted there.
const FORMER: &str = "former ";

/// How an identity's marks name its records in the zone `zone`.
#[must_use]
pub fn token(zone: &str) -> String {
    format!("zone:{zone}")
}

/// How the marks of a configuration set name the record of its tracking domain in the zone `zone`.
#[must_use]
pub fn tracking_token(zone: &str, domain: &str) -> String {
    format!("zone:{zone}/{domain}")
}

/// The zone that a token of marks names, if it names one.
#[must_use]
pub fn zone_of(token: &str) -> Option<&str> {
    let zone = token.strip_prefix("zone:")?;
    Some(zone.split_once('/').map_or(zone, |(zone, _)| zone))
}

/// Rewrites the claim of `from` beside `domain` in these zones into one of the owner of `session`; every record stays.
///
/// # Errors
/// What Route 53 says. Doing it again is harmless.
pub async fn hand_over(
    session: &Arc<Session>,
    domain: &str,
    zones: &BTreeSet<String>,
    from: &Owner,
) -> Result<(), BoxError> {
    let (from, to) = (from.dns_id(domain), session.owner.dns_id(domain));
    let all = Zones::new(session);
    let needs = Needs::of(domain, None);
    for zone in zones {
        let edits =
            |listing: &Listing| Ok(Standing::of(domain, zone, &from, listing).hand_over(&to));
        all.write(zone, &needs, edits).await?;
    }
    Ok(())
}

/// What a record is called beside another that is called `label` already, as two MAIL FROM names of one domain are.
#[must_use]
pub fn label_beside(label: &str, name: &Arg<String>, domain: &str) -> String {
    let entry = name.get().ok().and_then(|name| Entry::of(label, name, domain));
    entry.map_or_else(|| label.to_owned(), |entry| entry.label_with_part())
}

/// The kind `dns`.
#[derive(Debug)]
pub struct Dns {
    session: Arc<Session>,
    identities: Arc<Identities>,
    sets: Arc<Sets>,
    zones: Zones,
    /// Abandoned zones that marks name, each with what carries the marks.
    abandoned: Mutex<BTreeSet<(Address, String)>>,
    /// In which zones there was something of a domain.
    places: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

/// Route 53 computes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {}

impl Dns {
    /// The records within reach of `session`.
    #[must_use]
    pub fn new(session: &Arc<Session>, identities: &Arc<Identities>, sets: &Arc<Sets>) -> Self {
        Self {
            session: Arc::clone(session),
            identities: Arc::clone(identities),
            sets: Arc::clone(sets),
            zones: Zones::new(session),
            abandoned: Mutex::default(),
            places: Mutex::default(),
        }
    }

    fn remember(&self, domain: &str, zone: &str) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.entry(domain.to_owned()).or_default().insert(zone.to_owned());
    }

    /// The zones in which there was something of `domain`, and those that `spec` names.
    fn zones_of(&self, domain: &str, spec: Option<&Spec>) -> BTreeSet<String> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = places.get(domain).into_iter().flatten().cloned();
        let named = spec.into_iter().flat_map(|spec| spec.records.values());
        remembered.chain(named.map(|record| record.zone.clone())).collect()
    }

    /// Removes from every zone what `to` no longer wants.
    async fn retire_all(
        &self,
        domain: &str,
        from: &Spec,
        to: Option<&Spec>,
    ) -> Result<(), BoxError> {
        let owner = self.session.owner.dns_id(domain);
        let mut needs = Needs::of(domain, Some(from));
        needs.add(domain, to);
        for zone in self.zones_of(domain, Some(from)) {
            let edits =
                |listing: &Listing| Standing::of(domain, &zone, &owner, listing).retire(from, to);
            // If the zone is gone, so is everything in it.
            self.zones.write(&zone, &needs, edits).await?;
        }
        Ok(())
    }

    /// Why what goes with `change` must stay for now; `None` if it may go. `planned` is what else is changed meanwhile.
    async fn reason_to_keep(
        &self,
        change: &Change<Spec>,
        planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, AwsError> {
        let Some(identity) = change.to.belongs_to.strip_prefix("identity.") else {
            return Ok(None);
        };
        let unwanted = going::unwanted(change.from.as_ref(), Some(&change.to));
        let key_of = |record: &Known<'_>| {
            record.name.split_once("._domainkey.").map(|(key, _)| key.to_owned())
        };
        let exchangers = unwanted.iter().filter(|record| record.kind == RecordType::Mx);
        let is_planned = |kind: &str| planned.contains(&Address::new(kind, identity));
        let going = Going {
            keys: unwanted.iter().filter_map(key_of).collect(),
            key_is_switched: is_planned("signing"),
            mail_from: exchangers.map(|record| record.name.clone()).collect(),
            mail_from_is_switched: is_planned("mail_from"),
        };
        self.identities.needs_records(identity, &going).await
    }
}

#[async_trait]
impl Kind for Dns {
    const NAME: &'static str = "dns";
    const LIFE: Life = Life::Child(OnParentDelete::Before);
    const WRITE_ONLY: &'static [&'static str] = &["belongs_to"];
    const SAYS_WHOSE: bool = true;

    type Spec = Spec;
    type Outputs = Outputs;

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        self.read_all(wanted, reading).await
    }

    async fn remarks(&self, wanted: &[Wanted<Spec>]) -> Result<Vec<(String, String)>, BoxError> {
        self.remarks_on(wanted).await
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let domain = change.name.as_str();
        let owner = self.session.owner.dns_id(domain);
        let zones: BTreeSet<&str> =
            change.to.records.values().map(|record| record.zone.as_str()).collect();
        let needs = Needs::of(domain, Some(&change.to));
        for zone in zones {
            let edits = |listing: &Listing| {
                let standing = Standing::of(domain, zone, &owner, listing);
                standing.publish(change, &owner)
            };
            self.remember(domain, zone);
            if !self.zones.write(zone, &needs, edits).await? {
                return Err(format!("there is no hosted zone {zone}").into());
            }
        }
        Ok(Put::Done(Some(Outputs {})))
    }

    async fn parent_is_held(&self, _name: &str, live: &Spec) -> Result<Option<String>, BoxError> {
        let held = self.held(&live.belongs_to.parse()?).await?;
        Ok(held.map(|held| held.to_string()))
    }

    async fn delete(&self, name: &str, live: &Spec) -> Result<Put<Outputs>, BoxError> {
        self.retire_all(name, live, None).await?;
        Ok(Put::Done(None))
    }

    async fn release(&self, name: &str, live: &Spec) -> Result<(), BoxError> {
        let owner = self.session.owner.dns_id(name);
        let needs = Needs::of(name, Some(live));
        for zone in self.zones_of(name, Some(live)) {
            let edits =
                |listing: &Listing| Ok(Standing::of(name, &zone, &owner, listing).let_go(&owner));
            self.zones.write(&zone, &needs, edits).await?;
        }
        Ok(())
    }

    fn retires(&self, change: &Change<Spec>) -> bool {
        let wanted: Vec<Known<'_>> = known(Some(&change.to)).collect();
        // An alias whose name is computed anew may leave an old one behind.
        let is_complete = change.to.records.values().all(|record| record.known().is_ok());
        let stays = |record: &Known<'_>| wanted.iter().any(|it| it.is_at(record));
        known(change.from.as_ref()).any(|record| !stays(&record)) || !is_complete
    }

    async fn retire(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        if let Some(reason) = self.reason_to_keep(change, &BTreeSet::new()).await? {
            return Ok(Put::Waiting(reason));
        }
        if let Some(from) = &change.from {
            self.retire_all(&change.name, from, Some(&change.to)).await?;
        }
        Ok(Put::Done(None))
    }

    async fn deferral(
        &self,
        change: &Change<Spec>,
        planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, BoxError> {
        let only_retires = change.fields.iter().all(|field| {
            field.path.strip_prefix("records.").is_some_and(|label| label.starts_with(FORMER))
        });
        if change.creates() || !only_retires {
            return Ok(None);
        }
        Ok(self.reason_to_keep(change, planned).await?)
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, _fields: &[Field]) -> Impact {
        impact::of(from, to)
    }

    fn examples() -> Vec<Spec> {
        documented::examples()
    }
}
