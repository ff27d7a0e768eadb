//! Planning by tags and lists: as long as nobody else changes anything, it says what a plan says that reads everything,
//! after any run, cut off anywhere; and it reads only what tags do not settle.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sesinfra::engine::{Action, Options, Plan, Refresh};

use super::run::{Run, address, repeatable};
use super::town::{Fault, Moment, State};
use super::wants::Want;
use super::worlds::{any_want, full, others, variants};

fn by_tags() -> Options {
    Options { refresh: Refresh::Tags, ..Options::default() }
}

/// The plan by tags, which must do what the full one does.
fn same_as_in_full(run: &Run, want: &Want) -> Plan {
    let whole = run.plan(want);
    let plan = run.plan_with(want, &by_tags());
    assert_eq!(plan.pending().collect::<Vec<_>>(), whole.pending().collect::<Vec<_>>());
    assert_eq!(plan.steps, whole.steps);
    assert_eq!(plan.families, whole.families);
    assert_eq!(plan.refusals, whole.refusals);
    let addresses = |plan: &Plan| -> Vec<_> {
        plan.changes.iter().map(|change| change.address.clone()).collect()
    };
    assert_eq!(addresses(&plan), addresses(&whole));
    plan
}

/// What is read in full after somebody did this, where the plan then says all that a full one does.
fn read_after(act: impl FnOnce(&mut State)) -> (Plan, BTreeSet<String>) {
    let run = Run::having(&full());
    run.town.by_hand(act);
    let plan = same_as_in_full(&run, &full());
    (plan, read_of(&run))
}

/// The roots that were read in full, beside those that are others' in every town.
fn read_of(run: &Run) -> BTreeSet<String> {
    let state = others();
    let houses = state.houses.keys().map(|name| format!("house.{name}"));
    let bells = state.bells.keys().map(|name| format!("bell.{name}"));
    let theirs: BTreeSet<String> = houses.chain(bells).collect();
    run.town.surveyed().difference(&theirs).cloned().collect()
}

fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_settled_costs_no_read() {
    let run = Run::having(&full());
    let plan = same_as_in_full(&run, &full());
    assert_eq!(read_of(&run), BTreeSet::new());
    assert!(plan.is_empty());
    let declared: BTreeSet<_> = full().resources().into_iter().map(|it| it.address).collect();
    assert_eq!(plan.unread, declared);
}

#[test]
fn what_is_declared_otherwise_is_read_and_nothing_else() {
    let run = Run::having(&full());
    let mut want = full();
    want.bells.get_mut("b2").unwrap().tone = "soft".to_owned();
    let plan = same_as_in_full(&run, &want);
    assert_eq!(plan.change(&address("bell.b2")).unwrap().action, Action::Update);
    assert_eq!(read_of(&run), named(&["bell.b2"]));
    assert!(!plan.unread.contains(&address("bell.b2")));
    assert!(plan.unread.contains(&address("room.h1/r1")));
}

#[test]
fn what_is_no_longer_declared_is_read_and_nothing_else() {
    let run = Run::having(&full());
    let mut want = full();
    want.bells.remove("b2");
    let plan = same_as_in_full(&run, &want);
    assert_eq!(plan.change(&address("bell.b2")).unwrap().action, Action::Delete);
    assert_eq!(read_of(&run), named(&["bell.b2"]));
}

#[test]
fn what_relies_on_something_that_is_gone_is_read_too() {
    let (plan, read) = read_after(|state| {
        state.bells.remove("b1");
    });
    assert_eq!(plan.change(&address("bell.b1")).unwrap().action, Action::Create);
    assert_eq!(plan.change(&address("room.h1/r1")).unwrap().action, Action::Update);
    assert!(read.contains("house.h1") && read.contains("house.h2") && !read.contains("bell.b2"));
}

#[test]
fn what_shows_outputs_that_change_is_read_too() {
    let run = Run::having(&full());
    let mut want = full();
    want.houses.get_mut("h1").unwrap().spec.lock = "brass".to_owned();
    // A room of the other house knows the key.
    let plan = same_as_in_full(&run, &want);
    assert_eq!(plan.change(&address("room.h2/r1")).unwrap().action, Action::Update);
    assert_eq!(read_of(&run), named(&["house.h1", "house.h2"]));
}

#[test]
fn what_is_needed_for_comparing_is_read_too() {
    let run = Run::having(&full());
    let mut want = full();
    // Its sign shows the key of the other house.
    want.houses.get_mut("h1").unwrap().spec.colour = "green".to_owned();
    same_as_in_full(&run, &want);
    assert_eq!(read_of(&run), named(&["house.h1", "house.h2"]));
}

#[test]
fn another_owner_is_seen() {
    let (plan, _) = read_after(|state| {
        state.bells.get_mut("b2").unwrap().tags.owner = Some("somebody".to_owned());
    });
    assert_eq!(plan.refusals.len(), 1);
    let (plan, read) = read_after(|state| state.bells.get_mut("b2").unwrap().tags.owner = None);
    assert_eq!(plan.refusals.len(), 1);
    assert_eq!(read, named(&["bell.b2"]));
}

#[test]
fn marks_that_are_not_as_they_were_written_settle_nothing() {
    let house =
        |state: &mut State| std::mem::take(&mut state.houses.get_mut("h1").unwrap().tags.marks);
    let cases: [fn(&mut sesinfra::engine::Marks); 4] = [
        |marks| marks.digest = None,
        |marks| marks.digest = Some("0123456789abcdef".to_owned()),
        |marks| marks.children.retain(|token| token != "room:r1"),
        |marks| marks.children.extend(["room:attic".to_owned()]),
    ];
    for change in cases {
        let (plan, read) = read_after(|state| {
            let mut marks = house(state);
            change(&mut marks);
            state.houses.get_mut("h1").unwrap().tags.marks = marks;
        });
        assert!(read.contains("house.h1"), "{read:?}");
        assert!(!plan.is_empty() || !plan.refusals.is_empty());
    }
}

#[test]
fn what_tags_do_not_tell_of_is_read() {
    let run = Run::having(&full());
    run.town.keep_untold(&["bell.b1"]);
    assert!(same_as_in_full(&run, &full()).is_empty());
    assert_eq!(read_of(&run), named(&["bell.b1"]));
}

#[test]
fn what_others_changed_in_settings_is_not_looked_for() {
    let run = Run::having(&full());
    run.town.by_hand(|state| state.bells.get_mut("b1").unwrap().tone = "shrill".to_owned());
    assert!(run.plan_with(&full(), &by_tags()).is_empty());
    assert!(!run.plan(&full()).is_empty());
}

#[test]
fn what_is_named_on_the_command_line_is_read() {
    let run = Run::having(&full());
    let replace = Options { replace: [address("bell.b1")].into(), ..by_tags() };
    let plan = run.plan_with(&full(), &replace);
    assert_eq!(plan.change(&address("bell.b1")).unwrap().action, Action::Replace);
    assert_eq!(plan.change(&address("room.h1/r1")).unwrap().action, Action::Update);
    let adopt = Options { adopt: [address("lodger.h2/l1")].into(), ..by_tags() };
    run.plan_with(&full(), &adopt);
    assert!(read_of(&run).contains("house.h2"));
    let target = Options { targets: [address("bell.b1")].into(), ..by_tags() };
    assert!(run.plan_with(&full(), &target).is_empty());
}

#[test]
fn what_is_to_be_destroyed_is_read() {
    let run = Run::having(&full());
    let destroy = Options { destroy: true, ..Options::default() };
    let whole = run.plan_with(&full(), &destroy);
    assert_eq!(run.plan_with(&full(), &Options { refresh: Refresh::Tags, ..destroy }), whole);
}

#[test]
fn cut_at_every_write_it_says_what_a_full_plan_says() {
    for (name, other) in variants() {
        for (first, second) in [(full(), other.clone()), (other, full())] {
            let run = Run::having(&first);
            let town = run.town.twin();
            let writes = run.converge(&second).writes.len();
            for write in 0..writes {
                println!("{name}, cut after write {write}");
                let mut run = Run::on(town.twin());
                run.parallelism = 1 + write % 3;
                let plan = run.plan(&second);
                run.town.disturb(Some(Fault { write, moment: Moment::After, cut: true }));
                run.apply(plan);
                for third in [&first, &second] {
                    same_as_in_full(&run, third);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(repeatable(48))]

    #[test]
    fn cut_anywhere_between_any_wishes_it_says_what_a_full_plan_says(
        first in any_want(),
        second in any_want(),
        third in any_want(),
        cuts in prop::collection::vec(0..30_usize, 3),
        parallelism in 1..5_usize,
    ) {
        let town = Run::having(&first).town;
        for write in cuts {
            let mut run = Run::on(town.twin());
            run.parallelism = parallelism;
            same_as_in_full(&run, &second);
            let plan = run.plan(&second);
            run.town.disturb(Some(Fault { write, moment: Moment::After, cut: true }));
            run.apply(plan);
            same_as_in_full(&run, &third);
            same_as_in_full(&run, &first);
        }
    }

    #[test]
    fn after_any_wish_nothing_is_read(want in any_want()) {
        let run = Run::new(others());
        run.converge(&want);
        let plan = same_as_in_full(&run, &want);
        prop_assert!(plan.is_empty());
        prop_assert_eq!(read_of(&run), BTreeSet::new());
    }
}
