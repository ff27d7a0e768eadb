//! Subscriptions of topics: who receives what is published.
//!
//! Invariant: a subscription is its topic, protocol and endpoint. Its ARN is never relied on, because SNS tells none
//! until somebody has confirmed it; and nobody is asked twice to confirm because of an apply.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::topic::has_subscribers;
use super::{Documented, Input, Permission, Phase, Scope};
use crate::aws::topics::{Subscriber, SubscriberState, Texts, Topics};
use crate::aws::{Arns, AwsError, Class, Session, failed};
use crate::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, OnParentDelete, Ownership, Put,
    Reading, Severity, Wanted, touches,
};

/// Topics, and then subscriptions, read at once.
const READS_AT_ONCE: usize = 16;

/// The kind `subscription`.
pub struct Subscription {
    session: Arc<Session>,
    topics: Arc<Topics>,
}

/// The settings of a subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The ARN of the topic.
    pub topic: String,
    /// The protocol as SNS names it.
    pub protocol: String,
    /// Who receives, as SNS names it: a URL, an address, an ARN.
    pub endpoint: String,
    /// Whether messages arrive without SNS's envelope.
    pub raw: bool,
    /// Which messages are delivered; all if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// The ARN of the queue for what could not be delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<String>,
}

/// A filter policy of SNS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// What it looks at: `MessageBody` or `MessageAttributes`.
    pub scope: String,
    /// The policy itself, as JSON: SNS gives the text back as it was written.
    pub policy: Map<String, Value>,
}

/// What AWS says of a subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// Its ARN, once it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Whether somebody has still to confirm it.
    pub pending: bool,
}

/// How a topic's marks name a subscription: endpoints are too long for a tag, and hold characters that tags do not.
#[must_use]
pub fn token(protocol: &str, endpoint: &str) -> String {
    let digest = Sha256::digest(format!("{protocol}\n{endpoint}").as_bytes());
    let hex: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("sub:{hex}")
}

/// The name of a subscription: `TOPIC/PROTOCOL:ENDPOINT`.
#[must_use]
pub fn name(topic: &str, protocol: &str, endpoint: &str) -> String {
    format!("{topic}/{protocol}:{endpoint}")
}

/// Takes a name apart into topic, protocol and endpoint. Topic names and protocols hold neither separator.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (topic, rest) = name.split_once('/')?;
    let (protocol, endpoint) = rest.split_once(':')?;
    Some((topic, protocol, endpoint))
}

/// One subscription to be looked at, and what is known of it before.
struct Found {
    topic: String,
    subscriber: Subscriber,
    ownership: Ownership,
    wanted: Option<Spec>,
}

/// The subscriptions asked for, by name, with what is declared of them.
type Asked = BTreeMap<String, Option<Spec>>;

impl Subscription {
    /// The subscriptions of one account and Region.
    #[must_use]
    pub fn new(session: &Arc<Session>, topics: &Arc<Topics>) -> Self {
        Self { session: Arc::clone(session), topics: Arc::clone(topics) }
    }

    /// What the topic has, as far as it is wanted or ours or, when everything is read, sits on a topic of ours.
    async fn on_topic(
        &self,
        topic: &str,
        asked: &Asked,
        reading: Reading,
    ) -> Result<Vec<Found>, AwsError> {
        if reading == Reading::Everything {
            let Some(attributes) = self.topics.attributes(topic).await? else {
                return Ok(Vec::new());
            };
            // The counters lag a fresh subscription, so a declared one is looked for in the list itself.
            let is_declared = asked.keys().filter_map(|name| parts(name)).any(|it| it.0 == topic);
            if !is_declared && !has_subscribers(&attributes) {
                return Ok(Vec::new());
            }
        }
        let listed = self.topics.subscribers(topic).await?;
        if listed.is_empty() {
            return Ok(Vec::new());
        }
        let tags = self.topics.tags(topic).await?;
        let arn = self.session.arns.topic(topic);
        let (of_topic, marks, _) = self.session.owner.read(&arn, &tags);
        let found = listed.iter().filter_map(|one| {
            let name = name(topic, &one.protocol, &one.endpoint);
            let declared = asked.get(&name);
            let is_ours = of_topic == Ownership::Ours
                && marks.children.contains(&token(&one.protocol, &one.endpoint));
            let found = |ownership| Found {
                topic: topic.to_owned(),
                subscriber: one.clone(),
                ownership,
                wanted: declared.cloned().flatten(),
            };
            match (declared, is_ours) {
                // One that was let go while it was pending: SNS cannot delete it, and lists it until it expires.
                (Some(None), _) if one.state == SubscriberState::Pending => None,
                // Asked for by somebody else, or by us before it was dropped from the file, and not confirmed: asking
                // again is harmless, so it counts as absent.
                (Some(Some(_)), false) if one.state == SubscriberState::Pending => None,
                (_, true) => Some(found(Ownership::Ours)),
                (Some(_), false) => Some(found(Ownership::Unowned)),
                (None, false) if of_topic == Ownership::Ours => Some(found(Ownership::Unowned)),
                (None, false) => None,
            }
        });
        Ok(found.filter(|it| reading == Reading::Everything || it.is_asked_for(asked)).collect())
    }

    async fn read_one(&self, found: Found) -> Result<Option<Live<Spec, Outputs>>, BoxError> {
        let Found { topic, subscriber, ownership, wanted } = found;
        let Subscriber { protocol, endpoint, state } = subscriber;
        let bare = Spec {
            topic: self.session.arns.topic(&topic),
            protocol: protocol.clone(),
            endpoint: endpoint.clone(),
            raw: false,
            filter: None,
            dead_letter: None,
        };
        let is_looked_at = wanted.is_some() || ownership == Ownership::Ours;
        let (spec, outputs, notes) = match state {
            // SNS does not show the settings of a pending subscription: they were given when it was asked for.
            SubscriberState::Pending => (
                wanted.unwrap_or(bare),
                Outputs { arn: None, pending: true },
                vec![note_of_pending(&protocol, &ownership)],
            ),
            SubscriberState::Confirmed(arn) if is_looked_at => {
                let Some(attributes) = self.attributes(&topic, &arn).await? else {
                    return Ok(None);
                };
                let pending = attributes.get("PendingConfirmation").is_some_and(|it| it == "true");
                let notes =
                    if pending { vec![note_of_pending(&protocol, &ownership)] } else { Vec::new() };
                let spec = match wanted {
                    Some(wanted) if pending => wanted,
                    _ => spec_of(bare, &attributes)?,
                };
                (spec, Outputs { arn: Some(arn), pending }, notes)
            }
            SubscriberState::Confirmed(arn) => {
                (bare, Outputs { arn: Some(arn), pending: false }, Vec::new())
            }
        };
        let mut uses = used_queues(&self.session.arns, &spec);
        uses.insert(Address::new("topic", topic.clone()));
        Ok(Some(Live {
            name: name(&topic, &protocol, &endpoint),
            tokens: BTreeSet::from([token(&protocol, &endpoint)]),
            parent: Some(Address::new("topic", topic)),
            spec,
            outputs,
            ownership,
            marks: crate::engine::Marks::default(),
            uses,
            notes,
        }))
    }

    /// The attributes of a confirmed subscription; `None` if it went since it was listed.
    async fn attributes(&self, topic: &str, arn: &str) -> Result<Option<Texts>, AwsError> {
        let sns = self.session.sns();
        let answer = sns.get_subscription_attributes().subscription_arn(arn).send().await;
        match answer.map_err(failed("sns:GetSubscriptionAttributes", topic)) {
            Ok(answer) => Ok(Some(answer.attributes.unwrap_or_default().into_iter().collect())),
            Err(error) if error.is(Class::Absent) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How the subscription stands now, from the list itself.
    async fn state(&self, spec: &Spec, topic: &str) -> Result<Option<SubscriberState>, AwsError> {
        self.topics.forget(topic);
        let listed = self.topics.subscribers(topic).await?;
        let it = listed
            .iter()
            .find(|one| one.protocol == spec.protocol && one.endpoint == spec.endpoint);
        Ok(it.map(|one| one.state.clone()))
    }

    async fn subscribe(&self, topic: &str, to: &Spec) -> Result<Put<Outputs>, BoxError> {
        let answer = self
            .session
            .sns()
            .subscribe()
            .topic_arn(&to.topic)
            .protocol(&to.protocol)
            .endpoint(&to.endpoint)
            .set_attributes(Some(attributes_at_first(to).into_iter().collect()))
            // Without it SNS answers with the text "pending confirmation" where the ARN should be.
            .return_subscription_arn(true)
            .send()
            .await;
        self.topics.forget(topic);
        match answer.map_err(failed("sns:Subscribe", topic)) {
            Ok(_) => Ok(Put::Done(None)),
            // It is there already with other settings, left by a run that was cut off or asked for by somebody else.
            Err(error) if error.is(Class::Invalid) && error.message.contains("already exists") => {
                self.settings(topic, to, None).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the settings that differ onto the subscription as it is; all of them if it is not known what differs.
    async fn settings(
        &self,
        topic: &str,
        to: &Spec,
        fields: Option<&[Field]>,
    ) -> Result<Put<Outputs>, BoxError> {
        let arn = match self.state(to, topic).await? {
            Some(SubscriberState::Confirmed(arn)) => arn,
            // Cannot be written before it is confirmed; the next plan after that sees what differs.
            Some(SubscriberState::Pending) => return Ok(Put::Done(None)),
            // Whoever receives a mail of the topic can unsubscribe with its last link.
            None if fields.is_some() => return Box::pin(self.subscribe(topic, to)).await,
            None => return Err("SNS says that it exists and does not list it".into()),
        };
        for (path, attribute, value) in settings_in_order(to) {
            if fields.is_some_and(|fields| !touches(fields, path)) {
                continue;
            }
            let sns = self.session.sns();
            let set = sns.set_subscription_attributes().subscription_arn(&arn);
            let set = set.attribute_name(attribute).set_attribute_value(value);
            set.send().await.map_err(failed("sns:SetSubscriptionAttributes", topic))?;
        }
        Ok(Put::Done(None))
    }
}

impl Found {
    fn is_asked_for(&self, asked: &Asked) -> bool {
        let Subscriber { protocol, endpoint, .. } = &self.subscriber;
        asked.contains_key(&name(&self.topic, protocol, endpoint))
    }
}

#[async_trait]
impl Kind for Subscription {
    const NAME: &'static str = "subscription";
    const LIFE: Life = Life::Child(OnParentDelete::Dies);
    const IMMUTABLE: &'static [&'static str] = &["topic", "protocol", "endpoint"];

    type Spec = Spec;
    type Outputs = Outputs;

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let asked: Asked = wanted.iter().map(|one| (one.name.clone(), one.spec.clone())).collect();
        let mut topics: BTreeSet<String> = asked
            .keys()
            .filter_map(|name| parts(name))
            .map(|(topic, ..)| topic.to_owned())
            .collect();
        if reading == Reading::Everything {
            topics.extend(self.topics.owned().await?);
        }
        let asked = &asked;
        let lists = topics
            .into_iter()
            .map(|topic| async move { self.on_topic(&topic, asked, reading).await });
        let found: Vec<Vec<Found>> =
            stream::iter(lists).buffered(READS_AT_ONCE).try_collect().await?;
        let reads = found.into_iter().flatten().map(|found| self.read_one(found));
        let live: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(live.into_iter().flatten().collect())
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let (topic, ..) = parts(&change.name).ok_or("is not the name of a subscription")?;
        if change.creates() {
            self.subscribe(topic, &change.to).await
        } else {
            self.settings(topic, &change.to, Some(&change.fields)).await
        }
    }

    async fn delete(&self, name: &str, live: &Spec) -> Result<Put<Outputs>, BoxError> {
        let (topic, ..) = parts(name).ok_or("is not the name of a subscription")?;
        // A pending subscription cannot be deleted ("Cannot unsubscribe a subscription that is pending confirmation");
        // it expires by itself after about three days, which the plan has said.
        let Some(SubscriberState::Confirmed(arn)) = self.state(live, topic).await? else {
            return Ok(Put::Done(None));
        };
        let answer = self.session.sns().unsubscribe().subscription_arn(arn).send().await;
        self.topics.forget(topic);
        match answer.map_err(failed("sns:Unsubscribe", topic)) {
            Ok(_) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Absent) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Invalid) && error.message.contains("pending") => {
                Ok(Put::Done(None))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        let degrades = |reason: String| Impact::new(Severity::Degrades, reason);
        match (from, to) {
            (Some(from), None) => {
                degrades(format!("{} no longer receives what the topic publishes", from.endpoint))
            }
            (Some(_), Some(to)) if touches(fields, "raw") => degrades(format!(
                "messages to {} come {} SNS's envelope: whoever reads them must expect it",
                to.endpoint,
                if to.raw { "without" } else { "in" },
            )),
            (Some(_), Some(to)) if touches(fields, "filter") => degrades(format!(
                "other messages than before reach {}, within about 15 minutes",
                to.endpoint
            )),
            _ => Impact::safe(),
        }
    }

    fn examples() -> Vec<Spec> {
        let spec = |filter: Option<Filter>, raw: bool, dead_letter: Option<&str>| Spec {
            topic: "arn:aws:sns:us-east-1:123456789012:example".to_owned(),
            protocol: "sqs".to_owned(),
            endpoint: "arn:aws:sqs:us-east-1:123456789012:example".to_owned(),
            raw,
            filter,
            dead_letter: dead_letter.map(str::to_owned),
        };
        let filter = |scope: &str, policy: Value| {
            policy
                .as_object()
                .map(|policy| Filter { scope: scope.to_owned(), policy: policy.clone() })
        };
        vec![
            spec(None, false, None),
            spec(
                filter("MessageBody", json!({ "eventType": ["Bounce", "Complaint"] })),
                true,
                Some("arn:aws:sqs:us-east-1:123456789012:lost"),
            ),
            spec(filter("MessageAttributes", json!({ "kind": ["bounce"] })), false, None),
        ]
    }
}

impl Documented for Subscription {
    const PERMISSIONS: &'static [Permission] = &[
        Permission {
            action: "sns:ListSubscriptionsByTopic",
            resource: Scope::Topic,
            phase: Phase::Plan,
        },
        // The calls on a single subscription have no resource type in AWS's reference.
        Permission {
            action: "sns:GetSubscriptionAttributes",
            resource: Scope::Everything,
            phase: Phase::Plan,
        },
        Permission { action: "sns:Subscribe", resource: Scope::Topic, phase: Phase::Apply },
        Permission {
            action: "sns:SetSubscriptionAttributes",
            resource: Scope::Everything,
            phase: Phase::Apply,
        },
        Permission { action: "sns:Unsubscribe", resource: Scope::Everything, phase: Phase::Apply },
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "Subscribe",
            service: "sns",
            managed: &[
                "topic_arn",
                "protocol",
                "endpoint",
                "attributes",
                "return_subscription_arn",
            ],
            excluded: &[],
        },
        Input {
            operation: "SetSubscriptionAttributes",
            service: "sns",
            managed: &["subscription_arn", "attribute_name", "attribute_value"],
            excluded: &[],
        },
        Input {
            operation: "Unsubscribe",
            service: "sns",
            managed: &["subscription_arn"],
            excluded: &[],
        },
    ];
}

fn note_of_pending(protocol: &str, ownership: &Ownership) -> String {
    let who = match protocol {
        "email" | "email-json" => "a person must follow the link in the mail from SNS",
        "sqs" => "the queue is in another account, whose owner must confirm it",
        _ => "the endpoint must answer the request from SNS with the token in it",
    };
    let mut note = format!("pending confirmation: {who}");
    if *ownership == Ownership::Ours {
        note.push_str("; until then it can be neither changed nor deleted, and it expires after about three days");
    }
    note
}

fn spec_of(bare: Spec, attributes: &Texts) -> Result<Spec, serde_json::Error> {
    let json = |name: &str| {
        let text = attributes.get(name).filter(|text| !text.is_empty());
        text.map(|text| serde_json::from_str::<Map<String, Value>>(text)).transpose()
    };
    // An empty filter policy is how SNS is told to have none.
    let filter = json("FilterPolicy")?.filter(|policy| !policy.is_empty()).map(|policy| Filter {
        scope: attributes
            .get("FilterPolicyScope")
            .cloned()
            .unwrap_or_else(|| "MessageAttributes".to_owned()),
        policy,
    });
    let redrive = json("RedrivePolicy")?;
    let dead_letter = redrive.as_ref().and_then(|policy| policy.get("deadLetterTargetArn"));
    Ok(Spec {
        raw: attributes.get("RawMessageDelivery").is_some_and(|raw| raw == "true"),
        filter,
        dead_letter: dead_letter.and_then(Value::as_str).map(str::to_owned),
        ..bare
    })
}

fn redrive(dead_letter: &str) -> String {
    json!({ "deadLetterTargetArn": dead_letter }).to_string()
}

fn text(policy: &Map<String, Value>) -> String {
    Value::Object(policy.clone()).to_string()
}

/// The attributes of a new subscription, those left out that are as SNS has them by default.
fn attributes_at_first(spec: &Spec) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut set = |name: &str, value: String| attributes.insert(name.to_owned(), value);
    if spec.raw {
        set("RawMessageDelivery", "true".to_owned());
    }
    if let Some(filter) = &spec.filter {
        set("FilterPolicyScope", filter.scope.clone());
        set("FilterPolicy", text(&filter.policy));
    }
    if let Some(dead_letter) = &spec.dead_letter {
        set("RedrivePolicy", redrive(dead_letter));
    }
    attributes
}

/// Each setting with its path, attribute and value, in an order in which each step is valid: a body may be filtered by
/// nested keys, attributes may not, so the wider scope is set before its policy and left after it.
fn settings_in_order(spec: &Spec) -> Vec<(&'static str, &'static str, Option<String>)> {
    let raw = ("raw", "RawMessageDelivery", Some(spec.raw.to_string()));
    // A filter policy is removed by an empty one, a redrive policy by no value at all: SNS refuses an empty text.
    let policy =
        spec.filter.as_ref().map_or_else(|| "{}".to_owned(), |filter| text(&filter.policy));
    let policy = ("filter", "FilterPolicy", Some(policy));
    let scope = spec
        .filter
        .as_ref()
        .map(|filter| ("filter", "FilterPolicyScope", Some(filter.scope.clone())));
    let dead_letter = ("dead_letter", "RedrivePolicy", spec.dead_letter.as_deref().map(redrive));
    let mut settings = vec![raw];
    match scope {
        Some(scope) if scope.2.as_deref() == Some("MessageBody") => {
            settings.extend([scope, policy])
        }
        Some(scope) => settings.extend([policy, scope]),
        None => settings.push(policy),
    }
    settings.push(dead_letter);
    settings
}

/// The queues of this account and Region that a subscription relies on.
fn used_queues(arns: &Arns, spec: &Spec) -> BTreeSet<Address> {
    let endpoint = (spec.protocol == "sqs").then_some(spec.endpoint.as_str());
    let prefix = arns.queue("");
    let named = endpoint.into_iter().chain(spec.dead_letter.as_deref());
    named
        .filter_map(|arn| arn.strip_prefix(&prefix))
        .map(|queue| Address::new("queue", queue))
        .collect()
}
