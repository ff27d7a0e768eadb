//! Limits: how many, how long, and which tag keys.

use super::{Assumes, Check, Report, Subject};
use crate::environment::finding::Severity;
use crate::environment::names::TimeSpan;
use crate::environment::types::{EventTarget, Tags};
use crate::environment::words;
use std::collections::BTreeMap;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "too-many",
        severity: Severity::Error,
        rule: "AWS's limits: 10 event destinations of a set, 10 dimensions, 20 policies of an identity; 40 tags, which leaves 10 to sesinfra.",
        assumes: Assumes::Nothing,
        run: too_many,
    },
    Check {
        id: "out-of-range",
        severity: Severity::Error,
        rule: "Lengths of time stay within what the service allows.",
        assumes: Assumes::Nothing,
        run: out_of_range,
    },
    Check {
        id: "reserved-tag",
        severity: Severity::Error,
        rule: "Tags that start with `aws:` belong to AWS, those that start with `sesinfra:` say who owns a resource.",
        assumes: Assumes::Nothing,
        run: reserved_tag,
    },
    Check {
        id: "ignored-tag",
        severity: Severity::Error,
        rule: "A tag is declared here or left to others, not both.",
        assumes: Assumes::Nothing,
        run: ignored_tag,
    },
    Check {
        id: "tag-case",
        severity: Severity::Error,
        rule: "IAM compares tag keys without regard to case.",
        assumes: Assumes::Nothing,
        run: tag_case,
    },
];

const MOST_DESTINATIONS: usize = 10;
const MOST_DIMENSIONS: usize = 10;
const MOST_POLICIES: usize = 20;
/// AWS allows 50; ownership takes up to 10.
const MOST_TAGS: usize = 40;

/// Every tag table below the environment's own, with the path that leads to it.
fn tag_tables<'a>(subject: &'a Subject<'_>) -> Vec<(Vec<String>, &'a Tags)> {
    let settings = subject.settings();
    let mut all = Vec::new();
    let mut add = |section: &str, name: String, tags: &'a Tags| {
        all.push((vec![section.to_owned(), name, "tags".to_owned()], tags));
    };
    settings
        .identities
        .iter()
        .for_each(|(name, identity)| add("identities", name.to_string(), &identity.tags));
    settings
        .configuration_sets
        .iter()
        .for_each(|(name, set)| add("configuration_sets", name.to_string(), &set.tags));
    settings.topics.iter().for_each(|(name, topic)| add("topics", name.to_string(), &topic.tags));
    settings.queues.iter().for_each(|(name, queue)| add("queues", name.to_string(), &queue.tags));
    settings
        .send_policies
        .iter()
        .for_each(|(name, policy)| add("send_policies", name.to_string(), &policy.tags));
    for (name, alarm) in settings.alarms.iter().flat_map(|alarms| &alarms.custom) {
        let path = ["alarms", "custom", name.as_str(), "tags"];
        all.push((path.map(ToOwned::to_owned).to_vec(), &alarm.tags));
    }
    all
}

fn too_many(subject: &Subject<'_>, report: &mut Report<'_>) {
    let settings = subject.settings();
    for (set, settings) in &settings.configuration_sets {
        let path = ["configuration_sets", set.as_str(), "events"];
        exceed(
            report,
            &path,
            settings.events.len(),
            MOST_DESTINATIONS,
            "event destinations of a set",
            "put types that go to one place into one destination, or use a second set",
        );
        for (name, event) in &settings.events {
            if let EventTarget::Cloudwatch(dimensions) = &event.target {
                let path = [&path[..], &[name.as_str(), "cloudwatch"]].concat();
                exceed(
                    report,
                    &path,
                    dimensions.len(),
                    MOST_DIMENSIONS,
                    "dimensions of a destination",
                    "keep those that metrics are looked at by, or use a second destination",
                );
            }
        }
    }
    for (name, identity) in &settings.identities {
        let path = ["identities", &name.to_string(), "policies"];
        exceed(
            report,
            &path,
            identity.policies.len(),
            MOST_POLICIES,
            "policies of an identity",
            "name principals that may do the same in one policy",
        );
    }
    if settings.tags.len() > MOST_TAGS {
        let what = "tags of a resource";
        exceed(report, &["tags"], settings.tags.len(), MOST_TAGS, what, "take some out");
        return;
    }
    for (path, tags) in tag_tables(subject) {
        let added = tags.keys().filter(|key| !settings.tags.contains_key(*key)).count();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        exceed(
            report,
            &path,
            settings.tags.len() + added,
            MOST_TAGS,
            "tags of a resource, those of the environment included",
            "take some out, here or in `[tags]`",
        );
    }
}

fn exceed(
    report: &mut Report<'_>,
    path: &[&str],
    count: usize,
    most: usize,
    what: &str,
    help: &str,
) {
    if count > most {
        report.add(path, format!("{count} {what}"), format!("at most {most}"), help);
    }
}

fn out_of_range(subject: &Subject<'_>, report: &mut Report<'_>) {
    let settings = subject.settings();
    let mut within = |path: &[&str], span: TimeSpan, least: u32, most: u32, help: &str| {
        if !(least..=most).contains(&span.seconds()) {
            let limits = [TimeSpan::from_seconds(least), TimeSpan::from_seconds(most)];
            let key = path.last().copied().unwrap_or_default();
            report.add(
                path,
                format!("`{key}` cannot be `{span}`"),
                format!("from {} to {}", limits[0], limits[1]),
                help,
            );
        }
    };
    for (set, settings) in &settings.configuration_sets {
        if let Some(span) = settings.max_delivery {
            // SES `MaxDeliverySeconds`: 300 to 50,400.
            within(
                &["configuration_sets", set.as_str(), "max_delivery"],
                span,
                300,
                50_400,
                "left out, SES tries for 14 hours",
            );
        }
    }
    for (name, queue) in &settings.queues {
        let path = |key| ["queues", name.as_str(), key];
        // SQS `MessageRetentionPeriod` and `VisibilityTimeout`.
        within(
            &path("retention"),
            queue.retention,
            60,
            1_209_600,
            "left out, SQS keeps messages for 4 days",
        );
        within(
            &path("visibility_timeout"),
            queue.visibility_timeout,
            0,
            43_200,
            "left out, it is 30 seconds",
        );
        // SQS `DelaySeconds` and `ReceiveMessageWaitTimeSeconds`.
        within(&path("delay"), queue.delay, 0, 900, "left out, messages are there at once");
        within(&path("receive_wait"), queue.receive_wait, 0, 20, "left out, no reader waits");
    }
}

fn reserved_tag(subject: &Subject<'_>, report: &mut Report<'_>) {
    let environment = [(vec!["tags".to_owned()], &subject.settings().tags)];
    for (path, tags) in environment.into_iter().chain(tag_tables(subject)) {
        for key in tags.keys() {
            let lower = key.as_str().to_lowercase();
            let Some(owner) = [("aws:", "AWS"), ("sesinfra:", "sesinfra")]
                .iter()
                .find(|(prefix, _)| lower.starts_with(prefix))
                .map(|(_, owner)| owner)
            else {
                continue;
            };
            let mut path: Vec<&str> = path.iter().map(String::as_str).collect();
            path.push(key.as_str());
            report.add_at_key(
                &path,
                format!("the tag key `{}` is reserved", words::shown(key.as_str())),
                format!("kept by {owner} for itself"),
                "choose another key",
            );
        }
    }
}

fn ignored_tag(subject: &Subject<'_>, report: &mut Report<'_>) {
    let settings = subject.settings();
    let environment = [(vec!["tags".to_owned()], &settings.tags)];
    for (path, tags) in environment.into_iter().chain(tag_tables(subject)) {
        for key in tags.keys() {
            let ignored = settings.ignore_tags.iter().find(|it| it.matches(key.as_str()));
            let Some(pattern) = ignored else { continue };
            let mut path: Vec<&str> = path.iter().map(String::as_str).collect();
            path.push(key.as_str());
            report.add_at_key(
                &path,
                format!("the tag `{key}` is declared and left to others"),
                format!("`ignore_tags` has `{pattern}`"),
                "take it out here, or out of `ignore_tags`",
            );
        }
    }
}

fn tag_case(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, policy) in &subject.settings().send_policies {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        let own = policy.tags.keys().map(|key| (key, true));
        for (key, own) in subject.settings().tags.keys().map(|key| (key, false)).chain(own) {
            let other = seen.insert(key.as_str().to_lowercase(), key.as_str());
            let Some(other) = other.filter(|other| *other != key.as_str()) else { continue };
            let path = match own {
                true => vec!["send_policies", name.as_str(), "tags", key.as_str()],
                false => vec!["tags", key.as_str()],
            };
            report.add_at_key(
                &path,
                format!("IAM takes the tag keys `{other}` and `{key}` for one"),
                format!("differs from `{other}` only by case"),
                format!("write `{other}`"),
            );
        }
    }
}
