//! Adopting: what is nobody's becomes ours if somebody asks for it by name, as declared, wherever it is cut off; and
//! nothing else ever does.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sesinfra::engine::{Action, Options, Outcome, Rule, Verb};

use super::kinds::{GardenSpec, HouseSpec};
use super::run::{Run, address, adopting, repeatable};
use super::town::{Bell, Fault, Garden, House, Moment, Room, State, Tags, Text, Town};
use super::wants::{Want, WantHouse, WantRoom};
use super::worlds::{any_want, full, others};

/// Everything that [`full`] wants, as others might have made it: some of it otherwise, and more.
fn made_by_others() -> State {
    let mut state = others();
    let room = |size| Room { size, ..Room::default() };
    let house = House {
        colour: "grey".to_owned(),
        plot: "north".to_owned(),
        lock: "iron".to_owned(),
        key: "key-of-others".to_owned(),
        garden: Some(Garden { plants: "weeds".to_owned(), ..Garden::default() }),
        rooms: BTreeMap::from([("r1".to_owned(), room(1)), ("attic".to_owned(), room(4))]),
        lodgers: BTreeMap::from([("l1".to_owned(), (5, false)), ("l9".to_owned(), (9, false))]),
        ..House::default()
    };
    state.houses.insert("h1".to_owned(), house);
    let bell = Bell { tone: "low".to_owned(), metal: "brass".to_owned(), ..Bell::default() };
    state.bells.insert("b1".to_owned(), bell);
    let text = Text { text: "old".to_owned(), ours: false };
    state.streets.get_mut("elm").unwrap().insert("s1/a".to_owned(), text);
    state
}

/// All of it that is declared.
const ALL: [&str; 5] = ["house.h1", "room.h1/r1", "lodger.h1/l1", "bell.b1", "sign.s1"];

/// The same without `left_out`.
fn but(left_out: &str) -> Vec<&'static str> {
    ALL.into_iter().filter(|name| *name != left_out).collect()
}

#[test]
fn what_is_asked_for_becomes_ours_as_declared_and_the_rest_stays_theirs() {
    let run = Run::new(made_by_others());
    let outcome = run.converge_adopting(&full(), &ALL);
    let adopted: Vec<_> =
        outcome.plan.changes.iter().filter(|it| it.action == Action::Adopt).collect();
    let names: Vec<String> = adopted.iter().map(|it| it.address.to_string()).collect();
    let mut all = ALL.map(str::to_owned);
    all.sort();
    assert_eq!(names, all);
    let house = run.town.state().houses["h1"].clone();
    assert!(!house.rooms["attic"].ours && !house.lodgers["l9"].1, "those stay as they were");
    assert_eq!(house.key, "key-of-others", "it is the same house as before");
}

#[test]
fn the_plan_shows_what_would_change_and_nothing_that_would_not() {
    let run = Run::new(made_by_others());
    let plan = run.plan_with(&full(), &adopting(&ALL));
    assert!(plan.refusals.is_empty(), "{:#?}", plan.refusals);
    let paths = |name: &str| {
        let change = plan.change(&address(name)).unwrap();
        change.fields.iter().map(|field| field.path.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(paths("house.h1"), ["colour"]);
    assert_eq!(paths("lodger.h1/l1"), <[&str; 0]>::default());
    let garden = plan.change(&address("garden.h1")).unwrap();
    assert_eq!(garden.action, Action::Update, "a setting comes with what it is a setting of");
}

#[test]
fn without_being_asked_for_each_is_refused_for_itself() {
    let run = Run::new(made_by_others());
    let asked: Vec<_> =
        run.plan(&full()).refusals.iter().map(|it| it.address.to_string()).collect();
    let mut all = ALL.map(str::to_owned);
    all.sort();
    assert_eq!(asked, all);
    for left_out in ALL {
        let plan = run.plan_with(&full(), &adopting(&but(left_out)));
        let [refusal] = &plan.refusals[..] else { panic!("{left_out}: {:#?}", plan.refusals) };
        assert_eq!((refusal.rule, refusal.address.clone()), (Rule::Unowned, address(left_out)));
        assert_eq!(run.apply(plan).writes, Vec::<String>::new());
    }
    let all = run.plan_with(&full(), &Options { adopt_all: true, ..Options::default() });
    assert!(all.refusals.is_empty(), "{:#?}", all.refusals);
}

#[test]
fn the_plan_is_the_same_whether_it_is_allowed_or_not() {
    let run = Run::new(made_by_others());
    // Only what is as declared anyway is another matter: it is used as it is, unless it is asked for.
    let (free, asked) = (run.plan(&full()), run.plan_with(&full(), &adopting(&ALL)));
    assert_eq!((free.changes, free.steps), (asked.changes, asked.steps));
}

#[test]
fn settings_that_are_not_declared_go_with_the_adoption() {
    let run = Run::new(made_by_others());
    let mut want = full();
    want.houses.get_mut("h1").unwrap().garden = None;
    let outcome = run.converge_adopting(&want.consistent(), &ALL);
    let garden = outcome.plan.change(&address("garden.h1")).unwrap();
    assert_eq!(garden.action, Action::Delete, "the plan says so");
}

#[test]
fn children_stay_unowned_until_they_are_adopted_themselves() {
    let run = Run::new(made_by_others());
    let mut want = full();
    want.houses.get_mut("h1").unwrap().rooms.clear();
    want.houses.get_mut("h1").unwrap().lodgers.clear();
    run.converge_adopting(&want, &["house.h1", "bell.b1", "sign.s1"]);
    let unmanaged: Vec<_> =
        run.plan(&want).unmanaged.iter().map(|it| it.address.to_string()).collect();
    assert_eq!(unmanaged, ["lodger.h1/l1", "lodger.h1/l9", "room.h1/attic", "room.h1/r1"]);
    assert!(!run.plan(&full()).refusals.is_empty());
    run.converge_adopting(&full(), &["room.h1/r1", "lodger.h1/l1"]);
}

#[test]
fn a_target_names_nothing_that_it_leaves_out() {
    let run = Run::new(made_by_others());
    let mut want = full();
    want.houses.get_mut("h1").unwrap().rooms.clear();
    want.houses.get_mut("h1").unwrap().lodgers.clear();
    let adopted = ["house.h1", "bell.b1", "sign.s1"];
    run.converge_adopting(&want, &adopted);
    let mut want = full();
    want.houses.get_mut("h1").unwrap().spec.colour = "green".to_owned();
    let targets = [address("house.h1")].into();
    // The town itself fails this if marks ever name a room that nobody asked for.
    let outcome = run.apply(run.plan_with(&want, &Options { targets, ..Options::default() }));
    assert!(outcome.report.is_complete(), "{:#?}", outcome.report);
    assert!(!run.town.state().houses["h1"].rooms["r1"].ours);
}

#[test]
fn what_differs_where_nothing_can_be_changed_in_place_is_not_adopted() {
    let run = Run::new(made_by_others());
    let mut want = full();
    want.houses.get_mut("h1").unwrap().spec.plot = "south".to_owned();
    want.houses.get_mut("h1").unwrap().lodgers.insert("l1".to_owned(), 6);
    let plan = run.plan_with(&want, &adopting(&ALL));
    let rules: Vec<_> = plan.refusals.iter().map(|it| (it.rule, it.address.to_string())).collect();
    let expected = ["house.h1", "lodger.h1/l1"].map(|it| (Rule::Unadoptable, it.to_owned()));
    assert_eq!(rules, expected);
    assert!(plan.refusals[0].message.contains("another `plot`"), "{:?}", plan.refusals);
    assert_eq!(run.apply(plan).writes, Vec::<String>::new());
}

#[test]
fn what_is_not_ours_yet_is_not_made_anew() {
    let run = Run::new(made_by_others());
    let options = Options { replace: [address("house.h1")].into(), ..adopting(&ALL) };
    let plan = run.plan_with(&full(), &options);
    assert_eq!(plan.refusals[0].rule, Rule::Unadoptable, "{:?}", plan.refusals);
}

#[test]
fn what_others_own_is_never_adopted() {
    let run = Run::new(others());
    let mut want = full();
    let rooms = [("r1".to_owned(), WantRoom { size: 1, ..WantRoom::default() })].into();
    let house = WantHouse { spec: HouseSpec::default(), rooms, ..WantHouse::default() };
    want.houses.insert("foreign".to_owned(), house);
    want.bells.insert("foreign".to_owned(), super::kinds::BellSpec::default());
    let options = Options { adopt_all: true, ..Options::default() };
    let plan = run.plan_with(&want, &options);
    let rules: Vec<_> = plan.refusals.iter().map(|it| (it.rule, it.address.to_string())).collect();
    let expected = ["bell.foreign", "house.foreign"].map(|it| (Rule::Foreign, it.to_owned()));
    assert_eq!(rules, expected);
}

#[test]
fn what_somebody_else_took_since_the_plan_is_left_to_them() {
    let run = Run::new(made_by_others());
    run.consent(&ALL);
    let plan = run.plan_with(&full(), &adopting(&ALL));
    run.town.by_hand(|state| {
        let tags = Tags { owner: Some("other/prod".to_owned()), ..Tags::default() };
        state.houses.get_mut("h1").unwrap().tags = tags;
    });
    let outcome = run.apply(plan);
    let is_adoption = |it: &&sesinfra::engine::StepReport| {
        it.verb == Verb::Adopt && it.address == address("house.h1")
    };
    let failed = outcome.report.steps.iter().find(is_adoption).unwrap();
    let Outcome::Failed(error) = &failed.outcome else { panic!("{failed:?}") };
    assert!(error.to_string().contains("belongs to other/prod since the plan"), "{error}");
    assert_eq!(run.town.state().houses["h1"].colour, "grey", "nothing of it is touched");
}

#[test]
fn adopting_again_is_nothing_to_do() {
    let run = Run::new(made_by_others());
    run.converge_adopting(&full(), &ALL);
    let again = run.plan_with(&full(), &adopting(&ALL));
    assert!(again.is_empty(), "{:#?}", again.pending().collect::<Vec<_>>());
}

#[test]
fn adopting_goes_on_from_wherever_it_was_cut() {
    let run = Run::new(made_by_others());
    let writes = run.converge_adopting(&full(), &ALL).writes.len();
    for write in 0..writes {
        for moment in [Moment::Before, Moment::After] {
            for parallelism in [1, 3] {
                let mut run = Run::new(made_by_others());
                run.parallelism = parallelism;
                run.consent(&ALL);
                let plan = run.plan_with(&full(), &adopting(&ALL));
                run.town.disturb(Some(Fault { write, moment, cut: true }));
                run.apply(plan);
                run.town.begin(&full());
                // The same command again; and then what was adopted may go like all that is ours.
                run.converge_adopting(&full(), &ALL);
                // Others live there: without them it can go, and nothing of theirs goes with it.
                run.town.by_hand(|state| {
                    let house = state.houses.get_mut("h1").unwrap();
                    house.lodgers.remove("l9");
                    house.rooms.remove("attic");
                });
                run.converge(&Want::default());
                assert!(run.town.state().houses.contains_key("nobody"));
            }
        }
    }
}

proptest! {
    #![proptest_config(repeatable(48))]

    /// Whatever others made, in whatever state ours was left: what is asked for becomes as wanted, and nothing else ours.
    #[test]
    fn any_wish_over_what_others_made(
        made in any_want(),
        want in any_want(),
        asked in prop::collection::vec(any::<bool>(), 40),
        parallelism in 1..4_usize,
    ) {
        let theirs = Run::new(others());
        theirs.converge(&made);
        let mut state = theirs.town.state();
        give_away(&mut state);
        let mut run = Run::on(Town::new(state));
        run.parallelism = parallelism;
        let free = run.plan(&want);
        let askable: Vec<String> = free.refusals.iter().map(|it| it.address.to_string()).collect();
        let picked: Vec<&str> = askable
            .iter()
            .zip(&asked)
            .filter(|(_, asked)| **asked)
            .map(|(address, _)| address.as_str())
            .collect();
        let plan = run.plan_with(&want, &adopting(&picked));
        let left = askable.len() - free.refusals.iter().filter(|it| it.rule == Rule::Unowned
            && picked.contains(&it.address.to_string().as_str())).count();
        prop_assert_eq!(plan.refusals.len(), left);
        let all: Vec<&str> = askable.iter().map(String::as_str).collect();
        if run.plan_with(&want, &adopting(&all)).refusals.is_empty() {
            run.converge_adopting(&want, &all);
        } else {
            run.consent(&[]);
            prop_assert!(run.apply(plan).writes.is_empty());
        }
    }
}

/// Takes all marks off what is ours.
fn give_away(state: &mut State) {
    for house in state.houses.values_mut().filter(|it| it.tags.owner.as_deref() == Some("us")) {
        house.tags = Tags::default();
        house.rooms.values_mut().for_each(|room| room.ours = false);
        house.lodgers.values_mut().for_each(|lodger| lodger.1 = false);
    }
    for bell in state.bells.values_mut().filter(|it| it.tags.owner.as_deref() == Some("us")) {
        bell.tags = Tags::default();
    }
    state.streets.values_mut().flatten().for_each(|(_, text)| text.ours = false);
}

#[test]
fn a_setting_of_what_is_adopted_may_wait() {
    let mut run = Run::new(made_by_others());
    run.permits_at = None;
    run.consent(&ALL);
    let outcome = run.apply(run.plan_with(&full(), &adopting(&ALL)));
    assert!(!outcome.report.is_complete() && !outcome.report.has_failures());
    let fenced = run.town.state().houses["h1"].garden.as_ref().map(GardenSpec::of);
    assert!(fenced.is_some_and(|garden| !garden.fenced));
    run.permits_at = Some(1);
    run.converge_adopting(&full(), &ALL);
}
