//! Event destinations: which events of a configuration set go where.
//!
//! Invariant: a destination is written whole, since SES replaces it whole, and a missing `enabled` would mean false.

mod definition;
mod documented;
mod impact;

use std::collections::BTreeSet;
use std::mem::discriminant;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sesv2::types::{EventDestination as SdkDestination, EventDestinationDefinition};
use serde::{Deserialize, Serialize};

use super::configuration_set::Sets;
use crate::aws::{AwsError, Class, OrAbsent, failed, until_propagated};
use crate::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, Marks, OnParentDelete, Ownership,
    Put, Reading, Wanted,
};

/// The kind `event_destination`. Its names are `SET/DESTINATION`.
pub struct EventDestination {
    sets: Arc<Sets>,
}

/// Which events go where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The types: `bounce`, `complaint`, ...
    pub types: BTreeSet<String>,
    /// Whether events are published.
    pub enabled: bool,
    /// Where they go.
    #[serde(flatten)]
    pub target: Target,
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The ARN of an SNS topic.
    Topic(String),
    /// The ARN of an EventBridge bus.
    EventBus(String),
    /// A Firehose stream.
    Firehose {
        /// Its ARN.
        stream: String,
        /// The ARN of the role that SES assumes.
        role: String,
    },
    /// CloudWatch metrics, with these dimensions.
    Cloudwatch(BTreeSet<Dimension>),
    /// A Pinpoint project, which sesinfra does not offer: made elsewhere, shown by its ARN.
    Pinpoint(String),
}

/// A dimension of CloudWatch metrics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dimension {
    /// Its name, which is also the name of the tag or header that it is read from.
    pub name: String,
    /// Where its value comes from: `message-tag`, `email-header`, `link-tag`.
    pub source: String,
    /// The value of a message that has none.
    pub default: String,
}

impl EventDestination {
    /// The destinations of the sets of one account and Region.
    #[must_use]
    pub fn new(sets: &Arc<Sets>) -> Self {
        Self { sets: Arc::clone(sets) }
    }

    /// The name of the destination `destination` of `set`.
    #[must_use]
    pub fn name(set: &str, destination: &str) -> String {
        format!("{set}/{destination}")
    }

    /// How the set's marks name the destination `destination`.
    #[must_use]
    pub fn token(destination: &str) -> String {
        format!("dest:{destination}")
    }

    async fn create(
        &self,
        name: &str,
        definition: &EventDestinationDefinition,
    ) -> Result<(), AwsError> {
        let (set, destination) = parts(name);
        let call = || async {
            let ses = self.sets.session().ses();
            let call = ses.create_configuration_set_event_destination();
            let call = call.configuration_set_name(set).event_destination_name(destination);
            let answer = call.event_destination(definition.clone()).send().await;
            answer.map_err(failed("ses:CreateConfigurationSetEventDestination", name)).map(drop)
        };
        self.write(set, call).await
    }

    async fn update(
        &self,
        name: &str,
        definition: &EventDestinationDefinition,
    ) -> Result<(), AwsError> {
        let (set, destination) = parts(name);
        let call = || async {
            let ses = self.sets.session().ses();
            let call = ses.update_configuration_set_event_destination();
            let call = call.configuration_set_name(set).event_destination_name(destination);
            let answer = call.event_destination(definition.clone()).send().await;
            answer.map_err(failed("ses:UpdateConfigurationSetEventDestination", name)).map(drop)
        };
        self.write(set, call).await
    }

    /// Makes a call that writes a destination of `set`, again while what it leads to is not known everywhere.
    async fn write<F>(&self, set: &str, call: impl Fn() -> F) -> Result<(), AwsError>
    where
        F: Future<Output = Result<(), AwsError>>,
    {
        let answer = until_propagated(may_pass, call).await;
        self.sets.forget_destinations(set);
        answer
    }

    /// Absence is success.
    async fn remove(&self, name: &str) -> Result<(), AwsError> {
        let (set, destination) = parts(name);
        let call = self.sets.session().ses().delete_configuration_set_event_destination();
        let call = call.configuration_set_name(set).event_destination_name(destination);
        let answer = call.send().await;
        self.sets.forget_destinations(set);
        let answer = answer.map_err(failed("ses:DeleteConfigurationSetEventDestination", name));
        answer.or_absent().map(drop)
    }
}

/// Set and destination. Neither has a slash.
fn parts(name: &str) -> (&str, &str) {
    name.split_once('/').unwrap_or((name, ""))
}

/// SES publishes a test message when a topic is attached, and IAM takes a moment to let it; so it does for the role of a
/// Firehose stream.
fn may_pass(error: &AwsError) -> bool {
    let message = error.message.to_ascii_lowercase();
    error.is(Class::Invalid)
        && (message.contains("could not publish message to sns topic")
            || message.contains("could not assume")
            || message.contains("could not access"))
}

/// A destination whose topic SES cannot publish to.
#[derive(Debug, thiserror::Error)]
#[error(
    "SES cannot publish to the topic. Its policy must let ses.amazonaws.com publish for this set; with a KMS key, the \
     key's policy must let ses.amazonaws.com use it (kms:GenerateDataKey*, kms:Decrypt), and the key must not be \
     alias/aws/sns; the topic must be a standard topic of this Region"
)]
struct CannotPublish(#[source] AwsError);

fn explained(error: AwsError) -> BoxError {
    if may_pass(&error) && error.message.contains("SNS") {
        CannotPublish(error).into()
    } else {
        error.into()
    }
}

#[async_trait]
impl Kind for EventDestination {
    const NAME: &'static str = "event_destination";
    const LIFE: Life = Life::Child(OnParentDelete::Dies);

    type Spec = Spec;
    type Outputs = ();

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, ()>>, BoxError> {
        let named: BTreeSet<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
        let sets = wanted.iter().map(|one| parts(&one.name).0.to_owned());
        let mut found = Vec::new();
        for set in self.sets.read(sets, reading).await? {
            let shows = reading == Reading::Everything && set.ownership == Ownership::Ours;
            let is_asked = |name: &str| named.contains(name) || shows;
            if !shows && !named.iter().any(|name| parts(name).0 == set.name) {
                continue;
            }
            for destination in self.sets.destinations(&set.name).await?.iter() {
                let name = Self::name(&set.name, &destination.name);
                if is_asked(&name) {
                    found.push(live(name, &set.name, &set.ownership, &set.marks, destination));
                }
            }
        }
        Ok(found)
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<()>, BoxError> {
        let (name, definition) = (change.name.as_str(), definition::definition(&change.to)?);
        let written = if change.creates() {
            match self.create(name, &definition).await {
                // An earlier answer was lost; the set's marks name the destination as ours, so it is written whole.
                Err(error) if error.is(Class::Exists) => self.update(name, &definition).await,
                answer => answer,
            }
        } else {
            let is_other_kind = change
                .from
                .as_ref()
                .is_some_and(|from| discriminant(&from.target) != discriminant(&change.to.target));
            match self.update(name, &definition).await {
                // Somebody deleted it since the plan.
                Err(error) if error.is(Class::Absent) => self.create(name, &definition).await,
                // Not documented: whether an update may turn a destination of one kind into one of another.
                Err(error) if is_other_kind && error.is(Class::Invalid) && !may_pass(&error) => {
                    self.remove(name).await?;
                    self.create(name, &definition).await
                }
                answer => answer,
            }
        };
        written.map_err(explained)?;
        Ok(Put::Done(None))
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<()>, BoxError> {
        self.remove(name).await?;
        Ok(Put::Done(None))
    }

    fn place(name: &str) -> Option<&str> {
        Some(parts(name).0)
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, _fields: &[Field]) -> Impact {
        impact::of(from, to)
    }

    fn examples() -> Vec<Spec> {
        documented::examples()
    }
}

fn live(
    name: String,
    set: &str,
    of_set: &Ownership,
    marks: &Marks,
    destination: &SdkDestination,
) -> Live<Spec, ()> {
    let token = EventDestination::token(&destination.name);
    let target = definition::target(destination);
    let uses = match &target {
        Target::Topic(arn) => BTreeSet::from([Address::new("topic", last_part(arn))]),
        _ => BTreeSet::new(),
    };
    Live {
        name,
        spec: Spec {
            // SES gives the types back in an order of its own.
            types: destination
                .matching_event_types
                .iter()
                .map(|it| definition::from_word(it.as_str()))
                .collect(),
            enabled: destination.enabled,
            target,
        },
        outputs: (),
        ownership: match of_set {
            Ownership::Ours if !marks.children.contains(&token) => Ownership::Unowned,
            of_set => of_set.clone(),
        },
        parent: Some(Address::new("configuration_set", set)),
        tokens: BTreeSet::from([token]),
        marks: Marks::default(),
        uses,
        notes: Vec::new(),
    }
}

fn last_part(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_as_it_was() {
        for spec in documented::examples() {
            let written = definition::definition(&spec).unwrap();
            let given_back = SdkDestination::builder()
                .name("feedback")
                .enabled(written.enabled)
                .set_matching_event_types(written.matching_event_types)
                .set_sns_destination(written.sns_destination)
                .set_event_bridge_destination(written.event_bridge_destination)
                .set_kinesis_firehose_destination(written.kinesis_firehose_destination)
                .set_cloud_watch_destination(written.cloud_watch_destination)
                .build()
                .unwrap();
            let marks =
                Marks { children: BTreeSet::from(["dest:feedback".to_owned()]), digest: None };
            let live =
                live("set/feedback".to_owned(), "set", &Ownership::Ours, &marks, &given_back);
            assert_eq!(live.spec, spec);
            assert_eq!(live.ownership, Ownership::Ours);
        }
    }
}
