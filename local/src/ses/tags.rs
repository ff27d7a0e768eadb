//! Tags of everything in SES that takes them.

use fakecloud_core::service::AwsServiceError;
use serde_json::{Value, json};

use super::call::Call;
use super::errors::{Reply, bad_request, constraint, not_found};
use super::input::Input;
use super::state::{Arn, Place, Regional, Tags};

const MOST: usize = 50;

/// The tags of a create request, checked.
pub(super) fn given(input: &Input<'_>) -> Result<Tags, AwsServiceError> {
    let mut tags = Tags::new();
    for tag in input.objects("Tags")?.unwrap_or_default() {
        let key = tag.required_bounded("Key", 1, 128)?;
        let value = tag.required_bounded("Value", 0, 256)?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(bad_request("Tag keys that begin with aws: are reserved for system use."));
        }
        let text = format!("{key}{value}");
        if let Some(letter) = text.chars().find(|letter| !allowed(*letter)) {
            return Err(bad_request(format!(
                "The tag <{key}> contains the invalid character {letter:?}."
            )));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(bad_request(format!("The tag key <{key}> is given more than once.")));
        }
    }
    check_count(&tags)?;
    Ok(tags)
}

fn allowed(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(letter, ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}

fn check_count(tags: &Tags) -> Result<(), AwsServiceError> {
    if tags.len() > MOST {
        return Err(bad_request(format!("A resource may have {MOST} tags.")));
    }
    Ok(())
}

/// Tags as responses show them.
pub(super) fn shown(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// The tags of the resource with this ARN, which must be of the Region that was called.
fn tags_of<'r>(
    regional: &'r mut Regional,
    place: &Place,
    arn: &str,
) -> Result<&'r mut Tags, AwsServiceError> {
    let parsed = Arn::parse(arn)
        .filter(|parsed| parsed.service == "ses" && parsed.region == place.region)
        .filter(|parsed| parsed.account == place.account)
        .ok_or_else(|| bad_request("Failed to tag resource"))?;
    let (kind, name) = parsed.resource.split_once('/').unwrap_or((parsed.resource, ""));
    let (tags, what) = match kind {
        "identity" => {
            (regional.identities.get_mut(name).map(|found| &mut found.tags), "EmailIdentity")
        }
        "configuration-set" => {
            (regional.sets.get_mut(name).map(|found| &mut found.tags), "ConfigurationSet")
        }
        "dedicated-ip-pool" => {
            (regional.pools.get_mut(name).map(|found| &mut found.tags), "DedicatedIpPool")
        }
        "template" => {
            (regional.templates.get_mut(name).map(|found| &mut found.tags), "EmailTemplate")
        }
        "custom-verification-email-template" => (
            regional.verification_templates.get_mut(name).map(|found| &mut found.tags),
            "CustomVerificationEmailTemplate",
        ),
        "contact-list" => (
            regional
                .contact_list
                .as_mut()
                .filter(|list| list.name == name)
                .map(|list| &mut list.tags),
            "ContactList",
        ),
        "tenant" => (
            regional
                .tenants
                .values_mut()
                .find(|tenant| tenant.resource() == parsed.resource)
                .map(|tenant| &mut tenant.tags),
            "Tenant",
        ),
        _ => return Err(bad_request("Failed to tag resource")),
    };
    tags.ok_or_else(|| not_found(format!("No {what} present with name: {name}")))
}

/// `TagResource`: adds to what is there.
pub(super) fn tag(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let arn = input.required_text("ResourceArn")?;
    if input.required_objects("Tags")?.is_empty() {
        return Err(bad_request("The list of tags is empty."));
    }
    let added = given(&input)?;
    let place = call.place.clone();
    let tags = tags_of(call.here(), &place, arn)?;
    let mut merged = tags.clone();
    merged.extend(added);
    check_count(&merged)?;
    *tags = merged;
    Ok(json!({}))
}

/// `UntagResource`: keys that are not there do not matter.
pub(super) fn untag(call: &mut Call<'_>) -> Reply {
    let arn = resource_arn(call)?;
    let keys = call.request.query_param_all("TagKeys");
    if keys.is_empty() {
        return Err(constraint("null", "tagKeys", "Member must not be null"));
    }
    let place = call.place.clone();
    let tags = tags_of(call.here(), &place, arn)?;
    tags.retain(|key, _| !keys.contains(key));
    Ok(json!({}))
}

/// `ListTagsForResource`.
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let arn = resource_arn(call)?;
    let place = call.place.clone();
    let tags = tags_of(call.here(), &place, arn)?;
    Ok(json!({ "Tags": shown(tags) }))
}

fn resource_arn<'a>(call: &Call<'a>) -> Result<&'a str, AwsServiceError> {
    call.query("ResourceArn")
        .ok_or_else(|| constraint("null", "resourceArn", "Member must not be null"))
}

/// Every resource of a Region that takes tags, by its ARN, with its type as the tagging service names it.
pub(super) fn all<'r>(
    regional: &'r Regional,
    place: &Place,
) -> Vec<(String, &'static str, &'r Tags)> {
    let mut all = Vec::new();
    let mut add = |resource: String, kind, tags| all.push((place.arn(&resource), kind, tags));
    for (name, found) in &regional.identities {
        add(format!("identity/{name}"), "ses:identity", &found.tags);
    }
    for (name, found) in &regional.sets {
        add(format!("configuration-set/{name}"), "ses:configuration-set", &found.tags);
    }
    for (name, found) in &regional.pools {
        add(format!("dedicated-ip-pool/{name}"), "ses:dedicated-ip-pool", &found.tags);
    }
    if let Some(list) = &regional.contact_list {
        add(format!("contact-list/{}", list.name), "ses:contact-list", &list.tags);
    }
    for (name, found) in &regional.templates {
        add(format!("template/{name}"), "ses:template", &found.tags);
    }
    for (name, found) in &regional.verification_templates {
        add(
            format!("custom-verification-email-template/{name}"),
            "ses:custom-verification-email-template",
            &found.tags,
        );
    }
    for tenant in regional.tenants.values() {
        add(tenant.resource(), "ses:tenant", &tenant.tags);
    }
    all
}
