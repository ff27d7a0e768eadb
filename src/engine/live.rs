//! What kinds tell the engine of a live resource: its settings, whose it is, and what its marks say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Address;

/// Whose a live resource is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// It carries this environment's marks, or its parent's marks name it.
    Ours,
    /// It carries another owner's valid marks; the text names that owner.
    Foreign(String),
    /// It is ours, but others put something in its place that cannot stand beside it; the text says what. That is
    /// removed only where somebody asks for it, as if it were to be adopted.
    Contested(String),
    /// It carries no valid marks, or its parent's marks do not name it.
    Unowned,
    /// Something that cannot become the resource stands in its place; the text says what.
    Blocked(String),
}

impl Ownership {
    /// Whether it is this environment's, whatever others put in its place.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Ours | Self::Contested(_))
    }
}

/// How a kind's resources live and die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It carries ownership marks itself.
    Root,
    /// It cannot carry marks: its parent's marks name it by its tokens.
    Child(OnParentDelete),
    /// It is a setting of its parent, and named as the parent is: it belongs to whoever owns the parent and goes with it.
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
    /// What is meant to become of it.
    pub aim: Aim,
}

/// What is meant to become of a resource that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aim {
    /// It becomes as declared. What others made and is as declared anyway may be used as it is.
    #[default]
    Keep,
    /// It becomes as declared, and ours: what others made in its place counts as not ours yet, even where it is as declared.
    Adopt,
    /// It goes and is made anew: what would be lost with it is looked at too.
    Replace,
    /// It goes, although it is declared.
    Delete,
}

impl Aim {
    /// Whether what is there goes, so that what would be lost with it is looked at too.
    #[must_use]
    pub const fn goes(self) -> bool {
        matches!(self, Self::Replace | Self::Delete)
    }
}

impl<S> Wanted<S> {
    /// A declared resource that is to be as `spec` says.
    #[must_use]
    pub const fn declared(name: String, spec: S) -> Self {
        Self { name, spec: Some(spec), aim: Aim::Keep }
    }

    /// A resource that is only being looked for.
    #[must_use]
    pub const fn looked_for(name: String) -> Self {
        Self { name, spec: None, aim: Aim::Keep }
    }
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
