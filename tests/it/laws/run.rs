//! One process after another: each plans and applies something in the same town.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::{FileFailurePersistence, RngSeed};
use sesinfra::engine::{
    Address, Control, Event, Options, Plan, Registry, Report, apply, plan, release,
};

use super::kinds::registry;
use super::town::{State, Town};
use super::wants::Want;

/// A town and how it is worked on.
pub struct Run {
    pub town: Arc<Town>,
    pub registry: Registry,
    pub parallelism: usize,
    /// At which repetition of a waiting step the permits come; `None`: never.
    pub permits_at: Option<u32>,
    /// After how many events it is stopped.
    pub stop_after: Option<usize>,
    /// What somebody else does whenever a step is done.
    pub undoes: Option<fn(&mut State)>,
}

/// What one process heard and did.
pub struct Outcome {
    pub plan: Plan,
    pub report: Report,
    pub events: Vec<Event>,
    pub writes: Vec<String>,
}

impl Run {
    pub fn new(state: State) -> Self {
        Self::on(Town::new(state))
    }

    pub fn on(town: Town) -> Self {
        let town = Arc::new(town);
        let registry = registry(&town);
        Self { town, registry, parallelism: 1, permits_at: Some(1), stop_after: None, undoes: None }
    }

    /// A town in which others have things too, and in which `want` was applied.
    pub fn having(want: &Want) -> Self {
        let run = Self::new(super::worlds::others());
        run.converge(want);
        run
    }

    pub fn plan(&self, want: &Want) -> Plan {
        self.plan_with(want, &Options::default())
    }

    pub fn plan_with(&self, want: &Want, options: &Options) -> Plan {
        self.town.begin(want);
        let plan = block_on(plan(&want.graph(), &self.registry, options)).unwrap();
        assert_eq!(self.town.writes(), Vec::<String>::new(), "planning wrote");
        for (number, step) in plan.steps.iter().enumerate() {
            assert!(
                step.after.iter().all(|first| *first < number),
                "{step:?} waits for later steps"
            );
        }
        plan
    }

    /// Carries out a plan that was just made.
    pub fn apply(&self, plan: Plan) -> Outcome {
        let control = Clerk { run: self, heard: AtomicUsize::new(0), events: Mutex::default() };
        let report = block_on(apply(&plan, &self.registry, &control));
        let events = control.events.into_inner().unwrap();
        Outcome { plan, report, events, writes: self.town.writes() }
    }

    /// Plans how these are let go of.
    pub fn plan_release(&self, want: &Want, names: &[&str]) -> Plan {
        self.town.begin(want);
        let addresses = names.iter().map(|name| address(name)).collect();
        let plan = block_on(release(&want.graph(), &self.registry, &addresses)).unwrap();
        assert_eq!(self.town.writes(), Vec::<String>::new(), "planning wrote");
        plan
    }

    /// From now on exactly these may become ours.
    pub fn consent(&self, adopt: &[&str]) {
        let consents = adopt.iter().map(ToString::to_string).collect();
        self.town.by_hand(|state| state.consents = consents);
    }

    /// Plans and applies in one process.
    pub fn go(&self, want: &Want) -> Outcome {
        self.apply(self.plan(want))
    }

    /// Plans and applies, all of which must succeed and leave exactly what is wanted and nothing to do.
    pub fn converge(&self, want: &Want) -> Outcome {
        self.converge_adopting(want, &[])
    }

    /// The same, with these adopted as far as they are nobody's.
    pub fn converge_adopting(&self, want: &Want, adopt: &[&str]) -> Outcome {
        self.consent(adopt);
        let others = self.town.state().others_after_adopting(want);
        let outcome = self.apply(self.plan_with(want, &adopting(adopt)));
        let state = self.town.state();
        let context =
            || format!("{:#?}\n{:#?}\n{:#?}", outcome.plan.steps, outcome.writes, outcome.report);
        assert!(outcome.report.is_complete(), "not complete: {}", context());
        if let Err(deviation) = want.check(&state) {
            panic!("{deviation}\n{}", context());
        }
        assert_eq!(state.others(), others, "touched what is not ours: {}", context());
        let again = self.plan(want);
        let pending: Vec<_> = again.pending().collect();
        assert!(again.is_empty(), "not empty afterwards: {pending:#?} {}", context());
        assert!(again.steps.is_empty(), "steps without changes: {:?}", again.steps);
        outcome
    }
}

struct Clerk<'a> {
    run: &'a Run,
    heard: AtomicUsize,
    events: Mutex<Vec<Event>>,
}

#[async_trait]
impl Control for Clerk<'_> {
    fn hear(&self, event: Event) {
        self.heard.fetch_add(1, Ordering::Relaxed);
        if let (Some(undo), Event::Done(..)) = (self.run.undoes, &event) {
            self.run.town.by_hand(undo);
        }
        self.events.lock().unwrap().push(event);
    }

    fn is_stopped(&self) -> bool {
        self.run.stop_after.is_some_and(|after| self.heard.load(Ordering::Relaxed) >= after)
    }

    async fn pause(&self, attempt: u32) -> bool {
        // Long enough for the others to get on with their work.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        if self.run.permits_at.is_some_and(|at| attempt >= at) {
            self.run.town.by_hand(|state| {
                let names: BTreeSet<String> = state.houses.keys().cloned().collect();
                state.permits.extend(names);
            });
        }
        attempt < 5
    }

    async fn pause_for_reads(&self, attempt: u32) -> bool {
        attempt < 20
    }

    fn forget_reads(&self) {
        self.run.town.forget_reads();
    }

    fn parallelism(&self) -> usize {
        self.run.parallelism
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// These may be adopted.
pub(crate) fn adopting(names: &[&str]) -> Options {
    Options { adopt: names.iter().map(|name| address(name)).collect(), ..Options::default() }
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Random cases that are the same in every run, unless the environment asks for others (`PROPTEST_RNG_SEED`,
/// `PROPTEST_CASES`). What once failed is tried first.
pub fn repeatable(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { cases },
        rng_seed: match asked.rng_seed {
            RngSeed::Random => RngSeed::Fixed(1),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/it/laws/regressions.txt",
        ))),
        ..asked
    }
}
