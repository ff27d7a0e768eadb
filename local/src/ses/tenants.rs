//! Tenants and the resources that they may use. An identity or a set cannot be deleted while a tenant has it.

use std::collections::BTreeMap;

use fakecloud_core::service::AwsServiceError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::call::{Call, Page, put, seconds};
use super::errors::{Reply, already_exists, bad_request, limit_exceeded, not_found};
use super::input::{Choice, Input, choices, simple_name};
use super::options::{Reason, Scope, reasons, texts};
use super::state::{Arn, Place, Regional, Tags};
use super::tags;

const MOST: usize = 10_000;

choices! {
    /// What a tenant can be given.
    ResourceType {
        ConfigurationSet = "CONFIGURATION_SET",
        EmailIdentity = "EMAIL_IDENTITY",
        EmailTemplate = "EMAIL_TEMPLATE",
    }
}

/// A customer of the account, with a reputation of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tenant {
    name: String,
    id: String,
    created: i64,
    pub(super) tags: Tags,
    pub(super) suppression: Option<(Scope, Vec<Reason>)>,
    /// ARN and when it was given.
    pub(super) resources: BTreeMap<String, i64>,
}

impl Tenant {
    /// The last part of the tenant's ARN.
    pub(super) fn resource(&self) -> String {
        format!("tenant/{}/{}", self.name, self.id)
    }

    fn shown(&self, place: &Place) -> Value {
        json!({
            "TenantName": self.name,
            "TenantId": self.id,
            "TenantArn": place.arn(&self.resource()),
            "CreatedTimestamp": seconds(self.created),
        })
    }

    fn shown_whole(&self, place: &Place) -> Value {
        let mut shown = self.shown(place);
        put(&mut shown, "Tags", Some(tags::shown(&self.tags)));
        put(&mut shown, "SendingStatus", Some("ENABLED"));
        let suppression = self.suppression.as_ref().map(|(scope, reasons)| {
            json!({ "SuppressionScope": scope.text(), "SuppressedReasons": texts(reasons) })
        });
        put(&mut shown, "SuppressionAttributes", suppression);
        shown
    }
}

/// A tenant that has the resource.
pub(super) fn holder(regional: &Regional, arn: &str) -> Option<String> {
    let mut holders = regional.tenants.values().filter(|tenant| tenant.resources.contains_key(arn));
    holders.next().map(|tenant| tenant.name.clone())
}

fn missing(name: &str) -> AwsServiceError {
    not_found(format!("Tenant <{name}> does not exist."))
}

/// Both or neither.
fn suppression(input: &Input<'_>) -> Result<Option<(Scope, Vec<Reason>)>, AwsServiceError> {
    match (input.choice("SuppressionScope")?, reasons(input)?) {
        (Some(scope), Some(reasons)) => Ok(Some((scope, reasons))),
        (None, None) => Ok(None),
        _ => Err(bad_request("SuppressionScope and SuppressedReasons must be specified together.")),
    }
}

/// `CreateTenant`.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let name = input.required_text("TenantName")?;
    let tags = tags::given(&input)?;
    let suppression = input
        .object("SuppressionAttributes")?
        .map(|block| suppression(&block))
        .transpose()?
        .flatten();
    simple_name("tenant name", name)?;
    if call.here().tenants.contains_key(name) {
        return Err(already_exists(format!("Tenant <{name}> already exists.")));
    }
    if call.here().tenants.len() >= MOST {
        return Err(limit_exceeded("The maximum number of tenants is reached."));
    }
    let serial = call.serial();
    let source = format!("{}/{}/{name}/{serial}", call.place.account, call.place.region);
    let digest = Sha256::digest(source.as_bytes());
    let id = digest.iter().take(15).fold(String::from("tn-"), |id, byte| format!("{id}{byte:02x}"));
    let tenant = Tenant {
        name: name.to_owned(),
        id,
        created: call.now,
        tags,
        suppression,
        resources: BTreeMap::new(),
    };
    let shown = tenant.shown_whole(&call.place);
    call.here().tenants.insert(name.to_owned(), tenant);
    Ok(shown)
}

fn named<'c>(call: &'c mut Call<'_>) -> Result<&'c mut Tenant, AwsServiceError> {
    let name = call.input()?.required_text("TenantName")?;
    call.here().tenants.get_mut(name).ok_or_else(|| missing(name))
}

/// `GetTenant`.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let place = call.place.clone();
    Ok(json!({ "Tenant": named(call)?.shown_whole(&place) }))
}

/// `DeleteTenant`: what it was given stays.
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = named(call)?.name.clone();
    call.here().tenants.remove(&name);
    Ok(json!({}))
}

/// `ListTenants`: without tags and status.
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let page = Page::of(&call.input()?, 1000)?;
    let place = call.place.clone();
    let tenants = call.here().tenants.iter();
    let tenants = tenants.map(|(name, tenant)| (name.clone(), tenant.shown(&place)));
    let (tenants, next) = page.cut(tenants.collect());
    let mut reply = json!({ "Tenants": tenants });
    put(&mut reply, "NextToken", next);
    Ok(reply)
}

/// `PutTenantSuppressionAttributes`.
pub(super) fn put_suppression(call: &mut Call<'_>) -> Reply {
    let options = suppression(&call.input()?)?;
    named(call)?.suppression = options;
    Ok(json!({}))
}

/// What kind of resource an ARN names, if it is one of this account and Region that exists.
fn resource_type(call: &mut Call<'_>, arn: &str) -> Result<ResourceType, AwsServiceError> {
    let place = call.place.clone();
    let parsed = Arn::parse(arn).filter(|parsed| {
        parsed.service == "ses" && parsed.region == place.region && parsed.account == place.account
    });
    let parts = parsed.and_then(|parsed| parsed.resource.split_once('/'));
    let here = call.here();
    let (exists, kind) = match parts {
        Some(("identity", name)) => {
            (here.identities.contains_key(name), ResourceType::EmailIdentity)
        }
        Some(("configuration-set", name)) => {
            (here.sets.contains_key(name), ResourceType::ConfigurationSet)
        }
        Some(("template", name)) => {
            (here.templates.contains_key(name), ResourceType::EmailTemplate)
        }
        _ => return Err(bad_request(format!("The resource ARN <{arn}> is invalid."))),
    };
    if exists { Ok(kind) } else { Err(not_found(format!("Resource <{arn}> does not exist."))) }
}

/// `CreateTenantResourceAssociation`.
pub(super) fn associate(call: &mut Call<'_>) -> Reply {
    let arn = call.input()?.required_text("ResourceArn")?;
    named(call)?;
    resource_type(call, arn)?;
    let now = call.now;
    let tenant = named(call)?;
    if tenant.resources.contains_key(arn) {
        return Err(already_exists(format!(
            "Resource <{arn}> is associated with the tenant already."
        )));
    }
    tenant.resources.insert(arn.to_owned(), now);
    Ok(json!({}))
}

/// `DeleteTenantResourceAssociation`.
pub(super) fn dissociate(call: &mut Call<'_>) -> Reply {
    let arn = call.input()?.required_text("ResourceArn")?;
    let removed = named(call)?.resources.remove(arn);
    removed
        .ok_or_else(|| not_found(format!("Resource <{arn}> is not associated with the tenant.")))?;
    Ok(json!({}))
}

/// `ListTenantResources`.
pub(super) fn list_resources(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let page = Page::of(&input, 1000)?;
    let filter = input.text_map("Filter")?;
    let wanted = filter.get("RESOURCE_TYPE").copied();
    let resources = named(call)?.resources.keys().filter_map(|arn| {
        let kind = match Arn::parse(arn)?.resource.split_once('/')?.0 {
            "identity" => ResourceType::EmailIdentity,
            "configuration-set" => ResourceType::ConfigurationSet,
            _ => ResourceType::EmailTemplate,
        };
        let shown = json!({ "ResourceType": kind.text(), "ResourceArn": arn });
        wanted.is_none_or(|wanted| wanted == kind.text()).then(|| (arn.clone(), shown))
    });
    let (resources, next) = page.cut(resources.collect());
    let mut reply = json!({ "TenantResources": resources });
    put(&mut reply, "NextToken", next);
    Ok(reply)
}

/// `ListResourceTenants`.
pub(super) fn list_holders(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let arn = input.required_text("ResourceArn")?;
    let page = Page::of(&input, 1000)?;
    resource_type(call, arn)?;
    let holders = call.here().tenants.values().filter_map(|tenant| {
        let since = tenant.resources.get(arn)?;
        let shown = json!({
            "TenantName": tenant.name,
            "TenantId": tenant.id,
            "ResourceArn": arn,
            "AssociatedTimestamp": seconds(*since),
        });
        Some((tenant.name.clone(), shown))
    });
    let (holders, next) = page.cut(holders.collect());
    let mut reply = json!({ "ResourceTenants": holders });
    put(&mut reply, "NextToken", next);
    Ok(reply)
}
