//! What a kind of resource is to the engine: a typed spec, `read`, and two verbs.
//!
//! Invariant: only [`Kind::read`] produces specs, so wanted and live always meet in one normal form.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Address, Field, touches};

/// Any error of a kind; the engine adds the address and the verb.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Whose a live resource is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// It carries this environment's marks, or its parent's marks name it.
    Ours,
    /// It carries another owner's valid marks; the text names that owner.
    Foreign(String),
    /// It carries no valid marks, or its parent's marks do not name it.
    Unowned,
}

/// How a kind's resources live and die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It carries ownership marks itself.
    Root,
    /// It cannot carry marks: its parent's marks name it by its tokens.
    Child(OnParentDelete),
    /// It is a setting of its parent: it belongs to whoever owns the parent and goes with it.
    Aspect,
    /// It is a setting that is always there and belongs to nobody, such as one of a whole account: it is changed as
    /// declared, carries no marks, is never looked for, and is left as it is once it is no longer declared.
    Setting,
}

/// What becomes of a child when its parent is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnParentDelete {
    /// The service deletes it with the parent: no call is needed.
    Dies,
    /// It must be deleted first: the service refuses to delete the parent before, or would leave it behind unmarked.
    Before,
}

/// What is known of a resource that is to be read.
#[derive(Clone, Debug)]
pub struct Wanted<S> {
    /// AWS's own name.
    pub name: String,
    /// The declared spec, with outputs of other resources possibly unknown; `None` when it is only being looked for.
    pub spec: Option<S>,
}

/// How much a read is to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The named ones, all others of this kind that are ours, and the children of our parents that are nobody's we know.
    /// Every child that the marks of our roots name is looked for: what this does not find, the engine takes for gone.
    Everything,
    /// The named ones and no other, from the service: a write since then must show as soon as the service shows it.
    Named,
}

/// One live resource, in the same normal form as a declared one.
#[derive(Clone, Debug)]
pub struct Live<S, O> {
    /// AWS's own name.
    pub name: String,
    /// What is set, in the form in which it would be declared.
    pub spec: S,
    /// What AWS computed.
    pub outputs: O,
    /// Whose it is. For an aspect: the parent's.
    pub ownership: Ownership,
    /// The resource whose marks name this one, or whose setting it is; `None` for a root.
    pub parent: Option<Address>,
    /// How the parent's marks name this child, one token for each place it exists in; empty for a root or an aspect.
    pub tokens: BTreeSet<String>,
    /// What the marks on this root name; empty for a child or an aspect.
    pub marks: Marks,
    /// Resources that this one relies on as it is now: none of them may be deleted before this one lets go.
    pub uses: BTreeSet<Address>,
    /// States worth showing that are not settings, such as "pending confirmation".
    pub notes: Vec<String>,
}

/// What the marks on a root say beside whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Tokens of the children that may exist: always a superset of those that do.
    pub children: BTreeSet<String>,
    /// Digest of the declared family, present only while everything in it is as declared.
    pub digest: Option<String>,
}

impl Marks {
    /// Marks that also name the children of `others`. Whoever widens marks is not done yet, so there is no digest.
    #[must_use]
    pub fn widened(&self, others: &Self) -> Self {
        Self { children: &self.children | &others.children, digest: None }
    }
}

/// A resource on its way from one spec to another.
#[derive(Clone, Debug)]
pub struct Change<S> {
    /// AWS's own name.
    pub name: String,
    /// What is live; `None` when the resource is to be created.
    pub from: Option<S>,
    /// What is wanted, with every output known.
    pub to: S,
    /// What differs.
    pub fields: Vec<Field>,
    /// The marks that a create of a root puts on the resource in the same call.
    pub marks: Marks,
}

impl<S> Change<S> {
    /// Whether the field at `path`, or one below it, differs. A create touches everything.
    #[must_use]
    pub fn touches(&self, path: &str) -> bool {
        self.from.is_none() || touches(&self.fields, path)
    }

    /// Whether the resource is to be created.
    #[must_use]
    pub const fn creates(&self) -> bool {
        self.from.is_none()
    }
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put<O> {
    /// Done. Outputs are given when the answer of the write already told them, which saves a read.
    Done(Option<O>),
    /// Something outside must happen first, such as a verification: the write is to be repeated later.
    Waiting(String),
}

/// What a change does to mail, from harmless to final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No mail is affected.
    Safe,
    /// Mail still flows, with something lost: reports, alignment, tracking.
    Degrades,
    /// Mail stops, or is likely to be refused by receivers.
    StopsMail,
    /// Something is lost that cannot be had back.
    Irreversible,
}

impl Severity {
    /// The words used in plans and refusals.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Degrades => "degrades",
            Self::StopsMail => "stops mail",
            Self::Irreversible => "irreversible",
        }
    }
}

/// What a change does to mail, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// How bad it is.
    pub severity: Severity,
    /// The reason in words of e-mail; empty when the change is safe and nothing need be said.
    pub reason: String,
}

impl Impact {
    /// A change that affects no mail.
    #[must_use]
    pub const fn safe() -> Self {
        Self { severity: Severity::Safe, reason: String::new() }
    }

    /// A change of some severity, with its reason.
    #[must_use]
    pub fn new(severity: Severity, reason: impl Into<String>) -> Self {
        Self { severity, reason: reason.into() }
    }
}

/// A type of resource.
///
/// # Guarantees
/// `put` and `delete` are safe to repeat after any crash; `delete` treats absence as success. After a `put` that is
/// done, `read` gives back `change.to`.
#[async_trait]
pub trait Kind: Send + Sync + 'static {
    /// The kind's name, for example `configuration_set`.
    const NAME: &'static str;
    /// How resources of this kind live and die.
    const LIFE: Life;
    /// Paths whose change cannot be made in place.
    const IMMUTABLE: &'static [&'static str] = &[];
    /// Paths that only tell how to write, such as where a key is found: carried along, never compared or shown as a change.
    const WRITE_ONLY: &'static [&'static str] = &[];

    /// The settings: the same type for wanted and found.
    type Spec: Serialize + DeserializeOwned + Clone + Send + Sync;
    /// What AWS computes.
    type Outputs: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// Reads the named resources, in as few calls as there are; what does not exist is left out of the answer.
    async fn read(
        &self,
        wanted: &[Wanted<Self::Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Self::Spec, Self::Outputs>>, BoxError>;

    /// Makes the resource as `change.to` says, whether it exists or not. On an update only the touched groups are written.
    ///
    /// A write that makes outputs, or [renews](Kind::renews_outputs) them, hands them back wherever the service's answer tells
    /// them: a read just after it may still show the old ones.
    async fn put(&self, change: &Change<Self::Spec>) -> Result<Put<Self::Outputs>, BoxError>;

    /// Removes the resource; `live` is what was found of it.
    async fn delete(&self, name: &str, live: &Self::Spec) -> Result<Put<Self::Outputs>, BoxError>;

    /// The place that the resource `name` fills among those of its kind: a topic's, for its subscriptions. One that goes
    /// does so only after all that come to the same place, or change there, so that nothing is missed in between. Where a
    /// service limits how many a place holds, one more than wanted must fit in meanwhile.
    fn place(_name: &str) -> Option<&str> {
        None
    }

    /// Whether `change` leaves something old behind in `put` that only [`Kind::retire`] removes, once everything relies on the new.
    fn retires(&self, _change: &Change<Self::Spec>) -> bool {
        false
    }

    /// Removes what `put` kept for the sake of mail under way.
    async fn retire(&self, _change: &Change<Self::Spec>) -> Result<Put<Self::Outputs>, BoxError> {
        Ok(Put::Done(None))
    }

    /// Whether `change` makes the present outputs worthless, so that those who use them must wait for new ones.
    fn renews_outputs(&self, _change: &Change<Self::Spec>) -> bool {
        false
    }

    /// Why `change` cannot be finished now although nothing else is left to do, such as a verification that is still pending.
    /// Asked while planning, so it only reads.
    async fn deferral(&self, _change: &Change<Self::Spec>) -> Result<Option<String>, BoxError> {
        Ok(None)
    }

    /// What creating (`from` is `None`), changing or deleting (`to` is `None`) does to mail.
    fn impact(
        &self,
        from: Option<&Self::Spec>,
        to: Option<&Self::Spec>,
        fields: &[Field],
    ) -> Impact;

    /// Writes the marks on a root. Children and aspects have none.
    async fn mark(&self, name: &str, _marks: &Marks) -> Result<(), BoxError> {
        Err(format!("{}.{name} carries no marks of its own", Self::NAME).into())
    }

    /// Specs that together set every field: the contract test flips each of them.
    fn examples() -> Vec<Self::Spec>;
}
