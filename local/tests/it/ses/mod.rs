//! SES v2 over the wire: what it takes, what it refuses and what becomes of mail. Each precondition that AWS has is tested
//! by breaking it.

mod account;
mod choices;
mod destinations;
mod dkim;
mod identities;
mod mail_from;
mod permissions;
mod policies;
mod sending;
mod sets;
mod tags;
mod tenants;

use aws_config::SdkConfig;
use aws_sdk_route53::types as dns;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use sesinfra_local::ses::{Decision, SesCloud};
use sesinfra_local::{Cloud, Options};

use super::account::{ACCOUNT, REGION, administrator, caller, cloud};

/// A cloud with clients of its administrator, and a hosted zone for `pivot.app`.
struct Bench {
    cloud: Cloud,
    config: SdkConfig,
    ses: aws_sdk_sesv2::Client,
    zone: String,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let cloud = cloud(options).await;
        let config = administrator(&cloud, ACCOUNT);
        let zones = aws_sdk_route53::Client::new(&config);
        let zone = zones.create_hosted_zone().name("pivot.app").caller_reference("1");
        let zone = zone.send().await.unwrap().hosted_zone.unwrap().id;
        Self { ses: aws_sdk_sesv2::Client::new(&config), cloud, config, zone }
    }

    /// SES in another Region of the same account.
    fn ses_in(&self, region: &str) -> aws_sdk_sesv2::Client {
        let (key, secret) = Cloud::administrator(ACCOUNT);
        let credentials = aws_credential_types::Credentials::new(key, secret, None, None, "test");
        aws_sdk_sesv2::Client::new(&caller(&self.cloud, credentials, region))
    }

    /// What can be done to SES that no caller can.
    fn behind(&self) -> SesCloud {
        SesCloud::over(self.cloud.world())
    }

    /// Takes the account out of the sandbox.
    async fn grant(&self) {
        let details = self.ses.put_account_details();
        let details = details.mail_type(aws_sdk_sesv2::types::MailType::Transactional);
        let details = details.website_url("https://pivot.app").production_access_enabled(true);
        details.send().await.unwrap();
        self.behind().decide(ACCOUNT, REGION, Decision::Granted);
    }

    async fn change(&self, action: dns::ChangeAction, name: &str, kind: &str, values: &[&str]) {
        let records = values.iter().map(|value| dns::ResourceRecord::builder().value(*value));
        let set = dns::ResourceRecordSet::builder()
            .name(name)
            .r#type(kind.into())
            .ttl(300)
            .set_resource_records(Some(records.map(|record| record.build().unwrap()).collect()))
            .build()
            .unwrap();
        let change = dns::Change::builder().action(action).resource_record_set(set);
        let batch = dns::ChangeBatch::builder().changes(change.build().unwrap()).build().unwrap();
        let zones = aws_sdk_route53::Client::new(&self.config);
        let change = zones.change_resource_record_sets().hosted_zone_id(&self.zone);
        change.change_batch(batch).send().await.unwrap();
    }

    async fn publish(&self, name: &str, kind: &str, values: &[&str]) {
        self.change(dns::ChangeAction::Upsert, name, kind, values).await;
    }

    async fn withdraw(&self, name: &str, kind: &str, values: &[&str]) {
        self.change(dns::ChangeAction::Delete, name, kind, values).await;
    }

    /// The three records of an identity that has keys of SES.
    async fn dkim_records(&self, ses: &aws_sdk_sesv2::Client, domain: &str) -> Vec<[String; 2]> {
        let identity = ses.get_email_identity().email_identity(domain).send().await.unwrap();
        let dkim = identity.dkim_attributes().unwrap();
        let zone = dkim.signing_hosted_zone().unwrap();
        let tokens = dkim.tokens().iter();
        tokens
            .map(|token| [format!("{token}._domainkey.{domain}"), format!("{token}.{zone}")])
            .collect()
    }

    /// Makes a domain a verified identity.
    async fn verified(&self, domain: &str) {
        self.ses.create_email_identity().email_identity(domain).send().await.unwrap();
        for [name, target] in self.dkim_records(&self.ses, domain).await {
            self.publish(&name, "CNAME", &[&target]).await;
        }
    }

    async fn set(&self, name: &str) {
        self.ses.create_configuration_set().configuration_set_name(name).send().await.unwrap();
    }

    /// A topic that SES may publish to for any set of the account.
    async fn topic(&self, name: &str) -> String {
        let topics = aws_sdk_sns::Client::new(&self.config);
        let topic = topics.create_topic().name(name).send().await.unwrap().topic_arn.unwrap();
        self.allow(&topic, &format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/*")).await;
        topic
    }

    async fn allow(&self, topic: &str, source: &str) {
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "ses.amazonaws.com" },
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": {
                    "StringEquals": { "AWS:SourceAccount": ACCOUNT },
                    "ArnLike": { "AWS:SourceArn": source },
                },
            }],
        });
        let topics = aws_sdk_sns::Client::new(&self.config);
        let set = topics.set_topic_attributes().topic_arn(topic).attribute_name("Policy");
        set.attribute_value(policy.to_string()).send().await.unwrap();
    }
}

/// The code and message of the error that a call was refused with.
#[track_caller]
fn refusal<T, E, R>(result: Result<T, SdkError<E, R>>) -> (String, String)
where
    E: ProvideErrorMetadata,
{
    match result {
        Ok(_) => panic!("the call was not refused"),
        Err(SdkError::ServiceError(error)) => {
            let meta = error.err().meta();
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            (text(meta.code()), text(meta.message()))
        }
        Err(error) => panic!("there was no answer: {error}"),
    }
}

/// Asserts that a call was refused with this code.
#[track_caller]
fn refused<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>, code: &str) {
    let (found, message) = refusal(result);
    assert_eq!(found, code, "{message}");
}
