//! Between a spec and what CloudWatch takes and gives.
//!
//! Invariant: what CloudWatch leaves out of an answer is read as the default that it stands for.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric as SdkMetric, MetricAlarm, MetricDataQuery, MetricStat,
    StandardUnit, StateValue, Statistic, Tag,
};

use super::{Metric, Query, Spec, Texts};

/// The statistics that are no extended ones.
const PLAIN: [&str; 5] = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"];

/// The default of `TreatMissingData`.
const MISSING: &str = "missing";

/// A call with all of `spec`: what is left out, CloudWatch sets to its default.
pub(super) fn put(
    call: PutMetricAlarmFluentBuilder,
    name: &str,
    spec: &Spec,
) -> PutMetricAlarmFluentBuilder {
    let list = |arns: &BTreeSet<String>| Some(arns.iter().cloned().collect());
    let call = call
        .alarm_name(name)
        .set_alarm_description(spec.description.clone())
        .actions_enabled(spec.enabled)
        .set_alarm_actions(list(&spec.on_alarm))
        .set_ok_actions(list(&spec.on_ok))
        .set_insufficient_data_actions(list(&spec.on_no_data))
        .comparison_operator(ComparisonOperator::from(spec.comparison.as_str()))
        .set_threshold(spec.threshold)
        .set_threshold_metric_id(spec.band.clone())
        .evaluation_periods(spec.periods)
        .datapoints_to_alarm(spec.datapoints)
        .treat_missing_data(&spec.missing)
        .set_evaluate_low_sample_count_percentile(spec.low_samples.clone());
    let call = match &spec.metric {
        Some(metric) => single(call, metric),
        None => call,
    };
    match spec.queries.is_empty() {
        true => call,
        false => call.set_metrics(Some(spec.queries.iter().map(query).collect())),
    }
}

fn single(call: PutMetricAlarmFluentBuilder, metric: &Metric) -> PutMetricAlarmFluentBuilder {
    let call = call
        .namespace(&metric.namespace)
        .metric_name(&metric.name)
        .set_dimensions(Some(dimensions(&metric.dimensions)))
        .period(metric.period)
        .set_unit(metric.unit.as_deref().map(StandardUnit::from));
    if PLAIN.contains(&metric.statistic.as_str()) {
        call.statistic(Statistic::from(metric.statistic.as_str()))
    } else {
        call.extended_statistic(&metric.statistic)
    }
}

fn dimensions(of: &Texts) -> Vec<Dimension> {
    of.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build()).collect()
}

fn query(query: &Query) -> MetricDataQuery {
    let stat = query.metric.as_ref().map(|metric| {
        let of = SdkMetric::builder()
            .namespace(&metric.namespace)
            .metric_name(&metric.name)
            .set_dimensions(Some(dimensions(&metric.dimensions)))
            .build();
        MetricStat::builder()
            .metric(of)
            .period(metric.period)
            .stat(&metric.statistic)
            .set_unit(metric.unit.as_deref().map(StandardUnit::from))
            .build()
    });
    MetricDataQuery::builder()
        .id(&query.id)
        .set_metric_stat(stat)
        .set_expression(query.expression.clone())
        .set_label(query.label.clone())
        .return_data(query.result)
        .set_period(query.period)
        .set_account_id(query.account.clone())
        .build()
}

/// An alarm as it would be declared.
pub(super) fn spec_of(alarm: &MetricAlarm, tags: Texts) -> Spec {
    let periods = alarm.evaluation_periods.unwrap_or(1);
    let set = |arns: &Option<Vec<String>>| arns.iter().flatten().cloned().collect();
    Spec {
        description: text(alarm.alarm_description.as_deref()),
        metric: alarm.metric_name.as_ref().map(|name| Metric {
            namespace: alarm.namespace.clone().unwrap_or_default(),
            name: name.clone(),
            dimensions: texts(alarm.dimensions.as_deref()),
            statistic: alarm
                .statistic
                .as_ref()
                .map(|statistic| statistic.as_str().to_owned())
                .or_else(|| alarm.extended_statistic.clone())
                .unwrap_or_default(),
            period: alarm.period.unwrap_or_default(),
            unit: alarm.unit.as_ref().map(|unit| unit.as_str().to_owned()),
        }),
        queries: alarm.metrics.iter().flatten().map(query_of).collect(),
        comparison: alarm
            .comparison_operator
            .as_ref()
            .map(|comparison| comparison.as_str().to_owned())
            .unwrap_or_default(),
        threshold: alarm.threshold,
        band: text(alarm.threshold_metric_id.as_deref()),
        periods,
        datapoints: alarm.datapoints_to_alarm.unwrap_or(periods),
        missing: text(alarm.treat_missing_data.as_deref()).unwrap_or_else(|| MISSING.to_owned()),
        // Judging them is what happens without a word as well.
        low_samples: text(alarm.evaluate_low_sample_count_percentile.as_deref())
            .filter(|word| word != "evaluate"),
        enabled: alarm.actions_enabled.unwrap_or(true),
        on_alarm: set(&alarm.alarm_actions),
        on_ok: set(&alarm.ok_actions),
        on_no_data: set(&alarm.insufficient_data_actions),
        tags,
    }
}

fn query_of(query: &MetricDataQuery) -> Query {
    let metric = query.metric_stat.as_ref().map(|stat| {
        let metric = stat.metric.clone().unwrap_or_else(|| SdkMetric::builder().build());
        Metric {
            namespace: metric.namespace.unwrap_or_default(),
            name: metric.metric_name.unwrap_or_default(),
            dimensions: texts(metric.dimensions.as_deref()),
            statistic: stat.stat.clone().unwrap_or_default(),
            period: stat.period.unwrap_or_default(),
            unit: stat.unit.as_ref().map(|unit| unit.as_str().to_owned()),
        }
    });
    Query {
        id: query.id.clone().unwrap_or_default(),
        metric,
        expression: text(query.expression.as_deref()),
        label: text(query.label.as_deref()),
        // Left out, a query's values are returned.
        result: query.return_data.unwrap_or(true),
        period: query.period,
        account: text(query.account_id.as_deref()),
    }
}

/// What there is to say of an alarm that is off or cannot tell.
pub(super) fn notes(alarm: &MetricAlarm) -> Vec<String> {
    match &alarm.state_value {
        Some(StateValue::Alarm) => {
            let reason = alarm.state_reason.as_deref().unwrap_or_default();
            vec![format!("has gone off: {reason}")]
        }
        _ => Vec::new(),
    }
}

fn texts(dimensions: Option<&[Dimension]>) -> BTreeMap<String, String> {
    let pair = |it: &Dimension| Some((it.name.clone()?, it.value.clone().unwrap_or_default()));
    dimensions.into_iter().flatten().filter_map(pair).collect()
}

fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

pub(super) fn tags(of: &Texts) -> Vec<Tag> {
    of.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
