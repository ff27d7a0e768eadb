//! Event destinations: a target that cannot be used now cannot be a destination.

use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::create_configuration_set_event_destination::{
    CreateConfigurationSetEventDestinationError, CreateConfigurationSetEventDestinationOutput,
};
use aws_sdk_sesv2::types::builders::EventDestinationDefinitionBuilder;
use aws_sdk_sesv2::types::{
    CloudWatchDestination, CloudWatchDimensionConfiguration, DimensionValueSource,
    EventBridgeDestination, EventDestinationDefinition, EventType, KinesisFirehoseDestination,
    PinpointDestination, SnsDestination,
};

use super::super::account::{ACCOUNT, REGION};
use super::{Bench, refusal, refused};

fn definition() -> EventDestinationDefinitionBuilder {
    EventDestinationDefinition::builder().enabled(true).matching_event_types(EventType::Bounce)
}

fn sns(topic: &str) -> SnsDestination {
    SnsDestination::builder().topic_arn(topic).build().unwrap()
}

fn bus(arn: &str) -> EventBridgeDestination {
    EventBridgeDestination::builder().event_bus_arn(arn).build().unwrap()
}

fn default_bus() -> EventBridgeDestination {
    bus(&format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"))
}

fn dimension(name: &str, source: DimensionValueSource) -> CloudWatchDimensionConfiguration {
    let dimension = CloudWatchDimensionConfiguration::builder().dimension_name(name);
    dimension.dimension_value_source(source).default_dimension_value("none").build().unwrap()
}

fn metrics(dimensions: Vec<CloudWatchDimensionConfiguration>) -> CloudWatchDestination {
    let metrics = CloudWatchDestination::builder().set_dimension_configurations(Some(dimensions));
    metrics.build().unwrap()
}

impl Bench {
    async fn create_destination(
        &self,
        name: &str,
        definition: EventDestinationDefinitionBuilder,
    ) -> Result<
        CreateConfigurationSetEventDestinationOutput,
        SdkError<CreateConfigurationSetEventDestinationError>,
    > {
        let create = self.ses.create_configuration_set_event_destination();
        let create = create.configuration_set_name("main").event_destination_name(name);
        create.event_destination(definition.build()).send().await
    }

    async fn with_set() -> Self {
        let bench = Self::start().await;
        bench.set("main").await;
        bench
    }

    /// Asserts that the topic cannot be published to.
    async fn refuses_topic(&self, topic: &str) {
        let create = self.create_destination("d", definition().sns_destination(sns(topic))).await;
        let (code, message) = refusal(create);
        assert_eq!(code, "BadRequestException");
        assert_eq!(message, format!("Could not publish message to SNS topic <{topic}>."));
    }
}

#[tokio::test]
async fn a_topic_must_exist_here_be_standard_and_let_ses_publish() {
    let bench = Bench::with_set().await;
    let arn = |region: &str, name: &str| format!("arn:aws:sns:{region}:{ACCOUNT}:{name}");
    bench.refuses_topic(&arn(REGION, "none")).await;
    bench.refuses_topic(&arn("eu-west-1", "feedback")).await;
    bench.refuses_topic(&arn(REGION, "feedback.fifo")).await;
    let topics = aws_sdk_sns::Client::new(&bench.config);
    let topic = topics.create_topic().name("feedback").send().await.unwrap().topic_arn.unwrap();
    bench.refuses_topic(&topic).await;
    let set = |name: &str| format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{name}");
    bench.allow(&topic, &set("other")).await;
    bench.refuses_topic(&topic).await;
    bench.allow(&topic, &set("main")).await;
    bench.create_destination("d", definition().sns_destination(sns(&topic))).await.unwrap();
}

#[tokio::test]
async fn the_key_of_a_topic_must_let_ses_use_it() {
    let bench = Bench::with_set().await;
    let topic = bench.topic("feedback").await;
    let keys = aws_sdk_kms::Client::new(&bench.config);
    let key = keys.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    let topics = aws_sdk_sns::Client::new(&bench.config);
    for key in [&key, "alias/aws/sns"] {
        let encrypt = topics.set_topic_attributes().topic_arn(&topic);
        let encrypt = encrypt.attribute_name("KmsMasterKeyId").attribute_value(key);
        encrypt.send().await.unwrap();
        bench.refuses_topic(&topic).await;
    }
    let policy = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }, "Action": "kms:*", "Resource": "*" },
            { "Effect": "Allow", "Principal": { "Service": "ses.amazonaws.com" }, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*" },
        ],
    });
    keys.put_key_policy().key_id(&key).policy(policy.to_string()).send().await.unwrap();
    let encrypt = topics.set_topic_attributes().topic_arn(&topic);
    encrypt.attribute_name("KmsMasterKeyId").attribute_value(&key).send().await.unwrap();
    bench.create_destination("d", definition().sns_destination(sns(&topic))).await.unwrap();
}

#[tokio::test]
async fn a_destination_has_one_target_and_some_events() {
    let bench = Bench::with_set().await;
    let topic = bench.topic("feedback").await;
    refused(bench.create_destination("d", definition()).await, "BadRequestException");
    let both = definition().sns_destination(sns(&topic)).event_bridge_destination(default_bus());
    refused(bench.create_destination("d", both).await, "BadRequestException");
    let silent = EventDestinationDefinition::builder().sns_destination(sns(&topic));
    refused(bench.create_destination("d", silent).await, "BadRequestException");
    let named = definition().sns_destination(sns(&topic));
    refused(bench.create_destination("a.b", named).await, "BadRequestException");
}

#[tokio::test]
async fn only_the_default_bus_takes_events() {
    let bench = Bench::with_set().await;
    for arn in [
        format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/other"),
        format!("arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"),
    ] {
        let to = definition().event_bridge_destination(bus(&arn));
        refused(bench.create_destination("d", to).await, "BadRequestException");
    }
    let to = definition().event_bridge_destination(default_bus());
    bench.create_destination("d", to).await.unwrap();
}

#[tokio::test]
async fn dimensions_have_rules() {
    let bench = Bench::with_set().await;
    let tag = DimensionValueSource::MessageTag;
    let many: Vec<_> = (0..11).map(|n| dimension(&format!("d{n}"), tag.clone())).collect();
    for wrong in [
        Vec::new(),
        many,
        vec![dimension("a b", tag.clone())],
        vec![dimension("ses:configuration-set", DimensionValueSource::EmailHeader)],
        vec![dimension("Message-ID", DimensionValueSource::EmailHeader)],
        vec![dimension("kind", tag.clone()), dimension("kind", tag.clone())],
    ] {
        let to = definition().cloud_watch_destination(metrics(wrong));
        refused(bench.create_destination("d", to).await, "BadRequestException");
    }
    let right = vec![dimension("ses:configuration-set", tag.clone()), dimension("kind", tag)];
    let to = definition().cloud_watch_destination(metrics(right));
    bench.create_destination("d", to).await.unwrap();
}

impl Bench {
    async fn to_stream(&self) -> Result<(), String> {
        let stream = KinesisFirehoseDestination::builder()
            .iam_role_arn(format!("arn:aws:iam::{ACCOUNT}:role/events"))
            .delivery_stream_arn(stream())
            .build()
            .unwrap();
        let to = definition().kinesis_firehose_destination(stream);
        match self.create_destination("d", to).await {
            Ok(_) => Ok(()),
            refusal => Err(super::refusal(refusal).0),
        }
    }
}

fn stream() -> String {
    format!("arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/events")
}

#[tokio::test]
async fn a_stream_and_its_role_must_exist_and_the_role_must_be_usable() {
    let bench = Bench::with_set().await;
    let refused = Err("BadRequestException".to_owned());
    let iam = aws_sdk_iam::Client::new(&bench.config);
    let trust = |service: &str| {
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }],
        })
        .to_string()
    };
    let create = iam.create_role().role_name("events");
    let create = create.assume_role_policy_document(trust("firehose.amazonaws.com"));
    create.send().await.unwrap();
    let write = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "firehose:PutRecordBatch", "Resource": stream() }],
    });
    assert_eq!(bench.to_stream().await, refused);
    let now = bench.cloud.world().clock.now();
    let made = serde_json::json!({
        "name": "events", "arn": stream(), "status": "ACTIVE", "stream_type": "DirectPut",
        "created_at": now, "last_update": now, "version_id": "1", "destination": null, "tags": {},
    });
    {
        let mut accounts = bench.cloud.world().firehose.write();
        let streams = accounts.get_or_create(ACCOUNT, REGION).streams_mut(REGION);
        streams.insert("events".to_owned(), serde_json::from_value(made).unwrap());
    }
    assert_eq!(bench.to_stream().await, refused);
    let update = iam.update_assume_role_policy().role_name("events");
    update.policy_document(trust("ses.amazonaws.com")).send().await.unwrap();
    assert_eq!(bench.to_stream().await, refused);
    let put = iam.put_role_policy().role_name("events").policy_name("write");
    put.policy_document(write.to_string()).send().await.unwrap();
    assert_eq!(bench.to_stream().await, Ok(()));
}

#[tokio::test]
async fn pinpoint_takes_no_delays_and_no_subscriptions() {
    let bench = Bench::with_set().await;
    let to = || definition().pinpoint_destination(PinpointDestination::builder().build());
    for kind in [EventType::DeliveryDelay, EventType::Subscription] {
        let create = bench.create_destination("d", to().matching_event_types(kind)).await;
        refused(create, "BadRequestException");
    }
    bench.create_destination("d", to()).await.unwrap();
}

#[tokio::test]
async fn an_update_replaces_the_whole_definition_and_its_kind() {
    let bench = Bench::with_set().await;
    let topic = bench.topic("feedback").await;
    let both = definition().matching_event_types(EventType::Send).sns_destination(sns(&topic));
    bench.create_destination("d", both).await.unwrap();
    let read =
        || bench.ses.get_configuration_set_event_destinations().configuration_set_name("main");
    let shown = read().send().await.unwrap().event_destinations.unwrap().remove(0);
    // Not in the order in which they came.
    assert_eq!(shown.matching_event_types(), [EventType::Send, EventType::Bounce]);
    let update = |name: &str, definition: EventDestinationDefinition| {
        let update = bench.ses.update_configuration_set_event_destination();
        let update = update.configuration_set_name("main").event_destination_name(name);
        update.event_destination(definition).send()
    };
    let other = EventDestinationDefinition::builder()
        .matching_event_types(EventType::Complaint)
        .event_bridge_destination(default_bus())
        .build();
    refused(update("e", other.clone()).await, "NotFoundException");
    update("d", other).await.unwrap();
    let shown = read().send().await.unwrap().event_destinations.unwrap().remove(0);
    assert!(!shown.enabled());
    assert!(shown.sns_destination().is_none());
    assert_eq!(shown.matching_event_types(), [EventType::Complaint]);
}

#[tokio::test]
async fn a_set_has_ten_destinations_with_names_of_their_own() {
    let bench = Bench::with_set().await;
    let to = || definition().event_bridge_destination(default_bus());
    for number in 0..10 {
        bench.create_destination(&format!("d{number}"), to()).await.unwrap();
    }
    refused(bench.create_destination("d0", to()).await, "AlreadyExistsException");
    refused(bench.create_destination("d10", to()).await, "LimitExceededException");
    let delete = || {
        let delete = bench.ses.delete_configuration_set_event_destination();
        delete.configuration_set_name("main").event_destination_name("d0").send()
    };
    delete().await.unwrap();
    refused(delete().await, "NotFoundException");
    let read = bench.ses.get_configuration_set_event_destinations().configuration_set_name("main");
    assert_eq!(read.send().await.unwrap().event_destinations().len(), 9);
    let read = bench.ses.get_configuration_set_event_destinations().configuration_set_name("none");
    refused(read.send().await, "NotFoundException");
}
