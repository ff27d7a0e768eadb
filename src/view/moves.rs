//! What an environment takes along to its new name.

use std::fmt::Write as _;

use super::line::clean;
use super::style::{Paint, Style};

/// What is moved from one owner to another, line by line.
#[must_use]
pub fn moves_text(was: &str, is: &str, lines: &[String], style: Style) -> String {
    let title = format!("{} is called {} now", clean(was), clean(is));
    let mut text = format!("{}\n\n", style.paint(Paint::Title, &title));
    if lines.is_empty() {
        // Writing to a String cannot fail, here and below: results of `write!` are let go.
        let _ = writeln!(text, "No changes. Nothing carries the marks of {} any more.", clean(was));
        return text;
    }
    text.push_str("sesinfra will perform the following actions:\n\n");
    for line in lines {
        let (indent, said) = match line.strip_prefix("  ") {
            Some(rest) => ("    ", rest.to_owned()),
            None if line.contains(" has moved to ") => ("  # ", line.clone()),
            None => ("  # ", format!("{line} is marked anew, and stays as it is")),
        };
        let _ = writeln!(text, "{indent}{}", clean(&said));
    }
    let count = lines.iter().filter(|line| !line.starts_with("  ")).count();
    let _ = writeln!(text, "\nPlan: {count} to move.");
    text
}
