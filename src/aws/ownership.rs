//! Ownership on the resource itself: the tags that say whose it is, which children it may have, and what it was last
//! declared as.
//!
//! # Guarantees
//! Tags copied to another resource do not count, because the seal covers the resource's own ARN. Tags that cannot be
//! understood are never taken for ours: an unknown digest version is no digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::Arns;
use crate::engine::{Marks, Ownership};
use crate::environment::names::{FileName, ProjectName};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    project: ProjectName,
    environment: FileName,
    account: String,
    region: String,
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
        Self { project, environment, account, region }
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

    /// Whose the resource `arn` with these tags is, what its marks say, and the tags that are the user's.
    #[must_use]
    pub fn read(&self, arn: &str, tags: &Tags) -> (Ownership, Marks, Tags) {
        let user = tags.iter().filter(|(key, _)| is_of_user(key));
        let user: Tags = user.map(|(key, value)| (key.clone(), value.clone())).collect();
        let ownership = self.ownership(arn, tags);
        let marks = if ownership == Ownership::Ours { read_marks(tags) } else { Marks::default() };
        (ownership, marks, user)
    }

    /// What turns the user's tags among the live tags of a resource into `wanted`.
    ///
    /// AWS's own tags cannot be removed, and tags of ours are written by whoever has them: both are left alone.
    #[must_use]
    pub fn user_changes(&self, live: &Tags, wanted: &Tags) -> TagChanges {
        changes(live, wanted, is_of_user)
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

fn is_of_user(key: &str) -> bool {
    !key.starts_with(PREFIX) && !key.starts_with("aws:")
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
mod tests {
    use super::*;
    use crate::environment::names::{AccountId, Region};

    const ARN: &str = "arn:aws:ses:us-east-1:123456789012:identity/pivot.app";

    fn owner(environment: &str) -> Owner {
        let account = AccountId::parse("123456789012").unwrap();
        let arns = Arns::new(account, Region::parse("us-east-1").unwrap());
        let project = ProjectName::parse("pivot").unwrap();
        Owner::new(project, FileName::parse(environment).unwrap(), &arns)
    }

    fn marks(children: &[&str], digest: Option<&str>) -> Marks {
        Marks {
            children: children.iter().map(ToString::to_string).collect(),
            digest: digest.map(ToOwned::to_owned),
        }
    }

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tags_give_back_the_marks_they_were_made_from() {
        let marks = marks(&["zone:Z0123", "role#3f2a91bc", "policy:a b=c", "grüße"], Some("9f2c"));
        let mut live = owner("prod").tags(ARN, &marks);
        assert_eq!(live["sesinfra:digest"], "1:9f2c");
        assert_eq!(live["sesinfra:seal"].len(), 12);
        live.insert("team".to_owned(), "platform".to_owned());
        live.insert("aws:createdBy".to_owned(), "x".to_owned());
        let (ownership, read, user) = owner("prod").read(ARN, &live);
        assert_eq!((ownership, read), (Ownership::Ours, marks));
        assert_eq!(user, tags(&[("team", "platform")]));
    }

    #[test]
    fn many_children_are_spread_over_numbered_tags_of_allowed_characters() {
        let children: Vec<String> = (0..60).map(|number| format!("sub:{number:08x}#é")).collect();
        let children: Vec<&str> = children.iter().map(String::as_str).collect();
        let wanted = marks(&children, None);
        let tags = owner("prod").tags(ARN, &wanted);
        assert!(
            tags.contains_key("sesinfra:children-2") && tags.contains_key("sesinfra:children-3")
        );
        for value in tags.values() {
            assert!(value.len() <= VALUE_LENGTH_MAX);
            let allowed = |it: char| it.is_ascii_alphanumeric() || "+-=._:/@ ".contains(it);
            assert!(value.chars().all(allowed), "{value}");
        }
        assert_eq!(owner("prod").read(ARN, &tags).1, wanted);
    }

    #[test]
    fn tags_copied_to_another_resource_do_not_count() {
        let live = owner("prod").tags(ARN, &marks(&["zone:Z1"], None));
        let (ownership, marks, _) =
            owner("prod").read("arn:aws:ses:us-east-1:123456789012:identity/b.app", &live);
        assert_eq!((ownership, marks), (Ownership::Unowned, Marks::default()));
    }

    #[test]
    fn another_environment_is_named_and_a_stack_is_nobody() {
        let mut live = owner("staging").tags(ARN, &Marks::default());
        assert_eq!(
            owner("prod").read(ARN, &live).0,
            Ownership::Foreign("pivot/staging".to_owned())
        );
        live.insert("aws:cloudformation:stack-id".to_owned(), "x".to_owned());
        assert_eq!(owner("staging").read(ARN, &live).0, Ownership::Unowned);
        assert_eq!(owner("prod").read(ARN, &Tags::new()).0, Ownership::Unowned);
    }

    #[test]
    fn what_is_in_a_stack_is_ours_once_it_is_adopted_from_exactly_that_stack() {
        let owner = owner("prod");
        let in_stack = |id: &str| {
            tags(&[("aws:cloudformation:stack-id", id), ("aws:cloudformation:stack-name", "mail")])
        };
        let mut live = in_stack("arn:1");
        assert!(note_of_stack(&live).unwrap().contains("stack mail"));
        live.extend(owner.mark_changes(ARN, &live, &Marks::default()).set);
        assert_eq!(owner.read(ARN, &live).0, Ownership::Ours);
        live.extend(in_stack("arn:2"));
        assert_eq!(owner.read(ARN, &live).0, Ownership::Unowned);
        assert_eq!(note_of_stack(&Tags::new()), None);
    }

    #[test]
    fn letting_go_takes_all_of_ours_and_nothing_else() {
        let mut live = owner("prod").tags(ARN, &marks(&["zone:Z1"], Some("9f2c")));
        live.extend(tags(&[("sesinfra:signing-key", "ab"), ("team", "x"), ("aws:createdBy", "y")]));
        let changes = owner("prod").unmark_changes(&live);
        live.retain(|key, _| !changes.unset.contains(key));
        assert_eq!(live, tags(&[("team", "x"), ("aws:createdBy", "y")]));
    }

    #[test]
    fn a_digest_of_an_unknown_version_is_none() {
        let mut live = owner("prod").tags(ARN, &marks(&[], Some("9f2c")));
        live.insert("sesinfra:digest".to_owned(), "2:9f2c".to_owned());
        assert_eq!(owner("prod").read(ARN, &live).1.digest, None);
    }

    #[test]
    fn changes_of_the_user_leave_tags_of_aws_and_ours() {
        let live = tags(&[
            ("aws:createdBy", "x"),
            ("sesinfra:signing-key", "1:ab"),
            ("sesinfra:children-2", "sub:1"),
            ("team", "old"),
            ("gone", "x"),
        ]);
        let wanted = tags(&[("team", "new")]);
        let changes = owner("prod").user_changes(&live, &wanted);
        assert_eq!(changes.set, wanted);
        let unset: Vec<&str> = changes.unset.iter().map(String::as_str).collect();
        assert_eq!(unset, ["gone"]);
    }

    #[test]
    fn marks_change_without_touching_the_tags_of_the_user() {
        let owner = owner("prod");
        let mut live = owner.tags(ARN, &marks(&["zone:Z1", "zone:Z2"], Some("9f2c")));
        live.insert("team".to_owned(), "platform".to_owned());
        let changes = owner.mark_changes(ARN, &live, &marks(&[], None));
        assert!(changes.set.is_empty());
        let unset: Vec<&str> = changes.unset.iter().map(String::as_str).collect();
        assert_eq!(unset, ["sesinfra:children", "sesinfra:digest"]);
        assert!(
            owner
                .mark_changes(ARN, &live, &marks(&["zone:Z1", "zone:Z2"], Some("9f2c")))
                .is_empty()
        );
    }

    #[test]
    fn every_part_of_an_owner_counts_in_dns() {
        let at = |name: &str, domain: &str| owner(name).dns_id(domain);
        assert_ne!(at("prod", "pivot.app"), at("staging", "pivot.app"));
        assert_ne!(at("prod", "pivot.app"), at("prod", "shop.pivot.app"));
        assert_eq!(at("prod", "pivot.app").len(), 12);
        assert_ne!(twelve_hex_digits(&["ab", "c"]), twelve_hex_digits(&["a", "bc"]));
    }
}
