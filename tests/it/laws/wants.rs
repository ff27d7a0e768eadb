//! What is wanted of the town: the source of both the graph that the engine gets and the end state that the laws demand.

use std::collections::{BTreeMap, BTreeSet};

use sesinfra::engine::{Address, Arg, Graph, Ownership, Resource};

use super::kinds::{BellSpec, GardenSpec, HouseSpec, KEY, LodgerSpec, RoomSpec, SignSpec, text_of};
use super::town::{State, Tags};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Want {
    pub houses: BTreeMap<String, WantHouse>,
    pub bells: BTreeMap<String, BellSpec>,
    pub signs: BTreeMap<String, WantSign>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct WantHouse {
    pub spec: HouseSpec,
    pub garden: Option<GardenSpec>,
    pub rooms: BTreeMap<String, WantRoom>,
    pub lodgers: BTreeMap<String, u32>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct WantRoom {
    pub size: u32,
    pub bell: Option<String>,
    /// The house whose key is the room's code.
    pub code_of: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct WantSign {
    pub house: String,
    pub street: String,
    /// Each text shows the key of a house.
    pub texts: BTreeMap<String, String>,
}

pub(crate) fn house(name: &str) -> Address {
    Address::new("house", name)
}

impl Want {
    /// The same, without references to what is not there.
    pub fn consistent(mut self) -> Self {
        let houses: BTreeSet<String> = self.houses.keys().cloned().collect();
        self.signs.retain(|_, sign| {
            sign.texts.retain(|_, shown| houses.contains(shown));
            houses.contains(&sign.house) && !sign.texts.is_empty()
        });
        for house in self.houses.values_mut() {
            for room in house.rooms.values_mut() {
                room.bell = room.bell.take().filter(|bell| self.bells.contains_key(bell));
                room.code_of = room.code_of.take().filter(|other| houses.contains(other));
            }
            if let Some(garden) = &mut house.garden {
                garden.lit_by = garden.lit_by.take().filter(|it| self.signs.contains_key(it));
            }
        }
        self
    }

    pub fn graph(&self) -> Graph {
        Graph::new(self.resources()).unwrap()
    }

    pub fn resources(&self) -> Vec<Resource> {
        let mut resources = Vec::new();
        for (name, bell) in &self.bells {
            resources.push(Resource::new(Address::new("bell", name), bell).unwrap());
        }
        for (name, want) in &self.houses {
            resources.push(Resource::new(house(name), &want.spec).unwrap());
            if let Some(garden) = &want.garden {
                let address = Address::new("garden", name);
                let mut resource = Resource::new(address, garden).unwrap().under(house(name));
                if let Some(sign) = &garden.lit_by {
                    resource = resource.after(Address::new("sign", sign), "it is lit by it");
                }
                resources.push(resource);
            }
            for (room, want) in &want.rooms {
                let code = want.code_of.as_ref().map(|other| KEY.of(&house(other)));
                let spec = RoomSpec { size: want.size, bell: want.bell.clone(), code };
                let address = Address::new("room", format!("{name}/{room}"));
                let mut resource = Resource::new(address, &spec).unwrap().under(house(name));
                if let Some(bell) = &want.bell {
                    resource = resource.after(Address::new("bell", bell), "it rings there");
                }
                resources.push(resource.known_as(format!("room:{room}")));
            }
            for (lodger, rent) in &want.lodgers {
                let address = Address::new("lodger", format!("{name}/{lodger}"));
                let resource = Resource::new(address, &LodgerSpec { rent: *rent }).unwrap();
                resources.push(resource.under(house(name)).known_as(format!("lodger:{lodger}")));
            }
        }
        for (name, sign) in &self.signs {
            let texts = sign.texts.iter();
            let spec = SignSpec {
                street: sign.street.clone(),
                texts: texts.map(|(key, of)| (key.clone(), KEY.of(&house(of)))).collect(),
                leftovers: BTreeSet::new(),
            };
            let resource = Resource::new(Address::new("sign", name), &spec).unwrap();
            let resource = resource.under(house(&sign.house));
            resources.push(resource.known_as(format!("{}/{name}", sign.street)));
        }
        resources
    }

    /// The tokens that the marks of a house must have at the end.
    fn tokens(&self, name: &str, want: &WantHouse) -> BTreeSet<String> {
        let rooms = want.rooms.keys().map(|room| format!("room:{room}"));
        let lodgers = want.lodgers.keys().map(|lodger| format!("lodger:{lodger}"));
        let signs = self.signs.iter().filter(|(_, sign)| sign.house == name);
        let signs = signs.map(|(sign, want)| format!("{}/{sign}", want.street));
        rooms.chain(lodgers).chain(signs).collect()
    }

    /// Whether the family of `root` is as wanted here, links that cannot be read included.
    pub fn holds(&self, root: &str, state: &State) -> Result<(), String> {
        let (kind, name) = root.split_once('.').unwrap();
        if kind == "bell" {
            let found = state.bells.get(name).map(|bell| (&bell.tone, &bell.metal));
            let wanted = self.bells.get(name).map(|bell| (&bell.tone, &bell.metal));
            return same(root, found, wanted);
        }
        let (Some(want), Some(found)) = (self.houses.get(name), state.houses.get(name)) else {
            return Err(format!("{root} is declared or exists, but not both"));
        };
        let spec = HouseSpec {
            colour: found.colour.clone(),
            plot: found.plot.clone(),
            lock: found.lock.clone(),
        };
        same(root, &spec, &want.spec)?;
        let garden = found.garden.as_ref().map(GardenSpec::of);
        same("its garden", garden.as_ref(), want.garden.as_ref())?;
        let key = |of: &String| state.houses.get(of).map(|house| house.key.clone());
        let rooms: BTreeMap<_, _> = found.rooms.iter().filter(|(_, room)| room.ours).collect();
        same("its rooms", rooms.keys().copied().collect(), want.rooms.keys().collect::<Vec<_>>())?;
        for (name, room) in rooms {
            let wanted = &want.rooms[name];
            same("a room's size", room.size, wanted.size)?;
            same("a room's code", room.code.clone(), wanted.code_of.as_ref().and_then(key))?;
            let serial = |bell: &String| state.bells.get(bell).map(|it| (bell.clone(), it.serial));
            same("a room's bell", room.bell.clone(), wanted.bell.as_ref().and_then(serial))?;
        }
        let lodgers: BTreeMap<_, _> = found.lodgers.iter().filter(|(_, (_, ours))| *ours).collect();
        let lodgers = lodgers.into_iter().map(|(name, (rent, _))| (name.clone(), *rent)).collect();
        same("its lodgers", &lodgers, &want.lodgers)?;
        for (name, sign) in self.signs.iter().filter(|(_, sign)| sign.house == name) {
            let texts = sign.texts.iter().map(|(text, of)| (text.clone(), key(of)));
            let wanted: BTreeMap<_, _> = texts.map(|(text, of)| (text, of.unwrap())).collect();
            let mut found = BTreeMap::new();
            for (street, texts) in &state.streets {
                for (place, text) in texts.iter().filter(|(_, text)| text.ours) {
                    if let Some(key) = text_of(name, place) {
                        same("a sign's street", street, &sign.street)?;
                        found.insert(key, text.text.clone());
                    }
                }
            }
            same("a sign", found, wanted)?;
        }
        Ok(())
    }

    /// Whether exactly this exists of ours, marks included.
    pub fn check(&self, state: &State) -> Result<(), String> {
        let is_ours = |tags: &Tags| tags.ownership() == Ownership::Ours;
        let houses: Vec<_> = state.houses.iter().filter(|(_, it)| is_ours(&it.tags)).collect();
        let bells: Vec<_> = state.bells.iter().filter(|(_, it)| is_ours(&it.tags)).collect();
        same("our houses", names(&houses), self.houses.keys().collect())?;
        same("our bells", names(&bells), self.bells.keys().collect())?;
        for (name, found) in houses {
            self.holds(&format!("house.{name}"), state)?;
            let tokens = self.tokens(name, &self.houses[name]);
            same("the marks", &found.tags.marks.children, &tokens)?;
            same("marked as settled", found.tags.marks.digest.is_some(), true)?;
        }
        for (name, found) in bells {
            self.holds(&format!("bell.{name}"), state)?;
            same("the marks of a bell", &found.tags.marks.children, &BTreeSet::new())?;
            same("a bell is marked as settled", found.tags.marks.digest.is_some(), true)?;
        }
        let texts = state.streets.values().flatten().filter(|(_, text)| text.ours).count();
        same("our texts", texts, self.signs.values().map(|sign| sign.texts.len()).sum())
    }
}

fn names<'a, T>(found: &[(&'a String, T)]) -> Vec<&'a String> {
    found.iter().map(|(name, _)| *name).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), String> {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{what}: wanted {wanted:?}, found {found:?}"))
    }
}

/// A known text, for specs that are read.
pub(crate) fn known(text: &str) -> Arg<String> {
    Arg::Known(text.to_owned())
}
