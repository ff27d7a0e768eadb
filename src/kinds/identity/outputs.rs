//! What SES makes up for an identity and others need: its ARN and the records of Easy DKIM.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reading::{Identities, Origin, State};
use crate::aws::AwsError;
use crate::engine::{Output, Reading};

/// What SES says of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// The names of the three CNAME records of Easy DKIM.
    #[serde(flatten)]
    pub records: DkimRecords,
}

/// The three CNAME records of Easy DKIM, whole: name and target. Absent where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the constants of [`DKIM_NAMES`] and [`DKIM_TARGETS`] document them"
)]
pub struct DkimRecords {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_1_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_1_target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_2_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_2_target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_3_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_3_target: Option<String>,
}

/// The names of the three CNAME records of Easy DKIM.
pub const DKIM_NAMES: [Output<String>; 3] =
    [Output::at("dkim_1_name"), Output::at("dkim_2_name"), Output::at("dkim_3_name")];
/// What the three CNAME records of Easy DKIM point to.
pub const DKIM_TARGETS: [Output<String>; 3] =
    [Output::at("dkim_1_target"), Output::at("dkim_2_target"), Output::at("dkim_3_target")];

/// The value of the record of a key of one's own, where the key is not at hand. No identity has this output, so it stays
/// unknown: enough for what needs none, such as a destroy.
pub const KEY_AT_HAND: Output<String> = Output::at("key_at_hand");

/// Regions whose keys live in a zone of their own, should SES not name the zone (General Reference, SES "DKIM domains").
const OWN_ZONE_REGIONS: [&str; 11] = [
    "af-south-1",
    "ap-northeast-3",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "il-central-1",
    "me-central-1",
    "us-gov-east-1",
];

impl DkimRecords {
    /// The records for `tokens`. SES names the zone that holds the keys (it differs by Region and cell); the documented
    /// default stands in where it does not.
    fn of(domain: &str, tokens: &[String], zone: Option<&str>, region: &str) -> Self {
        let default = if OWN_ZONE_REGIONS.contains(&region) {
            format!("dkim.{region}.amazonses.com")
        } else {
            "dkim.amazonses.com".to_owned()
        };
        let zone = zone.unwrap_or(&default);
        let name = |index: usize| Some(format!("{}._domainkey.{domain}", tokens.get(index)?));
        let target = |index: usize| Some(format!("{}.{zone}", tokens.get(index)?));
        Self {
            dkim_1_name: name(0),
            dkim_1_target: target(0),
            dkim_2_name: name(1),
            dkim_2_target: target(1),
            dkim_3_name: name(2),
            dkim_3_target: target(2),
        }
    }
}

impl Identities {
    /// The outputs of an identity as SES describes it.
    pub(super) fn outputs(&self, state: &State) -> Outputs {
        // With a key of one's own the token is the selector, and a replica uses the records of its parent.
        let tokens = if state.is_domain && state.origin == Origin::Easy {
            state.dkim_tokens.as_slice()
        } else {
            &[]
        };
        self.outputs_with(&state.name, tokens, state.signing_zone.as_deref())
    }

    /// The same from what the answer to a create or to a new key says.
    pub(super) fn outputs_with(
        &self,
        name: &str,
        tokens: &[String],
        zone: Option<&str>,
    ) -> Outputs {
        let arns = &self.session().arns;
        let records = if tokens.is_empty() {
            DkimRecords::default()
        } else {
            DkimRecords::of(name, tokens, zone, arns.region().as_str())
        };
        Outputs { arn: arns.identity(name), records }
    }

    /// The outputs of those of these identities that exist, each by its path.
    pub(crate) async fn known_outputs(
        &self,
        names: Vec<String>,
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>, AwsError> {
        let states = self.read(names, Reading::Everything).await?;
        let known = states.iter().map(|state| {
            // Plain data has a JSON form.
            let outputs = serde_json::to_value(self.outputs(state)).unwrap_or_default();
            (state.name.clone(), texts(&outputs))
        });
        Ok(known.collect())
    }
}

/// The outputs that are texts.
fn texts(outputs: &Value) -> BTreeMap<String, String> {
    let members = outputs.as_object().into_iter().flatten();
    members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
