//! Sending: what is refused, what happens to mail, and who is told.

use std::time::Duration;

use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    BehaviorOnMxFailure, Body, Content, Destination, EmailContent, EmailTemplateContent,
    EventBridgeDestination, EventDestinationDefinition, EventType, Message, MessageTag, RawMessage,
    SnsDestination, SuppressionListReason as Reason, Template,
};
use serde_json::Value;

use super::super::account::{ACCOUNT, REGION};
use super::{Bench, refusal, refused};

const SUCCESS: &str = "success@simulator.amazonses.com";

fn simple(text: &str) -> EmailContent {
    let part = |text: &str| Content::builder().data(text).build().unwrap();
    let body = Body::builder().text(part(text)).build();
    EmailContent::builder()
        .simple(Message::builder().subject(part("Hi")).body(body).build())
        .build()
}

impl Bench {
    fn mail(&self, to: &[&str]) -> SendEmailFluentBuilder {
        let to = to.iter().map(|address| (*address).to_owned()).collect();
        let destination = Destination::builder().set_to_addresses(Some(to)).build();
        let send = self.ses.send_email().from_email_address("Pivot <hello@pivot.app>");
        send.destination(destination).content(simple("Hello."))
    }

    /// A verified domain, out of the sandbox, with a set whose events go to a topic and on to a queue.
    async fn ready(&self, types: &[EventType]) -> Inbox {
        self.verified("pivot.app").await;
        self.grant().await;
        self.set("main").await;
        let topic = self.topic("feedback").await;
        let inbox = Inbox::subscribe(self, &topic).await;
        let definition = EventDestinationDefinition::builder()
            .enabled(true)
            .set_matching_event_types(Some(types.to_vec()))
            .sns_destination(SnsDestination::builder().topic_arn(&topic).build().unwrap())
            .build();
        let create = self.ses.create_configuration_set_event_destination();
        let create = create.configuration_set_name("main").event_destination_name("feedback");
        create.event_destination(definition).send().await.unwrap();
        let [probe] = &inbox.take().await[..] else { panic!("one probe") };
        assert_eq!(probe, "Successfully validated SNS topic for Amazon SES event publishing.");
        inbox
    }
}

/// A queue behind a topic.
struct Inbox {
    queues: aws_sdk_sqs::Client,
    url: String,
    topic: String,
}

impl Inbox {
    async fn subscribe(bench: &Bench, topic: &str) -> Self {
        let queues = aws_sdk_sqs::Client::new(&bench.config);
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:feedback");
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "sns.amazonaws.com" },
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
            }],
        });
        let create = queues.create_queue().queue_name("feedback");
        let create = create.attributes("Policy".into(), policy.to_string());
        let url = create.send().await.unwrap().queue_url.unwrap();
        let topics = aws_sdk_sns::Client::new(&bench.config);
        let subscribe = topics.subscribe().topic_arn(topic).protocol("sqs").endpoint(arn);
        subscribe.attributes("RawMessageDelivery", "true").send().await.unwrap();
        Self { queues, url, topic: topic.to_owned() }
    }

    /// Everything that has come, oldest first.
    async fn take(&self) -> Vec<String> {
        let mut taken = Vec::new();
        loop {
            let receive = self.queues.receive_message().queue_url(&self.url);
            let got = receive.max_number_of_messages(10).send().await.unwrap();
            if got.messages().is_empty() {
                return taken;
            }
            for message in got.messages() {
                taken.push(message.body().unwrap().to_owned());
                let delete = self.queues.delete_message().queue_url(&self.url);
                delete.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
            }
        }
    }

    async fn events(&self) -> Vec<Value> {
        self.take().await.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }
}

#[tokio::test]
async fn the_sender_must_be_verified() {
    let bench = Bench::start().await;
    bench.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    let (code, message) = refusal(bench.mail(&[SUCCESS]).send().await);
    assert_eq!(code, "MessageRejected");
    assert_eq!(
        message,
        "Email address is not verified. The following identities failed the check in region US-EAST-1: hello@pivot.app"
    );
}

#[tokio::test]
async fn in_the_sandbox_recipients_must_be_verified_too() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    refused(bench.mail(&["someone@example.com"]).send().await, "MessageRejected");
    bench.mail(&["colleague@pivot.app"]).send().await.unwrap();
    bench.cloud.advance(Duration::from_secs(1));
    bench.mail(&["success+label@simulator.amazonses.com"]).send().await.unwrap();
    bench.grant().await;
    bench.cloud.advance(Duration::from_secs(1));
    bench.mail(&["someone@example.com"]).send().await.unwrap();
}

#[tokio::test]
async fn the_sandbox_sends_one_a_second_and_two_hundred_a_day() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let to: Vec<String> = (0..50).map(|number| format!("u{number}@pivot.app")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    bench.mail(&to).send().await.unwrap();
    let (code, message) = refusal(bench.mail(&to).send().await);
    assert_eq!(code, "TooManyRequestsException");
    assert_eq!(message, "Maximum sending rate exceeded.");
    for _ in 0..3 {
        bench.cloud.advance(Duration::from_secs(1));
        bench.mail(&to).send().await.unwrap();
    }
    bench.cloud.advance(Duration::from_secs(1));
    let (code, message) = refusal(bench.mail(&to[..1]).send().await);
    assert_eq!(code, "LimitExceededException");
    assert_eq!(message, "Daily message quota exceeded.");
    // The simulator does not count against the day.
    bench.mail(&[SUCCESS]).send().await.unwrap();
    let account = bench.ses.get_account().send().await.unwrap();
    assert!((account.send_quota().unwrap().sent_last24_hours() - 200.0).abs() < 0.5);
    bench.cloud.advance(Duration::from_hours(25));
    bench.mail(&to).send().await.unwrap();
}

#[tokio::test]
async fn messages_have_limits() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let many: Vec<String> = (0..51).map(|number| format!("u{number}@pivot.app")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    refused(bench.mail(&many).send().await, "BadRequestException");
    refused(bench.mail(&[]).send().await, "BadRequestException");
    refused(bench.mail(&["nobody"]).send().await, "BadRequestException");
    let both = simple("x");
    let both =
        EmailContent::builder().set_simple(both.simple).template(Template::builder().build());
    refused(bench.mail(&[SUCCESS]).content(both.build()).send().await, "BadRequestException");
}

#[tokio::test]
async fn a_set_that_is_gone_stops_the_mail_that_names_it_or_defaults_to_it() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    bench.set("main").await;
    let put = bench.ses.put_email_identity_configuration_set_attributes();
    put.email_identity("pivot.app").configuration_set_name("main").send().await.unwrap();
    bench.mail(&[SUCCESS]).send().await.unwrap();
    assert_eq!(bench.behind().sent(ACCOUNT, REGION)[0].configuration_set.as_deref(), Some("main"));
    bench.ses.delete_configuration_set().configuration_set_name("main").send().await.unwrap();
    let (code, message) = refusal(bench.mail(&[SUCCESS]).send().await);
    assert_eq!(code, "BadRequestException");
    assert_eq!(message, "Configuration set <main> does not exist.");
    let (code, _) = refusal(bench.mail(&[SUCCESS]).configuration_set_name("other").send().await);
    assert_eq!(code, "BadRequestException");
}

#[tokio::test]
async fn pauses_are_of_the_set_the_account_or_aws() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    bench.set("main").await;
    let pause = bench.ses.put_configuration_set_sending_options().configuration_set_name("main");
    pause.send().await.unwrap();
    let send = |set: Option<&str>| {
        bench.mail(&[SUCCESS]).set_configuration_set_name(set.map(str::to_owned)).send()
    };
    refused(send(Some("main")).await, "SendingPausedException");
    send(None).await.unwrap();
    bench.ses.put_account_sending_attributes().send().await.unwrap();
    refused(send(None).await, "SendingPausedException");
    bench.ses.put_account_sending_attributes().sending_enabled(true).send().await.unwrap();
    bench.behind().enforce(ACCOUNT, REGION, true);
    refused(send(None).await, "AccountSuspendedException");
}

#[tokio::test]
async fn a_mail_from_that_is_not_ready_refuses_or_falls_back() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    let put = |behavior: BehaviorOnMxFailure| {
        let put = bench.ses.put_email_identity_mail_from_attributes().email_identity("pivot.app");
        put.mail_from_domain("mail.pivot.app").behavior_on_mx_failure(behavior).send()
    };
    put(BehaviorOnMxFailure::RejectMessage).await.unwrap();
    refused(bench.mail(&[SUCCESS]).send().await, "MailFromDomainNotVerifiedException");
    put(BehaviorOnMxFailure::UseDefaultValue).await.unwrap();
    bench.mail(&[SUCCESS]).send().await.unwrap();
    put(BehaviorOnMxFailure::RejectMessage).await.unwrap();
    bench.publish("mail.pivot.app", "MX", &["10 feedback-smtp.us-east-1.amazonses.com"]).await;
    bench.cloud.advance(Duration::from_secs(1));
    bench.mail(&[SUCCESS]).send().await.unwrap();
    let sent = bench.behind().sent(ACCOUNT, REGION);
    let domains: Vec<_> = sent.iter().map(|sent| sent.mail_from.as_deref()).collect();
    assert_eq!(domains, [None, Some("mail.pivot.app")]);
    assert!(sent.iter().all(|sent| sent.signed));
}

#[tokio::test]
async fn the_most_specific_identity_decides() {
    let bench = Bench::start().await;
    bench.verified("pivot.app").await;
    bench.set("main").await;
    let create = bench.ses.create_email_identity().email_identity("hello@pivot.app");
    create.configuration_set_name("main").send().await.unwrap();
    bench.mail(&[SUCCESS]).send().await.unwrap();
    assert!(bench.behind().follow_link(ACCOUNT, REGION, "hello@pivot.app"));
    bench.cloud.advance(Duration::from_secs(1));
    bench.mail(&[SUCCESS]).send().await.unwrap();
    bench.cloud.advance(Duration::from_secs(1));
    let labelled = bench.mail(&[SUCCESS]).from_email_address("hello+news@pivot.app");
    labelled.send().await.unwrap();
    bench.cloud.advance(Duration::from_secs(1));
    bench.mail(&[SUCCESS]).from_email_address("a@sub.pivot.app").send().await.unwrap();
    let sent = bench.behind().sent(ACCOUNT, REGION);
    let seen: Vec<_> = sent.iter().map(|sent| sent.identity.as_str()).collect();
    assert_eq!(seen, ["pivot.app", "hello@pivot.app", "hello@pivot.app", "pivot.app"]);
    assert_eq!(sent[1].configuration_set.as_deref(), Some("main"));
    assert_eq!(sent[3].configuration_set, None);
}

#[tokio::test]
async fn the_simulator_plays_every_mailbox() {
    let bench = Bench::start().await;
    let all = [EventType::Send, EventType::Delivery, EventType::Bounce, EventType::Complaint];
    let inbox = bench.ready(&all).await;
    for (mailbox, expected) in [
        ("success", &["Send", "Delivery"][..]),
        ("bounce+order-7", &["Send", "Bounce"][..]),
        ("ooto", &["Send", "Delivery"][..]),
        ("complaint", &["Send", "Delivery", "Complaint"][..]),
        ("suppressionlist", &["Send", "Bounce"][..]),
    ] {
        let to = format!("{mailbox}@simulator.amazonses.com");
        let send = bench.mail(&[&to]).configuration_set_name("main");
        let id = send.send().await.unwrap().message_id.unwrap();
        let events = inbox.events().await;
        let types: Vec<_> =
            events.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
        assert_eq!(types, expected, "{mailbox}");
        for event in &events {
            assert_eq!(event["mail"]["messageId"], id);
            assert_eq!(event["mail"]["destination"][0], to);
        }
        if let Some(bounce) = events.iter().find(|event| event["eventType"] == "Bounce") {
            let kind = if mailbox == "suppressionlist" { "Suppressed" } else { "General" };
            assert_eq!(bounce["bounce"]["bounceType"], "Permanent");
            assert_eq!(bounce["bounce"]["bounceSubType"], kind);
            assert_eq!(bounce["bounce"]["bouncedRecipients"][0]["emailAddress"], to);
        }
    }
}

#[tokio::test]
async fn an_event_tells_of_the_mail_and_its_tags() {
    let bench = Bench::start().await;
    let inbox = bench.ready(&[EventType::Delivery]).await;
    let tag = MessageTag::builder().name("kind").value("receipt").build().unwrap();
    let send = bench.mail(&[SUCCESS]).configuration_set_name("main").email_tags(tag);
    send.send().await.unwrap();
    let [event] = &inbox.events().await[..] else { panic!("one event") };
    let mail = &event["mail"];
    assert_eq!(mail["source"], "Pivot <hello@pivot.app>");
    assert_eq!(mail["sourceArn"], format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/pivot.app"));
    assert_eq!(mail["sendingAccountId"], ACCOUNT);
    assert_eq!(mail["commonHeaders"]["subject"], "Hi");
    assert_eq!(mail["tags"]["kind"][0], "receipt");
    assert_eq!(mail["tags"]["ses:configuration-set"][0], "main");
    assert_eq!(mail["tags"]["ses:from-domain"][0], "pivot.app");
    assert_eq!(mail["tags"]["ses:caller-identity"][0], "administrator");
    assert_eq!(event["delivery"]["recipients"][0], SUCCESS);
    assert!(mail["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn a_topic_whose_policy_is_taken_away_gets_nothing_more() {
    let bench = Bench::start().await;
    let inbox = bench.ready(&[EventType::Bounce]).await;
    let send =
        || bench.mail(&["bounce@simulator.amazonses.com"]).configuration_set_name("main").send();
    send().await.unwrap();
    assert_eq!(inbox.events().await.len(), 1);
    let other = format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/other");
    bench.allow(&inbox.topic, &other).await;
    send().await.unwrap();
    assert_eq!(inbox.events().await.len(), 0);
}

#[tokio::test]
async fn a_disabled_destination_is_not_told() {
    let bench = Bench::start().await;
    let inbox = bench.ready(&[EventType::Send]).await;
    let definition = EventDestinationDefinition::builder()
        .matching_event_types(EventType::Send)
        .sns_destination(SnsDestination::builder().topic_arn(&inbox.topic).build().unwrap());
    let update = bench.ses.update_configuration_set_event_destination();
    let update = update.configuration_set_name("main").event_destination_name("feedback");
    update.event_destination(definition.build()).send().await.unwrap();
    inbox.take().await;
    bench.mail(&[SUCCESS]).configuration_set_name("main").send().await.unwrap();
    assert!(inbox.take().await.is_empty());
}

#[tokio::test]
async fn suppression_follows_the_set_before_the_account() {
    let bench = Bench::start().await;
    let inbox = bench.ready(&[EventType::Bounce, EventType::Delivery]).await;
    let put = bench.ses.put_suppressed_destination().email_address("gone@example.com");
    put.reason(Reason::Bounce).send().await.unwrap();
    let outcome = async || {
        let send = bench.mail(&["gone@example.com"]).configuration_set_name("main");
        send.send().await.unwrap();
        let [event] = &inbox.events().await[..] else { panic!("one event") };
        event["bounce"]["bounceSubType"].as_str().map(str::to_owned)
    };
    assert_eq!(outcome().await.as_deref(), Some("OnAccountSuppressionList"));
    let group =
        || bench.ses.put_configuration_set_suppression_options().configuration_set_name("main");
    group().set_suppressed_reasons(Some(Vec::new())).send().await.unwrap();
    assert_eq!(outcome().await, None);
    group().suppressed_reasons(Reason::Complaint).send().await.unwrap();
    assert_eq!(outcome().await, None);
    group().send().await.unwrap();
    assert!(outcome().await.is_some());
    bench.ses.put_account_suppression_attributes().send().await.unwrap();
    assert_eq!(outcome().await, None);
}

#[tokio::test]
async fn a_template_without_its_data_is_accepted_and_lost() {
    let bench = Bench::start().await;
    let inbox = bench.ready(&[EventType::Send, EventType::RenderingFailure]).await;
    let content = EmailTemplateContent::builder().subject("Hi {{name}}").text("x").build();
    let create = bench.ses.create_email_template().template_name("hello");
    create.template_content(content).send().await.unwrap();
    let send = |name: &str, data: &str| {
        let template = Template::builder().template_name(name).template_data(data).build();
        let content = EmailContent::builder().template(template).build();
        bench.mail(&[SUCCESS]).content(content).configuration_set_name("main").send()
    };
    refused(send("none", "{}").await, "NotFoundException");
    send("hello", "{}").await.unwrap();
    send("hello", r#"{"name": "Ann"}"#).await.unwrap();
    let events = inbox.events().await;
    assert_eq!(events[0]["eventType"], "Rendering Failure");
    assert_eq!(events[0]["failure"]["templateName"], "hello");
    assert_eq!(events[1]["eventType"], "Send");
    assert_eq!(bench.behind().sent(ACCOUNT, REGION)[1].subject, "Hi Ann");
}

#[tokio::test]
async fn a_raw_message_names_its_set_in_a_header_and_a_virus_is_rejected() {
    let bench = Bench::start().await;
    let inbox = bench.ready(&[EventType::Send, EventType::Reject]).await;
    let raw = |body: &str| {
        let text = format!(
            "From: Pivot <hello@pivot.app>\r\nTo: {SUCCESS},\r\n ops@pivot.app\r\nSubject: Raw\r\nX-SES-CONFIGURATION-SET: main\r\n\r\n{body}"
        );
        let raw = RawMessage::builder().data(Blob::new(text)).build().unwrap();
        let content = EmailContent::builder().raw(raw).build();
        bench.ses.send_email().content(content).send()
    };
    raw("Hello.").await.unwrap();
    let sent = bench.behind().sent(ACCOUNT, REGION).remove(0);
    assert_eq!(sent.recipients, [SUCCESS, "ops@pivot.app"]);
    assert_eq!((sent.subject.as_str(), sent.configuration_set.as_deref()), ("Raw", Some("main")));
    assert_eq!(inbox.events().await.len(), 1);
    raw(r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").await.unwrap();
    let events = inbox.events().await;
    assert_eq!(events[1]["eventType"], "Reject");
    assert_eq!(events[1]["reject"]["reason"], "Bad content");
}

#[tokio::test]
async fn a_tenant_sends_with_what_it_was_given() {
    let bench = Bench::start().await;
    bench.ready(&[EventType::Send]).await;
    let send = || bench.mail(&[SUCCESS]).configuration_set_name("main").tenant_name("one").send();
    refused(send().await, "NotFoundException");
    bench.ses.create_tenant().tenant_name("one").send().await.unwrap();
    let give = |resource: &str| {
        let arn = format!("arn:aws:ses:{REGION}:{ACCOUNT}:{resource}");
        let give = bench.ses.create_tenant_resource_association().tenant_name("one");
        give.resource_arn(arn).send()
    };
    give("identity/pivot.app").await.unwrap();
    refused(send().await, "BadRequestException");
    give("configuration-set/main").await.unwrap();
    send().await.unwrap();
}

#[tokio::test]
async fn metrics_are_counted_and_the_bus_is_told() {
    let bench = Bench::start().await;
    bench.ready(&[EventType::Send]).await;
    let bus = format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default");
    let bus = EventBridgeDestination::builder().event_bus_arn(bus).build().unwrap();
    let definition = EventDestinationDefinition::builder()
        .enabled(true)
        .matching_event_types(EventType::Delivery)
        .event_bridge_destination(bus);
    let create = bench.ses.create_configuration_set_event_destination();
    let create = create.configuration_set_name("main").event_destination_name("bus");
    create.event_destination(definition.build()).send().await.unwrap();
    bench.mail(&[SUCCESS]).configuration_set_name("main").send().await.unwrap();
    let metrics = serde_json::to_string(&*bench.cloud.world().cloudwatch.read()).unwrap();
    assert!(metrics.contains("AWS/SES") && metrics.contains("Delivery"), "{metrics}");
    let events = serde_json::to_string(&*bench.cloud.world().events.read()).unwrap();
    assert!(events.contains("Email Delivered"), "{events}");
}
