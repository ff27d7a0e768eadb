//! `[configuration_sets.SET.events.NAME]`: which events go where.

use super::{DestinationField, on};
use crate::environment::names::{
    DimensionName, DimensionValue, EventBus, RoleReference, StreamReference, TopicReference,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which events of a set go where: the types, and exactly one of `topic`, `event_bus`, `firehose`, `cloudwatch`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct EventDestination {
    /// The types of event. `open` and `click` make SES rewrite the links and add a pixel in every mail of the set.
    #[schemars(length(min = 1))]
    pub types: BTreeSet<EventType>,

    /// Whether events are published. Left out: true.
    #[serde(default = "on")]
    pub enabled: bool,

    /// Settings that others may change, by their names here. A plan never shows them, and an update leaves them as they
    /// are; a value given here is used once, when the destination is made. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<DestinationField>,

    /// Where they go.
    #[serde(flatten)]
    pub target: EventTarget,
}

/// What happens to a message.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EventType {
    /// SES accepted the message.
    Send,
    /// SES found a virus and dropped it.
    Reject,
    /// The receiving server refused it for good.
    Bounce,
    /// The reader marked it as spam.
    Complaint,
    /// The receiving server took it.
    Delivery,
    /// The reader opened it.
    Open,
    /// The reader followed a link.
    Click,
    /// A template could not be filled in.
    RenderingFailure,
    /// Delivery is late, and tried again.
    DeliveryDelay,
    /// The reader changed a subscription.
    Subscription,
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventTarget {
    /// An SNS topic of this file, or the ARN of one. Standard topics only, in the same Region.
    Topic(TopicReference),
    /// EventBridge: `default`, the only bus that SES publishes to.
    EventBus(EventBus),
    /// A Firehose delivery stream.
    Firehose(Firehose),
    /// CloudWatch metrics, with 1 to 10 dimensions.
    Cloudwatch(#[schemars(length(min = 1))] Vec<Dimension>),
}

/// A Firehose delivery stream, made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firehose {
    /// The stream: its name, or its ARN.
    pub stream: StreamReference,
    /// The role that SES assumes: its name, or its ARN. It must trust ses.amazonaws.com and allow
    /// `firehose:PutRecordBatch` on the stream.
    pub role: RoleReference,
}

/// A dimension of the CloudWatch metrics.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// The name of the dimension, which is also the name of the tag or header that it is read from.
    pub dimension: DimensionName,
    /// Where its value comes from.
    pub source: DimensionSource,
    /// The value of a message that has none.
    pub default: DimensionValue,
}

/// Where the value of a dimension comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DimensionSource {
    /// A message tag, such as `ses:configuration-set`.
    MessageTag,
    /// A header of the message.
    EmailHeader,
    /// A tag of the link that was followed.
    LinkTag,
}
