//! What the kind `queue` needs to be allowed, and which inputs of SQS it manages.

use super::Queue;
use crate::kinds::{Documented, Input, Permission, Scope};

const COUNTED: &str = "a count that SQS keeps, looked at only before a queue goes";
const ONLY_FIFO: &str = "FIFO queues only, which standard topics cannot deliver to";
const ONLY_TOLD: &str = "told by SQS, and never set";

impl Documented for Queue {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("sqs:ListQueues", Scope::Everything),
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
            managed: &[
                "queue_name",
                "tags",
                "attributes.DelaySeconds",
                "attributes.KmsMasterKeyId",
                "attributes.MaximumMessageSize",
                "attributes.MessageRetentionPeriod",
                "attributes.Policy",
                "attributes.ReceiveMessageWaitTimeSeconds",
                "attributes.RedrivePolicy",
                "attributes.SqsManagedSseEnabled",
                "attributes.VisibilityTimeout",
            ],
            excluded: &[
                ("attributes.All", "asks for every attribute, and is none itself"),
                ("attributes.ApproximateNumberOfMessages", COUNTED),
                ("attributes.ApproximateNumberOfMessagesDelayed", COUNTED),
                ("attributes.ApproximateNumberOfMessagesNotVisible", COUNTED),
                ("attributes.ContentBasedDeduplication", ONLY_FIFO),
                ("attributes.CreatedTimestamp", ONLY_TOLD),
                ("attributes.DeduplicationScope", ONLY_FIFO),
                ("attributes.FifoQueue", ONLY_FIFO),
                ("attributes.FifoThroughputLimit", ONLY_FIFO),
                (
                    "attributes.KmsDataKeyReusePeriodSeconds",
                    "how long SQS uses a data key again: a matter of KMS's price, not of mail",
                ),
                ("attributes.LastModifiedTimestamp", ONLY_TOLD),
                ("attributes.QueueArn", "follows from account, Region and name, and is an output"),
                (
                    "attributes.RedriveAllowPolicy",
                    "narrows which queues may name this one for their dead letters; left out, those of the account may",
                ),
            ],
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
