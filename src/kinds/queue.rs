//! SQS queues that topics deliver to, and the dead-letter queues beside them.
//!
//! Invariant: attributes are typed here although SQS has only texts, so `"345600"` and `345600`, or two spellings of one
//! policy, are never a difference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::topic::notes_of_policy;
use super::{Documented, Input, Permission, Phase, Scope};
use crate::aws::key::{self, Checked, SNS_TO_QUEUE};
use crate::aws::policy::{Policy, Statement};
use crate::aws::{AwsError, Class, Memo, OrAbsent, Session, TagChanges, failed};
use crate::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, Marks, Ownership, Put, Reading,
    Severity, Wanted, touches,
};
use crate::environment::names::{KeyReference, TimeSpan};
use crate::environment::types::Encryption;

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
    /// Whether there are messages in it that would be lost, looked at only if it is no longer declared.
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

    fn made(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Each use is one operation, so a panic elsewhere cannot leave the set half changed.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn url(&self, name: &str) -> Result<Option<String>, AwsError> {
        let read = || async {
            let answer = self.session.sqs().get_queue_url().queue_name(name).send().await;
            let answer = answer.map_err(failed("sqs:GetQueueUrl", name)).or_absent()?;
            Ok(answer.and_then(|answer| answer.queue_url))
        };
        self.urls.get(name.to_owned(), read).await
    }

    async fn tags(&self, name: &str, url: &str) -> Result<Arc<Texts>, AwsError> {
        let read = || async {
            let answer = self.session.sqs().list_queue_tags().queue_url(url).send().await;
            let answer = answer.map_err(failed("sqs:ListQueueTags", name)).or_absent()?;
            let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
            Ok(Arc::new(tags.into_iter().collect::<Texts>()))
        };
        self.tags.get(name.to_owned(), read).await
    }

    async fn attributes(&self, name: &str, url: &str) -> Result<Option<Texts>, AwsError> {
        let read = self.session.sqs().get_queue_attributes().queue_url(url);
        let answer = read.attribute_names(Attribute::All).send().await;
        let answer = answer.map_err(failed("sqs:GetQueueAttributes", name)).or_absent()?;
        let attributes = answer.map(|answer| answer.attributes.unwrap_or_default().into_iter());
        Ok(attributes.map(|all| all.map(|(key, value)| (key.as_str().to_owned(), value)).collect()))
    }

    fn forget(&self, name: &str) {
        self.urls.forget_key(&name.to_owned());
        self.tags.forget_key(&name.to_owned());
    }

    async fn read_one(
        &self,
        name: &str,
        wanted: Option<Wanted<Spec>>,
    ) -> Result<Option<Live<Spec, Outputs>>, BoxError> {
        let Some(url) = self.url(name).await? else { return Ok(None) };
        // A deleted queue still has a URL for up to a minute, and then no attributes.
        let Some(attributes) = self.attributes(name, &url).await? else { return Ok(None) };
        let arn = self.session.arns.queue(name);
        let tags = self.tags(name, &url).await?;
        let (ownership, marks, tags) = self.session.owner.read(&arn, &tags);
        // Found by its tags only: the tagging service lags, so what is not ours after all is left out.
        if wanted.is_none() && ownership != Ownership::Ours {
            return Ok(None);
        }
        let mut spec = spec_of(&attributes, tags)?;
        let declared = wanted.and_then(|wanted| wanted.spec);
        let mut notes = spec.policy.as_ref().map(notes_of_policy).unwrap_or_default();
        if let Encryption::Key(live) = &spec.encryption
            && let Some(Encryption::Key(declared)) = declared.as_ref().map(|spec| &spec.encryption)
            && key::is_same(&self.session, declared.as_str(), live.as_str()).await
        {
            // SQS gives back the name it was given, so one key may have another name here than in the file.
            spec.encryption = Encryption::Key(declared.clone());
            notes.extend(self.note_of_key(&spec).await);
        }
        // Counts change from one moment to the next and would make every saved plan stale, so they are looked at only where
        // they matter.
        if declared.is_none() && has_messages(&attributes) {
            spec.holds_messages = true;
            notes.push("there are messages in the queue".to_owned());
        }
        Ok(Some(Live {
            name: name.to_owned(),
            uses: used_queues(&self.session.arns.queue(""), &spec),
            spec,
            outputs: Outputs { arn, url },
            ownership,
            parent: None,
            tokens: BTreeSet::new(),
            marks,
            notes,
        }))
    }

    async fn note_of_key(&self, spec: &Spec) -> Option<String> {
        match self.check_key(spec).await {
            Ok(None | Some(Checked::Allowed)) => None,
            Ok(Some(Checked::Unknown(note))) => Some(note),
            Err(problem) => Some(problem.to_string()),
        }
    }

    /// Whether SNS may use the key of a queue that topics deliver to.
    async fn check_key(&self, spec: &Spec) -> Result<Option<Checked>, key::KeyProblem> {
        match (&spec.encryption, &spec.policy) {
            (Encryption::Key(key), Some(_)) => {
                key::check(&self.session, key.as_str(), SNS_TO_QUEUE).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn refuse_wrong_key(&self, change: &Change<Spec>) -> Result<(), BoxError> {
        if change.touches("encryption") {
            self.check_key(&change.to).await?;
        }
        Ok(())
    }

    async fn create(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let arn = self.session.arns.queue(name);
        let mut tags = to.tags.clone();
        tags.extend(self.session.owner.tags(&arn, &change.marks));
        let answer = self
            .session
            .sqs()
            .create_queue()
            .queue_name(name)
            .set_attributes(Some(attributes_at_first(to).into_iter().collect()))
            .set_tags(Some(tags.into_iter().collect()))
            .send()
            .await;
        self.forget(name);
        match answer.map_err(failed("sqs:CreateQueue", name)) {
            Ok(answer) => {
                self.made().insert(name.clone());
                let url = answer.queue_url.unwrap_or_default();
                Ok(Put::Done(Some(Outputs { arn, url })))
            }
            // A queue of that name has other attributes. If its tags are ours, an earlier run made it and was cut off;
            // otherwise somebody made it since the plan.
            Err(error) if error.is(Class::Exists) => match self.url(name).await? {
                Some(url) => {
                    let found = self.tags(name, &url).await?;
                    match self.session.owner.read(&arn, &found).0 {
                        Ownership::Ours => self.update(name, None, change).await,
                        Ownership::Foreign(owner) => {
                            Err(format!("a queue of this name belongs to {owner}").into())
                        }
                        Ownership::Unowned => Err(
                            "a queue of this name exists meanwhile and was not made by sesinfra"
                                .into(),
                        ),
                    }
                }
                None => Err(error.into()),
            },
            Err(error) => self.waiting(error, to),
        }
    }

    /// Writes what differs in one call; everything if it is not known what is there.
    async fn update(
        &self,
        name: &str,
        from: Option<&Spec>,
        change: &Change<Spec>,
    ) -> Result<Put<Outputs>, BoxError> {
        let Some(url) = self.url(name).await? else {
            return Err("the queue is gone since the plan".into());
        };
        let differs = |path: &str| from.is_none() || touches(&change.fields, path);
        let attributes: BTreeMap<Attribute, String> = settings(from, &change.to)
            .into_iter()
            .filter(|(path, ..)| differs(path))
            .map(|(_, attribute, value)| (attribute, value))
            .collect();
        if !attributes.is_empty() {
            let set = self.session.sqs().set_queue_attributes().queue_url(&url);
            let set = set.set_attributes(Some(attributes.into_iter().collect()));
            if let Err(error) = set.send().await.map_err(failed("sqs:SetQueueAttributes", name)) {
                return self.waiting(error, &change.to);
            }
        }
        if differs("tags") {
            let live = self.tags(name, &url).await?;
            let mut wanted = change.to.tags.clone();
            let ours = live.iter().filter(|(key, _)| key.starts_with("sesinfra:"));
            wanted.extend(ours.map(|(key, value)| (key.clone(), value.clone())));
            self.tag(name, &url, self.session.owner.changes(&live, &wanted)).await?;
        }
        Ok(Put::Done(Some(Outputs { arn: self.session.arns.queue(name), url })))
    }

    async fn tag(&self, name: &str, url: &str, changes: TagChanges) -> Result<(), AwsError> {
        let sqs = self.session.sqs();
        if !changes.set.is_empty() {
            let tags = Some(changes.set.into_iter().collect());
            let answer = sqs.tag_queue().queue_url(url).set_tags(tags).send().await;
            self.tags.forget_key(&name.to_owned());
            answer.map_err(failed("sqs:TagQueue", name))?;
        }
        if !changes.unset.is_empty() {
            let keys = Some(changes.unset.into_iter().collect());
            let answer = sqs.untag_queue().queue_url(url).set_tag_keys(keys).send().await;
            self.tags.forget_key(&name.to_owned());
            answer.map_err(failed("sqs:UntagQueue", name))?;
        }
        Ok(())
    }

    /// Refusals that pass by themselves: a name is kept for 60 seconds after its queue was deleted, and a queue just made
    /// is not visible at once where another names it as its dead-letter queue.
    fn waiting(&self, error: AwsError, to: &Spec) -> Result<Put<Outputs>, BoxError> {
        if error.code.ends_with("QueueDeletedRecently") {
            return Ok(Put::Waiting(
                "SQS keeps the name of a deleted queue for 60 seconds".to_owned(),
            ));
        }
        let prefix = self.session.arns.queue("");
        let target = to.dead_letter.as_ref().and_then(|it| it.queue.strip_prefix(&prefix));
        if let Some(target) = target
            && error.is(Class::Invalid)
            && error.message.contains("does not exist")
            && self.made().contains(target)
        {
            return Ok(Put::Waiting(format!("SQS does not see the queue {target} yet")));
        }
        Err(error.into())
    }
}

#[async_trait]
impl Kind for Queue {
    const NAME: &'static str = "queue";
    const LIFE: Life = Life::Root;
    const WRITE_ONLY: &'static [&'static str] = &["holds_messages"];

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
            let tagged = self.session.tagged().await?;
            let prefix = self.session.arns.queue("");
            for name in tagged.keys().filter_map(|arn| arn.strip_prefix(&prefix)) {
                names.entry(name.to_owned()).or_insert(None);
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
            Some(from) => self.update(&change.name, Some(from), change).await,
        }
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<Outputs>, BoxError> {
        let Some(url) = self.url(name).await? else { return Ok(Put::Done(None)) };
        let answer = self.session.sqs().delete_queue().queue_url(url).send().await;
        self.forget(name);
        answer.map_err(failed("sqs:DeleteQueue", name)).or_absent()?;
        Ok(Put::Done(None))
    }

    async fn deferral(&self, change: &Change<Spec>) -> Result<Option<String>, BoxError> {
        // Not a reason to wait: a key that cannot work is an error before anything is made.
        self.refuse_wrong_key(change).await?;
        Ok(None)
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        let degrades = |reason: String| Impact::new(Severity::Degrades, reason);
        match (from, to) {
            (Some(from), None) if from.holds_messages => Impact::new(
                Severity::Irreversible,
                "the messages in the queue, bounces and complaints among them, are lost with it",
            ),
            (Some(_), None) => degrades(
                "whoever reads the queue gets no further bounces and complaints".to_owned(),
            ),
            (Some(from), Some(to)) => {
                let lost: Vec<&String> = sources(from).difference(&sources(to)).copied().collect();
                if touches(fields, "policy") && !lost.is_empty() {
                    let names: Vec<&str> = lost.iter().map(|arn| arn.as_str()).collect();
                    degrades(format!("{} can no longer deliver to the queue", names.join(", ")))
                } else if to.retention < from.retention {
                    degrades(format!("unread messages older than {} are dropped", to.retention))
                } else {
                    Impact::safe()
                }
            }
            (None, _) => Impact::safe(),
        }
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let Some(url) = self.url(name).await? else { return Err("the queue is gone".into()) };
        let live = self.tags(name, &url).await?;
        let changes = self.session.owner.mark_changes(&self.session.arns.queue(name), &live, marks);
        Ok(self.tag(name, &url, changes).await?)
    }

    fn examples() -> Vec<Spec> {
        let delivery = Statement::allow()
            .to("Service", "sns.amazonaws.com")
            .may(["sqs:SendMessage"])
            .on(["arn:aws:sqs:us-east-1:123456789012:example"]);
        let plain = Spec {
            retention: TimeSpan::from_seconds(345_600),
            visibility_timeout: TimeSpan::from_seconds(30),
            encryption: Encryption::Sqs,
            dead_letter: None,
            policy: None,
            tags: Texts::new(),
            holds_messages: false,
        };
        let full = Spec {
            retention: TimeSpan::from_seconds(1_209_600),
            visibility_timeout: TimeSpan::from_seconds(0),
            encryption: KeyReference::parse("alias/mail").map_or(Encryption::Off, Encryption::Key),
            dead_letter: Some(DeadLetter {
                queue: "arn:aws:sqs:us-east-1:123456789012:example-dead-letter".to_owned(),
                max_receives: 5,
            }),
            policy: Some(Policy::new([("AllowTopics", delivery)])),
            tags: Texts::from([("team".to_owned(), "platform".to_owned())]),
            holds_messages: false,
        };
        vec![Spec { encryption: Encryption::Off, ..plain.clone() }, plain, full]
    }
}

impl Documented for Queue {
    const PERMISSIONS: &'static [Permission] = &[
        Permission { action: "sqs:GetQueueUrl", resource: Scope::Queue, phase: Phase::Plan },
        Permission { action: "sqs:GetQueueAttributes", resource: Scope::Queue, phase: Phase::Plan },
        Permission { action: "sqs:ListQueueTags", resource: Scope::Queue, phase: Phase::Plan },
        Permission { action: "kms:DescribeKey", resource: Scope::Key, phase: Phase::Plan },
        Permission { action: "kms:GetKeyPolicy", resource: Scope::Key, phase: Phase::Plan },
        Permission { action: "sqs:CreateQueue", resource: Scope::Queue, phase: Phase::Apply },
        Permission {
            action: "sqs:SetQueueAttributes",
            resource: Scope::Queue,
            phase: Phase::Apply,
        },
        Permission { action: "sqs:DeleteQueue", resource: Scope::Queue, phase: Phase::Apply },
        // CreateQueue with tags needs it too.
        Permission { action: "sqs:TagQueue", resource: Scope::Queue, phase: Phase::Apply },
        Permission { action: "sqs:UntagQueue", resource: Scope::Queue, phase: Phase::Apply },
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "CreateQueue",
            service: "sqs",
            managed: &["queue_name", "attributes", "tags"],
            excluded: &[],
        },
        Input {
            operation: "SetQueueAttributes",
            service: "sqs",
            managed: &["queue_url", "attributes"],
            excluded: &[],
        },
        Input { operation: "DeleteQueue", service: "sqs", managed: &["queue_url"], excluded: &[] },
        Input {
            operation: "TagQueue",
            service: "sqs",
            managed: &["queue_url", "tags"],
            excluded: &[],
        },
        Input {
            operation: "UntagQueue",
            service: "sqs",
            managed: &["queue_url", "tag_keys"],
            excluded: &[],
        },
    ];
}

fn spec_of(attributes: &Texts, tags: Texts) -> Result<Spec, BoxError> {
    let text = |name: &str| attributes.get(name).filter(|value| !value.is_empty());
    let span = |name: &str| -> Result<TimeSpan, BoxError> {
        let text = text(name).ok_or_else(|| format!("SQS tells no {name}"))?;
        Ok(TimeSpan::from_seconds(text.parse()?))
    };
    let encryption = match text("KmsMasterKeyId") {
        Some(key) => Encryption::Key(KeyReference::parse(key)?),
        None if text("SqsManagedSseEnabled").is_some_and(|on| on == "true") => Encryption::Sqs,
        None => Encryption::Off,
    };
    Ok(Spec {
        retention: span("MessageRetentionPeriod")?,
        visibility_timeout: span("VisibilityTimeout")?,
        encryption,
        dead_letter: text("RedrivePolicy").map(|policy| dead_letter(policy)).transpose()?.flatten(),
        policy: text("Policy").map(|document| Policy::parse(document)).transpose()?,
        tags,
        holds_messages: false,
    })
}

/// `maxReceiveCount` comes back as a number or as text, as it was written.
fn dead_letter(policy: &str) -> Result<Option<DeadLetter>, BoxError> {
    let policy: Value = serde_json::from_str(policy)?;
    let Some(queue) = policy.get("deadLetterTargetArn").and_then(Value::as_str) else {
        return Ok(None);
    };
    let max_receives = match policy.get("maxReceiveCount") {
        Some(Value::String(text)) => text.parse()?,
        Some(number) => u16::try_from(number.as_u64().unwrap_or_default())?,
        None => return Ok(None),
    };
    Ok(Some(DeadLetter { queue: queue.to_owned(), max_receives }))
}

fn has_messages(attributes: &Texts) -> bool {
    let counters = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ];
    counters.iter().any(|name| attributes.get(*name).is_some_and(|count| count != "0"))
}

/// Each setting as path, attribute and value. An empty text removes a policy, a redrive policy or a key.
fn settings(from: Option<&Spec>, to: &Spec) -> Vec<(&'static str, Attribute, String)> {
    let redrive = to.dead_letter.as_ref().map(|it| {
        json!({ "deadLetterTargetArn": it.queue, "maxReceiveCount": it.max_receives }).to_string()
    });
    let mut settings = vec![
        ("retention", Attribute::MessageRetentionPeriod, to.retention.seconds().to_string()),
        (
            "visibility_timeout",
            Attribute::VisibilityTimeout,
            to.visibility_timeout.seconds().to_string(),
        ),
        ("dead_letter", Attribute::RedrivePolicy, redrive.unwrap_or_default()),
        ("policy", Attribute::Policy, to.policy.as_ref().map(Policy::document).unwrap_or_default()),
    ];
    // The two ways of encryption exclude each other, so one is switched off in the call that switches the other on.
    let had_key = from.is_none_or(|from| matches!(from.encryption, Encryption::Key(_)));
    match &to.encryption {
        Encryption::Key(key) => {
            settings.push(("encryption", Attribute::KmsMasterKeyId, key.to_string()));
        }
        other => {
            if had_key {
                settings.push(("encryption", Attribute::KmsMasterKeyId, String::new()));
            }
            let on = (*other == Encryption::Sqs).to_string();
            settings.push(("encryption", Attribute::SqsManagedSseEnabled, on));
        }
    }
    settings
}

/// The attributes of a new queue: those with nothing in them are left out, and a queue without a word about encryption
/// would get SQS's own.
fn attributes_at_first(to: &Spec) -> BTreeMap<Attribute, String> {
    let all = settings(None, to).into_iter();
    let set = all.filter(|(_, _, value)| !value.is_empty());
    set.map(|(_, attribute, value)| (attribute, value)).collect()
}

/// The topics that the policy lets deliver.
fn sources(spec: &Spec) -> BTreeSet<&String> {
    let statements = spec.policy.iter().flat_map(|policy| policy.statement.values());
    let conditions = statements.flat_map(|statement| statement.condition.values());
    conditions.filter_map(|keys| keys.get("aws:SourceArn")).flatten().collect()
}

/// The queues of this account and Region that a queue relies on.
fn used_queues(prefix: &str, spec: &Spec) -> BTreeSet<Address> {
    let target = spec.dead_letter.as_ref().and_then(|it| it.queue.strip_prefix(prefix));
    target.map(|name| Address::new("queue", name)).into_iter().collect()
}
