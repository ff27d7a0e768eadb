//! Reading back: reads that lag are waited for, what does not stick is an error, and what waits for the outside is waiting.

use sesinfra::engine::{Event, Options, Outcome, Verb};

use super::run::{Run, address};
use super::town::Fault;
use super::wants::Want;
use super::worlds::{full, others, variants};

#[test]
fn reads_that_lag_are_waited_for() {
    let (_, other) = &variants()[2];
    for lag in 1..6 {
        let run = Run::having(&full());
        run.town.set_lag(lag);
        run.converge(other);
        run.converge(&Want::default());
        run.town.set_tells(false);
        run.converge(&full());
    }
}

#[test]
fn everything_is_read_back_from_the_service() {
    let run = Run::new(others());
    let mut want = full();
    want.houses.values_mut().for_each(|house| house.garden = None);
    let plan = run.plan(&want);
    let reads_of_plan = run.town.reads();
    run.apply(plan);
    // One pass over the kinds in it, and the key of each house, which its creation does not tell.
    let kinds = 5;
    assert_eq!(run.town.reads() - reads_of_plan, kinds + want.houses.len());
}

#[test]
fn what_does_not_stick_is_an_error_and_not_marked_as_settled() {
    let mut run = Run::having(&full());
    let mut want = full();
    want.bells.get_mut("b1").unwrap().tone = "shrill".to_owned();
    run.undoes = Some(|state| {
        if let Some(bell) = state.bells.get_mut("b1") {
            bell.tone = "low".to_owned();
        }
    });
    let outcome = run.go(&want);
    let [(root, error)] = &outcome.report.unsettled[..] else { panic!("{:#?}", outcome.report) };
    assert_eq!(*root, address("bell.b1"));
    assert!(error.to_string().contains("tone: wanted \"shrill\", found \"low\""), "{error}");
    assert!(outcome.report.has_failures());
    assert_eq!(run.town.state().bells["b1"].tags.marks.digest, None);
    run.undoes = None;
    run.converge(&want);
}

#[test]
fn what_another_run_announces_meanwhile_stays_named() {
    let mut run = Run::having(&full());
    let mut want = full();
    want.houses.get_mut("h1").unwrap().spec.colour = "green".to_owned();
    run.undoes = Some(|state| {
        if let Some(house) = state.houses.get_mut("h1") {
            house.tags.marks.children.insert("lodger:theirs".to_owned());
        }
    });
    let outcome = run.go(&want);
    let [(root, error)] = &outcome.report.unsettled[..] else { panic!("{:#?}", outcome.report) };
    assert_eq!(*root, address("house.h1"));
    assert!(error.to_string().contains("another run announced lodger:theirs"), "{error}");
    let marks = run.town.state().houses["h1"].tags.marks.clone();
    assert!(marks.children.contains("lodger:theirs") && marks.digest.is_none(), "{marks:?}");
    run.undoes = None;
    run.converge(&want);
}

#[test]
fn what_waits_for_the_outside_is_waiting_and_holds_up_only_its_dependents() {
    let mut run = Run::new(others());
    run.permits_at = None;
    let outcome = run.go(&full());
    assert!(!outcome.report.is_complete() && !outcome.report.has_failures());
    let open: Vec<_> =
        outcome.report.steps.iter().filter(|it| !matches!(it.outcome, Outcome::Done)).collect();
    let [garden] = &open[..] else { panic!("{open:#?}") };
    assert_eq!(garden.address, address("garden.h1"));
    assert!(matches!(&garden.outcome, Outcome::Waiting(reason) if reason.contains("no permit")));
    let waited = |it: &&Event| matches!(it, Event::Waiting(_, Verb::Create, _));
    assert!(outcome.events.iter().filter(waited).count() > 1, "it was tried again");
    let settled = |name| outcome.events.contains(&Event::Settled(address(name)));
    assert!(settled("house.h2") && settled("bell.b1") && !settled("house.h1"));
}

#[test]
fn what_waits_takes_nobody_s_place() {
    let mut run = Run::new(others());
    run.permits_at = Some(3);
    let outcome = run.converge(&full());
    let at = |wanted: &Event| outcome.events.iter().position(|event| event == wanted).unwrap();
    let is_waiting = |event: &Event| matches!(event, Event::Waiting(..));
    let last_wait = outcome.events.iter().rposition(is_waiting).unwrap();
    // With one step at a time, all that does not depend on it is done and settled while it waits.
    assert!(at(&Event::Settled(address("house.h2"))) < last_wait, "{:#?}", outcome.events);
    assert!(at(&Event::Settled(address("bell.b1"))) < last_wait);
}

#[test]
fn what_can_only_wait_is_deferred_and_no_change_for_now() {
    let mut run = Run::new(others());
    run.permits_at = None;
    run.go(&full());
    let plan = run.plan(&full());
    assert!(!plan.has_changes_now(), "{:#?}", plan.pending().collect::<Vec<_>>());
    assert!(!plan.is_empty());
    let deferred: Vec<_> = plan.deferred().map(|it| it.address.to_string()).collect();
    assert_eq!(deferred, ["garden.h1"]);
    // With something else to do for it, it is a change like any other.
    let mut want = full();
    want.houses.get_mut("h1").unwrap().garden.as_mut().unwrap().plants = "moss".to_owned();
    assert!(run.plan(&want).has_changes_now());
    want = full();
    want.houses.get_mut("h1").unwrap().spec.colour = "green".to_owned();
    let plan = run.plan(&want);
    assert_eq!(plan.deferred().count(), 0, "what comes first may change what is waited for");
    run.permits_at = Some(3);
    run.converge(&full());
}

#[test]
fn what_depends_on_something_deferred_is_deferred_too() {
    let mut run = Run::new(others());
    run.permits_at = None;
    run.go(&full());
    let resources = full().resources().into_iter().map(|resource| {
        if resource.address == address("lodger.h2/l1") {
            resource.after(address("garden.h1"), "the view")
        } else {
            resource
        }
    });
    let graph = sesinfra::engine::Graph::new(resources).unwrap();
    run.town.by_hand(|state| {
        state.houses.get_mut("h2").unwrap().lodgers.remove("l1");
    });
    run.town.begin(&full());
    let plan =
        super::run::block_on(sesinfra::engine::plan(&graph, &run.registry, &Options::default()));
    let plan = plan.unwrap();
    let deferred: Vec<_> = plan.deferred().filter_map(|it| it.deferred.clone()).collect();
    assert_eq!(deferred, ["there is no permit yet", "waits for garden.h1"]);
    assert!(!plan.has_changes_now());
}

#[test]
fn marks_that_a_cut_left_incomplete_are_completed_by_one_call() {
    let run = Run::having(&full());
    let mut want = full();
    want.houses.get_mut("h1").unwrap().spec.colour = "green".to_owned();
    let plan = run.plan(&want);
    let last = 2;
    run.town.disturb(Some(Fault { write: last, moment: super::town::Moment::Before, cut: true }));
    assert_eq!(run.apply(plan).writes.len(), last + 1, "announced, painted, and cut at marking");
    let outcome = run.converge(&want);
    assert_eq!(outcome.writes.len(), 1, "{:#?}", outcome.writes);
    assert!(outcome.plan.change(&address("house.h1")).unwrap().is_marks_only());
}

#[test]
fn what_is_announced_between_plan_and_apply_stays_named_where_only_marks_are_written() {
    let run = Run::having(&full());
    run.town.by_hand(|state| state.houses.get_mut("h1").unwrap().tags.marks.digest = None);
    let plan = run.plan(&full());
    assert!(plan.change(&address("house.h1")).unwrap().is_marks_only());
    run.town.by_hand(|state| {
        let marks = &mut state.houses.get_mut("h1").unwrap().tags.marks;
        marks.children.insert("lodger:theirs".to_owned());
    });
    let outcome = run.apply(plan);
    assert_eq!(outcome.report.unsettled.len(), 1, "{:#?}", outcome.report);
    let marks = run.town.state().houses["h1"].tags.marks.clone();
    assert!(marks.children.contains("lodger:theirs") && marks.digest.is_none(), "{marks:?}");
}
