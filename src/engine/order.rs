//! The order of a plan's steps: creates and updates follow the declared graph, deletes follow what live resources rely on.

mod succession;

use std::collections::{BTreeMap, BTreeSet};

use super::families::Kinship;
use super::kind::change_of;
use super::{Action, Address, Family, Life, OnParentDelete, PlanError, PlannedChange, Step, Verb};

type Node = (Verb, Address);

/// The verbs that write to the resource itself.
const WRITES: [Verb; 6] =
    [Verb::Include, Verb::Delete, Verb::Create, Verb::Update, Verb::Retire, Verb::Forget];

/// The verbs after which a resource is as declared, but for what is retired.
const MAKES: [Verb; 3] = [Verb::Include, Verb::Create, Verb::Update];

/// The verbs after which a resource is gone.
const ENDS: [Verb; 2] = [Verb::Delete, Verb::Vanish];

struct Ordering<'a> {
    kinship: &'a Kinship<'a>,
    changes: &'a BTreeMap<Address, PlannedChange>,
    /// Who depends on each resource directly, as declared or as found.
    dependents: BTreeMap<Address, Vec<Address>>,
    /// Each step with those that must come before it, some more than once.
    before: BTreeMap<Node, Vec<Node>>,
}

/// Turns changes into numbered steps.
pub(super) fn order(
    kinship: &Kinship<'_>,
    changes: &BTreeMap<Address, PlannedChange>,
    families: &[Family],
) -> Result<Vec<Step>, PlanError> {
    let mut dependents: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
    for resource in kinship.graph.in_order() {
        for other in kinship.graph.dependencies(&resource.address) {
            dependents.entry(other).or_default().push(resource.address.clone());
        }
    }
    for live in kinship.world.ours() {
        for other in &live.uses {
            dependents.entry(other.clone()).or_default().push(live.address.clone());
        }
    }
    let mut ordering = Ordering { kinship, changes, dependents, before: BTreeMap::new() };
    ordering.add_steps()?;
    ordering.follow_graph();
    ordering.follow_live_uses();
    ordering.follow_parents();
    for family in families {
        ordering.keep_named(family);
    }
    ordering.break_cycles();
    ordering.new_before_old();
    ordering.users_before_children();
    for family in families {
        ordering.announce(family);
        ordering.retire_last(family);
    }
    // These follow announcements of other families, so all of those must be there.
    for family in families {
        ordering.settle_late(family);
    }
    ordering.numbered()
}

impl Ordering<'_> {
    fn add_steps(&mut self) -> Result<(), PlanError> {
        for (address, change) in self.changes {
            let verbs: &[Verb] = match change.action {
                Action::None => &[],
                Action::Adopt if !self.is_root(address) && self.retires(change)? => {
                    &[Verb::Include, Verb::Retire]
                }
                Action::Adopt if !self.is_root(address) => &[Verb::Include],
                Action::Adopt if change.fields.is_empty() => &[Verb::Adopt],
                Action::Adopt => &[Verb::Adopt, Verb::Update],
                Action::Create => &[Verb::Create],
                Action::Update if change.is_marks_only() => &[Verb::Settle],
                Action::Update if self.retires(change)? => &[Verb::Update, Verb::Retire],
                Action::Update => &[Verb::Update],
                Action::Replace if self.goes_with_parent(change) => &[Verb::Vanish, Verb::Create],
                Action::Replace => &[Verb::Delete, Verb::Create],
                Action::Delete if self.goes_with_parent(change) => &[Verb::Vanish],
                Action::Delete => &[Verb::Delete],
                Action::Forget => &[Verb::Forget],
            };
            for verb in verbs {
                self.before.insert((*verb, address.clone()), Vec::new());
            }
        }
        Ok(())
    }

    fn is_root(&self, address: &Address) -> bool {
        let kind = self.kinship.registry.get(address.kind());
        kind.is_some_and(|kind| kind.life() == Life::Root)
    }

    fn goes_with_parent(&self, change: &PlannedChange) -> bool {
        let kind = self.kinship.registry.get(change.address.kind());
        let life = kind.map(|kind| kind.life());
        let parent = change.parent.as_ref().and_then(|parent| self.changes.get(parent));
        matches!(life, Some(Life::Aspect | Life::Child(OnParentDelete::Dies)))
            && parent.is_some_and(|it| matches!(it.action, Action::Delete | Action::Replace))
    }

    fn retires(&self, change: &PlannedChange) -> Result<bool, PlanError> {
        let address = &change.address;
        let (Some(kind), Some(to)) = (self.kinship.registry.get(address.kind()), &change.to) else {
            return Ok(false);
        };
        let asked = change_of(address, change.from.as_deref(), to, &change.fields);
        kind.retires(&asked).map_err(|source| PlanError::Kind { address: address.clone(), source })
    }

    fn add_edge(&mut self, first: Node, then: &Node) {
        if first != *then
            && self.before.contains_key(&first)
            && let Some(needed) = self.before.get_mut(then)
        {
            needed.push(first);
        }
    }

    fn follow_graph(&mut self) {
        let kinship = self.kinship;
        for address in self.changes.keys() {
            for other in kinship.graph.dependencies(address) {
                for verb in MAKES {
                    for made in MAKES {
                        self.add_edge((made, other.clone()), &(verb, address.clone()));
                    }
                }
            }
            for end in ENDS {
                self.add_edge((end, address.clone()), &(Verb::Create, address.clone()));
            }
        }
    }

    /// Nothing is deleted before everything live that relies on it has let go.
    fn follow_live_uses(&mut self) {
        let kinship = self.kinship;
        for user in kinship.world.iter() {
            let Some(change) = self.changes.get(&user.address) else { continue };
            let needed = kinship.graph.dependencies(&user.address);
            let vanishes = self.before.contains_key(&(Verb::Vanish, user.address.clone()));
            let parent_of = |it| self.changes.get(it).and_then(|change| change.parent.as_ref());
            let lets_go: &[Verb] = match change.action {
                Action::Delete | Action::Replace => &ENDS,
                Action::Update | Action::Adopt => &[Verb::Update, Verb::Include],
                _ => &[],
            };
            for used in &user.uses {
                // What goes within the same parent may go first: the user has only moments left, and clearing it would cost a call.
                if vanishes && parent_of(used) == change.parent.as_ref() {
                    continue;
                }
                // A user that goes on using what is made anew is written again after that instead.
                if matches!(change.action, Action::Update | Action::Adopt) && needed.contains(used)
                {
                    continue;
                }
                for verb in lets_go {
                    self.add_edge((*verb, user.address.clone()), &(Verb::Delete, used.clone()));
                }
            }
        }
    }

    fn follow_parents(&mut self) {
        let changes = self.changes;
        for (child, change) in changes {
            let Some(parent) = &change.parent else { continue };
            let parent = (Verb::Delete, parent.clone());
            self.add_edge(parent.clone(), &(Verb::Vanish, child.clone()));
            self.add_edge((Verb::Delete, child.clone()), &parent);
        }
    }

    /// A root does not go before another one's marks name the children that it gives away, or those are gone for now.
    fn keep_named(&mut self, family: &Family) {
        for first in self.named_elsewhere(family) {
            self.add_edge(first, &(Verb::Delete, family.root.clone()));
        }
    }

    /// The steps after which the marks of `family` need not name any more what it gives away.
    fn named_elsewhere(&self, family: &Family) -> Vec<Node> {
        let named = family.given_away.iter().flat_map(|child| {
            let root = self.kinship.root(child);
            let gone = (Verb::Delete, child.clone());
            if self.before.contains_key(&gone) {
                vec![gone]
            } else {
                let naming = [Verb::Announce, Verb::Adopt, Verb::Create];
                naming.map(|verb| (verb, root.clone())).to_vec()
            }
        });
        named.filter(|node| self.before.contains_key(node)).collect()
    }

    /// Two that go may rely on one another through what vanishes with them: a set that tracks through an identity whose
    /// default set it is. There, what would vanish is deleted by a call of its own, before its parent.
    fn break_cycles(&mut self) {
        if !self.before.keys().any(|(verb, _)| *verb == Verb::Vanish) {
            return;
        }
        let once = |needed: &Vec<Node>| needed.iter().cloned().collect::<BTreeSet<Node>>();
        let mut stuck: BTreeMap<Node, BTreeSet<Node>> =
            self.before.iter().map(|(node, needed)| (node.clone(), once(needed))).collect();
        trim(&mut stuck);
        let mut followers: BTreeMap<Node, BTreeSet<Node>> =
            stuck.keys().map(|node| (node.clone(), BTreeSet::new())).collect();
        for (node, needed) in &stuck {
            for first in needed {
                followers.entry(first.clone()).or_default().insert(node.clone());
            }
        }
        trim(&mut followers);
        let vanishing: BTreeSet<Node> =
            followers.into_keys().filter(|(verb, _)| *verb == Verb::Vanish).collect();
        if vanishing.is_empty() {
            return;
        }
        let instead = |node: Node| {
            if vanishing.contains(&node) { (Verb::Delete, node.1) } else { node }
        };
        for (node, needed) in std::mem::take(&mut self.before) {
            let mut needed: Vec<Node> = needed.into_iter().map(instead).collect();
            if vanishing.contains(&node)
                && let Some(parent) = self.changes.get(&node.1).and_then(|it| it.parent.clone())
            {
                needed.retain(|first| *first != (Verb::Delete, parent.clone()));
            }
            self.before.insert(instead(node), needed);
        }
        for (_, address) in &vanishing {
            if let Some(parent) = self.changes.get(address).and_then(|it| it.parent.clone()) {
                self.add_edge((Verb::Delete, address.clone()), &(Verb::Delete, parent));
            }
        }
    }

    /// Before the first write that concerns an existing family, its root says which children may exist and that it is
    /// not settled. A write concerns a family when it is in it, or when a member that changes depends on what is written.
    fn announce(&mut self, family: &Family) {
        let kinship = self.kinship;
        let Some(live) = kinship.world.get(&family.root) else { return };
        let mut concerned = family.members.clone();
        concerned.extend(family.given_away.iter().cloned());
        let own = self.steps_of(&concerned, &WRITES);
        let needed = own.iter().flat_map(|(_, address)| kinship.graph.dependencies(address));
        let needed = self.steps_of(&needed.collect(), &WRITES);
        let used = concerned.iter().filter_map(|it| kinship.world.get(it)).flat_map(|it| &it.uses);
        let used = self.steps_of(&used.cloned().collect(), &[Verb::Create, Verb::Update]);
        let root_goes = self.before.contains_key(&(Verb::Delete, family.root.clone()));
        // Deleting the root is one call, after which no mark is left to mislead; only what is written before it counts.
        let is_concerned = if root_goes {
            let is_before =
                |(verb, address): &Node| *verb == Verb::Delete && *address != family.root;
            own.iter().any(is_before) || !used.is_empty()
        } else {
            !own.is_empty() || family.members.iter().any(|it| kinship.former_root(it).is_some())
        };
        let says_so =
            live.marks.digest.is_none() && live.marks.children == family.children_meanwhile;
        let adopting = (Verb::Adopt, family.root.clone());
        let announced = if self.before.contains_key(&adopting) {
            adopting
        } else if !live.ownership.is_ours() || !is_concerned || says_so {
            return;
        } else {
            (Verb::Announce, family.root.clone())
        };
        self.before.entry(announced.clone()).or_default();
        for step in own.into_iter().chain(needed).chain(used) {
            self.add_edge(announced.clone(), &step);
        }
    }

    /// What an update kept goes only after all else in the family, and all that depends on it in whatever way, relies on
    /// the new or is gone.
    fn retire_last(&mut self, family: &Family) {
        for retire in self.steps_of(&family.members, &[Verb::Retire]) {
            let mut earlier = family.members.clone();
            let mut open = vec![&retire.1];
            while let Some(next) = open.pop() {
                for dependent in self.dependents.get(next).into_iter().flatten() {
                    if earlier.insert(dependent.clone()) {
                        open.push(dependent);
                    }
                }
            }
            let steps = [Verb::Include, Verb::Create, Verb::Update, Verb::Delete, Verb::Vanish];
            for step in self.steps_of(&earlier, &steps) {
                self.add_edge(step, &retire);
            }
        }
    }

    /// A family is settled only after those elsewhere that its marks answer for: what is to be written again because of it,
    /// and the marks that are to name a child instead of it.
    fn settle_late(&mut self, family: &Family) {
        let mut first = self.steps_of(&family.relinks, &MAKES);
        first.extend(self.named_elsewhere(family));
        if first.is_empty() {
            return;
        }
        let root_only_goes =
            self.changes.get(&family.root).is_some_and(|it| it.action == Action::Delete);
        let last = if root_only_goes { Verb::Delete } else { Verb::Settle };
        let last = (last, family.root.clone());
        self.before.entry(last.clone()).or_default();
        for step in first {
            self.add_edge(step, &last);
        }
    }

    fn steps_of(&self, addresses: &BTreeSet<Address>, verbs: &[Verb]) -> Vec<Node> {
        let nodes =
            addresses.iter().flat_map(|it| verbs.iter().map(move |verb| (*verb, it.clone())));
        nodes.filter(|node| self.before.contains_key(node)).collect()
    }

    fn numbered(mut self) -> Result<Vec<Step>, PlanError> {
        let mut numbers: BTreeMap<Node, usize> = BTreeMap::new();
        let mut steps = Vec::with_capacity(self.before.len());
        let mut dependents: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
        let mut open: BTreeMap<Node, usize> = BTreeMap::new();
        for (node, needed) in &mut self.before {
            needed.sort_unstable();
            needed.dedup();
            open.insert(node.clone(), needed.len());
            for first in &*needed {
                dependents.entry(first.clone()).or_default().push(node.clone());
            }
        }
        let mut ready: BTreeSet<(u8, Node)> = BTreeSet::new();
        ready.extend(open.iter().filter(|(_, count)| **count == 0).map(|(node, _)| ranked(node)));
        while let Some((_, node)) = ready.pop_first() {
            open.remove(&node);
            let needed = self.before.remove(&node).unwrap_or_default();
            let after = needed.iter().filter_map(|first| numbers.get(first).copied()).collect();
            numbers.insert(node.clone(), steps.len());
            steps.push(Step { address: node.1.clone(), verb: node.0, after });
            for dependent in dependents.remove(&node).unwrap_or_default() {
                if let Some(count) = open.get_mut(&dependent) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(ranked(&dependent));
                    }
                }
            }
        }
        if open.is_empty() {
            Ok(steps)
        } else {
            Err(PlanError::Cycle(open.into_keys().map(|(_, address)| address).collect()))
        }
    }
}

/// Takes out again and again what waits for nothing that is left.
fn trim(waiting: &mut BTreeMap<Node, BTreeSet<Node>>) {
    let mut followers: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    let mut ready = Vec::new();
    for (node, needed) in waiting.iter() {
        if needed.is_empty() {
            ready.push(node.clone());
        }
        for first in needed {
            followers.entry(first.clone()).or_default().push(node.clone());
        }
    }
    while let Some(node) = ready.pop() {
        waiting.remove(&node);
        for follower in followers.remove(&node).unwrap_or_default() {
            if let Some(needed) = waiting.get_mut(&follower) {
                needed.remove(&node);
                if needed.is_empty() {
                    ready.push(follower);
                }
            }
        }
    }
}

/// Creates and updates come before deletes where nothing else decides, so that what is new stands before the old goes.
fn ranked(node: &Node) -> (u8, Node) {
    let rank = match node.0 {
        Verb::Announce | Verb::Adopt => 0,
        Verb::Include | Verb::Create | Verb::Update => 1,
        Verb::Retire | Verb::Forget => 2,
        Verb::Delete | Verb::Vanish => 3,
        Verb::Settle => 4,
    };
    (rank, node.clone())
}
