//! The order of steps: the same every time, what relies on something made anew is written again, and what relies on each
//! other comes apart.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use sesinfra::engine::{Action, Options, Plan, Verb};

use super::run::{Run, address, repeatable};
use super::wants::Want;
use super::worlds::{any_want, full, others, variants};

fn replacing(names: &[&str]) -> Options {
    Options { replace: names.iter().map(|name| address(name)).collect(), ..Options::default() }
}

/// The number of the step.
fn step(plan: &Plan, verb: Verb, name: &str) -> usize {
    let found = plan.steps.iter().position(|it| it.verb == verb && it.address == address(name));
    found.unwrap_or_else(|| panic!("no {verb:?} of {name} in {:#?}", plan.steps))
}

#[test]
fn planning_twice_gives_one_plan_and_applying_alone_one_order() {
    for (_, want) in variants() {
        let run = Run::having(&full());
        let twin = Run::on(run.town.twin());
        let (first, second) = (run.plan(&want), run.plan(&want));
        assert_eq!(first, second);
        assert_eq!(first.digest(), second.digest());
        assert_eq!(run.apply(first).writes, twin.apply(twin.plan(&want)).writes);
    }
}

#[test]
fn a_digest_tells_plans_apart_and_passes_over_what_is_only_shown() {
    let run = Run::having(&full());
    let digests: BTreeSet<String> =
        variants().iter().map(|(_, want)| run.plan(want).digest()).collect();
    assert_eq!(digests.len(), variants().len());
    let plan = run.plan(&full());
    let mut noted = plan.clone();
    noted.changes[0].notes.push("pending confirmation".to_owned());
    assert_eq!(noted.digest(), plan.digest());
}

#[test]
fn what_relies_on_something_made_anew_is_written_again() {
    let run = Run::having(&full());
    let plan = run.plan_with(&full(), &replacing(&["bell.b1"]));
    assert_eq!(plan.change(&address("bell.b1")).unwrap().action, Action::Replace);
    for room in ["room.h1/r1", "room.h2/r1"] {
        let change = plan.change(&address(room)).unwrap();
        assert_eq!(change.action, Action::Update);
        assert!(change.reason.as_ref().unwrap().contains("bell.b1"), "{change:#?}");
        assert!(step(&plan, Verb::Create, "bell.b1") < step(&plan, Verb::Update, room));
    }
    assert_eq!(plan.count(Action::Update), 2, "and nothing else");
    run.apply(plan);
    full().check(&run.town.state()).unwrap();
}

#[test]
fn what_was_deleted_by_hand_is_made_anew_and_relied_on_again() {
    let run = Run::having(&full());
    run.town.by_hand(|state| {
        state.bells.remove("b1");
    });
    run.converge(&full());
    run.town.by_hand(|state| {
        state.houses.get_mut("h1").unwrap().rooms.remove("r1");
        state.streets.get_mut("elm").unwrap().remove("s1/a");
    });
    let outcome = run.converge(&full());
    assert_eq!(outcome.plan.count(Action::Create), 1);
    run.town.by_hand(|state| {
        state.houses.remove("h2");
        state.streets.get_mut("oak").unwrap().retain(|_, text| !text.ours);
    });
    run.converge(&full());
}

#[test]
fn a_parent_made_anew_takes_its_children_along() {
    let run = Run::having(&full());
    let plan = run.plan_with(&full(), &replacing(&["house.h2"]));
    for name in ["house.h2", "room.h2/r1", "garden.h2", "lodger.h2/l1", "lodger.h2/l2", "sign.s2"] {
        assert_eq!(plan.change(&address(name)).unwrap().action, Action::Replace, "{name}");
    }
    assert!(step(&plan, Verb::Delete, "lodger.h2/l1") < step(&plan, Verb::Delete, "house.h2"));
    assert!(step(&plan, Verb::Delete, "house.h2") < step(&plan, Verb::Vanish, "garden.h2"));
    run.apply(plan);
    full().check(&run.town.state()).unwrap();
}

#[test]
fn the_new_is_published_before_the_old_is_retired() {
    let run = Run::having(&full());
    let mut want = full();
    want.signs.get_mut("s1").unwrap().street = "oak".to_owned();
    want.houses.get_mut("h1").unwrap().garden.as_mut().unwrap().plants = "moss".to_owned();
    let plan = run.plan(&want);
    let (publish, retire) =
        (step(&plan, Verb::Update, "sign.s1"), step(&plan, Verb::Retire, "sign.s1"));
    let switch = step(&plan, Verb::Update, "garden.h1");
    assert!(publish < switch && switch < retire, "{:#?}", plan.steps);
    run.converge(&want);
}

/// Whether the step `then` waits for the step `first`, directly or not.
fn waits(plan: &Plan, then: usize, first: usize) -> bool {
    plan.steps[then].after.iter().any(|it| *it == first || waits(plan, *it, first))
}

#[test]
fn what_goes_waits_for_what_comes_to_its_place() {
    let run = Run::having(&full());
    let mut want = full();
    let rooms = &mut want.houses.get_mut("h1").unwrap().rooms;
    let room = rooms.remove("r1").unwrap();
    rooms.insert("r9".to_owned(), room);
    let plan = run.plan(&want);
    let (comes, goes) =
        (step(&plan, Verb::Create, "room.h1/r9"), step(&plan, Verb::Delete, "room.h1/r1"));
    assert!(waits(&plan, goes, comes), "{:#?}", plan.steps);
    run.converge(&want);
}

#[test]
fn what_goes_for_good_waits_for_nothing_that_waits_for_it() {
    let run = Run::having(&full());
    let mut want = full();
    let rooms = &mut want.houses.get_mut("h1").unwrap().rooms;
    let room = rooms.remove("r1").unwrap();
    rooms.insert("r9".to_owned(), room);
    // The new room rings the bell that is made anew, which the old one must let go of first.
    let plan = run.plan_with(&want, &replacing(&["bell.b1"]));
    let (comes, goes) =
        (step(&plan, Verb::Create, "room.h1/r9"), step(&plan, Verb::Delete, "room.h1/r1"));
    assert!(waits(&plan, comes, goes), "{:#?}", plan.steps);
    run.apply(plan);
    want.check(&run.town.state()).unwrap();
}

#[test]
fn two_that_rely_on_each_other_through_what_vanishes_come_apart() {
    let run = Run::having(&full());
    // Each house has a room whose code is the key of the other.
    let outcome = run.converge(&Want::default());
    let deleted = |verb, name: &str| {
        outcome.plan.steps.iter().any(|it| it.verb == verb && it.address == address(name))
    };
    assert!(deleted(Verb::Delete, "room.h1/r2") && deleted(Verb::Delete, "room.h2/r1"));
    assert!(deleted(Verb::Vanish, "room.h1/r1"), "what is in no cycle costs no call");
    assert!(deleted(Verb::Vanish, "garden.h1"), "nor does what relies only on its own family");
}

proptest! {
    #![proptest_config(repeatable(64))]

    #[test]
    fn anything_can_be_made_anew(mut want in any_want(), picks in prop::collection::vec(any::<Index>(), 1..4)) {
        // A sign cannot be taken down while it gives light, and a garden that goes on being lit does not let go of it.
        want.houses.values_mut().filter_map(|house| house.garden.as_mut()).for_each(|garden| garden.lit_by = None);
        let run = Run::new(others());
        run.converge(&want);
        let all = want.resources();
        prop_assume!(!all.is_empty());
        let replace = picks.iter().map(|pick| pick.get(&all).address.clone()).collect();
        let plan = run.plan_with(&want, &Options { replace, ..Options::default() });
        let outcome = run.apply(plan);
        assert!(outcome.report.is_complete(), "{:#?}", outcome.report);
        want.check(&run.town.state()).unwrap();
        assert!(run.plan(&want).is_empty());
    }
}
