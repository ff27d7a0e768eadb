//! A child that owns itself, in a street shared with others: `put` publishes and keeps, `retire` takes away what is old.
//! It may change its house, and its street; the marks of its house say in which streets it may hang.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sesinfra::engine::{
    Address, Aim, Arg, BoxError, Change, Field, Impact, Kind, Life, Live, OnParentDelete,
    Ownership, Put, Reading, Wanted,
};

use super::{NoOutputs, live};
use crate::it::laws::town::{House, State, Text, Town};
use crate::it::laws::wants::known;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignSpec {
    pub street: String,
    pub texts: BTreeMap<String, Arg<String>>,
    /// Streets in which something of it still hangs; never wanted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub leftovers: BTreeSet<String>,
}

/// The key of the text at `place`, if that is the sign's.
pub fn text_of(sign: &str, place: &str) -> Option<String> {
    let (owner, key) = place.split_once('/')?;
    (owner == sign).then(|| key.to_owned())
}

/// What of the sign hangs in a street, by us.
fn hanging(state: &State, street: &str, sign: &str) -> BTreeMap<String, Arg<String>> {
    let texts = state.streets.get(street).into_iter().flatten().filter(|(_, text)| text.ours);
    texts.filter_map(|(place, text)| Some((text_of(sign, place)?, known(&text.text)))).collect()
}

pub(super) struct SignKind(pub Arc<Town>);

impl SignKind {
    /// What others hung where the sign is to hang, and that is in its way: all of it if it is to be adopted, otherwise what
    /// differs or is not known to be the same.
    fn in_its_way(
        state: &State,
        name: &str,
        wanted: &SignSpec,
        aim: Aim,
    ) -> BTreeMap<String, Arg<String>> {
        let texts = wanted.texts.iter().filter_map(|(key, text)| {
            let found = state.streets.get(&wanted.street)?.get(&format!("{name}/{key}"))?;
            let is_same = text.get().is_ok_and(|text| *text == found.text);
            let is_in_the_way = !found.ours && (aim == Aim::Adopt || !is_same);
            is_in_the_way.then(|| (key.clone(), known(&found.text)))
        });
        texts.collect()
    }

    fn find(
        state: &State,
        name: &str,
        wanted: Option<(&SignSpec, Aim)>,
    ) -> Option<Live<SignSpec, NoOutputs>> {
        let aim = wanted.map_or(Aim::Keep, |(_, aim)| aim);
        let wanted = wanted.map(|(spec, _)| spec);
        let in_its_way =
            wanted.map(|it| Self::in_its_way(state, name, it, aim)).unwrap_or_default();
        if let Some(spec) = wanted.filter(|_| !in_its_way.is_empty()) {
            let mut texts = hanging(state, &spec.street, name);
            texts.extend(in_its_way);
            let spec = SignSpec { street: spec.street.clone(), texts, ..SignSpec::default() };
            return Some(live(name, spec, NoOutputs {}, None));
        }
        // Only the wanted street and those that marks name are looked at, as with hosted zones.
        let mut streets: BTreeSet<String> =
            wanted.map(|spec| spec.street.clone()).into_iter().collect();
        let mut parent = None;
        for (house_name, house) in &state.houses {
            let ours = house.tags.ownership() == Ownership::Ours;
            for token in house.tags.marks.children.iter().filter(|_| ours) {
                if let Some((street, _)) = token.split_once('/').filter(|(_, sign)| *sign == name) {
                    streets.insert(street.to_owned());
                    parent.get_or_insert_with(|| Address::new("house", house_name));
                }
            }
        }
        streets.retain(|street| !hanging(state, street, name).is_empty());
        let is_wanted = |street: &String| wanted.is_some_and(|spec| spec.street == *street);
        let street = streets.iter().find(|it| is_wanted(it)).or(streets.first())?.clone();
        let tokens = streets.iter().map(|street| format!("{street}/{name}")).collect();
        let texts = hanging(state, &street, name);
        streets.remove(&street);
        let shows = |house: &House| texts.values().any(|text| *text == known(&house.key));
        let shown = state.houses.iter().filter(|(_, house)| shows(house));
        let uses = shown.map(|(house, _)| Address::new("house", house)).collect();
        Some(Live {
            ownership: Ownership::Ours,
            parent,
            tokens,
            uses,
            ..live(name, SignSpec { street, texts, leftovers: streets }, NoOutputs {}, None)
        })
    }
}

#[async_trait]
impl Kind for SignKind {
    const NAME: &'static str = "sign";
    const LIFE: Life = Life::Child(OnParentDelete::Before);
    const SAYS_WHOSE: bool = true;
    type Spec = SignSpec;
    type Outputs = NoOutputs;

    async fn read(
        &self,
        wanted: &[Wanted<SignSpec>],
        reading: Reading,
    ) -> Result<Vec<Live<SignSpec, NoOutputs>>, BoxError> {
        let state = self.0.survey(reading, State::clone).await?;
        let mut names: BTreeMap<String, Option<(&SignSpec, Aim)>> = BTreeMap::new();
        if reading == Reading::Everything {
            for house in state.houses.values().filter(|it| it.tags.ownership() == Ownership::Ours) {
                let signs = house.tags.marks.children.iter().filter_map(|it| it.split_once('/'));
                names.extend(signs.map(|(_, sign)| (sign.to_owned(), None)));
            }
        }
        for one in wanted {
            names.insert(one.name.clone(), one.spec.as_ref().map(|spec| (spec, one.aim)));
        }
        Ok(names.iter().filter_map(|(name, spec)| Self::find(&state, name, *spec)).collect())
    }

    async fn put(&self, change: &Change<SignSpec>) -> Result<Put<NoOutputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let mut texts = BTreeMap::new();
        for (key, text) in &to.texts {
            texts.insert(format!("{name}/{key}"), text.get()?.clone());
        }
        let publish = |state: &mut State| {
            for place in texts.keys().filter(|_| change.adopts) {
                state.adopt_text(&to.street, place, name);
            }
            let street = state.streets.entry(to.street.clone()).or_default();
            for (place, text) in texts {
                if street.get(&place).is_some_and(|text| !text.ours) {
                    return Err(format!("{place} is taken").into());
                }
                street.insert(place, Text { text, ours: true });
            }
            Ok(())
        };
        self.0.write(("put sign", name, &to.street), publish).await?;
        Ok(Put::Done(None))
    }

    async fn delete(&self, name: &str, live: &SignSpec) -> Result<Put<NoOutputs>, BoxError> {
        let take_down = |state: &mut State| {
            // The garden of its own house may stay dark for the moment until that house goes.
            let is_its_own = |house: &House| {
                let mut tokens = house.tags.marks.children.iter();
                tokens.any(|token| token.ends_with(&format!("/{name}")))
            };
            let gives_light = |house: &House| {
                let lamp = house.garden.as_ref().and_then(|garden| garden.lit_by.as_deref());
                lamp == Some(name) && !is_its_own(house)
            };
            if state.houses.values().any(gives_light) {
                return Err(format!("sign {name} gives light").into());
            }
            for street in live.leftovers.iter().chain([&live.street]) {
                if let Some(texts) = state.streets.get_mut(street) {
                    texts.retain(|place, text| !text.ours || text_of(name, place).is_none());
                }
            }
            Ok(())
        };
        self.0.write(("delete sign", name), take_down).await?;
        Ok(Put::Done(None))
    }

    async fn release(&self, name: &str, _live: &SignSpec) -> Result<(), BoxError> {
        let let_go = |state: &mut State| {
            for texts in state.streets.values_mut() {
                for (place, text) in texts {
                    text.ours &= text_of(name, place).is_none();
                }
            }
            Ok(())
        };
        self.0.write(("release sign", name), let_go).await
    }

    fn retires(&self, change: &Change<SignSpec>) -> bool {
        change.from.as_ref().is_some_and(|from| {
            !from.leftovers.is_empty()
                || from.street != change.to.street
                || from.texts.keys().any(|key| !change.to.texts.contains_key(key))
        })
    }

    async fn retire(&self, change: &Change<SignSpec>) -> Result<Put<NoOutputs>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let Some(from) = &change.from else { return Ok(Put::Done(None)) };
        let take_down = |state: &mut State| {
            for street in from.leftovers.iter().chain([&from.street]) {
                if let Some(texts) = state.streets.get_mut(street) {
                    texts.retain(|place, text| {
                        let wanted = text_of(name, place)
                            .is_none_or(|key| to.texts.contains_key(&key) && *street == to.street);
                        !text.ours || wanted
                    });
                }
            }
            Ok(())
        };
        self.0.write(("retire sign", name), take_down).await?;
        Ok(Put::Done(None))
    }

    fn impact(&self, _: Option<&SignSpec>, _: Option<&SignSpec>, _: &[Field]) -> Impact {
        Impact::safe()
    }

    fn examples() -> Vec<SignSpec> {
        Vec::new()
    }
}
