//! What the kind `queue` needs to be allowed, and which inputs of SQS it manages.

use super::Queue;
use crate::kinds::{Documented, Input, Permission, Phase, Scope};

impl Documented for Queue {
    const PERMISSIONS: &'static [Permission] = &[
        Permission { action: "sqs:GetQueueUrl", resource: Scope::Queue, phase: Phase::Plan },
        Permission { action: "sqs:GetQueueAttributes", resource: Scope::Queue, phase: Phase::Plan },
        Permission { action: "sqs:ListQueueTags", resource: Scope::Queue, phase: Phase::Plan },
        Permission { action: "kms:DescribeKey", resource: Scope::Key, phase: Phase::Plan },
        Permission { action: "kms:GetKeyPolicy", resource: Scope::Key, phase: Phase::Plan },
        Permission { action: "sqs:CreateQueue", resource: Scope::Queue, phase: Phase::Apply },
        Permission {
            action: "sqs:SetQueueAttributes",
            resource: Scope::Queue,
            phase: Phase::Apply,
        },
        Permission { action: "sqs:DeleteQueue", resource: Scope::Queue, phase: Phase::Apply },
        // CreateQueue with tags needs it too.
        Permission { action: "sqs:TagQueue", resource: Scope::Queue, phase: Phase::Apply },
        Permission { action: "sqs:UntagQueue", resource: Scope::Queue, phase: Phase::Apply },
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
