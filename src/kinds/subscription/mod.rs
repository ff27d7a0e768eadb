//! Subscriptions of topics: who receives what is published.
//!
//! Invariant: a subscription is its topic, protocol and endpoint. Its ARN is never relied on, because SNS tells none
//! until somebody has confirmed it; and nobody is asked twice to confirm because of an apply.

mod attributes;
mod documented;
mod impact;
mod reading;
mod writing;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::reading::{Asked, Found};
use crate::aws::topics::{SubscriberState, Topics};
use crate::aws::{Class, Session, failed, short_hash};
use crate::engine::{
    BoxError, Change, Field, Impact, Kind, Life, Live, OnParentDelete, Put, Reading, Wanted,
};
use crate::secrets::without_secrets;

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
    format!("sub:{}", short_hash(&format!("{protocol}\n{endpoint}")))
}

/// The name of a subscription: `TOPIC/PROTOCOL:ENDPOINT`. A password or token in an endpoint, which only other people's
/// can have, is replaced by its digest, since names are shown.
#[must_use]
pub fn name(topic: &str, protocol: &str, endpoint: &str) -> String {
    format!("{topic}/{protocol}:{}", without_secrets(endpoint))
}

/// Takes a name apart into topic, protocol and endpoint. Topic names and protocols hold neither separator.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (topic, rest) = name.split_once('/')?;
    let (protocol, endpoint) = rest.split_once(':')?;
    Some((topic, protocol, endpoint))
}

impl Subscription {
    /// The subscriptions of one account and Region.
    #[must_use]
    pub fn new(session: &Arc<Session>, topics: &Arc<Topics>) -> Self {
        Self { session: Arc::clone(session), topics: Arc::clone(topics) }
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
            topics.extend(self.topics.perhaps_owned().await?);
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

    fn place(name: &str) -> Option<&str> {
        parts(name).map(|(topic, ..)| topic)
    }

    fn is_only_let_go(&self, _live: &Spec, outputs: &Outputs) -> bool {
        outputs.pending
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        impact::of(from, to, fields)
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
            Spec {
                topic: "arn:aws:sns:us-east-1:123456789012:other".to_owned(),
                protocol: "https".to_owned(),
                endpoint: "https://api.pivot.app/hooks/ses".to_owned(),
                ..spec(filter("MessageAttributes", json!({ "kind": ["bounce"] })), false, None)
            },
        ]
    }
}
