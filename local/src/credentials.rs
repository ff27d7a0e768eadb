//! Who a caller is. Beside the access keys and sessions that IAM and STS hand out, every account has an administrator
//! from the start, whose access key follows from the account: a newcomer needs none to begin with.

use std::sync::Arc;

use fakecloud_core::auth::{CredentialResolver, Principal, PrincipalType, ResolvedCredential};
use fakecloud_iam::credential_resolver::IamCredentialResolver;
use fakecloud_iam::{IamUser, SharedIamState};

/// What the access key of an account's administrator starts with; the account follows.
const ADMINISTRATOR: &str = "LOCALADMIN";

/// The administrators' secret.
pub const SECRET: &str = "local";

/// The access key of an account's administrator.
#[must_use]
pub fn administrator(account: &str) -> String {
    format!("{ADMINISTRATOR}{account}")
}

/// Finds who an access key belongs to.
pub(crate) struct Callers {
    iam: SharedIamState,
    issued: IamCredentialResolver,
}

impl Callers {
    pub(crate) fn of(iam: &SharedIamState) -> Arc<Self> {
        Arc::new(Self { iam: Arc::clone(iam), issued: IamCredentialResolver::new(Arc::clone(iam)) })
    }

    /// An administrator exists as soon as it calls.
    fn administrator(&self, account: &str) -> ResolvedCredential {
        const NAME: &str = "administrator";
        let arn = format!("arn:aws:iam::{account}:user/{NAME}");
        let id = format!("AIDALOCAL{account}");
        let missing =
            self.iam.read().get(account).is_none_or(|state| !state.users.contains_key(NAME));
        if missing {
            let mut accounts = self.iam.write();
            let state = accounts.get_or_create(account);
            let user = IamUser {
                user_name: NAME.to_owned(),
                user_id: id.clone(),
                arn: arn.clone(),
                path: "/".to_owned(),
                created_at: chrono::Utc::now(),
                tags: Vec::new(),
                permissions_boundary: None,
            };
            state.users.insert(NAME.to_owned(), user);
            let everything = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
            state
                .user_inline_policies
                .entry(NAME.to_owned())
                .or_default()
                .insert("everything".to_owned(), everything.to_owned());
        }
        ResolvedCredential {
            secret_access_key: SECRET.to_owned(),
            session_token: None,
            principal: Principal {
                arn,
                user_id: id,
                account_id: account.to_owned(),
                principal_type: PrincipalType::User,
                source_identity: None,
                tags: None,
            },
            session_policies: Vec::new(),
            mfa_present: false,
            token_issued_at: None,
            federated_provider: None,
        }
    }
}

impl CredentialResolver for Callers {
    fn resolve(&self, access_key_id: &str) -> Option<ResolvedCredential> {
        // A bare account number does as well: it is easy to type after AWS_ACCESS_KEY_ID=.
        let account = access_key_id.strip_prefix(ADMINISTRATOR).unwrap_or(access_key_id);
        if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(self.administrator(account));
        }
        self.issued.resolve(access_key_id)
    }

    fn is_expired(&self, access_key_id: &str) -> bool {
        self.issued.is_expired(access_key_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::world::World;

    #[test]
    fn every_account_has_an_administrator() {
        let world = World::new(Options::default(), "");
        let callers = Callers::of(&world.iam);
        let found =
            callers.resolve(&administrator("999999999999")).map(|found| found.principal.arn);
        assert_eq!(found.as_deref(), Some("arn:aws:iam::999999999999:user/administrator"));
        assert!(callers.resolve("AKIAUNKNOWN").is_none());
    }
}
