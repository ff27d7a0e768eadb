//! What the kind `subscription` needs to be allowed, and which inputs of SNS it manages.

use super::Subscription;
use crate::kinds::{Documented, Input, Permission, Phase, Scope};

impl Documented for Subscription {
    const PERMISSIONS: &'static [Permission] = &[
        Permission {
            action: "sns:ListSubscriptionsByTopic",
            resource: Scope::Topic,
            phase: Phase::Plan,
        },
        // The calls on a single subscription have no resource type in AWS's reference.
        Permission {
            action: "sns:GetSubscriptionAttributes",
            resource: Scope::Everything,
            phase: Phase::Plan,
        },
        Permission { action: "sns:Subscribe", resource: Scope::Topic, phase: Phase::Apply },
        Permission {
            action: "sns:SetSubscriptionAttributes",
            resource: Scope::Everything,
            phase: Phase::Apply,
        },
        Permission { action: "sns:Unsubscribe", resource: Scope::Everything, phase: Phase::Apply },
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
