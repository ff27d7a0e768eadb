//! Hosted zones as Route 53 has them: listed once for all domains, written with compare-and-swap.
//!
//! # Guarantees
//! A batch says for every record set it touches exactly what must stand there now, and Route 53 applies all of it or
//! nothing: whatever somebody else wrote since the zone was listed is never overwritten. One writer at a time per zone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};

use super::record::RecordType;
use super::record::{normal_name, normal_value, written_value};
use crate::aws::{AwsError, Class, OrAbsent, Session, failed};
use crate::engine::BoxError;

/// Limits of one `ChangeResourceRecordSets` (developer guide, "Quotas").
const BATCH_VALUES_MAX: usize = 1_000;
const BATCH_CHARACTERS_MAX: usize = 32_000;
/// How often a batch is worked out anew because somebody else changed the same sets.
const ATTEMPTS_MAX: u32 = 5;

/// The place of a record set: its name in normal form, and its type as Route 53 writes it.
type Place = (String, String);

/// All values of one name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordSet {
    /// How long resolvers may remember it; an alias of Route 53's own has none.
    pub(super) ttl: Option<i64>,
    /// The values as Route 53 gave them, which a delete must repeat.
    pub(super) values: Vec<String>,
    /// Whether it is one plain set, without routing policy, health check or alias target.
    pub(super) is_plain: bool,
}

/// The record sets of a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    sets: BTreeMap<Place, RecordSet>,
}

impl Listing {
    /// The set of this name and type.
    pub(super) fn set(&self, name: &str, kind: RecordType) -> Option<&RecordSet> {
        self.sets.get(&(name.to_owned(), kind.as_str().to_owned()))
    }

    /// The values of this name and type in normal form.
    pub(super) fn values(&self, name: &str, kind: RecordType) -> Vec<String> {
        let set = self.set(name, kind).into_iter();
        set.flat_map(|set| &set.values).map(|value| normal_value(kind, value)).collect()
    }

    /// The types that stand at `name`.
    pub(super) fn types_at<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let from = (name.to_owned(), String::new());
        self.sets
            .range(from..)
            .take_while(move |((at, _), _)| at == name)
            .map(|((_, kind), _)| kind.as_str())
    }

    /// The names that have a set of this type.
    pub(super) fn names(&self, kind: RecordType) -> impl Iterator<Item = &str> {
        self.sets.keys().filter(move |(_, of)| of == kind.as_str()).map(|(name, _)| name.as_str())
    }

    fn add(&mut self, name: &str, kind: &str, set: RecordSet) {
        let place = (normal_name(name), kind.to_owned());
        // Several sets of one name and type differ in their routing policy.
        self.sets.entry(place).and_modify(|set| set.is_plain = false).or_insert(set);
    }

    #[cfg(test)]
    pub(super) fn of(sets: &[(&str, RecordType, &[&str])]) -> Self {
        let mut listing = Self::default();
        for (name, kind, values) in sets {
            let values = values.iter().map(ToString::to_string).collect();
            let set = RecordSet { ttl: Some(super::record::TTL_SECONDS), values, is_plain: true };
            listing.add(name, kind.as_str(), set);
        }
        listing
    }
}

/// One value to be there, or not to be there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// This value, with this time to live, is to stand in the set.
    Add {
        /// The set.
        name: String,
        /// The set.
        kind: RecordType,
        /// The value, in normal form.
        value: String,
        /// The time to live of the whole set.
        ttl: i64,
    },
    /// This value is to go.
    Remove {
        /// The set.
        name: String,
        /// The set.
        kind: RecordType,
        /// The value, in normal form.
        value: String,
    },
}

impl Edit {
    fn place(&self) -> (&str, RecordType) {
        match self {
            Self::Add { name, kind, .. } | Self::Remove { name, kind, .. } => (name, *kind),
        }
    }
}

/// A batch that Route 53 would not take whole.
#[derive(Debug, thiserror::Error)]
#[error(
    "the change of {zone} has {values} values of {characters} characters together; Route 53 takes 1,000 and 32,000"
)]
struct BatchTooLarge {
    zone: String,
    values: usize,
    characters: usize,
}

/// One set as it stands and as it is to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Swap {
    name: String,
    kind: RecordType,
    old: Option<RecordSet>,
    new: Option<RecordSet>,
}

/// What turns the sets of `listing` into what `edits` ask for; sets that are so already are left out.
pub(super) fn swaps(listing: &Listing, edits: &[Edit]) -> Vec<Swap> {
    let mut sets: BTreeMap<(&str, RecordType), RecordSet> = BTreeMap::new();
    for edit in edits {
        let (name, kind) = edit.place();
        let set = sets.entry((name, kind)).or_insert_with(|| {
            let none = RecordSet { ttl: None, values: Vec::new(), is_plain: true };
            listing.set(name, kind).cloned().unwrap_or(none)
        });
        let is = |raw: &String, value: &str| normal_value(kind, raw) == value;
        match edit {
            Edit::Add { value, ttl, .. } => {
                set.ttl = Some(*ttl);
                if !set.values.iter().any(|raw| is(raw, value)) {
                    set.values.push(written_value(kind, value));
                }
            }
            Edit::Remove { value, .. } => set.values.retain(|raw| !is(raw, value)),
        }
    }
    let swap = |((name, kind), set): ((&str, RecordType), RecordSet)| Swap {
        name: name.to_owned(),
        kind,
        old: listing.set(name, kind).cloned(),
        new: (!set.values.is_empty()).then_some(set),
    };
    sets.into_iter().map(swap).filter(|swap| swap.old != swap.new).collect()
}

/// The zones that records are read from and written to.
#[derive(Debug)]
pub(super) struct Zones {
    session: Arc<Session>,
    pages: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Page>>>>,
}

/// What is known of one zone.
#[derive(Debug, Default)]
struct Page {
    /// `None` inside for a zone that does not exist.
    listing: Option<Arc<Option<Listing>>>,
    /// When it was listed; nothing for what follows from a write of ours, which a read may not rely on.
    read_at: Option<u64>,
}

impl Zones {
    pub(super) fn new(session: &Arc<Session>) -> Self {
        Self { session: Arc::clone(session), pages: Mutex::default() }
    }

    /// The record sets of the zone `id`, listed once until reads are forgotten; `None` if there is no such zone.
    pub(super) async fn read(&self, id: &str) -> Result<Arc<Option<Listing>>, AwsError> {
        if self.session.has_abandoned(id) {
            return Ok(Arc::new(None));
        }
        let page = self.page(id);
        let mut page = page.lock().await;
        let now = self.session.age_of_reads();
        match &page.listing {
            Some(listing) if page.read_at == Some(now) => Ok(Arc::clone(listing)),
            _ => self.list_into(&mut page, id).await,
        }
    }

    /// Carries out the edits that `plan` works out from what stands in the zone.
    ///
    /// If Route 53 refuses, the zone is listed again. As long as `plan` then asks for the same edits, only others have
    /// written beside ours and it is tried again; otherwise ours is no longer as it was when this was planned.
    pub(super) async fn write(
        &self,
        id: &str,
        plan: impl Fn(&Listing) -> Result<Vec<Edit>, BoxError> + Send,
    ) -> Result<(), BoxError> {
        let page = self.page(id);
        let mut page = page.lock().await;
        let mut listing = match &page.listing {
            Some(listing) => Arc::clone(listing),
            None => self.list_into(&mut page, id).await?,
        };
        let mut asked_before: Option<Vec<Edit>> = None;
        for attempt in 1.. {
            let Some(live) = listing.as_ref() else {
                return Err(format!("there is no hosted zone {id}").into());
            };
            let edits = plan(live)?;
            let swaps = swaps(live, &edits);
            // It may be so already: the answer to an earlier attempt was lost on its way.
            if swaps.is_empty() {
                return Ok(());
            }
            if asked_before.as_ref().is_some_and(|before| *before != edits) {
                return Err("somebody changed these records meanwhile: plan again".into());
            }
            match self.send(id, &swaps).await {
                Ok(()) => {
                    page.listing = Some(Arc::new(Some(swapped(live, swaps))));
                    page.read_at = None;
                    return Ok(());
                }
                Err(error) => {
                    let refused = error.downcast_ref::<AwsError>().is_some_and(is_refusal);
                    page.listing = None;
                    if !refused || attempt == ATTEMPTS_MAX {
                        return Err(error);
                    }
                    listing = self.list_into(&mut page, id).await?;
                    // Nothing that stands there differs from before, so it was the content that was refused.
                    if listing
                        .as_ref()
                        .as_ref()
                        .is_some_and(|now| self::swaps(now, &edits) == swaps)
                    {
                        return Err(error);
                    }
                    asked_before = Some(edits);
                }
            }
        }
        Ok(())
    }

    fn page(&self, id: &str) -> Arc<tokio::sync::Mutex<Page>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pages.entry(id.to_owned()).or_default())
    }

    async fn client(&self, id: &str) -> Result<aws_sdk_route53::Client, AwsError> {
        let role = self.session.zones().get(id).and_then(|zone| zone.role.as_ref());
        self.session.route53_for(role).await
    }

    async fn list_into(&self, page: &mut Page, id: &str) -> Result<Arc<Option<Listing>>, AwsError> {
        let began_at = self.session.age_of_reads();
        let listing = Arc::new(self.list(id).await.or_absent()?);
        page.listing = Some(Arc::clone(&listing));
        page.read_at = Some(began_at);
        Ok(listing)
    }

    async fn list(&self, id: &str) -> Result<Listing, AwsError> {
        let route53 = self.client(id).await?;
        let mut listing = Listing::default();
        let (mut name, mut kind, mut identifier) = (None, None, None);
        loop {
            // The SDK has no paginator for this operation.
            let page = route53
                .list_resource_record_sets()
                .hosted_zone_id(id)
                .set_start_record_name(name)
                .set_start_record_type(kind)
                .set_start_record_identifier(identifier)
                .send()
                .await
                .map_err(failed("route53:ListResourceRecordSets", id))?;
            for set in page.resource_record_sets {
                listing.add(&set.name, set.r#type.as_str(), record_set(&set));
            }
            if !page.is_truncated {
                return Ok(listing);
            }
            (name, kind, identifier) =
                (page.next_record_name, page.next_record_type, page.next_record_identifier);
        }
    }

    async fn send(&self, id: &str, swaps: &[Swap]) -> Result<(), BoxError> {
        let batch = batch(id, swaps)?;
        let route53 = self.client(id).await?;
        let call = route53.change_resource_record_sets().hosted_zone_id(id).change_batch(batch);
        call.send().await.map_err(failed("route53:ChangeResourceRecordSets", id))?;
        Ok(())
    }
}

/// Whether Route 53 found something else than the batch said.
fn is_refusal(error: &AwsError) -> bool {
    error.code == "InvalidChangeBatch" && matches!(error.class, Class::Exists | Class::Invalid)
}

fn record_set(set: &ResourceRecordSet) -> RecordSet {
    let values = set.resource_records.iter().flatten().map(|record| record.value.clone());
    let is_plain = set.set_identifier.is_none()
        && set.alias_target.is_none()
        && set.health_check_id.is_none()
        && set.traffic_policy_instance_id.is_none();
    RecordSet { ttl: set.ttl, values: values.collect(), is_plain }
}

/// The listing after a batch that Route 53 took.
fn swapped(listing: &Listing, swaps: Vec<Swap>) -> Listing {
    let mut listing = listing.clone();
    for swap in swaps {
        let place = (swap.name, swap.kind.as_str().to_owned());
        match swap.new {
            Some(set) => listing.sets.insert(place, set),
            None => listing.sets.remove(&place),
        };
    }
    listing
}

/// `DELETE` of exactly what stands there and `CREATE` of what is to stand there. Never `UPSERT`, which overwrites.
fn batch(zone: &str, swaps: &[Swap]) -> Result<ChangeBatch, BoxError> {
    let all = || swaps.iter().flat_map(|swap| swap.old.iter().chain(&swap.new));
    let values: usize = all().map(|set| set.values.len()).sum();
    let characters: usize = all().flat_map(|set| &set.values).map(String::len).sum();
    if values > BATCH_VALUES_MAX || characters > BATCH_CHARACTERS_MAX {
        return Err(BatchTooLarge { zone: zone.to_owned(), values, characters }.into());
    }
    let mut changes = Vec::new();
    for swap in swaps {
        if let Some(old) = &swap.old {
            changes.push(change(ChangeAction::Delete, swap, old)?);
        }
        if let Some(new) = &swap.new {
            changes.push(change(ChangeAction::Create, swap, new)?);
        }
    }
    Ok(ChangeBatch::builder().comment("sesinfra").set_changes(Some(changes)).build()?)
}

fn change(action: ChangeAction, swap: &Swap, set: &RecordSet) -> Result<Change, BoxError> {
    let values = set.values.iter().map(|value| ResourceRecord::builder().value(value).build());
    let set = ResourceRecordSet::builder()
        .name(format!("{}.", swap.name))
        .r#type(RrType::from(swap.kind.as_str()))
        .set_ttl(set.ttl)
        .set_resource_records(Some(values.collect::<Result<_, _>>()?))
        .build()?;
    Ok(Change::builder().action(action).resource_record_set(set).build()?)
}

#[cfg(test)]
mod tests;
