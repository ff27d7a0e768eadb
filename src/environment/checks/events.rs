//! Event destinations: dimensions that SES accepts, and bounces that somebody sees.

use super::{Assumes, Check, Report, Subject, is_fifo};
use crate::environment::finding::Severity;
use crate::environment::names::TopicReference;
use crate::environment::types::{DimensionSource, EventDestination, EventTarget, EventType};
use std::collections::BTreeMap;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "dimension-header",
        severity: Severity::Error,
        rule: "Some headers cannot be a CloudWatch dimension (SES developer guide, CloudWatch destination).",
        assumes: Assumes::Nothing,
        run: dimension_header,
    },
    Check {
        id: "dimension-duplicate",
        severity: Severity::Error,
        rule: "A CloudWatch destination has each dimension once.",
        assumes: Assumes::Nothing,
        run: dimension_duplicate,
    },
    Check {
        id: "fifo-topic",
        severity: Severity::Error,
        rule: "SES publishes to standard topics only.",
        assumes: Assumes::Nothing,
        run: fifo_topic,
    },
    Check {
        id: "feedback-unseen",
        severity: Severity::Warning,
        rule: "Where bounces and complaints are neither forwarded nor published, SES mails them to the sender anyway.",
        assumes: Assumes::Sections(&["identities", "configuration_sets"]),
        run: feedback_unseen,
    },
];

/// The headers that SES refuses as a dimension.
const REFUSED_HEADERS: [&str; 7] =
    ["received", "to", "from", "dkim-signature", "cc", "message-id", "return-path"];

/// Every event destination, with the path that leads to it.
fn destinations<'a>(
    subject: &'a Subject<'_>,
) -> impl Iterator<Item = ([&'a str; 4], &'a EventDestination)> {
    subject.settings().configuration_sets.iter().flat_map(|(set, settings)| {
        settings.events.iter().map(move |(name, event)| {
            (["configuration_sets", set.as_str(), "events", name.as_str()], event)
        })
    })
}

fn dimension_header(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, event) in destinations(subject) {
        let EventTarget::Cloudwatch(dimensions) = &event.target else { continue };
        for (index, dimension) in dimensions.iter().enumerate() {
            let name = dimension.dimension.as_str();
            let refused = REFUSED_HEADERS.contains(&name.to_ascii_lowercase().as_str());
            if dimension.source == DimensionSource::EmailHeader && refused {
                report.add(
                    &[&path[..], &["cloudwatch", &index.to_string(), "dimension"]].concat(),
                    format!("the header `{name}` cannot be a dimension"),
                    "refused by SES",
                    "use a header of your own, or a message tag",
                );
            }
        }
    }
}

fn dimension_duplicate(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, event) in destinations(subject) {
        let EventTarget::Cloudwatch(dimensions) = &event.target else { continue };
        let mut seen = BTreeMap::new();
        for (index, dimension) in dimensions.iter().enumerate() {
            let place = |index: usize| index.to_string();
            if let Some(first) = seen.insert(dimension.dimension.as_str(), index) {
                let first = report
                    .place(&[&path[..], &["cloudwatch", &place(first), "dimension"]].concat());
                report.add_beside(
                    &[&path[..], &["cloudwatch", &place(index), "dimension"]].concat(),
                    format!("the dimension `{}` is there twice", dimension.dimension),
                    "a second time",
                    "remove one of them",
                    Some((first, "the first time".to_owned())),
                );
            }
        }
    }
}

fn fifo_topic(subject: &Subject<'_>, report: &mut Report<'_>) {
    for name in subject.settings().topics.keys().filter(|name| is_fifo(name.as_str())) {
        report.add(
            &["topics", name.as_str()],
            format!("`{name}` would be a FIFO topic"),
            "SES publishes to standard topics only",
            format!("call it `{}`", name.as_str().trim_end_matches(".fifo")),
        );
    }
    for (path, event) in destinations(subject) {
        if let EventTarget::Topic(TopicReference::Elsewhere(arn)) = &event.target
            && is_fifo(arn.resource())
        {
            report.add(
                &[&path[..], &["topic"]].concat(),
                "this is a FIFO topic",
                "SES publishes to standard topics only",
                "use a standard topic",
            );
        }
    }
}

fn feedback_unseen(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, identity) in &subject.settings().identities {
        if identity.feedback_forwarding {
            continue;
        }
        // A set that is made elsewhere may have destinations of its own.
        let set = match identity.configuration_set.as_ref().map(|set| set.named()) {
            Some(None) => continue,
            Some(Some(set)) => subject.settings().configuration_sets.get(set),
            None => None,
        };
        let publishes = |kind: EventType| {
            set.is_some_and(|set| {
                set.events.values().any(|event| event.enabled && event.types.contains(&kind))
            })
        };
        let unseen = match (publishes(EventType::Bounce), publishes(EventType::Complaint)) {
            (true, true) => continue,
            (true, false) => "complaints",
            (false, true) => "bounces",
            (false, false) => "bounces and complaints",
        };
        report.add(
            &["identities", &name.to_string(), "feedback_forwarding"],
            format!("{unseen} of `{name}` go nowhere else"),
            format!("so SES mails {unseen} to the sender all the same"),
            "publish them: an event destination with `bounce` and `complaint` in the identity's default set",
        );
    }
}
