//! IAM as strict as AWS: names are unique whatever their case and path, and documents and attachments have limits.

use std::sync::Arc;

use fakecloud_core::auth::IamAction;
use fakecloud_core::service::{AwsRequest, AwsServiceError};
use http::StatusCode;

use super::{Check, Then, tagging};
use crate::world::World;

/// The longest policy, white space not counted.
const POLICY: usize = 6144;
/// The most policies attached to one role, user or group.
const ATTACHED: usize = 10;

/// The check in front of IAM.
pub(crate) struct Entities(pub(crate) Arc<World>);

impl Check for Entities {
    fn before(&self, request: &mut AwsRequest) -> Result<Then, AwsServiceError> {
        match request.action.as_str() {
            "CreatePolicy" => {
                self.name_is_free(request)?;
                length(request)?;
            }
            "CreatePolicyVersion" => length(request)?,
            "DeletePolicy" => self.only_version(request)?,
            "AttachRolePolicy" | "AttachUserPolicy" | "AttachGroupPolicy" => self.room(request)?,
            _ => {}
        }
        Ok(None)
    }

    fn also(&self, request: &AwsRequest, needed: &[IamAction]) -> Vec<IamAction> {
        const TAGGING: [(&str, &str); 3] =
            [("CreatePolicy", "TagPolicy"), ("CreateRole", "TagRole"), ("CreateUser", "TagUser")];
        TAGGING.iter().filter_map(|(create, tag)| tagging(request, needed, create, tag)).collect()
    }
}

impl Entities {
    fn name_is_free(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let name = parameter(request, "PolicyName");
        let accounts = self.0.iam.read();
        let mut policies =
            accounts.get(&request.account_id).into_iter().flat_map(|state| state.policies.values());
        match policies.find(|policy| policy.policy_name.eq_ignore_ascii_case(name)) {
            Some(_) => Err(conflict(
                "EntityAlreadyExists",
                format!("A policy called {name} already exists. Duplicate names are not allowed."),
            )),
            None => Ok(()),
        }
    }

    /// A policy is deleted with its default version; the others must be gone.
    fn only_version(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let accounts = self.0.iam.read();
        let policy = accounts
            .get(&request.account_id)
            .and_then(|state| state.policies.get(parameter(request, "PolicyArn")));
        match policy {
            Some(policy) if policy.versions.len() > 1 => Err(conflict(
                "DeleteConflict",
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    fn room(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let arn = parameter(request, "PolicyArn");
        let accounts = self.0.iam.read();
        let Some(state) = accounts.get(&request.account_id) else { return Ok(()) };
        let (kind, attached) = match request.action.as_str() {
            "AttachRolePolicy" => ("role", state.role_policies.get(parameter(request, "RoleName"))),
            "AttachUserPolicy" => ("user", state.user_policies.get(parameter(request, "UserName"))),
            _ => (
                "group",
                state
                    .groups
                    .get(parameter(request, "GroupName"))
                    .map(|group| &group.attached_policies),
            ),
        };
        match attached {
            Some(attached)
                if attached.len() >= ATTACHED && !attached.iter().any(|one| one == arn) =>
            {
                Err(conflict(
                    "LimitExceeded",
                    format!("Cannot exceed quota for PoliciesPer{kind}: {ATTACHED}"),
                ))
            }
            _ => Ok(()),
        }
    }
}

fn length(request: &AwsRequest) -> Result<(), AwsServiceError> {
    let length = parameter(request, "PolicyDocument")
        .chars()
        .filter(|character| !character.is_whitespace())
        .count();
    if length > POLICY {
        return Err(conflict(
            "LimitExceeded",
            format!("Cannot exceed quota for PolicySize: {POLICY}"),
        ));
    }
    Ok(())
}

fn parameter<'a>(request: &'a AwsRequest, name: &str) -> &'a str {
    request.query_params.get(name).map_or("", String::as_str)
}

fn conflict(code: &str, message: String) -> AwsServiceError {
    AwsServiceError::aws_error(StatusCode::CONFLICT, code, message)
}
