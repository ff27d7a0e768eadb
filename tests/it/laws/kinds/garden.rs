//! An aspect of a house. It can be fenced only once the house has a permit, for which the write waits; and it may be lit by
//! a sign, which must hang first and cannot be taken down while it gives light.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sesinfra::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, Put, Reading, Wanted,
};

use super::{NoOutputs, is_asked, live};
use crate::it::laws::town::{self, State, Town};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GardenSpec {
    pub plants: String,
    pub fenced: bool,
    pub lit_by: Option<String>,
}

impl GardenSpec {
    pub fn of(garden: &town::Garden) -> Self {
        Self { plants: garden.plants.clone(), fenced: garden.fenced, lit_by: garden.lit_by.clone() }
    }
}

pub(super) struct GardenKind(pub Arc<Town>);

#[async_trait]
impl Kind for GardenKind {
    const NAME: &'static str = "garden";
    const LIFE: Life = Life::Aspect;
    const SETTING_OF: Option<&'static str> = Some("house");
    type Spec = GardenSpec;
    type Outputs = NoOutputs;

    async fn read(
        &self,
        wanted: &[Wanted<GardenSpec>],
        reading: Reading,
    ) -> Result<Vec<Live<GardenSpec, NoOutputs>>, BoxError> {
        let houses = self.0.survey(reading, |state| state.houses.clone()).await?;
        let mut found = Vec::new();
        for (name, house) in &houses {
            let ours = house.tags.owner.as_deref() == Some(town::US);
            let Some(garden) = &house.garden else { continue };
            if is_asked(name, wanted) || (ours && reading == Reading::Everything) {
                let lamp = garden.lit_by.iter().map(|sign| Address::new("sign", sign));
                found.push(Live {
                    ownership: house.tags.ownership(),
                    parent: Some(Address::new("house", name)),
                    uses: lamp.collect(),
                    ..live(name, GardenSpec::of(garden), NoOutputs {}, None)
                });
            }
        }
        Ok(found)
    }

    async fn put(&self, change: &Change<GardenSpec>) -> Result<Put<NoOutputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let plant = |state: &mut State| {
            let permitted = state.permits.contains(name);
            if to.lit_by.as_ref().is_some_and(|sign| !state.hangs(sign)) {
                return Err("there is no such sign".into());
            }
            let garden = town::Garden {
                plants: to.plants.clone(),
                fenced: to.fenced && permitted,
                lit_by: to.lit_by.clone(),
            };
            state.our_house(name)?.garden = Some(garden);
            Ok(permitted)
        };
        let permitted = self.0.write(("put garden", name), plant).await?;
        Ok(if to.fenced && !permitted {
            Put::Waiting("there is no permit yet".to_owned())
        } else {
            Put::Done(None)
        })
    }

    async fn delete(&self, name: &str, _live: &GardenSpec) -> Result<Put<NoOutputs>, BoxError> {
        let clear = |state: &mut State| {
            if state.houses.contains_key(name) {
                state.our_house(name)?.garden = None;
            }
            Ok(())
        };
        self.0.write(("delete garden", name), clear).await?;
        Ok(Put::Done(None))
    }

    async fn deferral(
        &self,
        change: &Change<GardenSpec>,
        _planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, BoxError> {
        let permitted = self.0.read(|state| state.permits.contains(&change.name)).await?;
        let only_the_fence = |from: &GardenSpec| {
            GardenSpec { fenced: change.to.fenced, ..from.clone() } == change.to
        };
        let waits =
            change.to.fenced && !permitted && change.from.as_ref().is_some_and(only_the_fence);
        Ok(waits.then(|| "there is no permit yet".to_owned()))
    }

    fn impact(&self, _: Option<&GardenSpec>, _: Option<&GardenSpec>, _: &[Field]) -> Impact {
        Impact::safe()
    }

    fn examples() -> Vec<GardenSpec> {
        Vec::new()
    }
}
