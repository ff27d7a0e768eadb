//! From an environment file to a session: credentials as the AWS CLI finds them, and the proof that they are the right ones.
//!
//! # Guarantees
//! `GetCallerIdentity` is the first call. With credentials of another account no other call is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::{Arns, AwsError, Facts, Owner, Session, Zones, failed};
use crate::environment::Environment;
use crate::environment::names::{AccountId, RoleArn};

/// How AWS is reached. The default is what the AWS CLI does: environment variables, profiles, SSO, web identity,
/// instance roles, and `AWS_ENDPOINT_URL`.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// One endpoint for all services instead of AWS's own: a local cloud.
    pub endpoint: Option<String>,
    /// These credentials instead of those found.
    pub credentials: Option<Credentials>,
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
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// Connects to the account and Region of `environment`, and reads what its blueprint needs to know.
pub async fn connect(
    environment: &Environment,
    access: &Access,
) -> Result<(Arc<Session>, Facts), ConnectError> {
    let aws = &environment.settings.aws;
    let arns = Arns::new(aws.account.clone(), aws.region.clone());
    let owner = Owner::new(environment.settings.project.clone(), environment.name.clone(), &arns);
    let region = aws_config::Region::new(aws.region.to_string());
    let mut loader = aws_config::from_env().region(region);
    if let Some(endpoint) = &access.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(credentials) = &access.credentials {
        loader = loader.credentials_provider(SharedCredentialsProvider::new(credentials.clone()));
    }
    let config = loader.load().await;
    let session = Arc::new(Session::new(arns.clone(), owner.clone(), config));
    check_account(&session, &aws.account).await?;
    let facts = Facts { arns, owner, zones: Zones::default(), keys: BTreeMap::new() };
    Ok((session, facts))
}

async fn check_account(session: &Session, wanted: &AccountId) -> Result<(), ConnectError> {
    let caller = session.sts().get_caller_identity().send().await;
    let caller = caller.map_err(failed("sts:GetCallerIdentity", "the credentials"))?;
    let found = caller.account.unwrap_or_default();
    let caller = caller.arn.unwrap_or_default();
    if found == wanted.as_str() {
        session.know_caller(&caller);
        return Ok(());
    }
    Err(ConnectError::WrongAccount { wanted: wanted.clone(), found, caller })
}

/// A Route 53 client that assumes `role`.
pub(super) async fn route53_as(config: &SdkConfig, role: &RoleArn) -> aws_sdk_route53::Client {
    let provider = aws_config::sts::AssumeRoleProvider::builder(role.as_str())
        .configure(config)
        .session_name("sesinfra")
        .build()
        .await;
    let config =
        config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
    aws_sdk_route53::Client::new(&config)
}
