//! One step's work: a kind's verb, and the outputs that others need of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Address, BoxError, Change, Control, DynKind, Marks, Ownership, Put, Registry, World};

/// What a step does.
pub(super) enum Work<'a> {
    /// No call: it goes with its parent, or only waits for others.
    Nothing,
    Mark {
        kind: &'a dyn DynKind,
        marks: Marks,
    },
    /// The same on a root that is nobody's, if it still is.
    Adopt {
        kind: &'a dyn DynKind,
        marks: Marks,
    },
    Put {
        kind: &'a dyn DynKind,
        change: Change<Value>,
    },
    Retire {
        kind: &'a dyn DynKind,
        change: Change<Value>,
    },
    /// Takes our marks off a root.
    Unmark {
        kind: &'a dyn DynKind,
    },
    /// Takes away what a child itself says of whose it is.
    Release {
        kind: &'a dyn DynKind,
        live: Value,
    },
    Delete {
        kind: &'a dyn DynKind,
        live: Value,
        /// Whether what it is under goes after it.
        with_parent: bool,
    },
}

/// How a step that did not fail ended: with outputs if the write told them.
pub(super) enum StepEnd {
    Done(Option<Value>),
    Waiting(String),
}

/// Does a step's work once.
pub(super) async fn carry_out(
    work: &Work<'_>,
    registry: &Registry,
    control: &dyn Control,
    address: &Address,
) -> Result<StepEnd, BoxError> {
    let put = match work {
        Work::Nothing => Put::Done(None),
        Work::Mark { kind, marks } => {
            kind.mark(address.name(), marks).await?;
            Put::Done(None)
        }
        Work::Adopt { kind, marks } => {
            let found = unless_taken(registry, control, address).await?;
            // Another run of ours may have been faster, and have announced children.
            kind.mark(address.name(), &marks.widened(&found)).await?;
            Put::Done(None)
        }
        Work::Unmark { kind } => {
            kind.unmark(address.name()).await?;
            Put::Done(None)
        }
        Work::Release { kind, live } => {
            kind.release(address.name(), live).await?;
            Put::Done(None)
        }
        Work::Put { kind, change } => kind.put(change).await?,
        Work::Retire { kind, change } => kind.retire(change).await?,
        Work::Delete { kind, live, with_parent } => {
            if *with_parent && let Some(reason) = kind.parent_is_held(address.name(), live).await? {
                return Err(format!("{reason}: so this stays as well").into());
            }
            kind.delete(address.name(), live).await?
        }
    };
    Ok(match put {
        Put::Done(outputs) => StepEnd::Done(outputs),
        Put::Waiting(reason) => StepEnd::Waiting(reason),
    })
}

/// Marks overwrite marks, so whether somebody else put theirs since the plan is looked at just before; gives ours, if they
/// are there.
async fn unless_taken(
    registry: &Registry,
    control: &dyn Control,
    address: &Address,
) -> Result<Marks, BoxError> {
    control.forget_reads();
    let world = World::read_named(registry, BTreeMap::from([(address.clone(), None)])).await?;
    let Some(live) = world.get(address) else {
        return Err("it is gone since the plan: plan again".into());
    };
    match &live.ownership {
        Ownership::Foreign(owner) => {
            Err(format!("it belongs to {owner} since the plan: two cannot own it").into())
        }
        Ownership::Blocked(what) => Err(format!("{what}: plan again").into()),
        Ownership::Ours | Ownership::Contested(_) | Ownership::Unowned => Ok(live.marks.clone()),
    }
}

/// Reads what a write did not tell, until the service shows the resource.
pub(super) async fn read_outputs(
    registry: &Registry,
    control: &dyn Control,
    address: &Address,
) -> Result<Option<Value>, BoxError> {
    let mut attempt = 0;
    loop {
        control.forget_reads();
        let world = World::read_named(registry, BTreeMap::from([(address.clone(), None)])).await?;
        if let Some(live) = world.get(address) {
            return Ok(Some(live.outputs.clone()));
        }
        attempt += 1;
        if control.is_stopped() || !control.pause_for_reads(attempt).await {
            return Err("it was written, but reading it back does not show it".into());
        }
    }
}
