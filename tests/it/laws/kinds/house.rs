//! A root with marks: one field that cannot be changed in place, and one whose change makes a new key.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sesinfra::engine::{
    BoxError, Change, Field, Glance, Impact, Kind, Life, Live, Marks, Output, Ownership, Put,
    Reading, Severity, Wanted,
};

use super::{is_asked, live};
use crate::it::laws::town::{self, State, Tags, Town};

/// The key of a house.
pub const KEY: Output<String> = Output::at("key");

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HouseSpec {
    pub colour: String,
    pub plot: String,
    pub lock: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HouseOutputs {
    pub key: String,
}

pub(super) struct HouseKind(pub Arc<Town>);

#[async_trait]
impl Kind for HouseKind {
    const NAME: &'static str = "house";
    const LIFE: Life = Life::Root;
    const IMMUTABLE: &'static [&'static str] = &["plot"];
    type Spec = HouseSpec;
    type Outputs = HouseOutputs;

    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        let tags = |state: &State| {
            let houses = state.houses.iter().filter(|(name, _)| declared.contains(*name));
            houses.map(|(name, house)| (name.clone(), house.tags.clone())).collect()
        };
        self.0.glance("house", tags).await.map(Some)
    }

    fn hear_of(&self, _: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.0.pass_over("house", settled);
    }

    async fn read(
        &self,
        wanted: &[Wanted<HouseSpec>],
        reading: Reading,
    ) -> Result<Vec<Live<HouseSpec, HouseOutputs>>, BoxError> {
        let houses = self.0.survey(reading, |state| state.houses.clone()).await?;
        let read = houses.iter().filter(|(name, house)| {
            let ours = house.tags.ownership() == Ownership::Ours;
            is_asked(name, wanted) || (ours && reading == Reading::Everything)
        });
        let read = read.map(|(name, house)| {
            let spec = HouseSpec {
                colour: house.colour.clone(),
                plot: house.plot.clone(),
                lock: house.lock.clone(),
            };
            live(name, spec, HouseOutputs { key: house.key.clone() }, Some(&house.tags))
        });
        Ok(read.collect())
    }

    async fn put(&self, change: &Change<HouseSpec>) -> Result<Put<HouseOutputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        if change.creates() {
            let create = |state: &mut State| {
                if state.houses.contains_key(name) {
                    return Err(format!("house {name} exists already").into());
                }
                let house = town::House {
                    colour: to.colour.clone(),
                    plot: to.plot.clone(),
                    lock: to.lock.clone(),
                    key: format!("key-{}", state.next_serial()),
                    tags: Tags::ours(&change.marks),
                    ..town::House::default()
                };
                let key = house.key.clone();
                state.houses.insert(name.clone(), house);
                Ok(key)
            };
            let key = self.0.write(("create house", name), create).await?;
            return Ok(Put::Done(self.0.tells().then_some(HouseOutputs { key })));
        }
        if change.touches("colour") {
            let paint = |state: &mut State| {
                state.our_house(name)?.colour.clone_from(&to.colour);
                Ok(())
            };
            self.0.write(("paint house", name), paint).await?;
        }
        if !change.touches("lock") {
            return Ok(Put::Done(None));
        }
        let change_lock = |state: &mut State| {
            let key = format!("key-{}", state.next_serial());
            let house = state.our_house(name)?;
            house.lock.clone_from(&to.lock);
            house.key.clone_from(&key);
            Ok(key)
        };
        let key = self.0.write(("change lock of house", name), change_lock).await?;
        Ok(Put::Done(Some(HouseOutputs { key })))
    }

    async fn delete(&self, name: &str, _live: &HouseSpec) -> Result<Put<HouseOutputs>, BoxError> {
        let tear_down = |state: &mut State| {
            if state.houses.contains_key(name) && !state.our_house(name)?.lodgers.is_empty() {
                return Err(format!("house {name} is lived in").into());
            }
            state.houses.remove(name);
            Ok(())
        };
        self.0.write(("delete house", name), tear_down).await?;
        Ok(Put::Done(None))
    }

    fn renews_outputs(&self, change: &Change<HouseSpec>) -> bool {
        change.touches("lock")
    }

    fn impact(&self, _: Option<&HouseSpec>, to: Option<&HouseSpec>, _: &[Field]) -> Impact {
        match to {
            Some(_) => Impact::safe(),
            None => Impact::new(Severity::Degrades, "a house is lost"),
        }
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let tag = |state: &mut State| state.mark_house(name, marks);
        self.0.write(("mark house", name, marks), tag).await
    }

    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        let untag = |state: &mut State| {
            if let Some(house) = state.houses.get_mut(name) {
                house.tags = Tags::default();
                house.rooms.values_mut().for_each(|room| room.ours = false);
                house.lodgers.values_mut().for_each(|lodger| lodger.1 = false);
            }
            Ok(())
        };
        self.0.write(("unmark house", name), untag).await
    }

    fn examples() -> Vec<HouseSpec> {
        Vec::new()
    }
}
