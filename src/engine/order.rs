//! The order of a plan's steps: creates and updates follow the declared graph, deletes follow what live resources rely on.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Action, Address, Family, Graph, Life, OnParentDelete, Ownership, PlanError, PlannedChange,
    Registry, Step, Verb, World,
};

type Node = (Verb, Address);

struct Ordering<'a> {
    graph: &'a Graph,
    world: &'a World,
    registry: &'a Registry,
    changes: &'a BTreeMap<Address, PlannedChange>,
    /// Who depends on each resource directly.
    dependents: BTreeMap<Address, BTreeSet<Address>>,
    /// Each step with those that must come before it.
    before: BTreeMap<Node, BTreeSet<Node>>,
}

/// Turns changes into numbered steps.
pub(super) fn order(
    graph: &Graph,
    world: &World,
    registry: &Registry,
    changes: &BTreeMap<Address, PlannedChange>,
    families: &[Family],
) -> Result<Vec<Step>, PlanError> {
    let mut dependents: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for resource in graph.in_order() {
        for other in graph.dependencies(&resource.address) {
            dependents.entry(other).or_default().insert(resource.address.clone());
        }
    }
    let mut ordering =
        Ordering { graph, world, registry, changes, dependents, before: BTreeMap::new() };
    ordering.add_steps()?;
    ordering.follow_graph();
    ordering.follow_live_uses();
    ordering.follow_parents();
    for family in families {
        ordering.announce(family);
        ordering.retire_last(family);
    }
    ordering.numbered()
}

impl Ordering<'_> {
    fn add_steps(&mut self) -> Result<(), PlanError> {
        for (address, change) in self.changes {
            let verbs: &[Verb] = match change.action {
                Action::None | Action::Adopt => &[],
                Action::Create => &[Verb::Create],
                // Only the marks are behind: announcing is all there is to do.
                Action::Update if is_marks_only(change) => &[Verb::Announce],
                Action::Update if self.retires(change)? => &[Verb::Update, Verb::Retire],
                Action::Update => &[Verb::Update],
                Action::Replace => &[Verb::Delete, Verb::Create],
                Action::Delete => &[Verb::Delete],
            };
            for verb in verbs {
                self.before.insert((*verb, address.clone()), BTreeSet::new());
            }
        }
        Ok(())
    }

    fn retires(&self, change: &PlannedChange) -> Result<bool, PlanError> {
        let (Some(kind), Some(to)) = (self.registry.get(change.address.kind()), &change.to) else {
            return Ok(false);
        };
        let asked = super::Change {
            name: change.address.name().to_owned(),
            from: change.from.clone(),
            to: to.clone(),
            fields: change.fields.clone(),
            marks: super::Marks::default(),
        };
        kind.retires(&asked)
            .map_err(|source| PlanError::Kind { address: change.address.clone(), source })
    }

    fn add_edge(&mut self, first: Node, then: &Node) {
        if first != *then
            && self.before.contains_key(&first)
            && let Some(needed) = self.before.get_mut(then)
        {
            needed.insert(first);
        }
    }

    fn follow_graph(&mut self) {
        let addresses: Vec<Address> = self.changes.keys().cloned().collect();
        for address in addresses {
            for verb in [Verb::Create, Verb::Update] {
                for other in self.graph.dependencies(&address) {
                    for made in [Verb::Create, Verb::Update] {
                        self.add_edge((made, other.clone()), &(verb, address.clone()));
                    }
                }
            }
            self.add_edge((Verb::Delete, address.clone()), &(Verb::Create, address.clone()));
        }
    }

    /// Nothing is deleted before everything live that relies on it has let go.
    fn follow_live_uses(&mut self) {
        let world = self.world;
        for user in world.iter() {
            let Some(change) = self.changes.get(&user.address) else { continue };
            for used in &user.uses {
                let is_anew = self.changes.get(used).is_some_and(|it| it.action == Action::Replace);
                let lets_go = match change.action {
                    Action::Delete | Action::Replace => Verb::Delete,
                    // A user that stays is written again after the recreation instead.
                    Action::Update if !is_anew => Verb::Update,
                    _ => continue,
                };
                if lets_go == Verb::Delete && self.goes_first(used, &user.address) {
                    continue;
                }
                self.add_edge((lets_go, user.address.clone()), &(Verb::Delete, used.clone()));
            }
        }
    }

    /// Whether `used` must go before the parent with which `user` dies: then it cannot wait for `user`.
    fn goes_first(&self, used: &Address, user: &Address) -> bool {
        let parent_of =
            |it: &Address| self.changes.get(it).and_then(|change| change.parent.as_ref());
        let life_of = |it: &Address| self.registry.get(it.kind()).map(|kind| kind.life());
        let Some(parent) = parent_of(user) else { return false };
        self.before.contains_key(&(Verb::Delete, parent.clone()))
            && parent_of(used) == Some(parent)
            && life_of(used) == Some(Life::Child(OnParentDelete::Before))
            && matches!(life_of(user), Some(Life::Aspect | Life::Child(OnParentDelete::Dies)))
    }

    fn follow_parents(&mut self) {
        let deleted: Vec<Address> = self
            .before
            .keys()
            .filter(|(verb, _)| *verb == Verb::Delete)
            .map(|(_, address)| address.clone())
            .collect();
        for child in deleted {
            let Some(parent) = self.changes.get(&child).and_then(|change| change.parent.clone())
            else {
                continue;
            };
            let (child, parent) = ((Verb::Delete, child), (Verb::Delete, parent));
            let life = self.registry.get(child.1.kind()).map(|kind| kind.life());
            match life {
                Some(Life::Child(OnParentDelete::Before)) => self.add_edge(child, &parent),
                _ => self.add_edge(parent, &child),
            }
        }
    }

    /// Before the first write into an existing family its root says which children may exist and that it is not settled.
    fn announce(&mut self, family: &Family) {
        let Some(live) = self.world.get(&family.root) else { return };
        let steps = self
            .steps_of(&family.members, &[Verb::Delete, Verb::Create, Verb::Update, Verb::Retire]);
        let root_goes = self.before.contains_key(&(Verb::Delete, family.root.clone()));
        let deletes_first = |node: &Node| {
            let kind = self.registry.get(node.1.kind());
            kind.is_some_and(|kind| kind.life() == Life::Child(OnParentDelete::Before))
        };
        // Deleting the root is one call, after which no mark is left to mislead; only what is deleted before it counts.
        let needed = if root_goes { steps.iter().any(deletes_first) } else { !steps.is_empty() };
        let says_so =
            live.marks.digest.is_none() && live.marks.children == family.children_meanwhile;
        let announced = (Verb::Announce, family.root.clone());
        if live.ownership != Ownership::Ours || !needed || says_so {
            return;
        }
        self.before.entry(announced.clone()).or_default();
        for step in steps {
            self.add_edge(announced.clone(), &step);
        }
    }

    /// What an update kept goes only after all else in the family, and all that depends on it, relies on the new.
    fn retire_last(&mut self, family: &Family) {
        for retire in self.steps_of(&family.members, &[Verb::Retire]) {
            let mut earlier = family.members.clone();
            earlier.extend(self.dependents.get(&retire.1).into_iter().flatten().cloned());
            for step in self.steps_of(&earlier, &[Verb::Create, Verb::Update]) {
                self.add_edge(step, &retire);
            }
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
        for (node, needed) in &self.before {
            open.insert(node.clone(), needed.len());
            for first in needed {
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

fn is_marks_only(change: &PlannedChange) -> bool {
    change.fields.len() == 1 && change.fields[0].path == "ownership_marks"
}

/// Creates and updates come before deletes where nothing else decides, so that what is new stands before the old goes.
fn ranked(node: &Node) -> (u8, Node) {
    let rank = match node.0 {
        Verb::Announce => 0,
        Verb::Create | Verb::Update => 1,
        Verb::Retire => 2,
        Verb::Delete => 3,
    };
    (rank, node.clone())
}
