//! Findings, as a compiler shows them: what is wrong, the line, the text underlined, and what would be right.

use crate::environment::{Finding, Findings, Location, Position, Severity};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet,
};
use std::ops::Range;

/// How many findings are shown: beyond that the file is a wrong one, and the first ones say so.
const MOST: usize = 100;

/// How many characters of a line are looked at: beyond that the line is no line that a person wrote.
const LONGEST_LINE: usize = 2_000;

/// Renders findings for a terminal or a log, one blank line between two; empty where there are none.
#[must_use]
pub fn render(findings: &Findings, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut blocks: Vec<String> =
        findings.iter().take(MOST).map(|finding| block(&renderer, finding)).collect();
    if let Some(more) = findings.len().checked_sub(MOST).filter(|more| *more > 0) {
        blocks.push(format!("and {more} more findings of this kind and others"));
    }
    match blocks.is_empty() {
        true => String::new(),
        false => blocks.join("\n\n") + "\n",
    }
}

fn block(renderer: &Renderer, finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.id);
    let mut group = title.elements(places(finding));
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The snippets of a finding: one for each stretch of a file, related places of the same lines together.
fn places(finding: &Finding) -> Vec<Element<'_>> {
    let Some(location) = &finding.location else { return Vec::new() };
    let mut elements = vec![place(location, AnnotationKind::Primary, &finding.label)];
    for related in &finding.related {
        elements.push(place(&related.location, AnnotationKind::Context, &related.label));
    }
    elements
}

fn place<'a>(location: &'a Location, kind: AnnotationKind, label: &'a str) -> Element<'a> {
    let Some(position) = &location.position else {
        return Origin::path(location.path.as_str()).into();
    };
    let (lines, span) = excerpt(position);
    let annotation: Annotation<'_> = kind.span(span);
    let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
    Snippet::source(lines)
        .path(location.path.as_str())
        .line_start(position.line)
        .annotation(annotation)
        .into()
}

/// The line that a position starts on, and the position within it. A position over several lines ends with its
/// first: what follows is rarely what is wrong.
fn excerpt(position: &Position) -> (&str, Range<usize>) {
    let text = position.source.text();
    let start = text[..position.span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line = text[start..end].trim_end_matches('\r');
    let line = match line.char_indices().nth(LONGEST_LINE) {
        Some((cut, _)) => &line[..cut],
        None => line,
    };
    let within = |byte: usize| byte.saturating_sub(start).min(line.len());
    (line, within(position.span.start)..within(position.span.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Source;
    use std::sync::Arc;

    fn source() -> Arc<Source> {
        Arc::new(Source::new("environments/prod.toml", "[aws]\nregion = \"us-east\"\nregion = 1\n"))
    }

    #[test]
    fn a_finding_is_shown_with_its_line_and_its_remedy() {
        let finding = Finding::error("invalid-value", "`us-east` is not an AWS Region")
            .labelled("is not a Region")
            .helped("write a Region such as `us-east-1`")
            .at(source().location(15..24));
        assert_eq!(
            render(&finding.into(), false),
            "error[invalid-value]: `us-east` is not an AWS Region\n \
             --> environments/prod.toml:2:10\n  |\n\
             2 | region = \"us-east\"\n  |          ^^^^^^^^^ is not a Region\n  |\n  \
             = help: write a Region such as `us-east-1`\n"
        );
    }
}
