//! Reading a family back after its last step: it must be as wanted, and only then is it marked as settled.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Address, BoxError, Control, Family, Field, Marks, Ownership, Registry, World, difference,
};

/// Whether a family was read back as wanted and marked.
pub(super) enum Settled {
    Marked,
    /// Not yet, because of the wish to stop.
    Stopped,
    Failed(BoxError),
}

/// A write was accepted, and reading does not show it.
#[derive(Debug, thiserror::Error)]
#[error("{address} was written, but reading it back shows something else{}", list(.fields))]
struct NotConverged {
    address: Address,
    fields: Vec<Field>,
}

/// The marks of a root name children that this run neither found nor announced.
#[derive(Debug, thiserror::Error)]
#[error("another run announced {} under {root} meanwhile; run again once it has ended", .children.iter().cloned().collect::<Vec<_>>().join(", "))]
struct Contested {
    root: Address,
    children: BTreeSet<String>,
}

fn list(fields: &[Field]) -> String {
    let shown = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string)
    };
    let lines = fields.iter().map(|field| {
        format!("\n  {}: wanted {}, found {}", field.path, shown(&field.to), shown(&field.from))
    });
    lines.collect()
}

/// A family with its members as they are to be found.
pub(super) struct Reread<'a> {
    pub family: &'a Family,
    pub members: BTreeMap<Address, Expected<'a>>,
}

/// How a member is to be found.
pub(super) struct Expected<'a> {
    /// Its spec; `None` for one that is to be gone.
    pub spec: Option<Value>,
    /// Paths that others may have changed meanwhile.
    pub ignore: &'a BTreeSet<String>,
}

/// Reads back all members of the families, in one pass, until each is as wanted, and marks the roots.
pub(super) async fn settle(
    mut batch: Vec<Reread<'_>>,
    registry: &Registry,
    control: &dyn Control,
) -> Vec<(Address, Settled)> {
    let mut settled = Vec::with_capacity(batch.len());
    let mut attempt = 0;
    while !batch.is_empty() {
        control.forget_reads();
        let members = batch.iter().flat_map(|reread| &reread.members);
        let wanted =
            members.map(|(address, expected)| (address.clone(), expected.spec.clone())).collect();
        let world = match World::read_named(registry, wanted).await {
            Ok(world) => world,
            Err(error) => {
                settled.extend(fail_all(batch, error.as_ref()));
                return settled;
            }
        };
        attempt += 1;
        let mut behind = Vec::new();
        for reread in batch {
            match reread.members.iter().find_map(|member| deviation(registry, &world, member)) {
                None => {
                    let root = reread.family.root.clone();
                    let marked = world.get(&root).map(|live| &live.marks.children);
                    settled.push((root, mark(registry, control, reread.family, marked).await));
                }
                Some(deviation) => behind.push((reread, deviation)),
            }
        }
        // Reads may lag writes for up to a minute (SQS and SNS document it), so a deviation is an error only if it stays.
        let again =
            !behind.is_empty() && !control.is_stopped() && control.pause_for_reads(attempt).await;
        if !again {
            let is_stopped = control.is_stopped();
            settled.extend(behind.into_iter().map(|(reread, deviation)| {
                let ended =
                    if is_stopped { Settled::Stopped } else { Settled::Failed(deviation.into()) };
                (reread.family.root.clone(), ended)
            }));
            return settled;
        }
        batch = behind.into_iter().map(|(reread, _)| reread).collect();
    }
    settled
}

fn fail_all<'a>(
    batch: Vec<Reread<'a>>,
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = (Address, Settled)> + 'a {
    let message = super::report::chain(error);
    batch.into_iter().map(move |reread| {
        let root = reread.family.root.clone();
        let error = format!("cannot read {root} back: {message}");
        (root, Settled::Failed(error.into()))
    })
}

fn deviation(
    registry: &Registry,
    world: &World,
    (address, expected): (&Address, &Expected<'_>),
) -> Option<NotConverged> {
    let live = world.get(address).filter(|live| live.ownership == Ownership::Ours);
    let write_only = registry.get(address.kind()).map_or(&[][..], |kind| kind.write_only());
    let of_others = expected.ignore.iter().map(String::as_str);
    let ignored: Vec<&str> = write_only.iter().copied().chain(of_others).collect();
    let wanted = &expected.spec;
    let fields = difference(live.map(|live| &live.spec), wanted.as_ref(), &ignored);
    let exists_wrongly = live.is_some() != wanted.is_some();
    (exists_wrongly || !fields.is_empty())
        .then(|| NotConverged { address: address.clone(), fields })
}

/// Marks a family that is as wanted. What another run announced meanwhile stays named, or its children would be nobody's.
async fn mark(
    registry: &Registry,
    control: &dyn Control,
    family: &Family,
    marked: Option<&BTreeSet<String>>,
) -> Settled {
    let Some(digest) = family.digest.clone() else { return Settled::Marked };
    let Some(kind) = registry.get(family.root.kind()) else { return Settled::Marked };
    if control.is_stopped() {
        return Settled::Stopped;
    }
    let announced = marked.into_iter().flatten();
    let of_others: BTreeSet<String> =
        announced.filter(|child| !family.children_meanwhile.contains(*child)).cloned().collect();
    let children = family.children_afterwards.union(&of_others).cloned().collect();
    let marks = Marks { children, digest: of_others.is_empty().then_some(digest) };
    match kind.mark(family.root.name(), &marks).await {
        Ok(()) if of_others.is_empty() => Settled::Marked,
        Ok(()) => {
            let root = family.root.clone();
            Settled::Failed(Contested { root, children: of_others }.into())
        }
        Err(error) => Settled::Failed(error),
    }
}
