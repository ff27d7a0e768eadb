//! Letting go: what is named stays exactly as it is, with all that is under it, and is nobody's; wherever it is cut off,
//! doing it again ends there.

use sesinfra::engine::{Action, Options, Ownership, PlanError, release};

use super::run::{Run, address, block_on};
use super::town::{Fault, Moment, State, Tags};
use super::wants::Want;
use super::worlds::full;

/// What is let go of in these laws, each with the addresses that go along.
const CASES: [(&[&str], &[&str]); 4] = [
    (&["house.h1"], &["house.h1", "lodger.h1/l1", "room.h1/r1", "room.h1/r2", "sign.s1"]),
    (&["bell.b1"], &["bell.b1"]),
    (&["room.h2/r1", "sign.s2"], &["room.h2/r1", "sign.s2"]),
    (
        &["lodger.h2/l1", "house.h1", "room.h1/r1"],
        &["house.h1", "lodger.h1/l1", "lodger.h2/l1", "room.h1/r1", "room.h1/r2", "sign.s1"],
    ),
];

/// The state without anything that says whose it is, or was.
fn bare(state: &State) -> State {
    let mut state = state.clone();
    for house in state.houses.values_mut() {
        house.tags = Tags::default();
        house.rooms.values_mut().for_each(|room| room.ours = false);
        house.lodgers.values_mut().for_each(|lodger| lodger.1 = false);
    }
    state.bells.values_mut().for_each(|bell| bell.tags = Tags::default());
    state.streets.values_mut().flatten().for_each(|(_, text)| text.ours = false);
    state.permits.clear();
    state.consents.clear();
    state
}

fn names(plan: &sesinfra::engine::Plan) -> Vec<String> {
    plan.changes.iter().map(|change| change.address.to_string()).collect()
}

/// What was let go of is nobody's, and nothing else is.
fn assert_released(run: &Run, released: &[&str]) {
    let ours = block_on(sesinfra::engine::World::read(&full().graph(), &run.registry)).unwrap();
    for resource in full().resources() {
        let live = ours.get(&resource.address).unwrap_or_else(|| panic!("{}", resource.address));
        let name = resource.address.to_string();
        let is_setting = name.starts_with("garden.");
        let house = name.replace("garden.", "house.");
        let is_released =
            released.contains(&name.as_str()) || (is_setting && released.contains(&house.as_str()));
        assert_eq!(live.ownership == Ownership::Ours, !is_released, "{name}: {:?}", live.ownership);
    }
}

#[test]
fn what_is_let_go_of_stays_as_it_is_and_is_nobodys() {
    for (named, along) in CASES {
        let run = Run::having(&full());
        let before = run.town.state();
        let plan = run.plan_release(&full(), named);
        assert_eq!(names(&plan), along);
        assert!(plan.changes.iter().all(|change| change.action == Action::Forget));
        let outcome = run.apply(plan);
        assert!(outcome.report.is_complete(), "{:#?}", outcome.report);
        assert_eq!(bare(&run.town.state()), bare(&before), "{named:?}: nothing else changes");
        run.town.begin(&full());
        assert_released(&run, along);
    }
}

#[test]
fn letting_go_again_is_nothing_to_do() {
    for (named, _) in CASES {
        let run = Run::having(&full());
        run.apply(run.plan_release(&full(), named));
        let again = run.plan_release(&full(), named);
        assert!(again.is_empty() && again.steps.is_empty(), "{:?}", again.steps);
    }
}

#[test]
fn what_was_let_go_of_is_adopted_like_anything_that_is_nobodys() {
    for (named, along) in CASES {
        let run = Run::having(&full());
        run.apply(run.plan_release(&full(), named));
        let refused = run.plan(&full()).refusals;
        let refused: Vec<String> = refused.iter().map(|it| it.address.to_string()).collect();
        let unlike_texts: Vec<&str> =
            along.iter().copied().filter(|name| !name.starts_with("sign.")).collect();
        let refused: Vec<&str> =
            refused.iter().map(String::as_str).filter(|it| !it.starts_with("sign.")).collect();
        assert_eq!(refused, unlike_texts, "{named:?}");
        run.converge_adopting(&full(), along);
    }
}

#[test]
fn destroying_leaves_what_was_let_go_of() {
    let run = Run::having(&full());
    run.apply(run.plan_release(&full(), &["bell.b1"]));
    let options = Options { destroy: true, ..Options::default() };
    let outcome = run.apply(run.plan_with(&Want::default(), &options));
    assert!(outcome.report.is_complete(), "{:#?}", outcome.report);
    let state = run.town.state();
    assert!(state.bells.contains_key("b1") && !state.houses.contains_key("h1"));
}

#[test]
fn letting_go_is_gone_on_with_wherever_it_was_cut() {
    for (named, along) in CASES {
        let run = Run::having(&full());
        let writes = run.apply(run.plan_release(&full(), named)).writes.len();
        let end = run.town.state();
        for write in 0..writes {
            for moment in [Moment::Before, Moment::After] {
                let run = Run::having(&full());
                let plan = run.plan_release(&full(), named);
                run.town.disturb(Some(Fault { write, moment, cut: true }));
                run.apply(plan);
                let outcome = run.apply(run.plan_release(&full(), named));
                assert!(outcome.report.is_complete(), "{:#?}", outcome.report);
                run.town.begin(&full());
                assert_released(&run, along);
                assert_eq!(bare(&run.town.state()), bare(&end), "{named:?} cut at {write}");
            }
        }
    }
}

#[test]
fn a_setting_and_a_name_that_is_unknown_are_errors() {
    let run = Run::having(&full());
    let asked = |name: &str| {
        let addresses = [address(name)].into();
        block_on(release(&full().graph(), &run.registry, &addresses))
    };
    run.town.begin(&full());
    let Err(PlanError::Setting { parent, .. }) = asked("garden.h1") else { panic!("a setting") };
    assert_eq!(parent, address("house.h1"));
    assert!(matches!(asked("bell.b9"), Err(PlanError::UnknownAddress { .. })));
}
