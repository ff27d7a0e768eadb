//! Send policies: IAM managed policies that let their holders send, from certain addresses, and nothing else.
//!
//! Invariant: the document is replaced by a new version only if it means something else, and a policy that somebody else
//! has attached too is not deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_iam::types::Tag;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::attachment;
use super::{Documented, Input, Permission, Phase, Scope};
use crate::aws::policies::{Found, Policies, Principal, PrincipalKind};
use crate::aws::policy::{Policy, Statement};
use crate::aws::{AwsError, Class, OrAbsent, Session, TagChanges, failed};
use crate::engine::{
    BoxError, Change, Field, Impact, Kind, Life, Live, Marks, Ownership, Put, Reading, Severity,
    Wanted, touches,
};

/// Policies read at once.
const READS_AT_ONCE: usize = 8;
/// How many versions IAM keeps of one policy.
const VERSIONS_MAX: usize = 5;

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
    /// Whom somebody else attached it to, found when the policy was read: it cannot be deleted under them.
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

    /// The names that are to be read, with their ARNs as far as there are such policies.
    async fn candidates(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let mut arns = BTreeMap::new();
        for one in wanted {
            let arn = match (reading, &one.spec) {
                (Reading::Named, Some(spec)) => {
                    Some(self.session.arns.policy(&spec.path, &one.name))
                }
                (Reading::Named, None) => self.policies.arn_of(&one.name).await?,
                (Reading::Everything, _) => {
                    let listed = self.policies.listed().await?;
                    listed.get(&one.name.to_ascii_lowercase()).map(|listed| listed.arn.clone())
                }
            };
            if let Some(arn) = arn {
                arns.insert(one.name.clone(), arn);
            }
        }
        if reading == Reading::Everything {
            let wanted: BTreeSet<String> =
                wanted.iter().map(|one| one.name.to_ascii_lowercase()).collect();
            for (key, listed) in self.policies.listed().await?.iter() {
                if key.starts_with(&prefix(&self.session)) && !wanted.contains(key) {
                    arns.insert(listed.name.clone(), listed.arn.clone());
                }
            }
        }
        Ok(arns)
    }

    async fn read_one(
        &self,
        name: String,
        arn: String,
        is_wanted: bool,
        reading: Reading,
    ) -> Result<Option<Live<Spec, Outputs>>, BoxError> {
        let Some(found) = self.policies.found(&arn).await? else { return Ok(None) };
        let (mut ownership, marks, tags) = self.session.owner.read(&arn, &found.tags);
        if !is_wanted && ownership != Ownership::Ours {
            return Ok(None);
        }
        let version = self.session.iam().get_policy_version().policy_arn(&arn);
        let version = version.version_id(&found.version).send().await;
        let version = version.map_err(failed("iam:GetPolicyVersion", &name)).or_absent()?;
        let Some(version) = version.and_then(|answer| answer.policy_version) else {
            return Ok(None);
        };
        let document = Policy::parse(version.document.as_deref().unwrap_or_default())?;
        let mut notes = Vec::new();
        if found.name != name {
            // Names differ at least by more than case, so this one stands in the way.
            ownership = Ownership::Unowned;
            notes.push(format!("exists as {}: IAM does not tell names apart by case", found.name));
        }
        let attached = if reading == Reading::Everything && found.attachments > 0 {
            self.policies.principals(&arn).await?
        } else {
            Arc::default()
        };
        notes.extend(self.notes(&found, &attached));
        let others = attached.iter().filter(|it| {
            ownership == Ownership::Ours && !marks.children.contains(&attachment::token(it))
        });
        let others = others.map(ToString::to_string).collect();
        Ok(Some(Live {
            name,
            spec: Spec { path: found.path.clone(), document, tags, others },
            outputs: Outputs { arn },
            ownership,
            parent: None,
            tokens: BTreeSet::new(),
            marks,
            uses: BTreeSet::new(),
            notes,
        }))
    }

    fn notes(&self, found: &Found, attached: &BTreeSet<Principal>) -> Vec<String> {
        let mut notes = Vec::new();
        if found.boundaries > 0 {
            notes.push(
                "is the permissions boundary of a role or user, who must get another before it can be deleted"
                    .to_owned(),
            );
        }
        if let Some(caller) = self.session.caller().and_then(principal_of)
            && attached.iter().any(|it| it.is(&caller))
        {
            notes.push(format!("is attached to {caller}, whose credentials this run uses"));
        }
        notes
    }

    async fn create(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let arn = self.session.arns.policy(&to.path, name);
        let mut tags = to.tags.clone();
        tags.extend(self.session.owner.tags(&arn, &change.marks));
        let answer = self
            .session
            .iam()
            .create_policy()
            .policy_name(name)
            .path(&to.path)
            .policy_document(to.document.document())
            .set_tags(Some(sdk_tags(&tags)))
            .send()
            .await;
        self.policies.forget(&arn);
        match answer.map_err(failed("iam:CreatePolicy", name)) {
            Ok(_) => {
                self.policies.made(name, &arn);
                Ok(Put::Done(Some(Outputs { arn })))
            }
            Err(error) if error.is(Class::Exists) => self.settle_name(change, &arn, error).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The name is taken: by us, if an earlier run was cut off; by the policy that was deleted a moment ago, for as long as
    /// IAM shows it; or by somebody else.
    async fn settle_name(
        &self,
        change: &Change<Spec>,
        arn: &str,
        error: AwsError,
    ) -> Result<Put<Outputs>, BoxError> {
        if let Some(found) = self.policies.found(arn).await?
            && self.session.owner.read(arn, &found.tags).0 == Ownership::Ours
        {
            self.policies.made(&change.name, arn);
            return self.update(&change.name, None, change).await;
        }
        let listed = self.policies.listed().await?;
        match listed.get(&change.name.to_ascii_lowercase()) {
            Some(other) if self.policies.found(&other.arn).await?.is_some() => Err(format!(
                "the name is taken by {}: IAM keeps names of policies unique over all paths and without regard to case",
                other.arn
            )
            .into()),
            _ if error.is(Class::Exists) => {
                Ok(Put::Waiting("IAM still holds the name of the policy just deleted".to_owned()))
            }
            _ => Err(error.into()),
        }
    }

    /// Writes what differs; everything if it is not known what is there.
    async fn update(
        &self,
        name: &str,
        from: Option<&Spec>,
        change: &Change<Spec>,
    ) -> Result<Put<Outputs>, BoxError> {
        let to = &change.to;
        let arn = self.session.arns.policy(&to.path, name);
        let differs = |path: &str| from.is_none() || touches(&change.fields, path);
        if differs("document") {
            self.make_room(name, &arn).await?;
            let create = self.session.iam().create_policy_version().policy_arn(&arn);
            let create = create.policy_document(to.document.document()).set_as_default(true);
            let answer = create.send().await.map_err(failed("iam:CreatePolicyVersion", name));
            self.policies.forget(&arn);
            answer?;
        }
        if differs("tags") {
            let Some(found) = self.policies.found(&arn).await? else {
                return Err("the policy is gone since the plan".into());
            };
            let mut wanted = to.tags.clone();
            let ours = found.tags.iter().filter(|(key, _)| key.starts_with("sesinfra:"));
            wanted.extend(ours.map(|(key, value)| (key.clone(), value.clone())));
            self.tag(name, &arn, self.session.owner.changes(&found.tags, &wanted)).await?;
        }
        Ok(Put::Done(Some(Outputs { arn })))
    }

    /// IAM keeps five versions and refuses a sixth, so the oldest that is not in force goes first.
    async fn make_room(&self, name: &str, arn: &str) -> Result<(), AwsError> {
        let mut versions = self.versions(name, arn).await?;
        if versions.len() >= VERSIONS_MAX
            && let Some(oldest) = versions.drain(..).find(|version| !version.is_default)
        {
            self.delete_version(name, arn, &oldest.id).await?;
        }
        Ok(())
    }

    /// The versions, oldest first.
    async fn versions(&self, name: &str, arn: &str) -> Result<Vec<Version>, AwsError> {
        let mut pages =
            self.session.iam().list_policy_versions().policy_arn(arn).into_paginator().send();
        let mut versions = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("iam:ListPolicyVersions", name)).or_absent()?;
            let Some(page) = page else { break };
            versions.extend(page.versions.unwrap_or_default().into_iter().filter_map(|it| {
                Some(Version { id: it.version_id?, is_default: it.is_default_version })
            }));
        }
        // `v2` is older than `v10`.
        versions.sort_by_key(|version| version.id.trim_start_matches('v').parse::<u64>().ok());
        Ok(versions)
    }

    async fn delete_version(&self, name: &str, arn: &str, id: &str) -> Result<(), AwsError> {
        let delete = self.session.iam().delete_policy_version().policy_arn(arn).version_id(id);
        delete.send().await.map_err(failed("iam:DeletePolicyVersion", name)).or_absent()?;
        Ok(())
    }

    async fn tag(&self, name: &str, arn: &str, changes: TagChanges) -> Result<(), AwsError> {
        let iam = self.session.iam();
        if !changes.set.is_empty() {
            let tag = iam.tag_policy().policy_arn(arn).set_tags(Some(sdk_tags(&changes.set)));
            let answer = tag.send().await.map_err(failed("iam:TagPolicy", name));
            self.policies.forget(arn);
            answer?;
        }
        if !changes.unset.is_empty() {
            let keys = changes.unset.into_iter().collect();
            let untag = iam.untag_policy().policy_arn(arn).set_tag_keys(Some(keys));
            let answer = untag.send().await.map_err(failed("iam:UntagPolicy", name));
            self.policies.forget(arn);
            answer?;
        }
        Ok(())
    }

    /// Detaches the policy from those of ours that still hold it, and refuses if others do.
    async fn let_go(&self, arn: &str, found: &Found) -> Result<(), BoxError> {
        let marks = self.session.owner.read(arn, &found.tags).1;
        let attached = self.policies.principals(arn).await?;
        let (ours, others): (Vec<_>, Vec<_>) =
            attached.iter().partition(|it| marks.children.contains(&attachment::token(it)));
        if !others.is_empty() {
            let names: Vec<String> = others.into_iter().map(ToString::to_string).collect();
            return Err(format!(
                "somebody else attached the policy to {}: detach it there first, or name them in `attach`",
                names.join(", ")
            )
            .into());
        }
        for principal in ours {
            self.policies.detach(arn, principal).await?;
        }
        Ok(())
    }
}

struct Version {
    id: String,
    is_default: bool,
}

#[async_trait]
impl Kind for SendPolicy {
    const NAME: &'static str = "send_policy";
    const LIFE: Life = Life::Root;
    const IMMUTABLE: &'static [&'static str] = &["path"];
    const WRITE_ONLY: &'static [&'static str] = &["others"];

    type Spec = Spec;
    type Outputs = Outputs;

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
            Some(from) => self.update(&change.name, Some(from), change).await,
        }
    }

    async fn delete(&self, name: &str, live: &Spec) -> Result<Put<Outputs>, BoxError> {
        let arn = self.session.arns.policy(&live.path, name);
        self.policies.forget(&arn);
        let Some(found) = self.policies.found(&arn).await? else { return Ok(Put::Done(None)) };
        // IAM deletes a policy only when nobody holds it and one version is left (`DeleteConflict`).
        self.let_go(&arn, &found).await?;
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
            (Some(from), None) => {
                let mut reason = "whoever has it can no longer send by it".to_owned();
                if !from.others.is_empty() {
                    let others: Vec<&str> = from.others.iter().map(String::as_str).collect();
                    reason = format!(
                        "{reason}; {} got it from somebody else, and it cannot be deleted before they are rid of it",
                        others.join(", ")
                    );
                }
                stops(reason)
            }
            (Some(from), Some(to)) if touches(fields, "path") => stops(format!(
                "moves from {} to {}: while it is made anew nobody can send by it",
                from.path, to.path
            )),
            (Some(from), Some(to)) if touches(fields, "document") => {
                let lost: Vec<String> =
                    granted(&from.document).difference(&granted(&to.document)).cloned().collect();
                if lost.is_empty() {
                    return Impact::safe();
                }
                stops(format!("no longer allowed: {}", lost.join(", ")))
            }
            _ => Impact::safe(),
        }
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let arn = self.policies.arn_of(name).await?.ok_or("the policy is gone")?;
        let found = self.policies.found(&arn).await?.ok_or("the policy is gone")?;
        let changes = self.session.owner.mark_changes(&arn, &found.tags, marks);
        Ok(self.tag(name, &arn, changes).await?)
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
                others: BTreeSet::new(),
            },
        ]
    }
}

impl Documented for SendPolicy {
    const PERMISSIONS: &'static [Permission] = &[
        Permission { action: "iam:ListPolicies", resource: Scope::Everything, phase: Phase::Plan },
        Permission { action: "iam:GetPolicy", resource: Scope::Policy, phase: Phase::Plan },
        Permission { action: "iam:GetPolicyVersion", resource: Scope::Policy, phase: Phase::Plan },
        Permission {
            action: "iam:ListEntitiesForPolicy",
            resource: Scope::Policy,
            phase: Phase::Plan,
        },
        Permission { action: "iam:CreatePolicy", resource: Scope::Policy, phase: Phase::Apply },
        Permission {
            action: "iam:ListPolicyVersions",
            resource: Scope::Policy,
            phase: Phase::Apply,
        },
        Permission {
            action: "iam:CreatePolicyVersion",
            resource: Scope::Policy,
            phase: Phase::Apply,
        },
        Permission {
            action: "iam:DeletePolicyVersion",
            resource: Scope::Policy,
            phase: Phase::Apply,
        },
        Permission { action: "iam:DeletePolicy", resource: Scope::Policy, phase: Phase::Apply },
        // CreatePolicy with tags needs it too.
        Permission { action: "iam:TagPolicy", resource: Scope::Policy, phase: Phase::Apply },
        Permission { action: "iam:UntagPolicy", resource: Scope::Policy, phase: Phase::Apply },
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "CreatePolicy",
            service: "iam",
            managed: &["policy_name", "path", "policy_document", "tags"],
            excluded: &[(
                "description",
                "cannot be changed later, so a better one would replace the policy; tags say as much",
            )],
        },
        Input {
            operation: "CreatePolicyVersion",
            service: "iam",
            managed: &["policy_arn", "policy_document", "set_as_default"],
            excluded: &[],
        },
        Input {
            operation: "DeletePolicyVersion",
            service: "iam",
            managed: &["policy_arn", "version_id"],
            excluded: &[],
        },
        Input {
            operation: "DeletePolicy",
            service: "iam",
            managed: &["policy_arn"],
            excluded: &[],
        },
        Input {
            operation: "TagPolicy",
            service: "iam",
            managed: &["policy_arn", "tags"],
            excluded: &[],
        },
        Input {
            operation: "UntagPolicy",
            service: "iam",
            managed: &["policy_arn", "tag_keys"],
            excluded: &[],
        },
    ];
}

/// What the names of all our policies start with, in lower case. Another environment's can start so too, which its tags
/// tell.
fn prefix(session: &Session) -> String {
    let owner = &session.owner;
    format!("{}-{}-", owner.project(), owner.environment()).to_ascii_lowercase()
}

/// The resources and From addresses that a document grants, for telling what a change takes away.
fn granted(document: &Policy) -> BTreeSet<String> {
    let allowing = document.statement.values().filter(|statement| statement.effect == "Allow");
    let granted = allowing.flat_map(|statement| {
        let from = statement.condition.values().filter_map(|keys| keys.get("ses:FromAddress"));
        let from = from.flatten().map(|pattern| format!("mail from {pattern}"));
        statement.resource.iter().chain(&statement.action).cloned().chain(from).collect::<Vec<_>>()
    });
    granted.collect()
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
