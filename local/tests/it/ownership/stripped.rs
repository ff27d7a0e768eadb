//! Tags that were taken off, or copied: neither ever leads to the deletion of something that sesinfra did not make.

use aws_sdk_route53::types as dns;
use serde_json::Value;

use super::{FULL, TAGGED};
use crate::it::marks::{Tagged, arn};
use crate::it::project::Project;

/// The addresses that a plan deletes.
async fn deleted(project: &Project, flags: &[&str]) -> Vec<String> {
    let mut arguments = vec!["plan", "prod", "--format", "json"];
    arguments.extend(flags);
    let ran = project.run(&arguments).await;
    let plan: Value = serde_json::from_str(&ran.output).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap().iter();
    let is_deleted = |change: &&Value| {
        change["change"]["actions"].as_array().unwrap().contains(&Value::from("delete"))
    };
    let addresses = changes.filter(is_deleted).map(|it| it["address"].as_str().unwrap().to_owned());
    addresses.collect()
}

/// Each kind on a cloud of its own.
async fn for_each_kind(test: &str, act: impl AsyncFn(&Project, &str, &str)) {
    for (kind, name) in TAGGED {
        let project = Project::with(&format!("{test}-{kind}"), FULL).await;
        project.expect(0, &["apply", "prod", "--yes"]).await;
        act(&project, kind, name).await;
    }
}

#[tokio::test]
async fn what_lost_its_tags_is_not_deleted_with_the_rest() {
    for_each_kind("stripped", async |project, kind, name| {
        let clients = project.clients();
        let stripped = Tagged::new(&clients, kind, name);
        stripped.strip().await;
        project.write("prod", "");
        let address = format!("{kind}.{name}");
        for flags in [&[][..], &["--destroy"]] {
            let deleted = deleted(project, flags).await;
            assert!(!deleted.contains(&address), "{address}: {deleted:?}");
            assert!(!deleted.is_empty(), "the rest goes");
        }
        // What relies on it may keep others from going; what matters is that it stays.
        project.run(&["destroy", "prod", "--yes", "--wait=0s"]).await;
        assert!(stripped.tags().await.is_some(), "{address} is gone");
    })
    .await;
}

#[tokio::test]
async fn what_lost_only_its_seal_or_one_name_is_nobodys() {
    let project = Project::with("stripped-in-part", FULL).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let clients = project.clients();
    let topic = Tagged::new(&clients, "topic", "feedback");
    let whole = topic.tags().await.unwrap();
    for key in ["sesinfra:seal", "sesinfra:project", "sesinfra:environment"] {
        let mut tags = whole.clone();
        tags.insert(key.to_owned(), "something else".to_owned());
        topic.tag(&tags).await;
        assert!(!deleted(&project, &["--destroy"]).await.contains(&"topic.feedback".to_owned()));
    }
    topic.tag(&whole).await;
    assert!(deleted(&project, &["--destroy"]).await.contains(&"topic.feedback".to_owned()));
}

#[tokio::test]
async fn tags_copied_to_something_else_make_it_nobody_the_more_ours() {
    for_each_kind("copied", async |project, kind, name| {
        let clients = project.clients();
        let tags = Tagged::new(&clients, kind, name).tags().await.unwrap();
        let theirs = make(project, kind).await;
        let copy = Tagged::new(&clients, kind, &theirs);
        copy.tag(&tags).await;
        assert_eq!(copy.tags().await.unwrap(), tags, "{}", arn(kind, &theirs));
        let address = format!("{kind}.{theirs}");
        for flags in [&[][..], &["--destroy"]] {
            assert!(!deleted(project, flags).await.contains(&address), "{address}");
        }
        project.expect_nothing("prod").await;
        project.expect(0, &["destroy", "prod", "--yes"]).await;
        assert!(copy.tags().await.is_some(), "{address} is gone");
    })
    .await;
}

/// Claims are texts that anybody may copy, with a whole zone or by hand.
#[tokio::test]
async fn a_claim_copied_to_another_name_claims_nothing_there() {
    let project = Project::with("copied-claim", FULL).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let zones = aws_sdk_route53::Client::new(&project.clients());
    let zone = zones.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0).id;
    let sets = || async {
        let listed = zones.list_resource_record_sets().hosted_zone_id(&zone).send().await;
        listed.unwrap().resource_record_sets
    };
    let copied = ["_sesinfra", "_dmarc", "bounce"];
    let mut theirs = Vec::new();
    for mut set in sets().await {
        let Some(label) = set.name.strip_suffix(".pivot.app.") else { continue };
        if copied.contains(&label) {
            set.name = format!("{label}.theirs.pivot.app.");
            theirs.push(set);
        }
    }
    assert_eq!(theirs.len(), 4, "{theirs:?}");
    for set in &theirs {
        let change = dns::Change::builder().action(dns::ChangeAction::Create);
        let change = change.resource_record_set(set.clone()).build().unwrap();
        let batch = dns::ChangeBatch::builder().changes(change).build().unwrap();
        let call = zones.change_resource_record_sets().hosted_zone_id(&zone).change_batch(batch);
        call.send().await.unwrap();
    }
    project.expect_nothing("prod").await;
    project.write("prod", "");
    let gone = deleted(&project, &[]).await;
    assert!(gone.contains(&"dns.pivot.app".to_owned()), "{gone:?}");
    assert!(!gone.iter().any(|address| address.contains("theirs")), "{gone:?}");
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    let left = sets().await;
    for set in theirs {
        assert!(left.contains(&set), "{set:?} is gone: {left:?}");
    }
}

/// Makes something of a kind by hand, under a name that could be ours.
async fn make(project: &Project, kind: &str) -> String {
    let config = project.clients();
    let ses = aws_sdk_sesv2::Client::new(&config);
    match kind {
        "identity" => {
            ses.create_email_identity().email_identity("theirs.app").send().await.unwrap();
            "theirs.app"
        }
        "configuration_set" => {
            let call = ses.create_configuration_set().configuration_set_name("theirs");
            call.send().await.unwrap();
            "theirs"
        }
        "topic" => {
            let call = aws_sdk_sns::Client::new(&config).create_topic().name("theirs");
            call.send().await.unwrap();
            "theirs"
        }
        "alarm" => {
            let call = aws_sdk_cloudwatch::Client::new(&config).put_metric_alarm();
            let call = call.alarm_name("theirs").namespace("Pivot").metric_name("Latency");
            let call = call.statistic(aws_sdk_cloudwatch::types::Statistic::Sum).period(60);
            let call = call.evaluation_periods(1).threshold(1.0);
            let over = aws_sdk_cloudwatch::types::ComparisonOperator::GreaterThanThreshold;
            call.comparison_operator(over).send().await.unwrap();
            "theirs"
        }
        "queue" => {
            let call = aws_sdk_sqs::Client::new(&config).create_queue().queue_name("theirs");
            call.send().await.unwrap();
            "theirs"
        }
        _ => {
            let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
            let call = aws_sdk_iam::Client::new(&config).create_policy();
            let call = call.policy_name("pivot-prod-theirs").policy_document(document);
            call.send().await.unwrap();
            "pivot-prod-theirs"
        }
    }
    .to_owned()
}
