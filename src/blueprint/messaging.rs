//! Topics, their subscriptions, and queues: where events of configuration sets go, and who may put them there.
//!
//! Invariant: every policy names exactly who needs it. SES may publish for this account's configuration sets, a topic may
//! deliver to the queues that the file sends it to, and nobody else may do anything new.

use std::collections::{BTreeMap, BTreeSet};

use super::ignored::of_subscription;
use super::{Draft, alarms};
use crate::aws::policy::{Policy, Statement};
use crate::aws::{Arns, Facts, key};
use crate::engine::{Address, Resource};
use crate::environment::Environment;
use crate::environment::names::{
    FunctionReference, QueueName, QueueReference, TimeSpan, TopicName,
};
use crate::environment::types::{
    DeadLetter, Encryption, Endpoint, FilterScope, Queue, Settings, Subscription,
    SubscriptionField, Tags, Topic,
};
use crate::kinds::{queue, subscription, topic};

/// How long a dead-letter queue that is made by itself keeps messages: as long as SQS allows, so that somebody sees them.
const DEAD_LETTER_RETENTION: TimeSpan = TimeSpan::from_seconds(1_209_600);

/// What SNS itself lets the owner of a new topic do. A policy replaces this statement with all others, so it is kept.
const OWNER_ACTIONS: [&str; 8] = [
    "sns:GetTopicAttributes",
    "sns:SetTopicAttributes",
    "sns:AddPermission",
    "sns:RemovePermission",
    "sns:DeleteTopic",
    "sns:Subscribe",
    "sns:ListSubscriptionsByTopic",
    "sns:Publish",
];

/// Adds them to `into`.
pub(super) fn messaging(environment: &Environment, facts: &Facts, into: &mut Draft) {
    let settings = &environment.settings;
    refuse_managed_keys(environment, into);
    let queues = queue_specs(settings, &facts.arns);
    for (name, topic) in &settings.topics {
        let spec = topic_spec(settings, &facts.arns, name, topic);
        if let Some(resource) = into.resource(topic_address(name), &spec) {
            let resource = into.protected(resource, topic.protect);
            into.add(resource);
        }
        for subscriber in &topic.subscriptions {
            let spec = subscription_spec(&facts.arns, name, subscriber);
            add_subscription(facts, name, (&spec, &subscriber.ignore), &queues, into);
        }
    }
    for (name, spec) in &queues {
        let Some(resource) = into.resource(queue_address(name), spec) else { continue };
        let resource = into.protected(resource, queue_of(settings, name).and_then(|it| it.protect));
        let target = spec.dead_letter.as_ref().map(|it| it.queue.as_str());
        into.add(after_queues(
            resource,
            own_queues(&facts.arns, target, &queues),
            "SQS refuses a dead-letter queue that does not exist",
        ));
    }
}

/// Refuses the keys that AWS manages: their policy cannot be changed, so what is encrypted by them never arrives.
fn refuse_managed_keys(environment: &Environment, into: &mut Draft) {
    let refuse = |path: [&str; 3], key: &str, service: &str| {
        environment.finding(
            "managed-key",
            &path,
            format!("`{key}` is a key that AWS manages, which {service} cannot be allowed to use"),
            "messages would be lost",
            "use a key of your own, whose policy can let the service use it",
        )
    };
    for (name, topic) in &environment.settings.topics {
        if let Some(key) =
            topic.encryption_key.as_ref().filter(|key| key::is_managed_alias(key.as_str()))
        {
            let path = ["topics", name.as_str(), "encryption_key"];
            into.find(refuse(path, key.as_str(), "ses.amazonaws.com"));
        }
    }
    for (name, queue) in &environment.settings.queues {
        if let Encryption::Key(key) = &queue.encryption
            && key::is_managed_alias(key.as_str())
        {
            let path = ["queues", name.as_str(), "encryption"];
            into.find(refuse(path, key.as_str(), "sns.amazonaws.com"));
        }
    }
}

fn topic_spec(settings: &Settings, arns: &Arns, name: &TopicName, topic: &Topic) -> topic::Spec {
    topic::Spec {
        display_name: topic.display_name.as_ref().map(ToString::to_string),
        encryption_key: topic.encryption_key.as_ref().map(ToString::to_string),
        policy: topic_policy(arns, &arns.topic(name.as_str()), alarms::use_topic(settings, name)),
        tags: all_tags(settings, &topic.tags),
    }
}

/// SES may publish for any configuration set of this account and Region: named one by one, every new set would change the
/// policy of its topics first. The source account keeps SES from being used by another account's set of a like name.
///
/// CloudWatch may publish to a topic that alarms use, for the alarms of this account and Region.
fn topic_policy(arns: &Arns, arn: &str, for_alarms: bool) -> Policy {
    let account = arns.account().as_str();
    let owner = Statement::allow().to("AWS", "*").may(OWNER_ACTIONS).on([arn]).when(
        "StringEquals",
        "aws:SourceOwner",
        [account],
    );
    let ses = Statement::allow()
        .to("Service", "ses.amazonaws.com")
        .may(["sns:Publish"])
        .on([arn])
        .when("StringEquals", "aws:SourceAccount", [account])
        .when("ArnLike", "aws:SourceArn", [arns.configuration_set("*")]);
    let cloudwatch = Statement::allow()
        .to("Service", "cloudwatch.amazonaws.com")
        .may(["sns:Publish"])
        .on([arn])
        .when("StringEquals", "aws:SourceAccount", [account])
        .when("ArnLike", "aws:SourceArn", [arns.alarm("*")]);
    let cloudwatch = for_alarms.then_some(("AllowCloudWatch", cloudwatch));
    let statements = [("__default_statement_ID", owner), ("AllowSES", ses)];
    Policy::new(statements.into_iter().chain(cloudwatch))
}

fn subscription_spec(
    arns: &Arns,
    topic: &TopicName,
    subscriber: &Subscription,
) -> subscription::Spec {
    // A filter that names nothing lets everything through, and SNS keeps none.
    let filter = subscriber.filter.as_ref().filter(|policy| !policy.is_empty());
    subscription::Spec {
        topic: arns.topic(topic.as_str()),
        protocol: subscriber.endpoint.protocol().to_owned(),
        endpoint: endpoint(arns, &subscriber.endpoint),
        raw: subscriber.raw,
        filter: filter.map(|policy| subscription::Filter {
            scope: scope(subscriber.filter_scope).to_owned(),
            policy: policy.clone(),
        }),
        dead_letter: subscriber.dead_letter.as_ref().map(|queue| queue_arn(arns, queue)),
    }
}

fn add_subscription(
    facts: &Facts,
    topic: &TopicName,
    (spec, ignore): (&subscription::Spec, &BTreeSet<SubscriptionField>),
    queues: &BTreeMap<String, queue::Spec>,
    into: &mut Draft,
) {
    let name = subscription::name(topic.as_str(), &spec.protocol, &spec.endpoint);
    let Some(resource) = into.resource(Address::new("subscription", name), spec) else { return };
    let resource = resource
        .under(topic_address(topic))
        .known_as(subscription::token(&spec.protocol, &spec.endpoint))
        .ignoring(ignore.iter().map(|field| of_subscription(*field).to_owned()));
    // An endpoint that is no queue is no queue of ours either.
    let named = [Some(spec.endpoint.as_str()), spec.dead_letter.as_deref()];
    let named = named.into_iter().flatten();
    into.add(after_queues(
        resource,
        own_queues(&facts.arns, named, queues),
        "what is published before the queue lets the topic in is lost",
    ));
}

/// The addresses of those queues that this environment makes.
fn own_queues<'a>(
    arns: &Arns,
    wanted: impl IntoIterator<Item = &'a str>,
    queues: &BTreeMap<String, queue::Spec>,
) -> Vec<Address> {
    let prefix = arns.queue("");
    let names = wanted.into_iter().filter_map(|arn| arn.strip_prefix(&prefix));
    names.filter(|name| queues.contains_key(*name)).map(queue_address).collect()
}

fn after_queues(resource: Resource, queues: Vec<Address>, reason: &'static str) -> Resource {
    queues.into_iter().fold(resource, |resource, queue| resource.after(queue, reason))
}

const fn scope(scope: FilterScope) -> &'static str {
    match scope {
        FilterScope::Body => "MessageBody",
        FilterScope::Attributes => "MessageAttributes",
    }
}

/// Who receives, as SNS names it.
fn endpoint(arns: &Arns, endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Https(url) => url.to_string(),
        Endpoint::Email(address) | Endpoint::EmailJson(address) => address.to_string(),
        Endpoint::Queue(queue) => queue_arn(arns, queue),
        Endpoint::Lambda(FunctionReference::Named(name)) => arns.function(name.as_str()),
        Endpoint::Lambda(FunctionReference::Elsewhere(arn)) => arn.to_string(),
    }
}

fn queue_arn(arns: &Arns, queue: &QueueReference) -> String {
    match queue {
        QueueReference::Named(name) => arns.queue(name.as_str()),
        QueueReference::Elsewhere(arn) => arn.to_string(),
    }
}

/// All queues, those among them that are made because another needs a place for what nobody could handle.
fn queue_specs(settings: &Settings, arns: &Arns) -> BTreeMap<String, queue::Spec> {
    let topics = topics_by_queue(settings);
    let policy = |name: &str| topics.get(name).map(|topics| queue_policy(arns, name, topics));
    let mut specs = BTreeMap::new();
    for (name, queue) in &settings.queues {
        let dead_letter = queue.dead_letter.as_ref().map(|it| queue::DeadLetter {
            queue: match &it.queue {
                Some(named) => queue_arn(arns, named),
                None => arns.queue(&dead_letter_name(name)),
            },
            max_receives: it.max_receives,
        });
        let spec = queue::Spec {
            retention: queue.retention,
            visibility_timeout: queue.visibility_timeout,
            delay: queue.delay,
            receive_wait: queue.receive_wait,
            max_message_bytes: queue.max_message_bytes,
            encryption: queue.encryption.clone(),
            dead_letter,
            policy: policy(name.as_str()),
            tags: all_tags(settings, &queue.tags),
            holds_messages: false,
        };
        specs.insert(name.to_string(), spec);
    }
    for (name, queue) in &settings.queues {
        if queue.dead_letter.as_ref().is_none_or(|it| it.queue.is_some()) {
            continue;
        }
        let made = dead_letter_name(name);
        let spec = queue::Spec {
            retention: DEAD_LETTER_RETENTION,
            visibility_timeout: Queue::default_visibility_timeout(),
            delay: TimeSpan::none(),
            receive_wait: TimeSpan::none(),
            max_message_bytes: None,
            encryption: queue.encryption.clone(),
            dead_letter: None,
            policy: policy(&made),
            tags: all_tags(settings, &queue.tags),
            holds_messages: false,
        };
        // A queue of that name in the file is the one that is meant, with its own settings.
        specs.entry(made).or_insert(spec);
    }
    specs
}

/// The queue of the file that the queue `name` is, or is made for.
fn queue_of<'a>(settings: &'a Settings, name: &str) -> Option<&'a Queue> {
    let named = |name: &str| settings.queues.iter().find(|(it, _)| it.as_str() == name);
    let found = named(name).or_else(|| named(name.strip_suffix(DeadLetter::SUFFIX)?));
    found.map(|(_, queue)| queue)
}

pub(super) fn dead_letter_name(name: &QueueName) -> String {
    format!("{name}{}", DeadLetter::SUFFIX)
}

/// The topics that put messages into each queue: as a subscriber, or as the place for what could not be delivered.
fn topics_by_queue(settings: &Settings) -> BTreeMap<String, BTreeSet<TopicName>> {
    let mut topics: BTreeMap<String, BTreeSet<TopicName>> = BTreeMap::new();
    for (name, topic) in &settings.topics {
        for subscriber in &topic.subscriptions {
            let endpoint = match &subscriber.endpoint {
                Endpoint::Queue(queue) => queue.named(),
                _ => None,
            };
            let dead_letter = subscriber.dead_letter.as_ref().and_then(QueueReference::named);
            for queue in endpoint.into_iter().chain(dead_letter) {
                topics.entry(queue.to_string()).or_default().insert(name.clone());
            }
        }
    }
    topics
}

/// Without it deliveries vanish, and nothing but a metric of SNS tells.
fn queue_policy(arns: &Arns, queue: &str, topics: &BTreeSet<TopicName>) -> Policy {
    let delivery = Statement::allow()
        .to("Service", "sns.amazonaws.com")
        .may(["sqs:SendMessage"])
        .on([arns.queue(queue)])
        .when("ArnEquals", "aws:SourceArn", topics.iter().map(|topic| arns.topic(topic.as_str())));
    Policy::new([("AllowTopics", delivery)])
}

/// The tags of the environment and a resource's own, which win.
pub(super) fn all_tags(settings: &Settings, own: &Tags) -> BTreeMap<String, String> {
    let tags = settings.tags.iter().chain(own);
    tags.map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

pub(super) fn topic_address(name: &TopicName) -> Address {
    Address::new("topic", name.as_str())
}

pub(super) fn queue_address(name: &str) -> Address {
    Address::new("queue", name)
}

#[cfg(test)]
mod tests;
