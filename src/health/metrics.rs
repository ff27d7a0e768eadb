//! What CloudWatch counted of an account's mail, day by day.
//!
//! Invariant: days are whole days of UTC, the last one is today and not over yet.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::aws::{AwsError, Session, failed};

/// Days that are asked for before today.
pub const DAYS: usize = 14;

const DAY: i64 = 86_400;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Count {
    /// Mails that SES accepted.
    Sends,
    /// The bounce rate, as a fraction.
    BounceRate,
    /// The complaint rate, as a fraction.
    ComplaintRate,
}

impl Count {
    const fn id(self) -> &'static str {
        match self {
            Self::Sends => "sends",
            Self::BounceRate => "bounces",
            Self::ComplaintRate => "complaints",
        }
    }

    /// The metric of namespace `AWS/SES` without dimensions, and what is made of its values.
    const fn metric(self) -> (&'static str, &'static str) {
        match self {
            Self::Sends => ("Send", "Sum"),
            Self::BounceRate => ("Reputation.BounceRate", "Average"),
            Self::ComplaintRate => ("Reputation.ComplaintRate", "Average"),
        }
    }
}

/// Values by day: [`DAYS`] days, then today. `None` on a day without any.
pub type Daily = Vec<Option<f64>>;

/// The number of the day that `now` is in, counted from 1970-01-01.
#[must_use]
pub fn day_of(now: SystemTime) -> i64 {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds).unwrap_or(0) / DAY
}

/// The date of a day: `2026-11-24`.
#[must_use]
pub fn date(day: i64) -> String {
    let text = DateTime::from_secs(day.saturating_mul(DAY)).fmt(Format::DateTime);
    text.unwrap_or_default().chars().take(10).collect()
}

/// Reads the values of the last days in one call.
pub async fn daily(
    session: &Session,
    now: SystemTime,
    counts: &[Count],
) -> Result<BTreeMap<Count, Daily>, AwsError> {
    let today = day_of(now);
    let first = today - i64::try_from(DAYS).unwrap_or(0);
    let queries = counts.iter().map(|count| {
        let (name, statistic) = count.metric();
        let metric = Metric::builder().namespace("AWS/SES").metric_name(name).build();
        let stat = MetricStat::builder().metric(metric).period(86_400).stat(statistic).build();
        MetricDataQuery::builder().id(count.id()).metric_stat(stat).return_data(true).build()
    });
    let call = session
        .cloudwatch()
        .get_metric_data()
        .set_metric_data_queries(Some(queries.collect()))
        .start_time(DateTime::from_secs(first * DAY))
        .end_time(DateTime::from_secs((today + 1) * DAY));
    let mut pages = call.into_paginator().send();
    let mut found: BTreeMap<Count, Daily> =
        counts.iter().map(|count| (*count, vec![None; DAYS + 1])).collect();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed("cloudwatch:GetMetricData", "AWS/SES"))?;
        for result in page.metric_data_results.unwrap_or_default() {
            let count = counts.iter().find(|count| result.id.as_deref() == Some(count.id()));
            let Some(values) = count.and_then(|count| found.get_mut(count)) else { continue };
            for (time, value) in result.timestamps().iter().zip(result.values()) {
                let place = usize::try_from(time.secs() / DAY - first).ok();
                if let Some(day) = place.and_then(|place| values.get_mut(place)) {
                    *day = Some(*value);
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_day_has_a_number_and_a_date() {
        let now = UNIX_EPOCH + Duration::from_mins(29_926_000);
        assert_eq!(date(day_of(now)), "2026-11-24");
        assert_eq!(date(0), "1970-01-01");
    }
}
