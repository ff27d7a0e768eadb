//! The custom MAIL FROM of an identity: the domain of the envelope sender, where bounces go and SPF is checked.
//!
//! Invariant: SES is told to refuse mail on a missing MX record only once it has found the record: before that, every
//! send would fail (`MailFromDomainNotVerifiedException`).

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sesv2::types::{BehaviorOnMxFailure, MailFromDomainStatus};
use serde::{Deserialize, Serialize};

use super::reading::{Identities, MailFromState, State};
use crate::aws::{AwsError, failed};
use crate::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, Marks, Put, Reading, Severity,
    Wanted, touches,
};
use crate::kinds::{Documented, Input, Permission, Scope};

/// The kind `mail_from`.
pub struct MailFrom {
    identities: Arc<Identities>,
}

/// The settings of a MAIL FROM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Its name.
    pub domain: String,
    /// What SES does while the MX record is missing.
    pub on_mx_failure: OnMxFailure,
    /// Whether SES looks for the MX record.
    pub detection: Detection,
}

/// What SES does while the MX record is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnMxFailure {
    /// It sends from a subdomain of amazonses.com.
    UseDefault,
    /// It refuses to send.
    Reject,
}

/// Whether SES looks for the MX record. After 72 hours without finding it, it stops for good, and only setting the MAIL
/// FROM again makes it look again (developer guide, "Using a custom MAIL FROM domain").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detection {
    /// It does, or has found it.
    Running,
    /// It gave up.
    GivenUp,
}

impl MailFrom {
    /// The MAIL FROM settings of one account and Region.
    #[must_use]
    pub fn new(identities: &Arc<Identities>) -> Self {
        Self { identities: Arc::clone(identities) }
    }

    async fn set(&self, name: &str, domain: Option<&str>, rejects: bool) -> Result<(), AwsError> {
        let behavior = if rejects {
            BehaviorOnMxFailure::RejectMessage
        } else {
            BehaviorOnMxFailure::UseDefaultValue
        };
        let call = self.identities.session().ses().put_email_identity_mail_from_attributes();
        let call = call
            .email_identity(name)
            .set_mail_from_domain(domain.map(ToOwned::to_owned))
            .behavior_on_mx_failure(behavior);
        let answer = call.send().await;
        self.identities.forget(name);
        answer.map_err(failed("ses:PutEmailIdentityMailFromAttributes", name))?;
        Ok(())
    }

    async fn current(&self, name: &str) -> Result<Option<MailFromState>, BoxError> {
        match self.identities.state(name).await? {
            Some(state) => Ok(state.mail_from.clone()),
            // SES answers a Put for an unknown identity with BadRequest, so it is asked first.
            None => Err(format!("identity {name} is gone since the plan: plan again").into()),
        }
    }
}

#[async_trait]
impl Kind for MailFrom {
    const NAME: &'static str = "mail_from";
    const LIFE: Life = Life::Aspect;
    const SETTING_OF: Option<&'static str> = Some("identity");

    type Spec = Spec;
    type Outputs = ();

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, ()>>, BoxError> {
        let names = wanted.iter().map(|one| one.name.clone());
        let states = self.identities.read(names, reading).await?;
        Ok(states.iter().filter_map(|state| live(state)).collect())
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<()>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        if to.on_mx_failure == OnMxFailure::UseDefault {
            self.set(name, Some(&to.domain), false).await?;
            return Ok(Put::Done(None));
        }
        // A read may lag behind the write that made the identity.
        let Some(state) = self.identities.state(name).await? else {
            return Ok(Put::Waiting(format!("SES does not show the identity {name} yet")));
        };
        let current = state.mail_from.clone().filter(|it| it.domain == to.domain);
        match current {
            Some(it) if it.status == MailFromDomainStatus::Success => {
                if !it.rejects {
                    self.set(name, Some(&to.domain), true).await?;
                }
                Ok(Put::Done(None))
            }
            // Already refusing while the record is lost for the moment: that is what was asked for.
            Some(it) if it.rejects && it.status != MailFromDomainStatus::Failed => {
                Ok(Put::Done(None))
            }
            Some(it) if it.status != MailFromDomainStatus::Failed => Ok(Put::Waiting(waiting(&it))),
            _ => {
                self.set(name, Some(&to.domain), false).await?;
                Ok(Put::Waiting(format!(
                    "SES looks for the MX record of {}; only then may mail be refused for want of it",
                    to.domain
                )))
            }
        }
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<()>, BoxError> {
        if self.identities.state(name).await?.is_some_and(|state| state.mail_from.is_some()) {
            self.set(name, None, false).await?;
        }
        Ok(Put::Done(None))
    }

    async fn deferral(
        &self,
        change: &Change<Spec>,
        _planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, BoxError> {
        let only_switch = change.from.as_ref().is_some_and(|from| {
            from.domain == change.to.domain && from.detection == change.to.detection
        });
        if change.to.on_mx_failure != OnMxFailure::Reject || !only_switch {
            return Ok(None);
        }
        let current = self.current(&change.name).await?;
        let pending = current.filter(|it| it.status != MailFromDomainStatus::Success);
        Ok(pending.as_ref().map(waiting))
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        match (from, to) {
            (Some(_), None) => Impact::new(
                Severity::Degrades,
                "the envelope sender is under amazonses.com from now on: SPF passes but does not align for DMARC",
            ),
            (Some(_), Some(_)) if touches(fields, "domain") => Impact::new(
                Severity::Degrades,
                "until SES finds the new MX record, the envelope sender is under amazonses.com and SPF does not align",
            ),
            (_, Some(to))
                if touches(fields, "on_mx_failure") && to.on_mx_failure == OnMxFailure::Reject =>
            {
                Impact::new(
                    Severity::Degrades,
                    "should the MX record ever be missing, SES refuses to send",
                )
            }
            _ => Impact::safe(),
        }
    }

    fn examples() -> Vec<Spec> {
        let domain = |domain: &str, on_mx_failure| Spec {
            domain: domain.to_owned(),
            on_mx_failure,
            detection: Detection::Running,
        };
        vec![
            domain("mail.pivot.app", OnMxFailure::UseDefault),
            domain("bounce.pivot.app", OnMxFailure::UseDefault),
            Spec {
                detection: Detection::GivenUp,
                ..domain("bounce.pivot.app", OnMxFailure::Reject)
            },
        ]
    }
}

impl Documented for MailFrom {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("ses:GetEmailIdentity", Scope::Identity),
        Permission::to_apply("ses:PutEmailIdentityMailFromAttributes", Scope::Identity),
    ];
    const INPUTS: &'static [Input] = &[Input {
        operation: "PutEmailIdentityMailFromAttributes",
        service: "sesv2",
        managed: &["email_identity", "mail_from_domain", "behavior_on_mx_failure"],
        excluded: &[],
    }];
}

fn live(state: &State) -> Option<Live<Spec, ()>> {
    let it = state.mail_from.as_ref()?;
    let on_mx_failure = if it.rejects { OnMxFailure::Reject } else { OnMxFailure::UseDefault };
    let given_up = it.status == MailFromDomainStatus::Failed;
    let note = match it.status {
        MailFromDomainStatus::Success => None,
        MailFromDomainStatus::Failed => Some(format!(
            "MAIL FROM failed: SES did not find the MX record of {} within 72 hours, and looks again only when it is told to",
            it.domain
        )),
        _ => Some(waiting(it)),
    };
    Some(Live {
        name: state.name.clone(),
        spec: Spec {
            domain: it.domain.clone(),
            on_mx_failure,
            detection: if given_up { Detection::GivenUp } else { Detection::Running },
        },
        outputs: (),
        ownership: state.ownership.clone(),
        parent: Some(state.address()),
        tokens: BTreeSet::new(),
        marks: Marks::default(),
        uses: BTreeSet::new(),
        notes: note.into_iter().collect(),
    })
}

fn waiting(it: &MailFromState) -> String {
    format!("SES has not found the MX record of {} yet ({})", it.domain, it.status.as_str())
}
