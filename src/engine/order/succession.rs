//! Nothing is missed while one thing takes over from another: what is new stands before what it replaces goes.
//!
//! Invariant: these orders are wishes. Where the old must go first, because the new one waits for that, they give way.

use std::collections::{BTreeMap, BTreeSet};

use super::{Node, Ordering};
use crate::engine::{Address, Life, Verb};

impl Ordering<'_> {
    /// What comes takes the place of what goes, wherever both fill one place: it stands before the other goes, unless it
    /// has to wait for that.
    pub(super) fn new_before_old(&mut self) {
        let changes = self.changes;
        let mut places: BTreeMap<(&str, &str), BTreeSet<&Address>> = BTreeMap::new();
        for address in changes.keys() {
            let kind = self.kinship.registry.get(address.kind());
            if let Some(place) = kind.and_then(|kind| kind.place(address.name())) {
                places.entry((address.kind(), place)).or_default().insert(address);
            }
        }
        for together in places.into_values() {
            let go = self.steps_of(together.iter().copied(), &[Verb::Delete]);
            let come = self.steps_of(together, &[Verb::Create, Verb::Update]);
            self.add_where_no_cycle(&come, &go);
        }
    }

    /// A child goes only after those who use its parent have let go of that: an event is not to find its topic without
    /// the one who listened to it.
    pub(super) fn users_before_children(&mut self) {
        let kinship = self.kinship;
        let changes = self.changes;
        let mut children: BTreeMap<&Address, Vec<Node>> = BTreeMap::new();
        for (address, change) in changes {
            let life = kinship.registry.get(address.kind()).map(|kind| kind.life());
            if let (Some(Life::Child(_)), Some(parent)) = (life, &change.parent)
                && let Some(goes) = self.node(Verb::Delete, address)
            {
                children.entry(parent).or_default().push(goes);
            }
        }
        if children.is_empty() {
            return;
        }
        for user in kinship.world.iter() {
            let needed = kinship.graph.dependencies(&user.address);
            let lets_go =
                self.steps_of([&user.address], &[Verb::Update, Verb::Delete, Verb::Vanish]);
            for used in user.uses.iter().filter(|used| !needed.contains(*used)) {
                if let Some(children) = children.get(used) {
                    self.add_where_no_cycle(&lets_go, children);
                }
            }
        }
    }

    /// Puts all of `first` before each of `then` that none of them has to wait for.
    fn add_where_no_cycle(&mut self, first: &[Node], then: &[Node]) {
        if first.is_empty() || then.is_empty() {
            return;
        }
        let mut earlier: BTreeSet<Node> = BTreeSet::new();
        let mut open: Vec<Node> = first.to_vec();
        while let Some(node) = open.pop() {
            if let Some(needed) = self.before.get(&node)
                && earlier.insert(node)
            {
                open.extend(needed);
            }
        }
        for then in then.iter().filter(|then| !earlier.contains(*then)) {
            for first in first {
                self.add_edge(Some(*first), Some(*then));
            }
        }
    }
}
