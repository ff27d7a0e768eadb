//! What would be right where something is wrong with the form of a file, in words.

use super::{Choice, Shape, Table, places};
use crate::environment::document::{Content, Node};
use crate::environment::names::TimeSpan;
use crate::environment::words::{listed, nearest, shown};

/// Words for settings elsewhere (the DNS record, the AWS API, Terraform), with what they are called here.
const FOREIGN: &[(&str, &str)] = &[
    ("adkim", "alignment"),
    ("aspf", "alignment"),
    ("behavior_on_mx_failure", "on_mx_failure"),
    ("cloud_watch_destination", "cloudwatch"),
    ("custom_redirect_domain", "domain"),
    ("default_configuration_set", "configuration_set"),
    ("dead_letter_queue", "dead_letter"),
    ("delay_seconds", "delay"),
    ("delivery_seconds", "max_delivery"),
    ("dlq", "dead_letter"),
    ("domains", "identities"),
    ("email_forwarding_enabled", "feedback_forwarding"),
    ("event_bridge_destination", "event_bus"),
    ("event_destinations", "events"),
    ("eventbridge", "event_bus"),
    ("filter_policy", "filter"),
    ("fo", "failure_options"),
    ("http", "https"),
    ("https_policy", "https"),
    ("kinesis_firehose_destination", "firehose"),
    ("kms_master_key_id", "encryption_key"),
    ("mail_from_domain", "mail_from"),
    ("matching_event_types", "types"),
    ("matching_types", "types"),
    ("max_delivery_seconds", "max_delivery"),
    ("max_message_size", "max_message_bytes"),
    ("max_receive_count", "max_receives"),
    ("maximum_message_size", "max_message_bytes"),
    ("message_retention_seconds", "retention"),
    ("np", "non_existent_subdomain_policy"),
    ("p", "policy"),
    ("psd", "public_suffix"),
    ("raw_message_delivery", "raw"),
    ("receive_message_wait_time_seconds", "receive_wait"),
    ("receive_wait_time_seconds", "receive_wait"),
    ("redrive_policy", "dead_letter"),
    ("rua", "reports_to"),
    ("ruf", "failure_reports_to"),
    ("sending_enabled", "sending"),
    ("sending_pool_name", "pool"),
    ("signing_enabled", "signing"),
    ("sns", "topic"),
    ("sns_destination", "topic"),
    ("sp", "subdomain_policy"),
    ("sqs", "queue"),
    ("suppressed_reasons", "suppress"),
    ("tls_policy", "tls"),
    ("topic_arn", "topic"),
    ("url", "https"),
    ("visibility_timeout_seconds", "visibility_timeout"),
];

/// Tags that DMARC had until RFC 9989.
const GONE_FROM_DMARC: [&str; 3] = ["pct", "rf", "ri"];

/// What an unknown key was probably meant to be, or where it belongs.
pub(super) fn unknown_key_remedy(name: &str, table: &Table) -> String {
    let fields = || table.fields.keys().map(String::as_str);
    let foreign =
        FOREIGN.iter().find(|(word, here)| *word == name && table.fields.contains_key(*here));
    if let Some((_, here)) = foreign {
        return format!("it is called `{here}` here");
    }
    if let Some(near) = nearest(name, fields()) {
        return format!("did you mean `{near}`?");
    }
    if GONE_FROM_DMARC.contains(&name) && table.fields.contains_key("reports_to") {
        return "RFC 9989 took it out of DMARC; to try a policy out, write `testing = true`"
            .to_owned();
    }
    match places(name).first().map(String::as_str) {
        Some("") => format!("`{name}` belongs at the top level, above the first `[table]`"),
        Some(place) => format!("`{name}` belongs in `[{place}]`"),
        None => format!("the keys here are {}", listed(&fields().collect::<Vec<_>>(), "and")),
    }
}

/// Settings from which DNS records follow.
const WITH_RECORDS: [&str; 4] = ["dkim", "dmarc", "mail_from", "tracking"];

/// What a word that is no value of `setting` was probably meant to be, or why it cannot be one.
pub(super) fn unknown_word_remedy(setting: &str, text: &str, words: &[String]) -> String {
    let is_ignore = setting == "ignore" || setting.ends_with(".ignore");
    if is_ignore && WITH_RECORDS.contains(&text) {
        return format!(
            "DNS records follow from `{text}`, so others cannot change it and mail still pass: `dns = \"manual\"` leaves the \
             records to you"
        );
    }
    match nearest(text, words.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if is_ignore => format!("only these can be left to others: {}", listed(words, "and")),
        None => format!("write {}", listed(words, "or")),
    }
}

/// What a shape is called in a sentence.
pub(super) fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Table(_) | Shape::Named { .. } | Shape::Free => "a table".to_owned(),
        Shape::List { .. } => "an array".to_owned(),
        Shape::Text(None) => "a text".to_owned(),
        Shape::Text(Some(format)) => format!("{}, as a text", format.title),
        Shape::Word(words) => listed(words, "or"),
        Shape::Integer { .. } => "a whole number".to_owned(),
        Shape::Number => "a number".to_owned(),
        Shape::Switch => "true or false".to_owned(),
    }
}

/// The groups of keys of a table of which exactly one must be there.
pub(super) fn choices(table: &Table) -> String {
    let one = |choice: &Choice| {
        let required: Vec<&String> = choice.required.iter().collect();
        listed(&required, "with")
    };
    let all: Vec<String> = table.choices.iter().map(one).collect();
    format!("exactly one of: {}", all.join("; "))
}

/// How a value of the wrong type is most likely put right.
pub(super) fn remedy(node: &Node, shape: &Shape) -> String {
    match (shape, &node.content) {
        (Shape::List { .. }, Content::Text(text)) => format!("write `[\"{}\"]`", shown(text)),
        (Shape::List { .. }, Content::Table(_)) => {
            "write `[{ ... }]`, or a header with two brackets: `[[...]]`".to_owned()
        }
        (Shape::Text(Some(format)), Content::Integer(number)) => {
            match (format.name, u32::try_from(**number)) {
                ("time-span", Ok(seconds)) => {
                    format!("write `\"{}\"` for so many seconds", TimeSpan::from_seconds(seconds))
                }
                _ => format!("write it in quotes: `\"{number}\"`"),
            }
        }
        (Shape::Text(None) | Shape::Word(_), Content::Integer(number)) => {
            format!("write it in quotes: `\"{number}\"`")
        }
        (Shape::Switch, Content::Text(text)) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" => "write `true`, without quotes".to_owned(),
            "false" | "no" | "off" => "write `false`, without quotes".to_owned(),
            _ => plain_remedy(shape),
        },
        (Shape::Integer { .. }, Content::Text(text)) if text.parse::<u32>().is_ok() => {
            format!("write `{text}`, without quotes")
        }
        _ => plain_remedy(shape),
    }
}

/// What a value of this shape looks like, whatever stands in its place.
fn plain_remedy(shape: &Shape) -> String {
    match shape {
        Shape::Table(table) if !table.choices.is_empty() => {
            format!("write a table with {}", choices(table))
        }
        Shape::Table(table) => {
            let fields: Vec<&String> = table.fields.keys().collect();
            format!("write a table with keys from {}", listed(&fields, "and"))
        }
        Shape::Named { .. } | Shape::Free => "write a table: `{ name = ... }`".to_owned(),
        Shape::List { .. } => "write an array: `[...]`".to_owned(),
        // What is said of no text at all is what a text must be.
        Shape::Text(Some(format)) => match (format.normal)("") {
            Err(error) => error.remedy,
            Ok(_) => "write a text in quotes".to_owned(),
        },
        Shape::Text(None) => "write a text in quotes".to_owned(),
        Shape::Word(words) => format!("write {}", listed(words, "or")),
        Shape::Integer { least, most } => format!("write a whole number from {least} to {most}"),
        Shape::Number => "write a number, without quotes".to_owned(),
        Shape::Switch => "write `true` or `false`".to_owned(),
    }
}
