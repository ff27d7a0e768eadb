//! A root that others use by a wire to this very bell: a bell of the same name, made anew, is another.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sesinfra::engine::{
    BoxError, Change, Field, Glance, Impact, Kind, Life, Live, Marks, Ownership, Put, Reading,
    Wanted,
};

use super::{NoOutputs, is_asked, live};
use crate::it::laws::town::{self, State, Tags, Town};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BellSpec {
    pub tone: String,
    pub metal: String,
}

pub(super) struct BellKind(pub Arc<Town>);

#[async_trait]
impl Kind for BellKind {
    const NAME: &'static str = "bell";
    const LIFE: Life = Life::Root;
    const IMMUTABLE: &'static [&'static str] = &["metal"];
    type Spec = BellSpec;
    type Outputs = NoOutputs;

    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        let tags = |state: &State| {
            let bells = state.bells.iter().filter(|(name, _)| declared.contains(*name));
            bells.map(|(name, bell)| (name.clone(), bell.tags.clone())).collect()
        };
        self.0.glance("bell", tags).await.map(Some)
    }

    fn hear_of(&self, _: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.0.pass_over("bell", settled);
    }

    async fn read(
        &self,
        wanted: &[Wanted<BellSpec>],
        reading: Reading,
    ) -> Result<Vec<Live<BellSpec, NoOutputs>>, BoxError> {
        let bells = self.0.survey(reading, |state| state.bells.clone()).await?;
        let read = bells.iter().filter(|(name, bell)| {
            let ours = bell.tags.ownership() == Ownership::Ours;
            is_asked(name, wanted) || (ours && reading == Reading::Everything)
        });
        let read = read.map(|(name, bell)| {
            let spec = BellSpec { tone: bell.tone.clone(), metal: bell.metal.clone() };
            live(name, spec, NoOutputs {}, Some(&bell.tags))
        });
        Ok(read.collect())
    }

    async fn put(&self, change: &Change<BellSpec>) -> Result<Put<NoOutputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let creates = change.creates();
        let hang = |state: &mut State| {
            if !creates {
                state.our_bell(name)?.tone.clone_from(&to.tone);
                return Ok(());
            }
            if state.bells.contains_key(name) {
                return Err(format!("bell {name} exists already").into());
            }
            let bell = town::Bell {
                tone: to.tone.clone(),
                metal: to.metal.clone(),
                serial: state.next_serial(),
                tags: Tags::ours(&change.marks),
            };
            state.bells.insert(name.clone(), bell);
            Ok(())
        };
        self.0.write(("put bell", name), hang).await?;
        Ok(Put::Done(None))
    }

    async fn delete(&self, name: &str, _live: &BellSpec) -> Result<Put<NoOutputs>, BoxError> {
        let remove = |state: &mut State| {
            if state.bells.contains_key(name) {
                state.our_bell(name)?;
            }
            // As services do: whoever rings it is not asked, and rings in vain from now on.
            state.bells.remove(name);
            Ok(())
        };
        self.0.write(("delete bell", name), remove).await?;
        Ok(Put::Done(None))
    }

    fn impact(&self, _: Option<&BellSpec>, _: Option<&BellSpec>, _: &[Field]) -> Impact {
        Impact::safe()
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let tag = |state: &mut State| state.mark_bell(name, marks);
        self.0.write(("mark bell", name, marks), tag).await
    }

    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        let untag = |state: &mut State| {
            if let Some(bell) = state.bells.get_mut(name) {
                bell.tags = Tags::default();
            }
            Ok(())
        };
        self.0.write(("unmark bell", name), untag).await
    }

    fn examples() -> Vec<BellSpec> {
        Vec::new()
    }
}
