//! The errors of SES v2, each with its name and HTTP status.

use fakecloud_core::service::AwsServiceError;
use http::StatusCode;

/// What an operation answers: the body of its response.
pub(super) type Reply = Result<serde_json::Value, AwsServiceError>;

fn error(status: StatusCode, code: &str, message: impl Into<String>) -> AwsServiceError {
    let header = ("x-amzn-ErrorType".to_owned(), code.to_owned());
    AwsServiceError::aws_error_with_headers(status, code, message, vec![header])
}

/// A rule of the service is broken.
pub(super) fn bad_request(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::BAD_REQUEST, "BadRequestException", message)
}

/// A constraint of the API's model is broken; such are checked before any rule of the service.
pub(super) fn constraint(value: &str, at: &str, constraint: &str) -> AwsServiceError {
    bad_request(format!(
        "1 validation error detected: Value {value} at '{at}' failed to satisfy constraint: {constraint}"
    ))
}

/// A member has another JSON type than the model gives it; checked before everything else.
pub(super) fn serialization(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::BAD_REQUEST, "SerializationException", message)
}

/// Nothing has this name.
pub(super) fn not_found(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::NOT_FOUND, "NotFoundException", message)
}

/// The name is taken.
pub(super) fn already_exists(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::BAD_REQUEST, "AlreadyExistsException", message)
}

/// There are as many as there may be.
pub(super) fn limit_exceeded(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::BAD_REQUEST, "LimitExceededException", message)
}

/// An open process stands in the way.
pub(super) fn conflict(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::CONFLICT, "ConflictException", message)
}

/// More was sent than the account may send in this time.
pub(super) fn too_many_requests(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", message)
}

/// A page token that no list gave out.
pub(super) fn invalid_token() -> AwsServiceError {
    error(StatusCode::BAD_REQUEST, "InvalidNextTokenException", "The NextToken is not valid.")
}

/// The message cannot be sent as it is.
pub(super) fn message_rejected(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::BAD_REQUEST, "MessageRejected", message)
}

/// The MAIL FROM domain is not ready, and the identity says to refuse then.
pub(super) fn mail_from_not_verified(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::BAD_REQUEST, "MailFromDomainNotVerifiedException", message)
}

/// The account or the set is paused by its owner.
pub(super) fn sending_paused(message: impl Into<String>) -> AwsServiceError {
    error(StatusCode::BAD_REQUEST, "SendingPausedException", message)
}

/// The account is paused by AWS.
pub(super) fn account_suspended() -> AwsServiceError {
    error(
        StatusCode::BAD_REQUEST,
        "AccountSuspendedException",
        "Sending is suspended for this account.",
    )
}

/// What AWS answers when it fails itself.
pub(super) fn internal_failure() -> AwsServiceError {
    error(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "")
}

/// An operation that this cloud does not have.
pub(super) fn unknown_operation() -> AwsServiceError {
    error(StatusCode::NOT_FOUND, "UnknownOperationException", "")
}
