//! Every field of an environment file: set, changed and unset, each time applied until nothing is left to do, and looked
//! at with AWS's own client, which knows nothing of how sesinfra reads.

mod account;
mod alarms;
mod by_hand;
mod destinations;
mod identities;
mod keys;
mod mail_from;
mod messaging;
mod records;
mod sets;
mod tracking;

use std::collections::{BTreeMap, BTreeSet};

use aws_credential_types::Credentials;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet,
};
use aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetOutput;
use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput;
use aws_sdk_sesv2::types::{DkimAttributes, EventDestination, Tag};
use sesinfra::engine::{Address, Outcome, Report, chain};
use sesinfra_local::Cloud;

use crate::it::account::{ACCOUNT, caller};
use crate::it::stage::Stage;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Values by record name and type: `mail.pivot.app MX`. Texts are joined and without quotes.
type Records = BTreeMap<String, BTreeSet<String>>;

/// Tags of a user's own.
fn own_tags(tags: &[Tag]) -> BTreeMap<String, String> {
    let theirs = tags.iter().filter(|tag| !tag.key.starts_with("sesinfra:"));
    theirs.map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn tags<const N: usize>(tags: [(&str, &str); N]) -> BTreeMap<String, String> {
    tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Why steps did not get done, in one text.
fn reasons(report: &Report) -> String {
    let steps = report.steps.iter().filter_map(|step| match &step.outcome {
        Outcome::Done => None,
        Outcome::Waiting(reason) => Some(format!("{} waits: {reason}", step.address)),
        Outcome::Failed(error) => {
            Some(format!("{} failed: {}", step.address, chain(error.as_ref())))
        }
        Outcome::NotStarted(reason) => Some(format!("{} not begun: {reason}", step.address)),
    });
    let unsettled = report.unsettled.iter();
    let unsettled =
        unsettled.map(|(root, error)| format!("{root} unsettled: {}", chain(error.as_ref())));
    steps.chain(unsettled).collect::<Vec<_>>().join("\n")
}

impl Stage {
    fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::new(&self.clients)
    }

    /// SES in another Region of the same account.
    fn ses_in(&self, region: &str) -> aws_sdk_sesv2::Client {
        let (key, secret) = Cloud::administrator(ACCOUNT);
        let credentials = Credentials::new(key, secret, None, None, "test");
        aws_sdk_sesv2::Client::new(&caller(&self.cloud, credentials, region))
    }

    async fn identity(&self, name: &str) -> GetEmailIdentityOutput {
        self.ses().get_email_identity().email_identity(name).send().await.unwrap()
    }

    async fn dkim(&self, name: &str) -> DkimAttributes {
        self.identity(name).await.dkim_attributes.unwrap()
    }

    async fn set(&self, name: &str) -> GetConfigurationSetOutput {
        self.ses().get_configuration_set().configuration_set_name(name).send().await.unwrap()
    }

    async fn destinations(&self, set: &str) -> BTreeMap<String, EventDestination> {
        let call = self.ses().get_configuration_set_event_destinations();
        let answer = call.configuration_set_name(set).send().await.unwrap();
        let listed = answer.event_destinations.unwrap_or_default().into_iter();
        listed.map(|destination| (destination.name.clone(), destination)).collect()
    }

    /// What stands in a zone, without what Route 53 puts there and without our claims.
    async fn records(&self, zone: &str) -> Records {
        let mut records = self.all_records(zone).await;
        records.retain(|name, _| !name.starts_with("_sesinfra."));
        records
    }

    async fn all_records(&self, zone: &str) -> Records {
        let zones = aws_sdk_route53::Client::new(&self.clients);
        let listed = zones.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
        assert!(!listed.is_truncated, "more records than one page");
        let sets = listed.resource_record_sets.into_iter();
        let sets = sets.filter(|set| !matches!(set.r#type.as_str(), "NS" | "SOA"));
        sets.map(|set| {
            let name = format!("{} {}", set.name.trim_end_matches('.'), set.r#type.as_str());
            let values = set.resource_records.unwrap_or_default().into_iter();
            let values = values.map(|record| {
                let joined = record.value.replace("\" \"", "");
                joined.trim_matches('"').trim_end_matches('.').to_owned()
            });
            (name, values.collect())
        })
        .collect()
    }

    /// Writes a record set of somebody else's.
    pub(crate) async fn publish(&self, zone: &str, name: &str, kind: &str, values: &[&str]) {
        self.change(ChangeAction::Upsert, zone, name, kind, values).await;
    }

    async fn withdraw(&self, zone: &str, name: &str, kind: &str, values: &[&str]) {
        self.change(ChangeAction::Delete, zone, name, kind, values).await;
    }

    async fn change(
        &self,
        action: ChangeAction,
        zone: &str,
        name: &str,
        kind: &str,
        values: &[&str],
    ) {
        let values = values.iter().map(|value| ResourceRecord::builder().value(*value).build());
        let set = ResourceRecordSet::builder()
            .name(name)
            .r#type(kind.into())
            .ttl(300)
            .set_resource_records(Some(values.map(Result::unwrap).collect()))
            .build()
            .unwrap();
        let change = Change::builder().action(action).resource_record_set(set).build().unwrap();
        let batch = ChangeBatch::builder().changes(change).build().unwrap();
        let zones = aws_sdk_route53::Client::new(&self.clients);
        let call = zones.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
        call.send().await.unwrap();
    }

    /// The records of Easy DKIM that SES asks for now, and no others, stand in the zone.
    async fn expect_dkim_records(&self, zone: &str, domain: &str) {
        let dkim = self.dkim(domain).await;
        let host = dkim.signing_hosted_zone().unwrap();
        let wanted: Records = dkim
            .tokens()
            .iter()
            .map(|token| {
                let name = format!("{token}._domainkey.{domain} CNAME");
                (name, BTreeSet::from([format!("{token}.{host}")]))
            })
            .collect();
        assert_eq!(wanted.len(), 3);
        let mut found = self.records(zone).await;
        found.retain(|name, _| name.contains("_domainkey"));
        assert_eq!(found, wanted);
    }
}

/// One value at one name.
fn record(name: &str, value: &str) -> (String, BTreeSet<String>) {
    (name.to_owned(), BTreeSet::from([value.to_owned()]))
}
