//! The permissions of the services of which sesinfra uses little.

use std::collections::BTreeMap;

use fakecloud_core::service::AwsRequest;
use serde_json::Value;

use super::{Need, Rules, arn, tag_list, texts};
use crate::world::World;

/// One need of the request's own action for each resource, or for `*` if there is none.
fn each(request: &AwsRequest, resources: Vec<String>) -> Vec<Need> {
    if resources.is_empty() {
        return vec![Need::new(&request.action, "*")];
    }
    resources.into_iter().map(|resource| Need::new(&request.action, resource)).collect()
}

fn text(body: &Value, name: &str) -> Option<String> {
    body[name].as_str().map(str::to_owned)
}

/// Services without resources of their own, such as the tagging API.
pub(super) struct Anything;

impl Rules for Anything {
    fn needs(&self, _world: &World, request: &AwsRequest) -> Vec<Need> {
        vec![Need::new(&request.action, "*")]
    }
}

/// SSM parameters.
pub(super) struct Parameters;

impl Rules for Parameters {
    fn needs(&self, _world: &World, request: &AwsRequest) -> Vec<Need> {
        let body = request.json_body();
        let mut names = texts(&body["Names"]);
        match request.action.as_str() {
            "AddTagsToResource" | "RemoveTagsFromResource" | "ListTagsForResource" => {
                names.extend(text(&body, "ResourceId"));
            }
            "GetParametersByPath" => names.extend(text(&body, "Path")),
            "DescribeParameters" => {}
            _ => names.extend(text(&body, "Name")),
        }
        let resource = |name: String| {
            if name.starts_with("arn:") {
                return name;
            }
            arn(request, "ssm", &format!("parameter/{}", name.trim_start_matches('/')))
        };
        let mut needs = each(request, names.iter().cloned().map(resource).collect());
        if request.action == "PutParameter" && !tag_list(&body["Tags"]).is_empty() {
            needs.extend(
                names.into_iter().map(|name| Need::new("AddTagsToResource", resource(name))),
            );
        }
        needs
    }

    fn tags(&self, world: &World, arn: &str) -> Option<BTreeMap<String, String>> {
        let accounts = world.ssm.read();
        let state = accounts.by_arn(arn)?;
        let name = arn.split_once(":parameter/")?.1;
        let parameter =
            state.parameters.get(name).or_else(|| state.parameters.get(&format!("/{name}")));
        Some(parameter.map(|parameter| parameter.tags.clone()).unwrap_or_default())
    }
}

/// Metrics and alarms.
pub(super) struct CloudWatch;

impl Rules for CloudWatch {
    fn needs(&self, _world: &World, request: &AwsRequest) -> Vec<Need> {
        // Both protocols arrive as flat parameters.
        let parameter = |name: &str| request.query_params.get(name).cloned();
        let members = |list: &str| {
            (1..)
                .map_while(|number| parameter(&format!("{list}.member.{number}")))
                .collect::<Vec<_>>()
        };
        let alarm = |name: String| arn(request, "cloudwatch", &format!("alarm:{name}"));
        match request.action.as_str() {
            "PutMetricAlarm" => {
                let alarms: Vec<_> = parameter("AlarmName").map(alarm).into_iter().collect();
                let mut needs = each(request, alarms.clone());
                if parameter("Tags.member.1.Key").is_some() {
                    needs.extend(alarms.into_iter().map(|alarm| Need::new("TagResource", alarm)));
                }
                needs
            }
            "DeleteAlarms" | "DescribeAlarms" | "EnableAlarmActions" | "DisableAlarmActions" => {
                each(request, members("AlarmNames").into_iter().map(alarm).collect())
            }
            "SetAlarmState" => {
                each(request, parameter("AlarmName").map(alarm).into_iter().collect())
            }
            "TagResource" | "UntagResource" | "ListTagsForResource" => {
                each(request, parameter("ResourceARN").into_iter().collect())
            }
            _ => each(request, Vec::new()),
        }
    }

    fn keys(&self, request: &AwsRequest) -> BTreeMap<String, Vec<String>> {
        let namespace = request.query_params.get("Namespace").cloned();
        namespace
            .into_iter()
            .map(|namespace| ("cloudwatch:namespace".to_owned(), vec![namespace]))
            .collect()
    }

    fn tags(&self, world: &World, arn: &str) -> Option<BTreeMap<String, String>> {
        let account = arn.split(':').nth(4)?;
        Some(
            world
                .cloudwatch
                .read()
                .get(account)
                .and_then(|state| state.tags.get(arn).cloned())
                .unwrap_or_default(),
        )
    }

    fn given(&self, request: &AwsRequest) -> Option<BTreeMap<String, String>> {
        let parameter = |number: usize, part: &str| {
            request.query_params.get(&format!("Tags.member.{number}.{part}"))
        };
        let pair =
            |number| Some((parameter(number, "Key")?.clone(), parameter(number, "Value")?.clone()));
        Some((1..).map_while(pair).collect())
    }
}

/// Service Quotas.
pub(super) struct Quotas;

impl Rules for Quotas {
    fn needs(&self, _world: &World, request: &AwsRequest) -> Vec<Need> {
        let body = request.json_body();
        let quota =
            || Some(format!("{}/{}", text(&body, "ServiceCode")?, text(&body, "QuotaCode")?));
        let resources = match request.action.as_str() {
            "RequestServiceQuotaIncrease" => {
                quota().map(|quota| arn(request, "servicequotas", &quota))
            }
            "TagResource" | "UntagResource" | "ListTagsForResource" => text(&body, "ResourceARN"),
            _ => None,
        };
        each(request, resources.into_iter().collect())
    }
}

/// Secrets.
pub(super) struct Secrets;

impl Rules for Secrets {
    fn needs(&self, world: &World, request: &AwsRequest) -> Vec<Need> {
        let body = request.json_body();
        let secret = |id: String| {
            let accounts = world.secrets.read();
            let secrets =
                accounts.regional(&request.account_id, &request.region).map(|state| &state.secrets);
            let mut found = secrets.into_iter().flat_map(BTreeMap::values);
            found.find(|one| one.name == id || one.arn == id).map_or_else(
                || arn(request, "secretsmanager", &format!("secret:{id}-??????")),
                |one| one.arn.clone(),
            )
        };
        each(
            request,
            text(&body, "SecretId")
                .or_else(|| text(&body, "Name"))
                .map(secret)
                .into_iter()
                .collect(),
        )
    }
}

/// Event buses and rules.
pub(super) struct Events;

impl Rules for Events {
    fn needs(&self, _world: &World, request: &AwsRequest) -> Vec<Need> {
        let body = request.json_body();
        let name = |member: &str| text(&body, member);
        let resource = match request.action.as_str() {
            "DescribeEventBus" | "CreateEventBus" | "DeleteEventBus" => {
                name("Name").map(|bus| format!("event-bus/{bus}"))
            }
            "PutRule" | "DescribeRule" | "DeleteRule" | "EnableRule" | "DisableRule" => {
                name("Name").map(|rule| format!("rule/{rule}"))
            }
            "PutTargets" | "RemoveTargets" | "ListTargetsByRule" => {
                name("Rule").map(|rule| format!("rule/{rule}"))
            }
            "TagResource" | "UntagResource" | "ListTagsForResource" => {
                return each(request, name("ResourceARN").into_iter().collect());
            }
            _ => None,
        };
        each(
            request,
            resource.map(|resource| arn(request, "events", &resource)).into_iter().collect(),
        )
    }
}

/// Firehose streams.
pub(super) struct Firehose;

impl Rules for Firehose {
    fn needs(&self, _world: &World, request: &AwsRequest) -> Vec<Need> {
        let stream = text(&request.json_body(), "DeliveryStreamName");
        let resource =
            stream.map(|stream| arn(request, "firehose", &format!("deliverystream/{stream}")));
        each(request, resource.into_iter().collect())
    }
}
