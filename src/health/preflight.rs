//! What a reviewer at AWS looks for, checked before the request is made: a request that is denied cannot be made again.
//!
//! Invariant: every item says what was found, and what to do where it fails.

use serde::{Deserialize, Serialize};

use super::sight::{Dmarc, Sight};
use crate::engine::LiveValue;
use crate::environment::names::IdentityName;
use crate::environment::types::{MailType, Settings};
use crate::kinds::event_destination::{Spec as Destination, Target};
use crate::view::{Record, Verdict};

/// One item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its name, for `--despite`.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub passes: bool,
    /// What was found.
    pub found: String,
    /// What to do about it; empty where it passes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

/// The names of all items.
pub const NAMES: [&str; 8] =
    ["domain", "dkim", "mail-from", "dmarc", "feedback", "suppression", "website", "unsubscribe"];

fn passing(name: &'static str, found: impl Into<String>) -> Item {
    Item { name, passes: true, found: found.into(), remedy: String::new() }
}

fn failing(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Item {
    Item { name, passes: false, found: found.into(), remedy: remedy.into() }
}

/// Checks everything. `command` is what a user types before an environment's name and after the verb: it gives the
/// commands in the remedies.
#[must_use]
pub fn preflight(
    settings: &Settings,
    sight: &Sight,
    command: &dyn Fn(&str) -> String,
) -> Vec<Item> {
    let wait = format!("publish its records, then wait: {} --wait", command("apply"));
    let output = format!("publish the records that this shows: {}", command("output"));
    let mut items = vec![
        domain(settings, sight, &wait),
        dkim(settings, sight, &output),
        mail_from(settings, sight, &wait),
        dmarc(sight),
        feedback(settings, sight),
        suppression(sight),
    ];
    items.extend(website(settings));
    items.extend(unsubscribe(settings));
    items
}

fn domains(settings: &Settings) -> impl Iterator<Item = &IdentityName> {
    settings.identities.keys().filter(|name| !name.is_address())
}

/// The domains of which something is to be said, in one text.
fn listed(wrong: &[String]) -> String {
    wrong.join("; ")
}

fn domain(settings: &Settings, sight: &Sight, remedy: &str) -> Item {
    let names: Vec<String> = domains(settings).map(ToString::to_string).collect();
    if names.is_empty() {
        return failing(
            "domain",
            "the file declares no domain",
            "declare the domain that mail is sent from: AWS trusts a domain more than an address",
        );
    }
    let wrong: Vec<String> = names
        .iter()
        .filter_map(|name| match sight.live("identity", name) {
            None => Some(format!("{name} does not exist")),
            Some(live) => {
                let unverified = live.notes.iter().find(|note| note.starts_with("not verified"));
                unverified.map(|note| format!("{name}: {note}"))
            }
        })
        .collect();
    match wrong.is_empty() {
        true => passing("domain", format!("verified: {}", names.join(", "))),
        false => failing("domain", listed(&wrong), remedy),
    }
}

/// The records of a domain that are for DKIM, and those of them that are not there.
fn dkim(settings: &Settings, sight: &Sight, remedy: &str) -> Item {
    let mut wrong = Vec::new();
    let records = sight.records_by_owner();
    for name in domains(settings).map(ToString::to_string) {
        let records = records.get(&*name).into_iter().flatten().copied();
        let records: Vec<&Record> = records.filter(|it| is_dkim(it)).collect();
        let bad = |it: &Record| it.verdict.as_ref().is_some_and(|it| *it != Verdict::Ok);
        wrong.extend(trouble(&records, bad).map(|what| format!("{name}: {what}")));
        let failed = sight.live("identity", &name).into_iter().flat_map(|live| &live.notes);
        wrong.extend(
            failed.filter(|note| note.starts_with("DKIM")).map(|note| format!("{name}: {note}")),
        );
        if sight.live("identity", &name).is_none() {
            wrong.push(format!("{name} does not exist"));
        }
    }
    match wrong.is_empty() && domains(settings).next().is_some() {
        true => passing("dkim", "every DKIM record is there"),
        false if wrong.is_empty() => {
            failing("dkim", "there is no domain to sign for", "declare one")
        }
        false => failing("dkim", listed(&wrong), remedy),
    }
}

/// How many of these records are bad, and the first of them: a screen has no room for more.
pub(super) fn trouble(records: &[&Record], is_bad: impl Fn(&Record) -> bool) -> Option<String> {
    let bad: Vec<&&Record> = records.iter().filter(|record| is_bad(record)).collect();
    let first = bad.first()?;
    let at = first.name.as_deref().unwrap_or("a record whose name is not known yet");
    let first = format!("{at} {}", verdict(first));
    Some(match bad.len() {
        1 => first,
        count => format!("{count} of {} records: {first}, and {} more", records.len(), count - 1),
    })
}

/// Whether a record is for DKIM.
#[must_use]
pub fn is_dkim(record: &Record) -> bool {
    record.purpose.to_ascii_lowercase().contains("dkim")
}

/// What the DNS says of a record, as the end of a sentence.
#[must_use]
pub fn verdict(record: &Record) -> String {
    match &record.verdict {
        None => "was not looked up".to_owned(),
        Some(Verdict::Ok) => "is there".to_owned(),
        Some(Verdict::Going) => "is removed by the plan".to_owned(),
        Some(Verdict::Missing) => "is missing".to_owned(),
        Some(Verdict::Wrong(found)) => format!("is wrong: found {}", found.join(", ")),
        Some(Verdict::Unanswered(reason)) => format!("is unknown: {reason}"),
    }
}

fn mail_from(settings: &Settings, sight: &Sight, wait: &str) -> Item {
    let mut wrong = Vec::new();
    let mut remedy = wait;
    for name in domains(settings) {
        let text = name.to_string();
        if settings.identities.get(name).is_some_and(|it| it.mail_from.is_none()) {
            wrong.push(format!("{text} has no MAIL FROM of its own"));
            remedy = "write `mail_from = { subdomain = \"mail\" }` for it, and apply";
            continue;
        }
        match sight.live("mail_from", &text) {
            None => wrong.push(format!("the MAIL FROM of {text} is not set")),
            Some(live) => wrong.extend(live.notes.iter().cloned()),
        }
    }
    match wrong.is_empty() {
        true => passing("mail-from", "every domain has a MAIL FROM that SES has found"),
        false => failing("mail-from", listed(&wrong), remedy),
    }
}

fn dmarc(sight: &Sight) -> Item {
    let wrong: Vec<String> = sight
        .dmarc
        .iter()
        .filter_map(|(domain, found)| match found {
            Dmarc::Found { .. } => None,
            Dmarc::Missing => Some(format!("no DMARC record applies to {domain}")),
            Dmarc::Unanswered(reason) => {
                Some(format!("the DMARC record of {domain} is unknown: {reason}"))
            }
        })
        .collect();
    match wrong.is_empty() {
        true => passing("dmarc", "a DMARC record applies to every domain"),
        false => failing(
            "dmarc",
            listed(&wrong),
            "write `dmarc = { policy = \"none\", reports_to = [...] }`",
        ),
    }
}

/// Where bounces and complaints of a set arrive, or why they do not.
fn feedback(settings: &Settings, sight: &Sight) -> Item {
    let mut wrong = Vec::new();
    for set in settings.configuration_sets.keys() {
        let destinations: Vec<(&LiveValue, Destination)> = sight
            .ours("event_destination")
            .filter(|live| live.parent.as_ref().is_some_and(|parent| parent.name() == set.as_str()))
            .filter_map(|live| Some((live, Destination::deserialize(&*live.spec).ok()?)))
            .collect();
        for (kind, what) in [("bounce", "bounces"), ("complaint", "complaints")] {
            let arrives = destinations.iter().any(|(_, it)| {
                it.enabled && it.types.contains(kind) && is_received(&it.target, sight)
            });
            if !arrives {
                wrong.push(format!("{what} of mail through `{set}` reach nobody who confirmed"));
            }
        }
    }
    if settings.configuration_sets.is_empty() {
        wrong.push("there is no configuration set".to_owned());
    }
    match wrong.is_empty() {
        true => passing("feedback", "bounces and complaints of every set are received"),
        false => failing(
            "feedback",
            listed(&wrong),
            "send `bounce` and `complaint` events to a topic, and have a subscriber of it confirm",
        ),
    }
}

/// Whether somebody who exists gets what goes to a destination.
fn is_received(target: &Target, sight: &Sight) -> bool {
    match target {
        Target::Topic(arn) => sight.ours("subscription").any(|live| {
            let is_pending = live.outputs.get("pending").and_then(serde_json::Value::as_bool);
            live.spec.get("topic").and_then(serde_json::Value::as_str) == Some(arn)
                && is_pending != Some(true)
        }),
        Target::EventBus(_) | Target::Firehose { .. } => true,
        Target::Cloudwatch(_) | Target::Pinpoint(_) => false,
    }
}

fn suppression(sight: &Sight) -> Item {
    let missing: Vec<&str> = ["bounce", "complaint"]
        .into_iter()
        .filter(|reason| !sight.suppressed.contains(*reason))
        .collect();
    match missing.is_empty() {
        true => {
            passing("suppression", "the account suppresses addresses that bounced or complained")
        }
        false => failing(
            "suppression",
            format!("the account's suppression list ignores: {}", missing.join(", ")),
            "write `suppress = [\"bounce\", \"complaint\"]` in `[account]`, and apply",
        ),
    }
}

fn website(settings: &Settings) -> Option<Item> {
    let access = settings.account.production_access.as_ref()?;
    let url = access.website.to_string();
    let host = url.strip_prefix("https://").unwrap_or(&url);
    let host = host.split(['/', ':', '?']).next().unwrap_or(host).to_ascii_lowercase();
    let under = |name: &str, above: &str| name == above || name.ends_with(&format!(".{above}"));
    let is_ours = domains(settings).any(|name| {
        let name = name.to_string();
        let without = host.strip_prefix("www.").unwrap_or(&host);
        under(without, &name) || under(&name, without)
    });
    Some(match is_ours {
        true => {
            passing("website", format!("{url} is on a domain that mail is sent from, over https"))
        }
        false => failing(
            "website",
            format!("{url} is on none of the domains that mail is sent from"),
            "name the website that belongs to the mail: reviewers compare the two",
        ),
    })
}

fn unsubscribe(settings: &Settings) -> Option<Item> {
    let access = settings.account.production_access.as_ref()?;
    match (&access.unsubscribe, access.mail_type) {
        (Some(url), _) => Some(passing("unsubscribe", format!("readers opt out at {url}"))),
        (None, MailType::Marketing) => Some(failing(
            "unsubscribe",
            "there is no place to opt out at",
            "write `unsubscribe` in `[account.production_access]`",
        )),
        (None, MailType::Transactional) => None,
    }
}
