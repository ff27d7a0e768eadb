//! The sending quotas as Service Quotas has them, looked up by their names: what they are called by code is AWS's affair.

use std::collections::BTreeMap;

use super::{AwsError, Session, failed};

/// SES as Service Quotas calls it.
const SERVICE: &str = "ses";
/// The quota on messages in 24 hours, by its name.
const DAILY: &str = "Sending quota";
/// The quota on messages a second, by its name.
const PER_SECOND: &str = "Sending rate";

/// The two quotas on sending; `None` where Service Quotas knows none of that name here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SendingQuotas {
    /// On recipients in 24 hours.
    pub daily: Option<Quota>,
    /// On recipients a second.
    pub per_second: Option<Quota>,
}

/// One quota.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// Its code, by which more is asked for.
    pub code: String,
    /// The value that applies, as far as Service Quotas knows; what SES says of itself is nearer to the truth.
    pub value: f64,
    /// The metric that says how much of it is used, where there is one.
    pub usage: Option<UsageMetric>,
}

/// A metric that says how much of a quota is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageMetric {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// What is to be made of its values, as Service Quotas recommends.
    pub statistic: String,
}

/// Reads the sending quotas.
pub async fn sending_quotas(session: &Session) -> Result<SendingQuotas, AwsError> {
    let mut quotas = SendingQuotas::default();
    let mut pages =
        session.quotas().list_service_quotas().service_code(SERVICE).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed("servicequotas:ListServiceQuotas", SERVICE))?;
        for found in page.quotas.unwrap_or_default() {
            let place = match found.quota_name.as_deref() {
                Some(DAILY) => &mut quotas.daily,
                Some(PER_SECOND) => &mut quotas.per_second,
                _ => continue,
            };
            let (Some(code), Some(value)) = (found.quota_code, found.value) else { continue };
            *place = Some(Quota { code, value, usage: found.usage_metric.and_then(usage) });
        }
    }
    Ok(quotas)
}

fn usage(found: aws_sdk_servicequotas::types::MetricInfo) -> Option<UsageMetric> {
    Some(UsageMetric {
        namespace: found.metric_namespace?,
        name: found.metric_name?,
        dimensions: found.metric_dimensions.unwrap_or_default().into_iter().collect(),
        statistic: found.metric_statistic_recommendation?,
    })
}
