//! What the kind `event_destination` needs to be allowed, which inputs of SES it manages, and specs that show it.

use std::collections::BTreeSet;

use super::{Dimension, EventDestination, Spec, Target};
use crate::kinds::{Documented, Input, Permission, Scope};

/// Specs that together set every field.
pub(super) fn examples() -> Vec<Spec> {
    let types = |types: &[&str]| types.iter().map(|it| (*it).to_owned()).collect();
    let topic = |name: &str| Target::Topic(format!("arn:aws:sns:us-east-1:123456789012:{name}"));
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
            Target::EventBus("arn:aws:events:us-east-1:123456789012:event-bus/default".to_owned()),
        ),
        of(
            types(&["send"]),
            true,
            Target::Firehose {
                stream: "arn:aws:firehose:us-east-1:123456789012:deliverystream/mail".to_owned(),
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

impl Documented for EventDestination {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("ses:GetConfigurationSet", Scope::ConfigurationSet),
        Permission::to_plan("ses:GetConfigurationSetEventDestinations", Scope::ConfigurationSet),
        Permission::to_apply("ses:CreateConfigurationSetEventDestination", Scope::ConfigurationSet),
        Permission::to_apply("ses:UpdateConfigurationSetEventDestination", Scope::ConfigurationSet),
        Permission::to_apply("ses:DeleteConfigurationSetEventDestination", Scope::ConfigurationSet),
        Permission::to_apply("iam:PassRole", Scope::Principal),
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
    ("event_destination.pinpoint_destination.application_arn", "Pinpoint is at its end of life");
