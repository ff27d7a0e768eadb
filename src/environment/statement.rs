//! The statement that reviewers at AWS read: what somebody wrote, with the facts of the environment filled in.
//!
//! Invariant: what is sent fits into AWS's limit, and no placeholder is left in it.

use super::Environment;
use super::finding::Finding;
use super::names::RelativePath;
use super::types::{
    Dkim, Endpoint, EventTarget, EventType, ProductionAccess, Settings, Statement as Source,
};
use super::words::{listed, nearest};
use std::fmt::Write as _;
use std::path::Path;

/// What AWS takes for a use case description, in characters (SES `PutAccountDetails`).
const LONGEST: usize = 5_000;

/// What stands between what is sent and what is for the support case only.
const CASE_ONLY: &str = "<!-- for the support case -->";

/// What the placeholders of a statement are called.
const PLACEHOLDERS: [&str; 11] = [
    "account",
    "addresses",
    "daily",
    "domains",
    "environment",
    "feedback",
    "per_second",
    "region",
    "sample_mail",
    "unsubscribe",
    "website",
];

/// The statement of an environment, filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What is sent as the use case description.
    pub submitted: String,
    /// All of it, for the support case.
    pub whole: String,
}

/// Reads the statement of `environment`, if it declares one.
pub(super) fn read(
    root: &Path,
    environment: &Environment,
    findings: &mut Vec<Finding>,
) -> Option<Statement> {
    let access = environment.settings.account.production_access.as_ref()?;
    let folder = root.join("environments");
    let key = match &access.statement {
        Source::Statement(_) => "statement",
        Source::StatementFile(_) => "statement_file",
    };
    let text = match &access.statement {
        Source::Statement(text) => Some(text.clone()),
        Source::StatementFile(path) => read_file(&folder, path, environment, key, findings),
    };
    let sample = access.sample_mail_file.as_ref();
    let sample =
        sample.map(|path| read_file(&folder, path, environment, "sample_mail_file", findings));
    // A file that cannot be read was reported; without it there is nothing more to judge.
    let sample = match sample {
        None => None,
        Some(read) => Some(read?),
    };
    let filled = fill(&text?, environment, access, sample.as_deref(), key, findings)?;
    let (submitted, rest) = filled.split_once(CASE_ONLY).unwrap_or((&filled, ""));
    let submitted = submitted.trim().to_owned();
    let whole = [&submitted, rest.trim()].map(str::trim).join("\n\n").trim().to_owned();
    let count = submitted.chars().count();
    if count > LONGEST || count == 0 {
        let help = format!(
            "shorten it, or put what reviewers may ask for later below a line `{CASE_ONLY}`"
        );
        findings.push(environment.finding(
            "statement-length",
            &["account", "production_access", key],
            format!("the statement has {count} characters with everything filled in"),
            format!("AWS takes 1 to {LONGEST}"),
            help,
        ));
        return None;
    }
    Some(Statement { submitted, whole })
}

fn read_file(
    folder: &Path,
    path: &RelativePath,
    environment: &Environment,
    key: &str,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    match std::fs::read_to_string(folder.join(path.as_str())) {
        Ok(text) => Some(text),
        Err(error) => {
            findings.push(environment.finding(
                "statement-unreadable",
                &["account", "production_access", key],
                format!("`environments/{path}` cannot be read: {error}"),
                "no such text",
                "the file is named from the folder of the environment files",
            ));
            None
        }
    }
}

/// The text with every placeholder replaced; `None` if that cannot be.
fn fill(
    text: &str,
    environment: &Environment,
    access: &ProductionAccess,
    sample: Option<&str>,
    key: &str,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_right = true;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        rest = after;
        match fact(name.trim(), environment, access, sample) {
            Ok(value) => filled.push_str(&value),
            Err((label, help)) => {
                is_right = false;
                findings.push(environment.finding(
                    "statement-placeholder",
                    &["account", "production_access", key],
                    format!("the statement says `{{{{{}}}}}`", super::words::shown(name.trim())),
                    label,
                    help,
                ));
            }
        }
    }
    filled.push_str(rest);
    is_right.then_some(filled)
}

/// What a placeholder stands for, or why it stands for nothing and what to do.
fn fact(
    name: &str,
    environment: &Environment,
    access: &ProductionAccess,
    sample: Option<&str>,
) -> Result<String, (String, String)> {
    let settings = &environment.settings;
    let missing = |key: &str| {
        Err((
            format!("`{}` has no `{key}`", environment.name),
            format!(
                "write `{key}` in environments/{}.toml, or remove the placeholder",
                environment.name
            ),
        ))
    };
    let quota = settings.account.quota;
    Ok(match name {
        "environment" => environment.name.to_string(),
        "account" => settings.aws.account.to_string(),
        "region" => settings.aws.region.to_string(),
        "website" => access.website.to_string(),
        "domains" => names(settings, false),
        "addresses" => senders(settings),
        "feedback" => feedback(settings),
        "daily" => match quota {
            Some(quota) => grouped(quota.daily),
            None => return missing("account.quota"),
        },
        "per_second" => match quota {
            Some(quota) => grouped(quota.per_second),
            None => return missing("account.quota"),
        },
        "unsubscribe" => match &access.unsubscribe {
            Some(url) => url.to_string(),
            None => return missing("account.production_access.unsubscribe"),
        },
        "sample_mail" => match sample {
            Some(text) => text.trim().to_owned(),
            None => return missing("account.production_access.sample_mail_file"),
        },
        unknown => {
            let help = match nearest(unknown, PLACEHOLDERS) {
                Some(near) => format!("did you mean `{{{{{near}}}}}`?"),
                None => format!("the placeholders are {}", listed(&PLACEHOLDERS, "and")),
            };
            return Err(("stands for nothing".to_owned(), help));
        }
    })
}

/// 50,000 rather than 50000.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The domains, each with how it is signed and answered; or the addresses.
fn names(settings: &Settings, addresses: bool) -> String {
    let all = settings.identities.iter().filter(|(name, _)| name.is_address() == addresses);
    let lines = all.map(|(name, identity)| {
        let mut line = format!("- {name}: DKIM ");
        line.push_str(match &identity.dkim {
            Some(Dkim::External { .. }) => "with a key of our own",
            _ => "(Easy DKIM)",
        });
        if let Some(mail_from) = &identity.mail_from {
            // Writing to a String cannot fail, here and below.
            let _ = write!(line, ", MAIL FROM {}.{name} (SPF)", mail_from.subdomain);
        }
        if identity.dmarc.is_some() {
            line.push_str(", DMARC");
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// From which addresses mail is sent.
fn senders(settings: &Settings) -> String {
    let from = settings.send_policies.values().flat_map(|policy| &policy.from);
    let mut from: Vec<String> = from.map(ToString::to_string).collect();
    from.sort();
    from.dedup();
    from.join(", ")
}

/// How bounces and complaints are handled, from what the file declares of it.
fn feedback(settings: &Settings) -> String {
    let mut text = String::new();
    for (set, of) in &settings.configuration_sets {
        for destination in of.events.values().filter(|it| it.enabled) {
            let told = [(EventType::Bounce, "bounces"), (EventType::Complaint, "complaints")];
            let told = told.iter().filter(|(kind, _)| destination.types.contains(kind));
            let told: Vec<&str> = told.map(|(_, name)| *name).collect();
            let EventTarget::Topic(topic) = &destination.target else { continue };
            if told.is_empty() {
                continue;
            }
            let _ = write!(
                text,
                "- mail through `{set}`: {} go to the SNS topic `{}`",
                told.join(" and "),
                topic.short_name()
            );
            let readers = topic.named().and_then(|name| settings.topics.get(name));
            let readers = readers.into_iter().flat_map(|topic| &topic.subscriptions);
            let readers: Vec<String> = readers.map(|it| reader(&it.endpoint)).collect();
            if !readers.is_empty() {
                let _ = write!(text, ", and from there to {}", readers.join(" and "));
            }
            text.push('\n');
        }
    }
    let account = settings.account.suppress.iter().flatten().count() == 2;
    let sets = settings.configuration_sets.values();
    if account
        || (sets.len() > 0 && sets.clone().all(|set| set.suppress.iter().flatten().count() == 2))
    {
        text.push_str(
            "- SES's suppression list keeps mail from every address that bounced or complained\n",
        );
    }
    text.trim_end().to_owned()
}

fn reader(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Queue(queue) => format!("the queue `{}`", queue.short_name()),
        Endpoint::Https(url) => format!("our service at {url}"),
        Endpoint::Email(address) | Endpoint::EmailJson(address) => format!("{address}"),
        Endpoint::Lambda(function) => format!("the function `{}`", function.short_name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(7, "7"), (200, "200"), (50_000, "50,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
