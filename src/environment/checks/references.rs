//! References: a name is declared in the file, and an ARN leads where the service can follow.

use super::{Assumes, Check, Report, Subject, suggestion};
use crate::environment::finding::Severity;
use crate::environment::names::{Arn, QueueName};
use crate::environment::types::{Encryption, Endpoint, EventTarget};
use crate::environment::words;
use crate::environment::{
    names,
    types::{DeadLetter, Settings},
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "dangling-reference",
        severity: Severity::Error,
        rule: "A set, topic, queue or identity that is referred to by name is declared in the file.",
        assumes: Assumes::Nothing,
        run: dangling,
    },
    Check {
        id: "wrong-region",
        severity: Severity::Error,
        rule: "What SES, SNS and SQS use together by ARN lies in the Region of the environment.",
        assumes: Assumes::Nothing,
        run: wrong_region,
    },
    Check {
        id: "wrong-account",
        severity: Severity::Error,
        rule: "Default sets, the event bus and the role of the run belong to the account of the environment.",
        assumes: Assumes::Nothing,
        run: wrong_account,
    },
    Check {
        id: "arn-of-declared",
        severity: Severity::Warning,
        rule: "What the file declares is referred to by its name, so that the order of changes is known.",
        assumes: Assumes::Nothing,
        run: arn_of_declared,
    },
];

/// One reference: where it stands, what it refers to, and in which section that would be declared.
struct Reference {
    path: Vec<String>,
    target: Target,
    section: &'static str,
    what: &'static str,
}

enum Target {
    Name(String),
    Arn(Arn),
}

impl Reference {
    fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

macro_rules! target {
    ($kind:ident, $reference:expr) => {
        match $reference {
            names::$kind::Named(name) => Target::Name(name.to_string()),
            names::$kind::Elsewhere(arn) => Target::Arn(arn.clone()),
        }
    };
}

fn strings(path: &[&str]) -> Vec<String> {
    path.iter().map(|step| (*step).to_owned()).collect()
}

/// Every reference of the file to something that it could declare.
fn references(subject: &Subject<'_>) -> Vec<Reference> {
    let mut all = Vec::new();
    let mut add = |path: &[&str], target, section, what| {
        all.push(Reference { path: strings(path), target, section, what });
    };
    let settings = subject.settings();
    for (name, identity) in &settings.identities {
        if let Some(set) = &identity.configuration_set {
            let path = ["identities", &name.to_string(), "configuration_set"];
            add(&path, target!(SetReference, set), "configuration_sets", "configuration set");
        }
    }
    for (set, settings) in &settings.configuration_sets {
        for (name, event) in &settings.events {
            if let EventTarget::Topic(topic) = &event.target {
                let path = ["configuration_sets", set.as_str(), "events", name.as_str(), "topic"];
                add(&path, target!(TopicReference, topic), "topics", "topic");
            }
        }
    }
    for (topic, settings) in &settings.topics {
        for (index, subscription) in settings.subscriptions.iter().enumerate() {
            let index = index.to_string();
            let path = ["topics", topic.as_str(), "subscriptions", &index];
            if let Endpoint::Queue(queue) = &subscription.endpoint {
                add(
                    &[&path[..], &["queue"]].concat(),
                    target!(QueueReference, queue),
                    "queues",
                    "queue",
                );
            }
            if let Some(queue) = &subscription.dead_letter {
                add(
                    &[&path[..], &["dead_letter"]].concat(),
                    target!(QueueReference, queue),
                    "queues",
                    "queue",
                );
            }
        }
    }
    for (name, queue) in &settings.queues {
        if let Some(DeadLetter { queue: Some(target), .. }) = &queue.dead_letter {
            let path = ["queues", name.as_str(), "dead_letter", "queue"];
            add(&path, target!(QueueReference, target), "queues", "queue");
        }
    }
    for (name, policy) in &settings.send_policies {
        for identity in policy.identities.iter().flatten() {
            let path = ["send_policies", name.as_str(), "identities", &identity.to_string()];
            add(&path, target!(IdentityReference, identity), "identities", "identity");
        }
        for set in policy.configuration_sets.iter().flatten() {
            let path = ["send_policies", name.as_str(), "configuration_sets", &set.to_string()];
            add(&path, target!(SetReference, set), "configuration_sets", "configuration set");
        }
    }
    all.extend(references_of_alarms(settings));
    all
}

/// Every topic that alarms name.
fn references_of_alarms(settings: &Settings) -> Vec<Reference> {
    let mut all = Vec::new();
    let mut add = |path: &[&str], target| {
        all.push(Reference { path: strings(path), target, section: "topics", what: "topic" });
    };
    let Some(alarms) = &settings.alarms else { return all };
    add(&["alarms", "topic"], target!(TopicReference, &alarms.topic));
    for (name, alarm) in &alarms.custom {
        let given = [
            ("on_alarm", alarm.on_alarm.as_ref()),
            ("on_ok", alarm.on_ok.as_ref()),
            ("on_no_data", Some(&alarm.on_no_data)),
        ];
        for (key, actions) in given {
            for action in actions.into_iter().flatten() {
                // What an ARN leads to may be anything that CloudWatch acts on.
                if let names::AlarmAction::Topic(topic) = action {
                    let path = ["alarms", "custom", name.as_str(), key, topic.as_str()];
                    add(&path, Target::Name(topic.to_string()));
                }
            }
        }
    }
    all
}

/// The names that a section declares, those of dead-letter queues that are made by themselves included.
fn declared(subject: &Subject<'_>, section: &str) -> Vec<String> {
    let mut names = subject.declared(section);
    if section == "queues" {
        let implied = |(name, queue): (&QueueName, &crate::environment::types::Queue)| {
            let made = queue.dead_letter.as_ref().is_some_and(|dead| dead.queue.is_none());
            made.then(|| format!("{name}{}", DeadLetter::SUFFIX))
        };
        names.extend(subject.settings().queues.iter().filter_map(implied));
    }
    names
}

fn dangling(subject: &Subject<'_>, report: &mut Report<'_>) {
    let sections = ["identities", "configuration_sets", "topics", "queues"];
    let declared: BTreeMap<_, Vec<String>> =
        sections.into_iter().map(|section| (section, declared(subject, section))).collect();
    let known: BTreeMap<_, BTreeSet<&String>> =
        declared.iter().map(|(section, names)| (*section, names.iter().collect())).collect();
    for reference in references(subject) {
        let Target::Name(name) = &reference.target else { continue };
        if !known[reference.section].contains(name) {
            report.add(
                &reference.path(),
                format!("there is no {} `{}`", reference.what, words::shown(name)),
                format!("not declared in `[{}]`", reference.section),
                suggestion(name, &declared[reference.section], reference.section),
            );
        }
    }
}

fn arn_of_declared(subject: &Subject<'_>, report: &mut Report<'_>) {
    let (Some(account), Some(region)) = (subject.account(), subject.region()) else { return };
    for reference in references(subject) {
        let Target::Arn(arn) = &reference.target else { continue };
        let name = arn.resource().rsplit_once('/').map_or(arn.resource(), |(_, name)| name);
        let here = arn.account() == account.as_str() && arn.region() == region.as_str();
        if here && declared(subject, reference.section).iter().any(|declared| declared == name) {
            report.add(
                &reference.path(),
                format!("the {} `{name}` of this file is referred to by its ARN", reference.what),
                "changes cannot be put in order by an ARN",
                format!("write `{name}`"),
            );
        }
    }
}

/// An ARN with the path that it stands at, and why it must lie here.
type Bound = (Vec<String>, Arn, &'static str);

/// Every reference by ARN that must lie in the Region.
fn regional_references(subject: &Subject<'_>) -> Vec<Bound> {
    let bound = |reference: Reference| {
        let below_queue = reference.path.first().is_some_and(|first| first == "queues");
        // A queue may receive from a topic of another Region; a send policy may name any identity.
        let why = match (reference.section, reference.path.last()?.as_str()) {
            ("configuration_sets", "configuration_set") => {
                "a default set is one of the same Region"
            }
            ("topics", _) => "SES publishes only to topics of its own Region",
            ("queues", "dead_letter") => "a dead-letter queue lies in the Region of its topic",
            ("queues", _) if below_queue => "a dead-letter queue lies in the Region of its queue",
            _ => return None,
        };
        match reference.target {
            Target::Arn(arn) => Some((reference.path, arn, why)),
            Target::Name(_) => None,
        }
    };
    references(subject).into_iter().filter_map(bound).collect()
}

/// Every other ARN that must lie in the Region.
fn regional(subject: &Subject<'_>) -> Vec<Bound> {
    const KEY: &str = "a key encrypts only in its own Region";
    let settings = subject.settings();
    let mut all = Vec::new();
    let mut add = |path: &[&str], text: &str, why| {
        all.extend(Arn::parse(text).ok().map(|arn| (strings(path), arn, why)));
    };
    for (set, settings) in &settings.configuration_sets {
        if let Some(archive) = &settings.archive {
            let path = ["configuration_sets", set.as_str(), "archive"];
            add(&path, archive.as_str(), "an archive is one of the same Region");
        }
        for (name, event) in &settings.events {
            let path = |last: &[&'static str]| {
                [&["configuration_sets", set.as_str(), "events", name.as_str()], last].concat()
            };
            match &event.target {
                EventTarget::EventBus(bus) => {
                    add(
                        &path(&["event_bus"]),
                        &bus.to_string(),
                        "SES publishes only to the bus of its own Region",
                    );
                }
                EventTarget::Firehose(firehose) => {
                    let stream = firehose.stream.to_string();
                    add(
                        &path(&["firehose", "stream"]),
                        &stream,
                        "SES delivers only to streams of its own Region",
                    );
                }
                EventTarget::Topic(_) | EventTarget::Cloudwatch(_) => {}
            }
        }
    }
    for (topic, settings) in &settings.topics {
        if let Some(key) = &settings.encryption_key {
            add(&["topics", topic.as_str(), "encryption_key"], key.as_str(), KEY);
        }
    }
    for (queue, settings) in &settings.queues {
        if let Encryption::Key(key) = &settings.encryption {
            add(&["queues", queue.as_str(), "encryption"], key.as_str(), KEY);
        }
    }
    all
}

fn wrong_region(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(region) = subject.region() else { return };
    for (path, arn, why) in regional_references(subject).into_iter().chain(regional(subject)) {
        if !arn.region().is_empty() && arn.region() != region.as_str() {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            report.add(
                &path,
                format!(
                    "this ARN is of `{}`, the environment is in `{region}`",
                    words::shown(arn.region())
                ),
                why,
                format!("use one in `{region}`"),
            );
        }
    }
}

fn wrong_account(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(account) = subject.account() else { return };
    let settings = subject.settings();
    let mut owned: Vec<Bound> = Vec::new();
    for reference in references(subject) {
        if let ("configuration_sets", Some("configuration_set"), Target::Arn(arn)) =
            (reference.section, reference.path.last().map(String::as_str), reference.target)
        {
            owned.push((reference.path, arn, "a default set is one of the same account"));
        }
    }
    if let Some(role) = &settings.aws.role
        && let Ok(arn) = Arn::parse(role.as_str())
    {
        owned.push((strings(&["aws", "role"]), arn, "credentials of another account are refused"));
    }
    for (set, settings) in &settings.configuration_sets {
        for (name, event) in &settings.events {
            let (key, text) = match &event.target {
                EventTarget::EventBus(bus) => ("event_bus", bus.to_string()),
                EventTarget::Firehose(firehose) => ("firehose", firehose.role.to_string()),
                EventTarget::Topic(_) | EventTarget::Cloudwatch(_) => continue,
            };
            let path = ["configuration_sets", set.as_str(), "events", name.as_str(), key];
            if let Ok(arn) = Arn::parse(&text) {
                owned.push((strings(&path), arn, "SES reaches only its own account here"));
            }
        }
    }
    for (path, arn, why) in owned {
        if !arn.account().is_empty() && arn.account() != account.as_str() {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            report.add(
                &path,
                format!(
                    "this ARN is of account `{}`, the environment is of `{account}`",
                    arn.account()
                ),
                why,
                format!("use one of account `{account}`"),
            );
        }
    }
}
