//! `[alarms]`: who is told when mail is in trouble, and when it counts as trouble.

use super::{AlarmField, Tags, on};
use crate::environment::names::{
    AccountId, AlarmAction, AlarmName, Description, MetricText, Percent, QueryId, Statistic,
    TimeSpan, TopicReference,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// CloudWatch alarms: a pack for what goes wrong with mail, named `PROJECT-ENVIRONMENT-...`, and any others.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alarms {
    /// Who is told when an alarm goes off and when it is over: a topic of this file, whose policy then lets CloudWatch
    /// publish, or the ARN of one.
    pub topic: TopicReference,

    /// The bounce rate of the account at which `bounce-rate` goes off. Left out: `5%`, where AWS reviews an account.
    #[serde(default = "Alarms::default_bounce_rate")]
    pub bounce_rate: Percent,

    /// The bounce rate at which `bounce-rate-warning` goes off, before AWS takes notice. Left out: `2.5%`.
    #[serde(default = "Alarms::default_bounce_rate_warning")]
    pub bounce_rate_warning: Percent,

    /// The complaint rate of the account at which `complaint-rate` goes off. Left out: `0.1%`, where AWS reviews an
    /// account.
    #[serde(default = "Alarms::default_complaint_rate")]
    pub complaint_rate: Percent,

    /// The complaint rate at which `complaint-rate-warning` goes off, before AWS takes notice. Left out: `0.05%`.
    #[serde(default = "Alarms::default_complaint_rate_warning")]
    pub complaint_rate_warning: Percent,

    /// The share of the daily sending quota at which `daily-quota` goes off. Left out: `80%`.
    #[serde(default = "Alarms::default_daily_quota")]
    pub daily_quota: Percent,

    /// How long no mail is accepted until `sending-paused` goes off, in whole hours: `1h` to `7d`. A pause has no metric
    /// of its own, so silence stands for it. Left out: `1d`.
    #[serde(default = "Alarms::default_silence")]
    pub silence: TimeSpan,

    /// How many messages in a dead-letter queue of this file set its `dead-letter-QUEUE` off. Left out: 1.
    #[serde(default = "Alarms::default_count")]
    #[schemars(range(min = 1))]
    pub dead_letters: u32,

    /// How many mails that SES rejects for a virus within five minutes set `rejects` off. Left out: 1.
    #[serde(default = "Alarms::default_count")]
    #[schemars(range(min = 1))]
    pub rejects: u32,

    /// How many mails whose template cannot be filled in within five minutes set `rendering-failures` off. Left out: 1.
    #[serde(default = "Alarms::default_count")]
    #[schemars(range(min = 1))]
    pub rendering_failures: u32,

    /// Alarms of the pack that are not wanted. Left out: all are.
    #[serde(default)]
    pub without: BTreeSet<PackAlarm>,

    /// Other alarms, by name: any that CloudWatch has. Left out: none.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "alarm-name" }))]
    pub custom: BTreeMap<AlarmName, Alarm>,

    /// Settings of every alarm of the pack that others may change, by the names they have under `custom`. A plan never
    /// shows them, and an update leaves them as they are. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<AlarmField>,
}

impl Alarms {
    const fn default_bounce_rate() -> Percent {
        Percent::from_millionths(50_000)
    }
    const fn default_bounce_rate_warning() -> Percent {
        Percent::from_millionths(25_000)
    }
    const fn default_complaint_rate() -> Percent {
        Percent::from_millionths(1_000)
    }
    const fn default_complaint_rate_warning() -> Percent {
        Percent::from_millionths(500)
    }
    const fn default_daily_quota() -> Percent {
        Percent::from_millionths(800_000)
    }
    const fn default_silence() -> TimeSpan {
        TimeSpan::from_seconds(86_400)
    }
    const fn default_count() -> u32 {
        1
    }
}

/// An alarm of the pack.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PackAlarm {
    /// The bounce rate is where AWS reviews an account.
    BounceRate,
    /// The bounce rate is on its way there.
    BounceRateWarning,
    /// The complaint rate is where AWS reviews an account.
    ComplaintRate,
    /// The complaint rate is on its way there.
    ComplaintRateWarning,
    /// The daily sending quota is nearly used up.
    DailyQuota,
    /// No mail is accepted any more.
    SendingPaused,
    /// There are messages in a dead-letter queue.
    DeadLetters,
    /// SES rejects mail for viruses.
    Rejects,
    /// Templates cannot be filled in.
    RenderingFailures,
}

/// Any CloudWatch alarm: what is watched (exactly one of `metric` and `metrics`), and when it goes off.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Alarm {
    /// What it means, for whoever is woken by it. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,

    /// What is watched.
    #[serde(flatten)]
    pub watched: Watched,

    /// How a value is compared with the threshold, or with the band, for it to go off.
    pub comparison: Comparison,

    /// The threshold. Not with a band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,

    /// The id of the query that gives the band of an anomaly detection. Left out: there is a threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<QueryId>,

    /// Over how many periods the latest values are judged. Left out: 1.
    #[serde(default = "Alarm::default_periods")]
    #[schemars(range(min = 1))]
    pub periods: u16,

    /// In how many of those periods the comparison must hold. Left out: in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub datapoints: Option<u16>,

    /// What periods without a value count as. Left out: `missing`, AWS's default.
    #[serde(default)]
    pub missing: MissingData,

    /// What is done with a percentile of too few values to mean something. Left out: it is judged all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_samples: Option<LowSamples>,

    /// Whether it does anything when it goes off. Left out: true.
    #[serde(default = "on")]
    pub enabled: bool,

    /// What happens when it goes off: topics of this file, or ARNs of what CloudWatch can act on; at most 5. Left out:
    /// the topic of `[alarms]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_alarm: Option<BTreeSet<AlarmAction>>,

    /// What happens when it is over. Left out: the topic of `[alarms]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_ok: Option<BTreeSet<AlarmAction>>,

    /// What happens when there are too few values to tell. Left out: nothing.
    #[serde(default)]
    pub on_no_data: BTreeSet<AlarmAction>,

    /// Tags of this alarm, beside those of the environment. Left out: only the environment's.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "tag-key" }))]
    pub tags: Tags,

    /// Settings that others may change, by their names here. A plan never shows them, and an update leaves them as they
    /// are; a value given here is used once, when the alarm is made. Left out: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<AlarmField>,
}

impl Alarm {
    const fn default_periods() -> u16 {
        1
    }
}

/// What an alarm watches.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// One metric.
    Metric(Metric),
    /// Several metrics, and what is computed from them; one of the queries is the `result`.
    Metrics(#[schemars(length(min = 1))] Vec<Query>),
}

/// A metric, and what is made of its values.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its namespace, such as `AWS/SES`.
    pub namespace: MetricText,
    /// Its name, such as `Bounce`.
    pub name: MetricText,
    /// Its dimensions. Left out: none.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "metric-text" }))]
    pub dimensions: BTreeMap<MetricText, MetricText>,
    /// What is made of the values within a period.
    pub statistic: Statistic,
    /// How long a period is: `10s`, `20s`, `30s`, or whole minutes. Left out: `5m`.
    #[serde(default = "Metric::default_period")]
    pub period: TimeSpan,
    /// The unit of the values, in CloudWatch's words such as `Percent`. Left out: whatever they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<MetricText>,
}

impl Metric {
    const fn default_period() -> TimeSpan {
        TimeSpan::from_seconds(300)
    }
}

/// One of several metrics, or an expression over the others: exactly one of `metric` and `expression`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Query {
    /// How expressions name it.
    pub id: QueryId,
    /// Where its values come from.
    #[serde(flatten)]
    pub source: QuerySource,
    /// What it is called in graphs. Left out: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Description>,
    /// Whether this is what the alarm compares. Left out: false.
    #[serde(default)]
    pub result: bool,
    /// How long a period of the expression is. Left out: as long as those of what it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<TimeSpan>,
    /// The account that the metric is in. Left out: this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
}

/// Where the values of a query come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuerySource {
    /// A metric.
    Metric(Metric),
    /// An expression of CloudWatch's metric math, such as `100 * bounces / sends`.
    Expression(Description),
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Comparison {
    /// At least the threshold.
    #[serde(rename = ">=")]
    AtLeast,
    /// Above the threshold.
    #[serde(rename = ">")]
    Above,
    /// Below the threshold.
    #[serde(rename = "<")]
    Below,
    /// At most the threshold.
    #[serde(rename = "<=")]
    AtMost,
    /// Outside the band.
    #[serde(rename = "outside-band")]
    OutsideBand,
    /// Above the band.
    #[serde(rename = "above-band")]
    AboveBand,
    /// Below the band.
    #[serde(rename = "below-band")]
    BelowBand,
}

impl Comparison {
    /// Whether it is with a band instead of a threshold.
    #[must_use]
    pub const fn is_with_band(self) -> bool {
        matches!(self, Self::OutsideBand | Self::AboveBand | Self::BelowBand)
    }
}

/// What periods without a value count as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingData {
    /// As missing: without any value the alarm cannot tell.
    #[default]
    Missing,
    /// As if the comparison held.
    Breaching,
    /// As if it did not.
    NotBreaching,
    /// As nothing: the alarm stays as it is.
    Ignore,
}

/// What is done with a percentile of too few values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LowSamples {
    /// It is judged.
    Evaluate,
    /// The alarm stays as it is.
    Ignore,
}
