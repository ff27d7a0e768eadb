//! Targets: they and what they depend on, whatever must let go of them, and nobody else; marks tell the truth all the same.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use sesinfra::engine::{Options, PlanError, plan};

use super::run::{Run, address, block_on, repeatable};
use super::wants::Want;
use super::worlds::{any_want, full, others};

fn aiming_at(names: &[&str]) -> Options {
    Options { targets: names.iter().map(|name| address(name)).collect(), ..Options::default() }
}

fn changed(run: &Run, want: &Want, targets: &[&str]) -> Vec<String> {
    let plan = run.plan_with(want, &aiming_at(targets));
    plan.pending().map(|change| change.address.to_string()).collect()
}

/// Everything, with other colours, plants and sizes.
fn repainted() -> Want {
    let mut want = full();
    for house in want.houses.values_mut() {
        house.spec.colour = "white".to_owned();
        house.garden.as_mut().unwrap().plants = "moss".to_owned();
        house.rooms.values_mut().for_each(|room| room.size += 1);
    }
    want
}

#[test]
fn a_target_brings_what_it_depends_on() {
    let run = Run::having(&Want::default());
    let expected = ["bell.b1", "house.h1", "house.h2", "room.h2/r1"];
    assert_eq!(changed(&run, &full(), &["room.h2/r1"]), expected);
}

#[test]
fn a_target_brings_no_sibling() {
    let run = Run::having(&full());
    assert_eq!(changed(&run, &repainted(), &["garden.h2"]), ["garden.h2", "house.h2"]);
}

#[test]
fn a_target_that_goes_brings_what_must_let_go_of_it_or_goes_with_it() {
    let run = Run::having(&full());
    let mut want = full();
    want.bells.remove("b1");
    let want = want.consistent();
    assert_eq!(changed(&run, &want, &["bell.b1"]), ["bell.b1", "room.h1/r1", "room.h2/r1"]);
    want.houses.iter().for_each(|(_, house)| assert!(!house.rooms.is_empty()));
    let nothing = changed(&run, &Want::default(), &["bell.b2"]);
    assert_eq!(nothing, ["bell.b2"]);
}

#[test]
fn a_target_whose_outputs_change_brings_what_shows_them() {
    let run = Run::having(&full());
    let mut want = repainted();
    want.houses.get_mut("h2").unwrap().spec.lock = "brass".to_owned();
    let expected = ["house.h1", "house.h2", "room.h1/r2", "sign.s1", "sign.s2"];
    assert_eq!(changed(&run, &want, &["house.h2"]), expected);
}

#[test]
fn a_family_left_half_done_is_not_marked_as_settled() {
    let run = Run::having(&full());
    let plan = run.plan_with(&repainted(), &aiming_at(&["garden.h2"]));
    assert!(run.apply(plan).report.is_complete());
    let marks = run.town.state().houses["h2"].tags.marks.clone();
    assert_eq!(marks.digest, None);
    run.converge(&repainted());
}

#[test]
fn an_unknown_target_is_an_error() {
    let run = Run::having(&full());
    for options in [
        aiming_at(&["bell.b9"]),
        Options { replace: BTreeSet::from([address("bell.b9")]), ..Options::default() },
    ] {
        let planned = block_on(plan(&full().graph(), &run.registry, &options));
        assert!(matches!(planned, Err(PlanError::UnknownAddress { address: it, known })
            if it == address("bell.b9") && !known.is_empty()));
    }
}

proptest! {
    #![proptest_config(repeatable(64))]

    #[test]
    fn any_targets_then_everything(
        first in any_want(),
        second in any_want(),
        picks in prop::collection::vec(any::<Index>(), 1..4),
        parallelism in 1..4_usize,
    ) {
        let mut run = Run::new(others());
        run.parallelism = parallelism;
        run.converge(&first);
        let mut all: BTreeSet<_> = first.resources().into_iter().map(|it| it.address).collect();
        all.extend(second.resources().into_iter().map(|it| it.address));
        prop_assume!(!all.is_empty());
        let all: Vec<_> = all.into_iter().collect();
        let targets: BTreeSet<_> = picks.iter().map(|pick| pick.get(&all).clone()).collect();
        let plan = run.plan_with(&second, &Options { targets: targets.clone(), ..Options::default() });
        assert!(run.apply(plan).report.is_complete());
        let graph = second.graph();
        let targets: BTreeSet<_> = targets.into_iter().filter(|it| graph.get(it).is_some()).collect();
        if !targets.is_empty() {
            let left = run.plan_with(&second, &Options { targets, ..Options::default() });
            assert!(left.is_empty(), "{:#?}", left.pending().collect::<Vec<_>>());
        }
        run.converge(&second);
    }
}

#[test]
fn destroying_takes_all_that_is_ours_and_looks_for_what_was_wanted_by_its_name() {
    let run = Run::having(&full());
    let options = Options { destroy: true, ..Options::default() };
    let outcome = run.apply(run.plan_with(&full(), &options));
    assert!(outcome.report.is_complete(), "{:#?}", outcome.report);
    assert_eq!(run.town.state().others(), others().others());
    assert!(Want::default().check(&run.town.state()).is_ok());
    assert!(run.plan_with(&full(), &options).is_empty());
}
