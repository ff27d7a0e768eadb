//! What to do about an error of AWS, found among its causes.

use std::error::Error;

use crate::aws::{AwsError, Class};
use crate::engine::BoxError;

/// The advice that the error, or one of its causes, has.
pub(super) fn advice(error: &BoxError) -> Vec<String> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error.as_ref());
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<AwsError>()
            && error.action == "route53:ListResourceRecordSets"
            && error.is(Class::Denied)
        {
            let zone = &error.resource;
            let hint = format!(
                "if the zone {zone} is out of reach for good, let go of it: --abandon-zone {zone}"
            );
            return error.hint().into_iter().chain([hint]).collect();
        }
        if let Some(hint) = error.downcast_ref::<AwsError>().and_then(AwsError::hint) {
            return vec![hint];
        }
        cause = error.source();
    }
    Vec::new()
}
