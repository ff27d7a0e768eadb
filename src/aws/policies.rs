//! What is read of the customer-managed IAM policies of an account, shared between send policies and their attachments:
//! each thing once per run, until it is written or reads are forgotten.
//!
//! Invariant: a policy is found by its name alone, whatever its path and without regard to case, because that is how IAM
//! keeps names unique.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_iam::types::{PolicyScopeType, PolicyUsageType};

use super::{AwsError, Class, Memo, OrAbsent, Session, failed};

/// The largest page that IAM gives.
const PAGE_LENGTH_MAX: i32 = 1_000;

/// What has been read of policies.
#[derive(Debug)]
pub struct Policies {
    session: Arc<Session>,
    listed: Memo<(), Arc<BTreeMap<String, Listed>>>,
    found: Memo<String, Option<Arc<Found>>>,
    principals: Memo<String, Arc<BTreeSet<Principal>>>,
    /// ARNs by name, of what was ever listed or made: an ARN does not go stale, though its policy may go.
    arns: Mutex<BTreeMap<String, String>>,
}

/// One policy in the list of the account's policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name, with its case.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

/// One policy with what IAM tells only of a single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name, with its case.
    pub name: String,
    /// Its path.
    pub path: String,
    /// The id of the version in force.
    pub version: String,
    /// How many roles, users and groups it is attached to.
    pub attachments: i32,
    /// How many roles and users have it as their permissions boundary.
    pub boundaries: i32,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The kinds of principals that policies are attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// An IAM group.
    Group,
    /// An IAM role.
    Role,
    /// An IAM user.
    User,
}

/// A role, user or group that a policy is or is to be attached to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal {
    /// What it is.
    pub kind: PrincipalKind,
    /// Its name, without path.
    pub name: String,
}

impl PrincipalKind {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Role => "role",
            Self::User => "user",
        }
    }
}

impl fmt::Display for PrincipalKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

impl FromStr for PrincipalKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Group, Self::Role, Self::User]
            .into_iter()
            .find(|kind| kind.word() == text)
            .ok_or_else(|| format!("`{text}` is neither a role nor a user nor a group"))
    }
}

impl Principal {
    /// Whether two names mean one principal: IAM keeps the case of names and does not tell them apart by it.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name.eq_ignore_ascii_case(&other.name)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind, self.name)
    }
}

impl Policies {
    /// Nothing read yet.
    #[must_use]
    pub fn new(session: &Arc<Session>) -> Self {
        Self {
            session: Arc::clone(session),
            listed: session.memo(),
            found: session.memo(),
            principals: session.memo(),
            arns: Mutex::default(),
        }
    }

    /// All customer-managed policies of the account, over all paths, by their name in lower case.
    pub async fn listed(&self) -> Result<Arc<BTreeMap<String, Listed>>, AwsError> {
        let read = || async {
            let list = self.session.iam().list_policies().scope(PolicyScopeType::Local);
            let mut pages = list.max_items(PAGE_LENGTH_MAX).into_paginator().send();
            let mut listed = BTreeMap::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(failed("iam:ListPolicies", "the account's policies"))?;
                for policy in page.policies.unwrap_or_default() {
                    let (Some(name), Some(arn)) = (policy.policy_name, policy.arn) else {
                        continue;
                    };
                    self.arns().insert(name.to_ascii_lowercase(), arn.clone());
                    listed.insert(name.to_ascii_lowercase(), Listed { name, arn });
                }
            }
            Ok(Arc::new(listed))
        };
        self.listed.get((), read).await
    }

    /// From now on reading everything passes over the policies with these names.
    pub fn pass_over(&self, names: &BTreeSet<String>) {
        self.session.pass_over(&self.session.arns.policy("/", ""), names);
    }

    /// Whether reading everything passes over the policy called `name`.
    #[must_use]
    pub fn passes_over(&self, name: &str) -> bool {
        self.session.passes_over(&self.session.arns.policy("/", ""), name)
    }

    /// The ARN of the policy called `name`, as far as this run knows it or IAM lists it.
    pub async fn arn_of(&self, name: &str) -> Result<Option<String>, AwsError> {
        let key = name.to_ascii_lowercase();
        if let Some(arn) = self.arns().get(&key).cloned() {
            return Ok(Some(arn));
        }
        Ok(self.listed().await?.get(&key).map(|listed| listed.arn.clone()))
    }

    /// Remembers the ARN of a policy that was just made.
    pub fn made(&self, name: &str, arn: &str) {
        self.arns().insert(name.to_ascii_lowercase(), arn.to_owned());
    }

    /// The policy at `arn`; `None` if there is none.
    pub async fn found(&self, arn: &str) -> Result<Option<Arc<Found>>, AwsError> {
        let read = || async {
            let answer = self.session.iam().get_policy().policy_arn(arn).send().await;
            let answer = answer.map_err(failed("iam:GetPolicy", arn)).or_absent()?;
            let Some(policy) = answer.and_then(|answer| answer.policy) else { return Ok(None) };
            let tags = policy.tags.unwrap_or_default().into_iter();
            Ok(Some(Arc::new(Found {
                name: policy.policy_name.unwrap_or_default(),
                path: policy.path.unwrap_or_else(|| "/".to_owned()),
                version: policy.default_version_id.unwrap_or_default(),
                attachments: policy.attachment_count.unwrap_or_default(),
                boundaries: policy.permissions_boundary_usage_count.unwrap_or_default(),
                tags: tags.map(|tag| (tag.key, tag.value)).collect(),
            })))
        };
        self.found.get(arn.to_owned(), read).await
    }

    /// Whom the policy at `arn` is attached to; nobody if there is no such policy.
    pub async fn principals(&self, arn: &str) -> Result<Arc<BTreeSet<Principal>>, AwsError> {
        let read = || async {
            let list = self.session.iam().list_entities_for_policy().policy_arn(arn);
            // Without the filter those are listed too that have the policy as their permissions boundary.
            let list = list.policy_usage_filter(PolicyUsageType::PermissionsPolicy);
            let mut pages = list.max_items(PAGE_LENGTH_MAX).into_paginator().send();
            let mut found = BTreeSet::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(failed("iam:ListEntitiesForPolicy", arn)).or_absent()?;
                let Some(page) = page else { break };
                let of = |kind, name: Option<String>| Some(Principal { kind, name: name? });
                let groups = page.policy_groups.unwrap_or_default().into_iter();
                found.extend(groups.filter_map(|it| of(PrincipalKind::Group, it.group_name)));
                let roles = page.policy_roles.unwrap_or_default().into_iter();
                found.extend(roles.filter_map(|it| of(PrincipalKind::Role, it.role_name)));
                let users = page.policy_users.unwrap_or_default().into_iter();
                found.extend(users.filter_map(|it| of(PrincipalKind::User, it.user_name)));
            }
            Ok(Arc::new(found))
        };
        self.principals.get(arn.to_owned(), read).await
    }

    /// Forgets what was read of the policy at `arn`, because it was written, and which policies there are.
    pub fn forget(&self, arn: &str) {
        self.listed.forget_all();
        self.found.forget_key(&arn.to_owned());
        self.principals.forget_key(&arn.to_owned());
    }

    /// Attaches the policy at `arn`. Doing so twice is as good as once.
    pub async fn attach(&self, arn: &str, to: &Principal) -> Result<(), AwsError> {
        let iam = self.session.iam();
        let answer = match to.kind {
            PrincipalKind::Group => {
                let call = iam.attach_group_policy().group_name(&to.name).policy_arn(arn);
                call.send().await.map(|_| ()).map_err(failed("iam:AttachGroupPolicy", to))
            }
            PrincipalKind::Role => {
                let call = iam.attach_role_policy().role_name(&to.name).policy_arn(arn);
                call.send().await.map(|_| ()).map_err(failed("iam:AttachRolePolicy", to))
            }
            PrincipalKind::User => {
                let call = iam.attach_user_policy().user_name(&to.name).policy_arn(arn);
                call.send().await.map(|_| ()).map_err(failed("iam:AttachUserPolicy", to))
            }
        };
        self.forget(arn);
        answer
    }

    /// Detaches the policy at `arn`. One that is not attached, or gone with its principal, is as good as detached.
    pub async fn detach(&self, arn: &str, from: &Principal) -> Result<(), AwsError> {
        let iam = self.session.iam();
        let answer = match from.kind {
            PrincipalKind::Group => {
                let call = iam.detach_group_policy().group_name(&from.name).policy_arn(arn);
                call.send().await.map(|_| ()).map_err(failed("iam:DetachGroupPolicy", from))
            }
            PrincipalKind::Role => {
                let call = iam.detach_role_policy().role_name(&from.name).policy_arn(arn);
                call.send().await.map(|_| ()).map_err(failed("iam:DetachRolePolicy", from))
            }
            PrincipalKind::User => {
                let call = iam.detach_user_policy().user_name(&from.name).policy_arn(arn);
                call.send().await.map(|_| ()).map_err(failed("iam:DetachUserPolicy", from))
            }
        };
        self.forget(arn);
        answer.or_absent().map(|_| ())
    }

    /// Whether there is such a principal; `None` if the credentials may not look.
    pub async fn exists(&self, principal: &Principal) -> Result<Option<bool>, AwsError> {
        let iam = self.session.iam();
        let name = &principal.name;
        let answer = match principal.kind {
            PrincipalKind::Group => {
                // One page of its users is read along; a single entry is enough.
                let call = iam.get_group().group_name(name).max_items(1);
                call.send().await.map(|_| ()).map_err(failed("iam:GetGroup", principal))
            }
            PrincipalKind::Role => {
                let call = iam.get_role().role_name(name);
                call.send().await.map(|_| ()).map_err(failed("iam:GetRole", principal))
            }
            PrincipalKind::User => {
                let call = iam.get_user().user_name(name);
                call.send().await.map(|_| ()).map_err(failed("iam:GetUser", principal))
            }
        };
        match answer {
            Ok(()) => Ok(Some(true)),
            Err(error) if error.is(Class::Absent) => Ok(Some(false)),
            Err(error) if error.is(Class::Denied) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn arns(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        // Each use is one operation, so a panic elsewhere cannot leave the map half changed.
        self.arns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
