//! What says whose a resource is, as somebody with the right to it may read, take off or copy it: tags, through the APIs
//! of the services themselves, and claims in DNS.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_route53::types as dns;

use super::account::{ACCOUNT, REGION};

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// What can carry tags, by its ARN.
pub(crate) struct Tagged<'a> {
    config: &'a SdkConfig,
    arn: String,
}

/// What the environments of tests make that can carry tags, by kind and name.
pub(crate) fn arn(kind: &str, name: &str) -> String {
    match kind {
        "identity" => format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/{name}"),
        "configuration_set" => format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{name}"),
        "topic" => format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}"),
        "queue" => format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"),
        "alarm" => format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"),
        "send_policy" => format!("arn:aws:iam::{ACCOUNT}:policy/{name}"),
        other => panic!("{other} carries no tags"),
    }
}

impl<'a> Tagged<'a> {
    pub(crate) fn new(config: &'a SdkConfig, kind: &str, name: &str) -> Self {
        Self { config, arn: arn(kind, name) }
    }

    /// Its tags, none if it does not exist.
    pub(crate) async fn tags(&self) -> Option<Tags> {
        let arn = &self.arn;
        let pairs: Vec<(String, String)> = match arn.split(':').nth(2) {
            Some("ses") => {
                let ses = aws_sdk_sesv2::Client::new(self.config);
                let listed = ses.list_tags_for_resource().resource_arn(arn).send().await.ok()?;
                listed.tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
            }
            Some("sns") => {
                let sns = aws_sdk_sns::Client::new(self.config);
                let listed = sns.list_tags_for_resource().resource_arn(arn).send().await.ok()?;
                listed.tags.unwrap_or_default().into_iter().map(|it| (it.key, it.value)).collect()
            }
            Some("sqs") => {
                let (sqs, url) = self.queue().await?;
                let listed = sqs.list_queue_tags().queue_url(url).send().await.ok()?;
                listed.tags.unwrap_or_default().into_iter().collect()
            }
            Some("cloudwatch") => {
                let alarms = aws_sdk_cloudwatch::Client::new(self.config);
                let name = arn.rsplit(':').next()?;
                let found = alarms.describe_alarms().alarm_names(name).send().await.ok()?;
                found.metric_alarms.unwrap_or_default().first()?;
                let listed = alarms.list_tags_for_resource().resource_arn(arn).send().await.ok()?;
                let tags = listed.tags.unwrap_or_default().into_iter();
                tags.filter_map(|tag| Some((tag.key?, tag.value?))).collect()
            }
            _ => {
                let iam = aws_sdk_iam::Client::new(self.config);
                let found = iam.get_policy().policy_arn(arn).send().await.ok()?.policy?;
                found.tags.unwrap_or_default().into_iter().map(|it| (it.key, it.value)).collect()
            }
        };
        Some(pairs.into_iter().collect())
    }

    async fn queue(&self) -> Option<(aws_sdk_sqs::Client, String)> {
        let sqs = aws_sdk_sqs::Client::new(self.config);
        let name = self.arn.rsplit(':').next()?;
        let url = sqs.get_queue_url().queue_name(name).send().await.ok()?.queue_url?;
        Some((sqs, url))
    }

    /// Writes these tags.
    pub(crate) async fn tag(&self, tags: &Tags) {
        let arn = &self.arn;
        match arn.split(':').nth(2) {
            Some("ses") => {
                let tag = |(key, value): (&String, &String)| {
                    aws_sdk_sesv2::types::Tag::builder().key(key).value(value).build().unwrap()
                };
                let call = aws_sdk_sesv2::Client::new(self.config).tag_resource().resource_arn(arn);
                call.set_tags(Some(tags.iter().map(tag).collect())).send().await.unwrap();
            }
            Some("sns") => {
                let tag = |(key, value): (&String, &String)| {
                    aws_sdk_sns::types::Tag::builder().key(key).value(value).build().unwrap()
                };
                let call = aws_sdk_sns::Client::new(self.config).tag_resource().resource_arn(arn);
                call.set_tags(Some(tags.iter().map(tag).collect())).send().await.unwrap();
            }
            Some("sqs") => {
                let (sqs, url) = self.queue().await.unwrap();
                let tags = tags.clone().into_iter().collect();
                sqs.tag_queue().queue_url(url).set_tags(Some(tags)).send().await.unwrap();
            }
            Some("cloudwatch") => {
                let tag = |(key, value): (&String, &String)| {
                    aws_sdk_cloudwatch::types::Tag::builder().key(key).value(value).build()
                };
                let alarms = aws_sdk_cloudwatch::Client::new(self.config);
                let call = alarms.tag_resource().resource_arn(arn);
                call.set_tags(Some(tags.iter().map(tag).collect())).send().await.unwrap();
            }
            _ => {
                let tag = |(key, value): (&String, &String)| {
                    aws_sdk_iam::types::Tag::builder().key(key).value(value).build().unwrap()
                };
                let call = aws_sdk_iam::Client::new(self.config).tag_policy().policy_arn(arn);
                call.set_tags(Some(tags.iter().map(tag).collect())).send().await.unwrap();
            }
        }
    }

    /// Takes off every tag that sesinfra wrote.
    pub(crate) async fn strip(&self) {
        let Some(tags) = self.tags().await else { return };
        let keys: Vec<String> =
            tags.into_keys().filter(|key| key.starts_with("sesinfra:")).collect();
        if keys.is_empty() {
            return;
        }
        let (arn, keys) = (&self.arn, Some(keys));
        match arn.split(':').nth(2) {
            Some("ses") => {
                let call = aws_sdk_sesv2::Client::new(self.config).untag_resource();
                call.resource_arn(arn).set_tag_keys(keys).send().await.unwrap();
            }
            Some("sns") => {
                let call = aws_sdk_sns::Client::new(self.config).untag_resource();
                call.resource_arn(arn).set_tag_keys(keys).send().await.unwrap();
            }
            Some("sqs") => {
                let (sqs, url) = self.queue().await.unwrap();
                sqs.untag_queue().queue_url(url).set_tag_keys(keys).send().await.unwrap();
            }
            Some("cloudwatch") => {
                let call = aws_sdk_cloudwatch::Client::new(self.config).untag_resource();
                call.resource_arn(arn).set_tag_keys(keys).send().await.unwrap();
            }
            _ => {
                let call = aws_sdk_iam::Client::new(self.config).untag_policy();
                call.policy_arn(arn).set_tag_keys(keys).send().await.unwrap();
            }
        }
    }
}

/// The names of everything in the account that can carry tags, by kind.
async fn everything(config: &SdkConfig) -> Vec<(&'static str, String)> {
    let ses = aws_sdk_sesv2::Client::new(config);
    let mut all = Vec::new();
    let listed = ses.list_email_identities().send().await.unwrap().email_identities;
    let names = listed.unwrap_or_default().into_iter().filter_map(|it| it.identity_name);
    all.extend(names.map(|name| ("identity", name)));
    let listed = ses.list_configuration_sets().send().await.unwrap().configuration_sets;
    all.extend(listed.unwrap_or_default().into_iter().map(|name| ("configuration_set", name)));
    let listed = aws_sdk_sns::Client::new(config).list_topics().send().await.unwrap().topics;
    let last = |text: &str| text.rsplit([':', '/']).next().unwrap_or_default().to_owned();
    let arns = listed.unwrap_or_default().into_iter().filter_map(|it| it.topic_arn);
    all.extend(arns.map(|arn| ("topic", last(&arn))));
    let listed = aws_sdk_sqs::Client::new(config).list_queues().send().await.unwrap().queue_urls;
    all.extend(listed.unwrap_or_default().iter().map(|url| ("queue", last(url))));
    let listed = aws_sdk_cloudwatch::Client::new(config).describe_alarms().send().await.unwrap();
    let alarms = listed.metric_alarms.unwrap_or_default().into_iter();
    all.extend(alarms.filter_map(|it| Some(("alarm", it.alarm_name?))));
    let listed = aws_sdk_iam::Client::new(config)
        .list_policies()
        .scope(aws_sdk_iam::types::PolicyScopeType::Local);
    let listed = listed.send().await.unwrap().policies.unwrap_or_default();
    all.extend(listed.into_iter().filter_map(|it| Some(("send_policy", it.policy_name?))));
    all
}

/// Takes off all tags that sesinfra wrote in the account, and deletes all claims.
pub(crate) async fn strip_all(config: &SdkConfig) {
    for (kind, name) in everything(config).await {
        Tagged::new(config, kind, &name).strip().await;
    }
    let route53 = aws_sdk_route53::Client::new(config);
    for zone in route53.list_hosted_zones().send().await.unwrap().hosted_zones {
        let listed = route53.list_resource_record_sets().hosted_zone_id(&zone.id).send().await;
        for set in listed.unwrap().resource_record_sets {
            if !set.name.starts_with("_sesinfra.") {
                continue;
            }
            let change = dns::Change::builder()
                .action(dns::ChangeAction::Delete)
                .resource_record_set(set)
                .build()
                .unwrap();
            let batch = dns::ChangeBatch::builder().changes(change).build().unwrap();
            let call = route53.change_resource_record_sets().hosted_zone_id(&zone.id);
            call.change_batch(batch).send().await.unwrap();
        }
    }
}
