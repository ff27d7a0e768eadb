//! What the kind `send_policy` needs to be allowed, and which inputs of IAM it manages.

use super::SendPolicy;
use crate::kinds::{Documented, Input, Permission, Phase, Scope};

impl Documented for SendPolicy {
    const PERMISSIONS: &'static [Permission] = &[
        Permission { action: "iam:ListPolicies", resource: Scope::Everything, phase: Phase::Plan },
        Permission { action: "iam:GetPolicy", resource: Scope::Policy, phase: Phase::Plan },
        Permission { action: "iam:GetPolicyVersion", resource: Scope::Policy, phase: Phase::Plan },
        Permission {
            action: "iam:ListEntitiesForPolicy",
            resource: Scope::Policy,
            phase: Phase::Plan,
        },
        Permission { action: "iam:CreatePolicy", resource: Scope::Policy, phase: Phase::Apply },
        Permission {
            action: "iam:ListPolicyVersions",
            resource: Scope::Policy,
            phase: Phase::Apply,
        },
        Permission {
            action: "iam:CreatePolicyVersion",
            resource: Scope::Policy,
            phase: Phase::Apply,
        },
        Permission {
            action: "iam:DeletePolicyVersion",
            resource: Scope::Policy,
            phase: Phase::Apply,
        },
        Permission { action: "iam:DeletePolicy", resource: Scope::Policy, phase: Phase::Apply },
        // CreatePolicy with tags needs it too.
        Permission { action: "iam:TagPolicy", resource: Scope::Policy, phase: Phase::Apply },
        Permission { action: "iam:UntagPolicy", resource: Scope::Policy, phase: Phase::Apply },
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
