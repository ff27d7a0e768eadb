//! How every call is made: paced before it is signed, retried for minutes when AWS says that there are too many.
//!
//! The pacing sits where an attempt gets its credentials: the last step before signing that may wait. After signing
//! would be too late, since a signature is good for five minutes only, and in front of the SDK its retries would go
//! unpaced.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::ErrorKind;

use super::Class;
use super::error::classify;
use super::pacing::{Pacer, Rates, Slowdown};
use super::way::Way;

/// Attempts at a throttled call: with waits of up to 20 seconds that is four to five minutes.
const THROTTLED_ATTEMPTS_MAX: u32 = 25;
/// Attempts at a call that failed for another passing reason.
const OTHER_ATTEMPTS_MAX: u32 = 5;

/// What a call fails with that is not made, because none is to be made any more.
pub(super) const SHUT: &str = "this run no longer holds the lock";

/// Something about calls that whoever waits for them may like to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// AWS says that there are too many calls; this one will be tried again.
    Throttled {
        /// The action: `ses:GetEmailIdentity`.
        action: String,
        /// How often it was tried so far.
        attempts: u32,
        /// What that led to; nothing where it has nothing to do with how fast calls are made.
        slowdown: Option<Slowdown>,
    },
}

/// Hears notes; called in the middle of a call, so it must not wait.
pub trait Listener: fmt::Debug + Send + Sync {
    /// Hears one note.
    fn hear(&self, note: Note);
}

/// What all clients of one account and Region share.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    pacer: Arc<Pacer>,
    way: Arc<Way>,
    listener: Option<Arc<dyn Listener>>,
}

impl Calls {
    pub(super) fn new(
        place: &str,
        rates: Rates,
        listener: Option<Arc<dyn Listener>>,
        way: &Arc<Way>,
    ) -> Self {
        Self { pacer: Pacer::shared(place, rates), way: Arc::clone(way), listener }
    }

    /// Where an attempt waits for its time and gets its credentials.
    pub(super) fn identity_cache(&self) -> SharedIdentityCache {
        SharedIdentityCache::new(PacedIdentities {
            pacer: self.pacer.clone(),
            way: Arc::clone(&self.way),
            cache: IdentityCache::lazy().build(),
        })
    }

    fn heard(&self, action: String, attempts: u32, slowdown: Option<Slowdown>) {
        if let Some(listener) = &self.listener {
            listener.hear(Note::Throttled { action, attempts, slowdown });
        }
    }
}

/// How often and how long failed calls are retried. Where nothing is limited, waiting long is no use either.
pub(super) fn retries(rates: Rates) -> RetryConfig {
    let (first, longest) = if rates.are_limited() { (1_000, 20_000) } else { (20, 500) };
    RetryConfig::standard()
        .with_max_attempts(THROTTLED_ATTEMPTS_MAX)
        .with_initial_backoff(Duration::from_millis(first))
        .with_max_backoff(Duration::from_millis(longest))
}

/// A client of the SDK crate `$service` that makes its calls as described here.
macro_rules! client {
    ($service:ident, $config:expr, $calls:expr) => {{
        // The SDK's own bucket would end the retries of a mass of throttled calls before their time.
        let partition = $service::config::retry::RetryPartition::custom("sesinfra")
            .token_bucket($service::config::retry::TokenBucket::unlimited())
            .build();
        let config = $service::config::Builder::from($config)
            .interceptor($crate::aws::calls::WatchThrottling($calls.clone()))
            .retry_classifier($crate::aws::calls::LimitRetries)
            .retry_partition(partition)
            .build();
        $service::Client::from_conf(config)
    }};
}
pub(super) use client;

#[derive(Debug)]
struct PacedIdentities {
    pacer: Arc<Pacer>,
    way: Arc<Way>,
    cache: SharedIdentityCache,
}

impl ResolveCachedIdentity for PacedIdentities {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        runtime_components: &'a RuntimeComponents,
        config_bag: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            if let Some((service, operation)) = called(config_bag) {
                self.pacer.pass(service, operation).await;
            }
            // After the wait for its time, so that nothing that waited goes out.
            if self.way.is_shut() {
                return Err(SHUT.into());
            }
            self.cache.resolve_cached_identity(resolver, runtime_components, config_bag).await
        })
    }
}

/// The service as IAM calls it, and the operation.
fn called(config_bag: &ConfigBag) -> Option<(&'static str, &str)> {
    let metadata = config_bag.load::<Metadata>()?;
    let service = match metadata.service() {
        "SESv2" => "ses",
        "SNS" => "sns",
        "SQS" => "sqs",
        "IAM" => "iam",
        "Route 53" => "route53",
        "Resource Groups Tagging API" => "tag",
        "KMS" => "kms",
        "SSM" => "ssm",
        "Secrets Manager" => "secretsmanager",
        "CloudWatch" => "cloudwatch",
        "Service Quotas" => "servicequotas",
        _ => return None,
    };
    Some((service, metadata.name()))
}

/// Tells the pacer and the listener of throttled calls.
#[derive(Debug)]
pub(super) struct WatchThrottling(pub(super) Calls);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for WatchThrottling {
    fn name(&self) -> &'static str {
        "WatchThrottling"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _runtime_components: &RuntimeComponents,
        config_bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let class = context.inner().response().and_then(class_of);
        let called = called(config_bag);
        if let Some((service, operation)) = called {
            log(service, operation, context.inner().response());
        }
        if class == Some(Class::Throttled)
            && let Some((service, operation)) = called
        {
            // Another change of the same zone is under way: that has nothing to do with how fast we call.
            let code = context.inner().response().and_then(code_of);
            let is_pace = code.as_deref() != Some("PriorRequestNotComplete");
            let slowdown = is_pace.then(|| self.0.pacer.throttled(service, operation)).flatten();
            let attempts =
                config_bag.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
            self.0.heard(format!("{service}:{operation}"), attempts, slowdown);
        }
        Ok(())
    }
}

/// Logs what was called and how it ended, and nothing of what was asked or answered.
fn log(service: &str, operation: &str, response: Option<&HttpResponse>) {
    if tracing::enabled!(tracing::Level::DEBUG) {
        let status = response.map(|it| it.status().as_u16());
        let code = response.and_then(code_of).unwrap_or_default();
        tracing::debug!("{service}:{operation} {} {code}", status.unwrap_or_default());
    }
}

/// Corrects what the SDK thinks of an error, and gives up early on those that are not throttling.
#[derive(Debug)]
pub(super) struct LimitRetries;

impl ClassifyRetry for LimitRetries {
    fn name(&self) -> &'static str {
        "LimitRetries"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        self.classify_retry_v2(context, &RetryAction::NoActionIndicated)
    }

    fn classify_retry_v2(
        &self,
        context: &InterceptorContext,
        previous: &RetryAction,
    ) -> RetryAction {
        let response = context.response().filter(|_| context.is_failed());
        let attempt = response.and_then(|it| it.extension::<Attempt>()).map_or(1, |it| it.0);
        verdict(response.and_then(class_of), attempt, previous)
    }
}

fn verdict(class: Option<Class>, attempt: u32, previous: &RetryAction) -> RetryAction {
    match class {
        // The SDK takes SES's LimitExceededException, a real quota, for throttling.
        Some(Class::Limit) => return RetryAction::RetryForbidden,
        // It does not know SNS's code `Throttled`.
        Some(Class::Throttled) => return RetryAction::throttling_error(),
        Some(Class::Concurrent) if attempt < OTHER_ATTEMPTS_MAX => {
            return RetryAction::transient_error();
        }
        _ => {}
    }
    let is_throttling = matches!(
        previous,
        RetryAction::RetryIndicated(RetryReason::RetryableError {
            kind: ErrorKind::ThrottlingError,
            ..
        })
    );
    let gives_up = attempt >= OTHER_ATTEMPTS_MAX && !is_throttling;
    if gives_up { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
}

/// Which attempt this is, as the SDK tells the service in a header.
fn attempt_of(request: &HttpRequest) -> u32 {
    let header = request.headers().get("amz-sdk-request").unwrap_or_default();
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut attempts = pairs.filter(|(key, _)| *key == "attempt");
    attempts.next().and_then(|(_, number)| number.parse().ok()).unwrap_or(1)
}

/// The number of the attempt that an answer belongs to.
#[derive(Clone, Copy, Debug)]
struct Attempt(u32);

/// A way to the services that counts attempts: the SDK has let go of the request by the time that it asks whether to
/// try again. An answer carries the number, and a failure to get one becomes final by itself.
#[derive(Debug)]
pub(super) struct CountsAttempts {
    pub(super) inner: SharedHttpConnector,
    pub(super) way: Arc<Way>,
}

impl HttpConnector for CountsAttempts {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let attempt = attempt_of(&request);
        let answer = self.inner.call(request);
        let way = Arc::clone(&self.way);
        HttpConnectorFuture::new(async move {
            match answer.await {
                Ok(mut response) => {
                    way.answered();
                    response.add_extension(Attempt(attempt));
                    Ok(response)
                }
                // Timeouts and broken connections are retried; what is of the kind "other" is not.
                Err(error) if way.failed(attempt, OTHER_ATTEMPTS_MAX) => {
                    Err(ConnectorError::other(error.into(), None))
                }
                Err(error) => Err(error),
            }
        })
    }
}

fn class_of(response: &HttpResponse) -> Option<Class> {
    let code = code_of(response)?;
    Some(classify("", &code, ""))
}

/// The error code of an answer in any of AWS's protocols.
fn code_of(response: &HttpResponse) -> Option<String> {
    if response.status().is_success() {
        return None;
    }
    if let Some(header) = response.headers().get("x-amzn-errortype") {
        return Some(bare_code(header));
    }
    let body = std::str::from_utf8(response.body().bytes()?).ok()?;
    let between = |start: &str, end: char| {
        let (_, rest) = body.split_once(start)?;
        rest.split_once(end).map(|(code, _)| code)
    };
    let quoted = || {
        let document: serde_json::Value = serde_json::from_str(body).ok()?;
        let code = document.get("__type").or_else(|| document.get("code"))?;
        code.as_str().map(bare_code)
    };
    between("<Code>", '<').map(bare_code).or_else(quoted)
}

/// `com.amazonaws.x#Code:http://...` without what stands around the code.
fn bare_code(text: &str) -> String {
    let text = text.rsplit_once('#').map_or(text, |(_, code)| code);
    text.split(':').next().unwrap_or(text).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn response(status: u16, body: &'static str) -> HttpResponse {
        HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
    }

    #[test]
    fn the_code_is_found_in_every_protocol() {
        let mut with_header = response(429, "{}");
        with_header.headers_mut().insert("x-amzn-errortype", "TooManyRequestsException:http://x/");
        assert_eq!(code_of(&with_header).unwrap(), "TooManyRequestsException");
        let json =
            response(400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"}"#);
        assert_eq!(code_of(&json).unwrap(), "QueueDoesNotExist");
        let xml =
            response(400, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>");
        assert_eq!(code_of(&xml).unwrap(), "Throttling");
        assert_eq!(code_of(&response(200, "<Code>Throttling</Code>")), None);
        assert_eq!(code_of(&response(503, "gateway")), None);
    }

    #[test]
    fn the_number_of_an_attempt_is_in_the_header() {
        let mut request = HttpRequest::empty();
        assert_eq!(attempt_of(&request), 1);
        request.headers_mut().insert("amz-sdk-request", "ttl=20261124T200000Z; attempt=4; max=25");
        assert_eq!(attempt_of(&request), 4);
    }

    #[test]
    fn a_quota_is_never_retried_and_throttling_always() {
        let nothing = RetryAction::NoActionIndicated;
        let throttling = RetryAction::throttling_error();
        assert_eq!(verdict(Some(Class::Limit), 1, &throttling), RetryAction::RetryForbidden);
        assert_eq!(verdict(Some(Class::Throttled), 20, &nothing), throttling);
        assert_eq!(verdict(None, 20, &throttling), nothing);
    }

    #[test]
    fn other_errors_are_retried_a_few_times() {
        let server_error = RetryAction::server_error();
        assert_eq!(verdict(Some(Class::Other), 4, &server_error), RetryAction::NoActionIndicated);
        assert_eq!(verdict(Some(Class::Other), 5, &server_error), RetryAction::RetryForbidden);
        let nothing = RetryAction::NoActionIndicated;
        assert_eq!(verdict(Some(Class::Concurrent), 1, &nothing), RetryAction::transient_error());
    }
}
