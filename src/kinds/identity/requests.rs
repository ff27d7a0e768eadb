//! What is sent to SES for an identity, and what its words mean.

use std::time::SystemTime;

use aws_sdk_sesv2::types::{DkimSigningAttributes, DkimSigningKeyLength};
use aws_smithy_types::DateTime;

use super::Spec;
use super::reading::replica_origin;
use crate::aws::AwsError;
use crate::engine::BoxError;

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

/// Why a new key length was refused at `now`, with the time from which it will not be. SES says no more than that the
/// input is invalid, so a key that is older than a day was refused for another reason.
pub(super) fn key_length_refused(
    error: AwsError,
    made_at: Option<i64>,
    now: SystemTime,
) -> BoxError {
    let until = made_at.map(|made_at| DateTime::from_secs(made_at + KEY_CHANGE_INTERVAL));
    match until.filter(|until| *until > DateTime::from(now)) {
        Some(until) => KeyLengthRefused { until: until.to_string(), source: error }.into(),
        None => error.into(),
    }
}

/// SES changes the length of a key once in 24 hours.
#[derive(Debug, thiserror::Error)]
#[error("SES changes the length of an Easy DKIM key once in 24 hours: not before {until}")]
struct KeyLengthRefused {
    until: String,
    source: AwsError,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::aws::Class;

    #[test]
    fn a_new_domain_names_its_key_only_where_ses_would_make_another() {
        let mut spec = super::super::documented::examples().remove(0);
        assert!(signing_at_creation(&spec).is_none());
        spec.easy_key = Some("rsa-1024".to_owned());
        let attributes = signing_at_creation(&spec).unwrap();
        assert_eq!(attributes.next_signing_key_length, Some(DkimSigningKeyLength::Rsa1024Bit));
        // A key of one's own is put later, so the domain begins with Easy DKIM.
        spec.easy_key = None;
        assert!(signing_at_creation(&spec).is_none());
        spec.replica_of = Some("us-gov-west-1".to_owned());
        let origin = signing_at_creation(&spec).unwrap().domain_signing_attributes_origin;
        assert_eq!(origin.unwrap().as_str(), "AWS_SES_US_GOV_WEST_1");
    }

    #[test]
    fn a_length_is_read_back_as_it_was_asked_for() {
        for length in ["rsa-1024", "rsa-2048"] {
            let asked = easy_key(length).next_signing_key_length;
            assert_eq!(length_in_words(asked.as_ref().map(DkimSigningKeyLength::as_str)), length);
        }
        assert_eq!(length_in_words(None), "rsa-2048");
        assert_eq!(length_in_words(Some("RSA_4096_BIT")), "RSA_4096_BIT");
    }

    #[test]
    fn a_second_change_of_length_within_a_day_is_told_with_its_time() {
        let refused = |age: u64| {
            let error = AwsError {
                action: "ses:PutEmailIdentityDkimSigningAttributes".to_owned(),
                resource: "pivot.app".to_owned(),
                code: "BadRequestException".to_owned(),
                message: "input you provided is invalid".to_owned(),
                request_id: None,
                class: Class::Invalid,
            };
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + age);
            key_length_refused(error, Some(1_000_000), now).to_string()
        };
        assert!(refused(3_600).contains("not before 1970-01-13T13:46:40Z"), "{}", refused(3_600));
        assert!(refused(90_000).contains("input you provided is invalid"));
    }
}
