//! SES identities: a domain or an address that mail is sent from.
//!
//! Invariant: what must happen only after the DNS records are published (a key of one's own, MAIL FROM) is not here but
//! in a kind of its own beside, so that the order of a change follows from the graph. Nothing that SES finds out by
//! itself (verification, key roll-over) is a setting; it is shown as a note.

mod default_set;
mod documented;
mod impact;
mod mail_from;
mod outputs;
mod policy;
mod reading;
mod replicas;
mod requests;
mod signing;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_sdk_sesv2::types::DkimStatus;
use serde::{Deserialize, Serialize};

use crate::aws::{AwsError, Class, Taken, failed, note_of_stack, ses_tags};
use crate::engine::{
    BoxError, Change, Field, Glance, Impact, Kind, Life, Live, Marks, Ownership, Put, Reading,
    Severity, Wanted,
};

pub use default_set::{DefaultSet, Spec as DefaultSetSpec};
pub use mail_from::{Detection, MailFrom, OnMxFailure as MailFromFailure, Spec as MailFromSpec};
pub use outputs::{DKIM_NAMES, DKIM_TARGETS, DkimRecords, KEY_AT_HAND, Outputs};
pub use policy::{IdentityPolicy, Spec as IdentityPolicySpec};
pub(super) use reading::Going;
pub use reading::Identities;
pub use signing::{Signing, Spec as SigningSpec, UNKNOWN_KEY, key_digest};

use reading::{Origin, State, Tags};

/// The kind `identity`.
pub struct Identity {
    identities: Arc<Identities>,
}

/// The settings of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The Region whose identity of the same name has the key (Deterministic Easy DKIM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
    /// The length of the key that SES makes (`rsa-2048`); absent for a key of one's own, a replica and an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub easy_key: Option<String>,
    /// Whether mail is signed; absent for an address, which signs as its domain does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<bool>,
    /// Whether SES mails bounces and complaints to the sender.
    pub feedback_forwarding: bool,
    /// The tags, those of ownership left out.
    pub tags: Tags,
    /// The default set to create it with, which saves the call that sets it; [`DefaultSet`] manages it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_with_set: Option<String>,
    /// Whether receivers are told to refuse its mail where it is not signed: by DMARC, with no SPF that aligns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_be_signed: bool,
}

/// Something holds on to an identity that could not be seen before its records were removed, such as a replica in a Region
/// that no environment file is about.
#[derive(Debug, thiserror::Error)]
#[error(
    "SES keeps the identity {identity}, and the DNS records that sesinfra published for it are gone by now: if it is still \
     needed, take it into the file again and apply, which publishes them anew; otherwise remove what holds it, and apply again"
)]
struct NotDeleted {
    identity: String,
    source: AwsError,
}

impl Identity {
    /// The identities of one account and Region.
    #[must_use]
    pub fn new(identities: &Arc<Identities>) -> Self {
        Self { identities: Arc::clone(identities) }
    }

    fn live(&self, state: &State) -> Live<Spec, Outputs> {
        Live {
            name: state.name.clone(),
            spec: spec_of(state),
            outputs: self.identities.outputs(state),
            ownership: state.ownership.clone(),
            parent: None,
            tokens: BTreeSet::new(),
            marks: state.marks.clone(),
            uses: BTreeSet::new(),
            notes: notes(state).into_iter().chain(note_of_stack(&state.all_tags)).collect(),
        }
    }

    async fn create(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let session = self.identities.session();
        let arn = session.arns.identity(name);
        let mut tags = to.tags.clone();
        tags.extend(session.owner.tags_at_first(&arn, &change.marks));
        let call = session.ses().create_email_identity().email_identity(name);
        let call = call
            .set_tags(Some(ses_tags::to_ses(&tags)))
            .set_dkim_signing_attributes(requests::signing_at_creation(to))
            .set_configuration_set_name(to.create_with_set.clone());
        let answer = call.send().await.map_err(failed("ses:CreateEmailIdentity", name));
        self.identities.forget(name);
        let created = match answer {
            Ok(created) => created,
            Err(error) if error.is(Class::Exists) => return self.settle_existing(change).await,
            Err(error) => return Err(error.into()),
        };
        self.identities.note_created_with(name, to.create_with_set.as_deref());
        // What a new identity is like: signing and forwarding are on, and the key is as asked for.
        let mut made = to.clone();
        made.signing = to.signing.map(|_| true);
        made.feedback_forwarding = true;
        let dkim = created.dkim_attributes;
        let tokens = dkim.as_ref().and_then(|dkim| dkim.tokens.clone()).unwrap_or_default();
        let zone = dkim.and_then(|dkim| dkim.signing_hosted_zone).filter(|zone| !zone.is_empty());
        let tokens = if to.replica_of.is_none() { tokens } else { Vec::new() };
        let outputs = self.identities.outputs_with(name, &tokens, zone.as_deref());
        Ok(Put::Done(Some(self.write(name, &made, to).await?.unwrap_or(outputs))))
    }

    /// A create found the identity there: ours if an earlier answer was lost, otherwise somebody was faster.
    async fn settle_existing(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        let name = &change.name;
        let Some(state) = self.identities.state(name).await? else {
            // A delete a moment ago can still be in the way of a create for about a minute.
            return Ok(Put::Waiting(format!("SES has not finished deleting the old {name}")));
        };
        match &state.ownership {
            Ownership::Ours => {
                // A create that got through has these marks. Another run's stay, or its children would be nobody's.
                let marks = state.marks.widened(&change.marks);
                if marks != state.marks {
                    self.mark(name, &marks).await?;
                }
                let outputs = self.identities.outputs(&state);
                let written = self.write(name, &spec_of(&state), &change.to).await?;
                Ok(Put::Done(Some(written.unwrap_or(outputs))))
            }
            taken => Err(Taken::by(taken, "an identity").into()),
        }
    }

    /// Writes each group of settings in which `from` is not as `to`. Gives outputs if the key was made anew.
    async fn write(&self, name: &str, from: &Spec, to: &Spec) -> Result<Option<Outputs>, BoxError> {
        let ses = self.identities.session().ses();
        if from.feedback_forwarding != to.feedback_forwarding {
            // The flag is always given: a call without it means false.
            let call = ses.put_email_identity_feedback_attributes().email_identity(name);
            let answer = call.email_forwarding_enabled(to.feedback_forwarding).send().await;
            self.identities.forget(name);
            answer.map_err(failed("ses:PutEmailIdentityFeedbackAttributes", name))?;
        }
        if let (true, Some(signing)) = (from.signing != to.signing, to.signing) {
            let call = ses.put_email_identity_dkim_attributes().email_identity(name);
            let answer = call.signing_enabled(signing).send().await;
            self.identities.forget(name);
            answer.map_err(failed("ses:PutEmailIdentityDkimAttributes", name))?;
        }
        if from.tags != to.tags
            && let Some(state) = self.identities.state(name).await?
        {
            let owner = &self.identities.session().owner;
            let changes = owner.user_changes(&state.all_tags, &to.tags);
            self.identities.tag(name, changes).await?;
        }
        match &to.easy_key {
            // Asking for the length that the key has already is an error, so only a difference is written. A domain that
            // leaves Easy DKIM is switched by `signing`, after its own key is published.
            Some(length) if from.easy_key != to.easy_key => {
                // The tag of a key of one's own must not outlive the key: see `signing`.
                if from.easy_key.is_none()
                    && self.identities.state(name).await?.is_some_and(|state| state.names_key())
                {
                    self.identities.forget_key(name).await?;
                }
                self.make_key(name, length).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn make_key(&self, name: &str, length: &str) -> Result<Outputs, BoxError> {
        let call = self.identities.session().ses().put_email_identity_dkim_signing_attributes();
        let call = call
            .email_identity(name)
            .signing_attributes_origin(aws_sdk_sesv2::types::DkimSigningAttributesOrigin::AwsSes)
            .signing_attributes(requests::easy_key(length));
        let answer = call.send().await;
        self.identities.forget(name);
        let error = match answer.map_err(failed("ses:PutEmailIdentityDkimSigningAttributes", name))
        {
            Ok(put) => {
                let zone = put.signing_hosted_zone.filter(|zone| !zone.is_empty());
                let tokens = put.dkim_tokens.unwrap_or_default();
                return Ok(self.identities.outputs_with(name, &tokens, zone.as_deref()));
            }
            Err(error) => error,
        };
        let made_at = match self.identities.state(name).await {
            Ok(Some(state)) if error.is(Class::Invalid) => state.key_made_at,
            _ => None,
        };
        Err(requests::key_length_refused(error, made_at, SystemTime::now()))
    }
}

#[async_trait]
impl Kind for Identity {
    const NAME: &'static str = "identity";
    const LIFE: Life = Life::Root;
    // A replica is one from its creation on, and no other call makes one (API reference, DkimSigningAttributes).
    const IMMUTABLE: &'static [&'static str] = &["replica_of"];
    const WRITE_ONLY: &'static [&'static str] = &["create_with_set", "must_be_signed"];

    type Spec = Spec;
    type Outputs = Outputs;

    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        Ok(self.identities.glance(declared).await?)
    }

    fn hear_of(&self, declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.identities.hear_of(declared, settled);
    }

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let named: BTreeSet<String> = wanted.iter().map(|one| one.name.clone()).collect();
        let states = self.identities.read(named.clone(), reading).await?;
        // Found by its tags only: the tagging service lags, so what is not ours after all is left out.
        let counts =
            |state: &&Arc<State>| named.contains(&state.name) || state.ownership == Ownership::Ours;
        Ok(states.iter().filter(counts).map(|state| self.live(state)).collect())
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        match &change.from {
            None => self.create(change).await,
            Some(from) => Ok(Put::Done(self.write(&change.name, from, &change.to).await?)),
        }
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<Outputs>, BoxError> {
        let call = self.identities.session().ses().delete_email_identity().email_identity(name);
        let answer = call.send().await.map_err(failed("ses:DeleteEmailIdentity", name));
        self.identities.forget(name);
        self.identities.note_created_with(name, None);
        match answer {
            Ok(_) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Absent) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Invalid) => {
                Err(NotDeleted { identity: name.to_owned(), source: error }.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn renews_outputs(&self, change: &Change<Spec>) -> bool {
        // Whether a change of length gives new tokens is told both ways, so they are asked for again.
        change.touches("easy_key") && change.to.easy_key.is_some()
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        match (from, to) {
            (None, _) => Impact::safe(),
            (Some(_), None) => Impact::new(
                Severity::StopsMail,
                "mail from this identity can no longer be sent; made anew, it needs new DKIM records",
            ),
            (Some(from), Some(to)) => impact::of_change(from, to, fields),
        }
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let Some(state) = self.identities.state(name).await? else {
            return Err(format!("identity {name} is gone since the plan: plan again").into());
        };
        let owner = &self.identities.session().owner;
        let changes = owner.mark_changes(&state.arn, &state.all_tags, marks);
        Ok(self.identities.tag(name, changes).await?)
    }

    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        let Some(state) = self.identities.state(name).await? else { return Ok(()) };
        let changes = self.identities.session().owner.unmark_changes(&state.all_tags);
        Ok(self.identities.tag(name, changes).await?)
    }

    fn examples() -> Vec<Spec> {
        documented::examples()
    }
}

fn spec_of(state: &State) -> Spec {
    let easy = state.is_domain && state.origin == Origin::Easy;
    Spec {
        // An address reports what it inherits from its domain, which is no setting of its own.
        replica_of: match &state.origin {
            Origin::Replica(region) if state.is_domain => Some(region.clone()),
            _ => None,
        },
        easy_key: easy.then(|| requests::length_in_words(state.key_length.as_deref())),
        signing: state.is_domain.then_some(state.signing),
        feedback_forwarding: state.feedback_forwarding,
        tags: state.tags.clone(),
        create_with_set: None,
        must_be_signed: false,
    }
}

fn notes(state: &State) -> Vec<String> {
    let problem = state.problem.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
    let note = match (state.verified, state.is_domain, &state.dkim_status) {
        (false, false, _) => {
            format!("not verified yet{problem}: somebody must follow the link that SES mailed")
        }
        (_, true, Some(DkimStatus::Failed)) => {
            format!("DKIM failed{problem}: SES did not find the records within 72 hours")
        }
        (false, true, _) => {
            format!("not verified yet{problem}: SES looks for the DKIM records for up to 72 hours")
        }
        (true, true, Some(DkimStatus::TemporaryFailure)) => {
            "DKIM records cannot be found at the moment: mail may leave unsigned".to_owned()
        }
        // A new key is on its way in.
        (true, true, Some(DkimStatus::Pending)) => {
            "DKIM pending: mail may leave unsigned until SES finds the records of the new key"
                .to_owned()
        }
        (true, _, _) => return Vec::new(),
    };
    vec![note]
}
