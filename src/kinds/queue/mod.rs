//! SQS queues that topics deliver to, and the dead-letter queues beside them.
//!
//! Invariant: attributes are typed here although SQS has only texts, so `"345600"` and `345600`, or two spellings of one
//! policy, are never a difference. A topic that no longer delivers here loses that right last, when nothing is published to
//! it any more.

mod attributes;
mod documented;
mod impact;
mod reading;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use self::attributes::policy_meanwhile;
use crate::aws::policy::{Policy, Statement};
use crate::aws::{Memo, OrAbsent, Session, failed, if_allowed};
use crate::engine::{
    Address, BoxError, Change, Field, Glance, Impact, Kind, Life, Live, Marks, Put, Reading,
    Wanted, touches,
};
use crate::environment::names::{KeyReference, TimeSpan};
use crate::environment::types::Encryption;

/// The largest message that a topic takes and so delivers (SNS `MaximumMessageSize`, its default).
const SNS_MESSAGE_BYTES_MAX: u32 = 262_144;

/// Queues read at once.
const READS_AT_ONCE: usize = 16;

/// Attributes as SQS has them, or tags, by name.
type Texts = BTreeMap<String, String>;

/// The kind `queue`.
pub struct Queue {
    session: Arc<Session>,
    urls: Memo<String, Option<String>>,
    tags: Memo<String, Arc<Texts>>,
    /// Queues that this run has made, which may not be visible everywhere yet.
    made: Mutex<BTreeSet<String>>,
}

/// The settings of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// How long an unread message is kept.
    pub retention: TimeSpan,
    /// How long a message that was read stays hidden.
    pub visibility_timeout: TimeSpan,
    /// How long a message stays hidden after it arrived; left out: not at all.
    #[serde(default = "TimeSpan::none", skip_serializing_if = "TimeSpan::is_none")]
    pub delay: TimeSpan,
    /// How long a reader waits for a message; left out: not at all.
    #[serde(default = "TimeSpan::none", skip_serializing_if = "TimeSpan::is_none")]
    pub receive_wait: TimeSpan,
    /// The largest message, in bytes; left out: at least 262,144, the most that a topic takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_message_bytes: Option<u32>,
    /// How it is encrypted at rest.
    pub encryption: Encryption,
    /// Where messages go that were read too often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<DeadLetter>,
    /// Who may do what with it; nobody beside its own account if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The tags, those of ownership left out.
    pub tags: Texts,
    /// Whether there are messages in it that would be lost, looked at only if it is to go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds_messages: bool,
}

/// Where messages go that no reader could handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The ARN of the queue for them.
    pub queue: String,
    /// How often a message is read before it goes there.
    pub max_receives: u16,
}

/// What AWS says of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// Its URL.
    pub url: String,
}

impl Queue {
    /// The queues of one account and Region.
    #[must_use]
    pub fn new(session: &Arc<Session>) -> Self {
        Self {
            session: Arc::clone(session),
            urls: session.memo(),
            tags: session.memo(),
            made: Mutex::default(),
        }
    }

    /// The policy that `put` writes, if it is not yet the wanted one.
    fn policy_meanwhile(&self, change: &Change<Spec>) -> Option<Policy> {
        policy_meanwhile(&self.session.arns.topic(""), change.from.as_ref()?, &change.to)
    }
}

fn is_of_policy(field: &Field) -> bool {
    touches(std::slice::from_ref(field), "policy")
}

#[async_trait]
impl Kind for Queue {
    const NAME: &'static str = "queue";
    const LIFE: Life = Life::Root;
    const WRITE_ONLY: &'static [&'static str] = &["holds_messages"];

    type Spec = Spec;
    type Outputs = Outputs;

    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        let Some(listed) = if_allowed(self.existing().await)? else { return Ok(None) };
        let prefix = self.session.arns.queue("");
        Ok(Some(self.session.glance(&prefix, declared, &listed).await?))
    }

    fn hear_of(&self, _declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.session.pass_over(&self.session.arns.queue(""), settled);
    }

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let mut names: BTreeMap<String, Option<Wanted<Spec>>> =
            wanted.iter().map(|one| (one.name.clone(), Some(one.clone()))).collect();
        if reading == Reading::Everything {
            let prefix = self.session.arns.queue("");
            for name in self.session.names_of_ours(&prefix, || self.existing()).await? {
                names.entry(name).or_insert(None);
            }
        }
        let reads = names
            .into_iter()
            .map(|(name, wanted)| async move { self.read_one(&name, wanted).await });
        let found: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        self.refuse_wrong_key(change).await?;
        match &change.from {
            None => self.create(change).await,
            Some(from) => {
                let mut meanwhile = change.clone();
                if let Some(policy) = self.policy_meanwhile(change) {
                    if from.policy.as_ref() == Some(&policy) {
                        meanwhile.fields.retain(|field| !is_of_policy(field));
                    }
                    meanwhile.to.policy = Some(policy);
                }
                self.update(&change.name, Some(from), &meanwhile).await
            }
        }
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<Outputs>, BoxError> {
        let Some(url) = self.url(name).await? else { return Ok(Put::Done(None)) };
        let answer = self.session.sqs().delete_queue().queue_url(url).send().await;
        self.forget(name);
        answer.map_err(failed("sqs:DeleteQueue", name)).or_absent()?;
        Ok(Put::Done(None))
    }

    fn retires(&self, change: &Change<Spec>) -> bool {
        self.policy_meanwhile(change).is_some()
    }

    async fn retire(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let mut narrowed = change.clone();
        narrowed.fields.retain(is_of_policy);
        self.update(&change.name, change.from.as_ref(), &narrowed).await
    }

    async fn deferral(
        &self,
        change: &Change<Spec>,
        _planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, BoxError> {
        // Not a reason to wait: a key that cannot work is an error before anything is made.
        self.refuse_wrong_key(change).await?;
        Ok(None)
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        impact::of(from, to, fields)
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let Some(url) = self.url(name).await? else {
            return Err("the queue is gone since the plan: plan again".into());
        };
        let live = self.tags(name, &url).await?;
        let changes = self.session.owner.mark_changes(&self.session.arns.queue(name), &live, marks);
        Ok(self.tag(name, &url, changes).await?)
    }

    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        let Some(url) = self.url(name).await? else { return Ok(()) };
        let live = self.tags(name, &url).await?;
        Ok(self.tag(name, &url, self.session.owner.unmark_changes(&live)).await?)
    }

    fn examples() -> Vec<Spec> {
        let delivery = Statement::allow()
            .to("Service", "sns.amazonaws.com")
            .may(["sqs:SendMessage"])
            .on(["arn:aws:sqs:us-east-1:123456789012:example"]);
        let plain = Spec {
            retention: TimeSpan::from_seconds(345_600),
            visibility_timeout: TimeSpan::from_seconds(30),
            delay: TimeSpan::none(),
            receive_wait: TimeSpan::none(),
            max_message_bytes: None,
            encryption: Encryption::Sqs,
            dead_letter: None,
            policy: None,
            tags: Texts::new(),
            holds_messages: false,
        };
        let full = Spec {
            retention: TimeSpan::from_seconds(1_209_600),
            visibility_timeout: TimeSpan::from_seconds(0),
            delay: TimeSpan::from_seconds(900),
            receive_wait: TimeSpan::from_seconds(20),
            max_message_bytes: Some(1_024),
            encryption: KeyReference::parse("alias/mail").map_or(Encryption::Off, Encryption::Key),
            dead_letter: Some(DeadLetter {
                queue: "arn:aws:sqs:us-east-1:123456789012:example-dead-letter".to_owned(),
                max_receives: 5,
            }),
            policy: Some(Policy::new([("AllowTopics", delivery)])),
            tags: Texts::from([("team".to_owned(), "platform".to_owned())]),
            holds_messages: true,
        };
        vec![Spec { encryption: Encryption::Off, ..plain.clone() }, plain, full]
    }
}
