//! How a subscription is written: asked for once, changed one attribute at a time.

use super::attributes::{attributes_at_first, settings_in_order};
use super::{Outputs, Spec, Subscription};
use crate::aws::topics::{Subscriber, SubscriberState};
use crate::aws::{AwsError, Class, failed};
use crate::engine::{BoxError, Field, Put, touches};
use crate::secrets::without_secrets;

impl Subscription {
    /// How the subscription stands now, from the list itself.
    pub(super) async fn state(
        &self,
        spec: &Spec,
        topic: &str,
    ) -> Result<Option<SubscriberState>, AwsError> {
        self.topics.forget(topic);
        let listed = self.topics.subscribers(topic).await?;
        let is_it = |one: &&Subscriber| {
            one.protocol == spec.protocol && without_secrets(&one.endpoint) == spec.endpoint
        };
        let it = listed.iter().find(is_it);
        Ok(it.map(|one| one.state.clone()))
    }

    pub(super) async fn subscribe(&self, topic: &str, to: &Spec) -> Result<Put<Outputs>, BoxError> {
        let answer = self
            .session
            .sns()
            .subscribe()
            .topic_arn(&to.topic)
            .protocol(&to.protocol)
            .endpoint(&to.endpoint)
            .set_attributes(Some(attributes_at_first(to).into_iter().collect()))
            // Without it SNS answers with the text "pending confirmation" where the ARN should be.
            .return_subscription_arn(true)
            .send()
            .await;
        self.topics.forget(topic);
        match answer.map_err(failed("sns:Subscribe", topic)) {
            Ok(_) => Ok(Put::Done(None)),
            // It is there already with other settings, left by a run that was cut off or asked for by somebody else.
            Err(error) if error.is(Class::Invalid) && error.message.contains("already exists") => {
                self.settings(topic, to, None).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the settings that differ onto the subscription as it is; all of them if it is not known what differs.
    pub(super) async fn settings(
        &self,
        topic: &str,
        to: &Spec,
        fields: Option<&[Field]>,
    ) -> Result<Put<Outputs>, BoxError> {
        let arn = match self.state(to, topic).await? {
            Some(SubscriberState::Confirmed(arn)) => arn,
            // Cannot be written before it is confirmed; the next plan after that sees what differs.
            Some(SubscriberState::Pending) => return Ok(Put::Done(None)),
            // Whoever receives a mail of the topic can unsubscribe with its last link.
            None if fields.is_some() => return Box::pin(self.subscribe(topic, to)).await,
            None => return Err("SNS says that it exists and does not list it".into()),
        };
        for (path, attribute, value) in settings_in_order(to) {
            if fields.is_some_and(|fields| !touches(fields, path)) {
                continue;
            }
            let sns = self.session.sns();
            let set = sns.set_subscription_attributes().subscription_arn(&arn);
            let set = set.attribute_name(attribute).set_attribute_value(value);
            set.send().await.map_err(failed("sns:SetSubscriptionAttributes", topic))?;
        }
        Ok(Put::Done(None))
    }
}
