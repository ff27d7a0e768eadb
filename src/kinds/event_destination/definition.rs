//! Event destinations between specs and what SES takes and gives.

use aws_sdk_sesv2::types::{
    CloudWatchDestination, CloudWatchDimensionConfiguration, DimensionValueSource,
    EventBridgeDestination, EventDestination as SdkDestination, EventDestinationDefinition,
    EventType, KinesisFirehoseDestination, SnsDestination,
};

use super::{Dimension, Spec, Target};
use crate::engine::BoxError;

/// `delivery-delay` as SES writes it: `DELIVERY_DELAY`.
fn to_word(text: &str) -> String {
    text.to_uppercase().replace('-', "_")
}

pub(super) fn from_word(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

pub(super) fn definition(spec: &Spec) -> Result<EventDestinationDefinition, BoxError> {
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

pub(super) fn target(destination: &SdkDestination) -> Target {
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
