//! From an environment file to a session: credentials as the AWS CLI finds them, and the proof that they are the right ones.
//!
//! # Guarantees
//! `GetCallerIdentity` comes before every other call, save for those by which a role is assumed. With credentials of
//! another account or partition no other call is made.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_types::os_shim_internal::{Env, Fs};

use super::calls::{Calls, CountsAttempts, Listener, client, retries};
use super::pacing::Rates;
use super::way::Way;
use super::{Arns, AwsError, Class, Facts, Neighbours, Owner, PrivateKeys, Session, failed};
use crate::environment::names::{AccountId, Arn, RoleArn};
use crate::environment::types::Aws;
use crate::environment::{Environment, listed, nearest};

/// How long a connection may take, and how long an answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The name under which roles are assumed; it is what an audit trail shows.
const ROLE_SESSION_NAME: &str = "sesinfra";

/// How AWS is reached. The default is what the AWS CLI does: environment variables, profiles, SSO, web identity,
/// instance roles, proxies, and `AWS_ENDPOINT_URL` for all services or one.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// One endpoint for all services instead of AWS's own: a local cloud.
    pub endpoint: Option<String>,
    /// These credentials instead of those found.
    pub credentials: Option<Credentials>,
    /// These instead of `credentials` for environments of an account, by its number.
    pub accounts: BTreeMap<String, Credentials>,
    /// How fast calls may be made. Left out: as fast as AWS allows, or without limit if there is an `endpoint`.
    pub rates: Option<Rates>,
    /// Who is told of throttling.
    pub listener: Option<Arc<dyn Listener>>,
    /// The root of the project, against which files of private keys are named. Empty: the current directory.
    pub root: PathBuf,
}

impl Access {
    fn rates(&self) -> Rates {
        let unlimited = self.endpoint.is_some();
        self.rates.unwrap_or(if unlimited { Rates::unlimited() } else { Rates::of_aws() })
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The credentials are of another account.
    #[error(
        "the credentials are of account {found} ({caller}), but the environment is of account {wanted}"
    )]
    WrongAccount {
        /// The account in the file.
        wanted: AccountId,
        /// The account of the credentials.
        found: String,
        /// Who the credentials are.
        caller: String,
    },
    /// The Region is of another partition than the credentials or the role.
    #[error("{region} belongs to the partition `{wanted}`, but {arn} does not")]
    WrongPartition {
        /// The Region in the file.
        region: String,
        /// Its partition.
        wanted: &'static str,
        /// What is of another partition.
        arn: String,
    },
    /// The role to be assumed is of another account.
    #[error("the role {role} is not of account {wanted}, which the environment is of")]
    WrongRole {
        /// The account in the file.
        wanted: AccountId,
        /// The role in the file.
        role: RoleArn,
    },
    /// The profile that was chosen is in none of the AWS CLI's files.
    #[error("there is no AWS profile `{name}`, which AWS_PROFILE names")]
    NoProfile {
        /// The profile.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl ConnectError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::WrongAccount { .. } => {
                Some("choose another profile (AWS_PROFILE), or correct `aws.account`".to_owned())
            }
            Self::WrongPartition { .. } => {
                Some("correct `aws.region`, or choose another profile".to_owned())
            }
            Self::WrongRole { .. } => Some("correct `aws.role` or `aws.account`".to_owned()),
            Self::NoProfile { known, .. } if known.is_empty() => {
                Some("make one: aws configure sso".to_owned())
            }
            Self::NoProfile { name, known } => {
                Some(match nearest(name, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("choose {}", listed(known, "or")),
                })
            }
            Self::Aws(error) => error.hint(),
        }
    }
}

/// Connects to the account and Region of `environment`, and reads what its blueprint needs to know.
pub async fn connect(
    environment: &Environment,
    access: &Access,
    private_keys: PrivateKeys,
) -> Result<(Arc<Session>, Facts), ConnectError> {
    let session = sign_in(environment, access).await?;
    session.know_neighbours(Neighbours::of(environment));
    let facts = super::facts::gather(environment, &session, private_keys).await?;
    Ok((session, facts))
}

/// A session of the environment's account and Region, and of no other, for what needs no more.
pub async fn sign_in(
    environment: &Environment,
    access: &Access,
) -> Result<Arc<Session>, ConnectError> {
    // Whatever the SDK does to find credentials makes a large future, and every command begins with it.
    Box::pin(signed_in(environment, access)).await
}

async fn signed_in(
    environment: &Environment,
    access: &Access,
) -> Result<Arc<Session>, ConnectError> {
    let aws = &environment.settings.aws;
    let arns = Arns::new(aws.account.clone(), aws.region.clone());
    check_role(aws, &arns)?;
    let settings = &environment.settings;
    let owner = Owner::new(settings.project.clone(), environment.name.clone(), &arns);
    let owner = owner.leaving(settings.ignore_tags.clone());
    let way = Arc::new(Way::default());
    let mut config = sdk_config(aws, access, &way).await;
    if let Some(role) = &aws.role {
        config = as_role(&config, role).await;
    }
    let session =
        Session::new(arns, owner, Connection::new(config, access, aws.account.as_str(), way));
    match check_caller(&session).await {
        Ok(()) => Ok(Arc::new(session)),
        Err(ConnectError::Aws(error)) if error.is(Class::Expired) => {
            Err(missing_profile().await.unwrap_or(ConnectError::Aws(error)))
        }
        Err(error) => Err(error),
    }
}

/// The SDK takes a profile that does not exist for one without credentials, looks for some elsewhere, and tells of that.
async fn missing_profile() -> Option<ConnectError> {
    let (files, environment) = (Fs::real(), Env::real());
    let name = environment.get("AWS_PROFILE").ok().filter(|name| !name.is_empty())?;
    let profiles =
        aws_config::profile::load(&files, &environment, &EnvConfigFiles::default(), None).await;
    let profiles = profiles.ok()?;
    if profiles.get_profile(&name).is_some() {
        return None;
    }
    let mut known: Vec<String> = profiles.profiles().map(ToOwned::to_owned).collect();
    known.sort_unstable();
    Some(ConnectError::NoProfile { name, known })
}

/// The SDK's configuration of one account and Region, and how its calls are made.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) config: SdkConfig,
    pub(super) calls: Calls,
    pub(super) root: PathBuf,
    pub(super) way: Arc<Way>,
    access: Access,
}

impl Connection {
    fn new(config: SdkConfig, access: &Access, account: &str, way: Arc<Way>) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let endpoint = config.endpoint_url().unwrap_or_default();
        let place = format!("{endpoint} {account} {region}");
        let calls = Calls::new(&place, access.rates(), access.listener.clone(), &way);
        let config = config.into_builder().identity_cache(calls.identity_cache()).build();
        Self { config, calls, root: access.root.clone(), way, access: access.clone() }
    }

    /// Route 53 as `role`, which is of another account and so under limits of its own.
    pub(super) async fn route53_as(&self, role: &RoleArn) -> aws_sdk_route53::Client {
        let account =
            Arn::parse(role.as_str()).map(|arn| arn.account().to_owned()).unwrap_or_default();
        let config = as_role(&self.config, role).await;
        let connection = Self::new(config, &self.access, &account, Arc::clone(&self.way));
        client!(aws_sdk_route53, &connection.config, connection.calls)
    }

    /// SES in another Region of the account, which is under limits of its own.
    pub(super) fn ses_in(&self, region: &str, account: &str) -> aws_sdk_sesv2::Client {
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        let connection = Self::new(config, &self.access, account, Arc::clone(&self.way));
        client!(aws_sdk_sesv2, &connection.config, connection.calls)
    }
}

async fn sdk_config(aws: &Aws, access: &Access, way: &Arc<Way>) -> SdkConfig {
    let timeouts = aws_config::timeout::TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build();
    let mut loader = aws_config::from_env()
        .region(Region::new(aws.region.to_string()))
        .http_client(http_client(access, way))
        .timeout_config(timeouts)
        .retry_config(retries(access.rates()));
    if let Some(endpoint) = &access.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let of_account = access.accounts.get(&aws.account.to_string());
    if let Some(credentials) = of_account.or(access.credentials.as_ref()) {
        loader = loader.credentials_provider(SharedCredentialsProvider::new(credentials.clone()));
    }
    loader.load().await
}

/// One pool of connections for all services. The proxies of the process environment are used, as the AWS CLI does.
fn http_client(access: &Access, way: &Arc<Way>) -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build();
    let connector = Connector::builder().connector_settings(settings);
    // A local cloud speaks plain HTTP, and reading the certificates of the system would be half of a short run.
    let connector = if access.endpoint.as_ref().is_some_and(|url| url.starts_with("http://")) {
        connector.build_http()
    } else {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        connector.proxy_config(ProxyConfig::from_env()).tls_provider(ring).build()
    };
    let connector = SharedHttpConnector::new(CountsAttempts {
        inner: SharedHttpConnector::new(connector),
        way: Arc::clone(way),
    });
    http_client_fn(move |_, _| connector.clone())
}

/// The same with the credentials of `role`, assumed with those of before.
async fn as_role(config: &SdkConfig, role: &RoleArn) -> SdkConfig {
    let provider = aws_config::sts::AssumeRoleProvider::builder(role.as_str())
        .configure(config)
        .session_name(ROLE_SESSION_NAME)
        .build()
        .await;
    config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

/// A role of another account could only ever be refused, so it is not even assumed.
fn check_role(aws: &Aws, arns: &Arns) -> Result<(), ConnectError> {
    let Some(role) = &aws.role else { return Ok(()) };
    check_partition(arns, role.as_str())?;
    let is_of_account =
        Arn::parse(role.as_str()).is_ok_and(|arn| arn.account() == aws.account.as_str());
    if is_of_account {
        Ok(())
    } else {
        Err(ConnectError::WrongRole { wanted: aws.account.clone(), role: role.clone() })
    }
}

async fn check_caller(session: &Session) -> Result<(), ConnectError> {
    let caller = session.sts().get_caller_identity().send().await;
    let caller = caller.map_err(failed("sts:GetCallerIdentity", "for these credentials"))?;
    let (found, caller) = (caller.account.unwrap_or_default(), caller.arn.unwrap_or_default());
    let wanted = session.arns.account();
    if found != wanted.as_str() {
        return Err(ConnectError::WrongAccount { wanted: wanted.clone(), found, caller });
    }
    check_partition(&session.arns, &caller)?;
    session.know_caller(&caller);
    Ok(())
}

fn check_partition(arns: &Arns, arn: &str) -> Result<(), ConnectError> {
    match arn.split(':').nth(1) {
        Some(partition) if partition != arns.partition() => Err(ConnectError::WrongPartition {
            region: arns.region().to_string(),
            wanted: arns.partition(),
            arn: arn.to_owned(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::names::Region as RegionName;

    fn aws(region: &str, role: Option<&str>) -> Aws {
        Aws {
            account: AccountId::parse("123456789012").unwrap(),
            region: RegionName::parse(region).unwrap(),
            role: role.map(|role| RoleArn::parse(role).unwrap()),
        }
    }

    fn checked(aws: &Aws) -> Result<(), ConnectError> {
        check_role(aws, &Arns::new(aws.account.clone(), aws.region.clone()))
    }

    #[test]
    fn a_role_must_be_of_the_account_and_the_partition() {
        let role = |text| checked(&aws("us-east-1", Some(text)));
        assert!(role("arn:aws:iam::123456789012:role/apply").is_ok());
        let other = role("arn:aws:iam::210987654321:role/apply").unwrap_err();
        assert!(matches!(other, ConnectError::WrongRole { .. }), "{other}");
        let china = role("arn:aws-cn:iam::123456789012:role/apply").unwrap_err();
        assert!(matches!(china, ConnectError::WrongPartition { .. }), "{china}");
        assert!(checked(&aws("us-east-1", None)).is_ok());
    }

    #[test]
    fn only_a_local_cloud_is_called_without_limit() {
        assert!(Access::default().rates().are_limited());
        let local = Access { endpoint: Some("http://127.0.0.1:1".to_owned()), ..Access::default() };
        assert!(!local.rates().are_limited());
        let limited = Access { rates: Some(Rates::of_aws()), ..local };
        assert!(limited.rates().are_limited());
    }
}
