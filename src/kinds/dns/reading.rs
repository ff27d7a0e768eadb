//! Reading the records of domains: every zone once, as far as it matters, every domain's records out of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use super::claim::{Claim, Entry, Hold, claim_name, claimed_domain};
use super::listing::Listing;
use super::needs::Needs;
use super::record::{Record, RecordType, Spec, TTL_SECONDS, normal_name, normal_value};
use super::standing::{Conflict, Standing};
use super::{Dns, FORMER, Outputs, going, token, tracking_token, zone};
use crate::engine::{Address, Aim, Arg, BoxError, Live, Marks, Ownership, Reading, Wanted};

/// Listings by zone; zones that do not exist are left out.
type Listings = BTreeMap<String, Arc<Option<Listing>>>;

/// So many pages of a zone are read even for one domain: records that only their claim says to be ours are found there
/// too. In larger zones, whose owners are many, everything is looked at where marks or the file say that it may be.
const WHOLE_PAGES: usize = 8;

/// What the tags of our identities and configuration sets say of DNS.
#[derive(Debug, Default)]
struct Marked {
    /// Zones by identity.
    identities: BTreeMap<String, BTreeSet<String>>,
    /// The last of those identities by the domain that it is, or is an address in.
    by_domain: BTreeMap<String, String>,
    /// Configuration set and zone by tracking domain.
    tracking: BTreeMap<String, (String, String)>,
}

impl Marked {
    fn zones(&self) -> impl Iterator<Item = &String> {
        self.identities.values().flatten().chain(self.tracking.values().map(|(_, zone)| zone))
    }

    /// Whether the marks on `parent` name `zone`.
    fn names(&self, parent: &Address, domain: &str, zone: &str) -> bool {
        if parent.kind() == "configuration_set" {
            return self.tracking.get(domain).is_some_and(|(_, of)| of == zone);
        }
        self.identities.get(parent.name()).is_some_and(|zones| zones.contains(zone))
    }

    /// The parent of records that no declaration names: the identity of the domain, of an address in it, or of the
    /// domain above it. One that is gone is as good as one that is there.
    fn parent(&self, domain: &str) -> Address {
        let mut above = std::iter::successors(Some(domain), |name| Some(name.split_once('.')?.1));
        let identity = above.find_map(|name| self.by_domain.get(name));
        match (identity, self.tracking.get(domain)) {
            (Some(identity), None) => Address::new("identity", identity.as_str()),
            (_, Some((set, _))) => Address::new("configuration_set", set.as_str()),
            (None, None) => Address::new("identity", domain),
        }
    }

    fn add_identity(&mut self, identity: String, zones: BTreeSet<String>) {
        self.by_domain.insert(domain_of(&identity).to_owned(), identity.clone());
        self.identities.insert(identity, zones);
    }
}

/// The domain of an identity, which may be an address in it.
fn domain_of(identity: &str) -> &str {
    identity.rsplit_once('@').map_or(identity, |(_, domain)| domain)
}

impl Dns {
    /// See [`crate::engine::Kind::read`].
    pub(super) async fn read_all(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let wanted = match reading {
            Reading::Everything => self.with_known_names(wanted).await?,
            Reading::Named => Cow::Borrowed(wanted),
        };
        let marked = match reading {
            Reading::Everything => self.marked(&wanted).await?,
            Reading::Named => Marked::default(),
        };
        self.note_abandoned(&marked);
        let needs = match reading {
            Reading::Everything => self.all_needs(&wanted, &marked),
            Reading::Named => self.needs_of(&wanted),
        };
        let listings = self.listings(&needs).await?;
        let claimed = match reading {
            Reading::Everything => self.claimed(&listings, &needs),
            Reading::Named => BTreeMap::new(),
        };
        let mut live = Vec::new();
        for one in wanted.iter() {
            let wish = one.spec.as_ref().map(|spec| (spec, one.aim));
            let mut zones = self.zones_of(&one.name, one.spec.as_ref());
            zones.extend(claimed.get(&one.name).into_iter().flatten().cloned());
            live.extend(self.domain(&one.name, wish, &zones, &listings, &marked)?);
        }
        let named: BTreeSet<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
        for (domain, zones) in claimed.iter().filter(|(it, _)| !named.contains(it.as_str())) {
            live.extend(self.domain(domain, None, zones, &listings, &marked)?);
        }
        Ok(live)
    }

    /// What concerns the named ones, by the zones in which there was something of them or is to be.
    fn needs_of(&self, wanted: &[Wanted<Spec>]) -> BTreeMap<String, Needs> {
        let mut needs: BTreeMap<String, Needs> = BTreeMap::new();
        for one in wanted {
            for zone in self.zones_of(&one.name, one.spec.as_ref()) {
                needs.entry(zone).or_default().add(&one.name, one.spec.as_ref());
            }
        }
        needs
    }

    /// The same, and wherever marks say that there may be something of ours; all of a zone where that costs little.
    fn all_needs(&self, wanted: &[Wanted<Spec>], marked: &Marked) -> BTreeMap<String, Needs> {
        let mut needs = self.needs_of(wanted);
        for zone in marked.zones() {
            needs.entry(zone.clone()).or_default();
        }
        let specs: BTreeMap<&str, Option<&Spec>> =
            wanted.iter().map(|one| (one.name.as_str(), one.spec.as_ref())).collect();
        let mut add = |zone: &str, domain: &str| {
            let spec = specs.get(domain).copied().flatten();
            needs.entry(zone.to_owned()).or_default().add(domain, spec);
        };
        for (identity, zones) in &marked.identities {
            let domain = domain_of(identity);
            for zone in zones {
                add(zone, domain);
                // Where a name below the domain is a zone of its own, what is in it is claimed beside that name.
                let name = self.session.zones().get(zone).map(|zone| zone.name.as_str());
                if let Some(name) = name.filter(|it| it.ends_with(&format!(".{domain}"))) {
                    add(zone, name);
                }
            }
        }
        for (domain, (_, zone)) in &marked.tracking {
            add(zone, domain);
        }
        // What is wanted may stand in another zone around it.
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for zone in needs.keys().filter_map(|zone| self.session.zones().get(zone)) {
            by_name.entry(zone.name.clone()).or_default().push(zone.id.clone());
        }
        for one in wanted {
            let around =
                std::iter::successors(Some(one.name.as_str()), |it| Some(it.split_once('.')?.1));
            for zone in around.filter_map(|name| by_name.get(name)).flatten() {
                needs.entry(zone.clone()).or_default().add(&one.name, one.spec.as_ref());
            }
        }
        let goes = wanted.iter().any(|one| one.aim == Aim::Delete);
        for (zone, needs) in &mut needs {
            let sets = self.session.zones().get(zone).and_then(|zone| zone.sets);
            let is_small = sets.is_none_or(|sets| {
                sets.div_ceil(zone::PAGE_SETS_MAX) <= WHOLE_PAGES.max(needs.domains().count())
            });
            if goes || is_small {
                needs.add_all();
            }
        }
        needs
    }

    /// Remembers in which abandoned zones there may be records, for the remark that they stay.
    fn note_abandoned(&self, marked: &Marked) {
        let mut places = self.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        for (identity, zones) in &marked.identities {
            let abandoned = zones.iter().filter(|zone| self.session.has_abandoned(zone));
            let parent = Address::new("identity", identity);
            places.extend(abandoned.map(|zone| (parent.clone(), zone.clone())));
        }
        for (set, zone) in marked.tracking.values() {
            if self.session.has_abandoned(zone) {
                places.insert((Address::new("configuration_set", set), zone.clone()));
            }
        }
    }

    async fn listings(&self, needs: &BTreeMap<String, Needs>) -> Result<Listings, BoxError> {
        let reads = needs.iter().map(|(zone, needs)| async move {
            let listing = self.zones.read(zone, needs).await?;
            Ok::<_, BoxError>((zone.clone(), listing))
        });
        let listings = futures_util::future::try_join_all(reads).await?;
        Ok(listings.into_iter().filter(|(_, listing)| listing.is_some()).collect())
    }

    /// Domains that our claims in these zones name, each with the zones.
    fn claimed(
        &self,
        listings: &Listings,
        needs: &BTreeMap<String, Needs>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut domains: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (zone, listing) in listings {
            let (Some(listing), Some(needs)) = (listing.as_ref(), needs.get(zone)) else {
                continue;
            };
            let candidates: Vec<String> = if needs.is_all() {
                let names = listing.names(RecordType::Txt);
                names.filter_map(|name| claimed_domain(&name).map(ToOwned::to_owned)).collect()
            } else {
                needs.domains().map(ToOwned::to_owned).collect()
            };
            for domain in candidates {
                let claims = listing.values(&claim_name(&domain), RecordType::Txt);
                let mut claims = claims.iter().filter_map(|text| Claim::parse(text));
                let owner = self.session.owner.dns_id(&domain);
                if claims.any(|claim| claim.owner == owner) {
                    domains.entry(domain).or_default().insert(zone.clone());
                }
            }
        }
        domains
    }

    /// What our tags name. They come from SES itself, which is read anyway: the tagging API lags.
    async fn marked(&self, wanted: &[Wanted<Spec>]) -> Result<Marked, BoxError> {
        let mut marked = Marked::default();
        let parents =
            wanted.iter().filter_map(|one| one.spec.as_ref()?.belongs_to.strip_prefix("identity."));
        let children = self.identities.children(parents.map(ToOwned::to_owned).collect()).await?;
        for (identity, tokens) in children {
            let zones = tokens.iter().filter_map(|token| token.strip_prefix("zone:"));
            let zones: BTreeSet<String> = zones.map(ToOwned::to_owned).collect();
            if !zones.is_empty() {
                marked.add_identity(identity, zones);
            }
        }
        for (set, tokens) in self.sets.children().await? {
            let places =
                tokens.iter().filter_map(|token| token.strip_prefix("zone:")?.split_once('/'));
            for (zone, domain) in places {
                marked.tracking.insert(domain.to_owned(), (set.clone(), zone.to_owned()));
            }
        }
        Ok(marked)
    }

    /// The records of one domain, from every zone where there may be something of it.
    fn domain(
        &self,
        domain: &str,
        wish: Option<(&Spec, Aim)>,
        zones: &BTreeSet<String>,
        listings: &Listings,
        marked: &Marked,
    ) -> Result<Option<Live<Spec, Outputs>>, BoxError> {
        let owner = self.session.owner.dns_id(domain);
        let parent: Address = match wish {
            Some((spec, _)) => spec.belongs_to.parse()?,
            None => marked.parent(domain),
        };
        let mut view = View::new(wish);
        for (zone, listing) in zones.iter().filter_map(|zone| listings.get_key_value(zone)) {
            let Some(listing) = listing.as_ref() else { continue };
            let standing = Standing::of(domain, zone, &owner, listing);
            if view.add(domain, &standing, marked.names(&parent, domain, zone)) {
                self.remember(domain, zone);
            }
        }
        let Some(ownership) = view.ownership() else { return Ok(None) };
        let named = |text: &String| self.session.neighbours().named(text, domain);
        let ownership = match ownership {
            Ownership::Foreign(owner) => Ownership::Foreign(named(&owner)),
            other => other,
        };
        view.notes = view.notes.iter().map(named).collect();
        let zones = view.zones.iter();
        let tokens = zones.map(|zone| match parent.kind() {
            "configuration_set" => tracking_token(zone, domain),
            _ => token(zone),
        });
        Ok(Some(Live {
            name: domain.to_owned(),
            tokens: tokens.collect(),
            spec: Spec { belongs_to: parent.to_string(), records: view.records },
            outputs: Outputs {},
            ownership,
            parent: Some(parent),
            marks: Marks::default(),
            uses: BTreeSet::new(),
            notes: view.notes,
        }))
    }
}

/// What is put together of one domain.
#[derive(Debug)]
struct View<'a> {
    wanted: Option<&'a Spec>,
    aim: Aim,
    records: BTreeMap<String, Record>,
    /// Zones that hold something of ours.
    zones: BTreeSet<String>,
    is_ours: bool,
    /// Whether something that we did not make is to become ours, although it is as wanted.
    is_to_be_adopted: bool,
    conflicts: Vec<Conflict>,
    notes: Vec<String>,
}

impl<'a> View<'a> {
    fn new(wish: Option<(&'a Spec, Aim)>) -> Self {
        Self {
            wanted: wish.map(|(spec, _)| spec),
            aim: wish.map_or(Aim::Keep, |(_, aim)| aim),
            records: BTreeMap::new(),
            zones: BTreeSet::new(),
            is_ours: false,
            is_to_be_adopted: false,
            conflicts: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds what stands in one zone; whether there is anything of ours.
    fn add(&mut self, domain: &str, standing: &Standing<'_>, is_marked: bool) -> bool {
        let entries = standing.mine.iter().flat_map(|mine| &mine.entries);
        for (entry, hold) in entries {
            let found = standing.found(entry);
            if !found.is_empty() {
                self.add_claimed(domain, standing, entry, *hold, &found);
            }
        }
        let found_wanted = self.add_wanted(domain, standing);
        let is_ours = standing.mine.is_some() || (is_marked && found_wanted);
        if is_ours {
            self.is_ours = true;
            self.zones.insert(standing.zone().to_owned());
        }
        is_ours
    }

    fn add_claimed(
        &mut self,
        domain: &str,
        standing: &Standing<'_>,
        entry: &Entry,
        hold: Hold,
        found: &[String],
    ) {
        let (name, zone) = (entry.name(domain), standing.zone());
        let declared = [entry.label_with_part(), entry.label()].into_iter().find_map(|label| {
            let record = self.wanted?.records.get(&label)?;
            // A name that is still to be computed may be this one.
            let is_named = record.name.get().map_or(true, |it| normal_name(it) == name);
            let is_free = !self.records.contains_key(&label);
            (record.zone == zone && is_named && is_free).then_some((label, record))
        });
        let label = match (&declared, self.wanted) {
            (Some((label, _)), _) => label.clone(),
            (None, Some(spec)) if spec.records.values().all(|it| it.zone != zone) => {
                format!("{FORMER}{name} {} in {zone}", entry.kind())
            }
            (None, Some(_)) => format!("{FORMER}{name} {}", entry.kind()),
            (None, None) if self.records.contains_key(&entry.label()) => {
                format!("{} {name}", entry.label())
            }
            (None, None) => entry.label(),
        };
        let declared = declared.map(|(_, record)| record);
        if declared.is_none() || self.aim == Aim::Delete {
            self.notes.extend(reason_to_stay(standing, entry, hold, &name));
        }
        // The time to live of what is shared with others, or only used, is not ours.
        let own_ttl = standing.own_ttl(entry).filter(|_| hold == Hold::Has);
        let record = Record {
            zone: zone.to_owned(),
            name: Arg::Known(name),
            kind: entry.kind(),
            value: Arg::Known(found.join(" and ")),
            ttl: own_ttl.or(declared.map(|it| it.ttl)).unwrap_or(TTL_SECONDS),
        };
        self.records.insert(label, record);
    }

    /// Adds what stands where something is wanted and our claim does not say so.
    fn add_wanted(&mut self, domain: &str, standing: &Standing<'_>) -> bool {
        let mut any = false;
        let wanted = self.wanted.into_iter().flat_map(|spec| &spec.records);
        for (label, record) in wanted.filter(|(_, record)| record.zone == standing.zone()) {
            let Ok(name) = record.name.get() else { continue };
            let Some(entry) = Entry::of(label, &normal_name(name), domain) else { continue };
            self.conflicts.extend(standing.obstacle(&entry));
            let found = standing.found(&entry);
            if found.is_empty() {
                continue;
            }
            any = true;
            // A value that is not known is wanted by nobody who could compare it.
            let Ok(wanted) = record.value.get() else { continue };
            let value = found.join(" and ");
            let is_as_wanted = normal_value(record.kind, wanted) == value;
            let is_others = standing.other_holder(&entry).is_some();
            let held = standing.hold(&entry);
            let is_intruder = found.len() > 1 && held.is_some();
            let adopts = self.aim == Aim::Adopt && held != Some(Hold::Has) && !is_others;
            if !is_as_wanted && (held != Some(Hold::Has) || is_others || is_intruder) {
                self.conflicts.push(standing.conflict(&entry));
            }
            self.is_to_be_adopted |= adopts;
            // What is as wanted and not claimed counts as missing: claiming it is what is left to do.
            if held.is_none() && (!is_as_wanted || adopts) {
                let record = Record {
                    value: Arg::Known(value),
                    ttl: standing.own_ttl(&entry).unwrap_or(record.ttl),
                    ..record.clone()
                };
                self.records.entry(label.clone()).or_insert(record);
            }
        }
        any
    }

    /// Whose it all is; `None` if there is nothing that matters.
    fn ownership(&mut self) -> Option<Ownership> {
        let conflicts = std::mem::take(&mut self.conflicts);
        if self.aim == Aim::Delete {
            // Whatever others put in its place, what is ours goes.
            return self.is_ours.then_some(Ownership::Ours);
        }
        let claimed = conflicts.iter().find_map(|conflict| match conflict {
            Conflict::Claimed { name, kind, owner } => {
                Some(format!("another owner of sesinfra's, {owner}, which relies on {name} {kind}"))
            }
            _ => None,
        });
        if let Some(owner) = claimed {
            return Some(Ownership::Foreign(owner));
        }
        let is_of_values =
            |it: &&Conflict| matches!(it, Conflict::Value { .. } | Conflict::Changed { .. });
        if let Some(obstacle) = conflicts.iter().find(|it| !is_of_values(it)) {
            return Some(Ownership::Blocked(obstacle.to_string()));
        }
        let is_changed = |it: &Conflict| matches!(it, Conflict::Changed { .. });
        if !self.is_to_be_adopted && !conflicts.is_empty() && conflicts.iter().all(is_changed) {
            let found: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
            return Some(Ownership::Contested(format!(
                "was changed by others since sesinfra published it: {}",
                found.join("; ")
            )));
        }
        self.notes.extend(conflicts.iter().map(ToString::to_string));
        if !conflicts.is_empty() || self.is_to_be_adopted {
            return Some(Ownership::Unowned);
        }
        self.is_ours.then_some(Ownership::Ours)
    }
}

/// Why a record in our claim is left when we no longer want it; `None` if it goes.
fn reason_to_stay(
    standing: &Standing<'_>,
    entry: &Entry,
    hold: Hold,
    name: &str,
) -> Option<String> {
    let why = match (standing.other_holder(entry), hold) {
        (Some(owner), _) => format!("another environment ({owner}) relies on it as well"),
        (None, Hold::Uses) => "sesinfra did not make it".to_owned(),
        (None, Hold::Has) => return None,
    };
    Some(going::stays(name, entry.kind(), &why))
}

#[cfg(test)]
mod tests;
