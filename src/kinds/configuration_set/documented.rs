//! What the kind `configuration_set` needs to be allowed, which inputs of SES it manages, and specs that show it.

use std::collections::BTreeSet;

use super::reading::Tags;
use super::{ConfigurationSet, Delivery, Spec, Suppression, Vdm};
use crate::kinds::{Documented, Input, Permission, Scope};

/// Specs that together set every field.
pub(super) fn examples() -> Vec<Spec> {
    let plain = Spec {
        delivery: Delivery { tls: "optional".to_owned(), pool: None, max_delivery_seconds: None },
        sending: true,
        reputation_metrics: true,
        suppression: None,
        vdm: None,
        archive: None,
        tags: Tags::new(),
        default_of: BTreeSet::new(),
    };
    let suppression = |reasons: &[&str], scope: Option<&str>, validation: Option<&str>| {
        Some(Suppression {
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
            scope: scope.map(ToOwned::to_owned),
            validation: validation.map(ToOwned::to_owned),
        })
    };
    let archive =
        "arn:aws:ses:us-east-1:123456789012:mailmanager-archive/a-abcdefghijklmnopqrstuvwx";
    vec![
        plain.clone(),
        Spec {
            delivery: Delivery {
                tls: "require".to_owned(),
                pool: Some("dedicated".to_owned()),
                max_delivery_seconds: Some(3_600),
            },
            sending: false,
            reputation_metrics: false,
            suppression: suppression(&["bounce", "complaint"], Some("account"), Some("high")),
            vdm: Some(Vdm { engagement: Some(true), optimized_delivery: Some(false) }),
            archive: Some(archive.to_owned()),
            tags: Tags::from([("team".to_owned(), "platform".to_owned())]),
            default_of: BTreeSet::from(["theirs.app".to_owned()]),
        },
        Spec { suppression: suppression(&[], None, None), ..plain.clone() },
        Spec { suppression: suppression(&["bounce"], None, Some("off")), ..plain },
    ]
}

impl Documented for ConfigurationSet {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("tag:GetResources", Scope::Everything),
        Permission::to_plan("ses:ListConfigurationSets", Scope::Everything),
        Permission::to_plan("ses:GetConfigurationSet", Scope::ConfigurationSet),
        Permission::to_apply("ses:CreateConfigurationSet", Scope::ConfigurationSet),
        Permission::to_apply("ses:DeleteConfigurationSet", Scope::ConfigurationSet),
        Permission::to_apply("ses:PutConfigurationSetSendingOptions", Scope::ConfigurationSet),
        Permission::to_apply("ses:PutConfigurationSetDeliveryOptions", Scope::ConfigurationSet),
        Permission::to_apply("ses:PutConfigurationSetReputationOptions", Scope::ConfigurationSet),
        Permission::to_apply("ses:PutConfigurationSetSuppressionOptions", Scope::ConfigurationSet),
        Permission::to_apply("ses:PutConfigurationSetVdmOptions", Scope::ConfigurationSet),
        Permission::to_apply("ses:PutConfigurationSetArchivingOptions", Scope::ConfigurationSet),
        Permission::to_apply("ses:TagResource", Scope::ConfigurationSet),
        Permission::to_apply("ses:UntagResource", Scope::ConfigurationSet),
        // A set that names a pool or an archive needs the right on it too.
        Permission::to_apply("ses:CreateConfigurationSet", Scope::DedicatedIpPool),
        Permission::to_apply("ses:PutConfigurationSetDeliveryOptions", Scope::DedicatedIpPool),
        Permission::to_apply("ses:CreateConfigurationSet", Scope::Archive),
        Permission::to_apply("ses:PutConfigurationSetArchivingOptions", Scope::Archive),
        // Before a set is deleted: is it anybody's default?
        Permission::to_plan("ses:ListEmailIdentities", Scope::Everything),
        Permission::to_plan("ses:GetEmailIdentity", Scope::AnyIdentity),
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
                ("reputation_options.last_fresh_start", "SES computes it"),
                ("tracking_options.custom_redirect_domain", PUT_BY_TRACKING),
                ("tracking_options.https_policy", PUT_BY_TRACKING),
                (
                    "message_security_options.signing_scheme",
                    "S/MIME is not managed: its certificates are bound to identities",
                ),
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
        Input {
            operation: "TagResource",
            service: "sesv2",
            managed: &["resource_arn", "tags"],
            excluded: &[],
        },
        Input {
            operation: "UntagResource",
            service: "sesv2",
            managed: &["resource_arn", "tag_keys"],
            excluded: &[],
        },
    ];
}

/// The tracking group of a create.
const PUT_BY_TRACKING: &str = "put by the kind `tracking`, once the domain is verified";
