//! Route 53 as strict as AWS: batch limits, values, names that cannot have both a CNAME and something else, and one
//! change of a zone at a time while changes are pending.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsServiceError};
use fakecloud_route53::model::{Change, ChangeResourceRecordSetsRequest, ResourceRecordSet};
use fakecloud_route53::router::{Route, route};
use fakecloud_route53::xml_io;

use super::records::{conflict, problem, shown, values};
use super::{Check, Then, refused};
use crate::world::World;

/// The most resource records of a batch; an UPSERT counts twice.
const RECORDS: usize = 1000;
/// The most characters of all values of a batch; an UPSERT counts twice.
const CHARACTERS: usize = 32_000;
/// The largest page of a listing.
const PAGE: usize = 300;

/// The check in front of Route 53.
pub(crate) struct Zones(pub(crate) Arc<World>);

impl Check for Zones {
    fn before(&self, request: &mut AwsRequest) -> Result<Then, AwsServiceError> {
        let Some(route) = route(&request.method, &request.raw_path, &request.raw_query) else {
            return Ok(None);
        };
        match route.action {
            "ChangeResourceRecordSets" => self.change(request, &route),
            "ListResourceRecordSets" => {
                list(request);
                Ok(None)
            }
            "GetChange" => {
                self.settle(&request.account_id, route.id.as_deref().unwrap_or_default());
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

impl Zones {
    fn change(&self, request: &mut AwsRequest, route: &Route) -> Result<Then, AwsServiceError> {
        let zone =
            route.id.as_deref().unwrap_or_default().trim_start_matches("/hostedzone/").to_owned();
        let Ok(mut batch) = xml_io::from_xml_root::<ChangeResourceRecordSetsRequest>(&request.body)
        else {
            return Ok(None);
        };
        let now = self.0.clock.now();
        let busy = self.0.memory.read().zone_changes.get(&zone).is_some_and(|done| *done > now);
        if busy {
            return Err(refused(
                "PriorRequestNotComplete",
                "The request was rejected because Route 53 was still processing a prior request.",
            ));
        }
        for change in &mut batch.change_batch.changes.change {
            change.resource_record_set.name = shown(&change.resource_record_set.name);
        }
        self.check(&request.account_id, &zone, &batch.change_batch.changes.change)?;
        rewrite(request, &batch)?;
        let world = Arc::clone(&self.0);
        Ok(Some(Box::new(move |response| remember(&world, &zone, response, now))))
    }

    fn check(&self, account: &str, id: &str, changes: &[Change]) -> Result<(), AwsServiceError> {
        let invalid = |message: String| refused("InvalidChangeBatch", format!("[{message}]"));
        let weight =
            |change: &Change| if change.action.eq_ignore_ascii_case("UPSERT") { 2 } else { 1 };
        let count: usize = changes
            .iter()
            .map(|change| weight(change) * values(&change.resource_record_set).count())
            .sum();
        if count > RECORDS {
            return Err(invalid(format!("Number of records limit of {RECORDS} exceeded.")));
        }
        let characters: usize = changes
            .iter()
            .map(|change| {
                weight(change) * values(&change.resource_record_set).map(str::len).sum::<usize>()
            })
            .sum();
        if characters > CHARACTERS {
            return Err(invalid(format!("Number of characters limit of {CHARACTERS} exceeded.")));
        }
        let problems: Vec<String> = changes
            .iter()
            .filter(|change| !change.action.eq_ignore_ascii_case("DELETE"))
            .filter_map(|change| problem(&change.resource_record_set))
            .collect();
        if !problems.is_empty() {
            return Err(invalid(problems.join(", ")));
        }
        let accounts = self.0.route53.read();
        let Some(zone) = accounts.get(account).and_then(|state| state.hosted_zones.get(id)) else {
            return Ok(());
        };
        let after = applied(&zone.resource_record_sets, changes);
        conflict(&zone.name, &after).map_or(Ok(()), |message| Err(invalid(message)))
    }

    /// The crate lets changes pend by the wall clock; ours pend by the cloud's.
    fn settle(&self, account: &str, id: &str) {
        let id = id.trim_start_matches("/change/");
        let pends =
            self.0.memory.read().changes.get(id).is_some_and(|done| *done > self.0.clock.now());
        let mut accounts = self.0.route53.write();
        let Some(change) =
            accounts.accounts.get_mut(account).and_then(|state| state.changes.get_mut(id))
        else {
            return;
        };
        if pends { "PENDING" } else { "INSYNC" }.clone_into(&mut change.status);
        change.submitted_at = Utc::now();
        change.read_count = 0;
    }
}

/// Notes until when the zone is busy and its change pending.
fn remember(world: &World, zone: &str, response: &AwsResponse, now: DateTime<Utc>) {
    let pending = world.options.read().pending_changes;
    if pending.is_zero() {
        return;
    }
    let body = String::from_utf8_lossy(response.body.expect_bytes()).into_owned();
    let id = body
        .split_once("<Id>/change/")
        .and_then(|(_, rest)| rest.split_once("</Id>"))
        .map(|(id, _)| id.to_owned());
    let mut memory = world.memory.write();
    memory.zone_changes.insert(zone.to_owned(), now + pending);
    if let Some(id) = id {
        memory.changes.insert(id, now + pending);
    }
}

/// The records that a zone would have after a batch at the names that it touches, as far as conflicts are concerned; the
/// crate applies it for real. All other names are as they were, however many the zone has.
fn applied(live: &[ResourceRecordSet], changes: &[Change]) -> Vec<ResourceRecordSet> {
    let touched: BTreeSet<&str> =
        changes.iter().map(|change| change.resource_record_set.name.as_str()).collect();
    let mut sets: Vec<ResourceRecordSet> =
        live.iter().filter(|set| touched.contains(set.name.as_str())).cloned().collect();
    for change in changes {
        let set = &change.resource_record_set;
        let same = |one: &ResourceRecordSet| {
            one.name == set.name
                && one.record_type == set.record_type
                && one.set_identifier == set.set_identifier
        };
        if change.action.eq_ignore_ascii_case("CREATE") {
            sets.push(set.clone());
            continue;
        }
        sets.retain(|one| !same(one));
        if change.action.eq_ignore_ascii_case("UPSERT") {
            sets.push(set.clone());
        }
    }
    sets
}

/// Hands the service the batch with its names as Route 53 shows them.
fn rewrite(
    request: &mut AwsRequest,
    batch: &ChangeResourceRecordSetsRequest,
) -> Result<(), AwsServiceError> {
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let mut rest = text.as_str();
    let mut written = String::with_capacity(text.len());
    // The names stand in the document in the order of the changes.
    for change in &batch.change_batch.changes.change {
        let place = rest
            .find("<ResourceRecordSet>")
            .and_then(|at| rest[at..].find("<Name>").map(|name| at + name + 6));
        let (Some(start), Some(end)) =
            (place, place.and_then(|at| rest[at..].find("</Name>").map(|end| at + end)))
        else {
            return Err(refused(
                "InvalidInput",
                "Invalid XML ; a resource record set without a name",
            ));
        };
        written.push_str(&rest[..start]);
        written.push_str(&change.resource_record_set.name);
        rest = &rest[end..];
    }
    written.push_str(rest);
    request.body = written.into();
    Ok(())
}

/// Names are compared as they are shown, and no page is larger than AWS's.
fn list(request: &mut AwsRequest) {
    if let Some(name) = request.query_params.get_mut("name") {
        *name = shown(name);
    }
    let size =
        request.query_params.get("maxitems").and_then(|size| size.parse().ok()).unwrap_or(PAGE);
    request.query_params.insert("maxitems".to_owned(), size.min(PAGE).to_string());
}
