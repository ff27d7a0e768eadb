//! SNS topics: where events of configuration sets are published.
//!
//! Invariant: the policy is written whole, the owner's own statement included, and a key that would make SES's events
//! vanish is refused before anything is made.

mod attributes;
mod documented;
mod reading;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use self::attributes::{allows_ses, waiting_for_tags};
pub(super) use self::attributes::{has_subscribers, notes_of_policy};
use crate::aws::policy::{Policy, Statement};
use crate::aws::topics::{Texts, Topics};
use crate::aws::{Class, Session, failed};
use crate::engine::{
    Address, BoxError, Change, Field, Glance, Impact, Kind, Life, Live, Marks, Put, Reading,
    Severity, Wanted, touches,
};

/// Topics read at once: SNS allows more, but nothing is gained.
const READS_AT_ONCE: usize = 16;

/// The kind `topic`.
pub struct Topic {
    session: Arc<Session>,
    topics: Arc<Topics>,
}

/// The settings of a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The sender's name in mails from the topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The KMS key that encrypts messages at rest: id, ARN or alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_key: Option<String>,
    /// Who may do what with the topic.
    pub policy: Policy,
    /// The tags, those of ownership left out.
    pub tags: Texts,
}

/// What AWS says of a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
}

impl Topic {
    /// The topics of one account and Region.
    #[must_use]
    pub fn new(session: &Arc<Session>, topics: &Arc<Topics>) -> Self {
        Self { session: Arc::clone(session), topics: Arc::clone(topics) }
    }
}

#[async_trait]
impl Kind for Topic {
    const NAME: &'static str = "topic";
    const LIFE: Life = Life::Root;

    type Spec = Spec;
    type Outputs = Outputs;

    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        Ok(self.topics.glance(declared).await?)
    }

    fn hear_of(&self, declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.topics.hear_of(declared, settled);
    }

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let mut names: BTreeMap<String, Option<Wanted<Spec>>> =
            wanted.iter().map(|one| (one.name.clone(), Some(one.clone()))).collect();
        if reading == Reading::Everything {
            for name in self.topics.perhaps_owned().await? {
                names.entry(name).or_insert(None);
            }
        }
        let reads = names
            .into_iter()
            .map(|(name, wanted)| async move { self.read_one(&name, wanted, reading).await });
        let found: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        self.refuse_wrong_key(change).await?;
        match &change.from {
            None => self.create(change).await,
            Some(from) => self.update(&change.name, Some(from), change).await,
        }
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<Outputs>, BoxError> {
        let arn = self.session.arns.topic(name);
        // Deleting a topic that is not there succeeds, and all its subscriptions go with one that is.
        let answer = self.session.sns().delete_topic().topic_arn(&arn).send().await;
        self.topics.forget(name);
        match answer.map_err(failed("sns:DeleteTopic", name)) {
            Ok(_) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Absent) => Ok(Put::Done(None)),
            Err(error) => waiting_for_tags(error),
        }
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
        match (from, to) {
            (Some(_), None) => Impact::new(
                Severity::Degrades,
                "events published to the topic are lost, and its subscriptions go with it",
            ),
            (Some(_), Some(to)) if touches(fields, "policy") && !allows_ses(&to.policy) => {
                Impact::new(Severity::Degrades, "SES may no longer publish events to the topic")
            }
            (Some(from), Some(_)) if touches(fields, "policy") && !allows_ses(&from.policy) => {
                Impact::new(
                    Severity::Safe,
                    "SES may publish events to the topic from now on; until then they are lost",
                )
            }
            _ => Impact::safe(),
        }
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let arn = self.session.arns.topic(name);
        let live = self.topics.tags(name).await?;
        let changes = self.session.owner.mark_changes(&arn, &live, marks);
        Ok(self.tag(name, changes).await?)
    }

    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        let live = self.topics.tags(name).await?;
        Ok(self.tag(name, self.session.owner.unmark_changes(&live)).await?)
    }

    fn examples() -> Vec<Spec> {
        let arn = "arn:aws:sns:us-east-1:123456789012:example";
        let policy = |statement: Statement| Policy::new([("AllowSES", statement)]);
        let ses =
            Statement::allow().to("Service", "ses.amazonaws.com").may(["sns:Publish"]).on([arn]);
        vec![
            Spec {
                display_name: None,
                encryption_key: None,
                policy: policy(ses.clone()),
                tags: Texts::new(),
            },
            Spec {
                display_name: Some("Pivot feedback".to_owned()),
                encryption_key: Some("alias/mail".to_owned()),
                policy: policy(ses.when("StringEquals", "aws:SourceAccount", ["123456789012"])),
                tags: Texts::from([("team".to_owned(), "platform".to_owned())]),
            },
        ]
    }
}
