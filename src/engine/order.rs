//! The order of a plan's steps: creates and updates follow the declared graph, deletes follow what live resources rely on.

mod succession;

use std::collections::{BTreeMap, BTreeSet};

use super::families::Kinship;
use super::kind::change_of;
use super::planning::Changes;
use super::{Action, Address, Family, Life, OnParentDelete, PlanError, PlannedChange, Step, Verb};

/// A step: what is done, and to whom, as a place among [`Ordering::addresses`]. Nodes sort as their addresses would.
type Node = (Verb, usize);

/// The verbs that write to the resource itself.
const WRITES: [Verb; 6] =
    [Verb::Include, Verb::Delete, Verb::Create, Verb::Update, Verb::Retire, Verb::Forget];

/// The verbs after which a resource is as declared, but for what is retired.
const MAKES: [Verb; 3] = [Verb::Include, Verb::Create, Verb::Update];

/// The verbs after which a root's marks name the children that it is to have.
const NAMES: [Verb; 3] = [Verb::Announce, Verb::Adopt, Verb::Create];

/// The verbs after which a resource is gone.
const ENDS: [Verb; 2] = [Verb::Delete, Verb::Vanish];

struct Ordering<'a> {
    kinship: &'a Kinship<'a>,
    changes: &'a Changes,
    /// Whatever may have steps, sorted.
    addresses: Vec<&'a Address>,
    /// Each step with those that must come before it, some more than once.
    before: BTreeMap<Node, Vec<Node>>,
}

/// Turns changes into numbered steps.
pub(super) fn order(
    kinship: &Kinship<'_>,
    changes: &Changes,
    families: &[Family],
) -> Result<Vec<Step>, PlanError> {
    let roots = families.iter().map(|family| &family.root);
    let addresses: BTreeSet<&Address> = changes.keys().chain(roots).collect();
    let addresses = addresses.into_iter().collect();
    let mut ordering = Ordering { kinship, changes, addresses, before: BTreeMap::new() };
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
    }
    ordering.retire_last(families);
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
                self.add_node(*verb, address);
            }
        }
        Ok(())
    }

    fn add_node(&mut self, verb: Verb, address: &Address) {
        if let Ok(place) = self.addresses.binary_search(&address) {
            self.before.entry((verb, place)).or_default();
        }
    }

    /// The step, if there is one.
    fn node(&self, verb: Verb, address: &Address) -> Option<Node> {
        let node = (verb, self.addresses.binary_search(&address).ok()?);
        self.before.contains_key(&node).then_some(node)
    }

    fn has(&self, verb: Verb, address: &Address) -> bool {
        self.node(verb, address).is_some()
    }

    /// The change that a step is of.
    fn change_of(&self, (_, place): Node) -> Option<&'_ PlannedChange> {
        self.changes.get(*self.addresses.get(place)?).map(AsRef::as_ref)
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

    /// Puts one before the other, if both are steps.
    fn add_edge(&mut self, first: Option<Node>, then: Option<Node>) {
        if let (Some(first), Some(then)) = (first, then)
            && first != then
            && let Some(needed) = self.before.get_mut(&then)
        {
            needed.push(first);
        }
    }

    fn follow_graph(&mut self) {
        for address in self.changes.keys() {
            let making = self.steps_of([address], &MAKES);
            if making.is_empty() {
                continue;
            }
            let needed = self.kinship.graph.dependencies(address);
            for first in self.steps_of(&needed, &MAKES) {
                for then in &making {
                    self.add_edge(Some(first), Some(*then));
                }
            }
            for end in ENDS {
                self.add_edge(self.node(end, address), self.node(Verb::Create, address));
            }
        }
    }

    /// Nothing is deleted before everything live that relies on it has let go.
    fn follow_live_uses(&mut self) {
        let kinship = self.kinship;
        for user in kinship.world.iter() {
            let Some(change) = self.changes.get(&user.address) else { continue };
            let needed = kinship.graph.dependencies(&user.address);
            let vanishes = self.has(Verb::Vanish, &user.address);
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
                    self.add_edge(self.node(*verb, &user.address), self.node(Verb::Delete, used));
                }
            }
        }
    }

    fn follow_parents(&mut self) {
        let changes = self.changes;
        for (child, change) in changes {
            let Some(parent) = &change.parent else { continue };
            let parent = self.node(Verb::Delete, parent);
            self.add_edge(parent, self.node(Verb::Vanish, child));
            self.add_edge(self.node(Verb::Delete, child), parent);
        }
    }

    /// A root does not go before another one's marks name the children that it gives away, or those are gone for now.
    fn keep_named(&mut self, family: &Family) {
        let goes = self.node(Verb::Delete, &family.root);
        for first in self.named_elsewhere(family) {
            self.add_edge(Some(first), goes);
        }
    }

    /// The steps after which the marks of `family` need not name any more what it gives away.
    fn named_elsewhere(&self, family: &Family) -> Vec<Node> {
        let named =
            family.given_away.iter().flat_map(|child| match self.node(Verb::Delete, child) {
                Some(gone) => vec![gone],
                None => self.steps_of([&self.kinship.root(child)], &NAMES),
            });
        named.collect()
    }

    /// Two that go may rely on one another through what vanishes with them: a set that tracks through an identity whose
    /// default set it is. There, what would vanish is deleted by a call of its own, before its parent.
    fn break_cycles(&mut self) {
        if !self.before.keys().any(|(verb, _)| *verb == Verb::Vanish) {
            return;
        }
        let once = |needed: &Vec<Node>| needed.iter().copied().collect::<BTreeSet<Node>>();
        let mut stuck: BTreeMap<Node, BTreeSet<Node>> =
            self.before.iter().map(|(node, needed)| (*node, once(needed))).collect();
        trim(&mut stuck);
        let mut followers: BTreeMap<Node, BTreeSet<Node>> =
            stuck.keys().map(|node| (*node, BTreeSet::new())).collect();
        for (node, needed) in &stuck {
            for first in needed {
                followers.entry(*first).or_default().insert(*node);
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
        let parent_goes = |node: Node| {
            let parent = self.change_of(node)?.parent.as_ref()?;
            Some((Verb::Delete, self.addresses.binary_search(&parent).ok()?))
        };
        let mut before: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
        for (node, needed) in &self.before {
            let mut needed: Vec<Node> = needed.iter().copied().map(instead).collect();
            if vanishing.contains(node)
                && let Some(parent) = parent_goes(*node)
            {
                needed.retain(|first| *first != parent);
            }
            before.insert(instead(*node), needed);
        }
        let first: Vec<(Node, Option<Node>)> =
            vanishing.iter().map(|node| (instead(*node), parent_goes(*node))).collect();
        self.before = before;
        for (goes, parent) in first {
            self.add_edge(Some(goes), parent);
        }
    }

    /// Before the first write that concerns an existing family, its root says which children may exist and that it is
    /// not settled. A write concerns a family when it is in it, or when a member that changes depends on what is written.
    fn announce(&mut self, family: &Family) {
        let kinship = self.kinship;
        let Some(live) = kinship.world.get(&family.root) else { return };
        let mut concerned: BTreeSet<Address> = family.members.iter().cloned().collect();
        concerned.extend(family.given_away.iter().cloned());
        let own = self.steps_of(&concerned, &WRITES);
        let written = own.iter().filter_map(|(_, place)| self.addresses.get(*place));
        let needed = written.flat_map(|address| kinship.graph.dependencies(address));
        let needed = self.steps_of(&needed.collect::<BTreeSet<_>>(), &WRITES);
        let used = concerned.iter().filter_map(|it| kinship.world.get(it)).flat_map(|it| &it.uses);
        let used = self.steps_of(used.collect::<BTreeSet<_>>(), &[Verb::Create, Verb::Update]);
        let root = self.addresses.binary_search(&&family.root).ok();
        let root_goes = self.has(Verb::Delete, &family.root);
        // Deleting the root is one call, after which no mark is left to mislead; only what is written before it counts.
        let is_concerned = if root_goes {
            let is_before = |(verb, place): &Node| *verb == Verb::Delete && Some(*place) != root;
            own.iter().any(is_before) || !used.is_empty()
        } else {
            !own.is_empty() || family.members.iter().any(|it| kinship.former_root(it).is_some())
        };
        let says_so =
            live.marks.digest.is_none() && live.marks.children == family.children_meanwhile;
        let verb = if self.has(Verb::Adopt, &family.root) {
            Verb::Adopt
        } else if !live.ownership.is_ours() || !is_concerned || says_so {
            return;
        } else {
            Verb::Announce
        };
        self.add_node(verb, &family.root);
        let announced = self.node(verb, &family.root);
        for step in own.into_iter().chain(needed).chain(used) {
            self.add_edge(announced, Some(step));
        }
    }

    /// What an update kept goes only after all else in the family, and all that depends on it in whatever way, relies on
    /// the new or is gone.
    fn retire_last(&mut self, families: &[Family]) {
        if !self.before.keys().any(|(verb, _)| *verb == Verb::Retire) {
            return;
        }
        let dependents = self.dependents();
        for family in families {
            for retired in &family.members {
                let Some(retire) = self.node(Verb::Retire, retired) else { continue };
                let mut earlier: BTreeSet<&Address> = family.members.iter().collect();
                let mut open = vec![retired];
                while let Some(next) = open.pop() {
                    for dependent in dependents.get(next).into_iter().flatten() {
                        if earlier.insert(dependent) {
                            open.push(dependent);
                        }
                    }
                }
                let steps = [Verb::Include, Verb::Create, Verb::Update, Verb::Delete, Verb::Vanish];
                for step in self.steps_of(earlier, &steps) {
                    self.add_edge(Some(step), Some(retire));
                }
            }
        }
    }

    /// Who depends on each resource directly, as declared or as found.
    fn dependents(&self) -> BTreeMap<Address, Vec<Address>> {
        let mut dependents: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
        for resource in self.kinship.graph.in_order() {
            for other in self.kinship.graph.dependencies(&resource.address) {
                dependents.entry(other).or_default().push(resource.address.clone());
            }
        }
        for live in self.kinship.world.ours() {
            for other in &live.uses {
                dependents.entry(other.clone()).or_default().push(live.address.clone());
            }
        }
        dependents
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
        self.add_node(last, &family.root);
        let last = self.node(last, &family.root);
        for step in first {
            self.add_edge(Some(step), last);
        }
    }

    fn steps_of<'n>(
        &self,
        addresses: impl IntoIterator<Item = &'n Address>,
        verbs: &[Verb],
    ) -> Vec<Node> {
        let addresses = addresses.into_iter();
        let places = addresses.filter_map(|it| self.addresses.binary_search(&it).ok());
        let nodes = places.flat_map(|place| verbs.iter().map(move |verb| (*verb, place)));
        nodes.filter(|node| self.before.contains_key(node)).collect()
    }

    fn numbered(self) -> Result<Vec<Step>, PlanError> {
        let (nodes, before): (Vec<Node>, Vec<Vec<Node>>) = self.before.into_iter().unzip();
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        let mut needed: Vec<Vec<usize>> = Vec::with_capacity(nodes.len());
        for (index, before) in before.into_iter().enumerate() {
            let first = before.iter().filter_map(|first| nodes.binary_search(first).ok());
            let first: BTreeSet<usize> = first.collect();
            for first in &first {
                followers[*first].push(index);
            }
            needed.push(first.into_iter().collect());
        }
        let mut waiting: Vec<usize> = needed.iter().map(Vec::len).collect();
        let mut numbers: Vec<Option<usize>> = vec![None; nodes.len()];
        let mut steps = Vec::with_capacity(nodes.len());
        let ranked = |index: usize| (rank(nodes[index].0), index);
        let free = (0..nodes.len()).filter(|index| waiting[*index] == 0);
        let mut ready: BTreeSet<(u8, usize)> = free.map(ranked).collect();
        while let Some((_, index)) = ready.pop_first() {
            let mut after: Vec<usize> =
                needed[index].iter().filter_map(|first| numbers[*first]).collect();
            after.sort_unstable();
            numbers[index] = Some(steps.len());
            let (verb, place) = nodes[index];
            steps.push(Step { address: self.addresses[place].clone(), verb, after });
            for follower in &followers[index] {
                waiting[*follower] -= 1;
                if waiting[*follower] == 0 {
                    ready.insert(ranked(*follower));
                }
            }
        }
        if steps.len() == nodes.len() {
            return Ok(steps);
        }
        let open = nodes.iter().zip(numbers).filter(|(_, number)| number.is_none());
        Err(PlanError::Cycle(open.map(|((_, place), _)| self.addresses[*place].clone()).collect()))
    }
}

/// Takes out again and again what waits for nothing that is left.
fn trim(waiting: &mut BTreeMap<Node, BTreeSet<Node>>) {
    let mut followers: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    let mut ready = Vec::new();
    for (node, needed) in waiting.iter() {
        if needed.is_empty() {
            ready.push(*node);
        }
        for first in needed {
            followers.entry(*first).or_default().push(*node);
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
const fn rank(verb: Verb) -> u8 {
    match verb {
        Verb::Announce | Verb::Adopt => 0,
        Verb::Include | Verb::Create | Verb::Update => 1,
        Verb::Retire | Verb::Forget => 2,
        Verb::Delete | Verb::Vanish => 3,
        Verb::Settle => 4,
    }
}
