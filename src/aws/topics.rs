//! What is read of topics, shared between the topic itself and its subscriptions: each thing once per run, until it is
//! written or reads are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::{AwsError, Memo, OrAbsent, Session, failed, if_allowed};
use crate::engine::Glance;

/// Attributes or tags by name.
pub type Texts = BTreeMap<String, String>;

/// What has been read of topics, by the topic's name.
#[derive(Debug)]
pub struct Topics {
    session: Arc<Session>,
    attributes: Memo<String, Option<Arc<Texts>>>,
    tags: Memo<String, Arc<Texts>>,
    subscribers: Memo<String, Arc<Vec<Subscriber>>>,
    listed: Memo<(), Arc<BTreeSet<String>>>,
    /// The names that are declared.
    declared: Mutex<BTreeSet<String>>,
}

/// One entry of the list of a topic's subscriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// The protocol as SNS names it.
    pub protocol: String,
    /// Who receives, as SNS names it: a URL, an address, an ARN.
    pub endpoint: String,
    /// How far it has come.
    pub state: SubscriberState,
}

/// How far a subscription has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubscriberState {
    /// It is confirmed and has this ARN.
    Confirmed(String),
    /// Somebody must confirm it; until then SNS tells no ARN, and it can be neither read nor deleted.
    Pending,
}

impl Topics {
    /// Nothing read yet.
    #[must_use]
    pub fn new(session: &Arc<Session>) -> Self {
        Self {
            session: Arc::clone(session),
            attributes: session.memo(),
            tags: session.memo(),
            subscribers: session.memo(),
            listed: session.memo(),
            declared: Mutex::default(),
        }
    }

    /// From now on all that hangs on the declared ones is found, whatever the tagging service knows of them, and nothing
    /// on the settled ones.
    pub fn hear_of(&self, declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.session.pass_over(&self.session.arns.topic(""), settled);
        self.declared.lock().unwrap_or_else(PoisonError::into_inner).clone_from(declared);
    }

    /// The declared topics.
    fn declared(&self) -> BTreeSet<String> {
        self.declared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what was read of the topic `name`, because it was written.
    pub fn forget(&self, name: &str) {
        let name = name.to_owned();
        self.attributes.forget_key(&name);
        self.tags.forget_key(&name);
        self.subscribers.forget_key(&name);
    }

    /// The names of the topics that may be ours: the declared ones, and those that carry our tags, as the tagging service
    /// knows them.
    pub async fn perhaps_owned(&self) -> Result<BTreeSet<String>, AwsError> {
        let list = || async { Ok(self.existing().await?.as_ref().clone()) };
        let mut names = self.session.names_of_ours(&self.session.arns.topic(""), list).await?;
        names.extend(self.declared());
        Ok(names)
    }

    /// What tags and the list of all topics tell of the `declared` ones; `None` where the credentials may not list.
    pub async fn glance(
        &self,
        declared: &BTreeSet<String>,
    ) -> Result<Option<Vec<Glance>>, AwsError> {
        let Some(listed) = if_allowed(self.existing().await)? else { return Ok(None) };
        self.session.glance(&self.session.arns.topic(""), declared, &listed).await.map(Some)
    }

    async fn existing(&self) -> Result<Arc<BTreeSet<String>>, AwsError> {
        let list = || async {
            let prefix = self.session.arns.topic("");
            let mut pages = self.session.sns().list_topics().into_paginator().send();
            let mut names = BTreeSet::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(failed("sns:ListTopics", self.session.arns.region()))?;
                let arns =
                    page.topics.unwrap_or_default().into_iter().filter_map(|it| it.topic_arn);
                names.extend(arns.filter_map(|arn| Some(arn.strip_prefix(&prefix)?.to_owned())));
            }
            Ok(Arc::new(names))
        };
        self.listed.get((), list).await
    }

    /// The attributes of the topic `name`; `None` if there is no such topic.
    pub async fn attributes(&self, name: &str) -> Result<Option<Arc<Texts>>, AwsError> {
        let read = || async {
            let arn = self.session.arns.topic(name);
            let answer = self.session.sns().get_topic_attributes().topic_arn(&arn).send().await;
            let answer = answer.map_err(failed("sns:GetTopicAttributes", name)).or_absent()?;
            Ok(answer.map(|answer| {
                let attributes = answer.attributes.unwrap_or_default();
                Arc::new(attributes.into_iter().collect::<Texts>())
            }))
        };
        self.attributes.get(name.to_owned(), read).await
    }

    /// The tags of the topic `name`; none if there is no such topic.
    pub async fn tags(&self, name: &str) -> Result<Arc<Texts>, AwsError> {
        let read = || async {
            let arn = self.session.arns.topic(name);
            let answer =
                self.session.sns().list_tags_for_resource().resource_arn(&arn).send().await;
            let answer = answer.map_err(failed("sns:ListTagsForResource", name)).or_absent()?;
            let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
            Ok(Arc::new(tags.into_iter().map(|tag| (tag.key, tag.value)).collect::<Texts>()))
        };
        self.tags.get(name.to_owned(), read).await
    }

    /// The subscriptions of the topic `name`, those that are gone left out.
    pub async fn subscribers(&self, name: &str) -> Result<Arc<Vec<Subscriber>>, AwsError> {
        let read = || async {
            let arn = self.session.arns.topic(name);
            let mut pages = self
                .session
                .sns()
                .list_subscriptions_by_topic()
                .topic_arn(&arn)
                .into_paginator()
                .send();
            let mut listed = Vec::new();
            while let Some(page) = pages.next().await {
                let page =
                    page.map_err(failed("sns:ListSubscriptionsByTopic", name)).or_absent()?;
                let Some(page) = page else { break };
                listed.extend(page.subscriptions.unwrap_or_default());
            }
            Ok(Arc::new(subscribers(listed)))
        };
        self.subscribers.get(name.to_owned(), read).await
    }
}

/// One entry for each protocol and endpoint. SNS lists a subscription that is gone as `Deleted` for a while, beside the
/// one that took its place.
fn subscribers(listed: Vec<aws_sdk_sns::types::Subscription>) -> Vec<Subscriber> {
    let mut states: BTreeMap<(String, String), SubscriberState> = BTreeMap::new();
    for one in listed {
        let state = match one.subscription_arn.as_deref() {
            None | Some("Deleted") => continue,
            // The text in lists; `pending confirmation` is that of Subscribe.
            Some("PendingConfirmation" | "pending confirmation") => SubscriberState::Pending,
            Some(arn) => SubscriberState::Confirmed(arn.to_owned()),
        };
        let key = (one.protocol.unwrap_or_default(), one.endpoint.unwrap_or_default());
        let best = states.get(&key).map_or(state.clone(), |known| known.clone().min(state));
        states.insert(key, best);
    }
    let entries = states.into_iter();
    entries.map(|((protocol, endpoint), state)| Subscriber { protocol, endpoint, state }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_listed_once_and_one_that_is_gone_not_at_all() {
        let entry = |arn: &str, endpoint: &str| {
            aws_sdk_sns::types::Subscription::builder()
                .subscription_arn(arn)
                .protocol("email")
                .endpoint(endpoint)
                .build()
        };
        let found = subscribers(vec![
            entry("Deleted", "a@pivot.app"),
            entry("PendingConfirmation", "b@pivot.app"),
            entry("Deleted", "b@pivot.app"),
            entry("PendingConfirmation", "c@pivot.app"),
            entry("arn:c", "c@pivot.app"),
        ]);
        let states: Vec<_> = found.iter().map(|one| (one.endpoint.as_str(), &one.state)).collect();
        assert_eq!(
            states,
            [
                ("b@pivot.app", &SubscriberState::Pending),
                ("c@pivot.app", &SubscriberState::Confirmed("arn:c".to_owned())),
            ]
        );
    }
}
