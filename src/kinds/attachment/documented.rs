//! What the kind `attachment` needs to be allowed, and which inputs of IAM it manages.

use super::Attachment;
use crate::kinds::{Documented, Input, Permission, Scope};

impl Documented for Attachment {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("iam:ListPolicies", Scope::Everything),
        Permission::to_plan("iam:GetPolicy", Scope::Policy),
        Permission::to_plan("iam:ListEntitiesForPolicy", Scope::Policy),
        Permission::to_plan("iam:GetRole", Scope::Principal),
        Permission::to_plan("iam:GetUser", Scope::Principal),
        Permission::to_plan("iam:GetGroup", Scope::Principal),
        Permission::to_apply("iam:AttachRolePolicy", Scope::Principal),
        Permission::to_apply("iam:AttachUserPolicy", Scope::Principal),
        Permission::to_apply("iam:AttachGroupPolicy", Scope::Principal),
        Permission::to_apply("iam:DetachRolePolicy", Scope::Principal),
        Permission::to_apply("iam:DetachUserPolicy", Scope::Principal),
        Permission::to_apply("iam:DetachGroupPolicy", Scope::Principal),
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "AttachRolePolicy",
            service: "iam",
            managed: &["role_name", "policy_arn"],
            excluded: &[],
        },
        Input {
            operation: "AttachUserPolicy",
            service: "iam",
            managed: &["user_name", "policy_arn"],
            excluded: &[],
        },
        Input {
            operation: "AttachGroupPolicy",
            service: "iam",
            managed: &["group_name", "policy_arn"],
            excluded: &[],
        },
        Input {
            operation: "DetachRolePolicy",
            service: "iam",
            managed: &["role_name", "policy_arn"],
            excluded: &[],
        },
        Input {
            operation: "DetachUserPolicy",
            service: "iam",
            managed: &["user_name", "policy_arn"],
            excluded: &[],
        },
        Input {
            operation: "DetachGroupPolicy",
            service: "iam",
            managed: &["group_name", "policy_arn"],
            excluded: &[],
        },
    ];
}
