//! Cut off at every call, before or after its effect, and then with any other wish: the end state is exact, and at every
//! instant the marks tell the truth (the town asserts that after each write).

use proptest::prelude::*;

use super::run::Run;
use super::town::{Fault, Moment, Town};
use super::wants::Want;
use super::worlds::{any_want, full, others, variants};

/// A town in which `first` was applied, and how many writes `second` then takes.
fn begun(first: &Want, second: &Want) -> (Town, usize) {
    let run = Run::having(first);
    let town = run.town.twin();
    (town, run.converge(second).writes.len())
}

fn cut_then(town: &Town, fault: Fault, parallelism: usize, second: &Want, third: &Want) {
    let mut run = Run::on(town.twin());
    run.parallelism = parallelism;
    let plan = run.plan(second);
    run.town.disturb(Some(fault));
    run.apply(plan);
    run.converge(third);
}

/// Every way from or to everything, and there and back between nothing and the others.
fn ways() -> Vec<(String, Want, Want)> {
    let mut ways = Vec::new();
    for (name, other) in variants() {
        ways.push((format!("everything -> {name}"), full(), other.clone()));
        ways.push((format!("{name} -> everything"), other, full()));
    }
    ways
}

#[test]
fn every_wish_is_reached_from_every_other() {
    for (_, first) in variants() {
        let run = Run::having(&first);
        for (_, second) in variants() {
            run.converge(&second);
            run.converge(&first);
        }
    }
}

#[test]
fn cut_at_every_write_then_the_same_another_or_nothing() {
    for (way, first, second) in ways() {
        let (town, writes) = begun(&first, &second);
        for write in 0..writes {
            for moment in [Moment::Before, Moment::After] {
                println!("{way}, cut at write {write}, {moment:?}");
                let fault = Fault { write, moment, cut: true };
                let thirds: &[&Want] = match moment {
                    // The same as after the write before it, except when several are under way.
                    Moment::Before => &[&second],
                    Moment::After => &[&second, &first, &Want::default()],
                };
                for third in thirds {
                    cut_then(&town, fault, 1 + write % 3, &second, third);
                }
            }
        }
    }
}

#[test]
fn a_call_that_fails_stops_its_dependents_and_nobody_else() {
    for (way, first, second) in ways() {
        let (town, writes) = begun(&first, &second);
        for write in 0..writes {
            println!("{way}, write {write} fails");
            let moment = if write % 2 == 0 { Moment::Before } else { Moment::After };
            let mut run = Run::on(town.twin());
            run.parallelism = 1 + write % 4;
            let plan = run.plan(&second);
            run.town.disturb(Some(Fault { write, moment, cut: false }));
            let outcome = run.apply(plan);
            assert_only_dependents_stopped(&outcome);
            run.converge(&second);
        }
    }
}

fn assert_only_dependents_stopped(outcome: &super::run::Outcome) {
    use sesinfra::engine::Outcome;
    let steps = &outcome.report.steps;
    let is_done = |index: &usize| matches!(steps[*index].outcome, Outcome::Done);
    let failed = steps.iter().filter(|step| matches!(step.outcome, Outcome::Failed(_))).count();
    assert!(failed + outcome.report.unsettled.len() == 1, "{:#?}", outcome.report);
    for (step, planned) in steps.iter().zip(&outcome.plan.steps) {
        let could_start = planned.after.iter().all(is_done);
        let started = !matches!(step.outcome, Outcome::NotStarted(_));
        assert_eq!(could_start, started, "{step:?} in {:#?}", outcome.report);
    }
}

proptest! {
    #![proptest_config(super::run::repeatable(48))]

    #[test]
    fn any_wish_after_any_other(wants in prop::collection::vec(any_want(), 1..4), parallelism in 1..5_usize, lag in 0..4_usize) {
        let mut run = Run::new(others());
        run.parallelism = parallelism;
        run.town.set_lag(lag);
        for want in wants {
            run.converge(&want);
        }
        run.converge(&Want::default());
    }

    #[test]
    fn cut_anywhere_between_any_wishes(first in any_want(), second in any_want(), third in any_want(), parallelism in 1..5_usize) {
        let (town, writes) = begun(&first, &second);
        for write in 0..writes {
            let fault = Fault { write, moment: Moment::After, cut: true };
            cut_then(&town, fault, parallelism, &second, &third);
        }
    }

    #[test]
    fn cut_again_and_again(wants in prop::collection::vec((any_want(), 0..12_usize, any::<bool>()), 2..6), parallelism in 1..5_usize) {
        let mut run = Run::new(others());
        run.parallelism = parallelism;
        for (want, write, after) in &wants {
            let plan = run.plan(want);
            let moment = if *after { Moment::After } else { Moment::Before };
            run.town.disturb(Some(Fault { write: *write, moment, cut: true }));
            run.apply(plan);
        }
        run.converge(&wants[0].0);
    }
}
