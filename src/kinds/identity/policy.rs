//! Sending authorization: a policy on an identity that lets others send as it.
//!
//! Invariant: a policy is written only when it grants something else than it should; SES strips white space, so the text
//! is never compared.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::reading::{Identities, State};
use crate::aws::policy::{Policy, Statement};
use crate::aws::{AwsError, Class, failed};
use crate::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, Marks, OnParentDelete, Ownership,
    Put, Reading, Severity, Wanted,
};
use crate::kinds::{Documented, Input, Permission, Scope};

/// The kind `identity_policy`. Its names are `IDENTITY/POLICY`.
pub struct IdentityPolicy {
    identities: Arc<Identities>,
}

/// What the policy grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The document.
    pub policy: Policy,
}

impl IdentityPolicy {
    /// The policies on identities of one account and Region.
    #[must_use]
    pub fn new(identities: &Arc<Identities>) -> Self {
        Self { identities: Arc::clone(identities) }
    }

    /// The name of the policy `policy` on `identity`.
    #[must_use]
    pub fn name(identity: &str, policy: &str) -> String {
        format!("{identity}/{policy}")
    }

    /// How the identity's marks name the policy `policy`.
    #[must_use]
    pub fn token(policy: &str) -> String {
        format!("policy:{policy}")
    }
}

/// Identity and policy. A policy's name has no slash, an address may have one.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or((name, ""))
}

#[async_trait]
impl Kind for IdentityPolicy {
    const NAME: &'static str = "identity_policy";
    const LIFE: Life = Life::Child(OnParentDelete::Dies);

    type Spec = Spec;
    type Outputs = ();

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, ()>>, BoxError> {
        let named: BTreeSet<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
        let identities = wanted.iter().map(|one| parts(&one.name).0.to_owned());
        let mut found = Vec::new();
        for state in self.identities.read(identities, reading).await? {
            let shows = reading == Reading::Everything && state.ownership == Ownership::Ours;
            let all =
                state.policies.iter().map(|(policy, document)| live(&state, policy, document));
            found.extend(all.filter(|live| shows || named.contains(live.name.as_str())));
        }
        Ok(found)
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<()>, BoxError> {
        let document = change.to.policy.document();
        let written = if change.creates() {
            match self.create(&change.name, &document).await {
                // An earlier answer was lost; the identity's marks name the policy as ours, so it is written whole.
                Err(error) if error.is(Class::Exists) => self.update(&change.name, &document).await,
                answer => answer,
            }
        } else {
            match self.update(&change.name, &document).await {
                // Somebody deleted it since the plan.
                Err(error) if error.is(Class::Absent) => self.create(&change.name, &document).await,
                answer => answer,
            }
        };
        match written {
            Ok(()) => Ok(Put::Done(None)),
            Err(error) => self.waiting_for_verification(parts(&change.name).0, error).await,
        }
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<()>, BoxError> {
        let (identity, policy) = parts(name);
        let call = self.identities.session().ses().delete_email_identity_policy();
        let answer = call.email_identity(identity).policy_name(policy).send().await;
        self.identities.forget(identity);
        match answer.map_err(failed("ses:DeleteEmailIdentityPolicy", name)) {
            Ok(_) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Absent) => Ok(Put::Done(None)),
            Err(error) => Err(error.into()),
        }
    }

    async fn deferral(
        &self,
        change: &Change<Spec>,
        _planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, BoxError> {
        let (identity, _) = parts(&change.name);
        let verified = self.identities.is_verified(identity).await?;
        Ok((!verified).then(|| format!("{identity} is not verified yet")))
    }

    fn place(name: &str) -> Option<&str> {
        Some(parts(name).0)
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, _fields: &[Field]) -> Impact {
        match (from, to) {
            (Some(_), None) => Impact::new(
                Severity::StopsMail,
                "those it names can no longer send as this identity",
            ),
            (Some(from), Some(to)) => {
                let lost: Vec<String> = from.policy.taken_away_by(&to.policy).into_iter().collect();
                if lost.is_empty() {
                    return Impact::safe();
                }
                let reason =
                    format!("others may no longer send as this identity: {}", lost.join(", "));
                Impact::new(Severity::StopsMail, reason)
            }
            _ => Impact::safe(),
        }
    }

    fn examples() -> Vec<Spec> {
        let statement = |account: &str| {
            Statement::allow()
                .to("AWS", &format!("arn:aws:iam::{account}:root"))
                .may(["ses:SendEmail", "ses:SendRawEmail"])
                .on(["arn:aws:ses:us-east-1:123456789012:identity/pivot.app"])
        };
        let of = |statement| Spec { policy: Policy::new([("Send", statement)]) };
        vec![of(statement("210987654321")), of(statement("999999999999"))]
    }
}

impl IdentityPolicy {
    async fn create(&self, name: &str, document: &str) -> Result<(), AwsError> {
        let (identity, policy) = parts(name);
        let call = self.identities.session().ses().create_email_identity_policy();
        let call = call.email_identity(identity).policy_name(policy).policy(document);
        let answer = call.send().await;
        self.identities.forget(identity);
        answer.map_err(failed("ses:CreateEmailIdentityPolicy", name)).map(drop)
    }

    async fn update(&self, name: &str, document: &str) -> Result<(), AwsError> {
        let (identity, policy) = parts(name);
        let call = self.identities.session().ses().update_email_identity_policy();
        let call = call.email_identity(identity).policy_name(policy).policy(document);
        let answer = call.send().await;
        self.identities.forget(identity);
        answer.map_err(failed("ses:UpdateEmailIdentityPolicy", name)).map(drop)
    }

    /// SES takes no policy for an identity that is not verified yet (API reference, CreateEmailIdentityPolicy): then
    /// the step waits. It says so with the code of any wrong input, so the identity is asked.
    async fn waiting_for_verification(
        &self,
        identity: &str,
        error: AwsError,
    ) -> Result<Put<()>, BoxError> {
        if !error.is(Class::Invalid) {
            return Err(error.into());
        }
        match self.identities.state(identity).await? {
            Some(state) if !state.verified => {
                Ok(Put::Waiting(format!("{identity} is not verified yet")))
            }
            _ => Err(error.into()),
        }
    }
}

impl Documented for IdentityPolicy {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("ses:GetEmailIdentity", Scope::Identity),
        Permission::to_apply("ses:CreateEmailIdentityPolicy", Scope::Identity),
        Permission::to_apply("ses:UpdateEmailIdentityPolicy", Scope::Identity),
        Permission::to_apply("ses:DeleteEmailIdentityPolicy", Scope::Identity),
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "CreateEmailIdentityPolicy",
            service: "sesv2",
            managed: &["email_identity", "policy_name", "policy"],
            excluded: &[],
        },
        Input {
            operation: "UpdateEmailIdentityPolicy",
            service: "sesv2",
            managed: &["email_identity", "policy_name", "policy"],
            excluded: &[],
        },
        Input {
            operation: "DeleteEmailIdentityPolicy",
            service: "sesv2",
            managed: &["email_identity", "policy_name"],
            excluded: &[],
        },
    ];
}

fn live(state: &State, policy: &str, document: &str) -> Live<Spec, ()> {
    let token = IdentityPolicy::token(policy);
    let (policy_document, notes) = match Policy::parse(document) {
        Ok(document) => {
            let lost = document.lost_principals().into_iter();
            let note = |id| format!("the policy names {id}, a user or role that was deleted");
            let notes = lost.map(note).collect();
            (document, notes)
        }
        // Somebody else's policy of a form that is newer than this program is no reason to stop; one of ours is written
        // anew.
        Err(error) => (Policy::new::<String>([]), vec![error.to_string()]),
    };
    Live {
        name: IdentityPolicy::name(&state.name, policy),
        spec: Spec { policy: policy_document },
        outputs: (),
        ownership: match &state.ownership {
            Ownership::Ours if !state.marks.children.contains(&token) => Ownership::Unowned,
            of_parent => of_parent.clone(),
        },
        parent: Some(state.address()),
        tokens: BTreeSet::from([token]),
        marks: Marks::default(),
        uses: BTreeSet::new(),
        notes,
    }
}
