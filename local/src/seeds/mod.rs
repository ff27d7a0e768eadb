//! What an account has before sesinfra comes: the hosted zones, roles, users, groups, streams and keys that an
//! environment file refers to and sesinfra does not make. Nothing that exists is touched, so that seeding again after
//! somebody changed something keeps the change.

mod keys;
mod people;
mod zones;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use fakecloud_firehose::DeliveryStream;
use fakecloud_sns::SnsTopic;
use serde_json::{Value, json};
use sesinfra::environment::Environment;
use sesinfra::environment::names::{Arn, TopicReference};
use sesinfra::environment::types::{Dkim, Encryption, EventTarget, Firehose, Settings};

use crate::ses::SesCloud;
use crate::world::World;

/// Where an environment lives.
struct Place<'a> {
    world: &'a Arc<World>,
    account: &'a str,
    region: &'a str,
}

/// Gives the environment's account what its file takes for granted.
pub fn seed(world: &Arc<World>, environment: &Environment) {
    let settings = &environment.settings;
    let (account, region) = (settings.aws.account.to_string(), settings.aws.region.to_string());
    let place = Place { world, account: &account, region: &region };
    zones::seed(&place, settings);
    people::seed(&place, settings);
    for firehose in streams(settings) {
        place.stream(&firehose.stream.short_name());
    }
    for topic in settings.topics.values() {
        if let Some(key) = &topic.encryption_key {
            place.key(key);
        }
    }
    for queue in settings.queues.values() {
        if let Encryption::Key(key) = &queue.encryption {
            place.key(key);
        }
    }
    for arn in topics_elsewhere(settings) {
        place.topic(arn);
    }
    let ses = SesCloud::over(world);
    for (path, body) in mail_elsewhere(settings) {
        // What exists is refused, and stays as it is.
        let _ = ses.perform(&account, &region, path, &body);
    }
    for identity in settings.identities.values() {
        if let Some(Dkim::External { private_key, .. }) = &identity.dkim {
            place.private_key(private_key);
        }
    }
}

/// The streams that events go to, with the roles that write to them.
fn streams(settings: &Settings) -> impl Iterator<Item = &Firehose> {
    let destinations = settings.configuration_sets.values().flat_map(|set| set.events.values());
    destinations.filter_map(|destination| match &destination.target {
        EventTarget::Firehose(firehose) => Some(firehose),
        _ => None,
    })
}

/// Topics of this account that were made by somebody else.
fn topics_elsewhere(settings: &Settings) -> impl Iterator<Item = &Arn> {
    let destinations = settings.configuration_sets.values().flat_map(|set| set.events.values());
    destinations.filter_map(|destination| match &destination.target {
        EventTarget::Topic(TopicReference::Elsewhere(arn)) => Some(arn),
        _ => None,
    })
}

/// Pools and configuration sets that were made by somebody else, as the requests that make them.
fn mail_elsewhere(settings: &Settings) -> Vec<(&'static str, Value)> {
    let pools = settings.configuration_sets.values().filter_map(|set| set.pool.as_ref());
    let pools = pools.map(|pool| ("dedicated-ip-pools", json!({ "PoolName": pool.as_str() })));
    let identities =
        settings.identities.values().filter_map(|identity| identity.configuration_set.as_ref());
    let policies =
        settings.send_policies.values().filter_map(|policy| policy.configuration_sets.as_ref());
    let sets = identities.chain(policies.flatten()).filter(|set| set.named().is_none());
    let sets =
        sets.map(|set| ("configuration-sets", json!({ "ConfigurationSetName": set.short_name() })));
    pools.chain(sets).collect()
}

impl Place<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        fakecloud_aws::arn::Arn::regional(service, self.region, self.account, resource).to_string()
    }

    fn stream(&self, name: &str) {
        let mut accounts = self.world.firehose.write();
        let streams = accounts.get_or_create(self.account, self.region).streams_mut(self.region);
        let now = Utc::now();
        streams.entry(name.to_owned()).or_insert_with(|| DeliveryStream {
            name: name.to_owned(),
            arn: self.arn("firehose", &format!("deliverystream/{name}")),
            status: "ACTIVE".to_owned(),
            stream_type: "DirectPut".to_owned(),
            created_at: now,
            last_update: now,
            version_id: "1".to_owned(),
            destination: None,
            tags: BTreeMap::new(),
            encryption: None,
            extra_destinations: BTreeMap::new(),
        });
    }

    fn topic(&self, arn: &Arn) {
        let (owner, region, name) = (arn.account(), arn.region(), arn.resource());
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "Mail", "Effect": "Allow", "Principal": { "Service": "ses.amazonaws.com" },
            "Action": "sns:Publish", "Resource": arn.as_str(),
            "Condition": { "StringEquals": { "AWS:SourceAccount": self.account } },
        }] });
        let mut accounts = self.world.sns.write();
        let topics = &mut accounts.regional_mut(owner, region).topics;
        topics.entry(arn.to_string()).or_insert_with(|| SnsTopic {
            topic_arn: arn.to_string(),
            name: name.to_owned(),
            attributes: BTreeMap::from([("Policy".to_owned(), policy.to_string())]),
            tags: Vec::new(),
            is_fifo: false,
            created_at: Utc::now(),
            subscriptions_deleted: 0,
            fifo_sequence: 0,
            dedup_cache: BTreeMap::new(),
        });
    }
}
