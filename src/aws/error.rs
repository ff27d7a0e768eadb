//! What AWS refused and why, classified by code string in one place.
//!
//! Codes are compared, never modelled variants: services send codes that their models do not list. The text of a
//! message is shown and never decides, save where AWS has one code for different things (`InvalidChangeBatch`).

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::calls::SHUT;

/// What an error means to whoever made the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The resource does not exist.
    Absent,
    /// The resource exists already.
    Exists,
    /// Too many calls; retried for minutes before it is given out.
    Throttled,
    /// Somebody else is changing the resource.
    Concurrent,
    /// A quota is used up.
    Limit,
    /// AWS is still deciding about an earlier request.
    UnderReview,
    /// The credentials may not do this.
    Denied,
    /// The credentials have expired, or there are none.
    Expired,
    /// The request is wrong.
    Invalid,
    /// The service did not answer, or not in time.
    Network,
    /// Anything else, such as an error inside the service.
    Other,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// The action as IAM calls it: `ses:GetEmailIdentity`.
    pub action: String,
    /// What it was asked about.
    pub resource: String,
    /// AWS's code: `NotFoundException`.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// The id that AWS support asks for.
    pub request_id: Option<String>,
    /// What it means.
    pub class: Class,
}

impl AwsError {
    /// Whether it is of this class.
    #[must_use]
    pub fn is(&self, class: Class) -> bool {
        self.class == class
    }

    /// What to do about it, where that can be said in general.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        hint(self)
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, resource, code, message, request_id, .. } = self;
        write!(formatter, "{action} {resource}: {code}")?;
        if !message.is_empty() {
            write!(formatter, ": {message}")?;
        }
        match request_id {
            Some(id) => write!(formatter, " (request id {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for AwsError {}

/// Turns an SDK error of `action` on `resource` into ours: `.map_err(failed("ses:GetEmailIdentity", name))`.
pub fn failed<E>(
    action: &'static str,
    resource: impl fmt::Display,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let resource = resource.to_string();
    move |error| {
        let request_id = error.request_id().map(ToOwned::to_owned);
        let (code, message, class) = match &error {
            SdkError::ServiceError(context) => {
                let metadata = context.err().meta();
                let code = metadata.code().unwrap_or("an error without a code").to_owned();
                let message = metadata.message().unwrap_or_default().to_owned();
                let class = classify(action, &code, &message);
                (code, message, class)
            }
            SdkError::TimeoutError(_) => ("timeout".to_owned(), chain(&error), Class::Network),
            SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
                ("no connection".to_owned(), chain(&error), Class::Network)
            }
            other => unsent(&chain(other)),
        };
        AwsError { action: action.to_owned(), resource, code, message, request_id, class }
    }
}

/// A request that was not sent, or an answer that could not be read.
fn unsent(message: &str) -> (String, String, Class) {
    if message.contains(SHUT) {
        return ("not sent".to_owned(), SHUT.to_owned(), Class::Other);
    }
    // The SDK has no type for "no credentials"; its chain of causes names the provider.
    let lacks_credentials = message.to_ascii_lowercase().contains("credentials");
    let (code, class) = if lacks_credentials {
        ("no credentials", Class::Expired)
    } else {
        ("no answer", Class::Network)
    };
    (code.to_owned(), message.to_owned(), class)
}

/// What the SDK says of every failure, whatever it was.
const SAYS_NOTHING: [&str; 4] = ["dispatch failure", "other", "io error", "timeout"];

/// The causes of an error, each once, without those that say nothing.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !causes.contains(&text) && !SAYS_NOTHING.contains(&text.as_str()) {
            causes.push(text);
        }
        next = error.source();
    }
    causes.join(": ")
}

/// An absent resource as `None`, other errors as they are.
pub trait OrAbsent<T> {
    /// `Ok(None)` for [`Class::Absent`].
    fn or_absent(self) -> Result<Option<T>, AwsError>;
}

impl<T> OrAbsent<T> for Result<T, AwsError> {
    fn or_absent(self) -> Result<Option<T>, AwsError> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is(Class::Absent) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The class of an error code of the service that `action` belongs to.
#[expect(clippy::too_many_lines, reason = "one table of codes, in one place")]
pub(super) fn classify(action: &str, code: &str, message: &str) -> Class {
    // Query protocols prefix some codes: `AWS.SimpleQueueService.NonExistentQueue`.
    match code {
        "NotFoundException"
        | "NotFound"
        | "ResourceNotFound"
        | "ResourceNotFoundException"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue"
        | "NoSuchEntity"
        | "NoSuchEntityException"
        | "NoSuchHostedZone"
        | "NoSuchResourceException"
        | "ParameterNotFound" => Class::Absent,
        "AlreadyExistsException"
        | "EntityAlreadyExists"
        | "EntityAlreadyExistsException"
        | "QueueNameExists"
        | "QueueAlreadyExists"
        | "ParameterAlreadyExists" => Class::Exists,
        "InvalidChangeBatch" if message.contains("already exists") => Class::Exists,
        "TooManyRequestsException"
        | "Throttling"
        | "ThrottlingException"
        | "Throttled"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "PriorRequestNotComplete"
        | "SlowDown" => Class::Throttled,
        "ConcurrentModificationException"
        | "ConcurrentModification"
        | "ConcurrentAccess"
        | "ConcurrentAccessException" => Class::Concurrent,
        // SES has this code for a decision that is pending on PutAccountDetails only.
        "ConflictException" if action.starts_with("ses:") => Class::UnderReview,
        "ResourceAlreadyExistsException" => Class::UnderReview,
        "LimitExceededException"
        | "LimitExceeded"
        | "TopicLimitExceeded"
        | "TopicLimitExceededException"
        | "SubscriptionLimitExceeded"
        | "SubscriptionLimitExceededException"
        | "FilterPolicyLimitExceeded"
        | "QuotaExceededException"
        | "TagLimitExceeded"
        | "LimitsExceeded" => Class::Limit,
        "AccessDeniedException"
        | "AccessDenied"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "UnauthorizedOperation"
        | "KMSAccessDenied"
        | "KMSAccessDeniedException" => Class::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => Class::Expired,
        "BadRequestException"
        | "InvalidParameter"
        | "InvalidParameterException"
        | "InvalidParameterValue"
        | "InvalidInput"
        | "InvalidInputException"
        | "MalformedPolicyDocument"
        | "MalformedPolicyDocumentException"
        | "InvalidChangeBatch"
        | "InvalidAttributeName"
        | "InvalidAttributeValue"
        | "ValidationError"
        | "ValidationException"
        | "SerializationException"
        | "InvalidRequest" => Class::Invalid,
        _ => Class::Other,
    }
}

/// The action and resource that AWS says are missing; a call may need more than what it is called: a topic that is created
/// with tags needs `sns:TagResource`. Most services write `... is not authorized to perform: ACTION on resource: ARN`, SES
/// writes it with quotes and without colons.
fn missing(message: &str) -> (Option<&str>, Option<&str>) {
    let after = |words: &str| {
        let (_, rest) = message.split_once(words)?;
        let rest = rest.trim_start_matches([':', ' ', '`', '\'', '"']);
        let end = rest.find([' ', '`', '\'', '"', ',']).unwrap_or(rest.len());
        Some(rest[..end].trim_end_matches([':', '.'])).filter(|word| word.contains([':', '*']))
    };
    (after("is not authorized to perform"), after("on resource"))
}

fn hint(error: &AwsError) -> Option<String> {
    let text = match error.class {
        Class::Denied => {
            let (action, resource) = missing(&error.message);
            let action = action.unwrap_or(&error.action);
            let resource = resource.unwrap_or(&error.resource);
            format!("allow {action} on {resource} to the credentials in use")
        }
        Class::Expired => {
            "sign in again (`aws sso login`), or check the profile and the keys; keys of another \
                           partition, or a Region that the account has not enabled, look the same"
                .to_owned()
        }
        Class::Limit => {
            "ask for a higher quota in Service Quotas, or remove what is no longer used".to_owned()
        }
        Class::Throttled => {
            "something else is calling the same API of this account and Region; run again later"
                .to_owned()
        }
        Class::Concurrent => "something else is changing this resource; run again".to_owned(),
        Class::UnderReview => {
            "AWS is still deciding about an earlier request; wait for its answer".to_owned()
        }
        Class::Network => {
            "check the network, the proxy settings and AWS_ENDPOINT_URL; run again".to_owned()
        }
        Class::Absent | Class::Exists | Class::Invalid | Class::Other => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(class: Class) -> AwsError {
        AwsError {
            action: "ses:GetEmailIdentity".to_owned(),
            resource: "pivot.app".to_owned(),
            code: "NotFoundException".to_owned(),
            message: "no such identity".to_owned(),
            request_id: Some("r-1".to_owned()),
            class,
        }
    }

    #[test]
    fn codes_of_every_service_have_their_class() {
        for (action, code, message, class) in [
            ("ses:GetEmailIdentity", "NotFoundException", "", Class::Absent),
            ("sqs:GetQueueUrl", "AWS.SimpleQueueService.NonExistentQueue", "", Class::Absent),
            ("iam:CreatePolicy", "EntityAlreadyExists", "", Class::Exists),
            (
                "route53:ChangeResourceRecordSets",
                "InvalidChangeBatch",
                "[.. but it already exists]",
                Class::Exists,
            ),
            (
                "route53:ChangeResourceRecordSets",
                "InvalidChangeBatch",
                "not permitted",
                Class::Invalid,
            ),
            ("route53:ChangeResourceRecordSets", "PriorRequestNotComplete", "", Class::Throttled),
            ("sns:CreateTopic", "Throttled", "", Class::Throttled),
            ("ses:TagResource", "ConcurrentModificationException", "", Class::Concurrent),
            ("ses:CreateEmailIdentity", "LimitExceededException", "", Class::Limit),
            ("ses:PutAccountDetails", "ConflictException", "", Class::UnderReview),
            ("sns:Publish", "AuthorizationError", "", Class::Denied),
            ("sts:GetCallerIdentity", "ExpiredToken", "", Class::Expired),
            ("ses:PutEmailIdentityMailFromAttributes", "BadRequestException", "", Class::Invalid),
            ("ses:GetAccount", "InternalFailure", "", Class::Other),
        ] {
            assert_eq!(classify(action, code, message), class, "{action} {code}");
        }
    }

    #[test]
    fn an_error_says_what_was_asked_of_what_and_what_came_back() {
        assert_eq!(
            error(Class::Absent).to_string(),
            "ses:GetEmailIdentity pivot.app: NotFoundException: no such identity (request id r-1)"
        );
    }

    #[test]
    fn what_is_absent_is_none_and_nothing_else_is() {
        assert_eq!(Err::<(), _>(error(Class::Absent)).or_absent(), Ok(None));
        assert!(Err::<(), _>(error(Class::Denied)).or_absent().is_err());
        assert_eq!(Ok(1).or_absent(), Ok(Some(1)));
    }

    #[test]
    fn who_is_denied_is_told_the_missing_permission() {
        let hint = error(Class::Denied).hint().unwrap();
        assert_eq!(hint, "allow ses:GetEmailIdentity on pivot.app to the credentials in use");
        let topic = "arn:aws:sns:us-east-1:123456789012:t";
        for message in [
            format!(
                "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: sns:TagResource on resource: {topic} because no identity-based policy allows it"
            ),
            format!(
                "User `arn:aws:iam::123456789012:user/ci' is not authorized to perform `sns:TagResource' on resource `{topic}'"
            ),
        ] {
            let hint = AwsError { message, ..error(Class::Denied) }.hint().unwrap();
            let wanted = format!("allow sns:TagResource on {topic} to the credentials in use");
            assert_eq!(hint, wanted);
        }
    }
}
