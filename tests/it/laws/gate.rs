//! What is not ours: refused where it is declared, shown where it sits under ours, and touched nowhere.

use sesinfra::engine::{Action, Outcome, Rule, Severity};

use super::kinds::HouseSpec;
use super::run::{Run, address};
use super::town::Room;
use super::wants::{Want, WantHouse, WantRoom};
use super::worlds::full;

/// A wish for `name` with one room, beside what is there.
fn also(name: &str) -> Want {
    let mut want = full();
    let rooms = [("r1".to_owned(), WantRoom { size: 1, ..WantRoom::default() })].into();
    let spec = HouseSpec { colour: "red".to_owned(), ..HouseSpec::default() };
    want.houses.insert(name.to_owned(), WantHouse { spec, rooms, ..WantHouse::default() });
    want
}

#[test]
fn what_others_own_is_refused_with_their_name_and_the_rest_is_shown() {
    let run = Run::having(&Want::default());
    let plan = run.plan(&also("foreign"));
    let rules: Vec<_> = plan.refusals.iter().map(|it| (it.rule, it.address.to_string())).collect();
    // What is under it is not refused once more: it is theirs as well.
    let expected = [(Rule::Foreign, "house.foreign")];
    assert_eq!(rules, expected.map(|(rule, address)| (rule, address.to_owned())));
    assert!(plan.refusals[0].message.contains("belongs to other/prod"), "{:?}", plan.refusals);
    let created = plan.count(Action::Create);
    assert_eq!(created, full().resources().len(), "what is not refused is shown in full");
}

#[test]
fn what_nobody_owns_is_to_be_adopted_which_is_refused_until_it_is_asked_for() {
    let run = Run::having(&Want::default());
    let plan = run.plan(&also("nobody"));
    let adopted: Vec<_> = plan.changes.iter().filter(|it| it.action == Action::Adopt).collect();
    assert_eq!(adopted.len(), 2, "the house and its room: {adopted:#?}");
    assert!(!adopted[0].fields.is_empty(), "what adopting would change is shown");
    let [house, _room] = &plan.refusals[..] else { panic!("{:#?}", plan.refusals) };
    assert_eq!(house.rule, Rule::Unowned);
    assert!(
        house.message.contains("nothing on it says that sesinfra made it"),
        "{}",
        house.message
    );
}

#[test]
fn nothing_of_a_refused_plan_is_carried_out() {
    let run = Run::having(&Want::default());
    let outcome = run.go(&also("nobody"));
    assert_eq!(outcome.writes, Vec::<String>::new());
    assert!(!outcome.report.is_complete() && !outcome.report.steps.is_empty());
    let is_untouched = |it: &Outcome| matches!(it, Outcome::NotStarted(_));
    assert!(outcome.report.steps.iter().all(|step| is_untouched(&step.outcome)));
}

#[test]
fn what_others_made_under_ours_is_shown_and_left_alone() {
    let run = Run::having(&full());
    run.town.by_hand(|state| {
        let room = Room { size: 77, ..Room::default() };
        state.houses.get_mut("h2").unwrap().rooms.insert("theirs".to_owned(), room);
    });
    let plan = run.plan(&full());
    assert!(plan.is_empty(), "{:#?}", plan.pending().collect::<Vec<_>>());
    let shown: Vec<_> = plan.unmanaged.iter().map(|it| it.address.to_string()).collect();
    assert_eq!(shown, ["room.h2/theirs"]);
    let mut painted = full();
    painted.houses.get_mut("h2").unwrap().spec.colour = "green".to_owned();
    run.converge(&painted);
}

#[test]
fn deleting_ours_from_under_what_others_made_is_irreversible() {
    let run = Run::having(&full());
    run.town.by_hand(|state| {
        let room = Room { size: 77, ..Room::default() };
        state.houses.get_mut("h2").unwrap().rooms.insert("theirs".to_owned(), room);
    });
    let plan = run.plan(&Want::default());
    let impact = |house: &str| plan.change(&address(house)).unwrap().impact.clone();
    assert_eq!(impact("house.h1").severity, Severity::Degrades);
    assert_eq!(impact("house.h2").severity, Severity::Irreversible);
    assert!(impact("house.h2").reason.contains("room.h2/theirs"), "{:?}", impact("house.h2"));
}

#[test]
fn a_parent_that_cannot_be_deleted_keeps_its_marks() {
    let run = Run::having(&full());
    run.town.by_hand(|state| {
        let house = state.houses.get_mut("h2").unwrap();
        house.lodgers.insert("theirs".to_owned(), (9, false));
    });
    let outcome = run.go(&Want::default());
    assert!(outcome.report.has_failures());
    assert!(run.town.state().houses.contains_key("h2"), "somebody lives there");
    run.converge(&full());
}
