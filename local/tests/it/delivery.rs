//! A message reaches a queue only if the queue's policy and key let it, and a topic only if the topic's do.

use aws_sdk_sqs::types::QueueAttributeName;
use sesinfra_local::delivery::{Refusal, may_publish};
use sesinfra_local::{Cloud, Options};

use super::account::{ACCOUNT, REGION, administrator, cloud};

const SET: &str = "arn:aws:ses:us-east-1:123456789012:configuration-set/transactional";

struct Mail {
    cloud: Cloud,
    topics: aws_sdk_sns::Client,
    queues: aws_sdk_sqs::Client,
    keys: aws_sdk_kms::Client,
    topic: String,
    queue: String,
}

impl Mail {
    /// A topic with a queue subscribed to it, neither with a policy of its own.
    async fn new() -> Self {
        let cloud = cloud(Options::default()).await;
        let config = administrator(&cloud, ACCOUNT);
        let (topics, queues) =
            (aws_sdk_sns::Client::new(&config), aws_sdk_sqs::Client::new(&config));
        let topic = topics.create_topic().name("t").send().await.unwrap().topic_arn.unwrap();
        let queue = queues.create_queue().queue_name("q").send().await.unwrap().queue_url.unwrap();
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:q");
        topics.subscribe().topic_arn(&topic).protocol("sqs").endpoint(arn).send().await.unwrap();
        Self { keys: aws_sdk_kms::Client::new(&config), cloud, topics, queues, topic, queue }
    }

    async fn queue_attribute(&self, name: QueueAttributeName, value: String) {
        self.queues
            .set_queue_attributes()
            .queue_url(&self.queue)
            .attributes(name, value)
            .send()
            .await
            .unwrap();
    }

    async fn topic_attribute(&self, name: &str, value: &str) {
        let set = self.topics.set_topic_attributes().topic_arn(&self.topic);
        set.attribute_name(name).attribute_value(value).send().await.unwrap();
    }

    /// Whether what is published arrives.
    async fn arrives(&self) -> bool {
        self.topics.publish().topic_arn(&self.topic).message("hello").send().await.unwrap();
        let received = self.queues.receive_message().queue_url(&self.queue).send().await.unwrap();
        !received.messages().is_empty()
    }

    fn may(&self) -> Result<(), Refusal> {
        may_publish(self.cloud.world(), &self.topic, SET, ACCOUNT)
    }

    /// A key whose policy lets `service` use it.
    async fn key(&self, service: &str) -> String {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"kms:*","Resource":"*"}},
                {{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":["kms:GenerateDataKey*","kms:Decrypt"],"Resource":"*"}}]}}"#
        );
        let made = self.keys.create_key().policy(policy).send().await.unwrap();
        made.key_metadata().unwrap().key_id().to_owned()
    }
}

/// A policy that lets a service do one thing from one source.
fn policy(service: &str, action: &str, resource: &str, source: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"{action}","Resource":"{resource}","Condition":{{"ArnEquals":{{"aws:SourceArn":"{source}"}}}}}}]}}"#
    )
}

#[tokio::test]
async fn a_queue_without_a_policy_gets_nothing() {
    let mail = Mail::new().await;
    assert!(!mail.arrives().await);
    let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:q");
    let other =
        policy("sns.amazonaws.com", "sqs:SendMessage", &arn, &format!("{}-other", mail.topic));
    mail.queue_attribute(QueueAttributeName::Policy, other).await;
    assert!(!mail.arrives().await);
    mail.queue_attribute(
        QueueAttributeName::Policy,
        policy("sns.amazonaws.com", "sqs:SendMessage", &arn, &mail.topic),
    )
    .await;
    assert!(mail.arrives().await);
    mail.queue_attribute(QueueAttributeName::KmsMasterKeyId, "alias/aws/sqs".to_owned()).await;
    assert!(!mail.arrives().await);
    let key = mail.key("sns.amazonaws.com").await;
    mail.queue_attribute(QueueAttributeName::KmsMasterKeyId, key).await;
    assert!(mail.arrives().await);
}

#[tokio::test]
async fn ses_publishes_where_policy_and_key_let_it() {
    let mail = Mail::new().await;
    assert!(matches!(mail.may(), Err(Refusal::Policy { .. })));
    mail.topic_attribute(
        "Policy",
        &policy("ses.amazonaws.com", "sns:Publish", &mail.topic, &format!("{SET}-other")),
    )
    .await;
    assert!(matches!(mail.may(), Err(Refusal::Policy { .. })));
    mail.topic_attribute("Policy", &policy("ses.amazonaws.com", "sns:Publish", &mail.topic, SET))
        .await;
    assert_eq!(mail.may(), Ok(()));
    mail.topic_attribute("KmsMasterKeyId", "alias/aws/sns").await;
    assert!(matches!(mail.may(), Err(Refusal::Key { .. })));
    let key = mail.key("sns.amazonaws.com").await;
    mail.topic_attribute("KmsMasterKeyId", &key).await;
    assert!(matches!(mail.may(), Err(Refusal::Key { .. })));
    let key = mail.key("ses.amazonaws.com").await;
    mail.topic_attribute("KmsMasterKeyId", &key).await;
    assert_eq!(mail.may(), Ok(()));
    let missing =
        may_publish(mail.cloud.world(), "arn:aws:sns:us-east-1:123456789012:no", SET, ACCOUNT);
    assert!(matches!(missing, Err(Refusal::NoTopic(_))));
}
