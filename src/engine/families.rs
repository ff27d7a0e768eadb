//! Families: each root with its children and aspects, and what its marks must say before, while and after they change.
//!
//! Invariant: at every instant the marks of the roots together name every child of ours that exists, and a digest is
//! there only while the whole family is as declared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::plan::digest_of;
use super::planning::Changes;
use super::{
    Action, Address, Family, Field, Graph, Life, LiveValue, Marks, Ownership, PlanError,
    PlannedChange, Registry, Resource, World,
};

/// In a root's marks beside the tokens of children: something in the family was made anew, and what relies on it is not
/// written again yet. Services drop such links without a trace that could be read, so a run that is cut off leaves this one.
pub(super) const RELINK: &str = "relink";

/// In a root's marks beside the tokens of children: it is protected, for when no file says so any more. A root that is
/// declared with this as a token of its own is marked so.
pub const PROTECTED: &str = "protected";

/// Who is written again because something it relies on is made anew, by the root of what is made anew.
pub(super) type Relinks = BTreeMap<Address, BTreeSet<Address>>;

/// What decides who belongs to whom.
pub(super) struct Kinship<'a> {
    pub graph: &'a Graph,
    pub registry: &'a Registry,
    pub world: &'a World,
}

impl Kinship<'_> {
    /// The root whose marks are to speak of `address`: as declared, otherwise as found.
    pub(super) fn root(&self, address: &Address) -> Address {
        let root = self.graph.root(address);
        if self.graph.get(&root).is_some() { root } else { self.world.root_of(&root) }
    }

    /// Whether nothing can be done about it: it is another owner's, or something else stands in its place.
    pub(super) fn is_out_of_reach(&self, live: &LiveValue) -> bool {
        matches!(live.ownership, Ownership::Blocked(_)) || self.is_foreign(live)
    }

    /// Whether it is another owner's, itself or through what it sits under.
    pub(super) fn is_foreign(&self, live: &LiveValue) -> bool {
        let mut one = Some(live);
        while let Some(live) = one {
            if matches!(live.ownership, Ownership::Foreign(_)) {
                return true;
            }
            one = live.parent.as_ref().and_then(|parent| self.world.get(parent));
        }
        false
    }

    /// The root whose marks speak of `address` so far, where another's are to.
    pub(super) fn former_root(&self, address: &Address) -> Option<Address> {
        self.world.get(address)?.parent.as_ref()?;
        Some(self.world.root_of(address)).filter(|former| *former != self.root(address))
    }

    /// All families of `changes`.
    pub(super) fn families(&self, changes: &Changes, mut relinks: Relinks) -> Vec<Family> {
        let mut members: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        let mut given_away: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        for address in changes.keys() {
            if let Some(former) = self.former_root(address) {
                given_away.entry(former).or_default().insert(address.clone());
            }
            members.entry(self.root(address)).or_default().insert(address.clone());
        }
        let families = members.into_iter().map(|(root, members)| {
            let relinks = relinks.remove(&root).unwrap_or_default();
            let given_away = given_away.remove(&root).unwrap_or_default();
            self.family(root, members, relinks, given_away, changes)
        });
        families.collect()
    }

    fn family(
        &self,
        root: Address,
        members: BTreeSet<Address>,
        relinks: BTreeSet<Address>,
        given_away: BTreeSet<Address>,
        changes: &Changes,
    ) -> Family {
        let declared = || members.iter().filter_map(|member| self.graph.get(member));
        let children_afterwards: BTreeSet<String> =
            declared().flat_map(|resource| resource.tokens.iter().cloned()).collect();
        let live = members.iter().filter_map(|member| self.world.get(member));
        let is_adopted = |live: &LiveValue| {
            changes.get(&live.address).is_some_and(|it| it.action == Action::Adopt)
        };
        let live_children = live.filter(|live| {
            (live.ownership.is_ours() || is_adopted(live)) && self.is_child(&live.address)
        });
        let marked = self.world.get(&root).map(|live| &live.marks.children);
        let mut children_meanwhile: BTreeSet<String> = live_children
            .flat_map(|live| &live.tokens)
            .chain(marked.into_iter().flatten())
            .chain(&children_afterwards)
            .cloned()
            .collect();
        if !relinks.is_empty() {
            children_meanwhile.insert(RELINK.to_owned());
        }
        // What carries no marks says nothing of having been settled; reading it says everything.
        let digest = self
            .graph
            .get(&root)
            .filter(|_| !self.is_setting(&root))
            .map(|_| digest_of_family(self.graph, self.registry, &root, &members));
        Family {
            root,
            members: members.into_iter().collect(),
            children_meanwhile,
            children_afterwards,
            digest,
            relinks,
            given_away,
        }
    }

    /// What differs in a family whose marks say that all this was applied before was changed by others, and is judged so.
    pub(super) fn judge_mending(
        &self,
        changes: &mut Changes,
        families: &[Family],
    ) -> Result<(), PlanError> {
        for family in families {
            let was_applied = |live: &LiveValue| {
                live.ownership == Ownership::Ours
                    && live.marks.digest.is_some()
                    && live.marks.digest == family.digest
            };
            if !self.world.get(&family.root).is_some_and(was_applied) {
                continue;
            }
            for member in &family.members {
                let change = changes.get_mut(member).filter(|it| it.action == Action::Update);
                let (Some(change), Some(kind)) = (change, self.registry.get(member.kind())) else {
                    continue;
                };
                let (Some(from), Some(to)) = (&change.from, &change.to) else { continue };
                let failed = |source| PlanError::Kind { address: member.clone(), source };
                let impact = kind.impact_of_mending(from, to, &change.fields).map_err(failed)?;
                if let Some(impact) = impact {
                    change.impact = impact;
                }
            }
        }
        Ok(())
    }

    /// Whether `address` is a setting that belongs to nobody.
    pub(super) fn is_setting(&self, address: &Address) -> bool {
        self.registry.get(address.kind()).is_some_and(|kind| kind.life() == Life::Setting)
    }

    fn is_child(&self, address: &Address) -> bool {
        let kind = self.registry.get(address.kind());
        kind.is_some_and(|kind| matches!(kind.life(), Life::Child(_)))
    }

    /// A family that is as declared, but whose marks do not say so (an apply was cut off just before the end), gets its marks.
    pub(super) fn complete_marks(&self, changes: &mut Changes, families: &[Family]) {
        for family in families {
            let idle = family.members.iter().all(|member| {
                changes.get(member).is_some_and(|change| change.action == Action::None)
            });
            let Some(live) = self.world.get(&family.root).filter(|_| idle) else { continue };
            let settled = live.marks.digest == family.digest
                && live.marks.children == family.children_afterwards;
            if settled || !live.ownership.is_ours() {
                continue;
            }
            if let Some(change) = changes.get_mut(&family.root) {
                change.action = Action::Update;
                change.reason = Some(reason_of_marks(&live.marks, family).to_owned());
                change.fields = Arc::new([Field {
                    path: PlannedChange::MARKS.to_owned(),
                    from: Some(json!("incomplete")),
                    to: Some(json!("complete")),
                }]);
            }
        }
    }
}

/// What a family is declared to be, in 16 hex digits: another whenever a member, its spec, or what of it is left to others
/// is declared otherwise. Tokens of children are in the marks beside it.
#[must_use]
pub fn digest_of_family(
    graph: &Graph,
    registry: &Registry,
    root: &Address,
    members: &BTreeSet<Address>,
) -> String {
    let declared: Vec<&Resource> = members.iter().filter_map(|it| graph.get(it)).collect();
    let specs: Vec<(&Address, &Value)> =
        declared.iter().map(|it| (&it.address, &*it.spec)).collect();
    let ignored: BTreeMap<&Address, &BTreeSet<String>> = declared
        .iter()
        .filter(|it| !it.ignore.is_empty())
        .map(|it| (&it.address, &it.ignore))
        .collect();
    let is_setting_of_root = |left: &&Address| {
        left.name() == root.name()
            && registry.get(left.kind()).is_some_and(|it| it.setting_of() == Some(root.kind()))
    };
    let left: Vec<&Address> = graph.left().filter(is_setting_of_root).collect();
    let digest = if ignored.is_empty() && left.is_empty() {
        digest_of(&specs)
    } else {
        digest_of(&(specs, ignored, left))
    };
    digest[..16].to_owned()
}

/// Why only the marks are written.
fn reason_of_marks(live: &Marks, family: &Family) -> &'static str {
    let differs = live.children.symmetric_difference(&family.children_afterwards);
    if live.digest != family.digest || !differs.eq([PROTECTED]) {
        "completes the ownership marks of an earlier run"
    } else if live.children.contains(PROTECTED) {
        "notes on it that it is no longer protected by itself"
    } else {
        "notes on it that it is protected"
    }
}
