//! What became of an apply: what is done, what failed and why, what waits, what was not started, and how to go on.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::document::{Document, Purpose, Summary};
use super::failure::lines;
use super::line::clean;
use super::progress::done;
use super::style::{Paint, Style};
use crate::engine::{BoxError, Outcome, PlannedChange, Report, StepReport, Verb, chain};

/// What to do about an error, found by whoever knows the errors.
pub type Advice<'a> = &'a dyn Fn(&BoxError) -> Vec<String>;

/// The report as text; `again` is the command line that goes on from here.
#[must_use]
pub fn report_text(
    document: &Document,
    report: &Report,
    advice: Advice<'_>,
    again: &str,
    style: Style,
) -> String {
    let mut text = String::new();
    let word = match document.purpose {
        Purpose::Apply => "Apply",
        Purpose::Destroy => "Destroy",
        Purpose::Release => "Release",
    };
    if report.is_complete() {
        let _ = writeln!(text, "\n{}", style.paint(Paint::Add, &complete(document, report)));
        return text;
    }
    // Writing to a String cannot fail: results of `write!` are let go.
    section("Done", report, &mut text, |step| match &step.outcome {
        Outcome::Done if !step.verb.is_marking() => Some(done(step.verb).to_owned()),
        _ => None,
    });
    section("Waiting", report, &mut text, |step| match &step.outcome {
        Outcome::Waiting(reason) => Some(clean(reason)),
        _ => None,
    });
    section("Not started", report, &mut text, |step| match &step.outcome {
        Outcome::NotStarted(reason) => Some(clean(reason)),
        _ => None,
    });
    for (what, error) in failures(report) {
        let title = style.paint(Paint::Remove, "Error:");
        let _ = writeln!(text, "\n{title} {}: {}", clean(&what), lines(&chain(error.as_ref())));
        for hint in advice(error) {
            let _ = writeln!(text, "  hint: {}", clean(&hint));
        }
    }
    let state = match (report.has_failures(), report.stopped) {
        (true, _) => "failed in part",
        (false, true) => "stopped",
        (false, false) => "waiting",
    };
    let (finished, all) = (report.done(), report.steps.len());
    let _ = writeln!(
        text,
        "\n{word} {state}: {finished} of {all} steps are done. To go on from here: {again}"
    );
    text
}

/// The last line of a complete run, word for word as Terraform has it.
fn complete(document: &Document, report: &Report) -> String {
    let summary = carried_out(document, report);
    match document.purpose {
        Purpose::Apply => {
            let words = ["imported", "added", "changed", "destroyed", "forgotten"];
            format!("Apply complete! Resources: {}.", summary.sentence(words))
        }
        Purpose::Destroy => {
            let Summary { destroy, forget, .. } = summary;
            let forgotten =
                if forget > 0 { format!(", {forget} forgotten") } else { String::new() };
            format!("Destroy complete! Resources: {destroy} destroyed{forgotten}.")
        }
        Purpose::Release => format!("Release complete! Resources: {} forgotten.", summary.forget),
    }
}

/// What was done, counted as the summary line of the plan counts it: a change of marks alone is a change.
fn carried_out(document: &Document, report: &Report) -> Summary {
    let is_marks_only =
        |address| document.plan.change(address).is_some_and(PlannedChange::is_marks_only);
    let mut summary = Summary::default();
    for step in report.steps.iter().filter(|step| matches!(step.outcome, Outcome::Done)) {
        match step.verb {
            Verb::Create => summary.add += 1,
            Verb::Update => summary.change += 1,
            Verb::Settle if is_marks_only(&step.address) => summary.change += 1,
            Verb::Delete | Verb::Vanish => summary.destroy += 1,
            Verb::Adopt => summary.import += 1,
            Verb::Include => {
                summary.import += 1;
                let is_changed = |it: &PlannedChange| !it.fields.is_empty();
                summary.change +=
                    usize::from(document.plan.change(&step.address).is_some_and(is_changed));
            }
            Verb::Forget => summary.forget += 1,
            Verb::Announce | Verb::Retire | Verb::Settle => {}
        }
    }
    summary
}

fn section(
    title: &str,
    report: &Report,
    text: &mut String,
    row: impl Fn(&StepReport) -> Option<String>,
) {
    let rows: Vec<String> = report
        .steps
        .iter()
        .filter_map(|step| {
            Some(format!("  {}: {}\n", clean(&step.address.to_string()), row(step)?))
        })
        .collect();
    if !rows.is_empty() {
        let _ = writeln!(text, "\n{title}:");
        text.extend(rows);
    }
}

fn failures(report: &Report) -> Vec<(String, &BoxError)> {
    let failed = report.steps.iter().filter_map(|step| match &step.outcome {
        Outcome::Failed(error) => {
            Some((format!("{}: not {}", step.address, done(step.verb)), error))
        }
        _ => None,
    });
    let unsettled = report.unsettled.iter().map(|(root, error)| (root.to_string(), error));
    failed.chain(unsettled).collect()
}

/// The report as JSON.
#[must_use]
pub fn report_json(document: &Document, report: &Report) -> Value {
    let steps: Vec<Value> = report.steps.iter().map(step_json).collect();
    let unsettled: Vec<Value> = report
        .unsettled
        .iter()
        .map(|(root, error)| json!({ "address": root, "error": chain(error.as_ref()) }))
        .collect();
    json!({
        "environment": document.environment,
        "account": document.account,
        "region": document.region,
        "fingerprint": document.fingerprint,
        "complete": report.is_complete(),
        "stopped": report.stopped,
        "summary": carried_out(document, report),
        "steps": steps,
        "unsettled": unsettled,
    })
}

fn step_json(step: &StepReport) -> Value {
    let (outcome, why) = match &step.outcome {
        Outcome::Done => ("done", None),
        Outcome::Waiting(reason) => ("waiting", Some(reason.clone())),
        Outcome::Failed(error) => ("failed", Some(chain(error.as_ref()))),
        Outcome::NotStarted(reason) => ("not_started", Some(reason.clone())),
    };
    json!({ "address": step.address, "verb": step.verb, "outcome": outcome, "why": why })
}
