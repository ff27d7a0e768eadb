//! How a topic is written: made with everything in one call, changed one attribute at a time.

use super::attributes::{UNSET, allows, attributes, sdk_tags, settings, waiting_for_tags};
use super::{Outputs, Spec, Topic};
use crate::aws::key::{self, CLOUDWATCH_TO_TOPIC, SES_TO_TOPIC};
use crate::aws::{AwsError, Class, TagChanges, Taken, failed};
use crate::engine::{BoxError, Change, Kind, Ownership, Put, touches};

impl Topic {
    pub(super) async fn refuse_wrong_key(&self, change: &Change<Spec>) -> Result<(), BoxError> {
        let Some(key) = change.to.encryption_key.as_deref() else { return Ok(()) };
        if change.touches("encryption_key") {
            key::check(&self.session, key, SES_TO_TOPIC).await?;
        }
        let for_alarms = allows(&change.to.policy, CLOUDWATCH_TO_TOPIC.service);
        if for_alarms && (change.touches("encryption_key") || change.touches("policy")) {
            key::check(&self.session, key, CLOUDWATCH_TO_TOPIC).await?;
        }
        Ok(())
    }

    pub(super) async fn create(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let arn = self.session.arns.topic(name);
        let mut tags = to.tags.clone();
        tags.extend(self.session.owner.tags_at_first(&arn, &change.marks));
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
                let (ownership, marked, _) = self.session.owner.read(&arn, &found);
                match ownership {
                    Ownership::Ours => {
                        let marks = marked.widened(&change.marks);
                        if marks != marked {
                            self.mark(name, &marks).await?;
                        }
                        self.update(name, None, change).await
                    }
                    taken => Err(Taken::by(&taken, "a topic").into()),
                }
            }
            Err(error) => waiting_for_tags(error),
        }
    }

    /// Writes what differs; everything if it is not known what is there.
    pub(super) async fn update(
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
            let changes = self.session.owner.user_changes(&live, &change.to.tags);
            if let Err(error) = self.tag(name, changes).await {
                return waiting_for_tags(error);
            }
        }
        Ok(Put::Done(Some(Outputs { arn })))
    }

    /// Carries out tag changes, one call after the other: SNS allows one at a time on a topic.
    pub(super) async fn tag(&self, name: &str, changes: TagChanges) -> Result<(), AwsError> {
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
