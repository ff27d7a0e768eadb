//! The table, for people.

use std::fmt::Write as _;

use serde::Serialize;

/// What one step took with one tool.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// Whether AWS's limits and latency were imitated.
    pub(crate) limited: bool,
    /// How many domains the job has.
    pub(crate) domains: usize,
    /// The step.
    pub(crate) step: String,
    /// The tool.
    pub(crate) tool: String,
    /// Whether it ended well.
    pub(crate) succeeded: bool,
    /// The wall time.
    pub(crate) seconds: f64,
    /// The most resident memory of the tool and what it started, in MiB.
    pub(crate) peak_mib: Option<f64>,
    /// The calls that reached the cloud.
    pub(crate) calls: usize,
    /// Those of them that it throttled.
    pub(crate) throttled: usize,
}

/// The rows as a Markdown table.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| cloud | domains | step | tool | time | peak memory | calls | throttled |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let cloud = if row.limited { "AWS's limits, 40 ms" } else { "no limits" };
        let time = match row.succeeded {
            true => format!("{:.1} s", row.seconds),
            false => "failed".to_owned(),
        };
        let memory = row.peak_mib.map_or_else(|| "?".to_owned(), |mib| format!("{mib:.0} MiB"));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {cloud} | {} | {} | {} | {time} | {memory} | {} | {} |",
            row.domains, row.step, row.tool, row.calls, row.throttled
        );
    }
    text
}
