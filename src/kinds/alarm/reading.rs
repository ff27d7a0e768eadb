//! How alarms are read: many at once by name, and the tags of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_cloudwatch::types::{AlarmType, MetricAlarm};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Alarm, Outputs, Spec, Texts, sdk};
use crate::aws::{AwsError, OrAbsent, failed, note_of_stack};
use crate::engine::{Address, BoxError, Live, Ownership};

/// Names that one call takes (CloudWatch `DescribeAlarms`).
const NAMES_MAX: usize = 100;

/// Tags read at once.
const READS_AT_ONCE: usize = 8;

/// What has a name of an alarm.
pub(super) enum Named {
    /// An alarm on metrics, which is what this kind is about.
    Metric(Box<MetricAlarm>),
    /// An alarm of another type, which stands in the way.
    Other,
}

impl Alarm {
    /// What is there of these names.
    pub(super) async fn described(
        &self,
        names: &[String],
    ) -> Result<BTreeMap<String, Named>, AwsError> {
        let mut found = BTreeMap::new();
        for names in names.chunks(NAMES_MAX) {
            let call = self.session.cloudwatch().describe_alarms();
            let call = call.set_alarm_names(Some(names.to_vec()));
            // Left out, the types are that of metrics alone.
            let call =
                call.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
            let mut pages = call.into_paginator().send();
            while let Some(page) = pages.next().await {
                let place = names.first().map_or("", String::as_str);
                let page = page.map_err(failed("cloudwatch:DescribeAlarms", place))?;
                for alarm in page.metric_alarms.unwrap_or_default() {
                    let name = alarm.alarm_name.clone().unwrap_or_default();
                    found.insert(name, Named::Metric(Box::new(alarm)));
                }
                for alarm in page.composite_alarms.unwrap_or_default() {
                    found.insert(alarm.alarm_name.unwrap_or_default(), Named::Other);
                }
            }
        }
        Ok(found)
    }

    /// The names of all alarms on metrics.
    pub(super) async fn existing(&self) -> Result<BTreeSet<String>, AwsError> {
        let list = self.session.cloudwatch().describe_alarms().alarm_types(AlarmType::MetricAlarm);
        let mut pages = list.into_paginator().send();
        let mut names = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let region = self.session.arns.region();
            let page = page.map_err(failed("cloudwatch:DescribeAlarms", region))?;
            let alarms = page.metric_alarms.unwrap_or_default();
            names.extend(alarms.into_iter().filter_map(|alarm| alarm.alarm_name));
        }
        Ok(names)
    }

    /// The tags of an alarm; `None` if there is no such alarm.
    pub(super) async fn tags_of(&self, name: &str) -> Result<Option<Arc<Texts>>, AwsError> {
        let read = || async {
            let arn = self.session.arns.alarm(name);
            let answer = self.session.cloudwatch().list_tags_for_resource().resource_arn(arn);
            let answer = answer.send().await;
            let answer = answer.map_err(failed("cloudwatch:ListTagsForResource", name))?;
            let tags = answer.tags.unwrap_or_default().into_iter();
            let pair = |tag: aws_sdk_cloudwatch::types::Tag| {
                Some((tag.key?, tag.value.unwrap_or_default()))
            };
            Ok(Arc::new(tags.filter_map(pair).collect::<Texts>()))
        };
        self.tags.get(name.to_owned(), read).await.or_absent()
    }

    /// Reads alarms by their names: those that are `wanted`, and of the others only what is ours.
    pub(super) async fn read_all(
        &self,
        names: BTreeSet<String>,
        wanted: &BTreeSet<String>,
    ) -> Result<Vec<Live<Spec, Outputs>>, BoxError> {
        let names: Vec<String> = names.into_iter().collect();
        let found = self.described(&names).await?;
        let reads = found.into_iter().map(|(name, found)| async move {
            let is_named = wanted.contains(&name);
            self.read_one(name, found, is_named).await
        });
        let read: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn read_one(
        &self,
        name: String,
        found: Named,
        is_named: bool,
    ) -> Result<Option<Live<Spec, Outputs>>, BoxError> {
        let arn = self.session.arns.alarm(&name);
        let Named::Metric(alarm) = found else {
            let reason = "a composite alarm has this name, and alarms of all types share their names: rename one of the two";
            return if is_named { Err(format!("{name}: {reason}").into()) } else { Ok(None) };
        };
        let Some(tags) = self.tags_of(&name).await? else { return Ok(None) };
        let stack = note_of_stack(&tags);
        let (ownership, marks, tags) = self.session.owner.read(&arn, &tags);
        // Found by its tags only: the tagging service lags, so what is not ours after all is left out.
        if !is_named && ownership != Ownership::Ours {
            return Ok(None);
        }
        let spec = sdk::spec_of(&alarm, tags);
        Ok(Some(Live {
            uses: self.topics(&spec),
            notes: sdk::notes(&alarm).into_iter().chain(stack).collect(),
            name,
            spec,
            outputs: Outputs { arn },
            ownership,
            parent: None,
            tokens: BTreeSet::new(),
            marks,
        }))
    }

    /// The topics of this account and Region that the alarm publishes to.
    fn topics(&self, spec: &Spec) -> BTreeSet<Address> {
        let prefix = self.session.arns.topic("");
        let actions = spec.on_alarm.iter().chain(&spec.on_ok).chain(&spec.on_no_data);
        let names = actions.filter_map(|arn| arn.strip_prefix(&prefix));
        names.map(|name| Address::new("topic", name)).collect()
    }
}
