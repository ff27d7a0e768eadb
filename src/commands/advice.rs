//! What to do about an error of AWS, found among its causes.

use std::error::Error;

use crate::aws::AwsError;
use crate::engine::BoxError;

/// The advice that the error, or one of its causes, has.
pub(super) fn advice(error: &BoxError) -> Vec<String> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error.as_ref());
    while let Some(error) = cause {
        if let Some(hint) = error.downcast_ref::<AwsError>().and_then(AwsError::hint) {
            return vec![hint];
        }
        cause = error.source();
    }
    Vec::new()
}
