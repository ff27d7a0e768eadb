//! What the Resource Groups Tagging API sees: the tags that the services themselves hold, read when asked. On request
//! it lags behind them and goes on showing what has been deleted, as AWS's does. A resource that was never tagged is
//! missing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use fakecloud_core::tag_index::{TagProvider, TagProviderRegistry, TaggedResource};
use fakecloud_resource_groups_tagging::ResourceGroupsTaggingService;

use crate::front::since;
use crate::ses;
use crate::world::World;

/// Where Route 53 is asked for tags.
const GLOBAL: &str = "us-east-1";

/// What the tagging API has seen of one account, for lagging and for ghosts.
#[derive(Debug, Default)]
pub struct Sightings {
    /// What there was before each recent write, oldest first, by account.
    past: VecDeque<(DateTime<Utc>, String, Vec<TaggedResource>)>,
    /// Everything ever seen and when it was last there, by account and ARN.
    seen: BTreeMap<(String, String), (TaggedResource, DateTime<Utc>)>,
}

impl Sightings {
    /// Notes what there is before a write.
    pub(crate) fn remember(world: &World, account: &str) {
        let there = gather(world, account);
        let now = world.clock.now();
        let lag = world.options.read().tagging_lag;
        let mut sightings = world.sightings.write();
        sightings.see(account, &there, now);
        sightings.past.retain(|(when, ..)| since(*when, now) < lag);
        sightings.past.push_back((now, account.to_owned(), there));
    }

    fn see(&mut self, account: &str, there: &[TaggedResource], now: DateTime<Utc>) {
        for resource in there {
            self.seen.insert((account.to_owned(), resource.arn.clone()), (resource.clone(), now));
        }
    }

    /// What the API shows, given what there is.
    fn shown(
        &mut self,
        account: &str,
        there: Vec<TaggedResource>,
        (lag, ghosts): (Duration, Duration),
        now: DateTime<Utc>,
    ) -> Vec<TaggedResource> {
        self.see(account, &there, now);
        let then =
            self.past.iter().find(|(when, whose, _)| whose == account && since(*when, now) < lag);
        let mut shown = then.map_or(there, |(_, _, then)| then.clone());
        let ghost =
            |((whose, arn), (_, last)): &(&(String, String), &(TaggedResource, DateTime<Utc>))| {
                whose == account
                    && since(*last, now) < ghosts
                    && shown.iter().all(|resource| resource.arn != *arn)
            };
        let risen: Vec<_> =
            self.seen.iter().filter(ghost).map(|(_, (resource, _))| resource.clone()).collect();
        shown.extend(risen);
        shown
    }
}

/// The tagging API over `world`.
pub(crate) fn service(world: &Arc<World>) -> ResourceGroupsTaggingService {
    let registry = TagProviderRegistry::new();
    registry.register(Arc::new(Everything(Arc::clone(world))));
    ResourceGroupsTaggingService::new(Arc::clone(&world.tagging), registry, None)
}

struct Everything(Arc<World>);

impl TagProvider for Everything {
    fn tagged_resources(&self, account_id: &str) -> Vec<TaggedResource> {
        let there = gather(&self.0, account_id);
        let (lag, ghosts) = {
            let options = self.0.options.read();
            (options.tagging_lag, options.ghosts)
        };
        if lag.is_zero() && ghosts.is_zero() {
            return there;
        }
        self.0.sightings.write().shown(account_id, there, (lag, ghosts), self.0.clock.now())
    }
}

/// Everything of an account that carries tags.
fn gather(world: &World, account: &str) -> Vec<TaggedResource> {
    let mut all = Vec::new();
    for (_, _, state) in world.sns.read().iter_regional().filter(|(owner, ..)| *owner == account) {
        all.extend(state.topics.values().map(|topic| {
            TaggedResource::new(&topic.topic_arn, "sns", topic.tags.iter().cloned().collect())
        }));
    }
    for (_, _, state) in world.sqs.read().iter_regional().filter(|(owner, ..)| *owner == account) {
        all.extend(
            state
                .queues
                .values()
                .map(|queue| TaggedResource::new(&queue.arn, "sqs", queue.tags.clone())),
        );
    }
    if let Some(state) = world.route53.read().get(account) {
        all.extend(state.tags.iter().filter(|((kind, _), _)| kind == "hostedzone").map(
            |((_, id), tags)| {
                TaggedResource::new(
                    format!("arn:aws:route53:::hostedzone/{id}"),
                    "route53:hostedzone",
                    tags.clone(),
                )
                .with_region(Some(GLOBAL.to_owned()))
            },
        ));
    }
    if let Some(state) = world.cloudwatch.read().get(account) {
        all.extend(
            state
                .tags
                .iter()
                .filter(|(arn, _)| arn.contains(":alarm:"))
                .map(|(arn, tags)| TaggedResource::new(arn, "cloudwatch:alarm", tags.clone())),
        );
    }
    if let Some(state) = world.kms.read().get(account) {
        all.extend(
            state
                .keys
                .values()
                .map(|key| TaggedResource::new(&key.arn, "kms:key", key.tags.clone())),
        );
    }
    all.extend(ses::tagged(&world.ses.read(), account));
    all.retain(|resource| !resource.tags.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> TaggedResource {
        let tags = BTreeMap::from([("team".to_owned(), "platform".to_owned())]);
        TaggedResource::new(format!("arn:aws:sns:us-east-1:1:{name}"), "sns", tags)
    }

    #[test]
    fn what_is_gone_haunts_for_a_while() {
        let mut sightings = Sightings::default();
        let now = Utc::now();
        let hour = Duration::from_hours(1);
        assert_eq!(
            sightings.shown("1", vec![topic("a"), topic("b")], (Duration::ZERO, hour), now).len(),
            2
        );
        assert_eq!(sightings.shown("1", vec![topic("a")], (Duration::ZERO, hour), now).len(), 2);
        assert_eq!(
            sightings.shown("1", vec![topic("a")], (Duration::ZERO, Duration::ZERO), now).len(),
            1
        );
        assert_eq!(sightings.shown("2", Vec::new(), (Duration::ZERO, hour), now).len(), 0);
    }

    #[test]
    fn what_is_new_is_not_seen_at_once() {
        let mut sightings = Sightings::default();
        let now = Utc::now();
        sightings.past.push_back((now, "1".to_owned(), Vec::new()));
        assert_eq!(
            sightings
                .shown("1", vec![topic("a")], (Duration::from_mins(1), Duration::ZERO), now)
                .len(),
            0
        );
        assert_eq!(
            sightings.shown("1", vec![topic("a")], (Duration::ZERO, Duration::ZERO), now).len(),
            1
        );
    }
}
