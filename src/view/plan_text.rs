//! A plan for people at a terminal and for the tools that read Terraform's output: their anchors (`# ADDRESS will be
//! created`, `Plan: `, `No changes.`, `Error: `) stand exactly as they expect them.

use std::fmt::{self, Write as _};

use super::alike::{Alike, alike};
use super::document::{Document, Purpose, Verdict};
use super::groups::{Group, groups};
use super::line::{Line, Sign, clean};
use super::style::{Paint, Style};
use super::{difference, records};
use crate::engine::{Action, PlannedChange, Refresh, Severity, Unmanaged};

/// The line that says that there is nothing to do, word for word as Terraform has it.
pub(super) const NO_CHANGES: &str = "No changes. Your infrastructure matches the configuration.";

/// The same, where that is all that was looked at.
const NO_CHANGES_BY_TAGS: &str = "No changes. Tags and lists match the configuration.";

/// The line that says that there is nothing to destroy.
const NOTHING_OWNED: &str = "No changes. Nothing in AWS is owned by this environment.";

/// The line that says that there is nothing to let go of.
const NOTHING_HELD: &str = "No changes. Nothing that was named is owned by this environment.";

/// What is said of records that the plan removes although they are needed.
const GOING: &str = "  This plan removes those marked `goes`, and the domain still needs them: they must be published where others run\n  \
    its DNS before it is applied. If they are to stay where they are, let go of them instead: `release`, with the address\n  \
    of their `dns` resource above.\n\n";

/// The plan as text.
#[must_use]
pub fn plan_text(document: &Document, style: Style) -> String {
    let mut text = String::new();
    let _ = write_plan_text(document, style, &mut text);
    text
}

/// Writes the plan as text, piece by piece: with thousands of domains it is long.
///
/// # Errors
/// Those of `out`.
pub fn write_plan_text(document: &Document, style: Style, out: &mut dyn fmt::Write) -> fmt::Result {
    let mut text = header(document, style);
    changes(document, style, &mut text);
    notes(document, &mut text);
    unmanaged(document, &mut text);
    out.write_str(&text)?;
    manual_records(document, style, out)?;
    let mut text = String::new();
    refusals(document, style, &mut text);
    writeln!(out, "{text}\n{}", last_line(document))
}

// Writing to a String cannot fail, here and below: results of `write!` are let go.

fn header(document: &Document, style: Style) -> String {
    let purpose = match document.purpose {
        Purpose::Apply => "",
        Purpose::Destroy => ": destroy everything it owns",
        Purpose::Release => ": let go of what is named",
    };
    let Document { environment, project, account, region, .. } = document;
    let title = format!("Environment {}{purpose}", clean(environment));
    let mut text = format!(
        "{} (project {}, account {}, {})\n",
        style.paint(Paint::Title, &title),
        clean(project),
        clean(account),
        clean(region)
    );
    for trouble in &document.account_trouble {
        let _ = writeln!(text, "Account: {}", style.paint(Paint::Change, &clean(trouble)));
    }
    let targets = &document.flags.targets;
    if !targets.is_empty() {
        let targets: Vec<String> = targets.iter().map(|it| clean(&it.to_string())).collect();
        let _ = writeln!(
            text,
            "\nWarning: only part of the environment is planned (--target {})",
            targets.join(" --target ")
        );
    }
    if let Some(overlooked) = document.overlooked() {
        let _ = writeln!(text, "\nWarning: {overlooked}");
    }
    text
}

/// The last line: what is to be done, or that there is nothing.
#[must_use]
pub fn last_line(document: &Document) -> String {
    if document.plan.is_empty() && document.refusals.is_empty() {
        return match document.purpose {
            Purpose::Apply if document.refresh == Refresh::Tags => NO_CHANGES_BY_TAGS.to_owned(),
            Purpose::Apply => NO_CHANGES.to_owned(),
            Purpose::Destroy => NOTHING_OWNED.to_owned(),
            Purpose::Release => NOTHING_HELD.to_owned(),
        };
    }
    if !document.plan.has_changes_now() && document.refusals.is_empty() {
        return match document.plan.deferred().count() {
            1 => "No changes. 1 is waiting, for the reason above.".to_owned(),
            many => format!("No changes. {many} are waiting, for the reasons above."),
        };
    }
    let words = ["to import", "to add", "to change", "to destroy", "to forget"];
    format!("Plan: {}.", document.summary().sentence(words))
}

fn changes(document: &Document, style: Style, text: &mut String) {
    let groups = groups(&document.plan, |change| change.action != Action::None);
    if groups.is_empty() {
        return;
    }
    text.push_str("\nsesinfra will perform the following actions:\n");
    let all = match style.is_verbose() {
        true => groups.into_iter().map(|first| Alike { first, others: Vec::new() }).collect(),
        false => alike(groups, shape),
    };
    for Alike { first, others } in all {
        let _ = writeln!(text, "\n{}", style.paint(Paint::Title, &first.title));
        for change in &first.changes {
            text.push('\n');
            one_change(change, style, text);
        }
        if !others.is_empty() {
            likewise(&first, &others, style, text);
        }
    }
}

/// What many groups that are alike have in common: all that is said of one, but for its name and the values that go.
fn shape(group: &Group<'_>) -> String {
    let mut text = String::new();
    for change in &group.changes {
        let mut said = String::new();
        one_change(change, Style::plain(), &mut said);
        for line in said.lines() {
            let goes = change.action == Action::Delete && line.trim_start().starts_with("- ");
            let line = if goes { line.split(" = ").next().unwrap_or(line) } else { line };
            text.push_str(line);
            text.push('\n');
        }
    }
    text.replace(&clean(group.root.name()), "\u{0}")
}

/// Those that are like one that was shown in full: what happens to each resource, without its fields.
fn likewise(first: &Group<'_>, others: &[Group<'_>], style: Style, text: &mut String) {
    let each = match first.changes.len() {
        1 => "the same change".to_owned(),
        count => format!("the same {count} changes each"),
    };
    let title = format!("{} more like {}, with {each}", others.len(), first.title);
    let _ =
        writeln!(text, "\n{}\n(--verbose shows them in full)\n", style.paint(Paint::Title, &title));
    for change in others.iter().flat_map(|group| &group.changes) {
        head(change, style, text);
    }
}

/// What is to happen to one resource, as the end of `# ADDRESS ...`.
pub(super) const fn sentence(action: Action) -> &'static str {
    match action {
        Action::None => "stays as it is",
        Action::Create => "will be created",
        Action::Update => "will be updated in-place",
        Action::Adopt => "will be imported",
        Action::Replace => "must be replaced",
        Action::Delete => "will be destroyed",
        Action::Forget => "will no longer be managed by sesinfra, but will not be destroyed",
    }
}

fn head(change: &PlannedChange, style: Style, text: &mut String) {
    let address = clean(&change.address.to_string());
    let _ =
        writeln!(text, "  # {} {}", style.paint(Paint::Title, &address), sentence(change.action));
}

fn one_change(change: &PlannedChange, style: Style, text: &mut String) {
    head(change, style, text);
    if let Some(reason) = &change.reason {
        let _ = writeln!(text, "  # {}", clean(reason));
    }
    if let Some(impact) = impact(change) {
        let paint = if change.impact.severity >= Severity::StopsMail {
            Paint::Remove
        } else {
            Paint::Change
        };
        let _ = writeln!(text, "  # {}", style.paint(paint, &impact));
    }
    if let Some(reason) = &change.deferred {
        let _ = writeln!(text, "  # deferred: {}", clean(reason));
    }
    for note in &change.notes {
        let _ = writeln!(text, "  # note: {}", clean(note));
    }
    let lines = match change.action {
        Action::Delete => difference::deleted(change.from.as_deref()),
        Action::Forget => Vec::new(),
        _ => difference::lines(&change.fields),
    };
    for line in lines {
        text.push_str(&line_text(&line, style));
        text.push('\n');
    }
}

/// The label of a change that is not safe, with its reason.
pub(super) fn impact(change: &PlannedChange) -> Option<String> {
    let severity = change.impact.severity;
    if severity == Severity::Safe && change.impact.reason.is_empty() {
        return None;
    }
    Some(match clean(&change.impact.reason) {
        reason if reason.is_empty() => severity.words().to_owned(),
        reason => format!("{}: {reason}", severity.words()),
    })
}

fn line_text(line: &Line, style: Style) -> String {
    let indent = " ".repeat(4 + line.depth * 4);
    let symbol = line.sign.symbol().to_string();
    match line.sign {
        Sign::Context => format!("{indent}  {}", line.text),
        Sign::Add => format!("{indent}{} {}", style.paint(Paint::Add, &symbol), line.text),
        Sign::Change => format!("{indent}{} {}", style.paint(Paint::Change, &symbol), line.text),
        Sign::Remove => format!("{indent}{} {}", style.paint(Paint::Remove, &symbol), line.text),
    }
}

/// States worth knowing of resources that do not change.
fn notes(document: &Document, text: &mut String) {
    let with_notes = document.plan.changes.iter().filter(|change| change.action == Action::None);
    let lines: Vec<String> = with_notes
        .flat_map(|change| change.notes.iter().map(move |note| (change, note)))
        .map(|(change, note)| {
            format!("  {}: {}\n", clean(&change.address.to_string()), clean(note))
        })
        .collect();
    if !lines.is_empty() {
        text.push_str("\nNotes:\n\n");
        text.extend(lines);
    }
}

fn unmanaged(document: &Document, text: &mut String) {
    let (gone, left): (Vec<&Unmanaged>, Vec<&Unmanaged>) =
        document.plan.unmanaged.iter().partition(|one| one.goes);
    list_unmanaged("Not made by sesinfra, and lost with what it is under:", &gone, text);
    list_unmanaged("Not made by sesinfra, and left alone:", &left, text);
}

fn list_unmanaged(title: &str, list: &[&Unmanaged], text: &mut String) {
    if list.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}\n");
    for one in list {
        let _ = match &one.parent {
            Some(parent) => {
                writeln!(
                    text,
                    "  {} (under {})",
                    clean(&one.address.to_string()),
                    clean(&parent.to_string())
                )
            }
            None => writeln!(text, "  {}", clean(&one.address.to_string())),
        };
    }
}

fn manual_records(document: &Document, style: Style, out: &mut dyn fmt::Write) -> fmt::Result {
    let records = &document.records;
    if records.is_empty() {
        return Ok(());
    }
    if records.iter().all(|record| record.verdict == Some(Verdict::Ok)) {
        let title = match records.len() {
            1 => "The DNS record that others publish is there:".to_owned(),
            many => format!("The {many} DNS records that others publish are all there:"),
        };
        writeln!(out, "\n{}\n", style.paint(Paint::Title, &title))?;
        return records::table_of_names(records, "  ", out);
    }
    let title = "DNS records for whoever runs the DNS to publish:";
    writeln!(out, "\n{}\n", style.paint(Paint::Title, title))?;
    if records.iter().any(|record| record.verdict == Some(Verdict::Going)) {
        out.write_str(GOING)?;
    }
    records::table(records, "  ", out)?;
    records::bind(records, "\nThe same as a BIND zone fragment:\n\n", "  ", out)
}

fn refusals(document: &Document, style: Style, text: &mut String) {
    for refusal in &document.refusals {
        let _ = writeln!(
            text,
            "\n{} {} {}\n  hint: {}",
            style.paint(Paint::Remove, "Error:"),
            clean(&refusal.address.to_string()),
            clean(&refusal.message),
            clean(&refusal.remedy)
        );
    }
}
