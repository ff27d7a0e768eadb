//! What the kind `queue` needs to be allowed, and which inputs of SQS it manages.

use super::Queue;
use crate::kinds::{Documented, Input, Permission, Scope};

impl Documented for Queue {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("sqs:GetQueueUrl", Scope::Queue),
        Permission::to_plan("sqs:GetQueueAttributes", Scope::Queue),
        Permission::to_plan("sqs:ListQueueTags", Scope::Queue),
        Permission::to_plan("kms:DescribeKey", Scope::Key),
        Permission::to_plan("kms:GetKeyPolicy", Scope::Key),
        Permission::to_apply("sqs:CreateQueue", Scope::Queue),
        Permission::to_apply("sqs:SetQueueAttributes", Scope::Queue),
        Permission::to_apply("sqs:DeleteQueue", Scope::Queue),
        // CreateQueue with tags needs it too.
        Permission::to_apply("sqs:TagQueue", Scope::Queue),
        Permission::to_apply("sqs:UntagQueue", Scope::Queue),
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "CreateQueue",
            service: "sqs",
            managed: &["queue_name", "attributes", "tags"],
            excluded: &[],
        },
        Input {
            operation: "SetQueueAttributes",
            service: "sqs",
            managed: &["queue_url", "attributes"],
            excluded: &[],
        },
        Input { operation: "DeleteQueue", service: "sqs", managed: &["queue_url"], excluded: &[] },
        Input {
            operation: "TagQueue",
            service: "sqs",
            managed: &["queue_url", "tags"],
            excluded: &[],
        },
        Input {
            operation: "UntagQueue",
            service: "sqs",
            managed: &["queue_url", "tag_keys"],
            excluded: &[],
        },
    ];
}
