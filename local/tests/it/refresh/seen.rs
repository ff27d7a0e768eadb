//! What a plan by tags sees, what it does not, and what it says of that, however the tagging API lags.

use std::collections::BTreeSet;
use std::time::Duration;

use sesinfra::engine::{Action, Refresh};
use sesinfra_local::{Effect, Fault, Options};

use super::{EVERY_ROOT, ROOTS, applied, planned, prepare, read, same_as_in_full};
use crate::it::marks::{Tagged, Tags};
use crate::it::stage::Stage;

const OVERLOOKED: &str = "resources were judged by tags and lists alone (--refresh=tags): what others changed in their \
                          settings was not looked for; --refresh=full reads everything";

fn one_tag(key: &str, value: &str) -> Tags {
    Tags::from([(key.to_owned(), value.to_owned())])
}

#[tokio::test]
async fn what_was_applied_is_settled_and_read_no_further() {
    let stage = applied().await;
    let log = stage.cloud.calls();
    log.clear();
    let plan = same_as_in_full(&stage, EVERY_ROOT).await;
    assert!(plan.is_empty());
    assert_eq!(read(&plan), BTreeSet::new());
    let all: BTreeSet<_> = plan.changes.iter().map(|change| change.address.clone()).collect();
    assert_eq!(plan.unread, all);
}

#[tokio::test]
async fn what_is_declared_otherwise_is_read() {
    let stage = applied().await;
    for (from, to, root) in [
        ("subdomain = \"mail\"", "subdomain = \"return\"", "identity.pivot.app"),
        ("policy = \"none\"", "policy = \"reject\"", "identity.pivot.app"),
        ("\"210987654321\"", "\"999999999999\"", "identity.pivot.app"),
        ("[\"bounce\"]", "[\"bounce\", \"complaint\"]", "configuration_set.main"),
        ("[topics.feedback]", "[topics.feedback]\ndisplay_name = \"Pivot\"", "topic.feedback"),
        ("queue = \"inbox\" }", "queue = \"inbox\", raw = true }", "topic.feedback"),
        ("[queues.inbox]", "[queues.inbox]\nretention = \"7d\"", "queue.inbox"),
        ("[alarms]", "[alarms]\nbounce_rate = \"4%\"", "alarm.pivot-test-bounce-rate"),
        ("*@pivot.app", "api@pivot.app", "send_policy.pivot-test-api"),
    ] {
        let body = EVERY_ROOT.replace(from, to);
        assert_ne!(body, EVERY_ROOT);
        let plan = same_as_in_full(&stage, &body).await;
        assert!(plan.has_changes_now(), "{to}");
        assert!(read(&plan).contains(root), "{to}: {:?}", read(&plan));
        assert!(!plan.unread.is_empty(), "{to}: everything was read");
    }
    // What is declared no more is found by its tags, in lists, or by the marks of what it is under.
    for (from, to) in [
        ("mail_from = { subdomain = \"mail\" }", ""),
        ("policies.partner = { principals = [\"210987654321\"] }", ""),
        ("events.feedback = { types = [\"bounce\"], topic = \"feedback\" }", ""),
        ("subscriptions = [{ queue = \"inbox\" }]", ""),
        ("subscriptions = [{ queue = \"inbox\" }]\n[queues.inbox]", ""),
        ("[alarms]\ntopic = \"feedback\"", ""),
        ("attach = { users = [\"Ann\"] }", ""),
        ("[send_policies.api]\nfrom = [\"*@pivot.app\"]\nattach = { users = [\"Ann\"] }", ""),
    ] {
        let body = EVERY_ROOT.replace(from, to);
        assert_ne!(body, EVERY_ROOT);
        let plan = same_as_in_full(&stage, &body).await;
        assert!(plan.count(Action::Delete) > 0, "{from}");
    }
    let plan = same_as_in_full(&stage, "").await;
    assert_eq!(plan.count(Action::Delete), plan.changes.len());
}

#[tokio::test]
async fn marks_that_are_not_ours_or_not_understood_settle_nothing() {
    for (kind, name) in ROOTS {
        let stage = applied().await;
        let tagged = Tagged::new(&stage.clients, kind, name);
        let root = format!("{kind}.{name}");

        let digest = tagged.tags().await.unwrap()["sesinfra:digest"].clone();
        assert!(digest.starts_with("1:"), "{digest}");
        for other in [digest.replacen("1:", "2:", 1), "1:0123456789abcdef".to_owned()] {
            tagged.tag(&one_tag("sesinfra:digest", &other)).await;
            let plan = same_as_in_full(&stage, EVERY_ROOT).await;
            assert!(read(&plan).contains(&root), "{root}: {:?}", read(&plan));
            assert!(plan.change(&root.parse().unwrap()).unwrap().is_marks_only(), "{root}");
        }
        tagged.tag(&one_tag("sesinfra:digest", &digest)).await;
        assert!(same_as_in_full(&stage, EVERY_ROOT).await.is_empty());

        tagged.tag(&one_tag("team", "another")).await;
        let plan = same_as_in_full(&stage, EVERY_ROOT).await;
        assert_eq!(plan.change(&root.parse().unwrap()).unwrap().action, Action::Update, "{root}");

        tagged.tag(&one_tag("sesinfra:seal", "000000000000")).await;
        let plan = same_as_in_full(&stage, EVERY_ROOT).await;
        assert!(plan.refusals.iter().any(|it| it.address.to_string() == root), "{root}");
        tagged.strip().await;
        let plan = same_as_in_full(&stage, EVERY_ROOT).await;
        assert!(plan.refusals.iter().any(|it| it.address.to_string() == root), "{root}");
    }
}

/// Deletes a root by its service, whatever is under it.
async fn delete(stage: &Stage, kind: &str, name: &str) {
    let config = &stage.clients;
    match kind {
        "identity" => {
            let ses = aws_sdk_sesv2::Client::new(config);
            ses.delete_email_identity().email_identity(name).send().await.unwrap();
        }
        "configuration_set" => {
            let ses = aws_sdk_sesv2::Client::new(config);
            ses.delete_configuration_set().configuration_set_name(name).send().await.unwrap();
        }
        "topic" => {
            let sns = aws_sdk_sns::Client::new(config);
            sns.delete_topic().topic_arn(crate::it::marks::arn(kind, name)).send().await.unwrap();
        }
        "queue" => {
            let sqs = aws_sdk_sqs::Client::new(config);
            let url = sqs.get_queue_url().queue_name(name).send().await.unwrap().queue_url;
            sqs.delete_queue().set_queue_url(url).send().await.unwrap();
        }
        "alarm" => {
            let alarms = aws_sdk_cloudwatch::Client::new(config);
            alarms.delete_alarms().alarm_names(name).send().await.unwrap();
        }
        _ => {
            let iam = aws_sdk_iam::Client::new(config);
            let arn = crate::it::marks::arn(kind, name);
            let detach = iam.detach_user_policy().user_name("Ann").policy_arn(&arn);
            detach.send().await.unwrap();
            iam.delete_policy().policy_arn(&arn).send().await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_missed_although_the_tagging_api_still_shows_it() {
    for (kind, name) in ROOTS {
        let stage = applied().await;
        stage.cloud.change(|options: &mut Options| options.ghosts = Duration::from_hours(1));
        // It has been seen while it was there.
        planned(&stage, EVERY_ROOT, Refresh::Tags).await;
        delete(&stage, kind, name).await;
        let plan = same_as_in_full(&stage, EVERY_ROOT).await;
        let address = format!("{kind}.{name}").parse().unwrap();
        assert_eq!(plan.change(&address).unwrap().action, Action::Create, "{address}");
        // And it is no orphan, either.
        let plan = same_as_in_full(&stage, "").await;
        assert!(plan.change(&address).is_none(), "{address}");
    }
}

#[tokio::test]
async fn what_the_tagging_api_does_not_show_yet_is_read() {
    let options = Options { tagging_lag: Duration::from_hours(1), ..Options::default() };
    let stage = Stage::with(options, None).await;
    prepare(&stage).await;
    stage.converge(EVERY_ROOT).await;
    let plan = same_as_in_full(&stage, EVERY_ROOT).await;
    assert!(plan.is_empty());
    // Policies tell of their tags themselves.
    let all = ROOTS.map(|(kind, name)| format!("{kind}.{name}"));
    let read = read(&plan);
    let unread: Vec<_> = all.iter().filter(|root| !read.contains(*root)).collect();
    assert_eq!(unread, ["send_policy.pivot-test-api"]);
}

#[tokio::test]
async fn what_others_changed_in_settings_is_not_seen_and_that_is_said() {
    let stage = applied().await;
    let sns = aws_sdk_sns::Client::new(&stage.clients);
    let set = sns.set_topic_attributes().topic_arn(crate::it::marks::arn("topic", "feedback"));
    set.attribute_name("DisplayName").attribute_value("by hand").send().await.unwrap();

    let full = stage.shown(EVERY_ROOT).await;
    assert!(full.contains("# topic.feedback will be updated in-place"), "{full}");
    assert!(!full.contains(OVERLOOKED), "{full}");
    let ran = stage.run(&["plan", "test", "--refresh=tags", "--detailed-exitcode"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.output, ran.errors);
    assert!(ran.output.contains(OVERLOOKED), "{}", ran.output);
    assert!(
        ran.output.ends_with("No changes. Tags and lists match the configuration.\n"),
        "{}",
        ran.output
    );

    let json = stage.run(&["plan", "test", "--refresh=tags", "--format", "json"]).await.output;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["refresh"], "tags");
    assert!(json["overlooked"].as_str().unwrap().contains(OVERLOOKED), "{json}");
    assert_eq!(json["complete"], false);
    let unread = json["unread"].as_array().unwrap().len();
    assert_eq!(unread, json["resource_changes"].as_array().unwrap().len());
    let markdown =
        stage.run(&["plan", "test", "--refresh=tags", "--format", "markdown"]).await.output;
    assert!(markdown.contains("judged by tags and lists alone"), "{markdown}");
}

#[tokio::test]
async fn what_is_to_be_carried_out_is_never_planned_by_tags() {
    let stage = applied().await;
    stage.check(EVERY_ROOT).unwrap();
    for (arguments, words) in [
        (&["plan", "test", "--refresh=tags", "--out", "plan.json"][..], "does not go with --out"),
        (&["plan", "test", "--refresh=tags", "--destroy"], "does not go with --destroy"),
        (&["apply", "test", "--refresh=tags", "--yes"], "reads everything first"),
        (&["destroy", "test", "--refresh=tags", "--yes"], "reads everything first"),
    ] {
        let log = stage.cloud.calls();
        log.clear();
        let ran = stage.run(arguments).await;
        assert_eq!(ran.code, 1, "{arguments:?}: {}{}", ran.output, ran.errors);
        assert!(ran.errors.contains(words), "{arguments:?}: {}", ran.errors);
        assert_eq!(log.total(), 0, "{arguments:?}: nobody is asked");
    }
    assert!(!stage.root.join("plan.json").exists());
    let ran = stage.run(&["apply", "test", "--refresh=full", "--yes"]).await;
    assert_eq!(ran.code, 0, "{}", ran.errors);
}

#[tokio::test]
async fn who_may_not_list_reads_in_full() {
    let stage = applied().await;
    stage.check(EVERY_ROOT).unwrap();
    let denied = ["ses:ListConfigurationSets", "sns:ListTopics", "sqs:ListQueues"];
    for action in denied {
        stage.cloud.faults().arm(Fault::from_nth(action, 1, Effect::Deny));
    }
    let plan = same_as_in_full(&stage, EVERY_ROOT).await;
    assert!(plan.is_empty());
    let expected = ["configuration_set.main", "queue.inbox", "topic.feedback"];
    assert_eq!(read(&plan), expected.map(str::to_owned).into());
}

#[tokio::test]
async fn all_environments_can_be_planned_so() {
    let stage = applied().await;
    stage.check(EVERY_ROOT).unwrap();
    let ran = stage.run(&["plan", "--all", "--refresh=tags"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.output, ran.errors);
    assert!(ran.output.contains("  test  No changes. Tags and lists match"), "{}", ran.output);
}

#[tokio::test]
async fn records_that_others_publish_are_listed_only_for_what_was_read() {
    let stage = Stage::new().await;
    let manual = "[identities.\"pivot.app\"]\ndns = \"manual\"\n";
    stage.converge(manual).await;
    let listed = "publish";
    let full = stage.shown(manual).await;
    assert!(full.contains(listed), "{full}");
    let settled = stage.run(&["plan", "test", "--refresh=tags"]).await.output;
    assert!(!settled.contains(listed) && settled.contains(OVERLOOKED), "{settled}");
    stage.check(&format!("{manual}feedback_forwarding = false\n")).unwrap();
    let read = stage.run(&["plan", "test", "--refresh=tags"]).await.output;
    assert!(read.contains(listed) && !read.contains("known after"), "{read}");
}
