//! SNS as strict as AWS: a topic cannot be created again with other attributes or tags, policies are checked,
//! subscriptions by mail wait for a person, and one that waits cannot be unsubscribed.

use std::collections::BTreeMap;
use std::sync::Arc;

use fakecloud_core::auth::IamAction;
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsServiceError};
use fakecloud_sns::SnsSubscription;

use super::policy::{self, Subject};
use super::{Check, Then, refused, tagging, topic_tags};
use crate::world::World;

/// The check in front of SNS.
pub(crate) struct Topics(pub(crate) Arc<World>);

/// Attributes that can be set on a topic.
const SETTABLE: [&str; 20] = [
    "ApplicationFailureFeedbackRoleArn",
    "ApplicationSuccessFeedbackRoleArn",
    "ApplicationSuccessFeedbackSampleRate",
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "DeliveryPolicy",
    "DisplayName",
    "FifoThroughputScope",
    "FifoTopic",
    "FirehoseFailureFeedbackRoleArn",
    "HTTPFailureFeedbackRoleArn",
    "HTTPSuccessFeedbackRoleArn",
    "KmsMasterKeyId",
    "LambdaFailureFeedbackRoleArn",
    "LambdaSuccessFeedbackRoleArn",
    "Policy",
    "SQSFailureFeedbackRoleArn",
    "SQSSuccessFeedbackRoleArn",
    "SignatureVersion",
    "TracingConfig",
];

impl Check for Topics {
    fn before(&self, request: &mut AwsRequest) -> Result<Then, AwsServiceError> {
        match request.action.as_str() {
            "CreateTopic" => self.create_topic(request).map(|()| None),
            "SetTopicAttributes" => self.set_attribute(request).map(|()| None),
            "Subscribe" => self.subscribe(request),
            "Unsubscribe" => self.unsubscribe(request).map(|()| None),
            "TagResource" => self.tag(request).map(|()| None),
            "DeleteTopic" => {
                topic_tags::deleted(&self.0, &parameter(request, "TopicArn"));
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn also(&self, request: &AwsRequest, needed: &[IamAction]) -> Vec<IamAction> {
        tagging(request, needed, "CreateTopic", "TagResource").into_iter().collect()
    }

    fn publishes(&self, request: &AwsRequest) -> Option<String> {
        matches!(request.action.as_str(), "Publish" | "PublishBatch")
            .then(|| parameter(request, "TopicArn"))
    }
}

impl Topics {
    fn create_topic(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let name = parameter(request, "Name");
        let arn = fakecloud_sns::topic_arn(&request.region, &request.account_id, &name);
        let attributes = entries(request, "Attributes");
        for (key, value) in &attributes {
            self.attribute(&arn, key, value)?;
        }
        let tags = tags(request);
        if tags.len() > 50 {
            return Err(refused(
                "TagLimitExceeded",
                "Could not complete request: tag quota of per resource exceeded",
            ));
        }
        let accounts = self.0.sns.read();
        let Some(topic) = accounts.by_arn(&arn).and_then(|state| state.topics.get(&arn)) else {
            return if tags.is_empty() { Ok(()) } else { topic_tags::refuse_stale(&self.0, &arn) };
        };
        let differs = |(key, value): (&String, &String)| {
            let live = topic.attributes.get(key).map_or("", String::as_str);
            !same(live, value)
        };
        if attributes.iter().any(differs) {
            return Err(refused(
                "InvalidParameter",
                "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
            ));
        }
        let live: BTreeMap<_, _> = topic.tags.iter().cloned().collect();
        if !tags.is_empty() && tags != live {
            return Err(refused(
                "InvalidParameter",
                "Invalid parameter: Tags Reason: Topic already exists with different tags",
            ));
        }
        Ok(())
    }

    fn set_attribute(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let name = parameter(request, "AttributeName");
        self.attribute(
            &parameter(request, "TopicArn"),
            &name,
            &parameter(request, "AttributeValue"),
        )
    }

    fn attribute(&self, topic: &str, name: &str, value: &str) -> Result<(), AwsServiceError> {
        let invalid =
            |reason: String| refused("InvalidParameter", format!("Invalid parameter: {reason}"));
        let known = SETTABLE.contains(&name)
            || name.starts_with("DeliveryPolicy.")
            || name.ends_with("FeedbackSampleRate")
            || name == "FirehoseSuccessFeedbackRoleArn";
        if !known {
            return Err(invalid("AttributeName".to_owned()));
        }
        match name {
            "Policy" => {
                match policy::problem(&self.0, &Subject { service: "sns", resource: topic }, value)
                {
                    Some(problem) => Err(invalid(format!("Policy Error: {problem}"))),
                    None => Ok(()),
                }
            }
            "DisplayName" if value.chars().count() > 100 => {
                Err(invalid("DisplayName Reason: too long".to_owned()))
            }
            "SignatureVersion" if !["1", "2"].contains(&value) => {
                Err(invalid("SignatureVersion Reason: must be 1 or 2".to_owned()))
            }
            "TracingConfig" if !["PassThrough", "Active"].contains(&value) => {
                Err(invalid("TracingConfig Reason: must be PassThrough or Active".to_owned()))
            }
            "DeliveryPolicy"
                if !value.is_empty()
                    && serde_json::from_str::<serde_json::Value>(value).is_err() =>
            {
                Err(invalid("DeliveryPolicy: JSON is not valid".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// A subscription with the same topic, protocol and endpoint, if there is one.
    fn existing(&self, topic: &str, protocol: &str, endpoint: &str) -> Option<SnsSubscription> {
        let accounts = self.0.sns.read();
        let state = accounts.by_arn(topic)?;
        let same = |one: &&SnsSubscription| {
            one.topic_arn == topic && one.protocol == protocol && one.endpoint == endpoint
        };
        state.subscriptions.values().find(same).cloned()
    }

    fn subscribe(&self, request: &mut AwsRequest) -> Result<Then, AwsServiceError> {
        let topic = parameter(request, "TopicArn");
        let (protocol, endpoint) = (parameter(request, "Protocol"), parameter(request, "Endpoint"));
        let invalid =
            |reason: &str| refused("InvalidParameter", format!("Invalid parameter: {reason}"));
        let fits = match protocol.as_str() {
            "http" | "https" => endpoint.starts_with(&format!("{protocol}://")),
            "email" | "email-json" => endpoint.contains('@'),
            "lambda" | "firehose" | "sqs" => endpoint.starts_with("arn:"),
            _ => true,
        };
        if !fits {
            return Err(invalid("Endpoint Reason: does not fit the protocol"));
        }
        let attributes = entries(request, "Attributes");
        if protocol == "firehose" && !attributes.contains_key("SubscriptionRoleArn") {
            return Err(invalid("SubscriptionRoleArn Reason: required for a firehose endpoint"));
        }
        if let Some(existing) = self.existing(&topic, &protocol, &endpoint) {
            let differs = |(key, value): (&String, &String)| {
                !same(existing.attributes.get(key).map_or("", String::as_str), value)
            };
            if attributes.iter().any(differs) {
                return Err(invalid(
                    "Attributes Reason: Subscription already exists with different attributes",
                ));
            }
            return Ok(pending_again(existing, request));
        }
        let by_mail = matches!(protocol.as_str(), "email" | "email-json");
        let outside = protocol.starts_with("http") && !local(&endpoint);
        if outside {
            // The crate would ask the real endpoint to confirm. What happens here stays here: it sees a mail address.
            request.query_params.insert("Protocol".to_owned(), "email".to_owned());
        }
        let elsewhere = matches!(protocol.as_str(), "sqs" | "lambda" | "firehose")
            && endpoint.split(':').nth(4) != Some(request.account_id.as_str());
        Ok(self.pending(
            by_mail || outside || elsewhere,
            topic,
            protocol,
            endpoint,
            wants_arn(request),
        ))
    }

    /// The crate confirms mail and other accounts' endpoints at once; here they wait.
    fn pending(
        &self,
        waits: bool,
        topic: String,
        protocol: String,
        endpoint: String,
        wants_arn: bool,
    ) -> Then {
        if !waits {
            return None;
        }
        let topics = Self(Arc::clone(&self.0));
        Some(Box::new(move |response| {
            let made = topics.existing(&topic, &protocol, &endpoint);
            let Some(made) = made.or_else(|| topics.existing(&topic, "email", &endpoint)) else {
                return;
            };
            let arn = made.subscription_arn;
            if let Some(state) = topics.0.sns.write().by_arn_mut(&topic)
                && let Some(subscription) = state.subscriptions.get_mut(&arn)
            {
                subscription.protocol = protocol;
                subscription.confirmed = false;
                subscription.confirmation_token =
                    Some(format!("{}{}", uuid::Uuid::new_v4(), uuid::Uuid::new_v4()));
            }
            if !wants_arn {
                replace(response, &arn, "pending confirmation");
            }
        }))
    }

    fn unsubscribe(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let arn = parameter(request, "SubscriptionArn");
        let parts = arn.split(':').count();
        if parts != 7 {
            return Err(refused(
                "InvalidParameter",
                "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1",
            ));
        }
        let accounts = self.0.sns.read();
        let waits = accounts
            .by_arn(&arn)
            .and_then(|state| state.subscriptions.get(&arn))
            .is_some_and(|subscription| !subscription.confirmed);
        if waits {
            return Err(refused(
                "InvalidParameter",
                "Invalid parameter: This subscription is pending confirmation: Cannot unsubscribe a subscription that is pending confirmation",
            ));
        }
        Ok(())
    }

    fn tag(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let (arn, tags) = (parameter(request, "ResourceArn"), tags(request));
        topic_tags::refuse_stale(&self.0, &arn)?;
        let accounts = self.0.sns.read();
        let Some(topic) = accounts.by_arn(&arn).and_then(|state| state.topics.get(&arn)) else {
            return Ok(());
        };
        let new = tags.keys().filter(|key| topic.tags.iter().all(|(live, _)| live != *key)).count();
        if topic.tags.len() + new > 50 {
            return Err(refused(
                "TagLimitExceeded",
                "Could not complete request: tag quota of per resource exceeded",
            ));
        }
        Ok(())
    }
}

/// A pending subscription hides its ARN from whoever asks for it again, unless asked not to.
fn pending_again(existing: SnsSubscription, request: &AwsRequest) -> Then {
    if existing.confirmed || wants_arn(request) {
        return None;
    }
    Some(Box::new(move |response| {
        replace(response, &existing.subscription_arn, "pending confirmation");
    }))
}

/// Whether a URL leads to this machine.
fn local(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

fn wants_arn(request: &AwsRequest) -> bool {
    parameter(request, "ReturnSubscriptionArn") == "true"
}

fn replace(response: &mut AwsResponse, from: &str, to: &str) {
    if let fakecloud_core::service::ResponseBody::Bytes(body) = &response.body {
        response.body = String::from_utf8_lossy(body).replace(from, to).into();
    }
}

/// Whether two attribute values are the same, whatever the layout of a document.
pub(super) fn same(live: &str, wanted: &str) -> bool {
    if live == wanted {
        return true;
    }
    let parse = serde_json::from_str::<serde_json::Value>;
    matches!((parse(live), parse(wanted)), (Ok(live), Ok(wanted)) if live == wanted)
}

fn parameter(request: &AwsRequest, name: &str) -> String {
    request.query_params.get(name).cloned().unwrap_or_default()
}

/// The members of a map in the query protocol.
fn entries(request: &AwsRequest, name: &str) -> BTreeMap<String, String> {
    pairs(request, &format!("{name}.entry"), "key", "value")
}

fn tags(request: &AwsRequest) -> BTreeMap<String, String> {
    pairs(request, "Tags.member", "Key", "Value")
}

fn pairs(request: &AwsRequest, list: &str, key: &str, value: &str) -> BTreeMap<String, String> {
    let member = |number: usize, part: &str| {
        request.query_params.get(&format!("{list}.{number}.{part}")).cloned()
    };
    (1..)
        .map_while(|number| Some((member(number, key)?, member(number, value).unwrap_or_default())))
        .collect()
}
