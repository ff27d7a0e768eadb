//! What the marks on our resources must say at every instant: the children named are a superset of those that exist,
//! and a digest stands only on a family that is as declared.

use std::collections::BTreeSet;

use sesinfra::engine::{Action, Address, Life, Ownership, World};

use crate::it::stage::Stage;

/// Checks the marks of all that is there against the environment `text`; with `settled`, every family must be marked
/// as settled.
pub(super) async fn check(stage: &Stage, text: &str, settled: bool) -> Result<(), String> {
    let open = stage.connect(text).await.map_err(|error| error.to_string())?;
    let world =
        World::read(&open.graph, &open.registry).await.map_err(|error| error.to_string())?;
    let plan = open.plan().await.map_err(|error| error.to_string())?;
    let root = |address: &Address| world.root_of(address);
    for live in world.ours() {
        let kind = open.registry.get(live.address.kind()).unwrap();
        if !matches!(kind.life(), Life::Child(_)) {
            continue;
        }
        let named = world.get(&root(&live.address)).map(|root| &root.marks.children);
        let named = named.ok_or_else(|| format!("{} has lost its parent", live.address))?;
        if !live.tokens.is_subset(named) {
            return Err(format!(
                "{} exists as {:?}, marks name {named:?}",
                live.address, live.tokens
            ));
        }
    }
    // Whatever was made below ours and is not named is a stranger's.
    let unnamed: BTreeSet<String> =
        plan.unmanaged.iter().map(|it| it.address.to_string()).collect();
    if let Some(orphan) = unnamed.iter().find(|address| !is_strange(address)) {
        return Err(format!("{orphan} exists and no marks name it"));
    }
    for family in &plan.families {
        let Some(live) = world.get(&family.root) else { continue };
        if live.ownership != Ownership::Ours || live.marks.digest.is_none() {
            continue;
        }
        let busy = family.members.iter().find(|member| {
            plan.change(member).is_some_and(|change| {
                change.action != Action::None
                    && change.fields.iter().any(|field| field.path != "ownership_marks")
            })
        });
        if let (true, Some(busy)) = (live.marks.digest == family.digest, busy) {
            return Err(format!("{} is marked as settled, but {busy} is not", family.root));
        }
    }
    if settled
        && let Some(open) = world.ours().find(|live| {
            let kind = open.registry.get(live.address.kind()).unwrap();
            kind.life() == Life::Root && live.marks.digest.is_none()
        })
    {
        return Err(format!("{} is not marked as settled", open.address));
    }
    Ok(())
}

/// Whether something is of those that [`super::jobs`] lets other people make, or a subscription that was asked for and
/// never confirmed, which cannot be cancelled.
fn is_strange(address: &str) -> bool {
    ["/theirs", "ses-firehose", "somebody@", "email:ops@pivot.app"]
        .iter()
        .any(|part| address.contains(part))
}
