//! Plans made by hand, and how they read.

mod many;
pub(crate) mod plans;
mod reports;

use super::golden::assert_golden;
use plans::{Story, stories};
use sesinfra::engine::Action;
use sesinfra::view::{Style, plan_json, plan_markdown, plan_text};

#[test]
fn every_story_reads_as_it_should() {
    for Story { name, document } in stories() {
        assert_golden(&format!("tests/it/view/{name}.txt"), &plan_text(&document, Style::plain()));
    }
}

#[test]
fn a_plan_is_a_comment_on_a_pull_request() {
    for Story { name, document } in stories() {
        assert_golden(&format!("tests/it/view/{name}.md"), &plan_markdown(&document));
    }
}

#[test]
fn a_plan_is_json_in_the_shape_of_terraform() {
    for Story { name, document } in stories() {
        let text = serde_json::to_string_pretty(&plan_json(&document)).unwrap() + "\n";
        assert_golden(&format!("tests/it/view/{name}.json"), &text);
    }
}

#[test]
fn what_can_only_wait_is_no_change() {
    let mut document =
        stories().into_iter().find(|story| story.name == "no-changes").unwrap().document;
    document.plan.changes[0].action = Action::Update;
    document.plan.changes[0].deferred = Some("DKIM is not verified yet".to_owned());
    let text = plan_text(&document, Style::plain());
    assert_eq!(text.lines().last().unwrap(), "No changes. 1 is waiting, for the reason above.");
    assert!(text.contains("# deferred: DKIM is not verified yet"), "{text}");
}

#[test]
fn colour_says_nothing_that_is_not_said_without() {
    for Story { document, .. } in stories() {
        let coloured = plan_text(&document, Style::coloured());
        let mut stripped = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            stripped.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        stripped.push_str(rest);
        assert_eq!(stripped, plan_text(&document, Style::plain()));
    }
}

#[test]
fn tools_that_read_terraform_find_their_anchors() {
    for Story { name, document } in stories() {
        let text = plan_text(&document, Style::plain());
        let anchors = text
            .lines()
            .filter(|line| line.starts_with("Plan: ") || line.starts_with("No changes."));
        assert_eq!(anchors.count(), 1, "{name}");
        let last = text.lines().last().unwrap();
        assert!(
            last.starts_with("Plan: ")
                || last == "No changes. Your infrastructure matches the configuration."
                || last == "No changes. Tags and lists match the configuration."
        );
        let created = text
            .lines()
            .filter(|line| line.starts_with("  # ") && line.ends_with(" will be created"));
        assert_eq!(
            created.count(),
            document.plan.count(sesinfra::engine::Action::Create),
            "{name}"
        );
    }
}

#[test]
fn the_fingerprint_covers_whose_plan_it_is_and_all_it_does() {
    let first = stories().remove(0).document.sealed();
    let mut other = first.clone();
    "prod".clone_into(&mut other.environment);
    assert_ne!(first.fingerprint, other.sealed().fingerprint);
    let mut less = first.clone();
    less.plan.changes.pop();
    assert_ne!(first.fingerprint, less.sealed().fingerprint);
    let mut verified = first.clone();
    verified.records.clear();
    assert_eq!(first.fingerprint, verified.sealed().fingerprint);
}
