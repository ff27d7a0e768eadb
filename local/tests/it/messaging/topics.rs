//! Topics and who receives what they publish.

use sesinfra::engine::{Action, Address, Severity};

use crate::it::account::{ACCOUNT, REGION};
use crate::it::stage::Stage;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{name}")
}

const FEEDBACK: &str = r#"
[topics.feedback]
display_name = "Pivot"
tags = { team = "post" }
subscriptions = [
  { queue = "inbox", raw = true, filter = { eventType = ["Bounce"] }, dead_letter = "lost" },
  { email = "ops@pivot.app" },
]
[queues.inbox]
[queues.lost]
"#;

#[tokio::test]
async fn each_setting_is_set_changed_and_unset_without_a_difference_left() {
    let stage = Stage::new().await;
    stage.converge("[topics.feedback]").await;
    stage.converge(FEEDBACK).await;
    stage.converge(&FEEDBACK.replace("Pivot", "Pivot feedback").replace("post", "platform")).await;
    stage
        .converge(
            r#"
[topics.feedback]
subscriptions = [
  { queue = "inbox", filter = { kind = ["bounce"] }, filter_scope = "attributes" },
  { email = "ops@pivot.app" },
]
[queues.inbox]
[queues.lost]
"#,
        )
        .await;
    stage
        .converge(
            r#"
[topics.feedback]
subscriptions = [{ queue = "inbox" }, { email = "ops@pivot.app" }]
[queues.inbox]
[queues.lost]
"#,
        )
        .await;
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    let read =
        topics.get_topic_attributes().topic_arn(arn("sns", "feedback")).send().await.unwrap();
    let policy = &read.attributes.unwrap()["Policy"];
    assert!(policy.contains("__default_statement_ID") && policy.contains("ses.amazonaws.com"));
}

#[tokio::test]
async fn a_pending_subscription_is_a_state_and_nobody_is_asked_twice() {
    let stage = Stage::new().await;
    stage.converge(FEEDBACK).await;
    let subscribes = stage.cloud.calls().count("sns:Subscribe");
    let plan = stage.open(FEEDBACK).await.plan().await.unwrap();
    let pending = plan.change(&address("subscription.feedback/email:ops@pivot.app")).unwrap();
    assert_eq!(pending.action, Action::None);
    assert!(pending.notes[0].starts_with("pending confirmation"), "{:?}", pending.notes);
    let (_, report) = stage.open(FEEDBACK).await.apply().await;
    assert!(report.is_complete());
    assert_eq!(stage.cloud.calls().count("sns:Subscribe"), subscribes);
}

#[tokio::test]
async fn a_pending_subscription_can_be_dropped_and_asked_for_again() {
    let stage = Stage::new().await;
    stage.converge(FEEDBACK).await;
    let without = FEEDBACK.replace("{ email = \"ops@pivot.app\" },", "");
    let plan = stage.converge(&without).await;
    assert_eq!(
        plan.change(&address("subscription.feedback/email:ops@pivot.app")).unwrap().action,
        Action::Forget,
        "no call deletes what is pending"
    );
    // SNS lists it until it expires; it is nobody's now.
    let after = stage.open(&without).await.plan().await.unwrap();
    assert_eq!(after.unmanaged.len(), 1, "{:?}", after.unmanaged);
    stage.converge(FEEDBACK).await;
}

#[tokio::test]
async fn a_subscription_that_was_cancelled_is_made_again_and_a_foreign_one_is_left() {
    let stage = Stage::new().await;
    stage.converge(FEEDBACK).await;
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    let theirs = topics
        .subscribe()
        .topic_arn(arn("sns", "feedback"))
        .protocol("sqs")
        .endpoint(arn("sqs", "lost"))
        .return_subscription_arn(true)
        .send()
        .await
        .unwrap();
    let listed = topics
        .list_subscriptions_by_topic()
        .topic_arn(arn("sns", "feedback"))
        .send()
        .await
        .unwrap();
    let ours = listed.subscriptions().iter().find(|it| it.endpoint() == Some(&arn("sqs", "inbox")));
    let ours = ours.unwrap().subscription_arn().unwrap().to_owned();
    topics.unsubscribe().subscription_arn(ours).send().await.unwrap();
    let plan = stage.converge(FEEDBACK).await;
    let address_of =
        |queue: &str| address(&format!("subscription.feedback/sqs:{}", arn("sqs", queue)));
    assert_eq!(plan.change(&address_of("inbox")).unwrap().action, Action::Create);
    assert!(plan.change(&address_of("lost")).is_none());
    assert_eq!(
        plan.unmanaged.iter().map(|it| &it.address).collect::<Vec<_>>(),
        [&address_of("lost")]
    );
    let still = topics
        .get_subscription_attributes()
        .subscription_arn(theirs.subscription_arn().unwrap())
        .send()
        .await;
    assert!(still.is_ok());
    // The topic goes with it, which cannot be undone.
    let plan = stage.open("").await.plan().await.unwrap();
    let topic = plan.change(&address("topic.feedback")).unwrap();
    assert_eq!((topic.action, topic.impact.severity), (Action::Delete, Severity::Irreversible));
    assert!(topic.impact.reason.contains(&arn("sqs", "lost")), "{}", topic.impact.reason);
}

#[tokio::test]
async fn what_was_changed_by_hand_is_seen_and_mended() {
    let stage = Stage::new().await;
    stage.converge(FEEDBACK).await;
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"SNS:Publish","Resource":"{}"}}]}}"#,
        arn("sns", "feedback")
    );
    let set = topics.set_topic_attributes().topic_arn(arn("sns", "feedback"));
    set.attribute_name("Policy").attribute_value(policy).send().await.unwrap();
    let plan = stage.converge(FEEDBACK).await;
    let change = plan.change(&address("topic.feedback")).unwrap();
    assert_eq!(change.action, Action::Update);
    assert!(change.fields.iter().all(|field| field.path.starts_with("policy.statement")));
    assert!(change.fields.iter().any(|field| field.path.starts_with("policy.statement.AllowSES")));
}

#[tokio::test]
async fn a_topic_that_somebody_else_made_is_refused() {
    let stage = Stage::new().await;
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    topics.create_topic().name("feedback").send().await.unwrap();
    let plan = stage.open(FEEDBACK).await.plan().await.unwrap();
    assert_eq!(plan.refusals.len(), 1, "{:?}", plan.refusals);
}

#[tokio::test]
async fn nothing_of_ours_stays_after_the_last_line_is_gone() {
    let stage = Stage::new().await;
    stage.converge(FEEDBACK).await;
    stage.converge("").await;
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    assert!(topics.list_topics().send().await.unwrap().topics().is_empty());
}

#[tokio::test]
async fn a_plan_without_changes_reads_each_topic_twice_and_lists_only_what_is_there() {
    let stage = Stage::new().await;
    let two = "[topics.one]\n[topics.two]";
    stage.converge(two).await;
    stage.cloud.calls().clear();
    stage.expect_nothing(two).await;
    let calls = stage.cloud.calls();
    assert_eq!(calls.count("sns:GetTopicAttributes"), 2);
    assert_eq!(calls.count("sns:ListTagsForResource"), 2);
    assert_eq!(calls.count("sns:ListSubscriptionsByTopic"), 0);
    assert_eq!(calls.count("tag:GetResources"), 1);
}

#[tokio::test]
async fn making_a_topic_with_a_subscriber_takes_few_calls() {
    let stage = Stage::new().await;
    let (_, report) = stage.open(FEEDBACK).await.apply().await;
    assert!(report.is_complete());
    let calls = stage.cloud.calls();
    let writes = calls.writes();
    assert_eq!(writes.iter().filter(|call| *call == "sns:CreateTopic").count(), 1, "{writes:?}");
    assert_eq!(writes.iter().filter(|call| *call == "sns:Subscribe").count(), 2, "{writes:?}");
    assert_eq!(writes.iter().filter(|call| *call == "sqs:CreateQueue").count(), 2, "{writes:?}");
    // Everything is in the call that makes it; what is written later is the digest of what was read back.
    let later = writes.iter().filter(|call| call.contains("Set") || call.contains("Untag")).count();
    assert_eq!(later, 0, "{writes:?}");
    assert_eq!(writes.len(), 8, "{writes:?}");
}
