//! What changing an event destination does to mail.

use std::collections::BTreeSet;

use super::Spec;
use crate::engine::{Impact, Severity};

/// What no longer arrives, or what every mail gets from now on.
pub(super) fn of(from: Option<&Spec>, to: Option<&Spec>) -> Impact {
    let heard = |spec: Option<&Spec>| -> BTreeSet<String> {
        spec.filter(|spec| spec.enabled).map(|spec| spec.types.clone()).unwrap_or_default()
    };
    let (before, after) = (heard(from), heard(to));
    let lost: Vec<&str> = before.difference(&after).map(String::as_str).collect();
    if !lost.is_empty() {
        let reason = format!("events of type {} no longer arrive here", lost.join(", "));
        return Impact::new(Severity::Degrades, reason);
    }
    // SES turns link and open tracking on for a set as soon as anything wants to hear of it (developer guide,
    // "Configure custom domains to handle open and click tracking").
    let rewrites = |types: &BTreeSet<String>| types.contains("open") || types.contains("click");
    if rewrites(&after) && !rewrites(&before) {
        let reason = "every mail of the set gets rewritten links or an open pixel from now on";
        return Impact::new(Severity::Degrades, reason);
    }
    match (from, to) {
        (Some(from), Some(to)) if from.target != to.target && !before.is_empty() => {
            Impact::new(Severity::Degrades, "events go to another place from now on")
        }
        _ => Impact::safe(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(types: &[&str], enabled: bool, topic: &str) -> Spec {
        Spec {
            types: types.iter().map(|it| (*it).to_owned()).collect(),
            enabled,
            target: super::super::Target::Topic(topic.to_owned()),
        }
    }

    #[test]
    fn events_that_are_lost_or_move_are_named() {
        let all = spec(&["bounce", "complaint"], true, "a");
        let reason = |to: &Spec| of(Some(&all), Some(to)).reason;
        assert_eq!(reason(&spec(&["bounce", "complaint", "send"], true, "a")), "");
        assert_eq!(
            reason(&spec(&["bounce"], true, "a")),
            "events of type complaint no longer arrive here"
        );
        assert!(reason(&spec(&["bounce", "complaint"], false, "a")).contains("bounce, complaint"));
        assert!(reason(&spec(&["bounce", "complaint"], true, "b")).contains("another place"));
        assert!(of(Some(&all), None).reason.contains("bounce, complaint"));
        assert_eq!(of(Some(&spec(&["bounce"], false, "a")), None), Impact::safe());
    }

    #[test]
    fn the_first_who_hears_of_opens_or_clicks_has_every_mail_rewritten() {
        let tracked = spec(&["click"], true, "a");
        assert_eq!(of(None, Some(&tracked)).severity, Severity::Degrades);
        assert_eq!(
            of(Some(&spec(&["open", "click"], true, "a")), Some(&tracked)).severity,
            Severity::Degrades
        );
        assert_eq!(of(Some(&tracked), Some(&spec(&["open", "click"], true, "a"))), Impact::safe());
        assert_eq!(of(None, Some(&spec(&["click"], false, "a"))), Impact::safe());
    }
}
