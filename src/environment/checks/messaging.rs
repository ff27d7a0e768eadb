//! Topics, subscribers and queues: who can receive, and where undeliverable messages end.

use super::{Assumes, Check, Report, Subject, is_fifo};
use crate::environment::finding::Severity;
use crate::environment::names::{QueueName, QueueReference};
use crate::environment::types::{Encryption, Endpoint, Queue};
use crate::environment::words;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "subscription-duplicate",
        severity: Severity::Error,
        rule: "A topic has one subscription per protocol and endpoint (SNS `Subscribe`).",
        assumes: Assumes::Nothing,
        run: subscription_duplicate,
    },
    Check {
        id: "raw-endpoint",
        severity: Severity::Error,
        rule: "Raw delivery exists for queues and https only.",
        assumes: Assumes::Nothing,
        run: raw_endpoint,
    },
    Check {
        id: "fifo-queue",
        severity: Severity::Error,
        rule: "A standard topic delivers to standard queues, and their dead-letter queues are standard queues too.",
        assumes: Assumes::Nothing,
        run: fifo_queue,
    },
    Check {
        id: "aws-managed-key",
        severity: Severity::Error,
        rule: "SES and SNS can use a KMS key only if its policy lets them, which no key of AWS's own does.",
        assumes: Assumes::Nothing,
        run: aws_managed_key,
    },
    Check {
        id: "dead-letter-loop",
        severity: Severity::Error,
        rule: "Following the dead-letter queues comes to an end.",
        assumes: Assumes::Nothing,
        run: dead_letter_loop,
    },
    Check {
        id: "dead-letter-name",
        severity: Severity::Error,
        rule: "The name of a dead-letter queue that is made by itself is free and short enough.",
        assumes: Assumes::Nothing,
        run: dead_letter_name,
    },
    Check {
        id: "dead-letter-retention",
        severity: Severity::Warning,
        rule: "A dead-letter queue keeps messages longer than its queue: their age counts from the first sending.",
        assumes: Assumes::Sections(&["queues"]),
        run: dead_letter_retention,
    },
];

fn subscription_duplicate(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (topic, settings) in &subject.settings().topics {
        let mut seen = BTreeMap::new();
        for (index, subscription) in settings.subscriptions.iter().enumerate() {
            let path = |index: usize| index.to_string();
            if let Some(first) = seen.insert(&subscription.endpoint, index) {
                let first =
                    report.place(&["topics", topic.as_str(), "subscriptions", &path(first)]);
                report.add_beside(
                    &["topics", topic.as_str(), "subscriptions", &path(index)],
                    format!("two subscriptions of `{topic}` have one endpoint"),
                    "the same protocol and endpoint",
                    "merge the two: a topic delivers to an endpoint once",
                    Some((first, "the first one".to_owned())),
                );
            }
        }
    }
}

fn raw_endpoint(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (topic, settings) in &subject.settings().topics {
        for (index, subscription) in settings.subscriptions.iter().enumerate() {
            let what = match &subscription.endpoint {
                Endpoint::Https(_) | Endpoint::Queue(_) => continue,
                Endpoint::Email(_) | Endpoint::EmailJson(_) => "e-mail",
                Endpoint::Lambda(_) => "a Lambda function",
            };
            if subscription.raw {
                report.add(
                    &["topics", topic.as_str(), "subscriptions", &index.to_string(), "raw"],
                    format!("raw delivery does not exist for {what}"),
                    "for queues and https only",
                    "remove `raw`",
                );
            }
        }
    }
}

fn fifo_queue(subject: &Subject<'_>, report: &mut Report<'_>) {
    for name in subject.settings().queues.keys().filter(|name| is_fifo(name.as_str())) {
        report.add(
            &["queues", name.as_str()],
            format!("`{name}` would be a FIFO queue"),
            "a standard topic cannot deliver to it",
            format!("call it `{}`", name.as_str().trim_end_matches(".fifo")),
        );
    }
    let leads_to_fifo = |queue: &QueueReference| matches!(queue, QueueReference::Elsewhere(arn) if is_fifo(arn.resource()));
    for (topic, settings) in &subject.settings().topics {
        for (index, subscription) in settings.subscriptions.iter().enumerate() {
            let endpoint = match &subscription.endpoint {
                Endpoint::Queue(queue) => Some(("queue", queue)),
                _ => None,
            };
            let dead_letter = subscription.dead_letter.as_ref().map(|queue| ("dead_letter", queue));
            for (key, _) in
                endpoint.into_iter().chain(dead_letter).filter(|(_, queue)| leads_to_fifo(queue))
            {
                report.add(
                    &["topics", topic.as_str(), "subscriptions", &index.to_string(), key],
                    "this is a FIFO queue",
                    "a standard topic cannot deliver to it",
                    "use a standard queue",
                );
            }
        }
    }
}

fn aws_managed_key(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (topic, settings) in &subject.settings().topics {
        let Some(key) = &settings.encryption_key else { continue };
        if key.as_str().ends_with("alias/aws/sns") {
            report.add(
                &["topics", topic.as_str(), "encryption_key"],
                format!("SES could not publish to `{topic}`"),
                "the policy of AWS's own key does not let SES use it",
                "use a key of your own, whose policy lets ses.amazonaws.com call `kms:GenerateDataKey*` and `kms:Decrypt`",
            );
        }
    }
    for (queue, settings) in &subject.settings().queues {
        let Encryption::Key(key) = &settings.encryption else { continue };
        if key.as_str().ends_with("alias/aws/sqs") {
            report.add(
                &["queues", queue.as_str(), "encryption"],
                format!("no topic could deliver to `{queue}`"),
                "the policy of AWS's own key does not let SNS use it",
                "write `sqs` for keys that SQS manages, or a key of your own whose policy lets sns.amazonaws.com use it",
            );
        }
    }
}

/// The declared queue that a queue's dead letters go to.
fn dead_letters_of(queue: &Queue) -> Option<&QueueName> {
    queue.dead_letter.as_ref()?.queue.as_ref()?.named()
}

fn dead_letter_loop(subject: &Subject<'_>, report: &mut Report<'_>) {
    let queues = &subject.settings().queues;
    for (name, queue) in queues {
        let mut way = vec![name];
        let mut seen = BTreeSet::new();
        let mut next = dead_letters_of(queue);
        while let Some(current) = next.filter(|current| seen.insert(*current)) {
            way.push(current);
            // Each loop is reported at each queue that is on it, and not at queues that only lead there.
            if current == name {
                let way: Vec<String> = way.iter().map(|name| format!("`{name}`")).collect();
                report.add(
                    &["queues", name.as_str(), "dead_letter", "queue"],
                    format!("the dead letters of `{name}` come back to it"),
                    way.join(" -> "),
                    "let the last queue have no dead-letter queue",
                );
                break;
            }
            next = queues.get(current).and_then(dead_letters_of);
        }
    }
    for (topic, settings) in &subject.settings().topics {
        for (index, subscription) in settings.subscriptions.iter().enumerate() {
            let Endpoint::Queue(endpoint) = &subscription.endpoint else { continue };
            if subscription.dead_letter.as_ref() == Some(endpoint) {
                report.add(
                    &["topics", topic.as_str(), "subscriptions", &index.to_string(), "dead_letter"],
                    format!(
                        "what cannot be delivered to `{}` would go to it",
                        words::shown(&endpoint.to_string())
                    ),
                    "the queue of the subscription itself",
                    "name another queue",
                );
            }
        }
    }
}

fn dead_letter_name(subject: &Subject<'_>, report: &mut Report<'_>) {
    use crate::environment::types::DeadLetter;
    let declared = subject.declared("queues");
    for (name, queue) in &subject.settings().queues {
        if queue.dead_letter.as_ref().is_none_or(|dead| dead.queue.is_some()) {
            continue;
        }
        let made = format!("{name}{}", DeadLetter::SUFFIX);
        let (message, label) = match QueueName::parse(&made) {
            Err(error) => (
                format!("the dead-letter queue of `{name}` cannot be called `{made}`"),
                error.reason,
            ),
            Ok(_) if declared.contains(&made) => (
                format!("`{made}` is declared, and made by itself as well"),
                "makes a queue of this name".to_owned(),
            ),
            Ok(_) => continue,
        };
        report.add(
            &["queues", name.as_str(), "dead_letter"],
            message,
            label,
            "name the queue: `dead_letter = { queue = \"...\" }`",
        );
    }
}

fn dead_letter_retention(subject: &Subject<'_>, report: &mut Report<'_>) {
    let queues = &subject.settings().queues;
    for (name, queue) in queues {
        let Some(target) = dead_letters_of(queue) else { continue };
        let Some(kept) = queues.get(target).map(|target| target.retention) else { continue };
        // Equal times are the trap: a message arrives with almost nothing left.
        if target != name && kept <= queue.retention && kept.seconds() < 1_209_600 {
            report.add(
                &["queues", target.as_str(), "retention"],
                format!("`{target}` may lose dead letters of `{name}` at once"),
                format!(
                    "kept for {kept}, and `{name}` keeps them up to {} before",
                    queue.retention
                ),
                "let the dead-letter queue keep them longer, such as `14d`",
            );
        }
    }
}
