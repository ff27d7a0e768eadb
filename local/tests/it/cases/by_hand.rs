//! What somebody does to an account by hand: a small, closed vocabulary, made of AWS's own calls.

use std::collections::BTreeMap;
use std::path::Path;

use aws_config::SdkConfig;
use aws_sdk_route53::types as dns;
use serde::Deserialize;
use serde_json::{Value, json};
use sesinfra_local::{Cloud, Effect, Fault};

use crate::it::account::{ACCOUNT, REGION, administrator};
use crate::it::stage::{Open, access};

/// One act, in the account and Region of the tests.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Act {
    /// Deletes a record set. A name that starts with `*` stands for the first name that ends so.
    DeleteRecord { name: String, kind: String },
    /// Adds a value to a record set, or begins one.
    AddValue { name: String, kind: String, value: String },
    /// Gives a topic the policy of one that was just made: SES may no longer publish.
    ResetTopicPolicy { topic: String },
    /// Removes a queue's policy: topics may no longer deliver.
    RemoveQueuePolicy { queue: String },
    /// Subscribes an endpoint to a topic.
    Subscribe { topic: String, protocol: String, endpoint: String },
    /// Cancels the subscription of an endpoint.
    Unsubscribe { topic: String, endpoint: String },
    /// Sets how a set's mail is handed over.
    SetTls { set: String, policy: String },
    /// Makes an identity.
    CreateIdentity { name: String, tags: BTreeMap<String, String> },
    /// Makes a topic.
    CreateTopic { name: String },
    /// Takes tags from an SES resource: `identity/pivot.app`.
    Untag { resource: String, keys: Vec<String> },
    /// Takes everything that says whose it is off all that the environment made: as if another tool had made it.
    StripMarks,
    /// Takes an identity's default set away.
    ClearDefaultSet { identity: String },
    /// Attaches a managed policy to a role that is made for it.
    AttachToRole { policy: String, role: String },
    /// Applies the environment and is cut off for good when this call is done, before its answer arrives.
    ApplyCutOff { after: String },
}

impl Act {
    /// Does it.
    pub(super) async fn happen(&self, cloud: &Cloud, root: &Path, environment: &str) {
        let config = administrator(cloud, ACCOUNT);
        match self {
            Self::DeleteRecord { name, kind } => delete_record(&config, name, kind).await,
            Self::AddValue { name, kind, value } => add_value(&config, name, kind, value).await,
            Self::ResetTopicPolicy { topic } => reset_topic_policy(&config, topic).await,
            Self::RemoveQueuePolicy { queue } => remove_queue_policy(&config, queue).await,
            Self::Subscribe { topic, protocol, endpoint } => {
                let topics = aws_sdk_sns::Client::new(&config);
                let call = topics.subscribe().topic_arn(arn("sns", topic)).protocol(protocol);
                call.endpoint(endpoint).send().await.unwrap();
            }
            Self::Unsubscribe { topic, endpoint } => unsubscribe(&config, topic, endpoint).await,
            Self::CreateTopic { name } => {
                let topics = aws_sdk_sns::Client::new(&config);
                topics.create_topic().name(name).send().await.unwrap();
            }
            Self::StripMarks => crate::it::marks::strip_all(&config).await,
            Self::AttachToRole { policy, role } => attach(&config, policy, role).await,
            Self::ApplyCutOff { after } => {
                let access = access(cloud, ACCOUNT, root);
                let open = Open::with(access, root, environment, |graph| graph).await;
                let open = open.in_single_file();
                cloud.faults().arm(Fault::nth(after, 1, Effect::HangAfter));
                tokio::select! {
                    _ = open.apply() => panic!("an apply makes no call {after}"),
                    () = cloud.faults().struck() => {}
                }
            }
            _ => self.happen_in_ses(&config).await,
        }
    }

    async fn happen_in_ses(&self, config: &SdkConfig) {
        let ses = aws_sdk_sesv2::Client::new(config);
        match self {
            Self::SetTls { set, policy } => {
                let call = ses.put_configuration_set_delivery_options().configuration_set_name(set);
                call.tls_policy(policy.as_str().into()).send().await.unwrap();
            }
            Self::CreateIdentity { name, tags } => {
                let tag = |(key, value)| {
                    aws_sdk_sesv2::types::Tag::builder().key(key).value(value).build().unwrap()
                };
                let tags = tags.iter().map(tag).collect();
                let call = ses.create_email_identity().email_identity(name);
                call.set_tags(Some(tags)).send().await.unwrap();
            }
            Self::Untag { resource, keys } => {
                let call = ses.untag_resource().resource_arn(arn("ses", resource));
                call.set_tag_keys(Some(keys.clone())).send().await.unwrap();
            }
            Self::ClearDefaultSet { identity } => {
                let call = ses.put_email_identity_configuration_set_attributes();
                call.email_identity(identity).send().await.unwrap();
            }
            _ => panic!("not an act in SES"),
        }
    }
}

fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{name}")
}

/// The zone that `name` is in, and its record sets.
async fn listing(config: &SdkConfig, name: &str) -> (String, Vec<dns::ResourceRecordSet>) {
    let client = aws_sdk_route53::Client::new(config);
    let zones = client.list_hosted_zones().send().await.unwrap().hosted_zones;
    let around = zones.into_iter().filter(|zone| format!("{name}.").ends_with(&zone.name));
    let zone = around.max_by_key(|zone| zone.name.len()).unwrap();
    let listed = client.list_resource_record_sets().hosted_zone_id(&zone.id).send().await.unwrap();
    (zone.id, listed.resource_record_sets)
}

async fn change(
    config: &SdkConfig,
    zone: &str,
    action: dns::ChangeAction,
    set: dns::ResourceRecordSet,
) {
    let change = dns::Change::builder().action(action).resource_record_set(set).build().unwrap();
    let batch = dns::ChangeBatch::builder().changes(change).build().unwrap();
    let client = aws_sdk_route53::Client::new(config);
    let call = client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    call.send().await.unwrap();
}

async fn delete_record(config: &SdkConfig, name: &str, kind: &str) {
    let (zone, sets) = listing(config, name).await;
    let is_meant = |set: &&dns::ResourceRecordSet| {
        let found = set.name.trim_end_matches('.');
        let fits = name.strip_prefix('*').map_or(found == name, |end| found.ends_with(end));
        fits && set.r#type.as_str() == kind
    };
    let set = sets.iter().find(is_meant).unwrap_or_else(|| panic!("no record {name} {kind}"));
    change(config, &zone, dns::ChangeAction::Delete, set.clone()).await;
}

async fn add_value(config: &SdkConfig, name: &str, kind: &str, value: &str) {
    let (zone, sets) = listing(config, name).await;
    let found = sets
        .into_iter()
        .find(|set| set.name.trim_end_matches('.') == name && set.r#type.as_str() == kind);
    let (mut values, ttl) =
        found.map_or((Vec::new(), Some(300)), |set| (set.resource_records.unwrap(), set.ttl));
    values.push(dns::ResourceRecord::builder().value(value).build().unwrap());
    let set = dns::ResourceRecordSet::builder()
        .name(name)
        .r#type(kind.into())
        .set_ttl(ttl)
        .set_resource_records(Some(values));
    change(config, &zone, dns::ChangeAction::Upsert, set.build().unwrap()).await;
}

async fn reset_topic_policy(config: &SdkConfig, topic: &str) {
    let owner = json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission",
                "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic", "SNS:Publish"],
            "Resource": arn("sns", topic),
            "Condition": { "StringEquals": { "AWS:SourceOwner": ACCOUNT } },
        }],
    });
    let topics = aws_sdk_sns::Client::new(config);
    let call = topics.set_topic_attributes().topic_arn(arn("sns", topic));
    call.attribute_name("Policy").attribute_value(owner.to_string()).send().await.unwrap();
}

async fn remove_queue_policy(config: &SdkConfig, queue: &str) {
    let queues = aws_sdk_sqs::Client::new(config);
    let url = queues.get_queue_url().queue_name(queue).send().await.unwrap().queue_url;
    let call = queues.set_queue_attributes().set_queue_url(url);
    call.attributes("Policy".into(), "").send().await.unwrap();
}

async fn unsubscribe(config: &SdkConfig, topic: &str, endpoint: &str) {
    let topics = aws_sdk_sns::Client::new(config);
    let listed = topics.list_subscriptions_by_topic().topic_arn(arn("sns", topic)).send().await;
    let listed = listed.unwrap().subscriptions.unwrap_or_default();
    let found = listed.into_iter().find(|one| one.endpoint() == Some(endpoint)).unwrap();
    topics.unsubscribe().set_subscription_arn(found.subscription_arn).send().await.unwrap();
}

async fn attach(config: &SdkConfig, policy: &str, role: &str) {
    let iam = aws_sdk_iam::Client::new(config);
    let trust: Value = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole",
    }] });
    let create = iam.create_role().role_name(role).assume_role_policy_document(trust.to_string());
    create.send().await.unwrap();
    let policy = format!("arn:aws:iam::{ACCOUNT}:policy/{policy}");
    iam.attach_role_policy().role_name(role).policy_arn(policy).send().await.unwrap();
}
