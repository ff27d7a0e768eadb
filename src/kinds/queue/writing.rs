//! How a queue is written: made with everything in one call, changed in one call for all attributes.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;

use super::attributes::{attributes_at_first, settings};
use super::{Outputs, Queue, Spec};
use crate::aws::{AwsError, Class, TagChanges, Taken, failed};
use crate::engine::{BoxError, Change, Ownership, Put, touches};

impl Queue {
    pub(super) async fn create(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let arn = self.session.arns.queue(name);
        let mut tags = to.tags.clone();
        tags.extend(self.session.owner.tags_at_first(&arn, &change.marks));
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
                    // A queue has no children to name, so its marks need not be widened.
                    match self.session.owner.read(&arn, &found).0 {
                        Ownership::Ours => self.update(name, None, change).await,
                        taken => Err(Taken::by(&taken, "a queue").into()),
                    }
                }
                None => Err(error.into()),
            },
            Err(error) => self.waiting(error, to),
        }
    }

    /// Writes what differs in one call; everything if it is not known what is there.
    pub(super) async fn update(
        &self,
        name: &str,
        from: Option<&Spec>,
        change: &Change<Spec>,
    ) -> Result<Put<Outputs>, BoxError> {
        let Some(url) = self.url(name).await? else {
            return Err("the queue is gone since the plan: plan again".into());
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
            let answer = set.send().await;
            self.session.forget_queue(name);
            if let Err(error) = answer.map_err(failed("sqs:SetQueueAttributes", name)) {
                return self.waiting(error, &change.to);
            }
        }
        if differs("tags") {
            let live = self.tags(name, &url).await?;
            let changes = self.session.owner.user_changes(&live, &change.to.tags);
            self.tag(name, &url, changes).await?;
        }
        Ok(Put::Done(Some(Outputs { arn: self.session.arns.queue(name), url })))
    }

    pub(super) async fn tag(
        &self,
        name: &str,
        url: &str,
        changes: TagChanges,
    ) -> Result<(), AwsError> {
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
    pub(super) fn waiting(&self, error: AwsError, to: &Spec) -> Result<Put<Outputs>, BoxError> {
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
