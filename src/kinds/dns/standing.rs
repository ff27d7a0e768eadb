//! What stands for one domain in one zone, and the edits by which it becomes what is wanted.
//!
//! Invariant: pure. Nothing that our claim does not have, or that another owner's claim holds too, is ever removed,
//! and no second value is put where only one can stand.

use std::collections::BTreeMap;

use super::claim::{Claim, Entry, Hold, claim_name};
use super::record::{Known, RecordType, Spec, TTL_SECONDS};
use super::zone::{Edit, Listing};
use crate::engine::BoxError;

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

    /// The mark of external-dns, which stands at the record's own name or, in newer versions, beside it.
    fn heritage(&self, name: &str, kind: RecordType) -> Option<String> {
        let beside = format!("{}-{name}", kind.as_str().to_ascii_lowercase());
        let texts =
            [name, &beside].into_iter().flat_map(|at| self.listing.values(at, RecordType::Txt));
        texts.into_iter().find(|text| text.starts_with("heritage=external-dns"))
    }

    /// Why a value that differs from what stands at the place of `entry` may not take its place.
    pub(super) fn conflict(&self, entry: &Entry) -> Conflict {
        let (name, kind) = (entry.name(self.domain), entry.kind());
        match self.other_holder(entry) {
            Some(owner) => Conflict::Claimed { name, kind, owner: owner.to_owned() },
            None => {
                Conflict::Value { zone: self.zone.to_owned(), name, kind, found: self.found(entry) }
            }
        }
    }

    /// The edits that publish what `to` wants in this zone. What is no longer wanted stays.
    ///
    /// `from` is what the plan showed to stand there: what is neither claimed nor in it is not overwritten.
    pub(super) fn publish(
        &self,
        from: Option<&Spec>,
        to: &Spec,
        owner: &str,
    ) -> Result<Vec<Edit>, BoxError> {
        let mut edits = Vec::new();
        let mut entries: BTreeMap<Entry, Hold> = BTreeMap::new();
        for (label, record) in &to.records {
            let wanted = record.known()?;
            let entry = Entry::of(label, &wanted.name, self.domain).ok_or_else(|| {
                format!("{label} of {} cannot be at {}", self.domain, wanted.name)
            })?;
            let hold = self.publish_one(&entry, &wanted, from, &mut edits)?;
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
        from: Option<&Spec>,
        edits: &mut Vec<Edit>,
    ) -> Result<Hold, BoxError> {
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
            let hold = held.unwrap_or(if lost_claim { Hold::Has } else { Hold::Uses });
            if hold == Hold::Has && self.other_holder(entry).is_none() {
                add(edits);
            }
            return Ok(hold);
        }
        if !found.is_empty() {
            let shown = from.is_some_and(|from| shows(from, wanted, &found.join(" and ")));
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
        for (entry, hold) in &mine.entries {
            let place = self.place(entry);
            if wanted.iter().any(|record| record.is_at(&place)) {
                claim.entries.insert(entry.clone(), *hold);
                continue;
            }
            let found = self.found(entry);
            if found.is_empty() || *hold == Hold::Uses || self.other_holder(entry).is_some() {
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
        Ok(edits)
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

/// The records of `spec` whose names and values are known.
pub(super) fn known(spec: Option<&Spec>) -> impl Iterator<Item = Known<'_>> {
    spec.into_iter().flat_map(|spec| spec.records.values()).filter_map(|record| record.known().ok())
}

/// Whether the plan showed `value` at the place of `wanted`.
fn shows(from: &Spec, wanted: &Known<'_>, value: &str) -> bool {
    known(Some(from)).any(|record| record.is_at(wanted) && record.value == value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::dns::record::{known_record, written_value};

    const MINE: &str = "3f2a91bc04de";
    const SPF: &str = "v=spf1 include:amazonses.com ~all";
    const MX: &str = "10 feedback-smtp.us-east-1.amazonses.com";

    type Row<'a> = (&'a str, &'a str, RecordType, &'a str);

    const MAIL_FROM: [Row<'_>; 2] = [
        ("mail-from mx", "mail.pivot.app", RecordType::Mx, MX),
        ("mail-from spf", "mail.pivot.app", RecordType::Txt, SPF),
    ];
    const DMARC: Row<'_> = ("dmarc", "_dmarc.pivot.app", RecordType::Txt, "v=DMARC1; p=none");

    fn spec(rows: &[Row<'_>]) -> Spec {
        let records = rows.iter().map(|(label, name, kind, value)| {
            ((*label).to_owned(), known_record("Z1", name, *kind, value))
        });
        Spec { belongs_to: "identity.pivot.app".to_owned(), records: records.collect() }
    }

    /// A zone with these texts beside the domain as claims and these values.
    fn zone(claims: &[&str], values: &[(&str, RecordType, &[&str])]) -> Listing {
        let written = |kind, values: &[&str]| -> Vec<String> {
            values.iter().map(|value| written_value(kind, value)).collect()
        };
        let mut sets =
            vec![("_sesinfra.pivot.app", RecordType::Txt, written(RecordType::Txt, claims))];
        sets.extend(
            values.iter().map(|(name, kind, values)| (*name, *kind, written(*kind, values))),
        );
        let borrowed: Vec<(&str, RecordType, Vec<&str>)> = sets
            .iter()
            .filter(|(_, _, values)| !values.is_empty())
            .map(|(name, kind, values)| (*name, *kind, values.iter().map(String::as_str).collect()))
            .collect();
        let rows: Vec<(&str, RecordType, &[&str])> =
            borrowed.iter().map(|(name, kind, values)| (*name, *kind, values.as_slice())).collect();
        Listing::of(&rows)
    }

    fn lines(edits: Vec<Edit>) -> Vec<String> {
        let line = |edit| match edit {
            Edit::Add { name, kind, value, .. } => format!("+ {name} {kind} {value}"),
            Edit::Remove { name, kind, value } => format!("- {name} {kind} {value}"),
        };
        edits.into_iter().map(line).collect()
    }

    fn published(listing: &Listing, from: Option<&Spec>, to: &Spec) -> Result<Vec<String>, String> {
        let standing = Standing::of("pivot.app", "Z1", MINE, listing);
        standing.publish(from, to, MINE).map(lines).map_err(|error| error.to_string())
    }

    fn retired(listing: &Listing, from: &Spec, to: Option<&Spec>) -> Result<Vec<String>, String> {
        let standing = Standing::of("pivot.app", "Z1", MINE, listing);
        standing.retire(from, to).map(lines).map_err(|error| error.to_string())
    }

    #[test]
    fn records_and_claim_are_published_together() {
        assert_eq!(
            published(&zone(&[], &[]), None, &spec(&MAIL_FROM)).unwrap(),
            [
                format!("+ mail.pivot.app MX {MX}"),
                format!("+ mail.pivot.app TXT {SPF}"),
                "+ _sesinfra.pivot.app TXT sesinfra1 owner=3f2a91bc04de has=mail-from:mail"
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn what_stood_there_before_us_is_used_and_never_removed() {
        let before = zone(&[], &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none"])]);
        let claim = "sesinfra1 owner=3f2a91bc04de uses=dmarc";
        assert_eq!(
            published(&before, None, &spec(&[DMARC])).unwrap(),
            [format!("+ _sesinfra.pivot.app TXT {claim}")]
        );
        let after = zone(&[claim], &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none"])]);
        assert_eq!(
            retired(&after, &spec(&[DMARC]), None).unwrap(),
            [format!("- _sesinfra.pivot.app TXT {claim}")]
        );
    }

    #[test]
    fn a_record_that_another_owner_claims_too_outlives_us() {
        let (mine, other) =
            ("sesinfra1 owner=3f2a91bc04de has=dmarc", "sesinfra1 owner=0000aaaa1111 uses=dmarc");
        let listing =
            zone(&[mine, other], &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none"])]);
        assert_eq!(
            retired(&listing, &spec(&[DMARC]), None).unwrap(),
            [format!("- _sesinfra.pivot.app TXT {mine}")]
        );
    }

    #[test]
    fn another_value_is_an_error_that_says_what_is_there() {
        let listing = zone(&[], &[("mail.pivot.app", RecordType::Mx, &["10 mx.example.com"])]);
        let error = published(&listing, None, &spec(&MAIL_FROM)).unwrap_err();
        assert!(error.contains("already has MX 10 mx.example.com"), "{error}");
        let claimed = zone(
            &["sesinfra1 owner=0000aaaa1111 has=mail-from:mail"],
            &[("mail.pivot.app", RecordType::Mx, &["10 feedback-smtp.eu-west-1.amazonses.com"])],
        );
        let error = published(&claimed, None, &spec(&MAIL_FROM)).unwrap_err();
        assert!(error.contains("0000aaaa1111"), "{error}");
    }

    #[test]
    fn a_value_that_the_plan_showed_is_taken_over() {
        let old = ("dmarc", "_dmarc.pivot.app", RecordType::Txt, "v=DMARC1; p=reject");
        let listing = zone(&[], &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=reject"])]);
        let edits = published(&listing, Some(&spec(&[old])), &spec(&[DMARC])).unwrap();
        assert_eq!(edits[0], "- _dmarc.pivot.app TXT v=DMARC1; p=reject");
        assert!(edits[2].ends_with("has=dmarc"), "{edits:?}");
    }

    #[test]
    fn other_texts_beside_spf_are_left_alone() {
        let claim = "sesinfra1 owner=3f2a91bc04de has=mail-from:mail";
        let listing = zone(
            &[claim],
            &[
                ("mail.pivot.app", RecordType::Txt, &["site-proof=1", SPF]),
                ("mail.pivot.app", RecordType::Mx, &[MX]),
            ],
        );
        let edits = retired(&listing, &spec(&MAIL_FROM), None).unwrap();
        assert_eq!(
            edits,
            [
                format!("- mail.pivot.app MX {MX}"),
                format!("- mail.pivot.app TXT {SPF}"),
                format!("- _sesinfra.pivot.app TXT {claim}"),
            ]
        );
    }

    #[test]
    fn the_old_stays_until_it_is_retired() {
        let key = |selector: &str, name| {
            ("dkim key", name, RecordType::Txt, if selector == "s1" { "p=AAAA" } else { "p=BBBB" })
        };
        let (old, new) = (
            spec(&[key("s1", "s1._domainkey.pivot.app")]),
            spec(&[key("s2", "s2._domainkey.pivot.app")]),
        );
        let old_set: (&str, RecordType, &[&str]) =
            ("s1._domainkey.pivot.app", RecordType::Txt, &["p=AAAA"]);
        let new_set: (&str, RecordType, &[&str]) =
            ("s2._domainkey.pivot.app", RecordType::Txt, &["p=BBBB"]);
        let (one, both) = (
            "sesinfra1 owner=3f2a91bc04de has=dkim:s1",
            "sesinfra1 owner=3f2a91bc04de has=dkim:s1,dkim:s2",
        );
        assert_eq!(
            published(&zone(&[one], &[old_set]), Some(&old), &new).unwrap(),
            [
                "+ s2._domainkey.pivot.app TXT p=BBBB".to_owned(),
                format!("- _sesinfra.pivot.app TXT {one}"),
                format!("+ _sesinfra.pivot.app TXT {both}"),
            ]
        );
        assert_eq!(
            retired(&zone(&[both], &[old_set, new_set]), &old, Some(&new)).unwrap(),
            [
                "- s1._domainkey.pivot.app TXT p=AAAA".to_owned(),
                format!("- _sesinfra.pivot.app TXT {both}"),
                "+ _sesinfra.pivot.app TXT sesinfra1 owner=3f2a91bc04de has=dkim:s2".to_owned(),
            ]
        );
    }

    #[test]
    fn what_changed_since_the_plan_is_not_removed() {
        let listing = zone(
            &["sesinfra1 owner=3f2a91bc04de has=dmarc"],
            &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=reject"])],
        );
        assert!(retired(&listing, &spec(&[DMARC]), None).unwrap_err().contains("plan again"));
    }

    #[test]
    fn an_alias_stands_alone_and_external_dns_is_not_fought() {
        let alias = ("tracking", "pivot.app", RecordType::Cname, "r.us-east-1.awstrack.me");
        let listing = zone(&[], &[("pivot.app", RecordType::Txt, &["v=spf1 -all"])]);
        let error = published(&listing, None, &spec(&[alias])).unwrap_err();
        assert!(error.contains("already has TXT"), "{error}");
        let heritage = "heritage=external-dns,external-dns/owner=k8s";
        let listing = zone(&[], &[("mx-mail.pivot.app", RecordType::Txt, &[heritage])]);
        let error = published(&listing, None, &spec(&MAIL_FROM)).unwrap_err();
        assert!(error.contains("external-dns"), "{error}");
    }

    #[test]
    fn publishing_again_asks_for_what_is_there() {
        let claim = "sesinfra1 owner=3f2a91bc04de has=mail-from:mail";
        let listing = zone(
            &[claim],
            &[
                ("mail.pivot.app", RecordType::Txt, &[SPF]),
                ("mail.pivot.app", RecordType::Mx, &[MX]),
            ],
        );
        let standing = Standing::of("pivot.app", "Z1", MINE, &listing);
        let edits = standing.publish(None, &spec(&MAIL_FROM), MINE).unwrap();
        assert!(super::super::zone::swaps(&listing, &edits).is_empty());
    }
}
