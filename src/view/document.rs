//! What the views of a plan show, and what a plan file holds: the engine's plan, and what it was made for.
//! Invariant: plain data without secrets, whose fingerprint covers all that an apply would do.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::{Action, Address, Plan, PlannedChange, Refresh};

/// The version of the form of plan files that this program writes and reads.
pub const FORMAT: u32 = 2;

/// What a plan is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// AWS becomes as the file says.
    #[default]
    Apply,
    /// All that is owned goes.
    Destroy,
    /// What is named is let go of, and stays.
    Release,
}

/// A plan and what it was made for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The version of this form: [`FORMAT`].
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    /// The environment's name.
    pub environment: String,
    /// The project.
    pub project: String,
    /// The AWS account.
    pub account: String,
    /// The AWS Region.
    pub region: String,
    /// What it is for.
    pub purpose: Purpose,
    /// How much was looked at for it.
    #[serde(skip_serializing_if = "is_full", default)]
    pub refresh: Refresh,
    /// What was asked for on the command line.
    pub flags: Flags,
    /// The environment's files, each with the SHA-256 of its text in hex.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub sources: BTreeMap<String, String>,
    /// What is wrong with the account itself: in the sandbox, under review, paused, the quota nearly used up.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub account_trouble: Vec<String>,
    /// What the engine planned.
    pub plan: Plan,
    /// Why it may not be applied, each with what to do about it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refusals: Vec<Refused>,
    /// The DNS records that somebody else publishes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub records: Vec<Record>,
    /// How many changes of the plan are left out because they change nothing.
    #[serde(skip)]
    pub left_out: usize,
    /// SHA-256 in hex over whose plan it is and what it does: plans that do the same have the same.
    pub fingerprint: String,
    /// SHA-256 in hex over all of this but itself: a file that was changed does not fit it.
    pub checksum: String,
}

/// What a plan was asked for on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// `--target`; empty: everything.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub targets: BTreeSet<Address>,
    /// `--replace`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub replace: BTreeSet<Address>,
    /// `--adopt`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub adopt: BTreeSet<Address>,
    /// `--adopt-all`.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub adopt_all: bool,
    /// `--allow`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub allow: BTreeSet<Address>,
    /// What `release` lets go of.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub release: BTreeSet<Address>,
    /// `--abandon-zone`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub abandon_zones: BTreeSet<String>,
}

impl Flags {
    /// They again, as they are typed, each behind a space.
    #[must_use]
    pub fn typed(&self) -> String {
        let named = [
            ("--target", &self.targets),
            ("--replace", &self.replace),
            ("--adopt", &self.adopt),
            ("--allow", &self.allow),
        ];
        let addresses = named
            .iter()
            .flat_map(|(flag, all)| all.iter().map(move |it| format!(" {flag} '{it}'")));
        let all = self.adopt_all.then(|| " --adopt-all".to_owned());
        let released = self.release.iter().map(|it| format!(" '{it}'"));
        let zones = self.abandon_zones.iter().map(|zone| format!(" --abandon-zone {zone}"));
        addresses.chain(all).chain(zones).chain(released).collect()
    }
}

/// Why a plan may not be applied, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The rule: `foreign`, `unowned`, `unadoptable`, `contested`, `held`, `protected`, `unmanaged_children`.
    pub rule: String,
    /// The resource.
    pub address: Address,
    /// What is wrong, in a sentence that follows the address.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// A DNS record that an identity needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The identity, or the tracking domain, that needs it.
    pub owner: Arc<str>,
    /// What it is for: `DKIM`, `MAIL FROM`.
    pub purpose: Cow<'static, str>,
    /// The type: `CNAME`, `TXT`, `MX`.
    pub kind: Cow<'static, str>,
    /// The full name; `None` while it is not known.
    pub name: Option<String>,
    /// The value in plain words: a text without quotes, a name without a dot at the end; `None` while it is not known.
    pub value: Option<String>,
    /// The resource that makes name and value known; `None` if it takes a private key that is not at hand.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_after: Option<Address>,
    /// What the public DNS says now; `None` when it was not asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verdict: Option<Verdict>,
}

/// What the public DNS says of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is there.
    Ok,
    /// It may be there now, but this plan removes it.
    Going,
    /// Nothing of that type is there.
    Missing,
    /// Something else is there.
    Wrong(Vec<String>),
    /// The DNS gave no answer, for this reason.
    Unanswered(String),
}

/// How many resources are added, changed and destroyed; a replacement adds and destroys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Created or made anew.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Deleted, or deleted to be made anew.
    pub destroy: usize,
    /// Adopted. What is changed at that counts as changed too.
    #[serde(skip_serializing_if = "is_none", default)]
    pub import: usize,
    /// Let go of.
    #[serde(skip_serializing_if = "is_none", default)]
    pub forget: usize,
}

/// SHA-256 in hex of some texts, none of which holds a zero byte.
fn hex_digest<'a>(parts: impl IntoIterator<Item = &'a String>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hex(hasher)
}

/// SHA-256 in hex of a document's JSON and a zero byte, without a copy of it: a plan may be large.
fn checksum(document: &Document) -> String {
    let mut hasher = Sha256::new();
    // Plain data with text keys always has a JSON form, and taking bytes in cannot fail.
    let _ = serde_json::to_writer(&mut hasher, document);
    hasher.update([0]);
    hex(hasher)
}

fn hex(hasher: Sha256) -> String {
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_full(refresh: &Refresh) -> bool {
    matches!(refresh, Refresh::Full)
}

impl Summary {
    /// `1 to import, 2 to add, 0 to change, 0 to destroy`, as Terraform counts: what there is none of at the ends is left out.
    #[must_use]
    pub fn sentence(&self, words: [&str; 5]) -> String {
        let [import, add, change, destroy, forget] = words;
        let all = [
            (self.import, import, true),
            (self.add, add, false),
            (self.change, change, false),
            (self.destroy, destroy, false),
            (self.forget, forget, true),
        ];
        let shown = all.iter().filter(|(count, _, is_rare)| *count > 0 || !is_rare);
        shown.map(|(count, word, _)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    }
}

impl Document {
    /// The counts of the summary line.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let count = |action| self.plan.count(action);
        let is_changed = |it: &&PlannedChange| it.action == Action::Adopt && !it.fields.is_empty();
        Summary {
            add: count(Action::Create) + count(Action::Replace),
            change: count(Action::Update) + self.plan.changes.iter().filter(is_changed).count(),
            destroy: count(Action::Delete) + count(Action::Replace),
            import: count(Action::Adopt),
            forget: count(Action::Forget),
        }
    }

    /// What was not looked at, if anything was not.
    #[must_use]
    pub fn overlooked(&self) -> Option<String> {
        let (unread, all) = (self.plan.unread.len(), self.plan.changes.len() + self.left_out);
        (self.refresh == Refresh::Tags).then(|| {
            format!(
                "{unread} of {all} resources were judged by tags and lists alone (--refresh=tags): what others changed in \
                 their settings was not looked for; --refresh=full reads everything"
            )
        })
    }

    /// The same without what stays as it is: for looking at, not for carrying out.
    #[must_use]
    pub fn only_changes(mut self) -> Self {
        let all = self.plan.changes.len();
        self.plan.changes.retain(|change| change.action != Action::None);
        self.left_out += all - self.plan.changes.len();
        self.plan.unmanaged.retain(|one| one.goes);
        self.records.retain(|record| record.verdict != Some(Verdict::Ok));
        self
    }

    /// SHA-256 in hex over whose plan it is and all that it does. What the DNS says at the moment is no part of it.
    #[must_use]
    pub fn computed_fingerprint(&self) -> String {
        let purpose = format!("{:?}", self.purpose);
        let (digest, flags) = (self.plan.digest(), self.flags.typed());
        let Self { environment, project, account, region, .. } = self;
        hex_digest([environment, project, account, region, &purpose, &flags, &digest])
    }

    /// SHA-256 in hex over all of it but the checksum.
    #[must_use]
    pub fn computed_checksum(&self) -> String {
        if self.checksum.is_empty() {
            return checksum(self);
        }
        checksum(&Self { checksum: String::new(), ..self.clone() })
    }

    /// The same, with its fingerprint and its checksum.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.fingerprint = self.computed_fingerprint();
        self.checksum = String::new();
        self.checksum = self.computed_checksum();
        self
    }
}
