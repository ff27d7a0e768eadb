//! What the kind `configuration_set` needs to be allowed, and which inputs of SES it manages.

use super::ConfigurationSet;
use crate::kinds::{Documented, Input, Permission, Phase, Scope};

/// A member that a group's own Put writes as well, spelled once.
const SECURITY: (&str, &str) =
    ("message_security_options", "S/MIME is not managed: its certificates are bound to identities");

impl Documented for ConfigurationSet {
    const PERMISSIONS: &'static [Permission] = &[
        on_set("ses:GetConfigurationSet", Phase::Plan),
        Permission { action: "tag:GetResources", resource: Scope::Everything, phase: Phase::Plan },
        on_set("ses:CreateConfigurationSet", Phase::Apply),
        on_set("ses:DeleteConfigurationSet", Phase::Apply),
        on_set("ses:PutConfigurationSetSendingOptions", Phase::Apply),
        on_set("ses:PutConfigurationSetDeliveryOptions", Phase::Apply),
        on_set("ses:PutConfigurationSetReputationOptions", Phase::Apply),
        on_set("ses:PutConfigurationSetSuppressionOptions", Phase::Apply),
        on_set("ses:PutConfigurationSetVdmOptions", Phase::Apply),
        on_set("ses:PutConfigurationSetArchivingOptions", Phase::Apply),
        on_set("ses:TagResource", Phase::Apply),
        on_set("ses:UntagResource", Phase::Apply),
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "CreateConfigurationSet",
            service: "sesv2",
            managed: &[
                "configuration_set_name",
                "delivery_options.tls_policy",
                "delivery_options.sending_pool_name",
                "delivery_options.max_delivery_seconds",
                "reputation_options.reputation_metrics_enabled",
                "sending_options.sending_enabled",
                "tags",
                "suppression_options.suppressed_reasons",
                "suppression_options.suppression_scope",
                "suppression_options.validation_options.condition_threshold.condition_threshold_enabled",
                "suppression_options.validation_options.condition_threshold.overall_confidence_threshold.confidence_verdict_threshold",
                "vdm_options.dashboard_options.engagement_metrics",
                "vdm_options.guardian_options.optimized_shared_delivery",
                "archiving_options.archive_arn",
            ],
            excluded: &[
                SECURITY,
                (
                    "tracking_options",
                    "put once its domain is verified: see PutConfigurationSetTrackingOptions",
                ),
                ("reputation_options.last_fresh_start", "SES computes it"),
            ],
        },
        Input {
            operation: "DeleteConfigurationSet",
            service: "sesv2",
            managed: &["configuration_set_name"],
            excluded: &[],
        },
        Input {
            operation: "PutConfigurationSetSendingOptions",
            service: "sesv2",
            managed: &["configuration_set_name", "sending_enabled"],
            excluded: &[],
        },
        Input {
            operation: "PutConfigurationSetDeliveryOptions",
            service: "sesv2",
            managed: &[
                "configuration_set_name",
                "tls_policy",
                "sending_pool_name",
                "max_delivery_seconds",
            ],
            excluded: &[],
        },
        Input {
            operation: "PutConfigurationSetReputationOptions",
            service: "sesv2",
            managed: &["configuration_set_name", "reputation_metrics_enabled"],
            excluded: &[],
        },
        Input {
            operation: "PutConfigurationSetSuppressionOptions",
            service: "sesv2",
            managed: &[
                "configuration_set_name",
                "suppressed_reasons",
                "suppression_scope",
                "validation_options.condition_threshold.condition_threshold_enabled",
                "validation_options.condition_threshold.overall_confidence_threshold.confidence_verdict_threshold",
            ],
            excluded: &[],
        },
        Input {
            operation: "PutConfigurationSetVdmOptions",
            service: "sesv2",
            managed: &[
                "configuration_set_name",
                "vdm_options.dashboard_options.engagement_metrics",
                "vdm_options.guardian_options.optimized_shared_delivery",
            ],
            excluded: &[],
        },
        Input {
            operation: "PutConfigurationSetArchivingOptions",
            service: "sesv2",
            managed: &["configuration_set_name", "archive_arn"],
            excluded: &[],
        },
    ];
}

const fn on_set(action: &'static str, phase: Phase) -> Permission {
    Permission { action, resource: Scope::ConfigurationSet, phase }
}
