//! What must be true of an environment beyond the form of its values: a table of checks, all of which run.
//!
//! Invariant: a check judges what is there. One that concludes something from what is *not* there says so in
//! [`Assumes`], and keeps silent where a part of the file could not be read.

mod account;
mod across;
mod alarms;
mod domains;
mod events;
mod filters;
mod identities;
mod limits;
mod messaging;
mod references;
mod senders;
mod sets;

use super::document::{Entries, Node};
use super::finding::{Finding, Severity};
use super::names::{AccountId, IdentityName, Region};
use super::source::Location;
use super::types::Settings;
use super::{Environment, words};

/// A rule about environments.
pub(super) struct Check {
    /// Its name, which findings carry.
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    /// What it demands, and why.
    pub(super) rule: &'static str,
    assumes: Assumes,
    run: fn(&Subject<'_>, &mut Report<'_>),
}

/// What a check takes for complete.
enum Assumes {
    /// Nothing: it judges what is there.
    Nothing,
    /// The table that it finds something in.
    Table,
    /// The entry that it finds something in, such as one configuration set with everything below.
    Entry,
    /// The names that these sections declare.
    Names(&'static [&'static str]),
    /// All of these sections.
    Sections(&'static [&'static str]),
}

impl Assumes {
    /// Whether unreadable parts leave the check nothing to judge by.
    fn fails(&self, unread: &[Vec<String>]) -> bool {
        let within = |sections: &[&str], path: &[String]| {
            path.first().is_some_and(|first| sections.contains(&first.as_str()))
        };
        match self {
            Self::Names(sections) => {
                unread.iter().any(|path| path.len() <= 2 && within(sections, path))
            }
            Self::Sections(sections) => unread.iter().any(|path| within(sections, path)),
            Self::Nothing | Self::Table | Self::Entry => false,
        }
    }

    /// Whether unreadable parts make a finding at this path doubtful.
    fn doubts(&self, path: &[&str], unread: &[Vec<String>]) -> bool {
        let shared = match self {
            Self::Table => path.len().saturating_sub(1),
            Self::Entry => 2,
            Self::Nothing | Self::Names(_) | Self::Sections(_) => return false,
        };
        let beside = |other: &Vec<String>| {
            let depth = matches!(self, Self::Entry) || other.len() == shared + 1;
            depth
                && other.len() >= shared
                && other.iter().zip(path).take(shared).all(|(left, right)| left == right)
        };
        path.len() >= shared && unread.iter().any(beside)
    }
}

/// What is checked.
pub(super) struct Subject<'a> {
    pub(super) environment: &'a Environment,
    /// The document before unreadable parts were left out: what it names exists, readable or not.
    pub(super) whole: &'a Node,
    /// The paths that could not be read.
    pub(super) unread: &'a [Vec<String>],
    /// Whether account and Region could be read.
    pub(super) knows_account: bool,
    /// The other environments of the project, as far as they could be read.
    pub(super) others: &'a [Environment],
}

impl Subject<'_> {
    fn settings(&self) -> &Settings {
        &self.environment.settings
    }

    /// The Region, unless it could not be read.
    fn region(&self) -> Option<&Region> {
        self.knows_account.then_some(&self.settings().aws.region)
    }

    /// The account, unless it could not be read.
    fn account(&self) -> Option<&AccountId> {
        self.knows_account.then_some(&self.settings().aws.account)
    }

    /// The names that a section declares, readable or not, in their normal form where they have one.
    fn declared(&self, section: &str) -> Vec<String> {
        let (node, found) = self.whole.nearest(&[section]);
        let entries = node.entries().filter(|_| found);
        let names = entries.into_iter().flat_map(Entries::iter).map(|(name, _)| name);
        let normal = |name: &str| match section {
            "identities" => {
                IdentityName::parse(name).map_or_else(|_| name.to_owned(), |name| name.to_string())
            }
            _ => name.to_owned(),
        };
        names.map(normal).collect()
    }
}

/// Every check, by area.
pub(super) static CHECKS: &[&[Check]] = &[
    references::CHECKS,
    identities::CHECKS,
    domains::CHECKS,
    sets::CHECKS,
    events::CHECKS,
    messaging::CHECKS,
    filters::CHECKS,
    senders::CHECKS,
    limits::CHECKS,
    account::CHECKS,
    alarms::CHECKS,
    across::CHECKS,
];

/// Runs every check.
pub(super) fn run(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in CHECKS.iter().copied().flatten() {
        if check.assumes.fails(subject.unread) {
            continue;
        }
        (check.run)(subject, &mut Report { subject, check, findings: &mut findings });
    }
    findings
}

/// Where a check puts what it finds.
pub(super) struct Report<'a> {
    subject: &'a Subject<'a>,
    check: &'static Check,
    findings: &'a mut Vec<Finding>,
}

impl Report<'_> {
    /// Reports something about the value at a path.
    fn add(
        &mut self,
        path: &[&str],
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add_beside(path, message, label, help, None);
    }

    /// As `add`, at the key instead of the value.
    fn add_at_key(
        &mut self,
        path: &[&str],
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        let before = self.findings.len();
        self.add(path, message, label, help);
        for finding in &mut self.findings[before..] {
            finding.location = Some(self.subject.environment.key_location(path));
        }
    }

    /// As `add`, with a second place.
    fn add_beside(
        &mut self,
        path: &[&str],
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
        beside: Option<(Location, String)>,
    ) {
        if self.check.assumes.doubts(path, self.subject.unread) {
            return;
        }
        let mut finding =
            self.subject.environment.finding(self.check.id, path, message, label, help);
        finding.severity = self.check.severity;
        if let Some((location, label)) = beside {
            finding = finding.beside(location, label);
        }
        self.findings.push(finding);
    }

    /// The place of a path, for a second place of a finding.
    fn place(&self, path: &[&str]) -> Location {
        self.subject.environment.location(path)
    }
}

/// "did you mean", where a name is near; otherwise what there is to choose from.
fn suggestion(wrong: &str, declared: &[String], section: &str) -> String {
    match (words::nearest(wrong, declared.iter().map(String::as_str)), declared) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => format!("declare it: `[{section}.{}]`", words::key(wrong)),
        (None, some) if some.len() <= 8 => {
            format!(
                "this file declares {}; for one made elsewhere, write its ARN",
                words::listed(some, "and")
            )
        }
        (None, _) => "for one made elsewhere, write its ARN".to_owned(),
    }
}

/// Whether SNS or SQS takes this for the name of a FIFO topic or queue.
fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}
