//! Which step may start and which family is finished: bookkeeping over the numbers of a plan's steps, without any call.

use std::collections::{BTreeMap, BTreeSet};

use super::{Address, BoxError, Family, Outcome, Plan, Report, StepReport};

/// Families read back together at most: enough to share listings, few enough that marking keeps up with reading.
const READ_BACK_MAX: usize = 32;

/// The place of a step among those that are ready: its family's turn, then its own number.
type Turn = (usize, usize);

pub(super) struct Schedule<'a> {
    plan: &'a Plan,
    /// How each step ended; `None` while it has not.
    outcomes: Vec<Option<Outcome>>,
    /// How many steps each one still waits for, and who waits for it.
    waiting_for: Vec<usize>,
    waited_for_by: Vec<Vec<usize>>,
    ready: BTreeSet<Turn>,
    /// Steps that waited for the outside, and are to be tried again.
    again: BTreeSet<usize>,
    family_of: BTreeMap<&'a Address, usize>,
    /// The number of each family's first step. What is begun goes on before something else begins: a service that takes
    /// one call a second of each operation is then kept busy with all of its operations at once.
    turns: Vec<usize>,
    /// How many steps of each family are not done yet.
    open_steps: Vec<usize>,
    /// Families whose steps are all done, and that are not being read back yet.
    finished: BTreeSet<usize>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let mut waited_for_by = vec![Vec::new(); plan.steps.len()];
        for (index, step) in plan.steps.iter().enumerate() {
            for first in &step.after {
                waited_for_by[*first].push(index);
            }
        }
        let waiting_for: Vec<usize> = plan.steps.iter().map(|step| step.after.len()).collect();
        let families = plan.families.iter().enumerate();
        let family_of: BTreeMap<&Address, usize> = families
            .flat_map(|(index, family)| family.members.iter().map(move |member| (member, index)))
            .collect();
        let mut open_steps = vec![0; plan.families.len()];
        let mut turns = vec![usize::MAX; plan.families.len()];
        for (index, step) in plan.steps.iter().enumerate() {
            if let Some(family) = family_of.get(&step.address) {
                open_steps[*family] += 1;
                turns[*family] = turns[*family].min(index);
            }
        }
        let mut schedule = Self {
            plan,
            outcomes: plan.steps.iter().map(|_| None).collect(),
            ready: BTreeSet::new(),
            again: BTreeSet::new(),
            waiting_for,
            waited_for_by,
            family_of,
            turns,
            open_steps,
            finished: BTreeSet::new(),
        };
        for index in 0..plan.steps.len() {
            if schedule.waiting_for[index] == 0 {
                schedule.make_ready(index);
            }
        }
        schedule
    }

    /// The family of `address`.
    pub(super) fn family(&self, address: &Address) -> Option<&'a Family> {
        self.family_of.get(address).map(|index| &self.plan.families[*index])
    }

    /// Takes a step that waits for nothing: of the families with any, the next one of that which began first.
    pub(super) fn next_ready(&mut self) -> Option<usize> {
        self.ready.pop_first().map(|(_, index)| index)
    }

    /// Whether no step could be started now.
    pub(super) fn none_is_ready(&self) -> bool {
        self.ready.is_empty()
    }

    /// A step that waited is to be tried again.
    pub(super) fn try_again(&mut self, index: usize) {
        self.again.insert(index);
    }

    /// Takes a step that is to be tried again.
    pub(super) fn next_again(&mut self) -> Option<usize> {
        self.again.pop_first()
    }

    /// Whether a family is finished and not read back yet.
    pub(super) fn has_finished(&self) -> bool {
        !self.finished.is_empty()
    }

    /// A step waits for nothing, or no longer.
    fn make_ready(&mut self, index: usize) {
        let family = self.family_of.get(&self.plan.steps[index].address);
        self.ready.insert((family.map_or(index, |family| self.turns[*family]), index));
    }

    /// A step is done: what waited only for it is ready.
    pub(super) fn done(&mut self, index: usize) {
        self.outcomes[index] = Some(Outcome::Done);
        // Each is done once, so nobody asks again who waits for it.
        for next in std::mem::take(&mut self.waited_for_by[index]) {
            self.waiting_for[next] -= 1;
            if self.waiting_for[next] == 0 {
                self.make_ready(next);
            }
        }
        if let Some(family) = self.family_of.get(&self.plan.steps[index].address) {
            self.open_steps[*family] -= 1;
            if self.open_steps[*family] == 0 {
                self.finished.insert(*family);
            }
        }
    }

    /// A step did not get done: what waits for it, directly or not, is not started.
    pub(super) fn ended(&mut self, index: usize, outcome: Outcome) {
        let verb = if matches!(outcome, Outcome::Waiting(_)) { "is waiting" } else { "failed" };
        let because = format!("{} {verb}", self.plan.steps[index].address);
        self.outcomes[index] = Some(outcome);
        let mut open = self.waited_for_by[index].clone();
        while let Some(next) = open.pop() {
            if self.outcomes[next].is_none() {
                self.outcomes[next] = Some(Outcome::NotStarted(because.clone()));
                open.extend(&self.waited_for_by[next]);
            }
        }
    }

    /// The family of `root` was not found as wanted yet, and is to be read once more.
    pub(super) fn read_again(&mut self, root: &Address) {
        self.finished.extend(self.family_of.get(root));
    }

    /// Whether as many are finished as are read back together.
    pub(super) fn has_many_finished(&self) -> bool {
        self.finished.len() >= READ_BACK_MAX
    }

    /// Takes finished families: as many as are read back together, those first that began first.
    pub(super) fn take_finished(&mut self) -> Vec<&'a Family> {
        let batch: Vec<usize> = self.finished.iter().take(READ_BACK_MAX).copied().collect();
        for family in &batch {
            self.finished.remove(family);
        }
        batch.into_iter().map(|index| &self.plan.families[index]).collect()
    }

    /// How it all ended; what is still open was stopped from outside.
    pub(super) fn report(self, unsettled: Vec<(Address, BoxError)>, was_cut_short: bool) -> Report {
        let is_open = self.outcomes.iter().any(Option::is_none) || !self.finished.is_empty();
        let ended = self.plan.steps.iter().zip(self.outcomes);
        let steps = ended.map(|(step, outcome)| StepReport {
            address: step.address.clone(),
            verb: step.verb,
            outcome: outcome
                .unwrap_or_else(|| Outcome::NotStarted("stopped before it began".to_owned())),
        });
        Report { steps: steps.collect(), unsettled, stopped: is_open || was_cut_short }
    }
}
