//! How an alarm is written: looked at first, put whole, tagged apart.

use super::reading::Named;
use super::{Alarm, Outputs, Spec, sdk};
use crate::aws::{AwsError, TagChanges, Taken, failed};
use crate::engine::{BoxError, Change, Ownership, Put};

impl Alarm {
    pub(super) async fn create(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let name = &change.name;
        let arn = self.session.arns.alarm(name);
        // Not what was read for the plan: a Put overwrites whatever was made since.
        self.tags.forget_key(name);
        match self.described(std::slice::from_ref(name)).await?.remove(name) {
            None => {}
            Some(Named::Other) => return Err("a composite alarm of this name exists, and alarms of all types share their names: rename one of the two".into()),
            Some(Named::Metric(_)) => {
                let tags = self.tags_of(name).await?.unwrap_or_default();
                match self.session.owner.read(&arn, &tags).0 {
                    // An earlier run made it and was cut off. A Put changes no tags of an alarm that exists.
                    Ownership::Ours => return self.update(change, true).await,
                    taken => return Err(Taken::by(&taken, "an alarm").into()),
                }
            }
        }
        let mut tags = change.to.tags.clone();
        tags.extend(self.session.owner.tags_at_first(&arn, &change.marks));
        let call = sdk::put(self.session.cloudwatch().put_metric_alarm(), name, &change.to);
        let answer = call.set_tags(Some(sdk::tags(&tags))).send().await;
        self.tags.forget_key(name);
        answer.map_err(failed("cloudwatch:PutMetricAlarm", name))?;
        Ok(Put::Done(Some(Outputs { arn })))
    }

    pub(super) async fn update(
        &self,
        change: &Change<Spec>,
        touches_tags: bool,
    ) -> Result<Put<Outputs>, BoxError> {
        let name = &change.name;
        let only_tags = !change.fields.is_empty()
            && change.fields.iter().all(|field| field.path.split('.').next() == Some("tags"));
        if !only_tags {
            let call = sdk::put(self.session.cloudwatch().put_metric_alarm(), name, &change.to);
            call.send().await.map_err(failed("cloudwatch:PutMetricAlarm", name))?;
        }
        if touches_tags {
            let live =
                self.tags_of(name).await?.ok_or("the alarm is gone since the plan: plan again")?;
            let changes = self.session.owner.user_changes(&live, &change.to.tags);
            self.tag(name, changes).await?;
        }
        Ok(Put::Done(Some(Outputs { arn: self.session.arns.alarm(name) })))
    }

    pub(super) async fn tag(&self, name: &str, changes: TagChanges) -> Result<(), AwsError> {
        let arn = self.session.arns.alarm(name);
        let cloudwatch = self.session.cloudwatch();
        if !changes.set.is_empty() {
            let tags = Some(sdk::tags(&changes.set));
            let answer = cloudwatch.tag_resource().resource_arn(&arn).set_tags(tags).send().await;
            self.tags.forget_key(&name.to_owned());
            answer.map_err(failed("cloudwatch:TagResource", name))?;
        }
        if !changes.unset.is_empty() {
            let keys = Some(changes.unset.into_iter().collect());
            let untag = cloudwatch.untag_resource().resource_arn(&arn).set_tag_keys(keys);
            let answer = untag.send().await;
            self.tags.forget_key(&name.to_owned());
            answer.map_err(failed("cloudwatch:UntagResource", name))?;
        }
        Ok(())
    }
}
