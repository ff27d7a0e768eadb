//! What the kind `attachment` needs to be allowed, and which inputs of IAM it manages.

use super::Attachment;
use crate::kinds::{Documented, Input, Permission, Phase, Scope};

impl Documented for Attachment {
    const PERMISSIONS: &'static [Permission] = &[
        Permission { action: "iam:ListPolicies", resource: Scope::Everything, phase: Phase::Plan },
        Permission { action: "iam:GetPolicy", resource: Scope::Policy, phase: Phase::Plan },
        Permission {
            action: "iam:ListEntitiesForPolicy",
            resource: Scope::Policy,
            phase: Phase::Plan,
        },
        Permission { action: "iam:GetRole", resource: Scope::Principal, phase: Phase::Plan },
        Permission { action: "iam:GetUser", resource: Scope::Principal, phase: Phase::Plan },
        Permission { action: "iam:GetGroup", resource: Scope::Principal, phase: Phase::Plan },
        Permission {
            action: "iam:AttachRolePolicy",
            resource: Scope::Principal,
            phase: Phase::Apply,
        },
        Permission {
            action: "iam:AttachUserPolicy",
            resource: Scope::Principal,
            phase: Phase::Apply,
        },
        Permission {
            action: "iam:AttachGroupPolicy",
            resource: Scope::Principal,
            phase: Phase::Apply,
        },
        Permission {
            action: "iam:DetachRolePolicy",
            resource: Scope::Principal,
            phase: Phase::Apply,
        },
        Permission {
            action: "iam:DetachUserPolicy",
            resource: Scope::Principal,
            phase: Phase::Apply,
        },
        Permission {
            action: "iam:DetachGroupPolicy",
            resource: Scope::Principal,
            phase: Phase::Apply,
        },
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
