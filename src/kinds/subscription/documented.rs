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
                "attributes",
                "return_subscription_arn",
            ],
            excluded: &[],
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
