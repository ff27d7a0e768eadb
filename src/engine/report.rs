//! What became of each step of a plan.

use super::{Address, BoxError, Plan, Verb};

/// How a step ended.
#[derive(Debug)]
pub enum Outcome {
    /// It was carried out. Whether all of its family was then read back as wanted is said by [`Report::unsettled`].
    Done,
    /// It is begun, and what is left waits for something outside, such as a verification.
    Waiting(String),
    /// It failed.
    Failed(BoxError),
    /// It was not started; the text says because of what.
    NotStarted(String),
}

/// One step and how it ended.
#[derive(Debug)]
pub struct StepReport {
    /// The resource.
    pub address: Address,
    /// What was to be done to it.
    pub verb: Verb,
    /// How it ended.
    pub outcome: Outcome,
}

/// How applying a plan ended, in plan order.
#[derive(Debug, Default)]
pub struct Report {
    /// One for each step.
    pub steps: Vec<StepReport>,
    /// Roots whose family could not be read back as wanted or marked, with the reason.
    pub unsettled: Vec<(Address, BoxError)>,
    /// Whether it was stopped from outside with something left to do: a step, or the marks of a family.
    pub stopped: bool,
}

impl Report {
    /// Nothing of `plan` was started, for this reason.
    pub(super) fn not_started(plan: &Plan, reason: &str) -> Self {
        let steps = plan.steps.iter().map(|step| StepReport {
            address: step.address.clone(),
            verb: step.verb,
            outcome: Outcome::NotStarted(reason.to_owned()),
        });
        Self { steps: steps.collect(), ..Self::default() }
    }

    /// Whether everything is done and settled.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unsettled.is_empty()
            && !self.stopped
            && self.steps.iter().all(|step| matches!(step.outcome, Outcome::Done))
    }

    /// Whether something failed, as against merely waiting.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        !self.unsettled.is_empty()
            || self.steps.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)))
    }

    /// How many steps are done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Done)).count()
    }
}

/// An error and all its causes in one line, each once.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
