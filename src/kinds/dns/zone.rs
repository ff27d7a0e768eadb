//! Hosted zones as Route 53 has them: read once for all domains, written with compare-and-swap.
//!
//! # Guarantees
//! A batch says for every record set it touches exactly what must stand there now, and Route 53 applies all of it or
//! nothing: whatever somebody else wrote since the zone was read is never overwritten. One writer at a time per zone.

mod pages;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};

use super::listing::{Listing, Parts, RecordSet};
use super::needs::Needs;
use super::record::{RecordType, normal_value, written_value};
use crate::aws::{AwsError, Class, OrAbsent, Session, failed};
use crate::engine::BoxError;

/// Limits of one `ChangeResourceRecordSets` (developer guide, "Quotas").
const BATCH_VALUES_MAX: usize = 1_000;
const BATCH_CHARACTERS_MAX: usize = 32_000;
/// Route 53 lists at most so many sets a page.
pub(super) const PAGE_SETS_MAX: usize = 300;
/// How often a batch is worked out anew because somebody else changed the same sets.
const ATTEMPTS_MAX: u32 = 5;

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
    pages: Mutex<BTreeMap<String, Arc<Page>>>,
}

/// What is known of one zone, if anything is.
type Page = tokio::sync::Mutex<Option<Known>>;

/// What is known of one zone.
#[derive(Debug)]
struct Known {
    /// What was read, whenever that was, and what follows from our writes since; `None` inside for a zone that does not
    /// exist.
    listing: Arc<Option<Listing>>,
    /// What of that a read may rely on while reads are of the age `fresh_at`: nothing after a write of ours.
    fresh: Parts,
    fresh_at: u64,
}

impl Known {
    fn covers(&self, needs: &Needs, since: Since) -> Result<Arc<Option<Listing>>, Parts> {
        let Some(listing) = self.listing.as_ref() else {
            // That there is no zone is known of all of it at once.
            let is_fresh = since == Since::Ever || since <= Since::Age(self.fresh_at);
            return if is_fresh { Ok(Arc::clone(&self.listing)) } else { Err(needs.parts(None)) };
        };
        let nothing = Parts::default();
        let seen = match since {
            Since::Ever => listing.seen(),
            Since::Age(age) if age <= self.fresh_at => &self.fresh,
            Since::Age(_) => &nothing,
        };
        let missing = needs.parts(Some(listing)).without(seen);
        if missing.is_empty() { Ok(Arc::clone(&self.listing)) } else { Err(missing) }
    }
}

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Since {
    /// As old as it will: a write is refused if it is out of date.
    Ever,
    /// Reads of this age, or younger ones.
    Age(u64),
}

impl Zones {
    pub(super) fn new(session: &Arc<Session>) -> Self {
        Self { session: Arc::clone(session), pages: Mutex::default() }
    }

    /// What stands in the zone `id` as far as `needs` say, read once until reads are forgotten; `None` if there is no such
    /// zone.
    pub(super) async fn read(
        &self,
        id: &str,
        needs: &Needs,
    ) -> Result<Arc<Option<Listing>>, AwsError> {
        if self.session.has_abandoned(id) {
            return Ok(Arc::new(None));
        }
        let page = self.page(id);
        let mut page = page.lock().await;
        self.known(&mut page, id, needs, Since::Age(self.session.age_of_reads())).await
    }

    /// Carries out the edits that `plan` works out from what stands in the zone as far as `needs` say; `false` if there is
    /// no such zone, and so nothing in it.
    ///
    /// If Route 53 refuses, the zone is read again. As long as `plan` then asks for the same edits, only others have
    /// written beside ours and it is tried again; otherwise ours is no longer as it was when this was planned.
    pub(super) async fn write(
        &self,
        id: &str,
        needs: &Needs,
        plan: impl Fn(&Listing) -> Result<Vec<Edit>, BoxError> + Send,
    ) -> Result<bool, BoxError> {
        if self.session.has_abandoned(id) {
            return Ok(false);
        }
        let page = self.page(id);
        let mut page = page.lock().await;
        let mut listing = self.known(&mut page, id, needs, Since::Ever).await?;
        let mut asked_before: Option<Vec<Edit>> = None;
        for attempt in 1.. {
            let Some(live) = listing.as_ref() else { return Ok(false) };
            let edits = plan(live)?;
            let swaps = swaps(live, &edits);
            // It may be so already: the answer to an earlier attempt was lost on its way.
            if swaps.is_empty() {
                return Ok(true);
            }
            if asked_before.as_ref().is_some_and(|before| *before != edits) {
                return Err("somebody changed these records meanwhile: plan again".into());
            }
            let sent = self.send(id, &swaps).await;
            // Let go of first, so that the listing is changed in place and not copied, however large the zone is.
            *page = None;
            match sent {
                Ok(()) => {
                    let listing = swapped(listing, swaps);
                    *page = Some(Known { listing, fresh: Parts::default(), fresh_at: 0 });
                    return Ok(true);
                }
                Err(error) if is_of_gone_zone(&error) => return Ok(false),
                Err(error) => {
                    let refused = error.downcast_ref::<AwsError>().is_some_and(is_refusal);
                    if !refused || attempt == ATTEMPTS_MAX {
                        return Err(error);
                    }
                    listing = self.known(&mut page, id, needs, Since::Ever).await?;
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
        Ok(true)
    }

    fn page(&self, id: &str) -> Arc<Page> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pages.entry(id.to_owned()).or_default())
    }

    async fn client(&self, id: &str) -> Result<aws_sdk_route53::Client, AwsError> {
        let role = self.session.zones().get(id).and_then(|zone| zone.role.as_ref());
        self.session.route53_for(role).await
    }

    /// What `needs` ask for, with as much read as is missing. What is found in a claim may name more.
    async fn known(
        &self,
        page: &mut Option<Known>,
        id: &str,
        needs: &Needs,
        since: Since,
    ) -> Result<Arc<Option<Listing>>, AwsError> {
        loop {
            let missing = match page {
                Some(known) => match known.covers(needs, since) {
                    Ok(listing) => return Ok(listing),
                    Err(missing) => missing,
                },
                None => needs.parts(None),
            };
            self.list_into(page, id, &missing).await?;
        }
    }

    async fn list_into(
        &self,
        page: &mut Option<Known>,
        id: &str,
        missing: &Parts,
    ) -> Result<(), AwsError> {
        let began_at = self.session.age_of_reads();
        // Taken, so that nothing half read is left behind by a read that fails or is given up.
        let before = page.take();
        let mut fresh = match &before {
            Some(known) if known.fresh_at == began_at => known.fresh.clone(),
            _ => Parts::default(),
        };
        let listing = before.and_then(|known| Arc::unwrap_or_clone(known.listing));
        let listing = self.list(id, missing, listing.unwrap_or_default()).await.or_absent()?;
        fresh.add(missing);
        *page = Some(Known { listing: Arc::new(listing), fresh, fresh_at: began_at });
        Ok(())
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

/// Whether the zone went since it was read.
fn is_of_gone_zone(error: &BoxError) -> bool {
    error.downcast_ref::<AwsError>().is_some_and(|error| error.is(Class::Absent))
}

/// The listing after a batch that Route 53 took.
fn swapped(mut listing: Arc<Option<Listing>>, swaps: Vec<Swap>) -> Arc<Option<Listing>> {
    if let Some(listing) = Arc::make_mut(&mut listing) {
        for swap in swaps {
            listing.replace(&swap.name, swap.kind, swap.new);
        }
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
