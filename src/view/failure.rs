//! A failure, as the last thing that a run says: what went wrong and where, the causes, and what to do.

use std::error::Error;
use std::fmt::Write as _;

use super::line::clean;
use super::style::{Paint, Style};

/// A failure as text.
#[must_use]
pub fn failure_text(error: &(dyn Error + 'static), hints: &[String], style: Style) -> String {
    let mut text =
        format!("{} {}\n", style.paint(Paint::Remove, "Error:"), lines(&error.to_string()));
    let mut cause = error.source();
    // Writing to a String cannot fail: results of `write!` are let go.
    while let Some(error) = cause {
        let _ = writeln!(text, "  caused by: {}", lines(&error.to_string()));
        cause = error.source();
    }
    for hint in hints {
        let _ = writeln!(text, "  hint: {}", clean(hint));
    }
    text
}

/// Lines below the first are indented, so that none of them looks like a message of its own.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n    ")
}
