//! A plan: complete, immutable, secret-free data. Applying it makes no choices.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Address, Field, Impact};

/// What is to happen to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is as declared.
    None,
    /// It does not exist and will.
    Create,
    /// It will be changed in place.
    Update,
    /// It exists, is nobody's, and is taken over.
    Adopt,
    /// It will be deleted and made anew.
    Replace,
    /// It is ours, no longer declared, and will be deleted.
    Delete,
    /// It is ours, and is only let go of: it stays, and is nobody's.
    Forget,
}

/// One address's difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The resource.
    pub address: Address,
    /// What is to happen.
    pub action: Action,
    /// What differs. For [`Action::Replace`], all fields of the new one against the old.
    pub fields: Arc<[Field]>,
    /// The live spec.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Arc<Value>>,
    /// The wanted spec; outputs known only after apply are references.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<Arc<Value>>,
    /// The parent, for a child or an aspect.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<Address>,
    /// What it does to mail.
    pub impact: Impact,
    /// Why it happens, where the fields do not say it: "cannot be changed in place: path".
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Why it cannot be finished now, although nothing else is left to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deferred: Option<String>,
    /// States of the live resource worth showing, such as "pending confirmation".
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// Paths that others may change at any time, even while this is carried out.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub ignore: BTreeSet<String>,
    /// Whether what others put in its place, although it is ours, is removed: somebody asked for that.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub takes_back: bool,
}

impl PlannedChange {
    /// The path of the one field that differs when only the marks of a family are behind.
    pub(super) const MARKS: &'static str = "ownership_marks";

    /// Whether nothing but the ownership marks is behind.
    #[must_use]
    pub fn is_marks_only(&self) -> bool {
        matches!(&self.fields[..], [field] if field.path == Self::MARKS)
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Writes on a root which children may exist from now on, and that the family is not as declared.
    Announce,
    /// Writes our marks on a root that is nobody's, as [`Verb::Announce`] does on one of ours.
    Adopt,
    /// Takes a child that others made into its family, whose marks name it by then, and makes it as declared.
    Include,
    /// Deletes.
    Delete,
    /// Goes with its parent, without a call.
    Vanish,
    /// Takes off what says that it is ours: it stays.
    Forget,
    /// Creates.
    Create,
    /// Changes in place.
    Update,
    /// Removes what an update kept for the sake of mail under way.
    Retire,
    /// Writes nothing itself: the family is read back and marked once this and its other steps are done.
    Settle,
}

impl Verb {
    /// Whether it concerns the ownership marks alone, not what was declared.
    #[must_use]
    pub const fn is_marking(self) -> bool {
        matches!(self, Self::Announce | Self::Settle)
    }
}

/// One step of a plan. Steps are numbered by their place in [`Plan::steps`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The resource.
    pub address: Address,
    /// What is done to it.
    pub verb: Verb,
    /// Numbers of the steps that must be done first: each smaller than this step's own, in their order.
    pub after: Vec<usize>,
}

/// A root with its children and aspects, as far as marks are concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// The resource that carries the marks.
    pub root: Address,
    /// Every member, the root included, in the order of their addresses.
    pub members: Vec<Address>,
    /// Tokens of all children that may exist while the steps run.
    pub children_meanwhile: BTreeSet<String>,
    /// Tokens of the children that exist afterwards.
    pub children_afterwards: BTreeSet<String>,
    /// The digest that marks the family as settled; `None` when the root is deleted, or a target leaves something undone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
    /// Members of other families that are written again because something here is made anew: only then is this family settled.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub relinks: BTreeSet<Address>,
    /// Children that another family takes over: its marks must name them before these marks cease to.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub given_away: BTreeSet<Address>,
}

/// Something under one of our resources that somebody else made: shown, and left alone as long as ours stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unmanaged {
    /// The resource.
    pub address: Address,
    /// Our resource that it sits under.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<Address>,
    /// Whether the resource that it sits under is deleted, and this one with it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub goes: bool,
}

/// A rule by which a plan is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The resource carries another owner's marks.
    Foreign,
    /// The resource exists, is nobody's that we know, and nobody asked for it to be adopted.
    Unowned,
    /// The resource exists, is nobody's that we know, and cannot be adopted as it is.
    Unadoptable,
    /// The resource is ours, others put something in its place, and nobody asked for that to be removed.
    Contested,
    /// The resource is to go, and something that others have holds on to it.
    Held,
}

/// Why a plan may not be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The resource.
    pub address: Address,
    /// What is wrong, in one sentence.
    pub message: String,
}

/// The ordered changes of one environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// One for each declared or owned resource, unchanged ones included, in the order of their addresses.
    pub changes: Vec<PlannedChange>,
    /// What apply does, each step after all those it waits for.
    pub steps: Vec<Step>,
    /// The families that have steps.
    pub families: Vec<Family>,
    /// Outputs known when the plan was made.
    pub outputs: BTreeMap<Address, Value>,
    /// Children of ours that are not ours.
    pub unmanaged: Vec<Unmanaged>,
    /// Why it may not be applied.
    pub refusals: Vec<Refusal>,
    /// What was not read: marks say that it is as declared, and nothing else was asked.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub unread: BTreeSet<Address>,
}

/// More than any kind nests: a child with settings of its own, under a root.
const DEEPEST: usize = 8;

impl Plan {
    /// The root that `change` belongs to, by the parents that the plan names. In a plan file anything may stand, even two
    /// resources that are each other's parent: then it is one of them.
    #[must_use]
    pub fn root_of<'a>(&'a self, change: &'a PlannedChange) -> &'a Address {
        let mut root = &change.address;
        let mut parent = change.parent.as_ref();
        for _ in 0..DEEPEST {
            let Some(next) = parent else { break };
            root = next;
            parent = self.change(next).and_then(|change| change.parent.as_ref());
        }
        root
    }

    /// The change of `address`.
    #[must_use]
    pub fn change(&self, address: &Address) -> Option<&PlannedChange> {
        let found = self.changes.binary_search_by(|change| change.address.cmp(address));
        found.ok().and_then(|index| self.changes.get(index))
    }

    /// The changes that do something.
    pub fn pending(&self) -> impl Iterator<Item = &PlannedChange> {
        self.changes.iter().filter(|change| change.action != Action::None)
    }

    /// Whether there is nothing to do, not even something that waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending().next().is_none()
    }

    /// The changes that wait for something outside, such as a verification, and for nothing else.
    pub fn deferred(&self) -> impl Iterator<Item = &PlannedChange> {
        self.pending().filter(|change| change.deferred.is_some())
    }

    /// Whether anything can be done now. A plan of deferred changes alone has none: "no changes now, N waiting",
    /// which counts as no change for `--detailed-exitcode`.
    #[must_use]
    pub fn has_changes_now(&self) -> bool {
        self.pending().any(|change| change.deferred.is_none())
    }

    /// How many changes have `action`.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }

    /// SHA-256 in hex over all that apply would do and what it was computed from. What is only shown (notes, outputs,
    /// children of others) does not count: a subscriber who confirms makes no saved plan stale.
    #[must_use]
    pub fn digest(&self) -> String {
        digest_of(&(WithoutNotes(&self.changes), &self.steps, &self.families, &self.refusals))
    }
}

/// Changes without their notes, copied one at a time: a plan may be large.
struct WithoutNotes<'a>(&'a [PlannedChange]);

impl Serialize for WithoutNotes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bare = |change: &PlannedChange| PlannedChange { notes: Vec::new(), ..change.clone() };
        serializer.collect_seq(self.0.iter().map(bare))
    }
}

/// SHA-256 in hex of a value's JSON. Maps are ordered, so equal values have equal digests.
pub(super) fn digest_of<T: Serialize>(value: &T) -> String {
    let mut hasher = Sha256::new();
    // Plain data with text keys always has a JSON form, and taking bytes in cannot fail.
    let _ = serde_json::to_writer(&mut hasher, value);
    let bytes = hasher.finalize();
    bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
