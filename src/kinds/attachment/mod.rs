//! Attachments: which roles, users and groups hold a send policy.
//!
//! Invariant: the principals are somebody else's. Only what our own policy is attached to is ever changed, and an
//! attachment that the policy's marks do not name is left alone.

mod documented;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::aws::policies::{Policies, Principal, PrincipalKind};
use crate::aws::{AwsError, Class, Session, short_hash};
use crate::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, Marks, OnParentDelete, Ownership,
    Put, Reading, Severity, Wanted,
};

/// A longer name is held as a hash, so that a policy's tags have room for many.
const TOKEN_LENGTH_MAX: usize = 80;

/// The kind `attachment`.
pub struct Attachment {
    session: Arc<Session>,
    policies: Arc<Policies>,
}

/// An attachment has nothing to set: it is there or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The ARN of the policy.
    pub policy: String,
    /// `role`, `user` or `group`.
    pub kind: String,
    /// The name of the role, user or group.
    pub name: String,
}

/// AWS tells nothing of an attachment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {}

/// How a policy's marks name an attachment. IAM does not tell names apart by case.
#[must_use]
pub fn token(principal: &Principal) -> String {
    let token = format!("{}:{}", principal.kind, principal.name.to_ascii_lowercase());
    if token.len() <= TOKEN_LENGTH_MAX {
        return token;
    }
    format!("{}#{}", principal.kind, short_hash(&token))
}

/// The name of an attachment: `POLICY/role/NAME`.
#[must_use]
pub fn name(policy: &str, principal: &Principal) -> String {
    format!("{policy}/{principal}")
}

/// Takes a name apart. Neither names of policies nor of principals hold a slash.
fn parts(name: &str) -> Option<(&str, Principal)> {
    let (policy, rest) = name.split_once('/')?;
    let (kind, name) = rest.split_once('/')?;
    Some((policy, Principal { kind: kind.parse().ok()?, name: name.to_owned() }))
}

/// Roles, users and groups that a file names and that do not exist.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.missing, .account))]
struct MissingPrincipals {
    account: String,
    missing: Vec<(String, Principal)>,
}

fn lines(missing: &[(String, Principal)], account: &str) -> String {
    let lines = missing.iter().map(|(policy, it)| {
        format!(
            "there is no {} `{}` in account {account}, to which {policy} is to be attached",
            it.kind, it.name
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

impl Attachment {
    /// The attachments of one account's send policies.
    #[must_use]
    pub fn new(session: &Arc<Session>, policies: &Arc<Policies>) -> Self {
        Self { session: Arc::clone(session), policies: Arc::clone(policies) }
    }

    /// The policies to look at, by name, with their ARNs as far as there are such policies.
    async fn candidates(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let mut arns = BTreeMap::new();
        for one in wanted {
            let Some((policy, _)) = parts(&one.name) else { continue };
            let arn = match (reading, &one.spec) {
                (Reading::Named, Some(spec)) => Some(spec.policy.clone()),
                (Reading::Named, None) => self.policies.arn_of(policy).await?,
                (Reading::Everything, _) => {
                    let listed = self.policies.listed().await?;
                    listed.get(&policy.to_ascii_lowercase()).map(|listed| listed.arn.clone())
                }
            };
            if let Some(arn) = arn {
                arns.insert(policy.to_owned(), arn);
            }
        }
        if reading == Reading::Everything {
            let owner = &self.session.owner;
            let prefix = format!("{}-{}-", owner.project(), owner.environment());
            for (key, listed) in self.policies.listed().await?.iter() {
                let is_known = arns.values().any(|arn| *arn == listed.arn)
                    || self.policies.passes_over(&listed.name);
                if key.starts_with(&prefix) && !is_known {
                    arns.insert(listed.name.clone(), listed.arn.clone());
                }
            }
        }
        Ok(arns)
    }

    /// The attachments of one policy that are wanted, ours, or on a policy of ours.
    async fn of_policy(
        &self,
        policy: &str,
        arn: &str,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, AwsError> {
        let Some(found) = self.policies.found(arn).await? else { return Ok(Vec::new()) };
        if reading == Reading::Everything && found.attachments == 0 {
            return Ok(Vec::new());
        }
        let (of_policy, marks, _) = self.session.owner.read(arn, &found.tags);
        let declared: Vec<(&str, Principal)> = wanted
            .iter()
            .filter_map(|one| Some((one.name.as_str(), parts(&one.name)?)))
            .filter(|(_, (of, _))| *of == policy)
            .map(|(name, (_, principal))| (name, principal))
            .collect();
        let attached = self.policies.principals(arn).await?;
        let live = attached.iter().filter_map(|principal| {
            let declared = declared.iter().find(|(_, it)| it.is(principal));
            let is_ours =
                of_policy == Ownership::Ours && marks.children.contains(&token(principal));
            let is_shown = is_ours || of_policy == Ownership::Ours;
            if declared.is_none() && (reading == Reading::Named || !is_shown) {
                return None;
            }
            // The spelling of the file is kept, so that case alone is never a difference.
            let principal = declared.map_or_else(|| principal.clone(), |(_, it)| it.clone());
            Some(Live {
                name: name(policy, &principal),
                tokens: BTreeSet::from([token(&principal)]),
                spec: Spec {
                    policy: arn.to_owned(),
                    kind: principal.kind.to_string(),
                    name: principal.name,
                },
                outputs: Outputs {},
                ownership: if is_ours { Ownership::Ours } else { Ownership::Unowned },
                parent: Some(Address::new("send_policy", policy)),
                marks: Marks::default(),
                uses: BTreeSet::new(),
                notes: Vec::new(),
            })
        });
        Ok(live.collect())
    }

    /// A principal that does not exist is an error of the file, and is found before anything is made.
    async fn refuse_missing(
        &self,
        wanted: &[Wanted<Spec>],
        live: &[Live<Spec, Outputs>],
    ) -> Result<(), BoxError> {
        let mut missing = Vec::new();
        for one in wanted.iter().filter(|one| !live.iter().any(|it| it.name == one.name)) {
            let Some((policy, principal)) = parts(&one.name) else { continue };
            if self.policies.exists(&principal).await? == Some(false) {
                missing.push((policy.to_owned(), principal));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(MissingPrincipals { account: self.session.arns.account().to_string(), missing }.into())
    }
}

#[async_trait]
impl Kind for Attachment {
    const NAME: &'static str = "attachment";
    const LIFE: Life = Life::Child(OnParentDelete::Before);
    const IMMUTABLE: &'static [&'static str] = &["policy", "kind", "name"];

    type Spec = Spec;
    type Outputs = Outputs;

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let mut live = Vec::new();
        for (policy, arn) in self.candidates(wanted, reading).await? {
            live.extend(self.of_policy(&policy, &arn, wanted, reading).await?);
        }
        if reading == Reading::Everything {
            self.refuse_missing(wanted, &live).await?;
        }
        Ok(live)
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let (_, principal) = parts(&change.name).ok_or("is not the name of an attachment")?;
        let policy = &change.to.policy;
        match self.policies.attach(policy, &principal).await {
            Ok(()) => Ok(Put::Done(Some(Outputs {}))),
            // One code for both: which of the two is absent stands in the message alone.
            Err(error) if error.is(Class::Absent) && error.message.contains(policy.as_str()) => {
                Ok(Put::Waiting("IAM does not show the new policy everywhere yet".to_owned()))
            }
            Err(error) if error.is(Class::Absent) => {
                let account = self.session.arns.account();
                let Principal { kind, name } = &principal;
                Err(format!(
                    "there is no {kind} `{name}` in account {account}: make it first, or take it out of `attach`"
                )
                .into())
            }
            Err(error) if error.code == "UnmodifiableEntity" => Err(format!(
                "{principal} is linked to an AWS service, which alone may change it: take it out of `attach`"
            )
            .into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, name: &str, live: &Spec) -> Result<Put<Outputs>, BoxError> {
        let (_, principal) = parts(name).ok_or("is not the name of an attachment")?;
        self.policies.detach(&live.policy, &principal).await?;
        Ok(Put::Done(None))
    }

    fn place(name: &str) -> Option<&str> {
        // One who goes from policy to policy is never without.
        name.split_once('/').map(|(_, principal)| principal)
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, _fields: &[Field]) -> Impact {
        match (from, to) {
            (Some(from), None) => Impact::new(
                Severity::StopsMail,
                format!("{} {} can no longer send by this policy", from.kind, from.name),
            ),
            (Some(from), Some(_)) => Impact::new(
                Severity::StopsMail,
                format!(
                    "{} {} cannot send by this policy while it is made anew",
                    from.kind, from.name
                ),
            ),
            (None, _) => Impact::safe(),
        }
    }

    fn examples() -> Vec<Spec> {
        let spec = |policy: &str, kind: PrincipalKind, name: &str| Spec {
            policy: format!("arn:aws:iam::123456789012:policy/{policy}"),
            kind: kind.to_string(),
            name: name.to_owned(),
        };
        vec![
            spec("pivot-prod-api", PrincipalKind::Role, "api"),
            spec("pivot-prod-api", PrincipalKind::User, "Ann"),
            spec("pivot-prod-billing", PrincipalKind::Group, "billing"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> Principal {
        Principal { kind: PrincipalKind::Role, name: name.to_owned() }
    }

    #[test]
    fn a_name_gives_its_parts_back() {
        let whole = name("pivot-prod-api", &role("pivot+api@x"));
        assert_eq!(whole, "pivot-prod-api/role/pivot+api@x");
        assert_eq!(parts(&whole), Some(("pivot-prod-api", role("pivot+api@x"))));
        assert_eq!(parts("pivot-prod-api/service/x"), None);
    }

    #[test]
    fn a_token_does_not_depend_on_case_and_fits_into_a_tag() {
        assert_eq!(token(&role("Pivot-API")), token(&role("pivot-api")));
        assert_eq!(token(&role("pivot-api")), "role:pivot-api");
        let long = token(&role(&"r".repeat(128)));
        assert_eq!(long.len(), "role#".len() + 8);
        assert_ne!(long, token(&role(&"s".repeat(128))));
    }

    #[test]
    fn everything_missing_is_said_at_once() {
        let error = MissingPrincipals {
            account: "123456789012".to_owned(),
            missing: vec![("p".to_owned(), role("a")), ("q".to_owned(), role("b"))],
        };
        assert_eq!(
            error.to_string(),
            "there is no role `a` in account 123456789012, to which p is to be attached\n\
             there is no role `b` in account 123456789012, to which q is to be attached"
        );
    }
}
