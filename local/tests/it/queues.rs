//! SQS refuses what AWS refuses.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use sesinfra_local::Options;

use super::account::{ACCOUNT, REGION, administrator, cloud, code};

#[tokio::test]
async fn a_queue_is_created_once_with_the_same_attributes() {
    let cloud = cloud(Options::default()).await;
    let queues = Client::new(&administrator(&cloud, ACCOUNT));
    let create = |seconds: &str| {
        queues
            .create_queue()
            .queue_name("q")
            .attributes(QueueAttributeName::VisibilityTimeout, seconds)
            .send()
    };
    assert_eq!(code(create("60").await), "none");
    assert_eq!(code(create("60").await), "none");
    assert_eq!(code(create("61").await), "QueueNameExists");
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}}]}}"#
    );
    let other = queues
        .create_queue()
        .queue_name("q")
        .attributes(QueueAttributeName::Policy, policy)
        .send()
        .await;
    assert_eq!(code(other), "QueueNameExists");
}

#[tokio::test]
async fn a_deleted_queues_name_stays_taken_for_a_minute() {
    let cloud = cloud(Options::default()).await;
    let queues = Client::new(&administrator(&cloud, ACCOUNT));
    let url = queues.create_queue().queue_name("q").send().await.unwrap();
    queues.delete_queue().queue_url(url.queue_url().unwrap()).send().await.unwrap();
    assert_eq!(code(queues.create_queue().queue_name("q").send().await), "QueueDeletedRecently");
    cloud.advance(Duration::from_secs(61));
    assert_eq!(code(queues.create_queue().queue_name("q").send().await), "none");
}

#[tokio::test]
async fn attribute_values_have_bounds() {
    let cloud = cloud(Options::default()).await;
    let queues = Client::new(&administrator(&cloud, ACCOUNT));
    let url = queues.create_queue().queue_name("q").send().await.unwrap().queue_url.unwrap();
    let set = |name, value: &str| {
        queues.set_queue_attributes().queue_url(&url).attributes(name, value).send()
    };
    assert_eq!(
        code(set(QueueAttributeName::MessageRetentionPeriod, "59").await),
        "InvalidAttributeValue"
    );
    assert_eq!(code(set(QueueAttributeName::MessageRetentionPeriod, "1209600").await), "none");
    assert_eq!(code(set(QueueAttributeName::from("Colour"), "red").await), "InvalidAttributeName");
    assert_eq!(code(set(QueueAttributeName::Policy, "no json").await), "InvalidAttributeValue");
    let missing = r#"{"maxReceiveCount":5,"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:missing"}"#;
    assert_ne!(code(set(QueueAttributeName::RedrivePolicy, missing).await), "none");
}

#[tokio::test]
async fn a_missing_queue_is_missing_in_either_protocol() {
    let cloud = cloud(Options::default()).await;
    let queues = Client::new(&administrator(&cloud, ACCOUNT));
    let missing = queues.get_queue_url().queue_name("no").send().await;
    assert!(
        ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"]
            .contains(&code(missing).as_str())
    );
}
