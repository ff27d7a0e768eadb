//! SNS refuses what AWS refuses.

use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::types::Tag;
use sesinfra_local::Options;

use super::account::{ACCOUNT, REGION, administrator, cloud, code};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

fn arn(name: &str) -> String {
    format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}")
}

#[tokio::test]
async fn a_topic_is_created_once_with_the_same_attributes_and_tags() {
    let cloud = cloud(Options::default()).await;
    let topics = Client::new(&administrator(&cloud, ACCOUNT));
    let create = || {
        topics.create_topic().name("t").attributes("DisplayName", "Pivot").tags(tag("team", "a"))
    };
    assert_eq!(code(create().send().await), "none");
    assert_eq!(code(create().send().await), "none");
    assert_eq!(code(topics.create_topic().name("t").send().await), "none");
    assert_eq!(code(create().attributes("SignatureVersion", "2").send().await), "InvalidParameter");
    assert_eq!(code(create().tags(tag("more", "b")).send().await), "InvalidParameter");
    assert_eq!(
        code(topics.create_topic().name("t").tags(tag("team", "b")).send().await),
        "InvalidParameter"
    );
}

#[tokio::test]
async fn attributes_and_policies_are_checked() {
    let cloud = cloud(Options::default()).await;
    let topics = Client::new(&administrator(&cloud, ACCOUNT));
    topics.create_topic().name("t").send().await.unwrap();
    let set = |name: &str, value: &str| {
        topics
            .set_topic_attributes()
            .topic_arn(arn("t"))
            .attribute_name(name)
            .attribute_value(value)
            .send()
    };
    assert_eq!(code(set("Colour", "red").await), "InvalidParameter");
    assert_eq!(code(set("SignatureVersion", "3").await), "InvalidParameter");
    assert_eq!(code(set("Policy", "no json").await), "InvalidParameter");
    let policy = |principal: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sns:Publish","Resource":"{}"}}]}}"#,
            arn("t")
        )
    };
    assert_eq!(code(set("Policy", &policy(r#"{"Service":"ses.amazonaws.com"}"#)).await), "none");
    let nobody = policy(&format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:role/nobody"}}"#));
    assert_eq!(code(set("Policy", &nobody).await), "InvalidParameter");
}

#[tokio::test]
async fn a_subscription_by_mail_waits_for_a_person() {
    let cloud = cloud(Options::default()).await;
    let topics = Client::new(&administrator(&cloud, ACCOUNT));
    topics.create_topic().name("t").send().await.unwrap();
    let subscribe =
        || topics.subscribe().topic_arn(arn("t")).protocol("email").endpoint("ops@pivot.app");
    let answer = subscribe().send().await.unwrap();
    assert_eq!(answer.subscription_arn(), Some("pending confirmation"));
    let pending = subscribe().return_subscription_arn(true).send().await.unwrap();
    let pending = pending.subscription_arn().unwrap().to_owned();
    assert!(pending.starts_with(&arn("t")), "{pending}");
    let listed = topics.list_subscriptions_by_topic().topic_arn(arn("t")).send().await.unwrap();
    assert_eq!(listed.subscriptions()[0].subscription_arn(), Some("PendingConfirmation"));
    assert_eq!(
        code(topics.unsubscribe().subscription_arn(&pending).send().await),
        "InvalidParameter"
    );
    let again = subscribe().attributes("FilterPolicy", r#"{"a":["b"]}"#).send().await;
    assert_eq!(code(again), "InvalidParameter");
    let attributes = topics.get_topic_attributes().topic_arn(arn("t")).send().await.unwrap();
    assert_eq!(attributes.attributes().unwrap()["SubscriptionsPending"], "1");
}

#[tokio::test]
async fn an_endpoint_must_fit_its_protocol() {
    let cloud = cloud(Options::default()).await;
    let topics = Client::new(&administrator(&cloud, ACCOUNT));
    topics.create_topic().name("t").send().await.unwrap();
    let subscribe = |protocol: &str, endpoint: &str| {
        topics.subscribe().topic_arn(arn("t")).protocol(protocol).endpoint(endpoint).send()
    };
    assert_eq!(code(subscribe("https", "http://pivot.app").await), "InvalidParameter");
    assert_eq!(code(subscribe("sqs", "queue").await), "InvalidParameter");
    assert_eq!(code(subscribe("email", "nobody").await), "InvalidParameter");
    assert_eq!(
        code(
            topics
                .subscribe()
                .topic_arn(arn("no"))
                .protocol("email")
                .endpoint("a@b.c")
                .send()
                .await
        ),
        "NotFound"
    );
}

#[tokio::test]
async fn a_topic_belongs_to_its_region_and_account() {
    let cloud = cloud(Options::default()).await;
    let topics = Client::new(&administrator(&cloud, ACCOUNT));
    topics.create_topic().name("t").send().await.unwrap();
    let other = Client::new(&administrator(&cloud, "999999999999"));
    assert!(other.list_topics().send().await.unwrap().topics().is_empty());
    assert_eq!(
        code(other.get_topic_attributes().topic_arn(arn("t")).send().await),
        "AuthorizationError"
    );
}

#[tokio::test]
async fn nothing_leaves_this_machine() {
    let cloud = cloud(Options::default()).await;
    let topics = Client::new(&administrator(&cloud, ACCOUNT));
    topics.create_topic().name("t").send().await.unwrap();
    let subscribe = || {
        topics
            .subscribe()
            .topic_arn(arn("t"))
            .protocol("https")
            .endpoint("https://pivot.invalid/hook")
    };
    let made = subscribe().return_subscription_arn(true).send().await.unwrap();
    let again = subscribe().return_subscription_arn(true).send().await.unwrap();
    assert_eq!(made.subscription_arn(), again.subscription_arn());
    let listed = topics.list_subscriptions_by_topic().topic_arn(arn("t")).send().await.unwrap();
    assert_eq!(listed.subscriptions().len(), 1);
    assert_eq!(listed.subscriptions()[0].protocol(), Some("https"));
    assert_eq!(listed.subscriptions()[0].subscription_arn(), Some("PendingConfirmation"));
}

#[tokio::test]
async fn a_topic_made_again_gets_no_tags_for_a_while() {
    let cloud = cloud(Options::default()).await;
    let topics = Client::new(&administrator(&cloud, ACCOUNT));
    let create = || topics.create_topic().name("t");
    create().tags(tag("team", "a")).send().await.unwrap();
    topics.delete_topic().topic_arn(arn("t")).send().await.unwrap();
    assert_eq!(code(create().tags(tag("team", "a")).send().await), "StaleTag");
    assert_eq!(code(create().send().await), "none");
    let add = || topics.tag_resource().resource_arn(arn("t")).tags(tag("team", "b")).send();
    assert_eq!(code(add().await), "StaleTag");
    cloud.advance(Duration::from_secs(5));
    assert_eq!(code(add().await), "none");
    topics.create_topic().name("bare").send().await.unwrap();
    topics.delete_topic().topic_arn(arn("bare")).send().await.unwrap();
    let again = topics.create_topic().name("bare").tags(tag("team", "a")).send().await;
    assert_eq!(code(again), "none");
}

#[tokio::test]
async fn the_tags_of_a_topic_are_written_one_at_a_time() {
    let cloud = cloud(Options::default()).await;
    let topics = Client::new(&administrator(&cloud, ACCOUNT));
    for name in ["t", "other"] {
        topics.create_topic().name(name).send().await.unwrap();
    }
    cloud.change(|options| options.latency = Duration::from_millis(300));
    let add = |name: &str, key: &str| {
        topics.tag_resource().resource_arn(arn(name)).tags(tag(key, "x")).send()
    };
    let (one, two, other) = tokio::join!(add("t", "one"), add("t", "two"), add("other", "one"));
    let mut codes = [code(one), code(two)];
    codes.sort();
    assert_eq!(codes, ["ConcurrentAccess", "none"]);
    assert_eq!(code(other), "none");
    assert_eq!(code(add("t", "three").await), "none");
}
