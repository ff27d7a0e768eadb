//! Topics, queues, subscriptions and send policies, as SNS, SQS and IAM hold them after each change.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use serde_json::Value;

use super::{address, tags};
use crate::it::account::{ACCOUNT, REGION};
use crate::it::stage::Stage;

fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{name}")
}

fn own<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> BTreeMap<String, String> {
    let theirs = tags.into_iter().filter(|(key, _)| !key.starts_with("sesinfra:"));
    theirs.map(|(key, value)| (key.clone(), value.clone())).collect()
}

impl Stage {
    fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.clients)
    }

    async fn topic(&self, name: &str) -> BTreeMap<String, String> {
        let read = self.sns().get_topic_attributes().topic_arn(arn("sns", name));
        read.send().await.unwrap().attributes.unwrap().into_iter().collect()
    }

    async fn queue(&self, name: &str) -> BTreeMap<Attribute, String> {
        let queues = aws_sdk_sqs::Client::new(&self.clients);
        let url = queues.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap();
        let read = queues.get_queue_attributes().queue_url(url).attribute_names(Attribute::All);
        read.send().await.unwrap().attributes.unwrap().into_iter().collect()
    }

    /// The attributes of the subscription with this endpoint.
    async fn subscription(&self, topic: &str, endpoint: &str) -> BTreeMap<String, String> {
        let listed = self.sns().list_subscriptions_by_topic().topic_arn(arn("sns", topic));
        let listed = listed.send().await.unwrap();
        let found = listed.subscriptions().iter().find(|it| it.endpoint() == Some(endpoint));
        let arn = found.unwrap().subscription_arn().unwrap();
        let read = self.sns().get_subscription_attributes().subscription_arn(arn);
        read.send().await.unwrap().attributes.unwrap().into_iter().collect()
    }
}

#[tokio::test]
async fn a_topic_holds_what_its_table_says() {
    let stage = Stage::new().await;
    for (text, display, own_tags) in [
        ("", "", tags([])),
        ("display_name = \"Pivot\"\ntags = { team = \"mail\" }", "Pivot", tags([("team", "mail")])),
        ("display_name = \"Pivot mail\"", "Pivot mail", tags([])),
        ("", "", tags([])),
    ] {
        stage.converge(&format!("[topics.feedback]\n{text}")).await;
        let topic = stage.topic("feedback").await;
        assert_eq!(topic.get("DisplayName").map_or("", String::as_str), display, "{text}");
        let policy: Value = serde_json::from_str(&topic["Policy"]).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        let ses =
            statements.iter().find(|it| it["Principal"].to_string().contains("ses.amazonaws"));
        let ses = ses.unwrap().to_string();
        assert!(ses.contains(ACCOUNT) && ses.contains("configuration-set/*"), "{ses}");
        let listed = stage.sns().list_tags_for_resource().resource_arn(arn("sns", "feedback"));
        let listed = listed.send().await.unwrap();
        let found: BTreeMap<String, String> =
            listed.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        assert_eq!(own(&found), own_tags, "{text}");
    }
}

#[tokio::test]
async fn a_queue_holds_what_its_table_says() {
    let stage = Stage::new().await;
    let queue = |text: &str| {
        format!(
            "[queues.lost]\n[topics.feedback]\nsubscriptions = [{{ queue = \"inbox\" }}]\n[queues.inbox]\n{text}"
        )
    };
    for (text, retention, visibility, sse, lost) in [
        ("", "345600", "30", "true", None),
        ("retention = \"1m\"\nvisibility_timeout = \"0s\"", "60", "0", "true", None),
        ("retention = \"14d\"\nvisibility_timeout = \"12h\"", "1209600", "43200", "true", None),
        (
            "encryption = \"off\"\ndead_letter = { queue = \"lost\" }",
            "345600",
            "30",
            "false",
            Some(("lost", "5")),
        ),
        (
            "dead_letter = { queue = \"lost\", max_receives = 2 }",
            "345600",
            "30",
            "true",
            Some(("lost", "2")),
        ),
        ("dead_letter = {}", "345600", "30", "true", Some(("inbox-dead-letter", "5"))),
        ("", "345600", "30", "true", None),
    ] {
        stage.converge(&queue(text)).await;
        let found = stage.queue("inbox").await;
        assert_eq!(found[&Attribute::MessageRetentionPeriod], retention, "{text}");
        assert_eq!(found[&Attribute::VisibilityTimeout], visibility, "{text}");
        let managed = found.get(&Attribute::SqsManagedSseEnabled).map_or("false", String::as_str);
        assert_eq!(managed, sse, "{text}");
        let redrive = found.get(&Attribute::RedrivePolicy).filter(|it| !it.is_empty());
        let redrive: Option<Value> = redrive.map(|it| serde_json::from_str(it).unwrap());
        let redrive = redrive.map(|it| {
            let count = it["maxReceiveCount"].to_string().trim_matches('"').to_owned();
            (it["deadLetterTargetArn"].as_str().unwrap().to_owned(), count)
        });
        let lost = lost.map(|(name, count)| (arn("sqs", name), count.to_owned()));
        assert_eq!(redrive, lost, "{text}");
        let policy = &found[&Attribute::Policy];
        assert!(policy.contains(&arn("sns", "feedback")), "{policy}");
    }
}

#[tokio::test]
async fn a_queue_hands_out_messages_when_and_as_large_as_its_table_says() {
    let stage = Stage::new().await;
    for (text, delay, wait, bytes) in [
        ("", "0", "0", "262144"),
        ("delay = \"15m\"\nreceive_wait = \"20s\"\nmax_message_bytes = 1024", "900", "20", "1024"),
        ("delay = \"9s\"\nmax_message_bytes = 1048576", "9", "0", "1048576"),
        // Large enough for all that topics deliver, so it stays.
        ("", "0", "0", "1048576"),
        ("receive_wait = \"1s\"\nmax_message_bytes = 262144", "0", "1", "262144"),
        ("max_message_bytes = 262143", "0", "0", "262143"),
        ("", "0", "0", "262144"),
    ] {
        stage.converge(&format!("[queues.inbox]\n{text}")).await;
        let found = stage.queue("inbox").await;
        let of = |name: Attribute| found.get(&name).map_or("0", String::as_str).to_owned();
        let found = [
            of(Attribute::DelaySeconds),
            of(Attribute::ReceiveMessageWaitTimeSeconds),
            of(Attribute::MaximumMessageSize),
        ];
        assert_eq!(found, [delay, wait, bytes], "{text}");
    }
}

#[tokio::test]
async fn a_subscription_holds_what_its_table_says() {
    let stage = Stage::new().await;
    let file = |text: &str| {
        format!(
            "[queues.inbox]\n[queues.lost]\n[queues.other]\n[topics.feedback]\nsubscriptions = [{{ queue = \"inbox\"{text} }}]"
        )
    };
    for (text, raw, filter, scope, lost) in [
        ("", "false", None, None, None),
        (", raw = true", "true", None, None, None),
        (
            ", filter = { eventType = [\"Bounce\"] }",
            "false",
            Some(r#"{"eventType":["Bounce"]}"#),
            Some("MessageBody"),
            None,
        ),
        (
            ", filter = { kind = [\"a\", \"b\"] }, filter_scope = \"attributes\", dead_letter = \"lost\"",
            "false",
            Some(r#"{"kind":["a","b"]}"#),
            Some("MessageAttributes"),
            Some("lost"),
        ),
        (", dead_letter = \"other\"", "false", None, None, Some("other")),
        ("", "false", None, None, None),
    ] {
        stage.converge(&file(text)).await;
        let found = stage.subscription("feedback", &arn("sqs", "inbox")).await;
        let text_of = |name: &str| found.get(name).filter(|it| !it.is_empty()).map(String::as_str);
        assert_eq!(text_of("RawMessageDelivery").unwrap_or("false"), raw, "{text}");
        let policy = text_of("FilterPolicy").filter(|it| *it != "{}");
        assert_eq!(policy, filter, "{text}");
        if filter.is_some() {
            assert_eq!(text_of("FilterPolicyScope"), scope, "{text}");
        }
        let redrive = text_of("RedrivePolicy").map(str::to_owned);
        assert_eq!(redrive.is_some(), lost.is_some(), "{text}: {redrive:?}");
        if let (Some(redrive), Some(lost)) = (redrive, lost) {
            assert!(redrive.contains(&arn("sqs", lost)), "{redrive}");
        }
    }
}

#[tokio::test]
async fn every_endpoint_is_subscribed_and_let_go() {
    let stage = Stage::new().await;
    let function = arn("lambda", "function:handler");
    let endpoints = [
        (
            "https",
            "https://api.pivot.app/hooks/ses",
            "https = \"https://api.pivot.app/hooks/ses\"".to_owned(),
        ),
        ("email", "ops@pivot.app", "email = \"ops@pivot.app\"".to_owned()),
        ("email-json", "ops@pivot.app", "email_json = \"ops@pivot.app\"".to_owned()),
        ("lambda", &function, format!("lambda = \"{function}\"")),
    ];
    for (protocol, endpoint, line) in endpoints {
        stage.converge(&format!("[topics.feedback]\nsubscriptions = [{{ {line} }}]")).await;
        let listed = stage.sns().list_subscriptions_by_topic().topic_arn(arn("sns", "feedback"));
        let listed = listed.send().await.unwrap();
        let there = listed
            .subscriptions()
            .iter()
            .any(|it| it.protocol() == Some(protocol) && it.endpoint() == Some(endpoint));
        assert!(there, "{protocol}: {listed:?}");
    }
    let plan = stage.converge("[topics.feedback]").await;
    let name = format!("subscription.feedback/lambda:{function}");
    assert!(plan.change(&address(&name)).is_some(), "{:?}", plan.changes);
}

#[tokio::test]
async fn a_send_policy_grants_what_its_table_says() {
    let stage = Stage::new().await;
    stage.zone("pivot.app").await;
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let others = "[identities.\"pivot.app\"]\nconfiguration_set = \"main\"\n[identities.\"a@pivot.app\"]\n\
                  [configuration_sets.main]\n[configuration_sets.other]\n";
    let identity = |name: &str| format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/{name}");
    let set = |name: &str| format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{name}");
    for (text, granted, denied) in [
        (
            "from = [\"*@pivot.app\"]\nidentities = [\"pivot.app\"]",
            vec![identity("pivot.app"), set("main"), "*@pivot.app".to_owned()],
            vec![set("other"), identity("a@pivot.app")],
        ),
        (
            "from = [\"a@pivot.app\"]\nidentities = [\"a@pivot.app\"]\nconfiguration_sets = [\"other\"]",
            vec![identity("a@pivot.app"), set("other"), "a@pivot.app".to_owned()],
            vec![set("main"), "*@pivot.app".to_owned()],
        ),
        (
            "from = [\"a@pivot.app\"]\nidentities = [\"a@pivot.app\"]\nconfiguration_sets = []",
            vec![identity("a@pivot.app")],
            vec![set("main"), set("other")],
        ),
        (
            "from = [\"*@pivot.app\"]\ntags = { team = \"api\" }",
            vec![identity("pivot.app"), set("main")],
            vec![set("other")],
        ),
    ] {
        stage.converge(&format!("{others}[send_policies.api]\n{text}")).await;
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/pivot-test-api");
        let policy = iam.get_policy().policy_arn(&arn).send().await.unwrap().policy.unwrap();
        let version = policy.default_version_id().unwrap();
        let read = iam.get_policy_version().policy_arn(&arn).version_id(version).send().await;
        let document = read.unwrap().policy_version.unwrap().document.unwrap();
        let document = document.replace("%2A", "*").replace("%3A", ":").replace("%2F", "/");
        let document = document.replace("%40", "@");
        for granted in granted {
            assert!(document.contains(&granted), "{text}: {granted} is not in {document}");
        }
        for denied in denied {
            assert!(!document.contains(&format!("{denied}\"")), "{text}: {denied} in {document}");
            assert!(!document.contains(&format!("{denied}%22")), "{text}: {denied} in {document}");
        }
    }
}
