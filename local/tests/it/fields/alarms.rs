//! Alarms: the pack, every field of an alarm of one's own, and the alarms of others.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{MetricAlarm, Statistic};
use sesinfra::engine::{Action, Ownership, Reading, Wanted};

use super::{address, reasons};
use crate::it::account::{ACCOUNT, REGION};
use crate::it::stage::Stage;

const PACK: &str = r#"
[topics.ops]
[topics.feedback]
subscriptions = [{ queue = "inbox" }]
[queues.inbox]
dead_letter = {}
[alarms]
topic = "ops"
"#;

fn topic(name: &str) -> String {
    format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}")
}

fn client(stage: &Stage) -> Client {
    Client::new(&stage.clients)
}

async fn alarms(stage: &Stage) -> BTreeMap<String, MetricAlarm> {
    let answer = client(stage).describe_alarms().send().await.unwrap();
    let alarms = answer.metric_alarms.unwrap_or_default().into_iter();
    alarms.map(|alarm| (alarm.alarm_name.clone().unwrap(), alarm)).collect()
}

async fn tags(stage: &Stage, name: &str) -> BTreeMap<String, String> {
    let arn = format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}");
    let answer = client(stage).list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    let tags = answer.tags.unwrap_or_default().into_iter();
    let tags = tags.map(|tag| (tag.key.unwrap(), tag.value.unwrap()));
    tags.filter(|(key, _)| !key.starts_with("sesinfra:")).collect()
}

#[tokio::test]
async fn the_pack_is_made_and_goes() {
    let stage = Stage::new().await;
    stage.converge(PACK).await;
    let found = alarms(&stage).await;
    let judged: Vec<(&str, Option<f64>, Option<&str>)> = found
        .values()
        .map(|alarm| {
            let name = alarm.alarm_name().unwrap().strip_prefix("pivot-test-").unwrap();
            (name, alarm.threshold, alarm.treat_missing_data())
        })
        .collect();
    assert_eq!(
        judged,
        [
            ("bounce-rate", Some(0.05), Some("ignore")),
            ("bounce-rate-warning", Some(0.025), Some("ignore")),
            ("complaint-rate", Some(0.001), Some("ignore")),
            ("complaint-rate-warning", Some(0.0005), Some("ignore")),
            ("daily-quota", Some(0.8), Some("notBreaching")),
            ("dead-letter-inbox-dead-letter", Some(1.0), Some("notBreaching")),
            ("rejects", Some(1.0), Some("notBreaching")),
            ("rendering-failures", Some(1.0), Some("notBreaching")),
            ("sending-paused", Some(1.0), Some("breaching")),
        ]
    );
    for alarm in found.values() {
        assert_eq!(alarm.alarm_actions(), [topic("ops")]);
        assert_eq!(alarm.ok_actions(), [topic("ops")]);
        assert!(alarm.alarm_description().is_some_and(|text| !text.is_empty()));
    }
    // The usage metric is the one that Service Quotas names.
    let used = found["pivot-test-daily-quota"].metrics()[0].metric_stat().unwrap();
    let metric = used.metric().unwrap();
    assert_eq!((metric.namespace(), metric.metric_name()), (Some("AWS/Usage"), Some("CallCount")));
    let dimensions: Vec<_> = metric.dimensions().iter().map(|it| it.value().unwrap()).collect();
    assert!(dimensions.contains(&"SendLast24Hours"), "{dimensions:?}");

    stage.converge("[topics.ops]").await;
    assert!(alarms(&stage).await.is_empty());
}

#[tokio::test]
async fn only_the_topic_of_alarms_lets_cloudwatch_in_and_only_for_this_account() {
    let stage = Stage::new().await;
    stage.converge(PACK).await;
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    let policy = async |name: &str| {
        let read = topics.get_topic_attributes().topic_arn(topic(name)).send().await.unwrap();
        let policy = read.attributes.unwrap().remove("Policy").unwrap();
        serde_json::from_str::<serde_json::Value>(&policy).unwrap()
    };
    let statements = |policy: serde_json::Value| {
        let all = policy["Statement"].as_array().unwrap().clone();
        all.into_iter()
            .filter(|it| it["Principal"]["Service"].to_string().contains("cloudwatch"))
            .collect::<Vec<_>>()
    };
    let [statement] = &statements(policy("ops").await)[..] else { panic!("not one statement") };
    let condition = &statement["Condition"];
    assert!(condition["StringEquals"]["aws:SourceAccount"].to_string().contains(ACCOUNT));
    let source = condition["ArnLike"]["aws:SourceArn"].to_string();
    assert!(source.contains(&format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*")), "{source}");
    assert!(statements(policy("feedback").await).is_empty());
}

#[tokio::test]
async fn every_threshold_of_the_pack_can_be_set_and_every_alarm_left_out() {
    let stage = Stage::new().await;
    stage.converge(PACK).await;
    let other = r#"
bounce_rate = "4%"
bounce_rate_warning = "1%"
complaint_rate = "0.2%"
complaint_rate_warning = "0.07%"
daily_quota = "60%"
silence = "6h"
dead_letters = 5
rejects = 2
rendering_failures = 3
"#;
    stage.converge(&format!("{PACK}{other}")).await;
    let found = alarms(&stage).await;
    let thresholds: Vec<f64> = found.values().map(|alarm| alarm.threshold.unwrap()).collect();
    assert_eq!(thresholds, [0.04, 0.01, 0.002, 0.0007, 0.6, 5.0, 2.0, 3.0, 1.0]);
    let silence = &found["pivot-test-sending-paused"];
    assert_eq!((silence.evaluation_periods, silence.datapoints_to_alarm), (Some(6), Some(6)));

    let without = r#"without = ["bounce-rate-warning", "complaint-rate-warning", "daily-quota", "dead-letters",
        "rejects", "rendering-failures", "sending-paused", "bounce-rate"]"#;
    stage.converge(&format!("{PACK}{without}")).await;
    let left: Vec<_> = alarms(&stage).await.into_keys().collect();
    assert_eq!(left, ["pivot-test-complaint-rate"]);
}

const HEAD: &str = "[topics.ops]\n[alarms]\ntopic = \"ops\"\nwithout = [\"bounce-rate\", \"bounce-rate-warning\", \
                    \"complaint-rate\", \"complaint-rate-warning\", \"daily-quota\", \"dead-letters\", \"rejects\", \
                    \"rendering-failures\", \"sending-paused\"]\n";

#[tokio::test]
async fn every_field_of_an_alarm_is_set_changed_and_unset() {
    let stage = Stage::new().await;
    let plain = "[alarms.custom.slow]\ncomparison = \">\"\nthreshold = 3\n\
                 metric = { namespace = \"App\", name = \"Latency\", statistic = \"p99\" }\n";
    stage.converge(&format!("{HEAD}{plain}")).await;
    let alarm = alarms(&stage).await.remove("slow").unwrap();
    assert_eq!((alarm.extended_statistic(), alarm.statistic()), (Some("p99"), None));
    assert_eq!((alarm.period, alarm.treat_missing_data()), (Some(300), Some("missing")));
    assert_eq!(alarm.alarm_actions(), [topic("ops")]);

    let full = r#"
[alarms.custom.slow]
description = "Slow, and slower"
comparison = "<="
threshold = 0.125
periods = 5
datapoints = 3
missing = "breaching"
low_samples = "ignore"
enabled = false
on_alarm = ["arn:aws:lambda:us-east-1:123456789012:function:restart"]
on_ok = []
on_no_data = ["ops"]
tags = { team = "speed" }
metric = { namespace = "App", name = "Latency", dimensions = { host = "a", zone = "b" }, statistic = "Average", period = "1m", unit = "Seconds" }
"#;
    stage.converge(&format!("{HEAD}{full}")).await;
    let alarm = alarms(&stage).await.remove("slow").unwrap();
    assert_eq!(alarm.alarm_description(), Some("Slow, and slower"));
    assert_eq!((alarm.threshold, alarm.period), (Some(0.125), Some(60)));
    assert_eq!(alarm.comparison_operator().unwrap().as_str(), "LessThanOrEqualToThreshold");
    assert_eq!((alarm.evaluation_periods, alarm.datapoints_to_alarm), (Some(5), Some(3)));
    assert_eq!(alarm.treat_missing_data(), Some("breaching"));
    assert_eq!(alarm.evaluate_low_sample_count_percentile(), Some("ignore"));
    assert_eq!((alarm.statistic(), alarm.dimensions().len()), (Some(&Statistic::Average), 2));
    assert_eq!(alarm.unit().unwrap().as_str(), "Seconds");
    assert_eq!(alarm.actions_enabled, Some(false));
    assert_eq!(alarm.alarm_actions(), ["arn:aws:lambda:us-east-1:123456789012:function:restart"]);
    assert!(alarm.ok_actions().is_empty());
    assert_eq!(alarm.insufficient_data_actions(), [topic("ops")]);
    assert_eq!(tags(&stage, "slow").await, super::tags([("team", "speed")]));

    let math = r#"
[alarms.custom.slow]
comparison = ">="
threshold = 5
metrics = [
  { id = "bounces", metric = { namespace = "AWS/SES", name = "Bounce", statistic = "Sum" } },
  { id = "sends", metric = { namespace = "AWS/SES", name = "Send", statistic = "Sum", period = "5m" } },
  { id = "share", expression = "100 * bounces / sends", label = "Bounces", result = true, period = "5m" },
]
"#;
    stage.converge(&format!("{HEAD}{math}")).await;
    let alarm = alarms(&stage).await.remove("slow").unwrap();
    assert_eq!((alarm.metric_name(), alarm.metrics().len()), (None, 3));
    assert_eq!(alarm.metrics()[2].label(), Some("Bounces"));
    assert_eq!(alarm.metrics()[2].return_data, Some(true));
    assert!(tags(&stage, "slow").await.is_empty());

    let band = r#"
[alarms.custom.slow]
comparison = "outside-band"
band = "usual"
metrics = [
  { id = "sends", metric = { namespace = "AWS/SES", name = "Send", statistic = "Sum" }, result = true },
  { id = "usual", expression = "ANOMALY_DETECTION_BAND(sends, 2)" },
]
"#;
    stage.converge(&format!("{HEAD}{band}")).await;
    let alarm = alarms(&stage).await.remove("slow").unwrap();
    assert_eq!((alarm.threshold, alarm.threshold_metric_id()), (None, Some("usual")));
    stage.converge(&format!("{HEAD}{plain}")).await;
}

async fn theirs(stage: &Stage, name: &str) {
    let call = client(stage).put_metric_alarm().alarm_name(name).namespace("App");
    let call = call.metric_name("Theirs").statistic(Statistic::Sum).period(60);
    let call = call.comparison_operator("LessThanThreshold".into()).threshold(1.0);
    call.evaluation_periods(1).send().await.unwrap();
}

const MINE: &str = "[alarms.custom.slow]\ncomparison = \">\"\nthreshold = 3\n\
                    metric = { namespace = \"App\", name = \"Latency\", statistic = \"Sum\" }\n";

#[tokio::test]
async fn an_alarm_of_others_is_not_overwritten() {
    let stage = Stage::new().await;
    stage.converge(HEAD).await;
    let file = format!("{HEAD}{MINE}");
    // It is there already: the plan is refused.
    theirs(&stage, "slow").await;
    let plan = stage.open(&file).await.plan().await.unwrap();
    assert_eq!(plan.change(&address("alarm.slow")).unwrap().action, Action::Adopt);
    assert_eq!(plan.refusals.len(), 1);
    // It comes between the plan and the apply, where a Put would overwrite it without a word.
    client(&stage).delete_alarms().alarm_names("slow").send().await.unwrap();
    let open = stage.open(&file).await;
    let plan = open.plan().await.unwrap();
    assert!(plan.refusals.is_empty());
    theirs(&stage, "slow").await;
    let report = sesinfra::engine::apply(&plan, &open.registry, &open).await;
    assert!(
        reasons(&report).contains("somebody else made an alarm of this name"),
        "{}",
        reasons(&report)
    );
    assert_eq!(alarms(&stage).await["slow"].metric_name(), Some("Theirs"));
}

#[tokio::test]
async fn a_create_that_was_cut_off_is_finished() {
    let stage = Stage::new().await;
    let file = format!("{HEAD}{MINE}");
    stage.converge(HEAD).await;
    let open = stage.open(&file).await;
    let plan = open.plan().await.unwrap();
    // Another run made it meanwhile, with the same owner's tags.
    stage.converge(&file).await;
    let report = sesinfra::engine::apply(&plan, &open.registry, &open).await;
    assert!(report.is_complete(), "{report:#?}");
    stage.expect_nothing(&file).await;
}

#[tokio::test]
async fn an_alarm_that_has_gone_off_says_so() {
    let stage = Stage::new().await;
    let file = format!("{HEAD}{MINE}");
    stage.converge(&file).await;
    let call = client(&stage).set_alarm_state().alarm_name("slow").state_value("ALARM".into());
    call.state_reason("3 was more than 2").send().await.unwrap();
    let registry = stage.open(&file).await.registry;
    let wanted = [Wanted::looked_for("slow".to_owned())];
    let found = registry.get("alarm").unwrap().read(&wanted, Reading::Named).await.unwrap();
    assert_eq!(found[0].ownership, Ownership::Ours);
    assert!(found[0].notes[0].contains("has gone off"), "{:?}", found[0].notes);
    // That is news and no difference.
    stage.expect_nothing(&file).await;
}
