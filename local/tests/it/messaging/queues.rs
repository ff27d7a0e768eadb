//! Queues, their dead letters, and what is in them.

use std::time::Duration;

use sesinfra::engine::{Action, Address, Severity};

use crate::it::stage::Stage;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[tokio::test]
async fn each_setting_is_set_changed_and_unset_without_a_difference_left() {
    let stage = Stage::new().await;
    stage.converge("[queues.inbox]").await;
    stage
        .converge(
            r#"
[queues.inbox]
retention = "14d"
visibility_timeout = "0s"
encryption = "off"
dead_letter = {}
tags = { team = "mail" }
[topics.feedback]
subscriptions = [{ queue = "inbox" }]
"#,
        )
        .await;
    stage
        .converge(
            r#"
[queues.inbox]
retention = "1d"
visibility_timeout = "5m"
dead_letter = { queue = "lost", max_receives = 3 }
[queues.lost]
[topics.feedback]
[topics.other]
subscriptions = [{ queue = "inbox" }]
"#,
        )
        .await;
    stage.converge("[queues.inbox]").await;
    let queues = aws_sdk_sqs::Client::new(&stage.clients);
    let left = queues.list_queues().send().await.unwrap();
    assert_eq!(left.queue_urls().len(), 1, "{left:?}");
}

#[tokio::test]
async fn a_queue_with_messages_is_not_deleted_lightly() {
    let stage = Stage::new().await;
    stage.converge("[queues.inbox]").await;
    let empty = stage.open("").await.plan().await.unwrap();
    let change = empty.change(&address("queue.inbox")).unwrap();
    assert_eq!(change.impact.severity, Severity::Degrades);
    let queues = aws_sdk_sqs::Client::new(&stage.clients);
    let url = queues.get_queue_url().queue_name("inbox").send().await.unwrap();
    let url = url.queue_url().unwrap();
    queues.send_message().queue_url(url).message_body("bounce").send().await.unwrap();
    // What is in a queue that stays is nobody's business.
    stage.expect_nothing("[queues.inbox]").await;
    let full = stage.open("").await.plan().await.unwrap();
    let change = full.change(&address("queue.inbox")).unwrap();
    assert_eq!((change.action, change.impact.severity), (Action::Delete, Severity::Irreversible));
    assert_eq!(change.notes, ["there are messages in the queue"]);
}

#[tokio::test]
async fn a_name_just_deleted_is_waited_for() {
    let stage = Stage::new().await;
    stage.converge("[queues.inbox]").await;
    stage.converge("").await;
    let (_, report) = stage.open("[queues.inbox]").await.apply().await;
    assert!(!report.is_complete() && !report.has_failures(), "{report:#?}");
    stage.cloud.advance(Duration::from_secs(61));
    stage.converge("[queues.inbox]").await;
}

#[tokio::test]
async fn what_is_changed_by_hand_is_seen_and_mended() {
    let stage = Stage::new().await;
    let file = "[queues.inbox]\n[topics.feedback]\nsubscriptions = [{ queue = \"inbox\" }]";
    stage.converge(file).await;
    let queues = aws_sdk_sqs::Client::new(&stage.clients);
    let url = queues.get_queue_url().queue_name("inbox").send().await.unwrap();
    let set = queues.set_queue_attributes().queue_url(url.queue_url().unwrap());
    let set = set.attributes(aws_sdk_sqs::types::QueueAttributeName::Policy, "");
    let set = set.attributes(aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout, "31");
    let set = set.attributes(aws_sdk_sqs::types::QueueAttributeName::DelaySeconds, "9");
    let set = set.attributes(aws_sdk_sqs::types::QueueAttributeName::MaximumMessageSize, "1024");
    let wait = aws_sdk_sqs::types::QueueAttributeName::ReceiveMessageWaitTimeSeconds;
    set.attributes(wait, "3").send().await.unwrap();
    let plan = stage.converge(file).await;
    let change = plan.change(&address("queue.inbox")).unwrap();
    let paths: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
    for path in ["delay", "max_message_bytes", "receive_wait", "visibility_timeout"] {
        assert!(paths.contains(&path), "{paths:?}");
    }
    assert!(paths.iter().any(|path| path.starts_with("policy.")), "{paths:?}");
}
