//! Identities and configuration sets where it is not a matter of settings: answers that were lost, other hands, runs cut
//! off, and orders that are easily wrong.

mod destinations;
mod identities;
mod keys;
mod lag;
mod losses;
mod moves;
mod policies;
mod sets;
mod tracking;

use sesinfra::engine::{Address, Outcome, Plan, Report, Verb};

use super::stage::Stage;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// The fields of a planned change, as paths.
fn paths(plan: &Plan, at: &str) -> Vec<String> {
    let change = plan.change(&address(at)).unwrap();
    change.fields.iter().map(|field| field.path.clone()).collect()
}

/// The steps of a report that wait, with their reasons.
fn waiting(report: &Report) -> Vec<(String, String)> {
    let steps = report.steps.iter().filter_map(|step| match &step.outcome {
        Outcome::Waiting(reason) => Some((step.address.to_string(), reason.clone())),
        _ => None,
    });
    steps.collect()
}

/// The errors of a report in full.
fn errors(report: &Report) -> String {
    let failed = report.steps.iter().filter_map(|step| match &step.outcome {
        Outcome::Failed(error) => Some(sesinfra::engine::chain(error.as_ref())),
        _ => None,
    });
    failed.collect::<Vec<_>>().join("\n")
}

/// Where a step stands among those of a plan.
fn position(plan: &Plan, verb: Verb, at: &str) -> usize {
    let is_it = |step: &sesinfra::engine::Step| step.verb == verb && step.address == address(at);
    plan.steps.iter().position(is_it).unwrap()
}

fn ses(stage: &Stage) -> aws_sdk_sesv2::Client {
    aws_sdk_sesv2::Client::new(&stage.clients)
}
