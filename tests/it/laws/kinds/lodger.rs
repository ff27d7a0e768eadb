//! A child that must leave before its house goes, and cannot be changed in place.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sesinfra::engine::{
    Address, BoxError, Change, Field, Impact, Kind, Life, Live, OnParentDelete, Ownership, Put,
    Reading, Wanted,
};

use super::{NoOutputs, is_asked, live, ownership_in, parts};
use crate::it::laws::town::{State, Town};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LodgerSpec {
    pub rent: u32,
}

pub(super) struct LodgerKind(pub Arc<Town>);

#[async_trait]
impl Kind for LodgerKind {
    const NAME: &'static str = "lodger";
    const LIFE: Life = Life::Child(OnParentDelete::Before);
    const IMMUTABLE: &'static [&'static str] = &["rent"];
    type Spec = LodgerSpec;
    type Outputs = NoOutputs;

    async fn read(
        &self,
        wanted: &[Wanted<LodgerSpec>],
        reading: Reading,
    ) -> Result<Vec<Live<LodgerSpec, NoOutputs>>, BoxError> {
        let houses = self.0.survey(reading, |state| state.houses.clone()).await?;
        let mut found = Vec::new();
        for (house_name, house) in &houses {
            let ours = house.tags.ownership() == Ownership::Ours;
            for (name, (rent, _)) in &house.lodgers {
                let (name, token) = (format!("{house_name}/{name}"), format!("lodger:{name}"));
                if is_asked(&name, wanted) || (ours && reading == Reading::Everything) {
                    found.push(Live {
                        ownership: ownership_in(house, &token),
                        parent: Some(Address::new("house", house_name)),
                        tokens: BTreeSet::from([token]),
                        ..live(&name, LodgerSpec { rent: *rent }, NoOutputs {}, None)
                    });
                }
            }
        }
        Ok(found)
    }

    async fn put(&self, change: &Change<LodgerSpec>) -> Result<Put<NoOutputs>, BoxError> {
        let (house, name) = parts(&change.name)?;
        let let_in = |state: &mut State| {
            let lodgers = &mut state.our_house(house)?.lodgers;
            if lodgers.contains_key(name) {
                return Err(format!("lodger {name} lives there already").into());
            }
            lodgers.insert(name.to_owned(), (change.to.rent, true));
            Ok(())
        };
        self.0.write(("put lodger", &change.name), let_in).await?;
        Ok(Put::Done(None))
    }

    async fn delete(&self, name: &str, _live: &LodgerSpec) -> Result<Put<NoOutputs>, BoxError> {
        let (house, lodger) = parts(name)?;
        let turn_out = |state: &mut State| {
            if let Some(house) = state.houses.get_mut(house) {
                let removed = house.lodgers.remove(lodger);
                assert!(removed.is_none_or(|(_, ours)| ours), "turned out another's lodger");
            }
            Ok(())
        };
        self.0.write(("delete lodger", name), turn_out).await?;
        Ok(Put::Done(None))
    }

    async fn release(&self, name: &str, _live: &LodgerSpec) -> Result<(), BoxError> {
        let (house, lodger) = parts(name)?;
        // Nothing is written: the town only notes that nobody counts it as ours from here on.
        self.0.by_hand(|state| {
            let lodgers = state.houses.get_mut(house).map(|it| &mut it.lodgers);
            if let Some(lodger) = lodgers.and_then(|it| it.get_mut(lodger)) {
                lodger.1 = false;
            }
        });
        Ok(())
    }

    fn impact(&self, _: Option<&LodgerSpec>, _: Option<&LodgerSpec>, _: &[Field]) -> Impact {
        Impact::safe()
    }

    fn examples() -> Vec<LodgerSpec> {
        Vec::new()
    }
}
