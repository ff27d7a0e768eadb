//! The tags of topics that are gone: SNS holds them a while longer, and a topic of the same name gets none meanwhile.

use fakecloud_core::service::AwsServiceError;

use super::refused;
use crate::world::World;

/// How long the tags of a deleted topic linger. The API reference says "a short while"; this is our guess.
const LINGERING: chrono::TimeDelta = chrono::TimeDelta::seconds(5);

/// Refuses tags for the topic `arn` while those of an earlier one linger.
pub(super) fn refuse_stale(world: &World, arn: &str) -> Result<(), AwsServiceError> {
    let deleted = world.memory.read().deleted_topics.get(arn).copied();
    if deleted.is_none_or(|deleted| world.clock.now() - deleted >= LINGERING) {
        return Ok(());
    }
    Err(refused(
        "StaleTag",
        "A deleted resource had the same ARN, and its tags are not gone yet. Wait a short while and try again.",
    ))
}

/// Notes that the topic `arn` is about to be deleted, if it has tags.
pub(super) fn deleted(world: &World, arn: &str) {
    let is_tagged = world
        .sns
        .read()
        .by_arn(arn)
        .and_then(|state| state.topics.get(arn))
        .is_some_and(|topic| !topic.tags.is_empty());
    if is_tagged {
        let now = world.clock.now();
        let mut memory = world.memory.write();
        memory.deleted_topics.retain(|_, deleted| now - *deleted < LINGERING);
        memory.deleted_topics.insert(arn.to_owned(), now);
    }
}
