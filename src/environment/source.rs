//! The text of an environment file, and places in it.
//!
//! Invariant: a [`Location`] keeps the text it points into, so a finding can be shown after the file has changed.

use serde::Serialize;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One environment file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    path: String,
    text: String,
    /// Where each line starts.
    lines: Vec<usize>,
}

impl Source {
    /// Keeps the text of a file, under the path that findings show.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self { path: path.into(), text, lines }
    }

    /// The path relative to the project: `environments/prod.toml`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span; empty where the span is not one of this text.
    #[must_use]
    pub fn slice(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The index of the line that a byte is on, counted from 0.
    #[must_use]
    pub(crate) fn line_index(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start <= byte).saturating_sub(1)
    }

    /// Where a line starts, by its index; the end of the text past the last line.
    #[must_use]
    pub(crate) fn line_start(&self, index: usize) -> usize {
        self.lines.get(index).copied().unwrap_or(self.text.len())
    }

    /// The place of a span.
    #[must_use]
    pub fn location(self: &Arc<Self>, span: Range<usize>) -> Location {
        let end = span.end.min(self.text.len());
        let start = span.start.min(end);
        let line = self.line_index(start);
        let before = self.text.get(self.line_start(line)..start).unwrap_or_default();
        Location {
            path: self.path.clone(),
            position: Some(Position {
                line: line + 1,
                column: before.chars().count() + 1,
                span: start..end,
                source: Arc::clone(self),
            }),
        }
    }
}

/// A place in an environment file, or the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The file, relative to the project.
    pub path: String,
    /// Where in the file; absent where the finding is about all of it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

impl Location {
    /// The file as a whole.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), position: None }
    }

    /// What findings are sorted by: the file, then the place in it.
    pub(super) fn order(&self) -> (&str, Option<usize>) {
        (&self.path, self.position.as_ref().map(|position| position.span.start))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.position {
            Some(position) => {
                write!(formatter, "{}:{}:{}", self.path, position.line, position.column)
            }
            None => formatter.write_str(&self.path),
        }
    }
}

/// A stretch of text within a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The bytes of the text.
    #[serde(skip)]
    pub span: Range<usize>,
    /// The text itself.
    #[serde(skip)]
    pub source: Arc<Source>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let source = Arc::new(Source::new("environments/x.toml", "a = 1\n\u{e4} = \"b\"\n"));
        let place = source.location(11..14);
        assert_eq!(place.to_string(), "environments/x.toml:2:5");
        assert_eq!(source.slice(&(11..14)), "\"b\"");
    }

    #[test]
    fn a_place_past_the_end_is_the_end() {
        let source = Arc::new(Source::new("x.toml", "a"));
        assert_eq!(source.location(5..9).to_string(), "x.toml:1:2");
        assert_eq!(source.slice(&(5..9)), "");
    }
}
