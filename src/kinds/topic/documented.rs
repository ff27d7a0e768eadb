//! What the kind `topic` needs to be allowed, and which inputs of SNS it manages.

use super::Topic;
use crate::kinds::{Documented, Input, Permission, Scope};

impl Documented for Topic {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("sns:GetTopicAttributes", Scope::Topic),
        Permission::to_plan("sns:ListTagsForResource", Scope::Topic),
        Permission::to_plan("sns:ListSubscriptionsByTopic", Scope::Topic),
        Permission::to_plan("kms:DescribeKey", Scope::Key),
        Permission::to_plan("kms:GetKeyPolicy", Scope::Key),
        Permission::to_apply("sns:CreateTopic", Scope::Topic),
        Permission::to_apply("sns:SetTopicAttributes", Scope::Topic),
        Permission::to_apply("sns:DeleteTopic", Scope::Topic),
        Permission::to_apply("sns:TagResource", Scope::Topic),
        Permission::to_apply("sns:UntagResource", Scope::Topic),
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
