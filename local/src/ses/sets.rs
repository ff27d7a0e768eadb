//! Configuration sets: create, read, list, delete. Their options are in [`super::options`].

use std::collections::BTreeMap;

use fakecloud_core::service::AwsServiceError;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::{Call, Page, put};
use super::destinations::Destination;
use super::errors::{
    Reply, already_exists, bad_request, internal_failure, limit_exceeded, not_found,
};
use super::input::simple_name;
use super::options::{self, Archiving, Delivery, Security, Suppression, Tracking, Vdm};
use super::state::Tags;
use super::tags;

const MOST: usize = 10_000;

/// A configuration set: how mail is sent and what is told about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ConfigurationSet {
    pub(super) tags: Tags,
    pub(super) sending: bool,
    pub(super) reputation: bool,
    /// The groups below are absent until they are put.
    pub(super) tracking: Option<Tracking>,
    pub(super) delivery: Option<Delivery>,
    pub(super) suppression: Option<Suppression>,
    pub(super) vdm: Option<Vdm>,
    pub(super) archiving: Option<Archiving>,
    pub(super) security: Option<Security>,
    pub(super) destinations: BTreeMap<String, Destination>,
}

/// What is answered for a set that is not there.
pub(super) fn missing(name: &str) -> AwsServiceError {
    not_found(format!("Configuration set <{name}> does not exist."))
}

/// The set of the path.
pub(super) fn found<'c>(
    call: &'c mut Call<'_>,
) -> Result<&'c mut ConfigurationSet, AwsServiceError> {
    let name = call.label(0);
    call.here().sets.get_mut(name).ok_or_else(|| missing(name))
}

/// `CreateConfigurationSet`.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let name = input.required_text("ConfigurationSetName")?;
    let tags = tags::given(&input)?;
    // A block that is there without its member means false; without the block it is true.
    let flag = |block: &str, member: &str| match input.object(block)? {
        None => Ok::<bool, AwsServiceError>(true),
        Some(block) => Ok(block.flag(member)?.unwrap_or(false)),
    };
    let sending = flag("SendingOptions", "SendingEnabled")?;
    let reputation = flag("ReputationOptions", "ReputationMetricsEnabled")?;
    let [tracking, delivery, suppression, vdm, archiving, security] = [
        "TrackingOptions",
        "DeliveryOptions",
        "SuppressionOptions",
        "VdmOptions",
        "ArchivingOptions",
        "MessageSecurityOptions",
    ]
    .map(|group| input.object(group));
    let suppression = suppression?;
    if let Some(options) = &suppression
        && options.texts("SuppressedReasons")?.is_none()
    {
        return Err(internal_failure());
    }
    simple_name("configuration set name", name)?;
    if call.here().sets.contains_key(name) {
        return Err(already_exists(format!("Configuration set {name} already exists.")));
    }
    if call.here().sets.len() >= MOST {
        return Err(limit_exceeded("The maximum number of configuration sets is reached."));
    }
    let set = ConfigurationSet {
        tags,
        sending,
        reputation,
        tracking: tracking?.map(|group| options::tracking(call, &group)).transpose()?.flatten(),
        delivery: delivery?.map(|group| options::delivery(call, &group)).transpose()?.flatten(),
        suppression: suppression
            .map(|group| options::suppression(call, &group))
            .transpose()?
            .flatten(),
        vdm: vdm?.map(|group| options::vdm(&group)).transpose()?.flatten(),
        archiving: archiving?.map(|group| options::archiving(&group)).transpose()?.flatten(),
        security: security?.map(|group| options::security(&group)).transpose()?.flatten(),
        destinations: BTreeMap::new(),
    };
    call.here().sets.insert(name.to_owned(), set);
    Ok(json!({}))
}

/// `GetConfigurationSet`: sending and reputation are always shown, the other groups once they are put.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let name = call.label(0);
    let set = found(call)?;
    let mut shown = json!({
        "ConfigurationSetName": name,
        "SendingOptions": { "SendingEnabled": set.sending },
        "ReputationOptions": { "ReputationMetricsEnabled": set.reputation },
        "Tags": tags::shown(&set.tags),
    });
    put(&mut shown, "TrackingOptions", set.tracking.as_ref().map(Tracking::shown));
    put(&mut shown, "DeliveryOptions", set.delivery.as_ref().map(Delivery::shown));
    put(&mut shown, "SuppressionOptions", set.suppression.as_ref().map(Suppression::shown));
    put(&mut shown, "VdmOptions", set.vdm.as_ref().map(Vdm::shown));
    put(&mut shown, "ArchivingOptions", set.archiving.as_ref().map(Archiving::shown));
    put(&mut shown, "MessageSecurityOptions", set.security.as_ref().map(Security::shown));
    Ok(shown)
}

/// `DeleteConfigurationSet`: its destinations go with it; identities that have it as default keep naming it.
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.label(0);
    found(call)?;
    let arn = call.place.arn(&format!("configuration-set/{name}"));
    if let Some(tenant) = super::tenants::holder(call.here(), &arn) {
        return Err(bad_request(format!(
            "Configuration set <{name}> is associated with tenant <{tenant}> and cannot be deleted."
        )));
    }
    call.here().sets.remove(name);
    Ok(json!({}))
}

/// `ListConfigurationSets`.
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let page = Page::of(&input, 1000)?;
    let filter = input.text_map("Filter")?;
    let part = filter.get("CONFIGURATION_SET_NAME_CONTAINS").copied();
    let names = call.here().sets.keys().filter(|name| part.is_none_or(|part| name.contains(part)));
    let (names, next) = page.cut(names.map(|name| (name.clone(), name.clone())).collect());
    let mut shown = json!({ "ConfigurationSets": names });
    put(&mut shown, "NextToken", next);
    Ok(shown)
}
