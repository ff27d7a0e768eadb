//! A child that dies with its house. It may ring a bell, by a wire that cannot be read, and may know the key of a house.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sesinfra::engine::{
    Address, Arg, BoxError, Change, Field, Impact, Kind, Life, Live, OnParentDelete, Ownership,
    Put, Reading, Wanted,
};

use super::{NoOutputs, is_asked, live, ownership_in, parts};
use crate::it::laws::town::{self, State, Town};
use crate::it::laws::wants::known;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomSpec {
    pub size: u32,
    pub bell: Option<String>,
    pub code: Option<Arg<String>>,
}

pub(super) struct RoomKind(pub Arc<Town>);

#[async_trait]
impl Kind for RoomKind {
    const NAME: &'static str = "room";
    const LIFE: Life = Life::Child(OnParentDelete::Dies);
    type Spec = RoomSpec;
    type Outputs = NoOutputs;

    async fn read(
        &self,
        wanted: &[Wanted<RoomSpec>],
        reading: Reading,
    ) -> Result<Vec<Live<RoomSpec, NoOutputs>>, BoxError> {
        let houses = self.0.survey(reading, |state| state.houses.clone()).await?;
        let mut found = Vec::new();
        for (house_name, house) in &houses {
            let ours = house.tags.ownership() == Ownership::Ours;
            for (name, room) in &house.rooms {
                let (name, token) = (format!("{house_name}/{name}"), format!("room:{name}"));
                if !is_asked(&name, wanted) && !(ours && reading == Reading::Everything) {
                    continue;
                }
                let bell = room.bell.as_ref().map(|(bell, _)| bell.clone());
                let code = room.code.as_deref().map(known);
                let bells = bell.iter().map(|bell| Address::new("bell", bell));
                let holders = houses.iter().filter(|(_, it)| room.code.as_ref() == Some(&it.key));
                let holders = holders.map(|(house, _)| Address::new("house", house));
                let uses = bells.chain(holders).collect();
                let spec = RoomSpec { size: room.size, bell, code };
                found.push(Live {
                    ownership: ownership_in(house, &token),
                    parent: Some(Address::new("house", house_name)),
                    tokens: BTreeSet::from([token]),
                    uses,
                    ..live(&name, spec, NoOutputs {}, None)
                });
            }
        }
        Ok(found)
    }

    async fn put(&self, change: &Change<RoomSpec>) -> Result<Put<NoOutputs>, BoxError> {
        let (house, name) = parts(&change.name)?;
        let code = change.to.code.as_ref().map(|code| code.get().cloned()).transpose()?;
        let creates = change.creates();
        let furnish = |state: &mut State| {
            let bell = match &change.to.bell {
                None => None,
                Some(bell) => Some((bell.clone(), state.our_bell(bell)?.serial)),
            };
            let rooms = &mut state.our_house(house)?.rooms;
            if rooms.contains_key(name) == creates {
                return Err(format!("room {name} exists already, or does not").into());
            }
            assert!(rooms.get(name).is_none_or(|room| room.ours), "touched a room of another");
            let room = town::Room { size: change.to.size, bell, code, ours: true };
            rooms.insert(name.to_owned(), room);
            Ok(())
        };
        self.0.write(("put room", &change.name), furnish).await?;
        Ok(Put::Done(None))
    }

    async fn delete(&self, name: &str, _live: &RoomSpec) -> Result<Put<NoOutputs>, BoxError> {
        let (house, room) = parts(name)?;
        let remove = |state: &mut State| {
            if let Some(house) = state.houses.get_mut(house) {
                let removed = house.rooms.remove(room);
                assert!(removed.is_none_or(|room| room.ours), "deleted a room of another");
            }
            Ok(())
        };
        self.0.write(("delete room", name), remove).await?;
        Ok(Put::Done(None))
    }

    fn place(name: &str) -> Option<&str> {
        parts(name).ok().map(|(house, _)| house)
    }

    async fn release(&self, name: &str, _live: &RoomSpec) -> Result<(), BoxError> {
        let (house, room) = parts(name)?;
        // Nothing is written: the town only notes that nobody counts it as ours from here on.
        self.0.by_hand(|state| {
            if let Some(room) = state.houses.get_mut(house).and_then(|it| it.rooms.get_mut(room)) {
                room.ours = false;
            }
        });
        Ok(())
    }

    fn impact(&self, _: Option<&RoomSpec>, _: Option<&RoomSpec>, _: &[Field]) -> Impact {
        Impact::safe()
    }

    fn examples() -> Vec<RoomSpec> {
        Vec::new()
    }
}
