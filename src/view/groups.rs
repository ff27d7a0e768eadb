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
        let root = plan.root_of(change);
        by_root.entry((rank(root.kind()), root.clone())).or_default().push(change);
    }
    let grouped = by_root.into_iter().map(|((_, root), mut changes)| {
        changes.sort_by_key(|change| (change.address != root, &change.address));
        Group { title: title(&root), root, changes }
    });
    grouped.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_are_each_others_parent_are_both_shown() {
        let change = |address: &str, parent: &str| {
            let text = format!(
                r#"{{"address":"{address}","action":"create","fields":[],"parent":"{parent}","impact":{{"severity":"safe","reason":""}}}}"#
            );
            serde_json::from_str::<PlannedChange>(&text).unwrap()
        };
        let changes = vec![
            change("topic.a", "topic.b"),
            change("topic.b", "topic.a"),
            change("topic.c", "topic.c"),
        ];
        let plan = Plan { changes, ..Plan::default() };
        let shown = groups(&plan, |_| true);
        assert_eq!(shown.iter().map(|group| group.changes.len()).sum::<usize>(), 3);
    }
}
