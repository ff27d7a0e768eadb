//! Alarms: what CloudWatch would refuse, or take and never set off.

use super::{Assumes, Check, Report, Subject};
use crate::environment::finding::Severity;
use crate::environment::types::{
    Alarm, AlarmField, Alarms, Metric, PackAlarm, Query, QuerySource, Watched,
};
use std::collections::BTreeSet;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "alarm-threshold",
        severity: Severity::Error,
        rule: "An alarm compares with a threshold, or with the band that one of its queries gives.",
        assumes: Assumes::Table,
        run: threshold,
    },
    Check {
        id: "alarm-queries",
        severity: Severity::Error,
        rule: "The queries of an alarm have ids of their own, and one of them is the result.",
        assumes: Assumes::Table,
        run: queries,
    },
    Check {
        id: "alarm-periods",
        severity: Severity::Error,
        rule: "CloudWatch's periods are 10, 20 or 30 seconds or whole minutes, and judged over at most a day, from an hour on over at most 7 days.",
        assumes: Assumes::Table,
        run: periods,
    },
    Check {
        id: "alarm-actions",
        severity: Severity::Error,
        rule: "An alarm has at most 5 actions for each state.",
        assumes: Assumes::Nothing,
        run: actions,
    },
    Check {
        id: "alarm-order",
        severity: Severity::Warning,
        rule: "A warning comes before what it warns of.",
        assumes: Assumes::Table,
        run: order,
    },
];

const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;

/// The alarms that the file adds, each with its path.
fn custom<'a>(subject: &'a Subject<'_>) -> impl Iterator<Item = ([&'a str; 3], &'a Alarm)> {
    let alarms = subject.settings().alarms.iter().flat_map(|alarms| &alarms.custom);
    alarms.map(|(name, alarm)| (["alarms", "custom", name.as_str()], alarm))
}

fn threshold(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, alarm) in custom(subject) {
        let name = path[2];
        let with_band = alarm.comparison.is_with_band();
        let wrong = match (with_band, alarm.threshold, &alarm.band) {
            (false, None, _) => Some(("comparison", "needs a threshold", "write `threshold`")),
            (true, _, None) => Some((
                "comparison",
                "needs a band",
                "write `band`: the id of the query that gives it",
            )),
            (true, Some(_), _) => Some(("threshold", "the band stands for it", "remove it")),
            (false, _, Some(_)) => Some((
                "band",
                "compared with a threshold",
                "remove it, or write `comparison = \"outside-band\"`",
            )),
            _ => None,
        };
        if let Some((key, label, help)) = wrong {
            let path = [&path[..], &[key]].concat();
            report.add(
                &path,
                format!("the alarm `{name}` has nothing to compare with"),
                label,
                help,
            );
        }
        if with_band && alarm.ignore.contains(&AlarmField::Threshold) {
            report.add(
                &[&path[..], &["ignore"]].concat(),
                format!("the alarm `{name}` has no threshold that others could change"),
                "the band stands for it",
                "remove `threshold`",
            );
        }
        let ids: Vec<_> = match &alarm.watched {
            Watched::Metrics(queries) => queries.iter().map(|query| &query.id).collect(),
            Watched::Metric(_) => Vec::new(),
        };
        if let Some(band) = alarm.band.as_ref().filter(|band| with_band && !ids.contains(band)) {
            report.add(
                &[&path[..], &["band"]].concat(),
                format!("no query of the alarm `{name}` is called `{band}`"),
                "no such query",
                "write the id of the query with `ANOMALY_DETECTION_BAND(...)`",
            );
        }
    }
}

fn queries(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, alarm) in custom(subject) {
        let Watched::Metrics(queries) = &alarm.watched else { continue };
        let path = [&path[..], &["metrics"]].concat();
        let mut ids = BTreeSet::new();
        for query in queries.iter().filter(|query| !ids.insert(&query.id)) {
            report.add(
                &path,
                format!("two queries are called `{}`", query.id),
                "expressions could not tell them apart",
                "give each an id of its own",
            );
        }
        // The band is returned beside the result, without a word.
        let is_result = |query: &&Query| query.result && Some(&query.id) != alarm.band.as_ref();
        if queries.iter().filter(is_result).count() != 1 {
            report.add(
                &path,
                "an alarm compares one value",
                "not exactly one of these is the result",
                "write `result = true` in the one that the alarm compares",
            );
        }
    }
}

fn metrics(alarm: &Alarm) -> Vec<&Metric> {
    match &alarm.watched {
        Watched::Metric(metric) => vec![metric],
        Watched::Metrics(queries) => {
            let of = queries.iter().map(|query| &query.source);
            of.filter_map(|source| match source {
                QuerySource::Metric(metric) => Some(metric),
                QuerySource::Expression(_) => None,
            })
            .collect()
        }
    }
}

fn periods(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, alarm) in custom(subject) {
        for metric in metrics(alarm) {
            let seconds = u64::from(metric.period.seconds());
            let longest = if seconds >= HOUR { 7 * DAY } else { DAY };
            if !matches!(seconds, 10 | 20 | 30) && (seconds == 0 || seconds % 60 != 0) {
                report.add(
                    &path,
                    format!("a period cannot be `{}`", metric.period),
                    "neither 10, 20 or 30 seconds nor whole minutes",
                    "write `10s`, `20s`, `30s` or whole minutes, such as `5m`",
                );
            } else if seconds * u64::from(alarm.periods) > longest {
                let days = longest / DAY;
                report.add(
                    &path,
                    format!("{} periods of {} are too long", alarm.periods, metric.period),
                    format!(
                        "CloudWatch looks back at most {days} day{}",
                        if days == 1 { "" } else { "s" }
                    ),
                    "a period of an hour or more may be judged over 7 days, a shorter one over one",
                );
            }
        }
        if let Some(datapoints) = alarm.datapoints.filter(|number| *number > alarm.periods) {
            report.add(
                &[&path[..], &["datapoints"]].concat(),
                format!("{datapoints} of {} periods cannot be", alarm.periods),
                "more than there are",
                "write at most as many as `periods`",
            );
        }
    }
    let Some(alarms) = &subject.settings().alarms else { return };
    let seconds = u64::from(alarms.silence.seconds());
    if seconds % HOUR != 0 || !(HOUR..=7 * DAY).contains(&seconds) {
        report.add(
            &["alarms", "silence"],
            format!("`silence` cannot be `{}`", alarms.silence),
            "not whole hours from 1h to 7d",
            "write whole hours, such as `2h`",
        );
    }
}

fn actions(subject: &Subject<'_>, report: &mut Report<'_>) {
    const MOST: usize = 5;
    for (path, alarm) in custom(subject) {
        let given = [
            ("on_alarm", alarm.on_alarm.as_ref()),
            ("on_ok", alarm.on_ok.as_ref()),
            ("on_no_data", Some(&alarm.on_no_data)),
        ];
        for (key, actions) in given {
            let count = actions.map_or(0, BTreeSet::len);
            if count > MOST {
                report.add(
                    &[&path[..], &[key]].concat(),
                    format!("{count} actions of an alarm"),
                    format!("at most {MOST}"),
                    "let one topic pass it on to the others",
                );
            }
        }
    }
}

fn order(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(alarms) = &subject.settings().alarms else { return };
    let Alarms { bounce_rate, complaint_rate, .. } = alarms;
    let pairs = [
        (
            "bounce_rate_warning",
            alarms.bounce_rate_warning,
            *bounce_rate,
            PackAlarm::BounceRateWarning,
        ),
        (
            "complaint_rate_warning",
            alarms.complaint_rate_warning,
            *complaint_rate,
            PackAlarm::ComplaintRateWarning,
        ),
    ];
    for (key, warning, limit, which) in pairs {
        if warning >= limit && !alarms.without.contains(&which) {
            report.add(
                &["alarms", key],
                format!("`{key}` warns of nothing: {warning} is not below {limit}"),
                "goes off with or after what it warns of",
                "write a smaller share",
            );
        }
    }
}
