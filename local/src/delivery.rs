//! What one service may do to another: a topic delivers to a queue only if the queue's policy (and the key that
//! encrypts the queue) lets SNS, and SES publishes to a topic only if the topic's policy and key let it. At AWS such a
//! delivery vanishes silently, which is the mistake this is to bring to light.

#![expect(clippy::disallowed_types, reason = "the crates' own types; nothing iterates over them")]

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use fakecloud_core::auth::{ConditionContext, IamAction, IamPolicyEvaluator, InternalCaller};
use fakecloud_core::delivery::{
    DeliveryBus, SnsDelivery, SqsDelivery, SqsDeliveryError, SqsMessageAttribute,
};
use fakecloud_iam::policy_evaluator::IamPolicyEvaluatorImpl;
use fakecloud_sns::delivery::SnsDeliveryImpl;
use fakecloud_sqs::delivery::SqsDeliveryImpl;

use crate::services;
use crate::world::World;

tokio::task_local! {
    /// The topic on whose behalf deliveries are being made.
    static TOPIC: String;
}

/// Runs `work`, whose deliveries come from `topic`.
pub(crate) async fn from_topic<F: Future>(topic: String, work: F) -> F::Output {
    TOPIC.scope(topic, work).await
}

/// Why a service may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The topic does not exist.
    #[error("the topic {0} does not exist")]
    NoTopic(String),
    /// A FIFO topic takes no events.
    #[error("{0} is a FIFO topic")]
    Fifo(String),
    /// The policy of the topic or queue does not allow it.
    #[error("the policy of {resource} does not let {service} {action}")]
    Policy {
        /// Who may not.
        service: String,
        /// What.
        action: String,
        /// Where.
        resource: String,
    },
    /// The key does not exist, or its policy does not allow the service to use it.
    #[error("the key {key} does not let {service} use it")]
    Key {
        /// Who may not.
        service: String,
        /// The key, as the resource names it.
        key: String,
    },
}

/// Whether SES may publish to a topic on behalf of `source_arn` (a configuration set, or an identity) of `account`.
pub fn may_publish(
    world: &World,
    topic_arn: &str,
    source_arn: &str,
    account: &str,
) -> Result<(), Refusal> {
    may_publish_as(world, "ses.amazonaws.com", topic_arn, source_arn, account)
}

/// Whether a service may publish to a topic on behalf of one of an account's resources.
pub fn may_publish_as(
    world: &World,
    service: &str,
    topic_arn: &str,
    source_arn: &str,
    account: &str,
) -> Result<(), Refusal> {
    let topic = world.sns.read().by_arn(topic_arn).and_then(|state| {
        state.topics.get(topic_arn).map(|topic| (topic.is_fifo, topic.attributes.clone()))
    });
    let (is_fifo, attributes) = topic.ok_or_else(|| Refusal::NoTopic(topic_arn.to_owned()))?;
    if is_fifo {
        return Err(Refusal::Fifo(topic_arn.to_owned()));
    }
    let caller = caller(service, source_arn, account);
    allowed(world, &caller, "sns", "Publish", topic_arn)?;
    match attributes.get("KmsMasterKeyId").filter(|key| !key.is_empty()) {
        Some(key) => may_encrypt(world, &caller, topic_arn, key),
        None => Ok(()),
    }
}

/// Publishes without asking; whoever calls this has asked [`may_publish`].
pub fn publish(world: &Arc<World>, topic_arn: &str, subject: Option<&str>, message: &str) {
    let bus = Arc::new(DeliveryBus::new().with_sqs(Arc::new(GuardedQueues::new(world))));
    let topics = SnsDeliveryImpl::new(Arc::clone(&world.sns), bus);
    TOPIC.sync_scope(topic_arn.to_owned(), || topics.publish_to_topic(topic_arn, message, subject));
}

fn caller(service: &str, source_arn: &str, account: &str) -> InternalCaller {
    InternalCaller::Service {
        service: service.to_owned(),
        source_arn: source_arn.to_owned(),
        source_account: account.to_owned(),
    }
}

/// Asks the policy of the resource alone: a service belongs to no account.
fn allowed(
    world: &World,
    caller: &InternalCaller,
    prefix: &'static str,
    action: &'static str,
    resource: &str,
) -> Result<(), Refusal> {
    let context =
        ConditionContext { service_keys: caller.condition_keys(), ..ConditionContext::default() };
    let policy = services::policies(world).resource_policy(prefix, resource);
    let evaluator = IamPolicyEvaluatorImpl::new(Arc::clone(&world.iam));
    let wanted = IamAction { service: prefix, action, resource: resource.to_owned() };
    let decision = evaluator.evaluate_resource_policy_only(
        &caller.principal(),
        &wanted,
        &context,
        policy.as_deref(),
    );
    if decision.is_allow() {
        return Ok(());
    }
    Err(Refusal::Policy {
        service: caller.principal().arn,
        action: format!("{prefix}:{action}"),
        resource: resource.to_owned(),
    })
}

/// Whether a service may use the key of an encrypted topic or queue. AWS's own keys never let another service.
fn may_encrypt(
    world: &World,
    caller: &InternalCaller,
    resource: &str,
    key: &str,
) -> Result<(), Refusal> {
    let refused = || Refusal::Key { service: caller.principal().arn, key: key.to_owned() };
    let arn = key_arn(world, resource, key).ok_or_else(refused)?;
    for action in ["GenerateDataKey", "Decrypt"] {
        allowed(world, caller, "kms", action, &arn).map_err(|_| refused())?;
    }
    Ok(())
}

/// The ARN of an existing customer key that a resource names by id, ARN or alias.
fn key_arn(world: &World, resource: &str, key: &str) -> Option<String> {
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    let [_, partition, _, region, account, _] = fields[..] else { return None };
    let named =
        key.rsplit_once(":alias/").map_or(key, |(_, name)| &key[key.len() - name.len() - 6..]);
    let accounts = world.kms.read();
    let state = accounts.get(account)?;
    let id = if let Some(name) = named.strip_prefix("alias/") {
        if name.starts_with("aws/") {
            return None;
        }
        state.aliases.get(region)?.get(named)?.target_key_id.clone()
    } else {
        named.rsplit_once(":key/").map_or(named, |(_, id)| id).to_owned()
    };
    state.keys.contains_key(&id).then(|| format!("arn:{partition}:kms:{region}:{account}:key/{id}"))
}

/// Queues, each guarded by its policy and key.
pub(crate) struct GuardedQueues {
    world: Arc<World>,
    queues: SqsDeliveryImpl,
}

impl GuardedQueues {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), queues: SqsDeliveryImpl::new(Arc::clone(&world.sqs)) }
    }

    fn accepts(&self, queue_arn: &str) -> bool {
        let topic = TOPIC.try_with(Clone::clone).ok();
        let caller = match &topic {
            Some(topic) => {
                caller("sns.amazonaws.com", topic, topic.split(':').nth(4).unwrap_or_default())
            }
            None => {
                caller("events.amazonaws.com", "", queue_arn.split(':').nth(4).unwrap_or_default())
            }
        };
        let key = self.world.sqs.read().by_arn(queue_arn).and_then(|state| {
            let queue = state.queues.values().find(|queue| queue.arn == queue_arn)?;
            queue.attributes.get("KmsMasterKeyId").filter(|key| !key.is_empty()).cloned()
        });
        let outcome = allowed(&self.world, &caller, "sqs", "SendMessage", queue_arn).and_then(
            |()| match key {
                Some(key) => may_encrypt(&self.world, &caller, queue_arn, &key),
                None => Ok(()),
            },
        );
        if let Err(refusal) = &outcome {
            tracing::info!(%refusal, "a message is lost");
        }
        outcome.is_ok()
    }
}

impl SqsDelivery for GuardedQueues {
    fn deliver_to_queue(
        &self,
        queue_arn: &str,
        message_body: &str,
        attributes: &HashMap<String, String>,
    ) {
        if self.accepts(queue_arn) {
            self.queues.deliver_to_queue(queue_arn, message_body, attributes);
        }
    }

    fn deliver_to_queue_with_attrs(
        &self,
        queue_arn: &str,
        message_body: &str,
        message_attributes: &HashMap<String, SqsMessageAttribute>,
        message_group_id: Option<&str>,
        message_dedup_id: Option<&str>,
    ) {
        if self.accepts(queue_arn) {
            self.queues.deliver_to_queue_with_attrs(
                queue_arn,
                message_body,
                message_attributes,
                message_group_id,
                message_dedup_id,
            );
        }
    }

    fn queue_arn_for_url(&self, region: &str, queue_url: &str) -> Option<String> {
        self.queues.queue_arn_for_url(region, queue_url)
    }

    fn try_deliver_to_queue_with_attrs(
        &self,
        queue_arn: &str,
        message_body: &str,
        message_attributes: &HashMap<String, SqsMessageAttribute>,
        message_group_id: Option<&str>,
        message_dedup_id: Option<&str>,
    ) -> Result<(), SqsDeliveryError> {
        if !self.accepts(queue_arn) {
            return Err(SqsDeliveryError::AccessDenied(queue_arn.to_owned()));
        }
        self.queues.try_deliver_to_queue_with_attrs(
            queue_arn,
            message_body,
            message_attributes,
            message_group_id,
            message_dedup_id,
        )
    }
}
