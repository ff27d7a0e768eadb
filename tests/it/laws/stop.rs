//! Being stopped from outside: what is under way is finished, nothing new is started, and the next run goes on from there.

use sesinfra::engine::{Event, Outcome};

use super::run::Run;
use super::worlds::{full, others, variants};

#[test]
fn stopped_after_any_event_nothing_new_starts_and_the_next_run_goes_on() {
    let (_, other) = &variants()[2];
    for parallelism in [1, 4] {
        for after in 0.. {
            let mut run = Run::having(&full());
            run.parallelism = parallelism;
            run.stop_after = Some(after);
            let outcome = run.go(other);
            let started = |event: &&Event| matches!(event, Event::Started(..));
            let late = outcome.events.iter().skip(after).filter(started).count();
            assert_eq!(late, 0, "started after it was stopped: {:#?}", outcome.events);
            run.stop_after = None;
            if outcome.report.is_complete() {
                assert!(!outcome.report.stopped);
                other.check(&run.town.state()).unwrap();
                break;
            }
            assert!(outcome.report.stopped && !outcome.report.has_failures());
            for step in &outcome.report.steps {
                assert!(!matches!(step.outcome, Outcome::Failed(_)), "{step:?}");
            }
            run.converge(other);
        }
    }
}

#[test]
fn stopped_while_it_waits_it_waits_no_longer() {
    let mut run = Run::new(others());
    run.permits_at = None;
    let all = run.go(&full()).events;
    let waiting = all.iter().position(|event| matches!(event, Event::Waiting(..))).unwrap();
    let mut run = Run::new(others());
    run.permits_at = None;
    run.stop_after = Some(waiting + 1);
    let outcome = run.go(&full());
    let waits = outcome.events.iter().filter(|event| matches!(event, Event::Waiting(..))).count();
    assert_eq!(waits, 1, "{:#?}", outcome.events);
    run.stop_after = None;
    run.permits_at = Some(1);
    run.converge(&full());
}
