//! What changing a queue does to mail.

use std::collections::BTreeSet;

use super::attributes::sources;
use super::{SNS_MESSAGE_BYTES_MAX, Spec};
use crate::engine::{Field, Impact, Severity, touches};

/// The worst that turning `from` into `to` does.
pub(super) fn of(from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
    let degrades = |reason: String| Impact::new(Severity::Degrades, reason);
    match (from, to) {
        (Some(from), None) if from.holds_messages => Impact::new(
            Severity::Irreversible,
            "the messages in the queue, bounces and complaints among them, are lost with it",
        ),
        (Some(_), None) => {
            degrades("whoever reads the queue gets no further bounces and complaints".to_owned())
        }
        (Some(from), Some(to)) => match losses(from, to, fields) {
            losses if losses.is_empty() => gains(from, to),
            losses => degrades(losses.join("; ")),
        },
        (None, _) => Impact::safe(),
    }
}

fn losses(from: &Spec, to: &Spec, fields: &[Field]) -> Vec<String> {
    let mut losses = Vec::new();
    let lost = names(&sources(from), &sources(to));
    if touches(fields, "policy") && !lost.is_empty() {
        losses.push(format!("{lost} can no longer deliver to the queue"));
    }
    if to.retention < from.retention {
        losses.push(format!("unread messages older than {} are dropped", to.retention));
    }
    if to.delay > from.delay {
        losses.push(format!("readers see each message only {} after it arrived", to.delay));
    }
    if let Some(bytes) = to
        .max_message_bytes
        .filter(|it| touches(fields, "max_message_bytes") && is_smaller(from, *it))
    {
        losses.push(format!("messages of more than {bytes} bytes are no longer taken"));
    }
    if from.dead_letter.is_some() && to.dead_letter.is_none() {
        losses.push(format!(
            "messages that no reader can handle come back to every reader, and are dropped unread after {}",
            to.retention
        ));
    }
    losses
}

fn is_smaller(from: &Spec, bytes: u32) -> bool {
    bytes < from.max_message_bytes.unwrap_or(SNS_MESSAGE_BYTES_MAX)
}

fn gains(from: &Spec, to: &Spec) -> Impact {
    let gained = names(&sources(to), &sources(from));
    if gained.is_empty() {
        return Impact::safe();
    }
    let reason = format!(
        "{gained} can deliver to the queue from now on; until then what it publishes is lost here"
    );
    Impact::new(Severity::Safe, reason)
}

/// Those of `some` that are not among `others`, in a row.
fn names(some: &BTreeSet<&String>, others: &BTreeSet<&String>) -> String {
    some.difference(others).map(|arn| arn.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::policy::{Policy, Statement};
    use crate::engine::{Kind, difference};
    use crate::environment::names::TimeSpan;
    use crate::kinds::queue::{DeadLetter, Queue};

    fn plain() -> Spec {
        Queue::examples().remove(0)
    }

    fn of_change(from: &Spec, to: &Spec) -> Impact {
        let fields = difference(Some(&json!(from)), Some(&json!(to)), Queue::WRITE_ONLY);
        of(Some(from), Some(to), &fields)
    }

    fn fed_by(topic: &str) -> Spec {
        let statement = Statement::allow()
            .to("Service", "sns.amazonaws.com")
            .may(["sqs:SendMessage"])
            .when("ArnEquals", "aws:SourceArn", [topic]);
        Spec { policy: Some(Policy::new([("AllowTopics", statement)])), ..plain() }
    }

    #[test]
    fn messages_that_go_with_a_queue_are_lost_for_good() {
        assert_eq!(of(Some(&plain()), None, &[]).severity, Severity::Degrades);
        let full = Spec { holds_messages: true, ..plain() };
        assert_eq!(of(Some(&full), None, &[]).severity, Severity::Irreversible);
        assert_eq!(of(None, Some(&plain()), &[]), Impact::safe());
    }

    #[test]
    fn who_can_no_longer_deliver_is_named() {
        assert!(of_change(&fed_by("old"), &plain()).reason.starts_with("old can no longer"));
        let gained = of_change(&plain(), &fed_by("new"));
        assert_eq!(gained.severity, Severity::Safe);
        assert!(gained.reason.starts_with("new can deliver"), "{gained:?}");
        assert_eq!(of_change(&fed_by("a"), &fed_by("a")), Impact::safe());
    }

    #[test]
    fn messages_that_are_dropped_earlier_or_never_set_aside_are_said() {
        let shorter = Spec { retention: TimeSpan::from_seconds(60), ..plain() };
        assert_eq!(of_change(&plain(), &shorter).severity, Severity::Degrades);
        assert_eq!(of_change(&shorter, &plain()), Impact::safe());
        let smaller = Spec { max_message_bytes: Some(1_024), ..plain() };
        assert!(of_change(&plain(), &smaller).reason.contains("more than 1024 bytes"));
        assert_eq!(of_change(&smaller, &plain()), Impact::safe());
        let later = Spec { delay: TimeSpan::from_seconds(9), ..plain() };
        assert_eq!(of_change(&plain(), &later).severity, Severity::Degrades);
        assert_eq!(of_change(&later, &plain()), Impact::safe());
        let dead_letter = Some(DeadLetter { queue: "arn".to_owned(), max_receives: 5 });
        let safer = Spec { dead_letter, ..plain() };
        assert_eq!(of_change(&safer, &plain()).severity, Severity::Degrades);
        assert_eq!(of_change(&plain(), &safer), Impact::safe());
    }
}
