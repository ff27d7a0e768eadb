//! Mail goes on while things take each other's place: whatever is sent at any step of an apply is accepted, and its bounce
//! is heard of.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use serde_json::Value;

use crate::it::sending::{ALLOWED, BOUNCE, role};
use crate::it::stage::Stage;

/// What stays in every story.
const DOMAIN: &str = r#"
[identities."pivot.app"]
configuration_set = "main"
feedback_forwarding = false
[configuration_sets.main]
[configuration_sets.other]
[queues.heard]
[queues.elsewhere]
"#;

const TO_FIRST: &str = r#"
[configuration_sets.main.events.feedback]
types = ["bounce"]
topic = "first"
"#;

const TO_SECOND: &str = r#"
[configuration_sets.main.events.feedback]
types = ["bounce"]
topic = "second"
"#;

const FIRST_HEARD: &str = "[topics.first]\nsubscriptions = [{ queue = \"heard\", raw = true }]\n";
const SECOND_HEARD: &str = "[topics.second]\nsubscriptions = [{ queue = \"heard\", raw = true }]\n";
const SENDER: &str =
    "[send_policies.api]\nfrom = [\"hello@pivot.app\"]\nattach = { roles = [\"pivot-api\"] }\n";

/// Somebody who sends mail that bounces, and looks for the bounces.
struct Mailer {
    stage: Stage,
    ses: aws_sdk_sesv2::Client,
    queues: aws_sdk_sqs::Client,
    sent: Mutex<BTreeSet<String>>,
    heard: Mutex<BTreeSet<String>>,
}

impl Mailer {
    async fn send(&self, when: &str) {
        // The sandbox lets one mail a second pass.
        self.stage.cloud.advance(Duration::from_secs(1));
        let part = |text: &str| Content::builder().data(text).build().unwrap();
        let message = Message::builder()
            .subject(part("Hi"))
            .body(Body::builder().text(part("Hello.")).build())
            .build();
        let mail = self
            .ses
            .send_email()
            .from_email_address(ALLOWED)
            .destination(Destination::builder().to_addresses(BOUNCE).build())
            .content(EmailContent::builder().simple(message).build());
        let sent = mail.send().await.unwrap_or_else(|error| panic!("{when}: {error:?}"));
        self.sent.lock().unwrap().insert(sent.message_id.unwrap());
    }

    /// Takes out of every queue what has come.
    async fn listen(&self) {
        let queues = self.queues.list_queues().send().await.unwrap().queue_urls.unwrap_or_default();
        for url in queues {
            loop {
                let receive = self.queues.receive_message().queue_url(&url);
                let got = receive.max_number_of_messages(10).send().await.unwrap();
                if got.messages().is_empty() {
                    break;
                }
                for message in got.messages() {
                    // SES tries a new destination once, with a text that is no event.
                    let event: Value =
                        serde_json::from_str(message.body().unwrap()).unwrap_or_default();
                    if let Some(id) = event["mail"]["messageId"].as_str() {
                        self.heard.lock().unwrap().insert(id.to_owned());
                    }
                    let delete = self.queues.delete_message().queue_url(&url);
                    delete.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
                }
            }
        }
    }

    /// Applies a file with a mail sent whenever a step begins or ends.
    async fn sends_while(self: &Arc<Self>, file: &str, in_single_file: bool) {
        let open = self.stage.open(file).await;
        let open = if in_single_file { open.in_single_file() } else { open };
        let mailer = Arc::clone(self);
        let open = open.hearing(move |event| {
            let when = format!("{event:?}");
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(mailer.send(&when));
            });
        });
        let (_, report) = open.apply().await;
        assert!(report.is_complete(), "{report:#?}");
        self.listen().await;
        let (sent, heard) = (self.sent.lock().unwrap(), self.heard.lock().unwrap());
        let lost: Vec<&String> = sent.difference(&heard).collect();
        assert!(lost.is_empty(), "{} of {} bounces are lost", lost.len(), sent.len());
        assert!(sent.len() >= 4, "only {} mails", sent.len());
    }
}

/// There and back again: once one step after the other, once several at a time.
async fn nothing_is_lost_between(one: &str, other: &str) {
    let stage = Stage::new().await;
    stage.cloud.change(|options| options.enforce_iam = true);
    stage.zone("pivot.app").await;
    let ses = aws_sdk_sesv2::Client::new(&role(&stage).await);
    let queues = aws_sdk_sqs::Client::new(&stage.clients);
    let mailer =
        Arc::new(Mailer { ses, queues, sent: Mutex::default(), heard: Mutex::default(), stage });
    mailer.stage.converge(one).await;
    mailer.sends_while(other, true).await;
    mailer.stage.expect_nothing(other).await;
    mailer.sends_while(one, false).await;
    mailer.stage.expect_nothing(one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_gets_another_name() {
    nothing_is_lost_between(
        &format!("{DOMAIN}{SENDER}{TO_FIRST}{FIRST_HEARD}"),
        &format!("{DOMAIN}{SENDER}{TO_SECOND}{SECOND_HEARD}"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_moves_to_another_topic_and_its_subscriber_with_it() {
    nothing_is_lost_between(
        &format!("{DOMAIN}{SENDER}{TO_FIRST}{FIRST_HEARD}[topics.second]\n"),
        &format!("{DOMAIN}{SENDER}{TO_SECOND}{SECOND_HEARD}[topics.first]\n"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_gets_another_subscriber() {
    let elsewhere = FIRST_HEARD.replace("heard", "elsewhere");
    nothing_is_lost_between(
        &format!("{DOMAIN}{SENDER}{TO_FIRST}{FIRST_HEARD}"),
        &format!("{DOMAIN}{SENDER}{TO_FIRST}{elsewhere}"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_gets_another_name() {
    let renamed = TO_FIRST.replace("feedback", "bounces");
    nothing_is_lost_between(
        &format!("{DOMAIN}{SENDER}{TO_FIRST}{FIRST_HEARD}"),
        &format!("{DOMAIN}{SENDER}{renamed}{FIRST_HEARD}"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_gets_another_default_set() {
    let (domain, events) =
        (DOMAIN.replace("set = \"main\"", "set = \"other\""), TO_FIRST.replace("main", "other"));
    nothing_is_lost_between(
        &format!("{DOMAIN}{SENDER}{TO_FIRST}{FIRST_HEARD}"),
        &format!("{domain}{SENDER}{events}{FIRST_HEARD}"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_gets_another_name() {
    let renamed = SENDER.replace("api]", "mailer]");
    nothing_is_lost_between(
        &format!("{DOMAIN}{SENDER}{TO_FIRST}{FIRST_HEARD}"),
        &format!("{DOMAIN}{renamed}{TO_FIRST}{FIRST_HEARD}"),
    )
    .await;
}
