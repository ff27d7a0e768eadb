//! The configuration set for mail of an identity that names none.
//!
//! Invariant: the association is a node of its own, so that a set may track links through the very domain whose default
//! set it is, and so that it is cleared before its set is deleted: SES lets a set go that is somebody's default, and then
//! refuses every mail of that identity.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::reading::{Identities, State};
use crate::aws::{AwsError, failed};
use crate::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, Marks, Put, Reading, Severity,
    Wanted,
};
use crate::kinds::{Documented, Input, Permission, Scope};

/// The kind `default_set`.
pub struct DefaultSet {
    identities: Arc<Identities>,
}

/// Which set it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The name of the set.
    pub configuration_set: String,
}

impl DefaultSet {
    /// The default sets of one account and Region.
    #[must_use]
    pub fn new(identities: &Arc<Identities>) -> Self {
        Self { identities: Arc::clone(identities) }
    }

    async fn set(&self, name: &str, set: Option<&str>) -> Result<(), AwsError> {
        let call =
            self.identities.session().ses().put_email_identity_configuration_set_attributes();
        // Clearing is leaving the member out: an empty text would be stored as one.
        let call = call.email_identity(name).set_configuration_set_name(set.map(ToOwned::to_owned));
        let answer = call.send().await;
        self.identities.forget(name);
        answer.map_err(failed("ses:PutEmailIdentityConfigurationSetAttributes", name))?;
        Ok(())
    }
}

#[async_trait]
impl Kind for DefaultSet {
    const NAME: &'static str = "default_set";
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
        let (name, set) = (&change.name, &change.to.configuration_set);
        if !(change.creates() && self.identities.was_created_with(name, set)) {
            self.set(name, Some(set)).await?;
        }
        Ok(Put::Done(None))
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<()>, BoxError> {
        if self.identities.state(name).await?.is_some_and(|state| state.default_set.is_some()) {
            self.set(name, None).await?;
        }
        Ok(Put::Done(None))
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, _fields: &[Field]) -> Impact {
        match (from, to) {
            (Some(_), None) => Impact::new(
                Severity::Degrades,
                "mail that names no set is sent without one: its bounces and complaints are not published",
            ),
            (Some(_), Some(_)) => Impact::new(
                Severity::Degrades,
                "mail that names no set is sent and reported by the rules of another set; a send policy that lists sets must list it",
            ),
            _ => Impact::safe(),
        }
    }

    fn examples() -> Vec<Spec> {
        let set = |name: &str| Spec { configuration_set: name.to_owned() };
        vec![set("transactional"), set("notifications")]
    }
}

impl Documented for DefaultSet {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("ses:GetEmailIdentity", Scope::Identity),
        Permission::to_apply("ses:PutEmailIdentityConfigurationSetAttributes", Scope::Identity),
        Permission::to_apply(
            "ses:PutEmailIdentityConfigurationSetAttributes",
            Scope::ConfigurationSet,
        ),
    ];
    const INPUTS: &'static [Input] = &[Input {
        operation: "PutEmailIdentityConfigurationSetAttributes",
        service: "sesv2",
        managed: &["email_identity", "configuration_set_name"],
        excluded: &[],
    }];
}

fn live(state: &State) -> Option<Live<Spec, ()>> {
    let set = state.default_set.as_ref()?;
    Some(Live {
        name: state.name.clone(),
        spec: Spec { configuration_set: set.clone() },
        outputs: (),
        ownership: state.ownership.clone(),
        parent: Some(state.address()),
        tokens: BTreeSet::new(),
        marks: Marks::default(),
        uses: BTreeSet::from([Address::new("configuration_set", set.as_str())]),
        notes: Vec::new(),
    })
}
