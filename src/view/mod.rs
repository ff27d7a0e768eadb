//! The only code that prints: plans, progress, reports and failures, as text, Markdown or JSON.
//!
//! Invariant: views decide nothing. They take data and give text, the same text for the same data; [`Screen`] alone
//! writes, and only the answer goes to standard output.

mod difference;
mod document;
pub mod findings;
mod groups;
mod line;
mod plan_json;
mod plan_markdown;
mod plan_text;
mod records;
mod style;

pub use document::{Document, FORMAT, Purpose, Record, Refused, Summary, Verdict};
pub use plan_json::plan_json;
pub use plan_markdown::plan_markdown;
pub use plan_text::plan_text;
pub use style::Style;
