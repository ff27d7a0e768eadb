//! Event destinations: which events of a configuration set go where.
//!
//! Invariant: a destination is written whole, since SES replaces it whole, and a missing `enabled` would mean false.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sesv2::types::{
    CloudWatchDestination, CloudWatchDimensionConfiguration, DimensionValueSource,
    EventBridgeDestination, EventDestination as SdkDestination, EventDestinationDefinition,
    EventType, KinesisFirehoseDestination, SnsDestination,
};
use serde::{Deserialize, Serialize};

use super::configuration_set::Sets;
use super::{Documented, Input, Permission, Phase, Scope};
use crate::aws::{AwsError, Class, failed, until_propagated};
use crate::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, Marks, OnParentDelete, Ownership,
    Put, Reading, Severity, Wanted, touches,
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
        let answer = until_propagated(may_pass, call).await;
        self.sets.forget_destinations(set);
        answer
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
        let answer = until_propagated(may_pass, call).await;
        self.sets.forget_destinations(set);
        answer
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
            || message.contains("could not assume"))
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
        let definition = definition(&change.to)?;
        if change.creates() {
            match self.create(&change.name, &definition).await {
                Ok(()) => return Ok(Put::Done(None)),
                // An earlier answer was lost; the set's marks name the destination as ours, so it is written whole.
                Err(error) if error.is(Class::Exists) => {}
                Err(error) => return Err(explained(error)),
            }
        }
        self.update(&change.name, &definition).await.map_err(explained)?;
        Ok(Put::Done(None))
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<()>, BoxError> {
        let (set, destination) = parts(name);
        let call = self.sets.session().ses().delete_configuration_set_event_destination();
        let call = call.configuration_set_name(set).event_destination_name(destination);
        let answer = call.send().await;
        self.sets.forget_destinations(set);
        match answer.map_err(failed("ses:DeleteConfigurationSetEventDestination", name)) {
            Ok(_) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Absent) => Ok(Put::Done(None)),
            Err(error) => Err(error.into()),
        }
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        let hears = |spec: &Spec, kind: &str| spec.enabled && spec.types.contains(kind);
        let lost: Vec<&str> = match (from, to) {
            (Some(from), to) => ["bounce", "complaint"]
                .into_iter()
                .filter(|kind| hears(from, kind) && !to.is_some_and(|to| hears(to, kind)))
                .collect(),
            (None, _) => Vec::new(),
        };
        if !lost.is_empty() {
            return Impact::new(
                Severity::Degrades,
                format!("events of type {} no longer arrive here", lost.join(" and ")),
            );
        }
        if from.is_some() && to.is_some() && touches(fields, "topic") {
            return Impact::new(Severity::Degrades, "events go to another place from now on");
        }
        let rewrites = |spec: &Spec| hears(spec, "open") || hears(spec, "click");
        if to.is_some_and(rewrites) && !from.is_some_and(rewrites) {
            return Impact::new(
                Severity::Degrades,
                "every mail of the set gets rewritten links or an open pixel from now on",
            );
        }
        Impact::safe()
    }

    fn examples() -> Vec<Spec> {
        let types = |types: &[&str]| types.iter().map(|it| (*it).to_owned()).collect();
        let topic =
            |name: &str| Target::Topic(format!("arn:aws:sns:us-east-1:123456789012:{name}"));
        let dimension = |name: &str| Dimension {
            name: name.to_owned(),
            source: "message-tag".to_owned(),
            default: "none".to_owned(),
        };
        let of = |types, enabled, target| Spec { types, enabled, target };
        vec![
            of(types(&["bounce", "complaint"]), true, topic("ses-feedback")),
            of(types(&["delivery", "delivery-delay", "rendering-failure"]), false, topic("other")),
            of(
                types(&["bounce"]),
                true,
                Target::EventBus(
                    "arn:aws:events:us-east-1:123456789012:event-bus/default".to_owned(),
                ),
            ),
            of(
                types(&["send"]),
                true,
                Target::Firehose {
                    stream: "arn:aws:firehose:us-east-1:123456789012:deliverystream/mail"
                        .to_owned(),
                    role: "arn:aws:iam::123456789012:role/ses-firehose".to_owned(),
                },
            ),
            of(
                types(&["send"]),
                true,
                Target::Cloudwatch(BTreeSet::from([dimension("tenant"), dimension("kind")])),
            ),
        ]
    }
}

impl Documented for EventDestination {
    const PERMISSIONS: &'static [Permission] = &[
        on_set("ses:GetConfigurationSet", Phase::Plan),
        on_set("ses:GetConfigurationSetEventDestinations", Phase::Plan),
        on_set("ses:CreateConfigurationSetEventDestination", Phase::Apply),
        on_set("ses:UpdateConfigurationSetEventDestination", Phase::Apply),
        on_set("ses:DeleteConfigurationSetEventDestination", Phase::Apply),
        Permission { action: "iam:PassRole", resource: Scope::Principal, phase: Phase::Apply },
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "CreateConfigurationSetEventDestination",
            service: "sesv2",
            managed: DESTINATION_MEMBERS,
            excluded: &[PINPOINT],
        },
        Input {
            operation: "UpdateConfigurationSetEventDestination",
            service: "sesv2",
            managed: DESTINATION_MEMBERS,
            excluded: &[PINPOINT],
        },
        Input {
            operation: "DeleteConfigurationSetEventDestination",
            service: "sesv2",
            managed: &["configuration_set_name", "event_destination_name"],
            excluded: &[],
        },
    ];
}

const DESTINATION_MEMBERS: &[&str] = &[
    "configuration_set_name",
    "event_destination_name",
    "event_destination.enabled",
    "event_destination.matching_event_types",
    "event_destination.kinesis_firehose_destination.iam_role_arn",
    "event_destination.kinesis_firehose_destination.delivery_stream_arn",
    "event_destination.cloud_watch_destination.dimension_configurations.dimension_name",
    "event_destination.cloud_watch_destination.dimension_configurations.dimension_value_source",
    "event_destination.cloud_watch_destination.dimension_configurations.default_dimension_value",
    "event_destination.sns_destination.topic_arn",
    "event_destination.event_bridge_destination.event_bus_arn",
];

const PINPOINT: (&str, &str) =
    ("event_destination.pinpoint_destination", "Pinpoint is at its end of life");

const fn on_set(action: &'static str, phase: Phase) -> Permission {
    Permission { action, resource: Scope::ConfigurationSet, phase }
}

/// `delivery-delay` as SES writes it: `DELIVERY_DELAY`.
fn to_word(text: &str) -> String {
    text.to_uppercase().replace('-', "_")
}

fn from_word(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

fn definition(spec: &Spec) -> Result<EventDestinationDefinition, BoxError> {
    let types = spec.types.iter().map(|text| EventType::from(to_word(text).as_str())).collect();
    let definition = EventDestinationDefinition::builder()
        .enabled(spec.enabled)
        .set_matching_event_types(Some(types));
    let definition = match &spec.target {
        Target::Topic(arn) => {
            definition.sns_destination(SnsDestination::builder().topic_arn(arn).build()?)
        }
        Target::EventBus(arn) => definition.event_bridge_destination(
            EventBridgeDestination::builder().event_bus_arn(arn).build()?,
        ),
        Target::Firehose { stream, role } => definition.kinesis_firehose_destination(
            KinesisFirehoseDestination::builder()
                .delivery_stream_arn(stream)
                .iam_role_arn(role)
                .build()?,
        ),
        Target::Cloudwatch(dimensions) => {
            let dimensions = dimensions.iter().map(sdk_dimension).collect::<Result<_, _>>()?;
            let destination =
                CloudWatchDestination::builder().set_dimension_configurations(Some(dimensions));
            definition.cloud_watch_destination(destination.build()?)
        }
        Target::Pinpoint(_) => return Err("Pinpoint destinations are not managed".into()),
    };
    Ok(definition.build())
}

fn sdk_dimension(dimension: &Dimension) -> Result<CloudWatchDimensionConfiguration, BoxError> {
    let source = DimensionValueSource::from(to_word(&dimension.source).as_str());
    let configuration = CloudWatchDimensionConfiguration::builder()
        .dimension_name(&dimension.name)
        .dimension_value_source(source)
        .default_dimension_value(&dimension.default);
    Ok(configuration.build()?)
}

fn target(destination: &SdkDestination) -> Target {
    if let Some(sns) = &destination.sns_destination {
        Target::Topic(sns.topic_arn.clone())
    } else if let Some(bus) = &destination.event_bridge_destination {
        Target::EventBus(bus.event_bus_arn.clone())
    } else if let Some(firehose) = &destination.kinesis_firehose_destination {
        Target::Firehose {
            stream: firehose.delivery_stream_arn.clone(),
            role: firehose.iam_role_arn.clone(),
        }
    } else if let Some(pinpoint) = &destination.pinpoint_destination {
        Target::Pinpoint(pinpoint.application_arn.clone().unwrap_or_default())
    } else {
        let listed = destination.cloud_watch_destination.as_ref();
        let dimensions =
            listed.map(|it| it.dimension_configurations.as_slice()).unwrap_or_default();
        let dimensions = dimensions.iter().map(|it| Dimension {
            name: it.dimension_name.clone(),
            source: from_word(it.dimension_value_source.as_str()),
            default: it.default_dimension_value.clone(),
        });
        Target::Cloudwatch(dimensions.collect())
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
    let target = target(destination);
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
                .map(|it| from_word(it.as_str()))
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
        for spec in EventDestination::examples() {
            let written = definition(&spec).unwrap();
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
