//! The alarms: a pack for what goes wrong with mail, and those that the file adds.
//!
//! Invariant: every alarm says what missing values mean. Where no value means that nothing happened, it is no trouble;
//! where it means that mail has stopped, it is; and a rate that SES computes now and then stays what it was.

use std::collections::BTreeSet;

use super::Draft;
use super::ignored::of_alarm;
use super::messaging::{all_tags, dead_letter_name, topic_address};
use crate::aws::{Arns, Facts, Quota};
use crate::engine::Address;
use crate::environment::Environment;
use crate::environment::names::{AlarmAction, QueueReference, TopicName, TopicReference};
use crate::environment::types::{
    Alarm, AlarmField, Alarms, Comparison, LowSamples, Metric, MissingData, PackAlarm, Query,
    QuerySource, Settings, Watched,
};
use crate::kinds::alarm;

const AFTER_TOPIC: &str = "an alarm that goes off before its topic is there tells nobody";

/// What SES counts is in this namespace; without dimensions it is of the whole account and Region.
const SES: &str = "AWS/SES";
const MINUTES_5: i32 = 300;
const HOUR: i32 = 3_600;
const DAY: i32 = 86_400;

/// Adds them to `into`.
pub(super) fn alarms(environment: &Environment, facts: &Facts, into: &mut Draft) {
    let settings = &environment.settings;
    let Some(declared) = &settings.alarms else { return };
    let arns = &facts.arns;
    for (which, name, spec) in pack(settings, declared, facts) {
        if !declared.without.contains(&which) {
            let name = format!("{}-{}-{name}", settings.project, environment.name);
            add(settings, arns, name, (&spec, &declared.ignore), into);
        }
    }
    for (name, custom) in &declared.custom {
        let spec = custom_spec(settings, declared, custom, arns);
        add(settings, arns, name.to_string(), (&spec, &custom.ignore), into);
    }
}

fn add(
    settings: &Settings,
    arns: &Arns,
    name: String,
    (spec, ignore): (&alarm::Spec, &BTreeSet<AlarmField>),
    into: &mut Draft,
) {
    let Some(resource) = into.resource(Address::new("alarm", name), spec) else { return };
    let mut resource = resource.ignoring(ignore.iter().map(|field| of_alarm(*field).to_owned()));
    let actions = spec.on_alarm.iter().chain(&spec.on_ok).chain(&spec.on_no_data);
    for topic in settings.topics.keys() {
        let arn = arns.topic(topic.as_str());
        if actions.clone().any(|action| *action == arn) {
            resource = resource.after(topic_address(topic), AFTER_TOPIC);
        }
    }
    into.add(resource);
}

/// Whether an alarm of the file publishes to this topic.
pub(super) fn use_topic(settings: &Settings, topic: &TopicName) -> bool {
    settings.alarms.as_ref().is_some_and(|alarms| {
        let named = |actions: &BTreeSet<AlarmAction>| {
            actions.iter().any(|action| matches!(action, AlarmAction::Topic(name) if name == topic))
        };
        alarms.topic.named() == Some(topic)
            || alarms.custom.values().any(|alarm| {
                alarm.on_alarm.as_ref().is_some_and(named)
                    || alarm.on_ok.as_ref().is_some_and(named)
                    || named(&alarm.on_no_data)
            })
    })
}

fn topic_arn(arns: &Arns, topic: &TopicReference) -> String {
    match topic {
        TopicReference::Named(name) => arns.topic(name.as_str()),
        TopicReference::Elsewhere(arn) => arn.to_string(),
    }
}

/// An alarm of the pack: which it is, the end of its name, and what it is.
type Packed = (PackAlarm, String, alarm::Spec);

fn pack(settings: &Settings, declared: &Alarms, facts: &Facts) -> Vec<Packed> {
    let base =
        |metric: Option<alarm::Metric>, threshold: f64, missing: &str, says: String| alarm::Spec {
            description: Some(says),
            metric,
            queries: Vec::new(),
            comparison: comparison(Comparison::AtLeast).to_owned(),
            threshold: Some(threshold),
            band: None,
            periods: 1,
            datapoints: 1,
            missing: missing.to_owned(),
            low_samples: None,
            enabled: true,
            on_alarm: BTreeSet::from([topic_arn(&facts.arns, &declared.topic)]),
            on_ok: BTreeSet::from([topic_arn(&facts.arns, &declared.topic)]),
            on_no_data: BTreeSet::new(),
            tags: all_tags(settings, &settings.tags),
        };
    let mut pack = Vec::new();
    pack.extend(rates(declared, &base));
    pack.extend(counts(declared, &base));
    pack.push(silence(declared, &base));
    pack.extend(facts.daily_quota.as_ref().map(|quota| share(declared, quota, &base)));
    for queue in dead_letter_queues(settings) {
        let mut metric = ses("ApproximateNumberOfMessagesVisible", "Maximum", MINUTES_5);
        "AWS/SQS".clone_into(&mut metric.namespace);
        metric.dimensions.insert("QueueName".to_owned(), queue.clone());
        let says =
            format!("Nobody could handle these messages: read and redrive the queue {queue}");
        // An empty queue that nobody uses has no values.
        let spec = base(Some(metric), f64::from(declared.dead_letters), NOT_BREACHING, says);
        pack.push((PackAlarm::DeadLetters, format!("dead-letter-{queue}"), spec));
    }
    pack
}

const NOT_BREACHING: &str = "notBreaching";

/// Makes an alarm of the pack from its metric, its threshold, what missing values mean, and what it says.
type Base<'a> = &'a dyn Fn(Option<alarm::Metric>, f64, &str, String) -> alarm::Spec;

/// SES computes the rates over a volume of mail that it takes for representative, not over a time, and gives a value when
/// it has one (developer guide, "Creating reputation monitoring alarms"): between two, the last one holds.
fn rates(declared: &Alarms, base: Base<'_>) -> Vec<Packed> {
    let rate =
        |which, name: &str, metric, share: crate::environment::names::Percent, says: &str| {
            let metric = ses(metric, "Average", HOUR);
            let spec = base(Some(metric), share.fraction(), "ignore", says.to_owned());
            (which, name.to_owned(), spec)
        };
    vec![
        rate(
            PackAlarm::BounceRate,
            "bounce-rate",
            "Reputation.BounceRate",
            declared.bounce_rate,
            "AWS reviews accounts with this bounce rate from 5% on, and may pause them from 10% on: stop mail to bad addresses",
        ),
        rate(
            PackAlarm::BounceRateWarning,
            "bounce-rate-warning",
            "Reputation.BounceRate",
            declared.bounce_rate_warning,
            "More mail bounces than usual: look for a list of bad addresses before AWS does",
        ),
        rate(
            PackAlarm::ComplaintRate,
            "complaint-rate",
            "Reputation.ComplaintRate",
            declared.complaint_rate,
            "AWS reviews accounts with this complaint rate from 0.1% on, and may pause them from 0.5% on: find out what readers do not want",
        ),
        rate(
            PackAlarm::ComplaintRateWarning,
            "complaint-rate-warning",
            "Reputation.ComplaintRate",
            declared.complaint_rate_warning,
            "More readers complain than usual: find out about what before AWS does",
        ),
    ]
}

/// What SES counts only when it happens: no value, nothing happened.
fn counts(declared: &Alarms, base: Base<'_>) -> Vec<Packed> {
    let count = |which, name: &str, metric, most: u32, says: &str| {
        let metric = ses(metric, "Sum", MINUTES_5);
        (
            which,
            name.to_owned(),
            base(Some(metric), f64::from(most), NOT_BREACHING, says.to_owned()),
        )
    };
    vec![
        count(
            PackAlarm::Rejects,
            "rejects",
            "Reject",
            declared.rejects,
            "SES found a virus in mail of ours and did not send it: find out where it came from",
        ),
        count(
            PackAlarm::RenderingFailures,
            "rendering-failures",
            "RenderingFailure",
            declared.rendering_failures,
            "A template could not be filled in, so the mail was not sent: compare its variables with the data",
        ),
    ]
}

/// A paused account has no metric of its own; that nothing is sent any more has. Every hour of the time must be without.
fn silence(declared: &Alarms, base: Base<'_>) -> Packed {
    let hours = i32::try_from(declared.silence.seconds()).unwrap_or(DAY) / HOUR;
    let says = format!(
        "No mail was accepted for {}: sending may be paused, by the account, a set or AWS",
        declared.silence
    );
    let spec = base(Some(ses("Send", "Sum", HOUR)), 1.0, "breaching", says);
    let comparison = comparison(Comparison::Below).to_owned();
    let spec = alarm::Spec { comparison, periods: hours, datapoints: hours, ..spec };
    (PackAlarm::SendingPaused, "sending-paused".to_owned(), spec)
}

/// Service Quotas names the metric of what is used, and metric math knows the quota that applies at the moment, so that
/// the alarm follows when AWS raises it. Where there is no such metric, sends of a day are compared with the quota of now.
fn share(declared: &Alarms, quota: &Quota, base: Base<'_>) -> Packed {
    let says = "The daily sending quota is nearly used up, and mail beyond it is refused: see `sesinfra quota`";
    let part = declared.daily_quota.fraction();
    let spec = match &quota.usage {
        Some(usage) => {
            let used = alarm::Metric {
                namespace: usage.namespace.clone(),
                name: usage.name.clone(),
                dimensions: usage.dimensions.clone(),
                statistic: usage.statistic.clone(),
                period: MINUTES_5,
                unit: None,
            };
            let queries = vec![
                query("used", Some(used), None),
                query("share", None, Some("used / SERVICE_QUOTA(used)")),
            ];
            alarm::Spec { queries, ..base(None, part, NOT_BREACHING, says.to_owned()) }
        }
        None => {
            base(Some(ses("Send", "Sum", DAY)), part * quota.value, NOT_BREACHING, says.to_owned())
        }
    };
    (PackAlarm::DailyQuota, "daily-quota".to_owned(), spec)
}

fn query(id: &str, metric: Option<alarm::Metric>, expression: Option<&str>) -> alarm::Query {
    alarm::Query {
        id: id.to_owned(),
        result: expression.is_some(),
        metric,
        expression: expression.map(ToOwned::to_owned),
        label: None,
        period: None,
        account: None,
    }
}

fn ses(name: &str, statistic: &str, period: i32) -> alarm::Metric {
    alarm::Metric {
        namespace: SES.to_owned(),
        name: name.to_owned(),
        dimensions: std::collections::BTreeMap::new(),
        statistic: statistic.to_owned(),
        period,
        unit: None,
    }
}

/// The queues of this file that others put into what nobody could handle.
fn dead_letter_queues(settings: &Settings) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (name, queue) in &settings.queues {
        match queue.dead_letter.as_ref().map(|it| &it.queue) {
            Some(Some(QueueReference::Named(other))) => names.insert(other.to_string()),
            Some(None) => names.insert(dead_letter_name(name)),
            _ => false,
        };
    }
    let subscriptions = settings.topics.values().flat_map(|topic| &topic.subscriptions);
    let undelivered = subscriptions.filter_map(|it| it.dead_letter.as_ref()?.named());
    names.extend(undelivered.map(ToString::to_string));
    names
}

fn custom_spec(settings: &Settings, all: &Alarms, alarm: &Alarm, arns: &Arns) -> alarm::Spec {
    let default = || BTreeSet::from([topic_arn(arns, &all.topic)]);
    let actions = |actions: &BTreeSet<AlarmAction>| {
        let arn = |action: &AlarmAction| match action {
            AlarmAction::Topic(name) => arns.topic(name.as_str()),
            AlarmAction::Elsewhere(arn) => arn.to_string(),
        };
        actions.iter().map(arn).collect::<BTreeSet<String>>()
    };
    let (metric, queries) = match &alarm.watched {
        Watched::Metric(metric) => (Some(metric_spec(metric)), Vec::new()),
        Watched::Metrics(queries) => {
            (None, queries.iter().map(|query| query_spec(query, alarm)).collect())
        }
    };
    alarm::Spec {
        description: alarm.description.as_ref().map(ToString::to_string),
        metric,
        queries,
        comparison: comparison(alarm.comparison).to_owned(),
        threshold: alarm.threshold,
        band: alarm.band.as_ref().map(ToString::to_string),
        periods: i32::from(alarm.periods),
        datapoints: i32::from(alarm.datapoints.unwrap_or(alarm.periods)),
        missing: match alarm.missing {
            MissingData::Missing => "missing",
            MissingData::Breaching => "breaching",
            MissingData::NotBreaching => NOT_BREACHING,
            MissingData::Ignore => "ignore",
        }
        .to_owned(),
        low_samples: match alarm.low_samples {
            Some(LowSamples::Ignore) => Some("ignore".to_owned()),
            Some(LowSamples::Evaluate) | None => None,
        },
        enabled: alarm.enabled,
        on_alarm: alarm.on_alarm.as_ref().map_or_else(default, actions),
        on_ok: alarm.on_ok.as_ref().map_or_else(default, actions),
        on_no_data: actions(&alarm.on_no_data),
        tags: all_tags(settings, &alarm.tags),
    }
}

fn metric_spec(metric: &Metric) -> alarm::Metric {
    let dimensions = metric.dimensions.iter();
    alarm::Metric {
        namespace: metric.namespace.to_string(),
        name: metric.name.to_string(),
        dimensions: dimensions.map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        statistic: metric.statistic.to_string(),
        period: i32::try_from(metric.period.seconds()).unwrap_or(i32::MAX),
        unit: metric.unit.as_ref().map(ToString::to_string),
    }
}

fn query_spec(query: &Query, of: &Alarm) -> alarm::Query {
    let (metric, expression) = match &query.source {
        QuerySource::Metric(metric) => (Some(metric_spec(metric)), None),
        QuerySource::Expression(text) => (None, Some(text.to_string())),
    };
    alarm::Query {
        id: query.id.to_string(),
        metric,
        expression,
        label: query.label.as_ref().map(ToString::to_string),
        // CloudWatch wants the band returned beside what is compared with it.
        result: query.result || of.band.as_ref() == Some(&query.id),
        period: query.period.and_then(|period| i32::try_from(period.seconds()).ok()),
        account: query.account.as_ref().map(ToString::to_string),
    }
}

const fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::AtLeast => "GreaterThanOrEqualToThreshold",
        Comparison::Above => "GreaterThanThreshold",
        Comparison::Below => "LessThanThreshold",
        Comparison::AtMost => "LessThanOrEqualToThreshold",
        Comparison::OutsideBand => "LessThanLowerOrGreaterThanUpperThreshold",
        Comparison::AboveBand => "GreaterThanUpperThreshold",
        Comparison::BelowBand => "LessThanLowerThreshold",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::aws::UsageMetric;

    /// The alarm on the daily quota, where Service Quotas says this of its use.
    fn of_quota(usage: Option<UsageMetric>) -> alarm::Spec {
        let settings: Settings = serde_json::from_value(json!({
            "project": "pivot",
            "aws": { "account": "123456789012", "region": "us-east-1" },
            "topics": { "ops": {} },
            "alarms": { "topic": "ops", "daily_quota": "60%" },
        }))
        .unwrap();
        let quota = Quota { code: "L-1".to_owned(), value: 50_000.0, usage };
        let facts = Facts { daily_quota: Some(quota), ..Facts::of_an_empty_account() };
        let pack = pack(&settings, settings.alarms.as_ref().unwrap(), &facts);
        let found = pack.into_iter().find(|(which, ..)| *which == PackAlarm::DailyQuota);
        found.unwrap().2
    }

    #[test]
    fn without_a_usage_metric_the_sends_of_a_day_are_compared_with_the_quota_of_now() {
        let spec = of_quota(None);
        let metric = spec.metric.unwrap();
        assert_eq!((&metric.namespace[..], &metric.name[..]), (SES, "Send"));
        assert_eq!((&metric.statistic[..], metric.period), ("Sum", DAY));
        assert_eq!((spec.threshold, spec.queries.len()), (Some(30_000.0), 0));
    }

    #[test]
    fn with_one_the_share_follows_the_quota() {
        let spec = of_quota(Some(UsageMetric {
            namespace: "AWS/Usage".to_owned(),
            name: "ResourceCount".to_owned(),
            dimensions: BTreeMap::from([("Service".to_owned(), "SES".to_owned())]),
            statistic: "Maximum".to_owned(),
        }));
        assert_eq!((spec.metric, spec.threshold), (None, Some(0.6)));
        assert_eq!(spec.queries[0].metric.as_ref().unwrap().name, "ResourceCount");
        assert_eq!(spec.queries[1].expression.as_deref(), Some("used / SERVICE_QUOTA(used)"));
    }
}
