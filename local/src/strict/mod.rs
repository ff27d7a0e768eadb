//! What AWS refuses and the crates do not. A layer in front of a service looks at each request against the world and
//! refuses it with AWS's error, or lets it pass and remembers what later requests depend on.

#![expect(clippy::disallowed_types, reason = "the crates' own types; nothing iterates over them")]

pub(crate) mod cloudwatch;
pub(crate) mod iam;
pub(crate) mod policy;
pub(crate) mod queue_attributes;
pub(crate) mod records;
pub(crate) mod route53;
pub(crate) mod sns;
pub(crate) mod sqs;
mod topic_tags;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use fakecloud_core::auth::IamAction;
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsService, AwsServiceError};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::delivery;

/// What the layers remember from one request to the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// When a queue was deleted, by its ARN: its name stays taken for a while.
    pub deleted_queues: BTreeMap<String, DateTime<Utc>>,
    /// When a topic with tags was deleted, by its ARN: its tags linger for a while.
    pub deleted_topics: BTreeMap<String, DateTime<Utc>>,
    /// When the change of a hosted zone will be done, by the zone's id.
    pub zone_changes: BTreeMap<String, DateTime<Utc>>,
    /// When a change will be done, by its id.
    pub changes: BTreeMap<String, DateTime<Utc>>,
}

/// What is to happen once the service has done what it was asked.
pub(crate) type Then = Option<Box<dyn FnOnce(&mut AwsResponse) + Send>>;

/// The strictness of one service.
pub(crate) trait Check: Send + Sync {
    /// Refuses the request, or lets it pass.
    fn before(&self, request: &mut AwsRequest) -> Result<Then, AwsServiceError>;

    /// The permissions a request needs beside those the service itself asks for.
    fn also(&self, _request: &AwsRequest, _needed: &[IamAction]) -> Vec<IamAction> {
        Vec::new()
    }

    /// The topic that the request publishes to, on whose behalf deliveries are then made.
    fn publishes(&self, _request: &AwsRequest) -> Option<String> {
        None
    }
}

/// A service behind its check.
pub(crate) struct Checked<S, C> {
    service: S,
    check: C,
}

impl<S: AwsService, C: Check> Checked<S, C> {
    pub(crate) fn new(service: S, check: C) -> Self {
        Self { service, check }
    }
}

#[async_trait]
impl<S: AwsService, C: Check> AwsService for Checked<S, C> {
    fn service_name(&self) -> &str {
        self.service.service_name()
    }

    async fn handle(&self, mut request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        let then = self.check.before(&mut request)?;
        let topic = self.check.publishes(&request);
        let mut response = match topic {
            Some(topic) => delivery::from_topic(topic, self.service.handle(request)).await?,
            None => self.service.handle(request).await?,
        };
        if let Some(then) = then {
            then(&mut response);
        }
        Ok(response)
    }

    fn supported_actions(&self) -> &[&str] {
        self.service.supported_actions()
    }

    fn iam_enforceable(&self) -> bool {
        self.service.iam_enforceable()
    }

    fn iam_actions_for(&self, request: &AwsRequest) -> Vec<IamAction> {
        let mut needed = self.service.iam_actions_for(request);
        needed.extend(self.check.also(request, &needed));
        needed
    }

    fn iam_condition_keys_for(
        &self,
        request: &AwsRequest,
        action: &IamAction,
    ) -> BTreeMap<String, Vec<String>> {
        self.service.iam_condition_keys_for(request, action)
    }

    fn resource_tags_for(&self, arn: &str) -> Option<HashMap<String, String>> {
        self.service.resource_tags_for(arn)
    }

    fn request_tags_from(
        &self,
        request: &AwsRequest,
        action: &str,
    ) -> Option<HashMap<String, String>> {
        self.service.request_tags_from(request, action)
    }
}

/// The permission to tag what a request creates, if it brings tags.
pub(crate) fn tagging(
    request: &AwsRequest,
    needed: &[IamAction],
    create: &str,
    tag: &'static str,
) -> Option<IamAction> {
    let creating = needed.iter().find(|one| one.action == create)?;
    let tags = request.query_params.contains_key("Tags.member.1.Key")
        || request.query_params.contains_key("Tag.1.Key")
        || ["tags", "Tags"]
            .iter()
            .any(|name| request.json_body()[name].as_object().is_some_and(|tags| !tags.is_empty()));
    tags.then(|| IamAction { action: tag, ..creating.clone() })
}

/// An error with status 400.
pub(crate) fn refused(code: &str, message: impl Into<String>) -> AwsServiceError {
    AwsServiceError::aws_error(StatusCode::BAD_REQUEST, code, message)
}
