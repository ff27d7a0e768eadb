//! Event destinations: every type, every target, switched off and on, and from one target to another in place.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sesv2::types::{DimensionValueSource, EventDestination};
use serde_json::{Value, json};
use sesinfra::engine::Action;

use super::address;
use crate::it::account::{ACCOUNT, REGION};
use crate::it::stage::Stage;

const TYPES: [&str; 10] = [
    "send",
    "reject",
    "bounce",
    "complaint",
    "delivery",
    "open",
    "click",
    "rendering-failure",
    "delivery-delay",
    "subscription",
];

fn file(destination: &str) -> String {
    format!("[topics.feedback]\n[topics.other]\n[configuration_sets.main]\n{destination}")
}

fn to_topic(types: &[&str]) -> String {
    file(&format!("events.d = {{ types = {types:?}, topic = \"feedback\" }}"))
}

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

fn words(destination: &EventDestination) -> BTreeSet<String> {
    let types = destination.matching_event_types().iter();
    types.map(|it| it.as_str().to_lowercase().replace('_', "-")).collect()
}

fn set(types: &[&str]) -> BTreeSet<String> {
    types.iter().map(|it| (*it).to_owned()).collect()
}

/// How many kinds of target a destination has: exactly one, always.
fn targets(destination: &EventDestination) -> usize {
    [
        destination.sns_destination().is_some(),
        destination.event_bridge_destination().is_some(),
        destination.kinesis_firehose_destination().is_some(),
        destination.cloud_watch_destination().is_some(),
        destination.pinpoint_destination().is_some(),
    ]
    .into_iter()
    .filter(|there| *there)
    .count()
}

impl Stage {
    /// A Firehose stream, and a role of its name that lets SES write to it.
    async fn stream(&self, name: &str) -> (String, String) {
        let stream = arn("firehose", &format!("deliverystream/{name}"));
        let now = self.cloud.world().clock.now();
        let made = json!({
            "name": name, "arn": stream, "status": "ACTIVE", "stream_type": "DirectPut",
            "created_at": now, "last_update": now, "version_id": "1", "destination": null, "tags": {},
        });
        {
            let mut accounts = self.cloud.world().firehose.write();
            let streams = accounts.get_or_create(ACCOUNT, REGION).streams_mut(REGION);
            streams.insert(name.to_owned(), serde_json::from_value(made).unwrap());
        }
        let iam = aws_sdk_iam::Client::new(&self.clients);
        let statement = |effect: Value| json!({ "Version": "2012-10-17", "Statement": [effect] });
        let trust = statement(json!({
            "Effect": "Allow", "Principal": { "Service": "ses.amazonaws.com" }, "Action": "sts:AssumeRole",
        }));
        let create = iam.create_role().role_name(name);
        create.assume_role_policy_document(trust.to_string()).send().await.unwrap();
        let write = statement(json!({
            "Effect": "Allow", "Action": "firehose:PutRecordBatch", "Resource": stream,
        }));
        let put = iam.put_role_policy().role_name(name).policy_name("write");
        put.policy_document(write.to_string()).send().await.unwrap();
        (stream, format!("arn:aws:iam::{ACCOUNT}:role/{name}"))
    }
}

#[tokio::test]
async fn every_type_alone_and_all_together() {
    let stage = Stage::new().await;
    for kind in TYPES {
        stage.converge(&to_topic(&[kind])).await;
        assert_eq!(words(&stage.destinations("main").await["d"]), set(&[kind]));
    }
    stage.converge(&to_topic(&TYPES)).await;
    assert_eq!(words(&stage.destinations("main").await["d"]), set(&TYPES));
    stage.converge(&file("")).await;
    assert!(stage.destinations("main").await.is_empty());
}

#[tokio::test]
async fn a_destination_is_switched_off_and_on() {
    let stage = Stage::new().await;
    for (line, enabled) in [("", true), ("enabled = false, ", false), ("enabled = true, ", true)] {
        let destination =
            format!("events.d = {{ types = [\"bounce\"], {line}topic = \"feedback\" }}");
        stage.converge(&file(&destination)).await;
        assert_eq!(stage.destinations("main").await["d"].enabled, enabled);
    }
    // Made switched off.
    let destination =
        "events.new = { types = [\"bounce\"], enabled = false, topic = \"feedback\" }";
    stage.converge(&file(destination)).await;
    let found = stage.destinations("main").await;
    assert!(found.len() == 1 && !found["new"].enabled, "{found:?}");
}

#[tokio::test]
async fn a_destination_goes_from_each_target_to_each_other_in_place() {
    let stage = Stage::new().await;
    let (stream, role) = stage.stream("events").await;
    let targets_of = [
        "topic = \"feedback\"".to_owned(),
        "event_bus = \"default\"".to_owned(),
        "firehose = { stream = \"events\", role = \"events\" }".to_owned(),
        "cloudwatch = [{ dimension = \"tenant\", source = \"message-tag\", default = \"none\" }]"
            .to_owned(),
    ];
    let holds = |target: usize, found: &EventDestination| match target {
        0 => found.sns_destination().unwrap().topic_arn() == arn("sns", "feedback"),
        1 => {
            let bus = found.event_bridge_destination().unwrap();
            bus.event_bus_arn() == arn("events", "event-bus/default")
        }
        2 => {
            let firehose = found.kinesis_firehose_destination().unwrap();
            firehose.delivery_stream_arn() == stream && firehose.iam_role_arn() == role
        }
        _ => {
            let dimensions = found.cloud_watch_destination().unwrap().dimension_configurations();
            dimensions.len() == 1 && dimensions[0].dimension_name() == "tenant"
        }
    };
    let of = |target: usize| {
        file(&format!("events.d = {{ types = [\"bounce\"], {} }}", targets_of[target]))
    };
    stage.converge(&of(0)).await;
    for target in [1, 2, 3, 0, 2, 1, 3, 2, 0, 3, 1, 0] {
        let plan = stage.converge(&of(target)).await;
        let change = plan.change(&address("event_destination.main/d")).unwrap();
        assert_eq!(change.action, Action::Update);
        let found = &stage.destinations("main").await["d"];
        assert!(holds(target, found), "{found:?}");
        assert_eq!(targets(found), 1, "{found:?}");
    }
}

#[tokio::test]
async fn each_part_of_a_target_is_changed() {
    let stage = Stage::new().await;
    let (first, role) = stage.stream("events").await;
    let (second, other_role) = stage.stream("second").await;
    for (stream, role) in [(&first, &role), (&second, &other_role)] {
        let by_arn = format!(
            "events.d = {{ types = [\"send\"], firehose = {{ stream = \"{stream}\", role = \"{role}\" }} }}"
        );
        stage.converge(&file(&by_arn)).await;
        let found = &stage.destinations("main").await["d"];
        let firehose = found.kinesis_firehose_destination().unwrap();
        assert_eq!((firehose.delivery_stream_arn(), firehose.iam_role_arn()), (&**stream, &**role));
    }
    for topic in ["feedback", "other"] {
        let destination = format!("events.d = {{ types = [\"send\"], topic = \"{topic}\" }}");
        stage.converge(&file(&destination)).await;
        let found = &stage.destinations("main").await["d"];
        assert_eq!(found.sns_destination().unwrap().topic_arn(), arn("sns", topic));
    }
    let by_arn = format!(
        "events.d = {{ types = [\"send\"], event_bus = \"{}\" }}",
        arn("events", "event-bus/default")
    );
    stage.converge(&file(&by_arn)).await;
    let sources = [
        ("message-tag", DimensionValueSource::MessageTag),
        ("email-header", DimensionValueSource::EmailHeader),
        ("link-tag", DimensionValueSource::LinkTag),
    ];
    for (source, wanted) in sources {
        let destination = format!(
            "events.d = {{ types = [\"send\"], cloudwatch = [\
             {{ dimension = \"x-kind\", source = \"{source}\", default = \"none\" }}, \
             {{ dimension = \"ses:configuration-set\", source = \"message-tag\", default = \"a@b.c\" }}] }}"
        );
        stage.converge(&file(&destination)).await;
        let found = &stage.destinations("main").await["d"];
        let dimensions = found.cloud_watch_destination().unwrap().dimension_configurations();
        let dimensions: BTreeMap<&str, _> = dimensions
            .iter()
            .map(|it| {
                let value = (it.dimension_value_source().clone(), it.default_dimension_value());
                (it.dimension_name(), value)
            })
            .collect();
        assert_eq!(dimensions["x-kind"], (wanted, "none"));
        assert_eq!(dimensions["ses:configuration-set"].1, "a@b.c");
    }
}

#[tokio::test]
async fn a_topic_of_somebody_elses_is_used_by_its_arn_and_left_alone() {
    let stage = Stage::new().await;
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    let theirs = topics.create_topic().name("theirs").send().await.unwrap().topic_arn.unwrap();
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "ses.amazonaws.com" },
        "Action": "sns:Publish", "Resource": theirs,
        "Condition": { "StringEquals": { "AWS:SourceAccount": ACCOUNT } },
    }] });
    let put = topics.set_topic_attributes().topic_arn(&theirs).attribute_name("Policy");
    put.attribute_value(policy.to_string()).send().await.unwrap();
    let destination = format!("events.d = {{ types = [\"bounce\"], topic = \"{theirs}\" }}");
    stage.converge(&file(&destination)).await;
    let found = &stage.destinations("main").await["d"];
    assert_eq!(found.sns_destination().unwrap().topic_arn(), theirs);
    stage.converge("").await;
    topics.get_topic_attributes().topic_arn(&theirs).send().await.unwrap();
}
