//! What the kind `topic` needs to be allowed, and which inputs of SNS it manages.

use super::Topic;
use crate::kinds::{Documented, Input, Permission, Scope};

/// They are written by a role that is made elsewhere, for one kind of subscriber each.
const DELIVERY_LOG: &str =
    "a log of deliveries for debugging, which changes nothing that is delivered";
const ONLY_FIFO: &str = "FIFO topics only, which SES cannot publish to";

impl Documented for Topic {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("sns:ListTopics", Scope::Everything),
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
            managed: &[
                "name",
                "tags",
                "attributes.DisplayName",
                "attributes.KmsMasterKeyId",
                "attributes.Policy",
            ],
            excluded: &[
                ("attributes.ArchivePolicy", ONLY_FIFO),
                ("attributes.ContentBasedDeduplication", ONLY_FIFO),
                (
                    "attributes.DeliveryPolicy",
                    "how often https is tried again: SNS's own way stays, and dead letters keep what fails",
                ),
                ("attributes.FifoThroughputScope", ONLY_FIFO),
                (
                    "attributes.MaximumMessageSize",
                    "SNS's own limit stays, which every kind of subscriber takes",
                ),
                ("attributes.TracingConfig", "traces of X-Ray change nothing that is delivered"),
                ("attributes.ApplicationFailureFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.ApplicationSuccessFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.ApplicationSuccessFeedbackSampleRate", DELIVERY_LOG),
                ("attributes.FirehoseFailureFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.FirehoseSuccessFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.FirehoseSuccessFeedbackSampleRate", DELIVERY_LOG),
                ("attributes.HTTPFailureFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.HTTPSuccessFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.HTTPSuccessFeedbackSampleRate", DELIVERY_LOG),
                ("attributes.LambdaFailureFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.LambdaSuccessFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.LambdaSuccessFeedbackSampleRate", DELIVERY_LOG),
                ("attributes.SQSFailureFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.SQSSuccessFeedbackRoleArn", DELIVERY_LOG),
                ("attributes.SQSSuccessFeedbackSampleRate", DELIVERY_LOG),
                (
                    "data_protection_policy",
                    "audits or masks message content for a whole topic; events of SES are wanted whole",
                ),
            ],
        },
        Input {
            operation: "SetTopicAttributes",
            service: "sns",
            managed: &["topic_arn", "attribute_name", "attribute_value"],
            excluded: &[(
                "attribute_name.SignatureVersion",
                "the hash of signatures: whoever checks them decides, by what their software can",
            )],
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
