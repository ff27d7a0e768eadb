//! What the kind `topic` needs to be allowed, and which inputs of SNS it manages.

use super::Topic;
use crate::kinds::{Documented, Input, Permission, Phase, Scope};

impl Documented for Topic {
    const PERMISSIONS: &'static [Permission] = &[
        Permission { action: "sns:GetTopicAttributes", resource: Scope::Topic, phase: Phase::Plan },
        Permission {
            action: "sns:ListTagsForResource",
            resource: Scope::Topic,
            phase: Phase::Plan,
        },
        Permission {
            action: "sns:ListSubscriptionsByTopic",
            resource: Scope::Topic,
            phase: Phase::Plan,
        },
        Permission { action: "kms:DescribeKey", resource: Scope::Key, phase: Phase::Plan },
        Permission { action: "kms:GetKeyPolicy", resource: Scope::Key, phase: Phase::Plan },
        Permission { action: "sns:CreateTopic", resource: Scope::Topic, phase: Phase::Apply },
        Permission {
            action: "sns:SetTopicAttributes",
            resource: Scope::Topic,
            phase: Phase::Apply,
        },
        Permission { action: "sns:DeleteTopic", resource: Scope::Topic, phase: Phase::Apply },
        Permission { action: "sns:TagResource", resource: Scope::Topic, phase: Phase::Apply },
        Permission { action: "sns:UntagResource", resource: Scope::Topic, phase: Phase::Apply },
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "CreateTopic",
            service: "sns",
            managed: &["name", "attributes", "tags"],
            excluded: &[(
                "data_protection_policy",
                "audits or masks message content for a whole topic; events of SES are wanted whole",
            )],
        },
        Input {
            operation: "SetTopicAttributes",
            service: "sns",
            managed: &["topic_arn", "attribute_name", "attribute_value"],
            excluded: &[],
        },
        Input { operation: "DeleteTopic", service: "sns", managed: &["topic_arn"], excluded: &[] },
        Input {
            operation: "TagResource",
            service: "sns",
            managed: &["resource_arn", "tags"],
            excluded: &[],
        },
        Input {
            operation: "UntagResource",
            service: "sns",
            managed: &["resource_arn", "tag_keys"],
            excluded: &[],
        },
    ];
}
