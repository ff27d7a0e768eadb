//! What is not ours: whom it belongs to, what of it may be adopted, and what of it sits under ours.

use std::collections::BTreeMap;

use super::families::Kinship;
use super::planning::Changes;
use super::{
    Action, Address, Impact, Life, Options, Ownership, PlanError, PlannedChange, Refusal, Registry,
    Rule, Severity, Unmanaged, touches,
};

/// What others made under ours and nobody declares.
pub(super) fn unmanaged(kinship: &Kinship<'_>, changes: &Changes) -> Vec<Unmanaged> {
    let Kinship { graph, world, .. } = kinship;
    let is_ours =
        |address: &Address| world.get(address).is_some_and(|live| live.ownership.is_ours());
    let others = world.iter().filter(|live| {
        !is_ours(&live.address)
            && live.parent.as_ref().is_some_and(is_ours)
            && graph.get(&live.address).is_none()
            && !changes.contains_key(&live.address)
    });
    others
        .map(|live| Unmanaged {
            address: live.address.clone(),
            parent: live.parent.clone(),
            goes: live
                .parent
                .as_ref()
                .and_then(|parent| changes.get(parent))
                .is_some_and(|it| goes(it)),
        })
        .collect()
}

fn goes(parent: &PlannedChange) -> bool {
    matches!(parent.action, Action::Delete | Action::Replace)
}

/// What others made under something that is deleted goes with it, or stops the deletion: either way a person must decide.
pub(super) fn warn_of_unmanaged(changes: &mut Changes, unmanaged: &[Unmanaged]) {
    let mut lost: BTreeMap<&Address, Vec<String>> = BTreeMap::new();
    for one in unmanaged.iter().filter(|one| one.goes) {
        if let Some(parent) = &one.parent {
            lost.entry(parent).or_default().push(one.address.to_string());
        }
    }
    for (parent, children) in lost {
        let Some(change) = changes.get_mut(parent) else { continue };
        let mut reason = format!("others made {} under it", children.join(", "));
        if !change.impact.reason.is_empty() {
            reason = format!("{}; {reason}", change.impact.reason);
        }
        change.impact = Impact::new(Severity::Irreversible, reason);
    }
}

/// Why `changes` may not be carried out: something declared is another owner's, or is nobody's and was not asked for.
pub(super) fn refusals(
    kinship: &Kinship<'_>,
    options: &Options,
    changes: &Changes,
) -> Vec<Refusal> {
    changes.values().filter_map(|change| refusal(kinship, options, change)).collect()
}

fn refusal(kinship: &Kinship<'_>, options: &Options, change: &PlannedChange) -> Option<Refusal> {
    let address = &change.address;
    let live = kinship.world.get(address)?;
    kinship.graph.get(address)?;
    let kind = kinship.registry.get(address.kind())?;
    let refused = |rule, message| Some(Refusal { rule, address: address.clone(), message });
    match &live.ownership {
        Ownership::Ours => None,
        Ownership::Contested(_) if options.adopts(address) || change.action == Action::Replace => {
            None
        }
        Ownership::Contested(what) => refused(Rule::Contested, what.clone()),
        // A setting is its parent's, and what sits under another owner's is refused there: the parent's refusal says it.
        _ if kind.life() == Life::Aspect => None,
        Ownership::Unowned if kinship.is_foreign(live) => None,
        Ownership::Foreign(owner) => refused(Rule::Foreign, format!("belongs to {owner}")),
        Ownership::Blocked(what) => refused(Rule::Unadoptable, format!("cannot be made: {what}")),
        Ownership::Unowned => {
            if let Some(path) = kind.immutable().iter().find(|path| touches(&change.fields, path)) {
                return refused(
                    Rule::Unadoptable,
                    format!(
                        "exists already with another `{path}`, which cannot be changed in place"
                    ),
                );
            }
            if options.replace.contains(address) {
                return refused(
                    Rule::Unadoptable,
                    "is not ours yet, so it cannot be deleted and made anew".to_owned(),
                );
            }
            if options.adopts(address) {
                return None;
            }
            refused(
                Rule::Unowned,
                "exists already, and nothing on it says that sesinfra made it".to_owned(),
            )
        }
    }
}

/// Why what is to go would stay behind without its children: something holds on to it, which these know.
pub(super) async fn held(
    registry: &Registry,
    changes: &Changes,
) -> Result<Vec<Refusal>, PlanError> {
    let children = changes.values().filter(|change| goes(change));
    let asked = children.filter_map(|change| {
        let parent =
            change.parent.as_ref().filter(|it| changes.get(it).is_some_and(|it| goes(it)))?;
        let kind = registry.get(change.address.kind())?;
        Some((parent, change, kind, change.from.as_ref()?))
    });
    let asked = asked.map(|(parent, change, kind, live)| async move {
        let address = &change.address;
        let reason = kind.parent_is_held(address.name(), live).await;
        let reason =
            reason.map_err(|source| PlanError::Kind { address: address.clone(), source })?;
        let refusal = |reason| {
            let message = format!("cannot go: {reason}");
            Refusal { rule: Rule::Held, address: parent.clone(), message }
        };
        Ok::<_, PlanError>(reason.map(refusal))
    });
    let refusals = futures_util::future::try_join_all(asked).await?;
    Ok(refusals.into_iter().flatten().collect())
}
