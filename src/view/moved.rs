//! What moved between a saved plan and the same plan made again. Invariant: each line is one fact, in plain words.

use super::document::Document;
use super::line::{clean, summary};
use super::plan_text::sentence;
use crate::engine::{PlannedChange, difference};

/// So many facts are told; of more, how many there are.
const FACTS_MAX: usize = 20;

/// What is different in `now`, which was made again of `saved`.
#[must_use]
pub fn moved(saved: &Document, now: &Document) -> Vec<String> {
    let mut facts = Vec::new();
    let addresses = saved.plan.changes.iter().chain(&now.plan.changes).map(|it| &it.address);
    let addresses: std::collections::BTreeSet<_> = addresses.collect();
    for address in addresses {
        let said = clean(&address.to_string());
        match (saved.plan.change(address), now.plan.change(address)) {
            (Some(was), Some(is)) => of_change(&said, was, is, &mut facts),
            (Some(_), None) => facts.push(format!("{said}: neither declared nor owned any more")),
            (None, Some(is)) => facts.push(format!("{said}: new, and {}", sentence(is.action))),
            (None, None) => {}
        }
    }
    for refusal in now.refusals.iter().filter(|it| !saved.refusals.contains(it)) {
        let address = clean(&refusal.address.to_string());
        facts.push(format!("{address}: refused now: it {}", clean(&refusal.message)));
    }
    if facts.is_empty() {
        facts.push("the marks of what is owned, or the order of the steps".to_owned());
    }
    if facts.len() > FACTS_MAX {
        let more = facts.len() - (FACTS_MAX - 1);
        facts.truncate(FACTS_MAX - 1);
        facts.push(format!("and {more} more"));
    }
    facts
}

fn of_change(said: &str, was: &PlannedChange, is: &PlannedChange, facts: &mut Vec<String>) {
    if was.action != is.action {
        let (was, is) = (sentence(was.action), sentence(is.action));
        facts.push(format!("{said}: {is}; when the plan was made, it said: {was}"));
    }
    // What appears or goes as a whole is said by the action.
    if was.from.is_some() && is.from.is_some() {
        fields(said, "in AWS", was.from.as_deref(), is.from.as_deref(), facts);
    }
    if was.to.is_some() && is.to.is_some() {
        fields(said, "declared", was.to.as_deref(), is.to.as_deref(), facts);
    }
    if was.impact != is.impact && was.action == is.action {
        let words = is.impact.severity.words();
        facts.push(format!("{said}: the change now {words}: {}", clean(&is.impact.reason)));
    }
    match (&was.deferred, &is.deferred) {
        (Some(reason), None) => {
            facts.push(format!("{said}: no longer waits ({})", clean(reason)));
        }
        (None, Some(reason)) => facts.push(format!("{said}: now waits: {}", clean(reason))),
        _ => {}
    }
}

fn fields(
    said: &str,
    place: &str,
    was: Option<&serde_json::Value>,
    is: Option<&serde_json::Value>,
    facts: &mut Vec<String>,
) {
    let shown = |value: Option<&serde_json::Value>| value.map_or("nothing".to_owned(), summary);
    facts.extend(difference(was, is, &[]).into_iter().map(|field| {
        let (was, is) = (shown(field.from.as_ref()), shown(field.to.as_ref()));
        format!("{said}: `{}` {place} was {was} and is {is}", clean(&field.path))
    }));
}
