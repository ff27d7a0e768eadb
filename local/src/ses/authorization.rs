//! What IAM is asked before a request is answered: actions, resources, condition keys and tags.
//!
//! A send needs the identity and the set that is used, named or default, and the template; a raw message is another action
//! than the rest. What cannot be read from the request is left to the operation to refuse.

use std::collections::{BTreeMap, BTreeSet};

use fakecloud_core::auth::IamAction;
use fakecloud_core::service::AwsRequest;
use serde_json::Value;

use super::call::Call;
use super::identities::key;
use super::input::Input;
use super::message::{Message, TemplateSource};
use super::routes::Route;
use super::sending::covering;
use super::state::Place;
use super::tenants::Tenant;

/// Everything that must be allowed.
pub(super) fn actions(call: &mut Call<'_>, route: &Route) -> Vec<IamAction> {
    let all = |action: &'static str, resources: Vec<String>| {
        let actions = resources.into_iter();
        actions.map(move |resource| IamAction { service: "ses", action, resource }).collect()
    };
    match route.operation {
        "SendEmail" => {
            let messages = messages(call.body, "SendEmail");
            let raw = messages.iter().any(|message| message.is_raw);
            let action = if raw { "SendRawEmail" } else { "SendEmail" };
            all(action, send_resources(call, &messages))
        }
        "SendBulkEmail" => {
            let messages = messages(call.body, "SendBulkEmail");
            all("SendBulkEmail", send_resources(call, &messages))
        }
        operation => {
            let own = match tenant(call, operation) {
                Some(tenant) => vec![tenant],
                None => resources(&call.place, route, call.request, call.body),
            };
            let mut needed: Vec<IamAction> = all(operation, own);
            needed.extend(beside(&call.place, operation, call.body));
            needed
        }
    }
}

/// The ARN of the tenant that an operation is about; its id is known only when it is there.
fn tenant(call: &mut Call<'_>, operation: &str) -> Option<String> {
    const ABOUT: &[&str] = &[
        "CreateTenant",
        "GetTenant",
        "DeleteTenant",
        "PutTenantSuppressionAttributes",
        "CreateTenantResourceAssociation",
        "DeleteTenantResourceAssociation",
        "ListTenantResources",
    ];
    let name = call.body["TenantName"].as_str().filter(|_| ABOUT.contains(&operation))?;
    let known = call.here().tenants.get(name).map(Tenant::resource);
    Some(call.place.arn(&known.unwrap_or_else(|| format!("tenant/{name}/*"))))
}

fn messages(body: &Value, operation: &str) -> Vec<Message> {
    let Ok(input) = Input::body(body) else { return Vec::new() };
    match operation {
        "SendEmail" => Message::read(&input).into_iter().collect(),
        _ => Message::read_bulk(&input).unwrap_or_default(),
    }
}

/// Identity, set and template of each message. A message that could not be read needs everything.
fn send_resources(call: &mut Call<'_>, messages: &[Message]) -> Vec<String> {
    if messages.is_empty() {
        return vec!["*".to_owned()];
    }
    let place = call.place.clone();
    let mut arns = BTreeSet::new();
    for message in messages {
        let from = message.sender();
        let identity = covering(call, &from).unwrap_or(from);
        let found = call.here().identities.get(&identity);
        let default = found.and_then(|found| found.default_set.clone());
        let arn = place.arn(&format!("identity/{identity}"));
        arns.insert(message.identity_arn.clone().unwrap_or(arn));
        if let Some(set) = message.set.clone().or(default).filter(|set| !set.is_empty()) {
            arns.insert(place.arn(&format!("configuration-set/{set}")));
        }
        if let Some(TemplateSource::Named(template)) =
            message.template.as_ref().map(|filled| &filled.template)
        {
            arns.insert(place.arn(&format!("template/{template}")));
        }
    }
    arns.into_iter().collect()
}

/// The resources of an operation that does not send; `*` where IAM has no finer ones.
fn resources(place: &Place, route: &Route, request: &AwsRequest, body: &Value) -> Vec<String> {
    let label = |index: usize| route.labels.get(index).map_or("", String::as_str);
    let member = |name: &str| body[name].as_str().unwrap_or_default();
    let operation = route.operation;
    let resource = match operation {
        "CreateEmailIdentity" => format!("identity/{}", key(member("EmailIdentity"))),
        "CreateConfigurationSet" | "UpdateConfigurationSet" => {
            format!("configuration-set/{}", member("ConfigurationSetName"))
        }
        "CreateDedicatedIpPool" => format!("dedicated-ip-pool/{}", member("PoolName")),
        "CreateContactList" => format!("contact-list/{}", member("ContactListName")),
        "CreateEmailTemplate" => format!("template/{}", member("TemplateName")),
        "CreateCustomVerificationEmailTemplate" | "SendCustomVerificationEmail" => {
            format!("custom-verification-email-template/{}", member("TemplateName"))
        }
        "TagResource" => return vec![member("ResourceArn").to_owned()],
        "UntagResource" | "ListTagsForResource" => {
            return vec![request.query_params.get("ResourceArn").cloned().unwrap_or_default()];
        }
        _ => match request.path_segments.get(2).map(String::as_str) {
            Some("identities") => format!("identity/{}", key(label(0))),
            Some("configuration-sets") => format!("configuration-set/{}", label(0)),
            Some("dedicated-ip-pools") if !label(0).is_empty() => {
                format!("dedicated-ip-pool/{}", label(0))
            }
            Some("contact-lists") if !label(0).is_empty() => format!("contact-list/{}", label(0)),
            Some("templates") if !label(0).is_empty() => format!("template/{}", label(0)),
            Some("custom-verification-email-templates") if !label(0).is_empty() => {
                format!("custom-verification-email-template/{}", label(0))
            }
            _ => return vec!["*".to_owned()],
        },
    };
    vec![place.arn(&resource)]
}

/// What some operations need beside their own resource.
fn beside(place: &Place, operation: &'static str, body: &Value) -> Vec<IamAction> {
    let action =
        |action: &'static str, resource: String| IamAction { service: "ses", action, resource };
    match operation {
        "CreateEmailIdentity" => {
            let origin = body["DkimSigningAttributes"]["DomainSigningAttributesOrigin"].as_str();
            let region = origin.and_then(|origin| origin.strip_prefix("AWS_SES_"));
            let Some(region) = region else { return Vec::new() };
            let parent =
                Place { region: region.to_ascii_lowercase().replace('_', "-"), ..place.clone() };
            let name = key(body["EmailIdentity"].as_str().unwrap_or_default());
            vec![action(
                "ReplicateEmailIdentityDkimSigningKey",
                parent.arn(&format!("identity/{name}")),
            )]
        }
        "PutEmailIdentityConfigurationSetAttributes" => {
            let set = body["ConfigurationSetName"].as_str().filter(|set| !set.is_empty());
            let arn = set.map(|set| place.arn(&format!("configuration-set/{set}")));
            arn.map(|arn| action("PutEmailIdentityConfigurationSetAttributes", arn))
                .into_iter()
                .collect()
        }
        "CreateConfigurationSet" | "PutConfigurationSetDeliveryOptions" => {
            let options =
                if operation == "CreateConfigurationSet" { &body["DeliveryOptions"] } else { body };
            let pool = options["SendingPoolName"].as_str();
            let arn = pool.map(|pool| place.arn(&format!("dedicated-ip-pool/{pool}")));
            let archive = body["ArchivingOptions"]["ArchiveArn"].as_str().map(str::to_owned);
            arn.into_iter().chain(archive).map(|arn| action(operation, arn)).collect()
        }
        "PutConfigurationSetArchivingOptions" => {
            let archive = body["ArchiveArn"].as_str().map(str::to_owned);
            archive.into_iter().map(|arn| action(operation, arn)).collect()
        }
        "CreateTenantResourceAssociation" | "DeleteTenantResourceAssociation" => {
            let resource = body["ResourceArn"].as_str().map(str::to_owned);
            resource.into_iter().map(|arn| action(operation, arn)).collect()
        }
        "CreateConfigurationSetEventDestination" | "UpdateConfigurationSetEventDestination" => {
            let role =
                body["EventDestination"]["KinesisFirehoseDestination"]["IamRoleArn"].as_str();
            role.map(IamAction::pass_role).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The keys that policies may set conditions on. A bulk send tells nothing about From and recipients.
pub(super) fn condition_keys(
    request: &AwsRequest,
    action: &IamAction,
) -> BTreeMap<String, Vec<String>> {
    let mut keys = BTreeMap::new();
    if action.is_pass_role() {
        keys.insert("iam:passedtoservice".to_owned(), vec!["ses.amazonaws.com".to_owned()]);
        return keys;
    }
    if !action.action.starts_with("Send") && action.action != "ReplicateEmailIdentityDkimSigningKey"
    {
        return keys;
    }
    if action.action == "ReplicateEmailIdentityDkimSigningKey" {
        keys.insert("ses:replicaregion".to_owned(), vec![request.region.clone()]);
        return keys;
    }
    keys.insert("ses:apiversion".to_owned(), vec!["2".to_owned()]);
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    if let Some(tenant) = body["TenantName"].as_str() {
        keys.insert("ses:tenantname".to_owned(), vec![tenant.to_owned()]);
    }
    if action.action == "SendBulkEmail" {
        return keys;
    }
    let Some(message) = messages(&body, "SendEmail").pop() else { return keys };
    keys.insert("ses:fromaddress".to_owned(), vec![message.sender()]);
    keys.insert("ses:recipients".to_owned(), message.recipients());
    if let Some(name) = message.sender_name() {
        keys.insert("ses:fromdisplayname".to_owned(), vec![name]);
    }
    if let Some(feedback) = message.feedback {
        keys.insert("ses:feedbackaddress".to_owned(), vec![feedback]);
    }
    keys
}

/// The tags that a request brings; for `UntagResource` the keys that it takes away.
pub(super) fn request_tags(request: &AwsRequest) -> BTreeMap<String, String> {
    if request.method == http::Method::DELETE {
        let keys = request.query_param_all("TagKeys").into_iter();
        return keys.map(|key| (key, String::new())).collect();
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let tags = body["Tags"].as_array().into_iter().flatten();
    let pairs = tags.filter_map(|tag| Some((tag["Key"].as_str()?, tag["Value"].as_str()?)));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
