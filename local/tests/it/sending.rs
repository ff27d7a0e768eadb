//! Mail of an applied environment: who may send which mail, and that what became of it arrives; and what is seen and
//! mended when somebody takes a permission away that the events need.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, RawMessage};
use serde_json::{Value, json};

use crate::it::account::{ACCOUNT, REGION, caller, code};
use crate::it::stage::Stage;

const FILE: &str = r#"
[identities."pivot.app"]
configuration_set = "transactional"
feedback_forwarding = false

[configuration_sets.transactional.events.feedback]
types = ["bounce", "complaint"]
topic = "ses-feedback"

[configuration_sets.marketing]

[topics.ses-feedback]
subscriptions = [{ queue = "ses-feedback", raw = true }]

[queues.ses-feedback]

[send_policies.api]
from = ["hello@pivot.app"]
attach = { roles = ["pivot-api"] }
"#;

pub(crate) const BOUNCE: &str = "bounce@simulator.amazonses.com";
pub(crate) const ALLOWED: &str = "hello@pivot.app";

/// An applied environment, with the clients of the one who may send.
struct Sender {
    stage: Stage,
    ses: aws_sdk_sesv2::Client,
    queues: aws_sdk_sqs::Client,
    url: String,
}

impl Sender {
    async fn new() -> Self {
        let stage = Stage::new().await;
        stage.cloud.change(|options| options.enforce_iam = true);
        stage.zone("pivot.app").await;
        let role = role(&stage).await;
        Box::pin(stage.converge(FILE)).await;
        let queues = aws_sdk_sqs::Client::new(&stage.clients);
        let url = queues.get_queue_url().queue_name("ses-feedback").send().await;
        let url = url.unwrap().queue_url.unwrap();
        let sender = Self { ses: aws_sdk_sesv2::Client::new(&role), queues, url, stage };
        // SES tries a new destination once; that message arrives if the queue is subscribed by then.
        sender.arrived().await;
        sender
    }

    async fn send(&self, from: &str, set: Option<&str>) -> String {
        let part = |text: &str| Content::builder().data(text).build().unwrap();
        let body = Body::builder().text(part("Hello.")).build();
        let message = Message::builder().subject(part("Hi")).body(body).build();
        self.send_content(from, set, EmailContent::builder().simple(message).build()).await
    }

    /// The code of the error with which a mail is refused, or `none`.
    async fn send_content(&self, from: &str, set: Option<&str>, content: EmailContent) -> String {
        // The sandbox lets one mail a second pass.
        self.stage.cloud.advance(Duration::from_secs(1));
        let to = Destination::builder().to_addresses(BOUNCE).build();
        let send = self.ses.send_email().from_email_address(from).destination(to).content(content);
        code(send.set_configuration_set_name(set.map(str::to_owned)).send().await)
    }

    /// What has come to the queue.
    async fn arrived(&self) -> Vec<String> {
        let mut arrived = Vec::new();
        loop {
            let receive = self.queues.receive_message().queue_url(&self.url);
            let got = receive.max_number_of_messages(10).send().await.unwrap();
            if got.messages().is_empty() {
                return arrived;
            }
            for message in got.messages() {
                arrived.push(message.body().unwrap().to_owned());
                let delete = self.queues.delete_message().queue_url(&self.url);
                delete.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
            }
        }
    }

    /// Sends a mail that bounces, and gives the bounces that are heard of.
    async fn bounces(&self) -> Vec<Value> {
        assert_eq!(self.send(ALLOWED, None).await, "none");
        let arrived = self.arrived().await;
        let events = arrived.iter().map(|text| serde_json::from_str(text).unwrap());
        events.filter(|event: &Value| event["eventType"] == "Bounce").collect()
    }

    /// Asserts that the next plan says all of `words`, and that applying it lets events arrive again.
    async fn mends(&self, words: &[&str]) {
        assert_eq!(self.bounces().await, Vec::<Value>::new(), "the event is lost");
        let shown = self.stage.shown(FILE).await;
        for word in words {
            assert!(shown.contains(word), "no `{word}` in:\n{shown}");
        }
        assert!(shown.ends_with("\nPlan: 0 to add, 1 to change, 0 to destroy.\n"), "{shown}");
        self.stage.converge(FILE).await;
        let after = self.bounces().await;
        assert_eq!(after.len(), 1, "{after:?}");
    }
}

/// The clients of the role that the send policy will be attached to.
pub(crate) async fn role(stage: &Stage) -> SdkConfig {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
        "Action": "sts:AssumeRole",
    }] });
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let create = iam.create_role().role_name("pivot-api");
    let made = create.assume_role_policy_document(trust.to_string()).send().await.unwrap();
    let sts = aws_sdk_sts::Client::new(&stage.clients);
    let assume = sts.assume_role().role_arn(made.role.unwrap().arn).role_session_name("mailer");
    let keys = assume.send().await.unwrap().credentials.unwrap();
    let credentials = Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        None,
        "test",
    );
    caller(&stage.cloud, credentials, REGION)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_role_sends_from_its_address_and_through_its_set_alone() {
    let sender = Sender::new().await;
    let denied = "AccessDeniedException";
    assert_eq!(sender.send(ALLOWED, None).await, "none");
    assert_eq!(sender.send(&format!("Pivot <{ALLOWED}>"), Some("transactional")).await, "none");
    assert_eq!(sender.send("ceo@pivot.app", None).await, denied);
    assert_eq!(sender.send(ALLOWED, Some("marketing")).await, denied);
    let raw = |from: &str| {
        let text = format!("From: {from}\r\nTo: {BOUNCE}\r\nSubject: Hi\r\n\r\nHello.\r\n");
        let message = RawMessage::builder().data(Blob::new(text)).build().unwrap();
        EmailContent::builder().raw(message).build()
    };
    assert_eq!(sender.send_content(ALLOWED, None, raw(ALLOWED)).await, "none");
    assert_eq!(sender.send_content("ceo@pivot.app", None, raw("ceo@pivot.app")).await, denied);
    let other = code(sender.ses.list_email_identities().send().await);
    assert_eq!(other, denied, "a sender may send and nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounce_arrives_and_a_policy_that_is_taken_away_is_seen_and_mended() {
    let sender = Sender::new().await;
    let bounces = sender.bounces().await;
    assert_eq!(bounces.len(), 1, "{bounces:?}");
    let source = &bounces[0]["mail"]["tags"]["ses:configuration-set"][0];
    assert_eq!(source, "transactional", "{bounces:?}");

    let topics = aws_sdk_sns::Client::new(&sender.stage.clients);
    let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:ses-feedback");
    let nobody = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "owner", "Effect": "Allow", "Action": "SNS:Publish", "Resource": topic,
        "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
    }] });
    let set = topics.set_topic_attributes().topic_arn(&topic).attribute_name("Policy");
    set.attribute_value(nobody.to_string()).send().await.unwrap();
    sender
        .mends(&[
            "# topic.ses-feedback will be updated in-place",
            "SES may publish events to the topic from now on",
        ])
        .await;

    let set = sender.queues.set_queue_attributes().queue_url(&sender.url);
    set.attributes("Policy".into(), "").send().await.unwrap();
    sender
        .mends(&[
            "# queue.ses-feedback will be updated in-place",
            "can deliver to the queue from now on",
        ])
        .await;
}
