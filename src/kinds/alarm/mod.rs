//! CloudWatch alarms.
//!
//! Invariant: a Put replaces an alarm without asking whose it is, so the name is looked at immediately before the first
//! one, and what is there and not ours is refused. Tags of an alarm that exists are changed by calls of their own.

mod documented;
mod reading;
mod sdk;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use self::reading::Named;
use crate::aws::{Memo, OrAbsent, Session, failed};
use crate::engine::{
    BoxError, Change, Field, Glance, Impact, Kind, Life, Live, Marks, Put, Reading, Severity,
    Wanted, touches,
};

/// Tags by key.
type Texts = BTreeMap<String, String>;

/// The kind `alarm`.
pub struct Alarm {
    session: Arc<Session>,
    tags: Memo<String, Arc<Texts>>,
}

/// The settings of an alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The one metric that is watched; none where there are `queries`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// Several metrics and expressions, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<Query>,
    /// How a value is compared, in CloudWatch's word: `GreaterThanOrEqualToThreshold`.
    pub comparison: String,
    /// With what it is compared; none for a band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The query that gives the band it is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<String>,
    /// Over how many periods the values are judged.
    pub periods: i32,
    /// In how many of them the comparison must hold.
    pub datapoints: i32,
    /// What a period without a value counts as, in CloudWatch's word: `notBreaching`.
    pub missing: String,
    /// What is done with a percentile of too few values, in CloudWatch's word; none: it is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_samples: Option<String>,
    /// Whether it does anything when its state changes.
    pub enabled: bool,
    /// What happens when it goes off: ARNs.
    pub on_alarm: BTreeSet<String>,
    /// What happens when it is over: ARNs.
    pub on_ok: BTreeSet<String>,
    /// What happens when there are too few values: ARNs.
    pub on_no_data: BTreeSet<String>,
    /// The tags, those of ownership left out.
    pub tags: Texts,
}

/// A metric, and what is made of its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: Texts,
    /// `Sum`, `p99`, ...
    pub statistic: String,
    /// The length of a period in seconds.
    pub period: i32,
    /// The unit of the values; none: whatever they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// One of several metrics, or an expression over the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// How expressions name it.
    pub id: String,
    /// The metric; none for an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The expression; none for a metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What it is called in graphs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it is what the alarm compares.
    pub result: bool,
    /// The length of a period of the expression in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<i32>,
    /// The account that the metric is in, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// What CloudWatch says of an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
}

impl Alarm {
    /// The alarms of one account and Region.
    #[must_use]
    pub fn new(session: &Arc<Session>) -> Self {
        Self { session: Arc::clone(session), tags: session.memo() }
    }
}

#[async_trait]
impl Kind for Alarm {
    const NAME: &'static str = "alarm";
    const LIFE: Life = Life::Root;

    type Spec = Spec;
    type Outputs = Outputs;

    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        let names: Vec<String> = declared.iter().cloned().collect();
        let found = self.described(&names).await?;
        let metric = found.iter().filter(|(_, found)| matches!(found, Named::Metric(_)));
        let listed = metric.map(|(name, _)| name.clone()).collect();
        let prefix = self.session.arns.alarm("");
        Ok(Some(self.session.glance(&prefix, declared, &listed).await?))
    }

    fn hear_of(&self, _declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.session.pass_over(&self.session.arns.alarm(""), settled);
    }

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let declared: BTreeSet<String> = wanted.iter().map(|one| one.name.clone()).collect();
        let mut names = declared.clone();
        if reading == Reading::Everything {
            let prefix = self.session.arns.alarm("");
            names.extend(self.session.names_of_ours(&prefix, || self.existing()).await?);
        }
        self.read_all(names, &declared).await
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<Outputs>, BoxError> {
        match &change.from {
            None => self.create(change).await,
            Some(_) => self.update(change, change.touches("tags")).await,
        }
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<Outputs>, BoxError> {
        let answer = self.session.cloudwatch().delete_alarms().alarm_names(name).send().await;
        self.tags.forget_key(&name.to_owned());
        answer.map_err(failed("cloudwatch:DeleteAlarms", name)).or_absent()?;
        Ok(Put::Done(None))
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        let degrades = |reason: &str| Impact::new(Severity::Degrades, reason);
        match (from, to) {
            (Some(_), None) => degrades("nobody is told any more when it would go off"),
            (Some(from), Some(to)) if from.enabled && !to.enabled => {
                degrades("it does nothing any more when it goes off")
            }
            (Some(from), Some(to))
                if touches(fields, "on_alarm") && !from.on_alarm.is_subset(&to.on_alarm) =>
            {
                degrades("some of those who were told are told no more")
            }
            _ => Impact::safe(),
        }
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let live =
            self.tags_of(name).await?.ok_or("the alarm is gone since the plan: plan again")?;
        let arn = self.session.arns.alarm(name);
        Ok(self.tag(name, self.session.owner.mark_changes(&arn, &live, marks)).await?)
    }

    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        let Some(live) = self.tags_of(name).await? else { return Ok(()) };
        Ok(self.tag(name, self.session.owner.unmark_changes(&live)).await?)
    }

    fn examples() -> Vec<Spec> {
        let metric = |name: &str| Metric {
            namespace: "AWS/SES".to_owned(),
            name: name.to_owned(),
            dimensions: Texts::new(),
            statistic: "Sum".to_owned(),
            period: 300,
            unit: None,
        };
        let topic = "arn:aws:sns:us-east-1:123456789012:ops".to_owned();
        let plain = Spec {
            description: None,
            metric: Some(metric("Reject")),
            queries: Vec::new(),
            comparison: "GreaterThanOrEqualToThreshold".to_owned(),
            threshold: Some(1.0),
            band: None,
            periods: 1,
            datapoints: 1,
            missing: "notBreaching".to_owned(),
            low_samples: None,
            enabled: true,
            on_alarm: BTreeSet::from([topic.clone()]),
            on_ok: BTreeSet::new(),
            on_no_data: BTreeSet::new(),
            tags: Texts::new(),
        };
        let query = |id: &str, metric: Option<Metric>, expression: Option<&str>| Query {
            id: id.to_owned(),
            result: metric.is_some(),
            metric,
            expression: expression.map(ToOwned::to_owned),
            label: Some("Sends".to_owned()),
            period: None,
            account: None,
        };
        let full = Spec {
            description: Some("Mail comes at another rate than usual".to_owned()),
            metric: None,
            queries: vec![
                query("sends", Some(metric("Send")), None),
                query("usual", None, Some("ANOMALY_DETECTION_BAND(sends, 2)")),
            ],
            comparison: "LessThanLowerOrGreaterThanUpperThreshold".to_owned(),
            threshold: None,
            band: Some("usual".to_owned()),
            periods: 3,
            datapoints: 2,
            missing: "breaching".to_owned(),
            low_samples: Some("ignore".to_owned()),
            enabled: false,
            on_alarm: BTreeSet::new(),
            on_ok: BTreeSet::from([topic.clone()]),
            on_no_data: BTreeSet::from([topic]),
            tags: Texts::from([("team".to_owned(), "platform".to_owned())]),
        };
        let percentile = Spec {
            metric: Some(Metric { statistic: "p99".to_owned(), ..metric("Send") }),
            ..plain.clone()
        };
        vec![plain, percentile, full]
    }
}
