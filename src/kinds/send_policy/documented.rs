//! What the kind `send_policy` needs to be allowed, and which inputs of IAM it manages.

use super::SendPolicy;
use crate::kinds::{Documented, Input, Permission, Scope};

impl Documented for SendPolicy {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("iam:ListPolicies", Scope::Everything),
        Permission::to_plan("iam:GetPolicy", Scope::Policy),
        Permission::to_plan("iam:GetPolicyVersion", Scope::Policy),
        Permission::to_plan("iam:ListEntitiesForPolicy", Scope::Policy),
        Permission::to_apply("iam:CreatePolicy", Scope::Policy),
        Permission::to_apply("iam:ListPolicyVersions", Scope::Policy),
        Permission::to_apply("iam:CreatePolicyVersion", Scope::Policy),
        Permission::to_apply("iam:DeletePolicyVersion", Scope::Policy),
        Permission::to_apply("iam:DeletePolicy", Scope::Policy),
        // CreatePolicy with tags needs it too.
        Permission::to_apply("iam:TagPolicy", Scope::Policy),
        Permission::to_apply("iam:UntagPolicy", Scope::Policy),
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "CreatePolicy",
            service: "iam",
            managed: &["policy_name", "path", "policy_document", "tags"],
            excluded: &[(
                "description",
                "cannot be changed later, so a better one would replace the policy; tags say as much",
            )],
        },
        Input {
            operation: "CreatePolicyVersion",
            service: "iam",
            managed: &["policy_arn", "policy_document", "set_as_default"],
            excluded: &[],
        },
        Input {
            operation: "DeletePolicyVersion",
            service: "iam",
            managed: &["policy_arn", "version_id"],
            excluded: &[],
        },
        Input {
            operation: "DeletePolicy",
            service: "iam",
            managed: &["policy_arn"],
            excluded: &[],
        },
        Input {
            operation: "TagPolicy",
            service: "iam",
            managed: &["policy_arn", "tags"],
            excluded: &[],
        },
        Input {
            operation: "UntagPolicy",
            service: "iam",
            managed: &["policy_arn", "tag_keys"],
            excluded: &[],
        },
    ];
}
