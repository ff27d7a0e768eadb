//! What IAM is asked before SES answers.

use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, DkimSigningAttributes, DkimSigningAttributesOrigin, EmailContent,
    Message, RawMessage, Tag,
};
use serde_json::{Value, json};
use sesinfra_local::Options;

use super::super::account::{ACCOUNT, REGION, caller};
use super::{Bench, refused};

fn arn(resource: &str) -> String {
    format!("arn:aws:ses:{REGION}:{ACCOUNT}:{resource}")
}

fn allow(action: &str, resources: impl Into<Value>) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resources.into() })
}

impl Bench {
    /// SES as a user who may do only this.
    async fn user(&self, statement: Value) -> aws_sdk_sesv2::Client {
        let iam = aws_sdk_iam::Client::new(&self.config);
        let _ = iam.create_user().user_name("sender").send().await;
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        let put = iam.put_user_policy().user_name("sender").policy_name("only");
        put.policy_document(policy.to_string()).send().await.unwrap();
        let key = iam.create_access_key().user_name("sender").send().await.unwrap();
        let key = key.access_key.unwrap();
        let credentials = aws_credential_types::Credentials::new(
            key.access_key_id,
            key.secret_access_key,
            None,
            None,
            "test",
        );
        aws_sdk_sesv2::Client::new(&caller(&self.cloud, credentials, REGION))
    }
}

fn content() -> EmailContent {
    let part = |text: &str| Content::builder().data(text).build().unwrap();
    let body = Body::builder().text(part("Hello.")).build();
    let message = Message::builder().subject(part("Hi")).body(body).build();
    EmailContent::builder().simple(message).build()
}

fn mail(
    ses: &aws_sdk_sesv2::Client,
) -> aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder {
    let to = Destination::builder().to_addresses("success@simulator.amazonses.com").build();
    ses.send_email().from_email_address("hello@pivot.app").destination(to).content(content())
}

#[tokio::test]
async fn a_send_needs_the_identity_and_the_set_that_is_used() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    bench.set("main").await;
    let identity_only = allow("ses:SendEmail", arn("identity/pivot.app"));
    let ses = bench.user(identity_only).await;
    mail(&ses).send().await.unwrap();
    refused(mail(&ses).configuration_set_name("main").send().await, "AccessDeniedException");
    let put = bench.ses.put_email_identity_configuration_set_attributes();
    put.email_identity("pivot.app").configuration_set_name("main").send().await.unwrap();
    refused(mail(&ses).send().await, "AccessDeniedException");
    let both = json!([arn("identity/pivot.app"), arn("configuration-set/main")]);
    let ses = bench.user(allow("ses:SendEmail", both)).await;
    bench.cloud.advance(std::time::Duration::from_secs(1));
    mail(&ses).send().await.unwrap();
}

#[tokio::test]
async fn a_raw_message_is_another_action() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let text = "From: hello@pivot.app\r\nTo: success@simulator.amazonses.com\r\n\r\nHello.";
    let raw = RawMessage::builder().data(Blob::new(text)).build().unwrap();
    let content = EmailContent::builder().raw(raw).build();
    let ses = bench.user(allow("ses:SendEmail", "*")).await;
    refused(ses.send_email().content(content.clone()).send().await, "AccessDeniedException");
    let ses = bench.user(allow("ses:SendRawEmail", "*")).await;
    ses.send_email().content(content).send().await.unwrap();
}

#[tokio::test]
async fn the_from_address_can_be_limited() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let mut statement = allow("ses:SendEmail", "*");
    statement["Condition"] = json!({ "StringLike": { "ses:FromAddress": "billing@pivot.app" } });
    let ses = bench.user(statement).await;
    refused(mail(&ses).send().await, "AccessDeniedException");
    mail(&ses).from_email_address("Billing <billing@pivot.app>").send().await.unwrap();
}

#[tokio::test]
async fn a_sender_may_nothing_else_and_tags_count() {
    let bench = Bench::start().await;
    let tag = Tag::builder().key("team").value("mail").build().unwrap();
    let create = bench.ses.create_configuration_set().configuration_set_name("main");
    create.tags(tag).send().await.unwrap();
    bench.set("other").await;
    let mut statement = allow("ses:GetConfigurationSet", "*");
    statement["Condition"] = json!({ "StringEquals": { "aws:ResourceTag/team": "mail" } });
    let ses = bench.user(statement).await;
    ses.get_configuration_set().configuration_set_name("main").send().await.unwrap();
    let other = ses.get_configuration_set().configuration_set_name("other").send().await;
    refused(other, "AccessDeniedException");
    refused(ses.get_account().send().await, "AccessDeniedException");
}

#[tokio::test]
async fn tags_of_a_create_can_be_demanded() {
    let bench = Bench::start().await;
    let mut statement = allow("ses:CreateConfigurationSet", "*");
    statement["Condition"] = json!({ "StringEquals": { "aws:RequestTag/team": "mail" } });
    let ses = bench.user(statement).await;
    let create = || ses.create_configuration_set().configuration_set_name("main");
    refused(create().send().await, "AccessDeniedException");
    let tag = Tag::builder().key("team").value("mail").build().unwrap();
    create().tags(tag).send().await.unwrap();
}

#[tokio::test]
async fn a_replica_needs_leave_of_its_parent() {
    let bench = Bench::start().await;
    let signing = DkimSigningAttributes::builder();
    let signing =
        signing.domain_signing_attributes_origin(DkimSigningAttributesOrigin::AwsSesUsWest2);
    let signing = signing.build();
    let here = arn("identity/pivot.app");
    let ses = bench.user(allow("ses:*", here)).await;
    let create = || {
        let create = ses.create_email_identity().email_identity("pivot.app");
        create.dkim_signing_attributes(signing.clone())
    };
    refused(create().send().await, "AccessDeniedException");
    let both = json!([
        arn("identity/pivot.app"),
        format!("arn:aws:ses:us-west-2:{ACCOUNT}:identity/pivot.app"),
    ]);
    let ses = bench.user(allow("ses:*", both)).await;
    let create = ses.create_email_identity().email_identity("pivot.app");
    create.dkim_signing_attributes(signing).send().await.unwrap();
}

#[tokio::test]
async fn without_enforcement_nobody_is_asked() {
    let bench = Bench::with(Options { enforce_iam: false, ..Options::default() }).await;
    let ses = bench.user(allow("ses:GetAccount", "*")).await;
    ses.create_configuration_set().configuration_set_name("main").send().await.unwrap();
}
