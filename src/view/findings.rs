//! Findings, as a compiler shows them: what is wrong, the line, the text underlined, and what would be right.

use crate::environment::{Finding, Findings, Location, Position, Severity};
use crate::secrets::masked;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};

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
    // A line of the file is quoted, and may hold what it should not.
    let title = level.primary_title(masked(&finding.message)).id(finding.id);
    let mut group = title.elements(places(finding));
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(masked(help)));
    }
    renderer.render(&[group])
}

/// The snippets of a finding: places of one file together, unless a line of it is too long to show whole.
fn places(finding: &Finding) -> Vec<Element<'_>> {
    let Some(location) = &finding.location else { return Vec::new() };
    let main = Place { location, label: &finding.label, kind: AnnotationKind::Primary };
    let mut files: Vec<Vec<Place<'_>>> = vec![vec![main]];
    for related in &finding.related {
        let place = Place {
            location: &related.location,
            label: &related.label,
            kind: AnnotationKind::Context,
        };
        match files.iter_mut().find(|places| places.iter().all(|other| other.is_beside(&place))) {
            Some(places) => places.push(place),
            None => files.push(vec![place]),
        }
    }
    files.into_iter().map(|places| snippet(&places)).collect()
}

/// A place with what is to be seen there.
struct Place<'a> {
    location: &'a Location,
    label: &'a str,
    kind: AnnotationKind,
}

impl Place<'_> {
    /// Whether the two can be shown in one excerpt.
    fn is_beside(&self, other: &Self) -> bool {
        let (Some(here), Some(there)) = (&self.location.position, &other.location.position) else {
            return false;
        };
        let lines = here.line.abs_diff(there.line) + 1;
        let start = here.span.start.min(there.span.start);
        let end = here.span.end.max(there.span.end);
        self.location.path == other.location.path && end - start <= lines * LONGEST_LINE
    }
}

fn snippet<'a>(places: &[Place<'a>]) -> Element<'a> {
    let mut positions: Vec<(&Position, &Place<'a>)> = Vec::new();
    positions
        .extend(places.iter().filter_map(|place| Some((place.location.position.as_ref()?, place))));
    positions.sort_by_key(|(position, _)| position.span.start);
    let (Some((first, _)), Some((last, _))) = (positions.first(), positions.last()) else {
        return Origin::path(places.first().map_or("", |place| place.location.path.as_str()))
            .into();
    };
    let text = first.source.text();
    let start = line_start(text, first.span.start);
    let end =
        line_end(text, last.span.start).min(floor(text, start.max(last.span.start) + LONGEST_LINE));
    let annotations = positions.iter().map(|(position, place)| {
        // A place over several lines ends with its first: what follows is rarely what is wrong.
        let stop = position.span.end.min(line_end(text, position.span.start)).min(end);
        let annotation = place.kind.span(position.span.start.min(end) - start..stop - start);
        if place.label.is_empty() { annotation } else { annotation.label(masked(place.label)) }
    });
    let annotations: Vec<Annotation<'a>> = annotations.collect();
    Snippet::source(masked(&text[start..end]))
        .path(places.first().map_or("", |place| place.location.path.as_str()))
        .line_start(first.line)
        .annotations(annotations)
        .into()
}

fn line_start(text: &str, byte: usize) -> usize {
    text[..byte].rfind('\n').map_or(0, |at| at + 1)
}

/// Where the line that a byte is on ends, without its line break.
fn line_end(text: &str, byte: usize) -> usize {
    let end = text[byte..].find('\n').map_or(text.len(), |at| byte + at);
    let line = &text[..end];
    if end > byte && line.ends_with('\r') { end - 1 } else { end }
}

/// The nearest byte from there on back that starts a character.
fn floor(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
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
