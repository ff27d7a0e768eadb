//! The kinds of the toy cloud: one for each way in which resources live, die and hang together. A house is a root, a room
//! dies with it, a lodger must leave before it goes, a garden is an aspect; a bell is a root that rooms use; a sign shows
//! keys that houses make up, and is published, kept and retired as DNS records are.

mod bell;
mod garden;
mod house;
mod lodger;
mod room;
mod sign;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sesinfra::engine::{BoxError, Live, Ownership, Registry, Wanted};

pub use bell::BellSpec;
pub use garden::GardenSpec;
pub use house::{HouseSpec, KEY};
pub use lodger::LodgerSpec;
pub use room::RoomSpec;
pub use sign::{SignSpec, text_of};

use super::town::{House, Tags, Town};

/// All kinds of a town.
pub fn registry(town: &Arc<Town>) -> Registry {
    Registry::default()
        .with(house::HouseKind(town.clone()))
        .with(room::RoomKind(town.clone()))
        .with(lodger::LodgerKind(town.clone()))
        .with(garden::GardenKind(town.clone()))
        .with(bell::BellKind(town.clone()))
        .with(sign::SignKind(town.clone()))
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NoOutputs {}

/// The parts of a name `PARENT/NAME`.
fn parts(name: &str) -> Result<(&str, &str), BoxError> {
    name.split_once('/').ok_or_else(|| format!("{name} is not PARENT/NAME").into())
}

/// What is wanted by name, or looked for.
fn is_asked<S>(name: &str, wanted: &[Wanted<S>]) -> bool {
    wanted.iter().any(|one| one.name == name)
}

fn live<S, O>(name: &str, spec: S, outputs: O, tags: Option<&Tags>) -> Live<S, O> {
    Live {
        name: name.to_owned(),
        spec,
        outputs,
        ownership: tags.map_or(Ownership::Unowned, Tags::ownership),
        parent: None,
        tokens: BTreeSet::new(),
        marks: tags.map(|tags| tags.marks.clone()).unwrap_or_default(),
        uses: BTreeSet::new(),
        notes: Vec::new(),
    }
}

/// Whose a child of a house is: ours only if the marks of a house of ours name it.
fn ownership_in(house: &House, token: &str) -> Ownership {
    let named = house.tags.marks.children.contains(token);
    if named && house.tags.ownership() == Ownership::Ours {
        Ownership::Ours
    } else {
        Ownership::Unowned
    }
}
