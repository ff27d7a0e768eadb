//! What a kind of resource is to the engine: a typed spec, `read`, and two verbs.
//!
//! Invariant: only [`Kind::read`] produces specs, so wanted and live always meet in one normal form.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Address, Field, Glance, Life, Live, Marks, Reading, Wanted, touches};

/// Any error of a kind; the engine adds the address and the verb.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

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
    /// Whether what others made in its place is to become ours, or to go: the plan said so, and somebody asked for it.
    pub adopts: bool,
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

/// A change as kinds are asked about it while a plan is made.
pub(super) fn change_of(
    address: &Address,
    from: Option<&Value>,
    to: &Value,
    fields: &[Field],
) -> Change<Value> {
    Change {
        name: address.name().to_owned(),
        from: from.cloned(),
        to: to.clone(),
        fields: fields.to_vec(),
        marks: Marks::default(),
        adopts: false,
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
/// done, `read` gives back `change.to`: of what it wrote, a kind remembers nothing from before that.
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
    /// For an aspect: the kind whose setting it is.
    const SETTING_OF: Option<&'static str> = None;
    /// Whether adopting a child is a write even where nothing differs, because the child itself says whose it is.
    const SAYS_WHOSE: bool = false;

    /// The settings: the same type for wanted and found.
    type Spec: Serialize + DeserializeOwned + Clone + Send + Sync;
    /// What AWS computes.
    type Outputs: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// For a root: what tags and lists tell of the `declared` ones that exist, in about a call per hundred. Tags lag and
    /// outlive what they were on, so what its own service does not list, or nothing tells the tags of, is left out of the
    /// answer and read. `None`: only reading tells.
    async fn glance(&self, _declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        Ok(None)
    }

    /// Hears which resources are declared before anything is read, so that what hangs on one is found through it: the
    /// service that finds by tags learns of a resource only some time after it is made. And which roots are settled:
    /// reading everything passes over those and what hangs on them.
    fn hear_of(&self, _declared: &BTreeSet<String>, _settled: &BTreeSet<String>) {}

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

    /// For a child that goes before its parent: why the parent could then not go, so that nothing is taken from what stays.
    /// Asked while planning, and once more just before it is deleted with its parent; only reads.
    async fn parent_is_held(
        &self,
        _name: &str,
        _live: &Self::Spec,
    ) -> Result<Option<String>, BoxError> {
        Ok(None)
    }

    /// The place that the resource `name` fills among those of its kind: a topic's, for its subscriptions. One that goes
    /// does so only after all that come to the same place, or change there, so that nothing is missed in between. Where a
    /// service limits how many a place holds, one more than wanted must fit in meanwhile.
    #[must_use]
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

    /// Why `change` cannot be finished now although nothing that it depends on is left to do, such as a verification that
    /// is still pending. `planned` are all resources that the same plan changes: what one of those resolves is no reason.
    /// Asked while planning, so it only reads.
    async fn deferral(
        &self,
        _change: &Change<Self::Spec>,
        _planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, BoxError> {
        Ok(None)
    }

    /// What creating (`from` is `None`), changing or deleting (`to` is `None`) does to mail.
    fn impact(
        &self,
        from: Option<&Self::Spec>,
        to: Option<&Self::Spec>,
        fields: &[Field],
    ) -> Impact;

    /// What turning `from` back into `to` does to mail, where `to` was declared and applied before, and others changed it
    /// since; `None` if that is what any such change does.
    fn impact_of_mending(
        &self,
        _from: &Self::Spec,
        _to: &Self::Spec,
        _fields: &[Field],
    ) -> Option<Impact> {
        None
    }

    /// Writes the marks on a root. Children and aspects have none.
    async fn mark(&self, name: &str, _marks: &Marks) -> Result<(), BoxError> {
        Err(format!("{}.{name} carries no marks of its own", Self::NAME).into())
    }

    /// Takes every mark of ours off a root and leaves all else as it is; one that is gone has none.
    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        Err(format!("{}.{name} carries no marks of its own", Self::NAME).into())
    }

    /// Takes away what a child itself says of whose it is, and leaves all else as it is.
    async fn release(&self, _name: &str, _live: &Self::Spec) -> Result<(), BoxError> {
        Ok(())
    }

    /// Whether the service has no way to delete the resource as it is, so that a delete only lets go of it.
    fn is_only_let_go(&self, _live: &Self::Spec, _outputs: &Self::Outputs) -> bool {
        false
    }

    /// What else is worth knowing where something is wanted, by its name, such as leftovers of something earlier. Asked
    /// after everything was read, and reads no more.
    async fn remarks(
        &self,
        _wanted: &[Wanted<Self::Spec>],
    ) -> Result<Vec<(String, String)>, BoxError> {
        Ok(Vec::new())
    }

    /// Specs that together set every field: the contract test flips each of them.
    fn examples() -> Vec<Self::Spec>;
}
