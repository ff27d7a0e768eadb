//! What the kind `subscription` needs to be allowed, and which inputs of SNS it manages.

use super::Subscription;
use crate::kinds::{Documented, Input, Permission, Scope};

impl Documented for Subscription {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("sns:ListSubscriptionsByTopic", Scope::Topic),
        // The calls on a single subscription have no resource type in AWS's reference.
        Permission::to_plan("sns:GetSubscriptionAttributes", Scope::Everything),
        Permission::to_apply("sns:Subscribe", Scope::Topic),
        Permission::to_apply("sns:SetSubscriptionAttributes", Scope::Everything),
        Permission::to_apply("sns:Unsubscribe", Scope::Everything),
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "Subscribe",
            service: "sns",
            managed: &[
                "topic_arn",
                "protocol",
                "endpoint",
                "attributes.FilterPolicy",
                "attributes.FilterPolicyScope",
                "attributes.RawMessageDelivery",
                "attributes.RedrivePolicy",
                "return_subscription_arn",
            ],
            excluded: &[
                (
                    "attributes.DeliveryPolicy",
                    "how often https is tried again: SNS's own way stays, and dead letters keep what fails",
                ),
                ("attributes.ReplayPolicy", "FIFO topics only, which SES cannot publish to"),
                ("attributes.ReplayStatus", "FIFO topics only, which SES cannot publish to"),
                (
                    "attributes.SubscriptionRoleArn",
                    "Firehose only: streams get events by a destination of their own, not by a topic",
                ),
            ],
        },
        Input {
            operation: "SetSubscriptionAttributes",
            service: "sns",
            managed: &["subscription_arn", "attribute_name", "attribute_value"],
            excluded: &[],
        },
        Input {
            operation: "Unsubscribe",
            service: "sns",
            managed: &["subscription_arn"],
            excluded: &[],
        },
    ];
}
