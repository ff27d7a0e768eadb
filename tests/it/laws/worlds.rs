//! Worlds and wishes: what others have in the town, some wishes that between them use everything, and any wish at all.

use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::kinds::{BellSpec, GardenSpec, HouseSpec};
use super::town::{Bell, House, Room, State, Tags, Text};
use super::wants::{Want, WantHouse, WantRoom, WantSign};

/// What is not ours: a house of another owner and one of nobody, each with people in it, and texts in the streets we use.
pub(crate) fn others() -> State {
    let mut state = State::default();
    let foreign = Tags { owner: Some("other/prod".to_owned()), ..Tags::default() };
    let room = Room { size: 9, ..Room::default() };
    for (name, tags) in [("foreign", foreign.clone()), ("nobody", Tags::default())] {
        let rooms = BTreeMap::from([("r1".to_owned(), room.clone())]);
        let lodgers = BTreeMap::from([("l1".to_owned(), (7, false))]);
        let house = House { tags: tags.clone(), rooms, lodgers, ..House::default() };
        state.houses.insert(name.to_owned(), house);
        state.bells.insert(name.to_owned(), Bell { tags, ..Bell::default() });
    }
    for street in ["elm", "oak"] {
        let text = Text { text: "theirs".to_owned(), ours: false };
        let texts = BTreeMap::from([("s1/theirs".to_owned(), text)]);
        state.streets.insert(street.to_owned(), texts);
    }
    state
}

fn house(colour: &str, plot: &str, lock: &str) -> HouseSpec {
    HouseSpec { colour: colour.to_owned(), plot: plot.to_owned(), lock: lock.to_owned() }
}

fn room(size: u32, bell: Option<&str>, code_of: Option<&str>) -> WantRoom {
    WantRoom { size, bell: bell.map(str::to_owned), code_of: code_of.map(str::to_owned) }
}

fn garden(plants: &str, fenced: bool, lit_by: Option<&str>) -> Option<GardenSpec> {
    Some(GardenSpec { plants: plants.to_owned(), fenced, lit_by: lit_by.map(str::to_owned) })
}

fn bell(tone: &str, metal: &str) -> BellSpec {
    BellSpec { tone: tone.to_owned(), metal: metal.to_owned() }
}

fn sign(house: &str, street: &str, texts: &[(&str, &str)]) -> WantSign {
    let texts = texts.iter().map(|(key, of)| ((*key).to_owned(), (*of).to_owned())).collect();
    WantSign { house: house.to_owned(), street: street.to_owned(), texts }
}

fn named<T, const N: usize>(items: [(&str, T); N]) -> BTreeMap<String, T> {
    items.into_iter().map(|(name, item)| (name.to_owned(), item)).collect()
}

/// Two houses with everything.
pub(crate) fn full() -> Want {
    Want {
        houses: named([
            (
                "h1",
                WantHouse {
                    spec: house("red", "north", "iron"),
                    garden: garden("roses", true, Some("s1")),
                    rooms: named([
                        ("r1", room(1, Some("b1"), None)),
                        ("r2", room(2, None, Some("h2"))),
                    ]),
                    lodgers: named([("l1", 5)]),
                },
            ),
            (
                "h2",
                WantHouse {
                    spec: house("blue", "south", "iron"),
                    garden: garden("herbs", false, None),
                    rooms: named([("r1", room(3, Some("b1"), Some("h1")))]),
                    lodgers: named([("l1", 5), ("l2", 6)]),
                },
            ),
        ]),
        bells: named([("b1", bell("low", "brass")), ("b2", bell("high", "brass"))]),
        signs: named([
            ("s1", sign("h1", "elm", &[("a", "h1"), ("b", "h2")])),
            ("s2", sign("h2", "oak", &[("a", "h2")])),
        ]),
    }
}

/// Wishes that each differ from the full one in a way of their own.
pub(crate) fn variants() -> Vec<(&'static str, Want)> {
    let changed = |change: fn(&mut Want)| {
        let mut want = full();
        change(&mut want);
        want.consistent()
    };
    vec![
        ("nothing", Want::default()),
        ("everything", full()),
        (
            "other settings",
            changed(|want| {
                for house in want.houses.values_mut() {
                    house.spec.colour = "white".to_owned();
                    house.spec.lock = "brass".to_owned();
                    house.rooms.values_mut().for_each(|room| room.size += 10);
                    house.garden = garden("moss", false, None);
                }
                want.bells.values_mut().for_each(|bell| bell.tone = "soft".to_owned());
            }),
        ),
        (
            "made anew",
            changed(|want| {
                want.houses.values_mut().for_each(|house| house.spec.plot = "east".to_owned());
                want.bells.values_mut().for_each(|bell| bell.metal = "silver".to_owned());
            }),
        ),
        (
            "bells made anew, new lodgers",
            changed(|want| {
                want.bells.values_mut().for_each(|bell| bell.metal = "silver".to_owned());
                for house in want.houses.values_mut() {
                    house.lodgers.values_mut().for_each(|rent| *rent += 1);
                }
            }),
        ),
        (
            "signs change streets, texts and houses",
            changed(|want| {
                want.signs = named([
                    ("s1", sign("h2", "elm", &[("a", "h1"), ("c", "h2")])),
                    ("s2", sign("h1", "elm", &[("a", "h2")])),
                ]);
            }),
        ),
        (
            "one house, and its sign was the other's",
            changed(|want| {
                want.houses.remove("h1");
                want.signs.insert("s1".to_owned(), sign("h2", "elm", &[("a", "h2")]));
            }),
        ),
        (
            "nothing in the houses",
            changed(|want| {
                want.signs.clear();
                want.bells.clear();
                for house in want.houses.values_mut() {
                    *house = WantHouse { spec: house.spec.clone(), ..WantHouse::default() };
                }
            }),
        ),
    ]
}

fn any_of(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(names).prop_map(str::to_owned)
}

prop_compose! {
    fn any_house()(
        colour in any_of(&["red", "blue"]),
        plot in any_of(&["north", "south"]),
        lock in any_of(&["iron", "brass"]),
        garden in option::of((any_of(&["roses", "moss"]), any::<bool>(), option::of(any_of(&["s1", "s2"])))),
        rooms in btree_map(
            any_of(&["r1", "r2"]),
            (1..3_u32, option::of(any_of(&["b1", "b2"])), option::of(any_of(&["h1", "h2", "h3"]))),
            0..3,
        ),
        lodgers in btree_map(any_of(&["l1", "l2"]), 5..7_u32, 0..3),
    ) -> WantHouse {
        let rooms = rooms.into_iter().map(|(name, (size, bell, code_of))| (name, WantRoom { size, bell, code_of }));
        WantHouse {
            spec: HouseSpec { colour, plot, lock },
            garden: garden.map(|(plants, fenced, lit_by)| GardenSpec { plants, fenced, lit_by }),
            rooms: rooms.collect(),
            lodgers,
        }
    }
}

prop_compose! {
    /// Any wish at all.
    pub fn any_want()(
        houses in btree_map(any_of(&["h1", "h2", "h3"]), any_house(), 0..4),
        bells in btree_map(any_of(&["b1", "b2"]), (any_of(&["low", "high"]), any_of(&["brass", "silver"])), 0..3),
        signs in btree_map(
            any_of(&["s1", "s2"]),
            (
                any_of(&["h1", "h2", "h3"]),
                any_of(&["elm", "oak"]),
                btree_map(any_of(&["a", "b"]), any_of(&["h1", "h2", "h3"]), 1..3),
            ),
            0..3,
        ),
    ) -> Want {
        let bells = bells.into_iter().map(|(name, (tone, metal))| (name, BellSpec { tone, metal }));
        let signs = signs.into_iter().map(|(name, (house, street, texts))| (name, WantSign { house, street, texts }));
        Want { houses, bells: bells.collect(), signs: signs.collect() }.consistent()
    }
}
