//! The permissions of Route 53.

use std::collections::{BTreeMap, BTreeSet};

use fakecloud_core::service::AwsRequest;
use fakecloud_route53::model::ChangeResourceRecordSetsRequest;
use fakecloud_route53::router::route;
use fakecloud_route53::xml_io;

use super::{Need, Rules};
use crate::world::World;

pub(super) struct Route53;

impl Rules for Route53 {
    fn needs(&self, _world: &World, request: &AwsRequest) -> Vec<Need> {
        let Some(route) = route(&request.method, &request.raw_path, &request.raw_query) else {
            return Vec::new();
        };
        let id = route.id.as_deref().unwrap_or_default();
        let id = id.rsplit('/').next().unwrap_or(id);
        let resource = match route.action {
            "GetChange" => format!("arn:aws:route53:::change/{id}"),
            "GetHostedZone"
            | "DeleteHostedZone"
            | "UpdateHostedZoneComment"
            | "ChangeResourceRecordSets"
            | "ListResourceRecordSets" => format!("arn:aws:route53:::hostedzone/{id}"),
            "ListTagsForResource" | "ChangeTagsForResource" => {
                format!("arn:aws:route53:::{id}/{}", route.second_id.as_deref().unwrap_or_default())
            }
            _ => "*".to_owned(),
        };
        vec![Need::new(route.action, resource)]
    }

    fn keys(&self, request: &AwsRequest) -> BTreeMap<String, Vec<String>> {
        let Ok(batch) = xml_io::from_xml_root::<ChangeResourceRecordSetsRequest>(&request.body)
        else {
            return BTreeMap::new();
        };
        let changes = &batch.change_batch.changes.change;
        let distinct = |values: BTreeSet<String>| values.into_iter().collect();
        let names =
            changes.iter().map(|change| normalized(&change.resource_record_set.name)).collect();
        let types =
            changes.iter().map(|change| change.resource_record_set.record_type.clone()).collect();
        let actions = changes.iter().map(|change| change.action.to_ascii_uppercase()).collect();
        let key = |name: &str| format!("route53:changeresourcerecordsets{name}");
        BTreeMap::from([
            (key("normalizedrecordnames"), distinct(names)),
            (key("recordtypes"), distinct(types)),
            (key("actions"), distinct(actions)),
        ])
    }

    fn tags(&self, world: &World, arn: &str) -> Option<BTreeMap<String, String>> {
        let id = arn.rsplit_once(":hostedzone/").map(|(_, id)| id)?;
        let accounts = world.route53.read();
        let key = ("hostedzone".to_owned(), id.to_owned());
        Some(
            accounts
                .accounts
                .values()
                .find_map(|state| state.tags.get(&key))
                .cloned()
                .unwrap_or_default(),
        )
    }

    fn given(&self, _request: &AwsRequest) -> Option<BTreeMap<String, String>> {
        None
    }
}

/// The form in which policies name records: lower case, escapes, no dot at the end.
fn normalized(name: &str) -> String {
    crate::strict::records::shown(name).trim_end_matches('.').to_owned()
}
