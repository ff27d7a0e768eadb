//! Carrying out a plan: concurrent over the steps, each family read back and marked when its last step is done.
//!
//! # Guarantees
//! A step starts only when all steps it waits for are done. A failed step stops its dependents and nobody else.
//! When this is cut off anywhere, planning and applying again ends in the declared state.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::schedule::Schedule;
use super::settle::{Expected, Reread, Settled, settle};
use super::work::{StepEnd, Work, carry_out, read_outputs};
use super::{
    Action, Address, BoxError, Change, Family, Life, Marks, Outcome, Plan, PlannedChange, Registry,
    Report, Unresolved, Verb, references, resolve,
};

/// What happens while a plan is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step begins.
    Started(Address, Verb),
    /// A step is done.
    Done(Address, Verb),
    /// A step waits for something outside, for this reason.
    Waiting(Address, Verb, String),
    /// A step failed, with this message.
    Failed(Address, Verb, String),
    /// A family is read back and marked.
    Settled(Address),
}

/// Time, the listener and the wish to stop, which the engine has none of its own.
#[async_trait]
pub trait Control: Send + Sync {
    /// Hears what happens.
    fn hear(&self, event: Event);
    /// Whether no further step may start.
    fn is_stopped(&self) -> bool;
    /// Waits before the `attempt`-th repetition (from 1) of something that waits for the outside; `false` to give up.
    async fn pause(&self, attempt: u32) -> bool;
    /// Waits before the `attempt`-th repetition (from 1) of a read that does not show a write yet; `false` to give up.
    async fn pause_for_reads(&self, attempt: u32) -> bool;
    /// Reads from now on must come from the service, not from memory.
    fn forget_reads(&self);
    /// How many steps may be under way at once; at least 1.
    fn parallelism(&self) -> usize;
}

/// Carries out `plan` and reports each of its steps. Of a plan with refusals nothing is carried out.
///
/// Once [`Control::is_stopped`] says so, calls under way are finished and no other is started.
pub async fn apply(plan: &Plan, registry: &Registry, control: &dyn Control) -> Report {
    if !plan.refusals.is_empty() {
        return Report::not_started(plan, "the plan is refused");
    }
    let mut applying = Applying::new(plan, registry, control);
    let mut under_way: FuturesUnordered<BoxFuture<'_, Finished>> = FuturesUnordered::new();
    let mut steps_under_way = 0;
    let mut is_settling = false;
    loop {
        while steps_under_way < control.parallelism().max(1) && !control.is_stopped() {
            let Some(index) = applying.schedule.next_ready() else { break };
            under_way.push(Box::pin(applying.start(index)));
            steps_under_way += 1;
        }
        if !is_settling && !control.is_stopped() {
            let families = applying.schedule.take_finished(steps_under_way == 0);
            if !families.is_empty() {
                is_settling = true;
                under_way.push(Box::pin(applying.start_settling(families)));
            }
        }
        match under_way.next().await {
            Some(Finished::Step { index, result }) => {
                steps_under_way -= 1;
                // What pauses takes nobody's place.
                if let Some(pause) = applying.finish(index, result) {
                    under_way.push(Box::pin(pause));
                }
            }
            Some(Finished::Pause { index, reason, goes_on }) => {
                applying.finish_pause(index, reason, goes_on);
            }
            Some(Finished::Families(settled)) => {
                is_settling = false;
                applying.finish_settling(settled);
            }
            None => break,
        }
    }
    applying.schedule.report(applying.unsettled, applying.was_cut_short)
}

enum Finished {
    Step { index: usize, result: Result<StepEnd, BoxError> },
    Pause { index: usize, reason: String, goes_on: bool },
    Families(Vec<(Address, Settled)>),
}

struct Applying<'a> {
    plan: &'a Plan,
    registry: &'a Registry,
    control: &'a dyn Control,
    schedule: Schedule<'a>,
    changes: BTreeMap<&'a Address, &'a PlannedChange>,
    /// What is known, and whose outputs others need.
    outputs: BTreeMap<Address, Value>,
    needed_outputs: BTreeSet<Address>,
    /// How often each step that waits for the outside was tried.
    tries: BTreeMap<usize, u32>,
    unsettled: Vec<(Address, BoxError)>,
    /// Whether something that was begun is left because of the wish to stop.
    was_cut_short: bool,
}

impl<'a> Applying<'a> {
    fn new(plan: &'a Plan, registry: &'a Registry, control: &'a dyn Control) -> Self {
        let wanted = plan.changes.iter().filter_map(|change| change.to.as_ref());
        Self {
            plan,
            registry,
            control,
            schedule: Schedule::new(plan),
            changes: plan.changes.iter().map(|change| (&change.address, change)).collect(),
            outputs: plan.outputs.clone(),
            needed_outputs: wanted.flat_map(references).map(|(address, _)| address).collect(),
            tries: BTreeMap::new(),
            unsettled: Vec::new(),
            was_cut_short: false,
        }
    }

    /// Prepares a step; the returned future borrows nothing that changes meanwhile.
    fn start(&self, index: usize) -> impl Future<Output = Finished> + use<'a> {
        let step = &self.plan.steps[index];
        let work = self.work(index);
        let (control, verb, address) = (self.control, step.verb, step.address.clone());
        let needs_outputs = matches!(verb, Verb::Create | Verb::Update | Verb::Include)
            && self.needed_outputs.contains(&address)
            && !self.outputs.contains_key(&address);
        let registry = self.registry;
        if !self.tries.contains_key(&index) {
            control.hear(Event::Started(address.clone(), verb));
        }
        async move {
            let result = match work {
                Ok(work) => carry_out(&work, registry, control, &address).await,
                Err(error) => Err(error),
            };
            let result = match result {
                Ok(StepEnd::Done(None)) if needs_outputs => {
                    read_outputs(registry, control, &address).await.map(StepEnd::Done)
                }
                other => other,
            };
            Finished::Step { index, result }
        }
    }

    fn work(&self, index: usize) -> Result<Work<'a>, BoxError> {
        let step = &self.plan.steps[index];
        let unknown_kind = || format!("{}: there is no such kind", step.address);
        let kind = self.registry.get(step.address.kind()).ok_or_else(unknown_kind)?.as_ref();
        let family = self.schedule.family(&step.address);
        if matches!(step.verb, Verb::Announce | Verb::Adopt) {
            let children =
                family.map(|family| family.children_meanwhile.clone()).unwrap_or_default();
            let marks = Marks { children, digest: None };
            return Ok(match step.verb {
                Verb::Adopt => Work::Adopt { kind, marks },
                _ => Work::Mark { kind, marks },
            });
        }
        if matches!(step.verb, Verb::Settle | Verb::Vanish) {
            return Ok(Work::Nothing);
        }
        let change = *self
            .changes
            .get(&step.address)
            .ok_or_else(|| format!("the plan has a step for {} but no change", step.address))?;
        let live = || change.from.clone().unwrap_or(Value::Null);
        match step.verb {
            Verb::Delete => {
                let with_parent = self.parent_goes(change);
                return Ok(Work::Delete { kind, live: live(), with_parent });
            }
            Verb::Forget if kind.life() == Life::Root => return Ok(Work::Unmark { kind }),
            Verb::Forget => return Ok(Work::Release { kind, live: live() }),
            _ => {}
        }
        if step.verb == Verb::Include && change.fields.is_empty() && !kind.says_whose() {
            return Ok(Work::Nothing);
        }
        let change = self.resolved(step.verb, change, family)?;
        Ok(if step.verb == Verb::Retire {
            Work::Retire { kind, change }
        } else {
            Work::Put { kind, change }
        })
    }

    fn parent_goes(&self, change: &PlannedChange) -> bool {
        let parent = change.parent.as_ref().and_then(|parent| self.changes.get(parent));
        parent.is_some_and(|parent| matches!(parent.action, Action::Delete | Action::Replace))
    }

    fn resolved(
        &self,
        verb: Verb,
        change: &PlannedChange,
        family: Option<&Family>,
    ) -> Result<Change<Value>, BoxError> {
        let wanted =
            change.to.as_ref().ok_or_else(|| format!("{} has no wanted spec", change.address))?;
        let to = resolve(wanted, &self.outputs);
        if let Some((address, path)) = references(&to).into_iter().next() {
            return Err(Unresolved { address, path }.into());
        }
        let children = family.map(|family| family.children_meanwhile.clone()).unwrap_or_default();
        Ok(Change {
            name: change.address.name().to_owned(),
            from: if verb == Verb::Create { None } else { change.from.clone() },
            to,
            fields: change.fields.clone(),
            marks: Marks { children, digest: None },
            adopts: change.action == Action::Adopt || change.takes_back,
        })
    }

    /// Notes how a step ended; if it waits for the outside, gives the pause before it is tried again.
    fn finish(
        &mut self,
        index: usize,
        result: Result<StepEnd, BoxError>,
    ) -> Option<impl Future<Output = Finished> + use<'a>> {
        let step = &self.plan.steps[index];
        let (address, verb, control) = (step.address.clone(), step.verb, self.control);
        match result {
            Ok(StepEnd::Done(outputs)) => {
                if let Some(outputs) = outputs {
                    self.outputs.insert(address.clone(), outputs);
                }
                control.hear(Event::Done(address, verb));
                self.schedule.done(index);
                None
            }
            Ok(StepEnd::Waiting(reason)) => {
                control.hear(Event::Waiting(address, verb, reason.clone()));
                let tries = self.tries.entry(index).or_default();
                *tries += 1;
                let tries = *tries;
                Some(async move {
                    let goes_on = !control.is_stopped() && control.pause(tries).await;
                    Finished::Pause { index, reason, goes_on }
                })
            }
            Err(error) => {
                control.hear(Event::Failed(address, verb, error.to_string()));
                self.schedule.ended(index, Outcome::Failed(error));
                None
            }
        }
    }

    fn finish_pause(&mut self, index: usize, reason: String, goes_on: bool) {
        if goes_on && !self.control.is_stopped() {
            self.control.forget_reads();
            self.schedule.again(index);
        } else {
            self.was_cut_short |= self.control.is_stopped();
            self.schedule.ended(index, Outcome::Waiting(reason));
        }
    }

    fn start_settling(
        &self,
        families: Vec<&'a Family>,
    ) -> impl Future<Output = Finished> + use<'a> {
        let (registry, control) = (self.registry, self.control);
        let batch = families.into_iter().map(|family| {
            let changes = family.members.iter().filter_map(|it| self.changes.get(it));
            // What was let go of is there as before, and the marks that are written last no longer name it.
            let changes = changes.filter(|change| change.action != Action::Forget);
            let members = changes.map(|change| {
                let to = change.to.as_ref().map(|to| resolve(to, &self.outputs));
                (change.address.clone(), Expected { spec: to, ignore: &change.ignore })
            });
            Reread { family, members: members.collect() }
        });
        let batch: Vec<Reread<'a>> = batch.collect();
        async move { Finished::Families(settle(batch, registry, control).await) }
    }

    fn finish_settling(&mut self, settled: Vec<(Address, Settled)>) {
        for (root, settled) in settled {
            match settled {
                Settled::Marked => self.control.hear(Event::Settled(root)),
                Settled::Stopped => self.was_cut_short = true,
                Settled::Failed(error) => self.unsettled.push((root, error)),
            }
        }
    }
}
