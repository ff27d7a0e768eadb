//! SES configuration sets: how mail of a set is delivered, counted and suppressed.
//!
//! Invariant: each group of options is written whole, from the wanted spec, and only when something in it differs. Tracking
//! is a kind of its own, since it must wait for a verified domain that may have this very set as its default.

mod documented;
mod groups;
mod impact;
mod reading;
mod tracking;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::identity::Identities;
use crate::aws::{AwsError, Class, Taken, failed, note_of_stack, ses_tags};
use crate::engine::{
    BoxError, Change, Field, Glance, Impact, Kind, Life, Live, Marks, Ownership, Put, Reading,
    Wanted,
};

pub use reading::Sets;
pub use tracking::{Spec as TrackingSpec, Tracking};

use reading::{State, Tags};

/// The kind `configuration_set`.
pub struct ConfigurationSet {
    sets: Arc<Sets>,
    identities: Arc<Identities>,
}

/// The set is the default of identities that stay, and SES would refuse all their mail without it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the set is still the default of {}: without it SES refuses all their mail. Give them another, or none, first",
    .0.iter().cloned().collect::<Vec<_>>().join(", ")
)]
struct StillDefault(BTreeSet<String>);

/// SES did not let go of a set's own suppression settings.
#[derive(Debug, thiserror::Error)]
#[error(
    "SES took the call that clears the suppression settings of the set and still gives them: only a set that is \
     made anew follows the account again (`--replace configuration_set.{0}`)"
)]
struct StillSuppresses(String);

/// The settings of a configuration set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// How mail is handed to receivers.
    pub delivery: Delivery,
    /// Whether mail of the set is sent at all.
    pub sending: bool,
    /// Whether bounce and complaint rates of the set go to CloudWatch.
    pub reputation_metrics: bool,
    /// What keeps mail from an address; absent: as the account says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppression: Option<Suppression>,
    /// Virtual Deliverability Manager; absent: as the account says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vdm: Option<Vdm>,
    /// The ARN of the archive that keeps a copy of everything sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// The tags, those of ownership left out.
    pub tags: Tags,
    /// Identities that are not ours and have it as their default, looked for only if it is to go: SES would refuse all
    /// their mail.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub default_of: BTreeSet<String>,
}

/// How mail is handed to receivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// `optional` or `require`.
    pub tls: String,
    /// The dedicated IP pool to send from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// How long SES tries to deliver, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delivery_seconds: Option<u32>,
}

/// What keeps mail from an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// `bounce`, `complaint`; none turns suppression off for the set.
    pub reasons: BTreeSet<String>,
    /// Whose list: `account` or `tenant`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// How sure SES must be of an address: `off`, `medium`, `high`, `managed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<String>,
}

/// Virtual Deliverability Manager settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vdm {
    /// Whether opens and clicks are counted in the dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagement: Option<bool>,
    /// Whether SES chooses the shared IP by the receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimized_delivery: Option<bool>,
}

impl ConfigurationSet {
    /// The sets of one account and Region.
    #[must_use]
    pub fn new(sets: &Arc<Sets>, identities: &Arc<Identities>) -> Self {
        Self { sets: Arc::clone(sets), identities: Arc::clone(identities) }
    }

    fn live(state: &State) -> Live<Spec, ()> {
        let mut spec = groups::read(&state.output);
        spec.tags.clone_from(&state.tags);
        Live {
            name: state.name.clone(),
            spec,
            outputs: (),
            ownership: state.ownership.clone(),
            parent: None,
            tokens: BTreeSet::new(),
            marks: state.marks.clone(),
            uses: BTreeSet::new(),
            notes: note_of_stack(&state.all_tags).into_iter().collect(),
        }
    }

    async fn create(&self, change: &Change<Spec>) -> Result<Put<()>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let session = self.sets.session();
        let mut tags = to.tags.clone();
        tags.extend(
            session.owner.tags_at_first(&session.arns.configuration_set(name), &change.marks),
        );
        let call = session.ses().create_configuration_set().configuration_set_name(name);
        // The sending and reputation groups are always sent: present without its member, each means false.
        let call = call
            .delivery_options(groups::delivery(&to.delivery))
            .sending_options(groups::sending(to))
            .reputation_options(groups::reputation(to))
            .set_suppression_options(groups::suppression_options(to.suppression.as_ref())?)
            .set_vdm_options(to.vdm.as_ref().map(|vdm| groups::vdm(Some(vdm))))
            .set_archiving_options(to.archive.as_ref().map(|it| groups::archiving(Some(it))))
            .set_tags(Some(ses_tags::to_ses(&tags)));
        let answer = call.send().await.map_err(failed("ses:CreateConfigurationSet", name));
        self.sets.forget(name);
        match answer {
            Ok(_) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Exists) => self.settle_existing(change).await,
            Err(error) => Err(error.into()),
        }
    }

    /// A create found the set there: ours if an earlier answer was lost, otherwise somebody was faster.
    async fn settle_existing(&self, change: &Change<Spec>) -> Result<Put<()>, BoxError> {
        let Some(state) = self.sets.state(&change.name).await? else {
            return Ok(Put::Waiting("SES has not finished deleting the old set".to_owned()));
        };
        match &state.ownership {
            Ownership::Ours => {
                // A create that got through has these marks. Another run's stay, or its children would be nobody's.
                let marks = state.marks.widened(&change.marks);
                if marks != state.marks {
                    self.mark(&change.name, &marks).await?;
                }
                let from = Self::live(&state).spec;
                self.write(&change.name, &from, &change.to).await
            }
            taken => Err(Taken::by(taken, "a configuration set").into()),
        }
    }

    /// Writes each group in which `from` is not as `to`.
    async fn write(&self, name: &str, from: &Spec, to: &Spec) -> Result<Put<()>, BoxError> {
        if from.sending != to.sending {
            self.put_sending(name, to).await?;
        }
        if from.delivery != to.delivery {
            self.put_delivery(name, to).await?;
        }
        if from.reputation_metrics != to.reputation_metrics {
            self.put_reputation(name, to).await?;
        }
        if from.suppression != to.suppression {
            self.put_suppression(name, to).await?;
        }
        if from.vdm != to.vdm {
            self.put_vdm(name, to).await?;
        }
        if from.archive != to.archive {
            self.put_archiving(name, to).await?;
        }
        if from.tags != to.tags
            && let Some(state) = self.sets.state(name).await?
        {
            let changes = self.sets.session().owner.user_changes(&state.all_tags, &to.tags);
            self.sets.tag(name, changes).await?;
        }
        Ok(Put::Done(None))
    }

    async fn put_sending(&self, name: &str, to: &Spec) -> Result<(), AwsError> {
        let call = self.sets.session().ses().put_configuration_set_sending_options();
        // The flag is always given: a call without it stops sending.
        let call = call.configuration_set_name(name).sending_enabled(to.sending);
        let answer = call.send().await;
        self.sets.forget(name);
        answer.map_err(failed("ses:PutConfigurationSetSendingOptions", name)).map(drop)
    }

    async fn put_delivery(&self, name: &str, to: &Spec) -> Result<(), AwsError> {
        let options = groups::delivery(&to.delivery);
        let call = self.sets.session().ses().put_configuration_set_delivery_options();
        let call = call
            .configuration_set_name(name)
            .set_tls_policy(options.tls_policy)
            .set_sending_pool_name(options.sending_pool_name)
            .set_max_delivery_seconds(options.max_delivery_seconds);
        let answer = call.send().await;
        self.sets.forget(name);
        answer.map_err(failed("ses:PutConfigurationSetDeliveryOptions", name)).map(drop)
    }

    async fn put_reputation(&self, name: &str, to: &Spec) -> Result<(), AwsError> {
        let call = self.sets.session().ses().put_configuration_set_reputation_options();
        let call =
            call.configuration_set_name(name).reputation_metrics_enabled(to.reputation_metrics);
        let answer = call.send().await;
        self.sets.forget(name);
        answer.map_err(failed("ses:PutConfigurationSetReputationOptions", name)).map(drop)
    }

    async fn put_suppression(&self, name: &str, to: &Spec) -> Result<(), BoxError> {
        let members = groups::suppression(to.suppression.as_ref())?;
        let call = self.sets.session().ses().put_configuration_set_suppression_options();
        let call = call
            .configuration_set_name(name)
            .set_suppressed_reasons(members.reasons)
            .set_suppression_scope(members.scope)
            .set_validation_options(members.validation);
        let answer = call.send().await;
        self.sets.forget(name);
        answer.map_err(failed("ses:PutConfigurationSetSuppressionOptions", name))?;
        // That a call without members clears the group is observed, not documented.
        if to.suppression.is_none()
            && let Some(state) = self.sets.state(name).await?
            && groups::read(&state.output).suppression.is_some()
        {
            return Err(StillSuppresses(name.to_owned()).into());
        }
        Ok(())
    }

    async fn put_vdm(&self, name: &str, to: &Spec) -> Result<(), AwsError> {
        let call = self.sets.session().ses().put_configuration_set_vdm_options();
        let call = call.configuration_set_name(name).vdm_options(groups::vdm(to.vdm.as_ref()));
        let answer = call.send().await;
        self.sets.forget(name);
        answer.map_err(failed("ses:PutConfigurationSetVdmOptions", name)).map(drop)
    }

    async fn put_archiving(&self, name: &str, to: &Spec) -> Result<(), AwsError> {
        let call = self.sets.session().ses().put_configuration_set_archiving_options();
        let call = call.configuration_set_name(name).set_archive_arn(to.archive.clone());
        let answer = call.send().await;
        self.sets.forget(name);
        answer.map_err(failed("ses:PutConfigurationSetArchivingOptions", name)).map(drop)
    }
}

#[async_trait]
impl Kind for ConfigurationSet {
    const NAME: &'static str = "configuration_set";
    const LIFE: Life = Life::Root;
    const WRITE_ONLY: &'static [&'static str] = &["default_of"];

    type Spec = Spec;
    type Outputs = ();

    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        Ok(self.sets.glance(declared).await?)
    }

    fn hear_of(&self, declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.sets.hear_of(declared, settled);
    }

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, ()>>, BoxError> {
        let named: BTreeSet<String> = wanted.iter().map(|one| one.name.clone()).collect();
        let states = self.sets.read(named.clone(), reading).await?;
        // Found by its tags only: the tagging service lags, so what is not ours after all is left out.
        let counts =
            |state: &&Arc<State>| named.contains(&state.name) || state.ownership == Ownership::Ours;
        let staying: BTreeSet<&str> =
            wanted.iter().filter(|one| !one.aim.goes()).map(|one| one.name.as_str()).collect();
        let mut found = Vec::new();
        for state in states.iter().filter(counts) {
            let mut live = Self::live(state);
            let goes = state.ownership == Ownership::Ours && !staying.contains(live.name.as_str());
            if goes && reading == Reading::Everything {
                live.spec.default_of = self.identities.others_with_default_set(&live.name).await?;
            }
            found.push(live);
        }
        Ok(found)
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<()>, BoxError> {
        match &change.from {
            None => self.create(change).await,
            Some(from) => self.write(&change.name, from, &change.to).await,
        }
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<()>, BoxError> {
        // SES lets a default set go, and then refuses every mail of the identity ("Configuration set does not exist").
        // Our own identities let go before, or get the set back when it is made anew; the others are asked here.
        let left = self.identities.others_with_default_set(name).await?;
        if !left.is_empty() {
            return Err(StillDefault(left).into());
        }
        let call = self.sets.session().ses().delete_configuration_set();
        let answer = call.configuration_set_name(name).send().await;
        self.sets.forget(name);
        self.sets.forget_destinations(name);
        match answer.map_err(failed("ses:DeleteConfigurationSet", name)) {
            Ok(_) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Absent) => Ok(Put::Done(None)),
            Err(error) => Err(error.into()),
        }
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, _fields: &[Field]) -> Impact {
        impact::of(from, to)
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let Some(state) = self.sets.state(name).await? else {
            return Err(
                format!("configuration set {name} is gone since the plan: plan again").into()
            );
        };
        let session = self.sets.session();
        let arn = session.arns.configuration_set(name);
        let changes = session.owner.mark_changes(&arn, &state.all_tags, marks);
        Ok(self.sets.tag(name, changes).await?)
    }

    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        let Some(state) = self.sets.state(name).await? else { return Ok(()) };
        let changes = self.sets.session().owner.unmark_changes(&state.all_tags);
        Ok(self.sets.tag(name, changes).await?)
    }

    fn examples() -> Vec<Spec> {
        documented::examples()
    }
}
