//! Carrying out a plan: concurrent over the steps, each family read back and marked when its last step is done.
//!
//! # Guarantees
//! A step starts only when all steps it waits for are done. A failed step stops its dependents and nobody else.
//! When this is cut off anywhere, planning and applying again ends in the declared state.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::argument::resolved;
use super::schedule::Schedule;
use super::settle::{Expected, NotConverged, ReadBack, Reread, Settling, mark, read_back};
use super::work::{StepEnd, Work, carry_out, read_outputs};
use super::{
    Action, Address, BoxError, Change, Control, Event, Family, Life, Marks, Outcome, Plan,
    PlannedChange, Registry, Report, Unresolved, Verb, references, resolve,
};

/// Carries out `plan` and reports each of its steps. Of a plan with refusals nothing is carried out.
///
/// Once [`Control::is_stopped`] says so, calls under way are finished and no other is started.
pub async fn apply(plan: &Plan, registry: &Registry, control: &dyn Control) -> Report {
    if !plan.refusals.is_empty() {
        return Report::not_started(plan, "the plan is refused");
    }
    if leaves_a_root_to_its_marks(plan) {
        // Marks are written beside those that are there by then, and what the plan read of such a root may be old.
        control.forget_reads();
    }
    let mut applying = Applying::new(plan, registry, control);
    let mut under_way = UnderWay::new();
    loop {
        applying.start_settling(&mut under_way);
        applying.start_steps(&mut under_way);
        let Some(finished) = under_way.next().await else { break };
        match finished {
            Finished::Step { index, result } => applying.finish(index, result, &mut under_way),
            Finished::Pause { index, reason, goes_on } => {
                applying.finish_pause(index, reason, goes_on);
            }
            Finished::ReadBack(families) => applying.finish_reading(families, &mut under_way),
            Finished::Lag { family, deviation, goes_on } => {
                applying.finish_lag(family, deviation, goes_on);
            }
            Finished::Mark { family, result } => applying.finish_marking(family, result),
        }
    }
    applying.report()
}

/// Whether no step of `plan` writes to the root of some family before its marks are: one that is written to is read anew.
fn leaves_a_root_to_its_marks(plan: &Plan) -> bool {
    let writes = plan.steps.iter().filter(|it| !matches!(it.verb, Verb::Settle | Verb::Vanish));
    let written: BTreeSet<&Address> = writes.map(|step| &step.address).collect();
    plan.families.iter().any(|family| !written.contains(&family.root))
}

/// What is under way.
type UnderWay<'a> = FuturesUnordered<BoxFuture<'a, Finished<'a>>>;

enum Finished<'a> {
    Step { index: usize, result: Result<StepEnd, BoxError> },
    Pause { index: usize, reason: String, goes_on: bool },
    ReadBack(Vec<(&'a Family, ReadBack)>),
    Lag { family: &'a Family, deviation: NotConverged, goes_on: bool },
    Mark { family: &'a Family, result: Result<(), BoxError> },
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
    steps_under_way: usize,
    settling: Settling<'a>,
    unsettled: Vec<(Address, BoxError)>,
    /// Whether something that was begun is left because of the wish to stop.
    was_cut_short: bool,
}

impl<'a> Applying<'a> {
    fn new(plan: &'a Plan, registry: &'a Registry, control: &'a dyn Control) -> Self {
        let wanted = plan.changes.iter().filter_map(|change| change.to.as_deref());
        Self {
            plan,
            registry,
            control,
            schedule: Schedule::new(plan),
            changes: plan.changes.iter().map(|change| (&change.address, change)).collect(),
            outputs: plan.outputs.clone(),
            needed_outputs: wanted.flat_map(references).map(|(address, _)| address).collect(),
            tries: BTreeMap::new(),
            steps_under_way: 0,
            settling: Settling::default(),
            unsettled: Vec::new(),
            was_cut_short: false,
        }
    }

    fn parallelism(&self) -> usize {
        self.control.parallelism().max(1)
    }

    /// Whether one thing happens after the other, in an order that does not depend on how long each takes.
    fn is_in_single_file(&self) -> bool {
        self.parallelism() == 1
    }

    fn start_steps(&mut self, under_way: &mut UnderWay<'a>) {
        while self.steps_under_way < self.parallelism()
            && !self.control.is_stopped()
            && !(self.is_in_single_file() && self.settling.is_busy())
        {
            let Some(index) = self.schedule.next_ready().or_else(|| self.next_again()) else {
                break;
            };
            self.steps_under_way += 1;
            under_way.push(Box::pin(self.start(index)));
        }
    }

    /// A step that has waited. One thing after the other, it is tried again once nothing else is left to do, whenever its
    /// pause was over.
    fn next_again(&mut self) -> Option<usize> {
        let others_first = self.is_in_single_file() && self.schedule.has_finished();
        let index = if others_first { None } else { self.schedule.next_again() }?;
        self.control.forget_reads();
        Some(index)
    }

    /// Prepares a step; the returned future borrows nothing that changes meanwhile.
    fn start(&self, index: usize) -> impl Future<Output = Finished<'a>> + use<'a> {
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
        let live = || change.from.as_deref().cloned().unwrap_or(Value::Null);
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
            from: change.from.as_deref().filter(|_| verb != Verb::Create).cloned(),
            to,
            fields: change.fields.to_vec(),
            marks: Marks { children, digest: None },
            adopts: change.action == Action::Adopt || change.takes_back,
        })
    }

    /// Notes how a step ended; one that waits for the outside is tried again after a pause, which takes nobody's place.
    fn finish(
        &mut self,
        index: usize,
        result: Result<StepEnd, BoxError>,
        under_way: &mut UnderWay<'a>,
    ) {
        self.steps_under_way -= 1;
        let step = &self.plan.steps[index];
        let (address, verb, control) = (step.address.clone(), step.verb, self.control);
        match result {
            Ok(StepEnd::Done(outputs)) => {
                if let Some(outputs) = outputs {
                    self.outputs.insert(address.clone(), outputs);
                }
                control.hear(Event::Done(address, verb));
                self.schedule.done(index);
            }
            Ok(StepEnd::Waiting(reason)) => {
                control.hear(Event::Waiting(address, verb, reason.clone()));
                let tries = self.tries.entry(index).or_default();
                *tries += 1;
                let tries = *tries;
                under_way.push(Box::pin(async move {
                    let goes_on = !control.is_stopped() && control.pause(tries).await;
                    Finished::Pause { index, reason, goes_on }
                }));
            }
            Err(error) => {
                control.hear(Event::Failed(address, verb, error.to_string()));
                self.schedule.ended(index, Outcome::Failed(error));
            }
        }
    }

    fn finish_pause(&mut self, index: usize, reason: String, goes_on: bool) {
        if goes_on && !self.control.is_stopped() {
            self.schedule.try_again(index);
        } else {
            self.was_cut_short |= self.control.is_stopped();
            self.schedule.ended(index, Outcome::Waiting(reason));
        }
    }

    /// Reads finished families back, and marks those that were found as wanted. While some are being read, others
    /// gather, so that those share listings; and while some are marked, others are read.
    fn start_settling(&mut self, under_way: &mut UnderWay<'a>) {
        let is_late = self.is_in_single_file() && self.steps_under_way > 0;
        if is_late || self.control.is_stopped() {
            return;
        }
        let (registry, control) = (self.registry, self.control);
        while let Some((family, marked)) = self.settling.next_to_mark(self.parallelism()) {
            under_way.push(Box::pin(async move {
                Finished::Mark { family, result: mark(registry, family, &marked).await }
            }));
        }
        let is_time = if self.is_in_single_file() {
            let is_idle = self.schedule.none_is_ready() || self.schedule.has_many_finished();
            is_idle && !self.settling.is_busy()
        } else {
            !self.settling.is_reading
        };
        let families = if is_time { self.schedule.take_finished() } else { Vec::new() };
        if families.is_empty() {
            return;
        }
        if self.settling.was_behind(&families) {
            control.forget_reads();
        }
        self.settling.is_reading = true;
        let batch = families.into_iter().map(|family| {
            let changes = family.members.iter().filter_map(|it| self.changes.get(it));
            // What was let go of is there as before, and the marks that are written last no longer name it.
            let changes = changes.filter(|change| change.action != Action::Forget);
            let members = changes.map(|change| {
                let to = change.to.as_ref().map(|to| resolved(to, &self.outputs));
                (change.address.clone(), Expected { spec: to, ignore: &change.ignore })
            });
            Reread { family, members: members.collect() }
        });
        let batch: Vec<Reread<'a>> = batch.collect();
        under_way
            .push(Box::pin(async move { Finished::ReadBack(read_back(batch, registry).await) }));
    }

    fn finish_reading(
        &mut self,
        families: Vec<(&'a Family, ReadBack)>,
        under_way: &mut UnderWay<'a>,
    ) {
        self.settling.is_reading = false;
        let control = self.control;
        for (family, found) in families {
            match found {
                ReadBack::AsWanted(marked) => self.settling.found_as_wanted(family, marked),
                ReadBack::Unreadable(error) => self.unsettled.push((family.root.clone(), error)),
                ReadBack::Behind(deviation) => {
                    let attempt = self.settling.found_behind(family);
                    under_way.push(Box::pin(async move {
                        let goes_on =
                            !control.is_stopped() && control.pause_for_reads(attempt).await;
                        Finished::Lag { family, deviation, goes_on }
                    }));
                }
            }
        }
    }

    /// Reads may lag writes for up to a minute (SQS and SNS document it), so a deviation is an error only if it stays.
    fn finish_lag(&mut self, family: &'a Family, deviation: NotConverged, goes_on: bool) {
        self.settling.waited();
        if self.control.is_stopped() {
            self.was_cut_short = true;
        } else if goes_on {
            self.schedule.read_again(&family.root);
        } else {
            self.unsettled.push((family.root.clone(), deviation.into()));
        }
    }

    fn finish_marking(&mut self, family: &'a Family, result: Result<(), BoxError>) {
        self.settling.marked();
        match result {
            Ok(()) => self.control.hear(Event::Settled(family.root.clone())),
            Err(error) => self.unsettled.push((family.root.clone(), error)),
        }
    }

    fn report(self) -> Report {
        let was_cut_short = self.was_cut_short || self.settling.is_busy();
        self.schedule.report(self.unsettled, was_cut_short)
    }
}
