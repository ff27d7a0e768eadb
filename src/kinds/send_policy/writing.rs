//! How a send policy is written: as a new version in force, with room made for it, and deleted when nobody holds it.

use std::collections::BTreeSet;

use super::{Outputs, SendPolicy, Spec, sdk_tags};
use crate::aws::policies::Found;
use crate::aws::{AwsError, Class, OrAbsent, TagChanges, failed};
use crate::engine::{BoxError, Change, Kind, Ownership, Put, touches};
use crate::kinds::attachment;

/// How many versions IAM keeps of one policy.
const VERSIONS_MAX: usize = 5;

impl SendPolicy {
    pub(super) async fn create(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let arn = self.session.arns.policy(&to.path, name);
        let mut tags = to.tags.clone();
        tags.extend(self.session.owner.tags_at_first(&arn, &change.marks));
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
    pub(super) async fn settle_name(
        &self,
        change: &Change<Spec>,
        arn: &str,
        error: AwsError,
    ) -> Result<Put<Outputs>, BoxError> {
        if let Some(found) = self.policies.found(arn).await?
            && let (Ownership::Ours, marked, _) = self.session.owner.read(arn, &found.tags)
        {
            self.policies.made(&change.name, arn);
            let marks = marked.widened(&change.marks);
            if marks != marked {
                self.mark(&change.name, &marks).await?;
            }
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
    pub(super) async fn update(
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
                return Err("the policy is gone since the plan: plan again".into());
            };
            let changes = self.session.owner.user_changes(&found.tags, &to.tags);
            self.tag(name, &arn, changes).await?;
        }
        Ok(Put::Done(Some(Outputs { arn })))
    }

    /// IAM keeps five versions and refuses a sixth, so the oldest that is not in force goes first.
    pub(super) async fn make_room(&self, name: &str, arn: &str) -> Result<(), AwsError> {
        let mut versions = self.versions(name, arn).await?;
        if versions.len() >= VERSIONS_MAX
            && let Some(oldest) = versions.drain(..).find(|version| !version.is_default)
        {
            self.delete_version(name, arn, &oldest.id).await?;
        }
        Ok(())
    }

    /// The versions, oldest first.
    pub(super) async fn versions(&self, name: &str, arn: &str) -> Result<Vec<Version>, AwsError> {
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

    pub(super) async fn delete_version(
        &self,
        name: &str,
        arn: &str,
        id: &str,
    ) -> Result<(), AwsError> {
        let delete = self.session.iam().delete_policy_version().policy_arn(arn).version_id(id);
        delete.send().await.map_err(failed("iam:DeletePolicyVersion", name)).or_absent()?;
        Ok(())
    }

    pub(super) async fn tag(
        &self,
        name: &str,
        arn: &str,
        changes: TagChanges,
    ) -> Result<(), AwsError> {
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

    /// Detaches the policy from those of ours that still hold it, and from those that the plan said would lose it. If
    /// somebody else attached it since, it is left alone.
    pub(super) async fn let_go(
        &self,
        arn: &str,
        found: &Found,
        losing: &BTreeSet<String>,
    ) -> Result<(), BoxError> {
        let marks = self.session.owner.read(arn, &found.tags).1;
        let attached = self.policies.principals(arn).await?;
        let (ours, others): (Vec<_>, Vec<_>) = attached.iter().partition(|it| {
            marks.children.contains(&attachment::token(it)) || losing.contains(&it.to_string())
        });
        if !others.is_empty() {
            let names: Vec<String> = others.into_iter().map(ToString::to_string).collect();
            return Err(format!(
                "somebody else attached the policy to {} since the plan: plan again",
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

/// One version of a policy.
pub(super) struct Version {
    pub(super) id: String,
    pub(super) is_default: bool,
}
