//! How what is ours is found again: by name where it is declared, by its tags where it is not, and at the latest by the
//! next plan.

use std::time::Duration;

use sesinfra_local::Options;

use crate::it::account::cloud;
use crate::it::folder::Folder;
use crate::it::marks::Tagged;
use crate::it::project::Project;

const TOPIC: &str = "[topics.feedback]\n";

/// A project whose tagging API shows what happened this long ago.
async fn lagging(name: &str, lag: Duration) -> Project {
    let options = Options { enforce_iam: false, tagging_lag: lag, ..Options::default() };
    Project { cloud: cloud(options).await, folder: Folder::new(name) }
}

#[tokio::test]
async fn what_is_declared_is_found_by_its_name_however_the_tagging_api_lags() {
    let project = lagging("found-declared", Duration::from_hours(1)).await;
    project.write("prod", TOPIC);
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project.expect_nothing("prod").await;
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    assert_eq!(Tagged::new(&project.clients(), "topic", "feedback").tags().await, None);
}

#[tokio::test]
async fn an_orphan_that_the_tagging_api_does_not_show_yet_is_found_by_a_later_plan() {
    let lag = Duration::from_secs(2);
    let project = lagging("found-later", lag).await;
    project.write("prod", TOPIC);
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project.write("prod", "");
    let mut seen = Vec::new();
    for _ in 0..20 {
        let ran = project.run(&["plan", "prod"]).await;
        seen.push(ran.output.contains("# topic.feedback will be destroyed"));
        if seen.last() == Some(&true) {
            break;
        }
        tokio::time::sleep(lag / 4).await;
    }
    assert_eq!(seen.last(), Some(&true), "{seen:?}");
    project.expect(0, &["apply", "prod", "--yes"]).await;
    assert_eq!(Tagged::new(&project.clients(), "topic", "feedback").tags().await, None);
}

#[tokio::test]
async fn destroy_finds_what_left_the_file_however_the_tagging_api_lags() {
    let project = lagging("found-by-destroy", Duration::from_hours(1)).await;
    let clients = project.clients();
    aws_sdk_sns::Client::new(&clients).create_topic().name("theirs").send().await.unwrap();
    project.write(
        "prod",
        "[topics.feedback]\nsubscriptions = [{ queue = \"feedback\" }]\n[queues.feedback]\n\
         [configuration_sets.mail.events.feedback]\ntypes = [\"bounce\"]\ntopic = \"feedback\"\n\
         [identities.\"pivot.example\"]\ndns = \"manual\"\n\
         [alarms]\ntopic = \"feedback\"\n",
    );
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project.write("prod", "");
    let planned = project.run(&["plan", "prod", "--destroy"]).await;
    for address in
        ["topic.feedback", "queue.feedback", "configuration_set.mail", "identity.pivot.example"]
    {
        let line = format!("# {address} will be destroyed");
        assert!(planned.output.contains(&line), "{}", planned.output);
    }
    assert!(planned.output.contains("# alarm."), "{}", planned.output);
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    let topics = aws_sdk_sns::Client::new(&clients).list_topics().send().await.unwrap();
    let arns: Vec<_> = topics.topics().iter().filter_map(|topic| topic.topic_arn()).collect();
    assert!(matches!(arns[..], [only] if only.ends_with(":theirs")), "{arns:?}");
    let again = project.run(&["plan", "prod", "--destroy"]).await;
    assert!(again.output.contains("No changes."), "{}", again.output);
}
