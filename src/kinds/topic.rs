//! SNS topics: where events of configuration sets are published.
//!
//! Invariant: the policy is written whole, the owner's own statement included, and a key that would make SES's events
//! vanish is refused before anything is made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sns::types::Tag;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::subscription;
use super::{Documented, Input, Permission, Phase, Scope};
use crate::aws::key::{self, Checked, SES_TO_TOPIC};
use crate::aws::policy::{Policy, Statement};
use crate::aws::topics::{Texts, Topics};
use crate::aws::{AwsError, Class, Session, TagChanges, failed};
use crate::engine::{
    BoxError, Change, Field, Impact, Kind, Life, Live, Marks, Ownership, Put, Reading, Severity,
    Wanted, touches,
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
    /// Subscriptions that somebody else made, found when the topic was read: they would go with it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub others: BTreeSet<String>,
}

/// What AWS says of a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
}

/// An attribute that `CreateTopic` and `SetTopicAttributes` take, with the value that unsets it.
const UNSET: &str = "";

impl Topic {
    /// The topics of one account and Region.
    #[must_use]
    pub fn new(session: &Arc<Session>, topics: &Arc<Topics>) -> Self {
        Self { session: Arc::clone(session), topics: Arc::clone(topics) }
    }

    async fn read_one(
        &self,
        name: &str,
        wanted: Option<Wanted<Spec>>,
        reading: Reading,
    ) -> Result<Option<Live<Spec, Outputs>>, BoxError> {
        let Some(attributes) = self.topics.attributes(name).await? else { return Ok(None) };
        let arn = self.session.arns.topic(name);
        let tags = self.topics.tags(name).await?;
        let (ownership, marks, tags) = self.session.owner.read(&arn, &tags);
        // Found by its tags only: the tagging service lags, so what is not ours after all is left out.
        if wanted.is_none() && ownership != Ownership::Ours {
            return Ok(None);
        }
        let declared = wanted.and_then(|wanted| wanted.spec).and_then(|spec| spec.encryption_key);
        let encryption_key = match set_text(&attributes, "KmsMasterKeyId") {
            // SNS gives back the name it was given, so one key may have another name here than in the file.
            Some(live) => match &declared {
                Some(declared) if key::is_same(&self.session, declared, &live).await => {
                    Some(declared.clone())
                }
                _ => Some(live),
            },
            None => None,
        };
        let policy = Policy::parse(attributes.get("Policy").map_or("{}", String::as_str))?;
        let mut notes = notes_of_policy(&policy);
        if reading == Reading::Everything
            && encryption_key == declared
            && let Some(key) = &encryption_key
        {
            notes.extend(self.note_of_key(key).await);
        }
        let others = self.others(name, &attributes, &marks, &ownership, reading).await?;
        let spec = Spec {
            display_name: set_text(&attributes, "DisplayName"),
            encryption_key,
            policy,
            tags,
            others,
        };
        Ok(Some(Live {
            name: name.to_owned(),
            spec,
            outputs: Outputs { arn },
            ownership,
            parent: None,
            tokens: BTreeSet::new(),
            marks,
            uses: BTreeSet::new(),
            notes,
        }))
    }

    /// What there is to say of the key of a topic that has it already: a plan can still be made, so it is not an error.
    async fn note_of_key(&self, key: &str) -> Option<String> {
        match key::check(&self.session, key, SES_TO_TOPIC).await {
            Ok(Checked::Allowed) => None,
            Ok(Checked::Unknown(note)) => Some(note),
            Err(problem) => Some(problem.to_string()),
        }
    }

    async fn others(
        &self,
        name: &str,
        attributes: &Texts,
        marks: &Marks,
        ownership: &Ownership,
        reading: Reading,
    ) -> Result<BTreeSet<String>, AwsError> {
        let looks = reading == Reading::Everything && *ownership == Ownership::Ours;
        if !looks || !has_subscribers(attributes) {
            return Ok(BTreeSet::new());
        }
        let listed = self.topics.subscribers(name).await?;
        let others = listed.iter().filter(|one| {
            !marks.children.contains(&subscription::token(&one.protocol, &one.endpoint))
        });
        Ok(others.map(|one| format!("{}:{}", one.protocol, one.endpoint)).collect())
    }

    async fn refuse_wrong_key(&self, change: &Change<Spec>) -> Result<(), BoxError> {
        if let Some(key) = change.to.encryption_key.as_deref()
            && change.touches("encryption_key")
        {
            key::check(&self.session, key, SES_TO_TOPIC).await?;
        }
        Ok(())
    }

    async fn create(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let arn = self.session.arns.topic(name);
        let mut tags = to.tags.clone();
        tags.extend(self.session.owner.tags(&arn, &change.marks));
        let answer = self
            .session
            .sns()
            .create_topic()
            .name(name)
            .set_attributes(Some(attributes(to).into_iter().collect()))
            .set_tags(Some(sdk_tags(&tags)))
            .send()
            .await;
        self.topics.forget(name);
        match answer.map_err(failed("sns:CreateTopic", name)) {
            Ok(_) => Ok(Put::Done(Some(Outputs { arn }))),
            // A topic of that name has other attributes or other tags. If its tags are ours, an earlier run made it and
            // was cut off; otherwise somebody made it since the plan.
            Err(error) if error.is(Class::Invalid) && error.message.contains("already exists") => {
                let found = self.topics.tags(name).await?;
                match self.session.owner.read(&arn, &found).0 {
                    Ownership::Ours => self.update(name, None, change).await,
                    Ownership::Foreign(owner) => {
                        Err(format!("a topic of this name belongs to {owner}").into())
                    }
                    Ownership::Unowned => {
                        Err("a topic of this name exists meanwhile and was not made by sesinfra"
                            .into())
                    }
                }
            }
            Err(error) => waiting_for_tags(error),
        }
    }

    /// Writes what differs; everything if it is not known what is there.
    async fn update(
        &self,
        name: &str,
        from: Option<&Spec>,
        change: &Change<Spec>,
    ) -> Result<Put<Outputs>, BoxError> {
        let arn = self.session.arns.topic(name);
        let differs = |path: &str| from.is_none() || touches(&change.fields, path);
        // SetTopicAttributes takes one attribute at a time. No principal of this policy is a user or role, so none can be
        // too new for SNS to know it.
        for (path, attribute, value) in settings(&change.to) {
            if !differs(path) {
                continue;
            }
            let sns = self.session.sns();
            let set = sns.set_topic_attributes().topic_arn(&arn).attribute_name(attribute);
            let answer = set.attribute_value(value.as_deref().unwrap_or(UNSET)).send().await;
            self.topics.forget(name);
            answer.map_err(failed("sns:SetTopicAttributes", name))?;
        }
        if differs("tags") {
            let live = self.topics.tags(name).await?;
            let mut wanted = change.to.tags.clone();
            wanted.extend(ownership_tags(&live));
            let changes = self.session.owner.changes(&live, &wanted);
            if let Err(error) = self.tag(name, changes).await {
                return waiting_for_tags(error);
            }
        }
        Ok(Put::Done(Some(Outputs { arn })))
    }

    /// Carries out tag changes, one call after the other: SNS allows one at a time on a topic.
    async fn tag(&self, name: &str, changes: TagChanges) -> Result<(), AwsError> {
        let arn = self.session.arns.topic(name);
        let sns = self.session.sns();
        if !changes.set.is_empty() {
            let tags = sdk_tags(&changes.set);
            let answer = sns.tag_resource().resource_arn(&arn).set_tags(Some(tags)).send().await;
            self.topics.forget(name);
            answer.map_err(failed("sns:TagResource", name))?;
        }
        if !changes.unset.is_empty() {
            let keys = changes.unset.into_iter().collect();
            let untag = sns.untag_resource().resource_arn(&arn).set_tag_keys(Some(keys));
            let answer = untag.send().await;
            self.topics.forget(name);
            answer.map_err(failed("sns:UntagResource", name))?;
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for Topic {
    const NAME: &'static str = "topic";
    const LIFE: Life = Life::Root;
    const WRITE_ONLY: &'static [&'static str] = &["others"];

    type Spec = Spec;
    type Outputs = Outputs;

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let mut names: BTreeMap<String, Option<Wanted<Spec>>> =
            wanted.iter().map(|one| (one.name.clone(), Some(one.clone()))).collect();
        if reading == Reading::Everything {
            for name in self.topics.owned().await? {
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

    async fn deferral(&self, change: &Change<Spec>) -> Result<Option<String>, BoxError> {
        // Not a reason to wait: a key that cannot work is an error before anything is made.
        self.refuse_wrong_key(change).await?;
        Ok(None)
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        match (from, to) {
            (Some(from), None) if !from.others.is_empty() => {
                let others: Vec<&str> = from.others.iter().map(String::as_str).collect();
                Impact::new(
                    Severity::Irreversible,
                    format!(
                        "subscriptions that somebody else made go with the topic: {}",
                        others.join(", ")
                    ),
                )
            }
            (Some(_), None) => Impact::new(
                Severity::Degrades,
                "events published to the topic are lost, and its subscriptions go with it",
            ),
            (Some(_), Some(to)) if touches(fields, "policy") && !allows_ses(&to.policy) => {
                Impact::new(Severity::Degrades, "SES may no longer publish events to the topic")
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
                others: BTreeSet::new(),
            },
            Spec {
                display_name: Some("Pivot feedback".to_owned()),
                encryption_key: Some("alias/mail".to_owned()),
                policy: policy(ses.when("StringEquals", "aws:SourceAccount", ["123456789012"])),
                tags: Texts::from([("team".to_owned(), "platform".to_owned())]),
                others: BTreeSet::new(),
            },
        ]
    }
}

impl Documented for Topic {
    const PERMISSIONS: &'static [Permission] = &[
        Permission { action: "sns:GetTopicAttributes", resource: Scope::Topic, phase: Phase::Plan },
        Permission {
            action: "sns:ListTagsForResource",
            resource: Scope::Topic,
            phase: Phase::Plan,
        },
        Permission {
            action: "sns:ListSubscriptionsByTopic",
            resource: Scope::Topic,
            phase: Phase::Plan,
        },
        Permission { action: "kms:DescribeKey", resource: Scope::Key, phase: Phase::Plan },
        Permission { action: "kms:GetKeyPolicy", resource: Scope::Key, phase: Phase::Plan },
        Permission { action: "sns:CreateTopic", resource: Scope::Topic, phase: Phase::Apply },
        Permission {
            action: "sns:SetTopicAttributes",
            resource: Scope::Topic,
            phase: Phase::Apply,
        },
        Permission { action: "sns:DeleteTopic", resource: Scope::Topic, phase: Phase::Apply },
        Permission { action: "sns:TagResource", resource: Scope::Topic, phase: Phase::Apply },
        Permission { action: "sns:UntagResource", resource: Scope::Topic, phase: Phase::Apply },
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "CreateTopic",
            service: "sns",
            managed: &["name", "attributes", "tags"],
            excluded: &[(
                "data_protection_policy",
                "audits or masks message content for a whole topic; events of SES are wanted whole",
            )],
        },
        Input {
            operation: "SetTopicAttributes",
            service: "sns",
            managed: &["topic_arn", "attribute_name", "attribute_value"],
            excluded: &[],
        },
        Input { operation: "DeleteTopic", service: "sns", managed: &["topic_arn"], excluded: &[] },
        Input {
            operation: "TagResource",
            service: "sns",
            managed: &["resource_arn", "tags"],
            excluded: &[],
        },
        Input {
            operation: "UntagResource",
            service: "sns",
            managed: &["resource_arn", "tag_keys"],
            excluded: &[],
        },
    ];
}

/// Whether the counters of a topic say that it has subscriptions: only then is listing them worth a call.
pub(super) fn has_subscribers(attributes: &Texts) -> bool {
    let none = |name: &str| attributes.get(name).is_none_or(|count| count == "0");
    !(none("SubscriptionsConfirmed") && none("SubscriptionsPending"))
}

/// Each setting with its attribute and value; `None` is unset.
fn settings(spec: &Spec) -> [(&'static str, &'static str, Option<String>); 3] {
    [
        ("display_name", "DisplayName", spec.display_name.clone()),
        ("encryption_key", "KmsMasterKeyId", spec.encryption_key.clone()),
        ("policy", "Policy", Some(spec.policy.document())),
    ]
}

fn attributes(spec: &Spec) -> BTreeMap<String, String> {
    let set = settings(spec).into_iter();
    set.filter_map(|(_, attribute, value)| Some((attribute.to_owned(), value?))).collect()
}

/// An attribute that is set: SNS gives back an empty text for one that is not.
fn set_text(attributes: &Texts, name: &str) -> Option<String> {
    attributes.get(name).filter(|value| !value.is_empty()).cloned()
}

/// The tags of `live` that say whose it is.
fn ownership_tags(live: &Texts) -> Texts {
    let ours = live.iter().filter(|(key, _)| key.starts_with("sesinfra:"));
    ours.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn sdk_tags(tags: &Texts) -> Vec<Tag> {
    // Building fails only without a key or a value, and both are given.
    tags.iter()
        .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
        .collect()
}

/// A topic that is recreated at once can meet the tags of the old one (`StaleTag`), and another writer of tags excludes
/// ours for a moment (`ConcurrentAccess`).
fn waiting_for_tags(error: AwsError) -> Result<Put<Outputs>, BoxError> {
    match error.code.as_str() {
        "StaleTag" => {
            Ok(Put::Waiting("SNS still holds the tags of a topic just deleted".to_owned()))
        }
        "ConcurrentAccess" => Ok(Put::Waiting("somebody else is tagging the topic".to_owned())),
        _ => Err(error.into()),
    }
}

fn allows_ses(policy: &Policy) -> bool {
    policy.statement.values().any(|statement| {
        statement.principal.get("Service").is_some_and(|names| names.contains("ses.amazonaws.com"))
    })
}

/// What there is to say of a policy that AWS changed by itself.
pub(super) fn notes_of_policy(policy: &Policy) -> Vec<String> {
    let lost = policy.lost_principals().into_iter();
    lost.map(|id| {
        format!("the policy names {id}, a user or role that was deleted: whoever has its name now is not meant")
    })
    .collect()
}
