//! What the kind `alarm` needs to be allowed, and which inputs of CloudWatch it manages.

use super::Alarm;
use crate::kinds::{Documented, Input, Permission, Phase, Scope};

impl Documented for Alarm {
    const PERMISSIONS: &'static [Permission] = &[
        Permission { action: "tag:GetResources", resource: Scope::Everything, phase: Phase::Plan },
        on_alarm("cloudwatch:DescribeAlarms", Phase::Plan),
        on_alarm("cloudwatch:ListTagsForResource", Phase::Plan),
        on_alarm("cloudwatch:PutMetricAlarm", Phase::Apply),
        on_alarm("cloudwatch:DeleteAlarms", Phase::Apply),
        on_alarm("cloudwatch:TagResource", Phase::Apply),
        on_alarm("cloudwatch:UntagResource", Phase::Apply),
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "PutMetricAlarm",
            service: "cloudwatch",
            managed: &[
                "alarm_name",
                "alarm_description",
                "actions_enabled",
                "ok_actions",
                "alarm_actions",
                "insufficient_data_actions",
                "metric_name",
                "namespace",
                "statistic",
                "extended_statistic",
                "dimensions.name",
                "dimensions.value",
                "period",
                "unit",
                "evaluation_periods",
                "datapoints_to_alarm",
                "threshold",
                "comparison_operator",
                "treat_missing_data",
                "evaluate_low_sample_count_percentile",
                "metrics.id",
                "metrics.metric_stat.metric.namespace",
                "metrics.metric_stat.metric.metric_name",
                "metrics.metric_stat.metric.dimensions.name",
                "metrics.metric_stat.metric.dimensions.value",
                "metrics.metric_stat.period",
                "metrics.metric_stat.stat",
                "metrics.metric_stat.unit",
                "metrics.expression",
                "metrics.label",
                "metrics.return_data",
                "metrics.period",
                "metrics.account_id",
                "tags",
                "threshold_metric_id",
            ],
            excluded: &[
                ("evaluation_window", "a sliding window is the default and serves mail best"),
                ("warm_up_configuration", "what missing values mean is said by `missing` instead"),
                ("evaluation_criteria", "belongs to alarms on PromQL, not on SES's metrics"),
                ("evaluation_interval", "belongs to alarms on PromQL, not on SES's metrics"),
                ("action_configuration", "tags in notifications are of no use to whoever is woken"),
            ],
        },
        Input {
            operation: "DeleteAlarms",
            service: "cloudwatch",
            managed: &["alarm_names"],
            excluded: &[],
        },
        Input {
            operation: "TagResource",
            service: "cloudwatch",
            managed: &["resource_arn", "tags"],
            excluded: &[],
        },
        Input {
            operation: "UntagResource",
            service: "cloudwatch",
            managed: &["resource_arn", "tag_keys"],
            excluded: &[],
        },
    ];
}

const fn on_alarm(action: &'static str, phase: Phase) -> Permission {
    Permission { action, resource: Scope::Alarm, phase }
}
