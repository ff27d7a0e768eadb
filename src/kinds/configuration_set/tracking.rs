//! The domain that tracked links and open pixels of a configuration set lead through.
//!
//! Invariant: it is set only once SES has verified the domain, since SES refuses any other, and a link through a domain
//! that does not resolve is a dead link in mail that is already sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sesv2::types::HttpsPolicy;
use serde::{Deserialize, Serialize};

use super::reading::{Sets, State};
use crate::aws::{AwsError, Class, failed};
use crate::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, Marks, Put, Reading, Severity,
    Wanted, touches,
};
use crate::kinds::identity::Identities;
use crate::kinds::{Documented, Input, Permission, Scope};

/// The kind `tracking`. It is named as its set is.
pub struct Tracking {
    sets: Arc<Sets>,
    identities: Arc<Identities>,
}

/// How links are tracked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The domain that links lead through.
    pub domain: String,
    /// Which links use https: `optional`, `require`, `require-open-only`.
    pub https: String,
    /// The identity that covers the domain and so must be verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_by: Option<String>,
}

impl Tracking {
    /// The tracking settings of one account and Region.
    #[must_use]
    pub fn new(sets: &Arc<Sets>, identities: &Arc<Identities>) -> Self {
        Self { sets: Arc::clone(sets), identities: Arc::clone(identities) }
    }

    async fn set(&self, name: &str, to: Option<&Spec>) -> Result<(), AwsError> {
        let call = self.sets.session().ses().put_configuration_set_tracking_options();
        // Without a domain the group is cleared.
        let call = call
            .configuration_set_name(name)
            .set_custom_redirect_domain(to.map(|to| to.domain.clone()))
            .set_https_policy(to.map(|to| https_policy(&to.https)));
        let answer = call.send().await;
        self.sets.forget(name);
        answer.map_err(failed("ses:PutConfigurationSetTrackingOptions", name)).map(drop)
    }

    /// Why the domain cannot be used yet.
    async fn obstacle(&self, to: &Spec) -> Result<Option<String>, AwsError> {
        let Some(identity) = &to.covered_by else { return Ok(None) };
        let verified = self.identities.is_verified(identity).await?;
        Ok((!verified)
            .then(|| format!("{identity} is not verified yet, and {} is under it", to.domain)))
    }
}

#[async_trait]
impl Kind for Tracking {
    const NAME: &'static str = "tracking";
    const LIFE: Life = Life::Aspect;
    const SETTING_OF: Option<&'static str> = Some("configuration_set");
    const WRITE_ONLY: &'static [&'static str] = &["covered_by"];

    type Spec = Spec;
    type Outputs = ();

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, ()>>, BoxError> {
        let names = wanted.iter().map(|one| one.name.clone());
        let states = self.sets.read(names, reading).await?;
        Ok(states.iter().filter_map(|state| live(state)).collect())
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<()>, BoxError> {
        if let Some(reason) = self.obstacle(&change.to).await? {
            return Ok(Put::Waiting(reason));
        }
        self.set(&change.name, Some(&change.to)).await?;
        Ok(Put::Done(None))
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<()>, BoxError> {
        match self.set(name, None).await {
            Ok(()) => Ok(Put::Done(None)),
            Err(error) if error.is(Class::Absent) => Ok(Put::Done(None)),
            Err(error) => Err(error.into()),
        }
    }

    async fn deferral(
        &self,
        change: &Change<Spec>,
        _planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, BoxError> {
        Ok(self.obstacle(&change.to).await?)
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        impact(from, to, fields)
    }

    fn examples() -> Vec<Spec> {
        let of = |domain: &str, https: &str| Spec {
            domain: domain.to_owned(),
            https: https.to_owned(),
            covered_by: Some("pivot.app".to_owned()),
        };
        vec![
            of("track.pivot.app", "optional"),
            of("links.pivot.app", "require"),
            of("links.pivot.app", "require-open-only"),
        ]
    }
}

impl Documented for Tracking {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("ses:GetConfigurationSet", Scope::ConfigurationSet),
        Permission::to_plan("ses:GetEmailIdentity", Scope::Identity),
        Permission::to_apply("ses:PutConfigurationSetTrackingOptions", Scope::ConfigurationSet),
    ];
    const INPUTS: &'static [Input] = &[Input {
        operation: "PutConfigurationSetTrackingOptions",
        service: "sesv2",
        managed: &["configuration_set_name", "custom_redirect_domain", "https_policy"],
        excluded: &[],
    }];
}

fn impact(from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
    let degrades = |reason: String| Impact::new(Severity::Degrades, reason);
    let Some(to) = to else {
        return degrades("links in mail that is sent from now on lead through awstrack.me; those in old mail need the old domain".to_owned());
    };
    // A link keeps its protocol when it is rewritten, and SES itself has no certificate for the domain (API reference,
    // PutConfigurationSetTrackingOptions; developer guide, "Configure custom domains to handle open and click tracking").
    let links = if to.https == "require" { "all links" } else { "https links" };
    let need =
        format!("{links} through {} break unless something answers for it over https", to.domain);
    let is_other_domain = touches(fields, "domain");
    match from {
        None => degrades(need),
        Some(_) if is_other_domain => degrades(format!(
            "links in mail that is sent from now on lead through {}; those in old mail need the old domain; {need}",
            to.domain
        )),
        Some(_) if touches(fields, "https") && to.https != "optional" => degrades(need),
        Some(_) if touches(fields, "https") => {
            degrades("whether a mail is opened is told in the clear, not over https".to_owned())
        }
        Some(_) => Impact::safe(),
    }
}

fn https_policy(text: &str) -> HttpsPolicy {
    HttpsPolicy::from(text.to_uppercase().replace('-', "_").as_str())
}

/// SES's default stands for a policy that it does not name.
fn https_word(policy: Option<&HttpsPolicy>) -> String {
    policy.map_or("OPTIONAL", HttpsPolicy::as_str).to_lowercase().replace('_', "-")
}

fn live(state: &State) -> Option<Live<Spec, ()>> {
    let options = state.output.tracking_options.as_ref();
    // The SDK fills in an empty domain where there is none.
    let options = options.filter(|it| !it.custom_redirect_domain.is_empty())?;
    let domain = options.custom_redirect_domain.to_lowercase();
    Some(Live {
        name: state.name.clone(),
        // The records of the domain must outlive this.
        uses: BTreeSet::from([Address::new("dns", domain.as_str())]),
        spec: Spec { domain, https: https_word(options.https_policy.as_ref()), covered_by: None },
        outputs: (),
        ownership: state.ownership.clone(),
        parent: Some(Address::new("configuration_set", state.name.as_str())),
        tokens: BTreeSet::new(),
        marks: Marks::default(),
        notes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::difference;

    #[test]
    fn a_policy_is_read_back_as_it_was_asked_for() {
        for text in ["optional", "require", "require-open-only"] {
            assert_eq!(https_word(Some(&https_policy(text))), text);
        }
        assert_eq!(https_word(None), "optional");
        assert_eq!(https_policy("require-open-only"), HttpsPolicy::RequireOpenOnly);
    }

    #[test]
    fn links_that_may_break_are_said() {
        let [optional, required, open_only] = &Tracking::examples()[..] else { panic!("three") };
        let of = |from: Option<&Spec>, to: Option<&Spec>| {
            let [from_value, to_value] = [from, to].map(|spec| spec.map(|spec| json!(spec)));
            let fields = difference(from_value.as_ref(), to_value.as_ref(), Tracking::WRITE_ONLY);
            impact(from, to, &fields)
        };
        assert!(of(None, Some(optional)).reason.starts_with("https links through track.pivot.app"));
        assert!(of(None, Some(required)).reason.starts_with("all links through links.pivot.app"));
        assert!(of(Some(optional), Some(required)).reason.contains("those in old mail"));
        assert!(of(Some(open_only), Some(required)).reason.starts_with("all links"));
        let unencrypted = Spec { https: "optional".to_owned(), ..required.clone() };
        assert!(of(Some(required), Some(&unencrypted)).reason.contains("in the clear"));
        assert!(of(Some(optional), None).reason.contains("awstrack.me"));
        assert_eq!(of(Some(optional), Some(optional)), Impact::safe());
    }
}
