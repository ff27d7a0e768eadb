//! A plan as a comment on a pull request: a marker by which the next run finds it again, the counts, what touches
//! mail, and the whole text folded away. Invariant: it fits into a comment, and nothing inside ends the code block.

use std::fmt::Write as _;

use super::document::Document;
use super::line::clean;
use super::plan_text::{impact, last_line, plan_text};
use super::style::Style;
use crate::engine::Severity;

/// GitHub takes comments of 65,536 characters.
const TEXT_MAX: usize = 60_000;

/// The plan as Markdown.
#[must_use]
pub fn plan_markdown(document: &Document) -> String {
    let environment = clean(&document.environment);
    // Writing to a String cannot fail: results of `write!` are let go.
    let mut text =
        format!("<!-- sesinfra plan {environment} -->\n### sesinfra: `{environment}`\n\n");
    let _ = writeln!(text, "**{}**\n", last_line(document));
    if let Some(overlooked) = document.overlooked() {
        let _ = writeln!(text, "{}\n", escaped(&overlooked));
    }
    for refusal in &document.refusals {
        let address = clean(&refusal.address.to_string());
        let _ = writeln!(text, "- :no_entry: `{address}` {}", escaped(&refusal.message));
    }
    let pending = document.plan.pending().filter(|it| it.impact.severity > Severity::Safe);
    for change in pending {
        let label = impact(change).unwrap_or_default();
        let address = clean(&change.address.to_string());
        let _ = writeln!(text, "- :warning: `{address}` {}", escaped(&label));
    }
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    let body = diff_block(&plan_text(document, Style::plain()));
    let fence = fence(&body);
    let _ = writeln!(
        text,
        "<details><summary>Plan</summary>\n\n{fence}diff\n{body}{fence}\n\n</details>\n"
    );
    let Document { account, region, fingerprint, .. } = document;
    let short: String = fingerprint.chars().take(12).collect();
    let _ = writeln!(text, "Account {account}, {region}; fingerprint `{short}`");
    text
}

/// Characters that Markdown or HTML would act on, made plain.
fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in clean(text).chars() {
        if "\\`*_[]<>#|@".contains(character) {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

/// The text with its signs in the first column, where a `diff` block colours them.
fn diff_block(text: &str) -> String {
    let mut body = String::with_capacity(text.len());
    for line in text.lines() {
        let trimmed = line.trim_start();
        let indent = &line[..line.len() - trimmed.len()];
        let moved = match trimmed.split_once(' ') {
            Some((sign @ ("+" | "-"), rest)) if indent.len() >= 4 => {
                format!("{sign}{indent}{rest}")
            }
            Some(("~", rest)) if indent.len() >= 4 => format!("!{indent}{rest}"),
            _ => line.to_owned(),
        };
        if body.len() + moved.len() > TEXT_MAX {
            body.push_str("(the rest is too long for a comment: see the job's own output)\n");
            break;
        }
        body.push_str(&moved);
        body.push('\n');
    }
    body
}

/// A fence longer than any run of backticks inside.
fn fence(body: &str) -> String {
    let longest = body.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}
