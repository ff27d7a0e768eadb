//! How send policies are read: one list of the account's policies, then only what is ours or declared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use super::{Outputs, READS_AT_ONCE, SendPolicy, Spec, prefix, principal_of};
use crate::aws::policies::{Found, Principal};
use crate::aws::policy::Policy;
use crate::aws::{AwsError, OrAbsent, failed, note_of_stack};
use crate::engine::{BoxError, Glance, Live, Ownership, Reading, Wanted};
use crate::kinds::attachment;

impl SendPolicy {
    /// The names that are to be read, with their ARNs as far as there are such policies.
    pub(super) async fn candidates(
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
                let is_ours = key.starts_with(&prefix(&self.session));
                if is_ours && !wanted.contains(key) && !self.policies.passes_over(&listed.name) {
                    arns.insert(listed.name.clone(), listed.arn.clone());
                }
            }
        }
        Ok(arns)
    }

    /// What tags tell of the `declared` ones. The tagging API does not know policies, and lists of IAM have no tags, so each
    /// that is listed is asked for, which tells them without a lag.
    pub(super) async fn glance_at_each(
        &self,
        declared: &BTreeSet<String>,
    ) -> Result<Vec<Glance>, AwsError> {
        let listed = self.policies.listed().await?;
        let mut arns = BTreeMap::new();
        for name in declared {
            // One whose name differs in case is in the way of the declared one: reading says so.
            if let Some(found) =
                listed.get(&name.to_ascii_lowercase()).filter(|it| it.name == *name)
            {
                arns.insert(name.clone(), found.arn.clone());
            }
        }
        let glances = arns.into_iter().map(|(name, arn)| async move {
            let Some(found) = self.policies.found(&arn).await? else { return Ok(None) };
            let mut glance = self.session.glance_at(&name, &arn, &found.tags);
            glance.told.insert("path", json!(found.path));
            Ok::<_, AwsError>(Some(glance))
        });
        let glances: Vec<_> = stream::iter(glances).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(glances.into_iter().flatten().collect())
    }

    pub(super) async fn read_one(
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
            ownership = Ownership::Blocked(format!(
                "there is a policy {}, and IAM does not tell names apart by case",
                found.name
            ));
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

    pub(super) fn notes(&self, found: &Found, attached: &BTreeSet<Principal>) -> Vec<String> {
        let mut notes: Vec<String> = note_of_stack(&found.tags).into_iter().collect();
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
}
