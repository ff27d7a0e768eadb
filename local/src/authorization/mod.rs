//! Which permissions a request needs, for the services whose crate does not say: actions, resources and condition keys
//! as AWS's service authorization reference lists them. The dispatcher evaluates them.

#![expect(clippy::disallowed_types, reason = "the crates' own types; nothing iterates over them")]

mod route53;
mod smaller_services;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use fakecloud_core::auth::IamAction;
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsService, AwsServiceError};
use parking_lot::Mutex;
use serde_json::Value;

use crate::call;
use crate::world::World;

/// The permissions one service asks for.
pub(crate) trait Rules: Send + Sync {
    /// What a request needs; all of it must be allowed. Empty: nothing can allow it.
    fn needs(&self, world: &World, request: &AwsRequest) -> Vec<Need>;

    /// The condition keys that a request carries.
    fn keys(&self, _request: &AwsRequest) -> BTreeMap<String, Vec<String>> {
        BTreeMap::new()
    }

    /// The tags of a resource.
    fn tags(&self, _world: &World, _arn: &str) -> Option<BTreeMap<String, String>> {
        None
    }

    /// The tags that a request gives.
    fn given(&self, request: &AwsRequest) -> Option<BTreeMap<String, String>> {
        Some(tag_list(&request.json_body()["Tags"]))
    }
}

/// One permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    action: String,
    resource: String,
}

impl Need {
    pub(crate) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into() }
    }
}

/// A service with its rules.
struct Enforced<S> {
    world: Arc<World>,
    service: S,
    rules: &'static dyn Rules,
}

/// The service, asking for the permissions AWS would ask for.
pub(crate) fn enforced<S: AwsService + 'static>(
    world: &Arc<World>,
    service: S,
) -> Arc<dyn AwsService> {
    let rules: &'static dyn Rules = match service.service_name() {
        "route53" => &route53::Route53,
        "ssm" => &smaller_services::Parameters,
        "monitoring" => &smaller_services::CloudWatch,
        "servicequotas" => &smaller_services::Quotas,
        "secretsmanager" => &smaller_services::Secrets,
        "events" => &smaller_services::Events,
        "firehose" => &smaller_services::Firehose,
        _ => &smaller_services::Anything,
    };
    Arc::new(Enforced { world: Arc::clone(world), service, rules })
}

#[async_trait]
impl<S: AwsService> AwsService for Enforced<S> {
    fn service_name(&self) -> &str {
        self.service.service_name()
    }

    async fn handle(&self, request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        self.service.handle(request).await
    }

    fn supported_actions(&self) -> &[&str] {
        self.service.supported_actions()
    }

    fn iam_enforceable(&self) -> bool {
        true
    }

    fn iam_actions_for(&self, request: &AwsRequest) -> Vec<IamAction> {
        let service = interned(call::prefix(self.service_name()));
        let permission = |need: Need| IamAction {
            service,
            action: interned(&need.action),
            resource: need.resource,
        };
        self.rules.needs(&self.world, request).into_iter().map(permission).collect()
    }

    fn iam_condition_keys_for(
        &self,
        request: &AwsRequest,
        _action: &IamAction,
    ) -> BTreeMap<String, Vec<String>> {
        self.rules.keys(request)
    }

    fn resource_tags_for(&self, arn: &str) -> Option<HashMap<String, String>> {
        Some(self.rules.tags(&self.world, arn)?.into_iter().collect())
    }

    fn request_tags_from(
        &self,
        request: &AwsRequest,
        _action: &str,
    ) -> Option<HashMap<String, String>> {
        Some(self.rules.given(request)?.into_iter().collect())
    }
}

/// The dispatcher wants names that live for ever. There are only as many as services have operations.
fn interned(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock();
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(name);
    name
}

/// An ARN in the request's Region and account.
pub(crate) fn arn(request: &AwsRequest, service: &str, resource: &str) -> String {
    fakecloud_aws::arn::Arn::regional(service, &request.region, &request.account_id, resource)
        .to_string()
}

/// Tags as a list of keys and values.
pub(crate) fn tag_list(tags: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    tags.as_array()
        .into_iter()
        .flatten()
        .filter_map(|tag| Some((text(&tag["Key"])?, text(&tag["Value"]).unwrap_or_default())))
        .collect()
}

/// The texts of a list.
pub(crate) fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
