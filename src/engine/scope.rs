//! Which changes a plan keeps when targets are named, and which of them cannot be finished now.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::change_of;
use super::planning::Changes;
use super::{
    Action, Address, Family, Graph, PlanError, PlannedChange, Registry, World, is_unknown,
    references,
};

/// Keeps the targets with all that they depend on, and all that must let go of, go with, or be written again after what is
/// deleted or made anew among them.
pub(super) fn keep_targets(
    targets: &BTreeSet<Address>,
    graph: &Graph,
    world: &World,
    changes: &mut Changes,
    families: &mut [Family],
) {
    let mut referring: BTreeMap<Address, Vec<&Address>> = BTreeMap::new();
    let mut relying: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for live in world.iter().filter(|live| changes.contains_key(&live.address)) {
        for other in live.uses.iter().chain(&live.parent) {
            relying.entry(other).or_default().push(&live.address);
        }
    }
    // Outputs that are still unknown are made anew or renewed: whatever exists and shows the old ones must follow.
    for change in changes.values().filter(|change| change.from.is_some()) {
        for (other, _) in change.to.as_deref().map(references).unwrap_or_default() {
            referring.entry(other).or_default().push(&change.address);
        }
    }
    let mut kept: BTreeSet<Address> = BTreeSet::new();
    let mut open: Vec<Address> = targets.iter().cloned().collect();
    while let Some(address) = open.pop() {
        if !kept.insert(address.clone()) {
            continue;
        }
        open.extend(graph.dependencies(&address));
        open.extend(referring.get(&address).into_iter().flatten().copied().cloned());
        let action = changes.get(&address).map(|change| change.action);
        if matches!(action, Some(Action::Create | Action::Replace | Action::Delete)) {
            open.extend(relying.get(&address).into_iter().flatten().copied().cloned());
        }
    }
    // A child that others made and that is left out is not ours afterwards either, so no marks may name it.
    let names_only_left_out = |token: &String, family: &Family| {
        let (named, left_out): (Vec<&Address>, Vec<&Address>) = family
            .members
            .iter()
            .filter(|it| graph.get(it).is_some_and(|it| it.tokens.contains(token)))
            .partition(|it| kept.contains(*it));
        let is_others = |it: &&Address| world.get(it).is_some_and(|live| !live.ownership.is_ours());
        named.is_empty() && !left_out.is_empty() && left_out.iter().all(is_others)
    };
    for family in families.iter_mut() {
        let left_out: Vec<String> = family
            .children_meanwhile
            .iter()
            .filter(|token| names_only_left_out(token, family))
            .cloned()
            .collect();
        for token in left_out {
            family.children_meanwhile.remove(&token);
            family.children_afterwards.remove(&token);
        }
    }
    let is_left_out = |it: &Address| {
        !kept.contains(it) && changes.get(it).is_some_and(|it| it.action != Action::None)
    };
    for family in families {
        let loses_what_stays = family.given_away.iter().any(|child| !kept.contains(child));
        if loses_what_stays || family.members.iter().any(is_left_out) {
            family.digest = None;
            family.children_afterwards.clone_from(&family.children_meanwhile);
        }
    }
    changes.retain(|address, _| kept.contains(address));
}

/// What stands between a resource and its being finished.
#[derive(Clone)]
enum Ahead {
    Nothing,
    /// Only this, which is deferred itself.
    Deferred(Address),
    Work,
}

/// Marks the changes that cannot be finished now although nothing they depend on is left to do.
pub(super) async fn defer(
    graph: &Graph,
    registry: &Registry,
    changes: &mut Changes,
) -> Result<(), PlanError> {
    let planned: BTreeSet<Address> = changes
        .values()
        .filter(|it| !matches!(it.action, Action::None | Action::Forget))
        .map(|it| it.address.clone())
        .collect();
    let mut ahead_of_dependents: BTreeMap<Address, Ahead> = BTreeMap::new();
    for resource in graph.in_order() {
        let address = &resource.address;
        let mut ahead = Ahead::Nothing;
        for other in graph.dependencies(address) {
            match ahead_of_dependents.get(&other) {
                None | Some(Ahead::Nothing) => {}
                Some(Ahead::Work) => ahead = Ahead::Work,
                Some(waits) if matches!(ahead, Ahead::Nothing) => ahead = waits.clone(),
                Some(Ahead::Deferred(_)) => {}
            }
        }
        if let Some(change) = changes.get_mut(address).filter(|it| it.action != Action::None) {
            change.deferred = match &ahead {
                Ahead::Work => None,
                Ahead::Deferred(other) => Some(format!("waits for {other}")),
                Ahead::Nothing => deferral(registry, change, &planned).await?,
            };
            ahead = match change.deferred {
                Some(_) => Ahead::Deferred(address.clone()),
                None => Ahead::Work,
            };
        }
        ahead_of_dependents.insert(address.clone(), ahead);
    }
    Ok(())
}

async fn deferral(
    registry: &Registry,
    change: &PlannedChange,
    planned: &BTreeSet<Address>,
) -> Result<Option<String>, PlanError> {
    let address = &change.address;
    let to = change.to.as_deref().filter(|to| !is_unknown(to));
    let (Some(to), Some(kind)) = (to, registry.get(address.kind())) else { return Ok(None) };
    if !matches!(change.action, Action::Create | Action::Update | Action::Adopt) {
        return Ok(None);
    }
    let asked = change_of(address, change.from.as_deref(), to, &change.fields);
    let deferral = kind.deferral(&asked, planned).await;
    deferral.map_err(|source| PlanError::Kind { address: address.clone(), source })
}
