//! What is sent to SES for an identity, and what its words mean.

use aws_sdk_sesv2::types::{DkimSigningAttributes, DkimSigningKeyLength};

use super::Spec;
use super::reading::replica_origin;
use crate::aws::AwsError;
use crate::engine::BoxError;
use crate::kinds::Input;

/// SES allows one change of the key's length in this many seconds (developer guide, "Easy DKIM").
const KEY_CHANGE_INTERVAL: i64 = 24 * 60 * 60;

/// The signing attributes of a create; `None` where SES's own default (Easy DKIM, 2,048 bits) is wanted, and for a
/// domain that gets a key of its own once the key is published.
pub(super) fn signing_at_creation(spec: &Spec) -> Option<DkimSigningAttributes> {
    if let Some(region) = &spec.replica_of {
        let origin = replica_origin(region);
        return Some(
            DkimSigningAttributes::builder().domain_signing_attributes_origin(origin).build(),
        );
    }
    spec.easy_key.as_deref().filter(|length| *length == "rsa-1024").map(easy_key)
}

/// The signing attributes of Easy DKIM with a key of `length` (`rsa-2048`).
pub(super) fn easy_key(length: &str) -> DkimSigningAttributes {
    let length = match length {
        "rsa-1024" => DkimSigningKeyLength::Rsa1024Bit,
        "rsa-2048" => DkimSigningKeyLength::Rsa2048Bit,
        other => DkimSigningKeyLength::from(other),
    };
    DkimSigningAttributes::builder().next_signing_key_length(length).build()
}

/// The length of a key as environment files write it. SES's default stands for one that it does not name.
pub(super) fn length_in_words(length: Option<&str>) -> String {
    match length {
        None | Some("RSA_2048_BIT") => "rsa-2048".to_owned(),
        Some("RSA_1024_BIT") => "rsa-1024".to_owned(),
        Some(other) => other.to_owned(),
    }
}

/// Why a new key length was refused, with the time from which it will not be.
pub(super) fn key_length_refused(error: AwsError, made_at: Option<i64>) -> BoxError {
    let Some(made_at) = made_at else { return error.into() };
    let until = aws_smithy_types::DateTime::from_secs(made_at + KEY_CHANGE_INTERVAL);
    KeyLengthRefused { until: until.to_string(), source: error }.into()
}

/// SES changes the length of a key once in 24 hours.
#[derive(Debug, thiserror::Error)]
#[error("SES changes the length of an Easy DKIM key once in 24 hours: not before {until}")]
struct KeyLengthRefused {
    until: String,
    source: AwsError,
}

/// Every member of every input that the identity kind writes with.
pub(super) const INPUTS: &[Input] = &[
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
            (
                "dkim_signing_attributes.domain_signing_selector",
                "a key of one's own is put after its record is published: see PutEmailIdentityDkimSigningAttributes",
            ),
            (
                "dkim_signing_attributes.domain_signing_private_key",
                "a key of one's own is put after its record is published: see PutEmailIdentityDkimSigningAttributes",
            ),
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
