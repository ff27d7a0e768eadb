//! Reading a family back after its last step: it must be as wanted, and only then is it marked as settled.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Address, BoxError, Control, Family, Field, Marks, Ownership, Registry, World, difference,
};

/// Whether a family could be read back as wanted and marked.
pub(super) type Settled = Result<(), BoxError>;

/// A write was accepted, and reading does not show it.
#[derive(Debug, thiserror::Error)]
#[error("{address} was written, but reading it back shows something else{}", list(.fields))]
struct NotConverged {
    address: Address,
    fields: Vec<Field>,
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

type Batch<'a> = Vec<(&'a Family, BTreeMap<Address, Option<Value>>)>;

/// Reads back all members of the families, in one pass, until each is as wanted, and marks the roots.
pub(super) async fn settle(
    mut batch: Batch<'_>,
    registry: &Registry,
    control: &dyn Control,
) -> Vec<(Address, Settled)> {
    let mut settled = Vec::with_capacity(batch.len());
    let mut attempt = 0;
    while !batch.is_empty() {
        let wanted: BTreeMap<Address, Option<Value>> =
            batch.iter().flat_map(|(_, members)| members.clone()).collect();
        let world = match World::read_named(registry, wanted).await {
            Ok(world) => world,
            Err(error) => return fail_all(batch, &error, settled),
        };
        attempt += 1;
        let mut behind = Vec::new();
        for (family, members) in batch {
            match members.iter().find_map(|member| deviation(registry, &world, member)) {
                None => settled.push((family.root.clone(), mark(registry, family, &world).await)),
                Some(deviation) => behind.push((family, members, deviation)),
            }
        }
        // Reads may lag writes for up to a minute (SQS and SNS document it), so a deviation is an error only if it stays.
        let again =
            !behind.is_empty() && !control.is_stopped() && control.pause_for_reads(attempt).await;
        if !again {
            let failed = behind.into_iter();
            settled.extend(
                failed.map(|(family, _, deviation)| (family.root.clone(), Err(deviation.into()))),
            );
            return settled;
        }
        control.forget_reads();
        batch = behind.into_iter().map(|(family, members, _)| (family, members)).collect();
    }
    settled
}

fn fail_all(
    batch: Batch<'_>,
    error: &BoxError,
    mut settled: Vec<(Address, Settled)>,
) -> Vec<(Address, Settled)> {
    let message = super::report::chain(error.as_ref());
    settled.extend(batch.into_iter().map(|(family, _)| {
        (family.root.clone(), Err(format!("cannot read {} back: {message}", family.root).into()))
    }));
    settled
}

fn deviation(
    registry: &Registry,
    world: &World,
    (address, wanted): (&Address, &Option<Value>),
) -> Option<NotConverged> {
    let live = world.get(address).filter(|live| live.ownership == Ownership::Ours);
    let ignored = registry.get(address.kind()).map_or(&[][..], |kind| kind.write_only());
    let fields = difference(live.map(|live| &live.spec), wanted.as_ref(), ignored);
    let exists_wrongly = live.is_some() != wanted.is_some();
    (exists_wrongly || !fields.is_empty())
        .then(|| NotConverged { address: address.clone(), fields })
}

async fn mark(registry: &Registry, family: &Family, world: &World) -> Settled {
    let Some(digest) = family.digest.clone() else { return Ok(()) };
    let marks = Marks { children: family.children_afterwards.clone(), digest: Some(digest) };
    let as_read = world.get(&family.root).map(|live| &live.marks);
    if as_read == Some(&marks) {
        return Ok(());
    }
    let Some(kind) = registry.get(family.root.kind()) else { return Ok(()) };
    kind.mark(family.root.name(), &marks).await
}
