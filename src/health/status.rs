//! Whether mail works: what an engineer who was just woken needs to see, each thing with its level and what to do.
//!
//! Invariant: pure. Everything was read before; a thing that is not known is a warning, never good.

use std::collections::BTreeMap;

use serde::Serialize;

use super::access::Standing;
use super::metrics::{Count, Daily};
use super::preflight::{is_dkim, trouble, verdict};
use super::sight::{Dmarc, Sight};
use super::{Level, Problem};
use crate::engine::LiveValue;
use crate::environment::Environment;
use crate::environment::types::QuotaWanted;
use crate::view::{Record, Verdict};

/// From here on AWS reviews an account, and from there on it may pause it (developer guide, "Sending review process FAQs").
const BOUNCES: (f64, f64) = (0.05, 0.10);
const COMPLAINTS: (f64, f64) = (0.001, 0.005);

/// One line of the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How it stands.
    pub level: Level,
    /// What it is about: a domain, a set, a queue.
    pub name: String,
    /// What is to be seen.
    pub says: String,
    /// What belongs to it, such as the records of a domain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// A rate that AWS judges an account by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// How it stands.
    pub level: Level,
    /// The latest value, as a fraction; none: SES gave none in these days.
    pub now: Option<f64>,
    /// Where AWS reviews an account.
    pub review_at: f64,
    /// Where AWS may pause it.
    pub pause_at: f64,
    /// By day, oldest first, today's last.
    pub days: Daily,
}

/// Whether mail works.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The environment.
    pub environment: String,
    /// The project.
    pub project: String,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// How it stands, all in all.
    pub level: Level,
    /// What SES says of the account.
    pub standing: Standing,
    /// The share of the daily quota that is used.
    pub share: Option<f64>,
    /// Mails by day, oldest first, today's last; none: CloudWatch could not be asked.
    pub sent: Option<Daily>,
    /// The bounce rate.
    pub bounces: Option<Rate>,
    /// The complaint rate.
    pub complaints: Option<Rate>,
    /// The domains and addresses that mail is sent from.
    pub identities: Vec<Line>,
    /// The configuration sets.
    pub sets: Vec<Line>,
    /// The topics, each with its subscribers.
    pub topics: Vec<Line>,
    /// The queues.
    pub queues: Vec<Line>,
    /// The alarms.
    pub alarms: Vec<Line>,
    /// What is wrong, worst first, and what to do.
    pub problems: Vec<Problem>,
}

/// What was read beside the sight.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// What CloudWatch counted; none: it could not be asked.
    pub metrics: Option<BTreeMap<Count, Daily>>,
    /// Messages in each queue, read and unread; none: it could not be asked.
    pub messages: BTreeMap<String, Option<u64>>,
}

/// Judges what is to be seen.
#[must_use]
pub fn judge(environment: &Environment, sight: &Sight, counts: &Counts, program: &str) -> Status {
    let settings = &environment.settings;
    let name = environment.name.to_string();
    let warn_at = settings.account.quota.map_or_else(QuotaWanted::default_warn_at, |it| it.warn_at);
    let mut judging = Judging {
        records: sight.records_by_owner(),
        sight,
        counts,
        program,
        name: &name,
        problems: sight.standing.problems(warn_at.fraction(), program, &name),
    };
    let rate = |judging: &mut Judging<'_>, count, limits, what| {
        let days = judging.counts.metrics.as_ref()?.get(&count)?.clone();
        Some(judging.rate(days, limits, what))
    };
    let bounces = rate(&mut judging, Count::BounceRate, BOUNCES, "bounce");
    let complaints = rate(&mut judging, Count::ComplaintRate, COMPLAINTS, "complaint");
    if counts.metrics.is_none() {
        judging.problems.push(Problem::warning(
            "CloudWatch could not be asked about the rates",
            format!("allow cloudwatch:GetMetricData: {program} permissions {name} --status"),
        ));
    }
    let identities = settings.identities.iter();
    let identities = identities
        .map(|(name, identity)| judging.identity(&name.to_string(), identity.mail_from.is_some()))
        .collect();
    let sets = settings.configuration_sets.keys().map(|name| judging.set(name.as_str())).collect();
    let topics = settings.topics.keys().map(|name| judging.topic(name.as_str())).collect();
    let queues = judging.queues();
    let alarms = judging.alarms();
    let mut problems = judging.problems;
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.level));
    Status {
        environment: name.clone(),
        project: settings.project.to_string(),
        account: settings.aws.account.to_string(),
        region: settings.aws.region.to_string(),
        level: problems.iter().map(|problem| problem.level).max().unwrap_or_default(),
        standing: sight.standing.clone(),
        share: sight.standing.share(),
        sent: counts.metrics.as_ref().and_then(|metrics| metrics.get(&Count::Sends)).cloned(),
        bounces,
        complaints,
        identities,
        sets,
        topics,
        queues,
        alarms,
        problems,
    }
}

struct Judging<'a> {
    sight: &'a Sight,
    records: BTreeMap<&'a str, Vec<&'a Record>>,
    counts: &'a Counts,
    program: &'a str,
    name: &'a str,
    problems: Vec<Problem>,
}

impl Judging<'_> {
    fn rate(&mut self, days: Daily, (review_at, pause_at): (f64, f64), what: &str) -> Rate {
        let now = days.iter().rev().find_map(|day| *day);
        let percent = |fraction: f64| format!("{} %", trimmed(fraction * 100.0));
        let level = match now {
            Some(now) if now >= pause_at => Level::Bad,
            Some(now) if now >= review_at => Level::Warning,
            _ => Level::Good,
        };
        if let Some(now) = now.filter(|_| level > Level::Good) {
            let limit = if level == Level::Bad { pause_at } else { review_at };
            let does = if level == Level::Bad { "may pause" } else { "reviews" };
            self.problems.push(Problem {
                level,
                what: format!(
                    "the {what} rate is {}: AWS {does} an account from {} on",
                    percent(now),
                    percent(limit)
                ),
                remedy: format!(
                    "find out from the {what} events which mail it is, and stop sending that"
                ),
            });
        }
        Rate { level, now, review_at, pause_at, days }
    }

    /// Something that is declared and not there.
    fn absent(&mut self, address: &str, name: &str) -> Line {
        self.problems.push(Problem::bad(
            format!("{address} does not exist"),
            format!("make it: {} apply {}", self.program, self.name),
        ));
        Line {
            level: Level::Bad,
            name: name.to_owned(),
            says: "does not exist".to_owned(),
            details: Vec::new(),
        }
    }

    fn identity(&mut self, name: &str, has_mail_from: bool) -> Line {
        let Some(live) = self.sight.live("identity", name) else {
            return self.absent(&format!("identity.{name}"), name);
        };
        let mut level = Level::Good;
        let mut says = Vec::new();
        match live.notes.iter().find(|note| note.starts_with("not verified")) {
            Some(note) => {
                level = Level::Bad;
                says.push("not verified".to_owned());
                self.problems.push(Problem::bad(
                    format!("{name} is {note}"),
                    format!("publish its records: {} output {}", self.program, self.name),
                ));
            }
            None => says.push("verified".to_owned()),
        }
        for note in live.notes.iter().filter(|note| note.starts_with("DKIM")) {
            level = level.max(Level::Bad);
            self.problems.push(Problem::bad(
                format!("{name}: {note}"),
                "put the DKIM records back, or mail leaves unsigned",
            ));
        }
        let records = self.records.remove(name).unwrap_or_default();
        let dkim: Vec<&&Record> = records.iter().filter(|it| is_dkim(it)).collect();
        if !dkim.is_empty() {
            let there = dkim.iter().filter(|it| it.verdict == Some(Verdict::Ok)).count();
            says.push(format!("DKIM {there} of {} records", dkim.len()));
        }
        level = level.max(self.dns(name, &records));
        if has_mail_from {
            level = level.max(self.mail_from(name, &mut says));
        }
        if let Some(found) = self.sight.dmarc.get(name) {
            level = level.max(self.dmarc(name, found, &mut says));
        }
        let details = records.iter().map(|record| {
            let at = record.name.as_deref().unwrap_or("a record not known yet");
            format!("{} {} {at} {}", record.purpose, record.kind, verdict(record))
        });
        Line { level, name: name.to_owned(), says: says.join(", "), details: details.collect() }
    }

    /// What the DNS says of the records of a domain. No answer is no fault of the domain's.
    fn dns(&mut self, name: &str, records: &[&Record]) -> Level {
        let is_wrong =
            |it: &Record| matches!(it.verdict, Some(Verdict::Missing | Verdict::Wrong(_)));
        let Some(wrong) = trouble(records, is_wrong) else { return Level::Good };
        self.problems.push(Problem::warning(
            format!("the DNS of {name}: {wrong}"),
            format!(
                "put them back: {} apply {}, or tell whoever runs the DNS",
                self.program, self.name
            ),
        ));
        Level::Warning
    }

    fn mail_from(&mut self, name: &str, says: &mut Vec<String>) -> Level {
        let live = self.sight.live("mail_from", name);
        match live {
            None => {
                says.push("no MAIL FROM".to_owned());
                self.problems.push(Problem::warning(
                    format!(
                        "the MAIL FROM of {name} is not set: SPF passes for amazonses.com only"
                    ),
                    format!("set it: {} apply {}", self.program, self.name),
                ));
                Level::Warning
            }
            Some(live) => {
                let domain = live.spec.get("domain").and_then(serde_json::Value::as_str);
                let domain = domain.unwrap_or_default();
                if live.notes.is_empty() {
                    says.push(format!("MAIL FROM {domain}"));
                    return Level::Good;
                }
                says.push(format!("MAIL FROM {domain} not found"));
                self.problems.push(Problem::warning(
                    format!("{name}: {}", live.notes.join("; ")),
                    format!("publish its MX record: {} output {}", self.program, self.name),
                ));
                Level::Warning
            }
        }
    }

    fn dmarc(&mut self, name: &str, found: &Dmarc, says: &mut Vec<String>) -> Level {
        match found {
            Dmarc::Found { text, .. } => {
                let policy = text.split(';').map(str::trim).find(|tag| tag.starts_with("p="));
                says.push(format!("DMARC {}", policy.unwrap_or("without a policy")));
                Level::Good
            }
            Dmarc::Missing => {
                says.push("no DMARC".to_owned());
                self.problems.push(Problem::warning(
                    format!(
                        "no DMARC record applies to {name}: large receivers may refuse its mail"
                    ),
                    "write `dmarc = { policy = \"none\" }`, or ask whoever runs the DNS for one",
                ));
                Level::Warning
            }
            Dmarc::Unanswered(reason) => {
                says.push(format!("DMARC not known ({reason})"));
                Level::Good
            }
        }
    }

    fn set(&mut self, name: &str) -> Line {
        let Some(live) = self.sight.live("configuration_set", name) else {
            return self.absent(&format!("configuration_set.{name}"), name);
        };
        let sends = live.spec.get("sending").and_then(serde_json::Value::as_bool).unwrap_or(true);
        let destinations = self
            .sight
            .ours("event_destination")
            .filter(|live| live.parent.as_ref().is_some_and(|parent| parent.name() == name));
        let destinations = destinations.count();
        let says = format!(
            "{}, {destinations} event destination{}",
            if sends { "sends" } else { "does not send" },
            if destinations == 1 { "" } else { "s" }
        );
        if !sends {
            self.problems.push(Problem::bad(
                format!("sending through the set {name} is switched off"),
                "write `sending = true` and apply, or find out who switched it off and why",
            ));
        }
        let level = if sends { Level::Good } else { Level::Bad };
        Line { level, name: name.to_owned(), says, details: Vec::new() }
    }

    fn topic(&mut self, name: &str) -> Line {
        if self.sight.live("topic", name).is_none() {
            return self.absent(&format!("topic.{name}"), name);
        }
        let mut level = Level::Good;
        let mut details = Vec::new();
        let subscribers: Vec<&LiveValue> = self
            .sight
            .ours("subscription")
            .filter(|live| live.parent.as_ref().is_some_and(|parent| parent.name() == name))
            .collect();
        for live in &subscribers {
            let who = live.address.name().split_once('/').map_or("", |(_, who)| who);
            if live.notes.is_empty() {
                details.push(format!("{who} confirmed"));
                continue;
            }
            level = Level::Warning;
            details.push(format!("{who}: {}", live.notes.join("; ")));
            let notes = live.notes.iter();
            let short: Vec<&str> = notes
                .map(|note| note.split_once(':').map_or(&note[..], |(what, _)| what))
                .collect();
            self.problems.push(Problem::warning(
                format!("{who} gets nothing of the topic {name}: {}", short.join("; ")),
                "have the subscription confirmed: the link is in the message that SNS sent",
            ));
        }
        let says = format!(
            "{} subscriber{}",
            subscribers.len(),
            if subscribers.len() == 1 { "" } else { "s" }
        );
        Line { level, name: name.to_owned(), says, details }
    }

    fn queues(&mut self) -> Vec<Line> {
        let names: Vec<String> =
            self.sight.ours("queue").map(|live| live.address.name().to_owned()).collect();
        let targets: Vec<String> =
            self.sight
                .ours("queue")
                .filter_map(|live| {
                    live.spec.get("dead_letter")?.get("queue")?.as_str().map(ToOwned::to_owned)
                })
                .chain(self.sight.ours("subscription").filter_map(|live| {
                    live.spec.get("dead_letter")?.as_str().map(ToOwned::to_owned)
                }))
                .collect();
        let mut lines = Vec::new();
        for name in names {
            let is_dead_letter = targets.iter().any(|arn| arn.rsplit(':').next() == Some(&name));
            lines.push(self.queue(&name, is_dead_letter));
        }
        lines
    }

    fn queue(&mut self, name: &str, is_dead_letter: bool) -> Line {
        let messages = self.counts.messages.get(name).copied().flatten();
        let says = match messages {
            Some(1) => "1 message".to_owned(),
            Some(count) => format!("{count} messages"),
            None => "not known".to_owned(),
        };
        let level = match messages {
            Some(count) if is_dead_letter && count > 0 => {
                self.problems.push(Problem::warning(
                    format!("{says} in the dead-letter queue {name}: nobody could handle them"),
                    "read one to see why, mend the reader, then redrive the queue",
                ));
                Level::Warning
            }
            _ => Level::Good,
        };
        Line { level, name: name.to_owned(), says, details: Vec::new() }
    }

    fn alarms(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        for live in self.sight.ours("alarm") {
            let name = live.address.name();
            let off = live.notes.iter().find(|note| note.starts_with("has gone off"));
            if let Some(note) = off {
                let meaning = live.spec.get("description").and_then(serde_json::Value::as_str);
                self.problems.push(Problem::warning(
                    format!("the alarm {name} {note}"),
                    meaning.unwrap_or("look at its metric in CloudWatch"),
                ));
            }
            lines.push(Line {
                level: if off.is_some() { Level::Warning } else { Level::Good },
                name: name.to_owned(),
                says: if off.is_some() { "has gone off" } else { "quiet" }.to_owned(),
                details: Vec::new(),
            });
        }
        lines
    }
}

/// A number with at most three digits after the point, and none that say nothing.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
