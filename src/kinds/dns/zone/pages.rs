//! Reading a zone page by page: all of it, or the parts that matter.
//!
//! Route 53 lists a zone in the order of its names with their labels reversed, from any name on. So what is needed is
//! read from its first name on; whatever else is needed and lies on those pages comes for free, and the next page begins
//! at the first name that did not. That is never more calls than there are parts, nor than the zone has pages.
//!
//! Invariant: a part counts as read only if the order leaves no doubt that it lies on the pages that were read.

use async_trait::async_trait;
use aws_sdk_route53::operation::list_resource_record_sets::ListResourceRecordSetsOutput;
use aws_sdk_route53::types::{ResourceRecordSet, RrType};

use super::{PAGE_SETS_MAX, Zones};
use crate::aws::{AwsError, failed};
use crate::kinds::dns::listing::{Key, Listing, Part, Parts, RecordSet};
use crate::kinds::dns::record::normal_name;

/// Where a page begins.
#[derive(Clone, Debug, Default)]
struct Start {
    name: Option<String>,
    kind: Option<RrType>,
    identifier: Option<String>,
}

/// A zone that is listed page by page.
#[async_trait]
trait Pages: Sync {
    /// The page that begins there.
    async fn page(&self, start: Start) -> Result<ListResourceRecordSetsOutput, AwsError>;
}

/// A zone in Route 53.
struct Hosted<'a> {
    id: &'a str,
    client: aws_sdk_route53::Client,
}

#[async_trait]
impl Pages for Hosted<'_> {
    async fn page(&self, start: Start) -> Result<ListResourceRecordSetsOutput, AwsError> {
        let call = self
            .client
            .list_resource_record_sets()
            .hosted_zone_id(self.id)
            .set_start_record_name(start.name)
            .set_start_record_type(start.kind)
            .set_start_record_identifier(start.identifier)
            .set_max_items(i32::try_from(PAGE_SETS_MAX).ok());
        call.send().await.map_err(failed("route53:ListResourceRecordSets", self.id))
    }
}

impl Zones {
    /// Reads `missing` of the zone `id` into what is known of it.
    pub(super) async fn list(
        &self,
        id: &str,
        missing: &Parts,
        listing: Listing,
    ) -> Result<Listing, AwsError> {
        let zone = Hosted { id, client: self.client(id).await? };
        read(&zone, missing, listing).await
    }
}

async fn read(
    zone: &dyn Pages,
    missing: &Parts,
    mut listing: Listing,
) -> Result<Listing, AwsError> {
    listing.see(missing);
    if missing.is_all() {
        let (sets, _) = walk(zone, Start::default(), |_| false).await?;
        for set in &sets {
            listing.add(&set.name, set.r#type.as_str(), record_set(set));
        }
        return Ok(listing);
    }
    let mut open: Vec<&Part> = missing.outermost().collect();
    open.reverse();
    while let Some(first) = open.pop() {
        let start = Start { name: Some(first.start().name()), ..Start::default() };
        let (sets, next) = walk(zone, start, |next| first.is_before(next)).await?;
        let is_read = |part: &Part| {
            part.is_after(first.start()) && next.as_ref().is_none_or(|next| part.is_before(next))
        };
        let mut read = Parts::default();
        read.extend(open.iter().copied().filter(|part| is_read(part)).chain([first]).cloned());
        open.retain(|part| !is_read(part));
        for set in &sets {
            if read.holds(&Key::of(&normal_name(&set.name))) {
                listing.add(&set.name, set.r#type.as_str(), record_set(set));
            }
        }
    }
    Ok(listing)
}

/// The sets of a zone from `start` on, page by page up to the first that begins with a name that is far enough; and that
/// name.
async fn walk(
    zone: &dyn Pages,
    mut start: Start,
    is_far_enough: impl Fn(&Key) -> bool + Send,
) -> Result<(Vec<ResourceRecordSet>, Option<Key>), AwsError> {
    let mut sets = Vec::new();
    loop {
        // The SDK has no paginator for this operation.
        let page = zone.page(start).await?;
        sets.extend(page.resource_record_sets);
        if !page.is_truncated {
            return Ok((sets, None));
        }
        let next = page.next_record_name.as_deref().map(|name| Key::of(&normal_name(name)));
        if let Some(next) = next.filter(|next| is_far_enough(next)) {
            return Ok((sets, Some(next)));
        }
        start = Start {
            name: page.next_record_name,
            kind: page.next_record_type,
            identifier: page.next_record_identifier,
        };
    }
}

fn record_set(set: &ResourceRecordSet) -> RecordSet {
    let values = set.resource_records.iter().flatten().map(|record| record.value.clone());
    let is_plain = set.set_identifier.is_none()
        && set.alias_target.is_none()
        && set.health_check_id.is_none()
        && set.traffic_policy_instance_id.is_none();
    RecordSet { ttl: set.ttl, values: values.collect(), is_plain }
}

#[cfg(test)]
mod tests;
