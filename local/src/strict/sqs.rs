//! SQS as strict as AWS: a queue cannot be created again with other attributes nor within a minute of its deletion,
//! and attribute values have bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use fakecloud_core::auth::IamAction;
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsServiceError};
use serde_json::Value;

use super::policy::{self, Subject};
use super::queue_attributes;
use super::sns::same;
use super::{Check, Then, refused, tagging};
use crate::world::World;

/// How long a deleted queue's name stays taken.
const GONE: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// The check in front of SQS.
pub(crate) struct Queues(pub(crate) Arc<World>);

impl Check for Queues {
    fn before(&self, request: &mut AwsRequest) -> Result<Then, AwsServiceError> {
        match request.action.as_str() {
            "CreateQueue" => self.create(request).map(|()| None),
            "SetQueueAttributes" => {
                let url = body(request)["QueueUrl"].as_str().unwrap_or_default().to_owned();
                self.attributes(&arn(request, name_of(&url)), &attributes(request)).map(|()| None)
            }
            "DeleteQueue" => Ok(Some(Box::new(self.deleted(request)))),
            _ => Ok(None),
        }
    }

    fn also(&self, request: &AwsRequest, needed: &[IamAction]) -> Vec<IamAction> {
        tagging(request, needed, "CreateQueue", "TagQueue").into_iter().collect()
    }
}

impl Queues {
    fn create(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let name = body(request)["QueueName"].as_str().unwrap_or_default().to_owned();
        let (arn, wanted) = (arn(request, &name), attributes(request));
        self.attributes(&arn, &wanted)?;
        let queue = self.0.sqs.read().by_arn(&arn).and_then(|state| {
            state
                .queues
                .values()
                .find(|queue| queue.queue_name == name)
                .map(|queue| queue.attributes.clone())
        });
        if let Some(live) = queue {
            let other = wanted
                .iter()
                .find(|(name, value)| !same(live.get(*name).map_or("", String::as_str), value));
            if let Some((attribute, _)) = other {
                return Err(refused(
                    if request.is_query_protocol {
                        "QueueAlreadyExists"
                    } else {
                        "QueueNameExists"
                    },
                    format!(
                        "A queue already exists with the same name and a different value for attribute {attribute}"
                    ),
                ));
            }
            return Ok(());
        }
        let deleted = self.0.memory.read().deleted_queues.get(&arn).copied();
        if deleted.is_some_and(|deleted| self.0.clock.now() - deleted < GONE) {
            return Err(refused(
                if request.is_query_protocol {
                    "AWS.SimpleQueueService.QueueDeletedRecently"
                } else {
                    "QueueDeletedRecently"
                },
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            ));
        }
        Ok(())
    }

    fn attributes(
        &self,
        arn: &str,
        wanted: &BTreeMap<String, String>,
    ) -> Result<(), AwsServiceError> {
        for (name, value) in wanted {
            if let Some((code, message)) = queue_attributes::problem(name, value) {
                return Err(refused(code, message));
            }
            if name == "Policy"
                && !value.is_empty()
                && policy::problem(&self.0, &Subject { service: "sqs", resource: arn }, value)
                    .is_some()
            {
                return Err(refused(
                    "InvalidAttributeValue",
                    "Invalid value for the parameter Policy.",
                ));
            }
        }
        let managed = wanted.get("SqsManagedSseEnabled").is_some_and(|value| value == "true");
        if managed && wanted.get("KmsMasterKeyId").is_some_and(|key| !key.is_empty()) {
            return Err(refused(
                "InvalidAttributeValue",
                "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
            ));
        }
        Ok(())
    }

    /// What to note once the queue is gone.
    fn deleted(&self, request: &AwsRequest) -> impl FnOnce(&mut AwsResponse) + Send + use<> {
        let url = body(request)["QueueUrl"].as_str().unwrap_or_default().to_owned();
        let (world, arn) = (Arc::clone(&self.0), arn(request, name_of(&url)));
        move |_| {
            let now = world.clock.now();
            let mut memory = world.memory.write();
            memory.deleted_queues.retain(|_, deleted| now - *deleted < GONE);
            memory.deleted_queues.insert(arn, now);
        }
    }
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

fn arn(request: &AwsRequest, name: &str) -> String {
    fakecloud_aws::arn::Arn::regional("sqs", &request.region, &request.account_id, name).to_string()
}

/// The request's members, whichever protocol it came in.
fn body(request: &AwsRequest) -> Value {
    if !request.is_query_protocol {
        return request.json_body();
    }
    request
        .query_params
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(value.clone())))
        .collect()
}

fn attributes(request: &AwsRequest) -> BTreeMap<String, String> {
    if let Some(members) = request.json_body()["Attributes"].as_object() {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        return members
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
            .collect();
    }
    let member = |number: usize, part: &str| {
        request.query_params.get(&format!("Attribute.{number}.{part}")).cloned()
    };
    (1..).map_while(|number| Some((member(number, "Name")?, member(number, "Value")?))).collect()
}
