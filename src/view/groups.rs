//! The changes of a plan in the order in which a reader thinks: by domain, set, topic, queue and sender.

use std::collections::BTreeMap;

use crate::engine::{Address, Plan, PlannedChange};

/// A root with those of its children and settings that are shown.
pub(super) struct Group<'a> {
    /// What it is, in words: `Domain pivot.app`.
    pub(super) title: String,
    /// The root.
    pub(super) root: Address,
    /// The root first, then the others in the order of their addresses.
    pub(super) changes: Vec<&'a PlannedChange>,
}

/// The changes that `shown` wants, grouped by their roots.
pub(super) fn groups(plan: &Plan, shown: impl Fn(&PlannedChange) -> bool) -> Vec<Group<'_>> {
    let mut by_root: BTreeMap<(usize, Address), Vec<&PlannedChange>> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| shown(change)) {
        let root = root(plan, change);
        by_root.entry((rank(root.kind()), root.clone())).or_default().push(change);
    }
    let grouped = by_root.into_iter().map(|((_, root), mut changes)| {
        changes.sort_by_key(|change| (change.address != root, &change.address));
        Group { title: title(&root), root, changes }
    });
    grouped.collect()
}

fn root<'a>(plan: &'a Plan, change: &'a PlannedChange) -> &'a Address {
    let mut root = &change.address;
    let mut parent = change.parent.as_ref();
    while let Some(next) = parent {
        root = next;
        parent = plan.change(next).and_then(|change| change.parent.as_ref());
    }
    root
}

/// The kinds in the order in which they are shown; others come after.
const ORDER: [(&str, &str); 5] = [
    ("identity", "Domain"),
    ("configuration_set", "Configuration set"),
    ("topic", "Topic"),
    ("queue", "Queue"),
    ("send_policy", "Sender"),
];

fn rank(kind: &str) -> usize {
    ORDER.iter().position(|(name, _)| *name == kind).unwrap_or(ORDER.len())
}

fn title(root: &Address) -> String {
    let name = super::line::clean(root.name());
    let word = match ORDER.iter().find(|(kind, _)| *kind == root.kind()) {
        Some(("identity", _)) if name.contains('@') => "Address".to_owned(),
        Some((_, word)) => (*word).to_owned(),
        None => root.kind().replace('_', " "),
    };
    format!("{word} {name}")
}
