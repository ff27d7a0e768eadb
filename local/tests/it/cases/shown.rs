//! What is kept of a run: all that has the same meaning on every machine and day, and nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use sesinfra_local::Entry;

use crate::it::program::Ran;

/// What `plan` said, findings first.
pub(super) fn plan(ran: &Ran) -> String {
    let text = without_ids(&format!("{}{}", ran.errors, ran.output));
    match ran.code {
        0 => text,
        code => format!("{text}\n(exit code {code})\n"),
    }
}

/// A plan as JSON, without what changes with every version.
pub(super) fn json(text: &str) -> String {
    let mut plan: Value = serde_json::from_str(text).unwrap();
    for volatile in ["fingerprint", "sesinfra_version"] {
        plan.as_object_mut().unwrap().remove(volatile);
    }
    without_ids(&format!("{plan:#}\n"))
}

/// The calls of an apply: what it wrote, in order; how often it read what; and how it ended.
pub(super) fn calls(entries: &[Entry], ran: &Ran) -> String {
    let (reads, writes): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| is_read(&entry.action));
    let mut text = "Writes, in order:\n".to_owned();
    for write in &writes {
        let place = match &write.error {
            Some(error) => format!("{} -> {error}", write.action),
            None => write.action.clone(),
        };
        writeln!(text, "  {place}").unwrap();
    }
    let mut counts = BTreeMap::<&str, usize>::new();
    for read in &reads {
        *counts.entry(&read.action).or_default() += 1;
    }
    text += "\nReads:\n";
    for (action, count) in counts {
        writeln!(text, "  {count:>2} {action}").unwrap();
    }
    writeln!(text, "\nIt ended with exit code {}:\n{}", ran.code, ending(ran)).unwrap();
    without_ids(&text)
}

/// The end of what was said: the report after the plan, and errors.
fn ending(ran: &Ran) -> String {
    let report = ran.output.split_once("\nPlan: ").and_then(|(_, rest)| rest.split_once('\n'));
    let report = report.map_or_else(String::new, |(_, report)| report.trim().to_owned());
    let errors = ran
        .errors
        .lines()
        .filter(|line| line.starts_with("Error: ") || line.starts_with("  hint: "));
    let lines = report.lines().chain(errors).map(|line| format!("  {line}"));
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn is_read(action: &str) -> bool {
    const READING: [&str; 5] = ["Get", "List", "Describe", "Assume", "Batch"];
    let operation = action.split_once(':').map_or(action, |(_, operation)| operation);
    READING.iter().any(|prefix| operation.starts_with(prefix))
}

/// Replaces random ids, which have the form 8-4-4-4-12.
fn without_ids(text: &str) -> String {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    const LENGTH: usize = 36;
    let is_id = |piece: &str| {
        let groups: Vec<&str> = piece.split('-').collect();
        let is_hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
        groups.iter().map(|group| group.len()).eq(GROUPS)
            && groups.iter().all(|group| is_hex(group))
    };
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        if text.get(at..at + LENGTH).is_some_and(is_id) {
            kept.push_str("AN-ID");
            at += LENGTH;
        } else {
            kept.push(character);
            at += character.len_utf8();
        }
    }
    kept
}
