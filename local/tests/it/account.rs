//! A cloud and AWS's own clients for it.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use sesinfra_local::{Cloud, Options};

/// The account in which tests work.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The Region in which tests work.
pub(crate) const REGION: &str = "us-east-1";

/// A cloud that behaves as told.
pub(crate) async fn cloud(options: Options) -> Cloud {
    Cloud::start(options).await.unwrap()
}

/// Clients of an account's administrator that do not retry, so that every refusal is seen.
pub(crate) fn administrator(cloud: &Cloud, account: &str) -> SdkConfig {
    let (key, secret) = Cloud::administrator(account);
    caller(cloud, Credentials::new(key, secret, None, None, "test"), REGION)
}

/// Clients of any caller.
pub(crate) fn caller(cloud: &Cloud, credentials: Credentials, region: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(cloud.endpoint())
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            credentials,
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .build()
}

/// The code of the error a call was refused with.
pub(crate) fn code<T, E, R>(
    result: Result<T, aws_smithy_runtime_api::client::result::SdkError<E, R>>,
) -> String
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    match result {
        Ok(_) => "none".to_owned(),
        Err(error) => match error.as_service_error().and_then(|error| error.meta().code()) {
            Some(code) => code.to_owned(),
            None => "no answer".to_owned(),
        },
    }
}
