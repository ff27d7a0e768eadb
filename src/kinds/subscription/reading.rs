//! How subscriptions are read: from their topics' lists, which alone know the pending ones.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes::{note_of_pending, spec_of, used_queues};
use super::{Outputs, Spec, Subscription, name, parts, token};
use crate::aws::topics::{Subscriber, SubscriberState, Texts};
use crate::aws::{AwsError, OrAbsent, failed};
use crate::engine::{Address, BoxError, Live, Marks, Ownership, Reading};
use crate::kinds::topic::has_subscribers;
use crate::secrets::without_secrets;

/// One subscription to be looked at, and what is known of it before.
pub(super) struct Found {
    topic: String,
    subscriber: Subscriber,
    ownership: Ownership,
    wanted: Option<Spec>,
}

/// The subscriptions asked for, by name, with what is declared of them.
pub(super) type Asked = BTreeMap<String, Option<Spec>>;

impl Subscription {
    /// What the topic has, as far as it is wanted or ours or, when everything is read, sits on a topic of ours.
    pub(super) async fn on_topic(
        &self,
        topic: &str,
        asked: &Asked,
        reading: Reading,
    ) -> Result<Vec<Found>, AwsError> {
        if reading == Reading::Everything {
            let Some(attributes) = self.topics.attributes(topic).await? else {
                return Ok(Vec::new());
            };
            // The counters lag a fresh subscription, so a declared one is looked for in the list itself.
            let is_declared = asked.keys().filter_map(|name| parts(name)).any(|it| it.0 == topic);
            if !is_declared && !has_subscribers(&attributes) {
                return Ok(Vec::new());
            }
        }
        let listed = self.topics.subscribers(topic).await?;
        if listed.is_empty() {
            return Ok(Vec::new());
        }
        let tags = self.topics.tags(topic).await?;
        let arn = self.session.arns.topic(topic);
        let (of_topic, marks, _) = self.session.owner.read(&arn, &tags);
        let found = listed.iter().filter_map(|one| {
            let name = name(topic, &one.protocol, &one.endpoint);
            let declared = asked.get(&name);
            let is_ours = of_topic == Ownership::Ours
                && marks.children.contains(&token(&one.protocol, &one.endpoint));
            let found = |ownership| Found {
                topic: topic.to_owned(),
                subscriber: one.clone(),
                ownership,
                wanted: declared.cloned().flatten(),
            };
            match (declared, is_ours) {
                // One that was let go while it was pending: SNS cannot delete it, and lists it until it expires. Or one that
                // somebody else asked for, or we did before it was dropped from the file: asking again is harmless.
                (Some(None), _) | (Some(Some(_)), false)
                    if one.state == SubscriberState::Pending =>
                {
                    None
                }
                (_, true) => Some(found(Ownership::Ours)),
                (None, false) if of_topic != Ownership::Ours => None,
                (_, false) => Some(found(Ownership::Unowned)),
            }
        });
        Ok(found.filter(|it| reading == Reading::Everything || it.is_asked_for(asked)).collect())
    }

    pub(super) async fn read_one(
        &self,
        found: Found,
    ) -> Result<Option<Live<Spec, Outputs>>, BoxError> {
        let Found { topic, subscriber, ownership, wanted } = found;
        let Subscriber { protocol, endpoint, state } = subscriber;
        let bare = Spec {
            topic: self.session.arns.topic(&topic),
            protocol: protocol.clone(),
            // As in its name. What is declared has no secrets.
            endpoint: without_secrets(&endpoint),
            raw: false,
            filter: None,
            dead_letter: None,
        };
        let is_looked_at = wanted.is_some() || ownership == Ownership::Ours;
        let (spec, outputs, notes) = match state {
            // SNS does not show the settings of a pending subscription: they were given when it was asked for.
            SubscriberState::Pending => (
                wanted.unwrap_or(bare),
                Outputs { arn: None, pending: true },
                vec![note_of_pending(&protocol, &ownership)],
            ),
            SubscriberState::Confirmed(arn) if is_looked_at => {
                let Some(attributes) = self.attributes(&topic, &arn).await? else {
                    return Ok(None);
                };
                let pending = attributes.get("PendingConfirmation").is_some_and(|it| it == "true");
                let notes =
                    if pending { vec![note_of_pending(&protocol, &ownership)] } else { Vec::new() };
                let spec = match wanted {
                    Some(wanted) if pending => wanted,
                    _ => spec_of(bare, &attributes)?,
                };
                (spec, Outputs { arn: Some(arn), pending }, notes)
            }
            SubscriberState::Confirmed(arn) => {
                (bare, Outputs { arn: Some(arn), pending: false }, Vec::new())
            }
        };
        Ok(Some(Live {
            name: name(&topic, &protocol, &endpoint),
            tokens: BTreeSet::from([token(&protocol, &endpoint)]),
            parent: Some(Address::new("topic", topic)),
            // Not the topic: a subscription goes with it, and no call is needed.
            uses: used_queues(&self.session.arns, &spec),
            spec,
            outputs,
            ownership,
            marks: Marks::default(),
            notes,
        }))
    }

    /// The attributes of a confirmed subscription; `None` if it went since it was listed.
    pub(super) async fn attributes(
        &self,
        topic: &str,
        arn: &str,
    ) -> Result<Option<Texts>, AwsError> {
        let sns = self.session.sns();
        let answer = sns.get_subscription_attributes().subscription_arn(arn).send().await;
        let answer = answer.map_err(failed("sns:GetSubscriptionAttributes", topic)).or_absent()?;
        Ok(answer.map(|answer| answer.attributes.unwrap_or_default().into_iter().collect()))
    }
}

impl Found {
    fn is_asked_for(&self, asked: &Asked) -> bool {
        let Subscriber { protocol, endpoint, .. } = &self.subscriber;
        asked.contains_key(&name(&self.topic, protocol, endpoint))
    }
}
