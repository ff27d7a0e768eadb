//! Ownership on the resource itself: the tags that say whose it is, which children it may have, and what it was last
//! declared as.
//!
//! # Guarantees
//! Tags copied to another resource do not count, because the seal covers the resource's own ARN. Tags that cannot be
//! understood are never taken for ours: an unknown digest version is no digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::Arns;
use crate::engine::{Marks, Ownership};
use crate::environment::names::{FileName, ProjectName, TagPattern};

/// What all of our own tags start with.
const PREFIX: &str = "sesinfra:";
const PROJECT: &str = "sesinfra:project";
const ENVIRONMENT: &str = "sesinfra:environment";
const SEAL: &str = "sesinfra:seal";
const CHILDREN: &str = "sesinfra:children";
const DIGEST: &str = "sesinfra:digest";
const STACK_PREFIX: &str = "aws:cloudformation:";
const STACK: &str = "aws:cloudformation:stack-id";
/// The version of what is digested and how.
const DIGEST_VERSION: &str = "1:";
/// AWS allows this many characters in a tag's value.
const VALUE_LENGTH_MAX: usize = 256;

/// Tags by key.
type Tags = BTreeMap<String, String>;

/// The owner of everything that one environment makes.
#[derive(Clone, Debug)]
pub struct Owner {
    project: ProjectName,
    environment: FileName,
    account: String,
    region: String,
    /// Tags that are left to others.
    left: BTreeSet<TagPattern>,
    /// Those that were seen, by resource: what is made anew gets them again.
    seen: Arc<Mutex<BTreeMap<String, Tags>>>,
}

/// What a tag call and an untag call must do to turn live tags into wanted ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagChanges {
    /// Tags to write.
    pub set: Tags,
    /// Keys to remove.
    pub unset: BTreeSet<String>,
}

impl TagChanges {
    /// Whether no call is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }
}

impl Owner {
    /// The owner of what `environment` of `project` makes in the account and Region of `arns`.
    #[must_use]
    pub fn new(project: ProjectName, environment: FileName, arns: &Arns) -> Self {
        let (account, region) = (arns.account().to_string(), arns.region().to_string());
        let (left, seen) = (BTreeSet::new(), Arc::default());
        Self { project, environment, account, region, left, seen }
    }

    /// The same, with tags that are left to others.
    #[must_use]
    pub fn leaving(mut self, left: BTreeSet<TagPattern>) -> Self {
        self.left = left;
        self
    }

    /// The project.
    #[must_use]
    pub const fn project(&self) -> &ProjectName {
        &self.project
    }

    /// The environment.
    #[must_use]
    pub const fn environment(&self) -> &FileName {
        &self.environment
    }

    /// The ownership tags of the resource `arn` with `marks`.
    #[must_use]
    pub fn tags(&self, arn: &str, marks: &Marks) -> Tags {
        let mut tags = Tags::from([
            (PROJECT.to_owned(), self.project.to_string()),
            (ENVIRONMENT.to_owned(), self.environment.to_string()),
            (SEAL.to_owned(), seal(self.project.as_str(), self.environment.as_str(), arn, None)),
        ]);
        for (index, value) in children_values(&marks.children).into_iter().enumerate() {
            tags.insert(children_key(index), value);
        }
        if let Some(digest) = &marks.digest {
            tags.insert(DIGEST.to_owned(), format!("{DIGEST_VERSION}{digest}"));
        }
        tags
    }

    /// The same for a resource that is yet to be made, with the tags of others that it had before, should it be made anew.
    #[must_use]
    pub fn tags_at_first(&self, arn: &str, marks: &Marks) -> Tags {
        let mut tags = self.seen().get(&without_path(arn)).cloned().unwrap_or_default();
        tags.extend(self.tags(arn, marks));
        tags
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, Tags>> {
        // Each use is one operation, so a panic elsewhere cannot leave the map half changed.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a tag is the user's: neither ours, nor AWS's own, nor left to others.
    fn is_of_user(&self, key: &str) -> bool {
        !key.starts_with(PREFIX) && !key.starts_with("aws:") && !self.leaves(key)
    }

    fn leaves(&self, key: &str) -> bool {
        !key.starts_with(PREFIX)
            && !key.starts_with("aws:")
            && self.left.iter().any(|pattern| pattern.matches(key))
    }

    /// Whose the resource `arn` with these tags is, what its marks say, and the tags that are the user's.
    #[must_use]
    pub fn read(&self, arn: &str, tags: &Tags) -> (Ownership, Marks, Tags) {
        let only = |keep: &dyn Fn(&str) -> bool| -> Tags {
            let kept = tags.iter().filter(|(key, _)| keep(key));
            kept.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let user = only(&|key| self.is_of_user(key));
        if !self.left.is_empty() {
            self.seen().insert(without_path(arn), only(&|key| self.leaves(key)));
        }
        let ownership = self.ownership(arn, tags);
        let marks = if ownership == Ownership::Ours { read_marks(tags) } else { Marks::default() };
        (ownership, marks, user)
    }

    /// What turns the user's tags among the live tags of a resource into `wanted`.
    ///
    /// AWS's own tags cannot be removed, tags of ours are written by whoever has them, and some are left to others: all those
    /// are left alone.
    #[must_use]
    pub fn user_changes(&self, live: &Tags, wanted: &Tags) -> TagChanges {
        changes(live, wanted, |key| self.is_of_user(key))
    }

    /// What turns the ownership tags among the live tags of the resource `arn` into those with `marks`.
    #[must_use]
    pub fn mark_changes(&self, arn: &str, live: &Tags, marks: &Marks) -> TagChanges {
        let mut wanted = self.tags(arn, marks);
        let (project, environment) = (self.project.as_str(), self.environment.as_str());
        wanted.insert(SEAL.to_owned(), seal(project, environment, arn, stack(live)));
        changes(live, &wanted, is_mark)
    }

    /// What takes everything of ours off a resource that carries `live`.
    #[must_use]
    pub fn unmark_changes(&self, live: &Tags) -> TagChanges {
        let ours = live.keys().filter(|key| key.starts_with(PREFIX));
        TagChanges { set: Tags::new(), unset: ours.cloned().collect() }
    }

    /// The tags by which the tagging API finds what is this owner's.
    #[must_use]
    pub fn tag_filters(&self) -> [(&'static str, &str); 2] {
        [(PROJECT, self.project.as_str()), (ENVIRONMENT, self.environment.as_str())]
    }

    /// How this owner is called beside the records of `domain` in public DNS: 12 hex digits over project, environment,
    /// account, Region and the domain. A claim that is copied to another name is thus nobody's there.
    #[must_use]
    pub fn dns_id(&self, domain: &str) -> String {
        let (project, environment) = (self.project.as_str(), self.environment.as_str());
        let parts = [project, environment, &self.account, &self.region, domain];
        twelve_hex_digits(&parts)
    }

    fn ownership(&self, arn: &str, tags: &Tags) -> Ownership {
        let value = |key: &str| tags.get(key).map(String::as_str);
        let (Some(project), Some(environment), Some(found)) =
            (value(PROJECT), value(ENVIRONMENT), value(SEAL))
        else {
            return Ownership::Unowned;
        };
        if found != seal(project, environment, arn, stack(tags)) {
            Ownership::Unowned
        } else if project == self.project.as_str() && environment == self.environment.as_str() {
            Ownership::Ours
        } else {
            Ownership::Foreign(format!("{project}/{environment}"))
        }
    }
}

fn changes(live: &Tags, wanted: &Tags, may_go: impl Fn(&str) -> bool) -> TagChanges {
    let differs = |(key, value): &(&String, &String)| live.get(*key) != Some(*value);
    let set = wanted.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone()));
    let unset = live.keys().filter(|key| !wanted.contains_key(*key) && may_go(key)).cloned();
    TagChanges { set: set.collect(), unset: unset.collect() }
}

/// The ARN by which a resource is known however often it is made anew: that of an IAM policy without its path, which may be
/// another one then.
fn without_path(arn: &str) -> String {
    match arn.split_once(":policy/").and_then(|(head, path)| Some((head, path.rsplit('/').next()?)))
    {
        Some((head, name)) => format!("{head}:policy/{name}"),
        None => arn.to_owned(),
    }
}

fn is_mark(key: &str) -> bool {
    matches!(key, PROJECT | ENVIRONMENT | SEAL | DIGEST) || children_index(key).is_some()
}

fn read_marks(tags: &Tags) -> Marks {
    let numbered = tags.iter().filter_map(|(key, value)| Some((children_index(key)?, value)));
    let numbered: BTreeMap<usize, &String> = numbered.collect();
    let tokens = numbered.values().flat_map(|value| value.split(' ')).filter(|it| !it.is_empty());
    Marks {
        children: tokens.map(decoded).collect(),
        digest: tags
            .get(DIGEST)
            .and_then(|value| value.strip_prefix(DIGEST_VERSION))
            .map(ToOwned::to_owned),
    }
}

/// The seal of a resource. What is in a `CloudFormation` stack has one of its own: a stack would undo our changes, or delete
/// the resource under us, so one that a stack took in is no longer ours, and one that is in a stack becomes ours only by
/// being adopted as that.
fn seal(project: &str, environment: &str, arn: &str, stack: Option<&str>) -> String {
    let parts = [project, environment, arn];
    twelve_hex_digits(&parts.into_iter().chain(stack).collect::<Vec<_>>())
}

/// The `CloudFormation` stack that a resource with these tags is in. Nobody can remove these tags but AWS.
fn stack(tags: &Tags) -> Option<&str> {
    let id = tags.get(STACK).map(String::as_str);
    let other = || tags.iter().find(|(key, _)| key.starts_with(STACK_PREFIX));
    id.or_else(|| other().map(|(_, value)| value.as_str()))
}

/// What to know of a resource with these tags that is in a `CloudFormation` stack.
#[must_use]
pub fn note_of_stack(tags: &Tags) -> Option<String> {
    let name =
        tags.get("aws:cloudformation:stack-name").map(String::as_str).or_else(|| stack(tags))?;
    Some(format!(
        "is in the CloudFormation stack {name}, which may change or delete it: take it out of the stack and keep it there \
         (DeletionPolicy: Retain)"
    ))
}

/// How a child whose name is too long for a tag, or holds characters that tags do not, is named in marks: 8 hex digits.
#[must_use]
pub fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let [first, second, third, fourth, ..] = <[u8; 32]>::from(digest);
    format!("{:08x}", u32::from_be_bytes([first, second, third, fourth]))
}

fn twelve_hex_digits(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        // No part holds a zero byte, so no two lists of parts run together to one text.
        hash.update([0]);
    }
    hex(hash.finalize().into_iter().take(6))
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `sesinfra:children`, `sesinfra:children-2`, `sesinfra:children-3`, ...
fn children_key(index: usize) -> String {
    if index == 0 { CHILDREN.to_owned() } else { format!("{CHILDREN}-{}", index + 1) }
}

fn children_index(key: &str) -> Option<usize> {
    match key.strip_prefix(CHILDREN)? {
        "" => Some(0),
        rest => rest.strip_prefix('-')?.parse::<usize>().ok()?.checked_sub(1),
    }
}

/// The tokens, separated by spaces, over as many values as they need.
fn children_values(children: &BTreeSet<String>) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for token in children.iter().map(|token| encoded(token)) {
        match values.last_mut() {
            Some(last) if last.len() + 1 + token.len() <= VALUE_LENGTH_MAX => {
                last.push(' ');
                last.push_str(&token);
            }
            _ => values.push(token),
        }
    }
    values
}

/// A token in characters that every service allows in a tag, none of them a space: others are written `=XX`.
fn encoded(token: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._:/@".contains(&byte);
    let mut text = String::with_capacity(token.len());
    for byte in token.bytes() {
        if plain(byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "={byte:02X}");
        }
    }
    text
}

/// The token that was encoded. What was not encoded by us stays as it is, and so names nothing.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(byte) = byte else { return text.to_owned() };
        bytes.push(byte);
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests;
