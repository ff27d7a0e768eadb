//! What the kind `identity` needs to be allowed, which inputs of SES it manages, and specs that show it.

use super::reading::Tags;
use super::{Identity, Spec};
use crate::kinds::{Documented, Input, Permission, Scope};

/// Specs that together set every field.
pub(super) fn examples() -> Vec<Spec> {
    let tags = |team: &str| Tags::from([("team".to_owned(), team.to_owned())]);
    let domain = Spec {
        replica_of: None,
        easy_key: Some("rsa-2048".to_owned()),
        signing: Some(true),
        feedback_forwarding: true,
        tags: Tags::new(),
        create_with_set: None,
        must_be_signed: false,
    };
    vec![
        domain.clone(),
        Spec {
            easy_key: Some("rsa-1024".to_owned()),
            signing: Some(false),
            feedback_forwarding: false,
            tags: tags("platform"),
            create_with_set: Some("transactional".to_owned()),
            must_be_signed: true,
            ..domain.clone()
        },
        Spec { replica_of: Some("eu-west-1".to_owned()), easy_key: None, ..domain },
    ]
}

impl Documented for Identity {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("ses:ListEmailIdentities", Scope::Everything),
        Permission::to_plan("tag:GetResources", Scope::Everything),
        Permission::to_plan("ses:GetEmailIdentity", Scope::Identity),
        Permission::to_apply("ses:CreateEmailIdentity", Scope::Identity),
        Permission::to_apply("ses:DeleteEmailIdentity", Scope::Identity),
        Permission::to_apply("ses:PutEmailIdentityFeedbackAttributes", Scope::Identity),
        Permission::to_apply("ses:PutEmailIdentityDkimAttributes", Scope::Identity),
        Permission::to_apply("ses:PutEmailIdentityDkimSigningAttributes", Scope::Identity),
        // Asked of the parent of a replica, by whoever makes the replica (developer guide, "Deterministic Easy DKIM").
        Permission::to_apply("ses:ReplicateEmailIdentityDkimSigningKey", Scope::KeyParent),
        Permission::to_apply("ses:TagResource", Scope::Identity),
        Permission::to_apply("ses:UntagResource", Scope::Identity),
    ];
    const INPUTS: &'static [Input] = INPUTS;
}

/// A key of one's own is put once its record is published.
const PUT_BY_SIGNING: &str =
    "a key of one's own is put by the kind `signing`, after its record is published";
/// Where an origin inside the attributes is refused.
pub(super) const ONLY_AT_CREATION: &str = "only a create may have it: see CreateEmailIdentity";

/// Every member of every input that the identity kind writes with.
const INPUTS: &[Input] = &[
    Input {
        operation: "CreateEmailIdentity",
        service: "sesv2",
        managed: &[
            "email_identity",
            "tags",
            "configuration_set_name",
            "dkim_signing_attributes.next_signing_key_length",
            "dkim_signing_attributes.domain_signing_attributes_origin",
        ],
        excluded: &[
            ("dkim_signing_attributes.domain_signing_selector", PUT_BY_SIGNING),
            ("dkim_signing_attributes.domain_signing_private_key", PUT_BY_SIGNING),
        ],
    },
    Input {
        operation: "DeleteEmailIdentity",
        service: "sesv2",
        managed: &["email_identity"],
        excluded: &[],
    },
    Input {
        operation: "PutEmailIdentityFeedbackAttributes",
        service: "sesv2",
        managed: &["email_identity", "email_forwarding_enabled"],
        excluded: &[],
    },
    Input {
        operation: "PutEmailIdentityDkimAttributes",
        service: "sesv2",
        managed: &["email_identity", "signing_enabled"],
        excluded: &[],
    },
    Input {
        operation: "PutEmailIdentityDkimSigningAttributes",
        service: "sesv2",
        managed: &[
            "email_identity",
            "signing_attributes_origin",
            "signing_attributes.next_signing_key_length",
        ],
        excluded: &[
            ("signing_attributes.domain_signing_selector", PUT_BY_SIGNING),
            ("signing_attributes.domain_signing_private_key", PUT_BY_SIGNING),
            ("signing_attributes.domain_signing_attributes_origin", ONLY_AT_CREATION),
        ],
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
