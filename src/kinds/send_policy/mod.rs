//! Send policies: IAM managed policies that let their holders send, from certain addresses, and nothing else.
//!
//! Invariant: the document is replaced by a new version only if it means something else, and a policy that somebody else
//! has attached too is not deleted.

mod documented;
mod reading;
mod writing;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_iam::types::Tag;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::aws::policies::{Policies, Principal, PrincipalKind};
use crate::aws::policy::{Policy, SENDERS, Statement};
use crate::aws::{OrAbsent, Session, failed};
use crate::engine::{
    BoxError, Change, Field, Glance, Impact, Kind, Life, Live, Marks, Put, Reading, Severity,
    Wanted, touches,
};

/// Policies read at once.
const READS_AT_ONCE: usize = 8;

/// IAM allows this many characters in a managed policy, white space not counted.
pub const DOCUMENT_LENGTH_MAX: usize = 6_144;

/// Tags by key.
type Texts = BTreeMap<String, String>;

/// The kind `send_policy`.
pub struct SendPolicy {
    session: Arc<Session>,
    policies: Arc<Policies>,
}

/// The settings of a send policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// Its IAM path.
    pub path: String,
    /// What it allows.
    pub document: Policy,
    /// The tags, those of ownership left out.
    pub tags: Texts,
    /// Whom somebody else attached it to, found when the policy was read: they lose it when it is deleted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub others: BTreeSet<String>,
}

/// What AWS says of a send policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
}

impl SendPolicy {
    /// The send policies of one account.
    #[must_use]
    pub fn new(session: &Arc<Session>, policies: &Arc<Policies>) -> Self {
        Self { session: Arc::clone(session), policies: Arc::clone(policies) }
    }

    /// The document that `put` writes, if it is not yet the wanted one.
    fn document_meanwhile(&self, change: &Change<Spec>) -> Option<Policy> {
        let sets = self.session.arns.configuration_set("");
        document_meanwhile(&sets, &change.from.as_ref()?.document, &change.to.document)
    }
}

fn is_of_document(field: &Field) -> bool {
    touches(std::slice::from_ref(field), "document")
}

/// The document while a sender goes from one set to another: as wanted, with the right to the sets under the prefix
/// `sets` that it had so far, since an identity has the old one as its default until it gets the new one. Only sets are
/// kept: what else is taken away is meant to end at once. `None` if no set goes, or if IAM takes no document that long.
fn document_meanwhile(sets: &str, from: &Policy, to: &Policy) -> Option<Policy> {
    let mut document = to.clone();
    let mut is_wider = false;
    for (sid, statement) in from.statement.iter().filter(|(_, it)| it.effect == "Allow") {
        let Some(kept) = document.statement.get_mut(sid) else { continue };
        for set in statement.resource.iter().filter(|arn| arn.starts_with(sets)) {
            is_wider |= kept.resource.insert(set.clone());
        }
    }
    (is_wider && document.length() <= DOCUMENT_LENGTH_MAX).then_some(document)
}

#[async_trait]
impl Kind for SendPolicy {
    const NAME: &'static str = "send_policy";
    const LIFE: Life = Life::Root;
    const IMMUTABLE: &'static [&'static str] = &["path"];
    const WRITE_ONLY: &'static [&'static str] = &["others"];

    type Spec = Spec;
    type Outputs = Outputs;

    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        Ok(Some(self.glance_at_each(declared).await?))
    }

    fn hear_of(&self, _declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.policies.pass_over(settled);
    }

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let named: BTreeSet<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
        let candidates = self.candidates(wanted, reading).await?;
        let named = &named;
        let reads = candidates.into_iter().map(|(name, arn)| async move {
            let is_wanted = named.contains(name.as_str());
            self.read_one(name, arn, is_wanted, reading).await
        });
        let found: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        match &change.from {
            None => self.create(change).await,
            Some(from) => {
                let mut meanwhile = change.clone();
                if let Some(document) = self.document_meanwhile(change) {
                    if from.document == document {
                        meanwhile.fields.retain(|field| !is_of_document(field));
                    }
                    meanwhile.to.document = document;
                }
                self.update(&change.name, Some(from), &meanwhile).await
            }
        }
    }

    fn retires(&self, change: &Change<Spec>) -> bool {
        self.document_meanwhile(change).is_some()
    }

    async fn retire(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let mut narrowed = change.clone();
        narrowed.fields.retain(is_of_document);
        self.update(&change.name, change.from.as_ref(), &narrowed).await
    }

    async fn delete(&self, name: &str, live: &Spec) -> Result<Put<Outputs>, BoxError> {
        let arn = self.session.arns.policy(&live.path, name);
        self.policies.forget(&arn);
        let Some(found) = self.policies.found(&arn).await? else { return Ok(Put::Done(None)) };
        // IAM deletes a policy only when nobody holds it and one version is left (`DeleteConflict`).
        self.let_go(&arn, &found, &live.others).await?;
        for version in self.versions(name, &arn).await? {
            if !version.is_default {
                self.delete_version(name, &arn, &version.id).await?;
            }
        }
        let answer = self.session.iam().delete_policy().policy_arn(&arn).send().await;
        self.policies.forget(&arn);
        match answer.map_err(failed("iam:DeletePolicy", name)).or_absent() {
            Ok(_) => Ok(Put::Done(None)),
            // A detach can take some seconds until IAM deletes by it.
            Err(error) if error.code == "DeleteConflict" && found.boundaries == 0 => {
                Ok(Put::Waiting("IAM still shows the policy as attached".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        let stops = |reason: String| Impact::new(Severity::StopsMail, reason);
        match (from, to) {
            (Some(_), None) => stops("whoever has it can no longer send by it".to_owned()),
            (Some(from), Some(to)) if touches(fields, "path") => stops(format!(
                "moves from {} to {}: while it is made anew nobody can send by it",
                from.path, to.path
            )),
            (Some(from), Some(to)) if touches(fields, "document") => {
                let lost = from.document.taken_away_by(&to.document);
                if lost.is_empty() {
                    return Impact::safe();
                }
                let lost: Vec<String> = lost.into_iter().collect();
                stops(format!("senders are no longer allowed: {}", lost.join(", ")))
            }
            _ => Impact::safe(),
        }
    }

    fn impact_of_mending(&self, from: &Spec, to: &Spec, fields: &[Field]) -> Option<Impact> {
        let lost = from.document.taken_away_by(&to.document);
        let is_by_hand = !touches(fields, "path")
            && !lost.is_empty()
            && lost.iter().all(|right| is_beyond_files(right));
        let lost: Vec<String> = lost.into_iter().collect();
        let reason = format!(
            "takes back what no file grants and somebody put in by hand: {}; all that the file grants stays",
            lost.join(", ")
        );
        is_by_hand.then(|| Impact::new(Severity::Safe, reason))
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let arn = self
            .policies
            .arn_of(name)
            .await?
            .ok_or("the policy is gone since the plan: plan again")?;
        let found = self
            .policies
            .found(&arn)
            .await?
            .ok_or("the policy is gone since the plan: plan again")?;
        let changes = self.session.owner.mark_changes(&arn, &found.tags, marks);
        Ok(self.tag(name, &arn, changes).await?)
    }

    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        let Some(arn) = self.policies.arn_of(name).await? else { return Ok(()) };
        let Some(found) = self.policies.found(&arn).await? else { return Ok(()) };
        Ok(self.tag(name, &arn, self.session.owner.unmark_changes(&found.tags)).await?)
    }

    fn examples() -> Vec<Spec> {
        let document = |from: &str| {
            let send = Statement::allow()
                .may(["ses:SendEmail", "ses:SendRawEmail"])
                .on(["arn:aws:ses:us-east-1:123456789012:identity/pivot.app"])
                .when("StringLike", "ses:FromAddress", [from]);
            Policy::new([("Send", send)])
        };
        vec![
            Spec {
                path: "/".to_owned(),
                document: document("*@pivot.app"),
                tags: Texts::new(),
                others: BTreeSet::new(),
            },
            Spec {
                path: "/mail/".to_owned(),
                document: document("billing@pivot.app"),
                tags: Texts::from([("team".to_owned(), "platform".to_owned())]),
                others: BTreeSet::from(["role/theirs".to_owned()]),
            },
        ]
    }
}

/// Whether a right, as [`Policy::taken_away_by`] says it, is one that a send policy of a file never has: to do more than send,
/// on more than what is named, or as anybody. An address or a resource that is named may be meant, whoever wrote it.
fn is_beyond_files(right: &str) -> bool {
    let is_action = !right.starts_with("arn:") && !right.starts_with(SENDERS);
    match right.strip_prefix(SENDERS) {
        Some(pattern) => pattern == "*",
        None if right == "*" => true,
        None if is_action => right.contains('*'),
        // Listed by tags, resources of a file are these two patterns.
        None => {
            right.contains('*')
                && ![":identity/*", ":configuration-set/*"].iter().any(|it| right.ends_with(it))
        }
    }
}

/// What the names of all our policies start with, in lower case. Another environment's can start so too, which its tags
/// tell.
fn prefix(session: &Session) -> String {
    let owner = &session.owner;
    format!("{}-{}-", owner.project(), owner.environment()).to_ascii_lowercase()
}

fn sdk_tags(tags: &Texts) -> Vec<Tag> {
    // Building fails only without a key or a value, and both are given.
    tags.iter()
        .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
        .collect()
}

/// The role or user behind the ARN of a caller: that of a session names the role, without its path.
fn principal_of(caller: &str) -> Option<Principal> {
    let resource = caller.splitn(6, ':').nth(5)?;
    let (kind, rest) = resource.split_once('/')?;
    match kind {
        "assumed-role" => {
            Some(Principal { kind: PrincipalKind::Role, name: rest.split('/').next()?.to_owned() })
        }
        "user" => {
            Some(Principal { kind: PrincipalKind::User, name: rest.rsplit('/').next()?.to_owned() })
        }
        _ => None,
    }
}
