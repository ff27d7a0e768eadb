//! The digest in the marks of a root: another whenever anything of its family is declared otherwise, and only then.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use sesinfra::engine::{Address, Graph, Registry, Resource, digest_of_family};

use super::run::{Run, address, repeatable};
use super::wants::Want;
use super::worlds::{any_want, full};

fn toys() -> Registry {
    Run::on(super::town::Town::default()).registry
}

/// The digest of each family, and all that is declared of it.
fn digests(graph: &Graph, registry: &Registry) -> BTreeMap<Address, (String, Vec<Resource>)> {
    let families = graph.families().into_iter();
    let digests = families.map(|(root, members)| {
        let digest = digest_of_family(graph, registry, &root, &members);
        let declared = members.iter().filter_map(|it| graph.get(it)).cloned().collect();
        (root, (digest, declared))
    });
    digests.collect()
}

/// What of a family counts: who is in it, as what, and what of that is left to others.
fn counting(declared: &[Resource]) -> Vec<(&Address, &Value, &BTreeSet<String>)> {
    declared.iter().map(|it| (&it.address, &*it.spec, &it.ignore)).collect()
}

fn assert_digests_tell(one: &Graph, other: &Graph) {
    let registry = toys();
    let others = digests(other, &registry);
    for (root, (digest, declared)) in digests(one, &registry) {
        assert_eq!(digest.len(), 16);
        let Some((other, others)) = others.get(&root) else { continue };
        let is_same = counting(&declared) == counting(others);
        assert_eq!(digest == *other, is_same, "{root}: {declared:#?} and {others:#?}");
    }
}

/// Any value of few words, so that values differ in one place.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1..2_i64).prop_map(Value::from),
        prop::sample::select(&["", "0", "a", "a\",\"b", "[]", "null"][..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A house with rooms of any specs, some of whose paths are left to others.
fn any_family() -> impl Strategy<Value = Graph> {
    let member = || (any_value(), prop::collection::btree_set("[ab]", 0..2));
    let rooms = prop::collection::btree_map("[rs]", member(), 0..3);
    (member(), rooms).prop_map(|(house, rooms)| {
        let of = |name: &str, (spec, ignore): (Value, BTreeSet<String>)| {
            Resource::new(address(name), &spec).unwrap().ignoring(ignore)
        };
        let rooms = rooms
            .into_iter()
            .map(|(name, member)| of(&format!("room.h/{name}"), member).under(address("house.h")));
        Graph::new(rooms.chain([of("house.h", house)]).collect::<Vec<_>>()).unwrap()
    })
}

proptest! {
    #![proptest_config(repeatable(256))]

    #[test]
    fn a_digest_changes_with_any_spec_and_with_nothing_else(one in any_family(), other in any_family()) {
        assert_digests_tell(&one, &other);
    }

    #[test]
    fn a_digest_tells_any_two_wishes_apart(one in any_want(), other in any_want()) {
        assert_digests_tell(&one.graph(), &other.graph());
    }
}

/// The digests of the wish after a change.
fn digest_after(change: impl FnOnce(Want) -> Graph) -> String {
    let (root, registry) = (address("house.h1"), toys());
    digests(&change(full()), &registry)[&root].0.clone()
}

#[test]
fn a_digest_changes_with_what_is_left_to_others() {
    let plain = digest_after(|want| want.graph());
    let ignoring = |path: &'static str| {
        digest_after(|want| {
            let resources = want.resources().into_iter().map(|it| match it.address.kind() {
                "garden" => it.ignoring([path.to_owned()]),
                _ => it,
            });
            Graph::new(resources.collect::<Vec<_>>()).unwrap()
        })
    };
    let without_garden = |left: bool| {
        digest_after(|mut want| {
            want.houses.get_mut("h1").unwrap().garden = None;
            let left = [address("garden.h1"), address("garden.h2")].into_iter().filter(|_| left);
            want.graph().leaving(left)
        })
    };
    let all = [
        plain,
        ignoring("plants"),
        ignoring("fenced"),
        without_garden(false),
        without_garden(true),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
}

#[test]
fn a_digest_does_not_change_with_what_is_left_of_another_family() {
    let plain = digest_after(|want| want.graph());
    let other =
        digest_after(|want| want.graph().leaving([address("garden.h3"), address("room.h1")]));
    assert_eq!(plain, other);
}

#[test]
fn digests_that_were_written_before_stay_valid() {
    let spec = json!({ "tone": "low", "metal": "brass" });
    let graph = Graph::new([Resource::new(address("bell.b"), &spec).unwrap()]).unwrap();
    let digests = digests(&graph, &toys());
    // The first digits of SHA-256 over `[["bell.b",{"metal":"brass","tone":"low"}]]`.
    assert_eq!(digests[&address("bell.b")].0, "68e4ed4c88fe1781");
}
