//! The only code that prints: plans, progress, reports and failures, as text, Markdown or JSON.
//!
//! Invariant: views decide nothing. They take data and give text, the same text for the same data; [`Screen`] alone
//! writes, and only the answer goes to standard output.

mod alike;
mod difference;
mod document;
mod failure;
pub mod findings;
mod groups;
mod health;
mod inventory;
mod line;
mod log;
mod moved;
mod moves;
mod pace;
mod plan_json;
mod plan_markdown;
mod plan_text;
mod progress;
mod records;
mod report;
mod screen;
mod style;

pub use document::{Document, FORMAT, Flags, Purpose, Record, Refused, Summary, Verdict};
pub use failure::failure_text;
pub use health::{
    WAYS_ON, access_text, asked_text, draft_text, quota_text, standing_line, status_text,
};
pub use inventory::{Outputs, Owned, outputs_text, owned_text};
pub use log::{Level, log_to_standard_error};
pub use moved::moved;
pub use moves::moves_text;
pub use pace::{Pace, SAID_EVERY, reading_text};
pub use plan_json::plan_json;
pub use plan_markdown::plan_markdown;
pub use plan_text::{last_line, plan_text, write_plan_text};
pub use progress::Progress;
pub use records::pending_text;
pub use report::{Advice, report_json, report_text};
pub use screen::{Screen, Sink};
pub use style::Style;
