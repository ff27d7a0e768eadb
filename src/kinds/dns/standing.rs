//! What stands for one domain in one zone, and the edits by which it becomes what is wanted.
//!
//! Invariant: pure. Nothing that our claim does not have, or that another owner's claim holds too, is ever removed,
//! and no second value is put where only one can stand.

use std::collections::BTreeMap;

use super::claim::{Claim, Entry, Hold, claim_name};
use super::listing::Listing;
use super::record::{Known, RecordType, Spec, TTL_SECONDS};
use super::zone::Edit;
use crate::engine::{BoxError, Change};

/// Something stands where a record is to be, and it is not ours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Conflict {
    /// Another value.
    #[error("{name} already has {kind} {} in the zone {zone}, which sesinfra did not make, and only one value can stand there", .found.join(" and "))]
    Value {
        /// The zone.
        zone: String,
        /// The name.
        name: String,
        /// The type.
        kind: RecordType,
        /// The values.
        found: Vec<String>,
    },
    /// Other values where our claim has one, or beside it.
    #[error("{name} has {kind} {} in the zone {zone}, and only one value can stand there", .found.join(" and "))]
    Changed {
        /// The zone.
        zone: String,
        /// The name.
        name: String,
        /// The type.
        kind: RecordType,
        /// The values.
        found: Vec<String>,
    },
    /// A value that another environment, account or Region relies on.
    #[error(
        "{name} {kind} belongs to another owner of sesinfra's, {owner}, and only one value can stand there"
    )]
    Claimed {
        /// The name.
        name: String,
        /// The type.
        kind: RecordType,
        /// The owner's id.
        owner: String,
    },
    /// Other types at the name of an alias, or an alias at the name of another type.
    #[error("{name} already has {found} in the zone {zone}: an alias (CNAME) stands alone")]
    Alias {
        /// The zone.
        zone: String,
        /// The name.
        name: String,
        /// The types.
        found: String,
    },
    /// A set with a routing policy or an alias of Route 53's own.
    #[error(
        "{name} {kind} in the zone {zone} has a routing policy or is an alias of Route 53's: sesinfra writes plain records only"
    )]
    Routed {
        /// The zone.
        zone: String,
        /// The name.
        name: String,
        /// The type.
        kind: RecordType,
    },
    /// The names of this zone are kept by another program.
    #[error(
        "{name} is kept by external-dns (heritage record `{heritage}`), which would undo what sesinfra writes"
    )]
    Heritage {
        /// The name.
        name: String,
        /// What says so.
        heritage: String,
    },
}

/// What stands for one domain in one zone.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    domain: &'a str,
    zone: &'a str,
    listing: &'a Listing,
    /// Our claim.
    pub(super) mine: Option<Claim>,
    others: Vec<Claim>,
}

impl<'a> Standing<'a> {
    /// What stands for `domain` in the zone `zone` of this listing, seen by `owner`.
    pub(super) fn of(domain: &'a str, zone: &'a str, owner: &str, listing: &'a Listing) -> Self {
        let texts = listing.values(&claim_name(domain), RecordType::Txt);
        let (mine, others): (Vec<Claim>, Vec<Claim>) = texts
            .iter()
            .filter_map(|text| Claim::parse(text))
            .partition(|claim| claim.owner == owner);
        // Somebody may have written a second one by hand: what either says is ours is ours.
        let mine = mine.into_iter().reduce(|mut first, second| {
            first.entries.extend(second.entries);
            first
        });
        Self { domain, zone, listing, mine, others }
    }

    /// The zone.
    pub(super) const fn zone(&self) -> &str {
        self.zone
    }

    /// The values that stand at the place of `entry` and are of its sort.
    pub(super) fn found(&self, entry: &Entry) -> Vec<String> {
        let values = self.listing.values(&entry.name(self.domain), entry.kind());
        values.into_iter().filter(|value| entry.is_its_sort(value)).collect()
    }

    /// The time to live at the place of `entry`, unless values of others share it.
    pub(super) fn own_ttl(&self, entry: &Entry) -> Option<i64> {
        let set = self.listing.set(&entry.name(self.domain), entry.kind())?;
        let is_shared = set.values.len() > self.found(entry).len();
        set.ttl.filter(|_| !is_shared)
    }

    /// Another owner whose claim holds the record of `entry`.
    pub(super) fn other_holder(&self, entry: &Entry) -> Option<&str> {
        self.others
            .iter()
            .find(|claim| claim.hold(entry).is_some())
            .map(|claim| claim.owner.as_str())
    }

    /// Whether our claim has, or uses, the record of `entry`.
    pub(super) fn hold(&self, entry: &Entry) -> Option<Hold> {
        self.mine.as_ref().and_then(|claim| claim.hold(entry))
    }

    /// What keeps a record of `entry` from standing at its place whatever its value.
    pub(super) fn obstacle(&self, entry: &Entry) -> Option<Conflict> {
        let (name, kind) = (entry.name(self.domain), entry.kind());
        let zone = self.zone.to_owned();
        if self.listing.set(&name, kind).is_some_and(|set| !set.is_plain) {
            return Some(Conflict::Routed { zone, name, kind });
        }
        if let Some(heritage) = self.heritage(&name, kind) {
            return Some(Conflict::Heritage { name, heritage });
        }
        let is_alias = kind == RecordType::Cname;
        let bars = |other: &&str| *other != kind.as_str() && (is_alias || *other == "CNAME");
        let types: Vec<&str> = self.listing.types_at(&name).filter(bars).collect();
        let found = types.join(" and ");
        (!types.is_empty()).then_some(Conflict::Alias { zone, name, found })
    }

    /// The mark of external-dns, at the record's own name or beside it.
    fn heritage(&self, name: &str, kind: RecordType) -> Option<String> {
        let beside = heritage_name(name, kind);
        let texts =
            [name, &beside].into_iter().flat_map(|at| self.listing.values(at, RecordType::Txt));
        texts.into_iter().find(|text| text.starts_with("heritage=external-dns"))
    }

    /// Why a value that differs from what stands at the place of `entry` may not take its place.
    pub(super) fn conflict(&self, entry: &Entry) -> Conflict {
        let (name, kind) = (entry.name(self.domain), entry.kind());
        if let Some(owner) = self.other_holder(entry) {
            return Conflict::Claimed { name, kind, owner: owner.to_owned() };
        }
        let (zone, found) = (self.zone.to_owned(), self.found(entry));
        match self.hold(entry) {
            Some(Hold::Has) => Conflict::Changed { zone, name, kind, found },
            Some(Hold::Uses) | None => Conflict::Value { zone, name, kind, found },
        }
    }

    /// The edits that publish what `to` wants in this zone. What is no longer wanted stays.
    ///
    /// `change.from` is what the plan showed to stand there: what is neither claimed nor, where it is to be adopted, in it
    /// is not overwritten.
    pub(super) fn publish(
        &self,
        change: &Change<Spec>,
        owner: &str,
    ) -> Result<Vec<Edit>, BoxError> {
        let mut edits = Vec::new();
        let mut entries: BTreeMap<Entry, Hold> = BTreeMap::new();
        for (label, record) in &change.to.records {
            let wanted = record.known()?;
            let entry = Entry::of(label, &wanted.name, self.domain).ok_or_else(|| {
                format!("{label} of {} cannot be at {}", self.domain, wanted.name)
            })?;
            let hold = self.publish_one(&entry, &wanted, change, &mut edits)?;
            entries.insert(entry, hold);
        }
        let mut claim = Claim { owner: owner.to_owned(), entries };
        for (entry, hold) in self.mine.iter().flat_map(|mine| &mine.entries) {
            if claim.hold(entry).is_none() && !self.found(entry).is_empty() {
                claim.entries.insert(entry.clone().retired(), *hold);
            }
        }
        self.write_claim(&claim, &mut edits);
        Ok(edits)
    }

    fn publish_one(
        &self,
        entry: &Entry,
        wanted: &Known<'_>,
        change: &Change<Spec>,
        edits: &mut Vec<Edit>,
    ) -> Result<Hold, BoxError> {
        let from = change.from.as_ref();
        if let Some(obstacle) = self.obstacle(entry) {
            return Err(obstacle.into());
        }
        let found = self.found(entry);
        let held = self.hold(entry);
        let is_shared = self.own_ttl(entry).is_none() && !found.is_empty();
        let add = |edits: &mut Vec<Edit>| {
            let (name, kind, value) = (wanted.name.clone(), wanted.kind, wanted.value.clone());
            let shared_ttl = self.listing.set(&name, kind).and_then(|set| set.ttl);
            let beside_others = is_shared || (found.is_empty() && shared_ttl.is_some());
            let ttl = if beside_others { shared_ttl.unwrap_or(wanted.ttl) } else { wanted.ttl };
            edits.push(Edit::Add { name, kind, value, ttl });
        };
        if found.iter().eq([&wanted.value]) {
            // What was there before us is used, not owned. A claim that is gone although the records were ours was
            // deleted by hand.
            let lost_claim = from.is_some() && self.mine.is_none();
            let claimed = match held {
                _ if change.adopts && self.other_holder(entry).is_none() => Hold::Has,
                Some(held) => held,
                None if lost_claim && !change.adopts => Hold::Has,
                None => Hold::Uses,
            };
            if claimed == Hold::Has && self.other_holder(entry).is_none() {
                add(edits);
            }
            return Ok(claimed);
        }
        if !found.is_empty() {
            let shown =
                change.adopts && from.is_some_and(|from| shows(from, wanted, &found.join(" and ")));
            let is_mine = held == Some(Hold::Has) && found.len() == 1;
            if self.other_holder(entry).is_some() || !(is_mine || shown) {
                return Err(self.conflict(entry).into());
            }
            let (name, kind) = (&wanted.name, wanted.kind);
            edits.extend(found.iter().map(|value| Edit::Remove {
                name: name.clone(),
                kind,
                value: value.clone(),
            }));
        }
        add(edits);
        Ok(Hold::Has)
    }

    /// The edits that remove what our claim has in this zone and `to` no longer wants. `from` is what the plan showed;
    /// what stands there otherwise is not touched.
    pub(super) fn retire(&self, from: &Spec, to: Option<&Spec>) -> Result<Vec<Edit>, BoxError> {
        let Some(mine) = &self.mine else { return Ok(Vec::new()) };
        let wanted: Vec<Known<'_>> = known(to).collect();
        let shown: Vec<Known<'_>> = known(Some(from)).collect();
        let mut edits = Vec::new();
        let mut claim = Claim { owner: mine.owner.clone(), entries: BTreeMap::new() };
        let mut left = Vec::new();
        for (entry, hold) in &mine.entries {
            let place = self.place(entry);
            if wanted.iter().any(|record| record.is_at(&place)) {
                claim.entries.insert(entry.clone(), *hold);
                continue;
            }
            let found = self.found(entry);
            if found.is_empty() || *hold == Hold::Uses {
                continue;
            }
            if self.other_holder(entry).is_some() {
                left.push(entry);
                continue;
            }
            let value = found.join(" and ");
            if !shown.iter().any(|record| record.is_at(&place) && record.value == value) {
                return Err(
                    format!("{} {} changed meanwhile: plan again", place.name, place.kind).into()
                );
            }
            edits.extend(found.into_iter().map(|value| Edit::Remove {
                name: place.name.clone(),
                kind: place.kind,
                value,
            }));
        }
        self.write_claim(&claim, &mut edits);
        self.bequeath(&left, &mut edits);
        Ok(edits)
    }

    /// Makes what we made and others still use theirs, so that the last of them takes it away when it goes.
    fn bequeath(&self, left: &[&Entry], edits: &mut Vec<Edit>) {
        let is_had =
            |entry: &Entry| self.others.iter().any(|claim| claim.hold(entry) == Some(Hold::Has));
        let mut heirs: BTreeMap<&str, Claim> = BTreeMap::new();
        for entry in left.iter().filter(|entry| !is_had(entry)) {
            let users = self.others.iter().filter(|claim| claim.hold(entry).is_some());
            let Some(heir) = users.min_by_key(|claim| &claim.owner) else { continue };
            heirs.entry(&heir.owner).or_insert_with(|| heir.clone()).inherit(entry);
        }
        for claim in heirs.values() {
            self.write_claim(claim, edits);
        }
    }

    /// The edits that take our claim away and leave every record.
    pub(super) fn let_go(&self, owner: &str) -> Vec<Edit> {
        let mut edits = Vec::new();
        self.write_claim(&Claim { owner: owner.to_owned(), entries: BTreeMap::new() }, &mut edits);
        edits
    }

    /// The edits that make our claim another owner's.
    pub(super) fn hand_over(&self, to: &str) -> Vec<Edit> {
        let Some(mine) = &self.mine else { return Vec::new() };
        let mut entries = mine.entries.clone();
        for claim in self.others.iter().filter(|claim| claim.owner == to) {
            for (entry, hold) in &claim.entries {
                // What either made is made by the one that both are.
                let both = entries.entry(entry.clone()).or_insert(*hold);
                if *hold == Hold::Has {
                    *both = Hold::Has;
                }
            }
        }
        let mut edits = self.let_go(&mine.owner);
        self.write_claim(&Claim { owner: to.to_owned(), entries }, &mut edits);
        edits
    }

    /// The place of `entry` in this zone, without a value.
    pub(super) fn place(&self, entry: &Entry) -> Known<'_> {
        Known {
            zone: self.zone,
            name: entry.name(self.domain),
            kind: entry.kind(),
            value: String::new(),
            ttl: TTL_SECONDS,
        }
    }

    fn write_claim(&self, claim: &Claim, edits: &mut Vec<Edit>) {
        let (name, kind) = (claim_name(self.domain), RecordType::Txt);
        let text = claim.to_string();
        let ttl = self.listing.set(&name, kind).and_then(|set| set.ttl).unwrap_or(TTL_SECONDS);
        for value in self.listing.values(&name, kind) {
            let is_mine = Claim::parse(&value).is_some_and(|other| other.owner == claim.owner);
            if is_mine && (value != text || claim.entries.is_empty()) {
                edits.push(Edit::Remove { name: name.clone(), kind, value });
            }
        }
        if !claim.entries.is_empty() {
            edits.push(Edit::Add { name, kind, value: text, ttl });
        }
    }
}

/// Where the mark of external-dns on a record stands in newer versions; in older ones it stands at the record's own name.
pub(super) fn heritage_name(name: &str, kind: RecordType) -> String {
    format!("{}-{name}", kind.as_str().to_ascii_lowercase())
}

/// The records of `spec` whose names and values are known.
pub(super) fn known(spec: Option<&Spec>) -> impl Iterator<Item = Known<'_>> {
    spec.into_iter().flat_map(|spec| spec.records.values()).filter_map(|record| record.known().ok())
}

/// Whether the plan showed `value` at the place of `wanted`.
fn shows(from: &Spec, wanted: &Known<'_>, value: &str) -> bool {
    known(Some(from)).any(|record| record.is_at(wanted) && record.value == value)
}

#[cfg(test)]
mod tests;
