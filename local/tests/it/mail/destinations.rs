//! Topics that let SES publish late, or go.

use std::time::Duration;

use sesinfra::engine::Verb;

use super::{Stage, position};

const FILE: &str = r#"
[topics.first]
[configuration_sets.main.events.feedback]
types = ["bounce"]
topic = "first"
"#;

#[tokio::test]
async fn a_topic_goes_after_what_publishes_to_it() {
    let stage = Stage::new().await;
    stage.converge(FILE).await;
    let only = "[configuration_sets.main]\n";
    let plan = stage.open(only).await.plan().await.unwrap();
    let gone = position(&plan, Verb::Delete, "event_destination.main/feedback");
    assert!(gone < position(&plan, Verb::Delete, "topic.first"));
    stage.converge(only).await;
    // SNS knows the tags of a deleted topic for a moment longer.
    stage.cloud.advance(Duration::from_mins(1));
    stage.converge(FILE).await;
    stage.converge("").await;
}

#[tokio::test]
async fn a_topic_that_ses_may_not_publish_to_yet_is_waited_for() {
    let stage = Stage::new().await;
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    let made = topics.create_topic().name("by-hand").send().await.unwrap().topic_arn.unwrap();
    let file = format!(
        "[configuration_sets.main.events.feedback]\ntypes = [\"bounce\"]\ntopic = \"{made}\"\n"
    );
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"ses.amazonaws.com"}},
           "Action":"sns:Publish","Resource":"{made}"}}]}}"#
    );
    let allow = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let set = topics.set_topic_attributes().topic_arn(&made).attribute_name("Policy");
        set.attribute_value(policy).send().await.unwrap();
    };
    tokio::join!(stage.converge(&file), allow);
    let creates = stage.cloud.calls().count("ses:CreateConfigurationSetEventDestination");
    assert!(creates > 1, "{creates}");
}
