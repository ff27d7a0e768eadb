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

use super::settle::{Reread, Settled, settle};
use super::work::{StepEnd, Work, carry_out, read_outputs};
use super::{
    Address, BoxError, Change, Family, Marks, Outcome, Plan, PlannedChange, Registry, Report,
    StepReport, Unresolved, Verb, references, resolve,
};

/// Families read back together at most: enough to share listings, few enough that settling keeps up with the steps.
const SETTLE_BATCH_MAX: usize = 32;

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
    let mut settling = false;
    loop {
        while steps_under_way < control.parallelism().max(1) && !control.is_stopped() {
            let Some(index) = applying.next_ready() else { break };
            under_way.push(Box::pin(applying.start(index)));
            steps_under_way += 1;
        }
        if !settling && !control.is_stopped() {
            let families = applying.families_to_settle(steps_under_way == 0);
            if !families.is_empty() {
                settling = true;
                under_way.push(Box::pin(applying.start_settling(families)));
            }
        }
        match under_way.next().await {
            Some(Finished::Step { index, result }) => {
                steps_under_way -= 1;
                applying.finish(index, result);
            }
            Some(Finished::Families(settled)) => {
                settling = false;
                applying.finish_settling(settled);
            }
            None => break,
        }
    }
    applying.report(control.is_stopped())
}

enum Finished {
    Step { index: usize, result: Result<StepEnd, BoxError> },
    Families(Vec<(Address, Settled)>),
}

enum State {
    Open,
    Running,
    Ended(Outcome),
}

struct Applying<'a> {
    plan: &'a Plan,
    registry: &'a Registry,
    control: &'a dyn Control,
    changes: BTreeMap<&'a Address, &'a PlannedChange>,
    states: Vec<State>,
    /// How many steps each one still waits for, and who waits for it.
    waiting_for: Vec<usize>,
    waited_for_by: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
    outputs: BTreeMap<Address, Value>,
    /// Steps not done yet, of each family; and which family an address is of.
    open_steps: Vec<usize>,
    family_of: BTreeMap<&'a Address, usize>,
    to_settle: BTreeSet<usize>,
    needed_outputs: BTreeSet<Address>,
    unsettled: Vec<(Address, BoxError)>,
}

impl<'a> Applying<'a> {
    fn new(plan: &'a Plan, registry: &'a Registry, control: &'a dyn Control) -> Self {
        let mut waited_for_by = vec![Vec::new(); plan.steps.len()];
        for (index, step) in plan.steps.iter().enumerate() {
            for first in &step.after {
                waited_for_by[*first].push(index);
            }
        }
        let waiting_for: Vec<usize> = plan.steps.iter().map(|step| step.after.len()).collect();
        let members = plan.families.iter().enumerate();
        let family_of: BTreeMap<&Address, usize> = members
            .flat_map(|(index, family)| family.members.iter().map(move |member| (member, index)))
            .collect();
        let mut open_steps = vec![0; plan.families.len()];
        for step in &plan.steps {
            if let Some(family) = family_of.get(&step.address) {
                open_steps[*family] += 1;
            }
        }
        let wanted = plan.changes.iter().filter_map(|change| change.to.as_ref());
        Self {
            plan,
            registry,
            control,
            changes: plan.changes.iter().map(|change| (&change.address, change)).collect(),
            states: plan.steps.iter().map(|_| State::Open).collect(),
            ready: (0..plan.steps.len()).filter(|index| waiting_for[*index] == 0).collect(),
            waiting_for,
            waited_for_by,
            outputs: plan.outputs.clone(),
            open_steps,
            family_of,
            to_settle: BTreeSet::new(),
            needed_outputs: wanted.flat_map(references).map(|(address, _)| address).collect(),
            unsettled: Vec::new(),
        }
    }

    fn next_ready(&mut self) -> Option<usize> {
        let index = self.ready.pop_first()?;
        self.states[index] = State::Running;
        Some(index)
    }

    /// Steps that wait, directly or not, for one that did not get done are told so.
    fn give_up_after(&mut self, index: usize, because: &str) {
        let mut open = self.waited_for_by[index].clone();
        while let Some(next) = open.pop() {
            if matches!(self.states[next], State::Open) {
                self.states[next] = State::Ended(Outcome::NotStarted(because.to_owned()));
                open.extend(&self.waited_for_by[next]);
            }
        }
    }

    /// Prepares a step; the returned future borrows nothing that changes meanwhile.
    fn start(&self, index: usize) -> impl Future<Output = Finished> + use<'a> {
        let step = &self.plan.steps[index];
        let work = self.work(index);
        let (control, verb, address) = (self.control, step.verb, step.address.clone());
        let needs_outputs = matches!(verb, Verb::Create | Verb::Update)
            && self.needed_outputs.contains(&address)
            && !self.outputs.contains_key(&address);
        let registry = self.registry;
        control.hear(Event::Started(address.clone(), verb));
        async move {
            let result = match work {
                Ok(work) => carry_out(&work, control, &address, verb).await,
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
        let family = self.family_of.get(&step.address).map(|index| &self.plan.families[*index]);
        if step.verb == Verb::Announce {
            let children =
                family.map(|family| family.children_meanwhile.clone()).unwrap_or_default();
            return Ok(Work::Mark { kind, marks: Marks { children, digest: None } });
        }
        if matches!(step.verb, Verb::Settle | Verb::Vanish) {
            return Ok(Work::Nothing);
        }
        let change = *self
            .changes
            .get(&step.address)
            .ok_or_else(|| format!("the plan has a step for {} but no change", step.address))?;
        if step.verb == Verb::Delete {
            let live = change.from.clone().unwrap_or(Value::Null);
            return Ok(Work::Delete { kind, live });
        }
        let change = self.resolved(step.verb, change, family)?;
        Ok(if step.verb == Verb::Retire {
            Work::Retire { kind, change }
        } else {
            Work::Put { kind, change }
        })
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
        })
    }

    fn finish(&mut self, index: usize, result: Result<StepEnd, BoxError>) {
        let step = &self.plan.steps[index];
        let (address, verb) = (step.address.clone(), step.verb);
        let outcome = match result {
            Ok(StepEnd::Done(outputs)) => {
                if let Some(outputs) = outputs {
                    self.outputs.insert(address.clone(), outputs);
                }
                self.control.hear(Event::Done(address, verb));
                self.release(index);
                Outcome::Done
            }
            Ok(StepEnd::Waiting(reason)) => {
                self.give_up_after(index, &format!("{address} is waiting"));
                self.control.hear(Event::Waiting(address, verb, reason.clone()));
                Outcome::Waiting(reason)
            }
            Err(error) => {
                self.give_up_after(index, &format!("{address} failed"));
                self.control.hear(Event::Failed(address, verb, error.to_string()));
                Outcome::Failed(error)
            }
        };
        self.states[index] = State::Ended(outcome);
    }

    fn release(&mut self, index: usize) {
        for next in &self.waited_for_by[index] {
            self.waiting_for[*next] -= 1;
            if self.waiting_for[*next] == 0 && matches!(self.states[*next], State::Open) {
                self.ready.insert(*next);
            }
        }
        if let Some(family) = self.family_of.get(&self.plan.steps[index].address) {
            self.open_steps[*family] -= 1;
            if self.open_steps[*family] == 0 {
                self.to_settle.insert(*family);
            }
        }
    }

    /// Families whose steps are all done, once there are enough of them, or nothing else is under way.
    fn families_to_settle(&mut self, idle: bool) -> Vec<usize> {
        if self.to_settle.len() < SETTLE_BATCH_MAX && !(idle && self.ready.is_empty()) {
            return Vec::new();
        }
        let batch: Vec<usize> = self.to_settle.iter().take(SETTLE_BATCH_MAX).copied().collect();
        for family in &batch {
            self.to_settle.remove(family);
        }
        batch
    }

    fn start_settling(&self, families: Vec<usize>) -> impl Future<Output = Finished> + use<'a> {
        let (registry, control) = (self.registry, self.control);
        let batch = families.into_iter().map(|index| {
            let family = &self.plan.families[index];
            let changes = family.members.iter().filter_map(|it| self.changes.get(it));
            let members = changes.map(|change| {
                let to = change.to.as_ref().map(|to| resolve(to, &self.outputs));
                (change.address.clone(), to)
            });
            Reread { family, members: members.collect() }
        });
        let batch: Vec<Reread<'a>> = batch.collect();
        async move { Finished::Families(settle(batch, registry, control).await) }
    }

    fn finish_settling(&mut self, settled: Vec<(Address, Settled)>) {
        for (root, result) in settled {
            match result {
                Ok(()) => self.control.hear(Event::Settled(root)),
                Err(error) => self.unsettled.push((root, error)),
            }
        }
    }

    fn report(self, stopped: bool) -> Report {
        let ended = self.plan.steps.iter().zip(self.states);
        let steps = ended.map(|(step, state)| StepReport {
            address: step.address.clone(),
            verb: step.verb,
            outcome: match state {
                State::Ended(outcome) => outcome,
                State::Open | State::Running => {
                    Outcome::NotStarted("stopped before it began".to_owned())
                }
            },
        });
        Report { steps: steps.collect(), unsettled: self.unsettled, stopped }
    }
}
