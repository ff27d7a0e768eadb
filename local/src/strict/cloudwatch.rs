//! What CloudWatch refuses of alarms, and what goes with one (CloudWatch API reference, `PutMetricAlarm`, `DeleteAlarms`,
//! `ListTagsForResource`).

use std::sync::Arc;

use fakecloud_core::service::{AwsRequest, AwsServiceError};
use http::StatusCode;

use super::{Check, Then, refused};
use crate::world::World;

/// Actions of one state of an alarm.
const ACTIONS_MAX: usize = 5;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The strictness of alarms.
pub(crate) struct Alarms(pub(crate) Arc<World>);

impl Check for Alarms {
    fn before(&self, request: &mut AwsRequest) -> Result<Then, AwsServiceError> {
        match request.action.as_str() {
            "PutMetricAlarm" => valid(request).map(|()| None),
            "DeleteAlarms" => self.deleted(request),
            "TagResource" | "UntagResource" | "ListTagsForResource" => {
                self.exists(request).map(|()| None)
            }
            _ => Ok(None),
        }
    }
}

impl Alarms {
    /// Of several names, one that is not there fails the call, and none is deleted. Tags go with their alarm.
    fn deleted(&self, request: &AwsRequest) -> Result<Then, AwsServiceError> {
        let names = members(request, "AlarmNames");
        for name in &names {
            if !self.is_there(request, name) {
                return Err(AwsServiceError::aws_error(
                    StatusCode::NOT_FOUND,
                    "ResourceNotFound",
                    format!("Alarm {name} not found"),
                ));
            }
        }
        let (world, account, region) =
            (Arc::clone(&self.0), request.account_id.clone(), request.region.clone());
        Ok(Some(Box::new(move |_| {
            let mut accounts = world.cloudwatch.write();
            let state = accounts.get_or_create(&account);
            for name in names {
                state.tags.remove(&fakecloud_cloudwatch::alarm_arn(&region, &account, &name));
            }
        })))
    }

    fn is_there(&self, request: &AwsRequest, name: &str) -> bool {
        let accounts = self.0.cloudwatch.read();
        let Some(state) = accounts.get(&request.account_id) else { return false };
        state.alarms_in(&request.region).is_some_and(|alarms| alarms.contains_key(name))
            || state.composite_alarms_in(&request.region).is_some_and(|all| all.contains_key(name))
    }

    fn exists(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let arn = request.query_params.get("ResourceARN").cloned().unwrap_or_default();
        match arn.split_once(":alarm:") {
            Some((_, name)) if !self.is_there(request, name) => Err(AwsServiceError::aws_error(
                StatusCode::NOT_FOUND,
                "ResourceNotFoundException",
                format!("{arn} does not exist"),
            )),
            _ => Ok(()),
        }
    }
}

fn valid(request: &AwsRequest) -> Result<(), AwsServiceError> {
    let has = |name: &str| request.query_params.contains_key(name);
    let number = |name: &str| request.query_params.get(name).and_then(|it| it.parse::<i64>().ok());
    let wrong = |message: &str| Err(refused("ValidationError", message));
    if !has("EvaluationPeriods") || !has("ComparisonOperator") {
        return wrong("EvaluationPeriods and ComparisonOperator are required");
    }
    if has("MetricName") == has("Metrics.member.1.Id") {
        return wrong("Exactly one of MetricName and Metrics must be given");
    }
    if has("MetricName") && !(has("Namespace") && has("Period")) {
        return wrong("Namespace and Period are required with MetricName");
    }
    if has("MetricName") && has("Statistic") == has("ExtendedStatistic") {
        return wrong("Exactly one of Statistic and ExtendedStatistic must be given");
    }
    if has("Threshold") == has("ThresholdMetricId") {
        return wrong("Exactly one of Threshold and ThresholdMetricId must be given");
    }
    for state in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
        if members(request, state).len() > ACTIONS_MAX {
            return wrong("A maximum of 5 actions can be specified for a state");
        }
    }
    let periods = number("EvaluationPeriods").unwrap_or(0);
    if number("DatapointsToAlarm").is_some_and(|points| points > periods) {
        return wrong("DatapointsToAlarm cannot be greater than EvaluationPeriods");
    }
    if let Some(period) = number("Period") {
        if !matches!(period, 10 | 20 | 30) && (period <= 0 || period % 60 != 0) {
            return wrong("Period must be 10, 20, 30 or a multiple of 60");
        }
        if period * periods > if period >= HOUR { 7 * DAY } else { DAY } {
            return wrong(
                "Metrics cannot be checked across more than a day (7 days for periods of an hour or more)",
            );
        }
    }
    one_result(request)
}

/// Of the queries, one gives the value that is compared; beside it the band may be returned.
fn one_result(request: &AwsRequest) -> Result<(), AwsServiceError> {
    let band = request.query_params.get("ThresholdMetricId");
    let mut results = 0;
    for place in 1.. {
        let of = |name: &str| request.query_params.get(&format!("Metrics.member.{place}.{name}"));
        let Some(id) = of("Id") else { break };
        if of("ReturnData").is_none_or(|it| it == "true") && Some(id) != band {
            results += 1;
        }
    }
    match results == 1 || !request.query_params.contains_key("Metrics.member.1.Id") {
        true => Ok(()),
        false => Err(refused(
            "ValidationError",
            "Exactly one element of the metrics list should return data",
        )),
    }
}

fn members(request: &AwsRequest, list: &str) -> Vec<String> {
    let member = |place| request.query_params.get(&format!("{list}.member.{place}")).cloned();
    (1..).map_while(member).collect()
}
